//! What native code has allocated, counted where it is: the allocator of this library is the system's, with two numbers beside it.
//!
//! Only blocks of at least [`LEAST`] bytes are counted. They are nearly all of the memory (row blocks, sums, planes, pixels), and few, so
//! that threads do not contend for the numbers.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicI64, Ordering},
};

/// Bytes of the smallest blocks that are counted.
const LEAST: usize = 64 << 10;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static NOW: AtomicI64 = AtomicI64::new(0);
static MOST: AtomicI64 = AtomicI64::new(0);

/// The system's allocator.
struct Counting;

/// Bytes that are allocated.
pub(crate) fn now() -> i64 {
    NOW.load(Ordering::Relaxed).max(0)
}

/// The most since it was taken last.
pub(crate) fn take_most() -> i64 {
    let now = now();
    MOST.swap(now, Ordering::Relaxed).max(now)
}

fn add(size: usize) {
    if size >= LEAST {
        let now = NOW.fetch_add(size as i64, Ordering::Relaxed) + size as i64;
        // A block that is freed meanwhile on another thread makes it smaller than it was at one time, by that block at most.
        MOST.fetch_max(now, Ordering::Relaxed);
    }
}

fn remove(size: usize) {
    if size >= LEAST {
        NOW.fetch_sub(size as i64, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to `System` as it is, and its answer is returned as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let made = unsafe { System.alloc(layout) };
        if !made.is_null() {
            add(layout.size());
        }
        made
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let made = unsafe { System.alloc_zeroed(layout) };
        if !made.is_null() {
            add(layout.size());
        }
        made
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let made = unsafe { System.realloc(at, layout, size) };
        if !made.is_null() {
            remove(layout.size());
            add(size);
        }
        made
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) };
        remove(layout.size());
    }
}
