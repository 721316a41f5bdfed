//! Retiring months whose time is over, and saying which ones are next.
//!
//! Once a day the leading node looks at the contracts that have switched deletion on: each closed month that is due by the
//! calendar is read back whole, the signature of its head is checked, and the store decides ([`Retirement`]). What has been
//! decided is then carried out in small pieces, some each minute, so that PCs that send meanwhile never wait for more than
//! one of them. A server that is stopped goes on where it was.

use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::retention::{days_of, due_on};
use mngntime_store::{
    Act, CheckedMonth, Contract, ContractId, Hold, LogFault, MonthCheck, RetentionMonths, RetiredMonth,
    Retirement, Store, StoreError, local_date,
};

use crate::app::App;
use crate::backup::signed::is_signed;
use mngntime_store::sqlite::backup::ToldHead;

/// Events that go in one transaction. With each of them the database looks through the punches of its terminal for one
/// that refers to it: 2 ms where a terminal has 6,000, so that this is a tenth of a second of the writer's time.
const EVENTS_AT_ONCE: usize = 50;

/// Events that go in one round of the jobs, which is a minute: a month of a million in half a day.
const EVENTS_PER_ROUND: u64 = 2_000;

/// Months of a plan that are told.
pub const PLANNED_MAX: usize = 6;

/// Why a month that is due stays for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It goes with the next daily look, as far as its events speak about no later day.
    Due,
    /// It goes on its day.
    Later,
    /// Holds that stand keep it, so many.
    Held(usize),
    /// Its log is not closed: the next month has not begun, or what is stored could not be signed.
    Open,
}

/// A month that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// `YYYY-MM`, of receipt.
    pub month: String,
    /// From which day on it may go; later, should its events speak about a later day. Absent: never.
    pub due: Option<Date>,
    /// What becomes of it.
    pub next: Next,
}

/// The months with events, oldest first, and what becomes of each.
#[must_use]
pub fn plan(months: &RetentionMonths, holds: &[Hold], years: u8, today: Date) -> Vec<Planned> {
    let with_events = months.kept.iter().filter(|kept| kept.has_events);
    let planned = with_events.filter_map(|kept| {
        let days = days_of(&kept.month)?;
        let due = due_on(&kept.month, days.1, years);
        let held = holds.iter().filter(|hold| hold.touches(days.0, days.1)).count();
        let next = match (held, kept.closed, due) {
            (1.., ..) => Next::Held(held),
            (0, false, _) => Next::Open,
            (0, true, Some(due)) if due <= today => Next::Due,
            (0, true, _) => Next::Later,
        };
        Some(Planned { month: kept.month.clone(), due, next })
    });
    planned.collect()
}

/// Why a month was not retired though it was due.
#[derive(Debug, thiserror::Error)]
pub enum RetiringError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not what was signed.
    #[error(
        "the month {month} of contract {contract} is due, but stays: it is not what was signed, and shows that"
    )]
    Broken {
        /// Code of the contract.
        contract: String,
        /// The month.
        month: String,
        /// How.
        #[source]
        fault: LogFault,
    },
}

