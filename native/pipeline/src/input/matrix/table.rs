//! Parquet files: numbers in columns, or a vector in each row.
//!
//! A file or several, whose rows continue one another. Their columns are
//!
//! - all numeric: each is a column of the matrix; or
//! - one column of lists of numbers, all of one length: each list is a row; or
//! - one column of MLlib's vectors, dense or sparse, as Spark writes them: `{type, size, indices, values}`;
//!
//! the latter two perhaps with a column `index` of integers, as the rows of an `IndexedRowMatrix` have. The rows have to be in its order.

use std::{
    io::{self, BufReader, Read},
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
};

use arrow_array::{
    Array, ArrayRef, ListArray, RecordBatch, StructArray,
    cast::AsArray,
    types::{
        ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use ndarray::{ArrayViewMut1, ArrayViewMut2, Axis, s};
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
use serde::{Deserialize, Serialize};
use tomobasis_dicom::zeros;

use super::{
    flat::Width,
    source::{AT_ONCE, Files, Problem, ReadAt, Tile, cuts, exact, inexact},
};

/// The name of the column that numbers the rows.
const INDEX: &str = "index";
/// How columns are named in which pandas writes its own index.
const PANDAS_INDEX: &str = "__index_level_";

/// A matrix in Parquet files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    columns: usize,
    shape: Shape,
    small: Small,
    /// The row groups of all files, in the order of their rows.
    groups: Vec<Group>,
}

/// What a row of the matrix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Shape {
    /// A number in each column.
    Numbers,
    /// The list in this column.
    List { column: usize, index: Option<usize> },
    /// The vector in this column.
    Vector { column: usize, index: Option<usize> },
}

/// Integers of 16 bits, by the types of all columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Small {
    Signed,
    Unsigned,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    file: usize,
    /// Its place in the file.
    group: usize,
    /// The first of its rows.
    first: u64,
    rows: u64,
}

/// A file as the reader wants it. What the system says of it would not come through the reader: it is kept.
struct Chunks {
    file: Arc<dyn ReadAt>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

/// A file from some place on.
struct FromHere {
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
    fn problem(&self, files: &Files, file: usize, error: ParquetError) -> Problem {
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

fn metadata(files: &Files, file: usize) -> Result<ArrowReaderMetadata, Problem> {
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
fn guarded<T>(files: &Files, file: usize, read: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(Problem::Input(files.named(file), "it is a damaged Parquet file; write it again".to_owned()))
    })
}

impl Table {
    /// Reads the footers of all files, and the length of the first vector.
    pub fn open(files: &Files) -> Result<Self, Problem> {
        let (mut found, mut groups, mut rows) = (None, Vec::new(), 0u64);
        for file in 0..files.len() {
            let metadata = metadata(files, file)?;
            let schema = metadata.schema();
            let described = describe(schema).map_err(|text| Problem::Input(files.named(file), text))?;
            let first = found.get_or_insert_with(|| (described, schema.clone()));
            if described != first.0 || !same_types(&first.1, schema) {
                let text = "its columns are not those of the first file; give files of one matrix";
                return Err(Problem::Input(files.named(file), text.to_owned()));
            }
            for (group, described) in metadata.metadata().row_groups().iter().enumerate() {
                let damaged = || {
                    Problem::Input(
                        files.named(file),
                        "its numbers of rows are damaged; write it again".to_owned(),
                    )
                };
                let count = u64::try_from(described.num_rows()).map_err(|_| damaged())?;
                groups.push(Group { file, group, first: rows, rows: count });
                rows = rows.checked_add(count).ok_or_else(damaged)?;
            }
        }
        groups.retain(|group| group.rows > 0);
        let ((shape, small), schema) = found.ok_or_else(|| Problem::input("there is no file in it"))?;
        let columns = match (shape, groups.first()) {
            (Shape::Numbers, _) => schema.fields().len(),
            (_, None) => 0,
            (_, Some(group)) => guarded(files, group.file, || first_length(files, group, shape))?,
        };
        if rows == 0 || columns == 0 {
            let text = format!("the matrix is {rows} x {columns}; give one with rows and columns");
            return Err(Problem::Input(None, text));
        }
        Ok(Self { columns, shape, small, groups })
    }

