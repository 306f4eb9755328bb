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
    loss: Loss,
}

/// Whether pixels may have lost something, and by which compression: the defined term of Lossy Image Compression Method (PS3.3
/// C.7.6.1.1.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// No compression that could lose anything.
    None,
    /// The syntax promises that nothing is lost. A codestream may break the promise.
    Promised(&'static str),
    /// The syntax is lossy, or has a lossless twin of its own.
    Possible(&'static str),
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
    find(uid).is_some_and(|syntax| matches!(syntax.loss, Loss::Possible(_)))
}

/// The Lossy Image Compression Method of pixels of this syntax that lost something; `None` where the syntax has none.
pub(crate) fn loss_method(uid: &str) -> Option<&'static str> {
    match find(uid)?.loss {
        Loss::None => None,
        Loss::Promised(method) | Loss::Possible(method) => Some(method),
    }
}

/// Name and UID for messages. A private UID may lead to a patient, as may whatever stands in its place.
///
/// ```
/// use tomobasis_dicom::syntax::{describe, pixels_are_read};
/// assert_eq!(describe("1.2.840.10008.1.2.5"), "RLE Lossless (1.2.840.10008.1.2.5)");
/// assert!(pixels_are_read("1.2.840.10008.1.2.5") && !pixels_are_read("1.2.840.10008.1.2.4.112"));
/// ```
pub fn describe(uid: &str) -> String {
    match find(uid) {
        Some(syntax) => format!("{} ({})", syntax.name, syntax.uid),
        None => "private or unknown transfer syntax".to_owned(),
    }
}

const fn row(uid: &'static str, name: &'static str, class: Class, loss: Loss) -> TransferSyntax {
    TransferSyntax { uid, name, class, loss }
}

const JPEG: &str = "ISO_10918_1";
const JPEG_LS: &str = "ISO_14495_1";
const JPEG_2000: &str = "ISO_15444_1";
const HTJ2K: &str = "ISO_15444_15";

use Class::{Deflated, Encapsulated, Native, Unread, UnreadDeflated};
use Codec::{DeflatedFrame, Jpeg, Jpeg2000, JpegLs, NativeFrame, Rle};
use Loss::{Possible, Promised};
#[rustfmt::skip]
const TABLE: &[TransferSyntax] = &[
    row("1.2.840.10008.1.2", "Implicit VR Little Endian", Native, Loss::None),
    row("1.2.840.10008.1.2.1", "Explicit VR Little Endian", Native, Loss::None),
    row("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian", Encapsulated(NativeFrame), Loss::None),
    row("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", Deflated, Loss::None),
    row("1.2.840.10008.1.2.2", "Explicit VR Big Endian", Native, Loss::None),
    row("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", Encapsulated(Jpeg), Possible(JPEG)),
    row("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", Encapsulated(Jpeg), Possible(JPEG)),
    row("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", Encapsulated(Jpeg), Possible(JPEG)),
    row("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", Encapsulated(Jpeg), Possible(JPEG)),
    row("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", Encapsulated(Jpeg), Promised(JPEG)),
    row("1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction", Encapsulated(Jpeg), Promised(JPEG)),
    row("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless Image Compression", Encapsulated(JpegLs), Promised(JPEG_LS)),
    row("1.2.840.10008.1.2.4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", Encapsulated(JpegLs), Possible(JPEG_LS)),
    row("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)", Encapsulated(Jpeg2000), Promised(JPEG_2000)),
    row("1.2.840.10008.1.2.4.91", "JPEG 2000 Image Compression", Encapsulated(Jpeg2000), Possible(JPEG_2000)),
    row("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component Image Compression", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.94", "JPIP Referenced", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", UnreadDeflated, Loss::None),
    row("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.112", "JPEG XL", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", Encapsulated(Jpeg2000), Promised(HTJ2K)),
    row("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", Encapsulated(Jpeg2000), Promised(HTJ2K)),
    row("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", Encapsulated(Jpeg2000), Possible(HTJ2K)),
    row("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Unread, Loss::None),
    row("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", UnreadDeflated, Loss::None),
    row("1.2.840.10008.1.2.5", "RLE Lossless", Encapsulated(Rle), Loss::None),
    row("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", Encapsulated(DeflatedFrame), Loss::None),
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

    #[test]
    fn what_may_be_lost_is_in_the_row_of_the_syntax() {
        // PS3.5 A.4.1 to A.4.5; PS3.3 C.7.6.1.1.5.1.
        let jpeg = |last: &str| format!("1.2.840.10008.1.2.4.{last}");
        for (last, loses, method) in [
            ("50", true, "ISO_10918_1"),
            ("51", true, "ISO_10918_1"),
            ("57", false, "ISO_10918_1"),
            ("70", false, "ISO_10918_1"),
            ("80", false, "ISO_14495_1"),
            ("81", true, "ISO_14495_1"),
            ("90", false, "ISO_15444_1"),
            ("91", true, "ISO_15444_1"),
            ("201", false, "ISO_15444_15"),
            ("203", true, "ISO_15444_15"),
        ] {
            assert_eq!((may_lose(&jpeg(last)), loss_method(&jpeg(last))), (loses, Some(method)), "{last}");
        }
        for other in ["1.2.840.10008.1.2", "1.2.840.10008.1.2.5", "1.2.3.4.50"] {
            assert_eq!((may_lose(other), loss_method(other)), (false, None), "{other}");
        }
    }
}
