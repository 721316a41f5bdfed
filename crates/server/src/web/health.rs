//! システム状態: each part of the system in one line: how it is, in words and colour, and what to do when it is not well.
//!
//! Operators see the whole server and nobody's attendance; administrators, IT and auditors of a contract see what
//! concerns their contract, and what they share with the others (disk, backup, certificate, clock) without figures of
//! others. Programs ask `/healthz` and `/metrics`.

mod contract;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use mngntime_model::UtcMillis;
use mngntime_store::{BackupMade, LogState, QuarantineReport, WriterLoad};

use super::WebState;
use super::chrome::{Chrome, Place};
use super::errors::WebError;
use super::session::Visit;
use super::times;
use super::views;
use crate::access::Action;
use crate::condition::{Certificate, Condition, Disk, Rate};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Backups older than this are late, and than that are missing: one a day, and a week at most.
const BACKUP_LATE_MS: i64 = 2 * DAY_MS;
const BACKUP_MISSING_MS: i64 = 7 * DAY_MS;

/// Days before its end at which a certificate is to be renewed, and at which it presses.
const CERTIFICATE_LATE_MS: i64 = 30 * DAY_MS;
const CERTIFICATE_PRESSING_MS: i64 = 7 * DAY_MS;

/// Days until the disk is full, by the growth of the last weeks.
const FULL_LATE_DAYS: u64 = 90;
const FULL_PRESSING_DAYS: u64 = 30;

/// Free part of the disk in percent.
const FREE_LATE_PERCENT: u64 = 15;
const FREE_PRESSING_PERCENT: u64 = 5;

/// A head is signed every minute; one that is older, with leaves waiting, is late.
const SIGNING_LATE_MS: i64 = 10 * 60_000;

/// Days by which growth is told.
const GROWTH_DAYS: usize = 30;

/// Rows of logs that are shown; those that are not well come first.
const LOGS_MAX: usize = 50;

/// How something is: class and drawing of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nobody here can see it: others look after it.
    Unseen,
    /// Nothing to do.
    Ok,
    /// Somebody should look.
    Late,
    /// Somebody must do something.
    Bad,
}

impl Level {
    /// Class and drawing.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Unseen => "quiet",
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Bad => "silent",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Unseen => "health-unseen",
            Self::Ok => "health-ok",
            Self::Late => "health-late",
            Self::Bad => "health-bad",
        }
    }
}

/// One line of the page.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is about.
    pub what: String,
    /// How it is.
    pub level: Level,
    /// The same in words.
    pub state: String,
    /// Figures.
    pub figures: Vec<Figure>,
    /// What to do; empty when there is nothing.
    pub remedy: String,
}

/// A figure of a line.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What it says.
    pub text: String,
    /// Where what it counts can be seen.
    pub href: Option<String>,
}

impl Figure {
    fn plain(text: String) -> Self {
        Self { text, href: None }
    }
}

/// Makes lines in the words of a page.
struct Lines<'a> {
    c: &'a Chrome,
    all: Vec<Line>,
}

impl Lines<'_> {
    /// A line; `remedy` is shown unless all is well.
    fn add(&mut self, what: &str, level: Level, figures: Vec<Figure>, remedy: &str) {
        let remedy = if level == Level::Ok { String::new() } else { self.c.t(remedy) };
        self.all.push(Line { what: self.c.t(what), level, state: self.c.t(level.key()), figures, remedy });
    }

    /// A line whose figures lead nowhere.
    fn add_plain(&mut self, what: &str, level: Level, figures: String, remedy: &str) {
        self.add(what, level, vec![Figure::plain(figures)], remedy);
    }
}

/// `GET /health`
///
/// # Errors
/// [`WebError`] when the person may not see it or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let contract = visit.permit(Action::HealthRead)?.contract_or_server()?;
    let c = visit.chrome.at(Place::Health);
    let source = state.condition.clone();
    let condition = tokio::task::spawn_blocking(move || source()).await.map_err(|_| WebError::Condition)?;
    let mut lines = Lines { c: &c, all: Vec::new() };
    match contract {
        Some(contract) => contract::add(&state, contract, &mut lines).await?,
        None => {
            of_server(&condition, state.store.writer_load(), &mut lines);
            quarantine(&state.store.quarantine_report(0).await?, &mut lines);
        }
    }
    let logs = state.store.log_states(contract).await?;
    log_line(&logs, &condition, &mut lines);
    let sizes = state.store.sizes(GROWTH_DAYS).await?;
    let growth = growth(&sizes);
    let whole = if contract.is_none() { Some(state.store.database_bytes().await?) } else { None };
    storage(&condition, growth, whole, &mut lines);
    if condition.database_elsewhere {
        lines.add_plain(
            "health-backup",
            Level::Unseen,
            c.t("health-backup-elsewhere"),
            "health-backup-elsewhere-do",
        );
    } else {
        backup(state.store.last_backup().await?, contract.is_none(), &mut lines);
    }
    certificate(&condition.certificate, &mut lines);
    clock(&condition, &mut lines);
    let lines = lines.all;
    let worst = lines.iter().map(|line| line.level).max().unwrap_or(Level::Ok);
    let logs = if contract.is_none() { logs_shown(logs, &c) } else { Vec::new() };
    let view = views::Health { worst, worst_text: worst_text(&lines, &c), lines, logs, c };
    Ok(view.render_page()?.into_response())
}

