//! Scores of computed factors that are read from `.npz` files.

use std::{
    fs::{self, File},
    io::Read as _,
};

use ndarray::Array2;
use serde::Serialize;
use tomobasis_dicom::file_label;
use tomobasis_linalg::reference::{Factors, Matrix, Score, Truth, matrices};

use super::npz::{self, Array, MOST_BYTES, shown};
use crate::{
    error::{Error, Result, is_of_system},
    input::listing::local_path,
    memory,
};

/// The score of one file.
#[derive(Clone, Debug, Serialize)]
pub struct Scored {
    /// The reference matrix.
    pub matrix: &'static str,
    /// m.
    pub rows: usize,
    /// n.
    pub columns: usize,
    /// Singular values that the file has.
    pub computed: usize,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub score: Score,
}

/// Names of the reference matrices, easiest first.
#[must_use]
pub fn names() -> Vec<&'static str> {
    matrices().iter().map(|matrix| matrix.name).collect()
}

/// Scores files of computed factors of reference matrices; `name` says which matrix, for files that do not.
///
/// # Errors
/// [`Error::ResultFile`] for a file that has no such factors, with its label; [`Error::Option`] for a name that is none.
pub fn score(files: &[String], name: Option<&str>, threads: usize) -> Result<Vec<Scored>> {
    tomobasis_linalg::check_machine()?;
    if let Some(name) = name {
        named(name).map_err(|problem| Error::option("--matrix", problem))?;
    }
    let threads = memory::pool(threads)?.current_num_threads();
    let score = |(index, path): (usize, &String)| {
        let label = file_label(index, files.len(), path);
        let bytes = contents(path, &label)?;
        let submitted =
            Submitted::read(&bytes, name).map_err(|problem| Error::result_file(&label, problem))?;
        let truth = Truth::of(submitted.matrix, threads)?;
        let (name, (rows, columns)) = (truth.matrix().name, truth.matrix().values.dim());
        let computed = submitted.factors.s.len();
        Ok(Scored { matrix: name, rows, columns, computed, score: truth.score(&submitted.factors) })
    };
    files.iter().enumerate().map(score).collect()
}

/// The bytes of a file, if it can be one.
fn contents(path: &str, label: &str) -> Result<Vec<u8>> {
    let path = local_path("FILE", path)?;
    let unreadable = |source| match is_of_system(&source) {
        true => Error::System { file: label.to_owned(), source },
        false => Error::Unreadable { file: label.to_owned(), source },
    };
    // Opening a pipe waits for whoever writes to it.
    if !fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(Error::result_file(label, "it is no regular file; give one"));
    }
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::result_file(label, "it is larger than any decomposition of these matrices"));
    }
    Ok(bytes)
}

fn named(name: &str) -> std::result::Result<Matrix, String> {
    matrices().into_iter().find(|matrix| matrix.name == name).ok_or_else(|| {
        format!("there is no reference matrix \"{}\"; give one of {}", shown(name), names().join(", "))
    })
}

/// Factors of a reference matrix that fit it.
#[derive(Debug)]
struct Submitted {
    matrix: Matrix,
    factors: Factors,
}

impl Submitted {
    fn read(bytes: &[u8], name: Option<&str>) -> std::result::Result<Self, String> {
        let mut arrays = npz::read(bytes)?;
        let matrix = match (name, arrays.remove("matrix")) {
            (Some(name), _) => named(name)?,
            (None, Some(Array::Text(name))) => {
                named(&name).map_err(|problem| format!("matrix: {problem}"))?
            }
            (None, Some(_)) => {
                return Err(format!("matrix: it is no name; give one of {}", names().join(", ")));
            }
            (None, None) => {
                return Err(format!(
                    "it does not say of which matrix it is; add the array matrix, or give --matrix with one of {}",
                    names().join(", ")
                ));
            }
        };
        let (m, n) = matrix.values.dim();
        let mut take = |name: &str| arrays.remove(name).map(|array| numbers(name, array)).transpose();
        let s = singular_values(take("s")?.ok_or("it has no array s, the singular values")?, n)?;
        let k = s.len();
        let v = take("V")?.map(|(shape, v)| vectors("V", shape, v, [n, k], "right")).transpose()?;
        let u = take("U")?.map(|(shape, u)| vectors("U", shape, u, [m, k], "left")).transpose()?;
        if let Some((shape, a)) = take("A")?
            && (shape != [m, n] || !a.iter().eq(&matrix.values))
        {
            return Err(format!("A: it is not the reference matrix {}", matrix.name));
        }
        // What a reference file has beside the factors.
        let mut others = arrays.keys().filter(|name| !["rank", "unresolved"].contains(&name.as_str()));
        match others.next() {
            Some(other) => Err(format!(
                "{}: there is no such array; s, V (n x k, the transpose of what NumPy returns), U, A and matrix are \
                 read",
                shown(other)
            )),
            None => Ok(Self { matrix, factors: Factors { s, v, u } }),
        }
    }
}

/// Shape and values of an array of finite numbers.
fn numbers(name: &str, array: Array) -> std::result::Result<(Vec<usize>, Vec<f64>), String> {
    let (shape, values) = match array {
        Array::Numbers(shape, values) => (shape, values),
        Array::Text(_) => return Err(format!("{name}: it is text; give an array of float64 or float32")),
        Array::Other(kind) => {
            return Err(format!("{name}: its type is {kind}; give an array of float64 or float32"));
        }
    };
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok((shape, values)),
        Some(at) => Err(match *shape {
            [_, columns] => {
                format!(
                    "{name}: row {}, column {} is {}, no finite number",
                    at / columns + 1,
                    at % columns + 1,
                    values[at]
                )
            }
            _ => format!("{name}: number {} is {}, no finite number", at + 1, values[at]),
        }),
    }
}

fn singular_values((shape, s): (Vec<usize>, Vec<f64>), n: usize) -> std::result::Result<Vec<f64>, String> {
    if shape.len() != 1 || s.is_empty() || s.len() > n {
        return Err(format!(
            "s: its shape is {}; give 1 to {n} singular values in one dimension",
            sizes(&shape)
        ));
    }
    if let Some(at) = s.iter().position(|&value| value < 0.0) {
        return Err(format!("s: number {} is {:e}; singular values are not negative", at + 1, s[at]));
    }
    if let Some(at) = s.windows(2).position(|pair| pair[0] < pair[1]) {
        return Err(format!(
            "s: number {} is larger than the one before; sort them, and the vectors, in descending order",
            at + 2
        ));
    }
    Ok(s)
}

fn vectors(
    name: &str,
    shape: Vec<usize>,
    values: Vec<f64>,
    expected: [usize; 2],
    side: &str,
) -> std::result::Result<Array2<f64>, String> {
    if shape == expected
        && let Ok(vectors) = Array2::from_shape_vec(expected, values)
    {
        return Ok(vectors);
    }
    let [rows, k] = expected;
    let transpose = if shape == [k, rows] { "; give its transpose" } else { "" };
    Err(format!(
        "{name}: its shape is {}, not {rows} x {k}: a column for each singular value, the {side} singular vector\
         {transpose}",
        sizes(&shape)
    ))
}

fn sizes(shape: &[usize]) -> String {
    match shape {
        [] => "that of a single number".to_owned(),
        sizes => sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x "),
    }
}
