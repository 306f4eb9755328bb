//! Files to stored pixels: which files there are, what their headers say, what they hold. Or, of files that are no scan, to the
//! numbers of a matrix (`matrix`).

pub mod archive;
pub(crate) mod decode;
mod description;
pub mod inventory;
pub(crate) mod layout;
pub mod listing;
pub(crate) mod matrix;
pub(crate) mod sources;

pub use self::{
    description::{describe_input, describe_series},
    layout::{BlockValues, Numbers},
};
