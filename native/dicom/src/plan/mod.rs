//! [`SeriesPlan`]: one chosen series, or several as one matrix, as data, sent to where its slices are decoded.

mod joint;
mod padding;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use joint::{JoinedSeries, JointPlan, UnjoinedSeries};
pub use padding::PaddingRule;

use crate::error::Error;
use crate::header::PixelFormat;
use crate::label::FileLabel;
use crate::problem::Problem;

/// A series: its slices in spatial order and what they have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesPlan {
    /// Salted id, as listings show it and `--series` takes it.
    pub id: String,
    /// Number of files in the listing, for messages.
    pub file_count: usize,
    /// Series Instance UID. Leads to a patient: not for logs.
    pub series_instance_uid: String,
    /// Frame of Reference UID, empty when absent. Not for logs.
    pub frame_of_reference_uid: String,
    /// SOP Class UID.
    pub sop_class_uid: String,
    /// Modality.
    pub modality: String,
    /// Pixel rows of a slice.
    pub rows: usize,
    /// Pixel columns of a slice.
    pub columns: usize,
    /// Distance between rows, then between columns, mm; `None` when the headers do not say it.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Median distance of consecutive slices along the normal, mm; `None` for a single position.
    pub slice_spacing_mm: Option<f64>,
    /// Angle between the line of slice positions and the slice normal, degrees.
    pub tilt_degrees: f64,
    /// Direction along a row, then along a column.
    pub orientation: [f64; 6],
    /// Unit of the rescaled values: `HU`, or what Rescale Type says.
    pub rescale_unit: String,
    /// Window center and width of the middle slice.
    pub window: Option<(f64, f64)>,
    /// What becomes of pixels that hold nothing.
    pub padding: PaddingRule,
    /// The slices, by ascending position.
    pub slices: Vec<SlicePlan>,
    /// Copies of slices, and what seem to be: see [`comparison`](Self::comparison).
    #[serde(default)]
    pub copies: Vec<SliceCopy>,
    /// How many slices `--on-bad-slice skip` left out.
    #[serde(default)]
    pub skipped: usize,
    /// Positions along the normal of slices that `--on-bad-slice skip` left out, where they are known, mm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_mm: Vec<f64>,
    /// What is not used of the input, and why.
    pub left_out: Vec<Note>,
    /// What is odd about the series.
    pub warnings: Vec<Note>,
    /// The series that it is of, where they are several: see [`Inventory::select_joint`](crate::Inventory::select_joint).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint: Option<Box<JointPlan>>,
}

/// One slice: where it is and how its stored pixels become values:
/// `(out + offset) * slope + intercept` for an `out` of [`crate::decode`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlicePlan {
    /// Index of its file in the listing.
    pub file: usize,
    /// Salted id of the file's name.
    pub file_id: String,
    /// Frame in the file, from 0.
    pub frame: u32,
    /// Frames in the file.
    pub frames: u32,
    /// The part of a large file that is enough for this slice; `None`: all of it.
    pub piece: Option<Piece>,
    /// Image Position (Patient), mm.
    pub origin_mm: [f64; 3],
    /// Position along the slice normal, mm.
    pub position_mm: f64,
    /// Instance Number.
    pub instance_number: Option<i64>,
    /// SOP Instance UID. Leads to a patient: not for logs.
    pub instance_uid: String,
    /// Rescale Slope: the f64 nearest to the header's decimal string.
    pub slope: f64,
    /// Rescale Intercept, likewise.
    pub intercept: f64,
    /// What is taken off stored pixels so that they fit `i16`: 0, or 32768 for unsigned 16-bit series.
    pub offset: i32,
    /// Pixel Padding Value and Range Limit, ascending: stored pixels from the first to the second hold nothing.
    pub padding: Option<[i32; 2]>,
    /// The stored value of all four corners where that is padding too, once the slice was decoded.
    pub corner_padding: Option<i32>,
    /// Whether its codestream turned out to be lossy under a lossless transfer syntax, once the slice was decoded.
    pub lossy_codestream: bool,
    /// Transfer Syntax UID.
    pub transfer_syntax: String,
    /// How its pixels are stored.
    pub pixels: PixelFormat,
}

