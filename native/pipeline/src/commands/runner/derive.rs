//! The stage that makes derived DICOM, in process.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tomobasis_dicom::FileBuffer;

use super::{Runner, Scan, tell_path};
use crate::{
    blocks::{
        composites::{CompositeRenderer, CompositeScratch},
        renderer::BlockRenderer,
    },
    commands::stages::Stage,
    error::{Error, Result},
    input::{
        files::Files,
        listing::InputFile,
        sources::{each_file, read},
    },
    output::dicom::{Band, Composites, DerivedFile, DerivedRecord, DerivedSlices},
    progress::Progress,
    solve::decomposition::Decomposition,
};

/// Composites are held in need as 16-bit integers, as many at a time as fit into this, at least one.
pub(crate) const COMPOSITE_BYTES: usize = 1 << 30;

impl Runner<'_> {
    /// How many of the composites are held at a time.
    pub(super) fn composites_at_once(&self, scan: &Scan, decomposition: &Decomposition) -> usize {
        let fitting = self.composite_bytes / (2 * scan.stored().len()).max(1);
        fitting.clamp(1, decomposition.composites.len().max(1))
    }

    /// Makes the derived DICOM instances of all composites, handing each to `take`; returns their records. `rendered` are the bands
    /// of those that `renderer` has rendered with the blocks; the others follow, as many at a time.
    pub(crate) fn derive(
        &mut self,
        scan: &Scan,
        renderer: &BlockRenderer,
        rendered: Vec<Band>,
        take: impl Fn(&DerivedFile) -> Result<()> + Sync,
    ) -> Result<Vec<DerivedRecord>> {
        let decomposition = renderer.decomposition();
        let (composites, slices) = (decomposition.composites.len(), scan.plan.slices.len());
        let at_once = self.composites_at_once(scan, decomposition);
        let batches = composites.div_ceil(at_once);
        let steps = batches * slices + batches.saturating_sub(1) * scan.blocks() as usize;
        let began = self.stage(Stage::Derive, decomposition.options.method, steps);
        let tell = |error: &Error| tell_path(error, &scan.files);
        let mut records = self.write(scan, renderer.composites(), rendered, &take).inspect_err(tell)?;
        for first in (at_once..composites).step_by(at_once) {
            let which = first..composites.min(first + at_once);
            let renderer = CompositeRenderer::new(decomposition.clone(), which)?;
            let state = || (CompositeScratch::default(), Vec::new());
            let bands = self.for_blocks(scan.blocks(), state, |(scratch, bands), values, block| {
                let rows = scan.gather(block, values);
                bands.extend(renderer.render(scratch, block, values, rows, &[0])?);
                Ok(())
            })?;
            let bands = bands.into_iter().flat_map(|(_, bands)| bands).collect();
            records.extend(self.write(scan, renderer.composites(), bands, &take).inspect_err(tell)?);
        }
        self.record(began);
        Ok(records)
    }

    /// The instances of some composites, from their bands of all blocks.
    fn write(
        &self,
        scan: &Scan,
        composites: &Composites,
        bands: Vec<Band>,
        take: &(impl Fn(&DerivedFile) -> Result<()> + Sync),
    ) -> Result<Vec<DerivedRecord>> {
        let mut whole = DerivedSlices::new(composites, 0..scan.plan.slices.len())?;
        bands.into_iter().try_for_each(|band| whole.add(band))?;
        let file = |slices: Vec<usize>| Some((scan.plan.slices.get(*slices.first()?)?.file, slices));
        let by_file: BTreeMap<usize, Vec<usize>> =
            scan.plan.slices_by_file().into_iter().filter_map(file).collect();
        let records = |made: DerivedFile| take(&made).map(|()| made.records);
        let made =
            self.pool.install(|| each_instance(&whole, &scan.files, by_file, records, self.progress))?;
        Ok(made.concat())
    }
}

