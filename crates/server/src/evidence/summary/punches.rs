//! The punches of one employee with the newest result of each, and the places where a stay was cut.
//!
//! The list has what happened on the dates of the period, and the ends of stays that reach into it; it counts what is of
//! its days, as the pages do, and says of all else of which day it is.

use jiff::civil::Date;
use mngntime_attendance::arrival::{Arrival, is_ahead};
use mngntime_attendance::completeness::Received;
use mngntime_evidence::words::result;
use mngntime_model::{AccountIdentity, EventKind, Language, UtcMillis};
use mngntime_store::local_date;

use super::super::record::{Request, Written, WrittenTerminal};
use super::super::span;
use super::paper::{Column, Row};
use super::person::Person;
use super::stays::{Begin, End, Stay, is_estimate};
use super::{dated_short, day_of, is_weekend};
use crate::web::punches::row::arrival_key;
use crate::web::texts::Words;
use crate::web::times;

/// Columns of the punches.
pub(super) const COLUMNS: &[Column] = &[
    Column { title: "日時", share: 97.0 },
    Column { title: "種別", share: 38.0 },
    Column { title: "端末", share: 64.0 },
    Column { title: "アカウント", share: 80.0 },
    Column { title: "結果", share: 56.0 },
    Column { title: "取得方法", share: 45.0 },
    Column { title: "受信", share: 59.0 },
    Column { title: "範囲・注記", share: 61.0 },
];

/// Rows of punches in one summary: some 200 pages. The record has all of them.
const PUNCHES_MAX: usize = 10_000;

/// What the punches are in all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Logons and logoffs of the days of the period: the night of its last date is of it, that of the date before is not.
    pub kinds: [usize; 2],
    /// Those with an interval for a time.
    pub estimates: usize,
    /// Those that had waited on the PC.
    pub resent: usize,
    /// Those with a `res`: they are nobody's punches.
    pub errors: usize,
    /// Punches of other days, which are shown since they lie on dates of the period, or at the end of a stay that does.
    pub beside: usize,
    /// Stays without a logoff, and those that a link's end cut.
    pub open: [usize; 2],
    /// Punches that are only there because the record begins before the period and ends after it.
    pub outside: usize,
    /// Punches beyond what a summary shows.
    pub more: usize,
}

/// A row and when it stands.
struct Line {
    at: UtcMillis,
    row: Row,
}

