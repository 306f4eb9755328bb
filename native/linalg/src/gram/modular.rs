//! Whether sums are those of a matrix, without computing them again: Freivalds' check (1977) modulo a prime.
//!
//! For sums `G = A'^T A'`, where `A'` is `A` with a column of ones (so `G` has the column sums and the number of rows too), and a random
//! vector `r`, `G r = A'^T (A' r)`. The right side takes two passes over each block, of `m n` operations each, where the sums take
//! `m n^2 / 2`, and none of the kernels' code. If `G` is another matrix, at most one in `p` vectors `r` modulo the prime `p` satisfies the
//! equation. All is modulo `p = 2^61 - 1`; entries of 16-bit columns of at most 2^28 rows are below 2^58 in size, so two that differ do
//! so modulo `p`.

use ndarray::ArrayView2;

use super::GramAccumulator;
use crate::error::Error;

/// The two sides of the equation for one vector, of which this is what the matrix gives.
#[derive(Clone, Debug)]
pub struct ModularCheck {
    /// `r`: one for each column, and one for the ones.
    factors: Vec<u64>,
    /// `A'^T (A' r)` over the rows so far.
    sums: Vec<u64>,
}

impl ModularCheck {
    /// The modulus, a Mersenne prime.
    pub const PRIME: u64 = (1 << 61) - 1;
    /// Rows for which the check says something.
    pub const MAX_ROWS: u64 = 1 << 28;

    /// A check by the vector `factors`, one for each column and one more, each below [`PRIME`](Self::PRIME) and drawn at random.
    #[must_use]
    pub fn new(factors: Vec<u64>) -> Self {
        let sums = vec![0; factors.len()];
        Self { factors, sums }
    }

    /// Adds a block, rows x columns. Blocks may come in any order.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns.
    pub fn add(&mut self, block: ArrayView2<'_, i16>) -> Result<(), Error> {
        let expected = self.factors.len().saturating_sub(1);
        if block.ncols() != expected {
            return Err(Error::Columns { expected, actual: block.ncols() });
        }
        // No sum of up to 2^14 columns, or 2^28 rows, of values of 16 bits times residues of 61 leaves 128 bits.
        let ones = self.factors.last().copied().unwrap_or_default();
        let mut products = vec![i128::from(ones); block.nrows()];
        for (column, &factor) in block.columns().into_iter().zip(&self.factors) {
            for (product, &value) in products.iter_mut().zip(column) {
                *product += i128::from(value) * i128::from(factor);
            }
        }
        let products: Vec<u64> = products.into_iter().map(residue).collect();
        for (column, sum) in block.columns().into_iter().zip(&mut self.sums) {
            let of_column: i128 = column
                .iter()
                .zip(&products)
                .map(|(&value, &product)| i128::from(value) * i128::from(product))
                .sum();
            *sum = residue(i128::from(*sum) + of_column);
        }
        if let Some(sum) = self.sums.last_mut() {
            let all: i128 = products.iter().map(|&product| i128::from(product)).sum();
            *sum = residue(i128::from(*sum) + all);
        }
        Ok(())
    }

    /// Adds what another check by the same vector has seen.
    pub fn merge(&mut self, other: &Self) {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum = residue(i128::from(*sum) + i128::from(*other));
        }
    }

    /// Whether sums satisfy the equation; `None` for more than [`MAX_ROWS`](Self::MAX_ROWS) rows, of which it would say nothing.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns.
    pub fn agrees(&self, gram: &GramAccumulator) -> Result<Option<bool>, Error> {
        let n = gram.columns();
        if self.factors.len() != n + 1 {
            return Err(Error::Columns { expected: self.factors.len().saturating_sub(1), actual: n });
        }
        if gram.rows() > Self::MAX_ROWS {
            return Ok(None);
        }
        let entry = |i: usize, j: usize| match (i == n, j == n) {
            (false, false) => gram.product(i, j),
            (true, true) => i128::from(gram.rows()),
            _ => gram.column_sum(i.min(j)),
        };
        let side = |i: usize| {
            let sum = self.factors.iter().enumerate().fold(0_u64, |sum, (j, &factor)| {
                let product = i128::from(residue(entry(i, j))) * i128::from(factor);
                residue(product + i128::from(sum))
            });
            Some(&sum) == self.sums.get(i)
        };
        Ok(Some((0..=n).all(side)))
    }
}

/// A number modulo the prime, at least 0.
fn residue(value: i128) -> u64 {
    // It is between 0 and the prime.
    value.rem_euclid(i128::from(ModularCheck::PRIME)) as u64
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn matrix(m: usize, n: usize) -> Array2<i16> {
        let value = |(i, j): (usize, usize)| {
            (((i * i * 7919 + j * 104_729 + i * j * 31) % 65536) as i32 - 32768) as i16
        };
        Array2::from_shape_fn((m, n), value)
    }

    fn factors(n: usize) -> Vec<u64> {
        let factor = |j: u64| (j + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) % ModularCheck::PRIME;
        (0..=n as u64).map(factor).collect()
    }

    fn sums(matrix: &Array2<i16>) -> GramAccumulator {
        let mut sums = GramAccumulator::new(matrix.ncols()).unwrap();
        sums.add(matrix.view()).unwrap();
        sums
    }

    #[test]
    fn sums_of_the_matrix_agree_in_any_order_of_blocks() {
        let matrix = matrix(300, 9);
        let (top, bottom) = matrix.view().split_at(ndarray::Axis(0), 113);
        let (mut one, mut other) = (ModularCheck::new(factors(9)), ModularCheck::new(factors(9)));
        one.add(bottom).unwrap();
        other.add(top).unwrap();
        one.merge(&other);
        assert_eq!(one.agrees(&sums(&matrix)).unwrap(), Some(true));
    }

    #[test]
    fn sums_of_another_matrix_do_not() {
        let given = matrix(300, 9);
        let mut check = ModularCheck::new(factors(9));
        check.add(given.view()).unwrap();
        for (row, column) in [(0, 0), (299, 8), (113, 4)] {
            for step in [1, -1] {
                let mut other = given.clone();
                other[[row, column]] = other[[row, column]].wrapping_add(step);
                assert_eq!(check.agrees(&sums(&other)).unwrap(), Some(false));
            }
        }
        // As many rows of zeros more change nothing but the number of rows.
        let mut longer = sums(&given);
        longer.add(Array2::<i16>::zeros((1, 9)).view()).unwrap();
        assert_eq!(check.agrees(&longer).unwrap(), Some(false));
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        for value in [i16::MIN, i16::MAX] {
            let given = Array2::from_elem((4096, 3), value);
            let mut check = ModularCheck::new(vec![ModularCheck::PRIME - 1; 4]);
            check.add(given.view()).unwrap();
            assert_eq!(check.agrees(&sums(&given)).unwrap(), Some(true));
        }
    }

    #[test]
    fn other_columns_are_refused() {
        let mut check = ModularCheck::new(factors(3));
        assert!(check.add(matrix(5, 4).view()).is_err());
        assert!(check.agrees(&sums(&matrix(5, 4))).is_err());
    }
}
