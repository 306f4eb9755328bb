//! Matrices that are no scan: files that hold m x n numbers.
//!
//! A format says where the numbers are (`Place`): a `MatrixFormat` reads from the first bytes of a file how its numbers stand one
//! after another, `table`, `text` and `drm` are for files that have to be parsed. Everything else is the same for all of them: the
//! numbers are read tile by tile (`read`; in the job, `shared`), and a `SeriesPlan` is made of which each column of the matrix is a
//! slice of m x 1 pixels without rescale, so that the rest of the run sees what it sees of a scan. A new format is a line in
//! `Place::open`, and its name in `options::InputFormat`.
//!
//! What the result is depends on the numbers alone, not on how they are stored. Numbers that are all integers within the
//! range of `i16`, or all of `u16`, are kept as such and take the way of pixels, whatever type the file gives them; all others
//! are kept as float64, in which each must have its place.

mod drm;
mod flat;
mod nifti;
mod npy;
mod read;
mod shared;
mod source;
mod table;
mod text;

use std::{
    fs::{self, File},
    io::ErrorKind,
    sync::Arc,
};

use ndarray::ArrayViewMut2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tomobasis_dicom::{
    PaddingRule, PixelFormat, SeriesPlan, SlicePlan, SliceRecord, Unread, file_label, salted_id,
};

pub(crate) use self::npy::{NoHeader, header};
use self::{
    drm::Drm,
    flat::{Layout, Width},
    source::{Files, LocalFile, Problem, Tile},
    table::Table,
    text::Text,
};
pub use self::{
    shared::{ColumnDigests, ListedFile, MatrixNumbers, MatrixSource, Summary, normalized, plan_of_rows},
    source::ReadAt,
};
use crate::{
    error::{Error, Result},
    input::{layout::Numbers, listing::InputFile},
    options::InputFormat,
    os,
    progress::Progress,
};

/// What `series.modality` of the manifest says of a matrix.
const MODALITY: &str = "matrix";

/// Columns that any method takes: no more is made of a header's word.
const MOST_COLUMNS: u64 = 65_536;

/// Files that are kept open.
const MOST_OPEN: usize = 256;

/// A way to let the numbers of a matrix stand one after another in a file.
trait MatrixFormat {
    /// Bytes of the beginning of a file that are enough for its [`layout`](Self::layout).
    const HEAD: u64;

    /// Reads where the numbers are from the first bytes of a file.
    ///
    /// # Errors
    /// What is wrong with the file, and what to do.
    fn layout(head: &[u8]) -> std::result::Result<Layout, String>;
}

/// Where the numbers of a matrix are in its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Place {
    Flat(Layout),
    Table(Table),
    Text(Text),
    Drm(Drm),
}

/// A matrix whose numbers have not been read.
pub(crate) struct MatrixInput {
    listed: Vec<InputFile>,
    files: Files,
    place: Place,
    states: Vec<State>,
    hidden: usize,
}

/// Length and time of the last change of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    length: u64,
    changed: (i64, i64),
}

/// The numbers of a matrix, column after column.
#[derive(Debug)]
pub(crate) enum Values {
    /// Integers of 16 bits, less an offset.
    Stored(Vec<i16>),
    /// Integers of 8 bits.
    Signed8(Vec<i8>),
    Unsigned8(Vec<u8>),
    /// Any numbers.
    Real(Vec<f64>),
}

impl Values {
    /// What they are.
    pub fn numbers(&self) -> Numbers {
        match self {
            Self::Stored(_) | Self::Signed8(_) | Self::Unsigned8(_) => Numbers::Stored,
            Self::Real(_) => Numbers::Real,
        }
    }
}

impl Place {
    fn open(files: &Files, format: InputFormat) -> std::result::Result<Self, Problem> {
        let place = match format {
            InputFormat::Npy => Self::Flat(layout_of::<npy::Npy>(files)?),
            InputFormat::Nifti => Self::Flat(layout_of::<nifti::Nifti>(files)?),
            InputFormat::Parquet => Self::Table(Table::open(files)?),
            InputFormat::Text => Self::Text(Text::open(files)?),
            InputFormat::Drm => Self::Drm(Drm::open(files)?),
            InputFormat::Dicom => return Err(Problem::input("a scan is no matrix")),
        };
        check_columns(place.columns())?;
        Ok(place)
    }

    fn rows(&self) -> u64 {
        match self {
            Self::Flat(layout) => layout.rows,
            Self::Table(table) => table.rows(),
            Self::Text(text) => text.rows(),
            Self::Drm(drm) => drm.rows(),
        }
    }

    fn columns(&self) -> u64 {
        match self {
            Self::Flat(layout) => layout.columns,
            Self::Table(table) => table.columns() as u64,
            Self::Text(text) => text.columns() as u64,
            Self::Drm(drm) => drm.columns() as u64,
        }
    }

