//! Signals that would end the process without a word.

/// Lets a write beyond the limit of the size of files (`ulimit -f`) be an error like others.
pub(crate) fn prepare() {
    // SAFETY: ignores a signal, before there are threads.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}
