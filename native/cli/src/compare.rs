//! `tomobasis compare`.

use tomobasis_pipeline::{Error, verify};

use crate::{output, progress::Reporter};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// One result folder
    #[arg(value_name = "A")]
    a: String,
    /// The other
    #[arg(value_name = "B")]
    b: String,
    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let manifest = verify::compare(&args.a, &args.b, args.threads, &reporter)?;
    reporter.finish();
    output::print(&format!(
        "same         every bit of the pixels, s, V, U, and the derived pixels that both have\nroot digest  {}",
        manifest.digests.root
    ))
}
