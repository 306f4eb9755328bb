//! Row blocks: the unit of work of every kernel.
//!
//! Block `b` holds rows `[b * BLOCK_ROWS, (b + 1) * BLOCK_ROWS)` of `A`, so its content depends on the scan
//! alone, never on how the scan was partitioned. Within a block the values are slice-major (column-major):
//! the rows of one slice are contiguous, which is how images arrive and what the Gram kernel streams through.

use crate::Error;

/// Rows (pixels) of a row block; the last block of a matrix may be shorter.
pub const BLOCK_ROWS: usize = 4096;

/// Rows that one block may have at the most: with them the kernels' 64-bit sums are far from overflow.
const MAX_BLOCK_ROWS: usize = 1 << 28;

mod sealed {
    pub trait Sealed {}
}

/// The integer types of stored values: `i8`, `u8`, `i16` and `u16`, any value of them.
pub trait Sample: sealed::Sealed + Copy + Ord + Into<i32> + Send + Sync + std::fmt::Debug + 'static {
    /// Smallest value of the type.
    const MIN: Self;
    /// Largest value of the type.
    const MAX: Self;

    /// `self - centre` modulo 2^16: exact where the difference fits into 16 bits.
    #[doc(hidden)]
    fn centred(self, centre: i32) -> i16;
}

macro_rules! sample {
    ($($type:ident),*) => {$(
        impl sealed::Sealed for $type {}
        impl Sample for $type {
            const MIN: Self = $type::MIN;
            const MAX: Self = $type::MAX;

            #[inline(always)]
            fn centred(self, centre: i32) -> i16 {
                (self as i16).wrapping_sub(centre as i16)
            }
        }
    )*};
}

sample!(i8, u8, i16, u16);

/// A borrowed row block of stored integers: `values[j * rows + i]` is row `i` of column `j`.
#[derive(Clone, Copy, Debug)]
pub struct RowBlock<'a, T = i16> {
    values: &'a [T],
    rows: usize,
    columns: usize,
}

impl<'a, T: Sample> RowBlock<'a, T> {
    /// A view of `rows x columns` column-major values.
    ///
    /// # Errors
    /// [`Error::Shape`] when the length is not `rows * columns`; [`Error::BlockRows`] for more than 2^28
    /// rows.
    pub fn new(values: &'a [T], rows: usize, columns: usize) -> Result<Self, Error> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::Shape { rows, columns, actual: values.len() });
        }
        if rows > MAX_BLOCK_ROWS {
            return Err(Error::BlockRows { limit: MAX_BLOCK_ROWS, actual: rows });
        }
        Ok(Self { values, rows, columns })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The rows of column `j`. Panics when `j` is out of range.
    pub fn column(&self, j: usize) -> &'a [T] {
        &self.values[j * self.rows..(j + 1) * self.rows]
    }

    /// All values, column-major.
    pub fn values(&self) -> &'a [T] {
        self.values
    }
}

/// What turns the stored integer of one slice into its real value (for CT: HU): `slope * (value + offset) +
/// intercept`.
///
/// `slope` and `intercept` are the f64 nearest to the DICOM decimal strings (PS3.3 C.11.1, Modality LUT);
/// `offset` undoes the shift by which unsigned 16-bit pixels fit into `i16` (0 or 32768), where blocks are
/// kept so.
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

    /// The real value as f64: exact for integer slopes and intercepts of CT, else one fused multiply-add (one
    /// rounding).
    #[inline(always)]
    pub fn apply(&self, value: impl Into<i32>) -> f64 {
        // The sum of two 32-bit integers is exact in f64.
        self.slope.mul_add(f64::from(value.into()) + f64::from(self.offset), self.intercept)
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
