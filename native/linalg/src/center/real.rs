//! Matrices of floats without their means.
//!
//! In units of the lowest bit of all values, they are integers `v_il`, and the centered entries the fractions of the table in
//! [`super`]: `(D v_il - w R_i - c_l) / D`. Their numerators are kept as integers: of 128 bits where these hold them, else
//! of any size.

use super::{Center, DIVISOR_BITS, NUMERATOR_BITS, Table, quotient};
use crate::Error;
use crate::affine::dyadic;
use crate::rounding::nearest_quotient;
use ndarray::ArrayView2;
use num_bigint::{BigInt, Sign};
use serde::{Deserialize, Serialize};
use std::ops::{AddAssign, Mul, Shl, Sub};

/// What the means of a matrix of floats are computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct RealCentering {
    center: Center,
    rows: u64,
    /// Every value is an integer times `2^exponent`, and that integer is below `2^bits` in magnitude.
    exponent: i64,
    bits: u32,
    /// Of these integers, of each column.
    sums: Vec<BigInt>,
}

/// The same as it is serialized: sums in two's complement, lowest bytes first.
type Stored = (Center, u64, i64, u32, Vec<Vec<u8>>);

impl RealCentering {
    pub(crate) fn new(center: Center, rows: u64, (exponent, bits): (i64, u32), sums: Vec<BigInt>) -> Self {
        Self { center, rows, exponent, bits, sums }
    }

    /// Which means.
    #[must_use]
    pub fn center(&self) -> Center {
        self.center
    }

    /// Columns of the matrix.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.sums.len()
    }

    /// Each column's mean over the rows, rounded once, removed or not.
    #[must_use]
    pub fn column_means(&self) -> Vec<f64> {
        let rows = BigInt::from(self.rows.max(1));
        self.sums.iter().map(|sum| sum.nearest(&rows, self.exponent)).collect()
    }
}

impl From<RealCentering> for Stored {
    fn from(of: RealCentering) -> Self {
        let sums = of.sums.iter().map(BigInt::to_signed_bytes_le).collect();
        (of.center, of.rows, of.exponent, of.bits, sums)
    }
}

impl TryFrom<Stored> for RealCentering {
    type Error = Error;

    fn try_from((center, rows, exponent, bits, sums): Stored) -> Result<Self, Error> {
        let sums: Vec<BigInt> = sums.iter().map(|sum| BigInt::from_signed_bytes_le(sum)).collect();
        let most = BigInt::from(rows) << bits.min(2200);
        let possible = (-1074..=1024).contains(&exponent)
            && bits <= 2200
            && sums.iter().all(|sum| sum.magnitude() <= most.magnitude());
        match possible {
            true => Ok(Self { center, rows, exponent, bits, sums }),
            false => Err(Error::Bytes { what: "means of floats", why: "sums that no floats have" }),
        }
    }
}

/// An integer in which numerators are kept.
pub(crate) trait Whole:
    Clone
    + From<i64>
    + Shl<u32, Output = Self>
    + for<'a> AddAssign<&'a Self>
    + for<'a> Mul<&'a Self, Output = Self>
    + for<'a> Sub<&'a Self, Output = Self>
{
    /// The f64 nearest to `2^exponent / divisor` times it.
    fn nearest(&self, divisor: &Self, exponent: i64) -> f64;

    /// The sum of the products of some with others, which are below 2^108.
    fn sum_of_products(some: &[Self], others: &[i128]) -> BigInt;

    fn into_big(self) -> BigInt;
}

impl Whole for i128 {
    fn nearest(&self, divisor: &Self, exponent: i64) -> f64 {
        quotient(*self, *divisor, exponent)
    }

    /// By digits of 42 and of 54 bits: 128 bits hold the sums of more than 2^16 of their products.
    fn sum_of_products(some: &[Self], others: &[i128]) -> BigInt {
        const SOME: u32 = 42;
        const OTHERS: u32 = 54;
        let low = |value: i128, bits: u32| value & ((1 << bits) - 1);
        let mut sums = [[0i128; 2]; 3];
        for (&x, &y) in some.iter().zip(others) {
            let y = [low(y, OTHERS) as i64, (y >> OTHERS) as i64].map(i128::from);
            let x = [low(x, SOME) as i64, low(x >> SOME, SOME) as i64, (x >> (2 * SOME)) as i64];
            for (sums, x) in sums.iter_mut().zip(x.map(i128::from)) {
                sums.iter_mut().zip(y).for_each(|(sum, y)| *sum += x * y);
            }
        }
        let of_digit = |[low, high]: [i128; 2]| (BigInt::from(high) << OTHERS) + low;
        sums.into_iter().rev().fold(BigInt::ZERO, |all, sums| (all << SOME) + of_digit(sums))
    }

    fn into_big(self) -> BigInt {
        self.into()
    }
}

impl Whole for BigInt {
    fn nearest(&self, divisor: &Self, exponent: i64) -> f64 {
        let magnitude = nearest_quotient(self.magnitude(), divisor.magnitude(), exponent);
        if self.sign() == Sign::Minus { -magnitude } else { magnitude }
    }

