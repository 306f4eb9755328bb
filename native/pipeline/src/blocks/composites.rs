//! Composites of a row block, rounded to stored values.

use std::{ops::Range, sync::Arc};

use tomobasis_linalg::column_major;

use super::block_factors::BlockFactors;
use crate::{
    error::Result,
    output::dicom::{Band, Composites},
    solve::Decomposition,
};

/// Rows whose composites exist as floating-point numbers at a time: a whole but odd number of cache lines, so that the columns
/// that are written side by side do not share the cache's sets.
pub(crate) const ROWS: usize = 1000;

/// Renders composites of row blocks, where nothing else is wanted of the blocks; shared by all threads.
pub struct CompositeRenderer {
    composites: Composites,
    factors: BlockFactors,
}

/// Buffers that a thread keeps from block to block.
#[derive(Default)]
pub struct CompositeScratch {
    t: Vec<f64>,
    values: Vec<f64>,
}

/// One band for each run of slices in the order of the bands; `starts` are the runs' first places, ascending from 0. `t` and the
/// means of the block's `rows` are what `factors` gives; `buffer` is overwritten.
///
/// # Errors
/// [`Error::Protocol`](crate::Error::Protocol) when the runs are not of these slices.
pub(crate) fn bands(
    composites: &Composites,
    factors: &BlockFactors,
    (block, rows): (u32, usize),
    (t, means): (&[f64], &[f64]),
    starts: &[usize],
    buffer: &mut Vec<f64>,
) -> Result<Vec<Band>> {
    if composites.is_empty() {
        return Ok(Vec::new());
    }
    let mut bands = composites.empty_bands(block, rows, starts)?;
    let k = factors.rank();
    for first in (0..rows).step_by(ROWS) {
        let part = first..rows.min(first + ROWS);
        let t = t.get(part.start * k..part.end * k).unwrap_or_default();
        let means = means.get(part.clone()).unwrap_or_default();
        factors.composites((t, means), part.len(), composites.ranks(), composites.order(), buffer)?;
        composites.store(buffer, &part, &mut bands);
    }
    Ok(bands)
}

impl CompositeRenderer {
    /// Prepares for some composites, by their place in the list. No more columns are computed than they need.
    ///
    /// # Errors
    /// What the linear algebra refuses.
    pub fn new(decomposition: Arc<Decomposition>, which: Range<usize>) -> Result<Self> {
        let composites = Composites::new(decomposition.clone(), which);
        let factors =
            BlockFactors::new(decomposition, composites.ranks().last().copied().unwrap_or_default())?;
        Ok(Self { composites, factors })
    }

    /// The composites that it renders.
    #[must_use]
    pub fn composites(&self) -> &Composites {
        &self.composites
    }

    /// Renders block `block`, whose `values` are its `rows` stored pixels of each slice, slice-major; `starts` as for
    /// [`BlockRenderer::render`](super::BlockRenderer::render).
    ///
    /// # Errors
    /// [`Error::Protocol`](crate::Error::Protocol) when the block is not of this series or the runs are not of its slices.
    pub fn render(
        &self,
        scratch: &mut CompositeScratch,
        block: u32,
        values: &[i16],
        rows: usize,
        starts: &[usize],
    ) -> Result<Vec<Band>> {
        let decomposition = self.composites.decomposition();
        decomposition.check_block(block, rows)?;
        let input = column_major(values, rows, decomposition.columns())?;
        self.factors.project(block, input, &mut scratch.t)?;
        let means = self.factors.row_means(block, input)?;
        let parts = (scratch.t.as_slice(), means.as_slice());
        bands(&self.composites, &self.factors, (block, rows), parts, starts, &mut scratch.values)
    }
}
