//! Ziv's test: does the error bound leave one way to round?
//!
//! Rounding is monotone, so if both ends of an interval round to the same number, so does everything in it;
//! otherwise the column needs more bits (Ziv 1991, "Fast evaluation of elementary mathematical functions with
//! correctly rounded last bit").

use super::super::wide::Wide;
use crate::rounding::pow2;
use num_bigint::BigInt;

/// Entries of `V` are rounded to 53 bits, or to a multiple of 2^-64 where that is coarser (entries below
/// 2^-11).
const FINEST: i32 = -64;

/// Second words of `V` are multiples of 2^-106: 52 bits, since the first words are off by at most 2^-54.
const FINEST_LOW: u32 = 106;

/// The nearest `v` (ties to even), or None where `x +- bound` (in units of the last bit) leaves a choice.
pub(super) fn entry<const W: usize>(x: Wide<W>, bound: Wide<W>, fraction: u32) -> Option<f64> {
    let low = round_entry(x.sub(bound), fraction);
    (low == round_entry(x.add(bound), fraction)).then_some(low)
}

/// The midpoint between two of the numbers that [`entry`] rounds to, where `x +- bound` holds one.
pub(super) fn entry_midpoint<const W: usize>(x: Wide<W>, bound: Wide<W>, fraction: u32) -> Option<Wide<W>> {
    odd_multiple(x, bound, (fraction as i32 + last_place(x, fraction)) as u32)
}

/// The midpoint between two of the numbers that [`low_entry`] rounds to, `v` included, where `x +- bound` holds one.
pub(super) fn low_midpoint<const W: usize>(
    x: Wide<W>,
    v: f64,
    bound: Wide<W>,
    fraction: u32,
) -> Option<Wide<W>> {
    let v = Wide::from_f64(v, fraction);
    odd_multiple(x.sub(v), bound, fraction - FINEST_LOW).map(|rest| rest.add(v))
}

/// The odd multiple of half of `2^place` that `x +- bound` holds.
fn odd_multiple<const W: usize>(x: Wide<W>, bound: Wide<W>, place: u32) -> Option<Wide<W>> {
    let half = Wide::from_i128(1, place.checked_sub(1)?);
    let midpoint = x.shr(place).shl(place).add(half);
    (x.sub(midpoint).abs() <= bound).then_some(midpoint)
}

/// The multiple of 2^-106 nearest to what `v` leaves of `x`, or None where `x +- bound` leaves a choice.
pub(super) fn low_entry<const W: usize>(x: Wide<W>, v: f64, bound: Wide<W>, fraction: u32) -> Option<f64> {
    let rest = x.sub(Wide::from_f64(v, fraction));
    let round = |r: Wide<W>| round_at(r, fraction - FINEST_LOW) as f64 * pow2(-(FINEST_LOW as i32));
    let low = round(rest.sub(bound));
    (low == round(rest.add(bound))).then_some(low)
}

/// The square of the midpoint between `low`, which is positive, and the next float, where it is an integer times
/// `2^exponent`.
pub(super) fn midpoint_square(low: f64, exponent: i64) -> Option<BigInt> {
    let (bits, field) = (low.to_bits(), (low.to_bits() >> 52) as i64);
    let (mantissa, unit) =
        if field == 0 { (bits, -1074) } else { (bits & ((1 << 52) - 1) | 1 << 52, field - 1075) };
    // Half a unit in the last place more than `low`; an odd number, and so is its square.
    let odd = BigInt::from(2 * mantissa + 1);
    let shift = 2 * (unit - 1) - exponent;
    (shift >= 0).then(|| (&odd * &odd) << shift)
}

fn round_entry<const W: usize>(x: Wide<W>, fraction: u32) -> f64 {
    let last = last_place(x, fraction);
    round_at(x, (fraction as i32 + last) as u32) as f64 * pow2(last)
}

/// The power of two of the last bit that is kept.
fn last_place<const W: usize>(x: Wide<W>, fraction: u32) -> i32 {
    (x.abs().bit_length() as i32 - fraction as i32 - 53).max(FINEST)
}

