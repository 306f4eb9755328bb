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
pub(super) const COLUMNS_AT_ONCE: usize = 256;

/// Bits that the sum of some digits' products may be shifted by and stay within an `i128`.
const JOINED: u32 = 72;

/// Bits of the digits, which are balanced: between `-2^(bits - 1)` and `2^(bits - 1)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExactProduct {
    /// Of `G`, and digits per plane of [`GramMatrix::planes`].
    gram: u32,
    pieces: u32,
    /// Of the columns.
    column: u32,
}

/// The digits of some columns.
struct Digits {
    /// Digit after digit of one column, the lowest first; n entries each.
    values: Vec<f64>,
    of_one: usize,
    /// The place of the lowest.
    place: u32,
}

impl ExactProduct {
    pub fn new(g: &GramMatrix) -> Self {
        // n 2^(gram - 1) 2^(column - 1) <= 2^53
        let available = 55 - (usize::BITS - (g.n() - 1).leading_zeros());
        let bits = g.digit_bits() + 1;
        let pieces = bits.div_ceil(available / 2);
        let gram = bits.div_ceil(pieces);
        Self { gram, pieces, column: available - gram }
    }

    /// Bits of a digit of a column.
    pub fn digit_bits(self) -> u32 {
        self.column
    }

    /// `G x` for each of the columns `x`, n entries each; all of it must fit.
    pub fn of<const W: usize>(self, g: &GramMatrix, columns: &[&[Wide<W>]]) -> Vec<Vec<Wide<W>>> {
        let mut sums = vec![vec![Wide::ZERO; g.n()]; columns.len()];
        self.add(g, columns, sums.iter_mut().map(|sum| (sum.as_mut_slice(), 0)).collect());
        sums
    }

    /// Adds `G x`, times a power of two, to the sum of each of the columns `x`.
    pub fn add<const V: usize, const W: usize>(
        self,
        g: &GramMatrix,
        columns: &[&[Wide<V>]],
        mut sums: Vec<(&mut [Wide<W>], u32)>,
    ) {
        let n = g.n();
        let Some(digits) = self.digits(columns) else { return };
        let mut rows = vec![];
        for first in (0..n).step_by(ROWS_AT_ONCE) {
            let last = (first + ROWS_AT_ONCE).min(n);
            for (p, plane) in (0u32..).zip(g.planes()) {
                let mut rest = plane[first * n..last * n].to_vec();
                let products: Vec<Vec<f64>> = (1..=self.pieces)
                    .map(|piece| {
                        rows.clear();
                        rows.extend(rest.iter_mut().map(|v| {
                            if piece == self.pieces { *v as f64 } else { take_digit(v, self.gram) }
                        }));
                        multiply(&rows, n, true, &digits.values)
                    })
                    .collect();
                let place = digits.place + p * g.digit_bits();
                for (at, (sum, shift)) in sums.iter_mut().enumerate() {
                    self.join(
                        &products,
                        at * digits.of_one,
                        digits.of_one,
                        place + *shift,
                        &mut sum[first..last],
                    );
                }
            }
        }
    }

    /// The digits of all columns; None where these are zero.
    fn digits<const V: usize>(self, columns: &[&[Wide<V>]]) -> Option<Digits> {
        let mut extent = Wide::ZERO;
        let mut set = Wide::ZERO;
        columns.iter().flat_map(|column| column.iter()).for_each(|x| {
            extent = extent.or(x.magnitude_bits());
            set = set.or(*x);
        });
        if set == Wide::ZERO {
            return None;
        }
        let place = set.trailing_zeros();
        // 2^(column of_one - 1) is at least as large as any number, in units of `place`.
        let of_one = (extent.bit_length().saturating_sub(place) + 1).div_ceil(self.column);
        let half = 1i64 << (self.column - 1);
        // With half of each digit's range added no digit is negative.
        let halves = (0..of_one).fold(Wide::<V>::ZERO, |mut sum, d| {
            sum.add_shifted(half.into(), place + d * self.column);
            sum
        });
        let mask = u64::MAX >> (64 - self.column);
        let n = columns.first().map_or(0, |column| column.len());
        let mut values = vec![0.0; columns.len() * of_one as usize * n];
        for (column, values) in columns.iter().zip(values.chunks_exact_mut((of_one as usize * n).max(1))) {
            for (i, &x) in column.iter().enumerate() {
                let raised = x.add(halves);
                for d in 0..of_one {
                    let mask = if d + 1 == of_one { u64::MAX } else { mask };
                    let digit = raised.word_from(place + d * self.column) & mask;
                    values[d as usize * n + i] = (digit as i64 - half) as f64;
                }
            }
        }
        Some(Digits { values, of_one: of_one as usize, place })
    }

