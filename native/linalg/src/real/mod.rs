//! Real-valued matrices: decompositions by orthogonal transformations, every sum in a fixed order.
//!
//! Where the entries are no integers of 16 bits there is no exact Gram matrix, and `A^T A` in floating point
//! would lose all singular values below `1e-8 s_1`. So `A` is reduced by Householder reflections, which lose
//! none, and the order of all operations is part of the result's definition (class `fixed`): the bits depend
//! on the matrix, not on threads, on the vector width, or on where a block was computed.
//!
//! Parts, lowest first:
//!
//! * [`matrix`], [`product`]: matrices in panels of eight columns; products whose entries are single chains
//!   of fused multiply-adds.
//! * [`qr`]: block Householder QR. [`jacobi`], [`svd`]: the SVD of a small matrix.
//! * [`scale`]: a power of two beside each matrix, so that no scale of the data overflows.
//! * [`tree`]: the canonical tree over row blocks. [`tsqr`], [`projection`]: QR and `Q^T A` along that tree.
//!   [`source`]: where row blocks come from.
//! * [`random`]: counter-based random numbers and sketches.
//! * [`pass`]: what one pass computes of a row block, wherever that is. [`passes`]: the passes, one after
//!   another, and what is done between them.
//!
//! Drivers: [`tsqr_svd`], [`dssvd`], [`dspca`], each a loop over [`RealPasses`]; [`tsqr_qr`].

mod decomposition;
mod drivers;
mod factorization;
mod jacobi;
mod matrix;
mod pass;
mod passes;
mod product;
mod projection;
mod qr;
mod random;
mod randomized;
mod scale;
mod source;
mod svd;
mod tree;
mod tsqr;

pub use decomposition::RealSvd;
pub use drivers::{dspca, dssvd, tsqr_svd};
pub use factorization::{RealQr, tsqr_qr};
pub use matrix::row_means;
pub use pass::{Partial, Partials, Pass};
pub use passes::RealPasses;
pub use random::philox4x32_10;
pub use randomized::Randomized;
pub use tree::{Key, Tree};
pub use tsqr::TsqrNode;
