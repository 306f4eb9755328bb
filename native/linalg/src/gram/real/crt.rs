//! Integers from their residues modulo many small integers.

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;

/// Primes whose residues are words are below this. The kernels' 32-bit sums then hold the products of 64 pairs of rows; with
/// smaller primes more would be needed, with larger ones sums would be flushed more often.
const TOP: u16 = 1 << 13;

/// 64-bit digits of a product of moduli and one more, at the most: sums have 385 bits, and one modulus is more than needed.
const MOST_DIGITS: usize = 8;

/// Bits that the moduli below 2^8 suffice for; with more, residues are words.
const BYTE_BITS: u32 = 320;

/// Pairwise coprime integers whose product `M` is at least twice the number of integers in some range.
#[derive(Clone, Debug)]
pub(super) struct Moduli {
    moduli: Vec<u16>,
    /// The inverse of `M / p` modulo `p`, for each modulus `p`.
    inverses: Vec<i64>,
    /// The 64-bit digits of `M / p`, for each modulus `p`, lowest first.
    cofactors: Vec<Vec<u64>>,
    /// Those of `M`.
    product: Vec<u64>,
}

impl Moduli {
    /// Residues of moduli up to this are bytes. They need not be primes: 255 and 253 are among them.
    pub const TOP_OF_BYTES: u16 = 256;

    /// For integers of this many bits, the sign counted.
    pub fn for_bits(bits: u32) -> Self {
        let moduli = if bits <= BYTE_BITS {
            some(bits + 1, (2..=Self::TOP_OF_BYTES).rev())
        } else {
            some(bits + 1, (3..TOP).rev())
        };
        let product: BigUint = moduli.iter().map(|&p| BigUint::from(p)).product();
        let cofactors: Vec<_> = moduli.iter().map(|&p| &product / p).collect();
        let inverse = |(cofactor, &p): (&BigUint, &u16)| {
            // Below 2^16.
            let rest = (cofactor % p).to_u64_digits().first().map_or(0, |&rest| rest as i64);
            rest.extended_gcd(&i64::from(p)).x.rem_euclid(p.into())
        };
        Self {
            inverses: cofactors.iter().zip(&moduli).map(inverse).collect(),
            cofactors: cofactors.iter().map(BigUint::to_u64_digits).collect(),
            product: product.to_u64_digits(),
            moduli,
        }
    }

    /// The moduli, descending.
    pub fn as_slice(&self) -> &[u16] {
        &self.moduli
    }

    /// The integer of least magnitude with these residues, one for each modulus, of either sign.
    ///
    /// The Chinese remainder theorem as it stands: with `y_k = r_k (M / p_k)^-1 mod p_k`, the sum of `y_k M / p_k` is right but for
    /// a multiple of `M`, and the sum of the fractions `y_k / p_k` tells which: it lies within 1/4 of that, so that rounding
    /// errors do not matter.
    pub fn integer(&self, residues: impl Iterator<Item = i64>) -> BigInt {
        let mut digits = [0; MOST_DIGITS];
        let digits = &mut digits[..=self.product.len()];
        let mut fraction = 0.0;
        for (((&p, inverse), cofactor), residue) in
            self.moduli.iter().zip(&self.inverses).zip(&self.cofactors).zip(residues)
        {
            let y = (residue % i64::from(p) * inverse).rem_euclid(p.into());
            fraction += y as f64 / f64::from(p);
            add_multiple(digits, cofactor, y);
        }
        add_multiple(digits, &self.product, -(fraction.round() as i64));
        let negative = digits.last().is_some_and(|&digit| digit >> 63 == 1);
        if negative {
            // Less one, all bits turned.
            let mut carry = true;
            for digit in digits.iter_mut() {
                (*digit, carry) = (!*digit).overflowing_add(carry.into());
            }
        }
        let words = digits.iter().flat_map(|&digit| [digit as u32, (digit >> 32) as u32]).collect();
        BigInt::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, BigUint::new(words))
    }
}

/// `sum += factor * digits`, modulo 2^64 to the length of `sum`, for a factor below 2^32 in magnitude.
fn add_multiple(sum: &mut [u64], digits: &[u64], factor: i64) {
    let mut carry = 0i128;
    for (sum, &digit) in sum.iter_mut().zip(digits.iter().chain([&0])) {
        let all = i128::from(factor) * i128::from(digit) + i128::from(*sum) + carry;
        *sum = all as u64;
        carry = all >> 64;
    }
}

/// The first of the candidates, descending, that are coprime to all before, until their product has more bits.
fn some(bits: u32, candidates: impl Iterator<Item = u16>) -> Vec<u16> {
    let (mut moduli, mut product) = (Vec::new(), BigInt::from(1));
    for p in candidates {
        if product.bits() > u64::from(bits) {
            break;
        }
        if moduli.iter().all(|&q| p.gcd(&q) == 1) {
            product *= p;
            moduli.push(p);
        }
    }
    moduli
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_from_their_residues_up_to_the_bound() {
        for bits in [1, 2, 13, 14, 52, 65, 112, 200, 345] {
            let moduli = Moduli::for_bits(bits);
            let top: BigInt = BigInt::from(1) << (bits - 1);
            for value in [0, 1, 2, 4095, 4096, 8190, 8191].map(BigInt::from).into_iter().chain([
                &top - 1,
                &top / 3,
                &top / 7 * 5,
            ]) {
                if value >= top {
                    continue;
                }
                for x in [value.clone(), -value] {
                    let residues = moduli.as_slice().iter().map(|&p| i64::try_from(&x % p).unwrap());
                    assert_eq!(moduli.integer(residues), x, "{bits} bits");
                }
            }
        }
    }

    #[test]
    fn moduli_are_coprime_and_no_more_than_needed() {
        for bits in 1..=400 {
            let moduli = Moduli::for_bits(bits);
            let all = moduli.as_slice();
            let coprime = |k: usize| all[..k].iter().all(|&q| q.gcd(&all[k]) == 1);
            assert!((0..all.len()).all(coprime), "{all:?}");
            let product: BigInt = all.iter().map(|&p| BigInt::from(p)).product();
            let last = *all.last().unwrap();
            assert!(
                product.bits() > u64::from(bits) + 1 && (product / last).bits() <= u64::from(bits) + 1,
                "{bits}"
            );
            assert_eq!(all[0] <= Moduli::TOP_OF_BYTES, bits <= BYTE_BITS);
        }
    }
}
