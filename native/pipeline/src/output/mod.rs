//! What is written: tables, pictures, derived DICOM, the report.

pub mod dicom;
mod file;
pub(crate) mod pictures;
pub(crate) mod report;
pub mod tables;

pub use self::file::{FileDigest, NamedFile};
