//! Is it the same? A result against its input, and two results against each other.
//!
//! Both first recompute every digest from the folder's own files, so that a file that was changed is named; then the digests
//! are compared in the order of the computation, and the first that differs is named.

use std::sync::Arc;

use crate::{
    block::basis_digests,
    derived::{DerivedSection, DerivedSeries},
    error::{Error, Result},
    memory,
    options::{Emit, Options, VerifyArgs},
    progress::Progress,
    result::{Manifest, ResultFolder, digests, first_difference},
    run::Runner,
    scan::local_path,
};

/// Recomputes a result from its input and compares, on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::Differs`] naming the first difference, and whatever keeps the comparison from being made.
pub fn verify(args: &VerifyArgs, threads: usize, progress: &dyn Progress) -> Result<Manifest> {
    tomobasis_linalg::check_machine()?;
    let folder = ResultFolder::open(&local_path("RESULT", &args.result)?)?;
    let options = Options::for_verification(args, &folder.manifest);
    let mut runner = Runner::new(threads, progress, 1, options.emits(Emit::Dicom))?;
    let blocks = u64::try_from(folder.manifest.digests.u.blocks.len()).unwrap_or_default();
    runner.first_stage("check files", "row blocks", blocks);
    runner.pool.install(|| folder.check(progress))?;

    let scan = runner.read(&options)?;
    let expected = &folder.manifest.digests;
    if scan.pixels_digest() != expected.pixels {
        return Err(Error::Differs("the pixels of the input are not those that were decomposed".to_owned()));
    }
    let decomposition = Arc::new(runner.decompose(&scan, options)?);
    let renderer = runner.renderer(&scan, &decomposition)?;
    let rendered = runner.render(&scan, &renderer, |_| Ok(()))?;
    let found = digests(&decomposition, basis_digests(decomposition.blocks(), &rendered.records)?);
    if let Some(what) = first_difference(expected, &found) {
        return Err(Error::Differs(format!(
            "recomputed from the input, the digest of {what} is not the manifest's"
        )));
    }
    let same_instances = found.instances == expected.instances;
    if let Some(section) = &folder.manifest.derived {
        let records = runner.derive(&scan, &renderer, rendered.composites, |made| match same_instances {
            true => folder.check_derived(&made.file),
            false => Ok(()),
        })?;
        if DerivedSection::new(&decomposition, &records)? != *section {
            let text = "recomputed from the input, the derived series are not those of the manifest";
            return Err(Error::Differs(text.to_owned()));
        }
    }
    if same_instances {
        folder.check_small_tables(&decomposition)?;
    } else {
        progress.message(
            "same pixels under other instance UIDs: a copy, perhaps anonymised, of what was decomposed",
        );
    }
    Ok(folder.manifest)
}

/// Compares two result folders, and of their derived series those that both have.
///
/// # Errors
/// [`Error::Differs`] naming the first difference.
pub fn compare(a: &str, b: &str, threads: usize, progress: &dyn Progress) -> Result<Manifest> {
    let pool = memory::pool(threads)?;
    let open = |number: usize, name: &'static str, text: &str| -> Result<Manifest> {
        let folder = ResultFolder::open(&local_path(name, text)?)?;
        let blocks = u64::try_from(folder.manifest.digests.u.blocks.len()).unwrap_or_default();
        progress.stage(number, 2, &format!("check {name}"), "row blocks", blocks);
        let in_folder = |error| match error {
            Error::Differs(what) => Error::Differs(format!("{name}: {what}")),
            other => other,
        };
        pool.install(|| folder.check(progress).and_then(|()| folder.check_derived_series()))
            .map_err(in_folder)?;
        Ok(folder.manifest)
    };
    let (a, b) = (open(1, "A", a)?, open(2, "B", b)?);
    let derived =
        |manifest: &Manifest| manifest.derived.iter().flat_map(|section| section.series.clone()).collect();
    let (a_derived, b_derived): (Vec<DerivedSeries>, Vec<_>) = (derived(&a), derived(&b));
    let differing = a_derived.iter().find(|a| b_derived.iter().any(|b| b.k == a.k && b != *a));
    let differing = || differing.map(|series| format!("the pixels of the derived series k={}", series.k));
    let ranks = |series: &[DerivedSeries]| series.iter().map(|series| series.k).collect::<Vec<_>>();
    if ranks(&a_derived) != ranks(&b_derived) {
        progress.message("A and B have not the same derived series; those that both have were compared");
    }
    if a.padding_line() != b.padding_line() {
        progress.message("A and B differ in what became of padding (--padding)");
    }
    match first_difference(&a.digests, &b.digests).or_else(differing) {
        Some(what) => {
            Err(Error::Differs(format!("A and B differ: the first difference is the digest of {what}")))
        }
        None => Ok(a),
    }
}
