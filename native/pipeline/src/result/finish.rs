//! The last step: from the digests of all blocks to the small files of the result folder.

use serde::Serialize;
use tomobasis_dicom::{JoinedSeries, JointPlan, UnjoinedSeries};

use super::{
    Environment, MANIFEST, Manifest, files,
    manifest::{Parameters, ResultSection, SeriesSection},
};
use crate::{
    blocks::renderer::{BlockRecord, basis_digests},
    error::{Error, Result},
    options::Emit,
    output::{
        NamedFile,
        dicom::{DerivedRecord, DerivedSection},
        drm,
        measured::{MEASURES, MeasuresSection},
        report::{self, Content, volume::VOLUME},
        tables::{self, JointRow, SeriesColumn, State},
        text,
    },
    solve::{
        decomposition::Decomposition,
        digest::{Digest, Digests},
    },
};

/// Makes all files of the result folder that are neither a block's, a derived slice's nor `_SUCCESS`, the manifest last.
///
/// # Errors
/// [`Error::Protocol`](crate::Error::Protocol) when blocks or derived slices are missing or disagree, and what the encoders refuse.
pub fn finish(
    decomposition: &Decomposition,
    records: &[BlockRecord],
    derived: &[DerivedRecord],
    pictures: Vec<NamedFile>,
    environment: Environment,
) -> Result<(Manifest, Vec<NamedFile>)> {
    Draft::new(decomposition, records, derived, pictures, environment)?.finish(decomposition)
}

/// The root digest of a result, from the records of all blocks.
///
/// # Errors
/// [`Error::Protocol`](crate::Error::Protocol) when blocks are missing or disagree.
pub fn root(decomposition: &Decomposition, records: &[BlockRecord]) -> Result<Digest> {
    Ok(decomposition.digests(basis_digests(decomposition.blocks(), records)?).root)
}

/// What `manifest.json` would say of a result that is in no folder.
#[derive(Serialize)]
struct Summary {
    series: SeriesSection,
    parameters: Parameters,
    result: ResultSection,
    digests: Digests,
}

/// The sections `series`, `parameters`, `result` and `digests` of the manifest, as JSON, given the records of all blocks in any
/// order.
///
/// # Errors
/// As [`root`]; [`Error::Internal`] when they cannot be written as JSON.
pub fn summary(decomposition: &Decomposition, records: &[BlockRecord]) -> Result<String> {
    let u = basis_digests(decomposition.blocks(), records)?;
    let Manifest { series, parameters, result, digests, .. } =
        Manifest::new(decomposition, u, None, Vec::new(), Environment::default())?;
    serde_json::to_string(&Summary { series, parameters, result, digests })
        .map_err(|error| Error::Internal(error.to_string()))
}

/// A result but for its report and the seal of its manifest.
pub(crate) struct Draft {
    /// Its manifest.
    pub manifest: Manifest,
    /// What holds numbers: Parquet, text and SequenceFiles.
    tables: Vec<NamedFile>,
    pictures: Vec<NamedFile>,
    /// For the report's browser.
    volume: Option<NamedFile>,
}

impl Draft {
    /// # Errors
    /// As [`finish`].
    pub(crate) fn new(
        decomposition: &Decomposition,
        records: &[BlockRecord],
        derived: &[DerivedRecord],
        pictures: Vec<NamedFile>,
        environment: Environment,
    ) -> Result<Self> {
        let options = &decomposition.options;
        let (volume, pictures): (Vec<_>, Vec<_>) = pictures.into_iter().partition(|file| file.path == VOLUME);
        let (measures, pictures): (Vec<_>, _) = pictures.into_iter().partition(|file| file.path == MEASURES);
        let measures = measures.first().map(MeasuresSection::from_file).transpose()?;
        let u = basis_digests(decomposition.blocks(), records)?;
        let derived =
            options.emits(Emit::Dicom).then(|| DerivedSection::new(decomposition, derived)).transpose()?;
        let mut tables = if options.emits(Emit::Parquet) { small_tables(decomposition)? } else { Vec::new() };
        if options.emits(Emit::Text) {
            tables.extend(text::small_files(decomposition));
        }
        if options.emits(Emit::Drm) {
            tables.extend(drm::small_files(decomposition));
        }
        // Without their files pictures are made for the report.
        let written: &[NamedFile] = if options.emits(Emit::Png) { &pictures } else { &[] };
        let files = files::list(decomposition, records, tables.iter().chain(written))?;
        let manifest = Manifest { measures, ..Manifest::new(decomposition, u, derived, files, environment)? };
        Ok(Self { manifest, tables, pictures, volume: volume.into_iter().next() })
    }

