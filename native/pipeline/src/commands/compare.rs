//! Are they the same? Two results against each other; or two DICOM series ([`compare_series`]).
//!
//! Each folder is first compared with its own manifest, as in [`verify`](super::verify), then the digests in the order of the
//! computation, the pixels of the derived series that both have, the values of the manifests that follow from what the digests cover
//! (`manifests`), and the files that both have. Other values of the manifests, which tell what was asked for, may differ: that is told.

mod manifests;
mod page;
mod reconstructions;
mod series;

use std::{collections::BTreeMap, path::Path};

pub use self::{
    page::Page,
    series::{SeriesComparison, are_series, compare_series},
};
use crate::{
    commands::{
        denoise::{self, DenoisedFolder},
        verify::{Checked, Scope, check_room},
    },
    error::{Error, Result},
    input::{layout::block_count, listing::local_path},
    memory,
    output::dicom::DerivedSeries,
    progress::Progress,
    result::{
        FileEntry, FolderNotes, MANIFEST, Manifest, ResultFolder, first_difference, name_some, read_complete,
    },
};

/// How far the files of two results can be compared.
#[derive(Clone, Copy, PartialEq)]
enum Files {
    /// Byte by byte.
    All,
    /// Byte by byte but for derived DICOM, which was written in different ways: its pixels.
    ButDicom,
    /// By their numbers: one manifest lists none, or different versions wrote them.
    Numbers(&'static str),
}

/// Compares two result folders.
///
/// # Errors
/// [`Error::Differs`] naming the first difference.
pub fn compare(a: &str, b: &str, threads: usize, progress: &dyn Progress) -> Result<Checked> {
    let paths = (local_path("A", a)?, local_path("B", b)?);
    let (json_a, json_b) = (read_complete(&paths.0)?, read_complete(&paths.1)?);
    match (DenoisedFolder::is_of(&json_a), DenoisedFolder::is_of(&json_b)) {
        (true, true) => {
            let a = DenoisedFolder::of_manifest(&paths.0, json_a)?;
            let b = DenoisedFolder::of_manifest(&paths.1, json_b)?;
            let closing = denoise::compare(&a, &b, threads, progress)?;
            let digest = a.manifest.digests.denoised;
            return Ok(Checked { closing, digest, scope: Scope::all(None) });
        }
        (false, false) => {}
        _ => {
            let problem = "one folder is a denoised series, the other is not; give two of one kind";
            return Err(Error::result_file(MANIFEST, problem));
        }
    }
    let pool = memory::pool(threads)?;
    let open =
        |number: usize, name: &'static str, path: &Path, json| -> Result<(ResultFolder, FolderNotes)> {
            let folder = ResultFolder::of_manifest(path, json)?;
            let in_folder = |error| match error {
                Error::Differs(what) => Error::Differs(format!("{name}: {what}")),
                other => other,
            };
            folder.check_manifest().map_err(in_folder)?;
            check_room(&folder, &pool)?;
            progress.stage(number, 2, &format!("check {name}"), "files", folder.steps());
            let check = || {
                let notes = folder.check(progress)?;
                folder.check_derived_series().map(|()| notes)
            };
            let notes = pool.install(check).map_err(in_folder)?;
            Ok((folder, notes))
        };
    let ((a, of_a), (b, of_b)) = (open(1, "A", &paths.0, json_a)?, open(2, "B", &paths.1, json_b)?);
    tell_apart(&a.manifest, &b.manifest, progress);
    let differing = || differing_series(&a.manifest, &b.manifest);
    if let Some(what) = first_difference(&a.manifest.digests, &b.manifest.digests).or_else(differing) {
        let place = a.first_number(&b)?.map(|found| format!("; {}", found.told("in A", "in B")));
        return Err(Error::Differs(format!(
            "A and B differ: the first difference is the digest of {what}{}",
            place.unwrap_or_default()
        )));
    }
    let scope = Files::of(&a, &b);
    let values = manifests::compare(&a.manifest, &b.manifest, !matches!(scope, Files::Numbers(_)))?;
    let compared = pool.install(|| compare_files(&a, &b, scope)).map_err(|error| match (error, &values) {
        (Error::Differs(files), Some(value)) => Error::Differs(format!("{files}; {MANIFEST}: {value}")),
        (error, _) => error,
    })?;
    let notes = [of_a.lines("A"), of_b.lines("B")].concat();
    let closing = closing(&a.manifest, scope, compared, values.as_deref(), &notes);
    let blocks = block_count(a.manifest.result.rows);
    Ok(Checked { closing, digest: a.manifest.digests.root, scope: Scope::all(Some(blocks)) })
}

