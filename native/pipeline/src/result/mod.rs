//! The result folder: what is written into it and how it is read back. `docs/format.md` is its definition.

mod check;
mod disk;
mod files;
mod finish;
mod first_number;
mod folder;
mod json_difference;
mod keys_once;
mod listed;
mod manifest;
mod names;
mod outside;
mod overwriting;
mod paths;
mod seal;
mod staged_files;
mod staging;
mod workplace;

pub(crate) use self::{
    check::check_pixels,
    disk::digest_of,
    finish::Draft,
    first_number::{FirstNumber, TablesState, hex, in_block, in_s, in_v},
    folder::{AN_ARCHIVE, folder_of_files, parse_manifest, read_complete},
    json_difference::{Difference, first_path},
    listed::{FolderNotes, ListedFiles, name_some},
    manifest::{ResultSection, SeriesSection},
    seal::{is_sealed, sealed},
};
pub use self::{
    check::first_difference,
    files::FileEntry,
    finish::{finish, root, summary},
    folder::ResultFolder,
    manifest::{Environment, JoinedSection, Joint, Manifest, instruction_set},
    names::{MANIFEST, SUCCESS, UNFINISHED_MARK},
    outside::refuse_inside_a_result,
    overwriting::FoundResult,
    staged_files::StagedFiles,
    staging::StagedFolder,
    workplace::remove_unfinished,
};
