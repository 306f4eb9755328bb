//! A whole file as the bytes and the encoding of its data set: for what reads more of it than slices need.

use std::borrow::Cow;

use super::start::{DataSet, Start, read_start};
use super::{LARGEST_INFLATED, elements::Stop, known::Known};
use crate::inflate::inflate;
use crate::problem::Problem;
use crate::syntax::{EXPLICIT_LITTLE, Encoding};

/// A data set in memory.
pub(crate) struct DataSetBytes<'a> {
    pub bytes: Cow<'a, [u8]>,
    /// Offset of its first element.
    pub offset: u64,
    pub encoding: Encoding,
}

impl<'a> DataSetBytes<'a> {
    /// Opens a file that [`read_opened`](super::read_opened) has found to hold a slice.
    pub fn open(file: &'a [u8]) -> Result<Self, Problem> {
        let length = file.len() as u64;
        match read_start(Known::head(file), length) {
            Ok(Start::DataSet(DataSet { offset, encoding, .. })) => {
                Ok(DataSetBytes { bytes: Cow::Borrowed(file), offset, encoding })
            }
            Ok(Start::Deflated { offset, .. }) => {
                let deflated = usize::try_from(offset).ok().and_then(|offset| file.get(offset..));
                let bytes = Cow::Owned(inflate(deflated.unwrap_or(&[]), LARGEST_INFLATED)?);
                Ok(DataSetBytes { bytes, offset: 0, encoding: EXPLICIT_LITTLE })
            }
            Ok(_) => Err(Problem::Changed),
            Err(Stop::Truncated(tag)) => Err(Problem::Truncated { tag, length }),
            Err(Stop::Need(_)) => Err(Problem::Truncated { tag: None, length }),
        }
    }
}
