//! The strip above the list: what needs attention, and how today's punches lie over the day.

use std::fmt::Write as _;

use jiff::Span;
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::{Health, PunchFilter, SLOTS, Scope, Store, StoreError};

use super::super::chrome::Chrome;
use super::super::times;
use super::super::today::Today;

/// Errors are counted this many days back: older ones no longer belong to an open month.
const ERROR_DAYS: i64 = 62;

/// Errors are counted up to this number.
const ERRORS_MAX: usize = 99_999;

/// One number with its words.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Class of the cell, empty when all is well.
    pub class: &'static str,
    /// Where it leads.
    pub href: String,
    /// Whether the list shows exactly this.
    pub current: bool,
    /// What is counted.
    pub label: String,
    /// How many.
    pub number: u64,
    /// Whether the number wears ○.
    pub maru: bool,
    /// More, empty for nothing.
    pub note: String,
}

/// One bar of the picture.
#[derive(Debug, Clone)]
pub struct Bar {
    /// `on`, `off` or `bad`.
    pub class: &'static str,
    /// Left.
    pub x: usize,
    /// Top.
    pub y: String,
    /// Height.
    pub height: String,
}

/// The strip.
#[derive(Debug, Clone)]
pub struct Strip {
    /// Numbers.
    pub cells: Vec<Cell>,
    /// Bars.
    pub bars: Vec<Bar>,
    /// Where the line of the present is.
    pub now: String,
    /// The picture in words.
    pub words: String,
    /// Punches that are there at all today.
    pub empty: bool,
}

impl Strip {
    /// Reads what the strip shows.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(
        store: &dyn Store,
        scope: Scope,
        c: &Chrome,
        contact_seconds: u32,
        errors_shown: bool,
    ) -> Result<Self, StoreError> {
        let day = c.today();
        let since = day.checked_sub(Span::new().days(ERROR_DAYS)).unwrap_or(day);
        let contacts = i64::from(contact_seconds) * Health::SILENT_AFTER_CONTACTS;
        let silent_before = c.now.plus(-contacts.saturating_mul(1000));
        // Accounts and terminals are counted as they are now; there is no period to count punches in.
        let now = store.summary(scope, c.now, c.now, silent_before).await?;
        let filter = PunchFilter {
            from: times::start_of(since),
            until: times::end_of(day),
            errors_only: true,
            ..PunchFilter::default()
        };
        let errors = store.count_punches(scope, filter, ERRORS_MAX).await?;
        let read = Today::read(store, scope, day).await?;
        let mut cells = vec![punches_cell(c, day, &read), errors_cell(c, since, errors, errors_shown)];
        // Accounts without a link and terminals are the whole contract's business.
        if scope.is_whole() {
            cells.push(accounts_cell(c, now.unlinked_accounts, now.unlinked_punches));
            cells.push(terminals_cell(c, now.silent_terminals, contacts));
        }
        Ok(Self {
            cells,
            bars: bars(&read),
            now: now_line(c.now),
            words: in_words(&read, c),
            empty: read.punches() == 0,
        })
    }
}

fn punches_cell(c: &Chrome, day: Date, today: &Today) -> Cell {
    let number = today.punches();
    let note = if number > 0 { c.n("strip-logoffs", today.logoffs()) } else { String::new() };
    let href = format!("/punches?from={day}&to={day}");
    Cell { class: "", href, current: false, label: c.t("strip-today"), number, maru: false, note }
}

fn errors_cell(c: &Chrome, since: Date, number: u64, current: bool) -> Cell {
    let bad = number > 0;
    let date = times::short_date(since, c.today(), c.language());
    Cell {
        class: if bad { "is-bad" } else { "" },
        href: format!("/punches?from={since}&errors=1"),
        current,
        label: c.t("strip-errors"),
        number,
        maru: bad,
        note: if bad { c.v("strip-since", "date", date) } else { String::new() },
    }
}

fn accounts_cell(c: &Chrome, number: u64, punches: u64) -> Cell {
    let bad = number > 0;
    Cell {
        class: if bad { "is-bad" } else { "" },
        href: "/accounts?show=waiting".to_owned(),
        current: false,
        label: c.t("strip-accounts"),
        number,
        maru: false,
        note: if bad { c.n("strip-wait", punches) } else { String::new() },
    }
}

fn terminals_cell(c: &Chrome, number: u64, silent_seconds: i64) -> Cell {
    let bad = number > 0;
    let hours = u64::try_from(silent_seconds / 3600).unwrap_or(0).max(1);
    Cell {
        class: if bad { "is-warn" } else { "" },
        href: "/terminals?show=silent".to_owned(),
        current: false,
        label: c.t("strip-terminals"),
        number,
        maru: false,
        note: if bad { c.n("strip-hours", hours) } else { String::new() },
    }
}

/// Bars stand on a line at 30 of 40 units: logons up, logoffs down, errors at their foot.
fn bars(today: &Today) -> Vec<Bar> {
    let most_on = today.0.logons.iter().copied().max().unwrap_or(0).max(1) as f64;
    let most_off = today.0.logoffs.iter().copied().max().unwrap_or(0).max(1) as f64;
    let height = |count: u64, most: f64, full: f64| (count as f64 / most * full).max(2.0);
    let bar = |class, slot: usize, y: f64, height: f64| Bar {
        class,
        x: slot * 8 + 1,
        y: format!("{y:.1}"),
        height: format!("{height:.1}"),
    };
    let mut all = Vec::new();
    for slot in (0..SLOTS).filter(|slot| today.0.logons[*slot] > 0) {
        let height = height(today.0.logons[slot], most_on, 28.0);
        all.push(bar("on", slot, 30.0 - height, height));
    }
    all.extend((0..SLOTS).filter(|slot| today.0.errors[*slot] > 0).map(|slot| bar("bad", slot, 28.0, 2.0)));
    for slot in (0..SLOTS).filter(|slot| today.0.logoffs[*slot] > 0) {
        all.push(bar("off", slot, 31.0, height(today.0.logoffs[slot], most_off, 9.0)));
    }
    all
}

fn now_line(now: UtcMillis) -> String {
    let time = times::tokyo(now);
    let minutes = f64::from(time.hour()) * 60.0 + f64::from(time.minute());
    let mut line = String::new();
    // Writing to a String cannot fail.
    let _ = write!(line, "M{:.1} 0V40", minutes / 1440.0 * 384.0);
    line
}

fn in_words(today: &Today, c: &Chrome) -> String {
    let Some((slot, count)) = today.busiest() else {
        return c.t("strip-picture-empty");
    };
    let at = |slot: usize| format!("{}:{:02}", slot / 2, slot % 2 * 30);
    let (from, to) = (at(slot), at(slot + 1));
    c.words().with("strip-picture", &[("from", &from), ("to", &to), ("count", &count.to_string())])
}
