//! What has been found, in words: what is proven, what the record itself shows, and what nobody can prove. [`names`]
//! names terminals, times and punches, [`signatures`] says which of the terminals' signatures are not here, [`grade`] says it
//! all in one line, [`against`] what came of a comparison.

mod against;
mod grade;
mod names;
mod signatures;

use mngntime_model::{Language, UtcMillis};
use mngntime_wire::LogTree;

use crate::format::Pack;
use crate::months;
use crate::seal::SealFault;
use crate::verify::{Emptiness, Fault, FaultKind, NotedKind, Report, Witnessed};

pub use against::{against, contradiction, reservations_beside};
pub use grade::{reservations, verdict, verdict_with};
pub use names::{clock_notes, punch, result};
use names::{japan, terminal};

/// Texts in both languages: Japanese, English.
type Pair = (String, String);

fn pick(language: Language, pair: Pair) -> String {
    match language {
        Language::Japanese => pair.0,
        Language::English => pair.1,
    }
}

/// Why the seal does not hold.
#[must_use]
pub fn seal_fault(fault: SealFault, language: Language) -> &'static str {
    let (japanese, english) = match fault {
        SealFault::Missing => (
            "封印がありません。証拠ファイルではないか、末尾が失われています。",
            "The file has no seal: it is no evidence pack, or its end is missing.",
        ),
        SealFault::WrongSignature => (
            "封印は指定された鍵で署名されていません。別のサーバーのものか、書き換えられています。",
            "The seal is not signed by the key that was given: the file is another server's, or was changed.",
        ),
        SealFault::Changed => {
            ("封印の後にファイルが変更されています。", "The file has been changed since it was sealed.")
        }
    };
    match language {
        Language::Japanese => japanese,
        Language::English => english,
    }
}

/// A fault as one line.
#[must_use]
pub fn fault(fault: &Fault, language: Language) -> String {
    let (japanese, english) = kind(&fault.kind);
    let line = fault.line;
    pick(
        language,
        (format!("record.jsonl の{line}行目: {japanese}"), format!("record.jsonl, line {line}: {english}")),
    )
}

fn kind(kind: &FaultKind) -> Pair {
    let plain = |japanese: &str, english: &str| (japanese.to_owned(), english.to_owned());
    match kind {
        FaultKind::Malformed => plain("読み取れません。", "cannot be read."),
        FaultKind::Misplaced => plain(
            "行の順序が正しくありません。",
            "stands where it may not stand: lines were moved, added or removed.",
        ),
        FaultKind::WrongCount => {
            plain("行数が一致しません。", "the number of lines is not the one that was written.")
        }
        FaultKind::OtherServer => plain(
            "別のサーバー、または未対応の版のものです。",
            "is another server's, or of a version that this program does not know.",
        ),
        FaultKind::WrongHead => plain(
            "ログの署名が正しくないか、月のつながりが切れています。",
            "a head of the log is not signed by the server, or does not continue the month before.",
        ),
        FaultKind::NotAppendOnly => plain(
            "ログが、以前に署名された状態の続きになっていません。",
            "the log does not continue what had been signed before.",
        ),
        FaultKind::WrongBatch => {
            plain("端末の署名が一致しません。", "the terminal's signature does not match.")
        }
        FaultKind::WrongReceipt => plain(
            "受領証の署名または内容が一致しません。",
            "a receipt is not the server's, or says something else than this record.",
        ),
        FaultKind::WrongJudgement => {
            plain("判定の履歴が正しくありません。", "the history of results has a hole or no event.")
        }
        FaultKind::WrongDay => plain(
            "日の記録状況が、イベントから求めたものと一致しません。",
            "the events say something else about the day.",
        ),
        FaultKind::WrongEntry => {
            plain("監査記録として読み取れません。", "is no entry of this contract's audit log.")
        }
        FaultKind::EntryNotInLog { number } => entry_not_in_log(*number),
        FaultKind::NotAsNoted { kind, id } => contradicted(*kind, id),
        FaultKind::NotAsSent { sequence } => not_as_sent(*sequence),
        FaultKind::NotEverything => plain(
            "全件のはずのファイルに、ログの一部が含まれていません。",
            "the pack is about everything, but does not hold the whole log.",
        ),
        FaultKind::OtherEmployee => plain(
            "対象の社員が示されていないか、ほかの社員またはその関連付けが示されています。",
            "the employee whom the pack is about is not shown, or somebody else is.",
        ),
        FaultKind::Doubled => {
            plain("すでに示されたものが、もう一度示されています。", "shows once more what was shown already.")
        }
        FaultKind::UnnamedTree => plain(
            "どの受領証にもないログの状態が、端末に通知済みとして示されています。",
            "a state of the log is shown that no receipt names.",
        ),
        FaultKind::EmptyTerminal => plain(EMPTY_TERMINAL.0, EMPTY_TERMINAL.1),
        FaultKind::NotRetired { sequence } => event(*sequence, NOT_RETIRED),
        FaultKind::NoHead => plain(NO_HEAD.0, NO_HEAD.1),
        FaultKind::HiddenFromNobody { sequence } => event(*sequence, HIDDEN_FROM_NOBODY),
        FaultKind::SomebodyElse { sequence } => event(*sequence, SOMEBODY_ELSE),
        FaultKind::WrongEvent { sequence } => event(*sequence, WRONG_EVENT),
        FaultKind::LeftOut { sequence } => event(*sequence, LEFT_OUT),
        FaultKind::NotInLog { sequence } => event(*sequence, NOT_IN_LOG),
    }
}

