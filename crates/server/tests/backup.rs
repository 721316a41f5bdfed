//! Backup and restore: what is in one, what a check of one finds, and what wrong use is told.

use crate::support;

use std::collections::BTreeSet;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::{NOW, Pc, Server, all_stored};
use mngntime_server::backup::restore::{MARKER, restore};
use mngntime_server::backup::verify::{VerifyError, verify};
use mngntime_server::backup::{SUMMED, SUMS_FILE, UNFINISHED, make};
use mngntime_server::evidence::record::{Request, Writer};
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::sqlite::backup::Fault;
use mngntime_store::{AccountFilter, EmployeeChoice, KeyHash, LinkRequest, NewContract, NewEmployee};

/// A server whose key is where a server of its own would have put it.
async fn server() -> Server {
    let server = Server::start().await;
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).mode(0o600).open(data(&server).join("server-key")).unwrap();
    std::io::Write::write_all(&mut file, &[42; 32]).unwrap();
    server
}

fn data(server: &Server) -> &Path {
    server.directory.path()
}

async fn deliver_logons(server: &Server, pc: &mut Pc, count: usize) {
    let events: Vec<_> = (0..count).map(|_| pc.logon("hanako")).collect();
    assert!(all_stored(&server.deliver(&pc.batch(&events)).await));
}

/// A server with a few events, and its backup.
async fn backed_up(scratch: &Path) -> (Server, PathBuf) {
    let server = server().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    deliver_logons(&server, &mut pc, 20).await;
    let (path, verified) = make(data(&server), &scratch.join("backup"), NOW).unwrap();
    assert_eq!(verified.events(), 20);
    (server, path)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Eight PCs send while backups are made; each backup holds at least what had a receipt when it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_during_load_holds_every_event_that_was_acknowledged_before_it_began() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server().await;
    let mut pcs = Vec::new();
    for seed in 1..=8 {
        pcs.push(Pc::enrolled(&server, seed).await);
    }
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let (stop, acknowledged, server) = (&stop, &acknowledged, &server);
    let load = pcs.into_iter().map(|mut pc| async move {
        while !stop.load(Ordering::Relaxed) {
            deliver_logons(server, &mut pc, 5).await;
            acknowledged.fetch_add(5, Ordering::Relaxed);
        }
    });
    let backups = async {
        let mut before = 0;
        for round in 0..6 {
            // Each backup begins when something new has been acknowledged since the last one.
            while acknowledged.load(Ordering::Relaxed) <= before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            before = acknowledged.load(Ordering::Relaxed);
            let (data, out) = (data(server).to_owned(), scratch.path().join(round.to_string()));
            let (_, verified) =
                tokio::task::spawn_blocking(move || make(&data, &out, NOW).unwrap()).await.unwrap();
            let events = verified.events();
            assert!(
                before > 0 && events >= before,
                "{events} of {before} acknowledged events in backup {round}"
            );
            assert_eq!((verified.manifest.rows["events"], verified.manifest.rows["terminals"]), (events, 8));
        }
        stop.store(true, Ordering::Relaxed);
        acknowledged.load(Ordering::Relaxed)
    };
    let (_, at_last) = tokio::join!(together(load), backups);
    let last = verify(&scratch.path().join("5")).unwrap().events();
    assert!(last <= at_last + 8 * 5, "no event twice: {last} of {at_last}");
}

