//! Matrices of floats without each row's mean, without each column's, and without both: against exact fractions, and what must not
//! change a bit.

use ndarray::{Array2, Axis, ShapeBuilder, array, concatenate, s};
use num_bigint::BigInt;
use tomobasis_linalg::{
    Center, CertifiedRealSvd, CertifiedSvd, ColumnRanges, Error, GramAccumulator, GramPart, Rank,
    RealCentering, RealGramAccumulator, RealProjector, Rescale, SvdView, certified_real_svd_centered,
    certified_svd,
};

const ALL: [Center; 3] = [Center::Rows, Center::Columns, Center::Both];

/// Deterministic values, uniform in (-1, 1).
fn uniform(shape: (usize, usize), seed: u64) -> Array2<f64> {
    let mut state = seed;
    Array2::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state as i64 >> 10) as f64 / 2f64.powi(53)
    })
}

/// Large means, a small column, and one that nearly depends on others.
fn offset(rows: usize) -> Array2<f64> {
    let mut a = uniform((rows, 6), 1) + 1000.25;
    a.column_mut(2).mapv_inplace(|v| v * 2f64.powi(-30));
    let nearly = &a.column(0) + &a.column(1) + uniform((rows, 1), 2).column(0).mapv(|v| v * 2f64.powi(-25));
    a.column_mut(5).assign(&nearly);
    a
}

/// The same with values so far apart that 128 bits do not hold the numerators.
fn wide(rows: usize) -> Array2<f64> {
    let mut a = offset(rows);
    a.column_mut(3).mapv_inplace(|v| v * 2f64.powi(20));
    a.row_mut(rows / 2).mapv_inplace(|v| v * 2f64.powi(-60));
    a
}

fn svd(a: &Array2<f64>, center: Center, threads: usize) -> CertifiedRealSvd {
    certified_real_svd_centered(&a.view(), Rank::Full, Some(center), threads).unwrap()
}

fn sums(a: &Array2<f64>) -> RealGramAccumulator {
    let mut ranges = ColumnRanges::new(a.ncols()).unwrap();
    ranges.add(a.view()).unwrap();
    let mut sums = RealGramAccumulator::new(ranges).unwrap();
    sums.add(a.view()).unwrap();
    sums
}

fn bits(values: &Array2<f64>) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// A float in units of 2^-1074.
fn integer(v: f64) -> BigInt {
    let bits = v.to_bits();
    let field = bits >> 52 & 0x7ff;
    let fraction = BigInt::from(bits & ((1 << 52) - 1) | if field == 0 { 0 } else { 1 << 52 });
    let magnitude = fraction << (field.max(1) - 1);
    if v < 0.0 { -magnitude } else { magnitude }
}

/// The centered entries times m n, in units of 2^-1074.
fn centered(a: &Array2<f64>, center: Center) -> Array2<BigInt> {
    let (m, n) = a.dim();
    let values = a.mapv(integer);
    let row = |i: usize| values.row(i).iter().sum::<BigInt>();
    let column = |j: usize| values.column(j).iter().sum::<BigInt>();
    let all: BigInt = values.iter().sum();
    Array2::from_shape_fn((m, n), |(i, j)| {
        let mut entry = &values[(i, j)] * (m * n);
        if center.rows() {
            entry -= row(i) * m;
        }
        if center.columns() {
            entry -= column(j) * n;
        }
        if center == Center::Both {
            entry += &all;
        }
        entry
    })
}

