//! Sums that can't overflow: products in 64 bits while the number of rows allows it, in 128 beyond.
//!
//! Which of the two depends on the number of rows alone, so accumulators that hold the same rows are equal,
//! byte for byte, however they came about.

use super::kernel::Summary;
use crate::Error;

/// Rows up to which products are kept in 64 bits: `2^30 * (2^16 - 1)^2 < 2^62`, and the kernels' intermediate
/// results, of at most 2^28 rows at a time, add less than 2^61.
pub(super) const NARROW_ROWS: u64 = 1 << 30;

/// Rows at the most: `2^62 * 2^32` is far within 128 bits.
const MAX_ROWS: u64 = 1 << 62;

/// The number of rows after `more` were added.
pub(super) fn rows_after(rows: u64, more: u64) -> Result<u64, Error> {
    rows.checked_add(more).filter(|&r| r <= MAX_ROWS).ok_or(Error::TooManyRows { limit: MAX_ROWS })
}

/// Refuses a number of columns for which there is no accumulator.
pub(super) fn check_columns(actual: usize, expected: usize) -> Result<(), Error> {
    if actual == expected { Ok(()) } else { Err(Error::Columns { expected, actual }) }
}

/// An array of sums of products.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Products {
    /// Of at most [`NARROW_ROWS`] rows.
    Narrow(Vec<i64>),
    /// Of more.
    Wide(Vec<i128>),
}

impl Products {
    /// `len` zeros, for sums of `rows` rows.
    pub fn new(len: usize, rows: u64) -> Self {
        if rows > NARROW_ROWS { Self::Wide(vec![0; len]) } else { Self::Narrow(vec![0; len]) }
    }

    /// Lets `add` add a block's products; `rows` counts the block's rows too.
    pub fn add(&mut self, rows: u64, add: impl FnOnce(&mut [i64])) {
        match self.promoted(rows) {
            Self::Narrow(sums) => add(sums),
            Self::Wide(sums) => {
                let mut block = vec![0; sums.len()];
                add(&mut block);
                sums.iter_mut().zip(block).for_each(|(sum, b)| *sum += i128::from(b));
            }
        }
    }

    /// Adds other sums; `rows` counts the rows of both.
    pub fn merge(&mut self, other: &Self, rows: u64) {
        match (self.promoted(rows), other) {
            (Self::Narrow(sums), Self::Narrow(more)) => sums.iter_mut().zip(more).for_each(|(s, m)| *s += m),
            (sums, more) => (0..more.len()).for_each(|i| sums.set(i, sums.get(i) + more.get(i))),
        }
    }

    pub fn get(&self, i: usize) -> i128 {
        match self {
            Self::Narrow(sums) => sums[i].into(),
            Self::Wide(sums) => sums[i],
        }
    }

    /// An entry modulo a small integer, of either sign.
    pub fn residue(&self, i: usize, modulus: u16) -> i64 {
        match self {
            Self::Narrow(sums) => sums[i] % i64::from(modulus),
            Self::Wide(sums) => (sums[i] % i128::from(modulus)) as i64,
        }
    }

    /// Sets an entry, which 64 bits must hold where the sums are narrow.
    pub fn set(&mut self, i: usize, value: i128) {
        match self {
            Self::Narrow(sums) => sums[i] = value as i64,
            Self::Wide(sums) => sums[i] = value,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(sums) => sums.len(),
            Self::Wide(sums) => sums.len(),
        }
    }

    fn promoted(&mut self, rows: u64) -> &mut Self {
        if let Self::Narrow(sums) = self
            && rows > NARROW_ROWS
        {
            *self = Self::Wide(sums.iter().map(|&s| s.into()).collect());
        }
        self
    }
}

/// Exact sum and range of one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Column {
    pub sum: i128,
    pub low: i32,
    pub high: i32,
}

impl Column {
    /// Of no rows.
    pub const EMPTY: Self = Self { sum: 0, low: i32::MAX, high: i32::MIN };

    pub fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }
}

impl From<&Summary> for Column {
    fn from(s: &Summary) -> Self {
        Self { sum: s.sum.into(), low: s.low, high: s.high }
    }
}

/// Adds the summaries of a block's columns.
pub(super) fn add_columns(columns: &mut [Column], block: &[Summary]) {
    columns.iter_mut().zip(block).for_each(|(c, s)| c.merge(&s.into()));
}
