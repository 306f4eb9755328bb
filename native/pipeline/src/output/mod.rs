//! What is written: tables, pictures, derived DICOM, the report.

pub mod dicom;
pub(crate) mod pictures;
pub(crate) mod report;
pub mod tables;
