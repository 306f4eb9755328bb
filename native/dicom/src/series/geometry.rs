//! Where slices lie (PS3.3 C.7.6.2.1.1): positions along the normal, spacing, gaps, gantry tilt.
//!
//! Everything comes from Image Position and Orientation (Patient). Slice Location and Slice Thickness are
//! never used: localizers have the first and good series lack it, and thickness is no distance.

use crate::header::SliceHeader;

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

/// Positions this near are the same: two reconstructions of one scan may differ by so much, no two slices do.
pub(crate) const SAME_PLACE_MM: f64 = 0.002;

/// Positions within this of a line are on it: some writers round to a tenth of a millimeter.
const STRAIGHT_MM: f64 = 0.1;

/// Whether two slices lie at one place.
pub(crate) fn same_place(a: &SliceHeader, b: &SliceHeader) -> bool {
    let apart = |(a, b): (&f64, &f64)| (a - b).abs() > SAME_PLACE_MM;
    !a.position_mm.iter().zip(&b.position_mm).any(apart)
}

/// The place of each position, counted along the normal: positions that are [the same](SAME_PLACE_MM) share one.
pub(crate) fn places(positions_mm: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..positions_mm.len()).collect();
    order.sort_by(|&a, &b| positions_mm[a].total_cmp(&positions_mm[b]));
    let mut places = vec![0; positions_mm.len()];
    for pair in order.windows(2) {
        let apart = positions_mm[pair[1]] - positions_mm[pair[0]] > SAME_PLACE_MM;
        places[pair[1]] = places[pair[0]] + usize::from(apart);
    }
    places
}

/// The same for telling volumes apart: a scan that was repeated a little beside the first holds its places. Positions are
/// also one place when they are much nearer to each other than to the next, and nearer than half a slice.
pub(crate) fn near_places(positions_mm: &[f64], thickness_mm: Option<f64>) -> Vec<usize> {
    /// Steps between places are this many times those within one.
    const MUCH: f64 = 3.0;
    /// In place of half a slice where Slice Thickness is unknown.
    const SLIGHT_MM: f64 = 0.5;
    let mut order: Vec<usize> = (0..positions_mm.len()).collect();
    order.sort_by(|&a, &b| positions_mm[a].total_cmp(&positions_mm[b]));
    let between: Vec<f64> =
        order.windows(2).map(|pair| positions_mm[pair[1]] - positions_mm[pair[0]]).collect();
    let mut steps: Vec<f64> = between.iter().copied().filter(|step| *step > SAME_PLACE_MM).collect();
    steps.sort_by(f64::total_cmp);
    let ratio = |pair: &&[f64]| pair[1] / pair[0];
    let widest = steps.windows(2).max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let Some([within, next]) = widest.filter(|pair| ratio(pair) >= MUCH) else { return places(positions_mm) };
    let largest = thickness_mm.map_or(SLIGHT_MM, |mm| mm / 2.0).min(next / MUCH);
    let mut places = vec![0; positions_mm.len()];
    let mut from = order.first().map_or(0.0, |&first| positions_mm[first]);
    for (pair, step) in order.windows(2).zip(between) {
        let here = positions_mm[pair[1]];
        let apart = step > *within;
        if !apart && here - from > largest {
            return self::places(positions_mm);
        }
        from = if apart { here } else { from };
        places[pair[1]] = places[pair[0]] + usize::from(apart);
    }
    places
}

/// From one place to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// Index of the last slice before it.
    pub slice: usize,
    pub from_mm: f64,
    pub mm: f64,
}

/// The steps between the places of ordered positions. A place is where the lowest of its positions is.
pub(crate) fn steps(positions_mm: &[f64]) -> Vec<Step> {
    let places = places(positions_mm);
    let mut steps = Vec::new();
    let mut from_mm = f64::NAN;
    let mut slice = 0;
    for place in places.chunk_by(|a, b| a == b) {
        let mm = positions_mm[slice..slice + place.len()].iter().copied().fold(f64::INFINITY, f64::min);
        if slice > 0 {
            steps.push(Step { slice: slice - 1, from_mm, mm: mm - from_mm });
        }
        (from_mm, slice) = (mm, slice + place.len());
    }
    steps
}

