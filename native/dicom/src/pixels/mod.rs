//! Stored pixels of one slice.
//!
//! | file | what |
//! |---|---|
//! | `native` | uncompressed cells in either byte order |
//! | `fragments` | the compressed bytes of one frame |
//! | `rle`, `jpeg`, `jpeg_ls`, `jpeg2000` | one decoder each |
//! | `sof`, `j2k_header`, `shape` | what a codestream says of its image and asks of a decoder |
//! | `stored` | from decoded cells to stored values |
//! | `digest` | the digest of a slice |
//!
//! [`decode`] reads the header of the file again (some microseconds) and compares it with the plan, so that a
//! file that changed after the listing is an error and not a wrong column of the matrix. Then the transfer
//! syntax picks the decoder, which checks its data against the header before it allocates anything. Every decoder
//! gives the stored values, sign-extended; rescaling to HU is not done here, since exact sums want the integers.

pub(crate) mod digest;
mod fragments;
mod j2k_header;
mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod native;
mod rle;
mod shape;
mod sof;
mod stored;

use crate::error::Error;
use crate::header::{HeaderOutcome, SliceHeader, read_whole};
use crate::inflate::inflate;
use crate::problem::Problem;
use crate::series::{SeriesPlan, SlicePlan};
use crate::syntax::{self, Codec};
use shape::Frame;
use stored::Meaning;

/// Reads slice number `slice` of the plan from the bytes of its file.
///
/// `out` (rows x columns, row-major) gets each stored pixel less the slice's `offset`. Returned is the slice's
/// digest: SHA-256 of the stored pixels (offset not taken off) as little-endian 32-bit integers.
///
/// Time is linear in the file and the image. What is allocated is bounded: a compressed frame of several fragments
/// is joined, a decoder has up to four times the image, a deflated data set is inflated up to
/// [`LARGEST_INFLATED`](crate::header::LARGEST_INFLATED).
///
/// # Errors
/// `Argument` when `slice` or the length of `out` does not fit the plan; `Slice` when the file is not the one
/// that the plan describes or cannot be decoded. `out` is unspecified then.
pub fn decode(plan: &SeriesPlan, slice: usize, file: &[u8], out: &mut [i16]) -> Result<[u8; 32], Error> {
    let (Some(what), Some(label)) = (plan.slices.get(slice), plan.file_label(slice)) else {
        return Err(Error::Argument(format!("slice {slice} of {} was asked for", plan.slices.len())));
    };
    if out.len() != plan.pixels() {
        let text = format!("room for {} pixels was given, slices have {}", out.len(), plan.pixels());
        return Err(Error::Argument(text));
    }
    decode_slice(plan, what, file, out).map_err(|problem| Error::Slice { file: label, problem, others: 0 })
}

fn decode_slice(
    plan: &SeriesPlan,
    slice: &SlicePlan,
    file: &[u8],
    out: &mut [i16],
) -> Result<[u8; 32], Problem> {
    let (file, outcome) = read_whole(file);
    let header = match outcome {
        HeaderOutcome::Slices(frames) => frames.into_iter().find(|header| header.frame == slice.frame),
        HeaderOutcome::Broken { problem, .. } => return Err(problem),
        _ => None,
    };
    let header = header.filter(|header| is_planned(plan, slice, header)).ok_or(Problem::Changed)?;
    let codec = syntax::codec(&header.transfer_syntax);
    let codec = codec.ok_or_else(|| Problem::Syntax { uid: header.transfer_syntax.clone() })?;
    let start = usize::try_from(header.pixel_offset).map_err(|_| Problem::Changed)?;
    if codec == Codec::Native {
        native_pixels(file.get(start..).unwrap_or(&[]), &header, slice.offset, out)?;
    } else {
        let frame = fragments::frame(&file, start, header.frame, 1)?;
        compressed_pixels(codec, &frame, &header, slice.offset, out)?;
    }
    Ok(digest::of_stored(out, slice.offset))
}

/// Reads an uncompressed image at the beginning of `bytes`.
fn native_pixels(bytes: &[u8], header: &SliceHeader, offset: i32, out: &mut [i16]) -> Result<(), Problem> {
    let (expected, found) = (header.image_bytes(), bytes.len() as u64);
    if found < expected {
        return Err(Problem::TooFewPixels { expected, found });
    }
    native::read(bytes, header.pixels.bits_allocated, header.byte_order, as_stored(header, offset), out);
    Ok(())
}

fn compressed_pixels(
    codec: Codec,
    frame: &[u8],
    header: &SliceHeader,
    offset: i32,
    out: &mut [i16],
) -> Result<(), Problem> {
    let described = Frame { bytes: frame, header, meaning: as_stored(header, offset) };
    match codec {
        Codec::Native | Codec::NativeFrame => native_pixels(frame, header, offset, out),
        Codec::DeflatedFrame => {
            // The frame may be padded to even length before it is deflated.
            let limit = usize::try_from(header.image_bytes() + 1).unwrap_or(usize::MAX);
            native_pixels(&inflate(frame, limit)?, header, offset, out)
        }
        Codec::Rle => rle::read(frame, header.pixels.bits_allocated, as_stored(header, offset), out),
        Codec::Jpeg => jpeg::read(described, out),
        Codec::JpegLs => jpeg_ls::read(described, out),
        Codec::Jpeg2000 => jpeg2000::read(described, out),
    }
}

/// Cells that hold a value in the low Bits Stored.
fn as_stored(header: &SliceHeader, offset: i32) -> Meaning {
    Meaning { bits: header.pixels.bits_stored, signed: header.pixels.signed, offset }
}

/// Whether a header is the one that the plan was made of.
pub(crate) fn is_planned(plan: &SeriesPlan, slice: &SlicePlan, header: &SliceHeader) -> bool {
    header.sop_instance_uid == slice.instance_uid
        && (header.rows, header.columns) == (plan.rows, plan.columns)
        && header.pixels == slice.pixels
        && header.transfer_syntax == slice.transfer_syntax
        && header.rescale.unwrap_or((1.0, 0.0)) == (slice.slope, slice.intercept)
}