/// Looks which months are due, and retires them.
///
/// # Errors
/// The first [`RetiringError`], after the other months have been looked at all the same.
pub async fn retire_due(app: &App, now: UtcMillis) -> Result<(), RetiringError> {
    let mut failure = None;
    for contract in app.store.list_contracts().await? {
        if !contract.settings.retires {
            continue;
        }
        let months = app.store.retention_months(contract.id).await?;
        let holds = app.store.list_holds(contract.id).await?;
        let planned = plan(&months, &holds, contract.settings.retention_years, local_date(now));
        for due in planned.into_iter().filter(|planned| planned.next == Next::Due) {
            if let Err(error) = retire(app, &contract, due.month, now).await {
                failure.get_or_insert(error);
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn retire(app: &App, contract: &Contract, month: String, now: UtcMillis) -> Result<(), RetiringError> {
    let broken =
        |month: String, fault| RetiringError::Broken { contract: contract.code.clone(), month, fault };
    let checked = match app.store.check_month(contract.id, month.clone()).await? {
        MonthCheck::Whole(checked) => *checked,
        MonthCheck::Nothing => return Ok(()),
        MonthCheck::Broken(fault) => return Err(broken(month, fault)),
    };
    if !is_ours(app, &checked) {
        let size = checked.head.tree.size;
        return Err(broken(month, LogFault::ChangedHead { size }));
    }
    let outcome = app.store.retire_month(checked, Act::server(now)).await?;
    match outcome {
        Retirement::Retired => {
            tracing::info!(
                contract = contract.code,
                month,
                "the time of a month is over; its events are deleted now"
            );
        }
        Retirement::ClockUntried => tracing::warn!(
            contract = contract.code,
            month,
            "the time of a month is over; it stays until the server has run on more days, so that a wrong clock deletes nothing"
        ),
        Retirement::NotDue(due) => tracing::info!(
            contract = contract.code,
            month,
            due = due.map(tracing::field::display),
            "the time of a month is over, but for events that speak about later days; it stays until theirs is"
        ),
        // Somebody was quicker: it is looked at again tomorrow.
        Retirement::RetiredBefore | Retirement::SwitchedOff | Retirement::Held | Retirement::NotClosed => {}
    }
    Ok(())
}

/// Whether this server signed the head that a month was compared with.
fn is_ours(app: &App, checked: &CheckedMonth) -> bool {
    let told = ToldHead {
        contract: &checked.code,
        head: &checked.head,
        previous: checked.previous.as_ref(),
        number: None,
    };
    is_signed(told, &app.key.public())
}

/// Takes some more events out of the months that are retired.
///
/// # Errors
/// What the store says.
pub async fn empty_some(app: &App, now: impl Fn() -> UtcMillis) -> Result<(), StoreError> {
    let mut left = EVENTS_PER_ROUND;
    for contract in app.store.list_contracts().await? {
        let months = app.store.retention_months(contract.id).await?;
        for month in months.retired.into_iter().filter(|month| month.emptied_at.is_none()) {
            left = left.saturating_sub(empty(&*app.store, contract.id, &month, left, &now).await?);
            if left == 0 {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// How many went.
async fn empty(
    store: &dyn Store,
    contract: ContractId,
    month: &RetiredMonth,
    most: u64,
    now: &impl Fn() -> UtcMillis,
) -> Result<u64, StoreError> {
    let (mut from, mut gone) = (Some(0), 0);
    while let Some(leaf) = from.filter(|_| gone < most) {
        let act = Act::server(now());
        let done = store.empty_month(contract, month.month.clone(), leaf, EVENTS_AT_ONCE, act).await?;
        (from, gone) = (done.next, gone + done.events);
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use mngntime_store::{HoldId, KeptMonth, NewHold};

    use super::*;

    fn kept(month: &str, closed: bool, has_events: bool) -> KeptMonth {
        KeptMonth { month: month.to_owned(), closed, has_events }
    }

    fn hold(from: Option<Date>, to: Option<Date>, released: bool) -> Hold {
        Hold {
            id: HoldId::parse("00000000-0000-7000-8000-000000000000").unwrap(),
            data: NewHold { employee: None, from, to, reason: "x".to_owned() },
            employee: None,
            set_at: UtcMillis(0),
            set_by: "x".to_owned(),
            released: released.then(|| (UtcMillis(1), "x".to_owned())),
        }
    }

    #[test]
    fn a_plan_says_of_each_month_with_events_when_it_goes_or_what_keeps_it() {
        let months = RetentionMonths {
            kept: vec![
                kept("2026-10", true, false),
                kept("2026-11", true, true),
                kept("2026-12", true, true),
                kept("2027-01", false, true),
            ],
            retired: Vec::new(),
        };
        let told = |holds: &[Hold], today| {
            let planned = plan(&months, holds, 3, today);
            planned.into_iter().map(|month| (month.due, month.next)).collect::<Vec<_>>()
        };
        let due = [date(2030, 2, 1), date(2030, 3, 1), date(2030, 4, 1)].map(Some);
        let (day_before, day) = (date(2030, 1, 31), date(2030, 2, 1));
        let all = |next: [Next; 3]| due.into_iter().zip(next).collect::<Vec<_>>();
        assert_eq!(told(&[], day_before), all([Next::Later, Next::Later, Next::Open]));
        assert_eq!(told(&[], day), all([Next::Due, Next::Later, Next::Open]));
        let some = [hold(None, Some(date(2026, 11, 30)), false), hold(Some(date(2026, 12, 31)), None, false)];
        assert_eq!(told(&some, day), all([Next::Held(1), Next::Held(1), Next::Held(1)]));
        let released =
            [hold(None, None, true), hold(Some(date(2026, 12, 1)), Some(date(2026, 12, 1)), false)];
        assert_eq!(told(&released, day), all([Next::Due, Next::Held(1), Next::Open]));
    }
}
