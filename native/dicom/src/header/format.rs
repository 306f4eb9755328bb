//! How the pixels of a slice are stored, and what they mean.

use serde::{Deserialize, Serialize};

/// How the pixels of a slice are stored (PS3.3 C.7.6.3.1): one sample, in the low bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelFormat {
    /// Bits Allocated: 8 or 16.
    pub bits_allocated: u16,
    /// Bits Stored: 1 to Bits Allocated. High Bit is one less.
    pub bits_stored: u16,
    /// Pixel Representation is 1: two's complement.
    pub signed: bool,
    /// Photometric Interpretation: MONOCHROME1 or MONOCHROME2.
    pub photometric: String,
}

/// Order of the bytes of uncompressed pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ByteOrder {
    /// Low byte first, and pixels of one byte in their order.
    Little,
    /// High byte first.
    Big,
    /// Pixels of one byte written as big-endian words (OW): swapped in pairs.
    SwappedPairs,
}

/// What the header says of Rescale Slope and Rescale Intercept (PS3.3 C.11.1.1.2), as the `f64` nearest to the decimal strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rescale {
    /// Rescale Slope.
    pub slope: Option<f64>,
    /// Rescale Intercept.
    pub intercept: Option<f64>,
}

impl Rescale {
    /// Slope and intercept; one that is absent leaves values as they are.
    pub fn values(self) -> (f64, f64) {
        (self.slope.unwrap_or(1.0), self.intercept.unwrap_or(0.0))
    }
}

impl PixelFormat {
    /// Values reach beyond `i16`.
    pub(crate) fn is_full_unsigned(&self) -> bool {
        !self.signed && self.bits_stored == 16
    }
}
