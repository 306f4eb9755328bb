//! Even regions of soft tissue, found automatically, and the noise in them.
//!
//! 1. Every slice is cut into windows of 16 x 16 pixels. Of these, soft tissue is a window whose mean is between -200 and 200 HU and
//!    that is not constant (a background, clipped values): fewer than three quarters of its neighbors in a row are equal.
//! 2. A plane is taken off each, as TG-233 asks for before a noise power spectrum is computed, and the standard deviation of the rest
//!    is that of the window.
//! 3. Even are the windows of at most 1.4 times the standard deviation that a tenth of them does not exceed: where there are vessels,
//!    edges or streaks, it is larger. (Christianson et al. 2015 take the most frequent standard deviation of a patient's soft tissue
//!    for the noise, for the same reason.)
//!
//! Windows are chosen in the scan and measured there and, at the same places, in what was made of it.

use tomobasis_denoise::NoiseModel;

use crate::stack::Stack;

/// Rows and columns of a window.
const SIDE: usize = 16;
/// Mean of soft tissue in HU.
const TISSUE: std::ops::RangeInclusive<f64> = -200.0..=200.0;
/// The quietest part of the windows, and how much noisier even ones may be.
const QUIETEST: f64 = 0.1;
const MOST: f64 = 1.4;
/// The least number of even windows from which a figure follows.
const LEAST: usize = 8;
/// Numbers that a plane takes.
const OF_PLANE: usize = 3;

/// Even regions of some slices.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    windows: Vec<Window>,
}

/// A window: its slice, and its first row and column.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    slice: usize,
    row: usize,
    column: usize,
}

impl Regions {
    /// Those of a scan in HU; none where fewer than eight windows are even.
    #[must_use]
    pub fn find(scan: &Stack) -> Option<Self> {
        let places = |side: usize| (0..(side / SIDE)).map(|place| place * SIDE);
        let mut found = Vec::new();
        for slice in 0..scan.slices().len() {
            for row in places(scan.rows()) {
                for column in places(scan.columns()) {
                    let window = Window { slice, row, column };
                    if let Some(deviation) = window.tissue(scan) {
                        found.push((deviation, window));
                    }
                }
            }
        }
        let mut deviations: Vec<f64> = found.iter().map(|(deviation, _)| *deviation).collect();
        deviations.sort_by(f64::total_cmp);
        let quiet = deviations.get((QUIETEST * deviations.len() as f64) as usize)?;
        let even = found.iter().filter(|(deviation, _)| *deviation <= MOST * quiet);
        let windows: Vec<Window> = even.map(|(_, window)| *window).collect();
        (windows.len() >= LEAST).then_some(Self { windows })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.windows.len()
    }

    /// The noise of slices in these regions: root mean square of the deviations from the windows' planes, and their correlation.
    #[must_use]
    pub fn noise(&self, stack: &Stack) -> NoiseModel {
        let deviations = |window: &Window| window.detrended(stack).map(|(_, deviations)| deviations);
        let squares = |deviations: Vec<f64>| deviations.iter().map(|value| value * value).sum::<f64>();
        let squares: f64 = self.windows.iter().filter_map(deviations).map(squares).sum();
        let freedom = (self.windows.len() * (SIDE * SIDE - OF_PLANE)).max(1) as f64;
        let size = stack.rows() * stack.columns();
        // The windows of a slice are side by side in the list.
        let images = self.windows.chunk_by(|a, b| a.slice == b.slice).map(|windows| {
            let (mut values, mut known) = (vec![0.0; size], vec![false; size]);
            for window in windows {
                let found = deviations(window).unwrap_or_default();
                for (at, deviation) in window.pixels(stack.columns()).zip(found) {
                    (values[at], known[at]) = (deviation as f32, true);
                }
            }
            (values, known)
        });
        NoiseModel::from_images((squares / freedom).sqrt(), images, stack.columns())
    }
}

impl Window {
    /// Places of its pixels in the slice, row by row.
    fn pixels(self, columns: usize) -> impl Iterator<Item = usize> {
        let first = self.row * columns + self.column;
        (0..SIDE).flat_map(move |row| first + row * columns..first + row * columns + SIDE)
    }

    /// Standard deviation of a window of soft tissue.
    fn tissue(self, scan: &Stack) -> Option<f64> {
        let slice = scan.slices().get(self.slice)?;
        let values: Vec<f32> = self.pixels(scan.columns()).filter_map(|at| slice.get(at)).copied().collect();
        let equal =
            values.chunks_exact(SIDE).flat_map(|line| line.windows(2)).filter(|pair| pair[0] == pair[1]);
        if 4 * equal.count() >= 3 * SIDE * (SIDE - 1) {
            return None;
        }
        let (mean, deviations) = self.detrended(scan)?;
        let variance =
            deviations.iter().map(|value| value * value).sum::<f64>() / (SIDE * SIDE - OF_PLANE) as f64;
        TISSUE.contains(&mean).then(|| variance.sqrt())
    }

