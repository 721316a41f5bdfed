//! Many batches at once leave what the same batches leave one by one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use mngntime_model::event::cause;
use mngntime_model::{
    BootId, Bounds, Declared, Event, EventKind, Evidence, Moment, SessionIdentity, TerminalId, UtcMillis,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::ContractId;
use crate::ports::{Intake as _, Seal, SignedBatch};
use crate::postgres::{self, cluster};
use crate::sql::Extent;
use crate::sqlite::writer::Received;
use crate::sqlite::{SqliteStore, schema};

/// 2026-11-23 09:00 in Tokyo.
const NOW: i64 = 1_795_392_000_000;
const HOUR_MS: i64 = 3_600_000;

/// Terminals, shared out among two contracts; the last one is blocked.
const TERMINALS: u8 = 6;

/// Everything that taking in a batch may write to.
const TABLES: [&str; 16] = [
    "account_names",
    "accounts",
    "batches",
    "contact_days",
    "earlier_boots",
    "events",
    "judgements",
    "log_leaves",
    "missing_numbers",
    "punch_figures",
    "punches",
    "quarantine",
    "quarantine_counts",
    "terminal_history",
    "terminals",
    "unattended_stays",
];

/// Which number an event comes under.
#[derive(Debug, Clone, Copy)]
enum Number {
    Next,
    /// What was sent so many numbers ago, once more.
    Again(u64),
    /// Other bytes under the number of so long ago.
    Other(u64),
    /// So many numbers are left out.
    After(u64),
}

#[derive(Debug, Clone)]
struct Told {
    number: Number,
    kind: EventKind,
    cause: Option<&'static str>,
    declares: bool,
    account: u8,
    /// Which of the account's; none for what a script tells.
    session: Option<u8>,
    renamed: bool,
    days_ago: i64,
    /// In the night instead of the morning.
    night: bool,
    /// Told on the day after.
    late: bool,
    bounded: bool,
}

#[derive(Debug, Clone)]
struct Sent {
    terminal: u8,
    /// How much later than the batch before it, in hours.
    hours: i64,
    boot: u8,
    counter: u64,
    waiting: u64,
    makeup: bool,
    version: bool,
    events: Vec<Told>,
}

fn told() -> impl Strategy<Value = Told> {
    let number = prop_oneof![
        20 => Just(Number::Next),
        4 => (0_u64..3).prop_map(Number::Again),
        1 => (0_u64..3).prop_map(Number::Other),
        1 => (1_u64..4).prop_map(Number::After),
    ];
    let kind = prop_oneof![
        6 => Just((EventKind::Logon, None)),
        3 => Just((EventKind::Logoff, None)),
        1 => Just((EventKind::Logon, Some(cause::UNATTENDED))),
        1 => Just((EventKind::Unlock, Some(cause::PRESENCE_BEGINS))),
        1 => Just((EventKind::Boot, None)),
    ];
    let declares = prop::bool::weighted(0.03);
    let renamed = prop::bool::weighted(0.05);
    let days_ago = prop_oneof![2 => 0_i64..45, 1 => 0_i64..400];
    let when = (days_ago, prop::bool::weighted(0.2), prop::bool::weighted(0.1));
    let session = prop_oneof![6 => Just(Some(2)), 1 => Just(Some(3)), 2 => Just(None)];
    (number, kind, declares, (0_u8..5, session), renamed, when, prop::bool::weighted(0.1)).prop_map(
        |(number, (kind, cause), declares, (account, session), renamed, (days_ago, night, late), bounded)| {
            Told { number, kind, cause, declares, account, session, renamed, days_ago, night, late, bounded }
        },
    )
}

fn sent() -> impl Strategy<Value = Sent> {
    let hours =
        prop_oneof![8 => Just(0_i64), 2 => 1_i64..3, 1 => 20_i64..30, 1 => Just(24 * 200), 1 => Just(-2_i64)];
    let boot = prop_oneof![8 => Just(0_u8), 1 => 1_u8..4];
    let rarely = prop::bool::weighted(0.05);
    (0..TERMINALS, hours, boot, 0_u64..3, 0_u64..6, rarely, rarely, prop::collection::vec(told(), 0..4))
        .prop_map(|(terminal, hours, boot, counter, waiting, makeup, version, events)| Sent {
            terminal,
            hours,
            boot,
            counter,
            waiting,
            makeup,
            version,
            events,
        })
}

fn groups() -> impl Strategy<Value = Vec<Vec<Sent>>> {
    prop::collection::vec(prop::collection::vec(sent(), 1..12), 1..5)
}

/// What the terminals have sent so far.
struct World {
    at: i64,
    counter: u64,
    sent: BTreeMap<u8, Vec<(u64, IncomingEvent)>>,
}

impl World {
    fn new() -> Self {
        Self { at: NOW, counter: 1, sent: BTreeMap::new() }
    }

    fn batch(&mut self, sent: &Sent) -> IncomingBatch {
        self.at += sent.hours * HOUR_MS;
        self.counter += sent.counter * 60_000;
        let events: Vec<_> = sent.events.iter().map(|told| self.event(sent.terminal, told)).collect();
        let payload = events.iter().map(|event| event.json.as_str()).collect::<Vec<_>>().join(",");
        let signed = SignedBatch {
            digest: Digest::of(format!("{payload}{}", self.at).as_bytes()),
            signature: "signature".to_owned(),
            payload,
        };
        IncomingBatch {
            contract: contract(sent.terminal),
            terminal: TerminalId::from_random([sent.terminal + 1; 16]),
            received_at: UtcMillis(self.at),
            clock_offset_ms: self.at % 7,
            waiting: sent.waiting,
            makeup: if sent.makeup { "makeup-2" } else { "makeup-1" }.to_owned(),
            agent_version: if sent.version { "0.2.0" } else { "0.1.0" }.to_owned(),
            boot: format!("boot-{}", sent.boot),
            boot_counter_ms: self.counter,
            day_begins_minutes: 300,
            events,
            signed,
        }
    }

    fn event(&mut self, terminal: u8, told: &Told) -> IncomingEvent {
        let sent = self.sent.entry(terminal).or_default();
        let last = sent.last().map_or(0, |(number, _)| *number);
        let back = |ago: u64| sent.iter().rev().nth(usize::try_from(ago).unwrap());
        let number = match told.number {
            Number::Again(ago) if back(ago).is_some() => return back(ago).unwrap().1.clone(),
            Number::Other(ago) if back(ago).is_some() => back(ago).unwrap().0,
            Number::After(holes) => last + 1 + holes,
            Number::Next | Number::Again(_) | Number::Other(_) => last + 1,
        };
        let event = made(number, told, last);
        let json = format!("{event:?}");
        let incoming = IncomingEvent {
            resent: false,
            digest: Digest::of(json.as_bytes()),
            json,
            event,
            stamped_at: None,
        };
        if number > last {
            sent.push((number, incoming.clone()));
        }
        incoming
    }
}

fn made(sequence: u64, told: &Told, last: u64) -> Event {
    let at = UtcMillis(NOW - told.days_ago * 24 * HOUR_MS - i64::from(told.night) * 7 * HOUR_MS);
    let wall = at.plus(i64::from(told.late) * 24 * HOUR_MS);
    let boot = BootId::new("boot").unwrap();
    let declared = Declared::NotHeld { first: last.max(2) - 1, last: last.max(2) };
    let name = |renamed: bool| if renamed { "renamed".to_owned() } else { format!("user{}", told.account) };
    Event {
        sequence,
        boot: boot.clone(),
        kind: if told.declares { EventKind::Gap } else { told.kind },
        evidence: Evidence::Notice,
        occurred_at: at,
        bounds: told.bounded.then(|| Bounds { not_before: at, not_after: at.plus(5) }),
        recorded_at: Moment { wall, offset_seconds: 32_400, biased_ms: 1, unbiased_ms: 1 },
        session: told.session.map(|session| SessionIdentity {
            boot,
            session_id: session.to_string(),
            logon_identity: "0x3e7".into(),
        }),
        account: (!told.declares).then(|| AccountIdentity {
            key: format!("S-1-{}", told.account),
            domain: "EXAMPLE".to_owned(),
            name: name(told.renamed),
            upn: (told.account.is_multiple_of(2)).then(|| format!("user{}@example.jp", told.account)),
        }),
        remote: None,
        client: None,
        cause: if told.declares { Some(declared.to_string()) } else { told.cause.map(str::to_owned) },
        supersedes: None,
    }
}

fn contract(terminal: u8) -> ContractId {
    ContractId(if terminal < TERMINALS / 2 { 1 } else { 2 })
}

/// Two contracts with terminals; of five accounts two are linked, one is known, and two have not been seen.
fn found(connection: &mut Connection) {
    connection.begin_writing(&Extent::Everything).unwrap();
    let run = |sql: &str| {
        connection.execute(sql, []).unwrap();
    };
    for contract in [1, 2] {
        run(&format!("INSERT INTO contracts VALUES ({contract}, 'c{contract}', 'c', 'active', 1, 0)"));
    }
    for terminal in 0..TERMINALS {
        let (of, status) =
            (contract(terminal).0, if terminal + 1 == TERMINALS { "blocked" } else { "active" });
        let id = hex(&rows::terminal_bytes(&TerminalId::from_random([terminal + 1; 16])).unwrap());
        run(&format!(
            "INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class, agent_version, status,
             enrolled_at) VALUES ({of}, x'{id}', 'k{terminal}', 'h', 'o', 'makeup-1', 'file', '0.1.0', '{status}', 0)"
        ));
    }
    for (contract, account) in [(1_u8, 0_u8), (1, 1), (1, 2), (2, 0)] {
        let id = hex(&[account + 1 + 16 * contract; 16]);
        let upn = if account % 2 == 0 { format!("'user{account}@example.jp'") } else { "NULL".to_owned() };
        run(&format!(
            "INSERT INTO accounts (contract_id, id, key, domain, name, upn, first_seen_at, last_seen_at) VALUES
             ({contract}, x'{id}', 'S-1-{account}', 'EXAMPLE', 'user{account}', {upn}, 0, {NOW})"
        ));
        run(&format!(
            "INSERT INTO employees (contract_id, id, code, name, active_from) VALUES
             ({contract}, x'{id}', 'E{account}', 'n', '2026-01-15')"
        ));
        if account == 1 {
            let sql = "INSERT INTO departments (contract_id, id, code, name) VALUES";
            run(&format!("{sql} ({contract}, x'{id}', 'D', 'd')"));
            run(&format!(
                "UPDATE employees SET department_id = x'{id}' WHERE contract_id = {contract} AND id = x'{id}'"
            ));
        }
        if account < 2 {
            run(&format!(
                "INSERT INTO account_links (contract_id, id, account_id, employee_id, from_date, to_date, created_at,
                 created_by) VALUES ({contract}, x'{id}', x'{id}', x'{id}', '2025-12-01', '2026-10-31', 0, 'x')"
            ));
        }
    }
    connection.commit().unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every row of every table; an account goes by its key, since its id is drawn.
