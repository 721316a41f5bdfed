//! Fills a new store for measurements, by the intake's own functions: what stands in it afterwards is what real
//! terminals and people would have left there, row by row.
//!
//! Only what makes it slow is left away. Nothing is synced, there is no journal, and references are not checked: a store
//! that was not finished is thrown away. Of days long past only that is written which is still there after the days that
//! follow ([`Filler::receive_settled`]). Every event and every audit entry has its leaf in the evidence log, in its order, so
//! that a server finds a log that it can sign. The batches that prove events, which no page and no head reads, are taken out
//! again from time to time. The server is built without this file.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use mngntime_model::TerminalId;
use serde_json::Value;

use super::intake::Arrival;
use super::{
    DATABASE_FILE, OpenError, Work, WorkError, audit, enrollment, intake, judging, links, log, night, people,
    rows, schema, terminals,
};
use crate::judge::{Circumstances, Facts, LinkSpan, employee_on, hindrance};
use crate::ports::{
    Act, ContractStatus, EmployeeChoice, EnrollmentOutcome, Enrolment, IncomingBatch, IncomingEvent,
    LinkRequest, NewEmployee, Reception, TerminalStatus,
};
use crate::sql::{self, Connection, params};
use crate::{AccountId, ContractId, EmployeeId};

/// Why a store could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A piece of work failed.
    #[error("could not {operation} while filling the store")]
    Work {
        /// What was to be done.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn failed(operation: &'static str) -> impl FnOnce(WorkError) -> FillError {
    move |error| FillError::Work { operation, source: Box::new(error) }
}

fn sql_failed(operation: &'static str) -> impl FnOnce(rusqlite::Error) -> FillError {
    move |error| failed(operation)(sql::Error::from(error).into())
}

/// An account and its links, by contract and key.
type KnownAccounts = BTreeMap<(ContractId, String), (AccountId, Vec<LinkSpan>)>;

/// A store while it is filled. Nobody else may have it open.
pub struct Filler {
    connection: Connection,
    /// Whether batches stand there.
    has_batches: Cell<bool>,
    /// Whether the heads of terminals are behind their events.
    heads_behind: Cell<bool>,
    /// Accounts and their links, for [`Self::receive_settled`].
    known: RefCell<KnownAccounts>,
}