fn worst_text(lines: &[Line], c: &Chrome) -> String {
    let count = lines.iter().filter(|line| line.level > Level::Ok).count();
    if count == 0 { c.t("health-all-well") } else { c.n("health-some", count) }
}

/// Ingest, errors, the writer's queue, terminals: of all contracts together.
fn of_server(condition: &Condition, load: WriterLoad, lines: &mut Lines<'_>) {
    let c = lines.c;
    let [minute, hour, day] = &condition.rates;
    let of =
        |rate: &Option<Rate>| rate.as_ref().map_or_else(|| "–".to_owned(), |rate| events(rate).to_string());
    let figures = c.words().with(
        "health-ingest-figures",
        &[("minute", &of(minute)), ("hour", &of(hour)), ("day", &of(day)), ("since", &since(day, c))],
    );
    let silent = hour.as_ref().is_some_and(|hour| hour.of("batch_stored") == 0 && hour.span_ms >= HOUR_MS);
    let failed = hour.as_ref().map_or(0, |hour| hour.of("batch_failed"));
    let level = match (failed, silent && condition.terminals > 0) {
        (1.., _) => Level::Bad,
        (0, true) => Level::Late,
        (0, false) => Level::Ok,
    };
    lines.add_plain(
        "health-ingest",
        level,
        figures,
        if failed > 0 { "health-failed-do" } else { "health-ingest-do" },
    );
    errors(day, lines);
    let figures =
        c.words().numbers("health-queue-figures", &[("waiting", load.waiting), ("room", load.room)]);
    lines.add_plain("health-queue", share_level(load.waiting, load.room), figures, "health-queue-do");
    let odd: u64 = condition.standings.iter().map(|(_, count)| count).sum();
    let figures =
        c.words().numbers("health-standings-figures", &[("active", condition.terminals), ("odd", odd)]);
    lines.add_plain(
        "health-terminals",
        if odd > 0 { Level::Late } else { Level::Ok },
        figures,
        "health-odd-do",
    );
}

/// Half full, it keeps out what comes from addresses that have brought much; nearly full, it displaces.
fn quarantine(report: &QuarantineReport, lines: &mut Lines<'_>) {
    let c = lines.c;
    let figures = [("kept", report.kept), ("percent", report.full_percent), ("counted", report.counted_only)];
    let text = c.words().numbers("health-quarantine-figures", &figures);
    let level = match report.full_percent {
        0..50 => Level::Ok,
        50..90 => Level::Late,
        _ => Level::Bad,
    };
    let href = Some("/contracts/quarantine".to_owned());
    lines.add("health-quarantine", level, vec![Figure { text, href }], "health-quarantine-do");
}

/// A queue that is half full is about to refuse work.
fn share_level(waiting: u64, room: u64) -> Level {
    match waiting.saturating_mul(100) / room.max(1) {
        0..10 => Level::Ok,
        10..50 => Level::Late,
        _ => Level::Bad,
    }
}

/// "since the start 20 minutes ago", when that is less than a day.
fn since(day: &Option<Rate>, c: &Chrome) -> String {
    match day {
        Some(day) if day.span_ms < DAY_MS => {
            c.n("health-since", u64::try_from(day.span_ms / 60_000).unwrap_or(0))
        }
        _ => String::new(),
    }
}

/// Events that were stored and judged.
fn events(rate: &Rate) -> u64 {
    ["stored", "res_5", "res_6", "res_7", "res_8", "res_9"].iter().map(|name| rate.of(name)).sum()
}

/// A part, with the whole and the percentage: `42 / 84 (50 %)`.
fn share(part: u64, whole: u64) -> String {
    let whole = whole.max(part).max(1);
    match (part.saturating_mul(100) + whole / 2) / whole {
        0 if part > 0 => format!("{part} / {whole} (<1 %)"),
        percent => format!("{part} / {whole} ({percent} %)"),
    }
}

