//! How near an image is to another: root mean square error, peak signal-to-noise ratio, structural similarity.
//!
//! SSIM is that of Wang, Bovik, Sheikh and Simoncelli (2004): Gaussian weights of sigma 1.5 over 11 x 11 pixels, K1 = 0.01, K2 = 0.03,
//! averaged over the pixels whose window lies in the image. Values are clipped to a window first, as whoever looks at the image sees
//! them, and its width is the dynamic range L. scikit-image computes it by `structural_similarity(a, b, data_range=L,
//! gaussian_weights=True, sigma=1.5, use_sample_covariance=False)` of the clipped images.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::stack::Stack;

/// Pixels on each side of one in its window.
const RADIUS: usize = 5;
const WIDTH: usize = 2 * RADIUS + 1;
const SIGMA: f64 = 1.5;
const K: [f64; 2] = [0.01, 0.03];

/// What errors are relative to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Peak of PSNR.
    pub peak: f64,
    /// Least and greatest value that SSIM sees.
    pub window: [f64; 2],
}

/// How near some slices are to others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Root mean square error over all pixels of the slices.
    pub rmse: f64,
    /// Peak signal-to-noise ratio in decibels; none where there is no error.
    pub psnr: Option<f64>,
    /// Mean of the slices' structural similarity; none of slices that are smaller than its window.
    pub ssim: Option<f64>,
    /// The slice that is least similar, by its place.
    pub least_ssim: Option<LeastSsim>,
}

/// The slice that is least similar.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeastSsim {
    /// Its place among the slices, or in the series, as the caller says.
    pub slice: usize,
    /// Its structural similarity.
    pub ssim: f64,
}

impl Agreement {
    /// Of slices of one size; none of others, or of none.
    #[must_use]
    pub fn of(stack: &Stack, truth: &Stack, scale: Scale) -> Option<Self> {
        if !stack.is_like(truth) || stack.slices().is_empty() {
            return None;
        }
        let pairs: Vec<(&Vec<f32>, &Vec<f32>)> = stack.slices().iter().zip(truth.slices()).collect();
        let of_slice =
            |(a, b): &(&Vec<f32>, &Vec<f32>)| (squares(a, b), ssim([a, b], stack.columns(), scale.window));
        let found: Vec<(f64, Option<f64>)> = pairs.par_iter().map(of_slice).collect();
        let pixels = (stack.rows() * stack.columns() * found.len()).max(1) as f64;
        let rmse = (found.iter().map(|(squares, _)| squares).sum::<f64>() / pixels).sqrt();
        let similar: Option<Vec<f64>> = found.into_iter().map(|(_, ssim)| ssim).collect();
        let least =
            similar.iter().flatten().copied().enumerate().reduce(|a, b| if b.1 < a.1 { b } else { a });
        Some(Self {
            rmse,
            psnr: (rmse > 0.0).then(|| 20.0 * libm::log10(scale.peak / rmse)),
            ssim: similar.map(|all| all.iter().sum::<f64>() / all.len().max(1) as f64),
            least_ssim: least.map(|(slice, ssim)| LeastSsim { slice, ssim }),
        })
    }
}

/// Sum of the squares of the differences.
fn squares(a: &[f32], b: &[f32]) -> f64 {
    let square = |(a, b): (&f32, &f32)| {
        let difference = f64::from(*a) - f64::from(*b);
        difference * difference
    };
    a.iter().zip(b).map(square).sum()
}

/// Structural similarity of two images of `columns` pixels a row, as far as they lie in a window; none of images that are smaller than
/// 11 x 11, of different sizes, or of a window without width.
#[must_use]
pub fn ssim([a, b]: [&[f32]; 2], columns: usize, [low, high]: [f64; 2]) -> Option<f64> {
    let range = high - low;
    let rows = a.len().checked_div(columns)?;
    if columns < WIDTH
        || rows < WIDTH
        || a.len() != rows * columns
        || a.len() != b.len()
        || range.is_nan()
        || range <= 0.0
    {
        return None;
    }
    let weights = weights();
    let [c1, c2] = K.map(|k| (k * range) * (k * range));
    let inner = columns - 2 * RADIUS;
    // Means along the row of x, y, x^2, y^2 and x y, of the last rows as many as a window has.
    let mut lines = vec![[const { Vec::new() }; 5]; WIDTH];
    let (mut sum, mut clipped) = (0.0, [vec![0.0; columns], vec![0.0; columns]]);
    for row in 0..rows {
        let span = row * columns..(row + 1) * columns;
        for (clipped, image) in clipped.iter_mut().zip([a, b]) {
            for (clipped, &value) in clipped.iter_mut().zip(&image[span.clone()]) {
                *clipped = f64::from(value).clamp(low, high);
            }
        }
        let [x, y] = &clipped;
        let products: [Vec<f64>; 3] =
            [(x, x), (y, y), (x, y)].map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).collect());
        for (line, values) in lines[row % WIDTH].iter_mut().zip([x, y].into_iter().chain(&products)) {
            *line = vec![0.0; inner];
            for (tap, weight) in weights.iter().enumerate() {
                line.iter_mut().zip(&values[tap..]).for_each(|(line, value)| *line += weight * value);
            }
        }
        if row + 1 < WIDTH {
            continue;
        }
        let first = row + 1 - WIDTH;
        let mut means = [const { Vec::new() }; 5];
        for (which, mean) in means.iter_mut().enumerate() {
            *mean = vec![0.0; inner];
            for (tap, weight) in weights.iter().enumerate() {
                let line = &lines[(first + tap) % WIDTH][which];
                mean.iter_mut().zip(line).for_each(|(mean, value)| *mean += weight * value);
            }
        }
        let [x, y, xx, yy, xy] = &means;
        for at in 0..inner {
            let (x, y) = (x[at], y[at]);
            let (var_x, var_y, both) = (xx[at] - x * x, yy[at] - y * y, xy[at] - x * y);
            let alike = (2.0 * x * y + c1) * (2.0 * both + c2);
            sum += alike / ((x * x + y * y + c1) * (var_x + var_y + c2));
        }
    }
    Some(sum / (inner * (rows - 2 * RADIUS)) as f64)
}

