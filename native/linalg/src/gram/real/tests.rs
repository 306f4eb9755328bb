use super::*;
use crate::GramPart;
use crate::affine::dyadic;
use crate::column_major;
use ndarray::array;
use num_bigint::BigInt;
use proptest::collection::vec;
use proptest::prelude::*;

/// The entries of the upper triangle at `2^exponent`, from the definition.
fn expected(values: &[f64], rows: usize, exponent: i64) -> Vec<BigInt> {
    let integer = |v: f64| {
        let (mantissa, e) = dyadic(v);
        BigInt::from(mantissa) << if mantissa == 0 { 0 } else { e + 1100 }
    };
    let columns: Vec<Vec<BigInt>> =
        values.chunks_exact(rows).map(|c| c.iter().map(|&v| integer(v)).collect()).collect();
    let dot = |i: usize, j: usize| -> BigInt { columns[i].iter().zip(&columns[j]).map(|(x, y)| x * y).sum() };
    (0..columns.len())
        .flat_map(|i| (i..columns.len()).map(move |j| (i, j)))
        .map(|(i, j)| {
            let (dot, shift) = (dot(i, j), exponent + 2200);
            assert_eq!((&dot >> shift) << shift, dot, "{exponent} is above the lowest bit");
            dot >> shift
        })
        .collect()
}

fn entries(g: &GramMatrix) -> Vec<BigInt> {
    let entry = |i: usize, j: usize| {
        g.planes().iter().rev().fold(BigInt::ZERO, |sum, p| (sum << g.digit_bits()) + p[i * g.n() + j])
    };
    (0..g.n()).flat_map(|i| (i..g.n()).map(move |j| entry(i, j))).collect()
}

fn check(values: &[f64], rows: usize) {
    let columns = values.len() / rows;
    let g = real_gram(&column_major(values, rows, columns).unwrap(), 2).unwrap();
    assert_eq!((g.n(), g.rows()), (columns, rows as u64));
    assert_eq!(entries(&g), expected(values, rows, g.exponent()));
}

/// Deterministic values, uniform in (-1, 1).
fn uniform(count: usize, seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state as i64 >> 10) as f64 / 2f64.powi(53)
    })
}

#[test]
fn floats_of_every_kind_give_the_exact_gram_matrix() {
    let (rows, columns) = (4100, 5);
    let plain: Vec<f64> = uniform(rows * columns, 1).collect();
    check(&plain, rows);
    let single: Vec<f64> = plain.iter().map(|&v| f64::from(v as f32)).collect();
    check(&single, rows);
    let graded: Vec<f64> =
        plain.iter().enumerate().map(|(i, v)| v * 2f64.powi(-7 * (i / rows) as i32)).collect();
    check(&graded, rows);
}

#[test]
fn zeros_signs_and_the_smallest_numbers_are_numbers_like_others() {
    check(&[0.0, -0.0, 0.0, 1.0, -1.0, 0.5], 3);
    check(&[0.0; 6], 2);
    let tiny = f64::from_bits(1);
    check(&[tiny, -3.0 * tiny, 2.0 * tiny, tiny], 2);
    let large = 2f64.powi(1000);
    check(&[large, -large, large * (1.0 + f64::EPSILON), 0.0], 2);
}

#[test]
fn fewer_moduli_are_used_where_values_have_fewer_bits() {
    let moduli = |values: &[f64]| {
        let mut ranges = ColumnRanges::new(1).unwrap();
        ranges.add(column_major(values, values.len(), 1).unwrap()).unwrap();
        RealGramAccumulator::new(ranges).unwrap().moduli()
    };
    assert_eq!(moduli(&[1.0, 2.0, 3.0]), 1);
    assert_eq!(moduli(&[32767.0, -1.0]), 1);
    assert_eq!(moduli(&[32768.0, -1.0]), 5);
    assert_eq!(moduli(&[1.0, 2f64.powi(-52)]), 14);
    assert!(moduli(&[1.0, 0.1]) > moduli(&[1.0, f64::from(0.1f32)]));
}

#[test]
fn what_has_no_exact_gram_matrix_is_refused_by_row_and_column() {
    let gram = |values: &[f64], rows| {
        real_gram(&column_major(values, rows, values.len() / rows).unwrap(), 1).map(|_| ())
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(gram(&[1.0, 2.0, 3.0, bad], 2), Err(Error::NotFiniteValue { row: 1, column: 1 }));
    }
    let mut late = vec![1.0; 2 * 5000];
    late[9999] = f64::NAN;
    assert_eq!(gram(&late, 5000), Err(Error::NotFiniteValue { row: 4999, column: 1 }));
    let wide = gram(&[1.0, 2.0, 1e-30, 1e30], 2).unwrap_err();
    assert!(matches!(wide, Error::RealRange { column: 1, .. }), "{wide:?}");
    assert!(wide.to_string().contains("tsqr"));
    let apart = gram(&[1.0, 1.0, 1e-90, 1e-90], 2).unwrap_err();
    assert!(matches!(apart, Error::RealSpan { column: 1, .. }), "{apart:?}");
}

