//! What the singular values say about a composite: how much of the scan it leaves out.
//!
//! Eckart and Young (1936): of all matrices of rank k, `U_k diag(s_k) V_k^T` is the closest, and what it leaves out has the
//! squared Frobenius norm `||A||_F^2 - s_1^2 - ... - s_k^2`.

use serde::{Deserialize, Serialize};

/// One row of the table of composites.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompositeEntry {
    /// Basis vectors.
    pub k: usize,
    /// Share of `||A||_F^2` that they hold.
    pub energy: f64,
    /// Root mean square of what they leave out, over all pixels, in HU.
    pub residual_rms: f64,
}

/// The singular values of a series, and what they are values of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spectrum<'a> {
    /// Singular values, k, descending.
    pub s: &'a [f64],
    /// `||A||_F^2`.
    pub energy: f64,
    /// Numerical rank of `A`, where all singular values were computed.
    pub numerical_rank: Option<usize>,
    /// Pixels of a slice, m.
    pub rows: u64,
    /// Slices, n.
    pub columns: usize,
}

impl Spectrum<'_> {
    /// What the first 1, 2, ... k basis vectors leave out of `||A||_F^2`.
    pub(crate) fn left_out(&self) -> Vec<f64> {
        let held = || self.s.iter().rev().fold(0.0, |sum, sigma| sum + sigma * sigma);
        // At the numerical rank nothing is left out but rounding.
        let rest = if self.numerical_rank == Some(self.s.len()) { 0.0 } else { self.energy - held() };
        left_out(self.s, rest)
    }

    /// What the first k basis vectors hold and leave out, for each k of `ranks` (1 to the rank).
    pub(crate) fn entries(&self, ranks: &[usize]) -> Vec<CompositeEntry> {
        let left_out = self.left_out();
        let values = self.rows as f64 * self.columns as f64;
        let of = |&k: &usize| {
            let left_out = left_out.get(k - 1).copied().unwrap_or_default();
            CompositeEntry {
                k,
                energy: 1.0 - left_out / self.energy,
                residual_rms: (left_out / values).sqrt(),
            }
        };
        ranks.iter().map(of).collect()
    }

    /// Root mean square, over the pixels of the slice with these weights (k), of what the first `k` basis vectors leave out. What
    /// is outside all computed ones is taken as spread evenly over the slices.
    pub(crate) fn slice_residual_rms(&self, weights: &[f64], k: usize) -> f64 {
        let rest = self.left_out().last().copied().unwrap_or_default() / self.columns as f64;
        let terms = self.s.iter().zip(weights).skip(k).rev();
        let left_out = terms.fold(rest, |sum, (sigma, weight)| sum + sigma * weight * sigma * weight);
        (left_out / self.rows as f64).sqrt()
    }
}

/// What the first 1, 2, ... k values leave out, in squares.
///
/// `rest` is the part outside all of `s`. The small terms are summed first, so that the difference of nearly equal numbers is
/// never taken.
fn left_out(s: &[f64], rest: f64) -> Vec<f64> {
    let mut sum = rest.max(0.0);
    let mut all = vec![sum; s.len()];
    for (j, sigma) in s.iter().enumerate().skip(1).rev() {
        sum += sigma * sigma;
        all[j - 1] = sum;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_summed_from_the_small_end() {
        assert_eq!(left_out(&[3.0, 2.0, 1.0], 0.0), [5.0, 1.0, 0.0]);
        assert_eq!(left_out(&[3.0, 2.0], 0.5), [4.5, 0.5]);
        assert_eq!(left_out(&[3.0], -1e-20), [0.0]);
        assert!(left_out(&[], 1.0).is_empty());
    }
}
