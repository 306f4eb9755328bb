//! Checks of exact sums: what memory, a processor, a disk or a network has changed is found before it is a result.
//!
//! Sums of integers have one right value, so a second, cheap way to the same number tells whether they are right. For weights `r_j` of the
//! columns, modulo a prime `P`,
//!
//! ```text
//! sum_rows (sum_j r_j a_ij)^2  =  sum_j r_j^2 G_jj + 2 sum_{i<j} r_i r_j G_ij,
//! sum_rows (sum_j r_j a_ij)    =  sum_j r_j c_j            (c_j: the column sums).
//! ```
//!
//! The left sides cost one multiplication for each value of a block, where its products cost `n / 2`; the right sides one for each sum.
//! Both are linear in the sums, so that checks of parts, and of sums that are merged, add up as the sums do. They follow Freivalds 1977,
//! "Probabilistic machines can use less running time". A single number that was changed by less than `P`, or in one bit, is always found, since
//! neither weights nor powers of two are divisible by `P`; of any other change, at most 2 of `P` = 2^31 - 1 choices of weights miss it (the
//! left side is a quadratic form of the weights; Schwartz 1980).
//!
//! The values of a block have a check of their own, with weights of rows too ([`block_check`]), which adds up over runs of columns: it is made
//! where values are decoded, travels with them, and is compared where they are summed.
//!
//! Weights are fixed, pseudo-random numbers: faults do not aim.

use ndarray::{ArrayView2, Axis};

use super::sums::check_columns;
use super::{GramAccumulator, GramPart};
use crate::block::{column, contiguous_columns};
use crate::dispatch::{Vectorize, vectorize};
use crate::{Error, Sample};

/// The modulus, a Mersenne prime.
const P: u64 = (1 << 31) - 1;

const MAGIC: &[u8; 8] = b"TBcheck1";
const WHAT: &str = "checked sums";

/// What can be damaged.
const VALUES: &str = "the values of a row block";
const SUMS: &str = "sums of products";

/// Bytes before the sums: magic and check. After them a CRC-32 of all before.
const HEADER_BYTES: usize = 12;

/// Rows that are weighted at a time: their 64-bit sums, of 47 bits a value, are far from overflow, and stay in a core's cache.
const ROWS_AT_ONCE: usize = 4096;

/// Weights that have no index.
const OF_ROWS: u64 = 1 << 62;
const OF_LINEAR: u64 = OF_ROWS + 1;

/// Columns whose weighted values are added up at a time, so that the sums of rows are read and written once for them.
const COLUMNS_AT_ONCE: usize = 4;

/// A weight from 1 to P - 1, by SplitMix64 (Steele, Lea and Flood 2014).
fn weight(index: u64) -> u64 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    1 + (z ^ (z >> 31)) % (P - 1)
}

/// The weight of column `j`.
fn of_column(j: usize) -> u64 {
    weight(j as u64)
}

/// The weight of row `i` of a block.
fn of_row(i: usize) -> u64 {
    weight((1 << 61) + i as u64)
}

#[inline(always)]
fn residue(value: i128) -> u64 {
    match i64::try_from(value) {
        Ok(value) => value.rem_euclid(P as i64) as u64,
        Err(_) => value.rem_euclid(i128::from(P)) as u64,
    }
}

/// The product of a weight and a value. Both have 32 bits: CPUs multiply these at once, and numbers of 64 bits in several steps.
#[inline(always)]
fn weighted<T: Sample>(weight: i32, value: T) -> i64 {
    let value: i32 = value.into();
    i64::from(weight) * i64::from(value)
}

/// `sum_j r_j a_ij` of at most [`ROWS_AT_ONCE`] rows, exactly: fewer than 2^15 terms of 47 bits.
struct RowSums<'a, 'out, T> {
    columns: &'a ArrayView2<'a, T>,
    weights: &'a [i32],
    sums: &'out mut [i64],
}

impl<T: Sample> Vectorize for RowSums<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (several, single) = self.weights.as_chunks::<COLUMNS_AT_ONCE>();
        for (group, &[p, q, r, s]) in several.iter().enumerate() {
            let [a, b, c, d] = std::array::from_fn(|k| column(self.columns, group * COLUMNS_AT_ONCE + k));
            for ((((sum, &a), &b), &c), &d) in self.sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *sum += weighted(p, a) + weighted(q, b) + (weighted(r, c) + weighted(s, d));
            }
        }
        for (j, &r) in (several.len() * COLUMNS_AT_ONCE..).zip(single) {
            for (sum, &a) in self.sums.iter_mut().zip(column(self.columns, j)) {
                *sum += weighted(r, a);
            }
        }
    }
}

