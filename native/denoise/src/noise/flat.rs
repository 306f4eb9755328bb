//! Where an image is flat.
//!
//! Flatness is judged by the mean of two slices, noise by their difference. Sum and difference of equally strong noise are
//! uncorrelated, so choosing flat voxels does not choose those of little noise.

use std::ops::RangeInclusive;

/// Parts of a HU in which differences and slopes are counted.
pub(crate) const UNITS: f32 = 16.0;

/// Voxels on each side of the one whose local mean is taken.
const RADIUS: usize = 2;

/// Distance on each side at which local means are compared.
const REACH: usize = 3;

/// Rows and columns at each edge of an image that are not judged: so far the slope of a voxel depends on others.
pub(crate) const MARGIN: usize = RADIUS + REACH;

/// What is not judged: too near to the edge of the image, outside the range of HU, or padding.
pub(crate) const EXCLUDED: u16 = u16::MAX;

/// What would be judged, but is constant: a background that was set to one value, or values that were clipped.
pub(crate) const CONSTANT: u16 = u16::MAX - 1;

/// The slopes of what is judged.
pub(crate) fn judged(slopes: &[u16]) -> impl Iterator<Item = u16> + '_ {
    slopes.iter().copied().filter(|&slope| slope < CONSTANT)
}

/// Voxels of one value side by side that are taken for a background or clipped; fewer occur in coarsely rounded noise.
const RUN: usize = 7;

/// Whether a voxel is in such a run.
pub(crate) fn is_constant(image: &[f32], at: usize) -> bool {
    let equal = |places: &mut dyn Iterator<Item = usize>| {
        places.take(RUN - 1).take_while(|&place| image.get(place) == Some(&image[at])).count()
    };
    1 + equal(&mut (0..at).rev()) + equal(&mut (at + 1..)) >= RUN
}

/// The change of the local mean of 5 x 5 voxels over six voxels along rows plus that along columns, in 1/16 HU, of each voxel
/// whose own local mean is in `range`.
pub(crate) fn slopes(
    image: &[f32],
    columns: usize,
    range: RangeInclusive<f32>,
    padding: impl Fn(usize) -> bool,
    constant: impl Fn(usize) -> bool,
) -> Vec<u16> {
    let means = local_means(image, columns);
    let rows = image.len() / columns;
    let mut slopes = vec![EXCLUDED; image.len()];
    for row in MARGIN..rows.saturating_sub(MARGIN) {
        for column in MARGIN..columns.saturating_sub(MARGIN) {
            let at = row * columns + column;
            if range.contains(&means[at]) && !padding(at) {
                let along_row = (means[at + REACH] - means[at - REACH]).abs();
                let along_column = (means[at + REACH * columns] - means[at - REACH * columns]).abs();
                // A cast to integers saturates.
                let slope = (((along_row + along_column) * UNITS) as u16).min(CONSTANT - 1);
                slopes[at] = if constant(at) { CONSTANT } else { slope };
            }
        }
    }
    slopes
}

/// Means of 5 x 5 voxels; zero near the edge of the image.
fn local_means(image: &[f32], columns: usize) -> Vec<f32> {
    const WIDTH: usize = 2 * RADIUS + 1;
    let mut lines = vec![0.0; image.len()];
    for (sums, line) in lines.chunks_exact_mut(columns).zip(image.chunks_exact(columns)) {
        for (sum, window) in sums[RADIUS..].iter_mut().zip(line.windows(WIDTH)) {
            *sum = window.iter().sum();
        }
    }
    let mut means = vec![0.0; image.len()];
    for row in RADIUS..(image.len() / columns).saturating_sub(RADIUS) {
        for column in 0..columns {
            let sum: f32 = (row - RADIUS..=row + RADIUS).map(|row| lines[row * columns + column]).sum();
            means[row * columns + column] = sum / (WIDTH * WIDTH) as f32;
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_has_the_slope_of_six_voxels_and_the_edge_is_excluded() {
        let columns = 20;
        let image: Vec<f32> = (0..400).map(|i| (i % columns) as f32 * 2.0).collect();
        let found = slopes(
            &image,
            columns,
            -200.0..=200.0,
            |at| at == 10 * columns + 11,
            |at| at == 10 * columns + 8,
        );
        assert_eq!(found[10 * columns + 10], 12 * 16);
        assert_eq!((found[10 * columns + 11], found[10 * columns + 8]), (EXCLUDED, CONSTANT));
        assert_eq!(judged(&found).count(), 10 * 10 - 2);
    }

    #[test]
    fn voxels_outside_the_range_are_excluded() {
        let found = slopes(&[300.0; 400], 20, -200.0..=200.0, |_| false, |_| false);
        assert!(found.iter().all(|&slope| slope == EXCLUDED));
    }
}
