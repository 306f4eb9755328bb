//! Parquet files: numbers in columns, or a vector in each row.
//!
//! A file or several, whose rows continue one another. Their columns are
//!
//! - all numeric: each is a column of the matrix; or
//! - one column of lists of numbers, all of one length: each list is a row; or
//! - one column of MLlib's vectors, dense or sparse, as Spark writes them: `{type, size, indices, values}`;
//!
//! the latter two perhaps with a column `index` of integers, as the rows of an `IndexedRowMatrix` have. The rows have to be in its order.

mod columns;
mod file;
mod index;
mod lists;
mod schema;
mod vectors;

use std::ops::Range;

use arrow_array::{Array as _, RecordBatch, cast::AsArray};
use ndarray::{ArrayViewMut2, s};
use serde::{Deserialize, Serialize};

use self::{
    file::{batches, guarded, metadata},
    index::check_order,
    lists::null_row,
    schema::{Shape, Small, check_meaning, describe, same_types},
};
use super::{
    flat::Width,
    source::{AT_ONCE, Files, Problem, Tile, cuts},
};

/// A matrix in Parquet files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    columns: usize,
    shape: Shape,
    small: Small,
    /// The row groups of all files, in the order of their rows.
    groups: Vec<Group>,
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

impl Table {
    /// Reads the footers of all files, and the length of the first vector.
    pub fn open(files: &Files) -> Result<Self, Problem> {
        let (mut found, mut groups, mut rows) = (None, Vec::new(), 0u64);
        for file in 0..files.len() {
            let metadata = metadata(files, file)?;
            let schema = metadata.schema();
            let in_file = |text| Problem::Input(files.named(file), text);
            let described = describe(schema).map_err(in_file)?;
            check_meaning(metadata.metadata().file_metadata(), described.0).map_err(in_file)?;
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
        out: ArrayViewMut2<'_, f64>,
    ) -> Result<(), Problem> {
        let (Shape::List { column, index } | Shape::Vector { column, index }) = self.shape else {
            return columns::fill(batch, first, columns, out);
        };
        if let Some(index) = index {
            check_order(batch.column(usize::from(index > column)), first)?;
        }
        let rows = batch.column(index.map_or(0, |index| usize::from(index < column)));
        match self.shape {
            Shape::Vector { .. } => vectors::fill(rows.as_struct(), first, columns, self.columns, out),
            _ => lists::fill(rows.as_list(), first, columns, self.columns, out),
        }
    }
}

/// The length of the first row, of lists and vectors.
fn first_length(files: &Files, group: &Group, shape: Shape) -> Result<usize, Problem> {
    let (Shape::List { column, .. } | Shape::Vector { column, .. }) = shape else { return Ok(0) };
    let rows = group.first..group.first + 1;
    let (chunks, mut batches) = batches(files, group, &rows, &[column])?;
    let batch = batches.next();
    let damaged =
        || Problem::Input(files.named(group.file), "its first row cannot be read; write it again".to_owned());
    let batch =
        batch.ok_or_else(damaged)?.map_err(|error| chunks.problem(files, group.file, error.into()))?;
    let length = match shape {
        Shape::Vector { .. } => vectors::first_length(batch.column(0).as_struct()),
        _ => lists::first_length(batch.column(0).as_list()),
    };
    length.ok_or_else(|| if batch.column(0).is_null(0) { null_row(group.first) } else { damaged() })
}
