//! The command: one series after the other, each on all threads.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    sync::OnceLock,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use tomobasis_dicom::SeriesPlan;

use super::{
    closing::{check, check_kind, closing_text, counted, failed_fast, is_archive, is_of_series},
    kept::{Kept, kept, options_digest},
    series::{Made, Outcome, Place, found, make, take_over},
    work::Work,
};
use crate::{
    commands::{decompose::keep_the_scan, runner::Runner, stages::StageName},
    error::{Error, FolderKind, Result},
    input::{
        inventory,
        listing::{self, InputFile, local_path},
    },
    options::Options,
    output::tables::{INDEX, SeriesRow, State, read_series_index, series_index},
    progress::Progress,
    result::{Environment, MANIFEST, StagedFolder, read_complete, refuse_inside_a_result},
    solve::digest::Digest,
};

/// The index is written again after so many times the time that this took: what an interrupted run has done is in it, and it takes
/// a few percent of the time, however many series there are.
const INDEX_PAUSE: u32 = 20;

/// What became of the series of an input.
#[derive(Debug)]
pub struct Archive {
    /// A row for each, as the index has it.
    pub rows: Vec<SeriesRow>,
    /// What else the input has, in words.
    pub of_no_series: Vec<String>,
    /// What to print.
    pub closing: String,
    /// Whether all went well.
    pub ended: Result<()>,
}

/// What `tomobasis status` says of the archive in a local folder: in words, and the rows of its index.
///
/// # Errors
/// [`Error::ResultFile`] for a folder without an index, [`Error::Option`] for one that is not local.
pub fn status(folder: &str) -> Result<(String, Vec<SeriesRow>)> {
    let index = fs::read(local_path("FOLDER", folder)?.join(INDEX)).map_err(|error| {
        Error::reading(INDEX, error, |error| {
            let problem = match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file".to_owned(),
                _ => format!("it cannot be read ({error})"),
            };
            Error::result_file(INDEX, format!("{problem}; name the output of --series all"))
        })
    })?;
    let rows = read_series_index(index)?;
    Ok((counted(&rows), rows))
}

/// Decomposes, or denoises, every series of the input into a folder of its own below the output, on `threads` threads (0: one per core).
///
/// # Errors
/// What keeps it from being done with any: options, output, an input that cannot be listed. That some series failed is in what is
/// returned.
pub fn run_all(options: &Options, threads: usize, progress: &dyn Progress) -> Result<Archive> {
    tomobasis_linalg::check_machine()?;
    let output = local_path("--output", &options.output)?;
    keep_the_scan(&options.input, &output)?;
    check_output(&output, Work::of(options).kind())?;
    let files = listing::list(&options.input)?;
    let runner = Runner::with_stages(threads, progress, 0, 2)?;
    runner.show_stage(1, StageName { name: "scan", unit: "files" }, files.len());
    let mut inventory = runner.inventory(&files)?;
    let (mut rows, mut plans) = (Vec::new(), Vec::new());
    inventory::visit_series(&mut inventory, options, |entry, plan| -> Result<()> {
        let (row, plan) = found(&entry, plan, options);
        rows.push(row);
        plans.push(plan);
        Ok(())
    })?;
    if rows.is_empty() {
        // Says why there is none.
        runner.select(&mut inventory, &files, options)?;
    }
    let of_no_series = inventory.of_no_series();
    drop((inventory, runner));
    fs::create_dir_all(&output).map_err(Error::OutputNotWritable)?;
    let run = Run { options, digest: options_digest(options)?, threads, output: &output, progress };
    let total = plans.iter().flatten().count();
    progress.stage(2, 2, "series", "series", total as u64);
    if !options.overwrite {
        let there = names(&output).map_err(Error::OutputNotWritable)?;
        take_over(&mut rows, fs::read(output.join(INDEX)).ok(), &there, run.digest);
    }
    run.write_index(&rows)?;
    let made = run.all(plans, &files, &mut rows);
    let written = run.write_index(&rows);
    made.and(written)?;
    let names = names(&output).map_err(|source| Error::Write { file: INDEX.to_owned(), source })?;
    let ended = match failed_fast(&rows).filter(|_| options.fail_fast) {
        Some(error) => Err(error),
        None => check(&rows),
    };
    let closing = closing_text(&rows, &of_no_series, &names, &options.output);
    Ok(Archive { rows, of_no_series, closing, ended })
}

