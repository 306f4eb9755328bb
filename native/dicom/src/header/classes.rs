//! SOP classes whose instances are slices or stacks of them (PS3.4 annex B.5). A broken one of these is an
//! error, where a broken picture of another class is skipped.

use dicom_dictionary_std::uids;

/// UID, and whether it is an enhanced class: those keep each frame's geometry and rescale in sequences, also
/// when there is one frame only.
const VOLUMETRIC: [(&str, bool); 15] = [
    (uids::CT_IMAGE_STORAGE, false),
    (uids::ENHANCED_CT_IMAGE_STORAGE, true),
    (uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE, true),
    (uids::CT_IMAGE_STORAGE_FOR_PROCESSING, false),
    (uids::ENHANCED_CT_IMAGE_STORAGE_FOR_PROCESSING, true),
    (uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE_FOR_PROCESSING, true),
    (uids::MR_IMAGE_STORAGE, false),
    (uids::ENHANCED_MR_IMAGE_STORAGE, true),
    (uids::LEGACY_CONVERTED_ENHANCED_MR_IMAGE_STORAGE, true),
    (uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE, false),
    (uids::ENHANCED_PET_IMAGE_STORAGE, true),
    (uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE, true),
    // Cone-beam CT, and tomosynthesis.
    (uids::X_RAY3_D_ANGIOGRAPHIC_IMAGE_STORAGE, true),
    (uids::X_RAY3_D_CRANIOFACIAL_IMAGE_STORAGE, true),
    (uids::BREAST_TOMOSYNTHESIS_IMAGE_STORAGE, true),
];

/// Whether instances of the class are made of slices.
pub(crate) fn is_volumetric(uid: &str) -> bool {
    VOLUMETRIC.iter().any(|(class, _)| *class == uid)
}

/// Whether the class has per-frame functional groups.
pub(crate) fn is_enhanced(uid: &str) -> bool {
    VOLUMETRIC.contains(&(uid, true))
}
