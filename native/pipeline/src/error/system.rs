//! What an error of the operating system tells of a file, and what to do about it.

use std::io;

use rustix::io::Errno;

/// Whether an error tells of the system (no more files or memory, a failing disk, a mount that is gone, a missing permission) and
/// nothing of the file or folder that was to be read: that is no bad input and no difference.
#[must_use]
pub fn is_of_system(error: &io::Error) -> bool {
    match Errno::from_io_error(error) {
        // There is no such file, or another thing has its name.
        Some(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::ISDIR
            | Errno::EXIST
            | Errno::NOTEMPTY
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::INVAL
            | Errno::NXIO
            | Errno::OPNOTSUPP,
        ) => false,
        Some(_) => true,
        // Readers of our own say so of what they read.
        None => error.kind() == io::ErrorKind::OutOfMemory,
    }
}

/// The same for files of the input, of which one that nobody may read is that file's affair: it is counted, and others are read.
#[must_use]
pub fn is_no_fault_of_input(error: &io::Error) -> bool {
    is_of_system(error) && !is_refusal(error)
}

/// Whether the system does not let the user read or write there.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::ACCESS | Errno::PERM | Errno::ROFS))
}

/// What to do about an error of the operating system.
pub(super) fn instead(error: &io::Error) -> &'static str {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE) => "raise the limit on open files (ulimit -n), or give fewer --threads",
        Some(Errno::NFILE) => "the machine has too many open files; run it when less else runs",
        Some(Errno::NOMEM) => "run it where there is more memory",
        Some(Errno::NOSPC | Errno::DQUOT) => "check the free space of the disk",
        Some(Errno::FBIG) => "raise the limit on the size of files (ulimit -f)",
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => "check the permissions",
        Some(Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::NAMETOOLONG) => "check the path",
        None if error.kind() == io::ErrorKind::OutOfMemory => "run it where there is more memory",
        _ => "check the disk",
    }
}
