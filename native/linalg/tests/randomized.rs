//! `dssvd` against the published method, written from the paper in plain loops: Lyubimov and Palumbo's
//! `dssvd(A, k, p, q)` of Apache Mahout, `Y = A W`, thin QR, `B = Q^T A`, `q` times `Y = A B^T`, with a
//! Gaussian `W`. At equal k, p and q the errors must be no worse than that method's from one seed to the
//! next.

use tomobasis_linalg::{Randomized, Rank, RealBlocks, RealMatrix, Sketch, dssvd, philox4x32_10, tsqr_svd};

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

/// The published method's k singular values.
fn published(a: &Columns, q: usize, seed: u64) -> Vec<f64> {
    let w: Columns = (0..K + P).map(|j| (0..COLUMNS).map(|i| normal(i, j, seed)).collect()).collect();
    let mut b = transpose_times(a, &orthonormal(times(a, &w)));
    for _ in 0..q {
        b = transpose_times(a, &orthonormal(times(a, &b)));
    }
    let b = b.concat();
    tsqr_svd(&RealMatrix::new(&b, COLUMNS, K + P).unwrap(), Rank::Columns(K), false, 1).unwrap().s
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn errors_are_no_worse_than_those_of_the_published_method() {
    // Singular values 1 / (1 + j), as slowly decaying as those of scans, in bases that random columns give.
    let basis = |rows: usize, salt: usize| {
        orthonormal((0..COLUMNS).map(|j| (0..rows).map(|i| normal(i, j + salt, 1)).collect()).collect())
    };
    let (left, right) = (basis(ROWS, 1000), basis(COLUMNS, 2000));
    let entry = |i: usize, j: usize| (0..COLUMNS).map(|l| left[l][i] * right[l][j] / (1 + l) as f64).sum();
    let a: Columns = (0..COLUMNS).map(|j| (0..ROWS).map(|i| entry(i, j)).collect()).collect();
    let values = a.concat();
    let source = RealMatrix::new(&values, ROWS, COLUMNS).unwrap();
    let exact = tsqr_svd(&source, Rank::Full, false, 1).unwrap();
    assert!((0..COLUMNS).all(|l| (exact.s[l] - 1.0 / (1 + l) as f64).abs() < 1e-14));
    let error = |s: &[f64]| s.iter().zip(&exact.s).map(|(s, e)| (e - s).abs() / e).fold(0.0, f64::max);
    let mut block = vec![0.0; ROWS * COLUMNS];
    source.read(0, &mut block).unwrap();

    for q in [0, 1, 2] {
        let theirs: Vec<Vec<f64>> = (0..SEEDS).map(|seed| published(&a, q, seed)).collect();
        let their_error = median(theirs.iter().map(|s| error(s)).collect());
        // |A - U S V^T|^2 = |A|^2 - |S|^2 for an orthogonal projection.
        let their_residual = median(theirs.iter().map(|s| (exact.energy - dot(s, s)).sqrt()).collect());
        for sketch in [Sketch::Signs, Sketch::Gaussian] {
            let (mut errors, mut residuals) = (vec![], vec![]);
            for seed in 0..SEEDS {
                let options = Randomized { rank: K, oversample: P, power_iterations: q, seed, sketch };
                let ours = dssvd(&source, &options, 1).unwrap();
                assert!((ours.energy - exact.energy).abs() < 1e-13 * exact.energy);
                errors.push(error(&ours.s));
                let u = ours.basis(0, &block).unwrap();
                let rebuilt = |i: usize, j: usize| -> f64 {
                    (0..K).map(|l| u[i * K + l] * ours.s[l] * ours.v[j * K + l]).sum()
                };
                let square = (0..COLUMNS).flat_map(|j| (0..ROWS).map(move |i| (i, j)));
                residuals.push(square.map(|(i, j)| (a[j][i] - rebuilt(i, j)).powi(2)).sum::<f64>().sqrt());
            }
            let (error, residual) = (median(errors), median(residuals));
            assert!(error <= 1.3 * their_error, "q = {q}, {sketch:?}: {error:e} against {their_error:e}");
            assert!(residual <= 1.01 * their_residual, "q = {q}, {sketch:?}: {residual} {their_residual}");
        }
    }
}
