//! What the punches of many people come to, date by date.
//!
//! A fixed number of statements, each for all accounts at once. The first reads the index of an account's punches alone: the
//! rows themselves lie by time, among everybody's, and looking up a hundred thousand of them takes longer than all else.
//! What the index does not say is few and has an index of its own: punches with an error, and those whose time is an
//! estimate. Whether nobody made a first logon is looked up where a terminal has told of such a logon, in its row.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::{Date, date};
use mngntime_model::{EventKind, Evidence, PunchResult, UtcMillis};

use super::days::{Linked, asked_of, linked};
use super::{Work, people, presence, rows};
use crate::ContractId;
use crate::date::begins;
use crate::ports::{
    Beside, DayEdge, DaySummary, Page, PersonSummary, SUMMED_DATES_MAX, SUMMED_PEOPLE_MAX, Scope,
};
use crate::sql::{Connection, Many};

const DAY_MS: i64 = 86_400_000;

/// The first date whose beginning is a time, and not the beginning of all time.
const FIRST: Date = date(1, 1, 2);

/// Days are numbered from the time asked from, which is a midnight.
const SUMMED: &str = "SELECT (occurred_at - ?3) / 86400000 AS day, terminal_id, count(*),
    min(CASE WHEN kind = 'logon' THEN occurred_at END), max(CASE WHEN kind = 'logoff' THEN occurred_at END)
    FROM punches INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at >= ?3 AND occurred_at < ?4
    GROUP BY day, terminal_id";
/// The index that finds the errors lacks their results, which are looked up in the rows: else PostgreSQL takes an index that
/// has them, and reads everybody's errors for each account.
const ERRORS: &str = "SELECT (e.occurred_at - ?3) / 86400000 AS day, p.res, count(*)
    FROM punches e INDEXED BY punches_errors_by_account
    CROSS JOIN punches p ON p.contract_id = e.contract_id AND p.occurred_at = e.occurred_at
    AND p.terminal_id = e.terminal_id AND p.seq = e.seq
    WHERE e.contract_id = ?1 AND e.account_id = ?2 AND e.occurred_at >= ?3 AND e.occurred_at < ?4
    AND e.res IS NOT NULL GROUP BY day, p.res";
const ESTIMATES: &str =
    "SELECT (occurred_at - ?3) / 86400000, occurred_at, kind, evidence, not_before, not_after
    FROM punches INDEXED BY punches_ranged_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at >= ?3 AND occurred_at < ?4
    AND (not_before IS NOT NULL OR evidence = 'inferred')";
/// Until when a terminal's logons may be some that nobody made: for ever while nobody has come.
const NOBODY_UNTIL: &str = "SELECT max(coalesce(present_from, 9223372036854775807)) FROM unattended_stays
    WHERE contract_id = ?1 AND terminal_id = ?2";
const UNATTENDED: &str = "SELECT u.stay, u.present_from, u.present_not_after FROM punches p
    CROSS JOIN unattended_stays u ON u.contract_id = p.contract_id AND u.terminal_id = p.terminal_id
    AND u.stay = p.stay
    WHERE p.contract_id = ?1 AND p.occurred_at = ?2 AND p.terminal_id = ?3 AND p.account_id = ?4
    AND p.kind = 'logon'";

/// A terminal's id.
type TerminalBytes = [u8; 16];

/// Whose day of those asked for, and which.
type Place = (usize, i64);

/// A day while it is read.
struct Gathered {
    summary: DaySummary,
    /// Where the first logon stands: the link, the terminal.
    logon: Option<(usize, TerminalBytes)>,
}

pub(super) fn page(
    connection: &Connection,
    scope: &Scope,
    after: Option<String>,
    limit: usize,
    dates: (Date, Date),
) -> Work<Page<PersonSummary, String>> {
    let at = after.clone().map(Beside::After);
    let read = |limit| people::list_employees(connection, scope, after, limit);
    let key = |employee: &crate::ports::Employee| employee.data.code.clone();
    let people = rows::page(at.as_ref(), limit.min(SUMMED_PEOPLE_MAX), read, key)?;
    let ids: Vec<_> = people.rows.iter().map(|employee| employee.id).collect();
    let (first, span) = span(dates);
    let [linked, _] = linked(connection, scope.contract, &ids, span)?;
    let days = Days { connection, contract: scope.contract, first, from: span.0, linked: &linked };
    let mut days = days.of_each(ids.len())?.into_iter();
    people.try_map(|employee| Ok(PersonSummary { employee, days: days.next().unwrap_or_default() }))
}

