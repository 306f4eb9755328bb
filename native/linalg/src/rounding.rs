//! Big integers to f64, correctly rounded; powers of two; the sign of singular vectors.

use num_bigint::{BigInt, BigUint, Sign};

/// The f64 nearest to `value * 2^exponent` (ties to even); infinite where it overflows, rounded once in the
/// subnormal range too.
pub(crate) fn nearest(value: &BigUint, exponent: i64) -> f64 {
    nearest_with_sticky(value, false, exponent)
}

/// [`nearest`] of a signed integer.
pub(crate) fn nearest_signed(value: &BigInt, exponent: i64) -> f64 {
    let magnitude = nearest(value.magnitude(), exponent);
    if value.sign() == Sign::Minus { -magnitude } else { magnitude }
}

/// The f64 nearest to `value * 2^exponent / divisor`.
pub(crate) fn nearest_quotient(value: &BigUint, divisor: &BigUint, exponent: i64) -> f64 {
    let shift = (64 + divisor.bits()).saturating_sub(value.bits());
    let scaled = value << shift;
    let quotient = &scaled / divisor;
    let sticky = &quotient * divisor != scaled;
    nearest_with_sticky(&quotient, sticky, exponent.saturating_sub_unsigned(shift))
}

/// The f64 nearest to `sqrt(value * 2^exponent / divisor)`.
///
/// The integer square root of a quotient of at least 130 bits has 65 bits or more, so it and a sticky bit round
/// correctly.
pub(crate) fn nearest_sqrt(value: &BigUint, divisor: &BigUint, exponent: i64) -> f64 {
    let lack = (131 + divisor.bits()).saturating_sub(value.bits()) as i64;
    let shift = lack + (exponent - lack).rem_euclid(2);
    let scaled = value << shift.unsigned_abs();
    let quotient = &scaled / divisor;
    let root = quotient.sqrt();
    let sticky = &root * &root * divisor != scaled;
    nearest_with_sticky(&root, sticky, (exponent - shift) / 2)
}

/// As [`nearest`], with a nonzero remainder below the last bit of `value` where `sticky`. `value` then has 55
/// bits or more.
fn nearest_with_sticky(value: &BigUint, sticky: bool, exponent: i64) -> f64 {
    let bits = value.bits() as i64;
    if bits == 0 {
        return 0.0;
    }
    let top = bits + exponent;
    if top > 1024 {
        return f64::INFINITY;
    }
    // The place of the last bit that f64 keeps: 53 below the top, or 2^-1074.
    let last = (top - 53).max(-1074);
    let drop = last - exponent;
    if top < -1074 {
        return 0.0;
    }
    if drop <= 0 {
        let shifted = value << drop.unsigned_abs();
        return scale(shifted.iter_u64_digits().next().unwrap_or(0), last);
    }
    let kept = (value >> drop).iter_u64_digits().next().unwrap_or(0);
    let half = value.bit(drop as u64 - 1);
    let below = sticky || value.trailing_zeros().is_some_and(|z| (z as i64) < drop - 1);
    scale(kept + u64::from(half && (below || kept & 1 == 1)), last)
}

/// `integer * 2^exponent` for an integer of at most 54 bits and a result that f64 holds exactly (or
/// infinity).
fn scale(integer: u64, exponent: i64) -> f64 {
    times_power_of_two(integer as f64, exponent.clamp(-2000, 2000) as i32)
}

/// What makes the entry of largest magnitude (the first on ties) positive: the sign of every column of `V`.
pub(crate) fn canonical_sign(column: impl Iterator<Item = f64>) -> f64 {
    let largest = column.fold(0.0f64, |largest, v| if v.abs() > largest.abs() { v } else { largest });
    if largest < 0.0 { -1.0 } else { 1.0 }
}

/// `2^exponent`, exactly; zero or infinite outside the range of normal numbers.
pub(crate) fn pow2(exponent: i32) -> f64 {
    match exponent {
        ..-1022 => 0.0,
        -1022..=1023 => f64::from_bits(((exponent + 1023) as u64) << 52),
        1024.. => f64::INFINITY,
    }
}

