//! What `--overwrite` may replace: an empty folder, or one of the kind to be written, as it was written and with nothing of anybody's
//! in it.

use std::{collections::BTreeSet, fs, io, path::Path};

use serde::Deserialize;
use serde_json::Value;
use tomobasis_dicom::printable;

use super::{
    FileEntry,
    check::check_pixels,
    disk::{problem_with, read_manifest},
    names::{MANIFEST, is_checksum, is_last, is_leftover, is_run_folder},
    paths::{folders_of, is_inside, paths_in},
    seal::is_sealed,
};
use crate::{
    error::{Error, FolderKind, Result, is_of_system},
    output::{CONTENTS, dicom},
    solve::digest::Digest,
};

/// Refuses an output that exists, unless it may be overwritten and is an empty folder or one of this kind as it was written, with
/// nothing else in it.
///
/// # Errors
/// [`Error::OutputExists`], [`Error::OutputForeign`], [`Error::OutputChanged`], [`Error::OutputHoldsOthers`].
pub(super) fn allow_overwriting(output: &Path, kind: FolderKind, overwrite: bool) -> Result<()> {
    if !overwrite {
        return Err(Error::OutputExists);
    }
    let names = || -> io::Result<Vec<String>> {
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        fs::read_dir(output)?.map(|entry| entry.map(name)).collect()
    };
    let foreign = |error| match is_of_system(&error) {
        true => Error::OutputNotWritable(error),
        false => Error::OutputForeign(kind),
    };
    let names = names().map_err(foreign)?;
    if names.is_empty() {
        return Ok(());
    }
    let found = read_manifest(output).map_err(foreign)?;
    let found = FoundResult::of_kind(kind, &found).ok_or(Error::OutputForeign(kind))?;
    if let Some(what) = found.changed_in(output) {
        return Err(Error::OutputChanged { kind, what });
    }
    match found.others_in(output).map_err(Error::OutputNotWritable)? {
        0 => Ok(()),
        others => Err(Error::OutputHoldsOthers { kind, others }),
    }
}

/// What a manifest says of the content of files.
#[derive(Clone, Debug, Default)]
struct Content {
    files: Vec<FileEntry>,
    /// Folders of derived series, with the digests of their pixels.
    series: Vec<(String, Digest)>,
}

impl Content {
    /// What can be read of it: a manifest of another version may say other things.
    fn of(json: &Value) -> Self {
        let run = json.get("run");
        let report = run.and_then(|run| run.get("report"));
        let listed = json.get("files").and_then(Value::as_array);
        let files = listed.into_iter().flatten().chain(report);
        let files = files.filter_map(|file| FileEntry::deserialize(file).ok()).collect();
        let digest = |value: Option<&Value>| Digest::deserialize(value?).ok();
        let composites = json.pointer("/derived/series").and_then(Value::as_array).into_iter().flatten();
        let composite = |one: &Value| {
            let k = usize::try_from(one.get("k")?.as_u64()?).ok()?;
            Some((dicom::folder(k), digest(one.get("pixels"))?))
        };
        let denoised = digest(json.pointer("/digests/denoised"));
        let denoised = denoised.map(|pixels| (dicom::FOLDER.to_owned(), pixels));
        Self { files, series: composites.filter_map(composite).chain(denoised).collect() }
    }

    /// The first file or series that is there and has other content. Files that are gone are no loss, and nobody works on tables, which
    /// may be gigabytes; those that cannot be read are not ours.
    fn changed_in(&self, folder: &Path) -> Option<String> {
        let changed = |file: &&FileEntry| {
            let path = folder.join(&file.path);
            if !is_inside(&file.path) || is_table(&file.path) || fs::symlink_metadata(&path).is_err() {
                return false;
            }
            !matches!(problem_with(&path, file.content()), Ok(None))
        };
        if let Some(file) = self.files.iter().find(changed) {
            return Some(printable(&file.path).to_string());
        }
        let differs = |(name, pixels): &&(String, Digest)| {
            folder.join(name).is_dir() && check_pixels(folder, name, *pixels).is_err()
        };
        self.series.iter().find(differs).map(|(name, _)| name.clone())
    }
}

/// A result that is in a folder, as its manifest says, of whatever version.
#[derive(Clone, Debug, Default)]
pub struct FoundResult {
    /// The attempt that made it.
    pub run_id: Option<String>,
    /// The folder of its files, where they are not beside the manifest.
    pub run_folder: Option<String>,
    /// Its files, from the result's folder on; `None` where the manifest lists none, as those of earlier versions.
    listed: Option<BTreeSet<String>>,
    /// Whether the manifest has a seal that is not that of its bytes: what it lists was not written by this program then.
    is_changed: bool,
    content: Content,
}