fn dump(connection: &Connection) -> BTreeSet<String> {
    let accounts = rows::all(connection, "SELECT id, contract_id, key FROM accounts", [], |row| {
        Ok((
            hex(&row.get::<_, Vec<u8>>(0)?),
            format!("{}/{}", row.get::<_, i64>(1)?, row.get::<_, String>(2)?),
        ))
    });
    let accounts: BTreeMap<_, _> = accounts.unwrap().into_iter().collect();
    let mut all = BTreeSet::new();
    for table in TABLES {
        let read = rows::all(connection, &format!("SELECT * FROM {table}"), [], |row| Ok(row.told()));
        all.extend(read.unwrap().into_iter().map(|cells| {
            let known = |cell: String| accounts.get(&cell).cloned().unwrap_or(cell);
            format!("{table}: {}", cells.into_iter().map(known).collect::<Vec<_>>().join(" | "))
        }));
    }
    all
}

/// Takes the groups in together into one database, and one by one, in the order in which they took effect, into another.
/// How many batches came along together.
fn compare(
    together: &mut Connection,
    alone: &mut Connection,
    groups: &[Vec<Sent>],
) -> Result<(), TestCaseError> {
    let mut world = World::new();
    for group in groups {
        let ready: Vec<Ready> = group.iter().map(|sent| Ready::of(world.batch(sent)).unwrap()).collect();
        together.begin_writing(&Extent::Everything).unwrap();
        let taken = take_in(together, &ready.iter().collect::<Vec<_>>()).unwrap();
        together.commit().unwrap();
        prop_assert_eq!(taken.len(), ready.len());
        for (place, reception) in taken {
            alone.begin_writing(&Extent::Everything).unwrap();
            let expected = writer::apart(alone, |tx| intake::receive(tx, &ready[place].batch));
            alone.commit().unwrap();
            prop_assert_eq!(reception.unwrap(), expected.unwrap(), "{:?}", ready[place].batch);
        }
        let (left, right) = (dump(together), dump(alone));
        let only = |here: &BTreeSet<String>, there| here.difference(there).cloned().collect::<Vec<_>>();
        prop_assert_eq!(only(&left, &right), only(&right, &left));
    }
    Ok(())
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

fn sqlite(directory: &Path, name: &str) -> Connection {
    let connection = schema::open_for_writing(&directory.join(name)).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    connection.into()
}

#[test]
fn many_at_once_leave_what_they_leave_one_by_one() {
    let directory = tempfile::tempdir().unwrap();
    found(&mut sqlite(directory.path(), "empty"));
    let copy = |name: &str| {
        std::fs::copy(directory.path().join("empty"), directory.path().join(name)).unwrap();
        sqlite(directory.path(), name)
    };
    let run = |groups: Vec<Vec<Sent>>| compare(&mut copy("together"), &mut copy("alone"), &groups);
    runner(96).run(&groups(), run).unwrap();
}

#[test]
fn many_at_once_leave_what_they_leave_one_by_one_on_postgresql() {
    let cluster = cluster::Cluster::start(&[]);
    cluster.create("empty", None);
    found(&mut postgres::connection(&cluster.url("empty")));
    let made = std::cell::Cell::new(0);
    let copy = || {
        made.set(made.get() + 1);
        let name = format!("copy{}", made.get());
        cluster.create(&name, Some("empty"));
        postgres::connection(&cluster.url(&name))
    };
    runner(6).run(&groups(), |groups| compare(&mut copy(), &mut copy(), &groups)).unwrap();
}

/// How many wait for a lock of writers.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";

/// One node holds `held` while another wants `wanted`.
fn two_nodes(cluster: &cluster::Cluster, held: &Extent, wanted: Extent, waits: bool) {
    let url = cluster.url("empty");
    let mut holds = postgres::connection(&url);
    holds.begin_writing(held).unwrap();
    let wants = std::thread::spawn(move || {
        let mut wants = postgres::connection(&url);
        wants.begin_writing(&wanted).unwrap();
        wants.commit().unwrap();
    });
    while waits && cluster.ask("empty", WAITING) == "0" {
        assert!(!wants.is_finished(), "it has not waited for {held:?}");
    }
    if !waits {
        wants.join().unwrap();
        return holds.commit().unwrap();
    }
    holds.commit().unwrap();
    wants.join().unwrap();
}

#[test]
fn nodes_wait_for_each_other_where_they_write_to_the_same_contract_only() {
    let cluster = cluster::Cluster::start(&[]);
    cluster.create("empty", None);
    drop(postgres::connection(&cluster.url("empty")));
    let of = |contracts: &[i64]| Extent::Contracts(contracts.to_vec());
    two_nodes(&cluster, &of(&[1, 2]), of(&[3]), false);
    two_nodes(&cluster, &of(&[1, 2]), of(&[3, 2]), true);
    two_nodes(&cluster, &of(&[1]), Extent::Everything, true);
    two_nodes(&cluster, &Extent::Everything, of(&[1]), true);
    two_nodes(&cluster, &Extent::Everything, Extent::Everything, true);
}

#[test]
fn batches_wait_only_for_who_writes_to_their_contract() {
    let cluster = cluster::Cluster::start(&[]);
    cluster.create("empty", None);
    let url = cluster.url("empty");
    let (mut holds, mut writes) = (postgres::connection(&url), postgres::connection(&url));
    found(&mut writes);
    let writer = writer::Writer::start(writes, None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut world = World::new();
    let mut sent = |terminal| Box::pin(writer.receive(logons(&mut world, terminal, 0), None).unwrap());
    holds.begin_writing(&Extent::Contracts(vec![1])).unwrap();
    assert!(runtime.block_on(sent(TERMINALS - 2)).is_ok(), "a terminal of another contract");
    let of_the_same = std::thread::spawn({
        let answer = sent(0);
        move || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer).is_ok()
    });
    while cluster.ask("empty", WAITING) == "0" {
        assert!(!of_the_same.is_finished());
    }
    holds.commit().unwrap();
    assert!(of_the_same.join().unwrap());
}

/// A logon of the first account and one of account `account`, from terminal `terminal`.
fn logons(world: &mut World, terminal: u8, account: u8) -> Ready {
    told_by(world, terminal, &[(EventKind::Logon, 0), (EventKind::Logon, account)])
}

/// What terminal `terminal` tells of accounts.
fn told_by(world: &mut World, terminal: u8, what: &[(EventKind, u8)]) -> Ready {
    let told = |(kind, account): &(EventKind, u8)| Told {
        number: Number::Next,
        kind: *kind,
        cause: None,
        declares: false,
        account: *account,
        session: Some(2),
        renamed: false,
        days_ago: 0,
        night: false,
        late: false,
        bounded: false,
    };
    let events = what.iter().map(told).collect();
    let sent =
        Sent { terminal, hours: 0, boot: 0, counter: 1, waiting: 1, makeup: false, version: false, events };
    Ready::of(world.batch(&sent)).unwrap()
}

/// Statements that it takes to take in what `terminals` send at once, and the same once more; nights may last until
/// `boundary_minutes`.
fn statements(terminals: u8, boundary_minutes: u32) -> [usize; 2] {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = sqlite(directory.path(), "x");
    found(&mut connection);
    let mut world = World::new();
    let what = |account| {
        let (logon, logoff) = (EventKind::Logon, EventKind::Logoff);
        [(logon, 0), (logon, account), (EventKind::Boot, account), (logoff, account)]
    };
    let told = |terminal| {
        let mut ready = told_by(&mut world, terminal, &what(terminal));
        ready.batch.day_begins_minutes = boundary_minutes;
        ready
    };
    let ready: Vec<Ready> = (0..terminals).map(told).collect();
    [1, 2].map(|_| {
        let before = rows::statements();
        connection.begin_writing(&Extent::Everything).unwrap();
        let taken = take_in(&connection, &ready.iter().collect::<Vec<_>>()).unwrap();
        connection.commit().unwrap();
        let items = taken.iter().flat_map(|(_, reception)| &reception.as_ref().unwrap().items);
        assert!(items.map(|item| u8::from(item.stored)).sum::<u8>() == 4 * terminals);
        rows::statements() - before
    })
}

/// Sends what of several people comes in one group, of which one cannot be read.
fn spoiled(mut connection: Connection) {
    found(&mut connection);
    connection.execute_batch("UPDATE employees SET active_from = 'x' WHERE code = 'E1'").unwrap();
    let writer = writer::Writer::start(connection, None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(sent_at_once(&writer));
}

async fn sent_at_once(writer: &writer::Writer) {
    let (release, gate) = std::sync::mpsc::channel::<()>();
    // Until it goes on, everything waits, and then comes as one group.
    let held = writer.submit("hold", 0, move |_| {
        gate.recv().ok();
        Ok(())
    });
    let mut world = World::new();
    let ready =
        [(0, 0), (1, 1), (2, 2), (3, 0)].map(|(terminal, account)| logons(&mut world, terminal, account));
    let seal: Seal = Arc::new(|reception| Ok(format!("{} {:?}", reception.head, reception.items[1].place)));
    let sent = ready.map(|ready| writer.receive(ready, Some(seal.clone())).unwrap());
    release.send(()).unwrap();
    held.unwrap().await.unwrap();
    let mut results = Vec::new();
    for reception in sent {
        let Received { reception, receipt } = reception.await.unwrap();
        assert!(reception.items.iter().all(|item| item.stored));
        assert_eq!(
            receipt,
            Some(format!("2 {:?}", reception.items[1].place)),
            "what it says is what was stored"
        );
        results.push(reception.items[1].result.and_then(PunchResult::res));
    }
    assert_eq!(results, [Some(7), Some(9), Some(7), Some(7)], "one is judged later, the others are judged");
    let stored = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM punches), (SELECT count(*) FROM receipts),
        (SELECT count(*) FROM log_leaves), (SELECT max(leaf) + 1 FROM log_leaves WHERE contract_id = 1)";
    let read = move |tx: &Connection| {
        rows::one(tx, stored, [], |row| (0..5).map(|column| Ok(row.get(column)?)).collect::<Work<Vec<i64>>>())
    };
    let counted = writer.submit("count", 0, read).unwrap().await.unwrap();
    assert_eq!(counted, Some(vec![8, 8, 4, 8, 6]), "each once");
}

#[test]
fn what_cannot_be_read_of_one_person_costs_nobody_else_anything() {
    let directory = tempfile::tempdir().unwrap();
    spoiled(sqlite(directory.path(), "x"));
}

#[test]
fn what_cannot_be_read_of_one_person_costs_nobody_else_anything_on_postgresql() {
    let cluster = cluster::Cluster::start(&[]);
    cluster.create("empty", None);
    spoiled(postgres::connection(&cluster.url("empty")));
}

/// Punches of three accounts in two contracts could not be judged; of one of these people something is unreadable still.
fn judged_late(mut connection: Connection) {
    found(&mut connection);
    let mut world = World::new();
    connection.begin_writing(&Extent::Everything).unwrap();
    let active_from = |when: &str, which: &str| {
        connection
            .execute(&format!("UPDATE employees SET active_from = '{when}' WHERE {which}"), [])
            .unwrap();
    };
    let mut fail = |terminals: &[(u8, u8)]| {
        active_from("x", "1 = 1");
        for (terminal, account) in terminals {
            let ready = logons(&mut world, *terminal, *account);
            let items = intake::receive(&connection, &ready.batch).unwrap().items;
            assert!(items.iter().all(|item| item.result == Some(PunchResult::ServerFailed)));
        }
    };
    fail(&[(0, 0), (1, 1), (3, 0)]);
    active_from("2026-01-15", "NOT (contract_id = 1 AND code = 'E0')");
    let again = |limit| intake::rejudge_failed(&connection, UtcMillis(NOW), limit).unwrap();
    assert_eq!((again(1), again(1), again(1)), (2, 1, 0), "one of each contract, whoever stands before them");
    active_from("2026-01-15", "1 = 1");
    assert_eq!((again(2), again(2), again(2)), (2, 1, 0));
    fail(&[(0, 0), (1, 1)]);
    active_from("2026-01-15", "1 = 1");
    assert_eq!((again(2), again(2), again(2)), (2, 2, 0), "two of each contract, of whomever");
    let results = rows::all(&connection, "SELECT DISTINCT res FROM punches", [], |row| rows::number(row, 0));
    assert_eq!(results.unwrap(), [7]);
    connection.commit().unwrap();
}

#[test]
fn what_cannot_be_judged_again_of_one_person_keeps_nobody_else_waiting() {
    let directory = tempfile::tempdir().unwrap();
    judged_late(sqlite(directory.path(), "x"));
}

/// `res` of what a batch brings, all of which is stored.
fn results(connection: &Connection, ready: &Ready) -> Vec<Option<u8>> {
    let items = intake::receive(connection, &ready.batch).unwrap().items;
    assert!(items.iter().all(|item| item.stored));
    items.iter().map(|item| item.result.and_then(PunchResult::res)).collect()
}

#[test]
fn a_logoff_that_cannot_be_read_spoils_no_batch_of_its_logon() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = sqlite(directory.path(), "x");
    found(&mut connection);
    let mut world = World::new();
    connection.begin_writing(&Extent::Everything).unwrap();
    assert_eq!(results(&connection, &told_by(&mut world, 0, &[(EventKind::Logoff, 0)])), [Some(7)]);
    connection.execute("UPDATE punches SET local_date = 'x'", []).unwrap();
    let mut late = logons(&mut world, 0, 1);
    late.batch.events[0].event.occurred_at = UtcMillis(NOW - HOUR_MS);
    assert_eq!(results(&connection, &late), [Some(7), Some(7)]);
    connection.commit().unwrap();
    let kept = rows::one(&connection, "SELECT count(*) FROM punches", [], |row| rows::number(row, 0));
    assert_eq!(kept.unwrap(), Some(3));
}

