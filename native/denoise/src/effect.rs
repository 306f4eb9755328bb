//! What denoising did to a volume, measured without knowing the truth.
//!
//! Sources: AAPM TG-233 (Samei et al., Med Phys 46(11):e735, 2019) for noise magnitude and noise power spectrum. The
//! structure ratio is ours: noise that is removed is as strong at edges as elsewhere, so a ratio well above 1 says that
//! anatomy was removed with it.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    Error, NoiseModel,
    noise::{
        LAGS, NoiseCounts, NoisePass,
        flat::{CONSTANT, UNITS, is_constant, judged, slopes},
        histogram::Histogram,
    },
    volume::{Shape, Volume},
};

/// Slices, evenly spaced, in which removed and kept are compared.
const SLICES: usize = 64;

/// Local means of what is flat, and of what edges are looked for in, in HU.
const TISSUE: std::ops::RangeInclusive<f32> = -200.0..=200.0;
const BODY: std::ops::RangeInclusive<f32> = -500.0..=f32::MAX;

/// The flattest part of tissue, and the part of the body that is no strong edge.
const FLATTEST: f64 = 0.4;
const NO_EDGE: f64 = 0.9;

/// The structure ratio above which anatomy was probably removed. Where nothing but noise is removed it is 1, give or take a
/// few hundredths.
const ALARM: f64 = 1.1;

/// More than that is not counted as removed from one voxel, so that sums of squares fit into 64 bits; 4096 HU, in 1/16 HU.
const MOST: f32 = 65536.0;

/// Cosine of k/16 of a full turn.
const COSINES: [f64; 16] = {
    const E: f64 = 0.923_879_532_511_286_7;
    const S: f64 = std::f64::consts::FRAC_1_SQRT_2;
    const T: f64 = 0.382_683_432_365_089_8;
    [1.0, E, S, T, 0.0, -T, -S, -E, -1.0, -E, -S, -T, 0.0, T, S, E]
};

/// Noise of one volume.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NoiseFigures {
    /// Standard deviation in HU.
    pub sigma: f64,
    /// Noise power spectrum within slices, averaged over directions, at 0, 1/16, ... 8/16 cycles per voxel, in HU^2 x
    /// voxel area.
    pub spectrum: [f64; LAGS + 1],
    /// Where it is strongest, in cycles per voxel.
    pub peak_frequency: f64,
    /// Its mean frequency in cycles per voxel.
    pub mean_frequency: f64,
}

/// What was removed, which is the volume before minus the volume after.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Removed {
    /// Mean in flat tissue in HU: about zero.
    pub mean: f64,
    /// Standard deviation in flat tissue in HU.
    pub sd: f64,
    /// The same, as a part of the noise before.
    pub part_of_noise: f64,
    /// Correlation of neighbors within a slice in flat tissue, to compare with that of the noise.
    pub correlation: f64,
    /// Correlation of neighbors of the noise before.
    pub noise_correlation: f64,
    /// Standard deviation at the 10 % strongest edges over that in flat tissue; none where nothing was removed.
    pub structure: Option<f64>,
    /// Whether the last is above 1.1: probably anatomy was removed.
    pub alarm: bool,
}

/// What denoising did.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Effect {
    /// Noise before.
    pub before: NoiseFigures,
    /// Noise after, estimated in the same way.
    pub after: NoiseFigures,
    /// The difference.
    pub removed: Removed,
}

impl Effect {
    /// Compares a volume with its denoised one; `model` is that of the former.
    ///
    /// # Errors
    /// [`Error::Model`] for volumes of different shapes; those of [`NoiseModel::estimate`].
    pub fn measure(before: &Volume<'_>, model: &NoiseModel, after: &Volume<'_>) -> Result<Self, Error> {
        model.check(before.shape())?;
        before.check_whole()?;
        let mut pass = EffectPass::first();
        loop {
            if let Some(effect) = pass.found(model) {
                return Ok(effect);
            }
            let counts = pass.count(before, after, 0..before.shape().rows)?;
            pass = pass.next(before.shape(), counts)?;
        }
    }
}

/// A pass over a volume and its denoised one, by which the effect is found: integers are counted, in any parts and any order.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EffectPass {
    /// What is left of the noise.
    noise: NoisePass,
    removed: RemovedPass,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
enum RemovedPass {
    /// How steep the denoised slices are.
    Slopes,
    /// What was removed where slopes of tissue are at most `flat`, and where those of the body are above `edge`.
    Sums { flat: u32, edge: u32 },
    /// Nothing is left to be found.
    Known(Sums),
}