/// The rows by time, and what they are in all. `stays` are those of each terminal.
pub(super) fn rows(
    request: &Request,
    written: &Written,
    person: &Person,
    stays: &[Vec<Stay<'_>>],
) -> (Vec<Row>, Tally) {
    let span = request.dates.and_then(span).unwrap_or((UtcMillis(i64::MIN), UtcMillis(i64::MAX)));
    let is_asked_for = |date: Date| request.dates.is_none_or(|(first, last)| first <= date && date <= last);
    let (mut lines, mut tally) = (Vec::new(), Tally::default());
    for (terminal, stays) in written.terminals.iter().zip(stays) {
        let touching: Vec<&Stay<'_>> =
            stays.iter().filter(|stay| stay.span.0 < span.1 && stay.span.1 >= span.0).collect();
        for received in terminal.punches() {
            let (at, day) = (received.event.occurred_at, person.day_of(terminal.id, received));
            let lies_there = || (span.0..span.1).contains(&at);
            if is_asked_for(day) {
                count(&mut tally, received, terminal);
                lines.push(Line { at, row: punch(received, terminal, of_another_day(at, day)) });
            } else if lies_there() || touching.iter().any(|stay| is_edge(stay, received)) {
                tally.beside += 1;
                let of = of_another_day(at, day).unwrap_or_else(|| dated_short(day));
                let notes = ["期間外".to_owned(), of];
                lines.push(Line { at, row: punch(received, terminal, notes) });
            } else {
                tally.outside += 1;
            }
        }
        for stay in touching {
            tally.open[0] += usize::from(matches!(stay.end, End::Unrecorded));
            tally.open[1] += usize::from(matches!(stay.end, End::Cut(_)));
            lines.extend(cuts(stay, terminal));
        }
    }
    lines.sort_by_key(|line| line.at);
    tally.more = lines.len().saturating_sub(PUNCHES_MAX);
    lines.truncate(PUNCHES_MAX);
    (lines.into_iter().map(|line| line.row).collect(), tally)
}

/// That a punch is of the night of another day than the date on which it happened.
fn of_another_day(at: UtcMillis, day: Date) -> Option<String> {
    (local_date(at) != day).then(|| format!("{}の夜", dated_short(day)))
}

fn is_edge(stay: &Stay<'_>, received: &Received) -> bool {
    let is = |edge: &Received| edge.event.sequence == received.event.sequence;
    matches!(stay.begin, Begin::Logon(logon) if is(logon))
        || matches!(stay.end, End::Logoff(logoff) if is(logoff))
}

fn count(tally: &mut Tally, received: &Received, terminal: &WrittenTerminal) {
    let event = &received.event;
    tally.kinds[usize::from(event.kind == EventKind::Logoff)] += 1;
    tally.estimates += usize::from(is_estimate(event));
    tally.resent += usize::from(terminal.resent.contains(&event.sequence));
    tally.errors += usize::from(matches!(terminal.results.get(&event.sequence), Some(Some(_))));
}

fn name(account: &AccountIdentity) -> String {
    format!("{}\\{}", account.domain, account.name)
}

fn punch(received: &Received, terminal: &WrittenTerminal, notes: impl IntoIterator<Item = String>) -> Row {
    let event = &received.event;
    let words = Words(Language::Japanese);
    let kind = if event.kind == EventKind::Logon { "kind-logon" } else { "kind-logoff" };
    // What stands for a time that nobody has seen is no interval.
    let bounds = event.bounds.filter(|it| received.stamped_at.is_none() || it.not_before < it.not_after);
    let range = bounds.map(|bounds| times::range(bounds.not_before, bounds.not_after));
    let stamped = received.stamped_at.map(|at| format!("端末の時計 {}", times::full(at)));
    let one = |text: String| vec![text];
    let cells = vec![
        one(moment(event.occurred_at)),
        one(words.t(kind)),
        one(terminal.host_name.clone()),
        one(event.account.as_ref().map(name).unwrap_or_default()),
        one(result(terminal.results.get(&event.sequence).copied(), Language::Japanese)),
        one(how(received, terminal.resent.contains(&event.sequence))),
        one(times::received(received.received_at, event.occurred_at)),
        range.into_iter().chain(stamped).chain(notes).collect(),
    ];
    Row { cells, shaded: is_weekend(event.occurred_at) }
}

/// 取得方法, as every page says it.
fn how(received: &Received, resent: bool) -> String {
    let (evidence, delay_ms) = (received.event.evidence, received.delay_ms());
    let ahead = is_ahead(received.event.occurred_at, received.received_at);
    let by_the_servers_clock = received.stamped_at.is_some();
    let arrival = Arrival { evidence, resent, delay_ms, ahead, by_the_servers_clock };
    Words(Language::Japanese).t(arrival_key(arrival))
}

/// `2026-11-23(月) 09:00:12`
fn moment(at: UtcMillis) -> String {
    format!("{} {}", day_of(at), times::clock(at))
}

/// Where a link cut a stay: no punch, and it says so.
fn cuts<'a>(stay: &'a Stay<'_>, terminal: &'a WrittenTerminal) -> impl Iterator<Item = Line> + 'a {
    let begins = matches!(stay.begin, Begin::Cut(_))
        .then_some((stay.span.0, "アカウントの関連付けの開始。ログオンではありません"));
    let ends = matches!(stay.end, End::Cut(_))
        .then_some((stay.span.1, "アカウントの関連付けの終了。ログオフではありません"));
    let line = |(at, why): (UtcMillis, &str)| {
        let none = || "―".to_owned();
        let (host, account) = (terminal.host_name.clone(), name(stay.account));
        let row =
            Row::of([moment(at), "区切り".to_owned(), host, account, none(), none(), none(), why.to_owned()]);
        Line { at, row }
    };
    begins.into_iter().chain(ends).map(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_attendance::arrival::IMMEDIATE_MS;
    use mngntime_model::Evidence;
    use mngntime_wire::EncodedEvent;

    #[test]
    fn only_what_came_within_minutes_is_called_immediate() {
        let json = r#"{"v":1,"seq":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","boot":"boot-1","kind":"logon","evidence":"notice","occurred_at":1795392000000,"recorded_at":{"wall":1795392000000,"offset":32400,"biased":60000,"unbiased":60000},"account":{"key":"S-1-5-21-1","domain":"EXAMPLE","name":"hanako"},"session":{"boot":"boot-1","id":"2","logon":"0x3e7"},"remote":false}"#;
        let event = EncodedEvent::decode(json).unwrap().event;
        let how = |after, clock_offset_ms, resent, evidence| {
            let received_at = event.occurred_at.plus(after);
            let event = mngntime_model::Event { evidence, ..event.clone() };
            how(&Received::of(event, received_at, clock_offset_ms), resent)
        };
        let notice = Evidence::Notice;
        assert_eq!(how(0, 0, false, notice), "即時");
        assert_eq!(how(IMMEDIATE_MS, 0, false, notice), "即時");
        assert_eq!(how(IMMEDIATE_MS + 1, 0, false, notice), "遅延");
        // A clock that is ten minutes behind.
        assert_eq!(how(600_000, 600_000, false, notice), "即時");
        assert_eq!(how(9 * IMMEDIATE_MS, 0, true, notice), "再送");
        assert_eq!(how(9 * IMMEDIATE_MS, 0, false, Evidence::Reconciled), "照合");
    }
}
