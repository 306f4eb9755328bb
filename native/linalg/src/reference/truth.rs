//! The correctly rounded singular value decomposition of a reference matrix.

use std::ops::Range;

use super::Matrix;
use crate::rounding::{exponent_of, pow2};
use crate::{CertifiedSvd, Error, Rank, certified_svd, real_gram};
use ndarray::Array2;

/// Singular values that differ by less, relative to the larger, form a cluster with those next to them.
const CLUSTER: f64 = 1.0 / (1 << 20) as f64;

/// What the singular value decomposition of a matrix is.
#[derive(Clone, Debug)]
pub struct Truth {
    pub(super) matrix: Matrix,
    /// `s`, `V` and the numerical rank, each number the f64 nearest to the true one.
    pub svd: CertifiedSvd,
    /// Left singular vectors, m x rank, each entry the f64 nearest to the true one. The sign of a
    /// column is that of `A v`, but columns of equal singular values are a basis of their space that is not
    /// paired with that of `V`.
    pub u: Array2<f64>,
}

impl Truth {
    /// Of a matrix, computed and proven here, on up to `threads` threads.
    ///
    /// The left singular vectors are the right ones of the transpose.
    ///
    /// # Errors
    /// Those of [`real_gram`] and [`certified_svd`]; none for a reference matrix.
    pub fn of(matrix: Matrix, threads: usize) -> Result<Self, Error> {
        let svd = certified(&matrix, Rank::Full, threads)?;
        let mut u = match svd.rank {
            0 => Array2::zeros((matrix.values.nrows(), 0)),
            rank => certified(&matrix.transposed(), Rank::Columns(rank), threads)?.v,
        };
        // Scaled, since products with 2^-600 underflow.
        let scale = scale_of(&svd.s);
        let scaled = &matrix.values * scale;
        for (mut u, v) in u.columns_mut().into_iter().zip(svd.v.columns()) {
            if u.dot(&scaled.dot(&v)) < 0.0 {
                u.mapv_inplace(|u| 0.0 - u);
            }
        }
        Ok(Self { matrix, svd, u })
    }

    /// The matrix.
    #[must_use]
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// Columns (from 0) by equal singular values; most are alone.
    pub(super) fn equal(&self) -> Vec<Range<usize>> {
        let unresolved = |j: usize| self.svd.unresolved.contains(&j);
        // Equal ones are consecutive; where one group follows another, their values differ visibly.
        self.groups(|j| unresolved(j - 1) && unresolved(j) && self.gap(j) < f64::EPSILON)
    }

    /// Columns by singular values that are equal or nearly so.
    pub(super) fn clusters(&self) -> Vec<Range<usize>> {
        self.groups(|j| self.gap(j) < CLUSTER)
    }

    /// How much singular value `j` is below the one before, relative to that.
    fn gap(&self, j: usize) -> f64 {
        let s = &self.svd.s;
        (s[j - 1] - s[j]) / s[j - 1]
    }

    fn groups(&self, continues: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
        let k = self.svd.s.len();
        let starts: Vec<usize> = (0..k).filter(|&j| j == 0 || !continues(j)).collect();
        let ends = starts.iter().skip(1).copied().chain([k]);
        starts.iter().zip(ends).map(|(&start, end)| start..end).collect()
    }
}

/// The power of two that brings the largest singular value near 1.
pub(super) fn scale_of(s: &[f64]) -> f64 {
    pow2(-s.first().and_then(|&s| exponent_of(s)).unwrap_or(0))
}

fn certified(matrix: &Matrix, rank: Rank, threads: usize) -> Result<CertifiedSvd, Error> {
    certified_svd(&real_gram(&matrix.values, threads)?, rank, threads)
}
