//! A process that is told to stop removes what it has not finished. Alone in its file: it concerns the whole process.

use tomobasis_pipeline::{
    FolderKind,
    result::{StagedFolder, remove_unfinished},
};

#[test]
fn stopping_removes_folders_in_the_making_and_keeps_finished_ones() {
    let base = tempfile::tempdir().unwrap();
    let (finished, unfinished) = (base.path().join("finished"), base.path().join("unfinished"));
    let staged = StagedFolder::create(&finished, FolderKind::Result, false).unwrap();
    staged.write("manifest.json", &[b"{}"]).unwrap();
    staged.commit().unwrap();
    let staged = StagedFolder::create(&unfinished, FolderKind::Result, false).unwrap();
    staged.write("basis/part", &[b"x"]).unwrap();
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 3);
    remove_unfinished();
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 1);
    assert!(finished.join("_SUCCESS").exists());
}
