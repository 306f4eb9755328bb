//! One row block: `U`, its digest, its file, its pixels of every picture, its composites.
//!
//! 1. *Factors*: `T = A V` and `U = T / s`, rows x k each (`block_factors`; class `fixed`: `U` from the tree's factors, `T = U diag(s)`).
//! 2. *Pictures*: the block's pixels of every panel, reduced to bytes; its samples for the browser in the report (`sampled`).
//! 3. *Composites*, whole ones, which only derived DICOM needs: rounded to the integers of their slices, a band for each run.
//! 4. *Files and digest*: `U` as a Parquet file, as text and as a SequenceFile, and the SHA-256 of its rows x k numbers.
//!
//! Each row of every result depends on the same row of `A` alone, and nothing but the block's rows is in memory: what
//! needs `T` and `U` follows while they are in the cache.

use std::sync::Arc;

use ndarray::ArrayView2;
use tomobasis_linalg::column_major;

use super::{composites, measured::Measured, sampled::Sampled};
use crate::{
    blocks::block_factors::BlockFactors,
    error::{Error, Result},
    input::BlockValues,
    options::Emit,
    output::{
        FileDigest, NamedFile,
        dicom::{Band, Composites},
        drm,
        measured::Reference,
        pictures::{self, Panel, Subject, basis_panels, slice_panels},
        report::volume::{self, VOLUME},
        tables::{self, BasisEncoder},
        text,
    },
    solve::{
        decomposition::Decomposition,
        digest::{BasisDigests, Digest},
    },
};

/// Renders row blocks; shared by all threads.
pub struct BlockRenderer {
    decomposition: Arc<Decomposition>,
    factors: BlockFactors,
    /// `None` when no tables are written.
    encoder: Option<BasisEncoder>,
    panels: Vec<Panel>,
    /// `None` when there is no report.
    sampled: Option<Sampled>,
    /// `None` when there is no report.
    measured: Option<Measured>,
    composites: Composites,
}

/// Buffers that a thread keeps from block to block.
#[derive(Default)]
pub struct Scratch {
    t: Vec<f64>,
    u: Vec<f64>,
    /// `U diag(s)`.
    scaled: Vec<f64>,
    composites: Vec<f64>,
    head: Vec<u8>,
    lines: Vec<u8>,
    sequence: Vec<u8>,
}

/// A rendered block.
#[derive(Debug)]
pub struct RenderedBlock<'a> {
    /// The Parquet file of the block's basis vectors, in pieces; empty when tables are not asked for.
    pub part: [&'a [u8]; 3],
    /// The text file of the same; empty when text is not asked for.
    pub text: &'a [u8],
    /// The SequenceFile of the same; empty when it is not asked for.
    pub drm: &'a [u8],
    /// What the manifest needs to know of the block.
    pub record: BlockRecord,
    /// The block's pixels of every picture, and its samples for the report; empty when none is asked for.
    pub bands: Vec<u8>,
    /// The block of whole composites, a band for each run of slices; none when derived DICOM is not asked for.
    pub composites: Vec<Band>,
}

/// What the manifest says of a row block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRecord {
    /// Index of the block.
    pub block: u32,
    /// Digest of its rows x k basis vectors.
    pub digest: Digest,
    /// Its Parquet file; `None` when tables are not asked for.
    pub table: Option<FileDigest>,
    /// Its text file; `None` when text is not asked for.
    pub text: Option<FileDigest>,
    /// Its SequenceFile; `None` when it is not asked for.
    pub drm: Option<FileDigest>,
}

impl BlockRenderer {
    /// Prepares for the blocks of a decomposition, with all composites that derived DICOM needs, if it is asked for.
    ///
    /// # Errors
    /// What the linear algebra or the Parquet encoder refuse.
    pub fn new(decomposition: Arc<Decomposition>) -> Result<Self> {
        let composites =
            if decomposition.options.emits(Emit::Dicom) { decomposition.composites.len() } else { 0 };
        Self::with_composites(decomposition, composites)
    }

