//! The page of a comparison (`compare --html`): what is the same, where the first difference is, how far each slice is apart, and the slice
//! that is farthest apart in pictures.

use std::fmt::Write;

use askama::Template;

use super::{Figure, Rows};
use crate::{
    error::{Error, Result},
    output::NamedFile,
};

/// Place and size of a curve in its drawing, as `compared.html` frames it.
const FRAME: (f64, f64, f64, f64) = (70.0, 10.0, 560.0, 190.0);

/// What the page shows.
pub(crate) struct Compared<'a> {
    pub same: bool,
    /// What was compared, in a line.
    pub subject: String,
    /// What was found, in a sentence.
    pub verdict: String,
    pub facts: Rows,
    /// Of slices, if their values were compared.
    pub curve: Option<SliceCurve>,
    /// The slice that is farthest apart: A, B and A minus B.
    pub worst: Option<&'a NamedFile>,
}

/// How far slices are apart.
pub(crate) struct SliceCurve {
    /// What the numbers are of.
    pub about: String,
    pub unit: String,
    /// Pixels that differ, root mean square and largest difference, of each slice in order.
    pub slices: Vec<(u64, f64, f64)>,
}

#[derive(Template)]
#[template(path = "compared.html")]
struct Page<'a> {
    series: String,
    heading: &'static str,
    verdict: String,
    facts: Rows,
    plot: Option<Plot>,
    worst: Option<Figure<'a>>,
}

struct Plot {
    about: String,
    slices: usize,
    curves: [Curve; 2],
    columns: [String; 4],
    rows: Vec<[String; 4]>,
}

struct Curve {
    title: String,
    highest: String,
    points: String,
}

/// The page.
///
/// # Errors
/// [`Error::Internal`] when the template cannot be filled in.
pub(crate) fn compared_page(content: Compared<'_>) -> Result<String> {
    let page = Page {
        series: content.subject,
        heading: if content.same { "A and B are the same" } else { "A and B differ" },
        verdict: content.verdict,
        facts: content.facts,
        plot: content.curve.map(Plot::of),
        worst: content.worst.map(|picture| {
            Figure::of_picture(
                picture,
                "The slice that is farthest apart, of A, of B, and their difference",
                "The slice with the largest root mean square of the differences: A and B in the same window, and A minus B, purple below \
                 and orange above zero.",
            )
        }),
    };
    page.render().map_err(|error| Error::Internal(error.to_string()))
}

impl Plot {
    fn of(curve: SliceCurve) -> Self {
        let unit = if curve.unit.is_empty() { String::new() } else { format!(", {}", curve.unit) };
        let titles =
            [format!("Root mean square of the differences{unit}"), format!("Largest difference{unit}")];
        let [rms, largest] = &titles;
        let columns = ["slice".to_owned(), "pixels that differ".to_owned(), rms.clone(), largest.clone()];
        let rows = (1..).zip(&curve.slices).map(|(slice, (differing, rms, largest)): (usize, _)| {
            [slice.to_string(), differing.to_string(), number(*rms), number(*largest)]
        });
        let rows = rows.collect();
        let values = [
            curve.slices.iter().map(|slice| slice.1).collect::<Vec<_>>(),
            curve.slices.iter().map(|slice| slice.2).collect(),
        ];
        let mut curves = titles.into_iter().zip(&values).map(|(title, values)| {
            let highest = values.iter().copied().fold(0.0, f64::max);
            Curve { title, highest: number(highest), points: points(values, highest) }
        });
        let none = || Curve { title: String::new(), highest: String::new(), points: String::new() };
        let curves = [(); 2].map(|()| curves.next().unwrap_or_else(none));
        Self { about: curve.about, slices: curve.slices.len(), curves, columns, rows }
    }
}

/// A number with four digits.
fn number(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if (1e-3..1e6).contains(&value) => format!("{value:.4}"),
        value => format!("{value:.3e}"),
    }
}

/// The points of a curve in its frame.
fn points(values: &[f64], highest: f64) -> String {
    let (left, top, width, height) = FRAME;
    let last = (values.len().max(2) - 1) as f64;
    let mut points = String::new();
    for (at, value) in values.iter().enumerate() {
        let x = left + width * at as f64 / last;
        let share = if highest > 0.0 { value / highest } else { 0.0 };
        let y = top + height * (1.0 - share);
        let _ = write!(points, "{}{x:.1},{y:.1}", if at > 0 { " " } else { "" });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_end_to_end_and_from_bottom_to_top() {
        assert_eq!(points(&[0.0, 1.0, 2.0], 2.0), "70.0,200.0 350.0,105.0 630.0,10.0");
        assert_eq!(points(&[0.0], 0.0), "70.0,200.0");
    }

    #[test]
    fn the_page_has_every_slice_and_its_text_is_no_markup() {
        let curve = SliceCurve {
            about: "<b>".to_owned(),
            unit: "HU".to_owned(),
            slices: vec![(0, 0.0, 0.0), (7, 1.5, 3.0)],
        };
        let page = compared_page(Compared {
            same: false,
            subject: "two & more".to_owned(),
            verdict: "x < y".to_owned(),
            facts: vec![("a".to_owned(), "<script>".to_owned())],
            curve: Some(curve),
            worst: None,
        });
        let page = page.unwrap();
        assert!(!page.contains("<b>") && !page.contains("<script>") && !page.contains("x < y"), "{page}");
        assert!(
            page.contains(">1.5000<") && page.contains(">3.0000<") && page.contains("A and B differ"),
            "{page}"
        );
        assert!(
            !page.contains("The series") && !page.contains("http:") && !page.contains("https:"),
            "{page}"
        );
    }
}
