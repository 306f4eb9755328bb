//! Several volumes in one series: what tells them apart, by the rules of [`aspects`](super::aspects).
//!
//! A group holds slices of one size, orientation and frame of reference. It is split by one aspect after the other:
//! each part by the next. Places are the positions along the normal, taken as one by [`geometry::near_places`]. A difference
//! counts between values that hold at least two places each: a single odd slice is a remark, not a volume, and slices at one place are a time series, which is one matrix.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::aspects::{ASPECTS, Aspect, Rule, Value};
use super::group::{Group, Member, Told};
use super::{absent, geometry};
use crate::header::SliceHeader;

/// Fewer slices than this show no pattern.
pub(super) const FEWEST: usize = 3;

/// Slices that are this many steps thick leave nothing between them unseen that passes of an acquisition would fill.
const COMPLETE: f64 = 0.75;

/// So many steps are rounding.
const ROUNDING: f64 = 0.05;

/// The slices of a part, and how it is told from the others: nothing where there is one part.
type Part<'a> = (Vec<Member<'a>>, Vec<Told>);

#[derive(Clone, Copy)]
struct Placed<'a> {
    member: Member<'a>,
    place: usize,
    mm: f64,
}

impl<'a> Placed<'a> {
    fn header(&self) -> &'a SliceHeader {
        self.member.header
    }
}

/// The volumes of which a group consists.
pub(super) fn volumes<'a>(group: Group<'a>) -> Vec<Group<'a>> {
    let parts = split(&group.slices, &group.positions_mm());
    if parts.len() < 2 {
        return vec![group];
    }
    let of = |(slices, told): Part<'a>| {
        let used: HashSet<_> = slices.iter().map(|member| (member.file, member.header.frame)).collect();
        let copies = group.duplicates.iter().copied();
        let duplicates =
            copies.filter(|(slice, _)| used.contains(&(slice.file, slice.header.frame))).collect();
        // The least SOP Instance UID of the part, as of the group: members were sorted by it.
        let first = absent::fullest(&slices).unwrap_or(group.first);
        Group { slices, told, first, duplicates, ..group.clone() }
    };
    parts.into_iter().map(of).collect()
}

/// Splits slices at `positions_mm` along their normal into volumes.
fn split<'a>(members: &[Member<'a>], positions_mm: &[f64]) -> Vec<Part<'a>> {
    if members.len() < 2 {
        return vec![(members.to_vec(), Vec::new())];
    }
    let places = near_places(members, positions_mm);
    let placed = members.iter().zip(places).zip(positions_mm);
    let all: Vec<Placed> = placed.map(|((&member, place), &mm)| Placed { member, place, mm }).collect();
    let mut parts = vec![(all, Vec::new())];
    for aspect in &ASPECTS {
        parts = parts.into_iter().flat_map(|(slices, told)| split_by(aspect, slices, &told)).collect();
    }
    let bare = |slices: Vec<Placed<'a>>| slices.into_iter().map(|slice| slice.member).collect();
    parts.into_iter().map(|(slices, told)| (bare(slices), told)).collect()
}

/// The place of each slice, of which one that was repeated slightly beside the first has the same.
pub(super) fn near_places(members: &[Member], positions_mm: &[f64]) -> Vec<usize> {
    geometry::near_places(positions_mm, thinnest(members.iter().map(|member| member.header)))
}

fn split_by<'a>(
    aspect: &Aspect,
    slices: Vec<Placed<'a>>,
    told: &[Told],
) -> Vec<(Vec<Placed<'a>>, Vec<Told>)> {
    let values = join_absent(by_value(aspect, &slices));
    if values.len() < 2 {
        return vec![(slices, told.to_vec())];
    }
    let lots = match aspect.rule {
        Rule::Identity if each_its_own(&values) => None,
        Rule::Identity | Rule::Always => Some(each(&values)),
        Rule::Interleaved if !values.contains_key(&None) => interleave(&values).then(|| each(&values)),
        Rule::Interleaved => repeat(&values).then(|| each(&values)),
        Rule::Repeated => (repeat(&values) || complete(&values)).then(|| each(&values)),
        Rule::InOrder => (repeat(&values) || complete(&values)).then(|| in_order(&values)),
        Rule::Rank => ranks(aspect, &slices),
    };
    let Some(lots) = lots.filter(|lots| lots.len() > 1) else {
        return vec![(slices, told.to_vec())];
    };
    let count = lots.len();
    let labels: Vec<_> = lots.iter().map(|lot| lot.value.as_ref().and_then(aspect.label)).collect();
    let mut alike: HashMap<&Option<String>, usize> = HashMap::new();
    labels.iter().for_each(|label| *alike.entry(label).or_default() += 1);
    let name = |(i, Lot { value, slices }): (usize, Lot<'a>)| {
        let turn = i + 1;
        // Numbers that look alike when rounded are no names.
        let own = labels.get(i).filter(|label| alike.get(label) == Some(&1));
        let label = own.cloned().flatten().unwrap_or_else(|| format!("{} {turn} of {count}", aspect.noun));
        // A kernel or a voltage stays what it is when other parts come; a rank has nothing but itself.
        // What leads to a patient is in no id.
        let value = value.filter(|_| aspect.rule != Rule::Identity);
        let key = value.map_or_else(|| turn.to_string(), |value| format!("{value:?}"));
        let mut told = told.to_vec();
        told.push(Told { aspect: aspect.name, label, key });
        (slices, told)
    };
    lots.into_iter().enumerate().map(name).collect()
}

