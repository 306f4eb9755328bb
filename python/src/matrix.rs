//! A matrix in memory as the kernels take it: integers of 16 bits, or floats; row block by row block.

use std::ops::Range;

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, CowArray, Ix2, s};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tomobasis_linalg::{
    BLOCK_ROWS, ColumnRanges, GramAccumulator, RealBlocks, RealGramAccumulator, Rescale, Sample,
    check_magnitude, column_major,
};
use tomobasis_pipeline::{progress::Progress as _, solve::digest::Digest};

use crate::{failure::Failure, running::Watch};

/// Rows that are gathered at a time: of a row-major matrix their cache lines are read once.
const BAND: usize = 64;

/// Columns whose digests one thread computes together.
const GROUP: usize = 32;

/// The values of a matrix, in the array that holds them or in a copy.
pub(crate) enum Values<'a> {
    I8(CowArray<'a, i8, Ix2>),
    U8(CowArray<'a, u8, Ix2>),
    I16(CowArray<'a, i16, Ix2>),
    U16(CowArray<'a, u16, Ix2>),
    F32(CowArray<'a, f32, Ix2>),
    F64(CowArray<'a, f64, Ix2>),
}

/// Runs an expression on the array of any type.
macro_rules! each {
    ($values:expr, $array:ident => $do:expr) => {
        match $values {
            Values::I8($array) => $do,
            Values::U8($array) => $do,
            Values::I16($array) => $do,
            Values::U16($array) => $do,
            Values::F32($array) => $do,
            Values::F64($array) => $do,
        }
    };
}

impl Values<'_> {
    pub(crate) fn dim(&self) -> (usize, usize) {
        each!(self, array => array.dim())
    }

    /// Whether they are integers of 16 bits.
    pub(crate) fn are_stored(&self) -> bool {
        !matches!(self, Self::F32(_) | Self::F64(_))
    }

    /// What the integers that [`stored`](Self::stored) gives lack.
    pub(crate) fn offset(&self) -> i32 {
        if matches!(self, Self::U16(_)) { 1 << 15 } else { 0 }
    }

    /// What makes values of them, one per column.
    pub(crate) fn rescales(&self) -> Vec<Rescale> {
        vec![Rescale { offset: self.offset(), ..Rescale::IDENTITY }; self.dim().1]
    }

    /// Row blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.dim().0.div_ceil(BLOCK_ROWS)
    }

    /// Rows of block `block`.
    pub(crate) fn rows_of(&self, block: usize) -> usize {
        BLOCK_ROWS.min(self.dim().0 - block * BLOCK_ROWS)
    }

    /// Row block `block` as integers of 16 bits, in `buffer`, column after column.
    pub(crate) fn stored<'b>(
        &self,
        block: usize,
        buffer: &'b mut Vec<i16>,
    ) -> Result<ArrayView2<'b, i16>, Failure> {
        let (first, rows) = (block * BLOCK_ROWS, self.rows_of(block));
        match self {
            Self::I8(a) => gather(a.view(), first, rows, buffer, i16::from),
            Self::U8(a) => gather(a.view(), first, rows, buffer, i16::from),
            Self::I16(a) => gather(a.view(), first, rows, buffer, |v| v),
            // 32768 less, modulo 2^16.
            Self::U16(a) => gather(a.view(), first, rows, buffer, |v| (v ^ 0x8000) as i16),
            Self::F32(_) | Self::F64(_) => return Err(floats()),
        }
        Ok(column_major(buffer, rows, self.dim().1)?)
    }

    /// Refuses floats as large or small as a file of them is refused for (docs/format.md).
    pub(crate) fn check_magnitude(&self, watch: &Watch<'_>) -> Result<(), Failure> {
        let largest = match self {
            Self::F32(a) => largest(a.view(), watch)?,
            Self::F64(a) => largest(a.view(), watch)?,
            Self::I8(_) | Self::U8(_) | Self::I16(_) | Self::U16(_) => return Ok(()),
        };
        // Infinity and NaN are refused by their row and column, by the kernels.
        if largest > 0.0 && largest.is_finite() {
            check_magnitude(largest)?;
        }
        Ok(())
    }

    /// Adds row block `block` to exact sums, on the calling thread or, if `parallel`, on those of the current pool.
    pub(crate) fn add_to(
        &self,
        sums: &mut GramAccumulator,
        block: usize,
        parallel: bool,
    ) -> Result<(), Failure> {
        let rows = block * BLOCK_ROWS..block * BLOCK_ROWS + self.rows_of(block);
        match self {
            Self::I8(a) => add(sums, a.view(), rows, parallel),
            Self::U8(a) => add(sums, a.view(), rows, parallel),
            Self::I16(a) => add(sums, a.view(), rows, parallel),
            Self::U16(a) => add(sums, a.view(), rows, parallel),
            Self::F32(_) | Self::F64(_) => Err(floats()),
        }
    }

    /// Writes row block `block` as floats.
    pub(crate) fn read_floats(&self, block: usize, into: ArrayViewMut2<'_, f64>) -> Result<(), Failure> {
        each!(self, array => array.read(block, into)?);
        Ok(())
    }

    /// Row block `block` as floats, column after column.
    pub(crate) fn floats(&self, block: usize) -> Result<Array2<f64>, Failure> {
        let mut values = Array2::zeros((self.dim().1, self.rows_of(block))).reversed_axes();
        self.read_floats(block, values.view_mut())?;
        Ok(values)
    }

    /// The digest `pixels` of docs/format.md: over the columns' digests, each of its integers as int32 or its floats as float64.
    pub(crate) fn digest(&self, watch: &Watch<'_>) -> Result<Digest, Failure> {
        let columns: Vec<Vec<Digest>> = (0..self.dim().1.div_ceil(GROUP))
            .into_par_iter()
            .map(|group| {
                watch.check()?;
                Ok(each!(self, array => column_digests(array.view(), group)))
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Digest::of_digests(&columns.concat()))
    }
}

fn floats() -> Failure {
    tomobasis_pipeline::Error::Internal("floats where integers are".to_owned()).into()
}

fn add<T: Sample + Default>(
    sums: &mut GramAccumulator,
    from: ArrayView2<'_, T>,
    rows: Range<usize>,
    parallel: bool,
) -> Result<(), Failure> {
    let mut buffer = Vec::new();
    let block = match from.strides() {
        // Columns are contiguous.
        [1, _] => from.slice(s![rows, ..]),
        _ => {
            let count = rows.len();
            gather(from, rows.start, count, &mut buffer, |v| v);
            column_major(&buffer, count, from.ncols())?
        }
    };
    let added = if parallel { sums.add_parallel(block) } else { sums.add(block) };
    Ok(added?)
}

/// Some rows, column after column.
fn gather<T: Copy, S: Copy + Default>(
    from: ArrayView2<'_, T>,
    first: usize,
    rows: usize,
    buffer: &mut Vec<S>,
    value: impl Fn(T) -> S,
) {
    buffer.clear();
    buffer.resize(rows * from.ncols(), S::default());
    for start in (0..rows).step_by(BAND) {
        let count = BAND.min(rows - start);
        let band = from.slice(s![first + start..first + start + count, ..]);
        for (column, out) in band.axis_iter(Axis(1)).zip(buffer.chunks_exact_mut(rows.max(1))) {
            out[start..start + count].iter_mut().zip(column).for_each(|(out, &v)| *out = value(v));
        }
    }
}

/// The largest magnitude of numbers, NaN left out.
fn largest<T: Copy + Into<f64> + Sync>(array: ArrayView2<'_, T>, watch: &Watch<'_>) -> Result<f64, Failure> {
    // Along the numbers as they lie in memory.
    let axis = match array.strides() {
        [row, column] if row.abs() < column.abs() => Axis(0),
        _ => Axis(1),
    };
    let larger = |most: f64, value: f64| if value > most { value } else { most };
    let magnitude = |&value: &T| -> f64 { Into::<f64>::into(value).abs() };
    let blocks: Vec<_> = array.axis_chunks_iter(Axis(0), BLOCK_ROWS).collect();
    blocks
        .par_iter()
        .map(|block| {
            watch.check()?;
            let of_lane = |lane: ArrayView1<'_, T>| lane.iter().map(magnitude).fold(0.0, larger);
            Ok(block.lanes(axis).into_iter().map(of_lane).fold(0.0, larger))
        })
        .try_reduce(|| 0.0, |a, b| Ok(larger(a, b)))
}

/// How a number enters a digest.
trait Digested: Copy {
    type Bytes: AsRef<[u8]>;
    fn bytes(self) -> Self::Bytes;
}

macro_rules! digested {
    ($($type:ident as $wide:ident),*) => {$(
        impl Digested for $type {
            type Bytes = [u8; size_of::<$wide>()];
            fn bytes(self) -> Self::Bytes {
                // Of floats, adding zero makes -0.0 the zero that it equals.
                ($wide::from(self) + $wide::default()).to_le_bytes()
            }
        }
    )*};
}

digested!(i8 as i32, u8 as i32, i16 as i32, u16 as i32, f32 as f64, f64 as f64);

fn column_digests<T: Digested>(array: ArrayView2<'_, T>, group: usize) -> Vec<Digest> {
    let columns = group * GROUP..array.ncols().min((group + 1) * GROUP);
    let mut hashes = vec![Sha256::new(); columns.len()];
    let mut bytes = Vec::new();
    for band in array.slice(s![.., columns]).axis_chunks_iter(Axis(0), BAND) {
        for (column, hash) in band.axis_iter(Axis(1)).zip(&mut hashes) {
            bytes.clear();
            column.iter().for_each(|&v| bytes.extend_from_slice(v.bytes().as_ref()));
            hash.update(&bytes);
        }
    }
    hashes.into_iter().map(|hash| Digest(hash.finalize().into())).collect()
}

/// A matrix that is read as floats, with what its reading tells and asks.
pub(crate) struct Reading<'a, 'v, 'w> {
    pub values: &'a Values<'v>,
    pub watch: &'a Watch<'w>,
}

impl RealBlocks for Reading<'_, '_, '_> {
    type Error = Failure;

    fn rows(&self) -> u64 {
        self.values.dim().0 as u64
    }

    fn columns(&self) -> usize {
        self.values.dim().1
    }

    fn read(&self, block: usize, values: ArrayViewMut2<'_, f64>) -> Result<(), Failure> {
        self.watch.check()?;
        self.values.read_floats(block, values)?;
        self.watch.advance(1);
        Ok(())
    }

    fn add_ranges(
        &self,
        block: usize,
        values: ArrayViewMut2<'_, f64>,
        ranges: &mut ColumnRanges,
    ) -> Result<(), Failure> {
        self.watch.check()?;
        each!(self.values, array => array.add_ranges(block, values, ranges)?);
        self.watch.advance(1);
        Ok(())
    }

    fn add_sums(
        &self,
        block: usize,
        values: ArrayViewMut2<'_, f64>,
        sums: &mut RealGramAccumulator,
        parallel: bool,
    ) -> Result<(), Failure> {
        self.watch.check()?;
        each!(self.values, array => array.add_sums(block, values, sums, parallel)?);
        self.watch.advance(1);
        Ok(())
    }
}

impl Reading<'_, '_, '_> {
    /// A row block of its own.
    pub(crate) fn block(&self, block: usize) -> Result<Array2<f64>, Failure> {
        let mut values = Array2::zeros((self.values.dim().1, self.values.rows_of(block))).reversed_axes();
        self.read(block, values.view_mut())?;
        Ok(values)
    }
}
