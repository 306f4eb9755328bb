//! `manifest.json`: what was decomposed, how, with what guarantee, and the digests of it.
//!
//! Everything but the section `run` is a property of the scan and the parameters, so it is the same for every way to run. It
//! holds no path, no UID and no date.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tomobasis_dicom::{JoinedSeries, UnjoinedSeries};
use tomobasis_linalg::BLOCK_ROWS;

use super::FileEntry;
use crate::{
    error::{Error, Result},
    options::{Emit, InputFormat, Method, Padding, RankChoice, ReportSize, padding::without_choice},
    output::{dicom::DerivedSection, measured::MeasuresSection, pictures::Display},
    solve::{
        decomposition::Decomposition,
        digest::{BasisDigests, Digest, Digests, FORMAT, RootOf, input_hash},
        padding_counts::PaddingCounts,
        spectrum::CompositeEntry,
    },
};

/// The whole manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Name and version of the format.
    pub format: String,
    /// What was decomposed.
    pub series: SeriesSection,
    /// What was asked for.
    pub parameters: Parameters,
    /// What came out.
    pub result: ResultSection,
    /// What composites do to the image, where the report was made of a scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<MeasuresSection>,
    /// The digests.
    pub digests: Digests,
    /// What was written beside the manifest.
    pub emitted: Vec<Emit>,
    /// The derived DICOM series, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedSection>,
    /// All files but this one, `_SUCCESS` and the report, by path; earlier versions listed none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileEntry>>,
    /// How it was run: outside the digests.
    pub run: Run,
}

/// The series, without anything about the patient.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeriesSection {
    /// DICOM modality.
    pub modality: String,
    /// Slices.
    pub slices: usize,
    /// Rows of a slice.
    pub rows: usize,
    /// Columns of a slice.
    pub columns: usize,
    /// Distance of rows and of columns, in mm; absent when the headers do not say it.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Distance of slices along their normal, in mm; absent for one slice or unequal steps.
    pub slice_spacing_mm: Option<f64>,
    /// Direction cosines of a row and of a column.
    pub orientation: [f64; 6],
    /// Unit of the values, `HU` for CT.
    pub unit: String,
    /// Window center and width of the source, if it has them.
    pub window: Option<(f64, f64)>,
    /// What black and white are in the pictures, in the series' unit; absent where another version did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Display>,
    /// Pixels that hold nothing; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<PaddingCounts>,
    /// The series of a joint matrix, in the order of their slices; absent where it is of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<JoinedSection>,
    /// Series that were meant and are no part of it; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unjoined: Vec<UnjoinedSeries>,
    /// What the folder held besides the slices.
    pub left_out: Vec<tomobasis_dicom::Note>,
    /// What is unusual about the series.
    pub warnings: Vec<tomobasis_dicom::Note>,
}

/// A series of a joint matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinedSection {
    /// Salted id, as listings show it.
    pub series: String,
    /// Name of the folder that its own result would have: the whole hash whose beginning the id is, and name of its table of weights.
    pub folder: String,
    /// Its first slice in the matrix, from 0.
    pub first_slice: usize,
    /// Slices.
    pub slices: usize,
    /// Distance of rows and of columns, in mm.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Distance of slices along their normal, in mm.
    pub slice_spacing_mm: Option<f64>,
    /// Direction cosines of a row and of a column.
    pub orientation: [f64; 6],
    /// Window center and width of the source, if it has them.
    pub window: Option<(f64, f64)>,
    /// Slices that `--on-bad-slice skip` left out.
    pub left_out: usize,
    /// Digest of its slices, their pixels, UIDs, places and rescales, keyed with a secret of the pixels.
    pub fingerprint: Digest,
}

impl JoinedSection {
    fn new((one, fingerprint): (&JoinedSeries, &Digest)) -> Self {
        let plan = &one.plan;
        Self {
            series: plan.id.clone(),
            folder: one.folder.clone(),
            first_slice: one.first,
            slices: one.slices,
            pixel_spacing_mm: plan.pixel_spacing_mm,
            slice_spacing_mm: plan.slice_spacing_mm,
            orientation: plan.orientation,
            window: plan.window,
            left_out: plan.skipped,
            fingerprint: *fingerprint,
        }
    }
}

