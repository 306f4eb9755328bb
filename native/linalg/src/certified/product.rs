//! `G` times columns of fixed-point numbers, exactly, at the speed of float64 matrix products.
//!
//! `G` and the columns are split into digits so short that a sum of n products of two is an integer below 2^53: float64
//! adds these up exactly in any order (Ozaki, Ogita, Oishi and Rump 2012, "Error-free transformations of matrix
//! multiplication"). A vector keeps its product ([`Multiplied`]), so that what the refinement has multiplied the checker need
//! not multiply again.

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

    /// Adds `G x`, times a power of two, to the sum of each of the columns `x`, modulo `2^(64 W)`.
    fn add<const V: usize, const W: usize>(
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

/// A vector `x` and its product `G x`, exactly.
///
/// Both begin as zero, and what is added to `x` has its product added to the other, modulo `2^(64 W)`. So the second is the
/// product of the first, wherever that fits, however the vector came about: there is no other way to change either.
#[derive(Clone)]
pub(super) struct Multiplied<const W: usize> {
    x: Vec<Wide<W>>,
    product: Vec<Wide<W>>,
}

impl<const W: usize> Multiplied<W> {
    /// Zero, n entries.
    pub fn zero(n: usize) -> Self {
        Self { x: vec![Wide::ZERO; n], product: vec![Wide::ZERO; n] }
    }

    /// The given vectors, n entries each; zero for one whose entries leave less than a limb of their bits.
    pub fn new(exact: ExactProduct, g: &GramMatrix, vectors: Vec<Vec<Wide<W>>>) -> Vec<Self> {
        let fits = |x: &Vec<Wide<W>>| x.iter().all(|x| x.abs().bit_length() <= 64 * (W as u32 - 1));
        let vectors = vectors.into_iter().map(|x| if fits(&x) { x } else { vec![Wide::ZERO; x.len()] });
        let mut pairs: Vec<Self> = vectors.map(|x| Self { x, ..Self::zero(g.n()) }).collect();
        let (columns, sums): (Vec<&[Wide<W>]>, Vec<_>) =
            pairs.iter_mut().map(|pair| (pair.x.as_slice(), (pair.product.as_mut_slice(), 0))).unzip();
        exact.add(g, &columns, sums);
        pairs
    }

    /// Adds to each vector integers times a power of two.
    pub fn add(exact: ExactProduct, g: &GramMatrix, vectors: &mut [&mut Self], terms: &[(Vec<i64>, u32)]) {
        let wide =
            |(terms, _): &(Vec<i64>, u32)| terms.iter().map(|&d| Wide::from_i128(d.into(), 0)).collect();
        let columns: Vec<Vec<Wide<2>>> = terms.iter().map(wide).collect();
        let columns: Vec<&[Wide<2>]> = columns.iter().map(Vec::as_slice).collect();
        let sums = vectors.iter_mut().zip(terms).map(|(vector, (terms, shift))| {
            vector.x.iter_mut().zip(terms).for_each(|(x, &d)| x.add_shifted(d.into(), *shift));
            (vector.product.as_mut_slice(), *shift)
        });
        exact.add(g, &columns, sums.collect());
    }

    /// The vector.
    pub fn x(&self) -> &[Wide<W>] {
        &self.x
    }

    /// Its product.
    pub fn product(&self) -> &[Wide<W>] {
        &self.product
    }

    /// The same times a power of two in other limbs; zero where the product does not fit into those at hand.
    pub fn widen<const V: usize>(&self, g: &GramMatrix, shift: u32) -> Multiplied<V> {
        let most = 64 * W as u32 - g.bits() - (usize::BITS - g.n().leading_zeros()) - 1;
        if self.x.iter().any(|x| x.abs().bit_length() > most) {
            return Multiplied::zero(self.x.len());
        }
        let widen = |v: &Vec<Wide<W>>| v.iter().map(|v| v.resize().shl(shift)).collect();
        Multiplied { x: widen(&self.x), product: widen(&self.product) }
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
    use crate::{GramAccumulator, Rescale, column_major};
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
            sums.add(column_major(&block, 3, n).unwrap()).unwrap();
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
            let exact = ExactProduct::new(&g);
            let mut pairs = Multiplied::new(exact, &g, x.clone());
            let terms: Vec<(Vec<i64>, u32)> =
                (0..3).map(|j| ((0..n).map(|i| (word(i + j).0 >> 66) as i64).collect(), word(j).1)).collect();
            Multiplied::add(exact, &g, &mut pairs.iter_mut().collect::<Vec<_>>(), &terms);
            for ((x, (terms, shift)), pair) in x.iter().zip(&terms).zip(&pairs) {
                let sums = x.iter().zip(terms).map(|(x, &d)| x.to_big() + (BigInt::from(d) << *shift));
                let sums: Vec<BigInt> = sums.collect();
                prop_assert!(pair.x().iter().zip(&sums).all(|(x, sum)| x.to_big() == *sum));
                let wide: Multiplied<9> = pair.widen(&g, 70);
                for i in 0..n {
                    let expected: BigInt = (0..n).map(|l| entry(i * n + l) * &sums[l]).sum();
                    prop_assert_eq!(pair.product()[i].to_big(), expected.clone());
                    prop_assert_eq!(wide.product()[i].to_big(), expected << 70);
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
            sums.add(column_major(&vec![-32_767i16; rows * n], rows, n).unwrap()).unwrap();
            let g = sums.finish(&vec![Rescale::IDENTITY; n]).unwrap();
            let entry = BigInt::from(3) * 32_767 * 32_767;
            for bits in 1..130u32 {
                for ones in [(BigInt::from(1) << bits) - 1, BigInt::from(1) << bits] {
                    for x in [ones.clone(), -ones] {
                        let column = vec![Wide::<6>::from_big(&x); n];
                        let pairs = Multiplied::new(ExactProduct::new(&g), &g, vec![column]);
                        assert!(pairs[0].product().iter().all(|y| y.to_big() == &entry * n * &x), "{n}: {x}");
                    }
                }
            }
        }
    }
}
