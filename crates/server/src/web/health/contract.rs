//! What concerns one contract: whether punches arrive, how its terminals are, and which of its punches are errors.
//!
//! Its people must see a closed firewall within the hour, not when PCs count as silent after a day: so the line 受信 asks
//! when *any* PC was heard of. Errors are told by the punches' own days, with the whole beside them, because that is what
//! the punch log behind each figure shows; the operator's line counts what was judged since the start, and says so.
//! Everything is read from sums and short ranges that exist: the punches of half hours, the terminals' own rows.

use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::{ContractId, DayFigures, ErrorCause, FleetCounts, FleetShow, SLOTS, TerminalCounts};

use super::{Figure, HOUR_MS, Level, Lines, share};
use crate::access::Action;
use crate::web::WebState;
use crate::web::chrome::Chrome;
use crate::web::errors::WebError;
use crate::web::terminals::{self, board};
use crate::web::times;
use crate::web::today::Today;

/// Contacts after which it is strange that no PC at all was heard of.
const QUIET_CONTACTS: i64 = 3;

/// Terminals from which that is strange: one or two may all be off.
const QUIET_TERMINALS: u64 = 5;

/// Part of the punches without an employee, in percent, from which somebody should look: new people are a few.
const UNLINKED_LATE_PERCENT: u64 = 10;

/// Half an hour.
const HALF_HOUR_MS: i64 = HOUR_MS / 2;

/// Punches of today and yesterday.
struct Punches {
    today: (Date, Today),
    yesterday: (Date, Today),
}

impl Punches {
    async fn read(state: &WebState, contract: ContractId, c: &Chrome) -> Result<Self, WebError> {
        let today = c.today();
        let yesterday = today.yesterday().unwrap_or(today);
        let read = async |day| Today::read(state.store.as_ref(), contract.into(), day).await;
        Ok(Self { today: (today, read(today).await?), yesterday: (yesterday, read(yesterday).await?) })
    }

    fn all(&self) -> u64 {
        self.today.1.punches() + self.yesterday.1.punches()
    }

    /// Since the half hour that lay an hour ago: when that began, and how many.
    fn of_the_last_hour(&self, now: UtcMillis) -> (UtcMillis, u64) {
        let since = UtcMillis((now.0 - HOUR_MS).div_euclid(HALF_HOUR_MS) * HALF_HOUR_MS);
        let midnight = times::start_of(self.today.0).unwrap_or(now);
        let slots = [&self.yesterday.1.0, &self.today.1.0]
            .into_iter()
            .flat_map(|day: &DayFigures| day.logons.iter().zip(&day.logoffs).map(|(on, off)| on + off));
        let yesterdays = i64::try_from(SLOTS).unwrap_or(0);
        let first = (since.0 - midnight.0).div_euclid(HALF_HOUR_MS) + yesterdays;
        (since, slots.skip(usize::try_from(first).unwrap_or(0)).take(3).sum())
    }
}

/// The lines of one contract.
pub(super) async fn add(
    state: &WebState,
    contract: ContractId,
    lines: &mut Lines<'_>,
) -> Result<(), WebError> {
    let c = lines.c;
    let terminals = state.store.terminal_counts(contract).await?;
    let punches = Punches::read(state, contract, c).await?;
    arrival(&terminals, &punches, i64::from(state.contact_seconds), lines);
    let measures = terminals::measures(state, contract, c.now).await?;
    let counts = state.store.fleet_counts(contract, measures).await?;
    fleet(&counts, terminals.waiting, lines);
    let (from, until) = (times::start_of(punches.yesterday.0), times::end_of(punches.today.0));
    let (from, until) = (from.unwrap_or(c.now), until.unwrap_or(c.now));
    let found = state.store.error_counts(contract, from, until).await?;
    errors(&found, &punches, lines);
    Ok(())
}

