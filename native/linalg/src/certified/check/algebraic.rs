//! What lies exactly on a border, which no digits tell: decided by the characteristic polynomial over the integers.
//!
//! `p(x) = det(x I - G)` and the diagonal of `adj(x I - G)`, whose entry i is `p_i(x)`, come from the Faddeev-LeVerrier
//! recursion: `M_1 = I`, `c_(n-k) = -tr(G M_k) / k`, `M_(k+1) = G M_k + c_(n-k) I` (Gantmacher, "The Theory of Matrices",
//! IV.5), all of it integers. Whether an integer polynomial `h` vanishes at an eigenvalue is whether `gcd(p, h)` has a root
//! in its cell, and how many roots a polynomial has in an interval is what Sturm's sequence tells:
//!
//! * an entry of the unit vector of a simple eigenvalue `l` has the square `p_i(l) / p'(l)`: it is `d` or `-d` where
//!   `p_i - d^2 p'` vanishes at `l`;
//! * `l` is t times an eigenvalue where `p(x / t)` vanishes at `l`.

use crate::GramMatrix;
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use rayon::prelude::*;

/// Columns up to which this is tried: it takes `n^4` products of integers.
const MOST_COLUMNS: usize = 100;

/// Coefficients, lowest first, the last of them not zero.
type Polynomial = Vec<BigInt>;

/// An interval of rational numbers: ends in units of `2^-drop`.
#[derive(Clone, Copy)]
pub(super) struct Interval<'a> {
    pub low: &'a BigInt,
    pub high: &'a BigInt,
    pub drop: u32,
}

/// The characteristic polynomial of `G`'s integers, and those without one row and column.
pub(super) struct Algebra {
    whole: Polynomial,
    minors: Vec<Polynomial>,
}

impl Algebra {
    /// None for more columns than can be afforded.
    pub fn new(g: &GramMatrix) -> Option<Self> {
        let n = g.n();
        if n > MOST_COLUMNS {
            return None;
        }
        let entry =
            |at: usize| g.planes().iter().rev().fold(BigInt::ZERO, |sum, p| (sum << g.digit_bits()) + p[at]);
        let g: Vec<BigInt> = (0..n * n).map(entry).collect();
        let mut whole = vec![BigInt::ZERO; n];
        whole.push(1.into());
        let mut minors = vec![vec![BigInt::ZERO; n]; n];
        let mut m: Vec<BigInt> = (0..n * n).map(|at| u8::from(at % (n + 1) == 0).into()).collect();
        for k in 1..=n {
            minors.iter_mut().enumerate().for_each(|(i, minor)| minor[n - k].clone_from(&m[i * (n + 1)]));
            // Powers of a symmetric matrix are symmetric: rows are columns.
            let product =
                |at: usize| -> BigInt { (0..n).map(|l| &g[at / n * n + l] * &m[at % n * n + l]).sum() };
            m = (0..n * n).into_par_iter().map(product).collect();
            let trace: BigInt = (0..n).map(|i| &m[i * (n + 1)]).sum();
            let coefficient = -trace / k;
            (0..n).for_each(|i| m[i * (n + 1)] += &coefficient);
            whole[n - k] = coefficient;
        }
        Some(Self { whole, minors })
    }

    /// How many different eigenvalues the interval holds; None where one of them is an end of it.
    pub fn different(&self, within: Interval) -> Option<usize> {
        roots(&self.whole, within)
    }

    /// Whether entry `i` of the unit vector of the simple eigenvalue in the interval is `d 2^-bits` in magnitude.
    pub fn is_entry(&self, i: usize, d: &BigInt, bits: u32, within: Interval) -> Option<bool> {
        let square = d * d;
        let derivative = derivative(&self.whole);
        let h =
            self.minors[i].iter().zip(&derivative).map(|(m, d)| (m << (2 * bits)) - &square * d).collect();
        Some(roots(&common(&self.whole, &trimmed(h)), within)? > 0)
    }

    /// Whether an eigenvalue in the interval is `numerator / denominator` times an eigenvalue.
    pub fn is_multiple(&self, numerator: &BigInt, denominator: &BigInt, within: Interval) -> Option<bool> {
        // p(x denominator / numerator) numerator^n
        let n = self.whole.len() as u32 - 1;
        let scaled = (0u32..).zip(&self.whole).map(|(k, c)| c * denominator.pow(k) * numerator.pow(n - k));
        Some(roots(&common(&self.whole, &scaled.collect::<Vec<_>>()), within)? > 0)
    }
}

fn derivative(p: &[BigInt]) -> Polynomial {
    (0u32..).zip(p).skip(1).map(|(k, c)| c * k).collect()
}

/// Without leading zeros, divided by what divides all coefficients.
fn trimmed(mut p: Polynomial) -> Polynomial {
    while p.last().is_some_and(|c| c.sign() == Sign::NoSign) {
        p.pop();
    }
    let content = p.iter().fold(BigInt::ZERO, |sum, c| sum.gcd(c));
    if content > BigInt::from(1) {
        p.iter_mut().for_each(|c| *c /= &content);
    }
    p
}

/// A positive multiple of the remainder of `a` by `b`.
fn remainder(a: &[BigInt], b: &[BigInt]) -> Polynomial {
    let Some(lead) = b.last() else { return a.to_vec() };
    let mut rest = a.to_vec();
    while rest.len() >= b.len() {
        let Some(top) = rest.pop() else { break };
        let factor = if lead.sign() == Sign::Minus { -top } else { top };
        let scale: BigInt = lead.magnitude().clone().into();
        rest.iter_mut().for_each(|c| *c *= &scale);
        let shift = rest.len() + 1 - b.len();
        rest[shift..].iter_mut().zip(b).for_each(|(c, b)| *c -= &factor * b);
        rest = trimmed(rest);
    }
    rest
}

