use super::*;
use crate::column_major;
use num_bigint::BigInt;
use proptest::prelude::*;

fn block(rows: usize, columns: usize, seed: u64, low: i64, high: i64) -> Vec<i16> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (low + ((state >> 33) as i64) % (high - low + 1)) as i16
    };
    (0..rows * columns).map(|_| next()).collect()
}

fn sum_of<T: Sample>(values: &[T], rows: usize, columns: usize) -> GramAccumulator {
    let mut sum = GramAccumulator::new(columns).unwrap();
    sum.add(column_major(values, rows, columns).unwrap()).unwrap();
    sum
}

/// The entries as they should be.
fn expect<T: Sample>(sum: &GramAccumulator, values: &[T], rows: usize, columns: usize) {
    let wide = |j: usize| values[j * rows..(j + 1) * rows].iter().map(|&v| i128::from(v.into()));
    for i in 0..columns {
        assert_eq!(sum.column_sum(i), wide(i).sum::<i128>());
        let (low, high) = sum.column_range(i);
        assert_eq!(wide(i).min().unwrap_or(i32::MAX.into()), i128::from(low));
        assert_eq!(wide(i).max().unwrap_or(i32::MIN.into()), i128::from(high));
        for j in 0..columns {
            let product: i128 = wide(i).zip(wide(j)).map(|(x, y)| x * y).sum();
            assert_eq!(sum.product(i, j), product, "({i}, {j}) of {rows} x {columns}");
        }
    }
}

#[test]
fn products_sums_and_ranges_are_exact_for_any_shape_and_type() {
    // Without the last one under Miri, which interprets.
    for rows in [0, 1, 2, 3, 31, 1027].into_iter().take(if cfg!(miri) { 5 } else { 6 }) {
        for columns in [1, 2, 15, 16, 17, 35] {
            let bits = block(rows, columns, (rows * 37 + columns) as u64, -32_768, 32_767);
            expect(&sum_of(&bits, rows, columns), &bits, rows, columns);
            let unsigned: Vec<u16> = bits.iter().map(|&v| v as u16).collect();
            expect(&sum_of(&unsigned, rows, columns), &unsigned, rows, columns);
            let bytes: Vec<u8> = bits.iter().map(|&v| v as u8).collect();
            expect(&sum_of(&bytes, rows, columns), &bytes, rows, columns);
            let signed: Vec<i8> = bits.iter().map(|&v| v as i8).collect();
            expect(&sum_of(&signed, rows, columns), &signed, rows, columns);
        }
    }
}

#[test]
fn blocks_in_any_order_and_grouping_give_the_same_bytes() {
    let columns = 19;
    let blocks: Vec<_> = (0..5).map(|b| block(60 + b, columns, b as u64, -300, 3000)).collect();
    let add = |g: &mut GramAccumulator, b: usize| {
        g.add(column_major(&blocks[b], 60 + b, columns).unwrap()).unwrap()
    };
    let mut forward = GramAccumulator::new(columns).unwrap();
    (0..5).for_each(|b| add(&mut forward, b));
    let mut left = GramAccumulator::new(columns).unwrap();
    let mut right = GramAccumulator::new(columns).unwrap();
    [4, 1].iter().for_each(|&b| add(&mut right, b));
    [3, 0, 2].iter().for_each(|&b| add(&mut left, b));
    left.merge(&GramAccumulator::from_bytes(&right.to_bytes()).unwrap()).unwrap();
    assert_eq!(left, forward);
    assert_eq!(left.to_bytes(), forward.to_bytes());
}

#[test]
fn integers_of_any_type_give_the_same_bytes_when_their_values_are_the_same() {
    let small = block(200, 18, 5, 0, 127);
    let reference = sum_of(&small, 200, 18);
    let bytes: Vec<u8> = small.iter().map(|&v| v as u8).collect();
    let signed: Vec<i8> = small.iter().map(|&v| v as i8).collect();
    let words: Vec<u16> = small.iter().map(|&v| v as u16).collect();
    assert_eq!(sum_of(&bytes, 200, 18), reference);
    assert_eq!(sum_of(&signed, 200, 18), reference);
    assert_eq!(sum_of(&words, 200, 18), reference);
}

