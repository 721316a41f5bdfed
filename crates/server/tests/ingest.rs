//! What terminals send, through the real router: every row of the list of bad input, and the promises of a
//! receipt.

use std::pin::Pin;
use std::task::Poll;

use crate::support::{Answer, DAY_MS, ENROLLMENT_KEY, NOW, Pc, Server, all_stored, results, seal};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use mngntime_model::{Declared, EventKind, PunchResult, TerminalId, UtcMillis};
use mngntime_store::{ContractStatus, QuarantineReason, Quarantined, Standing, TerminalStatus};
use mngntime_wire::{Context, SecretKey, Signed, limits};

fn terminal(pc: &Pc) -> TerminalId {
    TerminalId::parse(&pc.terminal).unwrap()
}

#[tokio::test]
async fn a_batch_is_stored_and_its_receipt_tells_everything_an_agent_needs() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.event(EventKind::Boot, None, NOW), pc.logon("hanako")];
    server.pass(250);
    let receipt = server.deliver(&pc.batch(&events)).await;
    assert!(all_stored(&receipt));
    assert_eq!(results(&receipt), [None, Some(7)], "only punches are judged");
    assert_eq!(receipt.head, 2);
    assert_eq!(receipt.received_at, NOW.0 + 250);
    assert_eq!((receipt.contact_seconds, receipt.spread_seconds), (900, 0));
    assert_eq!(receipt.display_name, "MINAGINE");
    assert_eq!(receipt.items[1].hash, mngntime_ledger::Digest::of(events[1].as_bytes()).to_string());
    assert_eq!(server.punches().await.len(), 1);
}

#[tokio::test]
async fn an_empty_batch_is_a_sign_of_life() {
    let server = Server::start().await;
    let pc = Pc::enrolled(&server, 1).await;
    let receipt = server.deliver(&pc.batch(&[])).await;
    assert_eq!((receipt.refused, receipt.items.len(), receipt.head), (None, 0, 0));
    let found = server.app.store.terminal(server.contract, terminal(&pc)).await.unwrap().unwrap();
    assert_eq!(found.last_contact_at, Some(NOW));
}

#[tokio::test]
async fn the_bytes_that_came_are_the_bytes_that_are_kept() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let odd = pc.logon("hanako").replace("{\"v\":1,", "{ \"v\" : 1,\t\"future\":{\"b\":1,\"a\":2},");
    server.deliver(&pc.batch(std::slice::from_ref(&odd))).await;
    let detail = server.app.store.punch(server.contract.into(), terminal(&pc), 1).await.unwrap().unwrap();
    assert_eq!(detail.json, odd);
}

#[tokio::test]
async fn the_same_event_sent_again_is_one_row_for_ever() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon("hanako"), pc.event(EventKind::Logoff, Some("hanako"), NOW)];
    let first = server.deliver(&pc.batch(&events)).await;
    for resent in [true, false, true] {
        server.pass(1000);
        let again = server.deliver(&pc.batch_with(&events, resent)).await;
        assert_eq!(again.items, first.items);
    }
    let punches = server.punches().await;
    assert_eq!(punches.len(), 2);
    assert!(
        punches.iter().all(|punch| !punch.resent && punch.received_at == NOW),
        "the first receipt counts"
    );
    let detail = server.app.store.punch(server.contract.into(), terminal(&pc), 1).await.unwrap().unwrap();
    assert_eq!(detail.history.len(), 1, "nothing has changed, so nothing is added to its history");
}

#[tokio::test]
async fn reordered_overlapping_and_holed_batches_are_fine() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events: Vec<String> = (0..5).map(|_| pc.logon("hanako")).collect();
    let batch = |picked: &[usize]| pc.batch(&picked.iter().map(|n| events[*n].clone()).collect::<Vec<_>>());
    assert!(all_stored(&server.deliver(&batch(&[4, 2])).await));
    let receipt = server.deliver(&batch(&[2, 1, 1, 0])).await;
    assert!(all_stored(&receipt));
    assert_eq!(receipt.items.iter().map(|item| item.seq).collect::<Vec<_>>(), [3, 2, 2, 1]);
    assert_eq!(receipt.head, 5);
    assert!(all_stored(&server.deliver(&batch(&[3])).await));
    assert_eq!(server.punches().await.len(), 5);
}

