//! A CT series to the same series with less noise.
//!
//! The method is `tomobasis_denoise`'s; here a scan becomes its volume, and the volume a derived DICOM series.

mod arguments;
mod array;
mod check;
mod compare;
mod folder;
mod manifest;
mod verify;

use tomobasis_denoise::{DetailKept, Effect, NoiseModel, Settings};
use tomobasis_dicom::{
    Secret, SeriesPlan,
    derived::{Derivation, DerivedImage},
};

pub use self::{
    arguments::{DenoiseArgs, parse_arguments},
    array::{ArrayOptions, ArrayOutcome, ArrayVoxels, DenoisedVoxels, denoise_array},
    manifest::{DenoisedManifest, Digests},
};
use self::{
    check::check,
    manifest::{Content, FORMAT, quality_name},
};
pub(super) use self::{compare::compare, folder::DenoisedFolder, verify::verify};
use crate::{
    commands::{
        decompose::keep_the_scan,
        runner::{Denoised, Removal, Runner, Scan},
    },
    error::{Error, FolderKind, Result},
    input::{
        describe_series,
        listing::{InputFile, list, local_path},
    },
    options::Options,
    output::{
        NamedFile,
        dicom::{FOLDER, slice_name},
        pictures::{DenoisedSlice, Display, draw_denoised, draw_noise},
        report::{DenoisedContent, REPORT, denoised_page},
    },
    progress::Progress,
    result::{Environment, FileEntry, MANIFEST, StagedFolder},
    solve::{
        digest::{Digest, instance_hash},
        padding_counts,
    },
};

/// The window of pictures where the source has none, in HU.
const SOFT_TISSUE: (f64, f64) = (-160.0, 240.0);

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
    let work = Work::of(&mut runner, &scan, &options, settings)?;
    let digests = runner.write_denoised(&scan, &work.denoised, &work.derivation, |slice, file| {
        staged.write(&path_of(slice), &[file])
    })?;
    let pictures = work.pictures(&scan)?;
    let environment = runner.environment(staged.id());
    let mut manifest = work.manifest(&scan, &options, settings, &digests, &pictures, environment);
    let report = work.report(&scan, &manifest, &pictures)?;
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

/// The file of a slice.
fn path_of(slice: usize) -> String {
    format!("{FOLDER}/{}", slice_name(&[slice]))
}

/// Scan and decode.
fn read(
    runner: &mut Runner<'_>,
    files: Vec<InputFile>,
    options: &Options,
    settings: Settings,
) -> Result<Scan> {
    let threads = runner.pool.current_num_threads();
    let mut scan = runner
        .read(files, options, |plan, _| check(plan, settings.quality, threads))
        .map_err(without_join)?;
    padding_counts::note(&mut scan.plan, &scan.records);
    Ok(scan)
}

/// The error without the advice to take volumes as one: what is denoised is one volume.
fn without_join(error: Error) -> Error {
    match error {
        Error::Dicom(error) => Error::Dicom(error.without_join()),
        other => other,
    }
}

/// A series that was denoised, and what its instances have in common.
struct Work {
    denoised: Denoised,
    secret: Secret,
    pixels: Digest,
    derivation: Derivation,
}

impl Work {
    fn of(runner: &mut Runner<'_>, scan: &Scan, options: &Options, settings: Settings) -> Result<Self> {
        let denoised = runner.denoise(scan, settings)?;
        let secret = Secret::of_series(scan.records.iter().map(|record| record.secret));
        let pixels = scan.pixels_digest();
        let derivation = Derivation {
            image: DerivedImage::Denoised { method: method(&denoised.removal.model, settings) },
            digest: digest(&scan.plan, settings, pixels).0,
            digests: scan.records.iter().map(|record| record.digest).collect(),
            secret,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            syntax: options.dicom_syntax.into(),
            patient_data: !options.no_patient_data,
        };
        Ok(Self { denoised, secret, pixels, derivation })
    }

    /// The pictures: the middle slice, and the spectrum of the noise.
    fn pictures(&self, scan: &Scan) -> Result<Vec<NamedFile>> {
        let (plan, effect) = (&scan.plan, &self.denoised.removal.effect);
        let slice = plan.slices.len() / 2;
        let [before, after] = self.denoised.slice(scan, slice);
        let shown = DenoisedSlice {
            size: (plan.columns, plan.rows),
            display: Display::of_slice(plan, slice, SOFT_TISSUE),
            slice: (slice, plan.slices.len()),
            sigma: effect.before.sigma,
            before: &before,
            after: &after,
        };
        Ok(vec![draw_denoised(&shown)?, draw_noise(&effect.before.spectrum, &effect.after.spectrum)?])
    }

    /// The report, which tells of the run what the manifest does.
    fn report(&self, scan: &Scan, manifest: &DenoisedManifest, pictures: &[NamedFile]) -> Result<NamedFile> {
        let Removal { model, effect, details, clipped, .. } = &self.denoised.removal;
        let remarks = remarks(effect, model.is_settled(), *clipped).into_iter();
        let remarks: Vec<(&str, String)> =
            remarks.map(|remark| (if remark.is_warning { "Warning" } else { "Note" }, remark.text)).collect();
        let digests = &manifest.digests;
        denoised_page(&DenoisedContent {
            plan: &scan.plan,
            remarks: &remarks,
            model,
            effect,
            details,
            clipped: *clipped,
            parameters: manifest.described(),
            digests: [
                ("pixels", digests.pixels),
                ("instances", digests.instances),
                ("denoised", digests.denoised),
            ],
            left_out: &manifest.series.left_out,
            warnings: &manifest.series.warnings,
            run: manifest.run.described(),
            pictures,
        })
    }

