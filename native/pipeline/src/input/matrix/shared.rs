//! A matrix whose row blocks are read by tasks of the job.
//!
//! | where | what |
//! |---|---|
//! | driver | [`MatrixSource`]: which files, where the numbers are in them; travels to the tasks as bytes |
//! | per run of row blocks | [`MatrixSource::read`]: its numbers; [`Summary`]: what they are, and a digest of each block |
//! | driver | [`MatrixNumbers`]: how all numbers are kept, from the summaries |
//! | per run of columns | [`ColumnDigests`]: their records, from the pieces of all row blocks in order |
//! | per row block | [`MatrixNumbers::check`], [`MatrixNumbers::stored`]: a block that is read again is what it was |
//!
//! Nothing depends on how rows and columns are cut into runs.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use ndarray::{Array2, ArrayViewMut2, ShapeBuilder as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tomobasis_dicom::{ColumnRecord, SeriesPlan, SliceRecord, file_label, zeros};
use tomobasis_linalg::{ColumnRanges, column_major};

use super::{
    Place, changed, check_columns, check_count, check_partitions, is_hidden, plan,
    read::{Extent, narrowed, normalize},
    source::{Files, Problem, ReadAt, Tile},
};
use crate::{
    error::{Error, Result},
    input::layout::{Numbers, block_rows, first_row},
    options::Options,
};

/// First bytes of what is serialized here.
const MAGIC: &[u8] = b"tomobasis matrix 1\n";

/// The files of a matrix, and where its numbers are in them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MatrixSource {
    place: Place,
    /// Those of the listing that hold numbers.
    files: Vec<usize>,
    /// Files of the listing, for labels.
    names: Vec<String>,
}

/// A file of a listing.
pub struct ListedFile {
    /// Its name.
    pub name: String,
    /// Its bytes, where it can be read.
    pub bytes: Option<Arc<dyn ReadAt>>,
}

impl MatrixSource {
    /// Finds where the numbers are.
    ///
    /// # Errors
    /// [`Error::Input`] for what is no such matrix, or another number of files than the format has; [`Error::Option`] as
    /// [`Options::check_against`].
    pub fn open(listed: Vec<ListedFile>, options: &Options) -> Result<Self> {
        let several = listed.len() > 1;
        let (names, bytes): (Vec<String>, Vec<_>) =
            listed.into_iter().map(|file| (file.name, file.bytes)).unzip();
        let files: Vec<usize> =
            (0..names.len()).filter(|&file| !(several && is_hidden(&names[file]))).collect();
        check_count(files.len(), options.input_format)?;
        check_partitions(files.iter().map(|&file| names[file].as_str()), options.input_format)?;
        let part = |&file: &usize| {
            bytes[file].clone().ok_or_else(|| {
                let label = file_label(file, names.len(), &names[file]);
                Error::Input(format!("{label}: it is no regular file that can be read; give one"))
            })
        };
        let parts = Files::new(files.iter().map(part).collect::<Result<_>>()?);
        let in_words = |problem| in_words(problem, &files, &names);
        let place = Place::open(&parts, options.input_format).map_err(in_words)?;
        let found = Self { place, files, names };
        options.check_against(&found.plan())?;
        Ok(found)
    }

    /// Places in the listing of the files that hold numbers.
    #[must_use]
    pub fn files(&self) -> &[usize] {
        &self.files
    }

