//! Series whose slices and row blocks the tasks of some engine share: planned once, decoded and projected anywhere, with the
//! digests of `tomobasis decompose`.

use std::sync::{Arc, OnceLock};

use ndarray::{Array2, ArrayView2, Axis};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods, ToPyArray,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict},
};
use serde_json::json;
use tomobasis_dicom::{SeriesPlan, SliceRecord};
use tomobasis_linalg::{Projector, Rescale, SvdView, check_machine};
use tomobasis_pipeline::{
    commands::slices as planned,
    solve::{
        Decomposition,
        digest::{BasisDigests, Digest},
    },
};

use crate::{
    count,
    factors::bounds_of,
    failure::Failure,
    running::{run, run_alone},
    scans::options,
    sealed,
    sums::GramState,
};

fn plan_of(text: &str) -> Result<SeriesPlan, Failure> {
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

/// A series whose `s` and `V` are known, and what gives `U` of its row blocks.
#[pyclass(frozen, module = "tomobasis._native")]
pub(crate) struct Solved {
    decomposition: Arc<Decomposition>,
    projector: OnceLock<Projector>,
}

/// What its bytes begin with.
const SOLVED: &[u8] = b"tomobasis solved series 1\n";

impl Solved {
    fn of(decomposition: Decomposition) -> Self {
        Self { decomposition: Arc::new(decomposition), projector: OnceLock::new() }
    }

    fn projector(&self) -> Result<&Projector, Failure> {
        if let Some(projector) = self.projector.get() {
            return Ok(projector);
        }
        let Decomposition { plan, s, v, factors, .. } = &*self.decomposition;
        let (n, k) = (plan.slices.len(), s.len());
        let internal = |why: &str| Failure::from(tomobasis_pipeline::Error::Internal(why.to_owned()));
        let factors = factors.certified().ok_or_else(|| internal("a decomposition of another class"))?;
        let matrix =
            |values| ArrayView2::from_shape((n, k), values).map_err(|error| internal(&error.to_string()));
        let svd =
            SvdView { s, v: matrix(v)?, v_low: matrix(&factors.v_low)?, compensated: &factors.compensated };
        let rescales: Vec<_> = plan
            .slices
            .iter()
            .map(|slice| Rescale { slope: slice.slope, intercept: slice.intercept, offset: slice.offset })
            .collect();
        let projector = Projector::centered(svd, &rescales, factors.stored_centering())?;
        Ok(self.projector.get_or_init(|| projector))
    }
}

#[pymethods]
impl Solved {
    /// From the exact sums of all pixels, and the records of all slices, in series order.
    #[staticmethod]
    #[pyo3(signature = (arguments, plan, sums, records, threads))]
    fn compute(
        py: Python<'_>,
        arguments: Vec<String>,
        plan: &str,
        sums: &Bound<'_, GramState>,
        records: Vec<Vec<u8>>,
        #[pyo3(from_py_with = count::threads)] threads: usize,
    ) -> PyResult<Self> {
        let (options, plan) = (options(&arguments)?, plan_of(plan)?);
        let records: Option<Vec<SliceRecord>> =
            records.iter().map(|bytes| SliceRecord::from_bytes(bytes.as_slice().try_into().ok()?)).collect();
        let records = records.ok_or_else(|| Failure::Argument("records: not those of slices".to_owned()))?;
        let sums = sums.get().sums().clone();
        run(py, threads, None, |_| {
            check_machine()?;
            let threads = rayon::current_num_threads();
            Ok(Self::of(Decomposition::compute(plan, options, &sums, &records, threads)?))
        })
    }

    #[getter]
    fn s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.decomposition.s.to_pyarray(py)
    }

    #[getter(Vt)]
    fn vt<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let shape = [self.decomposition.columns(), self.decomposition.rank()];
        self.decomposition.v.to_pyarray(py).reshape(shape)?.transpose()
    }

    /// Numerical rank, squared Frobenius norm, proven bounds, what coincides, what is to be told.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = &self.decomposition;
        let facts = PyDict::new(py);
        facts.set_item("rank", found.numerical_rank)?;
        facts.set_item("energy", found.energy)?;
        facts.set_item("unresolved", found.factors.unresolved())?;
        if let Some(factors) = found.factors.certified() {
            facts.set_item("bounds", bounds_of(py, &factors.bounds)?)?;
        }
        let notes = found.plan.left_out.iter().chain(&found.plan.warnings).chain(&found.notes);
        facts.set_item("notes", notes.map(|note| note.text.as_str()).collect::<Vec<_>>())?;
        Ok(facts)
    }

    /// `U` of the stored pixels of a row block, slices x pixels: pixels x k, and its digest.
    fn basis<'py>(
        &self,
        py: Python<'py>,
        stored: PyReadonlyArray2<'py, i16>,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyBytes>)> {
        if stored.shape()[0] != self.decomposition.columns() {
            let text = "a row block that is not of all slices of the series";
            return Err(Failure::Argument(text.to_owned()).into());
        }
        let values = stored.as_array();
        let (u, digest) = py.detach(|| {
            check_machine()?;
            let projector = self.projector()?;
            let mut u = Array2::zeros((values.len_of(Axis(1)), projector.rank()));
            let t = projector.project(values.reversed_axes())?;
            projector.basis_into(t.view(), u.view_mut())?;
            let digest = Digest::of_f64(u.as_slice().unwrap_or_default());
            Ok::<_, Failure>((u, digest))
        })?;
        Ok((u.into_pyarray(py), PyBytes::new(py, &digest.0)))
    }

    /// All digests of the result, from those of the row blocks.
    fn digests<'py>(&self, py: Python<'py>, blocks: Vec<[u8; 32]>) -> PyResult<Bound<'py, PyDict>> {
        let basis = BasisDigests::new(blocks.into_iter().map(Digest).collect());
        let basis = basis.filter(|basis| basis.blocks.len() == self.decomposition.blocks() as usize);
        let basis = basis.ok_or_else(|| Failure::Argument("blocks: not all of the series".to_owned()))?;
        let found = self.decomposition.digests(basis);
        let all = PyDict::new(py);
        for (name, digest) in [
            ("pixels", found.pixels),
            ("s", found.s),
            ("V", found.v),
            ("U", found.u.root),
            ("root", found.root),
        ] {
            all.set_item(name, digest.to_string())?;
        }
        Ok(all)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = slf.get().decomposition.to_bytes().map_err(Failure::from)?;
        let bytes = PyBytes::new(slf.py(), &sealed::seal(SOLVED, &bytes));
        Ok((slf.get_type().getattr("_from_bytes")?, (bytes,)))
    }

    #[staticmethod]
    fn _from_bytes(data: &[u8]) -> Result<Self, Failure> {
        let bytes = sealed::open(SOLVED, data, "a solved series")?;
        Ok(Self::of(Decomposition::from_bytes(bytes)?))
    }
}
