//! Links the C++ runtime of CharLS into what is built, so that the library for the JVM needs none on the machine it
//! runs on: a folder that holds nothing but the static `libstdc++.a` goes first on the linker's path.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let compiler = cc::Build::new().cpp(true).get_compiler();
    let found = Command::new(compiler.path()).arg("-print-file-name=libstdc++.a").output()?;
    let library = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
    // Compilers without it (they print the bare name) link their own runtime as usual.
    if let (true, Some(folder)) = (library.is_absolute(), env::var_os("OUT_DIR")) {
        fs::copy(&library, Path::new(&folder).join("libstdc++.a"))?;
        println!("cargo:rustc-link-search=native={}", Path::new(&folder).display());
    }
    Ok(())
}