    /// The same with no more than the first `composites` of them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_composites(decomposition: Arc<Decomposition>, composites: usize) -> Result<Self> {
        let tables = decomposition.options.emits(Emit::Parquet);
        let encoder =
            tables.then(|| BasisEncoder::new(decomposition.rows(), decomposition.rank())).transpose()?;
        let options = &decomposition.options;
        let panels = match options.draws() && options.input_format.is_scan() {
            true => all_panels(&Subject::of(&decomposition)),
            false => Vec::new(),
        };
        let browsed = options.emits(Emit::Report) && options.input_format.is_scan();
        let sampled = browsed.then(|| Sampled::new(&decomposition));
        let measured = browsed.then(|| Measured::new(&decomposition));
        let factors = BlockFactors::new(decomposition.clone(), decomposition.rank())?;
        let composites = Composites::new(decomposition.clone(), 0..composites);
        Ok(Self { factors, decomposition, encoder, panels, sampled, measured, composites })
    }

    /// Measures the composites against this reference too, if they are measured.
    pub(crate) fn compare_with(&mut self, reference: Reference) {
        if let Some(measured) = &mut self.measured {
            measured.compare_with(reference);
        }
    }

    /// The decomposition whose blocks these are.
    #[must_use]
    pub fn decomposition(&self) -> &Arc<Decomposition> {
        &self.decomposition
    }

    /// The composites that come with the blocks.
    #[must_use]
    pub fn composites(&self) -> &Composites {
        &self.composites
    }

    /// Renders block `block`: `values` are its `rows` stored pixels of each slice, slice-major. `starts` are the first places of the runs
    /// that derived DICOM cuts the slices into, ascending from 0: places in the order that keeps the slices of a file together.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the block is not of this series or the runs are not of its slices.
    pub fn render<'a, 'v>(
        &'a self,
        scratch: &'a mut Scratch,
        block: u32,
        values: impl Into<BlockValues<'v>>,
        rows: usize,
        starts: &[usize],
    ) -> Result<RenderedBlock<'a>> {
        self.decomposition.check_block(block, rows)?;
        let Scratch { t, u, scaled, composites: buffer, head, lines, sequence } = scratch;
        let (bands, composites) = match values.into() {
            BlockValues::Stored(values) => {
                let input = column_major(values, rows, self.decomposition.columns())?;
                // Step 1.
                self.factors.basis(block, input, t, u)?;
                let means = match self.panels.is_empty() && self.composites.is_empty() {
                    true => Vec::new(),
                    false => self.factors.row_means(block, input)?,
                };
                // Step 2.
                let bands = self.bands(block, input, (t, u, &means), (scaled, buffer))?;
                // Step 3.
                let size = (block, rows);
                let parts = (t.as_slice(), means.as_slice());
                (bands, composites::bands(&self.composites, &self.factors, size, parts, starts, buffer)?)
            }
            // Of floats, which are no images, there is nothing else.
            BlockValues::Real(values) => {
                self.factors.basis_of_floats(block, values, rows, u)?;
                (Vec::new(), Vec::new())
            }
        };
        // Step 4.
        let part = self.encoder.as_ref().map(|encoder| encoder.encode(block, u, head)).transpose()?;
        lines.clear();
        sequence.clear();
        let (options, rank) = (&self.decomposition.options, self.decomposition.rank());
        let (as_text, as_drm) = (options.emits(Emit::Text), options.emits(Emit::Drm));
        if as_text {
            text::encode_basis(block, u, rank, lines);
        }
        if as_drm {
            drm::encode_basis(block, u, rank, self.decomposition.rows(), sequence);
        }
        let record = BlockRecord {
            block,
            digest: Digest::of_f64(u),
            table: part.as_ref().map(|part| FileDigest::of(part)),
            text: as_text.then(|| FileDigest::of(&[lines])),
            drm: as_drm.then(|| FileDigest::of(&[sequence])),
        };
        let part = part.unwrap_or_default();
        Ok(RenderedBlock { part, text: lines, drm: sequence, record, bands, composites })
    }

    /// The basis vectors of block `block` as numbers, rows x k row by row, and what the manifest says of them where no table is
    /// written. `values` as for [`render`](Self::render).
    ///
    /// # Errors
    /// [`Error::Protocol`] when the block is not of this series.
    pub fn basis<'a, 'v>(
        &self,
        scratch: &'a mut Scratch,
        block: u32,
        values: impl Into<BlockValues<'v>>,
        rows: usize,
    ) -> Result<(&'a [f64], BlockRecord)> {
        self.decomposition.check_block(block, rows)?;
        let Scratch { t, u, .. } = scratch;
        match values.into() {
            BlockValues::Stored(values) => {
                let input = column_major(values, rows, self.decomposition.columns())?;
                self.factors.basis(block, input, t, u)?;
            }
            BlockValues::Real(values) => self.factors.basis_of_floats(block, values, rows, u)?,
        }
        let record = BlockRecord { block, digest: Digest::of_f64(u), table: None, text: None, drm: None };
        Ok((u, record))
    }

    /// The composite of rank `rank` of block `block`, in HU: row `i` of slice `j` is at `j * rows + i`. `values` as for
    /// [`render`](Self::render).
    ///
    /// # Errors
    /// [`Error::Protocol`] when the block is not of this series; what the linear algebra says of a rank that is not from 1 to k.
    pub fn composite<'a, 'v>(
        &self,
        scratch: &'a mut Scratch,
        block: u32,
        values: impl Into<BlockValues<'v>>,
        rows: usize,
        rank: usize,
    ) -> Result<&'a [f64]> {
        self.decomposition.check_block(block, rows)?;
        let Scratch { t, u, composites, .. } = scratch;
        let means = match values.into() {
            BlockValues::Stored(values) => {
                let input = column_major(values, rows, self.decomposition.columns())?;
                self.factors.project(block, input, t)?;
                self.factors.row_means(block, input)?
            }
            BlockValues::Real(values) => {
                self.factors.basis_of_floats(block, values, rows, u)?;
                scale_columns(u, &self.decomposition.s, t);
                self.factors.row_means_of_floats(block, values, rows)?
            }
        };
        self.factors.composites((t, &means), rows, &[rank], self.factors.columns(), composites)?;
        Ok(composites)
    }

    fn bands(
        &self,
        block: u32,
        input: ArrayView2<'_, i16>,
        (t, u, means): (&[f64], &[f64], &[f64]),
        (scaled, shown): (&mut Vec<f64>, &mut Vec<f64>),
    ) -> Result<Vec<u8>> {
        if self.panels.is_empty() {
            return Ok(Vec::new());
        }
        let rows = input.nrows();
        let slice = [self.decomposition.shown_slice()];
        let rank = self.decomposition.rank();
        let original = self.factors.originals(input, &slice)?.into_raw_vec_and_offset().0;
        // From `U`, not from the `T` that it was divided from: so the tables of the folder give the same pictures again.
        scale_columns(u, &self.decomposition.s, scaled);
        self.factors.composites((scaled, means), rows, &self.decomposition.composites, &slice, shown)?;
        let mut bands = block.to_le_bytes().to_vec();
        for panel in &self.panels {
            panel.append_pixels(rows, &original, shown, u.chunks_exact(rank), &mut bands);
        }
        if let Some(sampled) = &self.sampled {
            sampled.append(&self.factors, (block, input), (u, scaled, means), shown, &mut bands)?;
        }
        if let Some(measured) = &self.measured {
            measured.append(&self.factors, input, (t, means), shown, &mut bands)?;
        }
        Ok(bands)
    }

    /// Assembles the pictures from the bands of all blocks, in any order, and, for the report, the volume and what was measured, which
    /// are no files of the result: `result::finish` takes them with the pictures. On the current thread pool.
    ///
    /// # Errors
    /// [`Error::Protocol`] when bands are missing or not of this decomposition.
    pub fn pictures<'a>(&self, bands: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<NamedFile>> {
        if !self.decomposition.options.draws() {
            return Ok(Vec::new());
        }
        let subject = Subject::of(&self.decomposition);
        let (mut files, mut of_report) = (Vec::new(), Vec::new());
        let pixels = self.decomposition.rows();
        // Of a matrix there are no bands.
        if !self.panels.is_empty() {
            let split = |band: &'a [u8]| pictures::split(band, pixels, self.panels.len());
            let bands: Vec<(u32, &[u8], &[u8])> = bands.into_iter().map(split).collect::<Result<_>>()?;
            let of_panels = bands.iter().map(|(block, panels, _)| (*block, *panels));
            let images = pictures::assemble(pixels, self.panels.len(), of_panels)?;
            files = pictures::draw(&subject, &self.panels, &images)?;
            if let (Some(sampled), Some(measured)) = (&self.sampled, &self.measured) {
                let split = |(block, _, rest): &(u32, &'a [u8], &'a [u8])| {
                    measured.split(*block, rest).map(|(samples, slices)| (*block, samples, slices))
                };
                let parts: Vec<(u32, &[u8], &[u8])> = bands.iter().map(split).collect::<Result<_>>()?;
                let samples = parts.iter().map(|(block, samples, _)| (*block, *samples));
                let (blocks, size) = (self.decomposition.blocks(), self.decomposition.options.report);
                let bytes = volume::assemble(blocks, sampled.planes(), size, samples)?;
                of_report.push(NamedFile { path: VOLUME.to_owned(), bytes });
                let slices = parts.iter().map(|(block, _, slices)| (*block, *slices));
                of_report.push(measured.measure(&self.decomposition, slices)?.to_file()?);
            }
        }
        files.push(pictures::draw_spectrum(&subject)?);
        files.iter_mut().for_each(|file| file.path = format!("{}/{}", pictures::FOLDER, file.path));
        files.extend(of_report);
        Ok(files)
    }
}

