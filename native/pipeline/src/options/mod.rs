//! Options of a decomposition, for the command and the Spark job alike.
//!
//! They are typed and checked; what clap sees is in [`commands`](crate::commands). What depends on the series (a rank above the
//! number of slices) is checked once the series is known, by [`Options::check_against`].

mod method;
pub(crate) mod padding;
mod rank;
mod report;
mod syntax;

use serde::{Deserialize, Serialize};
use tomobasis_denoise::Settings;
use tomobasis_dicom::{JointChoice, SeriesChoice, SeriesPlan};
use tomobasis_linalg::MAX_GRAM_COLUMNS;

pub(crate) use self::rank::share;
pub use self::{
    method::{Center, Method, Sketching},
    padding::Padding,
    rank::{Composite, RankChoice},
    report::{MOST_VALUES_IN_JOB, ReportSize},
    syntax::DicomSyntax,
};
use crate::error::{Error, Result};

/// What is written into the result folder beside the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Emit {
    /// Singular values, weights and basis vectors as Parquet.
    Parquet,
    /// Pictures as PNG.
    Png,
    /// `report.html`.
    Report,
    /// Every composite as a derived DICOM series, with the source's patient data unless `--no-patient-data`.
    Dicom,
    /// The factors in the text files of the 2020 pipeline.
    Text,
    /// The factors in SequenceFiles of Mahout's vectors.
    Drm,
}

/// What the input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputFormat {
    /// A scan.
    #[default]
    Dicom,
    /// A matrix in NumPy's format.
    Npy,
    /// A matrix in Parquet files.
    Parquet,
    /// An image of three or four dimensions.
    Nifti,
    /// Lines of numbers.
    Text,
    /// Mahout's SequenceFiles.
    Drm,
}

/// What is done about slices that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBadSlice {
    /// The first such slice ends the run with an error.
    #[default]
    Fail,
    /// Such slices are left out and reported, as long as the rest is still the scan.
    Skip,
}

/// What the columns of a matrix are, where several series are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The slices of one series: each series has a basis of its own
    #[default]
    Own,
    /// The slices of all series that are meant: one basis for all of them
    Joint,
}

/// The options of a decomposition, checked as far as the command line goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Folders and files to read, in the order given.
    pub input: Vec<String>,
    /// What it is.
    #[serde(default)]
    pub input_format: InputFormat,
    /// Result folder.
    pub output: String,
    /// Whether an existing result folder is replaced.
    pub overwrite: bool,
    /// Which series, as typed.
    pub series: Option<String>,
    /// Further ones, of a joint basis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_series: Vec<String>,
    /// Whether several series are one matrix.
    #[serde(default, skip_serializing_if = "Basis::is_own")]
    pub basis: Basis,
    /// With `--series all`: whether the first series that fails ends the run.
    #[serde(default)]
    pub fail_fast: bool,
    /// Whether the volumes of one series are one matrix.
    pub join: bool,
    /// What is done about slices that cannot be used.
    pub on_bad_slice: OnBadSlice,
    /// What becomes of pixels that hold nothing.
    pub padding: Padding,
    /// How to denoise; none where the series is decomposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denoise: Option<Settings>,
    /// How to decompose.
    pub method: Method,
    /// How many basis vectors.
    pub rank: RankChoice,
    /// Composites; `None` is the default list.
    pub composite: Option<Vec<Composite>>,
    /// A series to measure composites against: a folder, or the UID of a series of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What to write.
    pub emit: Vec<Emit>,
    /// How much of the scan the report holds.
    #[serde(default, skip_serializing_if = "ReportSize::is_sampled")]
    pub report: ReportSize,
    /// Whether it is a Spark job, which cannot put everything together.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_job: bool,
    /// How derived DICOM is written.
    pub dicom_syntax: DicomSyntax,
    /// Whether derived DICOM is written without what can identify a person.
    pub no_patient_data: bool,
    /// Whether paths may appear in messages.
    pub verbose: bool,
}

impl InputFormat {
    /// Whether it is a scan.
    #[must_use]
    pub fn is_scan(&self) -> bool {
        *self == Self::Dicom
    }

    /// What can be written of it.
    pub(crate) fn emits(self) -> &'static [Emit] {
        match self.is_scan() {
            true => &[Emit::Parquet, Emit::Png, Emit::Report, Emit::Dicom, Emit::Text, Emit::Drm],
            false => &[Emit::Parquet, Emit::Png, Emit::Text, Emit::Drm],
        }
    }

    /// What is decomposed.
    #[must_use]
    pub fn subject(self) -> &'static str {
        if self.is_scan() { "series" } else { "input" }
    }

    /// What the columns of the matrix are.
    pub(crate) fn columns(self) -> &'static str {
        if self.is_scan() { "slices of the series" } else { "columns of the matrix" }
    }

    /// What its rows are.
    fn rows(self) -> &'static str {
        if self.is_scan() { "pixels of a slice" } else { "rows of the matrix" }
    }
}