    pub fn rows(&self) -> u64 {
        self.groups.last().map_or(0, |last| last.first + last.rows)
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn width(&self) -> Width {
        match self.small {
            Small::Signed => Width::Signed16,
            Small::Unsigned => Width::Unsigned16,
            Small::No => Width::Any,
        }
    }

    /// A tile is a row group, or of numbers in columns some of its columns.
    pub fn cuts(&self) -> (Vec<u64>, Vec<u64>) {
        let rows: Vec<u64> = self.groups.iter().map(|group| group.first).collect();
        let most = self.groups.iter().map(|group| group.rows).max().unwrap_or(1);
        let columns = match self.shape {
            Shape::Numbers => cuts(self.columns as u64, AT_ONCE / most.min(AT_ONCE)),
            _ => vec![0],
        };
        (rows, columns)
    }

    /// Reads a tile.
    pub fn read(&self, files: &Files, tile: &Tile, mut out: ArrayViewMut2<'_, f64>) -> Result<(), Problem> {
        let from = self.groups.partition_point(|group| group.first + group.rows <= tile.rows.start);
        for group in self.groups[from..].iter().take_while(|group| group.first < tile.rows.end) {
            let rows = tile.rows.start.max(group.first)..tile.rows.end.min(group.first + group.rows);
            let here = (rows.start - tile.rows.start) as usize..(rows.end - tile.rows.start) as usize;
            let out = out.slice_mut(s![here, ..]);
            guarded(files, group.file, || self.read_group(files, group, rows, &tile.columns, out))?;
        }
        Ok(())
    }

    /// Reads some rows of a row group.
    fn read_group(
        &self,
        files: &Files,
        group: &Group,
        rows: Range<u64>,
        columns: &Range<usize>,
        mut out: ArrayViewMut2<'_, f64>,
    ) -> Result<(), Problem> {
        let file = group.file;
        let mut first = rows.start;
        let (chunks, batches) = batches(files, group, &rows, &self.roots(columns))?;
        for batch in batches {
            let batch = batch.map_err(|error| chunks.problem(files, file, error.into()))?;
            let end = first + batch.num_rows() as u64;
            if end > rows.end {
                break;
            }
            let here = (first - rows.start) as usize..(end - rows.start) as usize;
            self.fill(&batch, first, columns, out.slice_mut(s![here, ..])).map_err(
                |problem| match problem {
                    Problem::Input(None, text) => Problem::Input(files.named(file), text),
                    other => other,
                },
            )?;
            first = end;
        }
        match first == rows.end {
            true => Ok(()),
            false => Err(Problem::Input(
                files.named(file),
                "it has fewer rows than it says; write it again".to_owned(),
            )),
        }
    }

    /// The columns of the file that are read for these of the matrix, ascending.
    fn roots(&self, columns: &Range<usize>) -> Vec<usize> {
        match self.shape {
            Shape::Numbers => columns.clone().collect(),
            Shape::List { column, index } | Shape::Vector { column, index } => {
                let mut roots: Vec<usize> = index.into_iter().chain([column]).collect();
                roots.sort_unstable();
                roots
            }
        }
    }

    fn fill(
        &self,
        batch: &RecordBatch,
        first: u64,
        columns: &Range<usize>,
        mut out: ArrayViewMut2<'_, f64>,
    ) -> Result<(), Problem> {
        let (column, index) = match self.shape {
            Shape::Numbers => {
                for ((j, values), target) in columns.clone().zip(batch.columns()).zip(out.columns_mut()) {
                    numbers(values, |row| (first + row as u64, j), target)?;
                }
                return Ok(());
            }
            Shape::List { column, index } | Shape::Vector { column, index } => (column, index),
        };
        if let Some(index) = index {
            check_order(batch.column(usize::from(index > column)), first)?;
        }
        let vectors = batch.column(index.map_or(0, |index| usize::from(index < column)));
        match self.shape {
            Shape::Vector { .. } => self.fill_vectors(vectors.as_struct(), first, columns, out),
            _ => {
                let lists = vectors.as_list::<i32>();
                for (row, target) in out.axis_iter_mut(Axis(0)).enumerate() {
                    let at = first + row as u64;
                    let list = self.whole(element(lists, row), at)?;
                    numbers(&list.slice(columns.start, columns.len()), |j| (at, columns.start + j), target)?;
                }
                Ok(())
            }
        }
    }

    /// The list of a row, which has to be as long as the first.
    fn whole(&self, list: Option<ArrayRef>, row: u64) -> Result<ArrayRef, Problem> {
        let list = list.ok_or_else(|| null_row(row))?;
        self.check_length(list.len(), row)?;
        Ok(list)
    }

    fn check_length(&self, length: usize, row: u64) -> Result<(), Problem> {
        match length == self.columns {
            true => Ok(()),
            false => Err(Problem::input(format!(
                "row {} has {length} numbers, and the first row has {}; give rows of one length",
                row + 1,
                self.columns
            ))),
        }
    }

    fn fill_vectors(
        &self,
        vectors: &StructArray,
        first: u64,
        columns: &Range<usize>,
        mut out: ArrayViewMut2<'_, f64>,
    ) -> Result<(), Problem> {
        let parts = Vectors::of(vectors).ok_or_else(|| Problem::input("its vectors are not MLlib's"))?;
        for (row, mut target) in out.axis_iter_mut(Axis(0)).enumerate() {
            let at = first + row as u64;
            let damaged =
                || Problem::input(format!("row {} is no vector of MLlib's; write it again", at + 1));
            if vectors.is_null(row) {
                return Err(null_row(at));
            }
            let values = element(parts.values, row).ok_or_else(damaged)?;
            match parts.kind(row) {
                Some(DENSE) => {
                    self.check_length(values.len(), at)?;
                    numbers(
                        &values.slice(columns.start, columns.len()),
                        |j| (at, columns.start + j),
                        target,
                    )?;
                }
                Some(SPARSE) => {
                    self.check_length(parts.size(row).ok_or_else(damaged)?, at)?;
                    let places = element(parts.indices, row).ok_or_else(damaged)?;
                    let places =
                        places.as_primitive_opt::<Int32Type>().filter(|places| places.null_count() == 0);
                    let places = places.ok_or_else(damaged)?.values();
                    let within =
                        |place: &i32| usize::try_from(*place).is_ok_and(|place| place < self.columns);
                    let ascend = places.windows(2).all(|pair| pair[0] < pair[1]);
                    if places.len() != values.len() || !ascend || !places.iter().all(within) {
                        return Err(damaged());
                    }
                    let column = |at: usize| places[at] as usize;
                    let mut found = vec![0.0; values.len()];
                    numbers(&values, |j| (at, column(j)), ArrayViewMut1::from(&mut found))?;
                    target.fill(0.0);
                    for (j, &value) in found.iter().enumerate() {
                        if columns.contains(&column(j)) {
                            target[column(j) - columns.start] = value;
                        }
                    }
                }
                _ => return Err(damaged()),
            }
        }
        Ok(())
    }
}

/// MLlib's `type` of a vector.
const SPARSE: i8 = 0;
const DENSE: i8 = 1;

/// The parts of a column of vectors.
struct Vectors<'a> {
    kinds: &'a dyn Array,
    sizes: &'a dyn Array,
    indices: &'a ListArray,
    values: &'a ListArray,
}

impl<'a> Vectors<'a> {
    fn of(vectors: &'a StructArray) -> Option<Self> {
        Some(Self {
            kinds: vectors.column_by_name("type")?,
            sizes: vectors.column_by_name("size")?,
            indices: vectors.column_by_name("indices")?.as_list_opt()?,
            values: vectors.column_by_name("values")?.as_list_opt()?,
        })
    }

