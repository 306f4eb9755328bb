//! Singular value decompositions: what runs over the row blocks, and what goes back to Python.

use ndarray::{Array2, ArrayViewMut2};
use numpy::{IntoPyArray, PyArray2, ToPyArray};
use pyo3::{prelude::*, types::PyDict};
use rayon::prelude::*;
use tomobasis_linalg::{
    BLOCK_ROWS, Bounds, Center, Centering, CertifiedSvd, Error, GramAccumulator, Projector, Rank,
    RealCentering, RealProjector, RealSvd, Rescale, certified_real_svd_centered, certified_svd,
    check_machine, dspca, dssvd, tsqr_qr, tsqr_svd,
};
use tomobasis_pipeline::{
    options::{self, Method, Sketching},
    progress::Progress as _,
    solve::digest::{BasisDigests, Digest, RootOf, root},
};

use crate::{
    count,
    failure::Failure,
    intake::with_values,
    matrix::{Reading, Values},
    running::{Watch, run},
};

/// A matrix that goes back.
type Floats<'py> = Bound<'py, PyArray2<f64>>;

/// What a method found.
struct Found {
    s: Vec<f64>,
    v: Array2<f64>,
    u: Array2<f64>,
    rank: usize,
    energy: f64,
    /// Of class `certified`.
    proof: Option<(Bounds, Vec<usize>)>,
}

/// `s`, `V` and `U` in class `certified`.
#[pyfunction]
#[pyo3(signature = (a, rank, center, threads, progress))]
pub(crate) fn svd<'py>(
    a: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = count::rank)] rank: Option<usize>,
    #[pyo3(from_py_with = count::center)] center: Option<String>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let center = center.as_deref().map(center_of).transpose()?;
    let method = Method::Gram { center };
    let rank = rank.map_or(Rank::Full, Rank::Columns);
    let center = center.map(Center::from);
    decompose(a, method, threads, progress, move |values, watch| match values.are_stored() {
        true => of_integers(values, rank, center, watch),
        false => of_floats(values, rank, center, watch),
    })
}

/// The whole SVD by QR along the tree.
#[pyfunction]
#[pyo3(signature = (a, rank, center, threads, progress))]
pub(crate) fn tsqr<'py>(
    a: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = count::rank)] rank: Option<usize>,
    #[pyo3(from_py_with = count::centered)] center: bool,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let rank = rank.map_or(Rank::Full, Rank::Columns);
    decompose(a, Method::Tsqr { center }, threads, progress, move |values, watch| {
        watch.begin("tsqr", values.blocks());
        let reading = Reading { values, watch };
        fixed(&reading, tsqr_svd(&reading, rank, center, rayon::current_num_threads())?)
    })
}

/// `Q` and `R`.
#[pyfunction]
#[pyo3(signature = (a, threads, progress))]
pub(crate) fn qr<'py>(
    a: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Floats<'py>, Floats<'py>)> {
    let py = a.py();
    let (q, r) = with_values(a, |values| {
        run(py, threads, progress, |watch| {
            check_machine()?;
            watch.begin("tsqr", values.blocks());
            let reading = Reading { values: &values, watch };
            let qr = tsqr_qr(&reading, rayon::current_num_threads())?;
            let q = in_blocks(&values, qr.r.nrows(), watch, |block, mut q| {
                q.assign(&qr.q(block, reading.block(block)?.view())?);
                Ok(())
            })?;
            Ok((q, qr.r))
        })
    })?;
    Ok((q.into_pyarray(py), r.into_pyarray(py)))
}

/// The leading singular triplets by a random sketch.
#[pyfunction]
#[pyo3(signature = (a, k, p, q, seed, center, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "those of the method")]
pub(crate) fn randomized_svd<'py>(
    a: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = count::k)] k: usize,
    #[pyo3(from_py_with = count::p)] p: Option<usize>,
    #[pyo3(from_py_with = count::q)] q: Option<usize>,
    #[pyo3(from_py_with = count::seed)] seed: u64,
    #[pyo3(from_py_with = count::centered)] center: bool,
    #[pyo3(from_py_with = count::threads)] threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let default = Sketching::default();
    let sketching = Sketching {
        oversample: p.unwrap_or(default.oversample),
        power_iterations: q.unwrap_or(default.power_iterations),
        seed,
        ..default
    };
    let (method, parameters) = match center {
        true => (Method::Dspca(sketching), sketching.of_rank(k)),
        false => (Method::Dssvd(sketching), sketching.of_rank(k)),
    };
    decompose(a, method, threads, progress, move |values, watch| {
        let passes = sketching.power_iterations.saturating_mul(2).saturating_add(3);
        watch.begin(method.name(), values.blocks().saturating_mul(passes));
        let reading = Reading { values, watch };
        let threads = rayon::current_num_threads();
        let svd = match center {
            true => dspca(&reading, &parameters, threads),
            false => dssvd(&reading, &parameters, threads),
        };
        // Here it has another name.
        let svd = svd.map_err(|error| match error {
            Failure::Linalg(error @ Error::RankRange { .. }) => {
                Failure::Argument(error.to_string().replacen("rank", "k", 1))
            }
            error => error,
        })?;
        fixed(&reading, svd)
    })
}

