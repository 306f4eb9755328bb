//! A folder of a denoised series that is there.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{DenoisedManifest, manifest::FORMAT};
use crate::{
    error::{Error, Result},
    output::dicom::FOLDER,
    progress::Progress,
    result::{FolderNotes, ListedFiles, MANIFEST, check_pixels, folder_of_files, is_sealed, parse_manifest},
};

/// A denoised series on the local file system.
#[derive(Debug)]
pub(in crate::commands) struct DenoisedFolder {
    /// Where its manifest is.
    root: PathBuf,
    /// Where its files are: the folder itself, or the one in it that the manifest names.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: DenoisedManifest,
    /// The bytes that it was read from.
    pub json: Vec<u8>,
}

impl DenoisedFolder {
    /// Whether a manifest is that of a denoised series, of whatever version.
    pub fn is_of(json: &[u8]) -> bool {
        let value = serde_json::from_slice::<Value>(json).unwrap_or_default();
        let format = value.get("format").and_then(Value::as_str);
        format.is_some_and(|format| format.starts_with("tomobasis denoised "))
    }

    /// The folder at `path`, whose manifest has these bytes.
    ///
    /// # Errors
    /// [`Error::ResultFile`] for a manifest of another format.
    pub fn of_manifest(path: &Path, json: Vec<u8>) -> Result<Self> {
        let manifest: DenoisedManifest = parse_manifest(&json)?;
        if manifest.format != FORMAT {
            let problem = format!("the format is {:?}; this version reads {FORMAT:?}", manifest.format);
            return Err(Error::result_file(MANIFEST, problem));
        }
        let files = folder_of_files(path, manifest.folder())?;
        Ok(Self { root: path.to_owned(), path: files, manifest, json })
    }

    /// Checks the manifest's seal.
    ///
    /// # Errors
    /// [`Error::Differs`].
    pub fn check_seal(&self) -> Result<()> {
        let problem = match self.manifest.run.manifest_sha256 {
            None => "run.manifest_sha256 is missing",
            Some(seal) if !is_sealed(&self.json, seal) => {
                "its seal (run.manifest_sha256) is not that of its bytes, so it was changed"
            }
            Some(_) => return Ok(()),
        };
        Err(Error::Differs(format!("{MANIFEST}: {problem}")))
    }

    /// Files that the manifest lists.
    pub fn listed(&self) -> usize {
        self.manifest.listed_files().count()
    }

    /// Compares the folder's files with the manifest's list, and the pixels of its slices with their digest, on the current thread
    /// pool.
    ///
    /// # Errors
    /// [`Error::Differs`] naming what is missing or different, [`Error::System`].
    pub fn check(&self, progress: &dyn Progress) -> Result<FolderNotes> {
        let DenoisedManifest { files, run, .. } = &self.manifest;
        let report = run.report.as_ref();
        let notes = ListedFiles { root: &self.root, path: &self.path, files, report }.check(progress)?;
        check_pixels(&self.path, FOLDER, self.manifest.digests.denoised)?;
        Ok(notes)
    }
}
