//! A proof that does without this program: the digits of a result, for whoever has python-flint.
//!
//! The bundle holds the exact Gram matrix, `s`, `V`, and a witness: eigenvectors to more digits, of no standing. `prove.py` proves from
//! the residuals of the witness, in integers and ball arithmetic, that every number of `s` and `V` is the nearest to the true one.
//! Everything is computed from the scan again, and compared with the result.

mod arguments;
mod bundle;

use tomobasis_linalg::Rank;

pub use self::arguments::CertifyArgs;
use self::bundle::{PROGRAM, SUMS};
use crate::{
    commands::{decompose::keep_the_scan, runner::Runner, stages::Stage, verify},
    error::{Error, FolderKind, Result},
    input::{
        list_input,
        listing::{InputFile, local_path},
    },
    memory,
    options::Options,
    output::FileDigest,
    progress::Progress,
    result::{Manifest, ResultFolder, StagedFolder},
    solve::{decomposition::columns_needed, digest::Digest},
};

/// Stages beyond those of a verification: the sums and the eigenvectors once more, with the witness.
const WITNESS: usize = 2;

/// The class whose results have proofs.
const CLASS: &str = "certified";

/// A bundle that was written.
#[derive(Debug)]
pub struct Certified {
    /// Root digest of the result.
    pub root: Digest,
    /// Digest of the list of its files, and so of all of them.
    pub digest: Digest,
    /// What to print.
    pub closing: String,
}

/// Writes the bundle of a result, on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::Option`] for a result of another class, [`Error::Differs`] for the input of another result, [`Error::DamagedResult`], and
/// what keeps the result from being computed again or the bundle from being written; the output is then as it was.
pub fn certify(args: &CertifyArgs, threads: usize, progress: &dyn Progress) -> Result<Certified> {
    tomobasis_linalg::check_machine()?;
    let folder = ResultFolder::open(&local_path("RESULT", &args.result)?)?;
    folder.check_manifest().map_err(Error::of_damage)?;
    let stored = &folder.manifest;
    if stored.result.class != CLASS {
        let (class, method) = (&stored.result.class, stored.parameters.method.name());
        let problem = format!(
            "it is of class {class} ({method}), whose digits nobody can prove; decompose the scan with --method exact"
        );
        return Err(Error::option("RESULT", problem));
    }
    let options = verify::options(&args.scan(), &folder)?;
    let output = local_path("--output", &args.output)?;
    keep_the_scan(&options.input, &output)?;
    let staged = StagedFolder::create(&output, FolderKind::Certificate, args.overwrite)?;
    staged.notes().iter().for_each(|note| progress.message(note));
    let list = |options: &Options| -> Result<Vec<InputFile>> {
        let mut files = list_input(options)?;
        // The output may lie beside the scan.
        files.retain(|file| !staged.made(&file.path));
        Ok(files)
    };

    // The proof is of `s` and `V`, and the bundle names the whole result: all of it has to be true.
    let (stages, method, asked) = (verify::stages(&options), options.method, options.rank);
    let mut runner = Runner::with_stages(threads, progress, 1, stages + WITNESS - 1)?;
    let (_, scan) = verify::check(&folder, options, list, &mut runner, progress)
        .map_err(|error| verify::of_lost_series(error, &args.scan(), stored))?;
    let (n, k) = (stored.result.columns, stored.result.rank);
    let rank = match stored.result.numerical_rank {
        // Rules look at all singular values, of which they keep some.
        Some(rank) if k < rank => Rank::Columns(k),
        _ => columns_needed(asked),
    };
    let before = stages + 1 - Stage::Sums.number();
    let mut runner = Runner::with_stages(threads, progress, before, stages + WITNESS - before)?;
    let (gram, svd, witness) = runner.witnessed(&scan, method, rank)?;
    let same = Digest::of_f64(&svd.s) == stored.digests.s
        && Digest::of_f64(&svd.v.iter().copied().collect::<Vec<_>>()) == stored.digests.v;
    if !same {
        return Err(Error::Internal("the witness is not of the numbers that were verified".to_owned()));
    }
    check_room(n, witness.vectors.len(), witness.fraction_bits)?;
    let files = bundle::files(stored, folder.manifest_bytes(), &gram, &svd, &witness)?;
    for file in &files {
        staged.write(&file.path, &[&file.bytes])?;
    }
    if let Some(note) = staged.commit()? {
        progress.message(&note);
    }
    let sums = files.iter().find(|file| file.path == SUMS);
    let digest = FileDigest::of(&[sums.map_or(&[], |file| file.bytes.as_slice())]).sha256;
    let closing = closing(stored, &args.output, n * k, digest);
    Ok(Certified { root: stored.digests.root, digest, closing })
}

/// Refuses a bundle for whose text there is too little memory: the vectors as numbers, and as digits twice, before they are joined and
/// after.
fn check_room(n: usize, vectors: usize, fraction_bits: u32) -> Result<()> {
    let entry = 64 + u128::from(fraction_bits) * 5 / 8;
    let needed = n as u128 * vectors as u128 * entry + 64 * (n as u128).pow(2);
    memory::check_other("the text of the bundle", needed, "certify it where there is more")
}

/// What to print.
fn closing(manifest: &Manifest, output: &str, weights: usize, digest: Digest) -> String {
    let k = manifest.result.rank;
    [
        format!(
            "bundle       {output}: {k} singular values and {weights} weights, with what proves every digit"
        ),
        format!("check it     python3 {output}/{PROGRAM}    (needs python-flint)"),
        format!("root digest  {}", manifest.digests.root),
        format!("{SUMS}   {digest}"),
    ]
    .join("\n")
}
