//! The numbers of a matrix, from a file of known layout and length.
//!
//! Read some megabytes at a time, and put where they belong column after column.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use tomobasis_dicom::zeros;

use super::{Element, Layout, Values};
use crate::{
    error::Error,
    limits::{room, size},
    progress::Progress,
};

/// Bytes that are read at a time: whole rows, or a part of the columns.
const PIECE: usize = 4 << 20;
/// The offset of integers that reach beyond `i16`.
const UNSIGNED: i32 = 1 << 15;

/// Largest magnitudes up to 2^400, and down to 2^-400, have squares whose sum float64 holds, however many there are.
const LARGEST_EXPONENT: i32 = 400;

/// Why numbers could not be read.
pub(super) enum Problem {
    /// One that float64 does not have, or whose square it does not have.
    Number(String),
    Memory(Error),
    File(io::Error),
}

/// Tells of columns, of which all are read at once.
pub(super) struct Progression<'a> {
    pub progress: &'a dyn Progress,
    pub columns: u64,
}

/// All numbers, and what was taken off them to fit 16 bits.
pub(super) fn values(
    file: &File,
    layout: &Layout,
    progression: &Progression<'_>,
) -> Result<(Values, i32), Problem> {
    if layout.element.is_small() {
        let (mut low, mut high) = (i32::MAX, i32::MIN);
        // Modulo 2^16: the offset is known when all numbers are.
        let mut stored = read(file, layout, progression, |value| {
            let value = value as i32;
            (low, high) = (low.min(value), high.max(value));
            Some(value as i16)
        })?;
        let offset = if high > i16::MAX.into() { UNSIGNED } else { 0 };
        stored.iter_mut().for_each(|value| *value = value.wrapping_sub(offset as i16));
        return Ok((Values::Stored(stored), offset));
    }
    // Adding zero makes -0.0 the zero that it equals.
    let real = read(file, layout, progression, |value: f64| value.is_finite().then_some(value + 0.0))?;
    match narrowed(&real) {
        Some(offset) => {
            let mut stored = room_for::<i16>(layout)?;
            let narrow = |(stored, &value): (&mut i16, &f64)| *stored = (value as i32 - offset) as i16;
            stored.iter_mut().zip(&real).for_each(narrow);
            Ok((Values::Stored(stored), offset))
        }
        None => {
            check_magnitude(&real)?;
            Ok((Values::Real(real), 0))
        }
    }
}

/// Refuses numbers whose energy, the sum of their squares, overflows or loses digits to underflow.
fn check_magnitude(values: &[f64]) -> Result<(), Problem> {
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let limit = 2f64.powi(LARGEST_EXPONENT);
    if (1.0 / limit..=limit).contains(&largest) {
        return Ok(());
    }
    Err(Problem::Number(format!(
        "the largest magnitude of the matrix is {largest:e}, and energies, which are sums of squares, need it to be between \
         2^-{LARGEST_EXPONENT} and 2^{LARGEST_EXPONENT} ({:.1e} and {limit:.1e}); scale the matrix",
        1.0 / limit
    )))
}

