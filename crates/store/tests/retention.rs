//! Retention on both engines, by those who lay hands on the database, and what becomes of it in backups and moves.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "suite/cluster.rs"]
mod cluster;
#[allow(dead_code, reason = "the fixture is the contract suite's")]
#[path = "suite/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "the helpers of the contract suite's")]
#[path = "suite/retention.rs"]
mod suite;

use std::path::Path;

use cluster::Cluster;
use fixture::{NOW, Office, act};
use jiff::civil::date;
use mngntime_store::moving::Moving;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::sqlite::backup::{self, Fault, Watcher};
use mngntime_store::{
    IncomingBatch, Intake as _, Log as _, LogFault, LogLook, NewHold, Retention as _, Store, postgres,
};
use rusqlite::Connection;
use suite::{MONTH, at, due, empty, filled, retire, server, sign, take};

fn connection(directory: &Path) -> Connection {
    let connection = Connection::open(directory.join("mngntime.db")).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection
}

/// What must be refused while only [`MONTH`] (numbers 1 to 10) is retired: statement, and a word of the refusal.
const REFUSED: [(&str, &str); 12] = [
    ("DELETE FROM events WHERE seq = 11", "events are never"),
    ("DELETE FROM events", "events are never"),
    ("UPDATE events SET json = '{}' WHERE seq = 6", "events are never changed"),
    ("DELETE FROM log_leaves WHERE month = '2026-12'", "append-only"),
    ("DELETE FROM log_leaves WHERE audit_id IS NOT NULL AND month = '2026-11'", "append-only"),
    ("DELETE FROM log_heads WHERE month = '2026-11'", "append-only"),
    ("DELETE FROM log_hashes WHERE month = '2026-11'", "append-only"),
    ("DELETE FROM audit", "append-only"),
    ("UPDATE retired_numbers SET last_number = 20", "stays so"),
    ("DELETE FROM retired_months", "stays so"),
    ("UPDATE retention_holds SET to_date = '2026-01-01'", "holds are never"),
    ("DELETE FROM retention_releases", "releases are never"),
];

/// A row that would let December go.
fn december(events: u64) -> String {
    format!(
        "INSERT INTO retired_months (contract_id, month, size, root, events, first_date, last_date, retired_at)
         SELECT contract_id, month, size, root, {events}, '2026-12-01', '2026-12-31', 1 FROM log_heads
         WHERE month = '2026-12' AND closed = 1"
    )
}

/// A month is retired and half emptied; a hold stands on December, another one was released.
async fn half_empty(store: &dyn Store) -> Office {
    let office = filled(store, due()).await;
    retire(store, &office, MONTH, due()).await;
    store.empty_month(office.contract, MONTH.to_owned(), 0, 4, server(due())).await.unwrap();
    let hold = |month| NewHold {
        employee: None,
        from: Some(date(2026, month, 1)),
        to: Some(date(2026, month, 28)),
        reason: "訴訟".to_owned(),
    };
    store.set_hold(office.contract, hold(12), act()).await.unwrap();
    let released = store.set_hold(office.contract, hold(10), act()).await.unwrap();
    store.release_hold(office.contract, released, act()).await.unwrap();
    office
}

#[tokio::test]
async fn sqlite_lets_nothing_go_but_what_is_retired() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let office = half_empty(&store).await;
    let connection = connection(directory.path());
    let held = december(10);
    for (sql, words) in REFUSED.into_iter().chain([(held.as_str(), "may not be retired")]) {
        let refused = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(refused.contains(words), "{sql}: {refused}");
    }
    // Without the hold, and where it is switched off.
    for hold in store.list_holds(office.contract).await.unwrap() {
        store.release_hold(office.contract, hold.id, act()).await.unwrap();
    }
    let other = december(10).replace("size, root, 10", "size + 1, root, 10");
    assert!(connection.execute_batch(&other).unwrap_err().to_string().contains("may not be retired"));
    suite::switch(&store, &office, false, 3, NOW).await;
    assert!(connection.execute_batch(&december(10)).unwrap_err().to_string().contains("may not be retired"));
    assert_eq!(empty(&store, &office, MONTH, due()).await, 6, "what is retired goes all the same");
}

#[tokio::test]
async fn postgresql_lets_nothing_go_but_what_is_retired() {
    let cluster = Cluster::start(&[]);
    cluster.create("office", None);
    let store = postgres::open(&cluster.url("office")).unwrap();
    let office = half_empty(&store).await;
    let refusal = |sql: &str| {
        let quoted = sql.replace('\'', "''");
        let asked = format!(
            "CREATE OR REPLACE FUNCTION pg_temp.tried() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE '{quoted}';
             RETURN 'done'; EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END $$; SELECT pg_temp.tried()"
        );
        cluster.ask("office", &asked)
    };
    let held = december(10);
    let truncate =
        [("TRUNCATE events CASCADE", "never changed or deleted"), (held.as_str(), "may not be retired")];
    for (sql, words) in REFUSED.into_iter().chain(truncate) {
        let refused = refusal(sql);
        assert!(refused.contains(words), "{sql}: {refused}");
    }
    assert_eq!(empty(&store, &office, MONTH, due()).await, 6);
}

fn checked(path: &Path) -> Result<backup::Contents, Fault> {
    backup::check(path, Watcher { is_signed: &|_| true, read: &|_, _| {} })
}

/// A copy after a change by somebody who has the disk.
fn changed(directory: &Path, name: &str, sql: &str) -> Result<backup::Contents, Fault> {
    let copy = directory.join(name);
    backup::copy(directory, &copy).unwrap();
    let connection = Connection::open(&copy).unwrap();
    connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    drop(connection);
    checked(&copy)
}

