//! `report.html`: one self-contained page for the person who has the scan, readable on a phone and on paper.
//!
//! It says what was decomposed, what came out, what is guaranteed and how to check it; pictures are embedded. It needs no
//! script, loads nothing and names nobody.

use std::fmt::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use tomobasis_dicom::{PaddingRule, decimals};
use tomobasis_linalg::Bounds;

use crate::{
    input::describe_series,
    output::NamedFile,
    output::pictures::percent,
    result::{Manifest, ResultSection},
    solve::{decomposition::Decomposition, spectrum::CompositeEntry},
};

/// Numbers of basis vectors in the table of energies, besides the composites'.
const TABLE_RANKS: [usize; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/// Title, alternative text and caption of each picture.
const FIGURES: [(&str, &str, &str); 4] = [
    (
        "pictures/composites.png",
        "The middle slice, and the same slice rebuilt from the first k basis vectors",
        "The middle slice as it was scanned, and rebuilt from the first k basis vectors, in the same window.",
    ),
    (
        "pictures/differences.png",
        "Original minus composite for each number of basis vectors, purple where the composite is brighter, orange where darker",
        "What each composite leaves out: original minus composite, purple below and orange above zero. \
         The window is four times the root mean square of what is left out of this slice.",
    ),
    (
        "pictures/basis.png",
        "The first basis vectors as images, purple below and orange above zero",
        "The first basis vectors. The sign of a basis vector is fixed by its largest weight, which is positive.",
    ),
    (
        "pictures/spectrum.png",
        "Two plots with logarithmic axes: singular values, and the share of the energy left out, against the number of basis vectors",
        "Singular values, and the share of the energy that the first k basis vectors leave out. Vertical lines mark the composites.",
    ),
];

/// The report as HTML.
pub(crate) fn render(manifest: &Manifest, decomposition: &Decomposition, pictures: &[NamedFile]) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>TomoBasis result</title>\n<style>\n");
    html.raw(include_str!("report.css"));
    html.raw("</style>\n</head>\n<body>\n<main>\n<h1>Singular value decomposition of a CT series</h1>\n<p class=\"lead\">");
    html.text(&describe_series(&decomposition.plan));
    html.raw("</p>\n<div class=\"seal\">\n<p>Root digest <code>");
    html.text(&manifest.digests.root.to_string());
    html.raw("</code></p>\n<p>Whoever decomposes the same pixels gets this digest, on any machine of the class, with any number of threads.</p>\n</div>\n");
    figure(&mut html, pictures, 0);
    figure(&mut html, pictures, 1);
    energies(&mut html, manifest, decomposition);
    derived(&mut html, manifest);
    figure(&mut html, pictures, 3);
    figure(&mut html, pictures, 2);
    guarantee(&mut html, manifest, decomposition.factors.certified().map(|factors| &factors.bounds));
    series(&mut html, manifest);
    run(&mut html, manifest);
    html.raw("</main>\n</body>\n</html>\n");
    html.0
}

fn energies(html: &mut Html, manifest: &Manifest, decomposition: &Decomposition) {
    let unit =
        if manifest.series.unit.is_empty() { String::new() } else { format!(" ({})", manifest.series.unit) };
    html.raw("<h2>How many basis vectors are enough</h2>\n<p>The matrix has one column per slice and one row per pixel. ");
    html.text(&format!(
        "Its first k basis vectors hold the given share of its energy (sum of squared values); residual RMS is the \
         root mean square{unit}, over all pixels of all slices, of what they leave out."
    ));
    html.raw("</p>\n<div class=\"scroll\"><table>\n<tr><th class=\"number\">k</th><th class=\"number\">singular value s<sub>k</sub></th><th class=\"number\">energy</th><th class=\"number\">residual RMS</th></tr>\n");
    for CompositeEntry { k, energy, residual_rms } in table_entries(decomposition) {
        let sigma = decomposition.s.get(k - 1).copied().unwrap_or_default();
        let share = percent(energy);
        let _ = writeln!(
            html.0,
            "<tr><td class=\"number\">{k}</td><td class=\"number\">{sigma:.6e}</td><td class=\"number\">{share}</td>\
             <td class=\"number\">{residual_rms:.3}</td></tr>"
        );
    }
    html.raw("</table></div>\n");
}

