use super::*;
use crate::real::random::{noise, signs};
use ndarray::array;
use proptest::prelude::*;

fn nodes(heights: &[usize], columns: usize) -> Vec<TsqrNode> {
    let block = |(b, &rows): (usize, &usize)| {
        TsqrNode::of_block(noise(b as u64, columns, rows).to_array().t()).unwrap()
    };
    heights.iter().enumerate().map(block).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_arrival_order_gives_the_same_bits_through_bytes_too(
        heights in prop::collection::vec(1usize..30, 1..12), columns in 1usize..20, shift in any::<u64>(),
    ) {
        let combine = |_: Key, left: TsqrNode, right: TsqrNode| left.combine(right);
        let root = |order: &[usize], bytes: bool| {
            let tree = Tree::default();
            let nodes = nodes(&heights, columns);
            for &b in order {
                let node = nodes[b].clone();
                let node = if bytes { TsqrNode::from_bytes(&node.to_bytes()).unwrap() } else { node };
                tree.add(Key::block(b), node, combine).unwrap();
            }
            tree.finish(combine).unwrap().unwrap().1
        };
        let ascending: Vec<usize> = (0..heights.len()).collect();
        let mut other = ascending.clone();
        other.sort_by_key(|&b| (b as u64 + 1).wrapping_mul(shift | 1).rotate_left(23));
        let node = root(&ascending, false);
        prop_assert_eq!(&root(&other, true), &node);
        prop_assert_eq!(node.rows(), heights.iter().sum::<usize>().min(columns));
    }

    #[test]
    fn bytes_of_anything_else_are_refused(
        mut bytes in prop::collection::vec(any::<u8>(), 0..80),
        keep in any::<bool>(),
    ) {
        let good = nodes(&[3], 2).remove(0).to_bytes();
        if keep {
            bytes.splice(0..0, good.iter().copied().take(8));
        }
        prop_assert!(TsqrNode::from_bytes(&bytes).is_err() || bytes[24..32] == [0; 8] || bytes.len() > 32);
        let last = good.len() - 1;
        prop_assert!(TsqrNode::from_bytes(&good[..last]).is_err());
    }
}

#[test]
fn nodes_of_different_columns_and_bad_values_are_typed_errors() {
    let [a, b] = [nodes(&[5], 2).remove(0), nodes(&[5], 3).remove(0)];
    assert_eq!(a.combine(b), Err(Error::Columns { expected: 2, actual: 3 }));
    let values = array![[1.0, 3.0], [2.0, f64::NAN]];
    assert_eq!(TsqrNode::of_block(values.view()), Err(Error::NotFiniteValue { row: 1, column: 1 }));
}

#[test]
fn r_has_the_gram_matrix_of_the_rows() {
    let (rows, columns) = (50, 4);
    let values = signs(9, columns, rows).to_array().reversed_axes();
    let node = TsqrNode::of_block(values.view()).unwrap();
    let r = node.r();
    for a in 0..columns {
        for b in 0..columns {
            let gram: f64 = (0..rows).map(|i| values[[i, a]] * values[[i, b]]).sum();
            let ours: f64 = (0..columns).map(|i| r[[i, a]] * r[[i, b]]).sum();
            assert!((gram - ours).abs() < 1e-12, "{gram} {ours}");
        }
    }
}
