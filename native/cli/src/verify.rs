//! `tomobasis verify`.

use tomobasis_pipeline::{Error, options::VerifyArgs, verify};

use crate::{output, progress::Reporter};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub verify: VerifyArgs,
    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let manifest = verify::verify(&args.verify, args.threads, &reporter)?;
    reporter.finish();
    output::print(&format!(
        "verified     pixels, s, V, U and derived pixels: every bit is the same\nroot digest  {}",
        manifest.digests.root
    ))
}
