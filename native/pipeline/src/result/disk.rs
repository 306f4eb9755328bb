//! The files of a result folder against its manifest's list of them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tomobasis_dicom::printable;

use super::{
    FileEntry, MANIFEST, ResultFolder, SUCCESS, folder::is_run_folder, overwriting::UNFINISHED_MARK,
};
use crate::{
    error::{Error, Result, is_of_system},
    output::{CONTENTS, FileDigest},
    progress::Progress,
    solve::digest::Digest,
};

/// Names that an error lists.
const NAMED: usize = 3;

/// Bytes read at a time.
const BUFFER: usize = 1 << 18;

impl ResultFolder {
    /// Compares all files with the manifest's list, on the current thread pool; nothing is compared where it lists none. What there is
    /// besides is noted.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the files that are missing, changed, or not of the result, [`Error::System`].
    pub(crate) fn check_files(&self, progress: &dyn Progress) -> Result<FolderNotes> {
        let Some(listed) = self.manifest.listed_files() else { return Ok(FolderNotes::default()) };
        check_order(self.manifest.files.as_deref().unwrap_or_default())?;
        let listed: Vec<&FileEntry> = listed.collect();
        let check = |file: &&FileEntry| {
            let problem = self.problem_of(file);
            progress.advance(1);
            let of_file = |problem| format!("{}: {problem}", printable(&file.path));
            problem.map(|problem| problem.map(of_file)).transpose()
        };
        let found: Vec<Result<String>> = listed.par_iter().filter_map(check).collect();
        let mut problems = found.into_iter().collect::<Result<Vec<String>>>()?;
        let paths: BTreeSet<&str> = listed.iter().map(|file| file.path.as_str()).collect();
        let (extra, leftovers) = self.beside(&paths)?;
        let strange = |name: String| format!("{}: it is not a file of the result", printable(&name));
        problems.extend(extra.into_iter().map(strange));
        if fs::metadata(self.root.join(SUCCESS)).is_ok_and(|found| found.len() > 0) {
            problems.push(format!("{SUCCESS}: it is not empty"));
        }
        if problems.is_empty() {
            Ok(FolderNotes { leftovers, links: self.links(&paths) })
        } else {
            Err(Error::Differs(name_some(&problems)))
        }
    }

    /// How many of the result's files and folders are links.
    fn links(&self, listed: &BTreeSet<&str>) -> usize {
        let is_link = |path: PathBuf| fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        let folders: BTreeSet<&str> = listed.iter().copied().flat_map(above).collect();
        let of_files = listed.iter().chain(&folders).map(|path| self.path.join(path));
        let of_result = [MANIFEST, SUCCESS].map(|name| self.root.join(name));
        of_files.chain(of_result).filter(|path| is_link(path.clone())).count()
    }

    /// Files that the manifest lists.
    pub(crate) fn listed(&self) -> usize {
        self.manifest.listed_files().map_or(0, Iterator::count)
    }

    fn problem_of(&self, file: &FileEntry) -> Result<Option<String>> {
        if !is_inside(&file.path) {
            return Ok(Some("this is no path in the result".to_owned()));
        }
        match problem_with(&self.path.join(&file.path), file.content()) {
            Err(source) if is_of_system(&source) => Err(Error::System { file: file.path.clone(), source }),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Some("it is missing".to_owned())),
            Err(source) => Ok(Some(format!("cannot be read ({source})"))),
            Ok(problem) => Ok(problem),
        }
    }

    /// Digest of a file of the result.
    ///
    /// # Errors
    /// [`Error::Differs`] naming a file that cannot be read, [`Error::System`].
    pub(crate) fn digest_of(&self, path: &str) -> Result<FileDigest> {
        digest_of(&self.path.join(path)).map_err(|error| unreadable(path, error))
    }

    /// What is in the folder and not listed, and how many leftovers are there that runs and Hadoop are known to leave.
    fn beside(&self, listed: &BTreeSet<&str>) -> Result<(Vec<String>, usize)> {
        let of_folder = |error| unreadable("the result folder", error);
        let in_place = self.path == self.root;
        let at_top = |path: &str| !path.contains('/');
        // Names at the top are the result's own only where the manifest is.
        let mut found = unlisted(&self.path, listed).map_err(of_folder)?;
        found.retain(|path| !(in_place && at_top(path) && is_last(path)));
        let known = |path: &str| {
            let of = of_checksum(path);
            let checksum = of.is_some_and(|of| listed.contains(of.as_str()) || (in_place && is_last(&of)));
            checksum || (in_place && at_top(path) && is_leftover(path))
        };
        let (left, mut extra): (Vec<String>, Vec<String>) = found.into_iter().partition(|path| known(path));
        let mut left = left.len();
        if !in_place {
            // Those that took over write into folders of their own, and may leave what the first had written to the plain names.
            let known = |name: &str| {
                is_leftover(name)
                    || CONTENTS.contains(&name)
                    || of_checksum(name).is_some_and(|of| is_last(&of))
            };
            for name in names(&self.root).map_err(of_folder)?.into_iter().filter(|name| !is_last(name)) {
                match known(&name) {
                    true => left += usize::from(self.root.join(&name) != self.path),
                    false => extra.push(name),
                }
            }
        }
        Ok((extra, left))
    }
}

