//! The result folder: what is written into it and how it is read back. `docs/format.md` is its definition.

mod disk;
mod files;
mod finish;
mod folder;
mod json_difference;
mod keys_once;
mod manifest;
mod overwriting;
mod staging;
mod workplace;

pub(crate) use self::{
    disk::{FolderNotes, name_some},
    finish::Draft,
    json_difference::{Difference, first_path},
};
pub use self::{
    files::FileEntry,
    finish::finish,
    folder::{ResultFolder, first_difference},
    manifest::{Environment, Manifest, instruction_set},
    overwriting::{FoundResult, UNFINISHED_MARK},
    staging::StagedFolder,
    workplace::remove_unfinished,
};

/// Name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Name of the empty file that is written last.
pub const SUCCESS: &str = "_SUCCESS";
