//! `report.html`: one self-contained page for the person who has the scan, readable on a phone and on paper.
//!
//! It says what was decomposed, what came out, what is guaranteed and how to check it; pictures are embedded. It needs no
//! script, loads nothing and names nobody.

use std::fmt::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use tomobasis_dicom::{Note, PaddingRule, decimals};
use tomobasis_linalg::Bounds;

use crate::{
    input::describe_series,
    output::{
        NamedFile,
        dicom::DerivedSection,
        pictures::{self, percent},
    },
    solve::{Decomposition, digest::Digests, spectrum::CompositeEntry},
};

/// Name of the report.
pub const REPORT: &str = "report.html";

/// Numbers of basis vectors in the table of energies, besides the composites'.
const TABLE_RANKS: [usize; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/// Title, alternative text and caption of each picture.
const FIGURES: [(&str, &str, &str); 4] = [
    (
        pictures::COMPOSITES,
        "The middle slice, and the same slice rebuilt from the first k basis vectors",
        "The middle slice as it was scanned, and rebuilt from the first k basis vectors, in the same window.",
    ),
    (
        pictures::DIFFERENCES,
        "Original minus composite for each number of basis vectors, purple where the composite is brighter, orange where darker",
        "What each composite leaves out: original minus composite, purple below and orange above zero. \
         The window is four times the root mean square of what is left out of this slice.",
    ),
    (
        pictures::BASIS,
        "The first basis vectors as images, purple below and orange above zero",
        "The first basis vectors. The sign of a basis vector is fixed by its largest weight, which is positive.",
    ),
    (
        pictures::SPECTRUM,
        "Two plots with logarithmic axes: singular values, and the share of the energy left out, against the number of basis vectors",
        "Singular values, and the share of the energy that the first k basis vectors leave out. Vertical lines mark the composites.",
    ),
];

/// What the report shows of a result.
pub(crate) struct Content<'a> {
    pub decomposition: &'a Decomposition,
    pub digests: &'a Digests,
    /// The derived DICOM series, where they were asked for.
    pub derived: Option<&'a DerivedSection>,
    /// What the folder held besides the slices.
    pub left_out: &'a [Note],
    /// What is unusual about the series.
    pub warnings: &'a [Note],
    /// How it was run: pairs of a name and what is to be said.
    pub run: Vec<(String, String)>,
    /// The pictures' files.
    pub pictures: &'a [NamedFile],
}

/// The report's file.
pub(crate) fn page(content: &Content<'_>) -> NamedFile {
    NamedFile { path: REPORT.to_owned(), bytes: html(content).into_bytes() }
}

fn html(content: &Content<'_>) -> String {
    let Content { decomposition, pictures, .. } = *content;
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>TomoBasis result</title>\n<style>\n");
    html.raw(include_str!("report.css"));
    html.raw("</style>\n</head>\n<body>\n<main>\n<h1>Singular value decomposition of a CT series</h1>\n<p class=\"lead\">");
    html.text(&describe_series(&decomposition.plan));
    html.raw("</p>\n<div class=\"seal\">\n<p>Root digest <code>");
    html.text(&content.digests.root.to_string());
    html.raw("</code></p>\n<p>Whoever decomposes the same pixels gets this digest, on any machine of the class, with any number of threads.</p>\n</div>\n");
    figure(&mut html, pictures, 0);
    figure(&mut html, pictures, 1);
    energies(&mut html, decomposition);
    derived(&mut html, content);
    figure(&mut html, pictures, 3);
    figure(&mut html, pictures, 2);
    guarantee(&mut html, content);
    series(&mut html, content);
    run(&mut html, content);
    html.raw("</main>\n</body>\n</html>\n");
    html.0
}

