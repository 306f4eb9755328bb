//! What a paper says of a result: a paragraph on the methods, the commands that make it again, versions, digests, and how to cite.
//!
//! All of it follows from the manifest. Since a paper says that the result is there, its files are compared with the manifest first.

mod command;

use std::collections::BTreeMap;

use serde::Serialize;
use tomobasis_dicom::NoteKind;

use self::command::noted;
use crate::{
    commands::verify::check_room,
    error::{Error, Result},
    input::listing::local_path,
    memory,
    options::{Center, Method, Padding, RankChoice},
    progress::Progress,
    result::{Manifest, ResultFolder},
};

/// What a paper says of a result.
#[derive(Clone, Debug, Serialize)]
pub struct Paper {
    /// All of it, in Markdown.
    pub text: String,
    /// The paragraph on the methods.
    pub methods: String,
    /// The command lines that make the result again.
    pub commands: Commands,
    /// Versions of what made the result, by name.
    pub versions: BTreeMap<&'static str, String>,
    /// Its digests, by name.
    pub digests: BTreeMap<&'static str, String>,
}

/// Command lines, with SCAN, RESULT and HOST in the places of what no manifest knows.
#[derive(Clone, Debug, Serialize)]
pub struct Commands {
    /// On one machine.
    pub decompose: String,
    /// Whether that is the result.
    pub verify: String,
    /// On a Spark cluster.
    pub cluster: String,
}

/// What to say of the result in a folder; the files are checked on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::ResultFile`] for what is no complete result, [`Error::DamagedResult`] for a file that was changed, naming the first.
pub fn paper(result: &str, threads: usize, progress: &dyn Progress) -> Result<Paper> {
    let folder = ResultFolder::open(&local_path("RESULT", result)?)?;
    folder.check_manifest().map_err(Error::of_damage)?;
    let pool = memory::pool(threads)?;
    check_room(&folder, &pool)?;
    progress.stage(1, 1, "check", "files", folder.steps());
    pool.install(|| folder.check(progress).and_then(|_| folder.check_derived_series()))
        .map_err(Error::of_damage)?;
    let manifest = &folder.manifest;
    let (methods, commands) = (methods(manifest), commands(manifest));
    let (versions, digests) = (versions(manifest), digests(manifest));
    let text = [
        format!("## Methods\n\n{methods}"),
        again(manifest, &commands),
        section("Versions", &versions),
        section("Digests (SHA-256)", &digests),
        citation(manifest),
    ];
    Ok(Paper {
        text: text.join("\n\n"),
        methods,
        commands,
        versions: versions.into(),
        digests: digests.into(),
    })
}

