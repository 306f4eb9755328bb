//! `G` as exact integers, and the residual of a candidate.

use super::super::wide::Wide;
use super::definite::units_above;
use crate::GramMatrix;
use crate::rounding::pow2;
use num_bigint::BigInt;

/// Bits of a digit of a vector at the most.
const MAX_DIGIT_BITS: u32 = 63;

/// What the exact residual of candidate `index` says.
pub(super) struct Residual {
    pub index: usize,
    pub value: BigInt,
    /// An eigenvalue lies within this of `value`.
    pub rho: BigInt,
    /// `|1 - x.x|` in units of the vector's last bit, rounded up.
    pub defect: BigInt,
}

/// `G`, and the binary points of the candidates.
pub(super) struct Exact<'g> {
    g: &'g GramMatrix,
    vector_bits: u32,
    value_bits: u32,
    /// Bits of a digit of a vector, so that n products with a digit of `G` stay below 2^126.
    digit_bits: u32,
}

impl<'g> Exact<'g> {
    pub fn new(g: &'g GramMatrix, vector_bits: u32, value_bits: u32) -> Self {
        let log_n = usize::BITS - g.n().leading_zeros();
        let digit_bits = (126 - g.digit_bits() - log_n).min(MAX_DIGIT_BITS);
        Self { g, vector_bits, value_bits, digit_bits }
    }

    /// `tr H` in units of the eigenvalues' last bit.
    pub fn trace(&self) -> BigInt {
        let n = self.g.n();
        let plane = |plane: &Vec<i64>| (0..n).map(|i| i128::from(plane[i * (n + 1)])).sum::<i128>();
        let planes = self.g.planes().iter().rev();
        let sum = planes.fold(BigInt::ZERO, |sum, p| (sum << self.g.digit_bits()) + plane(p));
        sum << (self.value_bits - self.g.bits())
    }

    /// None for a vector with entries of 2 or more, or whose squared length is not between 1/2 and 3/2.
    ///
    /// Entries below 2, eigenvalues up to n and `H x` up to 2 n: all products fit, for the candidates' fraction bits
    /// leave `log2 n + 4` bits.
    pub fn residual<const W: usize>(&self, index: usize, value: Wide<W>, x: &[Wide<W>]) -> Option<Residual> {
        let (f, bits) = (self.vector_bits, self.value_bits);
        let log_n = usize::BITS - self.g.n().leading_zeros();
        if x.iter().any(|x| x.abs().bit_length() > f + 1) || value.abs().bit_length() > bits + log_n {
            return None;
        }
        let length = x.iter().fold(Wide::ZERO, |sum: Wide<W>, &x| sum.add(x.mul(x)));
        let defect = Wide::from_i128(1, 2 * f).sub(length).abs();
        if defect.bit_length() >= 2 * f {
            return None;
        }
        let align = bits - self.g.bits();
        let products = self.product(x);
        let r: Vec<f64> = products
            .iter()
            .zip(x)
            .map(|(product, &x)| product.shl(align).sub(value.mul(x)).to_f64(f + bits))
            .collect();
        // |r| / |x| with |x|^2 = 1 - defect >= 1/2.
        let length = (1.0 - defect.to_f64(2 * f)).sqrt();
        let rho = units_above(norm_bound(&r) / length * (1.0 + pow2(-40)), bits);
        Some(Residual { index, value: value.to_big(), rho, defect: (defect.to_big() >> f) + 1 })
    }

    /// `G x`.
    fn product<const W: usize>(&self, x: &[Wide<W>]) -> Vec<Wide<W>> {
        let n = self.g.n();
        let digits = self.digits(x);
        let row = |i: usize| {
            let mut sum = Wide::ZERO;
            for (p, plane) in self.g.planes().iter().enumerate() {
                let row = &plane[i * n..(i + 1) * n];
                for (d, digits) in digits.iter().enumerate() {
                    let dot: i128 =
                        row.iter().zip(digits).map(|(&a, &b)| i128::from(a) * i128::from(b)).sum();
                    let shift = p as u32 * self.g.digit_bits() + d as u32 * self.digit_bits;
                    sum = sum.add(Wide::from_i128(dot, shift));
                }
            }
            sum
        };
        (0..n).map(row).collect()
    }

    /// The digits of every entry, lowest first, with the entry's sign.
    fn digits<const W: usize>(&self, x: &[Wide<W>]) -> Vec<Vec<i64>> {
        let longest = x.iter().map(|x| x.abs().bit_length()).max().unwrap_or(0);
        let digit = |x: &Wide<W>, low: u32| {
            let digit = (x.abs().shr(low).low() & ((1 << self.digit_bits) - 1)) as i64;
            if x.is_negative() { -digit } else { digit }
        };
        let lows = (0..longest).step_by(self.digit_bits as usize);
        lows.map(|low| x.iter().map(|x| digit(x, low)).collect()).collect()
    }
}

/// An upper bound of the Euclidean norm of numbers that are off by a unit in the last place, or zero for less than
/// 2^-950.
fn norm_bound(r: &[f64]) -> f64 {
    let largest = r.iter().fold(0.0f64, |most, r| most.max(r.abs()));
    let below_range = r.len() as f64 * pow2(-950);
    if largest == 0.0 {
        return below_range;
    }
    let relative: f64 = r.iter().map(|r| (r / largest).powi(2)).sum();
    largest * relative.sqrt() * (1.0 + r.len() as f64 * pow2(-50)) + below_range
}
