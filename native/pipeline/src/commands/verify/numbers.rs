//! The first number of a result's tables that is not what the input gives.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    blocks::renderer::BlockRenderer,
    commands::runner::{Runner, Scan},
    error::{Error, Result},
    input::listing::InputFile,
    need,
    options::Options,
    output::tables,
    result::{ResultFolder, in_block, in_s, in_v},
};

const STORED: &str = "in the result";
const GIVEN: &str = "from the input";

/// The same for a folder whose tables have other numbers than its manifest says; none where the input cannot be decomposed, or is another
/// one.
pub(super) fn first_of_input(
    runner: &mut Runner<'_>,
    folder: &ResultFolder,
    files: Vec<InputFile>,
    options: Options,
) -> Option<String> {
    let scan = runner.read(files, &options, need::check_verification).ok()?;
    if scan.pixels_digest() != folder.manifest.digests.pixels {
        return None;
    }
    let decomposition = Arc::new(runner.decompose(&scan, options).ok()?);
    let renderer = runner.renderer(&scan, &decomposition).ok()?;
    let same = "every number in the tables is what the input gives";
    first(runner, folder, &scan, &renderer).ok().map(|place| place.unwrap_or_else(|| same.to_owned()))
}

/// The first number of the tables, in the order s, V, U, that is not what the input gives, in words; none where there is none, or there
/// are no tables.
///
/// # Errors
/// [`Error::Differs`] for tables that cannot be read, and what rendering is refused for.
pub(super) fn first(
    runner: &mut Runner<'_>,
    folder: &ResultFolder,
    scan: &Scan,
    renderer: &BlockRenderer,
) -> Result<Option<String>> {
    if !folder.has_tables() {
        return Ok(None);
    }
    let decomposition = renderer.decomposition();
    let k = decomposition.rank();
    let other = |error: Error| Error::Differs(error.to_string());
    let (s, v) = (folder.s_as_it_is().map_err(other)?, folder.v_as_it_is().map_err(other)?);
    if s.len() != k || v.len() != decomposition.v.len() {
        let (stored, given) = (s.len(), k);
        return Ok(Some(format!("the tables have {stored} columns, and the input gives {given}")));
    }
    if let Some(found) = in_s(&s, &decomposition.s).or_else(|| in_v(&v, &decomposition.v, k)) {
        return Ok(Some(found.told(STORED, GIVEN)));
    }
    let earliest = Mutex::new(None);
    runner.render(scan, renderer, |made| {
        let block = made.record.block;
        let given = tables::read_basis(&tables::basis_name(block), made.part.concat())?.values;
        let stored = folder.block_as_it_is(block).map_err(other)?;
        let found = in_block(block, &stored, &given, k);
        let mut earliest = earliest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found.filter(|_| earliest.as_ref().is_none_or(|(at, _)| block < *at)) {
            *earliest = Some((block, found));
        }
        Ok(())
    })?;
    let earliest = earliest.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(earliest.map(|(_, found)| found.told(STORED, GIVEN)))
}
