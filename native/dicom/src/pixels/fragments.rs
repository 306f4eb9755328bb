//! Encapsulated pixel data (PS3.5 annex A.4): the fragments that make each compressed frame.
//!
//! The value is a sequence of items without names. The first is the basic offset table, empty or with the
//! place of each frame's first fragment; the others are fragments, some to each frame. An Extended Offset Table, an
//! element of its own, has the place and length of frames of one fragment each. Without either, frames are one fragment
//! each, or begin where a codestream begins. Nothing is allocated but a range per frame and a frame of several
//! fragments, which is no longer than the file. Files that end where the closing delimiter should be are read: a lost
//! fragment shows in the decoder.

use std::borrow::Cow;
use std::ops::Range;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::header::SliceHeader;
use crate::problem::Problem;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Where the items of each frame are in `file`. `start` is the offset of the pixel data's value; `headers` are those of
/// all frames.
pub(super) fn frames(
    file: &[u8],
    start: usize,
    headers: &[SliceHeader],
) -> Result<Vec<Range<usize>>, Problem> {
    let places: Vec<_> = headers.iter().map_while(|header| header.fragment).collect();
    find(file, start, headers.len(), &places)
}

fn find(
    file: &[u8],
    start: usize,
    frames: usize,
    places: &[(u64, u64)],
) -> Result<Vec<Range<usize>>, Problem> {
    let mut items = Items { file, at: start };
    let table = items.next_item()?.ok_or(Problem::Fragments { what: "there is none" })?;
    let first = items.at;
    if frames == 1 {
        return Ok(std::iter::once(first..file.len()).collect());
    }
    let within = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(first);
    let ranges: Vec<Range<usize>> = if places.len() == frames {
        check_places(Items { ..items }, places, first)?;
        let end = |offset: u64, length: u64| offset.saturating_add(8).saturating_add(length);
        places.iter().map(|&(offset, length)| within(offset)..within(end(offset, length))).collect()
    } else if table.is_empty() {
        return one_by_one(items, frames);
    } else {
        let (offsets, rest) = table.as_chunks::<4>();
        if offsets.len() != frames || !rest.is_empty() {
            return Err(Problem::Fragments {
                what: "the table of offsets has another length than the frames",
            });
        }
        let starts = offsets.iter().map(|bytes| within(u64::from(u32::from_le_bytes(*bytes))));
        let ends = starts.clone().skip(1).chain([file.len()]);
        starts.zip(ends).map(|(start, end)| start..end).collect()
    };
    if ranges.iter().any(|range| range.start >= range.end || range.end > file.len()) {
        return Err(Problem::Fragments { what: "the offsets of frames do not ascend within the file" });
    }
    Ok(ranges)
}

/// That an Extended Offset Table has each fragment, and nothing else.
fn check_places(mut items: Items<'_>, places: &[(u64, u64)], first: usize) -> Result<(), Problem> {
    let mut listed = places.to_vec();
    listed.sort_unstable();
    let mut found = Vec::with_capacity(listed.len());
    loop {
        let at = items.at;
        let Some(fragment) = items.next_item()? else { break };
        found.push(((at - first) as u64, fragment.len() as u64));
    }
    // A fragment of odd length is padded, which its length may count or not.
    let same = |((at, length), (from, bytes)): (&(u64, u64), &(u64, u64))| {
        at == from && (length == bytes || length.checked_add(1) == Some(*bytes))
    };
    if found.len() == listed.len() && listed.iter().zip(&found).all(same) {
        return Ok(());
    }
    Err(Problem::Fragments { what: "the Extended Offset Table (7FE0,0001) is not that of these fragments" })
}

/// The fragments in `range`, as one, up to a second codestream. Whether there is one is told too.
pub(super) fn joined(file: &[u8], range: Range<usize>) -> Result<(Cow<'_, [u8]>, bool), Problem> {
    let mut items = Items { file, at: range.start };
    let mut frame = Cow::Borrowed([].as_slice());
    let mut more = false;
    while items.at < range.end && !more {
        match items.next_item()? {
            None => break,
            Some(fragment) if frame.is_empty() => frame = Cow::Borrowed(fragment),
            Some(fragment) if begins(&frame) && begins(fragment) => more = true,
            Some(fragment) => frame.to_mut().extend_from_slice(fragment),
        }
    }
    if frame.is_empty() { Err(Problem::Fragments { what: "they are empty" }) } else { Ok((frame, more)) }
}

/// Whether a codestream begins here: JPEG of any kind, JPEG 2000, or the table of up to 15 segments of RLE (PS3.5 annex G.5).
fn begins(fragment: &[u8]) -> bool {
    let marks = [&b"\xFF\xD8\xFF"[..], b"\xFF\x4F\xFF\x51"];
    let segments = |table: &[u8; 64]| {
        let (numbers, _) = table.as_chunks::<4>();
        let count = numbers.first().map_or(0, |count| u32::from_le_bytes(*count));
        let unused = numbers.iter().skip(1 + count as usize);
        (1..=15).contains(&count)
            && numbers.get(1) == Some(&64_u32.to_le_bytes())
            && unused.copied().all(|number| number == [0; 4])
    };
    marks.iter().any(|mark| fragment.starts_with(mark)) || fragment.first_chunk().is_some_and(segments)
}

