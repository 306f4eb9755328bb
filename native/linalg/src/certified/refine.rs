//! The refinement loop: survey, decide, improve, until every wanted column is decided or corrections no longer help.

use super::cluster::{canonical, rayleigh_ritz};
use super::column::{Column, Format, Residual, SLACK};
use super::enclosure::{Group, groups};
use super::start::Start;
use super::wide::Wide;
use super::{Bounds, COMPENSATE, CertifiedSvd, decide};
use crate::rounding::pow2;
use crate::{Error, GramMatrix};
use rayon::prelude::*;
use tomobasis_dense::multiply;

/// Corrections above this share of a vector mean that the eigenvalues are too close for first-order corrections.
const LINK: f64 = 1.0 / 64.0;

/// Steps without a residual four bits smaller after which more fraction bits are called for.
const PATIENCE: usize = 3;

/// Approximate eigenpairs of `H = G 2^-bits`, all n; the columns that matter in fixed point.
pub(super) struct Refinement<'g, const W: usize> {
    g: &'g GramMatrix,
    /// Leading columns wanted.
    k: usize,
    format: Format,
    /// The best f64 approximation of every eigenvector, n x n column-major.
    approximate: Vec<f64>,
    lambda: Vec<Wide<W>>,
    /// Bound on every residual.
    rho: Vec<f64>,
    /// In fixed point, with residual: the columns that have been wanted so far.
    refined: Vec<Option<(Column<W>, Residual)>>,
    decided: Vec<Option<Decided>>,
    steps: usize,
}

/// A column whose rounding is proven (or, for unresolved ones, defined).
#[derive(Clone)]
struct Decided {
    s: f64,
    v: Vec<f64>,
    v_low: Option<Vec<f64>>,
    bound: f64,
    s_squared_bound: f64,
    gap: f64,
}

pub(super) enum Outcome<'g, const W: usize> {
    Done(CertifiedSvd),
    Stuck(Refinement<'g, W>),
}

/// The columns in descending order of eigenvalue, grouped.
struct Survey {
    order: Vec<usize>,
    groups: Vec<Group>,
    /// Per position: above the rank threshold, below it, or not known yet.
    above: Vec<Option<bool>>,
}

impl<'g, const W: usize> Refinement<'g, W> {
    pub fn new(g: &'g GramMatrix, k: usize, start: Start) -> Self {
        let n = g.n();
        let format = Format::new::<W>(g);
        let pairs: Vec<_> = start
            .lambda
            .par_iter()
            .enumerate()
            .map(|(j, &lambda)| {
                let column = Column::new(g, &format, &start.x[j * n..(j + 1) * n], lambda);
                let residual = column.residual(&format);
                (column, residual)
            })
            .collect();
        let lambda = pairs.iter().map(|(c, _)| c.lambda).collect();
        let rho = pairs.iter().map(|(_, r)| r.rho).collect();
        let refined = pairs.into_iter().enumerate().map(|(j, pair)| (j < k).then_some(pair)).collect();
        Self { g, k, format, approximate: start.x, lambda, rho, refined, decided: vec![None; n], steps: 0 }
    }

