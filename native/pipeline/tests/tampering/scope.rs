//! How much is compared, and what is reported: older formats, other versions, other options, copies under other UIDs.

use std::{fs, path::Path};

use tomobasis_pipeline::{commands::compare::compare, progress::Silent};

use crate::{
    case::{Case, check, files},
    common::{decompose, series},
};

#[test]
fn the_closing_line_says_what_was_compared() {
    let case = Case::new();
    let said = check(&case.result, &case.input).unwrap();
    // 3 blocks, 2 tables, 4 pictures, 2 x 9 derived instances, the report.
    assert!(said.contains("28 of 28 made again from the input, every byte the same"), "{said}");
    assert!(said.contains("every value; not those of `run`, which the seal covers"), "{said}");
}

#[test]
fn a_result_of_the_format_without_files_is_compared_as_before_and_the_closing_line_says_so() {
    let case = Case::new();
    let mut manifest = case.manifest();
    manifest["run"]["version"] = "0.0.9".into();
    manifest.as_object_mut().unwrap().remove("files");
    let run = manifest["run"].as_object_mut().unwrap();
    run.remove("report");
    run.remove("manifest_sha256");
    fs::write(case.result.join("manifest.json"), manifest.to_string()).unwrap();
    let said = check(&case.result, &case.input).unwrap();
    assert!(said.contains("the manifest lists no files (an older format)"), "{said}");
    let whole = case.base.path().join("whole");
    let compared = compare(case.result.to_str().unwrap(), whole.to_str().unwrap(), 2, &Silent).unwrap();
    assert!(compared.closing.contains("a manifest lists no files (an older format)"), "{}", compared.closing);
    manifest["result"]["energy"] = 1.0.into();
    fs::write(case.result.join("manifest.json"), manifest.to_string()).unwrap();
    assert!(check(&case.result, &case.input).unwrap_err().to_string().contains("result.energy is 1.0"));
}

#[test]
fn other_files_beside_the_series_are_told_and_no_difference() {
    let case = Case::new();
    fs::write(case.input.join("notes.txt"), "no image").unwrap();
    let said = check(&case.result, &case.input).unwrap();
    let told = "every value but series.left_out, which is not what this input gives (series.left_out is []";
    assert!(said.contains(told), "{said}");
}

#[test]
fn what_the_manifest_says_of_another_version_hides_no_file_that_this_one_would_make_otherwise() {
    let case = Case::new();
    let forged = |name: &str| {
        case.restore();
        if !name.is_empty() {
            let mut bytes = fs::read(case.result.join(name)).unwrap();
            let last = bytes.len() - 2;
            bytes[last] ^= 1;
            case.forge(name, &bytes);
        }
        let mut manifest = case.manifest();
        manifest["run"]["version"] = "0.0.9".into();
        case.write_sealed(manifest);
        check(&case.result, &case.input).unwrap()
    };
    // The report shows the version.
    let said = forged("");
    assert!(said.contains("27 of 28 made again from the input"), "{said}");
    let said = forged("pictures/basis.png");
    assert!(
        said.contains(
            "26 of 28 made again from the input, every byte the same; of 2 (the first is pictures/basis.png)"
        ),
        "{said}"
    );
    assert!(said.contains("the manifest says that version 0.0.9 wrote them"), "{said}");
}

#[test]
fn results_with_other_pictures_are_not_the_same_and_the_files_are_named() {
    let (base, input) = series();
    let [a, b, c] = ["a", "b", "c"].map(|name| base.path().join(name));
    decompose(&input, &a, "--rank 4 --composite 2", 2).unwrap();
    decompose(&input, &b, "--rank 4 --composite 3", 2).unwrap();
    decompose(&input, &c, "--rank 4 --emit parquet", 1).unwrap();
    let compared = |a: &Path, b: &Path| compare(a.to_str().unwrap(), b.to_str().unwrap(), 2, &Silent);
    let said = compared(&a, &b).unwrap_err();
    assert!(said.exit_code() == 4 && said.to_string().starts_with("pictures/composites.png: "), "{said}");
    assert!(
        said.to_string().contains("manifest.json: result.composites are of rank 2 in A and 3 in B"),
        "{said}"
    );
    let said = compared(&a, &c).unwrap().closing;
    assert!(said.contains("5 that both have, every byte"), "{said}");
    // What was asked for otherwise and came out the same.
    let d = base.path().join("d");
    decompose(&input, &d, "--rank 4 --composite 2 --padding keep", 2).unwrap();
    let said = compared(&a, &d).unwrap().closing;
    assert!(
        said.contains("manifests    not the same, which is no difference of the results: parameters.padding"),
        "{said}"
    );
    decompose(&input, &d, "--rank 4 --composite 2 --overwrite", 1).unwrap();
    assert!(compared(&a, &d).unwrap().closing.contains("the same values of series, parameters and result"));
}

