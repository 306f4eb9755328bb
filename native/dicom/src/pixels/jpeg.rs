//! JPEG: baseline, extended and progressive DCT of 8 and 12 bits, and lossless of 2 to 16 (ISO/IEC 10918-1), by
//! libjpeg-turbo.
//!
//! Its errors jump (setjmp) inside its own functions and come back as return values; its warnings, which would
//! mean guessed pixels, are made errors, but for what `harmless` knows to be none. It is told how much it may allocate and how many scans a progressive
//! image may have.
#![allow(unsafe_code, reason = "libjpeg-turbo is a C library; each call states why it is sound")]

use std::ffi::{CStr, c_int};

use turbojpeg_sys as ffi;

use super::findings::{Findings, Remark};
use super::shape::Frame;
use super::sof::{another_image, frame_header};
use super::stored::{CellLayout, store};
use super::{harmless, lossless_by_name};
use crate::header::SliceHeader;
use crate::problem::Problem;

const CODEC: &str = "JPEG";
/// Memory for tables and, of progressive images, coefficients: 2 bytes each.
const MEBIBYTES: u64 = 16;
/// More scans than any encoder writes, where a hostile file could have thousands.
const SCANS: c_int = 500;

/// Decodes one frame. Cells hold the value in the low Bits Stored, as uncompressed ones do.
pub(super) fn read(frame: Frame, out: &mut [i16], found: &mut Findings) -> Result<(), Problem> {
    let image = frame.checked(CODEC, frame_header(frame.bytes), |image| image.shape)?;
    let Frame { bytes, header, layout } = frame;
    if !matches!(image.marker, 0xC0..=0xC3) {
        return Err(broken("it is hierarchical or arithmetic-coded, which is not read"));
    }
    let bits = image.shape.bits;
    if header.pixels.signed && bits < header.pixels.bits_stored {
        return Err(broken("its samples have fewer bits than Bits Stored, so that their sign is unclear"));
    }
    if image.marker != 0xC3 && lossless_by_name(header) {
        found.remark(Remark::LossyCodestream);
    }
    if another_image(bytes) {
        found.remark(Remark::MoreImages);
    }
    let stream = harmless::jpeg_headers(bytes, found);
    match decode(&stream, bits, header, layout, out, found) {
        Err(Problem::Codestream { reason, .. }) => {
            let Some(stream) = harmless::without_extra_bytes(&stream, &reason) else {
                return Err(broken(reason));
            };
            found.remark(Remark::JpegExtraBytes);
            decode(&stream, bits, header, layout, out, found)
        }
        decoded => decoded,
    }
}

fn decode(
    stream: &[u8],
    bits: u16,
    header: &SliceHeader,
    layout: CellLayout,
    out: &mut [i16],
    found: &mut Findings,
) -> Result<(), Problem> {
    let pixels = header.rows * header.columns;
    let decoder = Decoder::new()?;
    decoder.set(ffi::TJPARAM_TJPARAM_STOPONWARNING, 1)?;
    decoder.set(ffi::TJPARAM_TJPARAM_SCANLIMIT, SCANS)?;
    let mebibytes = MEBIBYTES + ((4 * pixels as u64) >> 20);
    decoder.set(ffi::TJPARAM_TJPARAM_MAXMEMORY, c_int::try_from(mebibytes).unwrap_or(c_int::MAX))?;
    match bits {
        0..=8 => {
            let mut cells = vec![0_u8; pixels];
            decoder.decode(stream, header, cells.as_mut_ptr(), ffi::tj3Decompress8)?;
            store(cells.iter().map(|&cell| u16::from(cell)), layout, out, found);
        }
        9..=12 => {
            let mut cells = vec![0_i16; pixels];
            decoder.decode(stream, header, cells.as_mut_ptr(), ffi::tj3Decompress12)?;
            store(cells.iter().map(|&cell| cell as u16), layout, out, found);
        }
        _ => {
            let mut cells = vec![0_u16; pixels];
            decoder.decode(stream, header, cells.as_mut_ptr(), ffi::tj3Decompress16)?;
            store(cells.iter().copied(), layout, out, found);
        }
    }
    Ok(())
}

type Decompress<T> =
    unsafe extern "C" fn(ffi::tjhandle, *const u8, ffi::size_t, *mut T, c_int, c_int) -> c_int;

/// An instance of the library.
struct Decoder(ffi::tjhandle);

impl Decoder {
    fn new() -> Result<Self, Problem> {
        // SAFETY: no precondition; a null pointer says that there was no memory.
        let handle = unsafe { ffi::tj3Init(ffi::TJINIT_TJINIT_DECOMPRESS as c_int) };
        if handle.is_null() { Err(broken("no memory")) } else { Ok(Decoder(handle)) }
    }

    fn set(&self, parameter: ffi::TJPARAM, value: c_int) -> Result<(), Problem> {
        // SAFETY: the handle is live; unknown parameters and values are refused by the library.
        let status = unsafe { ffi::tj3Set(self.0, parameter as c_int, value) };
        self.check(status)
    }

    /// Decodes `frame` into `cells`, which has room for the rows and columns of `header`.
    fn decode<T>(
        &self,
        frame: &[u8],
        header: &SliceHeader,
        cells: *mut T,
        decompress: Decompress<T>,
    ) -> Result<(), Problem> {
        // SAFETY: the handle is live and `frame` outlives the call.
        self.check(unsafe { ffi::tj3DecompressHeader(self.0, frame.as_ptr(), frame.len() as ffi::size_t) })?;
        // SAFETY: the handle is live.
        let read = |parameter: ffi::TJPARAM| unsafe { ffi::tj3Get(self.0, parameter as c_int) };
        // The library's own reading of the size is what it will write, so it has to be the header's as well.
        let size = (read(ffi::TJPARAM_TJPARAM_JPEGHEIGHT), read(ffi::TJPARAM_TJPARAM_JPEGWIDTH));
        if (usize::try_from(size.0), usize::try_from(size.1)) != (Ok(header.rows), Ok(header.columns)) {
            return Err(broken("it has two frame headers"));
        }
        let gray = ffi::TJPF_TJPF_GRAY as c_int;
        // SAFETY: `cells` has room for rows x columns samples of the type that this function writes, which the
        // check above makes the size of the image; a pitch of 0 means rows without gaps.
        self.check(unsafe { decompress(self.0, frame.as_ptr(), frame.len() as ffi::size_t, cells, 0, gray) })
    }

    fn check(&self, status: c_int) -> Result<(), Problem> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the library returns a NUL-terminated text that lives as long as the handle.
        let text = unsafe { CStr::from_ptr(ffi::tj3GetErrorStr(self.0)) };
        Err(match text.to_str() {
            Ok("Premature end of JPEG file") => Problem::TruncatedCodestream { codec: CODEC },
            _ => broken(text.to_string_lossy()),
        })
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by tj3Init and not used again.
        unsafe { ffi::tj3Destroy(self.0) };
    }
}

fn broken(reason: impl Into<String>) -> Problem {
    Problem::Codestream { codec: CODEC, reason: reason.into() }
}