async fn together(load: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut running: Vec<_> = load.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        running.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn a_restored_server_answers_as_the_old_one_and_takes_the_same_events_again() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let first: Vec<_> = (0..10).map(|_| pc.logon("hanako")).collect();
    server.deliver(&pc.batch(&first)).await;
    let (backup, _) = make(data(&server), &scratch.path().join("backup"), NOW).unwrap();
    let later = pc.logon("hanako");
    server.deliver(&pc.batch(std::slice::from_ref(&later))).await;

    let target = scratch.path().join("new/data");
    let verified = restore(&backup, &target, NOW).unwrap();
    assert_eq!(verified.manifest.events["demo"], 10);
    assert_eq!(names(&target), ["mngntime.db", "server-key"]);
    for name in names(&target) {
        assert_eq!(std::fs::metadata(target.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = Server::on(SqliteStore::open(&target).unwrap(), server.contract);
    assert_eq!(again.punches().await.len(), 10);
    // The same key and the same terminal: what a PC sends again becomes one row each.
    let all: Vec<_> = first.into_iter().chain([later]).collect();
    assert!(all_stored(&again.deliver(&pc.batch(&all)).await));
    assert_eq!(again.punches().await.len(), 11);
}

/// The signed log of a restored server forks from what PCs have receipts of: its next entry says why.
#[tokio::test]
async fn the_first_entry_of_each_contract_after_a_restore_says_what_was_restored() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    deliver_logons(&server, &mut pc, 5).await;
    let other = NewContract {
        code: mngntime_model::ContractCode::new("other").unwrap(),
        name: "other".into(),
        key: KeyHash::of("another-key"),
    };
    server.app.store.create_contract(other, server.act()).await.unwrap();
    let sign = |server: &Server| {
        let app = server.app.clone();
        async move { app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await.unwrap() }
    };
    sign(&server).await;
    let head = server.app.store.newest_head(server.contract).await.unwrap().unwrap().tree;
    let (backup, _) = make(data(&server), &scratch.path().join("backup"), NOW).unwrap();
    let target = scratch.path().join("data");
    restore(&backup, &target, mngntime_model::UtcMillis(NOW.0 + support::DAY_MS)).unwrap();

    let database = rusqlite::Connection::open(target.join("mngntime.db")).unwrap();
    let before: i64 = rusqlite::Connection::open(backup.join("mngntime.db"))
        .unwrap()
        .query_row("SELECT max(id) FROM audit", [], |row| row.get(0))
        .unwrap();
    let sql = "SELECT coalesce(c.code, '-'), a.action, a.detail FROM audit a
        LEFT JOIN contracts c ON c.id = a.contract_id WHERE a.id > ?1 ORDER BY a.id";
    let entries: Vec<(String, String, serde_json::Value)> = database
        .prepare(sql)
        .unwrap()
        .query_map([before], |row| {
            let detail: String = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, serde_json::from_str(&detail).unwrap()))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let codes: Vec<&str> = entries.iter().map(|(code, _, _)| code.as_str()).collect();
    assert_eq!(codes, ["-", "demo", "other"]);
    assert!(entries.iter().all(|(_, action, detail)| {
        action == "restored_from_backup" && detail["backup_made_at"] == NOW.0
    }));
    let (tree, none) = (&entries[1].2, &entries[2].2);
    assert_eq!((&tree["month"], &tree["size"]), (&head.month.into(), &head.size.into()));
    assert_eq!(tree["root"], head.root.to_string());
    assert!(none.get("root").is_some(), "its creation was signed: {none}");
    drop(database);
    // The entry is a leaf, and the log goes on behind it.
    let again = Server::on(SqliteStore::open(&target).unwrap(), server.contract);
    sign(&again).await;
    let next = again.app.store.newest_head(server.contract).await.unwrap().unwrap().tree;
    assert_eq!(next.size, head.size + 1);
}

/// It is about nobody, and whoever holds the pack against receipts of before needs it.
#[tokio::test]
async fn a_pack_about_somebody_tells_of_a_restore_too() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    deliver_logons(&server, &mut pc, 5).await;
    link_hanako(&server).await;
    let (backup, _) = make(data(&server), &scratch.path().join("backup"), NOW).unwrap();
    let target = scratch.path().join("data");
    restore(&backup, &target, NOW).unwrap();
    let again = Server::on(SqliteStore::open(&target).unwrap(), server.contract);
    for (server, restores) in [(&server, 0), (&again, 1)] {
        let app = &server.app;
        app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await.unwrap();
        let request = Request {
            contract: app.store.contract("demo").await.unwrap().unwrap(),
            employee: Some("E1".into()),
            dates: Some((jiff::civil::date(2026, 11, 23), jiff::civil::date(2026, 11, 23))),
            server_key: app.key.public().to_string(),
            made_at: app.now(),
            day_boundary_minutes: 300,
        };
        let mut out = Vec::new();
        let written = Writer::new(&*app.store, &request, &mut out).await.unwrap().write().await.unwrap();
        assert_eq!((written.report.faults, written.report.events), (vec![], 5));
        let record = String::from_utf8(out).unwrap();
        assert_eq!(record.matches(r#"\"action\":\"restored_from_backup\""#).count(), restores, "{record}");
        assert!(!record.contains("create_contract"), "of what is about nobody only that: {record}");
    }
}

/// Every byte of the small files, and bytes all over the database: header, tables, indices, unused pages.
#[tokio::test]
async fn a_flipped_bit_anywhere_is_found() {
    let scratch = tempfile::tempdir().unwrap();
    let (_server, backup) = backed_up(scratch.path()).await;
    let mut flips = 0;
    for name in SUMMED.iter().chain(&[SUMS_FILE]) {
        let path = backup.join(name);
        let whole = std::fs::read(&path).unwrap();
        let step = (whole.len() / 400).max(1);
        for position in (0..whole.len()).step_by(step) {
            let mut flipped = whole.clone();
            flipped[position] ^= 1 << (flips % 8);
            std::fs::write(&path, flipped).unwrap();
            assert!(verify(&backup).is_err(), "byte {position} of {name}");
            flips += 1;
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(verify(&backup).is_err(), "{name} without its last byte");
        std::fs::write(&path, [&whole[..], b"\0"].concat()).unwrap();
        assert!(verify(&backup).is_err(), "{name} with one byte more");
        std::fs::write(&path, whole).unwrap();
    }
    assert!(flips > 1000, "{flips} bits flipped");
    println!("{flips} bits flipped, each found");
    verify(&backup).unwrap();
}

/// Somebody who alters a backup and makes its digests anew is found by what the rows say of each other.
#[tokio::test]
async fn an_altered_backup_with_new_digests_is_found_where_it_contradicts_itself() {
    let scratch = tempfile::tempdir().unwrap();
    let (_server, backup) = backed_up(scratch.path()).await;
    let whole = |name: &str| std::fs::read(backup.join(name)).unwrap();
    let (database, manifest, key) = (whole("mngntime.db"), whole("manifest.json"), whole("server-key"));
    let alter = |sql: &str| {
        std::fs::write(backup.join("mngntime.db"), &database).unwrap();
        let connection = rusqlite::Connection::open(backup.join("mngntime.db")).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = 0").unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        sum_anew(&backup);
        verify(&backup).unwrap_err()
    };
    let told = alter(
        "DROP TRIGGER events_are_not_changed; UPDATE events SET json = replace(json, 'hanako', 'taro01')",
    );
    assert!(matches!(told, VerifyError::Database(_)), "{told}");
    let told =
        alter("DROP TRIGGER events_are_not_deleted; DELETE FROM punches; DELETE FROM events WHERE seq = 20");
    assert!(matches!(told, VerifyError::Database(_)), "its place in the log leads nowhere: {told}");
    let told = alter("DROP TRIGGER audit_is_not_changed; UPDATE audit SET by_whom = 'nobody' WHERE id = 1");
    assert!(matches!(told, VerifyError::Database(Fault::Entry { number: 1, .. })), "{told}");
    let told = alter(
        "DROP TRIGGER events_are_not_deleted; DROP TRIGGER log_leaves_are_not_deleted; DELETE FROM punches;
         DELETE FROM receipts; DELETE FROM log_leaves WHERE seq = 20; DELETE FROM events WHERE seq = 20",
    );
    assert!(matches!(&told, VerifyError::Counts { counted: 20, found: 19, .. }), "{told}");
    std::fs::write(backup.join("mngntime.db"), &database).unwrap();
    std::fs::write(backup.join("server-key"), [7; 32]).unwrap();
    sum_anew(&backup);
    assert!(matches!(verify(&backup), Err(VerifyError::OtherKey { .. })));
    std::fs::write(backup.join("server-key"), &key).unwrap();
    let newer = String::from_utf8(manifest).unwrap().replace("\"format\": 1", "\"format\": 2");
    std::fs::write(backup.join("manifest.json"), newer).unwrap();
    sum_anew(&backup);
    assert!(matches!(verify(&backup), Err(VerifyError::Newer { found: 2, .. })));
}

fn sum_anew(backup: &Path) {
    let output = Command::new("sha256sum").args(SUMMED).current_dir(backup).output().unwrap();
    std::fs::write(backup.join(SUMS_FILE), output.stdout).unwrap();
}

#[tokio::test]
async fn sha256sum_reads_the_digests_and_an_added_file_is_seen() {
    let scratch = tempfile::tempdir().unwrap();
    let (_server, backup) = backed_up(scratch.path()).await;
    let checked = Command::new("sha256sum")
        .args(["--strict", "--check", SUMS_FILE])
        .current_dir(&backup)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    for name in names(&backup) {
        assert_eq!(std::fs::metadata(backup.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(backup.join("mngntime.db-wal"), "x").unwrap();
    assert!(matches!(verify(&backup), Err(VerifyError::Foreign { .. })));
}

/// A backup that ends at any of its steps leaves nothing that looks like one, and the next removes what is left.
#[tokio::test]
async fn a_backup_that_was_cut_off_is_none_and_the_next_removes_it() {
    let scratch = tempfile::tempdir().unwrap();
    let (server, backup) = backed_up(scratch.path()).await;
    let leftover = scratch.path().join(format!("old{UNFINISHED}"));
    std::fs::create_dir(&leftover).unwrap();
    std::fs::copy(backup.join("mngntime.db"), leftover.join("mngntime.db")).unwrap();
    assert!(matches!(verify(&leftover), Err(VerifyError::NoBackup { .. })));
    // One that somebody is writing is not touched.
    let busy = scratch.path().join(format!("busy{UNFINISHED}"));
    std::fs::create_dir(&busy).unwrap();
    let lock = std::fs::File::open(&busy).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    make(data(&server), &scratch.path().join("next"), NOW).unwrap();
    let left: BTreeSet<_> = names(scratch.path()).into_iter().collect();
    assert_eq!(left, BTreeSet::from(["backup".into(), "next".into(), format!("busy{UNFINISHED}")]));
}

#[tokio::test]
async fn a_damaged_source_makes_no_backup() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    deliver_logons(&server, &mut pc, 20).await;
    let connection = rusqlite::Connection::open(data(&server).join("mngntime.db")).unwrap();
    connection
        .execute_batch("DROP TRIGGER events_are_not_changed; UPDATE events SET json = '{}' WHERE seq = 3")
        .unwrap();
    let error = make(data(&server), &scratch.path().join("backup"), NOW).unwrap_err();
    assert!(error.to_string().contains("does not stand the check"), "{error}");
    assert_eq!(names(scratch.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_restore_writes_over_nothing_and_one_that_was_cut_off_is_not_used() {
    let scratch = tempfile::tempdir().unwrap();
    let (server, backup) = backed_up(scratch.path()).await;
    assert!(restore(&backup, data(&server), NOW).unwrap_err().to_string().contains("is not empty"));
    let damaged = std::fs::read(backup.join("mngntime.db")).unwrap();
    std::fs::write(backup.join("mngntime.db"), &damaged[..damaged.len() - 1]).unwrap();
    let target = scratch.path().join("data");
    let error = restore(&backup, &target, NOW).unwrap_err();
    assert!(error.to_string().contains("cannot be restored"), "{error}");
    assert!(!target.exists(), "nothing was made");
    std::fs::write(backup.join("mngntime.db"), damaged).unwrap();
    // A fresh file system has this.
    std::fs::create_dir_all(target.join("lost+found")).unwrap();
    restore(&backup, &target, NOW).unwrap();

    std::fs::write(target.join(MARKER), "").unwrap();
    let data = target.to_str().unwrap();
    for arguments in [
        vec!["up", "--listen", "127.0.0.1:0", "--data", data],
        vec!["punches", "--data", data],
        vec!["contract", "create", "--data", data, "--code", "x", "--name", "x"],
        vec!["backup", "--data", data, "--out", scratch.path().to_str().unwrap()],
    ] {
        let output = run(&arguments);
        assert!(
            !output.status.success() && text(&output.stderr).contains("cut off"),
            "{}",
            text(&output.stderr)
        );
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mngntime")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_commands_say_what_they_did_and_what_comes_next() {
    let scratch = tempfile::tempdir().unwrap();
    let (server, _) = backed_up(scratch.path()).await;
    let (out, new) = (scratch.path().join("all"), scratch.path().join("new"));
    std::fs::create_dir(&out).unwrap();
    let (data, out, new) = (data(&server).to_str().unwrap(), out.to_str().unwrap(), new.to_str().unwrap());
    let made = run(&["backup", "--language", "en", "--data", data, "--out", out]);
    assert!(
        made.status.success() && text(&made.stderr).contains("can forge receipts"),
        "{}",
        text(&made.stderr)
    );
    let line = text(&made.stdout);
    let path = line.strip_prefix("backup=").unwrap().split(' ').next().unwrap();
    assert!(path.starts_with(&format!("{out}/mngntime-20")) && line.contains(" events=20 "), "{line}");
    let verified = run(&["backup", "--verify", path]);
    assert!(
        verified.status.success() && text(&verified.stdout).contains(" events=20 "),
        "{}",
        text(&verified.stderr)
    );
    let restored = run(&["restore", "--language", "en", "--from", path, "--data", new]);
    assert!(
        restored.status.success() && text(&restored.stderr).contains("mngntime serve"),
        "{}",
        text(&restored.stderr)
    );
    std::fs::set_permissions(Path::new(path).join("server-key"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    let open = run(&["backup", "--verify", path]);
    assert!(open.status.success() && text(&open.stderr).contains("chmod"), "{}", text(&open.stderr));
}

#[tokio::test]
async fn wrong_use_says_what_to_do_and_ends_with_2() {
    let scratch = tempfile::tempdir().unwrap();
    let (server, backup) = backed_up(scratch.path()).await;
    let (data, backup) = (data(&server).to_str().unwrap(), backup.to_str().unwrap());
    let empty = scratch.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    for (arguments, hint) in [
        (vec!["backup"], "--data"),
        (vec!["backup", "--data", data], "--out"),
        (vec!["backup", "--data", data, "--verify", backup], "cannot be used with"),
        (vec!["backup", "--data", empty, "--out", "x"], "is no data directory"),
        (vec!["backup", "--data", data, "--out", backup], "never written over"),
        (vec!["backup", "--verify", empty], "is no backup"),
        (vec!["backup", "--verify", data], "is no backup"),
        (vec!["restore", "--from", empty, "--data", "x"], "is no backup"),
        (vec!["restore", "--from", backup, "--data", data], "is not empty"),
        (vec!["restore", "--from", backup], "--data"),
    ] {
        let output = run(&[&arguments[..], &["--language", "en"]].concat());
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(hint), "{arguments:?}: {told}");
    }
    assert!(!Path::new("x").exists(), "nothing is made for what is no backup");
    for (arguments, hint) in [
        (vec!["backup", "--data", empty, "--out", "x"], "データフォルダーではありません"),
        (vec!["backup", "--verify", empty], "バックアップではありません"),
        (vec!["restore", "--from", backup, "--data", data], "空ではありません"),
    ] {
        let program = env!("CARGO_BIN_EXE_mngntime");
        let of_locale =
            |locale: &str| Command::new(program).args(&arguments).env("LC_ALL", locale).output().unwrap();
        for output in [run(&[&arguments[..], &["--language", "ja"]].concat()), of_locale("ja_JP.UTF-8")] {
            assert_eq!(output.status.code(), Some(2));
            assert!(text(&output.stderr).contains(hint), "{arguments:?}: {}", text(&output.stderr));
        }
        let told = text(&of_locale("C").stderr);
        assert!(told.is_ascii(), "{arguments:?}: {told}");
    }
    let nowhere = run(&["backup", "--data", data, "--out", "/proc/none/x"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(&nowhere.stderr).contains("/proc/none"), "{}", text(&nowhere.stderr));
}

async fn link_hanako(server: &Server) {
    let store = &server.app.store;
    let account = store.list_accounts(server.contract.into(), AccountFilter::All, 9).await.unwrap()[0].id;
    let employee = NewEmployee::named("E1", "花子");
    let employee = EmployeeChoice::New(employee);
    let request = LinkRequest { account, employee, from: jiff::civil::date(2026, 1, 1), to: None };
    store.link_accounts(server.contract, vec![request], server.act()).await.unwrap();
}

/// Restores `backup` to `target` and changes the database there, without its guards.
fn restore_changed(backup: &Path, target: &Path, change: &str) {
    let _ = std::fs::remove_dir_all(target);
    restore(backup, target, NOW).unwrap();
    let database = rusqlite::Connection::open(target.join("mngntime.db")).unwrap();
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> = database
        .prepare(triggers)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    triggers.iter().for_each(|name| database.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
    database.execute_batch(change).unwrap();
}

/// Says in a backup that its event 7 had waited, and makes the digests of its files anew.
fn resend_in(backup: &Path) {
    let database = rusqlite::Connection::open(backup.join("mngntime.db")).unwrap();
    let change = "DROP TRIGGER events_are_not_changed; UPDATE events SET resent = 1 WHERE seq = 7";
    database.execute_batch(change).unwrap();
    drop(database);
    sum_anew(backup);
}

/// Changes that a row of its own shows, with the words of the refusal.
const CONTRADICTIONS: &[(&str, &str)] = &[
    ("UPDATE events SET received_at = received_at - 1000 WHERE seq = 7", "event 7 of terminal"),
    ("UPDATE events SET resent = 1 WHERE seq = 7", "event 7 of terminal"),
    ("UPDATE events SET clock_offset_ms = 5 WHERE seq = 21", "event 21 of terminal"),
    ("UPDATE log_hashes SET hash = zeroblob(32) WHERE place = 2", "the hashes of the log"),
    ("DELETE FROM log_hashes WHERE place = 2", "the hashes of the log"),
    ("DELETE FROM log_hashes WHERE month = '2026-12'", "the hashes of the log"),
    ("DELETE FROM log_leaves WHERE seq = 7", "no longer tells of it"),
    ("DELETE FROM log_leaves WHERE seq = 22", "no longer tells of it"),
    ("DELETE FROM log_heads WHERE month = '2026-12'", "a head of the log"),
    ("DELETE FROM log_heads WHERE month = '2026-11' AND closed", "a head of the log"),
    (
        "DELETE FROM log_heads WHERE month = '2026-11' AND NOT closed",
        "heads of the log are gone: of 2026-11, 3 were signed, and 1 are there",
    ),
    (
        "DELETE FROM log_heads WHERE size = (SELECT min(size) FROM log_heads b WHERE b.month = '2026-12')",
        "heads of the log are gone: of 2026-12, 2 were signed, and 1 are there",
    ),
    (
        "UPDATE log_heads SET envelope = (SELECT envelope FROM log_heads b WHERE b.month = '2026-12')",
        "the head of the log at size",
    ),
    ("UPDATE log_heads SET root = zeroblob(32) WHERE month = '2026-12'", "the head of the log at size"),
    ("UPDATE log_heads SET signed_at = signed_at + 1 WHERE month = '2026-12'", "the head of the log at size"),
    (
        "UPDATE terminals SET public_key = 'GX9rI+FshTLGq8g4+s1ep4m+DHaykgM0A5v6iz02jWE='",
        "what the database says of terminal",
    ),
    ("UPDATE terminals SET host_name = 'PC-9999'", "what the database says of terminal"),
    ("UPDATE account_links SET to_date = '2026-11-30'", "what the database says of link"),
    ("DELETE FROM account_links", "what the database says of link"),
];

/// What a server has that somebody with the file and a SQL shell changed after its heads were signed, in a way in which
/// every digest beside it still holds.
#[tokio::test]
async fn a_database_that_contradicts_its_signed_heads_makes_no_backup() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let sign = || server.app.log_heads.sign_all(&*server.app.store, &server.app.key, || server.app.now());
    for _ in 0..2 {
        deliver_logons(&server, &mut pc, 10).await;
        sign().await.unwrap();
    }
    server.pass(10 * support::DAY_MS);
    deliver_logons(&server, &mut pc, 1).await;
    sign().await.unwrap();
    link_hanako(&server).await;
    sign().await.unwrap();
    // Not signed yet: that is no contradiction.
    deliver_logons(&server, &mut pc, 1).await;
    let (backup, _) = make(data(&server), &scratch.path().join("backup"), NOW).unwrap();
    let other = r#"{"an":"other event"}"#;
    let digest = data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(other));
    let event = format!("UPDATE events SET json = '{other}', hash = x'{digest}' WHERE seq = 7");
    let swap = |table: &str, column: &str, one: u64, other: u64| {
        format!(
            "UPDATE {table} SET {column} = -1 WHERE {column} = {one} AND month = '2026-11';
             UPDATE {table} SET {column} = {one} WHERE {column} = {other} AND month = '2026-11';
             UPDATE {table} SET {column} = {other} WHERE {column} = -1 AND month = '2026-11'"
        )
    };
    let made_here =
        [(event.as_str(), "event 7 of terminal"), (&swap("log_leaves", "leaf", 10, 11), "event ")];
    for (change, words) in made_here.iter().chain(CONTRADICTIONS) {
        let changed = scratch.path().join("changed");
        restore_changed(&backup, &changed, change);
        let made = make(&changed, &scratch.path().join("next"), NOW);
        let Err(refused) = made else { panic!("{change}: {made:?}") };
        let said = format!("{:#}", anyhow::Error::from(refused));
        assert!(said.contains(words) && said.contains("keep a copy"), "{change}: {said}");
    }
    // With the digests made anew it is no backup that anybody restores, either.
    resend_in(&backup);
    let refused = verify(&backup).unwrap_err();
    assert!(matches!(refused, VerifyError::Database(Fault::Log { .. })), "{refused}");
}
