//! Pictures of a result folder: other slices and composites, or the run's own again, without decomposing again.
//!
//! Every table that is read is checked against the manifest's digests. Composites come from `U`, `s` and `V`, in the operations
//! of a run, so the same request gives the same bytes. What a folder does not hold is the scan: the original slice and
//! the differences from it are drawn where the scan is given too, and so is everything of a method that removed
//! means. Row blocks are read one by one; in memory are a few of them and the pictures' bytes, at most 256 MiB at a time.

mod arguments;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ndarray::{Array2, ArrayView2};
use tomobasis_linalg::{Centering, Projector, Rescale, SvdView, column_major, row_means};

pub use self::arguments::RenderArgs;
use crate::{
    blocks::{
        block_factors::{Means, composites, row_major},
        renderer::scale_columns,
    },
    commands::{
        runner::{Runner, Scan},
        stages::Stage,
    },
    error::{Error, Result},
    input::{
        layout::{block_count, block_rows, rescale_of},
        list_input,
        listing::local_path,
    },
    memory,
    need::{self, Drawn},
    options::{Method, Options},
    output::{
        NamedFile,
        pictures::{self, BASIS_SHOWN, Display, Panel, Subject, basis_panels, slice_panels},
    },
    progress::Progress,
    result::{MANIFEST, Manifest, ResultFolder, ResultSection},
    solve::spectrum::Spectrum,
};

/// Bytes of panels in memory at a time; slices beyond are drawn after, in further passes over the tables.
const BUDGET: usize = 256 << 20;

/// Draws a result folder's pictures on `threads` threads (0: one per core); returns the paths of those that were written.
///
/// # Errors
/// [`Error::DamagedResult`] naming the first file that is missing, unreadable or different, [`Error::Option`] for slices or composites
/// that the result has not, [`Error::OutputExists`], [`Error::Write`], and what reading the scan is refused for.
pub fn render(args: &RenderArgs, threads: usize, progress: &dyn Progress) -> Result<Vec<PathBuf>> {
    tomobasis_linalg::check_machine()?;
    let folder = ResultFolder::open(&local_path("RESULT", &args.result)?)?;
    let output = local_path("--output", &args.output)?;
    let manifest = &folder.manifest;
    folder.check_manifest().map_err(damaged)?;
    if !manifest.parameters.input_format.is_scan() {
        return spectrum_of_matrix(args, &folder, &output);
    }
    let display = drawable(&folder)?;
    let composites = args.composites(manifest)?;
    let (slices, in_folders) = args.slices(manifest)?;
    refuse_existing(&output, &names(&slices, in_folders, !args.input.is_empty()), args.overwrite)?;
    let (s, v) = folder.read_factors().map_err(damaged)?;

    let stages = stages(!args.input.is_empty());
    let mut runner = Runner::with_stages(threads, progress, 0, stages)?;
    let with_scan = !args.input.is_empty();
    let drawing = drawing_bytes(manifest, slices.len(), composites.len(), with_scan, &runner);
    let check = |needed| {
        let instead = "give fewer --threads, or run it where there is more";
        memory::check_other("drawing the pictures", needed, instead)
    };
    let scan = match args.scan() {
        Some(wanted) => {
            let options = Options::for_verification(&wanted, manifest);
            Some(runner.read(list_input(&options)?, &options, |_, need| {
                check(need.scan() + need.decode().max(drawing))
            })?)
        }
        None => {
            check(drawing)?;
            None
        }
    };
    match &scan {
        Some(scan) if scan.pixels_digest() != manifest.digests.pixels => {
            return Err(Error::Input(
                "its pixels are not those that were decomposed; give the same scan".to_owned(),
            ));
        }
        Some(_) => {}
        None if manifest.parameters.method.center().is_some() => {
            let problem = "the result does not hold the means that its method removed; give the scan";
            return Err(Error::option("--input", problem));
        }
        None => {
            progress.message("without --input the scan's own slice, and differences from it, are left out")
        }
    }

    let (n, k) = (manifest.result.columns, manifest.result.rank);
    let rescale = scan.as_ref().map_or_else(|| vec![Rescale::IDENTITY; n], |scan| rescale_of(&scan.plan));
    let centering = scan.as_ref().and_then(|scan| centering(manifest.parameters.method, scan));
    let (v_low, compensated) = (Array2::zeros((n, k)), vec![false; k]);
    let svd = SvdView { s: &s, v: row_major(&v, k)?, v_low: v_low.view(), compensated: &compensated };
    let projector = Projector::centered(svd, &rescale, centering.as_ref())?;
    let drawing = Drawing {
        folder: &folder,
        scan: scan.as_ref(),
        column_terms: projector.column_terms(),
        projector,
        display,
        composites,
        s: &s,
        v: &v,
    };
    drawing.draw_all(&runner, &slices, |made, slice| {
        let folder = slice
            .filter(|_| in_folders)
            .map_or_else(|| output.clone(), |slice| output.join(folder_name(slice)));
        write(&folder, made)
    })
}

