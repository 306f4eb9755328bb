//! What a manifest tells of what lies beside the series, which another copy of the input may not have.

use serde_json::json;
use tomobasis_dicom::{JointPlan, UnjoinedSeries};

use crate::{
    error::{Error, Result},
    result::{Difference, Manifest, first_path},
    solve::Decomposition,
};

/// Takes over which series a joint matrix leaves out, which depends on what lies beside its own; returns what the input gives.
pub(super) fn adopt_unjoined(decomposition: &mut Decomposition, stored: &Manifest) -> Vec<UnjoinedSeries> {
    let adopt =
        |joint: &mut Box<JointPlan>| std::mem::replace(&mut joint.left_out, stored.series.unjoined.clone());
    decomposition.plan.joint.as_mut().map_or_else(Vec::new, adopt)
}

/// Takes over what is told of the input, which depends on the files that lie beside the series; where that differs.
pub(super) fn adopt_notes(
    made: &mut Manifest,
    stored: &Manifest,
    beside: Vec<UnjoinedSeries>,
) -> Result<Option<OtherNotes>> {
    made.series.unjoined = beside;
    let values = |manifest: &Manifest| {
        let series = &manifest.series;
        let json = |error: serde_json::Error| Error::Internal(error.to_string());
        Ok::<_, Error>([
            ("series.left_out", serde_json::to_value(&series.left_out).map_err(json)?),
            ("series.unjoined", serde_json::to_value(&series.unjoined).map_err(json)?),
            ("series.warnings", serde_json::to_value(&series.warnings).map_err(json)?),
        ])
    };
    let mut other: Option<OtherNotes> = None;
    for ((name, stored), (_, made)) in values(stored)?.into_iter().zip(values(made)?) {
        let Some(first) = first_path(&json!({ name: stored }), &json!({ name: made }), &[], true) else {
            continue;
        };
        other.get_or_insert_with(|| OtherNotes { names: Vec::new(), first }).names.push(name);
    }
    made.series.left_out.clone_from(&stored.series.left_out);
    made.series.unjoined.clone_from(&stored.series.unjoined);
    made.series.warnings.clone_from(&stored.series.warnings);
    Ok(other)
}

/// What is told of the input that the manifest has otherwise.
pub(super) struct OtherNotes {
    /// The manifest's values.
    names: Vec<&'static str>,
    /// In the first of them.
    first: Difference,
}

impl OtherNotes {
    /// Which they are, and the first difference.
    pub(super) fn told(&self) -> String {
        let names = match self.names.as_slice() {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [names @ .., last] => format!("{} and {last}", names.join(", ")),
        };
        let verb = if self.names.len() == 1 { "is" } else { "are" };
        format!("{names}, which {verb} not what this input gives ({})", self.first.with_input())
    }
}
