//! Slices of series that were planned elsewhere: for engines that spread a scan's slices over their own tasks.

use serde_json::{Map, Value, json};
use tomobasis_dicom::{SeriesPlan, SliceRecord, salted_id};

use super::runner::Runner;
use crate::{
    error::{Error, Result},
    input::{
        decode,
        listing::{self, InputFile},
    },
    memory,
    options::Options,
    progress::{Progress, Silent},
};

/// The series that the options name; or, if `all`, every one that the input has, in the order of a listing.
///
/// # Errors
/// Those of a decomposition of this input, before it decodes.
pub fn plan(
    options: &Options,
    all: bool,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<SeriesPlan>> {
    let files = listing::list(&options.input)?;
    let mut runner = Runner::with_stages(threads, progress, 0, 1)?;
    if !all {
        return Ok(vec![runner.plan(&files, options)?]);
    }
    let mut inventory = runner.inventory(&files)?;
    runner.select_each(&mut inventory, &files, options)
}

/// What the headers say of each slice of a plan, as objects of a table's columns (`docs/python.md`).
///
/// `identifying` adds the UIDs, which lead to a patient.
#[must_use]
pub fn rows(plan: &SeriesPlan, identifying: bool) -> Vec<Map<String, Value>> {
    let row = |(index, slice): (usize, &tomobasis_dicom::SlicePlan)| {
        let mut row = json!({
            "series": plan.id, "slice": index, "slices": plan.slices.len(), "modality": plan.modality,
            "rows": plan.rows, "columns": plan.columns, "unit": plan.rescale_unit,
            "position_mm": slice.position_mm, "origin_mm": slice.origin_mm, "orientation": plan.orientation,
            "pixel_spacing_mm": plan.pixel_spacing_mm, "slice_spacing_mm": plan.slice_spacing_mm,
            "tilt_degrees": plan.tilt_degrees, "slope": slice.slope, "intercept": slice.intercept,
            "offset": slice.offset, "instance_number": slice.instance_number,
            "transfer_syntax": slice.transfer_syntax, "bits_stored": slice.pixels.bits_stored,
            "file": slice.file_id, "frame": slice.frame,
        });
        if identifying {
            row["series_instance_uid"] = json!(plan.series_instance_uid);
            row["sop_instance_uid"] = json!(slice.instance_uid);
        }
        match row {
            Value::Object(row) => row,
            _ => Map::new(),
        }
    };
    plan.slices.iter().enumerate().map(row).collect()
}

/// Some slices of a planned series: their stored pixels, less each slice's offset, slice after slice, and what decoding says of
/// each. The input is that of the options, on this machine.
///
/// # Errors
/// [`Error::Input`] for slices that the plan does not have, and for an input that is no longer what it was; those of decoding.
pub fn read(
    options: &Options,
    plan: &SeriesPlan,
    slices: &[usize],
    threads: usize,
) -> Result<(Vec<i16>, Vec<SliceRecord>)> {
    let files = listing::list(&options.input)?;
    let chosen: Option<Vec<_>> = slices.iter().map(|&slice| plan.slices.get(slice).cloned()).collect();
    let chosen = chosen.ok_or_else(|| Error::Input("a slice that the series does not have".to_owned()))?;
    if !chosen.iter().all(|slice| is_file(&files, slice.file, &slice.file_id)) {
        let text = "its files are not those that were listed first; run again when nothing is added to it";
        return Err(Error::Input(text.to_owned()));
    }
    let some = SeriesPlan { slices: chosen, copies: Vec::new(), ..plan.clone() };
    let mut pixels = memory::for_scan(&some)?;
    let decoded =
        memory::pool(threads)?.install(|| decode::decode(&some, files.as_slice(), &mut pixels, &Silent))?;
    let records = decoded.into_iter().collect::<std::result::Result<_, _>>()?;
    Ok((pixels, records))
}

fn is_file(files: &[InputFile], index: usize, id: &str) -> bool {
    files.get(index).is_some_and(|file| salted_id("file", &file.name) == id)
}

/// The paths of the planned series' slices, in their order; none of those in archives.
///
/// # Errors
/// When the input cannot be listed.
pub fn paths(options: &Options, plan: &SeriesPlan) -> Result<Vec<Option<String>>> {
    let files = listing::list(&options.input)?;
    let path = |file: &InputFile| match file.entry {
        None => file.path.to_str().map(str::to_owned),
        Some(_) => None,
    };
    Ok(plan.slices.iter().map(|slice| files.get(slice.file).and_then(path)).collect())
}
