//! Uncompressed little-endian pixels (PS3.5 section 8.1.1, annex A.1 and A.2).

use crate::header::PixelFormat;

/// Unpacks `bytes` (one cell of Bits Allocated per pixel) into stored values less `offset`.
///
/// Bits above Bits Stored are ignored: old files keep overlays there. `offset` must be such that the values
/// fit, as plans have it.
pub(super) fn read(bytes: &[u8], format: &PixelFormat, offset: i32, out: &mut [i16]) {
    let unused = u32::from(format.bits_allocated - format.bits_stored);
    match (format.bits_allocated, format.signed) {
        (8, true) => each(bytes, out, |[b]: [u8; 1]| i32::from((b << unused) as i8 >> unused) - offset),
        (8, false) => each(bytes, out, |[b]: [u8; 1]| i32::from((b << unused) >> unused) - offset),
        (_, true) => each(bytes, out, |b| i32::from((i16::from_le_bytes(b) << unused) >> unused) - offset),
        (_, false) => each(bytes, out, |b| i32::from((u16::from_le_bytes(b) << unused) >> unused) - offset),
    }
}

/// One pass without branches or bounds checks, which the compiler turns into vector code.
#[inline(always)]
fn each<const N: usize>(bytes: &[u8], out: &mut [i16], value: impl Fn([u8; N]) -> i32) {
    for (cell, out) in bytes.as_chunks::<N>().0.iter().zip(out) {
        *out = value(*cell) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(bits_allocated: u16, bits_stored: u16, signed: bool) -> PixelFormat {
        PixelFormat { bits_allocated, bits_stored, signed, photometric: "MONOCHROME2".to_owned() }
    }

    fn one(bytes: &[u8], format: &PixelFormat, offset: i32) -> i16 {
        let mut out = [0];
        read(bytes, format, offset, &mut out);
        out[0]
    }

    #[test]
    fn bits_above_bits_stored_are_ignored_and_the_sign_is_extended() {
        assert_eq!(one(&[0xFF, 0xFF], &format(16, 12, false), 0), 4095);
        assert_eq!(one(&[0xFF, 0x0F], &format(16, 12, true), 0), -1);
        assert_eq!(one(&[0xFF, 0xF7], &format(16, 12, true), 0), 2047);
        assert_eq!(one(&[0x00, 0x80], &format(16, 16, true), 0), -32768);
        assert_eq!(one(&[0x80], &format(8, 8, true), 0), -128);
        assert_eq!(one(&[0x80], &format(8, 8, false), 0), 128);
        assert_eq!(one(&[0xFF], &format(8, 1, true), 0), -1);
    }

    #[test]
    fn unsigned_16_bit_values_fit_with_their_offset() {
        assert_eq!(one(&[0x00, 0x00], &format(16, 16, false), 32768), -32768);
        assert_eq!(one(&[0xFF, 0xFF], &format(16, 16, false), 32768), 32767);
        assert_eq!(one(&[0xFF, 0x0F], &format(16, 12, false), 32768), -28673);
    }
}