/// What is said of a folder beside differences.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FolderNotes {
    /// What other runs and Hadoop are known to leave, which was not looked at.
    leftovers: usize,
    /// Files and folders that are links, whose targets were read.
    links: usize,
}

impl FolderNotes {
    /// A line for each.
    pub(crate) fn lines(self, of: &str) -> Vec<String> {
        let leftovers = format!(
            "not looked at {} beside {of} that other runs or Hadoop leave (_UNFINISHED, run-ID, plain names of a run that was taken over, .crc)",
            self.leftovers
        );
        let links = format!("links        {} in {of}: what they lead to was read", self.links);
        [(self.leftovers, leftovers), (self.links, links)]
            .into_iter()
            .filter_map(|(count, line)| (count > 0).then_some(line))
            .collect()
    }
}

/// The list's order is that of its paths, each of which it has once.
fn check_order(files: &[FileEntry]) -> Result<()> {
    let mut pairs = files.windows(2).zip(1..);
    let wrong = pairs.find_map(|(pair, place)| match pair {
        [one, other] if one.path >= other.path => Some((place, other)),
        _ => None,
    });
    wrong.map_or(Ok(()), |(place, file)| {
        let path = printable(&file.path);
        Err(Error::Differs(format!(
            "{MANIFEST}: files[{place}] ({path}) is not behind the one before it by its path"
        )))
    })
}

/// Paths below a folder that are not listed, nor folders that listed ones are in. Folders that hold nothing listed are one.
///
/// # Errors
/// Those of the file system; folders that are not there hold nothing.
fn unlisted(root: &Path, listed: &BTreeSet<&str>) -> io::Result<Vec<String>> {
    let folders = folders_of(listed.iter().copied());
    let mut found = paths_in(root, &folders)?;
    found.retain(|path| !listed.contains(path.as_str()) && !folders.contains(path.as_str()));
    Ok(found)
}

/// The folders that paths lead through, with that which they start from, which is empty.
pub(super) fn folders_of<'p>(paths: impl Iterator<Item = &'p str>) -> BTreeSet<&'p str> {
    let mut folders: BTreeSet<&str> = paths.filter(|path| is_inside(path)).flat_map(above).collect();
    folders.insert("");
    folders
}

/// What is in some folders below another, by its path from there.
///
/// # Errors
/// Those of the file system; folders that are not there hold nothing.
pub(super) fn paths_in(root: &Path, folders: &BTreeSet<&str>) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    for folder in folders {
        let path = |name: String| if folder.is_empty() { name } else { format!("{folder}/{name}") };
        paths.extend(names(&root.join(folder))?.into_iter().map(path));
    }
    Ok(paths)
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

/// Names in a folder; none where there is no such folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if !is_of_system(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names = entries.map(|entry| entry.map(name)).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// What is wrong with a file, `listed` in the manifest with its content; derived DICOM, listed without, is compared with what the
/// input gives.
fn problem_with(path: &Path, listed: Option<FileDigest>) -> io::Result<Option<String>> {
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

/// Whether it is what every result has and no list.
pub(super) fn is_last(name: &str) -> bool {
    [MANIFEST, SUCCESS].contains(&name)
}

/// Whether it is what other runs may leave in a result ("How a result is committed").
pub(super) fn is_leftover(name: &str) -> bool {
    name == UNFINISHED_MARK || is_run_folder(name)
}

/// The file whose checksum Hadoop keeps under this path.
fn of_checksum(path: &str) -> Option<String> {
    let (folder, name) =
        path.rsplit_once('/').map_or(("", path), |(folder, _)| path.split_at(folder.len() + 1));
    Some(format!("{folder}{}", name.strip_prefix('.')?.strip_suffix(".crc")?))
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
