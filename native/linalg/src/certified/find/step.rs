//! One step of the refinement: corrections of first order, and Ritz vectors for clusters.

use super::super::product::COLUMNS_AT_ONCE;
use super::super::wide::Wide;
use super::cluster::rayleigh_ritz;
use super::column::{Column, Residual};
use super::product::multiply_parallel;
use super::{Refinement, complement, jacobi};
use crate::rounding::pow2;
use rayon::prelude::*;

/// Corrections above this share of a vector mean that the eigenvalues are too close for first-order
/// corrections.
const LINK: f64 = 1.0 / 64.0;

/// Consecutive columns whose corrections are rounded alike. The number of threads decides which columns are multiplied
/// together, and must not decide how they are rounded.
const TOGETHER: usize = 64;

/// What an eigensolver in f64 leaves as residual, relative to the largest eigenvalue.
const START: f64 = 1e-15;

/// Once steps in f64 no longer help, eigenvalues closer than this share of the largest are treated together in fixed
/// point.
const CLOSE: i32 = -36;

/// Which columns a step corrects, and which of them it has to treat together.
struct StepPlan {
    /// Column indices.
    pending: Vec<usize>,
    /// `x_i . w_j` for all i and the pending j, column-major.
    projected: Vec<f64>,
    /// Per column of the matrix: the cluster that it belongs to.
    home: Vec<usize>,
    /// What the correction of each pending column neglects, relative to its size.
    errors: Vec<f64>,
}

