//! `manifest.json` of a denoised series. It holds no path of the machine, no UID and no date.

use serde::{Deserialize, Serialize};
use tomobasis_denoise::{DetailKept, Effect, NoiseModel, Quality, Settings, Windows};
use tomobasis_dicom::{Note, SeriesPlan};

use crate::{
    commands::runner::Removal,
    error::Result,
    options::{DicomSyntax, Options},
    result::{Environment, FileEntry, instruction_set, sealed},
    solve::digest::{Digest, input_hash},
};

/// First line of what a denoised series' UIDs come from, and the manifest's format.
pub(super) const FORMAT: &str = "tomobasis denoised 1";

/// What is promised of the bits.
const CLASS: &str = "fixed";

/// The whole manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DenoisedManifest {
    pub(super) format: String,
    pub(super) series: Series,
    pub(super) parameters: Parameters,
    class: String,
    noise: Noise,
    /// How many windows there are, and how many of air, whose patches became their means.
    pub windows: Windows,
    /// What was removed.
    pub effect: Effect,
    /// What is left of discs that were put into the scan; empty where the size of a pixel is unknown.
    pub details: Vec<DetailKept>,
    /// Values beyond what a slice can store, set to the end of the range.
    pub clipped: u64,
    /// Of stored pixels.
    pub digests: Digests,
    /// All files but the manifest, the report and `_SUCCESS`, in the order of their paths.
    pub(super) files: Vec<FileEntry>,
    pub(super) run: Run,
}

/// Digests over those of the slices, in series order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digests {
    /// Of the source's stored pixels.
    pub pixels: Digest,
    /// Of the hashes that stand for the source's instance UIDs.
    pub instances: Digest,
    /// Of the stored pixels that were written.
    pub denoised: Digest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Series {
    modality: String,
    slices: usize,
    rows: usize,
    columns: usize,
    pixel_spacing_mm: Option<[f64; 2]>,
    slice_spacing_mm: Option<f64>,
    pub left_out: Vec<Note>,
    pub warnings: Vec<Note>,
}

impl Series {
    /// Whether the places of the voxels are the same.
    pub(super) fn has_geometry_of(&self, other: &Self) -> bool {
        let of = |series: &Self| {
            (series.slices, series.rows, series.columns, series.pixel_spacing_mm, series.slice_spacing_mm)
        };
        of(self) == of(other)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parameters {
    method: String,
    pub strength: f32,
    pub quality: Quality,
    /// Slices, rows and columns.
    patch: [usize; 3],
    pub dicom_syntax: DicomSyntax,
    pub patient_data: bool,
}

/// The noise model; of its map only the range.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Noise {
    sigma: f64,
    sigma_by_distance: [f64; 3],
    /// Whether slices three apart hardly differ more than slices two apart.
    pub settled: bool,
    slice_correlation: [f64; 2],
    /// 17 rows of 17 lags.
    autocorrelation: Vec<Vec<f64>>,
    /// Least and greatest standard deviation in the volume, relative to `sigma`.
    map_range: [f32; 2],
    voxels: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    pub version: String,
    pub libraries: String,
    instruction_set: String,
    /// Hash of the input's name.
    input: Digest,
    pub report: Option<FileEntry>,
    pub manifest_sha256: Option<Digest>,
    #[serde(flatten)]
    environment: Environment,
}

impl Run {
    /// What the report says of it: names and values.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        let Environment { runner, cores, timings, .. } = &self.environment;
        let run = [
            ("Software", format!("TomoBasis {} ({})", self.version, self.libraries)),
            ("Runner", format!("{runner}, {cores} cores")),
            ("Machine", self.instruction_set.clone()),
        ];
        let times =
            timings.iter().map(|(stage, seconds)| (format!("Time of {stage}"), format!("{seconds} s")));
        run.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(times).collect()
    }
}

/// A quality as it is typed.
pub(super) fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Fast => "fast",
        Quality::Default => "default",
        Quality::Best => "best",
    }
}

/// What a manifest is made of.
pub(super) struct Content<'a> {
    pub plan: &'a SeriesPlan,
    pub notes: &'a [Note],
    pub options: &'a Options,
    pub settings: Settings,
    pub removal: &'a Removal,
    pub digests: Digests,
    pub secret: &'a tomobasis_dicom::Secret,
    pub files: Vec<FileEntry>,
    pub environment: Environment,
}

