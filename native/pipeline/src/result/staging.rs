//! Writing a result folder on the local file system so that nobody ever sees half of one.
//!
//! Files go into a folder of a temporary name beside the output ([`Workplace`]), which gets the output's name when all is there. What
//! fails before leaves nothing behind, and an old result that is to be replaced stays until then.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    MANIFEST, SUCCESS, outside::refuse_inside_a_result, overwriting::allow_overwriting, workplace::Workplace,
};
use crate::{
    error::{Error, FolderKind, Result},
    os::{self, Renamed},
};

/// A folder in the making, whose manifest says what kind it is of.
#[derive(Debug)]
pub struct StagedFolder {
    kind: FolderKind,
    overwrite: bool,
    place: Workplace,
    notes: Vec<String>,
}

/// What a new folder may replace.
#[derive(Clone, Copy)]
enum Over<'a> {
    /// Any of its kind.
    Any,
    /// The one whose manifest has these bytes.
    Only(Option<&'a [u8]>),
}

impl Over<'_> {
    fn is(self, folder: &Path) -> bool {
        match self {
            Self::Any => true,
            Self::Only(manifest) => fs::read(folder.join(MANIFEST)).ok().as_deref() == manifest,
        }
    }
}

impl StagedFolder {
    /// Checks the output, of which only a folder of this kind may be replaced, and makes the temporary folder beside it, once what
    /// killed runs have left there is gone.
    ///
    /// # Errors
    /// [`Error::OutputExists`], [`Error::OutputForeign`], [`Error::OutputHoldsOthers`], [`Error::OutputNotWritable`], and
    /// [`Error::Option`] for an output in a finished folder of this program, which holds nothing but its files.
    pub fn create(output: &Path, kind: FolderKind, overwrite: bool) -> Result<Self> {
        let output = &behind_links(output);
        refuse_inside_a_result("--output", output)?;
        let notes = Workplace::clear_leftovers(output);
        if fs::symlink_metadata(output).is_ok() {
            allow_overwriting(output, kind, overwrite)?;
        }
        let place = Workplace::make(output).map_err(Error::OutputNotWritable)?;
        Ok(Self { kind, overwrite, place, notes })
    }

    /// What killed runs left and could not be removed.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the run is called, beside its output and in the manifest.
    #[must_use]
    pub fn id(&self) -> String {
        self.place.id()
    }

    /// Whether a path leads to what this run has made beside its output.
    #[must_use]
    pub fn made(&self, path: &Path) -> bool {
        self.place.holds(path)
    }

    /// Writes one file, given in pieces; `path` is relative to the result folder. May be called from any thread.
    ///
    /// # Errors
    /// [`Error::Write`] with `path`.
    pub fn write(&self, path: &str, pieces: &[&[u8]]) -> Result<()> {
        let mut target = self.place.folder().to_owned();
        let mut write = || {
            let mut parts = Path::new(path).components().peekable();
            while let Some(part) = parts.next() {
                target.push(part);
                // Never the folder itself: one that was removed meanwhile is not brought back.
                if parts.peek().is_some()
                    && let Err(error) = fs::create_dir(&target)
                    && error.kind() != io::ErrorKind::AlreadyExists
                {
                    return Err(error);
                }
            }
            let mut file = File::create(&target)?;
            pieces.iter().try_for_each(|piece| file.write_all(piece))
        };
        write().map_err(|source| Error::Write { file: path.to_owned(), source })
    }

    /// Marks the folder complete and gives it its name: where the name is free, or in exchange with a result to overwrite. Either is one
    /// step, so that of two runs one wins, and there is always a result where there was one. Reports what could not be
    /// removed of the old one.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::OutputExists`], [`Error::OutputForeign`], [`Error::OutputNotWritable`].
    pub fn commit(self) -> Result<Option<String>> {
        self.commit_over_what(Over::Any)
    }

    /// The same, in exchange for nothing but the folder whose manifest has these bytes, or for none: what another run has put there
    /// meanwhile stays.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), and [`Error::OutputOvertaken`].
    pub fn commit_over(self, manifest: Option<&[u8]>) -> Result<Option<String>> {
        self.commit_over_what(Over::Only(manifest))
    }

    fn commit_over_what(self, over: Over<'_>) -> Result<Option<String>> {
        self.write(SUCCESS, &[])?;
        self.place.finish(|| self.rename(over))?;
        Ok(self.place.leave())
    }

