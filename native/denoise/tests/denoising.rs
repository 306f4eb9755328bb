//! What denoising does to volumes whose truth is known.

mod common;

use common::{Normal, difference, from_fn, phantom, rms, smooth_noise, sum};
use tomobasis_denoise::{
    Denoiser, Effect, Error, NoiseModel, Quality, Settings, Shape, Volume, Voxels, Windows, denoise,
    details_kept, patch,
};

const SHAPE: Shape = Shape { slices: 16, rows: 96, columns: 96 };

fn volume(hu: &[f32]) -> Volume<'_> {
    Volume::new(SHAPE, 1.0, Voxels::Hu(hu), None).unwrap()
}

fn denoised(hu: &[f32], strength: f32, quality: Quality) -> Vec<f32> {
    let volume = volume(hu);
    let model = NoiseModel::estimate(&volume).unwrap();
    denoise(&volume, &model, Settings { strength, quality }).unwrap()
}

/// By how many dB the error became smaller.
fn gain(truth: &[f32], noisy: &[f32], denoised: &[f32]) -> f64 {
    20.0 * (rms(&difference(noisy, truth)) / rms(&difference(denoised, truth))).log10()
}

#[test]
fn pure_noise_comes_out_flat() {
    let noise = Normal(1).volume(SHAPE, 40.0);
    for quality in [Quality::Fast, Quality::Default, Quality::Best] {
        assert!(rms(&denoised(&noise, 1.0, quality)) < 0.2 * 40.0);
        // A quarter of the noise stays at the default strength.
        assert!(rms(&denoised(&noise, 0.75, quality)) < 0.38 * 40.0);
    }
}

#[test]
fn a_phantom_without_noise_stays_as_it_is() {
    let truth = phantom(SHAPE);
    for quality in [Quality::Fast, Quality::Default, Quality::Best] {
        assert_eq!(denoised(&truth, 1.0, quality), truth);
    }
    // Where noise is asked for that is far below rounding, too.
    let found = denoise(&volume(&truth), &NoiseModel::white(0.05), Settings::default()).unwrap();
    assert!(difference(&found, &truth).iter().all(|change| change.abs() < 0.5));
}

#[test]
fn one_voxel_of_400_hu_survives_the_default_strength() {
    let mut truth = from_fn(SHAPE, |_, _, _| 40.0);
    let at = (8 * SHAPE.rows + 47) * SHAPE.columns + 50;
    truth[at] += 400.0;
    for (seed, noise) in [(2, Normal(2).volume(SHAPE, 20.0)), (3, smooth_noise(SHAPE, 20.0, 3))] {
        let noisy = sum(&truth, &noise);
        for quality in [Quality::Default, Quality::Best] {
            let left = denoised(&noisy, 0.75, quality)[at] - 40.0;
            assert!(left > 0.7 * 400.0, "{seed}, {quality:?}: {left} of 400 HU are left");
        }
    }
}

#[test]
fn two_passes_keep_more_of_small_details() {
    let hu = sum(&phantom(SHAPE), &Normal(13).volume(SHAPE, 30.0));
    let volume = volume(&hu);
    let model = NoiseModel::estimate(&volume).unwrap();
    let kept = |quality: Quality| {
        let settings = Settings { strength: 1.0, quality };
        let found = details_kept(&volume, &model, settings, [0.9, 0.9]).unwrap();
        found.iter().map(|detail| detail.kept.unwrap()).collect::<Vec<f64>>()
    };
    let (one, two) = (kept(Quality::Default), kept(Quality::Best));
    assert!(one.iter().zip(&two).all(|(one, two)| two > &(one + 0.05)), "{one:?} {two:?}");
}

#[test]
fn noise_on_a_phantom_becomes_smaller_by_the_stated_figures() {
    let truth = phantom(SHAPE);
    let white = sum(&truth, &Normal(4).volume(SHAPE, 40.0));
    let smooth = sum(&truth, &smooth_noise(SHAPE, 25.0, 5));
    let cases = [
        ("white", &white, Quality::Fast, 15.0),
        ("white", &white, Quality::Default, 15.0),
        ("white", &white, Quality::Best, 14.0),
        ("smooth", &smooth, Quality::Default, 10.0),
    ];
    for (name, noisy, quality, least) in cases {
        let found = gain(&truth, noisy, &denoised(noisy, 1.0, quality));
        assert!(found > least, "{name}, {quality:?}: {found} dB");
    }
}

