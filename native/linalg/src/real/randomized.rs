//! Randomized SVD and PCA: Mahout's DS-SVD, for matrices with too many columns for an n x n matrix.
//!
//! N. Halko, P. G. Martinsson and J. A. Tropp (2011), "Finding structure with randomness", algorithms 4.4 and
//! 5.1; D. Lyubimov and A. Palumbo (2016), "Apache Mahout: Beyond MapReduce", whose `dssvd(A, k, p, q)` and
//! `dspca(A, k, p, q)` these follow:
//!
//! ```text
//! W = random n x (k + p)
//! Y = A W,  Q R = Y,  B = Q^T A                      (range, projection)
//! q times: the same with W = an orthonormal basis of B's rows
//! SVD of B: U = Q U_B, s, V                          (the leading k)
//! ```
//!
//! `Y` is orthonormalised by Householder TSQR, not by Cholesky of `Y^T Y` as in Mahout, and the rows of `B`
//! are orthonormalised too, so power iterations lose no small singular values. `2 q + 2` passes over the
//! source, and one for `U`.

use serde::{Deserialize, Serialize};

use super::decomposition::{Parts, RealSvd, in_pool};
use super::matrix::{LANES, Matrix, pairwise};
use super::product::Left;
use super::qr::{Qr, Shape};
use super::random::Sketch;
use super::scale::{Scaled, times_power_of_two};
use super::source::{RealBlocks, Size};
use super::svd::SmallSvd;
use super::tree::{Key, Tree};
use super::tsqr::{self, Reduced};
use crate::Error;
use crate::dispatch::dispatched;
use rayon::prelude::*;

/// Parameters of [`dssvd`] and [`dspca`], with Mahout's names for the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Randomized {
    /// `k`: singular triplets wanted.
    pub rank: usize,
    /// `p`: columns of the sketch beyond `k`; `k + p` is cut to `min(m, n)`.
    pub oversample: usize,
    /// `q`: power iterations.
    pub power_iterations: usize,
    /// Of the random matrix.
    pub seed: u64,
    /// Its entries.
    pub sketch: Sketch,
}

impl Randomized {
    /// Rank `k` with the defaults of Mahout's paper: `p = 15`, `q = 2`; seed 0, signs.
    #[must_use]
    pub fn new(rank: usize) -> Self {
        Self { rank, oversample: 15, power_iterations: 2, seed: 0, sketch: Sketch::Signs }
    }
}

/// The `k` leading singular triplets, nearly, of the source's matrix (m x n).
///
/// The error in `s` and the residual are those of Halko et al. (their theorem 10.6 bounds the expected
/// residual). Memory: one block per thread, n x (k + p), and (k + p) x (k + p) for each block. The bits
/// depend on the matrix and the parameters alone.
///
/// # Errors
/// Those of the source; [`Error::RankRange`] for a rank of zero or above `min(m, n)`; [`Error::ColumnCount`]
/// and [`Error::TooManyRows`] for sizes that can't be addressed; [`Error::NotFiniteValue`] for NaN or
/// infinity; [`Error::SingularValueRange`] where f64 can't hold a singular value; [`Error::NoConvergence`];
/// [`Error::Threads`].
pub fn dssvd<S: RealBlocks>(source: &S, options: &Randomized, threads: usize) -> Result<RealSvd, S::Error> {
    randomized(source, options, false, threads)
}

/// The `k` leading principal components, nearly: [`dssvd`] of the matrix without its mean column (the mean
/// slice), which is removed row by row as blocks are read.
///
/// # Errors
/// Those of [`dssvd`].
pub fn dspca<S: RealBlocks>(source: &S, options: &Randomized, threads: usize) -> Result<RealSvd, S::Error> {
    randomized(source, options, true, threads)
}

