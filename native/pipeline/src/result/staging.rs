//! Writing a result folder on the local file system so that nobody ever sees half of one.
//!
//! Files go into a folder of a temporary name beside the output, which gets the output's name when all is there. What fails
//! before leaves nothing behind, and an old result that is to be replaced stays until then. A process that is killed cannot clean up:
//! the next run with the same output removes what such ones left. It knows them by a file in the folder, which
//! its owner holds locked as long as it lives; a folder without that file is nobody's of ours.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use tempfile::TempDir;

use super::{
    MANIFEST, REPORT, SUCCESS,
    folder::{is_run_folder, read_manifest},
};
use crate::{
    error::{Error, Result},
    tables::{SINGULAR_VALUES, WEIGHTS},
};

/// The file that is locked, in a folder in the making.
const OWNER: &str = ".tomobasis-owner";

/// Letters and digits at the end of a temporary name.
const RANDOM: usize = 6;

/// What the job has in a result on an object store until it is complete.
pub(super) const UNFINISHED_MARK: &str = "_UNFINISHED";

/// Names in a result folder, besides those of runs.
const CONTENTS: [&str; 9] =
    [SUCCESS, MANIFEST, REPORT, SINGULAR_VALUES, WEIGHTS, "basis", "pictures", "dicom", UNFINISHED_MARK];

/// Folders in the making, for [`remove_unfinished`].
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A result folder in the making.
#[derive(Debug)]
pub struct StagedFolder {
    output: PathBuf,
    overwrite: bool,
    temporary: TempDir,
    /// Its lock ends with the process.
    _owner: File,
}

impl StagedFolder {
    /// Checks the output and makes the temporary folder beside it.
    ///
    /// # Errors
    /// [`Error::OutputExists`], [`Error::OutputForeign`], [`Error::OutputNotWritable`].
    pub fn create(output: &Path, overwrite: bool) -> Result<Self> {
        if fs::symlink_metadata(output).is_ok() {
            allow_overwriting(output, overwrite)?;
        }
        let make = || -> io::Result<(TempDir, File)> {
            let name = output.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
            let parent =
                output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::create_dir_all(parent)?;
            let prefix = format!("{}.tmp-", name.to_string_lossy());
            remove_leftovers(parent, &prefix);
            loop {
                let temporary = tempfile::Builder::new()
                    .prefix(&prefix)
                    .rand_bytes(RANDOM)
                    .permissions(fs::Permissions::from_mode(0o777))
                    .tempdir_in(parent)?;
                let owner = match File::create_new(temporary.path().join(OWNER)) {
                    // Another run took it for a leftover already.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    owner => owner?,
                };
                // Where the file system has no locks, a leftover cannot be told from what a living run has, and stays.
                let taken = matches!(owner.try_lock(), Err(TryLockError::WouldBlock));
                // Another run may have come between the file and its lock, and taken this for a leftover.
                if !taken && temporary.path().join(OWNER).exists() {
                    unfinished().push(temporary.path().to_owned());
                    return Ok((temporary, owner));
                }
            }
        };
        let (temporary, owner) = make().map_err(Error::OutputNotWritable)?;
        Ok(Self { output: output.to_owned(), overwrite, temporary, _owner: owner })
    }

    /// Name of the folder that the result is made in, which no other file or folder has.
    #[must_use]
    pub fn name(&self) -> Option<&OsStr> {
        self.temporary.path().file_name()
    }

    /// Writes one file, given in pieces; `path` is relative to the result folder. May be called from any thread.
    ///
    /// # Errors
    /// [`Error::Write`] with `path`.
    pub fn write(&self, path: &str, pieces: &[&[u8]]) -> Result<()> {
        let mut target = self.temporary.path().to_owned();
        let mut write = || {
            let mut parts = Path::new(path).components().peekable();
            while let Some(part) = parts.next() {
                target.push(part);
                // Never the folder itself: one that was removed meanwhile is not brought back.
                if parts.peek().is_some()
                    && let Err(error) = fs::create_dir(&target)
                    && error.kind() != io::ErrorKind::AlreadyExists
                {
                    return Err(error);
                }
            }
            let mut file = File::create(&target)?;
            pieces.iter().try_for_each(|piece| file.write_all(piece))
        };
        write().map_err(|source| Error::Write { file: path.to_owned(), source })
    }

    /// Marks the folder complete and gives it its name: where the name is free, or in exchange with a result to overwrite. Either is one
    /// step, so that of two runs one wins, and there is always a result where there was one.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::OutputExists`], [`Error::OutputForeign`], [`Error::OutputNotWritable`].
    pub fn commit(mut self) -> Result<()> {
        self.write(SUCCESS, &[])?;
        fs::remove_file(self.temporary.path().join(OWNER)).map_err(Error::OutputNotWritable)?;
        let (made, output) = (self.temporary.path(), &self.output);
        let replaced = match renameat_with(CWD, made, CWD, output, RenameFlags::NOREPLACE) {
            Ok(()) => None,
            // NFS: a plain rename, which fails on a folder that is not empty.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !output.exists() => {
                fs::rename(made, output).map_err(Error::OutputNotWritable)?;
                None
            }
            Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                allow_overwriting(output, self.overwrite)?;
                Some(exchange(made, output).map_err(Error::OutputNotWritable)?)
            }
            Err(error) => return Err(Error::OutputNotWritable(error.into())),
        };
        if let Some(old) = replaced
            && let Err(error) = fs::remove_dir_all(&old)
        {
            log::warn!("the replaced result could not be removed ({error}): {}", old.display());
        }
        // The folder has moved, so there is nothing to remove under its temporary name.
        self.temporary.disable_cleanup(true);
        Ok(())
    }
}

