//! The result folder: what is written into it and how it is read back. `docs/format.md` is its definition.

mod disk;
mod files;
mod finish;
mod folder;
mod manifest;
mod overwriting;
mod paths;
mod staging;
mod strict;
mod workplace;

pub(crate) use self::{
    disk::{Told, name_some},
    finish::Draft,
    paths::{Difference, first_path},
};
pub use self::{
    files::FileEntry,
    finish::finish,
    folder::{ResultFolder, first_difference},
    manifest::{Environment, Manifest, digests, instruction_set},
    staging::StagedFolder,
    workplace::remove_unfinished,
};

/// Name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Name of the empty file that is written last.
pub const SUCCESS: &str = "_SUCCESS";
