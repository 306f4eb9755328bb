//! Memory: how much a run needs, whether there is so much, and refusals in words.
//!
//! A length in a header may be anything, and an allocation that fails would end the process. Where the system promises more than
//! it has, the request is compared with what there is first.

mod room;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tomobasis_dicom::{SeriesPlan, zeros};

use crate::error::{Error, Result};

pub use room::{Limit, address_space_is_limited};
pub(crate) use room::{Room, room};

/// Address space of a thread: its stack, as the standard library makes it, and what surrounds it.
const THREAD: u64 = (2 << 20) + (64 << 10);

/// A pool of so many threads (0: one per core).
///
/// # Errors
/// [`Error::Threads`] when they cannot be started, [`Error::ThreadMemory`] when there is no room for their stacks.
pub fn pool(threads: usize) -> Result<ThreadPool> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { cores() } else { threads };
    // A thread that finds no memory while it starts aborts the process.
    let (needed, Room { bytes, of }) = (threads as u64 * THREAD, room());
    if needed > bytes {
        return Err(Error::ThreadMemory { threads, needed, room: bytes, of });
    }
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    Ok(builder.thread_name(|i| format!("tomobasis-{i}")).build()?)
}

/// Room for the stored pixels of all slices, zeroed.
///
/// # Errors
/// [`Error::Memory`] when there is not so much.
pub(crate) fn for_scan(plan: &SeriesPlan) -> Result<Vec<i16>> {
    let (slices, pixels) = (plan.slices.len(), plan.pixels());
    let bytes = 2 * pixels as u128 * slices as u128;
    let Room { bytes: room, of } = room();
    let refused = || Error::Memory { bytes, room, of, slices, rows: plan.rows, columns: plan.columns };
    let count = usize::try_from(bytes / 2).ok().filter(|_| bytes <= u128::from(room));
    zeros(count.ok_or_else(refused)?).map_err(|_| refused())
}

/// "1.25 GB", of small ones "85 MB".
pub(crate) fn size(bytes: u128) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