type Values<'a> = BTreeMap<Option<Value>, Vec<Placed<'a>>>;

/// Slices that stay together, and the value that they share, if it is one.
struct Lot<'a> {
    value: Option<Value>,
    slices: Vec<Placed<'a>>,
}

fn by_value<'a>(aspect: &Aspect, slices: &[Placed<'a>]) -> Values<'a> {
    // An absent rescale is slope 1 and intercept 0: it matters beside others only.
    let rescale = |header: &SliceHeader| header.rescale.values();
    let mut values = Values::new();
    for &slice in slices {
        values.entry((aspect.value)(slice.header())).or_default().push(slice);
    }
    if aspect.noun == "rescale" && slices.iter().all(|slice| rescale(slice.header()) == (1.0, 0.0)) {
        values.clear();
    }
    values
}

/// Slices that do not say a value have the only one that there is, unless they hold its places.
fn join_absent(mut values: Values) -> Values {
    if values.len() == 2 && values.contains_key(&None) && !repeat(&values) {
        let absent = values.remove(&None).unwrap_or_default();
        values.values_mut().for_each(|slices| slices.extend(&absent));
    }
    values
}

/// Whether no value is shared: an anonymiser made one for each file.
fn each_its_own(values: &Values) -> bool {
    values.len() >= FEWEST && values.values().all(|slices| slices.len() == 1)
}

fn each<'a>(values: &Values<'a>) -> Vec<Lot<'a>> {
    values.iter().map(|(value, slices)| Lot { value: value.clone(), slices: slices.clone() }).collect()
}

/// Whether slices of two values lie among each other: at least half the places of one between the ends of the other.
fn interleave(values: &Values) -> bool {
    let mut runs: Vec<Vec<usize>> = values.values().map(|slices| places(slices)).collect();
    runs.retain(|run| run.len() > 1);
    runs.sort_by_key(|run| (run.first().copied(), run.last().copied()));
    let within = |run: &[usize], of: &[usize]| {
        let (Some(first), Some(last)) = (of.first(), of.last()) else { return false };
        let inside = run.partition_point(|place| place <= last) - run.partition_point(|place| place < first);
        2 * inside >= run.len()
    };
    runs.iter().enumerate().any(|(i, run)| {
        let mut later = runs.iter().skip(i + 1).take_while(|other| other.first() <= run.last());
        later.any(|other| within(run, other) || within(other, run))
    })
}

/// Whether a value has at least half of its places in common with others.
fn repeat(values: &Values) -> bool {
    let runs: Vec<Vec<usize>> = values.values().map(|slices| places(slices)).collect();
    let mut held: HashMap<usize, usize> = HashMap::new();
    runs.iter().flatten().for_each(|&place| *held.entry(place).or_default() += 1);
    let shared = |run: &[usize]| run.iter().filter(|place| held.get(place).is_some_and(|&n| n > 1)).count();
    let repeated = |run: &[usize]| run.len() > 1 && 2 * shared(run) >= run.len();
    runs.iter().any(|run| repeated(run))
}

/// Whether some value is a volume [among](Run::complete_among) the slices of another.
fn complete(values: &Values) -> bool {
    let runs: Vec<Run> =
        values.values().map(|slices| Run::of(slices)).filter(|run| run.mm.len() > 1).collect();
    runs.iter()
        .enumerate()
        .any(|(i, run)| runs.iter().skip(i + 1).any(|other| run.complete_among(other, runs.len())))
}

/// Whether slices of two values lie among each other, and neither places nor Slice Thickness say if these are passes of one
/// acquisition or volumes.
pub(super) fn undecided<'a>(aspect: &Aspect, slices: impl Iterator<Item = (&'a SliceHeader, f64)>) -> bool {
    if !matches!(aspect.rule, Rule::Repeated | Rule::InOrder) {
        return false;
    }
    let mut values = BTreeMap::<Option<Value>, Vec<(&SliceHeader, f64)>>::new();
    slices.for_each(|slice| values.entry((aspect.value)(slice.0)).or_default().push(slice));
    let runs = values.into_values().map(Run::new).filter(|run| run.mm.len() >= FEWEST);
    let runs: Vec<Run> = runs.collect();
    let thin = |run: &Run| run.thickness_mm.is_none_or(|mm| mm * runs.len() as f64 <= COMPLETE * run.step_mm);
    let pair = |(i, run): (usize, &Run)| runs.iter().skip(i + 1).any(|other| run.among(other) && thin(run));
    runs.len() > 1 && runs.iter().enumerate().any(pair)
}

