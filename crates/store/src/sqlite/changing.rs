//! Dated changes of an account's links.
//!
//! A change becomes [`Step`]s by one pure function. The preview plays them on the links in memory and judges the stored
//! punches with the result; the change itself writes the same steps. So the two cannot say different things, as long as
//! nothing is changed in between.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::{Connection, params};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::PunchResult;

use super::{SqliteStore, Work, judging, links, people, rows};
use crate::judge::{Facts, LinkSpan, employee_on, judge};
use crate::ports::{
    Account, Act, Answer, ChangePreview, ChangedDays, Changes, EmployeeChoice, Link, LinkChange, LinkEnd,
    LinkInFull, LinkPreview, LinkRequest, NewEmployee, Rejudged, Why,
};
use crate::{AccountId, ContractId, EmployeeId, LinkId, Refusal};

#[async_trait]
impl Changes for SqliteStore {
    async fn preview_change(
        &self,
        contract: ContractId,
        account: AccountId,
        change: LinkChange,
    ) -> Answer<ChangePreview> {
        self.read("preview a change of links", move |connection| {
            preview(connection, contract, account, change)
        })
        .await
    }

    async fn change_links(
        &self,
        contract: ContractId,
        account: AccountId,
        change: LinkChange,
        act: Act,
    ) -> Answer<Rejudged> {
        self.write_alone("change links", move |tx| apply(tx, contract, account, change, &act)).await
    }

    async fn preview_employee(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        data: NewEmployee,
    ) -> Answer<ChangePreview> {
        self.read("preview a change of an employee", move |connection| {
            preview_employee(connection, contract, employee, &data)
        })
        .await
    }

    async fn links_in_full(
        &self,
        contract: ContractId,
        accounts: Vec<AccountId>,
    ) -> Answer<Vec<Vec<LinkInFull>>> {
        self.read("read links with their employees", move |connection| {
            accounts.iter().map(|account| in_full(connection, contract, *account)).collect()
        })
        .await
    }

    async fn preview_each_link(
        &self,
        contract: ContractId,
        requests: Vec<LinkRequest>,
    ) -> Answer<Vec<LinkPreview>> {
        self.read("preview links one by one", move |connection| {
            requests.iter().map(|request| preview_link(connection, contract, request)).collect()
        })
        .await
    }
}

/// The links of an account with their employees' dates.
pub(super) fn in_full(
    connection: &Connection,
    contract: ContractId,
    account: AccountId,
) -> Work<Vec<LinkInFull>> {
    let sql =
        "SELECT l.id, l.employee_id, e.code, e.name, l.from_date, l.to_date, l.created_at, l.created_by,
            e.active_from, e.active_to
         FROM account_links l INDEXED BY account_links_now
         JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
         WHERE l.contract_id = ?1 AND l.account_id = ?2 AND l.void = 0 ORDER BY l.from_date, l.id";
    rows::all(connection, sql, params![contract.0, account.0.as_bytes()], |row| {
        Ok(LinkInFull {
            link: people::read_link(row)?,
            employed_from: rows::date_or_none(row, 8)?,
            employed_to: rows::date_or_none(row, 9)?,
        })
    })
}

/// One thing that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The link ends after this date.
    Cut(LinkId, Date),
    /// The link counts for no date.
    Void(LinkId),
    /// A new link.
    Add(EmployeeId, Date, Option<Date>),
}

/// What `change` makes of `links`, which do not overlap.
fn steps(links: &[Link], change: LinkChange) -> Result<Vec<Step>, Refusal> {
    let named = |id| links.iter().find(|link| link.id == id).ok_or(Refusal::Missing { what: "link" });
    match change {
        LinkChange::Void { link } => Ok(vec![Step::Void(named(link)?.id)]),
        LinkChange::End { link, last } if last < named(link)?.from => Err(Refusal::DatesReversed),
        LinkChange::End { link, last } => Ok(vec![Step::Cut(link, last)]),
        LinkChange::Assign { from, to: Some(to), .. } if to < from => Err(Refusal::DatesReversed),
        LinkChange::Assign { employee, from, to } => Ok(assign(links, employee, from, to)),
    }
}

