//! `dssvd` against the published method, written from the paper in plain loops: Lyubimov and Palumbo's
//! `dssvd(A, k, p, q)` of Apache Mahout, `Y = A W`, thin QR, `B = Q^T A`, `q` times `Y = A B^T`. At equal k,
//! p and q the errors must not be larger than that method's: with the same `W` for any seed and singular
//! value, since `s_j(B) <= s_j(A W) <= s_j(A)` where `W` spans the rows of `B`.

use tomobasis_linalg::{Randomized, Rank, RealSvd, column_major, dssvd, philox4x32_10, tsqr_svd};

const ROWS: usize = 700;
const COLUMNS: usize = 60;
const K: usize = 10;
const P: usize = 5;
const SEEDS: u64 = 15;

type Columns = Vec<Vec<f64>>;

/// Nearly normal: the sum of twelve uniform numbers (another generator than the library's).
fn normal(i: usize, j: usize, seed: u64) -> f64 {
    let words = (0..3).flat_map(|w| philox4x32_10([i as u32, j as u32, w, 99], [seed as u32, 7]));
    words.map(|w| f64::from(w) / f64::from(u32::MAX) - 0.5).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Gram-Schmidt, twice.
fn orthonormal(mut columns: Columns) -> Columns {
    for j in 0..columns.len() {
        let (before, rest) = columns.split_at_mut(j);
        let column = &mut rest[0];
        for q in before.iter().chain(before.iter()) {
            let along = dot(q, column);
            column.iter_mut().zip(q).for_each(|(c, q)| *c -= along * q);
        }
        let norm = dot(column, column).sqrt();
        column.iter_mut().for_each(|c| *c /= norm);
    }
    columns
}

/// `A X` for columns `x` of n entries.
fn times(a: &Columns, x: &Columns) -> Columns {
    let column = |x: &Vec<f64>| (0..ROWS).map(|i| (0..COLUMNS).map(|l| a[l][i] * x[l]).sum()).collect();
    x.iter().map(column).collect()
}

/// `A^T X` for columns `x` of m entries.
fn transpose_times(a: &Columns, x: &Columns) -> Columns {
    x.iter().map(|x| a.iter().map(|a| dot(a, x)).collect()).collect()
}

/// The library's `W` of signs.
fn signs(seed: u64) -> Columns {
    let word = |i: usize, j: usize| philox4x32_10([i as u32, 0, j as u32, 0], [seed as u32, 0])[0];
    (0..K + P)
        .map(|j| (0..COLUMNS).map(|i| if word(i, j) >> 31 == 0 { 1.0 } else { -1.0 }).collect())
        .collect()
}

/// The published method's k singular values.
fn published(a: &Columns, q: usize, w: &Columns) -> Vec<f64> {
    let mut b = transpose_times(a, &orthonormal(times(a, w)));
    for _ in 0..q {
        b = transpose_times(a, &orthonormal(times(a, &b)));
    }
    let b = b.concat();
    tsqr_svd(&column_major(&b, COLUMNS, K + P).unwrap(), Rank::Columns(K), false, 1).unwrap().s
}

/// A matrix with singular values `decay(l)`, in bases that random columns give.
fn made(decay: impl Fn(usize) -> f64) -> Columns {
    let basis = |rows: usize, salt: usize| {
        orthonormal((0..COLUMNS).map(|j| (0..rows).map(|i| normal(i, j + salt, 1)).collect()).collect())
    };
    let (left, right) = (basis(ROWS, 1000), basis(COLUMNS, 2000));
    let entry = |i: usize, j: usize| (0..COLUMNS).map(|l| left[l][i] * right[l][j] * decay(l)).sum();
    (0..COLUMNS).map(|j| (0..ROWS).map(|i| entry(i, j)).collect()).collect()
}

/// `||A - U S V^T||_F`, and what the k singular values leave of `||A||_F`.
fn residuals(a: &Columns, svd: &RealSvd) -> [f64; 2] {
    let values = a.concat();
    let u = svd.basis(0, column_major(&values, ROWS, COLUMNS).unwrap()).unwrap();
    let rebuilt = |i: usize, j: usize| -> f64 { (0..K).map(|l| u[[i, l]] * svd.s[l] * svd.v[[j, l]]).sum() };
    let square = (0..COLUMNS).flat_map(|j| (0..ROWS).map(move |i| (i, j)));
    let residual = square.map(|(i, j)| (a[j][i] - rebuilt(i, j)).powi(2)).sum::<f64>().sqrt();
    [residual, left_of(svd.energy, &svd.s)]
}

/// `||A - U S V^T||_F` of an orthogonal projection: the root of `||A||_F^2 - ||S||_F^2`.
fn left_of(energy: f64, s: &[f64]) -> f64 {
    (energy - dot(s, s)).sqrt()
}

#[test]
fn errors_are_no_worse_than_those_of_the_published_method() {
    // As slowly decaying as those of scans, and fast: the errors are then near rounding.
    for (a, rounding) in [(made(|l| 1.0 / (1 + l) as f64), 1e-13), (made(|l| 0.5f64.powi(l as i32)), 1e-13)] {
        let values = a.concat();
        let source = column_major(&values, ROWS, COLUMNS).unwrap();
        let exact = tsqr_svd(&source, Rank::Full, false, 1).unwrap();
        for q in [0, 1, 2] {
            let run = |seed: u64| {
                let options = Randomized { rank: K, oversample: P, power_iterations: q, seed };
                let svd = dssvd(&source, &options, 1).unwrap();
                assert!((svd.energy - exact.energy).abs() < rounding * exact.energy);
                let [residual, left] = residuals(&a, &svd);
                assert!((residual - left).abs() < 1e-6 * left, "q = {q}, seed {seed}: {residual} {left}");
                for l in 0..K {
                    let column = (0..COLUMNS).map(|j| svd.v[[j, l]]);
                    let largest =
                        column.fold(0.0, |largest: f64, v| if v.abs() > largest.abs() { v } else { largest });
                    assert!(largest > 0.0, "q = {q}, seed {seed}: sign of column {l}");
                }
                svd.s
            };
            for seed in 0..SEEDS {
                let (s, their_s) = (run(seed), published(&a, q, &signs(seed)));
                for l in 0..K {
                    assert!(s[l] >= their_s[l] * (1.0 - rounding), "q = {q}, seed {seed}: {l}");
                    assert!(s[l] <= exact.s[l] * (1.0 + rounding), "q = {q}, seed {seed}: {l}");
                }
            }
        }
    }
}
