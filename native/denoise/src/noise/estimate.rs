//! From a volume to its noise model: three passes over pairs of slices, each of which needs what the one before has found.
//!
//! A pass counts integers. So rows may be counted in any parts, wherever these are, and what was found be merged in any order.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    NoiseModel,
    covariance::{Covariance, LAGS},
    flat::{CONSTANT, MARGIN, UNITS, is_constant, judged, slopes},
    histogram::Histogram,
    map::CellSums,
};
use crate::{
    Error,
    volume::{Shape, Volume},
};

/// Part of the tissue that counts as flat.
const FLATTEST: f64 = 0.4;

/// Local means of tissue in HU.
const TISSUE: std::ops::RangeInclusive<f32> = -200.0..=200.0;

/// Voxels of tissue without which nothing is estimated.
const LEAST: u64 = 1000;

/// Pairs of slices, evenly spaced, that are looked at; of these every fourth for the autocovariance.
const PAIRS: usize = 64;
const COVARIANCE_STEP: usize = 4;

/// Noise of slices three apart is at most this much stronger than that of slices two apart: independent noise is as strong,
/// what overlapping reconstructions correlate up to 1.2 times; a drift of anatomy gives 1.5.
const MOST_GROWTH: f64 = 1.3;

/// Slices from one to the other whose noise is taken for independent.
const INDEPENDENT: usize = 3;

/// Standard deviation of a normal distribution over the median of its magnitudes.
const MAD: f64 = 1.4826;

/// Correlation of slices is at most this.
const MOST_CORRELATION: f64 = 0.95;

/// Parts of a standard deviation in which products are counted, and how many of these a difference may be: what is
/// farther away than four standard deviations is no noise.
pub(super) const STEPS: f64 = 64.0;
pub(super) const FARTHEST: i16 = 4 * STEPS as i16;

/// A pass over a volume, by which its noise is found.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NoisePass(Pass);

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
enum Pass {
    /// How steep tissue is, in pairs of slices one, two and three apart.
    Slopes,
    /// How much the slices differ where slopes are at most these.
    Magnitudes { cuts: [u32; INDEPENDENT] },
    /// Products of these differences, three slices apart.
    Products { cut: u32, sigma_by_distance: [f64; INDEPENDENT], voxels: u64 },
    /// Nothing is left to be found.
    Known(NoiseModel),
}

