//! The f64 start: any eigensolver's bits will do.

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
}
