//! A series in words.

use tomobasis_dicom::{SeriesPlan, decimals};

use crate::options::InputFormat;

/// The series, or matrix, in one line, without anything about the patient.
#[must_use]
pub fn describe_input(plan: &SeriesPlan, format: InputFormat) -> String {
    match format.is_scan() {
        true => describe_series(plan),
        false => describe_matrix(plan),
    }
}

/// A matrix in one line.
#[must_use]
pub fn describe_matrix(plan: &SeriesPlan) -> String {
    format!("a matrix of {} x {}", plan.rows, plan.slices.len())
}

/// A series, or several as one matrix, in one line.
#[must_use]
pub fn describe_series(plan: &SeriesPlan) -> String {
    let pixel = plan.pixel_spacing_mm;
    let pixel = pixel.map_or_else(String::new, |pixel| format!(" of {} mm", pixel.map(decimals).join(" x ")));
    let series = plan.joint.as_ref().map_or_else(String::new, |joint| match joint.series.len() {
        1 => " of one series,".to_owned(),
        series => format!(" of {series} series,"),
    });
    let step =
        plan.slice_spacing_mm.map_or_else(String::new, |step| format!(", every {} mm", decimals(step)));
    format!(
        "{} slices{series} of {} x {} pixels{pixel}{step} ({})",
        plan.slices.len(),
        plan.rows,
        plan.columns,
        plan.modality
    )
}
