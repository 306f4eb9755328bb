//! The drivers as passes over the row blocks: what is done where the matrix is put together.
//!
//! Those of `dssvd` and `dspca` are in the box of [`randomized`](super::randomized); `tsqr` is the last of
//! them alone, of `A` instead of `A W`.
//!
//! A pass hands out what its blocks need ([`Pass`]) and takes what they find ([`Partial`]), from any thread
//! or process, in any order. Nodes of a range are combined here and not where the blocks are: going back
//! down from the root to the blocks' rows of `Q` needs the internal nodes of all combinations, and an executor that
//! kept some could be lost with them. So a pass for the range takes `l^2 / 2` numbers of every block, and
//! keeps `2 l^2` of every internal node, `l` the columns of `Y`; a projection takes n x l of every partition.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::decomposition::{Parts, RealSvd};
use super::matrix::Matrix;
use super::pass::{Contribution, Partial, Pass, Step, plus};
use super::projection::Projection;
use super::random::signs;
use super::randomized::Randomized;
use super::scale::{Scaled, times_power_of_two};
use super::source::{MAX_COLUMNS, MAX_SQUARE, RealBlocks, Size};
use super::svd::SmallSvd;
use super::tree::{Key, Tree};
use super::tsqr::{Reduced, Reduction};
use crate::{Error, Rank};

/// A decomposition under way: while [`pass`](Self::pass) gives one, its partial results are to be added for
/// every block, then [`advance`](Self::advance) goes on to the next; after the last there is the
/// [`RealSvd`].
pub struct RealPasses {
    /// Singular triplets wanted.
    k: usize,
    /// Projections that are not done yet.
    projections: usize,
    /// `||A||_F^2`, where a projection has told it.
    energy: Option<f64>,
    under_way: Option<UnderWay>,
    svd: Option<RealSvd>,
}

/// A pass, and what was found so far.
struct UnderWay {
    pass: Pass,
    nodes: Reduction,
    sums: Tree<Projection>,
    blocks: Mutex<BTreeSet<usize>>,
}

impl RealPasses {
    /// [`tsqr_svd`](crate::tsqr_svd) of a matrix of `rows x columns`.
    ///
    /// # Errors
    /// [`Error::RankRange`], [`Error::ColumnCount`] and [`Error::TooManyRows`] as there.
    pub fn tsqr(rows: u64, columns: usize, rank: Rank, center: bool) -> Result<Self, Error> {
        let size = Size::new(rows, columns, MAX_SQUARE)?;
        let k = match rank {
            Rank::Full => columns,
            Rank::Columns(k) if (1..=columns).contains(&k) => k,
            Rank::Columns(rank) => return Err(Error::RankRange { rank, columns }),
        };
        Ok(Self::new(size, center, k, 0, None))
    }

    /// [`dssvd`](crate::dssvd) of a matrix of `rows x columns`; with `center` [`dspca`](crate::dspca).
    ///
    /// # Errors
    /// [`Error::RankRange`], [`Error::ColumnCount`] and [`Error::TooManyRows`] as there.
    pub fn randomized(rows: u64, columns: usize, options: &Randomized, center: bool) -> Result<Self, Error> {
        let size = Size::new(rows, columns, MAX_COLUMNS)?;
        let (k, limit) = (options.rank, size.short_side());
        if k == 0 || k > limit {
            return Err(Error::RankRange { rank: k, columns: limit });
        }
        let width = k.saturating_add(options.oversample).min(limit);
        let w = signs(options.seed, columns, width);
        Ok(Self::new(size, center, k, options.power_iterations.saturating_add(1), Some(w)))
    }

    fn new(size: Size, center: bool, k: usize, projections: usize, w: Option<Matrix>) -> Self {
        let mut passes = Self { k, projections, energy: None, under_way: None, svd: None };
        if size.blocks == 0 {
            passes.svd = Some(RealSvd::of_nothing(size, center));
        } else {
            passes.begin(size, center, Step::Range { w });
        }
        passes
    }

    fn begin(&mut self, size: Size, center: bool, step: Step) {
        self.under_way = Some(UnderWay {
            pass: Pass { size, center, step },
            nodes: Reduction::default(),
            sums: Tree::default(),
            blocks: Mutex::default(),
        });
    }

    /// Passes that are left, with the one under way.
    #[must_use]
    pub fn left(&self) -> usize {
        let after = |range: bool| self.projections.saturating_mul(2).saturating_add(usize::from(range));
        self.pass().map_or(0, |pass| after(matches!(pass.step, Step::Range { .. })))
    }

    /// The pass under way; none after the last.
    #[must_use]
    pub fn pass(&self) -> Option<&Pass> {
        self.under_way.as_ref().map(|under_way| &under_way.pass)
    }

    /// Numbers that the largest of the passes left finds, at the most, where the blocks are in `partitions` even
    /// runs.
    #[must_use]
    pub fn numbers_found(&self, partitions: usize) -> u64 {
        let Some(pass) = self.pass() else { return 0 };
        let Size { columns: n, blocks, .. } = pass.size;
        let l = match &pass.step {
            Step::Range { w } => w.as_ref().map_or(n, Matrix::columns),
            Step::Project { w, .. } => w.columns(),
        };
        let range = (blocks * l) as u64 * (l as u64 + 1) / 2;
        // A run of blocks is at most this many aligned ranges, each with a sum of its own.
        let run = blocks.div_ceil(partitions.max(1));
        let sums = run.min(2 * run.ilog2() as usize + 1) * partitions.min(blocks);
        let projection = if self.projections > 0 { (sums * n) as u64 * l as u64 } else { 0 };
        range.max(projection)
    }

