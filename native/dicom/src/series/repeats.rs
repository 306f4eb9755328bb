//! Scans that were sent again under other numbers.
//!
//! A sender that numbers a scan anew writes slices under other SOP Instance UIDs, Series and Instance Numbers and Content Times. No header
//! tells such a copy from another volume of the series that differs in nothing else; pixels do. So those of slices at one place that have
//! all else in common are read before volumes are told apart ([`Inventory::repeats`], [`Inventory::know`]):
//!
//! | pixels | what the slices are |
//! |---|---|
//! | the same, of all such slices of a series | copies: each is used once |
//! | other ones, and every place is held equally often | volumes of their own, told apart by these numbers |
//! | the same of some within one volume, and other ones of others | what seem to be copies, and an error once they are compared |
//! | other ones, of all within one volume | slices of it, with a note |
//!
//! Without their pixels they are slices.

use std::collections::HashMap;

use super::group::{Group, Member};
use super::plan::SeriesPlan;
use super::{Inventory, build, copies};
use crate::header::SliceHeader;

/// Digests of slices whose pixels are known, by file and frame.
pub(super) type Known = HashMap<(usize, u32), [u8; 32]>;

/// Takes out what seem to be copies: where all of them are the same as their slices, or, within one volume, any.
pub(super) fn settle(group: &mut Group, known: &Known, all: bool) {
    if known.is_empty() {
        return;
    }
    let without = without_repeats(group);
    let digest = |member: &Member| known.get(&(member.file, member.header.frame));
    let is_same = |pair: &&(Member, Member)| digest(&pair.0).is_some() && digest(&pair.0) == digest(&pair.1);
    let pairs = repeats(group, &without);
    let same = pairs.iter().filter(is_same).count();
    if same > 0 && (!all || same == pairs.len()) {
        *group = without;
    }
}

fn without_repeats<'a>(group: &Group<'a>) -> Group<'a> {
    let mut without = group.clone();
    copies::take_repeats(&mut without, numbers_aside);
    without
}

/// The slices that were taken out, each with the one that it may repeat.
fn repeats<'g, 'a>(group: &Group<'a>, without: &'g Group<'a>) -> &'g [(Member<'a>, Member<'a>)] {
    without.duplicates.get(group.duplicates.len()..).unwrap_or_default()
}

fn numbers_aside(header: &SliceHeader) -> SliceHeader {
    let mut bare = copies::unnamed(header);
    (bare.series_number, bare.instance_number, bare.acquisition.content) = (None, None, None);
    bare
}

impl Inventory {
    /// What to decode, so that slices which were sent again under other numbers are [known](Self::know): plans of slices that share
    /// their place and all but numbers with others. None in most inputs.
    pub fn repeats(&self) -> Vec<SeriesPlan> {
        let groups = self.grouped(true);
        let plan = |group: &Group| {
            let without = without_repeats(group);
            let mut slices: Vec<Member> =
                repeats(group, &without).iter().flat_map(|(used, copy)| [*used, *copy]).collect();
            slices.sort_by_key(|member| (member.file, member.header.frame));
            slices.dedup_by_key(|member| (member.file, member.header.frame));
            let compared = Group { slices, duplicates: Vec::new(), conflict: None, ..group.clone() };
            let some = !compared.slices.is_empty();
            some.then(|| build::plan_of(self, &groups, &compared).ok()).flatten()
        };
        groups.iter().filter_map(plan).collect()
    }

    /// Takes the digests of a plan's slices, `None` of those that cannot be decoded.
    pub fn know(&mut self, plan: &SeriesPlan, digests: &[Option<[u8; 32]>]) {
        let slices = plan.slices.iter().zip(digests);
        self.known.extend(slices.filter_map(|(slice, digest)| Some(((slice.file, slice.frame), (*digest)?))));
    }
}
