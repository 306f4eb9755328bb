//! Files to stored pixels: which files there are, what their headers say, what they hold. Or, of files that are no scan, to the
//! numbers of a matrix (`matrix`).

pub mod archive;
pub(crate) mod decode;
mod description;
pub(crate) mod files;
pub mod inventory;
pub(crate) mod layout;
pub mod listing;
pub mod matrix;
pub(crate) mod sources;

use crate::{error::Result, options::Options};

pub use self::{
    description::{describe_input, describe_matrix, describe_series},
    layout::{BlockValues, Numbers},
};

/// Lists the files that the options name. Those of a matrix are what they are, archives among them.
///
/// # Errors
/// As [`listing::list`].
pub fn list_input(options: &Options) -> Result<Vec<listing::InputFile>> {
    match options.input_format.is_scan() {
        true => listing::list(&options.input),
        false => listing::list_plain(&options.input),
    }
}
