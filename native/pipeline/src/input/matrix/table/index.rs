//! The numbers of the rows, where a column has them.

use arrow_array::{Array as _, ArrayRef};
use ndarray::ArrayViewMut1;

use super::{super::source::Problem, columns::numbers, schema::INDEX};

/// Refuses rows that are not in the order of their index, which has integers of any type.
pub(super) fn check_order(index: &ArrayRef, first: u64) -> Result<(), Problem> {
    let wrong = |row: usize, found: &str| {
        Problem::input(format!(
            "row {} has {found}; sort the rows by `{INDEX}`, which goes from 0 on without gaps, and write them again",
            first + row as u64 + 1
        ))
    };
    if let Some(row) = (0..index.len()).find(|&row| index.is_null(row)) {
        return Err(wrong(row, "the index null"));
    }
    let mut found = vec![0.0; index.len()];
    // No row has a number beyond 2^53.
    numbers(index, |row| (first + row as u64, 0), ArrayViewMut1::from(&mut found)).map_err(|_| {
        Problem::input(format!("its `{INDEX}` has numbers beyond 2^53; number its rows from 0 on"))
    })?;
    let expected = |row: usize| (first + row as u64) as f64;
    match (0..found.len()).find(|&row| found[row] != expected(row)) {
        Some(row) => Err(wrong(row, &format!("the index {}", found[row]))),
        None => Ok(()),
    }
}
