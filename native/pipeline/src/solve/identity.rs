//! What a series is, as one digest: later runs know by it whether they have the same.

use serde_json::{Value, json};
use tomobasis_dicom::{Secret, SeriesPlan, SliceRecord};

use super::digest::Digest;
use crate::error::{Error, Result};

/// Digest of all of a series that a result depends on: its slices' pixels, UIDs, places and rescales. Not of what a header says
/// besides, which reaches derived DICOM alone.
///
/// # Errors
/// [`Error::Internal`] when the plan cannot be written as JSON.
pub fn fingerprint(plan: &SeriesPlan, records: &[SliceRecord]) -> Result<Digest> {
    let slices: Vec<Value> = plan
        .slices
        .iter()
        .map(|slice| {
            json!([
                slice.instance_uid,
                slice.frame,
                slice.frames,
                slice.origin_mm,
                slice.position_mm,
                slice.instance_number,
                slice.slope,
                slice.intercept,
                slice.offset,
                slice.padding,
                slice.transfer_syntax,
                slice.pixels,
            ])
        })
        .collect();
    let what = json!({
        "series": plan.series_instance_uid, "frame_of_reference": plan.frame_of_reference_uid,
        "class": plan.sop_class_uid, "modality": plan.modality, "size": [plan.rows, plan.columns],
        "spacing": [json!(plan.pixel_spacing_mm), json!(plan.slice_spacing_mm)], "orientation": plan.orientation,
        "unit": plan.rescale_unit, "window": plan.window, "skipped": plan.skipped_mm, "slices": slices,
    });
    let json = serde_json::to_vec(&what).map_err(|error| Error::Internal(error.to_string()))?;
    let secret = Secret::of_series(records.iter().map(|record| record.secret));
    Ok(Digest::of([b"tomobasis series 1\n".as_slice(), &secret.0, &json]))
}