/// Gives the new folder its name; returns where the old one is now.
///
/// In one step where the file system can (Linux's own can, NFS cannot); else by two renames, of which the first is undone when the
/// second fails.
fn exchange(made: &Path, output: &Path) -> io::Result<PathBuf> {
    if renameat_with(CWD, made, CWD, output, RenameFlags::EXCHANGE).is_ok() {
        return Ok(made.to_owned());
    }
    let mut old = made.as_os_str().to_owned();
    old.push(".replaced");
    fs::rename(output, &old)?;
    match fs::rename(made, output) {
        Ok(()) => Ok(old.into()),
        Err(error) => fs::rename(&old, output).and(Err(error)),
    }
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        unfinished().retain(|path| path != self.temporary.path());
    }
}

/// Removes the folders of runs that were killed.
fn remove_leftovers(parent: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(prefix)) else { continue };
        let Ok(owner) = File::options().write(true).open(path.join(OWNER)) else {
            // One that was killed before it had made the file left an empty folder; only empty ones are removed.
            if rest.len() == RANDOM && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let _stays = fs::remove_dir(&path);
            }
            continue;
        };
        if owner.try_lock().is_ok() {
            match remove(&path) {
                Ok(()) => log::info!("removed what a killed run had left beside the output"),
                Err(error) => log::warn!("what a killed run left cannot be removed ({})", error.kind()),
            }
        }
    }
}

/// Removes a folder in the making, the file that it is known by last, so that what stops on the way can be gone on with.
fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == OWNER {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    let owner = folder.join(OWNER);
    let _absent = fs::remove_file(&owner);
    // A thread that still writes may have made another file meanwhile.
    fs::remove_dir(folder).inspect_err(|_| drop(File::create(&owner)))
}

