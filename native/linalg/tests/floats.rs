//! The certified SVD of matrices of floats: what must not change a bit, and what is refused.

use ndarray::{Array2, Axis, ShapeBuilder, concatenate, s};
use tomobasis_linalg::{
    CertifiedRealSvd, CertifiedSvd, Error, GramAccumulator, Rank, Rescale, certified_real_svd, certified_svd,
};

/// Deterministic values, uniform in (-1, 1).
fn uniform(shape: (usize, usize), seed: u64) -> Array2<f64> {
    let mut state = seed;
    Array2::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state as i64 >> 10) as f64 / 2f64.powi(53)
    })
}

/// Two of its columns are small: one of full digits, one that nearly depends on the others.
fn graded(rows: usize) -> Array2<f64> {
    let mut a = uniform((rows, 6), 1);
    a.column_mut(2).mapv_inplace(|v| v * 2f64.powi(-30));
    let nearly = &a.column(0) + &a.column(1) + a.column(3).mapv(|v| v * 2f64.powi(-25));
    a.column_mut(5).assign(&nearly);
    a
}

fn svd(a: &Array2<f64>, threads: usize) -> CertifiedRealSvd {
    certified_real_svd(&a.view(), Rank::Full, threads).unwrap()
}

fn bits(values: &Array2<f64>) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn threads_layouts_and_groups_of_rows_change_no_bit() {
    let a = graded(4096 + 130);
    let found = svd(&a, 1);
    assert!(found.svd.compensated.contains(&true) && found.svd.compensated.contains(&false));
    let u = found.basis(a.view()).unwrap();
    for threads in [2, 5] {
        assert_eq!(svd(&a, threads).svd, found.svd);
    }
    let fortran = Array2::from_shape_fn(a.raw_dim().f(), |at| a[at]);
    let reversed = a.slice(s![..;-1, ..]).to_owned();
    let reversed = reversed.slice(s![..;-1, ..]);
    for view in [fortran.view(), reversed] {
        let other = certified_real_svd(&view, Rank::Full, 2).unwrap();
        assert_eq!(other.svd, found.svd);
        assert_eq!(bits(&other.basis(view).unwrap()), bits(&u));
    }
    let mut pieces = Vec::new();
    for piece in a.axis_chunks_iter(Axis(0), 97) {
        pieces.push(found.basis(piece).unwrap());
    }
    let pieces: Vec<_> = pieces.iter().map(|piece| piece.view()).collect();
    assert_eq!(bits(&concatenate(Axis(0), &pieces).unwrap()), bits(&u));
}

#[test]
fn rows_in_another_order_give_the_same_s_and_v_and_rows_of_u() {
    let a = graded(500);
    let order: Vec<usize> = (0..500).map(|i| i * 177 % 500).collect();
    let (found, moved) = (svd(&a, 2), svd(&a.select(Axis(0), &order), 2));
    assert_eq!(moved.svd, found.svd);
    let u = found.basis(a.view()).unwrap().select(Axis(0), &order);
    assert_eq!(bits(&moved.basis(a.select(Axis(0), &order).view()).unwrap()), bits(&u));
}

#[test]
fn powers_of_two_scale_s_and_change_no_other_bit() {
    let a = graded(300);
    let found = svd(&a, 2);
    let u = bits(&found.basis(a.view()).unwrap());
    for exponent in [-900, -300, 5, 600, 980] {
        let scaled = a.mapv(|v| v * 2f64.powi(exponent));
        let other = svd(&scaled, 2);
        let s: Vec<f64> = found.svd.s.iter().map(|s| s * 2f64.powi(exponent)).collect();
        assert_eq!((&other.svd.s, &other.svd.v, &other.svd.v_low), (&s, &found.svd.v, &found.svd.v_low));
        assert_eq!(bits(&other.basis(scaled.view()).unwrap()), u, "{exponent}");
    }
}

#[test]
fn integers_as_floats_and_floats_of_either_width_have_the_s_and_v_of_the_integers() {
    let integers = uniform((700, 9), 3).mapv(|v| (v * 32_767.0) as i16);
    let mut sums = GramAccumulator::new(9).unwrap();
    sums.add(integers.view()).unwrap();
    let gram = sums.finish(&[Rescale::IDENTITY; 9]).unwrap();
    let expected: CertifiedSvd = certified_svd(&gram, Rank::Full, 2).unwrap();
    let mut found = vec![certified_real_svd(&integers.view(), Rank::Full, 2).unwrap().svd];
    found.push(certified_real_svd(&integers.mapv(f32::from).view(), Rank::Full, 2).unwrap().svd);
    found.push(certified_real_svd(&integers.mapv(i32::from).view(), Rank::Full, 2).unwrap().svd);
    found.push(svd(&integers.mapv(f64::from), 2).svd);
    for svd in found {
        assert_eq!(svd, expected);
    }
}

#[test]
fn what_has_no_exact_gram_matrix_is_named_from_one() {
    let refusal = |a: Array2<f64>| {
        certified_real_svd(&a.view(), Rank::Full, 2).map(|_| ()).expect_err("refused").to_string()
    };
    let with = |row: usize, column: usize, value: f64| {
        let mut a = Array2::ones((9000, 3));
        a[[row, column]] = value;
        a
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(refusal(with(8999, 2, bad)).starts_with("row 9000, column 3 is no finite number"));
    }
    // Of two the one of the first block, whichever thread is faster.
    let mut two = with(8999, 0, f64::NAN);
    two[[4096, 1]] = f64::NAN;
    assert!(refusal(two).starts_with("row 4097, column 2 "));
    let wide = refusal(with(17, 1, 2f64.powi(-160)));
    assert!(wide.starts_with("column 2: its values span 161 ") && wide.contains("tsqr"), "{wide}");
    let mut apart = Array2::ones((5, 3));
    apart.column_mut(2).mapv_inplace(|v: f64| v * 2f64.powi(-256));
    let apart = refusal(apart);
    assert!(apart.starts_with("column 3: ") && apart.contains("tsqr"), "{apart}");
    assert!(svd(&with(17, 1, 2f64.powi(-159)), 1).svd.rank == 2);
}

#[test]
fn rows_of_another_matrix_are_refused_by_place() {
    let a = uniform((50, 3), 5);
    let found = svd(&a, 1);
    let basis = |change: fn(&mut Array2<f64>)| {
        let mut rows = a.clone();
        change(&mut rows);
        found.basis(rows.view()).map(|_| ())
    };
    assert_eq!(basis(|a| a[[9, 2]] = f64::NAN), Err(Error::NotFiniteValue { row: 9, column: 2 }));
    for wrong in [|a: &mut Array2<f64>| a[[9, 2]] = 1e9, |a: &mut Array2<f64>| a[[9, 2]] = 1e-300] {
        assert_eq!(basis(wrong), Err(Error::OutsideRange { row: 9, column: 2 }));
    }
    assert_eq!(found.basis(a.slice(s![.., ..2])).map(|_| ()), Err(Error::Columns { expected: 3, actual: 2 }));
    let mut tampered = found.svd.clone();
    tampered.compensated[2] = true;
    tampered.v_low[[0, 2]] = 2f64.powi(-107);
    assert!(matches!(tomobasis_linalg::RealProjector::new(&tampered, 3), Err(Error::NotFinite)));
}
