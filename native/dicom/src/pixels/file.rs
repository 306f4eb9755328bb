//! A file whose slices are decoded: its header is read and its frames are found once, however many slices it holds.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::padding::PaddingOf;
use super::{Findings, Remark, SliceRecord, compressed_pixels, digest, fragments, native_pixels, padding};
use crate::error::Error;
use crate::header::{HeaderOutcome, SliceHeader, is_in_pixels, read_opened};
use crate::plan::{SeriesPlan, SlicePlan};
use crate::problem::Problem;
use crate::syntax::{self, Codec};

/// The bytes of a file that are at hand: all of them, or its head and one piece further on, as
/// [`SlicePlan::piece`] says for a slice.
#[derive(Clone, Copy, Debug)]
pub struct FileBytes<'a> {
    /// The first bytes.
    pub head: &'a [u8],
    /// Offset of `piece` in the file.
    pub start: u64,
    /// Some later bytes.
    pub piece: &'a [u8],
    /// Length of the file.
    pub length: u64,
}

impl<'a> FileBytes<'a> {
    /// All bytes of a file.
    pub fn whole(file: &'a [u8]) -> Self {
        let length = file.len() as u64;
        FileBytes { head: file, start: length, piece: &[], length }
    }
}

/// A file whose slices are to be decoded. Any number of threads may share it.
///
/// ```
/// use tomobasis_dicom::{FileBytes, Inventory, SeriesChoice, SliceFile, testing::DicomFile};
/// // Two frames, at 0 and 1 mm.
/// let frames = DicomFile::ct(1, 2, &[1, 2, 3, 4]).enhanced(&[(0.0, "1", "0"), (1.0, "1", "0")]).bytes();
/// let mut inventory = Inventory::new();
/// inventory.add(0, "frames.dcm", frames.len() as u64, &frames)?;
/// let plan = inventory.select(&SeriesChoice::Only)?;
/// let file = SliceFile::open(FileBytes::whole(&frames));
/// let mut pixels = [0; 2];
/// file.decode(&plan, 1, &mut pixels)?;
/// assert_eq!(pixels, [3, 4]);
/// # Ok::<(), tomobasis_dicom::Error>(())
/// ```
#[derive(Debug)]
pub struct SliceFile<'a> {
    /// The head, or all of a data set that had to be inflated.
    head: Cow<'a, [u8]>,
    start: u64,
    piece: &'a [u8],
    length: u64,
    outcome: Arc<HeaderOutcome>,
    frames: OnceLock<Result<Vec<Range<usize>>, Problem>>,
}

impl<'a> SliceFile<'a> {
    /// Reads the header. What is wrong with it is the error of [`decode`](Self::decode).
    pub fn open(bytes: FileBytes<'a>) -> Self {
        let (head, outcome) = read_opened(bytes.head, bytes.length);
        let outcome = Arc::new(outcome);
        SliceFile {
            head,
            start: bytes.start,
            piece: bytes.piece,
            length: bytes.length,
            outcome,
            frames: OnceLock::new(),
        }
    }

    /// The same file with another piece at hand. The header is not read again.
    pub fn with_piece<'b>(&'b self, start: u64, piece: &'b [u8]) -> SliceFile<'b> {
        let (head, outcome) = (Cow::Borrowed(&*self.head), Arc::clone(&self.outcome));
        SliceFile { head, start, piece, length: self.length, outcome, frames: OnceLock::new() }
    }

    /// Reads slice number `slice` of the plan, which is in this file: see [`decode`](crate::decode).
    ///
    /// # Errors
    /// As [`decode`](crate::decode).
    pub fn decode(&self, plan: &SeriesPlan, slice: usize, out: &mut [i16]) -> Result<SliceRecord, Error> {
        let (what, mut findings) = self.stored(plan, slice, out)?;
        let (digest, secret) = digest::both_of_stored(out, what.offset);
        findings.padding = padding::replace(plan, what, out);
        Ok(SliceRecord { digest, secret, findings })
    }

    /// SHA-256 of the entries that the slice's pixels are in the matrix, padding apart: equal for slices that are the same however
    /// they are stored and rescaled.
    ///
    /// # Errors
    /// As [`decode`](crate::decode).
    pub fn entries(&self, plan: &SeriesPlan, slice: usize, out: &mut [i16]) -> Result<[u8; 32], Error> {
        let (what, _) = self.stored(plan, slice, out)?;
        Ok(digest::of_entries(out, what, PaddingOf::found(plan, what, out)))
    }