#[tokio::test]
async fn other_bytes_under_a_taken_number_change_nothing_and_mark_the_terminal() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let honest = pc.logon("hanako");
    server.deliver(&pc.batch(std::slice::from_ref(&honest))).await;
    pc.forget_last();
    let other = pc.logon("taro");
    let receipt = server.deliver(&pc.batch(std::slice::from_ref(&other))).await;
    assert!(!receipt.items[0].stored);
    assert_eq!(results(&receipt), [Some(6)]);
    let detail = server.app.store.punch(server.contract.into(), terminal(&pc), 1).await.unwrap().unwrap();
    assert_eq!(detail.json, honest);
    assert!(detail.terminal.conflict);
    let kept = server.quarantined().await.newest;
    assert_eq!((kept[0].reason, &kept[0].body), (QuarantineReason::OtherBytes, &other.into_bytes()));
}

#[tokio::test]
async fn a_receipt_names_what_is_missing_until_it_comes_or_is_declared() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events: Vec<String> = (0..8).map(|_| pc.logon("hanako")).collect();
    let batch = |picked: &[usize]| pc.batch(&picked.iter().map(|n| events[*n].clone()).collect::<Vec<_>>());
    assert_eq!(server.deliver(&batch(&[0, 1])).await.missing, Vec::<[u64; 2]>::new());
    let receipt = server.deliver(&batch(&[4, 7])).await;
    assert_eq!((receipt.head, receipt.missing), (8, vec![[3, 4], [6, 7]]));
    assert_eq!(server.deliver(&batch(&[])).await.missing, [[3, 4], [6, 7]], "a sign of life hears it too");
    assert_eq!(server.deliver(&batch(&[2, 3])).await.missing, [[6, 7]]);
    let gap = pc.gap(Declared::NotHeld { first: 6, last: 7 });
    let receipt = server.deliver(&pc.batch(&[gap])).await;
    assert_eq!((receipt.head, receipt.missing), (9, vec![]));
    let refused = server.deliver(&Pc { contract: "other".into(), ..pc }.batch(&[])).await;
    assert_eq!((refused.refused, refused.head, refused.missing), (Some(5), 0, vec![]));
}

/// Two copies of one PC, each with its own OS run, each healing as the agent does.
#[tokio::test]
async fn what_two_copies_say_in_turns_marks_them_and_is_all_kept() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let first = pc.logon("hanako");
    server.deliver(&pc.batch(&[first])).await;
    let standing = async || {
        let found = server.app.store.terminal(server.contract, terminal(&pc)).await.unwrap().unwrap();
        (found.standing(), found.conflict, found.rollbacks)
    };
    let (mut one, mut other) = (pc.copy(1), Pc { boot: "boot-2".into(), ..pc.copy(1) });
    let event = one.logon("hanako");
    server.deliver(&one.batch(&[event])).await;
    server.pass(300_000);
    (one.biased_ms, other.biased_ms) = (360_000, 20_000);
    let event = other.logon("taro");
    let receipt = server.deliver(&other.batch(&[event])).await;
    assert!(!receipt.items[0].stored);
    assert_eq!(standing().await, (Standing::Conflict, true, 0));
    let events = [other.gap(Declared::RolledBack { first: 2, last: 2, after: 2 }), other.logon("taro")];
    assert!(all_stored(&server.deliver(&other.batch(&events)).await));
    assert_eq!(standing().await, (Standing::RolledBack, true, 1));
    server.pass(300_000);
    one.biased_ms += 300_000;
    one.sequence = 4;
    let events = [one.gap(Declared::RolledBack { first: 3, last: 4, after: 2 }), one.logon("hanako")];
    let receipt = server.deliver(&one.batch(&events)).await;
    assert!(all_stored(&receipt) && receipt.missing.is_empty());
    assert_eq!(standing().await, (Standing::Cloned, true, 2));
    assert_eq!(server.punches().await.len(), 4);
    mngntime_server::jobs::round(&server.app).await;
    let figures = server.get("/metrics").await.body;
    assert!(figures.contains("mngntime_terminal_standings{standing=\"cloned\"} 1"), "{figures}");
}

