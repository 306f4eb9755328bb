//! The drivers over a source in this process: [`tsqr_svd`] for the whole SVD, [`dssvd`] and [`dspca`] for its
//! leading part.

use super::decomposition::RealSvd;
use super::passes::{RealPasses, run};
use super::randomized::Randomized;
use super::source::RealBlocks;
use crate::Rank;

/// The whole thin SVD, or its `rank` leading triplets, by QR along the canonical tree and the SVD of the last
/// `R`.
///
/// `center` removes each row's mean first. Backward stable: singular values are off by at most a
/// small multiple of `2^-53 s_1`, and `U` and `V` are orthogonal to working precision, at any condition
/// number. Two passes over the source, this one and that for `U` ([`RealSvd::basis`]); `2 m n^2` operations
/// here, `2 m n^2 + 4 m n k` for `U`. Memory: one block and its factors (4096 x n, twice) per thread, 2n x n
/// for each block, n x k for each block.
///
/// # Errors
/// Those of the source; of [`Error`](crate::Error) `ColumnCount` for more than 16,384 columns (an n x n matrix within
/// 2 GiB) or none, `TooManyRows` for sizes that can't be addressed, `RankRange` for a rank of zero or above n, `NotFiniteValue` for NaN or infinity,
/// `SingularValueRange` where f64 can't hold a singular value, `NoConvergence`, `Threads`.
pub fn tsqr_svd<S: RealBlocks>(
    source: &S,
    rank: Rank,
    center: bool,
    threads: usize,
) -> Result<RealSvd, S::Error> {
    run(source, RealPasses::tsqr(source.rows(), source.columns(), rank, center)?, threads)
}

/// The `k` leading singular triplets, nearly, of the source's matrix (m x n).
///
/// The error in `s` and the residual are at most those of Halko et al. (theorem 10.6 bounds the expected
/// residual). Memory: one block per thread, n x (k + p), and 3 (k + p) x (k + p) for each block. The bits
/// depend on the matrix and the parameters alone.
///
/// # Errors
/// Those of [`tsqr_svd`], but up to 65,536 columns (a row block within 2 GiB) are taken; ranks from 1 to `min(m, n)`.
pub fn dssvd<S: RealBlocks>(source: &S, options: &Randomized, threads: usize) -> Result<RealSvd, S::Error> {
    run(source, RealPasses::randomized(source.rows(), source.columns(), options, false)?, threads)
}

/// The `k` leading principal components, nearly: [`dssvd`] of the matrix without its mean column, which is removed row by row as blocks are read.
///
/// # Errors
/// Those of [`dssvd`].
pub fn dspca<S: RealBlocks>(source: &S, options: &Randomized, threads: usize) -> Result<RealSvd, S::Error> {
    run(source, RealPasses::randomized(source.rows(), source.columns(), options, true)?, threads)
}