#[test]
fn a_punch_whose_date_or_links_cannot_be_looked_up_is_judged_later() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = sqlite(directory.path(), "x");
    found(&mut connection);
    let spoil = "PRAGMA ignore_check_constraints = ON;
        INSERT INTO contract_settings (contract_id, day_begins_minutes, japanese_years, retention_years) VALUES (1, -1, 0, 3)";
    connection.execute_batch(spoil).unwrap();
    let mut world = World::new();
    connection.begin_writing(&Extent::Everything).unwrap();
    let mut told = told_by(&mut world, 0, &[(EventKind::Logoff, 0), (EventKind::Logon, 1)]);
    // Half past midnight: the boundary says whether it ends a night.
    told.batch.events[0].event.occurred_at = UtcMillis(NOW - 17 * HOUR_MS / 2);
    assert_eq!(results(&connection, &told), [Some(9), Some(7)]);
    connection.execute("UPDATE account_links SET to_date = 'x'", []).unwrap();
    assert_eq!(results(&connection, &logons(&mut world, 1, 0)), [Some(9), Some(9)]);
    let dates = "SELECT DISTINCT local_date FROM punches";
    let dates = rows::all(&connection, dates, [], |row| Ok(row.get::<_, String>(0)?)).unwrap();
    assert_eq!(dates, ["2026-11-23"], "each by the date on which it happened");
    connection.execute("UPDATE account_links SET to_date = '2026-10-31'", []).unwrap();
    let judged = intake::rejudge_failed(&connection, UtcMillis(NOW), 9).unwrap();
    assert_eq!(judged, 3);
    connection.commit().unwrap();
}