/// What a pass has found in some rows.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct EffectCounts {
    noise: NoiseCounts,
    removed: RemovedCounts,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum RemovedCounts {
    /// In tissue and in the body.
    Slopes([Histogram; 2]),
    Sums(Sums),
    Nothing,
}

impl EffectPass {
    /// Passes that there are; where nothing is left to be found, the last ones count nothing.
    pub const COUNT: usize = NoisePass::COUNT;

    /// The first one.
    pub fn first() -> Self {
        Self { noise: NoisePass::first(), removed: RemovedPass::Slopes }
    }

    /// The rows of both volumes that must be at hand to count some rows.
    pub fn rows_needed(shape: Shape, rows: &Range<usize>) -> Range<usize> {
        NoisePass::rows_needed(shape, rows)
    }

    /// Counts some rows on the threads of the current pool of rayon.
    ///
    /// # Errors
    /// [`Error::Model`] for volumes of different shapes; [`Error::Rows`] when one does not hold
    /// [`rows_needed`](Self::rows_needed).
    pub fn count(
        &self,
        before: &Volume<'_>,
        after: &Volume<'_>,
        rows: Range<usize>,
    ) -> Result<EffectCounts, Error> {
        if before.shape() != after.shape() {
            return Err(Error::Model);
        }
        // This checks the rows.
        let noise = self.noise.count(after, Some(before), rows.clone())?;
        let part = Part { before, after, window: Self::rows_needed(before.shape(), &rows), own: rows };
        let removed = match self.removed {
            RemovedPass::Slopes => RemovedCounts::Slopes(part.slopes()),
            RemovedPass::Sums { flat, edge } => RemovedCounts::Sums(part.sums(flat, edge)),
            RemovedPass::Known(_) => RemovedCounts::Nothing,
        };
        Ok(EffectCounts { noise, removed })
    }

    /// The pass after this one, which has found `counts` in all rows.
    ///
    /// # Errors
    /// As [`NoisePass::next`].
    pub fn next(self, shape: Shape, counts: EffectCounts) -> Result<Self, Error> {
        let removed = match (self.removed, counts.removed) {
            (RemovedPass::Slopes, RemovedCounts::Slopes([tissue, body])) => {
                RemovedPass::Sums { flat: tissue.quantile(FLATTEST), edge: body.quantile(NO_EDGE) }
            }
            (RemovedPass::Sums { .. }, RemovedCounts::Sums(sums)) => RemovedPass::Known(sums),
            (RemovedPass::Known(sums), RemovedCounts::Nothing) => RemovedPass::Known(sums),
            _ => return Err(Error::Counts),
        };
        Ok(Self { noise: self.noise.next(shape, counts.noise)?, removed })
    }

    /// The effect, once it is known, where `model` is the noise before.
    pub fn found(&self, model: &NoiseModel) -> Option<Effect> {
        let RemovedPass::Known(sums) = &self.removed else { return None };
        let remaining = self.noise.found()?;
        Some(Effect {
            before: NoiseFigures::of(model),
            after: NoiseFigures::of(remaining),
            removed: Removed::of(sums, model),
        })
    }
}

impl EffectCounts {
    /// Those of some rows and of others, in either order.
    ///
    /// # Errors
    /// [`Error::Counts`] for those of different passes or shapes.
    pub fn merge(self, other: Self) -> Result<Self, Error> {
        let removed = match (self.removed, other.removed) {
            (RemovedCounts::Slopes([a, b]), RemovedCounts::Slopes([c, d])) => {
                RemovedCounts::Slopes([a.merge(c), b.merge(d)])
            }
            (RemovedCounts::Sums(a), RemovedCounts::Sums(b)) => RemovedCounts::Sums(a.plus(b)),
            (RemovedCounts::Nothing, RemovedCounts::Nothing) => RemovedCounts::Nothing,
            _ => return Err(Error::Counts),
        };
        Ok(Self { noise: self.noise.merge(other.noise)?, removed })
    }
}

