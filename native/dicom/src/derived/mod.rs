//! Derived DICOM: an instance that has a source instance's patient, study and geometry, and other pixels.
//!
//! | file | what |
//! |---|---|
//! | `copy` | the source's attributes, from any encoding, to Explicit VR Little Endian |
//! | `attribute` | how attributes, sequences and fragments are written |
//! | `describe` | what a derived instance says of itself |
//! | `frames` | and a multi-frame one of its frames |
//! | `profile` | what is left out or replaced without patient data (PS3.15 annex E) |
//! | `values` | and which values of the rest are known to identify nobody |
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
mod frames;
mod jpeg_ls;
mod pixels;
mod profile;
mod uid;
mod values;

use std::collections::BTreeSet;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use attribute::{Attribute, Attributes};
use copy::Rules;
use profile::Action;
use uid::NewUids;

use crate::error::Error;
use crate::header::{DataSetBytes, HeaderOutcome, SliceHeader, is_enhanced, read_opened};
use crate::pixels::padding::PaddingOf;
use crate::pixels::{FileBytes, Secret, SliceFile, digest, is_planned};
use crate::plan::{SeriesPlan, SlicePlan};
use crate::problem::Problem;

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

/// What the pixels of a derived series are.
#[derive(Clone, Debug, PartialEq)]
pub enum DerivedImage {
    /// The composite of the first basis vectors.
    Composite {
        /// Basis vectors.
        k: usize,
        /// Slices of the source series, or of all series that were decomposed as one matrix.
        slices: usize,
        /// How many series these are.
        series: usize,
        /// How the basis was computed, in a few words of ASCII.
        method: String,
    },
    /// The source with less noise. Only slices that are files of their own: the standard has no term for such frames.
    Denoised {
        /// How, in a few words of ASCII.
        method: String,
    },
}

/// What all instances of a derived series have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// What the pixels are.
    pub image: DerivedImage,
    /// Digest of what the pixels are a function of; the UIDs come from it.
    pub digest: [u8; 32],
    /// Digests of the source's slices, when they were read for these pixels: another reading must find the same.
    pub digests: Vec<[u8; 32]>,
    /// Secret of the source's pixels: what hides the source's UIDs.
    pub secret: Secret,
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
    /// Digests of the stored pixels of each of its slices, as [`crate::decode`] gives them when it reads the file.
    pub pixels: Vec<[u8; 32]>,
}

/// All attributes of a file before its pixels as an Explicit VR Little Endian data set, with sequences of undefined length.
#[cfg(feature = "dicom-object")]
pub(crate) fn data_set(file: &[u8]) -> Result<Vec<u8>, Problem> {
    let source = DataSetBytes::open(file)?;
    let all = |signed| {
        let uids = NewUids { secret: [0; 32] };
        copy::copy(&source, &Rules { action: &|_, _| Action::Keep, uids, known_only: false, signed })
    };
    let mut attributes = all(false)?;
    // The VR of some attributes depends on the sign of the pixels.
    if attributes.get(&tags::PIXEL_REPRESENTATION).is_some_and(|sign| sign.value == [1, 0]) {
        attributes = all(true)?;
    }
    let mut out = Vec::new();
    attributes.iter().for_each(|(&tag, attribute)| attribute.write(tag, &mut out));
    Ok(out)
}

/// Refuses series whose instances cannot be named, since a derived UID is made from the source's, or do not fit into a file: 32 bits
/// hold the length of uncompressed pixels.
///
/// # Errors
/// The reason, in words that follow "derived DICOM".
pub fn check_source(plan: &SeriesPlan, syntax: DerivedSyntax) -> Result<(), &'static str> {
    let files = plan.slices_by_file();
    let firsts = files.iter().filter_map(|slices| plan.slices.get(*slices.first()?));
    let uids: BTreeSet<&str> = firsts.map(|slice| slice.instance_uid.as_str()).collect();
    if uids.len() < files.len() || uids.contains("") {
        return Err("needs a SOP Instance UID of its own in each file");
    }
    let fits = |slices: Vec<usize>| u32::try_from(2 * slices.len() * plan.pixels()).is_ok();
    if syntax == DerivedSyntax::JpegLs || files.into_iter().all(fits) {
        return Ok(());
    }
    Err(
        "would need 4 GiB or more of uncompressed pixels in one multi-frame instance; add --dicom-syntax jpeg-ls",
    )
}

