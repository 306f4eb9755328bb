//! Memory: how much a run needs, whether there is so much, and refusals in words.
//!
//! A length in a header may be anything, and an allocation that fails would end the process. Where the system promises more than
//! it has, what fails is not even the allocation: the process is killed later. So a run is refused before it begins.
//!
//! What there is: [`limits`](crate::limits). What a run needs, stage by stage: [`need`](crate::need).

use std::{
    fs,
    sync::{Mutex, OnceLock, PoisonError},
};

use rayon::{ThreadPool, ThreadPoolBuilder};
use tomobasis_dicom::{SeriesPlan, zeros};

use crate::{
    error::{Error, Result},
    limits::{Held, Room, room, room_beyond, size},
};

/// Address space of a thread: its stack, as the standard library makes it, and what surrounds it.
pub(crate) const THREAD: u64 = (2 << 20) + (64 << 10);

/// Memory that a process needs while its threads start, for what the C library and the runtime keep of each: short of it they abort.
const WHILE_THREADS_START: u64 = 8 << 20;

/// A pool of this many threads (0: one per core).
///
/// # Errors
/// [`Error::Threads`] when they cannot be started, [`Error::ThreadMemory`] when there is no room for their stacks.
pub fn pool(threads: usize) -> Result<ThreadPool> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { cores() } else { threads };
    // A thread that finds no memory while it starts aborts the process.
    let (needed, Room { bytes, of }) = (threads as u64 * THREAD + WHILE_THREADS_START, room());
    if needed > bytes {
        return Err(Error::ThreadMemory { threads, needed, room: bytes, of });
    }
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    Ok(builder.thread_name(|i| format!("tomobasis-{i}")).build()?)
}

/// Refuses what needs more memory than there is; `what` needs it, and `instead` would do.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn check_other(what: &str, needed: u128, instead: &str) -> Result<()> {
    let room = room();
    if needed <= room.bytes.into() {
        return Ok(());
    }
    Err(Error::Memory {
        what: format!("{what} needs {} of memory", size(needed)),
        room: room.bytes,
        of: room.of,
        instead: instead.to_owned(),
    })
}

/// What [`reserve`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// It is reserved.
    Granted,
    /// It will be free when others are done.
    Later,
    /// So much is never free here.
    Never,
}

/// What runs that share this process have reserved.
static RESERVED: Mutex<u64> = Mutex::new(0);

/// Reserves memory for one of the runs that share this process. Of what it can have, a quarter stays free for what they share, and for
/// other programs; `limit` is how much all of them together may have at the most.
#[must_use]
pub fn reserve(bytes: u64, limit: u64) -> Reservation {
    static BEFORE: OnceLock<Held> = OnceLock::new();
    let before = *BEFORE.get_or_init(Held::now);
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    // What is reserved and in use already counts as room.
    let room = (room_beyond(before).bytes / 4 * 3).min(limit);
    match reserved.checked_add(bytes) {
        Some(all) if all <= room => {
            *reserved = all;
            Reservation::Granted
        }
        _ if *reserved == 0 || bytes > room => Reservation::Never,
        _ => Reservation::Later,
    }
}

/// Gives back what was reserved.
pub fn release(bytes: u64) {
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    *reserved = reserved.saturating_sub(bytes);
}

/// Room for the stored pixels of all slices, zeroed.
///
/// # Errors
/// [`Error::Memory`] when there is not so much.
pub(crate) fn for_scan(plan: &SeriesPlan) -> Result<Vec<i16>> {
    let (slices, pixels) = (plan.slices.len(), plan.pixels());
    let refused = || Error::Memory {
        what: format!("the {slices} slices of {} x {} pixels", plan.rows, plan.columns)
            + &format!(" need {} of memory", size(2 * pixels as u128 * slices as u128)),
        room: room().bytes,
        of: room().of,
        instead: "run tomobasis-submit, which spreads them over machines".to_owned(),
    };
    zeros(pixels.checked_mul(slices).ok_or_else(refused)?).map_err(|_| refused())
}

/// The most memory that this process has had, for the log.
pub(crate) fn log_peak(stage: &str) {
    if log::log_enabled!(log::Level::Debug) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        log::debug!("memory: at most {} until the end of {stage}", peak.map_or("?", str::trim));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_wait_for_memory_that_others_have_and_not_for_what_there_never_is() {
        let limit = 1000;
        assert_eq!(reserve(1001, limit), Reservation::Never);
        assert_eq!(reserve(600, limit), Reservation::Granted);
        assert_eq!((reserve(400, limit), reserve(1, limit)), (Reservation::Granted, Reservation::Later));
        assert_eq!(reserve(1001, limit), Reservation::Never);
        release(600);
        assert_eq!(reserve(600, limit), Reservation::Granted);
        release(1000);
        assert_eq!(reserve(u64::MAX, u64::MAX), Reservation::Never);
    }
}
