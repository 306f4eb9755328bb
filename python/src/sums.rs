//! Exact sums: the Gram matrix, and the state that any engine can carry.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, ToPyArray};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict},
};
use serde::{Deserialize, Serialize};
use tomobasis_linalg::{
    Center, Centering, CertifiedSvd, GramAccumulator, Rank, RealCentering, Rescale, certified_svd,
    check_machine, refuse_impossible,
};
use tomobasis_pipeline::solve::digest::Digest;

use crate::{
    count,
    factors::{bounds_of, center_of, matrix_digest, project, project_floats, sums},
    failure::{Failure, same_class},
    intake::with_values,
    matrix::Values,
    running::run,
    sealed,
};

/// Rows up to which every product fits an int64: `2^30 * (2^16 - 1)^2 < 2^62`.
const NARROW_ROWS: u64 = 1 << 30;

/// `A^T A` of integers, exact.
#[pyfunction]
#[pyo3(signature = (a, threads, progress))]
pub(crate) fn gram<'py>(
    a: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let py = a.py();
    let sums = with_values(a, |values| {
        stored_only(&values)?;
        run(py, threads, progress, |watch| {
            check_machine()?;
            sums(&values, watch)
        })
    })?;
    Ok(products(&sums)?.into_pyarray(py))
}

fn stored_only(values: &Values<'_>) -> Result<(), Failure> {
    match values.are_stored() {
        true => Ok(()),
        false => Err(Failure::Argument(
            "the values are not all integers of 16 bits; of floats, use FloatGramState or svd".to_owned(),
        )),
    }
}

/// Refuses to finish sums of nothing, as `svd` refuses a matrix without rows.
pub(crate) fn some_rows(rows: u64) -> Result<(), Failure> {
    match rows {
        0 => Err(Failure::Argument("no rows were added; add some, and see what left them out".to_owned())),
        _ => Ok(()),
    }
}

fn products(sums: &GramAccumulator) -> Result<Array2<i64>, Failure> {
    if sums.rows() > NARROW_ROWS {
        let text = format!("more than {NARROW_ROWS} rows: int64 could not hold the sums");
        return Err(Failure::Argument(text));
    }
    let n = sums.columns();
    Ok(Array2::from_shape_fn((n, n), |(i, j)| sums.product(i, j) as i64))
}

/// The exact sums of the rows that were added, of any number of them, in any order and grouping.
///
/// Parameters
/// ----------
/// columns : int
///     Columns of the matrix, n, from 1 to 16,384.
///
/// Notes
/// -----
/// Holds 8 n^2 bytes. Two states of the same rows are equal to the bit, and so are their bytes, whatever the blocks, their order
/// and the machines that added them.
///
/// Examples
/// --------
/// >>> import numpy as np, tomobasis
/// >>> a = np.arange(12, dtype="int16").reshape(6, 2)
/// >>> state = tomobasis.GramState(2)
/// >>> for block in (a[3:], a[:3]):
/// ...     state.update(block)
/// >>> state.rows
/// 6
/// >>> factors = state.finish()
/// >>> bool(abs(factors.project(a) * factors.s @ factors.Vt - a).max() < 1e-12)
/// True
#[pyclass(frozen, module = "tomobasis", name = "GramState")]
pub(crate) struct GramState(Mutex<GramAccumulator>);

/// What the bytes of a state begin with.
const STATE: &[u8] = b"tomobasis gram state 1\n";

#[pymethods]
impl GramState {
    #[new]
    fn new(#[pyo3(from_py_with = count::columns)] columns: usize) -> Result<Self, Failure> {
        Ok(Self(Mutex::new(GramAccumulator::new(columns)?)))
    }

    /// Columns of the matrix, n.
    #[getter]
    fn columns(&self) -> usize {
        self.sums().columns()
    }

    /// Rows added so far.
    #[getter]
    fn rows(&self) -> u64 {
        self.sums().rows()
    }

