//! Linear algebra whose result is a property of the data, not of the program.
//!
//! The matrix `A` (m x n; of a CT scan: pixels x slices) holds integers of at most 16 bits and one rescale (slope, intercept)
//! per column. Three steps give its thin SVD `A = U diag(s) V^T`, each free of order, so that no
//! partitioning, thread count, retry or instruction set changes a bit:
//!
//! 1. [`GramAccumulator`]: `G = A^T A` in integers, exact; blocks of rows may be added and merged in any
//!    order.
//! 2. [`certified_svd`]: `s` and `V` are the f64 nearest to the true singular values and right singular
//!    vectors of `A`, proven by an error bound and Ziv's rounding test.
//! 3. [`Projector`]: `U = A V / s` and composites, each entry one chain of fused multiply-adds in a defined
//!    order.
//!
//! Each row's mean, or each column's, can be removed exactly on the way ([`Center`]).
//!
//! Matrices of floats have an exact Gram matrix too, at a higher price: [`certified_real_svd`], or [`real_gram`] and
//! [`RealProjector`]. Without it, every sum has a fixed order instead, along the canonical [`Tree`] over row blocks, and
//! the bits are the same for any threads and any grouping of blocks on x86-64 with AVX2 and FMA, and on aarch64:
//!
//! * [`tsqr_qr`]: QR by Householder reflections along the tree.
//! * [`tsqr_svd`]: the whole thin SVD by Householder QR along the tree; orthogonal to working precision at
//!   any condition number.
//! * [`dssvd`] and [`dspca`]: randomized, for the leading k of many columns, with Mahout's meaning of k, p
//!   and q.
//!
//! Either is a loop over [`RealPasses`], by which the row blocks may be anywhere: a [`Pass`] and the
//! [`Partials`] that it finds travel as bytes.
//!
//! How many to keep: [`optimal_rank`], [`energy_rank`]. Matrices whose decomposition is known, and scores for those that
//! others compute: [`reference`](mod@reference).
//!
//! Matrices are `ndarray` views and arrays, of any layout: values that are stored column after column are viewed by
//! [`column_major`]. Where no copy is to be made, the documentation says which layout that takes. What was serialized is
//! checked when it is read.
//!
//! No I/O, no JVM, no knowledge of images. Threads are used only where an argument asks for them.
//!
//! A module calls only modules above it in this table, and only those named;
//! `native/pipeline/tests/modules.rs` fails otherwise.
//!
//! | module | what it is | calls |
//! |---|---|---|
//! | `error` | what is refused, and why ([`Error`]) | |
//! | `rounding` | powers of two, exponents, roundings to f64 | |
//! | `tile` | the tiles of entries that a product computes at a time | |
//! | `dispatch` | the widest vector instructions that this machine has | |
//! | `bytes` | numbers to bytes and back, with checks | `error` |
//! | `block` | row blocks of integers, and their rescale | `error` |
//! | `affine` | integer columns and their rescales, exactly | `block`, `error` |
//! | `center` | rows or columns without their means ([`Center`]) | `affine`, `block`, `error`, `rounding` |
//! | `rank` | how many singular values to keep | |
//! | `gram` | `A^T A`, exact, of integers and of floats ([`RealBlocks`]) | `affine`, `block`, `bytes`, `center`, `dispatch`, `error`, `rounding` |
//! | `machine` | what this machine must have, and its kernel | `error`, `gram` |
//! | `certified` | `s` and `V` of a Gram matrix, proven | `affine`, `bytes`, `dispatch`, `error`, `gram`, `rank`, `rounding`, `tile` |
//! | `project` | `U` and composites of row blocks | `affine`, `block`, `center`, `certified`, `dispatch`, `error`, `rounding`, `tile` |
//! | `floats` | all three steps for a matrix of floats | `center`, `certified`, `error`, `gram`, `project`, `rank` |
//! | `real` | the methods of fixed order: `tsqr`, `dssvd`, `dspca` | `block`, `bytes`, `dispatch`, `error`, `gram`, `rank`, `rounding`, `tile` |
//! | [`reference`](mod@reference) | matrices whose decomposition is known, and scores | `certified`, `error`, `gram`, `rank`, `real`, `rounding` |

mod affine;
mod block;
mod bytes;
mod center;
mod certified;
mod dispatch;
mod error;
mod floats;
mod gram;
mod machine;
mod project;
mod rank;
mod real;
pub mod reference;
mod rounding;
mod tile;

pub use block::{BLOCK_ROWS, Rescale, Sample, column_major};
pub use center::{Center, Centering, RealCentering};
pub use certified::{
    Bounds, COMPENSATE, CertifiedSvd, Witness, certified_svd, certified_svd_with_witness, refuse_impossible,
};
pub use dispatch::{Vectorize, vectorize};
pub use error::Error;
pub use floats::{CertifiedRealSvd, certified_real_svd, certified_real_svd_centered};
pub use gram::{
    CheckedGram, CheckedPart, ColumnRanges, GramAccumulator, GramMatrix, GramPart,
    MAX_COLUMNS as MAX_GRAM_COLUMNS, ModularCheck, RealBlocks, RealGramAccumulator, block_check,
    centered_real_gram, check_magnitude, real_gram, verify_block,
};
pub use machine::{check_machine, kernel_name};
pub use project::{Projector, RealProjector, SvdView};
pub use rank::{Rank, energy_rank, estimated_noise, optimal_rank};
pub use real::{
    Key, Partial, Partials, Pass, Randomized, RealPasses, RealQr, RealSvd, Tree, TsqrNode, dspca, dssvd,
    philox4x32_10, row_means, tsqr_qr, tsqr_svd,
};
