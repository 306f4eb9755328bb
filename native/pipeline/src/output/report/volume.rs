//! The volume that the report's browser shows: the scan's own values at every few pixels, and those of its composites.
//!
//! The scan is too large for a small page, so the report holds *samples*: each `step`-th pixel of each `step`-th row of each
//! `slice_step`-th slice, the first ones included; with `--report full` all of them. They are values of the matrix, not averages: what the
//! cursor reads is exact. A composite is rounded to the values that its slice can store, without the ends that a derived instance has but
//! for those of 16 bits.
//!
//! Row blocks encode their samples, each for itself, so the bytes do not depend on who renders which block. The original's samples are
//! predicted as in JPEG-LS (ITU-T T.87, A.4), from the one before in the block and from the slice before; a composite's are differences from
//! the original. Differences wrap around at 16 bits, are folded (0, -1, 1, -2, .. become 0, 1, 2, 3, ..) and go into a zlib stream: all low
//! bytes, then all high bytes.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use crate::{
    error::{Error, Result},
    input::layout::{block_rows, first_row},
    options::ReportSize,
};

/// Path under which the pictures' maker returns the volume; it is part of the report and no file of the result.
pub(crate) const VOLUME: &str = "report.volume";
/// Values in a report at most, of the original and all composites.
pub(crate) const MOST_VALUES: usize = 13_000_000;
/// Samples of the original at most: two bytes each, they fit even where nothing can be predicted.
const MOST_SAMPLES: usize = 4_000_000;
/// Samples along the series at most.
const MOST_SLICES: usize = 1024;
/// Bytes of encoded planes at most in a sampled report, beyond which composites are left out; in the page they are a third more. With the
/// basis vectors (1.3 MB as text) and the still pictures of slices of 512 x 512 (4 MB) the page stays below 15 MB.
pub(crate) const MOST_BYTES: usize = 7_000_000;
/// Bytes of encoded values in an element of the page at most, but for one of a single row block: a web browser has no longer texts than
/// 512 MB.
const MOST_OF_ELEMENT: usize = 32 << 20;

/// Which values of a scan are samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sampling {
    /// Rows and columns of a slice.
    rows: usize,
    columns: usize,
    slices: usize,
    /// Distance of samples in a slice, in pixels.
    pub step: usize,
    /// Distance of sampled slices.
    pub slice_step: usize,
}

impl Sampling {
    /// All of a scan, or the densest one with as many composites that fits into a small page.
    pub(crate) fn of(
        (rows, columns): (usize, usize),
        slices: usize,
        composites: usize,
        size: ReportSize,
    ) -> Self {
        if size == ReportSize::Full {
            return Self { rows, columns, slices, step: 1, slice_step: 1 };
        }
        let slice_step = slices.div_ceil(MOST_SLICES).max(1);
        let with = |step| Self { rows, columns, slices, step, slice_step };
        let fits = |step: &usize| {
            let samples = with(*step).samples();
            samples <= MOST_SAMPLES && samples * (1 + composites) <= MOST_VALUES
        };
        let most = rows.max(columns).max(1);
        with((1..most).find(fits).unwrap_or(most))
    }

    /// The same pixels, or more of them apart, of as many images.
    pub(crate) fn of_images(rows: usize, columns: usize, images: usize, step: usize) -> Self {
        Self { rows, columns, slices: images, step, slice_step: 1 }
    }

    /// Samples of a slice: rows, columns.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.rows.div_ceil(self.step), self.columns.div_ceil(self.step))
    }

    /// The sampled slices.
    pub(crate) fn slices(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.slices).step_by(self.slice_step)
    }

    /// Samples of a plane.
    pub(crate) fn samples(&self) -> usize {
        let (rows, columns) = self.size();
        rows * columns * self.slices.div_ceil(self.slice_step)
    }

    /// Rows of a row block that are samples, counted in the block.
    pub(crate) fn rows_of(&self, block: u32) -> Vec<usize> {
        let pixels = self.rows as u64 * self.columns as u64;
        let first = first_row(block) as usize;
        let is_sample = |row: &usize| {
            let pixel = first + row;
            (pixel / self.columns).is_multiple_of(self.step)
                && (pixel % self.columns).is_multiple_of(self.step)
        };
        (0..block_rows(block, pixels)).filter(is_sample).collect()
    }
}

