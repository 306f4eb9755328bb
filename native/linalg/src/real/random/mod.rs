//! Counter-based random numbers: each is a function of (seed, row, column), so nothing depends on who asks
//! first.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw (2011), "Parallel random numbers: as easy as 1, 2,
//! 3": Philox4x32-10, whose counter is the row (two words), the column and the kind of sketch, and whose key
//! is the seed.

mod normal;
mod philox;

use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
pub use philox::philox4x32_10;

/// What the entries of a random matrix are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sketch {
    /// +1 or -1. Products with matrices of integers are then sums of integers, exact in f64 below 2^53, and
    /// have no order.
    #[default]
    Signs,
    /// Standard normal.
    Gaussian,
}

impl Sketch {
    /// The random `rows x columns` matrix of this seed.
    pub(super) fn matrix(self, seed: u64, rows: usize, columns: usize) -> Matrix {
        Matrix::from_fn(rows, columns, |i, j| self.entry(seed, i as u64, j as u32))
    }

    /// Entry (row, column) of the random matrix of this seed.
    fn entry(self, seed: u64, row: u64, column: u32) -> f64 {
        let kind = match self {
            Self::Signs => 0,
            Self::Gaussian => 1,
        };
        let words =
            philox4x32_10([row as u32, (row >> 32) as u32, column, kind], [seed as u32, (seed >> 32) as u32]);
        match self {
            Self::Signs => 1.0 - 2.0 * f64::from(words[0] >> 31),
            Self::Gaussian => {
                let bits = u64::from(words[0]) << 32 | u64::from(words[1]);
                normal::quantile(((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::product::Left;
    use proptest::prelude::*;

    fn moments(sketch: Sketch) -> [f64; 4] {
        let (rows, columns) = (1000, 200);
        let matrix = sketch.matrix(7, rows, columns);
        let count = (rows * columns) as f64;
        let values = matrix.to_rows();
        [1, 2, 3, 4].map(|power| values.iter().map(|v| v.powi(power)).sum::<f64>() / count)
    }

    #[test]
    fn moments_are_those_of_the_distribution() {
        // Standard errors of the four moments from 200,000 samples are at most 0.0022, 0.0032, 0.0087, 0.022;
        // five of each are allowed.
        let [mean, square, cube, fourth] = moments(Sketch::Gaussian);
        assert!(mean.abs() < 0.012 && (square - 1.0).abs() < 0.016, "{mean} {square}");
        assert!(cube.abs() < 0.044 && (fourth - 3.0).abs() < 0.11, "{cube} {fourth}");
        let [mean, square, cube, fourth] = moments(Sketch::Signs);
        assert!(mean.abs() < 0.012 && cube == mean && square == 1.0 && fourth == 1.0);
    }

    #[test]
    fn rows_and_columns_are_uncorrelated() {
        for sketch in [Sketch::Signs, Sketch::Gaussian] {
            let matrix = sketch.matrix(1, 4000, 6);
            for a in 0..6 {
                for b in 0..a {
                    let dot: f64 = (0..4000).map(|i| matrix.get(i, a) * matrix.get(i, b)).sum();
                    assert!(dot.abs() < 5.0 * 4000f64.sqrt(), "{sketch:?}: columns {a} and {b}: {dot}");
                }
            }
        }
    }

    #[test]
    fn an_entry_depends_on_seed_row_and_column_alone() {
        let large = Sketch::Gaussian.matrix(u64::MAX, 30, 20);
        let small = Sketch::Gaussian.matrix(u64::MAX, 10, 3);
        assert_eq!(small, Matrix::from_fn(10, 3, |i, j| large.get(i, j)));
        assert_ne!(small, Sketch::Gaussian.matrix(u64::MAX - (1 << 32), 10, 3));
        let beyond = Sketch::Gaussian.entry(1, 1 << 32, 0);
        assert_ne!(beyond, Sketch::Gaussian.entry(1, 0, 0));
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
            let w = Sketch::Signs.matrix(seed, n, width);
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
