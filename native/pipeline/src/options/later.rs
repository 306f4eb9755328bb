//! Options of the documented interface that this version does not have: known, so that they are refused by name and not as
//! misspellings; hidden, so that `--help` lists only what works.

use clap::Args;

use crate::error::{Error, Result};

#[derive(Args, Clone, Debug)]
pub(super) struct LaterArgs {
    #[arg(long, hide = true)]
    basis: Option<String>,
}

impl LaterArgs {
    pub(super) fn refuse(&self) -> Result<()> {
        match self.basis {
            Some(_) => Err(Error::NotAvailable("--basis".to_owned())),
            None => Ok(()),
        }
    }
}
