//! What came of a comparison, in words.

use mngntime_model::Language;

use super::names::japan;
use super::{Pair, pick};
use crate::against::{Comparison, Contradiction, Difference, Length, Restore, Run, Shortened};

/// A contradiction as one line.
#[must_use]
pub fn contradiction(compared: &Comparison, found: &Contradiction, language: Language) -> String {
    pick(language, contradicts(compared, found))
}

fn contradicts(compared: &Comparison, found: &Contradiction) -> Pair {
    match found {
        Contradiction::Key { terminal: id } => {
            let (japanese, english) = terminal(compared, id);
            (
                format!("{japanese}: 公開鍵が異なります。"),
                format!("{english}: the public key is another one."),
            )
        }
        Contradiction::Events { terminal: id, run, how } => {
            let ((japanese, english), (what, what_english)) = (terminal(compared, id), difference(*how));
            let (numbers, numbers_english) = numbers(run, "件", "events");
            (
                format!("{japanese}の番号{numbers}: {what}"),
                format!("{english}, event {numbers_english}: {what_english}"),
            )
        }
        Contradiction::Entries { run, how } => {
            let (what, what_english) = difference(*how);
            let (numbers, numbers_english) = numbers(run, "件", "entries");
            (
                format!("監査記録{numbers}: {what}"),
                format!("entry {numbers_english} of the audit log: {what_english}"),
            )
        }
        Contradiction::Results { terminal: id, run } => {
            let (japanese, english) = terminal(compared, id);
            let (numbers, numbers_english) = numbers(run, "件", "punches");
            (
                format!("{japanese}の番号{numbers}: 判定の結果が異なります。"),
                format!("{english}, event {numbers_english}: the results are others."),
            )
        }
        Contradiction::Leaves { month, run } => {
            let (numbers, numbers_english) = numbers(run, "件", "places");
            (
                format!("{month}のログの{numbers}番目: 受信時刻または届き方などの内容が異なります。"),
                format!(
                    "place {numbers_english} of the log of {month}: the time of receipt, or something else of it, is another one."
                ),
            )
        }
        Contradiction::Tree { month, size } => (
            format!("{month}のログの{size}件までの状態に、異なる2つの署名があります。"),
            format!("two different states of the log of {month} with {size} records were signed."),
        ),
        Contradiction::Ended { month, ended, told } => (
            format!("{month}のログは{ended}件で終わっていると署名されていますが、{told}件まであります。"),
            format!("the log of {month} was signed as ended with {ended} records, and goes on to {told}."),
        ),
        Contradiction::Shorter { month, first, later } => (
            format!(
                "{month}のログは、{first}件と署名された後に作られたファイルで、{later}件までです。その間にサーバーの時計は戻されていません。"
            ),
            format!(
                "the log of {month} was signed with {first} records, and ends with {later} in the pack that was made later; the server's clock was not set back in between."
            ),
        ),
    }
}

/// A terminal by its host name, as either of the two has it, and id.
fn terminal(compared: &Comparison, id: &str) -> Pair {
    match compared.hosts.get(id) {
        Some(host) => (format!("端末 {host}（{id}）"), format!("Terminal {host} ({id})")),
        None => (format!("端末 {id}"), format!("Terminal {id}")),
    }
}

