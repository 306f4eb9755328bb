//! The checker: proves or rejects candidate eigenpairs of the exact Gram matrix, column by column.
//!
//! It takes `G` and candidates found by whatever means, shares no code with the refinement that finds them (but for the
//! fixed-point numbers of [`super::wide`] and their products in [`super::product`], which are tested against num-bigint), and assumes nothing of them: a wrong
//! candidate can be rejected, never certified. Residuals, intervals and decisions are integers; float64 appears in
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
//!    `tr H` less what the cells hold); `tail I - (H - X L X^T)` has a Cholesky factorization.
//! 4. *Rank*: cells above the threshold, nothing but cells and a tail below it; or the submatrix of n' slices is
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
mod round;

use super::COMPENSATE;
use super::wide::Wide;
use crate::GramMatrix;
use crate::rounding::{nearest_signed, nearest_sqrt, pow2};
use algebraic::{Algebra, Interval};
use cells::Cell;
use matrix::Exact;
use num_bigint::{BigInt, BigUint, Sign};
use rayon::prelude::*;
use std::sync::OnceLock;

/// Bits from which on it is worth asking whether what the digits leave open is exactly on a border.
const NEAR: u32 = 140;

/// Eigenvalues of `H` closer than 2^-256 count as equal, by definition: whether digits could tell them apart or not.
pub(super) const TIED: u32 = 256;

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
    /// Eigenvector `j`, n entries.
    fn vector(&self, j: usize) -> &[Wide<W>];
    /// About where the largest eigenvalue is that no candidate stands for.
    fn next_value(&self) -> f64;
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
    /// Columns that share an eigenvalue with a neighbour.
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

/// Where a cell, or the tail, lies.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Above,
    Below,
    Unknown,
}

impl<'a, const W: usize> Check<'a, W> {
    /// Steps 1 to 3.
    fn new(g: &'a GramMatrix, candidates: &'a dyn Candidates<W>) -> Result<Self, Rejection> {
        let exact = Exact::new(g, candidates.vector_bits(), candidates.value_bits());
        let residuals = exact.residuals(candidates);
        let failed: Vec<usize> = residuals.iter().filter_map(|r| r.as_ref().err().copied()).collect();
        if !failed.is_empty() {
            return Err(Rejection::Digits(failed));
        }
        let tied = tied_units(candidates.value_bits());
        let cells = cells::cells(residuals.into_iter().flatten().collect(), &tied, candidates)?;
        let mut this = Self { g, candidates, cells, tail: None, algebra: OnceLock::new() };
        this.tail = this.bound_tail(&exact)?;
        Ok(this)
    }

    /// Step 3.
    fn bound_tail(&self, exact: &Exact) -> Result<Option<BigInt>, Rejection> {
        if self.candidates.len() == self.g.n() {
            return Ok(None);
        }
        // None of them can be above this and leave every cell its own.
        let limit = self.cells.last().map(|cell| &cell.low - tied_units(self.candidates.value_bits()));
        let fits = |tail: &BigInt| limit.as_ref().is_some_and(|limit| tail < limit);
        let found: BigInt = self.cells.iter().map(Cell::least_sum).sum();
        let trace = exact.trace() - found;
        if fits(&trace) {
            return Ok(Some(trace.max(BigInt::ZERO)));
        }
        definite::bound_below(self.g, self.candidates).filter(fits).ok_or(Rejection::Count).map(Some)
    }

