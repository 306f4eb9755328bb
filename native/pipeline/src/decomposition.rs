//! The result of the driver's part: `s` and `V` with all that the blocks and the result folder need to know.
//!
//! It is computed once, from the exact Gram matrix and the slices' digests, then handed to every block (in the job: broadcast
//! as bytes). Nothing in it has the scan's size.

use serde::{Deserialize, Serialize};
use tomobasis_dicom::SeriesPlan;
use tomobasis_linalg::{
    BLOCK_ROWS, Bounds, GramAccumulator, Projector, Rank, Rescale, certified_svd, energy_rank,
    estimated_noise, optimal_rank,
};

use crate::{
    digest::{Digest, instance_hash},
    error::{Error, Result},
    options::{Options, RankChoice},
    spectrum,
};

/// First bytes of a serialized [`Decomposition`].
const MAGIC: &[u8] = b"tomobasis decomposition 1\n";

/// The decomposition of one series, before its blocks are rendered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decomposition {
    /// The options of the run.
    pub options: Options,
    /// The series.
    pub plan: SeriesPlan,
    /// Singular values, k, descending, in HU.
    pub s: Vec<f64>,
    /// Weights, n x k row-major.
    pub v: Vec<f64>,
    /// Second words of the weights, n x k row-major.
    pub v_low: Vec<f64>,
    /// Which of the k columns use the second word.
    pub compensated: Vec<bool>,
    /// Numerical rank of `A`, at least k.
    pub numerical_rank: usize,
    /// Columns (from 0) whose singular values coincide to the working precision.
    pub unresolved: Vec<usize>,
    /// Error bounds that were proven.
    pub bounds: Bounds,
    /// `||A||_F^2`, in HU squared.
    pub energy: f64,
    /// Standard deviation of the noise, in HU, as the singular values tell it (Gavish and Donoho 2014); where all were computed.
    pub noise: Option<f64>,
    /// Digest of the stored pixels of the series.
    pub pixels: Digest,
    /// Salted hashes that stand for the slices' SOP Instance UIDs, in series order.
    pub instances: Vec<Digest>,
    /// Least and greatest value of the scan, in HU.
    pub range: (f64, f64),
    /// Numbers of basis vectors that composites are rendered from, ascending.
    pub composites: Vec<usize>,
}

/// One row of the table of composites.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompositeEntry {
    /// Basis vectors.
    pub k: usize,
    /// Share of `||A||_F^2` that they hold.
    pub energy: f64,
    /// Root mean square of what they leave out, over all pixels, in HU.
    pub residual_rms: f64,
}

impl Decomposition {
    /// Computes `s` and `V` from the Gram matrix of all blocks, on up to `threads` threads.
    ///
    /// # Errors
    /// [`Error::Option`] for a rank above the number of slices, [`Error::Protocol`] when the Gram matrix or the digests are
    /// not those of this series, [`Error::Input`] for a scan of zeros, and what the linear algebra refuses.
    pub fn compute(
        plan: SeriesPlan,
        options: Options,
        gram: &GramAccumulator,
        slice_digests: &[Digest],
        threads: usize,
    ) -> Result<Self> {
        let slices = plan.slices.len();
        options.check_against(&plan)?;
        if gram.columns() != slices || gram.rows() != image_pixels(&plan) || slice_digests.len() != slices {
            return Err(Error::Protocol(format!(
                "a Gram matrix of {} columns over {} pixels and {} digests do not belong to {slices} slices of {} pixels",
                gram.columns(),
                gram.rows(),
                slice_digests.len(),
                image_pixels(&plan)
            )));
        }
        let rescale = rescale_of(&plan);
        // The rules look at all singular values.
        let rank = match options.rank {
            RankChoice::Columns(k) => Rank::Columns(k),
            RankChoice::Full | RankChoice::Auto | RankChoice::Energy(_) => Rank::Full,
        };
        let svd = certified_svd(&gram.finish(&rescale)?, rank, threads)?;
        if svd.s.is_empty() {
            return Err(Error::Input(
                "every pixel of the series is zero; there is nothing to decompose".to_owned(),
            ));
        }
        let noise = (rank == Rank::Full).then(|| estimated_noise(&svd.s, gram.rows(), slices));
        let k = match options.rank {
            RankChoice::Full | RankChoice::Columns(_) => svd.s.len(),
            // A scan that is all noise keeps its first basis vector, so that there is a result.
            RankChoice::Auto => optimal_rank(&svd.s, gram.rows(), slices).max(1),
            RankChoice::Energy(share) => energy_rank(&svd.s, svd.energy, share),
        };
        let svd = svd.leading(k);
        let pixels = Digest::of_digests(slice_digests);
        Ok(Self {
            composites: options.composites(slices, svd.s.len()),
            instances: plan.slices.iter().map(|slice| instance_hash(&pixels, &slice.instance_uid)).collect(),
            range: range_of(gram, &rescale),
            options,
            plan,
            s: svd.s,
            v: svd.v,
            v_low: svd.v_low,
            compensated: svd.compensated,
            numerical_rank: svd.rank,
            unresolved: svd.unresolved,
            bounds: svd.bounds,
            energy: svd.energy,
            noise,
            pixels,
        })
    }

