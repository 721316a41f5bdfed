//! `summary.pdf`: the record as a page for people, in Japanese, to be printed and handed over.
//!
//! It shows what the record says and proves nothing itself; its first page says so, and how the record is checked.
//! The letters come from a font of the host, of which the file takes only those it uses.
//!
//! About one employee it has the days ([`days`]), the punches ([`punches`]) and what they said ([`remarks`]); about everybody only who and which PCs
//! there are, since days and punches of thousands of people are no paper, and it says how to get those of one. [`stays`]
//! pairs the punches, [`person`] knows of which day each is, [`paper`] puts everything on pages, [`sheet`] makes a file of these.

mod days;
mod paper;
mod person;
mod punches;
mod remarks;
mod sheet;
mod stays;

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use mngntime_evidence::months;
use mngntime_evidence::verify::Emptiness;
use mngntime_evidence::words::{emptiness, to_be_known};
use mngntime_ledger::Digest;
use mngntime_model::{Language, UtcMillis};
use mngntime_store::{EvidenceLink, NewEmployee, RetiredMonth};

use self::paper::{Block, Column, Row};
use self::person::Person;
use super::lettering::{FontFile, GETA, Letters};
use super::record::{Request, Written};
use crate::web::visible::in_one_line;
use crate::web::{day_time, times};

/// Rows of a list in one summary: some 200 pages. The record has all of them.
const ROWS_MAX: usize = 10_000;

/// Statements about what is to be known: some three pages. Whoever checks the record is told all of them.
const STATEMENTS_MAX: usize = 150;

/// Why there is no summary.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// The file could not be made.
    #[error("summary.pdf could not be made: {0}")]
    Pdf(String),
}

/// Makes the summary.
///
/// # Errors
/// [`SummaryError::Pdf`].
pub fn make(request: &Request, written: &Written, font: &FontFile) -> Result<Vec<u8>, SummaryError> {
    let letters = font.letters().ok_or_else(|| SummaryError::Pdf("the font is gone".to_owned()))?;
    let mut blocks = vec![Block::Title("打刻記録 証拠要約".to_owned())];
    head(request, written, &mut blocks);
    known(written, &mut blocks);
    if request.employee.is_some() {
        person(request, written, &mut blocks);
        remarks::section(written, &mut blocks);
    } else {
        everybody(written, &mut blocks);
    }
    terminals(request, written, &mut blocks);
    links(written, &mut blocks);
    log(request, written, &mut blocks);
    legend(request, written, &letters, &mut blocks);
    let mut pages = paper::pages(blocks, &letters);
    let (count, foot) = (pages.len(), foot(request, written));
    for (number, page) in (1..).zip(&mut pages) {
        page.extend(paper::footer(&foot, number, count, &letters));
    }
    let title = format!("打刻記録 証拠要約 {}", subject(request, written));
    sheet::write(
        &pages,
        &sheet::About { title: letters.fitting(&title, 200.0), made_at: request.made_at },
        &letters,
    )
}

/// `2026-11-23(月)`
fn dated(date: Date) -> String {
    format!("{date}({})", times::weekday(date.weekday()))
}

/// `11-23(月)`
fn dated_short(date: Date) -> String {
    format!("{}({})", date.strftime("%m-%d"), times::weekday(date.weekday()))
}

/// The date of a time. A PC's clock may show anything.
fn day_of(time: UtcMillis) -> String {
    dated(times::tokyo(time).date())
}

