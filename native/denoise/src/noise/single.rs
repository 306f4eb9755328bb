//! Noise of single images, of which the caller knows where there is nothing else.
//!
//! Slices three apart are independent in a scan, and not in what was made of many slices at once. There, noise is what is left of even
//! regions of one image once their trend is removed.

use super::{
    NoiseModel,
    covariance::Covariance,
    estimate::{FARTHEST, STEPS},
};

impl NoiseModel {
    /// The model of noise of standard deviation `sigma`, whose correlation within an image is that of `images`: deviations from a local
    /// trend, row by row in HU, `columns` a row, each with where it is known. Beyond four standard deviations it is no noise. Nothing
    /// is found out about slices, places and the standard deviation itself.
    pub fn from_images<D: AsRef<[f32]>, K: AsRef<[bool]>>(
        sigma: f64,
        images: impl IntoIterator<Item = (D, K)>,
        columns: usize,
    ) -> Self {
        let mut covariance = Covariance::new();
        let mut voxels = 0;
        let scale = if sigma > 0.0 { STEPS / sigma } else { 0.0 };
        let columns = columns.max(1);
        for (deviations, known) in images {
            let (deviations, known) = (deviations.as_ref(), known.as_ref());
            let length = deviations.len().min(known.len()) / columns * columns;
            let mut values = vec![0; length];
            let mut used = vec![0; length];
            for (at, (&deviation, &known)) in deviations.iter().zip(known).enumerate().take(length) {
                // A cast to integers saturates.
                let steps = (f64::from(deviation) * scale).round_ties_even() as i16;
                if known && (-FARTHEST..=FARTHEST).contains(&steps) {
                    (values[at], used[at]) = (steps, 1);
                    voxels += 1;
                }
            }
            covariance.add(&values, &used, 0..length, columns);
        }
        Self { autocorrelation: covariance.correlation(), voxels, ..Self::white(sigma) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoiseFigures;

    /// Numbers of mean 0 and variance 1, independent of one another.
    fn random(state: &mut u64) -> f32 {
        let mut uniform = || {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 40) as f32 / (1 << 24) as f32
        };
        (0..12).map(|_| uniform()).sum::<f32>() - 6.0
    }

    #[test]
    fn the_spectrum_of_white_noise_is_flat_and_its_integral_is_the_variance() {
        let (side, sigma) = (256, 12.0);
        let mut state = 7;
        let image: Vec<f32> = (0..side * side).map(|_| sigma * random(&mut state)).collect();
        let known = vec![true; image.len()];
        let model = NoiseModel::from_images(sigma.into(), [(image.as_slice(), known.as_slice())], side);
        let figures = NoiseFigures::of(&model);
        let variance = f64::from(sigma * sigma);
        for (frequency, power) in figures.spectrum.iter().enumerate().skip(1) {
            assert!((power / variance - 1.0).abs() < 0.1, "{frequency}: {power}");
        }
        // Of all frequencies together, white noise has a mean of 0.383 cycles per voxel.
        assert!((figures.mean_frequency - 0.383).abs() < 0.02, "{}", figures.mean_frequency);
    }

    #[test]
    fn the_mean_of_neighbors_has_the_correlation_and_the_spectrum_of_its_filter() {
        // Each value the mean of itself and the next one: correlation 1/2, power by cos^2(pi f).
        let side = 256;
        let mut state = 11;
        let white: Vec<f32> = (0..side * side + 1).map(|_| random(&mut state)).collect();
        let image: Vec<f32> = white.windows(2).map(|pair| 5.0 * (pair[0] + pair[1])).collect();
        let known: Vec<bool> = (0..image.len()).map(|at| at % 97 != 0).collect();
        let sigma = 50_f64.sqrt();
        let model = NoiseModel::from_images(sigma, [(image.as_slice(), known.as_slice())], side);
        assert!((model.correlation([0, 0, 1]) - 0.5).abs() < 0.02);
        assert!(model.correlation([0, 1, 0]).abs() < 0.02 && model.correlation([0, 0, 2]).abs() < 0.02);
        assert!(NoiseFigures::of(&model).mean_frequency < 0.36);
    }
}
