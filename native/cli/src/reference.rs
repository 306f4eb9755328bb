//! `tomobasis reference`.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use serde_json::json;
use tomobasis_pipeline::{Error, commands::reference};

use crate::{answer::Answer, progress::Reporter, threads::Threads};

/// A dozen small matrices of rising difficulty, each an .npz file with A, and with s and V of which every digit is proven
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder for the files
    #[arg(value_name = "OUTPUT", value_parser = NotEmpty::new())]
    output: String,
    /// Replace a folder that this command wrote
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let written = reference::write(&args.output, args.overwrite, args.threads.count(), &reporter)?;
    reporter.finish();
    let text = format!(
        "{} matrices  {}\nmanifest     SHA-256 {}",
        written.matrices,
        written.folder.display(),
        written.digest
    );
    let document = json!({
        "output": args.output,
        "matrices": written.matrices,
        "manifest_sha256": written.digest,
    });
    Ok(Answer::new(text, document))
}
