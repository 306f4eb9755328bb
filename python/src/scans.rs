//! The commands: what series there are, a scan as an array, a decomposition into a result folder, its verification.

use ndarray::Array3;
use numpy::{IntoPyArray, PyArray3};
use pyo3::prelude::*;
use serde_json::{Value, json};
use tomobasis_linalg::check_machine;
use tomobasis_pipeline::{
    commands::{
        decompose::{ParsedJob, decompose as decompose_scan, parse_options},
        inspect as listing, read as reading,
        verify::{VerifyArgs, verify as verify_result},
    },
    options::Options,
};

use crate::{failure::Failure, running::run_alone};

/// What series there are, as the JSON of `tomobasis inspect --json`.
#[pyfunction]
#[pyo3(signature = (inputs, threads, progress))]
pub(crate) fn inspect(
    py: Python<'_>,
    inputs: Vec<String>,
    threads: usize,
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
    threads: usize,
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
    })
}

/// Decomposes as `tomobasis decompose` does, with its arguments; returns what it prints.
#[pyfunction]
#[pyo3(signature = (arguments, threads, progress))]
pub(crate) fn decompose(
    py: Python<'_>,
    arguments: Vec<String>,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let options = options(&arguments)?;
    run_alone(py, progress, |watch| Ok(decompose_scan(options, threads, watch)?.closing))
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    match parse_options(arguments)? {
        ParsedJob::Run(options) => Ok(options),
        ParsedJob::Text { .. } => {
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
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let on_bad_slice = serde_json::from_value(json!(on_bad_slice))
        .map_err(|error| Failure::Argument(format!("on_bad_slice: {error}")))?;
    let args = VerifyArgs { result, input: inputs, series, join, on_bad_slice, verbose: false };
    run_alone(py, progress, |watch| {
        check_machine().map_err(Failure::from)?;
        Ok(verify_result(&args, threads, watch)?.closing)
    })
}
