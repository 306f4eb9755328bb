//! The drivers as passes over the row blocks: what is done where the matrix is put together.
//!
//! Steps are those of the box in [`randomized`](super::randomized), for `dssvd` and `dspca`; `tsqr` is steps 3 to 5, of `A`
//! instead of `A W`.
//!
//! A pass hands out what its blocks need ([`Pass`]) and takes what they find ([`Partial`]), from any thread
//! or process, in any order. Nodes of a range are combined here and not where the blocks are: going back
//! down from the root to the blocks' rows of `Q` needs the internal nodes of all combinations, and an executor that
//! kept some could be lost with them. So a pass for the range takes `l^2 / 2` numbers of every block, and
//! keeps `2 l^2` of every internal node, `l` the columns of `Y`; a projection takes n x l of every partition.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ndarray::{Array2, ShapeBuilder};
use rayon::prelude::*;

use super::decomposition::{Parts, RealSvd};
use super::matrix::Matrix;
use super::pass::{Partial, PartialValue, Pass, PassKind, plus};
use super::projection::Projection;
use super::random::signs;
use super::randomized::Randomized;
use super::scale::Scaled;
use super::source::{MAX_COLUMNS, MAX_SQUARE, Size};
use super::svd::SmallSvd;
use super::tree::{Key, Tree};
use super::tsqr::{Reduced, Reduction};
use crate::gram::RealBlocks;
use crate::rounding::times_power_of_two;
use crate::{Error, Rank};

/// A decomposition under way: while [`pass`](Self::pass) gives one, its partial results are to be added for
/// every block, then [`advance`](Self::advance) goes on to the next; after the last there is the
/// [`RealSvd`].
///
/// ```
/// use tomobasis_linalg::{Partials, Randomized, RealPasses, dssvd};
/// let a = ndarray::Array2::from_shape_fn((9, 4), |(i, j)| (i * i + j) as f64);
/// let options = Randomized::new(2);
/// let mut passes = RealPasses::randomized(9, 4, &options, false)?;
/// while let Some(pass) = passes.pass() {
///     // Wherever the row blocks are; here there is one.
///     let mut found = Partials::default();
///     found.add(pass.block(0, a.view())?)?;
///     // Where the matrix is put together.
///     for partial in Partials::parts(&found.into_bytes())? {
///         passes.add(partial)?;
///     }
///     passes.advance()?;
/// }
/// assert_eq!(passes.finish()?, dssvd(&a, &options, 2)?);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
pub struct RealPasses {
    /// Singular triplets wanted.
    k: usize,
    /// Projections that are not done yet.
    projections: usize,
    /// `||A||_F^2`, known once a projection was finished.
    energy: Option<f64>,
    current: Option<CurrentPass>,
    svd: Option<RealSvd>,
}

