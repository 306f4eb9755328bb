//! The series that `--reference` names, of which only the slices that are measured are decoded.

use tomobasis_denoise::hounsfield_units;
use tomobasis_dicom::{Error as Found, SeriesPlan};
use tomobasis_measures::Stack;

use super::Runner;
use crate::{
    error::{Error, Result},
    input::{
        decode,
        layout::rescale_of,
        list_input,
        listing::{InputFile, local_path},
    },
    memory,
    options::{OnBadSlice, Options, RankChoice, ReportSize},
    output::measured::{Reference, measured_slices},
    progress::Silent,
    solve::padding_counts::pixels_digest,
};

const OPTION: &str = "--reference";

/// A reference whose headers are known.
pub(crate) struct ReferenceSeries {
    plan: SeriesPlan,
    files: Vec<InputFile>,
}

impl Runner<'_> {
    /// The series that `--reference` names, which must be of the size and the unit of the scan.
    ///
    /// # Errors
    /// [`Error::Option`] naming `--reference`.
    pub(crate) fn reference(&self, scan: &SeriesPlan, options: &Options) -> Result<Option<ReferenceSeries>> {
        let Some(name) = &options.reference else { return Ok(None) };
        let (input, series) = place(name, options)?;
        let of_reference = Options {
            input,
            series,
            reference: None,
            join: false,
            on_bad_slice: OnBadSlice::Fail,
            rank: RankChoice::Full,
            composite: None,
            emit: Vec::new(),
            report: ReportSize::default(),
            ..options.clone()
        };
        let find = || -> Result<ReferenceSeries> {
            let files = list_input(&of_reference)?;
            let mut inventory =
                self.pool.install(|| crate::input::inventory::take_inventory(&files, &Silent))?;
            let plan = self.select(&mut inventory, &files, &of_reference)?;
            Ok(ReferenceSeries { plan, files })
        };
        let found = find().map_err(of_option)?;
        let told = found.plan.left_out.iter().chain(&found.plan.warnings).map(|note| note.text.clone());
        for note in told.chain(places_that_differ(&found.plan, scan)) {
            self.progress.message(&format!("{OPTION}: {note}"));
        }
        let size =
            |plan: &SeriesPlan| format!("{} slices of {} x {}", plan.slices.len(), plan.rows, plan.columns);
        if size(&found.plan) != size(scan) {
            let problem = format!(
                "it has {}, and the scan has {}; give a series of the same slices",
                size(&found.plan),
                size(scan)
            );
            return Err(Error::option(OPTION, problem));
        }
        if found.plan.rescale_unit != scan.rescale_unit {
            let problem =
                "its values have another unit than those of the scan; give a series of the same kind";
            return Err(Error::option(OPTION, problem));
        }
        Ok(Some(found))
    }

    /// The slices of a reference that are measured with so many composites.
    ///
    /// # Errors
    /// [`Error::Option`] naming `--reference` for slices that cannot be decoded.
    pub(crate) fn measured(&self, reference: ReferenceSeries, composites: usize) -> Result<Reference> {
        let ReferenceSeries { mut plan, files } = reference;
        let (rows, columns) = (plan.rows, plan.columns);
        let measured = measured_slices((rows, columns), plan.slices.len(), composites);
        plan.slices = measured.iter().filter_map(|&slice| plan.slices.get(slice)).cloned().collect();
        let mut pixels = memory::for_scan(&plan)?;
        let decoded = self
            .pool
            .install(|| decode::decode(&plan, files.as_slice(), &mut pixels, &Silent))
            .map_err(of_option)?;
        let records = decoded.into_iter().collect::<std::result::Result<Vec<_>, _>>();
        let records = records.map_err(|error| of_option(error.into()))?;
        let slices = pixels.chunks_exact(plan.pixels().max(1)).zip(rescale_of(&plan));
        let slices = slices.map(|(stored, rescale)| hounsfield_units(stored, rescale)).collect();
        let slices = Stack::new(rows, columns, slices)
            .ok_or_else(|| Error::Internal("the reference was decoded to another size".to_owned()))?;
        Ok(Reference { slices, pixels: pixels_digest(&records) })
    }
}

/// What the headers say of the places of a reference's pixels, where that is not what they say of the scan's: slices and pixels are
/// compared by their numbers.
fn places_that_differ(reference: &SeriesPlan, scan: &SeriesPlan) -> Vec<String> {
    // Of headers with few digits.
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-3 * a.abs().max(b.abs()).max(1e-3);
    let same_all = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| same(*a, *b));
    let mm = |spacing: [f64; 2]| format!("{} x {} mm", spacing[0], spacing[1]);
    let mut notes = Vec::new();
    if let (Some(a), Some(b)) = (reference.pixel_spacing_mm, scan.pixel_spacing_mm)
        && !same_all(&a, &b)
    {
        notes.push(format!("its pixels are {} apart, those of the scan {}", mm(a), mm(b)));
    }
    if let (Some(a), Some(b)) = (reference.slice_spacing_mm, scan.slice_spacing_mm)
        && !same(a, b)
    {
        notes.push(format!("its slices are {a} mm apart, those of the scan {b} mm"));
    }
    let turned = |a: f64, b: f64| (a - b).abs() > 1e-2;
    if reference.orientation.iter().zip(&scan.orientation).any(|(a, b)| turned(*a, *b)) {
        notes.push("its slices have another orientation than those of the scan".to_owned());
    }
    notes
}

/// Where the reference is: inputs, and which series of them.
fn place(name: &str, options: &Options) -> Result<(Vec<String>, Option<String>)> {
    if local_path(OPTION, name)?.exists() {
        return Ok((vec![name.to_owned()], None));
    }
    if name.contains('/') {
        return Err(Error::option(OPTION, "there is no such file or folder; give that of a DICOM series"));
    }
    Ok((options.input.clone(), Some(name.to_owned())))
}

/// What is wrong with a reference; what is no fault of it stays as it is. Advice on `--input` and `--series` would change the scan.
fn of_option(error: Error) -> Error {
    let instead = "give the folder of a DICOM series";
    let problem = match &error {
        Error::Dicom(Found::SeveralSeries { count, listing }) => format!(
            "it holds {count} series; give the folder of one, or the UID or short id of a series of the input:\n{listing}"
        ),
        Error::Dicom(Found::UnknownSeries { listing }) => format!(
            "no series of the input is called so; give its UID, one of these ids, or a folder or file:\n{listing}"
        ),
        Error::Dicom(Found::NoFiles) => format!("it holds no files; {instead}"),
        Error::Dicom(Found::NoDicom { files, .. }) => {
            format!("none of its {files} files is DICOM; {instead}")
        }
        Error::Dicom(Found::NoSlices { .. }) => format!("there are no slices in it; {instead}"),
        other if matches!(other.exit_code(), 2 | 3) => other.to_string(),
        _ => return error,
    };
    Error::option(OPTION, problem)
}
