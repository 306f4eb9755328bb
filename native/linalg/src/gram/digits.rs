//! From the integer entries of a symmetric matrix to planes of digits.

use num_bigint::{BigInt, Sign};
use rayon::prelude::*;

use super::kernel::PANEL;

/// Bits of a digit at the most: a product with a 62-bit number stays within 127 bits, with room for a sum.
const MAX_DIGIT_BITS: u64 = 62;

/// An integer entry.
pub(super) trait Entry {
    /// Takes its bits into account.
    fn note(&self, extent: &mut Extent);
    /// Bits `[low, low + count)` of the magnitude, with the sign; at most [`MAX_DIGIT_BITS`].
    fn digit(&self, low: u64, count: u64) -> i64;
    fn big(&self) -> BigInt;
}

/// Which bits some entries use.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// Of integers of up to 128 bits, those that any magnitude has.
    used: u128,
    /// Of others, the least factors of two, and the most bits.
    twos: u64,
    bits: u64,
}

impl Extent {
    const NONE: Self = Self { used: 0, twos: u64::MAX, bits: 0 };

    fn and(self, other: Self) -> Self {
        Self {
            used: self.used | other.used,
            twos: self.twos.min(other.twos),
            bits: self.bits.max(other.bits),
        }
    }

    /// Factors of two that all entries have, 0 where all are zero, and the bits of the largest.
    fn twos_and_bits(self) -> (u64, u64) {
        let twos = if self.used == 0 { u64::MAX } else { self.used.trailing_zeros().into() };
        let bits: u64 = (128 - self.used.leading_zeros()).into();
        (Some(twos.min(self.twos)).filter(|&twos| twos < u64::MAX).unwrap_or(0), bits.max(self.bits))
    }
}

macro_rules! entry {
    ($($type:ident),*) => {$(
        impl Entry for $type {
            #[inline(always)]
            fn note(&self, extent: &mut Extent) {
                extent.used |= u128::from(self.unsigned_abs());
            }

            #[inline(always)]
            fn digit(&self, low: u64, count: u64) -> i64 {
                let digit = (self.unsigned_abs() >> low) as i64 & ((1 << count) - 1);
                if *self < 0 { -digit } else { digit }
            }

            fn big(&self) -> BigInt {
                (*self).into()
            }
        }
    )*};
}

entry!(i64, i128);

impl Entry for &BigInt {
    fn note(&self, extent: &mut Extent) {
        extent.twos = self.trailing_zeros().map_or(extent.twos, |twos| twos.min(extent.twos));
        extent.bits = self.bits().max(extent.bits);
    }

    fn digit(&self, low: u64, count: u64) -> i64 {
        let mut words = self.iter_u64_digits().skip((low / 64) as usize);
        let pair = u128::from(words.next().unwrap_or(0)) | u128::from(words.next().unwrap_or(0)) << 64;
        let digit = (pair >> (low % 64)) as i64 & ((1 << count) - 1);
        if self.sign() == Sign::Minus { -digit } else { digit }
    }

    fn big(&self) -> BigInt {
        (*self).clone()
    }
}

/// A symmetric matrix of integers that `2^twos` multiplies.
pub(super) struct Digits {
    pub twos: u64,
    /// Of the largest, without these factors.
    pub bits: u64,
    /// Bits by which successive planes are shifted.
    pub digit_bits: u64,
    /// Lowest first, each n x n row-major.
    pub planes: Vec<Vec<i64>>,
    pub trace: BigInt,
}

