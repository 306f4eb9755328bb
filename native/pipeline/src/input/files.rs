//! The files of a listing, by their places in it: all of them, or those of one series, whose bytes are at hand.

use std::collections::BTreeMap;

use super::listing::InputFile;

/// Files by their places in a listing.
pub(crate) trait Files: Sync {
    /// The file at a place, where it is there.
    fn at(&self, place: usize) -> Option<&InputFile>;
    /// How many files the listing has.
    fn count(&self) -> usize;
}

impl Files for [InputFile] {
    fn at(&self, place: usize) -> Option<&InputFile> {
        self.get(place)
    }

    fn count(&self) -> usize {
        self.len()
    }
}

/// The files that a scan was read from.
#[derive(Debug)]
pub(crate) enum ScanFiles {
    /// A whole listing.
    Listed(Vec<InputFile>),
    /// Some of a listing of `count` files.
    Some {
        /// How many files the listing has.
        count: usize,
        /// By their places.
        files: BTreeMap<usize, InputFile>,
    },
}

impl Files for ScanFiles {
    fn at(&self, place: usize) -> Option<&InputFile> {
        match self {
            Self::Listed(files) => files.get(place),
            Self::Some { files, .. } => files.get(&place),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Listed(files) => files.len(),
            Self::Some { count, .. } => *count,
        }
    }
}