#[test]
fn gram_matrices_are_those_of_the_centered_fractions() {
    for a in [offset(70), wide(70), uniform((3, 5), 7), array![[0.1, -0.0], [f64::from_bits(1), 0.0]]] {
        let (m, n) = a.dim();
        if n == 2 {
            // Of a column with a subnormal number beside a normal one there is no exact Gram matrix.
            let mut ranges = ColumnRanges::new(2).unwrap();
            ranges.add(a.view()).unwrap();
            assert!(matches!(RealGramAccumulator::new(ranges), Err(Error::RealRange { column: 0, .. })));
            continue;
        }
        for center in ALL {
            let gram = sums(&a).finish_centered(Some(center)).unwrap();
            let entries = centered(&a, center);
            let divisor = BigInt::from(gram.divisor().clone());
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let (x, y) = (entries.column(i), entries.column(j));
                let products = x.iter().zip(&y).map(|(x, y)| x * y);
                // G = 2^exponent / divisor integer = 2^-2148 / (m n)^2 sum.
                let left = (gram.integer(i, j) * (m * n) * (m * n)) << (gram.exponent() + 2148);
                assert_eq!(left, products.sum::<BigInt>() * &divisor, "{center:?} {i} {j}");
            }
        }
    }
}

#[test]
fn threads_layouts_and_groups_of_rows_change_no_bit() {
    for a in [offset(4096 + 130), wide(4096 + 130)] {
        for center in ALL {
            let found = svd(&a, center, 1);
            assert!(found.svd.compensated.contains(&true) && found.svd.compensated.contains(&false));
            let u = found.basis(a.view()).unwrap();
            assert_eq!(svd(&a, center, 3).svd, found.svd);
            let fortran = Array2::from_shape_fn(a.raw_dim().f(), |at| a[at]);
            let reversed = a.slice(s![..;-1, ..]).to_owned();
            for view in [fortran.view(), reversed.slice(s![..;-1, ..])] {
                let other = certified_real_svd_centered(&view, Rank::Full, Some(center), 2).unwrap();
                assert_eq!(other.svd, found.svd);
                assert_eq!(bits(&other.basis(view).unwrap()), bits(&u));
            }
            let pieces: Vec<_> =
                a.axis_chunks_iter(Axis(0), 97).map(|piece| found.basis(piece).unwrap()).collect();
            let pieces: Vec<_> = pieces.iter().map(|piece| piece.view()).collect();
            assert_eq!(bits(&concatenate(Axis(0), &pieces).unwrap()), bits(&u));
            let order: Vec<usize> = (0..a.nrows()).map(|i| i * 177 % a.nrows()).collect();
            let moved = svd(&a.select(Axis(0), &order), center, 2);
            assert_eq!(moved.svd, found.svd);
        }
    }
}

#[test]
fn sums_that_travel_whole_or_in_parts_in_any_order_have_the_same_means() {
    for a in [offset(900), wide(900), uniform((900, 3), 3).mapv(|v| (v * 1000.0).trunc() / 8.0)] {
        let whole = sums(&a);
        let none = RealGramAccumulator::new(whole.ranges().clone()).unwrap();
        let mut merged = none.clone();
        for block in [s![400.., ..], s![..13, ..], s![13..400, ..]] {
            let mut some = none.clone();
            some.add(a.slice(block)).unwrap();
            merged.merge(&RealGramAccumulator::from_bytes(&some.to_bytes()).unwrap()).unwrap();
        }
        assert_eq!(merged.to_bytes(), whole.to_bytes());
        let traveled = |sum: &GramAccumulator| {
            let parts = (0..3).map(|i| GramPart::from_bytes(&sum.part(i, 3).to_bytes()));
            GramAccumulator::from_parts(parts).unwrap()
        };
        let parts = merged.sums().iter().map(traveled).collect();
        let parts = RealGramAccumulator::from_sums(whole.ranges().clone(), parts).unwrap();
        for center in ALL {
            let centering = whole.centering(center).unwrap();
            let gram = certified_svd(&whole.finish_centered(Some(center)).unwrap(), Rank::Full, 1).unwrap();
            for other in [&merged, &parts] {
                assert_eq!(other.centering(center).unwrap(), centering);
                let other = other.finish_centered(Some(center)).unwrap();
                assert_eq!(certified_svd(&other, Rank::Full, 1).unwrap(), gram);
            }
        }
    }
}

