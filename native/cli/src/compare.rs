//! `tomobasis compare`.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use tomobasis_pipeline::{Error, commands::compare};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// One result folder
    #[arg(value_name = "A", value_parser = NotEmpty::new())]
    a: String,
    /// The other
    #[arg(value_name = "B", value_parser = NotEmpty::new())]
    b: String,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let checked = compare::compare(&args.a, &args.b, args.threads.count(), &reporter)?;
    reporter.finish();
    output::print(&checked.closing)
}