/// Draws what there is to see of a matrix.
fn spectrum_of_matrix(args: &RenderArgs, folder: &ResultFolder, output: &Path) -> Result<Vec<PathBuf>> {
    let given = [
        ("--slice", !args.slice.is_empty()),
        ("--input", !args.input.is_empty()),
        ("--composite", args.composite.is_some()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Error::option(option, "of a matrix only the spectrum is drawn; leave it out"));
    }
    refuse_existing(output, &[pictures::SPECTRUM.to_owned()], args.overwrite)?;
    let (s, v) = folder.read_factors().map_err(damaged)?;
    let Manifest { series, result, .. } = &folder.manifest;
    let composites: Vec<usize> = result.composites.iter().map(|composite| composite.k).collect();
    let subject = Subject {
        size: (series.columns, series.rows),
        unit: &series.unit,
        display: Display { low: 0.0, high: 1.0, inverted: false },
        spectrum: spectrum_of(result, &s),
        composites: &composites,
        slice: 0,
        weights: v.get(..s.len()).unwrap_or_default(),
    };
    Ok(vec![write(output, &pictures::draw_spectrum(&subject)?)?])
}

fn spectrum_of<'a>(result: &ResultSection, s: &'a [f64]) -> Spectrum<'a> {
    Spectrum {
        s,
        energy: result.energy,
        numerical_rank: result.numerical_rank,
        rows: result.rows,
        columns: result.columns,
    }
}

/// A result folder with what its pictures are drawn from.
struct Drawing<'a> {
    folder: &'a ResultFolder,
    scan: Option<&'a Scan>,
    projector: Projector,
    /// What was removed of each slice besides the rows' means.
    column_terms: Vec<f64>,
    display: Display,
    composites: Vec<usize>,
    s: &'a [f64],
    v: &'a [f64],
}

