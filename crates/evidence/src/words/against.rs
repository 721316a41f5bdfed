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
        Contradiction::Leaves { month, run } => in_places(
            (month, run),
            "受信時刻または届き方などの内容が異なります。",
            "the time of receipt, or something else of it, is another one.",
        ),
        Contradiction::Occupied { month, run } => {
            in_places((month, run), "異なる2つの記録があります。", "two different records stand in it.")
        }
        Contradiction::Part { month, first, count } => (
            format!("{month}のログの{first}番目から{count}件の部分が、それぞれの証明では異なるものです。"),
            format!(
                "the part of the log of {month} from place {first} on, with {count} record(s), is another one by the proofs of each."
            ),
        ),
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
                "{month}のログは、{first}件と署名された後に作られたファイルで、{later}件までです。その間の記録に、サーバーの時計が（5分を超えて）戻された跡はありません。"
            ),
            format!(
                "the log of {month} was signed with {first} records, and ends with {later} in the pack that was made later; no record in between shows that the server's clock was set back (by over five minutes)."
            ),
        ),
    }
}

/// What is wrong with places of the log.
fn in_places((month, run): (&str, &Run), what: &str, what_english: &str) -> Pair {
    let (numbers, numbers_english) = numbers(run, "件", "places");
    (
        format!("{month}のログの{numbers}番目: {what}"),
        format!("place {numbers_english} of the log of {month}: {what_english}"),
    )
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
        Difference::Retired => (
            "一方にあり、他方では、この番号で削除されたものは別の時刻に起きたとされています。",
            "one has it; by the other one, what was deleted under this number happened at another time.",
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
            "記された時刻によれば、この証拠ファイルが作られたのは他方の続きより前で（5分以内の差を含む）、続きの記録については何も示しません。作成時刻は作成者が記すものです。続きの記録が要るときは、新しい証拠ファイルを求めてください",
            "By its own time this pack was made before what the other one has more (or within five minutes after it), and it shows nothing of these records. Whoever writes a pack chooses its time: where they matter, ask for a newer one",
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
    let early = found.early_receipts;
    let early = (early > 0).then(|| {
        (
            format!("受領証より遅い受信時刻になっているイベント{early}件"),
            format!("{early} event(s) received later by the log than by their receipt"),
        )
    });
    let gone = found.results_gone;
    let gone = (gone > 0).then(|| {
        (
            format!("照合した2つのうち、ログの長い方からなくなっている判定の結果{gone}件"),
            format!("{gone} result(s) gone from the one of the two with the longer log"),
        )
    });
    let said = found.shortened.iter().map(reservation).chain(early).chain(gone);
    said.map(|pair| pick(language, pair)).collect()
}

fn reservation(found: &Shortened) -> Pair {
    let Shortened { is_pack, month, first, later, why } = found;
    let (why, why_english) = match why {
        Length::Older => (
            "記された作成時刻は他方の続きより前（5分以内の差を含む）",
            "by its own time it was made before the rest, or within five minutes after it",
        ),
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
    let (not, not_english) = found.tree.as_ref().map_or_else(Default::default, |(month, size)| {
        (
            format!("バックアップには{month}のログの{size}件までがあったとされています。"),
            format!(" The backup is said to have had the log of {month} up to {size} records."),
        )
    });
    (
        format!(
            "監査記録には、{at} JST に、バックアップ{of}からデータを戻したとあります。その場合、バックアップより後の記録は、ログの別の位置にあるか、ありません。{not}"
        ),
        format!(
            "The log notes a restore on {at} JST, from a backup{of_english}: then what came after the backup stands in other places of the log, or is not there.{not_english}"
        ),
    )
}

fn is_shorter(found: &Contradiction) -> bool {
    matches!(found, Contradiction::Shorter { .. })
}

/// Who restores an older backup first and a newer one afterwards loses the note of the first.
fn unexplained(count: u64) -> Pair {
    (
        format!(
            "{count}件の矛盾は、これらのバックアップのどれにもあったとされる部分にあります。記録のある復元では説明できません（後の復元で記録ごと失われた復元による場合はあります）。"
        ),
        format!(
            "{count} of the contradictions lie before what each of these backups is said to have had: no restore that is noted explains them (one whose note was lost with a later restore could)."
        ),
    )
}

/// What was compared, what follows from it, and what could not be compared, one statement a line.
#[must_use]
pub fn against(found: &Comparison, language: Language) -> Vec<String> {
    let mut statements: Vec<Pair> = Vec::new();
    if found.contradiction_count > 0 {
        statements.push((
            "どちらにもサーバーの署名があります。サーバーが、いったん発行した内容を変えたか、古いバックアップに戻されています。両方のファイルをそのまま保存してください。".to_owned(),
            "Both carry the server's signature: it changed what it had given out, or was put back to an older backup. Keep both files as they are.".to_owned(),
        ));
        if !found.contradictions.is_empty() && found.contradictions.iter().all(is_shorter) {
            statements.push((
                "または、記録に跡の残らない形で、サーバーの時計が戻されたか、複数のサーバーの時計が異なっています。より新しい証拠ファイルとも照合してください。".to_owned(),
                "Or its clock was set back, or the clocks of its nodes differ, in a way that no record shows: compare with a newer pack, too.".to_owned(),
            ));
        }
        statements.extend(found.restores.iter().map(restore));
        statements.extend(found.unexplained.map(unexplained));
    }
    statements.push(what_was_compared(found));
    statements.extend(of_receipts(found));
    statements.extend(absent(found));
    statements.extend(found.shortened.iter().map(shortened));
    let [events, entries, trees] = found.uncompared;
    if events + entries + trees > 0 {
        statements.push((
            format!("比べられなかったもの（どちらかに、比べられる内容がない）: イベント{events}件、監査記録{entries}件、ログの状態{trees}個。"),
            format!("Not compared, since one of the two says nothing of it that could be: {events} events, {entries} entries, {trees} states of the log."),
        ));
    }
    if has_nothing_in_common(found) {
        statements.push((
            "共通するものがありません。この照合からは何も言えません。".to_owned(),
            "The two have nothing in common: nothing follows from this comparison.".to_owned(),
        ));
    }
    statements.into_iter().map(|pair| pick(language, pair)).collect()
}

fn what_was_compared(found: &Comparison) -> Pair {
    let Comparison { events, entries, trees, recomputed_trees, parts, others: [terminals, results], .. } =
        found;
    (
        format!(
            "比べたもの: イベント{events}件、監査記録{entries}件、両方が示すログの状態{trees}個、一方の記録から計算したログの状態{recomputed_trees}個、証明が示すログの部分{parts}個、公開鍵{terminals}個、判定の結果{results}個。"
        ),
        format!(
            "Compared: {events} events, {entries} entries of the audit log, {trees} states of the log that both name, {recomputed_trees} that were computed from the records of the other, {parts} parts of the log that proofs show, {terminals} public keys, {results} results."
        ),
    )
}

fn of_receipts(found: &Comparison) -> Vec<Pair> {
    let mut statements = Vec::new();
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
    let early = found.early_receipts;
    if early > 0 {
        statements.push((
            format!("イベント{early}件は、ログの受信時刻が、受領証の受信時刻より5分を超えて後になっています。サーバーの時計が戻された後か、時計の遅れた別のサーバーに再び送られたか、ログの受信時刻が書き換えられています。"),
            format!("{early} event(s) were received over five minutes later by the log than by their receipt: they were sent once more after the server's clock was set back or to a node whose clock is behind, or their times in the log were changed."),
        ));
    }
    statements
}

/// What one of them has, and the other one has not.
fn absent(found: &Comparison) -> Vec<Pair> {
    let mut statements = Vec::new();
    let Comparison { retired, called_missing: missing, results_gone: gone, .. } = found;
    if *retired > 0 {
        statements.push((
            format!("イベント{retired}件は一方にあり、他方では保存期間の満了により削除されています（監査記録にあります）。矛盾ではありません。"),
            format!("{retired} events are in one of them and were deleted by the retention rule in the other, whose audit log says so: no contradiction."),
        ));
    }
    if *missing > 0 {
        statements.push((
            format!("イベント{missing}件を、受領証は保存されたとし、この証拠ファイルは届いていないとしています。受領証にログの中の位置がないため、どちらが先のものかは分かりません。"),
            format!("{missing} event(s) were stored by a receipt, and never arrived by this pack: as the receipt names no place in the log, which of the two came first is not known."),
        ));
    }
    if *gone > 0 {
        statements.push((
            format!("判定の結果{gone}件が、ログの長い方のファイルにはもうありません。結果は追加されるだけで、消されることはありません。"),
            format!("{gone} result(s) are not there any more in the one with the longer log. Results are only added, and none is ever removed."),
        ));
    }
    statements
}

/// Whether nothing is said of anything.
fn has_nothing_in_common(found: &Comparison) -> bool {
    let Comparison { events, entries, trees, recomputed_trees, parts, others, .. } = found;
    let compared = events + entries + trees + recomputed_trees + parts + others.iter().sum::<u64>();
    let said = found.contradiction_count + found.retired + found.called_missing + found.results_gone;
    compared + said == 0 && found.shortened.is_empty()
}