    /// Writes report and manifest: that and all files.
    ///
    /// # Errors
    /// As [`finish`].
    pub(crate) fn finish(self, decomposition: &Decomposition) -> Result<(Manifest, Vec<NamedFile>)> {
        let Self { mut manifest, tables: mut files, pictures, volume } = self;
        let options = &decomposition.options;
        let report = options.emits(Emit::Report).then(|| {
            report::page(&Content {
                decomposition,
                digests: &manifest.digests,
                derived: manifest.derived.as_ref(),
                measures: manifest.measures.as_ref(),
                left_out: &manifest.series.left_out,
                warnings: &manifest.series.warnings,
                run: manifest.run.described(),
                pictures: &pictures,
                volume: volume.as_ref().map(|file| file.bytes.as_slice()),
            })
        });
        let report = report.transpose()?;
        let json = manifest.seal(report.as_ref())?;
        files.extend(report);
        if options.emits(Emit::Png) {
            files.extend(pictures);
        }
        files.push(NamedFile { path: MANIFEST.to_owned(), bytes: json });
        Ok((manifest, files))
    }
}

/// The tables of singular values and of weights; of a joint matrix also those of its series.
///
/// # Errors
/// What the encoder refuses.
pub(crate) fn small_tables(decomposition: &Decomposition) -> Result<Vec<NamedFile>> {
    let instances: Vec<String> = decomposition.instances.iter().map(ToString::to_string).collect();
    let positions: Vec<f64> = decomposition.plan.slices.iter().map(|slice| slice.position_mm).collect();
    let values = tables::singular_values(
        &decomposition.s,
        &decomposition.spectrum().left_out(),
        decomposition.energy,
    )?;
    let rank = decomposition.rank();
    let from = decomposition.plan.joint.as_ref().map(|joint| series_column(joint));
    let weights = tables::weights(&instances, &positions, &decomposition.v, rank, from.as_ref())?;
    let mut files = vec![
        NamedFile { path: tables::SINGULAR_VALUES.to_owned(), bytes: values },
        NamedFile { path: tables::WEIGHTS.to_owned(), bytes: weights },
    ];
    for (one, _) in decomposition.joined() {
        let own = one.first..one.first + one.slices;
        let v = decomposition.v.get(own.start * rank..own.end * rank).unwrap_or_default();
        let (instances, positions) = (instances.get(own.clone()), positions.get(own));
        let bytes =
            tables::weights(instances.unwrap_or_default(), positions.unwrap_or_default(), v, rank, None)?;
        files.push(NamedFile { path: tables::series_weights_name(&one.folder), bytes });
    }
    if let Some(joint) = &decomposition.plan.joint {
        let rows: Vec<JointRow> = decomposition
            .joined()
            .map(|(one, fingerprint)| joined_row(one, fingerprint))
            .chain(joint.left_out.iter().map(unjoined_row))
            .collect();
        files.push(NamedFile { path: tables::SERIES.to_owned(), bytes: tables::joint_series(&rows)? });
    }
    Ok(files)
}

/// Of each slice of a joint matrix, where it is from.
fn series_column(joint: &JointPlan) -> SeriesColumn {
    let mut from = SeriesColumn::default();
    for one in &joint.series {
        from.series.extend(std::iter::repeat_n(one.plan.id.clone(), one.slices));
        from.slice.extend((0..one.slices).map(|slice| i32::try_from(slice).unwrap_or(i32::MAX)));
    }
    from
}

fn joined_row(one: &JoinedSeries, fingerprint: &Digest) -> JointRow {
    JointRow {
        series: one.plan.id.clone(),
        folder: one.folder.clone(),
        state: State::Done,
        first_slice: number(one.first),
        slices: number(one.slices),
        rows: number(one.plan.rows),
        columns: number(one.plan.columns),
        left_out: number(one.plan.skipped),
        fingerprint: fingerprint.to_string(),
        error: String::new(),
    }
}

fn unjoined_row(one: &UnjoinedSeries) -> JointRow {
    JointRow {
        series: one.id.clone(),
        state: if one.failed { State::Failed } else { State::Skipped },
        first_slice: -1,
        slices: number(one.slices),
        rows: number(one.rows),
        columns: number(one.columns),
        error: one.why.clone(),
        ..JointRow::default()
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
