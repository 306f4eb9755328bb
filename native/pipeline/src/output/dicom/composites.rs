//! Composites of a row block, rounded to stored values.

use std::{ops::Range, sync::Arc};

use tomobasis_dicom::{SeriesPlan, SlicePlan, derived::stored_range};
use tomobasis_linalg::RowBlock;

use super::band::Band;
use crate::{
    blocks::block_factors::BlockFactors,
    error::{Error, Result},
    solve::decomposition::Decomposition,
};

/// Rows whose composites exist as floating-point numbers at a time: a whole but odd number of cache lines, so that the columns
/// that are written side by side do not share the cache's sets.
const ROWS: usize = 1000;

/// 1.5 * 2^52: added to a number below 2^51 and taken off again, it rounds to the nearest integer, ties to even.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Some composites of a decomposition: which, and how their values are stored.
pub struct Composites {
    decomposition: Arc<Decomposition>,
    /// Numbers of basis vectors, ascending.
    ranks: Vec<usize>,
    /// All slices, in the order of the bands.
    order: Vec<usize>,
    /// In the same order.
    grids: Vec<Grid>,
}

/// Renders composites of row blocks, where nothing else is wanted of the blocks; shared by all threads.
pub(crate) struct CompositeRenderer {
    pub composites: Composites,
    factors: BlockFactors,
}

/// Buffers that a thread keeps from block to block.
#[derive(Default)]
pub(crate) struct CompositeScratch {
    t: Vec<f64>,
    values: Vec<f64>,
}

impl Composites {
    /// Those that the decomposition's options ask for, by their place in the list.
    pub(crate) fn new(decomposition: Arc<Decomposition>, which: Range<usize>) -> Self {
        let ranks = decomposition.composites.get(which).unwrap_or_default().to_vec();
        let slices = &decomposition.plan.slices;
        let order = band_order(&decomposition.plan);
        let grids = order.iter().filter_map(|&slice| slices.get(slice)).map(Grid::of).collect();
        Self { ranks, order, grids, decomposition }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// The decomposition whose composites these are.
    pub(super) fn decomposition(&self) -> &Arc<Decomposition> {
        &self.decomposition
    }

    /// The numbers of basis vectors, ascending.
    pub(super) fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    /// One band for each run of slices in the order of [`band_order`]; `starts` are the runs' first places, ascending from 0. `t` and
    /// the means of the block's `rows` are what `factors` gives; `buffer` is overwritten.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the runs are not of these slices.
    pub(crate) fn bands(
        &self,
        factors: &BlockFactors,
        (block, rows): (u32, usize),
        (t, means): (&[f64], &[f64]),
        starts: &[usize],
        buffer: &mut Vec<f64>,
    ) -> Result<Vec<Band>> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let slices = self.order.len();
        let ends = starts.iter().skip(1).copied().chain([slices]);
        let runs: Vec<Range<usize>> = starts.iter().zip(ends).map(|(&start, end)| start..end).collect();
        if starts.first() != Some(&0) || runs.iter().any(Range::is_empty) {
            return Err(Error::Protocol(format!("these runs are none of {slices} slices")));
        }
        let composites = self.ranks.len();
        let band = |run: &Range<usize>| Band::new(block, run.start, run.len(), rows, composites);
        let mut bands: Vec<Band> = runs.iter().map(band).collect();
        let k = factors.rank();
        for first in (0..rows).step_by(ROWS) {
            let part = first..rows.min(first + ROWS);
            let t = t.get(part.start * k..part.end * k).unwrap_or_default();
            let means = means.get(part.clone()).unwrap_or_default();
            factors.composites((t, means), part.len(), &self.ranks, &self.order, buffer)?;
            let mut rendered = buffer.chunks_exact(part.len());
            for c in 0..composites {
                for (band, run) in bands.iter_mut().zip(&runs) {
                    for (place, composite) in run.clone().zip(&mut rendered) {
                        let (target, clipped) = band.slice_mut(c, place);
                        *clipped += self.grids[place].store(composite, &mut target[part.clone()]);
                    }
                }
            }
        }
        Ok(bands)
    }
}

