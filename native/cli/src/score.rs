//! `tomobasis score`: how many digits of others' factors are right, as a table or as JSON.

use clap::builder::NonEmptyStringValueParser as NotEmpty;
use comfy_table::{CellAlignment, Table, presets};
use tomobasis_pipeline::{
    Error,
    commands::reference::{self, Scored},
};

use crate::{answer::Answer, threads::Threads};

/// A file holds arrays as numpy.savez writes them: matrix (the name of the reference matrix), s (k singular values,
/// descending) and, if computed, V (n x k) and U (m x k), which are float64 or float32.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Factors of a reference matrix, as an .npz file
    #[arg(value_name = "FILE", required = true, value_parser = NotEmpty::new())]
    files: Vec<String>,
    /// Matrix to which the factors belong [default: the name in the array `matrix`]
    #[arg(long, value_name = "NAME", value_parser = NotEmpty::new())]
    matrix: Option<String>,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Error> {
    let scores = reference::score(&args.files, args.matrix.as_deref(), args.threads.count())?;
    Ok(Answer::new(table(&scores), serde_json::json!({ "scores": scores })))
}

/// What stands where nothing was computed.
const ABSENT: &str = "-";

/// Header of a column, and its text for a file.
type Column = (&'static str, fn(&Scored) -> String);

#[rustfmt::skip]
const COLUMNS: [Column; 10] = [
    ("matrix", |scored| scored.matrix.to_owned()),
    ("columns", |scored| format!("{} of {}", scored.score.scored, scored.score.rank)),
    ("rank", |scored| scored.score.rank_found.map_or(ABSENT.to_owned(), |rank| rank.to_string())),
    ("s", |scored| digits(scored.score.digits.s)),
    ("s / s_1", |scored| digits(scored.score.digits.s_of_largest)),
    ("V", |scored| digits(scored.score.digits.v)),
    ("V, clusters", |scored| digits(scored.score.digits.v_clusters)),
    ("U", |scored| digits(scored.score.digits.u)),
    ("U, clusters", |scored| digits(scored.score.digits.u_clusters)),
    ("U s V^T", |scored| digits(scored.score.digits.product)),
];

/// Rounded down: no digit is shown that is not right.
fn digits(digits: Option<f64>) -> String {
    digits.map_or(ABSENT.to_owned(), |digits| format!("{:.1}", (10.0 * digits).floor() / 10.0))
}

fn table(scores: &[Scored]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(COLUMNS.map(|(name, _)| name));
    table.add_rows(scores.iter().map(|scored| COLUMNS.map(|(_, text)| text(scored))));
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if index > 0 { CellAlignment::Right } else { CellAlignment::Left });
    }
    let legend = "correct decimal digits of the worst column; float64 has 15.9";
    format!("{}\n\n{legend}", table.trim_fmt())
}
