//! What came of a comparison, in words.

use mngntime_model::Language;

use super::names::terminal;
use super::{Pair, pick};
use crate::against::{Comparison, Contradiction, Difference, Shortened};
use crate::verify::Report;

/// A contradiction as one line.
#[must_use]
pub fn contradiction(report: &Report, found: &Contradiction, language: Language) -> String {
    let pair = match found {
        Contradiction::Event { terminal: id, sequence, how } => {
            let (japanese, english) = terminal(report, id);
            let (what, what_english) = difference(*how);
            (
                format!("{japanese}の番号{sequence}: {what}"),
                format!("{english}, event {sequence}: {what_english}"),
            )
        }
        Contradiction::Entry { number, how } => {
            let (what, what_english) = difference(*how);
            (format!("監査記録{number}: {what}"), format!("entry {number} of the audit log: {what_english}"))
        }
        Contradiction::Leaf { month, leaf } => (
            format!("{month}のログの{leaf}番目: 受信時刻または届き方などの内容が異なります。"),
            format!(
                "place {leaf} of the log of {month}: the time of receipt, or something else of it, is another one."
            ),
        ),
        Contradiction::Tree { month, size } => (
            format!("{month}のログの{size}件までの状態に、異なる2つの署名があります。"),
            format!("two different states of the log of {month} with {size} records were signed."),
        ),
        Contradiction::Shorter { month, first, later } => (
            format!("{month}のログは、{first}件と署名された後で、{later}件と署名されています。"),
            format!("the log of {month} was signed with {first} records, and later with {later}."),
        ),
    };
    pick(language, pair)
}

fn difference(how: Difference) -> (&'static str, &'static str) {
    match how {
        Difference::Bytes => ("内容が異なります。", "the bytes are others."),
        Difference::Place => ("ログの中の位置が異なります。", "it stands in another place of the log."),
        Difference::CalledMissing => (
            "一方には保存されたとあり、他方では届いていないとされています。",
            "one says that it was stored, the other that it never arrived.",
        ),
        Difference::LeftOut => (
            "一方にあり、全件のはずの他方にありません。",
            "one has it; the other, which is about everything, has not.",
        ),
    }
}

fn shortened(found: &Shortened) -> Pair {
    let Shortened { month, first, later, is_set_back } = found;
    let (why, why_english) = if *is_set_back {
        (
            "その間の記録は、サーバーの時計が戻されたことを示しています。その場合は、短いほうが先に署名されたものです。矛盾ではありません。",
            "The records between the two show that the server's clock was set back: then the shorter one was signed first, and this is no contradiction.",
        )
    } else {
        (
            "その間の記録がすべては示されていないため、サーバーの時計が戻されたのか、ログの終わりが切り取られたのかは、この照合からは分かりません。全件のファイル（--all）と照合してください。",
            "Not all records between the two are shown: whether the server's clock was set back, or the end of the log was cut off, cannot be said from this. Compare with a pack about everything (--all).",
        )
    };
    (
        format!(
            "{month}のログは、サーバーの時計によれば、{first}件と署名された後で{later}件と署名されています。{why}"
        ),
        format!(
            "By the server's clock the log of {month} was signed with {first} records, and later with {later}. {why_english}"
        ),
    )
}

/// What 真正 does not cover once the two are beside each other, in a few words; empty when there is nothing.
#[must_use]
pub fn reservations_beside(found: &Comparison, language: Language) -> Vec<String> {
    let unclear = found.shortened.iter().filter(|found| !found.is_set_back).count();
    let words = || {
        (
            format!("照合したファイルより短いログ{unclear}か月分"),
            format!("{unclear} month(s) of the log shorter than in the file that it was compared with"),
        )
    };
    (unclear > 0).then(words).into_iter().map(|pair| pick(language, pair)).collect()
}

/// What was compared, what follows from it, and what could not be compared, one statement a line.
#[must_use]
pub fn against(found: &Comparison, language: Language) -> Vec<String> {
    let mut statements: Vec<Pair> = Vec::new();
    if found.contradiction_count > 0 {
        statements.push((
            "どちらにもサーバーの署名があります。サーバーがログを作り直したか、古いバックアップに戻されています。両方のファイルをそのまま保存してください。".to_owned(),
            "Both carry the server's signature: it wrote its log anew, or was put back to an older backup. Keep both files as they are.".to_owned(),
        ));
    }
    let Comparison { events, entries, trees, recomputed_trees, .. } = found;
    statements.push((
        format!("比べたもの: イベント{events}件、監査記録{entries}件、両方が示すログの状態{trees}個、一方の記録から計算したログの状態{recomputed_trees}個。"),
        format!("Compared: {events} events, {entries} entries of the audit log, {trees} states of the log that both name, {recomputed_trees} that were computed from the records of the other."),
    ));
    let [receipts, foreign] = found.receipts;
    if receipts + foreign > 0 {
        statements.push((
            format!("受領証{receipts}通を読み取りました。このサーバーの受領証ではない行{foreign}行は比べていません。"),
            format!("{receipts} receipts were read; {foreign} line(s) are no receipts of this server, and were not compared."),
        ));
    }
    let [another, unplaced] = found.other_receipts;
    if another > 0 {
        statements.push((
            format!("このサーバーの別の契約主の受領証{another}通は、別のログのものであり、比べていません。"),
            format!("{another} receipts are of another contract of this server, which has another log, and were not compared."),
        ));
    }
    if unplaced > 0 {
        statements.push((
            format!("受領証{unplaced}通は、契約主の記載がなく、この証拠ファイルにない端末のものです。どのログのものか分からないため、ログの状態も、ないことも比べていません。"),
            format!("{unplaced} receipts name no contract and are of terminals that this pack does not show: of which log they are is unknown, so that neither states of the log nor what is absent was compared."),
        ));
    }
    if found.retired > 0 {
        let retired = found.retired;
        statements.push((
            format!("イベント{retired}件は一方にあり、他方では保存期間の満了により削除されています（監査記録にあります）。矛盾ではありません。"),
            format!("{retired} events are in one of them and were deleted by the retention rule in the other, whose audit log says so: no contradiction."),
        ));
    }
    statements.extend(found.shortened.iter().map(shortened));
    let [events_left, entries_left, trees_left] = found.uncompared;
    if events_left + entries_left + trees_left > 0 {
        statements.push((
            format!("比べられなかったもの（この証拠ファイルの範囲にない）: イベント{events_left}件、監査記録{entries_left}件、ログの状態{trees_left}個。"),
            format!("Not compared, since this pack says nothing of it: {events_left} events, {entries_left} entries, {trees_left} states of the log."),
        ));
    }
    if events + entries + trees + recomputed_trees == 0 {
        statements.push((
            "共通するものがありません。この照合からは何も言えません。".to_owned(),
            "The two have nothing in common: nothing follows from this comparison.".to_owned(),
        ));
    }
    statements.into_iter().map(|pair| pick(language, pair)).collect()
}
