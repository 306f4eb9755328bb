//! Ritz vectors of a cluster in fixed point alone: Jacobi's rotations, which need no gaps.
//!
//! Where eigenvalues are closer than about 2^-95, inner products in f64 of vectors and residuals drown in their own
//! rounding, and no further step helps. Here nothing is f64 but the angles: with an exact sine and cosine for
//! whatever tangent, a rotation is orthogonal to the last bit, and what an angle is off by, the next sweep sees.

use super::super::wide::Wide;
use super::column::{Column, Format};
use num_bigint::BigInt;
use rayon::prelude::*;

/// Sweeps, and steps to an orthonormal basis, at the most; from a start of 50 bits, four make 400.
const SWEEPS: usize = 12;

/// The Ritz vectors and values, descending, of the space of these columns.
pub(super) fn ritz<const W: usize>(columns: &[&Column<W>], format: &Format) -> Vec<(Vec<Wide<W>>, Wide<W>)> {
    let c = columns.len();
    let f = format.x;
    let reference = columns[c / 2].lambda;
    let square = |entry: &(dyn Fn(usize, usize) -> Wide<W> + Sync)| -> Vec<Wide<W>> {
        (0..c * c).into_par_iter().map(|at| entry(at % c, at / c)).collect()
    };
    let x = |j: usize| columns[j].x().iter().copied();
    let one = Wide::from_i128(1, f);
    let unit = |i: usize, j: usize| if i == j { one } else { Wide::ZERO };
    // 1. D = I - X^T X, to f bits.
    let defect = square(&|i, j| unit(i, j).sub(dot(x(i), x(j), f)));
    // 2. T = X^T (H - reference) X = X^T W + (I - D) (L - reference).
    let w: Vec<Vec<Wide<W>>> = columns.par_iter().map(|c| c.exact_residual(format).collect()).collect();
    let shift: Vec<Wide<W>> =
        columns.iter().map(|c| c.lambda.sub(reference).shr(format.lambda - f)).collect();
    let t = square(&|i, j| {
        let coupling = dot(x(i), w[j].iter().map(|w| w.shr(format.lambda)), f);
        coupling.add(unit(i, j).sub(defect[i + c * j]).mul(shift[j]).shr(f))
    });
    // 3. The same in the orthonormal basis X K: K <- K (I + (I - K^T X^T X K) / 2), from K = I.
    let product = |a: &[Wide<W>], transpose: bool, b: &[Wide<W>]| {
        square(&|i, j| {
            let row = (0..c).map(|l| if transpose { a[l + c * i] } else { a[i + c * l] });
            dot(row, (0..c).map(|l| b[l + c * j]), f)
        })
    };
    let gram = square(&|i, j| unit(i, j).sub(defect[i + c * j]));
    let mut half = square(&|i, j| unit(i, j).add(defect[i + c * j].shr(1)));
    for _ in 0..SWEEPS {
        let step = product(&half, true, &product(&gram, false, &half));
        let step = square(&|i, j| unit(i, j).add(unit(i, j).sub(step[i + c * j]).shr(1)));
        half = product(&half, false, &step);
        if (0..c * c).all(|at| step[at].sub(unit(at / c, at % c)).abs().bit_length() < f / 2) {
            break;
        }
    }
    let mut s = product(&half, true, &product(&t, false, &half));
    for j in 0..c {
        for i in 0..j {
            let mean = s[i + c * j].add(s[j + c * i]).shr(1);
            (s[i + c * j], s[j + c * i]) = (mean, mean);
        }
    }
    // 4. S = Y diag(values) Y^T.
    let mut y = square(&unit);
    let mut rotated = true;
    for _ in 0..SWEEPS {
        if !std::mem::take(&mut rotated) {
            break;
        }
        for q in 1..c {
            for p in 0..q {
                rotated |= rotate(&mut s, &mut y, c, p, q, f);
            }
        }
    }
    // 5. X K Y.
    let combination = product(&half, false, &y);
    let n = columns[0].x().len();
    let mut order: Vec<usize> = (0..c).collect();
    order.sort_by(|&a, &b| s[b * (c + 1)].cmp(&s[a * (c + 1)]));
    order
        .into_par_iter()
        .map(|j| {
            let weights = &combination[c * j..c * (j + 1)];
            let entry = |r: usize| dot(columns.iter().map(|x| x.x()[r]), weights.iter().copied(), f);
            ((0..n).map(entry).collect(), reference.add(s[j * (c + 1)].shl(format.lambda - f)))
        })
        .collect()
}

/// Makes `S_pq` vanish (but for the roundings of its angle); false where it is nothing but the last bits.
fn rotate<const W: usize>(
    s: &mut [Wide<W>],
    y: &mut [Wide<W>],
    c: usize,
    p: usize,
    q: usize,
    f: u32,
) -> bool {
    let off = s[p + c * q];
    if off.abs().bit_length() <= 4 {
        return false;
    }
    let theta = s[q * (c + 1)].sub(s[p * (c + 1)]).to_f64(f) / (2.0 * off.to_f64(f));
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let t = Wide::<W>::from_f64(tangent, f).to_big();
    if t == BigInt::ZERO {
        return false;
    }
    let length = ((BigInt::from(1) << (2 * f)) + &t * &t).sqrt();
    let cosine = Wide::<W>::from_big(&((BigInt::from(1) << (2 * f)) / &length));
    let sine = Wide::<W>::from_big(&((t << f) / &length));
    let turn = |a: Wide<W>, b: Wide<W>| {
        (cosine.mul(a).sub(sine.mul(b)).shr(f), sine.mul(a).add(cosine.mul(b)).shr(f))
    };
    for i in 0..c {
        (s[i + c * p], s[i + c * q]) = turn(s[i + c * p], s[i + c * q]);
        (y[i + c * p], y[i + c * q]) = turn(y[i + c * p], y[i + c * q]);
    }
    for j in 0..c {
        (s[p + c * j], s[q + c * j]) = turn(s[p + c * j], s[q + c * j]);
    }
    true
}

/// The inner product of numbers with `f` fraction bits.
fn dot<const W: usize>(
    a: impl Iterator<Item = Wide<W>>,
    b: impl Iterator<Item = Wide<W>>,
    f: u32,
) -> Wide<W> {
    a.zip(b).fold(Wide::ZERO, |sum: Wide<W>, (a, b)| sum.add(a.mul(b))).shr(f)
}