/// Numbers in a row, and how many they are.
fn numbers(run: &Run, counter: &str, what: &str) -> Pair {
    let Run { first, last, count } = run;
    if first == last {
        return (first.to_string(), first.to_string());
    }
    (format!("{first}～{last}（{count}{counter}）"), format!("{first}-{last} ({count} {what})"))
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
    let Shortened { is_pack, month, first, later, why } = found;
    let (which, which_english) = match is_pack {
        true => ("この証拠ファイル", "This pack"),
        false => ("照合したファイル", "The file that it was compared with"),
    };
    let (why, why_english) = match why {
        Length::Older => (
            "時刻によれば、この証拠ファイルの方が古く、それより後の記録については何も示しません。後の記録が要るときは、新しい証拠ファイルを求めてください",
            "By the times this pack is the older one, and it shows nothing of the records after it: where they matter, ask for a newer one",
        ),
        Length::SetBack => (
            "時刻によれば後に作られていますが、その間の記録は、サーバーの時計がその時刻から戻されたことを示しています。その場合は、短いほうが先に作られたものです。矛盾ではありませんが、終わりが切り取られていないことの証明でもありません",
            "By the times it was made later, and the records between show that the server's clock was set back from such a time: then the shorter one was made first. That is no contradiction, and no proof either that nothing was cut off",
        ),
        Length::Unclear => (
            "他方の後の部分に、作成時刻より前の時刻があります。サーバーの時計が戻されたのか（または別のサーバーの時計が異なるのか）、ログの終わりが切り取られたのか、後の部分が日時をさかのぼって書き込まれたのかは、この照合からは分かりません。すべての記録のあるファイル（--all）と照合してください",
            "What the other one has more has times from before it was made: whether the server's clock was set back (or that of another node differs), the end of the log was cut off, or what follows was written with times of the past, cannot be said from this. Compare with a pack that has every record (--all)",
        ),
    };
    (
        format!("{which}の{month}のログは{later}件までで、他方には{first}件まであります。{why}。"),
        format!(
            "{which_english} tells of {later} records of the log of {month}, the other one of {first}. {why_english}."
        ),
    )
}

/// What 真正 does not cover once the two are beside each other, in a few words; empty when there is nothing.
#[must_use]
pub fn reservations_beside(found: &Comparison, language: Language) -> Vec<String> {
    found.shortened.iter().map(|found| pick(language, reservation(found))).collect()
}

fn reservation(found: &Shortened) -> Pair {
    let Shortened { is_pack, month, first, later, why } = found;
    let (why, why_english) = match why {
        Length::Older => ("この証拠ファイルの方が古い", "it is the older one"),
        Length::SetBack => (
            "サーバーの時計が戻されたか、終わりが切り取られている",
            "the server's clock was set back, or the end was cut off",
        ),
        Length::Unclear => ("終わりが切り取られたかどうか不明", "whether the end was cut off is not known"),
    };
    match is_pack {
        true => (
            format!("照合したファイルより短いログ（{month}: {later}件、他方は{first}件。{why}）"),
            format!(
                "a log that ends before the one that it was compared with ({month}: {later} records, there {first}; {why_english})"
            ),
        ),
        false => (
            format!(
                "この証拠ファイルより短い、照合したファイルのログ（{month}: {first}件、他方は{later}件。{why}）"
            ),
            format!(
                "a log that goes on after the one that it was compared with ({month}: {first} records, there {later}; {why_english})"
            ),
        ),
    }
}

/// A restore explains what has other places, and what is not there any more; whether it was one, people must find out.
fn restore(found: &Restore) -> Pair {
    let full = |at| japan(at, "%Y-%m-%d %H:%M:%S");
    let at = full(found.at);
    let (of, of_english) = found.backup_made_at.map_or_else(Default::default, |made| {
        (format!("（{}に作成したもの）", full(made)), format!(" made at {}", full(made)))
    });
    (
        format!(
            "監査記録には、{at} JST に、バックアップ{of}からデータを戻したとあります。その場合、バックアップより後の記録は、ログの別の位置にあるか、ありません。"
        ),
        format!(
            "The log notes a restore on {at} JST, from a backup{of_english}: then what came after the backup stands in other places of the log, or is not there."
        ),
    )
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
        statements.extend(found.restores.iter().map(restore));
    }
    let Comparison { events, entries, trees, recomputed_trees, others: [terminals, results], .. } = found;
    statements.push((
        format!("比べたもの: イベント{events}件、監査記録{entries}件、両方が示すログの状態{trees}個、一方の記録から計算したログの状態{recomputed_trees}個、公開鍵{terminals}個、判定の結果{results}個。"),
        format!("Compared: {events} events, {entries} entries of the audit log, {trees} states of the log that both name, {recomputed_trees} that were computed from the records of the other, {terminals} public keys, {results} results."),
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
