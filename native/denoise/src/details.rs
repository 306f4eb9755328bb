//! What becomes of small details: discs that are put into the volume itself.
//!
//! A disc is added to the noisy volume in flat tissue, and a part of the volume around it is denoised with and without it.
//! The difference is what is left of the disc, noise and all, so no truth is needed. Loss depends on contrast (Yu et al., Med
//! Phys 42:2261, 2015, for non-linear reconstruction), so there is one disc of high contrast and one of low.

use rayon::prelude::*;

use crate::{
    Error, NoiseModel, Settings, Shape, Volume, Voxels, denoise,
    noise::flat::{CONSTANT, is_constant, slopes},
};

/// Contrast in HU, diameter in mm, slices.
const DISCS: [(f32, f64, usize); 2] = [(60.0, 6.0, 1), (-20.0, 8.0, 3)];

/// Slices in which a place is looked for, evenly spaced.
const PLACES: usize = 16;

/// Slices, rows and columns around a place that are denoised.
const AROUND: [usize; 3] = [16, 48, 48];

/// Distance of the places that are compared, in rows and columns.
const STEP: usize = 8;

/// Local means of tissue in HU.
const TISSUE: std::ops::RangeInclusive<f32> = -200.0..=200.0;

/// What is left of a kind of disc.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DetailKept {
    /// Contrast in HU that was added.
    pub contrast: f32,
    /// Diameter in mm.
    pub diameter_mm: f64,
    /// Slices that it is in.
    pub slices: usize,
    /// How many such discs were tried.
    pub places: usize,
    /// Part of the contrast that is left, on average over the disc and all places; none without places.
    pub kept: Option<f64>,
}

/// Puts discs into flat places of a whole volume, one at a time, and measures what denoising leaves of them. `pixel_mm` is the
/// distance of rows and of columns.
///
/// # Errors
/// Those of [`denoise`]; [`Error::Rows`] for a block of a volume.
pub fn details_kept(
    volume: &Volume<'_>,
    model: &NoiseModel,
    settings: Settings,
    pixel_mm: [f64; 2],
) -> Result<Vec<DetailKept>, Error> {
    model.check(volume.shape())?;
    volume.check_whole()?;
    let of_disc = |&(contrast, diameter_mm, slices): &(f32, f64, usize)| {
        let disc = Disc { contrast, radius: pixel_mm.map(|mm| 0.5 * diameter_mm / mm), slices };
        let kept: Vec<f64> = disc
            .places(volume)
            .par_iter()
            .map(|&place| disc.kept(volume, model, settings, place))
            .collect::<Result<_, _>>()?;
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        let kept_of_all = (!kept.is_empty()).then_some(mean);
        Ok(DetailKept { contrast, diameter_mm, slices, places: kept.len(), kept: kept_of_all })
    };
    DISCS.iter().map(of_disc).collect()
}

struct Disc {
    contrast: f32,
    /// In rows and columns.
    radius: [f64; 2],
    slices: usize,
}

impl Disc {
    /// Whether a voxel so far from the center is in it.
    fn holds(&self, lag: [i64; 3]) -> bool {
        let [down, right] = [lag[1] as f64 / self.radius[0], lag[2] as f64 / self.radius[1]];
        lag[0].unsigned_abs() as usize <= self.slices / 2 && down * down + right * right <= 1.0
    }

    /// The flattest place of each of some slices, that has room for the disc.
    fn places(&self, volume: &Volume<'_>) -> Vec<[usize; 3]> {
        let shape = volume.shape();
        let margin = self.slices / 2;
        let usable = shape.slices.saturating_sub(2 * margin);
        let count = usable.min(PLACES);
        let slices: Vec<usize> = (0..count).map(|index| margin + index * usable / count).collect();
        slices
            .into_par_iter()
            .filter_map(|slice| Some((slice, self.flattest(volume, slice)?)))
            .map(|(slice, [row, column])| [slice, row, column])
            .collect()
    }

    fn flattest(&self, volume: &Volume<'_>, slice: usize) -> Option<[usize; 2]> {
        let Shape { rows, columns, .. } = volume.shape();
        let mut image = vec![0.0; rows * columns];
        volume.hu(slice, 0..rows, &mut image);
        let mask = volume.padding(slice, 0..rows);
        let slopes = slopes(
            &image,
            columns,
            TISSUE,
            |at| mask.is_some_and(|mask| mask[at]),
            |at| is_constant(&image, at),
        );
        // With as much tissue around it as the disc has.
        let reach = self.radius.map(|radius| 2 * radius.ceil() as usize + 1);
        let steepest = |&[row, column]: &[usize; 2]| {
            let line =
                |row: usize| &slopes[row * columns + column - reach[1]..=row * columns + column + reach[1]];
            (row - reach[0]..=row + reach[0]).flat_map(line).copied().max()
        };
        let along = |length: usize, reach: usize| (reach..length.saturating_sub(reach)).step_by(STEP);
        let all =
            along(rows, reach[0]).flat_map(|row| along(columns, reach[1]).map(move |column| [row, column]));
        let judged = all.filter_map(|place| Some((steepest(&place)?, place)));
        judged.filter(|(slope, _)| *slope < CONSTANT).min().map(|(_, place)| place)
    }

    /// Part of the contrast that denoising leaves at a place.
    fn kept(
        &self,
        volume: &Volume<'_>,
        model: &NoiseModel,
        settings: Settings,
        place: [usize; 3],
    ) -> Result<f64, Error> {
        let shape = volume.shape();
        let lengths = [shape.slices, shape.rows, shape.columns];
        let extent: [usize; 3] = std::array::from_fn(|axis| AROUND[axis].min(lengths[axis]));
        let start: [usize; 3] = std::array::from_fn(|axis| {
            place[axis].saturating_sub(extent[axis] / 2).min(lengths[axis] - extent[axis])
        });
        let mut without = Vec::with_capacity(extent.iter().product());
        let mut rows = vec![0.0; extent[1] * shape.columns];
        for slice in start[0]..start[0] + extent[0] {
            volume.hu(slice, start[1]..start[1] + extent[1], &mut rows);
            rows.chunks_exact(shape.columns)
                .for_each(|row| without.extend_from_slice(&row[start[2]..start[2] + extent[2]]));
        }
        let voxel = |at: usize| [at / (extent[1] * extent[2]), at / extent[2] % extent[1], at % extent[2]];
        let lag = |at: usize| {
            std::array::from_fn(|axis| (voxel(at)[axis] + start[axis]) as i64 - place[axis] as i64)
        };
        let disc: Vec<usize> = (0..without.len()).filter(|&at| self.holds(lag(at))).collect();
        let mut with = without.clone();
        disc.iter().for_each(|&at| with[at] += self.contrast);
        let local = NoiseModel { sigma: model.sigma_at(place), map: Default::default(), ..model.clone() };
        let shape = Shape { slices: extent[0], rows: extent[1], columns: extent[2] };
        let denoised = |hu: &[f32]| {
            let part = Volume::new(shape, volume.spacing_mm(), Voxels::Hu(hu), None)?;
            denoise(&part, &local, settings)
        };
        let (with, without) = (denoised(&with)?, denoised(&without)?);
        let left: f64 = disc.iter().map(|&at| f64::from(with[at] - without[at])).sum();
        Ok(left / (f64::from(self.contrast) * disc.len() as f64))
    }
}
