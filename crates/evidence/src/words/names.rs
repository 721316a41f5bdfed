//! Terminals, events and times by name, so that somebody who inspects one day finds it.

use mngntime_attendance::completeness::DAYS_MAX;
use mngntime_model::{Language, PunchResult, UtcMillis};

use super::{Pair, pick};
use crate::format::Marks;
use crate::verify::{DaysCut, OddTime, Oddity, Report, ShownPunch, Stamped};

/// A time in Japan.
pub(super) fn japan(at: i64, form: &str) -> String {
    let time = jiff::Timestamp::from_millisecond(at);
    time.map_or_else(
        |_| at.to_string(),
        |time| jiff::tz::offset(9).to_datetime(time).strftime(form).to_string(),
    )
}

fn full(at: i64) -> String {
    japan(at, "%Y-%m-%d %H:%M:%S")
}

/// A terminal by its host name and id.
pub(super) fn terminal(report: &Report, id: &str) -> Pair {
    match report.hosts.get(id) {
        Some(host) => (format!("端末 {host}（{id}）"), format!("Terminal {host} ({id})")),
        None => (format!("端末 {id}"), format!("Terminal {id}")),
    }
}

/// Numbers called missing that no terminal declares itself.
pub(super) fn missing_numbers(report: &Report) -> u64 {
    let count = |(_, first, last): &(String, u64, u64)| last.saturating_sub(*first).saturating_add(1);
    report.missing.iter().map(count).fold(0, u64::saturating_add)
}

/// Times of the server that stand out.
pub(super) fn odd_times(report: &Report) -> Vec<Pair> {
    let mut statements: Vec<Pair> = report.odd_times.iter().map(|odd| odd_time(report, odd)).collect();
    let is_of_all = |odd: &&OddTime| matches!(odd.oddity, Oddity::BeforeContract { .. });
    let named = report.odd_times.iter().filter(is_of_all).count() as u64;
    let before_contract = report.before_contract_count.saturating_sub(named);
    if before_contract > 0 {
        statements.push((
            format!("契約主の作成より前の時刻は、ほかに{before_contract}件あります。契約主を作成した時にサーバーの時計が進んでいた場合、その時刻までに届いたすべての記録がこれに当たります。"),
            format!("{before_contract} further times lie before the contract was made. Where the server's clock was ahead when it was made, all that came until that time do."),
        ));
    }
    let told = (report.odd_times.len() as u64).saturating_add(before_contract);
    let more = report.odd_time_count.saturating_sub(told);
    if more > 0 {
        statements.push((
            format!("ログの順序または月と合わない時刻は、ほかに{more}件あります。"),
            format!("{more} further times do not fit the order or the month of the log."),
        ));
    }
    statements
}

fn odd_time(report: &Report, odd: &OddTime) -> Pair {
    let (what, what_english) = stamped(report, &odd.of);
    let at = full(odd.at);
    let (why, why_english) = oddity(odd);
    let (rest, rest_english) = match odd.of {
        Stamped::Pack => (
            "サーバーの時計が変更されたか、作成時刻が正しくありません。作成時刻より後の日は、このファイルに示されていません",
            "The server's clock was set, or the time is not true. Days after it are not in this file",
        ),
        Stamped::Receipt { .. } => (
            "サーバーの時計が変更されたか、時計の異なる複数のサーバーが応答しています",
            "The server's clock was set, or nodes with different clocks answered",
        ),
        Stamped::Event { .. } | Stamped::Entry { .. } => (
            "サーバーの時計が変更されたか、日時をさかのぼって書き込まれています",
            "The server's clock was set, or this was written with a time of the past",
        ),
    };
    (
        format!("{what}（{at} JST）が、{why}。{rest}。"),
        format!("{what_english} {at} JST, {why_english}. {rest_english}."),
    )
}

fn stamped(report: &Report, of: &Stamped) -> Pair {
    match of {
        Stamped::Event { terminal: id, sequence } => {
            let (japanese, english) = terminal(report, id);
            (
                format!("{japanese}の番号{sequence}の受信時刻"),
                format!("{english}, event {sequence}: received at"),
            )
        }
        Stamped::Entry { number } => {
            (format!("監査記録{number}の時刻"), format!("Entry {number} of the audit log: noted at"))
        }
        Stamped::Receipt { terminal: id, sequence } => {
            let (japanese, english) = terminal(report, id);
            (
                format!("{japanese}の番号{sequence}の受領証の時刻"),
                format!("{english}, receipt of event {sequence}: given at"),
            )
        }
        Stamped::Pack => ("このファイルの作成時刻".to_owned(), "This file: made at".to_owned()),
    }
}

