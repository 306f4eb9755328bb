//! The command line of `attest`.

use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser as NotEmpty};

/// The form of an attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// in-toto Statement v1: the files and their digests as subjects, to be signed by other tools
    InToto,
    /// Process Run Crate 0.5: `ro-crate-metadata.json` of a folder that holds the result
    RoCrate,
    /// BIDS: `dataset_description.json` of a derivative, with GeneratedBy and SourceDatasets
    BidsProv,
}

/// The arguments of `attest`.
#[derive(Args, Clone, Debug)]
pub struct AttestArgs {
    /// Result folder, of which every file is checked first
    #[arg(value_name = "RESULT", value_parser = NotEmpty::new())]
    pub result: String,
    /// What to write
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub form: Form,
    /// File to write, outside of the result folder; paths of files in a crate are relative to its folder
    /// [default: standard output, with paths relative to RESULT]
    #[arg(long, value_name = "FILE", value_parser = NotEmpty::new())]
    pub output: Option<String>,
    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    pub overwrite: bool,
    /// License of the result, as a URL or in words [default: none is stated]
    #[arg(long, value_name = "LICENSE", value_parser = NotEmpty::new())]
    pub license: Option<String>,
}
