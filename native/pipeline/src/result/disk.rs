//! Files of a result on the local file system: read, measured, hashed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use super::names::MANIFEST;
use crate::{error::Error, output::FileDigest, solve::digest::Digest};

/// Bytes that no manifest has: of 4 million row blocks it has fewer.
const LONGEST_MANIFEST: u64 = 1 << 30;
/// Bytes read at a time.
const BUFFER: usize = 1 << 18;

/// The bytes of a folder's manifest: of a file, and no more than any manifest has.
pub(super) fn read_manifest(folder: &Path) -> io::Result<Vec<u8>> {
    let path = folder.join(MANIFEST);
    let found = fs::metadata(&path)?;
    if !found.is_file() || found.len() > LONGEST_MANIFEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file of a manifest's size"));
    }
    fs::read(path)
}

/// What is wrong with a file, `listed` in the manifest with its content; derived DICOM, listed without, is compared with what the
/// input gives.
pub(super) fn problem_with(path: &Path, listed: Option<FileDigest>) -> io::Result<Option<String>> {
    let problem = size_problem(&fs::metadata(path)?, listed.map(|listed| listed.bytes));
    let (Some(listed), None) = (listed, &problem) else { return Ok(problem) };
    let found = digest_of(path)?;
    let differs = || {
        format!("its SHA-256 is {}..., the manifest lists {}...", found.sha256.short(), listed.sha256.short())
    };
    Ok((found != listed).then(differs))
}

/// What is wrong with what a path leads to before it is read: a FIFO or a device may never end.
pub(super) fn size_problem(found: &fs::Metadata, listed: Option<u64>) -> Option<String> {
    if !found.is_file() {
        return Some("it is not a file".to_owned());
    }
    let listed = listed.filter(|listed| *listed != found.len())?;
    Some(format!("it has {} bytes, the manifest lists {listed}", found.len()))
}

/// The error for a part of a result that cannot be read.
pub(super) fn unreadable(file: &str, source: io::Error) -> Error {
    Error::reading(file, source, |source| Error::Differs(format!("{file}: cannot be read ({source})")))
}

/// Size and digest of a file.
pub(crate) fn digest_of(path: &Path) -> io::Result<FileDigest> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(FileDigest { bytes, sha256: Digest(hash.finalize().into()) }),
            read => {
                hash.update(buffer.get(..read).unwrap_or_default());
                bytes += read as u64;
            }
        }
    }
}
