//! Options: the one parser for the command and the Spark job.
//!
//! [`JobArgs`] is what clap sees, as text; [`Options`] is what the stages see, checked. `tomobasis decompose` flattens
//! [`JobArgs`] into its subcommand; the job parses it alone through [`parse_job`]. What depends on the series (a rank above
//! the number of slices) is checked once the series is known, by [`Options::check_against`].

mod method;
pub(crate) mod padding;
mod rank;
mod syntax;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tomobasis_dicom::{SeriesChoice, SeriesPlan};

pub use self::{
    method::{Method, Sketching},
    padding::Padding,
    rank::{Composite, RankChoice},
    syntax::DicomSyntax,
};
use crate::error::{Error, Result};

/// What is written into the result folder beside the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
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
}

/// What is done about slices that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OnBadSlice {
    /// The first such slice ends the run with an error.
    #[default]
    Fail,
    /// Such slices are left out and reported, as long as the rest is still the scan.
    Skip,
}

/// The options of a decomposition, as typed.
#[derive(Args, Clone, Debug)]
pub struct JobArgs {
    /// Folder of DICOM files, a zip, tar or tar.gz of such a folder, or one file; may be given several times
    #[arg(long, value_name = "URI", required = true)]
    input: Vec<String>,
    /// Result folder to create
    #[arg(long, value_name = "URI", required = true)]
    output: String,
    /// Replace the result folder if it exists
    #[arg(long)]
    overwrite: bool,
    /// Which series: its UID, the short id that `inspect` prints, or `largest` [default: the only one]
    #[arg(long, value_name = "UID")]
    series: Option<String>,
    /// Use the volumes of one series (energies, kernels, phases, echoes, ...) as one matrix, instead of choosing one of them
    #[arg(long)]
    join: bool,
    /// What to do about slices that cannot be used: `skip` leaves them out, at most a tenth and no two consecutive ones
    #[arg(long, value_enum, default_value = "fail")]
    on_bad_slice: OnBadSlice,
    /// What to do about pixels outside the image: those equal to Pixel Padding Value and, in HU, those equal to all four corners and
    /// far below air
    #[arg(long, value_enum, default_value = "air")]
    padding: Padding,
    #[command(flatten)]
    method: method::MethodArgs,
    /// How many basis vectors: a number, `auto` for those above the noise (optimal hard threshold of Gavish and Donoho), or `full`
    /// for all up to the numerical rank
    #[arg(long, value_name = "K|auto|full", default_value = "full")]
    rank: RankChoice,
    /// Instead of --rank: as few basis vectors as hold this share of the scan's energy, such as 0.99
    #[arg(long, value_name = "F", conflicts_with = "rank", value_parser = rank::share)]
    energy: Option<f64>,
    /// Ranks of the composites (reconstructions from the first K basis vectors), or percentages of the slices (`10%`)
    /// [default: 50,244,300, up to the rank]
    #[arg(long, value_name = "K,...", value_delimiter = ',')]
    composite: Option<Vec<Composite>>,
    /// What to write
    #[arg(
        long,
        value_enum,
        value_name = "WHAT,...",
        value_delimiter = ',',
        default_value = "parquet,png,report"
    )]
    emit: Vec<Emit>,
    /// How derived DICOM is written [default: explicit]
    #[arg(long, value_enum)]
    dicom_syntax: Option<DicomSyntax>,
    /// Leave out of derived DICOM what can identify a person (PS3.15 basic profile); does not remove burned-in text or faces
    #[arg(long)]
    no_patient_data: bool,
    /// Print more on stderr: paths of files, details of errors
    #[arg(long)]
    verbose: bool,
}

/// The options of a decomposition, checked as far as the command line goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Folders and files to read, in the order given.
    pub input: Vec<String>,
    /// Result folder.
    pub output: String,
    /// Whether an existing result folder is replaced.
    pub overwrite: bool,
    /// Which series, as typed.
    pub series: Option<String>,
    /// Whether the volumes of one series are one matrix.
    pub join: bool,
    /// What is done about slices that cannot be used.
    pub on_bad_slice: OnBadSlice,
    /// What becomes of pixels that hold nothing.
    pub padding: Padding,
    /// How to decompose.
    pub method: Method,
    /// How many basis vectors.
    pub rank: RankChoice,
    /// Composites; `None` is the default list.
    pub composite: Option<Vec<Composite>>,
    /// What to write.
    pub emit: Vec<Emit>,
    /// How derived DICOM is written.
    pub dicom_syntax: DicomSyntax,
    /// Whether derived DICOM is written without what can identify a person.
    pub no_patient_data: bool,
    /// Whether paths may appear in messages.
    pub verbose: bool,
}

