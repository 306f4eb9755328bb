//! The f64 start: any eigensolver's bits will do.

use crate::{Error, GramMatrix};
use faer::{MatRef, Side};

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
        let (lambda, x) = eigen(&h, n).ok_or(Error::NoStart { columns: n })?;
        Ok(Self { lambda, x })
    }
}

/// Eigenvalues, descending, and eigenvectors (column-major) of a symmetric matrix.
pub(super) fn eigen(h: &[f64], n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let eigen = MatRef::from_column_major_slice(h, n, n).self_adjoint_eigen(Side::Lower).ok()?;
    let order = (0..n).rev();
    let lambda = order.clone().map(|j| eigen.S()[j]).collect();
    let x = order.flat_map(|j| (0..n).map(move |i| (i, j))).map(|(i, j)| eigen.U()[(i, j)]).collect();
    Some((lambda, x))
}
