//! Where the data set of a file begins and how it is encoded (PS3.10 section 7.1).
//!
//! Lenient on purpose. Files are found without the preamble, without the meta group, with values in it that
//! are longer than allowed, with a group length that is wrong, or with a meta group that names another VR
//! encoding than the data set has. So the group length is ignored, the meta group ends where its elements
//! end, and the first element of the data set has the last word on explicit or implicit.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use super::elements::{Elements, Stop, is_vr};
use super::joined::mark_behind_blanks;
use super::known::{Known, Need};
use super::values::text;
use crate::syntax::{self, EXPLICIT_BIG, EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE};

/// A file that begins with blanks is looked for within this many bytes.
const DISPLACED: u64 = 4096;

/// The beginning of a file.
#[derive(Debug, PartialEq)]
pub(crate) enum Start {
    /// No DICOM file.
    NotDicom,
    /// A DICOM file whose mark is not where it should be, with nothing but blanks before.
    Displaced { mark: usize },
    /// A directory of files, no image (PS3.3 annex F).
    Dicomdir,
    /// A data set that has to be inflated first: everything from `offset` on.
    Deflated { offset: u64, syntax: String, media_class: Option<String> },
    /// A data set.
    DataSet(DataSet),
}

/// Where and how a data set is written.
#[derive(Debug, PartialEq)]
pub(crate) struct DataSet {
    /// Offset of its first element.
    pub offset: u64,
    /// How its elements are written.
    pub encoding: Encoding,
    /// Transfer Syntax UID: what the meta group says, else what the encoding found amounts to.
    pub syntax: String,
    /// Media Storage SOP Class UID of the meta group.
    pub media_class: Option<String>,
    /// The file begins with the DICM mark or a meta group.
    pub marked: bool,
}

/// Reads the beginning of a file of which parts are known.
pub(crate) fn read_start(known: Known<'_>, file_length: u64) -> Result<Start, Stop> {
    let first = Need { start: 0, end: file_length.min(132) };
    let head = known.get(first).ok_or(Stop::Need(first))?;
    let mark = [132, 4].into_iter().find(|&end| head.get(end - 4..end) == Some(b"DICM".as_slice()));
    match after_mark(known, file_length, mark) {
        // Without the mark this is no truncated DICOM file, but some other file.
        Err(Stop::Truncated(_)) | Ok(Start::NotDicom) if mark.is_none() => {
            let first = Need { start: 0, end: file_length.min(DISPLACED) };
            let head = known.get(first).ok_or(Stop::Need(first))?;
            Ok(mark_behind_blanks(head).map_or(Start::NotDicom, |mark| Start::Displaced { mark }))
        }
        other => other,
    }
}

fn after_mark(known: Known<'_>, file_length: u64, mark: Option<usize>) -> Result<Start, Stop> {
    let mut elements = Elements::new(known, file_length, mark.unwrap_or(0) as u64, EXPLICIT_LITTLE);
    let (mut syntax, mut media_class, mut meta) = (None, None, false);
    while let Some(element) = elements.peek()? {
        match element.tag {
            Tag(group, _) if group != 0x0002 => break,
            tags::TRANSFER_SYNTAX_UID => syntax = Some(text(elements.value(&element)?)),
            tags::MEDIA_STORAGE_SOP_CLASS_UID => media_class = Some(text(elements.value(&element)?)),
            _ => (),
        }
        elements.skip(&element)?;
        meta = true;
    }
    if media_class.as_deref() == Some(uids::MEDIA_STORAGE_DIRECTORY_STORAGE) {
        return Ok(Start::Dicomdir);
    }
    let syntax = syntax.filter(|uid| !uid.is_empty());
    let offset = elements.position;
    if let Some(uid) = &syntax
        && syntax::find(uid).is_some_and(|known| known.is_deflated())
    {
        return Ok(Start::Deflated { offset, syntax: uid.clone(), media_class });
    }
    if file_length - offset < 8 {
        return Err(Stop::Truncated(None));
    }
    let need = Need { start: offset, end: offset + 8 };
    let first = known.get(need).ok_or(Stop::Need(need))?;
    let marked = mark.is_some() || meta;
    let Some(encoding) = encoding_of(first, marked, file_length - offset - 8) else {
        return Ok(Start::NotDicom);
    };
    if first.starts_with(b"\x04\0") {
        return Ok(Start::Dicomdir);
    }
    // Big-endian numbers mean big-endian pixels, whatever the meta group says.
    let syntax =
        syntax.filter(|_| !encoding.big_endian).unwrap_or_else(|| default_syntax(encoding).to_owned());
    Ok(Start::DataSet(DataSet { offset, encoding, syntax, media_class, marked }))
}

/// The encoding of a data set by the 8 bytes of its first element. An unmarked file must begin as data
/// sets do: with a group-8 element of a plausible length.
fn encoding_of(first: &[u8], marked: bool, remaining: u64) -> Option<Encoding> {
    let [g0, g1, e0, e1, v0, v1, l0, l1] = *first else { return None };
    let explicit = is_vr([v0, v1]);
    // Groups of a data set's first element are small, so the zero byte tells the byte order.
    let encoding = match (g0, explicit) {
        (0, true) => EXPLICIT_BIG,
        (_, true) => EXPLICIT_LITTLE,
        (_, false) => IMPLICIT_LITTLE,
    };
    if marked {
        return Some(encoding);
    }
    let little = Tag(u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]));
    let tag = if encoding.big_endian { Tag(little.0.swap_bytes(), little.1.swap_bytes()) } else { little };
    let plausible_length = explicit || u64::from(u32::from_le_bytes([v0, v1, l0, l1])) <= remaining;
    (tag.group() == 0x0008 && tag.element() <= 0x0100 && plausible_length).then_some(encoding)
}

fn default_syntax(encoding: Encoding) -> &'static str {
    match encoding {
        EXPLICIT_BIG => "1.2.840.10008.1.2.2",
        Encoding { explicit: true, .. } => uids::EXPLICIT_VR_LITTLE_ENDIAN,
        _ => uids::IMPLICIT_VR_LITTLE_ENDIAN,
    }
}