impl CompositeRenderer {
    /// Prepares for some composites, by their place in the list. No more columns are computed than they need.
    ///
    /// # Errors
    /// What the linear algebra refuses.
    pub(crate) fn new(decomposition: Arc<Decomposition>, which: Range<usize>) -> Result<Self> {
        let composites = Composites::new(decomposition.clone(), which);
        let factors = BlockFactors::new(decomposition, composites.ranks.last().copied().unwrap_or_default())?;
        Ok(Self { composites, factors })
    }

    /// Renders block `block`, whose `values` are its `rows` stored pixels of each slice, slice-major; all slices are one run.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the block is not of this series.
    pub(crate) fn render(
        &self,
        scratch: &mut CompositeScratch,
        block: u32,
        values: &[i16],
        rows: usize,
    ) -> Result<Vec<Band>> {
        let decomposition = &self.composites.decomposition;
        decomposition.check_block(block, rows)?;
        let input = RowBlock::new(values, rows, decomposition.columns())?;
        self.factors.project(block, input, &mut scratch.t)?;
        let means = self.factors.row_means(block, input)?;
        let parts = (scratch.t.as_slice(), means.as_slice());
        self.composites.bands(&self.factors, (block, rows), parts, &[0], &mut scratch.values)
    }
}

/// The slices in the order in which bands have them: those of one file, which make one instance, side by side. It is the order
/// of the series where each file is one slice.
pub(super) fn band_order(plan: &SeriesPlan) -> Vec<usize> {
    plan.slices_by_file().concat()
}

/// The values that a slice can store.
#[derive(Clone, Copy, Debug)]
struct Grid {
    slope: f64,
    intercept: f64,
    /// Least and greatest stored value.
    least: f64,
    greatest: f64,
    /// Taken off stored values so that they fit `i16`.
    offset: f64,
}

impl Grid {
    fn of(slice: &SlicePlan) -> Self {
        let (least, greatest) = stored_range(slice);
        Self {
            slope: slice.slope,
            intercept: slice.intercept,
            least: least.into(),
            greatest: greatest.into(),
            offset: slice.offset.into(),
        }
    }

    /// Rounds values to stored ones, ties to even; returns how many were beyond the range and set to its end.
    fn store(&self, values: &[f64], out: &mut [i16]) -> u32 {
        let mut clipped = 0;
        for (&value, out) in values.iter().zip(out) {
            // One step beyond the range rounds to beyond the range, so nothing is changed by not going farther.
            let exact = ((value - self.intercept) / self.slope).clamp(self.least - 1.0, self.greatest + 1.0);
            let rounded = (exact + ROUND) - ROUND;
            let stored = rounded.clamp(self.least, self.greatest);
            clipped += u32::from(stored != rounded);
            *out = (stored - self.offset) as i16;
        }
        clipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_the_grid_ties_to_even_and_clipped_where_it_ends() {
        let grid = Grid { slope: 2.0, intercept: -1024.0, least: 0.0, greatest: 4095.0, offset: 0.0 };
        let mut out = [9; 9];
        let hu = [-1024.0, -1023.0, -1021.0, -1022.5, -1025.0, -1025.1, -9e300, 7167.0, 7167.5];
        let clipped = grid.store(&hu, &mut out);
        assert_eq!(out, [0, 0, 2, 1, 0, 0, 0, 4095, 4095]);
        // -1025 and 7167 are half a step beyond the ends: the first rounds to even 0, the second to 4096.
        assert_eq!(clipped, 4);
    }

    #[test]
    fn the_whole_unsigned_range_fits_with_its_offset() {
        let grid = Grid { slope: 1.0, intercept: 0.0, least: 0.0, greatest: 65535.0, offset: 32768.0 };
        let mut out = [9; 3];
        assert_eq!(grid.store(&[0.2, 65535.4, 32768.0], &mut out), 0);
        assert_eq!(out, [-32768, 32767, 0]);
    }
}
