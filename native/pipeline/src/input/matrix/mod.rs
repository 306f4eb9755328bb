//! Matrices that are no scan: files that hold m x n numbers.
//!
//! A format is a [`MatrixFormat`]: it reads from the beginning of a file where the numbers are and how they are stored
//! ([`Layout`]). Everything else is the same for all of them: the numbers are read ([`read`]), and a `SeriesPlan` is made of
//! which each column of the matrix is a slice of m x 1 pixels without rescale, so that the rest of the run sees what it sees of a
//! scan. A new format is an implementation here, and its name in `options::InputFormat`.
//!
//! What the result is depends on the numbers alone, not on how they are stored. Numbers that are all integers within the
//! range of `i16`, or all of `u16`, are kept as such and take the way of pixels, whatever type the file gives them; all others
//! are kept as float64, in which each must have its place.

mod npy;
mod read;

use std::{
    fs::File,
    io::ErrorKind,
    os::unix::fs::{FileExt as _, MetadataExt as _},
};

use rayon::prelude::*;
use tomobasis_dicom::{
    PaddingRule, PixelFormat, SeriesPlan, SlicePlan, SliceRecord, Unread, file_label, salted_id,
};

pub(crate) use self::npy::{NoHeader, header};
use self::read::Progression;
use crate::{
    error::{Error, Result},
    input::{layout::Numbers, listing::InputFile},
    options::InputFormat,
    progress::Progress,
};

/// What `series.modality` of the manifest says of a matrix.
pub(crate) const MODALITY: &str = "matrix";

/// Columns that any method takes: no more is made of a header's word.
const MOST_COLUMNS: usize = 65_536;

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

/// Where the numbers of a matrix are in its file, and how they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub rows: u64,
    pub columns: u64,
    pub element: Element,
    pub big_endian: bool,
    /// Column after column, else row after row.
    pub column_major: bool,
    /// Offset of the first number.
    pub start: u64,
}

/// A way to store a matrix in a file.
pub(crate) trait MatrixFormat {
    /// Bytes of the beginning of a file that are enough for its [`layout`](Self::layout).
    const HEAD: u64;

    /// Reads where the numbers are from the first bytes of a file.
    ///
    /// # Errors
    /// What is wrong with the file, and what to do.
    fn layout(head: &[u8]) -> std::result::Result<Layout, String>;
}

/// A file whose layout is known.
pub(crate) struct MatrixFile {
    file: File,
    layout: Layout,
    state: State,
    label: (String, String),
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
    /// Any numbers.
    Real(Vec<f64>),
}

impl Values {
    /// What they are.
    pub fn numbers(&self) -> Numbers {
        match self {
            Self::Stored(_) => Numbers::Stored,
            Self::Real(_) => Numbers::Real,
        }
    }
}

impl Element {
    /// Bytes of a number.
    pub fn size(self) -> u64 {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Whether all its numbers fit into 16 bits.
    pub fn is_small(self) -> bool {
        self.size() <= 2
    }
}

impl MatrixFile {
    /// Opens the one file that the input names and reads its layout; nothing of its size is allocated.
    ///
    /// # Errors
    /// [`Error::Input`] for what is no such file, or another number of files; [`Error::Unreadable`] and [`Error::System`].
    pub fn open(files: &[InputFile], format: InputFormat) -> Result<Self> {
        let file = match files {
            [file] => file,
            [] => {
                return Err(Error::Input(
                    "there is no regular file in the input; give the file of the matrix".to_owned(),
                ));
            }
            _ => {
                let count = files.len();
                return Err(Error::Input(format!("a matrix is one file, and there are {count}; give one")));
            }
        };
        match &file.unread {
            None => {}
            Some(Unread::File(why)) => return Err(Error::Input(format!("it cannot be read ({why})"))),
            Some(_) => return Err(Error::Input("it is no regular file; give one".to_owned())),
        }
        if file.entry.is_some() {
            return Err(Error::Input("matrices are not read from archives; unpack it".to_owned()));
        }
        let unreadable = |source| file.unreadable(0, 1, source);
        let opened = File::open(&file.path).map_err(unreadable)?;
        let state = State::of(&opened).map_err(unreadable)?;
        let layout = match format {
            InputFormat::Npy => layout_of::<npy::Npy>(&opened, state.length),
            InputFormat::Dicom => return Err(Error::Internal("a scan is no matrix".to_owned())),
        };
        let layout = layout.map_err(unreadable)?.map_err(Error::Input)?;
        check_size(&layout, state.length).map_err(Error::Input)?;
        let columns = usize::try_from(layout.columns).unwrap_or(usize::MAX);
        if columns > MOST_COLUMNS {
            return Err(Error::Linalg(tomobasis_linalg::Error::ColumnCount {
                limit: MOST_COLUMNS,
                actual: columns,
            }));
        }
        Ok(Self {
            file: opened,
            layout,
            state,
            label: (file_label(0, 1, &file.name), salted_id("file", &file.name)),
        })
    }

