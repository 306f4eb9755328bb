//! Series whose slices the tasks of some engine share: planned once, decoded anywhere.

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray2};
use pyo3::{prelude::*, types::PyBytes};
use serde_json::json;
use tomobasis_dicom::SeriesPlan;
use tomobasis_pipeline::{
    commands::{slices as planned, stages::stages},
    memory,
    options::Emit,
};

use crate::{count, failure::Failure, running::run_alone, scans::options};

/// Refuses options that tasks do not have; what the others mean for them, as JSON: whether the sums are exact, whether there is derived
/// DICOM, the names of the stages. Of `threads`, which the calling process uses at the end, whether it is a number of them.
#[pyfunction]
pub(crate) fn task_options(
    arguments: Vec<String>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
) -> PyResult<String> {
    memory::pool(threads).map_err(Failure::from)?;
    let options = options(&arguments)?;
    planned::check(&options).map_err(Failure::from)?;
    let names = stages(&options).map(|stage| stage.name);
    let exact = options.method.class() == "certified";
    Ok(json!({"exact": exact, "dicom": options.emits(Emit::Dicom), "stages": names}).to_string())
}

pub(crate) fn plan_of(text: &str) -> Result<SeriesPlan, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Argument(format!("plan: {error}")))
}

/// The series that the options of a decomposition name, or all that the input has, each as JSON that `slices` takes. Leads to
/// patients: not for logs.
#[pyfunction]
#[pyo3(signature = (arguments, all, threads, progress))]
pub(crate) fn plans(
    py: Python<'_>,
    arguments: Vec<String>,
    all: bool,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<String>> {
    let options = options(&arguments)?;
    run_alone(py, progress, |watch| {
        let plans = planned::plan(&options, all, threads, watch)?;
        let text = |plan| serde_json::to_string(plan).map_err(|error| Failure::Argument(error.to_string()));
        plans.iter().map(text).collect()
    })
}

/// What the headers say of each slice of a plan, as a JSON array; what leads to a patient if asked.
#[pyfunction]
pub(crate) fn slice_rows(plan: &str, arguments: Vec<String>, identifying: bool) -> PyResult<String> {
    let plan = plan_of(plan)?;
    let paths = match identifying {
        true => planned::paths(&options(&arguments)?, &plan).map_err(Failure::from)?,
        false => Vec::new(),
    };
    let mut rows = planned::rows(&plan, identifying);
    for (row, path) in rows.iter_mut().zip(paths) {
        row.insert("path".to_owned(), json!(path));
    }
    Ok(json!(rows).to_string())
}

/// Stored pixels that go back.
type Stored<'py> = Bound<'py, PyArray2<i16>>;

/// Stored pixels of some slices of a plan, less each slice's offset, slices x pixels, and a record of each for `Solved`.
#[pyfunction]
#[pyo3(signature = (arguments, plan, slices, threads))]
pub(crate) fn slices<'py>(
    py: Python<'py>,
    arguments: Vec<String>,
    plan: &str,
    slices: Vec<usize>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
) -> PyResult<(Stored<'py>, Vec<Bound<'py, PyBytes>>)> {
    let (options, plan) = (options(&arguments)?, plan_of(plan)?);
    let (pixels, records) = run_alone(py, None, |_| {
        let (pixels, records) = planned::read(&options, &plan, &slices, threads)?;
        let pixels = Array2::from_shape_vec((slices.len(), plan.pixels()), pixels)
            .map_err(tomobasis_pipeline::Error::from)?;
        Ok((pixels, records))
    })?;
    let records = records.iter().map(|record| PyBytes::new(py, &record.to_bytes())).collect();
    Ok((pixels.into_pyarray(py), records))
}