const NO_HEAD: (&str, &str) = (
    "署名されたログの先頭（head）が1つもありません。このファイルは何も証明しません。",
    "no signed head of the log is shown: nothing is proven of anything.",
);
const EMPTY_TERMINAL: (&str, &str) =
    ("イベントが1件もない端末が示されています。", "a terminal is shown without any event.");
const NOT_RETIRED: (&str, &str) = (
    "からのイベントは保存期間の満了により削除されたことになっていますが、監査記録にありません。",
    "and those after it are called deleted by the retention rule, but the audit log does not say so.",
);
const HIDDEN_FROM_NOBODY: (&str, &str) = (
    "のイベントは、全社員についてのファイルなのに内容が示されていません。",
    "is not shown, though the pack is about everybody.",
);
const SOMEBODY_ELSE: (&str, &str) =
    ("は、対象の社員のものではないイベントです。", "belongs to somebody whom the pack is not about.");
const WRONG_EVENT: (&str, &str) =
    ("のイベントが正しくありません。", "is no event, or stands under another number.");
const LEFT_OUT: (&str, &str) = ("のイベントが除かれています。", "has been left out.");
const NOT_IN_LOG: (&str, &str) =
    ("のイベントは、署名されたログに含まれていません。", "is not in the log that the server signed.");

fn event(number: u64, (japanese, english): (&str, &str)) -> Pair {
    (format!("番号{number}{japanese}"), format!("event {number} {english}"))
}

fn entry_not_in_log(number: u64) -> Pair {
    (
        format!("監査記録{number}は、署名されたログに含まれていません。"),
        format!("entry {number} of the audit log is not in the log that the server signed."),
    )
}

fn contradicted(kind: NotedKind, id: &str) -> Pair {
    let japanese = match kind {
        NotedKind::Link => "関連付け",
        NotedKind::Terminal => "端末",
        NotedKind::Month => "削除された月",
    };
    (
        format!("{japanese} {id} の内容が、ログに含まれる監査記録と一致しません。"),
        format!("what is shown of {} {id} contradicts the audit log.", kind.name()),
    )
}

fn not_as_sent(number: u64) -> Pair {
    event(
        number,
        (
            "のイベントの再送の印または時計の差が、端末の署名した送信と一致しません。",
            "came otherwise than the terminal's signed batch says.",
        ),
    )
}