fn assign(links: &[Link], employee: EmployeeId, from: Date, to: Option<Date>) -> Vec<Step> {
    let reaches = |link: &Link| link.to.is_none_or(|last| to.is_some_and(|to| to <= last));
    let says_so = |link: &&Link| link.employee == employee && link.from <= from && reaches(link);
    if links.iter().find(says_so).is_some_and(|link| to.is_some() || link.to.is_none()) {
        return Vec::new();
    }
    let overlaps =
        |link: &&Link| to.is_none_or(|to| link.from <= to) && link.to.is_none_or(|last| from <= last);
    let (mut steps, mut later) = (Vec::new(), Vec::new());
    for link in links.iter().filter(overlaps) {
        match from.yesterday() {
            Ok(before) if link.from < from => steps.push(Step::Cut(link.id, before)),
            _ => steps.push(Step::Void(link.id)),
        }
        let after = to.and_then(|to| to.tomorrow().ok());
        if let Some(after) = after.filter(|after| link.to.is_none_or(|last| *after <= last)) {
            later.push(Step::Add(link.employee, after, link.to));
        }
    }
    steps.push(Step::Add(employee, from, to));
    steps.extend(later);
    steps
}

fn apply(
    tx: &Connection,
    contract: ContractId,
    account: AccountId,
    change: LinkChange,
    act: &Act,
) -> Work<Rejudged> {
    let found = with_links(tx, contract, account)?;
    let steps = steps(&found.links, change)?;
    for step in &steps {
        match *step {
            Step::Cut(link, last) => {
                links::shorten(tx, contract, link, LinkEnd::After(last), act).map(drop)?
            }
            Step::Void(link) => links::shorten(tx, contract, link, LinkEnd::Void, act).map(drop)?,
            Step::Add(employee, from, to) => {
                people::employee(tx, contract, employee)?;
                let choice = EmployeeChoice::Existing(employee);
                let request = LinkRequest { account, employee: choice, from, to };
                links::insert(tx, contract, &request, employee, act)?;
            }
        }
    }
    let adds = steps.iter().any(|step| matches!(step, Step::Add(..)));
    let why = if adds { Why::AccountLinked } else { Why::AccountUnlinked };
    people::rejudge_account(tx, contract, account, why, act)
}

fn with_links(connection: &Connection, contract: ContractId, account: AccountId) -> Work<Account> {
    people::account(connection, contract, account)?.ok_or_else(|| Refusal::Missing { what: "account" }.into())
}

/// The links after the steps, with the dates of their employees.
fn spans_after(
    connection: &Connection,
    contract: ContractId,
    links: &[Link],
    steps: &[Step],
) -> Work<Vec<LinkSpan>> {
    let mut plain: Vec<(Option<LinkId>, EmployeeId, Date, Option<Date>)> =
        links.iter().map(|link| (Some(link.id), link.employee, link.from, link.to)).collect();
    for step in steps {
        match *step {
            Step::Cut(id, last) => {
                plain.iter_mut().filter(|link| link.0 == Some(id)).for_each(|link| link.3 = Some(last));
            }
            Step::Void(id) => plain.retain(|link| link.0 != Some(id)),
            Step::Add(employee, from, to) => plain.push((None, employee, from, to)),
        }
    }
    let span = |(_, id, from, to): (_, EmployeeId, Date, Option<Date>)| {
        let data = people::employee(connection, contract, id)?.data;
        let (employed_from, employed_to) = (data.active_from, data.active_to);
        Ok(LinkSpan { employee: id, from, to, employed_from, employed_to })
    };
    plain.into_iter().map(span).collect()
}

/// Punches that somebody gains or loses, and the dates of both.
#[derive(Default)]
struct Tally {
    gains: u64,
    loses: u64,
    days: BTreeSet<Date>,
}

pub(super) fn preview(
    connection: &Connection,
    contract: ContractId,
    account: AccountId,
    change: LinkChange,
) -> Work<ChangePreview> {
    let found = with_links(connection, contract, account)?;
    let spans = spans_after(connection, contract, &found.links, &steps(&found.links, change)?)?;
    let mut count = Count::default();
    count.account(connection, contract, account, &spans)?;
    count.preview(connection, contract)
}

