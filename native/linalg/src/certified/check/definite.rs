//! Bounds by Cholesky's factorization in float64, whose error is bounded.
//!
//! If Cholesky's algorithm runs to its end on a float64 matrix `B` of order n, no eigenvalue of `B` is below `-(n +
//! 4) u tr B / (1 - (n + 4) u)`, `u = 2^-53`, in any order of the sums (Demmel 1989; Higham 2002, 10.1; Rump 2006,
//! "Verification of positive definiteness"). Four times that is taken, which covers factorizations that multiply by
//! reciprocals.

use super::Candidates;
use crate::GramMatrix;
use crate::affine::dyadic;
use crate::rounding::{nearest_signed, pow2};
use num_bigint::BigInt;
use std::collections::HashMap;
use tomobasis_dense::{has_cholesky, outer_product};

/// Unit roundoff.
const U: f64 = f64::EPSILON / 2.0;

/// Above all roundings of the sums in a bound itself.
const SLACK: f64 = 1.0 + 1e-9;

/// An upper bound, in units of the eigenvalues' last bit, of all eigenvalues of `H` but the r largest.
///
/// For any `Y` of r columns, `H = (H - Y Y^T) + Y Y^T`, so `lambda_(r+1)(H) <= lambda_1(H - Y Y^T)` (Weyl): whether the
/// candidates are any good decides how low the bound is, never whether it holds.
pub(super) fn bound_below<const W: usize>(g: &GramMatrix, candidates: &dyn Candidates<W>) -> Option<BigInt> {
    let (n, r) = (g.n(), candidates.len());
    let value_bits = candidates.value_bits();
    let value = |j: usize| candidates.value(j).to_f64(value_bits).max(0.0);
    let least = (0..r).map(value).fold(f64::INFINITY, f64::min);
    let sigma = (least + candidates.next_value().max(0.0)) / 2.0;
    let column = |j: usize| {
        let (f, root) = (candidates.vector_bits(), value(j).sqrt());
        candidates.x(j).iter().map(move |x| x.to_f64(f) * root)
    };
    let y: Vec<f64> = (0..r).flat_map(column).collect();
    let squares: f64 = y.iter().map(|y| y * y).sum();
    let h = g.approximate();
    let mut b = outer_product(&y, n);
    b.iter_mut().zip(&h).for_each(|(b, h)| *b -= h);
    (0..n).for_each(|i| b[i * (n + 1)] += sigma);
    let trace = trace(&h, n);
    let rounding = conversion(g, trace)
        + (r + 6) as f64 * U * squares
        + 3.0 * U * (trace + squares + (n as f64).sqrt() * sigma)
        + factorization(&b, n);
    let bound = (sigma + rounding) * SLACK;
    (bound < least && has_cholesky(&b, n)).then(|| units_above(bound, value_bits))
}

/// The number of eigenvalues above `threshold`, where that is as many as there can be at all: the number of different
/// columns or of rows, whichever is less.
pub(super) fn rank(g: &GramMatrix, threshold: &BigInt, value_bits: u32) -> Option<usize> {
    let n = g.n();
    let h = g.approximate();
    let mut chosen = distinct(g);
    if let Some(rows) = usize::try_from(g.rows()).ok().filter(|&rows| rows < chosen.len()) {
        chosen = pivots(&h, n, &chosen, rows);
    }
    // The eigenvalues of a principal submatrix interlace: the matrix has as many above the threshold, at least.
    let order = chosen.len();
    let mut b: Vec<f64> =
        chosen.iter().flat_map(|&i| chosen.iter().map(move |&j| (i, j))).map(|(i, j)| h[i * n + j]).collect();
    let trace = trace(&h, n);
    let threshold = nearest_signed(threshold, -i64::from(value_bits)) * SLACK;
    let rounding = conversion(g, trace) + 3.0 * U * trace + factorization(&b, order);
    let shift = threshold * 2.0 + rounding * 1.01 + pow2(-1000);
    (0..order).for_each(|i| b[i * (order + 1)] -= shift);
    has_cholesky(&b, order).then_some(order)
}

/// One of each set of equal columns, none that is zero: `|a_i - a_j|^2 = G_ii - 2 G_ij + G_jj`.
fn distinct(g: &GramMatrix) -> Vec<usize> {
    let n = g.n();
    let entry = |i: usize, j: usize| g.planes().iter().map(move |p| p[i * n + j]);
    let mut seen: HashMap<Vec<i64>, Vec<usize>> = HashMap::new();
    let mut chosen = vec![];
    for i in (0..n).filter(|&i| entry(i, i).any(|v| v != 0)) {
        let same = seen.entry(entry(i, i).collect()).or_default();
        if !same.iter().any(|&j| entry(i, i).eq(entry(i, j))) {
            same.push(i);
            chosen.push(i);
        }
    }
    chosen
}

/// The `count` first pivots of Cholesky's factorization with diagonal pivoting, among those given.
fn pivots(h: &[f64], n: usize, among: &[usize], count: usize) -> Vec<usize> {
    let mut left: Vec<f64> = among.iter().map(|&i| h[i * (n + 1)]).collect();
    let mut columns: Vec<Vec<f64>> = vec![];
    let mut chosen = vec![];
    for _ in 0..count {
        let Some(at) =
            (0..among.len()).max_by(|&a, &b| left[a].total_cmp(&left[b])).filter(|&at| left[at] > 0.0)
        else {
            break;
        };
        let root = left[at].sqrt();
        let mut column: Vec<f64> = among.iter().map(|&i| h[among[at] * n + i]).collect();
        for earlier in &columns {
            let factor = earlier[at];
            column.iter_mut().zip(earlier).for_each(|(c, e)| *c -= factor * e);
        }
        column.iter_mut().for_each(|c| *c /= root);
        left.iter_mut().zip(&column).for_each(|(left, c)| *left -= c * c);
        left[at] = 0.0;
        columns.push(column);
        chosen.push(among[at]);
    }
    chosen
}

fn trace(h: &[f64], n: usize) -> f64 {
    (0..n).map(|i| h[i * (n + 1)]).sum::<f64>() * SLACK
}

/// What `H` in float64 is off by, in the Frobenius norm, which is at most the trace: each plane of digits is rounded,
/// and so is each sum; all digits of an entry have its sign.
fn conversion(g: &GramMatrix, trace: f64) -> f64 {
    (g.planes().len() + 3) as f64 * U * trace
}

/// How negative an eigenvalue of `b` can be although Cholesky's algorithm runs to its end.
fn factorization(b: &[f64], n: usize) -> f64 {
    let trace: f64 = (0..n).map(|i| b[i * (n + 1)].abs()).sum();
    4.0 * (n + 4) as f64 * U * trace + pow2(-1000)
}

/// A number that is not negative in units of the eigenvalues' last bit, rounded up.
pub(super) fn units_above(value: f64, value_bits: u32) -> BigInt {
    let (mantissa, exponent) = dyadic(value);
    let shift = exponent + i64::from(value_bits);
    let mantissa = BigInt::from(mantissa);
    if shift >= 0 { mantissa << shift } else { (mantissa >> -shift) + 1 }
}
