//! Singular values and right singular vectors, correctly rounded.
//!
//! From the exact `G = A^T A` the f64 nearest to the true `s = sqrt(lambda(G))` and to the true entries of `V`. Two
//! jobs, two parts:
//!
//! * [`find`] finds eigenpairs to as many digits as it takes, by whatever means help: a float64 start, corrections
//!   from exact residuals, rotations in fixed point where float64 no longer tells eigenvalues apart.
//! * [`check`] proves them, column by column: that the intervals hold all eigenvalues and in this order, how many
//!   exceed the rank threshold, how far each vector can be off, and that every entry rounds one way only. It takes
//!   `G` and the candidates, and trusts nothing about them.
//!
//! What the checker rejects goes back for more digits. Nothing is published that it has not proven: what is left after
//! the widest numbers is [`Error::Unproven`].
//!
//! # The steps
//!
//! 1. *Start*: eigenpairs of `G` (n x n) in f64; the k leading ones alone where k is small, all of them if that was not enough.
//! 2. *Refine*: candidates `X` (n x k or more columns) and their values, until the residuals no longer shrink.
//! 3. *Check* the candidates. Those rejected go back to step 2, which is asked for more of their digits.
//! 4. *Widen*: where step 2 has no more digits to give, the same in the next width.
//! 5. *Publish* the proven columns, `V` (n x rank) with its canonical signs.
//!
//! # How many bits, and where it ends
//!
//! All numbers of a run have one width, 384, 768 or 1536 bits, shared out by `find::column::Format`. The first is
//! the narrowest in which every product is exact and the vectors have 160 fraction bits or more, for two
//! words of 53 bits and a bound: 384 bits while the entries of `G` have no more than about 210 (16-bit
//! integers need 80 at the most, decimal slopes 170), else 768. Where the residuals stop shrinking before all
//! columns are proven, the gaps ask for more, and the run goes on in the next width.
//!
//! This ends because eigenvalues closer than 2^-256 of the largest power of two in `G` count as equal
//! ([`check::DEGENERATE`]), by definition and whether or not the digits in use could tell them apart. Their
//! columns are *unresolved*: they get the canonical basis of their common space, and are named. A singular value
//! or an entry exactly between two floats, or a rank threshold met exactly, is decided in exact integers.

mod check;
mod find;
mod orthogonality;
mod possible;
mod product;
mod wide;

use crate::bytes::checked_when_read;
use crate::rank::Rank;
use crate::rounding::{canonical_sign, pow2};
use crate::{Error, GramMatrix};
use check::{Candidates, Certificate, DEGENERATE, Rejection};
use find::{NARROWEST, Refinement, Start};
use ndarray::{Array2, s};
use num_bigint::BigInt;
pub use possible::refuse_impossible;
use std::time::Instant;

/// Columns with `s_1 / s_j` above this get a second word of `V` and a compensated chain for `T = A V` (see
/// [`crate::Projector`]).
///
/// `V` rounded to 53 bits tilts `u_j` by about `2^-54 s_1 / s_j`; up to here that stays below 1e-12.
pub const COMPENSATE: f64 = 16_384.0;

/// The error bounds reached, and what it took: for the manifest.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bounds {
    /// Largest bound on the distance of a refined column of `X` from the true singular vector, before
    /// rounding.
    pub v: f64,
    /// Largest bound on the relative error of a squared singular value, before rounding.
    pub s_squared: f64,
    /// Bound on `|U^T U - I|` (the spectral norm) of the basis vectors as [`Projector`](crate::Projector) or
    /// [`RealProjector`](crate::RealProjector) computes them.
    pub orthogonality: f64,
    /// Smallest gap between squared singular values of the result and those next to them, relative to `s_1^2`.
    pub gap: f64,
    /// Refinement steps.
    pub steps: usize,
    /// Fraction bits of the fixed-point vectors.
    pub fraction_bits: u32,
}

/// The k leading singular values and right singular vectors of `A`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(remote = "Self")]
pub struct CertifiedSvd {
    /// Singular values, k, descending; each the f64 nearest to the true one.
    pub s: Vec<f64>,
    /// Right singular vectors `V`, n x k. Entries of at least 2^-11 are the f64 nearest to the true ones, smaller
    /// ones the nearest multiples of 2^-64. The entry of largest magnitude in a column (lowest index on
    /// ties) is positive.
    pub v: Array2<f64>,
    /// Second words of `V`, same shape: for compensated columns the multiple of 2^-106 nearest to what `v`
    /// leaves, else zero.
    pub v_low: Array2<f64>,
    /// Which columns have a second word (k): those with `s_1 / s_j` above [`COMPENSATE`].
    pub compensated: Vec<bool>,
    /// The numerical rank: singular values above `max(m, n) 2^-52 s_1`.
    pub rank: usize,
    /// Columns of the result whose singular values equal that of an adjacent column: squared, they are closer than 2^-256
    /// of the power of two above the largest entry of `G`. Their vectors are the canonical basis of
    /// their common space.
    pub unresolved: Vec<usize>,
    /// What was proven.
    pub bounds: Bounds,
    /// `||A||_F^2`, correctly rounded.
    pub energy: f64,
}

