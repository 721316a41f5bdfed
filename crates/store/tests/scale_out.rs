//! The statements of `docs/operating/scale-out.en.md` against the schema, by the rules that Citus documents: a distributed
//! table has the distribution column in every unique key and as NOT NULL; keys between distributed tables name it on both
//! sides at the same place; nothing refers from a reference or local table to a distributed one; parents come first.
//! <https://docs.citusdata.com/en/stable/develop/reference_ddl.html>

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "suite/cluster.rs"]
mod cluster;

use std::collections::{BTreeMap, BTreeSet};

use cluster::Cluster;
use mngntime_store::{Upkeep as _, postgres};

const GUIDE: &str = include_str!("../../../docs/operating/scale-out.en.md");
const GUIDE_JA: &str = include_str!("../../../docs/operating/scale-out.ja.md");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Distributed,
    Reference,
    Local,
}

fn block(guide: &str) -> &str {
    let begin = guide.find("```sql\n").unwrap() + "```sql\n".len();
    &guide[begin..begin + guide[begin..].find("```").unwrap()]
}

/// Tables in the order of the statements, and those that stay where they are.
fn tables(sql: &str) -> Vec<(String, Kind)> {
    let named = |line: &str| line.split('\'').nth(1).unwrap().to_owned();
    let mut found: Vec<_> = sql
        .lines()
        .filter_map(|line| {
            if line.starts_with("SELECT create_distributed_table(") {
                assert!(line.contains("', 'contract_id'"), "{line}");
                Some((named(line), Kind::Distributed))
            } else {
                line.starts_with("SELECT create_reference_table(").then(|| (named(line), Kind::Reference))
            }
        })
        .collect();
    let local = sql.trim_end().lines().next_back().unwrap().trim_start_matches("-- ");
    found.extend(local.split(", ").map(|table| (table.to_owned(), Kind::Local)));
    found
}

fn rows(cluster: &Cluster, sql: &str) -> Vec<Vec<String>> {
    let said = cluster.ask("empty", sql);
    said.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

/// Unique indexes (primary keys too) and whether they name the contract.
const UNIQUE: &str = "SELECT c.relname, i.indexrelid::regclass, bool_or(a.attname = 'contract_id')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND i.indisunique GROUP BY 1, 2";

/// Foreign keys: from, to, and whether the contract stands at the same place on both sides.
const KEYS: &str = "SELECT k.conrelid::regclass, k.confrelid::regclass, EXISTS (
        SELECT 1 FROM unnest(k.conkey, k.confkey) AS pair(own, other)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own AND a.attname = 'contract_id'
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.other AND b.attname = 'contract_id')
    FROM pg_constraint k WHERE k.contype = 'f'";

/// The type of each table's distribution column, and whether it may be absent.
const COLUMNS: &str = "SELECT table_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name = 'contract_id'";

/// What a distributed table must not have: identities, rules, exclusions, parents; and its triggers.
const ELSE: &str =
    "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES'
    UNION SELECT tablename FROM pg_rules WHERE schemaname = 'public'
    UNION SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'x'
    UNION SELECT inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE c.relkind = 'r' AND NOT c.relispartition";

/// Partitions, by the table that they are parts of: Citus distributes them with it. Their columns and keys are its.
const PARTS: &str =
    "SELECT DISTINCT i.inhparent::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE c.relkind = 'r' AND c.relispartition";

#[test]
fn the_schema_can_be_sharded_by_contract_with_the_statements_of_the_guide() {
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    drop(postgres::open(&cluster.url("empty")).unwrap());
    let sql = block(GUIDE);
    let order = tables(sql);
    let kinds: BTreeMap<_, _> = order.iter().cloned().collect();
    assert_eq!(kinds.len(), order.len(), "a table is named twice");
    let there: BTreeSet<_> = rows(
        &cluster,
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'
         AND tablename NOT IN (SELECT relname FROM pg_class WHERE relispartition)",
    )
    .concat()
    .into_iter()
    .collect();
    assert_eq!(kinds.keys().cloned().collect::<BTreeSet<_>>(), there, "the guide names every table");

    for constraint in sql.lines().filter(|line| line.starts_with("ALTER TABLE")) {
        cluster.ask("empty", constraint);
    }
    for row in rows(&cluster, UNIQUE) {
        let led = kinds[&row[0]] != Kind::Distributed || row[2] == "t";
        assert!(led, "{}: a unique key of a distributed table without the contract", row[1]);
    }
    let columns: BTreeMap<_, _> = rows(&cluster, COLUMNS)
        .into_iter()
        .map(|row| (row[0].clone(), (row[1].clone(), row[2].clone())))
        .collect();
    for (table, _) in order.iter().filter(|(_, kind)| *kind == Kind::Distributed) {
        assert_eq!(
            columns[table],
            ("bigint".into(), "NO".into()),
            "{table}: what is not alike does not lie together"
        );
    }
    let place = |table: &str| order.iter().position(|(name, _)| name == table).unwrap();
    for row in rows(&cluster, KEYS) {
        let told = format!("a key from {} to {}", row[0], row[1]);
        match (kinds[&row[0]], kinds[&row[1]]) {
            (Kind::Distributed, Kind::Distributed) => assert_eq!(row[2], "t", "{told}"),
            (Kind::Distributed | Kind::Reference, Kind::Reference) | (Kind::Local, Kind::Local) => {}
            other => panic!("{told}: {other:?}"),
        }
        assert!(row[0] == row[1] || place(&row[1]) < place(&row[0]), "{told}: who is pointed at comes first");
    }
    for table in rows(&cluster, ELSE).concat() {
        assert_ne!(kinds[&table], Kind::Distributed, "{table} has what Citus does not distribute");
    }
    let parted = rows(&cluster, PARTS).concat();
    assert_eq!(
        parted.iter().map(|table| kinds[table]).collect::<Vec<_>>(),
        [Kind::Distributed; 2],
        "{parted:?}"
    );
    let triggers =
        rows(&cluster, "SELECT DISTINCT event_object_table FROM information_schema.triggers").concat();
    let needed = triggers.iter().any(|table| kinds[table] != Kind::Local);
    assert!(needed && sql.contains("SET citus.enable_unsafe_triggers TO on;"), "{triggers:?}");
}

#[tokio::test]
async fn one_of_several_nodes_does_the_jobs_and_another_one_when_that_one_is_gone() {
    // The thread that starts the cluster must live as long as it.
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    let (first, second) =
        (postgres::open(&cluster.url("empty")).unwrap(), postgres::open(&cluster.url("empty")).unwrap());
    for _ in 0..2 {
        assert!(first.leads().await.unwrap());
        assert!(!second.leads().await.unwrap());
    }
    drop(first);
    while !second.leads().await.unwrap() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn both_languages_give_the_same_statements() {
    let statements = |guide| {
        block(guide)
            .lines()
            .filter(|line| !line.starts_with("-- ") && !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(statements(GUIDE), statements(GUIDE_JA));
}
