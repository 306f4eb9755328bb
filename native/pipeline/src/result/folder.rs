//! A result folder that is there: its manifest, and digests recomputed from its own files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::{
    Manifest,
    disk::{digest_of, read_manifest, size_problem, unreadable},
    keys_once::KeysOnce,
    names::{MANIFEST, SUCCESS, is_run_folder},
};
use crate::{
    error::{Error, Result},
    input::layout::{block_count, first_row},
    options::Emit,
    output::{FileDigest, tables},
    solve::digest::{BasisDigests, Digest, FORMAT, root},
};

/// What a folder is that has an index and is no result.
pub(crate) const AN_ARCHIVE: &str =
    "this is the output of --series all, and no result; name one of the folders in it";

/// Characters that are told of why a manifest is none.
const SAID: usize = 300;

/// A result folder on the local file system.
#[derive(Debug)]
pub struct ResultFolder {
    /// Where its manifest is.
    pub(super) root: PathBuf,
    /// Where its files are: the folder itself, or the one in it that the manifest names.
    pub(super) path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// The bytes that it was read from.
    pub(super) json: Vec<u8>,
}

/// Where the files are of a manifest in the folder `path`, which names the folder of a run or none.
///
/// # Errors
/// [`Error::ResultFile`] when it names another folder.
pub(crate) fn folder_of_files(path: &Path, run: Option<&str>) -> Result<PathBuf> {
    match run {
        None => Ok(path.to_owned()),
        Some(name) if is_run_folder(name) => Ok(path.join(name)),
        Some(name) => {
            Err(Error::result_file(MANIFEST, format!("its files are in {name:?}, no folder of a run")))
        }
    }
}

impl ResultFolder {
    /// Opens a complete result folder.
    ///
    /// # Errors
    /// [`Error::ResultFile`] when it is not complete, not a result or of another format.
    pub fn open(path: &Path) -> Result<Self> {
        Self::of_manifest(path, read_complete(path)?)
    }

    /// The folder at `path`, whose manifest has these bytes.
    ///
    /// # Errors
    /// [`Error::ResultFile`] when they are not of a result or of another format.
    pub fn of_manifest(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let manifest: Manifest = parse_manifest(&bytes)?;
        if manifest.format != FORMAT {
            let problem = format!("the format is {:?}; this version reads {FORMAT:?}", manifest.format);
            return Err(Error::result_file(MANIFEST, problem));
        }
        let root = path.to_owned();
        let path = folder_of_files(path, manifest.run.environment.folder.as_deref())?;
        Ok(Self { root, path, manifest, json: bytes })
    }

    /// The manifest as it is.
    pub(crate) fn manifest_bytes(&self) -> &[u8] {
        &self.json
    }

    /// Whether the folder holds tables.
    #[must_use]
    pub fn has_tables(&self) -> bool {
        self.manifest.emitted.contains(&Emit::Parquet)
    }

    /// Whether this very version wrote the folder: then its files are known to the byte, not only in their numbers.
    pub(crate) fn is_ours(&self) -> bool {
        let run = &self.manifest.run;
        run.version == env!("CARGO_PKG_VERSION") && run.libraries == env!("TOMOBASIS_LIBRARIES")
    }

    /// Checks the manifest's seal. Manifests of earlier versions have none, and list no files.
    ///
    /// # Errors
    /// [`Error::Differs`].
    fn check_seal(&self) -> Result<()> {
        let Manifest { files, run, .. } = &self.manifest;
        let expected =
            self.is_ours() || files.is_some() || run.report.is_some() || run.manifest_sha256.is_some();
        for (name, there) in
            [("files", files.is_some()), ("run.manifest_sha256", run.manifest_sha256.is_some())]
        {
            if expected && !there {
                return Err(Error::Differs(format!("{MANIFEST}: {name} is missing")));
            }
        }
        if self.manifest.is_sealed(&self.json) == Some(false) {
            let text = "its seal (run.manifest_sha256) is not that of its bytes, so it was changed";
            return Err(Error::Differs(format!("{MANIFEST}: {text}")));
        }
        Ok(())
    }

    /// Checks the manifest alone: its seal, then its digests against each other.
    ///
    /// # Errors
    /// [`Error::Differs`].
    pub(crate) fn check_manifest(&self) -> Result<()> {
        self.check_seal()?;
        let digests = &self.manifest.digests;
        let found = root(&self.manifest.root_of(), &digests.pixels, &digests.s, &digests.v, &digests.u.root);
        same(MANIFEST, "root digest", found, digests.root)?;
        let result = &self.manifest.result;
        if result.rank as u64 > result.rows.min(result.columns as u64) {
            let (rank, m, n) = (result.rank, result.rows, result.columns);
            return Err(Error::Differs(format!(
                "{MANIFEST}: result.rank is {rank}, which no matrix of {m} x {n} has"
            )));
        }
        let blocks = block_count(result.rows);
        let missing = || Error::Differs(format!("{MANIFEST}: it has not the digests of {blocks} row blocks"));
        let u = BasisDigests::new(digests.u.blocks.clone()).filter(|u| u.blocks.len() == blocks as usize);
        same(MANIFEST, "root of the digests of U", u.ok_or_else(missing)?.root, digests.u.root)
    }

