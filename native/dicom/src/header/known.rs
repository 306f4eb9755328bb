//! The bytes of a file that were read so far: its head, and pieces further on.
//!
//! Values that nobody wants are skipped, not read, however long they are. What is read ahead doubles with each request, so a header
//! with thousands of elements takes few requests; what is read in all has a limit.

use std::ops::Range;

use super::USUAL_HEAD;

/// Headers of which more than this would have to be read are refused: those of 32768 frames have some 30 MB.
pub const LONGEST_HEADER: u64 = 64 << 20;

/// A gap this long is read over: a request costs more than its bytes.
const SHORT_GAP: u64 = 64 << 10;

/// What a scan needs to go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Need {
    pub start: u64,
    pub end: u64,
}

/// The bytes at hand, borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    head: &'a [u8],
    later: &'a [(u64, Vec<u8>)],
}

impl<'a> Known<'a> {
    /// A file's first bytes.
    pub fn head(head: &'a [u8]) -> Self {
        Known { head, later: &[] }
    }

    pub fn get(&self, Need { start, end }: Need) -> Option<&'a [u8]> {
        let (from, bytes) = match self.later.partition_point(|(from, _)| *from <= start).checked_sub(1) {
            Some(last) => self.later.get(last).map(|(from, bytes)| (*from, bytes.as_slice()))?,
            None => (0, self.head),
        };
        bytes.get(usize::try_from(start - from).ok()?..usize::try_from(end - from).ok()?)
    }
}

/// The bytes at hand, growing. Pieces ascend and do not touch.
pub(crate) struct Pieces {
    head: Vec<u8>,
    later: Vec<(u64, Vec<u8>)>,
    total: u64,
}

impl Pieces {
    pub fn new(head: Vec<u8>) -> Self {
        let total = head.len() as u64;
        Pieces { head, later: Vec::new(), total }
    }

    pub fn known(&self) -> Known<'_> {
        Known { head: &self.head, later: &self.later }
    }

    /// What to read next of a file of `length` bytes for what is needed; `None` beyond [`LONGEST_HEADER`].
    pub fn next(&self, need: Need, length: u64) -> Option<Range<u64>> {
        let before = self.later.partition_point(|(from, _)| *from <= need.start);
        let (end, size) = match before.checked_sub(1).and_then(|last| self.later.get(last)) {
            Some((from, bytes)) => (from + bytes.len() as u64, bytes.len() as u64),
            None => (self.head.len() as u64, self.head.len() as u64),
        };
        let start = if need.start.saturating_sub(end) <= SHORT_GAP.max(size) { end } else { need.start };
        let ahead = need.end.saturating_add(USUAL_HEAD).max(if start == end { end + size } else { 0 });
        // Up to the next piece, with which this one becomes one.
        let limit = self.later.get(before).map_or(length, |(from, _)| *from);
        let range = start..ahead.min(limit).max(need.end).min(length);
        (self.total + (range.end - range.start) <= LONGEST_HEADER).then_some(range)
    }

    /// Adds what was read from `start` on.
    pub fn add(&mut self, start: u64, bytes: Vec<u8>) {
        self.total += bytes.len() as u64;
        if start == self.head.len() as u64 {
            self.head.extend(bytes);
        } else {
            let at = self.later.partition_point(|(from, _)| *from <= start);
            match at.checked_sub(1).and_then(|last| self.later.get_mut(last)) {
                Some((from, known)) if *from + known.len() as u64 == start => known.extend(bytes),
                _ => self.later.insert(at, (start, bytes)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_by_their_place() {
        let mut pieces = Pieces::new(vec![1, 2]);
        pieces.add(100, vec![3, 4]);
        pieces.add(2, vec![5]);
        pieces.add(102, vec![6]);
        let get = |start, end| pieces.known().get(Need { start, end }).map(<[u8]>::to_vec);
        assert_eq!(get(1, 3), Some(vec![2, 5]));
        assert_eq!(get(101, 103), Some(vec![4, 6]));
        assert_eq!([get(2, 4), get(50, 60), get(99, 101), get(102, 104)], [None, None, None, None]);
    }

    #[test]
    fn a_long_gap_is_skipped_and_a_short_one_read_over() {
        let pieces = Pieces::new(vec![0; 1000]);
        let next = |start| pieces.next(Need { start, end: start + 8 }, 1 << 40).unwrap();
        assert_eq!(next(5000), 1000..5008 + USUAL_HEAD);
        assert_eq!(next(1 << 32), 1 << 32..(1 << 32) + 8 + USUAL_HEAD);
        assert_eq!(pieces.next(Need { start: 1000, end: 1008 }, 1010), Some(1000..1010));
    }

    #[test]
    fn what_is_read_in_all_has_a_limit() {
        let pieces = Pieces::new(vec![0; 1000]);
        assert_eq!(pieces.next(Need { start: 1000, end: 1000 + LONGEST_HEADER }, 1 << 40), None);
    }
}
