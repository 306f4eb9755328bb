//! Means that are removed from `A` before it is decomposed, exactly.
//!
//! With the rescaled values as integers `v_il = a_l x_il + b_l` at one power of two, row sums `R_i`, column sums
//! `S_l` and their sum `S`, the centered entry is `(D v_il - w R_i - c_l) / D`:
//!
//! | what | `D` | `w` | `c_l` |
//! |---|---|---|---|
//! | [`Center::Rows`] | n | 1 | 0 |
//! | [`Center::Columns`] | m | 0 | `S_l` |
//! | [`Center::Both`] | n m | m | `n S_l - S` |

mod real;

use crate::affine::affine_integers;
use crate::block::RowBlock;
use crate::rounding::{nearest_quotient, pow2};
use crate::{Error, Rescale};
use num_bigint::{BigInt, BigUint};
pub use real::RealCentering;
pub(crate) use real::{CenteredReals, Fractions, Whole};
use serde::{Deserialize, Serialize};

/// Which means are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Center {
    /// The mean of each row over the columns: with observations in columns, principal component analysis.
    Rows,
    /// The mean of each column over the rows.
    Columns,
    /// Both; what both would remove twice, the mean of all, once.
    Both,
}

impl Center {
    /// Whether the mean of each row is removed.
    #[must_use]
    pub fn rows(self) -> bool {
        matches!(self, Self::Rows | Self::Both)
    }

    /// Whether the mean of each column is removed.
    #[must_use]
    pub fn columns(self) -> bool {
        matches!(self, Self::Columns | Self::Both)
    }
}

/// What the means of a matrix are computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Centering {
    /// Which means.
    pub center: Center,
    /// Rows of the whole matrix, m.
    pub rows: u64,
    /// Exact sums of the stored values of each column.
    pub sums: Vec<i128>,
}

impl Centering {
    /// The sums of the rescaled columns, from the rescales as integers.
    pub(crate) fn column_sums(&self, affine: &[(BigInt, BigInt)]) -> Vec<BigInt> {
        affine.iter().zip(&self.sums).map(|((a, b), &sum)| a * sum + b * self.rows).collect()
    }
}

/// What the entries of a centered matrix are fractions of.
struct Table {
    divisor: BigInt,
    weight: BigInt,
    constants: Vec<BigInt>,
}

impl Table {
    /// Of a matrix with so many rows and these column sums.
    fn new(center: Center, rows: u64, sums: Vec<BigInt>) -> Self {
        let (rows, columns) = (BigInt::from(rows.max(1)), BigInt::from(sums.len()));
        match center {
            Center::Rows => {
                Self { divisor: columns, weight: 1.into(), constants: vec![BigInt::ZERO; sums.len()] }
            }
            Center::Columns => Self { divisor: rows, weight: BigInt::ZERO, constants: sums },
            Center::Both => {
                let all: BigInt = sums.iter().sum();
                let constants = sums.iter().map(|sum| sum * &columns - &all).collect();
                Self { divisor: columns * &rows, weight: rows, constants }
            }
        }
    }
}

/// Bits that the numerators of centered entries may have, and their divisor, so that 128 bits hold all that is made of them: a
/// quotient of 64 bits at the least.
const NUMERATOR_BITS: u64 = 126;
const DIVISOR_BITS: u64 = 63;

/// Centered entries of row blocks, each rounded once.
pub(crate) struct CenteredRows {
    center: Center,
    /// `a_l` and `b_l`.
    terms: Vec<(i128, i128)>,
    constants: Vec<i128>,
    divisor: i128,
    weight: i128,
    exponent: i64,
    narrow: Option<Narrow>,
}

/// The same where every intermediate result is an integer that f64 holds.
struct Narrow {
    terms: Vec<(f64, f64)>,
    constants: Vec<f64>,
    divisor: f64,
    weight: f64,
    unit: f64,
}