/// The numbers as `keep` has them; it refuses what is no finite number.
fn read<T: Clone + Default>(
    file: &File,
    layout: &Layout,
    progression: &Progression<'_>,
    mut keep: impl FnMut(f64) -> Option<T>,
) -> Result<Vec<T>, Problem> {
    let Layout { element, column_major, start, .. } = *layout;
    let mut out = room_for::<T>(layout)?;
    let (rows, columns) = (layout.rows as usize, layout.columns as usize);
    let (size, number) = (element.size() as usize, number_of(element, layout.big_endian));
    // Lines are what is contiguous in the file: columns, or rows.
    let (lines, length) = if column_major { (columns, rows) } else { (rows, columns) };
    // Whole lines, or parts of one.
    let part = length.min(PIECE / size);
    let together = if part < length { 1 } else { (PIECE / size / length).max(1) };
    let mut bytes = vec![0; together.min(lines) * part * size];
    let mut told = 0;
    for first in (0..lines).step_by(together) {
        let count = together.min(lines - first);
        for from in (0..length).step_by(part) {
            let width = part.min(length - from);
            let bytes = &mut bytes[..count * width * size];
            file.read_exact_at(bytes, start + ((first * length + from) * size) as u64)
                .map_err(Problem::File)?;
            let mut put = |line: usize, at: usize| {
                let bytes = &bytes[(line * width + at) * size..][..size];
                let (line, at) = (first + line, from + at);
                let (row, column) = if column_major { (at, line) } else { (line, at) };
                match keep(number(bytes)) {
                    Some(value) => out[column * rows + row] = value,
                    None => return Err(refused(element, row, column)),
                }
                Ok(())
            };
            // Inside is what is contiguous in memory.
            if column_major {
                (0..count).try_for_each(|line| (0..width).try_for_each(|at| put(line, at)))?;
            } else {
                (0..width).try_for_each(|at| (0..count).try_for_each(|line| put(line, at)))?;
            }
        }
        let done = (first + count) as u64 * progression.columns / lines as u64;
        progression.progress.advance(done - told);
        told = done;
    }
    Ok(out)
}

/// The number that some bytes are; NaN for an integer that float64 does not have.
fn number_of(element: Element, big_endian: bool) -> fn(&[u8]) -> f64 {
    macro_rules! number {
        ($type:ty, $float:expr) => {
            match big_endian {
                true => |b| $float(<$type>::from_be_bytes(b.try_into().unwrap_or_default())),
                false => |b| $float(<$type>::from_le_bytes(b.try_into().unwrap_or_default())),
            }
        };
    }
    match element {
        Element::I8 => number!(i8, f64::from),
        Element::U8 => number!(u8, f64::from),
        Element::I16 => number!(i16, f64::from),
        Element::U16 => number!(u16, f64::from),
        Element::I32 => number!(i32, f64::from),
        Element::U32 => number!(u32, f64::from),
        Element::I64 => number!(i64, |v: i64| exact(v.into())),
        Element::U64 => number!(u64, |v: u64| exact(v.into())),
        Element::F32 => number!(f32, f64::from),
        Element::F64 => number!(f64, |v: f64| v),
    }
}

fn exact(value: i128) -> f64 {
    let float = value as f64;
    if float as i128 == value { float } else { f64::NAN }
}

fn refused(element: Element, row: usize, column: usize) -> Problem {
    let (row, column) = (row + 1, column + 1);
    Problem::Number(match element {
        Element::F32 | Element::F64 => {
            format!("row {row}, column {column} is no finite number; replace NaN and infinity first")
        }
        _ => format!(
            "row {row}, column {column} is an integer that float64 does not have; integers up to 2^53 are read"
        ),
    })
}

/// The offset with which all numbers are integers of 16 bits; none where they are not.
fn narrowed(values: &[f64]) -> Option<i32> {
    let (mut low, mut high, mut whole) = (0.0f64, 0.0f64, true);
    for &value in values {
        (low, high) = (low.min(value), high.max(value));
        whole &= value.trunc() == value;
    }
    let offset = if high > i16::MAX.into() { UNSIGNED } else { 0 };
    let fits =
        low >= f64::from(i32::from(i16::MIN) + offset) && high <= f64::from(i32::from(i16::MAX) + offset);
    (whole && fits).then_some(offset)
}

/// Room for all numbers.
fn room_for<T: Clone + Default>(layout: &Layout) -> Result<Vec<T>, Problem> {
    let Layout { rows, columns, .. } = *layout;
    let count = usize::try_from(rows * columns).ok();
    count.and_then(|count| zeros(count).ok()).ok_or_else(|| {
        let needed = size_of::<T>() as u128 * u128::from(rows) * u128::from(columns);
        Problem::Memory(Error::Memory {
            what: format!("the matrix of {rows} x {columns} needs {} of memory", size(needed)),
            room: room().bytes,
            of: room().of,
            instead: "run it where there is more".to_owned(),
        })
    })
}
