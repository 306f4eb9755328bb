//! Which composites are written, and how their values are rounded to stored ones.

use std::{ops::Range, sync::Arc};

use tomobasis_dicom::{SeriesPlan, SlicePlan};

use super::band::Band;
use crate::{
    error::{Error, Result},
    solve::decomposition::Decomposition,
};

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
    pub(crate) fn decomposition(&self) -> &Arc<Decomposition> {
        &self.decomposition
    }

    /// The numbers of basis vectors, ascending.
    pub(crate) fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    /// All slices, in the order of the bands.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Bands of a block of `rows` rows, one for each run of slices in the order of [`band_order`], to be filled by [`Self::store`];
    /// `starts` are the runs' first places, ascending from 0.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the runs are not of these slices.
    pub(crate) fn empty_bands(&self, block: u32, rows: usize, starts: &[usize]) -> Result<Vec<Band>> {
        let slices = self.order.len();
        let ends = starts.iter().skip(1).copied().chain([slices]);
        let runs: Vec<Range<usize>> = starts.iter().zip(ends).map(|(&start, end)| start..end).collect();
        if starts.first() != Some(&0) || runs.iter().any(Range::is_empty) {
            return Err(Error::Protocol(format!("these runs are none of {slices} slices")));
        }
        let band = |run: Range<usize>| Band::new(block, run.start, run.len(), rows, self.ranks.len());
        Ok(runs.into_iter().map(band).collect())
    }

    /// Rounds the rows `part` of a block into its bands: `values` are those of all composites, one after the other, each of all slices
    /// in the order of the bands.
    pub(crate) fn store(&self, values: &[f64], part: &Range<usize>, bands: &mut [Band]) {
        let mut columns = values.chunks_exact(part.len().max(1));
        for c in 0..self.ranks.len() {
            for band in bands.iter_mut() {
                for (place, column) in band.places().zip(&mut columns) {
                    let (target, clipped) = band.slice_mut(c, place);
                    *clipped += self.grids[place].store(column, &mut target[part.clone()]);
                }
            }
        }
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
        let (least, greatest) = slice.stored_range();
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
