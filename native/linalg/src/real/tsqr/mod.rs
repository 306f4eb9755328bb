//! QR of a tall matrix along the canonical tree.
//!
//! A. R. Benson, D. F. Gleich and J. Demmel (2013), "Direct QR factorizations for tall-and-skinny matrices in
//! MapReduce architectures"; J. Demmel, L. Grigori, M. Hoemmen and J. Langou (2012), "Communication-optimal
//! parallel and sequential QR and LU factorizations".
//!
//! Each row block is factored, then the `R` factors of two halves are stacked and factored, up the [`Tree`].
//! `Q` is never formed: applied to the root's coefficients, the tree's factors give each block its
//! coefficients ([`Reduced::coefficients`]), and the block's own factor, computed again from its values,
//! turns those into its rows of `Q` times the root's. So nothing of the matrix's size is kept: only the inner
//! nodes' factors, 2n x n each.
//!
//! The rows of the two `R`s are stacked in turn (row 0 of the left, row 0 of the right, row 1 of the left,
//! ..): column `j` then ends at row `2j + 1`, and a node costs a fifth of a dense factorization.

mod node;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::matrix::Matrix;
use super::qr::Qr;
use super::scale::Scaled;
use super::tree::{Key, Tree};
use crate::Error;
use node::InternalNode;
pub use node::TsqrNode;

/// The factorizations of nodes that were combined, by the node that they gave.
type InternalNodes = Mutex<BTreeMap<Key, InternalNode>>;

/// Nodes of blocks on their way up the tree; they come from any thread, in any order.
#[derive(Default)]
pub(super) struct Reduction {
    tree: Tree<TsqrNode>,
    internal: InternalNodes,
}

/// A matrix reduced to its `R`, and what is needed to go back.
pub(super) struct Reduced {
    /// `R` of the whole matrix.
    pub root: Scaled,
    /// The matrix's largest entry in magnitude, before means were removed, is below `2^magnitude`.
    pub magnitude: i32,
    top: Key,
    internal: BTreeMap<Key, InternalNode>,
}

/// The factorization of one block's values. The block's exponent is still that of the values before means were removed.
pub(super) fn leaf(block: Scaled) -> (Qr, TsqrNode) {
    let magnitude = block.exponent;
    let Scaled { exponent, matrix } = Scaled::new(block.matrix, block.exponent);
    let qr = Qr::new(matrix, super::qr::Shape::Dense);
    let node = TsqrNode::new(Scaled { exponent, matrix: qr.r() }, magnitude);
    (qr, node)
}

impl Reduction {
    /// Adds the node of a block and combines what has become complete.
    ///
    /// # Errors
    /// [`Error::Columns`] when its columns are not those of the others.
    pub fn add(&self, block: usize, node: TsqrNode) -> Result<(), Error> {
        self.tree.add(Key::block(block), node, keeping(&self.internal))
    }

    /// The matrix whose blocks were added, from block 0 on without a gap; None when there were none.
    ///
    /// # Errors
    /// As for [`add`](Self::add).
    pub fn finish(self) -> Result<Option<Reduced>, Error> {
        let Self { tree, internal } = self;
        let root = tree.finish(keeping(&internal))?;
        let internal = internal.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(root.map(|(top, node)| {
            let (root, magnitude) = node.into_parts();
            Reduced { root, magnitude, top, internal }
        }))
    }
}

/// Combines two nodes and keeps their factorization.
fn keeping(internal: &InternalNodes) -> impl Fn(Key, TsqrNode, TsqrNode) -> Result<TsqrNode, Error> {
    move |key, left, right| {
        let (node, internal_node) = left.join(right)?;
        internal.lock().unwrap_or_else(PoisonError::into_inner).insert(key, internal_node);
        Ok(node)
    }
}

impl Reduced {
    /// For each block, the coefficients `C_b` such that block `b` of `Q C` is the block's own `Q_b C_b`; `c`
    /// has as many rows as the root. On the current thread pool.
    pub fn coefficients(&self, c: Matrix) -> Vec<Matrix> {
        let mut level = vec![(self.top, c)];
        while level.first().is_some_and(|(key, _)| key.level > 0) {
            let halves = level.into_par_iter().flat_map_iter(|(key, c)| {
                let [left, right] = key.children();
                match self.internal.get(&key) {
                    Some(node) => {
                        let (a, b) = node.apply(&c);
                        vec![(left, a), (right, b)]
                    }
                    // One half holds no block: with blocks numbered from zero, always the upper.
                    None => vec![(left, c)],
                }
            });
            level = halves.collect();
        }
        level.into_iter().map(|(_, c)| c).collect()
    }
}

#[cfg(test)]
mod tests;