/// What was done, in sentences that a paper can have.
fn methods(manifest: &Manifest) -> String {
    let Manifest { series, parameters, result, .. } = manifest;
    let (m, n, k) = (result.rows, result.columns, result.rank);
    let mut said = vec![match parameters.input_format.is_scan() {
        true => format!(
            "The {n} slices of {} series ({} x {} pixels each) were taken as the columns of a matrix A of {m} x {n} values{}, and its \
             singular value decomposition A = U diag(s) V^T was computed with TomoBasis {}.",
            match series.joined.len() {
                0 => format!("the {}", series.modality),
                count => format!("{count} {}", series.modality),
            },
            series.rows,
            series.columns,
            if series.unit.is_empty() { String::new() } else { format!(" in {}", series.unit) },
            manifest.run.version,
        ),
        false => format!(
            "The singular value decomposition A = U diag(s) V^T of the matrix A of {m} x {n} values was computed with TomoBasis {}.",
            manifest.run.version
        ),
    }];
    if noted(manifest, NoteKind::Joined) {
        said.push("The slices are those of several volumes of the series, taken as one matrix.".to_owned());
    }
    if noted(manifest, NoteKind::Skipped) {
        said.push("Slices whose files could not be used were left out.".to_owned());
    }
    said.extend(of_padding(manifest));
    said.extend(parameters.method.center().map(|means| {
        let means = match means {
            Center::Pixels => "the mean of each pixel over the slices was",
            Center::Slices => "the mean of each slice was",
            Center::Both => "the means of each pixel and of each slice were",
        };
        format!("Before, {means} removed.")
    }));
    said.push(of_method(parameters.method));
    said.push(match (parameters.rank, result.numerical_rank) {
        (RankChoice::Full, _) => format!("All {k} basis vectors up to the numerical rank were kept."),
        (RankChoice::Columns(_), _) => format!("The first {k} basis vectors were kept."),
        (RankChoice::Auto, _) => format!(
            "The {k} basis vectors were kept whose singular values exceed the optimal hard threshold for noise of unknown strength [3]."
        ),
        (RankChoice::Energy(share), _) => {
            format!("The first {k} basis vectors were kept, the fewest that hold {share} of the squared Frobenius norm of A.")
        }
    });
    if let Some(rank) = result.numerical_rank.filter(|&rank| rank != k) {
        said.push(format!("The numerical rank is {rank}."));
    }
    if let Some((first, last)) = result.unresolved.first().zip(result.unresolved.last()) {
        said.push(format!(
            "Singular values of {} columns between number {} and {} are equal; their vectors are the canonical basis of their space.",
            result.unresolved.len(),
            first + 1,
            last + 1
        ));
    }
    if !result.composites.is_empty() && parameters.input_format.is_scan() {
        let unit = if series.unit.is_empty() { String::new() } else { format!(" {}", series.unit) };
        let each: Vec<String> = result
            .composites
            .iter()
            .map(|one| format!("{:.2}{unit} at rank {}", one.residual_rms, one.k))
            .collect();
        said.push(format!(
            "Reconstructions leave out, as root mean square over all pixels, {}.",
            each.join(", ")
        ));
    }
    said.push(match parameters.method {
        Method::Gram { .. } => {
            "The result is bit-identical on any machine, with any number of processors, and can be computed again with the commands below."
                .to_owned()
        }
        _ => "The result is bit-identical for this version, method and parameters, with any number of processors, and can be computed \
              again with the commands below."
            .to_owned(),
    });
    said.push(format!("Its root digest (SHA-256) is {}.", manifest.digests.root));
    said.join(" ")
}

fn of_padding(manifest: &Manifest) -> Option<String> {
    let replaced = manifest.series.padding?.replaced;
    let value = match manifest.parameters.padding {
        Padding::Keep => return None,
        Padding::Air => "air",
        Padding::Mask => "zero",
    };
    (replaced > 0).then(|| {
        format!("Pixels outside of the reconstruction ({replaced} in all slices) were taken as {value}.")
    })
}

fn of_method(method: Method) -> String {
    match method {
        Method::Gram { .. } => {
            "Singular values and right singular vectors were obtained from the exact Gram matrix A^T A, in integers, by iterative refinement \
             [1]; each of their numbers is proven to be the floating-point number (IEEE 754 double precision) nearest to the true one. Left \
             singular vectors are A V diag(1/s), evaluated in a defined order of fused multiply-adds."
                .to_owned()
        }
        Method::Tsqr { .. } => {
            "It was computed in double precision by Householder QR factorization along a fixed binary tree [2]."
                .to_owned()
        }
        Method::Dssvd(sketching) | Method::Dspca(sketching) => format!(
            "It was computed in double precision by a randomized method [4] with an oversampling of {}, {} power {} and the random seed {}.",
            sketching.oversample,
            sketching.power_iterations,
            if sketching.power_iterations == 1 { "iteration" } else { "iterations" },
            sketching.seed
        ),
    }
}

fn commands(manifest: &Manifest) -> Commands {
    let options = command::options(manifest).join(" ");
    let of_input: String = command::of_input(manifest).map(|word| format!(" {word}")).collect();
    Commands {
        decompose: format!("tomobasis decompose --input SCAN --output RESULT {options}"),
        verify: format!("tomobasis verify RESULT --input SCAN{of_input}"),
        cluster: format!(
            "tomobasis-submit --master spark://HOST:7077 -- --input SCAN --output RESULT {options}"
        ),
    }
}

