//! What happens between the steps over the bands.

use std::ops::Range;

use tomobasis_denoise::{DetailKept, Effect, EffectPass, NoisePass, Place, Windows, probes};
use tomobasis_dicom::{Note, SeriesPlan, SliceRecord, notes};

use super::{
    super::{
        check::volume_of,
        manifest::{DenoisedManifest, Summary},
        samples::{Samples, volume},
        work::{Work, closing, remarks, secret},
    },
    BandDenoiser, Counts, Found, Step, digests_of, packed, unfinished, unpacked,
};
use crate::{
    commands::runner::Removal,
    error::{Error, Result},
    options::Options,
    output::{
        NamedFile,
        dicom::{DerivedRecord, series},
    },
    result::{Environment, FileEntry, MANIFEST},
    solve::{digest::Digest, padding_counts},
};

/// The driver's part of denoising a series in bands.
#[derive(Debug)]
pub struct DenoiseDriver {
    task: BandDenoiser,
    records: Vec<SliceRecord>,
    /// Passes of the step that are left, with the one under way.
    left: usize,
    windows: Windows,
    clipped: u64,
    effect: Option<Effect>,
    details: Vec<DetailKept>,
    manifest: Option<DenoisedManifest>,
}

impl DenoiseDriver {
    /// Passes over the bands by which the noise is found, and as many by which the effect is.
    pub const PASSES: usize = NoisePass::COUNT;

    /// Begins with a series.
    ///
    /// # Errors
    /// [`Error::Input`] and [`Error::Denoise`] for what cannot be denoised; [`Error::Internal`] for options of a decomposition.
    pub fn new(plan: SeriesPlan, options: Options) -> Result<Self> {
        tomobasis_linalg::check_machine()?;
        volume_of(&plan)?;
        let settings = options.denoise;
        let settings = settings.ok_or_else(|| Error::Internal("these options denoise nothing".to_owned()))?;
        let task = BandDenoiser {
            plan,
            options,
            settings,
            digests: Vec::new(),
            secret: None,
            model: None,
            step: Step::Noise(NoisePass::first()),
            places: Vec::new(),
            derivation: None,
        };
        let (windows, details) = (Windows::default(), Vec::new());
        let (left, records) = (Self::PASSES, Vec::new());
        Ok(Self { task, records, left, windows, clipped: 0, effect: None, details, manifest: None })
    }

    /// The rows that a band of these rows holds.
    #[must_use]
    pub fn held(&self, rows: &Range<usize>) -> Range<usize> {
        self.task.held(rows)
    }

    /// What tasks need for the next step, to be broadcast.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be serialized.
    pub fn step(&self) -> Result<Vec<u8>> {
        packed(&self.task)
    }

    /// Takes what a step has found in all bands, in any order; `records` are those of all slices, one list for each reading that differs
    /// from another.
    ///
    /// # Errors
    /// [`Error::Protocol`] when bands are missing, overlap or are of another step; [`Error::Dicom`] when the input has changed between
    /// two readings; [`Error::Denoise`] when noise cannot be found.
    pub fn add(&mut self, found: &[Vec<u8>], records: &[SliceRecord]) -> Result<()> {
        self.know(records)?;
        let shape = self.task.shape();
        let counts = merged(found, shape.rows)?;
        self.left = self.left.saturating_sub(1);
        let step = std::mem::replace(&mut self.task.step, Step::Done);
        self.task.step = match (step, counts) {
            (Step::Noise(pass), Counts::Noise(counts)) => match (pass.next(shape, counts)?, self.left) {
                (pass, 1..) => Step::Noise(pass),
                (pass, 0) => {
                    let model = pass.found().ok_or_else(unfinished)?;
                    self.task.model = Some(model.clone().of_noise()?);
                    self.left = 1;
                    Step::Denoise
                }
            },
            (Step::Denoise, Counts::Denoised { windows, clipped }) => {
                (self.windows, self.clipped) = (windows, clipped);
                self.left = Self::PASSES;
                Step::Effect(EffectPass::first())
            }
            (Step::Effect(pass), Counts::Effect(counts)) => match (pass.next(shape, counts)?, self.left) {
                (pass, 1..) => Step::Effect(pass),
                (pass, 0) => {
                    self.effect = Some(pass.found(self.task.model()?).ok_or_else(unfinished)?);
                    Step::Done
                }
            },
            _ => return Err(Error::Protocol("these counts are of another step".to_owned())),
        };
        Ok(())
    }