/// Which series were to be one matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Joint {
    /// All of the input.
    All,
    /// Those that were named.
    Chosen,
}

/// The parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parameters {
    /// How many basis vectors were asked for.
    pub rank: RankChoice,
    /// The method, and the parameters that it has.
    #[serde(flatten)]
    pub method: Method,
    /// What the input was; absent for a scan.
    #[serde(default, skip_serializing_if = "InputFormat::is_scan")]
    pub input_format: InputFormat,
    /// Which series were to be one matrix; absent where it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint: Option<Joint>,
    /// What was to become of pixels that hold nothing.
    #[serde(default = "without_choice")]
    pub padding: Padding,
    /// How much of the scan the report holds; absent where it holds samples, or there is none.
    #[serde(default, skip_serializing_if = "ReportSize::is_sampled")]
    pub report: ReportSize,
    /// Rows of a row block.
    pub block_rows: usize,
    /// The slice that the pictures show, from 0.
    pub shown_slice: usize,
}

/// The result in numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResultSection {
    /// Class of reproducibility.
    pub class: String,
    /// What the class promises.
    pub promise: String,
    /// Method that ran.
    pub method: String,
    /// Pixels of a slice, m.
    pub rows: u64,
    /// Slices, n.
    pub columns: usize,
    /// Basis vectors, k.
    pub rank: usize,
    /// Numerical rank of `A`; null where not all singular values were computed.
    pub numerical_rank: Option<usize>,
    /// Columns (from 0) whose singular values coincide to the working precision.
    pub unresolved: Vec<usize>,
    /// Columns that use the second word of `V`.
    pub compensated_columns: usize,
    /// Error bounds that were proven; null in class `fixed`.
    pub bounds: Value,
    /// `||A||_F^2`, without the means that the method removes.
    pub energy: f64,
    /// Standard deviation of the noise that the singular values tell, in the series' unit; absent where not all were computed.
    pub noise: Option<f64>,
    /// The composites.
    pub composites: Vec<CompositeEntry>,
}

/// How it was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Version of this software.
    pub version: String,
    /// Versions of the libraries that matter.
    pub libraries: String,
    /// The Gram kernel chosen for this machine.
    pub kernel: String,
    /// Architecture and instruction sets of the machine that finished the result.
    pub instruction_set: String,
    /// Hash of the input's name.
    pub input: Digest,
    /// The report, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<FileEntry>,
    /// The seal: SHA-256 of the manifest with zeros for these 64 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_sha256: Option<Digest>,
    /// What the runner said of itself: engine, threads, seconds per stage.
    #[serde(flatten)]
    pub environment: Environment,
}

/// What a runner says of itself; goes into the section `run` and into no digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// `in-process`, or the name of what distributed the work.
    #[serde(default)]
    pub runner: String,
    /// What the run is called; absent where an earlier version did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The folder beside the manifest that holds the result's files; absent where they are beside it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Cores that worked.
    #[serde(default)]
    pub cores: usize,
    /// Seconds of each stage, in order.
    #[serde(default)]
    pub timings: Map<String, Value>,
    /// Whatever else describes the run: numbers of partitions, versions.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Run {
    /// What the report says of it: names and values.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        let Environment { runner, cores, timings, .. } = &self.environment;
        let run = [
            ("Software", format!("TomoBasis {} ({})", self.version, self.libraries)),
            ("Runner", format!("{runner}, {cores} cores")),
            ("Machine", format!("{}; Gram kernel {}", self.instruction_set, self.kernel)),
        ];
        let times =
            timings.iter().map(|(stage, seconds)| (format!("Time of {stage}"), format!("{seconds} s")));
        run.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(times).collect()
    }
}

