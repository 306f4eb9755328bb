//! The start-of-frame segment of JPEG and JPEG-LS (ISO/IEC 10918-1 B.2.2, 14495-1 C.2.2).

use super::shape::{Numbers, Shape};

/// Marker and content of a frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// The second byte of the marker: 0xC0 baseline, 0xC3 lossless, 0xF7 JPEG-LS, ...
    pub marker: u8,
    pub shape: Shape,
}

/// The frame header of a codestream; `None` when it has none before its first scan.
pub(super) fn frame_header(codestream: &[u8]) -> Option<FrameHeader> {
    let mut numbers = Numbers(codestream.strip_prefix(&[0xFF, 0xD8])?);
    loop {
        if numbers.next::<1>()? != 0xFF {
            return None;
        }
        let mut marker = numbers.next::<1>()?;
        while marker == 0xFF {
            marker = numbers.next::<1>()?;
        }
        let length = (numbers.next::<2>()? as usize).checked_sub(2)?;
        let segment = numbers.take(length)?;
        match marker {
            // C4, C8 and CC are tables and reserved.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7 => {
                let mut numbers = Numbers(segment);
                let bits = numbers.next::<1>()? as u16;
                let (rows, columns) = (numbers.next::<2>()?, numbers.next::<2>()?);
                let components = numbers.next::<1>()?;
                let shape = Shape { rows, columns, components, bits };
                return Some(FrameHeader { marker: marker as u8, shape });
            }
            // Start of scan, end of image.
            0xDA | 0xD9 => return None,
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
