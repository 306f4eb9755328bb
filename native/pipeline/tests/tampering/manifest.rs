//! Manifests that are changed, with a seal that is right or wrong.

use std::fs;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::case::{Case, check, refusals};

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
fn sizes_that_no_memory_has_are_differences_like_others() {
    let case = Case::new();
    let manifest = case.manifest();
    for place in ["/result/rank", "/result/rows", "/result/columns"] {
        for size in [1_u64 << 31, 1 << 52] {
            let mut changed = manifest.clone();
            *changed.pointer_mut(place).unwrap() = size.into();
            case.write_sealed(changed);
            refusals(&case, &format!("{place} = {size}"));
        }
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