#[tokio::test]
async fn a_store_judges_again_what_could_not_be_judged() {
    let directory = tempfile::tempdir().unwrap();
    let mut beside = sqlite(directory.path(), "mngntime.db");
    found(&mut beside);
    beside.execute_batch("UPDATE employees SET active_from = 'x'").unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let taken = store.receive(logons(&mut World::new(), 0, 0).batch).await.unwrap();
    assert!(taken.items.iter().all(|item| item.result == Some(PunchResult::ServerFailed)));
    beside.execute_batch("UPDATE employees SET active_from = '2026-01-15'").unwrap();
    let again = async || store.rejudge_failed(UtcMillis(NOW), 9).await.unwrap();
    assert_eq!((again().await, again().await), (2, 0));
}

#[test]
fn what_cannot_be_judged_again_of_one_person_keeps_nobody_else_waiting_on_postgresql() {
    let cluster = cluster::Cluster::start(&[]);
    cluster.create("empty", None);
    judged_late(postgres::connection(&cluster.url("empty")));
}

#[test]
fn the_number_of_statements_does_not_depend_on_the_number_of_batches() {
    // The fourth account is new: with it two statements more are needed.
    assert_eq!(statements(4, 300), statements(TERMINALS, 300));
    assert!(statements(TERMINALS, 300)[0] <= 22, "{:?}", statements(TERMINALS, 300));
    // At three in the morning, when PCs start anew after an update, it is the same.
    let in_the_night = statements(TERMINALS, 600);
    assert_eq!(in_the_night, statements(4, 600));
    assert!(in_the_night[0] <= 23, "{in_the_night:?}");
}

