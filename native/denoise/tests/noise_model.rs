//! The noise that is estimated is the noise that was added.

mod common;

use common::{Normal, overlapping_noise, phantom, smooth_noise, sum};
use tomobasis_denoise::{Error, NoiseModel, Rescale, Shape, Volume, Voxels};

const SHAPE: Shape = Shape { slices: 24, rows: 128, columns: 128 };

fn estimate(hu: &[f32]) -> NoiseModel {
    NoiseModel::estimate(&Volume::new(SHAPE, 1.0, Voxels::Hu(hu), None).unwrap()).unwrap()
}

fn assert_near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, not {expected} +- {tolerance}");
}

#[test]
fn white_noise_on_a_phantom_is_estimated_within_three_percent() {
    for (seed, sigma) in [(1, 5.0), (2, 20.0), (3, 50.0)] {
        let hu = sum(&phantom(SHAPE), &Normal(seed).volume(SHAPE, sigma));
        let rounded: Vec<f32> = hu.iter().map(|hu| hu.round()).collect();
        for hu in [hu, rounded] {
            let model = estimate(&hu);
            assert_near("sigma", model.sigma, f64::from(sigma), 0.03 * f64::from(sigma));
            for lag in [[0, 0, 1], [0, 1, 0], [0, 2, 2], [1, 0, 0], [2, 0, 0]] {
                assert_near(&format!("{lag:?}"), model.correlation(lag), 0.0, 0.06);
            }
        }
    }
}

#[test]
fn correlation_within_slices_is_found() {
    let model = estimate(&sum(&phantom(SHAPE), &smooth_noise(SHAPE, 20.0, 4)));
    assert_near("sigma", model.sigma, 20.0, 1.0);
    let expected = [
        ([0, 0, 1], 2.0 / 3.0),
        ([0, 1, 0], 2.0 / 3.0),
        ([0, 1, 1], 4.0 / 9.0),
        ([0, 0, 2], 1.0 / 6.0),
        ([0, 4, 0], 0.0),
    ];
    for (lag, correlation) in expected {
        assert_near(&format!("{lag:?}"), model.correlation(lag), correlation, 0.05);
    }
}

#[test]
fn correlation_of_slices_is_found_and_does_not_make_noise_look_smaller() {
    let model = estimate(&sum(&phantom(SHAPE), &overlapping_noise(SHAPE, 30.0, 5)));
    assert_near("sigma", model.sigma, 30.0, 1.2);
    assert_near("correlation of neighbors", model.slice_correlation[0], 0.5, 0.06);
    assert_near("two apart", model.slice_correlation[1], 0.0, 0.06);
    assert_near("sigma of neighbors", model.sigma_by_distance[0], 30.0 * 0.5f64.sqrt(), 1.2);
}

#[test]
fn stronger_noise_on_one_side_is_in_the_map() {
    let noise = Normal(6).volume(SHAPE, 10.0);
    let stronger = |(at, noise): (usize, &f32)| if at % SHAPE.columns < 64 { *noise } else { 2.0 * noise };
    let hu: Vec<f32> = noise.iter().enumerate().map(stronger).collect();
    let model = estimate(&hu);
    let (left, right) = (model.sigma_at([12, 64, 8]), model.sigma_at([12, 64, 120]));
    assert!(right / left > 1.6 && right / left < 2.2, "{left} {right}");
}

#[test]
fn stored_values_and_their_hounsfield_units_have_the_same_model() {
    let hu = sum(&phantom(SHAPE), &Normal(7).volume(SHAPE, 20.0));
    let stored: Vec<i16> = hu.iter().map(|hu| (hu + 1024.0).round() as i16).collect();
    let rescale = vec![Rescale { slope: 1.0, intercept: -1024.0, offset: 0 }; SHAPE.slices];
    let voxels = Voxels::Stored { values: &stored, rescale: &rescale };
    let found = NoiseModel::estimate(&Volume::new(SHAPE, 1.0, voxels, None).unwrap()).unwrap();
    let same: Vec<f32> = stored.iter().map(|&stored| f32::from(stored) - 1024.0).collect();
    assert_eq!(found, estimate(&same));
}

#[test]
fn padding_is_left_out() {
    let mut hu = Normal(8).volume(SHAPE, 20.0);
    let mask: Vec<bool> = (0..hu.len()).map(|at| at % SHAPE.columns < 80).collect();
    hu.iter_mut().zip(&mask).filter(|(_, outside)| **outside).for_each(|(hu, _)| *hu = 0.0);
    let volume = Volume::new(SHAPE, 1.0, Voxels::Hu(&hu), Some(&mask)).unwrap();
    assert_near("sigma", NoiseModel::estimate(&volume).unwrap().sigma, 20.0, 0.6);
    // Without the mask too: what has one value is no tissue.
    assert_near("sigma", estimate(&hu).sigma, 20.0, 0.6);
}

#[test]
fn what_is_constant_or_clipped_makes_noise_no_smaller() {
    // A quarter, a half, three quarters of the volume are a background of 0 HU.
    for part in 1..4 {
        let mut hu = Normal(10).volume(SHAPE, 20.0);
        let columns = part * SHAPE.columns / 4;
        hu.iter_mut()
            .enumerate()
            .filter(|(at, _)| at % SHAPE.columns < columns)
            .for_each(|(_, hu)| *hu = 0.0);
        assert_near("sigma", estimate(&hu).sigma, 20.0, 0.8);
    }
    // Air that was clipped to the end of eight bits.
    let noise = Normal(11).volume(SHAPE, 20.0);
    let clip = |(at, noise): (usize, &f32)| {
        let hu = if at % SHAPE.columns < 64 { noise - 1000.0 } else { noise + 40.0 };
        hu.round().clamp(-100.0, 155.0)
    };
    let hu: Vec<f32> = noise.iter().enumerate().map(clip).collect();
    assert_near("sigma", estimate(&hu).sigma, 20.0, 0.8);
}

#[test]
fn a_constant_volume_has_no_noise() {
    assert_eq!(estimate(&vec![30.0; SHAPE.slices * SHAPE.rows * SHAPE.columns]).sigma, 0.0);
}

#[test]
fn what_grows_with_the_distance_of_slices_is_not_taken_for_noise() {
    let noise = Normal(12).volume(SHAPE, 5.0);
    let slice = SHAPE.rows * SHAPE.columns;
    let drift: Vec<f32> =
        noise.iter().enumerate().map(|(at, noise)| noise + 8.0 * (at / slice) as f32).collect();
    let error =
        NoiseModel::estimate(&Volume::new(SHAPE, 1.0, Voxels::Hu(&drift), None).unwrap()).unwrap_err();
    assert!(matches!(error, Error::NotNoise { .. }), "{error}");
    assert!(estimate(&noise).is_settled());
}

#[test]
fn a_volume_without_tissue_is_refused() {
    let hu: Vec<f32> = Normal(9).volume(SHAPE, 20.0).iter().map(|noise| noise - 900.0).collect();
    let error = NoiseModel::estimate(&Volume::new(SHAPE, 1.0, Voxels::Hu(&hu), None).unwrap()).unwrap_err();
    assert_eq!(error, Error::NoFlatTissue { voxels: 0, least: 1000 });
}

#[test]
fn a_block_of_rows_is_no_volume_to_estimate_from() {
    let hu = vec![0.0; SHAPE.slices * 64 * SHAPE.columns];
    let block = Volume::block(SHAPE, 0..64, 1.0, Voxels::Hu(&hu), None).unwrap();
    assert!(matches!(NoiseModel::estimate(&block).unwrap_err(), Error::Rows { .. }));
}
