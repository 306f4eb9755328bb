//! Singular values and right singular vectors, correctly rounded.
//!
//! From the exact `G = A^T A` the f64 nearest to the true `s = sqrt(lambda(G))` and to the true entries of
//! `V` are found and proven:
//!
//! 1. *Start.* Any f64 eigensolver ([`start`]).
//! 2. *Exact residual.* `X` and `lambda` in fixed point, `W = G X - X diag(lambda)` and `1 - x.x` as exact
//!    integers ([`mod@column`]).
//! 3. *Correction* in f64: `E_ij = x_i.w_j / (lambda_j - lambda_i)`, `E_jj = (1 - x_j.x_j) / 2`, `X += X E`,
//!    `lambda_j += x_j.w_j` (Ogita and Aishima 2018, "Iterative refinement for symmetric eigenvalue
//!    decomposition", written in the residual); a Rayleigh-Ritz step for clusters ([`cluster`]).
//! 4. *Bound.* The residuals of all n columns give disjoint intervals for the eigenvalues ([`enclosure`]) and
//!    so the gap of each; then `x_j` is off by at most `sqrt(2) |w_j| / gap_j` (Davis and Kahan 1970).
//! 5. *Ziv's test* ([`decide`]): a column whose every entry rounds the same way at both ends of its bound is
//!    done; the others go back to 2.
//!
//! Only the k leading columns are refined (and those in a cluster with them, and those on whose size the
//! numerical rank hangs); the other f64 eigenvectors serve as preconditioner and for the gaps. A step costs
//! O(n^2 k).
//!
//! # How many bits, and where it ends
//!
//! All numbers of a run have one width, 384, 768 or 1536 bits, shared out by [`column::Format`]. The first is
//! the narrowest in which every product is exact and the vectors have 160 fraction bits or more, for two
//! words of 53 bits and a bound: 384 bits while the entries of `G` have no more than about 210 (16-bit
//! integers need 80 at the most, decimal slopes 170), else 768. Where the residuals stop shrinking before all
//! columns are decided, the gaps ask for more, and the run goes on in the next width.
//!
//! This ends because eigenvalues closer than 2^-256 of the largest power of two in `G` count as equal
//! ([`enclosure::TIED`]), by definition and whether or not the digits in use could tell them apart. Their
//! columns are *unresolved*: they get the canonical basis of their common space ([`cluster::canonical`]) and
//! are named. So would be, after 1536 bits, a column with an entry, or a singular value, within 2^-200 of a
//! midpoint between two floats, or of the rank threshold; none is known.

mod cluster;
mod column;
mod decide;
mod enclosure;
mod outcome;
mod product;
mod refine;
mod start;
mod step;
mod wide;

use crate::{Error, GramMatrix};
use refine::{Outcome, Refinement};
use start::Start;

/// Columns with `s_1 / s_j` above this get a second word of `V` and a compensated chain for `T = A V` (see
/// [`crate::Projector`]).
///
/// `V` rounded to 53 bits tilts `u_j` by about `2^-54 s_1 / s_j`; up to here that stays below 1e-12.
pub const COMPENSATE: f64 = 16_384.0;

/// How many leading singular triplets are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// All up to the numerical rank.
    Full,
    /// At most this many (fewer where the numerical rank is lower).
    Columns(usize),
}

/// The error bounds reached, and what it took: for the manifest.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bounds {
    /// Largest bound on the distance of a refined column of `X` from the true singular vector, before
    /// rounding.
    pub v: f64,
    /// Largest bound on the relative error of a squared singular value, before rounding.
    pub s_squared: f64,
    /// Smallest gap between squared singular values of the result and their neighbours, relative to `s_1^2`.
    pub gap: f64,
    /// Refinement steps.
    pub steps: usize,
    /// Fraction bits of the fixed-point vectors.
    pub fraction_bits: u32,
}

