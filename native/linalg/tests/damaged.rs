//! Serialized forms with each byte changed and each length cut: they are refused, or what is read from them does its work.

use ndarray::{Array2, array, s};
use serde::{Serialize, de::DeserializeOwned};
use tomobasis_linalg::{
    CertifiedSvd, Error, GramAccumulator, GramPart, Partial, Partials, Pass, Projector, Randomized, Rank,
    RealPasses, RealSvd, Rescale, TsqrNode, certified_svd, dssvd, tsqr_svd,
};

/// What `bytes` become by one change each, and the place of it.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    let change = |at: usize| {
        let values = [0, 0x3f, 0x7f, 0x80, 0xc0, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x80];
        values.map(|value| {
            let mut changed = bytes.to_vec();
            changed[at] = value;
            (at, changed)
        })
    };
    (0..bytes.len()).flat_map(change).filter(move |(_, changed)| changed != bytes)
}

/// Lets `work` do what a value is for with each that can be read from damaged bytes.
fn each_that_is_read<T: Serialize + DeserializeOwned>(value: &T, mut work: impl FnMut(&T)) {
    let bytes = rmp_serde::to_vec(value).unwrap();
    for length in 0..bytes.len() {
        assert!(rmp_serde::from_slice::<T>(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
    let mut refused = 0;
    for (_, bytes) in damaged(&bytes) {
        match rmp_serde::from_slice(&bytes) {
            Ok(value) => work(&value),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > bytes.len() / 2, "{refused}");
}

fn matrix() -> Array2<f64> {
    Array2::from_shape_fn((7, 3), |(i, j)| ((i * i + 3 * j) % 11) as f64 - 4.0)
}

fn sketch() -> Randomized {
    Randomized { oversample: 0, power_iterations: 0, ..Randomized::new(2) }
}

/// A decomposition at its first pass, at its second, and one by TSQR.
fn under_way(which: usize) -> RealPasses {
    if which == 2 {
        return RealPasses::tsqr(7, 3, Rank::Full, false).unwrap();
    }
    let mut passes = RealPasses::randomized(7, 3, &sketch(), true).unwrap();
    for _ in 0..which {
        passes.add(partial(&passes)).unwrap();
        passes.advance().unwrap();
    }
    passes
}

fn partial(passes: &RealPasses) -> Partial {
    passes.pass().unwrap().block(0, matrix().view()).unwrap()
}

#[test]
fn a_pass_is_refused_or_gives_a_partial_result_or_a_typed_error() {
    let a = matrix();
    for which in 0..3 {
        each_that_is_read(under_way(which).pass().unwrap(), |pass: &Pass| {
            let result = pass.block(0, a.view());
            assert!(matches!(
                result,
                Ok(_) | Err(Error::Rows { .. } | Error::Columns { .. } | Error::Block { .. })
            ));
        });
    }
}

#[test]
fn a_decomposition_is_refused_or_gives_its_basis_or_a_typed_error() {
    let a = matrix();
    for svd in [tsqr_svd(&a, Rank::Full, true, 1).unwrap(), dssvd(&a, &sketch(), 1).unwrap()] {
        each_that_is_read(&svd, |svd: &RealSvd| {
            if let Ok(u) = svd.basis(0, a.view()) {
                assert_eq!(u.dim(), (7, svd.s.len()));
            }
            let _ = (svd.row_means(0, a.view()), svd.clone().leading(1));
        });
    }
}

#[test]
fn a_certified_decomposition_is_refused_or_projects() {
    let a = array![[3i16, 1, -7], [5, 2, 0], [4, 4, 9], [-2, 30, 6]];
    let rescales = [Rescale::IDENTITY; 3];
    let mut sums = GramAccumulator::new(3).unwrap();
    sums.add(a.view()).unwrap();
    let svd = certified_svd(&sums.finish(&rescales).unwrap(), Rank::Full, 1).unwrap();
    each_that_is_read(&svd, |svd: &CertifiedSvd| {
        let leading = svd.clone().leading(2);
        for svd in [svd, &leading] {
            if let Ok(projector) = Projector::new(svd, &rescales) {
                let t = projector.project(a.view()).unwrap();
                assert_eq!(projector.basis(t.view()).unwrap().dim(), (4, svd.s.len()));
            }
        }
    });
}

#[test]
fn sums_are_refused_or_decomposed_or_a_typed_error() {
    let a = array![[3i16, 1], [5, 2], [-30_000, 4]];
    let mut sums = GramAccumulator::new(2).unwrap();
    sums.add(a.view()).unwrap();
    let bytes = sums.to_bytes();
    for length in 0..bytes.len() {
        assert!(
            matches!(GramAccumulator::from_bytes(&bytes[..length]), Err(Error::Bytes { .. })),
            "{length}"
        );
    }
    for (at, bytes) in damaged(&bytes) {
        match GramAccumulator::from_bytes(&bytes) {
            Ok(sums) => {
                // What no matrix has may be sums all the same: then it is decomposed or not proven.
                let gram = sums.finish(&vec![Rescale::IDENTITY; sums.columns()]).unwrap();
                let _ = certified_svd(&gram, Rank::Full, 1);
            }
            Err(error) => {
                assert!(matches!(error, Error::Bytes { .. } | Error::TooManyRows { .. }), "{at}: {error}")
            }
        }
        if let Ok(mut part) = GramPart::from_bytes(&bytes) {
            let _ = part.merge(&sums.part(0, 1));
        }
    }
}

#[test]
fn partial_results_are_refused_or_added_or_a_typed_error() {
    for which in 0..3 {
        let mut partials = Partials::default();
        partials.add(partial(&under_way(which))).unwrap();
        let bytes = partials.into_bytes();
        for length in 9..bytes.len() {
            assert!(matches!(Partials::parts(&bytes[..length]), Err(Error::Bytes { .. })), "{length}");
        }
        for (at, bytes) in damaged(&bytes) {
            let Ok(parts) = Partials::parts(&bytes) else { continue };
            let mut passes = under_way(which);
            let added = parts.into_iter().try_for_each(|part| passes.add(part));
            assert!(
                matches!(added, Ok(()) | Err(Error::Partial { .. } | Error::Block { .. })),
                "{at}: {added:?}"
            );
            if passes.advance().is_ok() && passes.left() == 0 {
                passes.finish().unwrap();
            }
        }
    }
}

#[test]
fn nodes_are_refused_or_combined() {
    let a = matrix();
    let node = TsqrNode::of_block(a.view()).unwrap();
    let bytes = node.to_bytes();
    for length in 0..bytes.len() {
        assert!(matches!(TsqrNode::from_bytes(&bytes[..length]), Err(Error::Bytes { .. })), "{length}");
    }
    for (_, bytes) in damaged(&bytes) {
        if let Ok(other) = TsqrNode::from_bytes(&bytes) {
            let both = other.combine(TsqrNode::of_block(a.slice(s![..2, ..])).unwrap()).unwrap();
            assert_eq!(both.r().dim(), (3, 3));
        }
    }
}
