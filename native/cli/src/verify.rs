//! `tomobasis verify`.

use tomobasis_pipeline::{
    Error,
    commands::verify::{self, VerifyArgs},
};

use crate::{
    answer::{Answer, json},
    progress::Reporter,
    threads::Threads,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub verify: VerifyArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let checked = verify::verify(&args.verify, args.threads.count(), &reporter);
    reporter.finish();
    let rest = match &checked {
        Ok(checked) => vec![("digest", json(checked.digest)?), ("scope", json(checked.scope)?)],
        Err(_) => Vec::new(),
    };
    Answer::of_comparison(checked.map(|checked| checked.closing), rest)
}
