//! Panels: what each image of a picture shows, and how its values become bytes.

use std::slice::ChunksExact;

use tomobasis_dicom::SeriesPlan;

use super::{Display, Subject, canvas::Palette};
use crate::solve::{decomposition::Decomposition, spectrum::Spectrum};

/// Smallest window of a difference, in the unit of the series.
pub(crate) const SMALLEST_REACH: f64 = 0.1;
/// Basis vectors shown at most.
pub(crate) const BASIS_SHOWN: usize = 8;

/// One image of the size of a slice.
#[derive(Debug)]
pub(crate) struct Panel {
    pub kind: PanelKind,
    /// The value that becomes byte 0.
    pub low: f64,
    /// The value that becomes byte 255.
    pub high: f64,
    pub palette: Palette,
    /// Lines of text above the image.
    pub caption: Vec<String>,
}

/// What a panel shows.
#[derive(Debug, PartialEq)]
pub(crate) enum PanelKind {
    Original,
    /// The composite at this index of the list of composites.
    Composite {
        index: usize,
    },
    /// The original minus that composite.
    Difference {
        index: usize,
    },
    /// This column of `U`.
    Basis {
        column: usize,
    },
}

/// The panels that show a slice; `original` says whether the slice itself can be shown and compared with.
pub(crate) fn slice_panels(subject: &Subject<'_>, original: bool) -> Vec<Panel> {
    let unit = in_unit(subject.unit);
    let entries = subject.spectrum.entries(subject.composites);
    let Display { low, high, inverted } = subject.display;
    let palette = if inverted { Palette::InvertedGray } else { Palette::Gray };
    let mut panels = Vec::new();
    if original {
        let caption = vec!["Original".to_owned(), format!("shown: {low:.0} to {high:.0}{unit}")];
        panels.push(Panel { kind: PanelKind::Original, low, high, palette, caption });
    }
    for (index, entry) in entries.iter().enumerate() {
        let caption = vec![format!("k = {}", entry.k), format!("{} of the energy", percent(entry.energy))];
        panels.push(Panel { kind: PanelKind::Composite { index }, low, high, palette, caption });
    }
    for (index, entry) in entries.iter().enumerate().filter(|_| original) {
        let residual = subject.spectrum.slice_residual_rms(subject.weights, entry.k);
        // Rounding is all that a full composite leaves out: a window of its size would show noise as if it were image.
        let reach = (4.0 * residual).max(SMALLEST_REACH);
        let caption = vec![
            format!("k = {}: within \u{b1}{reach:.1}{unit}", entry.k),
            format!("RMS left out {}{unit}", small(residual)),
        ];
        let palette = Palette::Diverging;
        panels.push(Panel {
            kind: PanelKind::Difference { index },
            low: -reach,
            high: reach,
            palette,
            caption,
        });
    }
    panels
}

/// The panels of a figure: a slice and its composites, each with its share of the slices.
pub(crate) fn figure_panels(subject: &Subject<'_>) -> Vec<Panel> {
    let mut panels = slice_panels(subject, true);
    panels.retain(|panel| !matches!(panel.kind, PanelKind::Difference { .. }));
    for panel in &mut panels {
        if let PanelKind::Composite { index } = panel.kind
            && let Some(line) = panel.caption.first_mut()
        {
            let k = subject.composites.get(index).copied().unwrap_or_default();
            let share = 100.0 * k as f64 / subject.spectrum.columns as f64;
            *line = format!("k = {k}: {share:.0} % of {}", subject.spectrum.columns);
        }
    }
    panels
}

/// The panels that show basis vectors.
pub(crate) fn basis_panels(spectrum: &Spectrum<'_>) -> Vec<Panel> {
    // Columns have unit norm, so 1/sqrt(m) is the root mean square of their entries.
    let reach = 4.0 / (spectrum.rows as f64).sqrt();
    let panel = |(column, sigma): (usize, &f64)| {
        let share = sigma * sigma / spectrum.energy;
        let caption =
            vec![format!("u{}  s = {sigma:.4e}", column + 1), format!("{} of the energy", percent(share))];
        Panel {
            kind: PanelKind::Basis { column },
            low: -reach,
            high: reach,
            palette: Palette::Diverging,
            caption,
        }
    };
    spectrum.s.iter().enumerate().take(BASIS_SHOWN).map(panel).collect()
}

