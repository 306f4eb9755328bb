//! `dataset_description.json` of a BIDS derivative, which says what generated it of what.

use serde_json::{Value, json};

use super::{Checked, DESCRIPTION, NAME};

/// The version of the specification whose fields these are.
const VERSION: &str = "1.10.0";

pub(super) fn description(checked: &Checked, license: Option<&str>) -> Value {
    let manifest = &checked.manifest;
    let root = checked.digest(|digests| digests.root);
    let pixels = checked.digest(|digests| digests.pixels);
    let mut description = json!({
        "Name": DESCRIPTION,
        "BIDSVersion": VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{
            "Name": NAME,
            "Version": manifest.run.version,
            "Description": format!(
                "{}; root digest sha256:{root}; the parameters are in the result's manifest.json",
                checked.sentence()
            ),
        }],
        "SourceDatasets": [{ "Version": format!("pixels sha256:{pixels}") }],
    });
    if let Some(license) = license {
        description["License"] = json!(license);
    }
    description
}
