//! One step of the refinement: corrections of first order, and Ritz vectors for clusters.

use super::cluster::rayleigh_ritz;
use super::column::{Column, Residual};
use super::refine::Refinement;
use super::wide::Wide;
use rayon::prelude::*;
use tomobasis_dense::multiply;

/// Corrections above this share of a vector mean that the eigenvalues are too close for first-order corrections.
const LINK: f64 = 1.0 / 64.0;

/// Which columns a step corrects, and which of them it has to treat together.
struct Step {
    /// Column indices.
    pending: Vec<usize>,
    /// `x_i . w_j` for all i and the pending j: n x pending, column-major.
    projected: Vec<f64>,
    /// Per column of the matrix: the cluster that it belongs to.
    home: Vec<usize>,
}

impl<const W: usize> Refinement<'_, W> {
    /// One correction of the pending columns, and of those that prove to be clustered with them.
    pub(super) fn improve(&mut self, pending: Vec<usize>) {
        let n = self.n();
        let step = self.link(pending);
        let corrections = self.corrections(&step);
        let clusters = step.clusters();
        let mut columns: Vec<Column<W>> = step
            .pending
            .par_iter()
            .enumerate()
            .filter_map(|(at, &j)| {
                let mut column = self.refined[j].as_ref()?.0.clone();
                let correction = &corrections[at * n..(at + 1) * n];
                if clusters.iter().any(|members| members.contains(&at)) {
                    column.shift_only(&self.format, correction);
                } else {
                    column.correct(self.g, &self.format, correction);
                    column.lambda =
                        column.lambda.add(Wide::from_f64(step.projected[at * n + j], self.format.lambda));
                }
                Some(column)
            })
            .collect();
        for members in &clusters {
            self.rotate(&step, members, &mut columns);
        }
        let residuals: Vec<Residual> = columns.par_iter().map(|c| c.residual(&self.format)).collect();
        for ((&j, column), residual) in step.pending.iter().zip(columns).zip(residuals) {
            let target = &mut self.approximate[j * n..(j + 1) * n];
            target.iter_mut().zip(column.approximate(&self.format)).for_each(|(a, x)| *a = x);
            self.lambda[j] = column.lambda;
            self.rho[j] = residual.rho;
            self.refined[j] = Some((column, residual));
        }
    }

    /// Draws in the columns that are linked with pending ones, until no new ones turn up.
    fn link(&mut self, mut pending: Vec<usize>) -> Step {
        let n = self.n();
        let mut projected = Vec::new();
        let mut links: Vec<usize> = (0..n).collect();
        let mut done = 0;
        while done < pending.len() {
            self.refine_all(&pending[done..]);
            projected.extend(self.project(&pending[done..]));
            let mut drawn = Vec::new();
            for (at, &j) in pending.iter().enumerate().skip(done) {
                // A decided column is proven to stand alone.
                for i in (0..n).filter(|&i| i != j && self.decided[i].is_none()) {
                    if projected[at * n + i].abs() >= LINK * self.distance(i, j).abs() {
                        let (a, b) = (root(&links, i), root(&links, j));
                        links[a.max(b)] = a.min(b);
                        if !pending.contains(&i) && !drawn.contains(&i) {
                            drawn.push(i);
                        }
                    }
                }
            }
            done = pending.len();
            pending.extend(drawn);
        }
        let home = (0..n).map(|i| root(&links, i)).collect();
        Step { pending, projected, home }
    }

    /// Replaces the columns of a cluster (positions in `step.pending`) by its Ritz vectors and values.
    fn rotate(&self, step: &Step, members: &[usize], columns: &mut [Column<W>]) {
        let n = self.n();
        let entry = |b: usize, a: usize| step.projected[b * n + step.pending[a]];
        let small: Vec<f64> =
            members.iter().flat_map(|&b| members.iter().map(move |&a| entry(b, a))).collect();
        let old: Vec<&Column<W>> = members.iter().map(|&at| &columns[at]).collect();
        let pairs = rayleigh_ritz(&old, &small, &self.format)
            .unwrap_or_else(|| old.iter().map(|c| (c.x.clone(), c.lambda)).collect());
        let rotated: Vec<Column<W>> = members
            .par_iter()
            .zip(pairs)
            .map(|(&at, (x, lambda))| {
                let mut column = columns[at].clone();
                column.replace(self.g, &self.format, x);
                column.lambda = lambda;
                column
            })
            .collect();
        members.iter().zip(rotated).for_each(|(&at, column)| columns[at] = column);
    }

    /// Puts columns into fixed point that are not yet.
    pub(super) fn refine_all(&mut self, columns: &[usize]) {
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
    fn corrections(&self, step: &Step) -> Vec<f64> {
        let n = self.n();
        let mut e = vec![0.0; n * step.pending.len()];
        for (at, &j) in step.pending.iter().enumerate() {
            let column = &mut e[at * n..(at + 1) * n];
            for (i, e) in column.iter_mut().enumerate() {
                if i == j {
                    *e = self.refined[j].as_ref().map_or(0.0, |(_, r)| r.defect / 2.0);
                } else if step.home[i] != step.home[j] {
                    *e = step.projected[at * n + i] / self.distance(j, i);
                }
            }
        }
        multiply(&self.approximate, false, &e, n)
    }
}

impl Step {
    /// The clusters of more than one column, as positions in `pending`.
    fn clusters(&self) -> Vec<Vec<usize>> {
        let members =
            |c: usize| (0..self.pending.len()).filter(|&at| self.home[self.pending[at]] == c).collect();
        (0..self.home.len()).map(members).filter(|m: &Vec<usize>| m.len() > 1).collect()
    }
}

/// The root of `i` in a forest of links.
fn root(links: &[usize], mut i: usize) -> usize {
    while links[i] != i {
        i = links[i];
    }
    i
}
