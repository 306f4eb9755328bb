//! Files that cannot be used: which of them matter to a series.
//!
//! A slice that is missing from a matrix without a word is the worst fault; a scan that cannot be read because something else lies in its
//! folder is the next. A broken file
//!
//! | what is known of it | to the series that is wanted |
//! |---|---|
//! | it has this Series Instance UID | stops it |
//! | it has another one, or its header is whole and has none | is not of it |
//! | it has the SOP Instance UID of a slice that is used | is a broken copy |
//! | nothing: it is truncated before that, or cannot be opened | stops it where the series misses some ([`Beside::misses`]), or where they are too many for strays |
//!
//! Where all series are meant, of an archive of many patients, one file would stop them all: there, what nothing is known of stops the series
//! that have slices in its folder, and those that miss slices.
//!
//! A slice in order that has no Series Instance UID belongs to no series, but for one that fills a hole of this one or goes on where it
//! ends. Whatever stops nothing is counted and reported.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::geometry::{self, SAME_PLACE_MM, dot, normal};
use super::group::{Group, Member, same_volume};
use super::{Broken, Inventory};
use crate::problem::Problem;
use crate::unread::Unread;

/// So many files may be strays beside any series; more than a tenth of the slices may not.
const FEW: usize = 10;

/// What a broken file is to a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is missing from it, or might be.
    Ours,
    /// Of another series.
    Foreign,
    /// It repeats a slice that is used.
    Copy,
    /// Of no series.
    Stray,
}

/// The files of an input that may matter to a series beside its own slices, indexed so that a listing takes time in proportion to its length.
pub(super) struct Beside<'a> {
    /// Broken files by their Series Instance UID, `None` where that cannot be known.
    broken: HashMap<Option<&'a str>, Vec<(usize, &'a Broken)>>,
    /// Instance Numbers of each series, other images than its slices' too.
    numbers: HashMap<&'a str, BTreeSet<i64>>,
    /// How many broken files there are.
    count: usize,
    /// Slices without Series Instance UID.
    unnamed: Vec<Member<'a>>,
    /// Of each file its folder, where all series are meant.
    folders: Option<HashMap<usize, &'a str>>,
}

