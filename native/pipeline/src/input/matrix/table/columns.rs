//! Numbers in columns: each is a column of the matrix.

use std::ops::Range;

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{
        ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::DataType;
use ndarray::{ArrayViewMut1, ArrayViewMut2};

use super::super::source::{Problem, exact, inexact};

/// Fills `columns` of the matrix from those of a batch, the first of whose rows is `first`.
pub(super) fn fill(
    batch: &RecordBatch,
    first: u64,
    columns: &Range<usize>,
    mut out: ArrayViewMut2<'_, f64>,
) -> Result<(), Problem> {
    for ((j, values), target) in columns.clone().zip(batch.columns()).zip(out.columns_mut()) {
        numbers(values, |row| (first + row as u64, j), target)?;
    }
    Ok(())
}

/// Copies numbers of any type. `place` gives the row and column of each, from 0.
pub(super) fn numbers(
    values: &ArrayRef,
    place: impl Fn(usize) -> (u64, usize),
    target: ArrayViewMut1<'_, f64>,
) -> Result<(), Problem> {
    if values.null_count() > 0 {
        let (row, column) = place((0..values.len()).find(|&i| values.is_null(i)).unwrap_or(0));
        let (row, column) = (row + 1, column + 1);
        return Err(Problem::input(format!(
            "row {row}, column {column} is null; remove or replace it first"
        )));
    }
    fn copy<T: ArrowPrimitiveType>(
        values: &ArrayRef,
        mut target: ArrayViewMut1<'_, f64>,
        float: impl Fn(T::Native) -> Option<f64>,
    ) -> Result<(), usize> {
        for (i, (target, &value)) in target.iter_mut().zip(values.as_primitive::<T>().values()).enumerate() {
            *target = float(value).ok_or(i)?;
        }
        Ok(())
    }
    let copied = match values.data_type() {
        DataType::Int8 => copy::<Int8Type>(values, target, |v| Some(v.into())),
        DataType::Int16 => copy::<Int16Type>(values, target, |v| Some(v.into())),
        DataType::Int32 => copy::<Int32Type>(values, target, |v| Some(v.into())),
        DataType::Int64 => copy::<Int64Type>(values, target, |v| exact(v.into())),
        DataType::UInt8 => copy::<UInt8Type>(values, target, |v| Some(v.into())),
        DataType::UInt16 => copy::<UInt16Type>(values, target, |v| Some(v.into())),
        DataType::UInt32 => copy::<UInt32Type>(values, target, |v| Some(v.into())),
        DataType::UInt64 => copy::<UInt64Type>(values, target, |v| exact(v.into())),
        DataType::Float32 => copy::<Float32Type>(values, target, |v| Some(v.into())),
        DataType::Float64 => copy::<Float64Type>(values, target, Some),
        // The schema was looked at.
        other => return Err(Problem::input(format!("its numbers are of type {other}"))),
    };
    copied.map_err(|at| {
        let (row, column) = place(at);
        inexact(row, column)
    })
}
