//! The same bits for any threads and any blocks of rows, and those of this file.

mod common;

use std::fmt::Write;

use common::{Normal, phantom, smooth_noise, sum};
use sha2::{Digest, Sha256};
use tomobasis_denoise::{
    Denoiser, Effect, EffectCounts, EffectPass, Error, NoiseCounts, NoiseModel, NoisePass, Quality, Settings,
    Shape, Volume, Voxels, Windows, denoise,
};

const SHAPE: Shape = Shape { slices: 11, rows: 70, columns: 61 };

fn noisy() -> Vec<f32> {
    sum(&phantom(SHAPE), &smooth_noise(SHAPE, 25.0, 1))
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn bits(hu: &[f32]) -> Vec<u32> {
    hu.iter().map(|hu| hu.to_bits()).collect()
}

fn qualities() -> [Settings; 3] {
    [Quality::Fast, Quality::Default, Quality::Best].map(|quality| Settings { strength: 0.75, quality })
}

#[test]
fn threads_change_no_bit() {
    let hu = noisy();
    let volume = Volume::new(SHAPE, 1.0, Voxels::Hu(&hu), None).unwrap();
    for settings in qualities() {
        let run = || {
            let model = NoiseModel::estimate(&volume).unwrap();
            let found = denoise(&volume, &model, settings).unwrap();
            (model, bits(&found))
        };
        let one = on_threads(1, run);
        for threads in [2, 3, 7] {
            assert_eq!(on_threads(threads, run), one, "{threads} threads");
        }
    }
}

/// Rows of all slices.
fn cut<T: Copy>(values: &[T], rows: std::ops::Range<usize>) -> Vec<T> {
    let slices = values.chunks_exact(SHAPE.rows * SHAPE.columns);
    slices.flat_map(|slice| slice[rows.start * SHAPE.columns..rows.end * SHAPE.columns].to_vec()).collect()
}

#[test]
fn blocks_of_rows_with_their_halos_have_the_bits_of_the_volume() {
    let hu = noisy();
    let mask: Vec<bool> = phantom(SHAPE).iter().map(|&hu| hu == -1000.0).collect();
    for spacing in [1.0, 4.0] {
        let volume = Volume::new(SHAPE, spacing, Voxels::Hu(&hu), Some(&mask)).unwrap();
        let model = NoiseModel::estimate(&volume).unwrap();
        for settings in qualities() {
            let whole = denoise(&volume, &model, settings).unwrap();
            let layout = Denoiser::new(&volume, &model, settings).unwrap();
            let windows = layout.denoise(0..SHAPE.rows, |_| Ok::<(), Error>(())).unwrap();
            assert!(windows.all > 0 && windows.air < windows.all);
            for block in [1, 8, 13, 32, 70] {
                let mut counted = Windows::default();
                for first in (0..SHAPE.rows).step_by(block) {
                    let rows = first..(first + block).min(SHAPE.rows);
                    let held = layout.rows_needed(&rows);
                    let (hu, mask) = (cut(&hu, held.clone()), cut(&mask, held.clone()));
                    let part = Volume::block(SHAPE, held, spacing, Voxels::Hu(&hu), Some(&mask)).unwrap();
                    let mut next = rows.start;
                    let denoiser = Denoiser::new(&part, &model, settings).unwrap();
                    let found = denoiser
                        .denoise(rows.clone(), |band| {
                            assert_eq!(band.rows.start, next);
                            next = band.rows.end;
                            assert_eq!(bits(&band.hu), bits(&cut(&whole, band.rows)), "{block} {first}");
                            Ok::<(), Error>(())
                        })
                        .unwrap();
                    assert_eq!(next, rows.end);
                    counted = counted + found;
                }
                assert_eq!(counted, windows);
            }
        }
    }
}

/// What one pass counts in bands of this height, merged from the last one on.
fn in_bands<C>(
    height: usize,
    count: impl Fn(std::ops::Range<usize>) -> C,
    merge: impl Fn(C, C) -> Result<C, Error>,
) -> C {
    let bands = (0..SHAPE.rows).step_by(height).map(|first| first..(first + height).min(SHAPE.rows));
    let counts: Vec<C> = bands.map(count).collect();
    counts.into_iter().rev().reduce(|a, b| merge(a, b).unwrap()).unwrap()
}

#[test]
fn noise_and_effect_that_are_counted_in_bands_are_those_of_the_volume() {
    let hu = noisy();
    let mask: Vec<bool> = phantom(SHAPE).iter().map(|&hu| hu == -1000.0).collect();
    let volume = Volume::new(SHAPE, 1.0, Voxels::Hu(&hu), Some(&mask)).unwrap();
    let model = NoiseModel::estimate(&volume).unwrap();
    let after = denoise(&volume, &model, Settings::default()).unwrap();
    let denoised = Volume::new(SHAPE, 1.0, Voxels::Hu(&after), Some(&mask)).unwrap();
    let effect = Effect::measure(&volume, &model, &denoised).unwrap();
    for height in [1, 5, 16, 70] {
        let cut_to = |rows: &std::ops::Range<usize>| {
            let held = NoisePass::rows_needed(SHAPE, rows);
            (held.clone(), cut(&hu, held.clone()), cut(&after, held.clone()), cut(&mask, held))
        };
        let mut pass = NoisePass::first();
        for _ in 0..NoisePass::COUNT {
            let counted = |rows: std::ops::Range<usize>| {
                let (held, before, _, mask) = cut_to(&rows);
                let part = Volume::block(SHAPE, held, 1.0, Voxels::Hu(&before), Some(&mask)).unwrap();
                pass.count(&part, None, rows).unwrap()
            };
            let counts = in_bands(height, counted, NoiseCounts::merge);
            pass = pass.next(SHAPE, counts).unwrap();
        }
        assert_eq!(pass.found(), Some(&model), "bands of {height} rows");

        let mut pass = EffectPass::first();
        for _ in 0..EffectPass::COUNT {
            let counted = |rows: std::ops::Range<usize>| {
                let (held, before, after, mask) = cut_to(&rows);
                let block =
                    |hu| Volume::block(SHAPE, held.clone(), 1.0, Voxels::Hu(hu), Some(&mask)).unwrap();
                pass.count(&block(&before), &block(&after), rows).unwrap()
            };
            let counts = in_bands(height, counted, EffectCounts::merge);
            pass = pass.next(SHAPE, counts).unwrap();
        }
        assert_eq!(pass.found(&model).as_ref(), Some(&effect), "bands of {height} rows");
    }
}

#[test]
fn counts_of_another_pass_or_shape_are_refused_and_so_are_rows_that_are_not_at_hand() {
    let hu = noisy();
    let volume = Volume::new(SHAPE, 1.0, Voxels::Hu(&hu), None).unwrap();
    let count = |pass: &NoisePass| pass.count(&volume, None, 0..SHAPE.rows).unwrap();
    let first = NoisePass::first();
    let slopes = count(&first);
    let second = first.clone().next(SHAPE, slopes.clone()).unwrap();
    let magnitudes = count(&second);
    assert_eq!(first.next(SHAPE, magnitudes.clone()).unwrap_err(), Error::Counts);
    assert_eq!(slopes.merge(magnitudes.clone()).unwrap_err(), Error::Counts);
    let third = second.next(SHAPE, magnitudes).unwrap();
    let other = Shape { rows: 100, ..SHAPE };
    assert_eq!(third.clone().next(other, count(&third)).unwrap_err(), Error::Counts);
    let rows = cut(&hu, 20..40);
    let block = Volume::block(SHAPE, 20..40, 1.0, Voxels::Hu(&rows), None).unwrap();
    let error = third.count(&block, None, 25..35).unwrap_err().to_string();
    assert_eq!(error, "rows 25 to 35 need rows 20 to 48, and the volume holds 20 to 40");
}

#[test]
fn a_block_without_its_halo_is_refused() {
    let hu = noisy();
    let rows = cut(&hu, 20..40);
    let block = Volume::block(SHAPE, 20..40, 1.0, Voxels::Hu(&rows), None).unwrap();
    let model = NoiseModel::white(25.0);
    let denoiser = Denoiser::new(&block, &model, Settings::default()).unwrap();
    let error = denoiser.denoise(24..40, |_| Ok::<(), Error>(())).unwrap_err();
    assert_eq!(error.to_string(), "rows 24 to 40 need rows 16 to 48, and the volume holds 20 to 40");
}

/// SHA-256 of the denoised HU as little-endian floats, and of the noise model's numbers.
fn digest(hu: &[f32], spacing: f64, settings: Settings) -> String {
    let volume = Volume::new(SHAPE, spacing, Voxels::Hu(hu), None).unwrap();
    let model = NoiseModel::estimate(&volume).unwrap();
    let mut hash = Sha256::new();
    let numbers =
        [model.sigma].into_iter().chain(model.slice_correlation).chain(model.autocorrelation.clone());
    numbers.for_each(|number| hash.update(number.to_le_bytes()));
    model.map.ratios.iter().for_each(|ratio| hash.update(ratio.to_le_bytes()));
    denoise(&volume, &model, settings).unwrap().iter().for_each(|hu| hash.update(hu.to_le_bytes()));
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn the_digests_are_those_of_this_file() {
    let smooth = noisy();
    let white = sum(&phantom(SHAPE), &Normal(2).volume(SHAPE, 40.0));
    let [fast, default, best] = qualities();
    let found = [
        digest(&smooth, 1.0, fast),
        digest(&smooth, 1.0, default),
        digest(&smooth, 1.0, best),
        digest(&smooth, 4.0, default),
        digest(&smooth, 4.0, best),
        digest(&white, 1.0, default),
    ];
    let golden = [
        "9aa252eb10b24360a31680b6a96264ac91b5e6c446789f87839ac1f777b4d9c2",
        "29a1b94b4d316239ca2cf86ab40884660dba0af79524bd1bb6a3a93d7ea7ccfa",
        "e1446f2c07f3c344f72bea4e4745adcfd15926afceaf3a77f5b950be9234527b",
        "d9c0a5b9b53bff5807aab226ff9f214365b12393c4d1507df813138055426c1f",
        "9c5843ae806f5676c943420976fbb6af8f14f6792bd7a1f4f08d7b6afdb63b05",
        "cc1cd1391234acf16d37930d4baeed5d1ff0c92f10e4a9009c822f2038a32c42",
    ];
    assert_eq!(found, golden);
}
