//! The Spark job's command line: a decomposition or, with `--denoise`, a denoised series.

use clap::{Parser, error::ErrorKind};

use super::{
    decompose::{self, ParsedJob, check_utf_8, one_line},
    denoise::DenoiseArgs,
};
use crate::error::{Error, Result};

/// What makes it denoise.
const DENOISE: &str = "--denoise";

/// Denoises a CT series by local patch SVD, on Spark
#[derive(Parser)]
#[command(
    name = "tomobasis-submit",
    version,
    override_usage = "tomobasis-submit [SPARK-SUBMIT OPTIONS] -- --denoise [OPTIONS]"
)]
struct DenoiseCommand {
    /// Denoise the series instead of decomposing it
    #[arg(long)]
    denoise: bool,
    #[command(flatten)]
    args: DenoiseArgs,
}

/// Parses the arguments of the Spark job (without a program name).
///
/// # Errors
/// [`Error::CommandLine`] in one line, and what the options of a decomposition are refused for.
pub fn parse_job(args: &[String]) -> Result<ParsedJob> {
    if !args.iter().any(|word| word == DENOISE) {
        return decompose::parse_job(args);
    }
    check_utf_8(args)?;
    let argv = std::iter::once("tomobasis-submit").chain(args.iter().map(String::as_str));
    match DenoiseCommand::try_parse_from(argv) {
        Ok(command) => Ok(ParsedJob::Run(Box::new(command.args.resolve()?.0))),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(ParsedJob::Text { help: error.to_string() })
        }
        Err(error) => Err(Error::CommandLine(one_line(&error))),
    }
}

#[cfg(test)]
mod tests {
    use tomobasis_denoise::{Quality, Settings};

    use super::*;
    use crate::options::{Emit, Options};

    fn parse(line: &str) -> Result<ParsedJob> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse_job(&args)
    }

    fn options(line: &str) -> Options {
        match parse(line) {
            Ok(ParsedJob::Run(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn with_denoise_the_options_are_those_of_the_command_denoise() {
        let plain = options("--denoise --input a --output b");
        assert_eq!((plain.denoise, plain.emit), (Some(Settings::default()), vec![Emit::Dicom]));
        let given = options("--input a --output b --strength 0.5 --denoise --quality best --no-patient-data");
        assert_eq!(given.denoise, Some(Settings { strength: 0.5, quality: Quality::Best }));
        assert!(given.no_patient_data);
        let json = serde_json::to_string(&given).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), given);
        assert_eq!(options("--input a --output b").denoise, None);
        let all = options("--denoise --input a --output b --series all --fail-fast");
        assert!(all.all_series() && all.fail_fast && all.denoise.is_some());
    }

    #[test]
    fn options_of_the_other_kind_are_refused() {
        for (line, named) in [
            ("--input a --output b --denoise --rank 5", "--rank"),
            ("--input a --output b --denoise --strength 2", "--strength"),
            ("--input a --output b --strength 0.5", "--strength"),
            ("--output b --denoise", "--input"),
            ("--input a --output b --denoise --fail-fast", "--fail-fast: it applies to --series all"),
            (
                "--input a --output a/b --denoise --series all",
                "--output: it lies in the input of --series all",
            ),
            ("--input b/scan --output b --denoise", "--output: the scan of --input lies in this folder"),
            ("--input a --output a/b --denoise", "--output: it lies in --input, where the next run"),
            ("--input s3a://b/scan --output s3a://b/scan/new --denoise", "--output: it lies in --input"),
            ("--input a\u{fffd} --output b --denoise", "--input: its value is not UTF-8"),
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2);
            assert!(
                error.to_string().contains(named) && !error.to_string().contains('\n'),
                "{line}: {error}"
            );
        }
    }

    #[test]
    fn each_help_names_the_other() {
        let help = |line| match parse(line) {
            Ok(ParsedJob::Text { help }) => help,
            other => panic!("{other:?}"),
        };
        assert!(help("--denoise --help").contains("--strength"));
        let of_decomposition = help("--help");
        assert!(of_decomposition.contains("--denoise") && !of_decomposition.contains("--strength"));
    }
}
