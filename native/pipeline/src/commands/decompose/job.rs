//! The Spark job's command line: [`JobArgs`] alone.

use clap::{Parser, error::ErrorKind};
use serde::Serialize;

use super::JobArgs;
use crate::{
    error::{Error, Result},
    options::Options,
};

/// What a job's command line asks for.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParsedJob {
    /// Print this text and stop: `--help` or `--version`.
    Text {
        /// The text.
        help: String,
    },
    /// Run.
    Run(Box<Options>),
    /// Say how far the results of `--series all` in a folder are.
    Status {
        /// The folder.
        status: String,
    },
}

/// Exact, bit-reproducible SVD of a CT series, on Spark
#[derive(Parser)]
#[command(
    name = "tomobasis-submit",
    version,
    override_usage = "tomobasis-submit [SPARK-SUBMIT OPTIONS] -- [OPTIONS]",
    after_help = "With --denoise the series is denoised instead: tomobasis-submit -- --denoise --help lists the options of that."
)]
struct JobCommand {
    #[command(flatten)]
    args: JobArgs,
}

/// Parses the arguments of a Spark job that decomposes (without a program name).
///
/// # Errors
/// [`Error::CommandLine`] in one line, and what [`JobArgs::resolve`] refuses.
pub fn parse_job(args: &[String]) -> Result<ParsedJob> {
    check_utf_8(args)?;
    match args {
        [option, output] if option == "--status" && !output.is_empty() => {
            Ok(ParsedJob::Status { status: output.clone() })
        }
        [option, ..] if option == "--status" => {
            Err(Error::option("--status", "give the output of --series all, and nothing else"))
        }
        _ => match parse_options(args)? {
            ParsedJob::Run(options) => {
                refuse_reference(&options)?;
                Ok(ParsedJob::Run(Box::new(Options { in_job: true, ..*options })))
            }
            parsed => Ok(parsed),
        },
    }
}

/// Refuses what takes a path to another series where row blocks are rendered.
///
/// # Errors
/// [`Error::Option`] naming `--reference`.
pub(in crate::commands) fn refuse_reference(options: &Options) -> Result<()> {
    match options.reference {
        None => Ok(()),
        Some(_) => Err(Error::option(
            "--reference",
            "the job does not measure against a reference; use the command, or leave it out",
        )),
    }
}

/// Refuses words that are no text.
///
/// # Errors
/// [`not_utf_8`].
pub(in crate::commands) fn check_utf_8(args: &[String]) -> Result<()> {
    // Java has put this sign where it could not read the bytes of an argument.
    match args.iter().position(|word| word.contains(char::REPLACEMENT_CHARACTER)) {
        Some(word) => Err(not_utf_8(args, word)),
        None => Ok(()),
    }
}

/// Parses the options of a decomposition (without a program name), as the job and the Python package have them.
///
/// # Errors
/// As [`parse_job`].
pub fn parse_options(args: &[String]) -> Result<ParsedJob> {
    let argv = std::iter::once("tomobasis-submit").chain(args.iter().map(String::as_str));
    match JobCommand::try_parse_from(argv) {
        Ok(command) => Ok(ParsedJob::Run(Box::new(command.args.resolve()?))),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(ParsedJob::Text { help: error.to_string() })
        }
        Err(error) => Err(Error::CommandLine(one_line(&error))),
    }
}

/// The error for a word of the command line that is no text: names of files are given as UTF-8. What is in a folder may have any name.
#[must_use]
pub fn not_utf_8(words: &[impl AsRef<str>], word: usize) -> Error {
    let option = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        (name.starts_with("--") && plain).then(|| name.to_owned())
    };
    let at = |index: Option<usize>| option(words.get(index?)?.as_ref());
    let is_value = !words.get(word).is_some_and(|word| word.as_ref().starts_with("--"));
    let named = at(Some(word)).or_else(|| at(word.checked_sub(1).filter(|_| is_value)));
    let named = named.map_or("an argument".to_owned(), |option| format!("{option}: its value"));
    Error::CommandLine(format!(
        "{named} is not UTF-8; rename the file or folder, or name the folder above it (names in a folder may have any bytes)"
    ))
}

