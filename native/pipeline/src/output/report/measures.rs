//! What composites do to the image, in words and in a table.

use tomobasis_measures::{Agreement, Composite, Measures, Quality, Sharpness};

use crate::{output::measured::MeasuresSection, solve::decomposition::Decomposition};

/// Less than this part of its value is no change that is worth words.
const NOTHING: f64 = 0.03;
/// How curves are told apart without colors.
const DASHES: [&str; 5] = ["none", "7 3", "2 3", "9 3 2 3", "12 4"];

/// The section, by the names that its template has.
pub(super) struct MeasuresTable {
    /// Where it was measured.
    pub words: String,
    /// A sentence for each composite: what becomes of noise, edges and the rest; and what to be warned of.
    pub sentences: Vec<(String, Option<String>)>,
    /// Names of the columns, and rows: the original, then the composites.
    pub names: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Noise power spectrum and task transfer function, as curves.
    pub plots: Vec<Plot>,
}

/// Curves of the original and the composites.
pub(super) struct Plot {
    pub title: &'static str,
    /// What it shows, for who does not see it.
    pub alternative: String,
    /// Frequencies at the ends of the axis, and the greatest value, in words.
    pub ends: [String; 3],
    /// Of each its name, its points in a frame of 300 x 150, and how it is dashed.
    pub curves: Vec<(String, String, &'static str)>,
}

impl MeasuresTable {
    pub(super) fn of(decomposition: &Decomposition, section: &MeasuresSection) -> Self {
        let plan = &decomposition.plan;
        let scale = Scale::of(plan.pixel_spacing_mm, &plan.rescale_unit);
        let measures = &section.measures;
        let has_reference = section.reference.is_some();
        let sentence = |one: &Composite| {
            (scale.sentence(one, &measures.original), one.residual.warning.as_ref().map(|w| format!("{w}.")))
        };
        let names = scale.names(has_reference);
        let mut rows = vec![scale.row("original".to_owned(), &measures.original, None, has_reference)];
        rows.extend(
            measures
                .composites
                .iter()
                .map(|one| scale.row(format!("k = {}", one.k), &one.quality, Some(one), has_reference)),
        );
        Self {
            words: words(section, decomposition.columns(), &scale),
            sentences: measures.composites.iter().map(sentence).collect(),
            names,
            rows,
            plots: scale.plots(measures),
        }
    }
}

fn words(section: &MeasuresSection, slices: usize, scale: &Scale<'_>) -> String {
    let Measures { window: [low, high], regions, edges, .. } = section.measures;
    let count = section.slices.len();
    let which = if count == slices {
        "all slices".to_owned()
    } else {
        format!("{count} evenly spaced slices of {slices}")
    };
    let unit = scale.unit();
    let mut words = format!(
        "Measured in {which}. Similarity (SSIM) is that of the images in the window from {low:.0} to {high:.0}{unit}; 1 is identical."
    );
    if regions > 0 {
        words += &format!(" Noise is that of {regions} even regions of soft tissue, found automatically.");
    } else {
        words += " Noise was not measured: no even soft tissue was found, or the values are not HU.";
    }
    if edges > 0 {
        words += &format!(" Sharpness is that of strong edges ({edges} pixels).");
    } else {
        words += " Sharpness was not measured: too few strong edges were found, or the values are not HU.";
    }
    words
}

/// What figures are told in.
struct Scale<'a> {
    /// Pixels in a mm, and the name of a frequency's unit.
    per_mm: Option<f64>,
    /// Unit of the values; empty where there is none.
    unit: &'a str,
}

impl<'a> Scale<'a> {
    fn of(spacing: Option<[f64; 2]>, unit: &'a str) -> Self {
        // Frequencies of pixels that are not square are told per pixel.
        let square = spacing.filter(|[down, right]| (down - right).abs() < 1e-3 * down && *down > 0.0);
        Self { per_mm: square.map(|[down, _]| 1.0 / down), unit }
    }

