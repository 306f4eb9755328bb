//! One pass over the row blocks: what it needs, and what it finds. This part runs wherever a block is.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::product::Left;
use super::projection::Projection;
use super::scale::Scaled;
use super::source::Size;
use super::tree::{Key, Tree};
use super::tsqr::{self, TsqrNode};
use crate::Error;
use crate::bytes::{Reader, checked_when_read};

/// First bytes of the serialized form of [`Partials`].
const MAGIC: &[u8; 8] = b"TBpart1\n";

/// What one pass computes of each row block of a matrix: all that is needed besides the block's values.
///
/// A pass for the range needs at most n x (k + p) numbers; one for the projection (k + p) x (k + p) more for
/// each block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Pass {
    pub(super) size: Size,
    pub(super) center: bool,
    pub(super) kind: PassKind,
}

checked_when_read!(Pass);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum PassKind {
    /// `Q R = A W`, or `Q R = A` where there is no `W` (n x l).
    Range { w: Option<Matrix> },
    /// `B = Q^T A`, where the rows of `Q` in block `b` are the block's own `Q_b` times `coefficients[b]`.
    Projection { w: Matrix, coefficients: Vec<Matrix> },
}

/// What a pass finds in one row block, or in an aligned range of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Partial {
    pub(super) key: Key,
    pub(super) value: PartialValue,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum PartialValue {
    Node(TsqrNode),
    Projection(Projection),
}

impl Pass {
    /// Columns of the matrix, n.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.size.columns
    }

    /// Row blocks of the matrix.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.size.blocks
    }

    /// Rows of block `block`; zero beyond the last.
    #[must_use]
    pub fn rows_of(&self, block: usize) -> usize {
        self.size.rows_of(block)
    }

    /// What the pass finds in a row block, rows x n. On the calling thread; the bits depend on nothing else.
    ///
    /// # Errors
    /// [`Error::Block`] for a block that does not exist; [`Error::Rows`] and [`Error::Columns`] for a wrong shape;
    /// [`Error::NotFiniteValue`] for NaN or infinity.
    pub fn block(&self, block: usize, values: ArrayView2<f64>) -> Result<Partial, Error> {
        if block >= self.size.blocks {
            return Err(Error::Block { block, blocks: self.size.blocks });
        }
        let a = self.size.scaled(block, values, self.center)?;
        let value = match &self.kind {
            // Step 3 of tsqr: Q R = A.
            PassKind::Range { w: None } => PartialValue::Node(tsqr::leaf(a).1),
            // Steps 2a and 3: Q R = Y, Y = A W (rows x l).
            PassKind::Range { w: Some(w) } => PartialValue::Node(tsqr::leaf(sketched(&a, w)).1),
            // Step 2b: the block's term of B^T = A^T Q (n x l). Its rows of Q come from the factors of step 2a, computed again.
            PassKind::Projection { w, coefficients } => {
                let q = tsqr::leaf(sketched(&a, w)).0.apply(&coefficients[block]);
                PartialValue::Projection(Projection::of_block(&a, &q))
            }
        };
        Ok(Partial { key: Key::block(block), value })
    }

    /// Refuses parts that do not fit each other.
    fn check(&self) -> Result<(), Error> {
        let Size { columns, blocks, .. } = self.size;
        let fits = match &self.kind {
            PassKind::Range { w } => w.as_ref().is_none_or(|w| w.rows() == columns),
            PassKind::Projection { w, coefficients } => {
                let l = w.columns();
                let shape = |b| (self.size.rows_of(b).min(l), l);
                w.rows() == columns
                    && coefficients.len() == blocks
                    && coefficients.iter().enumerate().all(|(b, c)| (c.rows(), c.columns()) == shape(b))
            }
        };
        if fits { Ok(()) } else { Err(Error::Bytes { what: "a pass", why: "parts of different shapes" }) }
    }

    /// Whether something of these blocks can have been found by this pass.
    pub(super) fn fits(&self, value: &PartialValue, blocks: &Range<usize>) -> bool {
        match (&self.kind, value) {
            (PassKind::Range { w }, PartialValue::Node(node)) => {
                let columns = w.as_ref().map_or(self.size.columns, Matrix::columns);
                let rows = self.size.rows_of(blocks.start).min(columns);
                blocks.len() == 1 && (node.rows(), node.columns()) == (rows, columns)
            }
            (PassKind::Projection { w, .. }, PartialValue::Projection(sum)) => {
                sum.shape() == (self.size.columns, w.columns())
            }
            _ => false,
        }
    }
}

/// `A W` of a block.
pub(super) fn sketched(block: &Scaled, w: &Matrix) -> Scaled {
    Scaled { exponent: block.exponent, matrix: Left::of(&block.matrix).times(w) }
}

/// What a pass finds in several row blocks, for one message from where they are to where the matrix is put
/// together.
///
/// Projections are added along the canonical tree, as far as aligned ranges are complete. Nodes of the range
/// are not combined: on the way back down the tree the internal nodes are needed, and whoever is to go that way
/// must have them.
#[derive(Debug, Default)]
pub struct Partials {
    nodes: BTreeMap<Key, TsqrNode>,
    sums: Tree<Projection>,
}

impl Partials {
    /// Adds what was found in one block.
    ///
    /// # Errors
    /// [`Error::Columns`] when its columns are not those of the others.
    pub fn add(&mut self, Partial { key, value }: Partial) -> Result<(), Error> {
        match value {
            PartialValue::Node(node) => {
                self.nodes.insert(key, node);
                Ok(())
            }
            PartialValue::Projection(sum) => self.sums.add(key, sum, plus),
        }
    }

    /// A self-contained byte string: of each part `level`, `index` and the number of words (u64) of what
    /// follows, the serialized node or projection; little-endian.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let nodes = self.nodes.into_iter().map(|(key, node)| (key, node.to_bytes()));
        let sums = self.sums.into_nodes().into_iter().map(|(key, sum)| (key, sum.to_bytes()));
        let mut bytes = MAGIC.to_vec();
        for (key, body) in nodes.chain(sums) {
            for word in [u64::from(key.level), key.index, (body.len() / 8) as u64] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            bytes.extend_from_slice(&body);
        }
        bytes
    }

    /// The parts of what [`into_bytes`](Self::into_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else.
    pub fn parts(bytes: &[u8]) -> Result<Vec<Partial>, Error> {
        let mut reader = Reader::new(bytes, MAGIC, "the partial results of a pass")?;
        let mut parts = Vec::new();
        while reader.len() > 0 {
            let level = u32::try_from(reader.u64()?).map_err(|_| reader.wrong("a level out of range"))?;
            let key = Key { level, index: reader.u64()? };
            let count = reader.size()?.checked_mul(8).ok_or_else(|| reader.wrong("a size out of range"))?;
            let body = reader.bytes(count)?;
            let value = match TsqrNode::is_first_of(body) {
                true => PartialValue::Node(TsqrNode::from_bytes(body)?),
                false => PartialValue::Projection(Projection::from_bytes(body)?),
            };
            parts.push(Partial { key, value });
        }
        Ok(parts)
    }
}

/// The sum of two halves of a range of blocks.
pub(super) fn plus(_: Key, left: Projection, right: Projection) -> Result<Projection, Error> {
    let ((_, expected), (_, actual)) = (left.shape(), right.shape());
    if left.shape() == right.shape() {
        Ok(left.plus(right))
    } else {
        Err(Error::Columns { expected, actual })
    }
}
