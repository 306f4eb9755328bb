//! A series whose `s` and `V` are known, and what its row blocks become in tasks of some engine, with the bytes of `tomobasis
//! decompose`.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods, ToPyArray};
use pyo3::{
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyDict},
};
use tomobasis_dicom::SliceRecord;
use tomobasis_linalg::check_machine;
use tomobasis_pipeline::{
    Error,
    blocks::{BlockRenderer, CompositeRenderer, CompositeScratch, Scratch},
    commands::slices as planned,
    input::Numbers,
    need,
    output::{FileDigest, dicom::DerivedRecord},
    solve::{
        Decomposition, check_broadcast,
        digest::{BasisDigests, Digest},
        passes::{BlockPartials, BlockPass, PassDriver},
    },
};

use crate::{
    count,
    factors::bounds_of,
    failure::Failure,
    running::{run, run_alone},
    scans::options,
    sealed,
    series::plan_of,
    sums::GramState,
};

thread_local! {
    /// Buffers of the worker, which live from block to block.
    static SCRATCH: RefCell<(Scratch, CompositeScratch)> = RefCell::default();
}

/// Records of slices, one after the other.
fn records_of(bytes: &[u8]) -> Result<Vec<SliceRecord>, Failure> {
    let records = match bytes.as_chunks() {
        (records, []) => records.iter().map(SliceRecord::from_bytes).collect(),
        _ => None,
    };
    records.ok_or_else(|| Failure::Argument("records: not those of slices".to_owned()))
}

/// The stored pixels of a row block, slice-major, and its rows.
fn values_of<'a>(
    stored: &'a PyReadonlyArray2<'_, i16>,
    slices: usize,
) -> Result<(&'a [i16], usize), Failure> {
    if stored.shape()[0] != slices {
        return Err(Failure::Argument("a row block that is not of all slices of the series".to_owned()));
    }
    let values = stored.as_slice().map_err(|error| Failure::Argument(error.to_string()))?;
    Ok((values, stored.shape()[1]))
}

fn pieces<'py>(py: Python<'py>, file: &[&[u8]]) -> Vec<Bound<'py, PyBytes>> {
    file.iter().map(|piece| PyBytes::new(py, piece)).collect()
}

/// A file's path and pieces.
type File<'py> = (String, Vec<Bound<'py, PyBytes>>);

/// The files of a row block, its record for the manifest, and its part of the pictures.
type Rendered<'py> = (Vec<File<'py>>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// A file of derived DICOM: its path, its content, size and digest of that, the records of its slices.
type Derived<'py> = (String, Bound<'py, PyBytes>, (u64, Bound<'py, PyBytes>), Bound<'py, PyBytes>);

/// A series whose `s` and `V` are known, and what gives `U` of its row blocks.
#[pyclass(frozen, module = "tomobasis._native")]
pub(crate) struct Solved {
    pub(crate) decomposition: Arc<Decomposition>,
    renderer: OnceLock<BlockRenderer>,
}

/// What its bytes begin with.
const SOLVED: &[u8] = b"tomobasis solved series 2\n";

impl Solved {
    fn of(decomposition: Decomposition) -> Self {
        Self { decomposition: Arc::new(decomposition), renderer: OnceLock::new() }
    }

    fn renderer(&self) -> Result<&BlockRenderer, Failure> {
        if let Some(renderer) = self.renderer.get() {
            return Ok(renderer);
        }
        check_machine()?;
        // Composites for derived DICOM are rendered by themselves.
        let renderer = BlockRenderer::with_composites(self.decomposition.clone(), 0)?;
        Ok(self.renderer.get_or_init(|| renderer))
    }

    fn composite(&self, place: usize) -> Result<CompositeRenderer, Failure> {
        Ok(CompositeRenderer::new(self.decomposition.clone(), place..place + 1)?)
    }

    /// A row block of this series, whose slices have the pixels that were read first.
    fn checked<'a>(
        &self,
        stored: &'a PyReadonlyArray2<'_, i16>,
        records: &[u8],
    ) -> Result<(&'a [i16], usize), Failure> {
        let values = values_of(stored, self.decomposition.columns())?;
        self.decomposition.check_pixels(&records_of(records)?)?;
        Ok(values)
    }
}

