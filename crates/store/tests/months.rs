//! Batches and receipts lie by month on PostgreSQL: months are made ahead, are dropped when nothing is left in them, and
//! what has none is kept all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "suite/cluster.rs"]
#[allow(dead_code, reason = "this test asks less of it")]
mod cluster;
#[allow(dead_code, reason = "the fixture is the contract suite's")]
#[path = "suite/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "the helpers of the contract suite's")]
#[path = "suite/retention.rs"]
mod suite;

use std::sync::Arc;

use cluster::Cluster;
use fixture::{NOW, Office, logon, office};
use jiff::civil::date;
use mngntime_model::UtcMillis;
use mngntime_store::sqlite::SqlStore;
use mngntime_store::{IncomingBatch, Intake as _, Upkeep as _, postgres};
use suite::{MONTH, at, due, empty, filled, readable, retire};

/// 2001-02-01T00:00:00Z: long before any month that the database makes by its own clock.
const FEBRUARY: UtcMillis = UtcMillis(980_985_600_000);

/// Without the servant that looks through tables by itself: it would be in the way at times.
fn cluster() -> Cluster {
    let cluster = Cluster::start(&["autovacuum=off"]);
    cluster.create("office", None);
    cluster
}

fn node(cluster: &Cluster) -> SqlStore {
    postgres::open(&cluster.url("office")).unwrap()
}

