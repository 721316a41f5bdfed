//! `summary.pdf`: the record as a page for people, in Japanese, to be printed and handed over.
//!
//! It shows what the record says and proves nothing itself; its first page says so, and how the record is checked.
//! The letters come from a font of the host, of which the file takes only those it uses.

use krilla::Document;
use krilla::geom::Point;
use krilla::page::PageSettings;
use mngntime_attendance::completeness::{Received, Why};
use mngntime_evidence::format::Day;
use mngntime_evidence::months;
use mngntime_model::{EventKind, Language, UtcMillis};

use super::lettering::{FontFile, Letters};
use super::record::{Request, Written, WrittenTerminal};
use crate::web::punches::row::how_key;
use crate::web::texts::Words;
use crate::web::times;

/// A4 and its parts, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 40.0;
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
const TEXT: f32 = 8.0;
const LINE: f32 = 13.0;

/// Rows of punches in one summary: some 200 pages. The record has all of them.
const PUNCHES_MAX: usize = 10_000;

/// Parts of one day that are named: a PC on which nothing goes wrong has none, a bad day has a few.
const PARTS_MAX: usize = 40;

/// Lines of one cell, so that a name of thousands of letters does not fill a book. It says that it goes on.
const CELL_LINES_MAX: usize = 48;

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
    let mut lines = Vec::new();
    head(request, written, &mut lines);
    terminals(request, written, &mut lines);
    days(request, written, &mut lines);
    punches(request, written, &mut lines);
    links(written, &mut lines);
    log(request, written, &mut lines);
    draw(lines, font)
}

