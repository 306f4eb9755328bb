//! Mahout's distributed row matrices: Hadoop's SequenceFiles of integer keys and `VectorWritable`s.
//!
//! A file or several; the key of a record is the index of its row, from 0, so rows may be in any order and in any file. They are found by
//! reading all files once: `sequence_file` says where records are, `vector` what is in one. What is kept of that are runs: records one
//! after another whose keys are consecutive. A matrix that was written in order has a run for each tile, one in no order a run for each
//! row.
//!
//! Sources: Hadoop's `SequenceFile` (version 6), Mahout's `VectorWritable` and `Varint` (0.13 and 14.1 write the same).

mod sequence_file;
mod vector;

use std::ops::Range;

use ndarray::{ArrayViewMut1, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use self::sequence_file::{Header, Records};
use super::{
    flat::Width,
    source::{AT_ONCE, Files, Problem, Tile, cuts},
};

/// A matrix in SequenceFiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drm {
    columns: usize,
    rows: u64,
    /// Of each file.
    headers: Vec<Header>,
    /// In the order of their rows, which they have all of.
    runs: Vec<Run>,
}

/// Records one after another, whose keys are consecutive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// The first row.
    row: u64,
    rows: u64,
    file: usize,
    /// The place in the file from which on it is read, up to `end`.
    at: u64,
    end: u64,
    /// Records that are read before it, of its block.
    before: usize,
}

impl Drm {
    /// Reads all files once, to find where their rows are.
    pub fn open(files: &Files) -> Result<Self, Problem> {
        let headers: Vec<Header> =
            (0..files.len()).map(|file| Header::read(files, file)).collect::<Result<_, _>>()?;
        let columns = first_length(files, &headers)?;
        let step = step(columns);
        let mut runs: Vec<Run> = Vec::new();
        for (file, header) in headers.iter().enumerate() {
            let mut records = Records::of(files, file, header, header.start..files.length(file));
            let mut current: Option<Run> = None;
            while let Some(record) = records.next()? {
                let row = row_of(files, file, record.key)?;
                match &mut current {
                    Some(run) if run.row + run.rows == row && row % step != 0 => {
                        run.rows += 1;
                        run.end = record.end;
                    }
                    _ => {
                        runs.extend(current.take());
                        let (at, end, before) = (record.at, record.end, record.before);
                        current = Some(Run { row, rows: 1, file, at, end, before });
                    }
                }
            }
            runs.extend(current);
        }
        runs.sort_by_key(|run| run.row);
        let rows = check_rows(files, &runs)?;
        if rows == 0 || columns == 0 {
            let text = format!("the matrix is {rows} x {columns}; give one with rows and columns");
            return Err(Problem::input(text));
        }
        Ok(Self { columns, rows, headers, runs })
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn width(&self) -> Width {
        Width::Any
    }

    pub fn cuts(&self) -> (Vec<u64>, Vec<u64>) {
        (cuts(self.rows, step(self.columns)), vec![0])
    }

    /// Reads a tile.
    pub fn read(&self, files: &Files, tile: &Tile, mut out: ArrayViewMut2<'_, f64>) -> Result<(), Problem> {
        let from = self.runs.partition_point(|run| run.row + run.rows <= tile.rows.start);
        let mut mine: Vec<&Run> =
            self.runs[from..].iter().take_while(|run| run.row < tile.rows.end).collect();
        // In the order of the files: runs of one block come one after the other, so that it is unpacked once.
        mine.sort_by_key(|run| (run.file, run.at, run.before));
        let mut runs = mine.as_slice();
        while let [first, ..] = runs {
            let same = runs.partition_point(|run| (run.file, run.at) <= (first.file, first.at));
            let end = runs[..same].iter().map(|run| run.end).max().unwrap_or(first.end);
            let mut records = Records::of(files, first.file, &self.headers[first.file], first.at..end);
            let mut taken = 0;
            for run in &runs[..same] {
                for _ in taken..run.before {
                    records.next()?;
                }
                taken = run.before + self.read_run(files, run, &mut records, tile, &mut out)?;
            }
            runs = &runs[same..];
        }
        Ok(())
    }

    /// Reads the rows of a run that a tile has; how many records that took.
    fn read_run(
        &self,
        files: &Files,
        run: &Run,
        records: &mut Records<'_>,
        tile: &Tile,
        out: &mut ArrayViewMut2<'_, f64>,
    ) -> Result<usize, Problem> {
        let mut taken = 0;
        for row in run.row..(run.row + run.rows).min(tile.rows.end) {
            let problem = |text: String| Problem::Input(files.named(run.file), text);
            let record = records.next()?.filter(|record| u64::try_from(record.key) == Ok(row));
            let record = record.ok_or_else(|| problem(format!("row {} has gone", row + 1)))?;
            taken += 1;
            if row >= tile.rows.start {
                let target = out.row_mut((row - tile.rows.start) as usize);
                self.fill(record.value()?, &tile.columns, target)
                    .map_err(|what| problem(format!("row {} (key {row}): {what}", row + 1)))?;
            }
        }
        Ok(taken)
    }

    fn fill(
        &self,
        value: &[u8],
        columns: &Range<usize>,
        mut target: ArrayViewMut1<'_, f64>,
    ) -> Result<(), String> {
        target.fill(0.0);
        vector::read(value, self.columns, |column, number| {
            if columns.contains(&column) {
                target[column - columns.start] = number;
            }
        })
    }
}

/// Rows that are read at a time.
fn step(columns: usize) -> u64 {
    (AT_ONCE / columns.max(1) as u64).max(1)
}

/// The length of the first vector of all; 0 where there is none.
fn first_length(files: &Files, headers: &[Header]) -> Result<usize, Problem> {
    for (file, header) in headers.iter().enumerate() {
        let mut records = Records::of(files, file, header, header.start..files.length(file));
        if let Some(record) = records.next()? {
            let key = record.key;
            return vector::length(record.value()?).map_err(|what| {
                Problem::Input(files.named(file), format!("its first record (key {key}): {what}"))
            });
        }
    }
    Ok(0)
}

fn row_of(files: &Files, file: usize, key: i64) -> Result<u64, Problem> {
    u64::try_from(key).map_err(|_| {
        let text = format!("it has a record with key {key}; keys are the indices of rows, from 0");
        Problem::Input(files.named(file), text)
    })
}

/// How many rows there are, where each is there once.
fn check_rows(files: &Files, runs: &[Run]) -> Result<u64, Problem> {
    let (mut next, mut before) = (0, None);
    for run in runs {
        let text = match run.row {
            row if row < next => format!(
                "it has a record with key {row}, and so has another; give each row once{}",
                if files.len() > 1 { ", and no copies of files" } else { "" }
            ),
            row if row > next => {
                let (rows, of) = (row - next, before.unwrap_or(run.file));
                let which = if rows == 1 {
                    format!("key {next} is")
                } else {
                    format!("keys {next} to {} are", row - 1)
                };
                let text = format!(
                    "{which} missing; give a record for each row, also for rows of zeros, and all files of the matrix"
                );
                return Err(Problem::Input(files.named(of), text));
            }
            row => {
                next = row.saturating_add(run.rows);
                before = Some(run.file);
                continue;
            }
        };
        return Err(Problem::Input(files.named(run.file), text));
    }
    Ok(next)
}

#[cfg(test)]
mod tests;
