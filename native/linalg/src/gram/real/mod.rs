//! The exact Gram matrix of a matrix of floats, by residues.
//!
//! Every finite float is an integer times a power of two. With `2^low_j` the lowest bit that any value of
//! column `j` has, `A_ij = 2^low_j N_ij` with integers `N`, and `G_ij = 2^(low_i + low_j) sum_r N_ri N_rj`.
//! The integers are too wide for the integer kernels, but their residues are not:
//!
//! 1. *Ranges* ([`ColumnRanges`]): one pass over the values finds each column's lowest and highest bit, and so
//!    how many bits the sums of products can have.
//! 2. *Residues* ([`residues`]): for each of as many moduli `p` as these bits need, `N_ij mod p`, an integer of at most
//!    `p / 2` in magnitude, exactly, by a few fused multiply-adds. The moduli are pairwise coprime and at most 2^8: a
//!    product of bytes costs a quarter of one of words or less, and gives more than half its bits. Bits that these do not
//!    suffice for need primes below 2^13.
//! 3. *Sums*: one [`GramAccumulator`] for each modulus, at the kernels' full speed.
//! 4. *Reconstruction* ([`crt`]): the one integer within the bound that has these residues, by Garner's
//!    algorithm.
//!
//! The sums of the columns, for centered matrices, travel in the same residues.
//!
//! The cost grows linearly with the bits of the products. Slices of the values (Ozaki, Ogita, Oishi and Rump
//! 2012, "Error-free transformations of matrix multiplication") cost their square: of 43 bits, six digits of a byte are
//! 36 products, where fourteen moduli hold their 105 bits. The method is that of Ozaki, Uchino and Imamura 2025,
//! "Ozaki scheme II", but exact: no bit is dropped, so the sums have no order, and blocks may come in any
//! order and be merged in any grouping.

mod blocks;
mod bytes;
mod crt;
mod ranges;
mod residues;
mod slab;
mod totals;

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder, s};
use num_bigint::BigInt;
use rayon::prelude::*;

use super::kernel::{self, PANEL, PackedBytes, Threads};
use super::{GramAccumulator, GramMatrix};
use crate::gram::sums::check_columns;
use crate::{BLOCK_ROWS, Center, Error, RealCentering};
pub use blocks::RealBlocks;
use crt::Moduli;
pub use ranges::{ColumnRanges, check_magnitude};
use slab::{Room, Slab};

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
/// Holds one [`GramAccumulator`] for each modulus: for n columns of float64 values of like magnitude about
/// `90 n^2` bytes, of float32 about `60 n^2`.
#[derive(Clone, Debug)]
pub struct RealGramAccumulator {
    ranges: ColumnRanges,
    /// None where the integers themselves are small enough for the kernels.
    moduli: Option<Moduli>,
    sums: Vec<GramAccumulator>,
    room: Room,
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
        Ok(Self { ranges, moduli, sums, room: Room::default() })
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

    /// One for each modulus, in their order; sums of the same ranges may be merged one by one.
    pub fn sums(&self) -> &[GramAccumulator] {
        &self.sums
    }

    /// The ranges that it was made for.
    pub fn ranges(&self) -> &ColumnRanges {
        &self.ranges
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
    pub fn add<T: Copy + Into<f64> + Sync>(&mut self, block: ArrayView2<T>) -> Result<(), Error> {
        self.add_on(block, Threads::One)
    }

    /// [`add`](Self::add) on the threads of the current rayon pool, which share out the moduli. For so many columns that the
    /// sums leave a core's cache ([`GramAccumulator::SHARED`]).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_parallel<T: Copy + Into<f64> + Sync>(&mut self, block: ArrayView2<T>) -> Result<(), Error> {
        self.add_on(block, Threads::Pool)
    }