/// A clap error as one line: its text up to the usage, joined, with a pointer to `--help`.
#[must_use]
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<&str> =
        lines.filter(|line| !line.is_empty() && !line.starts_with("For more information")).collect();
    format!("{}; see --help", said.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Center, DicomSyntax, Emit, Method, Padding, RankChoice, ReportSize};

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

    fn refusal(line: &str) -> String {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let options = options("--input a --input b --output out");
        assert_eq!(options.input, ["a", "b"]);
        assert_eq!(options.method, Method::Gram { center: None });
        assert_eq!(options.padding, Padding::Air);
        assert_eq!(options.rank, RankChoice::Full);
        assert_eq!(options.emit, [Emit::Parquet, Emit::Png, Emit::Report]);
        assert_eq!(options.composites(301, 301), [50, 244, 300]);
        assert_eq!(options.composites(100, 100), [50, 100]);
        assert_eq!(options.composites(12, 0), [] as [usize; 0]);
    }

    #[test]
    fn the_rank_is_a_number_or_a_rule() {
        let rank = |choice: &str| options(&format!("--input a --output b {choice}")).rank;
        assert_eq!(rank("--rank 7"), RankChoice::Columns(7));
        assert_eq!(rank("--rank auto"), RankChoice::Auto);
        assert_eq!(rank("--energy 0.99"), RankChoice::Energy(0.99));
    }

    #[test]
    fn a_full_report_is_asked_for_where_there_is_a_report() {
        let of = |typed: &str| options(&format!("--input a --output b {typed}"));
        assert_eq!((of("").report, of("").in_job), (ReportSize::Sampled, true));
        let full = of("--report full --emit report");
        assert_eq!(full.report, ReportSize::Full);
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), full);
        let args = ["--input", "a", "--output", "b"].map(str::to_owned);
        assert!(matches!(parse_options(&args), Ok(ParsedJob::Run(options)) if !options.in_job));
        for (typed, said) in [
            ("--report full --emit png", "--report: there is no report; add report to --emit"),
            ("--report full --input-format npy", "--report: it applies to scans"),
            ("--report all", "--report"),
        ] {
            let refused = refusal(&format!("--input a --output b {typed}"));
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn a_method_has_its_own_parameters_and_no_others() {
        let method = |choice: &str| options(&format!("--input a --output b {choice}")).method;
        assert_eq!(method("--method gram"), Method::Gram { center: None });
        for (typed, center) in [
            ("", Center::Pixels),
            ("pixels", Center::Pixels),
            ("slices", Center::Slices),
            ("both", Center::Both),
        ] {
            let exact = method(&format!("--center {typed}"));
            assert_eq!(exact, Method::Gram { center: Some(center) });
            assert_eq!(exact.lines(), format!("center {}\n", center.name()));
        }
        assert_eq!(method("--method tsqr --center"), Method::Tsqr { center: true });
        let Method::Dssvd(defaults) = method("--method dssvd --rank 5") else { panic!("another method") };
        assert_eq!((defaults.oversample, defaults.power_iterations, defaults.seed), (15, 2, 0));
        let given =
            method("--method dspca --rank 5 --oversample 3 --power-iterations 0 --seed 18446744073709551615");
        assert_eq!(
            given.lines(),
            "oversample 3\npower_iterations 0\nseed 18446744073709551615\nsketch signs\n"
        );
    }

    #[test]
    fn a_joint_basis_is_of_all_series_or_of_those_that_are_named() {
        let of = |typed: &str| options(&format!("--input a --output b {typed}"));
        assert_eq!((of("--series all").joint(), of("--series all").all_series()), (None, true));
        let all = of("--series all --basis joint --fail-fast");
        assert!(!all.all_series());
        let choice = all.joint().unwrap();
        assert_eq!((choice.names.len(), choice.all, choice.fail_fast), (0, true, true));
        for typed in ["--series 1.2,1.3", "--series 1.2 --series 1.3"] {
            let choice = of(&format!("--basis joint {typed}")).joint().unwrap();
            assert_eq!((choice.names, choice.all), (vec!["1.2".to_owned(), "1.3".to_owned()], false));
        }
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), all);
        // What is no joint basis has the same text as ever, of which restarts of archives take a digest.
        assert!(!serde_json::to_string(&of("")).unwrap().contains("basis"));
    }

    #[test]
    fn composites_are_sorted_clipped_and_unique() {
        let options = options("--input a --output b --composite 20,5,10%,5");
        assert_eq!(options.composites(100, 12), [5, 10, 12]);
    }

    #[test]
    fn every_refusal_is_one_line_that_names_the_option() {
        for (line, named) in [
            ("--output b", "--input"),
            ("--input a", "--output"),
            ("--input a --output b --rank 0", "--rank"),
            ("--input a --output b --padding zero", "--padding"),
            ("--input a --output b --rank many", "--rank"),
            ("--input a --output b --rank -1", "'-1' for '--rank"),
            ("--input a --output b --energy -0.1", "'-0.1' for '--energy"),
            ("--input a --output b --energy -inf", "'-inf' for '--energy"),
            ("--input a --output b --composite -3,5", "'-3' for '--composite"),
            ("--input a --output b --method dssvd --rank 5 --oversample -2", "'-2' for '--oversample"),
            ("--input a --output b --method dssvd --rank 5 --seed -7", "'-7' for '--seed"),
            ("--input a --output=", "'--output <URI>'"),
            ("--input= --output b", "'--input <URI>'"),
            ("--input a --output b --series=", "'--series <UID>'"),
            ("--input a --output b --energy 99%", "--energy"),
            ("--input a --output b --rank 3 --energy 0.9", "--energy"),
            ("--input a --output b --composite 0", "--composite"),
            ("--input a --output b --method qr", "--method"),
            ("--input a --output b --method dssvd", "--rank: dssvd needs to know how many"),
            ("--input a --output b --method dspca --rank auto", "--rank: dspca does not compute all"),
            ("--input a --output b --method dssvd --energy 0.9", "--energy: dssvd does not compute all"),
            ("--input a --output b --method dssvd --rank 5 --center", "--center: dssvd without the mean"),
            ("--input a --output b --method dspca --rank 5 --center", "--center: dspca always removes"),
            ("--input a --output b --method tsqr --oversample 5", "--oversample: tsqr uses no random"),
            (
                "--input a --output b --method dssvd --rank 5 --power-iterations -1",
                "'-1' for '--power-iterations",
            ),
            ("--input a --output b --emit csv", "--emit"),
            ("--input a --output b --reference c", "--reference: the job does not measure"),
            ("--input a --output b --reference c --emit png", "--reference: composites are measured with"),
            ("--input a --output b --reference c --series all", "--reference: a reference is that of one"),
            ("--input a --output b --reference=", "'--reference <SERIES>'"),
            ("--input a --output b --no-patient-data", "--no-patient-data: it applies to derived DICOM"),
            ("--input a --output b --dicom-syntax jpeg-ls", "--dicom-syntax: it applies to derived DICOM"),
            ("--input a --output b --emit dicom --dicom-syntax rle", "--dicom-syntax"),
            ("--input a --output b --seed 1", "--seed: gram uses no random numbers"),
            ("--input a --output b --power-iterations 1", "--power-iterations: gram uses no random numbers"),
            ("--input a --output b --center rows", "--center"),
            (
                "--input a --output b --method tsqr --center both",
                "--center: tsqr removes the mean slice only",
            ),
            ("--input a --output b --input-format npy --series 1.2", "--series: it applies to scans"),
            ("--input a --output b --input-format npy --join", "--join: it applies to scans"),
            (
                "--input a --output b --input-format npy --on-bad-slice skip",
                "--on-bad-slice: it applies to scans",
            ),
            ("--input a --output b --input-format npy --padding air", "--padding: it applies to scans"),
            (
                "--input a --output b --input-format npy --emit report",
                "--emit: of a matrix parquet, png, text and drm",
            ),
            ("--input a --output b --input-format npz", "--input-format"),
            ("--input a --output b --basis joint", "--basis: joint is for --series all, or for several"),
            ("--input a --output b --basis joint --series largest", "--basis: joint is for --series all"),
            ("--input a --output b --basis both --series all", "--basis"),
            (
                "--input a --output b --series 1.2 --series 1.3",
                "--series: several make one result with --basis joint",
            ),
            ("--input a --output b --basis joint --series all,1.2", "--series: all means every series"),
            (
                "--input a --output a/b --series all --basis joint",
                "--output: it lies in the input of --series all",
            ),
            ("--input a --output b --input-format npy --basis joint", "--basis: it applies to scans"),
            ("--input a --output b --fail-fast", "--fail-fast: it applies to --series all"),
            ("--input a --output a/b --series all", "--output: it lies in the input of --series all"),
            (
                "--input a --output a/b --emit parquet,dicom",
                "--output: it lies in --input, where the next run would take its DICOM files",
            ),
            ("--input s3a://b/scan --output s3a://b/scan/r --emit dicom", "--output: it lies in --input"),
            ("--status", "--status: give the output"),
            ("--input a --output b --ranks 3", "--ranks"),
            ("--input a --output b stray", "stray"),
            (
                "--input s3a://b/scan --output s3a://b/scan/",
                "--output: the scan of --input lies in this folder",
            ),
            (
                "--input x --input b/case/scan --output b/case",
                "--output: the scan of --input lies in this folder",
            ),
        ] {
            let text = refusal(line);
            assert!(text.contains(named), "{line}: {text}");
            assert!(!text.contains('\n'), "{line}: {text}");
        }
    }

    #[test]
    fn words_that_are_no_text_are_refused_by_the_name_of_their_option() {
        for (line, named) in [
            ("--input a\u{fffd}b --output c", "--input: its value is not UTF-8"),
            ("--input a --output=c\u{fffd}", "--output: its value is not UTF-8"),
            ("--input a --output c --s\u{fffd} 1", "an argument is not UTF-8"),
            ("--input a --output c --overwrite --s\u{fffd} 1", "an argument is not UTF-8"),
        ] {
            assert!(refusal(line).starts_with(named), "{}", refusal(line));
        }
    }

    #[test]
    fn help_lists_only_what_works() {
        let Ok(ParsedJob::Text { help }) = parse("--help") else { panic!("no help") };
        assert!(help.contains("--composite") && help.contains("parquet"));
        assert!(help.contains("--basis") && !help.contains("--keep"));
    }

    #[test]
    fn options_survive_the_way_through_json() {
        let options = options(
            "--input a --output b --padding mask --energy 0.97 --composite 3,50% --series 1.2.3 --overwrite --verbose --emit dicom \
             --dicom-syntax jpeg-ls --no-patient-data",
        );
        assert_eq!((options.dicom_syntax, options.no_patient_data), (DicomSyntax::JpegLs, true));
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
    }
}