/// Sends a punch that is received at some time, and keeps its receipt.
async fn send(store: &SqlStore, office: &Office, number: u64, received_at: UtcMillis) {
    let batch = IncomingBatch { received_at, ..office.batch(vec![logon(number, "hanako", received_at)]) };
    let envelope = format!(r#"{{"payload":{{"items":[{{"seq":{number},"stored":true}}]}}}}"#);
    let received = store.receive_and_seal(batch, Arc::new(move |_| Ok(envelope.clone()))).await.unwrap();
    assert!(received.reception.items[0].stored);
}

/// Where the rows of a table lie: month and rows, sorted.
fn places(cluster: &Cluster, table: &str) -> String {
    let sql = format!(
        "SELECT string_agg(part || ' ' || rows, ', ' ORDER BY part) FROM
        (SELECT substr(tableoid::regclass::text, {}) AS part, count(*) AS rows FROM {table} GROUP BY 1) x",
        table.len() + 2
    );
    cluster.ask("office", &sql)
}

/// The months that there are of a table before 2030, without those that the database made by its own clock.
fn months(cluster: &Cluster, table: &str) -> String {
    let sql = format!(
        "SELECT string_agg(substr(c.relname, {}), ' ' ORDER BY c.relname) FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{table}'::regclass AND c.relname < '{table}_2010'",
        table.len() + 2
    );
    cluster.ask("office", &sql)
}

fn there(cluster: &Cluster, name: &str) -> bool {
    cluster.ask("office", &format!("SELECT to_regclass('{name}') IS NOT NULL")) == "t"
}

#[tokio::test]
async fn what_comes_lies_in_its_month_and_without_one_in_the_rest() {
    let cluster = cluster();
    let store = node(&cluster);
    let office = office(&store).await;
    send(&store, &office, 1, FEBRUARY).await;
    send(&store, &office, 2, FEBRUARY.plus(-1)).await;
    assert_eq!(places(&cluster, "batches"), "rest 2", "nothing fails for want of a month");
    assert!(store.make_months(FEBRUARY).await.unwrap());
    assert_eq!(months(&cluster, "receipts"), "2001_02 2001_03 2001_04");
    assert_eq!(places(&cluster, "batches"), "2001_02 1, rest 1", "what came early finds its place");
    send(&store, &office, 3, UtcMillis(983_404_800_000).plus(-1)).await;
    send(&store, &office, 4, UtcMillis(983_404_800_000)).await;
    for table in ["batches", "receipts"] {
        assert_eq!(places(&cluster, table), "2001_02 2, 2001_03 1, rest 1");
    }
    // The same batch once more is the same row.
    send(&store, &office, 4, UtcMillis(983_404_800_000)).await;
    assert_eq!(places(&cluster, "receipts"), "2001_02 2, 2001_03 1, rest 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_make_months_at_once_while_events_come_in() {
    let cluster = cluster();
    let nodes = [Arc::new(node(&cluster)), Arc::new(node(&cluster))];
    let office = Arc::new(office(&*nodes[0]).await);
    let mut tasks = Vec::new();
    for node in &nodes {
        let node = node.clone();
        // Nobody else reads these tables: whoever is not first waits for the others' batches at most.
        tasks.push(tokio::spawn(async move {
            for month in 0..12 {
                assert!(node.make_months(FEBRUARY.plus(month * 31 * 86_400_000)).await.unwrap());
                assert!(node.make_months(FEBRUARY.plus(month * 31 * 86_400_000)).await.unwrap());
            }
        }));
    }
    for number in 1..=60_u64 {
        send(&nodes[1], &office, number, FEBRUARY.plus(i64::try_from(number).unwrap() * 6 * 86_400_000))
            .await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(months(&cluster, "batches").split(' ').count(), 14);
    assert_eq!(months(&cluster, "batches"), months(&cluster, "receipts"));
    let stored = "SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM receipts), (SELECT count(*) FROM batches_rest)";
    assert_eq!(cluster.ask("office", stored), "60|60|0");
}

#[tokio::test]
async fn a_month_of_which_much_has_come_already_stays_where_it_is() {
    let cluster = cluster();
    let store = node(&cluster);
    let fill = |rows: u64| {
        let sql = format!(
            "INSERT INTO receipts SELECT 1, '\\x01', {} + n, '\\x01', 'x' FROM generate_series(1, {rows}) n",
            FEBRUARY.0
        );
        cluster.ask("office", &sql);
    };
    fill(10_001);
    assert!(!store.make_months(FEBRUARY).await.unwrap());
    assert_eq!(places(&cluster, "receipts"), "rest 10001");
    cluster.ask("office", "DELETE FROM receipts WHERE received_at % 10001 = 0");
    assert!(store.make_months(FEBRUARY).await.unwrap());
    assert_eq!(places(&cluster, "receipts"), "2001_02 10000");
}

#[tokio::test]
async fn a_month_goes_when_all_of_it_is_retired_and_no_other_goes_with_it() {
    let cluster = cluster();
    let store = node(&cluster);
    assert!(store.make_months(NOW).await.unwrap());
    let office = filled(&store, due()).await;
    let batches = "SELECT count(*) FROM batches";
    assert_eq!(cluster.ask("office", batches), "3");
    // What the database has made by its own clock.
    store.drop_months(NOW).await.unwrap();
    // Receipts: of the batch, of what was sent once more in the same month, and of what came a month later.
    for (number, received_at) in [(1, NOW), (2, NOW.plus(5)), (11, at(date(2026, 12, 24)))] {
        let batch = IncomingBatch {
            received_at,
            ..office.batch(vec![readable(logon(number, "hanako", received_at))])
        };
        let envelope = format!(r#"{{"payload":{{"items":[{{"seq":{number},"stored":true}}]}}}}"#);
        store.receive_and_seal(batch, Arc::new(move |_| Ok(envelope.clone()))).await.unwrap();
    }
    retire(&store, &office, MONTH, due()).await;
    let first = store.drop_months(due()).await.unwrap();
    assert!(!first.iter().any(|name| name.ends_with("2026_11")), "{first:?}");
    empty(&store, &office, MONTH, due()).await;
    // Another contract has one row there.
    let row = "INSERT INTO receipts SELECT 99, '\\x01', 1795392000000, '\\x01', 'x'";
    cluster.ask("office", row);
    assert_eq!(store.drop_months(due()).await.unwrap(), ["batches_2026_11"]);
    assert_eq!(store.drop_months(due()).await.unwrap(), Vec::<String>::new());
    assert!(there(&cluster, "receipts_2026_11") && there(&cluster, "receipts_2026_12"));
    cluster.ask("office", "DELETE FROM receipts WHERE contract_id = 99");
    assert_eq!(store.drop_months(due()).await.unwrap(), ["receipts_2026_11"]);
    let left = ["batches_2026_12", "receipts_2026_12", "batches_2027_01", "batches_rest", "receipts_rest"];
    assert!(left.iter().all(|name| there(&cluster, name)));
    assert_eq!(cluster.ask("office", batches), "2");
    // Who comes from the past finds room.
    send(&store, &office, 23, NOW).await;
    assert_eq!(places(&cluster, "receipts"), "2026_12 1, rest 1");
}

#[tokio::test]
async fn the_month_that_has_just_ended_stays_and_so_does_this_one() {
    let cluster = cluster();
    let store = node(&cluster);
    assert!(store.make_months(FEBRUARY).await.unwrap());
    let march_ends = UtcMillis(986_083_200_000).plus(-1);
    assert_eq!(store.drop_months(march_ends).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.drop_months(march_ends.plus(1)).await.unwrap(), ["batches_2001_02", "receipts_2001_02"]);
    assert_eq!(months(&cluster, "batches"), "2001_03 2001_04");
}

#[test]
fn whoever_reads_for_long_is_not_waited_for_and_nobody_waits() {
    let cluster = cluster();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (store, office) = runtime.block_on(async {
        let store = node(&cluster);
        let office = office(&store).await;
        assert!(store.make_months(FEBRUARY).await.unwrap());
        (store, office)
    });
    // A dump.
    let mut reader = ::postgres::Client::connect(&cluster.url("office"), ::postgres::NoTls).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM batches; SELECT count(*) FROM receipts").unwrap();
    let (march, may) = (UtcMillis(983_404_800_000), UtcMillis(988_675_200_000));
    runtime.block_on(async {
        assert!(!store.make_months(march).await.unwrap());
        assert_eq!(store.drop_months(may).await.unwrap(), Vec::<String>::new());
        send(&store, &office, 1, march).await;
    });
    assert_eq!(months(&cluster, "batches"), "2001_02 2001_03 2001_04");
    reader.batch_execute("ROLLBACK").unwrap();
    runtime.block_on(async {
        assert!(store.make_months(march).await.unwrap());
        let dropped = store.drop_months(may).await.unwrap();
        assert_eq!(dropped, ["batches_2001_02", "receipts_2001_02"]);
    });
    assert_eq!(places(&cluster, "receipts"), "2001_03 1");
}