#[tokio::test]
async fn an_unknown_contract_goes_into_quarantine_with_res_5() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    pc.contract = "dmeo".into();
    let event = pc.logon("hanako");
    let batch = pc.batch(&[event]);
    let receipt = server.deliver(&batch).await;
    assert_eq!((receipt.refused, receipt.items.len()), (Some(5), 0));
    let report = server.quarantined().await;
    assert_eq!(report.newest[0].reason, QuarantineReason::UnknownContract);
    assert_eq!(report.newest[0].contract, "dmeo");
    assert_eq!(report.newest[0].body, batch.to_json().unwrap().into_bytes());
    assert!(server.punches().await.is_empty());
}

#[tokio::test]
async fn an_address_that_brings_much_does_not_fill_the_quarantine() {
    let server = Server::start().await;
    // Half of it is taken already.
    let entry = |number: usize| Quarantined {
        received_at: NOW,
        reason: QuarantineReason::UnknownContract,
        contract: format!("before {number}"),
        terminal: "t".into(),
        body: vec![1],
    };
    for hundreds in 0..5 {
        let some = (hundreds * 500..(hundreds + 1) * 500).map(|n| server.app.store.quarantine(entry(n)));
        futures_util::future::join_all(some).await;
    }
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    let kept = async || server.app.store.quarantine_report(0).await.unwrap().kept;
    let send = async |pc: &Pc, address: &str| {
        let peer = ConnectInfo(address.parse::<std::net::SocketAddr>().unwrap());
        let body = Body::from(pc.batch(std::slice::from_ref(&event)).to_json().unwrap());
        let request =
            Request::post("/api/v1/events").extension(peer).header("content-type", "application/json");
        assert_eq!(server.send(request.body(body).unwrap()).await.status, StatusCode::OK);
    };
    for number in 0..220 {
        pc.contract = format!("no-such-{number}");
        send(&pc, "192.0.2.1:1000").await;
    }
    let after = kept().await;
    assert!((2_700..=2_702).contains(&after), "{after}");
    send(&pc, "192.0.2.2:1000").await;
    assert_eq!(kept().await, after + 1, "others have room");
    send(&pc, "127.0.0.1:1000").await;
    assert_eq!(kept().await, after + 2, "a proxy here stands for everybody");
}

#[tokio::test]
async fn an_unknown_terminal_and_a_forged_signature_are_refused_with_res_6() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    let forged = seal(
        Context::Batch,
        &pc.unsigned(std::slice::from_ref(&event), false),
        &SecretKey::from_seed(&[99; 32]),
    );
    let wrong_purpose = seal(Context::Receipt, &pc.unsigned(std::slice::from_ref(&event), false), &*pc.key);
    let mut stranger = Pc::new(2);
    let strange = stranger.logon("taro");
    let unnamed = {
        stranger.terminal = "no uuid".into();
        stranger.batch(std::slice::from_ref(&strange))
    };
    stranger.terminal = Pc::new(2).terminal;
    for batch in [forged, wrong_purpose, stranger.batch(&[strange]), unnamed] {
        let receipt = server.deliver(&batch).await;
        assert_eq!((receipt.refused, receipt.items.len(), receipt.head), (Some(6), 0, 0));
    }
    let reasons: Vec<_> = server.quarantined().await.newest.into_iter().map(|entry| entry.reason).collect();
    let (unknown, wrong) = (QuarantineReason::UnknownTerminal, QuarantineReason::WrongSignature);
    assert_eq!(reasons, [unknown, unknown, wrong, wrong]);
    assert!(server.punches().await.is_empty(), "nothing is stored under the terminal's numbers");
    assert!(all_stored(&server.deliver(&pc.batch(&[event])).await), "and the number is still free");
}

#[tokio::test]
async fn a_touched_payload_is_a_forgery() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    let json = pc.batch(&[event]).to_json().unwrap().replace("hanako", "taro00");
    let receipt = server.deliver(&Signed::parse(json.as_bytes()).unwrap()).await;
    assert_eq!(receipt.refused, Some(6));
}

