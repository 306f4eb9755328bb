//! How many digits of computed factors are right.
//!
//! The log relative error of NIST's StRD (McCullough 1998): `-log10(|c - t| / |t|)` for a computed number `c` and
//! the true one `t`, at least 0 and at most 15.95, since `t` is known to `2^-53`. For vectors, the norm instead of
//! the magnitude. What is not unique is not held against anybody:
//!
//! * *signs*: a pair of singular vectors may be multiplied by -1, both of it;
//! * *equal singular values*: any orthonormal basis of their common space is right. The error of the computed
//!   columns `X` is `|(I - T T^T) X|_F`, with the true basis `T`: the root of the sum of the squared sines of the
//!   principal angles (Björck and Golub 1973); or `|X^T X - I|_F` if that is larger.
//!
//! *Clusters* are scored the same way, apart: a backward stable algorithm gets their spaces right where it can't
//! get single vectors.

use std::ops::Range;

use ndarray::Array2;
use serde::Serialize;

use super::Truth;
use super::truth::scale_of;

/// Computed factors: the `k` leading singular values, and vectors to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Factors {
    /// Singular values, k, descending.
    pub s: Vec<f64>,
    /// Right singular vectors, n x k.
    pub v: Option<Array2<f64>>,
    /// Left singular vectors, m x k.
    pub u: Option<Array2<f64>>,
}

/// The number of correct decimal digits of each factor, the worst column's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Columns that were scored: the smaller of k and the true rank.
    pub scored: usize,
    /// The true numerical rank.
    pub rank: usize,
    /// The rank of the computed values, by the same threshold: those above `max(m, n) 2^-52 s_1`. None where fewer
    /// than `min(m, n)` were computed, all of them above it.
    pub rank_found: Option<usize>,
    /// The worst column of each factor.
    pub digits: Digits,
    /// Every column.
    pub columns: Columns,
}

/// Digits of each factor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Digits {
    /// Of every singular value, relative to itself.
    pub s: Option<f64>,
    /// Of every singular value, relative to the largest.
    pub s_of_largest: Option<f64>,
    /// Of every right singular vector, or the space of those with equal singular values.
    pub v: Option<f64>,
    /// Of every space of right singular vectors whose singular values form a cluster.
    pub v_clusters: Option<f64>,
    /// As for `v`, of the left ones.
    pub u: Option<f64>,
    /// As for `v_clusters`, of the left ones.
    pub u_clusters: Option<f64>,
    /// Of `U diag(s) V^T`, relative to the Frobenius norm of the matrix. None where there are fewer columns than its
    /// rank.
    pub product: Option<f64>,
}

/// Digits of every column that was scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Columns {
    /// Of the singular value, relative to itself.
    pub s: Vec<f64>,
    /// Of the right singular vector, or the space to which it belongs.
    pub v: Option<Vec<f64>>,
    /// Of the left one.
    pub u: Option<Vec<f64>>,
}

/// The log relative error, within what can be told.
fn digits(error: f64) -> f64 {
    // The negation turns NaN into no digits.
    if error >= 0.0 { (-error.max(f64::EPSILON / 2.0).log10()).max(0.0) } else { 0.0 }
}

fn worst(digits: impl IntoIterator<Item = f64>) -> Option<f64> {
    digits.into_iter().reduce(f64::min)
}

impl Truth {
    /// Scores computed factors.
    ///
    /// Panics when the sizes of the factors do not fit each other and the matrix; values that are no numbers have
    /// no correct digits.
    ///
    /// ```
    /// use tomobasis_linalg::reference::{Factors, Truth, matrices};
    /// let hilbert = matrices().into_iter().find(|matrix| matrix.name == "hilbert").unwrap();
    /// let truth = Truth::of(hilbert, 1)?;
    /// let mut s = truth.svd.s.clone();
    /// s[3] *= 1.0 + 1e-7;
    /// let score = truth.score(&Factors { s, v: Some(truth.svd.v.clone()), u: None });
    /// assert_eq!(score.digits.s.unwrap().round(), 7.0);
    /// assert!(score.digits.v.unwrap() > 15.0 && score.digits.u.is_none());
    /// # Ok::<(), tomobasis_linalg::Error>(())
    /// ```
    #[must_use]
    pub fn score(&self, factors: &Factors) -> Score {
        let rank = self.svd.s.len();
        let k = factors.s.len();
        let scored = k.min(rank);
        let pairs = || factors.s.iter().zip(&self.svd.s);
        let of_s: Vec<f64> = pairs().map(|(c, t)| digits((c - t).abs() / t)).collect();
        let of_largest = pairs().map(|(c, t)| digits((c - t).abs() / self.svd.s[0]));
        let vectors = |computed, truth| Vectors::new(computed, truth, k);
        let v = factors.v.as_ref().map(|v| vectors(v, &self.svd.v));
        let u = factors.u.as_ref().map(|u| vectors(u, &self.u));
        // Both vectors of a pair have the sign that V asks for.
        let signs: Vec<f64> = (0..scored).map(|j| v.or(u).map_or(1.0, |vectors| vectors.sign(j))).collect();
        let (equal, clusters) = (self.equal(), self.clusters());
        let columns = |of: Vectors<'_>| of.digits(&equal, &signs, scored);
        let spaces = |of: Option<Vectors<'_>>| of.and_then(|of| worst(of.digits(&clusters, &signs, scored)));
        let columns = Columns { s: of_s, v: v.map(columns), u: u.map(columns) };
        Score {
            scored,
            rank,
            rank_found: self.rank_of(&factors.s),
            digits: Digits {
                s: worst(columns.s.iter().copied()),
                s_of_largest: worst(of_largest),
                v: columns.v.clone().and_then(worst),
                v_clusters: spaces(v),
                u: columns.u.clone().and_then(worst),
                u_clusters: spaces(u),
                product: u.zip(v).filter(|_| k >= rank).map(|(u, v)| self.of_product(&factors.s, u, v)),
            },
            columns,
        }
    }