    /// The pixels as they are stored, padding too, less the slice's offset, which is returned.
    ///
    /// # Errors
    /// As [`decode`](crate::decode).
    pub fn pixels(&self, plan: &SeriesPlan, slice: usize, out: &mut [i16]) -> Result<i32, Error> {
        Ok(self.stored(plan, slice, out)?.0.offset)
    }

    fn stored<'p>(
        &self,
        plan: &'p SeriesPlan,
        slice: usize,
        out: &mut [i16],
    ) -> Result<(&'p SlicePlan, Findings), Error> {
        let (Some(what), Some(label)) = (plan.slices.get(slice), plan.file_label(slice)) else {
            return Err(Error::Argument(format!("slice {slice} of {} was asked for", plan.slices.len())));
        };
        if out.len() != plan.pixels() {
            let text = format!("room for {} pixels was given, slices have {}", out.len(), plan.pixels());
            return Err(Error::Argument(text));
        }
        let read = self.read(plan, what, out).map_err(|problem| {
            let problem = match what.frames {
                1 => problem,
                _ => Problem::Frame { frame: what.frame + 1, problem: Box::new(problem) },
            };
            Error::Slice { file: label, problem, others: 0 }
        });
        read.map(|findings| (what, findings))
    }

    fn read(&self, plan: &SeriesPlan, slice: &SlicePlan, out: &mut [i16]) -> Result<Findings, Problem> {
        let mut found = Findings::default();
        let headers = match &*self.outcome {
            HeaderOutcome::Slices(headers) => headers.as_slice(),
            HeaderOutcome::Broken { problem, .. } => return Err(problem.clone()),
            _ => &[],
        };
        let header = headers.get(slice.frame as usize).filter(|header| is_planned(plan, slice, header));
        let header = header.ok_or(Problem::Changed)?;
        let codec = syntax::codec(&header.transfer_syntax);
        let codec = codec.ok_or_else(|| Problem::Syntax { uid: header.transfer_syntax.clone() })?;
        if codec == Codec::Native {
            native_pixels(self.native_frame(header)?, header, slice.offset, out, &mut found)?;
            return Ok(found);
        }
        let start = usize::try_from(header.pixel_offset).map_err(|_| Problem::Changed)?;
        let frames = self.frames.get_or_init(|| fragments::frames(&self.head, start, headers));
        let range = frames.as_ref().map_err(Clone::clone)?.get(slice.frame as usize);
        let (frame, more) = fragments::joined(&self.head, range.ok_or(Problem::Changed)?.clone())?;
        if more {
            found.remark(Remark::MoreImages);
        }
        compressed_pixels(codec, &frame, header, slice.offset, out, &mut found)?;
        if slice.frames > 1 && found.has(Remark::MoreImages) {
            return Err(Problem::Fragments { what: "one frame has two codestreams" });
        }
        Ok(found)
    }

    /// The bytes of one uncompressed frame.
    fn native_frame(&self, header: &SliceHeader) -> Result<&[u8], Problem> {
        let range = header.native_range();
        let expected = range.end - range.start;
        let within = |start: u64, bytes: &'_ [u8]| -> Option<Range<usize>> {
            let from = usize::try_from(range.start.checked_sub(start)?).ok()?;
            let to = usize::try_from(range.end - start).ok()?;
            (to <= bytes.len()).then_some(from..to)
        };
        let all = header.image_bytes() * u64::from(header.frames);
        let ends_here = header.pixel_offset + all == self.length;
        let bytes = match (within(self.start, self.piece), within(0, &self.head)) {
            // Of a file that is at hand this was seen when it was opened.
            (Some(_), _) if is_in_pixels(self.piece, self.start, ends_here) => {
                return Err(Problem::AnotherFile);
            }
            (Some(range), _) => self.piece.get(range),
            (None, Some(range)) => self.head.get(range),
            _ => None,
        };
        let found = (self.head.len() as u64).saturating_sub(range.start).min(expected);
        bytes.ok_or(Problem::TooFewPixels { expected, found })
    }
}

/// Whether a header is the one that the plan was made of.
pub(crate) fn is_planned(plan: &SeriesPlan, slice: &SlicePlan, header: &SliceHeader) -> bool {
    // UIDs do not tell all slices apart: see `series::copies`.
    header.sop_instance_uid == slice.instance_uid
        && header.instance_number == slice.instance_number
        && header.position_mm == slice.origin_mm
        && (header.frame, header.frames) == (slice.frame, slice.frames)
        && (header.rows, header.columns) == (plan.rows, plan.columns)
        && header.pixels == slice.pixels
        && header.transfer_syntax == slice.transfer_syntax
        && header.rescale.values() == (slice.slope, slice.intercept)
}
