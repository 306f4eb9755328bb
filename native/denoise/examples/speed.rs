//! How long denoising takes: a ball of tissue in noise, in each quality.
//!
//! cargo run --release -p tomobasis-denoise --example speed -- [SLICES [SIDE]]

use std::{error::Error, time::Instant};

use tomobasis_denoise::{NoiseModel, Quality, Settings, Shape, Volume, Voxels, denoise};

fn main() -> Result<(), Box<dyn Error>> {
    let mut sizes = std::env::args().skip(1).map(|word| word.parse());
    let slices = sizes.next().transpose()?.unwrap_or(32);
    let side = sizes.next().transpose()?.unwrap_or(512);
    let shape = Shape { slices, rows: side, columns: side };
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 26) as f32 - 31.5
    };
    let half = side as f32 / 2.0;
    let from_center = |at: usize| ((at / side % side) as f32 - half).hypot((at % side) as f32 - half);
    let hu: Vec<f32> = (0..slices * side * side)
        .map(|at| if from_center(at) < 0.8 * half { 40.0 } else { -1000.0 } + noise())
        .collect();
    let volume = Volume::new(shape, 1.0, Voxels::Hu(&hu), None)?;
    let began = Instant::now();
    let model = NoiseModel::estimate(&volume)?;
    println!("noise {:.1} HU: {:.2} s", model.sigma, began.elapsed().as_secs_f64());
    for quality in [Quality::Fast, Quality::Default, Quality::Best] {
        let began = Instant::now();
        denoise(&volume, &model, Settings { quality, ..Settings::default() })?;
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{quality:?}: {seconds:.2} s, {:.2} million voxels a second",
            hu.len() as f64 / seconds / 1e6
        );
    }
    Ok(())
}
