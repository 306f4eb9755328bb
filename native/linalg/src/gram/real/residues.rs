//! Residues of wide integers that f64 holds.
//!
//! One step is `q = round(v / p)`, `v - q p` by one fused multiply-add. `v` and `q p` are multiples of `ulp(q)`
//! and differ by no more than `p (1/2 + |v / p| 2^-52)`, so the difference has fewer than 53 bits: it is exact.
//! Each step takes 51 bits off a wide `v`; when fewer than 50 are left, a last one leaves at most `p / 2 + 1`.

use crate::dispatch::dispatched;

/// Bits that one step takes off.
const STEP_BITS: u32 = 50;

/// 1.5 2^52.
const INTEGER_BITS: f64 = 6_755_399_441_055_744.0;

dispatched! {
    /// `out[i]` = the integer `values[i]`, below `2^bits` in magnitude, modulo `prime`: at most `prime / 2 + 1`
    /// in magnitude.
    pub(super) fn of_column(values: &[f64], bits: u32, prime: u16, out: &mut [i16]) {
        match bits.div_ceil(STEP_BITS) {
            0 | 1 => steps::<1>(values, prime, out),
            2 => steps::<2>(values, prime, out),
            3 => steps::<3>(values, prime, out),
            _ => steps::<4>(values, prime, out),
        }
    }
}

dispatched! {
    /// `out[i]` = the integer `values[i]`, below 2^15 in magnitude.
    pub(super) fn of_small(values: &[f64], out: &mut [i16]) {
        for (out, &v) in out.iter_mut().zip(values) {
            *out = (v + INTEGER_BITS).to_bits() as i16;
        }
    }
}

#[inline(always)]
fn steps<const STEPS: usize>(values: &[f64], prime: u16, out: &mut [i16]) {
    let p = f64::from(prime);
    let inverse = 1.0 / p;
    for (out, &v) in out.iter_mut().zip(values) {
        let mut r = v;
        for _ in 0..STEPS {
            let q = (r * inverse).round_ties_even();
            r = (-q).mul_add(p, r);
        }
        // Of an integer plus 1.5 2^52 the last bits are the integer's, in two's complement.
        *out = (r + INTEGER_BITS).to_bits() as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::super::ranges::MAX_BITS;
    use super::*;
    use crate::affine::dyadic;
    use num_bigint::BigInt;

    /// Values at the edges of every width, and between.
    fn integers(bits: u32) -> Vec<f64> {
        let top = 2f64.powi(bits as i32);
        let mut state = u64::from(bits) + 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 / 2f64.powi(53) * top).trunc()
        };
        let mut values: Vec<f64> = (0..200).map(|_| next()).collect();
        let below = if bits <= 53 { top - 1.0 } else { top * (1.0 - f64::EPSILON / 2.0) };
        values.extend([0.0, below, top / 2.0, (top / 3.0).trunc(), 1f64.min(below)]);
        values.iter().flat_map(|&v| [v, -v]).collect()
    }

    #[test]
    fn residues_are_those_of_the_integers_at_every_width() {
        for bits in 1..=MAX_BITS {
            let values = integers(bits);
            for prime in [8191u16, 7919, 4099] {
                let mut out = vec![0; values.len()];
                of_column(&values, bits, prime, &mut out);
                for (&v, &r) in values.iter().zip(&out) {
                    let (mantissa, exponent) = dyadic(v);
                    let difference = (BigInt::from(mantissa) << exponent) - BigInt::from(r);
                    assert_eq!(difference % prime, BigInt::ZERO, "{v} mod {prime} of {bits} bits");
                    assert!(r.unsigned_abs() <= prime / 2 + 1, "{v} mod {prime}: {r}");
                }
            }
        }
    }
}
