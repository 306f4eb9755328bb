//! `tomobasis compare`.

use tomobasis_pipeline::{Error, verify};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// One result folder
    #[arg(value_name = "A")]
    a: String,
    /// The other
    #[arg(value_name = "B")]
    b: String,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let manifest = verify::compare(&args.a, &args.b, args.threads.count(), &reporter)?;
    reporter.finish();
    output::print(&format!(
        "same         every bit of the pixels, s, V, U, and the derived pixels that both have\nroot digest  {}",
        manifest.digests.root
    ))
}
