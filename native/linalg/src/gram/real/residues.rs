//! Residues of wide integers that f64 holds.
//!
//! One step is `q = round(v / p)`, `v - q p` by one fused multiply-add. `v` and `q p` are multiples of `ulp(q)`
//! and differ by no more than `p (1/2 + |v / p| 2^-51)`, so the difference has fewer than 53 bits: it is exact.
//! Each step takes 50 bits off a wide `v`; when no more than 50 are left, a last one leaves at most `p (1/2 + 2^-8)`, which
//! bytes hold for a modulus of at most 255, and modulo 256 by its last bits. For `v / p` of the last step is below 2^51, it is
//! rounded by an addition.

use crate::dispatch::dispatched;

/// Bits that one step takes off.
const STEP_BITS: u32 = 50;

/// 1.5 2^52. Of an integer plus this the last bits are the integer's, in two's complement.
const INTEGER_BITS: f64 = 6_755_399_441_055_744.0;

macro_rules! residues {
    ($name:ident, $type:ident) => {
        dispatched! {
            /// `out[i]` = the integer `values[i]`, below `2^bits` in magnitude, modulo `modulus`.
            pub(super) fn $name(values: &[f64], bits: u32, modulus: u16, out: &mut [$type]) {
                match bits.div_ceil(STEP_BITS) {
                    0 | 1 => values.iter().zip(out).for_each(|(&v, out)| *out = reduced::<1>(v, modulus) as $type),
                    2 => values.iter().zip(out).for_each(|(&v, out)| *out = reduced::<2>(v, modulus) as $type),
                    3 => values.iter().zip(out).for_each(|(&v, out)| *out = reduced::<3>(v, modulus) as $type),
                    _ => values.iter().zip(out).for_each(|(&v, out)| *out = reduced::<4>(v, modulus) as $type),
                }
            }
        }
    };
}

residues!(bytes, i8);
residues!(words, i16);

dispatched! {
    /// `out[i]` = the integer `values[i]`, below 2^15 in magnitude.
    pub(super) fn of_small(values: &[f64], out: &mut [i16]) {
        for (out, &v) in out.iter_mut().zip(values) {
            *out = (v + INTEGER_BITS).to_bits() as i16;
        }
    }
}

/// The residue in the last bits, after so many steps.
#[inline(always)]
fn reduced<const STEPS: usize>(v: f64, modulus: u16) -> i64 {
    let p = f64::from(modulus);
    let inverse = 1.0 / p;
    let mut r = v;
    for _ in 1..STEPS {
        let q = (r * inverse).round_ties_even();
        r = (-q).mul_add(p, r);
    }
    let q = r.mul_add(inverse, INTEGER_BITS) - INTEGER_BITS;
    ((-q).mul_add(p, r) + INTEGER_BITS).to_bits() as i64
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
            let exact = |v: f64| {
                let (mantissa, exponent) = dyadic(v);
                BigInt::from(mantissa) << exponent
            };
            for modulus in [8191u16, 7919, 4099] {
                let mut out = vec![0; values.len()];
                words(&values, bits, modulus, &mut out);
                for (&v, &r) in values.iter().zip(&out) {
                    assert_eq!((exact(v) - r) % modulus, BigInt::ZERO, "{v} mod {modulus} of {bits} bits");
                    assert!(r.unsigned_abs() <= modulus / 2 + 32, "{v} mod {modulus}: {r}");
                }
            }
            for modulus in [256u16, 255, 253, 251, 127, 3, 2] {
                let mut out = vec![0; values.len()];
                bytes(&values, bits, modulus, &mut out);
                for (&v, &r) in values.iter().zip(&out) {
                    assert_eq!((exact(v) - r) % modulus, BigInt::ZERO, "{v} mod {modulus} of {bits} bits");
                }
            }
        }
    }
}
