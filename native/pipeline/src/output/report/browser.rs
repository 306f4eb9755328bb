//! What the report's browser shows: the sampled volume, and what must be known of it.

use base64::{
    display::Base64Display,
    engine::general_purpose::{GeneralPurpose, STANDARD},
};
use serde::Serialize;
use tomobasis_dicom::SeriesPlan;
use tomobasis_linalg::BLOCK_ROWS;

use super::volume::{Sampling, planes};
use crate::{
    error::{Error, Result},
    output::pictures::{Display, Palette, percent},
    solve::{decomposition::Decomposition, spectrum::CompositeEntry},
};

/// Numbers of weights in a report at most.
const MOST_WEIGHTS: usize = 20_000;
/// Basis vectors whose weights are in it at most.
const MOST_COLUMNS: usize = 20;

/// The browser, by the names that its template has.
pub(super) struct Browser<'a> {
    /// What the values are.
    pub words: String,
    /// What the marks of the spectrum mean.
    pub ranks: String,
    /// Of each picture: its name, its caption, and what it is for who does not see it.
    pub panels: [(&'static str, &'static str, &'static str); 3],
    /// [`Meta`] as JSON.
    pub data: String,
    /// The encoded planes, the original first.
    pub planes: Vec<Base64Display<'a, 'static, GeneralPurpose>>,
}

/// What the script is told.
#[derive(Serialize)]
struct Meta<'a> {
    rows: usize,
    columns: usize,
    slices: usize,
    step: usize,
    slice_step: usize,
    block_rows: usize,
    pixel_spacing_mm: Option<[f64; 2]>,
    slice_spacing_mm: Option<f64>,
    orientation: [f64; 6],
    unit: &'a str,
    display: Display,
    /// Whether the headers say so; else they are the least and the greatest value.
    window: bool,
    /// Of a difference, from the lowest to the highest: six hexadecimal digits for each of 256.
    colors: String,
    /// Slope, intercept and offset of each sampled slice; once where all are alike.
    rescale: Vec<(f64, f64, i32)>,
    composites: Vec<Composite>,
    rank: usize,
    /// The number of basis vectors above the noise, where all singular values are known.
    automatic: Option<usize>,
    s: &'a [f64],
    /// Of each of the first basis vectors, one for each slice.
    weights: Vec<Vec<f64>>,
}

#[derive(Serialize)]
struct Composite {
    k: usize,
    energy: f64,
    /// The energy in words.
    share: String,
    rms: f64,
}

impl<'a> Browser<'a> {
    /// Of a volume that [`assemble`](super::volume::assemble) made.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub(super) fn of(decomposition: &Decomposition, volume: &'a [u8]) -> Result<Self> {
        let plan = &decomposition.plan;
        let sampling =
            Sampling::of((plan.rows, plan.columns), decomposition.columns(), decomposition.composites.len());
        let planes = planes(volume);
        let shown = planes.len().saturating_sub(1);
        let entries = decomposition.spectrum().entries(&decomposition.composites);
        let composite = |CompositeEntry { k, energy, residual_rms }| Composite {
            k,
            energy,
            share: percent(energy),
            rms: residual_rms,
        };
        let mut rescale: Vec<(f64, f64, i32)> = sampling
            .slices()
            .filter_map(|slice| plan.slices.get(slice))
            .map(|slice| (slice.slope, slice.intercept, slice.offset))
            .collect();
        if rescale.windows(2).all(|pair| pair.first() == pair.last()) {
            rescale.truncate(1);
        }
        let automatic = decomposition.automatic_rank();
        let columns =
            decomposition.rank().min(MOST_COLUMNS).min(MOST_WEIGHTS / decomposition.columns().max(1)).max(1);
        let weights = (0..columns).map(|column| {
            decomposition.v.iter().skip(column).step_by(decomposition.rank()).copied().collect()
        });
        let meta = Meta {
            rows: plan.rows,
            columns: plan.columns,
            slices: decomposition.columns(),
            step: sampling.step,
            slice_step: sampling.slice_step,
            block_rows: BLOCK_ROWS,
            pixel_spacing_mm: plan.pixel_spacing_mm,
            slice_spacing_mm: plan.slice_spacing_mm,
            orientation: plan.orientation,
            unit: &plan.rescale_unit,
            display: Display::of(decomposition),
            window: Display::window_of(plan).is_some(),
            colors: Palette::Diverging.in_hex(),
            rescale,
            composites: entries.into_iter().take(shown).map(composite).collect(),
            rank: decomposition.rank(),
            automatic,
            s: &decomposition.s,
            weights: weights.collect(),
        };
        let json = serde_json::to_string(&meta).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self {
            words: words(decomposition, &sampling, shown, &meta.rescale),
            ranks: ranks(decomposition, automatic),
            panels: [
                ("original", "Original", "The scan's own pixels"),
                ("composite", "Composite", "The same view of the chosen composite, in the same window"),
                (
                    "difference",
                    "Original minus composite: purple below, orange above zero",
                    "What the composite leaves out of this view",
                ),
            ],
            // In JSON it can stand in strings only; as it is, it could end the script's element.
            data: json.replace('<', "\\u003c"),
            planes: planes.into_iter().map(|plane| Base64Display::new(plane, &STANDARD)).collect(),
        })
    }
}

