//! `tomobasis inspect`: what series a folder holds, as a table or as JSON, without patient data.
//! `docs/dicom.md` has the columns and fields.

mod table;

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use tomobasis_pipeline::{Error, commands::inspect};

use crate::{answer::Answer, progress::Reporter};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of DICOM files, an archive of such a folder, or one file
    #[arg(value_name = "FOLDER", required = true, value_parser = NotEmpty::new())]
    input: Vec<String>,
    /// Print more on stderr
    #[arg(long)]
    pub verbose: bool,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let reporter = Reporter::new();
    let inventory = inspect::inspect(&args.input, 0, &reporter)?;
    reporter.finish();
    let series = inventory.series();
    let text = if series.is_empty() { String::new() } else { table::listing(&inventory, &series) };
    Ok(Answer::new(text, inspect::to_json(&inventory)).ending(inspect::check_series(&inventory)))
}
