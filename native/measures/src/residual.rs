//! What is left out: the scan minus what was made of it. If it is noise, it is as correlated as noise is, and as strong at edges as
//! elsewhere. What is not noise is anatomy.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tomobasis_denoise::{NoiseModel, Removed};

use crate::stack::Stack;

/// Farthest distance of pixels whose correlation is looked at, and the nearest that noise of CT hardly reaches.
const FARTHEST: usize = 8;
const FAR: usize = 4;
/// More correlation than that of noise, at these distances, is structure.
const MOST_EXCESS: f64 = 0.1;
/// More strength at edges than this, relative to even tissue, is structure: as in denoising.
const MOST_AT_EDGES: f64 = 1.1;

/// What is left out of some slices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Residual {
    /// Correlation of pixels 1 to 8 pixels apart, along rows and columns; none where all of it is the same, or where slices are too small
    /// to have pixels that far apart.
    pub autocorrelation: Option<[f64; FARTHEST]>,
    /// The same of the scan's noise; none where that was not found.
    pub noise_autocorrelation: Option<[f64; FARTHEST]>,
    /// Standard deviation in even tissue, as a part of the scan's noise.
    pub part_of_noise: Option<f64>,
    /// Standard deviation at the 10 % strongest edges over that in even tissue.
    pub structure: Option<f64>,
    /// What to be warned of; none where what is left out looks like noise.
    pub warning: Option<String>,
}

impl Residual {
    /// Of slices of one size; `noise` is that of the scan, where its values are HU and it was found. Below a root mean square of `step`,
    /// the distance of two stored values, it is taken for rounding.
    #[must_use]
    pub fn of(scan: &Stack, made: &Stack, noise: Option<&NoiseModel>, step: f64) -> Self {
        let sums = sums(scan, made);
        let (mean, variance) = sums.mean_and_variance();
        let autocorrelation = sums.autocorrelation(variance);
        let noise_autocorrelation = noise.map(|noise| {
            std::array::from_fn(|lag| {
                let lag = lag as i64 + 1;
                0.5 * (noise.correlation([0, lag, 0]) + noise.correlation([0, 0, lag]))
            })
        });
        let removed = noise.and_then(|noise| {
            let slices = scan.slices().iter().zip(made.slices());
            let images: Vec<[&[f32]; 2]> = slices.map(|(a, b)| [a.as_slice(), b.as_slice()]).collect();
            Removed::from_images(&images, scan.columns(), noise)
        });
        let structure = removed.as_ref().and_then(|removed| removed.structure);
        let is_rounding = variance + mean * mean < step * step;
        let warning = if is_rounding {
            None
        } else {
            warning(structure, autocorrelation.as_ref(), noise_autocorrelation.as_ref())
        };
        Self {
            autocorrelation,
            noise_autocorrelation,
            part_of_noise: removed.map(|removed| removed.part_of_noise),
            structure,
            warning,
        }
    }
}

/// What points to anatomy, in words.
fn warning(
    structure: Option<f64>,
    residual: Option<&[f64; FARTHEST]>,
    noise: Option<&[f64; FARTHEST]>,
) -> Option<String> {
    let far = |all: &[f64; FARTHEST]| all.iter().skip(FAR - 1).sum::<f64>() / (FARTHEST + 1 - FAR) as f64;
    let (found, expected) = (residual.map(far), noise.map_or(0.0, far));
    let mut signs = Vec::new();
    if let Some(ratio) = structure.filter(|ratio| *ratio > MOST_AT_EDGES) {
        signs.push(format!("it is {ratio:.1} times as strong at edges as in even tissue"));
    }
    if let Some(found) = found.filter(|found| found - expected > MOST_EXCESS) {
        signs.push(format!(
            "pixels {FAR} to {FARTHEST} apart have a correlation of {found:.2} in it (noise: {expected:.2})"
        ));
    }
    let has = "what is left out has structure, which noise has not";
    (!signs.is_empty()).then(|| format!("{has}: {}; anatomy is lost with it", signs.join(", and ")))
}

