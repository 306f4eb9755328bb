//! Records the versions of the libraries that numbers and files come from, as `Cargo.lock` has them, for the manifest.

use std::{env, fs, path::Path};

const RECORDED: [&str; 2] = ["faer", "parquet"];

fn main() {
    let lock = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let text = fs::read_to_string(&lock).unwrap_or_default();
    let quoted = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches('"').to_owned());
    let mut libraries = Vec::new();
    let mut name = String::new();
    for line in text.lines() {
        if let Some(found) = quoted(line, "name = ") {
            name = found;
        } else if let Some(version) = quoted(line, "version = ")
            && RECORDED.contains(&name.as_str())
        {
            libraries.push(format!("{name} {version}"));
        }
    }
    println!("cargo::rustc-env=TOMOBASIS_LIBRARIES={}", libraries.join(", "));
}