    fn add_on<T: Copy + Into<f64> + Sync>(
        &mut self,
        block: ArrayView2<T>,
        threads: Threads,
    ) -> Result<(), Error> {
        check_columns(block.ncols(), self.columns())?;
        let moduli = self.moduli.as_ref().map_or(&[][..], Moduli::as_slice);
        let bytes =
            moduli.first().is_some_and(|&p| p <= Moduli::TOP_OF_BYTES) && kernel::chosen().has_bytes();
        let most = if bytes { PackedBytes::MOST_SUMMED } else { PackedBytes::MOST_ROWS };
        for first in (0..block.nrows()).step_by(most) {
            let rows = most.min(block.nrows() - first);
            let slab = Slab {
                ranges: &self.ranges,
                block: block.slice(s![first..first + rows, ..]),
                first,
                bits: self.ranges.widest(),
                moduli,
            };
            if bytes {
                slab.add_bytes(&mut self.sums, threads, &mut self.room)?;
                continue;
            }
            let integers = slab.integers()?;
            let add = |(k, sum)| slab.add_residues(&integers, k, sum);
            match threads {
                Threads::One => self.sums.iter_mut().enumerate().try_for_each(add)?,
                Threads::Pool => self.sums.par_iter_mut().enumerate().try_for_each(add)?,
            }
        }
        // Of sums that threads have for themselves there are many; those that they share are complete sooner or later.
        if threads == Threads::One || self.rows() >= self.ranges.rows() {
            self.room = Room::default();
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

    /// Integer Gram matrices that it costs: one for each modulus, or just one of small integers.
    pub fn moduli(&self) -> usize {
        self.sums.len()
    }

    /// Bytes that [`add`](Self::add) takes for a moment, and [`add_parallel`](Self::add_parallel) until all rows are added: the integers of some rows, or their packed residues, and sums of these.
    pub fn room(&self) -> usize {
        let columns = self.columns().next_multiple_of(PANEL);
        PackedBytes::MOST_ROWS * columns * (2 * self.moduli() + 10)
            + 4 * kernel::size(columns) * self.moduli()
    }

    /// Bits of the integers that [`finish_centered`](Self::finish_centered) makes of the sums, at the most.
    pub fn bits(&self, center: Option<Center>) -> u32 {
        let low = self.ranges.lowest();
        let shift = (0..self.ranges.columns()).map(|j| self.ranges.low(j) - low).max().unwrap_or(0);
        let of_rows = usize::BITS - self.columns().leading_zeros();
        let of_columns = u64::BITS - self.rows().leading_zeros();
        self.ranges.product_bits()
            + 2 * shift as u32
            + if center.is_some_and(Center::rows) { 2 * of_rows + 2 } else { 0 }
            + if center.is_some_and(Center::columns) { of_columns + 1 } else { 0 }
    }

    /// The sum of the products of the integers of columns i <= j.
    fn integer(&self, i: usize, j: usize) -> BigInt {
        match &self.moduli {
            Some(moduli) => {
                let residues = self.sums.iter().zip(moduli.as_slice());
                moduli.integer(residues.map(|(sum, &p)| sum.residue((i, j), p)))
            }
            None => self.sums[0].product(i, j).into(),
        }
    }

    /// The sum of the integers of column `j`.
    fn total(&self, j: usize) -> BigInt {
        match &self.moduli {
            Some(moduli) => {
                let residues = self.sums.iter().zip(moduli.as_slice());
                moduli.integer(residues.map(|(sum, &p)| (sum.column_sum(j) % i128::from(p)) as i64))
            }
            None => self.sums[0].column_sum(j).into(),
        }
    }

    /// The sums of all columns, in units of the lowest bit of all.
    fn totals(&self) -> Vec<BigInt> {
        let low = self.ranges.lowest();
        (0..self.columns()).map(|j| self.total(j) << (self.ranges.low(j) - low).unsigned_abs()).collect()
    }

    /// The exact Gram matrix of the rows added.
    ///
    /// # Errors
    /// [`Error::Ranges`] when there are more rows than the ranges have seen: their sums could be too wide.
    pub fn finish(&self) -> Result<GramMatrix, Error> {
        self.finish_centered(None)
    }

    /// What the means that `center` names are computed from.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn centering(&self, center: Center) -> Result<RealCentering, Error> {
        self.check_rows()?;
        let low = self.ranges.lowest();
        let bits = |j| self.ranges.bits(j) + (self.ranges.low(j) - low) as u32;
        let bits = (0..self.columns()).map(bits).max().unwrap_or(0);
        Ok(RealCentering::new(center, self.rows(), (low, bits), self.totals()))
    }

    fn check_rows(&self) -> Result<(), Error> {
        if self.rows() > self.ranges.rows() { Err(Error::Ranges) } else { Ok(()) }
    }

    /// The exact Gram matrix of the rows added, without the means that `center` names.
    ///
    /// ```
    /// use tomobasis_linalg::{Center, ColumnRanges, Rank, RealGramAccumulator, certified_svd};
    /// // 0.1 and 0.3 are no decimals but floats, whose mean is exact too.
    /// let a = ndarray::array![[0.1, 1e9], [0.3, 1e9], [0.1, 1e9]];
    /// let mut ranges = ColumnRanges::new(2)?;
    /// ranges.add(a.view())?;
    /// let mut sums = RealGramAccumulator::new(ranges)?;
    /// sums.add(a.view())?;
    /// let svd = certified_svd(&sums.finish_centered(Some(Center::Columns))?, Rank::Full, 1)?;
    /// assert_eq!((svd.rank, svd.v), (1, ndarray::array![[1.0], [0.0]]));
    /// # Ok::<(), tomobasis_linalg::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_centered(&self, center: Option<Center>) -> Result<GramMatrix, Error> {
        self.check_rows()?;
        let n = self.ranges.columns();
        let low = self.ranges.lowest();
        let entry = |(i, j): (usize, usize)| {
            let integer = self.integer(i, j);
            let shift = self.ranges.low(i) + self.ranges.low(j) - 2 * low;
            if shift == 0 { integer } else { integer << shift.unsigned_abs() }
        };
        let upper: Vec<_> = (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).collect();
        let entries: Vec<BigInt> = upper.into_par_iter().map(entry).collect();
        Ok(GramMatrix::without_means(n, self.rows(), entries, || self.totals(), 2 * low, center))
    }
}

