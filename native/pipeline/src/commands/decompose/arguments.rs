//! The arguments of a decomposition.

use clap::{Args, builder::NonEmptyStringValueParser as NotEmpty};

use super::method::MethodArgs;
use crate::{
    error::{Error, Result},
    input::listing::lies_in,
    options::{
        ALL, Basis, Composite, DicomSyntax, Emit, InputFormat, LARGEST, OnBadSlice, Options, Padding,
        RankChoice, ReportSize, share,
    },
};

/// The options of a decomposition, as typed.
#[derive(Args, Clone, Debug)]
pub struct JobArgs {
    /// Folder of DICOM files, a zip, tar or tar.gz of such a folder, or one file; may be given several times. With --input-format,
    /// the files of a matrix
    #[arg(long, value_name = "URI", required = true, value_parser = NotEmpty::new())]
    input: Vec<String>,
    /// What the input is
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "dicom")]
    input_format: InputFormat,
    /// Result folder to create
    #[arg(long, value_name = "URI", required = true, value_parser = NotEmpty::new())]
    output: String,
    /// Replace the result folder if it exists
    #[arg(long)]
    overwrite: bool,
    /// Which series: its UID, the short id that `inspect` prints, `largest`, or `all`, each into a folder of its own in the output,
    /// with an index; with `--basis joint` several [default: the only one]
    #[arg(long, value_name = "UID", value_delimiter = ',', value_parser = NotEmpty::new())]
    series: Vec<String>,
    /// Whether each series has a basis of its own, or those of `--series` one basis: `joint` takes the slices of all of them as the
    /// columns of one matrix
    #[arg(long, value_enum, default_value = "own")]
    basis: Basis,
    /// With `--series all`: stop at the first series that cannot be decomposed, instead of going on with the others
    #[arg(long)]
    fail_fast: bool,
    /// Use the volumes of one series (energies, kernels, phases, echoes, ...) as one matrix, instead of choosing one of them
    #[arg(long)]
    join: bool,
    /// What to do about slices that cannot be used: `skip` leaves them out, at most a tenth and no two consecutive ones
    #[arg(long, value_enum, default_value = "fail")]
    on_bad_slice: OnBadSlice,
    /// What to do about pixels outside the image: those equal to Pixel Padding Value and, in HU, those equal to all four corners and
    /// far below air [default: air]
    #[arg(long, value_enum)]
    padding: Option<Padding>,
    #[command(flatten)]
    method: MethodArgs,
    /// How many basis vectors: a number, `auto` for those above the noise (optimal hard threshold of Gavish and Donoho), or `full`
    /// for all up to the numerical rank
    #[arg(long, value_name = "K|auto|full", default_value = "full", allow_hyphen_values = true)]
    rank: RankChoice,
    /// Instead of --rank: as few basis vectors as hold this share of the scan's energy, such as 0.99
    #[arg(long, value_name = "F", conflicts_with = "rank", value_parser = share, allow_hyphen_values = true)]
    energy: Option<f64>,
    /// Ranks of the composites (reconstructions from the first K basis vectors), or percentages: `10%` of the slices; `-10%`: the
    /// last tenth of the basis vectors left out, as in the 2020 pipeline [default: 50,244,300, up to the rank]
    #[arg(long, value_name = "K,...", value_delimiter = ',', allow_hyphen_values = true)]
    composite: Option<Vec<Composite>>,
    /// A series of as many slices of the same size to measure the composites against (PSNR, RMSE, SSIM), such as one of full dose: a
    /// folder or file, or the UID or short id of a series of the input; not in the Spark job
    #[arg(long, value_name = "SERIES", value_parser = NotEmpty::new())]
    reference: Option<String>,
    /// What to write [default: parquet,png,report; for a matrix parquet,png, with the spectrum as its only picture]
    #[arg(long, value_enum, value_name = "WHAT,...", value_delimiter = ',')]
    emit: Option<Vec<Emit>>,
    /// How much of the scan `report.html` holds to look through; the Spark job takes `full` for at most 33554432 values (slices x pixels,
    /// once for the original and for each composite) [default: sampled]
    #[arg(long, value_enum, value_name = "SIZE")]
    report: Option<ReportSize>,
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

impl JobArgs {
    /// Whether to print more on stderr.
    #[must_use]
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// Whether every series is decomposed by itself.
    #[must_use]
    pub fn all_series(&self) -> bool {
        self.means_all() && self.basis.is_own()
    }

    fn means_all(&self) -> bool {
        self.series.iter().any(|series| series == ALL)
    }

    /// Refuses choices of series that mean nothing together.
    fn check_series(&self) -> Result<()> {
        if let ([_, _, ..], true) = (self.series.as_slice(), self.means_all()) {
            return Err(Error::option("--series", "all means every series; leave out the others"));
        }
        match (self.basis, self.series.as_slice()) {
            (Basis::Own, [_, _, ..]) => {
                let problem = "several make one result with --basis joint; add it, or name one series";
                Err(Error::option("--series", problem))
            }
            (Basis::Joint, series) if series.is_empty() || series.iter().any(|one| one == LARGEST) => {
                let problem = "joint is for --series all, or for several --series UID; give these";
                Err(Error::option("--basis", problem))
            }
            _ => Ok(()),
        }
    }

