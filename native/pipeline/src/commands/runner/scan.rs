//! A series in memory, and its row blocks.

use rayon::prelude::*;
use tomobasis_dicom::{SeriesPlan, SliceRecord};

use crate::{
    input::{
        files::ScanFiles,
        layout::{BlockValues, block_count, block_rows, first_row, image_pixels},
        matrix::Values,
    },
    need::Need,
    solve::{digest::Digest, padding_counts::pixels_digest},
};

/// A series in memory.
pub(crate) struct Scan {
    pub plan: SeriesPlan,
    pub records: Vec<SliceRecord>,
    pub(super) files: ScanFiles,
    /// Slice after slice, each in row-major order.
    pub values: Values,
    /// The memory that its decomposition needs.
    pub(super) need: Need,
}

/// What a thread copies row blocks to.
#[derive(Default)]
pub(super) struct BlockBuffer {
    stored: Vec<i16>,
    real: Vec<f64>,
}

impl Scan {
    /// Digest of the stored pixels.
    pub(crate) fn pixels_digest(&self) -> Digest {
        pixels_digest(&self.records)
    }

    /// Sums of the values of each slice, as the matrix has them before the rescale.
    pub(crate) fn slice_sums(&self) -> Vec<i128> {
        fn of<T: Copy + Into<i128>>(values: &[T], pixels: usize) -> Vec<i128> {
            let sum = |slice: &[T]| slice.iter().map(|&value| value.into()).sum();
            values.chunks_exact(pixels).map(sum).collect()
        }
        let pixels = self.plan.pixels();
        match &self.values {
            Values::Stored(values) => of(values, pixels),
            Values::Signed8(values) => of(values, pixels),
            Values::Unsigned8(values) => of(values, pixels),
            Values::Real(_) => Vec::new(),
        }
    }

    pub(crate) fn blocks(&self) -> u32 {
        block_count(image_pixels(&self.plan))
    }

    /// The stored pixels of a scan; none of a matrix of 8 bits or of floats.
    pub(crate) fn stored(&self) -> &[i16] {
        match &self.values {
            Values::Stored(values) => values,
            _ => &[],
        }
    }

    /// Copies a row block of stored pixels, slice-major; returns its rows. Of a matrix of floats there is nothing.
    pub(crate) fn gather(&self, block: u32, values: &mut Vec<i16>) -> usize {
        match &self.values {
            Values::Stored(stored) => self.copy_block(stored, block, values),
            Values::Signed8(stored) => self.copy_block(stored, block, values),
            Values::Unsigned8(stored) => self.copy_block(stored, block, values),
            Values::Real(_) => self.copy_block::<i16, i16>(&[], block, values),
        }
    }

    /// Copies a row block; returns it, and its rows.
    pub(super) fn values_of<'b>(&self, block: u32, buffer: &'b mut BlockBuffer) -> (BlockValues<'b>, usize) {
        match &self.values {
            Values::Stored(_) | Values::Signed8(_) | Values::Unsigned8(_) => {
                let rows = self.gather(block, &mut buffer.stored);
                (BlockValues::Stored(&buffer.stored), rows)
            }
            Values::Real(values) => {
                let rows = self.copy_block(values, block, &mut buffer.real);
                (BlockValues::Real(&buffer.real), rows)
            }
        }
    }

    fn copy_block<T: Copy, U: From<T>>(&self, from: &[T], block: u32, values: &mut Vec<U>) -> usize {
        let size = self.plan.pixels();
        let rows = block_rows(block, size as u64);
        let first = first_row(block) as usize;
        values.clear();
        for slice in from.chunks_exact(size) {
            values.extend(slice[first..first + rows].iter().map(|&value| U::from(value)));
        }
        rows
    }

    /// The same, on the threads of the current pool.
    pub(super) fn gather_parallel(&self, block: u32, values: &mut Vec<i16>) -> usize {
        let size = self.plan.pixels();
        let rows = block_rows(block, size as u64);
        let first = first_row(block) as usize;
        values.resize(rows * self.plan.slices.len(), 0);
        let slices = values.par_chunks_exact_mut(rows).zip(self.stored().par_chunks_exact(size));
        slices.for_each(|(values, slice)| values.copy_from_slice(&slice[first..first + rows]));
        rows
    }
}