/// Whether anything comes.
fn arrival(terminals: &TerminalCounts, punches: &Punches, contact_seconds: i64, lines: &mut Lines<'_>) {
    let c = lines.c;
    let patience = QUIET_CONTACTS * contact_seconds.max(1);
    let heard = terminals.heard_at.is_some_and(|at| c.now.0 - at.0 <= patience * 1_000);
    let quiet = !heard && terminals.in_use >= QUIET_TERMINALS;
    let last = terminals.heard_at.map_or_else(|| c.t("none"), times::full);
    let (since, hour) = punches.of_the_last_hour(c.now);
    let since = times::clock_short(since);
    let of_day = |key, (_, day): &(Date, Today), period| {
        figure(c.n(key, day.punches()), Action::PunchesRead, format!("/punches?period={period}"), c)
    };
    let minutes = u64::try_from(patience / 60).unwrap_or(0).max(1);
    let mut figures = vec![Figure::plain(c.v("health-heard", "at", last))];
    figures.extend(quiet.then(|| Figure::plain(c.n("health-quiet", minutes))));
    let hour = c.words().with("health-punches-since", &[("at", &since), ("n", &hour.to_string())]);
    figures.push(Figure::plain(hour));
    figures.push(of_day("health-punches-today", &punches.today, "today"));
    figures.push(of_day("health-punches-yesterday", &punches.yesterday, "yesterday"));
    let level = if quiet { Level::Late } else { Level::Ok };
    lines.add("health-ingest", level, figures, "health-quiet-do");
}

/// The board's counts, each with the way to it.
fn fleet(counts: &FleetCounts, waiting: u64, lines: &mut Lines<'_>) {
    let c = lines.c;
    let leading = |show, text| figure(text, Action::TerminalsRead, board::address(show), c);
    let of = |show| {
        let (what, n) = (c.t(board::label(show)), counts.of(show).to_string());
        leading(show, c.words().with("health-terminals-of", &[("what", &what), ("n", &n)]))
    };
    let in_use = leading(FleetShow::InUse, c.n("health-in-use", counts.of(FleetShow::InUse)));
    let waits = c.n("health-waiting", waiting);
    let waits = figure(waits, Action::TerminalsRead, "/terminals?sort=waiting".to_owned(), c);
    let level = |shows: &[FleetShow]| match shows.iter().map(|show| counts.of(*show)).sum() {
        0 => Level::Ok,
        1.. => Level::Late,
    };
    let figures = vec![in_use, of(FleetShow::Silent), waits];
    lines.add("health-terminals", level(&[FleetShow::Silent]), figures, "health-silent-do");
    let odd = [FleetShow::Duplicate, FleetShow::Missing, FleetShow::ClockOff];
    lines.add("health-numbers", level(&odd), odd.map(of).into(), "health-odd-do");
}

fn errors(found: &[(u8, u64)], punches: &Punches, lines: &mut Lines<'_>) {
    let c = lines.c;
    let count = |res: u8| found.iter().find(|(found, _)| *found == res).map_or(0, |(_, count)| *count);
    let whole = punches.all();
    let figures = [5_u8, 6, 7, 8, 9].map(|res| match count(res) {
        0 => Figure::plain(format!("res={res}: 0")),
        errors => {
            let address = list_of(res, punches);
            figure(format!("res={res}: {}", share(errors, whole)), Action::PunchesRead, address, c)
        }
    });
    let unlinked = count(7) * 100 >= whole.max(1) * UNLINKED_LATE_PERCENT;
    let level = if count(9) > 0 {
        Level::Bad
    } else if unlinked || [5, 6, 8].into_iter().any(|res| count(res) > 0) {
        Level::Late
    } else {
        Level::Ok
    };
    // IT sees how the system is, and nobody's punches: what is to be done about them is the business of those who do.
    let remedy = if c.may(Action::PunchesRead) { "health-errors-do" } else { "health-errors-tell" };
    lines.add("health-errors-own", level, figures.into(), remedy);
}

/// The punch log of these days, with the errors of this result where one cause is all that it has.
fn list_of(res: u8, punches: &Punches) -> String {
    let causes: Vec<_> = ErrorCause::ALL.into_iter().filter(|cause| cause.res() == res).collect();
    let (from, to) = (punches.yesterday.0, punches.today.0);
    let asked = match causes.as_slice() {
        [cause] => format!("cause={}", cause.name()),
        _ => "errors=1".to_owned(),
    };
    format!("/punches?{asked}&from={from}&to={to}")
}

/// A figure that leads to what it counts, for whoever may see that.
fn figure(text: String, action: Action, href: String, c: &Chrome) -> Figure {
    Figure { text, href: c.may(action).then_some(href) }
}
