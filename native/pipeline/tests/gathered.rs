//! A result folder whose row blocks and derived DICOM are made by tasks, as those of the Python package make them, is the command's.

mod common;

use std::{collections::BTreeMap, fs, ops::Range, path::Path, sync::Arc};

use common::{SIZE, SLICES, decompose, options, series};
use tomobasis_dicom::{SeriesPlan, SliceRecord};
use tomobasis_linalg::{BLOCK_ROWS, GramAccumulator, column_major};
use tomobasis_pipeline::{
    Error,
    blocks::{BlockRenderer, CompositeRenderer, CompositeScratch, Scratch},
    commands::{gathered::GatheredResult, slices},
    input::Numbers,
    options::Options,
    output::FileDigest,
    progress::{Progress, Silent},
    result::Environment,
    solve::{
        Decomposition,
        passes::{BlockPartials, BlockPass, PassDriver},
    },
};

const PIXELS: usize = SIZE.0 as usize * SIZE.1 as usize;
const BLOCKS: usize = PIXELS.div_ceil(BLOCK_ROWS);

/// What tasks read: the pixels of all slices, and what decoding said.
struct Read {
    pixels: Vec<i16>,
    records: Vec<SliceRecord>,
}

impl Read {
    /// By tasks of four slices each.
    fn of(options: &Options, plan: &SeriesPlan) -> Self {
        let mut read = Self { pixels: Vec::new(), records: Vec::new() };
        let all: Vec<usize> = (0..SLICES).collect();
        for some in all.chunks(4) {
            let (pixels, records) = slices::read(options, plan, some, 1).unwrap();
            read.pixels.extend(pixels);
            read.records.extend(records);
        }
        read
    }

    /// The stored pixels of a row block, slice-major, and its rows.
    fn block(&self, block: usize) -> (Vec<i16>, usize) {
        let rows: Range<usize> = block * BLOCK_ROWS..PIXELS.min((block + 1) * BLOCK_ROWS);
        let values =
            self.pixels.chunks(PIXELS).flat_map(|slice| slice[rows.clone()].iter().copied()).collect();
        (values, rows.len())
    }

    fn solved(&self, options: Options, plan: SeriesPlan) -> Decomposition {
        if options.method.class() == "certified" {
            let mut sums = GramAccumulator::new(SLICES).unwrap();
            for block in 0..BLOCKS {
                let (values, rows) = self.block(block);
                sums.add(column_major(&values, rows, SLICES).unwrap()).unwrap();
            }
            return Decomposition::compute(plan, options, &sums, &self.records, 1).unwrap();
        }
        let mut driver = PassDriver::new(plan, options, Numbers::Stored).unwrap();
        while let Some(pass) = driver.pass() {
            let pass = BlockPass::from_bytes(&pass.to_bytes().unwrap()).unwrap();
            let part = |blocks: Range<usize>| {
                let mut found = BlockPartials::default();
                for block in blocks {
                    let (values, rows) = self.block(block);
                    let partial = pass.block(block as u32, values.as_slice(), rows, &mut Vec::new());
                    found.add(partial.unwrap()).unwrap();
                }
                found.into_bytes()
            };
            let found = vec![part(2..BLOCKS), part(0..2)];
            driver.add_bytes(&found, 2).unwrap();
        }
        driver.finish(&self.records).unwrap()
    }
}

/// Makes the result as tasks do, the last block first, and composites for derived DICOM one by one.
fn gather(options: Options, progress: &dyn Progress) -> Result<(), Error> {
    let mut folder = GatheredResult::create(&options)?;
    let plan = slices::plan(&options, false, 1, &Silent)?.remove(0);
    let read = Read::of(&options, &plan);
    let solved = Arc::new(read.solved(options.clone(), plan.clone()));
    solved.check_pixels(&read.records)?;
    let renderer = BlockRenderer::with_composites(solved.clone(), 0)?;
    for block in (0..BLOCKS).rev() {
        let (values, rows) = read.block(block);
        let mut scratch = Scratch::default();
        let rendered = renderer.render(&mut scratch, block as u32, values.as_slice(), rows, &[0])?;
        let files: Vec<_> = rendered.files().collect();
        let files: Vec<_> = files.iter().map(|(path, pieces)| (path.as_str(), *pieces)).collect();
        folder.add_block(&rendered.record.to_bytes(), &files, rendered.bands.clone())?;
    }
    let derived = options.emits(tomobasis_pipeline::options::Emit::Dicom);
    for place in 0..if derived { solved.composites.len() } else { 0 } {
        let composite = CompositeRenderer::new(solved.clone(), place..place + 1)?;
        let starts = slices::runs_of_files(&plan, 4);
        let mut bands = vec![Vec::new(); starts.len()];
        for block in 0..BLOCKS {
            let (values, rows) = read.block(block);
            let of_runs =
                composite.render(&mut CompositeScratch::default(), block as u32, &values, rows, &starts)?;
            for (run, band) in bands.iter_mut().zip(of_runs) {
                run.push(band.to_bytes()?);
            }
        }
        let ends = starts.iter().skip(1).copied().chain([SLICES]);
        for ((start, end), bands) in starts.iter().zip(ends).zip(&bands) {
            let bands: Vec<&[u8]> = bands.iter().map(Vec::as_slice).collect();
            for made in slices::derive(&options, composite.composites(), *start..end, &bands, 1)? {
                let records: Vec<u8> = made.records.iter().flat_map(|record| record.to_bytes()).collect();
                let (first, rest) = made.file.bytes.split_at(100);
                let pieces = [first, rest];
                folder.add_derived((&made.file.path, &pieces), FileDigest::of(&pieces), &records)?;
            }
        }
    }
    folder.finish(&solved, Environment::default(), 2, progress).map(|_| ())
}