/// Of the n x n matrix with these entries (i, j), i <= j, which are asked for more than once. On the threads of the current
/// pool where the caller is one of them.
///
/// Common factors of two would only make the integers wider than they need to be.
pub(super) fn digits<E: Entry>(n: usize, entry: impl Fn(usize, usize) -> E + Sync) -> Digits {
    let panels = n.div_ceil(PANEL);
    let columns = |p: usize| p * PANEL..n.min((p + 1) * PANEL);
    // In squares, as the sums are stored.
    let extent = |q: usize| {
        let mut extent = Extent::NONE;
        for i in (0..=q).flat_map(columns) {
            columns(q).skip_while(|&j| j < i).for_each(|j| entry(i, j).note(&mut extent));
        }
        extent
    };
    let parallel = rayon::current_thread_index().is_some();
    let extent = match parallel {
        true => (0..panels).into_par_iter().rev().map(extent).reduce(|| Extent::NONE, Extent::and),
        false => (0..panels).map(extent).fold(Extent::NONE, Extent::and),
    };
    let (twos, all) = extent.twos_and_bits();
    let bits = all.saturating_sub(twos);
    let count = bits.div_ceil(MAX_DIGIT_BITS).max(1);
    let digit_bits = bits.div_ceil(count).max(1);
    let plane = |d: u64| {
        let low = twos + d * digit_bits;
        let rows = |(q, rows): (usize, &mut [i64])| {
            for p in 0..panels {
                for (i, row) in columns(q).zip(rows.chunks_exact_mut(n.max(1))) {
                    let entries = columns(p).map(|j| entry(i.min(j), i.max(j)).digit(low, digit_bits));
                    row[columns(p)].iter_mut().zip(entries).for_each(|(digit, e)| *digit = e);
                }
            }
        };
        let mut plane = vec![0i64; n * n];
        match parallel {
            true => plane.par_chunks_mut((PANEL * n).max(1)).enumerate().for_each(rows),
            false => plane.chunks_mut((PANEL * n).max(1)).enumerate().for_each(rows),
        }
        plane
    };
    let planes = (0..count).map(plane).collect();
    let trace = (0..n).map(|i| entry(i, i).big()).sum::<BigInt>() >> twos;
    Digits { twos, bits, digit_bits, planes, trace }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every entry is what its digits say, and no digit is too wide.
    fn check(n: usize, of: impl Fn(usize, usize) -> BigInt, found: &Digits) {
        let mut odd = n == 0;
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let digits = found.planes.iter().map(|plane| plane[i * n + j]);
            assert!(digits.clone().all(|d| d.unsigned_abs() < 1 << found.digit_bits));
            let value = digits.rev().fold(BigInt::ZERO, |sum, d| (sum << found.digit_bits) + d);
            assert!(value.bits() <= found.bits);
            odd |= value.bit(0);
            assert_eq!(value << found.twos, of(i.min(j), i.max(j)), "({i}, {j}) of {n}");
        }
        assert!(odd || found.bits == 0, "a common factor of two is left");
        assert!(found.digit_bits <= MAX_DIGIT_BITS);
        assert_eq!(&found.trace << found.twos, (0..n).map(|i| of(i, i)).sum::<BigInt>());
    }

    #[test]
    fn integers_of_every_width_are_their_digits_on_one_thread_and_on_several() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        for n in [0, 1, 2, 15, 16, 17, 40] {
            for shift in [0, 3] {
                let small = |i: usize, j: usize| (i as i64 * 37 - j as i64 * 11 + 5) << (shift + i % 50);
                let wide = |i: usize, j: usize| i128::from(small(i, j)) << 60;
                let big: Vec<BigInt> =
                    (0..n * n).map(|at| (BigInt::from(7 * at) - 3) << (at % 170)).collect();
                let zero = |_: usize, _: usize| 0i64;
                for parallel in [false, true] {
                    let run =
                        |work: &mut (dyn FnMut() + Send)| if parallel { pool.install(work) } else { work() };
                    run(&mut || check(n, |i, j| small(i, j).into(), &digits(n, small)));
                    run(&mut || check(n, |i, j| wide(i, j).into(), &digits(n, wide)));
                    run(&mut || check(n, |i, j| big[i * n + j].clone(), &digits(n, |i, j| &big[i * n + j])));
                    run(&mut || check(n, |_, _| BigInt::ZERO, &digits(n, zero)));
                }
            }
        }
    }
}
