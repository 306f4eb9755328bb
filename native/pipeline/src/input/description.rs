//! A series in words.

use tomobasis_dicom::{SeriesPlan, decimals};

/// The series in one line, without anything about the patient.
#[must_use]
pub fn describe_series(plan: &SeriesPlan) -> String {
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