/// A line of the page.
enum Row {
    Title(String),
    Heading(&'static str),
    Text(String),
    /// Cells at distances from the margin, in points; the columns of a table.
    Cells(&'static [f32], Vec<String>),
    Space,
}

fn text(rows: &mut Vec<Row>, text: impl Into<String>) {
    rows.push(Row::Text(text.into()));
}

fn head(request: &Request, written: &Written, rows: &mut Vec<Row>) {
    rows.push(Row::Title("打刻記録 証拠要約".to_owned()));
    text(rows, format!("契約主: {} {}", request.contract.code, request.contract.name));
    let subject = match (&request.employee, written.people.employees.first()) {
        (Some(code), Some(employee)) => format!("社員: {code} {}", employee.name),
        _ => "対象: 契約主の全端末・全社員".to_owned(),
    };
    text(rows, subject);
    let period = request.dates.map_or_else(|| "全期間".to_owned(), |(from, to)| format!("{from} ～ {to}"));
    text(rows, format!("期間: {period}（日本時間）"));
    text(rows, format!("作成: {}（サーバーの時計）", times::full(request.made_at)));
    text(rows, format!("サーバーの公開鍵: {}", request.server_key));
    rows.push(Row::Space);
    for sentence in [
        "この PDF は閲覧用です。証拠となる記録は、同じファイルの record.jsonl にあります。",
        "検証: mngntime verify ファイル --key 公開鍵のファイル　（通信は不要です。公開鍵は別の経路で受け取ってください）",
        "記録がないことは、勤務がなかったことを意味しません。「不明」の時間については、この記録からは何も言えません。",
        "時刻は端末の時計によるものです。範囲で示した時刻は、その間のいずれかの時点です。",
    ] {
        text(rows, sentence);
    }
}

const TERMINAL_COLUMNS: &[f32] = &[0.0, 145.0, 200.0, 255.0, 310.0, 380.0, 448.0];

fn terminals(request: &Request, written: &Written, rows: &mut Vec<Row>) {
    rows.push(Row::Heading("端末"));
    let titles = ["端末", "イベント", "非表示", "欠番", "記録あり（日）", "停止を含む", "不明を含む"];
    rows.push(Row::Cells(TERMINAL_COLUMNS, titles.map(str::to_owned).to_vec()));
    for terminal in &written.terminals {
        let count = |state: &str| terminal.days.iter().filter(|day| day.state == state).count().to_string();
        let cells = vec![
            terminal.host_name.clone(),
            terminal.events.to_string(),
            terminal.hidden.to_string(),
            terminal.missing.to_string(),
            count("observed"),
            count("agent_off"),
            count("unknown"),
        ];
        rows.push(Row::Cells(TERMINAL_COLUMNS, cells));
    }
    let hidden: u64 = written.terminals.iter().map(|terminal| terminal.hidden).sum();
    if request.employee.is_some() {
        text(
            rows,
            format!(
                "内容を示さないイベント: {hidden}件（対象の社員に関連付けられていないアカウントのもの。番号、ハッシュ、受信時刻だけを record.jsonl に示します）"
            ),
        );
    }
}

const DAY_COLUMNS: &[f32] = &[0.0, 58.0, 140.0, 206.0, 272.0, 320.0, 356.0];

/// The days of one employee: first logon, last logoff, and what is known.
fn days(request: &Request, written: &Written, rows: &mut Vec<Row>) {
    if request.employee.is_none() {
        return;
    }
    rows.push(Row::Heading("日別"));
    let titles = ["日付", "端末", "最初のログオン", "最後のログオフ", "状況", "遅着", "内訳"];
    rows.push(Row::Cells(DAY_COLUMNS, titles.map(str::to_owned).to_vec()));
    let mut all: Vec<_> = written
        .terminals
        .iter()
        .flat_map(|terminal| terminal.days.iter().map(move |day| (day, terminal)))
        .collect();
    all.sort_by(|one, other| one.0.date.cmp(&other.0.date));
    for (day, terminal) in all {
        if !is_linked(written, &day.date) {
            let mut cells = vec![day.date.clone(), terminal.host_name.clone()];
            cells.extend(
                [
                    "",
                    "",
                    "対象外",
                    "",
                    "この日にはアカウントの関連付けがなく、この社員については何も示しません",
                ]
                .map(str::to_owned),
            );
            rows.push(Row::Cells(DAY_COLUMNS, cells));
            continue;
        }
        let late = if day.late > 0 { format!("{}件", day.late) } else { String::new() };
        let cells = vec![
            day.date.clone(),
            terminal.host_name.clone(),
            clock(punch(terminal, day.span, EventKind::Logon)),
            clock(punch(terminal, day.span, EventKind::Logoff)),
            state(&day.state).to_owned(),
            late,
            parts(day),
        ];
        rows.push(Row::Cells(DAY_COLUMNS, cells));
    }
}

/// Whether an account was linked to the employee on a date (`2026-11-23`). Of other days the pack says nothing about them:
/// whoever used the PC then is not shown.
fn is_linked(written: &Written, date: &str) -> bool {
    // Dates as ISO 8601 writes them sort as texts.
    let begun = |from: jiff::civil::Date| from.to_string().as_str() <= date;
    let ended = |to: jiff::civil::Date| to.to_string().as_str() < date;
    written.people.links.iter().any(|link| !link.void && begun(link.from) && !link.to.is_some_and(ended))
}

/// The first logon or the last logoff within a span.
fn punch(terminal: &WrittenTerminal, span: [i64; 2], kind: EventKind) -> Option<&Received> {
    let found = terminal.punches.iter().filter(|received| {
        received.event.kind == kind && (span[0]..span[1]).contains(&received.event.occurred_at.0)
    });
    // By time, not by number: a clock may have been set back, and what the OS's log told comes later than it happened.
    let time = |received: &&Received| (received.event.occurred_at, received.event.sequence);
    if kind == EventKind::Logon { found.min_by_key(time) } else { found.max_by_key(time) }
}

fn clock(received: Option<&Received>) -> String {
    received.map_or_else(
        || "―".to_owned(),
        |received| match received.event.bounds {
            Some(bounds) => {
                format!(
                    "{}～ {}",
                    times::clock_short(bounds.not_before),
                    times::clock_short(bounds.not_after)
                )
            }
            None => times::clock_short(received.event.occurred_at),
        },
    )
}

fn state(name: &str) -> &'static str {
    match name {
        "observed" => "記録あり",
        "agent_off" => "停止あり",
        _ => "不明あり",
    }
}

/// What is not simply watched or off.
fn parts(day: &Day) -> String {
    let word = |name: &str| match Why::ALL.into_iter().find(|why| why.name() == name) {
        Some(Why::Watched | Why::ShutDown | Why::Off | Why::BetweenContacts) => None,
        Some(Why::AgentStopped | Why::AgentAbsent) => Some("エージェント停止"),
        Some(Why::PowerLost) => Some("電源断"),
        Some(Why::RecordsLost) => Some("記録の損傷"),
        Some(Why::NumbersMissing) => Some("欠番"),
        Some(Why::ClockDoubted) => Some("時計の狂い"),
        Some(Why::SilentSinceShutdown) => Some("停止後は連絡なし"),
        Some(Why::Silent) => Some("連絡なし"),
        Some(Why::BeforeFirstStart) => Some("導入前"),
        None => Some("不明"),
    };
    let part = |(from, to, name): &(i64, i64, String)| {
        let whole = [*from, *to] == day.span;
        let range = if whole { "終日".to_owned() } else { times::range(UtcMillis(*from), UtcMillis(*to)) };
        word(name).map(|word| format!("{range} {word}"))
    };
    let mut parts: Vec<String> = day.parts.iter().filter_map(part).collect();
    let more = parts.len().saturating_sub(PARTS_MAX);
    parts.truncate(PARTS_MAX);
    if more > 0 {
        parts.push(format!("ほか{more}件は record.jsonl にあります"));
    }
    parts.join("、")
}

const PUNCH_COLUMNS: &[f32] = &[0.0, 92.0, 130.0, 198.0, 278.0, 322.0, 394.0];

fn punches(request: &Request, written: &Written, rows: &mut Vec<Row>) {
    if request.employee.is_none() {
        return;
    }
    rows.push(Row::Heading("打刻"));
    let titles = ["日時", "種別", "端末", "アカウント", "取得", "受信", "起こり得た範囲"];
    rows.push(Row::Cells(PUNCH_COLUMNS, titles.map(str::to_owned).to_vec()));
    let mut all: Vec<_> = written
        .terminals
        .iter()
        .flat_map(|terminal| terminal.punches.iter().map(move |received| (received, terminal)))
        .collect();
    all.sort_by_key(|(received, _)| received.event.occurred_at);
    for (received, terminal) in all.iter().take(PUNCHES_MAX) {
        rows.push(Row::Cells(PUNCH_COLUMNS, punch_cells(received, terminal)));
    }
    if all.len() > PUNCHES_MAX {
        text(rows, format!("ほか{}件は record.jsonl にあります。", all.len() - PUNCHES_MAX));
    }
}

fn punch_cells(received: &Received, terminal: &WrittenTerminal) -> Vec<String> {
    let event = &received.event;
    let words = Words(Language::Japanese);
    let kind = if event.kind == EventKind::Logon { "kind-logon" } else { "kind-logoff" };
    let account = event.account.as_ref().map(|account| format!("{}\\{}", account.domain, account.name));
    let range = event.bounds.map(|bounds| times::range(bounds.not_before, bounds.not_after));
    let arrived = times::received(received.received_at, event.occurred_at);
    vec![
        times::full(event.occurred_at),
        words.t(kind),
        terminal.host_name.clone(),
        account.unwrap_or_default(),
        words.t(how_key(event.evidence, terminal.resent.contains(&event.sequence))),
        arrived,
        range.unwrap_or_default(),
    ]
}

const LINK_COLUMNS: &[f32] = &[0.0, 220.0, 280.0, 345.0, 410.0];

fn links(written: &Written, rows: &mut Vec<Row>) {
    rows.push(Row::Heading("アカウントの関連付け（履歴）"));
    let titles = ["アカウント", "社員", "開始日", "終了日", "登録"];
    rows.push(Row::Cells(LINK_COLUMNS, titles.map(str::to_owned).to_vec()));
    for link in &written.people.links {
        let until = match (link.void, link.to) {
            (true, _) => "取り消し".to_owned(),
            (false, Some(date)) => date.to_string(),
            (false, None) => "―".to_owned(),
        };
        let made = format!("{} {}", times::full(link.made.0), link.made.1);
        let cells = vec![link.account.clone(), link.employee.clone(), link.from.to_string(), until, made];
        rows.push(Row::Cells(LINK_COLUMNS, cells));
    }
}

const LOG_COLUMNS: &[f32] = &[0.0, 60.0, 130.0];

fn log(request: &Request, written: &Written, rows: &mut Vec<Row>) {
    rows.push(Row::Heading("署名されたログ"));
    rows.push(Row::Cells(LOG_COLUMNS, ["月", "件数", "ルートハッシュ"].map(str::to_owned).to_vec()));
    for tree in &written.trees {
        let cells = vec![tree.month.clone(), tree.size.to_string(), tree.root.clone()];
        rows.push(Row::Cells(LOG_COLUMNS, cells));
    }
    let newest = written.trees.iter().map(|tree| &tree.month).max();
    if let Some(month) = newest.filter(|month| months::is_ahead(month, request.made_at)) {
        text(
            rows,
            format!(
                "最新の月（{month}）は、作成時のサーバーの時計より先の月です。サーバーの時計が一度進んだか、作成時に遅れていました。その後に届いた記録も{month}に入っています。"
            ),
        );
    }
}

/// The columns' widths, less the space between two.
fn widths(columns: &[f32]) -> impl Iterator<Item = f32> {
    let ends = columns.iter().skip(1).chain(std::iter::once(&WIDTH));
    columns.iter().zip(ends).map(|(from, to)| to - from - 4.0)
}

/// Rows of one line each: what has no room in its line or cell goes on in the next one.
fn in_lines(rows: Vec<Row>, letters: &Letters<'_>) -> Vec<Row> {
    let mut lines = Vec::new();
    for row in rows {
        match row {
            Row::Text(text) => {
                lines.extend(letters.wrapped(&text, WIDTH / TEXT).into_iter().map(Row::Text));
            }
            Row::Cells(columns, cells) => lines.extend(cells_in_lines(columns, &cells, letters)),
            Row::Title(_) | Row::Heading(_) | Row::Space => lines.push(row),
        }
    }
    lines
}

fn cells_in_lines(columns: &'static [f32], cells: &[String], letters: &Letters<'_>) -> Vec<Row> {
    let wrapped = |(width, cell): (f32, &String)| {
        let mut lines = letters.wrapped(cell, width / TEXT);
        if lines.len() > CELL_LINES_MAX {
            lines.truncate(CELL_LINES_MAX);
            lines.push("…以下略".to_owned());
        }
        lines
    };
    let cells: Vec<Vec<String>> = widths(columns).zip(cells).map(wrapped).collect();
    let longest = cells.iter().map(Vec::len).max().unwrap_or_default();
    let line = |index: usize| cells.iter().map(|cell| cell.get(index).cloned().unwrap_or_default()).collect();
    (0..longest).map(|index| Row::Cells(columns, line(index))).collect()
}

fn draw(rows: Vec<Row>, font: &FontFile) -> Result<Vec<u8>, SummaryError> {
    let settings =
        PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| SummaryError::Pdf("no A4".to_owned()))?;
    let letters = font.letters().ok_or_else(|| SummaryError::Pdf("the font is gone".to_owned()))?;
    let mut document = Document::new();
    let rows = in_lines(rows, &letters);
    let pages = pages(&rows);
    for (number, rows) in (1..).zip(&pages) {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        let mut write = |(x, y): (f32, f32), size: f32, text: &str| {
            let glyphs = letters.glyphs(text);
            surface.draw_glyphs(Point::from_xy(x, y), &glyphs, letters.font(), text, size, false);
        };
        let mut y = MARGIN;
        for row in *rows {
            y += height(row);
            match row {
                Row::Title(text) => write((MARGIN, y), 16.0, text),
                Row::Heading(text) => write((MARGIN, y), 11.0, text),
                Row::Text(text) => write((MARGIN, y), TEXT, text),
                Row::Cells(columns, cells) => {
                    for (from, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
                        write((MARGIN + from, y), TEXT, cell);
                    }
                }
                Row::Space => {}
            }
        }
        let foot = (PAGE.0 - MARGIN - 40.0, PAGE.1 - 20.0);
        write(foot, TEXT, &format!("{number} / {}", pages.len()));
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| SummaryError::Pdf(format!("{error:?}")))
}

