//! The first stage: which files there are, what they hold, which series is meant.
//!
//! Files are listed recursively, links followed, in the order of `--input` and within it by the bytes of their relative paths,
//! so that "file 17 of 303" means the same file every time. Names mean nothing: hidden files are listed like others, and what is
//! no DICOM is found out from its head. Links to nothing are passed over; a folder that contains itself is an error. An input
//! that is an archive stands for the files in it. Only heads are read here.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use tomobasis_dicom::{Inventory, SeriesPlan, file_label};
use walkdir::WalkDir;

use crate::{
    archive::{self, damaged},
    error::{Error, Result},
    options::{OnBadSlice, Options, series_choice},
    progress::Progress,
};

/// Bytes of a file that are read at first: enough for most headers.
const HEAD: u64 = 16 * 1024;
/// Files whose heads are in memory at a time.
const BATCH: usize = 256;

/// One file under `--input`.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Where it, or the archive that it is in, is.
    pub path: PathBuf,
    /// Its path relative to the input; hashed before it is shown.
    pub name: String,
    /// Its place in the archive's order.
    pub entry: Option<usize>,
}

impl InputFile {
    /// The error for this file, at place `index` of `count`; the log that `--verbose` shows has its path.
    pub(crate) fn unreadable(&self, index: usize, count: usize, source: io::Error) -> Error {
        log::debug!("the file at fault is {}", self.path.display());
        Error::Unreadable { file: file_label(index, count, &self.name), source }
    }
}

/// Lists the files under all inputs, in listing order.
///
/// # Errors
/// [`Error::Input`] when an input does not exist or is not local, [`Error::Unreadable`] for a folder that cannot be read.
pub fn list(inputs: &[String]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for input in inputs {
        let root = local_path("--input", input)?;
        let start = files.len();
        if !root.exists() {
            return Err(Error::Input("there is no such folder or file; check the path".to_owned()));
        }
        if root.is_file()
            && let Some(kind) = archive_kind(&root).map_err(damaged)?
        {
            files.extend(list_archive(&root, kind)?);
            continue;
        }
        for entry in WalkDir::new(&root).follow_links(true) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if is_dangling_link(&error) => continue,
                Err(error) => return Err(unlistable(&error)),
            };
            if entry.file_type().is_file() {
                let relative = entry.path().strip_prefix(&root).unwrap_or(entry.path());
                let relative =
                    if relative.as_os_str().is_empty() { Path::new(entry.file_name()) } else { relative };
                let name = relative.to_string_lossy().into_owned();
                files.push(InputFile { path: entry.path().to_owned(), name, entry: None });
            }
        }
        files[start..].sort_by(|a, b| a.path.as_os_str().as_bytes().cmp(b.path.as_os_str().as_bytes()));
    }
    Ok(files)
}

fn is_dangling_link(error: &walkdir::Error) -> bool {
    let not_found = error.io_error().is_some_and(|io| io.kind() == io::ErrorKind::NotFound);
    not_found && error.path().is_some_and(Path::is_symlink)
}

fn unlistable(error: &walkdir::Error) -> Error {
    let reason = error.io_error().map_or("it contains itself".to_owned(), |io| io.kind().to_string());
    Error::Input(format!("a folder in it cannot be listed ({reason}); check its permissions and links"))
}

fn archive_kind(path: &Path) -> io::Result<Option<archive::Kind>> {
    Ok(archive::kind(&head(path, archive::MAGIC_BYTES)?.1))
}

/// The files of an archive.
fn list_archive(path: &Path, kind: archive::Kind) -> Result<Vec<InputFile>> {
    let files = archive::list(kind, File::open(path).map_err(damaged)?)?.into_iter();
    Ok(files
        .map(|file| InputFile { path: path.to_owned(), name: file.name, entry: Some(file.index) })
        .collect())
}