impl FoundResult {
    /// `None` where this is no manifest of a result: other programs have a `manifest.json` too.
    #[must_use]
    pub fn of_manifest(bytes: &[u8]) -> Option<Self> {
        Self::of_kind(FolderKind::Result, bytes)
    }

    /// The same of what the job writes.
    #[must_use]
    pub fn of_job(bytes: &[u8]) -> Option<Self> {
        let kinds = [FolderKind::Result, FolderKind::Denoised];
        kinds.into_iter().find_map(|kind| Self::of_kind(kind, bytes))
    }

    /// The same of any folder that has a manifest with `format` and `files`.
    #[must_use]
    pub fn of_kind(kind: FolderKind, bytes: &[u8]) -> Option<Self> {
        let format_of_kind = match kind {
            FolderKind::Result => "tomobasis result ",
            FolderKind::Reference => "tomobasis reference ",
            FolderKind::Denoised => "tomobasis denoised ",
            FolderKind::Certificate => "tomobasis certificate ",
        };
        let json = serde_json::from_slice::<Value>(bytes).ok()?;
        json.get("format")?.as_str()?.strip_prefix(format_of_kind)?;
        let run = json.get("run");
        let of_run = |field: &str| {
            let text = run.and_then(|run| run.get(field)).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let run_folder = of_run("folder");
        let path = |file: &Value| {
            let path = file.get("path")?.as_str()?;
            Some(run_folder.as_ref().map_or_else(|| path.to_owned(), |folder| format!("{folder}/{path}")))
        };
        let report = run.and_then(|run| run.get("report"));
        let files = json.get("files").and_then(Value::as_array);
        let listed = files.map(|files| files.iter().chain(report).filter_map(path).collect());
        let seal = run.and_then(|run| run.get("manifest_sha256")).filter(|seal| !seal.is_null());
        let is_intact = |seal| Digest::deserialize(seal).is_ok_and(|seal| is_sealed(bytes, seal));
        let is_changed = seal.is_some_and(|seal| !is_intact(seal));
        Some(Self { run_id: of_run("id"), run_folder, listed, is_changed, content: Content::of(&json) })
    }

    /// The first file or series of a folder on this machine that was changed since it was written.
    fn changed_in(&self, output: &Path) -> Option<String> {
        if self.is_changed {
            return Some(MANIFEST.to_owned());
        }
        let folder = self.run_folder.as_deref().filter(|folder| is_run_folder(folder));
        self.content.changed_in(&folder.map_or_else(|| output.to_owned(), |folder| output.join(folder)))
    }

    /// The folders whose names tell what is not of the result: its own, which is empty, and those that its files are in.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<&str> {
        folders_of(self.listed.iter().flatten().map(String::as_str))
    }

    /// How many of the paths in these folders, those of folders with `/` at their end, are not of the result: where its manifest lists
    /// files, by that list, else by their names. A folder in the place of a listed file may hold anything, and so may one under the name
    /// of a run: only object stores have leftovers of that name, and copies of what is on them.
    pub fn others<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> usize {
        let folders = self.folders();
        let is_own_folder = |path: &str| {
            // The names of files have extensions.
            let is_content = CONTENTS.contains(&path) && Path::new(path).extension().is_none();
            folders.contains(path) || is_content || (self.run_folder.is_some() && is_leftover(path))
        };
        let is_own_file = |path: &str| match &self.listed {
            _ if self.is_changed && path == MANIFEST => false,
            None => is_of_result(path),
            Some(listed) => {
                // Plain names beside a run's folder are of attempts that were taken over.
                let is_left = self.run_folder.is_some() && CONTENTS.contains(&path);
                let is_listed = listed.contains(path) || folders.contains(path);
                is_listed || is_left || is_last(path) || is_leftover(path) || is_checksum(path)
            }
        };
        let is_own = |path: &str| match path.strip_suffix('/') {
            Some(folder) => is_own_folder(folder) && is_own_file(folder),
            None => is_own_file(path),
        };
        paths.into_iter().filter(|path| !is_own(path)).count()
    }

    /// The same of a folder on this machine.
    fn others_in(&self, output: &Path) -> io::Result<usize> {
        let mut paths = paths_in(output, &self.folders())?;
        for path in &mut paths {
            if fs::symlink_metadata(output.join(&*path)).is_ok_and(|found| found.is_dir()) {
                path.push('/');
            }
        }
        Ok(self.others(paths.iter().map(String::as_str)))
    }
}

fn is_table(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "parquet")
}

/// Whether a result folder may hold the name.
fn is_of_result(name: &str) -> bool {
    CONTENTS.contains(&name) || is_last(name) || is_leftover(name) || is_checksum(name)
}
