//! JPEG-LS without loss (ISO/IEC 14495-1; transfer syntax 1.2.840.10008.1.2.4.80), by CharLS.
#![allow(unsafe_code, reason = "CharLS has a C interface; each call states why it is sound")]

use std::ffi::c_void;

use charls_sys as ffi;

use crate::pixels::jpeg_ls::said as check;

/// Encodes one image of samples in the low `bits` bits, 2 to 16: bytes where they fit, else native 16-bit words.
/// `Err` is what the library says.
pub(super) fn encode(samples: &[u8], rows: usize, columns: usize, bits: u16) -> Result<Vec<u8>, String> {
    let size = |pixels| u32::try_from(pixels).map_err(|_| "it is too large".to_owned());
    let info = ffi::charls_frame_info {
        width: size(columns)?,
        height: size(rows)?,
        bits_per_sample: i32::from(bits),
        component_count: 1,
    };
    Encoder::new()?.encode(samples, &info)
}

/// An instance of the library.
struct Encoder(*mut ffi::charls_jpegls_encoder);

impl Encoder {
    fn new() -> Result<Self, String> {
        // SAFETY: no precondition; a null pointer says that there was no memory.
        let encoder = unsafe { ffi::charls_jpegls_encoder_create() };
        if encoder.is_null() { Err("no memory".to_owned()) } else { Ok(Encoder(encoder)) }
    }

    fn encode(&self, samples: &[u8], info: &ffi::charls_frame_info) -> Result<Vec<u8>, String> {
        // SAFETY: the encoder is live; `info` is read during the call only.
        check(unsafe { ffi::charls_jpegls_encoder_set_frame_info(self.0, info) })?;
        let mut size = 0_usize;
        // SAFETY: the encoder is live and knows the frame; `size` is written in whole.
        check(unsafe { ffi::charls_jpegls_encoder_get_estimated_destination_size(self.0, &mut size) })?;
        // Noise grows. A sample takes at most four times its bits (ISO/IEC 14495-1, LIMIT); untouched room costs nothing.
        let mut out = vec![0_u8; size.saturating_mul(4)];
        // SAFETY: the encoder is live and keeps the pointer to `out`, which is neither moved nor used before the last call.
        check(unsafe {
            let start = out.as_mut_ptr().cast::<c_void>();
            ffi::charls_jpegls_encoder_set_destination_buffer(self.0, start, out.len())
        })?;
        // SAFETY: the encoder is live and has a frame and a destination; it checks that the samples are as many as the frame
        // has, and reads and writes within the given lengths only.
        check(unsafe {
            let start = samples.as_ptr().cast::<c_void>();
            ffi::charls_jpegls_encoder_encode_from_buffer(self.0, start, samples.len(), 0)
        })?;
        // SAFETY: the encoder is live and has encoded; `size` is written in whole.
        check(unsafe { ffi::charls_jpegls_encoder_get_bytes_written(self.0, &mut size) })?;
        out.truncate(size);
        Ok(out)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by create and not used again.
        unsafe { ffi::charls_jpegls_encoder_destroy(self.0) };
    }
}
