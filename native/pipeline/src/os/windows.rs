//! Windows.

use std::{
    borrow::Cow,
    fs::{self, File, Metadata},
    io, iter,
    mem::{size_of, zeroed},
    os::windows::{
        ffi::OsStrExt,
        fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use windows_sys::Win32::{
    Foundation as codes,
    Storage::FileSystem::MoveFileExW,
    System::{
        ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS, PROCESS_MEMORY_COUNTERS_EX},
        SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX},
        Threading::GetCurrentProcess,
    },
};

use super::{Fault, Memory, Renamed, fill};

/// How often, and after what time, a folder is renamed again that another program (of search, of backup, against viruses) looks into.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// What an error of the operating system is about; `None` for one that a reader of our own has made.
#[must_use]
pub fn fault(error: &io::Error) -> Option<Fault> {
    Some(match error.raw_os_error()?.cast_unsigned() {
        codes::ERROR_FILE_NOT_FOUND
        | codes::ERROR_PATH_NOT_FOUND
        | codes::ERROR_INVALID_DRIVE
        | codes::ERROR_INVALID_NAME
        | codes::ERROR_BAD_PATHNAME
        | codes::ERROR_DIRECTORY
        | codes::ERROR_FILENAME_EXCED_RANGE => Fault::NoSuchPath,
        codes::ERROR_FILE_EXISTS
        | codes::ERROR_ALREADY_EXISTS
        | codes::ERROR_DIR_NOT_EMPTY
        | codes::ERROR_CANT_RESOLVE_FILENAME
        | codes::ERROR_INVALID_PARAMETER
        | codes::ERROR_NEGATIVE_SEEK
        | codes::ERROR_NOT_SUPPORTED => Fault::Path,
        codes::ERROR_TOO_MANY_OPEN_FILES => Fault::OpenFiles,
        codes::ERROR_NO_SYSTEM_RESOURCES => Fault::OpenFilesOfAll,
        codes::ERROR_NOT_ENOUGH_MEMORY | codes::ERROR_OUTOFMEMORY | codes::ERROR_COMMITMENT_LIMIT => {
            Fault::Memory
        }
        codes::ERROR_DISK_FULL | codes::ERROR_HANDLE_DISK_FULL | codes::ERROR_DISK_QUOTA_EXCEEDED => {
            Fault::Full
        }
        codes::ERROR_FILE_TOO_LARGE => Fault::FileSize,
        codes::ERROR_ACCESS_DENIED | codes::ERROR_WRITE_PROTECT | codes::ERROR_PRIVILEGE_NOT_HELD => {
            Fault::Refused
        }
        _ => Fault::Other,
    })
}

/// Gives a folder a name that nothing has.
///
/// # Errors
/// The operating system's.
pub fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<Renamed> {
    match patiently(|| move_file(from, to)) {
        Ok(()) => Ok(Renamed::Done),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Renamed::Taken),
        Err(error) => Err(error),
    }
}

/// Gives each of two folders the other's name, which this system cannot.
///
/// # Errors
/// Always.
pub fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Gives a folder another name that nothing has.
///
/// # Errors
/// The operating system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| move_file(from, to))
}

/// Moves within a disk, and only to a name that nothing has.
fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    let [from, to] = [from, to].map(long_name);
    let (from, to) = (from?, to?);
    // SAFETY: both names end with a zero and live until the call returns.
    match unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), 0) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// A name for the system, which may be longer than 260 characters.
fn long_name(path: &Path) -> io::Result<Vec<u16>> {
    // The folder is there, the name in it need not be.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let path = fs::canonicalize(parent)?.join(name);
    let text: Vec<u16> = path.as_os_str().encode_wide().collect();
    match text.contains(&0) {
        true => Err(io::ErrorKind::InvalidFilename.into()),
        false => Ok(text.into_iter().chain(iter::once(0)).collect()),
    }
}

/// Does it again while it is refused for what another program may end at any moment.
fn patiently(mut rename: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    for _ in 1..TRIES {
        match rename() {
            Err(error) if is_in_use(&error) => thread::sleep(PAUSE),
            done => return done,
        }
    }
    rename()
}

fn is_in_use(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    let in_use = [codes::ERROR_ACCESS_DENIED, codes::ERROR_SHARING_VIOLATION, codes::ERROR_LOCK_VIOLATION];
    code.is_some_and(|code| in_use.contains(&code))
}

/// What tells a folder from all others, whatever path leads to it.
pub type FolderId = PathBuf;

/// The same of the folder that a path leads to.
///
/// # Errors
/// The operating system's.
pub fn folder_id(path: &Path, _found: &Metadata) -> io::Result<FolderId> {
    fs::canonicalize(path)
}

/// When a file was last changed: the system's count of 100 ns, and zero.
#[must_use]
pub fn modified(found: &Metadata) -> (i64, i64) {
    (found.last_write_time().cast_signed(), 0)
}

/// The bytes of a path, by which files are put in order: as on other systems, so that file 17 is the same everywhere.
#[must_use]
pub fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect::<Vec<u8>>().into()
}

/// A path in words, with `/` between its parts.
#[must_use]
pub fn text_of(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy().replace('\\', "/").into()
}

/// Reads from a place in a file on.
///
/// # Errors
/// The operating system's.
pub fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    match file.seek_read(bytes, at) {
        Err(error) if error.raw_os_error().map(i32::cast_unsigned) == Some(codes::ERROR_HANDLE_EOF) => Ok(0),
        read => read,
    }
}

/// Fills `bytes` from a place in a file on.
///
/// # Errors
/// The operating system's, and `UnexpectedEof` where the file ends before.
pub fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    fill(bytes, at, |bytes, at| read_at(file, bytes, at))
}

/// Memory that this process may still commit, under the limits of the machine and of its job, and what it has of its own.
#[must_use]
pub fn memory() -> Option<Memory> {
    // SAFETY: zeros are a value of both structures, whose sizes are told; the process's own handle needs no closing.
    unsafe {
        let mut machine: MEMORYSTATUSEX = zeroed();
        machine.dwLength = size_of::<MEMORYSTATUSEX>() as u32;
        let mut process: PROCESS_MEMORY_COUNTERS_EX = zeroed();
        let size = size_of::<PROCESS_MEMORY_COUNTERS_EX>() as u32;
        process.cb = size;
        let counters: *mut PROCESS_MEMORY_COUNTERS = (&raw mut process).cast();
        let told = GlobalMemoryStatusEx(&raw mut machine) != 0
            && K32GetProcessMemoryInfo(GetCurrentProcess(), counters, size) != 0;
        told.then_some(Memory { free: machine.ullAvailPageFile, held: process.PrivateUsage as u64 })
    }
}

/// Bytes that the main thread's stack may have: what it was linked with, which is enough.
#[must_use]
pub fn stack_limit() -> Option<u64> {
    None
}
