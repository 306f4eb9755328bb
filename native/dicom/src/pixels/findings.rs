//! What decoding a slice finds besides its pixels: what is told of it, and what the result needs to know of it.
//!
//! A decoder never prints: it counts here. The counts of all slices are put into sentences once, by [`notes`], wherever the
//! slices were decoded: in the job they travel with the slices' digests, as the 96 bytes of a [`SliceRecord`].

use super::digest::{Secret, both_of_floats, both_of_stored};
use super::padding::PaddingFound;
use crate::series::{Note, NoteKind, SeriesPlan, share};

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
    /// Those that are told as they are, with their sentences; [`notes`] has the others'.
    const TOLD: [(Self, NoteKind, &'static str); 6] = [
        (
            Self::LossyCodestream,
            NoteKind::Lossy,
            "compressed with loss, though the transfer syntax is a lossless one",
        ),
        (
            Self::JpegExtraBytes,
            NoteKind::Codestream,
            "with extra bytes before the end of the JPEG image (harmless: all pixels are there)",
        ),
        (
            Self::JfifRevision,
            NoteKind::Codestream,
            "with an unknown JFIF revision in the JPEG image (harmless)",
        ),
        (
            Self::JpegScanParameters,
            NoteKind::Codestream,
            "with Ss = Se = 0 in the scan header of a sequential JPEG image (harmless: all coefficients are there)",
        ),
        (
            Self::JpegLsZeros,
            NoteKind::Codestream,
            "with zero bytes before the end of the JPEG-LS image (harmless: all pixels are there)",
        ),
        (
            Self::MoreImages,
            NoteKind::SpareBytes,
            "with more compressed images than the one that Number of Frames says: the others are not used",
        ),
    ];

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

impl SliceRecord {
    /// Of a column of integers that is no slice: `values` plus `offset`, without padding.
    #[must_use]
    pub fn of_values(values: &[i16], offset: i32) -> Self {
        let (digest, secret) = both_of_stored(values, offset);
        let range = |end: Option<&i16>, none: i32| end.map_or(none, |&value| i32::from(value) + offset);
        let range = (range(values.iter().min(), i32::MAX), range(values.iter().max(), i32::MIN));
        let padding = PaddingFound { range, ..PaddingFound::default() };
        Self { digest, secret, findings: Findings { padding, ..Findings::default() } }
    }

    /// Of a column of floats: the digest is SHA-256 of float64, little-endian.
    #[must_use]
    pub fn of_floats(values: &[f64]) -> Self {
        let (digest, secret) = both_of_floats(values);
        Self { digest, secret, findings: Findings::default() }
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

/// What is told of the slices of a plan, once for all of them.
#[must_use]
pub fn notes(plan: &SeriesPlan, records: &[SliceRecord]) -> Vec<Note> {
    let found: Vec<&Findings> = records.iter().map(|record| &record.findings).collect();
    let mut notes = super::padding::notes(plan, &found);
    for overlays in [false, true] {
        let with = found.iter().filter(|one| one.spare_bits > 0 && one.has(Remark::Overlays) == overlays);
        let (slices, pixels) =
            with.fold((0, 0), |(slices, pixels), one| (slices + 1, pixels + u64::from(one.spare_bits)));
        let what = match overlays {
            true => "are overlays, as the header says, and no part of the values",
            false => "are not used; where Bits Stored is wrong, these values are wrong",
        };
        if slices > 0 {
            let text = format!(
                "{} with something in the bits above Bits Stored ({}): these bits {what}",
                share(slices, found.len()),
                counted_pixels(pixels)
            );
            notes.push(Note { kind: NoteKind::SpareBits, text });
        }
    }
    for (remark, kind, text) in Remark::TOLD {
        let slices = found.iter().filter(|one| one.has(remark)).count();
        if slices > 0 {
            notes.push(Note { kind, text: format!("{} {text}", share(slices, found.len())) });
        }
    }
    notes
}

/// `1 pixel`, `5 pixels`.
pub(super) fn counted_pixels(count: u64) -> String {
    format!("{count} pixel{}", if count == 1 { "" } else { "s" })
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
