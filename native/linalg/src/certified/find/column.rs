//! One approximate eigenpair in fixed point, and its exact residual.
//!
//! Everything is scaled by the bits of `G`: `H = G 2^-bits` has entries of at most 1. An eigenvector
//! approximation `x` is a sum of *digit vectors*, `x = sum_p d_p 2^-e_p` with 64-bit integers `d_p`: the f64
//! start is the first, each correction adds one more. So the exact product `H x` grows by that of one short digit vector
//! per correction, and nothing is ever rounded.

use super::super::product::ExactProduct;
use super::super::wide::Wide;
use crate::GramMatrix;
use crate::rounding::pow2;

/// Fraction bits of `x` that a column with two words of 53 bits needs, with room for its error bound.
const LEAST_X: u32 = 160;

/// Where the binary points are, chosen from `bits` (of `G`), `n` and the limbs `W`.
///
/// The residual `H x - lambda x` has `x + lambda` fraction bits and stays below `2^(log2 n + 2)`, so both
/// parts share what is left of `64 W` bits, `lambda` getting at least the bits of `G` (then `H x` is exact as
/// well). A digit vector has as many bits as keep `n` products with a digit of `G` below `2^126`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// Fraction bits of `x`.
    pub x: u32,
    /// Fraction bits of `lambda`.
    pub lambda: u32,
    /// Bits of `G`.
    pub gram: u32,
    /// Bits of a digit vector.
    digit: u32,
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
        let product = ExactProduct::new(g);
        // As many as a correction in f64 has right.
        let digit = (2 * product.digit_bits() - 1).min(62);
        Some(Self { x, lambda, gram: g.bits(), digit, product })
    }
}

/// An approximate eigenpair.
#[derive(Clone)]
pub(super) struct Column<const W: usize> {
    /// The eigenvector, `n` entries with `Format::x` fraction bits.
    pub x: Vec<Wide<W>>,
    /// `G x`, exactly: integers at `x`'s fraction bits.
    product: Vec<Wide<W>>,
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
        Self { x: vec![Wide::ZERO; n], product: vec![Wide::ZERO; n], lambda }
    }

    /// Adds a correction to the `x` of each column, rounded to one digit vector.
    pub fn correct(columns: &mut [&mut Self], corrections: &[&[f64]], g: &GramMatrix, format: &Format) {
        let digits: Vec<(Vec<Wide<2>>, u32)> = columns
            .iter_mut()
            .zip(corrections)
            .map(|(column, correction)| column.shift_only(format, correction))
            .collect();
        let vectors: Vec<&[Wide<2>]> = digits.iter().map(|(digits, _)| digits.as_slice()).collect();
        let products = columns.iter_mut().zip(&digits);
        let products = products.map(|(column, (_, shift))| (column.product.as_mut_slice(), *shift)).collect();
        format.product.add(g, &vectors, products);
    }

    /// Adds a correction to `x` without its product, which [`replace`](Self::replace) must find; what was added, and the
    /// power of two that multiplies it.
    pub fn shift_only(&mut self, format: &Format, correction: &[f64]) -> (Vec<Wide<2>>, u32) {
        let Some((digits, shift)) = digit_vector(format, correction) else {
            return (vec![Wide::ZERO; correction.len()], 0);
        };
        self.x.iter_mut().zip(&digits).for_each(|(x, &d)| x.add_shifted(d.into(), shift));
        (digits.into_iter().map(|d| Wide::from_i128(d.into(), 0)).collect(), shift)
    }

    /// Takes other vectors and multiplies anew.
    pub fn replace(columns: &mut [Self], g: &GramMatrix, format: &Format, vectors: Vec<Vec<Wide<W>>>) {
        let views: Vec<&[Wide<W>]> = vectors.iter().map(Vec::as_slice).collect();
        let products = format.product.of(g, &views);
        for ((column, product), x) in columns.iter_mut().zip(products).zip(vectors) {
            (column.product, column.x) = (product, x);
        }
    }

    /// The exact residual and norm, each rounded once at the end.
    pub fn residual(&self, format: &Format) -> Residual {
        let w: Vec<f64> =
            self.exact_residual(format).iter().map(|w| w.to_f64(format.x + format.lambda)).collect();
        // The squares fit: x has no more fraction bits than lambda.
        let square = self.x.iter().fold(Wide::ZERO, |sum: Wide<W>, &x| sum.add(x.mul(x)));
        let defect = Wide::from_i128(1, 2 * format.x).sub(square).to_f64(2 * format.x);
        // Infinite, or no number, where the vector has lost its length.
        let length = (1.0 - defect).sqrt();
        let rho = if length > 0.0 { norm(&w) / length } else { f64::INFINITY };
        Residual { rho, w, defect }
    }

    /// `H x - lambda x` with the fraction bits of both.
    pub fn exact_residual(&self, format: &Format) -> Vec<Wide<W>> {
        let align = format.lambda - format.gram;
        let exact = |(product, x): (&Wide<W>, &Wide<W>)| product.shl(align).sub(self.lambda.mul(*x));
        self.product.iter().zip(&self.x).map(exact).collect()
    }

    /// The nearest f64 to every entry of `x`, within one unit in the last place.
    pub fn approximate(&self, format: &Format) -> impl Iterator<Item = f64> {
        self.x.iter().map(move |x| x.to_f64(format.x))
    }

    /// The same pair with other limbs.
    pub fn widen<const V: usize>(&self, from: &Format, to: &Format) -> Column<V> {
        let (x, lambda) = (to.x - from.x, to.lambda - from.lambda);
        Column {
            x: self.x.iter().map(|v| v.resize().shl(x)).collect(),
            product: self.product.iter().map(|v| v.resize().shl(x)).collect(),
            lambda: self.lambda.resize().shl(lambda),
        }
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

/// `correction` as integers times a power of two, the largest of `Format::digit` bits; the shift is relative
/// to `x`'s last bit. None where it is zero to the last bit of `x`.
fn digit_vector(format: &Format, correction: &[f64]) -> Option<(Vec<i64>, u32)> {
    let largest = correction.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if !(largest.is_finite() && largest * pow2(format.x as i32) >= 0.5) {
        return None;
    }
    // 2^top > largest
    let top = (((largest.to_bits() >> 52) & 0x7ff) as i32) - 1022;
    let places = (format.digit as i32 - top).min(format.x as i32);
    let scale = pow2(places);
    let digits = correction.iter().map(|v| (v * scale).round() as i64).collect();
    Some((digits, format.x - places as u32))
}
