//! What all formats have in common: parts of a matrix that are read at a time, from bytes that are anywhere.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    ops::Range,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use flate2::bufread::MultiGzDecoder;
use ndarray::{ArrayViewMut2, Axis};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use crate::{error::Error, os::read_exact_at};

/// Numbers that are read at a time.
pub(super) const AT_ONCE: u64 = 1 << 19;

/// Bytes that are worth asking a store for.
const STORE_PIECE: usize = 1 << 20;

/// A file that is read at any place.
pub trait ReadAt: Send + Sync {
    /// Its length.
    fn length(&self) -> u64;

    /// Fills `bytes` from a place on.
    ///
    /// # Errors
    /// Of kind `UnexpectedEof` where it ends before.
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()>;
}

/// A local file, with the length that it had when it was opened.
pub(super) struct LocalFile {
    pub path: PathBuf,
    /// Where it is kept open.
    pub file: Option<File>,
    pub length: u64,
}

impl ReadAt for LocalFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        match &self.file {
            Some(file) => read_exact_at(file, bytes, at),
            None => read_exact_at(&File::open(&self.path)?, bytes, at),
        }
    }
}

/// The files of a matrix, in the order of its rows.
pub struct Files {
    parts: Vec<Arc<dyn ReadAt>>,
    /// The footers of Parquet files that were read.
    footers: Vec<OnceLock<ArrowReaderMetadata>>,
}

impl Files {
    /// Files that were opened.
    #[must_use]
    pub fn new(parts: Vec<Arc<dyn ReadAt>>) -> Self {
        let footers = parts.iter().map(|_| OnceLock::new()).collect();
        Self { parts, footers }
    }

    pub(super) fn length(&self, file: usize) -> u64 {
        self.parts[file].length()
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn ReadAt> {
        self.parts.iter().map(AsRef::as_ref)
    }

    pub(super) fn part(&self, file: usize) -> &dyn ReadAt {
        self.parts[file].as_ref()
    }

    pub(super) fn shared(&self, file: usize) -> Arc<dyn ReadAt> {
        self.parts[file].clone()
    }

    /// The footer of a file, as `load` reads it the first time.
    pub(super) fn footer<E>(
        &self,
        file: usize,
        load: impl FnOnce() -> Result<ArrowReaderMetadata, E>,
    ) -> Result<ArrowReaderMetadata, E> {
        let known = &self.footers[file];
        match known.get() {
            Some(footer) => Ok(footer.clone()),
            None => {
                let footer = load()?;
                Ok(known.get_or_init(|| footer).clone())
            }
        }
    }

    /// In messages, a file where there are several.
    pub(super) fn named(&self, file: usize) -> Option<usize> {
        (self.len() > 1).then_some(file)
    }

    /// Fills `bytes` from a place in a file on.
    pub(super) fn read(&self, file: usize, bytes: &mut [u8], at: u64) -> Result<(), Problem> {
        self.parts[file].read_at(bytes, at).map_err(|error| Problem::File(file, error))
    }
}

/// Why numbers could not be read.
#[derive(Debug)]
pub enum Problem {
    /// A number that float64 cannot represent, or a file that is not what it should be; of which file, where there may be several.
    Input(Option<usize>, String),
    /// There is too little memory.
    Memory(Error),
    /// A file cannot be read.
    File(usize, io::Error),
}

impl Problem {
    /// What is wrong with the matrix.
    pub(super) fn input(text: impl Into<String>) -> Self {
        Self::Input(None, text.into())
    }
}

/// Some rows and columns of a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub rows: Range<u64>,
    pub columns: Range<usize>,
}

impl Tile {
    /// Rows of it.
    pub fn height(&self) -> usize {
        (self.rows.end - self.rows.start) as usize
    }
}

