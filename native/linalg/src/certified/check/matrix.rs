//! `G` as exact integers, and the residual of a candidate.

use super::super::product::Multiplied;
use super::super::wide::Wide;
use super::Candidates;
use super::definite::units_above;
use super::residues::Witness;
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
        let witness = Witness::new(self.g);
        let residual = |j: usize| {
            let vector = candidates.vector(j)?;
            let sound = self.fits(candidates, j) && witness.agrees(vector);
            let residual = || self.residual(j, candidates.value(j), vector);
            if sound { residual() } else { None }
        };
        (0..candidates.len()).into_par_iter().map(|j| residual(j).ok_or(j)).collect()
    }

    /// Whether all products with a candidate fit: entries below 2, eigenvalues up to n and `H x` up to 2 n do, for the
    /// candidates' fraction bits leave `log2 n + 4` bits.
    fn fits<const W: usize>(&self, candidates: &dyn Candidates<W>, j: usize) -> bool {
        let log_n = usize::BITS - self.g.n().leading_zeros();
        candidates.x(j).iter().all(|x| x.abs().bit_length() <= self.vector_bits + 1)
            && candidates.value(j).abs().bit_length() <= self.value_bits + log_n
    }

    /// None for a vector whose squared length is not between 1/2 and 3/2.
    fn residual<const W: usize>(
        &self,
        index: usize,
        value: Wide<W>,
        vector: &Multiplied<W>,
    ) -> Option<Residual> {
        let (f, bits) = (self.vector_bits, self.value_bits);
        let (x, product) = (vector.x(), vector.product());
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
