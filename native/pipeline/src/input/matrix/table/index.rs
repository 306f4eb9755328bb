//! The numbers of the rows, where a column has them.

use arrow_array::{
    Array, ArrayRef,
    cast::AsArray,
    types::{Int32Type, Int64Type},
};
use arrow_schema::DataType;

use super::{super::source::Problem, schema::INDEX};

/// Refuses rows that are not in the order of their index.
pub(super) fn check_order(index: &ArrayRef, first: u64) -> Result<(), Problem> {
    let wrong = |row: usize, found: String| {
        Problem::input(format!(
            "row {} has the index {found}; sort the rows by `{INDEX}`, which goes from 0 on without gaps, and write them again",
            first + row as u64 + 1
        ))
    };
    let found = |row: usize| match index.data_type() {
        _ if index.is_null(row) => None,
        DataType::Int32 => Some(i64::from(index.as_primitive::<Int32Type>().value(row))),
        _ => index.as_primitive_opt::<Int64Type>().map(|index| index.value(row)),
    };
    (0..index.len()).try_for_each(|row| match found(row) {
        Some(number) if u64::try_from(number) == Ok(first + row as u64) => Ok(()),
        Some(number) => Err(wrong(row, number.to_string())),
        None => Err(wrong(row, "null".to_owned())),
    })
}
