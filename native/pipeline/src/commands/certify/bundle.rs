//! The files of a bundle. `prove.py` reads them, and `README.md` says what they are.

use tomobasis_linalg::{CertifiedSvd, GramMatrix, Witness};

use crate::{
    error::{Error, Result},
    output::{FileDigest, NamedFile},
    result::{MANIFEST, Manifest, hex},
};

/// Format of the folder.
const FORMAT: &str = "tomobasis certificate 1";

/// The list of the other files, as `sha256sum` writes it.
pub(super) const SUMS: &str = "SHA256SUMS";

/// The program that proves the digits.
pub(super) const PROGRAM: &str = "prove.py";

/// All files of a bundle: of a result, whose manifest has these bytes, the exact Gram matrix of its matrix, `s` (k), `V` (n x k) and
/// the witness.
pub(super) fn files(
    manifest: &Manifest,
    json: &[u8],
    gram: &GramMatrix,
    svd: &CertifiedSvd,
    witness: &Witness,
) -> Result<Vec<NamedFile>> {
    let (n, k) = svd.v.dim();
    let mut files = vec![
        text("README.md", readme(manifest)),
        text("V.txt", lines(n, k, |i, j| hex(svd.v[[i, j]]))),
        text("gram.txt", of_gram(gram)),
        text(MANIFEST, String::new()),
        text(PROGRAM, include_str!("prove.py").to_owned()),
        NamedFile { path: "result.json".to_owned(), bytes: json.to_vec() },
        text("s.txt", svd.s.iter().map(|&s| hex(s) + "\n").collect()),
        text("vectors.txt", of_witness(witness)),
    ];
    let paths = files.iter().map(|file| file.path.as_str()).chain([SUMS]);
    let listed: Vec<_> = paths.map(|path| serde_json::json!({ "path": path })).collect();
    let own = serde_json::json!({ "format": FORMAT, "files": listed });
    let own = serde_json::to_vec_pretty(&own).map_err(|error| Error::Internal(error.to_string()))?;
    files.iter_mut().filter(|file| file.path == MANIFEST).for_each(|file| file.bytes.clone_from(&own));
    let sums: String = files
        .iter()
        .map(|file| format!("{}  {}\n", FileDigest::of(&[&file.bytes]).sha256, file.path))
        .collect();
    files.push(text(SUMS, sums));
    Ok(files)
}

fn text(path: &str, content: String) -> NamedFile {
    NamedFile { path: path.to_owned(), bytes: content.into_bytes() }
}

/// What the bundle is, with the sizes of this one.
fn readme(manifest: &Manifest) -> String {
    let result = &manifest.result;
    include_str!("README.md")
        .replace("{m}", &result.rows.to_string())
        .replace("{n}", &result.columns.to_string())
        .replace("{k}", &result.rank.to_string())
        .replace("{root}", &manifest.digests.root.to_string())
        .replace("{version}", env!("CARGO_PKG_VERSION"))
}

/// The lower triangle of integers, row by row, and what multiplies them.
fn of_gram(gram: &GramMatrix) -> String {
    let (n, m, exponent, divisor) = (gram.n(), gram.rows(), gram.exponent(), gram.divisor());
    let mut text = format!("columns {n} rows {m} exponent {exponent} divisor {divisor}\n");
    for i in 0..n {
        text += &join((0..=i).map(|j| gram.integer(i, j).to_string()));
    }
    text
}

/// The vectors, one in a line, as integers in hexadecimal.
fn of_witness(witness: &Witness) -> String {
    let mut text = format!("fraction_bits {}\n", witness.fraction_bits);
    for vector in &witness.vectors {
        text += &join(vector.iter().map(|x| format!("{x:x}")));
    }
    text
}

fn lines(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> String) -> String {
    (0..rows).map(|i| join((0..columns).map(|j| entry(i, j)))).collect()
}

/// Words in a line.
fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ") + "\n"
}
