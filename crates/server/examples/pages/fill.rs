//! How the company comes into a store: enrolments, days of batches, links, and what people do meanwhile.
//!
//! Written for a [`Sink`], of which there are two: the quick one of the measurement, and the real store, against which
//! a test compares it.

use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, Result};
use jiff::civil::Date;
use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::sqlite::filling::Filler;
use mngntime_store::{Act, CONTACT_DAYS_KEPT, ContractId, EmployeeId, Enrolment, IncomingBatch, NewEmployee};
use serde_json::{Value, json};

use super::company::{self, Day, Pc, Size, draw};
use super::progress::Progress;

/// People of the personnel department, by whom the audit log is filled.
const OFFICERS: u64 = 20;

/// Audit entries of a day, for each thousand employees: who looked at whose record.
const LOOKS_PER_THOUSAND: u64 = 80;

/// Days after which every account has been seen, strangers' included.
const ALL_SEEN_DAYS: usize = 8;

/// Days before the end at which some PCs are blocked, so that their punches are errors.
const BLOCKED_DAYS: usize = 8;

/// Where the company goes.
pub trait Sink {
    fn enroll(&self, enrolment: Enrolment) -> Result<()>;
    fn receive(&self, batch: IncomingBatch) -> Result<()>;
    /// As [`Self::receive`], of a day of which later days leave nothing but its events.
    fn receive_settled(&self, batch: IncomingBatch) -> Result<()>;
    fn add_employee(&self, contract: ContractId, new: NewEmployee, act: Act) -> Result<EmployeeId>;
    fn link(
        &self,
        contract: ContractId,
        key: &str,
        employee: EmployeeId,
        dates: (Date, Option<Date>),
        act: Act,
    ) -> Result<()>;
    fn block(&self, contract: ContractId, ids: Vec<TerminalId>, act: Act) -> Result<()>;
    fn note(
        &self,
        contract: ContractId,
        action: &'static str,
        object: String,
        detail: Value,
        act: Act,
    ) -> Result<()>;
    fn commit(&self) -> Result<()>;
}

impl Sink for Filler {
    fn enroll(&self, enrolment: Enrolment) -> Result<()> {
        Ok(Filler::enroll(self, &enrolment).map(drop)?)
    }

    fn receive(&self, batch: IncomingBatch) -> Result<()> {
        Ok(Filler::receive(self, &batch).map(drop)?)
    }

    fn receive_settled(&self, batch: IncomingBatch) -> Result<()> {
        Ok(Filler::receive_settled(self, &batch)?)
    }

    fn add_employee(&self, contract: ContractId, new: NewEmployee, act: Act) -> Result<EmployeeId> {
        Ok(Filler::add_employee(self, contract, &new, &act)?)
    }

    fn link(
        &self,
        contract: ContractId,
        key: &str,
        employee: EmployeeId,
        dates: (Date, Option<Date>),
        act: Act,
    ) -> Result<()> {
        Ok(Filler::link(self, contract, key, employee, dates, &act)?)
    }

    fn block(&self, contract: ContractId, ids: Vec<TerminalId>, act: Act) -> Result<()> {
        Ok(Filler::block(self, contract, &ids, &act)?)
    }

    fn note(
        &self,
        contract: ContractId,
        action: &'static str,
        object: String,
        detail: Value,
        act: Act,
    ) -> Result<()> {
        Ok(Filler::note(self, contract, action, &object, &detail, &act)?)
    }

    fn commit(&self) -> Result<()> {
        Ok(Filler::commit(self)?)
    }
}

fn officer(stream: u64, number: u64, at: UtcMillis) -> Act {
    Act::administrator(&format!("officer{}", draw(stream, number, 1) % OFFICERS), at)
}

