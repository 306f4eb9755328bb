//! What the singular values say about a composite: how much of the scan it leaves out.
//!
//! Eckart and Young (1936): of all matrices of rank k, `U_k diag(s_k) V_k^T` is the closest, and what it leaves out has the
//! squared Frobenius norm `||A||_F^2 - s_1^2 - ... - s_k^2`.

/// What the first 1, 2, ... k basis vectors leave out of `||A||_F^2`.
///
/// `rest` is the part outside all of `s`. The small terms are summed first, so that the difference of nearly equal numbers is
/// never taken.
#[must_use]
pub fn left_out(s: &[f64], rest: f64) -> Vec<f64> {
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