/// Whom and which time a pack is about.
#[must_use]
pub fn subject(pack: &Pack, language: Language) -> String {
    let Pack { contract, contract_name, .. } = pack;
    let (who, who_english) = match &pack.employee {
        Some(code) => (format!("社員 {code}"), format!("employee {code}")),
        None => ("全社員".to_owned(), "everybody".to_owned()),
    };
    let (when, when_english) = match &pack.dates {
        Some([from, to]) => (format!("{from} ～ {to}"), format!("{from} to {to}")),
        None => ("全期間".to_owned(), "all time".to_owned()),
    };
    pick(
        language,
        (
            format!("対象: {who}、{when}、契約主 {contract} {contract_name}"),
            format!("about: {who_english}, {when_english}, contract {contract} {contract_name}"),
        ),
    )
}

/// What is proven, one statement a line.
#[must_use]
pub fn proven(report: &Report, language: Language) -> Vec<String> {
    let Report { events, hidden, signed, links, receipts, receipted, terminals, earlier_trees, .. } = report;
    let months = report.trees.len();
    let mut statements = vec![
        (
            "このファイルは、サーバーが封印した時から1ビットも変わっていません。".to_owned(),
            "This file is bit for bit what the server sealed.".to_owned(),
        ),
        (
            format!(
                "{terminals}台の端末のイベント{events}件（ほかに内容を示さないもの{hidden}件）は、サーバーが署名した追記専用ログ（{months}か月分）に含まれています。"
            ),
            format!(
                "{events} events of {terminals} terminal(s) (and {hidden} that are not shown) are in the append-only log that the server signed ({months} month(s))."
            ),
        ),
        (
            format!("うち{signed}件は、端末の鍵による署名が確認できました。"),
            format!("{signed} of them carry the signature of their terminal's key."),
        ),
        (
            format!("端末のイベントのつながり（ハッシュチェーン）{links}か所を確認しました。"),
            format!("{links} links of the terminals' hash chains hold."),
        ),
        (
            format!("受領証{receipts}通の署名を確認しました。{receipted}件のイベントに受領証があります。"),
            format!("{receipts} receipts are signed by the server; {receipted} events have one."),
        ),
    ];
    let (links, keys) = (report.account_links, *terminals);
    let (backed_links, backed_keys) =
        (links.saturating_sub(report.unbacked_links), keys.saturating_sub(report.unbacked_keys));
    if report.entries > 0 {
        statements.push((
            format!(
                "監査記録{}件は、同じログに含まれています。端末{backed_keys}台の公開鍵と、アカウントの関連付け{backed_links}件は、登録した時の監査記録と一致します。",
                report.entries
            ),
            format!(
                "{} entries of the audit log are in the same log. The public keys of {backed_keys} terminal(s) and {backed_links} link(s) of accounts to employees are those that were noted when they were made.",
                report.entries
            ),
        ));
    }
    if *earlier_trees > 0 {
        statements.push((
            format!("端末に通知済みのログの状態{earlier_trees}個は、すべて現在のログの途中の状態です。"),
            format!("All {earlier_trees} states of the log that terminals had been told of are beginnings of the log as it is."),
        ));
    }
    statements.into_iter().map(|pair| pick(language, pair)).collect()
}

