//! What the manifest says of derived series.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    options::DicomSyntax,
    solve::{decomposition::Decomposition, digest::Digest},
};

/// What the manifest needs to know of one slice of a derived series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivedRecord {
    /// Basis vectors of its composite.
    pub k: usize,
    /// Its slice, from 0.
    pub slice: usize,
    /// Values that were beyond what the slice can store, and set to the end of the range.
    pub clipped: u64,
    /// Digest of its stored pixels.
    pub pixels: Digest,
}

/// The manifest's section on derived DICOM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DerivedSection {
    /// How pixels are written.
    pub syntax: DicomSyntax,
    /// Whether the attributes that can identify a person went over from the source.
    pub patient_data: bool,
    /// One for each composite, by ascending k.
    pub series: Vec<DerivedSeries>,
}

/// One derived series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DerivedSeries {
    /// Basis vectors.
    pub k: usize,
    /// Values beyond the stored range, in all slices.
    pub clipped: u64,
    /// Digest of its stored pixels: over the slices' digests, in series order.
    pub pixels: Digest,
}

impl DerivedRecord {
    /// 56 bytes: k, slice and clipped values (64 bits each, little-endian), digest.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.k as u64, self.slice as u64, self.clipped];
        [numbers.map(u64::to_le_bytes).as_flattened(), &self.pixels.0].concat()
    }

    /// The records that were written one after the other by [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`Error::Protocol`] for other bytes.
    pub fn all_from_bytes(bytes: &[u8]) -> Result<Vec<Self>> {
        let (records, rest) = bytes.as_chunks::<56>();
        let read = |record: &[u8; 56]| {
            let (numbers, digest) = record.split_first_chunk::<24>()?;
            let [k, slice, clipped] = *numbers.as_chunks::<8>().0 else { return None };
            Some(Self {
                k: usize::try_from(u64::from_le_bytes(k)).ok()?,
                slice: usize::try_from(u64::from_le_bytes(slice)).ok()?,
                clipped: u64::from_le_bytes(clipped),
                pixels: Digest(digest.try_into().ok()?),
            })
        };
        let all = if rest.is_empty() { records.iter().map(read).collect() } else { None };
        all.ok_or_else(|| Error::Protocol(format!("{} bytes are no records of derived slices", bytes.len())))
    }
}

impl DerivedSection {
    /// Puts the records of all slices of all composites together; they may come in any order and, after a retry, twice.
    ///
    /// # Errors
    /// [`Error::Protocol`] when some are missing or disagree.
    pub fn new(decomposition: &Decomposition, records: &[DerivedRecord]) -> Result<Self> {
        let series = decomposition.composites.iter().map(|&k| series(k, decomposition.columns(), records));
        Ok(Self {
            syntax: decomposition.options.dicom_syntax,
            patient_data: !decomposition.options.no_patient_data,
            series: series.collect::<Result<_>>()?,
        })
    }
}

/// The records of one series put together; see [`DerivedSection::new`].
pub(crate) fn series(k: usize, slices: usize, records: &[DerivedRecord]) -> Result<DerivedSeries> {
    let mut found: Vec<Option<&DerivedRecord>> = vec![None; slices];
    for record in records.iter().filter(|record| record.k == k) {
        match found.get_mut(record.slice) {
            Some(place) if place.is_none_or(|other| other == record) => *place = Some(record),
            Some(_) => {
                let text =
                    format!("slice {} was derived twice for k = {k}, with different results", record.slice);
                return Err(Error::Protocol(text));
            }
            None => return Err(Error::Protocol(format!("there is no slice {}", record.slice))),
        }
    }
    let missing = |slice| Error::Protocol(format!("slice {slice} was not derived for k = {k}"));
    let found = found.into_iter().enumerate().map(|(slice, record)| record.ok_or_else(|| missing(slice)));
    let found = found.collect::<Result<Vec<_>>>()?;
    let digests: Vec<Digest> = found.iter().map(|record| record.pixels).collect();
    let clipped = found.iter().map(|record| record.clipped).sum();
    Ok(DerivedSeries { k, clipped, pixels: Digest::of_digests(&digests) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(slice: usize, clipped: u64) -> DerivedRecord {
        DerivedRecord { k: 5, slice, clipped, pixels: Digest([slice as u8; 32]) }
    }

    #[test]
    fn records_survive_their_bytes() {
        let records = [record(3, 1 << 40), record(4, 0)];
        let bytes = records.map(|record| record.to_bytes()).concat();
        assert_eq!(DerivedRecord::all_from_bytes(&bytes).unwrap(), records);
        assert!(DerivedRecord::all_from_bytes(&bytes[1..]).is_err());
    }

    #[test]
    fn records_come_in_any_order_and_alike_after_a_retry() {
        let whole = series(5, 2, &[record(0, 1), record(1, 2)]).unwrap();
        assert_eq!(whole.clipped, 3);
        assert_eq!(series(5, 2, &[record(1, 2), record(0, 1), record(1, 2)]).unwrap(), whole);
        for bad in [vec![record(0, 1)], vec![record(0, 1), record(1, 2), record(1, 3)], vec![record(2, 0)]] {
            assert!(series(5, 2, &bad).is_err());
        }
        assert!(series(6, 2, &[record(0, 1), record(1, 2)]).is_err());
    }
}
