//! What a result was made of: by that a later run knows whether it is to be made again.
//!
//! A folder's name is no identity. Its result is kept where the manifest is whole and says that it was made of the same slices with the
//! same options by the same version, and where every file that it lists is there in its length. The section `run.archive` holds the
//! digests of the slices, and of options and version.
//!
//! The fingerprint of a series is keyed with the secret of its pixels ([`tomobasis_dicom::Secret`]), since it covers UIDs: from it
//! nobody who has not got the scan learns one. So what a series is now is known once it is decoded.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::denoise::DenoisedFolder,
    error::{Error, Result},
    options::Options,
    result::{Environment, FileEntry, ResultFolder},
    solve::digest::Digest,
};

/// Name of the section of `run` that says what a result was made of.
const SECTION: &str = "archive";

/// That section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Section {
    /// Of the slices.
    fingerprint: Digest,
    /// Of the options.
    options: Digest,
    /// Slices that were left out.
    left_out: usize,
    /// Wall-clock time of the run.
    seconds: f64,
}

/// A result that is there and is not made again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// Its root digest.
    pub root: Digest,
    /// Slices that it leaves out.
    pub left_out: usize,
    /// Wall-clock time of the run that made it.
    pub seconds: f64,
    /// Its files, from the folder of the manifest on.
    pub files: Vec<String>,
    /// For each, its size; -1 where that is not listed.
    pub sizes: Vec<i64>,
}

/// The program that makes results: its version, and those of the libraries that it is linked with.
const PROGRAM: [&str; 2] = [env!("CARGO_PKG_VERSION"), env!("TOMOBASIS_LIBRARIES")];

/// Digest of the options that a result depends on, and of the program that makes it: what another version made is made again. Not of
/// where input and output are, nor of how a run behaves.
///
/// # Errors
/// [`Error::Internal`] when they cannot be written as JSON.
pub fn options_digest(options: &Options) -> Result<Digest> {
    digest_of(PROGRAM, options)
}

fn digest_of(program: [&str; 2], options: &Options) -> Result<Digest> {
    let of_result = Options {
        input: Vec::new(),
        output: String::new(),
        overwrite: false,
        series: None,
        more_series: Vec::new(),
        fail_fast: false,
        in_job: false,
        verbose: false,
        ..options.clone()
    };
    let json =
        serde_json::to_vec(&(program, of_result)).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Digest::of([b"tomobasis options 2\n".as_slice(), &json]))
}

/// The section of the manifest: its name and its content.
#[must_use]
pub fn section(fingerprint: Digest, options: Digest, left_out: usize, seconds: f64) -> (String, Value) {
    let seconds = (seconds * 1e3).round() / 1e3;
    let section = json!({
        "fingerprint": fingerprint, "options": options, "left_out": left_out, "seconds": seconds,
    });
    (SECTION.to_owned(), section)
}

/// The result whose manifest has these bytes, if it is one of such slices and options, as it was written. The caller looks whether its
/// files, and the marker of success, are there.
#[must_use]
pub fn kept(manifest: &[u8], fingerprint: Digest, options: Digest) -> Option<Kept> {
    let wanted = (fingerprint, options);
    if DenoisedFolder::is_of(manifest) {
        let folder = DenoisedFolder::of_manifest(Path::new(""), manifest.to_vec()).ok()?;
        folder.check_seal().ok()?;
        let manifest = &folder.manifest;
        return of_run(manifest.environment(), manifest.digests.denoised, manifest.listed_files(), wanted);
    }
    let folder = ResultFolder::of_manifest(Path::new(""), manifest.to_vec()).ok()?;
    // Seal, root and the digests that it is made of.
    folder.check_manifest().ok()?;
    let manifest = &folder.manifest;
    of_run(&manifest.run.environment, manifest.digests.root, manifest.listed_files()?, wanted)
}

/// A sound result, if it was made of what is wanted: a fingerprint, and the digest of the options.
fn of_run<'a>(
    environment: &Environment,
    root: Digest,
    files: impl Iterator<Item = &'a FileEntry>,
    wanted: (Digest, Digest),
) -> Option<Kept> {
    let section: Section = serde_json::from_value(environment.more.get(SECTION)?.clone()).ok()?;
    if (section.fingerprint, section.options) != wanted {
        return None;
    }
    let prefix = environment.folder.as_ref().map_or(String::new(), |folder| format!("{folder}/"));
    let size = |bytes: Option<u64>| bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1);
    let (files, sizes) = files.map(|file| (format!("{prefix}{}", file.path), size(file.bytes))).unzip();
    Some(Kept { root, left_out: section.left_out, seconds: section.seconds, files, sizes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{decompose::ParsedJob, job::parse_job};

    fn options(line: &str) -> Options {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match parse_job(&args) {
            Ok(ParsedJob::Run(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn what_makes_another_result_has_another_digest_and_what_does_not_has_the_same() {
        let digest = |line: &str| options_digest(&options(line)).unwrap();
        let plain = digest("--input a --output b --series all");
        for line in
            ["--input c --output d --series all --overwrite --fail-fast --verbose", "--input a --output b"]
        {
            assert_eq!(digest(line), plain, "{line}");
        }
        for line in ["--rank 3", "--emit parquet", "--padding keep", "--method tsqr", "--on-bad-slice skip"] {
            assert_ne!(digest(&format!("--input a --output b --series all {line}")), plain, "{line}");
        }
        let denoised = digest("--denoise --input a --output b --series all");
        assert_eq!(digest("--denoise --input c --output d --series all --overwrite"), denoised);
        for line in ["--strength 0.5", "--quality fast", "--dicom-syntax jpeg-ls", "--no-patient-data"] {
            let other = digest(&format!("--denoise --input a --output b --series all {line}"));
            assert_ne!(other, denoised, "{line}");
        }
    }

    #[test]
    fn what_another_version_made_is_made_again() {
        let options = options("--input a --output b --series all");
        let [version, libraries] = PROGRAM;
        let own = digest_of(PROGRAM, &options).unwrap();
        assert_eq!(options_digest(&options).unwrap(), own);
        for other in [["0.0.1", libraries], [version, "another library 1.0"]] {
            assert_ne!(digest_of(other, &options).unwrap(), own, "{other:?}");
        }
    }
}