/// Reads files of the source again, `by_file` with their slices, and hands the instances of all composites of `whole` to `take`; on
/// the current thread pool. Returns what `take` did.
///
/// # Errors
/// When files cannot be read, what they are refused for, and those of `take`.
pub(crate) fn each_instance<T: Send>(
    whole: &DerivedSlices,
    files: &(impl Files + ?Sized),
    by_file: BTreeMap<usize, Vec<usize>>,
    take: impl Fn(DerivedFile) -> Result<T> + Sync,
    progress: &dyn Progress,
) -> Result<Vec<T>> {
    let write = |bytes: &[u8], slices: Vec<usize>| -> Result<Vec<T>> {
        let first = slices.first().copied().unwrap_or_default();
        // An instance of many frames is work for several threads.
        let write = |c| take(whole.write_composite(c, first, bytes)?);
        let made = (0..whole.composites()).into_par_iter().map(write).collect();
        progress.advance(slices.len() as u64);
        made
    };
    let read_and_write =
        |file: &InputFile, slices, buffer: &mut FileBuffer| Ok(write(read(file, buffer)?, slices));
    let made = each_file(files, by_file, read_and_write, write)?;
    Ok(made.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, sync::Mutex};

    use clap::Parser;
    use tomobasis_dicom::testing::DicomFile;

    use super::*;
    use crate::{commands::decompose::JobArgs, need, progress::Silent, solve::digest::Digest};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        job: JobArgs,
    }

    /// Paths and digests of the derived files where this many bytes of composites are held at a time, and the composites that come
    /// with the blocks.
    fn derived(input: &Path, composite_bytes: usize) -> (Vec<(String, Digest)>, usize) {
        let line = ["tomobasis", "--input", input.to_str().unwrap(), "--output", "unused", "--emit", "dicom"];
        let options =
            Line::parse_from(line.into_iter().chain(["--composite", "1,2,4"])).job.resolve().unwrap();
        let mut runner = Runner::new(2, &Silent, 0, true).unwrap();
        runner.composite_bytes = composite_bytes;
        let scan =
            runner.read(crate::input::listing::list(&options.input).unwrap(), &options, need::check).unwrap();
        let decomposition = std::sync::Arc::new(runner.decompose(&scan, options).unwrap());
        let renderer = runner.renderer(&scan, &decomposition).unwrap();
        let rendered = runner.render(&scan, &renderer, |_| Ok(())).unwrap();
        let files = Mutex::new(Vec::new());
        let take = |made: &DerivedFile| {
            let digest = Digest::of([made.file.bytes.as_slice()]);
            files.lock().unwrap().push((made.file.path.clone(), digest));
            Ok(())
        };
        runner.derive(&scan, &renderer, rendered.composites, take).unwrap();
        let mut files = files.into_inner().unwrap();
        files.sort();
        (files, runner.composites_at_once(&scan, &decomposition))
    }

    #[test]
    fn composites_that_do_not_fit_into_need_with_the_others_are_the_same() {
        let base = tempfile::tempdir().unwrap();
        for j in 0..4_i16 {
            let pixels: Vec<i16> = (0..70 * 60).map(|i| (i * (j + 3) % 11 + i % (j + 2)) % 100).collect();
            let file = DicomFile::ct(70, 60, &pixels).number(j as u32 + 1).position(0.0, 0.0, j.into());
            fs::write(base.path().join(format!("{j}.dcm")), file.bytes()).unwrap();
        }
        let (whole, at_once) = derived(base.path(), COMPOSITE_BYTES);
        assert_eq!((whole.len(), at_once), (12, 3));
        let scan_bytes = 2 * 4 * 70 * 60;
        for (bytes, expected) in [(1, 1), (2 * scan_bytes, 2)] {
            let (files, at_once) = derived(base.path(), bytes);
            assert_eq!(at_once, expected);
            assert_eq!(files, whole);
        }
    }
}