/// What the record itself shows and a reader must know, one statement a line.
#[must_use]
pub fn to_be_known(report: &Report, language: Language) -> Vec<String> {
    let mut statements = Vec::from_iter(report.emptiness.map(empty_pack));
    for (id, first, last) in &report.missing {
        let (japanese, english) = terminal(report, id);
        statements.push((
            format!("{japanese}: 番号{first}～{last}のイベントは届いていないと、サーバーが申告しています。"),
            format!("{english}: the server says that it never got the events {first} to {last}."),
        ));
    }
    for (id, sequence) in &report.roll_backs {
        let (japanese, english) = terminal(report, id);
        statements.push((
            format!("{japanese}: 番号{sequence}で、PCが以前の状態に戻されたことが申告されています。"),
            format!("{english}: event {sequence} declares that the PC was set back to an earlier state."),
        ));
    }
    for (id, sequence) in &report.breaks {
        let (japanese, english) = terminal(report, id);
        statements.push((
            format!("{japanese}: 番号{sequence}の前でつながりが切れています。PCの記録の破損のほか、サーバー側での変更や追加でも起こります。"),
            format!("{english}: the chain breaks before event {sequence}. Damaged records on the PC do that, and so does a change or an addition by the server."),
        ));
    }
    statements.extend(names::days_cut(report));
    statements.extend(signatures::unsigned(report));
    statements.extend(signatures::withheld(report));
    statements.extend(signatures::sent_otherwise(report));
    statements.extend(names::odd_times(report));
    statements.extend(names::marks(report));
    if report.declared_missing > 0 {
        let count = report.declared_missing;
        statements.push((
            format!("{count}件の記録は、読み取れなくなったと端末自身が申告しています。"),
            format!("The terminals themselves declare {count} records as unreadable."),
        ));
    }
    let newest = report.trees.iter().map(|tree| tree.month.as_str()).max();
    if let Some((month, pack)) = newest.zip(report.pack.as_ref())
        && months::is_ahead(month, UtcMillis(pack.made_at))
    {
        statements.push(clock_was_wrong(month));
    }
    statements.extend(report.retired_months.iter().map(|(month, at)| retired(month, *at)));
    if report.retired > 0 {
        let (numbers, days) = (report.retired, report.retired_days);
        statements.push((
            format!("保存期間の満了により削除された記録: {numbers}件（端末の日の数: {days}）。削除されたことは、勤務がなかったことを意味しません。"),
            format!("Deleted by the retention rule: {numbers} records, on {days} day(s) of a terminal. That they are deleted does not mean no work."),
        ));
    }
    let [observed, agent_off, unknown] = report.days;
    statements.push((
        format!("日の記録状況: 記録あり{observed}、エージェント停止中を含む{agent_off}、不明な時間を含む{unknown}。記録がないことは、勤務がないことを意味しません。"),
        format!("Days: {observed} observed, {agent_off} with time without the agent, {unknown} with time of which nothing is known. No record does not mean no work."),
    ));
    statements.into_iter().map(|pair| pick(language, pair)).collect()
}

/// Whether there is no pack that shows more.
fn is_about_everything(report: &Report) -> bool {
    report.pack.as_ref().is_some_and(Pack::is_about_everything)
}

/// No event, and why that says nothing of anybody.
#[must_use]
pub fn emptiness(why: Emptiness, language: Language) -> String {
    pick(language, empty_pack(why))
}

/// A logon is somebody's account's, so that none is shown without a link; a PC whose clock was ahead may have one on dates
/// that had not begun.
fn empty_pack(why: Emptiness) -> Pair {
    let (japanese, english) = match why {
        Emptiness::Future => (
            "この期間は、このファイルの作成時にまだ始まっていません。この期間の打刻があるとすれば、時計の進んでいたPCのものだけです。",
            "These dates had not begun when this file was made: it shows no punch on them, unless a PC's clock was ahead.",
        ),
        Emptiness::NoLink => (
            "サーバーの申告によれば、この社員に関連付けられたアカウント（Windowsユーザー）はありません。そのため、このファイルにはこの社員の打刻がありません。",
            "By the server's word no account (Windows user) is linked to this employee. So this file shows no punch of this employee.",
        ),
        Emptiness::NoLinkThen => (
            "サーバーの申告によれば、この期間にこの社員に関連付けられたアカウント（Windowsユーザー）はありません。そのため、このファイルにはこの期間の打刻がありません。",
            "By the server's word no account (Windows user) was linked to this employee on these dates. So this file shows no punch on them.",
        ),
    };
    (
        format!("{japanese}勤務がなかったことを意味しません。"),
        format!("{english} That does not mean no work."),
    )
}

fn retired(month: &str, at: i64) -> Pair {
    let on = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    let on = jiff::tz::offset(9).to_datetime(on).date();
    (
        format!(
            "{month}に届いた記録は、保存期間の満了により{on}に削除されました（監査記録にあります）。この月の署名は残っています。"
        ),
        format!(
            "What arrived in {month} was deleted on {on}, when its retention period had ended (the audit log says so). The month's signed head is still there."
        ),
    )
}

