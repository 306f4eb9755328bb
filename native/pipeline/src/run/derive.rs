//! The stage that makes derived DICOM, in process.

use std::{collections::BTreeMap, sync::Arc};

use rayon::prelude::*;
use tomobasis_dicom::FileBuffer;

use super::{Runner, Scan, tell_path};
use crate::{
    decomposition::Decomposition,
    derived::{CompositeRenderer, CompositeScratch, DerivedFile, DerivedRecord, DerivedSlices, Strip},
    error::Result,
    scan::InputFile,
    sources::{each_file, read},
};

/// Composites are held in memory as 16-bit integers, as many at a time as fit into this, at least one.
const COMPOSITE_BYTES: usize = 1 << 30;

impl Runner<'_> {
    /// Makes the derived DICOM instances of all composites, handing each to `take`; returns their records.
    pub(crate) fn derive(
        &mut self,
        scan: &Scan,
        decomposition: &Arc<Decomposition>,
        take: impl Fn(&DerivedFile) -> Result<()> + Sync,
    ) -> Result<Vec<DerivedRecord>> {
        let (composites, slices) = (decomposition.composites.len(), scan.plan.slices.len());
        let at_once = (COMPOSITE_BYTES / (2 * scan.pixels.len()).max(1)).clamp(1, composites.max(1));
        let batches = composites.div_ceil(at_once);
        let steps = batches * (scan.blocks() as usize + slices);
        let began = self.stage(6, "derive", "blocks and slices", steps);
        let mut records = Vec::with_capacity(composites * slices);
        for first in (0..composites).step_by(at_once) {
            let which = first..composites.min(first + at_once);
            let made = self.derive_some(scan, &CompositeRenderer::some(decomposition.clone(), which)?, &take);
            records.extend(made.inspect_err(|error| tell_path(error, &scan.files))?);
        }
        self.record("derive", began);
        Ok(records)
    }

    fn derive_some(
        &self,
        scan: &Scan,
        renderer: &CompositeRenderer,
        take: &(impl Fn(&DerivedFile) -> Result<()> + Sync),
    ) -> Result<Vec<DerivedRecord>> {
        let state = || (CompositeScratch::default(), Vec::new());
        let strips = self.for_blocks(scan.blocks(), state, |(scratch, strips), values, block| {
            let rows = scan.gather(block, values);
            strips.extend(renderer.render(scratch, block, values, rows, &[0])?);
            Ok(())
        })?;
        let mut whole = DerivedSlices::new(renderer, 0..scan.plan.slices.len())?;
        strips
            .into_iter()
            .flat_map(|(_, strips): (_, Vec<Strip>)| strips)
            .try_for_each(|strip| whole.add(strip))?;
        let file = |slices: Vec<usize>| Some((scan.plan.slices.get(*slices.first()?)?.file, slices));
        let by_file: BTreeMap<usize, Vec<usize>> =
            scan.plan.slices_by_file().into_iter().filter_map(file).collect();
        let write = |bytes: &[u8], slices: Vec<usize>| -> Result<Vec<Vec<DerivedRecord>>> {
            let first = slices.first().copied().unwrap_or_default();
            // An instance of many frames is work for several threads.
            let write = |c| {
                let made = whole.write_composite(c, first, bytes)?;
                take(&made)?;
                Ok(made.records)
            };
            let made = (0..whole.composites()).into_par_iter().map(write).collect();
            self.progress.advance(slices.len() as u64);
            made
        };
        let read_and_write =
            |file: &InputFile, slices, buffer: &mut FileBuffer| Ok(write(read(file, buffer)?, slices));
        let made = self.pool.install(|| each_file(&scan.files, by_file, read_and_write, write))?;
        Ok(made.into_iter().collect::<Result<Vec<_>>>()?.concat().concat())
    }
}
