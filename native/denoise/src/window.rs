//! One window: its patches, their singular value decomposition, and what is left of them above the noise.
//!
//! C.-A. Deledalle, J. Salmon and A. Dalalyan (BMVC 2011), "Image denoising with patch based PCA: local versus global"; in
//! three dimensions J. V. Manjon, P. Coupe and A. Buades (2013), "Diffusion weighted image denoising using overcomplete
//! local PCA"; here with whitened noise, since that of CT is correlated.
//!
//! 1. All overlapping patches of the window are the rows of a matrix `X`, each without its mean.
//! 2. With a root `W` of `C^-1` from the noise model, `W C W^T = I`, and the noise's standard deviation `sigma` at the window,
//!    `X W^T / sigma` has noise of standard deviation 1 in every direction. Its right singular vectors `V` are the eigenvectors
//!    of `W (X^T X) W^T / sigma^2`.
//! 3. Of the coefficients `X (W^T V / sigma)`, those of magnitude up to the threshold are noise and become zero.
//! 4. Back: times `sigma V^T W^-T`, plus the means.
//! 5. A voxel is the weighted mean of all patches that hold it. A patch of `n` coefficients has the weight `1 / (1 + n)`,
//!    since each brings its share of noise.
//!
//! A second pass knows what the first has found, the pilot. `V` is that of the pilot's patches, in which there is less noise, and
//! in place of step 3 a coefficient is multiplied by `w = p^2 / (p^2 + 1/2)`, `p` the pilot's (an empirical Wiener filter; M. Maggioni,
//! V. Katkovnik, K. Egiazarian and A. Foi (2013), "Nonlocal transform-domain filter for volumetric data denoising and
//! reconstruction", do so with groups of cubes). Noise has the variance 1 in a coefficient; 1/2 makes up for what the threshold took
//! from the pilot. `n` is the sum of all `w^2`.
//!
//! A window of air (all voxels at most -900 HU, of at most 1.5 times the variance of the noise) goes from step 1 to 5: its patches are
//! their means. In many scans half of the windows are air, in which there is nothing to keep.

use tomobasis_linalg::Vectorize;

use crate::{
    grid::Extent,
    jacobi::Jacobi,
    tile::{
        HEIGHT, LANES, Matrix, gram, mirror, product, product_of_some, square_product, transpose_scaled,
        zeros,
    },
    whitening::Whitening,
};

/// In standard deviations of the noise.
const THRESHOLD: f32 = 2.7;

/// The most that air is, in HU: lung is denser.
const AIR: f32 = -900.0;

/// The most that the variance of noise in air is above that of the noise model, by chance and by its error.
const AIR_VARIANCE: f32 = 1.5;

/// Of the second pass, in variances of the noise.
const WIENER: f32 = 0.5;

/// Of Jacobi's rotations. Coefficients in any orthonormal basis can be thresholded: on the head of `make bench-denoise` a fourth
/// sweep changes the gain by 0.01 dB.
const SWEEPS: usize = 3;

/// The memory of a thread.
pub(crate) struct Scratch<const N: usize> {
    /// The patches, padded to N columns and to whole tiles with zeros.
    patches: Vec<[f32; N]>,
    /// Those of the pilot; none in the first pass.
    pilot: Vec<[f32; N]>,
    means: Vec<f32>,
    /// Index of each patch's first voxel.
    firsts: Vec<usize>,
    gram: Box<Matrix<N>>,
    half: Box<Matrix<N>>,
    jacobi: Jacobi<N>,
    /// To coefficients, and back.
    analysis: Box<Matrix<N>>,
    synthesis: Box<Matrix<N>>,
    /// Of every voxel of the window: its weighted estimates, added up, and their weights.
    pub sums: Vec<f32>,
    pub weights: Vec<f32>,
}

impl<const N: usize> Scratch<N> {
    pub fn new() -> Self {
        Self {
            patches: Vec::new(),
            pilot: Vec::new(),
            means: Vec::new(),
            firsts: Vec::new(),
            gram: zeros(),
            half: zeros(),
            jacobi: Jacobi::new(),
            analysis: zeros(),
            synthesis: zeros(),
            sums: Vec::new(),
            weights: Vec::new(),
        }
    }
}

