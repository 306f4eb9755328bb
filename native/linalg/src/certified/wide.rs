//! Fixed-point numbers of `64 W` bits.
//!
//! Two's complement, least significant limb first, arithmetic modulo `2^(64 W)`: sums and products are exact
//! as long as the result fits, whatever happened in between. Where the binary point is, and that results fit,
//! is the caller's business (`find::column::Format`).

use crate::rounding::pow2;
use num_bigint::{BigInt, Sign};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wide<const W: usize>([u64; W]);

impl<const W: usize> Wide<W> {
    pub const ZERO: Self = Self([0; W]);

    /// `value * 2^shift`.
    #[inline(never)]
    pub fn from_i128(value: i128, shift: u32) -> Self {
        let fill = (value >> 127) as u64;
        let mut limbs = [fill; W];
        let (limb, bit) = ((shift / 64) as usize, shift % 64);
        limbs[..limb.min(W)].fill(0);
        // The three words that a shifted 128-bit value touches, then its sign.
        let (low, high) = (value as u64, (value >> 64) as u64);
        let words = if bit == 0 {
            [low, high, fill]
        } else {
            [low << bit, high << bit | low >> (64 - bit), fill << bit | high >> (64 - bit)]
        };
        for (target, word) in limbs.iter_mut().skip(limb).zip(words) {
            *target = word;
        }
        Self(limbs)
    }

    /// The integer nearest to `value * 2^fraction`, within one unit.
    #[inline(never)]
    pub fn from_f64(value: f64, fraction: u32) -> Self {
        let bits = value.to_bits();
        let field = ((bits >> 52) & 0x7ff) as i32;
        let mantissa = (bits & ((1 << 52) - 1)) | if field == 0 { 0 } else { 1 << 52 };
        let shift = field.max(1) - 1075 + fraction as i32;
        let magnitude = match u32::try_from(shift) {
            Ok(shift) => Self::from_i128(i128::from(mantissa), shift),
            Err(_) => Self::from_i128(i128::from(mantissa.checked_shr(shift.unsigned_abs()).unwrap_or(0)), 0),
        };
        if value < 0.0 { magnitude.neg() } else { magnitude }
    }

    #[inline]
    pub fn add(mut self, other: Self) -> Self {
        let mut carry = false;
        for (a, b) in self.0.iter_mut().zip(other.0) {
            (*a, carry) = carrying_add(*a, b, carry);
        }
        self
    }

    /// Adds `value * 2^shift`.
    #[inline]
    pub fn add_shifted(&mut self, value: i128, shift: u32) {
        let fill = (value >> 127) as u64;
        let (limb, bit) = ((shift / 64) as usize, shift % 64);
        let (low, high) = (value as u64, (value >> 64) as u64);
        // What a word leaves to the next, without a shift by 64.
        let over = |word: u64| word >> 1 >> (63 - bit);
        let words = [low << bit, high << bit | over(low), fill << bit | over(high)];
        let mut carry = false;
        for (at, a) in self.0.iter_mut().skip(limb).enumerate() {
            (*a, carry) = carrying_add(*a, words.get(at).copied().unwrap_or(fill), carry);
        }
    }

    #[inline]
    pub fn neg(mut self) -> Self {
        let mut carry = true;
        for a in &mut self.0 {
            (*a, carry) = carrying_add(!*a, 0, carry);
        }
        self
    }

    #[inline]
    pub fn sub(mut self, other: Self) -> Self {
        // a - b = a + !b + 1
        let mut carry = true;
        for (a, b) in self.0.iter_mut().zip(other.0) {
            (*a, carry) = carrying_add(*a, !b, carry);
        }
        self
    }

    /// The low `64 W` bits of the product.
    #[inline]
    pub fn mul(self, other: Self) -> Self {
        let mut out = [0u64; W];
        for (i, &a) in self.0.iter().enumerate() {
            let mut carry = 0u128;
            for (o, &b) in out[i..].iter_mut().zip(&other.0) {
                let sum = u128::from(a) * u128::from(b) + u128::from(*o) + carry;
                *o = sum as u64;
                carry = sum >> 64;
            }
        }
        Self(out)
    }

