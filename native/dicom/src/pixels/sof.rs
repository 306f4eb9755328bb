//! The segments of JPEG and JPEG-LS, and the frame and scan headers among them (ISO/IEC 10918-1 B.2, 14495-1 C.2).

use std::ops::Range;

use super::shape::{Numbers, Shape};

/// Marker and content of a frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// The second byte of the marker: 0xC0 baseline, 0xC3 lossless, 0xF7 JPEG-LS, ...
    pub marker: u8,
    pub shape: Shape,
}

/// The marker of a scan's header.
pub(super) const SCAN: u8 = 0xDA;
/// The marker at the end of an image.
const END: u8 = 0xD9;

/// The frame header of a codestream; `None` when it has none before its first scan.
pub(super) fn frame_header(codestream: &[u8]) -> Option<FrameHeader> {
    let mut before_scan = segments(codestream).take_while(|(marker, _)| ![SCAN, END].contains(marker));
    // C4, C8 and CC are tables and reserved.
    let (marker, place) = before_scan
        .find(|(marker, _)| matches!(marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7))?;
    let mut numbers = Numbers(codestream.get(place)?);
    let bits = numbers.next::<1>()? as u16;
    let (rows, columns) = (numbers.next::<2>()?, numbers.next::<2>()?);
    let components = numbers.next::<1>()?;
    Some(FrameHeader { marker, shape: Shape { rows, columns, components, bits } })
}

/// The content of the header of a codestream's first scan.
pub(super) fn scan_header(codestream: &[u8]) -> Option<&[u8]> {
    let (_, place) = segments(codestream).find(|(marker, _)| *marker == SCAN)?;
    codestream.get(place)
}

/// Marker and place of the content of each segment, up to and with the header of the first scan.
pub(super) fn segments(codestream: &[u8]) -> impl Iterator<Item = (u8, Range<usize>)> + '_ {
    let mut next = codestream.starts_with(&[0xFF, 0xD8]).then_some(2);
    std::iter::from_fn(move || {
        let mut at = next?;
        // Markers may begin with any number of 0xFF.
        while codestream.get(at..at + 2)? == [0xFF, 0xFF] {
            at += 1;
        }
        let [0xFF, marker, high, low] = *codestream.get(at..at + 4)? else { return None };
        let place = at + 4..at + 2 + usize::from(u16::from_be_bytes([high, low]));
        next = (marker != SCAN).then_some(place.end);
        (place.start <= place.end && place.end <= codestream.len()).then_some((marker, place))
    })
}

/// What stands behind the end marker of a codestream's image; nothing where it has no such marker.
pub(super) fn behind_end(codestream: &[u8]) -> &[u8] {
    let mut at = 0;
    loop {
        match codestream.get(at..).unwrap_or_default() {
            [0xFF, 0xFF, ..] => at += 1,
            [0xFF, END, rest @ ..] => return rest,
            // Without a length: start of the image, restarts, TEM.
            [0xFF, 0xD0..=0xD8 | 0x01, ..] => at += 2,
            [0xFF, marker, high, low, ..] => {
                at += 2 + usize::from(u16::from_be_bytes([*high, *low])).max(2);
                if *marker == SCAN {
                    at += coded(codestream.get(at..).unwrap_or_default());
                }
            }
            _ => return &[],
        }
    }
}

/// Bytes of coded pixels: in them, 0xFF is followed by a byte below 0x80 (0 in JPEG) or is a restart marker.
fn coded(bytes: &[u8]) -> usize {
    let is_marker =
        |pair: &[u8]| pair[0] == 0xFF && pair[1] >= 0x80 && !matches!(pair[1], 0xD0..=0xD7 | 0xFF);
    bytes.windows(2).position(is_marker).unwrap_or(bytes.len())
}

/// Whether a second image begins somewhere behind the first.
pub(super) fn another_image(codestream: &[u8]) -> bool {
    behind_end(codestream).windows(3).any(|bytes| bytes == [0xFF, 0xD8, 0xFF])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_the_first_image_is_found_whatever_its_coded_bytes_are() {
        let head = b"\xFF\xD8\xFF\xE0\x00\x04\xFF\xD9\xFF\xF7\x00\x02\xFF\xDA\x00\x03a";
        let coded = b"ab\xFF\x00\xD9\xFF\x7F\xFF\xD3cd\xFF\xDA\x00\x02e\xFF\xFF\xD9";
        let one = [head.as_slice(), coded].concat();
        for (rest, more) in [(&b""[..], false), (b"\0", false), (b"\0\0\xFF\xD8\xFF", true), (&one, true)] {
            let stream = [&one[..], rest].concat();
            assert_eq!((behind_end(&stream), another_image(&stream)), (rest, more));
        }
        assert_eq!(behind_end(&one[..one.len() - 1]), b"");
        assert_eq!(behind_end(b"no codestream"), b"");
    }

    #[test]
    fn the_frame_header_is_found_after_other_segments() {
        let start = b"\xFF\xD8\xFF\xE0\x00\x04ab\xFF\xFF\xC4\x00\x02";
        let frame = b"\xFF\xC3\x00\x0B\x10\x01\x00\x02\x00\x01\x01\x11\x00";
        let shape = Shape { rows: 256, columns: 512, components: 1, bits: 16 };
        let stream = [start.as_slice(), frame].concat();
        assert_eq!(frame_header(&stream), Some(FrameHeader { marker: 0xC3, shape }));
        for length in 0..stream.len() - 3 {
            assert_eq!(frame_header(&stream[..length]), None);
        }
        assert_eq!(frame_header(b"\xFF\xD8\xFF\xDA\x00\x02\xFF\xC3\x00\x08\x08\x00\x01\x00\x01\x01"), None);
        assert_eq!(frame_header(b"\xFF\xD8\xFF\xE0\x00\x01"), None);
    }
}
