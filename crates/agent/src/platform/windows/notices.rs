//! The Application event log, under the source `MngnTime`.
//!
//! Every line has its own event id, the number of its [`MessageId`](mngntime_agent_core::MessageId), and our
//! message file (`MngnTimeMsg1.dll`, made from the same table) words it in the language of whoever reads the
//! log. The first insert is the whole line in the agent's language: it is what a viewer shows that lacks our
//! message file ("the following information was included with the event"), and what Windows' own
//! `EventCreate.exe`, which `install` registers where our file is missing, makes of it.
//!
//! The event log is a notice board: anybody who is logged on may write to it under any name, and writing to
//! it can fail (full, service stopped). Neither may ever stop a record, so failures end here.

use mngntime_agent_core::{Message, NoticeLevel};
use mngntime_model::Language;

use super::ffi::event_log::{EntryType, EventSource};

/// Longest insert in UTF-16 units; Windows takes 31,839 (ReportEvent).
const INSERT_UNITS_MAX: usize = 31_000;

/// The open event log.
pub struct Notices(Option<EventSource>);

impl Notices {
    /// Opens the log for the source `program`. Without an event log, lines go nowhere.
    #[must_use]
    pub fn open(program: &str) -> Self {
        Self(EventSource::open(program).ok())
    }

    /// Writes one line.
    pub fn write(&self, message: &Message, language: Language) {
        let Some(source) = &self.0 else { return };
        let entry = match message.level() {
            NoticeLevel::Information => EntryType::Information,
            NoticeLevel::Warning => EntryType::Warning,
            NoticeLevel::Error => EntryType::Error,
        };
        let whole = message.text(language);
        let inserts: Vec<String> =
            std::iter::once(&whole).chain(message.inserts()).map(|text| as_insert(text)).collect();
        // Nobody is left to tell: this is the place where failures are told.
        let _not_written = source.report(entry, u32::from(message.id().number()), &inserts);
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
        if units > INSERT_UNITS_MAX {
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
    use mngntime_agent_core::MessageId;

    #[test]
    fn percent_signs_cannot_become_inserts() {
        assert_eq!(as_insert("fe80::1%12 100% 50%%"), "fe80::1％12 100% 50％%");
        assert_eq!(as_insert("打刻完了"), "打刻完了");
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let cut = as_insert(&"😀".repeat(20_000));
        assert_eq!(cut.encode_utf16().count(), INSERT_UNITS_MAX);
    }

    #[test]
    fn writing_never_fails_the_caller() {
        let message = Message::new(MessageId::MonitoringStarted, vec![]);
        Notices::open("MngnTime").write(&message, Language::Japanese);
        Notices(None).write(&message, Language::English);
    }
}
