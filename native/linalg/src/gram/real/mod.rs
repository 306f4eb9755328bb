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

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayView2, ShapeBuilder, s};
use rayon::prelude::*;

use super::{GramAccumulator, GramMatrix};
use crate::block::{RealBlocks, column, contiguous_columns};
use crate::gram::sums::check_columns;
use crate::{BLOCK_ROWS, Error, column_major};
use crt::Moduli;
pub use ranges::ColumnRanges;

/// Rows whose residues are taken and summed at a time.
const SLAB: usize = 512;

/// Bits of integers that the kernels take as they are.
const SMALL_BITS: u32 = 15;

/// The exact sums of the row blocks added so far.
///
/// ```
/// use ndarray::array;
/// use tomobasis_linalg::{ColumnRanges, RealGramAccumulator};
/// let blocks = [array![[0.5, 1e9], [0.25, 3.0]], array![[-7.0, 0.0]]];
/// // The ranges of all rows first, then the sums, both in any order.
/// let mut ranges = ColumnRanges::new(2)?;
/// blocks.iter().try_for_each(|block| ranges.add(block.view()))?;
/// let mut sums = RealGramAccumulator::new(ranges)?;
/// blocks.iter().rev().try_for_each(|block| sums.add(block.view()))?;
/// assert_eq!(sums.finish()?.trace(), 1e18 + 58.3125);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// Holds one [`GramAccumulator`] for each prime: for n columns of float64 values of like magnitude about
/// `100 n^2` bytes, of float32 about `60 n^2`.
#[derive(Clone, Debug)]
pub struct RealGramAccumulator {
    ranges: ColumnRanges,
    /// None where the integers themselves are small enough for the kernels.
    moduli: Option<Moduli>,
    sums: Vec<GramAccumulator>,
}

impl RealGramAccumulator {
    /// The sums of no rows, for a matrix of these ranges, which must be those of all its rows.
    ///
    /// # Errors
    /// [`Error::RealRange`] and [`Error::RealSpan`] for a column whose values span too many bits;
    /// [`Error::ColumnCount`] for zero columns or more than 16,384.
    pub fn new(ranges: ColumnRanges) -> Result<Self, Error> {
        let moduli = moduli(&ranges)?;
        let sums = vec![GramAccumulator::new(ranges.columns())?; count(moduli.as_ref())];
        Ok(Self { ranges, moduli, sums })
    }

    /// From the [sums](Self::sums) of all rows, which may have been added up elsewhere.
    ///
    /// # Errors
    /// [`Error::Ranges`] for another number of sums, or sums of other columns or unequal rows; as [`new`](Self::new).
    pub fn from_sums(ranges: ColumnRanges, sums: Vec<GramAccumulator>) -> Result<Self, Error> {
        let none = Self::new(ranges)?;
        let rows = sums.first().map(GramAccumulator::rows);
        let fits = |sum: &GramAccumulator| sum.columns() == none.ranges.columns() && Some(sum.rows()) == rows;
        match sums.len() == none.sums.len() && sums.iter().all(fits) {
            true => Ok(Self { sums, ..none }),
            false => Err(Error::Ranges),
        }
    }

    /// One for each prime, in their order; sums of the same ranges may be merged one by one.
    pub fn sums(&self) -> &[GramAccumulator] {
        &self.sums
    }

    /// Columns of the matrix.
    pub fn columns(&self) -> usize {
        self.ranges.columns()
    }

    /// Adds the products of one block, rows x columns, on the calling thread.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns; [`Error::OutsideRange`] for a value that the ranges do not
    /// cover; as [`GramAccumulator::add`].
    pub fn add(&mut self, block: ArrayView2<f64>) -> Result<(), Error> {
        let mut residues = vec![0; SLAB.min(block.nrows()) * self.ranges.columns()];
        self.each_slab(block, |ranges, moduli, sums, slab, count| {
            sums.iter_mut().enumerate().try_for_each(|(k, sum)| {
                add_residues(ranges, moduli.map(|m| m.primes()[k]), sum, slab, count, &mut residues)
            })
        })
    }

