//! Is it the same? A denoised series against its input.
//!
//! First the folder against its own manifest: its seal, the list of files, the digest of the pixels that its files hold. Then the
//! series is denoised again from the input, by the code that made it, and compared: pixels, denoised pixels, every byte of the files,
//! the manifest's values.

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use tomobasis_denoise::Settings;

use super::{
    DenoisedFolder, DenoisedManifest, STAGES, read, shown, work,
    work::{Work, path_of},
    write,
};
use crate::{
    commands::{runner::Runner, verify::VerifyArgs},
    error::{Error, Result},
    input::listing::list,
    options::{Basis, Emit, InputFormat, Method, OnBadSlice, Options, Padding, RankChoice, ReportSize},
    progress::Progress,
    result::{Environment, FileEntry, FolderNotes, MANIFEST, first_path, name_some},
    solve::{digest::Digest, padding_counts},
};

/// Denoises again and compares; returns what to print.
///
/// # Errors
/// [`Error::Differs`] naming the first difference, and whatever keeps the comparison from being made.
pub(in crate::commands) fn verify(
    folder: &DenoisedFolder,
    args: &VerifyArgs,
    threads: usize,
    progress: &dyn Progress,
) -> Result<String> {
    folder.check_seal()?;
    let stored = &folder.manifest;
    let (options, settings) = options(args, stored)?;
    let mut runner = Runner::with_stages(threads, progress, 1, STAGES)?;
    runner.first_stage("check files", "files", folder.listed() as u64);
    let notes = runner.pool.install(|| folder.check(progress))?;
    let mut scan = read(&mut runner, list(&options.input)?, &options, settings)?;
    padding_counts::note(&mut scan.plan, &scan.records);
    if scan.pixels_digest() != stored.digests.pixels {
        return Err(Error::Differs("the pixels of the input are not those that were denoised".to_owned()));
    }
    let denoised = runner.denoise(&scan, settings)?;
    let other = Mutex::new(Vec::new());
    let digests = write(&mut runner, &scan, &denoised, &options, settings, |slice, made| {
        let path = path_of(slice);
        // That it can be read was checked with the list.
        if fs::read(folder.path.join(&path)).ok().as_deref() != Some(made) {
            other.lock().unwrap_or_else(PoisonError::into_inner).push(path);
        }
        Ok(())
    })?;
    let work = work(&scan, &denoised, &options, settings);
    let pictures = work.pictures(denoised.slice(&scan, Work::shown(&scan.plan)))?;
    let mut made = work.manifest(Digest::of_digests(&digests), &pictures, Environment::default());
    if made.digests.denoised != stored.digests.denoised {
        let text = "recomputed from the input, the digest of the denoised pixels is not the manifest's";
        return Err(Error::Differs(text.to_owned()));
    }
    let mut other = other.into_inner().unwrap_or_else(PoisonError::into_inner);
    other.sort();
    let same_instances = made.digests.instances == stored.digests.instances;
    if stored.is_ours() && same_instances && !other.is_empty() {
        let problems: Vec<String> =
            other.iter().map(|path| format!("{path}: the input gives other bytes")).collect();
        return Err(Error::Differs(name_some(&problems)));
    }
    let same_notes =
        made.series.left_out == stored.series.left_out && made.series.warnings == stored.series.warnings;
    compare_values(folder, &mut made, same_instances)?;
    if stored.is_ours() && same_instances {
        // With the times of the run that wrote it.
        let volume = runner.pool.install(|| shown(&scan, &denoised))?;
        let report = work.report(&made, &pictures, &volume)?;
        if stored.run.report != Some(FileEntry::of(&report)) {
            return Err(Error::Differs(format!("{}: the input gives other bytes", report.path)));
        }
    }
    Ok(closing(folder, &other, same_instances, same_notes, notes))
}

