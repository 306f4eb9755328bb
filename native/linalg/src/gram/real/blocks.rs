//! Where the row blocks of a real-valued matrix come from, for the exact sums and for the methods of fixed order.

use ndarray::{ArrayBase, ArrayViewMut2, Axis, Data, Ix2, s};

use super::{ColumnRanges, RealGramAccumulator};
use crate::Error;
use crate::block::BLOCK_ROWS;

/// A matrix that is read row block by row block, possibly several times and from several threads. Arrays are such matrices;
/// others are read or computed when they are asked for:
///
/// ```
/// use ndarray::ArrayViewMut2;
/// use tomobasis_linalg::{BLOCK_ROWS, Error, Randomized, RealBlocks, dssvd};
///
/// /// A million rows `(i, 1, i)`, none of which is kept.
/// struct Ramp;
///
/// impl RealBlocks for Ramp {
///     type Error = Error;
///
///     fn rows(&self) -> u64 {
///         1_000_000
///     }
///
///     fn columns(&self) -> usize {
///         3
///     }
///
///     fn read(&self, block: usize, mut values: ArrayViewMut2<f64>) -> Result<(), Error> {
///         for (i, mut row) in values.rows_mut().into_iter().enumerate() {
///             let i = (block * BLOCK_ROWS + i) as f64;
///             row.iter_mut().zip([i, 1.0, i]).for_each(|(value, x)| *value = x);
///         }
///         Ok(())
///     }
/// }
///
/// assert_eq!(dssvd(&Ramp, &Randomized::new(3), 2)?.rank, 2);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
pub trait RealBlocks: Sync {
    /// What can go wrong while reading; refused arguments and values arrive in it as well.
    type Error: From<Error> + Send;

    /// Rows, m.
    fn rows(&self) -> u64;

    /// Columns, n.
    fn columns(&self) -> usize;

    /// Fills `values` (rows x n) with row block `block` ([`BLOCK_ROWS`] rows, the last block maybe fewer). Its columns
    /// are contiguous.
    ///
    /// # Errors
    /// When the values can't be had.
    fn read(&self, block: usize, values: ArrayViewMut2<f64>) -> Result<(), Self::Error>;

    /// Adds row block `block` to `ranges`. `values` is room for it; arrays in memory are looked at where they are.
    #[doc(hidden)]
    fn add_ranges(
        &self,
        block: usize,
        mut values: ArrayViewMut2<f64>,
        ranges: &mut ColumnRanges,
    ) -> Result<(), Self::Error> {
        self.read(block, values.view_mut())?;
        Ok(ranges.add(values.view()).map_err(|error| error.in_block(block as u64))?)
    }

    /// Adds row block `block` to `sums`, likewise; on all threads of the current pool if they are to share it.
    #[doc(hidden)]
    fn add_sums(
        &self,
        block: usize,
        mut values: ArrayViewMut2<f64>,
        sums: &mut RealGramAccumulator,
        parallel: bool,
    ) -> Result<(), Self::Error> {
        self.read(block, values.view_mut())?;
        let values = values.view();
        if parallel {
            sums.add_parallel(values)?;
        } else {
            sums.add(values)?;
        }
        Ok(())
    }
}

/// A matrix in memory, of any type whose values are all values of f64, in any layout.
impl<S: Data<Elem: Copy + Into<f64> + Sync> + Sync> RealBlocks for ArrayBase<S, Ix2> {
    type Error = Error;

    fn rows(&self) -> u64 {
        self.nrows() as u64
    }

    fn columns(&self) -> usize {
        self.ncols()
    }

    fn read(&self, block: usize, mut values: ArrayViewMut2<f64>) -> Result<(), Error> {
        let (first, rows) = (block * BLOCK_ROWS, values.nrows());
        // Some rows at a time: of a row-major matrix their cache lines are read once.
        for some in (0..rows).step_by(BAND) {
            let band = some..rows.min(some + BAND);
            let part = self.slice(s![first + band.start..first + band.end, ..]);
            let mut targets = values.slice_mut(s![band, ..]);
            for (mut target, column) in targets.columns_mut().into_iter().zip(part.axis_iter(Axis(1))) {
                target.iter_mut().zip(column).for_each(|(t, &v)| *t = v.into());
            }
        }
        Ok(())
    }

    fn add_ranges(
        &self,
        block: usize,
        mut values: ArrayViewMut2<f64>,
        ranges: &mut ColumnRanges,
    ) -> Result<(), Error> {
        let first = block * BLOCK_ROWS;
        let part = self.slice(s![first..first + values.nrows(), ..]);
        let added = if part.strides()[1] == 1 {
            ranges.add_rows(part)
        } else {
            self.read(block, values.view_mut())?;
            ranges.add(values.view())
        };
        added.map_err(|error| error.in_block(block as u64))
    }

    fn add_sums(
        &self,
        block: usize,
        values: ArrayViewMut2<f64>,
        sums: &mut RealGramAccumulator,
        parallel: bool,
    ) -> Result<(), Error> {
        let first = block * BLOCK_ROWS;
        let part = self.slice(s![first..first + values.nrows(), ..]);
        if parallel { sums.add_parallel(part) } else { sums.add(part) }
    }
}

/// Rows of a matrix in memory that are copied at a time.
const BAND: usize = 64;
