//! The SVD of a small matrix, by QR with column pivoting and one-sided Jacobi.
//!
//! After Drmac and Veselic (2008): columns are put in the order that pivoting by the largest remaining column
//! gives, `B P = Q_1 R_1`; then `R_1^T = Q_2 R_2`, whose transpose is so nearly diagonal that Jacobi takes
//! few sweeps: `R_2^T J = W`, `W = U_W diag(s)`. Hence `B = (Q_1 U_W) diag(s) (P Q_2 J)^T`.

use rayon::prelude::*;

use super::jacobi::{orthogonalize, products};
use super::matrix::Matrix;
use super::product::Left;
use super::qr::{Qr, Shape};
use crate::Error;
use crate::dispatch::dispatched;
use crate::rounding::canonical_sign;

/// `B = U diag(s) V^T` for `B` of r x n with r <= n: `U` r x r, `s` descending, `V` n x r.
pub(super) struct SmallSvd {
    pub u: Matrix,
    pub s: Vec<f64>,
    pub v: Matrix,
}

impl SmallSvd {
    /// Decomposes `b` (largest entry about 1), on the current thread pool, which changes no bit. In each
    /// column of `V` the entry of largest magnitude (the first on ties) is positive. Columns of `U` with `s`
    /// zero are zero.
    ///
    /// # Errors
    /// [`Error::NoConvergence`] when Jacobi's sweeps do not end.
    pub fn new(b: &Matrix) -> Result<Self, Error> {
        let (r, n) = (b.rows(), b.columns());
        let order = pivots(b);
        let first = Qr::new(b.select(&order), Shape::Dense);
        let second = Qr::new(first.r().transposed(), Shape::Dense);
        let (w, j) = orthogonalize(&second.r().transposed())?;
        let norms: Vec<f64> = w.iter().map(|column| norm(column)).collect();
        let mut by_size: Vec<usize> = (0..r).collect();
        by_size.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
        let permuted = second.apply(&j.select(&by_size));
        let mut place = vec![0; n];
        order.iter().enumerate().for_each(|(at, &column)| place[column] = at);
        let signs: Vec<f64> =
            (0..r).map(|c| canonical_sign((0..n).map(|i| permuted.get(place[i], c)))).collect();
        let v = Matrix::from_fn(n, r, |i, c| signs[c] * permuted.get(place[i], c));
        let unit = |i: usize, c: usize| {
            let column = by_size[c];
            if norms[column] > 0.0 { signs[c] * w[column][i] / norms[column] } else { 0.0 }
        };
        let u = first.apply(&Matrix::from_fn(r, r, unit));
        Ok(Self { u, s: by_size.iter().map(|&column| norms[column]).collect(), v })
    }

    /// The SVD of `B W^T`, where the columns of `W` are orthonormal and as many as those of `B`.
    pub fn times_transpose_of(self, w: &Matrix) -> Self {
        let v = Left::of(w).times(&self.v);
        let signs: Vec<f64> =
            (0..v.columns()).map(|c| canonical_sign((0..v.rows()).map(|i| v.get(i, c)))).collect();
        let signed = |m: &Matrix| Matrix::from_fn(m.rows(), m.columns(), |i, c| signs[c] * m.get(i, c));
        Self { u: signed(&self.u), s: self.s, v: signed(&v) }
    }
}

/// The order of columns that pivoting by the largest remaining norm gives, by Gram-Schmidt; norms are
/// computed anew in each step.
fn pivots(b: &Matrix) -> Vec<usize> {
    let mut columns: Vec<(usize, f64, Vec<f64>)> = (0..b.columns())
        .map(|j| {
            let column: Vec<f64> = (0..b.rows()).map(|i| b.get(i, j)).collect();
            (j, square(&column), column)
        })
        .collect();
    for step in 0..b.rows().min(b.columns()) {
        let rest = &columns[step..];
        let largest = (1..rest.len()).fold(0, |at, j| if rest[j].1 > rest[at].1 { j } else { at });
        columns.swap(step, step + largest);
        let (head, rest) = columns.split_at_mut(step + 1);
        let (_, size, pivot) = &head[step];
        if *size < f64::MIN_POSITIVE {
            break;
        }
        rest.par_iter_mut()
            .with_min_len(32)
            .for_each(|(_, left, column)| *left = project(pivot, *size, column));
    }
    columns.into_iter().map(|(j, ..)| j).collect()
}

dispatched! {
    /// Removes from `column` its part along `pivot`, whose square is `size`; returns the square of what is
    /// left.
    fn project(pivot: &[f64], size: f64, column: &mut [f64]) -> f64 {
        let along = -products(pivot, column)[2] / size;
        for (c, p) in column.iter_mut().zip(pivot) {
            *c = along.mul_add(*p, *c);
        }
        products(column, column)[0]
    }
}

dispatched! {
    fn square(column: &[f64]) -> f64 {
        products(column, column)[0]
    }
}

fn norm(column: &[f64]) -> f64 {
    square(column).sqrt()
}

#[cfg(test)]
mod tests;
