//! Which bits the values of each column use.

use crate::affine::dyadic;
use crate::block::{column, contiguous_columns};
use crate::dispatch::dispatched;
use crate::gram::accumulator::MAX_COLUMNS;
use crate::gram::sums::{check_columns, rows_after};
use crate::rounding::{pow2, two_powers};
use crate::{BLOCK_ROWS, Error};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// Bits that the values of a column may span: a column of float64 values between 1e-12 and 1e12 has 133.
pub(super) const MAX_BITS: u32 = 160;

/// Bits between the lowest of all columns and the highest at the most, as for rescales of integers.
const MAX_SPAN: u64 = 256;

/// Largest magnitudes below 2^400, and down to 2^-400, have squares whose sum float64 holds, however many there are.
const LARGEST_EXPONENT: i32 = 400;

/// Refuses a matrix of floats whose energy, the sum of their squares, overflows or loses digits to underflow.
///
/// ```
/// use tomobasis_linalg::check_magnitude;
/// assert!(check_magnitude(1e120).is_ok() && check_magnitude(1e-120).is_ok());
/// assert!(check_magnitude(1e121).is_err() && check_magnitude(1e-121).is_err());
/// ```
///
/// # Errors
/// [`Error::Magnitude`], unless the largest magnitude of its numbers is from 2^-400 to below 2^400.
pub fn check_magnitude(largest: f64) -> Result<(), Error> {
    within_limits(largest, false)
}

fn within_limits(largest: f64, or_more: bool) -> Result<(), Error> {
    let exponent = LARGEST_EXPONENT;
    match (pow2(-exponent)..pow2(exponent)).contains(&largest) {
        true => Ok(()),
        false => Err(Error::Magnitude { largest, or_more, exponent }),
    }
}

/// The lowest and the highest bit of the values of each column, over the rows seen so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, Vec<(i32, i32)>)", try_from = "(u64, Vec<(i32, i32)>)")]
pub struct ColumnRanges {
    rows: u64,
    /// Exponents: every value is a multiple of `2^low` and below `2^high` in magnitude. `low >= high` where all
    /// values are zero.
    columns: Vec<(i32, i32)>,
}

/// Of a column of zeros.
const EMPTY: (i32, i32) = (i32::MAX, i32::MIN);

impl ColumnRanges {
    /// Of no rows.
    ///
    /// # Errors
    /// [`Error::ColumnCount`] for zero columns.
    pub fn new(columns: usize) -> Result<Self, Error> {
        if columns == 0 {
            return Err(Error::ColumnCount { limit: MAX_COLUMNS, actual: 0 });
        }
        Ok(Self { rows: 0, columns: vec![EMPTY; columns] })
    }

    /// Looks at a block, rows x columns.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns; [`Error::NotFiniteValue`] for NaN or infinity, with its row
    /// in the block.
    pub fn add(&mut self, block: ArrayView2<f64>) -> Result<(), Error> {
        check_columns(block.ncols(), self.columns())?;
        let block = contiguous_columns(block);
        let view = block.view();
        for (j, range) in self.columns.iter_mut().enumerate() {
            let values = column(&view, j);
            match range_of(extremes(values)) {
                Some(new) => *range = union(*range, new),
                None => {
                    let row = values.iter().position(|v| !v.is_finite()).unwrap_or(0) as u64;
                    return Err(Error::NotFiniteValue { row, column: j });
                }
            }
        }
        self.rows += view.nrows() as u64;
        Ok(())
    }

    /// The same of a block whose rows are contiguous, row by row.
    pub(crate) fn add_rows<T: Copy + Into<f64>>(&mut self, block: ArrayView2<T>) -> Result<(), Error> {
        check_columns(block.ncols(), self.columns())?;
        let (mut lows, mut highs) = (vec![i64::MAX; self.columns()], vec![0; self.columns()]);
        let mut values = vec![0.0; self.columns()];
        for row in block.rows() {
            values.iter_mut().zip(row).for_each(|(value, &v)| *value = v.into());
            extremes_of_row(&values, &mut lows, &mut highs);
        }
        for (j, (range, found)) in self.columns.iter_mut().zip(lows.into_iter().zip(highs)).enumerate() {
            match range_of(found) {
                Some(new) => *range = union(*range, new),
                None => {
                    let row = block.column(j).iter().position(|&v| !v.into().is_finite()).unwrap_or(0) as u64;
                    return Err(Error::NotFiniteValue { row, column: j });
                }
            }
        }
        self.rows += block.nrows() as u64;
        Ok(())
    }