#[test]
fn sums_of_many_rows_at_once_are_those_of_few_at_a_time() {
    let a = uniform((140_000, 3), 9) + 1e6;
    let whole = sums(&a);
    let mut few = RealGramAccumulator::new(whole.ranges().clone()).unwrap();
    a.axis_chunks_iter(Axis(0), 999).for_each(|rows| few.add(rows).unwrap());
    assert_eq!(few.to_bytes(), whole.to_bytes());
    let exact = a.mapv(|v| BigInt::from((v * 2f64.powi(40)) as i64));
    let column = |j: usize| exact.column(j).iter().sum::<BigInt>();
    let all: BigInt = (0..3).map(column).sum();
    // Of one column the trace is that of all its products.
    let gram = whole.finish_centered(Some(Center::Columns)).unwrap();
    let square: BigInt = exact.column(0).iter().map(|x| x * x).sum();
    let centered = square * 140_000 - column(0) * column(0);
    let scale = BigInt::from(1) << (gram.exponent() + 80).unsigned_abs();
    let (left, right) = (gram.integer(0, 0) * 140_000, centered * BigInt::from(gram.divisor().clone()));
    assert!(gram.exponent() + 80 >= 0 && left * scale == right, "{all}");
}

#[test]
fn powers_of_two_scale_s_and_change_no_other_bit() {
    for a in [offset(300), wide(300)] {
        for center in ALL {
            let found = svd(&a, center, 2);
            let u = bits(&found.basis(a.view()).unwrap());
            for exponent in [-800, 5, 900] {
                let scaled = a.mapv(|v| v * 2f64.powi(exponent));
                let other = svd(&scaled, center, 2);
                let s: Vec<f64> = found.svd.s.iter().map(|s| s * 2f64.powi(exponent)).collect();
                assert_eq!(
                    (&other.svd.s, &other.svd.v, &other.svd.v_low),
                    (&s, &found.svd.v, &found.svd.v_low)
                );
                assert_eq!(bits(&other.basis(scaled.view()).unwrap()), u, "{exponent}");
            }
        }
    }
}

#[test]
fn integers_as_floats_have_the_s_and_v_of_the_integers() {
    let integers = uniform((700, 9), 3).mapv(|v| (v * 32_767.0) as i16);
    let mut sums = GramAccumulator::new(9).unwrap();
    sums.add(integers.view()).unwrap();
    for center in ALL {
        let gram = sums.finish_centered(&[Rescale::IDENTITY; 9], Some(center)).unwrap();
        let expected: CertifiedSvd = certified_svd(&gram, Rank::Full, 2).unwrap();
        let found = svd(&integers.mapv(f64::from), center, 2);
        assert_eq!(found.svd, expected);
    }
}

#[test]
fn nothing_is_left_of_equal_columns_of_one_column_and_of_constant_columns() {
    let column = array![0.1, -1e20, 2f64.powi(-40), -0.0, 1e-9, 7.5];
    let equal = Array2::from_shape_fn((6, 4), |(i, _)| column[i]);
    let constant = equal.t().to_owned();
    let one = column.clone().insert_axis(Axis(1));
    for (a, left) in [
        (&equal, Some(Center::Columns)),
        (&one, Some(Center::Columns)),
        (&constant, Some(Center::Rows)),
        (&Array2::from_elem((3, 5), 0.1), None),
        (&Array2::from_elem((3, 5), -0.0), None),
        (&Array2::from_elem((3, 5), f64::from_bits(3)), None),
    ] {
        for center in ALL {
            let found = svd(a, center, 1);
            assert_eq!(found.svd.rank, usize::from(left == Some(center)), "{a} {center:?}");
            assert_eq!(found.svd.energy == 0.0, left != Some(center));
            assert_eq!(found.basis(a.view()).unwrap().dim(), (a.nrows(), found.svd.rank));
        }
    }
}