    /// What the user is told.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        super::hidden_note(self.names.len() - self.files.len())
    }

    /// The plan, as long as it is not known what the numbers are.
    #[must_use]
    pub fn plan(&self) -> SeriesPlan {
        let id = self.names.first().map(|name| tomobasis_dicom::salted_id("file", name)).unwrap_or_default();
        plan(self.place.rows(), u32::try_from(self.place.columns()).unwrap_or(u32::MAX), &id)
    }

    /// Bytes that [`read`](Self::read) takes.
    #[must_use]
    pub fn bytes(&self, blocks: Range<u32>) -> usize {
        let rows: usize = blocks.map(|block| block_rows(block, self.place.rows())).sum();
        // The numbers twice: as a tile and block after block.
        rows.saturating_mul(self.place.columns() as usize).saturating_mul(16)
    }

    /// The numbers of some row blocks, block after block, each column after column. `parts` are the files that hold numbers.
    ///
    /// # Errors
    /// [`Error::Input`] for a number that float64 cannot represent, by row and column, and for a file that changed; [`Error::Memory`];
    /// [`Error::Internal`] where `parts` cannot be read.
    pub fn read(&self, parts: Vec<Arc<dyn ReadAt>>, blocks: Range<u32>) -> Result<Vec<f64>> {
        let parts = Files::new(parts);
        let rows = self.place.rows();
        let end = first_row(blocks.end).min(rows);
        let tile = Tile { rows: first_row(blocks.start)..end, columns: 0..self.place.columns() as usize };
        let shape = (tile.height(), tile.columns.len());
        let mut values = Array2::<f64>::zeros(shape.f());
        self.place
            .read(&parts, &tile, values.view_mut())
            .and_then(|()| normalize(&tile, values.view_mut()))
            .map_err(|problem| in_words(problem, &self.files, &self.names))?;
        let mut out =
            zeros(values.len()).map_err(|_| Error::Internal("no room for row blocks".to_owned()))?;
        let mut at = 0;
        for block in blocks {
            let first = (first_row(block) - tile.rows.start) as usize;
            let rows = block_rows(block, rows);
            for column in values.columns() {
                for (out, value) in out[at..at + rows].iter_mut().zip(column.iter().skip(first)) {
                    *out = *value;
                }
                at += rows;
            }
        }
        Ok(out)
    }

    /// What tasks get.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_bytes(self)
    }

    /// The inverse of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// [`Error::Protocol`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        from_bytes(bytes)
    }
}

/// The plan of a matrix that is in no file, as [`MatrixSource::plan`].
///
/// # Errors
/// [`Error::Input`] for a matrix without rows or columns, or with too many columns; [`Error::Option`] as
/// [`Options::check_against`].
pub fn plan_of_rows(rows: u64, columns: u32, options: &Options) -> Result<SeriesPlan> {
    if rows == 0 || columns == 0 {
        return Err(Error::Input(format!(
            "a matrix of {rows} rows and {columns} columns has no numbers; give one that has"
        )));
    }
    check_columns(u64::from(columns)).map_err(|problem| in_words(problem, &[], &[]))?;
    let plan = plan(rows, columns, "");
    options.check_against(&plan)?;
    Ok(plan)
}

/// The values of a row block as [`MatrixSource::read`] gives them: no zero has a sign.
///
/// # Errors
/// [`Error::Input`] for what is no finite number, by row and column.
pub fn normalized(block: u32, columns: usize, mut values: Vec<f64>) -> Result<Vec<f64>> {
    let rows = values.len() / columns.max(1);
    let first = first_row(block);
    let tile = Tile { rows: first..first + rows as u64, columns: 0..columns };
    let view = ArrayViewMut2::from_shape((rows, columns).f(), &mut values)?;
    normalize(&tile, view).map_err(|problem| in_words(problem, &[], &[]))?;
    Ok(values)
}

fn in_words(problem: Problem, files: &[usize], names: &[String]) -> Error {
    match problem {
        Problem::Input(Some(part), text) => {
            let file = files.get(part).copied().unwrap_or_default();
            Error::Input(format!(
                "{}: {text}",
                file_label(file, names.len(), names.get(file).map_or("", String::as_str))
            ))
        }
        Problem::Input(None, text) => Error::Input(text),
        Problem::Memory(error) => error,
        Problem::File(_, error) if error.kind() == std::io::ErrorKind::UnexpectedEof => changed(),
        // The caller, who read, knows more.
        Problem::File(_, error) => Error::Internal(format!("a file of the matrix cannot be read ({error})")),
    }
}

