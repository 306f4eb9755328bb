//! Row blocks: the unit of work of every kernel.
//!
//! Block `b` holds rows `[b * BLOCK_ROWS, (b + 1) * BLOCK_ROWS)` of `A`, so its content depends on the matrix
//! alone, never on how it was partitioned. Callers pass any `ndarray` view. The kernels stream through columns,
//! so views whose columns are contiguous are used as they are, and others are copied once, at the edge.

use ndarray::{Array2, ArrayView2, CowArray, Ix2, ShapeBuilder};

use crate::Error;

/// Rows of a row block; the last block of a matrix may be shorter.
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

    /// `self - center` modulo 2^16: exact where the difference fits into 16 bits.
    #[doc(hidden)]
    fn centered(self, center: i32) -> i16;
}

macro_rules! sample {
    ($($type:ident),*) => {$(
        impl sealed::Sealed for $type {}
        impl Sample for $type {
            const MIN: Self = $type::MIN;
            const MAX: Self = $type::MAX;

            #[inline(always)]
            fn centered(self, center: i32) -> i16 {
                (self as i16).wrapping_sub(center as i16)
            }
        }
    )*};
}

sample!(i8, u8, i16, u16);

/// A view of `rows x columns` values that are stored column after column: `values[j * rows + i]` is row `i` of
/// column `j`.
///
/// ```
/// let a = tomobasis_linalg::column_major(&[1, 2, 3, 4, 5, 6], 3, 2)?;
/// assert_eq!(a, ndarray::array![[1, 4], [2, 5], [3, 6]]);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] when the length is not `rows * columns`.
pub fn column_major<T>(values: &[T], rows: usize, columns: usize) -> Result<ArrayView2<'_, T>, Error> {
    let shape = || Error::Shape { rows, columns, actual: values.len() };
    if rows.checked_mul(columns) != Some(values.len()) {
        return Err(shape());
    }
    ArrayView2::from_shape((rows, columns).f(), values).map_err(|_| shape())
}

/// The same matrix with contiguous columns: the view itself where it has them, else a copy.
pub(crate) fn contiguous_columns<T: Copy>(view: ArrayView2<'_, T>) -> CowArray<'_, T, Ix2> {
    if view.nrows() <= 1 || view.strides()[0] == 1 {
        return view.into();
    }
    Array2::from_shape_fn(view.raw_dim().f(), |at| view[at]).into()
}

/// A row block of stored integers whose columns are contiguous.
#[derive(Debug)]
pub(crate) struct RowBlock<'a, T = i16> {
    values: &'a ArrayView2<'a, T>,
}

impl<T> Clone for RowBlock<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for RowBlock<'_, T> {}

impl<'a, T: Sample> RowBlock<'a, T> {
    /// Of a view that [`contiguous_columns`] gave.
    ///
    /// # Errors
    /// [`Error::BlockRows`] for more than 2^28 rows.
    pub fn new(values: &'a ArrayView2<'a, T>) -> Result<Self, Error> {
        match values.nrows() {
            actual if actual > MAX_BLOCK_ROWS => Err(Error::BlockRows { limit: MAX_BLOCK_ROWS, actual }),
            _ => Ok(Self { values }),
        }
    }

    /// Number of rows.
    pub fn rows(self) -> usize {
        self.values.nrows()
    }

    /// Number of columns.
    pub fn columns(self) -> usize {
        self.values.ncols()
    }

    /// The rows of column `j`. Panics when `j` is out of range.
    pub fn column(self, j: usize) -> &'a [T] {
        column(self.values, j)
    }
}

/// Column `j` of a view that [`contiguous_columns`] gave. Panics when `j` is out of range.
pub(crate) fn column<'a, T>(values: &'a ArrayView2<'a, T>, j: usize) -> &'a [T] {
    values.column(j).to_slice().expect("columns are contiguous")
}

/// The affine map from the stored integers of one column to its values: `slope * (value + offset) + intercept`.
///
/// `offset` undoes the shift by which unsigned 16-bit integers fit into `i16` (0 or 32768), where blocks are kept
/// so.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rescale {
    /// Not zero.
    pub slope: f64,
    /// The value of a stored zero, but for the offset.
    pub intercept: f64,
    /// Added to the stored value before the slope.
    pub offset: i32,
}

impl Rescale {
    /// Values that need no rescale.
    pub const IDENTITY: Self = Self { slope: 1.0, intercept: 0.0, offset: 0 };

    /// The value as f64, by one fused multiply-add: rounded once, and exact where it is an
    /// integer below 2^53.
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
