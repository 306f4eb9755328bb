//! Where slices lie (PS3.3 C.7.6.2.1.1): positions along the normal, spacing, gaps, gantry tilt.
//!
//! Everything comes from Image Position and Orientation (Patient). Slice Location and Slice Thickness are
//! never used: localizers have the first and good series lack it, and thickness is no distance.

/// Unit normal of a slice: direction along a row x direction along a column.
pub(crate) fn normal(orientation: &[f64; 6]) -> [f64; 3] {
    let [a, b, c, d, e, f] = *orientation;
    let n = [b * f - c * e, c * d - a * f, a * e - b * d];
    let length = dot(n, n).sqrt();
    n.map(|x| x / length)
}

/// Scalar product, summed in a fixed order without fused operations: the same bits everywhere.
pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Positions along the normal on a grid of 0.1 micrometre, so that rounding in the projection does not make
/// two positions of one place.
pub(crate) fn grid(position_mm: f64) -> i64 {
    (position_mm * 1e4).round() as i64
}

/// The place of each position, counted along the normal: positions that are nearly the same share one.
pub(crate) fn places(positions_mm: &[f64]) -> Vec<usize> {
    /// Two reconstructions of one scan may differ by this much; no slices are this near.
    const SAME_PLACE_MM: f64 = 0.002;
    let mut order: Vec<usize> = (0..positions_mm.len()).collect();
    order.sort_by(|&a, &b| positions_mm[a].total_cmp(&positions_mm[b]));
    let mut places = vec![0; positions_mm.len()];
    for pair in order.windows(2) {
        let apart = positions_mm[pair[1]] - positions_mm[pair[0]] > SAME_PLACE_MM;
        places[pair[1]] = places[pair[0]] + usize::from(apart);
    }
    places
}

/// Median of the distances between neighbours of an ascending list, those of 0 left out.
pub(crate) fn spacing(positions_mm: &[f64]) -> Option<f64> {
    let mut steps: Vec<f64> = steps(positions_mm).map(|(_, mm)| mm).filter(|&mm| grid(mm) != 0).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// Steps that differ from `spacing_mm` by more than 1 %: index of the slice before the step, and its length.
pub(crate) fn gaps(positions_mm: &[f64], spacing_mm: f64) -> Vec<(usize, f64)> {
    steps(positions_mm)
        .filter(|&(_, mm)| grid(mm) != 0 && (mm - spacing_mm).abs() > 0.01 * spacing_mm)
        .collect()
}

fn steps(positions_mm: &[f64]) -> impl Iterator<Item = (usize, f64)> {
    positions_mm.windows(2).map(|pair| pair[1] - pair[0]).enumerate()
}

/// Angle between the line from the first to the last position and the normal, degrees.
pub(crate) fn tilt_degrees(first: [f64; 3], last: [f64; 3], normal: [f64; 3]) -> f64 {
    let line = [last[0] - first[0], last[1] - first[1], last[2] - first[2]];
    let along = dot(line, normal);
    let across = [0, 1, 2].map(|i| line[i] - along * normal[i]);
    dot(across, across).sqrt().atan2(along.abs()).to_degrees()
}

/// The plane that a slice lies in, or nearly.
pub(crate) fn plane_name(orientation: &[f64; 6]) -> &'static str {
    match normal(orientation).map(f64::abs) {
        [_, _, z] if z > 0.85 => "axial",
        [_, y, _] if y > 0.85 => "coronal",
        [x, _, _] if x > 0.85 => "sagittal",
        _ => "oblique",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    #[test]
    fn the_normal_of_an_axial_slice_points_to_the_head() {
        assert_eq!(normal(&AXIAL), [0.0, 0.0, 1.0]);
        assert_eq!(plane_name(&AXIAL), "axial");
        assert_eq!(plane_name(&[0.0, 1.0, 0.0, 0.0, 0.0, -1.0]), "sagittal");
    }

    #[test]
    fn spacing_is_the_usual_step_and_a_missing_slice_is_a_gap() {
        let positions = [0.0, 2.5, 5.0, 10.0, 12.5];
        assert_eq!(spacing(&positions), Some(2.5));
        assert_eq!(gaps(&positions, 2.5), [(2, 5.0)]);
        assert_eq!(spacing(&[3.0]), None);
        assert_eq!(spacing(&[3.0, 3.0]), None);
        assert_eq!(gaps(&[0.0, 2.5, 5.02], 2.5), []);
    }

    #[test]
    fn tilt_is_the_angle_between_table_and_normal() {
        let (sin, cos) = (0.2840153, 0.9588197);
        let orientation = [1.0, 0.0, 0.0, 0.0, cos, sin];
        let tilt = tilt_degrees([0.0, 6.6, 650.0], [0.0, 6.6, 800.0], normal(&orientation));
        assert!((tilt - 16.5).abs() < 0.01, "{tilt}");
        assert_eq!(tilt_degrees([0.0, 0.0, 1.0], [0.0, 0.0, 9.0], [0.0, 0.0, 1.0]), 0.0);
    }
}
