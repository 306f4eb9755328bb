//! What the processes of the job need, before anything of it runs: the one formula behind the check at the job's start and the defaults
//! of `tomobasis-submit`.
//!
//! With n slices, k basis vectors and a method, a task needs for a moment the largest of what its stages take; beside it, an executor holds
//! what its tasks share, and the driver solves the eigenproblem. The terms are those of [`Need`], on one thread, with what is particular
//! to the job: parts of the sums that leave a task, composites on their way to their slices' files.

use tomobasis_denoise::{Shape, working_bytes};
use tomobasis_dicom::SeriesPlan;
use tomobasis_linalg::BLOCK_ROWS;

use super::{NO_FILES, Need, SMALL, SMALL_OF_A_THREAD, Size, Solver, check_solver, of_sums};
use crate::{
    error::Result,
    options::{Emit, Method, Options},
};

/// Bytes of slices, of a part of the sums, and of row blocks, that a task of the job has at a time at the most.
const SLICES: u128 = 16 << 20;
const PART: u128 = 16 << 20;
const BLOCKS: u128 = 32 << 20;
/// For every pixel, of what a decoder makes: JPEG 2000 is decoded in 32 bits, in three copies.
const DECODER: u128 = 12;
/// A series that nothing is known of. So many columns are what a driver of 4 GB is for (`docs/operations.md`).
const ASSUMED: Size = Size { slices: 2048, rows: 512, columns: 512, integers: true };
/// One of many: a task holds all of it.
const ASSUMED_OF_MANY: Size = Size { slices: 512, rows: 512, columns: 512, integers: true };

/// Bytes that the processes of a run of the job need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scratch {
    /// Outside the Java heap, for each task that an executor runs at a time.
    pub task: u64,
    /// Outside the Java heap, for what the tasks of an executor share, and for the one that draws the pictures.
    pub executor: u64,
    /// On the Java heap, for each task: its row block, and what leaves it.
    pub heap: u64,
    /// Outside the driver's Java heap.
    pub driver: u64,
}

/// Of a run on this series, with so many threads of the driver. `float_sums`: of a matrix of floats, the sums of integers that its
/// exact Gram matrix takes; 0 of integers.
#[must_use]
pub fn scratch(plan: &SeriesPlan, options: &Options, float_sums: usize, driver_threads: usize) -> Scratch {
    let need = Need::new(plan, options, NO_FILES, 1, 0);
    let need = match float_sums {
        0 => need,
        // Bits of the moduli, about.
        sums => need.of_values(8).of_gram(sums, u32::try_from(12 * sums).unwrap_or(u32::MAX)),
    };
    let shape = Shape { slices: plan.slices.len(), rows: plan.rows, columns: plan.columns };
    of(need, shape, options, driver_threads)
}

/// Of a run on a series of which nothing is known yet: 2,048 slices of 512 x 512, or, where each of many series is a task, one of 512 slices.
#[must_use]
pub fn assumed(options: &Options, driver_threads: usize) -> Scratch {
    let size = if options.all_series() { ASSUMED_OF_MANY } else { ASSUMED };
    let need = Need::of(size, options, 1, 0);
    let shape = Shape { slices: size.slices, rows: size.rows, columns: size.columns };
    let scratch = of(need, shape, options, driver_threads);
    if options.all_series() {
        // Each task is a run of its own; the driver solves nothing.
        let denoised = u128::from(scratch.task) + 2 * need.scan();
        let task = if options.denoise.is_some() { denoised } else { need.bytes() };
        return Scratch { task: bytes(task), executor: 0, driver: 0, ..scratch };
    }
    scratch
}

/// Refuses a decomposition for which this process, the driver, has no memory outside its heap.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn check_driver(plan: &SeriesPlan, options: &Options, driver_threads: usize) -> Result<()> {
    check_solver(plan, options, solving(options, driver_threads))
}

/// Threads whose memory counts: the driver puts no row block through a pass.
fn solving(options: &Options, threads: usize) -> usize {
    if matches!(options.method, Method::Gram { .. }) { threads } else { 1 }
}

