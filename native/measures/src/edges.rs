//! Sharpness: the task transfer function at strong edges, found automatically.
//!
//! 1. Edges are looked for in the scan: pixels at which the gradient (central differences of means of three rows or columns) is largest
//!    along its own direction, with levels on both sides, 4 to 7 pixels away, that differ by at least 300 HU and are even: each
//!    within a fifth of that step.
//! 2. Where the edge is, to a part of a pixel, follows from the area under its profile between the two levels.
//! 3. The pixels around each, at most two from its normal and eight along it, are put together by their distance from the edge: the
//!    oversampled edge profile (Richard et al. 2012). Each edge's levels become 0 and 1, by those of the scan, so that what a composite
//!    loses of the step is seen.
//! 4. Its derivative, faded out beyond 4 pixels by a cosine (Tukey's window), is the line spread function; the magnitude of its Fourier
//!    transform over that at frequency 0, corrected for the width of the bins, is the task transfer function.
//!
//! The same pixels with the same distances give the profile of what was made of the scan.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::stack::Stack;

/// Least step of an edge in HU, and the part of it by which each level may vary.
const STEP: f64 = 300.0;
const EVEN: f64 = 0.2;
/// Distances at which the levels are, in pixels.
const LEVELS: std::ops::RangeInclusive<i32> = 4..=7;
/// Pixels along an edge's normal, and beside it.
const REACH: i32 = 8;
const BESIDE: f64 = 2.0;
/// Pixels from an edge as far as which its profile counts as a whole.
const FLAT: f64 = 4.0;
/// Pixels at each side of the image in which no edges are looked for.
const MARGIN: usize = 11;
/// Bins of the edge profile in a pixel, and all of them.
const OVERSAMPLED: usize = 8;
const BINS: usize = 2 * REACH as usize * OVERSAMPLED;
/// The least number of edges from which a figure follows.
const LEAST: usize = 50;
/// Steps of frequency in a cycle per pixel at which the function's fall is looked for.
const FINE: usize = 256;

/// Strong edges of some slices.
#[derive(Clone, Debug, PartialEq)]
pub struct Edges {
    edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Edge {
    slice: usize,
    row: usize,
    column: usize,
    /// Down and to the right, of length 1, toward the higher level.
    normal: [f64; 2],
    /// From the pixel to the edge, along the normal.
    offset: f64,
    low: f64,
    step: f64,
}

/// The sharpness of some edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sharpness {
    /// What is left of the step from one side of the edges to the other.
    pub contrast: f64,
    /// Task transfer function at 0, 1/16, ... 8/16 cycles per pixel.
    pub transfer: [f64; 9],
    /// Where it has fallen to one half, in cycles per pixel; none where it has not at 1.
    pub f50: Option<f64>,
    /// Where it has fallen to a tenth.
    pub f10: Option<f64>,
}

impl Edges {
    /// Those of a scan in HU; none where there are fewer than 50.
    #[must_use]
    pub fn find(scan: &Stack) -> Option<Self> {
        let mut edges = Vec::new();
        for (slice, values) in scan.slices().iter().enumerate() {
            let image = Image { values, columns: scan.columns() };
            for row in MARGIN..scan.rows().saturating_sub(MARGIN) {
                for column in MARGIN..scan.columns().saturating_sub(MARGIN) {
                    edges.extend(image.edge(slice, row, column));
                }
            }
        }
        (edges.len() >= LEAST).then_some(Self { edges })
    }

    /// How many pixels are at edges.
    #[must_use]
    pub fn count(&self) -> usize {
        self.edges.len()
    }

    /// The sharpness of slices at these edges; none where nothing is left of their steps.
    #[must_use]
    pub fn sharpness(&self, stack: &Stack) -> Option<Sharpness> {
        let lines = derivative(&self.profile(stack)?);
        let contrast: f64 = lines.iter().map(|(_, line)| line).sum();
        let windowed: Vec<(f64, f64)> = lines.iter().map(|&(x, line)| (x, line * window(x))).collect();
        let whole: f64 = windowed.iter().map(|(_, line)| line).sum();
        if whole.is_nan() || whole <= 0.0 {
            return None;
        }
        let transfer = |frequency: f64| {
            let part = |wave: fn(f64) -> f64| {
                windowed.iter().map(|(x, line)| line * wave(2.0 * PI * frequency * x)).sum::<f64>()
            };
            let (real, imaginary) = (part(libm::cos), part(libm::sin));
            // A bin's mean, and the difference of two, are each a mean over a bin's width.
            let width = sinc(frequency / OVERSAMPLED as f64);
            (real * real + imaginary * imaginary).sqrt() / whole / (width * width)
        };
        let fine: Vec<f64> = (0..=FINE).map(|step| transfer(step as f64 / FINE as f64)).collect();
        let falls_to = |level: f64| {
            let step = fine.windows(2).position(|pair| pair[0] >= level && pair[1] < level)?;
            let part = (fine[step] - level) / (fine[step] - fine[step + 1]);
            Some((step as f64 + part) / FINE as f64)
        };
        Some(Sharpness {
            contrast,
            transfer: std::array::from_fn(|step| transfer(step as f64 / 16.0)),
            f50: falls_to(0.5),
            f10: falls_to(0.1),
        })
    }