/// What other dates of employment do to the punches of every account that the employee has had.
pub(super) fn preview_employee(
    connection: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    data: &NewEmployee,
) -> Work<ChangePreview> {
    people::check_dates(data)?;
    people::employee(connection, contract, employee)?;
    let mut count = Count::default();
    for account in people::accounts_of(connection, contract, employee)? {
        let mut spans = judging::links(connection, contract, account)?;
        for span in spans.iter_mut().filter(|span| span.employee == employee) {
            (span.employed_from, span.employed_to) = (data.active_from, data.active_to);
        }
        count.account(connection, contract, account, &spans)?;
    }
    count.preview(connection, contract)
}

/// What judging stored punches with other links would change.
#[derive(Default)]
struct Count {
    all: ChangePreview,
    tallies: BTreeMap<EmployeeId, Tally>,
}

impl Count {
    /// Judges the punches of an account with `spans` instead of what is stored.
    fn account(
        &mut self,
        connection: &Connection,
        contract: ContractId,
        account: AccountId,
        spans: &[LinkSpan],
    ) -> Work<()> {
        let of_account = "INDEXED BY punches_by_account WHERE contract_id = ?1 AND account_id = ?2 AND res IS DISTINCT FROM 9";
        let punches = judging::stored(connection, of_account, params![contract.0, account.0.as_bytes()])?;
        for punch in punches {
            let employee = employee_on(punch.date, spans);
            let result = judge(Some(&Facts { hindrance: punch.hindrance, employee }));
            if result != punch.result {
                self.all.rejudged.results += 1;
                self.all.errors += u64::from(result == PunchResult::UserUnusable);
                self.all.cured += u64::from(result == PunchResult::Accepted);
            }
            if employee != punch.employee {
                self.all.rejudged.moved += u64::from(result == punch.result);
                self.moves(punch.employee, employee, punch.date);
            }
        }
        Ok(())
    }

    /// A punch of `date` leaves one and comes to another.
    fn moves(&mut self, from: Option<EmployeeId>, to: Option<EmployeeId>, date: Date) {
        if let Some(id) = to {
            let tally = self.tallies.entry(id).or_default();
            tally.gains += 1;
            tally.days.insert(date);
        }
        if let Some(id) = from {
            let tally = self.tallies.entry(id).or_default();
            tally.loses += 1;
            tally.days.insert(date);
        }
    }

    fn preview(self, connection: &Connection, contract: ContractId) -> Work<ChangePreview> {
        let mut all = self.all;
        for (id, tally) in self.tallies {
            let data = people::employee(connection, contract, id)?.data;
            all.employees.push(ChangedDays {
                code: data.code,
                name: data.name,
                gains: tally.gains,
                loses: tally.loses,
                days: tally.days.into_iter().collect(),
            });
        }
        all.employees.sort_by(|one, other| one.code.cmp(&other.code));
        Ok(all)
    }
}