    /// Adds rows of the matrix: an array of rows x columns whose values are integers from -32768 to 32767, or from 0 to 65535,
    /// of any type. On the calling thread; the GIL is released. After an exception the state is what it was.
    fn update(&self, block: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = block.py();
        with_values(block, |values| {
            stored_only(&values)?;
            let columns = values.dim().1;
            if values.blocks() == 1 {
                return Ok(py.detach(|| values.add_to(&mut self.sums(), 0, false))?);
            }
            let mut more = GramAccumulator::new(columns).map_err(Failure::from)?;
            for block in 0..values.blocks() {
                py.detach(|| values.add_to(&mut more, block, false))?;
                py.check_signals()?;
            }
            Ok(py.detach(|| self.sums().merge(&more)).map_err(Failure::from)?)
        })
    }

    /// Adds the rows of another state, which keeps them too.
    fn merge(&self, other: &Bound<'_, PyAny>) -> Result<(), Failure> {
        let other = same_class::<Self>(other)?;
        let (py, other) = (other.py(), other.get());
        py.detach(|| {
            // A copy: the other may be this one, or be merging this one on another thread.
            let other = other.sums().clone();
            Ok(self.sums().merge(&other)?)
        })
    }

    fn __add__(&self, other: &Bound<'_, Self>) -> Result<Self, Failure> {
        let sum = Self(Mutex::new(self.sums().clone()));
        sum.merge(other.as_any())?;
        Ok(sum)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get().sums().clone();
            *self.sums() == other
        })
    }

    fn __repr__(&self) -> String {
        let sums = self.sums();
        format!("<tomobasis.GramState of {} columns, {} rows>", sums.columns(), sums.rows())
    }

    /// The state as bytes, for another process or machine (docs/format.md): about 4 n^2 of them.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| sealed::seal(STATE, &self.sums().to_bytes()));
        PyBytes::new(py, &bytes)
    }

    /// The state of such bytes. Damaged ones are an `InputError`.
    #[staticmethod]
    fn from_bytes(#[pyo3(from_py_with = count::bytes)] data: Bound<'_, PyBytes>) -> Result<Self, Failure> {
        let bytes = sealed::open(STATE, data.as_bytes(), "a Gram state")?;
        Ok(Self(Mutex::new(GramAccumulator::from_bytes(bytes)?)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type().getattr("from_bytes")?, (slf.get().to_bytes(slf.py()),)))
    }

    /// The exact sum of each column, as integers of Python.
    fn column_sums(&self) -> Vec<i128> {
        let sums = self.sums();
        (0..sums.columns()).map(|column| sums.column_sum(column)).collect()
    }

    /// `A^T A` as int64, n x n.
    fn gram<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<i64>>> {
        Ok(products(&self.sums())?.into_pyarray(py))
    }

    /// Singular values and right singular vectors of the rows added, class certified.
    ///
    /// Parameters
    /// ----------
    /// rank : int, optional
    ///     At most this many, from 1 to n; all up to the numerical rank by default.
    /// center : {"rows", "columns", "both"}, optional
    ///     Means that are removed first, exactly: each row's, each column's, or both.
    /// threads : int, optional
    ///     0: one per core.
    ///
    /// Returns
    /// -------
    /// GramFactors
    #[pyo3(signature = (rank=None, center=None, threads=0))]
    fn finish(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = count::rank)] rank: Option<usize>,
        #[pyo3(from_py_with = count::center)] center: Option<String>,
        #[pyo3(from_py_with = count::threads)] threads: usize,
    ) -> PyResult<GramFactors> {
        let center = center.as_deref().map(center_of).transpose()?.map(Center::from);
        let rank = rank.map_or(Rank::Full, Rank::Columns);
        let sums = py.detach(|| self.sums().clone());
        some_rows(sums.rows())?;
        run(py, threads, None, |_| {
            check_machine()?;
            let rescales = vec![Rescale::IDENTITY; sums.columns()];
            let gram = sums.finish_centered(&rescales, center)?;
            refuse_impossible(&gram)?;
            let svd = certified_svd(&gram, rank, rayon::current_num_threads())?;
            Ok(GramFactors { rows: Rows::Integers(center.map(|center| sums.centering(center))), svd })
        })
    }
}

