//! Corrections outside of the eigenvectors that are found, where the start has not all of them.
//!
//! What a residual `w` has outside of their space is removed by the `d` with `(lambda - H) d = w` there. The matrix is
//! positive definite on that complement, since all eigenvalues left are below `lambda`: conjugate gradients, all columns
//! at once, in f64. The other Ritz pairs `(theta, x)` of the start precondition them: `lambda - H` is about `lambda -
//! theta` along `x`, and `lambda` elsewhere.

use super::product::multiply_parallel;
use rayon::prelude::*;

/// Steps at the most, and what they may leave of the residual: the digits that a correction in f64 has.
const STEPS: usize = 60;
const LEFT: f64 = 1e-14;

/// One system per column of `w` (n rows), shifted by `lambda`; `h` is n x n, `found` has the eigenvectors, and `ritz` vectors
/// for the values `theta`.
pub(super) fn corrections(
    h: &[f64],
    found: &[f64],
    (ritz, theta): (&[f64], &[f64]),
    n: usize,
    w: &[f64],
    lambda: &[f64],
) -> Vec<f64> {
    let project = |mut v: Vec<f64>| {
        let within = multiply_parallel(found, n, false, &multiply_parallel(found, n, true, &v));
        v.iter_mut().zip(&within).for_each(|(v, w)| *v -= w);
        v
    };
    let precondition = |r: &[f64]| {
        let mut along = multiply_parallel(ritz, n, true, r);
        for (along, lambda) in along.chunks_exact_mut(theta.len().max(1)).zip(lambda) {
            let pairs = along.iter_mut().zip(theta);
            pairs.for_each(|(a, theta)| *a *= theta / (lambda - theta).max(f64::MIN_POSITIVE));
        }
        let mut z = multiply_parallel(ritz, n, false, &along);
        z.iter_mut().zip(r).for_each(|(z, r)| *z += r);
        z.chunks_exact_mut(n).zip(lambda).for_each(|(z, l)| z.iter_mut().for_each(|z| *z /= l));
        project(z)
    };
    let products = |a: &[f64], b: &[f64]| -> Vec<f64> {
        a.par_chunks_exact(n).zip(b.par_chunks_exact(n)).map(|(a, b)| dot(a, b)).collect()
    };
    let mut r = project(w.to_vec());
    let mut p = precondition(&r);
    let mut d = vec![0.0; w.len()];
    let mut square = products(&r, &r);
    let mut rz = products(&r, &p);
    let aims: Vec<f64> = square.iter().map(|s| s * LEFT * LEFT).collect();
    for _ in 0..STEPS {
        let going: Vec<bool> = square.iter().zip(&aims).map(|(s, aim)| s > aim).collect();
        if !going.contains(&true) {
            break;
        }
        let hp = project(multiply_parallel(h, n, true, &p));
        let (pp, php) = (products(&p, &p), products(&p, &hp));
        // Nothing where a column is done, or its system is not definite.
        let step = |j: usize| {
            let curvature = lambda[j] * pp[j] - php[j];
            if going[j] && curvature > 0.0 { rz[j] / curvature } else { 0.0 }
        };
        let columns = d.par_chunks_exact_mut(n).zip(r.par_chunks_exact_mut(n)).zip(p.par_chunks_exact(n));
        columns.zip(hp.par_chunks_exact(n)).enumerate().for_each(|(j, (((d, r), p), hp))| {
            let step = step(j);
            d.iter_mut().zip(p).for_each(|(d, p)| *d += step * p);
            r.iter_mut().zip(p).zip(hp).for_each(|((r, p), hp)| *r -= step * (lambda[j] * p - hp));
        });
        let z = precondition(&r);
        let next = products(&r, &z);
        let columns = p.par_chunks_exact_mut(n).zip(z.par_chunks_exact(n)).enumerate();
        columns.for_each(|(j, (p, z))| {
            let turn = if rz[j] > 0.0 { next[j] / rz[j] } else { 0.0 };
            p.iter_mut().zip(z).for_each(|(p, z)| *p = z + turn * *p);
        });
        rz = next;
        square = products(&r, &r);
    }
    d
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
