//! A result folder against its own manifest, and against what was computed again.

use std::{fs, io, path::Path};

use rayon::prelude::*;
use tomobasis_dicom::{Inventory, SeriesChoice};

use super::{
    Manifest, ResultFolder, disk::unreadable, finish::small_tables, folder::same,
    json_difference::first_path, listed::FolderNotes, names::MANIFEST,
};
use crate::{
    error::{Error, Result},
    input::{decode::decode, inventory::take_inventory, layout::block_count, listing::InputFile},
    output::{
        NamedFile,
        dicom::{self, DerivedSeries},
        tables::{self, BasisEncoder},
    },
    progress::{Progress, Silent},
    solve::{
        decomposition::Decomposition,
        digest::{Digest, Digests},
        padding_counts::pixels_digest,
    },
};

impl ResultFolder {
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

    /// Compares the small tables with those of a recomputed `decomposition` whose digests are the same: all their columns. Those with
    /// instance hashes only if `same_instances`. How many were compared; none if another version wrote them, which may have written the
    /// same numbers in another way.
    ///
    /// # Errors
    /// [`Error::Differs`] naming the file.
    pub(crate) fn check_small_tables(
        &self,
        decomposition: &Decomposition,
        same_instances: bool,
    ) -> Result<usize> {
        if !self.has_tables() || !self.is_ours() {
            return Ok(0);
        }
        let mut tables = small_tables(decomposition)?;
        tables.retain(|made| same_instances || made.path == tables::SINGULAR_VALUES);
        match tables.iter().find_map(|made| match self.read(&made.path) {
            Ok(bytes) if bytes == made.bytes => None,
            Ok(_) => Some(other_bytes(&made.path)),
            Err(error) => Some(error),
        }) {
            Some(error) => Err(error),
            None => Ok(tables.len()),
        }
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
        check_pixels(&self.path, &dicom::folder(series.k), series.pixels)
    }

    /// Steps of [`Self::check`].
    pub(crate) fn steps(&self) -> u64 {
        let blocks = if self.has_tables() { self.manifest.digests.u.blocks.len() } else { 0 };
        (self.listed() + blocks) as u64
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
}

/// Recomputes the digest of the one series in the folder `name` of a result's, or of all series in it, on the current thread pool, and
/// compares.
///
/// # Errors
/// [`Error::Differs`] naming the folder.
pub(crate) fn check_pixels(result: &Path, name: &str, expected: Digest) -> Result<()> {
    let listed = fs::read_dir(result.join(name)).and_then(|entries| {
        let file = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let length = Some(fs::metadata(entry.path())?.len());
            Ok(InputFile { length, ..InputFile::plain(entry.path(), name) })
        };
        entries.map(file).collect::<io::Result<Vec<_>>>()
    });
    let mut files = listed.map_err(|error| unreadable(name, error))?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let found = pixels_of(&files).map_err(|error| match error.exit_code() {
        1 => error,
        _ => Error::Differs(format!("{name}: {error}")),
    })?;
    same(name, "digest of its pixels", found, expected)
}

/// Digest of the stored pixels of the one series in `files`, or of all: then files are in the order of their slices.
fn pixels_of(files: &[InputFile]) -> Result<Digest> {
    let mut inventory = take_inventory(files, &Silent)?;
    inventory.join();
    let series = inventory.series();
    if series.len() > 1 {
        return pixels_of_all(&inventory, files);
    }
    let id = series.first().map(|series| series.id.clone()).unwrap_or_default();
    let plan = inventory.select(&SeriesChoice::Uid(id))?;
    let mut pixels = vec![0; plan.pixels() * plan.slices.len()];
    let records = decode(&plan, files, &mut pixels, &Silent)?;
    Ok(pixels_digest(&records.into_iter().collect::<std::result::Result<Vec<_>, _>>()?))
}

fn other_bytes(file: &str) -> Error {
    Error::Differs(format!("{file}: its digests are right, but other bytes of it were changed"))
}

fn pixels_of_all(inventory: &Inventory, files: &[InputFile]) -> Result<Digest> {
    let mut all = Vec::new();
    for plan in inventory.select_each()? {
        let mut pixels = vec![0; plan.pixels() * plan.slices.len()];
        let records = decode(&plan, files, &mut pixels, &Silent)?;
        let records = records.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
        all.extend(plan.slices.iter().map(|slice| slice.file).zip(records));
    }
    // Stable: frames of one file stay in the order of their series.
    all.sort_by_key(|(file, _)| *file);
    let records: Vec<_> = all.into_iter().map(|(_, record)| record).collect();
    Ok(pixels_digest(&records))
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
