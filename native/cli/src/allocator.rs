//! Memory that runs out ends the command with its one line and exit code 1, not with an abort.
//!
//! What is large is estimated before it is asked for (`tomobasis_pipeline`'s `need`). What is refused all the same, in our code or a
//! library's, arrives here: the first thread that it happens to removes the folder in the making, says so and ends the process; the others
//! stop where they are. Where code has asked in a way that takes a refusal ([`asking`]), it gets it.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint, io, panic,
    ptr::{self, NonNull},
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

use tomobasis_dicom::asking;

use crate::{os, output};

/// Bytes kept for the end: names of files and folders to remove. The C library gives blocks of this size back to the system.
const RESERVE: Layout = Layout::new::<[u8; 256 << 10]>();
/// Bytes of the main thread's stack that are claimed at the start: it grows otherwise, and growth that is refused is a crash.
const STACK: usize = 512 << 10;

#[global_allocator]
static ALLOCATOR: OrExit = OrExit;

static RESERVED: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
static ENDING: AtomicBool = AtomicBool::new(false);

thread_local! {
    static MINE: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, which never refuses who cannot take it.
struct OrExit;

// SAFETY: every call goes to `System` as it is, and its answer is returned as it is, or never.
unsafe impl GlobalAlloc for OrExit {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        answer(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        answer(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        answer(unsafe { System.realloc(at, layout, size) }, size)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Prepares the process for the end of its memory.
pub(crate) fn prepare() {
    claim_stack();
    // SAFETY: the size is not zero.
    RESERVED.store(unsafe { System.alloc(RESERVE) }, Ordering::Relaxed);
    if tomobasis_pipeline::limits::address_space_is_limited() {
        // Each thread's would take 64 MB of it.
        os::share_one_arena();
    }
}

/// Grows the main thread's stack into address space that a mapping of its size has been granted, and has given back.
///
/// In a frame of its own: in its caller's, what is called later would lie below what is claimed here.
#[inline(never)]
fn claim_stack() {
    let room = Layout::new::<[u8; STACK]>();
    // SAFETY: the size is not zero.
    let granted = hint::black_box(answer(unsafe { System.alloc(room) }, STACK));
    // SAFETY: it was allocated with this layout, and nobody else has it.
    unsafe { System.dealloc(granted, room) };
    hint::black_box([0_u8; STACK]);
}

#[inline]
fn answer(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null() && !asking() { end(size) } else { memory }
}

#[cold]
fn end(size: usize) -> ! {
    if !MINE.get() {
        MINE.set(true);
        if ENDING.swap(true, Ordering::AcqRel) {
            os::wait_forever();
        }
        if let Some(reserve) = NonNull::new(RESERVED.swap(ptr::null_mut(), Ordering::AcqRel)) {
            // SAFETY: it was allocated with this layout, and nobody else has it any more.
            unsafe { System.dealloc(reserve.as_ptr(), RESERVE) };
        }
        // An allocator must not unwind.
        let _removed = panic::catch_unwind(tomobasis_pipeline::result::remove_unfinished);
    }
    say(size);
    os::end_at_once(1)
}

/// The one line, from memory that is there already.
fn say(size: usize) {
    let mut line = [0_u8; 512];
    let mut rest = io::Cursor::new(line.as_mut_slice());
    // As `output` has it, without quotes in the text.
    let (before, after) = match output::as_json() {
        true => (r#"{"error":{"exit_code":1,"kind":"failed","message":""#, r#""}}"#),
        false => ("error: ", ""),
    };
    let text = format_args!(
        "{before}out of memory: {size} more bytes were refused; give the command more memory, fewer --threads or a smaller --rank, or run \
         tomobasis-submit, which spreads the work over machines{after}\n"
    );
    let _cut = io::Write::write_fmt(&mut rest, text);
    let length = rest.position() as usize;
    os::write_to_stderr(line.get(..length).unwrap_or_default());
}
