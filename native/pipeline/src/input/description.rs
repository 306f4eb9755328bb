//! A series in words.

use tomobasis_dicom::{SeriesPlan, decimals};

use super::matrix::is_matrix;

/// The series, or matrix, in one line, without anything about the patient.
#[must_use]
pub fn describe_series(plan: &SeriesPlan) -> String {
    if is_matrix(plan) {
        return format!("a matrix of {} x {}", plan.rows, plan.slices.len());
    }
    let pixel = plan.pixel_spacing_mm;
    let pixel = pixel.map_or_else(String::new, |pixel| format!(" of {} mm", pixel.map(decimals).join(" x ")));
    let step =
        plan.slice_spacing_mm.map_or_else(String::new, |step| format!(", every {} mm", decimals(step)));
    format!(
        "{} slices of {} x {} pixels{pixel}{step} ({})",
        plan.slices.len(),
        plan.rows,
        plan.columns,
        plan.modality
    )
}