    /// [`add`](Self::add) on the threads of the current rayon pool, which share out the primes. For so many columns that the
    /// sums leave a core's cache ([`GramAccumulator::SHARED`]).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_parallel(&mut self, block: ArrayView2<f64>) -> Result<(), Error> {
        self.each_slab(block, |ranges, moduli, sums, slab, count| {
            sums.par_iter_mut().enumerate().try_for_each_init(Vec::new, |residues, (k, sum)| {
                residues.resize(slab.len(), 0);
                add_residues(ranges, moduli.map(|m| m.primes()[k]), sum, slab, count, residues)
            })
        })
    }

    /// Hands the columns' integers to `add`, some rows at a time: what the primes take turns on stays in the second-level
    /// cache.
    fn each_slab(
        &mut self,
        block: ArrayView2<f64>,
        mut add: impl FnMut(
            &ColumnRanges,
            Option<&Moduli>,
            &mut [GramAccumulator],
            &[f64],
            usize,
        ) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let columns = self.ranges.columns();
        check_columns(block.ncols(), columns)?;
        let block = contiguous_columns(block);
        let (rows, block) = (block.nrows(), block.view());
        let mut integers = vec![0.0; SLAB.min(rows) * columns];
        for first in (0..rows).step_by(SLAB) {
            let count = SLAB.min(rows - first);
            let slab = &mut integers[..count * columns];
            for (j, slab) in slab.chunks_exact_mut(count).enumerate() {
                let column = &column(&block, j)[first..][..count];
                self.ranges
                    .integers(j, column, slab)
                    .map_err(|row| Error::OutsideRange { row: (first + row) as u64, column: j })?;
            }
            add(&self.ranges, self.moduli.as_ref(), &mut self.sums, slab, count)?;
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

    /// Integer Gram matrices that it costs: one for each prime, or just one of small integers.
    pub fn primes(&self) -> usize {
        self.sums.len()
    }

    /// Bits of the integers that [`finish`](Self::finish) makes of the sums, at the most.
    pub fn bits(&self) -> u32 {
        let low = self.ranges.lowest();
        let shift = (0..self.ranges.columns()).map(|j| self.ranges.low(j) - low).max().unwrap_or(0);
        self.ranges.product_bits() + 2 * shift as u32
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
            let mut products = self.sums.iter().map(|sum| sum.product(i, j));
            let integer = match &self.moduli {
                // A remainder is below 2^13 in magnitude.
                Some(moduli) => {
                    let remainders = products.zip(moduli.primes()).map(|(x, &p)| (x % i128::from(p)) as i64);
                    moduli.integer(remainders)
                }
                None => products.next().unwrap_or_default().into(),
            };
            let shift = self.ranges.low(i) + self.ranges.low(j) - 2 * low;
            integer << shift.unsigned_abs()
        };
        let upper: Vec<_> = (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).collect();
        let entries = upper.into_par_iter().map(entry).collect();
        Ok(GramMatrix::from_upper(n, self.rows(), entries, 2 * low, 1u32.into()))
    }
}

/// The primes that sums over such columns need; none where the integers themselves are small enough for the kernels.
fn moduli(ranges: &ColumnRanges) -> Result<Option<Moduli>, Error> {
    ranges.check()?;
    Ok((ranges.widest() > SMALL_BITS).then(|| Moduli::for_bits(ranges.product_bits())))
}

fn count(moduli: Option<&Moduli>) -> usize {
    moduli.map_or(1, |moduli| moduli.primes().len())
}

impl ColumnRanges {
    /// Integer Gram matrices that [`RealGramAccumulator`] costs for columns of these ranges.
    ///
    /// # Errors
    /// Those of [`RealGramAccumulator::new`].
    pub fn sums(&self) -> Result<usize, Error> {
        Ok(count(moduli(self)?.as_ref()))
    }
}

/// Adds the residues modulo `prime` of a slab of `count` rows; without one, the integers themselves.
fn add_residues(
    ranges: &ColumnRanges,
    prime: Option<u16>,
    sum: &mut GramAccumulator,
    slab: &[f64],
    count: usize,
    residues: &mut [i16],
) -> Result<(), Error> {
    let residues = &mut residues[..slab.len()];
    for (j, (n, r)) in slab.chunks_exact(count).zip(residues.chunks_exact_mut(count)).enumerate() {
        match prime {
            Some(prime) => residues::of_column(n, ranges.bits(j), prime, r),
            None => residues::of_small(n, r),
        }
    }
    sum.add(column_major(residues, count, ranges.columns())?)
}