    /// Takes in what another has seen.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns; [`Error::TooManyRows`] beyond 2^62 rows in all.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        check_columns(other.columns(), self.columns())?;
        self.rows = rows_after(self.rows, other.rows)?;
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, &b)| *a = union(*a, b));
        Ok(())
    }

    /// Whether all values that another has seen are within these ranges.
    pub fn covers(&self, other: &Self) -> bool {
        let within = |(&a, &b): (&(i32, i32), &(i32, i32))| union(a, b) == a;
        self.columns.len() == other.columns.len() && self.columns.iter().zip(&other.columns).all(within)
    }

    /// [`check_magnitude`] of the rows seen. It needs no more than the highest bit; of zeros there is nothing to check.
    ///
    /// # Errors
    /// [`Error::Magnitude`].
    pub fn check_magnitude(&self) -> Result<(), Error> {
        let highest = self.columns.iter().filter(|c| c.0 < c.1).map(|c| c.1).max();
        highest.map_or(Ok(()), |top| within_limits(2f64.powi(top - 1), true))
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Rows seen.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The exponents of each column.
    pub(super) fn exponents(&self) -> &[(i32, i32)] {
        &self.columns
    }

    /// Refuses columns whose integers would be too wide.
    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(column) = (0..self.columns()).find(|&j| self.bits(j) > MAX_BITS) {
            return Err(Error::RealRange { column, bits: self.bits(column).into(), limit: MAX_BITS.into() });
        }
        let highest = self.columns.iter().map(|c| i64::from(c.1)).max().unwrap_or(0);
        let lowest = self.lowest();
        let span = highest.saturating_sub(lowest).max(0).unsigned_abs();
        if span > MAX_SPAN {
            let column = self.columns.iter().position(|c| i64::from(c.0) == lowest).unwrap_or(0);
            return Err(Error::RealSpan { column, bits: span, limit: MAX_SPAN });
        }
        Ok(())
    }

    /// Bits of the integers of column `j`; 0 where all are zero.
    pub(super) fn bits(&self, j: usize) -> u32 {
        let (low, high) = self.columns[j];
        if low < high { high.abs_diff(low) } else { 0 }
    }

    /// The exponent that multiplies the integers of column `j`.
    pub(super) fn low(&self, j: usize) -> i64 {
        if self.bits(j) == 0 { self.lowest() } else { self.columns[j].0.into() }
    }

    /// The least of these; 0 where all values are zero.
    pub(super) fn lowest(&self) -> i64 {
        self.columns.iter().filter(|c| c.0 < c.1).map(|c| i64::from(c.0)).min().unwrap_or(0)
    }

    /// Bits of the widest column's integers.
    pub(super) fn widest(&self) -> u32 {
        (0..self.columns()).map(|j| self.bits(j)).max().unwrap_or(0)
    }

    /// Bits that hold a sum of products over all rows, with its sign.
    pub(super) fn product_bits(&self) -> u32 {
        2 * self.widest() + (64 - self.rows.leading_zeros()) + 1
    }

    /// Makes values of column `j` its integers, exact in f64; or gives the index of one that the range does not cover.
    pub(super) fn integers(&self, j: usize, values: &mut [f64]) -> Result<(), usize> {
        let range = self.columns[j];
        // Two steps: the power of two alone may be outside the normal range.
        let shift = -range.0.clamp(-1100, 1100);
        let (first, second) = two_powers(shift);
        if scale(values, first, second, pow2(self.bits(j) as i32)) {
            return Ok(());
        }
        let limit = pow2(self.bits(j) as i32);
        let inside = |v: &f64| v.abs() < limit && v.trunc() == *v;
        Err(values.iter().position(|v| !inside(v)).unwrap_or(0))
    }
}

