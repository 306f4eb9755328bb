//! Denoising in bands of rows, as the job does it but for Spark: the files of the command.

#[expect(dead_code, reason = "it has what decompositions need")]
mod common;

use std::{fs, ops::Range, path::Path};

use common::{SIZE, SLICES, file, series, slice};
use tomobasis_dicom::{Inventory, SeriesPlan, SliceRecord, decode};
use tomobasis_pipeline::{
    Error,
    commands::{
        decompose::ParsedJob,
        denoise::{self, BandDenoiser, BandOf, DenoiseDriver, parse_arguments},
        job::parse_job,
    },
    input::inventory,
    options::Options,
    output::{NamedFile, dicom::DerivedRecord},
    progress::Silent,
    result::Environment,
};

const ROWS: usize = SIZE.0 as usize;
const COLUMNS: usize = SIZE.1 as usize;

/// A series as tasks have it: its files by the plan's numbers, stored values of all slices, records.
struct Read {
    options: Options,
    plan: SeriesPlan,
    files: Vec<Vec<u8>>,
    stored: Vec<i16>,
    records: Vec<SliceRecord>,
}

fn read(input: &Path, output: &Path, more: &str) -> Read {
    let words: Vec<String> = words(input, output, more).chain(["--denoise".to_owned()]).collect();
    let Ok(ParsedJob::Run(options)) = parse_job(&words) else { panic!("{words:?}") };
    let mut names: Vec<_> = fs::read_dir(input).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let files: Vec<Vec<u8>> = names.iter().map(|name| fs::read(name).unwrap()).collect();
    let mut found = Inventory::new();
    for (index, file) in files.iter().enumerate() {
        found.add(index, &index.to_string(), file.len() as u64, file).unwrap();
    }
    let plan = inventory::select(&mut found, &options).unwrap();
    let mut stored = vec![0; plan.slices.len() * plan.pixels()];
    let records = stored
        .chunks_exact_mut(plan.pixels())
        .enumerate()
        .map(|(slice, out)| decode(&plan, slice, &files[plan.slices[slice].file], out).unwrap())
        .collect();
    Read { options: *options, plan, files, stored, records }
}

fn words(input: &Path, output: &Path, more: &str) -> impl Iterator<Item = String> {
    let (input, output) = (input.to_str().unwrap().to_owned(), output.to_str().unwrap().to_owned());
    let more: Vec<String> = more.split_whitespace().map(str::to_owned).collect();
    ["--input".to_owned(), input, "--output".to_owned(), output].into_iter().chain(more)
}

/// Rows of some slices.
fn cut(stored: &[i16], slices: Range<usize>, rows: Range<usize>) -> Vec<i16> {
    let of_slice = |slice: usize| {
        let first = slice * ROWS * COLUMNS;
        stored[first + rows.start * COLUMNS..first + rows.end * COLUMNS].to_vec()
    };
    slices.flat_map(of_slice).collect()
}

/// All steps over bands of these rows; the files of the folder, the slices first.
fn in_bands(read: &Read, bands: &[Range<usize>]) -> Result<Vec<NamedFile>, Error> {
    let Read { options, plan, files, stored, records } = read;
    let mut driver = DenoiseDriver::new(plan.clone(), options.clone())?;
    let mut denoised = vec![0; stored.len()];
    let step = |driver: &DenoiseDriver, after: Option<&[i16]>| {
        let task = BandDenoiser::from_bytes(&driver.step()?)?;
        let run = |rows: &Range<usize>| {
            let held = driver.held(rows);
            let before = cut(stored, 0..SLICES, held.clone());
            let after = after.map(|after| cut(after, 0..SLICES, held));
            task.run(&BandOf { rows: rows.clone(), before: &before, after: after.as_deref() }, records)
        };
        bands.iter().map(run).collect::<Result<Vec<_>, Error>>()
    };
    for _ in 0..DenoiseDriver::PASSES {
        let found: Vec<_> = step(&driver, None)?.into_iter().map(|band| band.found).collect();
        driver.add(&found, records)?;
    }

    let task = BandDenoiser::from_bytes(&driver.step()?)?;
    let places = driver.probes().into_iter().enumerate();
    let places = places.map(|(probe, slice)| task.place(probe, &cut(stored, slice..slice + 1, 0..ROWS)));
    let places = places.collect::<Result<Vec<_>, Error>>()?.into_iter().flatten().collect::<Vec<_>>();
    driver.add_places(&places)?;
    let task = BandDenoiser::from_bytes(&driver.step()?)?;
    let around = driver.surroundings().into_iter().enumerate();
    let kept = around.map(|(place, [slices, rows])| task.kept(place, &cut(stored, slices, rows)));
    driver.add_kept(&kept.collect::<Result<Vec<f64>, Error>>()?)?;

    let made = step(&driver, None)?;
    for (band, rows) in made.iter().zip(bands) {
        let values = band.values.as_ref().unwrap().chunks_exact(rows.len() * COLUMNS);
        for (slice, values) in values.enumerate() {
            let first = (slice * ROWS + rows.start) * COLUMNS;
            denoised[first..first + values.len()].copy_from_slice(values);
        }
    }
    driver.add(&made.into_iter().map(|band| band.found).collect::<Vec<_>>(), records)?;
    for _ in 0..DenoiseDriver::PASSES {
        let found: Vec<_> = step(&driver, Some(&denoised))?.into_iter().map(|band| band.found).collect();
        driver.add(&found, records)?;
    }

    let task = BandDenoiser::from_bytes(&driver.step()?)?;
    let derive = |slice: usize| {
        let pixels = cut(&denoised, slice..slice + 1, 0..ROWS);
        task.derive(slice, &files[plan.slices[slice].file], pixels)
    };
    let derived = (0..SLICES).rev().map(derive).collect::<Result<Vec<_>, Error>>()?;
    let records: Vec<DerivedRecord> = derived.iter().flat_map(|made| made.records.clone()).collect();
    let sample = |rows: &Range<usize>| {
        let before = cut(stored, 0..SLICES, driver.held(rows));
        let after = cut(&denoised, 0..SLICES, rows.clone());
        let band = BandOf { rows: rows.clone(), before: &before, after: Some(&after) };
        task.samples(&band, &read.records)
    };
    let samples = bands.iter().map(sample).collect::<Result<Vec<_>, Error>>()?;
    let shown = driver.shown();
    let whole = |stored: &[i16]| cut(stored, shown..shown + 1, 0..ROWS);
    let (_, more) =
        driver.finish([&whole(stored), &whole(&denoised)], &samples, &records, Environment::default())?;
    assert!(driver.closing()?.contains("noise"));
    Ok(derived.into_iter().map(|made| made.file).chain(more).collect())
}