pub(super) fn preview_link(
    connection: &Connection,
    contract: ContractId,
    request: &LinkRequest,
) -> Work<LinkPreview> {
    let (employed_from, employed_to) = match &request.employee {
        EmployeeChoice::Existing(id) => {
            let data = people::employee(connection, contract, *id)?.data;
            (data.active_from, data.active_to)
        }
        EmployeeChoice::New(new) => (new.active_from, new.active_to),
    };
    let text = |date: Option<Date>, open: &str| rows::date_text(date).unwrap_or_else(|| open.to_owned());
    let found = rows::one(
        connection,
        "SELECT count(CASE WHEN inside THEN 1 END), count(DISTINCT CASE WHEN inside THEN local_date END),
            min(CASE WHEN inside THEN local_date END), max(CASE WHEN inside THEN local_date END), count(*)
         FROM (SELECT local_date, local_date >= ?5 AND local_date <= ?6 AS inside
            FROM punches INDEXED BY punches_waiting
            WHERE contract_id = ?1 AND account_id = ?2 AND res = 7 AND local_date >= ?3 AND local_date <= ?4) waiting",
        params![
            contract.0,
            request.account.0.as_bytes(),
            request.from.to_string(),
            text(request.to, links::FAR),
            text(employed_from, links::EARLY),
            text(employed_to, links::FAR),
        ],
        |row| {
            let (first, last) = (rows::date_or_none(row, 2)?, rows::date_or_none(row, 3)?);
            let punches = rows::number(row, 0)?;
            Ok(LinkPreview {
                punches,
                days: rows::number(row, 1)?,
                span: first.zip(last),
                outside: rows::number(row, 4)?.saturating_sub(punches),
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use mngntime_model::UtcMillis;
    use uuid::Uuid;

    fn person(n: u8) -> EmployeeId {
        EmployeeId(Uuid::from_bytes([n; 16]))
    }

    fn link(n: u8, employee: u8, from: Date, to: Option<Date>) -> Link {
        Link {
            id: LinkId(Uuid::from_bytes([n; 16])),
            employee: person(employee),
            employee_code: String::new(),
            employee_name: String::new(),
            from,
            to,
            created_at: UtcMillis(0),
            created_by: String::new(),
        }
    }

    const APRIL: Date = date(2026, 4, 1);
    const MAY: Date = date(2026, 5, 1);
    const JUNE: Date = date(2026, 6, 1);

    #[test]
    fn a_hand_over_ends_the_old_link_the_day_before() {
        let old = link(1, 1, APRIL, None);
        let change = LinkChange::Assign { employee: person(2), from: MAY, to: None };
        let expected = [Step::Cut(old.id, date(2026, 4, 30)), Step::Add(person(2), MAY, None)];
        assert_eq!(steps(&[old], change).unwrap(), expected);
    }

    #[test]
    fn after_a_stay_elsewhere_the_account_is_the_first_employees_again() {
        let old = link(1, 1, APRIL, None);
        let change = LinkChange::Assign { employee: person(2), from: MAY, to: Some(date(2026, 5, 31)) };
        let expected = [
            Step::Cut(old.id, date(2026, 4, 30)),
            Step::Add(person(2), MAY, Some(date(2026, 5, 31))),
            Step::Add(person(1), JUNE, None),
        ];
        assert_eq!(steps(&[old], change).unwrap(), expected);
    }

    #[test]
    fn links_that_begin_within_the_dates_are_void_and_those_outside_stay() {
        let before = link(1, 1, APRIL, Some(date(2026, 4, 30)));
        let within = link(2, 3, JUNE, None);
        let change = LinkChange::Assign { employee: person(2), from: MAY, to: None };
        let expected = [Step::Void(within.id), Step::Add(person(2), MAY, None)];
        assert_eq!(steps(&[before, within], change).unwrap(), expected);
    }

    #[test]
    fn what_is_so_already_changes_nothing() {
        let old = link(1, 1, APRIL, None);
        for to in [None, Some(JUNE)] {
            let change = LinkChange::Assign { employee: person(1), from: MAY, to };
            assert_eq!(steps(std::slice::from_ref(&old), change).unwrap(), []);
        }
        let limited = link(1, 1, APRIL, Some(JUNE));
        let longer = LinkChange::Assign { employee: person(1), from: MAY, to: None };
        assert_eq!(steps(&[limited], longer).unwrap().len(), 2, "an open end is more than a last date");
    }

    #[test]
    fn wrong_dates_and_unknown_links_are_refused() {
        let old = link(1, 1, MAY, None);
        let end = LinkChange::End { link: old.id, last: APRIL };
        assert_eq!(steps(std::slice::from_ref(&old), end), Err(Refusal::DatesReversed));
        let void = LinkChange::Void { link: LinkId(Uuid::from_bytes([9; 16])) };
        assert_eq!(steps(std::slice::from_ref(&old), void), Err(Refusal::Missing { what: "link" }));
        let assign = LinkChange::Assign { employee: person(1), from: MAY, to: Some(APRIL) };
        assert_eq!(steps(&[old], assign), Err(Refusal::DatesReversed));
    }
}
