//! Slice headers: what a file is and, if it holds a slice, everything that grouping and decoding need.
//!
//! | file | what |
//! |---|---|
//! | `start` | preamble and meta group: where the data set begins and how it is encoded |
//! | `elements` | the scanner: one element after the other, sequences skipped |
//! | `wanted` | the elements this crate reads, picked out of one scan |
//! | `values` | header values as text and numbers |
//! | `classes` | which SOP classes are made of slices |
//! | `checks` | what must be right before a header is relied on |
//! | `slice` | [`SliceHeader`], the result |

mod checks;
mod classes;
mod elements;
mod slice;
mod start;
mod values;
mod wanted;

use std::fmt;

use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::{StandardSopClassDictionary, tags};

pub use slice::{PixelFormat, SliceHeader};

use crate::problem::Problem;
use elements::Stop;
use start::{Start, read_start};
use values::text;
use wanted::Wanted;

/// A head this long reaches the pixel data of most files.
pub const USUAL_HEAD: u64 = 16 * 1024;

/// What the beginning of a file shows.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderOutcome {
    /// The header goes on: call again with (at least) this many bytes, counted from the file's beginning.
    NeedBytes(u64),
    /// Some other kind of file.
    NotDicom,
    /// DICOM, but nothing that could belong to a series of slices.
    NotAnImage(NotAnImage),
    /// A slice that cannot be used. It matters when the chosen series is the one it belongs to.
    Broken {
        /// Its Series Instance UID, where that could be read.
        series_instance_uid: Option<String>,
        /// It is of a kind that is made of slices (CT, MR, PET), so that its series was meant to be one.
        volumetric: bool,
        /// What is wrong.
        problem: Problem,
    },
    /// The slices of the file, one per frame.
    Slices(Vec<SliceHeader>),
}

/// Why a DICOM file holds no slice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NotAnImage {
    /// A DICOMDIR.
    Directory,
    /// An object without pixels: the name of its SOP class (reports, plans, presentation states, ...).
    Object(&'static str),
    /// A colour picture, such as a screenshot or a dose report page.
    Colour,
    /// A picture without a place in space, such as a scanned document.
    NoPosition,
}

impl fmt::Display for NotAnImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAnImage::Directory => f.write_str("DICOMDIR"),
            NotAnImage::Object(name) => f.write_str(name),
            NotAnImage::Colour => f.write_str("colour picture"),
            NotAnImage::NoPosition => f.write_str("picture without a position in space"),
        }
    }
}

/// Reads the header of a file of `file_length` bytes from its first bytes, usually [`USUAL_HEAD`] of them.
///
/// Time is linear in `head`; memory is bounded by the header's few strings, whatever lengths the file declares.
pub fn read_header(head: &[u8], file_length: u64) -> HeaderOutcome {
    match classify(head, file_length) {
        Ok(outcome) => outcome,
        // Growing by doubling keeps the number of calls small for headers with large private elements.
        Err(bytes) => {
            let ahead = bytes.saturating_add(USUAL_HEAD).max(2 * head.len() as u64);
            HeaderOutcome::NeedBytes(ahead.min(file_length))
        }
    }
}

fn classify(head: &[u8], file_length: u64) -> Result<HeaderOutcome, u64> {
    let unreadable = |problem| HeaderOutcome::Broken { series_instance_uid: None, volumetric: true, problem };
    let cut = |tag| unreadable(Problem::CutInHeader { tag, length: file_length });
    let (offset, encoding, syntax, media_class, marked) = match read_start(head, file_length) {
        Ok(Start::DataSet { offset, encoding, syntax, media_class, marked }) => {
            (offset, encoding, syntax, media_class, marked)
        }
        Ok(Start::NotDicom) => return Ok(HeaderOutcome::NotDicom),
        Ok(Start::Dicomdir) => return Ok(HeaderOutcome::NotAnImage(NotAnImage::Directory)),
        Ok(Start::Deflated { syntax: uid }) => return Ok(unreadable(Problem::Syntax { uid })),
        Err(Stop::NeedBytes(bytes)) => return Err(bytes),
        Err(Stop::CutOff(tag)) => return Ok(cut(tag)),
    };
    let wanted = Wanted::read(head, file_length, offset, encoding)?;
    let string = |tag| wanted.get(tag).map(|value| text(value.bytes)).filter(|text| !text.is_empty());
    let class = string(tags::SOP_CLASS_UID).or(media_class);
    if !marked && !class.as_deref().is_some_and(|uid| uid.starts_with("1.2.840.10008.")) {
        return Ok(HeaderOutcome::NotDicom);
    }
    let volumetric = match &class {
        Some(class) => classes::is_volumetric(class),
        None => string(tags::MODALITY).is_some_and(|modality| modality == "CT"),
    };
    if !volumetric {
        if class.is_none() && wanted.cut.is_some() {
            return Ok(cut(wanted.cut.flatten()));
        }
        if let Some(reason) = reason_to_pass_over(&wanted, class.as_deref()) {
            return Ok(HeaderOutcome::NotAnImage(reason));
        }
    }
    Ok(match SliceHeader::new(&wanted, class, syntax, file_length) {
        Ok(header) => HeaderOutcome::Slices(vec![header]),
        Err(problem) => {
            let series_instance_uid = string(tags::SERIES_INSTANCE_UID);
            HeaderOutcome::Broken { series_instance_uid, volumetric, problem }
        }
    })
}

/// Why an object of a class that is not made of slices is no slice either, unless it turns out to be one.
fn reason_to_pass_over(wanted: &Wanted, class: Option<&str>) -> Option<NotAnImage> {
    let samples = wanted.get(tags::SAMPLES_PER_PIXEL).and_then(values::unsigned);
    if !wanted.describes_an_image() {
        let entry = class.and_then(|uid| StandardSopClassDictionary.by_uid(uid));
        Some(NotAnImage::Object(entry.map_or("object without pixels", |entry| entry.name)))
    } else if samples.is_some_and(|samples| samples != 1) {
        Some(NotAnImage::Colour)
    } else if wanted.get(tags::IMAGE_POSITION_PATIENT).is_none() {
        Some(NotAnImage::NoPosition)
    } else {
        None
    }
}