/// Walks the archive at `path`: see [`archive::walk`].
pub(crate) fn walk(
    path: &Path,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(archive::Entry<'_>) -> Result<bool>,
) -> Result<()> {
    let kind =
        archive_kind(path).and_then(|kind| kind.ok_or(io::ErrorKind::InvalidData.into())).map_err(damaged)?;
    archive::walk(kind, File::open(path).map_err(damaged)?, wanted, each)
}

/// The local path that an argument means: a plain path or a `file:` URI.
///
/// # Errors
/// [`Error::Option`] for other URIs.
pub fn local_path(option: &'static str, text: &str) -> Result<PathBuf> {
    if Path::new(text).exists() {
        return Ok(text.into());
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    match scheme {
        None => Ok(text.into()),
        Some("file") => {
            let path = &text["file:".len()..];
            Ok(path.strip_prefix("//").unwrap_or(path).into())
        }
        Some(scheme) => Err(Error::option(
            option,
            format!(
                "{scheme}: is read and written by the Spark job only; give a local path, or use tomobasis-submit"
            ),
        )),
    }
}

/// Reads the heads of all files, on the current thread pool.
///
/// # Errors
/// [`Error::Unreadable`], and what the headers are refused for.
pub fn take_inventory(files: &[InputFile], progress: &dyn Progress) -> Result<Inventory> {
    let mut inventory = Inventory::new();
    let (packed, plain): (Vec<_>, Vec<_>) =
        files.iter().enumerate().partition(|(_, file)| file.entry.is_some());
    for part in plain.chunks(BATCH) {
        let heads: Vec<io::Result<(u64, Vec<u8>)>> =
            part.par_iter().map(|(_, file)| head(&file.path, HEAD)).collect();
        for (&(index, file), head_read) in part.iter().zip(heads) {
            let unreadable =
                |source| Error::Unreadable { file: file_label(index, files.len(), &file.name), source };
            let (length, mut bytes) = match head_read {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    inventory.add_unreadable(index, &file.name)?;
                    progress.advance(1);
                    continue;
                }
                Err(error) => return Err(unreadable(error)),
            };
            loop {
                let needed = inventory.add(index, &file.name, length, &bytes)?;
                if needed <= bytes.len() as u64 {
                    break;
                }
                bytes = head(&file.path, needed).map_err(unreadable)?.1;
            }
            progress.advance(1);
        }
    }
    let mut archives: BTreeMap<&Path, BTreeMap<usize, usize>> = BTreeMap::new();
    for (index, file) in packed {
        archives.entry(&file.path).or_default().extend(file.entry.map(|entry| (entry, index)));
    }
    for (path, entries) in archives {
        walk(path, &|entry| entries.contains_key(&entry), &mut |mut entry| {
            let Some(&index) = entries.get(&entry.index) else { return Ok(true) };
            let mut needed = HEAD;
            while needed > 0 {
                let (name, length) = (entry.name.clone(), entry.length);
                needed = inventory.add(index, &name, length, entry.head(needed).map_err(damaged)?)?;
            }
            progress.advance(1);
            Ok(true)
        })?;
    }
    Ok(inventory)
}

/// The series that the options mean, checked against them.
///
/// # Errors
/// What the inventory and [`Options::check_against`] refuse.
pub fn select(inventory: &mut Inventory, options: &Options) -> Result<SeriesPlan> {
    if options.on_bad_slice == OnBadSlice::Skip {
        inventory.skip_bad_slices();
    }
    if options.join {
        inventory.join();
    }
    let mut plan = inventory.select(&series_choice(options.series.as_deref()))?;
    plan.padding = options.padding.into();
    options.check_against(&plan)?;
    Ok(plan)
}

/// Length of a file and its first bytes, at most `limit`.
fn head(path: &Path, limit: u64) -> io::Result<(u64, Vec<u8>)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(limit.min(length) as usize);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok((length, bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_listed_by_the_bytes_of_their_paths() {
        let base = tempfile::tempdir().unwrap();
        for name in ["b/2", "b.c", "a", "B", "b/10"] {
            let path = base.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        let uri = format!("file://{}", base.path().display());
        for input in [base.path().to_str().unwrap(), &uri] {
            let names: Vec<String> =
                list(&[input.to_owned()]).unwrap().into_iter().map(|file| file.name).collect();
            assert_eq!(names, ["B", "a", "b.c", "b/10", "b/2"]);
        }
    }

    #[test]
    fn links_to_nothing_are_passed_over_and_a_folder_in_itself_is_refused() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("a"), b"").unwrap();
        std::os::unix::fs::symlink("nowhere", base.path().join("b")).unwrap();
        let input = base.path().to_str().unwrap().to_owned();
        assert_eq!(list(std::slice::from_ref(&input)).unwrap().len(), 1);
        std::os::unix::fs::symlink(base.path(), base.path().join("c")).unwrap();
        assert!(list(&[input]).unwrap_err().to_string().contains("contains itself"));
    }

    #[test]
    fn a_single_file_is_named_by_its_name() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("1.dcm");
        fs::write(&path, b"").unwrap();
        assert_eq!(list(&[path.to_str().unwrap().to_owned()]).unwrap()[0].name, "1.dcm");
    }

    #[test]
    fn missing_and_remote_inputs_are_refused_without_their_names() {
        let missing = list(&["/nowhere/DOE".to_owned()]).unwrap_err();
        assert_eq!((missing.exit_code(), missing.to_string().contains("DOE")), (3, false));
        let remote = list(&["s3a://bucket/DOE".to_owned()]).unwrap_err();
        assert_eq!((remote.exit_code(), remote.to_string().contains("DOE")), (2, false));
        assert!(remote.to_string().contains("tomobasis-submit"));
    }
}
