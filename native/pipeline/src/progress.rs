//! How far a run is, told to whoever shows it.

use serde::Serialize;

use crate::options::Method;

/// A stage of a decomposition, as the command and the job show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Scan,
    Decode,
    /// The Gram matrix, or the passes of the other methods.
    Sums,
    Decompose,
    Render,
    /// Derived DICOM.
    Derive,
}

/// What a stage is called, and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StageName {
    /// Name, also of the stage's timing in the manifest.
    pub name: &'static str,
    /// What it counts, in the plural.
    pub unit: &'static str,
}

impl Stage {
    const ALL: [Self; 6] =
        [Self::Scan, Self::Decode, Self::Sums, Self::Decompose, Self::Render, Self::Derive];

    /// From 1.
    pub(crate) fn number(self) -> usize {
        self as usize + 1
    }

    pub(crate) fn named(self, method: Method) -> StageName {
        let (name, unit) = match self {
            Self::Scan => ("scan", "files"),
            Self::Decode => ("decode", "slices"),
            Self::Sums => (method.name(), "row blocks"),
            Self::Decompose => ("decompose", "matrices"),
            Self::Render => ("render", "row blocks"),
            Self::Derive => ("derive", "steps"),
        };
        StageName { name, unit }
    }
}

/// The stages of a decomposition by this method, in their order; the last one is that of derived DICOM.
#[must_use]
pub fn stages(method: Method) -> [StageName; 6] {
    Stage::ALL.map(|stage| stage.named(method))
}

/// Receives the progress of a run. Calls may come from any thread.
pub trait Progress: Sync {
    /// Stage `number` of `of` begins: it has `total` items, called `unit` (plural).
    fn stage(&self, number: usize, of: usize, name: &str, unit: &str, total: u64);
    /// `count` more items of the stage are done.
    fn advance(&self, count: u64);
    /// Something worth a line of its own.
    fn message(&self, text: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _: usize, _: usize, _: &str, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn message(&self, _: &str) {}
}