fn clock_was_wrong(month: &str) -> Pair {
    (
        format!(
            "ログの最新の月（{month}）は、作成時のサーバーの時計より先の月です。サーバーの時計が一度進んだか、作成時に遅れていました。その後に届いた記録も{month}に入っています。順序は正しく、受信時刻はそのときの時計によります。"
        ),
        format!(
            "The newest month of the log ({month}) lies after the server's clock when this was made: that clock had once jumped ahead, or was behind. What arrived since is in {month} too, in the right order; its times of receipt are those of the clock."
        ),
    )
}

/// What no file can prove.
fn never_proven(report: &Report) -> Vec<(String, String)> {
    let (difference, difference_english) = names::length(report.clock_offset_max_ms);
    vec![
        (
            "PCの前にいたのが誰か。記録が示すのは、どのアカウントが使われたかです。".to_owned(),
            "Who sat at the PC: the record shows which account was used.".to_owned(),
        ),
        (
            format!("PCの時計の正しさ。サーバーの時計との差は最大{difference}でした。サーバーの時計そのものは、このファイルでは確認できません。"),
            format!("That the PCs' clocks were right: they differed from the server's by at most {difference_english}, and the server's own clock cannot be checked here."),
        ),
        (
            "鍵がサーバーのものであること。鍵は、このファイルとは別の経路で受け取ってください。".to_owned(),
            "That the key is the server's: get the key by another way than this file.".to_owned(),
        ),
        (
            "summary.pdf は閲覧用です。記録は record.jsonl です。".to_owned(),
            "summary.pdf is for reading; record.jsonl is the record.".to_owned(),
        ),
        (
            "サーバーの申告によるもの: 社員とアカウントの名前、判定結果、端末の最後の通信時刻、このファイルの作成時刻、監査記録が記録時に正しかったこと。".to_owned(),
            "The server's word: names of employees and accounts, results, the terminals' last contact, when this file was made, and that what the audit log notes was true when it was noted.".to_owned(),
        ),
        written_anew(report),
        newest_head(report),
    ]
}

/// The root of everything that this file cannot prove: there is no witness in it but the server. Which receipts are in it
/// the server has chosen, too: how far they go says nothing of those that the PCs have.
fn written_anew(report: &Report) -> Pair {
    let (japanese, english) = match &report.witnessed {
        Some(Witnessed { tree, at }) => {
            let (LogTree { month, size, .. }, at) = (tree, japan(*at, "%Y-%m-%d %H:%M"));
            (
                format!(
                    "このファイルの受領証が示す最も新しいログの状態は、{month}の{size}件まで（{at} JST の受領証）です。PCに残る受領証は、それより後の状態を示すことがあります。照合してください（--against）。"
                ),
                format!(
                    "The newest state of the log that a receipt in this file names is of {size} records of {month} (receipt of {at} JST); receipts kept on the PCs may name later ones: compare them (--against)."
                ),
            )
        }
        None => (
            "このファイルには、ログの状態を示す受領証がありません。PCに残る受領証は、それを示すことがあります。照合してください（--against）。".to_owned(),
            "No receipt in this file names a state of the log; receipts kept on the PCs may name some: compare them (--against).".to_owned(),
        ),
    };
    (
        format!(
            "ログ全体が、後から作り直されたものでないこと。サーバーの鍵を持つ者は、記録を変え、除き、または日時をさかのぼらせた上で、ログ全体を作り直し、署名し直すことができます（全件のファイルでも同じです）。PCに残る受領証、または以前に受け取った証拠ファイルと照合すると分かることがあります（mngntime verify … --against ファイル）。端末の署名があるイベントの内容は、示された公開鍵がその端末のものである限り、それでも変えられません。{japanese}"
        ),
        format!(
            "That the log was not written anew: whoever holds the server's key can change, leave out or backdate records, and build and sign the whole log anew, of a pack about everything, too. A comparison with the receipts that the PCs keep, or with a pack given out before, may show it (mngntime verify … --against FILE). What carries its terminal's signature cannot be changed even so, as long as the public key that is shown is that PC's. {english}"
        ),
    )
}

