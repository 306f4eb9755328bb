//! The exact Gram matrix of a matrix of floats, by residues.
//!
//! Every finite float is an integer times a power of two. With `2^low_j` the lowest bit that any value of
//! column `j` has, `A_ij = 2^low_j N_ij` with integers `N`, and `G_ij = 2^(low_i + low_j) sum_r N_ri N_rj`.
//! The integers are too wide for the integer kernels, but their residues are not:
//!
//! 1. *Ranges* ([`ColumnRanges`]): one pass over the values finds each column's lowest and highest bit, and so
//!    how many bits the sums of products can have.
//! 2. *Residues* ([`residues`]): for each of as many primes `p` below 2^13 as these bits need, `N_ij mod p`,
//!    an integer of at most `p / 2` in magnitude, exactly, by a few fused multiply-adds.
//! 3. *Sums*: one [`GramAccumulator`] for each prime, at the kernels' full speed: with values below 2^12
//!    their 32-bit sums last long.
//! 4. *Reconstruction* ([`crt`]): the one integer within the bound that has these residues, by Garner's
//!    algorithm.
//!
//! The cost grows linearly with the bits of the products. Slices of the values (Ozaki, Ogita, Oishi and Rump
//! 2012, "Error-free transformations of matrix multiplication") cost their square: four 15-bit digits are
//! sixteen products, where 135 bits are eleven primes. The method is that of Ozaki, Uchino and Imamura 2025,
//! "Ozaki scheme II", but exact: no bit is dropped, so the sums have no order, and blocks may come in any
//! order and be merged in any grouping.

mod crt;
mod ranges;
mod residues;

use rayon::prelude::*;

use super::{GramAccumulator, GramMatrix};
use crate::real::RealBlocks;
use crate::{BLOCK_ROWS, Error, RowBlock};
use crt::Moduli;
pub use ranges::ColumnRanges;

/// Rows whose residues are taken and summed at a time.
const SLAB: usize = 512;

/// The exact sums of the row blocks added so far.
///
/// Holds one [`GramAccumulator`] for each prime: for n columns of float64 values of like magnitude about
/// `100 n^2` bytes, of float32 about `60 n^2`.
#[derive(Clone, Debug)]
pub struct RealGramAccumulator {
    ranges: ColumnRanges,
    moduli: Moduli,
    sums: Vec<GramAccumulator>,
}

impl RealGramAccumulator {
    /// The sums of no rows, for a matrix of these ranges, which must be those of all its rows.
    ///
    /// # Errors
    /// [`Error::RealRange`] for a column whose values span too many bits; [`Error::ColumnCount`] for zero
    /// columns or more than 16,384.
    pub fn new(ranges: ColumnRanges) -> Result<Self, Error> {
        ranges.check()?;
        let moduli = Moduli::for_bits(ranges.product_bits());
        let sums = vec![GramAccumulator::new(ranges.columns())?; moduli.primes().len()];
        Ok(Self { ranges, moduli, sums })
    }

