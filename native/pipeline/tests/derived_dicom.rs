//! Derived DICOM, seen from the result folder.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use common::{SLICES, decompose, file, series, slice};
use tomobasis_dicom::{Inventory, SeriesChoice, decode};
use tomobasis_pipeline::{
    Error,
    commands::{
        compare,
        verify::{self, VerifyArgs},
    },
    progress::Silent,
    result::Manifest,
    solve::digest::Digest,
};

fn run(input: &Path, output: &Path, more: &str, threads: usize) -> Manifest {
    decompose(input, output, &format!("--emit dicom {more}"), threads).unwrap().manifest
}

/// The files of a derived series in the order of the slices.
fn derived(output: &Path, k: usize) -> Vec<Vec<u8>> {
    (0..SLICES).map(|j| fs::read(output.join(format!("dicom/k={k}/slice-{j:05}.dcm"))).unwrap()).collect()
}

/// The digest of a derived series as the crate's reader finds it.
fn pixels(files: &[Vec<u8>]) -> Digest {
    let mut inventory = Inventory::new();
    for (index, file) in files.iter().enumerate() {
        inventory.add(index, &index.to_string(), file.len() as u64, file).unwrap();
    }
    let id = inventory.series()[0].id.clone();
    let plan = inventory.select(&SeriesChoice::Uid(id)).unwrap();
    let mut out = vec![0; plan.pixels()];
    let digests: Vec<Digest> = (0..plan.slices.len())
        .map(|slice| Digest(decode(&plan, slice, &files[plan.slices[slice].file], &mut out).unwrap().digest))
        .collect();
    Digest::of_digests(&digests)
}

fn verification(result: &Path, input: &Path) -> Result<(), Error> {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        verify: VerifyArgs,
    }
    let words = ["verify", result.to_str().unwrap(), "--input", input.to_str().unwrap()];
    verify::verify(&Line::parse_from(words).verify, 2, &Silent).map(|_| ())
}

#[test]
fn each_composite_is_a_series_that_reads_back_as_the_manifest_says() {
    let (base, input) = series();
    let output = base.path().join("result");
    let manifest = run(&input, &output, "--composite 2,5", 2);
    let section = manifest.derived.unwrap();
    assert_eq!(section.series.iter().map(|one| one.k).collect::<Vec<_>>(), [2, 5]);
    assert!(section.patient_data);
    for one in section.series {
        assert_eq!(pixels(&derived(&output, one.k)), one.pixels);
        assert_eq!(one.clipped, 0);
    }
    assert_eq!(fs::read_dir(output.join("dicom")).unwrap().count(), 2);
    assert!(!output.join("basis").exists());
}

#[test]
fn the_composite_of_full_rank_is_the_source() {
    let (base, input) = series();
    let output = base.path().join("result");
    let manifest = run(&input, &output, &format!("--composite {SLICES}"), 2);
    assert_eq!(manifest.derived.unwrap().series[0].pixels, manifest.digests.pixels);
}

#[test]
fn threads_do_not_matter_and_neither_does_what_else_is_computed() {
    let (base, input) = series();
    let output = |name: &str| -> PathBuf { base.path().join(name) };
    run(&input, &output("one"), "--composite 3", 1);
    run(&input, &output("three"), "--composite 3", 3);
    run(&input, &output("more"), "--composite 2,3,9", 2);
    run(&input, &output("fewer"), "--composite 3 --rank 4", 2);
    for other in ["three", "more", "fewer"] {
        assert_eq!(derived(&output(other), 3), derived(&output("one"), 3), "{other}");
    }
}

#[test]
fn jpeg_ls_gives_smaller_files_of_the_same_pixels_and_uids() {
    let (base, input) = series();
    let (plain, packed) = (base.path().join("plain"), base.path().join("packed"));
    run(&input, &plain, "--composite 4", 2);
    run(&input, &packed, "--composite 4 --dicom-syntax jpeg-ls", 2);
    let (plain, packed) = (derived(&plain, 4), derived(&packed, 4));
    assert_eq!(pixels(&packed), pixels(&plain));
    assert!(packed[0].len() < plain[0].len() * 3 / 4);
}

#[test]
fn values_beyond_the_stored_range_are_counted() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    fs::create_dir_all(&input).unwrap();
    for j in 0..SLICES {
        // Black or white in 12 bits: rebuilt from few vectors, some values go beyond both.
        let pixels: Vec<i16> = slice(j).iter().map(|&value| if value > 500 { 4095 } else { 0 }).collect();
        fs::write(input.join(format!("{j}.dcm")), file(j, &pixels).bits(16, 12, false).bytes()).unwrap();
    }
    let manifest = run(&input, &base.path().join("result"), "--composite 3", 2);
    assert!(manifest.derived.unwrap().series[0].clipped > 100);
}

