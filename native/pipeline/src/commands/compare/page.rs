//! `compare --html`: what was found, as a page that needs nothing else.

use super::{
    reconstructions::{self, Reconstructions},
    series::{SeriesComparison, WorstSlice},
};
use crate::{
    commands::{single_file::SingleFile, verify::Checked},
    error::{Error, Result},
    output::{
        NamedFile,
        pictures::{SMALLEST_REACH, SlicePair, draw_pair},
        report::{Compared, SliceCurve, compared_page},
    },
    progress::Progress,
};

/// The option, as errors name it.
const HTML: &str = "--html";

/// How a page begins.
const BEGINS: &str = "<!doctype html>";

/// The strongest color of a difference is so many times the root mean square.
const SPREAD: f64 = 4.0;

/// Characters of the names of lines that are printed.
const NAME: usize = 13;

/// Where the page goes.
#[derive(Debug)]
pub struct Page {
    file: SingleFile,
}

impl Page {
    /// A page in a local file.
    ///
    /// # Errors
    /// [`Error::Option`] for a file that cannot be used, or that is there, without `overwrite`.
    pub fn new(file: &str, overwrite: bool) -> Result<Self> {
        Ok(Self { file: SingleFile::new(HTML, file, overwrite, BEGINS)? })
    }

    /// Writes the page of two series.
    ///
    /// # Errors
    /// [`Error::Write`], and [`Error::Internal`] for what cannot be drawn.
    pub fn write_of_series(&self, compared: &SeriesComparison) -> Result<()> {
        let (same, text) = match compared.closing() {
            Ok(text) => (true, text),
            Err(Error::Differs(text)) => (false, text),
            Err(other) => return Err(other),
        };
        let size = compared.size();
        let slices = compared.by_slice();
        let subject =
            format!("Two DICOM series of {} slices of {} x {} pixels", slices.len(), size.0, size.1);
        let curve = SliceCurve {
            about: "Values after the rescale, A minus B, over all pixels of each slice.".to_owned(),
            unit: compared.unit().to_owned(),
            slices,
        };
        let worst = compared
            .worst()
            .map(|worst| drawn(worst, size, compared.unit(), curve.slices.len()))
            .transpose()?;
        let facts = if same { facts(&text) } else { Vec::new() };
        let verdict = if same { "No value differs by more than the tolerance.".to_owned() } else { text };
        self.write(Compared { same, subject, verdict, facts, curve: Some(curve), worst: worst.as_ref() })
    }

    /// Writes the page of two series that have nothing to compare: of other sizes or units.
    ///
    /// # Errors
    /// As [`write_of_series`](Self::write_of_series).
    pub fn write_of_other_series(&self, difference: &str) -> Result<()> {
        self.write(Compared {
            same: false,
            subject: "Two DICOM series".to_owned(),
            verdict: difference.to_owned(),
            facts: Vec::new(),
            curve: None,
            worst: None,
        })
    }

    /// Writes the page of two results, of which it is known how they compare. Results that differ are compared by their reconstructions
    /// too, where both have tables, on `threads` threads. Nothing is written where nothing could be compared.
    ///
    /// # Errors
    /// As [`write_of_series`](Self::write_of_series).
    pub fn write_of_results(
        &self,
        (a, b): (&str, &str),
        compared: &Result<Checked>,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<()> {
        let difference = match compared {
            Ok(checked) => {
                let verdict =
                    "Every bit that results of the same scan have in common is the same.".to_owned();
                return self.write(Compared {
                    same: true,
                    subject: "Two results".to_owned(),
                    verdict,
                    facts: facts(&checked.closing),
                    curve: None,
                    worst: None,
                });
            }
            Err(Error::Differs(difference)) => difference.clone(),
            Err(_) => return Ok(()),
        };
        let mut facts = reconstructions::facts(a, b)?;
        let (mut curve, mut worst) = (None, None);
        match reconstructions::compare(a, b, threads, progress) {
            Ok(Reconstructions { size, unit, slices, worst: found }) => {
                worst = found.map(|found| drawn(&found, size, &unit, slices.len())).transpose()?;
                let about = "Reconstructions from all basis vectors that each result holds, A minus B, over all pixels of each slice, \
                             without means that a method removed. They are compared in rounded arithmetic: they show where results are \
                             apart, not which bit is another."
                    .to_owned();
                curve = Some(SliceCurve { about, unit, slices });
            }
            Err(error @ (Error::Stopped | Error::Memory { .. } | Error::System { .. })) => return Err(error),
            Err(error) => facts.push(("Slice by slice".to_owned(), format!("not compared: {error}"))),
        }
        let subject = "Two results".to_owned();
        let worst = worst.as_ref();
        self.write(Compared { same: false, subject, verdict: difference, facts, curve, worst })
    }

    fn write(&self, content: Compared<'_>) -> Result<()> {
        self.file.write(compared_page(content)?.as_bytes())
    }
}

/// The slice that is farthest apart, as a picture; its title says how many there are.
fn drawn(
    worst: &WorstSlice,
    (rows, columns): (usize, usize),
    unit: &str,
    slices: usize,
) -> Result<NamedFile> {
    let pair = SlicePair {
        size: (columns, rows),
        display: worst.display,
        unit,
        title: format!("Slice {} of {slices}: A, B, A minus B", worst.slice + 1),
        names: ["A", "B", "A minus B"],
        reach: (SPREAD * worst.rms).max(SMALLEST_REACH),
        a: &worst.a,
        b: &worst.b,
    };
    Ok(NamedFile { path: String::new(), bytes: draw_pair(&pair)? })
}

/// The lines that are printed, each a name and a text.
fn facts(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| match line.split_at_checked(NAME) {
        Some((name, text)) => (name.trim().to_owned(), text.to_owned()),
        None => (String::new(), line.to_owned()),
    };
    text.lines().map(line).collect()
}
