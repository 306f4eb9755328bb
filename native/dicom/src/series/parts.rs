//! Several volumes in one series: what tells them apart, by the rules of [`aspects`](super::aspects).
//!
//! A group holds slices of one size, orientation and frame of reference. It is split by one aspect after the other:
//! each part by the next. Places are the positions along the normal, those nearer than [`geometry::same_place`]
//! taken as one. A difference counts between values that hold at least two places each: a single odd slice is a
//! remark, not a volume, and slices at one place are a time series, which is one matrix.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::aspects::{ASPECTS, Aspect, Rule, Value};
use super::geometry;
use super::group::Member;
use crate::header::SliceHeader;

/// What one part has, and another has not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// [`Aspect::name`].
    pub aspect: &'static str,
    /// `kernel 1 of 2`, `80 kV`.
    pub label: String,
    /// The value, for the id of the part.
    pub key: String,
}

/// The slices of a part, and how it is told from the others: nothing where there is one part.
pub(crate) type Part<'a> = (Vec<Member<'a>>, Vec<Told>);

#[derive(Clone, Copy)]
struct Placed<'a> {
    member: Member<'a>,
    place: usize,
}

impl<'a> Placed<'a> {
    fn header(&self) -> &'a SliceHeader {
        self.member.header
    }
}

/// Splits slices at `positions_mm` along their normal into volumes.
pub(crate) fn split<'a>(members: &[Member<'a>], positions_mm: &[f64]) -> Vec<Part<'a>> {
    if members.len() < 2 {
        return vec![(members.to_vec(), Vec::new())];
    }
    let places = geometry::places(positions_mm);
    let all: Vec<Placed> =
        members.iter().zip(places).map(|(&member, place)| Placed { member, place }).collect();
    let mut parts = vec![(all, Vec::new())];
    for aspect in &ASPECTS {
        parts = parts.into_iter().flat_map(|(slices, told)| split_by(aspect, slices, &told)).collect();
    }
    let bare = |slices: Vec<Placed<'a>>| slices.into_iter().map(|slice| slice.member).collect();
    parts.into_iter().map(|(slices, told)| (bare(slices), told)).collect()
}

fn split_by<'a>(
    aspect: &Aspect,
    slices: Vec<Placed<'a>>,
    told: &[Told],
) -> Vec<(Vec<Placed<'a>>, Vec<Told>)> {
    let values: Values = by_value(aspect, &slices);
    if values.len() < 2 {
        return vec![(slices, told.to_vec())];
    }
    let lots = match aspect.rule {
        Rule::Always => Some(each(&values)),
        Rule::Interleaved if !values.contains_key(&None) => interleave(&values).then(|| each(&values)),
        Rule::Interleaved | Rule::Repeated => repeat(&values).then(|| each(&values)),
        Rule::InOrder => repeat(&values).then(|| in_order(&values)),
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

/// Values in ascending order, each added to the first volume of which it holds no place yet.
fn in_order<'a>(values: &Values<'a>) -> Vec<Lot<'a>> {
    let mut lots: Vec<(BTreeSet<usize>, Vec<Placed<'a>>)> = Vec::new();
    for slices in values.values() {
        let own = places(slices);
        let free = lots.iter_mut().find(|(held, _)| own.iter().all(|place| !held.contains(place)));
        match free {
            Some((held, lot)) => {
                held.extend(own);
                lot.extend(slices);
            }
            None => lots.push((own.into_iter().collect(), slices.clone())),
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