/// Estimates the voxels of a window from patches of Z slices x Y rows x X columns, which are at most N voxels.
pub(crate) struct Window<'a, const Z: usize, const Y: usize, const X: usize, const N: usize> {
    /// The window, slice after slice.
    pub voxels: &'a [f32],
    /// What the first pass has found for the same voxels; none in the first pass.
    pub pilot: Option<&'a [f32]>,
    /// Its slices, rows and columns, none less than the patch has.
    pub extent: Extent,
    /// Of the noise.
    pub whitening: &'a Whitening<N>,
    /// Standard deviation of the noise here.
    pub sigma: f32,
    /// Receives the estimates.
    pub scratch: &'a mut Scratch<N>,
}

/// Whether it is a window of air, whose patches became their means.
pub(crate) struct IsAir(pub bool);

impl<const Z: usize, const Y: usize, const X: usize, const N: usize> Vectorize for Window<'_, Z, Y, X, N> {
    type Output = IsAir;

    #[inline(always)]
    fn run(mut self) -> IsAir {
        let constant = !self.cut();
        let air = !constant && self.is_air();
        let varied = !constant && !air;
        self.scratch.sums.clear();
        self.scratch.sums.resize(self.voxels.len(), 0.0);
        self.scratch.weights.clear();
        self.scratch.weights.resize(self.voxels.len(), 0.0);
        if varied {
            self.decompose();
        }
        self.threshold(varied);
        IsAir(air)
    }
}

