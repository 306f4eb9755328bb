//! The browser's script: our modules in one, since a page from disk can load none.
//!
//! The modules are plain ECMAScript, as the tests run them one by one. To join them, their `import` lines and the word `export` are left
//! out: each follows those that it imports from, and no two declare the same name.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::solve::digest::Digest;

/// Those of the folder `browser`, each behind those that it imports from.
const MODULES: [(&str, &str); 10] = [
    ("codec.js", include_str!("browser/codec.js")),
    ("volume.js", include_str!("browser/volume.js")),
    ("basis.js", include_str!("browser/basis.js")),
    ("shades.js", include_str!("browser/shades.js")),
    ("plots.js", include_str!("browser/plots.js")),
    ("reading.js", include_str!("browser/reading.js")),
    ("screen.js", include_str!("browser/screen.js")),
    ("vectors.js", include_str!("browser/vectors.js")),
    ("browser.js", include_str!("browser/browser.js")),
    ("main.js", include_str!("browser/main.js")),
];

/// All of them.
pub(super) fn script() -> String {
    let lines = MODULES.iter().flat_map(|(_, text)| text.lines());
    let kept = lines.filter(|line| !line.starts_with("import "));
    kept.flat_map(|line| [line.strip_prefix("export ").unwrap_or(line), "\n"]).collect()
}

/// The source that a Content Security Policy names a script by (CSP 3, 2.3.1).
pub(super) fn policy(script: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Digest::of([script.as_bytes()]).0))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Names that lines at the left margin declare, and whether they are exported.
    fn declared(text: &str) -> BTreeMap<&str, bool> {
        let name = |line: &str| -> Option<(usize, usize)> {
            let start = ["async function ", "function ", "class ", "const ", "let "];
            let length = start.into_iter().find(|start| line.starts_with(start))?.len();
            let end = line[length..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
            Some((length, length + end))
        };
        text.lines()
            .filter_map(|line| {
                let plain = line.strip_prefix("export ").unwrap_or(line);
                name(plain).map(|(from, to)| (&plain[from..to], plain.len() < line.len()))
            })
            .collect()
    }

    #[test]
    fn modules_import_what_earlier_ones_export_and_share_no_name() {
        let mut before: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
        let mut names = BTreeSet::new();
        for (file, text) in MODULES {
            for line in text.lines().filter(|line| line.contains("import")) {
                let (list, from) = line
                    .strip_prefix("import { ")
                    .and_then(|line| line.strip_suffix("\";")?.split_once(" } from \"./"))
                    .unwrap_or_else(|| panic!("{file}: {line}"));
                let exported = before.get(from).unwrap_or_else(|| panic!("{file}: {from} comes later"));
                for name in list.split(", ") {
                    assert_eq!(exported.get(name), Some(&true), "{file}: {from} exports no {name}");
                }
            }
            let own = declared(text);
            for name in own.keys() {
                assert!(names.insert(*name), "{file}: {name} is declared twice");
            }
            before.insert(file, own);
        }
    }

    #[test]
    fn the_script_is_one_text_that_a_page_can_hold() {
        let script = script();
        assert!(
            !script.contains("import ") && !script.contains("\nexport ") && !script.contains("</"),
            "{script}"
        );
        for file in
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/output/report/browser")).unwrap()
        {
            let name = file.unwrap().file_name();
            assert!(MODULES.iter().any(|(module, _)| name == *module), "{name:?} is in no page");
        }
    }
}
