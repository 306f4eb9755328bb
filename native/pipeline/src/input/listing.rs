//! Which files there are.
//!
//! Files are listed recursively, links followed, in the order of `--input` and within it by the bytes of their relative paths,
//! so that "file 17 of 303" means the same file every time. Names mean nothing: hidden files are listed like others, and what is
//! no DICOM is found out from its head. An input that is an archive stands for the files in it. What is there and cannot be read (a FIFO, a
//! link that leads nowhere, a folder without permission) is listed too, with the reason, so that it is counted, and stops a series
//! that it may belong to. The Spark job lists the local file system by this code too: the JVM has no names for files whose
//! names are not in its character set.

use std::{
    collections::{BTreeSet, HashSet},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use tomobasis_dicom::{Unread, file_label};
use walkdir::WalkDir;

use crate::{
    error::{Error, Result, is_no_fault_of_input},
    input::archive::{self, Listed, damaged, is_damage},
    os::{self, FolderId, read_exact_at},
};

/// Something under `--input`.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Where it, or the archive that it is in, is.
    pub path: PathBuf,
    /// Its path relative to the input; hashed before it is shown.
    pub name: String,
    /// Its length, where it has one.
    pub length: Option<u64>,
    /// Where it is in an archive.
    pub entry: Option<Listed>,
    /// Why it cannot be read.
    pub unread: Option<Unread>,
    /// All its bytes, where somebody has read it already; `path` leads nowhere then.
    pub held: Option<Arc<Vec<u8>>>,
}

impl InputFile {
    /// A file of a folder.
    #[must_use]
    pub fn plain(path: PathBuf, name: String) -> Self {
        Self { path, name, length: None, entry: None, unread: None, held: None }
    }

    /// A file whose bytes are at hand.
    #[must_use]
    pub fn of_bytes(name: String, bytes: Vec<u8>) -> Self {
        let length = Some(bytes.len() as u64);
        Self { length, held: Some(Arc::new(bytes)), ..Self::plain(PathBuf::new(), name) }
    }

    /// The error for this file, at place `index` of `count`; the log that `--verbose` shows has its path.
    pub(crate) fn unreadable(&self, index: usize, count: usize, source: io::Error) -> Error {
        log::debug!("the file at fault is {}", self.path.display());
        let file = file_label(index, count, &self.name);
        if self.is_damaged(&source) {
            return Error::Input(format!("{file}: {}", Unread::Damaged));
        }
        match is_no_fault_of_input(&source) {
            true => Error::System { file, source },
            false => Error::Unreadable { file, source },
        }
    }

    /// Whether an error of [`Self::read`] is that this file of an archive is damaged.
    pub(crate) fn is_damaged(&self, error: &io::Error) -> bool {
        self.entry.is_some() && is_damage(error)
    }

    /// A part of a file that is in no gzip stream, or as much of that part as there is.
    pub(crate) fn read(&self, start: u64, end: u64) -> io::Result<Vec<u8>> {
        let file = File::open(&self.path)?;
        match &self.entry {
            Some(entry) => archive::read(&|at, bytes| read_exact_at(&file, bytes, at), entry, start..end),
            None => read_at(&file, start, end),
        }
    }
}

/// A part of a file, or as much of it as there is.
///
/// # Errors
/// Those of the file system.
pub fn read_at(file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let (mut bytes, mut at) = (Vec::new(), start);
    let mut from_here = FromHere { file, at: &mut at };
    (&mut from_here).take(end.saturating_sub(start)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

struct FromHere<'a> {
    file: &'a File,
    at: &'a mut u64,
}

impl Read for FromHere<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = os::read_at(self.file, bytes, *self.at)?;
        *self.at += count as u64;
        Ok(count)
    }
}

/// Lists what is under all inputs, in listing order.
///
/// # Errors
/// [`Error::Input`] when an input does not exist, is not local or cannot be listed, [`Error::System`] when that is not its fault.
pub fn list(inputs: &[String]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for input in inputs {
        files.extend(list_path(&local_path("--input", input)?)?);
    }
    Ok(files)
}

/// Lists what is under all inputs, archives as the files that they are.
///
/// # Errors
/// As [`list`].
pub fn list_plain(inputs: &[String]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for input in inputs {
        files.extend(list_plain_path(&local_path("--input", input)?)?);
    }
    Ok(files)
}

