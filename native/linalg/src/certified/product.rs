//! `G` times columns of fixed-point numbers, exactly, at the speed of float64 matrix products.
//!
//! `G` and the columns are cut into digits so short that a sum of n products of two is an integer below 2^53: float64
//! adds these up exactly in any order (Ozaki, Ogita, Oishi and Rump 2012, "Error-free transformations of matrix
//! multiplication"). Like the numbers themselves it serves both those that find and those that prove.

use super::wide::Wide;
use crate::GramMatrix;
use tomobasis_dense::multiply;

/// Rows of `G` whose digits are made at a time.
const ROWS_AT_ONCE: usize = 256;

/// Columns that are best multiplied at a time, by one thread.
pub(super) const COLUMNS_AT_ONCE: usize = 24;

/// Bits of the digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExactProduct {
    /// Of `G`, and digits per plane of [`GramMatrix::planes`].
    gram: u32,
    pieces: u32,
    /// Of the columns.
    column: u32,
}

impl ExactProduct {
    pub fn new(g: &GramMatrix) -> Self {
        let available = 53 - (usize::BITS - (g.n() - 1).leading_zeros());
        let pieces = g.digit_bits().div_ceil(available / 2);
        let gram = g.digit_bits().div_ceil(pieces);
        Self { gram, pieces, column: available - gram }
    }

    /// Bits of a digit of a column.
    pub fn digit_bits(self) -> u32 {
        self.column
    }

    /// `G x` for each of the columns `x`, n entries each; all of it must fit.
    pub fn of<const W: usize>(self, g: &GramMatrix, columns: &[&[Wide<W>]]) -> Vec<Vec<Wide<W>>> {
        let n = g.n();
        let mut sums = vec![vec![Wide::ZERO; n]; columns.len()];
        let (digits, lowest) = self.digits(columns);
        if digits.is_empty() {
            return sums;
        }
        let mut rows = vec![];
        for first in (0..n).step_by(ROWS_AT_ONCE) {
            let last = (first + ROWS_AT_ONCE).min(n);
            for (p, plane) in (0u32..).zip(g.planes()) {
                for piece in 0..self.pieces {
                    let digit =
                        |&v: &i64| signed_digit(v.unsigned_abs(), v < 0, piece * self.gram, self.gram);
                    rows.clear();
                    rows.extend(plane[first * n..last * n].iter().map(digit));
                    let products = multiply(&rows, n, true, &digits);
                    let place = lowest + p * g.digit_bits() + piece * self.gram;
                    self.add(
                        &products,
                        last - first,
                        place,
                        sums.iter_mut().map(|sum| &mut sum[first..last]),
                    );
                }
            }
        }
        sums
    }

    /// The digits of all columns, digit after digit of one, from the lowest that is not zero everywhere on, and the place
    /// of that one.
    fn digits<const W: usize>(self, columns: &[&[Wide<W>]]) -> (Vec<f64>, u32) {
        let entries = || columns.iter().flat_map(|column| column.iter());
        let highest = entries().map(|x| x.abs().bit_length()).max().unwrap_or(0);
        let lowest = entries().map(|x| x.trailing_zeros()).min().unwrap_or(0);
        let mask = (1 << self.column) - 1;
        let digit = |x: &Wide<W>, low: u32| {
            let digit = (x.abs().shr(low).low() & mask) as f64;
            if x.is_negative() { -digit } else { digit }
        };
        let lows = || (lowest..highest).step_by(self.column as usize);
        let all =
            columns.iter().flat_map(|x| lows().flat_map(move |low| x.iter().map(move |x| digit(x, low))));
        (all.collect(), lowest)
    }

    /// Adds the products of some rows of `G` with the digits of every column, the lowest at `place`.
    fn add<'a, const W: usize>(
        self,
        products: &[f64],
        rows: usize,
        place: u32,
        sums: impl ExactSizeIterator<Item = &'a mut [Wide<W>]>,
    ) {
        let of_one = products.len() / sums.len();
        // So many digits' sums, each below 2^53, make one number of 127 bits.
        let together = ((127 - 54) / self.column) as usize + 1;
        for (sums, products) in sums.zip(products.chunks_exact(of_one)) {
            for (at, group) in (0u32..).zip(products.chunks(together * rows)) {
                let place = place + at * together as u32 * self.column;
                for (i, sum) in sums.iter_mut().enumerate() {
                    let digits = group[i..].iter().step_by(rows).rev();
                    let joined =
                        digits.fold(0i128, |high, &digit| (high << self.column) + i128::from(digit as i64));
                    *sum = sum.add(Wide::from_i128(joined, place));
                }
            }
        }
    }
}

fn signed_digit(magnitude: u64, negative: bool, low: u32, bits: u32) -> f64 {
    let digit = (magnitude >> low & ((1 << bits) - 1)) as f64;
    if negative { -digit } else { digit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GramAccumulator, Rescale, RowBlock};
    use num_bigint::BigInt;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn products_are_those_of_big_integers(
            n in 1usize..40,
            values in prop::collection::vec(any::<i16>(), 200),
            words in prop::collection::vec((any::<i128>(), 0u32..60), 80),
            slope in prop_oneof![Just(1.0), Just(0.1), Just(1.0 + 2f64.powi(-50))],
        ) {
            let block: Vec<i16> = values.iter().copied().cycle().take(3 * n).collect();
            let mut sums = GramAccumulator::new(n).unwrap();
            sums.add(RowBlock::new(&block, 3, n).unwrap()).unwrap();
            let rescale: Vec<Rescale> =
                (0..n).map(|j| Rescale { slope: slope * (j + 1) as f64, intercept: 0.0, offset: 0 }).collect();
            let g = sums.finish(&rescale).unwrap();
            let entry = |at: usize| -> BigInt {
                g.planes().iter().rev().fold(BigInt::ZERO, |sum, p| (sum << g.digit_bits()) + p[at])
            };
            let word = |at: usize| words[at % words.len()];
            let x: Vec<Vec<Wide<6>>> = (0..3)
                .map(|j| (0..n).map(|i| Wide::from_i128(word(j * n + i).0, word(i).1)).collect())
                .collect();
            let columns: Vec<&[Wide<6>]> = x.iter().map(Vec::as_slice).collect();
            let product = ExactProduct::new(&g).of(&g, &columns);
            for (x, y) in x.iter().zip(product) {
                for (i, y) in y.into_iter().enumerate() {
                    let expected: BigInt = (0..n).map(|l| entry(i * n + l) * x[l].to_big()).sum();
                    prop_assert_eq!(y.to_big(), expected);
                }
            }
        }
    }

    #[test]
    fn the_largest_digits_of_the_most_columns_stay_integers_that_float64_holds() {
        for n in [1usize, 2, 300, 4096, 4097, 16_384] {
            let log = usize::BITS - (n - 1).leading_zeros();
            let available = 53 - log;
            let largest = ((1u64 << (available / 2)) - 1) * ((1 << (available - available / 2)) - 1);
            assert!(largest.checked_mul(n as u64).is_some_and(|sum| sum < 1 << 53), "{n}");
        }
    }
}