#[test]
fn a_copy_under_other_uids_verifies_but_for_what_comes_from_headers() {
    let case = Case::new();
    for entry in fs::read_dir(&case.input).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let (old, new) = (b"2.25.100.".as_slice(), b"2.25.101.".as_slice());
        let mut changed = bytes.clone();
        for place in 0..bytes.len() - old.len() {
            if bytes[place..].starts_with(old) {
                changed[place..place + new.len()].copy_from_slice(new);
            }
        }
        assert_ne!(bytes, changed, "the instances' UIDs have changed");
        fs::write(path, changed).unwrap();
    }
    let said = check(&case.result, &case.input).unwrap();
    assert!(said.contains("4 of 28 made again from the input, those that hold no UIDs or headers"), "{said}");
    assert!(
        said.contains(
            "every value but those of the headers: the input has the pixels under other instance UIDs"
        ),
        "{said}"
    );
    // Bytes of derived instances are not known then, but their pixels are.
    let derived = files(&case.result).into_iter().find(|path| path.ends_with(".dcm")).unwrap();
    let path = case.result.join(&derived);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = check(&case.result, &case.input).unwrap_err();
    let folder = derived.rsplit_once('/').unwrap().0;
    assert!(error.exit_code() == 4 && error.to_string().starts_with(folder), "{error}");
}

#[test]
fn what_follows_from_the_digests_is_a_difference_of_results_whatever_the_seal_says() {
    let case = Case::new();
    let whole = case.base.path().join("whole");
    let compared = || compare(whole.to_str().unwrap(), case.result.to_str().unwrap(), 2, &Silent);
    let changes = [
        ("/result/energy", "result.energy is "),
        ("/result/noise", "result.noise is "),
        ("/result/numerical_rank", "result.numerical_rank is "),
        ("/result/bounds/gap", "result.bounds.gap is "),
        ("/result/composites/1/energy", "result.composites[1].energy is "),
        ("/measures/composites/0/rmse", "measures.composites[0].rmse is "),
        ("/parameters/shown_slice", "parameters.shown_slice is "),
    ];
    for (place, said) in changes {
        let mut manifest = case.manifest();
        *manifest.pointer_mut(place).unwrap() = 1.into();
        case.write_sealed(manifest);
        let error = compared().expect_err(place);
        let text = error.to_string();
        assert!(error.exit_code() == 4 && text.starts_with(&format!("manifest.json: {said}")), "{text}");
        assert!(text.contains(" in B, though both have the root digest"), "{text}");
        case.restore();
    }
    // Another version's bounds and measures may be others; the sum of squares is one number.
    for (place, same) in [("/result/bounds/gap", true), ("/result/energy", false)] {
        let mut manifest = case.manifest();
        manifest["run"]["version"] = "0.0.9".into();
        *manifest.pointer_mut(place).unwrap() = 1.into();
        case.write_sealed(manifest);
        let found = compared();
        assert_eq!(found.is_ok(), same, "{place}: {found:?}");
        case.restore();
    }
}

#[test]
fn results_of_one_digest_that_were_asked_for_otherwise_are_the_same() {
    let (base, input) = series();
    let [a, b] = ["a", "b"].map(|name| base.path().join(name));
    let compared = || compare(a.to_str().unwrap(), b.to_str().unwrap(), 2, &Silent).unwrap().closing;
    decompose(&input, &a, "--composite 2,3 --emit parquet,report", 2).unwrap();
    for (more, told) in [
        ("--composite 3,4", "result.composites are of rank 2, 3 in A and 3, 4 in B"),
        ("--composite 2,3 --rank 9", "parameters.rank is "),
        ("--composite 3 --rank 9", "result.composites are of rank 2, 3 in A and 3 in B"),
    ] {
        decompose(&input, &b, &format!("{more} --emit parquet,report --overwrite"), 1).unwrap();
        let said = compared();
        let told = format!("manifests    not the same, which is no difference of the results: {told}");
        assert!(said.contains(&told), "{more}: {said}");
    }
}