/// A pass, and what was found so far.
struct CurrentPass {
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
        // Step 1.
        let w = signs(options.seed, columns, width);
        Ok(Self::new(size, center, k, options.power_iterations.saturating_add(1), Some(w)))
    }

    fn new(size: Size, center: bool, k: usize, projections: usize, w: Option<Matrix>) -> Self {
        let mut passes = Self { k, projections, energy: None, current: None, svd: None };
        if size.blocks == 0 {
            passes.svd = Some(RealSvd::of_nothing(size, center));
        } else {
            passes.begin(size, center, PassKind::Range { w });
        }
        passes
    }

    fn begin(&mut self, size: Size, center: bool, kind: PassKind) {
        self.current = Some(CurrentPass {
            pass: Pass { size, center, kind },
            nodes: Reduction::default(),
            sums: Tree::default(),
            blocks: Mutex::default(),
        });
    }

    /// Passes that are left, with the one under way.
    #[must_use]
    pub fn left(&self) -> usize {
        let after = |range: bool| self.projections.saturating_mul(2).saturating_add(usize::from(range));
        self.pass().map_or(0, |pass| after(matches!(pass.kind, PassKind::Range { .. })))
    }

    /// The pass under way; none after the last.
    #[must_use]
    pub fn pass(&self) -> Option<&Pass> {
        self.current.as_ref().map(|current| &current.pass)
    }

    /// Numbers that the largest of the passes left finds, at the most, where the blocks are in `partitions` even
    /// runs.
    #[must_use]
    pub fn numbers_found(&self, partitions: usize) -> u64 {
        let Some(pass) = self.pass() else { return 0 };
        let Size { columns: n, blocks, .. } = pass.size;
        let l = match &pass.kind {
            PassKind::Range { w } => w.as_ref().map_or(n, Matrix::columns),
            PassKind::Projection { w, .. } => w.columns(),
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
    pub fn add(&self, Partial { key, value }: Partial) -> Result<(), Error> {
        let wrong = |why| Error::Partial { why };
        let CurrentPass { pass, nodes, sums, .. } =
            self.current.as_ref().ok_or(wrong("all passes are done"))?;
        let blocks = blocks_of(key, pass.blocks())?;
        if !pass.fits(&value, &blocks) {
            return Err(wrong("it is of another pass"));
        }
        let first = blocks.start;
        self.claim(blocks)?;
        match value {
            PartialValue::Node(node) => nodes.add(first, node),
            PartialValue::Projection(sum) => sums.add(key, sum, plus),
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
        let Some(CurrentPass { pass: Pass { size, center, kind }, nodes, sums, blocks }) =
            self.current.take()
        else {
            return Ok(());
        };
        if blocks.into_inner().unwrap_or_else(PoisonError::into_inner).len() != size.blocks {
            return Err(missing);
        }
        match kind {
            // The end of step 2a or 3: Q as the tree's factors, R (at most l x l) at its root.
            PassKind::Range { w } => {
                let range = nodes.finish()?.ok_or(missing)?;
                match w {
                    Some(w) if self.projections > 0 => {
                        // On to step 2b: each block is told which combination of its own Q_b its rows of Q are.
                        let all = Matrix::identity(range.root.matrix.rows(), w.columns());
                        let coefficients = range.coefficients(all);
                        self.begin(size, center, PassKind::Projection { w, coefficients });
                    }
                    w => self.svd = Some(self.solve(size, center, w, &range)?),
                }
            }
            // The end of step 2b: B^T, n x l; step 2c; on to 2a, or to 3 after q + 1 times.
            PassKind::Projection { .. } => {
                let (_, b) = sums.finish(plus)?.ok_or(missing)?;
                self.energy = Some(b.energy());
                self.projections -= 1;
                self.begin(size, center, PassKind::Range { w: Some(b.basis_of_rows()) });
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

    /// Steps 4 and 5, but for `U`, whose rows each block computes.
    fn solve(&self, size: Size, center: bool, w: Option<Matrix>, range: &Reduced) -> Result<RealSvd, Error> {
        let Scaled { exponent, matrix } = &range.root;
        // Step 4.
        let svd = SmallSvd::new(matrix)?;
        let squares = || svd.s.iter().rev().fold(0.0, |sum: f64, s| s.mul_add(*s, sum));
        let energy = self.energy.unwrap_or_else(|| times_power_of_two(squares(), exponent.saturating_mul(2)));
        // Step 5: V = W V_R, n x l.
        let svd = match &w {
            Some(w) => svd.times_transpose_of(w),
            None => svd,
        };
        let removed = if center { size.error_of_centering(range.magnitude) } else { 0.0 };
        let parts = Parts { size, center, range: w, energy, exponent: *exponent, removed, svd };
        // U = Q U_R as coefficients of each block's own Q_b.
        RealSvd::new(parts, self.k, |u| range.coefficients(u))
    }

    /// Remembers that these blocks were added.
    fn claim(&self, mut blocks: Range<usize>) -> Result<(), Error> {
        let Some(current) = &self.current else { return Ok(()) };
        let mut added = current.blocks.lock().unwrap_or_else(PoisonError::into_inner);
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
        // Each pass: what it finds in every block, in any order; then what its results make of them all.
        while let Some(pass) = passes.pass() {
            (0..pass.blocks()).into_par_iter().try_for_each(|block| {
                let mut values = Array2::zeros((pass.rows_of(block), pass.columns()).f());
                source.read(block, values.view_mut())?;
                Ok::<_, S::Error>(passes.add(pass.block(block, values.view())?)?)
            })?;
            passes.advance()?;
        }
        Ok(passes.finish()?)
    })
}

#[cfg(test)]
mod tests;
