//! One series of many: from its files to its result, wherever that goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use serde::Serialize;
use tomobasis_dicom::{SeriesEntry, SeriesPlan};

use super::{kept, work::Work};
use crate::{
    commands::runner::Runner,
    error::{Error, Result},
    input::{files::ScanFiles, listing::InputFile},
    options::Options,
    output::tables::{SeriesRow, State, read_series_index},
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
    /// Root digest; of a denoised series, the digest of its pixels.
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
/// Those of a decomposition, or of denoising, and of `place`.
pub fn make(
    plan: SeriesPlan,
    files: BTreeMap<usize, InputFile>,
    options: &Options,
    threads: usize,
    place: &impl Place,
) -> Result<Outcome> {
    let began = Instant::now();
    tomobasis_linalg::check_machine()?;
    let work = Work::of(options);
    let mut runner = work.runner(threads, options)?;
    let files = ScanFiles::Some { count: plan.file_count, files };
    let plan = runner.compare_copies(plan, &files, options.on_bad_slice)?;
    let mut scan = work.read(&mut runner, plan, files, options)?;
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
    let root = work.make(&mut runner, &mut scan, options, of_run, write)?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Outcome { fingerprint, made: Some(Made { root, left_out, seconds }) })
}

/// Bytes of memory that [`make`] needs at the most, `held` bytes of files aside.
#[must_use]
pub fn memory(plan: &SeriesPlan, options: &Options, threads: usize) -> u64 {
    let need = Work::of(options).memory(plan, options, threads);
    // What decoders take beside a file that is at hand: 12 bytes for a pixel at the most.
    let decoders = 12 * plan.pixels() as u128 * threads as u128;
    u64::try_from(need + decoders).unwrap_or(u64::MAX)
}

/// Rows of series that are still to be made take over what an earlier index says was done with these options, as far as the result's
/// folder is among the `names` in the output: until a run has looked at a series again, its result is there. An index that cannot be
/// read says nothing.
pub fn take_over(rows: &mut [SeriesRow], earlier: Option<Vec<u8>>, names: &[String], options: Digest) {
    let Some(earlier) = earlier.and_then(|index| read_series_index(index).ok()) else { return };
    let (options, there) = (options.to_string(), names.iter().collect::<BTreeSet<_>>());
    let done =
        |row: &SeriesRow| row.state == State::Done && row.options == options && there.contains(&row.folder);
    let mut done: BTreeMap<String, SeriesRow> =
        earlier.into_iter().filter(done).map(|row| (row.folder.clone(), row)).collect();
    for row in rows.iter_mut().filter(|row| row.state == State::Pending) {
        let size = |row: &SeriesRow| (row.slices, row.rows, row.columns);
        if let Some(before) = done.remove(&row.folder).filter(|before| size(before) == size(row)) {
            *row = SeriesRow { series: std::mem::take(&mut row.series), kept: true, ..before };
        }
    }
}

/// A series as it is found: the index's row, and the plan of one of which something is to be made. `plan` is that of `entry`.
#[must_use]
pub fn found(
    entry: &SeriesEntry,
    plan: Option<Result<SeriesPlan>>,
    options: &Options,
) -> (SeriesRow, Option<SeriesPlan>) {
    let work = Work::of(options);
    let left_out = |why: &str| (entry_row(entry, State::Skipped, why.to_owned(), 0), None);
    let failed =
        |error: &Error| (entry_row(entry, State::Failed, error.to_string(), error.exit_code()), None);
    match plan {
        None => left_out(entry.why_left_out),
        Some(Err(error)) => failed(&error),
        Some(Ok(plan)) => match (work.why_left_out(&plan), work.check(&plan)) {
            (Some(why), _) => left_out(&why),
            (None, Err(error)) => failed(&error),
            (None, Ok(())) => (entry_row(entry, State::Pending, String::new(), 0), Some(plan)),
        },
    }
}

fn entry_row(entry: &SeriesEntry, state: State, error: String, exit_code: u8) -> SeriesRow {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    SeriesRow {
        series: entry.id.clone(),
        folder: entry.folder.clone(),
        state,
        slices: count(entry.slices),
        rows: count(entry.rows),
        columns: count(entry.columns),
        error,
        exit_code: exit_code.into(),
        ..SeriesRow::default()
    }
}
