//! Denoising in bands of rows, as the Spark job does it: [`BandDenoiser`] is what tasks know and do, [`DenoiseDriver`] what happens
//! between their steps.
//!
//! A band is some rows of all slices, with as many rows above and below as a step needs. What a step counts are integers, which the
//! driver merges once it has those of all rows; what it computes is a function of the rows at hand. So a result does not depend on how
//! many bands there are, where they are, or how often one is computed.
//!
//! 1. Noise: three passes over the bands.
//! 2. Small details: the driver says in which slices places are looked for, then which parts of the volume are denoised for them.
//! 3. Denoising: from each band its rows as stored values.
//! 4. Effect: three passes over the bands before and after.
//! 5. Instances: from whole slices and the files of the source.

mod driver;

use std::ops::Range;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tomobasis_denoise::{
    Denoiser, EffectCounts, EffectPass, NoiseCounts, NoiseModel, NoisePass, Place, Settings, Shape, Volume,
    Voxels, Windows, hounsfield_units, probes, rows_needed, working_bytes,
};
use tomobasis_dicom::{
    SeriesPlan, SliceRecord,
    derived::{Derivation, derive},
    zeros,
};
use tomobasis_linalg::Rescale;

pub use self::driver::DenoiseDriver;

use super::{
    check::volume_of,
    samples::{Part, Samples},
    work::{derivation, path_of},
};
use crate::{
    commands::runner::Target,
    error::{Error, Result},
    input::layout::rescale_of,
    memory,
    options::Options,
    output::{
        NamedFile,
        dicom::{DerivedFile, DerivedRecord, Grid},
    },
    solve::digest::Digest,
};

/// What bands are to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Step {
    Noise(NoisePass),
    Denoise,
    Effect(EffectPass),
    /// Nothing: all is known.
    Done,
}

/// What a step has found in a band.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    rows: Range<usize>,
    counts: Counts,
}

#[derive(Debug, Serialize, Deserialize)]
enum Counts {
    Noise(NoiseCounts),
    Denoised { windows: Windows, clipped: u64 },
    Effect(EffectCounts),
}

/// What tasks know of a series and do with its parts. It travels as bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BandDenoiser {
    plan: SeriesPlan,
    options: Options,
    settings: Settings,
    /// Of the slices' stored pixels; none before the first pass has ended.
    digests: Vec<[u8; 32]>,
    secret: Option<tomobasis_dicom::Secret>,
    model: Option<NoiseModel>,
    step: Step,
    /// Where small details are tried.
    places: Vec<Place>,
    /// What the instances have in common: of what is above.
    #[serde(skip)]
    derivation: Option<Derivation>,
}

/// A band: its rows, and the stored values of these and of the rows around them that [`BandDenoiser::held`] names, slice after slice.
#[derive(Clone, Debug)]
pub struct BandOf<'a> {
    /// Rows of the volume.
    pub rows: Range<usize>,
    /// Before.
    pub before: &'a [i16],
    /// Denoised, where that is what is measured.
    pub after: Option<&'a [i16]>,
}

/// What a step makes of a band.
#[derive(Debug)]
pub struct RunBand {
    /// Denoised, as stored values: slices x rows x columns; none where the step only counts.
    pub values: Option<Vec<i16>>,
    /// What it has found, for [`DenoiseDriver::add`].
    pub found: Vec<u8>,
}

/// First bytes of what is broadcast, and of what is found in a band.
const MAGIC: &[u8] = b"tomobasis denoise 1\n";

