//! Transfer syntaxes (PS3.5 annex A; PS3.6 table A-1): how the data set and the pixels are encoded.

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
    /// Little-endian data set, uncompressed pixels.
    Native { explicit: bool },
    /// As Explicit VR Little Endian in every respect but the byte order.
    BigEndian,
    /// The whole data set is one deflate stream.
    Deflated,
    /// Explicit VR Little Endian with the pixels in encapsulated frames.
    Encapsulated,
}

impl TransferSyntax {
    /// The encoding of the data set; `None` when it must be inflated first.
    pub(crate) fn encoding(self) -> Option<Encoding> {
        match self.class {
            Class::Native { explicit: false } => Some(IMPLICIT_LITTLE),
            Class::Native { explicit: true } | Class::Encapsulated => Some(EXPLICIT_LITTLE),
            Class::BigEndian => Some(EXPLICIT_BIG),
            Class::Deflated => None,
        }
    }
}

/// The syntax of a UID; `None` for private and unknown ones.
pub fn find(uid: &str) -> Option<TransferSyntax> {
    TABLE.iter().find(|syntax| syntax.uid == uid).copied()
}

/// Whether [`crate::decode`] reads pixels of this syntax.
pub fn pixels_are_read(uid: &str) -> bool {
    find(uid).is_some_and(|syntax| matches!(syntax.class, Class::Native { .. }))
}

/// Name and UID for messages: `JPEG 2000 Image Compression (1.2.840.10008.1.2.4.91)`.
pub fn describe(uid: &str) -> String {
    let name = find(uid).map_or("private or unknown transfer syntax", |syntax| syntax.name);
    let shown: String = uid.chars().filter(|c| c.is_ascii_digit() || *c == '.').take(64).collect();
    format!("{name} ({shown})")
}

const fn row(uid: &'static str, name: &'static str, class: Class) -> TransferSyntax {
    TransferSyntax { uid, name, class }
}

use Class::{BigEndian, Deflated, Encapsulated, Native};
#[rustfmt::skip]
const TABLE: &[TransferSyntax] = &[
    row("1.2.840.10008.1.2", "Implicit VR Little Endian", Native { explicit: false }),
    row("1.2.840.10008.1.2.1", "Explicit VR Little Endian", Native { explicit: true }),
    row("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian", Encapsulated),
    row("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", Deflated),
    row("1.2.840.10008.1.2.2", "Explicit VR Big Endian", BigEndian),
    row("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", Encapsulated),
    row("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", Encapsulated),
    row("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", Encapsulated),
    row("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", Encapsulated),
    row("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", Encapsulated),
    row("1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction", Encapsulated),
    row("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless Image Compression", Encapsulated),
    row("1.2.840.10008.1.2.4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", Encapsulated),
    row("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)", Encapsulated),
    row("1.2.840.10008.1.2.4.91", "JPEG 2000 Image Compression", Encapsulated),
    row("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)", Encapsulated),
    row("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component Image Compression", Encapsulated),
    row("1.2.840.10008.1.2.4.94", "JPIP Referenced", Encapsulated),
    row("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", Deflated),
    row("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", Encapsulated),
    row("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", Encapsulated),
    row("1.2.840.10008.1.2.4.112", "JPEG XL", Encapsulated),
    row("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", Encapsulated),
    row("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", Encapsulated),
    row("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", Encapsulated),
    row("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Encapsulated),
    row("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", Deflated),
    row("1.2.840.10008.1.2.5", "RLE Lossless", Encapsulated),
    row("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", Encapsulated),
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
        assert_eq!(describe("1.2.3\u{1b}[31m"), "private or unknown transfer syntax (1.2.331)");
    }
}
