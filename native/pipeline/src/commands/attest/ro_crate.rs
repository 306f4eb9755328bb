//! Process Run Crate 0.5, a profile of RO-Crate 1.1: what was run on what, with which parameters, and the files that came out.

use serde_json::{Map, Value, json};

use super::{Checked, DESCRIPTION, NAME, encode};
use crate::error::Result;

const CONTEXT: &str = "https://w3id.org/ro/crate/1.1/context";
const SPECIFICATION: &str = "https://w3id.org/ro/crate/1.1";
const PROFILE: &str = "https://w3id.org/ro/wfrun/process/0.5";
/// The term that the context of RO-Crate 1.1 lacks.
const SHA256: &str = "https://w3id.org/ro/terms/workflow-run#sha256";

const RUN: &str = "#decompose";
const INPUT: &str = "#input";

/// The crate whose files are at `prefix`, published on `date`.
pub(super) fn crate_of(checked: &Checked, prefix: &str, license: Option<&str>, date: &str) -> Result<Value> {
    let manifest = &checked.manifest;
    let software = format!("urn:tomobasis:software:{}", encode(&manifest.run.version));
    let files: Vec<Value> = checked.files.iter().map(|file| entity(prefix, file)).collect();
    let parts: Vec<Value> = files.iter().map(|file| json!({ "@id": file["@id"] })).collect();
    let parameters = parameters(&super::json(&manifest.parameters)?);
    let used: Vec<Value> = std::iter::once(INPUT.to_owned())
        .chain(parameters.iter().filter_map(|parameter| Some(parameter["@id"].as_str()?.to_owned())))
        .map(|id| json!({ "@id": id }))
        .collect();
    let (license, stated) = match license {
        Some(license) if license.contains("://") => (
            json!({ "@id": license }),
            Some(json!({ "@id": license, "@type": "CreativeWork", "name": license })),
        ),
        Some(license) => (json!(license), None),
        None => (json!("No license is stated; the rights in the result are those in its input."), None),
    };
    let root = checked.digest(|digests| digests.root);
    let graph = [
        json!({
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": { "@id": SPECIFICATION },
            "about": { "@id": "./" },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": DESCRIPTION,
            "description": format!("{}. Root digest {root}.", checked.sentence()),
            "identifier": format!("sha256:{root}"),
            "datePublished": date,
            "license": license,
            "conformsTo": { "@id": PROFILE },
            "hasPart": parts,
            "mentions": { "@id": RUN },
        }),
        json!({ "@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5" }),
        json!({
            "@id": software,
            "@type": "SoftwareApplication",
            "name": NAME,
            "softwareVersion": manifest.run.version,
            "softwareRequirements": manifest.run.libraries,
        }),
        json!({
            "@id": RUN,
            "@type": "CreateAction",
            "name": "tomobasis decompose",
            "description": format!("{}; {}", checked.sentence(), manifest.result.promise),
            "instrument": { "@id": software },
            "object": used,
            "result": parts,
            "actionStatus": { "@id": "http://schema.org/CompletedActionStatus" },
        }),
        json!({
            "@id": INPUT,
            "@type": "CreativeWork",
            "name": "What was decomposed; it is not part of the crate",
            "description": "The identifier is the digest of its pixels, which docs/format.md of TomoBasis defines",
            "identifier": format!("sha256:{}", checked.digest(|digests| digests.pixels)),
        }),
    ];
    let graph: Vec<Value> = graph.into_iter().chain(stated).chain(parameters).chain(files).collect();
    Ok(json!({ "@context": [CONTEXT, { "sha256": SHA256 }], "@graph": graph }))
}

/// A file of the result.
fn entity(prefix: &str, (path, content): &(String, Option<crate::output::FileDigest>)) -> Value {
    let id: Vec<String> = path.split('/').map(encode).collect();
    let mut file = Map::from_iter([
        ("@id".to_owned(), json!(format!("{prefix}{}", id.join("/")))),
        ("@type".to_owned(), json!("File")),
        ("name".to_owned(), json!(path)),
        ("encodingFormat".to_owned(), json!(encoding(path))),
    ]);
    if let Some(content) = content {
        file.insert("contentSize".to_owned(), json!(content.bytes.to_string()));
        file.insert("sha256".to_owned(), json!(content.sha256.to_string()));
    }
    Value::Object(file)
}

fn encoding(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("parquet") => "application/vnd.apache.parquet",
        Some("png") => "image/png",
        Some("html") => "text/html",
        Some("json") => "application/json",
        Some("dcm") => "application/dicom",
        _ => "application/octet-stream",
    }
}

/// The parameters of the run, each with its value as text.
fn parameters(section: &Value) -> Vec<Value> {
    let entry = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        json!({ "@id": format!("#parameter-{name}"), "@type": "PropertyValue", "name": name, "value": text })
    };
    section.as_object().into_iter().flatten().map(entry).collect()
}
