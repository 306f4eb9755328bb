//! What the singular values say about a composite: how much of the scan it holds, and how far from it the pixels are.
//!
//! Eckart and Young (1936): of all matrices of rank k, `U_k diag(s_k) V_k^T` is the closest, and what it leaves out has the
//! squared Frobenius norm `||A||_F^2 - s_1^2 - ... - s_k^2`.

/// Shares of `||A||_F^2` (`total_energy`) that the first 1, 2, ... basis vectors hold.
#[must_use]
pub fn cumulative(s: &[f64], total_energy: f64) -> Vec<f64> {
    s.iter()
        .scan(0.0, |sum, sigma| {
            *sum += sigma * sigma;
            Some((*sum / total_energy).min(1.0))
        })
        .collect()
}

/// Root mean square, over all pixels of all slices, of what the first `k` basis vectors leave out: in HU.
///
/// `rest` is the part of `||A||_F^2` outside all of `s`. The small terms are summed first, so that little is lost.
#[must_use]
pub fn residual_rms(s: &[f64], rest: f64, k: usize, rows: u64, columns: usize) -> f64 {
    let left_out: f64 = s.iter().skip(k).rev().fold(rest.max(0.0), |sum, sigma| sum + sigma * sigma);
    (left_out / (rows as f64 * columns as f64)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_adds_up_to_one_and_residual_to_nothing() {
        let s = [3.0, 2.0, 1.0];
        assert_eq!(cumulative(&s, 14.0), [9.0 / 14.0, 13.0 / 14.0, 1.0]);
        assert_eq!(residual_rms(&s, 0.0, 3, 7, 2), 0.0);
        assert_eq!(residual_rms(&s, 0.0, 1, 5, 1), 1.0);
        assert_eq!(residual_rms(&s, 0.0, 0, 7, 2), 1.0);
    }
}
