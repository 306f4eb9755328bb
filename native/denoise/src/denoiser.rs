//! All windows of a volume, added up in one order.
//!
//! A slab is all windows that begin in the same row. Windows of a slab are added in ascending order of slice and column,
//! slabs in ascending order of row. So the estimate of a voxel does not depend on which rows are denoised at a time, nor
//! on threads, which compute slabs.

use std::ops::Range;

use rayon::prelude::*;
use tomobasis_linalg::vectorize;

use crate::{
    Error, NoiseModel, NoisePass, Quality, Shape, Volume,
    grid::{Extent, Grid, Grids},
    volume::SPACING_ROUNDING,
    whitening::Whitening,
    window::{IsAir, Scratch, Window},
};

/// Slice spacing from which on patches have two slices and more of each, in mm.
const THICK_MM: f64 = 3.0;

/// What a user may choose.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Part of what was found to be noise that is removed: 0 nothing, 1 all.
    pub strength: f32,
    /// How much is computed.
    pub quality: Quality,
}

impl Default for Settings {
    fn default() -> Self {
        Self { strength: 0.75, quality: Quality::Default }
    }
}

/// Denoised rows of all slices.
pub struct Band {
    /// Rows of the volume.
    pub rows: Range<usize>,
    /// HU: slices x rows x columns.
    pub hu: Vec<f32>,
}

/// Windows, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Windows {
    /// All that there are.
    pub all: u64,
    /// Those of air, which were not decomposed: their patches became their means.
    pub air: u64,
}

impl std::ops::Add for Windows {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { all: self.all + other.all, air: self.air + other.air }
    }
}

/// Patches of 3 x 4 x 4 voxels, or 2 x 5 x 5 where slices are thick.
enum Patches {
    Thin(Whitening<48>),
    Thick(Whitening<64>),
}

/// Denoises rows of a volume.
pub struct Denoiser<'a> {
    volume: &'a Volume<'a>,
    model: &'a NoiseModel,
    strength: f32,
    grids: Grids,
    patches: Patches,
}

impl<'a> Denoiser<'a> {
    /// For a volume, or a block of one, and the noise model of the whole volume.
    ///
    /// # Errors
    /// [`Error::Strength`]; [`Error::Model`] when the model is of a volume of another shape.
    pub fn new(volume: &'a Volume<'a>, model: &'a NoiseModel, settings: Settings) -> Result<Self, Error> {
        let Settings { strength, quality } = settings;
        if !(0.0..=1.0).contains(&strength) {
            return Err(Error::Strength { strength });
        }
        model.check(volume.shape())?;
        let patches = match patch(volume.spacing_mm()) {
            thin @ [3, ..] => Patches::Thin(Whitening::new(model, thin)),
            thick => Patches::Thick(Whitening::new(model, thick)),
        };
        Ok(Self { volume, model, strength, grids: Grids::new(volume.shape(), quality), patches })
    }

    /// The rows that must be at hand to denoise some rows.
    pub fn rows_needed(&self, rows: &Range<usize>) -> Range<usize> {
        self.grids.rows_needed(rows)
    }

    /// Denoises rows on the threads of the current pool of rayon, and hands them on in bands, from the first row to the
    /// last. Returns the windows of the last pass that begin in these rows, so that those of all parts of a volume are all windows.
    /// Memory: [`working_bytes`].
    ///
    /// # Errors
    /// [`Error::Rows`] when the volume does not hold [`rows_needed`](Self::rows_needed); what `take` returns.
    pub fn denoise<E: From<Error>>(
        &self,
        rows: Range<usize>,
        mut take: impl FnMut(Band) -> Result<(), E>,
    ) -> Result<Windows, E> {
        self.volume.check_holds(&rows, &self.rows_needed(&rows))?;
        let threads = rayon::current_num_threads();
        let Grids { first, second } = &self.grids;
        let Some(second) = second else {
            let mut only = Sweep::new(self, first, rows.clone(), self.strength);
            for firsts in first.slabs(&rows).chunks(threads) {
                only.step(firsts, None, &mut take)?;
            }
            return only.end(&mut take);
        };
        let read = second.rows_needed(&rows);
        let (mut chunks, mut waiting) = (first.slabs(&read).chunks(threads).peekable(), second.slabs(&rows));
        let mut pilot = Pilot::new(self.volume.shape(), read.start);
        let mut earlier = Sweep::new(self, first, read, 1.0);
        let mut later = Sweep::new(self, second, rows, self.strength);
        while let Some(firsts) = chunks.next() {
            let mut keep = |band: Band| {
                pilot.append(&band);
                Ok::<(), E>(())
            };
            earlier.step(firsts, None, &mut keep)?;
            if chunks.peek().is_none() {
                earlier.end(&mut keep)?;
            }
            let ready = waiting.partition_point(|row| row + second.extent[1] <= pilot.end());
            let (now, rest) = waiting.split_at(ready);
            for firsts in now.chunks(threads) {
                later.step(firsts, Some(&pilot), &mut take)?;
            }
            waiting = rest;
            pilot.drop_before(waiting.first().copied().unwrap_or(pilot.end()));
        }
        later.end(&mut take)
    }

