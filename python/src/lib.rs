//! The native module of the Python package `tomobasis`: NumPy arrays to the kernels of `native/`, and results back.
//!
//! | file | what |
//! |---|---|
//! | `failure` | what can end a call, as the package's exceptions |
//! | `running` | a call on threads of its own: the GIL is released, Ctrl-C stops it, progress is shown |
//! | `count` | arguments that count something |
//! | `intake` | an array of any type, layout and order of bytes as a matrix of the kernels |
//! | `matrix` | that matrix: its row blocks, the digest of its numbers |
//! | `factors` | `svd`, `tsqr`, `qr`, `randomized_svd` |
//! | `sums` | `gram`, `GramState` and `GramFactors` |
//! | `floats` | `FloatRanges` and `FloatGramState`: the same of floats |
//! | `folders` | the manifest and the tables of a folder, against its digests |
//! | `scans` | `inspect`, `read`, `decompose`, `denoise` and `verify`: the commands |
//! | `series` | series whose slices the tasks of an engine share |
//! | `solved` | what the row blocks of such a series become |
//! | `gathered` | a result folder of what the tasks made |
//! | `sealed` | bytes that tell when they are damaged |
//!
//! No arithmetic, option or rule is written here. The Python side of the package (`tomobasis/*.py`) has the signatures, the
//! documentation and what needs other Python libraries.

mod count;
mod factors;
mod failure;
mod floats;
mod folders;
mod gathered;
mod intake;
mod matrix;
mod running;
mod scans;
mod sealed;
mod series;
mod solved;
mod sums;

use pyo3::prelude::*;

/// The module `tomobasis._native`.
#[pymodule(name = "_native")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    #[cfg(feature = "abort-on-panic")]
    {
        std::panic::set_hook(Box::new(|panic| {
            eprintln!("{panic}");
            std::process::abort();
        }));
        module.add_function(wrap_pyfunction!(panics, module)?)?;
    }
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("BLOCK_ROWS", tomobasis_linalg::BLOCK_ROWS)?;
    module.add_function(wrap_pyfunction!(failure::argument_names, module)?)?;
    module.add_function(wrap_pyfunction!(factors::svd, module)?)?;
    module.add_function(wrap_pyfunction!(factors::tsqr, module)?)?;
    module.add_function(wrap_pyfunction!(factors::qr, module)?)?;
    module.add_function(wrap_pyfunction!(factors::randomized_svd, module)?)?;
    module.add_function(wrap_pyfunction!(sums::gram, module)?)?;
    module.add_function(wrap_pyfunction!(scans::inspect, module)?)?;
    module.add_function(wrap_pyfunction!(scans::read, module)?)?;
    module.add_function(wrap_pyfunction!(scans::decompose, module)?)?;
    module.add_function(wrap_pyfunction!(scans::verify, module)?)?;
    module.add_function(wrap_pyfunction!(folders::local_folder, module)?)?;
    module.add_function(wrap_pyfunction!(folders::manifest, module)?)?;
    module.add_function(wrap_pyfunction!(folders::stored_factors, module)?)?;
    module.add_function(wrap_pyfunction!(folders::stored_basis, module)?)?;
    module.add_function(wrap_pyfunction!(scans::denoise, module)?)?;
    module.add_function(wrap_pyfunction!(scans::denoise_series, module)?)?;
    module.add_function(wrap_pyfunction!(scans::means, module)?)?;
    module.add_function(wrap_pyfunction!(series::plans, module)?)?;
    module.add_function(wrap_pyfunction!(series::slice_rows, module)?)?;
    module.add_function(wrap_pyfunction!(series::slices, module)?)?;
    module.add_function(wrap_pyfunction!(series::task_options, module)?)?;
    module.add_class::<solved::Solved>()?;
    module.add_class::<solved::Passes>()?;
    module.add_class::<solved::PartialPass>()?;
    module.add_class::<gathered::GatheredFolder>()?;
    module.add_class::<sums::GramState>()?;
    module.add_class::<floats::FloatRanges>()?;
    module.add_class::<floats::FloatGramState>()?;
    module.add_class::<sums::GramFactors>()
}

/// Panics, so that a test sees what a build with this feature does then.
#[cfg(feature = "abort-on-panic")]
#[pyfunction]
#[expect(clippy::panic, reason = "what the feature is tested with")]
fn panics() {
    panic!("asked for");
}
