//! How far a run is, told to whoever shows it.

/// Receives the progress of a run. Calls may come from any thread.
pub trait Progress: Sync {
    /// Stage `number` of `of` begins: it has `total` items, called `unit` (plural).
    fn stage(&self, number: usize, of: usize, name: &str, unit: &str, total: u64);
    /// `count` more items of the stage are done.
    fn advance(&self, count: u64);
    /// Something worth a line of its own.
    fn message(&self, text: &str);
    /// Whether the run is to stop: it is asked between files and row blocks, and ends with [`Error::Stopped`](crate::Error).
    fn stopped(&self) -> bool {
        false
    }
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _: usize, _: usize, _: &str, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn message(&self, _: &str) {}
}
