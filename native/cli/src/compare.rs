//! `tomobasis compare`.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use serde_json::json;
use tomobasis_pipeline::{Error, commands::compare};

use crate::{output, progress::Reporter, threads::Threads};

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
    /// Print JSON: of series, the differences of each slice
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    threads: Threads,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("must be a number, 0 or above".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let (a, b, threads) = (&args.a, &args.b, args.threads.count());
    let reporter = Reporter::new();
    if compare::are_series(a, b)? {
        let compared = compare::compare_series(a, b, args.tolerance.unwrap_or(0.0), threads, &reporter);
        reporter.finish();
        if args.json {
            match &compared {
                Ok(compared) => output::print(&format!("{:#}", compared.to_json()?))?,
                // Of series of other sizes or units there is nothing to count.
                Err(Error::Differs(difference)) => output::print(&told("series", false, difference))?,
                Err(_) => {}
            }
        }
        let closing = compared?.closing()?;
        return if args.json { Ok(()) } else { output::print(&closing) };
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
    if !args.json {
        return output::print(&compared?.closing);
    }
    match &compared {
        Ok(checked) => output::print(&told("results", true, &checked.closing))?,
        Err(Error::Differs(difference)) => output::print(&told("results", false, difference))?,
        Err(_) => {}
    }
    compared.map(|_| ())
}

/// The outcome as JSON, in words.
fn told(compared: &str, same: bool, text: &str) -> String {
    format!("{:#}", json!({ "compared": compared, "same": same, "text": text }))
}
