//! Derived DICOM: an instance that has a source slice's patient, study and geometry, and other pixels.
//!
//! | file | what |
//! |---|---|
//! | `copy` | the source's attributes, from any encoding, to Explicit VR Little Endian |
//! | `attribute` | how attributes, sequences and fragments are written |
//! | `describe` | what a derived instance says of itself |
//! | `profile` | what is left out or replaced without patient data (PS3.15 annex E) |
//! | `uid` | UIDs from digests |
//! | `pixels`, `jpeg_ls` | the pixel data element |
//!
//! **Why our own writer.** What a derived instance needs is to carry over attributes that nobody interprets: byte by byte, in
//! whatever character set. The crate's scanner walks any file that it can read, without recursion; a tree of typed values
//! (`dicom-object`) would refuse some of these files, recurse into others, and reformat what it should pass on. The
//! writer itself is a dozen lines per form of element; tests read its files with pydicom, `dciodvfy`, DCMTK and our own reader.
//!
//! **The same bytes.** An instance is a function of the source file, the pixels and the [`Derivation`]: no date, machine, or order of
//! work is in it.
//!
//! Private attributes are not copied, also with patient data: what they say of the source's pixels (and of the patient) only the
//! vendor knows, so nobody can know that it is still true.

mod attribute;
mod copy;
mod describe;
mod jpeg_ls;
mod pixels;
mod profile;
mod uid;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use attribute::{Attribute, Attributes};
use copy::Rules;
use profile::Action;
use uid::NewUids;

use crate::error::Error;
use crate::header::{DataSetBytes, HeaderOutcome, SliceHeader, is_enhanced, read_opened};
use crate::pixels::{decode, digest, is_planned};
use crate::problem::Problem;
use crate::series::{SeriesPlan, SlicePlan};

/// Manufacturer and model in derived instances.
const MAKER: &str = "TomoBasis";

/// What wrote the file, for the meta group: a UUID of ours.
const IMPLEMENTATION: &str = "2.25.107253711145122947943422283531892679989";

/// How the pixels of derived instances are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivedSyntax {
    /// Explicit VR Little Endian, uncompressed.
    Explicit,
    /// JPEG-LS without loss.
    JpegLs,
}

/// What all instances of a derived series have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// Basis vectors of the composite.
    pub k: usize,
    /// Slices of the source series.
    pub slices: usize,
    /// How the basis was computed, in a few words of ASCII.
    pub method: String,
    /// Digest of what the composite is a function of; the UIDs come from it.
    pub digest: [u8; 32],
    /// Digest of the source's pixels: the salt of UIDs that replace the source's.
    pub pixels: [u8; 32],
    /// Version of the software; another one makes other instances, so its UIDs are others.
    pub version: String,
    /// How pixels are written.
    pub syntax: DerivedSyntax,
    /// Whether attributes that can identify a person go over.
    pub patient_data: bool,
}

/// A derived instance.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivedInstance {
    /// The DICOM file.
    pub file: Vec<u8>,
    /// Digest of its stored pixels, as [`crate::decode`] gives it when it reads the file.
    pub pixels: [u8; 32],
}

/// Refuses series whose slices no derived instance can be written for: frames of multi-frame instances, whose geometry is in
/// sequences.
///
/// # Errors
/// The reason, in words that follow "derived DICOM".
pub fn check_source(plan: &SeriesPlan) -> Result<(), &'static str> {
    let framed = plan.slices.iter().any(|slice| slice.frame > 0);
    if framed || is_enhanced(&plan.sop_class_uid) {
        return Err("is not available for multi-frame sources");
    }
    Ok(())
}

