//! The stages of denoising, in process: of a scan, and of a volume in memory.

use std::{collections::BTreeMap, ops::Range, time::Instant};

use rayon::prelude::*;
use tomobasis_denoise::{
    Band, Denoiser, DetailKept, Effect, NoiseModel, Settings, Shape, Volume, Voxels, Windows, details_kept,
    patch,
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
        layout::rescale_of,
        listing::InputFile,
        sources::{each_file, read},
    },
    memory,
    output::dicom::Grid,
    solve::digest::Digest,
};

/// What was found and removed.
#[derive(Clone)]
pub(crate) struct Removal {
    /// The noise that there was.
    pub model: NoiseModel,
    /// Slices, rows and columns of a patch.
    pub patch: [usize; 3],
    /// How many windows there are, and how many of air.
    pub windows: Windows,
    /// What was removed.
    pub effect: Effect,
    /// What is left of discs put into it; none where the size of a pixel is unknown.
    pub details: Vec<DetailKept>,
    /// Values that were beyond what can be stored, and set to the end of the range.
    pub clipped: u64,
}

/// A scan without its noise.
pub(crate) struct Denoised {
    pub removal: Removal,
    /// Stored values, as the scan's.
    pub stored: Vec<i16>,
}

impl Denoised {
    /// Stored values of a slice before and after.
    pub(crate) fn slice<'a>(&'a self, scan: &'a Scan, slice: usize) -> [&'a [i16]; 2] {
        let pixels = slice * scan.plan.pixels()..(slice + 1) * scan.plan.pixels();
        [scan.stored(), &self.stored].map(|values| values.get(pixels.clone()).unwrap_or_default())
    }
}

/// Where denoised voxels go, slice after slice.
pub(crate) enum Target<'a> {
    /// Rounded to what each slice can store.
    Stored { grids: &'a [Grid], rescale: &'a [Rescale], values: Vec<i16> },
    /// As they are.
    Hu(Vec<f32>),
}

impl Target<'_> {
    /// Takes rows of all slices of `columns` columns, of which `rows` go here; returns how many values were clipped.
    pub(crate) fn take(&mut self, band: &Band, rows: &Range<usize>, columns: usize) -> u64 {
        let (start, voxels) = ((band.rows.start - rows.start) * columns, band.rows.len() * columns);
        let rows = rows.len();
        let found = band.hu.par_chunks_exact(voxels);
        match self {
            Self::Stored { grids, values, .. } => {
                let store = |((out, hu), grid): ((&mut [i16], &[f32]), &Grid)| {
                    let values: Vec<f64> = hu.iter().map(|&hu| hu.into()).collect();
                    u64::from(grid.store(&values, &mut out[start..start + voxels]))
                };
                values.par_chunks_exact_mut(rows * columns).zip(found).zip(*grids).map(store).sum()
            }
            Self::Hu(values) => {
                let slices = values.par_chunks_exact_mut(rows * columns).zip(found);
                slices.for_each(|(out, hu)| out[start..start + voxels].copy_from_slice(hu));
                0
            }
        }
    }

    fn voxels(&self) -> Voxels<'_> {
        match self {
            Self::Stored { values, rescale, .. } => Voxels::Stored { values, rescale },
            Self::Hu(values) => Voxels::Hu(values),
        }
    }
}

impl Runner<'_> {
    /// Estimates the noise of a scan, removes it, and measures what was removed.
    pub(crate) fn denoise(&mut self, scan: &Scan, settings: Settings) -> Result<Denoised> {
        let plan = &scan.plan;
        let shape = Shape { slices: plan.slices.len(), rows: plan.rows, columns: plan.columns };
        let rescale = rescale_of(plan);
        let spacing_mm = plan.slice_spacing_mm.unwrap_or_default();
        let voxels = Voxels::Stored { values: scan.stored(), rescale: &rescale };
        let before = Volume::new(shape, spacing_mm, voxels, None)?;
        let grids: Vec<Grid> = plan.slices.iter().map(Grid::of).collect();
        let mut target = Target::Stored { grids: &grids, rescale: &rescale, values: memory::for_scan(plan)? };
        let removal = self.remove_noise(&before, settings, plan.pixel_spacing_mm, 3, &mut target)?;
        let stored = match target {
            Target::Stored { values, .. } => values,
            Target::Hu(_) => Vec::new(),
        };
        Ok(Denoised { removal, stored })
    }

    /// Estimates the noise of a volume, removes it into `target`, and measures what was removed; its two stages are shown from
    /// number `stage` on. `pixel_mm` is the distance of rows and of columns, without which no details are tried.
    pub(crate) fn remove_noise(
        &mut self,
        before: &Volume<'_>,
        settings: Settings,
        pixel_mm: Option<[f64; 2]>,
        stage: usize,
        target: &mut Target<'_>,
    ) -> Result<Removal> {
        let Shape { rows, columns, .. } = before.shape();
        let began = self.own_stage(stage, "noise", "volumes", 1);
        let model = self.pool.install(|| NoiseModel::estimate(before))?;
        self.check_stop()?;
        self.progress.advance(1);
        self.record(began);

        let began = self.own_stage(stage + 1, "denoise", "rows", rows);
        let denoiser = Denoiser::new(before, &model, settings)?;
        let mut clipped = 0;
        let windows = self.pool.install(|| {
            denoiser.denoise(0..rows, |band| -> Result<()> {
                self.check_stop()?;
                clipped += target.take(&band, &(0..rows), columns);
                self.progress.advance(band.rows.len() as u64);
                Ok(())
            })
        })?;
        let after = Volume::new(before.shape(), before.spacing_mm(), target.voxels(), None)?;
        let (effect, details) = self.pool.install(|| -> Result<_> {
            let details = pixel_mm.map(|pixel| details_kept(before, &model, settings, pixel));
            self.check_stop()?;
            Ok((Effect::measure(before, &model, &after)?, details.transpose()?.unwrap_or_default()))
        })?;
        self.record(began);
        let patch = patch(before.spacing_mm());
        Ok(Removal { model, patch, windows, effect, details, clipped })
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
