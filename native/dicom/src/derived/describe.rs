//! What a derived instance says of itself: the attributes that are not its source's.
//!
//! | module (PS3.3) | here |
//! |---|---|
//! | General Series (C.7.3.1) | a series of its own in the source's study; number and description name k, or say that it is denoised |
//! | General Equipment (C.7.5.1) | this software, which made the image |
//! | General Image (C.7.6.1), General Reference (C.12.4) | `DERIVED\SECONDARY`, how it was derived, from which slice; of frames: `frames` |
//! | SOP Common (C.12.1) | Contributing Equipment: the scanner, as C.12.1.1.5 has it for derived images |
//!
//! Dates of the series, the content and the instance's creation are left out: they would be those of the run, and the same
//! result would no longer be the same bytes. A slice has no Derivation Code: no concept of CID 7203 says "low-rank approximation" or "denoised".

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::attribute::{Attribute, Attributes, code_item};
use super::uid::{NewUids, uid};
use super::{Derivation, DerivedImage, MAKER};
use crate::header::{SliceHeader, text};
use crate::{known, syntax};

/// Longest value of LO (PS3.5 table 6.2-1), in characters.
const LONGEST_LO: usize = 64;

/// The derived series' number is this times the source's, plus k (0 for the denoised one): next to its source in a sorted list.
const NUMBERS_PER_SERIES: i64 = 10_000;

/// Whether an attribute at the top of the source is not copied, because it is about the source's pixels, file, or making.
pub(super) fn is_superseded(tag: Tag) -> bool {
    const TAGS: [Tag; 28] = [
        Tag(0x0008, 0x0001), // Length to End, retired
        tags::INSTANCE_CREATION_DATE,
        tags::INSTANCE_CREATION_TIME,
        tags::INSTANCE_CREATOR_UID,
        tags::SERIES_DATE,
        tags::CONTENT_DATE,
        tags::SERIES_TIME,
        tags::CONTENT_TIME,
        tags::DERIVATION_DESCRIPTION,
        tags::SOURCE_IMAGE_SEQUENCE,
        tags::DERIVATION_CODE_SEQUENCE,
        tags::DEVICE_UID,
        tags::GANTRY_ID,
        tags::UNIQUE_DEVICE_IDENTIFIER,
        tags::UDI_SEQUENCE,
        tags::MANUFACTURER_DEVICE_CLASS_UID,
        tags::DATE_OF_LAST_CALIBRATION,
        tags::TIME_OF_LAST_CALIBRATION,
        tags::DATE_TIME_OF_LAST_CALIBRATION,
        tags::CALIBRATION_DATE_TIME,
        tags::DATE_OF_MANUFACTURE,
        tags::DATE_OF_INSTALLATION,
        tags::SMALLEST_PIXEL_VALUE_IN_SERIES,
        tags::LARGEST_PIXEL_VALUE_IN_SERIES,
        tags::ICON_IMAGE_SEQUENCE,
        tags::ENCRYPTED_ATTRIBUTES_SEQUENCE,
        tags::MAC_PARAMETERS_SEQUENCE,
        tags::DIGITAL_SIGNATURES_SEQUENCE,
    ];
    // Curves and overlays are drawn on the source's pixels.
    TAGS.contains(&tag) || matches!(tag.group(), 0x5000..=0x50FF | 0x6000..=0x60FF)
}

/// Sets what the derived instance says of itself; returns its SOP Instance UID. `pixel_bytes` are those of the source's pixel data.
pub(super) fn describe(
    attributes: &mut Attributes,
    source: &SliceHeader,
    pixel_bytes: u64,
    derivation: &Derivation,
) -> String {
    let instance = instance_uid(source, derivation);
    let mut set = |tag, vr: &[u8; 2], text: &str| {
        attributes.insert(tag, Attribute::text(vr, text));
    };
    set(tags::SOP_CLASS_UID, b"UI", &source.sop_class_uid);
    set(tags::SOP_INSTANCE_UID, b"UI", &instance);
    set(tags::SERIES_INSTANCE_UID, b"UI", &series_uid(source, derivation));
    set(tags::SERIES_NUMBER, b"IS", &series_number(source, derivation.k()).to_string());
    set(tags::DERIVATION_DESCRIPTION, b"ST", &derivation.text());
    if source.lossy {
        describe_loss(attributes, source, pixel_bytes);
    }
    let description = series_description(attributes, derivation);
    attributes.insert(tags::SERIES_DESCRIPTION, description);
    name_equipment(attributes, derivation);
    if !derivation.patient_data {
        say_deidentified(attributes, derivation);
    }
    instance
}

