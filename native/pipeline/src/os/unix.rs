//! Linux and macOS.

use std::{
    borrow::Cow,
    fs::{self, File, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileExt, MetadataExt},
    },
    path::Path,
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::{Fault, Renamed};

/// What an error of the operating system is about; `None` for one that a reader of our own has made.
#[must_use]
pub fn fault(error: &io::Error) -> Option<Fault> {
    Some(match Errno::from_io_error(error)? {
        Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::NAMETOOLONG => Fault::NoSuchPath,
        Errno::EXIST | Errno::NOTEMPTY | Errno::LOOP | Errno::INVAL | Errno::NXIO | Errno::OPNOTSUPP => {
            Fault::Path
        }
        Errno::MFILE => Fault::OpenFiles,
        Errno::NFILE => Fault::OpenFilesOfAll,
        Errno::NOMEM => Fault::Memory,
        Errno::NOSPC | Errno::DQUOT => Fault::Full,
        Errno::FBIG => Fault::FileSize,
        Errno::ACCESS | Errno::PERM | Errno::ROFS => Fault::Refused,
        _ => Fault::Other,
    })
}

/// Gives a folder a name that nothing has.
///
/// # Errors
/// The operating system's.
pub fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<Renamed> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Renamed::Done),
        // macOS says of a volume without it that it is not supported.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(Renamed::Unsupported),
        Err(Errno::EXIST) => Ok(Renamed::Taken),
        Err(error) => Err(error.into()),
    }
}

/// Gives each of two folders the other's name.
///
/// # Errors
/// The operating system's, also where the file system cannot.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Gives a folder another name, also that of an empty folder.
///
/// # Errors
/// The operating system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// What tells a folder from all others, whatever path leads to it.
pub type FolderId = (u64, u64);

/// The same of the folder that a path leads to.
///
/// # Errors
/// None here.
pub fn folder_id(_path: &Path, found: &Metadata) -> io::Result<FolderId> {
    Ok((found.dev(), found.ino()))
}

/// When a file was last changed: seconds, and their fraction.
#[must_use]
pub fn modified(found: &Metadata) -> (i64, i64) {
    (found.mtime(), found.mtime_nsec())
}

/// The bytes of a path, by which files are put in order.
#[must_use]
pub fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    path.as_os_str().as_bytes().into()
}

/// A path in words, with `/` between its parts.
#[must_use]
pub fn text_of(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}

/// Reads from a place in a file on.
///
/// # Errors
/// The operating system's.
pub fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(bytes, at)
}

/// Fills `bytes` from a place in a file on.
///
/// # Errors
/// The operating system's, and `UnexpectedEof` where the file ends before.
pub fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(bytes, at)
}
