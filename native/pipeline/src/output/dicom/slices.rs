//! Whole slices of the composites from the bands of all row blocks, and their files.

use std::{ops::Range, sync::Arc};

use tomobasis_dicom::derived::{Derivation, derive};
use tomobasis_linalg::BLOCK_ROWS;

use super::{
    EXTENSION, FOLDER,
    band::Band,
    composites::{Composites, band_order},
    derivation,
    record::DerivedRecord,
};
use crate::{
    error::{Error, Result},
    input::layout::block_rows,
    output::NamedFile,
    solve::{decomposition::Decomposition, digest::Digest},
};

/// A run of slices in some composites: bands go in, files come out.
pub struct DerivedSlices {
    decomposition: Arc<Decomposition>,
    /// With their numbers of basis vectors.
    derivations: Vec<(usize, Derivation)>,
    /// Places of the run.
    run: Range<usize>,
    /// The slices of the run.
    slices: Vec<usize>,
    /// By row block.
    bands: Vec<Option<Band>>,
}

/// A file of a derived series.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivedFile {
    /// Path in the result folder, and content.
    pub file: NamedFile,
    /// What the manifest needs to know of each of its slices.
    pub records: Vec<DerivedRecord>,
}

impl DerivedSlices {
    /// For these composites and the slices at the places `run`, which must be all slices of their files.
    ///
    /// # Errors
    /// [`Error::Protocol`] when there are no such slices.
    pub fn new(composites: &Composites, run: Range<usize>) -> Result<Self> {
        let decomposition = composites.decomposition().clone();
        let slices = band_order(&decomposition.plan).get(run.clone()).unwrap_or_default().to_vec();
        if slices.is_empty() {
            return Err(Error::Protocol(format!("there are no slices {run:?}")));
        }
        let derivations = composites.ranks().iter().map(|&k| (k, derivation(&decomposition, k))).collect();
        let bands = vec![None; decomposition.blocks() as usize];
        Ok(Self { decomposition, derivations, run, slices, bands })
    }

    /// Takes the band of one row block; any order, and after a retry twice.
    ///
    /// # Errors
    /// [`Error::Protocol`] for a band of other slices, blocks or composites.
    pub fn add(&mut self, band: Band) -> Result<()> {
        let rows = block_rows(band.block, self.decomposition.rows());
        let fits = rows > 0
            && band.rows == rows
            && band.first == self.run.start
            && band.count == self.run.len()
            && band.clipped.len() == self.derivations.len() * self.run.len();
        match self.bands.get_mut(band.block as usize) {
            Some(place) if fits => *place = Some(band),
            _ => return Err(Error::Protocol("this band of composites is not of these slices".to_owned())),
        }
        Ok(())
    }

    /// Composites that the slices are in.
    #[must_use]
    pub fn composites(&self) -> usize {
        self.derivations.len()
    }

    /// Writes the instances of the file that `slice` is in, one for each composite; `source` is that file.
    ///
    /// # Errors
    /// As [`Self::write_composite`].
    pub fn write(&self, slice: usize, source: &[u8]) -> Result<Vec<DerivedFile>> {
        (0..self.composites()).map(|c| self.write_composite(c, slice, source)).collect()
    }

    /// Writes the instance of the composite at place `c`.
    ///
    /// Memory: the source, its slices as 16-bit integers, and the instance.
    ///
    /// # Errors
    /// [`Error::Protocol`] while bands are missing, and what the source is refused for.
    pub fn write_composite(&self, c: usize, slice: usize, source: &[u8]) -> Result<DerivedFile> {
        let plan = &self.decomposition.plan;
        let foreign = || Error::Protocol(format!("slice {slice} is not one of the places {:?}", self.run));
        let (k, derivation) = self.derivations.get(c).ok_or_else(foreign)?;
        let file = |slice: usize| plan.slices.get(slice).map(|slice| slice.file);
        let in_file = |other: &usize| file(*other) == file(slice);
        let first = self.slices.iter().position(in_file).ok_or_else(foreign)?;
        let slices: Vec<usize> = self.slices.iter().skip(first).copied().take_while(in_file).collect();
        let mut stored = vec![0; slices.len() * plan.pixels()];
        let parts = stored.chunks_mut(plan.pixels()).zip(self.run.start + first..);
        let clipped =
            parts.map(|(stored, place)| self.gather(c, place, stored)).collect::<Result<Vec<u64>>>()?;
        let made = derive(plan, &slices, source, &mut stored, derivation)?;
        let k = *k;
        let record =
            |((&slice, clipped), digest)| DerivedRecord { k, slice, clipped, pixels: Digest(digest) };
        let path = file_name(k, &slices);
        let records = slices.iter().zip(clipped).zip(made.pixels).map(record).collect();
        Ok(DerivedFile { file: NamedFile { path, bytes: made.file }, records })
    }

    /// Puts the rows of the slice at a place together; returns how many values were clipped.
    fn gather(&self, c: usize, place: usize, stored: &mut [i16]) -> Result<u64> {
        let mut clipped = 0;
        for (block, (band, part)) in self.bands.iter().zip(stored.chunks_mut(BLOCK_ROWS)).enumerate() {
            let missing = || Error::Protocol(format!("the composites of block {block} are missing"));
            let (values, count) = band.as_ref().ok_or_else(missing)?.slice(c, place);
            part.copy_from_slice(values);
            clipped += u64::from(count);
        }
        Ok(clipped)
    }
}

/// The file of an instance of the composite of rank `k`: named by the first of its slices.
pub(crate) fn file_name(k: usize, slices: &[usize]) -> String {
    format!("{}/{}", folder(k), slice_name(slices))
}

/// The name of an instance's file: the first of its slices.
pub(crate) fn slice_name(slices: &[usize]) -> String {
    format!("slice-{:05}{EXTENSION}", slices.iter().min().copied().unwrap_or_default())
}

/// The folder of the composite of rank `k` in the result folder.
pub(crate) fn folder(k: usize) -> String {
    format!("{FOLDER}/k={k}")
}
