//! The Application event log, under the source `MngnTime`.
//!
//! Three event ids, one per level, each with a single insert that is the whole line. The ids lie between 1
//! and 1000 without severity bits: so both our own message file (`MngnTimeMsg1.dll`) and Windows' own
//! `EventCreate.exe`, which `install` registers where our file is missing, turn them into the bare text.
//! The ids never change: old lines must stay readable.
//!
//! The event log is a notice board. Writing to it can fail (full, service stopped) and that must never stop
//! a record, so failures end here.

use super::ffi::event_log::{EntryType, EventSource};
use crate::platform::Level;

/// Id of 情報 lines.
const INFORMATION_ID: u32 = 100;
/// Id of 警告 lines.
const WARNING_ID: u32 = 200;
/// Id of エラー lines.
const ERROR_ID: u32 = 300;
/// Longest line in UTF-16 units; Windows takes 31,839 (ReportEvent).
const LINE_UNITS_MAX: usize = 31_000;

/// The open event log.
pub struct Notices(Option<EventSource>);

impl Notices {
    /// Opens the log for the source `program`. Without an event log, lines go nowhere.
    #[must_use]
    pub fn open(program: &str) -> Self {
        Self(EventSource::open(program).ok())
    }

    /// Writes one line.
    pub fn write(&self, level: Level, text: &str) {
        let Some(source) = &self.0 else { return };
        let (entry, id) = match level {
            Level::Information => (EntryType::Information, INFORMATION_ID),
            Level::Warning => (EntryType::Warning, WARNING_ID),
            Level::Error => (EntryType::Error, ERROR_ID),
        };
        // Nobody is left to tell: this is the place where failures are told.
        let _not_written = source.report(entry, id, &as_insert(text));
    }
}

/// `text` as an insert that Event Viewer shows unchanged: it would read `%1` in an insert as another insert,
/// so a percent sign before a digit or another percent sign becomes the full-width one.
fn as_insert(text: &str) -> String {
    let mut insert = String::with_capacity(text.len());
    let mut units = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        units += character.len_utf16();
        if units > LINE_UNITS_MAX {
            break;
        }
        let next_is_special = characters.peek().is_some_and(|next| next.is_ascii_digit() || *next == '%');
        insert.push(if character == '%' && next_is_special { '％' } else { character });
    }
    insert
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_cannot_become_inserts() {
        assert_eq!(as_insert("fe80::1%12 100% 50%%"), "fe80::1％12 100% 50％%");
        assert_eq!(as_insert("打刻完了"), "打刻完了");
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let cut = as_insert(&"😀".repeat(20_000));
        assert_eq!(cut.encode_utf16().count(), LINE_UNITS_MAX);
    }

    #[test]
    fn writing_never_fails_the_caller() {
        Notices::open("MngnTime").write(Level::Information, "LOGON/LOGOFF監視を開始しました。");
        Notices(None).write(Level::Error, "nowhere");
    }
}
