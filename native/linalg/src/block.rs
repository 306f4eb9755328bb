//! Row blocks: the unit of work of every kernel.
//!
//! Block `b` holds rows `[b * BLOCK_ROWS, (b + 1) * BLOCK_ROWS)` of `A`, so its content depends on the scan alone, never on how the
//! scan was partitioned. Within a block the values are slice-major (column-major): the rows of one slice are contiguous, which is how
//! images arrive and what the Gram kernel streams through.

use crate::Error;

/// Rows (pixels) of a row block; the last block of a matrix may be shorter.
pub const BLOCK_ROWS: usize = 4096;

/// A borrowed row block of stored integers: `values[j * rows + i]` is row `i` of column (slice) `j`.
#[derive(Clone, Copy, Debug)]
pub struct RowBlock<'a> {
    values: &'a [i16],
    rows: usize,
    columns: usize,
}

impl<'a> RowBlock<'a> {
    /// A view of `rows x columns` slice-major values.
    ///
    /// # Errors
    /// [`Error::Shape`] when the length is not `rows * columns`.
    pub fn new(values: &'a [i16], rows: usize, columns: usize) -> Result<Self, Error> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::Shape { rows, columns, actual: values.len() });
        }
        Ok(Self { values, rows, columns })
    }

    /// Number of rows (pixels).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns (slices).
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The rows of column `j`. Panics when `j` is out of range.
    pub fn column(&self, j: usize) -> &'a [i16] {
        &self.values[j * self.rows..(j + 1) * self.rows]
    }

    /// All values, slice-major.
    pub fn values(&self) -> &'a [i16] {
        self.values
    }
}

/// What turns the stored 16-bit integer of one slice into its real value (for CT: HU): `slope * (value + offset) + intercept`.
///
/// `slope` and `intercept` are the f64 nearest to the DICOM decimal strings (PS3.3 C.11.1, Modality LUT); `offset` undoes the shift
/// by which unsigned 16-bit pixels fit into `i16` (0 or 32768).
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rescale {
    /// Rescale slope (0028,1053).
    pub slope: f64,
    /// Rescale intercept (0028,1052).
    pub intercept: f64,
    /// Added to the stored value before the slope.
    pub offset: i32,
}

impl Rescale {
    /// Values that need no rescale.
    pub const IDENTITY: Self = Self { slope: 1.0, intercept: 0.0, offset: 0 };

    /// The real value as f64: exact for integer slopes and intercepts of CT, else one fused multiply-add (one rounding).
    #[inline(always)]
    pub fn apply(&self, value: i16) -> f64 {
        self.slope.mul_add(f64::from(i32::from(value) + self.offset), self.intercept)
    }

    /// Refuses what has no meaning as a rescale.
    pub(crate) fn check(&self, column: usize) -> Result<(), Error> {
        let Self { slope, intercept, .. } = *self;
        if slope.is_finite() && intercept.is_finite() && slope != 0.0 {
            return Ok(());
        }
        Err(Error::Rescale { column, slope, intercept })
    }
}