/// `value * 2^exponent`, in two steps, since the power itself may be out of range; infinite where it overflows.
pub(crate) fn times_power_of_two(value: f64, exponent: i32) -> f64 {
    let (first, second) = two_powers(exponent.clamp(-2044, 2046));
    value * first * second
}

/// `2^exponent` as a product of two powers that f64 holds, for exponents down to -2044 and up to 2046.
pub(crate) fn two_powers(exponent: i32) -> (f64, f64) {
    (pow2(exponent / 2), pow2(exponent - exponent / 2))
}

/// `e` with `2^(e-1) <= x < 2^e`, of a finite positive number; None of zero.
pub(crate) fn exponent_of(x: f64) -> Option<i32> {
    match x {
        0.0 => None,
        x if x < f64::MIN_POSITIVE => exponent_of(x * pow2(64)).map(|e| e - 64),
        x => Some(((x.to_bits() >> 52) & 0x7ff) as i32 - 1022),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_outside_the_range_overflow_or_vanish() {
        assert_eq!(times_power_of_two(1.0, 5000), f64::INFINITY);
        assert_eq!(times_power_of_two(1.0, -5000), 0.0);
        assert_eq!(times_power_of_two(0.75, -1073), f64::from_bits(2));
        assert_eq!(times_power_of_two(f64::MAX, -2044), f64::MAX * f64::MIN_POSITIVE * f64::MIN_POSITIVE);
    }

    #[test]
    fn integers_of_any_size_round_as_the_hardware_does() {
        for v in [
            1u128,
            3,
            (1 << 53) + 1,
            (1 << 53) + 3,
            (1 << 54) - 1,
            u128::MAX,
            (1 << 100) + 1,
            (1 << 100) + (1 << 47),
            0x1234_5678_9abc_def0_1111,
        ] {
            assert_eq!(nearest(&BigUint::from(v), 0), v as f64, "{v}");
        }
    }

    #[test]
    fn subnormals_and_overflow_round_once() {
        assert_eq!(nearest(&BigUint::from(3u32), -1075), 2.0 * f64::from_bits(1));
        assert_eq!(nearest(&BigUint::from(1u32), -1075), 0.0);
        assert_eq!(nearest(&BigUint::from(5u32), -1076), f64::from_bits(1));
        assert_eq!(nearest(&BigUint::from(1u32), 1024), f64::INFINITY);
        assert_eq!(nearest(&BigUint::from(1u32), 1023), f64::MAX / (2.0 - f64::EPSILON));
    }

    #[test]
    fn square_roots_are_the_nearest() {
        for v in [1u64, 2, 3, 4, 5, 1_000_003, 1 << 52, (1 << 53) - 1] {
            // IEEE sqrt is correctly rounded and these arguments are exact.
            for divisor in [1u32, 3, 301] {
                let (value, divisor) = (BigUint::from(v) * divisor, BigUint::from(divisor));
                assert_eq!(nearest_sqrt(&value, &divisor, 0), (v as f64).sqrt(), "{v}");
                assert_eq!(nearest_sqrt(&value, &divisor, -3), (v as f64 / 8.0).sqrt(), "{v} / 8");
            }
        }
        let square = BigUint::from(u64::MAX) * BigUint::from(u64::MAX);
        assert_eq!(nearest_sqrt(&square, &BigUint::from(1u32), 0), u64::MAX as f64);
    }

    #[test]
    fn quotients_are_the_nearest() {
        for (v, d) in [(1u64, 3u64), (2, 3), (7, 301), ((1 << 53) - 1, 7), (0, 5), (1 << 52, 1), (10, 5)] {
            // IEEE division is correctly rounded and these arguments are exact.
            let nearest = nearest_quotient(&BigUint::from(v), &BigUint::from(d), 3);
            assert_eq!(nearest, 8.0 * (v as f64 / d as f64), "{v} / {d}");
        }
        // Halfway, and a little above: the remainder decides.
        let (halfway, one) = (BigUint::from((1u64 << 53) + 1), BigUint::from(1u32));
        assert_eq!(nearest_quotient(&halfway, &one, 0), 2f64.powi(53));
        let divisor = one.clone() << 200;
        assert_eq!(nearest_quotient(&((halfway << 200) + &one), &divisor, 0), 2f64.powi(53) + 2.0);
    }
}
