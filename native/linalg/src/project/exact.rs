//! `T = A V` for columns with small singular values, from exact sums.
//!
//! Where `s_1 / s_j` is large, `T_ij` is what large terms leave when they cancel: a plain chain would lose
//! the digits that make `u_j` orthogonal to the others. But the stored values are integers of 16 bits, so
//! with `V` in fixed point the sum can be exact:
//!
//! `T_ij = 2^-f (sum_l x_il P_lj + C_j)`, `P_lj = slope_l V_lj 2^f` and `C_j = sum_l b_l V_lj 2^f`, both
//! rounded to integers (ties to even), with `V` = first + second word, `b_l = intercept_l + slope_l offset_l`
//! and `f` = 92 less the bits of the largest slope. For CT, whose slope is 1, `P` is `V` to the nearest
//! multiple of 2^-92: `T` is exact to about `2^-92 s_1`. The sum is rounded to f64 once.
//!
//! Of a matrix without its rows' means `V` is replaced by `V - mean(V)` (its column's mean over l), exactly: `(A - A J/n) V =
//! A (V - J/n V)`. Without its columns' means `b_l` is replaced by `b_l` less the column's mean.
//!
//! `P` is split into four digits of 23 bits. A product of a digit and a stored value has 38 bits, so sums over
//! up to 2^14 columns are integers that f64 holds: the fast kernel for plain chains computes them exactly, in
//! any order (Ozaki, Ogita, Oishi and Rump 2012, "Error-free transformations of matrix multiplication").

use crate::affine::{PRODUCT_BITS, affine_integers, dyadic, fraction_bits};
use crate::rounding::pow2;
use crate::tile::LANES;
use crate::tile::chain::accumulate;
use crate::tile::packed::{PackedRows, Panels};
use crate::{Centering, Error, Rescale};
use num_bigint::{BigInt, BigUint};
use std::cmp::Ordering;

/// Digits of `P`.
const DIGITS: usize = 4;

/// Bits of a digit.
const DIGIT_BITS: u32 = PRODUCT_BITS / DIGITS as u32;

/// Bits that `C` may have, so that the whole sum fits into 128.
const MAX_CONSTANT_BITS: u64 = 124;

/// The right operand for some columns of `V`.
pub(super) struct ExactSums {
    /// Which columns of `T`.
    columns: Vec<usize>,
    /// `P` in digits, lowest first.
    digits: Vec<Panels>,
    constants: Vec<i128>,
    /// `2^-f`.
    unit: f64,
}