#[tokio::test]
async fn a_blocked_terminals_events_are_stored_and_accepted_once_it_is_unblocked() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let set = async |status| {
        let store = &server.app.store;
        store.set_terminal_status(server.contract, terminal(&pc), status, server.act()).await.unwrap()
    };
    set(TerminalStatus::Blocked).await;
    let event = pc.logon("hanako");
    let receipt = server.deliver(&pc.batch(std::slice::from_ref(&event))).await;
    assert!(all_stored(&receipt));
    assert_eq!(results(&receipt), [Some(6)]);
    let set = async |status| {
        let store = &server.app.store;
        store.set_terminal_status(server.contract, terminal(&pc), status, server.act()).await.unwrap()
    };
    assert_eq!(set(TerminalStatus::Active).await, 1, "its stored punch is judged again");
    assert_eq!(results(&server.deliver(&pc.batch_with(&[event], true)).await), [Some(7)]);
    assert_eq!(server.punches().await.len(), 1);
}

#[tokio::test]
async fn blocking_does_not_take_back_what_was_stored_before() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    server.deliver(&pc.batch(std::slice::from_ref(&event))).await;
    let blocked = TerminalStatus::Blocked;
    let changed = server.app.store.set_terminal_status(server.contract, terminal(&pc), blocked, server.act());
    assert_eq!(changed.await.unwrap(), 0);
    assert_eq!(results(&server.deliver(&pc.batch(&[event])).await), [Some(7)]);
}

#[tokio::test]
async fn a_suspended_contract_and_one_without_the_option_store_with_res_5() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    for (status, option) in [(ContractStatus::Suspended, true), (ContractStatus::Active, false)] {
        let store = &server.app.store;
        store.set_logon_punch_option(server.contract, option, server.act()).await.unwrap();
        store.set_contract_status(server.contract, status, server.act()).await.unwrap();
        let event = pc.logon("hanako");
        let receipt = server.deliver(&pc.batch(&[event])).await;
        assert!(all_stored(&receipt));
        assert_eq!(results(&receipt), [Some(5)]);
    }
    let lifted = server.app.store.set_logon_punch_option(server.contract, true, server.act());
    assert_eq!(lifted.await.unwrap(), 2, "both are judged again");
    assert!(server.punches().await.iter().all(|punch| punch.result == PunchResult::UserUnusable));
}

#[tokio::test]
async fn a_changed_makeup_asks_for_enrolment_and_enrolment_puts_it_right() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    pc.makeup = "makeup-2".into();
    let event = pc.logon("hanako");
    let receipt = server.deliver(&pc.batch(std::slice::from_ref(&event))).await;
    assert!(all_stored(&receipt));
    assert_eq!(results(&receipt), [Some(8)]);
    let again = server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await;
    assert_eq!(again.terminal.as_deref(), Some(pc.terminal.as_str()), "the same key is the same terminal");
    assert_eq!(server.punches().await[0].result, PunchResult::UserUnusable);
    assert_eq!(results(&server.deliver(&pc.batch_with(&[event], true)).await), [Some(7)]);
}

#[tokio::test]
async fn a_clock_a_year_off_or_absurd_is_kept_raw_with_its_offset() {
    let server = Server::start().await;
    for (seed, wall) in [(1, NOW.0 - 365 * DAY_MS), (2, NOW.0 + 365 * DAY_MS), (3, i64::MIN), (4, i64::MAX)] {
        let mut pc = Pc::enrolled(&server, seed).await;
        pc.wall = UtcMillis(wall);
        let event = pc.logon("hanako");
        let receipt = server.deliver(&pc.batch(&[event])).await;
        assert!(all_stored(&receipt));
        assert_eq!(receipt.received_at, NOW.0);
        let detail = server.app.store.punch(server.contract.into(), terminal(&pc), 1).await.unwrap().unwrap();
        // One that is more than a year off stands at the server's time, if how far it was off can be told.
        let is_placed = wall == i64::MAX;
        let expected = (if is_placed { NOW } else { UtcMillis(wall) }, is_placed.then_some(UtcMillis(wall)));
        assert_eq!((detail.punch.occurred_at, detail.punch.stamped_at), expected);
        assert!(detail.json.contains(&wall.to_string()), "its bytes are as they were");
        assert_eq!(detail.clock_offset_ms, NOW.0.saturating_sub(wall));
        assert_eq!(detail.terminal.clock_offset_ms, NOW.0.saturating_sub(wall));
    }
    assert_eq!(server.punches().await.len(), 4);
}

