//! What decoding a slice finds besides its pixels: what is told of it, and what the result needs to know of it.
//!
//! A decoder never prints: it counts here. The counts of all slices are put into sentences once, by [`notes`](super::notes()), wherever the
//! slices were decoded: in the job they travel with the slices' digests, as the 96 bytes of a [`SliceRecord`].

use super::digest::{Pieces, Secret};
use super::padding::PaddingFound;

/// Digest and findings of one decoded slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRecord {
    /// SHA-256 of the stored pixels as little-endian 32-bit integers.
    pub digest: [u8; 32],
    /// A secret of these pixels.
    pub secret: Secret,
    /// What else was found.
    pub findings: Findings,
}

/// What was found in one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Pixels that hold nothing, and how far the others go.
    pub padding: PaddingFound,
    /// Pixels whose cells carry something in the bits above Bits Stored.
    pub spare_bits: u32,
    /// One bit for each [`Remark`].
    remarks: u32,
}

/// Something odd about how the pixels of a slice are stored, which leaves their values right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The bits above Bits Stored are those in which the header has overlays (PS3.3 C.9.2, retired).
    Overlays,
    /// A codestream that lost something, under a transfer syntax that loses nothing.
    LossyCodestream,
    /// Bytes between the last pixel and the end marker of a JPEG codestream.
    JpegExtraBytes,
    /// A revision of JFIF that does not exist.
    JfifRevision,
    /// Sequential JPEG whose scan header names no coefficients (Ss = Se = 0).
    JpegScanParameters,
    /// Zero bytes between the last pixel and the end marker of a JPEG-LS codestream.
    JpegLsZeros,
    /// The pixel data goes on with other codestreams behind that of a frame.
    MoreImages,
}

impl Remark {
    fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl Findings {
    pub(super) fn remark(&mut self, remark: Remark) {
        self.remarks |= remark.bit();
    }

    /// Whether this was remarked.
    #[must_use]
    pub fn has(&self, remark: Remark) -> bool {
        self.remarks & remark.bit() != 0
    }
}

/// The record of a column that is no slice and comes in pieces, from its first row to its last.
#[derive(Clone, Default)]
pub struct ColumnRecord {
    hashed: Pieces,
    /// Of integers.
    range: Option<(i32, i32)>,
}

impl ColumnRecord {
    /// More integers: `values` plus `offset`.
    pub fn add_values(&mut self, values: &[i16], offset: i32) {
        self.hashed.add_stored(values, offset);
        let (low, high) = self.range.unwrap_or((i32::MAX, i32::MIN));
        let end = |value: &i16| i32::from(*value) + offset;
        let (least, most) = (values.iter().min().map_or(low, end), values.iter().max().map_or(high, end));
        self.range = Some((low.min(least), high.max(most)));
    }

    /// More floats.
    pub fn add_floats(&mut self, values: &[f64]) {
        self.hashed.add_floats(values);
    }

    /// The record of the whole column.
    #[must_use]
    pub fn finish(self) -> SliceRecord {
        let (digest, secret) = self.hashed.finish();
        let padding = self
            .range
            .map_or_else(PaddingFound::default, |range| PaddingFound { range, ..PaddingFound::default() });
        SliceRecord { digest, secret, findings: Findings { padding, ..Findings::default() } }
    }
}

impl SliceRecord {
    /// Of a column of integers that is no slice: `values` plus `offset`, without padding.
    #[must_use]
    pub fn of_values(values: &[i16], offset: i32) -> Self {
        let mut column = ColumnRecord::default();
        column.add_values(values, offset);
        column.finish()
    }

    /// Of a column of floats: the digest is SHA-256 of float64, little-endian.
    #[must_use]
    pub fn of_floats(values: &[f64]) -> Self {
        let mut column = ColumnRecord::default();
        column.add_floats(values);
        column.finish()
    }

    /// Bytes of a record.
    pub const BYTES: usize = 96;

    /// The digest, the secret, then eight numbers of 32 bits, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let Findings { padding, spare_bits, remarks } = self.findings;
        let PaddingFound { declared, corners, corner_value, replaced, range: (low, high) } = padding;
        let [corner_value, low, high] = [corner_value, low, high].map(i32::cast_unsigned);
        let numbers = [declared, corners, corner_value, replaced, low, high, spare_bits, remarks];
        let mut bytes = [0; Self::BYTES];
        let (hashes, rest) = bytes.split_at_mut(64);
        hashes.copy_from_slice([self.digest, self.secret.0].as_flattened());
        rest.copy_from_slice(numbers.map(u32::to_le_bytes).as_flattened());
        bytes
    }

    /// The inverse of [`Self::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk::<32>()?;
        let (secret, rest) = rest.split_first_chunk::<32>()?;
        let (numbers, _) = rest.as_chunks::<4>();
        let numbers: [[u8; 4]; 8] = numbers.try_into().ok()?;
        let [declared, corners, corner_value, replaced, low, high, spare_bits, remarks] =
            numbers.map(u32::from_le_bytes);
        let [corner_value, low, high] = [corner_value, low, high].map(u32::cast_signed);
        let padding = PaddingFound { declared, corners, corner_value, replaced, range: (low, high) };
        Some(Self {
            digest: *digest,
            secret: Secret(*secret),
            findings: Findings { padding, spare_bits, remarks },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_the_way_through_bytes() {
        let padding =
            PaddingFound { declared: 1, corners: 2, corner_value: -3024, replaced: 3, range: (-1024, 65535) };
        let mut findings = Findings { padding, spare_bits: 7, ..Findings::default() };
        findings.remark(Remark::JpegLsZeros);
        let record = SliceRecord { digest: [9; 32], secret: Secret([8; 32]), findings };
        assert_eq!(SliceRecord::from_bytes(&record.to_bytes()), Some(record));
        assert!(findings.has(Remark::JpegLsZeros) && !findings.has(Remark::Overlays));
    }
}
