//! `tomobasis certify`.

use tomobasis_pipeline::{
    Error,
    commands::certify::{self, CertifyArgs},
};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub certify: CertifyArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let certified = certify::certify(&args.certify, args.threads.count(), &reporter)?;
    reporter.finish();
    output::print(&certified.closing)
}
