//! Matrices that make eigensolvers fail: huge condition, close and equal singular values, wide numbers.

use super::*;
use ndarray::array;

/// Two columns with `G = N I + [[1, 1], [1, 2]]`, `N = 4096 size^2`: the same vectors for every N, ever
/// closer values.
fn close_pair(size: i16) -> CertifiedSvd {
    let rows = 4096 + 2;
    let mut values: Vec<i16> = vec![0; 2 * rows];
    let (x, y) = values.split_at_mut(rows);
    for i in 0..4096 {
        (x[i], y[i]) = (size, if i % 2 == 0 { size } else { -size });
    }
    (x[4096], y[4096]) = (1, 1);
    y[4097] = 1;
    svd(&values, rows, 2)
}

#[test]
fn close_singular_values_have_the_vectors_of_distant_ones() {
    let distant = close_pair(0);
    for (size, gap) in [(500, 2e-9), (16_000, 2e-12), (32_767, 5e-13)] {
        let close = close_pair(size);
        assert!(close.unresolved.is_empty());
        assert!(close.bounds.gap > gap / 2.0 && close.bounds.gap < 2.0 * gap, "{:e}", close.bounds.gap);
        assert_eq!(close.v, distant.v);
        assert!(close.s[0] > close.s[1]);
    }
}

#[test]
fn singular_values_multiply_to_the_determinant_at_any_condition() {
    for (n, range, condition) in CONDITIONS {
        let r = svd(&unimodular(n, range), n, n);
        assert_eq!((r.rank, r.unresolved.len()), (n, 0));
        let actual = r.s[0] / r.s[n - 1];
        assert!(actual > condition / 4.0 && actual < condition * 4.0, "{actual:e} instead of {condition:e}");
        // Each factor is off by half a unit in the last place at the most, and so is each product.
        let determinant: f64 = r.s.iter().product();
        assert!((determinant - 1.0).abs() <= n as f64 * f64::EPSILON, "{determinant}");
    }
}

#[test]
fn a_hundred_equal_singular_values_are_named_and_get_unit_vectors() {
    let n = 100;
    let mut values = vec![0i16; n * n];
    (0..n).for_each(|j| values[j * n + j] = -7);
    let r = svd(&values, n, n);
    assert_eq!(r.unresolved, (0..n).collect::<Vec<_>>());
    assert_eq!(r.s, vec![7.0; n]);
    assert_eq!(r.v, Array2::<f64>::eye(n));
}

#[test]
fn a_rank_that_cuts_through_equal_values_gives_the_first_of_their_basis() {
    let g = gram(&[5, 0, 0, 0, 2, 0, 0, 0, 2], 3, 3);
    let r = certified_svd(&g, Rank::Columns(2), 1).unwrap();
    assert_eq!(
        (r.s, r.v, r.unresolved),
        (vec![5.0, 2.0], array![[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], vec![1])
    );
    assert_eq!(r.rank, 3);
}

#[test]
fn equal_values_among_close_and_distant_ones_do_not_keep_these_from_being_proven() {
    // Squared values N + 2, N, N - 2 and N - 2: the first two are resolved at a gap of 1e-9, the others are
    // equal.
    let rows = 8;
    let hadamard =
        |i: usize, j: usize| if (i & j).count_ones().is_multiple_of(2) { 16_000i16 } else { -16_000 };
    let mut values: Vec<i16> = (0..4).flat_map(|j| (0..rows).map(move |i| hadamard(i, j))).collect();
    values[0] += 1;
    let r = svd(&values, rows, 4);
    assert_eq!((r.rank, r.unresolved.len()), (4, 2));
    let n = 8.0 * 16_000f64.powi(2);
    for (s, square) in r.s.iter().zip([f64::NAN, n, n, f64::NAN]).filter(|(_, square)| !square.is_nan()) {
        assert!((s * s / square - 1.0).abs() < 1e-15);
    }
}

#[test]
fn numbers_get_as_wide_as_the_slopes_ask_for() {
    // Slopes of 1 and 2^-p: G has about 2 p bits. The second singular value is far below the rank threshold.
    let values = [3i16, 4, 1, 5];
    let mut g = GramAccumulator::new(2).unwrap();
    g.add(column_major(&values, 2, 2).unwrap()).unwrap();
    for (p, bits) in [(62, 160..192), (100, 160..192), (120, 320..384), (180, 320..384)] {
        let tiny = Rescale { slope: 2f64.powi(-p), intercept: 0.0, offset: 0 };
        let r = certified_svd(&g.finish(&[Rescale::IDENTITY, tiny]).unwrap(), Rank::Full, 1).unwrap();
        // The first vector is (1, 23/25 2^-p), in multiples of 2^-64.
        let second = (23.0 / 25.0 * 2f64.powi(64 - p)).round() * 2f64.powi(-64);
        assert_eq!((r.rank, r.s, r.v), (1, vec![5.0], array![[1.0], [second]]));
        assert!(bits.contains(&r.bounds.fraction_bits), "{}", r.bounds.fraction_bits);
    }
}

#[test]
fn nothing_but_zeros_has_rank_zero() {
    let r = svd(&[0; 12], 3, 4);
    assert_eq!((r.rank, r.s, r.v.dim(), r.energy), (0, vec![], (4, 0), 0.0));
}

#[test]
fn one_column_of_any_slope_is_proven() {
    // 3 a^2 for floats a of 53 bits.
    for slope in [0.1, 3.7, 1.0 + 2f64.powi(-40), std::f64::consts::PI] {
        let mut g = GramAccumulator::new(1).unwrap();
        g.add(column_major(&[1i16, -1, 1], 3, 1).unwrap()).unwrap();
        let r =
            certified_svd(&g.finish(&[Rescale { slope, intercept: 0.0, offset: 0 }]).unwrap(), Rank::Full, 1);
        let r = r.unwrap();
        // The nearest to sqrt(3) a: its square is on the right side of those of both midpoints.
        let (mantissa, exponent) = crate::affine::dyadic(slope);
        let square = num_bigint::BigInt::from(mantissa).pow(2) * 3;
        let (s, e) = crate::affine::dyadic(r.s[0]);
        let scale = 2 * (e - 1 - exponent);
        let side = |odd: i64| {
            let border = num_bigint::BigInt::from(2 * i128::from(s) + i128::from(odd)).pow(2);
            if scale >= 0 { (border << scale).cmp(&square) } else { border.cmp(&(&square << -scale)) }
        };
        assert!(side(-1).is_lt() && side(1).is_gt(), "{slope}");
        assert_eq!(r.v, array![[1.0]]);
    }
}