impl Noise {
    pub(super) fn of(model: &NoiseModel) -> Self {
        let side = model.autocorrelation.len().isqrt().max(1);
        let ratios = || model.map.ratios.iter().copied();
        let map_range = match model.map.ratios.is_empty() {
            true => [1.0, 1.0],
            false => [ratios().fold(f32::INFINITY, f32::min), ratios().fold(0.0, f32::max)],
        };
        Self {
            sigma: model.sigma,
            sigma_by_distance: model.sigma_by_distance,
            settled: model.is_settled(),
            slice_correlation: model.slice_correlation,
            autocorrelation: model.autocorrelation.chunks(side).map(<[f64]>::to_vec).collect(),
            map_range,
            voxels: model.voxels,
        }
    }
}

impl Series {
    fn of(plan: &SeriesPlan, notes: &[Note]) -> Self {
        Self {
            modality: plan.modality.clone(),
            slices: plan.slices.len(),
            rows: plan.rows,
            columns: plan.columns,
            pixel_spacing_mm: plan.pixel_spacing_mm,
            slice_spacing_mm: plan.slice_spacing_mm,
            left_out: plan.left_out.clone(),
            warnings: plan.warnings.iter().chain(notes).cloned().collect(),
        }
    }
}

impl Parameters {
    fn of(options: &Options, settings: Settings, patch: [usize; 3]) -> Self {
        Self {
            method: "local patch SVD".to_owned(),
            strength: settings.strength,
            quality: settings.quality,
            patch,
            dicom_syntax: options.dicom_syntax,
            patient_data: !options.no_patient_data,
        }
    }
}

/// The sections of a manifest that say what was found and removed: all there is of a series that goes into no folder.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    series: Series,
    parameters: Parameters,
    class: &'static str,
    noise: Noise,
    windows: Windows,
    effect: &'a Effect,
    details: &'a [DetailKept],
    clipped: u64,
}

impl<'a> Summary<'a> {
    pub(super) fn of(
        plan: &SeriesPlan,
        notes: &[Note],
        options: &Options,
        settings: Settings,
        removal: &'a Removal,
    ) -> Self {
        Self {
            series: Series::of(plan, notes),
            parameters: Parameters::of(options, settings, removal.patch),
            class: CLASS,
            noise: Noise::of(&removal.model),
            windows: removal.windows,
            effect: &removal.effect,
            details: &removal.details,
            clipped: removal.clipped,
        }
    }
}

impl DenoisedManifest {
    pub(super) fn new(content: Content<'_>) -> Self {
        let Content { plan, options, settings, .. } = content;
        let Removal { model, patch, windows, effect, details, clipped } = content.removal.clone();
        let mut files = content.files;
        files.sort();
        Self {
            format: FORMAT.to_owned(),
            series: Series::of(plan, content.notes),
            parameters: Parameters::of(options, settings, patch),
            class: CLASS.to_owned(),
            noise: Noise::of(&model),
            windows,
            effect,
            details,
            clipped,
            digests: content.digests,
            files,
            run: Run {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                libraries: env!("TOMOBASIS_LIBRARIES").to_owned(),
                instruction_set: instruction_set(),
                input: input_hash(content.secret, &options.input),
                report: None,
                manifest_sha256: None,
                environment: content.environment,
            },
        }
    }

    /// Whether the noise model is certain ([`NoiseModel::is_settled`]).
    pub(super) fn is_settled(&self) -> bool {
        self.noise.settled
    }

    /// Whether this very version wrote it: then its files are known to the byte.
    pub(super) fn is_ours(&self) -> bool {
        self.run.version == env!("CARGO_PKG_VERSION") && self.run.libraries == env!("TOMOBASIS_LIBRARIES")
    }

    /// The folder beside the manifest that holds the files; none where they are beside it themselves.
    pub(super) fn folder(&self) -> Option<&str> {
        self.run.environment.folder.as_deref()
    }

    /// What the run said of itself.
    pub(in crate::commands) fn environment(&self) -> &Environment {
        &self.run.environment
    }

    /// All files that the manifest lists, the report among them.
    pub(in crate::commands) fn listed_files(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().chain(&self.run.report)
    }

    /// What the report says of how it was denoised: names and values.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        let Parameters { method, strength, quality, patch: [slices, rows, columns], .. } = &self.parameters;
        let parameters = [
            ("Class", self.class.clone()),
            ("Method", format!("{method}, patches of {slices} x {rows} x {columns} voxels")),
            ("Strength", strength.to_string()),
            ("Quality", quality_name(*quality).to_owned()),
        ];
        parameters.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The manifest's bytes, sealed as that of a decomposition is.
    pub(super) fn seal(&mut self) -> Result<Vec<u8>> {
        sealed(self, |manifest| &mut manifest.run.manifest_sha256)
    }
}
