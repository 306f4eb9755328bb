//! Stored pixels of one slice.
//!
//! | file | what |
//! |---|---|
//! | `file` | a file whose slices are decoded |
//! | `native` | uncompressed cells in either byte order |
//! | `fragments` | the compressed bytes of each frame |
//! | `rle`, `jpeg`, `jpeg_ls`, `jpeg2000` | one decoder each |
//! | `sof`, `j2k_header`, `shape` | what a codestream says of its image and asks of a decoder |
//! | `harmless` | codestreams that deviate from their standard without harm, mended for decoders that take no such thing |
//! | `stored` | from decoded cells to stored values |
//! | `padding` | pixels that hold nothing |
//! | `findings` | what is told of a slice, beside its digest |
//! | `notes` | and how: sentences about all slices of a plan |
//! | `digest` | the digest of a slice |
//!
//! [`SliceFile`] reads the header of the file again (some microseconds) and compares it with the plan, so that a
//! file that changed after the listing is an error and not a wrong column of the matrix. Then the transfer
//! syntax picks the decoder, which checks its data against the header before it allocates anything. Every decoder
//! gives the stored values, sign-extended; rescaling to HU is not done here, since exact sums want the integers.

pub(crate) mod digest;
mod file;
mod findings;
mod fragments;
mod harmless;
mod j2k_header;
mod jpeg;
mod jpeg2000;
pub(crate) mod jpeg_ls;
mod native;
mod notes;
pub(crate) mod padding;
mod rle;
mod shape;
mod sof;
mod stored;

pub use digest::Secret;
pub(crate) use file::is_planned;
pub use file::{FileBytes, SliceFile};
pub use findings::{ColumnRecord, Findings, Remark, SliceRecord};
pub use notes::notes;
pub use padding::PaddingFound;

use crate::error::Error;
use crate::header::{PixelFormat, SliceHeader};
use crate::inflate::{inflate, inflate_first};
use crate::plan::SeriesPlan;
use crate::problem::Problem;
use crate::syntax::{self, Codec};
use shape::Frame;
use stored::CellLayout;

/// Reads slice number `slice` of the plan from the bytes of its file. For many slices of one file, [`SliceFile`] reads its
/// header only once.
///
/// `out` (rows x columns, row-major) gets each stored pixel less the slice's `offset`, with padding as the plan's rule has it.
/// Returned are the slice's digest, which is that of the pixels as they are stored (padding and offset too), and what is to be
/// told of it.
///
/// ```
/// use tomobasis_dicom::{Inventory, SeriesChoice, decode, testing::DicomFile};
/// let file = DicomFile::ct(2, 2, &[0, 7, -1024, 3071]).bytes();
/// let mut inventory = Inventory::new();
/// inventory.add(0, "slice.dcm", file.len() as u64, &file)?;
/// let plan = inventory.select(&SeriesChoice::Only)?;
/// let mut pixels = vec![0; plan.pixels()];
/// let record = decode(&plan, 0, &file, &mut pixels)?;
/// assert_eq!(pixels, [0, 7, -1024, 3071]);
/// assert_eq!(record.findings.padding.range, (-1024, 3071));
/// # Ok::<(), tomobasis_dicom::Error>(())
/// ```
///
/// Time is linear in the file and the image. What is allocated is bounded: a compressed frame of several fragments
/// is joined, a decoder has up to four times the image, a deflated data set is inflated up to
/// [`LARGEST_INFLATED`](crate::header::LARGEST_INFLATED).
///
/// # Errors
/// `Argument` when `slice` or the length of `out` does not fit the plan; `Slice` when the file is not the one
/// that the plan describes or cannot be decoded. `out` is unspecified then.
pub fn decode(plan: &SeriesPlan, slice: usize, file: &[u8], out: &mut [i16]) -> Result<SliceRecord, Error> {
    SliceFile::open(FileBytes::whole(file)).decode(plan, slice, out)
}

/// Reads an uncompressed image at the beginning of `bytes`.
fn native_pixels(
    bytes: &[u8],
    header: &SliceHeader,
    offset: i32,
    out: &mut [i16],
    found: &mut Findings,
) -> Result<(), Problem> {
    let (expected, present) = (header.image_bytes(), bytes.len() as u64);
    if present < expected {
        return Err(Problem::TooFewPixels { expected, found: present });
    }
    native::read(bytes, header.byte_order, as_stored(header, offset), out, found);
    Ok(())
}

fn compressed_pixels(
    codec: Codec,
    frame: &[u8],
    header: &SliceHeader,
    offset: i32,
    out: &mut [i16],
    found: &mut Findings,
) -> Result<(), Problem> {
    let described = Frame { bytes: frame, header, layout: as_stored(header, offset) };
    match codec {
        Codec::Native | Codec::NativeFrame => {
            if frame.len() as u64 >= 2 * header.image_bytes() {
                found.remark(Remark::MoreImages);
            }
            native_pixels(frame, header, offset, out, found)
        }
        Codec::DeflatedFrame => {
            // The frame may be padded to even length before it is deflated.
            let limit = usize::try_from(header.image_bytes() + 1).unwrap_or(usize::MAX);
            let (image, rest) = inflate_first(frame, limit)?;
            let is_image = |bytes: Vec<u8>| bytes.len() as u64 >= header.image_bytes();
            if inflate(rest, limit).is_ok_and(is_image) {
                found.remark(Remark::MoreImages);
            }
            native_pixels(&image, header, offset, out, found)
        }
        Codec::Rle => rle::read(frame, as_stored(header, offset), out, found),
        Codec::Jpeg => jpeg::read(described, out, found),
        Codec::JpegLs => jpeg_ls::read(described, out, found),
        Codec::Jpeg2000 => jpeg2000::read(described, out, found),
    }
}

/// Whether the header says, by its transfer syntax, that nothing was lost.
fn lossless_by_name(header: &SliceHeader) -> bool {
    !syntax::may_lose(&header.transfer_syntax)
}

/// Cells that hold a value in the low Bits Stored.
fn as_stored(header: &SliceHeader, offset: i32) -> CellLayout {
    let PixelFormat { bits_allocated: cell, bits_stored: bits, signed, .. } = header.pixels;
    CellLayout { cell, bits, overlays: header.overlays, signed, offset }
}
