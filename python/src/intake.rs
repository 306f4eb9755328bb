//! What a caller gives as a matrix: an array of NumPy, or what NumPy makes one of.
//!
//! The result depends on the numbers alone, as that of `decompose --input-format npy` (docs/format.md): numbers that are all
//! integers from -32768 to 32767, or all from 0 to 65535, are taken as such, whatever type holds them; all others as float64.
//! Arrays of 8 and 16-bit integers and of floats are read where they are, whatever their strides.

use ndarray::{Array2, ArrayView2};
use numpy::{Element, PyArray2, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::{
    prelude::*,
    types::{IntoPyDict, PyList, PyTuple},
};

use crate::{failure::Failure, matrix::Values};

/// Runs `work` on the values of a matrix.
pub(crate) fn with_values<R>(
    given: &Bound<'_, PyAny>,
    work: impl FnOnce(Values<'_>) -> PyResult<R>,
) -> PyResult<R> {
    let py = given.py();
    let array = plain_array(given)?;
    let dtype = array.dtype();
    macro_rules! types {
        ($($kind:literal, $size:literal => $type:ident, $view:ident => $values:expr;)*) => {
            match (dtype.kind(), dtype.itemsize()) {
                $(($kind, $size) => {
                    let array = typed::<$type>(&array)?.try_readonly()?;
                    let $view = array.as_array();
                    // What borrows the array ends before it.
                    let done = work($values);
                    done
                })*
                _ => Err(refused(&array)?.into()),
            }
        };
    }
    types! {
        b'i', 1 => i8, a => Values::I8(a.into());
        b'u', 1 => u8, a => Values::U8(a.into());
        b'i', 2 => i16, a => Values::I16(a.into());
        b'u', 2 => u16, a => Values::U16(a.into());
        b'i', 4 => i32, a => py.detach(|| integers(a))?;
        b'u', 4 => u32, a => py.detach(|| integers(a))?;
        b'i', 8 => i64, a => py.detach(|| integers(a))?;
        b'u', 8 => u64, a => py.detach(|| integers(a))?;
        b'f', 4 => f32, a => py.detach(|| narrowed(a)).unwrap_or_else(|| Values::F32(a.into()));
        b'f', 8 => f64, a => py.detach(|| narrowed(a)).unwrap_or_else(|| Values::F64(a.into()));
    }
}

fn typed<'a, 'py, T: Element>(
    array: &'a Bound<'py, PyUntypedArray>,
) -> Result<&'a Bound<'py, PyArray2<T>>, Failure> {
    array.cast::<PyArray2<T>>().map_err(|error| Failure::Argument(error.to_string()))
}

/// As an array of two dimensions whose numbers are whole machine words in this machine's order of bytes; a copy where they are
/// not.
fn plain_array<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = given.py();
    let numpy = py.import("numpy")?;
    let masked = numpy.getattr("ma")?.getattr("MaskedArray")?;
    // Of a list of them NumPy makes an array without masks.
    let is_listed = given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>();
    let any = |list: &Bound<'py, PyAny>| -> PyResult<bool> {
        list.try_iter()?.try_fold(false, |any, part| Ok(any || part?.is_instance(&masked)?))
    };
    if given.is_instance(&masked)? || is_listed && any(given)? {
        let text = "a masked array hides some of its values; replace them first, with its method filled";
        return Err(Failure::Argument(text.to_owned()).into());
    }
    let array = numpy.call_method1("asarray", (given,))?.cast_into::<PyUntypedArray>()?;
    if array.ndim() != 2 {
        let text = format!("a matrix has 2 dimensions, not {}; reshape the array", array.ndim());
        return Err(Failure::Argument(text).into());
    }
    if let [0, _] = *array.shape() {
        return Err(Failure::Argument("the matrix has no rows; give at least one".to_owned()).into());
    }
    let dtype = array.dtype();
    let size = dtype.itemsize();
    let wanted = match (dtype.kind(), size) {
        (b'b', _) => "uint8",
        (b'f', 2) => "float32",
        (b'i' | b'u', _) | (b'f', 4 | 8) => "",
        _ => return Err(refused(&array)?.into()),
    };
    let whole_words = array.strides().iter().all(|stride| stride % size as isize == 0)
        && array.getattr("flags")?.getattr("aligned")?.extract::<bool>()?;
    let native = dtype.is_native_byteorder() != Some(false);
    if wanted.is_empty() && native && whole_words {
        return Ok(array);
    }
    let wanted = match wanted {
        "" => dtype.call_method1("newbyteorder", ("=",))?,
        wanted => wanted.into_pyobject(py)?.into_any(),
    };
    let how = [("order", "K"), ("casting", "same_kind")].into_py_dict(py)?;
    Ok(array.call_method("astype", (wanted,), Some(&how))?.cast_into()?)
}

fn refused(array: &Bound<'_, PyUntypedArray>) -> PyResult<Failure> {
    let name = array.dtype().str()?.to_string();
    let kind = match array.dtype().kind() {
        b'c' => "complex numbers have no decomposition here; give real ones",
        b'O' => "convert its values to numbers first, as with numpy.asarray(a, dtype=float)",
        b'f' => "float64 is the widest type of floats that is read; convert it with astype(float)",
        _ => "its values are no numbers; give integers or floats",
    };
    Ok(Failure::Argument(format!("an array of type {name}: {kind}")))
}

/// Of integers wider than 16 bits.
fn integers<'a, T: Copy + Into<i128>>(array: ArrayView2<'a, T>) -> Result<Values<'a>, Failure> {
    let (mut low, mut high) = (0, 0);
    for &value in array {
        let value = value.into();
        (low, high) = (low.min(value), high.max(value));
    }
    if low >= i16::MIN.into() && high <= i16::MAX.into() {
        let narrow = |&value: &T| -> i16 { Into::<i128>::into(value) as i16 };
        return Ok(Values::I16(array.map(narrow).into()));
    }
    if low >= 0 && high <= u16::MAX.into() {
        let narrow = |&value: &T| -> u16 { Into::<i128>::into(value) as u16 };
        return Ok(Values::U16(array.map(narrow).into()));
    }
    let mut out = Array2::zeros(array.raw_dim());
    for (out, ((row, column), &value)) in out.iter_mut().zip(array.indexed_iter()) {
        let value: i128 = value.into();
        *out = value as f64;
        if *out as i128 != value {
            let (row, column) = (row + 1, column + 1);
            let text =
                format!("row {row}, column {column} is an integer that no float64 is; scale the matrix");
            return Err(Failure::Argument(text));
        }
    }
    Ok(Values::F64(out.into()))
}

/// Floats that are all integers of 16 bits, as these; none where they are not.
fn narrowed<'a, T: Copy + Into<f64>>(array: ArrayView2<'a, T>) -> Option<Values<'a>> {
    let (mut low, mut high) = (0.0f64, 0.0f64);
    for &value in array {
        let value: f64 = value.into();
        (low, high) = (low.min(value), high.max(value));
        let signed = low >= i16::MIN.into() && high <= i16::MAX.into();
        let unsigned = low >= 0.0 && high <= u16::MAX.into();
        if value.trunc() != value || !(signed || unsigned) {
            return None;
        }
    }
    let whole = |value: T| -> f64 { value.into() };
    Some(match high > i16::MAX.into() {
        true => Values::U16(array.map(|&value| whole(value) as u16).into()),
        false => Values::I16(array.map(|&value| whole(value) as i16).into()),
    })
}
