//! Arguments that count something: any of Python's or NumPy's integers, and one error by their name for all else, which says what
//! is allowed. Others that are one of a few types.

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError},
    prelude::*,
    types::{PyBool, PyByteArray, PyBytes, PyMemoryView},
};

use crate::failure::Failure;

/// The extractors of `count::NAME` for `#[pyo3(from_py_with = ..)]`, by the names of the arguments.
macro_rules! counts {
    ($($name:ident: $type:ty, $allowed:literal);+) => {
        $(pub(crate) fn $name(value: &Bound<'_, PyAny>) -> PyResult<$type> {
            <$type as Given>::given(value, &Count { name: stringify!($name), allowed: $allowed })
        })+
    };
}

counts! {
    columns: usize, "1 to 16384";
    k: usize, "1 to n, the number of columns";
    p: Option<usize>, "0 to 2^64 - 1";
    q: Option<usize>, "0 to 2^64 - 1";
    rank: Option<usize>, "1 to n, the number of columns";
    seed: u64, "0 to 2^64 - 1";
    threads: usize, "0, for one per core, to 2^64 - 1"
}

/// What an argument is called, and what it may be: for those that are no such integers at all. The work itself knows what else it
/// can't take.
struct Count {
    name: &'static str,
    allowed: &'static str,
}

/// A type that such an argument has.
trait Given: Sized {
    fn given(value: &Bound<'_, PyAny>, count: &Count) -> PyResult<Self>;
}

impl Given for u64 {
    fn given(value: &Bound<'_, PyAny>, count: &Count) -> PyResult<Self> {
        // As `numpy.linalg.svd` takes full_matrices: True would be a rank of 1.
        if value.is_instance_of::<PyBool>() {
            return Err(not_of_type(count.name, value, "an integer"));
        }
        value.extract().map_err(|error: PyErr| {
            let py = value.py();
            if error.is_instance_of::<PyOverflowError>(py) {
                outside(count, value)
            } else if error.is_instance_of::<PyTypeError>(py) {
                not_of_type(count.name, value, "an integer")
            } else {
                error
            }
        })
    }
}

impl Given for usize {
    fn given(value: &Bound<'_, PyAny>, count: &Count) -> PyResult<Self> {
        Self::try_from(u64::given(value, count)?).map_err(|_| outside(count, value))
    }
}

impl Given for Option<usize> {
    fn given(value: &Bound<'_, PyAny>, count: &Count) -> PyResult<Self> {
        if value.is_none() { Ok(None) } else { usize::given(value, count).map(Some) }
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
    let class = match value.get_type().name() {
        Ok(name) => name.to_string(),
        Err(error) => return error,
    };
    Failure::Argument(format!("{name} is of the type {class}: give {wanted}")).into()
}

fn outside(Count { name, allowed }: &Count, given: &Bound<'_, PyAny>) -> PyErr {
    Failure::Argument(format!("{name} {given} is outside {allowed}")).into()
}
