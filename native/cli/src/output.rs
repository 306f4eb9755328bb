//! Writing to stdout and stderr, which may be pipes that their readers have closed, or files on a full disk.

use std::{
    io::{self, ErrorKind, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tomobasis_dicom::{printable_json, printable_lines};
use tomobasis_pipeline::Error;

/// Whether answers and errors are JSON.
static JSON: AtomicBool = AtomicBool::new(false);

/// Answers and errors are JSON from now on (`--json`).
pub(crate) fn set_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Whether they are.
pub(crate) fn as_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// What an exit code means, as the document of an error has it.
fn kind(exit_code: u8) -> &'static str {
    match exit_code {
        2 => "usage",
        3 => "input",
        4 => "differs",
        130 => "interrupted",
        _ => "failed",
    }
}

/// Prints the error in which the command ends: one line on stderr.
pub(crate) fn tell_error(message: &str, exit_code: u8) {
    let message = printable_lines(message);
    if as_json() {
        let error = json!({ "message": message, "kind": kind(exit_code), "exit_code": exit_code });
        tell(&json!({ "error": error }).to_string());
    } else {
        tell(&format!("error: {message}"));
    }
}

/// Prints text and a line end. A reader that has gone away is no failure of the run.
///
/// # Errors
/// [`Error::Write`] where the text is lost otherwise, as on a full disk.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    write(&printable_lines(text.trim_end()))
}

/// Prints a JSON document, likewise.
///
/// # Errors
/// As [`print()`].
pub(crate) fn print_document(document: &Value) -> Result<(), Error> {
    write(&printable_json(&format!("{document:#}")))
}

fn write(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
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
