//! The size of a real-valued matrix, and its row blocks as they are computed with.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::scale::Scaled;
use crate::rounding::times_power_of_two;
use crate::{BLOCK_ROWS, Error};

/// The shape of a matrix whose sizes were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, usize)", try_from = "(u64, usize)")]
pub(super) struct Size {
    pub rows: u64,
    pub columns: usize,
    pub blocks: usize,
}

/// Columns that are accepted: of an n x n matrix of f64, which stays within 2 GiB, and of a row block, which does, too.
pub(super) const MAX_SQUARE: usize = 16_384;
pub(super) const MAX_COLUMNS: usize = 65_536;

impl Size {
    /// # Errors
    /// [`Error::ColumnCount`] for zero columns or more than `limit`; [`Error::TooManyRows`] for more blocks
    /// than memory can address.
    pub fn new(rows: u64, columns: usize, limit: usize) -> Result<Self, Error> {
        if columns == 0 || columns > limit {
            return Err(Error::ColumnCount { limit, actual: columns });
        }
        // 2^32 blocks: nodes of the tree are then numbered within a machine word everywhere.
        let limit = (BLOCK_ROWS as u64) << 32;
        let blocks = rows.div_ceil(BLOCK_ROWS as u64);
        match usize::try_from(blocks) {
            Ok(blocks) if rows <= limit => Ok(Self { rows, columns, blocks }),
            _ => Err(Error::TooManyRows { limit }),
        }
    }

    /// Leading singular values there can be.
    pub fn short_side(&self) -> usize {
        usize::try_from(self.rows).map_or(self.columns, |rows| rows.min(self.columns))
    }

    /// A bound of the error in singular values that comes from rounding the rows' means and removing them, where entries are
    /// below `2^magnitude`.
    ///
    /// A mean takes `ceil(n / 8) + 3` rounded operations at most, none of which changes it by more than `2^-53 2^magnitude`; with
    /// the difference itself an entry is off by less than `n 2^-52 2^magnitude` (one column: by nothing), and no singular
    /// value by more than the Frobenius norm of all errors (Weyl).
    pub fn error_of_centering(&self, magnitude: i32) -> f64 {
        let n = self.columns as f64;
        times_power_of_two(n * f64::EPSILON * (self.rows as f64 * n).sqrt(), magnitude)
    }

    /// Rows of a block.
    pub fn rows_of(&self, block: usize) -> usize {
        let left = self.rows.saturating_sub(block.saturating_mul(BLOCK_ROWS) as u64);
        usize::try_from(left).map_or(BLOCK_ROWS, |left| left.min(BLOCK_ROWS))
    }

    /// Checks a block's values, scales them, and removes the mean of each row where `center`.
    ///
    /// # Errors
    /// [`Error::Rows`] and [`Error::Columns`] for a wrong shape; [`Error::NotFiniteValue`] for NaN or infinity.
    pub fn scaled(&self, block: usize, values: ArrayView2<f64>, center: bool) -> Result<Scaled, Error> {
        let (rows, columns) = (self.rows_of(block), self.columns);
        if values.ncols() != columns {
            return Err(Error::Columns { expected: columns, actual: values.ncols() });
        }
        if values.nrows() != rows || rows == 0 {
            return Err(Error::Rows { expected: rows, actual: values.nrows() });
        }
        let mut scaled = scaled((block * BLOCK_ROWS) as u64, values)?;
        if center {
            scaled.matrix.center_rows();
        }
        Ok(scaled)
    }
}

/// Checks and scales the values of some rows, the first of which is row `first` of the matrix.
///
/// # Errors
/// [`Error::NotFiniteValue`] for NaN or infinity.
pub(super) fn scaled(first: u64, values: ArrayView2<f64>) -> Result<Scaled, Error> {
    let matrix = Matrix::of(values);
    if !matrix.is_finite()
        && let Some(((row, column), _)) = values.indexed_iter().find(|(_, v)| !v.is_finite())
    {
        return Err(Error::NotFiniteValue { row: first + row as u64, column });
    }
    Ok(Scaled::new(matrix, 0))
}

impl TryFrom<(u64, usize)> for Size {
    type Error = Error;

    fn try_from((rows, columns): (u64, usize)) -> Result<Self, Error> {
        Self::new(rows, columns, MAX_COLUMNS)
    }
}

impl From<Size> for (u64, usize) {
    fn from(size: Size) -> Self {
        (size.rows, size.columns)
    }
}
