//! What can end a call, and the exception that it becomes.

use std::any::Any;

use pyo3::{PyTypeInfo, exceptions::PyKeyboardInterrupt, prelude::*, sync::PyOnceLock, types::PyType};
use tomobasis_pipeline::Error;

/// An error of a call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Of the crates that do the work.
    #[error("{0}")]
    Ours(Error),
    /// Of the linear algebra, in its own words: rows and columns.
    #[error("{0}")]
    Linalg(tomobasis_linalg::Error),
    /// An argument that only a caller from Python can get wrong.
    #[error("{0}")]
    Argument(String),
    /// The call was stopped.
    #[error("interrupted")]
    Stopped,
    /// Python raised an exception.
    #[error("{0}")]
    Python(#[from] PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<tomobasis_linalg::Error> for Failure {
    fn from(error: tomobasis_linalg::Error) -> Self {
        Self::Linalg(error)
    }
}

/// The classes of `tomobasis._errors`.
#[derive(Clone, Copy)]
enum Class {
    Input,
    File,
    Verification,
    Run,
}

impl Failure {
    /// The failure of a panic that was caught.
    pub(crate) fn of_panic(payload: &(dyn Any + Send)) -> Self {
        Self::Ours(Error::of_panic(payload))
    }

    fn class(&self) -> Class {
        use tomobasis_linalg::Error as Linalg;
        match self {
            Self::Argument(_) => Class::Input,
            Self::Ours(
                Error::InputAbsent
                | Error::Unreadable { .. }
                | Error::System { .. }
                | Error::Write { .. }
                | Error::OutputNotWritable(_),
            ) => Class::File,
            Self::Ours(error) => match error.exit_code() {
                2 | 3 => Class::Input,
                4 => Class::Verification,
                _ => Class::Run,
            },
            Self::Linalg(
                Linalg::Unproven { .. }
                | Linalg::NoStart { .. }
                | Linalg::NoConvergence { .. }
                | Linalg::Machine
                | Linalg::Kernel { .. }
                | Linalg::Threads(_),
            ) => Class::Run,
            Self::Linalg(_) => Class::Input,
            Self::Stopped | Self::Python(_) => Class::Run,
        }
    }
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Input => "InputError",
            Self::File => "FileError",
            Self::Verification => "VerificationError",
            Self::Run => "RunError",
        }
    }

    fn of(self, py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        static CLASSES: [PyOnceLock<Py<PyType>>; 4] = [const { PyOnceLock::new() }; 4];
        CLASSES[self as usize].import(py, "tomobasis._errors", self.name())
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Stopped => PyKeyboardInterrupt::new_err(()),
            other => Python::attach(|py| match other.class().of(py) {
                Ok(class) => PyErr::from_type(class.clone(), argument_names(&other.to_string())),
                Err(error) => error,
            }),
        }
    }
}

/// The argument of `merge`.
pub(crate) fn same_class<'a, 'py, T: PyTypeInfo>(
    other: &'a Bound<'py, PyAny>,
) -> Result<&'a Bound<'py, T>, Failure> {
    let name = |class: &Bound<'py, PyType>| class.name().map(|name| name.to_string());
    match other.cast::<T>() {
        Ok(other) => Ok(other),
        Err(_) => Err(Failure::Argument(format!(
            "other: a {}; merge takes a {}",
            name(&other.get_type())?,
            name(&other.py().get_type::<T>())?
        ))),
    }
}

/// Options by the names of arguments: `--no-patient-data` is `no_patient_data`.
#[pyfunction]
pub(crate) fn argument_names(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, option) = (&rest[..at], &rest[at + 2..]);
        let end = option.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(option.len());
        out.push_str(before);
        match end {
            0 => out.push_str("--"),
            _ => out.push_str(&option[..end].replace('-', "_")),
        }
        rest = &option[end..];
    }
    out + rest
}