/// What a pass has found in some rows.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct NoiseCounts(Counts);

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum Counts {
    Slopes { slopes: [Histogram; INDEPENDENT], constant: u64 },
    Magnitudes([Histogram; INDEPENDENT]),
    Products(Box<Products>),
    Nothing,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Products {
    covariance: Covariance,
    cells: CellSums,
}

impl NoiseModel {
    /// Estimates the noise of a whole volume on the threads of the current pool of rayon.
    ///
    /// # Errors
    /// [`Error::NoFlatTissue`] when fewer than 1000 voxels are tissue; [`Error::NotNoise`] when slices differ by more than
    /// noise; [`Error::Rows`] for a block of a volume.
    pub fn estimate(volume: &Volume<'_>) -> Result<Self, Error> {
        volume.check_whole()?;
        let mut pass = NoisePass::first();
        loop {
            if let Some(model) = pass.found() {
                return model.clone().of_noise();
            }
            let counts = pass.count(volume, None, 0..volume.shape().rows)?;
            pass = pass.next(volume.shape(), counts)?;
        }
    }

    /// The model, which is to be of a volume that is not denoised yet.
    ///
    /// # Errors
    /// [`Error::NotNoise`] when slices differ by more than noise.
    pub fn of_noise(self) -> Result<Self, Error> {
        let [_, nearer, sigma] = self.sigma_by_distance;
        if sigma > MOST_GROWTH * nearer {
            return Err(Error::NotNoise { sigma_by_distance: self.sigma_by_distance });
        }
        Ok(self)
    }
}

impl NoisePass {
    /// Passes that there are; where nothing is left to be found, the last ones count nothing.
    pub const COUNT: usize = 3;

    /// The first one.
    pub fn first() -> Self {
        Self(Pass::Slopes)
    }

    /// The rows that must be at hand to count some rows.
    pub fn rows_needed(shape: Shape, rows: &Range<usize>) -> Range<usize> {
        // Slopes are compared with those of rows as far below as the autocovariance reaches.
        rows.start.saturating_sub(MARGIN)..(rows.end + LAGS + MARGIN).min(shape.rows)
    }

    /// Counts some rows on the threads of the current pool of rayon. `source` is the volume before it was denoised, which tells what
    /// is constant; none where `volume` is that.
    ///
    /// # Errors
    /// [`Error::Rows`] when a volume does not hold [`rows_needed`](Self::rows_needed).
    pub fn count(
        &self,
        volume: &Volume<'_>,
        source: Option<&Volume<'_>>,
        rows: Range<usize>,
    ) -> Result<NoiseCounts, Error> {
        let window = Self::rows_needed(volume.shape(), &rows);
        volume.check_holds(&rows, &window)?;
        source.map_or(Ok(()), |source| source.check_holds(&rows, &window))?;
        let part = Part { volume, source, own: rows, window };
        Ok(NoiseCounts(match &self.0 {
            Pass::Slopes => {
                let count = |pair: &Pair, found: &mut Found| {
                    judged(pair.own()).for_each(|slope| found.histogram.add(slope.into()));
                    found.constant += pair.own().iter().filter(|&&slope| slope == CONSTANT).count() as u64;
                };
                let found = DISTANCES.map(|distance| part.counted(distance, count));
                let [Found { constant, .. }, ..] = found;
                Counts::Slopes { slopes: found.map(|found| found.histogram), constant }
            }
            Pass::Magnitudes { cuts } => Counts::Magnitudes(DISTANCES.map(|distance| {
                let count = |pair: &Pair, found: &mut Found| {
                    let flat = pair.flat(pair.own.clone(), cuts[distance - 1]);
                    flat.for_each(|(_, difference)| found.histogram.add(difference.unsigned_abs()));
                };
                part.counted(distance, count).histogram
            })),
            Pass::Products { cut, sigma_by_distance: [.., sigma], .. } => {
                Counts::Products(Box::new(part.products(*cut, *sigma)))
            }
            Pass::Known(_) => Counts::Nothing,
        }))
    }

    /// The pass after this one, which has found `counts` in all rows of a volume.
    ///
    /// # Errors
    /// [`Error::NoFlatTissue`]; [`Error::Counts`] for those of another pass or shape.
    pub fn next(self, shape: Shape, counts: NoiseCounts) -> Result<Self, Error> {
        Ok(Self(match (self.0, counts.0) {
            (Pass::Slopes, Counts::Slopes { slopes, constant }) => {
                match slopes.iter().map(Histogram::total).find(|&total| total < LEAST) {
                    Some(voxels) => Pass::Known(without_voxels(voxels, constant)?),
                    None => Pass::Magnitudes { cuts: slopes.map(|slopes| slopes.quantile(FLATTEST)) },
                }
            }
            (Pass::Magnitudes { cuts: [.., cut] }, Counts::Magnitudes(magnitudes)) => {
                let voxels = magnitudes[INDEPENDENT - 1].total();
                let sigma_by_distance = magnitudes
                    .map(|magnitudes| MAD * magnitudes.median() / f64::from(UNITS) / f64::sqrt(2.0));
                match sigma_by_distance {
                    [.., 0.0] => {
                        Pass::Known(NoiseModel { sigma_by_distance, voxels, ..NoiseModel::white(0.0) })
                    }
                    _ => Pass::Products { cut, sigma_by_distance, voxels },
                }
            }
            (Pass::Products { sigma_by_distance, voxels, .. }, Counts::Products(products)) => {
                let Products { covariance, cells } = *products;
                if !cells.fit(shape) {
                    return Err(Error::Counts);
                }
                let [one, two, sigma] = sigma_by_distance;
                let correlation = |nearer: f64| {
                    let ratio = nearer / sigma;
                    (1.0 - ratio * ratio).clamp(0.0, MOST_CORRELATION)
                };
                Pass::Known(NoiseModel {
                    sigma,
                    sigma_by_distance,
                    slice_correlation: [correlation(one), correlation(two)],
                    autocorrelation: covariance.correlation(),
                    map: cells.map(),
                    voxels,
                })
            }
            (Pass::Known(model), Counts::Nothing) => Pass::Known(model),
            _ => return Err(Error::Counts),
        }))
    }

    /// The noise, once it is known.
    pub fn found(&self) -> Option<&NoiseModel> {
        match &self.0 {
            Pass::Known(model) => Some(model),
            _ => None,
        }
    }
}

impl NoiseCounts {
    /// Those of some rows and of others, in either order.
    ///
    /// # Errors
    /// [`Error::Counts`] for those of different passes or shapes.
    pub fn merge(self, other: Self) -> Result<Self, Error> {
        let each = |mine: [Histogram; INDEPENDENT], its: [Histogram; INDEPENDENT]| {
            let mut its = its.into_iter();
            mine.map(|mine| its.next().map_or_else(Histogram::new, |its| mine.merge(its)))
        };
        Ok(Self(match (self.0, other.0) {
            (Counts::Slopes { slopes: a, constant: m }, Counts::Slopes { slopes: b, constant: n }) => {
                Counts::Slopes { slopes: each(a, b), constant: m + n }
            }
            (Counts::Magnitudes(a), Counts::Magnitudes(b)) => Counts::Magnitudes(each(a, b)),
            (Counts::Products(a), Counts::Products(b)) if a.cells.is_like(&b.cells) => {
                Counts::Products(Box::new(a.merge(&b)))
            }
            (Counts::Nothing, Counts::Nothing) => Counts::Nothing,
            _ => return Err(Error::Counts),
        }))
    }
}

impl Products {
    fn merge(self, other: &Self) -> Self {
        Self { covariance: self.covariance.merge(&other.covariance), cells: self.cells.merge(&other.cells) }
    }
}

/// Distances of the slices of pairs.
const DISTANCES: [usize; INDEPENDENT] = [1, 2, 3];

/// What a volume is whose tissue is constant: one without noise; else there is no tissue. `constant` are the voxels in pairs of
/// neighbors that would be tissue but for that.
fn without_voxels(voxels: u64, constant: u64) -> Result<NoiseModel, Error> {
    match voxels + constant {
        LEAST.. => Ok(NoiseModel { voxels, ..NoiseModel::white(0.0) }),
        voxels => Err(Error::NoFlatTissue { voxels, least: LEAST }),
    }
}

/// Rows of a volume that are counted.
struct Part<'a> {
    volume: &'a Volume<'a>,
    /// The volume that tells what is constant, where it is another one.
    source: Option<&'a Volume<'a>>,
    /// The rows, and those that are read for them.
    own: Range<usize>,
    window: Range<usize>,
}