impl GramState {
    pub(crate) fn sums(&self) -> MutexGuard<'_, GramAccumulator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Singular values and right singular vectors of exact sums, and what gives `U` of any rows of the matrix. Made by
/// `GramState.finish`; can be pickled, and sent to where the rows are.
///
/// Attributes
/// ----------
/// s : numpy.ndarray of k float64
///     Singular values, descending, each the float64 nearest to the true one.
/// Vt : numpy.ndarray, k x n, float64
///     Right singular vectors as rows. The entry of largest magnitude of each is positive.
/// rank : int
///     Numerical rank: singular values above max(m, n) 2^-52 s[0].
/// energy : float
///     Squared Frobenius norm of the matrix, without the means that were removed.
/// bounds : dict
///     What was proven, as in `manifest.json`.
/// unresolved : list of int
///     Columns (from 0) whose singular values coincide with an adjacent one to the working precision.
/// digests : dict
///     Digests of `s` and `V` (docs/format.md).
#[pyclass(frozen, module = "tomobasis", name = "GramFactors")]
pub(crate) struct GramFactors {
    pub svd: CertifiedSvd,
    pub rows: Rows,
}

/// What the rows are whose sums they were.
#[derive(Serialize, Deserialize)]
pub(crate) enum Rows {
    /// Integers of 16 bits, without these means.
    Integers(Option<Centering>),
    /// Any finite floats, without these means.
    Floats(Option<RealCentering>),
}

/// What the bytes of factors begin with.
const FACTORS: &[u8] = b"tomobasis gram factors 3\n";

#[pymethods]
impl GramFactors {
    #[getter]
    fn s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.svd.s.to_pyarray(py)
    }

    #[getter(Vt)]
    fn vt<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
        self.svd.v.clone().reversed_axes().into_pyarray(py)
    }

    #[getter]
    fn rank(&self) -> usize {
        self.svd.rank
    }

    #[getter]
    fn energy(&self) -> f64 {
        self.svd.energy
    }

    #[getter]
    fn bounds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        bounds_of(py, &self.svd.bounds)
    }

    #[getter]
    fn unresolved(&self) -> Vec<usize> {
        self.svd.unresolved.clone()
    }

    #[getter]
    fn digests<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let digests = PyDict::new(py);
        digests.set_item("s", Digest::of_f64(&self.svd.s).to_string())?;
        digests.set_item("V", matrix_digest(&self.svd.v).to_string())?;
        Ok(digests)
    }

    /// `U` of some rows of the matrix, rows x k, float64: each row is computed for itself, so the bits do not depend on which
    /// rows are given together. The rows must be among those that were added.
    #[pyo3(signature = (block, threads=0))]
    fn project<'py>(
        &self,
        block: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = count::threads)] threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let py = block.py();
        let u = with_values(block, |values| {
            let (expected, (_, actual)) = (self.svd.v.nrows(), values.dim());
            if actual != expected {
                return Err(Failure::from(tomobasis_linalg::Error::Columns { expected, actual }).into());
            }
            match &self.rows {
                Rows::Integers(centering) => {
                    stored_only(&values)?;
                    run(py, threads, None, |watch| project(&values, &self.svd, centering.as_ref(), watch))
                }
                Rows::Floats(centering) => run(py, threads, None, |watch| {
                    project_floats(&values, &self.svd, centering.as_ref(), watch)
                }),
            }
        })?;
        Ok(u.into_pyarray(py))
    }

    fn __repr__(&self) -> String {
        format!(
            "<tomobasis.GramFactors of {} columns, {} of them kept>",
            self.svd.v.nrows(),
            self.svd.s.len()
        )
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let this = slf.get();
        let bytes = sealed::seal(FACTORS, &sealed::encode(&(&this.svd, &this.rows))?);
        Ok((slf.get_type().getattr("_from_bytes")?, (PyBytes::new(slf.py(), &bytes),)))
    }

    #[staticmethod]
    fn _from_bytes(#[pyo3(from_py_with = count::bytes)] data: Bound<'_, PyBytes>) -> Result<Self, Failure> {
        let (svd, rows): (CertifiedSvd, Rows) =
            sealed::decode(sealed::open(FACTORS, data.as_bytes(), "Gram factors")?, "Gram factors")?;
        let columns = match &rows {
            Rows::Integers(means) => means.as_ref().map(|means| means.sums.len()),
            Rows::Floats(means) => means.as_ref().map(RealCentering::columns),
        };
        match columns.is_none_or(|columns| columns == svd.v.nrows()) {
            true => Ok(Self { svd, rows }),
            false => {
                Err(Failure::Argument("not the bytes of Gram factors: means of other columns".to_owned()))
            }
        }
    }
}