/// The panels of all pictures of a run.
fn all_panels(subject: &Subject<'_>) -> Vec<Panel> {
    let mut panels = slice_panels(subject, true);
    panels.extend(basis_panels(&subject.spectrum));
    panels
}

/// `out = u diag(s)`; both have k entries a row.
pub(crate) fn scale_columns(u: &[f64], s: &[f64], out: &mut Vec<f64>) {
    // All of it is overwritten: what a buffer held before need not be cleared.
    out.resize(u.len(), 0.0);
    let k = s.len().max(1);
    for (out, u) in out.chunks_exact_mut(k).zip(u.chunks_exact(k)) {
        out.iter_mut().zip(u).zip(s).for_each(|((out, u), s)| *out = u * s);
    }
}

impl RenderedBlock<'_> {
    /// The block's files: path in the result, and the pieces of each.
    pub fn files(&self) -> impl Iterator<Item = (String, &[&[u8]])> {
        let BlockRecord { block, table, text, drm, .. } = self.record;
        let table = table.map(|_| (tables::basis_name(block), self.part.as_slice()));
        let text = text.map(|_| (text::basis_name(block), std::slice::from_ref(&self.text)));
        let drm = drm.map(|_| (drm::basis_name(block), std::slice::from_ref(&self.drm)));
        table.into_iter().chain(text).chain(drm)
    }
}