/// All files but those that say how they were made.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    for made in ["manifest.json", "report.html"] {
        found.remove(made).unwrap();
    }
    found
}

/// The manifest without what it says of the run.
fn manifest(folder: &Path) -> serde_json::Value {
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().remove("run").unwrap();
    manifest
}

#[test]
fn what_tasks_make_is_the_result_of_the_command() {
    let (base, input) = series();
    for (name, more) in [
        ("gram", "--emit parquet,png,report,dicom,text,drm --composite 2,5"),
        ("center", "--center both --rank 4 --emit parquet,report"),
        ("tsqr", "--method tsqr --emit parquet,report,dicom --composite 3"),
        ("dspca", "--method dspca --rank 3 --oversample 2 --seed 4"),
    ] {
        let (command, tasks) = (base.path().join(name), base.path().join(format!("{name} by tasks")));
        decompose(&input, &command, more, 2).unwrap();
        gather(options(&input, &tasks, more).unwrap(), &Silent).unwrap();
        let (expected, found) = (files(&command), files(&tasks));
        let different: Vec<_> =
            expected.keys().filter(|path| found.get(*path) != expected.get(*path)).collect();
        assert!(different.is_empty() && found.len() == expected.len(), "{name}: {different:?}");
        assert!(found.contains_key("_SUCCESS") && found.len() > 5);
        assert_eq!(manifest(&tasks), manifest(&command), "{name}");
    }
}

#[test]
fn a_run_that_is_to_stop_leaves_nothing() {
    struct Stopped;
    impl Progress for Stopped {
        fn stage(&self, _: usize, _: usize, _: &str, _: &str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn message(&self, _: &str) {}
        fn stopped(&self) -> bool {
            true
        }
    }
    let (base, input) = series();
    let stopped = gather(options(&input, &base.path().join("result"), "").unwrap(), &Stopped);
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
}

#[test]
fn an_input_that_has_changed_is_found() {
    let (base, input) = series();
    let options = options(&input, &base.path().join("result"), "--emit dicom --composite 2").unwrap();
    let plan = slices::plan(&options, false, 1, &Silent).unwrap().remove(0);
    let read = Read::of(&options, &plan);
    let solved = Arc::new(read.solved(options.clone(), plan.clone()));
    let composite = CompositeRenderer::new(solved.clone(), 0..1).unwrap();
    let mut bands = Vec::new();
    for block in 0..BLOCKS {
        let (values, rows) = read.block(block);
        let of_runs =
            composite.render(&mut CompositeScratch::default(), block as u32, &values, rows, &[0]).unwrap();
        bands.extend(of_runs.iter().map(|band| band.to_bytes().unwrap()));
    }
    let bands: Vec<&[u8]> = bands.iter().map(Vec::as_slice).collect();
    let derive = || slices::derive(&options, composite.composites(), 0..SLICES, &bands, 1);
    assert_eq!(derive().unwrap().len(), SLICES);
    let mut changed = common::slice(4);
    changed[17] ^= 1;
    let named = format!("{}.dcm", 4 * 7 % SLICES);
    fs::write(input.join(named), common::file(4, &changed).bytes()).unwrap();
    let again = Read::of(&options, &plan);
    assert!(solved.check_pixels(&again.records).is_err());
    fs::remove_file(input.join("0.dcm")).unwrap();
    assert!(matches!(derive(), Err(Error::Input(_))));
}