/// Frames without a table: as many as fragments, or as fragments that begin a codestream.
fn one_by_one(items: Items<'_>, frames: usize) -> Result<Vec<Range<usize>>, Problem> {
    let (mut all, mut beginning) = (0_u64, 0_u64);
    let mut walk = Items { ..items };
    while let Some(fragment) = walk.next_item()? {
        all += 1;
        beginning += u64::from(begins(fragment));
    }
    let each = all == frames as u64;
    if !each && beginning != frames as u64 {
        return Err(Problem::FrameCount { fragments: all, frames: frames as u64 });
    }
    let (mut ranges, mut walk) = (Vec::<Range<usize>>::with_capacity(frames), items);
    loop {
        let start = walk.at;
        let Some(fragment) = walk.next_item()? else { return Ok(ranges) };
        match ranges.last_mut() {
            Some(range) if !each && !begins(fragment) => range.end = walk.at,
            _ => ranges.push(start..walk.at),
        }
    }
}

struct Items<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Items<'a> {
    /// The value of the next item; `None` at the delimiter or the end of the file.
    fn next_item(&mut self) -> Result<Option<&'a [u8]>, Problem> {
        let cut = Problem::Truncated { tag: Some(tags::PIXEL_DATA), length: self.file.len() as u64 };
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

    fn frame(file: &[u8], number: usize, frames: usize) -> Result<Vec<u8>, Problem> {
        joined(file, find(file, 0, frames, &[])?[number].clone()).map(|(frame, _)| frame.into_owned())
    }

    #[test]
    fn one_frame_is_all_fragments_whatever_the_table_says() {
        for table in [&[][..], &[0; 4], &[7; 4]] {
            let file = [item(table), item(b"ab"), item(b""), item(b"cd"), END.to_vec(), item(b"no")].concat();
            assert_eq!(frame(&file, 0, 1).unwrap(), b"abcd");
        }
    }

    #[test]
    fn frames_are_found_by_the_table_or_as_one_fragment_each() {
        let table = item(&[0, 0, 0, 0, 20, 0, 0, 0]);
        let file = [table, item(b"ab"), item(b"cd"), item(b"ef"), END.to_vec()].concat();
        assert_eq!(frame(&file, 0, 2).unwrap(), b"abcd");
        assert_eq!(frame(&file, 1, 2).unwrap(), b"ef");
        let file = [item(b""), item(b"ab"), item(b"cd")].concat();
        assert_eq!(frame(&file, 1, 2).unwrap(), b"cd");
        assert_eq!(frame(&file, 1, 3), Err(Problem::FrameCount { fragments: 2, frames: 3 }));
    }

    #[test]
    fn frames_without_a_table_begin_where_a_codestream_begins() {
        let start = b"\xFF\xD8\xFF\xC3";
        let file = [item(b""), item(start), item(b"ab"), item(b"cd"), item(start), item(b"ef"), END.to_vec()];
        let file = file.concat();
        assert_eq!(frame(&file, 0, 2).unwrap(), [start, &b"abcd"[..]].concat());
        assert_eq!(frame(&file, 1, 2).unwrap(), [start, &b"ef"[..]].concat());
        assert!(frame(&file, 0, 3).is_err());
    }

    #[test]
    fn an_extended_table_has_place_and_length_of_each_frame() {
        let file = [item(b""), item(b"ab"), item(b"cdef"), END.to_vec()].concat();
        let ranges = find(&file, 0, 2, &[(10, 4), (0, 2)]).unwrap();
        assert_eq!(joined(&file, ranges[0].clone()).unwrap().0, b"cdef".as_slice());
        assert_eq!(joined(&file, ranges[1].clone()).unwrap().0, b"ab".as_slice());
        for wrong in [(u64::MAX, 2), (0, u64::MAX), (0, 400), (10, 2), (0, 2)] {
            assert!(find(&file, 0, 2, &[(0, 2), wrong]).is_err());
        }
        // The pad byte of a fragment is not counted by all writers, and a fragment more is no frame of the table.
        assert!(find(&file, 0, 2, &[(0, 1), (10, 4)]).is_ok());
        let more = [item(b""), item(b"ab"), item(b"cdef"), item(b"gh"), END.to_vec()].concat();
        assert!(find(&more, 0, 2, &[(0, 2), (10, 4)]).is_err());
    }

    #[test]
    fn a_second_codestream_is_told_and_is_no_part_of_the_frame() {
        let rle = [&[1, 0, 0, 0, 64, 0, 0, 0][..], &[0; 56], b"run"].concat();
        for (begins, rest) in [(&b"\xFF\xD8\xFF\xE0"[..], b"ab"), (b"\xFF\x4F\xFF\x51", b"cd"), (&rle, b"ef")]
        {
            let one = [item(b""), item(begins), item(rest)].concat();
            let two = [&one[..], &item(begins), &item(rest), &END].concat();
            for (file, more) in [(&one, false), (&two, true)] {
                let range = find(file, 0, 1, &[]).unwrap()[0].clone();
                assert_eq!(joined(file, range).unwrap(), (Cow::Owned([begins, rest].concat()), more));
            }
        }
    }

    #[test]
    fn fragments_that_are_not_as_they_should_be_are_errors() {
        let cut = [item(b""), item(b"abcd")].concat();
        assert!(matches!(frame(&cut[..18], 0, 1), Err(Problem::Truncated { .. })));
        for file in [vec![], END.to_vec(), item(b""), b"neither".to_vec(), b"anything".to_vec()] {
            assert!(matches!(frame(&file, 0, 1), Err(Problem::Fragments { .. })), "{file:?}");
        }
        for table in [[0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 255, 255, 255, 255], [9, 0, 0, 0, 3, 0, 0, 0]] {
            let file = [item(&table), item(b"ab"), item(b"cd")].concat();
            assert!(matches!(frame(&file, 0, 2), Err(Problem::Fragments { .. })), "{table:?}");
        }
        assert!(frame(&[item(&[0; 6]), item(b"ab")].concat(), 0, 2).is_err());
    }
}
