//! Which kernel this process uses.

#[cfg(target_arch = "aarch64")]
use super::neon;
use super::{Kernel, portable};
#[cfg(target_arch = "x86_64")]
use super::{amx, avx2, avx512};
use crate::Error;
use std::sync::OnceLock;

/// All kernels of this architecture, best first. The last one is always available.
pub(super) static KERNELS: &[Kernel] = &[
    #[cfg(target_arch = "x86_64")]
    amx::KERNEL,
    #[cfg(target_arch = "x86_64")]
    avx512::VNNI,
    #[cfg(target_arch = "x86_64")]
    avx512::MADD,
    #[cfg(target_arch = "x86_64")]
    avx2::KERNEL,
    #[cfg(target_arch = "aarch64")]
    neon::KERNEL,
    portable::KERNEL,
];

/// The environment variable that forces a kernel.
const VARIABLE: &str = "TOMOBASIS_KERNEL";

/// The kernel of this process: the best one, or the one that the environment asks for.
pub(in crate::gram) fn chosen() -> &'static Kernel {
    static CHOSEN: OnceLock<&'static Kernel> = OnceLock::new();
    CHOSEN.get_or_init(|| match forced() {
        Ok(Some(kernel)) => {
            log::info!("kernel of integer products: {} (forced by {VARIABLE})", kernel.name);
            kernel
        }
        Ok(None) => {
            log::debug!("kernel of integer products: {}", best().name);
            best()
        }
        Err(error) => {
            log::warn!("{error}; using {}", best().name);
            best()
        }
    })
}

/// Its name.
pub(crate) fn kernel_name() -> &'static str {
    chosen().name
}

/// Refuses a forced kernel that this machine can't run.
pub(crate) fn check_forced() -> Result<(), Error> {
    forced().map(drop)
}

/// What the environment asks for.
fn forced() -> Result<Option<&'static Kernel>, Error> {
    let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let name = name.to_string_lossy();
    let names = || usable().map(|k| k.name).collect::<Vec<_>>().join(", ");
    let error = || Error::Kernel { variable: VARIABLE, name: name.escape_debug().collect(), usable: names() };
    usable().find(|k| k.name == name).map(Some).ok_or_else(error)
}

fn best() -> &'static Kernel {
    usable().next().unwrap_or(&portable::KERNEL)
}

/// The kernels that this CPU can run, best first.
pub(super) fn usable() -> impl Iterator<Item = &'static Kernel> {
    KERNELS.iter().filter(|k| (k.available)())
}
