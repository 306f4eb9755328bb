//! Files to stored pixels: which files there are, what their headers say, what they hold.

pub mod archive;
pub(crate) mod decode;
pub mod inventory;
pub mod listing;
pub(crate) mod sources;
