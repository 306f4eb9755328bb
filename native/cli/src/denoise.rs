//! `tomobasis denoise`.

use serde_json::json;
use tomobasis_pipeline::{
    Error,
    commands::denoise::{self, DenoiseArgs},
};

use crate::{
    answer::{self, Answer},
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
    let output = args.denoise.output().to_owned();
    let outcome = denoise::denoise(args.denoise, args.threads.count(), &reporter)?;
    reporter.finish();
    let mut manifest = answer::json(&outcome.manifest)?;
    if let Some(sections) = manifest.as_object_mut() {
        sections.remove("files");
    }
    Ok(Answer::new(outcome.closing, json!({ "output": output, "manifest": manifest })))
}
