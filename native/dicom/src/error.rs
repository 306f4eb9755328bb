//! The errors of this crate. Their texts are for the user's terminal: one line that names the file (by
//! [`FileLabel`]) or the option, says what was found and what to do. None contains patient data.

use crate::label::FileLabel;
use crate::problem::Problem;

/// Whose fault an error is; the commands turn it into their exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Options or arguments.
    Usage,
    /// The input data.
    Input,
}

/// What can go wrong between bytes and slices.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was listed.
    #[error("the input holds no files; name a folder, an object-store prefix or a file with --input")]
    NoFiles,
    /// Files, but no DICOM.
    #[error("none of the {files} files of the input is DICOM; {}", instead_of(packed))]
    NoDicom {
        /// Files seen.
        files: usize,
        /// Archives and compressed files among them, with counts.
        packed: String,
    },
    /// DICOM, but no slices.
    #[error(
        "the input has {dicom} DICOM files, but no slices among them ({kinds}); \
             name the folder of a CT series with --input"
    )]
    NoSlices {
        /// DICOM files seen.
        dicom: usize,
        /// What they are, with counts.
        kinds: String,
    },
    /// One slice cannot be used.
    #[error("{file}: {problem}{}", more(*others))]
    Slice {
        /// Where it is.
        file: FileLabel,
        /// What is wrong.
        problem: Problem,
        /// Further slices that cannot be used, for this or another reason.
        others: usize,
    },
    /// Two files claim to be the same instance and differ.
    #[error(
        "{first} and {second} have the same SOP Instance UID but differ; remove the one that does not belong"
    )]
    DuplicateInstance {
        /// The one listed first.
        first: FileLabel,
        /// The other.
        second: FileLabel,
    },
    /// Two slices of one volume have one place, and other pixels.
    #[error(
        "{first} and {second} have the same position but other pixels, and no attribute tells two scans apart (so at {at} of \
             {positions} positions); remove the one that does not belong{}",
        if *join { ", or take all slices as one matrix with --join" } else { "" }
    )]
    DuplicateSlice {
        /// The one listed first.
        first: FileLabel,
        /// The other.
        second: FileLabel,
        /// At how many positions there are such slices.
        at: usize,
        /// Positions of the volume.
        positions: usize,
        /// Whether `--join` can be given.
        join: bool,
    },
    /// Most positions of one volume have another beside them.
    #[error(
        "{first} and {second} lie {mm} mm from each other, and so do slices at {at} of {positions} positions, as if the scan had been \
             repeated slightly beside itself; remove the slices that do not belong{}",
        if *join { ", or take all as one matrix with --join" } else { "" }
    )]
    RepeatedBeside {
        /// The one listed first.
        first: FileLabel,
        /// The other.
        second: FileLabel,
        /// Their distance along the normal.
        mm: Box<str>,
        /// At how many positions there are such slices.
        at: usize,
        /// Positions of the volume, those beside each other taken as one.
        positions: usize,
        /// Whether `--join` can be given.
        join: bool,
    },
    /// A series was to be chosen and was not.
    #[error(
        "the input holds {count} series; choose one with --series ID, or the largest with \
             --series largest:\n{listing}"
    )]
    SeveralSeries {
        /// How many.
        count: usize,
        /// One line each, as [`crate::SeriesSummary`] displays.
        listing: String,
    },
    /// All series where one is used.
    #[error("--series all: one series is used here; leave --series out, or name it with --series ID")]
    AllSeries,
    /// `--series largest` fits several.
    #[error(
        "--series largest: {count} series have {slices} slices each; choose one with --series ID:\n{listing}"
    )]
    EquallyLarge {
        /// How many.
        count: usize,
        /// Slices of each.
        slices: usize,
        /// One line each.
        listing: String,
    },
    /// `--series` fits nothing.
    #[error(
        "--series names no series of the input; give a Series Instance UID or one of these ids:\n{listing}"
    )]
    UnknownSeries {
        /// One line each.
        listing: String,
    },
    /// Only series that are not chosen by themselves.
    #[error(
        "the input holds only localizer images; choose a series with --series ID if that is what you want:\n{listing}"
    )]
    OnlyLeftOut {
        /// One line each.
        listing: String,
    },
    /// `--basis joint` without a series that can be used.
    #[error("--basis joint: none of the {series} series can be decomposed ({why}); see tomobasis inspect")]
    NoneToJoin {
        /// How many were meant.
        series: usize,
        /// What is wrong with the first.
        why: String,
    },
    /// The slices of one series do not make one volume.
    #[error(
        "the slices of series {id} have different {differences}{agreement}; remove those that do not belong, or \
             choose a part with --series ID{join}:\n{listing}"
    )]
    Mixed {
        /// Salted id of the series.
        id: String,
        /// `sizes`, `orientations`, ...
        differences: String,
        /// How many slices of two parts are the same, if that is most of them.
        agreement: String,
        /// Whether that is all, or `--join` takes volumes as one.
        join: &'static str,
        /// One line per part.
        listing: String,
    },
    /// `--on-bad-slice skip` with too many bad slices.
    #[error(
        "--on-bad-slice skip: {skipped} of {total} slices cannot be used, more than a tenth; see tomobasis inspect, \
             and copy the series again from its source"
    )]
    TooManySkipped {
        /// Slices that would be skipped.
        skipped: usize,
        /// Slices of the series.
        total: usize,
    },
    /// `--on-bad-slice skip` would leave a hole.
    #[error(
        "--on-bad-slice skip: without {skipped} of {total} slices, consecutive ones are up to {step_mm} mm apart where \
             {spacing_mm} mm is usual; copy the series again from its source"
    )]
    SkippedHole {
        /// Slices that would be skipped.
        skipped: usize,
        /// Slices of the series.
        total: usize,
        /// Longest step.
        step_mm: String,
        /// Usual step.
        spacing_mm: String,
    },
    /// `--on-bad-slice skip` would leave out nobody knows how much.
    #[error(
        "--on-bad-slice skip: {file} cannot be used and may hold any number of slices; mend it, copy it again from its \
             source, or remove it"
    )]
    SkippedUnknown {
        /// Where it is.
        file: FileLabel,
    },
    /// `--on-bad-slice skip` would shorten the scan.
    #[error(
        "--on-bad-slice skip: without {skipped} of {total} slices, {missing} consecutive ones are missing at an end of the scan, or \
             may be; copy the series again from its source"
    )]
    SkippedEnd {
        /// Slices that would be skipped.
        skipped: usize,
        /// Slices of the series.
        total: usize,
        /// How many of them may be consecutive at one end.
        missing: usize,
    },
    /// Arguments that contradict each other: a fault of the caller.
    #[error("{0}")]
    Argument(String),
}