checked_when_read!(CertifiedSvd);

/// Approximate right singular vectors, so good that whoever has the exact Gram matrix can prove the digits of `s` and `V` from
/// their residuals. They claim nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// The vectors are integers times 2^-`fraction_bits`.
    pub fraction_bits: u32,
    /// The k vectors by descending singular value, n entries each; more than k where the values of the last ones equal others.
    pub vectors: Vec<Vec<BigInt>>,
}

impl Witness {
    /// Of the k leading candidates, and of those whose values equal that of the last.
    fn of<const W: usize>(found: &Refinement<W>, k: usize) -> Self {
        let mut order: Vec<usize> = (0..found.len()).collect();
        let value = |j: usize| Candidates::value(found, j);
        order.sort_by_key(|&j| std::cmp::Reverse(value(j)));
        let equal = |pair: &[usize]| {
            let distance = value(pair[0]).sub(value(pair[1]));
            distance.to_f64(found.value_bits()) < pow2(1 - DEGENERATE as i32)
        };
        let more = order.get(k.saturating_sub(1)..).unwrap_or_default().windows(2);
        order.truncate(k + more.take_while(|pair| equal(pair)).count());
        let vectors = order.iter().map(|&j| found.x(j).iter().map(|x| x.to_big()).collect()).collect();
        Self { fraction_bits: found.vector_bits(), vectors }
    }
}

impl CertifiedSvd {
    /// Refuses parts that do not fit each other, and numbers that no decomposition has.
    fn check(&self) -> Result<(), Error> {
        let wrong = |why| Err(Error::Bytes { what: "a certified decomposition", why });
        let k = self.s.len();
        if self.v.ncols() != k || self.v_low.dim() != self.v.dim() || self.compensated.len() != k {
            return wrong("parts of different shapes");
        }
        if k > self.rank || self.unresolved.iter().any(|&j| j >= k) {
            return wrong("another rank");
        }
        let descending = self.s.windows(2).all(|pair| pair[0] >= pair[1]);
        let positive = self.s.iter().all(|s| s.is_normal() && *s > 0.0);
        let finite = self.v.iter().chain(&self.v_low).all(|v| v.is_finite());
        match descending && positive && finite && self.energy >= 0.0 {
            true => Ok(()),
            false => wrong("numbers that no decomposition has"),
        }
    }

