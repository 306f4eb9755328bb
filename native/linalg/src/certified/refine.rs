//! The refinement loop: survey, decide, improve, until every wanted column is decided or corrections no
//! longer help.

use super::column::{Column, Format, Residual, SLACK};
use super::enclosure::{Group, TIED, groups};
use super::start::Start;
use super::wide::Wide;
use super::{COMPENSATE, CertifiedSvd, decide};
use crate::rounding::pow2;
use crate::{Error, GramMatrix};
use rayon::prelude::*;

/// Steps without a residual four bits smaller after which more fraction bits are called for.
const PATIENCE: usize = 3;

/// A space of equal eigenvalues is known well enough when what can be off is at most this: 2^-160.
const KNOWN_SPACE: f64 = 6.842277657836021e-49;

/// Approximate eigenpairs of `H = G 2^-bits`, all n; the columns that matter in fixed point.
pub(super) struct Refinement<'g, const W: usize> {
    pub(super) g: &'g GramMatrix,
    /// Leading columns wanted.
    pub(super) k: usize,
    pub(super) format: Format,
    /// The best f64 approximation of every eigenvector, n x n column-major.
    pub(super) approximate: Vec<f64>,
    pub(super) lambda: Vec<Wide<W>>,
    /// Bound on every residual.
    pub(super) rho: Vec<f64>,
    /// In fixed point, with residual: the columns that have been wanted so far.
    pub(super) refined: Vec<Option<(Column<W>, Residual)>>,
    pub(super) decided: Vec<Option<Decided>>,
    pub(super) steps: usize,
}

/// A column whose rounding is proven (or, for unresolved ones, defined).
#[derive(Clone)]
pub(super) struct Decided {
    pub(super) s: f64,
    pub(super) v: Vec<f64>,
    pub(super) v_low: Option<Vec<f64>>,
    pub(super) bound: f64,
    pub(super) s_squared_bound: f64,
    pub(super) gap: f64,
}

pub(super) enum Outcome<'g, const W: usize> {
    Done(CertifiedSvd),
    Stuck(Refinement<'g, W>),
}

/// The columns in descending order of eigenvalue, grouped.
pub(super) struct Survey {
    pub(super) order: Vec<usize>,
    pub(super) groups: Vec<Group>,
    /// Per position: above the rank threshold, below it, or not known yet.
    pub(super) above: Vec<Option<bool>>,
}

impl<'g, const W: usize> Refinement<'g, W> {
    /// The k leading columns go into fixed point at once; None where `W` limbs are too few for this matrix.
    pub fn new(g: &'g GramMatrix, k: usize, start: &Start) -> Option<Self> {
        let n = g.n();
        let format = Format::new::<W>(g)?;
        let lambda = start.lambda.iter().map(|&l| Wide::from_f64(l, format.lambda)).collect();
        let mut rho = vec![f64::INFINITY; k];
        rho.extend(start.residual_bounds(g, k));
        let (refined, decided) = (vec![None; n], vec![None; n]);
        let mut this =
            Self { g, k, format, approximate: start.x.clone(), lambda, rho, refined, decided, steps: 0 };
        this.refine_all(&(0..k).collect::<Vec<_>>());
        Some(this)
    }

