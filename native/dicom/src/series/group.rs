//! Slices that make one volume.
//!
//! Same Series Instance UID, frame of reference, role and size; orientation within 1e-3 and pixel spacing
//! within 0.1 % of the group's first slice. The first is the one with the smallest SOP Instance UID, so that
//! groups are a property of the slices and not of the order of their files. Such a group may hold several volumes still,
//! which [`parts`] tells apart.

use std::collections::HashSet;
use std::mem;

use crate::header::{SliceHeader, is_enhanced};
use crate::series::geometry::{self, dot, normal};
use crate::series::parts::{self, Told};
use crate::series::repeats::{self, Known};
use crate::series::{absent, copies, ids, scattered};

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

    /// The volumes of which the group consists.
    pub fn volumes(self) -> Vec<Self> {
        let mut parts = parts::split(&self.slices, &self.positions_mm());
        if parts.len() < 2 {
            return vec![self];
        }
        let of = |(slices, told): (Vec<Member<'a>>, Vec<Told>)| {
            let used: HashSet<_> = slices.iter().map(|member| (member.file, member.header.frame)).collect();
            let copies = self.duplicates.iter().copied();
            let duplicates =
                copies.filter(|(slice, _)| used.contains(&(slice.file, slice.header.frame))).collect();
            // The least SOP Instance UID of the part, as of the group: members were sorted by it.
            let first = absent::fullest(&slices).unwrap_or(self.first);
            Self { slices, told, first, duplicates, ..self.clone() }
        };
        parts.drain(..).map(of).collect()
    }

    /// Ascending position along the normal; within one place by Instance Number, then SOP Instance UID and frame.
    fn order(&mut self) {
        let places = geometry::places(&self.positions_mm());
        let mut slices: Vec<(usize, Member)> = places.into_iter().zip(mem::take(&mut self.slices)).collect();
        slices.sort_by_cached_key(|&(place, Member { header, .. })| {
            let part = header.concatenation.as_ref().map(|part| part.number);
            let time = (header.instance_number, header.temporal_position, part);
            let exact = header.position_mm.map(|mm| (mm * 1e6).round() as i64);
            (place, time, header.sop_instance_uid.as_str(), header.frame, exact)
        });
        self.slices = slices.into_iter().map(|(_, member)| member).collect();
    }
}

/// Groups `members`, by descending number of slices (then by id). With `join`, the volumes of a group stay together. `known` are the
/// pixels of slices that may repeat others.
pub(crate) fn group<'a>(mut members: Vec<Member<'a>>, join: bool, known: &Known) -> Vec<Group<'a>> {
    scattered::gather(&mut members);
    members.sort_by_key(|member| {
        let header = member.header;
        let place = header.position_mm.map(|mm| (mm * 1e6).round() as i64);
        let instance = (&header.sop_instance_uid, header.frame, place, header.instance_number);
        (member.series, instance, member.file)
    });
    let mut groups: Vec<Group> = Vec::new();
    // Groups of the current series begin here.
    let mut from = 0;
    let mut previous: Option<Member> = None;
    for member in members {
        let new_series = previous.is_none_or(|last| last.series != member.series);
        if new_series {
            from = groups.len();
        }
        let role = SliceRole::of(member.header);
        let found = groups[from..].iter_mut().find(|group| {
            group.role == role
                && absent::says_as_much(group.first, member.header)
                && same_volume(group.first, member.header)
        });
        match found {
            Some(group) => group.slices.push(member),
            None => groups.push(Group {
                id: String::new(),
                series: member.series,
                scattered: false,
                role,
                told: Vec::new(),
                first: member.header,
                slices: vec![member],
                duplicates: Vec::new(),
                disputed: Vec::new(),
                conflict: None,
            }),
        }
        previous = Some(member);
    }
    absent::join(&mut groups);
    groups.iter_mut().for_each(|group| copies::settle(group, known));
    groups.iter_mut().for_each(|group| repeats::settle_series(group, known));
    if !join {
        groups = groups.into_iter().flat_map(Group::volumes).collect();
        groups.iter_mut().for_each(|group| repeats::settle_volume(group, known));
    }
    for group in &mut groups {
        group.scattered = group.slices.iter().any(|member| member.header.series_instance_uid != group.series);
        group.order();
    }
    ids::name(&mut groups);
    groups.sort_by(|a, b| b.slices.len().cmp(&a.slices.len()).then_with(|| a.id.cmp(&b.id)));
    groups
}

pub(super) fn same_volume(a: &SliceHeader, b: &SliceHeader) -> bool {
    let near =
        |x: &[f64], y: &[f64], tolerance: f64| x.iter().zip(y).all(|(x, y)| (x - y).abs() <= tolerance);
    let (frame, other) = (&a.frame_of_reference_uid, &b.frame_of_reference_uid);
    // Empty is absent, and what a slice does not say of it is as in the others.
    (frame == other || frame.is_empty() || other.is_empty())
        && (a.rows, a.columns) == (b.rows, b.columns)
        && near(&a.orientation, &b.orientation, 1e-3)
        && match (a.pixel_spacing_mm, b.pixel_spacing_mm) {
            (Some(a), Some(b)) => near(&a, &b, 1e-3 * a[0]),
            _ => true,
        }
}

pub(super) fn same_instance(a: &SliceHeader, b: &SliceHeader) -> bool {
    a.series_instance_uid == b.series_instance_uid
        && a.sop_instance_uid == b.sop_instance_uid
        && a.frame == b.frame
}