#[tokio::test]
async fn what_is_no_batch_is_a_problem_with_a_correlation_id() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let hundred_and_one: Vec<String> = (0..=limits::BATCH_EVENTS_MAX).map(|_| pc.logon("hanako")).collect();
    let newer = {
        let mut batch = pc.unsigned(&[], false);
        batch.v = 2;
        seal(Context::Batch, &batch, &*pc.key)
    };
    let long = {
        let mut batch = pc.unsigned(&[], false);
        batch.agent = "x".repeat(257);
        seal(Context::Batch, &batch, &*pc.key)
    };
    for (body, error) in [
        ("".to_owned(), "malformed_body"),
        ("[]".to_owned(), "malformed_body"),
        ("{\"payload\":{},\"signature\":\"\"}".to_owned(), "malformed_body"),
        ("\u{0}\u{1}".to_owned(), "malformed_body"),
        ("[".repeat(100_000), "malformed_body"),
        (pc.batch(&hundred_and_one).to_json().unwrap(), "too_many_events"),
        (newer.to_json().unwrap(), "unknown_version"),
        (long.to_json().unwrap(), "malformed_body"),
    ] {
        let answer = server.post("/api/v1/events", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.problem().error, error);
        assert!(!answer.problem().correlation.is_empty());
        assert_eq!(answer.headers["mngntime-server"], "1");
    }
}

#[tokio::test]
async fn a_signed_event_that_cannot_be_read_is_put_aside_and_nothing_of_the_batch_is_claimed() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let good = pc.logon("hanako");
    for bad in [
        pc.logon("taro").replace("\"logon\",\"evi", "\"telepathy\",\"evi"),
        pc.logon("taro").replacen("\"seq\":3", &format!("\"seq\":{}", u64::MAX), 1),
        "{\"v\":1}".to_owned(),
        "7".to_owned(),
    ] {
        let batch = pc.batch(&[good.clone(), bad]);
        let answer = server.post("/api/v1/events", batch.to_json().unwrap()).await;
        assert_eq!(
            (answer.status, answer.problem().error.as_str()),
            (StatusCode::BAD_REQUEST, "unreadable_event")
        );
        let newest = server.quarantined().await.newest.remove(0);
        assert_eq!(newest.reason, QuarantineReason::UnreadableEvent);
        assert_eq!(newest.body, batch.to_json().unwrap().into_bytes());
    }
    assert!(server.punches().await.is_empty());
}

#[tokio::test]
async fn media_type_size_method_and_path_are_checked() {
    let server = Server::start().await;
    let pc = Pc::enrolled(&server, 1).await;
    let body = pc.batch(&[]).to_json().unwrap();
    let with_type = |media: &str, body: Body| {
        Request::post("/api/v1/events").header("content-type", media).body(body).unwrap()
    };
    let status = async |request| {
        let answer = server.send(request).await;
        assert_eq!(answer.headers["mngntime-server"], "1");
        (answer.status.as_u16(), (answer.status != StatusCode::OK).then(|| answer.problem().error))
    };
    let is = |code: u16, error: &str| (code, Some(error.to_owned()));
    assert_eq!(status(with_type("text/plain", body.clone().into())).await, is(415, "unsupported_media_type"));
    assert_eq!(
        status(Request::post("/api/v1/events").body(body.clone().into()).unwrap()).await,
        is(415, "unsupported_media_type")
    );
    assert_eq!(status(with_type("Application/JSON; charset=utf-8", body.into())).await, (200, None));
    let large = vec![b' '; limits::BODY_BYTES_MAX + 1];
    assert_eq!(status(with_type("application/json", large.clone().into())).await, is(413, "body_too_large"));
    let unannounced = Body::from_stream(OnceFrame(Some(large)));
    assert_eq!(status(with_type("application/json", unannounced)).await, is(413, "body_too_large"));
    let full = vec![b' '; limits::BODY_BYTES_MAX];
    assert_eq!(status(with_type("application/json", full.into())).await, is(400, "malformed_body"));
    let get = Request::get("/api/v1/events").body(Body::empty()).unwrap();
    assert_eq!(status(get).await, is(405, "method_not_allowed"));
    let nowhere = Request::get("/api/v2/events").body(Body::empty()).unwrap();
    assert_eq!(status(nowhere).await, is(404, "not_found"));
}

/// A body that does not say how long it is.
struct OnceFrame(Option<Vec<u8>>);

