//! Dense f64 factorizations by faer, behind plain slices.
//!
//! faer is generic code: whoever calls it compiles it, for minutes. Here it is compiled once, so that editing
//! a kernel in `linalg` takes seconds. Matrices are column-major. Everything runs on the calling thread
//! (`Par::Seq`), whose bits depend on nothing but the instruction set; where they matter the caller says how.

#![deny(unsafe_code)]

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par, Side};
use std::ops::Range;

/// Eigenvalues, descending, and eigenvectors (n x n) of the symmetric n x n matrix `h`, of which the lower
/// triangle is read.
///
/// None when the iteration does not converge. Panics unless `h` has `n * n` entries.
pub fn symmetric_eigen(h: &[f64], n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let eigen = MatRef::from_column_major_slice(h, n, n).self_adjoint_eigen(Side::Lower).ok()?;
    let descending = (0..n).rev();
    let values = descending.clone().map(|j| eigen.S()[j]).collect();
    let vectors =
        descending.flat_map(|j| (0..n).map(move |i| (i, j))).map(|(i, j)| eigen.U()[(i, j)]).collect();
    Some((values, vectors))
}

/// `x b`, or `x^T b` where `transpose`, for `x` of that many rows. Panics when the lengths do not fit.
pub fn multiply(x: &[f64], rows: usize, transpose: bool, b: &[f64]) -> Vec<f64> {
    let columns = x.len().checked_div(rows).unwrap_or(0);
    let x = MatRef::from_column_major_slice(x, rows, columns);
    let (inner, outer) = if transpose { (rows, columns) } else { (columns, rows) };
    let width = b.len().checked_div(inner).unwrap_or(0);
    let mut out = vec![0.0; outer * width];
    let target = MatMut::from_column_major_slice_mut(&mut out, outer, width);
    let b = MatRef::from_column_major_slice(b, inner, width);
    matmul(target, Accum::Replace, if transpose { x.transpose() } else { x }, b, 1.0, Par::Seq);
    out
}

/// Some rows of `x b`, for `x` of `rows` rows. Panics when the lengths do not fit.
pub fn multiply_rows(x: &[f64], rows: usize, some: Range<usize>, b: &[f64]) -> Vec<f64> {
    let columns = x.len().checked_div(rows).unwrap_or(0);
    let x = MatRef::from_column_major_slice(x, rows, columns).get(some.clone(), ..);
    let width = b.len().checked_div(columns).unwrap_or(0);
    let mut out = vec![0.0; some.len() * width];
    let target = MatMut::from_column_major_slice_mut(&mut out, some.len(), width);
    let b = MatRef::from_column_major_slice(b, columns, width);
    matmul(target, Accum::Replace, x, b, 1.0, Par::Seq);
    out
}

/// `y y^T`, n x n, for `y` of n rows. Panics when the length does not fit.
pub fn outer_product(y: &[f64], n: usize) -> Vec<f64> {
    let width = y.len().checked_div(n).unwrap_or(0);
    let y = MatRef::from_column_major_slice(y, n, width);
    let mut out = vec![0.0; n * n];
    let target = MatMut::from_column_major_slice_mut(&mut out, n, n);
    matmul(target, Accum::Replace, y, y.transpose(), 1.0, Par::Seq);
    out
}

/// Whether Cholesky's algorithm runs to its end on the symmetric n x n matrix `b`, of which the lower triangle is
/// read, with a finite factor. Panics unless `b` has `n * n` entries.
pub fn has_cholesky(b: &[f64], n: usize) -> bool {
    let factor = MatRef::from_column_major_slice(b, n, n).llt(Side::Lower);
    factor.is_ok_and(|factor| (0..n).all(|i| factor.L()[(i, i)] > 0.0 && factor.L()[(i, i)].is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive_definite_matrices_have_a_cholesky_factor_and_others_do_not() {
        // [[2, 1], [1, x]] is definite for x > 1/2.
        for (x, definite) in [(0.6, true), (0.4, false), (f64::NAN, false), (f64::INFINITY, false)] {
            assert_eq!(has_cholesky(&[2.0, 1.0, 1.0, x], 2), definite, "{x}");
        }
        assert_eq!(outer_product(&[1.0, 2.0, 0.0, 3.0], 2), [1.0, 2.0, 2.0, 13.0]);
    }

    #[test]
    fn eigenpairs_satisfy_their_equation_and_descend() {
        let n = 5;
        let h: Vec<f64> = (0..n * n).map(|at| 1.0 / (at / n + at % n + 1) as f64).collect();
        let (values, x) = symmetric_eigen(&h, n).unwrap();
        assert!(values.windows(2).all(|w| w[0] >= w[1]));
        let hx = multiply(&h, n, false, &x);
        for j in 0..n {
            (0..n).for_each(|i| assert!((hx[j * n + i] - values[j] * x[j * n + i]).abs() < 1e-14));
        }
        let identity = multiply(&x, n, true, &x);
        (0..n * n).for_each(|at| assert!((identity[at] - f64::from(at / n == at % n)).abs() < 1e-14));
    }
}
