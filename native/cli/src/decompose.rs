//! `tomobasis decompose`.

use tomobasis_pipeline::{
    Error,
    commands::{
        all_series,
        decompose::{self, JobArgs},
    },
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
    let (options, threads) = (args.job.resolve()?, args.threads.count());
    if options.all_series() {
        let (closing, ended) = all_series::decompose_all(&options, threads, &reporter)?;
        reporter.finish();
        output::print(&closing)?;
        return ended;
    }
    let outcome = decompose::decompose(options, threads, &reporter)?;
    reporter.finish();
    output::print(&outcome.closing)
}