fn of(need: Need, shape: Shape, options: &Options, driver_threads: usize) -> Scratch {
    let (n, rows) = (need.slices, need.rows());
    let value = need.value;
    if let Some(settings) = options.denoise {
        // A band and its halo, before and after.
        let task = working_bytes(shape, settings.quality, 1) as u128 + DECODER * need.pixels;
        return Scratch {
            task: bytes(SMALL_OF_A_THREAD + task),
            executor: bytes(SMALL),
            heap: bytes(4 * BLOCKS),
            driver: bytes(SMALL),
        };
    }
    // Where a rule chooses k, all columns may be kept, and perhaps few are: a heap is refused for what is certain.
    let (least, k) = (need.rank, need.computed);
    let count = |number: u128| usize::try_from(number).unwrap_or(usize::MAX);
    let composites = options.composites(count(n), count(k)).len();
    let derived = if options.emits(Emit::Dicom) { composites } else { 0 };
    let need = need.of_result(count(k), composites, derived);
    let derived = derived as u128;

    let decode = SLICES + DECODER * need.pixels;
    let sum = match need.method {
        // The sums, a copy of the block, and the part that leaves with its bytes.
        Solver::Gram { sums, .. } => {
            let parts = 4 * n * n / PART + 1;
            sums * of_sums(n) + need.block() + 32 * n * n / parts
        }
        // The block in f64, as it is scaled and factored, with its sketch; what was found in the blocks of a partition.
        Solver::Passes { columns, sketched } => {
            let blocks = BLOCKS / (value * rows * n).max(1) + 1;
            let found =
                8 * columns * columns.min(rows) * blocks + if sketched { 16 * n * columns } else { 0 };
            13 * need.block() + if sketched { 24 * rows * columns } else { 0 } + found
        }
    };
    // With the bands of its composites, and their bytes.
    let render = need.of_thread() + 4 * derived * n * BLOCK_ROWS as u128;
    // All composites of some slices, a source file and what is made of it.
    let derive =
        if derived == 0 { 0 } else { SLICES.max(2 * derived * need.pixels) + 6 * DECODER * need.pixels };
    let task = [decode, sum, render, derive].into_iter().max().unwrap_or(0);

    let shared = need.coefficients() + 48 * n * k;
    let kept = value * rows * n;
    Scratch {
        task: bytes(SMALL_OF_A_THREAD + task),
        executor: bytes(shared + need.pictures()),
        // The block as it is gathered, and written or sent; basis vectors and their file; composites; a piece or a part.
        heap: bytes(2 * kept + 16 * rows * least + 2 * derived * rows * n + SLICES),
        driver: bytes(need.on(solving(options, driver_threads) as u128).solver().max(shared + SMALL)),
    }
}

fn bytes(needed: u128) -> u64 {
    u64::try_from(needed).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{decompose::ParsedJob, job::parse_job};

    fn options(more: &[&str]) -> Options {
        let words = [&["--input", "in", "--output", "out"], more].concat();
        match parse_job(&words.into_iter().map(str::to_owned).collect::<Vec<_>>()) {
            Ok(ParsedJob::Run(options)) => *options,
            other => panic!("{other:?}"),
        }
    }

    fn of_slices(slices: usize, more: &[&str]) -> Scratch {
        let (size, options) = (Size { slices, rows: 512, columns: 512, integers: true }, options(more));
        of(Need::of(size, &options, 1, 0), Shape { slices, rows: 512, columns: 512 }, &options, 1)
    }

    #[test]
    fn a_task_needs_its_sums_and_a_driver_its_eigenproblem() {
        let few = of_slices(8192, &["--rank", "1", "--emit", "parquet"]);
        assert!((1 << 28..1 << 29).contains(&few.task), "{few:?}"); // 4 n^2 bytes are 2^28
        assert!(few.driver > 52 << 26, "{few:?}"); // 52 n^2
        let all = of_slices(301, &[]);
        assert!((8 << 20..256 << 20).contains(&all.task), "{all:?}");
        assert!(all.driver < 200 << 20, "{all:?}");
    }

    #[test]
    fn every_need_grows_with_columns_rank_and_method() {
        for method in ["gram", "tsqr", "dssvd", "dspca"] {
            let small = of_slices(300, &["--method", method, "--rank", "20"]);
            let long = of_slices(1200, &["--method", method, "--rank", "20"]);
            let wide = of_slices(1200, &["--method", method, "--rank", "400"]);
            for (less, more) in [(small, long), (long, wide)] {
                assert!(
                    less.task <= more.task && less.executor < more.executor,
                    "{method}: {less:?} {more:?}"
                );
                assert!(less.heap < more.heap && less.driver < more.driver, "{method}: {less:?} {more:?}");
            }
        }
    }

    #[test]
    fn of_many_series_a_task_holds_one_whole() {
        let each = assumed(&options(&["--series", "all"]), 4);
        assert!(each.task > 2 * 512 * 512 * 512, "{each:?}");
        assert_eq!(each.driver, 0);
        assert!(assumed(&options(&[]), 4).driver > each.task);
    }

    #[test]
    fn denoising_needs_memory_too() {
        let denoised = assumed(&options(&["--denoise"]), 1);
        assert!(denoised.task > 24 * 512 * 2048 * 16, "{denoised:?}");
    }
}