dispatched! {
    /// Multiplies by both, one after the other; whether all are integers below `limit` in magnitude then, none of them rounded to
    /// zero, which it becomes a fraction instead.
    fn scale(values: &mut [f64], first: f64, second: f64, limit: f64) -> bool {
        let mut covered = true;
        for v in values {
            let zero = *v == 0.0;
            let integer = *v * first * second;
            let lost = (integer == 0.0) & !zero;
            *v = if lost { 0.5 } else { integer };
            covered &= (v.abs() < limit) & (v.trunc() == *v);
        }
        covered
    }
}

/// The lowest and the highest bit of values of such extremes; none where one is no finite number.
fn range_of((unit, magnitude): (i64, i64)) -> Option<(i32, i32)> {
    let (unit, magnitude) = (f64::from_bits(unit as u64), f64::from_bits(magnitude as u64));
    match magnitude {
        0.0 => Some(EMPTY),
        _ if magnitude.is_finite() => Some((dyadic(unit).1 as i32, top(magnitude))),
        _ => None,
    }
}

/// The least exponent of a power of two above `v`.
fn top(v: f64) -> i32 {
    let (mantissa, exponent) = dyadic(v);
    exponent as i32 + (64 - mantissa.unsigned_abs().leading_zeros()) as i32
}

dispatched! {
    /// The least power of two that is the last bit of a value other than zero, and the largest magnitude, both as the bits of
    /// f64, which ascend with it: infinity and NaN above all others.
    fn extremes(values: &[f64]) -> (i64, i64) {
        values.iter().fold((i64::MAX, 0), |found, &v| with(found, v))
    }
}

dispatched! {
    /// The same of each column, of one more value.
    fn extremes_of_row(values: &[f64], lows: &mut [i64], highs: &mut [i64]) {
        for ((low, high), &v) in lows.iter_mut().zip(highs).zip(values) {
            (*low, *high) = with((*low, *high), v);
        }
    }
}

#[inline(always)]
fn with((low, high): (i64, i64), v: f64) -> (i64, i64) {
    let magnitude = v.to_bits() & (i64::MAX as u64);
    let fraction = magnitude & ((1 << 52) - 1);
    let last = fraction & fraction.wrapping_neg();
    // Without its last bit the value is smaller by just that; without a fraction it is a power of two itself.
    let unit = f64::from_bits(magnitude) - f64::from_bits(magnitude ^ last);
    let unit = if fraction == 0 { magnitude } else { unit.to_bits() };
    let unit = if magnitude == 0 { i64::MAX } else { unit as i64 };
    (if unit < low { unit } else { low }, if magnitude as i64 > high { magnitude as i64 } else { high })
}

fn union(a: (i32, i32), b: (i32, i32)) -> (i32, i32) {
    (a.0.min(b.0), a.1.max(b.1))
}

impl From<ColumnRanges> for (u64, Vec<(i32, i32)>) {
    fn from(ranges: ColumnRanges) -> Self {
        (ranges.rows, ranges.columns)
    }
}

impl TryFrom<(u64, Vec<(i32, i32)>)> for ColumnRanges {
    type Error = Error;

    /// Whatever bits they are, sums check that they fit.
    fn try_from((rows, columns): (u64, Vec<(i32, i32)>)) -> Result<Self, Error> {
        let lowest = -1074;
        let is_range =
            |&(low, high): &(i32, i32)| (low, high) == EMPTY || (lowest <= low && low < high && high <= 1024);
        match !columns.is_empty() && columns.iter().all(is_range) {
            true => Ok(Self { rows, columns }),
            false => Err(Error::Ranges),
        }
    }
}

impl Error {
    /// The row of a value as one of the matrix, where it is one of row block `block`.
    pub(crate) fn in_block(self, block: u64) -> Self {
        match self {
            Self::NotFiniteValue { row, column } => {
                Self::NotFiniteValue { row: row + block * BLOCK_ROWS as u64, column }
            }
            other => other,
        }
    }
}
