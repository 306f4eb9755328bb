use super::*;
use crate::real::random::noise;
use proptest::prelude::*;

/// `|X|_F`.
fn norm(x: &Matrix) -> f64 {
    x.to_rows().iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// `|X - Y|_F`.
fn distance(x: &Matrix, y: &Matrix) -> f64 {
    norm(&Matrix::from_fn(x.rows(), x.columns(), |i, j| x.get(i, j) - y.get(i, j)))
}

/// LAPACK's test ratios of a QR factorization (TESTING/LIN/dqrt01): `|A - Q R|`, `|I - Q^T Q|`.
fn ratios(a: &Matrix, shape: Shape) -> [f64; 2] {
    let qr = Qr::new(a.clone(), shape);
    let r = qr.r();
    let q = qr.apply(&Matrix::identity(r.rows(), r.rows()));
    let gram = Left::transpose_of(&q).times(&q);
    let m = a.rows().max(1) as f64 * f64::EPSILON;
    let scale = norm(a) * m;
    let residual = distance(a, &qr.apply(&r));
    [
        if residual == 0.0 { 0.0 } else { residual / scale },
        distance(&gram, &Matrix::identity(r.rows(), r.rows())) / m,
    ]
}

#[test]
fn every_shape_factors_to_working_precision() {
    for m in [0, 1, 2, 7, 8, 9, 47, 48, 49, 100, 333] {
        for n in [1, 2, 7, 8, 9, 23, 24, 25, 48, 49, 101] {
            let a = noise(m as u64, m, n);
            let found = ratios(&a, Shape::Dense);
            assert!(found.iter().all(|r| *r <= 10.0), "{m} x {n}: {found:.2?}");
        }
    }
}

#[test]
fn degenerate_columns_factor_to_working_precision() {
    let random = noise(1, 200, 60);
    let cases: [(&str, Matrix); 6] = [
        ("zeros", Matrix::zeros(200, 60)),
        ("one repeated column", Matrix::from_fn(200, 60, |i, _| random.get(i, 0))),
        ("zeros between", Matrix::from_fn(200, 60, |i, j| if j % 3 == 0 { 0.0 } else { random.get(i, j) })),
        ("graded columns", Matrix::from_fn(200, 60, |i, j| random.get(i, j) * 0.5f64.powi(j as i32))),
        ("graded rows", Matrix::from_fn(200, 60, |i, j| random.get(i, j) * 0.5f64.powi(i as i32))),
        ("steep columns", Matrix::from_fn(200, 60, |i, j| random.get(i, j) * 0.5f64.powi(17 * j as i32))),
    ];
    for (name, a) in cases {
        let found = ratios(&a, Shape::Dense);
        assert!(found.iter().all(|r| *r <= 10.0), "{name}: {found:.2?}");
    }
}

#[test]
fn reflections_are_those_of_the_textbook() {
    // Golub and Van Loan, Matrix Computations, 5.1: H x = -sign(x_1) |x| e_1.
    let qr = Qr::new(Matrix::from_fn(3, 1, |i, _| [2.0, 1.0, 2.0][i]), Shape::Dense);
    assert_eq!(qr.r().get(0, 0), -3.0);
    let q = qr.apply(&Matrix::identity(1, 1));
    (0..3).for_each(|i| assert!((q.get(i, 0) + [2.0, 1.0, 2.0][i] / 3.0).abs() < 1e-15));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn interleaved_trapezoids_factor_as_the_dense_matrix_does(
        n in 1usize..120, upper in 0usize..120, lower in 0usize..120, seed in any::<u64>(),
    ) {
        let (upper, lower) = (upper.min(n), lower.min(n));
        let mut starts: Vec<usize> = (0..upper).chain(0..lower).collect();
        starts.sort_unstable();
        let random = noise(seed, starts.len(), n);
        let a = Matrix::from_fn(starts.len(), n, |i, j| if j < starts[i] { 0.0 } else { random.get(i, j) });
        let found = ratios(&a, Shape::Interleaved(upper, lower));
        prop_assert!(found.iter().all(|r| *r <= 10.0), "{:.2?}", found);
        let sparse = Qr::new(a.clone(), Shape::Interleaved(upper, lower)).r();
        let dense = Qr::new(a, Shape::Dense).r();
        // Signs of rows are the same unless a pivot is near zero.
        prop_assert!(distance(&sparse, &dense) <= 1e-10 * (1.0 + norm(&dense)));
    }
}
