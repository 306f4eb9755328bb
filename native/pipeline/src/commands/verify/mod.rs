//! Is it the same? A result against its input; a denoised series by [`denoise`].
//!
//! First the folder against its own manifest: the manifest's seal, for what no input gives again; every file by size and digest, the
//! tables' numbers by theirs, so that a file that was changed is named. Then the result is made again from the input, by the code that
//! made it, and compared in the order of the computation: pixels, `s`, `V`, `U`, derived DICOM byte by byte, the manifest's values, all
//! files' digests, the report with the times of the stored manifest.

mod arguments;
mod notes;
mod numbers;
mod part;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use clap::ValueEnum;
use serde::Serialize;
use tomobasis_dicom::printable;

pub use self::arguments::{Part, PartArgs, VerifyArgs};
use self::notes::{OtherNotes, adopt_notes, adopt_unjoined};
use crate::{
    blocks::renderer::basis_digests,
    commands::{
        denoise::{self, DenoisedFolder},
        runner::{Runner, Scan},
        stages::Stage,
    },
    error::{Error, Result},
    input::{
        list_input,
        listing::{InputFile, local_path},
    },
    memory, need,
    options::{Emit, InputFormat, Options, Padding, RankChoice},
    output::{FileDigest, drm, tables, text},
    progress::Progress,
    result::{
        Draft, Environment, FileEntry, FolderNotes, MANIFEST, Manifest, ResultFolder, TablesState,
        first_difference, name_some, read_complete,
    },
    solve::digest::Digest,
};

/// What was compared, and found to be the same.
#[derive(Debug)]
pub struct Checked {
    /// What to print: exactly what was compared.
    pub closing: String,
    /// The root digest; of a denoised series, that of its pixels.
    pub digest: Digest,
    /// How much was looked at.
    pub scope: Scope,
}

/// How much of a result was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scope {
    /// `all`, `blocks` or `s-v`.
    pub part: &'static str,
    /// What was drawn at random was drawn from this; absent where nothing was.
    pub seed: Option<u64>,
    /// Row blocks of `U` that were computed again, and how many there are; absent for a denoised series.
    pub blocks: Option<[u32; 2]>,
    /// How likely it is that one bad row block of `U` was not among them.
    pub missed: Option<f64>,
    /// Bound of the probability that a wrong Gram matrix was not noticed; absent where that was not checked by itself.
    pub gram_error: Option<f64>,
}

impl Scope {
    /// All of a result with this number of row blocks.
    pub(crate) fn all(blocks: Option<u32>) -> Self {
        let blocks = blocks.map(|blocks| [blocks; 2]);
        Self { part: "all", seed: None, blocks, missed: blocks.map(|_| 0.0), gram_error: None }
    }
}

/// How much of a result an input gives again.
#[derive(Clone, Copy)]
struct Given {
    /// This version wrote it: all files are known to the byte.
    ours: bool,
    /// The input has the instance UIDs of what was decomposed, and is no copy under others.
    same_instances: bool,
    /// The manifest lists its files and is sealed.
    lists: bool,
}

/// Files that were made again.
#[derive(Default)]
struct Made {
    /// Every byte is the same.
    same: usize,
    /// Those that are not, where another version may have written them in another way.
    other: Vec<String>,
}

