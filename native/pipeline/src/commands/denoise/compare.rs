//! Are they the same? Two denoised series against each other.

use serde_json::Value;

use super::DenoisedFolder;
use crate::{
    error::{Error, Result},
    memory,
    progress::Progress,
    result::{MANIFEST, digest_of, first_path, name_some},
};

/// Compares two denoised series; returns what to print.
///
/// # Errors
/// [`Error::Differs`] naming the first difference.
pub(in crate::commands) fn compare(
    a: &DenoisedFolder,
    b: &DenoisedFolder,
    threads: usize,
    progress: &dyn Progress,
) -> Result<String> {
    let pool = memory::pool(threads)?;
    let mut notes = Vec::new();
    for (number, name, folder) in [(1, "A", a), (2, "B", b)] {
        let in_folder = |error| match error {
            Error::Differs(what) => Error::Differs(format!("{name}: {what}")),
            other => other,
        };
        folder.check_seal().map_err(in_folder)?;
        progress.stage(number, 2, &format!("check {name}"), "files", folder.listed() as u64);
        notes.extend(pool.install(|| folder.check(progress)).map_err(in_folder)?.lines(name));
    }
    let (one, other) = (&a.manifest, &b.manifest);
    for (what, differs) in [
        ("pixels of the input", one.digests.pixels != other.digests.pixels),
        ("denoised pixels", one.digests.denoised != other.digests.denoised),
    ] {
        if differs {
            return Err(Error::Differs(format!(
                "A and B differ: the first difference is the digest of the {what}"
            )));
        }
    }
    let as_json = |error: serde_json::Error| Error::Internal(error.to_string());
    let (first, second): (Value, Value) = (
        serde_json::from_slice(&a.json).map_err(as_json)?,
        serde_json::from_slice(&b.json).map_err(as_json)?,
    );
    let version = |folder: &DenoisedFolder| {
        let run = &folder.manifest.run;
        (run.version.clone(), run.libraries.clone())
    };
    // One version says the same of one series that it denoised in one way.
    let settings = |folder: &DenoisedFolder| {
        let parameters = &folder.manifest.parameters;
        (parameters.strength.to_bits(), parameters.quality)
    };
    let instances = |folder: &DenoisedFolder| folder.manifest.digests.instances;
    let same_run = (version(a), instances(a), settings(a)) == (version(b), instances(b), settings(b));
    let of_way = ["digests", "files", "run", "series", "parameters.dicom_syntax", "parameters.patient_data"];
    if same_run
        && one.series.has_geometry_of(&other.series)
        && let Some(difference) = first_path(&first, &second, &of_way, true)
    {
        return Err(Error::Differs(format!(
            "{MANIFEST}: {}, though both have the same pixels before and after: one of them was changed",
            difference.of_two()
        )));
    }
    let skip = ["digests", "files", "run"];
    let value = first_path(&first, &second, &skip, true).map(|difference| difference.of_two());

    let way = |folder: &DenoisedFolder| {
        let parameters = &folder.manifest.parameters;
        (parameters.dicom_syntax, parameters.patient_data)
    };
    let files = if version(a) != version(b) {
        "by their pixels, since different versions wrote them".to_owned()
    } else if one.digests.instances != other.digests.instances {
        "by their pixels, since the instance UIDs of their inputs differ".to_owned()
    } else if way(a) != way(b) {
        "by their pixels, since they were written in different ways".to_owned()
    } else {
        format!("{}, every byte", compare_files(a, b)?)
    };
    let values = match value {
        None => "the same values".to_owned(),
        Some(value) => format!("not the same, which is no difference of the pixels: {value}"),
    };
    let mut lines = vec![
        "same         every bit of the pixels and of the denoised pixels".to_owned(),
        format!("files        {files}"),
    ];
    lines.extend(notes);
    lines.push(format!("manifests    {values}"));
    lines.push(format!("denoised     {}", one.digests.denoised));
    Ok(lines.join("\n"))
}

/// Compares the files that both have; returns how many. Those that are listed without digests are read.
fn compare_files(a: &DenoisedFolder, b: &DenoisedFolder) -> Result<usize> {
    let (mut compared, mut differing) = (0, Vec::new());
    for file in &a.manifest.files {
        let Some(other) = b.manifest.files.iter().find(|other| other.path == file.path) else { continue };
        let digest = |folder: &DenoisedFolder| {
            digest_of(&folder.path.join(&file.path))
                .map_err(|source| Error::System { file: file.path.clone(), source })
        };
        let same = match (file.content(), other.content()) {
            (Some(one), Some(other)) => one == other,
            _ => digest(a)? == digest(b)?,
        };
        compared += 1;
        if !same {
            differing.push(format!("{}: A and B have other bytes of it, under the same digests", file.path));
        }
    }
    if differing.is_empty() { Ok(compared) } else { Err(Error::Differs(name_some(&differing))) }
}
