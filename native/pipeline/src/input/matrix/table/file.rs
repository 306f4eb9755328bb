//! Parquet files as the reader wants them: bytes that are anywhere, and errors in words.

use std::{
    io::{self, BufReader, Read},
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
        },
    },
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};
use tomobasis_dicom::zeros;

use super::{
    super::source::{Files, Problem, ReadAt},
    Group,
};

/// A file as the reader wants it. What the system says of it would not come through the reader: it is kept.
pub(super) struct Chunks {
    file: Arc<dyn ReadAt>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

/// A file from some place on.
pub(super) struct FromHere {
    chunks: Chunks,
    at: u64,
}

impl Chunks {
    fn new(file: Arc<dyn ReadAt>) -> Self {
        Self { file, failed: Arc::default() }
    }

    fn fill(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.file.read_at(bytes, at).map_err(|error| {
            let kind = error.kind();
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            kind.into()
        })
    }

    /// The same file, whose failures go to the same place.
    fn again(&self) -> Self {
        Self { file: self.file.clone(), failed: self.failed.clone() }
    }

    /// What an error of the reader was.
    pub fn problem(&self, files: &Files, file: usize, error: ParquetError) -> Problem {
        if let Some(error) = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Problem::File(file, error);
        }
        log::debug!("the Parquet reader says: {error}");
        let text = match error {
            ParquetError::NYI(what) => format!("it cannot be read ({})", tomobasis_dicom::printable(&what)),
            _ => {
                "it is no Parquet file, damaged, or compressed by other means than snappy, gzip, lz4 and zstd"
                    .to_owned()
            }
        };
        Problem::Input(files.named(file), text + "; write it again")
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.file.length()
    }
}

impl Read for FromHere {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.chunks.file.length().saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = left.min(bytes.len());
        self.chunks.fill(&mut bytes[..count], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<FromHere>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(FromHere { chunks: self.again(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.file.length()) {
            return Err(ParquetError::EOF("a part of a file lies behind its end".to_owned()));
        }
        let mut bytes = zeros(length).map_err(|error| ParquetError::External(Box::new(error)))?;
        self.fill(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

pub(super) fn metadata(files: &Files, file: usize) -> Result<ArrowReaderMetadata, Problem> {
    files.footer(file, || {
        // By Parquet's own types: what Arrow adds would give the same numbers in more ways.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let chunks = Chunks::new(files.shared(file));
        guarded(files, file, || {
            ArrowReaderMetadata::load(&chunks, options).map_err(|error| chunks.problem(files, file, error))
        })
    })
}

/// Runs the reader, which panics at some damage.
pub(super) fn guarded<T>(
    files: &Files,
    file: usize,
    read: impl FnOnce() -> Result<T, Problem>,
) -> Result<T, Problem> {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(Problem::Input(files.named(file), "it is a damaged Parquet file; write it again".to_owned()))
    })
}

/// Batches of some rows of a row group, with only these columns of the file.
pub(super) fn batches(
    files: &Files,
    group: &Group,
    rows: &Range<u64>,
    roots: &[usize],
) -> Result<(Chunks, ParquetRecordBatchReader), Problem> {
    let metadata = metadata(files, group.file)?;
    let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
    let (skipped, taken) = ((rows.start - group.first) as usize, (rows.end - rows.start) as usize);
    let selection = RowSelection::from(vec![RowSelector::skip(skipped), RowSelector::select(taken)]);
    let chunks = Chunks::new(files.shared(group.file));
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.again(), metadata)
        .with_row_groups(vec![group.group])
        .with_projection(mask)
        .with_row_selection(selection)
        .with_batch_size(BATCH)
        .build()
        .map_err(|error| chunks.problem(files, group.file, error))?;
    Ok((chunks, reader))
}

/// Rows that are decoded at a time.
const BATCH: usize = 1024;
