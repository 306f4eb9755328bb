//! Attributes in the form in which they are written: Explicit VR Little Endian (PS3.5 section 7.1.2).
//!
//! Sequences and items are written with undefined length and delimiters: they then need not be measured before they are
//! written, and so no recursion.

use std::collections::BTreeMap;

use dicom_core::Tag;

use crate::header::{Element, Elements, Known, Stop, Vr, has_long_length};
use crate::syntax::EXPLICIT_LITTLE;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
const UNDEFINED: u32 = u32::MAX;
/// Bytes of a delimiter.
const DELIMITER: usize = 8;

/// The attributes of a data set in ascending order, as a data set must have them.
pub(super) type Attributes = BTreeMap<Tag, Attribute>;

/// VR and value of one attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attribute {
    pub vr: Vr,
    /// Little-endian, of even length; the items of a sequence, without the delimiter after the last.
    pub value: Vec<u8>,
}

impl Attribute {
    /// Any value, padded to even length as its VR asks.
    pub fn new(vr: Vr, mut value: Vec<u8>) -> Self {
        if value.len() % 2 == 1 {
            value.push(padding(vr));
        }
        Attribute { vr, value }
    }

    pub fn text(vr: &Vr, text: &str) -> Self {
        Attribute::new(*vr, text.as_bytes().to_vec())
    }

    /// A code of the DICOM Controlled Terminology (PS3.16 annex D), as a sequence of one item.
    pub fn code(value: &str, meaning: &str) -> Self {
        Attribute::sequence(&[code_item(value, meaning)])
    }

    pub fn sequence(items: &[Attributes]) -> Self {
        let mut sequence = Attribute::new(*b"SQ", Vec::new());
        items.iter().for_each(|item| sequence.push_item(item));
        sequence
    }

    /// Adds an item to a sequence.
    pub fn push_item(&mut self, item: &Attributes) {
        open_item(&mut self.value);
        item.iter().for_each(|(&tag, attribute)| attribute.write(tag, &mut self.value));
        close_item(&mut self.value);
    }

    /// The items of a sequence as it is written here: what was nested stays in its written form.
    pub fn items(&self) -> Result<Vec<Attributes>, Stop> {
        let length = self.value.len();
        let whole = Element { tag: ITEM, vr: Some(self.vr), start: 0, length: u32::try_from(length).ok() };
        let elements = Elements::new(Known::head(&self.value), length as u64, 0, EXPLICIT_LITTLE);
        let mut items = Vec::new();
        elements.children(&whole, |inside, item| {
            let mut attributes = Attributes::new();
            inside.children(item, |inside, element| {
                let mut after = *inside;
                after.skip(element)?;
                let delimiter = if element.length.is_none() { DELIMITER } else { 0 };
                let value = self.value.get(element.start as usize..after.position as usize - delimiter);
                let value = value.unwrap_or_default().to_vec();
                attributes.insert(element.tag, Attribute { vr: element.vr.unwrap_or(*b"UN"), value });
                Ok(())
            })?;
            items.push(attributes);
            Ok(())
        })?;
        Ok(items)
    }

    /// Appends the attribute to a data set.
    pub fn write(&self, tag: Tag, out: &mut Vec<u8>) {
        if &self.vr == b"SQ" {
            open_sequence(tag, out);
            out.extend(&self.value);
            close_sequence(out);
        } else {
            write_value(tag, self.vr, &self.value, out);
        }
    }
}

/// The item of a code sequence (PS3.3 section 8.8).
pub(super) fn code_item(value: &str, meaning: &str) -> Attributes {
    use dicom_dictionary_std::tags;
    Attributes::from([
        (tags::CODE_VALUE, Attribute::text(b"SH", value)),
        (tags::CODING_SCHEME_DESIGNATOR, Attribute::text(b"SH", "DCM")),
        (tags::CODE_MEANING, Attribute::text(b"LO", meaning)),
    ])
}

/// Appends an attribute that is no sequence. A value too long for its VR's 16-bit length, which implicit encodings allow,
/// is written as UN (PS3.5 section 6.2.2).
pub(super) fn write_value(tag: Tag, vr: Vr, value: &[u8], out: &mut Vec<u8>) {
    let length = value.len().next_multiple_of(2);
    match u16::try_from(length) {
        Ok(short) if !has_long_length(vr) => {
            put_tag(tag, out);
            out.extend(vr);
            out.extend(short.to_le_bytes());
        }
        _ => {
            let vr = if has_long_length(vr) { vr } else { *b"UN" };
            // Values come from files shorter than 2^32 bytes or are our own.
            open_long(tag, vr, u32::try_from(length).unwrap_or(UNDEFINED - 1), out);
        }
    }
    out.extend(value);
    if value.len() % 2 == 1 {
        out.push(padding(vr));
    }
}

/// Tag, VR and length of an attribute whose VR has a 32-bit length.
pub(super) fn open_long(tag: Tag, vr: Vr, length: u32, out: &mut Vec<u8>) {
    put_tag(tag, out);
    out.extend(vr);
    out.extend([0, 0]);
    out.extend(length.to_le_bytes());
}

