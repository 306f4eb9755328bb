//! The commands: what series there are, a scan as an array, a decomposition into a result folder, its verification, denoising.

use ndarray::{Array2, Array3, Axis};
use numpy::{IntoPyArray, PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray3};
use pyo3::prelude::*;
use serde_json::{Value, json};
use tomobasis_linalg::{
    BLOCK_ROWS, Center, Centering, Projector, Rescale, SvdView, check_machine, column_major, row_means,
};
use tomobasis_pipeline::{
    commands::{
        decompose::{ParsedJob, decompose as decompose_scan, parse_options},
        denoise::{
            ArrayOptions, ArrayOutcome, ArrayVoxels, DenoisedVoxels, denoise as denoise_scan, denoise_array,
            parse_arguments,
        },
        inspect as listing, read as reading,
        verify::{PartArgs, VerifyArgs, verify as verify_result},
    },
    options::{self, Options},
};

use crate::{count, failure::Failure, running::run_alone};

/// What series there are, as the JSON of `tomobasis inspect --json`.
#[pyfunction]
#[pyo3(signature = (inputs, threads, progress))]
pub(crate) fn inspect(
    py: Python<'_>,
    inputs: Vec<String>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    run_alone(py, progress, |watch| {
        let inventory = listing::inspect(&inputs, threads, watch)?;
        listing::check_series(&inventory)?;
        Ok(listing::to_json(&inventory).to_string())
    })
}

/// The stored pixels of a series, slices x rows x columns, and its description as JSON.
#[pyfunction]
#[pyo3(signature = (arguments, threads, progress))]
pub(crate) fn read<'py>(
    py: Python<'py>,
    arguments: Vec<String>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Bound<'py, PyArray3<i16>>, String)> {
    let options = options(&arguments)?;
    let (pixels, described) = run_alone(py, progress, |watch| {
        let scan = reading::read_scan(&options, threads, watch)?;
        let described = described(&scan);
        let shape = (scan.plan.slices.len(), scan.plan.rows, scan.plan.columns);
        let pixels = Array3::from_shape_vec(shape, scan.pixels)
            .map_err(|error| Failure::from(tomobasis_pipeline::Error::from(error)))?;
        Ok((pixels, described.to_string()))
    })?;
    Ok((pixels.into_pyarray(py), described))
}

/// What a scan is, without what leads to a patient.
fn described(scan: &reading::StoredScan) -> Value {
    let plan = &scan.plan;
    let slices: Vec<Value> = plan
        .slices
        .iter()
        .map(|slice| {
            json!({
                "origin_mm": slice.origin_mm, "position_mm": slice.position_mm,
                "slope": slice.slope, "intercept": slice.intercept, "offset": slice.offset,
            })
        })
        .collect();
    let notes: Vec<&str> = scan.notes.iter().map(|note| note.text.as_str()).collect();
    json!({
        "id": plan.id, "modality": plan.modality, "unit": plan.rescale_unit, "window": plan.window,
        "pixel_spacing_mm": plan.pixel_spacing_mm, "slice_spacing_mm": plan.slice_spacing_mm,
        "orientation": plan.orientation, "tilt_degrees": plan.tilt_degrees, "slices": slices, "notes": notes,
        "digest": scan.digest.to_string(),
    })
}

/// Means that go back.
type Means<'py> = Bound<'py, PyArray1<f64>>;

/// What `--center` removed of a scan: each pixel's mean over the slices, and each slice's term; none where that is nothing.
/// `center` is that of the exact method, or `rounded` for the methods of class `fixed`.
#[pyfunction]
pub(crate) fn means<'py>(
    stored: PyReadonlyArray3<'py, i16>,
    rescales: Vec<(f64, f64, i32)>,
    center: &str,
) -> PyResult<(Means<'py>, Means<'py>)> {
    let py = stored.py();
    let pixels = stored.as_slice().map_err(|error| Failure::Argument(error.to_string()))?;
    let (rows, columns) = py.detach(|| means_of(pixels, &rescales, center))?;
    Ok((rows.into_pyarray(py), columns.into_pyarray(py)))
}

fn means_of(
    pixels: &[i16],
    rescales: &[(f64, f64, i32)],
    center: &str,
) -> Result<(Vec<f64>, Vec<f64>), Failure> {
    let n = rescales.len();
    let m = pixels.len() / n.max(1);
    let rescales: Vec<_> =
        rescales.iter().map(|&(slope, intercept, offset)| Rescale { slope, intercept, offset }).collect();
    let center = match center {
        "rounded" => None,
        name => Some(Center::from(
            serde_json::from_value::<options::Center>(json!(name))
                .map_err(|error| Failure::Argument(format!("center: {error}")))?,
        )),
    };
    let sum = |slice: &[i16]| slice.iter().map(|&value| i128::from(value)).sum();
    let sums = pixels.chunks_exact(m.max(1)).map(sum).collect();
    let centering = center.map(|center| Centering { center, rows: m as u64, sums });
    let none = Array2::zeros((n, 0));
    let svd = SvdView { s: &[], v: none.view(), v_low: none.view(), compensated: &[] };
    let projector = Projector::centered(svd, &rescales, centering.as_ref())?;
    let all: Vec<usize> = (0..n).collect();
    let pixels = column_major(pixels, m, n)?;
    let mut rows = Vec::new();
    for block in pixels.axis_chunks_iter(Axis(0), BLOCK_ROWS) {
        rows.extend(match center {
            Some(_) => projector.row_means(block)?,
            None => row_means(projector.originals(block, &all)?.view()),
        });
    }
    Ok((rows, projector.column_terms()))
}

