//! The command line of `certify`.

use clap::{Args, builder::NonEmptyStringValueParser as NotEmpty};

use crate::{
    commands::verify::{PartArgs, VerifyArgs},
    options::OnBadSlice,
};

/// The arguments of `certify`.
#[derive(Args, Clone, Debug)]
pub struct CertifyArgs {
    /// Result folder of class certified
    #[arg(value_name = "RESULT", value_parser = NotEmpty::new())]
    pub result: String,
    /// What was decomposed, as for `decompose`; may be given several times
    #[arg(long, value_name = "URI", required = true, value_parser = NotEmpty::new())]
    pub input: Vec<String>,
    /// Folder for the bundle
    #[arg(long, value_name = "FOLDER", required = true, value_parser = NotEmpty::new())]
    pub output: String,
    /// Replace a bundle that this command wrote
    #[arg(long)]
    pub overwrite: bool,
    /// Which series of the input, as for `decompose`
    #[arg(long, value_name = "UID", value_parser = NotEmpty::new())]
    pub series: Option<String>,
    /// Use the volumes of one series as one matrix, as for `decompose`
    #[arg(long)]
    pub join: bool,
    /// What to do about slices that cannot be used, as for `decompose`
    #[arg(long, value_enum, default_value = "fail")]
    pub on_bad_slice: OnBadSlice,
    /// Print more on stderr: paths of files, details of errors
    #[arg(long)]
    pub verbose: bool,
}

impl CertifyArgs {
    /// How the scan is found: as for a verification of the result.
    pub(super) fn scan(&self) -> VerifyArgs {
        VerifyArgs {
            result: self.result.clone(),
            input: self.input.clone(),
            series: self.series.clone(),
            join: self.join,
            on_bad_slice: self.on_bad_slice,
            reference: None,
            part: PartArgs::default(),
            verbose: self.verbose,
        }
    }
}