    /// The windows of a pass that begin in row `first`; `pilot` is what the pass before it has found.
    fn slab(&self, grid: &Grid, first: usize, pilot: Option<&Pilot>) -> Slab {
        match &self.patches {
            Patches::Thin(whitening) => self.slab_of::<3, 4, 4, 48>(grid, first, pilot, whitening),
            Patches::Thick(whitening) => self.slab_of::<2, 5, 5, 64>(grid, first, pilot, whitening),
        }
    }

    fn slab_of<const Z: usize, const Y: usize, const X: usize, const N: usize>(
        &self,
        grid: &Grid,
        first: usize,
        pilot: Option<&Pilot>,
        whitening: &Whitening<N>,
    ) -> Slab {
        let extent = grid.extent;
        let mut slab = Slab::empty(first, extent[1], self.volume.shape());
        let rows = first..first + slab.rows;
        let mut hu = vec![0.0; slab.sums.len()];
        for (slice, hu) in hu.chunks_exact_mut(slab.rows * slab.columns).enumerate() {
            self.volume.hu(slice, rows.clone(), hu);
        }
        let mut scratch = Scratch::new();
        let (mut voxels, mut before) = (Vec::new(), Vec::new());
        for &slice in &grid.starts[0] {
            for &column in &grid.starts[2] {
                let center = [slice + extent[0] / 2, first + extent[1] / 2, column + extent[2] / 2];
                let sigma = self.model.sigma_at(center) as f32;
                slab.windows.all += 1;
                if sigma == 0.0 || self.is_padding(extent, slice, rows.clone(), column) {
                    continue;
                }
                voxels.clear();
                let lines = slab.lines(slice, column, extent);
                lines.for_each(|line| voxels.extend_from_slice(&hu[line..line + extent[2]]));
                let pilot = pilot.map(|pilot| {
                    pilot.window([slice, first, column], extent, &mut before);
                    before.as_slice()
                });
                let scratch = &mut scratch;
                let window =
                    Window::<Z, Y, X, N> { voxels: &voxels, pilot, extent, whitening, sigma, scratch };
                let IsAir(air) = vectorize(window);
                slab.windows.air += u64::from(air);
                let found = scratch.sums.chunks_exact(extent[2]).zip(scratch.weights.chunks_exact(extent[2]));
                for (line, (sums, weights)) in slab.lines(slice, column, extent).zip(found) {
                    add(&mut slab.sums[line..line + extent[2]], sums);
                    add(&mut slab.weights[line..line + extent[2]], weights);
                }
            }
        }
        slab
    }

    /// Whether a window is outside the reconstruction.
    fn is_padding(&self, extent: Extent, slice: usize, rows: Range<usize>, column: usize) -> bool {
        let [slices, _, columns] = extent;
        let all_columns = self.volume.shape().columns;
        (slice..slice + slices).all(|slice| {
            self.volume.padding(slice, rows.clone()).is_some_and(|mask| {
                mask.chunks_exact(all_columns)
                    .all(|row| row[column..column + columns].iter().all(|&outside| outside))
            })
        })
    }