/// Removes all folders in the making: for a process that is told to stop, or has no memory left. What cannot be removed is left to the
/// next run.
pub fn remove_unfinished() {
    // Whoever holds the list may be this very thread, or stopped for good.
    let Ok(mut folders) = UNFINISHED.try_lock() else { return };
    for path in folders.drain(..) {
        let _gone = (0..3).any(|_| remove(&path).is_ok());
    }
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses an output that exists, unless it may be overwritten and is an empty folder or a result of ours with nothing beside it.
fn allow_overwriting(output: &Path, overwrite: bool) -> Result<()> {
    if !overwrite {
        return Err(Error::OutputExists);
    }
    let names = || -> io::Result<Vec<_>> {
        fs::read_dir(output)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    };
    let names = names().map_err(|_| Error::OutputForeign)?;
    if !names.is_empty() && !read_manifest(output).is_ok_and(|manifest| is_manifest(&manifest)) {
        return Err(Error::OutputForeign);
    }
    match names.iter().filter(|name| !is_of_result(&name.to_string_lossy())).count() {
        0 => Ok(()),
        others => Err(Error::OutputHoldsOthers { others }),
    }
}

/// Whether it is the manifest of a result, of whatever version. Other programs have a `manifest.json` too.
fn is_manifest(bytes: &[u8]) -> bool {
    let json = serde_json::from_slice::<serde_json::Value>(bytes);
    json.is_ok_and(|json| {
        json.get("format")
            .and_then(|format| format.as_str())
            .is_some_and(|text| text.starts_with("tomobasis result "))
    })
}

/// Whether a result folder may hold the name: Hadoop leaves checksums beside local files.
fn is_of_result(name: &str) -> bool {
    CONTENTS.contains(&name) || is_run_folder(name) || (name.starts_with('.') && name.ends_with(".crc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that a manifest needs to be known, and something to tell it by.
    fn manifest(what: &str) -> Vec<u8> {
        format!(r#"{{"format": "tomobasis result 1", "what": "{what}"}}"#).into_bytes()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_committed_folder_has_its_name_and_its_files_and_success() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("deep/result");
        let staged = StagedFolder::create(&output, false).unwrap();
        staged.write("basis/part", &[b"x".as_slice()]).unwrap();
        staged.write(MANIFEST, &[b"{}".as_slice()]).unwrap();
        assert!(!output.exists());
        staged.commit().unwrap();
        assert_eq!(names(&output), ["_SUCCESS", "basis", MANIFEST]);
        assert_eq!(names(output.parent().unwrap()), ["result"]);
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let base = tempfile::tempdir().unwrap();
        let staged = StagedFolder::create(&base.path().join("result"), false).unwrap();
        staged.write(MANIFEST, &[b"{}".as_slice()]).unwrap();
        drop(staged);
        assert!(names(base.path()).is_empty());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_a_living_one_has_is_not() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        for (name, file) in
            [("result.tmp-dead00", OWNER), ("result.tmp-mine00", "notes"), ("other.tmp-dead00", OWNER)]
        {
            fs::create_dir(base.path().join(name)).unwrap();
            fs::write(base.path().join(name).join(file), b"").unwrap();
        }
        // Killed before it had made the file, and two that are somebody else's.
        for name in ["result.tmp-3mpty0", "result.tmp-notes", "result.tmp-no-tes"] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        let living = StagedFolder::create(&output, false).unwrap();
        assert_eq!(names(base.path()).len(), 5);
        let other = StagedFolder::create(&output, false).unwrap();
        assert!(living.temporary.path().exists());
        drop((living, other));
        let kept = ["other.tmp-dead00", "result.tmp-mine00", "result.tmp-no-tes", "result.tmp-notes"];
        assert_eq!(names(base.path()), kept);
    }

    #[test]
    fn what_a_stopped_process_removes_does_not_come_back() {
        let base = tempfile::tempdir().unwrap();
        let staged = StagedFolder::create(&base.path().join("result"), false).unwrap();
        staged.write("dicom/k=5/slice", &[b"x".as_slice()]).unwrap();
        let folder = staged.temporary.path().to_owned();
        remove(&folder).unwrap();
        assert!(matches!(staged.write("basis/part", &[b"x".as_slice()]), Err(Error::Write { .. })));
        assert!(names(base.path()).is_empty());
    }

    #[test]
    fn an_old_result_is_replaced_only_on_request_and_at_the_end() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        fs::create_dir(&output).unwrap();
        fs::write(output.join(MANIFEST), manifest("old")).unwrap();
        assert!(matches!(StagedFolder::create(&output, false), Err(Error::OutputExists)));
        let staged = StagedFolder::create(&output, true).unwrap();
        staged.write(MANIFEST, &[&manifest("new")]).unwrap();
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("old"));
        staged.commit().unwrap();
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("new"));
        assert_eq!(names(base.path()), ["result"]);
    }

    #[test]
    fn a_result_that_another_run_finished_meanwhile_stays() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let [early, late] = [false, false].map(|overwrite| StagedFolder::create(&output, overwrite).unwrap());
        early.write(MANIFEST, &[&manifest("early")]).unwrap();
        late.write(MANIFEST, &[&manifest("late")]).unwrap();
        early.commit().unwrap();
        assert!(matches!(late.commit(), Err(Error::OutputExists)));
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("early"));
        assert_eq!(names(base.path()), ["result"]);
    }

    #[test]
    fn what_became_something_else_meanwhile_is_not_replaced() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let staged = StagedFolder::create(&output, true).unwrap();
        fs::create_dir(&output).unwrap();
        fs::write(output.join("thesis.tex"), b"").unwrap();
        assert!(matches!(staged.commit(), Err(Error::OutputForeign)));
        assert_eq!(names(&output), ["thesis.tex"]);
        assert_eq!(names(base.path()), ["result"]);
    }

    #[test]
    fn a_folder_of_something_else_is_never_replaced() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("thesis.tex"), b"").unwrap();
        assert!(matches!(StagedFolder::create(base.path(), true), Err(Error::OutputForeign)));
        for other in [r#"{"name": "my web app"}"#, r#"{"format": "web app 1"}"#, "[1]", "old", ""] {
            fs::write(base.path().join(MANIFEST), other).unwrap();
            assert!(matches!(StagedFolder::create(base.path(), true), Err(Error::OutputForeign)), "{other}");
        }
        assert_eq!(names(base.path()), [MANIFEST, "thesis.tex"]);
    }

    #[test]
    fn a_result_with_something_else_beside_it_is_not_replaced() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let own = ["_SUCCESS", ".part.crc", "report.html", "weights.parquet", "run-0123abcd-4567ef89"];
        fs::create_dir(&output).unwrap();
        fs::write(output.join(MANIFEST), manifest("old")).unwrap();
        own.iter().for_each(|name| fs::write(output.join(name), b"").unwrap());
        drop(StagedFolder::create(&output, true).unwrap());
        for other in ["notes.txt", "run", ".git", "basis.bak"] {
            fs::write(output.join(other), b"mine").unwrap();
            let refused = StagedFolder::create(&output, true);
            assert!(matches!(refused, Err(Error::OutputHoldsOthers { others: 1 })), "{other}");
            fs::remove_file(output.join(other)).unwrap();
        }
        let staged = StagedFolder::create(&output, true).unwrap();
        fs::write(output.join("notes.txt"), b"mine").unwrap();
        assert!(matches!(staged.commit(), Err(Error::OutputHoldsOthers { .. })));
        assert!(output.join("notes.txt").exists());
    }
}
