//! The refinement: finds eigenpairs of the exact Gram matrix to as many digits as the checker asks for. It proves
//! nothing, and what it estimates of errors only tells it where to go on.
//!
//! 1. *Start.* Any f64 eigensolver ([`start`]).
//! 2. *Exact residual.* `X` and `lambda` in fixed point, `W = G X - X diag(lambda)` and `1 - x.x` as exact
//!    integers ([`mod@column`]).
//! 3. *Correction* in f64: `E_ij = x_i.w_j / (lambda_j - lambda_i)`, `E_jj = (1 - x_j.x_j) / 2`, `X += X E`,
//!    `lambda_j += x_j.w_j` (Ogita and Aishima 2018, "Iterative refinement for symmetric eigenvalue
//!    decomposition", written in the residual); a Rayleigh-Ritz step for clusters ([`cluster`]).
//!
//! Only the leading columns that are asked for are refined; the other f64 eigenvectors serve as preconditioner. A
//! step costs O(n^2 k). For few of many columns the start has some leading eigenvectors only, and what the residual has
//! outside of them is removed by conjugate gradients ([`complement`]).
//!
//! Where all columns up to the rank are wanted, they are found in *levels*: the start tells eigenvalues down to
//! 2^-50 of the largest, the rest is noise in the space of the small ones. Once the first are found, the trace tells
//! what is left: if that is below the rank threshold, the others need not be found at all. Else the rest is turned to
//! its Ritz vectors, which tell eigenvalues 2^-50 further down.

mod cluster;
mod column;
mod complement;
mod jacobi;
mod product;
mod start;
mod step;

use super::check::{Candidates, DEGENERATE};
use super::product::Multiplied;
use super::wide::Wide;
use crate::rounding::pow2;
use crate::{COMPENSATE, GramMatrix};
use column::{Column, Format, Residual};
pub(super) use start::Start;

/// Steps without a residual four bits smaller after which more fraction bits are called for.
const PATIENCE: usize = 3;

/// Steps are slow when they leave more than this share of the residual.
const SLOW: f64 = 1e-7;

/// Words of 64 bits of the narrowest numbers.
pub(super) const NARROWEST: usize = 6;

/// Errors that are aimed at: of vectors with one word of 53 bits, with two, and of the space of equal eigenvalues. The
/// first two leave one entry in 2^30 undecided.
const ONE_WORD: i32 = -96;
const TWO_WORDS: i32 = -136;
const SPACE: i32 = -160;

/// How many more bits a column is given that the checker rejects.
const MORE: i32 = 40;

/// Approximate eigenpairs of `H = G 2^-bits`, as many as the start has; the columns that matter in fixed point.
pub(super) struct Refinement<'g, const W: usize> {
    g: &'g GramMatrix,
    start: &'g Start,
    /// So many leading columns are candidates.
    reach: usize,
    /// All columns up to the rank are wanted.
    everything: bool,
    format: Format,
    /// `H` in f64, where the start has not all eigenvectors.
    h: Option<Vec<f64>>,
    /// The best f64 approximation of every eigenvector of the start, n rows, column-major.
    approximate: Vec<f64>,
    lambda: Vec<Wide<W>>,
    /// Estimate of every residual.
    rho: Vec<f64>,
    /// In fixed point, with residual: the columns that have been wanted so far.
    refined: Vec<Option<(Column<W>, Residual)>>,
    /// Columns whose error is what is aimed at.
    settled: Vec<bool>,
    /// Bits beyond the usual that the checker asked for.
    more: Vec<i32>,
    /// Steps in f64 no longer help.
    precise: bool,
    /// Column indices by descending eigenvalue.
    order: Vec<usize>,
    steps: usize,
}

impl<'g, const W: usize> Refinement<'g, W> {
    /// For the `k` leading columns; None where `W` limbs are too few for this matrix.
    pub fn new(g: &'g GramMatrix, k: usize, start: &'g Start) -> Option<Self> {
        let n = g.n();
        let mut this = Self {
            g,
            start,
            reach: 0,
            everything: k == n,
            format: Format::new::<W>(g)?,
            h: start.is_partial().then(|| g.approximate()),
            approximate: vec![],
            lambda: vec![],
            rho: vec![],
            refined: vec![],
            settled: vec![],
            more: vec![0; start.lambda.len()],
            precise: false,
            order: vec![],
            steps: 0,
        };
        this.restart();
        let clear = this.reach;
        // The last candidate needs a distance to the next one that f64 can prove.
        let apart = |&r: &usize| {
            let (here, next) = (this.distance(this.order[r - 1], this.order[r]), this.value(this.order[r]));
            here > 64.0 * n as f64 * pow2(-52) * (n as f64 * next.abs() + g.approximate_trace())
        };
        let most = if start.is_partial() { start.found + 1 } else { start.lambda.len() };
        match (k..most.min(start.lambda.len())).find(apart).filter(|&r| r <= clear && !this.everything) {
            Some(r) => this.reach = r,
            None if start.is_partial() => this.reach = k.min(clear),
            None => this.everything = true,
        }
        Some(this)
    }