    /// Steps 4 to 6.
    fn certificate(&self, k: usize) -> Result<Certificate, Rejection> {
        let rank = self.rank()?;
        let k = k.min(rank);
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

    /// Step 4: how many eigenvalues exceed `(max(m, n) 2^-52)^2` times the largest.
    fn rank(&self) -> Result<usize, Rejection> {
        let Some(first) = self.cells.first() else { return Err(Rejection::Count) };
        let size = BigInt::from(self.g.rows().max(self.g.n() as u64));
        let square = &size * &size;
        let [low, high] = [(&first.low * &square) >> 104, ((&first.high * &square) >> 104) + 1];
        let side = |least: &BigInt, most: &BigInt| {
            if *least > high {
                Side::Above
            } else if *most < low {
                Side::Below
            } else {
                Side::Unknown
            }
        };
        let mut rank = 0;
        let mut open = vec![];
        for (at, cell) in self.cells.iter().enumerate() {
            let above = match side(&cell.low, &cell.high) {
                Side::Unknown => self.above_threshold(at, &square),
                known => Some(known == Side::Above),
            };
            match above {
                Some(true) => rank += cell.members.len(),
                Some(false) => {}
                None => open.extend(cell.members.iter().copied()),
            }
        }
        if !open.is_empty() {
            open.extend(first.members.iter().copied());
            return Err(Rejection::Digits(open));
        }
        match &self.tail {
            Some(tail) if side(&BigInt::ZERO, tail) != Side::Below => {
                // All cells are above it, and so may be others.
                definite::rank(self.g, &high, self.candidates.value_bits()).ok_or(Rejection::Rank)
            }
            _ => Ok(rank),
        }
    }

    /// Whether a cell that the threshold cuts is above it, where exact arithmetic tells.
    fn above_threshold(&self, at: usize, square: &BigInt) -> Option<bool> {
        // Equal means: the threshold times 2^104 is, too; both are integers, or neither is.
        if let (Some(top), Some(own)) = (self.integer(0), self.integer(at)) {
            return Some((own << 104) > top * square);
        }
        self.meets_threshold(at, square)?.then_some(false)
    }

    /// Whether all eigenvalues of the cell are exactly `square 2^-104` times the largest.
    fn meets_threshold(&self, at: usize, square: &BigInt) -> Option<bool> {
        let (first, cell) = (&self.cells[0], &self.cells[at]);
        if [first, cell].iter().any(|cell| (&cell.radius << NEAR) > cell.low) {
            return None;
        }
        // What the largest is told from: the cell times 2^104 / square reaches no other.
        let next = self.cells.get(1).map(|cell| &cell.high).max(self.tail.as_ref())?;
        if (&cell.low << 104) <= next * square {
            return None;
        }
        let algebra = self.algebra()?;
        let single = |cell| Some(algebra.different(self.interval(cell))? == 1);
        let power = BigInt::from(1) << 104;
        Some(single(first)? && single(cell)? && algebra.is_multiple(square, &power, self.interval(cell))?)
    }

    fn algebra(&self) -> Option<&Algebra> {
        self.algebra.get_or_init(|| Algebra::new(self.g)).as_ref()
    }

    /// A cell in units of `G`'s integers.
    fn interval<'c>(&self, cell: &'c Cell) -> Interval<'c> {
        Interval { low: &cell.low, high: &cell.high, drop: self.candidates.value_bits() - self.g.bits() }
    }

    /// The integer that all eigenvalues of the cell, in units of `G`, are equal to.
    fn integer(&self, at: usize) -> Option<BigInt> {
        let cell = &self.cells[at];
        let drop = self.candidates.value_bits() - self.g.bits();
        let value = (&cell.high) >> drop;
        (&value << drop >= cell.low && self.all_equal(at, &value)).then_some(value)
    }

    /// Whether all eigenvalues of the cell are the integer `value` (in units of `G`).
    fn all_equal(&self, at: usize, value: &BigInt) -> bool {
        let drop = self.candidates.value_bits() - self.g.bits();
        let scaled = value << drop;
        // Bits of what an eigenvalue may differ from the integer by, over all cells and the tail.
        let mut bits: Vec<(i64, usize)> = self
            .cells
            .iter()
            .map(|cell| {
                let far = (&cell.low - &scaled).magnitude().max((&cell.high - &scaled).magnitude()).bits();
                (far as i64 - i64::from(drop), cell.members.len())
            })
            .collect();
        if let Some(tail) = &self.tail {
            let far = scaled.magnitude().max((tail - &scaled).magnitude()).bits();
            bits.push((far as i64 - i64::from(drop), self.g.n() - self.candidates.len()));
        }
        let count = self.cells[at].members.len();
        equal::is_eigenvalue(self.g, value, count, &bits)
    }

    /// The singular value of every column of the cell.
    fn singular_value(&self, at: usize) -> Option<f64> {
        let cell = &self.cells[at];
        let exponent = self.exponent();
        let divisor = self.g.divisor();
        let root = |value: &BigInt| {
            (value.sign() == Sign::Plus).then(|| nearest_sqrt(value.magnitude(), divisor, exponent))
        };
        let (low, high) = (root(&cell.low)?, root(&cell.high)?);
        if low == high {
            return Some(low);
        }
        // Between two neighbours there is one midpoint, and its square may be the eigenvalue.
        if f64::from_bits(low.to_bits() + 1) != high || !high.is_finite() {
            return None;
        }
        let square = round::midpoint_square(low, self.g.exponent())? * BigInt::from(divisor.clone());
        let drop = self.candidates.value_bits() - self.g.bits();
        let scaled = &square << drop;
        (cell.low <= scaled && scaled <= cell.high && self.all_equal(at, &square))
            .then(|| nearest_sqrt(square.magnitude(), divisor, self.g.exponent()))
    }

    /// The power of two that multiplies the eigenvalues' integers.
    fn exponent(&self) -> i64 {
        self.g.exponent() + i64::from(self.g.bits()) - i64::from(self.candidates.value_bits())
    }

    /// Steps 5 and 6 for one cell; None where the digits do not suffice.
    fn columns(&self, at: usize, largest: f64) -> Option<Vec<Proven>> {
        let cell = &self.cells[at];
        let s = self.singular_value(at)?;
        let gap = self.gap(at)?;
        let compensated = largest > COMPENSATE * s;
        let f = self.candidates.vector_bits();
        let value_bits = self.candidates.value_bits();
        let as_f64 = |value: &BigInt, bits: u32| nearest_signed(value, -i64::from(bits));
        let relative = as_f64(&cell.radius, value_bits) / as_f64(&cell.low, value_bits);
        let (vectors, error, gap) = match cell.members.as_slice() {
            [j] => {
                let error = angle_bound(&cell.radius, &gap, f) + &cell.defect;
                let top = as_f64(&self.cells[0].low, value_bits);
                (vec![self.candidates.vector(*j).to_vec()], error, as_f64(&gap, value_bits) / top)
            }
            members => {
                // Proven to be equal: no two neighbours differ by as much as `TIED`.
                let tied = tied_units(value_bits);
                let equal = |pair: &[usize]| {
                    let apart = self.candidates.value(pair[0]).sub(self.candidates.value(pair[1]));
                    apart.to_big() + 2 * &cell.radius < tied
                };
                if !members.windows(2).all(equal) {
                    return None;
                }
                let big = |&j: &usize| self.candidates.vector(j).iter().map(|x| x.to_big()).collect();
                let vectors: Vec<Vec<BigInt>> = members.iter().map(big).collect();
                let (basis, error) = basis::canonical(&vectors, &angle_bound(&cell.radius, &gap, f), f)?;
                (basis.iter().map(|x| x.iter().map(Wide::from_big).collect()).collect(), error, 0.0)
            }
        };
        let bound = as_f64(&error, f);
        if bound > pow2(-66) {
            return None;
        }
        let error = Wide::<W>::from_big(&error);
        let column = |x: &Vec<Wide<W>>| {
            let indexed = || x.iter().copied().enumerate();
            let v: Vec<f64> = indexed().map(|(i, x)| self.entry(cell, i, x, error)).collect::<Option<_>>()?;
            let low = |((i, x), &v): ((usize, Wide<W>), &f64)| self.low_entry(cell, i, x, v, error);
            let v_low =
                if compensated { Some(indexed().zip(&v).map(low).collect::<Option<_>>()?) } else { None };
            Some(Proven { s, v, v_low, bound, s_squared_bound: relative, gap })
        };
        vectors.iter().map(column).collect()
    }

    /// Entry `i` of the cell's vector, rounded.
    fn entry(&self, cell: &Cell, i: usize, x: Wide<W>, error: Wide<W>) -> Option<f64> {
        let f = self.candidates.vector_bits();
        round::entry(x, error, f).or_else(|| {
            let midpoint = round::entry_midpoint(x, error, f)?;
            self.is_entry(cell, i, midpoint, error)?.then(|| round::entry(midpoint, Wide::ZERO, f))?
        })
    }

    /// The second word of entry `i`, whose first is `v`, rounded.
    fn low_entry(&self, cell: &Cell, i: usize, x: Wide<W>, v: f64, error: Wide<W>) -> Option<f64> {
        let f = self.candidates.vector_bits();
        round::low_entry(x, v, error, f).or_else(|| {
            let midpoint = round::low_midpoint(x, v, error, f)?;
            self.is_entry(cell, i, midpoint, error)?.then(|| round::low_entry(midpoint, v, Wide::ZERO, f))?
        })
    }

    /// Whether entry `i` of the vector of a simple eigenvalue is exactly the number that the digits do not tell it from.
    fn is_entry(&self, cell: &Cell, i: usize, value: Wide<W>, error: Wide<W>) -> Option<bool> {
        let f = self.candidates.vector_bits();
        if cell.members.len() > 1 || error.bit_length() + NEAR > f {
            return None;
        }
        self.algebra()?.is_entry(i, &value.to_big(), f, self.interval(cell))
    }

    /// A lower bound on the distance of the cell's candidates from all eigenvalues outside of it.
    fn gap(&self, at: usize) -> Option<BigInt> {
        let cell = &self.cells[at];
        let above = at.checked_sub(1).map(|b| &self.cells[b].low - &cell.high);
        let below = match self.cells.get(at + 1) {
            Some(next) => Some(&cell.low - &next.high),
            None => self.tail.as_ref().map(|tail| &cell.low - tail),
        };
        // A single eigenvalue of a 1 x 1 matrix has no neighbour: its vector is known whatever the gap.
        let alone = BigInt::from(1) << (self.candidates.value_bits() + 64);
        let gap = above.into_iter().chain(below).min().unwrap_or(alone);
        (gap.sign() == Sign::Plus).then_some(gap)
    }
}

/// `sqrt(2) radius / gap` in units of 2^-f, rounded up.
fn angle_bound(radius: &BigInt, gap: &BigInt, f: u32) -> BigInt {
    let ratio = (radius << (f + 1)) / gap + 1;
    // sqrt(2) / 2 < 0.7072
    ratio * 7072 / 10_000 + 1
}

/// 2^-[`TIED`] in units of the eigenvalues' last bit, rounded up.
fn tied_units(value_bits: u32) -> BigInt {
    BigInt::from(BigUint::from(1u32) << value_bits.saturating_sub(TIED))
}

#[cfg(test)]
mod tests;