/// Of the differences of some slices.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Number, sum and sum of squares.
    pixels: [f64; 3],
    /// For each distance the number of pairs, the sum of their products, and the sum of both.
    pairs: [[f64; 3]; FARTHEST],
}

impl Sums {
    fn plus(mut self, other: &Self) -> Self {
        let add = |sums: &mut [f64; 3], more: &[f64; 3]| sums.iter_mut().zip(more).for_each(|(a, b)| *a += b);
        add(&mut self.pixels, &other.pixels);
        self.pairs.iter_mut().zip(&other.pairs).for_each(|(sums, more)| add(sums, more));
        self
    }

    fn mean_and_variance(&self) -> (f64, f64) {
        let [count, sum, squares] = self.pixels;
        let mean = sum / count.max(1.0);
        (mean, (squares / count.max(1.0) - mean * mean).max(0.0))
    }

    fn autocorrelation(&self, variance: f64) -> Option<[f64; FARTHEST]> {
        let (mean, _) = self.mean_and_variance();
        let of_pairs = |&[count, products, both]: &[f64; 3]| {
            ((products - mean * both) / count.max(1.0) + mean * mean) / variance
        };
        let known = variance > 0.0 && self.pairs.iter().all(|[count, ..]| *count > 0.0);
        known.then(|| self.pairs.each_ref().map(of_pairs))
    }
}

