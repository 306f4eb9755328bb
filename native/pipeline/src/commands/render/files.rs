//! Writing pictures into the folder in which they are staged, and none that exists unless that is asked for.

use std::{
    fs::{self, File},
    io::{BufWriter, ErrorKind},
    path::Path,
};

use crate::{
    error::{Error, Result},
    output::NamedFile,
};

/// Pictures are replaced on request only; nothing else in the folder is touched.
pub(super) fn refuse_existing(output: &Path, names: &[String], overwrite: bool) -> Result<()> {
    if !overwrite && names.iter().any(|name| output.join(name).exists()) {
        return Err(Error::OutputExists);
    }
    Ok(())
}

/// Writes a picture that is in memory.
pub(super) fn write(folder: &Path, made: &NamedFile) -> Result<()> {
    fs::write(folder.join(&made.path), &made.bytes)
        .map_err(|source| Error::Write { file: made.path.clone(), source })
}

/// Begins a picture that is written piece by piece.
pub(super) fn create(folder: &Path, name: &str) -> Result<BufWriter<File>> {
    let file = File::create(folder.join(name));
    file.map(BufWriter::new).map_err(|source| Error::Write { file: name.to_owned(), source })
}

/// Makes a folder in the one in which pictures are staged; that itself is never made again: it may have been removed, since the process is
/// to stop.
pub(super) fn make(folder: &Path) -> Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::OutputNotWritable(error)),
        _ => Ok(()),
    }
}