    /// The manifest, but for its report and its seal; `digests` are those of the slices that were written.
    fn manifest(
        &self,
        scan: &Scan,
        options: &Options,
        settings: Settings,
        digests: &[Digest],
        pictures: &[NamedFile],
        environment: Environment,
    ) -> DenoisedManifest {
        let instances: Vec<Digest> =
            scan.plan.slices.iter().map(|slice| instance_hash(&self.secret, &slice.instance_uid)).collect();
        let file = |slice| FileEntry { path: path_of(slice), bytes: None, sha256: None };
        DenoisedManifest::new(Content {
            plan: &scan.plan,
            notes: &tomobasis_dicom::notes(&scan.plan, &scan.records),
            options,
            settings,
            removal: &self.denoised.removal,
            digests: Digests {
                pixels: self.pixels,
                instances: Digest::of_digests(&instances),
                denoised: Digest::of_digests(digests),
            },
            secret: &self.secret,
            // By path: slices first.
            files: (0..scan.plan.slices.len()).map(file).chain(pictures.iter().map(FileEntry::of)).collect(),
            environment,
        })
    }
}

/// In a few words, for the instances.
fn method(model: &NoiseModel, settings: Settings) -> String {
    let quality = quality_name(settings.quality);
    format!(
        "local patch SVD, strength {}, quality {quality}, estimated noise {:.1} HU, class fixed",
        settings.strength, model.sigma
    )
}

/// What the denoised pixels are a function of: the instances' UIDs come from it.
fn digest(plan: &SeriesPlan, settings: Settings, pixels: Digest) -> Digest {
    let lines = format!(
        "{FORMAT}\nclass fixed\nslices {}\nrows {}\ncolumns {}\nslice_spacing_mm {:?}\nstrength {}\nquality {:?}\npixels {pixels}\n",
        plan.slices.len(),
        plan.rows,
        plan.columns,
        plan.slice_spacing_mm,
        settings.strength,
        settings.quality,
    );
    Digest::of([lines.as_bytes()])
}

/// What to print at the end of a run.
fn closing(plan: &SeriesPlan, options: &Options, manifest: &DenoisedManifest) -> String {
    let effect = &manifest.effect;
    let output = &options.output;
    let identity = if options.no_patient_data { "without" } else { "with" };
    let mut lines = vec![
        format!("series       {}", describe_series(plan)),
        format!("noise        {:.1} HU before, {:.1} HU after", effect.before.sigma, effect.after.sigma),
        format!(
            "removed      {:.1} HU in flat tissue, mean {:+.2} HU",
            effect.removed.sd, effect.removed.mean
        ),
    ];
    if let Some(structure) = effect.removed.structure {
        lines.push(format!("structure    {structure:.2} (removed at edges over removed in flat tissue)"));
    }
    let details: Vec<String> = manifest.details.iter().filter_map(|detail| {
        let DetailKept { contrast, diameter_mm, slices, .. } = detail;
        let percent = 100.0 * detail.kept?;
        let slices = if *slices == 1 { "one slice".to_owned() } else { format!("{slices} slices") };
        Some(format!(
            "detail       {percent:.0} % is left of discs of {contrast:+} HU, {diameter_mm} mm, in {slices}"
        ))
    }).collect();
    if !details.is_empty() {
        lines.extend(details);
        lines.push("             Smaller and fainter details keep less.".to_owned());
    }
    lines.extend([
        format!("result       {output}"),
        format!("dicom        {output}/{FOLDER}/ ({identity} patient data)"),
        format!("report       {output}/{REPORT}"),
        format!("pixels       {}", manifest.digests.denoised),
    ]);
    lines.extend(remarks(effect, manifest.is_settled(), manifest.clipped).into_iter().map(|remark| {
        let kind = if remark.is_warning { "WARNING" } else { "note" };
        format!("{kind:<13}{}", remark.text)
    }));
    lines.join("\n")
}

/// What a user must know of a denoised volume.
struct Remark {
    is_warning: bool,
    text: String,
}

fn remarks(effect: &Effect, is_settled: bool, clipped: u64) -> Vec<Remark> {
    let none = "no noise could be measured (most differences of slices are zero), so nothing was changed";
    let uncertain = "slices differ the more the farther apart they are: noise reaches beyond three slices, or anatomy \
                     was taken for noise, and the figures are uncertain";
    let alarm = "more was removed at edges than elsewhere: anatomy may be missing";
    let clipped_text = format!("{clipped} values were beyond the stored range");
    [
        (effect.before.sigma == 0.0, false, none.to_owned()),
        (!is_settled, true, uncertain.to_owned()),
        (effect.removed.alarm, true, alarm.to_owned()),
        (clipped > 0, false, clipped_text),
    ]
    .into_iter()
    .filter_map(|(applies, is_warning, text)| applies.then_some(Remark { is_warning, text }))
    .collect()
}
