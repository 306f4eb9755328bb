//! Files of one instance.
//!
//! A SOP Instance UID names one instance for ever (PS3.5 section 9), so two files with one UID are copies. But some writers leave the UID
//! out, or give one to all slices. So its place decides with it what a slice is:
//!
//! | two slices of a volume have | they are |
//! |---|---|
//! | one UID, or none, and one header (but for how pixels are stored) | copies, if their pixels prove to be the same ([`Comparison`]), else an error that names both |
//! | one UID, one place, and other headers | an error that names both, unless the UID is found at several places |
//! | one UID and other places | two slices, which is said: the UID tells nothing |
//! | no UID, and other headers | two slices |
//!
//! Which of several copies is used depends on how they are stored, and not on their names.

use std::collections::HashMap;
use std::mem;

use super::group::{Group, Member};
use super::plan::{NoteKind, SeriesPlan, SlicePlan};
use super::{geometry, notes};
use crate::error::Error;
use crate::header::SliceHeader;

/// Takes copies out of the group's slices, and notes files that can be neither copies nor slices of their own.
pub(super) fn settle(group: &mut Group) {
    let mut members = mem::take(&mut group.slices);
    members.sort_by(|a, b| storage(a).cmp(&storage(b)));
    members.sort_by(|a, b| instance(a.header).cmp(&instance(b.header)));
    for files in members.chunk_by(|a, b| instance(a.header) == instance(b.header)) {
        let from = group.slices.len();
        let mut known = HashMap::<[u64; 3], Vec<Member>>::new();
        for &member in files {
            // Zero has two signs.
            let place = member.header.position_mm.map(|mm| (mm + 0.0).to_bits());
            let known = known.entry(place).or_default();
            match known.iter().find(|used| same_slice(used.header, member.header)) {
                Some(&used) => group.duplicates.push((used, member)),
                None => {
                    known.push(member);
                    group.slices.push(member);
                }
            }
        }
        let [first, others @ ..] = &group.slices[from..] else { continue };
        let named = !first.header.sop_instance_uid.is_empty();
        if named && others.iter().all(|other| geometry::same_place(first.header, other.header)) {
            let found = others.first().map(|other| (first.file.min(other.file), first.file.max(other.file)));
            group.conflict = group.conflict.or(found);
        }
    }
}

fn instance(header: &SliceHeader) -> (&str, u32) {
    (&header.sop_instance_uid, header.frame)
}

/// What decides between copies.
fn storage<'a>(member: &Member<'a>) -> (&'a str, u64, usize) {
    (&member.header.transfer_syntax, member.header.spare_bytes, member.file)
}

/// Equal in all that this crate reads but the storage of pixels.
fn same_slice(a: &SliceHeader, b: &SliceHeader) -> bool {
    let stored_alike = SliceHeader {
        transfer_syntax: a.transfer_syntax.clone(),
        pixel_offset: a.pixel_offset,
        fragment: a.fragment,
        byte_order: a.byte_order,
        spare_bytes: a.spare_bytes,
        ..b.clone()
    };
    *a == stored_alike
}

/// The slices of a plan that have copies, with these, as a plan of its own: each used slice, and its copy after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is to be decoded.
    pub plan: SeriesPlan,
    /// For each copy, its slice in the plan that is compared.
    pub of: Vec<usize>,
}

impl Comparison {
    /// The error for a copy whose pixels are others than its slice's; `None` when there is no such copy.
    pub fn differs(&self, copy: usize) -> Option<Error> {
        let (a, b) = (self.plan.file_label(2 * copy)?, self.plan.file_label(2 * copy + 1)?);
        let (first, second) = if a.index < b.index { (a, b) } else { (b, a) };
        Some(Error::DuplicateInstance { first, second })
    }

    /// What is wrong with the slices that have copies, by their places in the plan that is compared: of `decoded`, the digests of the
    /// comparison's slices, an error, or two that differ.
    pub fn unequal<D: PartialEq>(&self, decoded: Vec<Result<D, Error>>) -> Vec<(usize, Error)> {
        let mut decoded = decoded.into_iter();
        let mut unequal = Vec::new();
        for (copy, &slice) in self.of.iter().enumerate() {
            let error = match (decoded.next(), decoded.next()) {
                (Some(Ok(used)), Some(Ok(other))) if used == other => None,
                (Some(Err(error)), _) | (_, Some(Err(error))) => Some(error),
                _ => self.differs(copy),
            };
            unequal.extend(error.map(|error| (slice, error)));
        }
        unequal
    }
}

impl SeriesPlan {
    /// What has to be decoded to tell whether copies are copies; `None` when there are none.
    pub fn comparison(&self) -> Option<Comparison> {
        let pair =
            |(slice, copy): &(usize, SlicePlan)| Some([self.slices.get(*slice)?.clone(), copy.clone()]);
        let slices: Vec<SlicePlan> = self.copies.iter().filter_map(pair).flatten().collect();
        let of = self.copies.iter().map(|(slice, _)| *slice).collect();
        let plan = SeriesPlan { slices, copies: Vec::new(), ..self.clone() };
        (!plan.slices.is_empty()).then_some(Comparison { plan, of })
    }

    /// The plan once its copies have been compared, without the slices for which that failed: position in the plan, and the error.
    ///
    /// # Errors
    /// As [`without`](Self::without).
    pub fn compared(&self, unequal: &[(usize, String)]) -> Result<SeriesPlan, Error> {
        let mut plan = if unequal.is_empty() { self.clone() } else { self.without(unequal)? };
        plan.left_out.retain(|note| note.kind != NoteKind::Duplicate);
        let labels = plan
            .copies
            .first()
            .and_then(|(slice, copy)| Some((plan.file_label(*slice)?, plan.label_of(copy))));
        plan.left_out
            .extend(labels.map(|(used, copy)| notes::duplicates(plan.copies.len(), &used, &copy, true)));
        Ok(plan)
    }
}