impl BandDenoiser {
    /// The inverse of [`DenoiseDriver::step`].
    ///
    /// # Errors
    /// [`Error::Protocol`] for bytes that this version did not write; [`Error::Option`] on a machine that does not give the promised
    /// bits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        tomobasis_linalg::check_machine()?;
        let mut this: Self = unpacked(bytes)?;
        volume_of(&this.plan)?;
        if let (Some(model), Some(secret)) = (&this.model, this.secret) {
            let digests = this.digests.clone();
            this.derivation =
                Some(derivation(&this.plan, &this.options, this.settings, model, digests, secret));
        }
        Ok(this)
    }

    fn shape(&self) -> Shape {
        Shape { slices: self.plan.slices.len(), rows: self.plan.rows, columns: self.plan.columns }
    }

    fn spacing_mm(&self) -> f64 {
        self.plan.slice_spacing_mm.unwrap_or_default()
    }

    /// The rows that a band of these rows holds.
    #[must_use]
    pub fn held(&self, rows: &Range<usize>) -> Range<usize> {
        rows_needed(self.shape(), self.settings.quality, rows)
    }

    /// Bytes that [`run`](Self::run) takes for a moment for a band of these rows, beside the values that it is given.
    #[must_use]
    pub fn working_bytes(&self, rows: &Range<usize>) -> usize {
        let shape = Shape { rows: self.held(rows).len(), ..self.shape() };
        let own = shape.slices * rows.len() * shape.columns;
        working_bytes(shape, self.settings.quality, 1).saturating_add(2 * own).saturating_add(SMALL)
    }

    /// Refuses what was read of other pixels than those of the first pass: a band that is lost is read again, and the input may have
    /// changed meanwhile.
    ///
    /// # Errors
    /// [`Error::Dicom`] naming the first file that changed.
    fn check_pixels(&self, records: &[SliceRecord]) -> Result<()> {
        match self.digests.is_empty() {
            true => Ok(()),
            false => Ok(self.plan.check_same_pixels(&self.digests, &digests_of(records))?),
        }
    }

    /// Does the step in a band; `records` are those of all slices, from when it was read.
    ///
    /// # Errors
    /// [`Error::Dicom`] when the input has changed; [`Error::Denoise`]; [`Error::Protocol`] for a band of other rows.
    pub fn run(&self, band: &BandOf<'_>, records: &[SliceRecord]) -> Result<RunBand> {
        self.check_pixels(records)?;
        let rescale = rescale_of(&self.plan);
        let (rows, held) = (band.rows.clone(), self.held(&band.rows));
        let volume = |values| {
            let voxels = Voxels::Stored { values, rescale: &rescale };
            Volume::block(self.shape(), held.clone(), self.spacing_mm(), voxels, None)
        };
        let before = volume(band.before)?;
        let after = band.after.map(volume).transpose()?;
        let pool = memory::pool(1)?;
        let (values, counts) = pool.install(|| match (&self.step, &after) {
            (Step::Noise(pass), None) => Ok((None, Counts::Noise(pass.count(&before, None, rows.clone())?))),
            (Step::Denoise, None) => self.denoise(&before, &rows, &rescale),
            (Step::Effect(pass), Some(after)) => {
                Ok((None, Counts::Effect(pass.count(&before, after, rows.clone())?)))
            }
            _ => Err(Error::Protocol("this band is not what the step takes".to_owned())),
        })?;
        Ok(RunBand { values, found: packed(&Found { rows, counts })? })
    }

    fn denoise(
        &self,
        before: &Volume<'_>,
        rows: &Range<usize>,
        rescale: &[Rescale],
    ) -> Result<(Option<Vec<i16>>, Counts)> {
        let Shape { slices, columns, .. } = self.shape();
        let grids: Vec<Grid> = self.plan.slices.iter().map(Grid::of).collect();
        let values = zeros(slices * rows.len() * columns).map_err(out_of_memory)?;
        let mut target = Target::Stored { grids: &grids, rescale, values };
        let denoiser = Denoiser::new(before, self.model()?, self.settings)?;
        let mut clipped = 0;
        let windows = denoiser.denoise(rows.clone(), |band| -> Result<()> {
            clipped += target.take(&band, rows, columns);
            Ok(())
        })?;
        let values = match target {
            Target::Stored { values, .. } => Some(values),
            Target::Hu(_) => None,
        };
        Ok((values, Counts::Denoised { windows, clipped }))
    }

    fn model(&self) -> Result<&NoiseModel> {
        self.model.as_ref().ok_or_else(|| Error::Protocol("the noise is not known yet".to_owned()))
    }

    fn pixel_mm(&self) -> Result<[f64; 2]> {
        self.plan.pixel_spacing_mm.ok_or_else(|| Error::Protocol("pixels have no size".to_owned()))
    }

    /// Looks for a place in the slice of a probe, given the slice's stored values; returns it as bytes, none where there is no place.
    ///
    /// # Errors
    /// [`Error::Protocol`] for a probe that there is not, or another slice.
    pub fn place(&self, probe: usize, stored: &[i16]) -> Result<Option<Vec<u8>>> {
        let shape = self.shape();
        let foreign = || Error::Protocol(format!("this is not the slice of probe {probe}"));
        let probe = *probes(shape).get(probe).ok_or_else(foreign)?;
        let rescale = *rescale_of(&self.plan).get(probe.slice).ok_or_else(foreign)?;
        if stored.len() != self.plan.pixels() {
            return Err(foreign());
        }
        let place = probe.place(&hounsfield_units(stored, rescale), None, shape, self.pixel_mm()?);
        place.map(|place| packed(&place)).transpose()
    }

    /// What denoising leaves of the disc at a place, given the stored values of the slices and rows of its
    /// [surroundings](DenoiseDriver::surroundings), of all columns.
    ///
    /// # Errors
    /// [`Error::Protocol`] for a place that there is not, or other surroundings; [`Error::Denoise`].
    pub fn kept(&self, place: usize, stored: &[i16]) -> Result<f64> {
        let shape = self.shape();
        let foreign = || Error::Protocol(format!("these are not the surroundings of place {place}"));
        let place = self.places.get(place).ok_or_else(foreign)?;
        let [slices, rows, columns] = place.surroundings(shape);
        if stored.len() != slices.len() * rows.len() * shape.columns {
            return Err(foreign());
        }
        let rescale = rescale_of(&self.plan);
        let mut around = Vec::with_capacity(slices.len() * rows.len() * columns.len());
        for (stored, slice) in stored.chunks_exact(rows.len() * shape.columns).zip(slices) {
            let hu = hounsfield_units(stored, *rescale.get(slice).ok_or_else(foreign)?);
            hu.chunks_exact(shape.columns).for_each(|row| around.extend_from_slice(&row[columns.clone()]));
        }
        let (model, pixel_mm) = (self.model()?, self.pixel_mm()?);
        let kept = || place.kept(shape, self.spacing_mm(), around, model, self.settings, pixel_mm);
        Ok(memory::pool(1)?.install(kept)?)
    }

    /// What the report shows of a band, denoised: of its rows, given as for [`run`](Self::run) with the denoised values of its own rows
    /// alone. For [`DenoiseDriver::finish`].
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn samples(&self, band: &BandOf<'_>, records: &[SliceRecord]) -> Result<Vec<u8>> {
        self.check_pixels(records)?;
        let missing = || Error::Protocol("this band is not denoised".to_owned());
        let before = Part { first: self.held(&band.rows).start, values: band.before };
        let after = Part { first: band.rows.start, values: band.after.ok_or_else(missing)? };
        packed(&Samples::of(&self.plan, band.rows.clone(), before, after)?)
    }

    /// Makes the instance of a slice from its denoised stored values; `source` is its file.
    ///
    /// # Errors
    /// What the source is refused for; [`Error::Protocol`] before the noise is known.
    pub fn derive(&self, slice: usize, source: &[u8], mut stored: Vec<i16>) -> Result<DerivedFile> {
        let unknown = || Error::Protocol("the noise is not known yet".to_owned());
        let made =
            derive(&self.plan, &[slice], source, &mut stored, self.derivation.as_ref().ok_or_else(unknown)?)?;
        let record = |digest| DerivedRecord { k: 0, slice, clipped: 0, pixels: Digest(digest) };
        Ok(DerivedFile {
            file: NamedFile { path: path_of(slice), bytes: made.file },
            records: made.pixels.into_iter().map(record).collect(),
        })
    }
}

/// Whatever is small.
const SMALL: usize = 4 << 20;

fn digests_of(records: &[SliceRecord]) -> Vec<[u8; 32]> {
    records.iter().map(|record| record.digest).collect()
}

fn unfinished() -> Error {
    Error::Protocol("a step of denoising has not ended yet".to_owned())
}

fn out_of_memory(error: std::collections::TryReserveError) -> Error {
    Error::Internal(error.to_string())
}

fn packed(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    rmp_serde::encode::write_named(&mut bytes, value).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(bytes)
}

fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let foreign = || Error::Protocol("these bytes are not of this denoising".to_owned());
    rmp_serde::from_slice(bytes.strip_prefix(MAGIC).ok_or_else(foreign)?).map_err(|_| foreign())
}
