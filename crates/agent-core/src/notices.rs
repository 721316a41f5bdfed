//! Keeps one cause from filling the event log.
//!
//! A terminal server with 200 people whose network is down has 200 failed punches within a minute, and the
//! event log forgets its oldest lines to take them. So of each warning and error only the first
//! [`LINES_PER_WINDOW`] are written within [`WINDOW_MS`]; the rest is counted and told in one line. Lines of
//! information are the record of success and always written. Nothing here touches a record or its sending.

use std::collections::BTreeMap;

use crate::command::NoticeLevel;
use crate::message::{Message, MessageId};

/// Lines of one id within one window. More than an ordinary PC ever has of one cause.
const LINES_PER_WINDOW: u32 = 10;
/// A window opens with the first line of an id and lasts ten minutes (windows.md, table A, 40).
pub(crate) const WINDOW_MS: u64 = 600_000;

#[derive(Debug)]
struct Window {
    ends_at: u64,
    written: u32,
    kept_back: u64,
}

/// Which lines were written lately.
#[derive(Debug, Default)]
pub(crate) struct NoticeLimit(BTreeMap<MessageId, Window>);

impl NoticeLimit {
    /// Whether the line may be written; one that may not is counted.
    pub(crate) fn admits(&mut self, id: MessageId, now_ms: u64) -> bool {
        if id.level() == NoticeLevel::Information {
            return true;
        }
        let window =
            self.0.entry(id).or_insert(Window { ends_at: now_ms + WINDOW_MS, written: 0, kept_back: 0 });
        if window.written < LINES_PER_WINDOW {
            window.written += 1;
            return true;
        }
        window.kept_back += 1;
        false
    }

    /// When [`NoticeLimit::repeats`] has something to tell.
    pub(crate) fn next_wakeup(&self) -> Option<u64> {
        self.0.values().filter(|window| window.kept_back > 0).map(|window| window.ends_at).min()
    }

    /// Closes the windows that have ended (`all`: every window) and gives a line for each that kept any back.
    pub(crate) fn repeats(&mut self, all: bool, now_ms: u64) -> Vec<Message> {
        let ended = self.0.extract_if(.., |_, window| all || window.ends_at <= now_ms);
        ended
            .filter(|(_, window)| window.kept_back > 0)
            .map(|(id, window)| {
                let minutes = WINDOW_MS / 60_000;
                let inserts = [u64::from(id.number()), window.kept_back, minutes];
                Message::new(MessageId::Repeated, inserts.map(|number| number.to_string()).to_vec())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::Language;

    fn flood(limit: &mut NoticeLimit, id: MessageId, lines: u32) {
        for _ in 0..lines {
            limit.admits(id, 0);
        }
    }

    #[test]
    fn a_flood_of_one_cause_is_cut_and_counted() {
        let mut limit = NoticeLimit::default();
        let written = (0..200).filter(|_| limit.admits(MessageId::PunchNotConnected, 5_000)).count();
        assert_eq!(written, 10);
        assert_eq!(limit.next_wakeup(), Some(5_000 + WINDOW_MS));
        assert_eq!(limit.repeats(false, 5_000 + WINDOW_MS - 1), []);
        let told = limit.repeats(false, 5_000 + WINDOW_MS);
        assert_eq!(told.len(), 1);
        let text = told[0].text(Language::English);
        assert!(text.starts_with("190 more events like event ID 312"), "{text}");
        assert!(text.contains("within the last 10 minutes"), "{text}");
        assert!(limit.admits(MessageId::PunchNotConnected, 5_000 + WINDOW_MS), "a new window is open");
    }

    #[test]
    fn another_cause_has_its_own_count_and_success_is_never_kept_back() {
        let mut limit = NoticeLimit::default();
        flood(&mut limit, MessageId::PunchNotConnected, 50);
        assert!(limit.admits(MessageId::PunchNetworkError, 0));
        assert!((0..1000).all(|_| limit.admits(MessageId::PunchCompleted, 0)));
    }

    #[test]
    fn nothing_kept_back_is_nothing_to_tell_and_the_end_tells_the_rest() {
        let mut limit = NoticeLimit::default();
        flood(&mut limit, MessageId::CannotStore, 10);
        assert_eq!((limit.next_wakeup(), limit.repeats(false, WINDOW_MS)), (None, vec![]));
        flood(&mut limit, MessageId::CannotStore, 11);
        assert_eq!(limit.repeats(true, 1).len(), 1);
    }
}
