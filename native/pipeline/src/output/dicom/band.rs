//! The stored values of one row block in all composites, for a run of slices: consecutive ones in the order that keeps the slices
//! of a file together.

use std::ops::Range;

use crate::error::{Error, Result};

/// Stored values, less the slices' offsets: `values[(c * count + j) * rows + i]` is row `i` of the slice at place `first + j` in composite
/// `c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Index of the row block.
    pub(super) block: u32,
    /// Place of the run's first slice.
    pub(super) first: usize,
    /// Slices of the run.
    pub(super) count: usize,
    /// Rows of the block.
    pub(super) rows: usize,
    /// Values that were beyond what the slice can store, by composite and slice.
    pub(super) clipped: Vec<u32>,
    pub(super) values: Vec<i16>,
}

impl Band {
    pub(super) fn new(block: u32, first: usize, count: usize, rows: usize, composites: usize) -> Self {
        let clipped = vec![0; composites * count];
        Self { block, first, count, rows, clipped, values: vec![0; composites * count * rows] }
    }

    /// Places of its slices.
    pub(super) fn places(&self) -> Range<usize> {
        self.first..self.first + self.count
    }

    /// The rows of the slice at a place in composite `c`, and its count of clipped values.
    pub(super) fn slice_mut(&mut self, c: usize, place: usize) -> (&mut [i16], &mut u32) {
        let index = c * self.count + place - self.first;
        (&mut self.values[index * self.rows..(index + 1) * self.rows], &mut self.clipped[index])
    }

    /// The same, to read.
    pub(super) fn slice(&self, c: usize, place: usize) -> (&[i16], u32) {
        let index = c * self.count + place - self.first;
        (&self.values[index * self.rows..(index + 1) * self.rows], self.clipped[index])
    }

    /// Five numbers of 32 bits (block, first, count, rows, composites), the counts, the values; little-endian.
    ///
    /// # Errors
    /// [`Error::Internal`] for more slices or rows than 32 bits hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let large = || Error::Internal("the band is too large".to_owned());
        let composites = self.clipped.len() / self.count.max(1);
        let mut bytes = self.block.to_le_bytes().to_vec();
        for number in [self.first, self.count, self.rows, composites] {
            bytes.extend(u32::try_from(number).map_err(|_| large())?.to_le_bytes());
        }
        bytes.extend_from_slice(bytemuck::cast_slice(&self.clipped));
        bytes.extend_from_slice(bytemuck::cast_slice(&self.values));
        Ok(bytes)
    }

    /// The inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`Error::Protocol`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let read = || {
            let (head, rest) = bytes.split_first_chunk::<20>()?;
            let [block, first, count, rows, composites] = [0, 4, 8, 12, 16]
                .map(|at| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
            let (first, count, rows) = (first as usize, count as usize, rows as usize);
            let slices = count.checked_mul(composites as usize)?;
            let (clipped, values) = rest.split_at_checked(slices.checked_mul(4)?)?;
            if values.len() != slices.checked_mul(rows)?.checked_mul(2)? {
                return None;
            }
            let clipped = clipped.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
            let values = values.as_chunks::<2>().0.iter().map(|&word| i16::from_le_bytes(word)).collect();
            Some(Self { block, first, count, rows, clipped, values })
        };
        read().ok_or_else(|| Error::Protocol(format!("{} bytes are no band of composites", bytes.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_survives_its_bytes_and_other_bytes_are_refused() {
        let mut band = Band::new(3, 5, 2, 4, 3);
        let (values, clipped) = band.slice_mut(2, 6);
        values.copy_from_slice(&[-1, 2, -32768, 32767]);
        *clipped = 7;
        let bytes = band.to_bytes().unwrap();
        let read = Band::from_bytes(&bytes).unwrap();
        assert_eq!(read, band);
        assert_eq!(read.slice(2, 6), ([-1, 2, -32768, 32767].as_slice(), 7));
        assert_eq!(read.slice(0, 5), ([0; 4].as_slice(), 0));
        for cut in [0, 19, 20, bytes.len() - 1] {
            assert!(Band::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
    }
}