impl NoiseFigures {
    /// Of a model: the spectrum is the cosine transform of the autocovariance, whose far lags are tapered to zero.
    pub fn of(model: &NoiseModel) -> Self {
        let mut bins = [(0.0, 0.0); LAGS + 1];
        let (mut moment, mut all) = (0.0, 0.0);
        let steps = LAGS as i64;
        for down in -steps..steps {
            for right in -steps..steps {
                let power = model.sigma * model.sigma * power(model, down, right).max(0.0);
                let frequency = ((down * down + right * right) as f64).sqrt();
                moment += frequency * power;
                all += power;
                if let Some(bin) = bins.get_mut(frequency.round() as usize) {
                    *bin = (bin.0 + power, bin.1 + 1.0);
                }
            }
        }
        let spectrum = bins.map(|(power, count)| power / count);
        let strongest = (0..=LAGS).fold(0, |best, k| if spectrum[k] > spectrum[best] { k } else { best });
        let cycles = |steps: f64| steps / (2 * LAGS) as f64;
        Self {
            sigma: model.sigma,
            spectrum,
            peak_frequency: cycles(strongest as f64),
            mean_frequency: if all > 0.0 { cycles(moment / all) } else { 0.0 },
        }
    }
}

/// Power over variance at a frequency in sixteenths of a cycle per voxel.
fn power(model: &NoiseModel, down: i64, right: i64) -> f64 {
    let lags = LAGS as i64;
    let taper = |lag: i64| 1.0 - lag.abs() as f64 / (lags + 1) as f64;
    let mut sum = 0.0;
    for rows in -lags..=lags {
        for columns in -lags..=lags {
            let turn = (down * rows + right * columns).rem_euclid(16) as usize;
            sum += model.correlation([0, rows, columns]) * taper(rows) * taper(columns) * COSINES[turn];
        }
    }
    sum
}

/// Rows of both volumes that are counted.
struct Part<'a> {
    before: &'a Volume<'a>,
    after: &'a Volume<'a>,
    /// The rows, and those that are read for them.
    own: Range<usize>,
    window: Range<usize>,
}

/// One slice of a part.
struct Slice {
    /// Before minus after, in 1/16 HU.
    removed: Vec<i64>,
    /// Of the slice after, in tissue and in the body.
    tissue: Vec<u16>,
    body: Vec<u16>,
    /// The places of the rows that are counted.
    own: Range<usize>,
}

/// Sum, sum of squares and number of values.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Moments(i64, i64, i64);

impl Moments {
    fn add(&mut self, value: i64) {
        *self = self.plus(Self(value, value * value, 1));
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1, self.2 + other.2)
    }

    /// Mean and variance in HU.
    fn mean_and_variance(self) -> (f64, f64) {
        let (units, count) = (f64::from(UNITS), self.2.max(1) as f64);
        let mean = self.0 as f64 / count;
        (mean / units, (self.1 as f64 / count - mean * mean).max(0.0) / (units * units))
    }
}

/// Of what was removed: in flat tissue, at edges, and products of neighbors in flat tissue.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Sums {
    flat: Moments,
    edges: Moments,
    /// Sum and number of products.
    neighbors: (i64, i64),
}

impl Sums {
    fn plus(self, other: Self) -> Self {
        Self {
            flat: self.flat.plus(other.flat),
            edges: self.edges.plus(other.edges),
            neighbors: (self.neighbors.0 + other.neighbors.0, self.neighbors.1 + other.neighbors.1),
        }
    }
}

impl Part<'_> {
    /// The slices in which removed and kept are compared.
    fn slices(&self) -> Vec<usize> {
        let all = self.before.shape().slices;
        let count = all.min(SLICES);
        (0..count).map(|index| index * all / count).collect()
    }

    /// Histograms of the slopes in tissue and in the body.
    fn slopes(&self) -> [Histogram; 2] {
        let one = |histograms: Option<[Histogram; 2]>, slice: usize| {
            let mut histograms = histograms.unwrap_or_else(|| [Histogram::new(), Histogram::new()]);
            Slice::new(self, slice).count_slopes(&mut histograms);
            Some(histograms)
        };
        let merged = |a: Option<[Histogram; 2]>, b: Option<[Histogram; 2]>| match (a, b) {
            (Some([a, b]), Some([c, d])) => Some([a.merge(c), b.merge(d)]),
            (a, b) => a.or(b),
        };
        let found = self.slices().into_par_iter().fold(|| None, one).reduce(|| None, merged);
        found.unwrap_or_else(|| [Histogram::new(), Histogram::new()])
    }

    fn sums(&self, flat: u32, edge: u32) -> Sums {
        let columns = self.before.shape().columns;
        let of_slice = |slice| Slice::new(self, slice).sums(flat, edge, columns);
        self.slices().into_par_iter().map(of_slice).reduce(Sums::default, Sums::plus)
    }
}

