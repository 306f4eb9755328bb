//! What bad input gets: one error with the right exit code, and no result.

mod common;

use std::{fs, path::Path};

use common::{SLICES, decompose, file, series, slice};
use tomobasis_pipeline::Error;

/// The error of a run, after which nothing but `left` entries are beside the input.
fn refusal(base: &Path, input: &Path, more: &str) -> Error {
    let before = fs::read_dir(base).unwrap().count();
    let error = decompose(input, &base.join("result"), more, 2).expect_err("it ran");
    assert_eq!(fs::read_dir(base).unwrap().count(), before, "something was left behind");
    assert!(!error.to_string().contains(base.to_str().unwrap()), "{error}");
    assert!(!error.to_string().contains("DOE"), "{error}");
    error
}

#[test]
fn inputs_that_hold_no_series() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    assert_eq!(refusal(base.path(), &input, "").exit_code(), 3);
    fs::create_dir(&input).unwrap();
    assert_eq!(refusal(base.path(), &input, "").exit_code(), 3);
    fs::write(input.join("notes.txt"), "no image").unwrap();
    assert_eq!(refusal(base.path(), &input, "").exit_code(), 3);
}

#[test]
fn several_series_need_a_choice() {
    let (base, input) = series();
    let other = file(0, &slice(0)).text((0x0020, 0x000E), "UI", "2.25.77").number(50);
    fs::write(input.join("other.dcm"), other.bytes()).unwrap();
    let error = refusal(base.path(), &input, "");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--series"), "{error}");
    assert_eq!(refusal(base.path(), &input, "--series 9.9.9").exit_code(), 2);
    let outcome = decompose(&input, &base.path().join("result"), "--series largest", 2).unwrap();
    assert_eq!(outcome.manifest.series.slices, SLICES);
}

#[test]
fn ranks_and_composites_beyond_the_slices() {
    let (base, input) = series();
    for (more, option) in [("--rank 10", "--rank"), ("--composite 3,10", "--composite")] {
        let error = refusal(base.path(), &input, more);
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with(option) && error.to_string().contains("9 slices"), "{error}");
    }
}

#[test]
fn a_truncated_file_is_named_by_its_place_in_the_listing() {
    let (base, input) = series();
    let path = input.join("4.dcm");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1000]).unwrap();
    let error = refusal(base.path(), &input, "");
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().starts_with("file 5 of 9 (id "), "{error}");
}

#[test]
fn slopes_that_no_scanner_writes_are_bad_input() {
    for (slopes, words) in [
        (["1e308", "1e308"], "Rescale Slope (0028,1053) is of the form \"9a999\""),
        (["1", "1e-99"], "slopes and intercepts span 2^"),
    ] {
        let (base, input) = series();
        for (j, slope) in (0..SLICES).zip(slopes.into_iter().cycle()) {
            let slice = file(j, &slice(j)).text((0x0028, 0x1053), "DS", slope);
            fs::write(input.join(format!("{}.dcm", j * 7 % SLICES)), slice.bytes()).unwrap();
        }
        let error = refusal(base.path(), &input, "");
        assert_eq!(error.exit_code(), 3, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_scan_of_zeros_has_nothing_to_decompose() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    fs::create_dir(&input).unwrap();
    for j in 0..3 {
        let zeros = file(j, &[1024; 9000]);
        fs::write(input.join(format!("{j}")), zeros.bytes()).unwrap();
    }
    let error = refusal(base.path(), &input, "");
    assert_eq!(error.exit_code(), 3, "{error}");
}

#[test]
fn outputs_that_cannot_be_written() {
    let (base, input) = series();
    let output = base.path().join("result");
    fs::create_dir(&output).unwrap();
    fs::write(output.join("mine"), "").unwrap();
    let exists = decompose(&input, &output, "", 1).unwrap_err();
    assert_eq!((exists.exit_code(), exists.to_string().contains("--overwrite")), (2, true));
    let foreign = decompose(&input, &output, "--overwrite", 1).unwrap_err();
    assert_eq!(foreign.exit_code(), 2);
    assert!(output.join("mine").exists());
    let inside_a_file = decompose(&input, &output.join("mine/result"), "", 1).unwrap_err();
    assert_eq!((inside_a_file.exit_code(), inside_a_file.to_string().contains("--output")), (2, true));
}

#[test]
fn repeated_slices_have_a_smaller_numerical_rank_and_still_a_result() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    fs::create_dir(&input).unwrap();
    for j in 0..6 {
        fs::write(input.join(format!("{j}")), file(j, &slice(j % 2)).bytes()).unwrap();
    }
    let outcome = decompose(&input, &base.path().join("result"), "", 2).unwrap();
    assert_eq!((outcome.manifest.result.rank, outcome.manifest.result.numerical_rank), (2, Some(2)));
}

#[test]
fn an_output_that_holds_the_scan_is_refused_before_anything_is_removed() {
    let (base, input) = series();
    let output = base.path().join("case");
    decompose(&input, &output, "", 2).unwrap();
    let inside = output.join("scan");
    fs::rename(&input, &inside).unwrap();
    let link = base.path().join("link");
    std::os::unix::fs::symlink(&output, &link).unwrap();
    for input in [&inside, &link.join("scan"), &output] {
        let error = decompose(input, &output, "--overwrite", 2).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().starts_with("--output: the scan of --input lies in this folder"),
            "{error}"
        );
    }
    assert_eq!(fs::read_dir(&inside).unwrap().count(), SLICES);
}

#[test]
fn an_output_with_dicom_files_is_refused_in_what_is_read_by_whatever_path() {
    let (base, input) = series();
    let reference = base.path().join("reference");
    common::write_series(&reference);
    let link = base.path().join("link");
    std::os::unix::fs::symlink(&input, &link).unwrap();
    let of_reference = format!("--rank 3 --emit dicom,report --reference {}", reference.display());
    for (output, more) in [
        (input.join("result"), "--rank 3 --emit dicom"),
        (input.join("deep/result"), "--rank 3 --emit dicom"),
        (link.join("result"), "--rank 3 --emit dicom --overwrite"),
        (reference.join("result"), of_reference.as_str()),
    ] {
        let error = decompose(&input, &output, more, 2).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with("--output: it lies in --input"), "{error}");
    }
    assert_eq!(fs::read_dir(&input).unwrap().count(), SLICES);
    // What has no DICOM files is left out of the next run, and counted.
    decompose(&input, &input.join("result"), "--rank 3 --emit parquet", 2).unwrap();
    decompose(&input, &base.path().join("again"), "--rank 3 --emit parquet", 2).unwrap();
}
