//! The canonical tree over row blocks.
//!
//! Floating-point sums depend on their order, so the order is fixed by block indices alone: a node of level
//! `l` stands for an aligned range of `2^l` blocks, its left operand is the lower half, and where one half
//! holds no block the other takes its place unchanged. Values may arrive in any order, from any thread or
//! partition; a node is combined when both of its halves are there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A node: blocks `[index * 2^level, (index + 1) * 2^level)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Key {
    /// Zero for a single block.
    pub level: u32,
    /// Position among the nodes of this level.
    pub index: u64,
}

impl Key {
    /// The node of one block.
    #[must_use]
    pub fn block(index: usize) -> Self {
        Self { level: 0, index: index as u64 }
    }

    /// The node that this one is a half of.
    #[must_use]
    pub fn parent(self) -> Self {
        Self { level: self.level + 1, index: self.index / 2 }
    }

    /// The two halves of a node above level 0, lower range first.
    #[must_use]
    pub fn children(self) -> [Self; 2] {
        [0, 1].map(|half| Self { level: self.level.saturating_sub(1), index: self.index * 2 + half })
    }

    fn sibling(self) -> Self {
        Self { index: self.index ^ 1, ..self }
    }

    fn is_left(self) -> bool {
        self.index.is_multiple_of(2)
    }
}

/// Values on their way up the tree. Shared by threads: values are combined outside the lock.
///
/// ```
/// use tomobasis_linalg::{Key, Tree};
/// let combine = |_: Key, left: String, right: String| Ok::<_, ()>(format!("({left}{right})"));
/// let tree = Tree::default();
/// for block in [2, 0, 1] {
///     tree.add(Key::block(block), block.to_string(), combine)?;
/// }
/// assert_eq!(tree.finish(combine)?.map(|(_, root)| root), Some("((01)2)".to_owned()));
/// # Ok::<(), ()>(())
/// ```
#[derive(Debug)]
pub struct Tree<T> {
    nodes: Mutex<BTreeMap<Key, T>>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { nodes: Mutex::default() }
    }
}

impl<T> Tree<T> {
    /// Adds the value of one node and combines what has become complete: `combine(parent, left, right)`.
    ///
    /// # Errors
    /// Whatever `combine` returns.
    pub fn add<E>(&self, key: Key, value: T, combine: impl Fn(Key, T, T) -> Result<T, E>) -> Result<(), E> {
        let (mut key, mut value) = (key, value);
        loop {
            let mut nodes = self.lock();
            let Some(other) = nodes.remove(&key.sibling()) else {
                nodes.insert(key, value);
                return Ok(());
            };
            drop(nodes);
            let (left, right) = if key.is_left() { (value, other) } else { (other, value) };
            key = key.parent();
            value = combine(key, left, right)?;
        }
    }

    /// The complete nodes that nothing was combined with yet: what a partition hands on.
    #[must_use]
    pub fn into_nodes(self) -> Vec<(Key, T)> {
        self.nodes.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
    }

    /// The root of all values added and its key; None when there were none.
    ///
    /// # Errors
    /// Whatever `combine` returns.
    pub fn finish<E>(self, combine: impl Fn(Key, T, T) -> Result<T, E>) -> Result<Option<(Key, T)>, E> {
        loop {
            let mut nodes = self.lock();
            let Some((key, value)) = nodes.pop_first() else { return Ok(None) };
            if nodes.is_empty() {
                return Ok(Some((key, value)));
            }
            drop(nodes);
            // The lowest node that is left has no sibling and never will: it takes its parent's place.
            self.add(key.parent(), value, &combine)?;
        }
    }

    /// A panic of another thread between two calls leaves the map whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, T>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn combine(_: Key, left: String, right: String) -> Result<String, Infallible> {
        Ok(format!("({left}{right})"))
    }

    /// What the definition says, by recursion over ranges.
    fn expected(level: u32, index: u64, present: &[bool]) -> Option<String> {
        if level == 0 {
            let at = usize::try_from(index).unwrap();
            return present.get(at).copied().unwrap_or(false).then(|| format!("{at},"));
        }
        match (expected(level - 1, index * 2, present), expected(level - 1, index * 2 + 1, present)) {
            (Some(left), Some(right)) => Some(format!("({left}{right})")),
            (left, right) => left.or(right),
        }
    }

    proptest! {
        #[test]
        fn arrival_and_grouping_do_not_show(
            present in prop::collection::vec(any::<bool>(), 0..40),
            seed in any::<u64>(),
            groups in 1usize..5,
        ) {
            let mut order: Vec<usize> = (0..present.len()).filter(|&b| present[b]).collect();
            order.sort_by_key(|&b| (b as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
            let parts: Vec<Tree<String>> = (0..groups).map(|_| Tree::default()).collect();
            for (at, &b) in order.iter().enumerate() {
                parts[at % groups].add(Key::block(b), format!("{b},"), combine).unwrap();
            }
            let whole = Tree::default();
            for (key, value) in parts.into_iter().flat_map(Tree::into_nodes) {
                whole.add(key, value, combine).unwrap();
            }
            let root = whole.finish(combine).unwrap().map(|(_, value)| value);
            prop_assert_eq!(root, expected(7, 0, &present));
        }
    }

    #[test]
    fn an_error_of_combine_is_handed_on() {
        let tree = Tree::default();
        tree.add(Key::block(0), 1, |_, _, _| Err("no")).unwrap();
        assert_eq!(tree.add(Key::block(1), 2, |_, _, _| Err("no")), Err("no"));
    }
}