    /// Adds the products of some rows of `G`, of each of its digits, with the `count` digits of a column from `first` on, the
    /// lowest at `place`.
    fn join<const W: usize>(
        self,
        products: &[Vec<f64>],
        first: usize,
        count: usize,
        place: u32,
        sum: &mut [Wide<W>],
    ) {
        let rows = sum.len();
        // So many digits' sums, each at most 2^53, make one number below 2^127.
        let together = (JOINED - self.gram * (self.pieces - 1)) / self.column + 1;
        for (group, at) in (0u32..).zip((0..count).step_by(together as usize)) {
            let digits = first + at..first + (at + together as usize).min(count);
            let place = place + group * together * self.column;
            for (i, sum) in sum.iter_mut().enumerate() {
                let joined = digits.clone().rev().fold(0i128, |high, d| {
                    let of_all = (0u32..).zip(products).map(|(piece, products)| {
                        i128::from(products[d * rows + i] as i64) << (piece * self.gram)
                    });
                    (high << self.column) + of_all.sum::<i128>()
                });
                sum.add_shifted(joined, place);
            }
        }
    }
}

/// Takes the lowest balanced digit off an integer.
fn take_digit(value: &mut i64, bits: u32) -> f64 {
    let half = 1i64 << (bits - 1);
    let digit = ((*value + half) & ((1 << bits) - 1)) - half;
    *value = (*value - digit) >> bits;
    digit as f64
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
    fn balanced_digits_are_at_most_half_their_range_and_sum_to_the_number() {
        for bits in [2, 7, 17, 22] {
            for value in [0, 1, -1, 63, 64, -64, 65, (1 << 33) - 1, -(1 << 33), 0x5555_5555, -0x2aaa_aaab] {
                let pieces = 35u32.div_ceil(bits);
                let mut rest: i64 = value;
                let mut sum = 0;
                for piece in 0..pieces {
                    let digit = if piece + 1 == pieces { rest } else { take_digit(&mut rest, bits) as i64 };
                    assert!(digit.abs() <= 1 << (bits - 1), "{value} in {bits} bits");
                    sum += digit << (piece * bits);
                }
                assert_eq!(sum, value);
            }
        }
    }

    #[test]
    fn products_of_the_largest_digits_are_exact() {
        // Every entry of G and of the columns is the largest in magnitude that its bits can hold, of either sign.
        for n in [1usize, 2, 33] {
            let mut sums = GramAccumulator::new(n).unwrap();
            let rows = 3;
            sums.add(RowBlock::new(&vec![-32_767i16; rows * n], rows, n).unwrap()).unwrap();
            let g = sums.finish(&vec![Rescale::IDENTITY; n]).unwrap();
            let entry = BigInt::from(3) * 32_767 * 32_767;
            for bits in 1..130u32 {
                for ones in [(BigInt::from(1) << bits) - 1, BigInt::from(1) << bits] {
                    for x in [ones.clone(), -ones] {
                        let column = vec![Wide::<6>::from_big(&x); n];
                        let product = ExactProduct::new(&g).of(&g, &[&column]);
                        assert!(product[0].iter().all(|y| y.to_big() == &entry * n * &x), "{n}: {x}");
                    }
                }
            }
        }
    }
}