/// Appends the samples of a block's plane: `values`, so many of each slice, slice after slice; a composite comes with the original.
///
/// # Errors
/// [`Error::Internal`] when they cannot be encoded.
pub(crate) fn append_plane(
    values: &[i16],
    original: Option<&[i16]>,
    of_slice: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let folded: Vec<u16> = match original {
        Some(original) => {
            values.iter().zip(original).map(|(value, from)| fold(value.wrapping_sub(*from))).collect()
        }
        None => {
            let difference = |(i, value): (usize, &i16)| {
                let at = |back: usize| i.checked_sub(back).and_then(|at| values.get(at)).copied();
                let left = if i % of_slice.max(1) > 0 { at(1) } else { None };
                let before = at(of_slice);
                let expected = match (left, before, at(of_slice + 1)) {
                    (Some(left), Some(before), Some(corner)) => predicted(left, before, corner),
                    (left, before, _) => left.or(before).unwrap_or(0),
                };
                fold(value.wrapping_sub(expected))
            };
            values.iter().enumerate().map(difference).collect()
        }
    };
    let low = folded.iter().map(|value| *value as u8);
    let bytes: Vec<u8> = low.chain(folded.iter().map(|value| (value >> 8) as u8)).collect();
    append_piece(&bytes, out)
}

/// Appends bytes as a zlib stream behind its length.
///
/// # Errors
/// [`Error::Internal`] when they cannot be encoded.
pub(super) fn append_piece(bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let encoded = deflate(bytes).map_err(|error| Error::Internal(error.to_string()))?;
    out.extend_from_slice(&length_of(&encoded)?);
    out.extend_from_slice(&encoded);
    Ok(())
}

fn deflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The median of both neighbors and of the plane through three of them.
fn predicted(left: i16, before: i16, corner: i16) -> i16 {
    let (low, high) = (left.min(before), left.max(before));
    if corner >= high {
        low
    } else if corner <= low {
        high
    } else {
        // Between the two, so that nothing wraps around for good.
        left.wrapping_add(before).wrapping_sub(corner)
    }
}

fn fold(difference: i16) -> u16 {
    ((difference << 1) ^ (difference >> 15)) as u16
}

fn length_of(bytes: &[u8]) -> Result<[u8; 4]> {
    let length = u32::try_from(bytes.len());
    Ok(length.map_err(|_| Error::Internal("a piece of the report is too large".to_owned()))?.to_le_bytes())
}

/// The planes of a report from what all blocks appended, in any order: a block's index with its `planes` planes, those of the basis vectors
/// and of the original first. Of the composites as many as fit into a report of this size.
///
/// # Errors
/// [`Error::Protocol`] when blocks are missing or are not of this volume.
pub(crate) fn assemble<'a>(
    blocks: u32,
    planes: usize,
    size: ReportSize,
    parts: impl IntoIterator<Item = (u32, &'a [u8])>,
) -> Result<Vec<u8>> {
    let foreign = || Error::Protocol("these parts are not of the volume of this report".to_owned());
    let mut found = vec![None; blocks as usize];
    for (block, bytes) in parts {
        *found.get_mut(block as usize).ok_or_else(foreign)? = Some(split(bytes).ok_or_else(foreign)?);
    }
    let found = found.into_iter().collect::<Option<Vec<Vec<&[u8]>>>>().ok_or_else(foreign)?;
    let mut kept: Vec<(u64, Vec<&[u8]>)> = Vec::new();
    let mut of_volume = 0;
    for plane in 0..planes {
        let pieces: Vec<&[u8]> =
            found.iter().map(|block| block.get(plane).copied()).collect::<Option<_>>().ok_or_else(foreign)?;
        let length: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        of_volume += if plane > 0 { length } else { 0 };
        if plane > 1 && size == ReportSize::Sampled && of_volume > MOST_BYTES as u64 {
            break;
        }
        kept.push((length, pieces));
    }
    let mut out = Vec::with_capacity(
        kept.iter().flat_map(|(_, pieces)| pieces).map(|piece| piece.len()).sum::<usize>() + 8 * kept.len(),
    );
    for (length, pieces) in kept {
        out.extend_from_slice(&length.to_le_bytes());
        pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    }
    Ok(out)
}