/// Makes a result again from its input and compares, on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::Differs`] naming the first difference, and whatever keeps the comparison from being made.
pub fn verify(args: &VerifyArgs, threads: usize, progress: &dyn Progress) -> Result<Checked> {
    tomobasis_linalg::check_machine()?;
    let path = local_path("RESULT", &args.result)?;
    let json = read_complete(&path)?;
    if DenoisedFolder::is_of(&json) {
        let folder = DenoisedFolder::of_manifest(&path, json)?;
        if let Some(option) = args.part.given() {
            let problem =
                "it applies to results of a decomposition, and this is a denoised series; leave it out";
            return Err(Error::option(option, problem));
        }
        args.refuse_the_result_itself()?;
        let closing = denoise::verify(&folder, args, threads, progress)?;
        let digest = folder.manifest.digests.denoised;
        return Ok(Checked { closing, digest, scope: Scope::all(None) });
    }
    let folder = ResultFolder::of_manifest(&path, json)?;
    folder.check_manifest()?;
    let options = options(args, &folder)?;
    let checked = if args.part.given().is_some() {
        part::check(&folder, options, &args.part, threads, progress)
    } else {
        let mut runner = Runner::with_stages(threads, progress, 1, stages(&options) - 1)?;
        check(&folder, options, list_input, &mut runner, progress).map(|(checked, _)| checked)
    };
    checked.map_err(|error| of_lost_series(error, args, &folder.manifest))
}

/// The error for an input without a series that a joint result is of, which nobody has named with `--series`.
pub(crate) fn of_lost_series(error: Error, args: &VerifyArgs, manifest: &Manifest) -> Error {
    match error {
        Error::Dicom(tomobasis_dicom::Error::UnknownSeries { listing })
            if args.series.is_none() && manifest.parameters.joint.is_some() =>
        {
            Error::Input(format!(
                "it lacks a series that the result is of; name the files of all of them, or, for a copy under other UIDs, the \
                 series with --series (all, or ids separated by commas); it has:\n{listing}"
            ))
        }
        other => other,
    }
}

/// The bytes of the manifest of a finished folder, of a result or of a denoised series, whose seal and digests go together.
///
/// # Errors
/// [`Error::ResultFile`] when it is no such folder, [`Error::Differs`] when its manifest was changed, [`Error::System`].
pub fn checked_manifest(path: &Path) -> Result<Vec<u8>> {
    let json = read_complete(path)?;
    match DenoisedFolder::is_of(&json) {
        true => DenoisedFolder::of_manifest(path, json.clone())?.check_seal()?,
        false => ResultFolder::of_manifest(path, json.clone())?.check_manifest()?,
    }
    Ok(json)
}

/// The options of a run that makes a result again, whose manifest was checked.
///
/// # Errors
/// [`Error::Option`] for what the result of a matrix cannot have, [`Error::Differs`] for parameters that do not go together.
pub(crate) fn options(args: &VerifyArgs, folder: &ResultFolder) -> Result<Options> {
    args.check_against(&folder.manifest)?;
    let options = Options::for_verification(args, &folder.manifest);
    check_parameters(&options, &folder.manifest)?;
    Ok(options)
}

/// Stages of [`check`].
pub(crate) fn stages(options: &Options) -> usize {
    1 + Stage::count(options.emits(Emit::Dicom))
}

