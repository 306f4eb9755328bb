//! `tomobasis denoise`.

use serde_json::json;
use tomobasis_pipeline::{
    Error,
    commands::denoise::{self, DenoiseArgs},
};

use crate::{
    answer::{self, Answer},
    decompose::each_series,
    progress::Reporter,
    threads::Threads,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub denoise: DenoiseArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let (output, threads) = (args.denoise.output().to_owned(), args.threads.count());
    if args.denoise.all_series() {
        let (options, _) = args.denoise.resolve()?;
        return each_series(&options, threads, &reporter);
    }
    let outcome = denoise::denoise(args.denoise, threads, &reporter)?;
    reporter.finish();
    let mut manifest = answer::json(&outcome.manifest)?;
    if let Some(sections) = manifest.as_object_mut() {
        sections.remove("files");
    }
    Ok(Answer::new(outcome.closing, json!({ "output": output, "manifest": manifest })))
}
