//! A row block's part of the slices that are measured, and the measures of all blocks' parts put together.
//!
//! Each measure looks at whole slices, which no block has. So the slices that are measured, at most 32, go with the bands of the pictures
//! to whoever draws these: of each the stored values of the original and of every composite, rounded as derived DICOM has them.

use ndarray::ArrayView2;
use tomobasis_denoise::hounsfield_units;
use tomobasis_linalg::Rescale;
use tomobasis_measures::{Of, Stack, measure};

use super::{block_factors::BlockFactors, composites::ROWS};
use crate::{
    error::{Error, Result},
    input::layout::{block_rows, first_row, rescale_of},
    output::{
        dicom::Grid,
        measured::{MeasuresSection, Reference, ReferenceSection, measured_slices},
        pictures::Display,
    },
    solve::Decomposition,
};

/// What is measured of a decomposition.
pub(crate) struct Measured {
    /// The slices, and how their values are rounded.
    slices: Vec<usize>,
    grids: Vec<Grid>,
    /// Of each of them, what makes HU of stored values.
    rescale: Vec<Rescale>,
    /// Numbers of basis vectors of the composites, ascending.
    ranks: Vec<usize>,
    /// Rows and columns of a slice.
    size: (usize, usize),
    /// What `--reference` names.
    reference: Option<Reference>,
}

impl Measured {
    pub(crate) fn new(decomposition: &Decomposition) -> Self {
        let plan = &decomposition.plan;
        let ranks = decomposition.composites.clone();
        let size = (plan.rows, plan.columns);
        let slices = measured_slices(size, plan.slices.len(), ranks.len());
        let all = rescale_of(plan);
        Self {
            grids: slices.iter().filter_map(|&slice| plan.slices.get(slice)).map(Grid::of).collect(),
            rescale: slices.iter().filter_map(|&slice| all.get(slice)).copied().collect(),
            slices,
            ranks,
            size,
            reference: None,
        }
    }

    /// Measures against this reference too.
    pub(crate) fn compare_with(&mut self, reference: Reference) {
        self.reference = Some(reference);
    }

    /// Appends a block's part: `input` are its stored pixels; `t` and `means` are those of its rows.
    ///
    /// # Errors
    /// What the linear algebra refuses.
    pub(crate) fn append(
        &self,
        factors: &BlockFactors,
        input: ArrayView2<'_, i16>,
        (t, means): (&[f64], &[f64]),
        buffer: &mut Vec<f64>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (rows, k) = (input.nrows(), factors.rank());
        let mut planes = vec![0_i16; (1 + self.ranks.len()) * self.slices.len() * rows];
        let mut columns = planes.chunks_exact_mut(rows.max(1));
        for (&slice, column) in self.slices.iter().zip(&mut columns) {
            column.iter_mut().zip(input.column(slice)).for_each(|(out, value)| *out = *value);
        }
        let mut columns: Vec<&mut [i16]> = columns.collect();
        for first in (0..rows).step_by(ROWS) {
            let part = first..rows.min(first + ROWS);
            let t = t.get(part.start * k..part.end * k).unwrap_or_default();
            let means = means.get(part.clone()).unwrap_or_default();
            factors.composites((t, means), part.len(), &self.ranks, &self.slices, buffer)?;
            let values = buffer.chunks_exact(part.len());
            for ((column, values), grid) in columns.iter_mut().zip(values).zip(self.grids.iter().cycle()) {
                grid.store(values, &mut column[part.clone()]);
            }
        }
        out.extend(planes.iter().flat_map(|value| value.to_le_bytes()));
        Ok(())
    }

    /// Bytes of the part of a block.
    fn bytes(&self, rows: usize) -> usize {
        2 * rows * self.slices.len() * (1 + self.ranks.len())
    }

    /// What a block's part is, and what stands before it.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it is none.
    pub(crate) fn split<'a>(&self, block: u32, bytes: &'a [u8]) -> Result<(&'a [u8], &'a [u8])> {
        let rows = block_rows(block, (self.size.0 * self.size.1) as u64);
        let place = bytes.len().checked_sub(self.bytes(rows));
        place.map(|place| bytes.split_at(place)).ok_or_else(foreign)
    }

    /// Measures what all blocks have appended, in any order, each with its index.
    ///
    /// # Errors
    /// [`Error::Protocol`] when parts are missing or not of this decomposition.
    pub(crate) fn measure<'a>(
        &self,
        decomposition: &Decomposition,
        parts: impl IntoIterator<Item = (u32, &'a [u8])>,
    ) -> Result<MeasuresSection> {
        let pixels = self.size.0 * self.size.1;
        let mut stored = vec![vec![0_i16; pixels]; (1 + self.ranks.len()) * self.slices.len()];
        let mut seen = vec![false; decomposition.blocks() as usize];
        for (block, bytes) in parts {
            let (first, rows) = (first_row(block) as usize, block_rows(block, pixels as u64));
            if bytes.len() != self.bytes(rows) {
                return Err(foreign());
            }
            *seen.get_mut(block as usize).ok_or_else(foreign)? = true;
            for (slice, values) in stored.iter_mut().zip(bytes.chunks_exact(2 * rows.max(1))) {
                let values = values.as_chunks::<2>().0.iter().map(|&value| i16::from_le_bytes(value));
                slice.iter_mut().skip(first).zip(values).for_each(|(out, value)| *out = value);
            }
        }
        if !seen.iter().all(|seen| *seen) {
            return Err(foreign());
        }
        let stack = |stored: &[Vec<i16>]| {
            let slices = stored.iter().zip(&self.rescale);
            let slices = slices.map(|(stored, rescale)| hounsfield_units(stored, *rescale)).collect();
            Stack::new(self.size.0, self.size.1, slices).ok_or_else(foreign)
        };
        let mut planes = stored.chunks_exact(self.slices.len().max(1));
        let scan = planes.next().map(stack).ok_or_else(foreign)??;
        let composites = self.ranks.iter().zip(planes).map(|(&k, plane)| Ok((k, stack(plane)?)));
        let composites: Vec<(usize, Stack)> = composites.collect::<Result<_>>()?;
        drop(stored);
        let display = Display::of(decomposition);
        let of = Of {
            scan: &scan,
            composites: &composites,
            reference: self.reference.as_ref().map(|reference| &reference.slices),
            hounsfield: decomposition.plan.rescale_unit == "HU",
            window: [display.low, display.high],
            step: self.rescale.iter().map(|rescale| rescale.slope.abs()).fold(0.0, f64::max),
            series: (decomposition.columns(), decomposition.noise),
        };
        let measures = measure(of).ok_or_else(foreign)?.in_series(&self.slices);
        let reference =
            self.reference.as_ref().map(|reference| ReferenceSection { pixels: reference.pixels });
        Ok(MeasuresSection { slices: self.slices.clone(), reference, measures })
    }
}

fn foreign() -> Error {
    Error::Protocol("these slices are not those of this decomposition that are measured".to_owned())
}