/// Writes the instance derived from the one in `file`, which holds the slices `slices` of the plan: all that are in it, in the order
/// of their frames, as [`SeriesPlan::slices_by_file`] has them.
///
/// `stored` (slices x rows x columns) are their stored values less the slices' `offset`, as [`crate::decode`] gives them, within
/// [`SlicePlan::stored_range`]. Pixels that are padding in the source become padding in it too, and no others do: a value that
/// would be padding becomes the nearest one on the source's side that is not.
///
/// ```
/// use tomobasis_dicom::derived::{Derivation, DerivedImage, DerivedSyntax, derive};
/// use tomobasis_dicom::{HeaderOutcome, Inventory, SeriesChoice, decode, read_header, testing::DicomFile};
/// let file = DicomFile::ct(2, 2, &[0, 1, 2, 3]).bytes();
/// let mut inventory = Inventory::new();
/// inventory.add(0, "slice.dcm", file.len() as u64, &file)?;
/// let plan = inventory.select(&SeriesChoice::Only)?;
/// let mut pixels = vec![0; plan.pixels()];
/// let record = decode(&plan, 0, &file, &mut pixels)?;
/// pixels[3] = 9;
/// let derivation = Derivation {
///     image: DerivedImage::Composite { k: 1, slices: 1, series: 1, method: "an example".to_owned() },
///     digest: [7; 32],
///     digests: vec![record.digest],
///     secret: record.secret,
///     version: "1.0".to_owned(),
///     syntax: DerivedSyntax::Explicit,
///     patient_data: false,
/// };
/// let instance = derive(&plan, &[0], &file, &mut pixels, &derivation)?;
/// let HeaderOutcome::Slices(derived) = read_header(&instance.file, instance.file.len() as u64) else {
///     panic!("not what was written");
/// };
/// assert_eq!(derived[0].image_type, ["DERIVED", "SECONDARY", "AXIAL"]);
/// # Ok::<(), tomobasis_dicom::Error>(())
/// ```
///
/// Memory: the file, inflated if it was deflated, its functional groups twice, and the instance.
///
/// # Errors
/// `Argument` when `slices` or the length of `stored` do not fit the plan; `Slice` when the file is not the one that the plan
/// describes or its attributes cannot be read.
pub fn derive(
    plan: &SeriesPlan,
    slices: &[usize],
    file: &[u8],
    stored: &mut [i16],
    derivation: &Derivation,
) -> Result<DerivedInstance, Error> {
    let planned: Vec<&SlicePlan> = slices.iter().filter_map(|&slice| plan.slices.get(slice)).collect();
    let label = slices.first().and_then(|&slice| plan.file_label(slice));
    let (Some(first), Some(label)) = (planned.first(), label) else {
        return Err(Error::Argument(format!("slices {slices:?} of {} were asked for", plan.slices.len())));
    };
    let in_file = plan.slices.iter().filter(|slice| slice.file == first.file).count();
    let frames_ascend = planned.is_sorted_by(|a, b| a.file == b.file && a.frame < b.frame);
    if (planned.len(), slices.len()) != (in_file, in_file) || !frames_ascend {
        return Err(Error::Argument(format!("slices {slices:?} are not those of one file")));
    }
    if stored.len() != slices.len() * plan.pixels() {
        let text = format!(
            "{} pixels were given, {} slices have {} each",
            stored.len(),
            slices.len(),
            plan.pixels()
        );
        return Err(Error::Argument(text));
    }
    let wrong = |problem| Error::Slice { file: label.clone(), problem, others: 0 };
    let frames = headers_of(plan, &planned, file).map_err(wrong)?;
    let Some(header) = frames.first() else { return Err(wrong(Problem::Changed)) };
    let framed = header.frames > 1 || is_enhanced(&header.sop_class_uid);
    if framed && matches!(derivation.image, DerivedImage::Denoised { .. }) {
        return Err(Error::Argument("denoised frames of a multi-frame instance can't be written".to_owned()));
    }
    let mut attributes = copied(file, header, framed, derivation).map_err(wrong)?;
    if planned.iter().any(|slice| !PaddingOf::planned(slice).is_empty()) {
        let opened = SliceFile::open(FileBytes::whole(file));
        let mut source = vec![0; plan.pixels()];
        for ((&slice, planned), stored) in slices.iter().zip(&planned).zip(stored.chunks_mut(plan.pixels())) {
            let padding = PaddingOf::planned(planned);
            let offset = opened.pixels(plan, slice, &mut source)?;
            if Some(&digest::of_stored(&source, offset)) != derivation.digests.get(slice) {
                return Err(wrong(Problem::Changed));
            }
            for (stored, &source) in stored.iter_mut().zip(&source) {
                *stored = if padding.contains(source) { source } else { padding.avoided(*stored, source) };
            }
        }
    }
    pixels::correct_range(&mut attributes, &header.pixels, stored, first.offset);
    let pixel_bytes = (file.len() as u64).saturating_sub(header.pixel_offset);
    let instance = describe::describe(&mut attributes, header, pixel_bytes, derivation);
    if framed {
        frames::describe(&mut attributes, &frames, derivation).map_err(wrong)?;
    } else {
        describe::describe_slice(&mut attributes, header, derivation);
    }
    // Room for all, so that the instance is not moved while it grows: tag, VR, length and delimiter of each attribute, and the
    // meta group.
    let header_bytes: usize = attributes.values().map(|attribute| attribute.value.len() + 20).sum();
    let mut out = Vec::with_capacity(2 * stored.len() + header_bytes + 1024);
    write_meta(&header.sop_class_uid, &instance, derivation, &mut out);
    attributes.iter().for_each(|(&tag, attribute)| attribute.write(tag, &mut out));
    let size = (plan.rows, plan.columns);
    pixels::write(stored, first.offset, size, &header.pixels, derivation.syntax, &mut out).map_err(wrong)?;
    let digests = stored.chunks(plan.pixels()).map(|slice| digest::of_stored(slice, first.offset));
    Ok(DerivedInstance { pixels: digests.collect(), file: out })
}