    /// Takes the records of the first reading, and refuses others.
    fn know(&mut self, records: &[SliceRecord]) -> Result<()> {
        let task = &mut self.task;
        let first = task.digests.is_empty();
        if first {
            self.records = records.get(..task.plan.slices.len()).unwrap_or_default().to_vec();
            task.digests = digests_of(&self.records);
        }
        for reading in records.chunks(task.plan.slices.len().max(1)) {
            task.plan.check_same_pixels(&task.digests, &digests_of(reading))?;
        }
        // Of no reading, that there is none.
        task.plan.check_same_pixels(&task.digests, &task.digests)?;
        if first {
            task.secret = Some(secret(&self.records));
            padding_counts::note(&mut task.plan, &self.records);
        }
        Ok(())
    }

    /// What decoding found that the user is to be told, once there were bands.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        notes(&self.task.plan, &self.records)
    }

    /// The slices in which places for small details are looked for; none where the size of pixels is unknown.
    #[must_use]
    pub fn probes(&self) -> Vec<usize> {
        match self.task.plan.pixel_spacing_mm {
            Some(_) => probes(self.task.shape()).iter().map(|probe| probe.slice).collect(),
            None => Vec::new(),
        }
    }

    /// Takes the places that [`BandDenoiser::place`] has found, in the order of the probes.
    ///
    /// # Errors
    /// [`Error::Protocol`] for other bytes.
    pub fn add_places(&mut self, places: &[Vec<u8>]) -> Result<()> {
        self.task.places = places.iter().map(|place| unpacked(place)).collect::<Result<_>>()?;
        Ok(())
    }

    /// Of each place, the slices and rows that [`BandDenoiser::kept`] takes.
    #[must_use]
    pub fn surroundings(&self) -> Vec<[Range<usize>; 2]> {
        let of = |place: &Place| {
            let [slices, rows, _] = place.surroundings(self.task.shape());
            [slices, rows]
        };
        self.task.places.iter().map(of).collect()
    }

    /// Takes what is left of the disc at each place, in their order.
    ///
    /// # Errors
    /// [`Error::Protocol`] for another number of places.
    pub fn add_kept(&mut self, kept: &[f64]) -> Result<()> {
        let places = &self.task.places;
        if kept.len() != places.len() {
            return Err(Error::Protocol(format!("{} parts are left at {} places", kept.len(), places.len())));
        }
        let kept: Vec<(Place, f64)> = places.iter().copied().zip(kept.iter().copied()).collect();
        self.details = DetailKept::of(&kept);
        Ok(())
    }

    /// The slice that pictures show.
    #[must_use]
    pub fn shown(&self) -> usize {
        Work::shown(&self.task.plan)
    }

    fn removal(&self) -> Result<Removal> {
        Ok(Removal {
            model: self.task.model()?.clone(),
            patch: tomobasis_denoise::patch(self.task.spacing_mm()),
            windows: self.windows,
            effect: self.effect.clone().ok_or_else(unfinished)?,
            details: self.details.clone(),
            clipped: self.clipped,
        })
    }

    /// What the manifest says of series, parameters, noise and effect, as JSON, whether files are made or not.
    ///
    /// # Errors
    /// [`Error::Protocol`] before all is known.
    pub fn summary(&self) -> Result<String> {
        let BandDenoiser { plan, options, settings, .. } = &self.task;
        let (removal, notes) = (self.removal()?, notes(plan, &self.records));
        let summary = Summary::of(plan, &notes, options, *settings, &removal);
        serde_json::to_string(&summary).map_err(|error| Error::Internal(error.to_string()))
    }

    /// What the user must know of the result, in sentences.
    ///
    /// # Errors
    /// [`Error::Protocol`] before all is known.
    pub fn remarks(&self) -> Result<Vec<String>> {
        let Removal { model, effect, clipped, .. } = self.removal()?;
        Ok(remarks(&effect, model.is_settled(), clipped).into_iter().map(|remark| remark.text).collect())
    }

    /// Makes the files of the folder but the slices and `_SUCCESS`, the manifest last; `stored` are the values of the slice that is shown,
    /// before and after, `samples` those of all bands, `derived` the records of all slices that were written. Returns the digest of the
    /// denoised pixels too.
    ///
    /// # Errors
    /// [`Error::Protocol`] before all is known, or when slices are missing; what the encoders refuse.
    pub fn finish(
        &mut self,
        stored: [&[i16]; 2],
        samples: &[Vec<u8>],
        derived: &[DerivedRecord],
        environment: Environment,
    ) -> Result<(Digest, Vec<NamedFile>)> {
        let task = &self.task;
        if stored.iter().any(|values| values.len() != task.plan.pixels()) {
            return Err(Error::Protocol("the slice that is shown is not whole".to_owned()));
        }
        let removal = self.removal()?;
        let work = Work {
            plan: &task.plan,
            records: &self.records,
            options: &task.options,
            settings: task.settings,
            removal: &removal,
        };
        let denoised = series(0, task.plan.slices.len(), derived)?.pixels;
        let mut files = work.pictures(stored)?;
        let mut manifest = work.manifest(denoised, &files, environment);
        let samples = samples.iter().map(|bytes| unpacked(bytes)).collect::<Result<Vec<Samples>>>()?;
        let report = work.report(&manifest, &files, &volume(&task.plan, samples)?)?;
        manifest.run.report = Some(FileEntry::of(&report));
        files.push(report);
        files.push(NamedFile { path: MANIFEST.to_owned(), bytes: manifest.seal()? });
        self.manifest = Some(manifest);
        Ok((denoised, files))
    }

    /// What to print at the end of a run.
    ///
    /// # Errors
    /// [`Error::Protocol`] before [`finish`](Self::finish).
    pub fn closing(&self) -> Result<String> {
        let manifest = self.manifest.as_ref().ok_or_else(unfinished)?;
        Ok(closing(&self.task.plan, &self.task.options, manifest))
    }
}

