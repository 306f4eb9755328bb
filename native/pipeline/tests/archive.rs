//! `--series all` in process, seen from its folder.

#[expect(dead_code, reason = "an archive has series of its own")]
mod common;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use common::{SLICES, file, options, slice};
use tomobasis_pipeline::{
    Error,
    commands::{
        all_series::run_all,
        denoise::{denoise, parse_arguments},
    },
    output::tables::{INDEX, SeriesRow, State, read_series_index},
    progress::{Progress, Silent},
};

/// Of each series.
const FILES: usize = 4;

/// Writes a series.
fn write(folder: &Path, number: u32) {
    fs::create_dir_all(folder).unwrap();
    for j in 0..FILES {
        let pixels: Vec<i16> = slice(j).iter().map(|pixel| pixel + number as i16).collect();
        let dicom = file(j, &pixels).text((0x0020, 0x000E), "UI", &format!("2.25.{number}"));
        fs::write(folder.join(format!("{j}.dcm")), dicom.bytes()).unwrap();
    }
}

/// Three series in `scans`.
fn archive() -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    for number in 1..=3 {
        write(&base.path().join(format!("scans/{number}")), number);
    }
    base
}

fn run(base: &Path, output: &str, progress: &dyn Progress) -> Result<String, Error> {
    let options = options(&base.join("scans"), &base.join(output), "--series all --emit parquet")?;
    let archive = run_all(&options, 1, progress)?;
    archive.ended.map(|()| archive.closing)
}

fn rows(output: &Path) -> Vec<SeriesRow> {
    read_series_index(fs::read(output.join(INDEX)).unwrap()).unwrap()
}

fn count(rows: &[SeriesRow], is: impl Fn(&SeriesRow) -> bool) -> usize {
    rows.iter().filter(|row| is(row)).count()
}

/// Stops once so many series have been made.
struct Stops {
    after: u64,
    series: AtomicBool,
    made: AtomicU64,
}

impl Progress for Stops {
    fn stage(&self, number: usize, _: usize, _: &str, _: &str, _: u64) {
        self.series.store(number == 2, Ordering::SeqCst);
    }

    fn advance(&self, count: u64) {
        if self.series.load(Ordering::SeqCst) {
            self.made.fetch_add(count, Ordering::SeqCst);
        }
    }

    fn message(&self, _: &str) {}

    fn stopped(&self) -> bool {
        self.made.load(Ordering::SeqCst) >= self.after
    }
}

/// Stops when the first series is looked at.
struct StopsAtSeries(AtomicBool);

impl Progress for StopsAtSeries {
    fn stage(&self, number: usize, _: usize, _: &str, _: &str, _: u64) {
        self.0.store(number == 2, Ordering::SeqCst);
    }

    fn advance(&self, _: u64) {}

    fn message(&self, _: &str) {}