    /// Means of what is at each distance from the edges; none where there is nothing at most distances.
    fn profile(&self, stack: &Stack) -> Option<Vec<f64>> {
        let mut bins = vec![(0.0, 0_u64); BINS];
        for edge in &self.edges {
            let values = stack.slices().get(edge.slice)?;
            for down in -REACH - 1..=REACH + 1 {
                for right in -REACH - 1..=REACH + 1 {
                    let [along, beside] = edge.distances(down, right);
                    let bin = ((along + f64::from(REACH)) * OVERSAMPLED as f64).floor();
                    if beside.abs() > BESIDE || !(0.0..BINS as f64).contains(&bin) {
                        continue;
                    }
                    let row = edge.row.checked_add_signed(down as isize)?;
                    let column = edge.column.checked_add_signed(right as isize)?;
                    let value = f64::from(*values.get(row * stack.columns() + column)?);
                    let (sum, count) = &mut bins[bin as usize];
                    *sum += (value - edge.low) / edge.step;
                    *count += 1;
                }
            }
        }
        filled(&bins)
    }
}

impl Edge {
    /// From the edge to a pixel, along its normal and beside it.
    fn distances(&self, down: i32, right: i32) -> [f64; 2] {
        let [y, x] = [f64::from(down), f64::from(right)];
        let [normal_y, normal_x] = self.normal;
        [y * normal_y + x * normal_x - self.offset, x * normal_y - y * normal_x]
    }
}

/// A slice in which edges are looked for.
struct Image<'a> {
    values: &'a [f32],
    columns: usize,
}

impl Image<'_> {
    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column].into()
    }

    /// Down and to the right, per pixel.
    fn gradient(&self, row: usize, column: usize) -> [f64; 2] {
        let (mut down, mut right) = (0.0, 0.0);
        for beside in 0..3 {
            down += self.at(row + 1, column + beside - 1) - self.at(row - 1, column + beside - 1);
            right += self.at(row + beside - 1, column + 1) - self.at(row + beside - 1, column - 1);
        }
        [down / 6.0, right / 6.0]
    }

    /// Linear between the four pixels around a place.
    fn between(&self, row: f64, column: f64) -> f64 {
        let (top, left) = (row.floor(), column.floor());
        let (down, right) = (row - top, column - left);
        let (top, left) = (top as usize, left as usize);
        let upper = self.at(top, left) * (1.0 - right) + self.at(top, left + 1) * right;
        let lower = self.at(top + 1, left) * (1.0 - right) + self.at(top + 1, left + 1) * right;
        upper * (1.0 - down) + lower * down
    }

    fn edge(&self, slice: usize, row: usize, column: usize) -> Option<Edge> {
        let [down, right] = self.gradient(row, column);
        let strength = (down * down + right * right).sqrt();
        // The steepest pixel of a step that a kernel spreads over so many pixels is not flatter than this.
        if strength < STEP / 12.0 {
            return None;
        }
        let normal = [down / strength, right / strength];
        let along = |distance: f64| [row as f64 + distance * normal[0], column as f64 + distance * normal[1]];
        let neighbor = |distance: f64| {
            let [row, column] = along(distance).map(|place| place.round_ties_even() as usize);
            let [down, right] = self.gradient(row, column);
            down * normal[0] + right * normal[1]
        };
        if neighbor(1.0) >= strength || neighbor(-1.0) > strength {
            return None;
        }
        let sample = |distance: i32| {
            let [row, column] = along(distance.into());
            self.between(row, column)
        };
        let [low, high] = [-1, 1].map(|side| level(LEVELS.map(|distance| sample(side * distance))));
        let step = high.mean - low.mean;
        if step < STEP || low.range > EVEN * step || high.range > EVEN * step {
            return None;
        }
        // An ideal step at d has the area far - d up to far.
        let far = *LEVELS.end();
        let heights = (-far..=far).map(|distance| (sample(distance) - low.mean) / step);
        let ends = ((sample(far) - low.mean) + (sample(-far) - low.mean)) / step / 2.0;
        let offset = f64::from(far) - (heights.sum::<f64>() - ends);
        (offset.abs() <= 1.0).then_some(Edge { slice, row, column, normal, offset, low: low.mean, step })
    }
}

struct Level {
    mean: f64,
    range: f64,
}

fn level(samples: impl Iterator<Item = f64>) -> Level {
    let (mut sum, mut count, mut least, mut most) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    for sample in samples {
        (sum, count, least, most) = (sum + sample, count + 1.0, least.min(sample), most.max(sample));
    }
    Level { mean: sum / count, range: most - least }
}

