//! What is written: tables, pictures, derived DICOM, the report.

pub mod dicom;
mod file;
pub(crate) mod pictures;
pub(crate) mod report;
pub mod tables;

pub use self::file::{FileDigest, NamedFile};

/// Names of what a result may hold beside its manifest; files and folders.
pub const CONTENTS: [&str; 6] = [
    report::REPORT,
    tables::SINGULAR_VALUES,
    tables::WEIGHTS,
    tables::BASIS,
    pictures::FOLDER,
    dicom::FOLDER,
];