pub(super) fn open_sequence(tag: Tag, out: &mut Vec<u8>) {
    open_long(tag, *b"SQ", UNDEFINED, out);
}

pub(super) fn close_sequence(out: &mut Vec<u8>) {
    put_tag(SEQUENCE_END, out);
    out.extend(0_u32.to_le_bytes());
}

pub(super) fn open_item(out: &mut Vec<u8>) {
    put_tag(ITEM, out);
    out.extend(UNDEFINED.to_le_bytes());
}

pub(super) fn close_item(out: &mut Vec<u8>) {
    put_tag(ITEM_END, out);
    out.extend(0_u32.to_le_bytes());
}

/// The encapsulated form of compressed frames, one fragment each (PS3.5 annex A.4): of several frames, after the table of
/// their offsets.
pub(super) fn write_fragments(tag: Tag, frames: &[Vec<u8>], out: &mut Vec<u8>) {
    open_long(tag, *b"OB", UNDEFINED, out);
    write_fragment(&offsets(frames), out);
    frames.iter().for_each(|frame| write_fragment(frame, out));
    close_sequence(out);
}

fn write_fragment(fragment: &[u8], out: &mut Vec<u8>) {
    put_tag(ITEM, out);
    let length = fragment.len().next_multiple_of(2);
    out.extend(u32::try_from(length).unwrap_or(UNDEFINED - 1).to_le_bytes());
    out.extend(fragment);
    out.resize(out.len() + length - fragment.len(), 0);
}

/// The table is optional: there is none for one frame, nor where 32 bits do not hold the offsets.
fn offsets(frames: &[Vec<u8>]) -> Vec<u8> {
    let (mut table, mut at) = (Vec::new(), 0);
    for frame in frames {
        let Ok(offset) = u32::try_from(at) else { return Vec::new() };
        table.extend(offset.to_le_bytes());
        at += DELIMITER + frame.len().next_multiple_of(2);
    }
    if frames.len() > 1 { table } else { Vec::new() }
}

fn put_tag(tag: Tag, out: &mut Vec<u8>) {
    out.extend(tag.group().to_le_bytes());
    out.extend(tag.element().to_le_bytes());
}

/// Text is padded with a space, everything else with a zero byte (PS3.5 section 6.2).
fn padding(vr: Vr) -> u8 {
    if matches!(&vr, b"OB" | b"UI" | b"UN") { 0 } else { b' ' }
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::tags;

    use super::*;

    #[test]
    fn a_value_is_padded_and_written_with_the_length_its_vr_has() {
        let mut out = Vec::new();
        Attribute::text(b"UI", "1.2").write(tags::SOP_INSTANCE_UID, &mut out);
        assert_eq!(out, b"\x08\x00\x18\x00UI\x04\x001.2\0");
        out.clear();
        Attribute::text(b"UT", "abc").write(tags::TEXT_VALUE, &mut out);
        assert_eq!(out, b"\x40\x00\x60\xA1UT\0\0\x04\0\0\0abc ");
    }

    #[test]
    fn a_value_too_long_for_its_vr_is_written_as_unknown() {
        let mut out = Vec::new();
        write_value(tags::IMAGE_COMMENTS, *b"LT", &[b'a'; 65535], &mut out);
        assert_eq!(&out[..12], b"\x20\x00\x00\x40UN\0\0\0\0\x01\0");
        assert_eq!(out.len(), 12 + 65536);
    }

    #[test]
    fn items_are_delimited() {
        let mut sequence = Attribute::sequence(&[Attributes::new()]);
        sequence.push_item(&code_item("1", "x"));
        let mut out = Vec::new();
        sequence.write(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &mut out);
        let empty_item = b"\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF\xFE\xFF\x0D\xE0\0\0\0\0";
        assert!(out.starts_with(b"\x40\x00\x70\xA1SQ\0\0\xFF\xFF\xFF\xFF"));
        assert_eq!(&out[12..28], empty_item);
        assert!(out.ends_with(b"\xFE\xFF\x0D\xE0\0\0\0\0\xFE\xFF\xDD\xE0\0\0\0\0"));
    }

    #[test]
    fn items_are_read_as_they_were_written() {
        let nested = Attributes::from([
            (tags::CODE_VALUE, Attribute::text(b"SH", "1")),
            (tags::TEXT_VALUE, Attribute::text(b"UT", "")),
            (tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, Attribute::code("2", "y")),
        ]);
        let items = [Attributes::new(), nested, code_item("3", "z")];
        assert_eq!(Attribute::sequence(&items).items(), Ok(items.to_vec()));
        assert_eq!(Attribute::sequence(&[]).items(), Ok(Vec::new()));
    }

    #[test]
    fn several_frames_have_a_table_of_offsets() {
        let mut out = Vec::new();
        write_fragments(tags::PIXEL_DATA, &[vec![1, 2, 3], vec![4]], &mut out);
        let table = b"\xFE\xFF\x00\xE0\x08\0\0\0\0\0\0\0\x0C\0\0\0";
        assert_eq!(&out[12..28], table);
        assert_eq!(&out[28..40], b"\xFE\xFF\x00\xE0\x04\0\0\0\x01\x02\x03\0");
    }
}
