//! What an error of the operating system tells of a file, and what to do about it.

use std::io;

use crate::os::{Fault, fault};

/// Whether an error tells of the system (no more files or memory, a failing disk, a mount that is gone, a missing permission) and
/// nothing of the file or folder that was to be read: that is no bad input and no difference.
#[must_use]
pub fn is_of_system(error: &io::Error) -> bool {
    match fault(error) {
        Some(fault) => fault.is_of_system(),
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
    fault(error) == Some(Fault::Refused)
}

/// What to do about an error of the operating system.
pub(super) fn instead(error: &io::Error) -> &'static str {
    match fault(error) {
        Some(Fault::OpenFiles) => "raise the limit on open files (ulimit -n), or give fewer --threads",
        Some(Fault::OpenFilesOfAll) => "the machine has too many open files; run it when less else runs",
        Some(Fault::Memory) => "run it where there is more memory",
        Some(Fault::Full) => "check the free space of the disk",
        Some(Fault::FileSize) => "raise the limit on the size of files (ulimit -f)",
        Some(Fault::Refused) => "check the permissions",
        Some(Fault::NoSuchPath | Fault::Path) => "check the path",
        None if error.kind() == io::ErrorKind::OutOfMemory => "run it where there is more memory",
        None if error.kind() == io::ErrorKind::NotADirectory => "check the path",
        _ => "check the disk",
    }
}
