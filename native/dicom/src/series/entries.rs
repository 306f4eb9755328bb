//! The slices whose entries are known, because their pixels were read before volumes are told apart.

use std::collections::HashMap;

use super::group::Member;
use crate::plan::SeriesPlan;

/// Digests of the entries of slices whose pixels are known, by file and frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(HashMap<(usize, u32), [u8; 32]>);

impl Known {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn digest(&self, member: &Member) -> Option<&[u8; 32]> {
        self.0.get(&(member.file, member.header.frame))
    }

    /// Whether two slices have the same entries; `None` where that is not known.
    pub fn equal(&self, a: &Member, b: &Member) -> Option<bool> {
        Some(self.digest(a)? == self.digest(b)?)
    }

    /// Takes the digests of the entries of a plan's slices, `None` of those that cannot be decoded.
    pub fn learn(&mut self, plan: &SeriesPlan, digests: &[Option<[u8; 32]>]) {
        let slices = plan.slices.iter().zip(digests);
        self.0.extend(slices.filter_map(|(slice, digest)| Some(((slice.file, slice.frame), (*digest)?))));
    }
}
