use super::*;
use crate::GramAccumulator;

fn values(count: usize, seed: i64, low: i64, high: i64) -> Vec<i64> {
    (0..count as i64).map(|i| low + (i * i * 7919 + seed * 104_729 + i * 31) % (high - low + 1)).collect()
}

#[test]
fn products_of_two_blocks_are_those_of_the_columns() {
    for (rows, left, right) in [(0, 2, 3), (1, 1, 1), (7, 17, 2), (300, 20, 33)] {
        let a: Vec<i16> = values(rows * left, 1, -32_768, 32_767).into_iter().map(|v| v as i16).collect();
        let b: Vec<u16> = values(rows * right, 2, 0, 65_535).into_iter().map(|v| v as u16).collect();
        let (a, b) = (RowBlock::new(&a, rows, left).unwrap(), RowBlock::new(&b, rows, right).unwrap());
        let mut sum = CrossGramAccumulator::new(left, right).unwrap();
        sum.add(a, b).unwrap();
        sum.merge(&sum.clone()).unwrap();
        assert_eq!(sum.rows(), 2 * rows as u64);
        for i in 0..left {
            for j in 0..right {
                let dot: i128 =
                    a.column(i).iter().zip(b.column(j)).map(|(&x, &y)| i128::from(x) * i128::from(y)).sum();
                assert_eq!(sum.product(i, j), 2 * dot);
            }
        }
    }
}

#[test]
fn a_block_with_itself_gives_its_gram_matrix() {
    let a: Vec<u8> = values(50 * 21, 3, 0, 255).into_iter().map(|v| v as u8).collect();
    let block = RowBlock::new(&a, 50, 21).unwrap();
    let mut cross = CrossGramAccumulator::new(21, 21).unwrap();
    cross.add(block, block).unwrap();
    let mut gram = GramAccumulator::new(21).unwrap();
    gram.add(block).unwrap();
    for i in 0..21 {
        (0..21).for_each(|j| assert_eq!(cross.product(i, j), gram.product(i, j)));
    }
}

#[test]
fn rescaled_products_are_the_nearest_to_the_exact_ones() {
    let (rows, n) = (40, 3);
    let a: Vec<i16> = values(rows * n, 5, -1000, 3000).into_iter().map(|v| v as i16).collect();
    let signs: Vec<i8> = values(rows * n, 6, 0, 1).into_iter().map(|v| 2 * v as i8 - 1).collect();
    let mut sum = CrossGramAccumulator::new(n, n).unwrap();
    sum.add(RowBlock::new(&a, rows, n).unwrap(), RowBlock::new(&signs, rows, n).unwrap()).unwrap();
    let integers = [Rescale { slope: 2.0, intercept: -1024.0, offset: 5 }; 3];
    let decimals = [Rescale { slope: 0.1, intercept: -3.7, offset: 0 }; 3];
    let same = [Rescale::IDENTITY; 3];
    let (exact, decimal) = (sum.finish(&integers, &same).unwrap(), sum.finish(&decimals, &same).unwrap());
    for i in 0..n {
        for j in 0..n {
            let (x, y) = (&a[i * rows..(i + 1) * rows], &signs[j * rows..(j + 1) * rows]);
            let real: i64 =
                x.iter().zip(y).map(|(&x, &y)| (2 * (i64::from(x) + 5) - 1024) * i64::from(y)).sum();
            assert_eq!(exact.entry(i, j), real as f64);
            // In units of 2^-60, where 0.1 and 3.7 are integers.
            let unit = |v: f64| (v * 2f64.powi(60)) as i128;
            let big: i128 =
                x.iter().zip(y).map(|(&x, &y)| (unit(0.1) * i128::from(x) - unit(3.7)) * i128::from(y)).sum();
            assert_eq!(decimal.entry(i, j), big as f64 / 2f64.powi(60));
        }
    }
    assert_eq!(exact.columns(), (3, 3));
}

#[test]
fn sums_beyond_64_bits_go_on_in_128() {
    let (a, b) = (vec![u16::MAX; 1 << 12], vec![i16::MIN; 1 << 12]);
    let mut sum = CrossGramAccumulator::new(1, 1).unwrap();
    sum.add(RowBlock::new(&a, 1 << 12, 1).unwrap(), RowBlock::new(&b, 1 << 12, 1).unwrap()).unwrap();
    (0..50).for_each(|_| sum.merge(&sum.clone()).unwrap());
    assert_eq!(sum.product(0, 0), -(65_535i128 << (15 + 62)));
}

#[test]
fn wrong_shapes_are_typed_errors() {
    assert!(matches!(CrossGramAccumulator::new(0, 1), Err(Error::ColumnCount { .. })));
    assert!(matches!(CrossGramAccumulator::new(1, MAX_COLUMNS + 1), Err(Error::ColumnCount { .. })));
    let mut sum = CrossGramAccumulator::new(1, 2).unwrap();
    let block = |rows, columns| RowBlock::new(&[1i16, 2, 3, 4][..rows * columns], rows, columns).unwrap();
    assert!(matches!(sum.add(block(2, 2), block(2, 2)), Err(Error::Columns { expected: 1, actual: 2 })));
    assert!(matches!(sum.add(block(2, 1), block(2, 1)), Err(Error::Columns { expected: 2, actual: 1 })));
    assert!(matches!(sum.add(block(2, 1), block(1, 2)), Err(Error::Rows { expected: 2, actual: 1 })));
    assert!(matches!(sum.finish(&[], &[Rescale::IDENTITY; 2]), Err(Error::Columns { .. })));
    let other = CrossGramAccumulator::new(2, 1).unwrap();
    assert!(matches!(sum.merge(&other), Err(Error::Columns { .. })));
}