impl SlicePlan {
    /// Least and greatest stored value of the slice's pixel format.
    #[must_use]
    pub fn stored_range(&self) -> (i32, i32) {
        let bits = u32::from(self.pixels.bits_stored);
        if self.pixels.signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
    }
}

/// A slice that is not used, since it repeats another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceCopy {
    /// The place of the slice that it repeats.
    pub of: usize,
    /// Itself.
    pub copy: SlicePlan,
    /// Whether its pixels have been compared.
    pub proven: bool,
}

/// The bytes of an uncompressed multi-frame file that one of its slices needs: its head, and its own pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Bytes of the head.
    pub head: u64,
    /// Offset of the pixels.
    pub start: u64,
    /// Offset of their end.
    pub end: u64,
}

/// Something to tell the user about the input, free of patient data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// One sentence.
    pub text: String,
}

/// What a [`Note`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoteKind {
    /// Files that are not DICOM, or no images.
    NotImages,
    /// Special files, links that lead nowhere, what cannot be opened or unpacked.
    NotRead,
    /// Slices of other series.
    OtherSeries,
    /// Files that cannot be used and belong to no series, or repeat a slice.
    Stray,
    /// Localizer images of the same series.
    Localizer,
    /// Derived images: left out, or the series itself.
    Derived,
    /// Several volumes taken as one, with `--join`.
    Joined,
    /// A Series Instance UID for each slice.
    SeriesUids,
    /// Copies of the same instance.
    Duplicate,
    /// Several slices at one position.
    SamePosition,
    /// Uneven distances between slices.
    Gap,
    /// Gantry tilt.
    Tilt,
    /// Positions that leave a straight line.
    Displaced,
    /// No rescale in a CT header, or half of one.
    NoRescale,
    /// UIDs that are absent or do not tell slices apart.
    Identity,
    /// No usable Pixel Spacing.
    PixelSpacing,
    /// Attributes that differ between slices.
    Uneven,
    /// Pixel data longer than the image.
    SpareBytes,
    /// Pixels that hold nothing.
    Padding,
    /// A slice that cannot be used, with `--on-bad-slice skip`.
    Skipped,
    /// Lossy compression somewhere in the images' history.
    Lossy,
    /// Something in the bits above Bits Stored.
    SpareBits,
    /// A codestream that deviates from its standard without harm.
    Codestream,
}

impl SeriesPlan {
    /// Pixels of one slice.
    pub fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// The slices of each file, in the order of their frames; files in the order of their first slices.
    pub fn slices_by_file(&self) -> Vec<Vec<usize>> {
        let mut places = BTreeMap::new();
        let mut files: Vec<Vec<usize>> = Vec::new();
        for (number, slice) in self.slices.iter().enumerate() {
            let place = *places.entry(slice.file).or_insert(files.len());
            match files.get_mut(place) {
                Some(file) => file.push(number),
                None => files.push(vec![number]),
            }
        }
        for file in &mut files {
            file.sort_by_key(|&number| self.slices.get(number).map(|slice| slice.frame));
        }
        files
    }

    /// The name of a slice's file in messages; `None` when there is no such slice.
    pub fn file_label(&self, slice: usize) -> Option<FileLabel> {
        self.slices.get(slice).map(|slice| self.label_of(slice))
    }

    /// Refuses pixels that are not the ones that were read before: both are digests of all slices, in series order.
    ///
    /// # Errors
    /// `Slice` for the first that differs, `Argument` when they are not of this many slices.
    pub fn check_same_pixels(&self, before: &[[u8; 32]], now: &[[u8; 32]]) -> Result<(), Error> {
        if before.len() != self.slices.len() || now.len() != self.slices.len() {
            let (before, now, slices) = (before.len(), now.len(), self.slices.len());
            return Err(Error::Argument(format!(
                "{before} and {now} digests do not belong to {slices} slices"
            )));
        }
        let differ = |&slice: &usize| before.get(slice) != now.get(slice);
        let mut changed = (0..self.slices.len()).filter(differ);
        match changed.next().and_then(|slice| self.file_label(slice)) {
            Some(file) => Err(Error::Slice { file, problem: Problem::Changed, others: changed.count() }),
            None => Ok(()),
        }
    }

    pub(crate) fn label_of(&self, slice: &SlicePlan) -> FileLabel {
        FileLabel { index: slice.file, count: self.file_count, id: slice.file_id.clone() }
    }
}