impl Drawing<'_> {
    /// Draws all slices, and what belongs to no slice, and hands the files to `write` as they are made.
    fn draw_all(
        &self,
        runner: &Runner<'_>,
        slices: &[usize],
        write: impl Fn(&NamedFile, Option<usize>) -> Result<PathBuf>,
    ) -> Result<Vec<PathBuf>> {
        let pixels = self.manifest().result.rows;
        let basis = basis_panels(&self.spectrum());
        let largest = slice_panels(&self.subject(0), self.scan.is_some()).len();
        let at_once = (BUDGET / (pixels as usize).max(1)).saturating_sub(basis.len()) / largest.max(1);
        let groups: Vec<&[usize]> = slices.chunks(at_once.max(1)).collect();
        let blocks = block_count(pixels);
        let stage = stages(self.scan.is_some());
        let named = Stage::Render.named(self.manifest().parameters.method);
        runner.show_stage(stage, named, groups.len() * blocks as usize);
        let mut written = Vec::new();
        for (number, group) in groups.into_iter().enumerate() {
            let panels: Vec<Vec<Panel>> =
                group.iter().map(|&slice| slice_panels(&self.subject(slice), self.scan.is_some())).collect();
            // Once is enough for what all slices share.
            let basis: &[Panel] = if number == 0 { &basis } else { &[] };
            let bands = runner.for_blocks(blocks, Vec::new, |bands: &mut Vec<Vec<u8>>, values, block| {
                bands.push(self.band(block, values, group, &panels, basis)?);
                Ok(())
            })?;
            let count = panels.iter().map(Vec::len).sum::<usize>() + basis.len();
            let split = |band| pictures::split(band, pixels, count).map(|(block, panels, _)| (block, panels));
            let bands = bands.iter().flatten().map(|band| split(band)).collect::<Result<Vec<_>>>()?;
            let images = pictures::assemble(pixels, count, bands)?;
            let mut images = images.as_slice();
            for (&slice, panels) in group.iter().zip(&panels) {
                let (own, others) = images.split_at(panels.len());
                for made in pictures::draw(&self.subject(slice), panels, own)? {
                    written.push(write(&made, Some(slice))?);
                }
                images = others;
            }
            for made in pictures::draw(&self.subject(0), basis, images)? {
                written.push(write(&made, None)?);
            }
        }
        written.push(write(&pictures::draw_spectrum(&self.subject(0))?, None)?);
        Ok(written)
    }

    /// A block's pixels of every panel: the slices' after each other, then those of the basis vectors.
    fn band(
        &self,
        block: u32,
        values: &mut Vec<i16>,
        slices: &[usize],
        panels: &[Vec<Panel>],
        basis: &[Panel],
    ) -> Result<Vec<u8>> {
        let (n, k) = (self.manifest().result.columns, self.s.len());
        let rows = block_rows(block, self.manifest().result.rows);
        let u = self.folder.read_block(block).map_err(damaged)?;
        if u.len() != rows * k {
            return Err(damaged(Error::Differs(format!(
                "row block {block} has not {rows} rows of {k} values"
            ))));
        }
        let mut scaled = Vec::new();
        scale_columns(&u, self.s, &mut scaled);
        let (mut originals, mut means, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(scan) = self.scan {
            scan.gather(block, values);
            let input = column_major(values, rows, n)?;
            means = self.row_means(input)?;
            // Slice after slice.
            originals = self.projector.originals(input, slices)?.into_raw_vec_and_offset().0;
        }
        let mut band = block.to_le_bytes().to_vec();
        for (i, (&slice, panels)) in slices.iter().zip(panels).enumerate() {
            composites(&self.projector, (&scaled, rows), &self.composites, &[slice], &mut shown)?;
            Means { rows: &means, columns: &self.column_terms }.add_to(&mut shown, rows, &[slice]);
            let original = originals.get(i * rows..(i + 1) * rows).unwrap_or_default();
            for panel in panels {
                panel.append_pixels(rows, original, &shown, u.chunks_exact(k), &mut band);
            }
        }
        for panel in basis {
            panel.append_pixels(rows, &[], &[], u.chunks_exact(k), &mut band);
        }
        Ok(band)
    }

    /// The means that the method removed from the block's rows; none where it removed none.
    fn row_means(&self, input: ArrayView2<'_, i16>) -> Result<Vec<f64>> {
        match self.manifest().parameters.method {
            Method::Gram { .. } => Ok(self.projector.row_means(input)?),
            method if method.center().is_some() => {
                let all: Vec<usize> = (0..input.ncols()).collect();
                Ok(row_means(self.projector.originals(input, &all)?.view()))
            }
            _ => Ok(Vec::new()),
        }
    }

    fn manifest(&self) -> &Manifest {
        &self.folder.manifest
    }

    fn spectrum(&self) -> Spectrum<'_> {
        spectrum_of(&self.manifest().result, self.s)
    }

    fn subject(&self, slice: usize) -> Subject<'_> {
        let series = &self.manifest().series;
        Subject {
            size: (series.columns, series.rows),
            unit: &series.unit,
            display: self.display,
            spectrum: self.spectrum(),
            composites: &self.composites,
            slice,
            weights: self.v.chunks_exact(self.s.len()).nth(slice).unwrap_or_default(),
        }
    }
}