fn height(row: &Row) -> f32 {
    match row {
        Row::Title(_) => 24.0,
        Row::Heading(_) => 26.0,
        Row::Text(_) | Row::Cells(..) => LINE,
        Row::Space => LINE / 2.0,
    }
}

/// Rows by page.
fn pages(rows: &[Row]) -> Vec<&[Row]> {
    let (mut pages, mut first, mut y) = (Vec::new(), 0, MARGIN);
    for (index, row) in rows.iter().enumerate() {
        // A heading does not stand alone at the end of a page.
        let needed = if matches!(row, Row::Heading(_)) { height(row) + 3.0 * LINE } else { height(row) };
        if y + needed > PAGE.1 - MARGIN {
            pages.push(&rows[first..index]);
            (first, y) = (index, MARGIN);
        }
        y += height(row);
    }
    pages.push(&rows[first..]);
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_all_rows_in_order_and_no_heading_is_the_last_of_its_page() {
        let mut rows = Vec::new();
        for _ in 0..20 {
            rows.push(Row::Heading("h"));
            rows.extend((0..7).map(|n| Row::Text(n.to_string())));
        }
        let pages = pages(&rows);
        assert!(pages.len() > 1);
        assert_eq!(pages.iter().map(|page| page.len()).sum::<usize>(), rows.len());
        assert!(pages.iter().all(|page| !matches!(page.last(), Some(Row::Heading(_)) | None)));
        assert!(pages.iter().all(|page| page.iter().map(height).sum::<f32>() <= PAGE.1 - 2.0 * MARGIN));
    }
}
