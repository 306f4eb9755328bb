//! A second look at the products that come with the candidates.
//!
//! [`Multiplied`] can hold no vector without its exact product, by construction. So this proves nothing; it is there to
//! notice a mistake, in that code or in the machine: `r . (G x) = (G r) . x` modulo the prime 2^61 - 1, for numbers `r` that
//! know nothing of `x`. A wrong product passes once in 2^61 (Freivalds 1979). It costs O(n^2) and O(n) for each vector.

use super::super::product::Multiplied;
use super::super::wide::Wide;
use crate::GramMatrix;

/// 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;

/// `r` and `G r`, modulo the prime.
pub(super) struct Witness {
    r: Vec<u64>,
    product: Vec<u64>,
}

impl Witness {
    pub fn new(g: &GramMatrix) -> Self {
        let n = g.n();
        let r: Vec<u64> = (0..n as u64).map(random).collect();
        let digit = 1u64 << g.digit_bits();
        let mut product = vec![0; n];
        for plane in g.planes().iter().rev() {
            for (product, row) in product.iter_mut().zip(plane.chunks_exact(n)) {
                let sum = row.iter().zip(&r).fold(0, |sum, (&g, &r)| add(sum, times(of_word(g), r)));
                *product = add(times(*product, digit % PRIME), sum);
            }
        }
        Self { r, product }
    }

    /// Whether the product may be that of the vector, both of which must fit.
    pub fn agrees<const W: usize>(&self, vector: &Multiplied<W>) -> bool {
        let dot = |r: &[u64], x: &[Wide<W>]| {
            r.iter().zip(x).fold(0, |sum, (&r, &x)| add(sum, times(r, x.modulo_61())))
        };
        dot(&self.r, vector.product()) == dot(&self.product, vector.x())
    }
}

/// Digits of SplitMix64 (Steele, Lea and Flood 2014), modulo the prime.
fn random(at: u64) -> u64 {
    let z = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % PRIME
}

fn of_word(value: i64) -> u64 {
    let magnitude = value.unsigned_abs() % PRIME;
    if value < 0 && magnitude > 0 { PRIME - magnitude } else { magnitude }
}

fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    add((product & u128::from(PRIME)) as u64, (product >> 61) as u64)
}
