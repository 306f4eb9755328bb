//! `series.parquet` of a joint result: which series its columns are of, and which were meant and are left out.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use parquet::errors::Result;

use super::{series::State, small::encode};

/// A series of a joint result, or one that was meant and is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JointRow {
    /// Salted id, as listings show it.
    pub series: String,
    /// Name of the folder that its own result would have, and of its table of weights; empty where it is left out.
    pub folder: String,
    /// Joined (`done`), left out since it does not fit (`skipped`), or not usable (`failed`).
    pub state: State,
    /// Its first slice in the matrix, from 0; -1 where it is left out.
    pub first_slice: i64,
    /// Slices.
    pub slices: i64,
    /// Rows of a slice.
    pub rows: i64,
    /// Columns of a slice.
    pub columns: i64,
    /// Slices that `--on-bad-slice skip` left out.
    pub left_out: i64,
    /// Of its slices; hexadecimal, empty where it is left out.
    pub fingerprint: String,
    /// Why it is left out, in one line.
    pub error: String,
}

/// The table of these rows.
///
/// # Errors
/// When the library cannot encode the table.
pub fn joint_series(rows: &[JointRow]) -> Result<Vec<u8>> {
    fn texts(rows: &[JointRow], of: impl Fn(&JointRow) -> &str) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    }
    fn counts(rows: &[JointRow], of: impl Fn(&JointRow) -> i64) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(of)))
    }
    encode(vec![
        ("series", texts(rows, |row| &row.series)),
        ("folder", texts(rows, |row| &row.folder)),
        ("state", texts(rows, |row| row.state.name())),
        ("first_slice", counts(rows, |row| row.first_slice)),
        ("slices", counts(rows, |row| row.slices)),
        ("rows", counts(rows, |row| row.rows)),
        ("columns", counts(rows, |row| row.columns)),
        ("left_out", counts(rows, |row| row.left_out)),
        ("fingerprint", texts(rows, |row| &row.fingerprint)),
        ("error", texts(rows, |row| &row.error)),
    ])
}