    fn rename(&self, over: Over<'_>) -> Result<()> {
        let (made, output) = (self.place.folder(), self.place.output());
        match os::rename_to_free_name(made, output) {
            Ok(Renamed::Done) => Ok(()),
            // NFS: a plain rename, which fails on a folder that is not empty.
            Ok(Renamed::Unsupported) if !output.exists() => {
                os::rename(made, output).map_err(Error::OutputNotWritable)
            }
            Ok(Renamed::Taken | Renamed::Unsupported) => {
                if !over.is(output) {
                    return Err(Error::OutputOvertaken);
                }
                allow_overwriting(output, self.kind, self.overwrite)?;
                self.exchange(over)
            }
            Err(error) => Err(Error::OutputNotWritable(error)),
        }
    }

    /// Gives the new folder its name, and the old one another, under which it is removed.
    ///
    /// In one step where the file system can (Linux's own and macOS's can, NFS and Windows's cannot); else by two renames, of which the first is undone when the
    /// second fails, or by the next run where this one was killed between them.
    fn exchange(&self, over: Over<'_>) -> Result<()> {
        let (made, output) = (self.place.folder(), self.place.output());
        let exchanged = || os::exchange(made, output);
        if exchanged().is_ok() {
            // Another run may have come between the look and the exchange.
            if over.is(made) {
                return Ok(());
            }
            exchanged().map_err(Error::OutputNotWritable)?;
            return Err(Error::OutputOvertaken);
        }
        let old = self.place.replaced();
        let renamed = || -> io::Result<()> {
            os::rename(output, &old)?;
            os::rename(made, output).or_else(|error| os::rename(&old, output).and(Err(error)))
        };
        renamed().map_err(Error::OutputNotWritable)
    }
}

