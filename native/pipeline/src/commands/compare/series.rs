//! Two DICOM series against each other: their values, slice by slice, in the series' unit. How they are encoded does not matter.

use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use tomobasis_dicom::ErrorKind;
use tomobasis_linalg::Rescale;

use crate::{
    commands::runner::{Runner, Scan},
    error::{Error, Result},
    input::{
        layout::rescale_of,
        listing::{list_path, local_path},
        matrix::Values,
    },
    memory,
    options::{
        Basis, DicomSyntax, InputFormat, Method, OnBadSlice, Options, Padding, RankChoice, ReportSize,
    },
    output::{pictures::Display, tables::INDEX},
    progress::Progress,
    result::{AN_ARCHIVE, MANIFEST, SUCCESS},
};

/// Scan and decode, of each series.
const STAGES: usize = 2;

/// How two series of slices of one size differ.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesComparison {
    /// Unit of the values.
    unit: String,
    rows: usize,
    columns: usize,
    /// The largest difference that is none.
    tolerance: f64,
    /// Pixels that differ by more.
    beyond: u64,
    /// Over all slices.
    overall: Difference,
    /// The first pixel that differs by more than the tolerance; else the first that differs at all.
    first: Option<Pixel>,
    /// The largest difference of the slices' positions, in mm.
    positions_mm: f64,
    /// Each slice, in series order.
    slices: Vec<SliceDifference>,
    /// The slice with the largest root mean square; none where all values are the same.
    #[serde(skip)]
    worst: Option<WorstSlice>,
}

/// The values of the slice that is farthest apart.
#[derive(Clone, Debug)]
pub(super) struct WorstSlice {
    /// From 0.
    pub slice: usize,
    pub rms: f64,
    pub display: Display,
    /// Row by row.
    pub a: Vec<f64>,
    pub b: Vec<f64>,
}

/// One slice.
#[derive(Clone, Debug, Serialize)]
struct SliceDifference {
    /// From 1.
    slice: usize,
    #[serde(flatten)]
    difference: Difference,
}

/// How far some values are apart.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Difference {
    /// Pixels that are not the same.
    differing: u64,
    /// Root mean square over all pixels.
    rms: f64,
    /// The largest, and where it is; the first on ties.
    largest: Option<Pixel>,
}

/// A pixel and its two values.
#[derive(Clone, Copy, Debug, Serialize)]
struct Pixel {
    /// From 1.
    slice: usize,
    /// From 1.
    row: usize,
    /// From 1.
    column: usize,
    a: f64,
    b: f64,
}

/// What was found in a slice.
struct Found {
    difference: Difference,
    squares: f64,
    beyond: u64,
    /// The first pixel that differs, and the first beyond the tolerance.
    first: [Option<Pixel>; 2],
}

/// Whether neither is the folder of a result.
///
/// # Errors
/// [`Error::Option`] for a path that is not local, and where one is a result and the other nothing of the kind, or the output of `--series all`.
pub fn are_series(a: &str, b: &str) -> Result<bool> {
    let has = |name: &'static str, text: &str| -> Result<[bool; 2]> {
        let path = local_path(name, text)?;
        Ok([MANIFEST, SUCCESS].map(|file| Path::new(&path).join(file).exists()))
    };
    let other = |option, result| {
        let problem = format!(
            "it is no result ({MANIFEST} is not there), and {result} is one; give two results, or two series"
        );
        Err(Error::Option { option, problem })
    };
    for (option, text) in [("A", a), ("B", b)] {
        let path = local_path(option, text)?;
        if path.join(INDEX).is_file() && !path.join(MANIFEST).exists() {
            return Err(Error::option(option, AN_ARCHIVE));
        }
    }
    match (has("A", a)?, has("B", b)?) {
        ([false, false], [true, _]) => other("A", "B"),
        ([true, _], [false, false]) => other("B", "A"),
        ([a, _], [b, _]) => Ok(!a && !b),
    }
}

