//! Ids of series: short, hashed, and each of one volume only.

use std::collections::HashMap;

use super::group::Group;
use crate::label::{SHORTEST_ID, salted_hash};

/// Names the groups of an input.
///
/// An id is hashed from what the slices of the group share, numbers rounded, so that it stays when slices are added or
/// files renamed. Groups that are alike to that accuracy are told apart by their first slices' own numbers, and ids that
/// begin alike are lengthened until they differ.
pub(super) fn name(groups: &mut [Group]) {
    let keys: Vec<String> = groups.iter().map(key).collect();
    let mut alike: HashMap<&str, usize> = HashMap::new();
    keys.iter().for_each(|key| *alike.entry(key).or_default() += 1);
    let hash = |(group, key): (&Group, &String)| match alike.get(key.as_str()) {
        Some(1) => salted_hash("series", key),
        _ => salted_hash("series", &format!("{key} {}", exact(group))),
    };
    let hashes: Vec<String> = groups.iter().zip(&keys).map(hash).collect();
    for ((group, id), hash) in groups.iter_mut().zip(shortened(&hashes)).zip(hashes) {
        (group.id, group.hash) = (id, hash);
    }
}

fn key(group: &Group) -> String {
    let first = group.first;
    let numbers = first.orientation.iter().chain(first.pixel_spacing_mm.iter().flatten());
    let rounded: Vec<i64> = numbers.map(|x| (x * 1e3).round() as i64).collect();
    let mut key = format!(
        "{} {} {:?} {} {} {rounded:?}",
        group.series, first.frame_of_reference_uid, group.role, first.rows, first.columns
    );
    for told in &group.told {
        key.extend([" ", told.aspect, " ", &told.key]);
    }
    key
}

/// What two groups with the same [`key`] differ in: the first slice of each is too far from the other's for one group.
fn exact(group: &Group) -> String {
    format!("{:?} {:?}", group.first.orientation, group.first.pixel_spacing_mm)
}

/// The beginning of each hash that no other hash shares; the whole hash where two are the same.
fn shortened(hashes: &[String]) -> Vec<String> {
    let mut order: Vec<&String> = hashes.iter().collect();
    order.sort();
    let common = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let mut lengths: HashMap<&str, usize> = HashMap::new();
    for pair in order.windows(2) {
        let needed = (common(pair[0], pair[1]) + 1).max(SHORTEST_ID);
        for hash in pair {
            let length = lengths.entry(hash).or_insert(SHORTEST_ID);
            *length = needed.max(*length);
        }
    }
    let short = |hash: &String| {
        hash.chars().take(lengths.get(hash.as_str()).copied().unwrap_or(SHORTEST_ID)).collect()
    };
    hashes.iter().map(short).collect()
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn hashes_that_begin_alike_get_longer_ids() {
        let hashes = ["0123456789", "01234567a9", "01234567ab", "fedcba9876"].map(str::to_owned);
        assert_eq!(shortened(&hashes), ["012345678", "01234567a9", "01234567ab", "fedcba98"]);
    }
}