fn oddity(odd: &OddTime) -> Pair {
    let month = &odd.month;
    match odd.oddity {
        Oddity::Backwards { after } => (
            format!("ログでその前にある記録の時刻（{}）より前です", full(after)),
            format!("before what stands before it in the log ({})", full(after)),
        ),
        Oddity::OutsideMonth => (
            format!("置かれているログの月（{month}）の外です"),
            format!("outside of the month of the log in which it stands ({month})"),
        ),
        Oddity::BeforeContract { made } => (
            format!("契約主の作成（{}）より前です", full(made)),
            format!("before the contract was made ({})", full(made)),
        ),
        Oddity::BeforeItsEvent { received } => (
            format!("そのイベントの受信時刻（{}）より前です", full(received)),
            format!("before that event was received ({})", full(received)),
        ),
        Oddity::BeforeItsContents { newest } => (
            format!("このファイルにある最新の時刻（{}）より前です", full(newest)),
            format!("before the newest time in it ({})", full(newest)),
        ),
    }
}

/// Days that are not told.
pub(super) fn days_cut(report: &Report) -> Vec<Pair> {
    let statement = |DaysCut { terminal: id, dates: [from, to], days }: &DaysCut| {
        let (japanese, english) = terminal(report, id);
        (
            format!(
                "{japanese}: {from}から{to}までの{days}日は、このファイルに示されていません。1台につき、新しい方から{DAYS_MAX}日（6年）までを示します。"
            ),
            format!(
                "{english}: {days} day(s), from {from} to {to}, are not in this file: of each PC the newest {DAYS_MAX} days (six years) are shown."
            ),
        )
    };
    report.days_cut.iter().map(statement).collect()
}

/// A length of time as people say it, never too short.
pub(super) fn length(milliseconds: u64) -> Pair {
    const UNITS: [(u64, &str, &str); 4] = [
        (1_000, "秒", "second(s)"),
        (60_000, "分", "minute(s)"),
        (3_600_000, "時間", "hour(s)"),
        (86_400_000, "日", "day(s)"),
    ];
    // Two minutes are said in minutes, two hours in hours.
    let fits = |(unit, ..): &&(u64, &str, &str)| milliseconds >= unit.saturating_mul(2);
    let (unit, japanese, english) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[0]);
    let count = milliseconds.div_ceil(*unit);
    (format!("{count}{japanese}"), format!("{count} {english}"))
}

/// What the server noticed of terminals.
pub(super) fn marks(report: &Report) -> Vec<Pair> {
    let mut statements = Vec::new();
    for (id, Marks { conflict, makeup_changed, rolled_back_at, cloned_at }) in &report.marks {
        let (japanese, english) = terminal(report, id);
        let mut say = |what: String, what_english: String| {
            statements.push((
                format!("{japanese}: {what}（サーバーの申告）。"),
                format!("{english}: {what_english} (the server's word)."),
            ));
        };
        if *conflict {
            say(
                "使用済みの番号に別の内容が送られ、受け付けられませんでした。PCの複製または改ざんの可能性があります".to_owned(),
                "other bytes came under a number that was taken, and were refused: the PC may have been copied or tampered with".to_owned(),
            );
        }
        if let Some(at) = cloned_at {
            say(
                format!("同じ端末を名乗る2台のPCが交互に通信しました（最後は {} JST）", full(*at)),
                format!("two PCs with its identity were heard in turns (last at {} JST)", full(*at)),
            );
        }
        if let Some(at) = rolled_back_at {
            say(
                format!("PCが以前の状態に戻されました（最後は {} JST）", full(*at)),
                format!("the PC was put back to an earlier state (last at {} JST)", full(*at)),
            );
        }
        if *makeup_changed {
            say(
                "最後の通信で、PCの構成が登録時と異なっていました".to_owned(),
                "at its last contact the PC was made of something else than what was enrolled".to_owned(),
            );
        }
    }
    statements
}

