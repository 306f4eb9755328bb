//! The command line that makes a result again, from its manifest alone.

use clap::ValueEnum;
use tomobasis_dicom::{Note, NoteKind};

use crate::{
    options::{DicomSyntax, Method, Padding, RankChoice},
    result::Manifest,
};

/// The options of `decompose` besides input and output. What says which series it is, is a UID, and in no manifest; the ids of those of a
/// joint matrix are.
pub(super) fn options(manifest: &Manifest) -> Vec<String> {
    let parameters = &manifest.parameters;
    let mut words = Vec::new();
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    if !parameters.input_format.is_scan() {
        add("--input-format", word(&parameters.input_format));
    } else if parameters.padding != Padding::Air {
        add("--padding", word(&parameters.padding));
    }
    if !matches!(parameters.method, Method::Gram { .. }) {
        add("--method", parameters.method.name().to_owned());
    }
    match parameters.rank {
        RankChoice::Full => {}
        RankChoice::Columns(k) => add("--rank", k.to_string()),
        RankChoice::Auto => add("--rank", "auto".to_owned()),
        RankChoice::Energy(share) => add("--energy", share.to_string()),
    }
    if let Some(sketching) = parameters.method.sketching() {
        add("--oversample", sketching.oversample.to_string());
        add("--power-iterations", sketching.power_iterations.to_string());
        add("--seed", sketching.seed.to_string());
    }
    if !manifest.result.composites.is_empty() {
        add("--composite", join(manifest.result.composites.iter().map(|one| one.k.to_string())));
    }
    add("--emit", join(manifest.emitted.iter().map(word)));
    if !parameters.report.is_sampled() {
        add("--report", word(&parameters.report));
    }
    if let Some(derived) = &manifest.derived {
        if derived.syntax != DicomSyntax::default() {
            add("--dicom-syntax", word(&derived.syntax));
        }
        if !derived.patient_data {
            words.push("--no-patient-data".to_owned());
        }
    }
    match parameters.method {
        Method::Gram { center: Some(center) } => {
            words.extend(["--center".to_owned(), center.name().to_owned()]);
        }
        Method::Tsqr { center: true } => words.extend(["--center".to_owned(), "pixels".to_owned()]),
        _ => {}
    }
    words.extend(of_input(manifest).map(str::to_owned));
    if parameters.joint.is_some() {
        let series: Vec<&str> = manifest.series.joined.iter().map(|one| one.series.as_str()).collect();
        words.extend(["--basis", "joint", "--series", &series.join(",")].map(str::to_owned));
    }
    words
}

/// The options that say how the scan is read: those that `verify` has too.
pub(super) fn of_input(manifest: &Manifest) -> impl Iterator<Item = &'static str> {
    let joined: &[&str] = if noted(manifest, NoteKind::Joined) { &["--join"] } else { &[] };
    let skipped: &[&str] = if noted(manifest, NoteKind::Skipped) { &["--on-bad-slice", "skip"] } else { &[] };
    joined.iter().chain(skipped).copied()
}

/// Whether the manifest says this of the input.
pub(super) fn noted(manifest: &Manifest, kind: NoteKind) -> bool {
    let is_it = |note: &Note| note.kind == kind;
    manifest.series.left_out.iter().chain(&manifest.series.warnings).any(is_it)
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(",")
}