/// Pieces with their lengths before them.
fn split(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, _) = rest.split_first_chunk::<4>()?;
        let (piece, after) = rest.split_at_checked(4 + u32::from_le_bytes(*length) as usize)?;
        pieces.push(piece);
        rest = after;
    }
    Some(pieces)
}

/// The planes of [`assemble`]d bytes: of each, the pieces of its blocks with their lengths.
pub(crate) fn planes(volume: &[u8]) -> Vec<&[u8]> {
    let mut planes = Vec::new();
    let mut rest = volume;
    while let Some((length, after)) = rest.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((plane, after)) = after.split_at_checked(length) else { break };
        planes.push(plane);
        rest = after;
    }
    planes
}

/// A plane cut into what an element of the page holds, whole blocks each.
pub(crate) fn elements(plane: &[u8]) -> Vec<&[u8]> {
    cut(plane, MOST_OF_ELEMENT)
}

fn cut(plane: &[u8], most: usize) -> Vec<&[u8]> {
    let mut ends = vec![0];
    let mut end = 0;
    for piece in split(plane).unwrap_or_default() {
        let first = ends.last().copied().unwrap_or_default();
        if end > first && end - first + piece.len() > most {
            ends.push(end);
        }
        end += piece.len();
    }
    ends.push(end);
    ends.windows(2).filter_map(|ends| plane.get(*ends.first()?..*ends.last()?)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// The values of a plane from its only piece, as the browser decodes it.
    fn decoded(piece: &[u8], original: Option<&[i16]>, of_slice: usize) -> Vec<i16> {
        let mut bytes = Vec::new();
        flate2::read::ZlibDecoder::new(&piece[4..]).read_to_end(&mut bytes).unwrap();
        let (low, high) = bytes.split_at(bytes.len() / 2);
        let mut values: Vec<i16> = Vec::new();
        for (i, (low, high)) in low.iter().zip(high).enumerate() {
            let folded = u16::from_le_bytes([*low, *high]);
            let difference = ((folded >> 1) as i16) ^ -((folded & 1) as i16);
            let expected = match original {
                Some(original) => original[i],
                None if i % of_slice > 0 && i >= of_slice => {
                    predicted(values[i - 1], values[i - of_slice], values[i - of_slice - 1])
                }
                None if i % of_slice > 0 => values[i - 1],
                None if i >= of_slice => values[i - of_slice],
                None => 0,
            };
            values.push(difference.wrapping_add(expected));
        }
        values
    }

    #[test]
    fn every_value_of_sixteen_bits_comes_back() {
        let mut state = 7_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        };
        let original: Vec<i16> =
            [i16::MIN, i16::MAX, 0, -1].into_iter().chain((0..56).map(|_| random())).collect();
        let composite: Vec<i16> = original.iter().map(|value| value.wrapping_add(random())).collect();
        for of_slice in [1, 5, 60] {
            let mut out = Vec::new();
            append_plane(&original, None, of_slice, &mut out).unwrap();
            assert_eq!(decoded(&out, None, of_slice), original);
            let mut out = Vec::new();
            append_plane(&composite, Some(&original), of_slice, &mut out).unwrap();
            assert_eq!(decoded(&out, Some(&original), of_slice), composite);
        }
    }

    #[test]
    fn a_small_scan_is_there_as_a_whole_and_a_large_one_fits() {
        let sampled =
            |shape, slices, composites| Sampling::of(shape, slices, composites, ReportSize::Sampled);
        let small = sampled((40, 36), 5, 2);
        assert_eq!((small.step, small.slice_step, small.size()), (1, 1, (40, 36)));
        let chest = sampled((512, 512), 301, 3);
        assert_eq!((chest.step, chest.slice_step, chest.size()), (5, 1, (103, 103)));
        assert!(chest.samples() * 4 <= MOST_VALUES);
        assert!(sampled((512, 512), 301, 0).samples() <= MOST_SAMPLES);
        let long = sampled((512, 512), 5000, 3);
        assert_eq!(long.slice_step, 5);
        assert!(long.samples() * 4 <= MOST_VALUES && long.slices().count() == 1000);
        // One sample of each slice is the least there is.
        assert_eq!(sampled((8, 4), 1000, 1_000_000).size(), (1, 1));
        let full = Sampling::of((512, 512), 5000, 3, ReportSize::Full);
        assert_eq!((full.step, full.slice_step, full.samples()), (1, 1, 512 * 512 * 5000));
    }

    #[test]
    fn the_samples_of_all_blocks_are_the_grid() {
        let sampling = Sampling { rows: 100, columns: 90, slices: 4, step: 7, slice_step: 3 };
        let pixels = 100 * 90_u64;
        let all: Vec<usize> = (0..3)
            .flat_map(|block| {
                let first = first_row(block) as usize;
                sampling.rows_of(block).into_iter().map(move |row| first + row)
            })
            .collect();
        let grid: Vec<usize> =
            (0..100).step_by(7).flat_map(|y| (0..90).step_by(7).map(move |x| y * 90 + x)).collect();
        assert_eq!((all, block_rows(3, pixels)), (grid, 0));
        assert_eq!((sampling.size(), sampling.samples()), ((15, 13), 15 * 13 * 2));
        assert_eq!(sampling.slices().collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn planes_hold_the_blocks_in_their_order_and_missing_blocks_are_an_error() {
        let part = |bytes: [&[u8]; 2]| {
            bytes.map(|bytes| [(bytes.len() as u32).to_le_bytes().as_slice(), bytes].concat()).concat()
        };
        let (first, second) = (part([b"ab", b"x"]), part([b"c", b""]));
        let joined = |blocks, planes, parts: &[(u32, &[u8])]| {
            assemble(blocks, planes, ReportSize::Sampled, parts.iter().copied())
        };
        let volume = joined(2, 2, &[(1, &second), (0, &first), (1, &second)]).unwrap();
        let [basis, original] = planes(&volume)[..] else { panic!("two planes") };
        assert_eq!(split(basis).unwrap(), [b"\x02\0\0\0ab".as_slice(), b"\x01\0\0\0c".as_slice()]);
        assert_eq!(split(original).unwrap(), [b"\x01\0\0\0x".as_slice(), b"\0\0\0\0".as_slice()]);
        assert!(joined(2, 2, &[(1, &second)]).is_err());
        assert!(joined(2, 3, &[(1, &second), (0, &first)]).is_err());
        assert!(joined(1, 1, &[(0, b"\x09\0\0\0ab")]).is_err());
    }

    #[test]
    fn composites_beyond_the_size_of_a_small_page_are_left_out_and_a_full_one_has_them() {
        let piece = |length: usize| [(length as u32).to_le_bytes().as_slice(), &vec![7; length]].concat();
        let block = [piece(MOST_BYTES), piece(MOST_BYTES - 100), piece(50), piece(50)].concat();
        let count = |size| planes(&assemble(1, 4, size, [(0, block.as_slice())]).unwrap()).len();
        assert_eq!((count(ReportSize::Sampled), count(ReportSize::Full)), (3, 4));
    }

    #[test]
    fn elements_are_whole_blocks_and_together_the_plane() {
        let piece =
            |length: u8| [u32::from(length).to_le_bytes().as_slice(), &vec![length; length.into()]].concat();
        let plane = [piece(3), piece(5), piece(40), piece(2), piece(1)].concat();
        let cut = cut(&plane, 16);
        assert_eq!(cut.iter().map(|part| part.len()).collect::<Vec<_>>(), [16, 44, 11]);
        assert_eq!(cut.concat(), plane);
        assert_eq!(elements(&plane), [plane.as_slice()]);
        assert!(elements(&[]).concat().is_empty());
    }
}
