//! `U` of a matrix of floats.
//!
//! As for integers: `T_ij` is one chain of fused multiply-adds over `l = 0, 1, .., n-1` from `+0.0`, of `A_il
//! V_lj`. Where `s_1 / s_j` exceeds [`COMPENSATE`](crate::COMPENSATE) it is the f64 nearest to the true sum of
//! `A_il W_lj`, with `W` = `V` and its second word. `U_ij = T_ij / s_j`, one division.
//!
//! All of it is done with `2^-e A` and `2^-e s`, where `2^e` is above `s_1` and so above every entry of `A`: no
//! scale of the data overflows or underflows. The true sums are taken in fixed point ([`Exact`]), in which every
//! product has a place (Kulisch's long accumulator); a fused multiply-add splits a product into two floats
//! without error.
//!
//! Of a centered matrix ([`RealProjector::centered`]) `A` is what is left without the means, which are fractions: chains take
//! each entry of `2^-e A` rounded once, true sums take it as it is.

use ndarray::{Array2, ArrayView2, s};
use num_bigint::BigInt;

use super::{GROUP, SvdView, check};
use crate::center::{CenteredReals, Fractions, Whole};
use crate::dispatch::dispatched;
use crate::rounding::{exponent_of, nearest_signed, pow2, two_powers};
use crate::tile::chain::accumulate;
use crate::tile::packed::{PackedRows, Panels};
use crate::{Error, RealCentering};

/// The lowest bit that a scaled value may have: the values of all columns together span 256 bits, and `s_1` is at
/// most `sqrt(m n)` times the largest.
const LOWEST: i32 = -320;

/// The lowest bit of second words of `V`.
const LOWEST_WEIGHT: i32 = -106;

/// `s` and `V` prepared for `U` of a matrix of floats. Immutable; shared by any number of threads.
pub struct RealProjector {
    n: usize,
    /// Of `2^-e A`.
    s: Vec<f64>,
    exponent: i32,
    /// `2^-e` in two factors, since it may be outside the range of f64.
    scale: (f64, f64),
    plain: Panels,
    /// Columns of true sums, and both words of their `V`, column after column.
    exact: Vec<usize>,
    words: Vec<[f64; 2]>,
    /// What removes means.
    centered: Option<CenteredReals>,
}

