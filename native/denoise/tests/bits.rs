//! The same bits for any threads and any blocks of rows, and those of this file.

mod common;

use std::fmt::Write;

use common::{Normal, phantom, smooth_noise, sum};
use sha2::{Digest, Sha256};
use tomobasis_denoise::{Denoiser, Error, NoiseModel, Quality, Settings, Shape, Volume, Voxels, denoise};

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
            for block in [1, 8, 13, 32, 70] {
                for first in (0..SHAPE.rows).step_by(block) {
                    let rows = first..(first + block).min(SHAPE.rows);
                    let held = layout.rows_needed(&rows);
                    let (hu, mask) = (cut(&hu, held.clone()), cut(&mask, held.clone()));
                    let part = Volume::block(SHAPE, held, spacing, Voxels::Hu(&hu), Some(&mask)).unwrap();
                    let mut next = rows.start;
                    let denoiser = Denoiser::new(&part, &model, settings).unwrap();
                    denoiser
                        .denoise(rows.clone(), |band| {
                            assert_eq!(band.rows.start, next);
                            next = band.rows.end;
                            assert_eq!(bits(&band.hu), bits(&cut(&whole, band.rows)), "{block} {first}");
                            Ok::<(), Error>(())
                        })
                        .unwrap();
                    assert_eq!(next, rows.end);
                }
            }
        }
    }
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
        digest(&white, 1.0, default),
    ];
    let golden = [
        "4f93d6fb9733f3bd075848402ce9197f33fdd987b360f3d4684b88d7917e6bce",
        "9ac8515a76279c35f3e7cc8511edde2c0522c0379bfc38d170522d33b5dc9b02",
        "f0e8d9f53d266e6ddad63376784b4f7ccd2151e72664f09b5a51a01737cb0248",
        "69dcd5136d178f8d4bafa0b7cfce26c966ed6d3dd0dca58050805ea499ea8035",
        "b80af21fddd4800cec62de0cf58bf296e85fabf9609dbfd14f742bc92a8ae7c5",
    ];
    assert_eq!(found, golden);
}