/// The commands, and what they mean.
fn again(manifest: &Manifest, commands: &Commands) -> String {
    let which = match manifest.parameters.input_format.is_scan() {
        true if manifest.parameters.joint.is_some() => {
            "SCAN is the folder of the DICOM files, or an archive of it; --series has the short ids of the series, as \
                 `tomobasis inspect SCAN` prints them."
        }
        true => {
            "SCAN is the folder of the DICOM files, or an archive of it. If it holds several series, add --series with the UID, or the \
                 short id that `tomobasis inspect SCAN` prints, of that whose digest of pixels is the one below."
        }
        false => "SCAN is the file of the matrix.",
    };
    let Commands { decompose, verify, cluster } = commands;
    format!(
        "## Commands\n\n{which} The root digest must be the one below.\n\nOn one machine:\n\n    {decompose}\n    {verify}\n\n\
         On a Spark cluster, with the same bytes:\n\n    {cluster}"
    )
}

fn versions(manifest: &Manifest) -> [(&'static str, String); 7] {
    let run = &manifest.run;
    let named = [
        ("TomoBasis", run.version.as_str()),
        ("libraries", run.libraries.as_str()),
        ("runner", run.environment.runner.as_str()),
        ("machine", run.instruction_set.as_str()),
        ("Gram kernel", run.kernel.as_str()),
        ("format", manifest.format.as_str()),
        ("class", manifest.result.class.as_str()),
    ];
    named.map(|(name, value)| (name, value.to_owned()))
}

fn digests(manifest: &Manifest) -> [(&'static str, String); 5] {
    let digests = &manifest.digests;
    let named = [
        ("root", digests.root),
        ("pixels", digests.pixels),
        ("s", digests.s),
        ("V", digests.v),
        ("U", digests.u.root),
    ];
    named.map(|(name, digest)| (name, digest.to_string()))
}

fn section(title: &str, lines: &[(&str, String)]) -> String {
    let lines: String = lines.iter().map(|(name, value)| format!("\n- {name}: {value}")).collect();
    format!("## {title}\n{lines}")
}

/// How to cite the software and the result, and the literature that the methods refer to.
fn citation(manifest: &Manifest) -> String {
    let version = &manifest.run.version;
    let (root, short) = (manifest.digests.root, manifest.digests.root.short());
    let mut references = Vec::new();
    if matches!(manifest.parameters.method, Method::Gram { .. }) {
        references.push(
            "[1] T. Ogita, K. Aishima: Iterative refinement for symmetric eigenvalue decomposition. Japan Journal of Industrial and Applied \
             Mathematics 35, 2018.",
        );
    }
    if matches!(manifest.parameters.method, Method::Tsqr { .. }) {
        references.push(
            "[2] J. Demmel, L. Grigori, M. Hoemmen, J. Langou: Communication-optimal parallel and sequential QR and LU factorizations. SIAM \
             Journal on Scientific Computing 34(1), 2012.",
        );
    }
    if manifest.parameters.rank == RankChoice::Auto {
        references.push(
            "[3] M. Gavish, D. L. Donoho: The optimal hard threshold for singular values is 4/sqrt(3). IEEE Transactions on Information \
             Theory 60(8), 2014.",
        );
    }
    if manifest.parameters.method.sketching().is_some() {
        references.push(
            "[4] N. Halko, P.-G. Martinsson, J. A. Tropp: Finding structure with randomness: probabilistic algorithms for constructing \
             approximate matrix decompositions. SIAM Review 53(2), 2011.",
        );
    }
    let references: String = references.iter().map(|reference| format!("- {reference}\n")).collect();
    format!(
        "## Citation\n\n    @software{{tomobasis_{short},\n      title = {{TomoBasis}},\n      author = {{{{The TomoBasis authors}}}},\n      \
         version = {{{version}}},\n      license = {{Apache-2.0}},\n      note = {{Result with the root digest sha256:{root}}}\n    \
         }}\n\n{references}"
    )
}