/// What some row blocks are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    extent: Extent,
    ranges: ColumnRanges,
    digests: BTreeMap<u32, [u8; 32]>,
}

impl Summary {
    /// Of no blocks.
    ///
    /// # Errors
    /// [`Error::Linalg`] for no columns.
    pub fn new(columns: usize) -> Result<Self> {
        let ranges = ColumnRanges::new(columns)?;
        Ok(Self { extent: Extent::default(), ranges, digests: BTreeMap::new() })
    }

    /// Takes in a block.
    ///
    /// # Errors
    /// [`Error::Internal`] for another number of columns.
    pub fn add(&mut self, block: u32, values: &[f64], rows: usize) -> Result<()> {
        self.extent = self.extent.and(Extent::of(values));
        self.ranges.add(column_major(values, rows, self.ranges.columns())?)?;
        self.digests.insert(block, digest(values));
        Ok(())
    }

    /// What the driver gets.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_bytes(self)
    }
}

/// How all numbers of a matrix are kept, and what its row blocks were when that was decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MatrixNumbers {
    numbers: Numbers,
    offset: i32,
    ranges: ColumnRanges,
    digests: BTreeMap<u32, [u8; 32]>,
}

impl MatrixNumbers {
    /// From the summaries of all row blocks, in any order.
    ///
    /// # Errors
    /// [`Error::Input`] for numbers whose squares float64 does not have; [`Error::Protocol`] for blocks that are missing or there twice.
    pub fn of(plan: &SeriesPlan, summaries: &[Vec<u8>]) -> Result<Self> {
        let mut all = Summary::new(plan.slices.len())?;
        let mut count = 0;
        for bytes in summaries {
            let some: Summary = from_bytes(bytes)?;
            all.extent = all.extent.and(some.extent);
            all.ranges.merge(&some.ranges)?;
            count += some.digests.len();
            all.digests.extend(some.digests);
        }
        if count != all.digests.len() || all.ranges.rows() != plan.rows as u64 {
            return Err(Error::Protocol("the summaries are not those of all row blocks".to_owned()));
        }
        let Summary { extent, ranges, digests } = all;
        let (numbers, offset) = match extent.offset() {
            Some(offset) => (Numbers::Stored, offset),
            None => (Numbers::Real, 0),
        };
        if numbers == Numbers::Real {
            extent.check_magnitude().map_err(Error::Input)?;
        }
        Ok(Self { numbers, offset, ranges, digests })
    }

    /// What they are.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// The plan, with what is taken off the numbers.
    pub fn set_offset(&self, plan: &mut SeriesPlan) {
        plan.slices.iter_mut().for_each(|slice| slice.offset = self.offset);
    }

    /// Which bits the columns use.
    #[must_use]
    pub fn ranges(&self) -> &ColumnRanges {
        &self.ranges
    }

    /// Refuses a row block that is not what it was.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn check(&self, block: u32, values: &[f64]) -> Result<()> {
        if self.digests.get(&block) == Some(&digest(values)) { Ok(()) } else { Err(changed()) }
    }

    /// Numbers as integers of 16 bits, less the offset.
    ///
    /// # Errors
    /// [`Error::Protocol`] where they are floats.
    pub fn stored(&self, values: &[f64]) -> Result<Vec<i16>> {
        match self.numbers {
            Numbers::Stored => Ok(values.iter().map(|&value| narrowed(value, self.offset)).collect()),
            Numbers::Real => Err(Error::Protocol("these numbers are floats".to_owned())),
        }
    }

    /// What tasks get.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_bytes(self)
    }

    /// The inverse of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// [`Error::Protocol`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        from_bytes(bytes)
    }
}

/// The records of some columns, from pieces in the order of the row blocks.
pub struct ColumnDigests {
    numbers: MatrixNumbers,
    columns: Vec<ColumnRecord>,
}

