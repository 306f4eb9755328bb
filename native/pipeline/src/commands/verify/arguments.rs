//! The command line of `verify`: what cannot be read off the result folder.

use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser as NotEmpty};

use crate::{
    error::{Error, Result},
    input::listing::local_path,
    options::{ALL, Basis, Composite, DicomSyntax, OnBadSlice, Options},
    result::{Joint, Manifest},
};

/// The arguments of `verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// Result folder to verify
    #[arg(value_name = "RESULT", value_parser = NotEmpty::new())]
    pub result: String,
    /// What was decomposed, as for `decompose`: a folder of DICOM files, an archive, one file, or the files of a matrix; may be
    /// given several times
    #[arg(long, value_name = "URI", required = true, value_parser = NotEmpty::new())]
    pub input: Vec<String>,
    /// Which series of the input, as for `decompose`; of a joint result several, separated by commas [default: those of the result]
    #[arg(long, value_name = "UID", value_parser = NotEmpty::new())]
    pub series: Option<String>,
    /// Use the volumes of one series as one matrix, as for `decompose`
    #[arg(long)]
    pub join: bool,
    /// What to do about slices that cannot be used, as for `decompose`
    #[arg(long, value_enum, default_value = "fail")]
    pub on_bad_slice: OnBadSlice,
    /// The series that `decompose --reference` named, to measure against it again; without it, those figures are not checked
    #[arg(long, value_name = "SERIES", value_parser = NotEmpty::new())]
    pub reference: Option<String>,
    /// Which part is verified, where not all of it is
    #[command(flatten)]
    pub part: PartArgs,
    /// Print more on stderr: paths of files, details of errors
    #[arg(long)]
    pub verbose: bool,
}

/// Which part of a result is checked, where not all of it is.
#[derive(Args, Clone, Debug, Default)]
pub struct PartArgs {
    /// Check this alone, in less time
    #[arg(long, value_enum, value_name = "PART", conflicts_with = "blocks")]
    pub only: Option<Part>,
    /// Check s and V, and of U this share of its row blocks, chosen at random: `5%`
    #[arg(long, value_name = "SHARE", value_parser = share, allow_hyphen_values = true)]
    pub blocks: Option<f64>,
    /// What random choices follow from, with --only and --blocks [default: another number each time, which is printed]
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
}

/// A part of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Singular values and weights, without basis vectors, pictures, report and derived DICOM
    Sv,
}

impl PartArgs {
    /// The first option that says that not all of a result is checked.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--only", self.only.is_some()),
            ("--blocks", self.blocks.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }
}

/// A share in percent, or as a fraction.
fn share(text: &str) -> std::result::Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "a share above 0 is expected, up to 100%".to_owned())
}

impl VerifyArgs {
    /// Refuses options that only a scan has for the result of a matrix.
    pub(crate) fn check_against(&self, manifest: &Manifest) -> Result<()> {
        self.refuse_the_result_itself()?;
        let given = [
            ("--series", self.series.is_some()),
            ("--join", self.join),
            ("--on-bad-slice", self.on_bad_slice == OnBadSlice::Skip),
        ];
        let has_reference = manifest.measures.as_ref().is_some_and(|measures| measures.reference.is_some());
        if self.reference.is_some() && !has_reference {
            let problem = "the result was not measured against a reference; leave it out";
            return Err(Error::option("--reference", problem));
        }
        match given.into_iter().find(|(_, given)| *given) {
            Some((option, _)) if !manifest.parameters.input_format.is_scan() => Err(Error::option(
                option,
                "it applies to scans, and this is the result of a matrix; leave it out",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses an input that is the result, in which a run would look for a scan.
    pub(crate) fn refuse_the_result_itself(&self) -> Result<()> {
        let place = |option, text: &str| local_path(option, text).ok()?.canonicalize().ok();
        let result = place("RESULT", &self.result);
        if result.is_some() && self.input.iter().any(|input| place("--input", input) == result) {
            let problem = "it is the result folder itself; name what the result was made from";
            return Err(Error::option("--input", problem));
        }
        Ok(())
    }
}

/// The series that a joint result is of: as asked for, else those that its manifest names; then, if it was to be of all, all are looked at
/// for what is told of the others.
fn joint_names(args: &VerifyArgs, manifest: &Manifest, joint: Joint) -> Vec<String> {
    if let Some(series) = &args.series {
        return series.split(',').map(str::to_owned).collect();
    }
    let hash = |folder: &str| folder.strip_prefix("series-").unwrap_or(folder).to_owned();
    let names = manifest.series.joined.iter().map(|one| hash(&one.folder));
    let all = (joint == Joint::All).then(|| ALL.to_owned());
    names.chain(all).collect()
}

impl Options {
    /// The options of a run that makes the same result again, and writes nothing.
    #[must_use]
    pub fn for_verification(args: &VerifyArgs, manifest: &Manifest) -> Self {
        let derived = manifest.derived.as_ref();
        let (series, more_series, basis) = match manifest.parameters.joint {
            None => (args.series.clone(), Vec::new(), Basis::Own),
            Some(joint) => {
                let mut names = joint_names(args, manifest, joint).into_iter();
                (names.next(), names.collect(), Basis::Joint)
            }
        };
        let composites = manifest.result.composites.iter().map(|one| Composite::Columns(one.k));
        Self {
            input: args.input.clone(),
            input_format: manifest.parameters.input_format,
            output: String::new(),
            overwrite: false,
            series,
            more_series,
            basis,
            fail_fast: false,
            join: args.join,
            on_bad_slice: args.on_bad_slice,
            padding: manifest.parameters.padding,
            denoise: None,
            method: manifest.parameters.method,
            rank: manifest.parameters.rank,
            composite: Some(composites.collect()),
            reference: args.reference.clone(),
            emit: manifest.emitted.clone(),
            report: manifest.parameters.report,
            in_job: false,
            dicom_syntax: derived.map_or(DicomSyntax::default(), |section| section.syntax),
            no_patient_data: derived.is_some_and(|section| !section.patient_data),
            verbose: args.verbose,
        }
    }
}
