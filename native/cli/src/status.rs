//! `tomobasis status`.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use serde_json::json;
use tomobasis_pipeline::{Error, commands::all_series};

use crate::answer::{self, Answer};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Output of `decompose --series all` or `denoise --series all`, or of the job with the same option
    #[arg(value_name = "FOLDER", value_parser = NotEmpty::new())]
    folder: String,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let (text, rows) = all_series::status(&args.folder)?;
    Ok(Answer::new(text, json!({ "series": answer::json(rows)? })))
}
