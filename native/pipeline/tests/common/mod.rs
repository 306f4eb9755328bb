//! A small synthetic series, and running on it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tomobasis_dicom::testing::DicomFile;
use tomobasis_pipeline::{
    Error,
    commands::decompose::{self, JobArgs, Outcome},
    options::Options,
    progress::Silent,
};

/// Rows and columns of a slice: three row blocks, the last one short.
pub const SIZE: (u16, u16) = (90, 100);
/// Slices.
pub const SLICES: usize = 9;

/// Stored pixels of a slice: a disc that grows from slice to slice, and noise from a linear congruential generator.
pub fn slice(j: usize) -> Vec<i16> {
    let mut state = 1 + j as u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 58) as i16
    };
    let (rows, columns) = (i32::from(SIZE.0), i32::from(SIZE.1));
    let radius = 10 + 3 * j as i32;
    let disc = |i: i32| {
        let (y, x) = (i / columns - rows / 2, i % columns - columns / 2);
        if x * x + y * y < radius * radius { 1100 } else { 30 }
    };
    (0..rows * columns).map(|i| disc(i) + noise()).collect()
}

/// Slice `j` as a DICOM file.
pub fn file(j: usize, pixels: &[i16]) -> DicomFile {
    DicomFile::ct(SIZE.0, SIZE.1, pixels).number(1 + j as u32).position(0.0, 0.0, 2.5 * j as f64).text(
        (0x0028, 0x1052),
        "DS",
        "-1024",
    )
}

/// Writes the series into `folder`, in an order of names that is not the one of positions.
pub fn write_series(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for j in 0..SLICES {
        fs::write(folder.join(format!("{}.dcm", j * 7 % SLICES)), file(j, &slice(j)).bytes()).unwrap();
    }
}

/// A temporary folder with a series in it.
pub fn series() -> (tempfile::TempDir, PathBuf) {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    write_series(&input);
    (base, input)
}

/// Options from a command line, as the command gets them.
pub fn options(input: &Path, output: &Path, more: &str) -> Result<Options, Error> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        job: JobArgs,
    }
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let words =
        ["tomobasis", "--input", input, "--output", output].into_iter().chain(more.split_whitespace());
    <Line as clap::Parser>::try_parse_from(words).unwrap().job.resolve()
}

/// Decomposes on this many threads.
pub fn decompose(input: &Path, output: &Path, more: &str, threads: usize) -> Result<Outcome, Error> {
    decompose::decompose(options(input, output, more)?, threads, &Silent)
}