/// Stages of the drawing, which is the last: with the scan, its own before.
fn stages(with_scan: bool) -> usize {
    if with_scan { Stage::Decode.number() + 1 } else { 1 }
}

/// The means that an exact method removed.
fn centering(method: Method, scan: &Scan) -> Option<Centering> {
    match method {
        Method::Gram { center: Some(center) } => Some(Centering {
            center: center.into(),
            rows: scan.plan.pixels() as u64,
            sums: scan.slice_sums(),
        }),
        _ => None,
    }
}

/// The memory that the drawing of this many slices takes.
fn drawing_bytes(
    manifest: &Manifest,
    slices: usize,
    composites: usize,
    with_scan: bool,
    runner: &Runner<'_>,
) -> u128 {
    let (result, pixels) = (&manifest.result, manifest.result.rows as usize);
    let of_slice = if with_scan { 1 + 2 * composites } else { composites };
    let at_once = slices.min((BUDGET / pixels.max(1) / of_slice.max(1)).max(1));
    let drawn = Drawn {
        slices: at_once,
        composites,
        bytes: pixels * (at_once * of_slice + BASIS_SHOWN),
        with_scan,
        centered: manifest.parameters.method.center().is_some(),
    };
    let size = (result.rows, result.columns);
    need::of_drawing(size, result.rank, runner.pool.current_num_threads(), drawn)
}

/// Whether the folder holds what pictures need; what black and white are in them.
fn drawable(folder: &ResultFolder) -> Result<Display> {
    let Manifest { series, result, parameters, .. } = &folder.manifest;
    let refused = |problem| Err(Error::result_file(MANIFEST, problem));
    if !folder.has_tables() {
        return refused(
            "the result was made without its tables (--emit without parquet); decompose the scan again",
        );
    }
    let pixels = (series.rows as u64).checked_mul(series.columns as u64);
    if pixels != Some(result.rows)
        || series.slices != result.columns
        || parameters.shown_slice >= result.columns
        || !(1..=result.columns).contains(&result.rank)
    {
        return refused("its numbers do not agree");
    }
    match series.display {
        Some(display) => Ok(display),
        None => refused("it does not say what black and white are in its pictures; decompose the scan again"),
    }
}

/// The folder of a slice's pictures: numbered as `--slice` and the pictures' titles are, from 1.
fn folder_name(slice: usize) -> String {
    format!("slice-{:05}", slice + 1)
}

/// The files that will be written, relative to the output.
fn names(slices: &[usize], in_folders: bool, original: bool) -> Vec<String> {
    let of_slice = [pictures::COMPOSITES, pictures::DIFFERENCES];
    let of_slice = if original { &of_slice[..] } else { &of_slice[..1] };
    let path = |slice: usize, name: &str| match in_folders {
        true => format!("{}/{name}", folder_name(slice)),
        false => name.to_owned(),
    };
    let mut names: Vec<String> =
        slices.iter().flat_map(|&slice| of_slice.iter().map(move |name| path(slice, name))).collect();
    names.extend([pictures::BASIS, pictures::SPECTRUM].map(str::to_owned));
    names
}

/// Pictures are replaced on request only; nothing else in the folder is touched.
fn refuse_existing(output: &Path, names: &[String], overwrite: bool) -> Result<()> {
    if !overwrite && names.iter().any(|name| output.join(name).exists()) {
        return Err(Error::OutputExists);
    }
    Ok(())
}

fn write(folder: &Path, made: &NamedFile) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(Error::OutputNotWritable)?;
    let path = folder.join(&made.path);
    // Under another name first: what stops here leaves no half picture, nor the old one cut.
    let partial = folder.join(format!(".{}.tmp", made.path));
    let written = fs::write(&partial, &made.bytes).and_then(|()| fs::rename(&partial, &path));
    written.map_err(|source| {
        let _ = fs::remove_file(&partial);
        Error::Write { file: made.path.clone(), source }
    })?;
    Ok(path)
}

/// In a folder that is read from, a difference from its manifest is damage.
fn damaged(error: Error) -> Error {
    match error {
        Error::Differs(what) => Error::DamagedResult(what),
        other => other,
    }
}
