//! What becomes of small details: discs that are put into the volume itself.
//!
//! A disc is added to the noisy volume in flat tissue, and a part of the volume around it is denoised with and without it.
//! The difference is what is left of the disc, noise and all, so no truth is needed. Loss depends on contrast (Yu et al., Med
//! Phys 42:2261, 2015, for non-linear reconstruction), so there is one disc of high contrast and one of low.

use std::ops::Range;

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
    let shape = volume.shape();
    model.check(shape)?;
    volume.check_whole()?;
    let place = |probe: Probe| {
        let mut image = vec![0.0; shape.rows * shape.columns];
        volume.hu(probe.slice, 0..shape.rows, &mut image);
        probe.place(&image, volume.padding(probe.slice, 0..shape.rows), shape, pixel_mm)
    };
    let places: Vec<Place> = probes(shape).into_par_iter().filter_map(place).collect();
    let kept = |&place: &Place| {
        let [slices, rows, columns] = place.surroundings(shape);
        let mut around = Vec::with_capacity(slices.len() * rows.len() * columns.len());
        let mut lines = vec![0.0; rows.len() * shape.columns];
        for slice in slices {
            volume.hu(slice, rows.clone(), &mut lines);
            lines.chunks_exact(shape.columns).for_each(|row| around.extend_from_slice(&row[columns.clone()]));
        }
        Ok((place, place.kept(shape, volume.spacing_mm(), around, model, settings, pixel_mm)?))
    };
    let kept = places.par_iter().map(kept).collect::<Result<Vec<_>, Error>>()?;
    Ok(DetailKept::of(&kept))
}

/// A slice in which a disc is to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Probe {
    /// Its place among the kinds of discs.
    disc: usize,
    /// The slice of its middle.
    pub slice: usize,
}

/// Where a disc is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    disc: usize,
    /// Slice, row and column of its middle.
    voxel: [usize; 3],
}

/// The slices in which discs are tried, of the first kind first.
pub fn probes(shape: Shape) -> Vec<Probe> {
    let of_disc = |(disc, &(_, _, slices)): (usize, &(f32, f64, usize))| {
        let margin = slices / 2;
        let usable = shape.slices.saturating_sub(2 * margin);
        let count = usable.min(PLACES);
        (0..count).map(move |index| Probe { disc, slice: margin + index * usable / count })
    };
    DISCS.iter().enumerate().flat_map(of_disc).collect()
}

impl Probe {
    /// The flattest place of the slice that has room for the disc, given the slice's HU; none where it has none.
    pub fn place(
        &self,
        image: &[f32],
        padding: Option<&[bool]>,
        shape: Shape,
        pixel_mm: [f64; 2],
    ) -> Option<Place> {
        let Shape { rows, columns, .. } = shape;
        let slopes = slopes(
            image,
            columns,
            TISSUE,
            |at| padding.is_some_and(|mask| mask[at]),
            |at| is_constant(image, at),
        );
        // With as much tissue around it as the disc has.
        let reach = Disc::new(self.disc, pixel_mm).radius.map(|radius| 2 * radius.ceil() as usize + 1);
        let steepest = |&[row, column]: &[usize; 2]| {
            let line =
                |row: usize| &slopes[row * columns + column - reach[1]..=row * columns + column + reach[1]];
            (row - reach[0]..=row + reach[0]).flat_map(line).copied().max()
        };
        let along = |length: usize, reach: usize| (reach..length.saturating_sub(reach)).step_by(STEP);
        let all =
            along(rows, reach[0]).flat_map(|row| along(columns, reach[1]).map(move |column| [row, column]));
        let judged = all.filter_map(|place| Some((steepest(&place)?, place)));
        let flattest = judged.filter(|(slope, _)| *slope < CONSTANT).min();
        flattest.map(|(_, [row, column])| Place { disc: self.disc, voxel: [self.slice, row, column] })
    }
}