/// Compares the series in two folders, files or archives, on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::Differs`] for series of other sizes or units, [`Error::Option`] for an input with no single series, and what reading is
/// refused for.
pub fn compare_series(
    a: &str,
    b: &str,
    tolerance: f64,
    threads: usize,
    progress: &dyn Progress,
) -> Result<SeriesComparison> {
    let one = read("A", a, threads, progress, 0)?;
    let other = read("B", b, threads, progress, STAGES)?;
    let (plan, others) = (&one.plan, &other.plan);
    let size = |scan: &Scan| (scan.plan.slices.len(), scan.plan.rows, scan.plan.columns);
    if size(&one) != size(&other) {
        let told = |(slices, rows, columns)| format!("{slices} slices of {rows} x {columns} pixels");
        let (a, b) = (told(size(&one)), told(size(&other)));
        return Err(Error::Differs(format!("A and B differ: A has {a}, B {b}")));
    }
    if plan.rescale_unit != others.rescale_unit {
        let (a, b) = (&plan.rescale_unit, &others.rescale_unit);
        return Err(Error::Differs(format!(
            "A and B differ: the values of A are in {a:?}, those of B in {b:?}"
        )));
    }
    let found = memory::pool(threads)?.install(|| differences(&one, &other, tolerance));
    let pixels = (found.len() * plan.rows * plan.columns).max(1) as f64;
    let largest = found.iter().filter_map(|slice| slice.difference.largest);
    let overall = Difference {
        differing: found.iter().map(|slice| slice.difference.differing).sum(),
        rms: (found.iter().map(|slice| slice.squares).sum::<f64>() / pixels).sqrt(),
        largest: largest.reduce(|most, next| if next.apart() > most.apart() { next } else { most }),
    };
    let worst = worst(&one, &other, &found);
    let first = |which: usize| found.iter().find_map(|slice| slice.first.get(which).copied().flatten());
    let positions = plan.slices.iter().zip(&others.slices);
    Ok(SeriesComparison {
        unit: plan.rescale_unit.clone(),
        rows: plan.rows,
        columns: plan.columns,
        tolerance,
        beyond: found.iter().map(|slice| slice.beyond).sum(),
        overall,
        first: first(1).or_else(|| first(0)),
        positions_mm: positions.map(|(a, b)| (a.position_mm - b.position_mm).abs()).fold(0.0, f64::max),
        slices: (1..)
            .zip(&found)
            .map(|(slice, found)| SliceDifference { slice, difference: found.difference })
            .collect(),
        worst,
    })
}

impl SeriesComparison {
    /// Whether no values differ by more than the tolerance.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.beyond == 0
    }

    /// All of it, slice by slice.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub fn to_json(&self) -> Result<Value> {
        let mut json = serde_json::to_value(self).map_err(|error| Error::Internal(error.to_string()))?;
        json["compared"] = "series".into();
        json["same"] = self.is_within().into();
        Ok(json)
    }

    /// What is the same, in words.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the first pixel beyond the tolerance, the largest difference and how many there are.
    pub fn closing(&self) -> Result<String> {
        let size = format!("{} slices of {} x {} pixels", self.slices.len(), self.rows, self.columns);
        let Some((first, largest)) = self.first.zip(self.overall.largest) else {
            return Ok(format!("same values  {size}: every value is the same\n{}", self.positions()));
        };
        let Difference { differing, rms, .. } = self.overall;
        let slices = self.slices.iter().filter(|slice| slice.difference.differing > 0).count();
        let unit = &self.unit;
        let spread = format!(
            "largest difference {} {unit} at {}; RMS {rms:.4} {unit}; {differing} pixels in {slices} slices are not the same",
            largest.apart(),
            largest.told(unit)
        );
        match self.is_within() {
            true => Ok(format!(
                "within       {size}: no value differs by more than {} {unit}\ndifferences  {spread}\n{}",
                self.tolerance,
                self.positions()
            )),
            false => Err(Error::Differs(format!("A and B differ: first at {}; {spread}", first.told(unit)))),
        }
    }

    pub(super) fn worst(&self) -> Option<&WorstSlice> {
        self.worst.as_ref()
    }

    pub(super) fn unit(&self) -> &str {
        &self.unit
    }

    /// Rows and columns of a slice.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Of each slice, the pixels that differ, the root mean square and the largest difference.
    pub(super) fn by_slice(&self) -> Vec<(u64, f64, f64)> {
        let of = |Difference { differing, rms, largest }: Difference| {
            (differing, rms, largest.map_or(0.0, |pixel| pixel.apart()))
        };
        self.slices.iter().map(|slice| of(slice.difference)).collect()
    }

    fn positions(&self) -> String {
        match self.positions_mm {
            0.0 => "positions    the same".to_owned(),
            most => {
                format!("positions    not the same, which is no difference of values: up to {most} mm apart")
            }
        }
    }
}

impl Pixel {
    fn apart(&self) -> f64 {
        (self.a - self.b).abs()
    }

    fn told(&self, unit: &str) -> String {
        let Self { slice, row, column, a, b } = self;
        format!("slice {slice}, row {row}, column {column} (from 1: A {a} {unit}, B {b} {unit})")
    }
}