/// Where the slices of one value lie along the normal.
struct Run {
    /// Ascending, each place once.
    mm: Vec<f64>,
    step_mm: f64,
    thickness_mm: Option<f64>,
}

impl Run {
    fn of(slices: &[Placed]) -> Self {
        Self::new(slices.iter().map(|slice| (slice.header(), slice.mm)).collect())
    }

    fn new(slices: Vec<(&SliceHeader, f64)>) -> Self {
        let mut mm: Vec<f64> = slices.iter().map(|(_, mm)| *mm).collect();
        mm.sort_by(f64::total_cmp);
        mm.dedup_by(|b, a| *b - *a <= geometry::SAME_PLACE_MM);
        let step_mm = geometry::spacing(&mm).unwrap_or(f64::INFINITY);
        Run { mm, step_mm, thickness_mm: thinnest(slices.into_iter().map(|(header, _)| header)) }
    }

    /// Whether at least half of its places lie between the ends of the other.
    fn within(&self, other: &Self) -> bool {
        let (Some(first), Some(last)) = (other.mm.first(), other.mm.last()) else { return false };
        let inside = self.mm.partition_point(|mm| mm <= last) - self.mm.partition_point(|mm| mm < first);
        2 * inside >= self.mm.len()
    }

    fn among(&self, other: &Self) -> bool {
        self.within(other) || other.within(self)
    }

    /// Whether it lies among the slices of another value of this many, and they are two volumes: either covers its range without
    /// the other, or the steps between the two are uneven, as those of passes of one acquisition are not.
    fn complete_among(&self, other: &Self, values: usize) -> bool {
        let covers = |run: &Run| run.thickness_mm.is_some_and(|mm| mm >= COMPLETE * run.step_mm);
        self.among(other) && ((covers(self) && covers(other)) || (values == 2 && self.uneven_beside(other)))
    }

    /// Whether two regular runs of one step are shifted by another part of it than a half.
    fn uneven_beside(&self, other: &Self) -> bool {
        let step = self.step_mm;
        let alike = |mm: f64| (mm - step).abs() <= ROUNDING * step;
        let regular =
            |run: &Run| run.mm.len() >= FEWEST && run.mm.windows(2).all(|pair| alike(pair[1] - pair[0]));
        let (Some(a), Some(b)) = (self.mm.first(), other.mm.first()) else { return false };
        let shift = ((b - a) / step).rem_euclid(1.0);
        let (same, half) = (shift.min(1.0 - shift) <= ROUNDING, (shift - 0.5).abs() <= ROUNDING);
        regular(self) && regular(other) && !same && !half
    }
}

/// Least Slice Thickness, mm.
fn thinnest<'a>(headers: impl Iterator<Item = &'a SliceHeader>) -> Option<f64> {
    headers.filter_map(|header| header.acquisition.thickness_mm).filter(|mm| *mm > 0.0).min_by(f64::total_cmp)
}

/// Values in ascending order, each added to the first volume of which it holds no place yet and [among](Run::complete_among)
/// whose slices it is no volume.
fn in_order<'a>(values: &Values<'a>) -> Vec<Lot<'a>> {
    type Held = (BTreeSet<usize>, Vec<Run>);
    let mut lots: Vec<(Held, Vec<Placed<'a>>)> = Vec::new();
    for slices in values.values() {
        let (own, run) = (places(slices), Run::of(slices));
        let free = lots.iter_mut().find(|((held, runs), _)| {
            own.iter().all(|place| !held.contains(place))
                && !(run.mm.len() > 1
                    && runs.iter().any(|other| other.mm.len() > 1 && run.complete_among(other, values.len())))
        });
        match free {
            Some(((held, runs), lot)) => {
                held.extend(own);
                runs.push(run);
                lot.extend(slices);
            }
            None => lots.push(((own.into_iter().collect(), vec![run]), slices.clone())),
        }
    }
    lots.into_iter().map(|(_, slices)| Lot { value: None, slices }).collect()
}

/// The first slice of each place, the second, and so on, if all places have the same number of slices, of
/// different values.
fn ranks<'a>(aspect: &Aspect, slices: &[Placed<'a>]) -> Option<Vec<Lot<'a>>> {
    let mut at: BTreeMap<usize, BTreeMap<Value, Placed<'a>>> = BTreeMap::new();
    for &slice in slices {
        let twice = at.entry(slice.place).or_default().insert((aspect.value)(slice.header())?, slice);
        if twice.is_some() {
            return None;
        }
    }
    let turns = at.values().next()?.len();
    if at.len() < 2 || at.values().any(|here| here.len() != turns) {
        return None;
    }
    let mut lots: Vec<Vec<Placed>> = vec![Vec::new(); turns];
    for here in at.values() {
        lots.iter_mut().zip(here.values()).for_each(|(lot, &slice)| lot.push(slice));
    }
    Some(lots.into_iter().map(|slices| Lot { value: None, slices }).collect())
}

/// The places that slices hold, ascending, each once.
fn places(slices: &[Placed]) -> Vec<usize> {
    slices.iter().map(|slice| slice.place).collect::<BTreeSet<_>>().into_iter().collect()
}