    fn unit(&self) -> String {
        if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) }
    }

    fn frequency_unit(&self) -> &'static str {
        if self.per_mm.is_some() { "cycles/mm" } else { "cycles/pixel" }
    }

    fn frequency(&self, per_pixel: f64) -> f64 {
        per_pixel * self.per_mm.unwrap_or(1.0)
    }

    fn names(&self, has_reference: bool) -> Vec<String> {
        let (unit, frequency) = (self.unit(), self.frequency_unit());
        let bracketed = |name: &str, unit: &str| match unit.trim() {
            "" => name.to_owned(),
            unit => format!("{name} ({unit})"),
        };
        let mut names = vec![
            bracketed("noise", &unit),
            bracketed("mean frequency of the noise", frequency),
            bracketed("sharpness f50", frequency),
            bracketed("RMSE", &unit),
            "SSIM".to_owned(),
            "edges / even tissue".to_owned(),
        ];
        if has_reference {
            names.push("PSNR to the reference (dB)".to_owned());
            names.push(bracketed("RMSE to it", &unit));
            names.push("SSIM to it".to_owned());
        }
        names
    }

    fn row(
        &self,
        name: String,
        quality: &Quality,
        one: Option<&Composite>,
        has_reference: bool,
    ) -> Vec<String> {
        let shown = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let noise = quality.noise.as_ref();
        let f50 = quality.sharpness.as_ref().and_then(|sharpness| sharpness.f50);
        let mut row = vec![
            name,
            shown(noise.map(|noise| noise.sigma), 2),
            shown(noise.map(|noise| self.frequency(noise.mean_frequency)), 3),
            shown(f50.map(|f50| self.frequency(f50)), 3),
            shown(one.map(|one| one.rmse), 2),
            shown(one.and_then(|one| one.ssim), 4),
            shown(one.and_then(|one| one.residual.structure), 2),
        ];
        if has_reference {
            let found = quality.reference.as_ref();
            row.push(match found {
                Some(Agreement { psnr: None, rmse: 0.0, .. }) => "identical".to_owned(),
                _ => shown(found.and_then(|found| found.psnr), 2),
            });
            row.push(shown(found.map(|found| found.rmse), 2));
            row.push(shown(found.and_then(|found| found.ssim), 4));
        }
        row
    }

    /// What becomes of the image, for a physician.
    fn sentence(&self, one: &Composite, original: &Quality) -> String {
        let unit = self.unit();
        let mut parts = Vec::new();
        if let (Some(before), Some(after)) = (&original.noise, &one.quality.noise) {
            let (before, after) = (before.sigma, after.sigma);
            parts.push(match change(before, after) {
                0 => format!("noise stays at {after:.1}{unit}"),
                -1 => format!("noise falls from {before:.1} to {after:.1}{unit}"),
                _ => format!("noise rises from {before:.1} to {after:.1}{unit}"),
            });
        }
        if let Some(words) = self.sharpness(original.sharpness.as_ref(), one.quality.sharpness.as_ref()) {
            parts.push(words);
        }
        let similar = one
            .ssim
            .map_or(String::new(), |ssim| format!(", its similarity to the scan (SSIM) is {ssim:.3}"));
        parts.push(format!("a pixel is off by {:.1}{unit} (root mean square){similar}", one.rmse));
        format!("k = {}: {}.", one.k, parts.join("; "))
    }

    fn sharpness(&self, before: Option<&Sharpness>, after: Option<&Sharpness>) -> Option<String> {
        let unit = self.frequency_unit();
        let [before, after] = [before?, after?].map(|sharpness| sharpness.f50.map(|f50| self.frequency(f50)));
        let (before, after) = (before?, after?);
        Some(match change(before, after) {
            0 => format!("strong edges stay as sharp (half of the contrast at {after:.2} {unit})"),
            -1 => format!(
                "strong edges are blurred (half of the contrast at {after:.2} instead of {before:.2} {unit})"
            ),
            _ => format!(
                "strong edges are steeper (half of the contrast at {after:.2} instead of {before:.2} {unit})"
            ),
        })
    }

    fn plots(&self, measures: &Measures) -> Vec<Plot> {
        let all = || {
            let composites = measures.composites.iter().map(|one| (format!("k = {}", one.k), &one.quality));
            std::iter::once(("original".to_owned(), &measures.original)).chain(composites)
        };
        let noise = all().filter_map(|(name, quality)| Some((name, quality.noise.as_ref()?.spectrum)));
        let sharpness =
            all().filter_map(|(name, quality)| Some((name, quality.sharpness.as_ref()?.transfer)));
        let area = self.per_mm.map_or(1.0, |per_mm| 1.0 / (per_mm * per_mm));
        let power = if self.per_mm.is_some() { "HU\u{b2} mm\u{b2}" } else { "HU\u{b2} pixel\u{b2}" };
        let plots = [
            self.plot("Noise power spectrum", noise.collect(), |most| format!("{:.1} {power}", most * area)),
            self.plot("Sharpness: task transfer function", sharpness.collect(), |most| format!("{most:.2}")),
        ];
        plots.into_iter().flatten().collect()
    }

    fn plot(
        &self,
        title: &'static str,
        curves: Vec<(String, [f64; 9])>,
        most: impl Fn(f64) -> String,
    ) -> Option<Plot> {
        let greatest = curves.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max);
        if curves.is_empty() || greatest <= 0.0 {
            return None;
        }
        let points = |values: &[f64; 9]| {
            let point = |(step, value): (usize, &f64)| {
                format!("{:.1},{:.1}", step as f64 * 300.0 / 8.0, 150.0 * (1.0 - value.max(0.0) / greatest))
            };
            values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
        };
        let told = |(name, values): &(String, [f64; 9])| {
            let at = |step: usize| format!("{:.0} %", 100.0 * values[step] / greatest);
            format!(
                "{name}: {} of the greatest value at 0, {} at a quarter and {} at half a cycle per pixel",
                at(0),
                at(4),
                at(8)
            )
        };
        Some(Plot {
            title,
            alternative: curves.iter().map(told).collect::<Vec<_>>().join("; "),
            ends: [
                "0".to_owned(),
                format!("{:.2} {}", self.frequency(0.5), self.frequency_unit()),
                most(greatest),
            ],
            curves: curves
                .iter()
                .zip(DASHES.iter().cycle())
                .map(|((name, values), dashes)| (name.clone(), points(values), *dashes))
                .collect(),
        })
    }
}