    /// Adds the products of one block of `rows` rows, on the calling thread: `values[j * rows + i]` is row `i`
    /// of column `j`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the length is not `rows` times the columns; [`Error::OutsideRange`] for a value
    /// that the ranges do not cover; as [`GramAccumulator::add`].
    pub fn add(&mut self, values: &[f64], rows: usize) -> Result<(), Error> {
        let columns = self.ranges.columns();
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::Shape { rows, columns, actual: values.len() });
        }
        // Slab by slab: what the primes take turns on stays in the second-level cache.
        let mut values_of_slab = vec![0.0; SLAB.min(rows) * columns];
        let mut residues = vec![0i16; values_of_slab.len()];
        for first in (0..rows).step_by(SLAB) {
            let count = SLAB.min(rows - first);
            let (slab, residues) = (&mut values_of_slab[..count * columns], &mut residues[..count * columns]);
            for (j, slab) in slab.chunks_exact_mut(count).enumerate() {
                let column = &values[j * rows + first..][..count];
                self.ranges
                    .integers(j, column, slab)
                    .map_err(|row| Error::OutsideRange { row: (first + row) as u64, column: j })?;
            }
            for (&prime, sum) in self.moduli.primes().iter().zip(&mut self.sums) {
                for (j, (n, r)) in slab.chunks_exact(count).zip(residues.chunks_exact_mut(count)).enumerate()
                {
                    residues::of_column(n, self.ranges.bits(j), prime, r);
                }
                sum.add(RowBlock::new(residues, count, columns)?)?;
            }
        }
        Ok(())
    }

    /// Adds the sums of another accumulator of the same ranges.
    ///
    /// # Errors
    /// [`Error::Ranges`] for other ranges; as [`GramAccumulator::merge`].
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if self.ranges != other.ranges {
            return Err(Error::Ranges);
        }
        self.sums.iter_mut().zip(&other.sums).try_for_each(|(sum, more)| sum.merge(more))
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.sums.first().map_or(0, GramAccumulator::rows)
    }

    /// Primes, each of which costs an integer Gram matrix.
    pub fn primes(&self) -> usize {
        self.sums.len()
    }

    /// The exact Gram matrix of the rows added.
    ///
    /// # Errors
    /// [`Error::Ranges`] when there are more rows than the ranges have seen: their sums could be too wide.
    pub fn finish(&self) -> Result<GramMatrix, Error> {
        if self.rows() > self.ranges.rows() {
            return Err(Error::Ranges);
        }
        let n = self.ranges.columns();
        let low = self.ranges.lowest();
        let entry = |(i, j): (usize, usize)| {
            let residues = self.sums.iter().zip(self.moduli.primes()).map(|(sum, &p)| {
                // A remainder is below 2^13 in magnitude.
                (sum.product(i, j) % i128::from(p)) as i64
            });
            let shift = self.ranges.low(i) + self.ranges.low(j) - 2 * low;
            self.moduli.integer(residues) << shift.unsigned_abs()
        };
        let upper: Vec<_> = (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).collect();
        let entries = upper.into_par_iter().map(entry).collect();
        Ok(GramMatrix::from_upper(n, self.rows(), entries, 2 * low, 1u32.into()))
    }
}

/// The exact Gram matrix of a matrix that is read twice, on up to `threads` threads.
///
/// ```
/// use tomobasis_linalg::{Rank, RealMatrix, certified_svd, real_gram};
/// // The 3 x 2 matrix with columns (0.1, 0.2, 0.3) and (1, -1, 0.5).
/// let a = RealMatrix::new(&[0.1, 0.2, 0.3, 1.0, -1.0, 0.5], 3, 2)?;
/// let svd = certified_svd(&real_gram(&a, 2)?, Rank::Full, 2)?;
/// assert_eq!(svd.rank, 2);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFiniteValue`] for NaN or infinity, [`Error::RealRange`] for a column whose values span too many
/// bits, and what the blocks' source says.
pub fn real_gram<B: RealBlocks>(blocks: &B, threads: usize) -> Result<GramMatrix, B::Error> {
    let (rows, columns) = (blocks.rows(), blocks.columns());
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::Threads(e.to_string()))?;
    let count = rows.div_ceil(BLOCK_ROWS as u64);
    let read = |block: u64, values: &mut Vec<f64>| -> Result<usize, B::Error> {
        let size = (rows - block * BLOCK_ROWS as u64).min(BLOCK_ROWS as u64) as usize;
        values.resize(size * columns, 0.0);
        blocks.read(block as usize, values)?;
        Ok(size)
    };
    pool.install(|| {
        let empty = ColumnRanges::new(columns)?;
        let ranges = (0..count)
            .into_par_iter()
            .try_fold(
                || (empty.clone(), Vec::new()),
                |(mut ranges, mut values), block| {
                    let size = read(block, &mut values)?;
                    ranges.add(&values, size).map_err(|e| e.in_block(block))?;
                    Ok::<_, B::Error>((ranges, values))
                },
            )
            .map(|part| part.map(|(ranges, _)| ranges))
            .try_reduce(|| empty.clone(), |mut a, b| a.merge(&b).map(|()| a).map_err(B::Error::from))?;
        let none = RealGramAccumulator::new(ranges)?;
        let sums = (0..count)
            .into_par_iter()
            .try_fold(
                || (none.clone(), Vec::new()),
                |(mut sums, mut values), block| {
                    let size = read(block, &mut values)?;
                    sums.add(&values, size)?;
                    Ok::<_, B::Error>((sums, values))
                },
            )
            .map(|part| part.map(|(sums, _)| sums))
            .try_reduce(|| none.clone(), |mut a, b| a.merge(&b).map(|()| a).map_err(B::Error::from))?;
        Ok(sums.finish()?)
    })
}

#[cfg(test)]
mod tests;