    /// What is broadcast.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it cannot be serialized.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        rmp_serde::encode::write_named(&mut bytes, self)
            .map_err(|error| Error::Protocol(error.to_string()))?;
        Ok(bytes)
    }

    /// The inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`Error::Protocol`] for bytes that this version did not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let foreign = || Error::Protocol("these bytes are no decomposition".to_owned());
        let this: Self =
            rmp_serde::from_slice(bytes.strip_prefix(MAGIC).ok_or_else(foreign)?).map_err(|_| foreign())?;
        let (n, k) = (this.columns(), this.rank());
        let fits = k > 0 && this.v.len() == n * k && this.v_low.len() == n * k && this.compensated.len() == k;
        if fits && this.instances.len() == n { Ok(this) } else { Err(foreign()) }
    }

    /// Pixels of a slice, m.
    #[must_use]
    pub fn rows(&self) -> u64 {
        image_pixels(&self.plan)
    }

    /// Slices, n.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.plan.slices.len()
    }

    /// Basis vectors, k.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.s.len()
    }

    /// Row blocks.
    #[must_use]
    pub fn blocks(&self) -> u32 {
        block_count(self.rows())
    }

    /// The slice that the pictures show: the middle one.
    #[must_use]
    pub fn shown_slice(&self) -> usize {
        self.columns() / 2
    }

    /// The composites with what they hold and leave out.
    #[must_use]
    pub fn composite_entries(&self) -> Vec<CompositeEntry> {
        self.entries(&self.composites)
    }

    /// What the first k basis vectors hold and leave out, for each k of `ranks` (1 to the rank).
    pub(crate) fn entries(&self, ranks: &[usize]) -> Vec<CompositeEntry> {
        let left_out = self.left_out();
        let values = self.rows() as f64 * self.columns() as f64;
        let of = |&k: &usize| {
            let left_out = left_out.get(k - 1).copied().unwrap_or_default();
            CompositeEntry {
                k,
                energy: 1.0 - left_out / self.energy,
                residual_rms: (left_out / values).sqrt(),
            }
        };
        ranks.iter().map(of).collect()
    }

    /// Root mean square, over the pixels of the shown slice, of what the first `k` basis vectors leave out. What is outside all
    /// computed ones is taken as spread evenly over the slices.
    pub(crate) fn shown_residual_rms(&self, k: usize) -> f64 {
        let rest = self.left_out().last().copied().unwrap_or_default() / self.columns() as f64;
        let weights = self.v.chunks_exact(self.rank()).nth(self.shown_slice()).unwrap_or_default();
        let terms = self.s.iter().zip(weights).skip(k).rev();
        let left_out = terms.fold(rest, |sum, (sigma, weight)| sum + sigma * weight * sigma * weight);
        (left_out / self.rows() as f64).sqrt()
    }

    /// What the first 1, 2, ... k basis vectors leave out of `||A||_F^2`.
    pub(crate) fn left_out(&self) -> Vec<f64> {
        let held = || self.s.iter().rev().fold(0.0, |sum, sigma| sum + sigma * sigma);
        // At the numerical rank nothing is left out but rounding.
        let rest = if self.rank() == self.numerical_rank { 0.0 } else { self.energy - held() };
        spectrum::left_out(&self.s, rest)
    }

    pub(crate) fn projector(&self) -> Result<Projector> {
        self.projector_of(self.rank())
    }

    /// The projector of the first `k` columns: each column of `T` is for itself, so their bits are those of the whole.
    pub(crate) fn projector_of(&self, k: usize) -> Result<Projector> {
        let k = k.min(self.rank());
        let (s, compensated) = (&self.s[..k], &self.compensated[..k]);
        let rescale = rescale_of(&self.plan);
        let (v, v_low) = (self.leading(&self.v, k), self.leading(&self.v_low, k));
        Ok(Projector::new(s, &v, &v_low, compensated, self.columns(), &rescale)?)
    }

    /// The first `k` columns of the weights, n x k row-major.
    pub(crate) fn leading_weights(&self, k: usize) -> Vec<f64> {
        self.leading(&self.v, k)
    }

    fn leading(&self, matrix: &[f64], k: usize) -> Vec<f64> {
        matrix.chunks_exact(self.rank()).flat_map(|row| row.iter().take(k).copied()).collect()
    }

    /// Refuses a block that is not of this series.
    ///
    /// # Errors
    /// [`Error::Protocol`].
    pub(crate) fn check_block(&self, block: u32, rows: usize) -> Result<()> {
        let pixels = self.rows();
        if rows == 0 || rows != block_rows(block, pixels) {
            return Err(Error::Protocol(format!("block {block} of {rows} rows is none of {pixels} pixels")));
        }
        Ok(())
    }
}

/// Pixels of one slice.
pub(crate) fn image_pixels(plan: &SeriesPlan) -> u64 {
    plan.rows as u64 * plan.columns as u64
}

/// Row blocks of slices of so many pixels.
pub(crate) fn block_count(pixels: u64) -> u32 {
    u32::try_from(pixels.div_ceil(BLOCK_ROWS as u64)).unwrap_or(u32::MAX)
}

/// First row of block `block`.
pub(crate) fn first_row(block: u32) -> u64 {
    u64::from(block) * BLOCK_ROWS as u64
}

/// Rows of block `block` in slices of so many pixels; 0 beyond the end.
pub(crate) fn block_rows(block: u32, pixels: u64) -> usize {
    pixels.saturating_sub(first_row(block)).min(BLOCK_ROWS as u64) as usize
}

fn rescale_of(plan: &SeriesPlan) -> Vec<Rescale> {
    let of = |slice: &tomobasis_dicom::SlicePlan| Rescale {
        slope: slice.slope,
        intercept: slice.intercept,
        offset: slice.offset,
    };
    plan.slices.iter().map(of).collect()
}

fn range_of(gram: &GramAccumulator, rescale: &[Rescale]) -> (f64, f64) {
    let mut range = (f64::INFINITY, f64::NEG_INFINITY);
    for (j, rescale) in rescale.iter().enumerate() {
        let (least, greatest) = gram.column_range(j);
        for value in [rescale.apply(least), rescale.apply(greatest)] {
            range = (range.0.min(value), range.1.max(value));
        }
    }
    range
}