impl Panel {
    /// Appends the `rows` pixels of a block of this panel. `original` is the shown slice, empty where no panel needs it;
    /// `composites` holds all its composites one after the other.
    pub(crate) fn append_pixels(
        &self,
        rows: usize,
        original: &[f64],
        composites: &[f64],
        mut basis: ChunksExact<'_, f64>,
        out: &mut Vec<u8>,
    ) {
        let composite = |index: usize| composites.get(index * rows..(index + 1) * rows).unwrap_or_default();
        let byte = |value: f64| self.byte(value);
        match self.kind {
            PanelKind::Original => out.extend(original.iter().copied().map(byte)),
            PanelKind::Composite { index } => out.extend(composite(index).iter().copied().map(byte)),
            PanelKind::Difference { index } => {
                out.extend(original.iter().zip(composite(index)).map(|(a, c)| byte(a - c)));
            }
            PanelKind::Basis { column } => out.extend(basis.by_ref().map(|row| byte(row[column]))),
        }
    }

    fn byte(&self, value: f64) -> u8 {
        // The cast saturates, which is the clipping that a window means.
        ((value - self.low) / (self.high - self.low) * 255.0).round() as u8
    }
}

impl Display {
    /// The window of the source (DICOM PS3.3 C.11.2.1.2.1), else all values of the scan.
    pub(crate) fn of(decomposition: &Decomposition) -> Self {
        let (least, greatest) = decomposition.range;
        let all = (least, if greatest > least { greatest } else { least + 1.0 });
        Self::of_slice(&decomposition.plan, decomposition.shown_slice(), all)
    }

    /// The window of the source, or another where it has none.
    pub(crate) fn of_slice(plan: &SeriesPlan, slice: usize, other: (f64, f64)) -> Self {
        let (low, high) = Self::window_of(plan).unwrap_or(other);
        let shown = plan.slices.get(slice);
        let inverted = shown.is_some_and(|slice| slice.pixels.photometric == "MONOCHROME1");
        Self { low, high, inverted }
    }

    /// Black and white of the source's window, if it has one that can be used.
    pub(crate) fn window_of(plan: &SeriesPlan) -> Option<(f64, f64)> {
        let (center, width) = plan.window?;
        let usable = center.is_finite() && width.is_finite() && width > 1.0;
        usable.then(|| (center - 0.5 - (width - 1.0) / 2.0, center - 0.5 + (width - 1.0) / 2.0))
    }
}

/// A number with two decimals, or with two digits where these would be zero.
fn small(value: f64) -> String {
    if value >= 0.01 || value == 0.0 { format!("{value:.2}") } else { format!("{value:.1e}") }
}

/// The unit of pixel values, with a space before it; empty when the source names none.
pub(super) fn in_unit(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// A share as a percentage with as many decimals as tell it from 100 %.
pub(crate) fn percent(share: f64) -> String {
    let left = 100.0 * (1.0 - share);
    if left == 0.0 {
        return "100 %".to_owned();
    }
    let decimals = if left < 1.0 { (2.0 - libm::log10(left).floor()).min(8.0) as usize } else { 2 };
    format!("{:.decimals$} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_clips_at_both_ends_and_rounds_between() {
        let panel = Panel {
            kind: PanelKind::Original,
            low: -100.0,
            high: 155.0,
            palette: Palette::Gray,
            caption: Vec::new(),
        };
        let mut out = Vec::new();
        panel.append_pixels(5, &[-3000.0, -100.0, 0.4, 155.0, 9000.0], &[], [].chunks_exact(1), &mut out);
        assert_eq!(out, [0, 0, 100, 255, 255]);
    }

    #[test]
    fn percentages_show_how_far_from_all_they_are() {
        assert_eq!(percent(0.5), "50.00 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999_987), "99.99870 %");
    }
}