    /// The low `64 W` bits of the product with one word.
    pub fn mul_word(self, word: i64) -> Self {
        let mut carry = 0u128;
        let magnitude = self.0.map(|a| {
            let sum = u128::from(a) * u128::from(word.unsigned_abs()) + carry;
            carry = sum >> 64;
            sum as u64
        });
        if word < 0 { Self(magnitude).neg() } else { Self(magnitude) }
    }

    pub fn is_negative(self) -> bool {
        self.0[W - 1] >> 63 == 1
    }

    pub fn abs(self) -> Self {
        if self.is_negative() { self.neg() } else { self }
    }

    #[inline]
    pub fn shl(self, bits: u32) -> Self {
        let (limb, bit) = ((bits / 64) as usize, bits % 64);
        let word = |i: usize| i.checked_sub(limb).map_or(0, |i| self.0[i]);
        let below = |i: usize| if bit == 0 || i == 0 { 0 } else { word(i - 1) >> (64 - bit) };
        Self(std::array::from_fn(|i| word(i) << bit | below(i)))
    }

    /// Arithmetic shift: rounds toward minus infinity.
    #[inline(never)]
    pub fn shr(self, bits: u32) -> Self {
        let fill = if self.is_negative() { u64::MAX } else { 0 };
        let (limb, bit) = ((bits / 64) as usize, bits % 64);
        let word = |i: usize| self.0.get(i + limb).copied().unwrap_or(fill);
        Self(std::array::from_fn(
            |i| if bit == 0 { word(i) } else { word(i) >> bit | word(i + 1) << (64 - bit) },
        ))
    }

    /// Bits of a value that is not negative.
    #[inline]
    pub fn bit_length(self) -> u32 {
        let top = self.0.iter().rposition(|&l| l != 0);
        top.map_or(0, |i| 64 * (i as u32 + 1) - self.0[i].leading_zeros())
    }

    /// 64 bits from bit `at` on, of which those beyond the number are zero.
    #[inline]
    pub fn word_from(self, at: u32) -> u64 {
        let (limb, bit) = ((at / 64) as usize, at % 64);
        let word = |i: usize| self.0.get(i).copied().unwrap_or(0);
        word(limb) >> bit | word(limb + 1) << 1 << (63 - bit)
    }

    /// The residue modulo 2^61 - 1.
    pub fn modulo_61(self) -> u64 {
        const PRIME: u64 = (1 << 61) - 1;
        let folded = |value: u128| (value & u128::from(PRIME)) as u64 + (value >> 61) as u64;
        // 2^64 is 8.
        let limbs = self.abs().0;
        let sum =
            limbs.iter().rev().fold(0, |rest, &limb| folded((u128::from(rest) << 3) + u128::from(limb)));
        let rest = sum % PRIME;
        if self.is_negative() && rest > 0 { PRIME - rest } else { rest }
    }

    /// The bits of a magnitude: of a negative value, those of `-1 - value`.
    pub fn magnitude_bits(self) -> Self {
        let fill = if self.is_negative() { u64::MAX } else { 0 };
        Self(self.0.map(|limb| limb ^ fill))
    }

    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// Bit `i`.
    pub fn bit(self, i: u32) -> bool {
        self.0[(i / 64) as usize] >> (i % 64) & 1 == 1
    }

    /// Zero bits below the lowest that is set; all of them for zero.
    pub fn trailing_zeros(self) -> u32 {
        let at = self.0.iter().position(|&l| l != 0);
        at.map_or(64 * W as u32, |at| 64 * at as u32 + self.0[at].trailing_zeros())
    }

    /// Whether any of the lowest `count` bits is set.
    pub fn any_below(self, count: u32) -> bool {
        let (limb, bit) = ((count / 64) as usize, count % 64);
        self.0[..limb].iter().any(|&l| l != 0) || (bit > 0 && self.0[limb] & ((1 << bit) - 1) != 0)
    }

    /// The lowest limb.
    pub fn low(self) -> u64 {
        self.0[0]
    }