/// Nobody can tell a log that ends from one that was ended, but by a receipt from beyond its end.
fn newest_head(report: &Report) -> Pair {
    let at = report.newest_head_at.map(|at| japan(at, "%Y-%m-%d %H:%M"));
    let (japanese, english) =
        at.map_or_else(Default::default, |at| (format!("（{at} JST）"), format!(" ({at} JST)")));
    (
        format!(
            "ログの最新の署名{japanese}より後に届いた記録。サーバーの鍵を持つ者は、それより後のログ全体を省くことができます（全件のファイルでも同じです）。PCに残る受領証と照合すると分かることがあります。"
        ),
        format!(
            "What arrived after the newest signed head of the log{english}: whoever holds the server's key can leave out the whole log after a head, of a pack about everything, too. The receipts that the PCs keep may show it."
        ),
    )
}

/// What this file cannot prove, one statement a line.
#[must_use]
pub fn not_proven(report: &Report, language: Language) -> Vec<String> {
    let (files, hidden) = (report.file_keys, report.hidden);
    let mut statements = never_proven(report);
    let (keys, links) = (report.unbacked_keys, report.unbacked_links);
    if keys + links > 0 {
        statements.push((
            format!("端末{keys}台の公開鍵とアカウントの関連付け{links}件は、登録した時の監査記録がこのファイルのログに示されていないため、サーバーの申告によるものです。"),
            format!("The public keys of {keys} terminal(s) and {links} link(s) of accounts to employees are only the server's word: the log in this file does not show that they were noted when they were made."),
        ));
    }
    statements.extend(signatures::not_here(report));
    if report.pack.is_some() && !is_about_everything(report) {
        statements.push((
            "関連付けや端末についての監査記録（たとえば関連付けの終了）がほかにないこと。サーバーの鍵を持つ者は、一部の社員についてのファイルから監査記録を省くことができます。全件のファイル（--all）では、ログ全体を作り直さない限り、最新の署名までのものは何も省けません。".to_owned(),
            "That the audit log has no further entries on these links and terminals, such as the end of a link: whoever holds the server's key can leave entries out of a pack that is not about everything. One about everything (--all) leaves nothing out up to its newest head, unless the whole log is written anew.".to_owned(),
        ));
        statements.push((
            "ほかの端末や、示された番号の範囲外に記録がないこと。".to_owned(),
            "That no other terminal and no number outside those shown speaks of this.".to_owned(),
        ));
    }
    let missing = names::missing_numbers(report);
    if missing > 0 {
        statements.push((
            format!("届いていないとされる番号{missing}個のイベントが、本当に届いていなかったこと。サーバーの申告です。サーバーの鍵を持つ者は、届いたイベントを、その受領証とともに省き、届いていないと申告することができます。PCに残る受領証と照合すると分かることがあります。"),
            format!("That the {missing} numbers called missing never arrived: that is the server's word. Whoever holds its key can leave an event out with its receipts and call it missing; the receipts that the PC keeps may show it."),
        ));
    }
    if report.pack.as_ref().is_some_and(|pack| pack.employee.is_some()) {
        statements.push((
            "この社員に、ほかの関連付けまたはアカウントがないこと。また、示された最初の日より前の日や番号が省かれていないこと。サーバーの申告です。".to_owned(),
            "That this employee has no further links or accounts, and that no day or number before the first one shown was left out: that is the server's word.".to_owned(),
        ));
        statements.push((
            format!("内容を示さない記録{hidden}件が誰のものか。サーバーの鍵を持つ者は、対象の社員の記録を、ほかの人のもののように隠すことができます。全件のファイル（--all）には、隠されたイベントはありません。"),
            format!("Whose the {hidden} hidden events are: whoever holds the server's key can hide events of this employee as if they were somebody else's. One about everything (--all) hides nothing."),
        ));
    }
    if files > 0 {
        statements.push((
            format!(
                "{files}台の端末の鍵はファイルに保存されており、PCの管理者が複製できた可能性があります。"
            ),
            format!(
                "The keys of {files} terminal(s) are files, which an administrator of the PC could have copied."
            ),
        ));
    }
    if report.older_months {
        statements.push((
            "最初の月より前の月のログ（このファイルの対象外です）。".to_owned(),
            "The log of the months before the first one, which are not in this file.".to_owned(),
        ));
    }
    statements.into_iter().map(|pair| pick(language, pair)).collect()
}