/// Two slices of a part.
struct Pair {
    /// Second minus first, in 1/16 HU.
    differences: Vec<i32>,
    /// Of the mean of the two.
    slopes: Vec<u16>,
    /// The places of the rows that are counted.
    own: Range<usize>,
}

impl Pair {
    fn new(part: &Part<'_>, slice: usize, distance: usize) -> Self {
        let Part { volume, source, own, window } = part;
        let columns = volume.shape().columns;
        let slices = [slice, slice + distance];
        let read = |volume: &Volume<'_>| {
            slices.map(|slice| {
                let mut hu = vec![0.0; window.len() * columns];
                volume.hu(slice, window.clone(), &mut hu);
                hu
            })
        };
        let images = read(volume);
        let of_source = source.map(read);
        let sources = of_source.as_ref().unwrap_or(&images);
        let masks = slices.map(|slice| volume.padding(slice, window.clone()));
        let padding = |at: usize| masks.iter().flatten().any(|mask| mask[at]);
        let constant = |at: usize| sources.iter().all(|image| is_constant(image, at));
        let [first, second] = &images;
        let means: Vec<f32> = first.iter().zip(second).map(|(a, b)| 0.5 * (a + b)).collect();
        let difference = |(a, b): (&f32, &f32)| ((b - a) * UNITS).round_ties_even() as i32;
        Self {
            differences: first.iter().zip(second).map(difference).collect(),
            slopes: slopes(&means, columns, TISSUE, padding, constant),
            own: (own.start - window.start) * columns..(own.end - window.start) * columns,
        }
    }

    /// Slopes of the rows that are counted.
    fn own(&self) -> &[u16] {
        &self.slopes[self.own.clone()]
    }

    /// Of some places: those, and differences, where the slope is at most `cut`.
    fn flat(&self, places: Range<usize>, cut: u32) -> impl Iterator<Item = (usize, i32)> + '_ {
        let flat = move |&at: &usize| self.slopes[at] < CONSTANT && u32::from(self.slopes[at]) <= cut;
        places.filter(flat).map(|at| (at, self.differences[at]))
    }
}

