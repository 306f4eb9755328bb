//! The list of files and the seal of a manifest.

use serde::Serialize;

use super::{FileEntry, Manifest};
use crate::{
    error::{Error, Result},
    output::NamedFile,
    solve::digest::Digest,
};

impl Manifest {
    /// All files that the manifest lists, the report among them; `None` where it lists none, as those of earlier versions.
    #[must_use]
    pub fn listed_files(&self) -> Option<impl Iterator<Item = &FileEntry>> {
        Some(self.files.as_ref()?.iter().chain(&self.run.report))
    }

    /// The manifest's bytes, with `report` listed and sealed: the seal is the digest of these bytes with zeros for its own digits.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub(super) fn seal(&mut self, report: Option<&NamedFile>) -> Result<Vec<u8>> {
        self.run.report = report.map(FileEntry::of);
        sealed(self, |manifest| &mut manifest.run.manifest_sha256)
    }

    /// Whether the seal is that of these bytes, which this manifest was read from; `None` without one.
    pub(super) fn is_sealed(&self, bytes: &[u8]) -> Option<bool> {
        Some(is_sealed(bytes, self.run.manifest_sha256?))
    }
}

/// Whether `seal` is that of a manifest's bytes.
pub(crate) fn is_sealed(bytes: &[u8], seal: Digest) -> bool {
    let (digits, zeros) = (seal.to_string(), NO_SEAL.to_string());
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    // Digits that stand elsewhere too are no seal: they cannot be those of a digest of themselves.
    Digest::of([text.replacen(&digits, &zeros, 1).as_bytes()]) == seal
}

/// The bytes of a manifest whose seal is at `place`, with it.
///
/// # Errors
/// [`Error::Internal`] when it cannot be written as JSON.
pub(crate) fn sealed<T: Serialize>(
    manifest: &mut T,
    place: impl Fn(&mut T) -> &mut Option<Digest>,
) -> Result<Vec<u8>> {
    *place(manifest) = Some(NO_SEAL);
    *place(manifest) = Some(Digest::of([to_json(manifest)?.as_slice()]));
    to_json(manifest)
}

fn to_json(manifest: &impl Serialize) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(manifest).map_err(|error| Error::Internal(error.to_string()))?;
    json.push(b'\n');
    Ok(json)
}

/// What stands for the seal while it is computed.
const NO_SEAL: Digest = Digest([0; 32]);
