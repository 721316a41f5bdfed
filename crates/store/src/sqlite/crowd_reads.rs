//! What must be known to take in many batches at once: a fixed number of queries, whatever their number.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mngntime_ledger::Digest;
use mngntime_model::{AccountIdentity, UtcMillis};

use super::crowd::{Ready, puncher};
use super::{Work, WorkError, figures, intake, judging, log, night, rows, standing};
use crate::judge::{Circumstances, LinkSpan};
use crate::ports::{IncomingBatch, LeafPlace, MISSING_RANGES_MAX};
use crate::sql::{Connection, Many};
use crate::{AccountId, ContractId, EmployeeId};

/// All that is known.
pub(super) struct Known {
    /// For each batch its terminal; absent when it is gone.
    pub(super) met: Vec<Option<Met>>,
    pub(super) accounts: Accounts,
    links: HashMap<(ContractId, AccountId), Vec<LinkSpan>>,
    departments: HashMap<(ContractId, EmployeeId), Vec<u8>>,
    logs: BTreeMap<ContractId, LogEnd>,
}

/// The terminal that a batch comes from, as it is met.
pub(super) struct Met {
    pub(super) terminal: standing::Known,
    /// How contract and terminal stand; the make-up is a matter of the batch.
    pub(super) circumstances: Circumstances,
    /// Whether it was cloned, rolled back or in conflict with itself.
    pub(super) had_two_lives: bool,
    /// Whether numbers of it are missing.
    pub(super) misses: bool,
    /// Whether it was heard of before on the batch's day.
    pub(super) contacted: bool,
    /// Whether the batch's OS run is one of those before the last.
    pub(super) ran_before: bool,
    /// Whether a logoff is stored that happened after the first logon of the batch.
    pub(super) had_logoffs: bool,
    /// Until when a night belongs to the day before, in minutes after midnight.
    pub(super) day_begins_minutes: u32,
    /// The missing ranges that a receipt tells.
    pub(super) missing: Vec<(u64, u64)>,
    /// Of the batch's events those that are stored, by number.
    pub(super) stored: BTreeMap<u64, StoredEvent>,
    /// Of its new logoffs that may end a night the last stored logon of their stay, by number.
    pub(super) logons: BTreeMap<u64, UtcMillis>,
}

/// An event that is stored.
pub(super) struct StoredEvent {
    pub(super) digest: Digest,
    pub(super) place: Option<LeafPlace>,
    pub(super) punch: Option<judging::Stored>,
}

/// Looks everything up.
pub(super) fn look_up(tx: &Connection, batches: &[&Ready]) -> Work<Known> {
    let mut met = terminals(tx, batches)?;
    missing(tx, batches, &mut met)?;
    stored(tx, batches, &mut met)?;
    let accounts = Accounts::look_up(tx, batches)?;
    logons(tx, batches, &mut met, &accounts)?;
    let links = links(tx, batches, &met, &accounts)?;
    let departments = departments(tx, &links)?;
    Ok(Known { met, accounts, links, departments, logs: logs(tx, batches)? })
}

