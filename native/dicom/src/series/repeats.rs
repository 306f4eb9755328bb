//! Slices at one place that no attribute tells apart: a scan that was sent again, wholly or in part.
//!
//! A sender writes slices under other SOP Instance UIDs, often numbered anew, and may rewrite or drop what it does not need. What volumes
//! are told apart by ([`aspects`]) decides here too: slices of one place are *alike* where none of these attributes has two
//! values, Content Time and the numbers aside, or is absent in one. Then pixels decide, which are read before volumes are told apart
//! ([`Inventory::repeats`](super::Inventory::repeats), [`Inventory::know`](super::Inventory::know)): not as they are stored, but as entries of the matrix.
//!
//! | entries | what the slices are |
//! |---|---|
//! | equal, of all alike slices of a series | copies: each is used once |
//! | others, and every place is held equally often | volumes of their own, where Content Time or Instance Number tell them apart |
//! | equal, within one volume | copies |
//! | others, within one volume | disputed: an error, since the one may be a damaged or corrected copy of the other |
//! | others, of all slices, at the only place of a volume | a time series: slices |
//!
//! With `--join` they are slices in the last three cases. Without their pixels they are slices too.

use std::collections::{BTreeMap, HashMap};

use super::aspects::{self, Value};
use super::entries::Known;
use super::group::{Group, Member};
use super::{copies, geometry};
use crate::header::SliceHeader;

/// The slice that is used, and one that is like it.
pub(super) type Pair<'a> = (Member<'a>, Member<'a>);

/// What an attribute means that some slices of a place lack.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Absent {
    /// Something else than any value.
    Differs,
    /// The value that the others have.
    Fits,
}

/// Takes out copies, where all slices that are alike are copies.
pub(super) fn settle_series(group: &mut Group, known: &Known) {
    for absent in [Absent::Differs, Absent::Fits] {
        let pairs = pairs(group, absent);
        if pairs.iter().all(|(used, copy)| known.equal(used, copy) == Some(true)) {
            take_out(group, &pairs);
            group.duplicates.extend(pairs);
        }
    }
}

/// Takes out copies from what is one volume by all attributes, and what only claims to be a copy.
pub(super) fn settle_volume(group: &mut Group, known: &Known) {
    let mut pairs = pairs(group, Absent::Fits);
    pairs.retain(|(used, copy)| known.equal(used, copy).is_some());
    let (equal, disputed): (Vec<Pair>, Vec<Pair>) =
        pairs.iter().partition(|(used, copy)| known.equal(used, copy) == Some(true));
    if equal.is_empty() && geometry::places(&group.positions_mm()).iter().all(|&place| place == 0) {
        return;
    }
    take_out(group, &pairs);
    group.duplicates.extend(equal);
    group.disputed.extend(disputed);
}

/// Slices that are alike others of their place, each with the one of these that is used.
pub(super) fn pairs<'a>(group: &Group<'a>, absent: Absent) -> Vec<Pair<'a>> {
    let mut held = BTreeMap::<usize, Vec<Member>>::new();
    for (place, &member) in geometry::places(&group.positions_mm()).into_iter().zip(&group.slices) {
        held.entry(place).or_default().push(member);
    }
    held.into_values().filter(|here| here.len() > 1).flat_map(|here| alike(here, absent)).collect()
}

/// The same for the slices of one place along the normal.
fn alike(mut here: Vec<Member>, absent: Absent) -> Vec<Pair> {
    here.sort_by(copies::preferred);
    let values: Vec<Vec<Option<Value>>> = here.iter().map(|member| aspects::told(member.header)).collect();
    let several = |&aspect: &usize| {
        let mut present = values.iter().filter_map(|values| values[aspect].as_ref());
        let first = present.next();
        present.any(|value| Some(value) != first)
    };
    let aspects = 0..values.first().map_or(0, Vec::len);
    let telling: Vec<usize> = aspects.filter(|aspect| absent == Absent::Differs || several(aspect)).collect();
    let mut used = BTreeMap::<Vec<&Option<Value>>, Vec<Member>>::new();
    let mut pairs = Vec::new();
    for (member, values) in here.into_iter().zip(&values) {
        let used = used.entry(telling.iter().map(|&aspect| &values[aspect]).collect()).or_default();
        match used.iter().find(|used| geometry::same_place(used.header, member.header)) {
            Some(&used) => pairs.push((used, member)),
            None => used.push(member),
        }
    }
    pairs
}

/// Whether one slice may be the other, sent again.
pub(super) fn may_be_one(a: &SliceHeader, b: &SliceHeader) -> bool {
    geometry::same_place(a, b) && aspects::told(a) == aspects::told(b)
}

/// Removes the second of each pair from the slices. What repeats it, repeats the first.
fn take_out<'a>(group: &mut Group<'a>, pairs: &[Pair<'a>]) {
    let key = |member: &Member| (member.file, member.header.frame);
    let of: HashMap<_, Member> = pairs.iter().map(|(used, copy)| (key(copy), *used)).collect();
    group.slices.retain(|member| !of.contains_key(&key(member)));
    for (used, _) in &mut group.duplicates {
        *used = of.get(&key(used)).copied().unwrap_or(*used);
    }
}
