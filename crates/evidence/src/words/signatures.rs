//! The terminals' own signatures: which events lack one, and why, and how they came beside what is signed.

use std::collections::BTreeMap;

use super::names::terminal;
use super::{Pair, is_about_everything};
use crate::verify::{NamedEvent, Report};

/// Events without their terminal's signature, for no reason that a receipt shows.
pub(super) fn unsigned_count(report: &Report) -> u64 {
    report.events.saturating_sub(report.signed).saturating_sub(report.withheld)
}

/// Events by terminal and day, and their numbers as ranges in both languages.
fn by_day(events: &[NamedEvent]) -> Vec<(&str, &str, Pair)> {
    let mut days: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    for event in events {
        days.entry((&event.terminal, &event.date)).or_default().push(event.sequence);
    }
    let texts = |numbers: &[u64]| (ranges(numbers, "～").join("、"), ranges(numbers, "-").join(", "));
    days.into_iter().map(|((id, date), numbers)| (id, date, texts(&numbers))).collect()
}

/// Events without their terminal's signature, by terminal and day.
pub(super) fn unsigned(report: &Report) -> Vec<Pair> {
    let statement = |(id, date, (numbers, numbers_english)): (&str, &str, Pair)| {
        let (japanese, english) = terminal(report, id);
        (
            format!("{japanese}: {date} の番号{numbers}のイベントに、端末の署名がありません。"),
            format!("{english}: on {date} without the terminal's signature: {numbers_english}."),
        )
    };
    let mut statements: Vec<Pair> = by_day(&report.unsigned).into_iter().map(statement).collect();
    let more = unsigned_count(report).saturating_sub(report.unsigned.len() as u64);
    if more > 0 {
        statements.push((
            format!("端末の署名のないイベントは、ほかに{more}件あります（打刻ごとの署名の有無は --print で示します）。"),
            format!("{more} further events lack their terminal's signature (--print says of each punch whether it has one)."),
        ));
    }
    statements
}

/// Events that came with none of the signed batches that are here, by terminal and day.
pub(super) fn sent_otherwise(report: &Report) -> Vec<Pair> {
    let statement = |(id, date, (numbers, numbers_english)): (&str, &str, Pair)| {
        let (japanese, english) = terminal(report, id);
        (
            format!(
                "{japanese}: {date} の番号{numbers}のイベントの届き方（受信時刻、時計の差、再送の印）は、このファイルにある端末の署名付き送信のどれとも合いません。最初に届けた送信がこのファイルにないか、サーバーが変更しています。"
            ),
            format!(
                "{english}: on {date} these came otherwise (time of receipt, clock, sent again) than any of the terminal's signed batches in this file says: {numbers_english}. The batch that brought them first is not here, or the server changed this."
            ),
        )
    };
    let mut statements: Vec<Pair> = by_day(&report.sent_otherwise).into_iter().map(statement).collect();
    let more = report.sent_otherwise_count.saturating_sub(report.sent_otherwise.len() as u64);
    if more > 0 {
        statements.push((
            format!("届き方が署名付き送信のどれとも合わないイベントは、ほかに{more}件あります。"),
            format!("{more} further events came otherwise than any signed batch in this file says."),
        ));
    }
    statements
}

/// Events whose signature no pack of this kind can show.
pub(super) fn withheld(report: &Report) -> Option<Pair> {
    let withheld = report.withheld;
    let words = || match is_about_everything(report) {
        true => (
            format!(
                "イベント{withheld}件は、受領証によれば、保存期間の満了により削除された記録と一緒に送信されました。そのため、端末の署名を確認することはできません。"
            ),
            format!(
                "By their receipts {withheld} events were sent together with what was deleted by the retention rule: their terminal's signature cannot be checked any more."
            ),
        ),
        false => (
            format!(
                "イベント{withheld}件は、受領証によれば、このファイルに示されない記録（ほかの人の記録、または範囲外の記録）と一緒に送信されました。そのため、端末の署名をこのファイルで確認することはできません。全件のファイル（--all）では確認できます。"
            ),
            format!(
                "By their receipts {withheld} events were sent together with what this file does not show (of other people, or beyond its numbers): their terminal's signature cannot be checked here, but in a pack about everything (--all)."
            ),
        ),
    };
    (withheld > 0).then(words)
}

/// Signatures that are not here.
pub(super) fn not_here(report: &Report) -> Vec<Pair> {
    let mut statements = Vec::new();
    let unsigned = unsigned_count(report);
    let without_receipt = report.events.saturating_sub(report.receipted);
    if unsigned > 0 {
        statements.push((
            format!("{unsigned}件のイベントについての端末の署名（署名の保存前に届いた、またはサーバーが追加した）。"),
            format!("The terminal's signature on {unsigned} events (sent before signatures were kept, or added by the server)."),
        ));
    }
    if report.withheld > 0 {
        let withheld = report.withheld;
        statements.push(match is_about_everything(report) {
            true => (
                format!("{withheld}件のイベントについての端末の署名（受領証によれば、保存期間の満了により削除された記録と一緒に送信されました。受領証はサーバーの申告です）。"),
                format!("The terminal's signature on {withheld} events (by their receipts, which are the server's word, they were sent together with what was deleted by the retention rule)."),
            ),
            false => (
                format!("{withheld}件のイベントについての端末の署名（受領証によれば、このファイルに示されない記録と一緒に送信されました。受領証はサーバーの申告です）。全件のファイル（--all）では確認できます。"),
                format!("The terminal's signature on {withheld} events (by their receipts, which are the server's word, they were sent together with what this file does not show). A pack about everything (--all) has it."),
            ),
        });
    }
    if without_receipt > 0 {
        statements.push((
            format!("{without_receipt}件のイベントについて、サーバーが受領証を渡したこと。受領証とそれが示すログの状態は、サーバーの鍵を持つ者がこのファイルから省くことができます。"),
            format!("That the server gave a receipt for {without_receipt} events: whoever holds its key can leave receipts, and the states of the log that they name, out of this file."),
        ));
    }
    statements
}

/// Ascending numbers, those in a row as a range.
fn ranges(numbers: &[u64], to: &str) -> Vec<String> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            Some(_) | None => ranges.push((*number, *number)),
        }
    }
    let text = |(first, last): (u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first}{to}{last}"),
    };
    ranges.into_iter().map(text).collect()
}
