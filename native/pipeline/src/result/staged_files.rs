//! Files that get their names together, in a folder that may hold others: pictures, manual pages.
//!
//! They are written into a folder of a temporary name ([`Workplace`]), in the output if that is there, else beside it. A process that is
//! told to stop leaves none of them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::workplace::Workplace;
use crate::error::{Error, Result};

/// How the temporary folder's name begins where the output is there.
const FILES: &str = "files";

/// Files in the making.
#[derive(Debug)]
pub struct StagedFiles {
    place: Workplace,
    output: PathBuf,
}

impl StagedFiles {
    /// Makes the temporary folder, once what killed runs have left there is gone.
    ///
    /// # Errors
    /// [`Error::OutputNotWritable`].
    pub fn create(output: &Path) -> Result<Self> {
        let place = if output.is_dir() { output.join(FILES) } else { output.to_owned() };
        if place == output && fs::symlink_metadata(output).is_ok() {
            return Err(Error::OutputNotWritable(io::ErrorKind::NotADirectory.into()));
        }
        let _told_by_the_next = Workplace::clear_leftovers(&place);
        let place = Workplace::make(&place).map_err(Error::OutputNotWritable)?;
        Ok(Self { place, output: output.to_owned() })
    }

    /// Where the files go meanwhile; folders in it are made by whoever writes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// Gives all files their names, with `overwrite` in place of files that have them; returns the paths, sorted.
    ///
    /// # Errors
    /// [`Error::OutputNotWritable`], and [`Error::OutputExists`] for a file that is there.
    pub fn commit(self, overwrite: bool) -> Result<Vec<PathBuf>> {
        let made = self.place.folder();
        let mut files = Vec::new();
        list(made, Path::new(""), &mut files).map_err(Error::OutputNotWritable)?;
        files.sort();
        self.place.finish(|| {
            // All of them are looked at before the first is moved.
            if !overwrite && files.iter().any(|file| fs::symlink_metadata(self.output.join(file)).is_ok()) {
                return Err(Error::OutputExists);
            }
            let move_all = || -> io::Result<()> {
                for file in &files {
                    let to = self.output.join(file);
                    fs::create_dir_all(to.parent().unwrap_or(&self.output))?;
                    fs::rename(made.join(file), to)?;
                }
                Ok(())
            };
            move_all().map_err(Error::OutputNotWritable)?;
            // Here, where a process that is told to stop waits for it. What stays is tried again when the place is dropped.
            let _gone = fs::remove_dir_all(made);
            Ok(())
        })?;
        Ok(files.iter().map(|file| self.output.join(file)).collect())
    }
}

/// The files below a folder, relative to it.
fn list(folder: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(folder, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        list(folder, Path::new(""), &mut files).unwrap();
        files.sort();
        files
    }

    #[test]
    fn files_have_their_names_together_beside_what_is_there_and_without_that_there_are_none() {
        let base = tempfile::tempdir().unwrap();
        for output in [base.path().join("there"), base.path().join("new/deep")] {
            if output.ends_with("there") {
                fs::create_dir(&output).unwrap();
                fs::write(output.join("other"), "other").unwrap();
                fs::write(output.join("a"), "old").unwrap();
            }
            let before = names(base.path());
            let given_up = StagedFiles::create(&output).unwrap();
            fs::write(given_up.folder().join("a"), "new").unwrap();
            match output.exists() {
                true => assert!(matches!(given_up.commit(false), Err(Error::OutputExists))),
                false => drop(given_up),
            }
            assert_eq!(names(base.path()), before);

            let staged = StagedFiles::create(&output).unwrap();
            fs::write(staged.folder().join("a"), "new").unwrap();
            fs::create_dir(staged.folder().join("b")).unwrap();
            fs::write(staged.folder().join("b/c"), "c").unwrap();
            assert_eq!(staged.commit(true).unwrap(), [output.join("a"), output.join("b/c")]);
            assert_eq!(fs::read(output.join("a")).unwrap(), b"new");
            let others = if output.ends_with("there") { 1 } else { 0 };
            assert_eq!(names(&output).len(), 2 + others);
            // Not even an owner's file.
            assert!(names(base.path()).iter().all(|path| !path.to_string_lossy().contains(".tmp-")));
        }
    }

    #[test]
    fn a_file_is_no_folder_for_files() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("file");
        fs::write(&output, "x").unwrap();
        assert!(matches!(StagedFiles::create(&output), Err(Error::OutputNotWritable(_))));
    }
}
