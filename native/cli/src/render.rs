//! `tomobasis render`.

use serde_json::json;
use tomobasis_pipeline::{
    Error,
    commands::render::{self, RenderArgs},
};

use crate::{answer::Answer, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub render: RenderArgs,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let pictures = render::render(&args.render, args.threads.count(), &reporter)?;
    reporter.finish();
    let lines: Vec<String> = pictures.iter().map(|path| path.display().to_string()).collect();
    let document = json!({ "output": args.render.output, "pictures": lines });
    Ok(Answer::new(lines.join("\n"), document))
}
