//! `tomobasis certify`.

use serde_json::json;
use tomobasis_pipeline::{
    Error,
    commands::certify::{self, CertifyArgs},
};

use crate::{answer::Answer, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub certify: CertifyArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let certified = certify::certify(&args.certify, args.threads.count(), &reporter)?;
    reporter.finish();
    let document = json!({
        "output": args.certify.output,
        "root_digest": certified.root,
        "sha256sums": certified.digest,
    });
    Ok(Answer::new(certified.closing, document))
}