impl<'a> Beside<'a> {
    pub fn new(inventory: &'a Inventory, groups: &[Group<'a>]) -> Self {
        let mut beside = Beside {
            broken: HashMap::new(),
            numbers: HashMap::new(),
            count: 0,
            unnamed: Vec::new(),
            folders: None,
        };
        for (file, broken) in inventory.broken() {
            beside.count += 1;
            beside.broken.entry(broken.series.as_deref()).or_default().push((file, broken));
        }
        for group in groups {
            let numbers = group.slices.iter().filter_map(|member| member.header.instance_number);
            beside.numbers.entry(group.series).or_default().extend(numbers);
            if group.series.is_empty() {
                beside.unnamed.extend(&group.slices);
            }
        }
        beside
    }

    /// The same where all series are meant.
    pub fn of_archive(mut self, inventory: &'a Inventory) -> Self {
        self.folders =
            Some(inventory.files.iter().map(|(&place, file)| (place, file.folder.as_str())).collect());
        self
    }

    /// Whether a file of unknown content is near the group: anywhere, or where all series are meant, in a folder with slices of it.
    fn nearness(&self, group: &Group) -> impl Fn(usize) -> bool {
        let folder = |file: usize| self.folders.as_ref().and_then(|folders| folders.get(&file).copied());
        let own: HashSet<_> = group.slices.iter().filter_map(|member| folder(member.file)).collect();
        move |file| self.folders.is_none() || folder(file).is_some_and(|folder| own.contains(folder))
    }

    /// Of what is not read and could be a slice of the group, that which stops it.
    pub fn of_group<'u>(&self, group: &Group, unread: Vec<(usize, &'u Unread)>) -> Vec<(usize, &'u Unread)> {
        if unread.is_empty() || self.folders.is_none() {
            return unread;
        }
        let (near, misses) = (self.nearness(group), self.misses(group, unread.len()));
        // Nobody knows what is in a folder that cannot be listed, or was in an archive whose directory does not tell it.
        let anywhere = |why: &Unread| matches!(why, Unread::Folder(_) | Unread::Beside);
        let stops = |&(file, why): &(usize, &Unread)| misses || anywhere(why) || near(file);
        unread.into_iter().filter(stops).collect()
    }

    /// Files that stop the group.
    pub fn problems(&self, group: &Group<'a>) -> Vec<(usize, Problem)> {
        let own = group.series_uids().map(Some).chain([None]);
        let candidates: Vec<_> = own.filter_map(|uid| self.broken.get(&uid)).flatten().copied().collect();
        let broken = self.claimed(group, candidates).into_iter().filter(|(.., claim)| *claim == Claim::Ours);
        let broken = broken.map(|(file, broken, _)| (file, broken.problem.clone()));
        broken.chain(self.continuations(group)).collect()
    }

    /// What broken files are to the group, in file order, without those of other series; and how many these are.
    pub fn claims(&self, group: &Group<'a>) -> (Vec<(usize, &'a Broken, Claim)>, usize) {
        let near: BTreeSet<Option<&str>> = group.series_uids().map(Some).chain([None, Some("")]).collect();
        let near = near.iter().filter_map(|uid| self.broken.get(uid)).flatten().copied();
        let mut claims = self.claimed(group, near.collect());
        claims.sort_by_key(|(file, ..)| *file);
        let foreign = self.count - claims.len();
        (claims, foreign)
    }

    fn claimed(
        &self,
        group: &Group<'a>,
        broken: Vec<(usize, &'a Broken)>,
    ) -> Vec<(usize, &'a Broken, Claim)> {
        if broken.is_empty() {
            return Vec::new();
        }
        let own: HashSet<&str> = group.series_uids().collect();
        // A SOP Instance UID that several slices share says nothing.
        let mut instances = HashMap::<&str, usize>::new();
        for header in group.slices.iter().map(|member| member.header).filter(|header| header.frame == 0) {
            *instances.entry(&header.sop_instance_uid).or_default() += 1;
        }
        let is_copy = |broken: &Broken| {
            let uid = broken.instance.as_deref().filter(|uid| !uid.is_empty());
            uid.is_some_and(|uid| instances.get(uid) == Some(&1))
        };
        let unknown = self.broken.get(&None).map_or(&[][..], Vec::as_slice);
        let unknown = unknown.iter().filter(|(_, broken)| !is_copy(broken)).map(|(file, _)| *file);
        let unknown: Vec<usize> = unknown.collect();
        let misses = !unknown.is_empty() && self.misses(group, unknown.len());
        let near = self.nearness(group);
        let nearby = unknown.iter().filter(|&&file| near(file)).count();
        let many = nearby > FEW && 10 * nearby > group.slices.len();
        let claim = |file: usize, broken: &Broken| match broken.series.as_deref() {
            Some(uid) if !own.contains(uid) && uid.is_empty() => Claim::Stray,
            Some(uid) if !own.contains(uid) => Claim::Foreign,
            _ if is_copy(broken) => Claim::Copy,
            Some(_) => Claim::Ours,
            None if misses || many && near(file) => Claim::Ours,
            None => Claim::Stray,
        };
        broken.into_iter().map(|(file, broken)| (file, broken, claim(file, broken))).collect()
    }

    /// Whether this many files of unknown content might be missing from a group: positions or Instance Numbers have holes.
    fn misses(&self, group: &Group, files: usize) -> bool {
        let positions = group.positions_mm();
        let spacing = geometry::spacing(&positions).unwrap_or(0.0);
        let hole = geometry::steps(&positions).iter().any(|step| step.mm > 1.5 * spacing);
        let numbers = self.numbers.get(group.series);
        let ends = numbers.and_then(|numbers| Some((numbers.len(), numbers.first()?, numbers.last()?)));
        let unnumbered = ends.is_some_and(|(count, first, last)| {
            let between = last.abs_diff(*first).saturating_add(1).saturating_sub(count as u64);
            let before = u64::try_from(first.saturating_sub(1)).unwrap_or(0);
            [between, before].into_iter().any(|missing| (1..=files as u64).contains(&missing))
        });
        hole || unnumbered
    }

    /// Slices without Series Instance UID that look like a part of the group: they fill a hole, or go on where it ends.
    fn continuations(&self, group: &Group) -> Vec<(usize, Problem)> {
        let positions = group.positions_mm();
        let Some(spacing) = geometry::spacing(&positions) else { return Vec::new() };
        let axis = normal(&group.first.orientation);
        let fits = |member: &&Member| {
            let mm = dot(member.header.position_mm, axis);
            let nearest =
                positions.iter().map(|position| (position - mm).abs()).fold(f64::INFINITY, f64::min);
            let next = nearest > 0.5 * spacing + SAME_PLACE_MM && nearest < 1.5 * spacing;
            next && same_volume(group.first, member.header)
        };
        let others = self.unnamed.iter().filter(|_| !group.series.is_empty());
        others.filter(fits).map(|member| (member.file, Problem::NoSeries)).collect()
    }
}