fn is_weekend(time: UtcMillis) -> bool {
    matches!(times::tokyo(time).weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn text(blocks: &mut Vec<Block>, text: impl Into<String>) {
    blocks.push(Block::Text(text.into()));
}

/// A table of what is a list, as long as a summary may be.
fn list(blocks: &mut Vec<Block>, heading: &'static str, columns: &'static [Column], mut rows: Vec<Row>) {
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    blocks.push(Block::Table(heading, columns, rows));
    if more > 0 {
        text(blocks, format!("ほか{more}件は record.jsonl にあります。"));
    }
}

fn subject(request: &Request, written: &Written) -> String {
    match (&request.employee, written.people.employees.first()) {
        (Some(code), Some(employee)) => format!("社員 {code} {}", employee.name),
        _ => "全端末・全社員".to_owned(),
    }
}

fn period(request: &Request) -> String {
    request
        .dates
        .map_or_else(|| "全期間".to_owned(), |(from, to)| format!("{} 〜 {}", dated(from), dated(to)))
}

/// Digits of the key's file by which somebody can compare it with this paper: `1a2b 3c4d 5e6f 7a8b`.
fn fingerprint(request: &Request) -> String {
    let digest = Digest::of(format!("{}\n", request.server_key).as_bytes()).to_string();
    let groups: Vec<&str> = (0..4).filter_map(|group| digest.get(4 * group..4 * group + 4)).collect();
    groups.join(" ")
}

/// The two lines at the foot of each page.
fn foot(request: &Request, written: &Written) -> [String; 2] {
    let made = format!("{} {}", day_of(request.made_at), times::clock(request.made_at));
    [
        format!("{}　契約主 {}", subject(request, written), request.contract.code),
        format!("期間 {}　作成 {made}　サーバーの鍵の指紋 {}", period(request), fingerprint(request)),
    ]
}

fn employed(employee: &NewEmployee) -> String {
    let end = |date: Option<Date>| date.map(dated).unwrap_or_default();
    match (employee.active_from, employee.active_to) {
        (None, None) => "期間の登録なし".to_owned(),
        (from, to) => format!("{} 〜 {}", end(from), end(to)),
    }
}

fn head(request: &Request, written: &Written, blocks: &mut Vec<Block>) {
    let mut facts = vec![("契約主", format!("{} {}", request.contract.code, request.contract.name))];
    match (&request.employee, written.people.employees.first()) {
        (Some(code), Some(employee)) => {
            facts.push(("社員", format!("{code} {}", employee.name)));
            facts.push(("在籍", employed(employee)));
        }
        _ => facts.push(("対象", "契約主の全端末・全社員".to_owned())),
    }
    let made = format!("{} {}（サーバーの時計）", day_of(request.made_at), times::clock(request.made_at));
    facts.push(("期間", format!("{}（日本時間）", period(request))));
    facts.push(("作成", made));
    facts.push(("サーバーの公開鍵", request.server_key.clone()));
    facts.push(("鍵の指紋", format!("{}（公開鍵のファイルの SHA-256 の先頭16桁）", fingerprint(request))));
    blocks.push(Block::Facts("", owned(facts)));
    for sentence in [
        "この PDF は閲覧・印刷用です。証拠となる記録は、同じ ZIP ファイルの record.jsonl にあります。サーバーの署名（封印）は ZIP ファイル全体に付いており、印刷した紙には及びません。",
        "検証: mngntime verify ファイル --key 公開鍵のファイル　（通信は不要です。公開鍵は別の経路で受け取り、上の指紋と比べてください）",
        "記録がないことは、勤務がなかったことを意味しません。「不明」の時間については、この記録からは何も言えません。労働時間の集計ではありません。",
        "時刻は端末の時計によるものです。範囲で示した時刻は、その間のいずれかの時点です。",
    ] {
        text(blocks, sentence);
    }
}

/// What whoever checks the record is told that it shows and does not show: of which PC, number and day.
fn known(written: &Written, blocks: &mut Vec<Block>) {
    let (report, language) = (&written.report, Language::Japanese);
    blocks.push(Block::Heading("この記録について知っておくこと"));
    let mut statements = to_be_known(report, language);
    let more = statements.len().saturating_sub(STATEMENTS_MAX);
    statements.truncate(STATEMENTS_MAX);
    statements.iter().for_each(|statement| text(blocks, format!("・{}", in_one_line(statement))));
    if more > 0 {
        text(blocks, format!("ほか{more}件は、検証（mngntime verify）で示されます。"));
    }
    for sentence in [
        "端末の署名のあるイベントは、示された公開鍵がその端末のものである限り、サーバーの管理者にも作ることができません。署名のないものはサーバーの申告です。打刻ごとの署名の有無は、検証の際に --print で示されます。",
        "サーバーの鍵を持つ者は、ログ全体を作り直して署名し直すことができます。PCに残る受領証、または以前に受け取った証拠ファイルと照合すると分かることがあります（検証の際に --against ファイル）。証明されないことの一覧は、検証の際に示されます。",
    ] {
        text(blocks, sentence);
    }
}

/// What the record says of one employee.
fn person(request: &Request, written: &Written, blocks: &mut Vec<Block>) {
    let missing = what_is_missing(request, written);
    if written.terminals.is_empty() {
        blocks.push(Block::Heading("日別と打刻"));
        missing.into_iter().for_each(|sentence| text(blocks, sentence));
        return;
    }
    let stays: Vec<_> =
        written.terminals.iter().map(|terminal| stays::of(request, written, terminal)).collect();
    let dates = days::shown(request, written);
    let judged = Person::of(request, written, &dates);
    let (day_rows, day_tally) = days::rows(written, &dates, &judged, &stays);
    let (punch_rows, tally) = punches::rows(request, written, &judged, &stays);
    blocks.push(Block::Heading("集計"));
    blocks.push(Block::Facts("集計", totals(&day_tally, &tally)));
    missing.into_iter().for_each(|sentence| text(blocks, sentence));
    blocks.push(Block::Heading("日別"));
    text(blocks, "期間のすべての日付を、端末ごとに示します。土曜日と日曜日の行には網を掛けています。");
    text(
        blocks,
        format!(
            "日付をまたいで続いたログオンは、{}より前に終われば前日の記録です（画面の日別記録と同じです）。それより後まで続くログオンは、日ごとに示します。",
            night_ends(request)
        ),
    );
    days::left_out(request).into_iter().for_each(|sentence| text(blocks, sentence));
    list(blocks, "日別", days::COLUMNS, day_rows);
    blocks.push(Block::Heading("打刻"));
    if punch_rows.is_empty() {
        text(
            blocks,
            "この期間について、この社員に関連付けられたアカウントの打刻は示されていません。上の日別の「状況」が「記録あり」の日も、その端末で、関連付けられたアカウントのログオンは示されていません。",
        );
    } else {
        blocks.push(Block::Table("打刻", punches::COLUMNS, punch_rows));
    }
    if tally.more > 0 {
        text(blocks, format!("ほか{}件は record.jsonl にあります。", tally.more));
    }
    if tally.beside > 0 {
        text(
            blocks,
            format!(
                "期間外の日の打刻{}件を、期間の日付に当たるか、期間に続くログオンのものなので、注記を付けて示しています。集計には含みません。",
                tally.beside
            ),
        );
    }
    if tally.outside > 0 {
        text(
            blocks,
            format!("期間の前後の打刻{}件は、ここには示しません（record.jsonl にあります）。", tally.outside),
        );
    }
}

/// Until when a night belongs to the day before.
fn night_ends(request: &Request) -> String {
    day_time::text(u16::try_from(request.boundary_minutes()).unwrap_or_default())
}

/// Why there is nothing to show. The paper is for who decides about it: who can do something about it is told on the page
/// on which the file is made.
fn what_is_missing(request: &Request, written: &Written) -> Vec<String> {
    let mut said = Vec::new();
    match written.report.emptiness {
        Some(why) => said.push(emptiness(why, Language::Japanese)),
        None if written.terminals.is_empty() => said.push("サーバーの申告によれば、この社員のアカウントのイベントがある端末はありません。勤務がなかったことを意味しません。".to_owned()),
        None => return said,
    }
    if written.terminals.is_empty() {
        said.push("この理由により、日別の記録も打刻も示していません。".to_owned());
    }
    if !written.people.links.is_empty() {
        said.push("関連付けの履歴は後に示します。".to_owned());
    }
    let is_unlinked = matches!(written.report.emptiness, Some(Emptiness::NoLink | Emptiness::NoLinkThen));
    said.extend(deleted(request, written).or_else(|| {
        is_unlinked.then(|| {
            "サーバーの申告によれば、この期間について届いた記録は、関連付けがなくても保存されています。"
                .to_owned()
        })
    }));
    said
}

/// That records of the period were deleted by the retention rule: nobody can show any more what was in them.
fn deleted(request: &Request, written: &Written) -> Option<String> {
    let overlaps = |month: &&RetiredMonth| {
        request.dates.is_none_or(|(from, to)| month.days.0 <= to && from <= month.days.1)
    };
    let months: Vec<&str> =
        written.retired.iter().filter(overlaps).map(|month| month.month.as_str()).collect();
    let (first, last) = (months.first()?, months.last()?);
    let which = match months.len() {
        1 => (*first).to_owned(),
        count => format!("{first}〜{last}のうち{count}か月"),
    };
    Some(format!(
        "サーバーの申告によれば、{which}に届いた記録は、保存期間の満了により削除されました。この期間についての記録が含まれていても、もう示すことができません。"
    ))
}

fn totals(days: &days::Tally, punches: &punches::Tally) -> Vec<(String, String)> {
    let [logons, logoffs] = punches.kinds;
    let [open, cut] = punches.open;
    let mut facts = vec![
        ("日数", format!("期間 {}日（作成日まで）　うちログオンしていた日 {}日", days.dates, days.with_stay)),
        (
            "記録の状況",
            format!(
                "不明を含む日 {}日　停止を含む日 {}日　対象外の日 {}日　端末の記録がない日 {}日",
                days.unknown, days.agent_off, days.unlinked, days.without_terminal
            ),
        ),
        (
            "打刻",
            format!(
                "ログオン {logons}件　ログオフ {logoffs}件　（うち推定 {}件、再送 {}件、エラー（res）{}件）",
                punches.estimates, punches.resent, punches.errors
            ),
        ),
    ];
    if days.outside[0] > 0 {
        let [dates, recorded] = days.outside;
        let text = format!(
            "入社前・退職後の日 {dates}日　うち記録のある日 {recorded}日（その打刻は社員のものになっていません）"
        );
        facts.push(("在籍期間外", text));
    }
    if open + cut > 0 {
        let text = format!(
            "ログオフの記録がないログオン {open}件　アカウントの関連付けの終了で区切ったもの {cut}件"
        );
        facts.push(("ログオフのないもの", text));
    }
    owned(facts)
}

fn owned(facts: Vec<(&str, String)>) -> Vec<(String, String)> {
    facts.into_iter().map(|(what, value)| (what.to_owned(), value)).collect()
}

const EMPLOYEE_COLUMNS: &[Column] = &[
    Column { title: "社員コード", share: 90.0 },
    Column { title: "氏名", share: 130.0 },
    Column { title: "在籍", share: 140.0 },
    Column { title: "アカウント", share: 140.0 },
];

/// Who there is, and how to get the days and punches of one.
fn everybody(written: &Written, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading("この要約の範囲"));
    for sentence in [
        "この要約は、社員・端末・アカウントの関連付け・署名されたログの一覧です。日別の記録と打刻は含みません。全員の全イベントと日別の記録は、同じ ZIP ファイルの record.jsonl にあります。",
        "一人の日別の記録と打刻を紙で示すには、その社員の証拠ファイルを作成します: 画面「社員」でその社員を開き「証拠ファイル」を選ぶか、次のコマンドを使います。",
        "mngntime export evidence --data データフォルダー --employee 社員コード --from 開始日 --to 終了日 --out ファイル --public-key-out 鍵のファイル",
    ] {
        text(blocks, sentence);
    }
    let names = account_names(written);
    let mut accounts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for link in written.people.links.iter().filter(|link| !link.void) {
        let name = names.get(link.account.as_str()).unwrap_or(&link.account).clone();
        let of_employee = accounts.entry(&link.employee).or_default();
        if !of_employee.contains(&name) {
            of_employee.push(name);
        }
    }
    let row = |employee: &NewEmployee| Row {
        cells: vec![
            vec![employee.code.clone()],
            vec![employee.name.clone()],
            vec![employed(employee)],
            accounts.remove(employee.code.as_str()).unwrap_or_else(|| vec!["なし".to_owned()]),
        ],
        shaded: false,
    };
    blocks.push(Block::Heading("社員"));
    let rows: Vec<Row> = written.people.employees.iter().map(row).collect();
    if rows.is_empty() {
        text(blocks, "登録された社員はいません。");
    } else {
        list(blocks, "社員", EMPLOYEE_COLUMNS, rows);
    }
}

/// The newest name of each account, by its key.
fn account_names(written: &Written) -> BTreeMap<&str, String> {
    let named = |account: &'_ mngntime_store::EvidenceAccount| {
        account.names.last().map(|name| format!("{}\\{}", name.domain, name.name))
    };
    let accounts = written.people.accounts.iter();
    accounts.filter_map(|account| Some((account.key.as_str(), named(account)?))).collect()
}