impl RealProjector {
    /// Prepares singular triplets of a matrix of n columns.
    ///
    /// ```
    /// use ndarray::array;
    /// use tomobasis_linalg::{Rank, RealProjector, certified_svd, real_gram};
    /// let a = array![[1.5, 0.0], [2.0, 0.0], [0.0, 0.25]];
    /// let svd = certified_svd(&real_gram(&a, 1)?, Rank::Full, 1)?;
    /// let some_rows = RealProjector::new(&svd, 2)?.basis(array![[2.0, 0.0]].view())?;
    /// assert_eq!((svd.s, some_rows), (vec![2.5, 0.25], array![[0.8, 0.0]]));
    /// # Ok::<(), tomobasis_linalg::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Dimensions`] when the shapes do not agree; [`Error::NotFinite`] for entries of `V` or singular values that
    /// no certified decomposition has.
    pub fn new<'a>(svd: impl Into<SvdView<'a>>, n: usize) -> Result<Self, Error> {
        Self::centered(svd, n, None)
    }

    /// [`new`](Self::new) for the singular triplets of the matrix without the means that `centering` names.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); [`Error::Columns`] for the means of another number of columns.
    pub fn centered<'a>(
        svd: impl Into<SvdView<'a>>,
        n: usize,
        centering: Option<&RealCentering>,
    ) -> Result<Self, Error> {
        let view = svd.into();
        check(&view, n)?;
        if let Some(other) = centering.filter(|centering| centering.columns() != n) {
            return Err(Error::Columns { expected: n, actual: other.columns() });
        }
        let SvdView { s, v, v_low, compensated } = view;
        let k = s.len();
        let e = s.first().and_then(|&s| exponent_of(s.abs())).unwrap_or(1);
        let scale = two_powers(-e);
        let exact: Vec<usize> = (0..k).filter(|&j| compensated[j]).collect();
        let words = |&j: &usize| (0..n).map(move |l| [v[[l, j]], v_low[[l, j]]]);
        let words: Vec<[f64; 2]> = exact.iter().flat_map(words).collect();
        if !words.as_flattened().iter().all(|&w| w.abs() <= 1.0 && is_multiple(w, LOWEST_WEIGHT)) {
            return Err(Error::NotFinite);
        }
        Ok(Self {
            n,
            s: s.iter().map(|s| s * scale.0 * scale.1).collect(),
            exponent: e,
            scale,
            plain: Panels::new(n, k, |l, j| v[[l, j]]),
            exact,
            words,
            centered: centering.map(CenteredReals::new),
        })
    }

    /// `U` of some rows of the matrix, rows x k.
    ///
    /// # Errors
    /// [`Error::Columns`] for rows of another number of columns; [`Error::NotFiniteValue`], and
    /// [`Error::OutsideRange`] for a value that no matrix with these singular values and an exact Gram matrix has.
    pub fn basis<T: Copy + Into<f64>>(&self, values: ArrayView2<'_, T>) -> Result<Array2<f64>, Error> {
        self.check_columns(values.ncols())?;
        let (rows, k) = (values.nrows(), self.s.len());
        let mut u = vec![0.0; rows * k];
        let mut scaled = vec![0.0; GROUP * self.n];
        for first in (0..rows).step_by(GROUP) {
            let count = GROUP.min(rows - first);
            let group = values.slice(s![first..first + count, ..]);
            let u = &mut u[first * k..(first + count) * k];
            let done = match &self.centered {
                None => self.scale(group, &mut scaled).map(|()| {
                    if k > 0 {
                        basis(self, &scaled, count, u);
                    }
                }),
                Some(CenteredReals::Narrow(fractions)) => self.of_centered(fractions, group, &mut scaled, u),
                Some(CenteredReals::Wide(fractions)) => self.of_centered(fractions, group, &mut scaled, u),
            };
            done.map_err(|error| after(error, first))?;
        }
        Ok(Array2::from_shape_fn((rows, k), |(i, j)| u[i * k + j]))
    }

    /// The mean of each of some rows over the columns, rounded once; none unless it is removed.
    ///
    /// # Errors
    /// Those of [`basis`](Self::basis).
    pub fn row_means<T: Copy + Into<f64>>(&self, values: ArrayView2<'_, T>) -> Result<Vec<f64>, Error> {
        self.check_columns(values.ncols())?;
        match &self.centered {
            None => Ok(vec![]),
            Some(CenteredReals::Narrow(fractions)) => fractions.row_means(values),
            Some(CenteredReals::Wide(fractions)) => fractions.row_means(values),
        }
    }

    /// What is removed of each column besides the rows' means, rounded once: its mean, less that of all entries where rows'
    /// means are removed too; none where that is nothing.
    #[must_use]
    pub fn column_terms(&self) -> Vec<f64> {
        match &self.centered {
            None => vec![],
            Some(CenteredReals::Narrow(fractions)) => fractions.column_terms(),
            Some(CenteredReals::Wide(fractions)) => fractions.column_terms(),
        }
    }

    fn check_columns(&self, actual: usize) -> Result<(), Error> {
        if actual == self.n { Ok(()) } else { Err(Error::Columns { expected: self.n, actual }) }
    }

    /// The rows of a group as they are, scaled, column after column.
    fn scale<T: Copy + Into<f64>>(&self, group: ArrayView2<'_, T>, scaled: &mut [f64]) -> Result<(), Error> {
        for (column, (scaled, values)) in scaled.chunks_exact_mut(GROUP).zip(group.columns()).enumerate() {
            for (row, (scaled, &v)) in scaled.iter_mut().zip(values).enumerate() {
                let v: f64 = v.into();
                *scaled = v * self.scale.0 * self.scale.1;
                if !(scaled.abs() < 1.0 && is_multiple(*scaled, LOWEST) && (*scaled == 0.0) == (v == 0.0)) {
                    let row = row as u64;
                    return Err(match v.is_finite() {
                        true => Error::OutsideRange { row, column },
                        false => Error::NotFiniteValue { row, column },
                    });
                }
            }
        }
        Ok(())
    }

    /// `U` of a group of rows without their means.
    fn of_centered<N: Whole, T: Copy + Into<f64>>(
        &self,
        fractions: &Fractions<N>,
        group: ArrayView2<'_, T>,
        scaled: &mut [f64],
        u: &mut [f64],
    ) -> Result<(), Error> {
        let (n, k) = (self.n, self.s.len());
        let numerators = fractions.numerators(group)?;
        if k == 0 {
            return Ok(());
        }
        let scale = -i64::from(self.exponent);
        for (i, row) in numerators.chunks_exact(n).enumerate() {
            for (l, numerator) in row.iter().enumerate() {
                scaled[l * GROUP + i] = fractions.entry(numerator, scale);
            }
        }
        chains(self, scaled, group.nrows(), u);
        // Both words in units of their lowest bit.
        let weight = |words: &[f64; 2]| words.iter().map(|w| (w * pow2(-LOWEST_WEIGHT)) as i128).sum();
        let weights: Vec<i128> = self.words.iter().map(weight).collect();
        for (&j, weights) in self.exact.iter().zip(weights.chunks_exact(n)) {
            for (u, row) in u.chunks_exact_mut(k).zip(numerators.chunks_exact(n)) {
                u[j] = fractions.product(row, weights, scale + i64::from(LOWEST_WEIGHT));
            }
        }
        self.divide(u);
        Ok(())
    }

    /// `T` of the first `rows` of a group of scaled rows, column after column, by chains.
    #[inline(always)]
    fn chains_body(&self, scaled: &[f64], rows: usize, t: &mut [f64]) {
        let k = self.s.len();
        let (mut a, mut sums) = (PackedRows::default(), Vec::new());
        a.reset(rows, self.n);
        for (l, column) in scaled.chunks_exact(GROUP).enumerate() {
            a.set_column(l, &column[..rows]);
        }
        self.plain.reset(&mut sums, rows);
        accumulate(&a, &self.plain, 0..self.n, &mut sums);
        for (t, sums) in t.chunks_exact_mut(k).zip(sums.chunks_exact(self.plain.count())) {
            t.copy_from_slice(&sums.as_flattened()[..k]);
        }
    }

    /// `U` of these rows as they are.
    #[inline(always)]
    fn basis_body(&self, scaled: &[f64], rows: usize, u: &mut [f64]) {
        let k = self.s.len();
        self.chains_body(scaled, rows, u);
        for (&j, words) in self.exact.iter().zip(self.words.chunks_exact(self.n)) {
            for i in 0..rows {
                let mut sum = Exact::default();
                for (l, [first, second]) in words.iter().enumerate() {
                    sum.add_product(scaled[l * GROUP + i], *first);
                    sum.add_product(scaled[l * GROUP + i], *second);
                }
                u[i * k + j] = sum.nearest();
            }
        }
        self.divide(u);
    }

    /// From `T` to `U`.
    #[inline(always)]
    fn divide(&self, t: &mut [f64]) {
        for row in t.chunks_exact_mut(self.s.len()) {
            row.iter_mut().zip(&self.s).for_each(|(t, s)| *t /= s);
        }
    }
}

