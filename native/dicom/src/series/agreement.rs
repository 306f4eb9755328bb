//! Volumes of one series, told apart by numbers alone, of which most slices are the same: one scan that was sent twice and changed in between.
//! Which of the two is right nobody can know, but who chooses one of them should hear of it.

use std::collections::HashMap;

use super::group::{Group, Member};
use super::{Inventory, geometry};
use crate::phrases::counted;
use crate::plan::{Note, NoteKind};

/// How many slices of one volume have the pixels of the other's at their place, and two that have not.
struct Agreement<'a> {
    equal: usize,
    slices: usize,
    others: Option<(Member<'a>, Member<'a>)>,
}

impl<'a> Agreement<'a> {
    /// `None` for less than half of the slices.
    fn of(inventory: &Inventory, volume: &Group<'a>, other: &Group<'a>) -> Option<Self> {
        let known = &inventory.known;
        if known.is_empty() {
            return None;
        }
        let mut by_digest = HashMap::<&[u8; 32], Vec<&Member>>::new();
        for member in &other.slices {
            if let Some(digest) = known.digest(member) {
                by_digest.entry(digest).or_default().push(member);
            }
        }
        let (mut equal, mut others) = (0, None);
        let slices = volume.slices.len();
        for member in &volume.slices {
            let here = |other: &Member| geometry::same_place(member.header, other.header);
            let same = known.digest(member).and_then(|digest| by_digest.get(digest));
            if same.is_some_and(|same| same.iter().any(|one| here(one))) {
                equal += 1;
            } else if others.is_none() {
                others = other.slices.iter().find(|one| here(one)).map(|&one| (*member, one));
            }
        }
        (equal > 0 && 2 * equal >= slices).then_some(Agreement { equal, slices, others })
    }

    /// `7 of 8 slices have the same position and pixels, as if one scan had been sent twice and 1 slice had changed (file 4 ...)`
    fn text(&self, inventory: &Inventory) -> String {
        let Agreement { equal, slices, .. } = self;
        let changed = self.others.filter(|_| equal < slices).map_or_else(String::new, |(one, other)| {
            let [one, other] = [one, other].map(|member| inventory.label(member.file));
            format!(" and {} had changed ({one} and {other})", counted(slices - equal, "slice"))
        });
        format!(
            "{equal} of {slices} slices have the same position and pixels, as if one scan had been sent twice{changed}"
        )
    }
}

/// The sentence about the two parts that agree most, if any do.
pub(super) fn of_parts(inventory: &Inventory, parts: &[&Group]) -> String {
    let pairs =
        parts.iter().enumerate().flat_map(|(i, one)| parts[i + 1..].iter().map(move |other| (one, other)));
    let found = pairs.filter_map(|(one, other)| Agreement::of(inventory, one, other));
    let most = found.max_by_key(|found| found.equal);
    most.map_or_else(String::new, |found| format!(", but {}", found.text(inventory)))
}

/// That another volume of the group's series agrees with it.
pub(super) fn with_others<'g, 'a: 'g>(
    inventory: &Inventory,
    others: impl Iterator<Item = &'g Group<'a>>,
    group: &Group<'a>,
) -> Option<Note> {
    let found = others.filter_map(|other| Agreement::of(inventory, group, other));
    let text = found.max_by_key(|found| found.equal)?.text(inventory);
    Some(Note { kind: NoteKind::OtherSeries, text: format!("in another volume of the series, {text}") })
}
