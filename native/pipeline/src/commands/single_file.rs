//! A file that a command writes as a whole, where the user names one.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    input::listing::local_path,
    result::{StagedFiles, refuse_inside_a_result},
};

const EXISTS: &str = "it exists already; name another file or add --overwrite";
const OTHER: &str = "it exists and is none of the files that this command writes, so --overwrite will not replace it; name another file";

/// A file to be written. Interrupted, the command leaves nothing of it.
#[derive(Debug)]
pub(super) struct SingleFile {
    option: &'static str,
    path: PathBuf,
    overwrite: bool,
}

impl SingleFile {
    /// The local file that an option names. What is written there begins with `begins`: only such a file, or an empty one, is replaced with
    /// `overwrite`, and no slice of a scan.
    ///
    /// # Errors
    /// [`Error::Option`] for a place that cannot be used: none that is local, in a result, a folder, in no folder, a file without
    /// `overwrite`, or another file.
    pub fn new(option: &'static str, path: &str, overwrite: bool, begins: &str) -> Result<Self> {
        let path = local_path(option, path)?;
        refuse_inside_a_result(option, &path)?;
        let file = Self { option, path, overwrite };
        let problem = if file.path.is_dir() || file.path.file_name().is_none() {
            "it is a folder; name a file"
        } else if !file.folder().is_dir() {
            "there is no such folder; make it first"
        } else if file.path.exists() && !overwrite {
            EXISTS
        } else if file.path.exists() && !begins_with(&file.path, begins) {
            OTHER
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
    /// [`Error::Write`], and [`Error::Option`] for a folder that cannot be written to or a file that has come there meanwhile.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        let failed = |source| Error::Write { file: self.option.to_owned(), source };
        let of_file = |error: Error| match error {
            Error::OutputExists => Error::option(self.option, EXISTS),
            other => other.of_output(self.option),
        };
        let staged = StagedFiles::create(self.folder()).map_err(of_file)?;
        let name = self.path.file_name().unwrap_or_default();
        fs::write(staged.folder().join(name), bytes).map_err(failed)?;
        staged.commit(self.overwrite).map_err(of_file).map(|_| ())
    }
}

/// Whether a file begins with this text, or is empty. One that cannot be read is none of ours.
fn begins_with(path: &Path, text: &str) -> bool {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(text.len() as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().is_ok_and(|bytes| bytes.is_empty() || bytes == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_command_writes_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        let page =
            |overwrite| SingleFile::new("--html", path.to_str().unwrap(), overwrite, "<!doctype html>");
        page(false).unwrap().write(b"<!doctype html>\n<p>1").unwrap();
        assert!(page(false).unwrap_err().to_string().contains("exists already"));
        page(true).unwrap().write(b"<!doctype html>\n<p>2").unwrap();
        fs::write(&path, "").unwrap();
        assert!(page(true).is_ok());
        for other in [[vec![0; 128], b"DICM".to_vec()].concat(), b"<!doc".to_vec(), b"<!doctype htm".to_vec()]
        {
            fs::write(&path, &other).unwrap();
            let refused = page(true).unwrap_err();
            assert_eq!(refused.exit_code(), 2);
            assert!(refused.to_string().contains("--overwrite will not replace it"), "{refused}");
            assert_eq!(fs::read(&path).unwrap(), other);
        }
    }
}