fn terminals(tx: &Connection, batches: &[&Ready]) -> Work<Vec<Option<Met>>> {
    let asked = Many::default()
        .integers(batches.iter().map(|ready| ready.batch.contract.0))
        .blobs(batches.iter().map(|ready| &ready.terminal[..]))
        .texts(batches.iter().map(|ready| ready.day.to_string()))
        .texts(batches.iter().map(|ready| ready.batch.boot.as_str()))
        .integers(batches.iter().map(|ready| ready.first_logon.0));
    let mut met: Vec<Option<Met>> = batches.iter().map(|_| None).collect();
    rows::each(
        tx,
        "SELECT t.makeup, t.head, t.boot, t.boot_counter_ms, t.boot_heard_at, t.agent_version,
         c.status, c.logon_punch_option, t.status AS terminal_status,
         t.cloned_at IS NOT NULL OR t.rolled_back_at IS NOT NULL OR t.conflict <> 0 AS two_lives,
         EXISTS (SELECT 1 FROM missing_numbers m WHERE m.contract_id = ?1 AND m.terminal_id = ?2) AS misses,
         EXISTS (SELECT 1 FROM contact_days d WHERE d.contract_id = ?1 AND d.terminal_id = ?2 AND d.day = ?3)
             AS contacted,
         EXISTS (SELECT 1 FROM earlier_boots b WHERE b.contract_id = ?1 AND b.terminal_id = ?2 AND b.boot = ?4)
             AS ran_before,
         (SELECT s.day_begins_minutes FROM contract_settings s WHERE s.contract_id = ?1) AS day_begins,
         EXISTS (SELECT 1 FROM punches p INDEXED BY punches_by_terminal WHERE p.contract_id = ?1
             AND p.terminal_id = ?2 AND p.occurred_at > ?5 AND p.kind = 'logoff') AS had_logoffs
         FROM terminals t JOIN contracts c ON c.id = t.contract_id WHERE t.contract_id = ?1 AND t.id = ?2",
        &asked,
        |index, row| {
            met[index] = Some(Met {
                terminal: standing::Known::read(row)?,
                circumstances: Circumstances {
                    contract: rows::contract_status(row, 6)?,
                    logon_punch_option: row.get(7)?,
                    terminal: rows::terminal_status(row, 8)?,
                    makeup_changed: false,
                },
                had_two_lives: row.get(9)?,
                misses: row.get(10)?,
                contacted: row.get(11)?,
                ran_before: row.get(12)?,
                had_logoffs: row.get(14)?,
                day_begins_minutes: night::boundary_of(&batches[index].batch, row.get(13)?),
                missing: Vec::new(),
                stored: BTreeMap::new(),
                logons: BTreeMap::new(),
            });
            Ok(())
        },
    )?;
    Ok(met)
}

/// The oldest undeclared ranges of the terminals that miss some.
fn missing(tx: &Connection, batches: &[&Ready], met: &mut [Option<Met>]) -> Work<()> {
    let misses = |index: &usize| met[*index].as_ref().is_some_and(|met| met.misses);
    let of: Vec<usize> = (0..batches.len()).filter(misses).collect();
    let asked = Many::default()
        .integers(of.iter().map(|index| batches[*index].batch.contract.0))
        .blobs(of.iter().map(|index| &batches[*index].terminal[..]))
        .integers(of.iter().map(|_| rows::column(MISSING_RANGES_MAX as u64)));
    rows::each(
        tx,
        "SELECT first_number, last_number FROM missing_numbers INDEXED BY missing_undeclared WHERE declared IS NULL
         AND contract_id = ?1 AND terminal_id = ?2 ORDER BY first_number LIMIT ?3",
        &asked,
        |index, row| {
            let range = (rows::number(row, 0)?, rows::number(row, 1)?);
            met[of[index]].iter_mut().for_each(|met| met.missing.push(range));
            Ok(())
        },
    )?;
    met.iter_mut().flatten().for_each(|met| met.missing.sort_unstable());
    Ok(())
}

