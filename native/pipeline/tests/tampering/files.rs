//! Files that are changed, added, removed, swapped or linked.

use std::{collections::BTreeSet, fs};

use sha2::{Digest as _, Sha256};
use tomobasis_pipeline::{commands::compare::compare, progress::Silent};

use crate::case::{Case, check, files, refusals};

#[test]
fn the_manifest_lists_every_file_with_its_size_and_digest_but_headers_of_derived_dicom() {
    let case = Case::new();
    let manifest = case.manifest();
    let report = &manifest["run"]["report"];
    let entries = manifest["files"].as_array().unwrap();
    let paths: Vec<&str> = entries.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert!(paths.is_sorted());
    let mut listed: BTreeSet<String> = paths.into_iter().map(str::to_owned).collect();
    for entry in entries.iter().chain([report]) {
        let path = entry["path"].as_str().unwrap();
        let bytes = fs::read(case.result.join(path)).unwrap();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if path.starts_with("dicom/") {
            assert_eq!(entry.as_object().unwrap().len(), 1, "{entry}");
        } else {
            assert_eq!((&entry["bytes"], &entry["sha256"]), (&bytes.len().into(), &digest.into()), "{path}");
        }
    }
    listed.extend(["report.html", "manifest.json", "_SUCCESS"].map(str::to_owned));
    assert_eq!(listed, files(&case.result));
    assert_eq!(report["path"], "report.html");
    case.write_sealed(manifest.clone());
    assert_ne!(case.manifest(), manifest, "the seal is over the bytes, of which a line end was taken");
}

#[test]
fn one_bit_in_each_kind_of_file_is_found_and_the_file_named() {
    let case = Case::new();
    let kinds = [
        "basis/part-00001.parquet",
        "singular_values.parquet",
        "weights.parquet",
        "pictures/basis.png",
        "pictures/composites.png",
        "pictures/differences.png",
        "pictures/spectrum.png",
        "report.html",
        "dicom/k=2/slice-00004.dcm",
        "manifest.json",
    ];
    for name in kinds {
        let bytes = fs::read(case.result.join(name)).unwrap();
        for place in [bytes.len() / 3, bytes.len() - 2] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(case.result.join(name), &changed).unwrap();
            let verified = check(&case.result, &case.input).expect_err(name);
            // A manifest that is none any more is bad input.
            assert!(
                [3, 4].contains(&verified.exit_code()) && verified.to_string().starts_with(name),
                "{verified}"
            );
            assert!(verified.exit_code() == 4 || name == "manifest.json", "{name}");
            case.restore();
        }
    }
}

#[test]
fn a_file_that_was_forged_with_its_entry_and_the_seal_is_not_what_the_input_gives() {
    let case = Case::new();
    for name in ["pictures/basis.png", "report.html", "dicom/k=3/slice-00000.dcm"] {
        let mut bytes = fs::read(case.result.join(name)).unwrap();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        case.forge(name, &bytes);
        let error = check(&case.result, &case.input).expect_err(name);
        assert!(error.exit_code() == 4 && error.to_string().starts_with(name), "{error}");
        case.restore();
    }
}

#[test]
fn files_that_come_go_or_change_places_are_named() {
    let case = Case::new();
    let path = |name: &str| case.result.join(name);
    let swap = |a: &str, b: &str| {
        fs::rename(path(a), path("kept")).unwrap();
        fs::rename(path(b), path(a)).unwrap();
        fs::rename(path("kept"), path(b)).unwrap();
    };
    type Change<'a> = (&'a str, &'a [&'a str], &'a dyn Fn());
    let changes: [Change<'_>; 9] = [
        ("added", &["notes.txt"], &|| fs::write(path("notes.txt"), "mine").unwrap()),
        ("added below", &["pictures/k=5.png"], &|| fs::write(path("pictures/k=5.png"), "").unwrap()),
        ("added folder", &["drafts"], &|| fs::create_dir(path("drafts")).unwrap()),
        ("added part", &["basis/part-00003.parquet"], &|| {
            fs::copy(path("basis/part-00002.parquet"), path("basis/part-00003.parquet")).map(drop).unwrap()
        }),
        ("added instance", &["dicom/k=2/slice-00009.dcm"], &|| {
            fs::copy(path("dicom/k=2/slice-00008.dcm"), path("dicom/k=2/slice-00009.dcm")).map(drop).unwrap()
        }),
        ("removed", &["pictures/spectrum.png"], &|| fs::remove_file(path("pictures/spectrum.png")).unwrap()),
        ("removed all", &["dicom/k=3/slice-00000.dcm", "more files"], &|| {
            fs::remove_dir_all(path("dicom/k=3")).unwrap()
        }),
        ("swapped", &["pictures/basis.png", "pictures/spectrum.png"], &|| {
            swap("pictures/basis.png", "pictures/spectrum.png")
        }),
        ("cut", &["basis/part-00001.parquet"], &|| {
            let bytes = fs::read(path("basis/part-00001.parquet")).unwrap();
            fs::write(path("basis/part-00001.parquet"), &bytes[..bytes.len() - 100]).unwrap();
        }),
    ];
    for (why, named, change) in changes {
        change();
        for said in refusals(&case, why) {
            assert!(named.iter().all(|name| said.contains(name)), "{why}: {said}");
        }
        case.restore();
    }
}

#[test]
fn leftovers_and_links_are_counted_in_the_closing_lines() {
    let case = Case::new();
    let path = |name: &str| case.result.join(name);
    fs::create_dir(path("run-01234567-89abcdef")).unwrap();
    fs::write(path("_UNFINISHED"), "").unwrap();
    fs::rename(path("weights.parquet"), case.base.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(case.base.path().join("elsewhere"), path("weights.parquet")).unwrap();
    fs::rename(path("pictures"), case.base.path().join("drawn")).unwrap();
    std::os::unix::fs::symlink(case.base.path().join("drawn"), path("pictures")).unwrap();
    let whole = case.base.path().join("whole");
    let compared = compare(case.result.to_str().unwrap(), whole.to_str().unwrap(), 2, &Silent).unwrap();
    for (said, of) in [(check(&case.result, &case.input).unwrap(), "the result"), (compared.closing, "A")] {
        assert!(said.contains(&format!("not looked at 2 beside {of} ")), "{said}");
        assert!(said.contains(&format!("links        2 in {of}: ")), "{said}");
    }
    fs::create_dir(path("run-2024")).unwrap();
    assert!(
        refusals(&case, "no run's")
            .iter()
            .all(|said| said.contains("run-2024: it is not a file of the result"))
    );
}
