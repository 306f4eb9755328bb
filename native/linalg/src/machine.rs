//! What the machine must have, and which kernels it gets.

use crate::{Error, gram};

/// The Gram kernel that this process uses: `avx512vnni`, `avx512`, `avx2` or `portable`. All give the same bits.
///
/// The environment variable `TOMOBASIS_KERNEL` forces one of them (a name that this CPU can't run is ignored, with a warning).
pub fn kernel_name() -> &'static str {
    gram::kernel_name()
}

/// Refuses a machine on which the defined order of operations would be slow emulation.
///
/// # Errors
/// [`Error::Machine`] on an x86-64 CPU without FMA and AVX2.
pub fn check_machine() -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    if !(std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2")) {
        return Err(Error::Machine);
    }
    Ok(())
}