impl<const Z: usize, const Y: usize, const X: usize, const N: usize> Window<'_, Z, Y, X, N> {
    const VOXELS: usize = Z * Y * X;

    /// Step 1. False where the window is constant.
    #[inline(always)]
    fn cut(&mut self) -> bool {
        let Scratch { patches, pilot, means, firsts, .. } = &mut *self.scratch;
        patches.clear();
        pilot.clear();
        means.clear();
        firsts.clear();
        let [slices, rows, columns] = self.extent;
        for z in 0..=slices - Z {
            for y in 0..=rows - Y {
                for x in 0..=columns - X {
                    let first = (z * rows + y) * columns + x;
                    let (patch, mean) = Self::patch(self.voxels, self.extent, first);
                    patches.push(patch);
                    means.push(mean);
                    firsts.push(first);
                    if let Some(voxels) = self.pilot {
                        pilot.push(Self::patch(voxels, self.extent, first).0);
                    }
                }
            }
        }
        patches.resize(patches.len().next_multiple_of(HEIGHT), [0.0; N]);
        pilot.resize(pilot.len().next_multiple_of(HEIGHT), [0.0; N]);
        self.voxels.iter().any(|&voxel| voxel != self.voxels[0])
    }

    /// The patch whose first voxel is this one, without its mean, and that.
    #[inline(always)]
    fn patch(voxels: &[f32], [_, rows, columns]: Extent, first: usize) -> ([f32; N], f32) {
        let mut patch = [0.0; N];
        let mut lanes = [0f32; X];
        for line in 0..Z * Y {
            let start = first + (line / Y * rows + line % Y) * columns;
            let voxels = &voxels[start..start + X];
            patch[line * X..(line + 1) * X].copy_from_slice(voxels);
            (0..X).for_each(|x| lanes[x] += voxels[x]);
        }
        let mean = lanes.iter().fold(0.0, |sum, lane| sum + lane) / Self::VOXELS as f32;
        patch[..Self::VOXELS].iter_mut().for_each(|value| *value -= mean);
        (patch, mean)
    }

    /// Whether there is nothing in the window but air and noise.
    #[inline(always)]
    fn is_air(&self) -> bool {
        if self.voxels.iter().any(|&voxel| voxel > AIR) {
            return false;
        }
        // Each lane is a chain of its own, and so is the sum of the lanes.
        let (mut sums, mut squares) = ([0f32; LANES], [0f32; LANES]);
        let (lines, rest) = self.voxels.as_chunks::<LANES>();
        for line in lines {
            for c in 0..LANES {
                let voxel = line[c] - AIR;
                sums[c] += voxel;
                squares[c] = voxel.mul_add(voxel, squares[c]);
            }
        }
        for (c, &voxel) in rest.iter().enumerate() {
            let voxel = voxel - AIR;
            sums[c] += voxel;
            squares[c] = voxel.mul_add(voxel, squares[c]);
        }
        let count = self.voxels.len() as f32;
        let total = |lanes: [f32; LANES]| lanes.iter().fold(0.0, |sum, lane| sum + lane) / count;
        let (mean, square) = (total(sums), total(squares));
        square - mean * mean <= AIR_VARIANCE * self.sigma * self.sigma
    }

    /// Step 2.
    #[inline(always)]
    fn decompose(&mut self) {
        let Scratch { patches, pilot, gram: g, half, jacobi, analysis, synthesis, .. } = &mut *self.scratch;
        gram(if self.pilot.is_some() { pilot } else { patches }, Self::VOXELS, g);
        square_product(&self.whitening.white, g, half);
        square_product(half, &self.whitening.white_transposed, g);
        let scale = 1.0 / (self.sigma * self.sigma);
        for i in 0..N {
            for j in 0..N {
                jacobi.matrix[i][j] = g[i][j] * scale;
            }
        }
        mirror(&mut jacobi.matrix);
        jacobi.diagonalize(SWEEPS);
        square_product(&jacobi.vectors, &self.whitening.white, half);
        transpose_scaled(half, 1.0 / self.sigma, analysis);
        square_product(&jacobi.vectors, &self.whitening.colored, synthesis);
        synthesis.iter_mut().flatten().for_each(|entry| *entry *= self.sigma);
    }

    /// Steps 3 to 5. The patches of a constant window are their means.
    #[inline(always)]
    fn threshold(&mut self, varied: bool) {
        let Scratch { patches, pilot, means, firsts, analysis, synthesis, sums, weights, .. } =
            &mut *self.scratch;
        let [_, rows, columns] = self.extent;
        let (tiles, _) = patches.as_chunks::<HEIGHT>();
        let (pilots, _) = pilot.as_chunks::<HEIGHT>();
        let parts = means.chunks(HEIGHT).zip(firsts.chunks(HEIGHT));
        for (place, (tile, (means, firsts))) in tiles.iter().zip(parts).enumerate() {
            let mut kept = [0f32; HEIGHT];
            let mut estimates = [[0f32; N]; HEIGHT];
            if varied {
                let mut coefficients = product(tile, analysis, Self::VOXELS);
                if let Some(pilot) = pilots.get(place) {
                    let expected = product(pilot, analysis, Self::VOXELS);
                    for q in 0..HEIGHT {
                        kept[q] = wiener(&mut coefficients[q], &expected[q]);
                    }
                    estimates = product(&coefficients, synthesis, N);
                } else {
                    for q in 0..HEIGHT {
                        kept[q] = hard(&mut coefficients[q]);
                    }
                    estimates = product_of_some(&coefficients, synthesis);
                }
            }
            for (q, (&mean, &first)) in means.iter().zip(firsts).enumerate() {
                let weight = 1.0 / (1.0 + kept[q]);
                for line in 0..Z * Y {
                    let start = first + (line / Y * rows + line % Y) * columns;
                    let sums = &mut sums[start..start + X];
                    let weights = &mut weights[start..start + X];
                    for x in 0..X {
                        sums[x] = weight.mul_add(mean + estimates[q][line * X + x], sums[x]);
                        weights[x] += weight;
                    }
                }
            }
        }
    }
}

/// Makes zero what is up to the threshold; returns how many are not.
#[inline(always)]
fn hard<const N: usize>(coefficients: &mut [f32; N]) -> f32 {
    let mut kept = 0u32;
    for value in coefficients {
        let keep = value.abs() > THRESHOLD;
        kept += u32::from(keep);
        *value = if keep { *value } else { 0.0 };
    }
    kept as f32
}

