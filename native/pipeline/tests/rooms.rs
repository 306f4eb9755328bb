//! The rooms of this crate call one another as the table in `src/lib.rs` says: only rooms above them in it, and just those named.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// The table's rooms in its order, each with those that it calls.
fn table() -> Vec<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(Path::new(SOURCES).join("lib.rs")).unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("//! | [`")?.split(" | ");
        let room = cells.next()?.split('`').next()?.to_owned();
        let calls = cells.nth(1)?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((room, calls))
    };
    text.lines().filter_map(row).collect()
}

/// The code of a file, without comments and tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The names that follow `crate::`: one, or those of a group.
fn names_after_crate(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
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

#[test]
fn rooms_call_the_rooms_that_the_table_names_and_no_room_below_them() {
    let table = table();
    let rooms: BTreeSet<&str> = table.iter().map(|(room, _)| room.as_str()).collect();
    let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(SOURCES) {
        let entry = entry.unwrap();
        let below = entry.path().strip_prefix(SOURCES).unwrap();
        if !entry.file_type().is_file()
            || below == Path::new("lib.rs")
            || below.extension() != Some("rs".as_ref())
        {
            continue;
        }
        let (shown, code) = (below.display(), code(entry.path()));
        let room =
            below.with_extension("").components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        assert!(rooms.contains(room.as_str()), "{shown} is in no room of the table in lib.rs");
        let (depth, supers) = climbs(below, &code);
        assert!(supers < depth, "{shown} leaves its room by super::; write crate::");
        for name in names_after_crate(&code) {
            // What lib.rs exports of `error`.
            let name = if matches!(name.as_str(), "Error" | "Result") { "error".to_owned() } else { name };
            assert!(rooms.contains(name.as_str()), "{shown} uses crate::{name}, which is no room");
            let place = |wanted: &str| table.iter().position(|(room, _)| room == wanted);
            assert!(place(&name) <= place(&room), "{shown} calls upward: {room} may not use {name}");
            if name != room {
                calls.entry(room.clone()).or_default().insert(name);
            }
        }
    }
    for (room, named) in &table {
        let found = calls.remove(room).unwrap_or_default();
        assert_eq!(found, *named, "what `{room}` calls, and what the table in lib.rs says of it");
    }
}
