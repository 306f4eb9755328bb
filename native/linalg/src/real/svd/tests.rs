use super::*;
use crate::real::product::Left;
use crate::real::random::noise;
use proptest::prelude::*;

/// A random orthogonal matrix.
fn orthogonal(seed: u64, rows: usize, columns: usize) -> Matrix {
    Qr::new(noise(seed, rows, columns), Shape::Dense).apply(&Matrix::identity(columns, columns))
}

fn scaled_columns(x: &Matrix, s: &[f64]) -> Matrix {
    Matrix::from_fn(x.rows(), x.columns(), |i, j| x.get(i, j) * s[j])
}

fn distance(x: &Matrix, y: &Matrix) -> f64 {
    x.to_rows().iter().zip(y.to_rows()).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// `|B - U S V^T| / (|B| n eps)`, `|I - U^T U| / (r eps)`, `|I - V^T V| / (n eps)`.
fn ratios(b: &Matrix, svd: &SmallSvd) -> [f64; 3] {
    let (r, n) = (b.rows(), b.columns());
    let rebuilt = Left::of(&scaled_columns(&svd.u, &svd.s)).times(&svd.v.transposed());
    let norm = b.to_rows().iter().map(|v| v * v).sum::<f64>().sqrt();
    let loss = |x: &Matrix| distance(&Left::transpose_of(x).times(x), &Matrix::identity(r, r));
    let eps = |size: usize| size as f64 * f64::EPSILON;
    [distance(b, &rebuilt) / (norm * eps(n)), loss(&svd.u) / eps(r), loss(&svd.v) / eps(n)]
}

#[test]
fn known_singular_values_are_found() {
    for (r, n) in [(1, 1), (2, 2), (3, 5), (17, 17), (64, 64), (65, 90), (120, 121), (301, 301)] {
        let s: Vec<f64> = (0..r).map(|j| 0.9f64.powi(j)).collect();
        let r = s.len();
        let b = Left::of(&scaled_columns(&orthogonal(1, r, r), &s)).times(&orthogonal(2, n, r).transposed());
        let svd = SmallSvd::new(&b).unwrap();
        let error = svd.s.iter().zip(&s).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(error <= 10.0 * n as f64 * f64::EPSILON, "{r} x {n}: {error:e}");
        let found = ratios(&b, &svd);
        assert!(found.iter().all(|r| *r <= 10.0), "{r} x {n}: {found:.2?}");
    }
}

#[test]
fn graded_columns_keep_relative_accuracy() {
    // B = C D with a well-conditioned C: each singular value is determined to a few units of its own last
    // place (Demmel and Veselic 1992), and scaling the columns by powers of two changes C's roundings not at
    // all. Reference: the same matrix with the graded columns in reverse.
    let c = noise(5, 12, 12);
    let graded = Matrix::from_fn(12, 12, |i, j| c.get(i, j) * 0.5f64.powi(5 * j as i32));
    let reversed = graded.select(&(0..12).rev().collect::<Vec<_>>());
    let (a, b) = (SmallSvd::new(&graded).unwrap(), SmallSvd::new(&reversed).unwrap());
    assert!(a.s[0] / a.s[11] > 1e15);
    for (x, y) in a.s.iter().zip(&b.s) {
        assert!((x - y).abs() <= 1e-13 * x, "{x:e} {y:e}");
    }
}

#[test]
fn zeros_and_repeated_columns_have_no_rank_to_speak_of() {
    let zero = SmallSvd::new(&Matrix::zeros(3, 4)).unwrap();
    assert_eq!(zero.s, [0.0; 3]);
    let ones = SmallSvd::new(&Matrix::from_fn(3, 4, |_, _| 1.0)).unwrap();
    assert!((ones.s[0] - 12f64.sqrt()).abs() < 1e-14 && ones.s[1] < 1e-15);
    assert!((0..4).all(|i| (ones.v.get(i, 0) - 0.5).abs() < 1e-15));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_shape_and_grading_passes_the_test_ratios(
        r in 1usize..40, more in 0usize..40, seed in any::<u64>(), grade in 0i32..3,
    ) {
        let random = noise(seed, r, r + more);
        let b = Matrix::from_fn(r, r + more, |i, j| random.get(i, j) * 0.5f64.powi(grade * j as i32));
        let svd = SmallSvd::new(&b).unwrap();
        prop_assert!(svd.s.windows(2).all(|w| w[0] >= w[1]));
        let found = ratios(&b, &svd);
        prop_assert!(found.iter().all(|r| *r <= 10.0), "{:.2?}", found);
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let b = noise(3, 130, 130);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let svd = pool.install(|| SmallSvd::new(&b).unwrap());
        (svd.u, svd.s, svd.v)
    };
    let one = on(1);
    assert!([2, 3, 8].into_iter().all(|threads| on(threads) == one));
}
