//! `verify` and `compare` find what was changed, and name it.

mod common;

use std::{fs, path::Path};

use common::{decompose, file, series, slice};
use tomobasis_pipeline::{
    Error,
    commands::{
        compare::compare,
        verify::{PartArgs, VerifyArgs, verify},
    },
    options::OnBadSlice,
    progress::Silent,
};

fn check(result: &Path, input: &Path) -> Result<(), Error> {
    let (result, input) = (result.to_str().unwrap().to_owned(), input.to_str().unwrap().to_owned());
    let args = VerifyArgs {
        result,
        input: vec![input],
        series: None,
        join: false,
        on_bad_slice: OnBadSlice::Fail,
        reference: None,
        part: PartArgs::default(),
        verbose: false,
    };
    verify(&args, 2, &Silent).map(drop)
}

/// Changes one byte of a file, counted from its end.
fn flip(path: &Path, from_end: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - from_end;
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_bit_of_a_sequence_file_that_was_flipped_is_found() {
    let (base, input) = series();
    let result = base.path().join("result");
    decompose(&input, &result, "--rank 2 --emit drm", 2).unwrap();
    check(&result, &input).unwrap();
    // A number's, a mark's in the header, and a length's.
    let path = result.join("drm/U/part-00001");
    let size = fs::metadata(&path).unwrap().len() as usize;
    for from_end in [1, size - 85, size - 100] {
        flip(&path, from_end);
        let error = check(&result, &input).unwrap_err();
        assert!(matches!(error, Error::Differs(_)), "{error}");
        assert!(error.to_string().contains("drm/U/part-00001"), "{error}");
        flip(&path, from_end);
    }
    check(&result, &input).unwrap();
}

#[test]
fn an_untouched_result_verifies_and_equals_a_second_one() {
    let (base, input) = series();
    let (a, b) = (base.path().join("a"), base.path().join("b"));
    decompose(&input, &a, "--rank 4", 2).unwrap();
    decompose(&input, &b, "--rank 4", 1).unwrap();
    check(&a, &input).unwrap();
    compare(a.to_str().unwrap(), b.to_str().unwrap(), 2, &Silent).unwrap();
}

#[test]
fn any_changed_byte_of_any_table_is_found_and_its_file_named() {
    let (base, input) = series();
    let result = base.path().join("result");
    for name in ["basis/part-00002.parquet", "weights.parquet", "singular_values.parquet"] {
        let length = {
            decompose(&input, &result, "--rank 4 --emit parquet --overwrite", 2).unwrap();
            fs::read(result.join(name)).unwrap().len()
        };
        // Numbers, page headers, levels, footer.
        for from_end in (1..=length).step_by(length / 17) {
            decompose(&input, &result, "--rank 4 --emit parquet --overwrite", 2).unwrap();
            flip(&result.join(name), from_end);
            let error = check(&result, &input).expect_err(&format!("{name}: byte {from_end} from the end"));
            assert_eq!(error.exit_code(), 4, "{error}");
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }
}

#[test]
fn a_missing_part_is_named() {
    let (base, input) = series();
    let result = base.path().join("result");
    decompose(&input, &result, "", 2).unwrap();
    fs::remove_file(result.join("basis/part-00001.parquet")).unwrap();
    let error = check(&result, &input).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().starts_with("basis/part-00001.parquet"), "{error}");
}

#[test]
fn one_other_pixel_is_another_scan() {
    let (base, input) = series();
    let (result, other) = (base.path().join("result"), base.path().join("other"));
    decompose(&input, &result, "", 2).unwrap();
    let mut pixels = slice(4);
    pixels[4321] += 1;
    let path = fs::read_dir(&input)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| fs::read(path).unwrap() == file(4, &slice(4)).bytes());
    fs::write(path.unwrap(), file(4, &pixels).bytes()).unwrap();
    let error = check(&result, &input).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().contains("pixels of the input"), "{error}");
    decompose(&input, &other, "", 2).unwrap();
    let error = compare(result.to_str().unwrap(), other.to_str().unwrap(), 1, &Silent).unwrap_err();
    assert!(error.to_string().contains("digest of pixels"), "{error}");
}

#[test]
fn a_manifest_that_was_edited_does_not_pass() {
    let (base, input) = series();
    let result = base.path().join("result");
    decompose(&input, &result, "", 2).unwrap();
    let path = result.join("manifest.json");
    let text =
        fs::read_to_string(&path).unwrap().replace("\"class\": \"certified\"", "\"class\": \"verified\"");
    fs::write(&path, text).unwrap();
    let error = check(&result, &input).unwrap_err();
    assert!(error.exit_code() == 4 && error.to_string().contains("manifest.json"), "{error}");
}

#[test]
fn what_is_no_result_folder_is_bad_input() {
    let (base, input) = series();
    let error = check(&input, &input).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("_SUCCESS"), "{error}");
    let result = base.path().join("result");
    decompose(&input, &result, "", 1).unwrap();
    fs::write(result.join("manifest.json"), "{}").unwrap();
    assert_eq!(check(&result, &input).unwrap_err().exit_code(), 3);
}