    fn kind(&self, row: usize) -> Option<i8> {
        let kinds = self.kinds.as_primitive_opt::<Int8Type>()?;
        kinds.is_valid(row).then(|| kinds.value(row))
    }

    fn size(&self, row: usize) -> Option<usize> {
        let sizes = self.sizes.as_primitive_opt::<Int32Type>()?;
        if sizes.is_valid(row) { usize::try_from(sizes.value(row)).ok() } else { None }
    }
}

fn null_row(row: u64) -> Problem {
    Problem::input(format!("row {} is null; remove or replace it first", row + 1))
}

fn element(lists: &ListArray, row: usize) -> Option<ArrayRef> {
    lists.is_valid(row).then(|| lists.value(row))
}

/// Batches of some rows of a row group, with only these columns of the file.
fn batches(
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

/// The length of the first vector.
fn first_length(files: &Files, group: &Group, shape: Shape) -> Result<usize, Problem> {
    let (Shape::List { column, .. } | Shape::Vector { column, .. }) = shape else { return Ok(0) };
    let rows = group.first..group.first + 1;
    let (chunks, mut batches) = batches(files, group, &rows, &[column])?;
    let batch = batches.next();
    let damaged =
        || Problem::Input(files.named(group.file), "its first row cannot be read; write it again".to_owned());
    let batch =
        batch.ok_or_else(damaged)?.map_err(|error| chunks.problem(files, group.file, error.into()))?;
    let vectors = batch.column(0);
    let length = match shape {
        Shape::Vector { .. } => Vectors::of(vectors.as_struct()).and_then(|parts| match parts.kind(0) {
            Some(SPARSE) => parts.size(0),
            _ => element(parts.values, 0).map(|values| values.len()),
        }),
        _ => element(vectors.as_list(), 0).map(|list| list.len()),
    };
    length.ok_or_else(|| null_row(group.first))
}

/// Refuses rows that are not in the order of their index.
fn check_order(index: &ArrayRef, first: u64) -> Result<(), Problem> {
    let wrong = |row: usize, found: String| {
        Problem::input(format!(
            "row {} has the index {found}; sort the rows by `{INDEX}`, which goes from 0 on without gaps, and write them again",
            first + row as u64 + 1
        ))
    };
    let found = |row: usize| match index.data_type() {
        _ if index.is_null(row) => None,
        DataType::Int32 => Some(i64::from(index.as_primitive::<Int32Type>().value(row))),
        _ => index.as_primitive_opt::<Int64Type>().map(|index| index.value(row)),
    };
    (0..index.len()).try_for_each(|row| match found(row) {
        Some(number) if u64::try_from(number) == Ok(first + row as u64) => Ok(()),
        Some(number) => Err(wrong(row, number.to_string())),
        None => Err(wrong(row, "null".to_owned())),
    })
}

/// Copies numbers of any type. `place` gives the row and column of each, from 0.
fn numbers(
    values: &ArrayRef,
    place: impl Fn(usize) -> (u64, usize),
    target: ArrayViewMut1<'_, f64>,
) -> Result<(), Problem> {
    if values.null_count() > 0 {
        let (row, column) = place((0..values.len()).find(|&i| values.is_null(i)).unwrap_or(0));
        let (row, column) = (row + 1, column + 1);
        return Err(Problem::input(format!(
            "row {row}, column {column} is null; remove or replace it first"
        )));
    }
    fn copy<T: ArrowPrimitiveType>(
        values: &ArrayRef,
        mut target: ArrayViewMut1<'_, f64>,
        float: impl Fn(T::Native) -> Option<f64>,
    ) -> Result<(), usize> {
        for (i, (target, &value)) in target.iter_mut().zip(values.as_primitive::<T>().values()).enumerate() {
            *target = float(value).ok_or(i)?;
        }
        Ok(())
    }
    let copied = match values.data_type() {
        DataType::Int8 => copy::<Int8Type>(values, target, |v| Some(v.into())),
        DataType::Int16 => copy::<Int16Type>(values, target, |v| Some(v.into())),
        DataType::Int32 => copy::<Int32Type>(values, target, |v| Some(v.into())),
        DataType::Int64 => copy::<Int64Type>(values, target, |v| exact(v.into())),
        DataType::UInt8 => copy::<UInt8Type>(values, target, |v| Some(v.into())),
        DataType::UInt16 => copy::<UInt16Type>(values, target, |v| Some(v.into())),
        DataType::UInt32 => copy::<UInt32Type>(values, target, |v| Some(v.into())),
        DataType::UInt64 => copy::<UInt64Type>(values, target, |v| exact(v.into())),
        DataType::Float32 => copy::<Float32Type>(values, target, |v| Some(v.into())),
        DataType::Float64 => copy::<Float64Type>(values, target, Some),
        // The schema was looked at.
        other => return Err(Problem::input(format!("its numbers are of type {other}"))),
    };
    copied.map_err(|at| {
        let (row, column) = place(at);
        inexact(row, column)
    })
}

/// What the rows of files with this schema are.
fn describe(schema: &Schema) -> Result<(Shape, Small), String> {
    let fields = schema.fields();
    if fields.is_empty() {
        return Err("it has no columns".to_owned());
    }
    let shown = |field: &Field| {
        let name: String = tomobasis_dicom::printable(field.name()).chars().take(40).collect();
        format!("`{name}`")
    };
    if let Some(field) = fields.iter().find(|field| field.name().starts_with(PANDAS_INDEX)) {
        return Err(format!("its column {} is pandas' index; write it with index=False", shown(field)));
    }
    let row_of = |field: &Field| match field.data_type() {
        DataType::List(items) if small(items.data_type()).is_some() => {
            Some((false, small(items.data_type())))
        }
        DataType::Struct(parts) if is_vector(parts) => Some((true, Some(Small::No))),
        _ => None,
    };
    let rows: Vec<usize> = (0..fields.len()).filter(|&i| row_of(&fields[i]).is_some()).collect();
    if let [column] = rows[..] {
        let others: Vec<usize> = (0..fields.len()).filter(|&i| i != column).collect();
        let is_index = |i: usize| {
            fields[i].name() == INDEX && matches!(fields[i].data_type(), DataType::Int32 | DataType::Int64)
        };
        let index = match others[..] {
            [] => None,
            [index] if is_index(index) => Some(index),
            _ => {
                let other = others.into_iter().find(|&i| !is_index(i)).unwrap_or(0);
                return Err(format!(
                    "beside its vectors it has the column {}; write the vectors alone, or with an `{INDEX}` of integers",
                    shown(&fields[other])
                ));
            }
        };
        let (vector, width) = row_of(&fields[column]).unwrap_or((false, None));
        let shape = if vector { Shape::Vector { column, index } } else { Shape::List { column, index } };
        return Ok((shape, width.unwrap_or(Small::No)));
    }
    if let Some(field) = fields.iter().find(|field| small(field.data_type()).is_none()) {
        let kind =
            if rows.len() > 1 { "is not the only column of vectors" } else { "is no column of numbers" };
        return Err(format!(
            "its column {} {kind}; write columns of integers or floats, or one of lists or of MLlib's vectors",
            shown(field)
        ));
    }
    let all = |these: fn(&DataType) -> bool| fields.iter().all(|field| these(field.data_type()));
    let width = if all(|kind| matches!(kind, DataType::Int8 | DataType::Int16 | DataType::UInt8)) {
        Small::Signed
    } else if all(|kind| matches!(kind, DataType::UInt8 | DataType::UInt16)) {
        Small::Unsigned
    } else {
        Small::No
    };
    Ok((Shape::Numbers, width))
}

/// What integers of 16 bits a type has; nothing where it is no type of numbers.
fn small(kind: &DataType) -> Option<Small> {
    match kind {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Some(Small::Signed),
        DataType::UInt16 => Some(Small::Unsigned),
        DataType::Int32
        | DataType::Int64
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64 => Some(Small::No),
        _ => None,
    }
}

fn is_vector(parts: &arrow_schema::Fields) -> bool {
    let list_of =
        |kind: &DataType, of: &DataType| matches!(kind, DataType::List(items) if items.data_type() == of);
    let has = |name: &str, right: &dyn Fn(&DataType) -> bool| {
        parts.iter().any(|part| part.name() == name && right(part.data_type()))
    };
    parts.len() == 4
        && has("type", &|kind| *kind == DataType::Int8)
        && has("size", &|kind| *kind == DataType::Int32)
        && has("indices", &|kind| list_of(kind, &DataType::Int32))
        && has("values", &|kind| list_of(kind, &DataType::Float64))
}

/// Whether two schemas have the same names and types, whatever else they say.
fn same_types(one: &Schema, other: &Schema) -> bool {
    let (one, other) = (one.fields(), other.fields());
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(a, b)| a.name() == b.name() && a.data_type().equals_datatype(b.data_type()))
}