    fn stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn the_index_of_a_stopped_run_has_what_it_did() {
    let base = archive();
    let output = base.path().join("all");
    let stops = Stops { after: 2, series: AtomicBool::new(false), made: AtomicU64::new(0) };
    assert!(matches!(run(base.path(), "all", &stops).unwrap_err(), Error::Stopped));
    let stopped = rows(&output);
    assert_eq!(count(&stopped, |row| row.state == State::Done && row.root.len() == 64), 2);
    assert_eq!(count(&stopped, |row| row.state == State::Pending), 1);
    run(base.path(), "all", &Silent).unwrap();
    assert_eq!(count(&rows(&output), |row| row.kept), 2);
    // As readable as the results are.
    let mode = |path: &str| fs::metadata(output.join(path)).unwrap().permissions().mode();
    assert_eq!(mode(INDEX), mode(&format!("{}/manifest.json", stopped[0].folder)));
}

#[test]
fn the_index_of_a_restart_never_says_less_than_is_done() {
    let base = archive();
    let output = base.path().join("all");
    run(base.path(), "all", &Silent).unwrap();
    let before = rows(&output);
    // Stopped at once, when the index has been written and no series looked at.
    let at_first = StopsAtSeries(AtomicBool::new(false));
    assert!(matches!(run(base.path(), "all", &at_first).unwrap_err(), Error::Stopped));
    let stopped = rows(&output);
    assert_eq!(count(&stopped, |row| row.state == State::Done && row.kept), 3);
    let roots = |rows: &[SeriesRow]| rows.iter().map(|row| row.root.clone()).collect::<Vec<_>>();
    assert_eq!(roots(&stopped), roots(&before));
    // One whose folder is gone, and all of other options, are still to be made.
    fs::remove_dir_all(output.join(&before[1].folder)).unwrap();
    assert!(matches!(run(base.path(), "all", &at_first).unwrap_err(), Error::Stopped));
    assert_eq!(count(&rows(&output), |row| row.state == State::Pending), 1);
    let other = options(&base.path().join("scans"), &output, "--series all --rank 2 --emit parquet").unwrap();
    assert!(matches!(run_all(&other, 1, &at_first).unwrap_err(), Error::Stopped));
    assert_eq!(count(&rows(&output), |row| row.state == State::Pending), 3);
}

#[test]
fn an_index_that_is_none_of_ours_is_left_alone_and_one_that_was_lost_is_made_again() {
    let base = archive();
    let output = base.path().join("all");
    fs::create_dir(&output).unwrap();
    fs::write(output.join(INDEX), "a table of something else").unwrap();
    assert!(matches!(run(base.path(), "all", &Silent).unwrap_err(), Error::OutputNoArchive));
    assert_eq!(fs::read(output.join(INDEX)).unwrap(), b"a table of something else");
    fs::remove_file(output.join(INDEX)).unwrap();
    run(base.path(), "all", &Silent).unwrap();
    fs::remove_file(output.join(INDEX)).unwrap();
    run(base.path(), "all", &Silent).unwrap();
    assert_eq!(count(&rows(&output), |row| row.kept), 3);
    fs::remove_file(output.join(INDEX)).unwrap();
    fs::write(output.join("notes"), "").unwrap();
    assert!(matches!(run(base.path(), "all", &Silent).unwrap_err(), Error::OutputNoArchive));
}

#[test]
fn an_output_in_the_input_is_refused_by_whatever_path() {
    let base = archive();
    symlink(base.path().join("scans"), base.path().join("link")).unwrap();
    for output in ["scans/all", "link/all", "link/new/all"] {
        assert!(matches!(run(base.path(), output, &Silent).unwrap_err(), Error::OutputInInput), "{output}");
    }
    assert_eq!(fs::read_dir(base.path().join("scans")).unwrap().count(), 3);
}

#[test]
fn results_of_series_that_are_gone_are_counted() {
    let base = archive();
    let closing = run(base.path(), "all", &Silent).unwrap();
    assert!(!closing.contains("earlier") && !closing.contains("unfinished"), "{closing}");
    fs::remove_dir_all(base.path().join("scans/2")).unwrap();
    let folder = rows(&base.path().join("all")).swap_remove(0).folder;
    fs::write(base.path().join("all").join(format!("{folder}.tmp-abcdef.owner")), "").unwrap();
    let closing = run(base.path(), "all", &Silent).unwrap();
    assert!(closing.contains("\nearlier      1 folder of series that are not in this input"), "{closing}");
    assert!(closing.contains("\nunfinished   1 attempt "), "{closing}");
    assert_eq!(rows(&base.path().join("all")).len(), 2);
}

/// Denoises every series of `scans`, or with `--series ONE` one.
fn denoise_all(base: &Path, output: &str, more: &str) -> Result<String, Error> {
    let (input, output) = (base.join("scans"), base.join(output));
    let words = ["--input", input.to_str().unwrap(), "--output", output.to_str().unwrap()];
    let words: Vec<String> = words.into_iter().chain(more.split_whitespace()).map(str::to_owned).collect();
    let args = parse_arguments(&words)?;
    if !args.all_series() {
        return Ok(denoise(args, 1, &Silent)?.closing);
    }
    let archive = run_all(&args.resolve()?.0, 1, &Silent)?;
    archive.ended.map(|()| archive.closing)
}

/// Two series that can be denoised, one of too few slices, and one of another modality.
fn scans_to_denoise() -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    for (number, slices, modality) in [(1, SLICES, "CT"), (2, SLICES - 1, "CT"), (3, 3, "CT"), (4, 5, "MR")] {
        let folder = base.path().join(format!("scans/{number}"));
        fs::create_dir_all(&folder).unwrap();
        for j in 0..slices {
            let dicom = file(j, &slice(j)).text((0x0020, 0x000E), "UI", &format!("2.25.{number}"));
            fs::write(folder.join(format!("{j}.dcm")), dicom.text((0x0008, 0x0060), "CS", modality).bytes())
                .unwrap();
        }
    }
    base
}