#[test]
fn sums_beyond_64_bits_go_on_in_128() {
    let (rows, columns) = (1 << 6, 17);
    let values = vec![u16::MAX; rows * columns];
    let mut sum = sum_of(&values, rows, columns);
    let small = block(rows, columns, 3, -7, 7);
    sum.add(column_major(&small, rows, columns).unwrap()).unwrap();
    let once = sum.clone();
    // 2^7 rows doubled up to 2^62: past the change of width at 2^30 and past 64 bits.
    for doubling in 1..=55u32 {
        sum.merge(&sum.clone()).unwrap();
        assert_eq!(sum.rows(), once.rows() << doubling);
        for (i, j) in [(0, 0), (0, 16), (5, 9), (16, 16)] {
            assert_eq!(BigInt::from(sum.product(i, j)), BigInt::from(once.product(i, j)) << doubling);
        }
        assert_eq!(BigInt::from(sum.column_sum(3)), BigInt::from(once.column_sum(3)) << doubling);
        let bytes = sum.to_bytes();
        assert_eq!(GramAccumulator::from_bytes(&bytes).unwrap(), sum);
    }
    assert!(sum.product(0, 0) > i64::MAX.into());
    let trace: BigInt = (0..columns).map(|j| BigInt::from(sum.product(j, j))).sum();
    let gram = sum.finish(&vec![Rescale::IDENTITY; columns]).unwrap();
    assert_eq!(gram.trace(), crate::rounding::nearest(trace.magnitude(), 0));
    assert!(matches!(sum.merge(&sum.clone()), Err(Error::TooManyRows { .. })));
}

#[test]
fn wide_sums_do_not_depend_on_when_they_became_wide() {
    let (rows, columns) = (64, 3);
    let values = block(rows, columns, 9, -32_768, 32_767);
    let add = |sum: &mut GramAccumulator| sum.add(column_major(&values, rows, columns).unwrap()).unwrap();
    let once = sum_of(&values, rows, columns);
    let mut doubled = once.clone();
    (0..25).for_each(|_| doubled.merge(&doubled.clone()).unwrap());
    // Narrow + wide, wide + narrow, wide + block.
    let mut first = once.clone();
    first.merge(&doubled).unwrap();
    let mut second = doubled.clone();
    second.merge(&once).unwrap();
    add(&mut doubled);
    assert_eq!(first, second);
    assert_eq!(first, doubled);
    assert_eq!(first.product(1, 2), once.product(1, 2) * ((1 << 25) + 1));
}

#[test]
fn wrong_shapes_and_counts_are_typed_errors() {
    assert!(matches!(GramAccumulator::new(0), Err(Error::ColumnCount { .. })));
    assert!(matches!(GramAccumulator::new(MAX_COLUMNS + 1), Err(Error::ColumnCount { .. })));
    assert!(matches!(column_major(&[1i16, 2, 3], 2, 2), Err(Error::Shape { .. })));
    assert!(matches!(column_major(&[0u8], usize::MAX, 3), Err(Error::Shape { .. })));
    let mut g = GramAccumulator::new(2).unwrap();
    assert!(matches!(
        g.add(column_major(&[1i16, 2, 3], 1, 3).unwrap()),
        Err(Error::Columns { expected: 2, actual: 3 })
    ));
    assert!(matches!(g.finish(&[Rescale::IDENTITY]), Err(Error::Columns { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn any_cut_of_the_rows_into_blocks_gives_the_same_accumulator(
        columns in 1usize..6,
        values in proptest::collection::vec(any::<i16>(), 0..400),
        cut in 0usize..100,
    ) {
        let rows = values.len() / columns;
        let whole = sum_of(&values[..rows * columns], rows, columns);
        let cut = cut.min(rows);
        let part = |from: usize, to: usize| -> Vec<i16> {
            (0..columns).flat_map(|j| values[j * rows + from..j * rows + to].to_vec()).collect()
        };
        let mut parts = sum_of(&part(cut, rows), rows - cut, columns);
        parts.merge(&sum_of(&part(0, cut), cut, columns)).unwrap();
        prop_assert_eq!(parts, whole);
    }
}