/// The exact Gram matrix of a matrix that is read twice, on up to `threads` threads.
///
/// ```
/// use ndarray::array;
/// use tomobasis_linalg::{Rank, certified_svd, real_gram};
/// let a = array![[0.1, 1.0], [0.2, -1.0], [0.3, 0.5]];
/// let svd = certified_svd(&real_gram(&a, 2)?, Rank::Full, 2)?;
/// assert_eq!(svd.rank, 2);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFiniteValue`] for NaN or infinity, [`Error::RealRange`] and [`Error::RealSpan`] for a column
/// whose values span too many bits, and what the blocks' source says.
pub fn real_gram<B: RealBlocks>(blocks: &B, threads: usize) -> Result<GramMatrix, B::Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::Threads(e.to_string()))?;
    pool.install(|| {
        let ranges = ranges_of(blocks)?;
        Ok(sums_of(blocks, RealGramAccumulator::new(ranges)?)?.finish()?)
    })
}

/// The ranges of all columns.
fn ranges_of<B: RealBlocks>(blocks: &B) -> Result<ColumnRanges, B::Error> {
    let none = ColumnRanges::new(blocks.columns())?;
    by_threads(
        blocks,
        &none,
        |ranges, block, values| ranges.add(values).map_err(|e| e.in_block(block)),
        ColumnRanges::merge,
    )
}

/// The sums of all blocks: each thread's own, merged; or, of many columns, shared.
fn sums_of<B: RealBlocks>(
    blocks: &B,
    mut none: RealGramAccumulator,
) -> Result<RealGramAccumulator, B::Error> {
    if blocks.columns() < GramAccumulator::SHARED {
        return by_threads(blocks, &none, |sums, _, values| sums.add(values), RealGramAccumulator::merge);
    }
    let mut buffer = buffer(blocks);
    for block in 0..block_count(blocks) {
        none.add_parallel(read(blocks, block, &mut buffer)?)?;
    }
    Ok(none)
}

/// What each thread makes of its row blocks, starting from `none`, put together.
fn by_threads<B: RealBlocks, S: Clone + Send + Sync>(
    blocks: &B,
    none: &S,
    add: impl Fn(&mut S, u64, ArrayView2<f64>) -> Result<(), Error> + Sync,
    merge: impl Fn(&mut S, &S) -> Result<(), Error> + Sync,
) -> Result<S, B::Error> {
    let next = AtomicU64::new(0);
    let parts = rayon::broadcast(|_| {
        let (mut part, mut buffer) = (none.clone(), buffer(blocks));
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= block_count(blocks) {
                return Ok(part);
            }
            let added =
                read(blocks, block, &mut buffer).and_then(|values| Ok(add(&mut part, block, values)?));
            if let Err(error) = added {
                // The other threads end those that they have, all of the blocks before this one among them, and find no more.
                next.store(u64::MAX >> 1, Ordering::Relaxed);
                return Err((block, error));
            }
        }
    });
    let (mut all, mut first): (S, Option<(u64, B::Error)>) = (none.clone(), None);
    for part in parts {
        match part {
            Ok(part) => merge(&mut all, &part)?,
            Err(failed) if first.as_ref().is_none_or(|first| failed.0 < first.0) => first = Some(failed),
            Err(_) => {}
        }
    }
    first.map_or(Ok(all), |(_, error)| Err(error))
}

/// Row blocks of a matrix.
fn block_count<B: RealBlocks>(blocks: &B) -> u64 {
    blocks.rows().div_ceil(BLOCK_ROWS as u64)
}

/// Room for the tallest row block of a matrix, column by column.
fn buffer<B: RealBlocks>(blocks: &B) -> Array2<f64> {
    let rows = blocks.rows().min(BLOCK_ROWS as u64) as usize;
    Array2::zeros((rows, blocks.columns()).f())
}

/// Reads a row block into the first rows of a buffer.
fn read<'a, B: RealBlocks>(
    blocks: &B,
    block: u64,
    buffer: &'a mut Array2<f64>,
) -> Result<ArrayView2<'a, f64>, B::Error> {
    let rows = (blocks.rows() - block * BLOCK_ROWS as u64).min(BLOCK_ROWS as u64) as usize;
    let mut values = buffer.slice_mut(s![..rows, ..]);
    blocks.read(block as usize, values.view_mut())?;
    Ok(buffer.slice(s![..rows, ..]))
}

#[cfg(test)]
mod tests;
