//! Where the eigenvalues are: disjoint intervals with a known number of eigenvalues in each.
//!
//! For a group C of c approximate eigenpairs with residuals `W_C = H X_C - X_C diag(lambda)`, c eigenvalues
//! of `H` lie, one each, within `sqrt(2) |W_C|_F / sigma_min(X_C)` of the `lambda` (Kahan 1967; Parlett, "The
//! Symmetric Eigenvalue Problem", 11.5, 11.8; for c = 1 without the factor). Groups whose intervals overlap
//! are merged until none do; being disjoint and n in all, each then holds exactly as many eigenvalues as it
//! has columns.
//!
//! Eigenvalues closer than [`TIED`] count as equal, whether or not the intervals could tell them apart: then
//! which columns are unresolved is a property of the matrix, not of the digits in use.

use super::column::SLACK;

/// Neighbouring eigenvalues of `H` (whose largest entry lies between 1/2 and 1) that differ by less are not
/// told apart: 2^-256.
pub(super) const TIED: f64 = 8.636168555094445e-78;

/// A group of columns `first..=last` (in descending order of eigenvalue) and the interval, relative to its
/// members, that holds exactly that many eigenvalues.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub first: usize,
    pub last: usize,
    /// Every eigenvalue of the group is within this of one of its members' `lambda`.
    pub radius: f64,
}

impl Group {
    pub fn len(&self) -> usize {
        self.last - self.first + 1
    }
}

/// Groups the columns `0..rho.len()`, whose eigenvalues descend; members of different groups are proven to
/// differ by more than [`TIED`]. `distance(i, j)` is `lambda_i - lambda_j` for `i < j`, `rho` bounds the
/// residuals, `orthonormality(first, last)` bounds `|I - X^T X|` for the columns in that range.
pub(super) fn groups(
    rho: &[f64],
    distance: impl Fn(usize, usize) -> f64,
    orthonormality: impl Fn(usize, usize) -> f64,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(rho.len());
    for (j, &radius) in rho.iter().enumerate() {
        let mut next = Group { first: j, last: j, radius };
        // Merging widens the interval, so the merged group may reach the one before it, too.
        while let Some(previous) = groups.pop() {
            let gap = distance(previous.last, next.first);
            if gap > (previous.radius + next.radius + TIED) * SLACK {
                groups.push(previous);
                break;
            }
            let (first, last) = (previous.first, next.last);
            let squares: f64 = rho[first..=last].iter().map(|r| r * r).sum();
            let smallest = (1.0 - orthonormality(first, last)).max(0.25).sqrt();
            next = Group { first, last, radius: (2.0 * squares).sqrt() * SLACK / smallest };
        }
        groups.push(next);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(lambda: &[f64], rho: &[f64]) -> Vec<(usize, usize)> {
        groups(rho, |i, j| lambda[i] - lambda[j], |_, _| 0.0).iter().map(|g| (g.first, g.last)).collect()
    }

    #[test]
    fn separated_values_stay_alone_and_overlapping_ones_are_merged_transitively() {
        assert_eq!(group(&[5.0, 4.0, 1.0], &[0.1, 0.1, 0.1]), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(group(&[5.0, 4.9, 1.0], &[0.1, 0.1, 0.1]), [(0, 1), (2, 2)]);
        assert_eq!(group(&[1e-76, 0.0], &[0.0, 0.0]), [(0, 0), (1, 1)]);
        assert_eq!(group(&[2e-78, 0.0], &[0.0, 0.0]), [(0, 1)]);
        // The pair's interval is wider than its members' and reaches the first.
        assert_eq!(group(&[5.25, 5.0, 4.9], &[0.1, 0.1, 0.1]), [(0, 2)]);
    }
}