impl futures_core::Stream for OnceFrame {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}

/// A body that goes on and never ends.
struct Unending(Option<Vec<u8>>);

impl futures_core::Stream for Unending {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.take().map_or(std::task::Poll::Pending, |bytes| std::task::Poll::Ready(Some(Ok(bytes))))
    }
}

/// Sends requests until one is answered at once; that answer, and the others, which are still on their way.
async fn until_answered<'a, R: Future<Output = Answer> + 'a>(
    request: impl Fn() -> R,
) -> (Answer, Vec<Pin<Box<dyn Future<Output = Answer> + 'a>>>) {
    let mut on_their_way: Vec<Pin<Box<dyn Future<Output = Answer> + 'a>>> = Vec::new();
    loop {
        let mut next = Box::pin(request());
        match futures_util::poll!(&mut next) {
            Poll::Ready(answer) => return (answer, on_their_way),
            Poll::Pending => on_their_way.push(next),
        }
    }
}

fn assert_overloaded(answer: &Answer) {
    let error = answer.problem().error;
    assert_eq!((answer.status, error.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
    assert_eq!(answer.headers["retry-after"], "5");
}

/// Requests that are on their way: of each `bytes` have come, and the rest does not.
async fn on_their_way(
    server: &Server,
    count: usize,
    bytes: usize,
) -> Vec<Pin<Box<dyn Future<Output = Answer> + '_>>> {
    let mut all: Vec<Pin<Box<dyn Future<Output = Answer> + '_>>> = Vec::new();
    for _ in 0..count {
        let body = Body::from_stream(Unending(Some(vec![b' '; bytes])));
        let mut request = Box::pin(server.post("/api/v1/events", body));
        assert!(futures_util::poll!(&mut request).is_pending());
        all.push(request);
    }
    all
}

#[tokio::test]
async fn before_memory_grows_bodies_are_refused_and_long_ones_keep_out_no_batch() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let long = on_their_way(&server, 20, limits::BODY_BYTES_MAX).await;
    assert_overloaded(&server.post("/api/v1/events", vec![b' '; limits::BODY_BYTES_MAX]).await);
    let event = pc.logon("hanako");
    assert!(all_stored(&server.deliver(&pc.batch(&[event])).await), "an ordinary batch");
    let ordinary = on_their_way(&server, 800, 64 * 1024).await;
    let event = pc.logon("hanako");
    let batch = pc.batch(&[event]);
    assert_overloaded(&server.post("/api/v1/events", batch.to_json().unwrap()).await);
    drop((long, ordinary));
    assert!(all_stored(&server.deliver(&batch).await), "who has gone takes no room");
}

#[tokio::test]
async fn what_finds_the_writers_queue_full_is_refused_and_stored_once_when_it_comes_again() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    server.deliver(&pc.batch(&[])).await;
    let event = pc.logon("hanako");
    let body = pc.batch(std::slice::from_ref(&event)).to_json().unwrap();
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (refused, waiting) = until_answered(|| server.post("/api/v1/events", body.clone())).await;
    assert_overloaded(&refused);
    assert!(waiting.len() >= 1024, "{} wait", waiting.len());
    database.execute_batch("ROLLBACK").unwrap();
    // Whoever hangs up has been heard all the same.
    drop(waiting);
    loop {
        let answer = server
            .post("/api/v1/events", pc.batch_with(std::slice::from_ref(&event), true).to_json().unwrap())
            .await;
        if answer.status == StatusCode::OK {
            break;
        }
        assert_overloaded(&answer);
    }
    assert_eq!(server.punches().await.len(), 1);
}

