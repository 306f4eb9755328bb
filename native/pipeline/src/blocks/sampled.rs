//! A row block's samples of the basis vectors, of the scan and of its composites, for the browser in the report.

use ndarray::ArrayView2;
use tomobasis_linalg::Rescale;

use super::block_factors::BlockFactors;
use crate::{
    error::Result,
    output::{
        dicom::Grid,
        report::{
            basis::{self, append_entries},
            volume::{Sampling, append_plane},
        },
    },
    solve::Decomposition,
};

/// Samples of a slice whose composites exist as floating-point numbers at a time.
pub(crate) const ROWS: usize = 256;

/// What is sampled of each row block.
pub(crate) struct Sampled {
    sampling: Sampling,
    /// Of so many basis vectors.
    basis: (Sampling, usize),
    /// The sampled slices, and how their values are rounded.
    slices: Vec<usize>,
    grids: Vec<Grid>,
    /// Numbers of basis vectors of the composites, ascending.
    ranks: Vec<usize>,
}

impl Sampled {
    pub(crate) fn new(decomposition: &Decomposition) -> Self {
        let plan = &decomposition.plan;
        let ranks = decomposition.composites.clone();
        let (shape, size) = ((plan.rows, plan.columns), decomposition.options.report);
        let sampling = Sampling::of(shape, plan.slices.len(), ranks.len(), size);
        let vectors = basis::vectors(decomposition.rank(), plan.slices.len(), size);
        let basis = basis::sampling(shape, vectors, sampling.samples() * (1 + ranks.len()), size);
        let slices: Vec<usize> = sampling.slices().collect();
        let grids = slices.iter().filter_map(|&slice| plan.slices.get(slice)).map(|slice| {
            let rescale = Rescale { slope: slice.slope, intercept: slice.intercept, offset: slice.offset };
            let all = (slice.offset + i32::from(i16::MIN), slice.offset + i32::from(i16::MAX));
            Grid::new(&rescale, all)
        });
        Self { grids: grids.collect(), slices, sampling, basis: (basis, vectors), ranks }
    }

    /// Basis vectors, original and composites.
    pub(crate) fn planes(&self) -> usize {
        2 + self.ranks.len()
    }

    /// Appends a block's samples: `input` are its stored pixels, `u` is its `U` and `scaled` its `U diag(s)`, `means` are those of its rows.
    ///
    /// # Errors
    /// What the linear algebra refuses.
    pub(crate) fn append(
        &self,
        factors: &BlockFactors,
        (block, input): (u32, ArrayView2<'_, i16>),
        (u, scaled, means): (&[f64], &[f64], &[f64]),
        buffer: &mut Vec<f64>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (rows, k) = (self.sampling.rows_of(block), factors.rank());
        let (basis, vectors) = self.basis;
        append_entries(u, k, (&basis.rows_of(block), vectors), out)?;
        let (count, slices) = (rows.len(), self.slices.len());
        let columns = self.slices.iter().map(|&slice| input.column(slice));
        let original: Vec<i16> =
            columns.flat_map(|column| rows.iter().map(move |&row| column[row]).collect::<Vec<_>>()).collect();
        let mut composites = vec![vec![0; count * slices]; self.ranks.len()];
        let (mut t, mut row_means) = (Vec::new(), Vec::new());
        for first in (0..count).step_by(ROWS) {
            let part = rows.get(first..count.min(first + ROWS)).unwrap_or_default();
            t.clear();
            part.iter().for_each(|&row| t.extend_from_slice(&scaled[row * k..(row + 1) * k]));
            row_means.clear();
            row_means.extend(part.iter().filter_map(|&row| means.get(row)));
            factors.composites((&t, &row_means), part.len(), &self.ranks, &self.slices, buffer)?;
            let mut values = buffer.chunks_exact(part.len());
            for composite in &mut composites {
                for ((slice, grid), values) in
                    composite.chunks_exact_mut(count).zip(&self.grids).zip(&mut values)
                {
                    grid.store(values, &mut slice[first..first + part.len()]);
                }
            }
        }
        append_plane(&original, None, count, out)?;
        composites.iter().try_for_each(|composite| append_plane(composite, Some(&original), count, out))
    }
}