/// The k leading singular values and right singular vectors of `A`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CertifiedSvd {
    /// Singular values, k, descending; each the f64 nearest to the true one.
    pub s: Vec<f64>,
    /// Weights `V`, n x k row-major. Entries of at least 2^-11 are the f64 nearest to the true ones, smaller
    /// ones the nearest multiples of 2^-64. The entry of largest magnitude in a column (lowest index on
    /// ties) is positive.
    pub v: Vec<f64>,
    /// Second words of `V`, same shape: for compensated columns the multiple of 2^-106 nearest to what `v`
    /// leaves, else zero.
    pub v_low: Vec<f64>,
    /// Which columns have a second word (k): those with `s_1 / s_j` above [`COMPENSATE`].
    pub compensated: Vec<bool>,
    /// The numerical rank: singular values above `max(m, n) 2^-52 s_1`.
    pub rank: usize,
    /// Columns of the result whose singular values equal a neighbour's: squared, they are closer than 2^-256
    /// of the power of two above the largest entry of `G`. Their vectors are the canonical basis of
    /// their common space.
    pub unresolved: Vec<usize>,
    /// What was proven.
    pub bounds: Bounds,
    /// `||A||_F^2`, correctly rounded.
    pub energy: f64,
}

impl CertifiedSvd {
    /// The first `k` columns: what a run that asks for `k` computes, but for the bounds, which stay those of
    /// all columns.
    #[must_use]
    pub fn leading(mut self, k: usize) -> Self {
        let columns = self.s.len();
        if k < columns {
            let cut = |rows: &[f64]| rows.chunks_exact(columns).flat_map(|row| &row[..k]).copied().collect();
            (self.v, self.v_low) = (cut(&self.v), cut(&self.v_low));
            self.s.truncate(k);
            self.compensated.truncate(k);
            self.unresolved.retain(|&j| j < k);
        }
        self
    }
}

/// The leading right singular vectors and singular values of the matrix whose exact Gram matrix is `g`, on up
/// to `threads` threads.
///
/// The result does not depend on `threads`, the machine, or the start.
///
/// # Errors
/// [`Error::RankRange`] for a rank of zero or above n; [`Error::SingularValueRange`] where f64 can't hold a
/// singular value; [`Error::NoStart`] when the starting eigensolver fails; [`Error::Threads`] when threads
/// can't be started.
pub fn certified_svd(g: &GramMatrix, rank: Rank, threads: usize) -> Result<CertifiedSvd, Error> {
    let n = g.n();
    let k = match rank {
        Rank::Full => n,
        Rank::Columns(rank) if (1..=n).contains(&rank) => rank,
        Rank::Columns(rank) => return Err(Error::RankRange { rank, columns: n }),
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::Threads(e.to_string()))?;
    pool.install(|| from_start(g, k, &Start::new(g)?))
}

fn from_start(g: &GramMatrix, k: usize, start: &Start) -> Result<CertifiedSvd, Error> {
    if g.bits() == 0 {
        return Ok(CertifiedSvd {
            s: vec![],
            v: vec![],
            v_low: vec![],
            compensated: vec![],
            rank: 0,
            unresolved: vec![],
            bounds: Bounds::default(),
            energy: 0.0,
        });
    }
    let narrow = match Refinement::<6>::new(g, k, start).map(Refinement::run).transpose()? {
        Some(Outcome::Done(svd)) => return Ok(svd),
        Some(Outcome::Stuck(refinement)) => refinement.widen::<12>(),
        None => Refinement::<12>::new(g, k, start),
    };
    let wide = match narrow.map(Refinement::run).transpose()? {
        Some(Outcome::Done(svd)) => return Ok(svd),
        Some(Outcome::Stuck(refinement)) => refinement.widen::<24>(),
        None => Refinement::<24>::new(g, k, start),
    };
    match wide.ok_or(Error::GramRange { bits: g.bits() })?.run()? {
        Outcome::Done(svd) => Ok(svd),
        Outcome::Stuck(refinement) => refinement.finish(),
    }
}

#[cfg(test)]
mod tests;
