//! What a run of `--series all` says at its end, and what `--status` says of an index: counts in words, nothing left out.

use std::{collections::HashSet, fmt::Write};

use crate::{
    error::{Error, FolderKind, Result},
    output::tables::{INDEX, SeriesRow, State, read_series_index},
    result::{FoundResult, MANIFEST},
};

/// What the names of files and folders have that are not finished.
const ATTEMPT: &str = ".tmp-";

/// So many series that failed or are left out are named; the index has all.
const NAMED: usize = 20;

/// The lines at the end of a run; `of_no_series` is what else the input has, `names` what is in the output.
#[must_use]
pub fn closing_text(rows: &[SeriesRow], of_no_series: &[String], names: &[String], output: &str) -> String {
    let mut text = counted(rows);
    for rest in of_no_series {
        let _ = write!(text, "\nof no series {rest}");
    }
    let listed: HashSet<&str> = rows.iter().map(|row| row.folder.as_str()).collect();
    let others = names.iter().filter(|name| is_of_series(name) && !listed.contains(name.as_str())).count();
    if others > 0 {
        let _ = write!(
            text,
            "\nearlier      {} of series that are not in this input: they stay, and the index does not list them",
            counted_noun(others, "folder")
        );
    }
    // What belongs together has one name up to its ending.
    let attempts = names.iter().filter_map(|name| {
        let (_, attempt) = name.split_once(ATTEMPT)?;
        Some((attempt.split_once('.').map_or(attempt, |(attempt, _)| attempt), name.starts_with(INDEX)))
    });
    let unfinished = attempts.collect::<HashSet<_>>().len();
    if unfinished > 0 {
        let _ = write!(
            text,
            "\nunfinished   {} that were killed or are under way ({ATTEMPT} in their names); remove them when nothing else runs here",
            counted_noun(unfinished, "attempt")
        );
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

/// Whether a folder is the output of such a run, or may become it: by the names of what is in it, and its index. Without an index, as
/// after one that was lost, there must be nothing but folders of series.
#[must_use]
pub fn is_archive(names: &[String], index: Option<Vec<u8>>) -> bool {
    let there = match index {
        Some(index) => read_series_index(index).is_ok(),
        None => {
            names.iter().map(|name| name.split(ATTEMPT).next()).all(|name| name.is_some_and(is_of_series))
        }
    };
    there && !names.iter().any(|name| name == MANIFEST)
}

/// Refuses an archive of another kind than that of a run, by the manifest of one of its series: nothing is replaced by another kind, so
/// each series would fail.
///
/// # Errors
/// [`Error::OutputOtherArchive`].
pub fn check_kind(manifest: &[u8], kind: FolderKind) -> Result<()> {
    let mut others = [FolderKind::Result, FolderKind::Denoised].into_iter().filter(|other| *other != kind);
    match others.any(|other| FoundResult::of_kind(other, manifest).is_some()) {
        true => Err(Error::OutputOtherArchive(kind)),
        false => Ok(()),
    }
}

/// Whether a folder is named like that of a series.
pub(super) fn is_of_series(name: &str) -> bool {
    let digits = name.strip_prefix("series-").unwrap_or_default();
    digits.len() >= 32 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

fn counted_noun(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Whether all is done.
///
/// # Errors
/// [`Error::SeriesPending`], [`Error::SeriesFailed`].
pub fn check(rows: &[SeriesRow]) -> Result<()> {
    let pending = rows.iter().filter(|row| row.state == State::Pending).count();
    if pending > 0 {
        return Err(Error::SeriesPending { pending, series: rows.len() });
    }
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
    use crate::output::tables::series_index;

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
        let text = closing_text(&rows, &["3 files in other formats than DICOM".to_owned()], &[], "out/");
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
        assert!(!text.contains("earlier") && !text.contains("unfinished"), "{text}");
    }

    #[test]
    fn what_is_not_looked_at_is_not_done() {
        let rows = [row("a", State::Done, ""), row("b", State::Pending, ""), row("c", State::Failed, "why")];
        for (rows, said) in
            [(&rows[..2], "1 of 2 series are not done"), (&rows[..], "1 of 3 series are not done")]
        {
            let error = check(rows).unwrap_err();
            assert_eq!((error.exit_code(), error.to_string().starts_with(said)), (1, true), "{error}");
        }
        assert_eq!(
            check(&rows[2..]).unwrap_err().to_string(),
            "1 of 1 series failed; index.parquet in the output says why"
        );
    }

    #[test]
    fn what_else_is_in_the_output_is_counted() {
        let folder = |digit: &str| format!("series-{}", digit.repeat(32));
        let rows = [SeriesRow { folder: folder("a"), ..row("a", State::Done, "") }];
        let mut names = vec![INDEX.to_owned(), folder("a")];
        let text = closing_text(&rows, &[], &names, "out");
        assert!(!text.contains("earlier") && !text.contains("unfinished"), "{text}");
        names.extend([
            folder("b"),
            format!("{}.tmp-k3", folder("a")),
            format!("{}.tmp-k3.owner", folder("a")),
        ]);
        names.extend([format!("{INDEX}.tmp-17-9"), "series-notes".to_owned()]);
        let text = closing_text(&rows, &[], &names, "out");
        assert!(text.contains("\nearlier      1 folder of series that are not in this input"), "{text}");
        assert!(text.contains("\nunfinished   2 attempts"), "{text}");
    }

    #[test]
    fn an_archive_has_an_index_of_its_own_or_nothing_but_results() {
        let folder = format!("series-{}", "0".repeat(32));
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let index = || Some(series_index(&[row("a", State::Done, "")]).unwrap());
        assert!(is_archive(&[], None));
        assert!(is_archive(&names(&[&folder, &format!("{folder}.tmp-ab.owner")]), None));
        assert!(is_archive(&names(&[INDEX, &folder, "notes"]), index()));
        assert!(!is_archive(&names(&["thesis.tex"]), None));
        assert!(!is_archive(&names(&[&folder, "notes"]), None));
        // Any table may have this name.
        assert!(!is_archive(&names(&[INDEX]), Some(b"PAR1".to_vec())));
        assert!(!is_archive(&names(&[INDEX, MANIFEST]), index()));
    }

    #[test]
    fn of_many_that_failed_some_are_named_and_the_others_counted() {
        let rows: Vec<_> = (0..25).map(|i| row(&i.to_string(), State::Failed, "why")).collect();
        let text = counted(&rows);
        assert_eq!(text.lines().count(), 1 + NAMED + 1);
        assert!(text.ends_with("failed       5 more: see the index"), "{text}");
    }
}
