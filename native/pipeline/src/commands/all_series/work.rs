//! What a run over many series does with each: it decomposes it, or denoises it. All else is one mechanism for both.

use tomobasis_denoise::Settings;
use tomobasis_dicom::SeriesPlan;

use crate::{
    commands::{
        decompose::make_result,
        denoise::{STAGES, make_denoised, memory_needed, read_planned, refuse_volume, why_left_out},
        runner::{COMPOSITE_BYTES, Runner, Scan},
    },
    error::{FolderKind, Result},
    input::files::ScanFiles,
    need::{self, NO_FILES, Need},
    options::{Emit, Options},
    progress::Silent,
    result::Environment,
    solve::digest::Digest,
};

/// What is made of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    /// Its decomposition.
    Decompose,
    /// The same series with less noise.
    Denoise(Settings),
}

impl Work {
    pub fn of(options: &Options) -> Self {
        options.denoise.map_or(Self::Decompose, Self::Denoise)
    }

    /// What the folder of a series is.
    pub fn kind(self) -> FolderKind {
        match self {
            Self::Decompose => FolderKind::Result,
            Self::Denoise(_) => FolderKind::Denoised,
        }
    }

    /// Why a series is left out by its kind.
    pub fn why_left_out(self, plan: &SeriesPlan) -> Option<String> {
        match self {
            Self::Decompose => None,
            Self::Denoise(_) => why_left_out(plan),
        }
    }

    /// Refuses a series by what its headers say.
    ///
    /// # Errors
    /// Why nothing can be made of it.
    pub fn check(self, plan: &SeriesPlan) -> Result<()> {
        match self {
            Self::Decompose => Ok(()),
            Self::Denoise(_) => refuse_volume(plan),
        }
    }

    /// What one series is made on, by so many threads.
    pub fn runner(self, threads: usize, options: &Options) -> Result<Runner<'static>> {
        match self {
            Self::Decompose => Runner::new(threads, &Silent, 0, options.emits(Emit::Dicom)),
            Self::Denoise(_) => Runner::with_stages(threads, &Silent, 0, STAGES),
        }
    }

    /// Decodes a planned series for which there is memory.
    pub fn read(
        self,
        runner: &mut Runner<'_>,
        plan: SeriesPlan,
        files: ScanFiles,
        options: &Options,
    ) -> Result<Scan> {
        match self {
            Self::Decompose => runner.read_planned(plan, files, options, need::check),
            Self::Denoise(settings) => read_planned(runner, plan, files, options, settings),
        }
    }

    /// Makes every file of the folder, the manifest last; returns the root digest, of a denoised series that of its pixels.
    pub fn make(
        self,
        runner: &mut Runner<'_>,
        scan: &mut Scan,
        options: &Options,
        environment: impl FnOnce(&Runner<'_>) -> Environment,
        write: impl Fn(&str, &[&[u8]]) -> Result<()> + Sync,
    ) -> Result<Digest> {
        match self {
            Self::Decompose => {
                let (_, manifest) = make_result(runner, scan, options.clone(), environment, write)?;
                Ok(manifest.digests.root)
            }
            Self::Denoise(settings) => {
                let manifest = make_denoised(runner, scan, options, settings, environment, write)?;
                Ok(manifest.digests.denoised)
            }
        }
    }

    /// Bytes of memory that this takes at the most, files aside.
    pub fn memory(self, plan: &SeriesPlan, options: &Options, threads: usize) -> u128 {
        match self {
            Self::Decompose => Need::new(plan, options, NO_FILES, threads, COMPOSITE_BYTES).bytes(),
            Self::Denoise(settings) => memory_needed(plan, settings.quality, threads),
        }
    }
}