    /// Reads `s` (k) and `V` (n x k, row-major) and checks them.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the file that is missing, unreadable or different.
    pub fn read_factors(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        let digests = &self.manifest.digests;
        let s = self.table(tables::SINGULAR_VALUES, tables::read_singular_values)?;
        same(tables::SINGULAR_VALUES, "digest of s", Digest::of_f64(&s), digests.s)?;
        let (rank, v, instances) = self.table(tables::WEIGHTS, tables::read_weights)?;
        same(tables::WEIGHTS, "digest of V", Digest::of_f64(&v), digests.v)?;
        let instances =
            instances.into_iter().map(Digest::try_from).collect::<std::result::Result<Vec<_>, _>>();
        let instances =
            instances.map_err(|problem| Error::Differs(format!("{}: {problem}", tables::WEIGHTS)))?;
        same(tables::WEIGHTS, "digest of the instances", Digest::of_digests(&instances), digests.instances)?;
        let result = &self.manifest.result;
        if (s.len(), rank, v.len()) != (result.rank, result.rank, result.rank * result.columns) {
            let (n, k) = (result.columns, result.rank);
            return Err(Error::Differs(format!("{}: it has not {n} slices of {k} weights", tables::WEIGHTS)));
        }
        // What follows from them must be numbers.
        let falling = s.is_sorted_by(|a, b| a >= b);
        if !falling || s.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
            let text = "s is not positive and falling, as singular values are";
            return Err(Error::Differs(format!("{}: {text}", tables::SINGULAR_VALUES)));
        }
        finite(tables::WEIGHTS, &v)?;
        Ok((s, v))
    }

    /// Reads the basis vectors of a row block, rows x k row-major, and checks them.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the file that is missing, unreadable or different.
    pub fn read_block(&self, block: u32) -> Result<Vec<f64>> {
        let name = tables::basis_name(block);
        self.block_of(&name, block, self.read(&name)?)
    }

    pub(super) fn block_of(&self, name: &str, block: u32, file: Vec<u8>) -> Result<Vec<f64>> {
        let table = tables::read_basis(name, file).map_err(as_difference)?;
        let digests = &self.manifest.digests.u.blocks;
        let of_block = digests.get(block as usize).copied().unwrap_or(Digest([0; 32]));
        same(name, "digest of U", Digest::of_f64(&table.values), of_block)?;
        finite(name, &table.values)?;
        let place = (table.block, table.first_row, table.rank);
        if place != (block, first_row(block), self.manifest.result.rank) {
            let (block, row, rank) = place;
            return Err(Error::Differs(format!(
                "{name}: it holds block {block} from row {row}, rank {rank}"
            )));
        }
        Ok(table.values)
    }

    fn table<T>(&self, name: &str, parse: impl Fn(&str, Vec<u8>) -> Result<T>) -> Result<T> {
        parse(name, self.read(name)?).map_err(as_difference)
    }

    /// The bytes of a file of the result: of a file, and as many as the manifest lists.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path.join(name);
        let read = || -> io::Result<Vec<u8>> {
            match size_problem(&fs::metadata(&path)?, self.listed_size(name)) {
                Some(problem) => Err(io::Error::new(io::ErrorKind::InvalidData, problem)),
                None => fs::read(&path),
            }
        };
        read().map_err(|error| unreadable(name, error))
    }

    /// Files that the manifest lists.
    pub(crate) fn listed(&self) -> usize {
        self.manifest.listed_files().map_or(0, Iterator::count)
    }

    /// Digest of a file of the result.
    ///
    /// # Errors
    /// [`Error::Differs`] naming a file that cannot be read, [`Error::System`].
    pub(crate) fn digest_of(&self, path: &str) -> Result<FileDigest> {
        digest_of(&self.path.join(path)).map_err(|error| unreadable(path, error))
    }

    pub(super) fn listed_size(&self, name: &str) -> Option<u64> {
        let files = self.manifest.files.as_deref()?;
        let at = files.binary_search_by(|file| file.path.as_str().cmp(name)).ok()?;
        Some(files.get(at)?.content()?.bytes)
    }
}

/// The bytes of the manifest of a complete folder, of whatever kind.
///
/// # Errors
/// [`Error::ResultFile`] when it is not complete, [`Error::System`].
pub(crate) fn read_complete(path: &Path) -> Result<Vec<u8>> {
    let incomplete = || match path.join(tables::INDEX).is_file() {
        true => Error::result_file(tables::INDEX, AN_ARCHIVE),
        false => Error::result_file(SUCCESS, "there is no such file, so this is no complete result folder"),
    };
    let there = fs::metadata(path.join(SUCCESS));
    if !there.map_err(|error| Error::reading(SUCCESS, error, |_| incomplete()))?.is_file() {
        return Err(incomplete());
    }
    read_manifest(path)
        .map_err(|error| Error::reading(MANIFEST, error, |error| Error::result_file(MANIFEST, error)))
}

/// A manifest of some kind, in which each key stands once.
///
/// # Errors
/// [`Error::ResultFile`].
pub(crate) fn parse_manifest<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let strange = |error: serde_json::Error| {
        // The text quotes what it does not understand.
        let said: String = error.to_string().chars().take(SAID).collect();
        Error::result_file(MANIFEST, format!("not a manifest of this version ({said})"))
    };
    let KeysOnce = serde_json::from_slice(bytes).map_err(strange)?;
    serde_json::from_slice(bytes).map_err(strange)
}

/// In a folder that is being verified, a file that does not parse is a difference like any other.
fn as_difference(error: Error) -> Error {
    Error::Differs(error.to_string())
}

fn finite(file: &str, values: &[f64]) -> Result<()> {
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(Error::Differs(format!("{file}: it holds numbers that are not finite"))),
    }
}

pub(super) fn same(file: &str, what: &str, found: Digest, expected: Digest) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.short(), expected.short());
    Err(Error::Differs(format!("{file}: the {what} is {found}..., the manifest has {expected}...")))
}
