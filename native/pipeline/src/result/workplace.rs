//! Where a run works on its result: a folder beside the output, and a file beside that which says that a run has it.
//!
//! A process that is killed cannot clean up, so the next run with the same output does. `OUTPUT.tmp-ID.owner` is made before
//! `OUTPUT.tmp-ID`, removed after it, and locked as long as its run lives: whoever can lock it knows that its owner is dead, and
//! a folder without it is nobody's of ours. Whenever a run is killed, either nothing is left or what is left is known by that file.
//!
//! ```text
//! OUTPUT.tmp-ID.owner      the lock
//! OUTPUT.tmp-ID            the result in the making; once it has its name, by exchange, the old result
//! OUTPUT.tmp-ID.replaced   the old result, where folders cannot be exchanged
//! ```

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        TryLockError::{Poisoned, WouldBlock},
    },
    thread,
    time::Duration,
};

use tempfile::TempPath;

use crate::{
    error::{Error, Result},
    os::{self, Fault, fault},
};

/// How the name of the file ends that is locked.
const OWNER: &str = ".owner";

/// What is in it: another program's is left alone.
const MARK: &[u8] = b"tomobasis folder in the making\n";

/// Letters and digits of a run's id.
const RANDOM: usize = 6;

/// How often folders above the output are made again that another run removes.
const ATTEMPTS: u32 = 5;

/// How often, and after what time, [`remove_unfinished`] looks again: for the list, which a thread may hold that makes a place, and for a
/// folder into which threads still write.
const PATIENCE: u32 = 500;
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// What [`remove_unfinished`] has to know of this process.
struct Process {
    /// Places of runs whose results have not their names yet.
    unfinished: Vec<Place>,
    /// Places of runs whose results have their names, with what these replaced.
    replaced: Vec<Place>,
    /// A result has its name.
    finished: bool,
    /// It has begun.
    stops: bool,
}

static PROCESS: Mutex<Process> =
    Mutex::new(Process { unfinished: Vec::new(), replaced: Vec::new(), finished: false, stops: false });

/// The place of a run of this process. Dropped, it is cleared.
#[derive(Debug)]
pub(super) struct Workplace {
    place: Place,
    owner: TempPath,
    /// The owner's file. Its lock ends with the process.
    lock: Option<File>,
    left: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Place {
    output: PathBuf,
    folder: PathBuf,
    /// Folders above the output that this run has made, the innermost first.
    made: Vec<PathBuf>,
}

impl Workplace {
    /// Makes a folder beside the output.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn make(output: &Path) -> io::Result<Self> {
        let (parent, prefix) = beside(output).ok_or(io::ErrorKind::InvalidFilename)?;
        let mut attempts = 0..ATTEMPTS;
        loop {
            let made = missing_folders(parent);
            let place =
                fs::create_dir_all(parent).and_then(|()| Self::make_in(parent, &prefix, output, &made));
            match place {
                // Another run, which failed, has just removed the folders above, which it had made.
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts.next().is_some() => {}
                place => return place.inspect_err(|_| remove_empty(&made)),
            }
        }
    }