/// Makes a result again from the files of its input, which `list` lists, and compares; the first stage is the one before the runner's
/// own. What was compared, and the scan.
///
/// # Errors
/// As [`verify`].
pub(crate) fn check(
    folder: &ResultFolder,
    options: Options,
    list: impl FnOnce(&Options) -> Result<Vec<InputFile>>,
    runner: &mut Runner<'_>,
    progress: &dyn Progress,
) -> Result<(Checked, Scan)> {
    let stored = &folder.manifest;
    check_room(folder, &runner.pool)?;
    runner.first_stage("check files", "files", folder.steps());
    let of_folder = match runner.pool.install(|| folder.check(progress)) {
        Err(Error::Differs(what)) => {
            let place = match runner.pool.install(|| folder.state_of_tables())? {
                TablesState::AsListed | TablesState::Unreadable => None,
                TablesState::OtherBytes => {
                    Some("every number in the tables is that of the manifest's digests".to_owned())
                }
                TablesState::OtherNumbers => list(&options)
                    .ok()
                    .and_then(|files| numbers::first_of_input(runner, folder, files, options)),
            };
            return Err(Error::Differs(place.map_or(what.clone(), |place| format!("{what}; {place}"))));
        }
        checked => checked?,
    };

    let scan = runner.read(list(&options)?, &options, need::check_verification);
    let scan = scan.map_err(|error| of_other_input(error, options.input_format))?;
    if scan.pixels_digest() != stored.digests.pixels {
        return Err(other_input(options.input_format));
    }
    let reference = runner.reference(&scan.plan, &options)?;
    let mut decomposition = runner.decompose(&scan, options)?;
    let beside = adopt_unjoined(&mut decomposition, stored);
    let decomposition = Arc::new(decomposition);
    let mut renderer = runner.renderer(&scan, &decomposition)?;
    let compared = reference.is_some();
    if let Some(reference) = reference {
        renderer.compare_with(runner.measured(reference, decomposition.composites.len())?);
    }
    let rendered = runner.render(&scan, &renderer, |_| Ok(()))?;
    let found = decomposition.digests(basis_digests(decomposition.blocks(), &rendered.records)?);
    if let Some(what) = first_difference(&stored.digests, &found) {
        let place = numbers::first(runner, folder, &scan, &renderer)?;
        let place = place.map(|place| format!("; {place}")).unwrap_or_default();
        return Err(Error::Differs(format!(
            "recomputed from the input, the digest of {what} is not the manifest's{place}"
        )));
    }
    let scope = Given {
        ours: folder.is_ours(),
        same_instances: found.instances == stored.digests.instances,
        lists: stored.files.is_some(),
    };
    let bands = rendered.bands;
    let pictures = runner.pool.install(|| renderer.pictures(bands.iter().map(Vec::as_slice)))?;
    drop(bands);
    let files = Mutex::new(Made::default());
    let derived = match decomposition.options.emits(Emit::Dicom) {
        true => runner.derive(&scan, &renderer, rendered.composites, |made| {
            if !scope.same_instances {
                return Ok(());
            }
            let same = folder.check_derived(&made.file)?;
            files.lock().unwrap_or_else(PoisonError::into_inner).count(&made.file.path, same);
            Ok(())
        })?,
        false => Vec::new(),
    };
    if !(scope.ours && scope.same_instances) {
        // Their bytes are not known, their pixels are.
        runner.pool.install(|| folder.check_derived_series())?;
    }
    let mut draft =
        Draft::new(&decomposition, &rendered.records, &derived, pictures, Environment::default())?;
    draft.manifest.run = stored.run.clone();
    let notes = adopt_notes(&mut draft.manifest, stored, beside)?;
    if let (false, Some(made), Some(stored)) = (compared, &mut draft.manifest.measures, &stored.measures) {
        made.adopt_reference(stored);
    }
    let (made, _) = draft.finish(&decomposition)?;
    let mut files = files.into_inner().unwrap_or_else(PoisonError::into_inner);
    compare_made(folder, made, scope, &mut files)?;
    // What lists its files was compared file by file.
    if scope.same_instances && folder.manifest.files.is_none() {
        folder.check_small_tables(&decomposition, true)?;
    }
    let closing = closing(folder, scope, &files, notes.as_ref(), of_folder, compared);
    let blocks = Some(decomposition.blocks());
    Ok((Checked { closing, digest: stored.digests.root, scope: Scope::all(blocks) }, scan))
}

/// Refuses the check of a folder's tables for which there is too little memory.
pub(crate) fn check_room(folder: &ResultFolder, pool: &rayon::ThreadPool) -> Result<()> {
    let (result, threads) = (&folder.manifest.result, pool.current_num_threads());
    let needed = if folder.has_tables() { need::of_tables(result.rows, result.rank, threads) } else { 0 };
    let what = format!("checking the tables on {threads} threads");
    memory::check_other(&what, needed, "give fewer with --threads, or run it where there is more")
}

