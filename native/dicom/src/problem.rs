//! What can be wrong with one slice. Each text says what was found, what was expected and, where it is not
//! obvious, what to do; [`crate::Error::Slice`] puts the file in front.
//!
//! A broken file may have any text, a name or a date of birth, in any element. So no value is quoted but by `shown`, elements are
//! named only if the standard has them, and of UIDs only those of the standard are given.

use dicom_core::Tag;
use dicom_core::dictionary::{DataDictionary, TagRange};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_dictionary_std::tags;

use crate::syntax;
use crate::unread::Unread;

/// The reason why a file that holds an image cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A required element is absent or empty.
    #[error("{} is missing: it is needed to read a slice and to place it in space", name(*tag))]
    Missing {
        /// The element.
        tag: Tag,
    },
    /// An element has a value that cannot be used.
    #[error("{} is {found}: expected {expected}", name(*tag))]
    Value {
        /// The element.
        tag: Tag,
        /// The value as it may be shown.
        found: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// An element stands where the standard has none (PS3.5 section 7.1: elements ascend).
    #[error(
        "{} stands behind the pixel data, where some readers see it and others do not; \
         put the elements in order with a DICOM toolkit (dcmconv)",
        name(*tag)
    )]
    BehindPixels {
        /// The element.
        tag: Tag,
    },
    /// Another file begins behind the data set, or in it.
    #[error(
        "another file begins in it, behind its own pixels or header; files were joined into one: separate them, or copy them again from their source"
    )]
    AnotherFile,
    /// Bytes before the file.
    #[error(
        "its DICM mark is at byte {mark} instead of 128, behind zeros or blanks: remove what is before its preamble, or copy it again from its source"
    )]
    Displaced {
        /// Where the mark is.
        mark: usize,
    },
    /// An element is there more than once, with different values.
    #[error(
        "{} occurs twice, with different values; find out which is right, and write the file again with one",
        name(*tag)
    )]
    Twice {
        /// The element.
        tag: Tag,
    },
    /// The transfer syntax is known to the standard, but not decoded here.
    #[error(
        "{} is not read; convert the series to Explicit VR Little Endian first (gdcmconv --raw, dcmdjpeg, ...)",
        syntax::describe(uid)
    )]
    Syntax {
        /// Transfer Syntax UID.
        uid: String,
    },
    /// The file stops inside an element, or inside a fragment of its compressed pixels.
    #[error("the file is truncated: it ends at byte {length}, inside {}; copy it again from its source", at(*tag))]
    Truncated {
        /// The element that the file ends in, where its tag could be read.
        tag: Option<Tag>,
        /// Length of the file.
        length: u64,
    },
    /// No pixel data were found, and what was found are no elements in order.
    #[error(
        "its header cannot be followed to the pixel data: a length in it is wrong, or it was damaged; copy it again from its source"
    )]
    OutOfStep,
    /// The file was made, and nothing was written into it: what a copy that failed leaves.
    #[error("the file is empty, or holds zeros where a header should be; copy it again from its source")]
    Blank,
    /// The file stops inside the pixel data.
    #[error(
        "the file is truncated: {present} of the {declared} bytes of its pixel data are there; \
             copy it again from its source"
    )]
    TruncatedPixels {
        /// Bytes the element declares.
        declared: u64,
        /// Bytes up to the end of the file.
        present: u64,
    },
    /// The pixel data element is shorter than rows x columns x bytes.
    #[error(
        "its pixel data has {found} bytes, {expected} are needed for its size; \
             the header and the pixels do not belong together"
    )]
    TooFewPixels {
        /// Bytes needed.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// A Siemens mosaic.
    #[error(
        "it is a mosaic (Image Type MOSAIC), all slices of a volume as tiles of one image, which is not unpacked; \
         convert it to one slice per image first"
    )]
    Mosaic,
    /// More of the file would have to be read for its header than headers have.
    #[error(
        "its header is longer than {limit} bytes, values that are not needed aside; convert it with a DICOM toolkit"
    )]
    LongHeader {
        /// What is read at most.
        limit: u64,
    },
    /// Values before the pixels take more room than a file may have.
    #[error(
        "its pixel data begins at byte {offset}; files are read up to byte {limit}; convert it with a DICOM toolkit"
    )]
    FarPixels {
        /// Where it begins.
        offset: u64,
        /// How far a file may be read.
        limit: u64,
    },
    /// Something of the input that is not read and may be a slice of the series.
    #[error("it may be a slice of the series, but {why}")]
    Unread {
        /// Why it is not read.
        why: Unread,
    },
    /// An image without pixel data.
    #[error("it has no pixel data, or is truncated before it")]
    NoPixels,
    /// Uncompressed by its transfer syntax, but the pixel data is encapsulated.
    #[error(
        "its transfer syntax says uncompressed, its pixel data is compressed; convert it with a DICOM toolkit"
    )]
    Encapsulated,
    /// Compressed by its transfer syntax, but the pixel data is not encapsulated.
    #[error(
        "its transfer syntax says compressed, its pixel data is not in fragments; \
         convert it with a DICOM toolkit"
    )]
    NotEncapsulated,
    /// The items that hold compressed frames are not as they should be (PS3.5 annex A.4).
    #[error(
        "the fragments of its compressed pixel data are broken: {what}; convert it with a DICOM toolkit that reads it"
    )]
    Fragments {
        /// In what.
        what: &'static str,
    },
    /// Frames cannot be told apart.
    #[error(
        "its compressed pixel data has {fragments} fragments and no table of offsets for {frames} frames; \
         convert it with a DICOM toolkit"
    )]
    FrameCount {
        /// Fragments found.
        fragments: u64,
        /// Number of Frames.
        frames: u64,
    },
    /// A deflate stream that cannot be inflated.
    #[error("its deflated data is damaged; convert it with a DICOM toolkit that reads it")]
    Deflate,
    /// A deflate stream that ends too early.
    #[error("its deflated data is truncated; copy it again from its source")]
    TruncatedDeflate,
    /// A deflate stream that is longer than it may be.
    #[error("its deflated data has more than {limit} bytes when inflated; convert it with a DICOM toolkit")]
    Inflated {
        /// What was allowed.
        limit: usize,
    },
    /// The compressed image is of another shape than the header says.
    #[error(
        "its {codec} image is {found}, the header says {expected}; \
         the header and the pixels do not belong together"
    )]
    Shape {
        /// Name of the compression.
        codec: &'static str,
        /// What the codestream says.
        found: String,
        /// What the header says.
        expected: String,
    },
    /// The compressed image cannot be decoded.
    #[error("its {codec} image cannot be decoded ({reason}); convert it with a DICOM toolkit that reads it")]
    Codestream {
        /// Name of the compression.
        codec: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// The compressed image ends too early.
    #[error("its {codec} image is truncated; copy it again from its source")]
    TruncatedCodestream {
        /// Name of the compression.
        codec: &'static str,
    },
    /// Several frames, or an enhanced class, and nothing that says where each frame lies.
    #[error(
        "it is a multi-frame image without Per-frame Functional Groups (5200,9230), which place frames in space; split \
             it into one file per slice first"
    )]
    NoFrameGroups,
    /// The header describes more or fewer frames than there are.
    #[error(
        "Number of Frames (0028,0008) is not {groups}, as many as Per-frame Functional Groups (5200,9230) describe"
    )]
    FrameGroups {
        /// Items of the sequence.
        groups: usize,
    },
    /// One of several frames cannot be used.
    #[error("frame {frame}: {problem}")]
    Frame {
        /// Number of the frame, from 1.
        frame: u32,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// The two direction vectors are no orthonormal pair.
    #[error("Image Orientation (Patient) (0020,0037) is not a pair of perpendicular unit vectors")]
    Orientation,
    /// Rescale by table.
    #[error("it has a Modality LUT Sequence (0028,3000): only Rescale Slope and Intercept are applied here")]
    ModalityLut,
    /// Items of a sequence are not as they should be (PS3.5 section 7.5).
    #[error("the items of {} are broken; repair it with a DICOM toolkit (dcmconv)", name(*tag))]
    Sequence {
        /// The outermost sequence.
        tag: Tag,
    },
    /// A slice of no series that looks like one of the series that is read.
    #[error(
        "it has no Series Instance UID (0020,000E) and lies where a slice of the series is missing or would be next; \
             give it the UID of its series, or remove it"
    )]
    NoSeries,
    /// One of the parts in which an image was written is missing.
    #[error(
        "it is a part of an image that was written in more parts than the {there} that can be read (In-concatenation \
             Total Number (0020,9163), or the highest In-concatenation Number); copy the series again from its source"
    )]
    Concatenation {
        /// Parts that are there.
        there: usize,
    },
    /// The system does not open the file.
    #[error("it cannot be opened ({reason}); check its permissions, or remove it")]
    Unreadable {
        /// The operating system's.
        reason: String,
    },
    /// What another process has found, in its words.
    #[error("{0}")]
    Told(String),
    /// Listing and reading saw different files.
    #[error("it is no longer the file that was listed; run again when nothing writes to the input")]
    Changed,
}

