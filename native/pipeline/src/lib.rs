//! From a CT series to a result folder.
//!
//! The stages, which the command runs in one process and the Spark job distributes; both call the same functions:
//!
//! | stage | where | what |
//! |---|---|---|
//! | scan | driver | [`scan`]: list files, read headers, choose the series: a `SeriesPlan` |
//! | decode | one task per group of slices | `tomobasis_dicom::decode`: stored pixels and, per slice, a digest and what was found |
//! | gram | per row block | `tomobasis_linalg::GramAccumulator`: exact, any order (with `tsqr`, `dssvd` and `dspca`: [`pass`]) |
//! | decompose | driver | [`Decomposition`]: `s` and `V`, correctly rounded |
//! | render | per row block | [`BlockRenderer`]: `U`, its digest, its Parquet file, its pixels of every picture, composites (`--emit dicom`) |
//! | derive | per run of slices | [`derived::DerivedSlices`]: derived DICOM instances |
//! | finish | driver | [`result::finish`]: tables, pictures, report, manifest |
//!
//! [`run`] is the in-process run, [`verify`] compares a result with its input, [`mod@compare`] two results, [`mod@render`] draws a result's
//! pictures again, [`options`] is the one command line. What a result is, to the byte, is `docs/format.md`.

#![deny(unsafe_code)]

pub mod blocks;
pub mod commands;
mod error;
pub mod input;
pub mod limits;
pub mod memory;
pub mod need;
pub mod options;
pub mod output;
pub mod progress;
pub mod result;
pub mod solve;

pub use error::{Error, Result, is_no_fault_of_input};

/// Shows the log on stderr, unless the process has another one. What it says of names from outside does not reach the terminal as
/// commands to it.
pub fn log_to_stderr() {
    use std::io::Write;
    let line = |out: &mut env_logger::fmt::Formatter, record: &log::Record<'_>| {
        let text = tomobasis_dicom::printable(&record.args().to_string());
        writeln!(out, "[{} {}] {text}", record.level(), record.target())
    };
    let _earlier = env_logger::builder().filter_level(log::LevelFilter::Debug).format(line).try_init();
}