/// `sum_i q_i a_ij` of at most [`ROWS_AT_ONCE`] rows of all columns, added to `sums` modulo P.
struct ColumnSums<'a, 'out, T> {
    columns: &'a ArrayView2<'a, T>,
    weights: &'a [i32],
    sums: &'out mut [u64],
}

impl<T: Sample> Vectorize for ColumnSums<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (j, sum) in self.sums.iter_mut().enumerate() {
            let mut of_column = 0;
            for (&q, &a) in self.weights.iter().zip(column(self.columns, j)) {
                of_column += weighted(q, a);
            }
            *sum = (*sum + residue(of_column.into())) % P;
        }
    }
}

/// The rows of a view of contiguous columns, [`ROWS_AT_ONCE`] at a time, each with its first one.
fn some_rows<'a, T>(columns: &'a ArrayView2<'a, T>) -> impl Iterator<Item = (usize, ArrayView2<'a, T>)> {
    (0..).step_by(ROWS_AT_ONCE).zip(columns.axis_chunks_iter(Axis(0), ROWS_AT_ONCE))
}

/// The check of some consecutive columns of a row block, from column `first` on: `sum_ij q_i r_j a_ij`, `q_i` and `r_j` being the weights
/// of the block's rows and of the matrix's columns. The checks of all columns' runs, added up, are that of the block.
///
/// ```
/// use tomobasis_linalg::{CheckedGram, block_check, column_major};
/// let values = [1i16, 2, 3, 4, 5, 6];
/// let check = block_check(column_major(&values[..2], 2, 1)?, 0) + block_check(column_major(&values[2..], 2, 2)?, 1);
/// let mut sums = CheckedGram::new(3)?;
/// sums.add(column_major(&values, 2, 3)?, check)?;
/// let damaged = [1i16, 2, 3, 4, 5, 7];
/// assert!(sums.add(column_major(&damaged, 2, 3)?, check).is_err());
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
#[must_use]
pub fn block_check<T: Sample>(columns: ArrayView2<T>, first: usize) -> u64 {
    let columns = contiguous_columns(columns);
    let columns = columns.view();
    let mut sums = vec![0; columns.ncols()];
    for (start, columns) in some_rows(&columns) {
        let weights: Vec<i32> = (start..start + columns.nrows()).map(|i| of_row(i) as i32).collect();
        vectorize(ColumnSums { columns: &columns, weights: &weights, sums: &mut sums });
    }
    sums.iter().enumerate().fold(0, |check, (j, sum)| (check + sum * of_column(first + j)) % P)
}

/// Whether the values of a whole row block have the [`block_check`] that was found where they came from.
///
/// # Errors
/// [`Error::Damaged`] where they have not.
pub fn verify_block<T: Sample>(block: ArrayView2<T>, check: u64) -> Result<(), Error> {
    match block_check(block, 0) == check % P {
        true => Ok(()),
        false => Err(Error::Damaged { what: VALUES }),
    }
}

/// Exact sums over row blocks with their check, which is found from the blocks' values alone.
#[derive(Clone, Debug)]
pub struct CheckedGram {
    sums: GramAccumulator,
    check: u64,
    weights: Vec<i32>,
    /// Whether the sums agreed with the check since rows were added.
    proven: bool,
}

impl CheckedGram {
    /// The sums of no rows, for `columns` columns.
    ///
    /// # Errors
    /// As [`GramAccumulator::new`].
    pub fn new(columns: usize) -> Result<Self, Error> {
        let sums = GramAccumulator::new(columns)?;
        let weights = (0..columns).map(|j| of_column(j) as i32).collect();
        Ok(Self { sums, check: 0, weights, proven: true })
    }

    /// Columns of the matrix.
    pub fn columns(&self) -> usize {
        self.sums.columns()
    }

