//! `tomobasis inspect`: what series a folder holds, without patient data.

use tomobasis_dicom::SeriesSummary;
use tomobasis_pipeline::{Error, progress::Progress, scan};

use crate::{output, progress::Reporter};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of DICOM files, or one file
    #[arg(value_name = "FOLDER", required = true)]
    input: Vec<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Say more on stderr
    #[arg(long)]
    pub verbose: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let reporter = Reporter::new();
    let files = scan::list(&args.input)?;
    reporter.stage(1, 1, "scan", "files", files.len() as u64);
    let inventory = scan::take_inventory(&files, &reporter)?;
    reporter.finish();
    let series = inventory.series();
    let (counts, unusable) = (inventory.counts(), inventory.unusable());
    if args.json {
        let json = serde_json::json!({ "files": counts, "series": series, "unusable": unusable });
        output::print(&format!("{json:#}"));
    } else if series.is_empty() {
        // The same words as a decomposition of this folder would get.
        inventory.select(&tomobasis_dicom::SeriesChoice::Only)?;
    } else {
        let lines = series.iter().flat_map(describe);
        let files = format!(
            "{} files: {} slices, {} not DICOM, {} without slices, {} broken",
            counts.files, counts.slices, counts.not_dicom, counts.not_images, counts.broken
        );
        let unusable = unusable.iter().map(|problem| format!("! {problem}"));
        output::print(&lines.chain([files]).chain(unusable).collect::<Vec<_>>().join("\n"));
    }
    Ok(())
}

/// A series in a few lines: itself, how it was made, what is wrong with it.
fn describe(series: &SeriesSummary) -> Vec<String> {
    let mut lines = vec![series.to_string()];
    let mut made = Vec::new();
    if !series.kernels.is_empty() {
        made.push(format!("kernel {}", series.kernels.join(", ")));
    }
    for (range, unit) in
        [(series.kvp, "kV"), (series.exposure_mas, "mAs"), (series.ctdi_vol_mgy, "mGy CTDIvol")]
    {
        match range {
            Some((low, high)) if low == high => made.push(format!("{low} {unit}")),
            Some((low, high)) => made.push(format!("{low} to {high} {unit}")),
            None => (),
        }
    }
    made.extend(series.transfer_syntaxes.iter().cloned());
    lines.push(format!("    {}", made.join("; ")));
    lines.extend(series.problems.iter().map(|problem| format!("    ! {problem}")));
    lines.push(String::new());
    lines
}
