//! One series of many: from its files to its result, wherever that goes.

use std::{collections::BTreeMap, time::Instant};

use serde::Serialize;
use tomobasis_dicom::{SeriesEntry, SeriesPlan};

use super::kept;
use crate::{
    commands::{
        decompose::make_result,
        runner::{COMPOSITE_BYTES, Runner},
    },
    error::{Error, Result},
    input::{files::ScanFiles, listing::InputFile},
    need::{self, NO_FILES, Need},
    options::{Emit, Options},
    output::tables::{SeriesRow, State},
    progress::Silent,
    result::Environment,
    solve::{digest::Digest, fingerprint},
};

/// Where the result of a series goes.
pub trait Place: Sync {
    /// Called once, when it is known what the result would be of: what the runner says of itself, or `None` where the result is there already.
    ///
    /// # Errors
    /// Whatever keeps the result from being made there.
    fn begin(&self, fingerprint: Digest) -> Result<Option<Environment>>;

    /// Writes a file of the result, given in pieces, from any thread; the manifest comes last.
    ///
    /// # Errors
    /// Whatever keeps the file from being written.
    fn write(&self, path: &str, pieces: &[&[u8]]) -> Result<()>;
}

/// A result that was made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Made {
    /// Root digest.
    pub root: Digest,
    /// Slices that were left out.
    pub left_out: usize,
    /// Wall-clock time.
    pub seconds: f64,
}

/// What became of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Of its slices.
    pub fingerprint: Digest,
    /// Its result; `None` where [`Place::begin`] did not want one.
    pub made: Option<Made>,
}

/// Makes the result of a planned series, on `threads` threads. The plan says of each slice at which place of a listing of
/// `plan.file_count` files its file is; `files` are those of the series, with their places.
///
/// # Errors
/// Those of a decomposition, and of `place`.
pub fn make(
    plan: SeriesPlan,
    files: BTreeMap<usize, InputFile>,
    options: &Options,
    threads: usize,
    place: &impl Place,
) -> Result<Outcome> {
    let began = Instant::now();
    tomobasis_linalg::check_machine()?;
    let mut runner = Runner::new(threads, &Silent, 0, options.emits(Emit::Dicom))?;
    let files = ScanFiles::Some { count: plan.file_count, files };
    let plan = runner.compare_copies(plan, &files, options.on_bad_slice)?;
    let scan = runner.read_planned(plan, files, options, need::check)?;
    let fingerprint = fingerprint(&scan.plan, &scan.records)?;
    let Some(mut environment) = place.begin(fingerprint)? else {
        return Ok(Outcome { fingerprint, made: None });
    };
    let (digest, left_out) = (kept::options_digest(options)?, scan.plan.skipped);
    let of_run = |runner: &Runner<'_>| {
        let Environment { cores, timings, .. } = runner.environment(String::new());
        (environment.cores, environment.timings) = (cores, timings);
        environment.more.extend([kept::section(
            fingerprint,
            digest,
            left_out,
            began.elapsed().as_secs_f64(),
        )]);
        environment
    };
    let write = |path: &str, pieces: &[&[u8]]| place.write(path, pieces);
    let (_, manifest) = make_result(&mut runner, &scan, options.clone(), of_run, write)?;
    let (root, seconds) = (manifest.digests.root, began.elapsed().as_secs_f64());
    Ok(Outcome { fingerprint, made: Some(Made { root, left_out, seconds }) })
}

/// Bytes of memory that [`make`] needs at the most, `held` bytes of files aside.
#[must_use]
pub fn memory(plan: &SeriesPlan, options: &Options, threads: usize) -> u64 {
    let need = Need::new(plan, options, NO_FILES, threads, COMPOSITE_BYTES).bytes();
    // What decoders take beside a file that is at hand: 12 bytes for a pixel at the most.
    let decoders = 12 * plan.pixels() as u128 * threads as u128;
    u64::try_from(need + decoders).unwrap_or(u64::MAX)
}

/// The index's row of a series as it is found.
#[must_use]
pub fn entry_row(entry: &SeriesEntry, problem: Option<&Error>) -> SeriesRow {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (state, error) = match problem {
        Some(problem) => (State::Failed, problem.to_string()),
        None if entry.why_left_out.is_empty() => (State::Pending, String::new()),
        None => (State::Skipped, entry.why_left_out.to_owned()),
    };
    SeriesRow {
        series: entry.id.clone(),
        folder: entry.folder.clone(),
        state,
        slices: count(entry.slices),
        rows: count(entry.rows),
        columns: count(entry.columns),
        error,
        exit_code: problem.map_or(0, |problem| problem.exit_code().into()),
        ..SeriesRow::default()
    }
}
