//! Eigenvalues so close that first-order corrections mix their vectors up.
//!
//! Within a cluster the Rayleigh-Ritz step decides: the matrix `X_C^T H X_C`, small and taken relative to one
//! of the eigenvalues so that nothing cancels, is diagonalised in f64 and the vectors are rotated. As the
//! exact residuals shrink, so does the error of that small matrix, and eigenvalues that differ at all come
//! apart (Ogita and Aishima 2019, "Iterative refinement for symmetric eigenvalue decomposition II: clustered
//! eigenvalues"). The same step turns the f64 start for eigenvalues far below its precision, whose vectors
//! are arbitrary within their common subspace, into a good one.

use super::super::wide::Wide;
use super::column::Format;
use crate::rounding::pow2;
use rayon::prelude::*;
use tomobasis_dense::{multiply, symmetric_eigen};

/// Fraction bits of the f64 rotation in fixed point.
const ROTATION: u32 = 60;

/// Rotates the vectors `x` of a cluster with eigenvalues `lambda`. `small[i + c * j]` is `x_i . w_j`. Returns the new
/// vectors and eigenvalues, descending, or None when the small eigenproblem fails.
///
/// Both the rotation and what makes the columns orthonormal are applied to the fixed-point columns, as one
/// combination of them: a correction in f64 would have roundings outside of their space, which no further
/// step could get below.
pub(super) fn rayleigh_ritz<const W: usize>(
    x: &[Vec<Wide<W>>],
    lambda: &[Wide<W>],
    small: &[f64],
    format: &Format,
) -> Option<Vec<(Vec<Wide<W>>, Wide<W>)>> {
    let c = x.len();
    let unit = |at: usize| f64::from(u8::from(at / c == at % c));
    let defect = defects(x, format);
    // X (I + D / 2) is orthonormal to first order.
    let half: Vec<f64> = (0..c * c).map(|at| unit(at) + defect[at] / 2.0).collect();
    let reference = lambda[c / 2];
    let shift: Vec<f64> = lambda.iter().map(|l| l.sub(reference).to_f64(format.lambda)).collect();
    // X^T (H - reference) X, and the same in the orthonormal basis.
    let m: Vec<f64> = (0..c * c).map(|at| small[at] + shift[at / c] * (unit(at) - defect[at])).collect();
    let m = multiply(&half, c, true, &multiply(&m, c, false, &half));
    let mut m: Vec<f64> = (0..c * c).map(|at| (m[at] + m[at / c + c * (at % c)]) / 2.0).collect();
    let largest = m.iter().fold(0.0f64, |l, v| l.max(v.abs()));
    if !(largest.is_finite() && largest > 0.0) {
        return None;
    }
    m.iter_mut().for_each(|v| *v /= largest);
    let (values, y) = symmetric_eigen(&m, c)?;
    let combination = multiply(&half, c, false, &y);
    let n = x[0].len();
    let rotated = (0..c)
        .into_par_iter()
        .map(|j| {
            let weights: Vec<i64> =
                combination[c * j..c * (j + 1)].iter().map(|y| (y * pow2(ROTATION as i32)) as i64).collect();
            let terms = || x.iter().zip(&weights);
            let entry = |r: usize| terms().fold(Wide::ZERO, |s: Wide<W>, (x, &w)| s.add(x[r].mul_word(w)));
            let rotated = (0..n).map(|r| entry(r).shr(ROTATION)).collect();
            (rotated, reference.add(Wide::from_f64(values[j] * largest, format.lambda)))
        })
        .collect();
    Some(rotated)
}

/// `I - X^T X`, c x c, each entry within a relative 2^-50.
fn defects<const W: usize>(x: &[Vec<Wide<W>>], format: &Format) -> Vec<f64> {
    let c = x.len();
    let one = Wide::from_i128(1, 2 * format.x);
    let below: Vec<Vec<f64>> = (0..c)
        .into_par_iter()
        .map(|j| {
            let dot = |i: usize| {
                let products = x[i].iter().zip(&x[j]);
                products.fold(Wide::ZERO, |s: Wide<W>, (&a, &b)| s.add(a.mul(b)))
            };
            (0..=j).map(|i| if i == j { one } else { Wide::ZERO }.sub(dot(i)).to_f64(2 * format.x)).collect()
        })
        .collect();
    (0..c * c).map(|at| below[(at / c).max(at % c)][(at / c).min(at % c)]).collect()
}
