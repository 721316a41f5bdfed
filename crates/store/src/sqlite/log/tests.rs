//! What a changed database does to the log, and what a database from before the log becomes.

use rusqlite::Connection;

use super::*;

/// A contract with one terminal and the events `1..=count`, whose bytes are their numbers.
const OFFICE: &str = "
    INSERT INTO contracts VALUES (1, 'demo', 'demo', 'active', 1, 0);
    INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class, agent_version, status,
                           enrolled_at) VALUES (1, zeroblob(16), 'k', 'h', 'o', 'm', 'file', '0', 'active', 0);";

/// 2026-11-23 09:00 in Tokyo.
const NOW: i64 = 1_795_392_000_000;

fn add_event(connection: &Connection, number: u64, received_at: i64) {
    let json = number.to_string();
    let sql = "INSERT INTO events VALUES (1, zeroblob(16), ?1, ?2, ?3, 0, ?4, 0, 0)";
    let digest = Digest::of(json.as_bytes());
    rows::run(connection, sql, params![rows::column(number), digest.as_bytes(), json, received_at]).unwrap();
}

fn database(count: u64) -> (tempfile::TempDir, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
    connection.execute_batch(OFFICE).unwrap();
    for number in 1..=count {
        add_event(&connection, number, NOW);
        append(&connection, ContractId(1), "2026-11", &[0; 16], number).unwrap();
    }
    (directory, connection)
}

fn november() -> UnsignedMonth {
    UnsignedMonth { contract: ContractId(1), month: "2026-11".into() }
}

fn sign(connection: &Connection) -> GrownTree {
    let Growth::Grown(grown) = grow(connection, &november(), 1000).unwrap() else { panic!("nothing grew") };
    assert!(keep_head(connection, &grown, UtcMillis(NOW), "head").unwrap());
    *grown
}

/// As somebody does who has the file and a SQL shell.
fn tamper(connection: &Connection, sql: &str) {
    connection
        .execute_batch(
            "DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted;
             DROP TRIGGER log_leaves_are_not_changed; DROP TRIGGER log_leaves_are_not_deleted;
             DROP TRIGGER log_hashes_are_not_changed; DROP TRIGGER log_hashes_are_not_deleted;
             PRAGMA foreign_keys = OFF;",
        )
        .unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
}

fn fault(connection: &Connection) -> LogFault {
    match grow(connection, &november(), 1000).unwrap() {
        Growth::Broken(fault) => fault,
        other @ (Growth::Nothing | Growth::Grown(_)) => panic!("{other:?}"),
    }
}

#[test]
fn nothing_of_the_log_is_changed_or_deleted_by_accident() {
    let (_directory, connection) = database(3);
    sign(&connection);
    for table in ["log_leaves", "log_hashes", "log_heads"] {
        assert!(connection.execute(&format!("DELETE FROM {table}"), []).is_err(), "{table}");
        assert!(connection.execute(&format!("UPDATE {table} SET month = 'x'"), []).is_err(), "{table}");
    }
}

#[test]
fn an_event_changed_before_it_is_signed_is_not_signed() {
    for change in ["json = '9'", "hash = zeroblob(32)"] {
        let (_directory, connection) = database(3);
        tamper(&connection, &format!("UPDATE events SET {change} WHERE seq = 2"));
        assert!(matches!(fault(&connection), LogFault::ChangedEvent { sequence: 2, .. }), "{change}");
    }
}

#[test]
fn a_leaf_or_an_event_that_is_gone_is_named() {
    for gone in ["DELETE FROM log_leaves WHERE leaf = 1", "DELETE FROM events WHERE seq = 2"] {
        let (_directory, connection) = database(3);
        tamper(&connection, gone);
        assert_eq!(fault(&connection), LogFault::MissingLeaf { leaf: 1 }, "{gone}");
    }
}

#[test]
fn hashes_that_no_longer_give_the_signed_root_are_seen_at_the_next_head() {
    let (_directory, connection) = database(3);
    sign(&connection);
    add_event(&connection, 4, NOW);
    append(&connection, ContractId(1), "2026-11", &[0; 16], 4).unwrap();
    // Of three leaves, the root reads the hash of the first two and the third's own.
    tamper(&connection, "UPDATE log_hashes SET hash = zeroblob(32) WHERE place = 2");
    assert_eq!(fault(&connection), LogFault::ChangedHashes { size: 3 });
}

#[test]
fn events_from_before_the_log_get_their_places_in_the_order_of_their_receipt() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    super::super::schema::tests::open_as_of(&path, 2, |old| {
        old.execute_batch(OFFICE).unwrap();
        add_event(old, 1, NOW + 5);
        add_event(old, 2, NOW);
        // 2026-12-01 00:00 in Tokyo, and a millisecond before.
        add_event(old, 3, 1_796_050_800_000);
        add_event(old, 4, 1_796_050_799_999);
    });
    let connection = super::super::schema::open_for_writing(&path).unwrap();
    let all = "SELECT month, leaf, seq FROM log_leaves ORDER BY month, leaf";
    let all = rows::all(&connection, all, [], |row| {
        Ok((row.get::<_, String>(0)?, rows::number(row, 1)?, rows::number(row, 2)?))
    });
    let expected = [("2026-11", 0, 2), ("2026-11", 1, 1), ("2026-11", 2, 4), ("2026-12", 0, 3)];
    assert_eq!(all.unwrap(), expected.map(|(month, leaf, seq)| (month.to_owned(), leaf, seq)));
}