    fn width(&self) -> Width {
        match self {
            Self::Flat(layout) => layout.width(),
            Self::Table(table) => table.width(),
            Self::Text(text) => text.width(),
            Self::Drm(drm) => drm.width(),
        }
    }

    /// Rows and columns before which tiles begin that are best read at once.
    fn cuts(&self) -> (Vec<u64>, Vec<u64>) {
        match self {
            Self::Flat(layout) => layout.cuts(),
            Self::Table(table) => table.cuts(),
            Self::Text(text) => text.cuts(),
            Self::Drm(drm) => drm.cuts(),
        }
    }

    /// Reads a tile; every number of `out` is overwritten.
    fn read(
        &self,
        files: &Files,
        tile: &Tile,
        out: ArrayViewMut2<'_, f64>,
    ) -> std::result::Result<(), Problem> {
        match self {
            Self::Flat(layout) => layout.read(files, tile, out),
            Self::Table(table) => table.read(files, tile, out),
            Self::Text(text) => text.read(files, tile, out),
            Self::Drm(drm) => drm.read(files, tile, out),
        }
    }
}

fn layout_of<F: MatrixFormat>(files: &Files) -> std::result::Result<Layout, Problem> {
    let length = files.length(0);
    let mut head = vec![0; length.min(F::HEAD) as usize];
    files.read(0, &mut head, 0)?;
    let layout = F::layout(&head).map_err(Problem::input)?;
    layout.check(length).map_err(Problem::input)?;
    Ok(layout)
}

impl MatrixInput {
    /// Opens the files that the input names and finds where the numbers are; nothing of the matrix's size is allocated.
    ///
    /// # Errors
    /// [`Error::Input`] for what is no such matrix, or another number of files than the format has; [`Error::Unreadable`] and
    /// [`Error::System`].
    pub fn open(listed: &[InputFile], format: InputFormat) -> Result<Self> {
        let hidden = |file: &&InputFile| listed.len() > 1 && is_hidden(&file.name);
        let (hidden, listed): (Vec<&InputFile>, Vec<&InputFile>) = listed.iter().partition(hidden);
        check_count(listed.len(), format)?;
        check_partitions(listed.iter().map(|file| file.name.as_str()), format)?;
        let listed: Vec<InputFile> = listed.into_iter().cloned().collect();
        let (mut parts, mut states): (Vec<Arc<dyn ReadAt>>, Vec<State>) = (Vec::new(), Vec::new());
        for (index, file) in listed.iter().enumerate() {
            check_readable(file, index, listed.len())?;
            let unreadable = |source| file.unreadable(index, listed.len(), source);
            let opened = File::open(&file.path).map_err(unreadable)?;
            let state = State::of(&opened.metadata().map_err(unreadable)?);
            let kept = (listed.len() <= MOST_OPEN).then_some(opened);
            parts.push(Arc::new(LocalFile { path: file.path.clone(), file: kept, length: state.length }));
            states.push(state);
        }
        let files = Files::new(parts);
        let place = Place::open(&files, format).map_err(|problem| in_words(problem, &listed))?;
        Ok(Self { listed, files, place, states, hidden: hidden.len() })
    }

    /// The plan of the matrix, as long as its numbers are not known.
    pub fn plan(&self) -> SeriesPlan {
        let columns = u32::try_from(self.place.columns()).unwrap_or(u32::MAX);
        let id = self.listed.first().map(|file| salted_id("file", &file.name)).unwrap_or_default();
        plan(self.place.rows(), columns, &id)
    }

    /// What the user is told of files that were left out.
    pub fn note(&self) -> Option<String> {
        hidden_note(self.hidden)
    }

    /// Bytes in memory of one number, at the most.
    pub fn bytes_of_a_number(&self) -> usize {
        let gzip = matches!(&self.place, Place::Flat(layout) if layout.gzip);
        match self.place.width() {
            Width::Signed8 | Width::Unsigned8 if !gzip => 1,
            Width::Signed16 | Width::Unsigned16 if !gzip => 2,
            // What turns out to be small is copied.
            _ => 10,
        }
    }

    /// Tiles that are read.
    pub fn tiles(&self) -> usize {
        let (rows, columns) = self.place.cuts();
        rows.len() * columns.len()
    }

