//! JPEG-LS, lossless and near-lossless (ISO/IEC 14495-1), by CharLS.
//!
//! The library is C++; its C interface turns every exception into a return value.
#![allow(unsafe_code, reason = "CharLS has a C interface; each call states why it is sound")]

use std::ffi::{CStr, c_void};

use charls_sys as ffi;

use super::findings::{Findings, Remark};
use super::shape::{Frame, Shape};
use super::sof::{another_image, frame_header, scan_header};
use super::stored::{CellLayout, store};
use super::{harmless, lossless_by_name};
use crate::problem::Problem;

const CODEC: &str = "JPEG-LS";
/// Zero bytes that may stand between the last pixel and the end marker.
const MOST_ZEROS: usize = 3;

/// Decodes one frame. The codestream has no signs: the highest bit of its samples is the sign of signed pixels
/// (as pydicom has it), also where Bits Stored is another number.
pub(super) fn read(frame: Frame, out: &mut [i16], found: &mut Findings) -> Result<(), Problem> {
    let shape = frame.checked(CODEC, frame_header(frame.bytes), |image| image.shape)?.shape;
    let Frame { bytes: stream, header, layout } = frame;
    let bits = shape.bits;
    let layout = if layout.signed { CellLayout { bits, ..layout } } else { layout };
    let mut bytes = vec![0_u8; header.rows * header.columns * if bits > 8 { 2 } else { 1 }];
    if another_image(stream) {
        found.remark(Remark::MoreImages);
    }
    let stream = ended(stream)?;
    let decode = |stream: &[u8], bytes: &mut [u8]| Decoder::new()?.decode(stream, shape, bytes);
    let mut decoded = decode(stream, &mut bytes);
    // A zero may be the last byte of the pixels, so that no more are taken away than must be.
    for zeros in 1..=MOST_ZEROS {
        match (&decoded, harmless::without_zeros(stream, zeros)) {
            (Err(Undecoded::TooMuch), Some(stream)) => decoded = decode(&stream, &mut bytes),
            _ => break,
        }
        found.remark(Remark::JpegLsZeros);
    }
    decoded.map_err(|why| match why {
        Undecoded::TooMuch => broken("it goes on after its last pixel"),
        Undecoded::Other(problem) => problem,
    })?;
    if near_lossless(stream) && lossless_by_name(header) {
        found.remark(Remark::LossyCodestream);
    }
    if bits > 8 {
        let cells = bytes.as_chunks::<2>().0.iter();
        store(cells.map(|&cell| u16::from_ne_bytes(cell)), layout, out, found);
    } else {
        store(bytes.iter().map(|&cell| u16::from(cell)), layout, out, found);
    }
    Ok(())
}

/// The codestream up to its end-of-image marker. CharLS (2.4) stops at a marker where it runs out of bits; without one it
/// counts through 2^31 bits that are not there, for seconds, before it says so.
fn ended(stream: &[u8]) -> Result<&[u8], Problem> {
    let end = stream.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).map(|place| place + 2);
    end.and_then(|end| stream.get(..end)).ok_or(Problem::TruncatedCodestream { codec: CODEC })
}

/// Whether samples may differ from what was compressed: the parameter NEAR, third from the end of the scan's header.
fn near_lossless(stream: &[u8]) -> bool {
    scan_header(stream).and_then(|header| header.iter().rev().nth(2)).is_some_and(|&near| near != 0)
}

/// Why there are no pixels.
enum Undecoded {
    /// All pixels were decoded, and more followed.
    TooMuch,
    Other(Problem),
}

impl From<Problem> for Undecoded {
    fn from(problem: Problem) -> Self {
        Undecoded::Other(problem)
    }
}

/// An instance of the library.
struct Decoder(*mut ffi::charls_jpegls_decoder);

impl Decoder {
    fn new() -> Result<Self, Problem> {
        // SAFETY: no precondition; a null pointer says that there was no memory.
        let decoder = unsafe { ffi::charls_jpegls_decoder_create() };
        if decoder.is_null() { Err(broken("no memory")) } else { Ok(Decoder(decoder)) }
    }

    /// Decodes an image of `shape` into `out`.
    fn decode(&self, frame: &[u8], shape: Shape, out: &mut [u8]) -> Result<(), Undecoded> {
        // SAFETY: the decoder is live; it keeps the pointer to `frame`, which outlives it in `read`.
        check(unsafe {
            ffi::charls_jpegls_decoder_set_source_buffer(self.0, frame.as_ptr().cast::<c_void>(), frame.len())
        })?;
        // SAFETY: the decoder is live and has a source.
        check(unsafe { ffi::charls_jpegls_decoder_read_header(self.0) })?;
        let mut info = ffi::charls_frame_info { width: 0, height: 0, bits_per_sample: 0, component_count: 0 };
        // SAFETY: the decoder is live and has read the header; `info` is written in whole.
        check(unsafe { ffi::charls_jpegls_decoder_get_frame_info(self.0, &mut info) })?;
        let read = (info.height, info.width, info.bits_per_sample, info.component_count);
        if read != (shape.rows, shape.columns, i32::from(shape.bits), 1) {
            return Err(broken("it has two frame headers").into());
        }
        // SAFETY: the decoder is live and has read the header; it writes within the given length only.
        let status = unsafe {
            let start = out.as_mut_ptr().cast::<c_void>();
            ffi::charls_jpegls_decoder_decode_to_buffer(self.0, start, out.len(), 0)
        };
        match status {
            // After the last pixel it looks for a marker.
            ffi::charls_jpegls_errc_too_much_encoded_data
            | ffi::charls_jpegls_errc_jpeg_marker_start_byte_not_found => Err(Undecoded::TooMuch),
            status => Ok(check(status)?),
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by create and not used again.
        unsafe { ffi::charls_jpegls_decoder_destroy(self.0) };
    }
}

fn check(status: ffi::charls_jpegls_errc) -> Result<(), Problem> {
    said(status).map_err(broken)
}

/// What the library says of a call that failed.
pub(crate) fn said(status: ffi::charls_jpegls_errc) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: the library returns a static NUL-terminated text for any number.
    let text = unsafe { CStr::from_ptr(ffi::charls_get_error_message(status)) };
    Err(text.to_string_lossy().into_owned())
}

fn broken(reason: impl Into<String>) -> Problem {
    Problem::Codestream { codec: CODEC, reason: reason.into() }
}
