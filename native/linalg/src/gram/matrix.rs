//! The Gram matrix of rescaled columns as exact integers times a power of two.
//!
//! With slopes and intercepts as the f64 that DICOM's decimal strings round to, `A_ij = slope_j x_ij + b_j`
//! is a dyadic rational and so is `G_ij = slope_i slope_j S_ij + slope_i b_j S_i + b_i slope_j S_j + rows b_i
//! b_j`, from the exact sums of the stored integers. Integer slopes (CT) give integers of fewer than 63 bits;
//! others up to about 170. Wide integers are kept as planes of digits, so that every kernel sees 64-bit
//! words.

use super::digits::{Digits, digits};
use super::sums::{Column, NARROW_ROWS};
use crate::affine::{affine_integers, fraction_bits};
use crate::center::Center;
use crate::rounding::{nearest_quotient, pow2};
use crate::{Error, Rescale};
use num_bigint::{BigInt, BigUint};

/// An exact symmetric positive semidefinite matrix, `n x n`: `G = 2^exponent / divisor * sum_d planes[d] * 2^(d *
/// digit_bits)`.
#[derive(Clone, Debug)]
pub struct GramMatrix {
    n: usize,
    rows: u64,
    exponent: i64,
    /// Odd; 1 unless means were removed.
    divisor: BigUint,
    bits: u32,
    digit_bits: u32,
    planes: Vec<Vec<i64>>,
    trace: f64,
    sums_unit: Option<i32>,
}

impl GramMatrix {
    /// Order of the matrix.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Rows of the matrix whose Gram matrix this is.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The trace, `||A||_F^2`, correctly rounded.
    pub fn trace(&self) -> f64 {
        self.trace
    }

    /// Bits of the largest integer entry in magnitude; 0 for the zero matrix.
    pub(crate) fn bits(&self) -> u32 {
        self.bits
    }

    /// The power of two that multiplies the integers.
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// The odd number that divides the integers; 1 unless means were removed.
    pub fn divisor(&self) -> &BigUint {
        &self.divisor
    }

    /// The integer in row `i`, column `j`: the entry of the matrix is `2^exponent / divisor` times it.
    ///
    /// # Panics
    /// If there is no such row or column.
    pub fn integer(&self, i: usize, j: usize) -> BigInt {
        let digits = self.planes.iter().rev().map(|plane| plane[i * self.n + j]);
        digits.fold(BigInt::ZERO, |sum, digit| (sum << self.digit_bits) + digit)
    }

    /// Bits by which successive planes are shifted.
    pub(crate) fn digit_bits(&self) -> u32 {
        self.digit_bits
    }

    /// Of integers that are rescaled: the power of two to which the terms of compensated columns of `T` are rounded.
    pub(crate) fn sums_unit(&self) -> Option<i32> {
        self.sums_unit
    }

    /// The digits, lowest first, each `n x n` row-major and below `2^digit_bits` in magnitude.
    pub(crate) fn planes(&self) -> &[Vec<i64>] {
        &self.planes
    }

