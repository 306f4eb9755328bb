//! `denoise`, from files to files.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use common::{SLICES, file, series, slice, write_series};
use serde_json::Value;
use tomobasis_dicom::{Inventory, SeriesChoice, decode};
use tomobasis_pipeline::{
    Error,
    commands::denoise::{self, DenoiseArgs, Outcome},
    progress::Silent,
    solve::digest::Digest,
};

fn run(input: &Path, output: &Path, more: &str, threads: usize) -> Result<Outcome, Error> {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        denoise: DenoiseArgs,
    }
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let words = ["denoise", "--input", input, "--output", output].into_iter().chain(more.split_whitespace());
    denoise::denoise(Line::try_parse_from(words).unwrap().denoise, threads, &Silent)
}

fn manifest(output: &Path) -> Value {
    serde_json::from_slice(&fs::read(output.join("manifest.json")).unwrap()).unwrap()
}

fn files(output: &Path) -> Vec<Vec<u8>> {
    (0..SLICES).map(|j| fs::read(output.join(format!("dicom/slice-{j:05}.dcm"))).unwrap()).collect()
}

/// Stored pixels of all slices, their digest, and the plan's values, as the crate's reader finds them.
fn read(files: &[Vec<u8>]) -> (Vec<Vec<i16>>, Digest) {
    let mut inventory = Inventory::new();
    for (index, file) in files.iter().enumerate() {
        inventory.add(index, &index.to_string(), file.len() as u64, file).unwrap();
    }
    let id = inventory.series()[0].id.clone();
    let plan = inventory.select(&SeriesChoice::Uid(id)).unwrap();
    let mut digests = Vec::new();
    let slices = (0..plan.slices.len()).map(|slice| {
        let mut out = vec![0; plan.pixels()];
        digests.push(Digest(decode(&plan, slice, &files[plan.slices[slice].file], &mut out).unwrap().digest));
        out
    });
    let slices = slices.collect();
    (slices, Digest::of_digests(&digests))
}

