//! A result to tamper with.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
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

use crate::common::{decompose, series};

const OPTIONS: &str = "--rank 4 --composite 2,3 --emit parquet,png,report,dicom";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    verify: VerifyArgs,
}

/// What `verify` prints at its end.
pub fn check(result: &Path, input: &Path) -> Result<String, Error> {
    let words = ["verify", result.to_str().unwrap(), "--input", input.to_str().unwrap()];
    verify(&Line::parse_from(words).verify, 2, &Silent).map(|checked| checked.closing)
}

/// What `verify` and `compare` with an untouched copy say of a tampered result; both must exit with 4.
pub fn refusals(case: &Case, why: &str) -> [String; 2] {
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
pub struct Case {
    pub base: tempfile::TempDir,
    pub input: PathBuf,
    pub result: PathBuf,
}

impl Case {
    pub fn new() -> Self {
        let (base, input) = series();
        let result = base.path().join("result");
        decompose(&input, &base.path().join("whole"), OPTIONS, 2).unwrap();
        let case = Self { base, input, result };
        case.restore();
        case
    }

    /// Copies the whole result over the other.
    pub fn restore(&self) {
        let _absent = fs::remove_dir_all(&self.result);
        let whole = self.base.path().join("whole");
        for path in files(&whole) {
            let target = self.result.join(&path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(whole.join(path), target).unwrap();
        }
    }

    pub fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.result.join("manifest.json")).unwrap()).unwrap()
    }

    /// Writes a manifest with a seal that is right, as who knows the format would.
    pub fn write_sealed(&self, mut manifest: Value) {
        manifest["run"]["manifest_sha256"] = "0".repeat(64).into();
        let text = serde_json::to_string_pretty(&manifest).unwrap();
        let seal: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        manifest["run"]["manifest_sha256"] = seal.into();
        fs::write(self.result.join("manifest.json"), serde_json::to_string_pretty(&manifest).unwrap())
            .unwrap();
    }

    /// Changes a listed file and its entry in the manifest, and seals it again.
    pub fn forge(&self, name: &str, bytes: &[u8]) {
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
pub fn files(folder: &Path) -> BTreeSet<String> {
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
