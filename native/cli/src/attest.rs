//! `tomobasis attest`.

use clap::ValueEnum;
use serde_json::json;
use tomobasis_pipeline::{
    Error,
    commands::attest::{self, AttestArgs},
};

use crate::{answer::Answer, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    attest: AttestArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let attestation = attest::attest(&args.attest, args.threads.count(), &reporter)?;
    reporter.finish();
    let document = json!({
        "form": args.attest.form.to_possible_value().map(|form| form.get_name().to_owned()),
        "output": args.attest.output,
        "attestation": attestation.document,
    });
    Ok(Answer::new(attestation.text.unwrap_or_default(), document))
}
