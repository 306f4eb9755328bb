//! A result folder on this machine of a series whose row blocks were rendered elsewhere, and whose files arrive one after the other.
//!
//! Every file is compared with the digest that was taken of it where it was made, before it is written.

use std::{
    collections::BTreeSet,
    path::{Component, Path},
    sync::Arc,
    time::Instant,
};

use super::{
    decompose::{closing_text, keep_the_scan},
    stages::PICTURES,
};
use crate::{
    blocks::{BlockRecord, BlockRenderer},
    error::{Error, FolderKind, Result},
    input::listing::local_path,
    memory,
    options::Options,
    output::{FileDigest, dicom::DerivedRecord, drm, tables, text},
    progress::Progress,
    result::{Environment, Manifest, StagedFolder, finish},
    solve::Decomposition,
};

/// A file as it arrives: its path in the result, and its pieces.
pub type Arrived<'a> = (&'a str, &'a [&'a [u8]]);

/// A result folder in the making. Without [`finish`](Self::finish) nothing is left of it.
pub struct GatheredResult {
    staged: StagedFolder,
    output: String,
    records: Vec<BlockRecord>,
    bands: Vec<(u32, Vec<u8>)>,
    derived: Vec<DerivedRecord>,
}

/// What was made of it.
pub struct Gathered {
    /// The manifest that was written.
    pub manifest: Manifest,
    /// What the command would print.
    pub closing: String,
    /// What could not be removed of an old result.
    pub note: Option<String>,
}

impl GatheredResult {
    /// Checks the output of the options and makes the folder to write into.
    ///
    /// # Errors
    /// Those of a decomposition in this process, before it reads its input.
    pub fn create(options: &Options) -> Result<Self> {
        let output = local_path("--output", &options.output)?;
        keep_the_scan(&options.input, &output)?;
        let staged = StagedFolder::create(&output, FolderKind::Result, options.overwrite)?;
        let output = options.output.clone();
        Ok(Self { staged, output, records: Vec::new(), bands: Vec::new(), derived: Vec::new() })
    }

    /// What killed runs left and could not be removed.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        self.staged.notes()
    }

    /// Writes the files of a rendered row block; `bands` are those of its pictures.
    ///
    /// # Errors
    /// [`Error::Protocol`] for files that are not those of the record, [`Error::Write`].
    pub fn add_block(&mut self, record: &[u8], files: &[Arrived<'_>], bands: Vec<u8>) -> Result<()> {
        let record = BlockRecord::from_bytes(record)?;
        let table = record.table.map(|digest| (tables::basis_name(record.block), digest));
        let text = record.text.map(|digest| (text::basis_name(record.block), digest));
        let drm = record.drm.map(|digest| (drm::basis_name(record.block), digest));
        let expected: Vec<(String, FileDigest)> = table.into_iter().chain(text).chain(drm).collect();
        let names = |names: &mut dyn Iterator<Item = String>| names.collect::<BTreeSet<_>>();
        let arrived = names(&mut files.iter().map(|(path, _)| (*path).to_owned()));
        if arrived.len() != files.len()
            || arrived != names(&mut expected.iter().map(|(path, _)| path.clone()))
        {
            let text = format!("block {}: the files that arrived are not those that were made", record.block);
            return Err(Error::Protocol(text));
        }
        for (path, digest) in &expected {
            if let Some(file) = files.iter().find(|(name, _)| name == path) {
                self.write(*file, digest)?;
            }
        }
        self.bands.push((record.block, bands));
        self.records.push(record);
        Ok(())
    }

    /// Writes a file of derived DICOM; `records` are those of its slices.
    ///
    /// # Errors
    /// [`Error::Protocol`] for a file that is not what was made, [`Error::Write`].
    pub fn add_derived(&mut self, file: Arrived<'_>, digest: FileDigest, records: &[u8]) -> Result<()> {
        self.derived.extend(DerivedRecord::all_from_bytes(records)?);
        self.write(file, &digest)
    }

    fn write(&self, (path, pieces): Arrived<'_>, digest: &FileDigest) -> Result<()> {
        let below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !below || FileDigest::of(pieces) != *digest {
            return Err(Error::Protocol("a file arrived that is not what was made; run again".to_owned()));
        }
        self.staged.write(path, pieces)
    }

    /// Draws the pictures on `threads` threads (0: one per core), writes what is left, and gives the folder its name. `environment` is
    /// what the manifest says of the run; the run's name is added to it.
    ///
    /// # Errors
    /// [`Error::Protocol`] when blocks or derived slices are missing or disagree; those of a decomposition in this process, with
    /// [`Error::Stopped`] when it is to stop.
    pub fn finish(
        mut self,
        decomposition: &Arc<Decomposition>,
        mut environment: Environment,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Gathered> {
        let began = Instant::now();
        let renderer = BlockRenderer::with_composites(decomposition.clone(), 0)?;
        self.bands.sort_by_key(|(block, _)| *block);
        let bands = self.bands.iter().map(|(_, bands)| bands.as_slice());
        let pictures = memory::pool(threads)?.install(|| renderer.pictures(bands))?;
        let milliseconds = (began.elapsed().as_secs_f64() * 1e3).round();
        environment.timings.insert(PICTURES.to_owned(), (milliseconds / 1e3).into());
        environment.id = Some(self.staged.id());
        let (manifest, files) = finish(decomposition, &self.records, &self.derived, pictures, environment)?;
        for file in files {
            self.staged.write(&file.path, &[&file.bytes])?;
        }
        if progress.stopped() {
            return Err(Error::Stopped);
        }
        let note = self.staged.commit()?;
        let closing = closing_text(decomposition, &manifest.digests.root.to_string(), &self.output);
        Ok(Gathered { manifest, closing, note })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        commands::decompose::{ParsedJob, parse_options},
        solve::digest::Digest,
    };

    fn begun(output: &Path) -> Result<GatheredResult> {
        let words = ["--input=nowhere".to_owned(), format!("--output={}", output.display())];
        let Ok(ParsedJob::Run(options)) = parse_options(&words) else { panic!("not parsed") };
        GatheredResult::create(&options)
    }

    #[test]
    fn what_is_not_finished_leaves_nothing_and_what_is_there_stays() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        drop(begun(&output).unwrap());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
        fs::create_dir(&output).unwrap();
        assert!(begun(&output).is_err());
    }

    #[test]
    fn a_file_that_is_not_what_was_made_is_not_written() {
        let base = tempfile::tempdir().unwrap();
        let mut made = begun(&base.path().join("result")).unwrap();
        let part: [&[u8]; 2] = [b"part", b"part"];
        let table = FileDigest::of(&part);
        let digest = Digest([1; 32]);
        let record = BlockRecord { block: 3, digest, table: Some(table), text: None, drm: None }.to_bytes();
        let name = tables::basis_name(3);
        let damaged: [&[u8]; 2] = [b"part", b"pert"];
        for files in [
            vec![],
            vec![(name.as_str(), damaged.as_slice())],
            vec![("basis/other", part.as_slice())],
            vec![(name.as_str(), part.as_slice()), (name.as_str(), part.as_slice())],
        ] {
            assert!(matches!(made.add_block(&record, &files, Vec::new()), Err(Error::Protocol(_))));
        }
        for path in ["../part", "/part", "dicom/../../part"] {
            assert!(matches!(made.add_derived((path, &part), table, &[]), Err(Error::Protocol(_))), "{path}");
        }
        made.add_block(&record, &[(name.as_str(), part.as_slice())], Vec::new()).unwrap();
        assert_eq!((made.records.len(), made.bands.len()), (1, 1));
    }
}