/// Median of the steps.
pub(crate) fn spacing(positions_mm: &[f64]) -> Option<f64> {
    let mut steps: Vec<f64> = steps(positions_mm).into_iter().map(|step| step.mm).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// Steps that differ from `spacing_mm` by more than 1 %.
pub(crate) fn gaps(positions_mm: &[f64], spacing_mm: f64) -> Vec<Step> {
    let odd = |step: &Step| (step.mm - spacing_mm).abs() > 0.01 * spacing_mm;
    steps(positions_mm).into_iter().filter(odd).collect()
}

/// How slices lie within their planes, from one to the next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    /// Angle between the line of positions and the normal.
    pub tilt_degrees: f64,
    /// The slice that is farthest from the line, and its distance, when that is more than [`STRAIGHT_MM`].
    pub beside: Option<(usize, f64)>,
    /// Steps that leave the direction of the others by more than that: the slice before, and by how much.
    pub jumps: Vec<(usize, f64)>,
}

/// The path of slices at `places_mm` (Image Position), in order. Every one counts: the first and the last may lie on a line of
/// which those in between know nothing.
pub(crate) fn path(places_mm: &[[f64; 3]], normal: [f64; 3]) -> Path {
    let along: Vec<f64> = places_mm.iter().map(|&place| dot(place, normal)).collect();
    let across = |i: usize| [0, 1, 2].map(|x| places_mm[i][x] - along[i] * normal[x]);
    // How far slice `i` lies beside a line of so much across per along, from slice 0 or from the one before.
    let beside = |from: usize, i: usize, shear: [f64; 3]| {
        let (a, b) = (across(from), across(i));
        let off = [0, 1, 2].map(|x| b[x] - a[x] - shear[x] * (along[i] - along[from]));
        dot(off, off).sqrt()
    };
    let shear = |from: usize, to: usize| {
        let (a, b) = (across(from), across(to));
        [0, 1, 2].map(|x| (b[x] - a[x]) / (along[to] - along[from]))
    };
    let degrees = |shear: [f64; 3]| dot(shear, shear).sqrt().atan().to_degrees();
    let last = places_mm.len().saturating_sub(1);
    let apart = |from: usize, to: usize| (along[to] - along[from]).abs() > SAME_PLACE_MM;
    // 1. The line from the first to the last slice, when all are on it.
    let line = if last > 0 && apart(0, last) { shear(0, last) } else { [0.0; 3] };
    let farthest = (0..=last).map(|i| (i, if last == 0 { 0.0 } else { beside(0, i, line) }));
    let farthest = farthest.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, mm)| *mm > STRAIGHT_MM);
    if farthest.is_none() {
        return Path { tilt_degrees: degrees(line), beside: None, jumps: Vec::new() };
    }
    // 2. Else the direction of most steps.
    let mut shears: Vec<[f64; 3]> = (0..last).filter(|&i| apart(i, i + 1)).map(|i| shear(i, i + 1)).collect();
    let usual = [0, 1, 2].map(|x| {
        shears.sort_by(|a, b| a[x].total_cmp(&b[x]));
        shears.get(shears.len() / 2).map_or(0.0, |shear| shear[x])
    });
    let jumps = (0..last).map(|i| (i, beside(i, i + 1, usual))).filter(|(_, mm)| *mm > STRAIGHT_MM);
    Path { tilt_degrees: degrees(usual), beside: farthest, jumps: jumps.collect() }
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
        assert_eq!(gaps(&positions, 2.5), [Step { slice: 2, from_mm: 5.0, mm: 5.0 }]);
        assert_eq!(spacing(&[3.0]), None);
        assert_eq!(spacing(&[3.0, 3.0]), None);
        assert_eq!(gaps(&[0.0, 2.5, 5.02], 2.5), []);
    }

    #[test]
    fn reconstructions_that_are_a_micrometer_apart_are_at_one_place() {
        // In the order of their numbers within a place.
        let positions: Vec<f64> = (0..10).flat_map(|i| [f64::from(i) + 0.001, f64::from(i)]).collect();
        assert_eq!(places(&positions), (0..10).flat_map(|i| [i, i]).collect::<Vec<_>>());
        assert_eq!(spacing(&positions), Some(1.0));
        assert_eq!(gaps(&positions, 1.0), []);
        assert_eq!(places(&[0.0, 0.01]), [0, 1]);
    }

    #[test]
    fn a_repeated_scan_holds_the_places_of_the_first_and_stacks_are_no_places() {
        let twice = |shift: f64| -> Vec<f64> {
            (0..6).flat_map(|i| [2.5 * f64::from(i), 2.5 * f64::from(i) + shift]).collect()
        };
        for shift in [0.0, 0.0025, 0.3, 0.6] {
            let expected: Vec<usize> = (0..6).flat_map(|i| [i, i]).collect();
            assert_eq!(near_places(&twice(shift), Some(2.5)), expected, "{shift}");
        }
        for (positions, thickness) in [
            (twice(1.0), Some(2.5)),
            (twice(1.25), None),
            (vec![0.0, 1.0, 2.0, 30.0, 31.0, 32.0], Some(1.0)),
            (vec![1.0], None),
        ] {
            assert_eq!(near_places(&positions, thickness), places(&positions), "{positions:?}");
        }
    }

    #[test]
    fn tilt_is_the_angle_between_table_and_normal() {
        let (sin, cos) = (0.2840153, 0.9588197);
        let orientation = [1.0, 0.0, 0.0, 0.0, cos, sin];
        let places: Vec<[f64; 3]> = (0..60).map(|i| [0.0, 6.6, 650.0 + 2.5 * f64::from(i)]).collect();
        let tilted = path(&places, normal(&orientation));
        assert!((tilted.tilt_degrees - 16.5).abs() < 0.01 && tilted.beside.is_none(), "{tilted:?}");
        assert_eq!(path(&places, normal(&AXIAL)).tilt_degrees, 0.0);
    }

    #[test]
    fn every_slice_counts_for_the_path_and_not_the_first_and_the_last_alone() {
        let along =
            |across: fn(usize) -> f64| (0..40).map(|i| [across(i), 3.0, i as f64]).collect::<Vec<_>>();
        let axial = |across| path(&along(across), [0.0, 0.0, 1.0]);
        let there_and_back = axial(|i| if (10..20).contains(&i) { 5.0 } else { 0.0 });
        assert_eq!((there_and_back.tilt_degrees, there_and_back.jumps), (0.0, vec![(9, 5.0), (19, 5.0)]));
        let once = axial(|i| if i < 20 { 0.0 } else { 2.0 });
        assert_eq!((once.tilt_degrees, once.jumps), (0.0, vec![(19, 2.0)]));
        let bent = axial(|i| 0.004 * (i * i) as f64);
        assert!(bent.jumps.len() < 20 && bent.beside.unwrap().1 > 1.0, "{bent:?}");
        let rounded = axial(|i| (0.13 * i as f64 * 10.0).round() / 10.0);
        assert!(rounded.beside.is_none() && rounded.tilt_degrees > 7.0, "{rounded:?}");
        assert_eq!(path(&[[0.0, 1.0, 2.0]], [0.0, 0.0, 1.0]).beside, None);
        let one_place = path(&[[0.0, 0.0, 2.0], [1.0, 0.0, 2.0]], [0.0, 0.0, 1.0]);
        assert_eq!((one_place.tilt_degrees, one_place.jumps), (0.0, vec![(0, 1.0)]));
    }
}