impl Error {
    /// The same without the advice to give `--join`, for callers that do not have it.
    #[must_use]
    pub fn without_join(mut self) -> Self {
        match &mut self {
            Error::DuplicateSlice { join, .. } | Error::RepeatedBeside { join, .. } => *join = false,
            Error::Mixed { join, .. } => *join = "",
            _ => {}
        }
        self
    }

    /// Whether the options or the data are to blame.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::SeveralSeries { .. }
            | Error::AllSeries
            | Error::EquallyLarge { .. }
            | Error::UnknownSeries { .. }
            | Error::Mixed { .. }
            | Error::Argument(_) => ErrorKind::Usage,
            _ => ErrorKind::Input,
        }
    }

    /// Index in the listing of the file at fault, for callers that may show its path.
    pub fn file(&self) -> Option<usize> {
        match self {
            Error::Slice { file, .. }
            | Error::DuplicateInstance { first: file, .. }
            | Error::DuplicateSlice { first: file, .. }
            | Error::RepeatedBeside { first: file, .. } => Some(file.index),
            _ => None,
        }
    }
}

/// What to name in place of files that are not DICOM.
fn instead_of(packed: &str) -> String {
    match packed {
        "" => "name the folder of a CT series with --input".to_owned(),
        _ => format!("some are packed ({packed}): unpack them, or name one zip or tar with --input"),
    }
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and 1 more file has a problem)".to_owned(),
        n => format!(" (and {n} more files have problems)"),
    }
}
