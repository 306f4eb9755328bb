//! What is written: tables, pictures, derived DICOM, text, SequenceFiles, the report.

pub mod dicom;
pub mod drm;
mod file;
pub mod measured;
pub(crate) mod pictures;
pub(crate) mod report;
pub mod tables;
pub mod text;

pub use self::file::{FileDigest, NamedFile};

/// Names of what a result may hold beside its manifest; files and folders.
pub const CONTENTS: [&str; 10] = [
    report::REPORT,
    tables::SINGULAR_VALUES,
    tables::WEIGHTS,
    tables::SERIES,
    tables::SERIES_WEIGHTS,
    tables::BASIS,
    pictures::FOLDER,
    dicom::FOLDER,
    text::FOLDER,
    drm::FOLDER,
];