    /// The matrix scaled to entries of at most 1 in magnitude, row-major, each rounded a few times: for
    /// starts, not for results.
    pub(crate) fn approximate(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.n * self.n];
        for (d, plane) in self.planes.iter().enumerate() {
            let scale = pow2(d as i32 * self.digit_bits as i32 - self.bits as i32);
            out.iter_mut().zip(plane).for_each(|(o, &v)| *o += v as f64 * scale);
        }
        out
    }

    /// The trace of [`approximate`](Self::approximate).
    pub(crate) fn approximate_trace(&self) -> f64 {
        let diagonal = |plane: &Vec<i64>| (0..self.n).map(|i| plane[i * (self.n + 1)] as f64).sum::<f64>();
        let scale = |d: usize| pow2(d as i32 * self.digit_bits as i32 - self.bits as i32);
        self.planes.iter().enumerate().map(|(d, plane)| diagonal(plane) * scale(d)).sum()
    }

    pub(super) fn from_sums(
        rows: u64,
        columns: &[Column],
        product: impl Fn(usize, usize) -> i128 + Sync,
        rescale: &[Rescale],
        center: Option<Center>,
    ) -> Result<Self, Error> {
        let n = columns.len();
        let affine = Affine::new(rescale, columns)?;
        let unit = -fraction_bits(&affine.terms, affine.exponent);
        let sums_unit = Some(i32::try_from(unit).unwrap_or(i32::MAX));
        // 1. Without means to remove and where 64 or 128 bits hold everything, as for the 16-bit integers of a CT scan.
        if let (Some(terms), None) = (affine.small(rows), center) {
            let digits = if affine.fits_words(terms, rows) {
                let terms: Vec<_> = terms.iter().map(|&(a, b)| (a as i64, b as i64)).collect();
                let sums: Vec<_> = columns.iter().map(|column| column.sum as i64).collect();
                digits(n, |i, j| {
                    let ((a, b), (c, d)) = (terms[i], terms[j]);
                    let of_slope = c.wrapping_mul(product(i, j) as i64).wrapping_add(d.wrapping_mul(sums[i]));
                    let constant = c.wrapping_mul(sums[j]).wrapping_add(d.wrapping_mul(rows as i64));
                    a.wrapping_mul(of_slope).wrapping_add(b.wrapping_mul(constant))
                })
            } else {
                digits(n, |i, j| affine.narrow_entry(terms, rows, i, j, product(i, j)))
            };
            return Ok(Self {
                sums_unit,
                ..Self::from_digits(n, rows, digits, 2 * affine.exponent, 1u32.into())
            });
        }
        // 2. Anything else.
        let mut entries = Vec::with_capacity(n * (n + 1) / 2);
        for i in 0..n {
            entries.extend((i..n).map(|j| affine.entry(rows, i, j, product(i, j))));
        }
        let sums = || affine.sums(rows);
        Ok(Self { sums_unit, ..Self::without_means(n, rows, entries, sums, 2 * affine.exponent, center) })
    }

    /// From the upper triangle, row by row, of integers that `2^exponent` multiplies, and the columns' sums, whose unit is the
    /// root of that: the Gram matrix of what is left without the means that `center` names.
    pub(crate) fn without_means(
        n: usize,
        rows: u64,
        mut entries: Vec<BigInt>,
        sums: impl FnOnce() -> Vec<BigInt>,
        exponent: i64,
        center: Option<Center>,
    ) -> Self {
        let mut divisor = BigUint::from(1u32);
        if center.is_some_and(Center::columns) {
            divisor *= remove_column_means(&mut entries, &sums(), rows);
        }
        if center.is_some_and(Center::rows) {
            divisor *= remove_row_means(&mut entries, n);
        }
        Self::from_upper(n, rows, &entries, exponent, divisor)
    }

    /// From the upper triangle, row by row, of integers that `2^exponent / divisor` multiplies.
    fn from_upper(n: usize, rows: u64, entries: &[BigInt], exponent: i64, divisor: BigUint) -> Self {
        let digits = digits(n, |i, j| &entries[upper_index(n, i, j)]);
        Self::from_digits(n, rows, digits, exponent, divisor)
    }

    fn from_digits(n: usize, rows: u64, digits: Digits, exponent: i64, divisor: BigUint) -> Self {
        let halvings = divisor.trailing_zeros().unwrap_or(0);
        let divisor = divisor >> halvings;
        let exponent = exponent + digits.twos as i64 - halvings as i64;
        let trace = nearest_quotient(digits.trace.magnitude(), &divisor, exponent);
        let (bits, digit_bits) = (digits.bits as u32, digits.digit_bits as u32);
        Self { n, rows, exponent, divisor, bits, digit_bits, planes: digits.planes, trace, sums_unit: None }
    }
}

