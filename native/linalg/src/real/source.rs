//! Where the row blocks of a real-valued matrix come from.

use ndarray::{ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::scale::{Scaled, times_power_of_two};
use crate::{BLOCK_ROWS, Error};

/// A matrix that is read row block by row block, possibly several times and from several threads.
pub trait RealBlocks: Sync {
    /// What can go wrong while reading; refused arguments and values arrive in it as well.
    type Error: From<Error> + Send;

    /// Rows, m.
    fn rows(&self) -> u64;

    /// Columns, n.
    fn columns(&self) -> usize;

    /// Fills `values` with row block `block` ([`BLOCK_ROWS`] rows, the last block maybe fewer): `values[j *
    /// rows + i]` is row `i` of column `j`.
    ///
    /// # Errors
    /// When the values can't be had.
    fn read(&self, block: usize, values: &mut [f64]) -> Result<(), Self::Error>;
}

/// A matrix in memory, column-major.
#[derive(Clone, Copy, Debug)]
pub struct RealMatrix<'a> {
    values: &'a [f64],
    rows: usize,
    columns: usize,
}

impl<'a> RealMatrix<'a> {
    /// A view of `rows x columns` values: `values[j * rows + i]` is row `i` of column `j`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the length is not `rows * columns`.
    pub fn new(values: &'a [f64], rows: usize, columns: usize) -> Result<Self, Error> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::Shape { rows, columns, actual: values.len() });
        }
        Ok(Self { values, rows, columns })
    }
}

impl RealBlocks for RealMatrix<'_> {
    type Error = Error;

    fn rows(&self) -> u64 {
        self.rows as u64
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn read(&self, block: usize, values: &mut [f64]) -> Result<(), Error> {
        let first = block * BLOCK_ROWS;
        let rows = BLOCK_ROWS.min(self.rows - first);
        for (target, column) in values.chunks_exact_mut(rows).zip(self.values.chunks_exact(self.rows)) {
            target.copy_from_slice(&column[first..first + rows]);
        }
        Ok(())
    }
}

/// A matrix in memory, of any type whose values are all values of f64, in any layout.
impl<T: Copy + Into<f64> + Sync> RealBlocks for ArrayView2<'_, T> {
    type Error = Error;

    fn rows(&self) -> u64 {
        self.nrows() as u64
    }

    fn columns(&self) -> usize {
        self.ncols()
    }

    fn read(&self, block: usize, values: &mut [f64]) -> Result<(), Error> {
        let first = block * BLOCK_ROWS;
        let rows = BLOCK_ROWS.min(self.nrows() - first);
        // Some rows at a time: of a row-major matrix their cache lines are read once.
        for some in (0..rows).step_by(BAND) {
            let band = some..rows.min(some + BAND);
            let part = self.slice(s![first + band.start..first + band.end, ..]);
            for (target, column) in values.chunks_exact_mut(rows).zip(part.axis_iter(Axis(1))) {
                target[band.clone()].iter_mut().zip(column).for_each(|(t, &v)| *t = v.into());
            }
        }
        Ok(())
    }
}

/// Rows of a matrix in memory that are copied at a time.
const BAND: usize = 64;

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

    /// Takes a block's values: checks them, scales them, and removes the mean of each row where `center`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a wrong number of values; [`Error::NotFiniteValue`] for NaN or infinity.
    pub fn take(&self, block: usize, values: &[f64], center: bool) -> Result<Scaled, Error> {
        let (rows, columns) = (self.rows_of(block), self.columns);
        if values.len() != rows * columns || rows == 0 {
            return Err(Error::Shape { rows, columns, actual: values.len() });
        }
        if !all_finite(values)
            && let Some(at) = values.iter().position(|v| !v.is_finite())
        {
            let row = (block * BLOCK_ROWS + at % rows) as u64;
            return Err(Error::NotFiniteValue { row, column: at / rows });
        }
        let mut scaled = Scaled::new(Matrix::from_columns(values, rows, columns), 0);
        if center {
            scaled.matrix.center_rows();
        }
        Ok(scaled)
    }
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

/// Without a way out early, so that it costs next to nothing.
fn all_finite(values: &[f64]) -> bool {
    values.iter().fold(true, |all, v| all & v.is_finite())
}
