//! A file that was made, and what its bytes are known by.

use serde::{Deserialize, Serialize};

use crate::solve::digest::Digest;

/// A file of a result folder, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Path relative to the result folder, `/` between its parts.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Size and digest of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Size.
    pub bytes: u64,
    /// Digest of all its bytes.
    pub sha256: Digest,
}

impl FileDigest {
    /// Of a file that is given in pieces.
    #[must_use]
    pub fn of(pieces: &[&[u8]]) -> Self {
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { bytes, sha256: Digest::of(pieces.iter().copied()) }
    }
}
