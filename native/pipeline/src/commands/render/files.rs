//! Writing pictures: never half of one, and none that exists unless that is asked for.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
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
pub(super) fn write(folder: &Path, made: &NamedFile) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(Error::OutputNotWritable)?;
    let path = folder.join(&made.path);
    // Under another name first: what stops here leaves no half picture, nor the old one cut.
    let partial = partial(&path);
    let written = fs::write(&partial, &made.bytes).and_then(|()| fs::rename(&partial, &path));
    written.map_err(|source| {
        let _ = fs::remove_file(&partial);
        Error::Write { file: made.path.clone(), source }
    })?;
    Ok(path)
}

fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp"))
}

/// A picture that is written piece by piece, under another name until it is whole.
pub(super) struct PartialFile {
    path: PathBuf,
    whole: bool,
}

impl PartialFile {
    /// Begins it; what is written goes to the second.
    pub(super) fn create(folder: &Path, name: &str) -> Result<(Self, BufWriter<File>)> {
        fs::create_dir_all(folder).map_err(Error::OutputNotWritable)?;
        let path = folder.join(name);
        let file =
            File::create(partial(&path)).map_err(|source| Error::Write { file: name.to_owned(), source })?;
        Ok((Self { path, whole: false }, BufWriter::new(file)))
    }

    /// Gives it its name, once all is written.
    pub(super) fn finish(mut self) -> Result<PathBuf> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fs::rename(partial(&self.path), &self.path).map_err(|source| Error::Write { file: name, source })?;
        self.whole = true;
        Ok(self.path.clone())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.whole {
            let _ = fs::remove_file(partial(&self.path));
        }
    }
}