/// The one series of an input, its pixels as they are stored.
fn read(
    name: &'static str,
    text: &str,
    threads: usize,
    progress: &dyn Progress,
    before: usize,
) -> Result<Scan> {
    let of_input = |error| match error {
        Error::InputAbsent => Error::option(name, "there is no such folder or file; check the path"),
        Error::Input(problem) => Error::option(name, problem),
        Error::Dicom(error) if matches!(error.kind(), ErrorKind::Usage) => Error::option(
            name,
            "it holds no single series of slices (`tomobasis inspect` lists them); name the folder or archive of one",
        ),
        other => other,
    };
    let mut runner = Runner::with_stages(threads, progress, before, 2 * STAGES - before)?;
    let files = list_path(&local_path(name, text)?).map_err(of_input)?;
    let options = Options {
        input: vec![text.to_owned()],
        input_format: InputFormat::Dicom,
        output: String::new(),
        overwrite: false,
        series: None,
        more_series: Vec::new(),
        basis: Basis::Own,
        fail_fast: false,
        join: false,
        on_bad_slice: OnBadSlice::Fail,
        padding: Padding::Keep,
        denoise: None,
        method: Method::Gram { center: None },
        rank: RankChoice::Full,
        composite: None,
        reference: None,
        emit: Vec::new(),
        report: ReportSize::default(),
        in_job: false,
        dicom_syntax: DicomSyntax::default(),
        no_patient_data: false,
        verbose: false,
    };
    let check =
        |needed| memory::check_other("comparing the series", needed, "compare them where there is more");
    runner.read(files, &options, |_, need| check(need.scan() + need.decode())).map_err(of_input)
}

fn differences(one: &Scan, other: &Scan, tolerance: f64) -> Vec<Found> {
    let (Values::Stored(a), Values::Stored(b)) = (&one.values, &other.values) else { return Vec::new() };
    let size = one.plan.pixels().max(1);
    let columns = one.plan.columns.max(1);
    let (rescale, others) = (rescale_of(&one.plan), rescale_of(&other.plan));
    let slices = a.par_chunks_exact(size).zip(b.par_chunks_exact(size)).zip(rescale).zip(others).enumerate();
    slices
        .map(|(slice, (((a, b), of_a), of_b))| {
            let mut found =
                Found { difference: Difference::default(), squares: 0.0, beyond: 0, first: [None, None] };
            let mut most = 0.0;
            for (at, (&a, &b)) in a.iter().zip(b).enumerate() {
                let pixel = Pixel {
                    slice: slice + 1,
                    row: at / columns + 1,
                    column: at % columns + 1,
                    a: value(a, &of_a),
                    b: value(b, &of_b),
                };
                let apart = pixel.apart();
                if apart == 0.0 {
                    continue;
                }
                found.difference.differing += 1;
                found.squares += apart * apart;
                found.first[0].get_or_insert(pixel);
                if apart > tolerance {
                    found.beyond += 1;
                    found.first[1].get_or_insert(pixel);
                }
                if apart > most {
                    (most, found.difference.largest) = (apart, Some(pixel));
                }
            }
            found.difference.rms = (found.squares / size as f64).sqrt();
            found
        })
        .collect()
}

/// The slice that is farthest apart, the first on ties.
fn worst(one: &Scan, other: &Scan, found: &[Found]) -> Option<WorstSlice> {
    let rms = |slice: usize| found.get(slice).map_or(0.0, |found| found.difference.rms);
    let slice = (0..found.len()).reduce(|most, next| if rms(next) > rms(most) { next } else { most })?;
    if rms(slice) == 0.0 {
        return None;
    }
    let values = |scan: &Scan| -> Option<Vec<f64>> {
        let Values::Stored(stored) = &scan.values else { return None };
        let (size, rescale) = (scan.plan.pixels(), rescale_of(&scan.plan));
        let (stored, rescale) = (stored.get(slice * size..(slice + 1) * size)?, rescale.get(slice)?);
        Some(stored.iter().map(|&stored| value(stored, rescale)).collect())
    };
    let (a, b) = (values(one)?, values(other)?);
    let bound = |start: f64, of: fn(f64, f64) -> f64| a.iter().chain(&b).copied().fold(start, of);
    let all = (bound(f64::INFINITY, f64::min), bound(f64::NEG_INFINITY, f64::max));
    let display = Display::of_slice(&one.plan, slice, all);
    Some(WorstSlice { slice, rms: rms(slice), display, a, b })
}

/// The value of a stored pixel.
fn value(stored: i16, rescale: &Rescale) -> f64 {
    rescale.slope.mul_add(f64::from(i32::from(stored) + rescale.offset), rescale.intercept)
}