impl Filler {
    /// Opens the store in `directory` with a page cache of `cache_bytes`.
    ///
    /// # Errors
    /// [`FillError`] when the file cannot be opened or switched.
    pub fn open(directory: &Path, cache_bytes: u64) -> Result<Self, FillError> {
        let failed = sql_failed;
        let connection = schema::open_for_writing(&directory.join(DATABASE_FILE))?;
        let settings = format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -{};",
            cache_bytes / 1024
        );
        connection.execute_batch(&settings).map_err(failed("switch the database"))?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed("begin"))?;
        Ok(Self {
            connection: connection.into(),
            has_batches: Cell::new(false),
            heads_behind: Cell::new(false),
            known: RefCell::default(),
        })
    }

    /// As [`crate::Intake::enroll`].
    ///
    /// # Errors
    /// [`FillError`], as all that follow.
    pub fn enroll(&self, enrolment: &Enrolment) -> Result<EnrollmentOutcome, FillError> {
        enrollment::enroll(&self.connection, enrolment).map_err(failed("enrol a terminal"))
    }

    /// As [`crate::Intake::receive`].
    ///
    /// # Errors
    /// [`FillError`].
    pub fn receive(&self, batch: &IncomingBatch) -> Result<Reception, FillError> {
        self.catch_up()?;
        self.has_batches.set(true);
        intake::receive(&self.connection, batch).map_err(failed("store a batch"))
    }

    /// As [`Self::receive`], for a day that lies so far back that of everything else about its terminals (days of
    /// contact, OS runs, last contacts) nothing is left after the days that come through [`Self::receive`] later. The
    /// terminals are in use, everything arrives for the first time and in order, and the accounts are known.
    ///
    /// # Errors
    /// [`FillError`], when an account is not known, too.
    pub fn receive_settled(&self, batch: &IncomingBatch) -> Result<(), FillError> {
        self.heads_behind.set(true);
        let work = || -> Work<()> {
            let arrival = Arrival {
                batch,
                terminal: rows::terminal_bytes(&batch.terminal)?,
                now: Circumstances {
                    contract: ContractStatus::Active,
                    logon_punch_option: true,
                    terminal: TerminalStatus::Active,
                    makeup_changed: false,
                },
                act: Act::server(batch.received_at),
                month: log::month(&self.connection, batch.contract, batch.received_at)?,
                is_new: Cell::new(true),
            };
            batch.events.iter().try_for_each(|event| self.settle(&arrival, event))
        };
        work().map_err(failed("store a settled batch"))
    }

    fn settle(&self, arrival: &Arrival<'_>, incoming: &IncomingEvent) -> Work<()> {
        let (event, contract) = (&incoming.event, arrival.batch.contract);
        intake::insert_event(&self.connection, arrival, incoming)?;
        log::append(&self.connection, contract, &arrival.month, &arrival.terminal, event.sequence)?;
        let Some(identity) = event.account.as_ref().filter(|_| event.kind.is_punch()) else {
            return Ok(());
        };
        let mut known = self.known.borrow_mut();
        let key = (contract, identity.key.clone());
        if !known.contains_key(&key) {
            let sql = "SELECT id FROM accounts WHERE contract_id = ?1 AND key = ?2";
            let account = rows::one(&self.connection, sql, params![contract.0, identity.key], |row| {
                Ok(AccountId(rows::uuid(row, 0)?))
            })?;
            let account = account.ok_or(WorkError::Unreadable("an account of a settled day"))?;
            known.insert(key.clone(), (account, judging::links(&self.connection, contract, account)?));
        }
        let (account, spans) = &known[&key];
        let date = night::date_of(&self.connection, arrival, event, *account)?;
        let facts = Facts { hindrance: hindrance(&arrival.now), employee: employee_on(date, spans) };
        intake::insert_punch(&self.connection, arrival, incoming, (*account, date), Some(&facts))
    }

    /// As [`crate::People::add_employee`].
    ///
    /// # Errors
    /// [`FillError`].
    pub fn add_employee(
        &self,
        contract: ContractId,
        new: &NewEmployee,
        act: &Act,
    ) -> Result<EmployeeId, FillError> {
        people::add_employee(&self.connection, contract, new, act).map_err(failed("add an employee"))
    }

    /// As [`crate::People::link_accounts`], for one account, by its key.
    ///
    /// # Errors
    /// [`FillError`], when there is no such account, too.
    pub fn link(
        &self,
        contract: ContractId,
        key: &str,
        employee: EmployeeId,
        dates: (jiff::civil::Date, Option<jiff::civil::Date>),
        act: &Act,
    ) -> Result<(), FillError> {
        let work = || -> Work<()> {
            let sql = "SELECT id FROM accounts WHERE contract_id = ?1 AND key = ?2";
            let account = rows::one(&self.connection, sql, params![contract.0, key], |row| {
                Ok(AccountId(rows::uuid(row, 0)?))
            })?;
            let account = account.ok_or(WorkError::Unreadable("an account to link"))?;
            let employee = EmployeeChoice::Existing(employee);
            let request = LinkRequest { account, employee, from: dates.0, to: dates.1 };
            links::link(&self.connection, contract, &[request], act).map(drop)
        };
        work().map_err(failed("link an account"))
    }

    /// As [`crate::Fleet::set_terminal_statuses`], for blocking.
    ///
    /// # Errors
    /// [`FillError`].
    pub fn block(&self, contract: ContractId, ids: &[TerminalId], act: &Act) -> Result<(), FillError> {
        terminals::set_statuses(&self.connection, contract, ids, (TerminalStatus::Blocked, ""), act)
            .map(drop)
            .map_err(failed("block terminals"))
    }

    /// As [`crate::AuditLog::note_with`].
    ///
    /// # Errors
    /// [`FillError`].
    pub fn note(
        &self,
        contract: ContractId,
        action: &str,
        object: &str,
        detail: &Value,
        act: &Act,
    ) -> Result<(), FillError> {
        audit::note(&self.connection, Some(contract), action, object, detail, act)
            .map_err(failed("write the audit log"))
    }

    /// Takes out what no page reads.
    fn forget_batches(&self) -> Result<(), FillError> {
        if !self.has_batches.replace(false) {
            return Ok(());
        }
        let sql = "DELETE FROM batches";
        self.connection.execute_batch(sql).map_err(|error| failed("take out batches")(error.into()))
    }

    /// Tells the terminals which of their numbers are stored.
    fn catch_up(&self) -> Result<(), FillError> {
        if !self.heads_behind.replace(false) {
            return Ok(());
        }
        let sql = "UPDATE terminals SET head = coalesce((SELECT max(seq) FROM events e
            WHERE e.contract_id = terminals.contract_id AND e.terminal_id = terminals.id), 0)";
        self.connection.execute_batch(sql).map_err(|error| failed("tell terminals their heads")(error.into()))
    }

    /// Ends a part: what was done so far is written to the file.
    ///
    /// # Errors
    /// [`FillError`].
    pub fn commit(&self) -> Result<(), FillError> {
        self.forget_batches()?;
        self.connection
            .execute_batch("COMMIT; BEGIN IMMEDIATE")
            .map_err(|error| failed("commit")(error.into()))
    }

    /// Ends the whole: the store can be opened as any other.
    ///
    /// # Errors
    /// [`FillError`].
    pub fn finish(self) -> Result<(), FillError> {
        self.forget_batches()?;
        self.catch_up()?;
        let end = "COMMIT; PRAGMA journal_mode = WAL";
        self.connection.execute_batch(end).map_err(|error| failed("finish")(error.into()))
    }
}
