//! A result folder that is there: its manifest, and digests recomputed from its own files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use tomobasis_dicom::SeriesChoice;

use super::{
    MANIFEST, Manifest, SUCCESS,
    disk::{FolderNotes, size_problem, unreadable},
    finish::small_tables,
    json_difference::first_path,
    keys_once::KeysOnce,
};
use crate::{
    error::{Error, Result},
    input::{
        decode::decode,
        inventory::take_inventory,
        layout::{block_count, first_row},
        listing::InputFile,
    },
    options::Emit,
    output::{
        NamedFile,
        dicom::{self, DerivedSeries},
        tables::{self, BasisEncoder},
    },
    progress::{Progress, Silent},
    solve::{
        decomposition::Decomposition,
        digest::{BasisDigests, Digest, Digests, FORMAT, root},
        padding_counts::pixels_digest,
    },
};

/// Bytes that no manifest has: of 4 million row blocks it has fewer.
const LONGEST_MANIFEST: u64 = 1 << 30;

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
    json: Vec<u8>,
}

impl ResultFolder {
    /// Opens a complete result folder.
    ///
    /// # Errors
    /// [`Error::ResultFile`] when it is not complete, not a result or of another format.
    pub fn open(path: &Path) -> Result<Self> {
        let incomplete =
            || Error::result_file(SUCCESS, "there is no such file, so this is no complete result folder");
        let there = fs::metadata(path.join(SUCCESS));
        if !there.map_err(|error| Error::reading(SUCCESS, error, |_| incomplete()))?.is_file() {
            return Err(incomplete());
        }
        let bytes = read_manifest(path)
            .map_err(|error| Error::reading(MANIFEST, error, |error| Error::result_file(MANIFEST, error)))?;
        let strange = |error: serde_json::Error| {
            Error::result_file(MANIFEST, format!("not a manifest of this version ({error})"))
        };
        let KeysOnce = serde_json::from_slice(&bytes).map_err(strange)?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(strange)?;
        if manifest.format != FORMAT {
            let problem = format!("the format is {:?}; this version reads {FORMAT:?}", manifest.format);
            return Err(Error::result_file(MANIFEST, problem));
        }
        let root = path.to_owned();
        let path = match &manifest.run.environment.folder {
            None => root.clone(),
            Some(name) if is_run_folder(name) => path.join(name),
            Some(name) => {
                return Err(Error::result_file(
                    MANIFEST,
                    format!("its files are in {name:?}, no folder of a run"),
                ));
            }
        };
        Ok(Self { root, path, manifest, json: bytes })
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

    /// Compares the manifest with one that was made again: every value but the list of files and the seal. Where another version wrote
    /// it, only what both have.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the first value's path.
    pub(crate) fn check_values(&self, made: &Manifest) -> Result<()> {
        let as_json = |error: serde_json::Error| Error::Internal(error.to_string());
        let stored = serde_json::from_slice(&self.json).map_err(as_json)?;
        let made = serde_json::to_value(made).map_err(as_json)?;
        let skip = ["files", "run.manifest_sha256"];
        first_path(&stored, &made, &skip, self.is_ours()).map_or(Ok(()), |difference| {
            Err(Error::Differs(format!("{MANIFEST}: {}", difference.with_input())))
        })
    }

    /// Compares the small tables with those of a recomputed `decomposition` whose digests are the same.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the file.
    pub(crate) fn check_small_tables(&self, decomposition: &Decomposition) -> Result<()> {
        // What lists its files was compared file by file.
        if !self.has_tables() || !self.is_ours() || self.manifest.files.is_some() {
            return Ok(());
        }
        for made in small_tables(decomposition)? {
            if self.read(&made.path)? != made.bytes {
                return Err(other_bytes(&made.path));
            }
        }
        Ok(())
    }

    /// Compares a derived instance with one made again from the input; whether it is the same.
    ///
    /// # Errors
    /// [`Error::Differs`] naming a file that is not, unless another version wrote it, or that cannot be read.
    pub(crate) fn check_derived(&self, made: &NamedFile) -> Result<bool> {
        let same = self.read(&made.path)? == made.bytes;
        if self.is_ours() && !same {
            return Err(Error::Differs(format!("{}: the input gives other bytes", made.path)));
        }
        Ok(same)
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
    pub(crate) fn read_factors(&self) -> Result<(Vec<f64>, Vec<f64>)> {
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
        Ok((s, v))
    }

    /// Compares the folder's files with the manifest's list, then the numbers in its tables with the manifest's digests, on the current
    /// thread pool. The manifest has to be [checked](Self::check_manifest) before.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the first file that is missing or different, [`Error::System`] one that cannot be read.
    pub(crate) fn check(&self, progress: &dyn Progress) -> Result<FolderNotes> {
        let notes = self.check_files(progress)?;
        if !self.has_tables() {
            return Ok(notes);
        }
        self.read_factors()?;
        let encoder = (self.is_ours() && self.manifest.files.is_none())
            .then(|| BasisEncoder::new(self.manifest.result.rows, self.manifest.result.rank))
            .transpose()?;
        let blocks = block_count(self.manifest.result.rows);
        let check = |block| self.check_block(block, encoder.as_ref()).inspect(|()| progress.advance(1));
        let results: Vec<Result<()>> = (0..blocks).into_par_iter().map(check).collect();
        results.into_iter().collect::<Result<()>>()?;
        Ok(notes)
    }

    /// Recomputes the digests of the derived series from their files' pixels, on the current thread pool, and compares.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the folder of the first series that differs or cannot be read.
    pub(crate) fn check_derived_series(&self) -> Result<()> {
        let mut sections = self.manifest.derived.iter();
        sections
            .try_for_each(|section| section.series.iter().try_for_each(|series| self.check_series(series)))
    }

    fn check_series(&self, series: &DerivedSeries) -> Result<()> {
        let name = dicom::folder(series.k);
        let listed = fs::read_dir(self.path.join(&name)).and_then(|entries| {
            let file = |entry: io::Result<fs::DirEntry>| {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let length = Some(fs::metadata(entry.path())?.len());
                Ok(InputFile { length, ..InputFile::plain(entry.path(), name) })
            };
            entries.map(file).collect::<io::Result<Vec<_>>>()
        });
        let mut files = listed.map_err(|error| unreadable(&name, error))?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let found = pixels_of(&files).map_err(|error| match error.exit_code() {
            1 => error,
            _ => Error::Differs(format!("{name}: {error}")),
        })?;
        same(&name, "digest of its pixels", found, series.pixels)
    }

    /// Steps of [`Self::check`].
    pub(crate) fn steps(&self) -> u64 {
        let blocks = if self.has_tables() { self.manifest.digests.u.blocks.len() } else { 0 };
        (self.listed() + blocks) as u64
    }

    /// Reads the basis vectors of a row block, rows x k row-major, and checks them.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the file that is missing, unreadable or different.
    pub(crate) fn read_block(&self, block: u32) -> Result<Vec<f64>> {
        let name = tables::basis_name(block);
        self.block_of(&name, block, self.read(&name)?)
    }

    fn block_of(&self, name: &str, block: u32, file: Vec<u8>) -> Result<Vec<f64>> {
        let table = tables::read_basis(name, file).map_err(as_difference)?;
        let digests = &self.manifest.digests.u.blocks;
        let of_block = digests.get(block as usize).copied().unwrap_or(Digest([0; 32]));
        same(name, "digest of U", Digest::of_f64(&table.values), of_block)?;
        let place = (table.block, table.first_row, table.rank);
        if place != (block, first_row(block), self.manifest.result.rank) {
            let (block, row, rank) = place;
            return Err(Error::Differs(format!(
                "{name}: it holds block {block} from row {row}, rank {rank}"
            )));
        }
        Ok(table.values)
    }

    fn check_block(&self, block: u32, encoder: Option<&BasisEncoder>) -> Result<()> {
        let name = tables::basis_name(block);
        let file = self.read(&name)?;
        let values = self.block_of(&name, block, file.clone())?;
        let mut head = Vec::new();
        match encoder.map(|encoder| encoder.encode(block, &values, &mut head)).transpose()? {
            Some(written) if written.concat() != file => Err(other_bytes(&name)),
            _ => Ok(()),
        }
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

    fn listed_size(&self, name: &str) -> Option<u64> {
        let files = self.manifest.files.as_deref()?;
        let at = files.binary_search_by(|file| file.path.as_str().cmp(name)).ok()?;
        Some(files.get(at)?.content()?.bytes)
    }
}

/// The bytes of a folder's manifest: of a file, and no more than any manifest has.
pub(super) fn read_manifest(folder: &Path) -> io::Result<Vec<u8>> {
    let path = folder.join(MANIFEST);
    let found = fs::metadata(&path)?;
    if !found.is_file() || found.len() > LONGEST_MANIFEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file of a manifest's size"));
    }
    fs::read(path)
}

/// Whether this is a name that the job gives to the folder of a run: `run-` and its id, twice eight hexadecimal digits.
pub(super) fn is_run_folder(name: &str) -> bool {
    let parts = name.strip_prefix("run-").and_then(|id| id.split_once('-'));
    let is_half = |half: &str| half.len() == 8 && half.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.is_some_and(|(run, attempt)| is_half(run) && is_half(attempt))
}

/// Digest of the stored pixels of the one series in `files`.
fn pixels_of(files: &[InputFile]) -> Result<Digest> {
    let mut inventory = take_inventory(files, &Silent)?;
    inventory.join();
    let id = inventory.series().first().map(|series| series.id.clone()).unwrap_or_default();
    let plan = inventory.select(&SeriesChoice::Uid(id))?;
    let mut pixels = vec![0; plan.pixels() * plan.slices.len()];
    let records = decode(&plan, files, &mut pixels, &Silent)?;
    Ok(pixels_digest(&records.into_iter().collect::<std::result::Result<Vec<_>, _>>()?))
}

/// In a folder that is being verified, a file that does not parse is a difference like any other.
fn as_difference(error: Error) -> Error {
    Error::Differs(error.to_string())
}

fn other_bytes(file: &str) -> Error {
    Error::Differs(format!("{file}: its digests are right, but other bytes of it were changed"))
}

fn same(file: &str, what: &str, found: Digest, expected: Digest) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.short(), expected.short());
    Err(Error::Differs(format!("{file}: the {what} is {found}..., the manifest has {expected}...")))
}

/// Name of the first digest in which two results differ, in the order of the computation.
#[must_use]
pub fn first_difference(a: &Digests, b: &Digests) -> Option<String> {
    let parts = [("pixels of the input", a.pixels, b.pixels), ("s", a.s, b.s), ("V", a.v, b.v)];
    if let Some((name, ..)) = parts.iter().find(|(_, a, b)| a != b) {
        return Some((*name).to_owned());
    }
    let blocks = a.u.blocks.len().max(b.u.blocks.len());
    if let Some(block) = (0..blocks).find(|&block| a.u.blocks.get(block) != b.u.blocks.get(block)) {
        return Some(format!("U of row block {block}"));
    }
    (a.root != b.root).then(|| "root".to_owned())
}