/// Fills `sink` with the whole history.
pub fn fill(sink: &impl Sink, size: Size, contract: ContractId, progress: &mut Progress) -> Result<()> {
    let days = size.days();
    let first = *days.first().context("there is no punch to be made")?;
    let start = company::midnight(first);
    let pcs: Vec<Pc> = (0..size.employees).map(Pc::new).collect();
    for pc in &pcs {
        sink.enroll(pc.enrolment(start))?;
    }
    let add = |employee| {
        sink.add_employee(contract, company::employee(size, employee), officer(20, employee, start))
    };
    let employees = (0..size.employees).map(add).collect::<Result<Vec<_>>>()?;
    sink.commit()?;
    let (send, batches) = sync_channel(256);
    std::thread::scope(|scope| {
        let made = scope.spawn(|| {
            let send = send;
            make(size, contract, &days, pcs, |message| send.send(message).is_ok())
        });
        let mut index = 0;
        for message in &batches {
            match message {
                Some(batch) if is_settled(index, &days) => sink.receive_settled(batch)?,
                Some(batch) => sink.receive(batch)?,
                None => {
                    after_day(sink, size, contract, &employees, (index, &days))?;
                    index += 1;
                    sink.commit()?;
                    progress.show(index as u64, days.len() as u64);
                }
            }
        }
        made.join().map_err(|_| anyhow::anyhow!("the thread that makes batches has panicked"))?
    })
}

/// Whether everybody has been seen by then, and no day of contact of that date is kept any more at the end.
fn is_settled(index: usize, days: &[Date]) -> bool {
    let kept = jiff::Span::new().days(CONTACT_DAYS_KEPT + 7);
    let last = days.last().and_then(|last| last.checked_sub(kept).ok());
    index > ALL_SEEN_DAYS && last.is_some_and(|last| days[index] < last)
}

/// Makes the batches in a thread of its own; after those of each day comes `None`.
fn make(
    size: Size,
    contract: ContractId,
    days: &[Date],
    mut pcs: Vec<Pc>,
    send: impl Fn(Option<IncomingBatch>) -> bool,
) -> Result<()> {
    for (index, date) in days.iter().enumerate() {
        let day = Day { size, contract, index, days: days.len(), date: *date };
        for pc in &mut pcs {
            if let Some(batch) = day.batch(pc)?
                && !send(Some(batch))
            {
                return Ok(());
            }
        }
        if !send(None) {
            return Ok(());
        }
    }
    Ok(())
}

/// What people do on the evening of a day.
fn after_day(
    sink: &impl Sink,
    size: Size,
    contract: ContractId,
    employees: &[EmployeeId],
    (index, days): (usize, &[Date]),
) -> Result<()> {
    let evening = company::midnight(days[index]).plus(19 * 3_600_000).min(size.now);
    // Those who were elsewhere on the first day have an account from the second on.
    if index == 1 || index + 1 == days.len() && index == 0 {
        link_everybody(sink, size, contract, employees, (days[0], evening))?;
    }
    if index + BLOCKED_DAYS == days.len() {
        let blocked = (0..size.employees).filter(|pc| pc % 251 == 8).map(|pc| Pc::new(pc).id).collect();
        sink.block(contract, blocked, officer(21, 0, evening))?;
    }
    for look in 0..size.employees * LOOKS_PER_THOUSAND / 1000 {
        let stream = index as u64;
        let whose = company::employee_code(draw(22, stream, look) % size.employees);
        let page = ["month", "day", "punches", "punch"][usize::try_from(look % 4)?];
        let act = officer(23, look, evening);
        sink.note(contract, "view_record", format!("employee {whose}"), json!({ "page": page }), act)?;
    }
    Ok(())
}

/// Links with an open end, some with a last date to come, some that are over.
fn link_everybody(
    sink: &impl Sink,
    size: Size,
    contract: ContractId,
    employees: &[EmployeeId],
    (first, at): (Date, UtcMillis),
) -> Result<()> {
    let today = mngntime_store::local_date(size.now);
    for (employee, id) in (0_u64..).zip(employees).filter(|(employee, _)| size.has_account(*employee)) {
        let days = match employee % 64 {
            5 => Some(jiff::Span::new().days(40)),
            6 => Some(jiff::Span::new().days(-9)),
            _ => None,
        };
        let to = days.map(|days| today.checked_add(days)).transpose()?;
        let dates = (first, to.map(|to| to.max(first)));
        sink.link(contract, &company::account(employee).key, *id, dates, officer(24, employee, at))?;
    }
    Ok(())
}