impl CenteredRows {
    /// # Errors
    /// [`Error::Columns`] unless there is a rescale per column sum; [`Error::Rescale`] and [`Error::RescaleRange`] for
    /// slopes and intercepts that can't be used.
    pub fn new(centering: &Centering, rescale: &[Rescale]) -> Result<Self, Error> {
        let n = rescale.len();
        if centering.sums.len() != n {
            return Err(Error::Columns { expected: n, actual: centering.sums.len() });
        }
        let (affine, exponent) = affine_integers(rescale)?;
        let sums = centering.column_sums(&affine);
        let Table { divisor, weight, constants } = Table::new(centering.center, centering.rows, sums);
        // |D v|, |w R| and |c| are at most D times the largest value, |c| of both twice that.
        let value = |(a, b): &(BigInt, BigInt)| (a.magnitude() << 15) + b.magnitude();
        let largest: BigUint =
            affine.iter().map(value).max().unwrap_or_default() * divisor.magnitude() * 4u32;
        if largest.bits() > NUMERATOR_BITS || divisor.bits() > DIVISOR_BITS {
            let bits = largest.bits().max(divisor.bits() + DIVISOR_BITS);
            return Err(Error::CenteringRange { bits, limit: NUMERATOR_BITS });
        }
        let fit = |v: &BigInt| i128::try_from(v).unwrap_or_default();
        let terms: Vec<(i128, i128)> = affine.iter().map(|(a, b)| (fit(a), fit(b))).collect();
        let constants: Vec<i128> = constants.iter().map(fit).collect();
        let (divisor, weight) = (fit(&divisor), fit(&weight));
        let exact = largest.bits() <= 53 && exponent.abs() < 900;
        let narrow = exact.then(|| Narrow {
            terms: terms.iter().map(|&(a, b)| (a as f64, b as f64)).collect(),
            constants: constants.iter().map(|&c| c as f64).collect(),
            divisor: divisor as f64,
            weight: weight as f64,
            unit: pow2(exponent as i32),
        });
        Ok(Self { center: centering.center, terms, constants, divisor, weight, exponent, narrow })
    }

    /// The centered entries of some rows (at most those of `sums`) from row `first` of the block on: `set(l, values)` for
    /// every column.
    #[inline(always)]
    pub fn entries(
        &self,
        block: RowBlock,
        first: usize,
        out: &mut [f64],
        mut set: impl FnMut(usize, &[f64]),
    ) {
        let count = out.len();
        let stored = |l: usize| &block.column(l)[first..first + count];
        match &self.narrow {
            Some(narrow) => {
                let mut removed = vec![0.0; out.len()];
                if self.weight != 0 {
                    for (l, &(a, b)) in narrow.terms.iter().enumerate() {
                        let add = |(sum, &x): (&mut f64, &i16)| *sum += f64::from(x) * a + b;
                        removed.iter_mut().zip(stored(l)).for_each(add);
                    }
                    removed.iter_mut().for_each(|sum| *sum *= narrow.weight);
                }
                for (l, &(a, b)) in narrow.terms.iter().enumerate() {
                    let constant = narrow.constants[l];
                    for ((out, &x), removed) in out.iter_mut().zip(stored(l)).zip(&removed) {
                        let value = f64::from(x) * a + b;
                        let entry = value * narrow.divisor - (removed + constant);
                        *out = entry / narrow.divisor * narrow.unit;
                    }
                    set(l, out);
                }
            }
            None => {
                let removed: Vec<i128> =
                    (first..first + count).map(|i| self.weight * self.row_sum(block, i)).collect();
                for (l, &(a, b)) in self.terms.iter().enumerate() {
                    for ((out, &x), removed) in out.iter_mut().zip(stored(l)).zip(&removed) {
                        let value = i128::from(x) * a + b;
                        *out = self.quotient(value * self.divisor - (removed + self.constants[l]));
                    }
                    set(l, out);
                }
            }
        }
    }

    /// The mean of each row of a block over the columns; none where it is not removed.
    pub fn row_means(&self, block: RowBlock) -> Vec<f64> {
        if !self.center.rows() {
            return vec![];
        }
        // R_i / n = w R_i / D
        (0..block.rows()).map(|i| self.quotient(self.weight * self.row_sum(block, i))).collect()
    }

    /// What is removed of each column besides the rows' means; none where that is nothing.
    pub fn column_terms(&self) -> Vec<f64> {
        if !self.center.columns() {
            return vec![];
        }
        self.constants.iter().map(|&c| self.quotient(c)).collect()
    }

    fn row_sum(&self, block: RowBlock, i: usize) -> i128 {
        let value = |(l, &(a, b)): (usize, &(i128, i128))| i128::from(block.column(l)[i]) * a + b;
        self.terms.iter().enumerate().map(value).sum()
    }

    /// `numerator 2^exponent / D`, rounded once.
    fn quotient(&self, numerator: i128) -> f64 {
        quotient(numerator, self.divisor, self.exponent)
    }
}

/// `numerator 2^exponent / divisor`, rounded once, for a divisor of at most [`DIVISOR_BITS`].
fn quotient(numerator: i128, divisor: i128, exponent: i64) -> f64 {
    let magnitude = numerator.unsigned_abs();
    let shift = magnitude.leading_zeros();
    let (scaled, divisor) = (magnitude << (shift % 128), divisor.unsigned_abs());
    // 65 bits or more, the last of which stands for all below: conversion then rounds to nearest.
    let quotient = (scaled / divisor) | u128::from(!scaled.is_multiple_of(divisor));
    let value = match i32::try_from(exponent - i64::from(shift)) {
        Ok(exponent) if exponent > -1000 => quotient as f64 * pow2(exponent),
        _ => nearest_quotient(&BigUint::from(magnitude), &divisor.into(), exponent),
    };
    if numerator < 0 { -value } else { value }
}
