//! `index.parquet` of an archive of results: one row for each series of the input, also for those that have none.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    cast::AsArray,
    types::{Float64Type, Int32Type, Int64Type},
};
use serde::{Deserialize, Serialize};

use super::{
    read::{column, numbers, read},
    small::encode,
};
use crate::error::{Error, Result};

/// Name of the index.
pub const INDEX: &str = "index.parquet";

/// What became of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing yet: a run is under way, or was killed.
    #[default]
    Pending,
    /// Its folder holds its result.
    Done,
    /// It cannot be decomposed, or the attempt failed.
    Failed,
    /// Its kind is left out: localizers, and derived images beside originals.
    Skipped,
}

impl State {
    const ALL: [Self; 4] = [Self::Pending, Self::Done, Self::Failed, Self::Skipped];

    /// Its name in the index.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A series of an archive and what became of it. No text holds a UID, a path or anything of a patient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesRow {
    /// Salted id, as listings show it.
    pub series: String,
    /// Folder of its result in the output; empty where there is none.
    pub folder: String,
    /// What became of it.
    pub state: State,
    /// Whether its result was there before this run.
    pub kept: bool,
    /// Slices.
    pub slices: i64,
    /// Rows of a slice.
    pub rows: i64,
    /// Columns of a slice.
    pub columns: i64,
    /// Slices that `--on-bad-slice skip` left out.
    pub left_out: i64,
    /// Of its slices; hexadecimal, empty where it is not known.
    pub fingerprint: String,
    /// Digest of the options.
    pub options: String,
    /// Root digest of its result.
    pub root: String,
    /// Wall-clock time of the run that made the result, or failed.
    pub seconds: f64,
    /// Why it failed or is left out, in one line.
    pub error: String,
    /// Exit code that the error would have as that of a run of its own.
    pub exit_code: i32,
}

/// The table of these rows.
///
/// # Errors
/// When the library cannot encode the table.
pub fn series_index(rows: &[SeriesRow]) -> Result<Vec<u8>> {
    fn texts(rows: &[SeriesRow], of: impl Fn(&SeriesRow) -> &str) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    }
    fn counts(rows: &[SeriesRow], of: impl Fn(&SeriesRow) -> i64) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(of)))
    }
    let kept: BooleanArray = rows.iter().map(|row| Some(row.kept)).collect();
    Ok(encode(vec![
        ("series", texts(rows, |row| &row.series)),
        ("folder", texts(rows, |row| &row.folder)),
        ("state", texts(rows, |row| row.state.name())),
        ("kept", Arc::new(kept)),
        ("slices", counts(rows, |row| row.slices)),
        ("rows", counts(rows, |row| row.rows)),
        ("columns", counts(rows, |row| row.columns)),
        ("left_out", counts(rows, |row| row.left_out)),
        ("fingerprint", texts(rows, |row| &row.fingerprint)),
        ("options", texts(rows, |row| &row.options)),
        ("root", texts(rows, |row| &row.root)),
        ("seconds", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.seconds)))),
        ("error", texts(rows, |row| &row.error)),
        ("exit_code", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.exit_code)))),
    ])?)
}

/// The rows of an index.
///
/// # Errors
/// [`Error::ResultFile`] for what is none.
pub fn read_series_index(file: Vec<u8>) -> Result<Vec<SeriesRow>> {
    let table = read(INDEX, file)?;
    let texts = |name: &str| texts(&table, name);
    let counts = |name: &str| numbers::<Int64Type>(INDEX, &table, name);
    let wrong = |what: &str| Error::result_file(INDEX, what);
    let (series, folder, state) = (texts("series")?, texts("folder")?, texts("state")?);
    let (fingerprint, options, root) = (texts("fingerprint")?, texts("options")?, texts("root")?);
    let (slices, height, width) = (counts("slices")?, counts("rows")?, counts("columns")?);
    let (left_out, error) = (counts("left_out")?, texts("error")?);
    let seconds = numbers::<Float64Type>(INDEX, &table, "seconds")?;
    let exit_code = numbers::<Int32Type>(INDEX, &table, "exit_code")?;
    let kept = column(INDEX, &table, "kept")?;
    let kept = kept.as_boolean_opt().ok_or_else(|| wrong("kept is not of type Boolean"))?;
    let row = |i: usize| -> Result<SeriesRow> {
        let state = State::ALL.into_iter().find(|one| one.name() == state[i]);
        Ok(SeriesRow {
            series: series[i].clone(),
            folder: folder[i].clone(),
            state: state.ok_or_else(|| wrong("a state is none of this version"))?,
            kept: kept.value(i),
            slices: slices[i],
            rows: height[i],
            columns: width[i],
            left_out: left_out[i],
            fingerprint: fingerprint[i].clone(),
            options: options[i].clone(),
            root: root[i].clone(),
            seconds: seconds[i],
            error: error[i].clone(),
            exit_code: exit_code[i],
        })
    };
    (0..table.num_rows()).map(row).collect()
}

fn texts(table: &RecordBatch, name: &str) -> Result<Vec<String>> {
    let column = column(INDEX, table, name)?;
    let texts = column
        .as_string_opt::<i32>()
        .ok_or_else(|| Error::result_file(INDEX, format!("{name} is no text")))?;
    Ok(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_as_it_was_written() {
        let done = SeriesRow {
            series: "3f2a9c01".to_owned(),
            folder: "series-3f2a".to_owned(),
            state: State::Done,
            kept: true,
            slices: 301,
            rows: 512,
            columns: 256,
            left_out: 2,
            fingerprint: "a1".to_owned(),
            options: "b2".to_owned(),
            root: "c3".to_owned(),
            seconds: 1.25,
            ..SeriesRow::default()
        };
        let error = "file 3 of 9 (id 01234567): the file is empty".to_owned();
        let failed = SeriesRow { state: State::Failed, error, exit_code: 3, ..SeriesRow::default() };
        let rows = [done, failed, SeriesRow::default()];
        assert_eq!(read_series_index(series_index(&rows).unwrap()).unwrap(), rows);
        assert_eq!(read_series_index(series_index(&[]).unwrap()).unwrap(), []);
        assert!(read_series_index(b"PAR1".to_vec()).is_err());
    }
}
