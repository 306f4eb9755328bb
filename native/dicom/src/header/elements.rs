//! The element scanner (PS3.5 section 7): walks the data elements of one data set in file order.
//!
//! It sees only parts of the file, usually its head. Values are skipped by their length without being read, so a few
//! kilobytes usually suffice; when an element header or a needed value is not at hand, the scan stops
//! with the place of the bytes it needs. Sequences are skipped; those of undefined length have to be walked to
//! find their end, which takes a depth counter and no stack, so any nesting is one linear pass. The few that
//! are entered ([`children`](Elements::children)) are entered to a depth that the caller's code fixes. No position
//! arithmetic can overflow: offsets are 64-bit, lengths 32-bit.
//!
//! One element after the other, each from where the one before ended:
//!
//! 1. *Header* ([`Elements::peek`]): tag; VR, where the encoding writes one and two capital letters stand there; length,
//!    of 2 or 4 bytes.
//! 2. *Value* ([`Elements::value`]), where it is wanted: borrowed from the bytes at hand, or the scan stops and says which
//!    bytes it needs.
//! 3. *Next* ([`Elements::skip`]): the end of the value, or for undefined length the end of the delimiter that closes it.
//!
//! Invariants: the position never exceeds the file's length, and grows by at least the 8 bytes of a header with each
//! element, so a scan is one linear pass; nothing is allocated.

use dicom_core::Tag;

use super::known::{Known, Need};
use crate::syntax::{Encoding, IMPLICIT_LITTLE};

/// A value representation as its two letters.
pub(crate) type Vr = [u8; 2];

/// Values are read up to here: none that this crate wants is longer in a valid file.
const LONGEST_VALUE: u32 = 1024;

const ZEROS_AT_ONCE: u64 = 4096;

const UNDEFINED: u32 = u32::MAX;
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Why a scan cannot go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stop {
    /// The file has more: these bytes of it are needed.
    Need(Need),
    /// The file ends inside this element.
    Truncated(Option<Tag>),
}

/// Tag, VR and place of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Element {
    pub tag: Tag,
    /// `None` where the encoding does not write it.
    pub vr: Option<Vr>,
    /// Offset of the value in the file.
    pub start: u64,
    /// `None` for undefined length.
    pub length: Option<u32>,
}

impl Element {
    fn end(&self) -> Option<u64> {
        self.length.map(|length| self.start + u64::from(length))
    }
}

/// A scan over the elements of a file of which parts are at hand.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a> {
    known: Known<'a>,
    file_length: u64,
    /// Offset of the next element.
    pub position: u64,
    pub encoding: Encoding,
}

impl<'a> Elements<'a> {
    pub fn new(known: Known<'a>, file_length: u64, position: u64, encoding: Encoding) -> Self {
        Elements { known, file_length, position, encoding }
    }

    /// The header of the next element, which stays the next one until it is [skipped](Self::skip).
    /// `None` at the end of the file; fewer than 8 bytes there are taken for padding.
    pub fn peek(&self) -> Result<Option<Element>, Stop> {
        if self.file_length.saturating_sub(self.position) < 8 {
            return if self.position > self.file_length { Err(Stop::Truncated(None)) } else { Ok(None) };
        }
        self.element(self.position).map(Some)
    }

