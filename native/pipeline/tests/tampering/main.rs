//! Nothing of a result can be changed without `verify` naming it: any bit of any file, any number of the manifest, with its seal
//! made again or not, files that come, go or change places.

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use common::{decompose, series};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tomobasis_pipeline::{
    Error,
    commands::{
        compare::compare,
        verify::{VerifyArgs, verify},
    },
    progress::Silent,
};

const OPTIONS: &str = "--rank 4 --composite 2,3 --emit parquet,png,report,dicom";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    verify: VerifyArgs,
}

/// What `verify` prints at its end.
fn check(result: &Path, input: &Path) -> Result<String, Error> {
    let words = ["verify", result.to_str().unwrap(), "--input", input.to_str().unwrap()];
    verify(&Line::parse_from(words).verify, 2, &Silent).map(|checked| checked.closing)
}

/// What `verify` and `compare` with an untouched copy say of a tampered result; both must exit with 4.
fn refusals(case: &Case, why: &str) -> [String; 2] {
    let whole = case.base.path().join("whole");
    let said = [
        check(&case.result, &case.input).map(drop),
        compare(case.result.to_str().unwrap(), whole.to_str().unwrap(), 2, &Silent).map(drop),
    ];
    said.map(|said| {
        let error = said.expect_err(why);
        assert_eq!(error.exit_code(), 4, "{why}: {error}");
        assert!(!error.to_string().contains('\n'), "{why}: {error}");
        error.to_string()
    })
}

/// A scan, its whole result, and one to tamper with.
struct Case {
    base: tempfile::TempDir,
    input: PathBuf,
    result: PathBuf,
}

impl Case {
    fn new() -> Self {
        let (base, input) = series();
        let result = base.path().join("result");
        decompose(&input, &base.path().join("whole"), OPTIONS, 2).unwrap();
        let case = Self { base, input, result };
        case.restore();
        case
    }

    /// Copies the whole result over the other.
    fn restore(&self) {
        let _absent = fs::remove_dir_all(&self.result);
        let whole = self.base.path().join("whole");
        for path in files(&whole) {
            let target = self.result.join(&path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(whole.join(path), target).unwrap();
        }
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.result.join("manifest.json")).unwrap()).unwrap()
    }

    /// Writes a manifest with a seal that is right, as who knows the format would.
    fn write_sealed(&self, mut manifest: Value) {
        manifest["run"]["manifest_sha256"] = "0".repeat(64).into();
        let text = serde_json::to_string_pretty(&manifest).unwrap();
        let seal: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        manifest["run"]["manifest_sha256"] = seal.into();
        fs::write(self.result.join("manifest.json"), serde_json::to_string_pretty(&manifest).unwrap())
            .unwrap();
    }

    /// Changes a listed file and its entry in the manifest, and seals it again.
    fn forge(&self, name: &str, bytes: &[u8]) {
        fs::write(self.result.join(name), bytes).unwrap();
        let mut manifest = self.manifest();
        let entries = manifest["files"].as_array_mut().unwrap();
        let entry = match entries.iter_mut().find(|entry| entry["path"] == name) {
            Some(entry) => entry,
            None => &mut manifest["run"]["report"],
        };
        if entry.get("sha256").is_some() {
            entry["bytes"] = bytes.len().into();
            let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            entry["sha256"] = digest.into();
        }
        self.write_sealed(manifest);
    }
}

/// Paths of all files below a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|path| format!("{name}/{path}"))),
            false => _ = found.insert(name),
        }
    }
    found
}

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
fn the_closing_line_says_what_was_compared() {
    let case = Case::new();
    let said = check(&case.result, &case.input).unwrap();
    // 3 blocks, 2 tables, 4 pictures, 2 x 9 derived instances, the report.
    assert!(said.contains("28 of 28 made again from the input, every byte the same"), "{said}");
    assert!(said.contains("every value, and but those of `run`, which the seal covers"), "{said}");
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

/// Calls `change` with the path of every number below a value, and a way to it.
fn numbers(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(path.to_owned()),
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| numbers(&format!("{path}/{key}"), value, found))
        }
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(i, value)| numbers(&format!("{path}/{i}"), value, found))
        }
        _ => {}
    }
}

#[test]
fn any_number_of_the_manifest_is_found_though_the_manifest_was_sealed_again() {
    let case = Case::new();
    let manifest = case.manifest();
    let mut places = Vec::new();
    numbers("", &manifest, &mut places);
    assert!(places.len() > 40, "{places:?}");
    for place in places {
        let mut changed = manifest.clone();
        let number = changed.pointer_mut(&place).unwrap();
        *number = match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => (whole + 1).into(),
            (None, Some(real)) => f64::from_bits(real.to_bits() + 1).into(),
            _ => unreachable!("{number}"),
        };
        case.write_sealed(changed.clone());
        let error = check(&case.result, &case.input);
        // What no input gives: the seal alone covers it, and the report where it shows it.
        if place.starts_with("/run/") && error.is_ok() {
            fs::write(case.result.join("manifest.json"), {
                changed["run"]["manifest_sha256"] = manifest["run"]["manifest_sha256"].clone();
                serde_json::to_string_pretty(&changed).unwrap()
            })
            .unwrap();
            assert!(check(&case.result, &case.input).unwrap_err().to_string().contains("seal"), "{place}");
            continue;
        }
        let error = error.expect_err(&place);
        assert_eq!(error.exit_code(), 4, "{place}: {error}");
    }
}