#[test]
fn that_an_account_was_seen_again_is_noted_once_an_hour_of_what_comes_alone_too() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = sqlite(directory.path(), "x");
    found(&mut connection);
    let mut world = World::new();
    let mut seen = |minutes: i64| {
        let batch = logons(&mut world, 0, 0).batch;
        let received_at = UtcMillis(NOW + minutes * 60_000);
        intake::receive(&connection, &IncomingBatch { received_at, ..batch }).unwrap();
        let sql = "SELECT last_seen_at FROM accounts WHERE contract_id = 1 AND key = 'S-1-0'";
        rows::one(&connection, sql, [], |row| rows::millis(row, 0)).unwrap().unwrap().0 - NOW
    };
    assert_eq!((seen(59), seen(60), seen(119)), (0, HOUR_MS, HOUR_MS));
}

#[test]
fn of_the_runs_before_the_last_one_the_newest_are_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = sqlite(directory.path(), "x");
    found(&mut connection);
    let mut world = World::new();
    for boot in 0..20 {
        let sent = Sent {
            terminal: 0,
            hours: 1,
            boot,
            counter: 1,
            waiting: 0,
            makeup: false,
            version: false,
            events: vec![],
        };
        intake::receive(&connection, &world.batch(&sent)).unwrap();
    }
    let runs = rows::all(&connection, "SELECT boot FROM earlier_boots ORDER BY heard_at", [], |row| {
        Ok(row.get::<_, String>(0)?)
    });
    let expected: Vec<_> = (3..19).map(|boot| format!("boot-{boot}")).collect();
    assert_eq!(runs.unwrap(), expected);
}

