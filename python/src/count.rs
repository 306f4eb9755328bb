//! Arguments that count something: any of Python's or NumPy's integers, and one error by their name for all else.

use std::fmt::Display;

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError},
    prelude::*,
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
                let class = value.get_type();
                PyErr::from(Failure::Argument(format!("{name} is of the type {class}: give an integer")))
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

fn outside(name: &str, given: impl Display, most: impl Display) -> PyErr {
    Failure::Argument(format!("{name} {given} is outside 0 to {most}")).into()
}
