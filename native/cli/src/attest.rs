//! `tomobasis attest`.

use tomobasis_pipeline::{
    Error,
    commands::attest::{self, AttestArgs},
};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    attest: AttestArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let attestation = attest::attest(&args.attest, args.threads.count(), &reporter)?;
    reporter.finish();
    attestation.text.map_or(Ok(()), |text| output::print(&text))
}
