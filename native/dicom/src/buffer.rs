//! Memory that files are read into, one after the other.
//!
//! Memory that was written before costs less than new memory, so one buffer serves many files. It begins at a
//! page: Linux copies a file by one string instruction (`rep movsb`), which on some CPUs (AMD EPYC, measured
//! in `docs/benchmarks.md`) takes two to three times as long when the target begins a few bytes further on in
//! its page than the source does in its own. That is where the C library's allocator puts a block of half a
//! megabyte.

use std::cell::Cell;
use std::collections::TryReserveError;
use std::io;

/// Bytes of a page.
const PAGE: usize = 4096;

/// Bytes of a file that is read whole, at most: those of an array of the job.
pub const LONGEST_FILE: u64 = i32::MAX as u64 - 8;

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread's code takes a refusal of memory. An allocator that ends the process instead of refusing must refuse then.
#[must_use]
pub fn asking() -> bool {
    ASKING.get()
}

/// Finds out whether there is room for this many values: asks for it and gives it back.
///
/// # Errors
/// When the allocator refuses.
pub fn check_room<T>(count: usize) -> Result<(), TryReserveError> {
    ASKING.set(true);
    let asked = Vec::<T>::new().try_reserve_exact(count);
    ASKING.set(false);
    asked
}

/// So many zeros, or an error where there is no memory for them.
///
/// # Errors
/// When the allocator refuses.
pub fn zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, TryReserveError> {
    // Only the infallible way takes pages that the system has zeroed already.
    check_room::<T>(count)?;
    Ok(vec![T::default(); count])
}

/// A buffer for files of any length.
#[derive(Debug, Default)]
pub struct FileBuffer {
    memory: Vec<u8>,
}

impl FileBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has `read` fill `length` bytes, all of them; what was here before is gone.
    ///
    /// # Errors
    /// Those of `read`, and `OutOfMemory` for a length that there is no memory for.
    pub fn fill(&mut self, length: u64, read: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<&[u8]> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let needed = length.checked_add(PAGE).ok_or(io::ErrorKind::OutOfMemory)?;
        if self.memory.len() < needed {
            // Not resized, which would copy.
            self.memory = Vec::new();
            self.memory = zeros(needed)?;
        }
        let start = self.memory.as_ptr().align_offset(PAGE).min(PAGE);
        let bytes = self.memory.get_mut(start..start + length).ok_or(io::ErrorKind::OutOfMemory)?;
        read(bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_buffer_holds_the_last_file_and_begins_at_a_page() {
        let mut buffer = FileBuffer::new();
        for length in [5, 100_000, 0, 70_000] {
            let file: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let read = buffer.fill(length, |bytes| file.as_slice().read_exact(bytes)).unwrap();
            assert_eq!(read, file);
            assert_eq!(read.as_ptr().align_offset(PAGE), 0);
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let error = FileBuffer::new().fill(4, |bytes| [1, 2, 3].as_slice().read_exact(bytes)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