    /// The same in a folder that is there; `made` are those above the output that were made for it.
    fn make_in(parent: &Path, prefix: &str, output: &Path, made: &[PathBuf]) -> io::Result<Self> {
        // Held until the place is known, so that a process that is told to stop meanwhile leaves none of it.
        let mut process = process();
        if process.stops {
            return Err(io::ErrorKind::Interrupted.into());
        }
        loop {
            let mut name = tempfile::Builder::new();
            let mut owner = name
                .prefix(prefix)
                .suffix(OWNER)
                .rand_bytes(RANDOM)
                // Errors of `tempfile`'s own show the path.
                .make_in(parent, |path| File::create_new(path))?;
            // Where the file system has no locks, a leftover cannot be told from what a living run has, and stays.
            let taken = matches!(owner.as_file().try_lock(), Err(TryLockError::WouldBlock));
            // Another run may have come between the file and its lock, and taken this for a leftover.
            if taken || !is_there(owner.path())? {
                continue;
            }
            owner.as_file_mut().write_all(MARK)?;
            let place = Place {
                output: output.to_owned(),
                folder: owner.path().with_extension(""),
                made: made.to_vec(),
            };
            match fs::create_dir(&place.folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            process.unfinished.push(place.clone());
            let (lock, owner) = owner.into_parts();
            return Ok(Self { place, owner, lock: Some(lock), left: false });
        }
    }

    pub(super) fn output(&self) -> &Path {
        &self.place.output
    }

    pub(super) fn folder(&self) -> &Path {
        &self.place.folder
    }

    pub(super) fn replaced(&self) -> PathBuf {
        self.place.replaced()
    }

    /// Gives the result its name by `rename`. A process that is told to stop meanwhile does so before it, or after.
    ///
    /// # Errors
    /// Those of `rename`, and [`Error::OutputNotWritable`] once [`remove_unfinished`] has begun.
    pub(super) fn finish(&self, rename: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut process = process();
        if !process.unfinished.contains(&self.place) {
            return Err(Error::OutputNotWritable(io::ErrorKind::Interrupted.into()));
        }
        rename()?;
        process.unfinished.retain(|place| *place != self.place);
        process.finished = true;
        // Where nothing else is left of the place, while a process that is told to stop waits for this.
        let folders = [&self.place.folder, &self.place.replaced()];
        if folders.iter().all(|folder| matches!(is_there(folder), Ok(false))) {
            let _gone = fs::remove_file(&self.owner);
        } else {
            process.replaced.push(self.place.clone());
        }
        Ok(())
    }

    /// Whether a path leads into the folder, or to its owner's file.
    pub(super) fn holds(&self, path: &Path) -> bool {
        let own = [self.place.folder.file_name(), self.owner.file_name()];
        path.components().any(|part| own.contains(&Some(part.as_os_str())))
    }

    /// What [`remove_unfinished`] does to the process's list.
    #[cfg(test)]
    pub(super) fn give_up(&self) {
        process().unfinished.retain(|place| *place != self.place);
    }

    /// The end of the folder's name, which tells runs apart.
    pub(super) fn id(&self) -> String {
        let name = self.place.folder.to_string_lossy();
        name.rsplit('-').next().unwrap_or_default().to_owned()
    }

    /// Clears it; what could not be removed, in words.
    pub(super) fn leave(mut self) -> Option<String> {
        self.clear()
    }

    fn clear(&mut self) -> Option<String> {
        if std::mem::replace(&mut self.left, true) {
            return None;
        }
        let cleared = self.place.clear().or_else(|error| self.clear_with_last_descriptor(error));
        if cleared.is_ok() {
            let _gone = fs::remove_file(&self.owner);
            remove_empty(&self.place.made);
        }
        // If it stays, the next run finds it.
        self.owner.disable_cleanup(true);
        // In the lists until all of it is gone: a process that is told to stop meanwhile removes it itself.
        let mut process = process();
        process.unfinished.retain(|place| *place != self.place);
        process.replaced.retain(|place| *place != self.place);
        drop(process);
        let error = cleared.err()?;
        Some(stays("what this run replaced", &error))
    }

    /// Removing a folder takes a descriptor, which is the lock's where the process may have no other (`ulimit -n`).
    fn clear_with_last_descriptor(&mut self, error: io::Error) -> io::Result<()> {
        match fault(&error) {
            Some(Fault::OpenFiles | Fault::OpenFilesOfAll) if self.lock.take().is_some() => {
                self.place.clear()
            }
            _ => Err(error),
        }
    }

    /// Clears the places of runs that were killed; what could not be removed, in words.
    pub(super) fn clear_leftovers(output: &Path) -> Vec<String> {
        let mut stay = Vec::new();
        let Some((parent, prefix)) = beside(output) else { return stay };
        let Ok(entries) = fs::read_dir(parent) else { return stay };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(OWNER));
            if id.is_none_or(|id| id.len() != RANDOM || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            {
                continue;
            }
            let path = entry.path();
            let place =
                Place { output: output.to_owned(), folder: path.with_extension(""), made: Vec::new() };
            match place.clear_abandoned(&path) {
                Ok(false) => {}
                Ok(true) => log::info!("removed what a killed run had left beside the output"),
                Err(error) => stay.push(stays("what a killed run left", &error)),
            }
        }
        stay
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if let Some(told) = self.clear() {
            log::warn!("{told}");
        }
    }
}

impl Place {
    fn owner(&self) -> PathBuf {
        with_end(&self.folder, OWNER)
    }