    /// The same state with more fraction bits.
    pub fn widen<const V: usize>(self) -> Refinement<'g, V> {
        let format = Format::new::<V>(self.g);
        let shift = format.lambda - self.format.lambda;
        let refined =
            self.refined.into_iter().map(|pair| pair.map(|(c, r)| (c.widen(&self.format, &format), r)));
        Refinement {
            g: self.g,
            k: self.k,
            format,
            approximate: self.approximate,
            lambda: self.lambda.iter().map(|l| l.resize().shl(shift)).collect(),
            rho: self.rho,
            refined: refined.collect(),
            decided: self.decided,
            steps: self.steps,
        }
    }

    pub fn run(mut self) -> Result<Outcome<'g, W>, Error> {
        let mut best = f64::INFINITY;
        let mut patience = PATIENCE;
        loop {
            let survey = self.survey();
            self.decide(&survey);
            let pending = self.pending(&survey);
            if pending.is_empty() {
                return self.result(&survey, vec![]).map(Outcome::Done);
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

    fn n(&self) -> usize {
        self.g.n()
    }

    /// `lambda_i - lambda_j`, within a relative 2^-50.
    fn distance(&self, i: usize, j: usize) -> f64 {
        self.lambda[i].sub(self.lambda[j]).to_f64(self.format.lambda)
    }

    fn survey(&self) -> Survey {
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
        let groups = survey.groups.iter().filter(|g| (g.first..=g.last).any(wanted));
        groups
            .flat_map(|g| g.first..=g.last)
            .map(|p| survey.order[p])
            .filter(|&j| self.decided[j].is_none())
            .collect()
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
    fn singular_value(&self, survey: &Survey, g: &Group) -> Option<f64> {
        let radius = self.units(g.radius);
        let low = self.lambda[survey.order[g.last]].sub(radius);
        let high = self.lambda[survey.order[g.first]].add(radius);
        decide::singular_value(low, high, self.exponent())
    }

    /// What multiplies `lambda`'s integers: they have fraction bits and are scaled by the bits of `G`.
    fn exponent(&self) -> i64 {
        self.g.exponent() + i64::from(self.g.bits()) - i64::from(self.format.lambda)
    }

    /// A lower bound on the distance of the group's `lambda` from all other eigenvalues.
    fn gap(&self, survey: &Survey, at: usize) -> f64 {
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

    /// One correction of the pending columns (and of those that prove to be clustered with them).
    fn improve(&mut self, mut pending: Vec<usize>) {
        let n = self.n();
        let mut projected = Vec::new();
        let mut cluster: Vec<usize> = (0..n).collect();
        let mut done = 0;
        // Linked columns are drawn in until no new ones turn up.
        while done < pending.len() {
            self.refine_all(&pending[done..]);
            projected.extend(self.project(&pending[done..]));
            let mut drawn = Vec::new();
            for at in done..pending.len() {
                let j = pending[at];
                for i in (0..n).filter(|&i| i != j && self.decided[i].is_none()) {
                    if projected[at * n + i].abs() >= LINK * self.distance(i, j).abs() {
                        let (a, b) = (root(&cluster, i), root(&cluster, j));
                        cluster[a.max(b)] = a.min(b);
                        if !pending.contains(&i) && !drawn.contains(&i) {
                            drawn.push(i);
                        }
                    }
                }
            }
            done = pending.len();
            pending.extend(drawn);
        }
        let home: Vec<usize> = (0..n).map(|i| root(&cluster, i)).collect();
        let corrections = self.corrections(&pending, &projected, &home);
        let members =
            |c: usize| -> Vec<usize> { (0..pending.len()).filter(|&at| home[pending[at]] == c).collect() };
        let clusters: Vec<Vec<usize>> =
            (0..n).filter(|&c| home[c] == c).map(members).filter(|m| m.len() > 1).collect();
        let columns: Vec<Column<W>> = pending
            .par_iter()
            .enumerate()
            .filter_map(|(at, &j)| {
                let mut column = self.refined[j].as_ref()?.0.clone();
                let correction = &corrections[at * n..(at + 1) * n];
                if clusters.iter().any(|m| m.contains(&at)) {
                    column.shift_only(&self.format, correction);
                } else {
                    column.correct(self.g, &self.format, correction);
                    column.lambda =
                        column.lambda.add(Wide::from_f64(projected[at * n + j], self.format.lambda));
                }
                Some(column)
            })
            .collect();
        let mut columns = columns;
        for members in &clusters {
            let small: Vec<f64> = members
                .iter()
                .flat_map(|&b| members.iter().map(move |&a| (a, b)))
                .map(|(a, b)| projected[b * n + pending[a]])
                .collect();
            let old: Vec<&Column<W>> = members.iter().map(|&at| &columns[at]).collect();
            let rotated = rayleigh_ritz(&old, &small, &self.format);
            let new: Vec<_> = match rotated {
                Some(pairs) => pairs,
                None => old.iter().map(|c| (c.x.clone(), c.lambda)).collect(),
            };
            let replaced: Vec<Column<W>> = members
                .par_iter()
                .zip(new)
                .map(|(&at, (x, lambda))| {
                    let mut column = columns[at].clone();
                    column.replace(self.g, &self.format, x);
                    column.lambda = lambda;
                    column
                })
                .collect();
            members.iter().zip(replaced).for_each(|(&at, column)| columns[at] = column);
        }
        let residuals: Vec<Residual> = columns.par_iter().map(|c| c.residual(&self.format)).collect();
        for ((&j, column), residual) in pending.iter().zip(columns).zip(residuals) {
            self.approximate[j * n..(j + 1) * n]
                .iter_mut()
                .zip(column.approximate(&self.format))
                .for_each(|(a, x)| *a = x);
            self.lambda[j] = column.lambda;
            self.rho[j] = residual.rho;
            self.refined[j] = Some((column, residual));
        }
    }

    /// Puts columns into fixed point that are not yet.
    fn refine_all(&mut self, columns: &[usize]) {
        let n = self.n();
        for &j in columns {
            if self.refined[j].is_none() {
                let lambda = self.lambda[j].to_f64(self.format.lambda);
                let column = Column::new(self.g, &self.format, &self.approximate[j * n..(j + 1) * n], lambda);
                let residual = column.residual(&self.format);
                self.refined[j] = Some((column, residual));
            }
        }
    }

    /// `x_i . w_j` for all i and the given columns j: n x len, column-major.
    fn project(&self, columns: &[usize]) -> Vec<f64> {
        let w = columns
            .iter()
            .flat_map(|&j| self.refined[j].iter().flat_map(|(_, r)| r.w.iter().copied()))
            .collect::<Vec<_>>();
        multiply(&self.approximate, true, &w, self.n())
    }

    /// `X E`: the first-order corrections, without the parts along the other members of a column's own cluster.
    fn corrections(&self, pending: &[usize], projected: &[f64], home: &[usize]) -> Vec<f64> {
        let n = self.n();
        let mut e = vec![0.0; n * pending.len()];
        for (at, &j) in pending.iter().enumerate() {
            let column = &mut e[at * n..(at + 1) * n];
            for (i, e) in column.iter_mut().enumerate() {
                if i == j {
                    *e = self.refined[j].as_ref().map_or(0.0, |(_, r)| r.defect / 2.0);
                } else if home[i] != home[j] {
                    *e = projected[at * n + i] / self.distance(j, i);
                }
            }
        }
        multiply(&self.approximate, false, &e, n)
    }

    /// What corrections could not tell apart gets the canonical basis of its space, by name.
    pub fn with_unresolved(mut self) -> Result<CertifiedSvd, Error> {
        let survey = self.survey();
        let rank = survey.above.iter().filter(|a| **a != Some(false)).count();
        let mut unresolved = Vec::new();
        let k = self.k.min(rank);
        for (at, group) in survey.groups.iter().enumerate().filter(|(_, g)| g.first < k) {
            let members: Vec<usize> = (group.first..=group.last).map(|p| survey.order[p]).collect();
            if members.iter().all(|&j| self.decided[j].is_some()) {
                continue;
            }
            self.refine_all(&members);
            let columns: Vec<&Column<W>> =
                members.iter().filter_map(|&j| self.refined[j].as_ref().map(|(c, _)| c)).collect();
            let basis = canonical(&columns, &self.format);
            let gap = self.gap(&survey, at);
            for ((position, &j), x) in (group.first..).zip(&members).zip(basis) {
                let round = |x: &Wide<W>| decide::entry(*x, Wide::ZERO, self.format.x).unwrap_or(0.0);
                let v: Vec<f64> = x.iter().map(round).collect();
                let low = |(x, v): (&Wide<W>, &f64)| {
                    decide::low_entry(*x, *v, Wide::ZERO, self.format.x).unwrap_or(0.0)
                };
                let v_low = x.iter().zip(&v).map(low).collect();
                let own = || decide::singular_value(self.lambda[j], self.lambda[j], self.exponent());
                let s = self.singular_value(&survey, group).or_else(own).unwrap_or(0.0);
                let lambda = self.lambda[j].to_f64(self.format.lambda);
                let bound = std::f64::consts::SQRT_2 * group.radius / gap;
                self.decided[j] = Some(Decided {
                    s,
                    v,
                    v_low: Some(v_low),
                    bound,
                    s_squared_bound: group.radius / lambda,
                    gap: 0.0,
                });
                if position < k {
                    unresolved.push(position);
                }
            }
        }
        self.result(&survey, unresolved)
    }

    fn result(&self, survey: &Survey, unresolved: Vec<usize>) -> Result<CertifiedSvd, Error> {
        let n = self.n();
        let rank = survey.above.iter().filter(|a| **a != Some(false)).count();
        let k = self.k.min(rank);
        let columns: Vec<&Decided> =
            survey.order[..k].iter().filter_map(|&j| self.decided[j].as_ref()).collect();
        let s: Vec<f64> = columns.iter().map(|c| c.s).collect();
        if let Some(column) = s.iter().position(|s| !s.is_normal()) {
            return Err(Error::SingularValueRange { column });
        }
        let compensated: Vec<bool> = s.iter().map(|&v| s[0] > COMPENSATE * v).collect();
        let signs: Vec<f64> = columns.iter().map(|c| canonical_sign(&c.v)).collect();
        let mut v = vec![0.0; n * k];
        let mut v_low = vec![0.0; n * k];
        for (j, column) in columns.iter().enumerate() {
            for i in 0..n {
                // Adding zero turns a negated +0.0 back into +0.0.
                v[i * k + j] = signs[j] * column.v[i] + 0.0;
                if let (true, Some(low)) = (compensated[j], &column.v_low) {
                    v_low[i * k + j] = signs[j] * low[i] + 0.0;
                }
            }
        }
        let largest = |of: fn(&Decided) -> f64| columns.iter().map(|c| of(c)).fold(0.0, f64::max);
        let bounds = Bounds {
            v: largest(|c| c.bound),
            s_squared: largest(|c| c.s_squared_bound),
            gap: columns.iter().map(|c| c.gap).fold(1.0, f64::min),
            steps: self.steps,
            fraction_bits: self.format.x,
        };
        Ok(CertifiedSvd { s, v, v_low, compensated, rank, unresolved, bounds, energy: self.g.trace() })
    }
}

/// The root of `i` in a forest of links.
fn root(links: &[usize], mut i: usize) -> usize {
    while links[i] != i {
        i = links[i];
    }
    i
}

/// What makes the entry of largest magnitude (lowest index on ties) positive.
fn canonical_sign(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0f64, |l, &x| if x.abs() > l.abs() { x } else { l });
    if largest < 0.0 { -1.0 } else { 1.0 }
}
