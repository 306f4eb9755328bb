//! Files of one instance.
//!
//! A SOP Instance UID names one instance for ever (PS3.5 section 9), so two files with one UID are copies. But some writers leave the UID
//! out, or give one to all slices. So its place decides with it what a slice is:
//!
//! | two slices of a volume have | they are |
//! |---|---|
//! | one UID, or none, and one header (but for how pixels are stored) | copies, if their pixels prove to be the same ([`Comparison`]), else an error that names both |
//! | one UID, one place, and other headers | an error that names both, unless the UID is found at several places |
//! | one UID and other places | two slices, with a note: the UID tells nothing |
//! | two UIDs, or none, and one place | decided by their pixels: see [`repeats`](super::repeats) |
//!
//! One header means: equal in all that this crate reads of it ([`SliceHeader`]). Files of one UID and place whose headers differ are
//! copies after all where the entries of their columns are known to be equal.
//!
//! Which of several copies is used depends on how they are stored, on their UIDs and on what else their headers say, and not on
//! their names.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::mem;

use super::entries::Known;
use super::group::{Group, Member};
use super::{geometry, notes};
use crate::error::Error;
use crate::header::{ByteOrder, SliceHeader};
use crate::plan::{Note, NoteKind, SeriesPlan, SliceCopy, SlicePlan};

/// Takes copies out of the group's slices, and notes files that can be neither copies nor slices of their own.
pub(super) fn settle(group: &mut Group, known: &Known) {
    let mut members = mem::take(&mut group.slices);
    members.sort_by(|a, b| {
        let by_instance = instance(a.header).cmp(&instance(b.header));
        by_instance.then_with(|| place(a.header).cmp(&place(b.header))).then_with(|| preferred(a, b))
    });
    for files in members.chunk_by(|a, b| instance(a.header) == instance(b.header)) {
        let from = group.slices.len();
        let mut places = HashMap::<[u64; 3], Vec<Member>>::new();
        for &member in files {
            let here = places.entry(place(member.header)).or_default();
            let same = |used: &&Member| {
                same_slice(used.header, member.header) || known.equal(used, &member) == Some(true)
            };
            match here.iter().find(same) {
                Some(&used) => group.duplicates.push((used, member)),
                None => {
                    here.push(member);
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

/// What decides between copies: how they are stored, their UIDs, all else that their headers say. Where that is the same too, so is
/// the result, whichever file it is made of.
pub(super) fn preferred(a: &Member, b: &Member) -> Ordering {
    fn storage<'a>(member: &Member<'a>) -> (&'a str, u64, &'a str) {
        let header = member.header;
        (&header.transfer_syntax, header.spare_bytes, &header.sop_instance_uid)
    }
    let content = |member: &Member| format!("{:?}", member.header);
    storage(a).cmp(&storage(b)).then_with(|| content(a).cmp(&content(b))).then(a.file.cmp(&b.file))
}

/// Zero has two signs.
fn place(header: &SliceHeader) -> [u64; 3] {
    header.position_mm.map(|mm| (mm + 0.0).to_bits())
}

fn instance(header: &SliceHeader) -> (&str, u32) {
    (&header.sop_instance_uid, header.frame)
}

/// Equal in all that this crate reads but the storage of pixels.
fn same_slice(a: &SliceHeader, b: &SliceHeader) -> bool {
    unstored(a) == unstored(b)
}

/// The header without how pixels are stored.
fn unstored(header: &SliceHeader) -> SliceHeader {
    SliceHeader {
        transfer_syntax: String::new(),
        pixel_offset: 0,
        fragment: None,
        byte_order: ByteOrder::Little,
        spare_bytes: 0,
        ..header.clone()
    }
}

/// The slices of a plan that have copies whose pixels are not known, with these, as a plan of its own: each used slice, and its copy
/// after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is to be decoded.
    pub plan: SeriesPlan,
    /// For each copy, its slice in the plan that is compared.
    pub of: Vec<usize>,
}

impl Comparison {
    /// What is wrong with slices that have copies, by their places in the plan that is compared: judged by what was `decoded` of the
    /// comparison's slices, digests or errors. `says` turns an error into what the caller has for errors.
    pub fn judge<D: PartialEq, E>(
        &self,
        decoded: Vec<Result<D, E>>,
        says: impl Fn(Error) -> E,
    ) -> Vec<(usize, E)> {
        let mut decoded = decoded.into_iter();
        let mut unequal = Vec::new();
        for (copy, &slice) in self.of.iter().enumerate() {
            match (decoded.next(), decoded.next()) {
                (Some(Ok(used)), Some(Ok(other))) if used != other => {
                    unequal.extend(self.differ(copy).map(|error| (slice, says(error))));
                }
                (Some(Err(error)), _) | (_, Some(Err(error))) => unequal.push((slice, error)),
                _ => {}
            }
        }
        unequal
    }

    /// The error for a copy that differs from its slice.
    fn differ(&self, copy: usize) -> Option<Error> {
        let (a, b) = (self.plan.file_label(2 * copy)?, self.plan.file_label(2 * copy + 1)?);
        let (first, second) = if a.index < b.index { (a, b) } else { (b, a) };
        Some(Error::DuplicateInstance { first, second })
    }
}

impl SeriesPlan {
    /// What has to be decoded to tell whether copies are copies; `None` where there are none, or all have proven to be.
    pub fn comparison(&self) -> Option<Comparison> {
        let unproven = || self.copies.iter().filter(|copy| !copy.proven);
        let pair = |one: &SliceCopy| Some([self.slices.get(one.of)?.clone(), one.copy.clone()]);
        let slices: Vec<SlicePlan> = unproven().filter_map(pair).flatten().collect();
        let of = unproven().map(|copy| copy.of).collect();
        let plan = SeriesPlan { slices, copies: Vec::new(), joint: None, ..self.clone() };
        (!plan.slices.is_empty()).then_some(Comparison { plan, of })
    }

    /// The plan once its copies have been [judged](Comparison::judge): without the slices for which the comparison failed.
    ///
    /// # Errors
    /// As [`without`](Self::without).
    pub fn compared(&self, unequal: &[(usize, String)]) -> Result<SeriesPlan, Error> {
        if let Some(joint) = self.change_each(unequal, SeriesPlan::compared) {
            return joint;
        }
        let mut plan = if unequal.is_empty() { self.clone() } else { self.without(unequal)? };
        plan.copies.iter_mut().for_each(|copy| copy.proven = true);
        plan.left_out.retain(|note| note.kind != NoteKind::Duplicate);
        plan.left_out.extend(plan.duplicates());
        Ok(plan)
    }

    /// The note about copies whose pixels were compared.
    fn duplicates(&self) -> Vec<Note> {
        let of = |again: bool| {
            let pairs = self.copies.iter().filter_map(|one| Some((self.slices.get(one.of)?, &one.copy)));
            let mut some = pairs.filter(|(used, copy)| (used.instance_uid != copy.instance_uid) == again);
            let (used, copy) = some.next()?;
            let labels = [self.label_of(used), self.label_of(copy)];
            Some(notes::duplicates(1 + some.count(), &labels, again, true))
        };
        [false, true].into_iter().filter_map(of).collect()
    }
}
