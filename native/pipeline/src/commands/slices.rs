//! Slices of series that were planned elsewhere: for engines that spread a scan's slices over their own tasks.

use std::{collections::BTreeMap, ops::Range};

use serde_json::{Map, Value, json};
use tomobasis_dicom::{SeriesPlan, SlicePlan, SliceRecord, salted_id};

use super::{
    decompose::refuse_reference,
    runner::{Runner, each_instance},
};
use crate::{
    error::{Error, Result},
    input::{
        decode,
        listing::{self, InputFile},
    },
    memory,
    options::{OnBadSlice, Options},
    output::dicom::{Band, Composites, DerivedFile, DerivedSlices},
    progress::{Progress, Silent},
};

/// Refuses what such tasks do not do.
///
/// # Errors
/// [`Error::Option`] naming the option.
pub fn check(options: &Options) -> Result<()> {
    refuse_reference(options)?;
    let refused = if !options.input_format.is_scan() {
        ("--input-format", "tasks in Python read scans")
    } else if options.all_series() {
        ("--series", "of all series tasks in Python make no results; name one")
    } else if options.on_bad_slice == OnBadSlice::Skip {
        ("--on-bad-slice", "tasks in Python leave no slices out")
    } else {
        return Ok(());
    };
    let (option, problem) = refused;
    Err(Error::option(option, format!("{problem}, or use tomobasis.decompose or the Spark job")))
}

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
    let row = |(index, slice): (usize, &SlicePlan)| {
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
    let chosen: Option<Vec<_>> = slices.iter().map(|&slice| plan.slices.get(slice).cloned()).collect();
    let chosen = chosen.ok_or_else(|| Error::Input("a slice that the series does not have".to_owned()))?;
    let files = files_of(options, chosen.iter())?;
    let some = SeriesPlan { slices: chosen, copies: Vec::new(), ..plan.clone() };
    let mut pixels = memory::for_scan(&some)?;
    let decoded =
        memory::pool(threads)?.install(|| decode::decode(&some, files.as_slice(), &mut pixels, &Silent))?;
    let records = decoded.into_iter().collect::<std::result::Result<_, _>>()?;
    Ok((pixels, records))
}

/// The listing that slices were planned from.
fn files_of<'a>(
    options: &Options,
    mut slices: impl Iterator<Item = &'a SlicePlan>,
) -> Result<Vec<InputFile>> {
    let files = listing::list(&options.input)?;
    let is_there = |slice: &SlicePlan| {
        files.get(slice.file).is_some_and(|file| salted_id("file", &file.name) == slice.file_id)
    };
    if slices.all(is_there) {
        return Ok(files);
    }
    let text = "its files are not those that were listed first; run again when nothing is added to it";
    Err(Error::Input(text.to_owned()))
}

/// Runs of the slices of a plan for derived DICOM: the first place of each, in the order that keeps the slices of a file together. A
/// file is in one run, and a run has at least `least` slices where they do not end before.
#[must_use]
pub fn runs_of_files(plan: &SeriesPlan, least: usize) -> Vec<usize> {
    let (mut starts, mut begun, mut place) = (Vec::new(), 0, 0);
    for file in plan.slices_by_file() {
        if starts.is_empty() || place - begun >= least {
            starts.push(place);
            begun = place;
        }
        place += file.len();
    }
    starts
}

/// The derived DICOM files of a run of slices in some composites, from their bands of all row blocks, as bytes. The files of the
/// source, which are read again, are the input of the options on this machine.
///
/// # Errors
/// [`Error::Protocol`] for bands of other slices or composites, or when some are missing; [`Error::Input`] for an input that is no
/// longer what it was, and what the source is refused for.
pub fn derive(
    options: &Options,
    composites: &Composites,
    run: Range<usize>,
    bands: &[&[u8]],
    threads: usize,
) -> Result<Vec<DerivedFile>> {
    let plan = &composites.decomposition().plan;
    let mut whole = DerivedSlices::new(composites, run.clone())?;
    bands.iter().try_for_each(|band| whole.add(Band::from_bytes(band)?))?;
    let mut by_file = BTreeMap::<usize, Vec<usize>>::new();
    let mut chosen = Vec::new();
    for &number in composites.order().get(run).unwrap_or_default() {
        if let Some(slice) = plan.slices.get(number) {
            by_file.entry(slice.file).or_default().push(number);
            chosen.push(slice);
        }
    }
    let files = files_of(options, chosen.into_iter())?;
    memory::pool(threads)?.install(|| each_instance(&whole, files.as_slice(), by_file, Ok, &Silent))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use tomobasis_dicom::testing::DicomFile;

    use super::*;
    use crate::commands::decompose::{ParsedJob, parse_options};

    fn options(line: &str) -> Options {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Ok(ParsedJob::Run(options)) = parse_options(&words) else { panic!("{line}") };
        *options
    }

    #[test]
    fn what_tasks_do_not_do_is_refused_by_its_name() {
        assert!(check(&options("--input a --output b --method tsqr --emit dicom")).is_ok());
        assert!(check(&options("--input a --output b --series all --basis joint")).is_ok());
        for (option, value) in
            [("--reference", "c"), ("--input-format", "npy"), ("--series", "all"), ("--on-bad-slice", "skip")]
        {
            let refused = check(&options(&format!("--input a --output b {option} {value}"))).unwrap_err();
            assert!(refused.to_string().starts_with(&format!("{option}: ")), "{refused}");
        }
    }

    #[test]
    fn runs_are_of_at_least_so_many_slices_and_begin_where_files_do() {
        let base = tempfile::tempdir().unwrap();
        for j in 0..7_i16 {
            let pixels: Vec<i16> = (0..12).map(|i| i * (j + 3) % 11).collect();
            let file = DicomFile::ct(3, 4, &pixels).number(j as u32 + 1).position(0.0, 0.0, j.into());
            fs::write(base.path().join(format!("{j}.dcm")), file.bytes()).unwrap();
        }
        let options = options(&format!("--input {} --output b", base.path().display()));
        let mut plans = plan(&options, false, 1, &Silent).unwrap();
        let mut plan = plans.remove(0);
        assert_eq!(runs_of_files(&plan, 3), [0, 3, 6]);
        assert_eq!(runs_of_files(&plan, 100), [0]);
        let first = plan.slices[0].file;
        plan.slices[1..5].iter_mut().for_each(|slice| slice.file = first);
        assert_eq!(runs_of_files(&plan, 3), [0, 5]);
        assert_eq!(runs_of_files(&plan, 1), [0, 5, 6]);
    }
}
