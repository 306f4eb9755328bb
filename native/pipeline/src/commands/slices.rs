//! Slices of series that were planned elsewhere: for engines that spread a scan's slices over their own tasks.

use tomobasis_dicom::{Inventory, SeriesPlan, SliceRecord, salted_id};

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
    super::inspect::check_series(&inventory)?;
    let ids: Vec<String> = Inventory::series(&inventory).into_iter().map(|series| series.id).collect();
    let of = |id| runner.select(&mut inventory, &files, &Options { series: Some(id), ..options.clone() });
    ids.into_iter().map(of).collect()
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
    let decoded = memory::pool(threads)?.install(|| decode::decode(&some, &files, &mut pixels, &Silent))?;
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
