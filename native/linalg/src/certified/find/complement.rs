//! Corrections outside of the approximate eigenvectors, where the start has not all of them.
//!
//! What a residual `w` has outside of their space is removed by the `d` with `(lambda - H) d = w` there. The matrix is
//! positive definite on that complement, since all eigenvalues left are below `lambda`: conjugate gradients, all columns
//! at once, in f64.

use super::product::multiply_parallel;
use rayon::prelude::*;

/// Steps at the most, and what they may leave of the residual: the digits that a correction in f64 has.
const STEPS: usize = 60;
const LEFT: f64 = 1e-14;

/// One system per column of `w` (n rows), shifted by `lambda`; `h` is n x n, `x` has the approximate eigenvectors.
pub(super) fn corrections(h: &[f64], x: &[f64], n: usize, w: &[f64], lambda: &[f64]) -> Vec<f64> {
    let project = |mut v: Vec<f64>| {
        let within = multiply_parallel(x, n, false, &multiply_parallel(x, n, true, &v));
        v.iter_mut().zip(&within).for_each(|(v, w)| *v -= w);
        v
    };
    let mut r = project(w.to_vec());
    let mut p = r.clone();
    let mut d = vec![0.0; w.len()];
    let squares = |r: &[f64]| -> Vec<f64> { r.chunks_exact(n).map(|r| dot(r, r)).collect() };
    let mut square = squares(&r);
    let aims: Vec<f64> = square.iter().map(|s| s * LEFT * LEFT).collect();
    for _ in 0..STEPS {
        if square.iter().zip(&aims).all(|(s, aim)| s <= aim) {
            break;
        }
        let hp = project(multiply_parallel(h, n, false, &p));
        let columns = d.par_chunks_exact_mut(n).zip(r.par_chunks_exact_mut(n)).zip(p.par_chunks_exact_mut(n));
        let columns = columns.zip(hp.par_chunks_exact(n)).zip(lambda.par_iter().zip(&square).zip(&aims));
        columns.for_each(|((((d, r), p), hp), ((&lambda, &square), &aim))| {
            let curvature = lambda * dot(p, p) - dot(p, hp);
            if square <= aim || curvature <= 0.0 {
                return;
            }
            let step = square / curvature;
            d.iter_mut().zip(&*p).for_each(|(d, p)| *d += step * p);
            r.iter_mut().zip(&*p).zip(hp).for_each(|((r, p), hp)| *r -= step * (lambda * p - hp));
            let turn = dot(r, r) / square;
            p.iter_mut().zip(&*r).for_each(|(p, r)| *p = r + turn * *p);
        });
        square = squares(&r);
    }
    d
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
