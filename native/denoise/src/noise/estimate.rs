//! From a volume to its noise model.

use rayon::prelude::*;

use super::{
    NoiseModel, SigmaMap,
    covariance::Covariance,
    flat::{CONSTANT, UNITS, is_constant, judged, slopes},
    histogram::Histogram,
    map::CellSums,
};
use crate::{Error, volume::Volume};

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
const STEPS: f64 = 64.0;
const FARTHEST: i16 = 4 * STEPS as i16;

impl NoiseModel {
    /// Estimates the noise of a whole volume on the threads of the current pool of rayon.
    ///
    /// # Errors
    /// [`Error::NoFlatTissue`] when fewer than 1000 voxels are tissue; [`Error::NotNoise`] when slices differ by more than
    /// noise; [`Error::Rows`] for a block of a volume.
    pub fn estimate(volume: &Volume<'_>) -> Result<Self, Error> {
        let model = Self::measure(volume, volume)?;
        let [_, nearer, sigma] = model.sigma_by_distance;
        if sigma > MOST_GROWTH * nearer {
            return Err(Error::NotNoise { sigma_by_distance: model.sigma_by_distance });
        }
        Ok(model)
    }

    /// What is left of the noise of a volume that may be denoised: `source` is the volume before, which tells what is constant.
    pub(crate) fn measure(volume: &Volume<'_>, source: &Volume<'_>) -> Result<Self, Error> {
        volume.check_whole()?;
        source.check_whole()?;
        let volumes = Volumes { volume, source };
        let mut sigma_by_distance = [0.0; INDEPENDENT];
        let (mut cut, mut voxels) = (0, 0);
        for (sigma, distance) in sigma_by_distance.iter_mut().zip(1..) {
            let slopes = counted(volumes, distance, |pair, histogram| {
                judged(&pair.slopes).for_each(|slope| histogram.add(slope.into()));
            });
            if slopes.total() < LEAST {
                return without_voxels(volumes, slopes.total());
            }
            cut = slopes.quantile(FLATTEST);
            let magnitudes = counted(volumes, distance, |pair, histogram| {
                pair.flat(cut).for_each(|(_, difference)| histogram.add(difference.unsigned_abs()));
            });
            *sigma = MAD * magnitudes.median() / f64::from(UNITS) / f64::sqrt(2.0);
            voxels = magnitudes.total();
        }
        let sigma = sigma_by_distance[INDEPENDENT - 1];
        if sigma == 0.0 {
            return Ok(Self { sigma_by_distance, voxels, ..Self::white(0.0) });
        }
        let correlation = |nearer: f64| {
            let ratio = nearer / sigma;
            (1.0 - ratio * ratio).clamp(0.0, MOST_CORRELATION)
        };
        let (autocorrelation, map) = second_moments(volumes, cut, sigma);
        Ok(Self {
            sigma,
            sigma_by_distance,
            slice_correlation: [correlation(sigma_by_distance[0]), correlation(sigma_by_distance[1])],
            autocorrelation,
            map,
            voxels,
        })
    }
}

/// What a volume is whose tissue is constant: one without noise; else there is no tissue.
fn without_voxels(volumes: Volumes<'_>, voxels: u64) -> Result<NoiseModel, Error> {
    let constant = counted(volumes, 1, |pair, histogram| {
        let count = pair.slopes.iter().filter(|&&slope| slope == CONSTANT).count();
        (0..count).for_each(|_| histogram.add(0));
    });
    match voxels + constant.total() {
        LEAST.. => Ok(NoiseModel { voxels, ..NoiseModel::white(0.0) }),
        voxels => Err(Error::NoFlatTissue { voxels, least: LEAST }),
    }
}

/// A volume, and the one that tells what is constant.
#[derive(Clone, Copy)]
struct Volumes<'a> {
    volume: &'a Volume<'a>,
    source: &'a Volume<'a>,
}

/// Two slices of a volume.
struct Pair {
    /// Second minus first, in 1/16 HU.
    differences: Vec<i32>,
    /// Of the mean of the two.
    slopes: Vec<u16>,
}

