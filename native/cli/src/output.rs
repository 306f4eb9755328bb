//! Writing to stdout and stderr, which may be pipes that their readers have closed, or files on a full disk.

use std::io::{self, ErrorKind, Write};

use tomobasis_dicom::printable_lines;
use tomobasis_pipeline::Error;

/// Prints text and a line end. A reader that has gone away is no failure of the run.
///
/// # Errors
/// [`Error::Write`] where the text is lost otherwise, as on a full disk.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{}", printable_lines(text.trim_end())).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Write { file: "standard output".to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Prints a line to stderr. Where that is lost there is nobody to tell, and the run goes on.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
