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
    /// Of a decomposition, which basis vectors are there, and what the marks of the spectrum mean.
    pub vectors: Option<(String, String)>,
    /// What the pictures are, and what the last of them.
    pub group: &'static str,
    pub difference: &'static str,
    /// Of each picture: its name, its caption, and what it is for who does not see it.
    pub panels: [(&'static str, &'static str, &'static str); 3],
    /// [`Meta`] as JSON.
    pub data: String,
    /// The encoded entries of the basis vectors.
    pub basis: Vec<Base64Display<'a, 'static, GeneralPurpose>>,
    /// The encoded planes, the original first: number and bytes, one after the other where a plane is too long for one element.
    pub planes: Vec<(usize, Base64Display<'a, 'static, GeneralPurpose>)>,
}

/// What the script is told of any volume.
#[derive(Serialize)]
struct Scan<'a> {
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
    /// Whether the headers say so; else they are the least and the greatest value, or `instead` names them.
    window: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<&'static str>,
    /// Of a difference, from the lowest to the highest: six hexadecimal digits for each of 256.
    colors: String,
    /// Slope, intercept and offset of each sampled slice; once where all are alike.
    rescale: Vec<(f64, f64, i32)>,
}

/// What the script is told of a decomposition.
#[derive(Serialize)]
struct Meta<'a> {
    #[serde(flatten)]
    scan: Scan<'a>,
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

/// What the script is told of a denoised series.
#[derive(Serialize)]
struct DenoisedMeta<'a> {
    #[serde(flatten)]
    scan: Scan<'a>,
    /// One.
    composites: [Denoised; 1],
}

#[derive(Serialize)]
struct Denoised {
    /// Standard deviation of the noise: a quarter of what the colors of a difference reach.
    rms: f64,
}

/// A denoised series, for the browser.
pub(crate) struct DenoisedVolume<'a> {
    /// Values before and after, each as one block of the [encoding](super::volume).
    pub planes: [&'a [u8]; 2],
    pub sampling: Sampling,
    pub display: Display,
    /// Of the noise.
    pub sigma: f64,
}

impl<'a> Scan<'a> {
    fn of(
        plan: &'a SeriesPlan,
        sampling: &Sampling,
        block_rows: usize,
        display: Display,
        instead: Option<&'static str>,
    ) -> Self {
        let mut rescale: Vec<(f64, f64, i32)> = sampling
            .slices()
            .filter_map(|slice| plan.slices.get(slice))
            .map(|slice| (slice.slope, slice.intercept, slice.offset))
            .collect();
        if rescale.windows(2).all(|pair| pair.first() == pair.last()) {
            rescale.truncate(1);
        }
        Self {
            rows: plan.rows,
            columns: plan.columns,
            slices: plan.slices.len(),
            step: sampling.step,
            slice_step: sampling.slice_step,
            block_rows,
            pixel_spacing_mm: plan.pixel_spacing_mm,
            slice_spacing_mm: plan.slice_spacing_mm,
            orientation: plan.orientation,
            unit: &plan.rescale_unit,
            display,
            window: Display::window_of(plan).is_some(),
            instead,
            colors: Palette::Diverging.in_hex(),
            rescale,
        }
    }
}

