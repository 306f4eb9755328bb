//! Slices that make one volume.
//!
//! Same Series Instance UID, frame of reference, role and size; orientation within 1e-3 and pixel spacing
//! within 0.1 % of the group's first slice. The first is the one with the smallest SOP Instance UID, so that
//! groups are a property of the slices and not of the order of their files.

use crate::header::{SliceHeader, is_enhanced};
use crate::label::salted_id;
use crate::series::geometry::{self, dot, grid, normal};

/// What a series is for, by Image Type (PS3.3 C.7.6.1.1.2, C.8.2.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
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

/// A slice and the index of its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub file: usize,
    pub header: &'a SliceHeader,
}

/// The slices of one volume, in spatial order.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    pub id: String,
    pub role: SliceRole,
    /// The slice that stands for the group where all are alike, and whose normal orders them.
    pub first: &'a SliceHeader,
    pub slices: Vec<Member<'a>>,
    /// Copies: the file that is used, the one that is not.
    pub duplicates: Vec<(usize, usize)>,
    /// Files of one SOP Instance UID that differ.
    pub conflict: Option<(usize, usize)>,
}

impl<'a> Group<'a> {
    /// Series Instance UID.
    pub fn series(&self) -> &'a str {
        &self.first.series_instance_uid
    }

    /// Angle between the line of positions and the normal.
    pub fn tilt_degrees(&self) -> f64 {
        let place = |member: Option<&Member>| member.map_or(self.first, |member| member.header).position_mm;
        let (from, to) = (place(self.slices.first()), place(self.slices.last()));
        geometry::tilt_degrees(from, to, normal(&self.first.orientation))
    }

    /// Positions of the slices along the normal, mm.
    pub fn positions_mm(&self) -> Vec<f64> {
        let axis = normal(&self.first.orientation);
        self.slices.iter().map(|member| dot(member.header.position_mm, axis)).collect()
    }

    /// Ascending position along the normal; ties by Instance Number, then SOP Instance UID and frame.
    fn order(&mut self) {
        let axis = normal(&self.first.orientation);
        self.slices.sort_by_cached_key(|member| {
            let header = member.header;
            let place = grid(dot(header.position_mm, axis));
            let time = (header.instance_number, header.temporal_position);
            (place, time, header.sop_instance_uid.as_str(), header.frame)
        });
    }
}

/// Groups `members`, by descending number of slices (then by id).
pub(crate) fn group(mut members: Vec<Member<'_>>) -> Vec<Group<'_>> {
    members.sort_by_key(|member| {
        let header = member.header;
        (&header.series_instance_uid, &header.sop_instance_uid, header.frame, member.file)
    });
    let mut groups: Vec<Group> = Vec::new();
    // Groups of the current series begin here.
    let mut from = 0;
    let mut previous: Option<Member> = None;
    for member in members {
        let new_series =
            previous.is_none_or(|last| last.header.series_instance_uid != member.header.series_instance_uid);
        if new_series {
            from = groups.len();
        }
        let role = SliceRole::of(member.header);
        let found = groups[from..]
            .iter_mut()
            .find(|group| group.role == role && same_volume(group.first, member.header));
        let copied = previous.filter(|last| same_instance(last.header, member.header));
        match (found, copied) {
            (Some(group), Some(used)) if same_slice(used.header, member.header) => {
                group.duplicates.push((used.file, member.file));
                continue;
            }
            (Some(group), None) => group.slices.push(member),
            (Some(group), Some(used)) => group.conflict = Some((used.file, member.file)),
            (None, copied) => groups.push(Group {
                id: String::new(),
                role,
                first: member.header,
                slices: vec![member],
                duplicates: Vec::new(),
                conflict: copied.map(|used| (used.file, member.file)),
            }),
        }
        previous = Some(member);
    }
    for group in &mut groups {
        group.id = id(group);
        group.order();
    }
    groups.sort_by(|a, b| b.slices.len().cmp(&a.slices.len()).then_with(|| a.id.cmp(&b.id)));
    groups
}

fn same_volume(a: &SliceHeader, b: &SliceHeader) -> bool {
    let near =
        |x: &[f64], y: &[f64], tolerance: f64| x.iter().zip(y).all(|(x, y)| (x - y).abs() <= tolerance);
    a.frame_of_reference_uid == b.frame_of_reference_uid
        && (a.rows, a.columns) == (b.rows, b.columns)
        && near(&a.orientation, &b.orientation, 1e-3)
        && match (a.pixel_spacing_mm, b.pixel_spacing_mm) {
            (Some(a), Some(b)) => near(&a, &b, 1e-3 * a[0]),
            // A slice that does not say its spacing has that of the others.
            _ => true,
        }
}

fn same_instance(a: &SliceHeader, b: &SliceHeader) -> bool {
    a.series_instance_uid == b.series_instance_uid
        && a.sop_instance_uid == b.sop_instance_uid
        && a.frame == b.frame
}

/// Equal in all that this crate reads. A copy may differ in the meta group, which moves the pixels.
fn same_slice(a: &SliceHeader, b: &SliceHeader) -> bool {
    *a == SliceHeader { pixel_offset: a.pixel_offset, ..b.clone() }
}

/// Hashed from what the group's members share, so that it stays when slices are added or files renamed.
fn id(group: &Group) -> String {
    let first = group.first;
    let numbers = first.orientation.iter().chain(first.pixel_spacing_mm.iter().flatten());
    let rounded: Vec<i64> = numbers.map(|x| (x * 1e3).round() as i64).collect();
    let key = format!(
        "{} {} {:?} {} {} {rounded:?}",
        first.series_instance_uid, first.frame_of_reference_uid, group.role, first.rows, first.columns
    );
    salted_id("series", &key)
}
