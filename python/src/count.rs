//! Arguments that count something: any of Python's or NumPy's integers, and one error by their name for all else. Others that
//! are one of a few types.

use std::fmt::Display;

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError},
    prelude::*,
    types::{PyByteArray, PyBytes, PyMemoryView},
};

use crate::failure::Failure;

/// The extractors of `count::NAME` for `#[pyo3(from_py_with = ..)]`, by the names of the arguments.
macro_rules! counts {
    ($($name:ident: $type:ty),+) => {
        $(pub(crate) fn $name(value: &Bound<'_, PyAny>) -> PyResult<$type> {
            <$type as Given>::given(value, stringify!($name))
        })+
    };
}

counts! {
    columns: usize, k: usize, p: Option<usize>, q: Option<usize>, rank: Option<usize>, seed: u64, threads: usize
}

/// A type that such an argument has.
trait Given: Sized {
    fn given(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Self>;
}

impl Given for u64 {
    fn given(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        value.extract().map_err(|error: PyErr| {
            let py = value.py();
            if error.is_instance_of::<PyOverflowError>(py) {
                outside(name, value, Self::MAX)
            } else if error.is_instance_of::<PyTypeError>(py) {
                not_of_type(name, value, "an integer")
            } else {
                error
            }
        })
    }
}

impl Given for usize {
    fn given(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        let count = u64::given(value, name)?;
        Self::try_from(count).map_err(|_| outside(name, count, Self::MAX))
    }
}

impl Given for Option<usize> {
    fn given(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if value.is_none() { Ok(None) } else { usize::given(value, name).map(Some) }
    }
}

/// Which means are removed, or none.
pub(crate) fn center(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    value.extract().map_err(|_| not_of_type("center", value, "\"rows\", \"columns\", \"both\" or None"))
}

/// Whether each row's mean is removed.
pub(crate) fn centered(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.extract().map_err(|_| not_of_type("center", value, "True or False"))
}

/// Bytes, in whatever of Python's types they are held.
pub(crate) fn bytes<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        return Ok(value.py().get_type::<PyBytes>().call1((value,))?.cast_into()?);
    }
    Ok(value.cast::<PyBytes>().map_err(|_| not_of_type("data", value, "bytes"))?.clone())
}

fn not_of_type(name: &str, value: &Bound<'_, PyAny>, wanted: &str) -> PyErr {
    let class = value.get_type();
    Failure::Argument(format!("{name} is of the type {class}: give {wanted}")).into()
}

fn outside(name: &str, given: impl Display, most: impl Display) -> PyErr {
    Failure::Argument(format!("{name} {given} is outside 0 to {most}")).into()
}
