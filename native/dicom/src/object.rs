//! To and from the objects of dicom-rs, for programs that use them: `dicom-object`, behind the feature of that name.
//!
//! [`to_object`] reads any file that this crate reads, also those that dicom-rs refuses, and gives what stands before the
//! pixels. [`from_object`] gives an object as the bytes of a file, which the rest of the crate reads like any other:
//!
//! ```
//! use dicom_object::{Tag, from_reader};
//! use tomobasis_dicom::object::{from_object, to_object};
//! use tomobasis_dicom::{Inventory, SeriesChoice, decode, testing::DicomFile};
//!
//! // dicom-rs needs a meta group, this crate does not.
//! let bare = DicomFile::ct(2, 2, &[0, 1, 2, 3]).text((0x0018, 0x1210), "SH", "B30f").without_meta().bytes();
//! assert!(from_reader(&bare[..]).is_err());
//! assert_eq!(to_object(&bare)?.element(Tag(0x0018, 0x1210))?.to_str()?, "B30f");
//!
//! // An object of another program, decoded here.
//! let object = from_reader(&DicomFile::ct(2, 2, &[0, 1, 2, 3]).bytes()[..])?;
//! let file = from_object(&object)?;
//! let mut inventory = Inventory::new();
//! inventory.add(0, "object", file.len() as u64, &file)?;
//! let plan = inventory.select(&SeriesChoice::Only)?;
//! let mut pixels = vec![0; plan.pixels()];
//! decode(&plan, 0, &file, &mut pixels)?;
//! assert_eq!(pixels, [0, 1, 2, 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The two readers share the dictionary and nothing else, so each is an oracle for the other: `tests/dicom_objects.rs`.

use dicom_core::{Tag, VR};
use dicom_object::{DefaultDicomObject, InMemDicomObject, ReadError, WriteError};
use dicom_transfer_syntax_registry::entries;

use crate::derived::data_set;
use crate::header::{Elements, Known, Stop};
use crate::problem::Problem;
use crate::syntax::EXPLICIT_LITTLE;

/// Sequences of a [`to_object`] may be nested this deep: dicom-rs reads and drops objects by recursion. The standard's
/// are nested less than ten deep.
pub const DEEPEST: usize = 64;

/// Why a file does not become an object, or an object no file.
///
/// Words of dicom-rs may quote a value, so they are not in the text, but in the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// Another kind of file, or a DICOMDIR.
    #[error("it is not a DICOM file with a data set")]
    NoDataSet,
    /// The file is damaged.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// dicom-rs might overflow the stack.
    #[error("its sequences are nested more than {DEEPEST} deep")]
    Nested,
    /// A value representation that dicom-rs does not know, and whose length it would misread.
    #[error("it has a value representation that dicom-rs does not know")]
    UnknownVr,
    /// dicom-rs does not take a value.
    #[error("dicom-rs refuses its data set")]
    Read(#[source] Box<ReadError>),
    /// dicom-rs does not write the object.
    #[error("dicom-rs does not write the object")]
    Write(#[source] Box<WriteError>),
}

/// The attributes of a file before its pixel data, as an object with the default dictionary.
///
/// Values are the source's bytes; VRs that it does not write are the dictionary's. Compressed icons are left out. The
/// pixels are what [`crate::decode`] gives.
///
/// # Errors
/// See [`ObjectError`].
pub fn to_object(file: &[u8]) -> Result<InMemDicomObject, ObjectError> {
    let data_set = data_set(file).map_err(|problem| match problem {
        Problem::Changed => ObjectError::NoDataSet,
        other => ObjectError::Problem(other),
    })?;
    check(&data_set)?;
    InMemDicomObject::read_dataset_with_ts(&data_set[..], &entries::EXPLICIT_VR_LITTLE_ENDIAN.erased())
        .map_err(|error| ObjectError::Read(Box::new(error)))
}

/// An object as the bytes of a file in its own transfer syntax.
///
/// # Errors
/// [`ObjectError::Write`], for instance if dicom-rs lacks the transfer syntax (Deflated needs its feature `deflate`).
pub fn from_object(object: &DefaultDicomObject) -> Result<Vec<u8>, ObjectError> {
    let mut file = Vec::new();
    object.write_all(&mut file).map_err(|error| ObjectError::Write(Box::new(error)))?;
    Ok(file)
}

/// Whether dicom-rs can read a data set in which every sequence and item has undefined length.
fn check(data_set: &[u8]) -> Result<(), ObjectError> {
    let length = data_set.len() as u64;
    let truncated = |_: Stop| Problem::Truncated { tag: None, length };
    // A sequence and its item are two levels.
    let mut levels = 0_usize;
    let mut elements = Elements::new(Known::head(data_set), length, 0, EXPLICIT_LITTLE);
    while let Some(element) = elements.peek().map_err(truncated)? {
        if element.vr.is_some_and(|vr| VR::from_binary(vr).is_none()) {
            return Err(ObjectError::UnknownVr);
        }
        match element.length {
            None => {
                levels += 1;
                elements.position = element.start;
            }
            Some(_) => elements.skip(&element).map_err(truncated)?,
        }
        if matches!(element.tag, Tag(0xFFFE, 0xE00D | 0xE0DD)) {
            levels = levels.saturating_sub(1);
        }
        if levels > 2 * DEEPEST {
            return Err(ObjectError::Nested);
        }
    }
    Ok(())
}