impl Place {
    /// Slices, rows and columns of the part of the volume that is denoised with and without the disc.
    pub fn surroundings(&self, shape: Shape) -> [Range<usize>; 3] {
        let lengths = [shape.slices, shape.rows, shape.columns];
        std::array::from_fn(|axis| {
            let extent = AROUND[axis].min(lengths[axis]);
            let start = self.voxel[axis].saturating_sub(extent / 2).min(lengths[axis] - extent);
            start..start + extent
        })
    }

    /// The part of the contrast that denoising leaves, given the HU of the [surroundings](Self::surroundings) and the noise of the whole
    /// volume, which has this shape.
    ///
    /// # Errors
    /// Those of [`denoise`].
    pub fn kept(
        &self,
        shape: Shape,
        spacing_mm: f64,
        surroundings: Vec<f32>,
        model: &NoiseModel,
        settings: Settings,
        pixel_mm: [f64; 2],
    ) -> Result<f64, Error> {
        let disc = Disc::new(self.disc, pixel_mm);
        let part = self.surroundings(shape);
        let [slices, rows, columns] = part.clone().map(|range| range.len());
        let shape = Shape { slices, rows, columns };
        let without = surroundings;
        let voxel = |at: usize| [at / (rows * columns), at / columns % rows, at % columns];
        let lag = |at: usize| {
            std::array::from_fn(|axis| (voxel(at)[axis] + part[axis].start) as i64 - self.voxel[axis] as i64)
        };
        let inside: Vec<usize> = (0..without.len()).filter(|&at| disc.holds(lag(at))).collect();
        let mut with = without.clone();
        inside.iter().for_each(|&at| with[at] += disc.contrast);
        let local =
            NoiseModel { sigma: model.sigma_at(self.voxel), map: Default::default(), ..model.clone() };
        let denoised = |hu: &[f32]| {
            let part = Volume::new(shape, spacing_mm, Voxels::Hu(hu), None)?;
            denoise(&part, &local, settings)
        };
        let (with, without) = (denoised(&with)?, denoised(&without)?);
        let left: f64 = inside.iter().map(|&at| f64::from(with[at] - without[at])).sum();
        Ok(left / (f64::from(disc.contrast) * inside.len() as f64))
    }
}

impl DetailKept {
    /// What is left of the discs of each kind, given the part that is left of each disc, in the order of their [`probes`].
    pub fn of(kept: &[(Place, f64)]) -> Vec<Self> {
        let of_disc = |(disc, &(contrast, diameter_mm, slices)): (usize, &(f32, f64, usize))| {
            let kept: Vec<f64> =
                kept.iter().filter(|(place, _)| place.disc == disc).map(|(_, kept)| *kept).collect();
            let mean = kept.iter().sum::<f64>() / kept.len() as f64;
            let kept_of_all = (!kept.is_empty()).then_some(mean);
            Self { contrast, diameter_mm, slices, places: kept.len(), kept: kept_of_all }
        };
        DISCS.iter().enumerate().map(of_disc).collect()
    }
}

struct Disc {
    contrast: f32,
    /// In rows and columns.
    radius: [f64; 2],
    slices: usize,
}

impl Disc {
    /// Of a kind that there is; of another, a disc of nothing.
    fn new(disc: usize, pixel_mm: [f64; 2]) -> Self {
        let (contrast, diameter_mm, slices) = DISCS.get(disc).copied().unwrap_or((0.0, 0.0, 0));
        Self { contrast, radius: pixel_mm.map(|mm| 0.5 * diameter_mm / mm), slices }
    }

    /// Whether a voxel so far from the center is in it.
    fn holds(&self, lag: [i64; 3]) -> bool {
        let [down, right] = [lag[1] as f64 / self.radius[0], lag[2] as f64 / self.radius[1]];
        lag[0].unsigned_abs() as usize <= self.slices / 2 && down * down + right * right <= 1.0
    }
}
