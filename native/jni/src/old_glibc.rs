//! Lets the library run with glibc 2.18 and later (RHEL 8, Amazon Linux 2, Debian 10 and 11, Ubuntu 20.04), whatever glibc it
//! is linked with.
//!
//! glibc keeps the old versions of its functions, but a linker takes the newest, which older systems do not have. So all calls of the
//! functions below go to `__wrap_NAME` (`build.rs`, the linker's `--wrap`), which jumps to the oldest version; `stat64` and its kind are
//! no functions at all before 2.33, but inline calls of `__xstat64`. What Rust's library uses only where it is there (`getrandom`,
//! `gettid`, `statx`, ...) has no `__wrap_NAME`: it is not there, and a system call does the same.
//! `tests/packaging/test_needed_symbols.py` reads what the library needs.
//!
//! The old `log`, `log2`, `pow` and `hypot` differ from the new ones in how they report errors, and perhaps in a last digit. No digit of
//! a result depends on them.

use std::arch::global_asm;

/// The version that glibc has had from its first release for this machine on.
#[cfg(target_arch = "x86_64")]
macro_rules! oldest {
    () => {
        "GLIBC_2.2.5"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! oldest {
    () => {
        "GLIBC_2.17"
    };
}

/// The instruction that goes on elsewhere.
#[cfg(target_arch = "x86_64")]
macro_rules! go_on_at {
    ($symbol:expr) => {
        concat!("jmp ", $symbol, "@PLT")
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! go_on_at {
    ($symbol:expr) => {
        concat!("b ", $symbol)
    };
}

/// Begins a function of this library alone.
macro_rules! function {
    ($name:expr) => {
        concat!(
            ".pushsection .text\n.globl ",
            $name,
            "\n.hidden ",
            $name,
            "\n.type ",
            $name,
            ", @function\n",
            $name,
            ":"
        )
    };
}

/// `__wrap_NAME`, which goes on at this version of the function.
macro_rules! as_of {
    ($version:expr, $($name:literal),+ $(,)?) => {
        $(global_asm!(
            concat!(".symver __old_", $name, ", ", $name, "@", $version),
            function!(concat!("__wrap_", $name)),
            go_on_at!(concat!("__old_", $name)),
            ".popsection",
        );)+
    };
}

as_of!(
    oldest!(),
    "dlsym",
    "hypot",
    "log",
    "log2",
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
    "pthread_setspecific",
);
#[cfg(target_arch = "x86_64")]
as_of!("GLIBC_2.12", "pthread_setname_np");
#[cfg(target_arch = "aarch64")]
as_of!(oldest!(), "pthread_setname_np");

// `int __xstat64(int version, const char *path, struct stat64 *buffer)` and its kind: the arguments move one place up, behind the
// version of the structure, which is 1 on x86-64 (`bits/stat.h`) and 0 on aarch64.
macro_rules! with_version {
    ($name:literal, $old:literal, $($moves:literal),+) => {
        global_asm!(function!(concat!("__wrap_", $name)), $($moves,)+ go_on_at!($old), ".popsection");
    };
}
#[cfg(target_arch = "x86_64")]
mod with_version {
    use super::global_asm;

    with_version!("stat64", "__xstat64", "mov rdx, rsi", "mov rsi, rdi", "mov edi, 1");
    with_version!("lstat64", "__lxstat64", "mov rdx, rsi", "mov rsi, rdi", "mov edi, 1");
    with_version!("fstat64", "__fxstat64", "mov rdx, rsi", "mov esi, edi", "mov edi, 1");
    with_version!(
        "fstatat64",
        "__fxstatat64",
        "mov r8d, ecx",
        "mov rcx, rdx",
        "mov rdx, rsi",
        "mov esi, edi",
        "mov edi, 1"
    );
}
#[cfg(target_arch = "aarch64")]
mod with_version {
    use super::global_asm;

    with_version!("stat64", "__xstat64", "mov x2, x1", "mov x1, x0", "mov w0, #0");
    with_version!("lstat64", "__lxstat64", "mov x2, x1", "mov x1, x0", "mov w0, #0");
    with_version!("fstat64", "__fxstat64", "mov x2, x1", "mov w1, w0", "mov w0, #0");
    with_version!(
        "fstatat64",
        "__fxstatat64",
        "mov w4, w3",
        "mov x3, x2",
        "mov x2, x1",
        "mov w1, w0",
        "mov w0, #0"
    );
}

// What the C++ library asks before it counts with locks; no version before 2.32. Here there always are threads.
global_asm!(
    ".pushsection .rodata",
    ".globl __libc_single_threaded",
    ".hidden __libc_single_threaded",
    ".type __libc_single_threaded, @object",
    ".size __libc_single_threaded, 1",
    "__libc_single_threaded: .byte 0",
    ".popsection",
);
