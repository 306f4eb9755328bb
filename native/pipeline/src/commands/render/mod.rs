//! Pictures of a result folder: other slices and composites, or the run's own again, without decomposing again.
//!
//! Every table that is read is checked against the manifest's digests. Composites come from `U`, `s` and `V`, in the operations
//! of a run, so the same request gives the same bytes. What a folder does not hold is the scan: the original slice and
//! the differences from it are drawn where the scan is given too, and so is everything of a method that removed
//! means. Row blocks are read one by one; in memory are a few of them and the pictures' bytes, at most 256 MiB at a time.
//!
//! `sheets` draws with captions, as a run does; `plain` without, in the views of `cut`; both from the rows of `tables`.

mod arguments;
mod cut;
mod files;
mod plain;
mod sheets;
mod tables;

use std::path::{Path, PathBuf};

use ndarray::Array2;
use tomobasis_linalg::{Centering, Projector, Rescale, SvdView};

pub use self::{
    arguments::{Form, RenderArgs, Window},
    cut::View,
};
use self::{
    cut::Cut,
    files::{make, refuse_existing, write},
    plain::{Levels, Plain},
    sheets::{Sheets, spectrum_of},
    tables::{CHECKED, Tables},
};
use crate::{
    blocks::block_factors::row_major,
    commands::{
        runner::{Runner, Scan},
        stages::Stage,
        verify::{of_lost_series, of_other_input},
    },
    error::{Error, Result},
    input::{layout::rescale_of, list_input, listing::local_path},
    memory,
    need::{self, Drawn},
    options::{Method, Options},
    output::pictures::{self, BASIS_SHOWN, Display, Subject},
    progress::Progress,
    result::{MANIFEST, Manifest, ResultFolder, StagedFiles, refuse_inside_a_result},
};

/// Bytes of panels or plain pictures in memory at a time; others are drawn after, in further passes over the tables.
const BUDGET: usize = 256 << 20;
/// Of a scroll, unless `--fps` says it.
const FRAMES_PER_SECOND: u16 = 10;

