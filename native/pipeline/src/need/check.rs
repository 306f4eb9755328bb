//! What is refused before it begins, with what would do.

use tomobasis_dicom::SeriesPlan;

use super::{Need, greatest};
use crate::{
    error::{Error, Result},
    limits::{Limit, room_beyond, size},
    memory::THREAD,
};

/// Refuses a decomposition that needs more memory than there is.
///
/// # Errors
/// [`Error::Memory`], which says what would do.
pub(crate) fn check(plan: &SeriesPlan, need: &Need) -> Result<()> {
    log::debug!("memory: about {} will be needed", size(need.bytes()));
    let instead = match need.of_scan {
        true => "run tomobasis-submit, which spreads them over machines",
        false => "run it where there is more",
    };
    check_bytes(plan, need, Need::bytes, true, instead)
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

/// Refuses the exact sums of floats, or the solver after them, for which there is too little memory.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn check_gram(plan: &SeriesPlan, need: &Need) -> Result<()> {
    check_bytes(plan, need, |need| need.scan() + need.gram(), false, "run it where there is more")
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
            "{} {} of memory (k = {}, {} threads)",
            match (plan.slices.len(), plan.rows) {
                (columns, rows) if !need.of_scan => format!("the matrix of {rows} x {columns} needs"),
                (slices, rows) => format!("the {slices} slices of {rows} x {} pixels need", plan.columns),
            },
            size(needed(need)),
            need.computed,
            need.threads
        ),
        room: room.bytes,
        of: room.of,
        instead: ways.collect::<Vec<_>>().join(", or "),
    })
}