/// Where the upper triangle, row by row, has entry (i, j), i <= j.
fn upper_index(n: usize, i: usize, j: usize) -> usize {
    i * n - i * (i + 1) / 2 + j
}

/// `m A^T (I - J/m) A = m G - c c^T` from `G = A^T A` and the column sums `c`; the factor m.
fn remove_column_means(entries: &mut [BigInt], sums: &[BigInt], rows: u64) -> BigUint {
    let n = sums.len();
    for i in 0..n {
        for j in i..n {
            let entry = &mut entries[upper_index(n, i, j)];
            *entry = &*entry * rows - &sums[i] * &sums[j];
        }
    }
    BigUint::from(rows.max(1))
}

/// `n^2 (I - J/n) G (I - J/n)`, entries `n^2 G_ij - n (r_i + r_j) + t` with the row sums `r` of `G` and their sum `t`; the
/// factor n^2.
fn remove_row_means(entries: &mut [BigInt], n: usize) -> BigUint {
    let row = |i: usize| (0..n).map(|j| &entries[upper_index(n, i.min(j), i.max(j))]).sum::<BigInt>() * n;
    let sums: Vec<BigInt> = (0..n).map(row).collect();
    let total = sums.iter().sum::<BigInt>() / n;
    let factor = BigUint::from(n).pow(2);
    let square = BigInt::from(factor.clone());
    for i in 0..n {
        for j in i..n {
            let entry = &mut entries[upper_index(n, i, j)];
            *entry = &*entry * &square - &sums[i] - &sums[j] + &total;
        }
    }
    factor
}

/// The rescales of some columns as integers at one power of two, and the columns' sums.
struct Affine<'a> {
    columns: &'a [Column],
    /// Slope and constant term.
    terms: Vec<(BigInt, BigInt)>,
    /// The same where all are below 2^31 in magnitude.
    small: Option<Vec<(i128, i128)>>,
    exponent: i64,
}

impl<'a> Affine<'a> {
    /// One rescale per column.
    pub fn new(rescale: &[Rescale], columns: &'a [Column]) -> Result<Self, Error> {
        let (terms, exponent) = affine_integers(rescale)?;
        let narrow = |v: &BigInt| i32::try_from(v).ok().map(i128::from);
        let small = terms.iter().map(|(a, b)| Some((narrow(a)?, narrow(b)?))).collect();
        Ok(Self { columns, terms, small, exponent })
    }

    /// Slopes and constant terms where 128 bits hold every term of an entry and their sum: with coefficients below 2^31,
    /// products are below 2^62 and sums below 2^46.
    fn small(&self, rows: u64) -> Option<&[(i128, i128)]> {
        self.small.as_deref().filter(|_| rows <= NARROW_ROWS)
    }

    /// Whether 64 bits do: every term is at most `rows (a x + b)^2` in magnitude for the largest slope, constant term and value.
    fn fits_words(&self, terms: &[(i128, i128)], rows: u64) -> bool {
        let largest =
            |of: fn(&(i128, i128)) -> i128| terms.iter().map(|t| of(t).unsigned_abs()).max().unwrap_or(0);
        let value = (largest(|t| t.0) << 16) + largest(|t| t.1);
        value
            .checked_mul(value)
            .and_then(|square| square.checked_mul(rows.into()))
            .is_some_and(|most| most < 1 << 62)
    }

    /// `sum over rows of (a x + b)(c y + d)` for columns i and j, from the sum of the products `x y`.
    fn entry(&self, rows: u64, i: usize, j: usize, product: i128) -> BigInt {
        if let Some(terms) = self.small(rows) {
            return self.narrow_entry(terms, rows, i, j, product).into();
        }
        let ((a, b), (c, d)) = (&self.terms[i], &self.terms[j]);
        let (x, y) = (self.columns[i].sum, self.columns[j].sum);
        a * c * product + a * d * x + b * c * y + b * d * rows
    }