fn errors(day: &Option<Rate>, lines: &mut Lines<'_>) {
    let count = |name: &str| day.as_ref().map_or(0, |day| day.of(name));
    let whole = day.as_ref().map_or(0, events);
    let all = [5_u8, 6, 7, 8, 9].map(|res| match count(&format!("res_{res}")) {
        0 => format!("res={res}: 0"),
        errors => format!("res={res}: {}", share(errors, whole)),
    });
    let bytes = count("other_bytes");
    let refused = count("batch_refused");
    let more = lines.c.words().numbers("health-errors-more", &[("refused", refused), ("bytes", bytes)]);
    let level = match (count("res_9"), bytes) {
        (1.., _) => Level::Bad,
        (0, 1..) => Level::Late,
        (0, 0) => Level::Ok,
    };
    let remedy = if count("res_9") > 0 { "health-failed-do" } else { "health-bytes-do" };
    let since = since(day, lines.c);
    lines.add_plain("health-errors", level, format!("{} · {more}{since}", all.join(" · ")), remedy);
}

fn is_behind(log: &LogState, now: UtcMillis) -> bool {
    log.signed < log.leaves && log.signed_at.is_none_or(|at| at.0 + SIGNING_LATE_MS < now.0)
}

fn log_line(logs: &[LogState], condition: &Condition, lines: &mut Lines<'_>) {
    let c = lines.c;
    let waiting: u64 = logs.iter().map(|log| log.leaves.saturating_sub(log.signed)).sum();
    let last = logs.iter().filter_map(|log| log.signed_at).max();
    let last = last.map_or_else(|| c.t("none"), times::full);
    let figures = c.words().with("health-log-figures", &[("last", &last), ("waiting", &waiting.to_string())]);
    let (level, remedy) = if !condition.log_is_whole {
        (Level::Bad, "health-log-broken-do")
    } else if logs.iter().any(|log| is_behind(log, c.now)) {
        (Level::Late, "health-log-late-do")
    } else {
        (Level::Ok, "")
    };
    lines.add_plain("health-log", level, figures, remedy);
}

/// The log of one contract, ready to be written.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// 契約主コード.
    pub code: String,
    /// The newest month.
    pub month: String,
    /// Its leaves.
    pub leaves: u64,
    /// Those that no head covers.
    pub waiting: u64,
    /// When the last head was signed.
    pub signed_at: String,
    /// How it is.
    pub level: Level,
}

fn logs_shown(mut logs: Vec<LogState>, c: &Chrome) -> Vec<LogRow> {
    logs.sort_by_key(|log| (!is_behind(log, c.now), log.code.clone()));
    let row = |log: LogState| LogRow {
        level: if is_behind(&log, c.now) { Level::Late } else { Level::Ok },
        waiting: log.leaves.saturating_sub(log.signed),
        signed_at: log.signed_at.map_or_else(|| c.t("none"), times::full),
        code: log.code,
        month: log.month,
        leaves: log.leaves,
    };
    logs.into_iter().take(LOGS_MAX).map(row).collect()
}

/// Bytes a day between the oldest and the newest size; absent when they are of one day, or the database has shrunk.
fn growth(sizes: &[(jiff::civil::Date, u64)]) -> Option<u64> {
    let ((newest, after), (oldest, before)) = (sizes.first()?, sizes.last()?);
    let days = u64::try_from((*newest - *oldest).get_days()).ok().filter(|days| *days > 0)?;
    Some(after.checked_sub(*before)? / days)
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1_000.0, 0);
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

fn storage_level(disk: Disk, days_left: Option<u64>) -> Level {
    let free = disk.free.saturating_mul(100) / disk.total.max(1);
    let by_room = match free {
        0..FREE_PRESSING_PERCENT => Level::Bad,
        FREE_PRESSING_PERCENT..FREE_LATE_PERCENT => Level::Late,
        _ => Level::Ok,
    };
    let by_days = match days_left {
        Some(0..FULL_PRESSING_DAYS) => Level::Bad,
        Some(FULL_PRESSING_DAYS..FULL_LATE_DAYS) => Level::Late,
        _ => Level::Ok,
    };
    by_room.max(by_days)
}

