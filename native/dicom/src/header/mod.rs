//! Slice headers: what a file is and, if it holds a slice, everything that grouping and decoding need.
//!
//! | file | what |
//! |---|---|
//! | `start` | preamble and meta group: where the data set begins and how it is encoded |
//! | `known` | the bytes of the file that were read so far, and which to read next |
//! | `joined` | another file behind the data set, or in it |
//! | `packed` | what else a file may be: an archive, or compressed |
//! | `elements` | the scanner: one element after the other, sequences skipped |
//! | `needed` | the elements this crate reads, picked out of one scan |
//! | `groups` | those of each frame, in the functional groups of multi-frame images |
//! | `values` | header values as text and numbers |
//! | `classes` | which SOP classes are made of slices |
//! | `format` | how pixels are stored |
//! | `acquisition` | settings and times: what tells volumes of one series apart |
//! | `checks` | what must be right before a header is relied on |
//! | `slice` | [`SliceHeader`], the result |
//! | `whole` | a whole file as its data set, for who copies it |

mod acquisition;
mod checks;
mod classes;
mod elements;
mod format;
mod groups;
mod joined;
mod known;
mod needed;
mod packed;
mod slice;
mod start;
mod values;
mod whole;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::{StandardSopClassDictionary, tags};

pub use acquisition::{Acquisition, Component};
pub(crate) use classes::is_enhanced;
pub(crate) use elements::{Element, Elements, Stop, Vr, has_long_length};
pub use format::{ByteOrder, PixelFormat, Rescale};
pub use joined::has_mark;
pub(crate) use joined::is_in_pixels;
pub(crate) use known::Known;
pub use known::LONGEST_HEADER;
use known::{Need, Pieces};
pub use packed::packed_format;
pub use slice::{Concatenation, SliceHeader};
pub(crate) use values::{text, texts};
pub(crate) use whole::DataSetBytes;

use crate::inflate::inflate_first;
use crate::problem::Problem;
use crate::syntax::EXPLICIT_LITTLE;
use needed::{NeededElements, Reach};
use start::{DataSet, Start, read_start};

/// A head this long reaches the pixel data of most files.
pub const USUAL_HEAD: u64 = 16 * 1024;

/// A deflated data set may have this many bytes when inflated: 64 slices of 512 x 512.
pub const LARGEST_INFLATED: usize = 32 << 20;

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
        /// Its Series Instance UID: empty when the header has none, `None` when it ends before that.
        series_instance_uid: Option<String>,
        /// Its SOP Instance UID, likewise.
        sop_instance_uid: Option<String>,
        /// Image Position (Patient), mm, where that much can be read.
        position_mm: Option<[f64; 3]>,
        /// It is of a kind that is made of slices (CT, MR, PET), so that its series was meant to be one.
        volumetric: bool,
        /// How many slices it has, where Number of Frames can be read or may be left out.
        slices: Option<usize>,
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
    /// A color picture, such as a screenshot or a dose report page.
    Color,
    /// A picture without a place in space, such as a scanned document.
    NoPosition,
}

impl fmt::Display for NotAnImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAnImage::Directory => f.write_str("DICOMDIR"),
            NotAnImage::Object(name) => f.write_str(name),
            NotAnImage::Color => f.write_str("color picture"),
            NotAnImage::NoPosition => f.write_str("picture without a position in space"),
        }
    }
}

/// Reads the header of a file of `file_length` bytes from its first bytes, usually [`USUAL_HEAD`] of them.
///
/// ```
/// use tomobasis_dicom::{HeaderOutcome, read_header, testing::DicomFile};
/// let file = DicomFile::ct(2, 3, &[0; 6]).position(0.0, 0.0, 5.5).bytes();
/// let length = file.len() as u64;
/// let HeaderOutcome::Slices(slices) = read_header(&file, length) else { panic!("no slices") };
/// assert_eq!((slices[0].rows, slices[0].columns, slices[0].position_mm), (2, 3, [0.0, 0.0, 5.5]));
/// // Of a file whose header goes on: how much of it is needed.
/// assert!(matches!(read_header(&file[..200], length), HeaderOutcome::NeedBytes(201..)));
/// assert_eq!(read_header(b"no DICOM", 8), HeaderOutcome::NotDicom);
/// ```
///
/// Time is linear in `head`; memory is bounded by the header's few strings, whatever lengths the file declares.
/// A deflated data set is asked for whole and inflated, up to [`LARGEST_INFLATED`] bytes.
pub fn read_header(head: &[u8], file_length: u64) -> HeaderOutcome {
    match open(Known::head(head), file_length, Reach::End) {
        Ok(opened) => opened.outcome(),
        // Growing by doubling keeps the number of calls small for headers with large private elements.
        Err(need) => {
            let ahead = need.end.saturating_add(USUAL_HEAD).max(2 * head.len() as u64);
            HeaderOutcome::NeedBytes(ahead.min(file_length))
        }
    }
}

