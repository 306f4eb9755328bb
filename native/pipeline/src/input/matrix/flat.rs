//! Matrices whose numbers stand one after another in one file: the formats only say where and how.

use std::io;

use ndarray::ArrayViewMut2;
use serde::{Deserialize, Serialize};

use super::source::{AT_ONCE, Files, Forward, Problem, Tile, cuts, exact, inexact};

/// Bytes that are read at a time.
const PIECE: usize = 4 << 20;

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub rows: u64,
    pub columns: u64,
    pub element: Element,
    pub big_endian: bool,
    /// Column after column, else row after row.
    pub column_major: bool,
    /// Offset of the first number.
    pub start: u64,
    /// Whether the file is a gzip stream of all this.
    pub gzip: bool,
    /// What the numbers are to be multiplied by, and what is then to be added.
    pub scale: Option<(f64, f64)>,
}

/// The most bits of the integers that are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// Within `i8`.
    Signed8,
    /// Within `u8`.
    Unsigned8,
    /// Within `i16`.
    Signed16,
    /// Within `u16`.
    Unsigned16,
    /// More, or no integers.
    Any,
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

    pub fn width(self) -> Width {
        match self {
            Self::I8 => Width::Signed8,
            Self::U8 => Width::Unsigned8,
            Self::I16 => Width::Signed16,
            Self::U16 => Width::Unsigned16,
            _ => Width::Any,
        }
    }
}

impl Layout {
    pub fn width(&self) -> Width {
        if self.scale.is_some() { Width::Any } else { self.element.width() }
    }

    /// Refuses what is no matrix, and a file of another length than the layout asks for. How long a gzip stream is, is found where it
    /// is read.
    pub fn check(&self, length: u64) -> Result<(), String> {
        let Self { rows, columns, element, start, .. } = *self;
        if rows == 0 || columns == 0 {
            return Err(format!("the matrix is {rows} x {columns}; give one with rows and columns"));
        }
        let here = length - start.min(length);
        let bytes = rows.checked_mul(columns).and_then(|count| count.checked_mul(element.size()));
        match bytes {
            Some(_) if self.gzip => Ok(()),
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

    /// Where to cut the rows, and the columns, so that a tile is contiguous. A gzip stream can only be read from its start.
    pub fn cuts(&self) -> (Vec<u64>, Vec<u64>) {
        match (self.gzip, self.column_major) {
            (true, _) => (vec![0], vec![0]),
            (false, true) => (cuts(self.rows, AT_ONCE), cuts(self.columns, AT_ONCE / self.rows.min(AT_ONCE))),
            (false, false) => (cuts(self.rows, AT_ONCE / self.columns.min(AT_ONCE)), vec![0]),
        }
    }

    /// Reads a tile.
    pub fn read(&self, files: &Files, tile: &Tile, mut out: ArrayViewMut2<'_, f64>) -> Result<(), Problem> {
        let Self { element, column_major, .. } = *self;
        let size = element.size() as usize;
        let mut file = Forward::new(files.part(0), self.gzip);
        let number = self.number();
        let mut put = |line: usize, at: usize, bytes: &[u8]| {
            let (row, column) = if column_major { (at, line) } else { (line, at) };
            let value = number(bytes)
                .ok_or_else(|| inexact(tile.rows.start + row as u64, tile.columns.start + column))?;
            out[(row, column)] = match self.scale {
                Some((slope, intercept)) => value * slope + intercept,
                None => value,
            };
            Ok::<_, Problem>(())
        };
        // Lines are what is contiguous in the file: columns, or rows. Whole lines at a time where the tile has them whole, else
        // parts of one.
        let (first_line, lines, first, length, whole) = match column_major {
            true => {
                (tile.columns.start as u64, tile.columns.len(), tile.rows.start, tile.height(), self.rows)
            }
            false => {
                (tile.rows.start, tile.height(), tile.columns.start as u64, tile.columns.len(), self.columns)
            }
        };
        let part = length.min(PIECE / size);
        let together = if length as u64 == whole { (PIECE / size / length).clamp(1, lines) } else { 1 };
        let mut bytes = vec![0; together * part * size];
        for line in (0..lines).step_by(together) {
            let count = together.min(lines - line);
            for from in (0..length).step_by(part) {
                let width = part.min(length - from);
                let bytes = &mut bytes[..count * width * size];
                let place = (first_line + line as u64) * whole + first + from as u64;
                file.read(bytes, self.start + place * size as u64).map_err(|error| self.unread(error))?;
                let of = |l: usize, at: usize| &bytes[(l * width + at) * size..][..size];
                // Inside is what is contiguous in memory.
                if column_major {
                    (0..count).try_for_each(|l| {
                        (0..width).try_for_each(|at| put(line + l, from + at, of(l, at)))
                    })?;
                } else {
                    (0..width).try_for_each(|at| {
                        (0..count).try_for_each(|l| put(line + l, from + at, of(l, at)))
                    })?;
                }
            }
        }
        let end = tile.rows.end == self.rows && tile.columns.end as u64 == self.columns;
        match end && !file.ends().map_err(|error| self.unread(error))? {
            true => Err(Problem::input("its gzip stream has bytes behind the numbers; write the file again")),
            false => Ok(()),
        }
    }

    fn unread(&self, error: io::Error) -> Problem {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
                if self.gzip =>
            {
                Problem::input("its gzip stream is damaged or truncated; write the file again")
            }
            _ => Problem::File(0, error),
        }
    }

    /// What some bytes are as float64; nothing for an integer that float64 cannot represent.
    fn number(&self) -> fn(&[u8]) -> Option<f64> {
        macro_rules! number {
            ($type:ty, $float:expr) => {
                match self.big_endian {
                    true => |b| $float(<$type>::from_be_bytes(b.try_into().unwrap_or_default())),
                    false => |b| $float(<$type>::from_le_bytes(b.try_into().unwrap_or_default())),
                }
            };
        }
        match self.element {
            Element::I8 => number!(i8, |v| Some(f64::from(v))),
            Element::U8 => number!(u8, |v| Some(f64::from(v))),
            Element::I16 => number!(i16, |v| Some(f64::from(v))),
            Element::U16 => number!(u16, |v| Some(f64::from(v))),
            Element::I32 => number!(i32, |v| Some(f64::from(v))),
            Element::U32 => number!(u32, |v| Some(f64::from(v))),
            Element::I64 => number!(i64, |v: i64| exact(v.into())),
            Element::U64 => number!(u64, |v: u64| exact(v.into())),
            Element::F32 => number!(f32, |v| Some(f64::from(v))),
            Element::F64 => number!(f64, Some),
        }
    }
}