impl<const W: usize> Refinement<'_, W> {
    /// One correction of the pending columns, and of those that prove to be clustered with them.
    pub(super) fn improve(&mut self, pending: Vec<usize>) {
        let n = self.n();
        // Which columns belong to one cluster, so that they are corrected together.
        let mut plan = self.link(pending);
        // X E, n x pending.
        let corrections = self.corrections(&mut plan);
        let clusters = plan.clusters();
        // Linked columns have all been refined.
        let mut columns: Vec<Column<W>> =
            plan.pending.iter().filter_map(|&j| self.refined[j].take()).map(|(column, _)| column).collect();
        let mut clustered = vec![false; columns.len()];
        clusters.iter().flatten().for_each(|&at| clustered[at] = true);
        let at_once = self.at_once(columns.len());
        columns.par_chunks_mut(at_once).enumerate().for_each(|(chunk, columns)| {
            let (mut corrected, mut by) = (vec![], vec![]);
            for (at, column) in (chunk * at_once..).zip(columns) {
                let correction = &corrections[at * n..(at + 1) * n];
                if !clustered[at] {
                    let own = plan.projected[at * self.lambda.len() + plan.pending[at]];
                    column.lambda = column.lambda.add(Wide::from_f64(own, self.format.lambda));
                } else if !self.precise {
                    // What is rotated is multiplied anew.
                    continue;
                }
                corrected.push(column);
                by.push((correction, self.format.digit_bits(plan.errors[at])));
            }
            Column::correct(&mut corrected, &by, self.g, &self.format);
        });
        // Clusters: their Ritz vectors and values instead.
        for members in &clusters {
            self.rotate(&plan, members, &corrections, &mut columns);
        }
        // Step 2 of what comes next: the exact residuals.
        let residuals: Vec<Residual> = columns.par_iter().map(|c| c.residual(&self.format)).collect();
        for ((&j, column), residual) in plan.pending.iter().zip(columns).zip(residuals) {
            let target = &mut self.approximate[j * n..(j + 1) * n];
            target.iter_mut().zip(column.approximate(&self.format)).for_each(|(a, x)| *a = x);
            self.lambda[j] = column.lambda;
            self.rho[j] = residual.rho;
            self.refined[j] = Some((column, residual));
        }
    }

    /// Draws in the columns that are linked with pending ones, until no new ones turn up.
    fn link(&mut self, mut pending: Vec<usize>) -> StepPlan {
        let count = self.lambda.len();
        let mut projected = Vec::new();
        let mut links: Vec<usize> = (0..count).collect();
        let mut done = 0;
        while done < pending.len() {
            self.refine_all(&pending[done..]);
            let more = self.project(&pending[done..]);
            let near = |(j, x): (&usize, &[f64])| -> Vec<(usize, usize)> {
                let distance = |i: usize| self.distance(i, *j).abs();
                let together = |&i: &usize| match self.precise {
                    true => distance(i) <= pow2(CLOSE) * self.value(self.order[0]),
                    false => !self.settled[i] && x[i].abs() >= LINK * distance(i),
                };
                (0..self.start.found).filter(|&i| i != *j).filter(together).map(|i| (i, *j)).collect()
            };
            let pairs: Vec<_> =
                pending[done..].par_iter().zip(more.par_chunks_exact(count)).flat_map_iter(near).collect();
            projected.extend(more);
            let mut drawn = Vec::new();
            for (i, j) in pairs {
                let (a, b) = (root(&links, i), root(&links, j));
                links[a.max(b)] = a.min(b);
                if !pending.contains(&i) && !drawn.contains(&i) {
                    drawn.push(i);
                }
            }
            done = pending.len();
            pending.extend(drawn);
        }
        let home = (0..count).map(|i| root(&links, i)).collect();
        StepPlan { pending, projected, home, errors: vec![] }
    }

    /// Replaces the columns of a cluster (positions in `plan.pending`) by its Ritz vectors and values.
    fn rotate(&self, plan: &StepPlan, members: &[usize], corrections: &[f64], columns: &mut [Column<W>]) {
        let entry = |b: usize, a: usize| plan.projected[b * self.lambda.len() + plan.pending[a]];
        let small: Vec<f64> =
            members.iter().flat_map(|&b| members.iter().map(move |&a| entry(b, a))).collect();
        let old: Vec<&Column<W>> = members.iter().map(|&at| &columns[at]).collect();
        let in_f64 = || {
            let n = self.n();
            let bits = self.format.digit_bits(0.0);
            let corrected = members.iter().zip(&old);
            let corrected = corrected
                .map(|(&at, old)| old.corrected(bits, &self.format, &corrections[at * n..(at + 1) * n]));
            let lambda: Vec<Wide<W>> = old.iter().map(|column| column.lambda).collect();
            rayleigh_ritz(&corrected.collect::<Vec<_>>(), &lambda, &small, &self.format)
        };
        let in_f64 = if self.precise { None } else { in_f64() };
        let pairs = in_f64.unwrap_or_else(|| jacobi::ritz(&old, &self.format));
        let (vectors, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let at_once = self.at_once(members.len());
        let mut rotated: Vec<Column<W>> =
            values.into_iter().map(|value| Column::new(self.n(), value)).collect();
        rotated.par_chunks_mut(at_once).zip(vectors.par_chunks(at_once)).for_each(|(columns, vectors)| {
            Column::replace(columns, self.g, &self.format, vectors.to_vec());
        });
        members.iter().zip(rotated).for_each(|(&at, column)| columns[at] = column);
    }

    /// Puts columns into fixed point that are not yet; whether there were any.
    pub(super) fn refine_all(&mut self, columns: &[usize]) -> bool {
        let n = self.n();
        let new: Vec<usize> = columns.iter().copied().filter(|&j| self.refined[j].is_none()).collect();
        let any = !new.is_empty();
        let refine = |new: &[usize]| {
            let mut columns: Vec<_> = new.iter().map(|&j| Column::new(n, self.lambda[j])).collect();
            let digits = |j: usize| self.format.digit_bits(self.start_error(j));
            let start: Vec<_> =
                new.iter().map(|&j| (&self.approximate[j * n..(j + 1) * n], digits(j))).collect();
            Column::correct(&mut columns.iter_mut().collect::<Vec<_>>(), &start, self.g, &self.format);
            let residuals: Vec<Residual> = columns.iter().map(|c| c.residual(&self.format)).collect();
            new.iter().copied().zip(columns).zip(residuals).map(|((j, c), r)| (j, c, r)).collect::<Vec<_>>()
        };
        let new: Vec<_> = new.par_chunks(self.at_once(new.len())).flat_map_iter(refine).collect();
        for (j, column, residual) in new {
            self.rho[j] = residual.rho;
            self.refined[j] = Some((column, residual));
        }
        any
    }

    /// About what vector `j` of the start and those that are multiplied together with it are off by, the least of them;
    /// nothing where a cluster makes that arbitrary.
    fn start_error(&self, j: usize) -> f64 {
        let lambda = &self.start.lambda;
        let first = j - j % TOGETHER;
        let group = &lambda[first..lambda.len().min(first + TOGETHER + 1)];
        let gap = group.windows(2).map(|pair| pair[0] - pair[1]);
        let (least, most) =
            gap.fold((f64::INFINITY, 0.0), |(l, m), gap| (f64::min(l, gap), f64::max(m, gap)));
        if START * lambda[0] / least < LINK { START * lambda[0] / most } else { 0.0 }
    }

    /// Columns that one thread multiplies at a time.
    fn at_once(&self, columns: usize) -> usize {
        columns.div_ceil(rayon::current_num_threads()).clamp(1, COLUMNS_AT_ONCE)
    }

    /// The residuals of these columns, side by side.
    fn residuals(&self, columns: &[usize]) -> Vec<f64> {
        let residual = |&j: &usize| self.refined[j].iter().flat_map(|(_, r)| r.w.iter().copied());
        columns.iter().flat_map(residual).collect()
    }

    /// `x_i . w_j` for all i and the given columns j, column-major.
    fn project(&self, columns: &[usize]) -> Vec<f64> {
        multiply_parallel(&self.approximate, self.n(), true, &self.residuals(columns))
    }

    /// `X E`: the first-order corrections; of clustered columns only the parts outside of their cluster.
    fn corrections(&self, plan: &mut StepPlan) -> Vec<f64> {
        let count = self.lambda.len();
        let mut e = vec![0.0; count * plan.pending.len()];
        let alone = |j: usize| plan.home.iter().filter(|&&h| h == plan.home[j]).count() == 1;
        let columns =
            e.par_chunks_exact_mut(count).zip(plan.projected.par_chunks_exact(count)).zip(&plan.pending);
        columns.for_each(|((column, projected), &j)| {
            for (i, e) in column.iter_mut().enumerate().take(self.start.found) {
                if i == j && alone(j) {
                    *e = self.refined[j].as_ref().map_or(0.0, |(_, r)| r.defect / 2.0);
                } else if plan.home[i] != plan.home[j] {
                    *e = projected[i] / self.distance(j, i);
                }
            }
        });
        plan.errors = neglected(&e, count, &plan.pending);
        let mut corrections = multiply_parallel(&self.approximate, self.n(), false, &e);
        if let Some(h) = &self.h {
            let w = self.residuals(&plan.pending);
            let lambda: Vec<f64> = plan.pending.iter().map(|&j| self.value(j)).collect();
            let (found, ritz) = self.approximate.split_at(self.start.found * self.n());
            let theta = &self.start.lambda[self.start.found..];
            let outside = complement::corrections(h, found, (ritz, theta), self.n(), &w, &lambda);
            corrections.iter_mut().zip(outside).for_each(|(c, o)| *c += o);
        }
        corrections
    }
}