/// Multiplies each coefficient by its `w`, given the pilot's; returns the sum of all `w^2`, each lane of it a chain.
#[inline(always)]
fn wiener<const N: usize>(coefficients: &mut [f32; N], expected: &[f32; N]) -> f32 {
    let mut squares = [0f32; LANES];
    let (coefficients, _) = coefficients.as_chunks_mut::<LANES>();
    for (values, expected) in coefficients.iter_mut().zip(expected.as_chunks::<LANES>().0) {
        for c in 0..LANES {
            let power = expected[c] * expected[c];
            // Beyond the square root of the largest number it is no number, and what is so large stays.
            let factor = if power.is_finite() { power / (power + WIENER) } else { 1.0 };
            values[c] *= factor;
            squares[c] = factor.mul_add(factor, squares[c]);
        }
    }
    squares.iter().fold(0.0, |sum, lane| sum + lane)
}

#[cfg(test)]
mod tests {
    use tomobasis_linalg::vectorize;

    use super::*;
    use crate::NoiseModel;

    #[test]
    fn vector_instructions_change_no_bit() {
        let mut model = NoiseModel::white(20.0);
        model.slice_correlation = [0.4, 0.1];
        model.set_correlation(0, 1, 0.5);
        let (thin, thick) = (Whitening::new(&model, [3, 4, 4]), Whitening::new(&model, [2, 5, 5]));
        let extent = [5, 11, 12];
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as f32 / 3.0
        };
        let voxels: Vec<f32> =
            (0..extent.iter().product()).map(|at| noise() + if at % 12 < 5 { 300.0 } else { 0.0 }).collect();
        fn bits<const Z: usize, const Y: usize, const X: usize, const N: usize>(
            voxels: &[f32],
            pilot: Option<&[f32]>,
            extent: Extent,
            whitening: &Whitening<N>,
        ) -> [Vec<u32>; 2] {
            [true, false].map(|vectors| {
                let mut found = Scratch::new();
                let (sigma, scratch) = (19.5, &mut found);
                let window = Window::<Z, Y, X, N> { voxels, pilot, extent, whitening, sigma, scratch };
                let IsAir(air) = if vectors { vectorize(window) } else { window.run() };
                assert!(!air);
                found.sums.iter().chain(&found.weights).map(|value| value.to_bits()).collect()
            })
        }
        let pilot: Vec<f32> = (0..voxels.len()).map(|at| if at % 12 < 5 { 342.0 } else { 42.0 }).collect();
        for pilot in [None, Some(pilot.as_slice())] {
            let [with, without] = bits::<3, 4, 4, 48>(&voxels, pilot, extent, &thin);
            assert_eq!(with, without);
            let [with, without] = bits::<2, 5, 5, 64>(&voxels, pilot, extent, &thick);
            assert_eq!(with, without);
        }
    }

    #[test]
    fn the_second_pass_keeps_what_the_first_found_and_takes_what_it_did_not() {
        let mut coefficients: [f32; 16] = std::array::from_fn(|c| c as f32 - 8.0);
        let expected: [f32; 16] = std::array::from_fn(|c| if c < 4 { 100.0 } else { 0.0 });
        let kept = wiener(&mut coefficients, &expected);
        assert!((kept - 4.0).abs() < 1e-3, "{kept}");
        for (c, value) in coefficients.into_iter().enumerate() {
            let before = c as f32 - 8.0;
            assert!(if c < 4 { (value / before - 1.0).abs() < 1e-4 } else { value == 0.0 }, "{c} {value}");
        }
        // Where the pilot is as strong as the noise, two thirds.
        let mut one = [3.0f32; 16];
        wiener(&mut one, &[1.0; 16]);
        assert!(one.iter().all(|value| (value - 2.0).abs() < 1e-6));
        let mut large = [f32::MAX; 16];
        assert_eq!(wiener(&mut large, &[f32::MAX; 16]), 16.0);
        assert_eq!(large, [f32::MAX; 16]);
    }
}