    /// Reads all numbers, on the current thread pool; the offset goes into the plan's slices.
    ///
    /// # Errors
    /// [`Error::Input`] for a number that float64 cannot represent, by row and column, and for a file that changes; [`Error::Memory`];
    /// [`Error::Unreadable`] and [`Error::System`].
    pub fn read(&self, plan: &mut SeriesPlan, progress: &dyn Progress) -> Result<(Values, Vec<SliceRecord>)> {
        let found = read::values(&self.files, &self.place, progress);
        for (index, (file, state)) in self.listed.iter().zip(&self.states).enumerate() {
            let now = fs::metadata(&file.path);
            let now = now.map_err(|source| file.unreadable(index, self.listed.len(), source))?;
            if State::of(&now) != *state {
                return Err(changed());
            }
        }
        let (values, offset) = found.map_err(|problem| in_words(problem, &self.listed))?;
        plan.slices.iter_mut().for_each(|slice| slice.offset = offset);
        let records = records(&values, plan);
        Ok((values, records))
    }
}

/// Whether a file of a folder is not read, as Spark has it: by its own name, or that of a folder in which it is.
fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.') || (part.starts_with('_') && !part.contains('=')))
}

/// Refuses files of a partitioned table: the folder's name has a column's value, which no file has.
fn check_partitions<'a>(names: impl IntoIterator<Item = &'a str>, format: InputFormat) -> Result<()> {
    let in_partition = |name: &str| name.rsplit('/').skip(1).any(|folder| folder.contains('='));
    if format == InputFormat::Parquet && names.into_iter().any(in_partition) {
        let text = "its files are in the folders of a partitioned table, named after a column and its value, which would \
                    be missing; give the files of one partition, or write the table without partitions";
        return Err(Error::Input(text.to_owned()));
    }
    Ok(())
}

/// What the user is told of such files.
fn hidden_note(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 file was not read: its name or its folder's begins with _ or .".to_owned()),
        _ => Some(format!("{count} files were not read: their names or their folders' begin with _ or .")),
    }
}

fn changed() -> Error {
    Error::Input("the matrix changed while it was read; start again when its file is complete".to_owned())
}

/// Refuses more columns than are read.
fn check_columns(columns: u64) -> std::result::Result<(), Problem> {
    match columns {
        columns if columns > MOST_COLUMNS => Err(Problem::input(format!(
            "the matrix has {columns} columns, and at most {MOST_COLUMNS} are read; transpose it if its rows are meant to be columns"
        ))),
        _ => Ok(()),
    }
}

fn check_count(count: usize, format: InputFormat) -> Result<()> {
    let one = matches!(format, InputFormat::Npy | InputFormat::Nifti);
    match count {
        0 => {
            let text = "there is no regular file in the input; give the file of the matrix";
            Err(Error::Input(text.to_owned()))
        }
        1 => Ok(()),
        _ if one => Err(Error::Input(format!("a matrix is one file, and there are {count}; give one"))),
        _ => Ok(()),
    }
}

fn check_readable(file: &InputFile, index: usize, count: usize) -> Result<()> {
    let of = if count > 1 { file_label(index, count, &file.name) + ": " } else { String::new() };
    match &file.unread {
        None => {}
        Some(Unread::File(why)) => return Err(Error::Input(format!("{of}it cannot be read ({why})"))),
        Some(_) => return Err(Error::Input(format!("{of}it is no regular file; give one"))),
    }
    match file.entry {
        Some(_) => Err(Error::Input("matrices are not read from archives; unpack it".to_owned())),
        None => Ok(()),
    }
}

/// An error that names the file, where there are several.
fn in_words(problem: Problem, files: &[InputFile]) -> Error {
    match problem {
        Problem::Input(Some(file), text) => {
            let name = files.get(file).map_or("", |file| &file.name);
            Error::Input(format!("{}: {text}", file_label(file, files.len(), name)))
        }
        Problem::Input(None, text) => Error::Input(text),
        Problem::Memory(error) => error,
        // Lengths were looked at before.
        Problem::File(_, error) if error.kind() == ErrorKind::UnexpectedEof => changed(),
        Problem::File(file, error) => match files.get(file) {
            Some(named) => named.unreadable(file, files.len(), error),
            None => Error::Internal(format!("there is no file {file}")),
        },
    }
}

/// A matrix as a series of slices of one column.
fn plan(rows: u64, columns: u32, file_id: &str) -> SeriesPlan {
    let column = |frame: u32| SlicePlan {
        file: 0,
        file_id: file_id.to_owned(),
        frame,
        frames: columns,
        piece: None,
        origin_mm: [0.0; 3],
        position_mm: 0.0,
        instance_number: None,
        instance_uid: (frame + 1).to_string(),
        slope: 1.0,
        intercept: 0.0,
        offset: 0,
        padding: None,
        corner_padding: None,
        lossy_codestream: false,
        transfer_syntax: String::new(),
        pixels: PixelFormat { bits_allocated: 16, bits_stored: 16, signed: true, photometric: String::new() },
    };
    SeriesPlan {
        id: String::new(),
        file_count: 1,
        series_instance_uid: String::new(),
        frame_of_reference_uid: String::new(),
        sop_class_uid: String::new(),
        modality: MODALITY.to_owned(),
        rows: usize::try_from(rows).unwrap_or(usize::MAX),
        columns: 1,
        pixel_spacing_mm: None,
        slice_spacing_mm: None,
        tilt_degrees: 0.0,
        orientation: [0.0; 6],
        rescale_unit: String::new(),
        window: None,
        padding: PaddingRule::Keep,
        slices: (0..columns).map(column).collect(),
        copies: Vec::new(),
        skipped: 0,
        skipped_mm: Vec::new(),
        left_out: Vec::new(),
        warnings: Vec::new(),
        joint: None,
    }
}

