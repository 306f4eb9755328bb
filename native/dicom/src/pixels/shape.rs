//! What a codestream says of its image, compared with the header before anything is allocated for it.

use super::stored::CellLayout;
use crate::header::SliceHeader;
use crate::problem::Problem;

/// The image in a codestream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub rows: u32,
    pub columns: u32,
    pub components: u32,
    /// Bits of a sample.
    pub bits: u16,
}

/// Bytes of one compressed frame, what the file's header says of it, and what its cells mean.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub bytes: &'a [u8],
    pub header: &'a SliceHeader,
    pub layout: CellLayout,
}

impl Frame<'_> {
    /// The header of the codestream (`None`: it has none) once it is known to describe the image of the file's header.
    pub fn checked<H>(
        &self,
        codec: &'static str,
        found: Option<H>,
        shape: impl FnOnce(&H) -> Shape,
    ) -> Result<H, Problem> {
        let no_header = || Problem::Codestream { codec, reason: "it has no image header".to_owned() };
        let found = found.ok_or_else(no_header)?;
        shape(&found).check(codec, self.header)?;
        Ok(found)
    }
}

impl Shape {
    /// That it is the image of the header: same size, one component, no more bits than a cell has.
    fn check(self, codec: &'static str, header: &SliceHeader) -> Result<(), Problem> {
        let same_size = self.rows as usize == header.rows && self.columns as usize == header.columns;
        if same_size && self.components == 1 && (1..=header.pixels.bits_allocated).contains(&self.bits) {
            return Ok(());
        }
        let plural = if self.components == 1 { "" } else { "s" };
        Err(Problem::Shape {
            codec,
            found: format!(
                "{} x {} with {} component{plural} of {} bits",
                self.rows, self.columns, self.components, self.bits
            ),
            expected: format!(
                "{} x {} with 1 of at most {}",
                header.rows, header.columns, header.pixels.bits_allocated
            ),
        })
    }
}

/// Reads big-endian numbers from the front of a slice.
pub(super) struct Numbers<'a>(pub &'a [u8]);

impl Numbers<'_> {
    /// The next number of `N` (1, 2 or 4) bytes.
    pub fn next<const N: usize>(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}
