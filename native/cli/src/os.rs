//! Calls of the C library, which is another one on each system. None needs memory.

/// What glibc calls the number of its arenas (`mallopt`).
#[cfg(target_os = "linux")]
const M_ARENA_MAX: libc::c_int = -8;

/// Lets a write beyond the limit of the size of files (`ulimit -f`) be an error like others, and not end the process without a word.
/// Windows has no such limit.
pub(crate) fn ignore_limit_of_files() {
    #[cfg(unix)]
    // SAFETY: ignores a signal, before there are threads.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN)
    };
}

/// Lets all threads share one part of the address space for what they allocate. Called before there are threads; only glibc has several.
pub(crate) fn share_one_arena() {
    #[cfg(target_os = "linux")]
    // SAFETY: a setting of the C library, made before there are threads.
    unsafe {
        libc::mallopt(M_ARENA_MAX, 1)
    };
}

/// Stops this thread for good.
pub(crate) fn wait_forever() -> ! {
    loop {
        #[cfg(unix)]
        // SAFETY: waits for a signal; it has no arguments.
        unsafe {
            libc::pause()
        };
        #[cfg(windows)]
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}

/// Ends the process at once: what runs at a usual exit may need memory.
pub(crate) fn end_at_once(code: i32) -> ! {
    // SAFETY: it touches no memory.
    unsafe { libc::_exit(code) }
}

/// Writes a line past all buffers. Nothing can be done about a stderr that takes none.
pub(crate) fn write_to_stderr(line: &[u8]) {
    const STDERR: libc::c_int = 2;
    // The C library of Windows counts in fewer bits.
    #[cfg(windows)]
    let length = line.len() as libc::c_uint;
    #[cfg(unix)]
    let length = line.len();
    // SAFETY: the line's own bytes.
    unsafe { libc::write(STDERR, line.as_ptr().cast(), length) };
}
