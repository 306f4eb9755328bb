//! Counter-based random numbers: each is a function of (seed, row, column), so nothing depends on who asks
//! first.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw (2011), "Parallel random numbers: as easy as 1, 2,
//! 3": Philox4x32-10, whose counter is the row (two words), the column and zero, and whose key is the seed.
//!
//! The entries of a sketch are +1 and -1. Products with matrices of integers are then sums of integers, exact in
//! f64 below 2^53, and have no order.

mod philox;

use super::matrix::Matrix;
pub use philox::philox4x32_10;

/// The random `rows x columns` matrix of +1 and -1 of this seed.
pub(super) fn signs(seed: u64, rows: usize, columns: usize) -> Matrix {
    Matrix::from_fn(rows, columns, |i, j| sign(seed, i as u64, j as u32))
}

/// Entry (row, column) of the random matrix of this seed.
fn sign(seed: u64, row: u64, column: u32) -> f64 {
    let words =
        philox4x32_10([row as u32, (row >> 32) as u32, column, 0], [seed as u32, (seed >> 32) as u32]);
    1.0 - 2.0 * f64::from(words[0] >> 31)
}

/// For tests: a matrix of nearly normal numbers, each the sum of twelve uniform ones.
#[cfg(test)]
pub(super) fn noise(seed: u64, rows: usize, columns: usize) -> Matrix {
    Matrix::from_fn(rows, columns, |i, j| {
        let words = (1..4).flat_map(|kind| {
            philox4x32_10([i as u32, 0, j as u32, kind], [seed as u32, (seed >> 32) as u32])
        });
        words.map(|word| f64::from(word) / f64::from(u32::MAX) - 0.5).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::product::Left;
    use proptest::prelude::*;

    #[test]
    fn signs_are_as_many_of_either_kind_as_chance_has_it() {
        // The standard error of the mean of 200,000 signs is 0.0022; five of it are allowed.
        let values = signs(7, 1000, 200).to_rows();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.012, "{mean}");
        assert!(values.iter().all(|v| v.abs() == 1.0));
    }

    #[test]
    fn rows_and_columns_are_uncorrelated() {
        let matrix = signs(1, 4000, 6);
        for a in 0..6 {
            for b in 0..a {
                let dot: f64 = (0..4000).map(|i| matrix.get(i, a) * matrix.get(i, b)).sum();
                assert!(dot.abs() < 5.0 * 4000f64.sqrt(), "columns {a} and {b}: {dot}");
            }
        }
    }

    #[test]
    fn an_entry_depends_on_seed_row_and_column_alone() {
        let large = signs(u64::MAX, 30, 20);
        let small = signs(u64::MAX, 10, 9);
        assert_eq!(small, Matrix::from_fn(10, 9, |i, j| large.get(i, j)));
        // 90 signs agree by chance once in 2^90.
        assert_ne!(small, signs(u64::MAX - (1 << 32), 10, 9));
        let row = |first: u64| (0..90).map(|j| sign(1, first, j)).collect::<Vec<_>>();
        assert_ne!(row(1 << 32), row(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// `A W` for stored integers: each entry is a sum of n of them with signs, far below 2^53.
        #[test]
        fn signs_times_integers_are_exact_in_any_order_of_columns(
            rows in 1usize..20, n in 1usize..600, width in 1usize..20,
            seed in any::<u64>(), shift in 0usize..600,
        ) {
            let word = |i: usize, j: usize| philox4x32_10([i as u32, j as u32, 0, 1], [seed as u32, 0])[0];
            let stored = |i: usize, j: usize| word(i, j) >> 16;
            let w = signs(seed, n, width);
            let turned = |j: usize| (j + shift) % n;
            let product = |column: &dyn Fn(usize) -> usize| {
                let a = Matrix::from_fn(rows, n, |i, j| f64::from(stored(i, column(j))));
                Left::of(&a).times(&Matrix::from_fn(n, width, |j, l| w.get(column(j), l)))
            };
            let plain = product(&|j| j);
            for i in 0..rows {
                for l in 0..width {
                    let sum: i64 = (0..n).map(|j| i64::from(stored(i, j)) * w.get(j, l) as i64).sum();
                    prop_assert_eq!(plain.get(i, l), sum as f64);
                }
            }
            prop_assert_eq!(product(&turned), plain);
        }
    }
}