/// What the values in the browser are, and what is left out.
fn words(
    decomposition: &Decomposition,
    sampling: &Sampling,
    shown: usize,
    rescale: &[(f64, f64, i32)],
) -> String {
    let slices = match sampling.slice_step {
        1 => "every slice".to_owned(),
        step => format!("one slice in {step}"),
    };
    let (rows, columns) = sampling.size();
    let mut words = match sampling.step {
        1 => format!("Every pixel of {slices}. "),
        step => format!(
            "To keep the page small, it holds one pixel in {step} of one row in {step} of {slices}: {rows} x {columns} pixels for {} x {}. \
             They are the scan's own pixels, not averages, so a value at the cursor is exactly that of the pixel whose row and \
             column are named; finer detail is in the scan and in the still pictures. ",
            decomposition.plan.rows, decomposition.plan.columns
        ),
    };
    let unit = &decomposition.plan.rescale_unit;
    let step = match rescale {
        [(slope, ..)] => format!("multiples of {} {unit}", slope.abs()),
        _ => "the steps of their slices' stored values".to_owned(),
    };
    words +=
        &format!("Composites are rounded to {}, and differences are of the rounded values.", step.trim_end());
    if decomposition.padding.replaced > 0 {
        words += " Pixels outside the image have the value that replaced theirs.";
    }
    if let Some(unknown) = unknown_size(&decomposition.plan) {
        words +=
            &format!(" The scan does not say {unknown}, so the views have not the proportions of the body.");
    }
    let left: Vec<String> = decomposition.composites.iter().skip(shown).map(|k| format!("k = {k}")).collect();
    if !left.is_empty() {
        words += &format!(" Not here, since the page would be too large: {}.", left.join(", "));
    }
    words
}

/// What the headers do not say of the size of a voxel.
fn unknown_size(plan: &SeriesPlan) -> Option<&'static str> {
    match (plan.pixel_spacing_mm, plan.slice_spacing_mm) {
        (None, None) => Some("how large its pixels are, and how far apart its slices"),
        (None, Some(_)) => Some("how large its pixels are"),
        (Some(_), None) => Some("how far apart its slices are"),
        (Some(_), Some(_)) => None,
    }
}

/// What the marks of the spectrum mean.
fn ranks(decomposition: &Decomposition, automatic: Option<usize>) -> String {
    let chosen = decomposition.rank();
    let automatic = match automatic {
        Some(k) => format!(
            "The dashed line is at k = {k}: so many are above the noise (the threshold of Gavish and Donoho)."
        ),
        None => "How many are above the noise is not known, since not all singular values were computed."
            .to_owned(),
    };
    format!(
        "On a logarithmic scale. This result keeps k = {chosen} basis vectors. Solid lines are at the composites. {automatic}"
    )
}
