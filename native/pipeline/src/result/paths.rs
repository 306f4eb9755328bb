//! Paths in a folder, and the folders that they lead through.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Component, Path},
};

use crate::error::is_of_system;

/// Paths below a folder that are not listed, nor folders that listed ones are in. Folders that hold nothing listed are one.
///
/// # Errors
/// Those of the file system; folders that are not there hold nothing.
pub(super) fn unlisted(root: &Path, listed: &BTreeSet<&str>) -> io::Result<Vec<String>> {
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

/// Whether a path of the manifest leads into the result.
pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The folders that a path leads through.
pub(super) fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(end, _)| path.get(..end))
}

/// Names in a folder; none where there is no such folder.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if !is_of_system(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names = entries.map(|entry| entry.map(name)).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
