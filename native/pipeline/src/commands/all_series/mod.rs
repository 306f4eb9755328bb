//! `--series all`: every series of an input to a result folder of its own, with one index.
//!
//! Each is decomposed or denoised (`work`). The command takes one series after the other; the job runs one task for each that fits
//! into a task's memory. Both call [`make`] for a series, and the functions of this module for the folders' names, for what is kept of an earlier run and for the index.
//!
//! | file | what |
//! |---|---|
//! | `closing` | what a run says at its end; `--status` |
//! | `kept` | what a result was made of, and whether one that is there is to be made again |
//! | `local` | the command |
//! | `series` | one series |
//! | `work` | what is done with it |

mod closing;
mod kept;
mod local;
mod series;
mod work;

pub use crate::solve::fingerprint;

pub use self::{
    closing::{check, check_kind, closing_text, failed_fast, is_archive, status_text},
    kept::{Kept, kept, options_digest, section},
    local::{Archive, run_all, status},
    series::{Made, Outcome, Place, found, make, memory, take_over},
};