/// Sets what the instance of a single slice says of its image.
pub(super) fn describe_slice(attributes: &mut Attributes, source: &SliceHeader, derivation: &Derivation) {
    // Value 3 is the kind of image (AXIAL), which stays; further ones are the scanner's own.
    let shown = |kind: &&String| !kind.is_empty() && (derivation.patient_data || known::is_coded(kind));
    let kind = source.image_type.get(2).filter(shown);
    let image_type: Vec<&str> =
        ["DERIVED", "SECONDARY"].into_iter().chain(kind.map(String::as_str)).collect();
    attributes.insert(tags::IMAGE_TYPE, Attribute::text(b"CS", &image_type.join("\\")));
    attributes.insert(tags::SOURCE_IMAGE_SEQUENCE, Attribute::sequence(&[source_image(source, derivation)]));
}

/// Says that pixels were once compressed with loss where only the source's transfer syntax or its codestream does (PS3.3
/// C.7.6.1.1.5).
fn describe_loss(attributes: &mut Attributes, source: &SliceHeader, pixel_bytes: u64) {
    let said = attributes.get(&tags::LOSSY_IMAGE_COMPRESSION).map(|attribute| text(&attribute.value));
    if said.as_deref() == Some("01") {
        return;
    }
    let image_bytes = source.image_bytes() * u64::from(source.frames);
    let ratio = format!("{:.2}", image_bytes as f64 / pixel_bytes.max(1) as f64);
    let method = syntax::loss_method(&source.transfer_syntax);
    for (tag, vr, text) in [
        (tags::LOSSY_IMAGE_COMPRESSION, b"CS", Some("01")),
        (tags::LOSSY_IMAGE_COMPRESSION_RATIO, b"DS", Some(ratio.as_str())),
        (tags::LOSSY_IMAGE_COMPRESSION_METHOD, b"CS", method),
    ] {
        if let Some(text) = text {
            attributes.insert(tag, Attribute::text(vr, text));
        }
    }
}

fn series_uid(source: &SliceHeader, derivation: &Derivation) -> String {
    let [digest, secret, version, identity] = derivation.hashed();
    let series = source.series_instance_uid.as_bytes();
    uid(&[b"tomobasis derived series 2\n", digest, secret, version, identity, series])
}

fn instance_uid(source: &SliceHeader, derivation: &Derivation) -> String {
    let [digest, secret, version, identity] = derivation.hashed();
    let instance = source.sop_instance_uid.as_bytes();
    uid(&[b"tomobasis derived instance 2\n", digest, secret, version, identity, instance])
}

fn series_number(source: &SliceHeader, k: usize) -> i64 {
    let k = i64::try_from(k).unwrap_or(i64::MAX);
    let number =
        source.series_number.unwrap_or(0).checked_mul(NUMBERS_PER_SERIES).and_then(|n| n.checked_add(k));
    // What an integer string holds (PS3.5 table 6.2-1).
    number.filter(|&n| i32::try_from(n).is_ok()).unwrap_or(k)
}

/// `k=50 of 301: ` or `denoised: ` and the source's description, in its own character set, where there is room for it.
fn series_description(attributes: &Attributes, derivation: &Derivation) -> Attribute {
    let mut text = match &derivation.image {
        DerivedImage::Composite { k, slices, .. } => format!("k={k} of {slices}"),
        DerivedImage::Denoised { .. } => "denoised".to_owned(),
    }
    .into_bytes();
    let source = attributes.get(&tags::SERIES_DESCRIPTION).map(|attribute| attribute.value.trim_ascii());
    if let Some(source) = source
        && !source.is_empty()
        && text.len() + 2 + source.len() <= LONGEST_LO
    {
        text.extend(b": ");
        text.extend(source);
    }
    Attribute::new(*b"LO", text)
}

/// The slice in whose place the derived one is. It was computed from all slices of the series; to name them all in each would
/// make the series grow with the square of their number, so the derivation's text says it.
pub(super) fn source_image(source: &SliceHeader, derivation: &Derivation) -> Attributes {
    let instance = source_uid(&source.sop_instance_uid, derivation);
    let purpose = Attribute::code("121322", "Source image for image processing operation");
    Attributes::from([
        (tags::REFERENCED_SOP_CLASS_UID, Attribute::text(b"UI", &source.sop_class_uid)),
        (tags::REFERENCED_SOP_INSTANCE_UID, Attribute::text(b"UI", &instance)),
        (tags::SPATIAL_LOCATIONS_PRESERVED, Attribute::text(b"CS", "YES")),
        (tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, purpose),
    ])
}

