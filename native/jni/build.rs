//! Links the library so that it runs with glibc 2.18 and later, whatever glibc it is linked with (`src/old_glibc.rs`).

use std::env;

/// Functions of which a newer glibc has a newer version, or which older ones do not have.
const WRAPPED: [&str; 24] = [
    "dlsym",
    "fstat64",
    "fstatat64",
    "getrandom",
    "gettid",
    "hypot",
    "log",
    "log2",
    "lstat64",
    "posix_spawn_file_actions_addchdir_np",
    "pow",
    "pthread_attr_getguardsize",
    "pthread_attr_getstack",
    "pthread_attr_setstacksize",
    "pthread_create",
    "pthread_detach",
    "pthread_getattr_np",
    "pthread_join",
    "pthread_key_create",
    "pthread_key_delete",
    "pthread_setname_np",
    "pthread_setspecific",
    "stat64",
    "statx",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux"
        && target("ENV") == "gnu"
        && matches!(target("ARCH").as_str(), "x86_64" | "aarch64")
    {
        for name in WRAPPED {
            println!("cargo::rustc-link-arg-cdylib=-Wl,--wrap={name}");
        }
        // Where these functions are before glibc 2.34; later ones keep the names as empty libraries.
        for library in ["libpthread.so.0", "libdl.so.2"] {
            println!("cargo::rustc-link-arg-cdylib=-Wl,--push-state,--no-as-needed,-l:{library},--pop-state");
        }
    }
}