fn weights() -> [f64; WIDTH] {
    let weight = |tap: usize| {
        let distance = tap as f64 - RADIUS as f64;
        libm::exp(-0.5 / (SIGMA * SIGMA) * distance * distance)
    };
    let all: [f64; WIDTH] = std::array::from_fn(weight);
    let sum: f64 = all.iter().sum();
    all.map(|weight| weight / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern with edges and fine detail.
    fn pattern(rows: usize, columns: usize) -> Vec<f32> {
        let value = |at: usize| {
            let (row, column) = (at / columns, at % columns);
            ((row * row * 7 + column * 13 + row * column) % 101) as f32
                + if column > columns / 2 { 100.0 } else { 0.0 }
        };
        (0..rows * columns).map(value).collect()
    }

    #[test]
    fn errors_have_their_textbook_values() {
        let truth = Stack::new(20, 20, vec![pattern(20, 20); 2]).unwrap();
        let shifted = pattern(20, 20).iter().map(|value| value + 3.0).collect();
        let stack = Stack::new(20, 20, vec![pattern(20, 20), shifted]).unwrap();
        let scale = Scale { peak: 200.0, window: [0.0, 200.0] };
        let found = Agreement::of(&stack, &truth, scale).unwrap();
        // Half of the pixels are off by 3.
        assert!((found.rmse - 4.5_f64.sqrt()).abs() < 1e-12);
        assert!((found.psnr.unwrap() - 10.0 * (40000.0 / 4.5_f64).log10()).abs() < 1e-9);
        assert_eq!(found.least_ssim.unwrap().slice, 1);
        let same = Agreement::of(&truth, &truth, scale).unwrap();
        assert_eq!((same.rmse, same.psnr), (0.0, None));
        assert!((same.ssim.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn similarity_is_the_formula_at_the_only_window_of_the_smallest_image() {
        let (a, b) = (pattern(11, 11), pattern(11, 11).iter().rev().copied().collect::<Vec<f32>>());
        let weights = weights();
        let (mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for at in 0..121 {
            let weight = weights[at / 11] * weights[at % 11];
            let (p, q) = (f64::from(a[at]).clamp(20.0, 150.0), f64::from(b[at]).clamp(20.0, 150.0));
            x += weight * p;
            y += weight * q;
            xx += weight * p * p;
            yy += weight * q * q;
            xy += weight * p * q;
        }
        let (c1, c2) = (1.3_f64.powi(2), 3.9_f64.powi(2));
        let expected = (2.0 * x * y + c1) * (2.0 * (xy - x * y) + c2)
            / ((x * x + y * y + c1) * (xx - x * x + yy - y * y + c2));
        let found = ssim([&a, &b], 11, [20.0, 150.0]).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        assert!(found < 0.9);
    }

    #[test]
    fn what_cannot_be_compared_has_no_number() {
        let small = pattern(10, 30);
        assert_eq!(ssim([&small, &small], 30, [0.0, 1.0]), None);
        let image = pattern(20, 20);
        assert_eq!(ssim([&image, &image[1..]], 20, [0.0, 1.0]), None);
        assert_eq!(ssim([&image, &image], 20, [1.0, 1.0]), None);
        let one = Stack::new(20, 20, vec![image.clone()]).unwrap();
        let two = Stack::new(20, 20, vec![image.clone(), image]).unwrap();
        assert_eq!(Agreement::of(&one, &two, Scale { peak: 1.0, window: [0.0, 1.0] }), None);
    }
}
