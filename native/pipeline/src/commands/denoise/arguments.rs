//! The arguments of `denoise`.

use clap::{Args, Parser, ValueEnum, builder::NonEmptyStringValueParser as NotEmpty, error::ErrorKind};
use tomobasis_denoise::{Quality, Settings};

use crate::{
    commands::decompose::{one_line, refuse_output_above, refuse_output_beside_slices, refuse_output_inside},
    error::{Error, Result},
    options::{
        ALL, Basis, DicomSyntax, Emit, InputFormat, Method, OnBadSlice, Options, Padding, RankChoice,
        ReportSize,
    },
};

/// `--quality`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum QualityName {
    /// About a third of the time, 0.1 to 0.2 dB less
    Fast,
    /// One pass of windows of 8 x 16 x 16 voxels
    Default,
    /// Two passes: more of the contrast of small details
    Best,
}

/// The options of denoising, as typed.
#[derive(Args, Clone, Debug)]
pub struct DenoiseArgs {
    /// Folder of DICOM files, a zip, tar or tar.gz of such a folder, or one file; may be given several times
    #[arg(long, value_name = "URI", required = true, value_parser = NotEmpty::new())]
    input: Vec<String>,
    /// Folder to create: the denoised series in `dicom/`, and `manifest.json`
    #[arg(long, value_name = "URI", required = true, value_parser = NotEmpty::new())]
    output: String,
    /// Replace a folder that this command wrote; with `--series all`, make all of them again
    #[arg(long)]
    overwrite: bool,
    /// Which series: its UID, the short id that `inspect` prints, `largest`, or `all`, each into a folder of its own in the output,
    /// with an index [default: the only one]
    #[arg(long, value_name = "UID", value_parser = NotEmpty::new())]
    series: Option<String>,
    /// With `--series all`: stop at the first series that cannot be denoised, instead of going on with the others
    #[arg(long)]
    fail_fast: bool,
    /// Part of what is found to be noise that is removed: 0 leaves the scan as it is, 1 removes all of it
    #[arg(long, value_name = "S", default_value = "0.75", value_parser = strength, allow_hyphen_values = true)]
    strength: f32,
    /// How much is computed
    #[arg(long, value_enum, default_value = "default")]
    quality: QualityName,
    /// How the series is written
    #[arg(long, value_enum, default_value = "explicit")]
    dicom_syntax: DicomSyntax,
    /// Leave out what can identify a person (PS3.15 basic profile); does not remove burned-in text or faces
    #[arg(long)]
    no_patient_data: bool,
    /// Print more on stderr: paths of files, details of errors
    #[arg(long)]
    pub verbose: bool,
}

impl DenoiseArgs {
    /// The folder to create, as typed.
    #[must_use]
    pub fn output(&self) -> &str {
        &self.output
    }

    /// Whether every series is denoised by itself.
    #[must_use]
    pub fn all_series(&self) -> bool {
        self.series.as_deref() == Some(ALL)
    }

    /// What is read and written, in the terms of a decomposition, and how it is denoised; checks what clap cannot.
    ///
    /// # Errors
    /// [`Error::Option`] for options that do not go together, [`Error::OutputHoldsInput`], [`Error::OutputInInput`],
    /// [`Error::OutputBesideSlices`].
    pub fn resolve(self) -> Result<(Options, Settings)> {
        if self.fail_fast && !self.all_series() {
            return Err(Error::option("--fail-fast", "it applies to --series all; leave it out"));
        }
        refuse_output_above(&self.input, &self.output)?;
        if self.all_series() {
            refuse_output_inside(&self.input, &self.output)?;
        }
        refuse_output_beside_slices(&self.input, &self.output)?;
        let quality = match self.quality {
            QualityName::Fast => Quality::Fast,
            QualityName::Default => Quality::Default,
            QualityName::Best => Quality::Best,
        };
        let settings = Settings { strength: self.strength, quality };
        let options = Options {
            input: self.input,
            input_format: InputFormat::Dicom,
            output: self.output,
            overwrite: self.overwrite,
            series: self.series,
            more_series: Vec::new(),
            basis: Basis::Own,
            fail_fast: self.fail_fast,
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
            dicom_syntax: self.dicom_syntax,
            no_patient_data: self.no_patient_data,
            verbose: self.verbose,
        };
        Ok((options, settings))
    }
}

#[derive(Parser)]
#[command(name = "tomobasis denoise")]
struct Line {
    #[command(flatten)]
    args: DenoiseArgs,
}

/// Parses the options of denoising (without a program name), as the Python package has them.
///
/// # Errors
/// [`Error::CommandLine`] in one line.
pub fn parse_arguments(args: &[String]) -> Result<DenoiseArgs> {
    let argv = std::iter::once("denoise").chain(args.iter().map(String::as_str));
    match Line::try_parse_from(argv) {
        Ok(line) => Ok(line.args),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            Err(Error::CommandLine("--help: read the documentation of the function".to_owned()))
        }
        Err(error) => Err(Error::CommandLine(one_line(&error))),
    }
}

fn strength(text: &str) -> std::result::Result<f32, String> {
    // Of -0 the strength is 0.
    let number = text.parse().ok().filter(|strength| (0.0..=1.0).contains(strength)).map(f32::abs);
    number.ok_or_else(|| "a number from 0 to 1 is expected".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(more: &str) -> Result<Settings> {
        let line = format!("--input a --output b {more}");
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse_arguments(&words)?.resolve().map(|(_, settings)| settings)
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        assert_eq!(parse("").unwrap(), Settings::default());
        let given = parse("--strength 1 --quality best").unwrap();
        assert_eq!(given, Settings { strength: 1.0, quality: Quality::Best });
    }

    #[test]
    fn all_series_go_beside_the_input_and_only_there_one_that_fails_may_end_the_run() {
        let of = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            parse_arguments(&words)?.resolve().map(|(options, _)| options)
        };
        let options = of("--input a --output b --series all --fail-fast").unwrap();
        assert!(options.all_series() && options.fail_fast && options.denoise.is_some());
        assert!(!of("--input a --output b --series 1.2").unwrap().all_series());
        for (line, named) in [
            ("--input a --output b --fail-fast", "--fail-fast: it applies to --series all"),
            ("--input a --output a/b --series all", "--output: it lies in the input of --series all"),
            ("--input a/b --output a", "--output: the scan of --input lies in this folder"),
        ] {
            let error = of(line).unwrap_err();
            assert!(error.exit_code() == 2 && error.to_string().starts_with(named), "{line}: {error}");
        }
    }

    #[test]
    fn a_strength_is_a_number_from_0_to_1() {
        for strength in ["-0.1", "1.5", "nan", "much", "-inf"] {
            let error = parse(&format!("--strength {strength}")).unwrap_err().to_string();
            assert!(error.contains("--strength") && error.contains("from 0 to 1"), "{error}");
        }
    }
}
