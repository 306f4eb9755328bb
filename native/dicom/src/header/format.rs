//! How the pixels of a slice are stored.

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

impl PixelFormat {
    /// Values reach beyond `i16`.
    pub(crate) fn is_full_unsigned(&self) -> bool {
        !self.signed && self.bits_stored == 16
    }
}
