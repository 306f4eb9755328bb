//! How far the columns of `U` are from orthonormal, at the most.
//!
//! The true `u_j = A v_j / s_j` are orthonormal. With `E` what the computed ones are off by, `|U^T U - I| <= 2 |E| + |E|^2`,
//! and `|E|` is at most the root of the columns' squared errors. These are bounded from the exact `G`, for any `A` that
//! has it; `u = 2^-53`:
//!
//! * *Chain*: each of n fused multiply-adds is off by at most `u` times the partial sum that it rounds (Higham 2002, 3.3:
//!   running errors). Over all rows, the partial sums after l terms are the vector `A_l v_l` of the first l columns and
//!   weights, of squared length `v_l^T G_l v_l`: these are added up as `G`'s lower triangle times `V`.
//! * *Entries* of `A`, rounded once: `u sum_l |v_l| |a_l|`.
//! * *Weights*, rounded to float64 or to multiples of 2^-64: `s_1 (u + sqrt(n) 2^-65)`.
//! * Compensated columns: their sums are exact but for the units of `P` and `C` (`project::exact`) and the second words, and
//!   rounded once.
//! * Rounding of `s_j` and of the quotient: `u` each.
//!
//! Every operation is in a defined order, so that the bound has the same bits everywhere.

use crate::GramMatrix;
use crate::dispatch::dispatched;
use crate::rounding::{nearest_quotient, pow2, times_power_of_two};
use crate::tile::HEIGHT;
use crate::tile::chain::accumulate;
use crate::tile::packed::{PackedRows, Panels};
use ndarray::Array2;
use num_bigint::BigUint;
use rayon::prelude::*;

/// Unit roundoff.
const U: f64 = f64::EPSILON / 2.0;

/// Above all roundings of sums of numbers that are not negative.
const SLACK: f64 = 1.0 + 1e-9;

/// Rows of `G` packed at a time, and columns of `V` that one thread takes.
const ROWS_AT_ONCE: usize = 16 * HEIGHT;
const COLUMNS_AT_ONCE: usize = 96;

/// A bound of `|U^T U - I|` in the spectral norm.
pub(super) fn bound(g: &GramMatrix, s: &[f64], v: &Array2<f64>, compensated: &[bool]) -> f64 {
    let Some(&largest) = s.first() else { return 0.0 };
    let (n, rows) = (g.n() as f64, (g.rows() as f64).sqrt());
    // Lengths in units of H = G 2^-bits, whose scale is 2^(2 half + odd) / divisor.
    let exponent = g.exponent() + i64::from(g.bits());
    let (half, odd) = (exponent.div_euclid(2) as i32, exponent.rem_euclid(2));
    let root = nearest_quotient(&BigUint::from(1u32), g.divisor(), odd).sqrt();
    let scaled = |length: f64| times_power_of_two(length, -half) / root;
    let top = scaled(largest);
    let weights = top * (U + n.sqrt() * pow2(-65));
    let second_words = top * n.sqrt() * pow2(-107);
    // Half a unit for each of n stored values of 16 bits, and for the constant.
    let units = match g.sums_unit() {
        Some(unit) => times_power_of_two(rows * (n * pow2(15) + 1.0), unit - 1 - half) / root,
        None => 0.0,
    };
    // What is lost below the range of float64; matrices of floats are scaled before.
    let underflow = |s: f64| {
        let least = if g.sums_unit().is_some() { s.min(s / largest) } else { s / largest };
        rows * n * pow2(-1000) / least
    };
    let mut chains = chains(g, v, compensated).into_iter();
    let squares = s.iter().zip(compensated).map(|(&s, &compensated)| {
        let own = scaled(s);
        let error = match chains.next().filter(|_| !compensated) {
            Some(Chain { sums, terms }) => U / (1.0 - n * U) * (sums + n * U * terms) + U * terms + weights,
            None => U * own + second_words + units,
        };
        (error / own + 3.0 * U + underflow(s)).powi(2)
    });
    let error = squares.sum::<f64>().sqrt() * SLACK;
    (2.0 * error + error * error) * SLACK
}

/// Of one column of `T`, over all rows: the lengths of its vectors of partial sums, added up, and of its terms, at most.
#[derive(Clone, Copy, Default)]
struct Chain {
    sums: f64,
    terms: f64,
}

/// Of every column; nothing of compensated ones.
fn chains(g: &GramMatrix, v: &Array2<f64>, compensated: &[bool]) -> Vec<Chain> {
    let plain: Vec<usize> = (0..v.ncols()).filter(|&j| !compensated[j]).collect();
    let h = g.approximate();
    // What the quadratic forms are off by, relative to their terms: H is rounded once for each of its planes.
    let off = 2.0 * (2 * g.n() + g.planes().len() + 16) as f64 * U;
    let found: Vec<Chain> =
        plain.par_chunks(COLUMNS_AT_ONCE).flat_map_iter(|columns| of_columns(&h, v, columns, off)).collect();
    let mut all = vec![Chain::default(); v.ncols()];
    plain.into_iter().zip(found).for_each(|(j, chain)| all[j] = chain);
    all
}

dispatched! {
    fn of_columns(h: &[f64], v: &Array2<f64>, columns: &[usize], off: f64) -> Vec<Chain> {
        of_columns_body(h, v, columns, off)
    }
}

#[inline(always)]
fn of_columns_body(h: &[f64], v: &Array2<f64>, columns: &[usize], off: f64) -> Vec<Chain> {
    let n = v.nrows();
    let weight = |l: usize, c: usize| v[[l, columns[c]]];
    let panels = Panels::new(n, columns.len(), weight);
    let terms = |c: usize| (0..n).map(|l| weight(l, c).abs() * h[l * (n + 1)].sqrt()).sum::<f64>() * SLACK;
    let mut chains: Vec<Chain> = (0..columns.len()).map(|c| Chain { sums: 0.0, terms: terms(c) }).collect();
    let mut squares = vec![0.0; columns.len()];
    let (mut packed, mut sums) = (PackedRows::default(), vec![]);
    for first in (0..n).step_by(ROWS_AT_ONCE) {
        let last = (first + ROWS_AT_ONCE).min(n);
        // 1. The rows' parts to the left of the diagonal, times V.
        packed.reset(last - first, n);
        for r in first..last {
            for (l, &h) in h[r * n..r * n + r].iter().enumerate() {
                packed.set(r - first, l, h);
            }
        }
        panels.reset(&mut sums, last - first);
        accumulate(&packed, &panels, 0..last, &mut sums);
        // 2. Each row adds its terms to the quadratic forms.
        for (r, products) in (first..last).zip(sums.chunks_exact(panels.count())) {
            for (c, (chain, &product)) in chains.iter_mut().zip(products.as_flattened()).enumerate() {
                let weight = weight(r, c);
                squares[c] += weight * (2.0 * product + h[r * (n + 1)] * weight);
                chain.sums += (squares[c].max(0.0) + off * chain.terms * chain.terms).sqrt();
            }
        }
    }
    chains
}
