//! One approximate eigenpair in fixed point, and its exact residual.
//!
//! Everything is scaled by the bits of `G`: `H = G 2^-bits` has entries of at most 1. An eigenvector
//! approximation `x` is a sum of *digit vectors*, `x = sum_p d_p 2^-e_p` with 64-bit integers `d_p`: the f64
//! start is the first, each correction adds one more. So the exact product `H x` grows by that of one short digit vector
//! per correction, and nothing is ever rounded.

use super::super::product::{ExactProduct, Multiplied};
use super::super::wide::Wide;
use crate::GramMatrix;
use crate::rounding::pow2;

/// Fraction bits of `x` that a column with two words of 53 bits needs, with room for its error bound.
const LEAST_X: u32 = 160;

/// Bits of a digit vector beyond those that are right.
const SPARE: i32 = 6;

/// Where the binary points are, chosen from `bits` (of `G`), `n` and the limbs `W`.
///
/// The residual `H x - lambda x` has `x + lambda` fraction bits and stays below `2^(log2 n + 2)`, so both
/// parts share what is left of `64 W` bits, `lambda` getting at least the bits of `G` (then `H x` is exact as
/// well).
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// Fraction bits of `x`.
    pub x: u32,
    /// Fraction bits of `lambda`.
    pub lambda: u32,
    /// Bits of `G`.
    pub gram: u32,
    /// What multiplies by `G`.
    product: ExactProduct,
}

impl Format {
    /// None where `W` limbs are too few for this `G`.
    pub fn new<const W: usize>(g: &GramMatrix) -> Option<Self> {
        let log_n = usize::BITS - g.n().leading_zeros();
        let available = 64 * W as u32 - log_n - 4;
        let lambda = g.bits().max(available.div_ceil(2));
        let x = available.checked_sub(lambda).filter(|&x| x >= LEAST_X)?;
        Some(Self { x, lambda, gram: g.bits(), product: ExactProduct::new(g) })
    }

    /// Bits of a digit vector that is right to `error` of its size: as many as one digit of a product has, or two, which
    /// are more than f64 has right.
    pub fn digit_bits(&self, error: f64) -> u32 {
        let one = self.product.digit_bits() - 1;
        if error > pow2(SPARE - one as i32) { one } else { (2 * one + 1).min(62) }
    }
}

/// An approximate eigenpair.
#[derive(Clone)]
pub(super) struct Column<const W: usize> {
    /// The eigenvector `x`, `n` entries with `Format::x` fraction bits, and `G x`.
    pub vector: Multiplied<W>,
    /// The eigenvalue of `H`, with `Format::lambda` fraction bits.
    pub lambda: Wide<W>,
}

/// What the exact residual says about an eigenpair.
#[derive(Clone)]
pub(super) struct Residual {
    /// `H x - lambda x`, each entry within a relative 2^-50.
    pub w: Vec<f64>,
    /// `|H x - lambda x| / |x|`, within a few units of f64's last place.
    pub rho: f64,
    /// `1 - x.x`, within a relative 2^-50.
    pub defect: f64,
}

impl<const W: usize> Column<W> {
    /// An eigenvalue and no vector yet.
    pub fn new(n: usize, lambda: Wide<W>) -> Self {
        Self { vector: Multiplied::zero(n), lambda }
    }

    /// The eigenvector.
    pub fn x(&self) -> &[Wide<W>] {
        self.vector.x()
    }

    /// Adds a correction to the `x` of each column, rounded to one digit vector of the bits beside it.
    pub fn correct(
        columns: &mut [&mut Self],
        corrections: &[(&[f64], u32)],
        g: &GramMatrix,
        format: &Format,
    ) {
        let digits = |&(correction, bits): &(&[f64], u32)| {
            digit_vector(format, bits, correction).unwrap_or_else(|| (vec![0; correction.len()], 0))
        };
        let digits: Vec<_> = corrections.iter().map(digits).collect();
        let mut vectors: Vec<_> = columns.iter_mut().map(|column| &mut column.vector).collect();
        Multiplied::add(format.product, g, &mut vectors, &digits);
    }

    /// `x` with a correction, which is rounded as [`correct`](Self::correct) does.
    pub fn corrected(&self, bits: u32, format: &Format, correction: &[f64]) -> Vec<Wide<W>> {
        let mut x = self.x().to_vec();
        if let Some((digits, shift)) = digit_vector(format, bits, correction) {
            x.iter_mut().zip(digits).for_each(|(x, d)| x.add_shifted(d.into(), shift));
        }
        x
    }

    /// Takes other vectors and multiplies anew.
    pub fn replace(columns: &mut [Self], g: &GramMatrix, format: &Format, vectors: Vec<Vec<Wide<W>>>) {
        let vectors = Multiplied::new(format.product, g, vectors);
        columns.iter_mut().zip(vectors).for_each(|(column, vector)| column.vector = vector);
    }

    /// The exact residual and norm, each rounded once at the end.
    pub fn residual(&self, format: &Format) -> Residual {
        let w: Vec<f64> = self.exact_residual(format).map(|w| w.to_f64(format.x + format.lambda)).collect();
        // The squares fit: x has no more fraction bits than lambda.
        let square = self.x().iter().fold(Wide::ZERO, |sum: Wide<W>, &x| sum.add(x.mul(x)));
        let defect = Wide::from_i128(1, 2 * format.x).sub(square).to_f64(2 * format.x);
        // Infinite, or no number, where the vector has lost its length.
        let length = (1.0 - defect).sqrt();
        let rho = if length > 0.0 { norm(&w) / length } else { f64::INFINITY };
        Residual { rho, w, defect }
    }

    /// `H x - lambda x` with the fraction bits of both.
    pub fn exact_residual(&self, format: &Format) -> impl Iterator<Item = Wide<W>> {
        let align = format.lambda - format.gram;
        let exact = move |(product, x): (&Wide<W>, &Wide<W>)| product.shl(align).sub(self.lambda.mul(*x));
        self.vector.product().iter().zip(self.x()).map(exact)
    }

    /// The nearest f64 to every entry of `x`, within one unit in the last place.
    pub fn approximate(&self, format: &Format) -> impl Iterator<Item = f64> {
        self.x().iter().map(move |x| x.to_f64(format.x))
    }

    /// The same pair with other limbs.
    pub fn widen<const V: usize>(&self, g: &GramMatrix, from: &Format, to: &Format) -> Column<V> {
        let lambda = self.lambda.resize().shl(to.lambda - from.lambda);
        Column { vector: self.vector.widen(g, to.x - from.x), lambda }
    }
}

/// The Euclidean norm, without underflow of the squares.
fn norm(w: &[f64]) -> f64 {
    let largest = w.iter().fold(0.0f64, |l, v| l.max(v.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * w.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt()
}

/// `correction` as integers times a power of two, the largest of this many bits; the shift is relative to `x`'s last bit.
/// None where it is zero to the last bit of `x`, or no correction at all.
fn digit_vector(format: &Format, bits: u32, correction: &[f64]) -> Option<(Vec<i64>, u32)> {
    let largest = correction.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if !(largest < 2.0 && largest * pow2(format.x as i32) >= 0.5) {
        return None;
    }
    // 2^top > largest
    let top = (((largest.to_bits() >> 52) & 0x7ff) as i32) - 1022;
    let places = (bits as i32 - top).min(format.x as i32);
    let scale = pow2(places);
    let digits = correction.iter().map(|v| (v * scale).round() as i64).collect();
    Some((digits, format.x - places as u32))
}
