//! Nothing of a result can be changed without `verify` naming it: any bit of any file, any number of the manifest, with its seal
//! made again or not, files that come, go or change places.

mod case;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod manifest;
mod scope;