const TERMINAL_COLUMNS: &[Column] = &[
    Column { title: "端末", share: 135.0 },
    Column { title: "イベント", share: 55.0 },
    Column { title: "非表示", share: 50.0 },
    Column { title: "欠番", share: 50.0 },
    Column { title: "記録ありの日", share: 70.0 },
    Column { title: "停止を含む日", share: 70.0 },
    Column { title: "不明を含む日", share: 70.0 },
];

fn terminals(request: &Request, written: &Written, blocks: &mut Vec<Block>) {
    if written.terminals.is_empty() {
        if request.employee.is_none() {
            blocks.push(Block::Heading("端末"));
            text(blocks, "イベントを送った端末はまだありません。");
        }
        return;
    }
    let row = |terminal: &super::record::WrittenTerminal| {
        let count = |state: &str| terminal.days.iter().filter(|day| day.state == state).count().to_string();
        Row::of([
            terminal.host_name.clone(),
            terminal.events.to_string(),
            terminal.hidden.to_string(),
            terminal.missing.to_string(),
            count("observed"),
            count("agent_off"),
            count("unknown"),
        ])
    };
    blocks.push(Block::Heading("端末"));
    list(blocks, "端末", TERMINAL_COLUMNS, written.terminals.iter().map(row).collect());
    let hidden: u64 = written.terminals.iter().map(|terminal| terminal.hidden).sum();
    if request.employee.is_some() {
        text(
            blocks,
            format!(
                "内容を示さないイベント: {hidden}件（ほかの人のもの、または関連付けの期間の外のもの。番号、ハッシュ、受信時刻だけを record.jsonl に示します）"
            ),
        );
    }
}