/// The greatest common divisor, up to a factor.
fn common(a: &[BigInt], b: &[BigInt]) -> Polynomial {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    while !b.is_empty() {
        (a, b) = (b.clone(), remainder(&a, &b));
    }
    a
}

/// The different roots within, by Sturm's theorem (Basu, Pollack and Roy, "Algorithms in Real Algebraic Geometry", 2.50); None
/// where an end is one of them.
fn roots(p: &[BigInt], within: Interval) -> Option<usize> {
    let mut chain = vec![p.to_vec(), trimmed(derivative(p))];
    while let [.., a, b] = chain.as_slice()
        && !b.is_empty()
    {
        let next = remainder(a, b).into_iter().map(|c| -c).collect();
        chain.push(next);
    }
    let changes = |at: &BigInt| {
        let signs: Vec<Sign> = chain.iter().map(|p| value(p, at, within.drop).sign()).collect();
        let known: Vec<Sign> = signs.iter().copied().filter(|&s| s != Sign::NoSign).collect();
        (signs[0] != Sign::NoSign).then(|| known.windows(2).filter(|pair| pair[0] != pair[1]).count())
    };
    changes(within.low)?.checked_sub(changes(within.high)?)
}

/// `p(x 2^-drop)` times a power of two.
fn value(p: &[BigInt], x: &BigInt, drop: u32) -> BigInt {
    let horner = |(sum, scale): (BigInt, u64), c: &BigInt| (sum * x + (c << scale), scale + u64::from(drop));
    p.iter().rev().fold((BigInt::ZERO, 0), horner).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GramAccumulator, Rescale, column_major};

    fn gram(values: &[i16], n: usize) -> GramMatrix {
        let mut sums = GramAccumulator::new(n).unwrap();
        sums.add(column_major(values, values.len() / n, n).unwrap()).unwrap();
        sums.finish(&vec![Rescale::IDENTITY; n]).unwrap()
    }

    fn integers(values: &[i64]) -> Polynomial {
        values.iter().map(|&v| v.into()).collect()
    }

    fn between(algebra: &Algebra, low: i64, high: i64) -> Option<usize> {
        algebra.different(Interval { low: &low.into(), high: &high.into(), drop: 1 })
    }

    #[test]
    fn the_characteristic_polynomial_and_its_minors_are_those_on_paper() {
        // G = [[5, 3], [3, 2]]: x^2 - 7 x + 1, without the first x - 2, without the second x - 5.
        let algebra = Algebra::new(&gram(&[2, 1, 1, 1], 2)).unwrap();
        assert_eq!(algebra.whole, integers(&[1, -7, 1]));
        assert_eq!(algebra.minors, [integers(&[-2, 1]), integers(&[-5, 1])]);
        // diag(1, 4, 4): (x - 1)(x - 4)^2.
        let algebra = Algebra::new(&gram(&[1, 0, 0, 0, 2, 0, 0, 0, 2], 3)).unwrap();
        assert_eq!(algebra.whole, integers(&[-16, 24, -9, 1]));
        assert_eq!(algebra.minors[0], integers(&[16, -8, 1]));
    }

    #[test]
    fn roots_are_counted_once_each_and_not_at_an_end() {
        let algebra = Algebra::new(&gram(&[1, 0, 0, 0, 2, 0, 0, 0, 2], 3)).unwrap();
        let found =
            [(-1, 9), (1, 3), (3, 9), (3, 7), (9, 99)].map(|(low, high)| between(&algebra, low, high));
        assert_eq!(found, [Some(2), Some(1), Some(1), Some(0), Some(0)]);
        assert_eq!(between(&algebra, 2, 9), None);
    }

    #[test]
    fn entries_of_vectors_are_told_from_others_however_close() {
        // The first vector of [[25, 0], [0, 4]] rotated by (3, 4) / 5 is (0.6, 0.8); that of ones (0.5, 0.5, 0.5, 0.5).
        let algebra = Algebra::new(&gram(&[1; 4], 4)).unwrap();
        let within = Interval { low: &7.into(), high: &9.into(), drop: 1 };
        for i in 0..4 {
            assert_eq!(algebra.is_entry(i, &(BigInt::from(1) << 64), 65, within), Some(true));
            assert_eq!(algebra.is_entry(i, &(-BigInt::from(1) << 64), 65, within), Some(true));
            assert_eq!(algebra.is_entry(i, &((BigInt::from(1) << 64) + 1), 65, within), Some(false));
        }
    }

    #[test]
    fn irrational_multiples_are_told_from_others_however_close() {
        // The golden ratio's square, and nine times that.
        let algebra = Algebra::new(&gram(&[2, 1, 0, 0, 1, 1, 0, 0, 0, 0, 6, 3, 0, 0, 3, 3], 4)).unwrap();
        let within = Interval { low: &120.into(), high: &126.into(), drop: 1 };
        let multiple = |a: u64, b: u64| algebra.is_multiple(&a.into(), &b.into(), within);
        assert_eq!((multiple(9, 1), multiple(1, 1)), (Some(true), Some(true)));
        assert_eq!((multiple((9 << 40) + 1, 1 << 40), multiple(1, 9)), (Some(false), Some(false)));
    }
}