/// What became of the composites as DICOM.
fn derived(html: &mut Html, manifest: &Manifest) {
    let Some(section) = &manifest.derived else { return };
    html.raw("<p>");
    let identity = match section.patient_data {
        true => "with the source's patient data",
        false => "without patient data (burned-in text and faces are untouched)",
    };
    html.text(&format!("Derived DICOM series, rounded to the values that the source can store, {identity}:"));
    html.raw("</p>\n<ul>\n");
    for series in &section.series {
        html.raw("<li>");
        let values = manifest.result.rows * manifest.result.columns as u64;
        html.text(&format!(
            "dicom/k={}: {} slices; {} of {values} values were beyond the stored range and set to its end",
            series.k, manifest.series.slices, series.clipped
        ));
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

fn table_entries(decomposition: &Decomposition) -> Vec<CompositeEntry> {
    let mut ranks = [TABLE_RANKS.as_slice(), &decomposition.composites, &[decomposition.rank()]].concat();
    ranks.retain(|&k| k <= decomposition.rank());
    ranks.sort_unstable();
    ranks.dedup();
    decomposition.spectrum().entries(&ranks)
}

fn guarantee(html: &mut Html, manifest: &Manifest, bounds: Option<&Bounds>) {
    let result = &manifest.result;
    html.raw("<h2>What is guaranteed</h2>\n<p>");
    html.text(match bounds {
        Some(_) => {
            "The stored pixels are integers, so the Gram matrix was computed without any rounding. The singular values and \
             the weights are the double-precision numbers nearest to the true ones, proven by an error bound; basis vectors \
             and composites follow from them in a defined order of operations."
        }
        None => {
            "Everything was computed in double precision, each sum in an order that depends on the matrix alone; no error \
             bound was proven. "
        }
    });
    html.text(&format!("Promised: {}.", result.promise));
    html.raw("</p>\n<table>\n");
    html.row("Class", &result.class);
    html.row("Method", &format!("{} of a {} x {} matrix", result.method, result.rows, result.columns));
    html.row("Rank asked for", &manifest.parameters.rank.to_string());
    for line in manifest.parameters.method.lines().lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        html.row(&format!("Parameter {name}"), value);
    }
    if let Some(padding) = manifest.series.padding {
        let values = result.rows * result.columns as u64;
        let text = format!(
            "{} ({} of {values} values, {} of them with another value in the matrix)",
            PaddingRule::from(manifest.parameters.padding).name(),
            padding.pixels,
            padding.replaced
        );
        html.row("Padding", &text);
    }
    let numerical = result.numerical_rank.map_or(String::new(), |rank| format!(" (numerical rank {rank})"));
    html.row("Rank", &format!("{}{numerical}", result.rank));
    if let Some(sigma) = result.noise {
        html.row("Noise, from the median singular value", &format!("{sigma:.2} {}", manifest.series.unit));
    }
    if let Some(bounds) = bounds {
        proven(html, result, bounds);
    }
    html.raw("</table>\n<table>\n<caption>Digests (SHA-256)</caption>\n");
    let digests = &manifest.digests;
    for (name, digest) in [
        ("pixels", &digests.pixels),
        ("s", &digests.s),
        ("V", &digests.v),
        ("U", &digests.u.root),
        ("root", &digests.root),
    ] {
        html.raw("<tr><th scope=\"row\">");
        html.text(name);
        html.raw("</th><td><code>");
        html.text(&digest.to_string());
        html.raw("</code></td></tr>\n");
    }
    html.raw("</table>\n<p>To check it against the scan, anywhere:</p>\n<pre><code>tomobasis verify RESULT_FOLDER --input DICOM_FOLDER</code></pre>\n");
}

fn proven(html: &mut Html, result: &ResultSection, bounds: &Bounds) {
    let unresolved = match result.unresolved.as_slice() {
        [] => "none".to_owned(),
        columns => columns.iter().map(|j| (j + 1).to_string()).collect::<Vec<_>>().join(", "),
    };
    html.row("Columns whose singular values coincide", &unresolved);
    html.row("Error of a weight before rounding, at most", &format!("{:.1e}", bounds.v));
    html.row("Relative error of s\u{b2} before rounding, at most", &format!("{:.1e}", bounds.s_squared));
    html.row("Smallest gap of s\u{b2}, relative to the largest", &format!("{:.1e}", bounds.gap));
    html.row("Refinement", &format!("{} steps in {} fraction bits", bounds.steps, bounds.fraction_bits));
}

fn series(html: &mut Html, manifest: &Manifest) {
    let series = &manifest.series;
    html.raw("<h2>The series</h2>\n<table>\n");
    html.row("Modality", &series.modality);
    html.row("Slices", &format!("{} of {} x {} pixels", series.slices, series.rows, series.columns));
    let spacing = series.pixel_spacing_mm;
    let spacing = spacing.map(|pixel| format!("{} mm", pixel.map(decimals).join(" x ")));
    html.row("Pixel spacing", spacing.as_deref().unwrap_or("unknown"));
    html.row(
        "Slice spacing",
        &series.slice_spacing_mm.map_or("one position".to_owned(), |step| format!("{} mm", decimals(step))),
    );
    html.raw("</table>\n");
    notes(html, "Left out of the folder", &series.left_out);
    notes(html, "Unusual", &series.warnings);
}

fn notes(html: &mut Html, title: &str, notes: &[tomobasis_dicom::Note]) {
    if notes.is_empty() {
        return;
    }
    html.raw("<p>");
    html.text(title);
    html.raw(":</p>\n<ul>\n");
    for note in notes {
        html.raw("<li>");
        html.text(&note.text);
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

fn run(html: &mut Html, manifest: &Manifest) {
    let run = &manifest.run;
    html.raw("<h2>How it was run</h2>\n<p>None of this enters a digest.</p>\n<table>\n");
    html.row("Software", &format!("TomoBasis {} ({})", run.version, run.libraries));
    html.row("Runner", &format!("{}, {} cores", run.environment.runner, run.environment.cores));
    html.row("Machine", &format!("{}; Gram kernel {}", run.instruction_set, run.kernel));
    for (stage, seconds) in &run.environment.timings {
        html.row(&format!("Time of {stage}"), &format!("{seconds} s"));
    }
    html.raw("</table>\n");
}

fn figure(html: &mut Html, pictures: &[NamedFile], index: usize) {
    let (path, alternative, caption) = FIGURES[index];
    let Some(picture) = pictures.iter().find(|picture| picture.path == path) else { return };
    html.raw("<figure>\n<img alt=\"");
    html.text(alternative);
    html.raw("\" src=\"data:image/png;base64,");
    BASE64.encode_string(&picture.bytes, &mut html.0);
    html.raw("\">\n<figcaption>");
    html.text(caption);
    html.raw("</figcaption>\n</figure>\n");
}

/// HTML in the making: markup goes in as it is, everything else escaped.
#[derive(Default)]
struct Html(String);

impl Html {
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                other => self.0.push(other),
            }
        }
    }

    fn row(&mut self, name: &str, value: &str) {
        self.raw("<tr><th scope=\"row\">");
        self.text(name);
        self.raw("</th><td>");
        self.text(value);
        self.raw("</td></tr>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let mut html = Html::default();
        html.row("a<b", "\"x\" & <script>");
        assert_eq!(
            html.0,
            "<tr><th scope=\"row\">a&lt;b</th><td>&quot;x&quot; &amp; &lt;script&gt;</td></tr>\n"
        );
    }
}