/// Reads the header of a file of `file_length` bytes of which `head` was read, asking `more` for other parts of it. What is long
/// and not needed is skipped; of the rest at most [`LONGEST_HEADER`] bytes are read. A file that gives fewer bytes than
/// it is asked for ends there.
///
/// ```
/// use std::convert::Infallible;
/// use tomobasis_dicom::{HeaderOutcome, read_header_by, testing::DicomFile};
/// let file = DicomFile::ct(2, 3, &[0; 6]).bytes();
/// let mut read = 200;
/// let outcome = read_header_by(file[..read].to_vec(), file.len() as u64, |range| {
///     let part = file[range.start as usize..file.len().min(range.end as usize)].to_vec();
///     read += part.len();
///     Ok::<_, Infallible>(part)
/// })?;
/// assert!(matches!(outcome, HeaderOutcome::Slices(_)) && read <= file.len());
/// # Ok::<(), Infallible>(())
/// ```
///
/// # Errors
/// Those of `more`.
pub fn read_header_by<E>(
    head: Vec<u8>,
    mut file_length: u64,
    mut more: impl FnMut(Range<u64>) -> Result<Vec<u8>, E>,
) -> Result<HeaderOutcome, E> {
    let mut pieces = Pieces::new(head);
    loop {
        let need = match open(pieces.known(), file_length, Reach::End) {
            Ok(opened) => return Ok(opened.outcome()),
            Err(need) => need,
        };
        let Some(range) = pieces.next(need, file_length) else {
            return Ok(unreadable(Problem::LongHeader { limit: LONGEST_HEADER }));
        };
        let bytes = more(range.clone())?;
        let end = range.start + bytes.len() as u64;
        if end < range.end {
            file_length = end;
        }
        pieces.add(range.start, bytes);
    }
}

/// A file for decoding: the bytes that the offsets of its header count in (its `head`, or the inflated data set), and its
/// header. A head that does not reach the pixel data is that of another file than was listed.
pub(crate) fn read_opened(head: &[u8], file_length: u64) -> (Cow<'_, [u8]>, HeaderOutcome) {
    match open(Known::head(head), file_length, Reach::AtHand) {
        Ok(Opened::Inflated(bytes, outcome)) => (Cow::Owned(bytes), outcome),
        Ok(Opened::AsItIs(outcome)) => (Cow::Borrowed(head), outcome),
        Err(_) => (Cow::Borrowed(head), HeaderOutcome::NotDicom),
    }
}

enum Opened {
    AsItIs(HeaderOutcome),
    /// The data set had to be inflated to these bytes.
    Inflated(Vec<u8>, HeaderOutcome),
}

impl Opened {
    fn outcome(self) -> HeaderOutcome {
        match self {
            Opened::AsItIs(outcome) | Opened::Inflated(_, outcome) => outcome,
        }
    }
}

