//! Folders that were written: their manifest, and the numbers of a result's tables, against the manifest's digests.

use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2, Axis};
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;
use rayon::prelude::*;
use tomobasis_linalg::BLOCK_ROWS;
use tomobasis_pipeline::{
    Error, commands::verify::checked_manifest, input::listing::local_path, result::ResultFolder,
};

use crate::{failure::Failure, running::run};

/// `s` and `V`.
type Factors<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>);

/// The path of a folder that was given as a path or a `file:` URI.
#[pyfunction]
pub(crate) fn local_folder(folder: PathBuf) -> Result<PathBuf, Failure> {
    // A URI is UTF-8.
    match folder.to_str() {
        Some(text) => Ok(local_path("--folder", text)?),
        None => Ok(folder),
    }
}

/// The text of the manifest of a finished folder, whose seal and digests go together.
#[pyfunction]
pub(crate) fn manifest(py: Python<'_>, folder: PathBuf) -> PyResult<String> {
    let text = py.detach(|| {
        let bytes = checked_manifest(&folder)?;
        String::from_utf8(bytes).map_err(|error| Failure::from(Error::Internal(error.to_string())))
    })?;
    Ok(text)
}

fn open(folder: &Path, manifest: String) -> Result<ResultFolder, Failure> {
    Ok(ResultFolder::of_manifest(folder, manifest.into_bytes())?)
}

/// `s`, and `V` with a row for each slice, of the result in `folder`, whose manifest was this.
#[pyfunction]
pub(crate) fn stored_factors(py: Python<'_>, folder: PathBuf, manifest: String) -> PyResult<Factors<'_>> {
    let (s, v) = py.detach(|| {
        let folder = open(&folder, manifest)?;
        let (s, v) = folder.read_factors()?;
        Ok::<_, Failure>((s, matrix(folder.manifest.result.columns, folder.manifest.result.rank, v)?))
    })?;
    Ok((s.into_pyarray(py), v.into_pyarray(py)))
}

/// `U`, with a row for each pixel, of the result in `folder`, whose manifest was this.
#[pyfunction]
pub(crate) fn stored_basis(
    py: Python<'_>,
    folder: PathBuf,
    manifest: String,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let u = run(py, 0, None, |watch| {
        let folder = open(&folder, manifest)?;
        let result = &folder.manifest.result;
        let rows = usize::try_from(result.rows).map_err(|error| Error::Internal(error.to_string()))?;
        let mut u = Array2::zeros((rows, result.rank));
        let blocks: Vec<_> = u.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).collect();
        blocks.into_par_iter().enumerate().try_for_each(|(block, mut to)| {
            watch.check()?;
            let values = folder.read_block(block as u32)?;
            let from = ArrayView2::from_shape(to.dim(), &values);
            to.assign(&from.map_err(|error| of_shape(&error))?);
            Ok::<_, Failure>(())
        })?;
        Ok(u)
    })?;
    Ok(u.into_pyarray(py))
}

fn matrix(rows: usize, columns: usize, values: Vec<f64>) -> Result<Array2<f64>, Failure> {
    Array2::from_shape_vec((rows, columns), values).map_err(|error| of_shape(&error))
}

fn of_shape(error: &ndarray::ShapeError) -> Failure {
    Error::Differs(format!("a table: its numbers have not the shape that the manifest says ({error})")).into()
}
