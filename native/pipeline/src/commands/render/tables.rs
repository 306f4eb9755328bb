//! What pictures are drawn from: a result's tables, and the scan where it is given.
//!
//! The digest of the pixels is of stored values. What they mean, slope and intercept, is in no digest of its own; it is in `U`. So each row
//! that is drawn is compared with the tables too: `A V` has to be `U diag(s)`.

use ndarray::{ArrayView2, s};
use tomobasis_linalg::{Projector, column_major, row_means};

use crate::{
    blocks::{
        block_factors::{Means, composites},
        renderer::scale_columns,
    },
    commands::runner::Scan,
    error::{Error, Result},
    input::layout::block_rows,
    options::Method,
    result::{Manifest, ResultFolder},
};

/// Rows whose `A V` is computed at a time.
pub(super) const CHECKED: usize = 256;

/// A result folder with what its pictures are drawn from.
pub(super) struct Tables<'a> {
    pub folder: &'a ResultFolder,
    pub scan: Option<&'a Scan>,
    pub projector: Projector,
    /// What was removed of each slice besides the rows' means.
    pub column_terms: Vec<f64>,
    pub s: &'a [f64],
    pub v: &'a [f64],
}

/// Some rows of a row block.
#[derive(Default)]
pub(super) struct Rows {
    /// How many.
    pub count: usize,
    /// Their basis vectors, count x k.
    pub u: Vec<f64>,
    /// The same times the singular values.
    scaled: Vec<f64>,
    /// Their stored pixels, slice after slice; empty without the scan.
    stored: Vec<i16>,
    /// The means that the method removed from them; none where it removed none.
    means: Vec<f64>,
}

impl Rows {
    /// Some of them, of `k` basis vectors, for their composites: without stored pixels and basis vectors.
    pub(super) fn part(&self, rows: std::ops::Range<usize>, k: usize) -> Self {
        let part = |of: &[f64], each: usize| {
            of.get(rows.start * each..rows.end * each).map(<[f64]>::to_vec).unwrap_or_default()
        };
        let (scaled, means) = (part(&self.scaled, k), part(&self.means, 1));
        Self { count: rows.len(), scaled, means, ..Self::default() }
    }
}

impl Tables<'_> {
    pub(super) fn manifest(&self) -> &Manifest {
        &self.folder.manifest
    }

    /// Reads a row block; of it those rows that `wanted` says, by their number in the block. `values` is a buffer.
    pub(super) fn rows(
        &self,
        block: u32,
        values: &mut Vec<i16>,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Rows> {
        let (n, k) = (self.manifest().result.columns, self.s.len());
        let rows = block_rows(block, self.manifest().result.rows);
        let places: Vec<usize> = (0..rows).filter(|&row| wanted(row)).collect();
        if places.is_empty() {
            return Ok(Rows::default());
        }
        let u = self.folder.read_block(block).map_err(Error::of_damage)?;
        if u.len() != rows * k {
            return Err(Error::of_damage(Error::Differs(format!(
                "row block {block} has not {rows} rows of {k} values"
            ))));
        }
        let mut found = Rows { count: places.len(), ..Rows::default() };
        let all = found.count == rows;
        found.u = match all {
            true => u,
            false => places.iter().flat_map(|row| &u[row * k..(row + 1) * k]).copied().collect(),
        };
        scale_columns(&found.u, self.s, &mut found.scaled);
        if let Some(scan) = self.scan {
            scan.gather(block, values);
            found.stored = match all {
                true => std::mem::take(values),
                false => (0..n)
                    .flat_map(|slice| places.iter().map(move |row| slice * rows + row))
                    .filter_map(|at| values.get(at).copied())
                    .collect(),
            };
            let input = column_major(&found.stored, found.count, n)?;
            found.means = self.row_means(input)?;
            self.check_values(input, &found)?;
        }
        Ok(found)
    }

    /// Values of some slices, in the unit of the series: row `i` of the slice at `j` is at `j * rows.count + i`. None without the
    /// scan.
    pub(super) fn originals(&self, rows: &Rows, slices: &[usize]) -> Result<Vec<f64>> {
        if self.scan.is_none() || rows.count == 0 {
            return Ok(Vec::new());
        }
        let input = column_major(&rows.stored, rows.count, self.manifest().result.columns)?;
        Ok(self.projector.originals(input, slices)?.into_raw_vec_and_offset().0)
    }

    /// Composites of these ranks (ascending): row `i` of the slice at `j` is, for the rank at `c`, at
    /// `(c * slices.len() + j) * rows.count + i` of `out`.
    pub(super) fn composites(
        &self,
        rows: &Rows,
        ranks: &[usize],
        slices: &[usize],
        out: &mut Vec<f64>,
    ) -> Result<()> {
        composites(&self.projector, (&rows.scaled, rows.count), ranks, slices, out)?;
        Means { rows: &rows.means, columns: &self.column_terms }.add_to(out, rows.count, slices);
        Ok(())
    }

    /// Refuses a scan whose values in these rows are not those that were decomposed.
    ///
    /// `T = A V` is computed anew, `U diag(s)` is in the tables. Either is off by rounding: a chain of n operations by `n 2^-53` of the sum of
    /// magnitudes, a QR factorization by a small multiple of `2^-53 s_1`. The bound is 32 times as much.
    fn check_values(&self, input: ArrayView2<'_, i16>, rows: &Rows) -> Result<()> {
        let (n, k) = (input.ncols(), self.s.len());
        let all: Vec<usize> = (0..n).collect();
        let rounding = (n + 16) as f64 * 2_f64.powi(-48);
        // The projector removes the means of the exact method; those of the others are removed here.
        let removed: Vec<f64> = match self.manifest().parameters.method {
            Method::Gram { .. } => vec![0.0; k],
            _ => (0..k).map(|j| self.v.iter().skip(j).step_by(k).sum()).collect(),
        };
        for first in (0..rows.count).step_by(CHECKED) {
            let part = input.slice(s![first..rows.count.min(first + CHECKED), ..]);
            let (t, values) = (self.projector.project(part)?, self.projector.originals(part, &all)?);
            for (i, (t, values)) in t.outer_iter().zip(values.outer_iter()).enumerate() {
                let mean = rows.means.get(first + i).copied().unwrap_or(0.0);
                let size =
                    values.iter().map(|value| value.abs()).sum::<f64>() + self.s.first().unwrap_or(&0.0);
                let expected = rows.scaled.iter().skip((first + i) * k);
                let differs = |((t, removed), expected): ((&f64, &f64), &f64)| {
                    let apart = (t - mean * removed - expected).abs();
                    apart.is_nan() || apart > rounding * size
                };
                if t.iter().zip(&removed).zip(expected).any(differs) {
                    return Err(Error::Input(
                        "its stored pixels are those that were decomposed, but their values are not: slope or intercept is another; \
                         give the same scan"
                            .to_owned(),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The means that the method removed from these rows; none where it removed none.
    fn row_means(&self, input: ArrayView2<'_, i16>) -> Result<Vec<f64>> {
        match self.manifest().parameters.method {
            Method::Gram { .. } => Ok(self.projector.row_means(input)?),
            method if method.center().is_some() => {
                let all: Vec<usize> = (0..input.ncols()).collect();
                Ok(row_means(self.projector.originals(input, &all)?.view()))
            }
            _ => Ok(Vec::new()),
        }
    }
}
