//! Links of an archive: those to a file of it are that file under another name.

use std::collections::{BTreeMap, BTreeSet};

use tomobasis_dicom::Unread;

use super::Listed;

/// Links from link to link are followed so often, as Linux does.
const MOST_LINKS: usize = 40;

/// An entry as its archive has it.
pub(super) struct Found {
    pub name: Vec<u8>,
    pub listed: Listed,
    /// Where a link leads.
    pub link: Option<Target>,
}

/// Where a link leads.
pub(super) enum Target {
    /// To a path of the archive.
    Hard(Vec<u8>),
    /// To a path that counts from the folder of the link.
    Symbolic(Vec<u8>),
}

impl Target {
    /// What a link is that leads nowhere. A hard link is a file of its own on the disk that was packed.
    fn lost(&self) -> Unread {
        match self {
            Self::Hard(_) => Unread::HardLink,
            Self::Symbolic(_) => Unread::Link,
        }
    }
}

impl Found {
    pub fn file(name: Vec<u8>, listed: Listed) -> Self {
        Self { name, listed, link: None }
    }
}

/// The entries by the bytes of their names, links that lead to a file with its place.
pub(super) fn resolved(mut entries: Vec<Found>) -> Vec<Listed> {
    let (mut places, mut links, mut folders) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for (i, entry) in entries.iter().enumerate() {
        let Some(path) = normal(&[], &entry.name) else { continue };
        folders.extend((0..path.len()).map(|parts| path[..parts].to_vec()));
        // Of entries of one name the last one is on the disk after unpacking.
        if let Some(target) = &entry.link {
            links.insert(path.clone(), (goal(&path, target), target.lost()));
        } else {
            places.insert(path, i);
        }
    }
    let lost = |entry: &Found, why: Unread| Listed { unread: Some(why), ..entry.listed.clone() };
    let follow = |entry: &Found| {
        let target = entry.link.as_ref()?;
        let path = normal(&[], &entry.name);
        let (mut at, mut why) = (path.and_then(|path| goal(&path, target)), target.lost());
        for _ in 0..MOST_LINKS {
            let Some(place) = &at else { break };
            if let Some(file) = places.get(place).and_then(|&file| entries.get(file)) {
                return Some(file.listed.clone());
            }
            if folders.contains(place) {
                return Some(lost(entry, Unread::FolderLink));
            }
            let Some((next, next_why)) = links.get(place) else { break };
            (at, why) = (next.clone(), next_why.clone());
        }
        Some(lost(entry, why))
    };
    let found: Vec<Option<Listed>> = entries.iter().map(follow).collect();
    for (entry, found) in entries.iter_mut().zip(found) {
        entry.listed = found.unwrap_or_else(|| entry.listed.clone());
        entry.listed.name = String::from_utf8_lossy(&entry.name).into_owned();
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries.into_iter().map(|entry| entry.listed).collect()
}

fn goal(link: &[Vec<u8>], target: &Target) -> Option<Vec<Vec<u8>>> {
    match target {
        Target::Hard(path) => normal(&[], path),
        Target::Symbolic(path) if path.starts_with(b"/") => None,
        Target::Symbolic(path) => normal(link.split_last()?.1, path),
    }
}

/// The parts of a path that counts from a folder; `None` when it leaves the archive.
fn normal(folder: &[Vec<u8>], path: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut parts = folder.to_vec();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            _ => parts.push(part.to_vec()),
        }
    }
    Some(parts)
}
