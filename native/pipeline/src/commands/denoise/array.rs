//! A volume in memory to the same volume with less noise, without DICOM.
//!
//! The stages are those of a series, so voxels that mean the same HU become the same, to the bit.

use serde::Serialize;
use tomobasis_denoise::{
    DetailKept, Effect, Quality, Settings, Shape, Volume, Voxels, Windows, check_geometry, working_bytes,
};
use tomobasis_linalg::Rescale;

use super::{manifest::Noise, work::remarks};
use crate::{
    commands::runner::{Runner, Target},
    error::{Error, Result},
    memory::check_other,
    output::dicom::Grid,
    progress::Progress,
};

/// Noise, denoise.
const STAGES: usize = 2;

/// The voxels of a volume, slice after slice, each in row-major order.
#[derive(Clone, Copy, Debug)]
pub enum ArrayVoxels<'a> {
    /// Stored values less each slice's offset, and what makes HU of them; `range` is the least and the greatest stored value, offset
    /// included, that the result may have.
    Stored {
        /// Stored values.
        values: &'a [i16],
        /// One a slice.
        rescale: &'a [Rescale],
        /// Of stored values.
        range: (i32, i32),
    },
    /// HU.
    Hu(&'a [f32]),
}

/// Denoised voxels, of the kind that was given.
#[derive(Clone, Debug, PartialEq)]
pub enum DenoisedVoxels {
    /// Stored values less each slice's offset: rounded, ties to even.
    Stored(Vec<i16>),
    /// HU.
    Hu(Vec<f32>),
}

/// What the voxels are, and how they are denoised.
#[derive(Clone, Debug)]
pub struct ArrayOptions<'a> {
    /// Slices, rows, columns.
    pub shape: [usize; 3],
    /// Distance of slices in mm.
    pub spacing_mm: f64,
    /// Distance of rows and of columns in mm, where small details are to be tried.
    pub pixel_mm: Option<[f64; 2]>,
    /// Part of the noise that is removed, 0 to 1.
    pub strength: f32,
    /// `fast`, `default` or `best`.
    pub quality: &'a str,
}

/// A denoised volume.
#[derive(Debug)]
pub struct ArrayOutcome {
    /// The voxels.
    pub voxels: DenoisedVoxels,
    /// What a manifest says of it, as JSON: `patch`, `noise`, `windows`, `effect`, `details`, `clipped`.
    pub report: String,
    /// What its user must know.
    pub remarks: Vec<String>,
}

#[derive(Serialize)]
struct Report {
    patch: [usize; 3],
    noise: Noise,
    windows: Windows,
    effect: Effect,
    details: Vec<DetailKept>,
    clipped: u64,
}

/// Denoises a volume on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::Option`] for another quality; [`Error::Denoise`]; [`Error::Memory`]; [`Error::Stopped`].
pub fn denoise_array(
    voxels: ArrayVoxels<'_>,
    options: &ArrayOptions<'_>,
    threads: usize,
    progress: &dyn Progress,
) -> Result<ArrayOutcome> {
    tomobasis_linalg::check_machine()?;
    let [slices, rows, columns] = options.shape;
    let shape = Shape { slices, rows, columns };
    check_geometry(shape, options.spacing_mm)?;
    let settings = Settings { strength: options.strength, quality: quality(options.quality)? };
    let mut runner = Runner::with_stages(threads, progress, 0, STAGES)?;
    let bytes = if matches!(voxels, ArrayVoxels::Hu(_)) { 4 } else { 2 };
    let result = bytes * (slices * rows * columns) as u128;
    let working = working_bytes(shape, settings.quality, runner.pool.current_num_threads()) as u128;
    let what = format!("denoising {slices} slices of {rows} x {columns} pixels");
    check_other(&what, result + working, "give fewer --threads, or run it where there is more memory")?;

    let volume = |voxels| Volume::new(shape, options.spacing_mm, voxels, None);
    let (before, grids, rescale) = match voxels {
        ArrayVoxels::Hu(values) => (volume(Voxels::Hu(values))?, Vec::new(), [].as_slice()),
        ArrayVoxels::Stored { values, rescale, range } => {
            let grids = rescale.iter().map(|rescale| Grid::new(rescale, range)).collect();
            (volume(Voxels::Stored { values, rescale })?, grids, rescale)
        }
    };
    let length = slices * rows * columns;
    let mut target = match voxels {
        ArrayVoxels::Hu(_) => Target::Hu(vec![0.0; length]),
        ArrayVoxels::Stored { .. } => Target::Stored { grids: &grids, rescale, values: vec![0; length] },
    };
    let removal = runner.remove_noise(&before, settings, options.pixel_mm, 1, &mut target)?;
    let voxels = match target {
        Target::Hu(values) => DenoisedVoxels::Hu(values),
        Target::Stored { values, .. } => DenoisedVoxels::Stored(values),
    };
    let remarks = remarks(&removal.effect, removal.model.is_settled(), removal.clipped);
    let report = Report {
        patch: removal.patch,
        noise: Noise::of(&removal.model),
        windows: removal.windows,
        effect: removal.effect,
        details: removal.details,
        clipped: removal.clipped,
    };
    let report = serde_json::to_string(&report).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(ArrayOutcome { voxels, report, remarks: remarks.into_iter().map(|remark| remark.text).collect() })
}

fn quality(name: &str) -> Result<Quality> {
    serde_json::from_value(name.into())
        .map_err(|_| Error::option("--quality", format!("{name:?} is none; give fast, default or best")))
}
