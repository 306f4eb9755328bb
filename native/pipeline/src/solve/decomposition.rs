//! The result of the driver's part: `s` and `V` with all that the blocks and the result folder need to know.
//!
//! It is computed once, from the exact Gram matrix (or, for the methods of class `fixed`, by their drivers) and the slices'
//! digests, then handed to every block (in the job: broadcast as bytes). Nothing in it has the scan's size.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tomobasis_dicom::{JoinedSeries, Note, Secret, SeriesPlan, SliceRecord};
use tomobasis_linalg::{
    GramAccumulator, GramMatrix, Rank, RealCentering, RealGramAccumulator, RealSvd, certified_svd,
    energy_rank, estimated_noise, optimal_rank,
};

use crate::{
    error::{Error, Result},
    input::layout::{Numbers, block_count, block_rows, image_pixels, rescale_of},
    options::{Center, Method, Options, RankChoice},
    solve::{
        broadcast::to_broadcast,
        digest::{BasisDigests, Digest, Digests, RootOf, instance_hash, root},
        factors::{Certified, Factors, Removed},
        identity::fingerprint,
        padding_counts::{self, PaddingCounts},
        spectrum::Spectrum,
    },
};

/// First bytes of a serialized [`Decomposition`].
const MAGIC: &[u8] = b"tomobasis decomposition 6\n";

/// The decomposition of one series, or of several as one matrix, before its blocks are rendered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decomposition {
    /// The options of the run.
    pub options: Options,
    /// The series.
    pub plan: SeriesPlan,
    /// What the entries of its matrix are.
    pub numbers: Numbers,
    /// Singular values, k, descending, in HU.
    pub s: Vec<f64>,
    /// Weights, n x k row-major.
    pub v: Vec<f64>,
    /// What gives the basis vectors of a row block.
    pub factors: Factors,
    /// Numerical rank of `A`, at least k; where all singular values were computed.
    pub numerical_rank: Option<usize>,
    /// `||A||_F^2`, in HU squared; without the means that the method removes.
    pub energy: f64,
    /// Standard deviation of the noise, in HU, as the singular values tell it (Gavish and Donoho 2014); where all were computed, and not
    /// all of the scan is padding.
    pub noise: Option<f64>,
    /// Digest of the stored pixels of the series.
    pub pixels: Digest,
    /// Digests of the slices, in series order: what every row block must be of.
    pub slice_digests: Vec<[u8; 32]>,
    /// What only the pixels give; written nowhere.
    pub secret: Secret,
    /// Salted hashes that stand for the slices' SOP Instance UIDs, in series order.
    pub instances: Vec<Digest>,
    /// Least and greatest value of the scan, padding apart, in HU.
    pub range: (f64, f64),
    /// Pixels that hold nothing.
    pub padding: PaddingCounts,
    /// What is to be told of the decoded slices.
    pub notes: Vec<Note>,
    /// Numbers of basis vectors that composites are rendered from, ascending.
    pub composites: Vec<usize>,
    /// Where it is of several series: the fingerprint of each.
    pub fingerprints: Vec<Digest>,
}

/// What the linear algebra found.
struct Solved {
    s: Vec<f64>,
    v: Vec<f64>,
    factors: Factors,
    numerical_rank: Option<usize>,
    energy: f64,
    noise: Option<f64>,
}

/// The Gram matrix of a matrix of floats, without the means that the method removes. It is made of exact sums, which take more
/// memory than it.
pub struct GramOfFloats {
    /// The Gram matrix.
    pub gram: GramMatrix,
    /// The means.
    pub centering: Option<RealCentering>,
}

impl GramOfFloats {
    /// From the sums over all rows, on the threads of the current pool.
    ///
    /// # Errors
    /// [`Error::Linalg`] for more rows than their ranges have.
    pub fn new(sums: &RealGramAccumulator, method: Method) -> Result<Self> {
        let center = method.center().map(Into::into);
        let centering = center.map(|center| sums.centering(center)).transpose()?;
        Ok(Self { gram: sums.finish_centered(center)?, centering })
    }
}

