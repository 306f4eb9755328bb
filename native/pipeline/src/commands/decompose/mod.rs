//! A series to a result folder.

mod arguments;
mod closing;
mod job;
mod method;

use std::{path::Path, sync::Arc, time::Instant};

pub use self::{
    arguments::JobArgs,
    closing::closing_text,
    job::{ParsedJob, not_utf_8, one_line, parse_job, parse_options},
};
pub(super) use self::{
    arguments::{refuse_output_above, refuse_output_beside_slices, refuse_output_inside},
    job::{check_utf_8, refuse_reference},
};
use crate::{
    commands::{
        runner::{Runner, Scan},
        stages::PICTURES,
    },
    error::{Error, FolderKind, Result},
    input::{list_input, listing::local_path},
    need,
    options::{Emit, Options},
    progress::Progress,
    result::{Environment, Manifest, StagedFolder, finish},
    solve::Decomposition,
};

/// A finished decomposition.
#[derive(Debug)]
pub struct Outcome {
    /// The manifest that was written.
    pub manifest: Manifest,
    /// What to print.
    pub closing: String,
}

/// Refuses an output that, by whatever path, holds the scan: replacing it would delete the scan.
pub(super) fn keep_the_scan(inputs: &[String], output: &Path) -> Result<()> {
    let Ok(output) = output.canonicalize() else { return Ok(()) };
    for input in inputs {
        if local_path("--input", input)?.canonicalize().is_ok_and(|input| input.starts_with(&output)) {
            return Err(Error::OutputHoldsInput);
        }
    }
    Ok(())
}

/// Decomposes a series into a result folder, on `threads` threads (0: one per core).
///
/// # Errors
/// Every error of this crate; the output is then as it was.
pub fn decompose(options: Options, threads: usize, progress: &dyn Progress) -> Result<Outcome> {
    if options.all_series() {
        let problem =
            "here all series are not decomposed one by one; name one, or call decompose_all (Python)";
        return Err(Error::option("--series", problem));
    }
    tomobasis_linalg::check_machine()?;
    let output = local_path("--output", &options.output)?;
    let shown_output = options.output.clone();
    keep_the_scan(&options.input, &output)?;
    let staged = StagedFolder::create(&output, FolderKind::Result, options.overwrite)?;
    staged.notes().iter().for_each(|note| progress.message(note));
    let mut files = list_input(&options)?;
    // The output may lie beside the scan.
    files.retain(|file| !staged.made(&file.path));
    let mut runner = Runner::new(threads, progress, 0, options.emits(Emit::Dicom))?;
    let scan = runner.read(files, &options, need::check)?;
    let environment = |runner: &Runner<'_>| runner.environment(staged.id());
    let write = |path: &str, pieces: &[&[u8]]| staged.write(path, pieces);
    let (decomposition, manifest) = make_result(&mut runner, &scan, options, environment, write)?;
    if let Some(note) = staged.commit()? {
        progress.message(&note);
    }
    let closing = closing_text(&decomposition, &manifest.digests.root.to_string(), &shown_output);
    Ok(Outcome { manifest, closing })
}

/// Decomposes a series in memory, and hands every file of its result to `write`, the manifest last.
pub(super) fn make_result(
    runner: &mut Runner<'_>,
    scan: &Scan,
    options: Options,
    environment: impl FnOnce(&Runner<'_>) -> Environment,
    write: impl Fn(&str, &[&[u8]]) -> Result<()> + Sync,
) -> Result<(Arc<Decomposition>, Manifest)> {
    let reference = runner.reference(&scan.plan, &options)?;
    let decomposition = Arc::new(runner.decompose(scan, options)?);
    let mut renderer = runner.renderer(scan, &decomposition)?;
    if let Some(reference) = reference {
        renderer.compare_with(runner.measured(reference, decomposition.composites.len())?);
    }
    let rendered = runner
        .render(scan, &renderer, |block| block.files().try_for_each(|(path, pieces)| write(&path, pieces)))?;
    let derived = match decomposition.options.emits(Emit::Dicom) {
        true => runner.derive(scan, &renderer, rendered.composites, |made| {
            write(&made.file.path, &[&made.file.bytes])
        })?,
        false => Vec::new(),
    };
    let began = Instant::now();
    let bands = rendered.bands;
    let pictures = runner.pool.install(|| renderer.pictures(bands.iter().map(Vec::as_slice)))?;
    // Those of a full report are large, and the page is made now.
    drop(bands);
    runner.record_time(PICTURES, began);
    let (manifest, files) =
        finish(&decomposition, &rendered.records, &derived, pictures, environment(&*runner))?;
    for file in files {
        write(&file.path, &[&file.bytes])?;
    }
    Ok((decomposition, manifest))
}
