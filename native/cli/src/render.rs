//! `tomobasis render`.

use tomobasis_pipeline::{
    Error,
    commands::render::{self, RenderArgs},
};

use crate::{output, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub render: RenderArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let pictures = render::render(&args.render, args.threads.count(), &reporter)?;
    reporter.finish();
    let lines: Vec<String> = pictures.iter().map(|path| path.display().to_string()).collect();
    output::print(&lines.join("\n"))
}
