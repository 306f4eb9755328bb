//! Volumes with known noise.
#![allow(dead_code, reason = "each test file uses some of these")]

use tomobasis_denoise::Shape;

/// Independent numbers of mean 0 and standard deviation 1, nearly normal (sums of twelve uniform ones), by integers and
/// additions only, so that they are the same everywhere.
pub struct Normal(pub u64);

impl Normal {
    pub fn next(&mut self) -> f32 {
        let mut uniform = || {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / 16_777_216.0
        };
        (0..12).map(|_| uniform()).sum::<f32>() - 6.0
    }

    pub fn volume(&mut self, shape: Shape, sigma: f32) -> Vec<f32> {
        (0..voxels(shape)).map(|_| sigma * self.next()).collect()
    }
}

pub fn voxels(shape: Shape) -> usize {
    shape.slices * shape.rows * shape.columns
}

pub fn from_fn(shape: Shape, hu: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
    let index = |at: usize| {
        let (line, x) = (at / shape.columns, at % shape.columns);
        (line / shape.rows, line % shape.rows, x)
    };
    (0..voxels(shape))
        .map(|at| {
            let (z, y, x) = index(at);
            hu(z, y, x)
        })
        .collect()
}

/// A head, roughly: an ellipse of bone around tissue, a ventricle, a denser disc, air around it.
pub fn phantom(shape: Shape) -> Vec<f32> {
    let Shape { rows, columns, .. } = shape;
    let inside = |y: usize, x: usize, center: (f32, f32), radii: (f32, f32)| {
        let (v, u) = (y as f32 / rows as f32 - center.0, x as f32 / columns as f32 - center.1);
        (v / radii.0).powi(2) + (u / radii.1).powi(2) <= 1.0
    };
    from_fn(shape, |z, y, x| {
        if !inside(y, x, (0.5, 0.5), (0.46, 0.42)) {
            -1000.0
        } else if !inside(y, x, (0.5, 0.5), (0.41, 0.37)) {
            900.0
        } else if inside(y, x, (0.45, 0.5), (0.12, 0.06)) {
            8.0
        } else if inside(y, x, (0.65, 0.4), (0.08, 0.08)) && z >= shape.slices / 3 {
            75.0
        } else {
            35.0
        }
    })
}

/// Noise of standard deviation `sigma` smoothed by 1, 2, 1 along rows and columns: correlation 2/3 of neighbors, 1/6 at two.
pub fn smooth_noise(shape: Shape, sigma: f32, seed: u64) -> Vec<f32> {
    let wide = Shape { rows: shape.rows + 2, columns: shape.columns + 2, ..shape };
    let white = Normal(seed).volume(wide, sigma * 16.0 / 6.0);
    from_fn(shape, |z, y, x| {
        let mut sum = 0.0;
        for (dy, wy) in [1.0, 2.0, 1.0].into_iter().enumerate() {
            for (dx, wx) in [1.0, 2.0, 1.0].into_iter().enumerate() {
                sum += wy * wx * white[(z * wide.rows + y + dy) * wide.columns + x + dx];
            }
        }
        sum / 16.0
    })
}

/// White noise of which each slice shares a half with the one behind it: correlation 1/2 of neighbors.
pub fn overlapping_noise(shape: Shape, sigma: f32, seed: u64) -> Vec<f32> {
    let more = Shape { slices: shape.slices + 1, ..shape };
    let white = Normal(seed).volume(more, sigma * 0.5f32.sqrt());
    let slice = shape.rows * shape.columns;
    (0..voxels(shape)).map(|at| white[at] + white[at + slice]).collect()
}

pub fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

pub fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Root mean square.
pub fn rms(values: &[f32]) -> f64 {
    let squares: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}
