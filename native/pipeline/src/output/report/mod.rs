//! `report.html`: one self-contained page for the person who has the scan, readable on a phone and on paper.
//!
//! It says what was decomposed, what came out, what is guaranteed and how to check it; pictures are embedded. It loads nothing and
//! names nobody, and without script it has all but the browser (`browser`), in which one looks through the scan and its composites
//! as far as the page holds them (`volume`), or through a denoised series. `report.html` beside this file is the page, `base.html`
//! what it has in common with that of a denoised series (`denoised`); askama escapes all text. Here are the numbers and words that are put into it.

pub(crate) mod basis;
mod browser;
mod compared;
mod denoised;
mod measures;
mod script;
pub(crate) mod volume;

pub(crate) use self::compared::{Compared, SliceCurve, compared_page};
pub(crate) use self::{
    browser::DenoisedVolume,
    denoised::{Content as DenoisedContent, denoised_page},
};

use self::{browser::Browser, measures::MeasuresTable};
use askama::Template;
use base64::{
    display::Base64Display,
    engine::general_purpose::{GeneralPurpose, STANDARD},
};
use tomobasis_dicom::{JoinedSeries, Note, PaddingRule, SeriesPlan, decimals};
use tomobasis_linalg::Bounds;

use crate::{
    error::{Error, Result},
    input::describe_series,
    output::{
        NamedFile,
        dicom::{self, DerivedSection, DerivedSeries},
        measured::MeasuresSection,
        pictures::{self, percent},
    },
    solve::{
        Decomposition,
        digest::{Digest, Digests},
        spectrum::CompositeEntry,
    },
};

/// Name of the report.
pub const REPORT: &str = "report.html";

/// Numbers of basis vectors in the table of energies, besides the composites'.
const TABLE_RANKS: [usize; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/// What the report shows of a result.
pub(crate) struct Content<'a> {
    pub decomposition: &'a Decomposition,
    pub digests: &'a Digests,
    /// The derived DICOM series, where they were asked for.
    pub derived: Option<&'a DerivedSection>,
    /// What composites do to the image.
    pub measures: Option<&'a MeasuresSection>,
    /// What the folder held besides the slices.
    pub left_out: &'a [Note],
    /// What is unusual about the series.
    pub warnings: &'a [Note],
    /// How it was run: pairs of a name and a text.
    pub run: Vec<(String, String)>,
    /// The pictures' files.
    pub pictures: &'a [NamedFile],
    /// The volume for the browser.
    pub volume: Option<&'a [u8]>,
}

/// Lines of a table: names and values.
pub(crate) type Rows = Vec<(String, String)>;

