//! Slices that have a Series Instance UID each, as some exports and anonymisers write them.

use std::collections::{BTreeMap, HashMap};

use super::geometry::{dot, normal, places};
use super::group::{Member, SliceRole, same_instance, same_volume};
use super::repeats;
use crate::header::SliceHeader;

/// Fewer slices than this show no pattern.
const FEWEST: usize = 3;

/// Whether a slice is another one's copy.
fn is_copy(a: &SliceHeader, b: &SliceHeader) -> bool {
    same_instance(a, b) || repeats::may_be_one(a, b)
}

/// Puts slices into one series that are alone in theirs and are a volume together: of one study, Series Number, SOP Class,
/// size and geometry, each at a place of its own.
pub(super) fn gather(members: &mut [Member]) {
    // The slice of each series; none where it has several.
    let mut alone: HashMap<&str, Option<Member>> = HashMap::new();
    for &member in members.iter() {
        let known = alone.entry(member.series).or_insert(Some(member));
        if known.is_some_and(|known| !is_copy(known.header, member.header)) {
            *known = None;
        }
    }
    let mut alike: BTreeMap<_, Vec<Member>> = BTreeMap::new();
    for member in alone.into_values().flatten() {
        let header = member.header;
        let role = SliceRole::of(header);
        if role != SliceRole::Localizer && !member.series.is_empty() {
            let scan = (&header.study_instance_uid, header.series_number);
            alike.entry((scan, &header.sop_class_uid, &header.modality, role)).or_default().push(member);
        }
    }
    let mut stands_for: HashMap<&str, &str> = HashMap::new();
    for lot in alike.into_values().filter(|lot| lot.len() >= FEWEST) {
        let Some(first) = lot.iter().min_by_key(|member| member.series) else { continue };
        let axis = normal(&first.header.orientation);
        let positions: Vec<f64> = lot.iter().map(|member| dot(member.header.position_mm, axis)).collect();
        let apart = places(&positions).into_iter().max() == Some(lot.len() - 1);
        if apart && lot.iter().all(|member| same_volume(first.header, member.header)) {
            stands_for.extend(lot.iter().map(|member| (member.series, first.series)));
        }
    }
    for member in members {
        member.series = stands_for.get(member.series).copied().unwrap_or(member.series);
    }
}