/// Least and greatest stored value of a slice's pixel format.
#[must_use]
pub fn stored_range(slice: &SlicePlan) -> (i32, i32) {
    let bits = u32::from(slice.pixels.bits_stored);
    if slice.pixels.signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

/// Writes the instance derived from slice number `slice` of the plan, whose file is `file`.
///
/// `stored` (rows x columns, row-major) are its stored values less the slice's `offset`, as [`crate::decode`] gives them, within
/// [`stored_range`]. Pixels that are padding in the source become padding in it too.
///
/// Memory: the file, inflated if it was deflated, and the instance.
///
/// # Errors
/// `Argument` when `slice` or the length of `stored` does not fit the plan; `Slice` when the file is not the one that the plan
/// describes or its attributes cannot be read.
pub fn derive(
    plan: &SeriesPlan,
    slice: usize,
    file: &[u8],
    stored: &mut [i16],
    derivation: &Derivation,
) -> Result<DerivedInstance, Error> {
    let (Some(what), Some(label)) = (plan.slices.get(slice), plan.file_label(slice)) else {
        return Err(Error::Argument(format!("slice {slice} of {} was asked for", plan.slices.len())));
    };
    if stored.len() != plan.pixels() {
        let text = format!("{} pixels were given, slices have {}", stored.len(), plan.pixels());
        return Err(Error::Argument(text));
    }
    let wrong = |problem| Error::Slice { file: label.clone(), problem, others: 0 };
    let header = header_of(plan, what, file).map_err(wrong)?;
    let mut attributes = copied(file, &header, derivation).map_err(wrong)?;
    if let Some(padding) = pixels::padding(&attributes, &header.pixels) {
        let mut source = vec![0; stored.len()];
        decode(plan, slice, file, &mut source)?;
        let pairs = stored.iter_mut().zip(&source);
        pairs
            .filter(|(_, source)| padding.contains(&(i32::from(**source) + what.offset)))
            .for_each(|(stored, &source)| *stored = source);
    }
    pixels::correct_range(&mut attributes, &header.pixels, stored, what.offset);
    let pixel_bytes = (file.len() as u64).saturating_sub(header.pixel_offset);
    let instance = describe::describe(&mut attributes, &header, pixel_bytes, derivation);
    let mut out = Vec::with_capacity(2 * stored.len() + 16 * 1024);
    write_meta(&header.sop_class_uid, &instance, derivation, &mut out);
    attributes.iter().for_each(|(&tag, attribute)| attribute.write(tag, &mut out));
    pixels::write(stored, what.offset, plan.columns, &header.pixels, derivation.syntax, &mut out)
        .map_err(wrong)?;
    Ok(DerivedInstance { file: out, pixels: digest::of_stored(stored, what.offset) })
}

fn header_of(plan: &SeriesPlan, slice: &SlicePlan, file: &[u8]) -> Result<SliceHeader, Problem> {
    let header = match read_opened(file, file.len() as u64).1 {
        HeaderOutcome::Slices(frames) => frames.into_iter().find(|header| header.frame == slice.frame),
        HeaderOutcome::Broken { problem, .. } => return Err(problem),
        _ => None,
    };
    header.filter(|header| is_planned(plan, slice, header)).ok_or(Problem::Changed)
}

/// The attributes that go over from the source.
fn copied(file: &[u8], header: &SliceHeader, derivation: &Derivation) -> Result<Attributes, Problem> {
    fn with_patient(tag: Tag, top: bool) -> Action {
        let private = tag.group() % 2 == 1;
        let group_length = tag.element() == 0;
        if private || group_length || (top && describe::is_superseded(tag)) {
            Action::Remove
        } else {
            Action::Keep
        }
    }
    fn without_patient(tag: Tag, top: bool) -> Action {
        match with_patient(tag, top) {
            Action::Keep => profile::action(tag),
            other => other,
        }
    }
    let action = if derivation.patient_data { with_patient } else { without_patient };
    let uids = NewUids { pixels: derivation.pixels };
    copy::copy(&DataSetBytes::open(file)?, &Rules { action, uids, signed: header.pixels.signed })
}

/// Preamble and file meta information (PS3.10 section 7.1).
fn write_meta(class: &str, instance: &str, derivation: &Derivation, out: &mut Vec<u8>) {
    let syntax = match derivation.syntax {
        DerivedSyntax::Explicit => uids::EXPLICIT_VR_LITTLE_ENDIAN,
        DerivedSyntax::JpegLs => uids::JPEGLS_LOSSLESS,
    };
    let version: String = format!("TOMOBASIS {}", derivation.version).chars().take(16).collect();
    let mut group = Vec::new();
    for (tag, attribute) in [
        (tags::FILE_META_INFORMATION_VERSION, Attribute::new(*b"OB", vec![0, 1])),
        (tags::MEDIA_STORAGE_SOP_CLASS_UID, Attribute::text(b"UI", class)),
        (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, Attribute::text(b"UI", instance)),
        (tags::TRANSFER_SYNTAX_UID, Attribute::text(b"UI", syntax)),
        (tags::IMPLEMENTATION_CLASS_UID, Attribute::text(b"UI", IMPLEMENTATION)),
        (tags::IMPLEMENTATION_VERSION_NAME, Attribute::text(b"SH", &version)),
    ] {
        attribute.write(tag, &mut group);
    }
    out.resize(128, 0);
    out.extend(b"DICM");
    let length = (group.len() as u32).to_le_bytes().to_vec();
    Attribute::new(*b"UL", length).write(tags::FILE_META_INFORMATION_GROUP_LENGTH, out);
    out.extend(group);
}
