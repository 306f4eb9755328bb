//! `tomobasis compare`.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use serde_json::json;
use tomobasis_pipeline::{Error, commands::compare};

use crate::{answer::Answer, progress::Reporter, threads::Threads};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A result folder, or a DICOM series: a folder, an archive or a file
    #[arg(value_name = "A", value_parser = NotEmpty::new())]
    a: String,
    /// Another of the same kind
    #[arg(value_name = "B", value_parser = NotEmpty::new())]
    b: String,
    /// Of series: the largest difference of two values, in their unit, that is none [default: 0]
    #[arg(long, value_name = "VALUE", value_parser = tolerance, allow_hyphen_values = true)]
    tolerance: Option<f64>,
    /// Write a page that shows what is the same and what differs, of series with the difference of each slice and pictures of the one
    /// that differs most
    #[arg(long, value_name = "FILE", value_parser = NotEmpty::new())]
    html: Option<String>,
    /// Replace the page if it exists
    #[arg(long, requires = "html")]
    overwrite: bool,
    #[command(flatten)]
    threads: Threads,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("must be a number, 0 or above".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let (a, b, threads) = (&args.a, &args.b, args.threads.count());
    let page = args.html.as_deref().map(|file| compare::Page::new(file, args.overwrite)).transpose()?;
    let reporter = Reporter::new();
    if compare::are_series(a, b)? {
        let compared = compare::compare_series(a, b, args.tolerance.unwrap_or(0.0), threads, &reporter);
        reporter.finish();
        let compared = match compared {
            Ok(compared) => compared,
            // Of series of other sizes or units there is nothing to count.
            Err(error) => {
                if let (Some(page), Error::Differs(difference)) = (page, &error) {
                    page.write_of_other_series(difference)?;
                }
                return Answer::of_comparison(Err(error), [("compared", json!("series"))]);
            }
        };
        let closing = compared.closing();
        if let Some(page) = page {
            page.write_of_series(&compared)?;
        }
        let document = compared.to_json()?;
        return Ok(match closing {
            Ok(text) => Answer::new(text, document),
            Err(differs) => Answer::new(String::new(), document).ending(Err(differs)),
        });
    }
    if args.tolerance.is_some() {
        return Err(Error::Option {
            option: "--tolerance",
            problem: "it applies to DICOM series, and results are compared bit for bit; leave it out"
                .to_owned(),
        });
    }
    let compared = compare::compare(a, b, threads, &reporter);
    reporter.finish();
    if let Some(page) = page {
        page.write_of_results((a, b), &compared, threads, &reporter)?;
        reporter.finish();
    }
    Answer::of_comparison(compared.map(|checked| checked.closing), [("compared", json!("results"))])
}