impl Pair {
    fn new(Volumes { volume, source }: Volumes<'_>, slice: usize, distance: usize) -> Self {
        let shape = volume.shape();
        let read = |volume: &Volume<'_>, slice| {
            let mut hu = vec![0.0; shape.rows * shape.columns];
            volume.hu(slice, 0..shape.rows, &mut hu);
            hu
        };
        let (first, second) = (read(volume, slice), read(volume, slice + distance));
        let sources = [slice, slice + distance].map(|slice| read(source, slice));
        let masks = [slice, slice + distance].map(|slice| volume.padding(slice, 0..shape.rows));
        let padding = |at: usize| masks.iter().flatten().any(|mask| mask[at]);
        let constant = |at: usize| sources.iter().all(|image| is_constant(image, at));
        let means: Vec<f32> = first.iter().zip(&second).map(|(a, b)| 0.5 * (a + b)).collect();
        let difference = |(a, b): (&f32, &f32)| ((b - a) * UNITS).round_ties_even() as i32;
        Self {
            differences: first.iter().zip(&second).map(difference).collect(),
            slopes: slopes(&means, shape.columns, TISSUE, padding, constant),
        }
    }

    /// Places and differences where the slope is at most `cut`.
    fn flat(&self, cut: u32) -> impl Iterator<Item = (usize, i32)> + '_ {
        let flat = move |(_, slope): &(usize, &u16)| **slope < CONSTANT && u32::from(**slope) <= cut;
        self.slopes.iter().enumerate().filter(flat).map(|(at, _)| (at, self.differences[at]))
    }
}

/// First slices of the pairs to look at.
fn first_slices(volume: &Volume<'_>, distance: usize) -> Vec<usize> {
    let all = volume.shape().slices - distance;
    let count = all.min(PAIRS);
    (0..count).map(|pair| pair * all / count).collect()
}

fn counted(volumes: Volumes<'_>, distance: usize, count: impl Fn(&Pair, &mut Histogram) + Sync) -> Histogram {
    let one = |histogram: Option<Histogram>, slice: usize| {
        let mut histogram = histogram.unwrap_or_else(Histogram::new);
        count(&Pair::new(volumes, slice, distance), &mut histogram);
        Some(histogram)
    };
    let merged = |a: Option<Histogram>, b: Option<Histogram>| match (a, b) {
        (Some(a), Some(b)) => Some(a.merge(b)),
        (a, b) => a.or(b),
    };
    let slices = first_slices(volumes.volume, distance);
    slices.into_par_iter().fold(|| None, one).reduce(|| None, merged).unwrap_or_else(Histogram::new)
}

/// Autocorrelation and map, from the differences of slices three apart.
fn second_moments(volumes: Volumes<'_>, cut: u32, sigma: f64) -> (Vec<f64>, SigmaMap) {
    let shape = volumes.volume.shape();
    let scale = STEPS / (sigma * f64::sqrt(2.0) * f64::from(UNITS));
    let add = |(mut covariance, mut cells): (Covariance, CellSums), (place, slice): (usize, usize)| {
        let pair = Pair::new(volumes, slice, INDEPENDENT);
        let mut values = vec![0i16; pair.slopes.len()];
        let mut used = vec![0i16; pair.slopes.len()];
        for (at, difference) in pair.flat(cut) {
            let steps = (f64::from(difference) * scale).round_ties_even() as i16;
            if (-FARTHEST..=FARTHEST).contains(&steps) {
                values[at] = steps;
                used[at] = 1;
            }
        }
        if place % COVARIANCE_STEP == 0 {
            covariance.add(&values, &used, shape.columns);
        }
        cells.add(slice + INDEPENDENT / 2, &values, &used, shape.columns);
        (covariance, cells)
    };
    let none = || (Covariance::new(), CellSums::new(shape));
    let slices: Vec<(usize, usize)> =
        first_slices(volumes.volume, INDEPENDENT).into_iter().enumerate().collect();
    let merge = |a: (Covariance, CellSums), b: (Covariance, CellSums)| (a.0.merge(&b.0), a.1.merge(&b.1));
    let (covariance, cells) = slices.into_par_iter().fold(none, add).reduce(none, merge);
    (covariance.correlation(), cells.map())
}
