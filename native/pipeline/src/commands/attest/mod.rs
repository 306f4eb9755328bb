//! One manifest in the forms that other programs read. Everything in them is the manifest's, and nothing of a patient.
//!
//! An attestation states the digests of files, and of the pixels of derived series, so these are compared first.

mod arguments;
mod bids;
mod in_toto;
mod ro_crate;

use std::{
    env,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use chrono::DateTime;
use serde_json::Value;

pub use self::arguments::{AttestArgs, Form};
use crate::{
    commands::{single_file::SingleFile, verify::check_room},
    error::{Error, Result},
    input::listing::local_path,
    memory,
    output::FileDigest,
    progress::Progress,
    result::{MANIFEST, Manifest, ResultFolder},
    solve::digest::Digest,
};

/// The environment variable that says when something is to have been made.
const EPOCH: &str = "SOURCE_DATE_EPOCH";
/// Name of the software.
const NAME: &str = "TomoBasis";

/// One line on what the files are, for people.
const DESCRIPTION: &str = "Singular value decomposition of a CT series by TomoBasis";

/// What an attestation was made of, and where it goes.
#[derive(Debug)]
pub struct Attestation {
    /// The text, if it was not written to a file.
    pub text: Option<String>,
    /// The same as JSON.
    pub document: Value,
}

/// A result whose files are what its manifest lists.
struct Checked {
    manifest: Manifest,
    /// Files by path, from the result folder on; without a digest what the manifest lists by path alone.
    files: Vec<(String, Option<FileDigest>)>,
}

/// Writes the attestation of a result, on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::DamagedResult`] naming the first file that differs, [`Error::Option`] for an output that cannot be used.
pub fn attest(args: &AttestArgs, threads: usize, progress: &dyn Progress) -> Result<Attestation> {
    let path = local_path("RESULT", &args.result)?;
    let folder = ResultFolder::open(&path)?;
    let output =
        args.output.as_deref().map(|output| SingleFile::new("--output", output, args.overwrite, "{"));
    let output = output.transpose()?;
    let prefix = match &output {
        Some(output) => place(&path, output, args.form)?,
        None => String::new(),
    };
    let checked = Checked::new(folder, threads, progress)?;
    let license = args.license.as_deref();
    let json = match args.form {
        Form::InToto => in_toto::statement(&checked)?,
        Form::RoCrate => ro_crate::crate_of(&checked, &prefix, license, &today()?)?,
        Form::BidsProv => bids::description(&checked, license),
    };
    let mut text = serde_json::to_string_pretty(&json).map_err(|error| Error::Internal(error.to_string()))?;
    match output {
        None => Ok(Attestation { text: Some(text), document: json }),
        Some(output) => {
            text.push('\n');
            output.write(text.as_bytes())?;
            Ok(Attestation { text: None, document: json })
        }
    }
}

impl Checked {
    fn new(folder: ResultFolder, threads: usize, progress: &dyn Progress) -> Result<Self> {
        folder.check_manifest().map_err(Error::of_damage)?;
        if folder.manifest.files.is_none() {
            let problem = "it lists no files (an older format), so there are no digests to state; decompose the scan again";
            return Err(Error::result_file(MANIFEST, problem));
        }
        let pool = memory::pool(threads)?;
        check_room(&folder, &pool)?;
        progress.stage(1, 1, "check", "files", folder.steps());
        pool.install(|| folder.check(progress).and_then(|_| folder.check_derived_series()))
            .map_err(Error::of_damage)?;
        let own = FileDigest::of(&[folder.manifest_bytes()]);
        let manifest = folder.manifest;
        let place = manifest.run.environment.folder.as_ref().map_or(String::new(), |name| format!("{name}/"));
        let listed = manifest.listed_files().into_iter().flatten();
        let mut files: Vec<_> =
            listed.map(|file| (format!("{place}{}", file.path), file.content())).collect();
        files.push((MANIFEST.to_owned(), Some(own)));
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { manifest, files })
    }

    /// What was decomposed, by what, in one sentence.
    fn sentence(&self) -> String {
        let Manifest { series, result, .. } = &self.manifest;
        let subject = match self.manifest.parameters.input_format.is_scan() {
            true => format!("{} slices of {} x {} pixels", series.slices, series.rows, series.columns),
            false => format!("a matrix of {} x {}", result.rows, result.columns),
        };
        format!(
            "Singular value decomposition of {subject}: {} basis vectors, method {}, class {}",
            result.rank, result.method, result.class
        )
    }

    fn digest(&self, of: impl Fn(&crate::solve::digest::Digests) -> Digest) -> String {
        of(&self.manifest.digests).to_string()
    }
}

/// The path from the output's folder to the result, with a `/` at its end, where paths are relative to that folder. Refuses an output
/// that cannot be used.
fn place(result: &Path, output: &SingleFile, form: Form) -> Result<String> {
    let refuse = |problem: &str| Err(Error::option("--output", problem));
    let (Ok(folder), Ok(result)) = (output.folder().canonicalize(), result.canonicalize()) else {
        return refuse("there is no such folder; make it first");
    };
    match (form, result.strip_prefix(&folder)) {
        (Form::RoCrate, Err(_)) => {
            refuse("a crate describes what is in its own folder; name a file in a folder above the result")
        }
        (_, Ok(path)) => Ok(encoded(path)),
        (_, Err(_)) => Ok(String::new()),
    }
}

/// A relative path as a relative URI, with a `/` at its end.
fn encoded(path: &Path) -> String {
    path.components().map(|part| encode(&part.as_os_str().to_string_lossy()) + "/").collect()
}

/// A name as a part of a URI: all but unreserved characters as bytes (RFC 3986).
fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~=".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The day in UTC, `2026-11-30`: of `SOURCE_DATE_EPOCH`, if it is set, as for other programs whose output is to be the same again.
fn today() -> Result<String> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let given = env::var_os(EPOCH).map_or_else(|| Some(now()), |text| text.to_str()?.parse().ok());
    given
        .and_then(date)
        .ok_or_else(|| Error::option(EPOCH, "it is no number of seconds since 1970; correct or unset it"))
}

/// The date of a time in seconds since 1970-01-01.
fn date(seconds: u64) -> Option<String> {
    DateTime::from_timestamp(seconds.try_into().ok()?, 0).map(|time| time.date_naive().to_string())
}

/// A section of the manifest as JSON.
fn json(section: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(section).map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates_as_long_as_there_are_dates() {
        assert_eq!(date(0).as_deref(), Some("1970-01-01"));
        assert_eq!(date(951_868_799).as_deref(), Some("2000-02-29"));
        assert_eq!(date(1_796_083_200).as_deref(), Some("2026-12-01"));
        assert_eq!((date(1 << 55), date(u64::MAX)), (None, None));
    }

    #[test]
    fn names_become_parts_of_uris() {
        assert_eq!(encoded(Path::new("a b/k=5/ü")), "a%20b/k=5/%C3%BC/");
        assert_eq!(encoded(Path::new("")), "");
    }
}
