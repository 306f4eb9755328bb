//! Links the C++ runtime of CharLS into what is built, so that the library for the JVM needs none on the machine it
//! runs on: a folder that holds nothing but the static `libstdc++.a` goes first on the linker's path.
//!
//! For Windows it also holds an empty `libssp_nonshared.a` where the compiler (zig's) has none: rustc asks for that part of MinGW's,
//! of which nothing is needed on 64 bits.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// An archive without members.
const EMPTY_LIBRARY: &[u8] = b"!<arch>\n";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(folder) = env::var_os("OUT_DIR").map(PathBuf::from) else { return Ok(()) };
    // Compilers without it link their own runtime as usual.
    if let Some(library) = library("libstdc++.a")? {
        fs::copy(&library, folder.join("libstdc++.a"))?;
        search_first(&folder);
    }
    let mingw = ["OS", "ENV"].map(|what| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default());
    if mingw == ["windows", "gnu"] && library("libssp_nonshared.a")?.is_none() {
        fs::write(folder.join("libssp_nonshared.a"), EMPTY_LIBRARY)?;
        search_first(&folder);
    }
    Ok(())
}

/// A static library of the compiler's. Of one that it has not, it prints the bare name.
fn library(name: &str) -> io::Result<Option<PathBuf>> {
    let compiler = cc::Build::new().cpp(true).get_compiler();
    let found = Command::new(compiler.path()).arg(format!("-print-file-name={name}")).output()?;
    let library = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
    Ok(library.is_absolute().then_some(library))
}

fn search_first(folder: &Path) {
    println!("cargo:rustc-link-search=native={}", folder.display());
}
