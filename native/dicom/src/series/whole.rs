//! All of an input as the plans of its series need it: counted and indexed once, so that planning every series takes time in proportion
//! to their number.

use std::collections::HashMap;

use super::Inventory;
use super::group::{Group, SliceRole};
use super::strays::Beside;
use crate::phrases::counted;
use crate::plan::{Note, NoteKind};

/// What slices are to other series: those without Series Instance UID are of none.
type Kind = Option<SliceRole>;

fn kind(group: &Group) -> Kind {
    (!group.series.is_empty()).then_some(group.role)
}

/// With their copies, so that the counts add up to what was found.
fn size(group: &Group) -> usize {
    group.slices.len() + group.duplicates.len()
}

pub(super) struct Whole<'g, 'a> {
    /// Files that may matter to a series beside its slices.
    pub beside: Beside<'a>,
    /// What there is beside slices: the same for every series.
    pub other_files: Vec<Note>,
    by_series: HashMap<&'a str, Vec<&'g Group<'a>>>,
    by_id: HashMap<&'g str, &'g Group<'a>>,
    sizes: HashMap<Kind, usize>,
}

impl<'g, 'a> Whole<'g, 'a> {
    pub fn new(inventory: &'a Inventory, groups: &'g [Group<'a>]) -> Self {
        Self::with(Beside::new(inventory, groups), inventory, groups)
    }

    /// As [`new`](Self::new), of an input in which all series are meant.
    pub fn of_archive(inventory: &'a Inventory, groups: &'g [Group<'a>]) -> Self {
        Self::with(Beside::new(inventory, groups).of_archive(inventory), inventory, groups)
    }

    fn with(beside: Beside<'a>, inventory: &'a Inventory, groups: &'g [Group<'a>]) -> Self {
        let mut whole = Whole {
            beside,
            other_files: other_files(inventory),
            by_series: HashMap::new(),
            by_id: HashMap::new(),
            sizes: HashMap::new(),
        };
        for group in groups {
            whole.by_series.entry(group.series).or_default().push(group);
            whole.by_id.insert(group.id.as_str(), group);
            *whole.sizes.entry(kind(group)).or_default() += size(group);
        }
        whole
    }

    /// Slices that are in no group with this one's id.
    pub fn others(&self, group: &Group, of: Kind) -> usize {
        let all = self.sizes.get(&of).copied().unwrap_or(0);
        // `group` may be a part of the one that was counted.
        let own = self.by_id.get(group.id.as_str()).filter(|own| kind(own) == of);
        all - own.map_or(0, |own| size(own))
    }

    /// The other volumes of a group's series.
    pub fn volumes_beside(&self, group: &Group<'a>) -> impl Iterator<Item = &'g Group<'a>> {
        let parts = self.by_series.get(group.series).map_or(&[][..], Vec::as_slice);
        parts.iter().copied().filter(move |other| other.id != group.id)
    }
}

fn other_files(inventory: &Inventory) -> Vec<Note> {
    let counts = inventory.counts();
    let packed = inventory.packed_kinds();
    let packed = if packed.is_empty() { packed } else { format!(" ({packed})") };
    let formats = format!(" in other formats than DICOM{packed}");
    let kinds = format!(" without slices ({})", inventory.kinds());
    let unread = format!(" not read ({})", inventory.unread_kinds());
    let notes = [
        (NoteKind::NotImages, counts.not_dicom, "file", formats),
        (NoteKind::NotImages, counts.not_images, "DICOM file", kinds),
        (NoteKind::NotRead, counts.not_read, "file", unread),
    ];
    let there = notes.into_iter().filter(|(_, count, ..)| *count > 0);
    there
        .map(|(kind, count, noun, rest)| Note { kind, text: format!("{}{rest}", counted(count, noun)) })
        .collect()
}
