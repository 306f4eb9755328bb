//! JPEG-LS, lossless and near-lossless (ISO/IEC 14495-1), by CharLS.
//!
//! The library is C++; its C interface turns every exception into a return value.
#![allow(unsafe_code, reason = "CharLS has a C interface; each call states why it is sound")]

use std::ffi::{CStr, c_void};

use charls_sys as ffi;

use super::shape::{Frame, Shape};
use super::sof::frame_header;
use super::stored::{Meaning, store};
use crate::problem::Problem;

const CODEC: &str = "JPEG-LS";

/// Decodes one frame. The codestream has no signs: the highest bit of its samples is the sign of signed pixels
/// (as pydicom has it), also where Bits Stored is another number.
pub(super) fn read(frame: Frame, out: &mut [i16]) -> Result<(), Problem> {
    let found = frame.checked(CODEC, frame_header(frame.bytes), |found| found.shape)?;
    let Frame { bytes: stream, header, meaning } = frame;
    let bits = found.shape.bits;
    let meaning = if meaning.signed { Meaning { bits, ..meaning } } else { meaning };
    let mut bytes = vec![0_u8; header.rows * header.columns * if bits > 8 { 2 } else { 1 }];
    Decoder::new()?.decode(ended(stream)?, found.shape, &mut bytes)?;
    if bits > 8 {
        let cells = bytes.as_chunks::<2>().0.iter();
        store(cells.map(|&cell| u16::from_ne_bytes(cell)), meaning, out);
    } else {
        store(bytes.iter().map(|&cell| u16::from(cell)), meaning, out);
    }
    Ok(())
}

/// The codestream up to its end-of-image marker. CharLS (2.4) stops at a marker where it runs out of bits; without one it
/// counts through 2^31 bits that are not there, for seconds, before it says so.
fn ended(stream: &[u8]) -> Result<&[u8], Problem> {
    let end = stream.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).map(|place| place + 2);
    end.and_then(|end| stream.get(..end)).ok_or_else(|| broken("it is cut off"))
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
    fn decode(&self, frame: &[u8], shape: Shape, out: &mut [u8]) -> Result<(), Problem> {
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
            return Err(broken("it has two frame headers"));
        }
        // SAFETY: the decoder is live and has read the header; it writes within the given length only.
        check(unsafe {
            let start = out.as_mut_ptr().cast::<c_void>();
            ffi::charls_jpegls_decoder_decode_to_buffer(self.0, start, out.len(), 0)
        })
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
