//! What cannot be denoised, before anything is decoded.

use tomobasis_denoise::{Quality, Shape, check_geometry, working_bytes};
use tomobasis_dicom::{SeriesPlan, printable};

use super::samples::sampling;
use crate::{
    error::{Error, Result},
    memory::check_other,
};

/// CT Image Storage.
const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";

/// Whatever is small.
const SMALL: u128 = 32 << 20;

/// Refuses what is no CT volume of single images, and what the method refuses for its geometry; returns its shape and the distance of
/// its slices in mm.
///
/// # Errors
/// [`Error::Input`], [`Error::Denoise`].
pub(super) fn volume_of(plan: &SeriesPlan) -> Result<(Shape, f64)> {
    if plan.modality != "CT" || plan.rescale_unit != "HU" {
        let or = |text: &'static str, known: &str| {
            if known.is_empty() { text.to_owned() } else { known.to_owned() }
        };
        let (modality, unit) =
            (or("a series without Modality", &plan.modality), or("no unit", &plan.rescale_unit));
        let text = format!(
            "{modality} in {unit} can't be denoised: the noise model is that of CT in HU; give a CT series"
        );
        return Err(Error::Input(text));
    }
    if plan.sop_class_uid != CT_IMAGE || plan.slices.iter().any(|slice| slice.frames > 1) {
        let text =
            "multi-frame and secondary capture images can't be denoised yet; give a series of CT images";
        return Err(Error::Input(text.to_owned()));
    }
    let Some(spacing_mm) = plan.slice_spacing_mm else {
        let text =
            "all its slices are at one position or their distance is unknown; denoising needs a volume";
        return Err(Error::Input(text.to_owned()));
    };
    let shape = shape_of(plan);
    check_geometry(shape, spacing_mm)?;
    Ok((shape, spacing_mm))
}

fn shape_of(plan: &SeriesPlan) -> Shape {
    Shape { slices: plan.slices.len(), rows: plan.rows, columns: plan.columns }
}

/// Refuses by its headers what cannot be denoised.
///
/// # Errors
/// As [`volume_of`].
pub(in crate::commands) fn refuse_volume(plan: &SeriesPlan) -> Result<()> {
    volume_of(plan).map(|_| ())
}

/// Why a series is left out of those of an archive by its kind: it is of another modality.
pub(in crate::commands) fn why_left_out(plan: &SeriesPlan) -> Option<String> {
    let other = !plan.modality.is_empty() && plan.modality != "CT";
    other.then(|| format!("{}: only CT is denoised", printable(&plan.modality)))
}

/// Bytes of memory that denoising a volume takes, files that are held aside.
pub(in crate::commands) fn memory_needed(plan: &SeriesPlan, quality: Quality, threads: usize) -> u128 {
    let shape = shape_of(plan);
    // The scan, and the denoised one; on each thread a file, its slice and the instance.
    let voxels = shape.slices as u128 * plan.pixels() as u128;
    let files = (threads * 16 * plan.pixels()) as u128;
    // The report: samples of each band, of all of them, while they are encoded, and as text.
    let report = 28 * sampling(plan).samples() as u128;
    4 * voxels + (working_bytes(shape, quality, threads) as u128).max(files).max(report) + SMALL
}

/// Refuses what [`volume_of`] refuses, and what needs more memory than there is.
///
/// # Errors
/// [`Error::Input`], [`Error::Denoise`], [`Error::Memory`].
pub(super) fn check(plan: &SeriesPlan, quality: Quality, threads: usize) -> Result<()> {
    let (shape, _) = volume_of(plan)?;
    let needed = memory_needed(plan, quality, threads);
    let what = format!("denoising {} slices of {} x {} pixels", shape.slices, shape.rows, shape.columns);
    check_other(&what, needed, "give fewer --threads, or run it where there is more memory")
}
