//! The files of a result folder against its manifest's list of them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path},
};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tomobasis_dicom::printable;

use super::{
    FileDigest, FileEntry, MANIFEST, ResultFolder, SUCCESS, folder::is_run_folder, staging::UNFINISHED_MARK,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    progress::Progress,
};

/// Names that an error lists.
const NAMED: usize = 3;

/// Bytes read at a time.
const BUFFER: usize = 1 << 18;

impl ResultFolder {
    /// Compares all files with the manifest's list, on the current thread pool; nothing is compared where it lists none.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the files that are missing, changed, or not of the result.
    pub(crate) fn check_files(&self, progress: &dyn Progress) -> Result<()> {
        let Some(listed) = self.manifest.listed_files() else { return Ok(()) };
        let listed: Vec<&FileEntry> = listed.collect();
        let check = |file: &&FileEntry| {
            let problem = self.problem_of(file);
            progress.advance(1);
            problem.map(|problem| format!("{}: {problem}", printable(&file.path)))
        };
        let mut problems: Vec<String> = listed.par_iter().filter_map(check).collect();
        let paths = listed.iter().map(|file| file.path.as_str()).collect();
        let (extra, told) = self.beside(&paths);
        let strange = |name: String| format!("{}: it is not a file of the result", printable(&name));
        problems.extend(extra.into_iter().map(strange));
        if fs::metadata(self.root.join(SUCCESS)).is_ok_and(|found| found.len() > 0) {
            problems.push(format!("{SUCCESS}: it is not empty"));
        }
        if told > 0 {
            let text = format!(
                "{told} leftovers of other runs or of Hadoop lie beside the result and were not looked at"
            );
            progress.message(&text);
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Differs(name_some(&problems))) }
    }

    /// Files that the manifest lists.
    pub(crate) fn listed(&self) -> usize {
        self.manifest.listed_files().map_or(0, Iterator::count)
    }

    fn problem_of(&self, file: &FileEntry) -> Option<String> {
        let path = self.path.join(&file.path);
        if !is_inside(&file.path) {
            return Some("this is no path in the result".to_owned());
        }
        match (fs::metadata(&path), file.content()) {
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Some("it is missing".to_owned()),
            (Err(error), _) => Some(format!("cannot be read ({error})")),
            (Ok(found), _) if !found.is_file() => Some("it is not a file".to_owned()),
            (Ok(found), Some(listed)) if found.len() != listed.bytes => {
                Some(format!("it has {} bytes, the manifest lists {}", found.len(), listed.bytes))
            }
            (Ok(_), Some(listed)) => match digest_of(&path) {
                Ok(found) if found == listed => None,
                Ok(found) => Some(format!(
                    "its SHA-256 is {}..., the manifest lists {}...",
                    found.sha256.short(),
                    listed.sha256.short()
                )),
                Err(error) => Some(format!("cannot be read ({error})")),
            },
            // Derived DICOM is compared with what the input gives.
            (Ok(_), None) => None,
        }
    }

    /// Digest of a file of the result.
    ///
    /// # Errors
    /// [`Error::Differs`] naming a file that cannot be read.
    pub(crate) fn digest_of(&self, path: &str) -> Result<FileDigest> {
        digest_of(&self.path.join(path))
            .map_err(|error| Error::Differs(format!("{path}: cannot be read ({error})")))
    }

    /// What is in the folder and not listed, and how many leftovers are there that runs and Hadoop are known to leave. Folders that hold
    /// nothing of the result are named as a whole.
    fn beside(&self, listed: &BTreeSet<&str>) -> (Vec<String>, usize) {
        let inside = listed.iter().copied().filter(|path| is_inside(path));
        let mut folders: BTreeSet<&str> = inside.flat_map(above).collect();
        folders.insert("");
        let (mut extra, mut told) = (Vec::new(), 0);
        let mut sort = |name: &str, known: bool| match known {
            true => told += 1,
            false => extra.push(name.to_owned()),
        };
        for folder in &folders {
            for name in names(&self.path.join(folder)) {
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                let top = folder.is_empty() && self.path == self.root;
                let of_result = listed.contains(path.as_str()) || folders.contains(path.as_str());
                let checksum = of_checksum(&name).is_some_and(|file| {
                    let path = path.replace(&name, file);
                    listed.contains(path.as_str()) || (top && is_last(file))
                });
                if !(of_result || top && is_last(&name)) {
                    sort(&path, checksum || (top && is_leftover(&name)));
                }
            }
        }
        if self.path != self.root {
            for name in names(&self.root).into_iter().filter(|name| !is_last(name)) {
                if self.root.join(&name) != self.path {
                    sort(&name, is_leftover(&name) || of_checksum(&name).is_some_and(is_last));
                }
            }
        }
        (extra, told)
    }
}

/// The first of some problems, and what others there are.
pub(crate) fn name_some(problems: &[String]) -> String {
    let more = problems.len().saturating_sub(NAMED);
    let named: Vec<&str> = problems.iter().take(NAMED).map(String::as_str).collect();
    let more = if more > 0 { format!("; and {more} more files differ") } else { String::new() };
    named.join("; ") + &more
}

/// Whether a path of the manifest leads into the result.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The folders that a path leads through.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(end, _)| path.get(..end))
}

/// Names in a folder; none where it cannot be read, since then its files cannot be either.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Whether it is what every result has and no list.
fn is_last(name: &str) -> bool {
    [MANIFEST, SUCCESS].contains(&name)
}

/// Whether it is what other runs may leave in a result ("How a result is committed").
fn is_leftover(name: &str) -> bool {
    name == UNFINISHED_MARK || is_run_folder(name)
}

/// The file whose checksum Hadoop keeps under this name.
fn of_checksum(name: &str) -> Option<&str> {
    name.strip_prefix('.')?.strip_suffix(".crc")
}

fn digest_of(path: &Path) -> io::Result<FileDigest> {
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