fn row_by_row(matrix: &Array2<f64>) -> Vec<f64> {
    matrix.iter().copied().collect()
}

impl Decomposition {
    /// Computes `s` and `V` from the Gram matrix of all blocks, on up to `threads` threads. `records` are what decoding said of the
    /// slices.
    ///
    /// # Errors
    /// [`Error::Option`] for a rank above the number of slices, [`Error::Protocol`] when the method is another one, the Gram
    /// matrix or the records are not those of this series, [`Error::Input`] for a scan of zeros, and what the linear algebra
    /// refuses.
    pub fn compute(
        plan: SeriesPlan,
        options: Options,
        gram: &GramAccumulator,
        records: &[SliceRecord],
        threads: usize,
    ) -> Result<Self> {
        options.check_against(&plan)?;
        let slices = plan.slices.len();
        let Method::Gram { center } = options.method else {
            return Err(Error::Internal(format!("{} takes no Gram matrix", options.method.name())));
        };
        if gram.columns() != slices || gram.rows() != image_pixels(&plan) {
            return Err(Error::Protocol(format!(
                "a Gram matrix of {} columns over {} pixels does not belong to {slices} slices of {} pixels",
                gram.columns(),
                gram.rows(),
                image_pixels(&plan)
            )));
        }
        let exact = gram.finish_centered(&rescale_of(&plan), center.map(Into::into))?;
        let centering = center.map(|center| Removed::Stored(gram.centering(center.into())));
        Self::certified(plan, options, Numbers::Stored, (&exact, centering), records, threads)
    }

    /// The same of a matrix of floats, from what [`GramOfFloats`] made of its sums.
    ///
    /// # Errors
    /// As [`compute`](Self::compute).
    pub fn of_floats(
        plan: SeriesPlan,
        options: Options,
        found: GramOfFloats,
        records: &[SliceRecord],
        threads: usize,
    ) -> Result<Self> {
        let GramOfFloats { gram, centering } = found;
        let centering = centering.map(Removed::Real);
        Self::certified(plan, options, Numbers::Real, (&gram, centering), records, threads)
    }

    fn certified(
        plan: SeriesPlan,
        options: Options,
        numbers: Numbers,
        (gram, centering): (&GramMatrix, Option<Removed>),
        records: &[SliceRecord],
        threads: usize,
    ) -> Result<Self> {
        let rank = columns_needed(options.rank);
        let svd = certified_svd(gram, rank, threads)?;
        let size = measured_size(&plan, records);
        let noise = (rank == Rank::Full && is_measured(&plan, records))
            .then(|| estimated_noise(&svd.s, size.0, size.1));
        let k = chosen_rank(&options, &svd.s, svd.energy, size)?;
        let svd = svd.leading(k);
        let factors = Certified {
            v_low: row_by_row(&svd.v_low),
            compensated: svd.compensated,
            unresolved: svd.unresolved,
            bounds: svd.bounds,
            centering,
        };
        let solved = Solved {
            s: svd.s,
            v: row_by_row(&svd.v),
            factors: Factors::Certified(factors),
            numerical_rank: Some(svd.rank),
            energy: svd.energy,
            noise,
        };
        Self::new(plan, options, numbers, records, solved)
    }

    /// What a driver of class `fixed` made.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the records are not those of this series, [`Error::Input`] for a scan in which nothing is left to
    /// decompose.
    pub(crate) fn fixed(
        plan: SeriesPlan,
        options: Options,
        numbers: Numbers,
        svd: RealSvd,
        records: &[SliceRecord],
    ) -> Result<Self> {
        let size = measured_size(&plan, records);
        let k = chosen_rank(&options, &svd.s, svd.energy, size)?;
        let svd = svd.leading(k);
        let all = options.method.sketching().is_none();
        let solved = Solved {
            s: svd.s.clone(),
            v: row_by_row(&svd.v),
            numerical_rank: all.then_some(svd.rank),
            energy: svd.energy,
            noise: (all && is_measured(&plan, records))
                .then(|| estimated_noise(svd.spectrum.get(..svd.rank).unwrap_or_default(), size.0, size.1)),
            factors: Factors::Fixed(Box::new(svd)),
        };
        Self::new(plan, options, numbers, records, solved)
    }