/// Where a link to a folder leads: the folder is replaced there, and not the link by a folder beside it, perhaps on another disk.
fn behind_links(output: &Path) -> PathBuf {
    // Without a slash at its end, which follows a link.
    let plain: PathBuf = output.components().collect();
    let is_link = fs::symlink_metadata(&plain).is_ok_and(|link| link.is_symlink()) && plain.is_dir();
    if is_link { plain.canonicalize().unwrap_or(plain) } else { output.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that a manifest needs to be known, and something to tell it by.
    fn manifest(what: &str) -> Vec<u8> {
        format!(r#"{{"format": "tomobasis result 1", "what": "{what}"}}"#).into_bytes()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_committed_folder_has_its_name_and_its_files_and_success() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("deep/result");
        let staged = StagedFolder::create(&output, FolderKind::Result, false).unwrap();
        staged.write("basis/part", &[b"x".as_slice()]).unwrap();
        staged.write(MANIFEST, &[b"{}".as_slice()]).unwrap();
        assert!(!output.exists());
        staged.commit().unwrap();
        assert_eq!(names(&output), ["_SUCCESS", "basis", MANIFEST]);
        assert_eq!(names(output.parent().unwrap()), ["result"]);
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let base = tempfile::tempdir().unwrap();
        let staged = StagedFolder::create(&base.path().join("result"), FolderKind::Result, false).unwrap();
        staged.write(MANIFEST, &[b"{}".as_slice()]).unwrap();
        drop(staged);
        assert!(names(base.path()).is_empty());
    }

    #[test]
    fn what_a_stopped_process_removes_does_not_come_back() {
        let base = tempfile::tempdir().unwrap();
        let staged = StagedFolder::create(&base.path().join("result"), FolderKind::Result, false).unwrap();
        staged.write("dicom/k=5/slice", &[b"x".as_slice()]).unwrap();
        fs::remove_dir_all(staged.place.folder()).unwrap();
        assert!(matches!(staged.write("basis/part", &[b"x".as_slice()]), Err(Error::Write { .. })));
        drop(staged);
        assert!(names(base.path()).is_empty());
    }

    #[test]
    fn an_old_result_is_replaced_only_on_request_and_at_the_end() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        fs::create_dir(&output).unwrap();
        fs::write(output.join(MANIFEST), manifest("old")).unwrap();
        assert!(matches!(StagedFolder::create(&output, FolderKind::Result, false), Err(Error::OutputExists)));
        let staged = StagedFolder::create(&output, FolderKind::Result, true).unwrap();
        staged.write(MANIFEST, &[&manifest("new")]).unwrap();
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("old"));
        staged.commit().unwrap();
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("new"));
        assert_eq!(names(base.path()), ["result"]);
    }

    #[test]
    fn behind_a_link_the_folder_is_replaced_to_which_it_leads() {
        let base = tempfile::tempdir().unwrap();
        let (disk, link) = (base.path().join("disk/result"), base.path().join("link"));
        fs::create_dir_all(&disk).unwrap();
        fs::write(disk.join(MANIFEST), manifest("old")).unwrap();
        std::os::unix::fs::symlink(&disk, &link).unwrap();
        assert!(matches!(StagedFolder::create(&link, FolderKind::Result, false), Err(Error::OutputExists)));
        for (output, what) in [(link.clone(), "new"), (base.path().join("link/"), "newer")] {
            let staged = StagedFolder::create(&output, FolderKind::Result, true).unwrap();
            staged.write(MANIFEST, &[&manifest(what)]).unwrap();
            staged.commit().unwrap();
            assert_eq!(fs::read(disk.join(MANIFEST)).unwrap(), manifest(what));
        }
        assert!(link.is_symlink());
        assert_eq!(names(base.path()), ["disk", "link"]);
        assert_eq!(names(&base.path().join("disk")), ["result"]);
    }

    #[test]
    fn a_result_that_another_run_finished_meanwhile_stays() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let [early, late] = [false, false]
            .map(|overwrite| StagedFolder::create(&output, FolderKind::Result, overwrite).unwrap());
        early.write(MANIFEST, &[&manifest("early")]).unwrap();
        late.write(MANIFEST, &[&manifest("late")]).unwrap();
        early.commit().unwrap();
        assert!(matches!(late.commit(), Err(Error::OutputExists)));
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("early"));
        assert_eq!(names(base.path()), ["result"]);
    }

    #[test]
    fn a_result_goes_only_for_the_run_that_has_seen_it() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let staged = |what: &str| {
            let staged = StagedFolder::create(&output, FolderKind::Result, true).unwrap();
            staged.write(MANIFEST, &[&manifest(what)]).unwrap();
            staged
        };
        let [first, second] = ["first", "second"].map(staged);
        first.commit_over(None).unwrap();
        assert!(matches!(second.commit_over(None), Err(Error::OutputOvertaken)));
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("first"));
        staged("third").commit_over(Some(&manifest("first"))).unwrap();
        assert!(matches!(
            staged("fourth").commit_over(Some(&manifest("first"))),
            Err(Error::OutputOvertaken)
        ));
        assert_eq!(fs::read(output.join(MANIFEST)).unwrap(), manifest("third"));
        assert_eq!(names(base.path()), ["result"]);
    }

    #[test]
    fn what_became_something_else_meanwhile_is_not_replaced() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let staged = StagedFolder::create(&output, FolderKind::Result, true).unwrap();
        fs::create_dir(&output).unwrap();
        fs::write(output.join("thesis.tex"), b"").unwrap();
        assert!(matches!(staged.commit(), Err(Error::OutputForeign(FolderKind::Result))));
        assert_eq!(names(&output), ["thesis.tex"]);
        assert_eq!(names(base.path()), ["result"]);
    }

    #[test]
    fn a_folder_of_something_else_is_never_replaced() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("thesis.tex"), b"").unwrap();
        assert!(matches!(
            StagedFolder::create(base.path(), FolderKind::Result, true),
            Err(Error::OutputForeign(FolderKind::Result))
        ));
        for other in [r#"{"name": "my web app"}"#, r#"{"format": "web app 1"}"#, "[1]", "old", ""] {
            fs::write(base.path().join(MANIFEST), other).unwrap();
            assert!(
                matches!(
                    StagedFolder::create(base.path(), FolderKind::Result, true),
                    Err(Error::OutputForeign(FolderKind::Result))
                ),
                "{other}"
            );
        }
        assert_eq!(names(base.path()), [MANIFEST, "thesis.tex"]);
    }

    #[test]
    fn nothing_is_made_in_a_finished_folder_whatever_leads_there() {
        let base = tempfile::tempdir().unwrap();
        let result = base.path().join("result");
        fs::create_dir_all(result.join("pictures")).unwrap();
        std::os::unix::fs::symlink(result.join("pictures"), base.path().join("link")).unwrap();
        fs::write(result.join(MANIFEST), b"{}").unwrap();
        let made = |place: &str| StagedFolder::create(&base.path().join(place), FolderKind::Result, false);
        assert!(made("result/new").is_ok());
        fs::write(result.join(SUCCESS), b"").unwrap();
        for place in ["result/new", "result/pictures/new", "result/not/there/new", "link/new"] {
            assert!(matches!(made(place), Err(Error::Option { option: "--output", .. })), "{place}");
        }
        assert_eq!(names(&result), ["_SUCCESS", MANIFEST, "pictures"]);
        assert!(made("beside").is_ok());
    }

    #[test]
    fn a_folder_of_another_kind_is_not_replaced() {
        use FolderKind::{Reference, Result};
        let base = tempfile::tempdir().unwrap();
        for (kind, format, other) in
            [(Result, "tomobasis result 1", Reference), (Reference, "tomobasis reference 1", Result)]
        {
            fs::write(base.path().join(MANIFEST), format!(r#"{{"format": "{format}", "files": []}}"#))
                .unwrap();
            let refused = StagedFolder::create(base.path(), other, true).unwrap_err();
            let said =
                format!("--output: it exists and is not a {other}, so --overwrite will not replace it");
            assert!(refused.to_string().starts_with(&said), "{refused}");
            drop(StagedFolder::create(base.path(), kind, true).unwrap());
        }
    }

    #[test]
    fn a_result_with_something_else_in_its_folders_is_not_replaced() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let listed = r#"[{"path": "basis/part-00000.parquet"}, {"path": "dicom/k=5/slice-00000.dcm"}]"#;
        let text = format!(r#"{{"format": "tomobasis result 1", "files": {listed}, "run": {{}}}}"#);
        for name in ["basis/part-00000.parquet", "basis/.part-00000.parquet.crc", "dicom/k=5/slice-00000.dcm"]
        {
            fs::create_dir_all(output.join(name).parent().unwrap()).unwrap();
            fs::write(output.join(name), b"").unwrap();
        }
        fs::write(output.join(MANIFEST), &text).unwrap();
        drop(StagedFolder::create(&output, FolderKind::Result, true).unwrap());
        for other in [
            "basis/notes.txt",
            "dicom/k=5/mine.dcm",
            "dicom/README",
            "pictures/mine.png",
            "run-2024/a",
            "run-3f2a9c01-77aa12bc/a",
            "weights.parquet/a",
            "basis/part-00000.parquet.crc/a",
        ] {
            let made = output.join(other);
            fs::create_dir_all(made.parent().unwrap()).unwrap();
            fs::write(&made, b"mine").unwrap();
            let refused = StagedFolder::create(&output, FolderKind::Result, true);
            assert!(matches!(refused, Err(Error::OutputHoldsOthers { others: 1, .. })), "{other}");
            fs::remove_file(&made).unwrap();
            let _others_in_it = fs::remove_dir(made.parent().unwrap());
        }
        drop(StagedFolder::create(&output, FolderKind::Result, true).unwrap());
    }

    #[test]
    fn a_result_in_a_folder_of_its_run_is_replaced_with_what_other_runs_left_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let place = "run-01234567-89abcdef";
        let text = format!(
            r#"{{"format": "tomobasis result 1", "files": [{{"path": "basis/a"}}], "run": {{"folder": "{place}"}}}}"#
        );
        fs::create_dir_all(output.join(place).join("basis")).unwrap();
        for left in ["run-76543210-fedcba98", "basis"] {
            fs::create_dir(output.join(left)).unwrap();
        }
        fs::write(output.join(place).join("basis/a"), b"").unwrap();
        fs::write(output.join(MANIFEST), &text).unwrap();
        drop(StagedFolder::create(&output, FolderKind::Result, true).unwrap());
        for other in [format!("{place}/notes.txt"), format!("{place}/basis/b"), "notes.txt".to_owned()] {
            fs::write(output.join(&other), b"mine").unwrap();
            let refused = StagedFolder::create(&output, FolderKind::Result, true);
            assert!(matches!(refused, Err(Error::OutputHoldsOthers { others: 1, .. })), "{other}");
            fs::remove_file(output.join(&other)).unwrap();
        }
    }

    #[test]
    fn what_a_stopped_process_has_given_up_gets_no_name() {
        let base = tempfile::tempdir().unwrap();
        let staged = StagedFolder::create(&base.path().join("result"), FolderKind::Result, false).unwrap();
        staged.place.give_up();
        assert!(matches!(staged.commit(), Err(Error::OutputNotWritable(_))));
        assert!(names(base.path()).is_empty());
    }

    #[test]
    fn a_result_with_something_else_beside_it_is_not_replaced() {
        let base = tempfile::tempdir().unwrap();
        let output = base.path().join("result");
        let own = ["_SUCCESS", ".part.crc", "report.html", "weights.parquet", "run-0123abcd-4567ef89"];
        fs::create_dir(&output).unwrap();
        fs::write(output.join(MANIFEST), manifest("old")).unwrap();
        own.iter().for_each(|name| fs::write(output.join(name), b"").unwrap());
        drop(StagedFolder::create(&output, FolderKind::Result, true).unwrap());
        for other in ["notes.txt", "run", ".git", "basis.bak"] {
            fs::write(output.join(other), b"mine").unwrap();
            let refused = StagedFolder::create(&output, FolderKind::Result, true);
            assert!(matches!(refused, Err(Error::OutputHoldsOthers { others: 1, .. })), "{other}");
            fs::remove_file(output.join(other)).unwrap();
        }
        let staged = StagedFolder::create(&output, FolderKind::Result, true).unwrap();
        fs::write(output.join("notes.txt"), b"mine").unwrap();
        assert!(matches!(staged.commit(), Err(Error::OutputHoldsOthers { .. })));
        assert!(output.join("notes.txt").exists());
    }
}