/// What is told besides.
fn tell_apart(a: &Manifest, b: &Manifest, progress: &dyn Progress) {
    let ranks = |manifest| series(manifest).iter().map(|series| series.k).collect::<Vec<_>>();
    if ranks(a) != ranks(b) {
        progress.message("A and B have not the same derived series; those that both have were compared");
    }
    if a.padding_line() != b.padding_line() {
        progress.message("A and B differ in what became of padding (--padding)");
    }
}

fn series(manifest: &Manifest) -> Vec<DerivedSeries> {
    manifest.derived.iter().flat_map(|section| section.series.clone()).collect()
}

fn differing_series(a: &Manifest, b: &Manifest) -> Option<String> {
    let (a, b) = (series(a), series(b));
    let differing = a.iter().find(|a| b.iter().any(|b| b.k == a.k && b != *a));
    differing.map(|series| format!("the pixels of the derived series k={}", series.k))
}

impl Files {
    fn of(a: &ResultFolder, b: &ResultFolder) -> Self {
        let (a, b) = (&a.manifest, &b.manifest);
        let version = |manifest: &Manifest| (manifest.run.version.clone(), manifest.run.libraries.clone());
        if a.files.is_none() || b.files.is_none() {
            return Self::Numbers("a manifest lists no files (an older format)");
        }
        if version(a) != version(b) {
            return Self::Numbers("different versions wrote them");
        }
        match (&a.derived, &b.derived) {
            (Some(a), Some(b)) if (a.syntax, a.patient_data) != (b.syntax, b.patient_data) => Self::ButDicom,
            _ => Self::All,
        }
    }
}

/// Compares the files that both results have, the report apart; returns how many.
fn compare_files(a: &ResultFolder, b: &ResultFolder, scope: Files) -> Result<usize> {
    if matches!(scope, Files::Numbers(_)) {
        return Ok(0);
    }
    let by_path = |folder: &'_ ResultFolder| -> BTreeMap<String, FileEntry> {
        let files = folder.manifest.files.iter().flatten();
        files.map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (files, others) = (by_path(a), by_path(b));
    let (mut compared, mut differing) = (0, Vec::new());
    for (path, file) in &files {
        let Some(other) = others.get(path) else { continue };
        let same = match (file.content(), other.content()) {
            (Some(one), Some(other)) => one == other,
            _ if scope == Files::ButDicom => continue,
            _ => a.digest_of(path)? == b.digest_of(path)?,
        };
        compared += 1;
        if !same {
            differing.push(format!("{path}: A and B have other bytes of it, under the same root digest"));
        }
    }
    if differing.is_empty() { Ok(compared) } else { Err(Error::Differs(name_some(&differing))) }
}

/// What was compared, in words.
fn closing(manifest: &Manifest, scope: Files, files: usize, value: Option<&str>, notes: &[String]) -> String {
    let compared = match scope {
        Files::All => format!("{files} that both have, every byte; not the reports, which hold times"),
        Files::ButDicom => format!(
            "{files} that both have, every byte; of derived DICOM, written in different ways, the pixels; not the reports"
        ),
        Files::Numbers(why) => {
            format!("tables and derived pixels by their numbers; not pictures and reports, since {why}")
        }
    };
    let values = match value {
        None => "the same values of series, parameters and result".to_owned(),
        Some(value) => format!("not the same, which is no difference of the results: {value}"),
    };
    let mut lines = vec![
        "same         every bit of the pixels, s, V, U, and the derived pixels that both have".to_owned(),
        format!("files        {compared}"),
    ];
    lines.extend_from_slice(notes);
    lines.push(format!("manifests    {values}"));
    lines.push(format!("root digest  {}", manifest.digests.root));
    lines.join("\n")
}
