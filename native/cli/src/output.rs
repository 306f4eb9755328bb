//! Writing to stdout, which may be a pipe that its reader has closed.

use std::io::{self, Write};

use tomobasis_dicom::printable_lines;

/// Prints text and a line end. A reader that has gone away is no failure of the run.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _closed = writeln!(stdout, "{}", printable_lines(text.trim_end())).and_then(|()| stdout.flush());
}