#[test]
fn rows_in_memory_are_looked_at_where_they_are() {
    let (rows, columns) = (4099, 19);
    let values: Vec<f64> = uniform(rows * columns, 4).collect();
    let matrix = Array2::from_shape_vec((rows, columns), values).unwrap();
    let mut turned = Array2::zeros((rows, columns).f());
    turned.assign(&matrix);
    assert_eq!(ranges_of(&matrix).unwrap(), ranges_of(&turned).unwrap());
    let (one, other) = (real_gram(&matrix, 2).unwrap(), real_gram(&turned, 2).unwrap());
    assert_eq!(entries(&one), entries(&other));
    let mut bad = matrix;
    bad[(4098, 17)] = f64::INFINITY;
    assert_eq!(ranges_of(&bad), Err(Error::NotFiniteValue { row: 4098, column: 17 }));
}

#[test]
fn values_outside_the_ranges_are_never_added() {
    let mut ranges = ColumnRanges::new(2).unwrap();
    ranges.add(array![[0.0, 1.0], [0.0, 0.25]].view()).unwrap();
    let sums = RealGramAccumulator::new(ranges).unwrap();
    for (values, column) in [
        ([1e-300, 0.0, 1.0, 1.0], 0),
        ([5e300, 0.0, 1.0, 1.0], 0),
        ([0.0, 0.0, 2.0, 1.0], 1),
        ([0.0, 0.0, 0.125, 1.0], 1),
        ([0.0, 0.0, 1e-320, 1.0], 1),
        ([0.0, 0.0, f64::NAN, 1.0], 1),
    ] {
        assert_eq!(
            sums.clone().add(column_major(&values, 2, 2).unwrap()),
            Err(Error::OutsideRange { row: 0, column }),
            "{values:?}"
        );
    }
    let mut more = sums.clone();
    more.add(array![[0.0, 1.0], [0.0, 0.25]].view()).unwrap();
    more.add(array![[0.0, 1.0], [0.0, 0.25]].view()).unwrap();
    assert_eq!(more.finish().map(|_| ()), Err(Error::Ranges));
    let other = RealGramAccumulator::new({
        let mut ranges = ColumnRanges::new(2).unwrap();
        ranges.add(array![[1.0, 1.0], [0.0, 0.25]].view()).unwrap();
        ranges
    });
    assert_eq!(more.merge(&other.unwrap()), Err(Error::Ranges));
}

proptest! {
    #[test]
    fn any_floats_in_any_blocks_give_the_exact_gram_matrix(
        rows in 1usize..9, columns in 1usize..5, at in 0usize..9,
        raw in vec((any::<f64>().prop_filter("finite", |v| v.is_normal()), -30i32..30), 40),
    ) {
        // Any sign and mantissa, exponents within 60 of each other.
        let value = |&(v, e): &(f64, i32)| {
            let mantissa = f64::from_bits(v.to_bits() & !(0x7ff << 52) | 1023 << 52);
            mantissa * 2f64.powi(e)
        };
        let values: Vec<f64> = raw[..rows * columns].iter().map(value).collect();
        let at = at.min(rows);
        let whole = column_major(&values, rows, columns).unwrap();
        let part = |from: usize, to: usize| whole.slice(s![from..to, ..]);
        let mut ranges = ColumnRanges::new(columns).unwrap();
        let mut second = ranges.clone();
        ranges.add(part(0, at)).unwrap();
        second.add(part(at, rows)).unwrap();
        ranges.merge(&second).unwrap();
        let empty = RealGramAccumulator::new(ranges).unwrap();
        let (mut low, mut high) = (empty.clone(), empty);
        low.add(part(0, at)).unwrap();
        high.add(part(at, rows)).unwrap();
        high.merge(&low).unwrap();
        let g = high.finish().unwrap();
        prop_assert_eq!(entries(&g), expected(&values, rows, g.exponent()));
    }
}

#[test]
fn sums_that_travel_in_parts_give_the_same_matrix() {
    let (rows, columns) = (700, 4);
    let values: Vec<f64> = uniform(rows * columns, 9).collect();
    let block = column_major(&values, rows, columns).unwrap();
    let mut ranges = ColumnRanges::new(columns).unwrap();
    ranges.add(block).unwrap();
    let mut sums = RealGramAccumulator::new(ranges.clone()).unwrap();
    sums.add(block).unwrap();
    assert_eq!(ranges.sums().unwrap(), sums.moduli());
    let traveled = |sum: &GramAccumulator| {
        let parts = (0..3).map(|i| GramPart::from_bytes(&sum.part(i, 3).to_bytes()));
        GramAccumulator::from_parts(parts).unwrap()
    };
    let mut all: Vec<_> = sums.sums().iter().map(traveled).collect();
    let again = RealGramAccumulator::from_sums(ranges.clone(), all.clone()).unwrap();
    assert_eq!(entries(&again.finish().unwrap()), entries(&sums.finish().unwrap()));
    all.pop();
    assert_eq!(RealGramAccumulator::from_sums(ranges, all).unwrap_err(), Error::Ranges);
}
