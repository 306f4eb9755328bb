//! Part of a result against its input: `s` and `V` (`--only sv`), and some row blocks of `U` (`--blocks`), in less time than all of it.
//!
//! `s` and `V` are computed again from the scan, which takes a fraction of the time of `U` and the pictures. The Gram matrix that they come
//! from is checked besides, by a random vector modulo a prime ([`ModularCheck`]), in one pass over the scan and without the kernels that
//! computed it. Row blocks of `U` are drawn at random. What is drawn follows from a seed that is printed, so the check can be made again;
//! who makes a result does not know it.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use tomobasis_linalg::{ModularCheck, column_major, philox4x32_10};

use super::{
    Checked, Given, PartArgs, Scope, check_room, compare_values,
    notes::{OtherNotes, adopt_notes, adopt_unjoined},
    of_other_input, other_input,
};
use crate::{
    blocks::renderer::BlockRenderer,
    commands::{
        runner::{Runner, Scan},
        stages::{Stage, StageName},
    },
    error::{Error, Result},
    input::{layout::block_count, list_input, matrix::Values},
    need,
    options::{Method, Options},
    output::tables,
    progress::Progress,
    result::{Environment, FileEntry, FirstNumber, Manifest, ResultFolder, in_s, in_v},
    solve::{decomposition::Decomposition, digest::Digest},
};

/// Bound of the probability that a wrong Gram matrix passes: one in `2^61 - 1`, rounded up.
const GRAM_ERROR: f64 = 1e-18;

/// What random words are drawn for; the words of one are not those of the other.
#[derive(Clone, Copy)]
enum Use {
    Gram = 1,
    Blocks = 2,
}

/// Random words that follow from a seed.
struct Random {
    seed: u64,
    of: Use,
    drawn: u64,
}

impl Random {
    fn new(seed: u64, of: Use) -> Self {
        Self { seed, of, drawn: 0 }
    }

    /// The next 64 bits.
    fn word(&mut self) -> u64 {
        let counter = [self.drawn as u32, (self.drawn >> 32) as u32, self.of as u32, 0];
        self.drawn += 1;
        let [low, high, ..] = philox4x32_10(counter, [self.seed as u32, (self.seed >> 32) as u32]);
        (u64::from(high) << 32) | u64::from(low)
    }

    /// The next number below `limit`, all alike.
    fn below(&mut self, limit: u64) -> u64 {
        let limit = limit.max(1);
        // Words beyond the last whole multiple would favor small numbers.
        let whole = u64::MAX - u64::MAX % limit;
        loop {
            let word = self.word();
            if word < whole {
                return word % limit;
            }
        }
    }
}

/// `count` different row blocks out of `of`, ascending.
fn chosen(seed: u64, count: u32, of: u32) -> Vec<u32> {
    let mut random = Random::new(seed, Use::Blocks);
    let mut chosen = BTreeSet::new();
    // Robert Floyd's: every set of this size is as likely as any other.
    for last in of - count.min(of)..of {
        let block = random.below(u64::from(last) + 1) as u32;
        if !chosen.insert(block) {
            chosen.insert(last);
        }
    }
    chosen.into_iter().collect()
}

/// What was found of the Gram matrix.
#[derive(Clone, Copy, PartialEq)]
enum Gram {
    /// It is that of the scan.
    Checked,
    /// The check says nothing: of floats, of too many rows, or of a method without one.
    Unchecked,
}

