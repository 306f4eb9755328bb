//! Is an integer an eigenvalue of an integer matrix, exactly?
//!
//! `c` is an eigenvalue of multiplicity t of the symmetric `G` exactly if the t lowest coefficients of the
//! characteristic polynomial of `M = G - c I` vanish. They are integers, sums of minors of more than n - t rows: if
//! `M` has rank n - t at most modulo a prime, the prime divides all of them. So they vanish if that is so for
//! primes whose product exceeds what they can be, and the enclosures of the eigenvalues bound that: with t of them
//! within 2^-b of c, every term of a coefficient has one of these as a factor.

use crate::GramMatrix;
use num_bigint::BigInt;
use rayon::prelude::*;

/// Primes are below this and above half of it.
const PRIMES_BELOW: u32 = 1 << 31;

/// Whether `value` is an eigenvalue of `G`'s integers, of multiplicity `count`. `bits` has, per cell, the bits of what
/// its eigenvalues differ from `value` by at the most, and how many they are; the least stands for the cell in question.
pub(super) fn is_eigenvalue(g: &GramMatrix, value: &BigInt, count: usize, bits: &[(i64, usize)]) -> bool {
    let Some(own) = bits.iter().map(|b| b.0).min() else { return false };
    let others: i64 = bits.iter().map(|&(bits, count)| bits.max(0) * count as i64).sum();
    // A coefficient has at most 2^n terms.
    let total = others + own + g.n() as i64;
    let needed = 1 + usize::try_from(total.max(0)).unwrap_or(0) / 30;
    let singular = |p: u32| rank_modulo(g, value, p) + count <= g.n();
    let mut primes = primes();
    // One prime sees nearly every difference.
    primes.next().is_some_and(singular)
        && primes.take(needed).collect::<Vec<_>>().into_par_iter().all(singular)
}

/// Primes in descending order.
fn primes() -> impl Iterator<Item = u32> {
    let prime = |p: &u32| (3..).step_by(2).take_while(|d| d * d <= *p).all(|d| !p.is_multiple_of(d));
    (PRIMES_BELOW / 2..PRIMES_BELOW).rev().filter(|p| p % 2 == 1).filter(prime)
}

/// The rank of `G - value I` modulo an odd prime below 2^31.
fn rank_modulo(g: &GramMatrix, value: &BigInt, p: u32) -> usize {
    let n = g.n();
    let field = Field::new(p);
    let mut m = field.matrix(g, value);
    let mut rank = 0;
    for column in 0..n {
        let Some(pivot) = (rank..n).find(|&row| m[row * n + column] != 0) else { continue };
        if pivot != rank {
            let (a, b) = m.split_at_mut(pivot * n);
            a[rank * n..(rank + 1) * n].swap_with_slice(&mut b[..n]);
        }
        let (above, below) = m.split_at_mut((rank + 1) * n);
        let pivot = &above[rank * n + column..];
        let inverse = field.power(pivot[0], p - 2);
        for row in below.chunks_exact_mut(n) {
            let row = &mut row[column..];
            if row[0] != 0 {
                // row -= factor pivot
                let factor = field.shifted(u64::from(p) - field.multiply(row[0], inverse));
                row.iter_mut().zip(pivot).for_each(|(r, &v)| *r = field.add(*r, field.reduced(factor, v)));
            }
        }
        rank += 1;
    }
    rank
}

/// Arithmetic modulo an odd prime below 2^31 (Montgomery 1985, with R = 2^32).
#[derive(Clone, Copy)]
struct Field {
    p: u32,
    /// `-1 / p` modulo 2^32.
    negative_inverse: u32,
}

impl Field {
    fn new(p: u32) -> Self {
        // Newton: each step doubles the right bits; p itself is right to three.
        let inverse = (0..5).fold(p, |x, _| x.wrapping_mul(2u32.wrapping_sub(p.wrapping_mul(x))));
        Self { p, negative_inverse: inverse.wrapping_neg() }
    }