/// Decomposes as `tomobasis decompose` does, with its arguments; returns what it prints.
#[pyfunction]
#[pyo3(signature = (arguments, threads, progress))]
pub(crate) fn decompose(
    py: Python<'_>,
    arguments: Vec<String>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let options = options(&arguments)?;
    run_alone(py, progress, |watch| Ok(decompose_scan(options, threads, watch)?.closing))
}

pub(crate) fn options(arguments: &[String]) -> Result<Options, Failure> {
    match parse_options(arguments)? {
        ParsedJob::Run(options) => Ok(*options),
        ParsedJob::Text { .. } | ParsedJob::Status { .. } => {
            Err(Failure::Argument("--help: read the documentation of the function".to_owned()))
        }
    }
}

/// Verifies as `tomobasis verify` does; returns what it prints.
#[pyfunction]
#[pyo3(signature = (result, inputs, series, join, on_bad_slice, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "those of the command")]
pub(crate) fn verify(
    py: Python<'_>,
    result: String,
    inputs: Vec<String>,
    series: Option<String>,
    join: bool,
    on_bad_slice: &str,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let on_bad_slice = serde_json::from_value(json!(on_bad_slice))
        .map_err(|error| Failure::Argument(format!("on_bad_slice: {error}")))?;
    let args = VerifyArgs {
        result,
        input: inputs,
        series,
        join,
        on_bad_slice,
        reference: None,
        part: PartArgs::default(),
        verbose: false,
    };
    run_alone(py, progress, |watch| {
        check_machine().map_err(Failure::from)?;
        Ok(verify_result(&args, threads, watch)?.closing)
    })
}

/// Denoises as `tomobasis denoise` does, with its arguments; returns what it prints.
#[pyfunction]
#[pyo3(signature = (arguments, threads, progress))]
pub(crate) fn denoise_series(
    py: Python<'_>,
    arguments: Vec<String>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let arguments = parse_arguments(&arguments).map_err(Failure::from)?;
    run_alone(py, progress, |watch| Ok(denoise_scan(arguments, threads, watch)?.closing))
}

/// A denoised array, what the manifest would say of it as JSON, and what its user must know.
type DenoisedArray<'py> = (Bound<'py, PyAny>, String, Vec<String>);

/// Denoises C-contiguous voxels: HU in float32, or int16 less the offsets of `rescales` (slope, intercept and offset of each slice),
/// whose stored values, offset included, stay in `range`.
#[pyfunction]
#[pyo3(signature = (voxels, rescales, range, spacing, pixel_spacing, strength, quality, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "what a volume is, and how it is denoised")]
pub(crate) fn denoise<'py>(
    voxels: &Bound<'py, PyAny>,
    rescales: Vec<(f64, f64, i32)>,
    range: (i32, i32),
    spacing: f64,
    pixel_spacing: Option<[f64; 2]>,
    strength: f32,
    quality: &str,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<DenoisedArray<'py>> {
    let py = voxels.py();
    let of_numpy = |error: &dyn std::fmt::Display| Failure::Argument(error.to_string());
    let mut options =
        ArrayOptions { shape: [0; 3], spacing_mm: spacing, pixel_mm: pixel_spacing, strength, quality };
    let outcome = if let Ok(array) = voxels.cast::<PyArray3<i16>>() {
        let array = array.try_readonly()?;
        options.shape = array.as_array().dim().into();
        let values = array.as_slice().map_err(|error| of_numpy(&error))?;
        let rescale: Vec<_> =
            rescales.iter().map(|&(slope, intercept, offset)| Rescale { slope, intercept, offset }).collect();
        let voxels = ArrayVoxels::Stored { values, rescale: &rescale, range };
        run_alone(py, progress, |watch| Ok(denoise_array(voxels, &options, threads, watch)?))?
    } else {
        let array = voxels.cast::<PyArray3<f32>>().map_err(|error| of_numpy(&error))?.try_readonly()?;
        options.shape = array.as_array().dim().into();
        let values = array.as_slice().map_err(|error| of_numpy(&error))?;
        let voxels = ArrayVoxels::Hu(values);
        run_alone(py, progress, |watch| Ok(denoise_array(voxels, &options, threads, watch)?))?
    };
    let ArrayOutcome { voxels, report, remarks } = outcome;
    let array = match voxels {
        DenoisedVoxels::Stored(values) => as_array(py, options.shape, values)?,
        DenoisedVoxels::Hu(values) => as_array(py, options.shape, values)?,
    };
    Ok((array, report, remarks))
}

fn as_array<T: numpy::Element>(
    py: Python<'_>,
    shape: [usize; 3],
    values: Vec<T>,
) -> PyResult<Bound<'_, PyAny>> {
    let array = Array3::from_shape_vec(shape, values)
        .map_err(|error| Failure::from(tomobasis_pipeline::Error::from(error)))?;
    Ok(array.into_pyarray(py).into_any())
}
