//! Exact sums of integers that f64 holds.
//!
//! A value is cut into pieces of 40 bits, by adding and subtracting a large number that rounds it to a multiple of a piece's unit. Of
//! a few thousand pieces f64 holds the sum, whatever their order.

use crate::dispatch::dispatched;
use crate::gram::kernel::{PANEL, ROWS};
use crate::rounding::pow2;

/// Bits of a piece.
const PIECE: u32 = 40;

/// Pieces of the widest integers.
const PIECES: usize = super::ranges::MAX_BITS.div_ceil(PIECE) as usize;

/// A sum: entry `k` is that of pieces in units of `2^(40 k)`. It holds 2^22 integers.
pub(super) type Total = [i64; PIECES];

/// Of none.
pub(super) const ZERO: Total = [0; PIECES];

/// Values that are added side by side.
const LANES: usize = 8;

dispatched! {
    /// Adds the integers of some columns, below `2^bits` in magnitude, to their sums.
    pub(super) fn add(columns: &[[f64; ROWS]; PANEL], bits: u32, totals: &mut [Total; PANEL]) {
        for (column, total) in columns.iter().zip(totals) {
            let mut rest = *column;
            for k in (0..bits.div_ceil(PIECE)).rev() {
                let unit = (PIECE * k) as i32;
                // In [2^52, 2^53) units with a piece of at most 2^40: rounded to a multiple of the unit.
                let rounder = 1.5 * pow2(52 + unit);
                let mut lanes = [0.0; LANES];
                for values in rest.as_chunks_mut::<LANES>().0 {
                    for (lane, value) in lanes.iter_mut().zip(values) {
                        let piece = (*value + rounder) - rounder;
                        *lane += piece;
                        *value -= piece;
                    }
                }
                total[k as usize] += (lanes.iter().sum::<f64>() * pow2(-unit)) as i64;
            }
        }
    }
}

/// What a sum leaves when it is divided by a modulus of at most 256: the residue next to zero that a byte holds.
pub(super) fn residue(total: &Total, modulus: u16) -> i8 {
    let p = i64::from(modulus);
    let step = (1i64 << PIECE) % p;
    let rest = total.iter().rev().fold(0, |rest, piece| (rest * step + piece % p) % p).rem_euclid(p);
    (if 2 * rest >= p { rest - p } else { rest }) as i8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affine::dyadic;
    use num_bigint::BigInt;

    #[test]
    fn sums_are_those_of_big_integers_at_every_width() {
        let mut state = 1u64;
        let mut next = |bits: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = ((state >> 11) as f64 * pow2(bits as i32 - 53)).trunc();
            // The largest of all now and then.
            let largest = (pow2(bits as i32) * (1.0 - f64::EPSILON / 2.0)).trunc();
            let value = if state.is_multiple_of(5) { largest } else { value };
            if state >> 63 == 0 { value } else { -value }
        };
        for bits in 1..=super::super::ranges::MAX_BITS {
            let mut totals = [ZERO; PANEL];
            let mut exact = vec![BigInt::ZERO; PANEL];
            for _ in 0..3 {
                let columns: [[f64; ROWS]; PANEL] =
                    std::array::from_fn(|_| std::array::from_fn(|_| next(bits)));
                add(&columns, bits, &mut totals);
                for (sum, column) in exact.iter_mut().zip(&columns) {
                    for (mantissa, exponent) in column.map(dyadic) {
                        *sum += BigInt::from(mantissa) << exponent;
                    }
                }
            }
            for (total, exact) in totals.iter().zip(&exact) {
                let sum = total.iter().rev().fold(BigInt::ZERO, |sum, &piece| (sum << PIECE) + piece);
                assert_eq!(sum, *exact, "{bits} bits");
                for modulus in [256u16, 255, 253, 7, 2] {
                    assert_eq!((exact - residue(total, modulus)) % modulus, BigInt::ZERO, "{bits} bits");
                }
            }
        }
    }
}
