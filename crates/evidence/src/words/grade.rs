//! The first line: what a reader takes away who reads no further.
//!
//! A pack that contradicts itself nowhere may still hold what only the server says. 真正 alone would be read as more than
//! is shown then, so it is followed by what it does not cover.

use mngntime_model::Language;

use super::names::missing_numbers;
use super::signatures::unsigned_count;
use super::{Pair, pick};
use crate::verify::{Emptiness, Report};

/// 真正, with what it does not cover, or 不正.
#[must_use]
pub fn verdict(report: &Report, language: Language) -> String {
    verdict_with(report, Vec::new(), language)
}

/// The same with what else has to be added.
#[must_use]
pub fn verdict_with(report: &Report, more: Vec<String>, language: Language) -> String {
    if !report.is_authentic() {
        return pick(language, ("不正".to_owned(), "NOT AUTHENTIC".to_owned()));
    }
    let shown: Vec<_> = shown(report).into_iter().map(|pair| pick(language, pair)).collect();
    let not_proven: Vec<_> = not_proven(report).map(|pair| pick(language, pair)).into_iter().collect();
    let parts = [(shown, SHOWN), (not_proven, NOT_PROVEN), (more, COMPARED)];
    let told_in = parts.iter().filter(|(said, _)| !said.is_empty());
    let told_in: Vec<_> = told_in.map(|(_, part)| pick(language, (part.0.into(), part.1.into()))).collect();
    let reservations: Vec<_> = parts.into_iter().flat_map(|(said, _)| said).collect();
    if reservations.is_empty() {
        return pick(language, ("真正".to_owned(), "AUTHENTIC".to_owned()));
    }
    pick(
        language,
        (
            format!("真正（ただし、{}。{}を確認してください）", reservations.join("、"), told_in.join("、")),
            format!("AUTHENTIC, BUT WITH {} (see {})", reservations.join("; "), told_in.join(", ")),
        ),
    )
}

fn emptiness(why: Emptiness) -> Pair {
    let (japanese, english) = match why {
        Emptiness::Future => ("作成時に始まっていない期間です", "dates that had not begun when it was made"),
        Emptiness::NoLink => {
            ("この社員に関連付けられたアカウントはありません", "no account linked to this employee")
        }
        Emptiness::NoLinkThen => (
            "この期間にこの社員に関連付けられたアカウントはありません",
            "no account linked to this employee on these dates",
        ),
    };
    (japanese.to_owned(), english.to_owned())
}

/// The parts of what is said in which more stands.
const SHOWN: (&str, &str) = ("「記録が示すこと」", "\"What the record shows\"");
const NOT_PROVEN: (&str, &str) = ("「このファイルでは証明できないこと」", "\"Not proven by this file\"");
const COMPARED: (&str, &str) = ("「照合の結果」", "\"Comparison\"");

/// What 真正 does not cover, in a few words each; empty when there is nothing.
#[must_use]
pub fn reservations(report: &Report, language: Language) -> Vec<String> {
    shown(report).into_iter().chain(not_proven(report)).map(|pair| pick(language, pair)).collect()
}

fn counted(value: u64, japanese: &str, english: &str) -> Option<Pair> {
    let count = value.to_string();
    (value > 0).then(|| (japanese.replace("{}", &count), english.replace("{}", &count)))
}

/// What is only the server's word.
fn not_proven(report: &Report) -> Option<Pair> {
    counted(
        report.unbacked_keys + report.unbacked_links,
        "登録の監査記録がない公開鍵または関連付け{}件",
        "{} key(s) or link(s) of which the log does not tell",
    )
}

/// What stands out in the record.
fn shown(report: &Report) -> Vec<Pair> {
    let mut found: Vec<Pair> = Vec::new();
    found.extend(report.emptiness.map(emptiness));
    if report.events == 0 {
        found.push(("イベントは1件もありません".to_owned(), "no event at all".to_owned()));
    }
    let count = counted;
    let unsigned = unsigned_count(report);
    found.extend(
        [
            count(unsigned, "端末の署名のないイベント{}件", "{} event(s) without their terminal's signature"),
            count(
                report.withheld,
                "示されない記録と一緒に送信されたため端末の署名を確認できないイベント{}件",
                "{} event(s) sent together with what is not shown, so that their terminal's signature cannot be checked",
            ),
            count(
                report.sent_otherwise_count,
                "届き方が端末の署名付き送信のどれとも合わないイベント{}件",
                "{} event(s) that came otherwise than any signed batch says",
            ),
            count(report.breaks.len() as u64, "つながりの切れ{}か所", "{} broken chain(s)"),
            count(
                missing_numbers(report),
                "届いていないとサーバーが申告する番号{}個",
                "{} number(s) that the server says it never got",
            ),
            count(
                report.odd_time_count,
                "ログの順序または月と合わない時刻{}件",
                "{} time(s) that do not fit the order or the month of the log",
            ),
            count(
                report.days_cut.len() as u64,
                "古い日が示されていない端末{}台",
                "{} terminal(s) whose oldest days are not shown",
            ),
            count(
                report.marks.len() as u64,
                "複製・巻き戻し・構成変更の印のある端末{}台",
                "{} terminal(s) that the server marked as copied, set back or changed",
            ),
        ]
        .into_iter()
        .flatten(),
    );
    found
}
