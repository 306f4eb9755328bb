//! Stored pixels of one slice.
//!
//! [`decode`] reads the header of the file again (some microseconds) and compares it with the plan, so that a
//! file that changed after the listing is an error and not a wrong column of the matrix. Then the transfer
//! syntax picks the decoder: `native` for uncompressed data. Every decoder gives the stored values, masked and
//! sign-extended to Bits Stored; rescaling to HU is not done here, since exact sums want the integers.

mod digest;
mod native;

use crate::error::Error;
use crate::header::{HeaderOutcome, SliceHeader, read_header};
use crate::problem::Problem;
use crate::series::{SeriesPlan, SlicePlan};
use crate::syntax;

/// Reads slice number `slice` of the plan from the bytes of its file.
///
/// `out` (rows x columns, row-major) gets each stored pixel less the slice's `offset`. Returned is the slice's
/// digest: SHA-256 of the stored pixels (offset not taken off) as little-endian 32-bit integers.
///
/// Time is linear in the file and nothing is allocated that grows with it.
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
    let header = match read_header(file, file.len() as u64) {
        HeaderOutcome::Slices(frames) => frames.into_iter().find(|header| header.frame == slice.frame),
        HeaderOutcome::Broken { problem, .. } => return Err(problem),
        _ => None,
    };
    let header = header.filter(|header| is_planned(plan, slice, header)).ok_or(Problem::Changed)?;
    if !syntax::pixels_are_read(&header.transfer_syntax) {
        return Err(Problem::Syntax { uid: header.transfer_syntax });
    }
    let start = usize::try_from(header.pixel_offset).unwrap_or(usize::MAX);
    let length = usize::try_from(header.image_bytes()).unwrap_or(usize::MAX);
    let bytes = file.get(start..start.saturating_add(length)).ok_or(Problem::Changed)?;
    native::read(bytes, &header.pixels, slice.offset, out);
    Ok(digest::of_stored(out, slice.offset))
}

fn is_planned(plan: &SeriesPlan, slice: &SlicePlan, header: &SliceHeader) -> bool {
    header.sop_instance_uid == slice.instance_uid
        && (header.rows, header.columns) == (plan.rows, plan.columns)
        && header.pixels == slice.pixels
        && header.transfer_syntax == slice.transfer_syntax
        && header.rescale.unwrap_or((1.0, 0.0)) == (slice.slope, slice.intercept)
}
