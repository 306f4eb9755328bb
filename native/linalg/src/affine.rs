//! Rescales as exact integers.
//!
//! A finite f64 is an integer times a power of two, and so is the rescale of a stored value: `slope x +
//! (intercept + slope offset)`. At a power of two common to the series all of them are integers, and
//! everything made from them by sums and products is exact.

use crate::{Error, Rescale};
use num_bigint::BigInt;

/// Bits that a rescale, as an integer at the series' common power of two, may have.
const MAX_RESCALE_BITS: u64 = 256;

/// Slope and constant term of every column as integers at one power of two.
pub(crate) fn affine_integers(rescale: &[Rescale]) -> Result<(Vec<(BigInt, BigInt)>, i64), Error> {
    for (column, r) in rescale.iter().enumerate() {
        r.check(column)?;
    }
    let parts: Vec<_> = rescale.iter().map(|r| (dyadic(r.slope), dyadic(r.intercept))).collect();
    let all = || parts.iter().flat_map(|&(s, i)| [s, i]).filter(|d| d.0 != 0);
    let lowest = all().map(|d| d.1).min().unwrap_or(0);
    let highest = all().map(|d| d.1 + 64).max().unwrap_or(0);
    let bits = highest.abs_diff(lowest);
    if bits > MAX_RESCALE_BITS {
        return Err(Error::RescaleRange { bits, limit: MAX_RESCALE_BITS });
    }
    let integer = |(mantissa, exponent): (i64, i64)| {
        if mantissa == 0 { BigInt::ZERO } else { BigInt::from(mantissa) << (exponent - lowest) }
    };
    let affine = parts
        .iter()
        .zip(rescale)
        .map(|(&(slope, intercept), r)| {
            let a = integer(slope);
            let b = integer(intercept) + &a * r.offset;
            (a, b)
        })
        .collect();
    Ok((affine, lowest))
}

/// Bits of the integers into which exact sums of `T` split the products of slopes and weights.
pub(crate) const PRODUCT_BITS: u32 = 92;

/// Fraction bits of these integers: with weights of at most 1 and the largest slope, all bits are used, and one for the
/// sign.
pub(crate) fn fraction_bits(affine: &[(BigInt, BigInt)], exponent: i64) -> i64 {
    let slope_bits = affine.iter().map(|(a, _)| a.bits() as i64).max().unwrap_or(0) + exponent;
    i64::from(PRODUCT_BITS) - slope_bits + 1
}

/// A finite f64 as odd mantissa and exponent; `(0, 0)` for zero.
pub(crate) fn dyadic(v: f64) -> (i64, i64) {
    if v == 0.0 {
        return (0, 0);
    }
    let bits = v.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i64;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (mantissa, exponent) =
        if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
    let twos = mantissa.trailing_zeros();
    let odd = mantissa >> twos;
    (if v < 0.0 { -odd } else { odd }, exponent + i64::from(twos))
}