impl Problem {
    pub(crate) fn value(tag: Tag, found: &str, expected: &'static str) -> Self {
        Problem::Value { tag, found: shown(found), expected }
    }

    pub(crate) fn number(tag: Tag, found: impl ToString, expected: &'static str) -> Self {
        Problem::value(tag, &found.to_string(), expected)
    }
}

/// What messages show of a header's value: a whole number of one or two digits as it is, of anything else the form, up to 24 characters.
fn shown(value: &str) -> String {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.to_owned();
    }
    if value.is_empty() {
        return "empty".to_owned();
    }
    let plain = |c: char| match c {
        _ if c.is_ascii_digit() => '9',
        _ if c.is_alphabetic() => 'a',
        _ if "+-.,\\ ".contains(c) => c,
        _ => '?',
    };
    let mut form: String = value.chars().take(24).map(plain).collect();
    if value.chars().nth(24).is_some() {
        form.push_str("...");
    }
    format!("of the form \"{form}\" (9: a digit, a: a letter)")
}

/// `Rows (0028,0010)`, as the dictionary has it. Of an element that it has not, the tag may be text that was taken for one.
fn name(tag: Tag) -> String {
    let words = match tag {
        tags::IMAGE_POSITION_PATIENT => "Image Position (Patient)".to_owned(),
        tags::IMAGE_ORIENTATION_PATIENT => "Image Orientation (Patient)".to_owned(),
        _ => match by_tag(tag) {
            Some(alias) => spaced(alias),
            None => return "an element that is not in the standard".to_owned(),
        },
    };
    format!("{words} ({:04X},{:04X})", tag.group(), tag.element())
}

