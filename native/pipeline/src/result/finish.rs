//! The last step: from the digests of all blocks to the small files of the result folder.

use super::{Environment, MANIFEST, Manifest, REPORT, report};
use crate::{
    NamedFile,
    block::{BlockRecord, basis_digests},
    decomposition::Decomposition,
    derived::{DerivedRecord, DerivedSection},
    error::{Error, Result},
    options::Emit,
    tables,
};

/// Makes all files of the result folder that are neither a block's, a derived slice's nor `_SUCCESS`, the manifest last.
///
/// # Errors
/// [`Error::Protocol`] when blocks or derived slices are missing or disagree, and what the encoders refuse.
pub fn finish(
    decomposition: &Decomposition,
    records: &[BlockRecord],
    derived: &[DerivedRecord],
    pictures: Vec<NamedFile>,
    environment: Environment,
) -> Result<(Manifest, Vec<NamedFile>)> {
    let u = basis_digests(decomposition.blocks(), records)?;
    let emits_dicom = decomposition.options.emits(Emit::Dicom);
    let derived = emits_dicom.then(|| DerivedSection::new(decomposition, derived)).transpose()?;
    let manifest = Manifest::new(decomposition, u, derived, environment)?;
    let tables = decomposition.options.emits(Emit::Parquet);
    let mut files = if tables { small_tables(decomposition)? } else { Vec::new() };
    if decomposition.options.emits(Emit::Report) {
        let report = report::render(&manifest, decomposition, &pictures);
        files.push(NamedFile { path: REPORT.to_owned(), bytes: report.into_bytes() });
    }
    if decomposition.options.emits(Emit::Png) {
        files.extend(pictures);
    }
    let mut json =
        serde_json::to_vec_pretty(&manifest).map_err(|error| Error::Protocol(error.to_string()))?;
    json.push(b'\n');
    files.push(NamedFile { path: MANIFEST.to_owned(), bytes: json });
    Ok((manifest, files))
}

/// The tables of singular values and of weights.
///
/// # Errors
/// What the encoder refuses.
pub(crate) fn small_tables(decomposition: &Decomposition) -> Result<Vec<NamedFile>> {
    let instances: Vec<String> = decomposition.instances.iter().map(ToString::to_string).collect();
    let positions: Vec<f64> = decomposition.plan.slices.iter().map(|slice| slice.position_mm).collect();
    let values = tables::singular_values(
        &decomposition.s,
        &decomposition.spectrum().left_out(),
        decomposition.energy,
    )?;
    let weights = tables::weights(&instances, &positions, &decomposition.v, decomposition.rank())?;
    Ok(vec![
        NamedFile { path: tables::SINGULAR_VALUES.to_owned(), bytes: values },
        NamedFile { path: tables::WEIGHTS.to_owned(), bytes: weights },
    ])
}
