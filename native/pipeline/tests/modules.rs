//! The modules of each crate call one another as the table in its `src/lib.rs` says: only modules above them in it, and only those
//! named.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What heads the table.
const HEADING: &str = "//! | module | what it is | calls |";

/// The sources of one of our crates.
fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(name).join("src")
}

/// The table's modules in its order, each with those that it calls.
fn table(lib: &str) -> Vec<(String, BTreeSet<String>)> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("//! | ")?.split(" | ");
        let module = cells.next()?.split('`').nth(1)?.to_owned();
        let calls = cells.nth(1)?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((module, calls))
    };
    let rows = lib.lines().skip_while(|line| *line != HEADING).skip(2);
    rows.map_while(row).collect()
}

/// The code of a file, without comments and tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// What `lib.rs` exports, each with its module.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let statements =
        lib.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next()?.split_once("::"));
    let names = |(module, items): (&str, &str)| {
        let items = items.trim_matches(['{', '}']).split(',').map(|item| item.trim().to_owned());
        items.map(|item| (item, module.to_owned())).collect::<Vec<_>>()
    };
    statements.flat_map(names).collect()
}

/// The names that follow `crate::`: one, or those of a group.
fn names_after_crate(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    let starts =
        code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with(['_', ':'])).map(|(at, _)| at);
    for rest in starts.map(|at| &code[at + "crate::".len()..]) {
        let Some(group) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut item = String::new();
        for c in group.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            match (depth, c) {
                (0, _) => break,
                (1, ',') => names.push(word(std::mem::take(&mut item).trim())),
                _ => item.push(c),
            }
        }
        names.push(word(item.trim()));
    }
    names.retain(|name| !name.is_empty());
    names
}

/// How many modules a file is below the crate, and the longest run of `super::` in it.
fn climbs(below: &Path, code: &str) -> (usize, usize) {
    let depth = below.with_extension("").components().filter(|part| part.as_os_str() != "mod").count();
    let run = |at: usize| code[at..].split("super::").take_while(|between| between.is_empty()).count();
    let starts = code.match_indices("super::").map(|(at, _)| at);
    (depth, starts.map(|at| run(at).max(1)).max().unwrap_or(0))
}

/// The sources of a crate but `lib.rs` and tests: the path below the folder, and the code.
fn files(sources: &Path) -> Vec<(PathBuf, String)> {
    let entries = walkdir::WalkDir::new(sources).into_iter().map(Result::unwrap);
    let below = entries.map(|entry| entry.path().strip_prefix(sources).unwrap().to_owned());
    let is_code = |path: &PathBuf| {
        path.extension() == Some("rs".as_ref())
            && path != Path::new("lib.rs")
            && !path.with_extension("").components().any(|part| part.as_os_str() == "tests")
    };
    let read = |path: PathBuf| (path.clone(), code(&fs::read_to_string(sources.join(path)).unwrap()));
    below.filter(is_code).map(read).collect()
}

fn check(name: &str) {
    let sources = sources(name);
    let lib = fs::read_to_string(sources.join("lib.rs")).unwrap();
    let (table, exports) = (table(&lib), exports(&code(&lib)));
    let place = |wanted: &str| table.iter().position(|(module, _)| module == wanted);
    let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (below, code) in files(&sources) {
        let shown = below.display();
        let module =
            below.with_extension("").components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        assert!(place(&module).is_some(), "{name}: {shown} is in no module of the table in lib.rs");
        let (depth, supers) = climbs(&below, &code);
        assert!(supers < depth, "{name}: {shown} leaves its module by super::; write crate::");
        for used in names_after_crate(&code) {
            let used = exports.get(&used).unwrap_or(&used).clone();
            assert!(place(&used).is_some(), "{name}: {shown} uses crate::{used}, which is no module");
            assert!(
                place(&used) <= place(&module),
                "{name}: {shown} calls upward: {module} may not use {used}"
            );
            if used != module {
                calls.entry(module.clone()).or_default().insert(used);
            }
        }
    }
    for (module, named) in &table {
        let found = calls.remove(module).unwrap_or_default();
        assert_eq!(found, *named, "{name}: what `{module}` calls, and what the table in lib.rs says of it");
    }
}

#[test]
fn modules_of_the_pipeline_call_those_that_the_table_names_and_none_below_them() {
    check("pipeline");
}

#[test]
fn modules_of_the_dicom_reader_call_those_that_the_table_names_and_none_below_them() {
    check("dicom");
}

#[test]
fn modules_of_the_denoiser_call_those_that_the_table_names_and_none_below_them() {
    check("denoise");
}

#[test]
fn modules_of_the_linear_algebra_call_those_that_the_table_names_and_none_below_them() {
    check("linalg");
}

#[test]
fn modules_of_the_measures_call_those_that_the_table_names_and_none_below_them() {
    check("measures");
}