/// Draws a result folder's pictures on `threads` threads (0: one per core); returns the paths of those that were written.
///
/// # Errors
/// [`Error::DamagedResult`] naming the first file that is missing, unreadable or different, [`Error::Option`] for slices or composites
/// that the result has not, [`Error::OutputExists`], [`Error::Write`], and what reading the scan is refused for.
pub fn render(args: &RenderArgs, threads: usize, progress: &dyn Progress) -> Result<Vec<PathBuf>> {
    tomobasis_linalg::check_machine()?;
    let folder = ResultFolder::open(&local_path("RESULT", &args.result)?)?;
    let output = local_path("--output", &args.output)?;
    refuse_inside_a_result("--output", &output.join(pictures::SPECTRUM))?;
    let manifest = &folder.manifest;
    args.check()?;
    folder.check_manifest().map_err(Error::of_damage)?;
    if !manifest.parameters.input_format.is_scan() {
        return spectrum_of_matrix(args, &folder, &output);
    }
    let display = args.display(drawable(&folder)?);
    let composites = args.composites(manifest)?;
    let cut = Cut::new(args.view, &manifest.series)?;
    let shown = args.pictures(manifest, cut.count())?;
    let (s, v) = folder.read_factors().map_err(Error::of_damage)?;

    let stages = stages(!args.input.is_empty());
    let in_folders = !args.slice.is_empty();
    let with_scan = !args.input.is_empty();
    let names = match args.form {
        Form::Sheets | Form::Figure => names(args.form, &shown, in_folders, with_scan),
        Form::Images => plain::names(args.view, Some(&shown), with_scan, &composites),
        Form::Scroll => plain::names(args.view, None, with_scan, &composites),
    };
    refuse_existing(&output, &names, args.overwrite)?;
    let staged = StagedFiles::create(&output)?;
    let mut runner = Runner::with_stages(threads, progress, 0, stages)?;
    let drawing = drawing_bytes(manifest, args.form, shown.len(), composites.len(), with_scan, &runner);
    let check = |needed| {
        let instead = "give fewer --threads, or run it where there is more";
        memory::check_other("drawing the pictures", needed, instead)
    };
    let scan = match args.scan() {
        Some(wanted) => {
            let options = Options::for_verification(&wanted, manifest);
            let scan = runner.read(list_input(&options)?, &options, |_, need| {
                check(need.scan() + need.decode().max(drawing))
            });
            Some(scan.map_err(|error| match of_other_input(error, options.input_format) {
                Error::Differs(_) => other_scan(),
                other => of_lost_series(other, &wanted, manifest),
            })?)
        }
        None => {
            check(drawing)?;
            None
        }
    };
    match &scan {
        Some(scan) if scan.pixels_digest() != manifest.digests.pixels => {
            return Err(other_scan());
        }
        Some(scan) if scan.plan.rescale_unit != manifest.series.unit => {
            let (unit, of_result) = (&scan.plan.rescale_unit, &manifest.series.unit);
            let problem = format!("its values are in {unit:?}, those that were decomposed in {of_result:?}");
            return Err(Error::Input(format!("{problem}; give the same scan")));
        }
        Some(_) if manifest.parameters.method.center().is_some() => progress
            .message("the result does not hold the means that its method removed: they, and intercepts, are taken from this scan"),
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
    let tables = Tables {
        folder: &folder,
        scan: scan.as_ref(),
        column_terms: projector.column_terms(),
        projector,
        s: &s,
        v: &v,
    };
    let stage = (stages, Stage::Render.named(manifest.parameters.method));
    if let Form::Images | Form::Scroll = args.form {
        let levels = match args.depth {
            16 if args.window.is_none() => Levels::Values,
            16 => Levels::Window { display, levels: u16::MAX },
            _ => Levels::Window { display, levels: 255 },
        };
        let per_second = (args.form == Form::Scroll).then_some(args.fps.unwrap_or(FRAMES_PER_SECOND));
        let plain =
            Plain { tables: &tables, cut, levels, composites: &composites, per_second, budget: BUDGET };
        let clipped = plain.draw_all(&runner, stage, &shown, staged.folder())?;
        if clipped > 0 {
            let unit = &manifest.series.unit;
            progress.message(&format!(
                "{clipped} values are outside of -32768 to 32767 {unit} and have the nearest level"
            ));
        }
        return staged.commit(args.overwrite);
    }
    let sheets =
        Sheets { tables: &tables, form: args.form, display, composites: &composites, budget: BUDGET };
    sheets.draw_all(&runner, stage, &shown, |made, slice| {
        let Some(slice) = slice.filter(|_| in_folders) else { return write(staged.folder(), made) };
        let folder = staged.folder().join(folder_name(slice));
        make(&folder)?;
        write(&folder, made)
    })?;
    staged.commit(args.overwrite)
}

fn other_scan() -> Error {
    Error::Input("its pixels are not those that were decomposed; give the same scan".to_owned())
}

/// Draws what there is to see of a matrix.
fn spectrum_of_matrix(args: &RenderArgs, folder: &ResultFolder, output: &Path) -> Result<Vec<PathBuf>> {
    let given = [
        ("--slice", !args.slice.is_empty()),
        ("--input", !args.input.is_empty()),
        ("--composite", args.composite.is_some()),
        ("--as", args.form != Form::Sheets),
        ("--window", args.window.is_some()),
        ("--fps", args.fps.is_some()),
        ("--depth", args.depth != 8),
        ("--view", args.view != View::Axial),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Error::option(option, "of a matrix only the spectrum is drawn; leave it out"));
    }
    refuse_existing(output, &[pictures::SPECTRUM.to_owned()], args.overwrite)?;
    let (s, v) = folder.read_factors().map_err(Error::of_damage)?;
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
    let staged = StagedFiles::create(output)?;
    write(staged.folder(), &pictures::draw_spectrum(&subject)?)?;
    staged.commit(args.overwrite)
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
    form: Form,
    slices: usize,
    composites: usize,
    with_scan: bool,
    runner: &Runner<'_>,
) -> u128 {
    let (result, pixels) = (&manifest.result, manifest.result.rows as usize);
    let of_slice = if with_scan { 1 + 2 * composites } else { composites };
    let at_once = slices.min((BUDGET / pixels.max(1) / of_slice.max(1)).max(1));
    let (at_once, bytes) = match form {
        Form::Sheets | Form::Figure => (at_once, pixels * (at_once * of_slice + BASIS_SHOWN)),
        // Of all slices, if the view shows them.
        Form::Images | Form::Scroll => (result.columns, BUDGET.max(4 * pixels * (1 + composites))),
    };
    let drawn = Drawn {
        slices: at_once,
        composites,
        bytes,
        with_scan,
        checked: CHECKED,
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
fn names(form: Form, slices: &[usize], in_folders: bool, original: bool) -> Vec<String> {
    let of_slice: &[&str] = match (form, original) {
        (Form::Figure, _) => &[pictures::FIGURE],
        (_, true) => &[pictures::COMPOSITES, pictures::DIFFERENCES],
        (_, false) => &[pictures::COMPOSITES],
    };
    let path = |slice: usize, name: &str| match in_folders {
        true => format!("{}/{name}", folder_name(slice)),
        false => name.to_owned(),
    };
    let mut names: Vec<String> =
        slices.iter().flat_map(|&slice| of_slice.iter().map(move |name| path(slice, name))).collect();
    if form != Form::Figure {
        names.extend([pictures::BASIS, pictures::SPECTRUM].map(str::to_owned));
    }
    names
}