impl Removed {
    /// Of single images and what they became, row by row in HU, `columns` pixels a row: what is flat and where edges are is judged by the
    /// former, `noise` is theirs. None of no images.
    ///
    /// Unlike [`Effect::measure`], this asks for no neighboring slices, so it serves for slices of which few are at hand. Arrays that are
    /// no whole rows, or of which the second is shorter, are judged as far as both reach.
    pub fn from_images(images: &[[&[f32]; 2]], columns: usize, noise: &NoiseModel) -> Option<Self> {
        let columns = columns.max(1);
        let slice = |&[before, after]: &[&[f32]; 2]| {
            let length = before.len().min(after.len()) / columns * columns;
            let [before, after] = [&before[..length], &after[..length]];
            Slice::compared([before, after], before, columns, 0..length, |_| false)
        };
        let mut histograms = [Histogram::new(), Histogram::new()];
        images.iter().for_each(|pair| slice(pair).count_slopes(&mut histograms));
        let [tissue, body] = histograms;
        let (flat, edge) = (tissue.quantile(FLATTEST), body.quantile(NO_EDGE));
        let sums = images.iter().map(|pair| slice(pair).sums(flat, edge, columns)).reduce(Sums::plus)?;
        Some(Self::of(&sums, noise))
    }

    fn of(sums: &Sums, model: &NoiseModel) -> Self {
        let (mean, variance) = sums.flat.mean_and_variance();
        let (_, at_edges) = sums.edges.mean_and_variance();
        let units = f64::from(UNITS);
        let products = sums.neighbors.0 as f64 / sums.neighbors.1.max(1) as f64 / (units * units);
        let structure = (variance > 0.0).then(|| (at_edges / variance).sqrt());
        Self {
            mean,
            sd: variance.sqrt(),
            part_of_noise: if model.sigma > 0.0 { variance.sqrt() / model.sigma } else { 0.0 },
            correlation: if variance > 0.0 { products / variance } else { 0.0 },
            noise_correlation: 0.5 * (model.correlation([0, 0, 1]) + model.correlation([0, 1, 0])),
            structure,
            alarm: structure.is_some_and(|structure| structure > ALARM),
        }
    }
}

impl Slice {
    fn new(part: &Part<'_>, slice: usize) -> Self {
        let Part { before, after, own, window } = part;
        let columns = before.shape().columns;
        let read = |volume: &Volume<'_>| {
            let mut hu = vec![0.0; window.len() * columns];
            volume.hu(slice, window.clone(), &mut hu);
            hu
        };
        let (first, second) = (read(before), read(after));
        let mask = before.padding(slice, window.clone());
        let padding = |at: usize| mask.is_some_and(|mask| mask[at]);
        let own = (own.start - window.start) * columns..(own.end - window.start) * columns;
        Self::compared([&first, &second], &second, columns, own, padding)
    }

    /// An image and what it became, whose slopes are those of `judged`.
    fn compared(
        [first, second]: [&[f32]; 2],
        judged: &[f32],
        columns: usize,
        own: Range<usize>,
        padding: impl Fn(usize) -> bool,
    ) -> Self {
        let constant = |at: usize| is_constant(first, at);
        let removed = |(a, b): (&f32, &f32)| ((a - b) * UNITS).round_ties_even().clamp(-MOST, MOST) as i64;
        Self {
            removed: first.iter().zip(second).map(removed).collect(),
            tissue: slopes(judged, columns, TISSUE, &padding, constant),
            body: slopes(judged, columns, BODY, &padding, constant),
            own,
        }
    }

    /// Counts its slopes in tissue and in the body.
    fn count_slopes(&self, histograms: &mut [Histogram; 2]) {
        for (histogram, slopes) in histograms.iter_mut().zip([&self.tissue, &self.body]) {
            judged(&slopes[self.own.clone()]).for_each(|slope| histogram.add(slope.into()));
        }
    }

    fn sums(&self, flat: u32, edge: u32, columns: usize) -> Sums {
        let mut sums = Sums::default();
        let is_flat = |at: usize| self.tissue[at] < CONSTANT && u32::from(self.tissue[at]) <= flat;
        for at in self.own.clone() {
            let removed = self.removed[at];
            // The edge of the image is excluded from slopes, so neighbors of what is flat are inside.
            if is_flat(at) {
                sums.flat.add(removed);
                for neighbor in [at + 1, at + columns] {
                    if is_flat(neighbor) {
                        sums.neighbors.0 += removed * self.removed[neighbor];
                        sums.neighbors.1 += 1;
                    }
                }
            }
            if self.body[at] < CONSTANT && u32::from(self.body[at]) > edge {
                sums.edges.add(removed);
            }
        }
        sums
    }
}