    /// The first `k` columns: what a run that asks for `k` computes, but for the bounds, which stay those of
    /// all columns.
    #[must_use]
    pub fn leading(mut self, k: usize) -> Self {
        if k < self.s.len() {
            let leading = |v: &Array2<f64>| v.slice(s![.., ..k]).to_owned();
            (self.v, self.v_low) = (leading(&self.v), leading(&self.v_low));
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
/// ```
/// use tomobasis_linalg::{GramAccumulator, Rank, Rescale, certified_svd};
/// let a = ndarray::array![[2i16, 1], [1, 1]];
/// let mut sums = GramAccumulator::new(2)?;
/// sums.add(a.view())?;
/// let svd = certified_svd(&sums.finish(&[Rescale::IDENTITY; 2])?, Rank::Full, 1)?;
/// // The singular values are the squares of the golden ratio and of its inverse; not one bit is uncertain.
/// let golden = (1.0 + 5f64.sqrt()) / 2.0;
/// assert_eq!(svd.s, [golden * golden, 1.0 / (golden * golden)]);
/// assert!(svd.v[[0, 0]] > 0.0 && svd.unresolved.is_empty());
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::RankRange`] for a rank of zero or above n; [`Error::Unproven`] for what the widest numbers can't
/// prove; [`Error::SingularValueRange`] where f64 can't hold a singular value; [`Error::NoStart`] when the
/// starting eigensolver fails; [`Error::Threads`] when threads can't be started.
pub fn certified_svd(g: &GramMatrix, rank: Rank, threads: usize) -> Result<CertifiedSvd, Error> {
    solve(g, rank, threads, false).map(|(svd, _)| svd)
}

/// [`certified_svd`], with vectors from which others can prove its digits.
///
/// # Errors
/// As [`certified_svd`].
pub fn certified_svd_with_witness(
    g: &GramMatrix,
    rank: Rank,
    threads: usize,
) -> Result<(CertifiedSvd, Witness), Error> {
    solve(g, rank, threads, true).map(|(svd, witness)| (svd, witness.unwrap_or_default()))
}

type Solved = (CertifiedSvd, Option<Witness>);

fn solve(g: &GramMatrix, rank: Rank, threads: usize, witness: bool) -> Result<Solved, Error> {
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
    let (svd, witness) = pool.install(|| {
        // Step 1, and all others from each start.
        let leading = Start::leading(g, k).and_then(|start| from_start(g, k, &start, witness).ok());
        leading.map_or_else(|| from_start(g, k, &Start::new(g)?, witness), Ok)
    })?;
    match svd.s.iter().position(|s| !s.is_normal()) {
        Some(column) => Err(Error::SingularValueRange { column }),
        None => Ok((svd, witness)),
    }
}

fn from_start(g: &GramMatrix, k: usize, start: &Start, witness: bool) -> Result<Solved, Error> {
    if g.bits() == 0 {
        let svd = CertifiedSvd {
            s: vec![],
            v: Array2::zeros((g.n(), 0)),
            v_low: Array2::zeros((g.n(), 0)),
            compensated: vec![],
            rank: 0,
            unresolved: vec![],
            bounds: Bounds::default(),
            energy: 0.0,
        };
        return Ok((svd, None));
    }
    // Steps 2 to 5, in 6, 12 and 24 words of 64 bits.
    let narrow = match Refinement::<NARROWEST>::new(g, k, start).map(|found| prove(g, k, found, witness)) {
        Some(Outcome::Proven(solved)) => return Ok(solved),
        // With all eigenvectors it will go on.
        Some(Outcome::Exhausted(_, rejection)) if start.is_partial() => {
            return Err(Error::Unproven { what: rejection.to_string() });
        }
        Some(Outcome::Exhausted(found, _)) => found.widen::<12>(),
        None => Refinement::<12>::new(g, k, start),
    };
    let wide = match narrow.map(|found| prove(g, k, found, witness)) {
        Some(Outcome::Proven(solved)) => return Ok(solved),
        Some(Outcome::Exhausted(found, _)) => found.widen::<24>(),
        None => Refinement::<24>::new(g, k, start),
    };
    match prove(g, k, wide.ok_or(Error::GramRange { bits: g.bits() })?, witness) {
        Outcome::Proven(solved) => Ok(solved),
        Outcome::Exhausted(_, rejection) => Err(Error::Unproven { what: rejection.to_string() }),
    }
}

enum Outcome<'g, const W: usize> {
    Proven(Solved),
    /// More fraction bits are called for; what is not proven.
    Exhausted(Refinement<'g, W>, Rejection),
}

/// Refines until the checker is content, or until refining no longer helps.
fn prove<'g, const W: usize>(
    g: &'g GramMatrix,
    k: usize,
    mut found: Refinement<'g, W>,
    witness: bool,
) -> Outcome<'g, W> {
    let mut exhausted = false;
    loop {
        let before = found.steps();
        let began = Instant::now();
        // Step 2.
        exhausted = !found.run() || exhausted && found.steps() == before;
        let refined = Instant::now();
        // Step 3.
        let proof = check::prove(g, k, &found);
        log::debug!("refined in {:.3?}, checked in {:.3?}", refined - began, refined.elapsed());
        let rejection = match proof {
            Ok(certificate) => {
                let witness = witness.then(|| Witness::of(&found, certificate.columns.len()));
                return Outcome::Proven((publish(g, certificate, &found), witness));
            }
            Err(rejection) => rejection,
        };
        log::debug!("after {} steps: {rejection}", found.steps());
        let more = match &rejection {
            Rejection::Digits(candidates) => {
                found.demand(candidates);
                true
            }
            Rejection::Count | Rejection::Rank => found.demand_everything(),
        };
        // Step 4, or step 2 once more: what is demanded may be had in this width.
        if exhausted || !more {
            return Outcome::Exhausted(found, rejection);
        }
        exhausted = true;
    }
}

/// Step 5: the proven columns with their canonical signs.
fn publish<const W: usize>(g: &GramMatrix, certificate: Certificate, found: &Refinement<W>) -> CertifiedSvd {
    let Certificate { rank, columns, unresolved } = certificate;
    let (n, k) = (g.n(), columns.len());
    let s: Vec<f64> = columns.iter().map(|c| c.s).collect();
    let compensated: Vec<bool> = columns.iter().map(|c| c.v_low.is_some()).collect();
    let mut v = Array2::zeros((n, k));
    let mut v_low = Array2::zeros((n, k));
    for (j, column) in columns.iter().enumerate() {
        let sign = canonical_sign(column.v.iter().copied());
        for i in 0..n {
            // Adding zero turns a negated +0.0 back into +0.0.
            v[[i, j]] = sign * column.v[i] + 0.0;
            if let Some(low) = &column.v_low {
                v_low[[i, j]] = sign * low[i] + 0.0;
            }
        }
    }
    let largest = |of: fn(&check::Proven) -> f64| columns.iter().map(of).fold(0.0, f64::max);
    let bounds = Bounds {
        v: largest(|c| c.bound),
        s_squared: largest(|c| c.s_squared_bound),
        orthogonality: orthogonality::bound(g, &s, &v, &compensated),
        gap: columns.iter().map(|c| c.gap).fold(1.0, f64::min),
        steps: found.steps(),
        fraction_bits: found.vector_bits(),
    };
    CertifiedSvd { s, v, v_low, compensated, rank, unresolved, bounds, energy: g.trace() }
}

#[cfg(test)]
mod tests;