fn bands(height: usize) -> Vec<Range<usize>> {
    // In another order than that of the rows.
    (0..ROWS).step_by(height).map(|first| first..(first + height).min(ROWS)).rev().collect()
}

#[test]
fn bands_of_any_height_give_the_files_of_the_command() {
    let (base, input) = series();
    for more in ["", "--strength 0.3 --quality fast", "--quality best --no-patient-data"] {
        let output = base.path().join(format!("out{}", more.len()));
        let args = parse_arguments(&words(&input, &output, more).collect::<Vec<_>>()).unwrap();
        denoise::denoise(args, 2, &Silent).unwrap();
        let read = read(&input, &output, more);
        for height in [5, 16, 37, ROWS] {
            let made = in_bands(&read, &bands(height)).unwrap();
            // And two pictures, report and manifest.
            assert_eq!(made.len(), SLICES + 4);
            for NamedFile { path, bytes } in made {
                let expected = fs::read(output.join(&path)).unwrap();
                match path.as_str() {
                    "manifest.json" => assert_eq!(but_the_run(&bytes), but_the_run(&expected)),
                    // It tells of the run too.
                    "report.html" => assert_eq!(before_the_run(&bytes), before_the_run(&expected)),
                    _ => assert!(bytes == expected, "{path}, bands of {height} rows"),
                }
            }
        }
    }
}

fn but_the_run(json: &[u8]) -> serde_json::Value {
    let mut manifest: serde_json::Value = serde_json::from_slice(json).unwrap();
    assert!(manifest.as_object_mut().unwrap().remove("run").is_some());
    manifest
}

fn before_the_run(html: &[u8]) -> String {
    let text = String::from_utf8_lossy(html);
    text.split_once("How it was run").unwrap().0.to_owned()
}

#[test]
fn rows_that_are_missing_or_counted_twice_are_refused() {
    let (base, input) = series();
    let read = read(&input, &base.path().join("out"), "");
    let error = |bands: &[Range<usize>]| in_bands(&read, bands).unwrap_err().to_string();
    assert!(error(&bands(16)[1..]).contains("of 90 rows only 80 were counted"));
    assert!(error(&bands(16)[..5]).contains("rows 16 to 32 do not follow row 0"));
    let mut twice = bands(16);
    twice.push(16..32);
    assert!(error(&twice).contains("rows 16 to 32 do not follow row 32"));
}

#[test]
fn an_input_that_changes_between_two_readings_is_refused_with_its_file() {
    let (base, input) = series();
    let output = base.path().join("out");
    let before = read(&input, &output, "");
    fs::write(input.join("1.dcm"), file(4, &slice(3)).bytes()).unwrap();
    let after = read(&input, &output, "");
    let mut driver = DenoiseDriver::new(before.plan.clone(), before.options.clone()).unwrap();
    let task = BandDenoiser::from_bytes(&driver.step().unwrap()).unwrap();
    let rows = 0..ROWS;
    let band = BandOf { rows, before: &before.stored, after: None };
    let found = [task.run(&band, &before.records).unwrap().found];
    // Bands that were read at different times.
    let both = [before.records.clone(), after.records.clone()].concat();
    let mut other = DenoiseDriver::new(before.plan.clone(), before.options.clone()).unwrap();
    let error = other.add(&found, &both).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("file 2 of 9"), "{error}");
    // One that is read again later.
    driver.add(&found, &before.records).unwrap();
    let task = BandDenoiser::from_bytes(&driver.step().unwrap()).unwrap();
    let error = task.run(&band, &after.records).unwrap_err().to_string();
    assert!(error.contains("file 2 of 9"), "{error}");
}
