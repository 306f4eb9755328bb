//! The `tomobasis` command: one file per subcommand, each a few lines around a function of `tomobasis-pipeline`.
//!
//! A command returns its [`Answer`], which goes to stdout as text or, with `--json`, as one document; progress and errors
//! go to stderr. Exit codes: 0 done, 1 failed while running, 2 bad options, 3 bad input, 4 verification differs, 130 interrupted.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "an allocator")]
mod allocator;
mod answer;
mod attest;
mod certify;
mod compare;
mod decompose;
mod denoise;
mod examples;
mod help;
mod inspect;
#[cfg(test)]
mod options_page;
#[allow(unsafe_code, reason = "calls of the C library that need no memory")]
mod os;
mod output;
mod paper;
mod progress;
mod reference;
mod render;
mod score;
mod shell;
mod status;
mod threads;
mod verify;

use std::{
    panic,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use clap::{FromArgMatches, Parser, Subcommand, error::ErrorKind};
use tomobasis_pipeline::{
    Error,
    commands::decompose::{not_utf_8, one_line},
};

use crate::answer::Answer;

/// Exit code of an interrupted command, as shells have it: 128 + SIGINT.
const INTERRUPTED: u8 = 130;
/// Whether a signal came, whose thread cleans up and ends the process.
static STOPPING: AtomicBool = AtomicBool::new(false);
/// Bytes that the main thread's stack must be able to have.
const LEAST_STACK: u64 = 1 << 20;

/// Exact, bit-reproducible singular value decomposition of CT series
#[derive(Parser)]
#[command(name = "tomobasis", version)]
struct Command {
    #[command(subcommand)]
    action: Action,
    /// Print neither progress nor notes on stderr, only errors
    #[arg(long, global = true)]
    quiet: bool,
    /// Print one JSON document for scripts; an error is JSON too, on stderr (docs/command.md has the keys)
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    /// Decompose a series into a result folder
    #[command(after_help = examples::DECOMPOSE)]
    Decompose(decompose::Args),
    /// Write a CT series again with less noise
    ///
    /// The series is written as derived DICOM. Its noise is estimated from the scan itself: there is nothing to tune but --strength.
    /// Not for diagnosis: small, faint details lose contrast (docs/denoise.md).
    #[command(after_help = examples::DENOISE)]
    Denoise(denoise::Args),
    /// List the series in a folder
    #[command(after_help = examples::INSPECT)]
    Inspect(inspect::Args),
    /// Draw pictures of a result again: any slice, any composite
    #[command(after_help = examples::RENDER)]
    Render(render::Args),
    /// Recompute a result from its input and compare bit for bit
    #[command(after_help = examples::VERIFY)]
    Verify(verify::Args),
    /// Write a proof of every digit of a result, for readers without this program
    #[command(after_help = examples::CERTIFY)]
    Certify(certify::Args),
    /// Write what a result is in a form that other programs read: in-toto, RO-Crate, BIDS
    #[command(after_help = examples::ATTEST)]
    Attest(attest::Args),
    /// Print what a paper says of a result: methods, commands, versions, digests, citation
    #[command(after_help = examples::PAPER)]
    Paper(paper::Args),
    /// Compare two result folders bit for bit, or the values of two DICOM series
    #[command(after_help = examples::COMPARE)]
    Compare(compare::Args),
    /// Say how far the results of `--series all` in a folder are
    #[command(after_help = examples::STATUS)]
    Status(status::Args),
    /// Write matrices whose singular value decomposition is known to every digit
    #[command(after_help = examples::REFERENCE)]
    Reference(reference::Args),
    /// Count the correct digits of another program's decomposition of such a matrix
    #[command(after_help = examples::SCORE)]
    Score(score::Args),
    /// Print a script that completes commands and options in a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(shell::Completions),
    /// Write the manual pages
    #[command(after_help = examples::MAN)]
    Man(shell::Man),
}

impl Action {
    fn verbose(&self) -> bool {
        match self {
            Self::Decompose(args) => args.job.verbose(),
            Self::Denoise(args) => args.denoise.verbose,
            Self::Verify(args) => args.verify.verbose,
            Self::Certify(args) => args.certify.verbose,
            Self::Inspect(args) => args.verbose,
            Self::Render(args) => args.render.verbose,
            Self::Attest(_)
            | Self::Paper(_)
            | Self::Compare(_)
            | Self::Status(_)
            | Self::Reference(_)
            | Self::Score(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }

    fn run(self) -> Result<Answer, Error> {
        match self {
            Self::Decompose(args) => decompose::run(args),
            Self::Denoise(args) => denoise::run(args),
            Self::Inspect(args) => inspect::run(&args),
            Self::Render(args) => render::run(&args),
            Self::Verify(args) => verify::run(&args),
            Self::Certify(args) => certify::run(&args),
            Self::Attest(args) => attest::run(&args),
            Self::Paper(args) => paper::run(&args),
            Self::Compare(args) => compare::run(&args),
            Self::Status(args) => status::run(&args),
            Self::Reference(args) => reference::run(&args),
            Self::Score(args) => score::run(&args),
            Self::Completions(args) => Ok(shell::completions(&args)),
            Self::Man(args) => shell::man(&args),
        }
    }
}

fn main() -> ExitCode {
    os::ignore_limit_of_files();
    if let Some(bytes) = tomobasis_pipeline::limits::stack_limit().filter(|&bytes| bytes < LEAST_STACK) {
        let kib = bytes >> 10;
        return failed(
            &format!("{kib} KiB are too small a stack; raise its limit (ulimit -s) to 1024 or more"),
            1,
        );
    }
    command()
}

/// In a frame of its own, which a small stack has no room for.
#[inline(never)]
fn command() -> ExitCode {
    allocator::prepare();
    let words: Vec<_> = std::env::args_os().collect();
    // Errors of the command line are JSON too.
    if words.iter().any(|word| word == "--json") {
        output::set_json();
    }
    if let Some(word) = words.iter().position(|word| word.to_str().is_none()) {
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        return failed(&not_utf_8(&words, word).to_string(), 2);
    }
    if help::is_short(words.iter().skip(1).map(|word| word.to_str())) {
        return printed(&help::short());
    }
    let parsed =
        help::command().try_get_matches_from(words).and_then(|matches| Command::from_arg_matches(&matches));
    let action = match parsed {
        Ok(command) => {
            progress::set_quiet(command.quiet);
            command.action
        }
        Err(error) if error.exit_code() == 0 => {
            return printed(&error.to_string());
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let text = error.to_string();
            match output::as_json() {
                true => return failed("a command is missing; see --help", 2),
                false => output::tell(text.trim_end()),
            }
            return ExitCode::from(2);
        }
        Err(error) => return failed(&one_line(&error), 2),
    };
    let verbose = action.verbose();
    if verbose {
        tomobasis_pipeline::log_to_stderr();
    } else {
        // The message of a panic is reported below, in one line.
        panic::set_hook(Box::new(|_| ()));
    }
    let all_series = match &action {
        Action::Decompose(args) => args.job.all_series(),
        Action::Denoise(args) => args.denoise.all_series(),
        _ => false,
    };
    let left = match all_series {
        true => "series that are done stay; run again to go on",
        false => "nothing was written",
    };
    let interruptible = ctrlc::set_handler(move || {
        STOPPING.store(true, Ordering::SeqCst);
        let left = if tomobasis_pipeline::result::remove_unfinished() && !all_series {
            "the result is complete"
        } else {
            left
        };
        output::tell_error(&format!("interrupted; {left}"), INTERRUPTED);
        std::process::exit(INTERRUPTED.into());
    });
    if let Err(error) = interruptible {
        log::warn!("an interrupted run will leave its temporary folder behind ({error})");
    }
    let done = panic::catch_unwind(|| action.run().and_then(Answer::print));
    // What was interrupted fails because its folder is gone, which is no error of its own.
    while !matches!(done, Ok(Ok(()))) && STOPPING.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(10));
    }
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error.to_string(), error.exit_code()),
        Err(payload) => {
            let error = Error::of_panic(payload.as_ref());
            failed(&error.to_string(), error.exit_code())
        }
    }
}

/// Ends with a text that was asked for.
fn printed(text: &str) -> ExitCode {
    match output::print(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string(), error.exit_code()),
    }
}

fn failed(message: &str, code: u8) -> ExitCode {
    output::tell_error(message, code);
    ExitCode::from(code)
}