fn by_tag(tag: Tag) -> Option<&'static str> {
    StandardDataDictionary
        .by_tag(tag)
        .filter(|entry| matches!(entry.tag, TagRange::Single(_)))
        .map(|entry| entry.alias)
}

/// `RescaleSlope` -> `Rescale Slope`; runs of capitals (`SOPInstanceUID`) stay together.
fn spaced(keyword: &str) -> String {
    let letters: Vec<char> = keyword.chars().collect();
    let mut words = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let follows_small = i > 0 && !letters[i - 1].is_uppercase();
        let before_small = i > 0 && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (follows_small || before_small) {
            words.push(' ');
        }
        words.push(c);
    }
    words
}

fn at(tag: Option<Tag>) -> String {
    match tag {
        None => "an element's tag".to_owned(),
        Some(tag) if by_tag(tag).is_some() => format!("element ({:04X},{:04X})", tag.group(), tag.element()),
        Some(_) => "an element that is not in the standard".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_named_in_words_and_by_tag() {
        assert_eq!(name(tags::RESCALE_SLOPE), "Rescale Slope (0028,1053)");
        assert_eq!(name(tags::SOP_INSTANCE_UID), "SOP Instance UID (0008,0018)");
        assert_eq!(name(tags::IMAGE_POSITION_PATIENT), "Image Position (Patient) (0020,0032)");
    }

    #[test]
    fn of_a_value_its_form_is_shown_and_no_more_than_two_digits() {
        let form = |text: &str| format!("of the form \"{text}\" (9: a digit, a: a letter)");
        for (value, said) in [
            ("12", "12".to_owned()),
            ("-1", "-1".to_owned()),
            ("1,5", form("9,9")),
            ("-1e308", form("-9a999")),
            ("19470811", form("99999999")),
            ("DOE^JOHN", form("aaa?aaaa")),
            ("\u{1b}[31m", form("??99a")),
            ("", "empty".to_owned()),
        ] {
            assert_eq!(shown(value), said);
        }
        assert_eq!(shown(&"1".repeat(40)), form(&format!("{}...", "9".repeat(24))));
    }

    #[test]
    fn only_elements_of_the_standard_are_named() {
        for tag in [Tag(0x4F44, 0x2045), Tag(0x0009, 0x1010), Tag(0x4F45, 0x0045), Tag(0x4F44, 0)] {
            assert_eq!(
                (name(tag), at(Some(tag))),
                (at(Some(tag)), "an element that is not in the standard".to_owned())
            );
        }
        assert_eq!(at(Some(tags::PIXEL_DATA)), "element (7FE0,0010)");
    }
}