impl Basis {
    /// Whether each series has a basis of its own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        *self == Self::Own
    }
}

/// What `--series` is for every series.
pub const ALL: &str = "all";

/// What `--series` is for the series with most slices.
pub const LARGEST: &str = "largest";

/// The series that `--series` means.
#[must_use]
pub fn series_choice(series: Option<&str>) -> SeriesChoice {
    match series {
        None => SeriesChoice::Only,
        Some(LARGEST) => SeriesChoice::Largest,
        Some(ALL) => SeriesChoice::All,
        Some(uid) => SeriesChoice::Uid(uid.to_owned()),
    }
}

impl Options {
    /// Whether `what` is asked for.
    #[must_use]
    pub fn emits(&self, what: Emit) -> bool {
        self.emit.contains(&what)
    }

    /// Whether every series of the input is decomposed, or denoised, by itself.
    #[must_use]
    pub fn all_series(&self) -> bool {
        self.series.as_deref() == Some(ALL) && self.basis.is_own()
    }

    /// Which series are one matrix; `None` where it is of one.
    #[must_use]
    pub fn joint(&self) -> Option<JointChoice> {
        let (all, names): (Vec<String>, Vec<String>) =
            self.series.iter().chain(&self.more_series).cloned().partition(|name| name == ALL);
        let choice = || JointChoice { names, all: !all.is_empty(), fail_fast: self.fail_fast };
        (self.basis == Basis::Joint).then(choice)
    }

    /// Whether pictures are made at all: for their files or for the report.
    #[must_use]
    pub fn draws(&self) -> bool {
        self.emits(Emit::Png) || self.emits(Emit::Report)
    }

    /// Checks what depends on the series: ranks and composites against its number of slices, derived DICOM against its size, the
    /// rule for padding against its rescale, in the job a full report against what it can hold; and whether this machine may run the method.
    ///
    /// # Errors
    /// [`Error::Option`] naming `--method`, `--padding`, `--rank`, `--composite`, `--emit` or `--report`.
    pub fn check_against(&self, plan: &SeriesPlan) -> Result<()> {
        self.method.check_machine()?;
        padding::check(self.padding.into(), plan)?;
        if self.emits(Emit::Dicom) {
            self.dicom_syntax.check_against(plan, self.denoise.is_some())?;
        }
        let (slices, columns) = (plan.slices.len(), self.input_format.columns());
        if self.method.sketching().is_none() && slices > MAX_GRAM_COLUMNS {
            let problem =
                format!("it takes at most {MAX_GRAM_COLUMNS} {columns}, not {slices}; use dssvd or dspca");
            return Err(Error::option("--method", problem));
        }
        if let RankChoice::Columns(k) = self.rank
            && k > slices
        {
            let problem = format!("{k} is more than the {slices} {columns}; give 1 to {slices}, or full");
            return Err(Error::option("--rank", problem));
        }
        if let (Some(_), RankChoice::Columns(k)) = (self.method.sketching(), self.rank)
            && k > plan.pixels()
        {
            let (pixels, rows) = (plan.pixels(), self.input_format.rows());
            let problem = format!("{k} is more than the {pixels} {rows}; give 1 to that");
            return Err(Error::option("--rank", problem));
        }
        for composite in self.composite.iter().flatten() {
            if let Composite::Columns(k) = *composite
                && k > slices
            {
                let problem = format!("{k} is more than the {slices} {columns}; give 1 to {slices}");
                return Err(Error::option("--composite", problem));
            }
        }
        match self.in_job {
            // Where a rule chooses k, as many as there can be.
            true => self.report.check_in_job(plan, self.composites(slices, slices.min(plan.pixels())).len()),
            false => Ok(()),
        }
    }

    /// The composites to render, ascending and without repetition, for `rank` basis vectors of `slices` slices.
    #[must_use]
    pub fn composites(&self, slices: usize, rank: usize) -> Vec<usize> {
        let asked = self.composite.as_deref().unwrap_or(&rank::PAPER_COMPOSITES);
        let mut ranks: Vec<usize> =
            asked.iter().map(|c| c.columns(slices, rank).min(rank)).filter(|&k| k > 0).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }
}
