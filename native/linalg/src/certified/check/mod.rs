//! The checker: proves or rejects candidate eigenpairs of the exact Gram matrix, column by column.
//!
//! It takes `G` and candidates found by whatever means, shares no code with the refinement that finds them (but for the
//! fixed-point numbers of [`super::wide`] and their products in [`super::product`], which are tested against num-bigint),
//! and assumes nothing of them: a wrong candidate can be rejected, never certified. A vector comes with its exact product,
//! which [`Multiplied`] guarantees; [`residues`] looks at it once more. Residuals, intervals and decisions are integers; float64 appears in
//! norms, in the inner products of [`cells`] and in the factorizations of [`definite`], rounded up or with its error
//! bounded.
//!
//! In units of the last fraction bit, with `H = G 2^-bits` and candidates `(x_j, l_j)`, j < r:
//!
//! 1. *Residuals* ([`matrix`]): `r_j = H x_j - l_j x_j` exactly, `rho_j >= |r_j| / |x_j|`. Some eigenvalue of `H`
//!    lies within `rho_j` of `l_j`.
//! 2. *Cells* ([`cells`]): disjoint intervals, each with at least as many eigenvalues as it has candidates: for one
//!    candidate by 1, for c of them by Kahan's theorem where they are proven independent.
//! 3. *Count*: the other n - r eigenvalues are at most `tail`, below every cell. Then each cell holds exactly as
//!    many as it has candidates, and number j from the top is the j-th largest. Three proofs of `tail`, the first
//!    that serves: there are none (r = n); the trace (`H` is positive semidefinite, so the others are together
//!    `tr H` less what the cells hold); `tail I - (H - X L X^T)` has a Cholesky factorization. The lowest cells, where
//!    they are smaller than the errors of the others, are counted with the tail.
//! 4. *Rank*: cells above the threshold, nothing but cells and a tail below it; or the submatrix of n' columns is
//!    definite beyond the threshold, and no more than n' are independent ([`definite`]).
//! 5. *Vectors*: `|v_j - x_j| <= sqrt(2) rho_j / gap_j + |1 - x.x|` (Davis and Kahan 1970), `gap_j` to the next cell
//!    or the tail. For equal eigenvalues the canonical basis of their space, with a bound of its own ([`basis`]).
//! 6. *Rounding* ([`mod@round`]): every entry, and the singular value, rounds to one float64 whatever the error
//!    within its bound (Ziv 1991). Where a singular value may be exactly between two floats, [`equal`] decides; where an
//!    entry of a vector or the rank threshold may be met exactly, [`algebraic`].

mod algebraic;
mod basis;
mod cells;
mod definite;
mod equal;
mod matrix;
mod rank;
mod residues;
mod round;
mod values;
mod vectors;

use super::product::Multiplied;
use super::wide::Wide;
use crate::GramMatrix;
use algebraic::Algebra;
use cells::Cell;
use matrix::Exact;
use num_bigint::{BigInt, BigUint};
use rayon::prelude::*;
use std::sync::OnceLock;

/// Bits from which on it is worth asking whether what the digits leave open is exactly on a border.
const NEAR: u32 = 140;

/// Eigenvalues of `H` closer than 2^-256 count as equal, by definition: whether digits could tell them apart or not.
pub(super) const DEGENERATE: u32 = 256;

/// What is to be checked: approximate eigenpairs of `H = G 2^-bits`, of any quality, in any order.
pub(super) trait Candidates<const W: usize>: Sync {
    /// How many there are, r.
    fn len(&self) -> usize;
    /// Fraction bits of the vectors.
    fn vector_bits(&self) -> u32;
    /// Fraction bits of the eigenvalues, at least [`GramMatrix::bits`].
    fn value_bits(&self) -> u32;
    /// Eigenvalue `j`.
    fn value(&self, j: usize) -> Wide<W>;
    /// Eigenvector `j`, n entries, and its exact product with `G`.
    fn vector(&self, j: usize) -> Option<&Multiplied<W>>;
    /// About where the largest eigenvalue is that no candidate stands for.
    fn next_value(&self) -> f64;

    /// Eigenvector `j` alone.
    fn x(&self, j: usize) -> &[Wide<W>] {
        self.vector(j).map_or(&[], Multiplied::x)
    }
}

/// A column whose digits are proven.
pub(super) struct Proven {
    pub s: f64,
    pub v: Vec<f64>,
    /// Second words, for compensated columns.
    pub v_low: Option<Vec<f64>>,
    /// Error of the vector before rounding, at most.
    pub bound: f64,
    /// Relative error of the squared singular value before rounding, at most.
    pub s_squared_bound: f64,
    /// Distance to the next eigenvalue, relative to the largest; zero for equal ones.
    pub gap: f64,
}

/// What was proven.
pub(super) struct Certificate {
    /// The numerical rank.
    pub rank: usize,
    /// The leading columns, at most as many as asked for.
    pub columns: Vec<Proven>,
    /// Columns that share an eigenvalue with an adjacent one.
    pub unresolved: Vec<usize>,
}

/// What could not be proven.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    /// These candidates need more digits (or are wrong).
    #[error("the digits of {} singular triplets", .0.len())]
    Digits(Vec<usize>),
    /// Nothing bounds the eigenvalues that no candidate stands for.
    #[error("how many singular values there are beside those found")]
    Count,
    /// How many eigenvalues lie above the rank threshold.
    #[error("the numerical rank")]
    Rank,
}