/// The same of one path.
///
/// # Errors
/// As [`list`].
pub fn list_plain_path(root: &Path) -> Result<Vec<InputFile>> {
    fs::metadata(root).map_err(absent)?;
    list_folder(root)
}

/// Lists what is under one path.
///
/// # Errors
/// As [`list`].
pub fn list_path(root: &Path) -> Result<Vec<InputFile>> {
    let metadata = fs::metadata(root).map_err(absent)?;
    if metadata.is_file() {
        let mut file = File::open(root).map_err(Error::unreadable_input)?;
        if let Some(kind) = archive::kind_of(&mut file)? {
            return list_archive(root, kind);
        }
    }
    list_folder(root)
}

fn absent(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::InputAbsent,
        _ => Error::unreadable_input(error),
    }
}

/// Lists a folder, or a file as it is.
fn list_folder(root: &Path) -> Result<Vec<InputFile>> {
    let mut listing =
        FolderListing { root, files: Vec::new(), folders: HashSet::new(), links: BTreeSet::new() };
    listing.walk(root)?;
    // Folders at their own places come first, so that a link to one of them is only that.
    while let Some(link) = listing.links.pop_first() {
        listing.follow(&link)?;
    }
    let mut files = listing.files;
    files.sort_by(|a, b| os::path_bytes(&a.path).cmp(&os::path_bytes(&b.path)));
    Ok(files)
}

/// A folder that is being listed. However many links lead to a folder, its files are listed once.
struct FolderListing<'a> {
    root: &'a Path,
    files: Vec<InputFile>,
    /// Those that were listed.
    folders: HashSet<FolderId>,
    /// Links that were not followed yet.
    links: BTreeSet<PathBuf>,
}

impl FolderListing<'_> {
    /// Lists what is below a folder; links are for later.
    fn walk(&mut self, folder: &Path) -> Result<()> {
        let mut walk = WalkDir::new(folder).into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    self.add_unlisted(&path, error.io_error())?;
                    continue;
                }
            };
            let (path, kind) = (entry.path(), entry.file_type());
            if entry.depth() == 0 || kind.is_dir() {
                match identified(path) {
                    Ok((found, _)) if found.is_file() => self.add(path, Ok(found))?,
                    Ok((_, folder)) => {
                        if !self.folders.insert(folder) {
                            walk.skip_current_dir();
                        }
                    }
                    Err(error) => self.add_unlisted(path, Some(&error))?,
                }
            } else if kind.is_symlink() {
                self.links.insert(path.to_owned());
            } else if kind.is_file() {
                self.add(path, entry.metadata().map_err(io::Error::from))?;
            } else {
                self.push(path, None, Some(Unread::Special));
            }
        }
        Ok(())
    }

    fn follow(&mut self, link: &Path) -> Result<()> {
        match identified(link) {
            Ok((found, folder)) if found.is_dir() => {
                if self.folders.contains(&folder) {
                    self.push(link, None, Some(Unread::FolderLink));
                    return Ok(());
                }
                self.walk(link)
            }
            Ok((found, _)) if found.is_file() => self.add(link, Ok(found)),
            Ok(_) => {
                self.push(link, None, Some(Unread::Special));
                Ok(())
            }
            Err(error) => self.add_unlisted(link, Some(&error)),
        }
    }

    fn add(&mut self, path: &Path, found: io::Result<fs::Metadata>) -> Result<()> {
        match found {
            Ok(found) => self.push(path, Some(found.len()), None),
            Err(error) => self.push(path, None, Some(Unread::File(reason(Some(&error))?))),
        }
        Ok(())
    }

    /// Adds what the walk could not enter or follow.
    fn add_unlisted(&mut self, path: &Path, error: Option<&io::Error>) -> Result<()> {
        let reason = reason(error)?;
        if path == self.root {
            return Err(Error::Input(format!(
                "it cannot be listed ({reason}); check its permissions and links"
            )));
        }
        let unread = match fs::symlink_metadata(path).map(|found| found.file_type()) {
            Ok(kind) if kind.is_symlink() && !path.exists() => Unread::Link,
            Ok(kind) if kind.is_dir() || path.is_dir() => match path.file_name() {
                Some(name) if name == "lost+found" => Unread::LostAndFound,
                _ => Unread::Folder(reason),
            },
            _ => Unread::File(reason),
        };
        self.push(path, None, Some(unread));
        Ok(())
    }

    fn push(&mut self, path: &Path, length: Option<u64>, unread: Option<Unread>) {
        let file = InputFile::plain(path.to_owned(), relative(self.root, path));
        self.files.push(InputFile { length, unread, ..file });
    }
}

