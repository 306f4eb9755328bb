//! What a shell and `man` know of the command, generated from its parser: `tomobasis completions`, `tomobasis man`.

use std::path::Path;

use clap::{CommandFactory, builder::NonEmptyStringValueParser as NotEmpty};
use clap_complete::Shell;
use serde_json::json;
use tomobasis_pipeline::{
    Error,
    result::{StagedFiles, refuse_inside_a_result},
};

use crate::answer::Answer;

/// Name of the program.
const NAME: &str = "tomobasis";

/// The argument of `tomobasis man`, in errors.
const FOLDER: &str = "FOLDER";

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
pub(crate) fn completions(args: &Completions) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Command::command(), NAME, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let document = json!({ "shell": args.shell.to_string(), "script": script });
    Answer::new(script, document)
}

/// Writes the manual pages.
pub(crate) fn man(args: &Man) -> Result<Answer, Error> {
    let output = Path::new(&args.output);
    refuse_inside_a_result(FOLDER, &output.join("tomobasis.1"))?;
    let failed = |source| Error::Write { file: FOLDER.to_owned(), source };
    let staged = StagedFiles::create(output).map_err(|error| error.of_output(FOLDER))?;
    clap_mangen::generate_to(crate::Command::command(), staged.folder()).map_err(failed)?;
    let pages = staged.commit(true).map_err(|error| error.of_output(FOLDER))?;
    let pages: Vec<String> = pages.iter().map(|page| page.display().to_string()).collect();
    Ok(Answer::new(String::new(), json!({ "output": args.output, "pages": pages })))
}
