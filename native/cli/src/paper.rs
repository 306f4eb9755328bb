//! `tomobasis paper`.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use tomobasis_pipeline::{Error, commands::paper};

use crate::output;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Result folder
    #[arg(value_name = "RESULT", value_parser = NotEmpty::new())]
    result: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    output::print(&paper::paper(&args.result)?)
}