    /// Checks what clap cannot.
    ///
    /// # Errors
    /// [`Error::Option`] for options that do not go together.
    pub fn resolve(self) -> Result<Options> {
        let means_all = self.means_all();
        let rank = self.energy.map_or(self.rank, RankChoice::Energy);
        let method = self.method.resolve(rank)?;
        if !self.input_format.is_scan() {
            self.check_of_matrix()?;
        }
        self.check_series()?;
        let (padding, emit): (_, &[Emit]) = match self.input_format {
            InputFormat::Dicom => (Padding::Air, &[Emit::Parquet, Emit::Png, Emit::Report]),
            _ => (Padding::Keep, &[Emit::Parquet, Emit::Png]),
        };
        let (padding, emit) = (self.padding.unwrap_or(padding), self.emit.unwrap_or_else(|| emit.to_vec()));
        if !emit.contains(&Emit::Dicom) {
            let given = [
                ("--dicom-syntax", self.dicom_syntax.is_some()),
                ("--no-patient-data", self.no_patient_data),
            ];
            if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
                return Err(Error::option(
                    option,
                    "it applies to derived DICOM; add dicom to --emit, or leave it out",
                ));
            }
        }
        if self.report.is_some() && !emit.contains(&Emit::Report) {
            return Err(Error::option(
                "--report",
                "there is no report; add report to --emit, or leave it out",
            ));
        }
        if self.reference.is_some() {
            check_reference(&emit, means_all || !self.basis.is_own())?;
        }
        if self.fail_fast && !means_all {
            return Err(Error::option("--fail-fast", "it applies to --series all; leave it out"));
        }
        refuse_output_above(&self.input, &self.output)?;
        if means_all {
            refuse_output_inside(&self.input, &self.output)?;
        }
        if emit.contains(&Emit::Dicom) {
            refuse_output_beside_slices(self.input.iter().chain(&self.reference), &self.output)?;
        }
        let mut series = self.series.into_iter();
        Ok(Options {
            input: self.input,
            input_format: self.input_format,
            output: self.output,
            overwrite: self.overwrite,
            series: series.next(),
            more_series: series.collect(),
            basis: self.basis,
            fail_fast: self.fail_fast,
            join: self.join,
            on_bad_slice: self.on_bad_slice,
            padding,
            denoise: None,
            method,
            rank,
            composite: self.composite,
            reference: self.reference,
            emit,
            report: self.report.unwrap_or_default(),
            in_job: false,
            dicom_syntax: self.dicom_syntax.unwrap_or_default(),
            no_patient_data: self.no_patient_data,
            verbose: self.verbose,
        })
    }

    /// Refuses options that only a scan has.
    fn check_of_matrix(&self) -> Result<()> {
        let given = [
            ("--series", !self.series.is_empty()),
            ("--basis", !self.basis.is_own()),
            ("--join", self.join),
            ("--on-bad-slice", self.on_bad_slice == OnBadSlice::Skip),
            ("--padding", self.padding.is_some()),
            ("--reference", self.reference.is_some()),
            ("--report", self.report.is_some()),
        ];
        if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
            let problem = "it applies to scans; leave it out with the --input-format of a matrix";
            return Err(Error::option(option, problem));
        }
        match self.emit.iter().flatten().all(|emit| self.input_format.emits().contains(emit)) {
            true => Ok(()),
            false => Err(Error::option(
                "--emit",
                "of a matrix parquet, png, text and drm can be written; give these",
            )),
        }
    }
}

/// Refuses a reference where nothing is measured, or where it cannot be that of all.
fn check_reference(emit: &[Emit], all_series: bool) -> Result<()> {
    let problem = if all_series {
        "a reference is that of one series; name the series with --series, or leave it out"
    } else if !emit.contains(&Emit::Report) {
        "composites are measured with the report; add report to --emit, or leave it out"
    } else {
        return Ok(());
    };
    Err(Error::option("--reference", problem))
}

/// Refuses an output in an input of which all series are meant: what another run has written there would be taken for series.
///
/// # Errors
/// [`Error::OutputInInput`].
pub(in crate::commands) fn refuse_output_inside(inputs: &[String], output: &str) -> Result<()> {
    if is_inside(inputs, output) { Err(Error::OutputInInput) } else { Ok(()) }
}

/// Refuses an output with DICOM files in a folder that is read, by whatever path: a second run would read the first one's output.
///
/// # Errors
/// [`Error::OutputBesideSlices`].
pub(in crate::commands) fn refuse_output_beside_slices<'a>(
    inputs: impl IntoIterator<Item = &'a String>,
    output: &str,
) -> Result<()> {
    match is_inside(inputs, output) {
        true => Err(Error::OutputBesideSlices),
        false => Ok(()),
    }
}

/// Whether an output lies in an input: by its name, or on the local disk by whatever leads there.
fn is_inside<'a>(inputs: impl IntoIterator<Item = &'a String>, output: &str) -> bool {
    let folder = |uri: &str| format!("{}/", uri.trim_end_matches('/'));
    let inside = |input: &String| folder(output).starts_with(&folder(input)) || lies_in(output, input);
    inputs.into_iter().any(inside)
}

/// Refuses an output whose name says that the input lies in it. Whatever else leads there is found where the folder is at hand.
///
/// # Errors
/// [`Error::OutputHoldsInput`].
pub(in crate::commands) fn refuse_output_above(inputs: &[String], output: &str) -> Result<()> {
    let folder = |uri: &str| format!("{}/", uri.trim_end_matches('/'));
    match inputs.iter().any(|input| folder(input).starts_with(&folder(output))) {
        true => Err(Error::OutputHoldsInput),
        false => Ok(()),
    }
}
