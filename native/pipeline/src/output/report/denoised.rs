//! The report of a denoised series: original, denoised and removed side by side, and what can be known of the noise without the truth.

use askama::Template;
use tomobasis_denoise::{DetailKept, Effect, NoiseModel, Windows};
use tomobasis_dicom::{Note, SeriesPlan};

use super::{
    Figure, REPORT, Rows,
    browser::{Browser, DenoisedVolume},
    geometry, script,
};
use crate::{
    error::{Error, Result},
    input::describe_series,
    output::{NamedFile, pictures},
    solve::digest::Digest,
};

/// What the report shows of a denoised series.
pub(crate) struct Content<'a> {
    pub plan: &'a SeriesPlan,
    /// `WARNING` or `Note`, and what must be known.
    pub remarks: &'a [(&'static str, String)],
    pub model: &'a NoiseModel,
    pub windows: Windows,
    pub effect: &'a Effect,
    pub details: &'a [DetailKept],
    /// Values beyond what can be stored.
    pub clipped: u64,
    /// How it was denoised.
    pub parameters: Rows,
    /// Of the pixels before, the instances, the pixels after.
    pub digests: [(&'static str, Digest); 3],
    /// What the folder held besides the slices.
    pub left_out: &'a [Note],
    /// What is unusual about the series.
    pub warnings: &'a [Note],
    /// How it was run.
    pub run: Rows,
    pub pictures: &'a [NamedFile],
    /// For the browser.
    pub volume: DenoisedVolume<'a>,
}

/// What the template shows, by the names that it has there.
#[derive(Template)]
#[template(path = "denoised.html")]
struct Page<'a> {
    series: String,
    denoised: Digest,
    remarks: &'a [(&'static str, String)],
    browser: Option<Browser<'a>>,
    /// The browser's script, and what the page's policy calls it.
    script: String,
    policy: String,
    comparison: Option<Figure<'a>>,
    spectrum: Option<Figure<'a>>,
    removed: Rows,
    details: Vec<[String; 5]>,
    noise: Vec<(&'static str, String, String)>,
    model: Rows,
    parameters: &'a Rows,
    digests: &'a [(&'static str, Digest); 3],
    geometry: Rows,
    left_out: &'a [Note],
    warnings: &'a [Note],
    run: &'a Rows,
}

/// The report's file.
///
/// # Errors
/// [`Error::Internal`] when the template cannot be filled in.
pub(crate) fn denoised_page(content: &Content<'_>) -> Result<NamedFile> {
    let Content { plan, model, effect, pictures, .. } = *content;
    let [.., (_, denoised)] = content.digests;
    let script = script::script();
    let page = Page {
        series: describe_series(plan),
        denoised,
        remarks: content.remarks,
        browser: Some(Browser::of_denoised(plan, &content.volume)?),
        policy: script::policy(&script),
        script,
        comparison: Figure::of(
            pictures,
            pictures::DENOISED,
            "The middle slice as it was scanned, denoised, and the difference of the two",
            "The middle slice as it was scanned and denoised, in the same window, and what was removed: original minus denoised, purple \
             below and orange above zero.",
        ),
        spectrum: Figure::of(
            pictures,
            pictures::NOISE,
            "Noise power against spatial frequency, before and after",
            "Noise power within slices at each spatial frequency, averaged over directions. The noise that is left is coarser: its power \
             is at lower frequencies.",
        ),
        removed: removed(effect, content.windows, content.clipped),
        details: content.details.iter().map(detail).collect(),
        noise: noise(effect),
        model: described(model),
        parameters: &content.parameters,
        digests: &content.digests,
        geometry: geometry(plan),
        left_out: content.left_out,
        warnings: content.warnings,
        run: &content.run,
    };
    let html = page.render().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(NamedFile { path: REPORT.to_owned(), bytes: html.into_bytes() })
}

fn rows<const N: usize>(rows: [(&str, String); N]) -> Rows {
    rows.map(|(name, value)| (name.to_owned(), value)).into()
}

fn removed(effect: &Effect, windows: Windows, clipped: u64) -> Rows {
    let removed = &effect.removed;
    let structure = match removed.structure {
        None => "nothing was removed".to_owned(),
        Some(structure) => format!(
            "{structure:.2}{}",
            if removed.alarm { ": ALARM, anatomy may be missing" } else { " (an alarm above 1.1)" }
        ),
    };
    rows([
        ("Mean, in flat tissue", format!("{:+.2} HU (should be about 0)", removed.mean)),
        (
            "Standard deviation, in flat tissue",
            format!(
                "{:.2} HU, {:.2} of that of the noise (should be about the strength)",
                removed.sd, removed.part_of_noise
            ),
        ),
        (
            "Correlation of neighbors",
            format!(
                "{:.2}, and {:.2} in the noise (should be about alike)",
                removed.correlation, removed.noise_correlation
            ),
        ),
        ("Structure: at the strongest 10 % of edges, relative to flat tissue", structure),
        (
            "Windows of air, in which local means replace all that is weaker than about the noise",
            air(windows),
        ),
        ("Values beyond the stored range, set to its end", clipped.to_string()),
    ])
}

fn air(Windows { all, air }: Windows) -> String {
    format!("{air} of {all} ({:.1} %)", 100.0 * air as f64 / all.max(1) as f64)
}

fn detail(detail: &DetailKept) -> [String; 5] {
    let kept = detail.kept.map_or("no flat place".to_owned(), |kept| format!("{:.0} %", 100.0 * kept));
    [
        format!("{:+} HU", detail.contrast),
        format!("{} mm", detail.diameter_mm),
        detail.slices.to_string(),
        detail.places.to_string(),
        kept,
    ]
}

fn noise(effect: &Effect) -> Vec<(&'static str, String, String)> {
    let pair = |name, of: &dyn Fn(&tomobasis_denoise::NoiseFigures) -> String| {
        (name, of(&effect.before), of(&effect.after))
    };
    vec![
        pair("Standard deviation, HU", &|noise| format!("{:.2}", noise.sigma)),
        pair("Strongest at, cycles per voxel", &|noise| format!("{:.3}", noise.peak_frequency)),
        pair("Mean frequency, cycles per voxel", &|noise| format!("{:.3}", noise.mean_frequency)),
    ]
}

fn described(model: &NoiseModel) -> Rows {
    let [one, two, three] = model.sigma_by_distance;
    let [near, far] = model.slice_correlation;
    let settled = if model.is_settled() { "" } else { "; UNCERTAIN, since they grow with the distance" };
    rows([
        ("From slices one, two and three apart", format!("{one:.2}, {two:.2} and {three:.2} HU{settled}")),
        ("Correlation of slices one and two apart", format!("{near:.2} and {far:.2}")),
        (
            "Correlation of neighbors in a slice",
            format!(
                "{:.2} along columns, {:.2} along rows",
                model.correlation([0, 1, 0]),
                model.correlation([0, 0, 1])
            ),
        ),
        ("Voxels of flat tissue", model.voxels.to_string()),
    ])
}