/// Of single entries, which IEEE 754 divides correctly where the numerators are integers that f64 holds.
#[test]
fn entries_and_means_are_rounded_once() {
    let a = Array2::from_shape_fn((5, 3), |(i, j)| {
        f64::from((i * i * 677 + j * 31_013) as i32 % 30_011 - 15_000) / 4.0 + 40_000.0
    });
    let (identity, zeros) = (Array2::eye(3), Array2::zeros((3, 3)));
    let row = |i: usize| a.row(i).sum();
    let column = |j: usize| a.column(j).sum();
    let all = a.sum();
    for center in ALL {
        let centering = sums(&a).centering(center).unwrap();
        let ones = [1.0; 3];
        let view = SvdView { s: &ones, v: identity.view(), v_low: zeros.view(), compensated: &[false; 3] };
        for compensated in [[false; 3], [true; 3]] {
            let view = SvdView { compensated: &compensated, ..view };
            let p = RealProjector::centered(view, 3, Some(&centering)).unwrap();
            let u = p.basis(a.view()).unwrap();
            for ((i, j), &u) in u.indexed_iter() {
                let expected = match center {
                    Center::Rows => (3.0 * a[[i, j]] - row(i)) / 3.0,
                    Center::Columns => (5.0 * a[[i, j]] - column(j)) / 5.0,
                    Center::Both => (15.0 * a[[i, j]] - 5.0 * row(i) - 3.0 * column(j) + all) / 15.0,
                };
                assert_eq!(u, expected, "{center:?} {i} {j}");
            }
            let means = p.row_means(a.view()).unwrap();
            let expected: Vec<f64> = (0..5).filter(|_| center.rows()).map(|i| row(i) / 3.0).collect();
            assert_eq!(means, expected);
            let term = |j| match center {
                Center::Both => (3.0 * column(j) - all) / 15.0,
                _ => column(j) / 5.0,
            };
            let expected: Vec<f64> = (0..3).filter(|_| center.columns()).map(term).collect();
            assert_eq!(p.column_terms(), expected);
        }
        assert_eq!(centering.column_means(), (0..3).map(|j| column(j) / 5.0).collect::<Vec<_>>());
    }
}

#[test]
fn rows_of_another_matrix_and_other_means_are_refused_by_place() {
    let a = offset(200);
    for center in ALL {
        let found = svd(&a, center, 1);
        let basis = |value: f64| {
            let mut rows = a.clone();
            rows[[150, 2]] = value;
            found.basis(rows.view()).map(|_| ())
        };
        assert_eq!(basis(f64::NAN), Err(Error::NotFiniteValue { row: 150, column: 2 }));
        for wrong in [1e9, -1e-300] {
            assert_eq!(basis(wrong), Err(Error::OutsideRange { row: 150, column: 2 }));
        }
        let centering = sums(&uniform((5, 4), 1)).centering(center).unwrap();
        let other = RealProjector::centered(&found.svd, 6, Some(&centering)).map(|_| ());
        assert_eq!(other.unwrap_err(), Error::Columns { expected: 6, actual: 4 });
    }
    let mut more = sums(&a);
    more.add(a.view()).unwrap();
    assert_eq!(more.finish_centered(Some(Center::Rows)).map(|_| ()), Err(Error::Ranges));
    assert_eq!(more.centering(Center::Rows).map(|_| ()), Err(Error::Ranges));
}

#[test]
fn means_survive_their_bytes_and_impossible_ones_are_refused() {
    for a in [offset(30), wide(30)] {
        let centering = sums(&a).centering(Center::Both).unwrap();
        let bytes = rmp_serde::to_vec(&centering).unwrap();
        assert_eq!(rmp_serde::from_slice::<RealCentering>(&bytes).unwrap(), centering);
    }
    for bad in [
        (Center::Both, 2u64, -3i64, 4u32, vec![vec![33u8]]),
        (Center::Both, 2, 5000, 4, vec![vec![0]]),
        (Center::Rows, 2, 0, 1 << 30, vec![vec![0]]),
    ] {
        let bytes = rmp_serde::to_vec(&bad).unwrap();
        assert!(rmp_serde::from_slice::<RealCentering>(&bytes).is_err(), "{bad:?}");
    }
}