const LINK_COLUMNS: &[Column] = &[
    Column { title: "アカウント", share: 190.0 },
    Column { title: "社員", share: 60.0 },
    Column { title: "開始日", share: 66.0 },
    Column { title: "終了日", share: 66.0 },
    Column { title: "登録", share: 118.0 },
];

fn links(written: &Written, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading("アカウントの関連付け（履歴）"));
    if written.people.links.is_empty() {
        text(blocks, "関連付けは、登録されたことがありません。");
        return;
    }
    let names = account_names(written);
    let row = |link: &EvidenceLink| {
        let until = match (link.void, link.to) {
            (true, _) => "取り消し".to_owned(),
            (false, Some(date)) => dated(date),
            (false, None) => "―".to_owned(),
        };
        let made =
            vec![format!("{} {}", day_of(link.made.0), times::clock(link.made.0)), link.made.1.clone()];
        let account: Vec<String> =
            names.get(link.account.as_str()).into_iter().chain([&link.account]).cloned().collect();
        Row {
            cells: vec![account, vec![link.employee.clone()], vec![dated(link.from)], vec![until], made],
            shaded: false,
        }
    };
    list(blocks, "アカウントの関連付け", LINK_COLUMNS, written.people.links.iter().map(row).collect());
}

const LOG_COLUMNS: &[Column] = &[
    Column { title: "月", share: 50.0 },
    Column { title: "件数", share: 60.0 },
    Column { title: "ルートハッシュ（SHA-256）", share: 390.0 },
];

