//! Memory: how much a run needs, whether there is so much, and refusals in words.
//!
//! A length in a header may be anything, and an allocation that fails would end the process. Where the system promises more than
//! it has, what fails is not even the allocation: the process is killed later. So a run is refused before it begins.
//!
//! | file | what |
//! |---|---|
//! | `need` | what each stage of a run needs |
//! | `job` | what calls of the job need, whose refused allocations would end the JVM |
//! | `room` | what there is |

mod job;
mod need;
mod room;

use std::fs;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tomobasis_dicom::{SeriesPlan, zeros};

use crate::error::{Error, Result};

pub use job::{check_solver, check_sums, of_block, of_found};

use need::greatest;
pub(crate) use need::{Drawn, Need, of_drawing, of_tables};
pub(crate) use room::Held;
pub use room::{Limit, address_space_is_limited, stack_limit};
use room::{Room, room, room_beyond};

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

/// Refuses a decomposition that needs more memory than there is.
///
/// # Errors
/// [`Error::Memory`], which says what would do.
pub(crate) fn check(plan: &SeriesPlan, need: &Need) -> Result<()> {
    log::debug!("memory: about {} will be needed", size(need.bytes()));
    check_bytes(plan, need, Need::bytes, true, "run tomobasis-submit, which spreads them over machines")
}

/// Refuses a decomposition for a verification, whose rank is given.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_verification(plan: &SeriesPlan, need: &Need) -> Result<()> {
    log::debug!("memory: about {} will be needed", size(need.bytes()));
    check_bytes(plan, need, Need::bytes, false, "verify it where there is more")
}

/// Refuses what comes after `s` and `V`, whose number is known now: the scan is there, and of the same room.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn check_rest(plan: &SeriesPlan, need: &Need) -> Result<()> {
    check_bytes(plan, need, |need| need.scan() + need.rest(), false, "run it where there is more")
}

/// `choice`: the rank can still be chosen.
fn check_bytes(
    plan: &SeriesPlan,
    need: &Need,
    bytes: fn(&Need) -> u128,
    choice: bool,
    instead: &str,
) -> Result<()> {
    let room = room_beyond(need.held());
    // The solver has a pool of its own.
    let stacks = |need: &Need| match room.of {
        Limit::AddressSpace | Limit::Data => need.threads * u128::from(THREAD),
        _ => 0,
    };
    let needed = |need: &Need| bytes(need) + stacks(need);
    let fits = |need: &Need| needed(need) <= room.bytes.into();
    if fits(need) {
        return Ok(());
    }
    let threads = greatest(need.threads, |threads| fits(&need.on(threads)));
    let rank = greatest(need.computed, |rank| fits(&need.computing(rank)));
    let rank = rank.filter(|_| choice).map(|rank| format!("give --rank {rank}"));
    let threads = threads.map(|threads| format!("give --threads {threads}"));
    let ways = threads.into_iter().chain(rank).chain([instead.to_owned()]);
    Err(Error::Memory {
        what: format!(
            "the {} slices of {} x {} pixels need {} of memory (k = {}, {} threads)",
            plan.slices.len(),
            plan.rows,
            plan.columns,
            size(needed(need)),
            need.computed,
            need.threads
        ),
        room: room.bytes,
        of: room.of,
        instead: ways.collect::<Vec<_>>().join(", or "),
    })
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

/// "1.25 GB", of small ones "85 MB".
pub(crate) fn size(bytes: u128) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
