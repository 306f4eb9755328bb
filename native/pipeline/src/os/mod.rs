//! What operating systems do differently. All else in this crate is the standard library's.
//!
//! | what | Linux | macOS | Windows |
//! |---|---|---|---|
//! | [`rename_to_free_name`] | one step (`RENAME_NOREPLACE`); a file system without it says so | the same (`RENAME_EXCL`) | one step (`MoveFileExW`) |
//! | [`exchange`] | one step (`RENAME_EXCHANGE`); a file system without it says so | the same (`RENAME_SWAP`) | none: folders are replaced by two renames |
//! | [`rename`] | once | once | for a second again while another program holds a file in the folder open |
//! | [`FolderId`] | device and inode | the same | the path that all links lead to |
//! | [`path_bytes`] | a path's bytes | the same | those of WTF-8, with `/` between its parts |
//! | [`memory`] | not here: [`limits`](crate::limits) reads it in files | free and inactive pages; the process's footprint | what the process may still commit; its private bytes |
//! | [`stack_limit`] | not here either | `RLIMIT_STACK` | none: what the program was linked with |
//!
//! A folder is replaced by two renames on Windows, and on other systems where the file system has no exchange: between them nothing has the
//! output's name. A run that is killed there is mended by the next one (`result::workplace`).

use std::io;

#[cfg(target_os = "macos")]
#[allow(unsafe_code, reason = "calls of the system that fill a structure")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
#[allow(unsafe_code, reason = "calls of the system that take names and fill structures")]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{
    FolderId, exchange, fault, folder_id, modified, path_bytes, read_at, read_exact_at, rename,
    rename_to_free_name, text_of,
};

#[cfg(target_os = "macos")]
pub use macos::{memory, stack_limit};
#[cfg(windows)]
pub use windows::{memory, stack_limit};

/// Whether the system tells what it has and allows in files (`/proc`).
pub const TELLS_IN_FILES: bool = cfg!(target_os = "linux");

/// Memory of the machine and of this process, where the system tells it by a call.
#[cfg(target_os = "linux")]
#[must_use]
pub fn memory() -> Option<Memory> {
    None
}

/// Bytes that the main thread's stack may have, where the system tells it by a call.
#[cfg(target_os = "linux")]
#[must_use]
pub fn stack_limit() -> Option<u64> {
    None
}

/// Memory of the machine and of this process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What can still be had.
    pub free: u64,
    /// What this process has.
    pub held: u64,
}

/// What became of a rename to a name that nothing should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// It has the name.
    Done,
    /// Something else has it.
    Taken,
    /// The file system cannot do that in one step.
    Unsupported,
}

/// What an error of the operating system is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such file, or a part of its path is none of a folder.
    NoSuchPath,
    /// It is none that a path can lead to or that can be read: another thing has the name, links go round in circles.
    Path,
    /// This process has too many files open.
    OpenFiles,
    /// The machine has.
    OpenFilesOfAll,
    /// There is no memory.
    Memory,
    /// The disk, or the user's part of it, is full.
    Full,
    /// A file would be larger than it may be.
    FileSize,
    /// The user may not.
    Refused,
    /// Anything else, of the system and its devices.
    Other,
}

impl Fault {
    /// Whether it tells of the system and nothing of the file or folder.
    #[must_use]
    pub fn is_of_system(self) -> bool {
        !matches!(self, Self::NoSuchPath | Self::Path)
    }
}

/// Fills `bytes` by reads from a place on.
#[cfg_attr(unix, allow(dead_code, reason = "the standard library has it for Unix"))]
fn fill(
    mut bytes: &mut [u8],
    mut at: u64,
    read: impl Fn(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match read(bytes, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                bytes = bytes.get_mut(count..).unwrap_or_default();
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_gets_a_free_name_and_never_one_that_something_has() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        for name in ["new", "empty"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("new/file"), b"1").unwrap();
        assert_eq!(rename_to_free_name(&at("new"), &at("empty")).unwrap(), Renamed::Taken);
        assert_eq!(rename_to_free_name(&at("new"), &at("free")).unwrap(), Renamed::Done);
        assert!(!at("new").exists() && fs::read_dir(at("empty")).unwrap().next().is_none());
        assert_eq!(fs::read(at("free/file")).unwrap(), b"1");
        let gone = rename_to_free_name(&at("new"), &at("other")).unwrap_err();
        assert_eq!(fault(&gone), Some(Fault::NoSuchPath));
    }

    #[test]
    fn parts_of_a_file_are_read_wherever_they_are() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("file");
        fs::write(&path, b"0123456789").unwrap();
        let file = fs::File::open(&path).unwrap();
        let mut bytes = [0; 4];
        for (at, expected) in [(5, b"5678"), (0, b"0123"), (6, b"6789")] {
            read_exact_at(&file, &mut bytes, at).unwrap();
            assert_eq!(&bytes, expected);
        }
        let short = read_exact_at(&file, &mut bytes, 7).unwrap_err();
        assert_eq!(short.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!((read_at(&file, &mut bytes, 8).unwrap(), read_at(&file, &mut bytes, 99).unwrap()), (2, 0));
    }

    #[test]
    fn filling_goes_on_after_part_of_it_and_after_an_interruption() {
        let times = std::cell::Cell::new(0_usize);
        let read = |bytes: &mut [u8], at: u64| {
            times.set(times.get() + 1);
            match times.get() {
                2 => Err(io::ErrorKind::Interrupted.into()),
                5 => Ok(0),
                _ => {
                    bytes[0] = at as u8;
                    Ok(1)
                }
            }
        };
        let mut bytes = [0; 3];
        fill(&mut bytes, 7, read).unwrap();
        assert_eq!(bytes, [7, 8, 9]);
        assert_eq!(fill(&mut bytes, 7, read).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_only_some_systems_tell_by_a_call_is_told_there() {
        let told = !cfg!(target_os = "linux");
        assert_eq!(memory().is_some_and(|memory| memory.free > 1 << 20 && memory.held > 1 << 16), told);
    }

    #[test]
    fn errors_of_the_system_are_told_from_those_of_a_path() {
        let base = tempfile::tempdir().unwrap();
        let absent = fs::File::open(base.path().join("none/there")).unwrap_err();
        assert_eq!(fault(&absent), Some(Fault::NoSuchPath));
        let taken = fs::create_dir(base.path()).unwrap_err();
        assert_eq!(fault(&taken), Some(Fault::Path));
        assert_eq!(fault(&io::ErrorKind::InvalidData.into()), None);
        assert!(Fault::Other.is_of_system() && !Fault::Path.is_of_system());
    }
}