/// An error of a group of rows as one of the rows that it is among.
fn after(error: Error, first: usize) -> Error {
    match error {
        Error::OutsideRange { row, column } => Error::OutsideRange { row: row + first as u64, column },
        Error::NotFiniteValue { row, column } => Error::NotFiniteValue { row: row + first as u64, column },
        other => other,
    }
}

/// Whether `v`, of at most 1 in magnitude, is an integer times `2^exponent`.
fn is_multiple(v: f64, exponent: i32) -> bool {
    let integer = v * pow2(-exponent);
    integer.trunc() == integer
}

/// Bits of a limb.
const LIMB: i32 = 32;

/// Limbs: from `2^BASE` to `2^64`.
const LIMBS: usize = 16;

/// The exponent of the lowest bit, below those of all products: `LOWEST + LOWEST_WEIGHT` and more.
const BASE: i32 = -448;

/// An exact sum: limbs of 32 bits whose carries wait in their upper halves. They have room for 2^30 terms.
#[derive(Clone, Copy, Default)]
struct Exact([i64; LIMBS]);

impl Exact {
    #[inline(always)]
    fn add_product(&mut self, x: f64, y: f64) {
        let product = x * y;
        self.add(product);
        self.add(x.mul_add(y, -product));
    }

    #[inline(always)]
    fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as i32 - 1075;
        if exponent == -1075 {
            // Zero: no term is subnormal.
            return;
        }
        let magnitude = (bits & ((1 << 52) - 1) | 1 << 52) as i128;
        let mantissa = if x < 0.0 { -magnitude } else { magnitude };
        // A float's own lowest bits may lie below the base: they are zero.
        let place = exponent - BASE;
        let (limb, shifted) = match place {
            ..0 => (0, mantissa >> -place),
            _ => ((place / LIMB) as usize, mantissa << (place % LIMB)),
        };
        let mask = (1i128 << LIMB) - 1;
        self.0[limb] += (shifted & mask) as i64;
        self.0[limb + 1] += (shifted >> LIMB & mask) as i64;
        self.0[limb + 2] += (shifted >> (2 * LIMB)) as i64;
    }

    /// The f64 nearest to the sum, ties to even.
    fn nearest(&self) -> f64 {
        let sum = self.0.iter().rev().fold(BigInt::ZERO, |sum, &limb| (sum << LIMB) + limb);
        nearest_signed(&sum, BASE.into())
    }
}

dispatched! {
    fn chains(p: &RealProjector, scaled: &[f64], rows: usize, t: &mut [f64]) {
        p.chains_body(scaled, rows, t);
    }
}

dispatched! {
    fn basis(p: &RealProjector, scaled: &[f64], rows: usize, u: &mut [f64]) {
        p.basis_body(scaled, rows, u);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exact_sums_are_those_of_big_integers(
            terms in proptest::collection::vec((any::<i64>(), -250i32..-60, any::<i32>(), 0i32..75), 0..40),
        ) {
            let (mut sum, mut big) = (Exact::default(), BigInt::ZERO);
            for (x, e, y, f) in terms {
                // Floats of 53 and of 31 bits.
                let (x, y) = (x >> 11, y >> 1);
                sum.add_product(x as f64 * pow2(e), f64::from(y) * pow2(-31 - f));
                big += (BigInt::from(x) * y) << (e - 31 - f - BASE);
            }
            prop_assert_eq!(sum.nearest().to_bits(), nearest_signed(&big, BASE.into()).to_bits());
        }
    }
}