/// What is counted in pairs of slices.
struct Found {
    histogram: Histogram,
    /// Voxels that would be tissue, but are constant.
    constant: u64,
}

impl Found {
    fn nothing() -> Self {
        Self { histogram: Histogram::new(), constant: 0 }
    }

    fn merge(self, other: Self) -> Self {
        Self { histogram: self.histogram.merge(other.histogram), constant: self.constant + other.constant }
    }
}

/// First slices of the pairs to look at.
fn first_slices(volume: &Volume<'_>, distance: usize) -> Vec<usize> {
    let all = volume.shape().slices - distance;
    let count = all.min(PAIRS);
    (0..count).map(|pair| pair * all / count).collect()
}

impl Part<'_> {
    fn counted(&self, distance: usize, count: impl Fn(&Pair, &mut Found) + Sync) -> Found {
        let one = |found: Option<Found>, slice: usize| {
            let mut found = found.unwrap_or_else(Found::nothing);
            count(&Pair::new(self, slice, distance), &mut found);
            Some(found)
        };
        let merged = |a: Option<Found>, b: Option<Found>| match (a, b) {
            (Some(a), Some(b)) => Some(a.merge(b)),
            (a, b) => a.or(b),
        };
        let slices = first_slices(self.volume, distance);
        slices.into_par_iter().fold(|| None, one).reduce(|| None, merged).unwrap_or_else(Found::nothing)
    }

    /// For autocorrelation and map, from the differences of slices three apart.
    fn products(&self, cut: u32, sigma: f64) -> Products {
        let shape = self.volume.shape();
        let scale = STEPS / (sigma * f64::sqrt(2.0) * f64::from(UNITS));
        let add = |mut sums: Products, (place, slice): (usize, usize)| {
            let pair = Pair::new(self, slice, INDEPENDENT);
            let mut values = vec![0i16; pair.slopes.len()];
            let mut used = vec![0i16; pair.slopes.len()];
            for (at, difference) in pair.flat(0..pair.slopes.len(), cut) {
                let steps = (f64::from(difference) * scale).round_ties_even() as i16;
                if (-FARTHEST..=FARTHEST).contains(&steps) {
                    values[at] = steps;
                    used[at] = 1;
                }
            }
            if place % COVARIANCE_STEP == 0 {
                sums.covariance.add(&values, &used, pair.own.clone(), shape.columns);
            }
            let own = pair.own.clone();
            let (values, used) = (&values[own.clone()], &used[own]);
            sums.cells.add([slice + INDEPENDENT / 2, self.own.start], values, used, shape.columns);
            sums
        };
        let none = || Products { covariance: Covariance::new(), cells: CellSums::new(shape) };
        let slices: Vec<(usize, usize)> =
            first_slices(self.volume, INDEPENDENT).into_iter().enumerate().collect();
        slices.into_par_iter().fold(none, add).reduce(none, |a, b| a.merge(&b))
    }
}