    /// The plan of the matrix, as long as its numbers are not known.
    pub fn plan(&self) -> SeriesPlan {
        let Layout { rows, columns, .. } = self.layout;
        let frames = u32::try_from(columns).unwrap_or(u32::MAX);
        let column = |frame: u32| SlicePlan {
            file: 0,
            file_id: self.label.1.clone(),
            frame,
            frames,
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
            pixels: PixelFormat {
                bits_allocated: 16,
                bits_stored: 16,
                signed: true,
                photometric: String::new(),
            },
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
            slices: (0..frames).map(column).collect(),
            copies: Vec::new(),
            skipped: 0,
            skipped_mm: Vec::new(),
            left_out: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Bytes in memory of one number, at the most.
    pub fn bytes_of_a_number(&self) -> usize {
        // What turns out to be small is copied.
        if self.layout.element.is_small() { 2 } else { 10 }
    }

    /// Reads all numbers, on the current thread pool; the offset goes into the plan's slices.
    ///
    /// # Errors
    /// [`Error::Input`] for a number that float64 does not have, by row and column, and for a file that changes; [`Error::Memory`];
    /// [`Error::Unreadable`] and [`Error::System`].
    pub fn read(&self, plan: &mut SeriesPlan, progress: &dyn Progress) -> Result<(Values, Vec<SliceRecord>)> {
        let progression = Progression { progress, columns: plan.slices.len() as u64 };
        let unread = |source| match crate::error::is_no_fault_of_input(&source) {
            true => Error::System { file: self.label.0.clone(), source },
            false => Error::Unreadable { file: self.label.0.clone(), source },
        };
        let found = read::values(&self.file, &self.layout, &progression);
        let ended =
            matches!(&found, Err(read::Problem::File(error)) if error.kind() == ErrorKind::UnexpectedEof);
        if ended || State::of(&self.file).map_err(unread)? != self.state {
            return Err(Error::Input(
                "the matrix changed while it was read; start again when its file is complete".to_owned(),
            ));
        }
        let (values, offset) = found.map_err(|problem| match problem {
            read::Problem::Number(text) => Error::Input(text),
            read::Problem::Memory(error) => error,
            read::Problem::File(source) => unread(source),
        })?;
        plan.slices.iter_mut().for_each(|slice| slice.offset = offset);
        let records = records(&values, plan);
        Ok((values, records))
    }
}

impl State {
    fn of(file: &File) -> std::io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { length: found.len(), changed: (found.mtime(), found.mtime_nsec()) })
    }
}

fn layout_of<F: MatrixFormat>(
    file: &File,
    length: u64,
) -> std::io::Result<std::result::Result<Layout, String>> {
    let mut head = vec![0; length.min(F::HEAD) as usize];
    file.read_exact_at(&mut head, 0)?;
    Ok(F::layout(&head))
}

/// Refuses what is no matrix, and a file of another length than the layout asks for.
fn check_size(layout: &Layout, length: u64) -> std::result::Result<(), String> {
    let Layout { rows, columns, element, start, .. } = *layout;
    if rows == 0 || columns == 0 {
        return Err(format!("the matrix is {rows} x {columns}; give one with rows and columns"));
    }
    let here = length - start.min(length);
    let bytes = rows.checked_mul(columns).and_then(|count| count.checked_mul(element.size()));
    match bytes {
        Some(bytes) if bytes == here => Ok(()),
        Some(bytes) if bytes < here => Err(format!(
            "there are {} bytes behind the {rows} x {columns} numbers of the matrix; write the file again",
            here - bytes
        )),
        _ => Err(format!(
            "it is truncated: {rows} x {columns} numbers of {} bytes do not fit into its {here}; write the file again",
            element.size()
        )),
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
        Values::Real(values) => values.par_chunks_exact(rows).map(SliceRecord::of_floats).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
            MatrixFile::open(&[file], InputFormat::Npy).unwrap()
        };
        let read = |matrix: &MatrixFile| matrix.read(&mut matrix.plan(), &Silent);
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
}
