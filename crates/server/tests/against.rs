//! What whoever holds the server's key can do to the whole log, and who sees it: a log that was written anew is no
//! contradiction in itself, but contradicts what was given out before.

use mngntime_evidence::against::{Comparison, Contents, Contradiction, Difference, Length, compare};
use mngntime_evidence::format::{Line, Marks};
use mngntime_evidence::verify::{Emptiness, Oddity, Stamped};
use mngntime_evidence::{Report, Verifier, words};
use mngntime_ledger::Digest;
use mngntime_ledger::audit::AuditRecord;
use mngntime_model::{EventKind, Language};
use rusqlite::{Connection, params};

use crate::evidence::{database, office};
use crate::support::{DAY_MS, NOW, Pc, Server};

const HOUR_MS: i64 = 3_600_000;

impl Server {
    /// The record as it is read by whoever wants to compare it.
    async fn read(&self, employee: Option<&str>) -> Report {
        let mut verifier = Verifier::new(self.app.key.public()).keeping_contents().keeping_punches();
        self.record(employee).await.iter().for_each(|line| verifier.read(line));
        verifier.finish()
    }

    /// The receipts that the PCs were given, as a PC keeps them: one a line.
    async fn receipts(&self) -> String {
        let mut receipts = String::new();
        for line in self.record(None).await {
            if let Line::Receipt(receipt) = serde_json::from_str(&line).unwrap() {
                receipts += &(receipt.envelope + "\n");
            }
        }
        receipts
    }

    /// What they say beside a pack of the contract `demo`.
    fn held(&self, receipts: &str) -> Contents {
        let mut pack = Contents::default();
        pack.contract = "demo".to_owned();
        Contents::of_receipts(receipts.lines(), &self.app.key.public(), &pack)
    }
}

/// The database in the hands of somebody who writes the whole log anew: nothing of it is left, nor any receipt.
fn seized(server: &Server) -> Connection {
    let database = database(server);
    database
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted;
             DROP TRIGGER audit_is_not_deleted; DROP TRIGGER log_leaves_are_not_changed;
             DROP TRIGGER log_leaves_are_not_deleted; DROP TRIGGER log_hashes_are_not_deleted;
             DROP TRIGGER log_heads_are_not_deleted;
             DELETE FROM log_hashes; DELETE FROM log_heads; DELETE FROM receipts;",
        )
        .unwrap();
    database
}