    fn replaced(&self) -> PathBuf {
        with_end(&self.folder, ".replaced")
    }

    /// Clears the place and removes its owner's file if its run is dead; whether it was.
    fn clear_abandoned(&self, owner: &Path) -> io::Result<bool> {
        let mut file = File::options().read(true).write(true).open(owner)?;
        if file.try_lock().is_err() || !owner.exists() {
            return Ok(false);
        }
        let mut content = Vec::new();
        (&mut file).take(MARK.len() as u64 + 1).read_to_end(&mut content)?;
        // A run that was killed before it had written the mark had no folder yet.
        match content.as_slice() {
            [] => {}
            MARK => self.clear()?,
            _ => return Ok(false),
        }
        fs::remove_file(owner).map(|()| true)
    }

    /// Removes the folder. An old result gets its name again if no new one has it, else it is removed.
    fn clear(&self) -> io::Result<()> {
        let replaced = self.replaced();
        if is_there(&replaced)? && !is_there(&self.output)? {
            os::rename(&replaced, &self.output)?;
        }
        for folder in [&replaced, &self.folder] {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Removes all folders in the making, and what finished results replaced: for a process that is told to stop, or has no memory left. What cannot be removed is left to the
/// next run. Returns whether a result has its name already.
pub fn remove_unfinished() -> bool {
    // Whoever holds the list may be this very thread, or stopped for good; or it makes a place or gives a result its name, which
    // takes no time unless the machine has none.
    let tried = (0..PATIENCE).find_map(|_| match PROCESS.try_lock() {
        Err(WouldBlock) => {
            thread::sleep(PAUSE);
            None
        }
        Err(Poisoned(locked)) => Some(locked.into_inner()),
        Ok(locked) => Some(locked),
    });
    let Some(mut process) = tried else { return false };
    process.stops = true;
    let Process { unfinished, replaced, .. } = &mut *process;
    for place in unfinished.drain(..).chain(replaced.drain(..)) {
        // Threads that still write make files meanwhile.
        if (0..TRIES).any(|_| place.clear().is_ok()) {
            let _stays = fs::remove_file(place.owner());
            remove_empty(&place.made);
        }
    }
    process.finished
}

/// The output's parent, and how names of places begin.
fn beside(output: &Path) -> Option<(&Path, String)> {
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    Some((parent.unwrap_or(Path::new(".")), format!("{}.tmp-", output.file_name()?.to_string_lossy())))
}

/// The folders of a path that are not there, the innermost first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && matches!(is_there(folder), Ok(false));
    path.ancestors().take_while(missing).map(Path::to_owned).collect()
}

/// Removes folders that a run has made, as far as nothing is in them: neither its result nor what others have put there.
fn remove_empty(folders: &[PathBuf]) {
    for folder in folders {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

fn stays(what: &str, error: &io::Error) -> String {
    format!(
        "{what} could not be removed from beside the output ({error}); the next run with this output tries again"
    )
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether something has this name, also a link that leads nowhere.
fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => found.map(|_| true),
    }
}

fn process() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What a run leaves that is killed: its owner's file, and folders with a file each.
    fn killed(base: &Path, owner: &str, content: &[u8], folders: &[&str]) {
        fs::write(base.join(owner), content).unwrap();
        for folder in folders {
            fs::create_dir(base.join(folder)).unwrap();
            fs::write(base.join(folder).join("file"), folder).unwrap();
        }
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_a_living_one_has_is_not() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        killed(base.path(), "result.tmp-dead00.owner", MARK, &["result.tmp-dead00"]);
        killed(base.path(), "result.tmp-early0.owner", b"", &[]);
        let others = [
            ("other.tmp-dead00.owner", MARK, "other.tmp-dead00"),
            ("result.tmp-mine00.owner", b"mine", "result.tmp-mine00"),
            ("result.tmp-notes.owner", MARK, "result.tmp-notes"),
        ];
        others.iter().for_each(|(owner, content, folder)| killed(base.path(), owner, content, &[folder]));
        fs::create_dir(base.path().join("result.tmp-nobody")).unwrap();
        let living = Workplace::make(&output).unwrap();
        Workplace::clear_leftovers(&output);
        let other = Workplace::make(&output).unwrap();
        Workplace::clear_leftovers(&output);
        assert!(living.folder().exists() && other.folder().exists() && living.id() != other.id());
        drop((living, other));
        let mut kept: Vec<&str> = others.iter().flat_map(|(owner, _, folder)| [*folder, *owner]).collect();
        kept.push("result.tmp-nobody");
        kept.sort_unstable();
        assert_eq!(names(base.path()), kept);
    }

    #[test]
    fn what_keeps_a_place_from_being_made_is_the_systems_error_without_the_path() {
        let base = tempfile::tempdir().unwrap();
        let error = Workplace::make(&base.path().join("r".repeat(250))).unwrap_err();
        assert_eq!(error.to_string(), io::Error::from(rustix::io::Errno::NAMETOOLONG).to_string());
    }

    #[test]
    fn folders_above_the_output_go_with_a_run_that_made_them_and_failed_unless_something_is_in_them() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("there")).unwrap();
        let output = base.path().join("there/new/deep/result");
        drop(Workplace::make(&output).unwrap());
        assert_eq!(names(base.path()), ["there"]);
        assert_eq!(names(&base.path().join("there")), [""; 0]);
        // What another has put there meanwhile stays, and so do the folders that it is in.
        let place = Workplace::make(&output).unwrap();
        fs::write(base.path().join("there/new/notes.txt"), b"mine").unwrap();
        drop(place);
        assert_eq!(names(&base.path().join("there/new")), ["notes.txt"]);
        // Those of a result stay.
        let place = Workplace::make(&output).unwrap();
        place.finish(|| fs::rename(place.folder(), &output).map_err(Error::OutputNotWritable)).unwrap();
        assert_eq!(place.leave(), None);
        assert_eq!(names(&base.path().join("there/new/deep")), ["result"]);
        // Where the place cannot be made.
        let long = base.path().join("other/one").join("r".repeat(250));
        assert!(Workplace::make(&long).is_err());
        assert_eq!(names(base.path()), ["there"]);
    }