/// Checks the part that is asked for.
///
/// # Errors
/// [`Error::Differs`] naming the first difference, [`Error::Option`] for a seed without a use, and whatever keeps the check from being
/// made.
pub(super) fn check(
    folder: &ResultFolder,
    mut options: Options,
    part: &PartArgs,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Checked> {
    if part.only.is_none() && part.blocks.is_none() {
        return Err(Error::option("--seed", "it applies to --only and --blocks; leave it out"));
    }
    if options.reference.is_some() {
        let problem =
            "figures against a reference are not among what --only and --blocks check; leave it out";
        return Err(Error::option("--reference", problem));
    }
    let seed = part.seed.unwrap_or_else(|| RandomState::new().hash_one(0_u8));
    let stored = &folder.manifest;
    let of = block_count(stored.result.rows);
    let count = part.blocks.map(|share| ((share * f64::from(of)).ceil() as u32).clamp(1, of));
    let blocks = count.map_or_else(Vec::new, |count| chosen(seed, count, of));
    let own = if blocks.is_empty() { Stage::Decompose.number() } else { Stage::Render.number() };
    let mut runner = Runner::with_stages(threads, progress, 1, own)?;
    check_room(folder, &runner.pool)?;
    check_files(folder, &blocks, &runner, progress)?;

    // Nothing is drawn or written.
    options.emit = Vec::new();
    let format = options.input_format;
    let scan = runner.read(list_input(&options)?, &options, need::check_verification);
    let scan = scan.map_err(|error| of_other_input(error, format))?;
    if scan.pixels_digest() != stored.digests.pixels {
        return Err(other_input(format));
    }
    let (mut decomposition, gram) = decompose(&mut runner, &scan, options, seed)?;
    compare_factors(folder, &decomposition)?;
    let values = compare_manifest(folder, &mut decomposition)?;
    if !blocks.is_empty() {
        let decomposition = Arc::new(decomposition);
        let renderer = runner.renderer(&scan, &decomposition)?;
        compare_blocks(&mut runner, &scan, &renderer, stored, &blocks)?;
    }
    let looked = blocks.len() as u32;
    let scope = Scope {
        part: if blocks.is_empty() { "sv" } else { "blocks" },
        seed: Some(seed),
        blocks: Some([looked, of]),
        missed: Some(f64::from(of - looked) / f64::from(of.max(1))),
        gram_error: (gram == Gram::Checked).then_some(GRAM_ERROR),
    };
    Ok(Checked { closing: closing(stored, folder, &scope, &values), digest: stored.digests.root, scope })
}

/// The small tables and those of the chosen blocks against the manifest, in their numbers and in their bytes.
fn check_files(
    folder: &ResultFolder,
    blocks: &[u32],
    runner: &Runner<'_>,
    progress: &dyn Progress,
) -> Result<()> {
    if !folder.has_tables() {
        return Ok(());
    }
    let paths = [tables::SINGULAR_VALUES.to_owned(), tables::WEIGHTS.to_owned()];
    let paths: Vec<String> =
        paths.into_iter().chain(blocks.iter().map(|&block| tables::basis_name(block))).collect();
    runner.first_stage("check files", "files", paths.len() as u64);
    folder.read_factors()?;
    for &block in blocks {
        folder.read_block(block)?;
    }
    for path in &paths {
        let mut listed = folder.manifest.files.iter().flatten();
        let listed = listed.find(|file| file.path == *path).and_then(FileEntry::content);
        if let Some(listed) = listed
            && folder.digest_of(path)? != listed
        {
            let text =
                "it has the numbers of the manifest's digests, and other bytes than the manifest lists";
            return Err(Error::Differs(format!("{path}: {text}")));
        }
        progress.advance(1);
    }
    Ok(())
}

/// `s` and `V` again, and whether the Gram matrix is that of the scan.
fn decompose(
    runner: &mut Runner<'_>,
    scan: &Scan,
    options: Options,
    seed: u64,
) -> Result<(Decomposition, Gram)> {
    let integers = !matches!(scan.values, Values::Real(_));
    if !(integers && matches!(options.method, Method::Gram { .. })) {
        return Ok((runner.decompose(scan, options)?, Gram::Unchecked));
    }
    let mut found = Gram::Unchecked;
    let decomposition = runner.certified(scan, options, |runner, gram| {
        let slices = scan.plan.slices.len();
        let mut random = Random::new(seed, Use::Gram);
        let factors = (0..=slices).map(|_| random.below(ModularCheck::PRIME)).collect();
        let start = ModularCheck::new(factors);
        let named = StageName { name: "check", unit: "row blocks" };
        runner.show_stage(Stage::Sums.number(), named, scan.blocks() as usize);
        let sums =
            runner.for_blocks(scan.blocks(), || start.clone(), |sums, values: &mut Vec<i16>, block| {
                let rows = scan.gather(block, values);
                Ok(sums.add(column_major(values, rows, slices)?)?)
            })?;
        let mut all = start.clone();
        sums.iter().for_each(|sums| all.merge(sums));
        found = match all.agrees(gram)? {
            Some(true) => Gram::Checked,
            None => Gram::Unchecked,
            Some(false) => {
                let text = "the Gram matrix that this machine computed is not that of the scan (checked modulo 2^61 - 1): its memory or its \
                            processor fails, or this program";
                return Err(Error::Internal(text.to_owned()));
            }
        };
        Ok(())
    })?;
    Ok((decomposition, found))
}

fn compare_factors(folder: &ResultFolder, found: &Decomposition) -> Result<()> {
    let digests = &folder.manifest.digests;
    let differs = |what: &str, place: Option<String>| {
        let place = place.map(|place| format!("; {place}")).unwrap_or_default();
        let text = "recomputed from the input, the digest of";
        Err(Error::Differs(format!("{text} {what} is not the manifest's{place}")))
    };
    let told = |found: FirstNumber| found.told("in the result", "from the input");
    let tables = folder.has_tables();
    if Digest::of_f64(&found.s) != digests.s {
        let place = tables.then(|| folder.s_as_it_is()).transpose()?;
        return differs("s", place.and_then(|s| in_s(&s, &found.s)).map(told));
    }
    if Digest::of_f64(&found.v) != digests.v {
        let place = tables.then(|| folder.v_as_it_is()).transpose()?;
        return differs("V", place.and_then(|v| in_v(&v, &found.v, found.rank())).map(told));
    }
    Ok(())
}

/// What was compared of tables and manifest.
struct Compared {
    /// The input has the instance UIDs of what was decomposed.
    same_instances: bool,
    /// Small tables of which every byte was compared.
    tables: usize,
    /// Where the notes on what lies beside the series are others.
    notes: Option<OtherNotes>,
}

/// The values of the manifest, and every column of the small tables: all that follows from `s`, `V` and the headers. The root digest is
/// among them, taken of these and of the manifest's digests of `U`.
fn compare_manifest(folder: &ResultFolder, decomposition: &mut Decomposition) -> Result<Compared> {
    let stored = &folder.manifest;
    let beside = adopt_unjoined(decomposition, stored);
    let (u, derived) = (stored.digests.u.clone(), stored.derived.clone());
    let mut made = Manifest::new(decomposition, u, derived, Vec::new(), Environment::default())?;
    made.measures.clone_from(&stored.measures);
    made.emitted.clone_from(&stored.emitted);
    let same_instances = made.digests.instances == stored.digests.instances;
    let notes = adopt_notes(&mut made, stored, beside)?;
    let scope = Given { ours: folder.is_ours(), same_instances, lists: stored.files.is_some() };
    compare_values(folder, made, scope)?;
    let tables = folder.check_small_tables(decomposition, same_instances)?;
    Ok(Compared { same_instances, tables, notes })
}

fn compare_blocks(
    runner: &mut Runner<'_>,
    scan: &Scan,
    renderer: &BlockRenderer,
    stored: &Manifest,
    blocks: &[u32],
) -> Result<()> {
    let found = runner.basis_digests_of(scan, renderer, blocks)?;
    let mut both = blocks.iter().zip(&found);
    match both.find(|(block, digest)| stored.digests.u.blocks.get(**block as usize) != Some(*digest)) {
        Some((block, _)) => Err(Error::Differs(format!(
            "recomputed from the input, the digest of U of row block {block} is not the manifest's"
        ))),
        None => Ok(()),
    }
}

/// What was compared, in words.
fn closing(stored: &Manifest, folder: &ResultFolder, scope: &Scope, values: &Compared) -> String {
    let mut lines = vec!["verified     pixels, s and V: every bit is what the input gives".to_owned()];
    let seed = scope.seed.unwrap_or_default();
    if let Some(error) = scope.gram_error {
        lines.push(format!(
            "gram         computed again, exactly, and checked modulo 2^61 - 1 by a random vector (--seed {seed}): a wrong one would pass with \
             a probability below {error:e}"
        ));
    }
    let [looked, of] = scope.blocks.unwrap_or_default();
    if let (true, Some(missed)) = (looked > 0, scope.missed) {
        lines.push(format!(
            "blocks       {looked} of {of} row blocks of U, drawn at random (--seed {seed}): every bit is what the input gives; if one block \
             of U is bad, it was missed with a probability of {missed:.3}"
        ));
    }
    lines.push(format!("files        {}", values.of_files(folder, looked)));
    lines.push(format!("manifest     {}", values.of_manifest()));
    let rest = match looked {
        0 => "U, ",
        all if all == of => "",
        _ => "the other row blocks of U, ",
    };
    lines.push(format!("not checked  {rest}pictures, report, derived DICOM, text; measures; other files"));
    let root = match looked {
        0 => "; U in it as the manifest has it, not computed again".to_owned(),
        all if all == of => String::new(),
        some => {
            format!("; U in it as the manifest has it, {} of {of} row blocks not computed again", of - some)
        }
    };
    lines.push(format!("root digest  {}{root}", stored.digests.root));
    lines.join("\n")
}

impl Compared {
    fn of_files(&self, folder: &ResultFolder, blocks: u32) -> String {
        let of_blocks =
            if blocks > 0 { "; those of these row blocks as the manifest lists them" } else { "" };
        let small = match (folder.has_tables(), self.tables, self.same_instances) {
            (false, ..) => return "there are no tables of these".to_owned(),
            (true, 0, _) => "the tables of s and V have their numbers; another version wrote the rest of them".to_owned(),
            (true, _, false) => {
                "singular_values.parquet, every byte; weights.parquet has the weights, and the rest of it is of the headers".to_owned()
            }
            (true, tables, true) => {
                let beside = match self.notes {
                    Some(_) if !folder.manifest.series.joined.is_empty() => {
                        "; not from this input: what lies beside the series, in series.parquet"
                    }
                    _ => "",
                };
                format!("the {tables} tables of s and V made again from the input, every byte the same{beside}")
            }
        };
        small + of_blocks
    }

    fn of_manifest(&self) -> String {
        let rest = "measures, derived, emitted, files and `run`, which the seal covers";
        match (self.same_instances, &self.notes) {
            (false, _) => format!(
                "parameters, result and digests; not the values of the headers: the input has the pixels under other instance UIDs than the \
                 manifest's hashes, as a copy has, perhaps anonymized; not {rest}"
            ),
            (true, Some(notes)) => {
                format!("series, parameters, result and digests but {}; not {rest}", notes.told())
            }
            (true, None) => format!("series, parameters, result and digests; not {rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_different_in_range_and_those_of_the_seed() {
        for (count, of) in [(1, 1), (1, 7), (5, 7), (7, 7), (64, 1000)] {
            let blocks = chosen(3, count, of);
            assert_eq!(blocks.len(), count as usize);
            assert!(blocks.is_sorted_by(|a, b| a < b) && blocks.iter().all(|&block| block < of));
            assert_eq!(blocks, chosen(3, count, of));
        }
        assert_ne!(chosen(3, 64, 1000), chosen(4, 64, 1000));
    }

    #[test]
    fn every_block_is_as_likely_as_any_other() {
        let mut times = [0_u32; 10];
        for seed in 0..10_000 {
            chosen(seed, 3, 10).iter().for_each(|&block| times[block as usize] += 1);
        }
        // 3000 expected, with a standard deviation of 46.
        assert!(times.iter().all(|&times| (2770..3230).contains(&times)), "{times:?}");
    }
}
