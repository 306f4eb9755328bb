//! NIfTI files (`.nii`, `.nii.gz`): images of three or four dimensions, of either version of the format.
//!
//! The first dimensions are the rows, the last one is the columns: slices of an image of three dimensions, volumes of one of four.
//! The header's fields are those of `nifti1.h` and `nifti2.h`; what else it says (orientation, units, names) is not read.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::{
    MatrixFormat,
    flat::{Element, Layout},
};

/// Bytes of the headers of both versions, by which they are told apart.
const VERSION_1: usize = 348;
const VERSION_2: usize = 540;

/// The format.
pub(super) struct Nifti;

impl MatrixFormat for Nifti {
    // A gzip stream may begin with names and comments.
    const HEAD: u64 = 1 << 16;

    fn layout(head: &[u8]) -> Result<Layout, String> {
        if !head.starts_with(&[0x1f, 0x8b]) {
            return layout(head);
        }
        let mut unpacked = Vec::new();
        // The end of the file's first bytes is no error as long as the header is among them.
        let _cut = MultiGzDecoder::new(head).take(VERSION_2 as u64).read_to_end(&mut unpacked);
        Ok(Layout { gzip: true, ..layout(&unpacked)? })
    }
}

/// A header's fields, in its order of bytes.
struct Fields<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

macro_rules! field {
    ($name:ident, $type:ty) => {
        fn $name(&self, at: usize) -> $type {
            let bytes = self.bytes.get(at..at + size_of::<$type>()).and_then(|bytes| bytes.try_into().ok());
            let bytes = bytes.unwrap_or_default();
            if self.big_endian { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) }
        }
    };
}

impl Fields<'_> {
    field!(i16, i16);
    field!(i64, i64);
    field!(f32, f32);
    field!(f64, f64);
}

fn layout(head: &[u8]) -> Result<Layout, String> {
    let foreign = || "it is no NIfTI file (.nii or .nii.gz)".to_owned();
    let size = head.first_chunk().copied().ok_or_else(foreign)?;
    let sizes = [(i32::from_le_bytes(size), false), (i32::from_be_bytes(size), true)];
    let known = |&(size, _): &(i32, bool)| size == VERSION_1 as i32 || size == VERSION_2 as i32;
    let (size, big_endian) = sizes.into_iter().find(known).ok_or_else(foreign)?;
    let second = size == VERSION_2 as i32;
    if head.len() < size as usize {
        return Err("it is truncated in its header; write the file again".to_owned());
    }
    let fields = Fields { bytes: head, big_endian };
    let magic = if second { &head[4..8] } else { &head[344..348] };
    match magic {
        b"n+1\0" | b"n+2\0" => {}
        b"ni1\0" | b"ni2\0" => {
            return Err("its numbers are in another file (.img); save both as one .nii file".to_owned());
        }
        _ => return Err(foreign()),
    }
    let (dimensions, kind, start) = if second {
        let dimension = |i: usize| fields.i64(16 + 8 * i);
        (std::array::from_fn(dimension), fields.i16(12), fields.i64(168))
    } else {
        let dimension = |i: usize| i64::from(fields.i16(40 + 2 * i));
        // A float, of which every offset of a header up to 2^24 is one.
        (std::array::from_fn(dimension), fields.i16(70), fields.f32(108) as i64)
    };
    let (slope, intercept) = match second {
        true => (fields.f64(176), fields.f64(184)),
        false => (f64::from(fields.f32(112)), f64::from(fields.f32(116))),
    };
    let (rows, columns) = shape(dimensions)?;
    let first = size as i64 + 4;
    if start < first {
        return Err(format!("its numbers begin at byte {start}, within its header; write the file again"));
    }
    Ok(Layout {
        rows,
        columns,
        element: element(kind)?,
        big_endian,
        column_major: true,
        start: start.unsigned_abs(),
        gzip: false,
        scale: scale(slope, intercept)?,
    })
}

/// Rows and columns; dimensions of one at the end do not count.
fn shape([count, sizes @ ..]: [i64; 8]) -> Result<(u64, u64), String> {
    let sizes = usize::try_from(count).ok().and_then(|count| sizes.get(..count)).unwrap_or_default();
    if sizes.is_empty() || sizes.iter().any(|&size| size < 1) {
        return Err(format!("its dimensions are damaged ({count}: {sizes:?}); write the file again"));
    }
    let last = sizes.iter().rposition(|&size| size > 1).map_or(0, |last| last + 1);
    match &sizes[..last.max(3).min(sizes.len())] {
        [.., _] if last > 4 => Err(format!(
            "the image has {last} dimensions; give one of 3 (slices are columns) or 4 (volumes are)"
        )),
        [inner @ .., columns] if inner.len() >= 2 => {
            let rows = inner.iter().try_fold(1u64, |rows, size| rows.checked_mul(size.unsigned_abs()));
            let rows =
                rows.ok_or_else(|| format!("its dimensions are damaged ({sizes:?}); write the file again"))?;
            Ok((rows, columns.unsigned_abs()))
        }
        few => Err(format!("the image has {} dimensions; give one of 3 or 4", few.len())),
    }
}

fn element(kind: i16) -> Result<Element, String> {
    Ok(match kind {
        2 => Element::U8,
        4 => Element::I16,
        8 => Element::I32,
        16 => Element::F32,
        64 => Element::F64,
        256 => Element::I8,
        512 => Element::U16,
        768 => Element::U32,
        1024 => Element::I64,
        1280 => Element::U64,
        other => {
            return Err(format!(
                "its numbers are of type {other}, which is no integer or float of up to 64 bits; convert it"
            ));
        }
    })
}

/// A slope of zero means that there is no scale.
fn scale(slope: f64, intercept: f64) -> Result<Option<(f64, f64)>, String> {
    if slope == 0.0 || !slope.is_finite() || (slope == 1.0 && intercept == 0.0) {
        return Ok(None);
    }
    if !intercept.is_finite() {
        return Err(format!(
            "its scl_inter is {intercept}, with a scl_slope of {slope}; write the file again"
        ));
    }
    Ok(Some((slope, intercept)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_or_volumes_are_the_columns() {
        let of = |sizes: &[i64]| {
            let mut dimensions = [1; 8];
            dimensions[0] = sizes.len() as i64;
            dimensions[1..=sizes.len()].copy_from_slice(sizes);
            shape(dimensions)
        };
        assert_eq!(of(&[4, 5, 6]), Ok((20, 6)));
        assert_eq!(of(&[4, 5, 6, 1]), Ok((20, 6)));
        assert_eq!(of(&[4, 5, 1]), Ok((20, 1)));
        assert_eq!(of(&[4, 5, 6, 7]), Ok((120, 7)));
        assert_eq!(of(&[4, 5, 1, 7, 1, 1, 1]), Ok((20, 7)));
        for (sizes, said) in [
            (&[4, 5][..], "2 dimensions"),
            (&[4, 5, 6, 7, 2], "5 dimensions"),
            (&[4, 0, 6], "damaged"),
            (&[4, -5, 6], "damaged"),
            (&[i64::MAX, 3, 2], "damaged"),
        ] {
            assert!(of(sizes).unwrap_err().contains(said), "{sizes:?}");
        }
        assert!(shape([9; 8]).unwrap_err().contains("damaged"));
        assert!(shape([-1; 8]).unwrap_err().contains("damaged"));
    }
}