impl StepPlan {
    /// The clusters of more than one column, as positions in `pending`.
    fn clusters(&self) -> Vec<Vec<usize>> {
        let members =
            |c: usize| (0..self.pending.len()).filter(|&at| self.home[self.pending[at]] == c).collect();
        (0..self.home.len()).map(members).filter(|m: &Vec<usize>| m.len() > 1).collect()
    }
}

/// What corrections of first order neglect, `E E`, relative to `E`, about, the least of those rounded alike: by column of
/// `e` (`count` rows), which are columns `pending` of the matrix. Others are as good as exact, or nothing is known of them.
fn neglected(e: &[f64], count: usize, pending: &[usize]) -> Vec<f64> {
    let largest = |column: &[f64]| column.iter().fold(0.0, |most, e| f64::max(most, e.abs()));
    let mut of_all = vec![0.0; count];
    pending.iter().zip(e.chunks_exact(count)).for_each(|(&j, column)| of_all[j] = largest(column));
    let relative = |(&j, column): (&usize, &[f64])| {
        let second =
            column.iter().zip(&of_all).fold(0.0, |most, (e, of_all)| f64::max(most, e.abs() * of_all));
        if of_all[j] > 0.0 { second / of_all[j] } else { 0.0 }
    };
    let mut errors: Vec<f64> = pending.iter().zip(e.chunks_exact(count)).map(relative).collect();
    for group in errors.chunks_mut(TOGETHER) {
        let least = group.iter().copied().fold(f64::INFINITY, f64::min);
        group.fill(least);
    }
    errors
}

/// The root of `i` in a forest of links.
fn root(links: &[usize], mut i: usize) -> usize {
    while links[i] != i {
        i = links[i];
    }
    i
}
