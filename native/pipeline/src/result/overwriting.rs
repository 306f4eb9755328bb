//! What `--overwrite` may replace: an empty folder, or a result of ours with nothing of anybody's in it.

use std::{collections::BTreeSet, fs, io, path::Path};

use serde_json::Value;

use super::{
    disk::{is_last, is_leftover, unlisted},
    folder::read_manifest,
};
use crate::{
    error::{Error, Result, is_of_system},
    output::CONTENTS,
};

/// What the job has in a result on an object store until it is complete.
pub(super) const UNFINISHED_MARK: &str = "_UNFINISHED";

/// Refuses an output that exists, unless it may be overwritten and is an empty folder or a result with nothing else in it.
///
/// # Errors
/// [`Error::OutputExists`], [`Error::OutputForeign`], [`Error::OutputHoldsOthers`].
pub(super) fn allow_overwriting(output: &Path, overwrite: bool) -> Result<()> {
    if !overwrite {
        return Err(Error::OutputExists);
    }
    let names = || -> io::Result<Vec<String>> {
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        fs::read_dir(output)?.map(|entry| entry.map(name)).collect()
    };
    let foreign = |error| match is_of_system(&error) {
        true => Error::OutputNotWritable(error),
        false => Error::OutputForeign,
    };
    let names = names().map_err(foreign)?;
    if names.is_empty() {
        return Ok(());
    }
    let manifest = manifest_of(&read_manifest(output).map_err(foreign)?).ok_or(Error::OutputForeign)?;
    match others(output, &names, &manifest).map_err(Error::OutputNotWritable)? {
        0 => Ok(()),
        others => Err(Error::OutputHoldsOthers { others }),
    }
}

/// The manifest of a result, of whatever version. Other programs have a `manifest.json` too.
fn manifest_of(bytes: &[u8]) -> Option<Value> {
    let json = serde_json::from_slice::<Value>(bytes).ok()?;
    json.get("format")?.as_str()?.starts_with("tomobasis result ").then_some(json)
}

/// How many files and folders are there that are not of the result: where its manifest lists files, by that list, else by their names.
fn others(output: &Path, names: &[String], manifest: &Value) -> io::Result<usize> {
    let Some(listed) = listed(manifest) else {
        return Ok(names.iter().filter(|name| !is_of_result(name)).count());
    };
    let paths: BTreeSet<&str> = listed.paths.iter().map(String::as_str).collect();
    // Plain names beside a run's folder are of attempts that were taken over.
    let is_left = |path: &str| !listed.in_place && CONTENTS.contains(&path);
    let is_own = |path: &str| is_last(path) || is_leftover(path) || is_checksum(path) || is_left(path);
    Ok(unlisted(output, &paths)?.iter().filter(|path| !is_own(path)).count())
}

/// The files that a manifest lists.
struct Listed {
    /// From the result's folder on.
    paths: BTreeSet<String>,
    /// They are beside the manifest.
    in_place: bool,
}

/// `None` where the manifest lists none, as those of earlier versions.
fn listed(manifest: &Value) -> Option<Listed> {
    let (files, run) = (manifest.get("files")?.as_array()?, manifest.get("run"));
    let place = run.and_then(|run| run.get("folder")).and_then(Value::as_str);
    let path = |file: &Value| {
        let path = file.get("path")?.as_str()?;
        Some(place.map_or_else(|| path.to_owned(), |place| format!("{place}/{path}")))
    };
    let report = run.and_then(|run| run.get("report"));
    Some(Listed { paths: files.iter().chain(report).filter_map(path).collect(), in_place: place.is_none() })
}

/// Whether a result folder may hold the name.
fn is_of_result(name: &str) -> bool {
    CONTENTS.contains(&name) || is_last(name) || is_leftover(name) || is_checksum(name)
}

/// Whether it is one of the checksums that Hadoop leaves beside local files.
fn is_checksum(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.') && name.ends_with(".crc")
}
