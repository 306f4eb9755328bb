//! `tomobasis inspect`: what series a folder holds, as a table or as JSON, without patient data.
//! `docs/dicom.md` has the columns and fields.

mod table;

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use tomobasis_pipeline::{Error, commands::inspect};

use crate::{output, progress::Reporter};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of DICOM files, an archive of such a folder, or one file
    #[arg(value_name = "FOLDER", required = true, value_parser = NotEmpty::new())]
    input: Vec<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Print more on stderr
    #[arg(long)]
    pub verbose: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let inventory = inspect::inspect(&args.input, 0, &reporter)?;
    reporter.finish();
    let series = inventory.series();
    if args.json {
        output::print(&format!("{:#}", inspect::to_json(&inventory)))?;
    } else if !series.is_empty() {
        output::print(&table::listing(&inventory, &series))?;
    }
    inspect::check_series(&inventory)
}