fn log(request: &Request, written: &Written, blocks: &mut Vec<Block>) {
    if written.trees.is_empty() {
        return;
    }
    blocks.push(Block::Heading("署名されたログ"));
    let row = |tree: &mngntime_wire::LogTree| {
        Row::of([tree.month.clone(), tree.size.to_string(), tree.root.clone()])
    };
    list(blocks, "署名されたログ", LOG_COLUMNS, written.trees.iter().map(row).collect());
    let newest = written.trees.iter().map(|tree| &tree.month).max();
    if let Some(month) = newest.filter(|month| months::is_ahead(month, request.made_at)) {
        text(
            blocks,
            format!(
                "最新の月（{month}）は、作成時のサーバーの時計より先の月です。サーバーの時計が一度進んだか、作成時に遅れていました。その後に届いた記録も{month}に入っています。"
            ),
        );
    }
}

/// What the words mean; those of days and punches only where there are some.
const WORDS: [(&str, &str); 5] = [
    ("イベント", "端末のエージェントが記録した事実。ログオン・ログオフのほか、起動、停止、ロックなど"),
    (
        "非表示",
        "ほかの人のものとサーバーが申告するイベントと、関連付けの期間の外のもの。番号、ハッシュ、受信時刻だけを示します",
    ),
    (
        "欠番",
        "端末が付けた番号のうち、届いていないとサーバーが申告するもの。PCに残る受領証と照合すると分かることがあります",
    ),
    (
        "ルートハッシュ",
        "その月に届いたすべての記録から計算し、サーバーが署名した値。1件でも変われば別の値になります。以前の証拠ファイルやその紙に、同じ月・同じ件数で別の値があれば、ログは作り直されているか、古いバックアップに戻されています",
    ),
    (
        "停止・不明を含む日",
        "一部の時間について、エージェントが止まっていた（停止）か、何も分からない（不明）日",
    ),
];

