//! `tomobasis decompose`.

use tomobasis_pipeline::{Error, options::JobArgs, run};

use crate::{output, progress::Reporter};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub job: JobArgs,
    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

pub(crate) fn run(args: Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let outcome = run::decompose(args.job.resolve()?, args.threads, &reporter)?;
    reporter.finish();
    output::print(&outcome.closing)
}
