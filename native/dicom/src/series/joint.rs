//! `--basis joint`: the slices of several series as one matrix, one series after the other.
//!
//! Columns of one matrix have one size, and numbers of one kind: of the series that are meant, those are joined that have the size,
//! modality and unit of most slices. The others are named in the plan. What decides is counted in slices, and every order is that of UIDs
//! and hashes, so that neither names nor places of files reach the matrix.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::all::{self, LeftOut};
use super::choice::{self, SeriesChoice};
use super::group::Group;
use super::whole::Whole;
use super::{Inventory, build};
use crate::error::Error;
use crate::plan::{SeriesPlan, UnjoinedSeries};

/// Fewer digits of a series' hash than that name none.
const SHORTEST_NAME: usize = 8;

/// Which series are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JointChoice {
    /// Series Instance UIDs, ids that listings show, or whole hashes that these begin; empty: all series.
    pub names: Vec<String>,
    /// Whether all are meant. With names, of which the result is then to be, only for what is told of the others.
    pub all: bool,
    /// Whether a series that cannot be used is an error even where all are meant.
    pub fail_fast: bool,
}

/// What columns of one matrix have in common: rows and columns of a slice, modality, unit.
type Kind = (usize, usize, String, String);

fn kind(plan: &SeriesPlan) -> Kind {
    (plan.rows, plan.columns, plan.modality.clone(), plan.rescale_unit.clone())
}

impl Inventory {
    /// The plan of the slices of several series: by ascending Series Instance UID (as bytes), volumes of one series by their hashes, the
    /// slices of each in their own order.
    ///
    /// # Errors
    /// Those of [`select`](Self::select) for a series that is named; `NoneToJoin` where of all series none can be used.
    pub fn select_joint(&self, choice: &JointChoice) -> Result<SeriesPlan, Error> {
        let groups = self.groups();
        let whole = Whole::new(self, &groups);
        let left_out = LeftOut::of(&groups);
        let named = self.named(&groups, &choice.names)?;
        let ids: BTreeSet<&str> = named.iter().map(|group| group.id.as_str()).collect();
        if groups.is_empty() {
            // Says why there is none.
            choice::choose(self, &groups, &SeriesChoice::All)?;
        }
        let mut unjoined = Vec::new();
        let mut plans: Vec<(&Group<'_>, SeriesPlan)> = Vec::new();
        for group in &groups {
            let wanted = ids.contains(group.id.as_str());
            let why = left_out.why(group);
            if !wanted && (!choice.all || !why.is_empty()) {
                if choice.all {
                    unjoined.push(unjoined_group(group, false, why.to_owned()));
                }
                continue;
            }
            match build::plan(self, &whole, group) {
                Ok(plan) => plans.push((group, plan)),
                Err(error) if wanted || choice.fail_fast => return Err(error),
                Err(error) => unjoined.push(unjoined_group(group, true, error.to_string())),
            }
        }
        let lost = if choice.all { self.lost_series(&groups) } else { Vec::new() };
        for entry in lost {
            match entry.plan {
                Some(Err(error)) if choice.fail_fast => return Err(error),
                Some(Err(error)) => unjoined.push(UnjoinedSeries {
                    id: entry.id,
                    slices: 0,
                    rows: 0,
                    columns: 0,
                    failed: true,
                    why: error.to_string(),
                }),
                _ => {}
            }
        }
        let deciding = |group: &Group<'_>| ids.is_empty() || ids.contains(group.id.as_str());
        let most = most_slices(plans.iter().filter(|(group, _)| deciding(group)).map(|(_, plan)| plan));
        let mut joined = Vec::new();
        for (group, plan) in plans {
            match unfit(&plan, most.as_ref()) {
                None if deciding(group) => joined.push((group, plan)),
                why => {
                    let why =
                        why.unwrap_or_else(|| "it is not among the series that are asked for".to_owned());
                    unjoined.push(unjoined_group(group, false, why));
                }
            }
        }
        joined.sort_by(|(a, _), (b, _)| (a.series, &a.hash).cmp(&(b.series, &b.hash)));
        unjoined.sort_by(|a, b| (Reverse(a.slices), &a.id).cmp(&(Reverse(b.slices), &b.id)));
        let used: usize = joined.iter().map(|(group, _)| group.slices.len()).sum();
        let told: usize = unjoined.iter().map(|one| one.slices).sum();
        let slices: usize = groups.iter().map(|group| group.slices.len()).sum();
        let parts = joined.into_iter().map(|(group, plan)| (all::folder(group), plan)).collect();
        SeriesPlan::joined(parts, unjoined, slices.saturating_sub(used + told))
    }

    /// The groups of these names.
    fn named<'g, 'a>(&self, groups: &'g [Group<'a>], names: &[String]) -> Result<Vec<&'g Group<'a>>, Error> {
        let by_hash = |name: &String| {
            let mut found = groups.iter().filter(|group| group.hash.starts_with(name.as_str()));
            match (found.next(), found.next()) {
                (Some(one), None) if name.len() >= SHORTEST_NAME => Some(one),
                _ => None,
            }
        };
        let mut named = Vec::new();
        for name in names {
            match by_hash(name) {
                Some(group) => named.push(group),
                None => named.extend(choice::choose(self, groups, &SeriesChoice::Uid(name.clone()))?),
            }
        }
        Ok(named)
    }
}

/// The kind of most slices; of several, that with the larger slices.
fn most_slices<'p>(plans: impl Iterator<Item = &'p SeriesPlan>) -> Option<Kind> {
    let mut counts = BTreeMap::<Kind, usize>::new();
    for plan in plans {
        *counts.entry(kind(plan)).or_default() += plan.slices.len();
    }
    let most = counts.into_iter().max_by(|(a, slices), (b, others)| {
        let size = |kind: &Kind| kind.0.saturating_mul(kind.1);
        slices.cmp(others).then_with(|| size(a).cmp(&size(b))).then_with(|| b.cmp(a))
    });
    most.map(|(kind, _)| kind)
}

/// Why a series is not of the kind that is joined; `None` where it is.
fn unfit(plan: &SeriesPlan, most: Option<&Kind>) -> Option<String> {
    let (rows, columns, modality, unit) = most?;
    if (plan.rows, plan.columns) != (*rows, *columns) {
        return Some(format!("its slices are of another size than the {rows} x {columns} of most"));
    }
    if plan.modality != *modality {
        return Some("it is of another modality than most slices".to_owned());
    }
    (plan.rescale_unit != *unit)
        .then(|| "its values are in another unit than those of most slices".to_owned())
}

fn unjoined_group(group: &Group<'_>, failed: bool, why: String) -> UnjoinedSeries {
    UnjoinedSeries {
        id: group.id.clone(),
        slices: group.slices.len(),
        rows: group.first.rows,
        columns: group.first.columns,
        failed,
        why,
    }
}
