//! Sums of `A^T A` over row blocks: `n x n` products, `n` column sums, `n` value ranges, the number of rows.

use super::kernel::{Room, Threads};
use super::sums::{Column, Products, add_columns, check_columns, rows_after};
use super::{GramMatrix, kernel};
use crate::block::{RowBlock, contiguous_columns};
use crate::{Center, Centering, Error, Rescale, Sample};
use ndarray::ArrayView2;

/// Columns that [`GramAccumulator`] accepts: `n x n` integers of 64 bits stay below 3 GiB.
pub const MAX_COLUMNS: usize = 16_384;

/// The exact sums of the row blocks added so far, of the values as they are stored.
///
/// ```
/// use ndarray::array;
/// use tomobasis_linalg::{GramAccumulator, Rescale};
/// // The rows of one matrix in two blocks, added in any order.
/// let (first, second) = (array![[1i16, 2], [3, 4]], array![[5i16, 6]]);
/// let mut sums = GramAccumulator::new(2)?;
/// sums.add(second.view())?;
/// sums.add(first.view())?;
/// assert_eq!((sums.rows(), sums.product(0, 1)), (3, 1 * 2 + 3 * 4 + 5 * 6));
/// // Sums of other threads or processes are merged.
/// let mut twice = GramAccumulator::from_bytes(&sums.to_bytes())?;
/// twice.merge(&sums)?;
/// assert_eq!(twice.column_sum(1), 2 * (2 + 4 + 6));
/// // Columns that mean something else than their stored integers: 0.5 x - 1.
/// let half = Rescale { slope: 0.5, intercept: -1.0, offset: 0 };
/// assert_eq!(sums.finish(&[half; 2])?.trace(), 7.75);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// Holds `4 n^2` bytes up to 2^30 rows, `8 n^2` beyond (and `4 n^2` more while a block is added), and about `4096 n` from the
/// first block on, its values as the kernel takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct GramAccumulator {
    pub(super) rows: u64,
    pub(super) columns: Vec<Column>,
    /// In tiles, as [`kernel::position`] says.
    pub(super) products: Products,
    room: Room,
}

impl GramAccumulator {
    /// Columns from which on threads had better share an accumulator ([`add_parallel`](Self::add_parallel)) than have one
    /// each: beyond that they leave a core's cache.
    pub const SHARED: usize = 1000;

    /// The sums of no rows, for `columns` columns.
    ///
    /// # Errors
    /// [`Error::ColumnCount`] for zero columns or more than 16,384.
    pub fn new(columns: usize) -> Result<Self, Error> {
        Self::of_rows(columns, 0)
    }

    /// Zeros, kept as sums of `rows` rows are.
    pub(super) fn of_rows(columns: usize, rows: u64) -> Result<Self, Error> {
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(Error::ColumnCount { limit: MAX_COLUMNS, actual: columns });
        }
        Ok(Self {
            rows: rows_after(0, rows)?,
            columns: vec![Column::EMPTY; columns],
            products: Products::new(kernel::size(columns), rows),
            room: Room::default(),
        })
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Smallest and largest stored value of column `j`; `(i32::MAX, i32::MIN)` before any row. Panics when
    /// `j` is out of range.
    pub fn column_range(&self, j: usize) -> (i32, i32) {
        (self.columns[j].low, self.columns[j].high)
    }

    /// Exact sum of the stored values of column `j`. Panics when `j` is out of range.
    pub fn column_sum(&self, j: usize) -> i128 {
        self.columns[j].sum
    }

    /// Exact sum of the products of the stored values of columns `i` and `j`. Panics when one is out of
    /// range.
    pub fn product(&self, i: usize, j: usize) -> i128 {
        let (i, j) = if i <= j { (i, j) } else { (j, i) };
        assert!(j < self.columns(), "column {j} of {}", self.columns());
        self.products.get(kernel::position(i, j))
    }

    /// Adds the products of one block, rows x columns, on the calling thread. Blocks of different types may be
    /// mixed; one whose columns are not contiguous is copied first.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns; [`Error::BlockRows`] for more than 2^28 rows in a block;
    /// [`Error::TooManyRows`] beyond 2^62 rows in all.
    pub fn add<T: Sample>(&mut self, block: ArrayView2<T>) -> Result<(), Error> {
        self.add_on(block, Threads::One)
    }

