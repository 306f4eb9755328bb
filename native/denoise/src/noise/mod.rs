//! The noise of a volume, as the volume itself shows it.
//!
//! The difference of two slices three apart, divided by the square root of 2, holds the noise of one slice: where tissue is
//! flat, it holds little else, and three slices apart the noise of slices that were reconstructed from overlapping data is
//! no longer correlated (neighboring ones would make it look too small).
//!
//! * `sigma`: 1.4826 times the median of the differences' magnitudes, which a few differences of anatomy do not move.
//! * Correlation of slices `l` apart: `1 - (sigma_l / sigma_3)^2`.
//! * Correlation within a slice: autocovariance of the differences, for lags of up to eight voxels.
//! * Map: root mean square of the differences in cells of 8 x 16 x 16 voxels, smoothed, relative to that of all.
//!
//! Flat tissue is the flattest 40 % ([`flat`]) of all voxels whose local mean is between -200 and 200 HU, without those
//! that are one of seven equal ones side by side in both slices: a background, or clipped.

mod covariance;
mod estimate;
pub(crate) mod flat;
pub(crate) mod histogram;
mod map;
mod single;

use crate::{Error, volume::Shape};
pub(crate) use covariance::LAGS;
use covariance::SIDE;
pub use estimate::{NoiseCounts, NoisePass};
pub use map::SigmaMap;

/// The noise of a volume.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NoiseModel {
    /// Standard deviation in HU, typical of flat tissue; zero when the volume has no noise.
    pub sigma: f64,
    /// The same from slices one, two and three apart.
    pub sigma_by_distance: [f64; 3],
    /// Correlation of the noise of slices one and two apart.
    pub slice_correlation: [f64; 2],
    /// Correlation of the noise within a slice: 17 x 17 lags of -8 to 8 rows and columns, row-major.
    pub autocorrelation: Vec<f64>,
    /// Where it is stronger or weaker.
    pub map: SigmaMap,
    /// Voxels of flat tissue that `sigma` is from.
    pub voxels: u64,
}

impl NoiseModel {
    /// Noise of this standard deviation everywhere, without any correlation.
    pub fn white(sigma: f64) -> Self {
        let mut autocorrelation = vec![0.0; SIDE * SIDE];
        autocorrelation[SIDE * SIDE / 2] = 1.0;
        Self {
            sigma,
            sigma_by_distance: [sigma; 3],
            slice_correlation: [0.0; 2],
            autocorrelation,
            map: SigmaMap::default(),
            voxels: 0,
        }
    }

    /// Correlation of the noise of two voxels so many slices, rows and columns apart; at most two slices and eight rows and
    /// columns (beyond: 0).
    pub fn correlation(&self, lag: [i64; 3]) -> f64 {
        let [slices, rows, columns] = lag;
        let between = match slices.unsigned_abs() {
            0 => 1.0,
            distance @ 1..=2 => self.slice_correlation[distance as usize - 1],
            _ => 0.0,
        };
        let within = covariance::index(rows, columns).and_then(|index| self.autocorrelation.get(index));
        between * within.copied().unwrap_or(0.0)
    }

    /// Standard deviation of the noise at a voxel (slice, row, column) in HU.
    pub fn sigma_at(&self, voxel: [usize; 3]) -> f64 {
        self.sigma * self.map.ratio(voxel)
    }

    /// Whether slices three apart hardly differ more than slices two apart do. Otherwise noise reaches farther than three
    /// slices, or anatomy is in the differences, and `sigma` is uncertain.
    pub fn is_settled(&self) -> bool {
        let [_, nearer, sigma] = self.sigma_by_distance;
        sigma <= 1.15 * nearer
    }

    /// Refuses a model that can't be of such a volume.
    pub(crate) fn check(&self, shape: Shape) -> Result<(), Error> {
        let numbers = [self.sigma].into_iter().chain(self.slice_correlation);
        let mut numbers = numbers.chain(self.autocorrelation.iter().copied());
        let sound = numbers.all(f64::is_finite)
            && self.sigma >= 0.0
            && self.autocorrelation.len() == SIDE * SIDE
            && self.map.fits(shape);
        if sound { Ok(()) } else { Err(Error::Model) }
    }

    /// Sets the correlation at a lag and at its opposite.
    #[cfg(test)]
    pub(crate) fn set_correlation(&mut self, rows: i64, columns: i64, value: f64) {
        for sign in [-1, 1] {
            self.autocorrelation[covariance::index(sign * rows, sign * columns).unwrap()] = value;
        }
    }
}