impl JobArgs {
    /// Whether more is to be said on stderr.
    #[must_use]
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// Checks what clap cannot.
    ///
    /// # Errors
    /// [`Error::NotAvailable`] for what the documented interface has and this version has not; [`Error::Option`] for options that
    /// do not go together.
    pub fn resolve(self) -> Result<Options> {
        let rank = self.energy.map_or(self.rank, RankChoice::Energy);
        let method = self.method.resolve(rank)?;
        if !self.emit.contains(&Emit::Dicom) {
            let given = [
                ("--dicom-syntax", self.dicom_syntax.is_some()),
                ("--no-patient-data", self.no_patient_data),
            ];
            if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
                return Err(Error::option(
                    option,
                    "it is about derived DICOM; add dicom to --emit, or leave it out",
                ));
            }
        }
        if self.series.as_deref() == Some("all") {
            return Err(Error::NotAvailable("--series all".to_owned()));
        }
        // Whatever else leads there is found where the folder is at hand.
        let folder = |uri: &str| format!("{}/", uri.trim_end_matches('/'));
        if self.input.iter().any(|input| folder(input).starts_with(&folder(&self.output))) {
            return Err(Error::OutputHoldsInput);
        }
        Ok(Options {
            input: self.input,
            output: self.output,
            overwrite: self.overwrite,
            series: self.series,
            join: self.join,
            on_bad_slice: self.on_bad_slice,
            padding: self.padding,
            method,
            rank,
            composite: self.composite,
            emit: self.emit,
            dicom_syntax: self.dicom_syntax.unwrap_or_default(),
            no_patient_data: self.no_patient_data,
            verbose: self.verbose,
        })
    }
}

/// The series that `--series` means.
#[must_use]
pub fn series_choice(series: Option<&str>) -> SeriesChoice {
    match series {
        None => SeriesChoice::Only,
        Some("largest") => SeriesChoice::Largest,
        Some(uid) => SeriesChoice::Uid(uid.to_owned()),
    }
}

impl Options {
    /// Whether `what` is asked for.
    #[must_use]
    pub fn emits(&self, what: Emit) -> bool {
        self.emit.contains(&what)
    }

    /// Whether pictures are made at all: for their files or for the report.
    #[must_use]
    pub fn draws(&self) -> bool {
        self.emits(Emit::Png) || self.emits(Emit::Report)
    }

    /// Checks what depends on the series: ranks and composites against its number of slices, derived DICOM against its size, the
    /// rule for padding against its rescale; and whether this machine may run the method.
    ///
    /// # Errors
    /// [`Error::Option`] naming `--method`, `--padding`, `--rank`, `--composite` or `--emit`.
    pub fn check_against(&self, plan: &SeriesPlan) -> Result<()> {
        self.method.check_machine()?;
        padding::check(self.padding.into(), plan)?;
        if self.emits(Emit::Dicom) {
            self.dicom_syntax.check_against(plan)?;
        }
        let slices = plan.slices.len();
        if let RankChoice::Columns(k) = self.rank
            && k > slices
        {
            let problem =
                format!("{k} is more than the {slices} slices of the series; give 1 to {slices}, or full");
            return Err(Error::option("--rank", problem));
        }
        if let (Some(_), RankChoice::Columns(k)) = (self.method.sketching(), self.rank)
            && k > plan.pixels()
        {
            let problem = format!("{k} is more than the {} pixels of a slice; give 1 to that", plan.pixels());
            return Err(Error::option("--rank", problem));
        }
        for composite in self.composite.iter().flatten() {
            if let Composite::Columns(k) = *composite
                && k > slices
            {
                let problem =
                    format!("{k} is more than the {slices} slices of the series; give 1 to {slices}");
                return Err(Error::option("--composite", problem));
            }
        }
        Ok(())
    }

    /// The composites to render, ascending and without repetition, for `rank` basis vectors of `slices` slices.
    #[must_use]
    pub fn composites(&self, slices: usize, rank: usize) -> Vec<usize> {
        let asked = self.composite.as_deref().unwrap_or(&rank::PAPER_COMPOSITES);
        let mut ranks: Vec<usize> =
            asked.iter().map(|c| c.columns(slices).min(rank)).filter(|&k| k > 0).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }
}