    /// Estimates of rows that are complete, blended with the volume. What is padding, or in no window, stays as it is.
    fn band(&self, open: &Slab, rows: Range<usize>, strength: f32) -> Band {
        let columns = open.columns;
        let voxels = rows.len() * columns;
        let mut hu = vec![0.0; self.volume.shape().slices * voxels];
        hu.par_chunks_exact_mut(voxels).enumerate().for_each(|(slice, hu)| {
            self.volume.hu(slice, rows.clone(), hu);
            let padding = self.volume.padding(slice, rows.clone());
            let start = (slice * open.rows + rows.start - open.first) * columns;
            let found = open.sums[start..start + voxels].iter().zip(&open.weights[start..start + voxels]);
            for (index, (hu, (sum, weight))) in hu.iter_mut().zip(found).enumerate() {
                if *weight > 0.0 && !padding.is_some_and(|mask| mask[index]) {
                    *hu += strength * (sum / weight - *hu);
                }
            }
        });
        Band { rows, hu }
    }
}

/// One pass over rows of a volume, from the first to the last.
struct Sweep<'a> {
    denoiser: &'a Denoiser<'a>,
    grid: &'a Grid,
    rows: Range<usize>,
    strength: f32,
    /// What later windows may add to.
    open: Slab,
    windows: Windows,
}

impl<'a> Sweep<'a> {
    fn new(denoiser: &'a Denoiser<'a>, grid: &'a Grid, rows: Range<usize>, strength: f32) -> Self {
        let first = grid.rows_needed(&rows).start;
        let open = Slab::empty(first, grid.extent[1], denoiser.volume.shape());
        Self { denoiser, grid, rows, strength, open, windows: Windows::default() }
    }

    /// Adds the slabs that begin in these rows, which follow those of the step before, and hands on what is complete.
    fn step<E>(
        &mut self,
        firsts: &[usize],
        pilot: Option<&Pilot>,
        take: &mut impl FnMut(Band) -> Result<(), E>,
    ) -> Result<(), E> {
        let slab = |&first: &usize| self.denoiser.slab(self.grid, first, pilot);
        let slabs: Vec<Slab> = firsts.par_iter().map(slab).collect();
        for slab in slabs {
            // No later slab touches the rows above this one.
            let done = self.open.first.max(self.rows.start)..slab.first.min(self.rows.end);
            if !done.is_empty() {
                take(self.denoiser.band(&self.open, done, self.strength))?;
            }
            if self.rows.contains(&slab.first) {
                self.windows = self.windows + slab.windows;
            }
            self.open.advance(slab.first);
            self.open.add(&slab);
        }
        Ok(())
    }

    /// Hands on the rest. Returns the windows that begin in the rows.
    fn end<E>(&mut self, take: &mut impl FnMut(Band) -> Result<(), E>) -> Result<Windows, E> {
        let rest = self.open.first.max(self.rows.start)..self.rows.end;
        if !rest.is_empty() {
            take(self.denoiser.band(&self.open, rest, self.strength))?;
        }
        Ok(self.windows)
    }
}

/// What the first pass has found in the rows that the second is about to read: HU, rows x slices x columns.
struct Pilot {
    slices: usize,
    columns: usize,
    first: usize,
    hu: Vec<f32>,
}

impl Pilot {
    fn new(shape: Shape, first: usize) -> Self {
        Self { slices: shape.slices, columns: shape.columns, first, hu: Vec::new() }
    }

    /// The row after the last one.
    fn end(&self) -> usize {
        self.first + self.hu.len() / (self.slices * self.columns)
    }

    /// Adds the rows that follow.
    fn append(&mut self, band: &Band) {
        let rows = band.rows.len();
        for row in 0..rows {
            for slice in 0..self.slices {
                let start = (slice * rows + row) * self.columns;
                self.hu.extend_from_slice(&band.hu[start..start + self.columns]);
            }
        }
    }

    /// Drops the rows above `row`.
    fn drop_before(&mut self, row: usize) {
        self.hu.drain(..(row - self.first) * self.slices * self.columns);
        self.first = row;
    }

    /// Copies a window that begins at a slice, row and column.
    fn window(&self, [slice, row, column]: [usize; 3], extent: Extent, voxels: &mut Vec<f32>) {
        voxels.clear();
        for slice in slice..slice + extent[0] {
            for row in row - self.first..row - self.first + extent[1] {
                let start = (row * self.slices + slice) * self.columns + column;
                voxels.extend_from_slice(&self.hu[start..start + extent[2]]);
            }
        }
    }
}

/// Weighted estimates of some rows of all slices, added up, and their weights: slices x rows x columns.
struct Slab {
    first: usize,
    rows: usize,
    columns: usize,
    sums: Vec<f32>,
    weights: Vec<f32>,
    /// Of those that were added up.
    windows: Windows,
}

