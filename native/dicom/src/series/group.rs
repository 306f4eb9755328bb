//! Slices that make one volume, as data.

use super::geometry::{self, dot, normal};
use crate::header::{SliceHeader, is_enhanced};

/// What a series is for, by Image Type (PS3.3 C.7.6.1.1.2, C.8.2.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SliceRole {
    /// Slices as the scanner reconstructed them.
    Original,
    /// Computed from other images: reformats, projections. Chosen only by name.
    Derived,
    /// A scout for planning. Chosen only by name.
    Localizer,
}

impl SliceRole {
    pub(crate) fn of(header: &SliceHeader) -> Self {
        let kind: Vec<&str> = header.image_type.iter().map(String::as_str).collect();
        if kind.iter().any(|value| value.eq_ignore_ascii_case("LOCALIZER")) {
            return SliceRole::Localizer;
        }
        match kind.as_slice() {
            // In the enhanced classes the second value is always PRIMARY; the fourth says what was calculated.
            ["DERIVED", _, _, contrast, ..] if is_enhanced(&header.sop_class_uid) && *contrast != "NONE" => {
                SliceRole::Derived
            }
            // Lossy compression alone makes an image DERIVED\PRIMARY, and leaves it a slice of the scan.
            ["DERIVED", "PRIMARY", ..] if header.lossy => SliceRole::Original,
            ["DERIVED", ..] => SliceRole::Derived,
            _ => SliceRole::Original,
        }
    }
}

/// What one part has, and another has not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// The name of the [aspect](super::aspects).
    pub aspect: &'static str,
    /// `kernel 1 of 2`, `80 kV`.
    pub label: String,
    /// The value, for the id of the part.
    pub key: String,
}

/// A slice, the index of its file, and the Series Instance UID that stands for its series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub file: usize,
    pub header: &'a SliceHeader,
    pub series: &'a str,
}

/// The slices of one volume, in spatial order.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    pub id: String,
    /// The whole hash whose beginning the id is.
    pub hash: String,
    /// The Series Instance UID that stands for the series.
    pub series: &'a str,
    /// Whether each slice has another.
    pub scattered: bool,
    pub role: SliceRole,
    /// What tells it from other volumes of one size, orientation and frame of reference in its series.
    pub told: Vec<Told>,
    /// The slice that stands for the group where all are alike, and whose normal orders them.
    pub first: &'a SliceHeader,
    pub slices: Vec<Member<'a>>,
    /// What seem to be copies: the slice that is used, the one that is not.
    pub duplicates: Vec<(Member<'a>, Member<'a>)>,
    /// The same of slices that have other pixels, though nothing else tells them from the first.
    pub disputed: Vec<(Member<'a>, Member<'a>)>,
    /// Files of one SOP Instance UID and place that differ.
    pub conflict: Option<(usize, usize)>,
}

impl<'a> Group<'a> {
    /// Its Series Instance UIDs: more than one where each slice has its own.
    pub fn series_uids(&self) -> impl Iterator<Item = &'a str> {
        let others = self.slices.iter().filter(|_| self.scattered);
        let others = others.map(|member| member.header.series_instance_uid.as_str());
        std::iter::once(self.series).chain(others.filter(|&uid| uid != self.series))
    }

    /// What tells it from other volumes, as the user is told.
    pub fn labels(&self) -> Vec<String> {
        self.told.iter().map(|told| told.label.clone()).collect()
    }

    /// Whether a slice is in both: groups with and without [joined](group) volumes.
    pub fn overlaps(&self, other: &Group) -> bool {
        let same = |member: &Member| std::ptr::eq(member.header, other.first);
        std::ptr::eq(self.first, other.first)
            || self.slices.iter().any(same)
            || other.slices.iter().any(|member| std::ptr::eq(member.header, self.first))
    }

    /// How the slices lie within their planes.
    pub fn path(&self) -> geometry::Path {
        let places: Vec<[f64; 3]> = self.slices.iter().map(|member| member.header.position_mm).collect();
        geometry::path(&places, normal(&self.first.orientation))
    }

    /// Positions of the slices along the normal, mm.
    pub fn positions_mm(&self) -> Vec<f64> {
        let axis = normal(&self.first.orientation);
        self.slices.iter().map(|member| dot(member.header.position_mm, axis)).collect()
    }
}

/// Whether two slices differ in something.
pub(super) type Differ = fn(&SliceHeader, &SliceHeader) -> bool;

/// What the slices of a volume have in common, besides [aspects](super::aspects), by its name in messages.
///
/// Empty is absent, and what a slice does not say of it is as in the others.
pub(super) const COMMON: [(&str, Differ); 4] = [
    ("sizes", |a, b| (a.rows, a.columns) != (b.rows, b.columns)),
    ("orientations", |a, b| !near(&a.orientation, &b.orientation, 1e-3)),
    ("pixel spacings", |a, b| match (a.pixel_spacing_mm, b.pixel_spacing_mm) {
        (Some(a), Some(b)) => !near(&a, &b, 1e-3 * a[0]),
        _ => false,
    }),
    ("frames of reference", |a, b| {
        let (frame, other) = (&a.frame_of_reference_uid, &b.frame_of_reference_uid);
        frame != other && !frame.is_empty() && !other.is_empty()
    }),
];

fn near(x: &[f64], y: &[f64], tolerance: f64) -> bool {
    x.iter().zip(y).all(|(x, y)| (x - y).abs() <= tolerance)
}

pub(super) fn same_volume(a: &SliceHeader, b: &SliceHeader) -> bool {
    !COMMON.iter().any(|(_, differ)| differ(a, b))
}

pub(super) fn same_instance(a: &SliceHeader, b: &SliceHeader) -> bool {
    a.series_instance_uid == b.series_instance_uid
        && a.sop_instance_uid == b.sop_instance_uid
        && a.frame == b.frame
}