/// Cuts a matrix before the rows and columns given, which ascend; row after row of tiles.
pub(super) fn tiles<'a, T>(
    all: ArrayViewMut2<'a, T>,
    rows: &[u64],
    columns: &[u64],
) -> Vec<(Tile, ArrayViewMut2<'a, T>)> {
    let (height, width) = (all.nrows() as u64, all.ncols() as u64);
    let row_ends = rows.iter().skip(1).copied().chain([height]);
    let (mut rest, mut first, mut found) = (all, 0, Vec::new());
    for end in row_ends {
        let (mut band, below) = rest.split_at(Axis(0), (end - first) as usize);
        let mut left = 0;
        for right in columns.iter().skip(1).copied().chain([width]) {
            let (tile, others) = band.split_at(Axis(1), (right - left) as usize);
            found.push((Tile { rows: first..end, columns: left as usize..right as usize }, tile));
            (band, left) = (others, right);
        }
        (rest, first) = (below, end);
    }
    found
}

/// Where to cut `length` into parts of `step`.
pub(super) fn cuts(length: u64, step: u64) -> Vec<u64> {
    (0..length).step_by(usize::try_from(step.max(1)).unwrap_or(usize::MAX)).collect()
}

/// A file, or what a gzip stream expands to, that is read forwards from ascending places.
pub(super) enum Forward<'a> {
    Plain(&'a dyn ReadAt),
    Gzip { stream: Box<MultiGzDecoder<BufReader<FromStart<'a>>>>, at: u64 },
}

/// A file from its start.
pub(super) struct FromStart<'a> {
    file: &'a dyn ReadAt,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.file.length() - self.at).unwrap_or(usize::MAX);
        let count = left.min(bytes.len());
        self.file.read_at(&mut bytes[..count], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<'a> Forward<'a> {
    pub fn new(file: &'a dyn ReadAt, gzip: bool) -> Self {
        match gzip {
            true => {
                let stream = BufReader::with_capacity(STORE_PIECE, FromStart { file, at: 0 });
                Self::Gzip { stream: Box::new(MultiGzDecoder::new(stream)), at: 0 }
            }
            false => Self::Plain(file),
        }
    }

    /// Fills `bytes` from a place on, which is not before what was read last.
    pub fn read(&mut self, bytes: &mut [u8], from: u64) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.read_at(bytes, from),
            Self::Gzip { stream, at } => {
                let skipped = io::copy(&mut stream.take(from - *at), &mut io::sink())?;
                *at += skipped;
                if *at < from {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                stream.read_exact(bytes)?;
                *at += bytes.len() as u64;
                Ok(())
            }
        }
    }

    /// Reads a gzip stream to its end, with the checksums there. Whether nothing is behind what was read.
    pub fn ends(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(_) => Ok(true),
            Self::Gzip { stream, .. } => Ok(io::copy(stream, &mut io::sink())? == 0),
        }
    }
}

/// The float that an integer is; none where float64 cannot represent it.
pub(super) fn exact(value: i128) -> Option<f64> {
    let float = value as f64;
    (float as i128 == value).then_some(float)
}

/// The error about an integer that float64 cannot represent.
pub(super) fn inexact(row: u64, column: usize) -> Problem {
    Problem::input(format!(
        "row {}, column {} is an integer that float64 cannot represent; integers up to 2^53 are supported",
        row + 1,
        column + 1
    ))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn tiles_cover_a_matrix_once_in_the_order_of_its_rows() {
        let mut matrix = Array2::<u32>::zeros((5, 4));
        let cut = tiles(matrix.view_mut(), &[0, 2, 3], &[0, 3]);
        let places: Vec<_> = cut.iter().map(|(tile, _)| (tile.rows.clone(), tile.columns.clone())).collect();
        assert_eq!(
            places,
            [(0..2, 0..3), (0..2, 3..4), (2..3, 0..3), (2..3, 3..4), (3..5, 0..3), (3..5, 3..4)]
        );
        for (tile, mut view) in cut {
            assert_eq!(view.dim(), (tile.height(), tile.columns.len()));
            view += 1;
        }
        assert!(matrix.iter().all(|&count| count == 1));
        assert_eq!(cuts(7, 3), [0, 3, 6]);
    }
}