    /// The bytes of a value, at most [`LONGEST_VALUE`] of them; none for an undefined length.
    pub fn value(&self, element: &Element) -> Result<&'a [u8], Stop> {
        let end = element.start + u64::from(element.length.map_or(0, |length| length.min(LONGEST_VALUE)));
        if end > self.file_length {
            return Err(Stop::Truncated(Some(element.tag)));
        }
        self.slice(element.start, end)
    }

    /// Moves past `element`, to the end of its sequence if its length is undefined.
    pub fn skip(&mut self, element: &Element) -> Result<(), Stop> {
        let end = match element.end() {
            Some(end) => end,
            None => self.end_of_sequence(element)?,
        };
        if end > self.file_length {
            return Err(Stop::Truncated(Some(element.tag)));
        }
        self.position = end;
        Ok(())
    }

    /// All bytes of a value of known length.
    pub fn whole_value(&self, element: &Element) -> Result<&'a [u8], Stop> {
        let end = element.end().filter(|&end| end <= self.file_length);
        let end = end.ok_or(Stop::Truncated(Some(element.tag)))?;
        self.slice(element.start, end)
    }

    /// Calls `each` with everything directly inside `parent`: the items of a sequence, or the elements of an item,
    /// each with a scan that reads it.
    pub fn children(
        &self,
        parent: &Element,
        mut each: impl FnMut(&Self, &Element) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut inside =
            Elements { position: parent.start, encoding: self.encoding_inside(parent)?, ..*self };
        while parent.end().is_none_or(|end| inside.position < end) {
            let child = inside.peek()?.ok_or(Stop::Truncated(Some(parent.tag)))?;
            if child.tag == ITEM_END || child.tag == SEQUENCE_END {
                break;
            }
            each(&inside, &child)?;
            inside.skip(&child)?;
        }
        Ok(())
    }

    /// The encoding of what is inside `parent`. That of an element of VR UN is implicit and little-endian in every data set
    /// (PS3.5 section 6.2.2, note 4), but for writers that left the items of a big-endian one as they were.
    pub fn encoding_inside(&self, parent: &Element) -> Result<Encoding, Stop> {
        if parent.vr != Some(*b"UN") {
            return Ok(self.encoding);
        }
        let empty = parent.length.is_some_and(|length| length < 4);
        let big_endian = self.encoding.big_endian
            && !empty
            && self.array(parent.start, Some(parent.tag))? == [0xFF, 0xFE, 0xE0, 0x00];
        Ok(Encoding { big_endian, ..IMPLICIT_LITTLE })
    }

    /// The next bytes, of which the file may have fewer.
    pub fn ahead(&self, count: u64) -> Result<&'a [u8], Stop> {
        self.between(self.position, self.position.saturating_add(count))
    }

    /// Moves past the zeros that fill a file up to the end of a block: as far as the bytes at hand go, and `most` bytes in any case.
    /// Where nothing but zeros was seen, that is the end.
    pub fn skip_zeros(&mut self, most: u64) -> Result<(), Stop> {
        let least = self.position.saturating_add(most);
        loop {
            let ahead = match self.ahead(ZEROS_AT_ONCE) {
                Err(Stop::Need(_)) if self.position >= least => &[],
                ahead => ahead?,
            };
            match ahead.iter().position(|&byte| byte != 0) {
                // A tag's first byte is zero where numbers are big-endian.
                Some(zeros) => {
                    self.position += zeros.saturating_sub(usize::from(self.encoding.big_endian)) as u64;
                    return Ok(());
                }
                None if ahead.is_empty() => {
                    self.position = self.file_length;
                    return Ok(());
                }
                None => self.position += ahead.len() as u64,
            }
        }
    }

    /// The bytes of the file from `start` to `end`, or to its end.
    pub fn between(&self, start: u64, end: u64) -> Result<&'a [u8], Stop> {
        self.slice(start, end.min(self.file_length))
    }

    pub fn file_length(&self) -> u64 {
        self.file_length
    }

    fn slice(&self, start: u64, end: u64) -> Result<&'a [u8], Stop> {
        let need = Need { start, end };
        self.known.get(need).ok_or(Stop::Need(need))
    }

    fn array<const N: usize>(&self, at: u64, tag: Option<Tag>) -> Result<[u8; N], Stop> {
        let end = at + N as u64;
        if end > self.file_length {
            return Err(Stop::Truncated(tag));
        }
        self.slice(at, end)?.try_into().map_err(|_| Stop::Truncated(tag))
    }

    fn u16(&self, bytes: [u8; 2]) -> u16 {
        if self.encoding.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(&self, bytes: [u8; 4]) -> u32 {
        if self.encoding.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// Reads the element header at `at`. In an explicit data set, an element without two capital letters
    /// where its VR should be is taken as implicit, as writers that mix the two produce.
    fn element(&self, at: u64) -> Result<Element, Stop> {
        // 8 bytes: group and element, then VR and a short length, or a long length.
        let [g0, g1, e0, e1, rest @ ..] = self.array::<8>(at, None)?;
        let tag = Tag(self.u16([g0, g1]), self.u16([e0, e1]));
        let vr = [rest[0], rest[1]];
        let (vr, start, length) = if !self.encoding.explicit || tag.group() == 0xFFFE || !is_vr(vr) {
            // Implicit, and items and delimiters in any encoding.
            (None, at + 8, self.u32(rest))
        } else if has_long_length(vr) {
            // Two reserved bytes, then 32 bits.
            (Some(vr), at + 12, self.u32(self.array(at + 8, Some(tag))?))
        } else {
            (Some(vr), at + 8, u32::from(self.u16([rest[2], rest[3]])))
        };
        Ok(Element { tag, vr, start, length: (length != UNDEFINED).then_some(length) })
    }

    /// Offset after the delimiter that closes `sequence`. Items and nested sequences of undefined length each
    /// open a level and each delimiter closes one. The outermost element of VR UN and undefined length gives its
    /// encoding to all that is inside.
    fn end_of_sequence(&self, sequence: &Element) -> Result<u64, Stop> {
        // Levels that are open, the sequence's own among them; zero at the delimiter that closes it.
        let mut depth = 1_u64;
        let mut inside = Elements { encoding: self.encoding_inside(sequence)?, ..*self };
        // The depth of the outermost UN around what is read, whose content has an encoding of its own.
        let mut unknown_at = (sequence.vr == Some(*b"UN")).then_some(depth);
        let mut at = sequence.start;
        loop {
            let element = match inside.element(at) {
                Err(Stop::Truncated(_)) => return Err(Stop::Truncated(Some(sequence.tag))),
                other => other?,
            };
            at = element.end().unwrap_or(element.start);
            if element.tag == ITEM_END || element.tag == SEQUENCE_END {
                at = element.start;
                if unknown_at == Some(depth) {
                    unknown_at = None;
                    inside.encoding = self.encoding;
                }
                depth -= 1;
                if depth == 0 {
                    return Ok(at);
                }
            } else if element.length.is_none() {
                depth += 1;
                if element.vr == Some(*b"UN") && unknown_at.is_none() {
                    unknown_at = Some(depth);
                    inside.encoding = self.encoding_inside(&element)?;
                }
            }
        }
    }
}

/// Whether two bytes can be a VR: two capital letters, of the standard or of a later edition.
pub(crate) fn is_vr(bytes: Vr) -> bool {
    bytes.iter().all(u8::is_ascii_uppercase)
}

/// The VRs with two reserved bytes and a 32-bit length (PS3.5 table 7.1-1).
pub(crate) fn has_long_length(vr: Vr) -> bool {
    matches!(
        &vr,
        b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV"
    )
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::tags;

    use super::*;
    use crate::syntax::{EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE};

    const OPEN_SQ: [u8; 12] = *b"\x08\x00\x40\x11SQ\0\0\xFF\xFF\xFF\xFF";
    const OPEN_ITEM: [u8; 8] = *b"\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF";
    const CLOSE_ITEM: [u8; 8] = *b"\xFE\xFF\x0D\xE0\0\0\0\0";
    const CLOSE_SQ: [u8; 8] = *b"\xFE\xFF\xDD\xE0\0\0\0\0";

    fn first_and_rest(bytes: &[u8], encoding: Encoding) -> (Element, u64) {
        let mut elements = Elements::new(Known::head(bytes), bytes.len() as u64, 0, encoding);
        let element = elements.peek().unwrap().unwrap();
        elements.skip(&element).unwrap();
        (element, elements.position)
    }

    #[test]
    fn an_element_is_read_in_each_encoding() {
        let explicit = b"\x28\x00\x10\x00US\x02\x00\x00\x02";
        let implicit = b"\x28\x00\x10\x00\x02\x00\x00\x00\x00\x02";
        let big = b"\x00\x28\x00\x10US\x00\x02\x02\x00";
        for (bytes, encoding) in [
            (explicit, EXPLICIT_LITTLE),
            (implicit, IMPLICIT_LITTLE),
            (big, EXPLICIT_BIG),
            (implicit, EXPLICIT_LITTLE),
        ] {
            let (element, end) = first_and_rest(bytes, encoding);
            assert_eq!((element.tag, element.start, element.length, end), (tags::ROWS, 8, Some(2), 10));
        }
    }

    #[test]
    fn sequences_nested_a_hundred_thousand_deep_are_skipped() {
        let mut bytes = Vec::new();
        for _ in 0..100_000 {
            bytes.extend(OPEN_SQ);
            bytes.extend(OPEN_ITEM);
        }
        for _ in 0..100_000 {
            bytes.extend(CLOSE_ITEM);
            bytes.extend(CLOSE_SQ);
        }
        let (_, end) = first_and_rest(&bytes, EXPLICIT_LITTLE);
        assert_eq!(end, bytes.len() as u64);
    }

    #[test]
    fn the_content_of_an_unknown_element_of_undefined_length_is_implicit() {
        let mut bytes = b"\x09\x00\x01\x10UN\0\0\xFF\xFF\xFF\xFF".to_vec();
        bytes.extend(OPEN_ITEM);
        // The length 0x4141 would read as the VR "AA" if this were explicit.
        bytes.extend(b"\x09\x00\x02\x10\x41\x41\x00\x00");
        bytes.extend(vec![0xFF; 0x4141]);
        bytes.extend(CLOSE_ITEM);
        bytes.extend(CLOSE_SQ);
        let (_, end) = first_and_rest(&bytes, EXPLICIT_LITTLE);
        assert_eq!(end, bytes.len() as u64);
    }

    #[test]
    fn the_content_of_an_unknown_element_of_a_big_endian_data_set_is_read_in_either_byte_order() {
        let little = [&OPEN_ITEM[..], b"\x08\x00\x50\x11\x02\0\0\0ab", &CLOSE_ITEM, &CLOSE_SQ].concat();
        let big = b"\xFF\xFE\xE0\x00\xFF\xFF\xFF\xFF\x00\x08\x11\x50\0\0\0\x02ab\xFF\xFE\xE0\x0D\0\0\0\0\
            \xFF\xFE\xE0\xDD\0\0\0\0";
        for content in [little, big.to_vec()] {
            // By itself, and inside a sequence whose own delimiters are big-endian.
            let unknown = [b"\x00\x08\x21\x12UN\0\0\xFF\xFF\xFF\xFF", &content[..]].concat();
            let open = b"\x00\x08\x11\x40SQ\0\0\xFF\xFF\xFF\xFF\xFF\xFE\xE0\x00\xFF\xFF\xFF\xFF";
            let close = b"\xFF\xFE\xE0\x0D\0\0\0\0\xFF\xFE\xE0\xDD\0\0\0\0";
            for bytes in [unknown.clone(), [&open[..], &unknown, close].concat()] {
                let (_, end) = first_and_rest(&bytes, EXPLICIT_BIG);
                assert_eq!(end, bytes.len() as u64);
            }
        }
    }

    #[test]
    fn a_scan_says_how_far_it_must_see() {
        let bytes = b"\x28\x00\x10\x00US\x02\x00\x00\x02";
        let short = Elements::new(Known::head(&bytes[..6]), 10, 0, EXPLICIT_LITTLE);
        assert_eq!(short.peek(), Err(Stop::Need(Need { start: 0, end: 8 })));
        let no_value = Elements::new(Known::head(&bytes[..8]), 10, 0, EXPLICIT_LITTLE);
        let element = no_value.peek().unwrap().unwrap();
        assert_eq!(no_value.value(&element), Err(Stop::Need(Need { start: 8, end: 10 })));
        let cut = Elements::new(Known::head(&bytes[..9]), 9, 0, EXPLICIT_LITTLE);
        assert_eq!(cut.value(&element), Err(Stop::Truncated(Some(tags::ROWS))));
    }
}