    #[test]
    fn what_a_result_replaced_is_known_until_it_is_gone_so_that_a_process_that_stops_removes_it() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        killed(base.path(), "other", b"", &["result"]);
        let place = Workplace::make(&output).unwrap();
        let known = || process().replaced.iter().filter(|known| known.output == output).count();
        // An exchange: the old result has the name of the place.
        place.finish(|| Ok(())).unwrap();
        assert_eq!(known(), 1);
        assert_eq!(place.leave(), None);
        assert_eq!(known(), 0);
        assert_eq!(names(base.path()), ["other", "result"]);
    }

    #[test]
    fn what_cannot_be_removed_is_told_and_stays_known() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        killed(base.path(), "result.tmp-dead00.owner", MARK, &[]);
        fs::write(base.path().join("result.tmp-dead00"), b"a file").unwrap();
        let told = Workplace::clear_leftovers(&output);
        assert!(told.len() == 1 && told[0].contains("Not a directory"), "{told:?}");
        assert_eq!(names(base.path()), ["result.tmp-dead00", "result.tmp-dead00.owner"]);
        let place = Workplace::make(&output).unwrap();
        fs::remove_dir(place.folder()).unwrap();
        fs::write(place.folder(), b"a file").unwrap();
        assert!(place.leave().unwrap().starts_with("what this run replaced could not be removed"));
        assert_eq!(names(base.path()).len(), 4);
    }

    #[test]
    fn a_run_that_was_killed_after_the_exchange_leaves_the_new_result_alone() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        for replaced in ["result.tmp-dead00", "result.tmp-dead00.replaced"] {
            killed(base.path(), "result.tmp-dead00.owner", MARK, &["result", replaced]);
            Workplace::clear_leftovers(&output);
            assert_eq!(names(base.path()), ["result"]);
            assert_eq!(fs::read(output.join("file")).unwrap(), b"result");
            fs::remove_dir_all(&output).unwrap();
        }
    }

    #[test]
    fn a_result_that_was_put_away_gets_its_name_again_where_no_new_one_has_it() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let left = ["result.tmp-dead00", "result.tmp-dead00.replaced"];
        killed(base.path(), "result.tmp-dead00.owner", MARK, &left);
        Workplace::clear_leftovers(&output);
        assert_eq!(names(base.path()), ["result"]);
        assert_eq!(fs::read(output.join("file")).unwrap(), b"result.tmp-dead00.replaced");
    }
}
