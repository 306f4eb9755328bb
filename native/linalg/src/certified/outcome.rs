//! The end of the refinement: what is decided, in order and with canonical signs; what is not, by name.

use super::cluster::canonical;
use super::column::Column;
use super::refine::{Decided, Refinement, Survey};
use super::wide::Wide;
use super::{Bounds, COMPENSATE, CertifiedSvd, decide};
use crate::Error;

impl<const W: usize> Refinement<'_, W> {
    /// Columns that are not decided get the canonical basis of their space, by name.
    pub fn finish(mut self) -> Result<CertifiedSvd, Error> {
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

/// What makes the entry of largest magnitude (lowest index on ties) positive.
fn canonical_sign(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0f64, |l, &x| if x.abs() > l.abs() { x } else { l });
    if largest < 0.0 { -1.0 } else { 1.0 }
}