fn sums(scan: &Stack, made: &Stack) -> Sums {
    let slices: Vec<(&Vec<f32>, &Vec<f32>)> = scan.slices().iter().zip(made.slices()).collect();
    let columns = scan.columns().max(1);
    let of_slice = |(a, b): &(&Vec<f32>, &Vec<f32>)| {
        let values: Vec<f64> = a.iter().zip(b.iter()).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
        let mut sums = Sums::default();
        for value in &values {
            sums.pixels[0] += 1.0;
            sums.pixels[1] += value;
            sums.pixels[2] += value * value;
        }
        for (lag, pairs) in (1..).zip(&mut sums.pairs) {
            let mut add = |a: f64, b: f64| {
                pairs[0] += 1.0;
                pairs[1] += a * b;
                pairs[2] += a + b;
            };
            for line in values.chunks_exact(columns) {
                line.iter().zip(line.iter().skip(lag)).for_each(|(a, b)| add(*a, *b));
            }
            values.iter().zip(values.iter().skip(lag * columns)).for_each(|(a, b)| add(*a, *b));
        }
        sums
    };
    let each: Vec<Sums> = slices.par_iter().map(of_slice).collect();
    each.iter().fold(Sums::default(), Sums::plus)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 96;

    fn normal(state: &mut u64) -> f32 {
        let mut uniform = || {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 40) as f32 / (1 << 24) as f32
        };
        (0..12).map(|_| uniform()).sum::<f32>() - 6.0
    }

    /// Squares of 80 HU in tissue.
    fn anatomy() -> Vec<f32> {
        let value = |at: usize| if (at / SIDE / 24 + at % SIDE / 24).is_multiple_of(2) { 80.0 } else { 0.0 };
        (0..SIDE * SIDE).map(value).collect()
    }

    fn stack(of: impl Fn(usize) -> Vec<f32>) -> Stack {
        Stack::new(SIDE, SIDE, (0..4).map(of).collect()).unwrap()
    }

    fn noisy(seed: usize) -> Vec<f32> {
        let mut state = seed as u64 + 1;
        anatomy().iter().map(|value| value + 10.0 * normal(&mut state)).collect()
    }

    #[test]
    fn noise_that_is_left_out_is_no_reason_to_warn() {
        let found = Residual::of(&stack(noisy), &stack(|_| anatomy()), Some(&NoiseModel::white(10.0)), 1.0);
        assert_eq!(found.warning, None, "{found:?}");
        assert!(found.autocorrelation.unwrap().iter().all(|value| value.abs() < 0.03));
        assert!((found.part_of_noise.unwrap() - 1.0).abs() < 0.05, "{found:?}");
        assert!((found.structure.unwrap() - 1.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn anatomy_that_is_left_out_is_a_warning_in_words() {
        // A blur takes the edges away.
        let blurred = |slice: usize| {
            let image = noisy(slice);
            let mean = |at: usize| {
                let (row, column) = (at / SIDE, at % SIDE);
                let rows = row.saturating_sub(3)..(row + 4).min(SIDE);
                let columns = column.saturating_sub(3)..(column + 4).min(SIDE);
                let count = rows.len() * columns.len();
                let sum: f32 = rows
                    .flat_map(|row| columns.clone().map(move |column| row * SIDE + column))
                    .map(|at| image[at])
                    .sum();
                sum / count as f32
            };
            (0..SIDE * SIDE).map(mean).collect()
        };
        let found = Residual::of(&stack(noisy), &stack(blurred), Some(&NoiseModel::white(10.0)), 1.0);
        let warning = found.warning.unwrap();
        assert!(warning.contains("times as strong at edges"), "{warning}");
        // Without HU there is the correlation alone.
        let found = Residual::of(&stack(noisy), &stack(|_| vec![40.0; SIDE * SIDE]), None, 1.0);
        assert_eq!((found.structure, found.part_of_noise), (None, None));
        assert!(found.warning.unwrap().contains("pixels 4 to 8 apart"));
    }

    #[test]
    fn correlation_is_that_of_the_definition() {
        let ramp =
            |scale: f32| -> Vec<f32> { (0..SIDE * SIDE).map(|at| scale * (at % 7) as f32 + 5.0).collect() };
        let (scan, made) = (stack(|slice| ramp(slice as f32)), stack(|_| vec![0.0; SIDE * SIDE]));
        let found = Residual::of(&scan, &made, None, 1.0).autocorrelation.unwrap();
        let all: Vec<f64> = scan.slices().iter().flatten().map(|&value| f64::from(value)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance =
            all.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / all.len() as f64;
        let (mut products, mut count) = (0.0, 0.0);
        for slice in scan.slices() {
            for at in 0..SIDE * SIDE {
                let value = f64::from(slice[at]) - mean;
                for (other, within) in
                    [(at + 3, at % SIDE + 3 < SIDE), (at + 3 * SIDE, at + 3 * SIDE < SIDE * SIDE)]
                {
                    if within {
                        products += value * (f64::from(slice[other]) - mean);
                        count += 1.0;
                    }
                }
            }
        }
        assert!((found[2] - products / count / variance).abs() < 1e-9);
    }

    #[test]
    fn pixels_that_are_not_there_have_no_correlation() {
        let stack = |rows, columns, of: fn(usize) -> f32| {
            Stack::new(rows, columns, vec![(0..rows * columns).map(of).collect(); 3]).unwrap()
        };
        for (rows, columns, known) in
            [(2, 3, false), (8, 8, false), (1, 9, true), (9, 1, true), (1, 8, false)]
        {
            let (scan, made) = (stack(rows, columns, |at| at as f32 * 50.0), stack(rows, columns, |_| 0.0));
            let found = Residual::of(&scan, &made, None, 1.0);
            assert_eq!(found.autocorrelation.is_some(), known, "{rows} x {columns}");
            assert!(known || found.warning.is_none(), "{:?}", found.warning);
        }
    }

    #[test]
    fn rounding_is_no_structure() {
        let scan = stack(noisy);
        let found = Residual::of(&scan, &scan, Some(&NoiseModel::white(10.0)), 1.0);
        assert_eq!((found.autocorrelation, found.warning, found.part_of_noise), (None, None, Some(0.0)));
        let rounded = stack(|slice| {
            anatomy().iter().zip(noisy(slice)).map(|(shape, value)| value - 0.005 * shape).collect()
        });
        assert_eq!(Residual::of(&scan, &rounded, Some(&NoiseModel::white(10.0)), 1.0).warning, None);
    }
}
