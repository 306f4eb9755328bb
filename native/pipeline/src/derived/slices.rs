//! Whole slices of the composites from the strips of all row blocks, and their files.

use std::{ops::Range, sync::Arc};

use tomobasis_dicom::derived::{Derivation, derive};
use tomobasis_linalg::BLOCK_ROWS;

use super::{composites::CompositeRenderer, derivation, record::DerivedRecord, strip::Strip};
use crate::{
    NamedFile,
    decomposition::{Decomposition, block_rows},
    digest::Digest,
    error::{Error, Result},
};

/// A run of slices in all composites of a renderer: strips go in, files come out.
pub struct DerivedSlices {
    decomposition: Arc<Decomposition>,
    derivations: Vec<Derivation>,
    run: Range<usize>,
    /// By row block.
    strips: Vec<Option<Strip>>,
}

/// A file of a derived series.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivedFile {
    /// Path in the result folder, and content.
    pub file: NamedFile,
    /// What the manifest needs to know of it.
    pub record: DerivedRecord,
}

impl DerivedSlices {
    /// For the composites of `renderer` and the slices `run`.
    ///
    /// # Errors
    /// [`Error::Protocol`] when there are no such slices.
    pub fn new(renderer: &CompositeRenderer, run: Range<usize>) -> Result<Self> {
        let decomposition = renderer.decomposition().clone();
        if run.is_empty() || run.end > decomposition.columns() {
            return Err(Error::Protocol(format!("there are no slices {run:?}")));
        }
        let derivations = renderer.ranks().iter().map(|&k| derivation(&decomposition, k)).collect();
        let strips = vec![None; decomposition.blocks() as usize];
        Ok(Self { decomposition, derivations, run, strips })
    }

    /// Takes the strip of one row block; any order, and after a retry twice.
    ///
    /// # Errors
    /// [`Error::Protocol`] for a strip of other slices, blocks or composites.
    pub fn add(&mut self, strip: Strip) -> Result<()> {
        let rows = block_rows(strip.block, self.decomposition.rows());
        let fits = rows > 0
            && strip.rows == rows
            && strip.first == self.run.start
            && strip.count == self.run.len()
            && strip.clipped.len() == self.derivations.len() * self.run.len();
        match self.strips.get_mut(strip.block as usize) {
            Some(place) if fits => *place = Some(strip),
            _ => return Err(Error::Protocol("this strip of composites is not of these slices".to_owned())),
        }
        Ok(())
    }

    /// Writes the instances of one slice, one for each composite; `source` is the file that the slice was read from.
    ///
    /// # Errors
    /// [`Error::Protocol`] while strips are missing, and what the source is refused for.
    pub fn write(&self, slice: usize, source: &[u8]) -> Result<Vec<DerivedFile>> {
        if !self.run.contains(&slice) {
            return Err(Error::Protocol(format!("slice {slice} is not one of {:?}", self.run)));
        }
        let mut stored = vec![0; self.decomposition.rows() as usize];
        let write = |(c, derivation): (usize, &Derivation)| {
            let clipped = self.gather(c, slice, &mut stored)?;
            let made = derive(&self.decomposition.plan, slice, source, &mut stored, derivation)?;
            let record = DerivedRecord { k: derivation.k, slice, clipped, pixels: Digest(made.pixels) };
            Ok(DerivedFile { file: NamedFile { path: path(derivation.k, slice), bytes: made.file }, record })
        };
        self.derivations.iter().enumerate().map(write).collect()
    }

    /// Puts the rows of a slice together; returns how many values were clipped.
    fn gather(&self, c: usize, slice: usize, stored: &mut [i16]) -> Result<u64> {
        let mut clipped = 0;
        for (block, (strip, part)) in self.strips.iter().zip(stored.chunks_mut(BLOCK_ROWS)).enumerate() {
            let missing = || Error::Protocol(format!("the composites of block {block} are missing"));
            let (values, count) = strip.as_ref().ok_or_else(missing)?.slice(c, slice);
            part.copy_from_slice(values);
            clipped += u64::from(count);
        }
        Ok(clipped)
    }
}

/// Where the instance of slice `slice` (from 0) in the composite of rank `k` is in the result folder.
#[must_use]
pub fn path(k: usize, slice: usize) -> String {
    format!("dicom/k={k}/slice-{slice:05}.dcm")
}
