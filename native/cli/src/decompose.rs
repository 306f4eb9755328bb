//! `tomobasis decompose`.

use serde_json::{Value, json};
use tomobasis_pipeline::{
    Error,
    commands::{
        all_series,
        decompose::{self, JobArgs},
    },
    options::Options,
};

use crate::{
    answer::{self, Answer},
    progress::Reporter,
    threads::Threads,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub job: JobArgs,
    #[command(flatten)]
    threads: Threads,
}

/// `--series all`, of decompositions and of denoised series.
pub(crate) fn each_series(options: &Options, threads: usize, reporter: &Reporter) -> Result<Answer, Error> {
    let archive = all_series::run_all(options, threads, reporter)?;
    reporter.finish();
    let document = json!({
        "output": options.output,
        "series": answer::json(&archive.rows)?,
        "of_no_series": archive.of_no_series,
    });
    Ok(Answer::new(archive.closing, document).ending(archive.ended))
}

pub(crate) fn run(args: Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let (options, threads) = (args.job.resolve()?, args.threads.count());
    if options.all_series() {
        return each_series(&options, threads, &reporter);
    }
    let output = options.output.clone();
    let outcome = decompose::decompose(options, threads, &reporter)?;
    reporter.finish();
    let mut manifest = answer::json(&outcome.manifest)?;
    if let Some(sections) = manifest.as_object_mut() {
        // As many as there are files and row blocks; manifest.json has them.
        sections.remove("files");
    }
    if let Some(digests) = manifest.pointer_mut("/digests/U").and_then(Value::as_object_mut) {
        digests.remove("blocks");
    }
    let document =
        json!({ "output": output, "root_digest": outcome.manifest.digests.root, "manifest": manifest });
    Ok(Answer::new(outcome.closing, document))
}
