//! The stages of a run: their numbers, their names, what they count.

use serde::Serialize;

use crate::options::{Method, Options};

/// Name of the time that drawing takes, which is shown with no stage of its own.
pub(crate) const PICTURES: &str = "pictures";

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

    /// Stages of a decomposition, without derived DICOM or with it.
    pub(crate) fn count(derived: bool) -> usize {
        if derived { Self::Derive.number() } else { Self::Render.number() }
    }

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

/// The stages of a job that denoises.
const OF_DENOISING: [StageName; 6] = [
    StageName { name: "scan", unit: "files" },
    StageName { name: "decode", unit: "slices" },
    StageName { name: "noise", unit: "rows" },
    StageName { name: "denoise", unit: "rows" },
    StageName { name: "effect", unit: "rows" },
    StageName { name: "derive", unit: "slices" },
];

/// The stages of the job with these options, in their order; the last one is that of derived DICOM.
#[must_use]
pub fn stages(options: &Options) -> [StageName; 6] {
    if options.denoise.is_some() {
        return OF_DENOISING;
    }
    Stage::ALL.map(|stage| match (stage, stage.named(options.method)) {
        (Stage::Decode, named) if !options.input_format.is_scan() => {
            StageName { unit: "row blocks", ..named }
        }
        (_, named) => named,
    })
}
