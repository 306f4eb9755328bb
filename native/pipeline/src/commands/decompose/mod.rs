//! `decompose`.

mod arguments;
mod job;
mod method;

pub use self::{
    arguments::JobArgs,
    job::{ParsedJob, not_utf_8, one_line, parse_job},
};
pub use super::runner::{Outcome, decompose};
