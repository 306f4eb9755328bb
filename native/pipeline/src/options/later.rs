//! Options of the documented interface that this version does not have: known, so that they are refused by name and not as
//! misspellings; hidden, so that `--help` lists only what works.

use clap::Args;

use crate::error::{Error, Result};

#[derive(Args, Clone, Debug)]
pub(super) struct LaterArgs {
    #[arg(long, hide = true)]
    basis: Option<String>,
    #[arg(long, hide = true)]
    center: bool,
    #[arg(long, hide = true)]
    oversample: Option<String>,
    #[arg(long, hide = true)]
    power_iterations: Option<String>,
    #[arg(long, hide = true)]
    seed: Option<String>,
}

impl LaterArgs {
    pub(super) fn refuse(&self) -> Result<()> {
        let given = [
            ("--basis", self.basis.is_some()),
            ("--center", self.center),
            ("--oversample", self.oversample.is_some()),
            ("--power-iterations", self.power_iterations.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Error::NotAvailable((*option).to_owned())),
            None => Ok(()),
        }
    }
}
