//! The folder of reference matrices.

use std::path::PathBuf;

use serde::Serialize;
use tomobasis_linalg::reference::{Truth, matrices};

use super::npz::Writer;
use crate::{
    error::{Error, FolderKind, Result},
    input::listing::local_path,
    memory,
    options::Method,
    output::FileDigest,
    progress::Progress,
    result::{MANIFEST, StagedFolder},
    solve::digest::Digest,
};

/// The argument, as errors name it.
const OUTPUT: &str = "OUTPUT";

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Where.
    pub folder: PathBuf,
    /// How many matrices.
    pub matrices: usize,
    /// Digest of the manifest, and so of everything.
    pub digest: Digest,
}

/// What is in the folder, and what is certified. Nothing in it depends on when, where or by which version it was made.
#[derive(Serialize)]
struct Manifest {
    format: &'static str,
    class: &'static str,
    promise: &'static str,
    /// Easiest first.
    matrices: Vec<Entry>,
    files: Vec<Listed>,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    about: &'static str,
    file: String,
    rows: usize,
    columns: usize,
    rank: usize,
    /// Columns (from 0) whose singular values are equal.
    unresolved: Vec<usize>,
    digests: Digests,
}

#[derive(Serialize)]
struct Digests {
    #[serde(rename = "A")]
    a: Digest,
    s: Digest,
    #[serde(rename = "V")]
    v: Digest,
}

#[derive(Serialize)]
struct Listed {
    path: String,
    #[serde(flatten)]
    content: FileDigest,
}

/// Writes all reference matrices with their certified `s` and `V`, on up to `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::Option`] for an output that exists or can't be written to, [`Error::Write`]; the output is then as it was.
pub fn write(output: &str, overwrite: bool, threads: usize, progress: &dyn Progress) -> Result<Written> {
    tomobasis_linalg::check_machine()?;
    let folder = local_path(OUTPUT, output)?;
    let threads = memory::pool(threads)?.current_num_threads();
    let staged = StagedFolder::create(&folder, FolderKind::Reference, overwrite)
        .map_err(|error| error.of_output(OUTPUT))?;
    staged.notes().iter().for_each(|note| progress.message(note));
    let all = matrices();
    progress.stage(1, 1, "certify", "matrices", all.len() as u64);
    let mut manifest = Manifest {
        format: "tomobasis reference 1",
        class: "certified",
        promise: Method::Gram { center: None }.promise(),
        matrices: vec![],
        files: vec![],
    };
    for matrix in all {
        let truth = Truth::of(matrix, threads)?;
        let (entry, bytes) = file(&truth)?;
        staged.write(&entry.file, &[&bytes])?;
        manifest.files.push(Listed { path: entry.file.clone(), content: FileDigest::of(&[&bytes]) });
        manifest.matrices.push(entry);
        progress.advance(1);
    }
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut json = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::Internal(format!("{MANIFEST}: {error}")))?;
    json.push(b'\n');
    staged.write(MANIFEST, &[&json])?;
    if let Some(note) = staged.commit().map_err(|error| error.of_output(OUTPUT))? {
        progress.message(&note);
    }
    Ok(Written { folder, matrices: manifest.matrices.len(), digest: Digest::of([json.as_slice()]) })
}

fn file(truth: &Truth) -> Result<(Entry, Vec<u8>)> {
    let (matrix, svd) = (truth.matrix(), &truth.svd);
    let ((rows, columns), k) = (matrix.values.dim(), svd.s.len());
    // Row by row.
    let [a, v] = [&matrix.values, &svd.v].map(|matrix| matrix.iter().copied().collect::<Vec<_>>());
    let integer = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
    let unresolved: Vec<i64> = svd.unresolved.iter().map(|&j| integer(j)).collect();
    let mut file = Writer::new();
    let floats = "<f8";
    file.add("matrix", &format!("<U{}", matrix.name.len()), &[], &[matrix.name])?;
    file.add("A", floats, &[rows, columns], &references(&a))?;
    file.add("s", floats, &[k], &references(&svd.s))?;
    file.add("V", floats, &[columns, k], &references(&v))?;
    file.add("rank", "<i8", &[], &[&integer(svd.rank)])?;
    file.add("unresolved", "<i8", &[unresolved.len()], &references(&unresolved))?;
    let digests = Digests { a: Digest::of_f64(&a), s: Digest::of_f64(&svd.s), v: Digest::of_f64(&v) };
    let entry = Entry {
        name: matrix.name,
        about: matrix.about,
        file: format!("{}.npz", matrix.name),
        rows,
        columns,
        rank: svd.rank,
        unresolved: svd.unresolved.clone(),
        digests,
    };
    Ok((entry, file.finish()?))
}

fn references<T>(values: &[T]) -> Vec<&T> {
    values.iter().collect()
}