#[pymethods]
impl Solved {
    /// From the exact sums of all pixels, and the records of all slices, in series order; of each reading, where there were several.
    #[staticmethod]
    #[pyo3(signature = (arguments, plan, sums, records, threads))]
    fn compute(
        py: Python<'_>,
        arguments: Vec<String>,
        plan: &str,
        sums: &Bound<'_, GramState>,
        records: &[u8],
        #[pyo3(from_py_with = count::threads)] threads: usize,
    ) -> PyResult<Self> {
        let (options, plan, records) = (options(&arguments)?, plan_of(plan)?, records_of(records)?);
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

    /// Composites that derived DICOM is written of.
    #[getter]
    fn composites(&self) -> usize {
        self.decomposition.composites.len()
    }

    /// Bytes that rendering a row block takes, which are more than what comes of it.
    #[getter]
    fn block_bytes(&self) -> usize {
        need::of_block(&self.decomposition)
    }

    /// Numerical rank, squared Frobenius norm, proven bounds, what coincides, what is to be told.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = &self.decomposition;
        let facts = PyDict::new(py);
        facts.set_item("rank", found.numerical_rank)?;
        facts.set_item("energy", found.energy)?;
        facts.set_item("unresolved", found.factors.unresolved())?;
        let bounds = found.factors.certified().map(|factors| bounds_of(py, &factors.bounds)).transpose()?;
        facts.set_item("bounds", bounds.unwrap_or_else(|| PyDict::new(py).into_any()))?;
        let notes = found.plan.left_out.iter().chain(&found.plan.warnings).chain(&found.notes);
        facts.set_item("notes", notes.map(|note| note.text.as_str()).collect::<Vec<_>>())?;
        Ok(facts)
    }

    /// `U` of the stored pixels of a row block, slices x pixels, and the records of its slices: pixels x k, and its digest.
    fn basis<'py>(
        &self,
        py: Python<'py>,
        block: u32,
        stored: PyReadonlyArray2<'py, i16>,
        records: &[u8],
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyBytes>)> {
        let (values, rows) = self.checked(&stored, records)?;
        let renderer = self.renderer()?;
        SCRATCH.with_borrow_mut(|(scratch, _)| {
            let found = py.detach(move || renderer.basis(scratch, block, values, rows));
            let (u, record) = found.map_err(Failure::from)?;
            let u = u.to_pyarray(py).reshape([rows, self.decomposition.rank()])?;
            Ok((u, PyBytes::new(py, &record.digest.0)))
        })
    }

    /// What the same row block is in a result folder.
    fn render<'py>(
        &self,
        py: Python<'py>,
        block: u32,
        stored: PyReadonlyArray2<'py, i16>,
        records: &[u8],
    ) -> PyResult<Rendered<'py>> {
        let (values, rows) = self.checked(&stored, records)?;
        let renderer = self.renderer()?;
        SCRATCH.with_borrow_mut(|(scratch, _)| {
            let rendered = py.detach(move || renderer.render(scratch, block, values, rows, &[0]));
            let rendered = rendered.map_err(Failure::from)?;
            let files = rendered.files().map(|(path, file)| (path, pieces(py, file))).collect();
            let record = PyBytes::new(py, &rendered.record.to_bytes());
            Ok((files, record, PyBytes::new(py, &rendered.bands)))
        })
    }

    /// The runs of slices that derived DICOM is written of, each of at least `least` slices: the first place of each.
    fn runs(&self, least: usize) -> Vec<usize> {
        planned::runs_of_files(&self.decomposition.plan, least)
    }

    /// The same row block of the composite at place `composite`, for each run of slices.
    fn bands<'py>(
        &self,
        py: Python<'py>,
        composite: usize,
        block: u32,
        stored: PyReadonlyArray2<'py, i16>,
        records: &[u8],
        starts: Vec<usize>,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let (values, rows) = self.checked(&stored, records)?;
        let bands = SCRATCH.with_borrow_mut(|(_, scratch)| {
            py.detach(|| {
                check_machine()?;
                let renderer = self.composite(composite)?;
                let bands = renderer.render(scratch, block, values, rows, &starts)?;
                bands.iter().map(|band| Ok(band.to_bytes()?)).collect::<Result<Vec<Vec<u8>>, Failure>>()
            })
        })?;
        Ok(bands.iter().map(|band| PyBytes::new(py, band)).collect())
    }

    /// The files of derived DICOM of the slices from place `first`, before `end`, from their bands of all row blocks.
    fn derive<'py>(
        &self,
        py: Python<'py>,
        arguments: Vec<String>,
        composite: usize,
        run: (usize, usize),
        bands: Vec<PyBackedBytes>,
    ) -> PyResult<Vec<Derived<'py>>> {
        let options = options(&arguments)?;
        let renderer = self.composite(composite)?;
        let files = run_alone(py, None, |_| {
            let bands: Vec<&[u8]> = bands.iter().map(AsRef::as_ref).collect();
            Ok(planned::derive(&options, renderer.composites(), run.0..run.1, &bands, 1)?)
        })?;
        let files = files.into_iter().map(|made| {
            let digest = FileDigest::of(&[&made.file.bytes]);
            let records: Vec<u8> = made.records.iter().flat_map(DerivedRecord::to_bytes).collect();
            let content = PyBytes::new(py, &made.file.bytes);
            let digest = (digest.bytes, PyBytes::new(py, &digest.sha256.0));
            (made.file.path, content, digest, PyBytes::new(py, &records))
        });
        Ok(files.collect())
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

    /// What tasks make it of; an error for more than `most` bytes.
    fn to_bytes<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| {
            let bytes = self.decomposition.to_bytes()?;
            check_broadcast(bytes.len(), most)?;
            Ok::<_, Failure>(sealed::seal(SOLVED, &bytes))
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[staticmethod]
    fn from_bytes(data: &[u8]) -> Result<Self, Failure> {
        let bytes = sealed::open(SOLVED, data, "a solved series")?;
        Ok(Self::of(Decomposition::from_bytes(bytes)?))
    }
}