/// `x 2^-drop`, rounded to the nearest integer (ties to even); it must fit.
fn round_at<const W: usize>(x: Wide<W>, drop: u32) -> i64 {
    let magnitude = x.abs();
    let kept = magnitude.shr(drop).low();
    let up = drop > 0 && magnitude.bit(drop - 1) && (magnitude.any_below(drop - 1) || kept & 1 == 1);
    let rounded = (kept + u64::from(up)) as i64;
    if x.is_negative() { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: u32 = 160;

    fn fixed(v: f64) -> Wide<6> {
        Wide::from_f64(v, F)
    }

    #[test]
    fn numbers_on_the_grid_round_to_themselves_and_small_ones_to_multiples_of_2_to_the_minus_64() {
        for v in [0.0, 1.0, -1.0, 0.1, -1.0 / 3.0, 2f64.powi(-11), -2f64.powi(-64), 3.0 * 2f64.powi(-64)] {
            assert_eq!(entry(fixed(v), fixed(2f64.powi(-90)), F), Some(v), "{v}");
        }
        assert_eq!(entry(fixed(1.4 * 2f64.powi(-64)), fixed(2f64.powi(-90)), F), Some(2f64.powi(-64)));
        assert_eq!(entry(fixed(-0.4 * 2f64.powi(-64)), fixed(2f64.powi(-90)), F).map(f64::to_bits), Some(0));
    }

    #[test]
    fn an_interval_that_holds_a_midpoint_is_undecided_until_it_is_narrow_enough() {
        let x = fixed(0.75).add(fixed(2f64.powi(-54))).add(fixed(2f64.powi(-100)));
        assert_eq!(entry(x, fixed(2f64.powi(-99)), F), None);
        assert_eq!(entry(x, fixed(2f64.powi(-101)), F), Some(0.75 + 2f64.powi(-53)));
    }

    #[test]
    fn midpoints_are_found_within_the_bound_alone() {
        let midpoint = fixed(0.75).add(fixed(2f64.powi(-54)));
        let bound = fixed(2f64.powi(-140));
        for (x, found) in
            [(midpoint, true), (midpoint.add(bound), true), (midpoint.add(bound).add(bound), false)]
        {
            assert_eq!(entry_midpoint(x, bound, F), found.then_some(midpoint));
            assert_eq!(entry_midpoint(x.neg(), bound, F), found.then_some(midpoint.neg()));
        }
        // Ties go to the even one, whatever the sign.
        assert_eq!(entry(midpoint, Wide::ZERO, F), Some(0.75));
        assert_eq!(entry(midpoint.neg(), Wide::ZERO, F), Some(-0.75));
        let low = fixed(0.75).add(fixed(3.0 * 2f64.powi(-107)));
        assert_eq!(low_midpoint(low.sub(bound), 0.75, bound, F), Some(low));
        assert_eq!(low_entry(low, 0.75, Wide::ZERO, F), Some(2f64.powi(-105)));
    }

    #[test]
    fn second_words_carry_what_the_first_leave() {
        let x = fixed(0.75).sub(fixed(5.0 * 2f64.powi(-60)));
        assert_eq!(entry(x, fixed(2f64.powi(-140)), F), Some(0.75));
        assert_eq!(low_entry(x, 0.75, fixed(2f64.powi(-140)), F), Some(-5.0 * 2f64.powi(-60)));
    }

    #[test]
    fn the_square_of_a_midpoint_is_found_where_it_is_an_integer() {
        // Between 1 and 1 + 2^-52: (2^53 + 1)^2 2^-106.
        let square = BigInt::from((1u64 << 53) + 1).pow(2);
        assert_eq!(midpoint_square(1.0, -106), Some(square.clone()));
        assert_eq!(midpoint_square(1.0, -108), Some(square << 2));
        assert_eq!(midpoint_square(1.0, -105), None);
    }
}