#[test]
fn words_and_keys_of_the_manifest_are_found_too() {
    let case = Case::new();
    let manifest = case.manifest();
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Value));
    let changes: [Change<'_>; 7] = [
        ("series.unit", &|manifest| manifest["series"]["unit"] = "mHU".into()),
        ("result.promise", &|manifest| manifest["result"]["promise"] = "everything".into()),
        ("result.note", &|manifest| manifest["result"]["note"] = "reviewed".into()),
        ("result.noise", &|manifest| _ = manifest["result"].as_object_mut().unwrap().remove("noise")),
        ("notes.txt", &|manifest| {
            fs::write(case.result.join("notes.txt"), "mine").unwrap();
            let digest: String = Sha256::digest("mine").iter().map(|byte| format!("{byte:02x}")).collect();
            let entry = serde_json::json!({"path": "notes.txt", "bytes": 4, "sha256": digest});
            manifest["files"].as_array_mut().unwrap().push(entry);
        }),
        ("pictures/basis.png", &|manifest| {
            fs::remove_file(case.result.join("pictures/basis.png")).unwrap();
            manifest["files"].as_array_mut().unwrap().retain(|entry| entry["path"] != "pictures/basis.png");
        }),
        ("../whole/weights.parquet", &|manifest| {
            let entries = manifest["files"].as_array_mut().unwrap();
            let entry = entries.iter_mut().find(|entry| entry["path"] == "weights.parquet").unwrap();
            entry["path"] = "../whole/weights.parquet".into();
        }),
    ];
    for (named, change) in changes {
        let mut changed = manifest.clone();
        change(&mut changed);
        case.write_sealed(changed);
        let error = check(&case.result, &case.input).expect_err(named);
        assert!(error.exit_code() == 4 && error.to_string().contains(named), "{named}: {error}");
        case.restore();
    }
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
fn a_manifest_of_this_version_without_its_files_or_its_seal_is_refused() {
    let case = Case::new();
    for (removed, named) in [
        (&["/files", "/run/report", "/run/manifest_sha256"][..], "manifest.json: files is missing"),
        (&["/files"], "manifest.json: files is missing"),
        (&["/run/manifest_sha256"], "manifest.json: run.manifest_sha256 is missing"),
    ] {
        for version in ["", "0.0.9"] {
            case.restore();
            let mut manifest = case.manifest();
            for path in removed {
                let (parent, key) = path.rsplit_once('/').unwrap();
                manifest.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
            }
            if !version.is_empty() {
                manifest["run"]["version"] = version.into();
            }
            fs::write(case.result.join("manifest.json"), manifest.to_string()).unwrap();
            // Of an earlier version that had neither, nothing is missing.
            if removed.len() == 3 && !version.is_empty() {
                check(&case.result, &case.input).unwrap();
                continue;
            }
            let error = check(&case.result, &case.input).unwrap_err();
            assert!(error.exit_code() == 4, "{error}");
            assert!(error.to_string().starts_with(named), "{removed:?} {version}: {error}");
        }
    }
}

#[test]
fn other_files_beside_the_series_are_told_and_no_difference() {
    let case = Case::new();
    fs::write(case.input.join("notes.txt"), "no image").unwrap();
    let said = check(&case.result, &case.input).unwrap();
    let told = "every value but series.left_out and series.warnings, which are not what this input gives (series.left_out is []";
    assert!(said.contains(told), "{said}");
}

#[test]
fn a_manifest_that_another_reader_may_take_otherwise_is_refused() {
    let case = Case::new();
    let text = fs::read_to_string(case.result.join("manifest.json")).unwrap();
    let manifest = case.manifest();
    let digest = manifest["files"][0]["sha256"].as_str().unwrap();
    for (from, to, named) in [
        ("\"series\": {", "\"series\": {\"unit\": \"mHU\",", "the key \"unit\" stands twice"),
        ("\"run\": {", "\"run\": {\"note\": 1, \"note\": 2,", "the key \"note\" stands twice"),
        (digest, &digest.to_uppercase(), "is no digest of 64 hexadecimal digits, lower case"),
        (digest, &format!("+{}", &digest[1..]), "is no digest of 64 hexadecimal digits, lower case"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed);
        fs::write(case.result.join("manifest.json"), changed).unwrap();
        let error = check(&case.result, &case.input).unwrap_err();
        assert!(error.exit_code() == 3 && error.to_string().contains(named), "{error}");
    }
    let mut changed = manifest.clone();
    changed["files"].as_array_mut().unwrap().swap(3, 4);
    case.write_sealed(changed);
    for said in refusals(&case, "other order") {
        assert!(
            said.contains("manifest.json: files[4] (") && said.contains("is not behind the one before it"),
            "{said}"
        );
    }
    let mut twice = manifest.clone();
    twice["files"].as_array_mut().unwrap().insert(1, manifest["files"][0].clone());
    case.write_sealed(twice);
    assert!(refusals(&case, "twice")[0].contains("files[1] (basis/part-00000.parquet)"));
}

#[test]
fn a_seal_that_is_missing_or_wrong_is_found_before_the_scan_is_read() {
    let case = Case::new();
    let mut manifest = case.manifest();
    manifest["run"]["cores"] = 99.into();
    fs::write(case.result.join("manifest.json"), manifest.to_string()).unwrap();
    let error = check(&case.result, &case.base.path().join("no scan")).unwrap_err();
    assert!(error.exit_code() == 4 && error.to_string().starts_with("manifest.json: its seal"), "{error}");
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
    assert!(said.to_string().contains("manifest.json: result.composites[0]."), "{said}");
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
