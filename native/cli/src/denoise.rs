//! `tomobasis denoise`.

use tomobasis_pipeline::{
    Error,
    commands::denoise::{self, DenoiseArgs},
};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub denoise: DenoiseArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let outcome = denoise::denoise(args.denoise, args.threads.count(), &reporter)?;
    reporter.finish();
    output::print(&outcome.closing)
}