    fn sum_of_products(some: &[Self], others: &[i128]) -> BigInt {
        some.iter().zip(others).map(|(x, y)| x * y).sum()
    }

    fn into_big(self) -> BigInt {
        self
    }
}

/// What makes centered entries of rows.
pub(crate) enum CenteredReals {
    Narrow(Fractions<i128>),
    Wide(Fractions<BigInt>),
}

impl CenteredReals {
    pub fn new(centering: &RealCentering) -> Self {
        let RealCentering { center, rows, exponent, bits, ref sums } = *centering;
        let Table { divisor, weight, constants } = Table::new(center, rows, sums.clone());
        let fractions = Fractions { center, exponent, bits, divisor, weight, constants };
        // |D v|, |w R| and |c| are at most D times the largest value, |c| of both twice that.
        let largest = u64::from(bits) + fractions.divisor.bits() + 2;
        match largest <= NUMERATOR_BITS && fractions.divisor.bits() <= DIVISOR_BITS {
            true => Self::Narrow(fractions.narrowed()),
            false => Self::Wide(fractions),
        }
    }
}

/// The entries of a centered matrix as fractions of one divisor.
pub(crate) struct Fractions<T> {
    center: Center,
    exponent: i64,
    bits: u32,
    divisor: T,
    weight: T,
    constants: Vec<T>,
}

impl Fractions<BigInt> {
    /// The same where 128 bits hold everything.
    fn narrowed(self) -> Fractions<i128> {
        let Self { center, exponent, bits, divisor, weight, constants } = self;
        let fit = |v: &BigInt| i128::try_from(v).unwrap_or_default();
        let constants = constants.iter().map(fit).collect();
        Fractions { center, exponent, bits, divisor: fit(&divisor), weight: fit(&weight), constants }
    }
}

impl<T: Whole> Fractions<T> {
    /// The numerators of some rows, row after row.
    ///
    /// # Errors
    /// [`Error::NotFiniteValue`]; [`Error::OutsideRange`] for a value that the matrix does not have.
    pub fn numerators<V: Copy + Into<f64>>(&self, rows: ArrayView2<V>) -> Result<Vec<T>, Error> {
        let mut numerators = Vec::with_capacity(rows.len());
        for (i, row) in rows.rows().into_iter().enumerate() {
            let first = numerators.len();
            let mut removed = T::from(0);
            for (l, &value) in row.iter().enumerate() {
                let integer = self.integer(value.into()).map_err(|error| error(i as u64, l))?;
                if self.center.rows() {
                    removed += &integer;
                }
                numerators.push(integer);
            }
            removed = removed * &self.weight;
            for (value, constant) in numerators[first..].iter_mut().zip(&self.constants) {
                *value = value.clone() * &self.divisor - &removed - constant;
            }
        }
        Ok(numerators)
    }

    /// The centered entry with this numerator, times `2^scale`, rounded once.
    pub fn entry(&self, numerator: &T, scale: i64) -> f64 {
        numerator.nearest(&self.divisor, self.exponent + scale)
    }

    /// The f64 nearest to the sum of the products of a row's centered entries with `weights`, times `2^scale`.
    pub fn product(&self, numerators: &[T], weights: &[i128], scale: i64) -> f64 {
        let sum = T::sum_of_products(numerators, weights);
        sum.nearest(&self.divisor.clone().into_big(), self.exponent + scale)
    }

    /// The mean of each row over the columns, rounded once; none where it is not removed.
    ///
    /// # Errors
    /// As [`numerators`](Self::numerators).
    pub fn row_means<V: Copy + Into<f64>>(&self, rows: ArrayView2<V>) -> Result<Vec<f64>, Error> {
        if !self.center.rows() {
            return Ok(vec![]);
        }
        let mean = |(i, row): (usize, ndarray::ArrayView1<V>)| {
            let mut sum = T::from(0);
            for (l, &value) in row.iter().enumerate() {
                sum += &self.integer(value.into()).map_err(|error| error(i as u64, l))?;
            }
            // R / n = w R / D
            Ok((sum * &self.weight).nearest(&self.divisor, self.exponent))
        };
        rows.rows().into_iter().enumerate().map(mean).collect()
    }

    /// What is removed of each column besides the rows' means; none where that is nothing.
    pub fn column_terms(&self) -> Vec<f64> {
        if !self.center.columns() {
            return vec![];
        }
        self.constants.iter().map(|constant| self.entry(constant, 0)).collect()
    }

    /// A value in the unit of all.
    fn integer(&self, value: f64) -> Result<T, fn(u64, usize) -> Error> {
        if !value.is_finite() {
            return Err(|row, column| Error::NotFiniteValue { row, column });
        }
        if value == 0.0 {
            return Ok(T::from(0));
        }
        let (mantissa, exponent) = dyadic(value);
        let bits = u64::BITS - mantissa.unsigned_abs().leading_zeros();
        match u32::try_from(exponent - self.exponent) {
            Ok(shift) if shift + bits <= self.bits => Ok(T::from(mantissa) << shift),
            _ => Err(|row, column| Error::OutsideRange { row, column }),
        }
    }
}
