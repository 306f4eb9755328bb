//! What series an input holds.

use serde_json::{Value, json};
use tomobasis_dicom::{Inventory, SeriesChoice};

use crate::{
    error::Result,
    input::{inventory, listing},
    memory,
    progress::Progress,
};

/// Reads the headers of all files.
///
/// # Errors
/// For an input that cannot be listed or read.
pub fn inspect(inputs: &[String], threads: usize, progress: &dyn Progress) -> Result<Inventory> {
    let files = listing::list(inputs)?;
    progress.stage(1, 1, "scan", "files", files.len() as u64);
    memory::pool(threads)?.install(|| inventory::take_inventory(&files, progress))
}

/// Refuses an inventory without a series, in the words that a decomposition of it would get.
///
/// # Errors
/// What is in place of a series.
pub fn check_series(inventory: &Inventory) -> Result<()> {
    if inventory.series().is_empty() {
        inventory.select(&SeriesChoice::Only)?;
    }
    Ok(())
}

/// The listing as `inspect --json` prints it; `docs/dicom.md` has its fields.
#[must_use]
pub fn to_json(inventory: &Inventory) -> Value {
    json!({
        "files": inventory.counts(),
        "without_slices": inventory.without_slices(),
        "series": inventory.series(),
        "unusable": inventory.unusable(),
    })
}