/// What the template shows, by the names that it has there.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    series: String,
    root: Digest,
    browser: Option<Browser<'a>>,
    /// The browser's script, and what the page's policy calls it.
    script: String,
    policy: String,
    composites: Option<Figure<'a>>,
    differences: Option<Figure<'a>>,
    spectrum: Option<Figure<'a>>,
    basis: Option<Figure<'a>>,
    /// Unit of the values, in parentheses.
    unit: String,
    energies: Vec<[String; 4]>,
    /// Whether patient data were copied, and a line for each series.
    derived: Option<(&'static str, Vec<String>)>,
    measures: Option<MeasuresTable>,
    certified: bool,
    promise: &'static str,
    guarantee: Rows,
    digests: [(&'static str, Digest); 5],
    geometry: Rows,
    /// The series of a joint matrix: id, first and last slice from 1, how many, fingerprint.
    joined: Vec<(String, String, String, String)>,
    left_out: &'a [Note],
    warnings: &'a [Note],
    run: &'a Rows,
}

/// A picture with its caption.
struct Figure<'a> {
    alternative: &'static str,
    caption: &'static str,
    /// The picture's bytes, as text.
    data: Base64Display<'a, 'static, GeneralPurpose>,
}

/// The report's file.
///
/// # Errors
/// [`Error::Internal`] when the template cannot be filled in.
pub(crate) fn page(content: &Content<'_>) -> Result<NamedFile> {
    let mut html = String::with_capacity(length(content));
    Page::of(content)?.render_into(&mut html).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(NamedFile { path: REPORT.to_owned(), bytes: html.into_bytes() })
}

/// What the page takes at most: a page that grows piece by piece would be there twice. Volume and pictures are a third larger as text; a
/// weight has at most 24 characters.
fn length(content: &Content<'_>) -> usize {
    let Content { decomposition, pictures, volume, .. } = *content;
    let bytes =
        volume.map_or(0, <[u8]>::len) + pictures.iter().map(|picture| picture.bytes.len()).sum::<usize>();
    let (columns, size) = (decomposition.columns(), decomposition.options.report);
    let weights = basis::vectors(decomposition.rank(), columns, size) * columns + decomposition.rank();
    bytes / 3 * 4 + 25 * weights + (1 << 20)
}

impl<'a> Page<'a> {
    fn of(content: &'a Content<'_>) -> Result<Self> {
        let Content { decomposition, digests, derived, left_out, warnings, pictures, .. } = *content;
        let browser = content.volume.map(|volume| Browser::of(decomposition, volume)).transpose()?;
        let script = script::script();
        let unit = &decomposition.plan.rescale_unit;
        let figure = |name, alternative, caption| Figure::of(pictures, name, alternative, caption);
        Ok(Self {
            series: describe_series(&decomposition.plan),
            root: digests.root,
            browser,
            policy: script::policy(&script),
            script,
            composites: figure(
                pictures::COMPOSITES,
                "The middle slice, and the same slice rebuilt from the first k basis vectors",
                "The middle slice as it was scanned, and rebuilt from the first k basis vectors, in the same window.",
            ),
            differences: figure(
                pictures::DIFFERENCES,
                "Original minus composite for each number of basis vectors, purple where the composite is brighter, orange where darker",
                "What each composite leaves out: original minus composite, purple below and orange above zero. \
                 The window is four times the root mean square of what is left out of this slice.",
            ),
            spectrum: figure(
                pictures::SPECTRUM,
                "Two plots with logarithmic axes: singular values, and the share of the energy left out, against the number of basis vectors",
                "Singular values, and the share of the energy that the first k basis vectors leave out. Vertical lines mark the \
                 composites.",
            ),
            basis: figure(
                pictures::BASIS,
                "The first basis vectors as images, purple below and orange above zero",
                "The first basis vectors. The sign of a basis vector is fixed by its largest weight, which is positive.",
            ),
            unit: if unit.is_empty() { String::new() } else { format!(" ({unit})") },
            energies: energies(decomposition),
            derived: derived.map(|section| derived_series(decomposition, section)),
            measures: content.measures.map(|section| MeasuresTable::of(decomposition, section)),
            certified: decomposition.factors.certified().is_some(),
            promise: decomposition.options.method.promise(),
            guarantee: guarantee(decomposition),
            digests: [
                ("pixels", digests.pixels),
                ("s", digests.s),
                ("V", digests.v),
                ("U", digests.u.root),
                ("root", digests.root),
            ],
            geometry: geometry(&decomposition.plan),
            joined: joined(decomposition),
            left_out,
            warnings,
            run: &content.run,
        })
    }
}

impl<'a> Figure<'a> {
    /// Of the picture of this name; none where it was not drawn.
    fn of(
        pictures: &'a [NamedFile],
        name: &str,
        alternative: &'static str,
        caption: &'static str,
    ) -> Option<Self> {
        let path = format!("{}/{name}", pictures::FOLDER);
        let picture = pictures.iter().find(|picture| picture.path == path)?;
        Some(Self::of_picture(picture, alternative, caption))
    }

    fn of_picture(picture: &'a NamedFile, alternative: &'static str, caption: &'static str) -> Self {
        Self { alternative, caption, data: Base64Display::new(&picture.bytes, &STANDARD) }
    }
}

/// Rows of the table of energies.
fn energies(decomposition: &Decomposition) -> Vec<[String; 4]> {
    let mut ranks = [TABLE_RANKS.as_slice(), &decomposition.composites, &[decomposition.rank()]].concat();
    ranks.retain(|&k| k <= decomposition.rank());
    ranks.sort_unstable();
    ranks.dedup();
    let row = |CompositeEntry { k, energy, residual_rms }| {
        let sigma = decomposition.s.get(k - 1).copied().unwrap_or_default();
        [k.to_string(), format!("{sigma:.6e}"), percent(energy), format!("{residual_rms:.3}")]
    };
    decomposition.spectrum().entries(&ranks).into_iter().map(row).collect()
}

/// What became of the composites as DICOM.
fn derived_series(decomposition: &Decomposition, section: &DerivedSection) -> (&'static str, Vec<String>) {
    let identity = match section.patient_data {
        true => "with the source's patient data",
        false => "without patient data (burned-in text and faces are untouched)",
    };
    let slices = decomposition.columns();
    let values = decomposition.rows() * slices as u64;
    let line = |series: &DerivedSeries| {
        format!(
            "{}: {slices} slices; {} of {values} values were beyond the stored range and set to its end",
            dicom::folder(series.k),
            series.clipped
        )
    };
    (identity, section.series.iter().map(line).collect())
}

/// Rows on the method, its parameters and what was proven.
fn guarantee(decomposition: &Decomposition) -> Rows {
    let (options, method) = (&decomposition.options, decomposition.options.method);
    let (rows, columns) = (decomposition.rows(), decomposition.columns());
    let mut table = Rows::new();
    let mut add = |name: &str, value: String| table.push((name.to_owned(), value));
    add("Class", method.class().to_owned());
    add("Method", format!("{} of a {rows} x {columns} matrix", method.name()));
    add("Rank asked for", options.rank.to_string());
    for line in method.lines().lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        add(&format!("Parameter {name}"), value.to_owned());
    }
    let padding = decomposition.padding;
    if padding.pixels > 0 {
        let rule = PaddingRule::from(options.padding).name();
        let values = rows * columns as u64;
        let (pixels, replaced) = (padding.pixels, padding.replaced);
        add(
            "Padding",
            format!(
                "{rule} ({pixels} of {values} values, {replaced} of them with another value in the matrix)"
            ),
        );
    }
    let numerical =
        decomposition.numerical_rank.map_or(String::new(), |rank| format!(" (numerical rank {rank})"));
    add("Rank", format!("{}{numerical}", decomposition.rank()));
    if let Some(sigma) = decomposition.noise {
        add(
            "Noise, from the median singular value",
            format!("{sigma:.2} {}", decomposition.plan.rescale_unit),
        );
    }
    if let Some(factors) = decomposition.factors.certified() {
        proven(&mut add, &factors.unresolved, &factors.bounds);
    }
    table
}

