//! `G` as exact integers, and the residual of a candidate.

use super::super::product::{COLUMNS_AT_ONCE, ExactProduct};
use super::super::wide::Wide;
use super::Candidates;
use super::definite::units_above;
use crate::GramMatrix;
use crate::rounding::pow2;
use num_bigint::BigInt;
use rayon::prelude::*;

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
}

impl<'g> Exact<'g> {
    pub fn new(g: &'g GramMatrix, vector_bits: u32, value_bits: u32) -> Self {
        Self { g, vector_bits, value_bits }
    }

    /// `tr H` in units of the eigenvalues' last bit.
    pub fn trace(&self) -> BigInt {
        let n = self.g.n();
        let plane = |plane: &Vec<i64>| (0..n).map(|i| i128::from(plane[i * (n + 1)])).sum::<i128>();
        let planes = self.g.planes().iter().rev();
        let sum = planes.fold(BigInt::ZERO, |sum, p| (sum << self.g.digit_bits()) + plane(p));
        sum << (self.value_bits - self.g.bits())
    }

    /// The residual of every candidate, or the index of one that has none.
    pub fn residuals<const W: usize>(&self, candidates: &dyn Candidates<W>) -> Vec<Result<Residual, usize>> {
        let count = candidates.len();
        let at_once = count.div_ceil(rayon::current_num_threads()).clamp(1, COLUMNS_AT_ONCE);
        let product = ExactProduct::new(self.g);
        let firsts: Vec<usize> = (0..count).step_by(at_once).collect();
        let some = |&first: &usize| {
            let some = first..(first + at_once).min(count);
            // What is too large is rejected before anything is multiplied.
            let sound: Vec<usize> = some.clone().filter(|&j| self.fits(candidates, j)).collect();
            let columns: Vec<&[Wide<W>]> = sound.iter().map(|&j| candidates.vector(j)).collect();
            let mut residuals: Vec<Result<Residual, usize>> = some.map(Err).collect();
            for (j, product) in sound.into_iter().zip(product.of(self.g, &columns)) {
                let residual = self.residual(j, candidates.value(j), candidates.vector(j), &product);
                residuals[j - first] = residual.ok_or(j);
            }
            residuals
        };
        firsts.par_iter().flat_map_iter(some).collect()
    }

    /// Whether all products with a candidate fit: entries below 2, eigenvalues up to n and `H x` up to 2 n do, for the
    /// candidates' fraction bits leave `log2 n + 4` bits.
    fn fits<const W: usize>(&self, candidates: &dyn Candidates<W>, j: usize) -> bool {
        let log_n = usize::BITS - self.g.n().leading_zeros();
        candidates.vector(j).iter().all(|x| x.abs().bit_length() <= self.vector_bits + 1)
            && candidates.value(j).abs().bit_length() <= self.value_bits + log_n
    }

    /// None for a vector whose squared length is not between 1/2 and 3/2; `product` is `G x`.
    fn residual<const W: usize>(
        &self,
        index: usize,
        value: Wide<W>,
        x: &[Wide<W>],
        product: &[Wide<W>],
    ) -> Option<Residual> {
        let (f, bits) = (self.vector_bits, self.value_bits);
        let length = x.iter().fold(Wide::ZERO, |sum: Wide<W>, &x| sum.add(x.mul(x)));
        let defect = Wide::from_i128(1, 2 * f).sub(length).abs();
        if defect.bit_length() >= 2 * f {
            return None;
        }
        let align = bits - self.g.bits();
        let r: Vec<f64> = product
            .iter()
            .zip(x)
            .map(|(product, &x)| product.shl(align).sub(value.mul(x)).to_f64(f + bits))
            .collect();
        // |r| / |x| with |x|^2 = 1 - defect >= 1/2.
        let length = (1.0 - defect.to_f64(2 * f)).sqrt();
        let rho = units_above(norm_bound(&r) / length * (1.0 + pow2(-40)), bits);
        Some(Residual { index, value: value.to_big(), rho, defect: (defect.to_big() >> f) + 1 })
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
