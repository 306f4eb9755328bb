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
//! | no UID, and other headers | two slices |
//! | two UIDs, one place and one header | copies, as of a scan that was sent again under new UIDs, if their pixels prove to be the same; else two slices |
//!
//! One header means: equal in all that this crate reads of it ([`SliceHeader`]) but, under two UIDs, for SOP Instance UID, Concatenation
//! UID, window, the last digits of the position, and how pixels are stored. So Instance Number, all times of acquisition and content, and
//! what tells volumes apart are the same. What a sender writes anew (Instance Creation Date and Time, Storage Media and Dimension
//! UIDs) is not read. Where it numbers the slices anew, [`repeats`](super::repeats) decides.
//!
//! Which of several copies is used depends on how they are stored and on their UIDs, and not on their names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;

use sha2::{Digest, Sha256};

use super::group::{Group, Member};
use super::plan::{Note, NoteKind, SeriesPlan, SlicePlan};
use super::{geometry, notes};
use crate::error::Error;
use crate::header::{ByteOrder, SliceHeader};

/// Takes copies out of the group's slices, and notes files that can be neither copies nor slices of their own.
pub(super) fn settle(group: &mut Group) {
    let mut members = mem::take(&mut group.slices);
    members.sort_by(|a, b| storage(a).cmp(&storage(b)));
    members.sort_by(|a, b| instance(a.header).cmp(&instance(b.header)));
    for files in members.chunk_by(|a, b| instance(a.header) == instance(b.header)) {
        let from = group.slices.len();
        let mut known = HashMap::<[u64; 3], Vec<Member>>::new();
        for &member in files {
            let known = known.entry(place(member.header)).or_default();
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
    take_repeats(group, unnamed);
}

/// Takes out slices that others repeat under another SOP Instance UID: those at one place of which `bare` leaves the same.
pub(super) fn take_repeats(group: &mut Group, bare: fn(&SliceHeader) -> SliceHeader) {
    let places = geometry::places(&group.positions_mm());
    let mut held = HashMap::<usize, usize>::new();
    places.iter().for_each(|&place| *held.entry(place).or_default() += 1);
    if held.values().all(|&slices| slices == 1) {
        return;
    }
    let mut members: Vec<(usize, Member)> = places.into_iter().zip(mem::take(&mut group.slices)).collect();
    members.sort_by(|(_, a), (_, b)| by_storage(a).cmp(&by_storage(b)));
    let key = |member: &Member| (member.file, member.header.frame);
    let (mut known, mut repeats) = (HashMap::<[u8; 32], Vec<Member>>::new(), HashMap::new());
    for (place, member) in members {
        if held.get(&place) != Some(&1) {
            let known = known.entry(print(&bare(member.header))).or_default();
            if let Some(&used) = known.iter().find(|used| geometry::same_place(used.header, member.header)) {
                repeats.insert(key(&member), used);
                group.duplicates.push((used, member));
                continue;
            }
            known.push(member);
        }
        group.slices.push(member);
    }
    for (used, _) in &mut group.duplicates {
        *used = repeats.get(&key(used)).copied().unwrap_or(*used);
    }
    group.slices.sort_by(|a, b| instance(a.header).cmp(&instance(b.header)));
}

/// What decides between copies under several UIDs.
fn by_storage<'a>(member: &Member<'a>) -> (&'a str, u64, &'a str, usize) {
    let (syntax, spare, file) = storage(member);
    (syntax, spare, &member.header.sop_instance_uid, file)
}

/// Whether one may be the other, sent again under another SOP Instance UID.
pub(super) fn sent_again(a: &SliceHeader, b: &SliceHeader) -> bool {
    geometry::same_place(a, b) && print(&unnamed(a)) == print(&unnamed(b))
}

/// Zero has two signs.
fn place(header: &SliceHeader) -> [u64; 3] {
    header.position_mm.map(|mm| (mm + 0.0).to_bits())
}

fn print(bare: &SliceHeader) -> [u8; 32] {
    Sha256::digest(format!("{bare:?}")).into()
}

/// What two files of one slice have in common, beside its place, whatever their UIDs are and however they store it.
pub(super) fn unnamed(header: &SliceHeader) -> SliceHeader {
    let concatenation = header.concatenation.clone().map(|mut part| {
        part.uid.clear();
        part
    });
    SliceHeader {
        sop_instance_uid: String::new(),
        concatenation,
        position_mm: [0.0; 3],
        window: None,
        ..unstored(header)
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

/// The slices of a plan that have copies, with these, as a plan of its own: each used slice, and its copy after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is to be decoded.
    pub plan: SeriesPlan,
    /// For each copy, its slice in the plan that is compared.
    pub of: Vec<usize>,
}

/// What becomes of copies once their pixels are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared<E> {
    /// What is wrong with slices that have copies, by their places in the plan that was compared.
    pub unequal: Vec<(usize, E)>,
    /// Those of the copies that are slices of their own, by their places in [`SeriesPlan::copies`].
    pub apart: Vec<usize>,
}

impl Comparison {
    /// Judges copies by what was `decoded` of the comparison's slices, digests or errors; `says` turns an error into what the
    /// caller has for errors.
    ///
    /// Under one SOP Instance UID other pixels are an error. Under another UID they make a slice of its own, where that holds for all
    /// slices that seemed to have been sent again: these are volumes that nothing in the headers tells apart. Where some were sent
    /// again and some are others, it is an error.
    pub fn judge<D: PartialEq, E>(
        &self,
        decoded: Vec<Result<D, E>>,
        says: impl Fn(Error) -> E,
    ) -> Compared<E> {
        let uid = |at: usize| self.plan.slices.get(at).map(|slice| slice.instance_uid.as_str());
        let (mut unequal, mut apart, mut again) = (Vec::new(), Vec::new(), false);
        // The files of each slice so far, that which is used first.
        let mut files = BTreeMap::<usize, Vec<(usize, D)>>::new();
        let mut decoded = decoded.into_iter();
        for (copy, &slice) in self.of.iter().enumerate() {
            let (used, other) = match (decoded.next(), decoded.next()) {
                (Some(Ok(used)), Some(Ok(other))) => (used, other),
                (Some(Err(error)), _) | (_, Some(Err(error))) => {
                    unequal.push((slice, error));
                    continue;
                }
                _ => continue,
            };
            let here = 2 * copy + 1;
            let known = files.entry(slice).or_insert_with(|| vec![(2 * copy, used)]);
            let of_its_uid = known.iter().find(|(at, _)| uid(*at) == uid(here));
            if let Some((at, _)) = of_its_uid.filter(|(_, digest)| *digest != other) {
                unequal.extend(self.differ(*at, here).map(|error| (slice, says(error))));
            } else if known.iter().all(|(_, digest)| *digest != other) {
                apart.push(copy);
            } else {
                again |= of_its_uid.is_none();
            }
            known.push((here, other));
        }
        if again {
            let differ =
                |copy: usize| Some((*self.of.get(copy)?, says(self.differ(2 * copy, 2 * copy + 1)?)));
            unequal.extend(apart.drain(..).filter_map(differ));
        }
        Compared { unequal, apart }
    }

    /// The error for two slices of the comparison that differ.
    fn differ(&self, one: usize, other: usize) -> Option<Error> {
        let (a, b) = (self.plan.file_label(one)?, self.plan.file_label(other)?);
        let one_uid = self.plan.slices.get(one)?.instance_uid == self.plan.slices.get(other)?.instance_uid;
        let (first, second) = if a.index < b.index { (a, b) } else { (b, a) };
        Some(match one_uid {
            true => Error::DuplicateInstance { first, second },
            false => Error::DuplicateSlice { first, second },
        })
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

    /// The plan once its copies have been [judged](Comparison::judge): with those that are slices, and without the slices for which
    /// the comparison failed.
    ///
    /// # Errors
    /// As [`without`](Self::without).
    pub fn compared(&self, judged: &Compared<String>) -> Result<SeriesPlan, Error> {
        let Compared { unequal, apart } = judged;
        let mut plan = if unequal.is_empty() { self.clone() } else { self.without(unequal)? };
        let key = |copy: &SlicePlan| (copy.file, copy.frame);
        let apart: HashSet<_> =
            apart.iter().filter_map(|&copy| self.copies.get(copy)).map(|(_, copy)| key(copy)).collect();
        if !apart.is_empty() {
            plan.put_back(|copy| apart.contains(&key(copy)));
        }
        plan.left_out.retain(|note| note.kind != NoteKind::Duplicate);
        plan.left_out.extend(plan.duplicates());
        Ok(plan)
    }

    /// Makes some of the copies slices again, beside those that they seemed to repeat: in the order of their SOP Instance UIDs, as
    /// slices are at one place.
    fn put_back(&mut self, is_slice: impl Fn(&SlicePlan) -> bool) {
        let (mut back, mut copies) = (HashMap::<usize, Vec<SlicePlan>>::new(), Vec::new());
        for (slice, copy) in mem::take(&mut self.copies) {
            if is_slice(&copy) {
                back.entry(slice).or_default().push(copy)
            } else {
                copies.push((slice, copy))
            }
        }
        let mut moved = HashMap::new();
        for (before, slice) in mem::take(&mut self.slices).into_iter().enumerate() {
            let used = (slice.file, slice.frame);
            let mut here = back.remove(&before).unwrap_or_default();
            here.push(slice);
            here.sort_by(|a, b| (&a.instance_uid, a.file).cmp(&(&b.instance_uid, b.file)));
            let place = here.iter().position(|slice| (slice.file, slice.frame) == used).unwrap_or(0);
            moved.insert(before, self.slices.len() + place);
            self.slices.extend(here);
        }
        let copies = copies.into_iter().filter_map(|(slice, copy)| Some((*moved.get(&slice)?, copy)));
        self.copies = copies.collect();
        self.measure();
    }

    /// The note about copies whose pixels were compared.
    fn duplicates(&self) -> Vec<Note> {
        let of = |again: bool| {
            let pairs = self.copies.iter().filter_map(|(slice, copy)| Some((self.slices.get(*slice)?, copy)));
            let mut some = pairs.filter(|(used, copy)| (used.instance_uid != copy.instance_uid) == again);
            let (used, copy) = some.next()?;
            let labels = [self.label_of(used), self.label_of(copy)];
            Some(notes::duplicates(1 + some.count(), &labels, again, true))
        };
        [false, true].into_iter().filter_map(of).collect()
    }
}
