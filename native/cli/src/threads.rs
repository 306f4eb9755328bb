//! The option `--threads`.

/// More threads than any machine has cores, so a slip of the keyboard.
const MOST: i64 = 1024;

#[derive(clap::Args)]
pub(crate) struct Threads {
    /// Threads to use [default: one per core]
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        value_parser = clap::value_parser!(u16).range(0..=MOST), allow_hyphen_values = true,
    )]
    threads: u16,
}

impl Threads {
    /// How many; 0 is one per core.
    pub(crate) fn count(&self) -> usize {
        self.threads.into()
    }
}
