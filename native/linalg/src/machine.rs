//! What the machine must have, and which kernels it gets.

use crate::{Error, gram};

/// The kernel of integer products that this process uses: `avx512vnni`, `avx512`, `avx2`, `neon` or
/// `portable`. All give the same bits.
///
/// The environment variable `TOMOBASIS_KERNEL` forces one of them. A name that this machine can't run is an
/// error of [`check_machine`]; here it is ignored, with a warning.
pub fn kernel_name() -> &'static str {
    gram::kernel_name()
}

/// Refuses a machine on which the defined order of operations would be slow emulation, and a kernel that it
/// can't run.
///
/// AVX2 is asked for too: on the few CPUs that have FMA without it, the library of the starting eigensolver
/// (gemm 0.19) panics, since it takes the one for the other.
///
/// # Errors
/// [`Error::Machine`] on an x86-64 CPU without FMA or AVX2; [`Error::Kernel`] when `TOMOBASIS_KERNEL` names
/// no kernel of this machine.
pub fn check_machine() -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    if !(std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2")) {
        return Err(Error::Machine);
    }
    gram::check_forced()
}