impl ColumnDigests {
    /// Of this many columns.
    #[must_use]
    pub fn new(numbers: MatrixNumbers, columns: usize) -> Self {
        Self { numbers, columns: vec![ColumnRecord::default(); columns] }
    }

    /// The next rows, column after column.
    ///
    /// # Errors
    /// [`Error::Protocol`] for a piece of other columns.
    pub fn add(&mut self, piece: &[f64]) -> Result<()> {
        let rows = piece.len() / self.columns.len().max(1);
        if rows == 0 || rows * self.columns.len() != piece.len() {
            return Err(Error::Protocol(format!("{} values are no piece of these columns", piece.len())));
        }
        for (column, values) in self.columns.iter_mut().zip(piece.chunks_exact(rows)) {
            match self.numbers.numbers {
                Numbers::Stored => column.add_values(&self.numbers.stored(values)?, self.numbers.offset),
                Numbers::Real => column.add_floats(values),
            }
        }
        Ok(())
    }

    /// The records, in the order of the columns.
    #[must_use]
    pub fn records(&self) -> Vec<SliceRecord> {
        self.columns.iter().cloned().map(ColumnRecord::finish).collect()
    }
}

fn digest(values: &[f64]) -> [u8; 32] {
    Sha256::digest(bytemuck::cast_slice(values)).into()
}

fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    rmp_serde::encode::write_named(&mut bytes, value).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(bytes)
}

fn from_bytes<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T> {
    let foreign = || Error::Protocol("these bytes are no part of a matrix".to_owned());
    rmp_serde::from_slice(bytes.strip_prefix(MAGIC).ok_or_else(foreign)?).map_err(|_| foreign())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(values: &[f64]) -> Vec<u8> {
        let mut summary = Summary::new(2).unwrap();
        summary.add(0, values, values.len() / 2).unwrap();
        summary.to_bytes().unwrap()
    }

    #[test]
    fn blocks_that_are_missing_there_twice_or_changed_are_refused() {
        let values: Vec<f64> = (0..12).map(|i| f64::from(i) / 2.0).collect();
        let plan = plan(6, 2, "a");
        let of = |summaries: &[Vec<u8>]| MatrixNumbers::of(&plan, summaries);
        let one = summary(&values);
        assert_eq!(of(&[]).unwrap_err().exit_code(), 1);
        assert_eq!(of(&[one.clone(), one.clone()]).unwrap_err().exit_code(), 1);
        assert_eq!(of(&[summary(&values[..8])]).unwrap_err().exit_code(), 1);
        let numbers = of(&[one]).unwrap();
        assert_eq!(numbers.numbers(), Numbers::Real);
        assert!(numbers.check(0, &values).is_ok() && numbers.stored(&values).is_err());
        let changed = numbers.check(0, &values[1..]).unwrap_err();
        assert_eq!((changed.exit_code(), numbers.check(1, &values).unwrap_err().exit_code()), (3, 3));
    }

    #[test]
    fn pieces_of_columns_have_the_records_of_the_whole() {
        let whole: Vec<f64> = (0..12).map(|i| f64::from(40_000 + i)).collect();
        let plan = plan(6, 2, "a");
        let numbers = MatrixNumbers::of(&plan, &[summary(&whole)]).unwrap();
        let stored = numbers.stored(&whole).unwrap();
        let expected: Vec<_> =
            stored.chunks(6).map(|column| SliceRecord::of_values(column, 1 << 15)).collect();
        let mut digests = ColumnDigests::new(numbers, 2);
        // Rows 1 to 4, then 5 and 6, of both columns.
        digests.add(&[&whole[..4], &whole[6..10]].concat()).unwrap();
        digests.add(&[&whole[4..6], &whole[10..]].concat()).unwrap();
        assert_eq!(digests.records(), expected);
        assert!(digests.add(&[1.0]).is_err());
    }
}