/// Events that may be stored: above a terminal's head nothing is.
fn stored(tx: &Connection, batches: &[&Ready], met: &mut [Option<Met>]) -> Work<()> {
    let mut of = Vec::new();
    for (index, ready) in batches.iter().enumerate() {
        let head = met[index].as_ref().map_or(0, |met| met.terminal.head);
        let below = ready
            .batch
            .events
            .iter()
            .map(|incoming| incoming.event.sequence)
            .filter(|number| *number <= head);
        of.extend(below.map(|number| (index, number)));
    }
    let asked = Many::default()
        .integers(of.iter().map(|(index, _)| batches[*index].batch.contract.0))
        .blobs(of.iter().map(|(index, _)| &batches[*index].terminal[..]))
        .integers(of.iter().map(|(_, number)| rows::column(*number)));
    rows::each(
        tx,
        "SELECT p.occurred_at, e.terminal_id, e.seq, p.account_id, p.local_date, p.makeup_changed, p.hindrance,
         p.employee_id, p.res, p.kind, e.hash, l.month, l.leaf FROM events e
         LEFT JOIN log_leaves l ON l.contract_id = e.contract_id AND l.terminal_id = e.terminal_id AND l.seq = e.seq
         LEFT JOIN punches p ON p.contract_id = e.contract_id AND p.occurred_at = coalesce(e.placed_at, e.occurred_at)
             AND p.terminal_id = e.terminal_id AND p.seq = e.seq
         WHERE e.contract_id = ?1 AND e.terminal_id = ?2 AND e.seq = ?3",
        &asked,
        |asked, row| {
            let (index, number) = of[asked];
            let is_punch = row.get::<_, Option<i64>>(0)?.is_some();
            let month: Option<String> = row.get(11)?;
            let place = month.map(|month| Ok::<_, WorkError>(LeafPlace { month, leaf: rows::number(row, 12)? }));
            let event = StoredEvent {
                digest: rows::digest(row, 10)?,
                place: place.transpose()?,
                punch: is_punch.then(|| judging::read_stored(row)).transpose()?,
            };
            if let Some(met) = &mut met[index] {
                met.stored.insert(number, event);
            }
            Ok(())
        },
    )
}

/// When the stays began that new logoffs may end with a night. Of an account that nobody has seen yet nothing is stored.
fn logons(tx: &Connection, batches: &[&Ready], met: &mut [Option<Met>], accounts: &Accounts) -> Work<()> {
    let mut of = Vec::new();
    for (index, ready) in batches.iter().enumerate() {
        let Some(met) = &met[index] else { continue };
        for (incoming, follows) in ready.events().filter(|(incoming, _)| met.may_end_a_night(incoming)) {
            let account = puncher(incoming).and_then(|identity| accounts.id(&ready.batch, identity));
            of.extend(account.map(|account| (index, account, incoming, follows)));
        }
    }
    let asked = Many::default()
        .integers(of.iter().map(|(index, ..)| batches[*index].batch.contract.0))
        .blobs(of.iter().map(|(_, account, ..)| &account.0.as_bytes()[..]))
        .integers(of.iter().map(|(.., follows)| night::looked_for_from(follows.date).0))
        .integers(of.iter().map(|(_, _, incoming, _)| incoming.event.occurred_at.0))
        .blobs(of.iter().map(|(index, ..)| &batches[*index].terminal[..]))
        .some_blobs(of.iter().map(|(.., follows)| follows.stay.as_ref().map(|stay| &stay.as_bytes()[..])));
    rows::each(tx, night::LOGON, &asked, |asked, row| {
        let (index, _, incoming, _) = of[asked];
        let logon = rows::millis(row, 0)?;
        met[index].iter_mut().for_each(|met| {
            met.logons.insert(incoming.event.sequence, logon);
        });
        Ok(())
    })
}

/// Links of the accounts whose punches are judged.
fn links(
    tx: &Connection,
    batches: &[&Ready],
    met: &[Option<Met>],
    accounts: &Accounts,
) -> Work<HashMap<(ContractId, AccountId), Vec<LinkSpan>>> {
    let mut of: BTreeSet<(ContractId, AccountId)> = accounts.known().collect();
    for (ready, met) in batches.iter().zip(met) {
        let punches = met.iter().flat_map(|met| met.stored.values()).filter_map(|event| event.punch.as_ref());
        of.extend(punches.map(|punch| (ready.batch.contract, punch.account)));
    }
    let of: Vec<_> = of.into_iter().collect();
    let asked = Many::default()
        .integers(of.iter().map(|(contract, _)| contract.0))
        .blobs(of.iter().map(|(_, account)| &account.0.as_bytes()[..]));
    let mut links: HashMap<_, Vec<LinkSpan>> = HashMap::new();
    rows::each(tx, judging::LINKS, &asked, |index, row| {
        links.entry(of[index]).or_default().push(judging::read_link(row)?);
        Ok(())
    })?;
    Ok(links)
}

