//! The stages of denoising, in process.

use std::{collections::BTreeMap, time::Instant};

use rayon::prelude::*;
use tomobasis_denoise::{
    Denoiser, DetailKept, Effect, NoiseModel, Settings, Shape, Volume, Voxels, details_kept,
};
use tomobasis_dicom::{
    FileBuffer,
    derived::{Derivation, derive},
};
use tomobasis_linalg::Rescale;

use super::{Begun, Runner, Scan, tell_path};
use crate::{
    commands::stages::StageName,
    error::{Error, Result},
    input::{
        listing::InputFile,
        sources::{each_file, read},
    },
    memory,
    output::dicom::Grid,
    solve::digest::Digest,
};

/// A scan without its noise.
pub(crate) struct Denoised {
    /// The noise that it had.
    pub model: NoiseModel,
    /// Slices, rows and columns of a patch.
    pub patch: [usize; 3],
    /// What was removed.
    pub effect: Effect,
    /// What is left of discs put into it; none where the size of a pixel is unknown.
    pub details: Vec<DetailKept>,
    /// Values that were beyond what a slice can store, and set to the end of the range.
    pub clipped: u64,
    /// Stored values, as the scan's.
    stored: Vec<i16>,
}

impl Runner<'_> {
    /// Estimates the noise of a scan, removes it, and measures what was removed.
    pub(crate) fn denoise(&mut self, scan: &Scan, settings: Settings) -> Result<Denoised> {
        let plan = &scan.plan;
        let shape = Shape { slices: plan.slices.len(), rows: plan.rows, columns: plan.columns };
        let rescale: Vec<Rescale> = plan
            .slices
            .iter()
            .map(|slice| Rescale { slope: slice.slope, intercept: slice.intercept, offset: slice.offset })
            .collect();
        let spacing_mm = plan.slice_spacing_mm.unwrap_or_default();
        let volume =
            |values| Volume::new(shape, spacing_mm, Voxels::Stored { values, rescale: &rescale }, None);
        let before = volume(scan.stored())?;
        let began = self.own_stage(3, "noise", "volumes", 1);
        let model = self.pool.install(|| NoiseModel::estimate(&before))?;
        self.progress.advance(1);
        self.record(began);

        let began = self.own_stage(4, "denoise", "rows", shape.rows);
        let grids: Vec<Grid> = plan.slices.iter().map(Grid::of).collect();
        let mut stored = memory::for_scan(plan)?;
        let denoiser = Denoiser::new(&before, &model, settings)?;
        let mut clipped = 0;
        self.pool.install(|| {
            denoiser.denoise(0..shape.rows, |band| -> Result<()> {
                self.check_stop()?;
                let (start, voxels) = (band.rows.start * shape.columns, band.rows.len() * shape.columns);
                let slices = stored.par_chunks_exact_mut(plan.pixels()).zip(band.hu.par_chunks_exact(voxels));
                let store = |((out, hu), grid): ((&mut [i16], &[f32]), &Grid)| {
                    let values: Vec<f64> = hu.iter().map(|&hu| hu.into()).collect();
                    u64::from(grid.store(&values, &mut out[start..start + voxels]))
                };
                clipped += slices.zip(&grids).map(store).sum::<u64>();
                self.progress.advance(band.rows.len() as u64);
                Ok(())
            })
        })?;
        let after = volume(&stored)?;
        let (effect, details) = self.pool.install(|| -> Result<_> {
            let details = plan.pixel_spacing_mm.map(|pixel| details_kept(&before, &model, settings, pixel));
            Ok((Effect::measure(&before, &model, &after)?, details.transpose()?.unwrap_or_default()))
        })?;
        self.record(began);
        let patch = denoiser.patch();
        Ok(Denoised { model, patch, effect, details, clipped, stored })
    }

    /// Makes the derived instances, handing each to `take` with its slice; returns the digests of their stored pixels.
    pub(crate) fn write_denoised(
        &mut self,
        scan: &Scan,
        denoised: &Denoised,
        derivation: &Derivation,
        take: impl Fn(usize, &[u8]) -> Result<()> + Sync,
    ) -> Result<Vec<Digest>> {
        let plan = &scan.plan;
        let began = self.own_stage(5, "derive", "slices", plan.slices.len());
        let by_file: BTreeMap<usize, usize> =
            plan.slices.iter().enumerate().map(|(slice, planned)| (planned.file, slice)).collect();
        let write = |bytes: &[u8], slice: usize| -> Result<(usize, Digest)> {
            self.check_stop()?;
            let pixels = slice * plan.pixels()..(slice + 1) * plan.pixels();
            let mut stored = denoised.stored[pixels].to_vec();
            let made = derive(plan, &[slice], bytes, &mut stored, derivation)?;
            take(slice, &made.file)?;
            self.progress.advance(1);
            let digest = made.pixels.first().copied();
            Ok((
                slice,
                Digest(digest.ok_or_else(|| Error::Internal("an instance without pixels".to_owned()))?),
            ))
        };
        let read_and_write =
            |file: &InputFile, slice, buffer: &mut FileBuffer| Ok(write(read(file, buffer)?, slice));
        let made = self
            .pool
            .install(|| each_file(&scan.files, by_file, read_and_write, write))
            .and_then(|made| made.into_iter().collect::<Result<Vec<_>>>())
            .inspect_err(|error| tell_path(error, &scan.files));
        let mut made = made?;
        made.sort_by_key(|(slice, _)| *slice);
        self.record(began);
        Ok(made.into_iter().map(|(_, digest)| digest).collect())
    }

    /// Begins a stage that decompositions do not have.
    fn own_stage(&self, number: usize, name: &'static str, unit: &'static str, total: usize) -> Begun {
        self.show_stage(number, StageName { name, unit }, total);
        Begun { name, at: Instant::now() }
    }
}