    /// Everything as the start has it, and as many candidates as stand out of its noise.
    fn restart(&mut self) {
        let count = self.start.lambda.len();
        let fixed = |&l: &f64| Wide::from_f64(l, self.format.lambda);
        self.lambda = self.start.lambda.iter().map(fixed).collect();
        self.approximate.clone_from(&self.start.x);
        self.rho = vec![self.start.noise; count];
        self.refined = vec![None; count];
        self.settled = vec![false; count];
        self.sort();
        self.reach = self.clear().max(1);
    }

    /// The same state with more fraction bits; None where these are too few.
    pub fn widen<const V: usize>(self) -> Option<Refinement<'g, V>> {
        let format = Format::new::<V>(self.g)?;
        let shift = format.lambda - self.format.lambda;
        let refined = self
            .refined
            .into_iter()
            .map(|pair| pair.map(|(c, r)| (c.widen(self.g, &self.format, &format), r)));
        Some(Refinement {
            g: self.g,
            start: self.start,
            reach: self.reach,
            everything: self.everything,
            format,
            h: self.h,
            approximate: self.approximate,
            lambda: self.lambda.iter().map(|l| l.resize().shl(shift)).collect(),
            rho: self.rho,
            refined: refined.collect(),
            settled: self.settled,
            more: self.more,
            precise: self.precise,
            order: self.order,
            steps: self.steps,
        })
    }

    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Refines until nothing is left to do; false when corrections no longer help.
    pub fn run(&mut self) -> bool {
        let mut best = f64::INFINITY;
        let mut patience = PATIENCE;
        let mut level = self.reach;
        loop {
            self.sort();
            // The residuals of the next level begin with those of the start.
            if self.reach > level {
                (level, best, patience) = (self.reach, f64::INFINITY, PATIENCE);
            }
            // What is not settled yet; of all columns the next level, too.
            let mut pending = self.pending();
            let mut with_rest = false;
            if pending.is_empty() {
                if !self.everything || self.rest_is_negligible() {
                    return true;
                }
                // The next level.
                pending = self.order[self.reach..].to_vec();
                with_rest = true;
                if pending.is_empty() {
                    return true;
                }
            } else if self.precise && self.everything && !self.rest_is_negligible() {
                pending.extend_from_slice(&self.order[self.reach..]);
                with_rest = true;
            }
            // Step 2. What was known from the f64 start alone may be settled by its exact residual.
            if self.refine_all(&pending) {
                continue;
            }
            let worst = pending.iter().map(|&j| self.rho[j]).fold(0.0, f64::max);
            log::debug!(
                "refinement step {}: {} of {} columns pending, residual {worst:.1e}",
                self.steps,
                pending.len(),
                self.reach
            );
            let slow = worst > SLOW * best;
            if worst * 16.0 < best {
                (best, patience) = (worst, PATIENCE);
            } else if patience == 0 {
                if self.start.is_partial() || std::mem::replace(&mut self.precise, true) {
                    return false;
                }
                // What went wrong may have cost a dimension.
                (self.everything, best, patience) = (true, f64::INFINITY, PATIENCE);
                self.restart();
                continue;
            } else if W == NARROWEST && !self.precise && worst <= self.floor() {
                // Nor would anything else help in this width.
                return false;
            } else {
                patience -= 1;
            }
            // Step 3. What slows corrections down is that the rest, along which they go as well, is known as the start has it only.
            if slow && !with_rest && self.everything && !self.rest_is_negligible() {
                pending.extend_from_slice(&self.order[self.reach..]);
            }
            self.improve(pending);
            self.steps += 1;
            if self.everything {
                self.sort();
                self.reach = self.reach.max(self.clear());
            }
        }
    }

    /// Asks for more digits of these candidates.
    pub fn demand(&mut self, candidates: &[usize]) {
        candidates.iter().for_each(|&at| self.more[self.order[at]] += MORE);
    }

    /// Asks for all columns up to the rank; false when that has been so, or the start has not all of them.
    pub fn demand_everything(&mut self) -> bool {
        !self.start.is_partial() && !std::mem::replace(&mut self.everything, true)
    }

    fn n(&self) -> usize {
        self.g.n()
    }

    fn value(&self, j: usize) -> f64 {
        self.lambda[j].to_f64(self.format.lambda)
    }

    /// `lambda_i - lambda_j`, within a relative 2^-50.
    fn distance(&self, i: usize, j: usize) -> f64 {
        self.lambda[i].sub(self.lambda[j]).to_f64(self.format.lambda)
    }

    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.lambda.len()).collect();
        order.sort_by(|&i, &j| self.lambda[j].cmp(&self.lambda[i]));
        self.order = order;
    }

    /// How many leading eigenvalues stand out of the noise.
    fn clear(&self) -> usize {
        self.order.iter().take_while(|&&j| self.value(j) > 16.0 * self.rho[j]).count()
    }

    /// Whether all that the candidates leave is below the rank threshold.
    fn rest_is_negligible(&self) -> bool {
        let found = &self.order[..self.reach];
        let sum = found.iter().fold(Wide::ZERO, |sum: Wide<W>, &j| sum.add(self.lambda[j]));
        let rest = self.g_trace().sub(sum).to_f64(self.format.lambda);
        let unsure: f64 = found.iter().map(|&j| self.rho[j]).sum();
        rest.abs() + 8.0 * unsure < self.threshold() / 4.0
    }

    /// About the residual that rounding leaves of the best vectors and values of this width.
    fn floor(&self) -> f64 {
        let n = self.n() as f64;
        256.0 * n * n.sqrt() * pow2(-(self.format.x.min(self.format.lambda) as i32))
    }

    /// About the eigenvalue below which nothing counts for the rank.
    fn threshold(&self) -> f64 {
        let size = self.g.rows().max(self.n() as u64) as f64 * pow2(-52);
        size * size * self.value(self.order[0])
    }

    fn g_trace(&self) -> Wide<W> {
        let n = self.n();
        let mut sum = Wide::ZERO;
        for (d, plane) in self.g.planes().iter().enumerate() {
            let shift = d as u32 * self.g.digit_bits() + self.format.lambda - self.format.gram;
            let diagonal = (0..n).map(|i| i128::from(plane[i * (n + 1)])).sum();
            sum = sum.add(Wide::from_i128(diagonal, shift));
        }
        sum
    }

    /// Candidates that must be refined further.
    fn pending(&mut self) -> Vec<usize> {
        self.settled.fill(false);
        let mut pending = vec![];
        let mut first = 0;
        while first < self.reach {
            let mut last = first;
            while last + 1 < self.reach && self.linked(last) {
                last += 1;
            }
            let members = first..=last;
            let settled = self.group_is_settled(first, last);
            for p in members {
                let j = self.order[p];
                if settled {
                    self.settled[j] = true;
                } else {
                    pending.push(j);
                }
            }
            first = last + 1;
        }
        pending
    }

    /// Whether the eigenvalues at position `p` and the next are not told apart yet, or equal.
    fn linked(&self, p: usize) -> bool {
        let (i, j) = (self.order[p], self.order[p + 1]);
        self.distance(i, j) <= (4.0 * (self.rho[i] + self.rho[j])).max(pow2(-(DEGENERATE as i32)))
    }

    /// Whether the columns at these positions are known as well as is aimed at.
    fn group_is_settled(&self, first: usize, last: usize) -> bool {
        let members = &self.order[first..=last];
        let above = first.checked_sub(1).map(|p| self.distance(self.order[p], self.order[first]));
        let below = self.order.get(last + 1).map(|&next| self.distance(self.order[last], next));
        // The singular value needs the digits of the eigenvalue itself, too, which of the last one may be far below the gap.
        let gap = above.into_iter().chain(below).fold(self.value(members[members.len() - 1]), f64::min);
        let rho = members.iter().map(|&j| self.rho[j] * self.rho[j]).sum::<f64>().sqrt();
        let Some(defect) = members
            .iter()
            .map(|&j| self.refined[j].as_ref().map(|(_, r)| r.defect.abs()))
            .try_fold(0.0, |most, defect| defect.map(|d| f64::max(most, d)))
        else {
            return false;
        };
        let error = 2.0 * rho / gap + defect;
        let more = members.iter().map(|&j| self.more[j]).max().unwrap_or(0);
        if members.len() > 1 {
            let equal =
                |p: usize| self.distance(self.order[p], self.order[p + 1]) < pow2(-(DEGENERATE as i32));
            return 16.0 * rho < pow2(-(DEGENERATE as i32))
                && (first..last).all(equal)
                && error < pow2(SPACE - more);
        }
        // Else what the trace leaves would tell nothing.
        let open = self.everything && self.reach < self.n();
        if open && 64.0 * self.reach as f64 * rho > self.threshold() {
            return false;
        }
        let compensated = self.value(self.order[0]) > COMPENSATE * COMPENSATE * self.value(members[0]) * 0.99;
        error < pow2(if compensated { TWO_WORDS } else { ONE_WORD } - more)
    }
}

impl<const W: usize> Candidates<W> for Refinement<'_, W> {
    fn len(&self) -> usize {
        self.order[..self.reach].iter().take_while(|&&j| self.refined[j].is_some()).count()
    }

    fn vector_bits(&self) -> u32 {
        self.format.x
    }

    fn value_bits(&self) -> u32 {
        self.format.lambda
    }

    fn value(&self, j: usize) -> Wide<W> {
        self.lambda[self.order[j]]
    }

    fn vector(&self, j: usize) -> Option<&Multiplied<W>> {
        self.refined[self.order[j]].as_ref().map(|(column, _)| &column.vector)
    }

    fn next_value(&self) -> f64 {
        self.order.get(Candidates::len(self)).map_or(0.0, |&j| Refinement::value(self, j))
    }
}
