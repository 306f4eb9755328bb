//! `tomobasis inspect`: what series a folder holds, as a table or as JSON, without patient data.
//! `docs/dicom.md` has the columns and fields.

mod table;

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use tomobasis_pipeline::{
    Error,
    input::{inventory, listing},
    memory::pool,
    progress::Progress,
};

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
    let files = listing::list(&args.input)?;
    reporter.stage(1, 1, "scan", "files", files.len() as u64);
    let inventory = pool(0)?.install(|| inventory::take_inventory(&files, &reporter))?;
    reporter.finish();
    let series = inventory.series();
    if args.json {
        let json = serde_json::json!({
            "files": inventory.counts(),
            "without_slices": inventory.without_slices(),
            "series": series,
            "unusable": inventory.unusable(),
        });
        output::print(&format!("{json:#}"))?;
    } else if !series.is_empty() {
        output::print(&table::listing(&inventory, &series))?;
    }
    if series.is_empty() {
        // The same words, and exit code, as a decomposition of this folder would get.
        inventory.select(&tomobasis_dicom::SeriesChoice::Only)?;
    }
    Ok(())
}