    fn add(self, a: u32, b: u32) -> u32 {
        let sum = a + b;
        if sum >= self.p { sum - self.p } else { sum }
    }

    fn multiply(self, a: u32, b: u32) -> u64 {
        u64::from(a) * u64::from(b) % u64::from(self.p)
    }

    /// `a R`.
    fn shifted(self, a: u64) -> u32 {
        ((a << 32) % u64::from(self.p)) as u32
    }

    /// `a b / R`.
    fn reduced(self, a: u32, b: u32) -> u32 {
        let product = u64::from(a) * u64::from(b);
        let m = (product as u32).wrapping_mul(self.negative_inverse);
        let reduced = ((product + u64::from(m) * u64::from(self.p)) >> 32) as u32;
        if reduced >= self.p { reduced - self.p } else { reduced }
    }

    fn power(self, base: u32, mut exponent: u32) -> u32 {
        let (mut result, mut square) = (1u32, base);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.multiply(result, square) as u32;
            }
            square = self.multiply(square, square) as u32;
            exponent >>= 1;
        }
        result
    }

    /// `G - value I`.
    fn matrix(self, g: &GramMatrix, value: &BigInt) -> Vec<u32> {
        let n = g.n();
        let p = i64::from(self.p);
        let base = (1i64 << g.digit_bits()) % p;
        let mut m = vec![0u32; n * n];
        for plane in g.planes().iter().rev() {
            m.iter_mut()
                .zip(plane)
                .for_each(|(m, v)| *m = ((i64::from(*m) * base + v % p).rem_euclid(p)) as u32);
        }
        let value = i64::try_from(value % p).unwrap_or(0);
        (0..n).for_each(|i| m[i * (n + 1)] = (i64::from(m[i * (n + 1)]) - value).rem_euclid(p) as u32);
        m
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GramAccumulator, Rescale, column_major};

    /// `G` of the path of n vertices' incidence matrix: its eigenvalues are `2 - 2 cos(pi j / n)`, j < n, among them 0 and,
    /// for even n, 2; for n a multiple of three 1 and 3.
    fn path(n: usize) -> GramMatrix {
        let rows = n - 1;
        let mut values = vec![0i16; n * rows];
        (0..rows).for_each(|i| (values[i * rows + i], values[(i + 1) * rows + i]) = (1, -1));
        let mut sums = GramAccumulator::new(n).unwrap();
        sums.add(column_major(&values, rows, n).unwrap()).unwrap();
        sums.finish(&vec![Rescale::IDENTITY; n]).unwrap()
    }

    #[test]
    fn integer_eigenvalues_are_told_from_what_is_no_eigenvalue() {
        for n in [6usize, 7, 12] {
            let g = path(n);
            // All eigenvalues are within 4 of any of these; the one in question within 2^-100.
            let bits = [(3, n - 1), (-100, 1)];
            for value in 0..5 {
                let expected = match value {
                    0 => true,
                    2 => n.is_multiple_of(2),
                    1 | 3 => n.is_multiple_of(3),
                    _ => false,
                };
                assert_eq!(is_eigenvalue(&g, &BigInt::from(value), 1, &bits), expected, "{n}: {value}");
                assert!(!is_eigenvalue(&g, &BigInt::from(value), 2, &bits));
            }
        }
    }

    #[test]
    fn as_many_primes_are_taken_as_the_bound_asks_for() {
        let primes: Vec<u32> = primes().take(3).collect();
        assert_eq!(primes, [2_147_483_647, 2_147_483_629, 2_147_483_587]);
        // Nothing vanishes for want of primes: a bound of thousands of bits.
        assert!(!is_eigenvalue(&path(6), &BigInt::from(4), 1, &[(2000, 5), (-10, 1)]));
        assert!(is_eigenvalue(&path(6), &BigInt::from(3), 1, &[(2000, 5), (-10, 1)]));
    }
}
