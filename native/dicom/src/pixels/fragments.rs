//! Encapsulated pixel data (PS3.5 annex A.4): the fragments that make one compressed frame.
//!
//! The value is a sequence of items without names. The first is the basic offset table, empty or with the
//! place of each frame's first fragment; the others are fragments, some to each frame. Nothing is allocated
//! but a frame of several fragments, which is no longer than the file. Files that end where the closing
//! delimiter should be are read: a lost fragment shows in the decoder.

use std::borrow::Cow;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::problem::Problem;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// The bytes of frame number `frame` of `frames`. `start` is the offset of the pixel data's value in `file`.
pub(super) fn frame(file: &[u8], start: usize, frame: u32, frames: u32) -> Result<Cow<'_, [u8]>, Problem> {
    let mut items = Items { file, at: start };
    let table = items.next_item()?.ok_or(Problem::Fragments { what: "there is none" })?;
    let first = items.at;
    if frames == 1 {
        return joined(items, file.len());
    }
    if table.is_empty() {
        return one_of(items, frame, frames);
    }
    let (offsets, rest) = table.as_chunks::<4>();
    if offsets.len() as u64 != u64::from(frames) || !rest.is_empty() {
        return Err(Problem::Fragments { what: "the table of offsets has another length than the frames" });
    }
    let place = |index: u32| {
        let offset = offsets.get(index as usize).map(|bytes| u32::from_le_bytes(*bytes) as usize);
        offset.map(|offset| first.saturating_add(offset))
    };
    let (Some(from), to) = (place(frame), place(frame + 1).unwrap_or(file.len())) else {
        return Err(Problem::Fragments { what: "the table of offsets has no such frame" });
    };
    if from >= to || to > file.len() {
        return Err(Problem::Fragments { what: "the offsets of frames do not ascend within the file" });
    }
    joined(Items { file, at: from }, to)
}

/// All fragments before the offset `end`.
fn joined(mut items: Items<'_>, end: usize) -> Result<Cow<'_, [u8]>, Problem> {
    let mut frame = Cow::Borrowed([].as_slice());
    while items.at < end {
        match items.next_item()? {
            None => break,
            Some(fragment) if frame.is_empty() => frame = Cow::Borrowed(fragment),
            Some(fragment) => frame.to_mut().extend_from_slice(fragment),
        }
    }
    if frame.is_empty() { Err(Problem::Fragments { what: "they are empty" }) } else { Ok(frame) }
}

/// Fragment number `frame`, when each of `frames` has its own.
fn one_of(mut items: Items<'_>, frame: u32, frames: u32) -> Result<Cow<'_, [u8]>, Problem> {
    let (mut fragments, mut found) = (0_u64, None);
    while let Some(fragment) = items.next_item()? {
        if fragments == u64::from(frame) {
            found = Some(fragment);
        }
        fragments += 1;
    }
    let frames = u64::from(frames);
    found.filter(|_| fragments == frames).map(Cow::Borrowed).ok_or(Problem::FrameCount { fragments, frames })
}

struct Items<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Items<'a> {
    /// The value of the next item; `None` at the delimiter or the end of the file.
    fn next_item(&mut self) -> Result<Option<&'a [u8]>, Problem> {
        let cut = Problem::Cut { tag: Some(tags::PIXEL_DATA), length: self.file.len() as u64 };
        let Some((header, rest)) = self.file.get(self.at..).and_then(|bytes| bytes.split_first_chunk::<8>())
        else {
            return Ok(None);
        };
        let [g0, g1, e0, e1, length @ ..] = *header;
        match Tag(u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1])) {
            ITEM => {
                let length = u32::from_le_bytes(length) as usize;
                let value = rest.get(..length).ok_or(cut)?;
                self.at += 8 + length;
                Ok(Some(value))
            }
            SEQUENCE_END => Ok(None),
            _ => Err(Problem::Fragments { what: "something else is between them" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: &[u8]) -> Vec<u8> {
        [b"\xFE\xFF\x00\xE0", &(value.len() as u32).to_le_bytes()[..], value].concat()
    }

    const END: [u8; 8] = *b"\xFE\xFF\xDD\xE0\0\0\0\0";

    #[test]
    fn one_frame_is_all_fragments_whatever_the_table_says() {
        for table in [&[][..], &[0; 4], &[7; 4]] {
            let file = [item(table), item(b"ab"), item(b""), item(b"cd"), END.to_vec(), item(b"no")].concat();
            assert_eq!(frame(&file, 0, 0, 1).unwrap(), b"abcd".as_slice());
        }
    }

    #[test]
    fn frames_are_found_by_the_table_or_as_one_fragment_each() {
        let table = item(&[0, 0, 0, 0, 20, 0, 0, 0]);
        let file = [table, item(b"ab"), item(b"cd"), item(b"ef"), END.to_vec()].concat();
        assert_eq!(frame(&file, 0, 0, 2).unwrap(), b"abcd".as_slice());
        assert_eq!(frame(&file, 0, 1, 2).unwrap(), b"ef".as_slice());
        let file = [item(b""), item(b"ab"), item(b"cd")].concat();
        assert_eq!(frame(&file, 0, 1, 2).unwrap(), b"cd".as_slice());
        assert_eq!(frame(&file, 0, 1, 3), Err(Problem::FrameCount { fragments: 2, frames: 3 }));
    }

    #[test]
    fn fragments_that_are_not_as_they_should_be_are_errors() {
        let cut = [item(b""), item(b"abcd")].concat();
        assert!(matches!(frame(&cut[..18], 0, 0, 1), Err(Problem::Cut { .. })));
        for file in [vec![], END.to_vec(), item(b""), b"neither".to_vec(), b"anything".to_vec()] {
            assert!(matches!(frame(&file, 0, 0, 1), Err(Problem::Fragments { .. })), "{file:?}");
        }
        for table in [[0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 255, 255, 255, 255], [9, 0, 0, 0, 3, 0, 0, 0]] {
            let file = [item(&table), item(b"ab"), item(b"cd")].concat();
            assert!(matches!(frame(&file, 0, 0, 2), Err(Problem::Fragments { .. })), "{table:?}");
        }
        assert!(frame(&[item(&[0; 6]), item(b"ab")].concat(), 0, 0, 2).is_err());
    }
}
