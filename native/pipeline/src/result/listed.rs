//! The files of a result folder against its manifest's list of them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use tomobasis_dicom::printable;

use super::{
    FileEntry, ResultFolder,
    disk::{problem_with, unreadable},
    names::{MANIFEST, SUCCESS, is_last, is_leftover, of_checksum},
    paths::{above, is_inside, names, unlisted},
};
use crate::{
    error::{Error, Result, is_of_system},
    output::{CONTENTS, dicom},
    progress::Progress,
};

/// Names that an error lists.
const NAMED: usize = 3;

impl ResultFolder {
    /// Compares all files with the manifest's list; nothing is compared where it lists none.
    ///
    /// # Errors
    /// As [`ListedFiles::check`].
    pub(crate) fn check_files(&self, progress: &dyn Progress) -> Result<FolderNotes> {
        let Some(files) = self.manifest.files.as_deref() else { return Ok(FolderNotes::default()) };
        let report = self.manifest.run.report.as_ref();
        ListedFiles { root: &self.root, path: &self.path, files, report }.check(progress)
    }
}

/// The files that a manifest lists, and where they are.
pub(crate) struct ListedFiles<'a> {
    /// Where the manifest is.
    pub root: &'a Path,
    /// Where the files are.
    pub path: &'a Path,
    /// In the order of their paths.
    pub files: &'a [FileEntry],
    /// The report, which is listed apart.
    pub report: Option<&'a FileEntry>,
}

impl ListedFiles<'_> {
    /// Compares all files with the list, on the current thread pool. What there is besides is noted.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the files that are missing, changed, or not of the result, [`Error::System`].
    pub(crate) fn check(&self, progress: &dyn Progress) -> Result<FolderNotes> {
        check_order(self.files)?;
        let listed: Vec<&FileEntry> = self.files.iter().chain(self.report).collect();
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

    fn problem_of(&self, file: &FileEntry) -> Result<Option<String>> {
        if !is_inside(&file.path) {
            return Ok(Some("this is no path in the result".to_owned()));
        }
        // What is listed by path alone is not compared: derived DICOM, whose pixels have a digest, and nothing else.
        if file.content().is_none() && !file.path.ends_with(dicom::EXTENSION) {
            return Ok(Some("the manifest does not list its size and SHA-256".to_owned()));
        }
        match problem_with(&self.path.join(&file.path), file.content()) {
            Err(source) if is_of_system(&source) => Err(Error::System { file: file.path.clone(), source }),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Some("it is missing".to_owned())),
            Err(source) => Ok(Some(format!("cannot be read ({source})"))),
            Ok(problem) => Ok(problem),
        }
    }

    /// What is in the folder and not listed, and how many leftovers are there that runs and Hadoop are known to leave.
    fn beside(&self, listed: &BTreeSet<&str>) -> Result<(Vec<String>, usize)> {
        let of_folder = |error| unreadable("the result folder", error);
        let in_place = self.path == self.root;
        let at_top = |path: &str| !path.contains('/');
        // Names at the top are the result's own only where the manifest is.
        let mut found = unlisted(self.path, listed).map_err(of_folder)?;
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
            for name in names(self.root).map_err(of_folder)?.into_iter().filter(|name| !is_last(name)) {
                match known(&name) {
                    true => left += usize::from(self.root.join(&name) != self.path),
                    false => extra.push(name),
                }
            }
        }
        Ok((extra, left))
    }
}

/// What is reported about a folder beside differences.
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

/// The first of some problems, and what others there are.
pub(crate) fn name_some(problems: &[String]) -> String {
    let more = problems.len().saturating_sub(NAMED);
    let named: Vec<&str> = problems.iter().take(NAMED).map(String::as_str).collect();
    let more = if more > 0 { format!("; and {more} more files differ") } else { String::new() };
    named.join("; ") + &more
}
