//! Integers from their residues modulo many primes.

use num_bigint::BigInt;

/// Primes are below this. The kernels' 32-bit sums then hold the products of 64 pairs of rows; with smaller
/// primes more would be needed, with larger ones sums would be flushed more often.
const TOP: u16 = 1 << 13;

/// Primes whose product exceeds the range of some integers.
#[derive(Clone, Debug)]
pub(super) struct Moduli {
    primes: Vec<u16>,
    /// `inverses[k][i]`: the inverse of prime `i` modulo prime `k`, for `i < k`.
    inverses: Vec<Vec<i64>>,
}

impl Moduli {
    /// For integers of this many bits, the sign counted.
    pub fn for_bits(bits: u32) -> Self {
        let mut primes = Vec::new();
        // A prime `p >= 2^12` counts for 12 bits and the share that it has beyond; the product decides.
        let mut product = BigInt::from(1);
        for p in (3..TOP).rev().step_by(2).filter(|&p| is_prime(p)) {
            if product.bits() > u64::from(bits) {
                break;
            }
            product *= p;
            primes.push(p);
        }
        let inverses = (0..primes.len())
            .map(|k| primes[..k].iter().map(|&p| inverse(p.into(), primes[k].into())).collect())
            .collect();
        Self { primes, inverses }
    }

    /// The primes, descending.
    pub fn primes(&self) -> &[u16] {
        &self.primes
    }

    /// The integer of least magnitude with these residues, one for each prime, of either sign.
    ///
    /// Garner's algorithm (Knuth, The Art of Computer Programming 2, 4.3.2): digits `d_k` in the mixed radix of
    /// the primes, `x = d_0 + p_0 (d_1 + p_1 (d_2 + ..))`, chosen nearest to zero, so that negative integers
    /// need no second case.
    pub fn integer(&self, residues: impl Iterator<Item = i64>) -> BigInt {
        let mut digits: Vec<i64> = Vec::with_capacity(self.primes.len());
        for ((&prime, inverses), residue) in self.primes.iter().zip(&self.inverses).zip(residues) {
            let p = i64::from(prime);
            let digit =
                digits.iter().zip(inverses).fold(residue, |r, (d, inverse)| (r - d) % p * inverse % p);
            digits.push(balanced(digit, p));
        }
        // Four digits at a time: below 2^52 they need no big integer.
        let mut value = BigInt::ZERO;
        for (digits, primes) in digits.rchunks(4).zip(self.primes.rchunks(4)) {
            let part = digits.iter().zip(primes).rev().fold(0i64, |v, (d, &p)| v * i64::from(p) + d);
            let radix: i64 = primes.iter().map(|&p| i64::from(p)).product();
            value = value * radix + part;
        }
        value
    }
}

/// The residue nearest to zero.
fn balanced(r: i64, p: i64) -> i64 {
    let r = r.rem_euclid(p);
    if r > p / 2 { r - p } else { r }
}

fn is_prime(n: u16) -> bool {
    (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

/// Of `a` modulo the prime `p`, by Fermat.
fn inverse(a: i64, p: i64) -> i64 {
    let (mut result, mut base, mut exponent) = (1, a % p, p - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % p;
        }
        base = base * base % p;
        exponent >>= 1;
    }
    result
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
                    let residues = moduli.primes().iter().map(|&p| i64::try_from(&x % p).unwrap());
                    assert_eq!(moduli.integer(residues), x, "{bits} bits");
                }
            }
        }
    }

    #[test]
    fn primes_are_primes_and_no_more_than_needed() {
        let sieve = |n: u16| n > 1 && (2..n).all(|d| !n.is_multiple_of(d));
        let moduli = Moduli::for_bits(160);
        assert!(moduli.primes().iter().all(|&p| sieve(p)));
        let product: BigInt = moduli.primes().iter().map(|&p| BigInt::from(p)).product();
        let last = *moduli.primes().last().unwrap();
        assert!(product.bits() > 160 && (product / last).bits() <= 160);
    }
}
