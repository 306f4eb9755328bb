//! What macOS tells by calls of its own.

use std::mem::{self, MaybeUninit};

use rustix::process::{Resource, getrlimit};

use super::Memory;

/// Memory of the machine that is free or can be freed at once, and this process's footprint.
#[must_use]
pub fn memory() -> Option<Memory> {
    let mut machine = MaybeUninit::<libc::vm_statistics64>::zeroed();
    let mut count = libc::HOST_VM_INFO64_COUNT;
    // SAFETY: the structure is of the flavor, and `count` its size in words; zeros are a value of it.
    #[allow(deprecated, reason = "the other crate's is the same function")]
    let machine = unsafe {
        let done = libc::host_statistics64(
            libc::mach_host_self(),
            libc::HOST_VM_INFO64,
            machine.as_mut_ptr().cast(),
            &mut count,
        );
        (done == libc::KERN_SUCCESS).then(|| machine.assume_init())?
    };
    let mut process = MaybeUninit::<libc::rusage_info_v0>::zeroed();
    // SAFETY: the structure is of the flavor; zeros are a value of it.
    let process = unsafe {
        let done = libc::proc_pid_rusage(libc::getpid(), libc::RUSAGE_INFO_V0, process.as_mut_ptr().cast());
        (done == 0).then(|| process.assume_init())?
    };
    let pages = u64::from(machine.free_count) + u64::from(machine.inactive_count);
    let page = rustix::param::page_size() as u64;
    const { assert!(mem::size_of::<libc::natural_t>() == 4) };
    Some(Memory { free: pages.saturating_mul(page), held: process.ri_phys_footprint })
}

/// Bytes that the main thread's stack may have (`ulimit -s`), where that is limited.
#[must_use]
pub fn stack_limit() -> Option<u64> {
    getrlimit(Resource::Stack).current
}