const WORDS_OF_A_PERSON: [(&str, &str); 18] = [
    (
        "記録あり",
        "端末が見守られていたか、電源が切れていたことを、示したイベントが語っている。欠番と非表示のものについては、サーバーの申告によります",
    ),
    (
        "停止あり・不明あり",
        "一部の時間について、エージェントが止まっていたか、何も分からない。その時間は内訳に示します",
    ),
    ("対象外", "この社員に関連付けられたアカウントがない日。誰が端末を使ったかは示しません"),
    (
        "入社前・退職後",
        "社員の在籍期間の外の日。その日に記録があれば「入社前の記録」「退職後の記録」とします。その打刻は社員のものになっていません（結果は res=7）",
    ),
    (
        "翌日・前日の夜",
        "0時を過ぎて終わったログオンのうち、前日の記録とするもの。ログオンとログオフを前日の行に示します",
    ),
    (
        "翌日へ継続・前日から",
        "前日の記録とする時刻を過ぎて続くログオン。翌日に終わったものは、その時刻も示します（「まで」）。ログオフは、その後に始まって継続するログオンがなければ、終わった日の行にも示します",
    ),
    ("ほかは", "最後のログオフのほかに、続いている（またはログオフのない）ログオンがある"),
    (
        "結果",
        "打刻に対するサーバーの判定のうち、最も新しいもの（サーバーの申告）。res= の番号があるものは、社員の打刻になっていません。過去の判定は record.jsonl にあります",
    ),
    ("遅着", "端末に1時間を超えて留まってから届いたイベントの件数"),
    ("―", "その日、その端末に、当たるものがない"),
    ("推定", "OS が時刻を伝えなかったため（電源断など）、前後の記録から範囲で示したもの"),
    ("区切り", "アカウントの関連付けの開始または終了。ログオンでもログオフでもありません"),
    ("ログオフの記録なし", "ログオンに対するログオフが、この記録の範囲にない（ログオン中か、届いていない）"),
    ("即時・再送", "起きてから5分以内に受信したもの・端末に留まり、後から送ったと端末が示すもの"),
    ("遅延", "再送の印がなく、起きてから5分を超えて後に受信したもの"),
    ("未来の時刻", "受信より5分を超えて先の時刻が書かれたもの。端末の時計が進んでいたと考えられます"),
    (
        "照合・開始時検出",
        "エージェントが OS の一覧との照合で見つけたもの・エージェントの開始時にすでにログオンしていたもの",
    ),
    ("後追い・スクリプト", "OS のログから後で読み取ったもの・ログオンスクリプトが送ったもの"),
];

fn legend(request: &Request, written: &Written, letters: &Letters<'_>, blocks: &mut Vec<Block>) {
    let of_a_person = if request.employee.is_some() { &WORDS_OF_A_PERSON[..] } else { &[] };
    let words = of_a_person.iter().chain(&WORDS).filter(|_| !written.terminals.is_empty());
    let mut facts: Vec<_> = words.map(|(word, means)| ((*word).to_owned(), (*means).to_owned())).collect();
    let names = written.people.employees.iter().map(|employee| &employee.name);
    let texts = names.chain([&request.contract.name]).chain(written.terminals.iter().map(|it| &it.host_name));
    let said = written.remarks.iter().flat_map(|remark| [Some(&remark.text), remark.answer.as_ref()]);
    let texts = texts.chain(said.flatten());
    let lacking = |text: &&String| letters.shown(text).contains(GETA) && !text.contains(GETA);
    if texts.chain(account_names(written).values()).any(|text| lacking(&text)) {
        let means = "この PDF の書体にない文字。正しい文字は record.jsonl にあります".to_owned();
        facts.push((GETA.to_string(), means));
    }
    if facts.is_empty() {
        return;
    }
    blocks.push(Block::Heading("ことばの説明"));
    blocks.push(Block::Facts("ことばの説明", facts));
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn dates_have_their_weekdays() {
        assert_eq!(dated(date(2026, 11, 23)), "2026-11-23(月)");
        assert_eq!(dated_short(date(2026, 11, 28)), "11-28(土)");
        assert_eq!(day_of(UtcMillis(1_795_392_000_000)), "2026-11-23(月)");
        assert!(is_weekend(UtcMillis(1_795_392_000_000).plus(5 * 86_400_000)));
        assert!(!is_weekend(UtcMillis(1_795_392_000_000)));
    }
}
