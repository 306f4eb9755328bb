//! A result folder of files that tasks of some engine made.

use std::sync::{Mutex, PoisonError};

use pyo3::{prelude::*, pybacked::PyBackedBytes};
use tomobasis_pipeline::{
    Error,
    commands::gathered::{Arrived, GatheredResult},
    output::FileDigest,
    progress::Progress,
    result::Environment,
    solve::digest::Digest,
};

use crate::{count, failure::Failure, running::run_alone, scans::options, solved::Solved};

/// A file as it arrives: its path, and its pieces.
type File = (String, Vec<PyBackedBytes>);

/// A result folder in the making; nothing is left of it without `finish`.
#[pyclass(frozen, module = "tomobasis._native")]
pub(crate) struct GatheredFolder(Mutex<Option<GatheredResult>>);

impl GatheredFolder {
    fn with<T>(&self, work: impl FnOnce(&mut GatheredResult) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(made.as_mut().ok_or_else(gone)?)
    }

    fn take(&self) -> Option<GatheredResult> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn gone() -> Failure {
    Error::Internal("the folder is finished".to_owned()).into()
}

#[pymethods]
impl GatheredFolder {
    /// Checks the output, and makes the folder to write into.
    #[new]
    fn new(py: Python<'_>, arguments: Vec<String>) -> PyResult<Self> {
        let options = options(&arguments)?;
        let made = run_alone(py, None, |watch| {
            let made = GatheredResult::create(&options)?;
            made.notes().iter().for_each(|note| watch.message(note));
            Ok(made)
        })?;
        Ok(Self(Mutex::new(Some(made))))
    }

    /// Writes the files of a row block: what `Solved.render` returned.
    fn add_block(&self, py: Python<'_>, record: &[u8], files: Vec<File>, bands: Vec<u8>) -> PyResult<()> {
        py.detach(|| {
            let pieces: Vec<Vec<&[u8]>> =
                files.iter().map(|(_, pieces)| pieces.iter().map(AsRef::as_ref).collect()).collect();
            let files: Vec<Arrived<'_>> = files
                .iter()
                .zip(&pieces)
                .map(|((path, _), pieces)| (path.as_str(), pieces.as_slice()))
                .collect();
            self.with(|made| Ok(made.add_block(record, &files, bands)?))
        })?;
        Ok(())
    }

    /// Writes a file of derived DICOM: what `Solved.derive` returned, in pieces.
    fn add_derived(
        &self,
        py: Python<'_>,
        file: File,
        digest: (u64, [u8; 32]),
        records: &[u8],
    ) -> PyResult<()> {
        py.detach(|| {
            let (path, pieces) = &file;
            let pieces: Vec<&[u8]> = pieces.iter().map(AsRef::as_ref).collect();
            let digest = FileDigest { bytes: digest.0, sha256: Digest(digest.1) };
            self.with(|made| Ok(made.add_derived((path, &pieces), digest, records)?))
        })?;
        Ok(())
    }

    /// Writes what is left, and gives the folder its name; `environment` is what the manifest says of the run, as JSON. Returns the
    /// digests of the row blocks.
    fn finish(
        &self,
        py: Python<'_>,
        solved: &Bound<'_, Solved>,
        environment: &str,
        #[pyo3(from_py_with = count::threads)] threads: usize,
    ) -> PyResult<Vec<[u8; 32]>> {
        let environment: Environment = serde_json::from_str(environment)
            .map_err(|error| Failure::Argument(format!("environment: {error}")))?;
        let decomposition = solved.get().decomposition.clone();
        let made = self.take().ok_or_else(gone)?;
        run_alone(py, None, |watch| {
            let made = made.finish(&decomposition, environment, threads, watch)?;
            made.note.iter().for_each(|note| watch.message(note));
            Ok(made.manifest.digests.u.blocks.iter().map(|digest| digest.0).collect())
        })
    }

    /// Removes what was written.
    fn abandon(&self, py: Python<'_>) {
        py.detach(|| drop(self.take()));
    }
}