#[tokio::test]
async fn a_backup_with_a_retired_month_is_whole_before_between_and_after_its_pieces() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let office = filled(&store, due()).await;
    retire(&store, &office, MONTH, due()).await;
    sign(&store).await;
    for pieces in 0..4 {
        let contents = changed(directory.path(), &format!("{pieces}.db"), "").unwrap();
        assert_eq!(contents.events_total(), 22 - (pieces * 4).min(10));
        store.empty_month(office.contract, MONTH.to_owned(), 0, 4, server(due())).await.unwrap();
    }
    sign(&store).await;
    let path = directory.path();
    let fault = |name: &str, sql: &str| match changed(path, name, sql) {
        Err(Fault::Log { fault, .. }) => fault,
        other => panic!("{sql}: {other:?}"),
    };
    let free = "DROP TRIGGER log_hashes_are_not_changed; DROP TRIGGER log_hashes_are_not_deleted;
        DROP TRIGGER retired_months_are_not_changed; DROP TRIGGER retired_months_may_be_retired;
        DROP TRIGGER log_leaves_are_not_deleted; DROP TRIGGER events_are_not_deleted;
        DROP TRIGGER retired_numbers_are_not_deleted;";
    let hash = fault(
        "hash.db",
        &format!("{free} UPDATE log_hashes SET hash = zeroblob(32) WHERE month = '2026-11' AND place = 9"),
    );
    assert!(matches!(hash, LogFault::ChangedHashes { .. }), "{hash}");
    let gone =
        fault("gone.db", &format!("{free} DELETE FROM log_hashes WHERE month = '2026-11' AND place = 20"));
    assert!(matches!(gone, LogFault::ChangedHashes { .. }), "{gone}");
    // Somebody retires December by hand: the audit log knows nothing of it.
    let by_hand = format!(
        "{free} {}; DELETE FROM log_leaves WHERE month = '2026-12' AND seq IS NOT NULL; DELETE FROM punches WHERE seq > 10; DELETE FROM events WHERE seq BETWEEN 11 AND 20",
        december(10)
    );
    let retired = fault("by-hand.db", &by_hand);
    assert!(matches!(retired, LogFault::ChangedRetirement { .. }), "{retired}");
    for more in [
        "UPDATE retired_months SET events = 9",
        "DELETE FROM retired_numbers",
        "UPDATE retired_months SET root = zeroblob(32)",
    ] {
        let told = fault(&format!("{}.db", more.len()), &format!("{free} {more}"));
        assert!(matches!(told, LogFault::ChangedRetirement { .. }), "{more}: {told}");
    }
}

#[tokio::test]
async fn a_month_that_was_changed_is_not_whole_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let office = filled(&store, due()).await;
    let whole = suite::check(&store, &office, MONTH).await;
    let connection = connection(directory.path());
    let broken = async |change: &str, back: &str| {
        connection.execute_batch(change).unwrap();
        let said = store.check_month(office.contract, MONTH.to_owned()).await.unwrap();
        connection.execute_batch(back).unwrap();
        assert!(matches!(said, mngntime_store::MonthCheck::Broken(_)), "{change}: {said:?}");
    };
    connection
        .execute_batch("DROP TRIGGER events_are_not_changed; DROP TRIGGER log_hashes_are_not_changed; DROP TRIGGER log_heads_are_not_changed")
        .unwrap();
    broken(
        "UPDATE events SET json = json || ' ' WHERE seq = 3",
        "UPDATE events SET json = rtrim(json) WHERE seq = 3",
    )
    .await;
    broken(
        "UPDATE events SET received_at = received_at + 1 WHERE seq = 3",
        "UPDATE events SET received_at = received_at - 1 WHERE seq = 3",
    )
    .await;
    broken(
        "CREATE TABLE kept AS SELECT * FROM log_hashes; UPDATE log_hashes SET hash = zeroblob(32) WHERE month = '2026-11' AND place = 8",
        "UPDATE log_hashes SET hash = (SELECT hash FROM kept k WHERE k.month = '2026-11' AND k.place = 8)
         WHERE month = '2026-11' AND place = 8",
    )
    .await;
    assert_eq!(suite::check(&store, &office, MONTH).await, whole);
}

#[tokio::test]
async fn a_store_with_retired_months_is_moved_and_goes_on_where_it_was() {
    let cluster = Cluster::start(&[]);
    cluster.create("office", None);
    let (url, directory) = (cluster.url("office"), tempfile::tempdir().unwrap());
    let office = {
        let store = SqliteStore::open(directory.path()).unwrap();
        half_empty(&store).await
    };
    std::thread::scope(|scope| {
        let moved = scope.spawn(|| {
            let mut moving = Moving::begin(directory.path(), &url).unwrap();
            moving.copy(&mut |_| {}).unwrap();
            moving.close_source().unwrap();
        });
        moved.join().unwrap();
    });
    let store = postgres::open(&url).unwrap();
    assert_eq!(store.list_holds(office.contract).await.unwrap().len(), 2);
    assert_eq!(empty(&store, &office, MONTH, due()).await, 6, "it goes on");
    assert_eq!(store.log_gap(office.contract, LogLook::Receipts).await.unwrap(), None);
    let again = fixture::logon(2, "hanako", NOW.plus(2_000));
    let batch = IncomingBatch { received_at: at(date(2030, 2, 2)), ..office.batch(vec![again]) };
    assert!(store.receive(batch).await.unwrap().items[0].place.is_none(), "it never comes back");
    take(&store, &office, 23..=23, at(date(2030, 2, 3)), at(date(2030, 2, 3))).await;
    sign(&store).await;
    assert_eq!(store.retention_months(office.contract).await.unwrap().retired.len(), 1);
}