#[test]
fn batches_of_one_terminal_wait_for_each_other() {
    let ready = |terminal: u8| {
        let sent = Sent {
            terminal,
            hours: 0,
            boot: 0,
            counter: 1,
            waiting: 1,
            makeup: false,
            version: false,
            events: vec![],
        };
        Ready::of(World::new().batch(&sent)).unwrap()
    };
    let group: Vec<Ready> = [0, 1, 0, 3, 0, 1].into_iter().map(ready).collect();
    assert_eq!(waves(&group.iter().collect::<Vec<_>>()), [vec![0, 1, 3], vec![2, 5], vec![4]]);
}

#[test]
fn a_batch_is_simple_when_its_numbers_ascend_it_declares_nothing_and_any_database_can_keep_its_texts() {
    let is_simple = |change: &dyn Fn(&mut IncomingBatch)| {
        let mut batch = logons(&mut World::new(), 0, 0).batch;
        change(&mut batch);
        is_simple(&batch)
    };
    assert!(is_simple(&|_| {}));
    fn account(batch: &mut IncomingBatch) -> &mut AccountIdentity {
        batch.events[1].event.account.as_mut().unwrap()
    }
    let changes: [&dyn Fn(&mut IncomingBatch); 12] = [
        &|batch| batch.events.swap(0, 1),
        &|batch| batch.events[1].event.sequence = 1,
        &|batch| {
            let event = &mut batch.events[1].event;
            event.kind = EventKind::Gap;
            event.cause = Some(Declared::NotHeld { first: 1, last: 1 }.to_string());
        },
        &|batch| batch.agent_version.push('\0'),
        &|batch| batch.boot.push('\0'),
        &|batch| batch.signed.signature.push('\0'),
        &|batch| batch.signed.payload.push('\0'),
        &|batch| batch.events[1].json.push('\0'),
        &|batch| account(batch).key.push('\0'),
        &|batch| account(batch).domain.push('\0'),
        &|batch| account(batch).name.push('\0'),
        &|batch| account(batch).upn.get_or_insert_default().push('\0'),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert!(!is_simple(change), "change {number}");
    }
}