    /// The value times `2^-fraction`, off by less than one unit in the last place of f64 (zero below its
    /// range).
    #[inline]
    pub fn to_f64(self, fraction: u32) -> f64 {
        let magnitude = self.abs();
        let bits = magnitude.bit_length();
        let drop = bits.saturating_sub(64);
        let top = magnitude.word_from(drop) as f64;
        let value = top * pow2(drop as i32 - fraction as i32);
        if self.is_negative() { -value } else { value }
    }

    /// The same integer in other limbs; it must fit.
    pub fn resize<const V: usize>(self) -> Wide<V> {
        let fill = if self.is_negative() { u64::MAX } else { 0 };
        Wide(std::array::from_fn(|i| self.0.get(i).copied().unwrap_or(fill)))
    }

    /// The inverse of [`to_big`](Self::to_big), for integers that fit.
    pub fn from_big(value: &BigInt) -> Self {
        let mut magnitude = [0; W];
        magnitude.iter_mut().zip(value.iter_u64_digits()).for_each(|(m, d)| *m = d);
        if value.sign() == Sign::Minus { Self(magnitude).neg() } else { Self(magnitude) }
    }

    pub fn to_big(self) -> BigInt {
        let bytes: Vec<u8> = self.0.iter().flat_map(|l| l.to_le_bytes()).collect();
        BigInt::from_signed_bytes_le(&bytes)
    }
}

impl<const W: usize> Ord for Wide<W> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let top = |v: &Self| v.0[W - 1] as i64;
        top(self)
            .cmp(&top(other))
            .then_with(|| self.0[..W - 1].iter().rev().cmp(other.0[..W - 1].iter().rev()))
    }
}

impl<const W: usize> PartialOrd for Wide<W> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[inline]
fn carrying_add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arithmetic_agrees_with_big_integers(
            a in any::<i128>(),
            b in any::<i128>(),
            s in 0u32..120,
            t in 0u32..240,
        ) {
            let (x, y) = (Wide::<6>::from_i128(a, s), Wide::<6>::from_i128(b, s));
            let (p, q) = (BigInt::from(a) << s, BigInt::from(b) << s);
            prop_assert_eq!(x.to_big(), p.clone());
            prop_assert_eq!(Wide::from_big(&p), x);
            prop_assert_eq!(x.add(y).to_big(), &p + &q);
            prop_assert_eq!(x.sub(y).to_big(), &p - &q);
            prop_assert_eq!(x.shr(t).to_big(), &p >> t);
            prop_assert_eq!(x.shr(s).shl(s).to_big(), p.clone());
            prop_assert_eq!(Wide::<6>::from_i128(a, 0).mul(y).to_big(), BigInt::from(a) * &q);
            prop_assert_eq!(y.mul_word(a as i64).to_big(), &q * (a as i64));
            prop_assert_eq!(u64::from(x.abs().bit_length()), p.bits());
            prop_assert_eq!(u64::from(x.trailing_zeros()), p.trailing_zeros().unwrap_or(384));
            prop_assert_eq!(x.cmp(&y), p.cmp(&q));
            prop_assert_eq!(x.resize::<9>().to_big(), p.clone());
            let mut sum = y;
            sum.add_shifted(a, t.min(200));
            prop_assert_eq!(sum.to_big(), &q + (BigInt::from(a) << t.min(200)));
            let prime = BigInt::from((1u64 << 61) - 1);
            prop_assert_eq!(BigInt::from(x.modulo_61()), ((&p % &prime) + &prime) % &prime);
            let (bits, any) = (x.magnitude_bits().to_big(), x.or(y).to_big());
            prop_assert_eq!(bits, if p < BigInt::ZERO { -&p - 1 } else { p.clone() });
            prop_assert_eq!(any, &p | &q);
            let unsigned = p.clone() + (BigInt::from(u8::from(p < BigInt::ZERO)) << 384);
            prop_assert_eq!(BigInt::from(x.word_from(t)), (unsigned >> t) & BigInt::from(u64::MAX));
        }

        #[test]
        fn floating_point_numbers_come_back_when_their_bits_fit(
            m in any::<i32>(),
            e in -60i32..60,
            fraction in 60u32..200,
        ) {
            let v = f64::from(m) * pow2(e);
            prop_assert_eq!(Wide::<6>::from_f64(v, fraction).to_f64(fraction), v);
        }
    }
}