/// Takes a leaf out; what followed it moves up.
fn close_the_gap(database: &Connection, which: &str) {
    let place = format!("SELECT month, leaf FROM log_leaves WHERE {which}");
    let (month, leaf): (String, i64) =
        database.query_row(&place, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    database.execute(&format!("DELETE FROM log_leaves WHERE {which}"), []).unwrap();
    let moves = [
        "UPDATE log_leaves SET leaf = leaf + 1000000 WHERE month = ?1 AND leaf > ?2",
        "UPDATE log_leaves SET leaf = leaf - 1000001 WHERE month = ?1 AND leaf > ?2 + 1000000",
    ];
    for sql in moves {
        database.execute(sql, params![month, leaf]).unwrap();
    }
}

fn own(report: &Report) -> &Contents {
    report.contents.as_deref().unwrap()
}

fn has_event(found: &Comparison, sequence: u64, how: Difference) -> bool {
    found.contradictions.iter().any(|found| {
        matches!(found, Contradiction::Events { run, how: said, .. }
            if (run.first..=run.last).contains(&sequence) && *said == how)
    })
}

fn has_tree(found: &Comparison) -> bool {
    found.contradictions.iter().any(|found| matches!(found, Contradiction::Tree { .. }))
}

#[tokio::test]
async fn a_log_that_only_grew_contradicts_neither_an_older_pack_nor_the_receipts() {
    let server = office().await;
    let (all, one, receipts) =
        (server.read(None).await, server.read(Some("E1")).await, server.receipts().await);
    let mut late = Pc::enrolled(&server, 3).await;
    late.wall = server.app.now();
    let event = late.logon("saburo");
    server.deliver(&late.batch(&[event])).await;
    let newer = server.read(None).await;
    for older in [own(&all), own(&one), &server.held(&receipts)] {
        let found = compare(own(&newer), older);
        assert_eq!((found.contradictions.as_slice(), found.uncompared), (&[][..], [0, 0, 0]));
        assert!(found.events >= 14 && found.trees + found.recomputed_trees >= 2, "{found:?}");
    }
    // The other way round: the older one says nothing of what came later, and only that.
    let found = compare(own(&all), own(&newer));
    assert_eq!((found.contradictions, found.uncompared[0]), (vec![], 1));
    // A pack about one employee cannot say anything of the others' entries.
    let found = compare(own(&one), own(&newer));
    assert!(
        found.contradictions.is_empty() && found.uncompared[0] > 0 && found.uncompared[1] > 0,
        "{found:?}"
    );
}

#[tokio::test]
async fn an_event_that_was_changed_with_the_whole_log_is_named_as_unsigned_and_seen_beside_what_was_given_out()
 {
    let server = office().await;
    let (all, one, receipts) =
        (server.read(None).await, server.read(Some("E1")).await, server.receipts().await);
    assert!(all.unsigned.is_empty(), "every event carries its terminal's signature");
    let database = seized(&server);
    // Hanako came three hours earlier than she did.
    let json: String = database
        .query_row("SELECT json FROM events WHERE seq = 2 AND json LIKE '%hanako%'", [], |row| row.get(0))
        .unwrap();
    let earlier = NOW.0 - 3 * 3_600_000;
    let changed = json.replace(&format!("\"occurred_at\":{}", NOW.0), &format!("\"occurred_at\":{earlier}"));
    assert_ne!(changed, json);
    let digest = Digest::of(changed.as_bytes());
    database
        .execute(
            "UPDATE events SET json = ?1, hash = ?2, occurred_at = ?4 WHERE json = ?3",
            params![changed, digest.as_bytes(), json, earlier],
        )
        .unwrap();
    let gone = "DELETE FROM batches WHERE frame LIKE '%,2,%'
                AND terminal_id = (SELECT terminal_id FROM events WHERE json = ?1)";
    assert_eq!(database.execute(gone, [&changed]).unwrap(), 1);
    let forged = server.read(None).await;
    // Both verifiers accept it: nothing in it contradicts itself. What is seen is what the PC did not sign.
    assert_eq!(forged.faults, []);
    let named: Vec<_> = forged.unsigned.iter().map(|event| (event.sequence, event.date.as_str())).collect();
    assert_eq!(named, [(2, "2026-11-23")]);
    assert_eq!(forged.breaks.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [3]);
    let said = words::to_be_known(&forged, Language::Japanese).concat();
    assert!(said.contains("2026-11-23 の番号2のイベントに、端末の署名がありません"), "{said}");
    assert!(words::verdict(&forged, Language::Japanese).contains("端末の署名のないイベント1件"));
    assert!(words::not_proven(&forged, Language::Japanese).concat().contains("ログ全体を作り直し"));
    // Beside anything that was given out before, it is proof against the server.
    for older in [own(&all), own(&one), &server.held(&receipts)] {
        let found = compare(own(&forged), older);
        assert!(has_event(&found, 2, Difference::Bytes) && has_tree(&found), "{:?}", found.contradictions);
        assert!(has_event(&compare(older, own(&forged)), 2, Difference::Bytes));
    }
}

#[tokio::test]
async fn an_event_that_was_dropped_and_called_missing_is_seen_beside_what_was_given_out() {
    let server = office().await;
    let (all, receipts) = (server.read(None).await, server.receipts().await);
    let one = server.read(Some("E3")).await;
    let database = seized(&server);
    let of_jiro = "terminal_id = (SELECT terminal_id FROM events WHERE json LIKE '%jiro%' LIMIT 1)";
    database.execute(&format!("DELETE FROM batches WHERE frame LIKE '%,6,%' AND {of_jiro}"), []).unwrap();
    close_the_gap(&database, &format!("seq = 6 AND {of_jiro}"));
    for table in ["judgements", "punches", "events"] {
        let delete = format!("DELETE FROM {table} WHERE seq = 6 AND {of_jiro}");
        database.execute(&delete, []).unwrap();
    }
    for employee in [None, Some("E3")] {
        let forged = server.read(employee).await;
        assert_eq!(forged.faults, []);
        assert!(
            forged.missing.iter().any(|(_, first, last)| (*first, *last) == (6, 6)),
            "{:?}",
            forged.missing
        );
        let said = words::to_be_known(&forged, Language::English).concat();
        assert!(said.contains("the server says that it never got the events 6 to 6"), "{said}");
        let said = words::not_proven(&forged, Language::English).concat();
        assert!(said.contains("That the 2 numbers called missing never arrived"), "{said}");
        for older in [own(&all), own(&one), &server.held(&receipts)] {
            let found = compare(own(&forged), older);
            assert!(has_event(&found, 6, Difference::CalledMissing), "{:?}", found.contradictions);
            assert!(has_event(&found, 7, Difference::Place), "what followed it has moved");
        }
    }
}

#[tokio::test]
async fn a_link_that_was_taken_out_with_its_entries_is_seen_beside_an_older_pack() {
    let server = office().await;
    let (all, one) = (server.read(None).await, server.read(Some("E2")).await);
    let receipts = server.receipts().await;
    let database = seized(&server);
    take_out_link(&database, "E2");
    let forged = server.read(None).await;
    assert_eq!((forged.faults.as_slice(), forged.account_links), (&[][..], 2));
    for older in [&all, &one] {
        let found = compare(own(&forged), own(older));
        let left_out = |found: &Contradiction| {
            let Contradiction::Entries { how: Difference::LeftOut, run } = found else { return None };
            Some(run.count)
        };
        assert_eq!(found.contradictions.iter().filter_map(left_out).collect::<Vec<_>>(), [1]);
    }
    // No receipt tells of entries: these came after the last tree that a PC was told of.
    assert_eq!(compare(own(&forged), &server.held(&receipts)).contradictions, []);
}

/// The link of an employee, and the entry that tells of it.
fn take_out_link(database: &Connection, code: &str) {
    let entry: i64 = database
        .query_row(
            "SELECT id FROM audit WHERE action = 'link_account' AND detail LIKE '%\"employee\":\"' || ?1 || '\"%'",
            [code],
            |row| row.get(0),
        )
        .unwrap();
    close_the_gap(database, &format!("audit_id = {entry}"));
    database.execute("DELETE FROM audit WHERE id = ?1", [entry]).unwrap();
    let link = "DELETE FROM account_links WHERE employee_id = (SELECT id FROM employees WHERE code = ?1)";
    assert_eq!(database.execute(link, [code]).unwrap(), 1);
}

#[tokio::test]
async fn a_log_that_was_ended_earlier_is_shorter_than_what_was_given_out() {
    let server = office().await;
    let all = server.read(None).await;
    server.pass(DAY_MS);
    // The newest leaf: nothing that the shorter log tells of is missing from it.
    take_out_link(&seized(&server), "E3");
    let forged = server.read(None).await;
    assert_eq!(forged.faults, []);
    let found = compare(own(&forged), own(&all)).contradictions;
    let size = all.trees.last().unwrap().size;
    let shorter = Contradiction::Shorter { month: "2026-12".to_owned(), first: size, later: size - 1 };
    assert_eq!(found, [shorter]);
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_set_right_makes_no_liar_of_the_server() {
    let server = office().await;
    let export = async || {
        let report = server.read(None).await;
        let act = server.act();
        server
            .app
            .store
            .note(Some(server.contract), "export_evidence".into(), "all".into(), act)
            .await
            .unwrap();
        report
    };
    server.pass(HOUR_MS);
    let ahead = [export().await, export().await];
    server.pass(60_000 - HOUR_MS);
    let right = [export().await, export().await];
    for one in &ahead {
        for other in &right {
            for found in [compare(own(one), own(other)), compare(own(other), own(one))] {
                assert_eq!(found.contradictions, []);
                let why: Vec<_> = found.shortened.iter().map(|found| found.why).collect();
                assert_eq!(why, [Length::SetBack]);
                assert!(found.recomputed_trees > 0, "the shorter one is the beginning of the longer one");
                let said = words::against(&found, Language::Japanese).concat();
                assert!(said.contains("サーバーの時計がその時刻から戻されたことを示しています"), "{said}");
            }
        }
    }
}

#[tokio::test]
async fn another_contract_of_the_server_has_another_log_and_contradicts_nothing() {
    let server = office().await;
    server.make_contract("beta", "the-key-of-beta").await;
    let mut pc = Pc { contract: "beta".into(), ..Pc::new(9) };
    pc.terminal = server.enroll(&pc.enrollment("the-key-of-beta")).await.terminal.unwrap();
    server.sign().await;
    let event = pc.logon("hanako");
    let beta = server.post("/api/v1/events", pc.batch(&[event]).to_json().unwrap()).await.body;
    assert!(beta.contains("\"contract\":\"beta\"") && beta.contains("\"log\":{\"month\""), "{beta}");
    let held = server.held(&beta);
    assert_eq!((held.receipts, held.other_contracts), (0, 1));
    // A PC that was moved from one contract to the other has the receipts of both.
    let all = server.read(None).await;
    let moved = server.held(&(beta + "\n" + &server.receipts().await));
    let found = compare(own(&all), &moved);
    assert_eq!((found.contradictions, found.other_receipts), (vec![], [1, 0]));
    assert!(found.events >= 14 && found.trees > 0, "its own are compared");
}

/// A link of Taro's account to Hanako, made half a year ago: as somebody writes it who has the database, before it is signed.
pub(crate) fn add_backdated_link(server: &Server, account: &str) -> u64 {
    let database = database(server);
    let at = NOW.0 - 200 * DAY_MS;
    let (account, key, employee, code): ([u8; 16], String, [u8; 16], String) = database
        .query_row(
            "SELECT a.id, a.key, e.id, e.code FROM accounts a, employees e WHERE a.name = ?1 ORDER BY e.code LIMIT 1",
            [account],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    let entry: i64 = database.query_row("SELECT max(id) + 1 FROM audit", [], |row| row.get(0)).unwrap();
    let number = u64::try_from(entry).unwrap();
    let id = "01a10000-0000-7000-8000-000000000007";
    let detail = format!(
        "{{\"link\":\"{id}\",\"account\":\"{key}\",\"employee\":\"{code}\",\"from\":\"2026-05-10\",\"to\":null,\"void\":false}}"
    );
    let record = AuditRecord {
        v: 1,
        contract: "demo".into(),
        number,
        at,
        by: "administrator:kimura".into(),
        action: "link_account".into(),
        object: "account".into(),
        detail: serde_json::value::RawValue::from_string(detail.clone()).unwrap(),
    };
    let hash = Digest::of(record.to_json().unwrap().as_bytes());
    database
        .execute(
            "INSERT INTO account_links (contract_id, id, account_id, employee_id, from_date, created_at, created_by)
             VALUES (1, ?1, ?2, ?3, '2026-05-10', ?4, 'administrator:kimura')",
            params![u128::from_str_radix(&id.replace('-', ""), 16).unwrap().to_be_bytes(), account, employee, at],
        )
        .unwrap();
    database
        .execute(
            "INSERT INTO audit (id, at, by_whom, contract_id, action, object, detail, hash)
             VALUES (?1, ?2, 'administrator:kimura', 1, 'link_account', 'account', ?3, ?4)",
            params![entry, at, detail, hash.as_bytes()],
        )
        .unwrap();
    let leaf = "INSERT INTO log_leaves (contract_id, month, leaf, audit_id)
                SELECT 1, month, max(leaf) + 1, ?1 FROM log_leaves GROUP BY month ORDER BY month DESC LIMIT 1";
    assert_eq!(database.execute(leaf, [entry]).unwrap(), 1);
    number
}

#[tokio::test]
async fn a_link_that_was_backdated_in_the_database_is_no_contradiction_but_its_time_does_not_fit() {
    let server = office().await;
    assert_eq!(server.read(None).await.odd_time_count, 0);
    let number = add_backdated_link(&server, "taro");
    let everything = server.read(None).await;
    let entry = Stamped::Entry { number };
    assert_eq!((everything.faults.as_slice(), everything.odd_time_count), (&[][..], 1));
    assert_eq!(everything.odd_times[0].of, entry);
    assert!(matches!(everything.odd_times[0].oddity, Oddity::BeforeContract { made } if made == NOW.0));
    let said = words::to_be_known(&everything, Language::English).concat();
    assert!(said.contains(&format!("Entry {number} of the audit log: noted at 2026-05-07")), "{said}");
    // Where it is not shown when the contract was made, the month of the log is.
    let one = server.read(Some("E1")).await;
    assert_eq!((one.faults.as_slice(), one.odd_time_count), (&[][..], 1));
    assert_eq!((&one.odd_times[0].of, one.odd_times[0].oddity), (&entry, Oddity::OutsideMonth));
    assert!(words::verdict(&one, Language::English).contains("1 time(s) that do not fit"));
}

#[tokio::test]
async fn a_pack_about_an_employee_without_a_link_shows_the_newest_head_and_that_there_is_no_event() {
    let server = office().await;
    let newest = server.read(None).await.trees.last().cloned();
    database(&server)
        .execute_batch(
            "INSERT INTO employees (contract_id, id, code, name) VALUES (1, zeroblob(16), 'E9', 'nobody')",
        )
        .unwrap();
    let report = server.read(Some("E9")).await;
    assert_eq!((report.faults.as_slice(), report.trees.last()), (&[][..], newest.as_ref()));
    assert_eq!(report.emptiness, Some(Emptiness::NoLink));
    let said = words::verdict(&report, Language::Japanese);
    let expected = "真正（ただし、この社員に関連付けられたアカウントはありません、イベントは1件もありません";
    assert!(said.starts_with(expected), "{said}");
    let said = words::to_be_known(&report, Language::English).concat();
    assert!(
        said.contains("By the server's word no account (Windows user) is linked to this employee. So this file shows no punch")
    );
    // And one whose events are of an older month shows the newest month, too.
    server.pass(60 * DAY_MS);
    let mut pc = Pc::enrolled(&server, 5).await;
    pc.wall = server.app.now();
    let event = pc.event(EventKind::ServiceStart, None, pc.wall);
    server.deliver(&pc.batch(&[event])).await;
    let months = |report: &Report| report.trees.iter().map(|tree| tree.month.clone()).collect::<Vec<_>>();
    assert_eq!(months(&server.read(Some("E1")).await), ["2026-11", "2026-12", "2027-02"]);
}

#[tokio::test]
async fn what_the_server_noticed_of_a_terminal_is_in_the_pack_as_its_word() {
    let server = office().await;
    assert!(server.read(None).await.marks.is_empty());
    let mark = "UPDATE terminals SET conflict = 1, cloned_at = 5, rolled_back_at = 6, makeup_changed = 1
                WHERE id = (SELECT terminal_id FROM events WHERE json LIKE '%hanako%' LIMIT 1)";
    assert_eq!(database(&server).execute(mark, []).unwrap(), 1);
    for employee in [None, Some("E1")] {
        let report = server.read(employee).await;
        let marks =
            Marks { conflict: true, makeup_changed: true, rolled_back_at: Some(6), cloned_at: Some(5) };
        assert_eq!(
            (report.faults.as_slice(), report.marks.values().collect::<Vec<_>>()),
            (&[][..], vec![&marks])
        );
        assert!(words::verdict(&report, Language::English).contains("1 terminal(s) that the server marked"));
    }
}
