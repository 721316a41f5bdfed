//! The log as terminals and outsiders see it: places in receipts, signed heads, and a database that was changed.

use crate::support::{DAY_MS, Pc, Server};
use mngntime_model::ContractCode;
use mngntime_server::log_heads::{LogHeads, SigningError};
use mngntime_server::metrics::Metrics;
use mngntime_store::{KeyHash, LogFault, LogLook, NewContract};
use mngntime_wire::{Context, LogHead, LogPlace, Signed};

impl Server {
    async fn try_sign(&self) -> Result<(), SigningError> {
        self.app.log_heads.sign_all(&*self.app.store, &self.app.key, || self.app.now()).await
    }

    /// The newest head, its signature checked.
    async fn head(&self) -> LogHead {
        let head = self.app.store.newest_head(self.contract).await.unwrap().expect("a head");
        let envelope = Signed::parse(head.envelope.as_bytes()).unwrap();
        envelope.check(Context::LogHead, &self.app.key.public()).unwrap();
        envelope.peek().unwrap()
    }
}

#[tokio::test]
async fn a_receipt_tells_the_place_and_the_newest_signed_tree() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon("hanako"), pc.logon("taro")];
    let receipt = server.deliver(&pc.batch(&events)).await;
    // The first leaves: the contract, its administrator, the terminal.
    let place = |n: u64| Some(LogPlace { month: "2026-11".into(), leaf: 3 + n });
    assert_eq!([&receipt.items[0].log, &receipt.items[1].log], [&place(0), &place(1)]);
    assert_eq!(receipt.log, None, "nothing was signed yet");

    server.try_sign().await.unwrap();
    let head = server.head().await;
    assert_eq!((head.contract.as_str(), head.tree.size, head.closed), ("demo", 5, false));
    let again = server.deliver(&pc.batch_with(&events, true)).await;
    assert_eq!((again.items, again.log), (receipt.items, Some(head.tree)));
}

#[tokio::test]
async fn a_server_that_was_started_again_tells_what_it_had_signed() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    server.deliver(&pc.batch(&[event])).await;
    server.try_sign().await.unwrap();
    let heads = LogHeads::default();
    heads.load(&*server.app.store).await.unwrap();
    assert_eq!(heads.newest(server.contract), Some(server.head().await.tree));
}

#[tokio::test]
async fn a_month_names_the_last_tree_of_the_month_before() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    server.deliver(&pc.batch(&[event])).await;
    server.try_sign().await.unwrap();
    let november = server.head().await.tree;
    server.pass(8 * DAY_MS);
    let event = pc.logon("hanako");
    server.deliver(&pc.batch(&[event])).await;
    server.try_sign().await.unwrap();
    let december = server.head().await;
    assert_eq!((december.tree.month.as_str(), december.previous), ("2026-12", Some(november)));
}

