//! What can be wrong with the arguments of this crate, and what the caller can do about it.

/// An argument that the kernels refuse, or a result that IEEE double precision can't hold.
#[derive(Debug, thiserror::Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A buffer's length is not rows x columns.
    #[error("a block of {rows} rows x {columns} columns has {} values, not {actual}", rows * columns)]
    Shape {
        /// Rows that the caller named.
        rows: usize,
        /// Columns that the caller named.
        columns: usize,
        /// Values that it gave.
        actual: usize,
    },
    /// Two operands disagree about the number of columns.
    #[error("expected {expected} columns, got {actual}")]
    Columns {
        /// Columns of the accumulator or the matrix.
        expected: usize,
        /// Columns of what was added.
        actual: usize,
    },
    /// A matrix without columns, or with more than the method takes.
    #[error("a matrix needs 1 to {limit} columns, not {actual}; use a method that needs no n x n matrix")]
    ColumnCount {
        /// The documented ceiling.
        limit: usize,
        /// Columns asked for.
        actual: usize,
    },
    /// A block of more or fewer rows than the matrix has there.
    #[error("expected a block of {expected} rows, got {actual}")]
    Rows {
        /// Rows of the matrix's block.
        expected: usize,
        /// Rows of what was given.
        actual: usize,
    },
    /// An array of another shape than the others ask for.
    #[error("expected an array of {}, got {}", sizes(expected), sizes(actual))]
    Dimensions {
        /// Its sizes, as they should be.
        expected: Vec<usize>,
        /// As they are.
        actual: Vec<usize>,
    },
    /// A block with more rows than the kernels' 64-bit sums are made for.
    #[error("a block may have at most {limit} rows, not {actual}; divide it into smaller ones")]
    BlockRows {
        /// The ceiling.
        limit: usize,
        /// Rows of the block.
        actual: usize,
    },
    /// More rows than exact sums can hold.
    #[error("more than {limit} rows: exact sums in 128 bits could overflow")]
    TooManyRows {
        /// The ceiling.
        limit: u64,
    },
    /// A slope or intercept that is no finite number, or a slope of zero.
    #[error(
        "column {}: slope {slope} and intercept {intercept} must be finite and the slope not zero",
        column + 1
    )]
    Rescale {
        /// Column index.
        column: usize,
        /// The offending slope.
        slope: f64,
        /// The offending intercept.
        intercept: f64,
    },
    /// Slopes and intercepts of such different scale that the exact Gram matrix would be absurdly wide.
    #[error(
        "slopes and intercepts span 2^{bits}, more than 2^{limit}: there is no exact Gram matrix of such columns"
    )]
    RescaleRange {
        /// Bits that the exact integers would need.
        bits: u64,
        /// The ceiling.
        limit: u64,
    },
    /// Slopes and intercepts of such different scale, or so many entries, that centered entries can't be computed exactly.
    #[error("slopes, intercepts and means need {bits} bits, more than {limit}, for exact centered entries")]
    CenteringRange {
        /// Bits that the exact integers would need.
        bits: u64,
        /// The ceiling.
        limit: u64,
    },
    /// An exact Gram matrix too wide for the refinement's widest numbers.
    #[error(
        "the exact Gram matrix has {bits} bits, too many to refine its singular vectors; rescale the matrix"
    )]
    GramRange {
        /// Bits of its largest entry.
        bits: u32,
    },
    /// Floats of such different magnitude that their exact products would be absurdly wide.
    #[error(
        "column {}: its values span {bits} binary digits, more than {limit}, too many for an exact Gram matrix; \
         round small values to zero, or use tsqr",
        column + 1
    )]
    RealRange {
        /// Column index.
        column: usize,
        /// Bits from the lowest of any value to the highest.
        bits: u64,
        /// The ceiling.
        limit: u64,
    },
    /// A column of floats so much smaller than another that their exact products would be absurdly wide.
    #[error(
        "column {}: its lowest digit is {bits} binary digits below the highest of the matrix, more than {limit}, too \
         many for an exact Gram matrix; scale the column, or use tsqr",
        column + 1
    )]
    RealSpan {
        /// Column index.
        column: usize,
        /// Bits from its lowest to the highest of all columns.
        bits: u64,
        /// The ceiling.
        limit: u64,
    },
    /// Floats whose energy, the sum of their squares, overflows or loses digits to underflow.
    #[error(
        "the largest magnitude of the matrix is {largest:e}{}, and energies, which are sums of squares, need it to be from \
         2^-{exponent} to below 2^{exponent} ({:.1e} and {:.1e}); scale the matrix",
        if *or_more { " or more" } else { "" },
        2f64.powi(-exponent),
        2f64.powi(*exponent)
    )]
    Magnitude {
        /// The largest magnitude.
        largest: f64,
        /// Whether only the power of two at or below it is known.
        or_more: bool,
        /// Powers of two that bound it.
        exponent: i32,
    },
    /// A value that the ranges given for its column do not cover.
    #[error("row {} of column {} is outside the range of this matrix", row + 1, column + 1)]
    OutsideRange {
        /// Row index in the block.
        row: u64,
        /// Column index.
        column: usize,
    },
    /// Sums for other ranges of values, or of more rows than the ranges cover.
    #[error("exact sums of floats need the ranges of all rows, and the same ones everywhere")]
    Ranges,
    /// Factors that are no numbers.
    #[error(
        "singular vectors must be finite, and singular values finite and not zero; take them from a decomposition"
    )]
    NotFinite,
    /// A rank outside 1..=n.
    #[error("rank {rank} is outside 1 to {columns}, the number of columns")]
    RankRange {
        /// The rank asked for.
        rank: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// Serialized bytes that this version did not write.
    #[error("not the bytes of {what}: {why}")]
    Bytes {
        /// The type that was expected.
        what: &'static str,
        /// What does not fit.
        why: &'static str,
    },
    /// Sums that no rows have.
    #[error(
        "the state's sums are those of no rows ({why}): it was changed, or made by other means; make it again from the rows"
    )]
    Impossible {
        /// What shows it.
        why: &'static str,
    },
    /// Numbers that do not agree with what was found of them another way.
    #[error(
        "{what} are not what they were: memory, a processor, a disk or the network changed them; run again, and \
         without this machine if it happens again"
    )]
    Damaged {
        /// The numbers.
        what: &'static str,
    },
    /// A singular value that overflows or underflows the normal range of f64.
    #[error("singular value {} is outside the range of double precision; rescale the matrix", column + 1)]
    SingularValueRange {
        /// Column index.
        column: usize,
    },
    /// Something that would have to be proven for a certified result, and could not be with the widest numbers.
    #[error("not published, because it could not be proven: {what}")]
    Unproven {
        /// What is not proven.
        what: String,
    },
    /// The eigensolver that provides the start did not converge.
    #[error("the starting eigensolver did not converge for a {columns} x {columns} matrix")]
    NoStart {
        /// Matrix order.
        columns: usize,
    },
    /// NaN or infinity among the values.
    #[error("row {}, column {} is no finite number; replace NaN and infinity first", row + 1, column + 1)]
    NotFiniteValue {
        /// Row index in the matrix (in the block, for a block alone).
        row: u64,
        /// Column index.
        column: usize,
    },
    /// A row block that the matrix does not have.
    #[error("there is no row block {block}; the matrix has {blocks}")]
    Block {
        /// The index asked for.
        block: usize,
        /// Row blocks of the matrix.
        blocks: usize,
    },
    /// A partial result that can't be added to a pass, or a pass that can't be finished.
    #[error("a partial result does not fit the pass: {why}")]
    Partial {
        /// What does not fit.
        why: &'static str,
    },
    /// Jacobi's rotations did not end.
    #[error("the singular values of a {columns} x {columns} matrix did not converge")]
    NoConvergence {
        /// Matrix order.
        columns: usize,
    },
    /// A machine outside the documented class.
    #[error(
        "this CPU lacks fused multiply-add or AVX2; use an x86-64 machine that has both (from 2013 on), or aarch64"
    )]
    Machine,
    /// A kernel was forced by name that this CPU or this build does not have.
    #[error("{variable}={name}: not a kernel that this machine can run; unset it or name one of {usable}")]
    Kernel {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        name: String,
        /// The kernels that can be named, best first.
        usable: String,
    },
    /// A worker thread could not be started.
    #[error("cannot start the worker threads ({0}); give fewer, or raise the limits of memory and processes")]
    Threads(String),
}

impl Error {
    /// Refuses an array of another shape.
    pub(crate) fn check_dimensions(actual: &[usize], expected: &[usize]) -> Result<(), Self> {
        match actual == expected {
            true => Ok(()),
            false => Err(Self::Dimensions { expected: expected.to_vec(), actual: actual.to_vec() }),
        }
    }
}

fn sizes(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}
