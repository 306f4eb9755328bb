//! The matrix of a series: a column for each slice, a row for each pixel, rows cut into row blocks.

use serde::{Deserialize, Serialize};
use tomobasis_dicom::{SeriesPlan, SlicePlan};
use tomobasis_linalg::{BLOCK_ROWS, Rescale};

/// What the entries of a matrix are; known once its input is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// Integers of 16 bits, to which a rescale applies.
    Stored,
    /// Floats.
    Real,
}

/// The values of a row block, slice after slice.
#[derive(Clone, Copy, Debug)]
pub enum BlockValues<'a> {
    /// Stored pixels.
    Stored(&'a [i16]),
    /// Floats, of a matrix that is no scan.
    Real(&'a [f64]),
}

impl<'a> From<&'a [i16]> for BlockValues<'a> {
    fn from(values: &'a [i16]) -> Self {
        Self::Stored(values)
    }
}

impl<'a> From<&'a Vec<i16>> for BlockValues<'a> {
    fn from(values: &'a Vec<i16>) -> Self {
        Self::Stored(values)
    }
}

/// Pixels of one slice.
pub(crate) fn image_pixels(plan: &SeriesPlan) -> u64 {
    plan.rows as u64 * plan.columns as u64
}

/// Row blocks of slices of this many pixels.
pub(crate) fn block_count(pixels: u64) -> u32 {
    u32::try_from(pixels.div_ceil(BLOCK_ROWS as u64)).unwrap_or(u32::MAX)
}

/// First row of block `block`.
pub(crate) fn first_row(block: u32) -> u64 {
    u64::from(block) * BLOCK_ROWS as u64
}

/// Rows of block `block` in slices of this many pixels; 0 beyond the end.
pub(crate) fn block_rows(block: u32, pixels: u64) -> usize {
    pixels.saturating_sub(first_row(block)).min(BLOCK_ROWS as u64) as usize
}

/// What turns the stored values of each slice into HU.
pub(crate) fn rescale_of(plan: &SeriesPlan) -> Vec<Rescale> {
    let of =
        |slice: &SlicePlan| Rescale { slope: slice.slope, intercept: slice.intercept, offset: slice.offset };
    plan.slices.iter().map(of).collect()
}