/// Refuses an output that holds something else than results of such a run, whose folders are of this kind.
fn check_output(output: &Path, kind: FolderKind) -> Result<()> {
    refuse_inside_a_result("--output", output)?;
    match names(output) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::OutputNotWritable(error)),
        Ok(names) => {
            let index = match fs::read(output.join(INDEX)) {
                Ok(index) => Some(index),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(_) => return Err(Error::OutputNoArchive),
            };
            if !is_archive(&names, index) {
                return Err(Error::OutputNoArchive);
            }
            let of_series = names.iter().filter(|name| is_of_series(name));
            let first = of_series.filter_map(|name| fs::read(output.join(name).join(MANIFEST)).ok()).next();
            first.map_or(Ok(()), |manifest| check_kind(&manifest, kind))
        }
    }
}

/// What a folder holds. A name in other bytes than UTF-8 is none of ours, whatever stands for them.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

struct Run<'a> {
    options: &'a Options,
    digest: Digest,
    threads: usize,
    output: &'a Path,
    progress: &'a dyn Progress,
}

impl Run<'_> {
    /// All series that have a plan, one after the other. An error ends the run.
    fn all(&self, plans: Vec<Option<SeriesPlan>>, files: &[InputFile], rows: &mut [SeriesRow]) -> Result<()> {
        let mut next = Instant::now();
        for (i, plan) in plans.into_iter().enumerate() {
            if self.options.fail_fast && rows.iter().any(|row| row.state == State::Failed) {
                break;
            }
            let (Some(plan), Some(row)) = (plan, rows.get_mut(i)) else { continue };
            self.series(plan, files, row)?;
            self.progress.advance(1);
            let began = Instant::now();
            if began >= next {
                self.write_index(rows)?;
                next = Instant::now() + began.elapsed() * INDEX_PAUSE;
            }
        }
        Ok(())
    }

    /// One series: its row says what became of it. An error is none of the series, but of the run.
    fn series(&self, plan: SeriesPlan, files: &[InputFile], row: &mut SeriesRow) -> Result<()> {
        let began = Instant::now();
        match self.attempt(plan, files, &row.folder) {
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(error) => {
                let SeriesRow { series, folder, slices, rows, columns, .. } = std::mem::take(row);
                *row = SeriesRow { series, folder, slices, rows, columns, ..SeriesRow::default() };
                row.state = State::Failed;
                row.seconds = began.elapsed().as_secs_f64();
                row.exit_code = error.exit_code().into();
                row.error = error.to_string();
                self.progress.message(&format!("series {}: {}", row.series, row.error));
            }
            Ok((fingerprint, result, before)) => {
                row.state = State::Done;
                row.kept = before;
                row.fingerprint = fingerprint.to_string();
                row.options = self.digest.to_string();
                row.root = result.root.to_string();
                row.left_out = i64::try_from(result.left_out).unwrap_or(i64::MAX);
                row.seconds = result.seconds;
            }
        }
        Ok(())
    }

    fn attempt(&self, plan: SeriesPlan, files: &[InputFile], folder: &str) -> Result<(Digest, Found, bool)> {
        if self.progress.stopped() {
            return Err(Error::Stopped);
        }
        let wanted: BTreeSet<usize> = plan
            .slices
            .iter()
            .map(|slice| slice.file)
            .chain(plan.copies.iter().map(|copy| copy.copy.file))
            .collect();
        let own = wanted.into_iter().filter_map(|place| Some((place, files.get(place)?.clone())));
        let own: BTreeMap<usize, InputFile> = own.collect();
        let folder = self.output.join(folder);
        let place = LocalPlace::new(&folder, Work::of(self.options), self.digest, self.options.overwrite);
        let outcome = make(plan, own, self.options, self.threads, &place)?;
        place.finish(outcome)
    }

    /// Writes the index under another name, and gives it its own in one step.
    fn write_index(&self, rows: &[SeriesRow]) -> Result<()> {
        let write = || {
            let index = series_index(rows).map_err(io::Error::other)?;
            // Two runs may be at one output, on two machines. Errors of `tempfile` would show the path.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            let name = self.output.join(format!("{INDEX}.tmp-{}-{now}", std::process::id()));
            let written = fs::write(&name, index).and_then(|()| fs::rename(&name, self.output.join(INDEX)));
            if written.is_err() {
                let _gone = fs::remove_file(&name);
            }
            written
        };
        write().map_err(|source| Error::Write { file: INDEX.to_owned(), source })
    }
}