impl Slab {
    fn empty(first: usize, rows: usize, shape: Shape) -> Self {
        let voxels = shape.slices * rows * shape.columns;
        let (sums, weights) = (vec![0.0; voxels], vec![0.0; voxels]);
        Self { first, rows, columns: shape.columns, sums, weights, windows: Windows::default() }
    }

    /// Index of the first voxel of each line of a window.
    fn lines(&self, slice: usize, column: usize, extent: [usize; 3]) -> impl Iterator<Item = usize> + use<> {
        let (all_rows, columns, [slices, rows, _]) = (self.rows, self.columns, extent);
        (slice..slice + slices)
            .flat_map(move |slice| (0..rows).map(move |row| (slice * all_rows + row) * columns + column))
    }

    /// Drops the rows above `first`.
    fn advance(&mut self, first: usize) {
        let gone = (first - self.first).min(self.rows) * self.columns;
        let slice = self.rows * self.columns;
        for values in [&mut self.sums, &mut self.weights] {
            values.par_chunks_exact_mut(slice).for_each(|values| {
                values.copy_within(gone.., 0);
                values[slice - gone..].fill(0.0);
            });
        }
        self.first = first;
    }

    /// Adds a slab of the same rows.
    fn add(&mut self, other: &Slab) {
        let slice = self.rows * self.columns;
        for (sums, more) in [(&mut self.sums, &other.sums), (&mut self.weights, &other.weights)] {
            let more = more.par_chunks_exact(slice);
            sums.par_chunks_exact_mut(slice).zip(more).for_each(|(sums, more)| add(sums, more));
        }
    }
}

fn add(sums: &mut [f32], more: &[f32]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Slices, rows and columns of the patches where slices are so far apart.
pub fn patch(spacing_mm: f64) -> [usize; 3] {
    if spacing_mm > THICK_MM + SPACING_ROUNDING { [2, 5, 5] } else { [3, 4, 4] }
}

/// The rows that must be at hand to denoise some rows of a volume, and to count what its noise and the effect on it are found by.
pub fn rows_needed(shape: Shape, quality: Quality, rows: &Range<usize>) -> Range<usize> {
    let (denoised, counted) =
        (Grids::new(shape, quality).rows_needed(rows), NoisePass::rows_needed(shape, rows));
    denoised.start.min(counted.start)..denoised.end.max(counted.end)
}

/// Bytes of memory that estimating, denoising and measuring take on so many threads, beside the volume and the result.
pub fn working_bytes(shape: Shape, quality: Quality, threads: usize) -> usize {
    let Grids { first, second } = Grids::new(shape, quality);
    let first = first.extent[1];
    // HU, sums and weights of each thread's slab, which the next band waits for; sums and weights of the open one; a band.
    let rows = match second.map(|second| second.extent[1]) {
        None => first * (3 * threads + 2 + 1),
        // Passes take turns, but both have an open slab; what the first has found, the rows that the second waits for included.
        Some(second) => {
            let slabs = first.max(second) * (3 * threads + 1) + 2 * (first + second);
            slabs + first * (threads + 1) + second
        }
    };
    let slabs = 4 * shape.slices * shape.columns * rows;
    // Images, slopes, counts of a thread that looks at pairs of slices.
    let pairs = threads * (48 * shape.rows * shape.columns + (2 << 20));
    slabs.max(pairs)
}

/// Denoises a whole volume: HU, slices x rows x columns.
///
/// # Errors
/// Those of [`Denoiser::new`]; [`Error::Rows`] for a block of a volume.
pub fn denoise(volume: &Volume<'_>, model: &NoiseModel, settings: Settings) -> Result<Vec<f32>, Error> {
    let shape = volume.shape();
    let slice = shape.rows * shape.columns;
    let mut hu = vec![0.0; shape.slices * slice];
    Denoiser::new(volume, model, settings)?.denoise(0..shape.rows, |band| {
        let range = band.rows.start * shape.columns..band.rows.end * shape.columns;
        let found = band.hu.chunks_exact(range.len());
        hu.chunks_exact_mut(slice).zip(found).for_each(|(hu, band)| hu[range.clone()].copy_from_slice(band));
        Ok::<(), Error>(())
    })?;
    Ok(hu)
}