/// The departments of the people whose punches these may be.
fn departments(
    tx: &Connection,
    links: &HashMap<(ContractId, AccountId), Vec<LinkSpan>>,
) -> Work<HashMap<(ContractId, EmployeeId), Vec<u8>>> {
    let linked =
        links.iter().flat_map(|((contract, _), links)| links.iter().map(|link| (*contract, link.employee)));
    let of: Vec<_> = linked.collect::<BTreeSet<_>>().into_iter().collect();
    let asked = Many::default()
        .integers(of.iter().map(|(contract, _)| contract.0))
        .blobs(of.iter().map(|(_, employee)| &employee.0.as_bytes()[..]));
    let mut departments = HashMap::new();
    let sql = "SELECT department_id FROM employees WHERE contract_id = ?1 AND id = ?2 AND department_id IS NOT NULL";
    rows::each(tx, sql, &asked, |index, row| {
        departments.insert(of[index], row.get(0)?);
        Ok(())
    })?;
    Ok(departments)
}

/// Where the logs of the batches' contracts end.
fn logs(tx: &Connection, batches: &[&Ready]) -> Work<BTreeMap<ContractId, LogEnd>> {
    let mut logs: BTreeMap<_, _> =
        batches.iter().map(|ready| (ready.batch.contract, LogEnd::default())).collect();
    let contracts: Vec<ContractId> = logs.keys().copied().collect();
    rows::each(
        tx,
        "SELECT month, leaf FROM log_leaves WHERE contract_id = ?1 ORDER BY month DESC, leaf DESC LIMIT 1",
        &Many::default().integers(contracts.iter().map(|contract| contract.0)),
        |index, row| {
            logs.insert(contracts[index], LogEnd { newest: row.get(0)?, leaves: rows::number(row, 1)? + 1 });
            Ok(())
        },
    )?;
    Ok(logs)
}

impl Known {
    /// The links of an account that count.
    pub(super) fn links_of(&self, batch: &IncomingBatch, account: AccountId) -> &[LinkSpan] {
        self.links.get(&(batch.contract, account)).map_or(&[], Vec::as_slice)
    }

    /// The department under which a person's punches are counted; empty without one.
    pub(super) fn department_of(&self, contract: ContractId, employee: Option<EmployeeId>) -> &[u8] {
        let found = employee.and_then(|employee| self.departments.get(&(contract, employee)));
        found.map_or(figures::NOBODYS, Vec::as_slice)
    }

    /// Where the log of a contract goes on.
    pub(super) fn log_of(&mut self, contract: ContractId) -> &mut LogEnd {
        self.logs.entry(contract).or_default()
    }
}

/// Where a contract's log ends.
#[derive(Default)]
pub(super) struct LogEnd {
    /// Its newest month; empty when there is none.
    newest: String,
    /// Leaves of that month.
    leaves: u64,
}

impl LogEnd {
    /// The month that takes what arrives at `at`.
    pub(super) fn month(&self, at: UtcMillis) -> String {
        log::month_after(Some(self.newest.clone()), at)
    }

    /// The next leaf of `month`, which is the newest one or later.
    pub(super) fn append(&mut self, month: &str) -> u64 {
        if self.newest != month {
            *self = Self { newest: month.to_owned(), leaves: 0 };
        }
        self.leaves += 1;
        self.leaves - 1
    }
}

/// The accounts whose punches are new, those that nobody has seen yet included.
#[derive(Default)]
pub(super) struct Accounts {
    places: HashMap<(ContractId, String), usize>,
    pub(super) all: Vec<Account>,
}

/// One of them, and what has become of it.
pub(super) struct Account {
    pub(super) contract: ContractId,
    pub(super) key: String,
    pub(super) seen: Option<SeenAccount>,
    pub(super) change: Option<Change>,
}

/// An account that has a row, or gets one.
pub(super) struct SeenAccount {
    pub(super) id: AccountId,
    pub(super) domain: String,
    pub(super) name: String,
    pub(super) upn: Option<String>,
    pub(super) last_seen_at: UtcMillis,
}

