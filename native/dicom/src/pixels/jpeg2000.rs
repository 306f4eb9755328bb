//! JPEG 2000 and High-Throughput JPEG 2000 (ISO/IEC 15444-1 and -15), by OpenJPEG.
//!
//! The library returns errors as values and says what is wrong through callbacks. It runs in its strict mode,
//! since its other mode fills what is missing with guesses, and only after `j2k_header` has found that the
//! codestream does not ask for more than an image needs.
#![allow(unsafe_code, reason = "OpenJPEG is a C library; each call states why it is sound")]

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::{ptr, slice};

use openjpeg_sys as ffi;

use super::findings::{Findings, Remark};
use super::j2k_header::{self, ImageHeader, Modest, another_image, codestream, image_header, is_modest};
use super::lossless_by_name;
use super::shape::Frame;
use super::stored::{CellLayout, store};
use crate::header::SliceHeader;
use crate::problem::Problem;

const CODEC: &str = "JPEG 2000";
/// The library reads ahead by this much, and no more than the codestream.
const READ_AHEAD: usize = 1 << 16;

/// Decodes one frame. The codestream says itself whether samples are signed: where the header agrees, they are the
/// values, also beyond Bits Stored (a lossy image may overshoot); where it does not, their bits are what counts.
pub(super) fn read(frame: Frame, out: &mut [i16], found: &mut Findings) -> Result<(), Problem> {
    let stream = codestream(frame.bytes);
    let expected = frame.checked(CODEC, image_header(stream), |image| image.shape)?;
    let Frame { header, layout, .. } = frame;
    let Modest { irreversible } = is_modest(stream).map_err(|reason| match reason {
        j2k_header::CUT => Problem::TruncatedCodestream { codec: CODEC },
        other => broken(other),
    })?;
    if irreversible && lossless_by_name(header) {
        found.remark(Remark::LossyCodestream);
    }
    if another_image(stream) {
        found.remark(Remark::MoreImages);
    }
    let image = Image::decode(stream)?;
    let samples = image.samples(header, expected)?;
    let bits = if expected.signed == layout.signed { 16 } else { expected.shape.bits };
    let layout = CellLayout { bits, ..layout };
    let beyond = |sample: i32| (sample as u32 & (u32::MAX >> (32 - bits))) >> header.pixels.bits_stored != 0;
    if !layout.signed && samples.iter().any(|&sample| beyond(sample)) {
        return Err(broken("it has values beyond Bits Stored"));
    }
    store(samples.iter().map(|&sample| sample as u16), layout, out, found);
    Ok(())
}

/// A decoded image, owned by the library.
struct Image(*mut ffi::opj_image_t);

impl Image {
    fn decode(codestream: &[u8]) -> Result<Self, Problem> {
        let mut said = String::new();
        let codec = Codec::new(&mut said)?;
        let mut source = Source { bytes: codestream, at: 0 };
        let stream = Stream::new(&mut source)?;
        let mut image = ptr::null_mut();
        // SAFETY: codec and stream are live; the callbacks' data, `said` and `source`, outlive both.
        let header = unsafe { ffi::opj_read_header(stream.0, codec.0, &mut image) };
        let image = Image(image);
        // SAFETY: as above, and the image is the one that the header made.
        let decoded = header != 0
            && !image.0.is_null()
            && unsafe {
                ffi::opj_decode(codec.0, stream.0, image.0) != 0
                    && ffi::opj_end_decompress(codec.0, stream.0) != 0
            };
        drop((codec, stream));
        if decoded { Ok(image) } else { Err(broken(if said.is_empty() { "no reason given" } else { &said })) }
    }

    /// The samples of its one component, row by row.
    fn samples(&self, header: &SliceHeader, expected: ImageHeader) -> Result<&[i32], Problem> {
        // SAFETY: a decoded image is live until it is dropped, and has `numcomps` components.
        let component = unsafe {
            let image = &*self.0;
            if image.numcomps != 1 || image.comps.is_null() {
                return Err(broken("it has several components"));
            }
            &*image.comps
        };
        let size = (component.h as usize, component.w as usize);
        let same = size == (header.rows, header.columns)
            && component.prec == u32::from(expected.shape.bits)
            && (component.sgnd != 0) == expected.signed;
        if !same || component.data.is_null() {
            return Err(broken("it decodes to another size than it says"));
        }
        // SAFETY: the library allocates w x h samples for the data of a component.
        Ok(unsafe { slice::from_raw_parts(component.data, header.rows * header.columns) })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: made by the library (or null, which it accepts) and not used again.
        unsafe { ffi::opj_image_destroy(self.0) };
    }
}

