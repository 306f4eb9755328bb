//! Matrices of integers drawn from a counter-based generator, which has the same numbers everywhere.

use super::Matrix;
use crate::philox4x32_10;
use crate::rounding::pow2;

/// An integer of at most `size` in magnitude: entry (i, j) of the random matrix of this seed.
fn integer(seed: u32, size: u32, i: usize, j: usize) -> i32 {
    let [word, ..] = philox4x32_10([i as u32, 0, j as u32, 0], [seed, 0]);
    let choices = 2 * u64::from(size) + 1;
    ((u64::from(word) * choices) >> 32) as i32 - size as i32
}

/// Well-conditioned.
pub(super) fn random() -> Matrix {
    let about = "random integers of at most 999 in magnitude: condition 3";
    Matrix::new("random", about, [60, 20], |i, j| integer(1, 999, i, j).into())
}

/// Whose Gram matrix is below what f64 can hold.
pub(super) fn tiny() -> Matrix {
    let about = "random integers of at most 999 in magnitude times 2^-600: A^T A underflows in float64";
    Matrix::new("tiny", about, [40, 16], |i, j| f64::from(integer(2, 999, i, j)) * pow2(-600))
}

/// Repeated columns.
pub(super) fn duplicates() -> Matrix {
    let about = "ten columns of random integers, each twice: rank 10";
    Matrix::new("duplicates", about, [50, 20], |i, j| integer(3, 999, i, j % 10).into())
}

/// A product of two thin matrices, with more columns than rows.
pub(super) fn rank_deficient() -> Matrix {
    let about = "a product of random integers, 30 x 8 times 8 x 40: rank 8, more columns than rows";
    Matrix::new("rank-deficient", about, [30, 40], |i, j| {
        (0..8).map(|l| integer(4, 9, i, l) * integer(5, 9, j, l)).sum::<i32>().into()
    })
}

/// Columns of very different length, in mixed order.
pub(super) fn graded() -> Matrix {
    let about = "random integers of at most 999 in magnitude, column j (from 0) times 2^(-2 (7 j mod 20)): s spans \
                 eleven digits, all of them well determined by the entries";
    Matrix::new("graded", about, [50, 20], |i, j| {
        f64::from(integer(6, 999, i, j)) * pow2(-2 * (7 * j as i32 % 20))
    })
}

/// An ellipsoid of a CT phantom: center and half axes (column, row, slice), and what it adds to those around it, in HU.
type Ellipsoid = ([i64; 3], [i64; 3], i32);

/// A head: bone, brain, a ventricle on either side, a bleeding, and air.
const PHANTOM: [Ellipsoid; 6] = [
    ([12, 12, 16], [10, 11, 20], 1700),
    ([12, 12, 16], [9, 10, 18], -660),
    ([9, 11, 15], [2, 4, 6], -30),
    ([15, 11, 17], [2, 4, 6], -30),
    ([14, 16, 20], [3, 2, 4], 35),
    ([12, 4, 10], [2, 2, 5], -1040),
];

/// A small CT scan: 32 slices of 24 x 24 pixels with noise.
pub(super) fn ct() -> Matrix {
    let about = "a synthetic CT scan in HU: a head of ellipsoids in 32 slices of 24 x 24 pixels, with noise";
    Matrix::new("ct", about, [24 * 24, 32], |pixel, slice| {
        let place = [pixel % 24, pixel / 24, slice].map(|x| x as i64);
        let inside = |(center, axes, _): &&Ellipsoid| {
            // (x/a)^2 + (y/b)^2 + (z/c)^2 <= 1, times (a b c)^2.
            let all: i64 = axes.iter().product();
            let term = |k: usize| ((place[k] - center[k]) * (all / axes[k])).pow(2);
            (0..3).map(term).sum::<i64>() <= all.pow(2)
        };
        let tissue: i32 = PHANTOM.iter().filter(inside).map(|(.., hu)| hu).sum();
        f64::from(tissue - 1000 + integer(7, 12, pixel, slice))
    })
}