impl Manifest {
    /// Puts the manifest together, all but the report's entry and the seal.
    ///
    /// # Errors
    /// [`Error::Internal`] when the bounds cannot be written as JSON.
    pub fn new(
        decomposition: &Decomposition,
        u: BasisDigests,
        derived: Option<DerivedSection>,
        files: Vec<FileEntry>,
        environment: Environment,
    ) -> Result<Self> {
        let plan = &decomposition.plan;
        let options = &decomposition.options;
        let certified = decomposition.factors.certified();
        Ok(Self {
            format: FORMAT.to_owned(),
            series: SeriesSection {
                modality: plan.modality.clone(),
                slices: plan.slices.len(),
                rows: plan.rows,
                columns: plan.columns,
                pixel_spacing_mm: plan.pixel_spacing_mm,
                slice_spacing_mm: plan.slice_spacing_mm,
                orientation: plan.orientation,
                unit: plan.rescale_unit.clone(),
                window: plan.window,
                display: options.input_format.is_scan().then(|| Display::of(decomposition)),
                padding: (decomposition.padding.pixels > 0).then_some(decomposition.padding),
                joined: decomposition.joined().map(JoinedSection::new).collect(),
                unjoined: plan.joint.as_ref().map_or_else(Vec::new, |joint| joint.left_out.clone()),
                left_out: plan.left_out.clone(),
                warnings: plan.warnings.iter().chain(&decomposition.notes).cloned().collect(),
            },
            parameters: Parameters {
                rank: options.rank,
                method: options.method,
                input_format: options.input_format,
                joint: options.joint().map(|choice| if choice.all { Joint::All } else { Joint::Chosen }),
                padding: options.padding,
                report: options.report,
                block_rows: BLOCK_ROWS,
                shown_slice: decomposition.shown_slice(),
            },
            result: ResultSection {
                class: options.method.class().to_owned(),
                promise: options.method.promise().to_owned(),
                method: options.method.name().to_owned(),
                rows: decomposition.rows(),
                columns: decomposition.columns(),
                rank: decomposition.rank(),
                numerical_rank: decomposition.numerical_rank,
                unresolved: decomposition.factors.unresolved().to_vec(),
                compensated_columns: certified
                    .map_or(0, |factors| factors.compensated.iter().filter(|column| **column).count()),
                bounds: serde_json::to_value(certified.map(|factors| &factors.bounds))
                    .map_err(|error| Error::Internal(error.to_string()))?,
                energy: decomposition.energy,
                noise: decomposition.noise,
                composites: decomposition.spectrum().entries(&decomposition.composites),
            },
            measures: None,
            digests: decomposition.digests(u),
            emitted: options.emit.clone(),
            derived,
            files: Some(files),
            run: Run {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                libraries: env!("TOMOBASIS_LIBRARIES").to_owned(),
                kernel: tomobasis_linalg::kernel_name().to_owned(),
                instruction_set: instruction_set(),
                input: input_hash(&decomposition.secret, &options.input),
                report: None,
                manifest_sha256: None,
                environment,
            },
        })
    }

    /// What the root digest is taken of.
    #[must_use]
    pub fn root_of(&self) -> RootOf<'_> {
        let ResultSection { class, method, rows, columns, rank, .. } = &self.result;
        let parameters = self.parameters.method.lines() + &self.padding_line();
        RootOf { class, method, rows: *rows, columns: *columns, rank: *rank, parameters }
    }

    /// The line of the root digest on padding; empty where no pixel was replaced.
    pub(crate) fn padding_line(&self) -> String {
        self.series.padding.unwrap_or_default().line(self.parameters.padding.into())
    }
}

/// The architecture, and of the instruction sets that kernels are chosen by those that this machine has.
#[must_use]
pub fn instruction_set() -> String {
    #[cfg(target_arch = "x86_64")]
    let sets = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let sets: [(&str, bool); 0] = [];
    let present = sets.into_iter().filter(|(_, present)| *present).map(|(name, _)| name);
    std::iter::once(std::env::consts::ARCH).chain(present).collect::<Vec<_>>().join(" ")
}
