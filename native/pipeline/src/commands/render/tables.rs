//! What pictures are drawn from: a result's tables, and the scan where it is given.

use ndarray::ArrayView2;
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
            found.means = self.row_means(column_major(&found.stored, found.count, n)?)?;
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
