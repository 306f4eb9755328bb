//! `decompose`.

mod job;

pub use self::job::{ParsedJob, not_utf_8, one_line, parse_job};
pub use super::runner::{Outcome, decompose};
