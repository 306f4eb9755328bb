//! One-sided Jacobi: rotations of columns until all are orthogonal.
//!
//! M. R. Hestenes (1958); Z. Drmac and K. Veselic (2008), "New fast and accurate Jacobi SVD algorithm". Small
//! singular values keep the relative accuracy that the columns' scales allow, which no bidiagonalisation
//! promises.
//!
//! Pairs come in the order of a round-robin tournament: every round pairs each column once, so the rounds'
//! rotations touch different columns and may run on any threads without changing a bit. A sweep is one
//! tournament.

use rayon::prelude::*;

use super::matrix::{Matrix, pairwise};
use crate::Error;
use crate::dispatch::dispatched;
use crate::tile::LANES;

/// More sweeps than any matrix needs; five to ten are usual.
const MAX_SWEEPS: usize = 60;

/// Columns whose squares sum to less count as zero.
const TINY: f64 = 1e-290;

/// Columns from which a round is worth handing to threads.
const WORTH_THREADS: usize = 64;

/// Column `index` of `W = M J`, and of `J`.
struct Column {
    index: usize,
    w: Vec<f64>,
    j: Vec<f64>,
}

/// `M J = W` with orthogonal `J` and orthogonal columns of `W`, for a square matrix `M` (largest entry about
/// 1).
///
/// Returns `W` and `J`; the singular values are the norms of `W`'s columns.
///
/// # Errors
/// [`Error::NoConvergence`] when the columns are not orthogonal after 60 sweeps.
pub(super) fn orthogonalize(m: &Matrix) -> Result<(Vec<Vec<f64>>, Matrix), Error> {
    let n = m.columns();
    // A column of zeros makes the number of players even; it is never rotated.
    let players = n.next_multiple_of(2);
    let mut top: Vec<Column> = (0..players)
        .map(|index| Column {
            index,
            w: (0..n).map(|i| if index < n { m.get(i, index) } else { 0.0 }).collect(),
            j: (0..n).map(|i| f64::from(u8::from(i == index))).collect(),
        })
        .collect();
    let mut bottom: Vec<Column> = top.split_off(players / 2);
    bottom.reverse();
    let tolerance = f64::EPSILON * (n as f64).sqrt();
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for _ in 1..players {
            let pair = |(a, b): (&mut Column, &mut Column)| rotate(a, b, tolerance);
            rotated |= if n < WORTH_THREADS {
                top.iter_mut().zip(&mut bottom).map(pair).fold(false, |any, one| any | one)
            } else {
                let pairs = top.par_iter_mut().zip(&mut bottom).with_min_len(8);
                pairs.map(pair).reduce(|| false, |any, one| any | one)
            };
            // The first stays, all others move on by one place around the table.
            top.insert(1, bottom.remove(0));
            bottom.extend(top.pop());
        }
        if !rotated {
            let mut columns: Vec<Column> = top.into_iter().chain(bottom).filter(|c| c.index < n).collect();
            columns.sort_by_key(|c| c.index);
            let j = Matrix::from_fn(n, n, |i, c| columns[c].j[i]);
            return Ok((columns.into_iter().map(|c| c.w).collect(), j));
        }
    }
    Err(Error::NoConvergence { columns: n })
}

dispatched! {
    /// Makes two columns orthogonal; false when they are already.
    fn rotate(a: &mut Column, b: &mut Column, tolerance: f64) -> bool {
        let [aa, bb, ab] = products(&a.w, &b.w);
        if aa < TINY || bb < TINY || ab.abs() <= tolerance * aa.sqrt() * bb.sqrt() {
            return false;
        }
        let zeta = (bb - aa) / (2.0 * ab);
        let t = 1f64.copysign(zeta) / (zeta.abs() + zeta.mul_add(zeta, 1.0).sqrt());
        let c = 1.0 / t.mul_add(t, 1.0).sqrt();
        let s = c * t;
        turn(&mut a.w, &mut b.w, s, s / (1.0 + c));
        turn(&mut a.j, &mut b.j, s, s / (1.0 + c));
        true
    }
}

/// `a.a`, `b.b` and `a.b`, each in sixteen accumulators (index modulo 16) that are then added in a fixed order.
#[inline(always)]
pub(super) fn products(a: &[f64], b: &[f64]) -> [f64; 3] {
    const ACCUMULATORS: usize = 2 * LANES;
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<ACCUMULATORS>(), b.as_chunks::<ACCUMULATORS>());
    let mut sums = [[0.0; ACCUMULATORS]; 3];
    for (x, y) in a.iter().zip(b) {
        for c in 0..ACCUMULATORS {
            sums[0][c] = x[c].mul_add(x[c], sums[0][c]);
            sums[1][c] = y[c].mul_add(y[c], sums[1][c]);
            sums[2][c] = x[c].mul_add(y[c], sums[2][c]);
        }
    }
    for (c, (x, y)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[0][c] = x.mul_add(*x, sums[0][c]);
        sums[1][c] = y.mul_add(*y, sums[1][c]);
        sums[2][c] = x.mul_add(*y, sums[2][c]);
    }
    sums.map(|accumulators| pairwise(std::array::from_fn(|c| accumulators[c] + accumulators[c + LANES])))
}

/// Rotates by the angle of sine `s`, `tau` the tangent of its half: `(a, b) = (a - s (b + tau a), b + s (a -
/// tau b))`, which rounds less than products with the cosine (Rutishauser 1966).
#[inline(always)]
fn turn(a: &mut [f64], b: &mut [f64], s: f64, tau: f64) {
    for (x, y) in a.iter_mut().zip(b) {
        let (down, up) = (tau.mul_add(*x, *y), (-tau).mul_add(*y, *x));
        (*x, *y) = ((-s).mul_add(down, *x), s.mul_add(up, *y));
    }
}
