//! A scan in memory, without a decomposition.

use tomobasis_dicom::{Note, SeriesPlan};

use super::runner::Runner;
use crate::{
    error::Result,
    input::{listing, matrix::Values},
    options::Options,
    progress::Progress,
    solve::digest::Digest,
};

/// The stored pixels of a series, and what they mean.
#[derive(Debug)]
pub struct StoredScan {
    /// The series: its slices in spatial order, their positions and rescales.
    pub plan: SeriesPlan,
    /// Stored pixels, less each slice's offset: slice after slice, each in row-major order; padding replaced as the options say.
    pub pixels: Vec<i16>,
    /// The digest `pixels` of a result: of the stored pixels before padding was replaced.
    pub digest: Digest,
    /// What is to be told of the series and of its decoded slices: left out, odd, replaced.
    pub notes: Vec<Note>,
}

/// Reads the series that the options name, as a decomposition does, on `threads` threads (0: one per core).
///
/// # Errors
/// Those of a decomposition of this input.
pub fn read_scan(options: &Options, threads: usize, progress: &dyn Progress) -> Result<StoredScan> {
    let mut runner = Runner::with_stages(threads, progress, 0, 2)?;
    let scan = runner.read(listing::list(&options.input)?, options, |_, _| Ok(()))?;
    let mut notes = tomobasis_dicom::notes(&scan.plan, &scan.records);
    notes.splice(0..0, scan.plan.left_out.iter().chain(&scan.plan.warnings).cloned());
    let digest = scan.pixels_digest();
    let pixels = match scan.values {
        Values::Stored(pixels) => pixels,
        Values::Signed8(values) => values.into_iter().map(i16::from).collect(),
        Values::Unsigned8(values) => values.into_iter().map(i16::from).collect(),
        Values::Real(_) => Vec::new(),
    };
    Ok(StoredScan { plan: scan.plan, pixels, digest, notes })
}