/// What whoever makes a pack should know of the server's times in it, one statement a line: how many do not fit, and the
/// first one of each kind. Who checks the pack is told more of them.
#[must_use]
pub fn clock_notes(report: &Report, language: Language) -> Vec<String> {
    let (mut kinds, mut notes) = (Vec::new(), Vec::new());
    for odd in &report.odd_times {
        let kind = std::mem::discriminant(&odd.oddity);
        if !kinds.contains(&kind) {
            kinds.push(kind);
            notes.push(odd_time(report, odd));
        }
    }
    let count = report.odd_time_count;
    if count > notes.len() as u64 {
        notes.push((
            format!("ログの順序または月と合わない時刻は、全部で{count}件あります（mngntime verify で確認できます）。"),
            format!("In all {count} times do not fit the order or the month of the log (mngntime verify says more of them)."),
        ));
    }
    notes.into_iter().map(|pair| pick(language, pair)).collect()
}

const OUTSIDE: (&str, &str) = (
    "（指定期間外。日付をまたいで続いたログオンの始めや終わりとして、または、一緒に送信された記録の署名やその前のエージェントの開始を示すために含まれています）",
    " (outside of the dates that were asked for; shown as the beginning or the end of a stay over midnight, or so that the signature of its batch can be checked, or the start of the agent before them be seen)",
);

/// Whether the punch is of the dates of the pack.
fn is_asked_for(report: &Report, punch: &ShownPunch) -> bool {
    let dates = report.pack.as_ref().and_then(|pack| pack.dates.as_ref());
    dates.is_none_or(|[from, to]| *from <= punch.date && punch.date <= *to)
}

/// Which night a logoff after midnight ends.
fn night(punch: &ShownPunch) -> Pair {
    let (own, date) = (crate::japan::date_at(UtcMillis(punch.occurred_at)).to_string(), &punch.date);
    if own == *date {
        return Pair::default();
    }
    (format!("（{date}の夜）"), format!(" (night of {date})"))
}

/// The newest result of a punch, as everybody sees it elsewhere: its number and the words of the event log. A number of a later
/// version stands alone.
#[must_use]
pub fn result(newest: Option<Option<u8>>, language: Language) -> String {
    let Some(res) = newest else {
        return pick(language, ("判定の記録なし".to_owned(), "no result shown".to_owned()));
    };
    let words =
        PunchResult::from_res(res).map(|result| result.message(language).trim_end_matches(['。', '.']));
    match (res, words) {
        (None, words) => words.unwrap_or_default().to_owned(),
        (Some(number), Some(words)) => format!("res={number} {words}"),
        (Some(number), None) => format!("res={number}"),
    }
}

/// A punch as one line: date, time, kind, terminal, number, account, result, signed or not, when it was received.
#[must_use]
pub fn punch(report: &Report, punch: &ShownPunch, language: Language) -> String {
    let host = report.hosts.get(&punch.terminal).map_or(punch.terminal.as_str(), String::as_str);
    let account =
        punch.account.as_ref().map(|(domain, name)| format!("{domain}\\{name}")).unwrap_or_default();
    let (at, received, number) = (full(punch.occurred_at), full(punch.received_at), punch.sequence);
    let result = result(punch.result, language);
    let (kind, kind_english) =
        if punch.is_logon { ("ログオン", "logon") } else { ("ログオフ", "logoff") };
    let (signed, signed_english) = match (punch.is_signed, punch.is_withheld) {
        (true, _) => ("署名あり", "signed"),
        (false, true) => ("署名は確認不可", "signature not to be checked here"),
        (false, false) => ("署名なし", "not signed"),
    };
    let (night, night_english) = night(punch);
    let (sent, sent_english) = if punch.resent { (" 再送", ", sent again") } else { ("", "") };
    let (clock, clock_english) = punch.stamped_at.map_or_else(Default::default, |at| {
        let at = full(at);
        (
            format!("（サーバーの時計による時刻。端末の時計は{at}）"),
            format!(" (by the server's clock; the terminal's showed {at})"),
        )
    });
    let (beyond, beyond_english) = match is_asked_for(report, punch) {
        true => ("", ""),
        false => (OUTSIDE.0, OUTSIDE.1),
    };
    let (range, range_english) = punch.bounds.map_or_else(Default::default, |(from, to)| {
        let (from, to) = (full(from), full(to));
        (format!(" 推定 {from}～{to}"), format!(", between {from} and {to}"))
    });
    pick(
        language,
        (
            format!(
                "{at}{clock}{night} {kind} {host} 番号{number} {account} {result} {signed} 受信 {received}{sent}{range}{beyond}"
            ),
            format!(
                "{at}{clock_english}{night_english} {kind_english} {host} number {number} {account} {result}, {signed_english}, received {received}{sent_english}{range_english}{beyond_english}"
            ),
        ),
    )
}
