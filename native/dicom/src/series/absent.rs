//! Attributes that group slices and that some of them lack: empty is absent, and absent joins the only value there is.
//!
//! Frame of Reference UID, Pixel Spacing and Image Type: slices that lack one are grouped apart first, then added to the one group
//! that they fit. Where several fit, or where they hold the places of that group, they stay a part of their own.

use std::collections::HashSet;

use super::geometry::{self, dot, normal};
use super::group::{Differ, Group, Member, same_volume};
use crate::header::SliceHeader;

/// What a header says of it.
fn said(header: &SliceHeader) -> [bool; 3] {
    [
        !header.frame_of_reference_uid.is_empty(),
        header.pixel_spacing_mm.is_some(),
        !header.image_type.iter().all(String::is_empty),
    ]
}

/// What one of two slices lacks, by its name in messages.
pub(super) const LACKED_BY_ONE: [(&str, Differ); 3] = [
    ("frames of reference (absent in some headers)", |a, b| said(a)[0] != said(b)[0]),
    ("pixel spacings (absent in some headers)", |a, b| said(a)[1] != said(b)[1]),
    ("image types (absent in some headers)", |a, b| said(a)[2] != said(b)[2]),
];

pub(super) fn says_as_much(a: &SliceHeader, b: &SliceHeader) -> bool {
    said(a) == said(b)
}

/// The first of the slices that lack least.
pub(super) fn fullest<'a>(slices: &[Member<'a>]) -> Option<&'a SliceHeader> {
    let lacks = |member: &&Member| {
        let missing = said(member.header).into_iter().filter(|said| !said).count();
        missing + usize::from(member.header.modality.is_empty())
    };
    slices.iter().min_by_key(lacks).map(|member| member.header)
}

/// Joins groups, of which those of one series follow each other.
pub(super) fn join(groups: &mut Vec<Group>) {
    let mut from = 0;
    while let Some(series) = groups.get(from).map(|group| group.series) {
        let mut to = from + groups[from..].iter().take_while(|group| group.series == series).count();
        let mut lacking: Vec<usize> =
            (from..to).filter(|&i| said(groups[i].first).contains(&false)).collect();
        lacking.sort_by_key(|&i| (said(groups[i].first).iter().filter(|said| !**said).count(), i));
        let mut emptied = Vec::new();
        for i in lacking {
            let mut fit = (from..to).filter(|&other| fits(&groups[i], &groups[other]));
            if let (Some(only), None) = (fit.next(), fit.next())
                && !repeats(&groups[i], &groups[only])
            {
                let slices = std::mem::take(&mut groups[i].slices);
                groups[only].slices.extend(slices);
                emptied.push(i);
            }
        }
        emptied.sort_unstable();
        for i in emptied.into_iter().rev() {
            groups.remove(i);
            to -= 1;
        }
        from = to;
    }
    for group in groups {
        group.first = fullest(&group.slices).unwrap_or(group.first);
    }
}

/// Whether `other` says all that `group` says, and more, and nothing else.
fn fits(group: &Group, other: &Group) -> bool {
    let (own, others) = (said(group.first), said(other.first));
    let more = own != others && own.iter().zip(others).all(|(own, other)| other || !own);
    let role = !own[2] || group.role == other.role;
    more && role && !other.slices.is_empty() && same_volume(group.first, other.first)
}

/// Whether at least half of its places are held by the other too.
fn repeats(group: &Group, other: &Group) -> bool {
    let axis = normal(&other.first.orientation);
    let all = group.slices.iter().chain(&other.slices);
    let mm: Vec<f64> = all.map(|member| dot(member.header.position_mm, axis)).collect();
    let places = geometry::places(&mm);
    let (own, others) = places.split_at(group.slices.len());
    let others: HashSet<&usize> = others.iter().collect();
    own.len() > 1 && 2 * own.iter().filter(|place| others.contains(place)).count() >= own.len()
}