/// The means that `center` names, by the words for matrices.
pub(crate) fn center_of(name: &str) -> Result<options::Center, Failure> {
    match name {
        "rows" => Ok(options::Center::Pixels),
        "columns" => Ok(options::Center::Slices),
        "both" => Ok(options::Center::Both),
        _ => Err(Failure::Argument(format!(
            "center: {name:?} names no means; give \"rows\", \"columns\", \"both\" or None"
        ))),
    }
}

/// Runs a method on a matrix.
fn decompose<'py>(
    a: &Bound<'py, PyAny>,
    method: Method,
    threads: usize,
    progress: Option<Py<PyAny>>,
    solve: impl FnOnce(&Values<'_>, &Watch<'_>) -> Result<Found, Failure> + Send,
) -> PyResult<Bound<'py, PyDict>> {
    let py = a.py();
    let (found, digests) = with_values(a, |values| {
        run(py, threads, progress, |watch| {
            check_machine()?;
            values.check_magnitude(watch)?;
            let found = solve(&values, watch)?;
            let digests = digests(&values, method, &found, watch)?;
            Ok((found, digests))
        })
    })?;
    let out = PyDict::new(py);
    out.set_item("U", found.u.into_pyarray(py))?;
    out.set_item("s", found.s.to_pyarray(py))?;
    out.set_item("Vt", found.v.reversed_axes().into_pyarray(py))?;
    out.set_item("method", method.name())?;
    out.set_item("reproducibility", method.class())?;
    out.set_item("rank", found.rank)?;
    out.set_item("energy", found.energy)?;
    let of = PyDict::new(py);
    digests.iter().try_for_each(|(name, digest)| of.set_item(name, digest.to_string()))?;
    out.set_item("digests", of)?;
    if let Some((bounds, unresolved)) = found.proof {
        out.set_item("bounds", bounds_of(py, &bounds)?)?;
        out.set_item("unresolved", unresolved)?;
    }
    Ok(out)
}

/// The proven bounds, by their names in `manifest.json`.
pub(crate) fn bounds_of<'py>(py: Python<'py>, bounds: &Bounds) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(bounds).map_err(|error| Failure::Argument(error.to_string()))?;
    py.import("json")?.call_method1("loads", (text,))
}