/// Means of the bins; where there is nothing in one, on the line between those beside it. None where nothing is in more than half.
fn filled(bins: &[(f64, u64)]) -> Option<Vec<f64>> {
    let known: Vec<(usize, f64)> = bins
        .iter()
        .enumerate()
        .filter(|(_, (_, count))| *count > 0)
        .map(|(bin, (sum, count))| (bin, sum / *count as f64))
        .collect();
    if 2 * known.len() < bins.len() {
        return None;
    }
    let value = |bin: usize| {
        let after = known.partition_point(|(place, _)| *place < bin);
        match (after.checked_sub(1).and_then(|before| known.get(before)), known.get(after)) {
            (_, Some((place, value))) if *place == bin => Some(*value),
            (Some((before, low)), Some((after, high))) => {
                Some(low + (high - low) * (bin - before) as f64 / (after - before) as f64)
            }
            (one, other) => one.or(other).map(|(_, value)| *value),
        }
    };
    (0..bins.len()).map(value).collect()
}

/// Differences of neighboring bins, each with its distance from the edge.
fn derivative(profile: &[f64]) -> Vec<(f64, f64)> {
    let place = |bin: usize| (bin + 1) as f64 / OVERSAMPLED as f64 - f64::from(REACH);
    profile.windows(2).enumerate().map(|(bin, pair)| (place(bin), pair[1] - pair[0])).collect()
}

/// 1 where edges are, so that a line spread function does not become narrower by it, and 0 at the ends of the profile.
fn window(x: f64) -> f64 {
    let beyond = (x.abs() - FLAT).max(0.0) / (f64::from(REACH) - FLAT);
    0.5 + 0.5 * libm::cos(PI * beyond)
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { libm::sin(PI * x) / (PI * x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disc of 1000 HU over air whose edge is blurred by a Gaussian, with noise.
    fn disc(sigma: f64, noise: f64) -> Stack {
        let side = 200;
        let mut state = 5_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            noise * ((state >> 40) as f64 / f64::from(1 << 24) - 0.5) * 12_f64.sqrt()
        };
        let value = |at: usize| {
            let (row, column) = ((at / side) as f64 - 99.6, (at % side) as f64 - 100.3);
            let outside = (row * row + column * column).sqrt() - 70.2;
            (-1000.0 + 1000.0 * 0.5 * libm::erfc(outside / sigma / 2_f64.sqrt()) + random()) as f32
        };
        Stack::new(side, side, vec![(0..side * side).map(value).collect()]).unwrap()
    }

    #[test]
    fn a_gaussian_blur_has_the_transfer_function_of_the_gaussian() {
        for (sigma, noise) in [(0.7, 0.0), (1.0, 0.0), (1.5, 0.0), (1.0, 20.0)] {
            let scan = disc(sigma, noise);
            let edges = Edges::find(&scan).unwrap();
            assert!(edges.count() > 200, "{}", edges.count());
            let found = edges.sharpness(&scan).unwrap();
            let exact = |frequency: f64| (-2.0 * (PI * sigma * frequency).powi(2)).exp();
            for (step, value) in found.transfer.iter().enumerate() {
                assert!((value - exact(step as f64 / 16.0)).abs() < 0.03, "{sigma} {step}: {found:?}");
            }
            // exp(-2 (pi sigma f)^2) is one half at f = 0.1874 / sigma.
            assert!((found.f50.unwrap() * sigma - 0.1874).abs() < 0.005, "{found:?}");
            assert!((found.f10.unwrap() * sigma - 0.3415).abs() < 0.015, "{found:?}");
            assert!((found.contrast - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn the_same_edges_are_measured_in_what_was_made_of_the_scan() {
        let (scan, blurred) = (disc(0.8, 10.0), disc(1.6, 10.0));
        let edges = Edges::find(&scan).unwrap();
        let [sharp, soft] = [&scan, &blurred].map(|stack| edges.sharpness(stack).unwrap().f50.unwrap());
        assert!((sharp / soft - 2.0).abs() < 0.08, "{sharp} {soft}");
        // Half of the step is half of the contrast, and as sharp.
        let slices =
            scan.slices().iter().map(|slice| slice.iter().map(|value| 0.5 * value).collect()).collect();
        let weak = edges.sharpness(&Stack::new(200, 200, slices).unwrap()).unwrap();
        assert!((weak.contrast - 0.5).abs() < 0.01 && (weak.f50.unwrap() - sharp).abs() < 1e-3);
    }

    #[test]
    fn without_strong_edges_nothing_is_said() {
        let mut scan = disc(1.0, 0.0);
        let weak =
            scan.slices().iter().map(|slice| slice.iter().map(|value| 0.2 * value).collect()).collect();
        scan = Stack::new(200, 200, weak).unwrap();
        assert_eq!(Edges::find(&scan), None);
        assert_eq!(Edges::find(&Stack::new(4, 4, vec![vec![0.0; 16]]).unwrap()), None);
    }
}