/// The first date, and the time of all of them.
fn span((first, last): (Date, Date)) -> (Date, (UtcMillis, UtcMillis)) {
    let first = first.max(FIRST);
    let end = first.saturating_add(SUMMED_DATES_MAX.days());
    (first, (begins(first), last.tomorrow().map_or(UtcMillis(i64::MAX), begins).min(begins(end))))
}

/// One question.
struct Days<'a> {
    connection: &'a Connection,
    contract: ContractId,
    first: Date,
    from: UtcMillis,
    linked: &'a [Linked],
}

impl Days<'_> {
    /// The days of each of so many people.
    fn of_each(&self, people: usize) -> Work<Vec<Vec<DaySummary>>> {
        let mut found = self.summed()?;
        self.note_errors(&mut found)?;
        self.note_estimates(&mut found)?;
        self.note_unattended(&mut found)?;
        let mut each: Vec<Vec<DaySummary>> = (0..people).map(|_| Vec::new()).collect();
        for ((whose, _), Gathered { summary, .. }) in found {
            if let Some(days) = each.get_mut(whose) {
                days.push(summary);
            }
        }
        Ok(each)
    }

    /// The place of a link's day; the link may begin later than the dates that were asked for.
    fn place(&self, link: usize, day: i64) -> Option<Place> {
        let (whose, _, (from, _)) = self.linked.get(link)?;
        Some((*whose, (from.0 - self.from.0) / DAY_MS + day))
    }

    fn new_day(&self, day: i64) -> Gathered {
        let summary = DaySummary {
            date: self.first.saturating_add(day.days()),
            first_logon: None,
            unattended: None,
            last_logoff: None,
            punches: 0,
            inferred: 0,
            errors: Vec::new(),
        };
        Gathered { summary, logon: None }
    }

    /// Each day with a punch: how many, the first logon and the last logoff.
    fn summed(&self) -> Work<BTreeMap<Place, Gathered>> {
        let mut found = BTreeMap::new();
        let asked = asked_of(self.contract, self.linked);
        rows::each(self.connection, SUMMED, &asked, |link, row| {
            let Some(place) = self.place(link, row.get(0)?) else { return Ok(()) };
            let day = found.entry(place).or_insert_with(|| self.new_day(place.1));
            day.summary.punches += rows::number(row, 2)?;
            if let Some(at) = rows::millis_or_none(row, 3)?
                && day.summary.first_logon.is_none_or(|first| at < first.at)
            {
                day.summary.first_logon = Some(exactly(at));
                day.logon = Some((link, row.get(1)?));
            }
            if let Some(at) = rows::millis_or_none(row, 4)? {
                let last = day.summary.last_logoff.map_or(at, |last| last.at.max(at));
                day.summary.last_logoff = Some(exactly(last));
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn note_errors(&self, found: &mut BTreeMap<Place, Gathered>) -> Work<()> {
        rows::each(self.connection, ERRORS, &asked_of(self.contract, self.linked), |link, row| {
            let day = self.place(link, row.get(0)?).and_then(|place| found.get_mut(&place));
            let (result, punches) = (rows::result(row, 1)?, rows::number(row, 2)?);
            if let Some(day) = day {
                add(&mut day.summary.errors, result, punches);
            }
            Ok(())
        })
    }

    /// Counts what is inferred, and marks the edges that are no measured times. Of two punches of the same moment the less
    /// certain one speaks.
    fn note_estimates(&self, found: &mut BTreeMap<Place, Gathered>) -> Work<()> {
        rows::each(self.connection, ESTIMATES, &asked_of(self.contract, self.linked), |link, row| {
            let Some(day) = self.place(link, row.get(0)?).and_then(|place| found.get_mut(&place)) else {
                return Ok(());
            };
            let inferred = rows::evidence(row, 3)? == Evidence::Inferred;
            day.summary.inferred += u64::from(inferred);
            let logon = rows::kind(row, 2)? == EventKind::Logon;
            let summary = &mut day.summary;
            let edge = if logon { &mut summary.first_logon } else { &mut summary.last_logoff };
            let at = rows::millis(row, 1)?;
            if let Some(edge) = edge.as_mut().filter(|edge| edge.at == at) {
                edge.inferred |= inferred;
                edge.bounds = rows::bounds(row, 4)?.or(edge.bounds);
            }
            Ok(())
        })
    }

    /// Marks first logons that nobody made.
    fn note_unattended(&self, found: &mut BTreeMap<Place, Gathered>) -> Work<()> {
        let until = self.nobody_until(found)?;
        let suspect = |(place, day): (&Place, &Gathered)| {
            let ((link, terminal), first) = day.logon.zip(day.summary.first_logon)?;
            let until = until.get(&terminal)?;
            let (_, account, _) = self.linked.get(link)?;
            (first.at <= *until).then_some((*place, terminal, *account, first.at.0))
        };
        let suspects: Vec<_> = found.iter().filter_map(suspect).collect();
        let asked = Many::default()
            .integers(suspects.iter().map(|_| self.contract.0))
            .integers(suspects.iter().map(|(.., at)| *at))
            .blobs(suspects.iter().map(|(_, terminal, ..)| &terminal[..]))
            .blobs(suspects.iter().map(|(_, _, account, _)| &account[..]));
        rows::each(self.connection, UNATTENDED, &asked, |number, row| {
            if let Some(day) = suspects.get(number).and_then(|(place, ..)| found.get_mut(place)) {
                day.summary.unattended = presence::read(row, 0)?;
            }
            Ok(())
        })
    }

    /// Until when logons at these days' terminals may be some that nobody made; terminals that never told of one are not
    /// in it.
    fn nobody_until(&self, found: &BTreeMap<Place, Gathered>) -> Work<BTreeMap<TerminalBytes, UtcMillis>> {
        let used: BTreeSet<TerminalBytes> =
            found.values().filter_map(|day| day.logon.map(|(_, terminal)| terminal)).collect();
        let used: Vec<TerminalBytes> = used.into_iter().collect();
        let asked = Many::default()
            .integers(used.iter().map(|_| self.contract.0))
            .blobs(used.iter().map(|terminal| &terminal[..]));
        let mut until = BTreeMap::new();
        rows::each(self.connection, NOBODY_UNTIL, &asked, |number, row| {
            if let Some((terminal, time)) = used.get(number).zip(rows::millis_or_none(row, 0)?) {
                until.insert(*terminal, time);
            }
            Ok(())
        })?;
        Ok(until)
    }
}

fn exactly(at: UtcMillis) -> DayEdge {
    DayEdge { at, bounds: None, inferred: false }
}

/// Adds to the punches of a result, which stands among others by its number.
fn add(errors: &mut Vec<(PunchResult, u64)>, result: PunchResult, punches: u64) {
    match errors.binary_search_by_key(&result, |(known, _)| *known) {
        Ok(place) => errors[place].1 += punches,
        Err(place) => errors.insert(place, (result, punches)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_themselves_are_looked_up_for_the_few_only() {
        let directory = tempfile::tempdir().unwrap();
        let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let by_account = "(contract_id=? AND account_id=? AND occurred_at>? AND occurred_at<?)";
        for (sql, first) in [
            (SUMMED, format!("SEARCH punches USING COVERING INDEX punches_by_account {by_account}")),
            (ERRORS, format!("SEARCH e USING INDEX punches_errors_by_account {by_account}")),
            (ESTIMATES, format!("SEARCH punches USING INDEX punches_ranged_by_account {by_account}")),
            (
                NOBODY_UNTIL,
                "SEARCH unattended_stays USING PRIMARY KEY (contract_id=? AND terminal_id=?)".into(),
            ),
            (
                UNATTENDED,
                "SEARCH p USING PRIMARY KEY (contract_id=? AND occurred_at=? AND terminal_id=?)".into(),
            ),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values: Vec<_> = (0..statement.parameter_count()).map(|_| 1_i64).collect();
            let plan = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3));
            let plan: Vec<String> = plan.unwrap().map(Result::unwrap).collect();
            assert_eq!(plan[0], first, "{sql}: {plan:?}");
            assert!(plan.iter().all(|step| !step.contains("SCAN")), "{sql}: {plan:?}");
        }
    }
}
