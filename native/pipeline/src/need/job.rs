//! What the job's calls into native code need, on a driver or an executor.
//!
//! In a JVM an allocation that fails ends the process, with all tasks of the executor. So what is large is asked for before, and refused in
//! words. Executors have other tasks: what is there for one now may be gone a moment later, so what they hold for long is checked, and
//! what a call takes for a moment is asked for at its beginning.

use tomobasis_dicom::{SeriesPlan, check_room};
use tomobasis_linalg::{BLOCK_ROWS, ColumnRanges, RealGramAccumulator};

use super::{NO_FILES, Need, of_sums};
use crate::{
    error::{Error, Result},
    limits::{Room, room, size},
    memory::check_other,
    options::{Emit, Options},
    solve::decomposition::Decomposition,
};

/// Refuses sums of this many columns for which there is no memory outside the heap.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_sums(columns: usize) -> Result<()> {
    let what = format!("the sum over {columns} slices, outside the Java heap,");
    check(
        &what,
        of_sums(columns as u128),
        "give executors more (--conf spark.executor.memoryOverhead), or fewer cores",
    )
}

/// Refuses a decomposition for which the driver has no memory outside the heap.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_solver(plan: &SeriesPlan, options: &Options, threads: usize) -> Result<()> {
    let needed = Need::new(plan, options, NO_FILES, threads, 0).solver();
    let what = format!("the decomposition of {} slices, outside the driver's Java heap,", plan.slices.len());
    check(&what, needed, "give the driver more (--conf spark.driver.memoryOverhead), or a smaller --rank")
}

/// Refuses exact sums of floats of these ranges for which there is no memory outside the heap.
///
/// # Errors
/// [`Error::Memory`]; [`Error::Linalg`] for ranges that are too wide.
pub fn check_real_sums(ranges: &ColumnRanges) -> Result<()> {
    let (sums, columns) = (ranges.sums()?, ranges.columns());
    let what = format!("the {sums} sums over {columns} columns, outside the Java heap,");
    let needed = sums as u128 * of_sums(columns as u128);
    check(&what, needed, "give executors more (--conf spark.executor.memoryOverhead), or fewer cores")
}

/// The same as [`check_solver`], of floats.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_real_solver(
    plan: &SeriesPlan,
    options: &Options,
    threads: usize,
    sums: &RealGramAccumulator,
) -> Result<()> {
    let need = Need::new(plan, options, NO_FILES, threads, 0)
        .of_gram(sums.moduli(), sums.bits(options.method.center().map(Into::into)));
    let needed = need.solver() + sums.moduli() as u128 * of_sums(plan.slices.len() as u128);
    let what = format!("the decomposition of {} columns, outside the driver's Java heap,", plan.slices.len());
    check(&what, needed, "give the driver more (--conf spark.driver.memoryOverhead), or a smaller --rank")
}

/// Bytes that rendering a row block takes for a moment.
#[must_use]
pub fn of_block(decomposition: &Decomposition) -> usize {
    let (options, composites) = (&decomposition.options, decomposition.composites.len());
    let need = Need::new(&decomposition.plan, options, NO_FILES, 1, 0);
    let derived = if options.emits(Emit::Dicom) { composites } else { 0 };
    let need = need.of_result(decomposition.rank(), composites, derived);
    // The bands of the composites, and their bytes.
    let bands = 4 * decomposition.columns() * derived * BLOCK_ROWS;
    usize::try_from(need.of_thread()).unwrap_or(usize::MAX).saturating_add(bands)
}

/// Bytes that a pass takes for a moment for a row block of this many values.
#[must_use]
pub fn of_found(values: usize) -> usize {
    // In f64, scaled, factored, and a sketch of it at most.
    values.saturating_mul(4 * 8)
}

fn check(what: &str, needed: u128, instead: &str) -> Result<()> {
    check_other(what, needed, instead)?;
    let asked = usize::try_from(needed).map(check_room::<u8>);
    if matches!(asked, Ok(Ok(()))) {
        return Ok(());
    }
    let Room { bytes: room, of } = room();
    Err(Error::Memory {
        what: format!("{what} needs {} of memory", size(needed)),
        room,
        of,
        instead: instead.to_owned(),
    })
}
