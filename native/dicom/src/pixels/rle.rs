//! RLE Lossless (PS3.5 annex G): one PackBits segment per byte of a pixel, the high bytes first.

use super::findings::Findings;
use super::stored::{CellLayout, store};
use crate::problem::Problem;

const CODEC: &str = "RLE";
/// The header: the number of segments and up to 15 offsets, as 32-bit numbers.
const HEADER: usize = 64;

/// Decodes one frame of `out.len()` pixels.
///
/// Allocates one byte per byte of the image, as the header of the file has it: the frame has no say.
pub(super) fn read(
    frame: &[u8],
    layout: CellLayout,
    out: &mut [i16],
    found: &mut Findings,
) -> Result<(), Problem> {
    let (header, _) = frame.as_chunks::<4>();
    let number = |index: usize| header.get(index).map(|bytes| u32::from_le_bytes(*bytes) as usize);
    let wanted = usize::from(layout.cell / 8);
    let segments = number(0).ok_or_else(|| broken("its header is truncated"))?;
    if segments != wanted {
        return Err(Problem::Shape {
            codec: CODEC,
            found: format!("one of {segments} segments"),
            expected: format!("{wanted} (one per byte of Bits Allocated)"),
        });
    }
    let segment = |index: usize| {
        let start = number(1 + index).filter(|&start| start >= HEADER);
        let end = if index + 1 == wanted { Some(frame.len()) } else { number(2 + index) };
        start.zip(end).and_then(|(start, end)| frame.get(start..end)).ok_or_else(|| broken("wrong offsets"))
    };
    let mut planes = vec![0; wanted * out.len()];
    for (index, plane) in planes.chunks_mut(out.len()).enumerate() {
        unpack(segment(index)?, plane)?;
    }
    let (high, low) = planes.split_at(planes.len() - out.len());
    if high.is_empty() {
        store(low.iter().map(|&low| u16::from(low)), layout, out, found);
    } else {
        store(high.iter().zip(low).map(|(&high, &low)| u16::from_be_bytes([high, low])), layout, out, found);
    }
    Ok(())
}

/// Unpacks one segment, which must fill `plane` and not more. Padding may follow.
fn unpack(mut segment: &[u8], mut plane: &mut [u8]) -> Result<(), Problem> {
    while !plane.is_empty() {
        let (&control, rest) = segment.split_first().ok_or_else(|| broken("a segment is too short"))?;
        let run = control as i8;
        let length = usize::from(run.unsigned_abs()) + 1;
        if run == i8::MIN {
            segment = rest;
            continue;
        }
        let Some((filled, left)) = plane.split_at_mut_checked(length) else {
            return Err(broken("a segment is longer than the image"));
        };
        let used = if run < 0 { 1 } else { length };
        let (bytes, rest) = rest.split_at_checked(used).ok_or_else(|| broken("a segment is too short"))?;
        match bytes {
            [byte] => filled.fill(*byte),
            _ => filled.copy_from_slice(bytes),
        }
        (segment, plane) = (rest, left);
    }
    if segment.iter().any(|&byte| byte != 0 && byte != 0x80) {
        return Err(broken("a segment is longer than the image"));
    }
    Ok(())
}

fn broken(reason: &str) -> Problem {
    Problem::Codestream { codec: CODEC, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut header = vec![segments.len() as u32];
        let mut at = 64;
        for segment in segments {
            header.push(at);
            at += segment.len() as u32;
        }
        header.resize(16, 0);
        let header = header.into_iter().flat_map(u32::to_le_bytes).collect();
        [vec![header], segments.iter().map(|segment| segment.to_vec()).collect()].concat().concat()
    }

    fn read_3(frame: &[u8], bits: u16) -> Result<[i16; 3], Problem> {
        let mut out = [0; 3];
        let layout = CellLayout { cell: bits, bits, overlays: 0, signed: true, offset: 0 };
        read(frame, layout, &mut out, &mut Findings::default()).map(|()| out)
    }

    #[test]
    fn runs_literals_and_padding_are_read() {
        assert_eq!(read_3(&frame(&[&[0xFE, 1], &[0x80, 2, 7, 8, 9, 0]]), 16), Ok([0x107, 0x108, 0x109]));
        assert_eq!(read_3(&frame(&[&[0, 5, 0xFF, 6]]), 8), Ok([5, 6, 6]));
    }

    #[test]
    fn segments_that_do_not_fit_the_image_are_errors() {
        for segment in [&[0xFF, 1][..], &[2, 1, 2], &[0xFD, 1], &[3, 1, 2, 3, 4], &[2, 1, 2, 3, 0, 4], &[]] {
            assert!(matches!(read_3(&frame(&[segment]), 8), Err(Problem::Codestream { .. })), "{segment:?}");
        }
    }

    #[test]
    fn a_header_that_claims_other_segments_is_an_error() {
        let mut many = frame(&[&[0xFE, 1]]);
        many[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(read_3(&many, 8), Err(Problem::Shape { .. })));
        let mut outside = frame(&[&[0xFE, 1]]);
        outside[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read_3(&outside, 8).is_err());
        outside[4..8].copy_from_slice(&3_u32.to_le_bytes());
        assert!(read_3(&outside, 8).is_err());
        assert!(read_3(&[1, 0], 8).is_err());
    }
}