/// The options of a run that makes the same again, and writes nothing.
fn options(args: &VerifyArgs, stored: &DenoisedManifest) -> Result<(Options, Settings)> {
    let given = [
        ("--join", args.join),
        ("--on-bad-slice", args.on_bad_slice != OnBadSlice::Fail),
        ("--reference", args.reference.is_some()),
    ];
    for (option, given) in given {
        if given {
            let problem = "denoise does not have it, and this is a denoised series; leave it out";
            return Err(Error::option(option, problem));
        }
    }
    let parameters = &stored.parameters;
    if !(0.0..=1.0).contains(&parameters.strength) {
        let text = format!("{MANIFEST}: parameters.strength is {}, not 0 to 1", parameters.strength);
        return Err(Error::Differs(text));
    }
    let settings = Settings { strength: parameters.strength, quality: parameters.quality };
    let options = Options {
        input: args.input.clone(),
        input_format: InputFormat::Dicom,
        output: String::new(),
        overwrite: false,
        series: args.series.clone(),
        more_series: Vec::new(),
        basis: Basis::Own,
        fail_fast: false,
        join: false,
        on_bad_slice: OnBadSlice::Fail,
        padding: Padding::Air,
        denoise: Some(settings),
        method: Method::Gram { center: None },
        rank: RankChoice::Full,
        composite: None,
        reference: None,
        emit: vec![Emit::Dicom],
        report: ReportSize::default(),
        in_job: false,
        dicom_syntax: parameters.dicom_syntax,
        no_patient_data: !parameters.patient_data,
        verbose: args.verbose,
    };
    Ok((options, settings))
}

/// Compares the manifest with the one made again. What this input does not give is taken over from the former: how it was run, what is
/// told of files beside the series and, of a copy under other UIDs, what its headers say.
fn compare_values(folder: &DenoisedFolder, made: &mut DenoisedManifest, same_instances: bool) -> Result<()> {
    let stored = &folder.manifest;
    made.run.clone_from(&stored.run);
    made.series.left_out.clone_from(&stored.series.left_out);
    made.series.warnings.clone_from(&stored.series.warnings);
    if !stored.is_ours() {
        made.files.clone_from(&stored.files);
    }
    if !same_instances {
        made.series.clone_from(&stored.series);
        made.digests.instances = stored.digests.instances;
    }
    let as_json = |error: serde_json::Error| Error::Internal(error.to_string());
    // By way of bytes: single-precision numbers are written with fewer digits than their doubles have.
    let made_bytes = serde_json::to_vec(made).map_err(as_json)?;
    let [stored_json, made_json] = [&folder.json, &made_bytes].map(|bytes| serde_json::from_slice(bytes));
    let (stored_json, made_json) = (stored_json.map_err(as_json)?, made_json.map_err(as_json)?);
    match first_path(&stored_json, &made_json, &["run.manifest_sha256"], stored.is_ours()) {
        Some(difference) => Err(Error::Differs(format!("{MANIFEST}: {}", difference.with_input()))),
        None => Ok(()),
    }
}

/// What was compared, in words.
fn closing(
    folder: &DenoisedFolder,
    other: &[String],
    same_instances: bool,
    same_notes: bool,
    notes: FolderNotes,
) -> String {
    let stored = &folder.manifest;
    let files = match (same_instances, other) {
        (true, []) => "every byte is what the input gives".to_owned(),
        (true, [first, ..]) => format!(
            "of {} (the first is {first}) this version makes other bytes of the same pixels: the manifest says that another wrote them",
            other.len()
        ),
        (false, _) => "by their pixels, since the input has these under other instance UIDs, as a copy has, perhaps anonymised"
            .to_owned(),
    };
    let values = match (same_instances, same_notes) {
        (false, _) => "every value but those of the headers",
        (true, false) => {
            "every value but series.left_out and series.warnings, which are not what this input gives"
        }
        (true, true) => "every value",
    };
    let mut lines = vec![
        "verified     pixels and denoised pixels: every bit is what the input gives".to_owned(),
        format!("files        all as the manifest lists them, none missing, none extra; {files}"),
    ];
    lines.extend(notes.lines("the folder"));
    lines.push(format!("manifest     {values}; not those of `run`, which the seal covers"));
    lines.push(format!("denoised     {}", stored.digests.denoised));
    lines.join("\n")
}
