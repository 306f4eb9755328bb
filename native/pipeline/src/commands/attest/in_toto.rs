//! in-toto Statement v1 (in-toto Attestation Framework): subjects with digests, and a predicate about them.

use serde_json::{Value, json};

use super::{Checked, NAME};
use crate::error::Result;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The type of our predicate, which docs/format.md defines.
const PREDICATE: &str = "urn:tomobasis:result:1";

/// Name of the subject that stands for the numbers of the result, whatever its files are.
const ROOT: &str = "root digest";

pub(super) fn statement(checked: &Checked) -> Result<Value> {
    let manifest = &checked.manifest;
    let files =
        checked.files.iter().filter_map(|(path, content)| Some((path.clone(), content.as_ref()?.sha256)));
    let subjects: Vec<Value> = files
        .chain([(ROOT.to_owned(), manifest.digests.root)])
        .map(|(name, digest)| json!({ "name": name, "digest": { "sha256": digest.to_string() } }))
        .collect();
    let without = checked.files.iter().filter(|(_, content)| content.is_none()).count();
    let run = &manifest.run;
    let mut predicate = json!({
        "format": manifest.format,
        "software": { "name": NAME, "version": run.version, "libraries": run.libraries },
        "series": super::json(&manifest.series)?,
        "parameters": super::json(&manifest.parameters)?,
        "result": super::json(&manifest.result)?,
        "digests": {
            "pixels": checked.digest(|digests| digests.pixels),
            "instances": checked.digest(|digests| digests.instances),
            "s": checked.digest(|digests| digests.s),
            "V": checked.digest(|digests| digests.v),
            "U": checked.digest(|digests| digests.u.root),
            "root": checked.digest(|digests| digests.root),
        },
        "filesWithoutDigest": without,
        "run": {
            "runner": run.environment.runner,
            "cores": run.environment.cores,
            "kernel": run.kernel,
            "instructionSet": run.instruction_set,
        },
    });
    if let Some(derived) = &manifest.derived {
        predicate["derived"] = super::json(derived)?;
    }
    Ok(json!({ "_type": STATEMENT, "subject": subjects, "predicateType": PREDICATE, "predicate": predicate }))
}
