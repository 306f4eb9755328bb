//! `tomobasis paper`.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use tomobasis_pipeline::{Error, commands::paper};

use crate::{
    answer::{Answer, json},
    progress::Reporter,
    threads::Threads,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Result folder, of which every file is checked first
    #[arg(value_name = "RESULT", value_parser = NotEmpty::new())]
    result: String,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let paper = paper::paper(&args.result, args.threads.count(), &reporter)?;
    reporter.finish();
    Ok(Answer::new(paper.text.clone(), json(&paper)?))
}
