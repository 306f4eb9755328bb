//! Randomized SVD and PCA: Mahout's DS-SVD, for matrices with too many columns for an n x n matrix.
//!
//! N. Halko, P. G. Martinsson and J. A. Tropp (2011), "Finding structure with randomness", algorithms 4.4 and
//! 5.1; D. Lyubimov and A. Palumbo (2016), "Apache Mahout: Beyond MapReduce", whose `dssvd(A, k, p, q)` and
//! `dspca(A, k, p, q)` these follow as far as `B`:
//!
//! ```text
//! 1. W = random n x l, of signs; l = k + p
//! 2. q + 1 times:
//!    a. Y = A W,  Q R = Y                       (range pass: m x l, Q orthonormal, R l x l)
//!    b. B = Q^T A                               (projection pass: l x n)
//!    c. W = an orthonormal basis of B's rows    (n x l)
//! 3. Y = A W,  Q R = Y                          (range pass)
//! 4. R = U_R diag(s) V_R^T                      (l x l)
//! 5. U = Q U_R,  V = W V_R                      (the leading k columns)
//! ```
//!
//! `dspca` is the same for `A` less each row's mean, which is removed from a row block whenever it is read. Steps 1, 2c, 4
//! and 5 are in [`passes`](super::passes), where the matrix is put together; a block's part of 2a, 2b and 3 is
//! [`Pass::block`](super::Pass::block), wherever the block is.
//!
//! `Y` is orthonormalized by Householder TSQR, not by Cholesky of `Y^T Y` as in Mahout, and the rows of `B`
//! are orthonormalized too, so power iterations lose no small singular values.
//!
//! They end with the SVD of `B`. Here one more range pass follows, and what is decomposed is `A W W^T`. It
//! is never further from `A`: `B = B W W^T = Q^T (A W W^T)`, so `s_j(B) <= s_j(A W) <= s_j(A)` for every
//! `j`, and the square of the residual, `||A||_F^2 - s_1^2 - .. - s_k^2` for either, is not larger. The
//! error of `s_j` shrinks by another `(s_(k+p+1) / s_j)^2`, half of what a power iteration gives for half of
//! its price, and the SVD is that of a (k + p) x (k + p) matrix. `2 q + 3` passes over the source, and one
//! for `U`.

use serde::{Deserialize, Serialize};

/// Parameters of [`dssvd`](crate::dssvd) and [`dspca`](crate::dspca), with Mahout's names for the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Randomized {
    /// `k`: singular triplets wanted.
    pub rank: usize,
    /// `p`: columns of the sketch beyond `k`; `k + p` is at most `min(m, n)`.
    pub oversample: usize,
    /// `q`: power iterations.
    pub power_iterations: usize,
    /// Of the random matrix, whose entries are +1 and -1.
    pub seed: u64,
}

impl Randomized {
    /// Rank `k` with the defaults of Mahout's paper: `p = 15`, `q = 2`; seed 0.
    #[must_use]
    pub fn new(rank: usize) -> Self {
        Self { rank, oversample: 15, power_iterations: 2, seed: 0 }
    }
}
