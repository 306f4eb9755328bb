//! What a shell and `man` know of the command, generated from its parser: `tomobasis completions`, `tomobasis man`.

use std::{fs, io, path::Path};

use clap::{CommandFactory, builder::NonEmptyStringValueParser as NotEmpty};
use clap_complete::Shell;
use tomobasis_pipeline::{Error, result::refuse_inside_a_result};

use crate::output;

/// Name of the program.
const NAME: &str = "tomobasis";

#[derive(clap::Args)]
pub(crate) struct Completions {
    /// Shell whose completions are printed
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(clap::Args)]
pub(crate) struct Man {
    /// Folder for the pages, one for each command; existing ones are replaced
    #[arg(value_name = "FOLDER", value_parser = NotEmpty::new())]
    output: String,
}

/// Prints a script that completes commands and options.
pub(crate) fn completions(args: &Completions) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Command::command(), NAME, &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// Writes the manual pages.
pub(crate) fn man(args: &Man) -> Result<(), Error> {
    refuse_inside_a_result("FOLDER", &Path::new(&args.output).join("tomobasis.1"))?;
    let write = || -> io::Result<()> {
        fs::create_dir_all(&args.output)?;
        clap_mangen::generate_to(crate::Command::command(), &args.output)
    };
    write().map_err(|source| Error::Write { file: "FOLDER".to_owned(), source })
}
