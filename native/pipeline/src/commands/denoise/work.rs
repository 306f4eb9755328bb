//! What is made of a denoised series, wherever its parts were computed: pictures, report, manifest, and what its instances share.

use tomobasis_denoise::{DetailKept, Effect, NoiseModel, Settings};
use tomobasis_dicom::{
    Secret, SeriesPlan, SliceRecord,
    derived::{Derivation, DerivedImage},
};

use super::{
    manifest::{Content, DenoisedManifest, Digests, FORMAT, quality_name},
    samples::sampling,
};
use crate::{
    commands::runner::Removal,
    error::Result,
    input::{describe_series, layout::rescale_of},
    options::Options,
    output::{
        NamedFile,
        dicom::{FOLDER, slice_name},
        pictures::{DenoisedSlice, Display, draw_denoised, draw_noise},
        report::{DenoisedContent, DenoisedVolume, REPORT, denoised_page},
    },
    result::{Environment, FileEntry},
    solve::{
        digest::{Digest, instance_hash},
        padding_counts::pixels_digest,
    },
};

/// The window of pictures where the source has none, in HU.
const SOFT_TISSUE: (f64, f64) = (-160.0, 240.0);

/// A series that was denoised.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub plan: &'a SeriesPlan,
    /// Of all slices.
    pub records: &'a [SliceRecord],
    pub options: &'a Options,
    pub settings: Settings,
    pub removal: &'a Removal,
}

impl Work<'_> {
    /// The slice that pictures show: the middle one.
    pub fn shown(plan: &SeriesPlan) -> usize {
        plan.slices.len() / 2
    }

    /// The pictures: the slice that is shown, given its stored values before and after, and the spectrum of the noise.
    pub fn pictures(&self, stored: [&[i16]; 2]) -> Result<Vec<NamedFile>> {
        let (plan, effect) = (self.plan, &self.removal.effect);
        let slice = Self::shown(plan);
        let rescale = rescale_of(plan);
        let hu = |stored: &[i16]| -> Vec<f64> {
            let rescale = rescale.get(slice);
            rescale
                .into_iter()
                .flat_map(|rescale| stored.iter().map(|&stored| rescale.apply(stored)))
                .collect()
        };
        let [before, after] = stored.map(hu);
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

    /// The report, which tells of the run what the manifest does; `planes` are what one looks through.
    pub fn report(
        &self,
        manifest: &DenoisedManifest,
        pictures: &[NamedFile],
        planes: &[Vec<u8>; 2],
    ) -> Result<NamedFile> {
        let Removal { model, windows, effect, details, clipped, .. } = self.removal;
        let remarks = remarks(effect, model.is_settled(), *clipped).into_iter();
        let remarks: Vec<(&str, String)> =
            remarks.map(|remark| (if remark.is_warning { "Warning" } else { "Note" }, remark.text)).collect();
        let digests = &manifest.digests;
        denoised_page(&DenoisedContent {
            plan: self.plan,
            remarks: &remarks,
            model,
            windows: *windows,
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
            volume: DenoisedVolume {
                planes: planes.each_ref().map(Vec::as_slice),
                sampling: sampling(self.plan),
                display: Display::of_slice(self.plan, Self::shown(self.plan), SOFT_TISSUE),
                sigma: effect.before.sigma,
            },
        })
    }

    /// The manifest, but for its report and its seal; `denoised` is the digest over those of the slices that were written.
    pub fn manifest(
        &self,
        denoised: Digest,
        pictures: &[NamedFile],
        environment: Environment,
    ) -> DenoisedManifest {
        let secret = secret(self.records);
        let slices = &self.plan.slices;
        let instances: Vec<Digest> =
            slices.iter().map(|slice| instance_hash(&secret, &slice.instance_uid)).collect();
        let file = |slice| FileEntry { path: path_of(slice), bytes: None, sha256: None };
        DenoisedManifest::new(Content {
            plan: self.plan,
            notes: &tomobasis_dicom::notes(self.plan, self.records),
            options: self.options,
            settings: self.settings,
            removal: self.removal,
            digests: Digests {
                pixels: pixels_digest(self.records),
                instances: Digest::of_digests(&instances),
                denoised,
            },
            secret: &secret,
            // By path: slices first.
            files: (0..slices.len()).map(file).chain(pictures.iter().map(FileEntry::of)).collect(),
            environment,
        })
    }
}

/// The file of a slice.
pub(super) fn path_of(slice: usize) -> String {
    format!("{FOLDER}/{}", slice_name(&[slice]))
}

/// The secret of a series.
pub(super) fn secret(records: &[SliceRecord]) -> Secret {
    Secret::of_series(records.iter().map(|record| record.secret))
}

/// What the instances of a denoised series have in common; `digests` are those of the source's slices.
pub(super) fn derivation(
    plan: &SeriesPlan,
    options: &Options,
    settings: Settings,
    model: &NoiseModel,
    digests: Vec<[u8; 32]>,
    secret: Secret,
) -> Derivation {
    let pixels = Digest::of(digests.iter().map(<[u8; 32]>::as_slice));
    Derivation {
        image: DerivedImage::Denoised { method: method(model, settings) },
        digest: digest(plan, settings, pixels).0,
        digests,
        secret,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        syntax: options.dicom_syntax.into(),
        patient_data: !options.no_patient_data,
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
pub(super) fn closing(plan: &SeriesPlan, options: &Options, manifest: &DenoisedManifest) -> String {
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
    let unchanged = effect.before.sigma == 0.0;
    if !unchanged {
        lines.extend(manifest.details.iter().map(detail_line));
    }
    if unchanged {
        lines.push("detail       not measured: no noise was found, so nothing was changed".to_owned());
    } else if manifest.details.is_empty() {
        lines.push("detail       not measured: the headers do not say how large a pixel is".to_owned());
    } else if manifest.details.iter().any(|detail| detail.kept.is_some()) {
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

fn detail_line(detail: &DetailKept) -> String {
    let DetailKept { contrast, diameter_mm, slices, kept, .. } = detail;
    let slices = if *slices == 1 { "one slice".to_owned() } else { format!("{slices} slices") };
    let discs = format!("discs of {contrast:+} HU, {diameter_mm} mm, in {slices}");
    match kept {
        Some(kept) => format!("detail       {:.0} % is left of {discs}", 100.0 * kept),
        None => format!("detail       not measured for {discs}: the scan has no flat place for them"),
    }
}

/// What a user must know of a denoised volume.
pub(super) struct Remark {
    is_warning: bool,
    pub text: String,
}

pub(super) fn remarks(effect: &Effect, is_settled: bool, clipped: u64) -> Vec<Remark> {
    let none = "no noise could be measured (most differences of slices are zero), so nothing was changed";
    let uncertain = "slices differ the more the farther apart they are: noise reaches beyond three slices, or anatomy \
                     was taken for noise, and the figures are uncertain";
    let alarm = "more was removed at edges than elsewhere: anatomy may be missing";
    let values = if clipped == 1 { "1 value was".to_owned() } else { format!("{clipped} values were") };
    let clipped_text = format!("{values} beyond the stored range, and set to its end");
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
