//! The result is a property of the matrix: whatever finds the start, and however well, the bits are the same.

use super::*;
use proptest::prelude::*;

/// Eigenpairs by cyclic Jacobi rotations (Golub and Van Loan, "Matrix Computations", 8.5): no line shared
/// with faer.
fn jacobi(g: &GramMatrix) -> Start {
    let n = g.n();
    let mut h = g.approximate();
    let mut x: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect();
    for _ in 0..12 {
        for p in 0..n {
            for q in p + 1..n {
                let off = h[p * n + q];
                if off == 0.0 {
                    continue;
                }
                let theta = (h[q * n + q] - h[p * n + p]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let rotate = |a: &mut f64, b: &mut f64| (*a, *b) = (c * *a - t * c * *b, t * c * *a + c * *b);
                for m in [&mut h, &mut x] {
                    let (low, high) = m.split_at_mut(q * n);
                    low[p * n..].iter_mut().zip(high).take(n).for_each(|(a, b)| rotate(a, b));
                }
                h.chunks_exact_mut(n).for_each(|row| {
                    let (low, high) = row.split_at_mut(q);
                    rotate(&mut low[p], &mut high[0]);
                });
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| h[j * n + j].total_cmp(&h[i * n + i]));
    let noise = 1e-13 * n as f64;
    Start {
        noise,
        found: n,
        lambda: order.iter().map(|&j| h[j * n + j]).collect(),
        x: order.iter().flat_map(|&j| x[j * n..(j + 1) * n].to_vec()).collect(),
    }
}

/// faer's start with noise of 1e-9 in the vectors and 1e-10 in the values, and every other sign turned.
fn perturbed(g: &GramMatrix, seed: u64) -> Start {
    let mut start = Start::new(g).unwrap();
    let n = g.n();
    for (at, x) in start.x.iter_mut().enumerate() {
        *x += 1e-12 * f64::from(noise(1, 1, seed * 10_000 + at as u64, 1000)[0]);
        *x *= if (at / n).is_multiple_of(2) { -1.0 } else { 1.0 };
    }
    start.lambda.iter_mut().for_each(|l| *l *= 1.0 + 1e-10);
    start
}

/// Nothing at all: unit vectors, and whatever the diagonal says.
fn none(g: &GramMatrix) -> Start {
    let n = g.n();
    let h = g.approximate();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| h[j * (n + 1)].total_cmp(&h[i * (n + 1)]));
    Start {
        noise: 1e-13,
        found: n,
        lambda: order.iter().map(|&j| h[j * (n + 1)]).collect(),
        x: order.iter().flat_map(|&j| (0..n).map(move |i| f64::from(u8::from(i == j)))).collect(),
    }
}

fn svd_from(g: &GramMatrix, k: usize, start: &Start) -> Result<CertifiedSvd, Error> {
    from_start(g, k, start, false).map(|(svd, _)| svd)
}

/// All that is promised to be the same: everything but how it was reached.
fn promised(r: Result<CertifiedSvd, Error>) -> CertifiedSvd {
    CertifiedSvd { bounds: Bounds::default(), ..r.unwrap() }
}

fn assert_starts_agree(g: &GramMatrix, k: usize) {
    let reference = promised(certified_svd(g, Rank::Columns(k), 2));
    assert_eq!(promised(svd_from(g, k, &jacobi(g))), reference, "Jacobi");
    for seed in 0..3 {
        assert_eq!(promised(svd_from(g, k, &perturbed(g, seed))), reference, "perturbed, {seed}");
    }
    // Without a start the digits may not be found, but no others are published.
    match svd_from(g, k, &none(g)) {
        Err(Error::Unproven { .. }) => {}
        svd => assert_eq!(promised(svd), reference, "unit vectors"),
    }
}

#[test]
fn starts_from_faer_from_jacobi_and_with_noise_agree_bit_for_bit() {
    for k in [1, 9, 24] {
        assert_starts_agree(&gram(&noise(200, 24, 1, 900), 200, 24), k);
    }
}

#[test]
fn starts_agree_at_any_condition() {
    for (n, range, _) in CONDITIONS {
        assert_starts_agree(&gram(&unimodular(n, range), n, n), n);
    }
}

#[test]
fn the_leading_eigenpairs_alone_are_start_enough() {
    let (rows, n) = (1100, 1000);
    let wave = |at: usize| ((at % rows) as f64 / 31.0 + (at / rows) as f64 / 99.0).cos() * 500.0;
    let values: Vec<i16> =
        noise(rows, n, 4, 40).iter().enumerate().map(|(at, v)| v + wave(at) as i16).collect();
    let g = gram(&values, rows, n);
    let leading = Start::leading(&g, 2).unwrap();
    assert!(leading.is_partial());
    let all = Start::new(&g).unwrap();
    assert_eq!(promised(svd_from(&g, 2, &leading)), promised(svd_from(&g, 2, &all)));
}

#[test]
fn starts_agree_for_decimal_slopes() {
    let values = noise(100, 6, 31, 3000);
    let mut g = GramAccumulator::new(6).unwrap();
    g.add(column_major(&values, 100, 6).unwrap()).unwrap();
    let rescale: Vec<Rescale> =
        (0..6).map(|j| Rescale { slope: 0.1 + 0.013 * j as f64, intercept: -10.7, offset: 0 }).collect();
    assert_starts_agree(&g.finish(&rescale).unwrap(), 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Small ranges make equal singular values, dependent and empty columns: then the canonical basis must be
    /// the same, too.
    #[test]
    fn starts_agree_for_any_matrix(
        (rows, n) in (1usize..30, 1usize..9),
        range in prop_oneof![Just(1i64), Just(3), Just(100), Just(32_767)],
        seed in any::<u64>(),
    ) {
        let values = noise(rows, n, seed, range);
        let g = gram(&values, rows, n);
        assert_starts_agree(&g, n);
        let r = certified_svd(&g, Rank::Full, 1).unwrap();
        prop_assert!(r.rank <= rows.min(n) && r.s.len() == r.rank);
        prop_assert!(r.s.windows(2).all(|w| w[0] >= w[1]));
        let k = r.rank;
        for a in 0..k {
            // |A v| = s, and V^T V = I.
            let entry = |i: usize, j: usize| f64::from(values[j * rows + i]) * r.v[[j, a]];
            let product = |i: usize| (0..n).map(|j| entry(i, j)).sum::<f64>();
            let norm = (0..rows).map(|i| product(i).powi(2)).sum::<f64>().sqrt();
            prop_assert!((norm - r.s[a]).abs() <= 1e-13 * r.s[0], "{} {}", norm, r.s[a]);
            for b in 0..=a {
                let dot: f64 = (0..n).map(|j| r.v[[j, a]] * r.v[[j, b]]).sum();
                prop_assert!((dot - f64::from(u8::from(a == b))).abs() <= 1e-14, "{a} {b} {dot}");
            }
        }
    }
}
