//! `tomobasis verify`.

use tomobasis_pipeline::{
    Error,
    commands::verify::{self, VerifyArgs},
};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub verify: VerifyArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let checked = verify::verify(&args.verify, args.threads.count(), &reporter)?;
    reporter.finish();
    output::print(&checked.closing)
}