#[test]
fn thick_slices_have_flatter_patches() {
    let truth = phantom(SHAPE);
    let noisy = sum(&truth, &Normal(6).volume(SHAPE, 40.0));
    let thick = Volume::new(SHAPE, 4.5, Voxels::Hu(&noisy), None).unwrap();
    let model = NoiseModel::estimate(&thick).unwrap();
    let settings = Settings { strength: 1.0, ..Settings::default() };
    assert_eq!((patch(4.5), patch(3.0)), ([2, 5, 5], [3, 4, 4]));
    assert!(gain(&truth, &noisy, &denoise(&thick, &model, settings).unwrap()) > 9.0);
}

#[test]
fn strength_is_a_blend_with_the_volume() {
    let noisy = sum(&phantom(SHAPE), &Normal(7).volume(SHAPE, 30.0));
    let all = denoised(&noisy, 1.0, Quality::Default);
    assert_eq!(denoised(&noisy, 0.0, Quality::Default), noisy);
    let half = denoised(&noisy, 0.5, Quality::Default);
    for ((half, all), noisy) in half.iter().zip(&all).zip(&noisy) {
        assert!((half - 0.5 * (all + noisy)).abs() < 1e-3);
    }
}

#[test]
fn padding_stays_as_it_is() {
    let hu = sum(&phantom(SHAPE), &Normal(8).volume(SHAPE, 30.0));
    let mask: Vec<bool> = phantom(SHAPE).iter().map(|&hu| hu == -1000.0).collect();
    let volume = Volume::new(SHAPE, 1.0, Voxels::Hu(&hu), Some(&mask)).unwrap();
    let model = NoiseModel::estimate(&volume).unwrap();
    let found = denoise(&volume, &model, Settings::default()).unwrap();
    for ((found, hu), outside) in found.iter().zip(&hu).zip(&mask) {
        assert!(!outside || found == hu);
    }
    assert_ne!(found, hu);
}

#[test]
fn the_effect_tells_noise_from_structure() {
    let truth = phantom(SHAPE);
    let noisy = sum(&truth, &Normal(9).volume(SHAPE, 30.0));
    let before = volume(&noisy);
    let model = NoiseModel::estimate(&before).unwrap();
    let found = denoised(&noisy, 1.0, Quality::Default);
    let effect = Effect::measure(&before, &model, &volume(&found)).unwrap();
    assert!(effect.after.sigma < 0.35 * effect.before.sigma, "{effect:?}");
    assert!(effect.removed.mean.abs() < 0.5, "{effect:?}");
    assert!((0.85..=1.05).contains(&effect.removed.part_of_noise), "{effect:?}");
    assert!(effect.removed.structure.unwrap() < 1.0 && !effect.removed.alarm, "{effect:?}");
    assert!(effect.after.mean_frequency < effect.before.mean_frequency, "{effect:?}");

    // What blurs edges is found out.
    let blurred = from_fn(SHAPE, |z, y, x| {
        let near = |at: usize, end: usize| at.saturating_sub(2)..(at + 3).min(end);
        let line = |y: usize| near(x, SHAPE.columns).map(move |x| (z * SHAPE.rows + y) * SHAPE.columns + x);
        let places: Vec<usize> = near(y, SHAPE.rows).flat_map(line).collect();
        places.iter().map(|&at| noisy[at]).sum::<f32>() / places.len() as f32
    });
    let effect = Effect::measure(&before, &model, &volume(&blurred)).unwrap();
    assert!(effect.removed.alarm, "{effect:?}");
}