#[tokio::test]
async fn a_database_that_was_changed_is_not_signed_and_is_reported() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon("hanako"), pc.logon("taro")];
    server.deliver(&pc.batch(&events)).await;
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    let change = "DROP TRIGGER events_are_not_changed;
                  UPDATE events SET json = replace(json, 'taro', 'jiro') WHERE seq = 2";
    database.execute_batch(change).unwrap();
    let refused = server.try_sign().await;
    let Err(SigningError::Broken { fault: LogFault::ChangedEvent { sequence: 2, .. }, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(server.app.store.newest_head(server.contract).await.unwrap().is_none());
    mngntime_server::jobs::round(&server.app).await;
    let metrics: &Metrics = &server.app.metrics;
    assert!(metrics.page().unwrap().contains("mngntime_broken_log 1"));
}

#[tokio::test]
async fn a_job_that_failed_in_its_last_round_is_a_warning_until_it_works_again() {
    let server = Server::start().await;
    let health = async || server.get("/healthz").await.body;
    mngntime_server::jobs::round(&server.app).await;
    assert!(!health().await.contains("job_failed"));
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database.execute_batch("ALTER TABLE storage_sizes RENAME TO elsewhere").unwrap();
    for _ in 0..2 {
        mngntime_server::jobs::round(&server.app).await;
        let told = health().await;
        assert!(told.contains("job_failed") && told.contains("keep what is kept by days"), "{told}");
    }
    database.execute_batch("ALTER TABLE elsewhere RENAME TO storage_sizes").unwrap();
    mngntime_server::jobs::round(&server.app).await;
    assert!(!health().await.contains("job_failed"));
}

#[tokio::test]
async fn a_clock_that_was_ahead_is_told_and_recording_goes_on() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let ahead = |server: &Server| -> Vec<String> {
        server.app.log_heads.ahead_of(server.app.now()).into_iter().map(|found| found.month).collect()
    };
    let event = pc.logon("hanako");
    server.deliver(&pc.batch(&[event])).await;
    mngntime_server::jobs::round(&server.app).await;
    assert_eq!(ahead(&server), [""; 0]);
    assert!(!server.get("/healthz").await.body.contains("warnings"));

    // A battery-backed clock says 2031 for a while.
    let years = 4 * 365 * DAY_MS + 60 * DAY_MS;
    server.pass(years);
    pc.wall = server.app.now();
    let event = pc.logon("taro");
    let receipt = server.deliver(&pc.batch(&[event])).await;
    let month = |receipt: &mngntime_wire::Receipt| receipt.items[0].log.clone().unwrap().month;
    assert_eq!(month(&receipt), "2031-01");
    mngntime_server::jobs::round(&server.app).await;
    assert_eq!(ahead(&server), [""; 0], "the clock itself says so");

    server.pass(-years);
    pc.wall = server.app.now();
    let event = pc.logon("jiro");
    let receipt = server.deliver(&pc.batch(&[event])).await;
    assert_eq!((month(&receipt).as_str(), receipt.items[0].stored), ("2031-01", true), "order comes first");
    assert_eq!(server.app.log_heads.newly_ahead_of(server.app.now()).len(), 1);
    assert_eq!(server.app.log_heads.newly_ahead_of(server.app.now()), [], "told once");
    mngntime_server::jobs::round(&server.app).await;
    assert_eq!(ahead(&server), ["2031-01"]);
    assert!(server.app.metrics.page().unwrap().contains("mngntime_log_ahead_of_clock 1"));
    let health = server.get("/healthz").await;
    assert_eq!(health.status, axum::http::StatusCode::OK, "it works all the same");
    for word in ["log_ahead_of_clock", "2031-01", "Check the clock"] {
        assert!(health.body.contains(word), "{}", health.body);
    }
    // The day before that month begins, a clock that is a little wrong is no news any more.
    server.pass(years);
    mngntime_server::jobs::round(&server.app).await;
    assert!(server.app.metrics.page().unwrap().contains("mngntime_log_ahead_of_clock 0"));
}

#[tokio::test]
async fn an_entry_of_the_audit_log_that_was_changed_is_not_signed_and_is_named() {
    let server = Server::start().await;
    let _pc = Pc::enrolled(&server, 1).await;
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    let change = "DROP TRIGGER audit_is_not_changed;
                  UPDATE audit SET detail = replace(detail, 'public_key', 'other_key') WHERE id = 3";
    database.execute_batch(change).unwrap();
    let refused = server.try_sign().await;
    let Err(SigningError::Broken { fault: LogFault::ChangedEntry { number: 3 }, .. }) = refused else {
        panic!("{refused:?}");
    };
}

/// A head that is gone is no mishap of the database that passes by itself.
#[tokio::test]
async fn a_head_that_was_removed_stops_the_log_and_is_told() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    server.deliver(&pc.batch(&[event])).await;
    mngntime_server::jobs::round(&server.app).await;
    assert!(server.app.metrics.page().unwrap().contains("mngntime_broken_log 0"));
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database.execute_batch("DROP TRIGGER log_heads_are_not_deleted; DELETE FROM log_heads").unwrap();
    let refused = server.try_sign().await;
    let Err(SigningError::Broken { fault: LogFault::MissingHead { size: 0 }, .. }) = refused else {
        panic!("{refused:?}");
    };
    mngntime_server::jobs::round(&server.app).await;
    assert!(server.app.metrics.page().unwrap().contains("mngntime_broken_log 1"));
    let health = server.get("/healthz").await;
    assert_eq!(health.status, axum::http::StatusCode::OK, "events are taken in all the same");
    assert!(health.body.contains("log_broken") && health.body.contains("backup"), "{}", health.body);
}