    fn new(
        mut plan: SeriesPlan,
        options: Options,
        numbers: Numbers,
        records: &[SliceRecord],
        solved: Solved,
    ) -> Result<Self> {
        let slices = plan.slices.len();
        let mut readings = records.chunks(slices.max(1));
        let records = readings.next().unwrap_or_default();
        let slice_digests = digests_of(records);
        // Of a first reading only, that it is of this many slices.
        plan.check_same_pixels(&slice_digests, &slice_digests)?;
        readings.try_for_each(|another| plan.check_same_pixels(&slice_digests, &digests_of(another)))?;
        let Solved { s, v, factors, numerical_rank, energy, noise } = solved;
        let secret = Secret::of_series(records.iter().map(|record| record.secret));
        let fingerprints = fingerprints(&plan, records)?;
        padding_counts::note(&mut plan, records);
        Ok(Self {
            fingerprints,
            range: padding_counts::range(&plan, records),
            padding: PaddingCounts::of(records),
            notes: tomobasis_dicom::notes(&plan, records),
            composites: options.composites(slices, s.len()),
            instances: plan.slices.iter().map(|slice| instance_hash(&secret, &slice.instance_uid)).collect(),
            options,
            plan,
            numbers,
            s,
            v,
            factors,
            numerical_rank,
            energy,
            noise,
            pixels: padding_counts::pixels_digest(records),
            slice_digests,
            secret,
        })
    }

    /// What is broadcast.
    ///
    /// # Errors
    /// [`Error::Option`] when it is too large for that; [`Error::Internal`] when it cannot be serialized.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_broadcast(MAGIC, self)
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
        let fits = k > 0 && this.v.len() == n * k && this.factors.fit(n, k);
        if fits && this.instances.len() == n && this.slice_digests.len() == n {
            Ok(this)
        } else {
            Err(foreign())
        }
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

    /// The parameters as lines of the root digest: the method's, and what became of padding where that changed anything.
    #[must_use]
    pub fn parameter_lines(&self) -> String {
        self.options.method.lines() + &self.padding.line(self.plan.padding)
    }

    /// All digests of the result; `u` are those of its row blocks.
    #[must_use]
    pub fn digests(&self, u: BasisDigests) -> Digests {
        let (s, v) = (Digest::of_f64(&self.s), Digest::of_f64(&self.v));
        let method = self.options.method;
        let of = RootOf {
            class: method.class(),
            method: method.name(),
            rows: self.rows(),
            columns: self.columns(),
            rank: self.rank(),
            parameters: self.parameter_lines(),
        };
        Digests {
            pixels: self.pixels,
            instances: Digest::of_digests(&self.instances),
            s,
            v,
            root: root(&of, &self.pixels, &s, &v, &u.root),
            u,
        }
    }

    /// The share of `||A||_F^2` that the first 1, 2, ... k basis vectors hold.
    #[must_use]
    pub fn cumulative_energy(&self) -> Vec<f64> {
        self.spectrum().left_out().into_iter().map(|rest| 1.0 - rest / self.energy).collect()
    }

    /// How many basis vectors are above the noise, by the rule of `--rank auto`; where all singular values are known.
    pub(crate) fn automatic_rank(&self) -> Option<usize> {
        match (self.options.rank, self.numerical_rank) {
            (RankChoice::Auto, _) => Some(self.rank()),
            (_, Some(rank)) if rank == self.rank() => {
                let measured = self.padding.measured(self.rows(), self.columns());
                Some(optimal_rank(&self.s, measured, self.columns()).max(1))
            }
            _ => None,
        }
    }

    /// The weights of slice `slice`, k; none beyond the end.
    pub(crate) fn weights_of(&self, slice: usize) -> &[f64] {
        self.v.chunks_exact(self.rank()).nth(slice).unwrap_or_default()
    }