/// Standard deviation in the middle of the disc.
fn noise(slices: &[Vec<i16>]) -> f64 {
    let middle = |slice: &Vec<i16>| {
        let rows = (39..51).map(|y| slice[y * 100 + 44..y * 100 + 56].to_vec());
        rows.flatten().map(f64::from).collect::<Vec<f64>>()
    };
    let values: Vec<f64> = slices.iter().skip(2).flat_map(middle).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

#[test]
fn a_denoised_series_reads_back_as_the_manifest_says_and_has_less_noise() {
    let (base, input) = series();
    let output = base.path().join("out");
    let outcome = run(&input, &output, "--strength 1", 2).unwrap();
    let (slices, digest) = read(&files(&output));
    let manifest = manifest(&output);
    assert_eq!(manifest["digests"]["denoised"], digest.to_string());
    assert!(outcome.closing.contains(&digest.to_string()), "{}", outcome.closing);
    let before: Vec<Vec<i16>> = (0..SLICES).map(slice).collect();
    assert!(noise(&slices) < 0.5 * noise(&before), "{} {}", noise(&slices), noise(&before));
    let sigma = manifest["noise"]["sigma"].as_f64().unwrap();
    assert!((sigma / noise(&before) - 1.0).abs() < 0.25, "{sigma}");
    assert_eq!(manifest["parameters"]["quality"], "default");
    assert_eq!(manifest["class"], "fixed");
    let windows = |what: &str| manifest["windows"][what].as_u64().unwrap();
    assert!(windows("air") < windows("all"), "{}", manifest["windows"]);
    let report = fs::read_to_string(output.join("report.html")).unwrap();
    assert!(report.contains(&format!("{} of {} (", windows("air"), windows("all"))));
    // And two pictures.
    assert_eq!(manifest["files"].as_array().unwrap().len(), SLICES + 2);
    assert!(output.join("_SUCCESS").exists());
    let text = String::from_utf8_lossy(&files(&output)[0]).into_owned();
    assert!(text.contains("The source series denoised (local patch SVD, strength 1, quality default"));
    assert!(text.contains("DERIVED\\SECONDARY"));
}

#[test]
fn threads_and_the_order_of_files_change_no_byte() {
    let (base, input) = series();
    let whole = base.path().join("one");
    run(&input, &whole, "", 1).unwrap();
    let other = base.path().join("scan2");
    fs::create_dir(&other).unwrap();
    for j in 0..SLICES {
        fs::write(other.join(format!("x{j}")), file(j, &slice(j)).bytes()).unwrap();
    }
    for (input, threads) in [(&input, 2), (&input, 3), (&other, 2)] {
        let output = base.path().join(format!("out{threads}{}", input.ends_with("scan2")));
        run(input, &output, "", threads).unwrap();
        assert_eq!(files(&output), files(&whole));
    }
    // Another strength is another series.
    let weaker = base.path().join("weaker");
    run(&input, &weaker, "--strength 0.5", 2).unwrap();
    assert_ne!(files(&weaker), files(&whole));
}

#[test]
fn strength_zero_leaves_the_pixels_as_they_are() {
    let (base, input) = series();
    let output = base.path().join("out");
    run(&input, &output, "--strength 0 --dicom-syntax jpeg-ls --no-patient-data", 2).unwrap();
    let manifest = manifest(&output);
    assert_eq!(manifest["digests"]["denoised"], manifest["digests"]["pixels"]);
    assert_eq!(read(&files(&output)).0, (0..SLICES).map(slice).collect::<Vec<_>>());
    assert_eq!(manifest["parameters"]["patient_data"], false);
}

#[test]
fn only_a_folder_of_this_command_is_replaced() {
    let (base, input) = series();
    let output = base.path().join("out");
    run(&input, &output, "", 2).unwrap();
    assert!(matches!(run(&input, &output, "", 2).unwrap_err(), Error::OutputExists));
    run(&input, &output, "--overwrite --strength 0.5", 2).unwrap();
    assert_eq!(manifest(&output)["parameters"]["strength"], 0.5);
    let result = base.path().join("result");
    common::decompose(&input, &result, "", 2).unwrap();
    assert!(matches!(run(&input, &result, "--overwrite", 2).unwrap_err(), Error::OutputForeign(_)));
    assert!(matches!(run(&input, &input, "--overwrite", 2).unwrap_err(), Error::OutputHoldsInput));
}

/// A series whose files were changed.
fn changed(
    count: usize,
    step_mm: f64,
    change: impl Fn(tomobasis_dicom::testing::DicomFile) -> tomobasis_dicom::testing::DicomFile,
) -> (tempfile::TempDir, PathBuf) {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    fs::create_dir(&input).unwrap();
    for j in 0..count {
        let file = change(file(j, &slice(j)).position(0.0, 0.0, step_mm * j as f64));
        fs::write(input.join(j.to_string()), file.bytes()).unwrap();
    }
    (base, input)
}

#[test]
fn what_cannot_be_denoised_is_refused_in_words_and_leaves_nothing() {
    type Change = fn(tomobasis_dicom::testing::DicomFile) -> tomobasis_dicom::testing::DicomFile;
    let as_is: Change = |file| file;
    let mr: Change = |file| {
        file.text((0x0008, 0x0060), "CS", "MR").text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.4")
    };
    let lung: Change = |file| file.text((0x0028, 0x1052), "DS", "-2024");
    let cases = [
        (1, 2.5, as_is, "needs a volume"),
        (2, 2.5, as_is, "2 slices: at least 4 are needed"),
        (9, 6.0, as_is, "slices 6 mm apart"),
        (9, 2.5, mr, "MR in"),
        (9, 2.5, lung, "voxels of flat tissue"),
    ];
    for (count, step, change, says) in cases {
        let (base, input) = changed(count, step, change);
        let error = run(&input, &base.path().join("out"), "", 2).unwrap_err();
        assert!(error.to_string().contains(says), "{says}: {error}");
        assert_eq!(error.exit_code(), 3, "{error}");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1, "{says}");
    }
}

#[test]
fn padding_stays_padding() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    write_series(&input);
    for j in 0..SLICES {
        let mut pixels = slice(j);
        pixels.iter_mut().step_by(100).for_each(|pixel| *pixel = -2000);
        pixels.iter_mut().skip(99).step_by(100).for_each(|pixel| *pixel = -2000);
        let file = file(j, &pixels).raw((0x0028, 0x0120), "SS", (-2000i16).to_le_bytes().to_vec());
        fs::write(input.join(format!("{}.dcm", j * 7 % SLICES)), file.bytes()).unwrap();
    }
    let output = base.path().join("out");
    run(&input, &output, "", 2).unwrap();
    let mut inventory = Inventory::new();
    let files = files(&output);
    for (index, file) in files.iter().enumerate() {
        inventory.add(index, &index.to_string(), file.len() as u64, file).unwrap();
    }
    let id = inventory.series()[0].id.clone();
    let mut plan = inventory.select(&SeriesChoice::Uid(id)).unwrap();
    plan.padding = tomobasis_dicom::PaddingRule::Keep;
    let mut out = vec![0; plan.pixels()];
    decode(&plan, 4, &files[plan.slices[4].file], &mut out).unwrap();
    assert!(out.iter().enumerate().all(|(at, &pixel)| (pixel == -2000) == (at % 100 == 0 || at % 100 == 99)));
}

#[test]
fn an_output_in_the_input_is_refused_since_the_next_run_would_read_it() {
    let (base, input) = series();
    let link = base.path().join("link");
    std::os::unix::fs::symlink(&input, &link).unwrap();
    for output in [input.join("less-noise"), link.join("deep/less-noise")] {
        let error = run(&input, &output, "", 2).unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().starts_with("--output: it lies in --input"),
            "{error}"
        );
    }
    assert_eq!(fs::read_dir(&input).unwrap().count(), SLICES);
}