/// As somebody does who leaves only the newest one, or takes one out from among them.
#[tokio::test]
async fn heads_that_were_removed_from_before_others_stop_the_log_at_the_next_start_and_every_export() {
    for gone in ["size < (SELECT max(size) FROM log_heads)", "size = 5"] {
        let server = Server::start().await;
        let mut pc = Pc::enrolled(&server, 1).await;
        for size in 4..=6 {
            let event = pc.logon("hanako");
            server.deliver(&pc.batch(&[event])).await;
            server.try_sign().await.unwrap();
            let head = server.head().await;
            assert_eq!((head.tree.size, head.heads), (size, Some(size - 3)));
        }
        let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
        let remove = format!("DROP TRIGGER log_heads_are_not_deleted; DELETE FROM log_heads WHERE {gone}");
        database.execute_batch(&remove).unwrap();
        let started_again = LogHeads::default();
        let refused = started_again.sign_all(&*server.app.store, &server.app.key, || server.app.now()).await;
        let fault = refused.as_ref().err().and_then(SigningError::fault);
        assert!(matches!(fault, Some(LogFault::MissingHeads { told: 3, .. })), "{refused:?}");
        let found = server.app.store.log_gap(server.contract, LogLook::Receipts).await.unwrap();
        assert!(matches!(found, Some(LogFault::MissingHeads { told: 3, .. })), "{found:?}");
    }
}

fn other_contract() -> NewContract {
    let code = ContractCode::new("other").unwrap();
    NewContract { code, name: "other".into(), key: KeyHash::of("another-key") }
}

/// The newest event of each terminal is looked at in every round, everything in the first one.
#[tokio::test]
async fn leaves_that_were_removed_stop_the_log_in_the_next_round_or_at_the_next_start() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon("hanako"), pc.logon("taro")];
    server.deliver(&pc.batch(&events)).await;
    server.try_sign().await.unwrap();
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database
        .execute_batch("DROP TRIGGER log_leaves_are_not_deleted; DELETE FROM log_leaves WHERE seq = 1")
        .unwrap();
    let started_again = LogHeads::default();
    let refused = started_again.sign_all(&*server.app.store, &server.app.key, || server.app.now()).await;
    let fault = refused.as_ref().err().and_then(SigningError::fault);
    assert!(matches!(fault, Some(LogFault::UnplacedEvent { sequence: 1, .. })), "{refused:?}");
    // Another contract's packs can be made all the same.
    let made = server.app.store.create_contract(other_contract(), server.act()).await.unwrap();
    let contracts = server.app.store.list_contracts().await.unwrap();
    for contract in contracts {
        let (key, store) = (&server.app.key, &*server.app.store);
        let signed = started_again.sign_contract(store, key, || server.app.now(), &contract).await;
        assert_eq!(signed.is_ok(), contract.id == made, "{signed:?}");
    }
    // Everything is looked at once: what was found stays until the next start, which mending needs anyway.
    database
        .execute_batch(
            "INSERT INTO log_leaves (contract_id, month, leaf, terminal_id, seq)
             SELECT contract_id, month, leaf - 1, terminal_id, 1 FROM log_leaves WHERE seq = 2",
        )
        .unwrap();
    let app = &server.app;
    let sign = |heads: LogHeads| async move {
        let refused = heads.sign_all(&*app.store, &app.key, || app.now()).await;
        (refused.err().and_then(|error| error.fault().cloned()), heads)
    };
    let (found, _) = sign(started_again).await;
    assert!(matches!(found, Some(LogFault::UnplacedEvent { sequence: 1, .. })), "{found:?}");
    assert_eq!(sign(LogHeads::default()).await.0, None);
    database.execute_batch("DELETE FROM log_leaves WHERE seq = 2").unwrap();
    let refused = server.try_sign().await;
    let fault = refused.as_ref().err().and_then(SigningError::fault);
    assert!(matches!(fault, Some(LogFault::UnplacedEvent { sequence: 2, .. })), "{refused:?}");
}