    /// Adds the products of one block whose [`block_check`] was `check` where its values came from.
    ///
    /// # Errors
    /// [`Error::Damaged`] for other values; nothing is added then. As [`GramAccumulator::add`].
    pub fn add<T: Sample>(&mut self, block: ArrayView2<T>, check: u64) -> Result<(), Error> {
        check_columns(block.ncols(), self.columns())?;
        let columns = contiguous_columns(block);
        let columns = columns.view();
        let (mut of_values, mut linear, mut square) = (0, 0, 0);
        for (start, columns) in some_rows(&columns) {
            let mut sums = vec![0; columns.nrows()];
            vectorize(RowSums { columns: &columns, weights: &self.weights, sums: &mut sums });
            for (i, &sum) in (start..).zip(&sums) {
                let y = residue(sum.into());
                of_values = (of_values + of_row(i) * y) % P;
                linear = (linear + y) % P;
                square = (square + y * y) % P;
            }
        }
        if of_values != check % P {
            return Err(Error::Damaged { what: VALUES });
        }
        let rows = columns.nrows() as u64 % P;
        self.sums.add(columns)?;
        self.check = (self.check + square + weight(OF_LINEAR) * linear % P + weight(OF_ROWS) * rows % P) % P;
        self.proven = false;
        Ok(())
    }

    /// Part `part` of `parts` of the sums, with its check. Panics unless `part < parts`.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the sums are not those of the rows added.
    pub fn part(&mut self, part: usize, parts: usize) -> Result<CheckedPart, Error> {
        if !self.proven {
            self.proven = self.found() == self.check;
        }
        match self.proven {
            true => Ok(CheckedPart::of(self.sums.part(part, parts))),
            false => Err(Error::Damaged { what: SUMS }),
        }
    }

    /// What the sums say, where they are: a copy of them would be as large as they.
    fn found(&self) -> u64 {
        let (sums, n) = (&self.sums, self.columns());
        let products = (0..n).flat_map(|i| (i..n).map(move |j| ((i, j), sums.product(i, j))));
        check_of(sums.rows(), (0..n).map(|j| sums.column_sum(j)), products)
    }
}

/// A part of exact sums, with a check that adds up as they do.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedPart {
    part: GramPart,
    check: u64,
}

impl CheckedPart {
    /// A part that is right now.
    pub fn of(part: GramPart) -> Self {
        Self { check: part.check(), part }
    }

    /// Adds the same range of other sums.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the sum is not right; as [`GramPart::merge`].
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        self.part.merge(&other.part)?;
        self.check = (self.check + other.check) % P;
        self.verify()
    }

    fn verify(&self) -> Result<(), Error> {
        match self.part.check() == self.check {
            true => Ok(()),
            false => Err(Error::Damaged { what: SUMS }),
        }
    }

    /// The part, if it is right.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn proven(self) -> Result<GramPart, Error> {
        self.verify()?;
        Ok(self.part)
    }

    /// A self-contained byte string, for sending to another process: those of the part, behind a header of 12 bytes, and a CRC-32.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let part = self.part.to_bytes();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + part.len() + 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(self.check as u32).to_le_bytes());
        bytes.extend_from_slice(&part);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Damaged`] for bytes of which one has changed; [`Error::Bytes`] for others.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::Damaged { what: SUMS };
        let (content, crc) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
        if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
            return Err(damaged());
        }
        let foreign = || Error::Bytes { what: WHAT, why: "their first bytes" };
        let (check, part) =
            content.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<4>()).ok_or_else(foreign)?;
        // What was written as sums and cannot be any was changed before.
        let part = GramPart::from_bytes(part).map_err(|_| damaged())?;
        Ok(Self { part, check: u32::from_le_bytes(*check).into() })
    }
}

impl GramPart {
    fn check(&self) -> u64 {
        check_of(self.rows(), self.column_sums(), self.products())
    }
}

/// What sums say of the check: `square + w linear + w' rows`. Products come row by row, with their places.
fn check_of(
    rows: u64,
    column_sums: impl Iterator<Item = i128>,
    products: impl Iterator<Item = ((usize, usize), i128)>,
) -> u64 {
    let mut check = weight(OF_ROWS) * (rows % P) % P;
    for (j, sum) in column_sums.enumerate() {
        check = (check + weight(OF_LINEAR) * (of_column(j) * residue(sum) % P)) % P;
    }
    // Row by row, since a row's weight is common to its products.
    let (mut row, mut of_row) = (0, 0);
    for ((i, j), product) in products {
        if i != row {
            check = (check + of_column(row) * of_row) % P;
            (row, of_row) = (i, 0);
        }
        let twice = if i == j { 1 } else { 2 };
        of_row = (of_row + twice * of_column(j) % P * residue(product)) % P;
    }
    (check + of_column(row) * of_row) % P
}

#[cfg(test)]
mod tests;