    /// Mean, and the deviations of its pixels from the plane of least squares.
    fn detrended(self, stack: &Stack) -> Option<(f64, Vec<f64>)> {
        let slice = stack.slices().get(self.slice)?;
        let values: Vec<f64> =
            self.pixels(stack.columns()).filter_map(|at| slice.get(at)).map(|&value| value.into()).collect();
        let middle = (SIDE as f64 - 1.0) / 2.0;
        let place = |at: usize| [(at / SIDE) as f64 - middle, (at % SIDE) as f64 - middle];
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        // The same along rows and columns, which are orthogonal on the grid.
        let squares: f64 = (0..values.len()).map(|at| place(at)[0] * place(at)[0]).sum();
        let slope = |axis: usize| {
            values.iter().enumerate().map(|(at, value)| place(at)[axis] * (value - mean)).sum::<f64>()
                / squares
        };
        let slopes = [slope(0), slope(1)];
        let deviation = |(at, value): (usize, &f64)| {
            let [down, right] = place(at);
            value - mean - slopes[0] * down - slopes[1] * right
        };
        (values.len() == SIDE * SIDE).then(|| (mean, values.iter().enumerate().map(deviation).collect()))
    }
}

#[cfg(test)]
mod tests {
    use tomobasis_denoise::NoiseFigures;

    use super::*;

    fn normal(state: &mut u64) -> f64 {
        let mut uniform = || {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 40) as f64 / f64::from(1 << 24)
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    /// Tissue of 40 HU with a slope in one half, bone with detail in the other, air around, and noise on it.
    fn body(sigma: f64, rounded: bool) -> Stack {
        let side = 128;
        let mut state = 3;
        let mut slice = || {
            let value = |at: usize| {
                let (row, column) = (at / side, at % side);
                let within = (8..120).contains(&row) && (8..120).contains(&column);
                let value = match (within, column < 64) {
                    (false, _) => return -1000.0,
                    (true, true) => 40.0 + 0.2 * row as f64,
                    (true, false) => 60.0 + if (row / 4 + column / 4) % 2 == 0 { 90.0 } else { 0.0 },
                } + sigma * normal(&mut state);
                (if rounded { value.round_ties_even() } else { value }) as f32
            };
            (0..side * side).map(value).collect()
        };
        Stack::new(side, side, vec![slice(), slice(), slice()]).unwrap()
    }

    #[test]
    fn noise_is_found_where_tissue_is_even() {
        for sigma in [3.0, 15.0] {
            let scan = body(sigma, true);
            let regions = Regions::find(&scan).unwrap();
            // The left half has 6 x 3 whole windows of tissue alone; those of bone are none.
            assert!((45..=54).contains(&regions.count()), "{}", regions.count());
            assert!(regions.windows.iter().all(|window| window.column < 64));
            let noise = regions.noise(&scan);
            assert!((noise.sigma / sigma - 1.0).abs() < 0.04, "{sigma}: {}", noise.sigma);
            assert!(noise.correlation([0, 0, 1]).abs() < 0.05);
            // The spectrum's integral is the variance: 16 x 16 frequencies of a cell of 1/256 each, here by rings.
            let spectrum = NoiseFigures::of(&noise).spectrum;
            assert!(
                spectrum.iter().skip(2).all(|power| (power / (sigma * sigma) - 1.0).abs() < 0.2),
                "{spectrum:?}"
            );
        }
    }

    #[test]
    fn the_same_places_are_measured_in_what_was_made_of_the_scan() {
        let scan = body(10.0, false);
        let regions = Regions::find(&scan).unwrap();
        let halved =
            scan.slices().iter().map(|slice| slice.iter().map(|value| 0.5 * value).collect()).collect();
        let halved = Stack::new(128, 128, halved).unwrap();
        assert!((regions.noise(&halved).sigma / regions.noise(&scan).sigma - 0.5).abs() < 1e-6);
    }

    #[test]
    fn a_few_windows_that_are_less_uneven_than_the_others_are_not_even() {
        // In each of 16 windows there is an edge, of another height.
        let value = |at: usize| {
            let (row, column) = (at / 64, at % 64);
            let height = 40.0 * (1 + row / 16 * 4 + column / 16) as f32;
            if (row % 16 < 8) == (column % 16 < 8) { height / 4.0 } else { -height / 4.0 }
        };
        let scan = Stack::new(64, 64, vec![(0..64 * 64).map(value).collect()]).unwrap();
        let noisy: Vec<f32> = {
            let mut state = 5;
            scan.slices()[0].iter().map(|value| value + normal(&mut state) as f32).collect()
        };
        assert_eq!(Regions::find(&Stack::new(64, 64, vec![noisy]).unwrap()), None);
    }

    #[test]
    fn without_tissue_nothing_is_said() {
        let air = Stack::new(64, 64, vec![vec![-1000.0; 64 * 64]; 4]).unwrap();
        assert_eq!(Regions::find(&air), None);
        // Without noise there are no windows that are not constant.
        let water = Stack::new(64, 64, vec![vec![0.0; 64 * 64]; 4]).unwrap();
        assert_eq!(Regions::find(&water), None);
        assert_eq!(Regions::find(&Stack::new(8, 8, vec![vec![0.0; 64]]).unwrap()), None);
    }
}