/// The headers of some frames of a file, which must be those that the plan was made of.
fn headers_of(plan: &SeriesPlan, slices: &[&SlicePlan], file: &[u8]) -> Result<Vec<SliceHeader>, Problem> {
    let found = match read_opened(file, file.len() as u64).1 {
        HeaderOutcome::Slices(frames) => frames,
        HeaderOutcome::Broken { problem, .. } => return Err(problem),
        _ => Vec::new(),
    };
    let one = |slice: &&SlicePlan| {
        let header = found.get(slice.frame as usize).filter(|header| is_planned(plan, slice, header));
        let header = header.cloned().ok_or(Problem::Changed)?;
        Ok(SliceHeader { lossy: header.lossy || slice.lossy_codestream, ..header })
    };
    slices.iter().map(one).collect()
}

/// The attributes that go over from the source.
fn copied(
    file: &[u8],
    header: &SliceHeader,
    framed: bool,
    derivation: &Derivation,
) -> Result<Attributes, Problem> {
    let action = |tag: Tag, top: bool| {
        let private = tag.group() % 2 == 1;
        let group_length = tag.element() == 0;
        let needed = if framed && top { frames::needed(tag) } else { None };
        if private || group_length || (top && needed.is_none() && describe::is_superseded(tag)) {
            Action::Remove
        } else if derivation.patient_data {
            Action::Keep
        } else {
            needed.unwrap_or_else(|| profile::action(tag))
        }
    };
    let uids = NewUids { secret: derivation.secret.0 };
    copy::copy(
        &DataSetBytes::open(file)?,
        &Rules { action: &action, uids, known_only: !derivation.patient_data, signed: header.pixels.signed },
    )
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