impl State {
    fn of(found: &fs::Metadata) -> Self {
        Self { length: found.len(), changed: os::modified(found) }
    }
}

/// Digest and range of each column.
fn records(values: &Values, plan: &SeriesPlan) -> Vec<SliceRecord> {
    let rows = plan.rows.max(1);
    match values {
        Values::Stored(values) => {
            let offset = plan.slices.first().map_or(0, |slice| slice.offset);
            values.par_chunks_exact(rows).map(|column| SliceRecord::of_values(column, offset)).collect()
        }
        Values::Signed8(values) => values.par_chunks_exact(rows).map(of_bytes).collect(),
        Values::Unsigned8(values) => values.par_chunks_exact(rows).map(of_bytes).collect(),
        Values::Real(values) => values.par_chunks_exact(rows).map(SliceRecord::of_floats).collect(),
    }
}

/// Of a column of 8 bits: that of the same integers in 16.
fn of_bytes<T: Copy + Into<i16>>(column: &[T]) -> SliceRecord {
    let column: Vec<i16> = column.iter().map(|&value| value.into()).collect();
    SliceRecord::of_values(&column, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn a_file_that_changes_after_its_header_was_read_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.npy");
        let mut npy = b"\x93NUMPY\x01\x00".to_vec();
        let header = format!("{:<117}\n", "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }");
        npy.extend((header.len() as u16).to_le_bytes());
        npy.extend(header.as_bytes());
        npy.extend([0.5f64, 1.5].iter().flat_map(|x| x.to_le_bytes()));
        let open = || {
            fs::write(&path, &npy).unwrap();
            let file = InputFile::plain(path.clone(), "a.npy".to_owned());
            MatrixInput::open(&[file], InputFormat::Npy).unwrap()
        };
        let read = |matrix: &MatrixInput| matrix.read(&mut matrix.plan(), &Silent);
        let matrix = open();
        assert!(read(&matrix).is_ok());
        let longer = [npy.as_slice(), &[0]].concat();
        for changed in [&longer[..], &npy[..npy.len() - 1]] {
            let matrix = open();
            fs::write(&path, changed).unwrap();
            let error = read(&matrix).unwrap_err();
            assert_eq!(error.exit_code(), 3);
            assert!(error.to_string().contains("changed while it was read"), "{error}");
        }
        // Rewritten in place, at the same length.
        let matrix = open();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        assert!(read(&matrix).unwrap_err().to_string().contains("changed while it was read"));
    }

    #[test]
    fn integers_of_8_bits_stay_such_and_have_the_records_of_the_same_in_16() {
        let scratch = tempfile::tempdir().unwrap();
        let read = |kind: &str, bytes: &[u8]| {
            let path = scratch.path().join("a.npy");
            let shape = "'fortran_order': False, 'shape': (3, 2), }";
            let header = format!("{:<117}\n", format!("{{'descr': '{kind}', {shape}"));
            let mut npy = b"\x93NUMPY\x01\x00".to_vec();
            npy.extend((header.len() as u16).to_le_bytes());
            npy.extend(header.as_bytes());
            npy.extend(bytes);
            fs::write(&path, &npy).unwrap();
            let matrix =
                MatrixInput::open(&[InputFile::plain(path, "a.npy".to_owned())], InputFormat::Npy).unwrap();
            let (values, records) = matrix.read(&mut matrix.plan(), &Silent).unwrap();
            let records: Vec<_> = records.iter().map(|record| record.to_bytes()[..32].to_vec()).collect();
            (values, records, matrix.bytes_of_a_number())
        };
        let wide = |values: &[i16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (unsigned, found, size) = read("|u1", &[0, 255, 7, 128, 1, 2]);
        assert!(matches!(unsigned, Values::Unsigned8(values) if values == [0, 7, 1, 255, 128, 2]));
        assert_eq!((found, size), (read("<i2", &wide(&[0, 255, 7, 128, 1, 2])).1, 1));
        let (signed, found, _) = read("|i1", &[0, 255, 7, 128, 1, 2]);
        assert!(matches!(signed, Values::Signed8(values) if values == [0, 7, 1, -1, -128, 2]));
        assert_eq!(found, read("<i2", &wide(&[0, -1, 7, -128, 1, 2])).1);
    }
}