#[test]
fn discs_that_are_put_into_the_volume_tell_what_is_left_of_details() {
    let kept = |sigma: f32, strength: f32| {
        let hu = sum(&phantom(SHAPE), &Normal(11).volume(SHAPE, sigma));
        let volume = volume(&hu);
        let model = NoiseModel::estimate(&volume).unwrap();
        let settings = Settings { strength, ..Settings::default() };
        let found = details_kept(&volume, &model, settings, [0.9, 0.9]).unwrap();
        assert!(found.iter().all(|detail| detail.places > 8), "{found:?}");
        found.iter().map(|detail| detail.kept.unwrap()).collect::<Vec<f64>>()
    };
    // Nothing is lost where nothing is removed, little in weak noise, more in strong noise, and less at less strength.
    assert!(kept(20.0, 0.0).iter().all(|kept| (kept - 1.0).abs() < 1e-3));
    let (weak, strong, half) = (kept(5.0, 1.0), kept(40.0, 1.0), kept(40.0, 0.5));
    assert!(weak[0] > 0.9, "{weak:?}");
    for disc in 0..2 {
        assert!(strong[disc] < weak[disc] && strong[disc] < half[disc], "{weak:?} {strong:?} {half:?}");
        assert!((half[disc] - 0.5 * (1.0 + strong[disc])).abs() < 0.01, "{strong:?} {half:?}");
    }
}

#[test]
fn a_strength_outside_0_to_1_and_a_foreign_model_are_refused() {
    let hu = vec![0.0; common::voxels(SHAPE)];
    let volume = volume(&hu);
    let white = NoiseModel::white(10.0);
    for strength in [-0.1, 1.1, f32::NAN] {
        let settings = Settings { strength, ..Settings::default() };
        assert!(matches!(Denoiser::new(&volume, &white, settings).err(), Some(Error::Strength { .. })));
    }
    let larger = Shape { columns: 200, ..SHAPE };
    let noise = Normal(10).volume(larger, 10.0);
    let foreign = NoiseModel::estimate(&Volume::new(larger, 1.0, Voxels::Hu(&noise), None).unwrap()).unwrap();
    assert_eq!(Denoiser::new(&volume, &foreign, Settings::default()).err(), Some(Error::Model));
    let damaged = NoiseModel { sigma: f64::NAN, ..white };
    assert_eq!(Denoiser::new(&volume, &damaged, Settings::default()).err(), Some(Error::Model));
}

#[test]
fn noise_in_air_is_smoothed_and_what_stands_out_of_it_stays() {
    // Tissue below, air above, and in it a bar of foam, 60 HU denser than air.
    let truth = from_fn(SHAPE, |_, row, column| match (row, column) {
        (48.., _) => 40.0,
        (16..20, 30..60) => -940.0,
        _ => -1000.0,
    });
    let noisy = sum(&truth, &Normal(11).volume(SHAPE, 20.0));
    let found = denoised(&noisy, 1.0, Quality::Default);
    let mean_and_rms = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>, hu: f32| {
        let voxels = (0..SHAPE.slices).flat_map(|slice| rows.clone().map(move |row| (slice, row)));
        let errors: Vec<f32> = voxels
            .flat_map(|(slice, row)| {
                columns.clone().map(move |column| (slice * SHAPE.rows + row) * SHAPE.columns + column)
            })
            .map(|at| found[at] - hu)
            .collect();
        (errors.iter().sum::<f32>() / errors.len() as f32, rms(&errors))
    };
    let (mean, rest) = mean_and_rms(0..8, 0..96, -1000.0);
    assert!(mean.abs() < 0.5 && rest < 4.0, "{mean} {rest}");
    let (mean, _) = mean_and_rms(17..19, 33..57, -940.0);
    assert!(mean.abs() < 6.0, "{mean}");
}

#[test]
fn windows_of_air_are_counted() {
    let count = |hu: &[f32], model: &NoiseModel| {
        let volume = volume(hu);
        let denoiser = Denoiser::new(&volume, model, Settings::default()).unwrap();
        denoiser.denoise(0..SHAPE.rows, |_| Ok::<(), Error>(())).unwrap()
    };
    let half = from_fn(SHAPE, |_, row, _| if row < SHAPE.rows / 2 { -1000.0 } else { 40.0 });
    let model = NoiseModel::white(20.0);
    let noisy = sum(&half, &Normal(12).volume(SHAPE, 20.0));
    let Windows { all, air } = count(&noisy, &model);
    // Of windows of 16 rows every 8, those that are above the tissue.
    let rows = (SHAPE.rows - 16) / 8 + 1;
    let above = (SHAPE.rows / 2 - 16) / 8 + 1;
    assert_eq!(air as usize * rows, all as usize * above);
    // What is constant stays as it is.
    assert_eq!(count(&half, &model), Windows { all, air: 0 });
}