/// What a path leads to, and what tells it from all others.
fn identified(path: &Path) -> io::Result<(fs::Metadata, FolderId)> {
    let found = fs::metadata(path)?;
    let folder = os::folder_id(path, &found)?;
    Ok((found, folder))
}

/// Why something cannot be listed, where that says something of it.
fn reason(error: Option<&io::Error>) -> Result<String> {
    let Some(error) = error else { return Ok("it changes".to_owned()) };
    match (is_no_fault_of_input(error), error.raw_os_error()) {
        (true, Some(errno)) => Err(Error::unreadable_input(io::Error::from_raw_os_error(errno))),
        _ => Ok(error.kind().to_string()),
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let relative = if relative.as_os_str().is_empty() {
        Path::new(path.file_name().unwrap_or_default())
    } else {
        relative
    };
    os::text_of(relative).into_owned()
}

/// What is in an archive.
fn list_archive(path: &Path, kind: archive::Kind) -> Result<Vec<InputFile>> {
    let own_name = || relative(path, path);
    let file = |entry: Listed| InputFile {
        path: path.to_owned(),
        name: if entry.name.is_empty() { own_name() } else { entry.name.clone() },
        length: entry.known_length(),
        unread: entry.unread.clone(),
        entry: Some(entry),
        held: None,
    };
    let entries = archive::list(kind, File::open(path).map_err(damaged)?)?;
    Ok(entries.into_iter().map(file).collect())
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

/// Whether an output lies in an input, by whatever path, as far as both are local.
#[must_use]
pub fn lies_in(output: &str, input: &str) -> bool {
    let real_input = || local_path("--input", input).ok()?.canonicalize().ok();
    let real_output = || real_path(&local_path("--output", output).ok()?);
    real_input().zip(real_output()).is_some_and(|(input, output)| output.starts_with(input))
}

/// A path without links, also one of which the last folders are still to be made.
fn real_path(path: &Path) -> Option<PathBuf> {
    let there =
        path.ancestors().find(|path| path.as_os_str().is_empty() || path.symlink_metadata().is_ok())?;
    let rest = path.strip_prefix(there).ok()?;
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    Some(there.canonicalize().ok()?.join(rest))
}

#[cfg(test)]
mod tests {
    use std::os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::symlink,
        net::UnixListener,
    };

    use super::*;

    fn names_of(input: &str) -> Vec<String> {
        list(&[input.to_owned()]).unwrap().into_iter().map(|file| file.name).collect()
    }

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
            assert_eq!(names_of(input), ["B", "a", "b.c", "b/10", "b/2"]);
        }
    }

    #[test]
    fn names_and_folders_that_are_not_utf_8_are_listed_in_the_order_of_their_bytes() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join(std::ffi::OsString::from_vec(b"f\xE9".to_vec()));
        fs::create_dir(&folder).unwrap();
        for name in [b"\xE9".as_slice(), b"\xC3\xA9", b"e"] {
            fs::write(folder.join(std::ffi::OsString::from_vec(name.to_vec())), b"").unwrap();
        }
        let listed = list_path(base.path()).unwrap();
        let names: Vec<&[u8]> = listed.iter().map(|file| file.path.file_name().unwrap().as_bytes()).collect();
        assert_eq!(names, [b"e".as_slice(), b"\xC3\xA9", b"\xE9"]);
        assert!(listed.iter().all(|file| file.length == Some(0)));
    }

    #[test]
    fn what_is_no_readable_file_is_listed_with_the_reason() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        fs::write(at("a"), b"1").unwrap();
        symlink("nowhere", at("b")).unwrap();
        symlink("c", at("c")).unwrap();
        symlink(base.path(), at("d")).unwrap();
        let _socket = UnixListener::bind(at("e")).unwrap();
        symlink("a", at("f")).unwrap();
        let listed: Vec<_> =
            list_path(base.path()).unwrap().into_iter().map(|file| (file.name, file.unread)).collect();
        let expected = [
            ("a", None),
            ("b", Some(Unread::Link)),
            ("c", Some(Unread::Link)),
            ("d", Some(Unread::FolderLink)),
            ("e", Some(Unread::Special)),
            ("f", None),
        ];
        assert_eq!(listed, expected.map(|(name, unread)| (name.to_owned(), unread)));
    }

    #[test]
    fn a_folder_that_many_links_lead_to_is_listed_once() {
        let base = tempfile::tempdir().unwrap();
        let [inside, outside] = ["inside", "outside"].map(|name| base.path().join(name));
        // Each folder of a ring leads twice to the next: a path for each way through it would take for ever.
        for i in 0..40 {
            let folder = inside.join(format!("{i:02}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("file"), b"1").unwrap();
            ["a", "b"]
                .iter()
                .for_each(|name| symlink(format!("../{:02}", (i + 1) % 40), folder.join(name)).unwrap());
        }
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), b"1").unwrap();
        ["x", "y"].iter().for_each(|name| symlink(&outside, inside.join(name)).unwrap());
        let listed = list_path(&inside).unwrap();
        let read: Vec<&str> =
            listed.iter().filter(|file| file.unread.is_none()).map(|file| file.name.as_str()).collect();
        let mut expected: Vec<String> = (0..40).map(|i| format!("{i:02}/file")).collect();
        expected.push("x/file".to_owned());
        assert_eq!(read, expected);
        let links = listed.iter().filter(|file| file.unread == Some(Unread::FolderLink));
        assert_eq!(links.count(), 81);
    }

    #[test]
    fn a_single_file_is_named_by_its_name() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("1.dcm");
        fs::write(&path, b"").unwrap();
        assert_eq!(names_of(path.to_str().unwrap()), ["1.dcm"]);
    }

    #[test]
    fn missing_and_remote_inputs_are_refused_without_their_names() {
        let missing = list(&["/nowhere/DOE".to_owned()]).unwrap_err();
        assert_eq!((missing.exit_code(), missing.to_string().contains("DOE")), (3, false));
        let remote = list(&["s3a://bucket/DOE".to_owned()]).unwrap_err();
        assert_eq!((remote.exit_code(), remote.to_string().contains("DOE")), (2, false));
        assert!(remote.to_string().contains("tomobasis-submit"));
    }

    #[test]
    fn packed_files_of_other_formats_are_refused_by_name() {
        let base = tempfile::tempdir().unwrap();
        for (name, head) in [
            ("bzip2", b"BZh91AY&SY".as_slice()),
            ("xz", b"\xFD7zXZ\0"),
            ("zstd", b"\x28\xB5\x2F\xFD"),
            ("7z", b"7z\xBC\xAF\x27\x1C"),
            ("compress (.Z)", b"\x1F\x9D\x90"),
            ("lz4", b"\x04\x22\x4D\x18"),
            ("lzip", b"LZIP\x01"),
            ("cab", b"MSCF\0\0\0\0"),
            ("cpio", b"070701"),
            ("zip in several parts", b"PK\x07\x08PK\x03\x04"),
        ] {
            let path = base.path().join("archive");
            fs::write(&path, head).unwrap();
            let text = list_path(&path).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains("unpack"), "{text}");
        }
    }

    #[test]
    fn an_output_that_lies_in_the_input_is_found_by_whatever_path() {
        let base = tempfile::tempdir().unwrap();
        let path = |name: &str| base.path().join(name).to_str().unwrap().to_owned();
        fs::create_dir_all(path("scans/a")).unwrap();
        symlink(path("scans"), path("link")).unwrap();
        for output in ["scans", "scans/out", "scans/a/x/y", "link/out", "link", "scans/../scans/out"] {
            assert!(lies_in(&path(output), &path("scans")), "{output}");
            assert!(lies_in(&path(output), &path("link")), "{output}");
        }
        for output in ["out", "scans-out", "scans/../out"] {
            assert!(!lies_in(&path(output), &path("scans")), "{output}");
        }
        assert!(!lies_in("s3a://scans/out", &path("scans")) && !lies_in(&path("scans/out"), "s3a://scans"));
    }
}