/// The digests of docs/format.md.
type Digests = [(&'static str, Digest); 5];

fn digests(
    values: &Values<'_>,
    method: Method,
    found: &Found,
    watch: &Watch<'_>,
) -> Result<Digests, Failure> {
    let (rows, columns) = values.dim();
    let k = found.s.len();
    let of = RootOf {
        class: method.class(),
        method: method.name(),
        rows: rows as u64,
        columns,
        rank: k,
        parameters: method.lines(),
    };
    let u = found.u.as_slice().unwrap_or_default();
    let blocks = match k {
        0 => vec![Digest::of_f64(&[]); values.blocks()],
        _ => u.par_chunks(BLOCK_ROWS * k).map(Digest::of_f64).collect(),
    };
    let u = BasisDigests::new(blocks).map_or(Digest::of_f64(&[]), |u| u.root);
    let (pixels, s, v) = (values.digest(watch)?, Digest::of_f64(&found.s), matrix_digest(&found.v));
    let root = root(&of, &pixels, &s, &v, &u);
    Ok([("pixels", pixels), ("s", s), ("V", v), ("U", u), ("root", root)])
}

/// The digest of a matrix: its entries row by row.
pub(crate) fn matrix_digest(matrix: &Array2<f64>) -> Digest {
    let entries: Vec<f64> = matrix.iter().copied().collect();
    Digest::of_f64(&entries)
}

/// The exact sums of all row blocks, on the threads of the current pool.
pub(crate) fn sums(values: &Values<'_>, watch: &Watch<'_>) -> Result<GramAccumulator, Failure> {
    let columns = values.dim().1;
    let blocks = values.blocks();
    watch.begin("gram", blocks);
    if columns >= GramAccumulator::SHARED {
        let mut sums = GramAccumulator::new(columns)?;
        for block in 0..blocks {
            watch.check()?;
            values.add_to(&mut sums, block, true)?;
            watch.advance(1);
        }
        return Ok(sums);
    }
    // As few partial sums as keep the threads busy: each is n x n.
    let least = blocks.div_ceil(4 * rayon::current_num_threads());
    (0..blocks)
        .into_par_iter()
        .with_min_len(least)
        .try_fold(
            || None,
            |sums, block| {
                let mut sums = sums.map_or_else(|| GramAccumulator::new(columns), Ok)?;
                watch.check()?;
                values.add_to(&mut sums, block, false)?;
                watch.advance(1);
                Ok::<_, Failure>(Some(sums))
            },
        )
        .try_reduce(
            || None,
            |a, b| match (a, b) {
                (Some(mut a), Some(b)) => a.merge(&b).map(|()| Some(a)).map_err(Failure::from),
                (a, b) => Ok(a.or(b)),
            },
        )?
        .map_or_else(|| Ok(GramAccumulator::new(columns)?), Ok)
}

fn of_integers(
    values: &Values<'_>,
    rank: Rank,
    center: Option<Center>,
    watch: &Watch<'_>,
) -> Result<Found, Failure> {
    let sums = sums(values, watch)?;
    let gram = sums.finish_centered(&vec![Rescale::IDENTITY; values.dim().1], center)?;
    watch.check()?;
    watch.begin("decompose", 1);
    let svd = certified_svd(&gram, rank, rayon::current_num_threads())?;
    watch.advance(1);
    let centering = center.map(|center| sums.centering(center));
    let u = project(values, &svd, centering.as_ref(), watch)?;
    Ok(certified(svd, u))
}

/// `U` of integers.
pub(crate) fn project(
    values: &Values<'_>,
    svd: &CertifiedSvd,
    centering: Option<&Centering>,
    watch: &Watch<'_>,
) -> Result<Array2<f64>, Failure> {
    // Sums are of the values, and what is projected lacks the offset.
    let centering = centering.map(|centering| {
        let lacking = i128::from(values.offset()) * i128::from(centering.rows);
        Centering { sums: centering.sums.iter().map(|sum| sum - lacking).collect(), ..centering.clone() }
    });
    let projector = Projector::centered(svd, &values.rescales(), centering.as_ref())?;
    in_blocks(values, svd.s.len(), watch, |block, mut u| {
        let mut buffer = Vec::new();
        let t = projector.project(values.stored(block, &mut buffer)?)?;
        Ok(projector.basis_into(t.view(), u.view_mut())?)
    })
}

/// `U` of floats.
pub(crate) fn project_floats(
    values: &Values<'_>,
    svd: &CertifiedSvd,
    centering: Option<&RealCentering>,
    watch: &Watch<'_>,
) -> Result<Array2<f64>, Failure> {
    let projector = RealProjector::centered(svd, svd.v.nrows(), centering)?;
    in_blocks(values, svd.s.len(), watch, |block, mut u| {
        u.assign(&projector.basis(values.floats(block)?.view())?);
        Ok(())
    })
}

fn of_floats(
    values: &Values<'_>,
    rank: Rank,
    center: Option<Center>,
    watch: &Watch<'_>,
) -> Result<Found, Failure> {
    watch.begin("gram", values.blocks() * 2);
    let reading = Reading { values, watch };
    let found = certified_real_svd_centered(&reading, rank, center, rayon::current_num_threads())?;
    let u = in_blocks(values, found.svd.s.len(), watch, |block, mut u| {
        u.assign(&found.basis(reading.block(block)?.view())?);
        Ok(())
    })?;
    Ok(certified(found.svd, u))
}

fn certified(svd: CertifiedSvd, u: Array2<f64>) -> Found {
    let CertifiedSvd { s, v, rank, unresolved, bounds, energy, .. } = svd;
    Found { s, v, u, rank, energy, proof: Some((bounds, unresolved)) }
}

fn fixed(reading: &Reading<'_, '_, '_>, svd: RealSvd) -> Result<Found, Failure> {
    let u = in_blocks(reading.values, svd.s.len(), reading.watch, |block, mut u| {
        u.assign(&svd.basis(block, reading.block(block)?.view())?);
        Ok(())
    })?;
    let RealSvd { s, v, rank, energy, .. } = svd;
    Ok(Found { s, v, u, rank, energy, proof: None })
}

/// A matrix of as many rows, whose row blocks `fill` fills, on the threads of the current pool.
fn in_blocks(
    values: &Values<'_>,
    k: usize,
    watch: &Watch<'_>,
    fill: impl Fn(usize, ArrayViewMut2<'_, f64>) -> Result<(), Failure> + Sync,
) -> Result<Array2<f64>, Failure> {
    let rows = values.dim().0;
    let mut out = Array2::zeros((rows, k));
    if k > 0 {
        watch.begin("basis", values.blocks());
        let mut chunks: Vec<_> = out.axis_chunks_iter_mut(ndarray::Axis(0), BLOCK_ROWS).enumerate().collect();
        chunks.par_iter_mut().try_for_each(|(block, chunk)| {
            watch.check()?;
            fill(*block, chunk.view_mut())?;
            watch.advance(1);
            Ok::<_, Failure>(())
        })?;
    }
    Ok(out)
}