fn energies(html: &mut Html, decomposition: &Decomposition) {
    let unit = &decomposition.plan.rescale_unit;
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
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
fn derived(html: &mut Html, content: &Content<'_>) {
    let Some(section) = content.derived else { return };
    let (rows, columns) = (content.decomposition.rows(), content.decomposition.columns());
    html.raw("<p>");
    let identity = match section.patient_data {
        true => "with the source's patient data",
        false => "without patient data (burned-in text and faces are untouched)",
    };
    html.text(&format!("Derived DICOM series, rounded to the values that the source can store, {identity}:"));
    html.raw("</p>\n<ul>\n");
    for series in &section.series {
        html.raw("<li>");
        let values = rows * columns as u64;
        html.text(&format!(
            "dicom/k={}: {} slices; {} of {values} values were beyond the stored range and set to its end",
            series.k, columns, series.clipped
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

fn guarantee(html: &mut Html, content: &Content<'_>) {
    let Content { decomposition, digests, .. } = *content;
    let (options, method) = (&decomposition.options, decomposition.options.method);
    let (rows, columns) = (decomposition.rows(), decomposition.columns());
    let bounds = decomposition.factors.certified().map(|factors| &factors.bounds);
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
    html.text(&format!("Promised: {}.", method.promise()));
    html.raw("</p>\n<table>\n");
    html.row("Class", method.class());
    html.row("Method", &format!("{} of a {rows} x {columns} matrix", method.name()));
    html.row("Rank asked for", &options.rank.to_string());
    for line in method.lines().lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        html.row(&format!("Parameter {name}"), value);
    }
    let padding = decomposition.padding;
    if padding.pixels > 0 {
        let values = rows * columns as u64;
        let text = format!(
            "{} ({} of {values} values, {} of them with another value in the matrix)",
            PaddingRule::from(options.padding).name(),
            padding.pixels,
            padding.replaced
        );
        html.row("Padding", &text);
    }
    let numerical =
        decomposition.numerical_rank.map_or(String::new(), |rank| format!(" (numerical rank {rank})"));
    html.row("Rank", &format!("{}{numerical}", decomposition.rank()));
    if let Some(sigma) = decomposition.noise {
        html.row(
            "Noise, from the median singular value",
            &format!("{sigma:.2} {}", decomposition.plan.rescale_unit),
        );
    }
    if let Some(bounds) = bounds {
        proven(html, decomposition.factors.unresolved(), bounds);
    }
    html.raw("</table>\n<table>\n<caption>Digests (SHA-256)</caption>\n");
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

fn proven(html: &mut Html, unresolved: &[usize], bounds: &Bounds) {
    let unresolved = match unresolved {
        [] => "none".to_owned(),
        columns => columns.iter().map(|j| (j + 1).to_string()).collect::<Vec<_>>().join(", "),
    };
    html.row("Columns whose singular values coincide", &unresolved);
    html.row("Error of a weight before rounding, at most", &format!("{:.1e}", bounds.v));
    html.row("Relative error of s\u{b2} before rounding, at most", &format!("{:.1e}", bounds.s_squared));
    html.row("Smallest gap of s\u{b2}, relative to the largest", &format!("{:.1e}", bounds.gap));
    html.row("Refinement", &format!("{} steps in {} fraction bits", bounds.steps, bounds.fraction_bits));
}

fn series(html: &mut Html, content: &Content<'_>) {
    let series = &content.decomposition.plan;
    html.raw("<h2>The series</h2>\n<table>\n");
    html.row("Modality", &series.modality);
    html.row("Slices", &format!("{} of {} x {} pixels", series.slices.len(), series.rows, series.columns));
    let spacing = series.pixel_spacing_mm;
    let spacing = spacing.map(|pixel| format!("{} mm", pixel.map(decimals).join(" x ")));
    html.row("Pixel spacing", spacing.as_deref().unwrap_or("unknown"));
    html.row(
        "Slice spacing",
        &series.slice_spacing_mm.map_or("one position".to_owned(), |step| format!("{} mm", decimals(step))),
    );
    html.raw("</table>\n");
    notes(html, "Left out of the folder", content.left_out);
    notes(html, "Unusual", content.warnings);
}

fn notes(html: &mut Html, title: &str, notes: &[Note]) {
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

fn run(html: &mut Html, content: &Content<'_>) {
    html.raw("<h2>How it was run</h2>\n<p>None of this enters a digest.</p>\n<table>\n");
    content.run.iter().for_each(|(name, value)| html.row(name, value));
    html.raw("</table>\n");
}

fn figure(html: &mut Html, pictures: &[NamedFile], index: usize) {
    let (name, alternative, caption) = FIGURES[index];
    let Some(picture) =
        pictures.iter().find(|picture| picture.path == format!("{}/{name}", pictures::FOLDER))
    else {
        return;
    };
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