    fn narrow_entry(&self, terms: &[(i128, i128)], rows: u64, i: usize, j: usize, product: i128) -> i128 {
        let ((a, b), (c, d)) = (terms[i], terms[j]);
        let (x, y) = (self.columns[i].sum, self.columns[j].sum);
        a * c * product + a * d * x + b * c * y + b * d * i128::from(rows)
    }

    /// The sums of the rescaled columns over `rows` rows.
    fn sums(&self, rows: u64) -> Vec<BigInt> {
        let sum = |((a, b), column): (&(BigInt, BigInt), &Column)| a * column.sum + b * rows;
        self.terms.iter().zip(self.columns).map(sum).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affine::dyadic;
    use crate::{GramAccumulator, column_major};

    fn gram(values: &[i16], rows: usize, rescale: &[Rescale]) -> GramMatrix {
        let mut g = GramAccumulator::new(rescale.len()).unwrap();
        g.add(column_major(values, rows, rescale.len()).unwrap()).unwrap();
        g.finish(rescale).unwrap()
    }

    #[test]
    fn integer_slopes_give_the_integers_of_the_rescaled_values() {
        let rescale = [
            Rescale { slope: 1.0, intercept: -1024.0, offset: 0 },
            Rescale { slope: 2.0, intercept: 3.0, offset: 32_768 },
        ];
        let values = [0i16, 5, -3, 7, -32_768, 100];
        let g = gram(&values, 3, &rescale);
        let real = |r: usize, j: usize| {
            let s = rescale[j];
            s.slope as i64 * (i64::from(values[j * 3 + r]) + i64::from(s.offset)) + s.intercept as i64
        };
        for i in 0..2 {
            for j in 0..2 {
                let expected: i64 = (0..3).map(|r| real(r, i) * real(r, j)).sum();
                assert_eq!(g.integer(i, j) << g.exponent, BigInt::from(expected));
            }
        }
        assert_eq!(
            g.trace(),
            (0..2).map(|j| (0..3).map(|r| real(r, j).pow(2)).sum::<i64>()).sum::<i64>() as f64
        );
    }

    #[test]
    fn decimal_slopes_give_exact_dyadic_rationals() {
        let rescale = [
            Rescale { slope: 0.001_234_567, intercept: -1024.7, offset: 0 },
            Rescale { slope: 12.3, intercept: 0.1, offset: 32_768 },
        ];
        let values = [1i16, -7, 30_000, 4, 32_767, -32_768];
        let g = gram(&values, 3, &rescale);
        assert!(g.planes.len() > 1);
        // The same sum over big integers at 2^-80.
        let at = |v: f64| {
            let (m, e) = dyadic(v);
            BigInt::from(m) << (e + 80)
        };
        let real = |r: usize, j: usize| {
            at(rescale[j].slope) * (i64::from(values[j * 3 + r]) + i64::from(rescale[j].offset))
                + at(rescale[j].intercept)
        };
        for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let expected: BigInt = (0..3).map(|r| real(r, i) * real(r, j)).sum();
            assert_eq!(g.integer(i, j) << (g.exponent + 160), expected);
        }
    }

    #[test]
    fn slopes_without_meaning_or_of_absurd_range_are_refused() {
        let mut g = GramAccumulator::new(1).unwrap();
        g.add(column_major(&[1i16, 2], 2, 1).unwrap()).unwrap();
        for (slope, intercept) in [(f64::NAN, 0.0), (0.0, 0.0), (1.0, f64::INFINITY)] {
            assert!(matches!(
                g.finish(&[Rescale { slope, intercept, offset: 0 }]),
                Err(Error::Rescale { column: 0, .. })
            ));
        }
        assert!(matches!(
            g.finish(&[Rescale { slope: 1e-300, intercept: 1e300, offset: 0 }]),
            Err(Error::RescaleRange { .. })
        ));
    }
}