/// Refuses a manifest's parameters that do not go together.
fn check_parameters(options: &Options, manifest: &Manifest) -> Result<()> {
    let columns = manifest.result.columns;
    if let Some(composite) = manifest.result.composites.iter().find(|composite| composite.k > columns) {
        let (k, of) = (composite.k, options.input_format.columns());
        return Err(Error::Differs(format!(
            "{MANIFEST}: result.composites has {k}, which is more than the {columns} {of}"
        )));
    }
    if let RankChoice::Columns(k) = options.rank
        && k > columns
    {
        let of = options.input_format.columns();
        return Err(Error::Differs(format!(
            "{MANIFEST}: parameters.rank is {k}, which is more than the {columns} {of}"
        )));
    }
    if options.method.rank_problem(options.rank).is_some() {
        let (rank, method) = (options.rank, options.method.name());
        return Err(Error::Differs(format!(
            "{MANIFEST}: parameters.rank is {rank}, which {method} cannot follow"
        )));
    }
    let format = options.input_format;
    let strange =
        options.emit.iter().find(|what| !format.emits().contains(what)).map(|what| ("emitted", word(what)));
    let padded = !format.is_scan() && options.padding != Padding::Keep;
    let strange = strange.or_else(|| padded.then(|| ("parameters.padding", word(&options.padding))));
    match strange {
        Some((name, word)) => Err(Error::Differs(format!(
            "{MANIFEST}: {name} has {word}, which the result of a matrix cannot have"
        ))),
        None => Ok(()),
    }
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The error for an input that cannot have given a result.
pub(crate) fn other_input(format: InputFormat) -> Error {
    let what = if format.is_scan() { "pixels" } else { "numbers" };
    Error::Differs(format!("the {what} of the input are not those that were decomposed"))
}

/// An input for which the options of a result are refused, which go together and fit its size, is another one.
pub(crate) fn of_other_input(error: Error, format: InputFormat) -> Error {
    match error {
        Error::Option { option: "--rank" | "--composite" | "--center" | "--padding" | "--emit", .. } => {
            other_input(format)
        }
        other => other,
    }
}

impl Made {
    fn count(&mut self, path: &str, same: bool) {
        match same {
            true => self.same += 1,
            false => self.other.push(path.to_owned()),
        }
    }
}

/// The files of a result, the report among them, that are the same to the byte in this scope if this version wrote them; by path.
fn known_files(manifest: &Manifest, scope: Given) -> BTreeMap<String, FileDigest> {
    let of_pixels = |path: &str| {
        tables::is_basis(path) || path == tables::SINGULAR_VALUES || text::is_text(path) || drm::is_drm(path)
    };
    let known = |path: &str| scope.same_instances || of_pixels(path);
    let entry = |file: &FileEntry| Some((file.path.clone(), file.content()?));
    manifest.listed_files().into_iter().flatten().filter(|file| known(&file.path)).filter_map(entry).collect()
}

/// Compares the manifest with the one made again: values, then files, which are counted.
fn compare_made(folder: &ResultFolder, made: Manifest, scope: Given, counted: &mut Made) -> Result<()> {
    let stored = &folder.manifest;
    let files = known_files(&made, scope);
    compare_values(folder, made, scope)?;
    if stored.files.is_none() {
        return Ok(());
    }
    let known = known_files(stored, scope);
    if scope.ours {
        compare_files(&files, &known)?;
    }
    files.iter().for_each(|(path, content)| counted.count(path, known.get(path) == Some(content)));
    Ok(())
}

/// Compares the values of the manifest with those of the one made again. What the input does not give in this scope is taken over from the
/// former.
fn compare_values(folder: &ResultFolder, mut made: Manifest, scope: Given) -> Result<()> {
    let stored = &folder.manifest;
    made.files.clone_from(&stored.files);
    made.run.clone_from(&stored.run);
    if !scope.same_instances {
        // The window of SSIM is that of the headers.
        if made.series.display != stored.series.display {
            made.measures.clone_from(&stored.measures);
        }
        made.series.clone_from(&stored.series);
        made.digests.instances = stored.digests.instances;
    }
    if !scope.ours {
        made.result.promise.clone_from(&stored.result.promise);
        made.result.bounds.clone_from(&stored.result.bounds);
    }
    folder.check_values(&made)
}

fn compare_files(made: &BTreeMap<String, FileDigest>, stored: &BTreeMap<String, FileDigest>) -> Result<()> {
    let mut problems = Vec::new();
    for (path, content) in made {
        match stored.get(path) {
            Some(other) if other == content => {}
            Some(_) => problems.push(format!("{path}: the input gives other bytes")),
            None => problems.push(format!("{path}: the manifest does not list it")),
        }
    }
    let only_stored = stored.keys().filter(|path| !made.contains_key(*path));
    problems.extend(only_stored.map(|path| format!("{path}: the input gives no such file")));
    if problems.is_empty() { Ok(()) } else { Err(Error::Differs(name_some(&problems))) }
}

/// What was compared, in words.
fn closing(
    folder: &ResultFolder,
    scope: Given,
    files: &Made,
    notes: Option<&OtherNotes>,
    of_folder: FolderNotes,
    compared: bool,
) -> String {
    let Manifest { run, digests, .. } = &folder.manifest;
    let mut lines = vec!["verified     pixels, s, V and U: every bit is what the input gives".to_owned()];
    lines.push(match scope.lists {
        true => format!(
            "files        all as the manifest lists them, none missing, none extra; {}{}",
            made_again(folder, scope, files),
            if notes.is_some() { with_notes(&folder.manifest) } else { String::new() }
        ),
        false => "files        tables and derived DICOM only: the manifest lists no files (an older format), so pictures, report and \
                  strange files were not looked at"
            .to_owned(),
    });
    lines.extend(of_folder.lines("the result"));
    let values = match (scope.same_instances, notes) {
        (false, _) => "every value but those of the headers: the input has the pixels under other instance UIDs than the manifest's \
                       hashes, as a copy has, perhaps anonymized"
            .to_owned(),
        (true, Some(notes)) => format!("every value but {}", notes.told()),
        (true, None) => "every value".to_owned(),
    };
    let run = match run.manifest_sha256 {
        Some(_) => "`run`, which the seal covers",
        None => "`run`; there is no seal",
    };
    lines.push(format!("manifest     {values}; not those of {run}"));
    let of_reference = folder.manifest.measures.as_ref().and_then(|measures| measures.reference);
    if of_reference.is_some() && !compared {
        lines.push(
            "not checked  the measures against the reference (PSNR, RMSE, SSIM): to check them too, give --reference SERIES"
                .to_owned(),
        );
    }
    lines.push(format!("root digest  {}", digests.root));
    lines.join("\n")
}

/// Which of the files that were made again tell of files beside the series what the manifest says, in words.
fn with_notes(manifest: &Manifest) -> String {
    let told = [
        (tables::SERIES, manifest.emitted.contains(&Emit::Parquet) && !manifest.series.joined.is_empty()),
        ("the report", manifest.emitted.contains(&Emit::Report)),
    ];
    let told: Vec<&str> = told.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
    match told.as_slice() {
        [] => String::new(),
        told => format!("; not from this input: what lies beside the series, in {}", told.join(" and ")),
    }
}

/// Which files were made again, in words.
fn made_again(folder: &ResultFolder, scope: Given, files: &Made) -> String {
    let same = format!("{} of {} made again from the input", files.same, folder.listed());
    match (scope.ours, scope.same_instances, files.other.as_slice()) {
        (true, true, _) => format!("{same}, every byte the same"),
        (true, false, _) => format!("{same}, those that hold no UIDs or headers"),
        (false, _, []) => format!("{same}, every byte the same"),
        (false, _, [first, ..]) => format!(
            "{same}, every byte the same; of {} (the first is {first}) this version makes other bytes: the manifest says that version {} \
             wrote them",
            files.other.len(),
            printable(&folder.manifest.run.version)
        ),
    }
}
