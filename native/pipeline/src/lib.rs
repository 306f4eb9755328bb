//! From a CT series to a result folder.
//!
//! The stages, which the command runs in one process and the Spark job distributes; both call the same functions:
//!
//! | stage | where | what |
//! |---|---|---|
//! | scan | driver | [`input::inventory`]: list files, read headers, choose the series: a `SeriesPlan` |
//! | decode | one task per group of slices | `tomobasis_dicom::decode`: stored pixels and, per slice, a digest and what was found |
//! | gram | per row block | `tomobasis_linalg::GramAccumulator`: exact, any order (with `tsqr`, `dssvd` and `dspca`: [`solve::passes`]) |
//! | decompose | driver | [`solve::Decomposition`]: `s` and `V`, correctly rounded |
//! | render | per row block | [`blocks::BlockRenderer`]: `U`, its digest, its Parquet file, its pixels of every picture, composites (`--emit dicom`) |
//! | derive | per run of slices | [`output::dicom::DerivedSlices`]: derived DICOM instances |
//! | finish | driver | [`result::finish`]: tables, pictures, report, manifest |
//!
//! A module calls only modules above it in this table, and only those named; `tests/modules.rs` fails
//! otherwise. A new output format is a folder in `output` and a line where its list is used: [`blocks::BlockRenderer`] for what is made
//! of row blocks, [`result::finish`] for the rest.
//!
//! | module | what it is | calls |
//! |---|---|---|
//! | [`os`] | what operating systems do differently: renames, errors, places in files, memory | |
//! | [`limits`] | what limits the memory of this process | `os` |
//! | [`hadoop`] | failures of Hadoop's file systems, in words | |
//! | [`error`](Error) | what can go wrong, in words; exit codes | `hadoop`, `limits`, `os` |
//! | [`progress`] | who is told how far a run is | |
//! | [`memory`] | refusals of what needs more memory than there is; the thread pool | `error`, `limits` |
//! | [`options`] | what is asked for, in types; no command line | `error` |
//! | [`input`] | files to stored pixels, or to the numbers of a matrix; its row blocks | `error`, `limits`, `options`, `os`, `progress` |
//! | [`solve`] | sums and passes to `s` and `V`; digests | `error`, `input`, `memory`, `options` |
//! | [`output`] | the formats, each with the names of its files: tables, pictures, derived DICOM, report | `error`, `input`, `options`, `solve` |
//! | [`blocks`] | one row block: `U`, composites, what each format makes of it | `error`, `input`, `options`, `output`, `solve` |
//! | [`need`] | the memory that a run needs, stage by stage | `blocks`, `error`, `input`, `limits`, `memory`, `options`, `output`, `solve` |
//! | [`result`] | the result folder: manifest, writing it whole, reading and checking it | `blocks`, `error`, `input`, `options`, `os`, `output`, `progress`, `solve` |
//! | [`commands`] | what a user asks for, each with its arguments: decompose, denoise, render, verify, certify, attest, paper, compare; reference matrices, scores | `blocks`, `error`, `input`, `limits`, `memory`, `need`, `options`, `output`, `progress`, `result`, `solve` |
//!
//! What a result is, to the byte, is `docs/format.md`.

#![deny(unsafe_code)]

pub mod blocks;
pub mod commands;
mod error;
pub mod hadoop;
pub mod input;
pub mod limits;
pub mod memory;
pub mod need;
pub mod options;
pub mod os;
pub mod output;
pub mod progress;
pub mod result;
pub mod solve;

pub use error::{Error, FolderKind, Result, is_no_fault_of_input};

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