impl BlockRecord {
    /// Index and digest (36 bytes); then for table, text and SequenceFile a byte, 1 where there is such a file, followed by the file's size and
    /// digest (40 bytes).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.block.to_le_bytes().as_slice(), &self.digest.0].concat();
        for file in [self.table, self.text, self.drm] {
            bytes.push(u8::from(file.is_some()));
            if let Some(file) = file {
                bytes.extend_from_slice(&file.bytes.to_le_bytes());
                bytes.extend_from_slice(&file.sha256.0);
            }
        }
        bytes
    }

    /// The inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`Error::Protocol`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let read = || {
            let (block, rest) = bytes.split_first_chunk::<4>()?;
            let (digest, rest) = rest.split_first_chunk::<32>()?;
            let (table, rest) = file_digest(rest)?;
            let (text, rest) = file_digest(rest)?;
            let (drm, rest) = file_digest(rest)?;
            let block = u32::from_le_bytes(*block);
            rest.is_empty().then_some(Self { block, digest: Digest(*digest), table, text, drm })
        };
        read().ok_or_else(|| Error::Protocol(format!("{} bytes are no block record", bytes.len())))
    }
}

/// A file in a block's record, where there is one, and the bytes behind.
fn file_digest(bytes: &[u8]) -> Option<(Option<FileDigest>, &[u8])> {
    match bytes.split_first()? {
        (0, rest) => Some((None, rest)),
        (1, rest) => {
            let (size, rest) = rest.split_first_chunk::<8>()?;
            let (sha256, rest) = rest.split_first_chunk::<32>()?;
            let content = FileDigest { bytes: u64::from_le_bytes(*size), sha256: Digest(*sha256) };
            Some((Some(content), rest))
        }
        _ => None,
    }
}

/// The digests of all `blocks` blocks from their records, which may come in any order and, after a retry, twice.
pub(crate) fn basis_digests(blocks: u32, records: &[BlockRecord]) -> Result<BasisDigests> {
    let mut found = vec![None; blocks as usize];
    for record in records {
        match found.get_mut(record.block as usize) {
            Some(slot) if slot.is_none_or(|other| other == record) => *slot = Some(record),
            Some(_) => {
                return Err(Error::Protocol(format!(
                    "block {} was rendered twice, with different results",
                    record.block
                )));
            }
            None => return Err(Error::Protocol(format!("there is no block {}", record.block))),
        }
    }
    let missing = |block| Error::Protocol(format!("block {block} was not rendered"));
    let all = found.into_iter().enumerate().map(|(block, record)| record.ok_or_else(|| missing(block)));
    BasisDigests::new(all.map(|record| Ok(record?.digest)).collect::<Result<_>>()?)
        .ok_or_else(|| Error::Internal("the series has no row blocks".to_owned()))
}