/// A decomposition of class `fixed` under way: passes over all row blocks.
#[pyclass(frozen, module = "tomobasis._native")]
pub(crate) struct Passes(Mutex<Option<PassDriver>>);

impl Passes {
    fn with<T>(&self, work: impl FnOnce(&mut PassDriver) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut driver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(driver.as_mut().ok_or_else(finished)?)
    }
}

fn finished() -> Failure {
    Error::Internal("the passes are finished".to_owned()).into()
}

#[pymethods]
impl Passes {
    #[new]
    fn new(arguments: Vec<String>, plan: &str) -> Result<Self, Failure> {
        let driver = PassDriver::new(plan_of(plan)?, options(&arguments)?, Numbers::Stored)?;
        Ok(Self(Mutex::new(Some(driver))))
    }

    /// What tasks make the next pass of, at most `most` bytes; none after the last.
    fn pass_bytes<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let bytes = self.with(|driver| {
            let Some(pass) = driver.pass() else { return Ok(None) };
            let bytes = pass.to_bytes()?;
            check_broadcast(bytes.len(), most)?;
            Ok(Some(bytes))
        })?;
        Ok(bytes.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// Adds what the pass found in all row blocks, and goes on to the next.
    fn add(
        &self,
        py: Python<'_>,
        found: Vec<Vec<u8>>,
        #[pyo3(from_py_with = count::threads)] threads: usize,
    ) -> PyResult<()> {
        run(py, threads, None, |_| {
            let threads = rayon::current_num_threads();
            self.with(|driver| Ok(driver.add_bytes(&found, threads)?))
        })
    }

    /// After the last pass; `records` as for `Solved.compute`.
    fn finish(&self, py: Python<'_>, records: &[u8]) -> PyResult<Solved> {
        let records = records_of(records)?;
        let driver = self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(finished)?;
        run(py, 1, None, |_| Ok(Solved::of(driver.finish(&records)?)))
    }
}

/// A pass, and what it found in the row blocks of a partition.
#[pyclass(frozen, module = "tomobasis._native")]
pub(crate) struct PartialPass {
    pass: BlockPass<'static>,
    /// With a buffer for values in HU.
    found: Mutex<(BlockPartials, Vec<f64>)>,
}

#[pymethods]
impl PartialPass {
    #[new]
    fn new(data: &[u8]) -> Result<Self, Failure> {
        Ok(Self { pass: BlockPass::from_bytes(data)?, found: Mutex::default() })
    }

    /// Adds a row block, slices x pixels.
    fn add(&self, py: Python<'_>, block: u32, stored: PyReadonlyArray2<'_, i16>) -> PyResult<()> {
        let (values, rows) = values_of(&stored, stored.shape()[0])?;
        py.detach(|| {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            let (partials, hu) = &mut *found;
            Ok::<_, Failure>(partials.add(self.pass.block(block, values, rows, hu)?)?)
        })?;
        Ok(())
    }

    /// What was found.
    fn take<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        PyBytes::new(py, &std::mem::take(&mut found.0).into_bytes())
    }
}
