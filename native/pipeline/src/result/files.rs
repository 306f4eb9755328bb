//! The files of a result, as the manifest lists them: path, size, SHA-256.
//!
//! Digests are taken where the bytes are made, so that what happens to them on their way into the folder is seen. The manifest
//! cannot list itself, its seal is over its own bytes; the report is listed in the section `run`, since its text holds times.
//! Derived DICOM is listed by path alone: a digest of a header would let who has the pixels try out names (`docs/security.md`).

use serde::{Deserialize, Serialize};

use crate::{
    blocks::renderer::BlockRecord,
    error::{Error, Result},
    options::Emit,
    output::{FileDigest, NamedFile, dicom, drm, tables, text},
    solve::{decomposition::Decomposition, digest::Digest},
};

/// A file of a result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path relative to where the files are, `/` between its parts.
    pub path: String,
    /// Size; absent for derived DICOM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Digest of all its bytes; absent for derived DICOM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

impl FileEntry {
    fn new(path: String, content: FileDigest) -> Self {
        Self { path, bytes: Some(content.bytes), sha256: Some(content.sha256) }
    }

    /// Of a file in memory.
    pub(crate) fn of(file: &NamedFile) -> Self {
        Self::new(file.path.clone(), FileDigest::of(&[&file.bytes]))
    }

    /// Size and digest, where they are listed.
    #[must_use]
    pub fn content(&self) -> Option<FileDigest> {
        Some(FileDigest { bytes: self.bytes?, sha256: self.sha256? })
    }
}

/// Lists all files of a result but manifest, report and `_SUCCESS`, by path; `made` are those that no task wrote.
///
/// # Errors
/// [`Error::Protocol`] when a block's file was not made though it is asked for.
pub(super) fn list<'a>(
    decomposition: &Decomposition,
    records: &[BlockRecord],
    made: impl Iterator<Item = &'a NamedFile>,
) -> Result<Vec<FileEntry>> {
    let mut files: Vec<FileEntry> = made.map(FileEntry::of).collect();
    for record in records {
        let missing = || Error::Protocol(format!("the file of block {} was not written", record.block));
        if decomposition.options.emits(Emit::Parquet) {
            let content = record.table.ok_or_else(missing)?;
            files.push(FileEntry::new(tables::basis_name(record.block), content));
        }
        if decomposition.options.emits(Emit::Text) {
            let content = record.text.ok_or_else(missing)?;
            files.push(FileEntry::new(text::basis_name(record.block), content));
        }
        if decomposition.options.emits(Emit::Drm) {
            let content = record.drm.ok_or_else(missing)?;
            files.push(FileEntry::new(drm::basis_name(record.block), content));
        }
    }
    if decomposition.options.emits(Emit::Dicom) {
        let by_file = decomposition.plan.slices_by_file();
        let names = decomposition
            .composites
            .iter()
            .flat_map(|&k| by_file.iter().map(move |slices| dicom::file_name(k, slices)));
        files.extend(names.map(|path| FileEntry { path, bytes: None, sha256: None }));
    }
    files.sort();
    // A retry brings its block twice.
    files.dedup();
    Ok(files)
}