/// `Err` says which bytes of the file are needed.
fn open(known: Known<'_>, file_length: u64, reach: Reach) -> Result<Opened, Need> {
    let outcome = match read_start(known, file_length) {
        Ok(Start::DataSet(data_set)) => classify(known, file_length, data_set, reach)?,
        Ok(Start::NotDicom) => HeaderOutcome::NotDicom,
        Ok(Start::Displaced { mark }) => unreadable(Problem::Displaced { mark }),
        Ok(Start::Dicomdir) => HeaderOutcome::NotAnImage(NotAnImage::Directory),
        Ok(Start::Deflated { offset, syntax, media_class }) => {
            // A part of a deflate stream cannot be told from a damaged one.
            let need = Need { start: offset, end: file_length };
            let deflated = known.get(need).ok_or(need)?;
            match inflate_first(deflated, LARGEST_INFLATED) {
                // A stream that was truncated goes on in the bytes of the next file.
                _ if has_mark(deflated) => unreadable(Problem::AnotherFile),
                Ok((_, rest)) if joined::holds_a_file(rest) => unreadable(Problem::AnotherFile),
                Ok((bytes, _)) => {
                    let encoding = EXPLICIT_LITTLE;
                    let data_set = DataSet { offset: 0, encoding, syntax, media_class, marked: true };
                    // The whole data set is there, so no more bytes are asked for.
                    let outcome = classify(Known::head(&bytes), bytes.len() as u64, data_set, reach)?;
                    return Ok(Opened::Inflated(bytes, outcome));
                }
                Err(problem) => unreadable(problem),
            }
        }
        Err(Stop::Need(need)) => return Err(need),
        Err(Stop::Truncated(tag)) => unreadable(Problem::Truncated { tag, length: file_length }),
    };
    Ok(Opened::AsItIs(outcome))
}

fn unreadable(problem: Problem) -> HeaderOutcome {
    HeaderOutcome::Broken {
        series_instance_uid: None,
        sop_instance_uid: None,
        position_mm: None,
        volumetric: true,
        slices: None,
        problem,
    }
}

fn classify(
    known: Known<'_>,
    file_length: u64,
    data_set: DataSet,
    reach: Reach,
) -> Result<HeaderOutcome, Need> {
    let DataSet { offset, encoding, syntax, media_class, marked } = data_set;
    let needed = NeededElements::read(known, file_length, offset, encoding, reach)?;
    let string = |tag| needed.get(tag).map(|value| text(value.bytes));
    let class = string(tags::SOP_CLASS_UID).or(media_class);
    if !marked && !class.as_deref().is_some_and(|uid| uid.starts_with("1.2.840.10008.")) {
        return Ok(HeaderOutcome::NotDicom);
    }
    let volumetric = match &class {
        Some(class) => classes::is_volumetric(class),
        None => string(tags::MODALITY).is_some_and(|modality| modality == "CT"),
    };
    let joined = needed.ambiguous == Some(Problem::AnotherFile);
    if !volumetric && !joined {
        // What is left of a damaged header may be a part of the class, too.
        let standard = class.as_deref().and_then(|uid| StandardSopClassDictionary.by_uid(uid));
        if standard.is_none() && !needed.is_whole() {
            return Ok(unreadable(needed.why_not_whole(file_length)));
        }
        if let Some(reason) = reason_to_pass_over(&needed, class.as_deref()) {
            return Ok(HeaderOutcome::NotAnImage(reason));
        }
    }
    let slices = checks::slices_of_broken(&needed, class.as_deref());
    Ok(match SliceHeader::all(&needed, class, &syntax, file_length) {
        Ok(headers) => HeaderOutcome::Slices(headers),
        Err(problem) => {
            let known = |tag| needed.passed(tag).then(|| string(tag).unwrap_or_default());
            HeaderOutcome::Broken {
                series_instance_uid: known(tags::SERIES_INSTANCE_UID),
                sop_instance_uid: known(tags::SOP_INSTANCE_UID),
                position_mm: checks::position(&needed).ok(),
                volumetric,
                slices,
                problem,
            }
        }
    })
}

/// Why an object of a class that is not made of slices is no slice either, unless it turns out to be one.
fn reason_to_pass_over(needed: &NeededElements, class: Option<&str>) -> Option<NotAnImage> {
    let samples = needed.get(tags::SAMPLES_PER_PIXEL).and_then(values::unsigned);
    if !needed.describes_an_image() {
        let entry = class.and_then(|uid| StandardSopClassDictionary.by_uid(uid));
        Some(NotAnImage::Object(entry.map_or("object without pixels", |entry| entry.name)))
    } else if samples.is_some_and(|samples| samples != 1) {
        Some(NotAnImage::Color)
    } else if needed.get(tags::IMAGE_POSITION_PATIENT).is_none() {
        Some(NotAnImage::NoPosition)
    } else {
        None
    }
}
