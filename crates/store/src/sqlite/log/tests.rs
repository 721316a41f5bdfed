//! What a changed database does to the log, and what a database from before the log becomes.

use super::super::audit;
use super::*;
use crate::ports::Act;

/// A contract with one terminal and the events `1..=count`, which say their numbers and that they happened at 0.
const OFFICE: &str = "
    INSERT INTO contracts VALUES (1, 'demo', 'demo', 'active', 1, 0);
    INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class, agent_version, status,
                           enrolled_at) VALUES (1, zeroblob(16), 'k', 'h', 'o', 'm', 'file', '0', 'active', 0);";

/// 2026-11-23 09:00 in Tokyo.
const NOW: i64 = 1_795_392_000_000;

fn add_event(connection: &Connection, number: u64, received_at: i64) {
    let json = format!(r#"{{"seq":{number},"occurred_at":0}}"#);
    let sql = "INSERT INTO events (contract_id, terminal_id, seq, hash, json, occurred_at, received_at, resent, clock_offset_ms)
        VALUES (1, zeroblob(16), ?1, ?2, ?3, 0, ?4, 0, 0)";
    let digest = Digest::of(json.as_bytes());
    rows::run(connection, sql, params![rows::column(number), digest.as_bytes(), json, received_at]).unwrap();
}

fn database(count: u64) -> (tempfile::TempDir, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
    let connection = Connection::from(connection);
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
             DROP TRIGGER log_heads_are_not_changed; DROP TRIGGER log_heads_are_not_deleted;
             DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted;
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
    note(&connection);
    for (table, column) in
        [("log_leaves", "month"), ("log_hashes", "month"), ("log_heads", "month"), ("audit", "object")]
    {
        assert!(connection.execute(&format!("DELETE FROM {table}"), []).is_err(), "{table}");
        assert!(connection.execute(&format!("UPDATE {table} SET {column} = 'x'"), []).is_err(), "{table}");
    }
}

#[test]
fn an_event_changed_before_it_is_signed_is_not_signed() {
    for change in ["json = '9'", "hash = zeroblob(32)", "occurred_at = 1590000000000"] {
        let (_directory, connection) = database(3);
        tamper(&connection, &format!("UPDATE events SET {change} WHERE seq = 2"));
        assert!(matches!(fault(&connection), LogFault::ChangedEvent { sequence: 2, .. }), "{change}");
    }
}

/// Notes something between events.
fn note(connection: &Connection) {
    let act = Act { by: "kimura".into(), at: UtcMillis(NOW) };
    let detail = serde_json::json!({ "status": "blocked" });
    audit::note(connection, Some(ContractId(1)), "block_terminal", "terminal t", &detail, &act).unwrap();
}

#[test]
fn an_entry_of_the_audit_log_changed_in_any_column_is_not_signed_and_is_named() {
    let other_contract = "INSERT INTO contracts VALUES (2, 'other', 'other', 'active', 1, 0)";
    let change = |change: &str| {
        let (_directory, connection) = database(1);
        connection.execute(other_contract, []).unwrap();
        note(&connection);
        note(&connection);
        tamper(&connection, change);
        assert_eq!(fault(&connection), LogFault::ChangedEntry { number: 1 }, "{change}");
    };
    for column in [
        "id = 9",
        "at = at + 1",
        "by_whom = 'suzuki'",
        "contract_id = 2",
        "contract_id = NULL",
        "action = 'unblock_terminal'",
        "object = 'terminal u'",
        "detail = '{\"status\":\"active\"}'",
        "detail = detail || ' '",
        "detail = 'none'",
        "hash = zeroblob(32)",
        "hash = x'00'",
        "hash = NULL",
    ] {
        change(&format!("UPDATE audit SET {column} WHERE id = 1"));
    }
    change("DELETE FROM audit WHERE id = 1");
    // The code is in the line, too.
    let (_directory, connection) = database(1);
    note(&connection);
    connection.execute("UPDATE contracts SET code = 'demi'", []).unwrap();
    assert_eq!(fault(&connection), LogFault::ChangedEntry { number: 1 });
}

#[test]
fn events_and_entries_of_a_tree_stand_in_the_order_they_came() {
    let (_directory, connection) = database(2);
    note(&connection);
    add_event(&connection, 3, NOW);
    append(&connection, ContractId(1), "2026-11", &[0; 16], 3).unwrap();
    assert_eq!(sign(&connection).tree.size, 4);
    let leaves = "SELECT leaf, coalesce(seq, -audit_id) FROM log_leaves ORDER BY leaf";
    let leaves = rows::all(&connection, leaves, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(leaves, [(0, 1), (1, 2), (2, -1), (3, 3)]);
    // Neither an event nor an entry stands in two places, and a leaf stands for one thing.
    for row in ["zeroblob(16), 3, NULL", "NULL, NULL, 1", "NULL, NULL, NULL", "zeroblob(16), 3, 1"] {
        let sql = format!("INSERT INTO log_leaves VALUES (1, '2026-11', 4, {row})");
        assert!(connection.execute(&sql, []).is_err(), "{row}");
    }
}

#[test]
fn a_database_without_the_audit_log_in_its_log_keeps_its_trees_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    super::super::schema::tests::open_as_of(&path, 4, |old| {
        old.execute_batch(OFFICE).unwrap();
        add_event(old, 1, NOW);
        append(old, ContractId(1), "2026-11", &[0; 16], 1).unwrap();
        let entry = "INSERT INTO audit VALUES (7, 5, 'kimura', 1, 'block_terminal', 'terminal t', 'a text')";
        old.execute(entry, []).unwrap();
    });
    let connection = super::super::schema::open_for_writing(&path).unwrap();
    let connection = Connection::from(connection);
    let before = sign(&connection);
    assert_eq!(before.tree.size, 1, "what was noted before is in no tree");
    let listed = audit::list(&connection, Some(ContractId(1)), None, 9).unwrap();
    assert_eq!((listed[0].number, listed[0].detail.as_str()), (7, "a text"));
    note(&connection);
    assert_eq!(sign(&connection).tree.size, 2);
    let number = "SELECT audit_id FROM log_leaves WHERE leaf = 1";
    assert_eq!(connection.sqlite().unwrap().query_row(number, [], |row| row.get::<_, i64>(0)), Ok(8));
    let references = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(connection.sqlite().unwrap().query_row(references, [], |row| row.get::<_, i64>(0)), Ok(0));
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
    let connection = Connection::from(connection);
    let all = "SELECT month, leaf, seq FROM log_leaves ORDER BY month, leaf";
    let all = rows::all(&connection, all, [], |row| {
        Ok((row.get::<_, String>(0)?, rows::number(row, 1)?, rows::number(row, 2)?))
    });
    let expected = [("2026-11", 0, 2), ("2026-11", 1, 1), ("2026-11", 2, 4), ("2026-12", 0, 3)];
    assert_eq!(all.unwrap(), expected.map(|(month, leaf, seq)| (month.to_owned(), leaf, seq)));
}

#[test]
fn a_head_that_is_gone_while_its_hashes_are_there_is_named() {
    let (_directory, connection) = database(3);
    sign(&connection);
    add_event(&connection, 4, NOW);
    append(&connection, ContractId(1), "2026-11", &[0; 16], 4).unwrap();
    sign(&connection);
    tamper(&connection, "DELETE FROM log_heads WHERE size = 4");
    assert_eq!(fault(&connection), LogFault::MissingHead { size: 3 });
    connection.execute("DELETE FROM log_heads", []).unwrap();
    assert_eq!(fault(&connection), LogFault::MissingHead { size: 0 });
}

/// The places of six heads: what is gone of them, and what is seen of it before anything more is signed.
#[test]
fn heads_that_are_gone_from_before_others_are_named() {
    let missing = |there| Some(LogFault::MissingHeads { month: "2026-11".into(), told: 6, there });
    for (gone, expected) in [
        ("size = 1", missing(5)),
        ("size = 3", missing(5)),
        ("size = 5", missing(5)),
        ("size < 6", missing(1)),
        ("size IN (2, 4)", missing(4)),
        // The newest one is missed by its hashes.
        ("size = 6", None),
    ] {
        let (_directory, connection) = database(0);
        for number in 1..=6 {
            add_event(&connection, number, NOW);
            append(&connection, ContractId(1), "2026-11", &[0; 16], number).unwrap();
            let Growth::Grown(grown) = grow(&connection, &november(), 1000).unwrap() else { panic!() };
            assert_eq!(grown.heads, number);
            // The first two are of a version that did not count them.
            let counted = format!(r#"{{"payload":{{"heads":{}}},"signature":"x"}}"#, grown.heads);
            let envelope = if number > 2 { counted.as_str() } else { r#"{"payload":{},"signature":"x"}"# };
            assert!(keep_head(&connection, &grown, UtcMillis(NOW), envelope).unwrap());
            assert_eq!(gap(&connection, LogLook::Places), None);
        }
        tamper(&connection, &format!("DELETE FROM log_heads WHERE {gone}"));
        assert_eq!(gap(&connection, LogLook::Places), expected, "{gone}");
        if expected.is_none() {
            assert_eq!(fault(&connection), LogFault::MissingHead { size: 5 });
        }
    }
}

fn gap(connection: &Connection, look: LogLook) -> Option<LogFault> {
    log_gap::find(connection, ContractId(1), look).unwrap()
}

#[test]
fn what_is_stored_without_a_leaf_or_has_a_leaf_and_is_gone_is_named() {
    let terminal = TerminalId::parse("00000000-0000-0000-0000-000000000000").unwrap();
    let unplaced = |sequence| Some(LogFault::UnplacedEvent { terminal, sequence });
    let lost = |sequence| Some(LogFault::LostEvent { terminal, sequence });
    for (change, newest, all) in [
        ("DELETE FROM log_leaves WHERE seq = 3", unplaced(3), unplaced(3)),
        ("DELETE FROM log_leaves WHERE terminal_id IS NOT NULL", unplaced(3), unplaced(1)),
        ("DELETE FROM log_leaves WHERE seq = 2", None, unplaced(2)),
        ("DELETE FROM events WHERE seq = 3", lost(3), lost(3)),
        ("DELETE FROM events WHERE seq = 2", None, lost(2)),
        ("DELETE FROM events", lost(3), lost(1)),
        (
            "DELETE FROM log_leaves WHERE audit_id IS NOT NULL",
            None,
            Some(LogFault::UnplacedEntry { number: 1 }),
        ),
    ] {
        let (_directory, connection) = database(3);
        note(&connection);
        assert_eq!((gap(&connection, LogLook::Newest), gap(&connection, LogLook::Receipts)), (None, None));
        tamper(&connection, change);
        assert_eq!(
            (gap(&connection, LogLook::Newest), gap(&connection, LogLook::Places)),
            (newest, all),
            "{change}"
        );
    }
}

#[test]
fn a_receipt_of_an_event_that_is_gone_with_its_leaf_is_named() {
    let (_directory, connection) = database(3);
    let receipt =
        r#"{"payload":{"items":[{"seq":3,"stored":true},{"seq":9,"stored":false}]},"signature":""}"#;
    let sql = "INSERT INTO receipts VALUES (1, zeroblob(16), 0, x'00', ?1)";
    connection.execute(sql, [receipt]).unwrap();
    assert_eq!(gap(&connection, LogLook::Receipts), None, "what was refused needs no place");
    tamper(&connection, "DELETE FROM log_leaves WHERE seq = 3");
    connection.execute("DELETE FROM events WHERE seq = 3", []).unwrap();
    assert_eq!((gap(&connection, LogLook::Newest), gap(&connection, LogLook::Places)), (None, None));
    let found = gap(&connection, LogLook::Receipts);
    assert!(matches!(found, Some(LogFault::LostEvent { sequence: 3, .. })), "{found:?}");
}

#[test]
fn an_event_whose_column_says_another_time_than_its_bytes_is_named_before_a_pack_is_made() {
    let (_directory, connection) = database(3);
    sign(&connection);
    assert_eq!(gap(&connection, LogLook::Receipts), None);
    tamper(&connection, "UPDATE events SET occurred_at = 1590000000000 WHERE seq = 2");
    assert_eq!(gap(&connection, LogLook::Places), None, "the log is whole");
    let found = gap(&connection, LogLook::Receipts);
    assert!(matches!(found, Some(LogFault::ChangedEvent { sequence: 2, .. })), "{found:?}");
}

#[test]
fn an_event_that_stands_where_its_clock_did_not_put_it_is_named_before_a_pack_is_made() {
    let standing = |placed: &str, offset: i64| {
        let (_directory, connection) = database(3);
        sign(&connection);
        tamper(
            &connection,
            &format!("UPDATE events SET placed_at = {placed}, clock_offset_ms = {offset} WHERE seq = 2"),
        );
        gap(&connection, LogLook::Receipts)
    };
    assert_eq!(standing("occurred_at + 40000000000", 40_000_000_000), None);
    for placed in ["occurred_at + 40000000001", "0", "occurred_at"] {
        let found = standing(placed, 40_000_000_000);
        assert!(matches!(found, Some(LogFault::ChangedEvent { sequence: 2, .. })), "{placed}: {found:?}");
    }
}

#[test]
fn comparing_places_and_receipts_with_what_is_stored_reads_no_table_of_events() {
    let (_directory, connection) = database(1);
    for sql in log_gap::QUERIES {
        let mut plan = connection.sqlite().unwrap().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut steps = plan.raw_query();
        while let Some(step) = steps.next().unwrap() {
            let step: String = step.get(3).unwrap();
            let in_index = !step.starts_with("SCAN") || step.starts_with("SCAN item VIRTUAL TABLE");
            let covered = !step.contains(" e ") || step.contains("COVERING INDEX");
            assert!(in_index && covered || step.starts_with("SCAN (subquery"), "{step}: {sql}");
        }
    }
}
