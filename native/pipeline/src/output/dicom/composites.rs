//! Which composites are written, and how their values are rounded to stored ones.

use std::{ops::Range, sync::Arc};

use tomobasis_dicom::SeriesPlan;

use super::{band::Band, grid::Grid};
use crate::{
    error::{Error, Result},
    solve::decomposition::Decomposition,
};

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
