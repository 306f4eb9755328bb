//! A CT series to the same series with less noise.
//!
//! The method is `tomobasis_denoise`'s; here a scan becomes its volume, and the volume a derived DICOM series: by the command at once,
//! by the Spark job in bands of rows.

mod arguments;
mod array;
mod bands;
mod check;
mod compare;
mod folder;
mod manifest;
mod samples;
mod verify;
mod work;

use tomobasis_denoise::Settings;
use tomobasis_dicom::SeriesPlan;

pub use self::{
    arguments::{DenoiseArgs, parse_arguments},
    array::{ArrayOptions, ArrayOutcome, ArrayVoxels, DenoisedVoxels, denoise_array},
    bands::{BandDenoiser, BandOf, DenoiseDriver, RunBand},
    manifest::{DenoisedManifest, Digests},
};
use self::{
    check::check,
    samples::{Part, Samples},
    work::{Work, closing, derivation, path_of, secret},
};
pub(super) use self::{
    check::{memory_needed, refuse_volume, why_left_out},
    compare::compare,
    folder::DenoisedFolder,
    verify::verify,
};
use crate::{
    commands::{
        decompose::keep_the_scan,
        runner::{Denoised, Runner, Scan},
    },
    error::{FolderKind, Result},
    input::{
        files::ScanFiles,
        listing::{InputFile, list, local_path},
    },
    options::Options,
    progress::Progress,
    result::{Environment, FileEntry, MANIFEST, StagedFolder},
    solve::{digest::Digest, padding_counts},
};

/// Scan, decode, noise, denoise, derive.
pub(super) const STAGES: usize = 5;

/// A denoised series.
#[derive(Debug)]
pub struct Outcome {
    /// The manifest that was written.
    pub manifest: DenoisedManifest,
    /// What to print.
    pub closing: String,
}

/// Denoises a series into a folder, on `threads` threads (0: one per core).
///
/// # Errors
/// Every error of this crate; the output is then as it was.
pub fn denoise(args: DenoiseArgs, threads: usize, progress: &dyn Progress) -> Result<Outcome> {
    tomobasis_linalg::check_machine()?;
    let (options, settings) = args.resolve()?;
    let output = local_path("--output", &options.output)?;
    keep_the_scan(&options.input, &output)?;
    let staged = StagedFolder::create(&output, FolderKind::Denoised, options.overwrite)?;
    staged.notes().iter().for_each(|note| progress.message(note));
    let mut files = list(&options.input)?;
    // The output may lie beside the scan.
    files.retain(|file| !staged.made(&file.path));
    let mut runner = Runner::with_stages(threads, progress, 0, STAGES)?;
    let mut scan = read(&mut runner, files, &options, settings)?;
    let environment = |runner: &Runner<'_>| runner.environment(staged.id());
    let write = |path: &str, pieces: &[&[u8]]| staged.write(path, pieces);
    let manifest = make_denoised(&mut runner, &mut scan, &options, settings, environment, write)?;
    if let Some(note) = staged.commit()? {
        progress.message(&note);
    }
    let closing = closing(&scan.plan, &options, &manifest);
    Ok(Outcome { manifest, closing })
}

/// Scan and decode.
fn read(
    runner: &mut Runner<'_>,
    files: Vec<InputFile>,
    options: &Options,
    settings: Settings,
) -> Result<Scan> {
    let threads = runner.pool.current_num_threads();
    runner.read(files, options, |plan, _| check(plan, settings.quality, threads))
}

/// Decode: a series whose plan is known.
pub(super) fn read_planned(
    runner: &mut Runner<'_>,
    plan: SeriesPlan,
    files: ScanFiles,
    options: &Options,
    settings: Settings,
) -> Result<Scan> {
    let threads = runner.pool.current_num_threads();
    runner.read_planned(plan, files, options, |plan, _| check(plan, settings.quality, threads))
}

/// Denoises a scan, and hands every file of the folder to `write`, the manifest last.
pub(super) fn make_denoised(
    runner: &mut Runner<'_>,
    scan: &mut Scan,
    options: &Options,
    settings: Settings,
    environment: impl FnOnce(&Runner<'_>) -> Environment,
    take: impl Fn(&str, &[&[u8]]) -> Result<()> + Sync,
) -> Result<DenoisedManifest> {
    padding_counts::note(&mut scan.plan, &scan.records);
    let denoised = runner.denoise(scan, settings)?;
    let digests =
        write(runner, scan, &denoised, options, settings, |slice, file| take(&path_of(slice), &[file]))?;
    let work = work(scan, &denoised, options, settings);
    let pictures = work.pictures(denoised.slice(scan, Work::shown(&scan.plan)))?;
    let mut manifest = work.manifest(Digest::of_digests(&digests), &pictures, environment(&*runner));
    let volume = runner.pool.install(|| shown(scan, &denoised))?;
    let report = work.report(&manifest, &pictures, &volume)?;
    manifest.run.report = Some(FileEntry::of(&report));
    for file in pictures.iter().chain([&report]) {
        take(&file.path, &[&file.bytes])?;
    }
    take(MANIFEST, &[&manifest.seal()?])?;
    Ok(manifest)
}

/// What the browser in the report shows.
fn shown(scan: &Scan, denoised: &Denoised) -> Result<[Vec<u8>; 2]> {
    let part = |values| Part { first: 0, values };
    let (before, after) = (part(scan.stored()), part(&denoised.stored));
    let samples = Samples::of(&scan.plan, 0..scan.plan.rows, before, after)?;
    samples::volume(&scan.plan, vec![samples])
}

/// Makes the derived instances, handing each to `take` with its slice; returns the digests of their stored pixels.
fn write(
    runner: &mut Runner<'_>,
    scan: &Scan,
    denoised: &Denoised,
    options: &Options,
    settings: Settings,
    take: impl Fn(usize, &[u8]) -> Result<()> + Sync,
) -> Result<Vec<Digest>> {
    let digests = scan.records.iter().map(|record| record.digest).collect();
    let model = &denoised.removal.model;
    let derivation = derivation(&scan.plan, options, settings, model, digests, secret(&scan.records));
    runner.write_denoised(scan, denoised, &derivation, take)
}

fn work<'a>(scan: &'a Scan, denoised: &'a Denoised, options: &'a Options, settings: Settings) -> Work<'a> {
    Work { plan: &scan.plan, records: &scan.records, options, settings, removal: &denoised.removal }
}
