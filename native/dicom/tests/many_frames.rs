//! Memory for a file of many frames: what is kept of each frame is bounded, and of an uncompressed file no
//! more than its head and one frame need be in memory. `docs/dicom.md` states both.
//!
//! The allocator of this test program refuses to go beyond a cap, which aborts the program.

mod common;

use std::alloc::System;

use cap::Cap;
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{FileBytes, Inventory, SeriesChoice, SliceFile};

const FRAMES: usize = 500;
const SIDE: usize = 512;
/// Bytes that may be kept of each frame: its header, listed and opened again, and its place in the plan.
const OF_A_FRAME: usize = 3 << 10;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The pixels of a frame as the file has them.
fn frame(number: usize) -> Vec<u8> {
    (0..SIDE * SIDE).flat_map(|i| ((i * (number + 3)) as i16).to_le_bytes()).collect()
}

#[test]
fn five_hundred_frames_take_three_kilobytes_each_and_one_image() {
    let heights: Vec<_> = (0..FRAMES).map(|i| (0.5 * i as f64, "1", "-1024")).collect();
    let file = DicomFile::ct(SIDE as u16, SIDE as u16, &[]).enhanced(&heights);
    // UIDs as long as they may be.
    let uids = [(0x0008, 0x0018), (0x0020, 0x000E), (0x0020, 0x0052)];
    let file = uids.into_iter().fold(file, |file, tag| file.text(tag, "UI", &"2.25.1234".repeat(8)[..64]));
    let mut head = file.bytes();
    // The pixel data is the last element: only its length is written, the pixels are made when asked for.
    let image = 2 * SIDE * SIDE;
    let at = head.len() - 4;
    head[at..].copy_from_slice(&((FRAMES * image) as u32).to_le_bytes());
    let length = (head.len() + FRAMES * image) as u64;
    let expected: Vec<i16> = (0..SIDE * SIDE).map(|i| (i * (499 + 3)) as i16).collect();
    let mut out = vec![0; SIDE * SIDE];

    let bound = FRAMES * OF_A_FRAME + image;
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + bound).unwrap();
    let mut inventory = Inventory::new();
    assert_eq!(inventory.add(0, "scan.dcm", length, &head).unwrap(), 0);
    let plan = inventory.select(&SeriesChoice::Only).unwrap();
    let opened = SliceFile::open(FileBytes { length, ..FileBytes::whole(&head) });
    for (number, slice) in plan.slices.iter().enumerate().skip(FRAMES - 3) {
        let start = slice.piece.unwrap().start;
        opened.with_piece(start, &frame(number)).decode(&plan, number, &mut out).unwrap();
    }
    ALLOCATOR.set_limit(usize::MAX).unwrap();
    assert_eq!((plan.slices.len(), out), (FRAMES, expected));
}
