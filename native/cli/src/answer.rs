//! What a command has to say: text for people or, with `--json`, one JSON document for scripts. `docs/command.md` has its keys.

use serde_json::{Map, Value};
use tomobasis_pipeline::Error;

use crate::output;

/// The answer of a command that did what it was asked for; what it found may still end it with an error.
pub(crate) struct Answer {
    text: String,
    document: Value,
    ended: Result<(), Error>,
}

impl Answer {
    /// An answer in words, and as the document that says the same.
    pub(crate) fn new(text: impl Into<String>, document: Value) -> Self {
        Self { text: text.into(), document, ended: Ok(()) }
    }

    /// An answer after which the command ends so.
    pub(crate) fn ending(self, ended: Result<(), Error>) -> Self {
        Self { ended, ..self }
    }

    /// Of a comparison: what was found to be the same, in words, or the difference, with what else there is to say of it.
    ///
    /// # Errors
    /// What kept the comparison from being made.
    pub(crate) fn of_comparison(
        compared: Result<String, Error>,
        rest: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<Self, Error> {
        let (same, text, ended) = match compared {
            Ok(text) => (true, text, Ok(())),
            Err(Error::Differs(difference)) => (false, difference.clone(), Err(Error::Differs(difference))),
            Err(other) => return Err(other),
        };
        let mut document: Map<String, Value> =
            rest.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        document.insert("same".to_owned(), same.into());
        document.insert("text".to_owned(), text.clone().into());
        let text = if same { text } else { String::new() };
        Ok(Self::new(text, document.into()).ending(ended))
    }

    /// Prints it; the error in which the command ends.
    ///
    /// # Errors
    /// That error, and what keeps the answer from being printed.
    pub(crate) fn print(self) -> Result<(), Error> {
        if output::as_json() {
            output::print_document(&self.document)?;
        } else if !self.text.is_empty() {
            output::print(&self.text)?;
        }
        self.ended
    }
}

/// A part of the document, from what the library knows.
///
/// # Errors
/// [`Error::Internal`] where it cannot be written as JSON.
pub(crate) fn json(part: impl serde::Serialize) -> Result<Value, Error> {
    serde_json::to_value(part).map_err(|error| Error::Internal(error.to_string()))
}
