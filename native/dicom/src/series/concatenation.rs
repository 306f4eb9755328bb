//! Multi-frame images that were written in several parts (PS3.3 C.7.6.16.2.2.4): all of them must be there.

use std::collections::BTreeSet;

use super::group::Group;
use super::{Content, Inventory};
use crate::problem::Problem;

impl Inventory {
    /// A file of the group that is part of a concatenation with missing parts.
    pub(super) fn incomplete_concatenation(&self, group: &Group) -> Option<(usize, Problem)> {
        let mut seen = BTreeSet::new();
        for member in &group.slices {
            let Some(part) = &member.header.concatenation else { continue };
            if !seen.insert(&part.uid) {
                continue;
            }
            // Its other parts may be in other groups.
            let firsts = self.files.values().filter_map(|file| match &file.content {
                Content::Slices(slices) => slices.first()?.concatenation.as_deref(),
                _ => None,
            });
            let all: Vec<_> = firsts.filter(|other| other.uid == part.uid).collect();
            let numbers: BTreeSet<u32> = all.iter().map(|part| part.number).collect();
            let last = numbers.last().copied().unwrap_or(0);
            let total = all.iter().filter_map(|part| part.total).max().unwrap_or(0).max(last);
            let there = numbers.range(1..).count();
            if there < total as usize {
                return Some((member.file, Problem::Concatenation { there }));
            }
        }
        None
    }
}
