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
mod verify;
mod work;

use tomobasis_denoise::Settings;

pub use self::{
    arguments::{DenoiseArgs, parse_arguments},
    array::{ArrayOptions, ArrayOutcome, ArrayVoxels, DenoisedVoxels, denoise_array},
    bands::{BandDenoiser, BandOf, DenoiseDriver, RunBand},
    manifest::{DenoisedManifest, Digests},
};
use self::{
    check::check,
    work::{Work, closing, derivation, path_of, secret},
};
pub(super) use self::{compare::compare, folder::DenoisedFolder, verify::verify};
use crate::{
    commands::{
        decompose::keep_the_scan,
        runner::{Denoised, Runner, Scan},
    },
    error::{FolderKind, Result},
    input::listing::{InputFile, list, local_path},
    options::Options,
    progress::Progress,
    result::{FileEntry, MANIFEST, StagedFolder},
    solve::{digest::Digest, padding_counts},
};

/// Scan, decode, noise, denoise, derive.
const STAGES: usize = 5;

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
    let (options, settings) = args.resolve();
    let output = local_path("--output", &options.output)?;
    keep_the_scan(&options.input, &output)?;
    let staged = StagedFolder::create(&output, FolderKind::Denoised, options.overwrite)?;
    staged.notes().iter().for_each(|note| progress.message(note));
    let mut files = list(&options.input)?;
    // The output may lie beside the scan.
    files.retain(|file| !staged.made(&file.path));
    let mut runner = Runner::with_stages(threads, progress, 0, STAGES)?;
    let scan = read(&mut runner, files, &options, settings)?;
    let denoised = runner.denoise(&scan, settings)?;
    let digests = write(&mut runner, &scan, &denoised, &options, settings, |slice, file| {
        staged.write(&path_of(slice), &[file])
    })?;
    let work = work(&scan, &denoised, &options, settings);
    let pictures = work.pictures(denoised.slice(&scan, Work::shown(&scan.plan)))?;
    let mut manifest =
        work.manifest(Digest::of_digests(&digests), &pictures, runner.environment(staged.id()));
    let report = work.report(&manifest, &pictures)?;
    manifest.run.report = Some(FileEntry::of(&report));
    for file in pictures.iter().chain([&report]) {
        staged.write(&file.path, &[&file.bytes])?;
    }
    staged.write(MANIFEST, &[&manifest.seal()?])?;
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
    let mut scan = runner.read(files, options, |plan, _| check(plan, settings.quality, threads))?;
    padding_counts::note(&mut scan.plan, &scan.records);
    Ok(scan)
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