/// For one contract the size of everybody's database, `whole` in bytes, is left out. Of a database that is elsewhere the disk
/// is this node's, which its growth does not fill.
fn storage(condition: &Condition, growth: Option<u64>, whole: Option<u64>, lines: &mut Lines<'_>) {
    let c = lines.c;
    let Some(disk) = condition.disk else {
        return lines.add_plain("health-storage", Level::Late, c.t("health-unknown"), "health-disk-do");
    };
    let elsewhere = condition.database_elsewhere;
    let days_left = growth.filter(|growth| *growth > 0 && !elsewhere).map(|growth| disk.free / growth);
    let left = days_left.map_or_else(|| c.t("health-days-unknown"), |days| c.n("health-days-left", days));
    let room = [("free", &*size(disk.free)), ("total", &*size(disk.total))];
    let mut figures = match elsewhere {
        true => vec![c.words().with("health-free-node", &room), c.t("health-database-elsewhere")],
        false => vec![c.words().with("health-free", &room), left],
    };
    if let Some(bytes) = whole {
        let growth = growth.map_or_else(|| "–".to_owned(), size);
        let database = size(bytes);
        figures.insert(0, c.words().with("health-database", &[("size", &database), ("growth", &growth)]));
    }
    let remedy = if elsewhere { "health-disk-node-do" } else { "health-disk-do" };
    lines.add_plain("health-storage", storage_level(disk, days_left), figures.join(" · "), remedy);
}

fn backup(last: Option<BackupMade>, whole: bool, lines: &mut Lines<'_>) {
    let c = lines.c;
    let Some(last) = last else {
        return lines.add_plain("health-backup", Level::Bad, c.t("health-backup-never"), "health-backup-do");
    };
    let level = match c.now.0 - last.at.0 {
        age if age > BACKUP_MISSING_MS => Level::Bad,
        age if age > BACKUP_LATE_MS => Level::Late,
        _ => Level::Ok,
    };
    let place = if whole { format!(" · {}", last.place) } else { String::new() };
    lines.add_plain("health-backup", level, format!("{}{place}", times::full(last.at)), "health-backup-do");
}

fn certificate(found: &Certificate, lines: &mut Lines<'_>) {
    let c = lines.c;
    let (level, figures) = match found {
        Certificate::None => (Level::Ok, c.t("health-certificate-none")),
        Certificate::Unreadable => (Level::Bad, c.t("health-unknown")),
        Certificate::Until(end) => {
            let level = match end.0 - c.now.0 {
                left if left < CERTIFICATE_PRESSING_MS => Level::Bad,
                left if left < CERTIFICATE_LATE_MS => Level::Late,
                _ => Level::Ok,
            };
            (level, c.v("health-until", "time", times::full(*end)))
        }
    };
    lines.add_plain("health-certificate", level, figures, "health-certificate-do");
}

fn clock(condition: &Condition, lines: &mut Lines<'_>) {
    let c = lines.c;
    let level = if condition.months_ahead.is_empty() { Level::Ok } else { Level::Late };
    let mut figures = vec![format!("{} (JST)", times::full(c.now))];
    figures.extend(condition.months_ahead.iter().map(|month| c.v("health-ahead", "month", month)));
    lines.add_plain("health-clock", level, figures.join(" · "), "health-clock-do");
    let version = format!("MngnTime {}", c.version());
    lines.add_plain("health-version", Level::Ok, version, "");
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn growth_is_told_by_the_days_between() {
        assert_eq!(growth(&[]), None);
        assert_eq!(growth(&[(date(2026, 11, 25), 5)]), None);
        assert_eq!(growth(&[(date(2026, 11, 25), 1_000), (date(2026, 11, 15), 500)]), Some(50));
        assert_eq!(growth(&[(date(2026, 11, 25), 400), (date(2026, 11, 15), 500)]), None, "it has shrunk");
    }

    #[test]
    fn the_worse_of_room_and_days_counts() {
        let disk = |free| Disk { free, total: 100 };
        assert_eq!(storage_level(disk(50), None), Level::Ok);
        assert_eq!(storage_level(disk(14), Some(1_000)), Level::Late);
        assert_eq!(storage_level(disk(4), Some(1_000)), Level::Bad);
        assert_eq!(storage_level(disk(50), Some(89)), Level::Late);
        assert_eq!(storage_level(disk(50), Some(29)), Level::Bad);
        assert_eq!(storage_level(Disk { free: 0, total: 0 }, None), Level::Bad);
    }

    #[test]
    fn a_queue_turns_at_a_tenth_and_at_a_half() {
        assert_eq!(
            [0, 102, 103, 511, 512].map(|waiting| share_level(waiting, 1_024)),
            [Level::Ok, Level::Ok, Level::Late, Level::Late, Level::Bad]
        );
    }

    #[test]
    fn a_part_is_told_with_its_whole() {
        assert_eq!(share(42, 84), "42 / 84 (50 %)");
        assert_eq!(share(1, 1_000), "1 / 1000 (<1 %)");
        assert_eq!(share(3, 2), "3 / 3 (100 %)", "sums may lag behind what they sum up");
    }

    #[test]
    fn sizes_are_read_in_three_digits() {
        assert_eq!([999, 1_000, 1_550_000, 999_960_000].map(size), ["999 B", "1.0 KB", "1.6 MB", "1.0 GB"]);
    }
}