fn randomized<S: RealBlocks>(
    source: &S,
    options: &Randomized,
    center: bool,
    threads: usize,
) -> Result<RealSvd, S::Error> {
    let size = Size::of(source)?;
    let (k, limit) = (options.rank, size.short_side());
    if k == 0 || k > limit {
        return Err(Error::RankRange { rank: k, columns: limit }.into());
    }
    let width = k.saturating_add(options.oversample).min(limit);
    in_pool(threads, || {
        let block = |b: usize| size.load(source, b, center);
        let mut w = options.sketch.matrix(options.seed, size.columns, width);
        for iteration in 0.. {
            let Some(range) = range(&size, &w, &block)? else { break };
            let Some(b) = projection(&w, &range, &block)? else { break };
            if iteration < options.power_iterations {
                let rows = Scaled::new(b.transposed, 0).matrix;
                w = Qr::new(rows, Shape::Dense).apply(&Matrix::identity(width, width));
                continue;
            }
            let Scaled { exponent, matrix } = Scaled::new(b.transposed.transposed(), 0);
            let energy = times_power_of_two(b.energy, exponent.saturating_mul(-2));
            let svd = SmallSvd::new(&matrix)?;
            let exponent = b.exponent.saturating_add(exponent);
            let parts = Parts { size, center, range: Some(w), energy, exponent, svd };
            return Ok(RealSvd::new(parts, k, |u| range.coefficients(u))?);
        }
        Ok(RealSvd::of_nothing(size, center))
    })
}

/// QR of `Y = A W`.
fn range<E: From<Error> + Send>(
    size: &Size,
    w: &Matrix,
    block: &(impl Fn(usize) -> Result<Scaled, E> + Sync),
) -> Result<Option<Reduced>, E> {
    tsqr::reduce(size.blocks, |b| Ok(sketched(&block(b)?, w)))
}

fn sketched(block: &Scaled, w: &Matrix) -> Scaled {
    Scaled { exponent: block.exponent, matrix: Left::of(&block.matrix).times(w) }
}

/// `B^T = A^T Q` and `||A||_F^2` of some row blocks, over `2^exponent` and its square.
struct Projection {
    exponent: i32,
    transposed: Matrix,
    energy: f64,
}

impl Projection {
    fn plus(self, other: Self) -> Self {
        let exponent = self.exponent.max(other.exponent);
        let energy = |p: &Self| times_power_of_two(p.energy, (p.exponent - exponent).saturating_mul(2));
        let energy = energy(&self) + energy(&other);
        let scaled = |p: Self| Scaled { exponent: p.exponent, matrix: p.transposed };
        let (mut sum, other) = scaled(self).align(scaled(other));
        sum.matrix.add(&other.matrix);
        Self { exponent, transposed: sum.matrix, energy }
    }
}

/// `B^T`, summed along the canonical tree.
fn projection<E: From<Error> + Send>(
    w: &Matrix,
    range: &Reduced,
    block: &(impl Fn(usize) -> Result<Scaled, E> + Sync),
) -> Result<Option<Projection>, E> {
    let tree = Tree::default();
    let plus = |_: Key, left: Projection, right: Projection| -> Result<_, E> { Ok(left.plus(right)) };
    let root = Matrix::identity(range.root.matrix.rows(), w.columns());
    range.coefficients(root).into_par_iter().enumerate().try_for_each(|(b, coefficients)| {
        let a = block(b)?;
        let q = tsqr::leaf(sketched(&a, w)).0.apply(&coefficients);
        let transposed = Left::transpose_of(&a.matrix).times(&q);
        tree.add(
            Key::block(b),
            Projection { exponent: a.exponent, transposed, energy: square(&a.matrix) },
            plus,
        )
    })?;
    Ok(tree.finish(plus)?.map(|(_, sum)| sum))
}

dispatched! {
    /// `||A||_F^2` of a block: a chain per column, then lanes of a panel pairwise, then panels in ascending
    /// order.
    fn square(a: &Matrix) -> f64 {
        let mut sum = 0.0;
        for p in 0..a.panels() {
            let mut columns = [0.0; LANES];
            for row in a.panel(p) {
                for c in 0..LANES {
                    columns[c] = row[c].mul_add(row[c], columns[c]);
                }
            }
            sum += pairwise(columns);
        }
        sum
    }
}