    /// Adds what the pass under way found, and combines it with what is there.
    ///
    /// # Errors
    /// [`Error::Partial`] when it is of another pass, or of a block that was added already; [`Error::Block`]
    /// for a block that does not exist.
    pub fn add(&self, Partial { key, found }: Partial) -> Result<(), Error> {
        let wrong = |why| Error::Partial { why };
        let UnderWay { pass, nodes, sums, .. } =
            self.under_way.as_ref().ok_or(wrong("all passes are done"))?;
        let blocks = blocks_of(key, pass.blocks())?;
        if !pass.fits(&found, &blocks) {
            return Err(wrong("it is of another pass"));
        }
        let first = blocks.start;
        self.claim(blocks)?;
        match found {
            Contribution::Node(node) => nodes.add(first, node),
            Contribution::Projection(sum) => sums.add(key, sum, plus),
        }
    }

    /// Goes on to the next pass, or to the result, when everything of this one was added. On the current
    /// thread pool, which changes no bit.
    ///
    /// # Errors
    /// [`Error::Partial`] when blocks are missing; [`Error::SingularValueRange`] where f64 can't hold a
    /// singular value; [`Error::NoConvergence`]. There is no next pass then, and no result.
    pub fn advance(&mut self) -> Result<(), Error> {
        let missing = Error::Partial { why: "the pass lacks blocks" };
        let Some(UnderWay { pass: Pass { size, center, step }, nodes, sums, blocks }) = self.under_way.take()
        else {
            return Ok(());
        };
        if blocks.into_inner().unwrap_or_else(PoisonError::into_inner).len() != size.blocks {
            return Err(missing);
        }
        match step {
            Step::Range { w } => {
                let range = nodes.finish()?.ok_or(missing)?;
                match w {
                    Some(w) if self.projections > 0 => {
                        let all = Matrix::identity(range.root.matrix.rows(), w.columns());
                        let coefficients = range.coefficients(all);
                        self.begin(size, center, Step::Project { w, coefficients });
                    }
                    w => self.svd = Some(self.solve(size, center, w, &range)?),
                }
            }
            Step::Project { .. } => {
                let (_, b) = sums.finish(plus)?.ok_or(missing)?;
                self.energy = Some(b.energy());
                self.projections -= 1;
                self.begin(size, center, Step::Range { w: Some(b.basis_of_rows()) });
            }
        }
        Ok(())
    }

    /// The result.
    ///
    /// # Errors
    /// [`Error::Partial`] while passes are left, or after one that failed.
    pub fn finish(self) -> Result<RealSvd, Error> {
        self.svd.ok_or(Error::Partial { why: "passes are left" })
    }

    fn solve(&self, size: Size, center: bool, w: Option<Matrix>, range: &Reduced) -> Result<RealSvd, Error> {
        let Scaled { exponent, matrix } = &range.root;
        let svd = SmallSvd::new(matrix)?;
        let squares = || svd.s.iter().rev().fold(0.0, |sum: f64, s| s.mul_add(*s, sum));
        let energy = self.energy.unwrap_or_else(|| times_power_of_two(squares(), exponent.saturating_mul(2)));
        let svd = match &w {
            Some(w) => svd.times_transpose_of(w),
            None => svd,
        };
        let removed = if center { size.error_of_centering(range.magnitude) } else { 0.0 };
        let parts = Parts { size, center, range: w, energy, exponent: *exponent, removed, svd };
        RealSvd::new(parts, self.k, |u| range.coefficients(u))
    }

    /// Remembers that these blocks were added.
    fn claim(&self, mut blocks: Range<usize>) -> Result<(), Error> {
        let Some(under_way) = &self.under_way else { return Ok(()) };
        let mut added = under_way.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        match blocks.all(|block| added.insert(block)) {
            true => Ok(()),
            false => Err(Error::Partial { why: "a row block came twice" }),
        }
    }
}

/// The blocks of a node, where there are this many.
fn blocks_of(key: Key, blocks: usize) -> Result<Range<usize>, Error> {
    let size = 1usize.checked_shl(key.level).unwrap_or(usize::MAX);
    let first = usize::try_from(key.index).map_or(usize::MAX, |index| index.saturating_mul(size));
    if first >= blocks {
        return Err(Error::Block { block: first, blocks });
    }
    Ok(first..first.saturating_add(size).min(blocks))
}

/// All passes over a source, on this many threads.
pub(super) fn run<S: RealBlocks>(
    source: &S,
    mut passes: RealPasses,
    threads: usize,
) -> Result<RealSvd, S::Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::Threads(e.to_string()))?;
    pool.install(|| {
        while let Some(pass) = passes.pass() {
            (0..pass.blocks()).into_par_iter().try_for_each(|block| {
                let mut values = vec![0.0; pass.rows_of(block) * pass.columns()];
                source.read(block, &mut values)?;
                Ok::<_, S::Error>(passes.add(pass.block(block, &values)?)?)
            })?;
            passes.advance()?;
        }
        Ok(passes.finish()?)
    })
}

#[cfg(test)]
mod tests;
