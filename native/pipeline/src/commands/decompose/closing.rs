//! What a run says at its end.

use crate::{
    input::describe_input,
    options::{Emit, Method, RankChoice},
    output::{dicom, drm, pictures, report, text},
    solve::decomposition::Decomposition,
};

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
    let format = decomposition.options.input_format;
    let mut lines = vec![
        format!("{:<12} {}", format.subject(), describe_input(&decomposition.plan, format)),
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
        lines.push(format!("dicom        {output}/{}/ ({identity} patient data)", dicom::FOLDER));
    }
    if decomposition.options.emits(Emit::Report) {
        lines.push(format!("look at      {output}/{}", report::REPORT));
    }
    if decomposition.options.emits(Emit::Png) {
        lines.push(format!("pictures     {output}/{}/", pictures::FOLDER));
    }
    if decomposition.options.emits(Emit::Text) {
        lines.push(format!("text         {output}/{}/", text::FOLDER));
    }
    if decomposition.options.emits(Emit::Drm) {
        lines.push(format!("drm          {output}/{}/", drm::FOLDER));
    }
    lines.join("\n")
}