    fn rank_of(&self, s: &[f64]) -> Option<usize> {
        let (m, n) = self.matrix.values.dim();
        let threshold = m.max(n) as f64 * f64::EPSILON * s.first().copied().unwrap_or(0.0);
        let found = s.iter().filter(|&&s| s > threshold).count();
        (found < s.len() || s.len() >= m.min(n)).then_some(found)
    }

    /// Digits of `U diag(s) V^T`.
    fn of_product(&self, s: &[f64], u: Vectors<'_>, v: Vectors<'_>) -> f64 {
        // Scaled, since squares of 2^-600 underflow.
        let scale = scale_of(&self.svd.s);
        let (mut error, mut norm) = (0.0, 0.0);
        for ((i, l), &true_entry) in self.matrix.values.indexed_iter() {
            let terms = s.iter().enumerate();
            let entry: f64 = terms.map(|(j, s)| u.computed[[i, j]] * (s * scale) * v.computed[[l, j]]).sum();
            error += (entry - true_entry * scale).powi(2);
            norm += (true_entry * scale).powi(2);
        }
        digits((error / norm).sqrt())
    }
}

/// Computed vectors beside the true ones, a column each.
#[derive(Clone, Copy)]
struct Vectors<'a> {
    computed: &'a Array2<f64>,
    truth: &'a Array2<f64>,
}

impl<'a> Vectors<'a> {
    /// Panics unless there are `k` columns of the right length.
    fn new(computed: &'a Array2<f64>, truth: &'a Array2<f64>, k: usize) -> Self {
        assert_eq!(computed.dim(), (truth.nrows(), k), "sizes of singular vectors");
        Self { computed, truth }
    }

    fn rows(&self) -> usize {
        self.truth.nrows()
    }

    fn dot(&self, x: impl Fn(usize) -> f64, y: impl Fn(usize) -> f64) -> f64 {
        (0..self.rows()).map(|i| x(i) * y(i)).sum()
    }

    /// Of the true vector that is nearer to the computed one.
    fn sign(&self, j: usize) -> f64 {
        if self.dot(|i| self.computed[[i, j]], |i| self.truth[[i, j]]) < 0.0 { -1.0 } else { 1.0 }
    }

    /// Digits of each of the first columns, which share those of their group.
    fn digits(&self, groups: &[Range<usize>], signs: &[f64], scored: usize) -> Vec<f64> {
        let of_group = |group: &Range<usize>| {
            let given = group.start..group.end.min(scored);
            let error = match group.len() {
                1 => self.error_of_column(group.start, signs[group.start]),
                _ => self.error_of_space(group, &given),
            };
            given.map(move |_| digits(error))
        };
        groups.iter().filter(|group| group.start < scored).flat_map(of_group).collect()
    }

    fn error_of_column(&self, j: usize, sign: f64) -> f64 {
        let difference = |i| sign * self.computed[[i, j]] - self.truth[[i, j]];
        self.dot(difference, difference).sqrt()
    }

    /// How far the given columns are from an orthonormal basis of vectors in the space of the group.
    fn error_of_space(&self, group: &Range<usize>, given: &Range<usize>) -> f64 {
        let (mut outside, mut skew) = (0.0, 0.0);
        for j in given.clone() {
            let mut rest: Vec<f64> = (0..self.rows()).map(|i| self.computed[[i, j]]).collect();
            for t in group.clone() {
                let along = self.dot(|i| rest[i], |i| self.truth[[i, t]]);
                (0..self.rows()).for_each(|i| rest[i] -= along * self.truth[[i, t]]);
            }
            outside += rest.iter().map(|x| x * x).sum::<f64>();
            for l in given.clone() {
                skew += (self.dot(|i| self.computed[[i, j]], |i| self.computed[[i, l]])
                    - f64::from(u8::from(j == l)))
                .powi(2);
            }
        }
        outside.max(skew).sqrt()
    }
}