/// A UID of the source as the derived instance may show it.
pub(super) fn source_uid(uid: &str, derivation: &Derivation) -> String {
    match derivation.patient_data {
        true => uid.to_owned(),
        false => NewUids { secret: derivation.secret.0 }.replace(uid),
    }
}

/// This software as the equipment; what was there before goes to the contributing equipment.
fn name_equipment(attributes: &mut Attributes, derivation: &Derivation) {
    let mut scanner = Attributes::new();
    let own = [
        tags::MANUFACTURER,
        tags::STATION_NAME,
        tags::MANUFACTURER_MODEL_NAME,
        tags::DEVICE_SERIAL_NUMBER,
        tags::SOFTWARE_VERSIONS,
    ];
    for tag in own {
        if let Some(attribute) = attributes.remove(&tag).filter(|attribute| !attribute.value.is_empty()) {
            scanner.insert(tag, attribute);
        }
    }
    if let Some(institution) = attributes.get(&tags::INSTITUTION_NAME).filter(|name| !name.value.is_empty()) {
        scanner.insert(tags::INSTITUTION_NAME, institution.clone());
    }
    scanner.entry(tags::MANUFACTURER).or_insert_with(|| Attribute::text(b"LO", "UNKNOWN"));
    scanner
        .insert(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, Attribute::code("109101", "Acquisition Equipment"));
    contribute(attributes, &scanner);
    attributes.extend(ours(derivation));
}

fn ours(derivation: &Derivation) -> Attributes {
    Attributes::from([
        (tags::MANUFACTURER, Attribute::text(b"LO", MAKER)),
        (tags::MANUFACTURER_MODEL_NAME, Attribute::text(b"LO", MAKER)),
        (tags::SOFTWARE_VERSIONS, Attribute::text(b"LO", &derivation.version)),
    ])
}

fn contribute(attributes: &mut Attributes, equipment: &Attributes) {
    let sequence = attributes.entry(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE);
    sequence.or_insert_with(|| Attribute::sequence(&[])).push_item(equipment);
}

/// What PS3.15 E.1.1 asks a de-identified instance to say.
fn say_deidentified(attributes: &mut Attributes, derivation: &Derivation) {
    let mut equipment = ours(derivation);
    equipment.insert(
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        Attribute::code("109104", "De-identifying Equipment"),
    );
    contribute(attributes, &equipment);
    let method = format!("{MAKER} {}, PS3.15 Basic Profile", derivation.version);
    for (tag, vr, text) in [
        (tags::PATIENT_IDENTITY_REMOVED, b"CS", "YES"),
        (tags::DEIDENTIFICATION_METHOD, b"LO", method.as_str()),
        (tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, b"CS", "REMOVED"),
    ] {
        attributes.insert(tag, Attribute::text(vr, text));
    }
    let codes = attributes.entry(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE);
    let code = code_item("113100", "Basic Application Confidentiality Profile");
    codes.or_insert_with(|| Attribute::sequence(&[])).push_item(&code);
}

impl Derivation {
    /// Derivation Description: at most 1024 characters of ASCII, which every character set has.
    fn text(&self) -> String {
        let digest: String = self.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let made = match &self.image {
            DerivedImage::Composite { k, slices, series, method } => {
                let of = match series {
                    1 => "the source series".to_owned(),
                    series => format!("{series} series, of which the source series is one"),
                };
                format!(
                    "Composite of the first k = {k} basis vectors of the {slices} slices of {of} ({method})"
                )
            }
            DerivedImage::Denoised { method } => format!("The source series denoised ({method})"),
        };
        format!("{made}, rounded to the stored values of the source. SHA-256 {digest}")
    }

    /// Basis vectors of a composite, else 0.
    fn k(&self) -> usize {
        match self.image {
            DerivedImage::Composite { k, .. } => k,
            DerivedImage::Denoised { .. } => 0,
        }
    }

    /// What the UIDs depend on besides the source's: the digest stands in the instance, so the secret is what hides those.
    fn hashed(&self) -> [&[u8]; 4] {
        let identity: &[u8] = if self.patient_data { b"\n" } else { b"\nno patient data\n" };
        [&self.digest, &self.secret.0, self.version.as_bytes(), identity]
    }
}
