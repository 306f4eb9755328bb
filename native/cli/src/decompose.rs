//! `tomobasis decompose`.

use tomobasis_pipeline::{
    Error,
    commands::decompose::{self, JobArgs},
};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub job: JobArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let outcome = decompose::decompose(args.job.resolve()?, args.threads.count(), &reporter)?;
    reporter.finish();
    output::print(&outcome.closing)
}