/// A decoder of raw codestreams in strict mode.
struct Codec(*mut ffi::opj_codec_t);

impl Codec {
    /// `said` gets the first error and must outlive the codec.
    fn new(said: &mut String) -> Result<Self, Problem> {
        // SAFETY: no precondition; a null pointer says that there was no memory.
        let codec = Codec(unsafe { ffi::opj_create_decompress(ffi::OPJ_CODEC_FORMAT::OPJ_CODEC_J2K) });
        if codec.0.is_null() {
            return Err(broken("no memory"));
        }
        let mut parameters = MaybeUninit::zeroed();
        let said = ptr::from_mut(said).cast::<c_void>();
        // SAFETY: the codec is live; the parameters are plain data, zeroed and then set to their defaults.
        let ready = unsafe {
            ffi::opj_set_default_decoder_parameters(parameters.as_mut_ptr());
            ffi::opj_set_error_handler(codec.0, Some(keep_first), said) != 0
                && ffi::opj_setup_decoder(codec.0, parameters.as_mut_ptr()) != 0
                && ffi::opj_decoder_set_strict_mode(codec.0, 1) != 0
        };
        if ready { Ok(codec) } else { Err(broken("the decoder cannot be set up")) }
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        // SAFETY: made by create (or null, which the library accepts) and not used again.
        unsafe { ffi::opj_destroy_codec(self.0) };
    }
}

/// Keeps the first of the library's messages.
unsafe extern "C" fn keep_first(text: *const c_char, said: *mut c_void) {
    // SAFETY: the library passes a NUL-terminated text, and the string that was given with this function.
    let (text, said) = unsafe { (CStr::from_ptr(text), &mut *said.cast::<String>()) };
    if said.is_empty() {
        said.push_str(text.to_string_lossy().trim());
    }
}

/// A stream of the library over bytes in memory.
struct Stream(*mut ffi::opj_stream_t);

struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Stream {
    /// `source` must outlive the stream.
    fn new(source: &mut Source) -> Result<Self, Problem> {
        let length = source.bytes.len();
        // SAFETY: no precondition; a null pointer says that there was no memory.
        let stream = Stream(unsafe { ffi::opj_stream_create(length.clamp(1, READ_AHEAD), 1) });
        if stream.0.is_null() {
            return Err(broken("no memory"));
        }
        // SAFETY: the stream is live; the functions fit the data they are given with.
        unsafe {
            ffi::opj_stream_set_user_data(stream.0, ptr::from_mut(source).cast::<c_void>(), None);
            ffi::opj_stream_set_user_data_length(stream.0, length as u64);
            ffi::opj_stream_set_read_function(stream.0, Some(read_bytes));
            ffi::opj_stream_set_skip_function(stream.0, Some(skip_bytes));
            ffi::opj_stream_set_seek_function(stream.0, Some(seek));
        }
        Ok(stream)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: made by create (or null, which the library accepts) and not used again.
        unsafe { ffi::opj_stream_destroy(self.0) };
    }
}

/// What the library takes for the end of the data.
const END: usize = usize::MAX;

unsafe extern "C" fn read_bytes(buffer: *mut c_void, length: usize, source: *mut c_void) -> usize {
    // SAFETY: `source` is what was given with this function.
    let source = unsafe { &mut *source.cast::<Source>() };
    let rest = source.bytes.get(source.at..).unwrap_or(&[]);
    let count = rest.len().min(length);
    if count == 0 {
        return END;
    }
    // SAFETY: the library gives room for `length` bytes, which do not overlap the source.
    unsafe { ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast::<u8>(), count) };
    source.at += count;
    count
}

unsafe extern "C" fn skip_bytes(length: i64, source: *mut c_void) -> i64 {
    // SAFETY: `source` is what was given with this function.
    let source = unsafe { &mut *source.cast::<Source>() };
    let left = source.bytes.len().saturating_sub(source.at);
    match usize::try_from(length) {
        Ok(count) if count <= left => {
            source.at += count;
            length
        }
        _ => -1,
    }
}

unsafe extern "C" fn seek(place: i64, source: *mut c_void) -> i32 {
    // SAFETY: `source` is what was given with this function.
    let source = unsafe { &mut *source.cast::<Source>() };
    match usize::try_from(place) {
        Ok(at) if at <= source.bytes.len() => {
            source.at = at;
            1
        }
        _ => 0,
    }
}

fn broken(reason: impl Into<String>) -> Problem {
    Problem::Codestream { codec: CODEC, reason: reason.into() }
}
