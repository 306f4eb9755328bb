//! What the report's browser shows: the sampled volume, and what must be known of it.

use base64::{
    display::Base64Display,
    engine::general_purpose::{GeneralPurpose, STANDARD},
};
use serde::Serialize;
use tomobasis_dicom::SeriesPlan;
use tomobasis_linalg::BLOCK_ROWS;

use super::{
    basis,
    volume::{Sampling, elements, planes},
};
use crate::{
    error::{Error, Result},
    output::pictures::{Display, Palette, percent},
    solve::{decomposition::Decomposition, spectrum::CompositeEntry},
};

/// The browser, by the names that its template has.
pub(super) struct Browser<'a> {
    /// What the values are.
    pub words: String,
    /// Which basis vectors are there.
    pub vectors: String,
    /// What the marks of the spectrum mean.
    pub ranks: String,
    /// Of each picture: its name, its caption, and what it is for who does not see it.
    pub panels: [(&'static str, &'static str, &'static str); 3],
    /// [`Meta`] as JSON.
    pub data: String,
    /// The encoded entries of the basis vectors.
    pub basis: Vec<Base64Display<'a, 'static, GeneralPurpose>>,
    /// The encoded planes, the original first: number and bytes, one after the other where a plane is too long for one element.
    pub planes: Vec<(usize, Base64Display<'a, 'static, GeneralPurpose>)>,
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
    basis: Basis,
    /// Of each of these basis vectors, one for each slice.
    weights: Vec<Vec<f64>>,
}

/// What is known of the basis vectors that are there.
#[derive(Serialize)]
struct Basis {
    /// Distance of their entries in rows and columns.
    step: usize,
    /// The end of the colors: four times the root mean square of the entries.
    reach: f64,
    /// Of each its share of the energy, in words.
    shares: Vec<String>,
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
        let (shape, size) = ((plan.rows, plan.columns), decomposition.options.report);
        let composites = decomposition.composites.len();
        let sampling = Sampling::of(shape, decomposition.columns(), composites, size);
        let vectors = basis::vectors(decomposition.rank(), decomposition.columns(), size);
        let of_basis = basis::sampling(shape, vectors, sampling.samples() * (1 + composites), size);
        let planes = planes(volume);
        // The basis vectors and the original are there in any case.
        let shown = planes.len().saturating_sub(2);
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
        let weights = (0..vectors).map(|column| {
            decomposition.v.iter().skip(column).step_by(decomposition.rank()).copied().collect()
        });
        let shares = decomposition.s.iter().take(vectors).map(|s| percent(s * s / decomposition.energy));
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
            basis: Basis {
                step: of_basis.step,
                // Columns have unit norm.
                reach: 4.0 / (decomposition.rows() as f64).sqrt(),
                shares: shares.collect(),
            },
            weights: weights.collect(),
        };
        let json = serde_json::to_string(&meta).map_err(|error| Error::Internal(error.to_string()))?;
        let text = |bytes: &'a [u8]| Base64Display::new(bytes, &STANDARD);
        let of_plane = |plane: usize| elements(planes.get(plane).copied().unwrap_or_default());
        Ok(Self {
            words: words(decomposition, &sampling, shown, &meta.rescale),
            vectors: vectors_words(decomposition, &of_basis, vectors),
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
            basis: of_plane(0).into_iter().map(text).collect(),
            planes: (1..planes.len())
                .flat_map(|plane| of_plane(plane).into_iter().map(move |bytes| (plane - 1, text(bytes))))
                .collect(),
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

/// Which basis vectors are there, and at which pixels.
fn vectors_words(decomposition: &Decomposition, sampling: &Sampling, vectors: usize) -> String {
    let which = match (vectors, decomposition.rank()) {
        (1, 1) => "The basis vector".to_owned(),
        (1, rank) => format!("The first of the {rank} basis vectors"),
        (vectors, rank) if vectors == rank => format!("All {rank} basis vectors"),
        (vectors, rank) => format!("The first {vectors} of the {rank} basis vectors"),
    };
    let pixels = match sampling.step {
        1 => "at every pixel".to_owned(),
        step => format!("at one pixel in {step} of one row in {step}"),
    };
    format!(
        "{which}, {pixels}, as images: purple below and orange above zero. A slice is the sum of all basis vectors, each times its \
         singular value and its weight in that slice. Entries are shown with the first seven digits of those in the tables; their squares \
         add up to 1 over all pixels."
    )
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