#[test]
fn every_series_is_denoised_as_by_a_run_of_its_own_and_kept_by_the_next() {
    let base = scans_to_denoise();
    let output = base.path().join("all");
    let error = denoise_all(base.path(), "all", "--series all --quality fast").unwrap_err();
    assert_eq!(
        (error.exit_code(), error.to_string().starts_with("1 of 4 series failed")),
        (3, true),
        "{error}"
    );
    let first = rows(&output);
    assert_eq!(first.iter().map(|row| row.slices).collect::<Vec<_>>(), [9, 8, 5, 3]);
    let states: Vec<State> = first.iter().map(|row| row.state).collect();
    assert_eq!(states, [State::Done, State::Done, State::Skipped, State::Failed]);
    assert_eq!(first[2].error, "MR: only CT is denoised");
    assert!(first[3].error.starts_with("denoise: 3 slices: at least 4"), "{}", first[3].error);
    for row in &first[..2] {
        let single = format!("one-{}", row.slices);
        denoise_all(base.path(), &single, &format!("--series {} --quality fast", row.series)).unwrap();
        let read =
            |folder: &Path, slice: i64| fs::read(folder.join(format!("dicom/slice-{slice:05}.dcm"))).unwrap();
        let (of_all, alone) = (output.join(&row.folder), base.path().join(single));
        assert!((0..row.slices).all(|slice| read(&of_all, slice) == read(&alone, slice)));
        let manifest = fs::read_to_string(of_all.join("manifest.json")).unwrap();
        assert!(manifest.contains(&row.root) && manifest.contains(&row.fingerprint));
    }
    // Of what is left without a slice nobody can say whether it was changed: it stays. A folder that is gone is made again.
    let damaged = output.join(&first[1].folder);
    fs::remove_file(damaged.join("dicom/slice-00002.dcm")).unwrap();
    denoise_all(base.path(), "all", "--series all --quality fast").unwrap_err();
    let second = rows(&output);
    assert_eq!((second[0].kept, second[1].state), (true, State::Failed));
    assert!(
        second[1].error.contains("dicom in the folder of a denoised series was changed"),
        "{}",
        second[1].error
    );
    fs::remove_dir_all(damaged).unwrap();
    denoise_all(base.path(), "all", "--series all --quality fast").unwrap_err();
    let third = rows(&output);
    assert_eq!((third[0].kept, third[1].kept), (true, false));
    assert_eq!((&third[0].root, &third[1].root), (&first[0].root, &first[1].root));
    // A manifest that was changed is none that is kept, nor one that is replaced.
    let manifest = output.join(&first[0].folder).join("manifest.json");
    let changed = fs::read_to_string(&manifest).unwrap().replacen("\"clipped\"", "\"Clipped\"", 1);
    fs::write(&manifest, changed).unwrap();
    denoise_all(base.path(), "all", "--series all --quality fast").unwrap_err();
    assert_eq!(rows(&output)[0].state, State::Failed);
}

#[test]
fn an_archive_of_one_kind_is_not_made_one_of_the_other() {
    let base = scans_to_denoise();
    denoise_all(base.path(), "denoised", "--series all --quality fast --fail-fast").unwrap_err();
    // Before any was made: of no kind yet.
    assert_eq!(count(&rows(&base.path().join("denoised")), |row| row.state == State::Done), 0);
    fs::remove_dir_all(base.path().join("scans/3")).unwrap();
    denoise_all(base.path(), "denoised", "--series all --quality fast").unwrap();
    assert!(matches!(run(base.path(), "denoised", &Silent).unwrap_err(), Error::OutputOtherArchive(_)));
    run(base.path(), "decomposed", &Silent).unwrap();
    let error = denoise_all(base.path(), "decomposed", "--series all").unwrap_err();
    assert!(matches!(error, Error::OutputOtherArchive(_)) && error.exit_code() == 2, "{error}");
}
