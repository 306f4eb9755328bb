//! `tomobasis render`.

use tomobasis_pipeline::{Error, options::RenderArgs, render};

use crate::{output, progress::Reporter};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub render: RenderArgs,
    /// Threads to use [default: one per core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let pictures = render::render(&args.render, args.threads, &reporter)?;
    reporter.finish();
    let lines: Vec<String> = pictures.iter().map(|path| path.display().to_string()).collect();
    output::print(&lines.join("\n"))
}