#[tokio::test]
async fn what_is_remembered_of_a_terminal_holds_whatever_becomes_of_it() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let store = &server.app.store;
    let id = terminal(&pc);
    let next = async |pc: &mut Pc| {
        let event = pc.logon("hanako");
        server.deliver(&pc.batch(&[event])).await
    };
    assert_eq!(results(&next(&mut pc).await), [Some(7)], "from here on it is remembered");
    for status in [TerminalStatus::Blocked, TerminalStatus::Retired] {
        store.set_terminal_status(server.contract, id, status, server.act()).await.unwrap();
        assert_eq!(results(&next(&mut pc).await), [Some(6)], "{status:?}");
    }
    // Taken back into use it is blocked again, as it was before it was retired.
    for _ in 0..2 {
        store.set_terminal_status(server.contract, id, TerminalStatus::Active, server.act()).await.unwrap();
    }
    store.set_contract_status(server.contract, ContractStatus::Suspended, server.act()).await.unwrap();
    assert_eq!(results(&next(&mut pc).await), [Some(5)]);
    store.set_contract_status(server.contract, ContractStatus::Active, server.act()).await.unwrap();
    assert_eq!(results(&next(&mut pc).await), [Some(7)]);
    let stored = server.punches().await.len();

    // With another key it would be another terminal.
    let own = std::mem::replace(&mut pc.key, Box::new(SecretKey::from_seed(&[77; 32])));
    let event = pc.logon("hanako");
    assert_eq!(server.deliver(&pc.batch(std::slice::from_ref(&event))).await.refused, Some(6));
    pc.key = own;
    // The database is put back to a state in which the terminal was not enrolled yet.
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database
        .execute_batch(
            "PRAGMA foreign_keys = OFF; CREATE TABLE gone AS SELECT * FROM terminals; DELETE FROM terminals",
        )
        .unwrap();
    for _ in ["remembered", "forgotten"] {
        assert_eq!(server.deliver(&pc.batch(std::slice::from_ref(&event))).await.refused, Some(6));
        assert_eq!(server.quarantined().await.newest[0].reason, QuarantineReason::UnknownTerminal);
    }
    database.execute_batch("INSERT INTO terminals SELECT * FROM gone").unwrap();
    assert!(all_stored(&server.deliver(&pc.batch(&[event])).await));
    assert_eq!(server.punches().await.len(), stored + 1);
}

#[tokio::test]
async fn a_punch_that_cannot_be_judged_is_stored_with_res_9_and_judged_later() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    // Of an account that nobody knows there are no links to look for.
    let known = [pc.logon("hanako"), pc.logon("taro")];
    server.deliver(&pc.batch(&known)).await;
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database.execute_batch("ALTER TABLE account_links RENAME TO away").unwrap();
    let events = [pc.logon("hanako"), pc.logon("taro")];
    let receipt = server.deliver(&pc.batch(&events)).await;
    assert!(all_stored(&receipt));
    assert_eq!(results(&receipt), [Some(9), Some(9)]);
    database.execute_batch("ALTER TABLE away RENAME TO account_links").unwrap();
    assert_eq!(results(&server.deliver(&pc.batch(&events[..1])).await), [Some(7)], "at its next receipt");
    assert_eq!(server.app.store.rejudge_failed(NOW, 100).await.unwrap(), 1, "or by the server's job");
    assert!(server.punches().await.iter().all(|punch| punch.result == PunchResult::UserUnusable));
}

#[tokio::test]
async fn when_storing_fails_nothing_is_claimed() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'broken'); END",
        )
        .unwrap();
    let event = pc.logon("hanako");
    let batch = pc.batch(&[event]);
    let answer = server.post("/api/v1/events", batch.to_json().unwrap()).await;
    assert_eq!(
        (answer.status, answer.problem().error.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "internal")
    );
    assert!(!answer.body.contains("broken"), "the cause is for the log only");
    database.execute_batch("DROP TRIGGER broken").unwrap();
    assert!(all_stored(&server.deliver(&batch).await));
}

#[tokio::test]
async fn a_client_that_hangs_up_loses_nothing() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let mut sent = 0_u64;
    for patience in 0..40_u64 {
        let event = pc.logon("hanako");
        let request = server.post("/api/v1/events", pc.batch(&[event]).to_json().unwrap());
        drop(tokio::time::timeout(std::time::Duration::from_micros(patience * 100), request).await);
        sent += 1;
    }
    // Whatever was begun is finished: the writer answers this batch after all of them.
    let event = pc.logon("hanako");
    let receipt = server.deliver(&pc.batch(&[event])).await;
    assert!(all_stored(&receipt));
    let punches = server.punches().await.len() as u64;
    assert!((1..=sent + 1).contains(&punches));
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    let torn: i64 = database
        .query_row("SELECT (SELECT count(*) FROM events) - (SELECT count(*) FROM punches)", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(torn, 0, "every stored event has its punch");
}
