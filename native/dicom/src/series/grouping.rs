//! Slices that make one volume.
//!
//! Same Series Instance UID, frame of reference, role and size; orientation within 1e-3 and pixel spacing
//! within 0.1 % of the group's first slice. The first is the one with the smallest SOP Instance UID, so that
//! groups are a property of the slices and not of the order of their files. Such a group may hold several volumes still,
//! which [`parts`](super::parts) tells apart.

use std::mem;

use super::entries::Known;
use super::group::{Group, Member, SliceRole, same_volume};
use super::{absent, copies, geometry, ids, parts, repeats, scattered};

/// Groups `members`, by descending number of slices (then by id). With `join`, the volumes of a group stay together. `known` are the
/// pixels of slices that may repeat others.
pub(super) fn group<'a>(mut members: Vec<Member<'a>>, join: bool, known: &Known) -> Vec<Group<'a>> {
    scattered::gather(&mut members);
    fn instance<'a>(member: &Member<'a>) -> (&'a str, &'a str, u32, [i64; 3], Option<i64>) {
        let header = member.header;
        let place = header.position_mm.map(|mm| (mm * 1e6).round() as i64);
        (member.series, &header.sop_instance_uid, header.frame, place, header.instance_number)
    }
    members.sort_by(|a, b| instance(a).cmp(&instance(b)).then_with(|| copies::preferred(a, b)));
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
                hash: String::new(),
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
        groups = groups.into_iter().flat_map(parts::volumes).collect();
        groups.iter_mut().for_each(|group| repeats::settle_volume(group, known));
    }
    for group in &mut groups {
        group.scattered = group.slices.iter().any(|member| member.header.series_instance_uid != group.series);
        order(group);
    }
    ids::name(&mut groups);
    groups.sort_by(|a, b| b.slices.len().cmp(&a.slices.len()).then_with(|| a.id.cmp(&b.id)));
    groups
}

/// Ascending position along the normal; within one place by Instance Number, then SOP Instance UID and frame.
fn order(group: &mut Group) {
    let places = geometry::places(&group.positions_mm());
    let mut slices: Vec<(usize, Member)> = places.into_iter().zip(mem::take(&mut group.slices)).collect();
    slices.sort_by_cached_key(|&(place, Member { header, .. })| {
        let part = header.concatenation.as_ref().map(|part| part.number);
        let time = (header.instance_number, header.temporal_position, part);
        let exact = header.position_mm.map(|mm| (mm * 1e6).round() as i64);
        (place, time, header.sop_instance_uid.as_str(), header.frame, exact)
    });
    group.slices = slices.into_iter().map(|(_, member)| member).collect();
}
