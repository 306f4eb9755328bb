//! The f64 start: any eigensolver's bits will do.

use super::column::SLACK;
use super::product::multiply_parallel;
use crate::rounding::pow2;
use crate::{Error, GramMatrix};
use tomobasis_dense::symmetric_eigen;

/// Approximate eigenpairs of `H = G 2^-bits`, all `n`, eigenvalues descending.
pub(super) struct Start {
    pub lambda: Vec<f64>,
    /// Eigenvectors, `n x n` column-major.
    pub x: Vec<f64>,
}

impl Start {
    /// By faer's symmetric eigensolver.
    pub fn new(g: &GramMatrix) -> Result<Self, Error> {
        let n = g.n();
        let h = g.approximate();
        let (lambda, x) = symmetric_eigen(&h, n).ok_or(Error::NoStart { columns: n })?;
        Ok(Self { lambda, x })
    }

    /// Upper bounds of `|H x - lambda x| / |x|` for the columns from `first` on, computed in f64.
    ///
    /// An inner product of n terms is off by at most `n 2^-53 |a| |b|` in any order (Higham 2002, 3.5), so
    /// all roundings together, those of `H` and of `lambda x` included, stay below `(n + 32) 2^-52 |H|_F
    /// |x|`.
    pub fn residual_bounds(&self, g: &GramMatrix, first: usize) -> Vec<f64> {
        let n = g.n();
        let h = g.approximate();
        let rounding = (n + 32) as f64 * pow2(-52) * norm(&h);
        let x = &self.x[first * n..];
        let product = multiply_parallel(&h, false, x, n);
        let columns = product.chunks_exact(n).zip(x.chunks_exact(n)).zip(&self.lambda[first..]);
        let bound = |((hx, x), lambda): ((&[f64], &[f64]), &f64)| {
            let residual: Vec<f64> = hx.iter().zip(x).map(|(hx, x)| hx - lambda * x).collect();
            (norm(&residual) / norm(x) + rounding) * SLACK
        };
        columns.map(bound).collect()
    }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}
