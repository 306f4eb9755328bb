//! What a run says in plain text: the series at its beginning, the result at its end.

use serde::Serialize;
use tomobasis_dicom::SeriesPlan;

use super::REPORT;
use crate::{
    decomposition::Decomposition,
    options::{Emit, Method, RankChoice},
};

/// Stands for the result folder in [`Summary::closing`].
const OUTPUT: &str = "{output}";
/// Stands for the root digest in [`Summary::closing`].
const ROOT: &str = "{root}";

/// A decomposition in a few numbers, for logs and for the last lines of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Basis vectors, k.
    pub rank: usize,
    /// Numerical rank of `A`, where all singular values were computed.
    pub numerical_rank: Option<usize>,
    /// Standard deviation of the noise, in the series' unit, where all singular values were computed.
    pub noise: Option<f64>,
    /// Slices, n.
    pub slices: usize,
    /// Row blocks.
    pub blocks: u32,
    /// Composites that are rendered.
    pub composites: usize,
    /// The first five singular values.
    pub sigma: Vec<f64>,
    /// Columns (from 0) whose singular values coincide to the working precision.
    pub unresolved: Vec<usize>,
    /// What decoding found that is to be told, in sentences.
    pub notes: Vec<String>,
    /// Error bounds that were proven, in class `certified`.
    pub bounds: Option<tomobasis_linalg::Bounds>,
    /// What to print at the end, in which `{output}` and `{root}` stand for the result folder and the root digest.
    pub closing: String,
}

/// Sums a decomposition up.
#[must_use]
pub fn summary(decomposition: &Decomposition) -> Summary {
    Summary {
        rank: decomposition.rank(),
        numerical_rank: decomposition.numerical_rank,
        noise: decomposition.noise,
        slices: decomposition.columns(),
        blocks: decomposition.blocks(),
        composites: decomposition.composites.len(),
        sigma: decomposition.s.iter().take(5).copied().collect(),
        unresolved: decomposition.factors.unresolved().to_vec(),
        notes: decomposition.notes.iter().map(|note| note.text.clone()).collect(),
        bounds: decomposition.factors.certified().map(|factors| factors.bounds.clone()),
        closing: closing_text(decomposition, ROOT, OUTPUT),
    }
}

/// The series in one line, without anything about the patient.
#[must_use]
pub fn describe_series(plan: &SeriesPlan) -> String {
    let pixel = plan.pixel_spacing_mm;
    let pixel = pixel.map_or_else(String::new, |[row, column]| format!(" of {row:.3} x {column:.3} mm"));
    let step = plan.slice_spacing_mm.map_or_else(String::new, |step| format!(", every {step:.2} mm"));
    format!(
        "{} slices of {} x {} pixels{pixel}{step} ({})",
        plan.slices.len(),
        plan.columns,
        plan.rows,
        plan.modality
    )
}

/// What to print at the end of a run.
#[must_use]
pub fn closing_text(decomposition: &Decomposition, root: &str, output: &str) -> String {
    let sigma: Vec<String> =
        decomposition.s.iter().take(5).enumerate().map(|(j, s)| format!("s_{} = {s}", j + 1)).collect();
    let rank = match decomposition.numerical_rank {
        Some(rank) if rank != decomposition.rank() => {
            format!("{} (numerical rank {rank})", decomposition.rank())
        }
        _ => decomposition.rank().to_string(),
    };
    let mut lines = vec![
        format!("series       {}", describe_series(&decomposition.plan)),
        format!("rank         {rank}"),
        format!("values       {}", sigma.join(", ")),
        format!("result       {output}"),
        format!("root digest  {root}"),
    ];
    let method = decomposition.options.method;
    if method != (Method::Gram { center: None }) {
        lines.insert(1, format!("method       {}, class {}", method.name(), method.class()));
    }
    if let (RankChoice::Auto, Some(sigma)) = (decomposition.options.rank, decomposition.noise) {
        lines.insert(lines.len() - 3, format!("noise        {sigma:.2} {}", decomposition.plan.rescale_unit));
    }
    let unresolved = decomposition.factors.unresolved().len();
    if unresolved > 0 {
        lines.push(format!("unresolved   {unresolved} columns: see the manifest"));
    }
    if decomposition.options.emits(Emit::Dicom) {
        let identity = if decomposition.options.no_patient_data { "without" } else { "with" };
        lines.push(format!("dicom        {output}/dicom/ ({identity} patient data)"));
    }
    if decomposition.options.emits(Emit::Report) {
        lines.push(format!("look at      {output}/{REPORT}"));
    }
    if decomposition.options.emits(Emit::Png) {
        lines.push(format!("pictures     {output}/pictures/"));
    }
    lines.join("\n")
}