/// What is to be written of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is new, since this time.
    New(UtcMillis),
    /// It was seen again after a while.
    SeenAgain,
}

impl SeenAccount {
    fn is_called(&self, identity: &AccountIdentity) -> bool {
        (&self.domain, &self.name, &self.upn) == (&identity.domain, &identity.name, &identity.upn)
    }
}

impl Accounts {
    fn look_up(tx: &Connection, batches: &[&Ready]) -> Work<Self> {
        let mut accounts = Self::default();
        for ready in batches {
            ready
                .batch
                .events
                .iter()
                .filter_map(puncher)
                .for_each(|identity| accounts.add(&ready.batch, identity));
        }
        let asked = Many::default()
            .integers(accounts.all.iter().map(|account| account.contract.0))
            .texts(accounts.all.iter().map(|account| account.key.clone()));
        rows::each(
            tx,
            "SELECT id, domain, name, upn, last_seen_at FROM accounts WHERE contract_id = ?1 AND key = ?2",
            &asked,
            |index, row| {
                accounts.all[index].seen = Some(SeenAccount {
                    id: AccountId(rows::uuid(row, 0)?),
                    domain: row.get(1)?,
                    name: row.get(2)?,
                    upn: row.get(3)?,
                    last_seen_at: rows::millis(row, 4)?,
                });
                Ok(())
            },
        )?;
        Ok(accounts)
    }

    fn add(&mut self, batch: &IncomingBatch, identity: &AccountIdentity) {
        let place = (batch.contract, identity.key.clone());
        if self.places.contains_key(&place) {
            return;
        }
        self.all.push(Account { contract: place.0, key: place.1.clone(), seen: None, change: None });
        self.places.insert(place, self.all.len() - 1);
    }

    fn known(&self) -> impl Iterator<Item = (ContractId, AccountId)> + '_ {
        self.all.iter().filter_map(|account| Some((account.contract, account.seen.as_ref()?.id)))
    }

    /// The account, when somebody has seen it.
    fn id(&self, batch: &IncomingBatch, identity: &AccountIdentity) -> Option<AccountId> {
        self.all[self.place(batch, identity)?].seen.as_ref().map(|seen| seen.id)
    }

    fn place(&self, batch: &IncomingBatch, identity: &AccountIdentity) -> Option<usize> {
        self.places.get(&(batch.contract, identity.key.clone())).copied()
    }

    /// Whether an account has the names that it is known under. `names`: of this batch's own accounts that nobody has seen
    /// yet.
    pub(super) fn is_called<'a>(
        &self,
        batch: &IncomingBatch,
        identity: &'a AccountIdentity,
        names: &mut BTreeMap<usize, &'a AccountIdentity>,
    ) -> bool {
        let Some(place) = self.place(batch, identity) else { return false };
        match &self.all[place].seen {
            Some(seen) => seen.is_called(identity),
            None => *names.entry(place).or_insert(identity) == identity,
        }
    }

    /// Sees an account, as [`intake::see_account`] does; its names are as they were.
    pub(super) fn see(&mut self, batch: &IncomingBatch, identity: &AccountIdentity) -> Work<AccountId> {
        let place =
            self.place(batch, identity).ok_or(WorkError::Unreadable("an account that was not looked up"))?;
        let (account, at) = (&mut self.all[place], batch.received_at);
        let Some(seen) = &mut account.seen else {
            let (domain, name, upn) = (identity.domain.clone(), identity.name.clone(), identity.upn.clone());
            let id = AccountId(rows::new_id(at)?);
            account.seen = Some(SeenAccount { id, domain, name, upn, last_seen_at: at });
            account.change = Some(Change::New(at));
            return Ok(id);
        };
        if intake::is_long_ago(seen.last_seen_at, at) {
            seen.last_seen_at = seen.last_seen_at.max(at);
            account.change.get_or_insert(Change::SeenAgain);
        }
        Ok(seen.id)
    }
}
