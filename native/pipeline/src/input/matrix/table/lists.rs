//! A list of numbers in each row.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, ListArray};
use ndarray::{ArrayViewMut2, Axis};

use super::{super::source::Problem, columns::numbers};

/// The length of the first list of a batch; none where it is null.
pub(super) fn first_length(lists: &ListArray) -> Option<usize> {
    element(lists, 0).map(|list| list.len())
}

/// Fills `columns` of the matrix from lists, the first of which is row `first`. Each has to be as long as `length`.
pub(super) fn fill(
    lists: &ListArray,
    first: u64,
    columns: &Range<usize>,
    length: usize,
    mut out: ArrayViewMut2<'_, f64>,
) -> Result<(), Problem> {
    for (row, target) in out.axis_iter_mut(Axis(0)).enumerate() {
        let at = first + row as u64;
        let list = element(lists, row).ok_or_else(|| null_row(at))?;
        check_length(list.len(), length, at)?;
        numbers(&list.slice(columns.start, columns.len()), |j| (at, columns.start + j), target)?;
    }
    Ok(())
}

/// Refuses a row that is not as long as the first.
pub(super) fn check_length(length: usize, first: usize, row: u64) -> Result<(), Problem> {
    match length == first {
        true => Ok(()),
        false => Err(Problem::input(format!(
            "row {} has {length} numbers, and the first row has {first}; give rows of one length",
            row + 1
        ))),
    }
}

pub(super) fn null_row(row: u64) -> Problem {
    Problem::input(format!("row {} is null; remove or replace it first", row + 1))
}

pub(super) fn element(lists: &ListArray, row: usize) -> Option<ArrayRef> {
    lists.is_valid(row).then(|| lists.value(row))
}