    /// The series of a joint matrix, each with its fingerprint; none of another matrix.
    pub(crate) fn joined(&self) -> impl Iterator<Item = (&JoinedSeries, &Digest)> {
        let series = self.plan.joint.iter().flat_map(|joint| &joint.series);
        series.zip(&self.fingerprints)
    }

    /// The singular values, for what is told from them.
    pub(crate) fn spectrum(&self) -> Spectrum<'_> {
        Spectrum {
            s: &self.s,
            energy: self.energy,
            numerical_rank: self.numerical_rank,
            rows: self.rows(),
            columns: self.columns(),
        }
    }

    /// The first `k` columns of the weights, n x k row-major.
    pub(crate) fn leading_weights(&self, k: usize) -> Vec<f64> {
        self.v.chunks_exact(self.rank()).flat_map(|row| row.iter().take(k).copied()).collect()
    }

    /// Refuses what was read of other pixels than these: `records` are those of all slices, as a row block has them. A block is read
    /// again where one is lost, and the input may have changed meanwhile.
    ///
    /// # Errors
    /// [`Error::Dicom`] naming the first file that changed.
    pub fn check_pixels(&self, records: &[SliceRecord]) -> Result<()> {
        Ok(self.plan.check_same_pixels(&self.slice_digests, &digests_of(records))?)
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

/// Of the series of a joint plan, what `--series all` would say of each; none of another plan.
fn fingerprints(plan: &SeriesPlan, records: &[SliceRecord]) -> Result<Vec<Digest>> {
    let Some(joint) = &plan.joint else { return Ok(Vec::new()) };
    let of = |(one, series): (&JoinedSeries, SeriesPlan)| {
        fingerprint(&series, records.get(one.first..one.first + one.slices).unwrap_or_default())
    };
    joint.series.iter().zip(plan.by_series()).map(of).collect()
}

fn digests_of(records: &[SliceRecord]) -> Vec<[u8; 32]> {
    records.iter().map(|record| record.digest).collect()
}

/// How many columns must be computed for a choice of rank: the rules look at all singular values.
pub(crate) fn columns_needed(rank: RankChoice) -> Rank {
    match rank {
        RankChoice::Columns(k) => Rank::Columns(k),
        RankChoice::Full | RankChoice::Auto | RankChoice::Energy(_) => Rank::Full,
    }
}

/// How many of the singular values `s`, which end at the numerical rank, are kept; size is that of the matrix without padding.
fn chosen_rank(options: &Options, s: &[f64], energy: f64, (rows, columns): (u64, usize)) -> Result<usize> {
    if s.is_empty() {
        let text = match options.method.center() {
            None if options.input_format.is_scan() => {
                "every pixel of the series is zero; there is nothing to decompose"
            }
            None => "every value of the matrix is zero; there is nothing to decompose",
            Some(_) if !options.input_format.is_scan() => "nothing of the matrix is left without its means",
            Some(Center::Pixels) => "all slices are the same; nothing is left without the mean slice",
            Some(Center::Slices) => "every slice is constant; nothing is left without each slice's mean",
            Some(Center::Both) => {
                "the slices are the same apart from a constant; nothing is left without the means of pixels and slices"
            }
        };
        return Err(Error::Input(text.to_owned()));
    }
    Ok(match options.rank {
        RankChoice::Full | RankChoice::Columns(_) => s.len(),
        // A scan that is all noise keeps its first basis vector, so that there is a result.
        RankChoice::Auto => optimal_rank(s, rows, columns).max(1),
        RankChoice::Energy(share) => energy_rank(s, energy, share),
    })
}

/// Rows and columns of the matrix that noise is looked for in: padding has none.
fn measured_size(plan: &SeriesPlan, records: &[SliceRecord]) -> (u64, usize) {
    let slices = plan.slices.len();
    (PaddingCounts::of(records).measured(image_pixels(plan), slices), slices)
}

/// Whether anything of a scan is not padding.
fn is_measured(plan: &SeriesPlan, records: &[SliceRecord]) -> bool {
    PaddingCounts::of(records).any_measured(image_pixels(plan), plan.slices.len())
}