/// As JSON in the page. In it `<` can stand in strings only; as it is, it could end the script's element.
fn in_page(meta: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string(meta).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(json.replace('<', "\\u003c"))
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
        let scan = Scan::of(plan, &sampling, BLOCK_ROWS, Display::of(decomposition), None);
        let automatic = decomposition.automatic_rank();
        let weights = (0..vectors).map(|column| {
            decomposition.v.iter().skip(column).step_by(decomposition.rank()).copied().collect()
        });
        let shares = decomposition.s.iter().take(vectors).map(|s| percent(s * s / decomposition.energy));
        let meta = Meta {
            scan,
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
        let text = |bytes: &'a [u8]| Base64Display::new(bytes, &STANDARD);
        let of_plane = |plane: usize| elements(planes.get(plane).copied().unwrap_or_default());
        Ok(Self {
            words: words(decomposition, &sampling, shown, &meta.scan.rescale),
            vectors: Some((
                vectors_words(decomposition, &of_basis, vectors),
                ranks(decomposition, automatic),
            )),
            group: "Original, composite and difference",
            difference: "Difference",
            panels: [
                ("original", "Original", "The scan's own pixels"),
                ("composite", "Composite", "The same view of the chosen composite, in the same window"),
                (
                    "difference",
                    "Original minus composite: purple below, orange above zero",
                    "What the composite leaves out of this view",
                ),
            ],
            data: in_page(&meta)?,
            basis: of_plane(0).into_iter().map(text).collect(),
            planes: (1..planes.len())
                .flat_map(|plane| of_plane(plane).into_iter().map(move |bytes| (plane - 1, text(bytes))))
                .collect(),
        })
    }

    /// Of a denoised series.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub(super) fn of_denoised(plan: &SeriesPlan, volume: &DenoisedVolume<'a>) -> Result<Self> {
        let DenoisedVolume { planes, sampling, display, sigma } = volume;
        let instead = Some("Soft tissue, as the headers name none");
        let scan = Scan::of(plan, sampling, plan.pixels(), *display, instead);
        let mut words = samples_words(plan, sampling);
        words += &format!("The denoised values are rounded to {}.", steps_words(plan, &scan.rescale));
        words += " Pixels outside the image (padding) are air here, as for the method.";
        words += &size_words(plan);
        let meta = DenoisedMeta { scan, composites: [Denoised { rms: *sigma }] };
        Ok(Self {
            words,
            vectors: None,
            group: "Original, denoised and removed",
            difference: "Removed",
            panels: [
                ("original", "Original", "The scan's own pixels"),
                ("composite", "Denoised", "The same view of the denoised series, in the same window"),
                (
                    "difference",
                    "Removed, original minus denoised: purple below, orange above zero",
                    "What was removed from this view",
                ),
            ],
            data: in_page(&meta)?,
            basis: Vec::new(),
            planes: planes.iter().map(|plane| Base64Display::new(plane, &STANDARD)).enumerate().collect(),
        })
    }
}

/// Which values are there.
fn samples_words(plan: &SeriesPlan, sampling: &Sampling) -> String {
    let slices = match sampling.slice_step {
        1 => "every slice".to_owned(),
        step => format!("one slice in {step}"),
    };
    let (rows, columns) = sampling.size();
    match sampling.step {
        1 => format!("Every pixel of {slices}. "),
        step => format!(
            "To keep the page small, it holds one pixel in {step} of one row in {step} of {slices}: {rows} x {columns} pixels for {} x {}. \
             They are the scan's own pixels, not averages, so a value at the cursor is exactly that of the pixel whose row and \
             column are named; finer detail is in the scan and in the still pictures. ",
            plan.rows, plan.columns
        ),
    }
}

/// The steps of stored values.
fn steps_words(plan: &SeriesPlan, rescale: &[(f64, f64, i32)]) -> String {
    let steps = match rescale {
        [(slope, ..)] => format!("multiples of {} {}", slope.abs(), plan.rescale_unit),
        _ => "the steps of their slices' stored values".to_owned(),
    };
    steps.trim_end().to_owned()
}

/// What is not known of the proportions.
fn size_words(plan: &SeriesPlan) -> String {
    unknown_size(plan).map_or(String::new(), |unknown| {
        let why = match plan.joint {
            Some(_) => "The series are not alike in how large pixels are, or how far apart slices".to_owned(),
            None => format!("The scan does not say {unknown}"),
        };
        format!(" {why}, so the views have not the proportions of the body.")
    })
}

/// What the values in the browser are, and what is left out.
fn words(
    decomposition: &Decomposition,
    sampling: &Sampling,
    shown: usize,
    rescale: &[(f64, f64, i32)],
) -> String {
    let plan = &decomposition.plan;
    let (mut words, steps) = (samples_words(plan, sampling), steps_words(plan, rescale));
    words += &format!("Composites are rounded to {steps}, and differences are of the rounded values.");
    if decomposition.padding.replaced > 0 {
        words += " Pixels outside the image have the value that replaced theirs.";
    }
    words += &size_words(plan);
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
        "on a logarithmic scale. This result keeps k = {chosen} basis vectors. Solid lines are at the composites. {automatic}"
    )
}