    /// The same state with more fraction bits; None where these are too few.
    pub fn widen<const V: usize>(self) -> Option<Refinement<'g, V>> {
        let format = Format::new::<V>(self.g)?;
        let shift = format.lambda - self.format.lambda;
        let refined =
            self.refined.into_iter().map(|pair| pair.map(|(c, r)| (c.widen(&self.format, &format), r)));
        Some(Refinement {
            g: self.g,
            k: self.k,
            format,
            approximate: self.approximate,
            lambda: self.lambda.iter().map(|l| l.resize().shl(shift)).collect(),
            rho: self.rho,
            refined: refined.collect(),
            decided: self.decided,
            steps: self.steps,
        })
    }

    pub fn run(mut self) -> Result<Outcome<'g, W>, Error> {
        let mut best = f64::INFINITY;
        let mut patience = PATIENCE;
        loop {
            let survey = self.survey();
            self.decide(&survey);
            let pending = self.pending(&survey);
            if pending.is_empty() {
                return self.finish().map(Outcome::Done);
            }
            // What was known from the f64 start alone may be settled by its exact residual.
            if self.refine_all(&pending) {
                continue;
            }
            let worst = pending.iter().map(|&j| self.rho[j]).fold(0.0, f64::max);
            log::debug!(
                "refinement step {}: {} columns pending, residual {worst:.1e}",
                self.steps,
                pending.len()
            );
            if worst * 16.0 < best {
                (best, patience) = (worst, PATIENCE);
            } else if patience == 0 {
                return Ok(Outcome::Stuck(self));
            } else {
                patience -= 1;
            }
            self.improve(pending);
            self.steps += 1;
        }
    }

    pub(super) fn n(&self) -> usize {
        self.g.n()
    }

    /// `lambda_i - lambda_j`, within a relative 2^-50.
    pub(super) fn distance(&self, i: usize, j: usize) -> f64 {
        self.lambda[i].sub(self.lambda[j]).to_f64(self.format.lambda)
    }

    pub(super) fn survey(&self) -> Survey {
        let mut order: Vec<usize> = (0..self.n()).collect();
        order.sort_by(|&i, &j| self.lambda[j].cmp(&self.lambda[i]));
        let rho: Vec<f64> = order.iter().map(|&j| self.rho[j]).collect();
        let groups = groups(
            &rho,
            |i, j| self.distance(order[i], order[j]),
            |first, last| self.orthonormality(&order[first..=last]),
        );
        let [low, high] = self.rank_threshold(order[0], groups[0].radius);
        let above = groups
            .iter()
            .flat_map(|g| {
                let radius = self.units(g.radius);
                let above = self.lambda[order[g.last]].sub(radius) > high;
                let below = self.lambda[order[g.first]].add(radius) < low;
                std::iter::repeat_n(if above { Some(true) } else { below.then_some(false) }, g.len())
            })
            .collect();
        Survey { order, groups, above }
    }

    /// The interval that holds `(max(m, n) 2^-52)^2 lambda_1`.
    fn rank_threshold(&self, first: usize, radius: f64) -> [Wide<W>; 2] {
        let size = i128::from(self.g.rows().max(self.n() as u64));
        let square = Wide::from_i128(size * size, 0);
        let radius = self.units(radius);
        let scaled = |lambda: Wide<W>| lambda.mul(square).shr(104);
        let one = Wide::from_i128(1, 0);
        [scaled(self.lambda[first].sub(radius)), scaled(self.lambda[first].add(radius)).add(one)]
    }

    /// A bound of eigenvalues in units of their last fraction bit, rounded up.
    fn units(&self, bound: f64) -> Wide<W> {
        Wide::from_f64(bound, self.format.lambda).add(Wide::from_i128(1, 0))
    }

    /// A bound on `|I - X^T X|_F` for these columns: computed in f64, plus what f64 can be off by.
    fn orthonormality(&self, columns: &[usize]) -> f64 {
        let n = self.n();
        let x = |j: usize| &self.approximate[j * n..(j + 1) * n];
        let mut square = 0.0;
        for (a, &i) in columns.iter().enumerate() {
            for &j in &columns[..=a] {
                let dot: f64 = x(i).iter().zip(x(j)).map(|(p, q)| p * q).sum();
                let (off, count) = if i == j { (1.0 - dot, 1.0) } else { (dot, 2.0) };
                square += count * off * off;
            }
        }
        square.sqrt() * SLACK + (columns.len() * (n + 8)) as f64 * pow2(-50)
    }

    /// Columns that must be refined further: the wanted ones and those that share a group with one.
    fn pending(&self, survey: &Survey) -> Vec<usize> {
        let wanted = |position: usize| match survey.above[position] {
            Some(above) => above && position < self.k && self.decided[survey.order[position]].is_none(),
            None => true,
        };
        let open = |at: &usize| !self.tied(survey, *at);
        let groups = (0..survey.groups.len()).filter(open).map(|at| &survey.groups[at]);
        groups
            .filter(|g| (g.first..=g.last).any(wanted))
            .flat_map(|g| g.first..=g.last)
            .map(|p| survey.order[p])
            .filter(|&j| self.decided[j].is_none())
            .collect()
    }

    /// Whether the group's eigenvalues are proven to be equal ([`TIED`]), and its space is known.
    fn tied(&self, survey: &Survey, at: usize) -> bool {
        let g = &survey.groups[at];
        let distance = |p: usize| self.distance(survey.order[p], survey.order[p + 1]);
        g.len() > 1
            && (g.first..g.last).all(|p| (distance(p) + 2.0 * g.radius) * SLACK < TIED)
            && std::f64::consts::SQRT_2 * g.radius <= self.gap(survey, at) * KNOWN_SPACE
    }

    /// Ziv's test for the wanted columns whose eigenvalue stands alone.
    fn decide(&mut self, survey: &Survey) {
        let Some(largest) = self.singular_value(survey, &survey.groups[0]) else { return };
        let decided: Vec<(usize, Decided)> = survey
            .groups
            .par_iter()
            .enumerate()
            .filter(|(_, g)| g.len() == 1 && g.first < self.k && survey.above[g.first] == Some(true))
            .filter_map(|(at, g)| {
                let j = survey.order[g.first];
                if self.decided[j].is_some() {
                    return None;
                }
                let s = self.singular_value(survey, g)?;
                self.decide_column(j, s, largest, g.radius, self.gap(survey, at)).map(|d| (j, d))
            })
            .collect();
        for (j, d) in decided {
            self.decided[j] = Some(d);
        }
    }

    /// The singular value of every column of the group, where its interval leaves no choice.
    pub(super) fn singular_value(&self, survey: &Survey, g: &Group) -> Option<f64> {
        let radius = self.units(g.radius);
        let low = self.lambda[survey.order[g.last]].sub(radius);
        let high = self.lambda[survey.order[g.first]].add(radius);
        decide::singular_value(low, high, self.exponent())
    }

    /// What multiplies `lambda`'s integers: they have fraction bits and are scaled by the bits of `G`.
    pub(super) fn exponent(&self) -> i64 {
        self.g.exponent() + i64::from(self.g.bits()) - i64::from(self.format.lambda)
    }

    /// A lower bound on the distance of the group's `lambda` from all other eigenvalues.
    pub(super) fn gap(&self, survey: &Survey, at: usize) -> f64 {
        let g = &survey.groups[at];
        let before = at.checked_sub(1).map(|b| {
            let other = &survey.groups[b];
            self.distance(survey.order[other.last], survey.order[g.first]) - other.radius * SLACK
        });
        let after = survey.groups.get(at + 1).map(|other| {
            self.distance(survey.order[g.last], survey.order[other.first]) - other.radius * SLACK
        });
        before.into_iter().chain(after).fold(f64::INFINITY, f64::min) / SLACK
    }

    fn decide_column(&self, j: usize, s: f64, largest: f64, radius: f64, gap: f64) -> Option<Decided> {
        let (column, residual) = self.refined[j].as_ref()?;
        let bound = (std::f64::consts::SQRT_2 * residual.rho / gap + residual.defect.abs()) * SLACK;
        if bound > pow2(-66) {
            return None;
        }
        let f = self.format.x;
        let units = Wide::from_f64(bound, f).add(Wide::from_i128(1, 0));
        let v: Option<Vec<f64>> = column.x.iter().map(|&x| decide::entry(x, units, f)).collect();
        let v = v?;
        let v_low = if largest > COMPENSATE * s {
            let low: Option<Vec<f64>> =
                column.x.iter().zip(&v).map(|(&x, &v)| decide::low_entry(x, v, units, f)).collect();
            Some(low?)
        } else {
            None
        };
        let lambda = self.lambda[j].to_f64(self.format.lambda);
        let scale = self.lambda.iter().map(|l| l.to_f64(self.format.lambda)).fold(0.0, f64::max);
        Some(Decided { s, v, v_low, bound, s_squared_bound: radius / lambda, gap: gap / scale })
    }
}