impl ExactSums {
    /// For the given columns of `V`, whose first and second words are `v(l, j)`.
    pub fn new(
        columns: Vec<usize>,
        v: impl Fn(usize, usize) -> (f64, f64),
        rescale: &[Rescale],
        centering: Option<&Centering>,
    ) -> Result<Self, Error> {
        let (n, width) = (rescale.len(), columns.len());
        if columns.is_empty() {
            return Ok(Self { columns, digits: vec![], constants: vec![], unit: 1.0 });
        }
        let (affine, exponent) = affine_integers(rescale)?;
        let fraction = fraction_bits(&affine, exponent);
        // V as integers over `count`, b as integers over `rows`.
        let without_rows = centering.filter(|c| c.center.rows());
        let count = BigInt::from(without_rows.map_or(1, |_| n));
        let without_columns = centering.filter(|c| c.center.columns());
        let rows = BigInt::from(without_columns.map_or(1, |c| c.rows.max(1)));
        let sums = without_columns.map(|c| c.column_sums(&affine));
        let shift = exponent - FIXED + fraction;
        let mut p = vec![0i128; n * width];
        let mut constants = vec![0i128; width];
        for (at, &j) in columns.iter().enumerate() {
            let mut column: Vec<BigInt> =
                (0..n).map(|l| v(l, j)).map(|(first, second)| fixed(first) + fixed(second)).collect();
            if without_rows.is_some() {
                let sum: BigInt = column.iter().sum();
                column.iter_mut().for_each(|v| *v = &*v * &count - &sum);
            }
            let mut constant = BigInt::ZERO;
            for (l, ((a, b), v)) in affine.iter().zip(&column).enumerate() {
                p[l * width + at] = narrow(&round_quotient(&(a * v), shift, &count))?;
                constant += match &sums {
                    Some(sums) => (b * &rows - &sums[l]) * v,
                    None => b * v,
                };
            }
            constants[at] = narrow(&round_quotient(&constant, shift, &(&count * &rows)))?;
        }
        let digits =
            (0..DIGITS).map(|d| Panels::new(n, width, |l, at| digit(p[l * width + at], d) as f64)).collect();
        Ok(Self { columns, digits, constants, unit: pow2(-fraction as i32) })
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Overwrites these columns of `t` (rows x k) from the stored values of a group of rows.
    #[inline(always)]
    pub fn project(&self, stored: &PackedRows, t: &mut [f64], k: usize, sums: &mut Vec<[f64; LANES]>) {
        let width = self.columns.len();
        let rows = t.len() / k;
        let mut totals = vec![0i128; rows * width];
        totals.chunks_exact_mut(width).for_each(|row| row.copy_from_slice(&self.constants));
        for (d, panels) in self.digits.iter().enumerate() {
            panels.reset(sums, rows);
            accumulate(stored, panels, 0..panels.depth, sums);
            for (total, sums) in totals.chunks_exact_mut(width).zip(sums.chunks_exact(panels.count())) {
                for (total, &sum) in total.iter_mut().zip(sums.as_flattened()) {
                    *total += i128::from(sum as i64) << (DIGIT_BITS * d as u32);
                }
            }
        }
        for (t, total) in t.chunks_exact_mut(k).zip(totals.chunks_exact(width)) {
            for (&j, &total) in self.columns.iter().zip(total) {
                t[j] = total as f64 * self.unit;
            }
        }
    }
}

/// Fraction bits at which every word of `V` is an integer: second words are multiples of 2^-106, first words
/// of 2^-64.
const FIXED: i64 = 128;

/// A word of `V` as an integer at `2^-FIXED`.
fn fixed(v: f64) -> BigInt {
    let (mantissa, exponent) = dyadic(v);
    round(&BigInt::from(mantissa), exponent + FIXED)
}

/// `value * 2^exponent` to the nearest integer, ties to even.
fn round(value: &BigInt, exponent: i64) -> BigInt {
    round_quotient(value, exponent, &BigInt::from(1))
}

/// `value * 2^exponent / divisor` to the nearest integer, ties to even.
fn round_quotient(value: &BigInt, exponent: i64, divisor: &BigInt) -> BigInt {
    let (value, divisor) = match exponent {
        0.. => (value << exponent, divisor.clone()),
        _ => (value.clone(), divisor << exponent.unsigned_abs()),
    };
    let magnitude = value.magnitude();
    let quotient = magnitude / divisor.magnitude();
    let twice: BigUint = (magnitude - &quotient * divisor.magnitude()) * 2u32;
    let up = match twice.cmp(divisor.magnitude()) {
        Ordering::Less => false,
        Ordering::Equal => quotient.bit(0),
        Ordering::Greater => true,
    };
    BigInt::from_biguint(value.sign(), quotient + u32::from(up))
}

fn narrow(value: &BigInt) -> Result<i128, Error> {
    let range = || Error::RescaleRange { bits: value.bits(), limit: MAX_CONSTANT_BITS };
    if value.bits() > MAX_CONSTANT_BITS { Err(range()) } else { i128::try_from(value).map_err(|_| range()) }
}

/// Digit `d`: 23 bits without sign, the top one with the sign and what is left.
fn digit(value: i128, d: usize) -> i64 {
    let rest = value >> (DIGIT_BITS as usize * d);
    if d + 1 == DIGITS { rest as i64 } else { (rest & ((1 << DIGIT_BITS) - 1)) as i64 }
}