/// Proves the `k` leading columns (fewer where the rank is lower) and the rank.
pub(super) fn prove<const W: usize>(
    g: &GramMatrix,
    k: usize,
    candidates: &dyn Candidates<W>,
) -> Result<Certificate, Rejection> {
    Check::new(g, candidates)?.certificate(k)
}

/// Cells in descending order, and what lies below them.
struct Check<'a, const W: usize> {
    g: &'a GramMatrix,
    candidates: &'a dyn Candidates<W>,
    cells: Vec<Cell>,
    /// No eigenvalue outside of the cells is above this; None where there are no others.
    tail: Option<BigInt>,
    algebra: OnceLock<Option<Algebra>>,
}

impl<'a, const W: usize> Check<'a, W> {
    /// Steps 1 to 3.
    fn new(g: &'a GramMatrix, candidates: &'a dyn Candidates<W>) -> Result<Self, Rejection> {
        // Step 1.
        let exact = Exact::new(g, candidates.vector_bits(), candidates.value_bits());
        let residuals = exact.residuals(candidates);
        let failed: Vec<usize> = residuals.iter().filter_map(|r| r.as_ref().err().copied()).collect();
        if !failed.is_empty() {
            return Err(Rejection::Digits(failed));
        }
        // Step 2.
        let degenerate = degenerate_units(candidates.value_bits());
        let cells = cells::cells(residuals.into_iter().flatten().collect(), &degenerate, candidates)?;
        let mut this = Self { g, candidates, cells, tail: None, algebra: OnceLock::new() };
        // Step 3: from here on cell by cell, from the top, candidates are the eigenvalues in order.
        this.count(&exact)?;
        Ok(this)
    }

    /// Step 3: bounds the tail, and drops cells that are not proven to be apart from it.
    fn count(&mut self, exact: &Exact) -> Result<(), Rejection> {
        if self.candidates.len() == self.g.n() {
            return Ok(());
        }
        // None of the others can be above this and leave the lowest cell its own.
        let degenerate = degenerate_units(self.candidates.value_bits());
        let fits = |tail: &BigInt, lowest: &Cell| *tail < &lowest.low - &degenerate;
        let mut trace = exact.trace() - self.cells.iter().map(Cell::least_sum).sum::<BigInt>();
        let mut all = true;
        while let Some(lowest) = self.cells.last() {
            if fits(&trace, lowest) {
                self.tail = Some(trace.max(BigInt::ZERO));
                return Ok(());
            }
            // The trace leaves too much: a Cholesky factorization.
            if std::mem::take(&mut all) {
                let bound = definite::bound_below(self.g, self.candidates);
                self.tail = bound.filter(|tail| fits(tail, lowest));
                if self.tail.is_some() {
                    return Ok(());
                }
            }
            // Neither tells a cell from the errors of much larger ones: it is counted with the others.
            trace += lowest.least_sum();
            self.cells.pop();
        }
        Err(Rejection::Count)
    }

    /// How many eigenvalues lie outside of the cells.
    fn others(&self) -> usize {
        self.g.n() - self.cells.iter().map(|cell| cell.members.len()).sum::<usize>()
    }

    /// Steps 4 to 6.
    fn certificate(&self, k: usize) -> Result<Certificate, Rejection> {
        // Step 4.
        let rank = self.rank()?;
        let k = k.min(rank);
        // The position of each cell's first candidate; that of the last cell ends the columns that can be proven.
        let starts: Vec<usize> = self
            .cells
            .iter()
            .scan(0, |next, cell| {
                let first = *next;
                *next += cell.members.len();
                Some(first)
            })
            .collect();
        if starts.last().zip(self.cells.last()).is_none_or(|(first, cell)| first + cell.members.len() < k) {
            return Err(Rejection::Count);
        }
        let wanted = starts.iter().take_while(|&&first| first < k).count();
        let largest =
            self.singular_value(0).ok_or_else(|| Rejection::Digits(self.cells[0].members.clone()))?;
        // Steps 5 and 6, each cell by itself.
        let proven: Vec<Result<Vec<Proven>, Vec<usize>>> = (0..wanted)
            .into_par_iter()
            .map(|at| self.columns(at, largest).ok_or_else(|| self.cells[at].members.clone()))
            .collect();
        let mut columns = Vec::with_capacity(k);
        let (mut unresolved, mut failed) = (vec![], vec![]);
        for (at, cell) in proven.into_iter().enumerate() {
            match cell {
                Ok(cell) => {
                    if cell.len() > 1 {
                        unresolved.extend((starts[at]..starts[at] + cell.len()).filter(|&p| p < k));
                    }
                    columns.extend(cell);
                }
                Err(members) => failed.extend(members),
            }
        }
        columns.truncate(k);
        if failed.is_empty() {
            Ok(Certificate { rank, columns, unresolved })
        } else {
            Err(Rejection::Digits(failed))
        }
    }
}

/// 2^-[`DEGENERATE`] in units of the eigenvalues' last bit, rounded up.
fn degenerate_units(value_bits: u32) -> BigInt {
    BigInt::from(BigUint::from(1u32) << value_bits.saturating_sub(DEGENERATE))
}

#[cfg(test)]
mod tests;