/// The counts of all bands, which must be all rows, each in one band.
fn merged(found: &[Vec<u8>], rows: usize) -> Result<Counts> {
    let mut found = found.iter().map(|bytes| unpacked(bytes)).collect::<Result<Vec<Found>>>()?;
    found.sort_by_key(|band| (band.rows.start, band.rows.end));
    let mut end = 0;
    for Found { rows, .. } in &found {
        if rows.start != end || rows.end <= rows.start {
            return Err(Error::Protocol(format!(
                "rows {} to {} do not follow row {end}",
                rows.start, rows.end
            )));
        }
        end = rows.end;
    }
    if end != rows {
        return Err(Error::Protocol(format!("of {rows} rows only {end} were counted")));
    }
    let mut counts = found.into_iter().map(|band| band.counts);
    let first = counts.next().ok_or_else(unfinished)?;
    counts.try_fold(first, Counts::merge)
}

impl Counts {
    fn merge(self, other: Self) -> Result<Self> {
        Ok(match (self, other) {
            (Self::Noise(a), Self::Noise(b)) => Self::Noise(a.merge(b)?),
            (Self::Effect(a), Self::Effect(b)) => Self::Effect(a.merge(b)?),
            (Self::Denoised { windows: a, clipped: m }, Self::Denoised { windows: b, clipped: n }) => {
                Self::Denoised { windows: a + b, clipped: m + n }
            }
            _ => return Err(Error::Protocol("bands were counted by different steps".to_owned())),
        })
    }
}
