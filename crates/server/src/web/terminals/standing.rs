//! What a terminal's numbers and OS runs tell of it, in words, each with what to do.

use mngntime_store::{Standing, Terminal};

use crate::web::chrome::Chrome;
use crate::web::times;

/// Something that somebody should look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is so, the PC named.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

/// The tag of a standing; empty when all numbers are there.
pub(super) fn tag(standing: Standing, c: &Chrome) -> String {
    match standing {
        Standing::Cloned => c.t("standing-cloned"),
        Standing::RolledBack => c.t("standing-rolled-back"),
        Standing::Conflict => c.t("state-conflict"),
        Standing::Missing => c.t("standing-missing"),
        Standing::Complete => String::new(),
    }
}

/// Which numbers the server holds.
pub(super) fn numbers(terminal: &Terminal, c: &Chrome) -> String {
    let (head, missing) = (terminal.head, terminal.missing);
    match (head, missing.count, missing.settled) {
        (0, ..) => c.t("numbers-none"),
        (_, 0, 0) => c.words().numbers("numbers-complete", &[("head", head)]),
        (_, 0, settled) => c.words().numbers("numbers-settled", &[("head", head), ("missing", settled)]),
        (_, count, settled) => {
            c.words().numbers("numbers-missing", &[("head", head), ("missing", count + settled)])
        }
    }
}

/// Everything that holds, the gravest first.
pub(super) fn notes(terminal: &Terminal, c: &Chrome) -> Vec<Note> {
    [cloned(terminal, c), rolled_back(terminal, c), conflict(terminal, c), missing(terminal, c)]
        .into_iter()
        .flatten()
        .map(|note| Note { what: format!("{}: {}", terminal.host_name, note.what), ..note })
        .collect()
}

fn cloned(terminal: &Terminal, c: &Chrome) -> Option<Note> {
    let at = times::day_clock(terminal.cloned_at?);
    let cure = if terminal.os.starts_with("Windows") {
        c.v("note-cloned-cure", "command", "MngnTimeCliSvc.exe enroll")
    } else {
        c.v("note-cloned-cure", "command", "mngntime-agent enroll")
    };
    Some(Note { what: c.v("note-cloned", "at", at), cure })
}

fn rolled_back(terminal: &Terminal, c: &Chrome) -> Option<Note> {
    let at = times::day_clock(terminal.rolled_back_at?);
    let often = terminal.rollbacks.max(1).to_string();
    let what = c.words().with("note-rolled-back", &[("at", &at), ("often", &often)]);
    Some(Note { what, cure: c.t("note-rolled-back-cure") })
}

/// Other bytes are explained where a roll-back or a copy has been seen.
fn conflict(terminal: &Terminal, c: &Chrome) -> Option<Note> {
    let explained = terminal.cloned_at.is_some() || terminal.rolled_back_at.is_some();
    (terminal.conflict && !explained)
        .then(|| Note { what: c.t("conflict-title"), cure: c.t("note-conflict-cure") })
}

fn missing(terminal: &Terminal, c: &Chrome) -> Option<Note> {
    let missing = terminal.missing;
    if missing.count == 0 {
        return None;
    }
    let what = c.words().numbers(
        "note-missing",
        &[("count", missing.count), ("first", missing.first), ("last", missing.last)],
    );
    let cure = match missing.undeclared {
        0 => c.t("note-missing-declared-cure"),
        undeclared => c.words().numbers("note-missing-open-cure", &[("undeclared", undeclared)]),
    };
    Some(Note { what, cure })
}
