//! Sums of `A^T B` over pairs of row blocks that cover the same rows: `n_a x n_b` products, exact.

use super::accumulator::MAX_COLUMNS;
use super::kernel;
use super::matrix::{Affine, entries};
use super::sums::{Column, Products, add_columns, check_columns, rows_after};
use crate::rounding::nearest_signed;
use crate::{Error, Rescale, RowBlock, Sample};
use num_bigint::BigInt;

/// The exact sums of the pairs of blocks added so far, of the values as they are stored. Holds `8 n_a n_b`
/// bytes up to 2^30 rows, `16 n_a n_b` beyond.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossGramAccumulator {
    rows: u64,
    left: Vec<Column>,
    right: Vec<Column>,
    /// Row-major, [`kernel::padded`] in both directions.
    products: Products,
}

impl CrossGramAccumulator {
    /// The sums of no rows, for `left` columns of `A` and `right` columns of `B`.
    ///
    /// # Errors
    /// [`Error::ColumnCount`] for zero columns or more than 16,384 on either side.
    pub fn new(left: usize, right: usize) -> Result<Self, Error> {
        if let Some(actual) = [left, right].into_iter().find(|n| !(1..=MAX_COLUMNS).contains(n)) {
            return Err(Error::ColumnCount { limit: MAX_COLUMNS, actual });
        }
        Ok(Self {
            rows: 0,
            left: vec![Column::EMPTY; left],
            right: vec![Column::EMPTY; right],
            products: Products::new(kernel::padded(left) * kernel::padded(right), 0),
        })
    }

    /// Number of columns of `A` and of `B`.
    pub fn columns(&self) -> (usize, usize) {
        (self.left.len(), self.right.len())
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Exact sum of the products of the stored values of column `i` of `A` and `j` of `B`. Panics when one is
    /// out of range.
    pub fn product(&self, i: usize, j: usize) -> i128 {
        let (left, right) = self.columns();
        assert!(i < left && j < right, "column {i} of {left} or {j} of {right}");
        self.products.get(i * kernel::padded(right) + j)
    }

    /// Adds the products of one block of `A` with the block of `B` that holds the same rows, on the calling
    /// thread.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns; [`Error::Rows`] when the blocks differ in rows;
    /// [`Error::TooManyRows`] beyond 2^62 rows.
    pub fn add<A: Sample, B: Sample>(&mut self, a: RowBlock<A>, b: RowBlock<B>) -> Result<(), Error> {
        check_columns(a.columns(), self.left.len())?;
        check_columns(b.columns(), self.right.len())?;
        if a.rows() != b.rows() {
            return Err(Error::Rows { expected: a.rows(), actual: b.rows() });
        }
        self.rows = rows_after(self.rows, a.rows() as u64)?;
        if a.rows() > 0 {
            let (a, b) = (kernel::Operand::new(a), kernel::Operand::new(b));
            add_columns(&mut self.left, a.summaries());
            add_columns(&mut self.right, b.summaries());
            self.products.add(self.rows, |sums| kernel::add_cross(kernel::chosen(), &a, &b, sums));
        }
        Ok(())
    }

    /// Adds the sums of another accumulator.
    ///
    /// # Errors
    /// [`Error::Columns`] and [`Error::TooManyRows`] as [`add`](Self::add).
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        check_columns(other.left.len(), self.left.len())?;
        check_columns(other.right.len(), self.right.len())?;
        self.rows = rows_after(self.rows, other.rows)?;
        self.left.iter_mut().zip(&other.left).for_each(|(a, b)| a.merge(b));
        self.right.iter_mut().zip(&other.right).for_each(|(a, b)| a.merge(b));
        self.products.merge(&other.products, self.rows);
        Ok(())
    }

    /// The exact product of the rescaled columns.
    ///
    /// # Errors
    /// [`Error::Columns`] unless there is one rescale per column; [`Error::Rescale`] and
    /// [`Error::RescaleRange`] for slopes and intercepts that can't be used.
    pub fn finish(&self, left: &[Rescale], right: &[Rescale]) -> Result<CrossGram, Error> {
        check_columns(left.len(), self.left.len())?;
        check_columns(right.len(), self.right.len())?;
        let a = Affine::new(left, &self.left)?;
        let b = Affine::new(right, &self.right)?;
        let indices = (0..left.len()).flat_map(|i| (0..right.len()).map(move |j| (i, j)));
        Ok(CrossGram {
            columns: self.columns(),
            entries: entries(self.rows, &a, &b, |i, j| self.product(i, j), indices),
            exponent: a.exponent() + b.exponent(),
        })
    }
}

/// `A^T B` of rescaled columns, `n_a x n_b`: exact integers times one power of two.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossGram {
    columns: (usize, usize),
    entries: Vec<BigInt>,
    exponent: i64,
}

impl CrossGram {
    /// Number of columns of `A` and of `B`.
    pub fn columns(&self) -> (usize, usize) {
        self.columns
    }

    /// The f64 nearest to entry `(i, j)` (ties to even; infinite where it overflows). Panics when an index is
    /// out of range.
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        assert!(j < self.columns.1, "column {j} of {}", self.columns.1);
        nearest_signed(&self.entries[i * self.columns.1 + j], self.exponent)
    }
}

#[cfg(test)]
mod tests;
