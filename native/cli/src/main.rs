//! The `tomobasis` command.
fn main() {}
