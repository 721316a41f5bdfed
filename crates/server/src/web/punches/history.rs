//! The history of a punch: every judgement, and every change of links that made it another one's.
//!
//! Linking judges again, so most changes of links stand beside the judgement that came of them. A hand-over does not: the
//! punch passes from one employee to the next with the result it had, and has a row of its own.

use mngntime_model::{PunchResult, UtcMillis};
use mngntime_store::{Judgement, PunchDetail, Whose, WhoseChange, Why};

use super::super::audit::words::person;
use super::super::chrome::Chrome;
use super::super::times;

/// A judgement, or a change of links that left the result as it was; ready to be written.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// When.
    pub at: String,
    /// The number; 打刻完了 when absent.
    pub res: Option<u8>,
    /// Why.
    pub why: String,
    /// From whom to whom it went by that, in words; empty where it stayed whose it was.
    pub moved: String,
    /// By whom.
    pub by: String,
}

/// The history of `found`, newest first.
#[must_use]
pub fn rows(found: &PunchDetail, c: &Chrome) -> Vec<HistoryRow> {
    let mut left: Vec<&WhoseChange> = found.whose.iter().collect();
    let mut all: Vec<(UtcMillis, PunchResult, HistoryRow)> = Vec::new();
    for judgement in &found.history {
        let of_it = left.iter().position(|change| came_of(judgement, change));
        let moved = of_it.map(|place| in_words(left.remove(place), c)).unwrap_or_default();
        let why = c.t(why_key(judgement.why));
        let row = row(judgement.judged_at, judgement.result, (why, moved), &judgement.by, c);
        all.push((judgement.judged_at, judgement.result, row));
    }
    for change in left {
        // Judgements stay in their own order, whatever the server's clock has done.
        let place = all.iter().rposition(|(at, ..)| *at <= change.at).map_or(0, |last| last + 1);
        let before = place.checked_sub(1).or((!all.is_empty()).then_some(0));
        let result = before.map_or(found.punch.result, |before| all[before].1);
        let words = (c.t("why-link-changed"), in_words(change, c));
        all.insert(place, (change.at, result, row(change.at, result, words, &change.by, c)));
    }
    all.into_iter().rev().map(|(.., row)| row).collect()
}

/// Whether the judgement was made in the act that changed the links.
fn came_of(judgement: &Judgement, change: &WhoseChange) -> bool {
    let by_links = matches!(judgement.why, Why::AccountLinked | Why::AccountUnlinked);
    by_links && judgement.judged_at == change.at && judgement.by == change.by
}

fn row(
    at: UtcMillis,
    result: PunchResult,
    (why, moved): (String, String),
    by: &str,
    c: &Chrome,
) -> HistoryRow {
    HistoryRow { at: times::full(at), res: result.res(), why, moved, by: person(by, c) }
}

fn in_words(change: &WhoseChange, c: &Chrome) -> String {
    let [from, to] = [&change.from, &change.to].map(|whose| match whose {
        Whose::Nobody => c.t("whose-nobody"),
        Whose::Another => c.t("whose-another"),
        Whose::Employee { code, name } => format!("{code} {name}"),
    });
    c.words().with("history-moved", &[("from", &from), ("to", &to)])
}

fn why_key(why: Why) -> &'static str {
    match why {
        Why::Received => "why-received",
        Why::JudgedLate => "why-judged-late",
        Why::AccountLinked => "why-account-linked",
        Why::AccountUnlinked => "why-account-unlinked",
        Why::EmployeeChanged => "why-employee-changed",
        Why::TerminalUnblocked => "why-terminal-unblocked",
        Why::TerminalEnrolled => "why-terminal-enrolled",
        Why::ContractChanged => "why-contract-changed",
        Why::BoundaryChanged => "why-boundary-changed",
    }
}