fn proven(add: &mut impl FnMut(&str, String), unresolved: &[usize], bounds: &Bounds) {
    let unresolved = match unresolved {
        [] => "none".to_owned(),
        columns => columns.iter().map(|j| (j + 1).to_string()).collect::<Vec<_>>().join(", "),
    };
    add("Columns whose singular values coincide", unresolved);
    add("Error of a weight before rounding, at most", format!("{:.1e}", bounds.v));
    add("Relative error of s\u{b2} before rounding, at most", format!("{:.1e}", bounds.s_squared));
    add("Basis vectors: |U\u{1d40}U - I|, at most", format!("{:.1e}", bounds.orthogonality));
    add("Smallest gap of s\u{b2}, relative to the largest", format!("{:.1e}", bounds.gap));
    add("Refinement", format!("{} steps in {} fraction bits", bounds.steps, bounds.fraction_bits));
}

/// Rows on the series of a joint matrix; none of another.
fn joined(decomposition: &Decomposition) -> Vec<(String, String, String, String)> {
    let row = |(one, fingerprint): (&JoinedSeries, &Digest)| {
        let places = format!("{} to {}", one.first + 1, one.first + one.slices);
        (one.plan.id.clone(), places, one.slices.to_string(), fingerprint.to_string())
    };
    decomposition.joined().map(row).collect()
}

/// Rows on the series.
fn geometry(plan: &SeriesPlan) -> Rows {
    let pixels = plan.pixel_spacing_mm.map(|pixel| format!("{} mm", pixel.map(decimals).join(" x ")));
    let step = plan.slice_spacing_mm.map(|step| format!("{} mm", decimals(step)));
    let of_each = "that of each series";
    let no_step = if plan.joint.is_some() { of_each } else { "one position" };
    let known =
        plan.joint.iter().flat_map(|joint| &joint.series).any(|one| one.plan.pixel_spacing_mm.is_some());
    let rows = [
        ("Modality", plan.modality.clone()),
        ("Slices", format!("{} of {} x {} pixels", plan.slices.len(), plan.rows, plan.columns)),
        ("Pixel spacing", pixels.unwrap_or_else(|| if known { of_each } else { "unknown" }.to_owned())),
        ("Slice spacing", step.unwrap_or_else(|| no_step.to_owned())),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of which only the texts matter.
    fn page_of<'a>(run: &'a Rows, warnings: &'a [Note]) -> Page<'a> {
        let zero = Digest([0; 32]);
        Page {
            series: "<series> & 'more'".to_owned(),
            root: zero,
            browser: None,
            script: String::new(),
            policy: String::new(),
            composites: None,
            differences: None,
            spectrum: None,
            basis: None,
            unit: String::new(),
            energies: Vec::new(),
            derived: None,
            measures: None,
            certified: true,
            promise: "",
            guarantee: Vec::new(),
            digests: [("", zero); 5],
            geometry: Vec::new(),
            joined: Vec::new(),
            left_out: &[],
            warnings,
            run,
        }
    }

    #[test]
    fn text_cannot_become_markup() {
        let run = vec![("a<b".to_owned(), "\"x\" & <script>alert(1)</script>".to_owned())];
        let html = page_of(&run, &[]).render().unwrap();
        assert!(!html.contains("<script") && !html.contains("a<b") && !html.contains("<series>"), "{html}");
        assert!(html.contains("a&#60;b") || html.contains("a&lt;b"), "{html}");
    }
}
