//! Codestreams that deviate from their standard without harm: every pixel is there, and a strict decoder refuses them.
//!
//! The libraries tell damage and such oddities apart by their words only, and go on after both if they are let. So they stay strict,
//! and what is known to be harmless is mended in a copy of the codestream before, or after the library has said that it has
//! decoded all pixels and found something behind them.

use std::borrow::Cow;

use super::findings::{Findings, Remark};
use super::sof::{SCAN, segments};

/// A JPEG codestream with the headers that libjpeg-turbo takes without a warning.
pub(super) fn jpeg_headers<'a>(stream: &'a [u8], found: &mut Findings) -> Cow<'a, [u8]> {
    let mut mended = Cow::Borrowed(stream);
    let mut sequential = false;
    for (marker, place) in segments(stream) {
        let (start, end) = (place.start, place.end);
        let content = stream.get(place).unwrap_or_default();
        match marker {
            0xC0 | 0xC1 => sequential = true,
            // Revisions of JFIF are 1.00 to 1.02: another number says nothing of the image.
            0xE0 if content.starts_with(b"JFIF\0") && content.get(5).is_some_and(|&major| major != 1) => {
                put(&mut mended, start + 5, &[1, 2]);
                found.remark(Remark::JfifRevision);
            }
            // First and last coefficient and bit positions: in a sequential scan they can only be 0, 63 and 0.
            SCAN if sequential && content.ends_with(&[0, 0, 0]) => {
                put(&mut mended, end - 3, &[0, 63, 0]);
                found.remark(Remark::JpegScanParameters);
            }
            _ => (),
        }
    }
    mended
}

/// A JPEG codestream without the bytes before its end marker that libjpeg-turbo, in the words `reason`, has found there after the
/// last pixel: one of any value, or only zeros. More than that may be what is left of pixels that were not understood.
pub(super) fn without_extra_bytes(stream: &[u8], reason: &str) -> Option<Vec<u8>> {
    let count =
        reason.strip_prefix("Corrupt JPEG data: ")?.strip_suffix(" extraneous bytes before marker 0xd9")?;
    let count: usize = count.parse().ok()?;
    let end = end_marker(stream)?;
    let start = end.checked_sub(count)?;
    let extra = stream.get(start..end)?;
    let harmless = count == 1 || extra.iter().all(|&byte| byte == 0);
    harmless.then(|| [stream.get(..start).unwrap_or_default(), &[0xFF, 0xD9]].concat())
}

/// A JPEG-LS codestream that ends at its end marker, without this many zero bytes before it; `None` where these are not all zero.
pub(super) fn without_zeros(stream: &[u8], zeros: usize) -> Option<Vec<u8>> {
    let content = stream.get(..end_marker(stream)?)?;
    let (kept, taken) = content.split_at_checked(content.len().checked_sub(zeros)?)?;
    taken.iter().all(|&byte| byte == 0).then(|| [kept, &[0xFF, 0xD9]].concat())
}

/// Where the last end-of-image marker begins.
fn end_marker(stream: &[u8]) -> Option<usize> {
    stream.windows(2).rposition(|pair| pair == [0xFF, 0xD9])
}

fn put(stream: &mut Cow<'_, [u8]>, at: usize, bytes: &[u8]) {
    if let Some(target) = stream.to_mut().get_mut(at..at + bytes.len()) {
        target.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(stream: &[u8]) -> (Vec<u8>, Findings) {
        let mut found = Findings::default();
        (jpeg_headers(stream, &mut found).into_owned(), found)
    }

    #[test]
    fn headers_that_only_look_odd_are_mended_and_remarked() {
        let app = |major| [b"\xFF\xD8\xFF\xE0\x00\x09JFIF\0".as_slice(), &[major, 3]].concat();
        let sof = |marker| [0xFF, marker, 0, 4, 8, 8];
        let sos = |se| [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, se, 0, 7, 7, 7];
        let stream = |major, marker, se| [app(major).as_slice(), &sof(marker), &sos(se)].concat();
        let (bytes, found) = mended(&stream(7, 0xC1, 0));
        assert_eq!(bytes[..13], [&app(1)[..12], &[2]].concat());
        assert_eq!(bytes[13..], [sof(0xC1).as_slice(), &sos(63)].concat());
        assert!(found.has(Remark::JfifRevision) && found.has(Remark::JpegScanParameters));
        for right in [stream(1, 0xC0, 63), stream(1, 0xC3, 0), stream(1, 0xC2, 0), b"\xFF\xD8\xFF".to_vec()] {
            assert_eq!(mended(&right), (right, Findings::default()));
        }
    }

    #[test]
    fn only_bytes_that_cannot_be_pixels_are_taken_away() {
        let said = |count| format!("Corrupt JPEG data: {count} extraneous bytes before marker 0xd9");
        let cut = |bytes: &[u8], reason: &str| without_extra_bytes(bytes, reason);
        assert_eq!(cut(b"ab\x07\xFF\xD9\0", &said(1)), Some(b"ab\xFF\xD9".to_vec()));
        assert_eq!(cut(b"a\0\0\xFF\xD9", &said(2)), Some(b"a\xFF\xD9".to_vec()));
        assert_eq!(cut(b"ab\x07\xFF\xD9", &said(2)), None);
        assert_eq!(cut(b"ab\x07\xFF\xD9", "Premature end of JPEG file"), None);
        assert_eq!(without_zeros(b"ab\0\0\xFF\xD9\0", 1), Some(b"ab\0\xFF\xD9".to_vec()));
        assert_eq!(without_zeros(b"ab\0\0\xFF\xD9", 2), Some(b"ab\xFF\xD9".to_vec()));
        assert_eq!(without_zeros(b"ab\0\0\xFF\xD9", 3), None);
        assert_eq!(without_zeros(b"ab", 1), None);
    }
}
