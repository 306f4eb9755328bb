//! Disjoint intervals that hold at least as many eigenvalues as they have candidates.
//!
//! For c candidates with residuals `R = H X - X diag(l)`, c eigenvalues of `H` lie, one each, within `sqrt(2) |R|_F /
//! sigma_min(X)` of the `l` (Kahan 1967; Parlett, "The Symmetric Eigenvalue Problem", 11.5, 11.8); for c = 1 without
//! the factor. That the vectors are independent, `sigma_min(X)^2 >= 1 - |I - X^T X|_F`, is part of the proof.

use super::matrix::Residual;
use super::{Candidates, Rejection};
use crate::rounding::pow2;
use num_bigint::BigInt;

/// An interval, and the candidates in it.
pub(super) struct Cell {
    /// Candidates, by descending eigenvalue.
    pub members: Vec<usize>,
    /// Of the candidates' eigenvalues.
    sum: BigInt,
    least: BigInt,
    greatest: BigInt,
    /// As many eigenvalues as members lie, one each, within this of the members' own.
    pub radius: BigInt,
    pub low: BigInt,
    pub high: BigInt,
    /// `|1 - x.x|` of the first member.
    pub defect: BigInt,
    /// The sum of the members' squared residuals.
    squares: BigInt,
    /// The members' vectors in float64 and `|I - X^T X|_F^2`, once there is more than one.
    vectors: Vec<Vec<f64>>,
    dependence: f64,
}

impl Cell {
    fn new(r: Residual) -> Self {
        let (low, high) = (&r.value - &r.rho, &r.value + &r.rho);
        Self {
            members: vec![r.index],
            sum: r.value.clone(),
            least: r.value.clone(),
            greatest: r.value,
            squares: &r.rho * &r.rho,
            radius: r.rho,
            low,
            high,
            defect: r.defect,
            vectors: vec![],
            dependence: 0.0,
        }
    }

    /// The eigenvalues in the cell sum to at least this.
    pub fn least_sum(&self) -> BigInt {
        &self.sum - &self.radius * self.members.len()
    }

    /// Takes in the next lower cell. None where the vectors are not proven to be independent.
    fn merge<const W: usize>(mut self, mut other: Self, candidates: &dyn Candidates<W>) -> Option<Self> {
        for cell in [&mut self, &mut other] {
            if cell.vectors.is_empty() {
                let f = candidates.vector_bits();
                let x = candidates.x(cell.members[0]);
                cell.vectors = vec![x.iter().map(|x| x.to_f64(f)).collect()];
                cell.dependence = dependence(&cell.vectors[0], &cell.vectors[0], 1.0);
            }
        }
        // Each pair once: those within either cell have been.
        let cross =
            self.vectors.iter().flat_map(|a| other.vectors.iter().map(move |b| dependence(a, b, 0.0)));
        self.dependence = (self.dependence + 2.0 * cross.sum::<f64>() + other.dependence) * (1.0 + pow2(-40));
        if self.dependence >= 0.25 {
            return None;
        }
        self.members.extend(other.members);
        self.vectors.extend(other.vectors);
        self.sum += other.sum;
        self.squares += other.squares;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        // sigma_min^2 >= 1/2 and |x|^2 <= 3/2, so that sqrt(2) |R| / sigma_min <= sqrt(6) |R_j / |x_j||_F.
        self.radius = self.squares.sqrt() * 3 + 3;
        (self.low, self.high) = (&self.least - &self.radius, &self.greatest + &self.radius);
        Some(self)
    }
}

/// `(x.y - expected)^2`, rounded up: an inner product of n terms is off by at most `n 2^-53 |x| |y|` in any order
/// (Higham 2002, 3.5), the vectors' entries by a unit each, and squared lengths are at most 3/2.
fn dependence(x: &[f64], y: &[f64], expected: f64) -> f64 {
    let dot: f64 = x.iter().zip(y).map(|(a, b)| a * b).sum();
    ((dot - expected).abs() + (x.len() + 8) as f64 * pow2(-50)).powi(2)
}

/// The cells of all candidates, in descending order; adjacent ones are more than `degenerate` apart.
pub(super) fn cells<const W: usize>(
    mut residuals: Vec<Residual>,
    degenerate: &BigInt,
    candidates: &dyn Candidates<W>,
) -> Result<Vec<Cell>, Rejection> {
    residuals.sort_by(|a, b| b.value.cmp(&a.value));
    let mut cells: Vec<Cell> = Vec::with_capacity(residuals.len());
    for residual in residuals {
        let mut next = Cell::new(residual);
        // Merging widens the interval, so the merged cell may reach the one before it, too.
        while let Some(previous) = cells.pop() {
            if previous.low > &next.high + degenerate {
                cells.push(previous);
                break;
            }
            let members = || previous.members.iter().chain(&next.members).copied().collect();
            let both: Vec<usize> = members();
            next = previous.merge(next, candidates).ok_or(Rejection::Digits(both))?;
        }
        cells.push(next);
    }
    Ok(cells)
}
