//! What a run of `--series all` says at its end, and what `--status` says of an index: counts in words, nothing left out.

use std::fmt::Write;

use crate::{
    error::{Error, Result},
    output::tables::{INDEX, SeriesRow, State, read_series_index},
};

/// So many series that failed or are left out are named; the index has all.
const NAMED: usize = 20;

/// The lines at the end of a run; `of_no_series` is what else the input has.
#[must_use]
pub fn closing_text(rows: &[SeriesRow], of_no_series: &[String], output: &str) -> String {
    let mut text = counted(rows);
    for rest in of_no_series {
        let _ = write!(text, "\nof no series {rest}");
    }
    let _ = write!(text, "\nindex        {}/{INDEX}", output.trim_end_matches('/'));
    text
}

/// What `--status` prints of an index.
///
/// # Errors
/// [`Error::ResultFile`] for what is no index.
pub fn status_text(index: Vec<u8>) -> Result<String> {
    Ok(counted(&read_series_index(index)?))
}

/// Whether all is done.
///
/// # Errors
/// [`Error::SeriesFailed`].
pub fn check(rows: &[SeriesRow]) -> Result<()> {
    let failed: Vec<_> = rows.iter().filter(|row| row.state == State::Failed).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let of_input = failed.iter().all(|row| row.exit_code == 3);
    Err(Error::SeriesFailed { failed: failed.len(), series: rows.len(), of_input })
}

/// The error of the series that ended a run with `--fail-fast`; `None` where none failed.
#[must_use]
pub fn failed_fast(rows: &[SeriesRow]) -> Option<Error> {
    let row = rows.iter().find(|row| row.state == State::Failed)?;
    Some(Error::FailedFast {
        id: row.series.clone(),
        problem: row.error.clone(),
        left: rows.iter().filter(|row| row.state == State::Pending).count(),
        series: rows.len(),
        exit_code: u8::try_from(row.exit_code).unwrap_or(1),
    })
}

/// How many series are what, and which failed or are left out.
pub(super) fn counted(rows: &[SeriesRow]) -> String {
    let of = |state| rows.iter().filter(move |row| row.state == state);
    let kept = of(State::Done).filter(|row| row.kept).count();
    let mut text = format!("series       {}: {} done", rows.len(), of(State::Done).count());
    if kept > 0 {
        let _ = write!(text, " ({kept} of them before)");
    }
    let _ = write!(text, ", {} failed, {} left out", of(State::Failed).count(), of(State::Skipped).count());
    let pending = of(State::Pending).count();
    if pending > 0 {
        let _ = write!(text, ", {pending} not yet done");
    }
    let left_out: i64 = of(State::Done).map(|row| row.left_out).sum();
    if left_out > 0 {
        let _ = write!(text, "\nslices       {left_out} left out (--on-bad-slice skip)");
    }
    for (state, name) in [(State::Failed, "failed"), (State::Skipped, "left out")] {
        for row in of(state).take(NAMED) {
            let _ = write!(text, "\n{name:<12} {}: {}", row.series, row.error);
        }
        let more = of(state).count().saturating_sub(NAMED);
        if more > 0 {
            let _ = write!(text, "\n{name:<12} {more} more: see the index");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(series: &str, state: State, error: &str) -> SeriesRow {
        let exit_code = if state == State::Failed { 3 } else { 0 };
        let (series, error) = (series.to_owned(), error.to_owned());
        SeriesRow { series, state, slices: 10, error, exit_code, ..SeriesRow::default() }
    }

    #[test]
    fn every_series_is_counted_and_what_failed_is_named() {
        let kept = SeriesRow { kept: true, left_out: 1, ..row("a", State::Done, "") };
        let mut rows = vec![kept, row("b", State::Done, ""), row("c", State::Failed, "it is empty")];
        rows.push(row("d", State::Skipped, "a localizer"));
        let text = closing_text(&rows, &["3 files in other formats than DICOM".to_owned()], "out/");
        for line in [
            "series       4: 2 done (1 of them before), 1 failed, 1 left out",
            "slices       1 left out (--on-bad-slice skip)",
            "failed       c: it is empty",
            "left out     d: a localizer",
            "of no series 3 files in other formats than DICOM",
            "index        out/index.parquet",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        let error = check(&rows).unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().starts_with("1 of 4 series failed")), (3, true));
        rows.push(SeriesRow { exit_code: 1, ..row("e", State::Failed, "no memory") });
        assert_eq!(check(&rows).unwrap_err().exit_code(), 1);
        assert!(check(&rows[..2]).is_ok());
    }

    #[test]
    fn of_many_that_failed_some_are_named_and_the_others_counted() {
        let rows: Vec<_> = (0..25).map(|i| row(&i.to_string(), State::Failed, "why")).collect();
        let text = counted(&rows);
        assert_eq!(text.lines().count(), 1 + NAMED + 1);
        assert!(text.ends_with("failed       5 more: see the index"), "{text}");
    }
}
