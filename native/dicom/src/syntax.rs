//! Transfer syntaxes (PS3.5 annex A; PS3.6 table A-1): how the data set and the pixels are encoded, and which
//! decoder reads them.

/// How the elements of a data set are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// The value representation is written with each element.
    pub explicit: bool,
    /// Numbers are big-endian (Explicit VR Big Endian only).
    pub big_endian: bool,
}

pub(crate) const IMPLICIT_LITTLE: Encoding = Encoding { explicit: false, big_endian: false };
pub(crate) const EXPLICIT_LITTLE: Encoding = Encoding { explicit: true, big_endian: false };
pub(crate) const EXPLICIT_BIG: Encoding = Encoding { explicit: true, big_endian: true };

/// What a transfer syntax UID stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferSyntax {
    /// The UID.
    pub uid: &'static str,
    /// The name in the standard, without the remarks "default transfer syntax for ..." and "retired".
    pub name: &'static str,
    class: Class,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Uncompressed pixels.
    Native,
    /// The same; the data set after the meta group is one deflate stream.
    Deflated,
    /// Pixels in encapsulated frames, read by this decoder.
    Encapsulated(Codec),
    /// Known to the standard, not read here.
    Unread,
    /// The same, with a deflated data set.
    UnreadDeflated,
}

/// What reads the pixels of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Uncompressed, as the value of the pixel data element.
    Native,
    /// Uncompressed, in one encapsulated frame per slice.
    NativeFrame,
    /// Uncompressed and deflated, frame by frame.
    DeflatedFrame,
    Rle,
    Jpeg,
    JpegLs,
    Jpeg2000,
}

impl TransferSyntax {
    /// The data set after the meta group is one deflate stream.
    pub(crate) fn is_deflated(self) -> bool {
        matches!(self.class, Class::Deflated | Class::UnreadDeflated)
    }

    /// Pixels lie in the file as they are.
    pub(crate) fn is_plain(self) -> bool {
        self.class == Class::Native
    }

    /// The decoder of its pixels; `None` when there is none here.
    pub(crate) fn codec(self) -> Option<Codec> {
        match self.class {
            Class::Native | Class::Deflated => Some(Codec::Native),
            Class::Encapsulated(codec) => Some(codec),
            Class::Unread | Class::UnreadDeflated => None,
        }
    }
}

/// The syntax of a UID; `None` for private and unknown ones.
pub fn find(uid: &str) -> Option<TransferSyntax> {
    TABLE.iter().find(|syntax| syntax.uid == uid).copied()
}

/// The decoder that [`crate::decode`] has for this syntax.
pub(crate) fn codec(uid: &str) -> Option<Codec> {
    find(uid)?.codec()
}

/// Whether [`crate::decode`] reads pixels of this syntax.
pub fn pixels_are_read(uid: &str) -> bool {
    codec(uid).is_some()
}

/// Whether pixels of this syntax may have lost something: it is lossy, or has a lossless twin of its own.
pub(crate) fn may_lose(uid: &str) -> bool {
    let jpeg = uid.strip_prefix("1.2.840.10008.1.2.4.");
    jpeg.is_some_and(|last| ["50", "51", "53", "55", "81", "91", "203"].contains(&last))
}

/// Name and UID for messages: `JPEG 2000 Image Compression (1.2.840.10008.1.2.4.91)`. A private UID may lead to a patient, as may
/// whatever stands in its place.
pub fn describe(uid: &str) -> String {
    match find(uid) {
        Some(syntax) => format!("{} ({})", syntax.name, syntax.uid),
        None => "private or unknown transfer syntax".to_owned(),
    }
}

const fn row(uid: &'static str, name: &'static str, class: Class) -> TransferSyntax {
    TransferSyntax { uid, name, class }
}

use Class::{Deflated, Encapsulated, Native, Unread, UnreadDeflated};
use Codec::{DeflatedFrame, Jpeg, Jpeg2000, JpegLs, NativeFrame, Rle};
#[rustfmt::skip]
const TABLE: &[TransferSyntax] = &[
    row("1.2.840.10008.1.2", "Implicit VR Little Endian", Native),
    row("1.2.840.10008.1.2.1", "Explicit VR Little Endian", Native),
    row("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian", Encapsulated(NativeFrame)),
    row("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", Deflated),
    row("1.2.840.10008.1.2.2", "Explicit VR Big Endian", Native),
    row("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", Encapsulated(Jpeg)),
    row("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", Encapsulated(Jpeg)),
    row("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", Encapsulated(Jpeg)),
    row("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", Encapsulated(Jpeg)),
    row("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", Encapsulated(Jpeg)),
    row("1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction", Encapsulated(Jpeg)),
    row("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless Image Compression", Encapsulated(JpegLs)),
    row("1.2.840.10008.1.2.4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", Encapsulated(JpegLs)),
    row("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)", Encapsulated(Jpeg2000)),
    row("1.2.840.10008.1.2.4.91", "JPEG 2000 Image Compression", Encapsulated(Jpeg2000)),
    row("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)", Unread),
    row("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component Image Compression", Unread),
    row("1.2.840.10008.1.2.4.94", "JPIP Referenced", Unread),
    row("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", UnreadDeflated),
    row("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", Unread),
    row("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", Unread),
    row("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", Unread),
    row("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", Unread),
    row("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", Unread),
    row("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", Unread),
    row("1.2.840.10008.1.2.4.112", "JPEG XL", Unread),
    row("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", Encapsulated(Jpeg2000)),
    row("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", Encapsulated(Jpeg2000)),
    row("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", Encapsulated(Jpeg2000)),
    row("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Unread),
    row("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", UnreadDeflated),
    row("1.2.840.10008.1.2.5", "RLE Lossless", Encapsulated(Rle)),
    row("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", Encapsulated(DeflatedFrame)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_is_described_by_name_and_uid() {
        assert_eq!(
            describe("1.2.840.10008.1.2.4.70"),
            "JPEG Lossless, Non-Hierarchical, First-Order Prediction (1.2.840.10008.1.2.4.70)"
        );
        assert_eq!(describe("1.2.3.19470811"), "private or unknown transfer syntax");
    }
}