#[test]
fn without_patient_data_the_name_is_nowhere() {
    let (base, input) = series();
    let output = base.path().join("result");
    let manifest = run(&input, &output, "--composite 1 --no-patient-data", 2);
    assert!(!manifest.derived.unwrap().patient_data);
    for file in derived(&output, 1) {
        assert!(!file.windows(3).any(|window| window == b"DOE"));
    }
}

/// Two multi-frame files whose frames lie between each other, in falling order, and a third of one frame; slices as [`slice`].
fn write_frames(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (number, mut slices) in [(1, vec![0, 2, 4, 6]), (2, vec![1, 3, 5, 7]), (3, vec![8])] {
        slices.reverse();
        let pixels: Vec<i16> = slices.iter().flat_map(|&j| slice(j)).collect();
        let frames: Vec<_> = slices.iter().map(|&j| (2.5 * j as f64, "1", "-1024")).collect();
        let file = file(0, &pixels).number(number).enhanced(&frames);
        fs::write(folder.join(format!("{}.dcm", 9 - number)), file.bytes()).unwrap();
    }
}

/// The files of a derived series of [`write_frames`].
fn derived_frames(output: &Path, k: usize) -> Vec<Vec<u8>> {
    let folder = output.join(format!("dicom/k={k}"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    [0, 1, 8].map(|first| fs::read(folder.join(format!("slice-{first:05}.dcm"))).unwrap()).to_vec()
}

#[test]
fn multi_frame_instances_become_multi_frame_instances_of_the_same_pixels() {
    let (base, input) = series();
    let (frames, output, single) =
        (base.path().join("frames"), base.path().join("result"), base.path().join("single"));
    write_frames(&frames);
    let manifest = run(&frames, &output, "--composite 3,9", 2);
    assert_eq!(manifest.derived, run(&input, &single, "--composite 3,9", 2).derived);
    let section = manifest.derived.unwrap();
    for one in &section.series {
        assert_eq!(pixels(&derived_frames(&output, one.k)), one.pixels);
    }
    assert_eq!(section.series[1].pixels, manifest.digests.pixels);
    let other = base.path().join("other");
    run(&frames, &other, "--composite 9", 1);
    assert_eq!(derived_frames(&other, 9), derived_frames(&output, 9));
}

#[test]
fn multi_frame_instances_are_compared_verified_and_decomposed_again() {
    let base = tempfile::tempdir().unwrap();
    let [input, plain, packed, again] =
        ["scan", "plain", "packed", "again"].map(|name| base.path().join(name));
    write_frames(&input);
    let section = run(&input, &plain, "--composite 2,4 --no-patient-data", 2).derived.unwrap();
    run(&input, &packed, "--composite 4 --dicom-syntax jpeg-ls", 2);
    let [a, b] = [&plain, &packed].map(|folder| folder.to_str().unwrap());
    compare::compare(a, b, 2, &Silent).unwrap();
    verification(&plain, &input).unwrap();
    let changed = packed.join("dicom/k=4/slice-00001.dcm");
    fs::write(&changed, fs::read(plain.join("dicom/k=2/slice-00001.dcm")).unwrap()).unwrap();
    assert_eq!(verification(&packed, &input).unwrap_err().exit_code(), 4);
    let derived = plain.join("dicom/k=4");
    let id = {
        let mut inventory = Inventory::new();
        for (index, file) in derived_frames(&plain, 4).iter().enumerate() {
            inventory.add(index, &index.to_string(), file.len() as u64, file).unwrap();
        }
        inventory.series()[0].id.clone()
    };
    let found = decompose(&derived, &again, &format!("--series {id}"), 2).unwrap().manifest;
    verification(&plain, &input).unwrap();
    assert_eq!(found.digests.pixels, section.series[1].pixels);
}

#[test]
fn verification_makes_the_files_again_and_names_one_that_was_changed() {
    let (base, input) = series();
    let output = base.path().join("result");
    run(&input, &output, "--composite 2 --no-patient-data --dicom-syntax jpeg-ls", 2);
    verification(&output, &input).unwrap();
    let changed = output.join("dicom/k=2/slice-00004.dcm");
    let mut bytes = fs::read(&changed).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&changed, bytes).unwrap();
    let error = verification(&output, &input).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().starts_with("dicom/k=2/slice-00004.dcm: "), "{error}");
    fs::remove_file(&changed).unwrap();
    assert_eq!(verification(&output, &input).unwrap_err().exit_code(), 4);
}