/// -1 where a value falls, 1 where it rises, 0 where it stays about as it was.
fn change(before: f64, after: f64) -> i8 {
    match after - before {
        change if change < -NOTHING * before => -1,
        change if change > NOTHING * before => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use tomobasis_measures::{NoiseFigures, Residual};

    use super::*;

    fn quality(sigma: f64, f50: f64) -> Quality {
        Quality {
            noise: Some(NoiseFigures { sigma, spectrum: [1.0; 9], peak_frequency: 0.1, mean_frequency: 0.2 }),
            sharpness: Some(Sharpness { contrast: 1.0, transfer: [0.5; 9], f50: Some(f50), f10: None }),
            reference: None,
        }
    }

    fn composite(sigma: f64, f50: f64) -> Composite {
        let residual = Residual {
            autocorrelation: None,
            noise_autocorrelation: None,
            part_of_noise: None,
            structure: Some(1.25),
            warning: None,
        };
        Composite {
            k: 5,
            quality: quality(sigma, f50),
            global_noise: None,
            rmse: 7.25,
            ssim: Some(0.91),
            least_ssim: None,
            residual,
        }
    }

    #[test]
    fn a_sentence_says_what_becomes_of_noise_and_edges() {
        let scale = Scale::of(Some([0.5, 0.5]), "HU");
        let said = scale.sentence(&composite(6.0, 0.2), &quality(12.0, 0.3));
        assert_eq!(
            said,
            "k = 5: noise falls from 12.0 to 6.0 HU; strong edges are blurred (half of the contrast at 0.40 instead of 0.60 cycles/mm); \
             a pixel is off by 7.2 HU (root mean square), its similarity to the scan (SSIM) is 0.910."
        );
        let same = scale.sentence(&composite(12.1, 0.3), &quality(12.0, 0.3));
        assert!(same.contains("noise stays at 12.1 HU; strong edges stay as sharp"), "{same}");
        let none = Quality { noise: None, sharpness: None, reference: None };
        let said =
            Scale::of(None, "").sentence(&Composite { quality: none.clone(), ..composite(1.0, 1.0) }, &none);
        assert!(said.starts_with("k = 5: a pixel is off by 7.2 (root mean square)"), "{said}");
    }

    #[test]
    fn a_table_has_as_many_cells_as_names() {
        for has_reference in [false, true] {
            let scale = Scale::of(Some([0.5, 0.7]), "HU");
            let one = composite(6.0, 0.2);
            let row = scale.row("k = 5".to_owned(), &one.quality, Some(&one), has_reference);
            assert_eq!(row.len(), 1 + scale.names(has_reference).len());
            assert_eq!(&row[..7], ["k = 5", "6.00", "0.200", "0.200", "7.25", "0.9100", "1.25"]);
        }
    }
}