    /// [`add`](Self::add) on the threads of the current rayon pool, each of which computes some rows of the sums. See
    /// [`SHARED`](Self::SHARED).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_parallel<T: Sample>(&mut self, block: ArrayView2<T>) -> Result<(), Error> {
        self.add_on(block, Threads::Pool)
    }

    fn add_on<T: Sample>(&mut self, block: ArrayView2<T>, threads: Threads) -> Result<(), Error> {
        check_columns(block.ncols(), self.columns())?;
        let block = contiguous_columns(block);
        let block = block.view();
        let block = RowBlock::new(&block)?;
        self.rows = rows_after(self.rows, block.rows() as u64)?;
        if block.rows() > 0 {
            let a = kernel::Operand::new(block, threads);
            add_columns(&mut self.columns, a.summaries());
            let add = |sums: &mut [i64]| {
                kernel::add_gram(kernel::chosen(), &a, sums, threads, &mut self.room);
            };
            self.products.add(self.rows, add);
        }
        Ok(())
    }

    /// Adds products of `rows` rows of bytes, and what the columns' sums are congruent to: numbers that such rows can have as
    /// sums.
    pub(super) fn add_bytes(
        &mut self,
        rows: usize,
        products: &[i32],
        sums: impl Iterator<Item = i8>,
    ) -> Result<(), Error> {
        self.rows = rows_after(self.rows, rows as u64)?;
        for (column, sum) in self.columns.iter_mut().zip(sums) {
            column.merge(&Column { sum: sum.into(), low: i8::MIN.into(), high: i8::MAX.into() });
        }
        self.products.add(self.rows, |sums| kernel::add_sums(sums, products));
        Ok(())
    }

    /// [`product`](Self::product) modulo a small integer, of either sign, of the first column in `place` with the second.
    pub(super) fn residue(&self, (i, j): (usize, usize), modulus: u16) -> i64 {
        self.products.residue(kernel::position(i, j), modulus)
    }

    /// Adds the sums of another accumulator.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        check_columns(other.columns(), self.columns())?;
        self.rows = rows_after(self.rows, other.rows)?;
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, b)| a.merge(b));
        self.products.merge(&other.products, self.rows);
        Ok(())
    }

    /// The exact Gram matrix of the rescaled columns; on a thread of a rayon pool, by all of its threads.
    ///
    /// # Errors
    /// [`Error::Columns`] unless there is one rescale per column; [`Error::Rescale`] and
    /// [`Error::RescaleRange`] for slopes and intercepts that can't be used.
    pub fn finish(&self, rescale: &[Rescale]) -> Result<GramMatrix, Error> {
        self.finish_centered(rescale, None)
    }

    /// The exact Gram matrix of the rescaled columns without the means that `center` names.
    ///
    /// ```
    /// use tomobasis_linalg::{Center, GramAccumulator, Rank, Rescale, certified_svd};
    /// // Principal components of three observations, the columns.
    /// let a = ndarray::array![[1i16, 3, 2], [5, 5, 5], [0, 4, 2]];
    /// let mut sums = GramAccumulator::new(3)?;
    /// sums.add(a.view())?;
    /// let gram = sums.finish_centered(&[Rescale::IDENTITY; 3], Some(Center::Rows))?;
    /// let components = certified_svd(&gram, Rank::Full, 1)?;
    /// assert_eq!((components.rank, components.s), (1, vec![10f64.sqrt()]));
    /// # Ok::<(), tomobasis_linalg::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_centered(&self, rescale: &[Rescale], center: Option<Center>) -> Result<GramMatrix, Error> {
        check_columns(rescale.len(), self.columns())?;
        GramMatrix::from_sums(self.rows, &self.columns, |i, j| self.product(i, j), rescale, center)
    }

    /// What the means that `center` names are computed from.
    #[must_use]
    pub fn centering(&self, center: Center) -> Centering {
        Centering { center, rows: self.rows, sums: self.columns.iter().map(|column| column.sum).collect() }
    }
}

#[cfg(test)]
mod tests;
