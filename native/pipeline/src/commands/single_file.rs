//! A file that a command writes as a whole, where the user names one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    input::listing::local_path,
    result::{StagedFiles, refuse_inside_a_result},
};

const EXISTS: &str = "it exists already; name another file or add --overwrite";

/// A file to be written. Interrupted, the command leaves nothing of it.
#[derive(Debug)]
pub(super) struct SingleFile {
    option: &'static str,
    path: PathBuf,
    overwrite: bool,
}

impl SingleFile {
    /// The local file that an option names.
    ///
    /// # Errors
    /// [`Error::Option`] for a place that cannot be used: none that is local, in a result, a folder, in no folder, or a file without
    /// `overwrite`.
    pub fn new(option: &'static str, path: &str, overwrite: bool) -> Result<Self> {
        let path = local_path(option, path)?;
        refuse_inside_a_result(option, &path)?;
        let file = Self { option, path, overwrite };
        let problem = if file.path.is_dir() || file.path.file_name().is_none() {
            "it is a folder; name a file"
        } else if !file.folder().is_dir() {
            "there is no such folder; make it first"
        } else if file.path.exists() && !overwrite {
            EXISTS
        } else {
            return Ok(file);
        };
        Err(Error::option(option, problem))
    }

    /// The folder that it is in.
    pub fn folder(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`Error::Write`], and [`Error::Option`] for a file that has come there meanwhile.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        let failed = |source| Error::Write { file: self.option.to_owned(), source };
        let of_file = |error: Error| match error {
            Error::OutputNotWritable(source) => failed(source),
            Error::OutputExists => Error::option(self.option, EXISTS),
            other => other,
        };
        let staged = StagedFiles::create(self.folder()).map_err(of_file)?;
        let name = self.path.file_name().unwrap_or_default();
        fs::write(staged.folder().join(name), bytes).map_err(failed)?;
        staged.commit(self.overwrite).map_err(of_file).map(|_| ())
    }
}