/// The moduli that sums over such columns need; none where the integers themselves are small enough for the kernels.
fn moduli(ranges: &ColumnRanges) -> Result<Option<Moduli>, Error> {
    ranges.check()?;
    Ok((ranges.widest() > SMALL_BITS).then(|| Moduli::for_bits(ranges.product_bits())))
}

fn count(moduli: Option<&Moduli>) -> usize {
    moduli.map_or(1, |moduli| moduli.as_slice().len())
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
    centered_real_gram(blocks, None, threads).map(|(gram, _)| gram)
}

/// [`real_gram`] of the matrix without the means that `center` names, and what these are computed from.
///
/// # Errors
/// As [`real_gram`].
pub fn centered_real_gram<B: RealBlocks>(
    blocks: &B,
    center: Option<Center>,
    threads: usize,
) -> Result<(GramMatrix, Option<RealCentering>), B::Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::Threads(e.to_string()))?;
    pool.install(|| {
        let ranges = ranges_of(blocks)?;
        let sums = sums_of(blocks, RealGramAccumulator::new(ranges)?)?;
        let centering = center.map(|center| sums.centering(center)).transpose()?;
        Ok((sums.finish_centered(center)?, centering))
    })
}

/// The ranges of all columns.
fn ranges_of<B: RealBlocks>(blocks: &B) -> Result<ColumnRanges, B::Error> {
    let none = ColumnRanges::new(blocks.columns())?;
    by_threads(
        blocks,
        &none,
        |ranges, block, buffer| blocks.add_ranges(block as usize, room(blocks, block, buffer), ranges),
        ColumnRanges::merge,
    )
}

/// The sums of all blocks: each thread's own, merged; or, of many columns, shared.
fn sums_of<B: RealBlocks>(
    blocks: &B,
    mut none: RealGramAccumulator,
) -> Result<RealGramAccumulator, B::Error> {
    if blocks.columns() < GramAccumulator::SHARED {
        return by_threads(
            blocks,
            &none,
            |sums, block, buffer| blocks.add_sums(block as usize, room(blocks, block, buffer), sums, false),
            RealGramAccumulator::merge,
        );
    }
    let mut buffer = buffer(blocks);
    for block in 0..block_count(blocks) {
        blocks.add_sums(block as usize, room(blocks, block, &mut buffer), &mut none, true)?;
    }
    Ok(none)
}

/// What each thread makes of its row blocks, starting from `none`, put together.
fn by_threads<B: RealBlocks, S: Clone + Send + Sync>(
    blocks: &B,
    none: &S,
    add: impl Fn(&mut S, u64, &mut Array2<f64>) -> Result<(), B::Error> + Sync,
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
            if let Err(error) = add(&mut part, block, &mut buffer) {
                // The other threads end those that they have, all of the blocks before this one among them, and find no more.
                next.store(u64::MAX >> 1, Ordering::Relaxed);
                return Err((block, error));
            }
        }
    });
    let (mut all, mut first): (Option<S>, Option<(u64, B::Error)>) = (None, None);
    for part in parts {
        match part {
            Ok(part) => match &mut all {
                Some(all) => merge(all, &part)?,
                None => all = Some(part),
            },
            Err(failed) if first.as_ref().is_none_or(|first| failed.0 < first.0) => first = Some(failed),
            Err(_) => {}
        }
    }
    first.map_or_else(|| Ok(all.unwrap_or_else(|| none.clone())), |(_, error)| Err(error))
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

/// The first rows of a buffer, as many as a row block has.
fn room<'a, B: RealBlocks>(blocks: &B, block: u64, buffer: &'a mut Array2<f64>) -> ArrayViewMut2<'a, f64> {
    let rows = (blocks.rows() - block * BLOCK_ROWS as u64).min(BLOCK_ROWS as u64) as usize;
    buffer.slice_mut(s![..rows, ..])
}

#[cfg(test)]
mod tests;