/// What is known of a result in the end.
struct Found {
    root: Digest,
    left_out: usize,
    seconds: f64,
}

/// The folder of a series.
struct LocalPlace<'a> {
    folder: &'a Path,
    work: Work,
    options: Digest,
    overwrite: bool,
    /// The manifest that was there at the beginning: what another run puts there meanwhile stays.
    seen: OnceLock<Option<Vec<u8>>>,
    kept: OnceLock<Kept>,
    staged: OnceLock<StagedFolder>,
}

impl<'a> LocalPlace<'a> {
    fn new(folder: &'a Path, work: Work, options: Digest, overwrite: bool) -> Self {
        let (seen, kept, staged) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { folder, work, options, overwrite, seen, kept, staged }
    }

    /// The result that is there, if it is whole and of such slices and options.
    fn there(&self, fingerprint: Digest) -> Option<Kept> {
        let found = kept(&read_complete(self.folder).ok()?, fingerprint, self.options)?;
        let is_there = |(file, size): (&String, &i64)| {
            let length = fs::metadata(self.folder.join(file)).ok().filter(fs::Metadata::is_file);
            length.is_some_and(|found| *size < 0 || i64::try_from(found.len()) == Ok(*size))
        };
        found.files.iter().zip(&found.sizes).all(is_there).then_some(found)
    }

    /// Gives the result its name: the fingerprint, the result, and whether it was there before.
    fn finish(self, Outcome { fingerprint, made }: Outcome) -> Result<(Digest, Found, bool)> {
        let of_kept = |kept: &Kept| {
            (fingerprint, Found { root: kept.root, left_out: kept.left_out, seconds: kept.seconds }, true)
        };
        let Some(made) = made else {
            let gone = || Error::Internal("a result that is kept was not looked at".to_owned());
            return self.kept.get().map(of_kept).ok_or_else(gone);
        };
        let missing = || Error::Internal("a result was made in no folder".to_owned());
        let again = Self::new(self.folder, self.work, self.options, self.overwrite);
        let seen = self.seen.into_inner().flatten();
        match self.staged.into_inner().ok_or_else(missing)?.commit_over(seen.as_deref()) {
            Ok(_) => {
                let Made { root, left_out, seconds } = made;
                Ok((fingerprint, Found { root, left_out, seconds }, false))
            }
            // Another run may have made the same result meanwhile.
            Err(Error::OutputOvertaken) => {
                again.there(fingerprint).as_ref().map(of_kept).ok_or(Error::OutputOvertaken)
            }
            Err(error) => Err(error),
        }
    }
}

impl Place for LocalPlace<'_> {
    fn begin(&self, fingerprint: Digest) -> Result<Option<Environment>> {
        let _first = self.seen.set(fs::read(self.folder.join(MANIFEST)).ok());
        if !self.overwrite
            && let Some(found) = self.there(fingerprint)
        {
            let _first = self.kept.set(found);
            return Ok(None);
        }
        let staged = StagedFolder::create(self.folder, self.work.kind(), true)?;
        let (runner, id) = ("in-process".to_owned(), Some(staged.id()));
        let _first = self.staged.set(staged);
        Ok(Some(Environment { runner, id, ..Environment::default() }))
    }

    fn write(&self, path: &str, pieces: &[&[u8]]) -> Result<()> {
        let missing = || Error::Internal("a file of a result came before its beginning".to_owned());
        self.staged.get().ok_or_else(missing)?.write(path, pieces)
    }
}
