//! Deleting what nobody needs any more, and the room that is kept aside.
//!
//! A segment goes when each of its events has a receipt and all is older than [`KEEP_MS`] **by the server's clock**: the
//! newest receipt is that much younger than the last one for an event of the segment, and than its events. A PC's own
//! clock can stand anywhere, and alone says nothing: it must only not contradict. So a PC that has heard nothing of its
//! server for a year keeps all of that year.
//!
//! A segment that cannot be read goes with the first readable one behind it: it is not younger than that.

use mngntime_model::Moment;

use super::disk::Disk;
use super::{Journal, JournalError, KEEP_MS, RESERVE, RESERVE_BYTES, SegmentState, segment_name};

impl<D: Disk> Journal<D> {
    /// Deletes the oldest segments that nobody needs any more; the highest number in them.
    ///
    /// # Errors
    /// [`JournalError::Disk`] when a file cannot be removed.
    pub fn prune(&mut self, now: &Moment) -> Result<Option<u64>, JournalError> {
        let mut highest = None;
        while let Some(number) = self.oldest_if_unneeded(now) {
            let name = segment_name(number);
            if let Err(error) = self.disk.remove(&name) {
                // What is gone already must be told; the rest is tried again with the next beat.
                return highest.map(Some).ok_or_else(|| JournalError::disk("remove", &name, error));
            }
            let gone = self.segments.remove(&number).unwrap_or_default().sequences;
            self.fold.forget_segment(number);
            // The last event of a run may have a second copy in a segment that stays.
            highest = highest.max(gone.into_iter().filter(|seq| !self.fold.holds(*seq)).max());
        }
        self.keep_reserve();
        Ok(highest)
    }

    fn oldest_if_unneeded(&self, now: &Moment) -> Option<u64> {
        let (oldest, _) = self.segments.first_key_value()?;
        let (number, state) = self.segments.iter().find(|(_, state)| !state.unreadable)?;
        let is_active = self.active.is_some_and(|(active, _)| active == *number);
        let is_last = self.segments.last_key_value().is_some_and(|(last, _)| last == number);
        (!is_active && !is_last && self.is_unneeded(*number, state, now)).then_some(*oldest)
    }

    fn is_unneeded(&self, number: u64, state: &SegmentState, now: &Moment) -> bool {
        let settled = self.fold.receipted_at(number).map_or(state.newest, |at| at.max(state.newest));
        let is_old = |time: i64, clock: i64| time.saturating_add(KEEP_MS) < clock;
        let heard = self.fold.last_receipt_at.is_some_and(|clock| is_old(settled, clock));
        heard
            && is_old(state.newest, now.wall.0)
            && state.sequences.iter().all(|sequence| !self.fold.pending.contains_key(sequence))
    }

    /// Keeps some space aside for a full disk. Failing to is no failure: there is then no space to keep.
    pub(super) fn keep_reserve(&self) {
        let exists = self.disk.list().is_ok_and(|names| names.iter().any(|name| name == RESERVE));
        if !exists && self.disk.create(RESERVE).is_ok() {
            let filled = self.disk.append(RESERVE, &vec![0; RESERVE_BYTES]);
            if filled.and_then(|()| self.disk.sync(RESERVE)).is_err() {
                let _ = self.disk.remove(RESERVE);
            }
        }
    }
}
