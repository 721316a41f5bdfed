//! How a PC becomes a terminal, through the real router.

use crate::support::{ENROLLMENT_KEY, NOW, P256Key, Pc, Server, all_stored, public, results, seal};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use mngntime_model::TerminalId;
use mngntime_store::{ContractStatus, KeyHash, NewEnrollmentKey, QuarantineReason, TerminalStatus};
use mngntime_wire::{Context, EnrollmentRequest, SecretKey, Signer};

#[tokio::test]
async fn the_answer_carries_id_key_and_name_and_is_the_same_for_the_same_key() {
    let server = Server::start().await;
    let pc = Pc::new(1);
    let first = server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await;
    assert_eq!(first.res, None);
    assert_eq!(public(&first.server_key), server.app.key.public());
    assert_eq!(first.display_name, "MINAGINE");
    let again = server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await;
    assert_eq!(again.terminal, first.terminal);
    let other = server.enroll(&Pc::new(2).enrollment(ENROLLMENT_KEY)).await;
    assert_ne!(other.terminal, first.terminal);
}

#[tokio::test]
async fn wrong_contract_is_5_wrong_key_is_6_and_both_are_noted_without_the_key() {
    let server = Server::start().await;
    let wrong_contract = Pc { contract: "dmeo".into(), ..Pc::new(1) };
    assert_eq!(server.enroll(&wrong_contract.enrollment("almost-right")).await.res, Some(5));
    let answer = server.enroll(&Pc::new(1).enrollment("almost-right")).await;
    assert_eq!((answer.res, answer.terminal), (Some(6), None));
    server
        .app
        .store
        .set_contract_status(server.contract, ContractStatus::Suspended, server.act())
        .await
        .unwrap();
    assert_eq!(server.enroll(&Pc::new(1).enrollment(ENROLLMENT_KEY)).await.res, Some(5));
    let noted = server.quarantined().await.newest;
    assert_eq!(noted.len(), 3);
    for entry in noted {
        assert_eq!((entry.reason, entry.terminal.as_str()), (QuarantineReason::RefusedEnrollment, "PC-0231"));
        let body = String::from_utf8(entry.body).unwrap();
        assert!(!body.contains("almost-right") && !body.contains(ENROLLMENT_KEY), "{body}");
    }
}

#[tokio::test]
async fn a_blocked_terminal_cannot_enrol_its_way_back() {
    let server = Server::start().await;
    let pc = Pc::enrolled(&server, 1).await;
    let id = TerminalId::parse(&pc.terminal).unwrap();
    let blocked = TerminalStatus::Blocked;
    server.app.store.set_terminal_status(server.contract, id, blocked, server.act()).await.unwrap();
    assert_eq!(server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await.res, Some(6));
}

#[tokio::test]
async fn a_blocked_pc_that_is_set_up_anew_comes_in_as_blocked_until_somebody_decides() {
    let server = Server::start().await;
    let store = &server.app.store;
    let old = TerminalId::parse(&Pc::enrolled(&server, 1).await.terminal).unwrap();
    let set = |id, status| store.set_terminal_status(server.contract, id, status, server.act());
    set(old, TerminalStatus::Blocked).await.unwrap();
    // Its files deleted, it makes another key; the enrolment key is in its configuration.
    let mut again = Pc::enrolled(&server, 2).await;
    let new = TerminalId::parse(&again.terminal).unwrap();
    assert_ne!(new, old);
    let event = again.logon("hanako");
    let receipt = server.deliver(&again.batch(&[event])).await;
    assert!(all_stored(&receipt), "nothing is lost");
    assert_eq!(results(&receipt), [Some(6)], "and nothing is accepted");
    set(old, TerminalStatus::Retired).await.unwrap();
    set(new, TerminalStatus::Active).await.unwrap();
    let event = again.logon("hanako");
    assert_eq!(results(&server.deliver(&again.batch(&[event])).await), [Some(7)]);
    assert_eq!(store.active_terminals().await.unwrap(), 1);
}

#[tokio::test]
async fn a_refusal_says_as_much_as_the_one_who_asks_may_know() {
    let server = Server::start().await;
    let store = &server.app.store;
    let contract = server.contract;
    let made = async |text: &str, expires_at, uses_max| {
        let new = NewEnrollmentKey { hash: KeyHash::of(text), label: String::new(), expires_at, uses_max };
        store.make_enrollment_key(contract, new, server.act()).await.unwrap()
    };
    made("old", Some(NOW), None).await;
    made("spent", None, Some(1)).await;
    let revoked = made("revoked", None, None).await;
    store.revoke_enrollment_key(contract, revoked, server.act()).await.unwrap();
    assert_eq!(server.enroll(&Pc::new(9).enrollment("spent")).await.reason, None);
    let refused = async |key: &str, seed| {
        let answer = server.enroll(&Pc::new(seed).enrollment(key)).await;
        (answer.res, answer.reason)
    };
    for (key, reason) in [
        ("old", "key_expired"),
        ("spent", "key_used_up"),
        ("revoked", "key_revoked"),
        ("guessed", "key_unknown"),
    ] {
        assert_eq!(refused(key, 1).await, (Some(6), Some(reason.to_owned())), "{key}");
    }
    // The contract's own people see who gave a key of theirs, once for each PC, and no strangers.
    let seen = store.refused_enrollments(contract).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|found| (found.host_name.as_str(), found.reason.word())).collect();
    assert_eq!(seen, [("PC-0231", "key_revoked")]);
    let pc = Pc::new(2);
    let terminal = server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await.terminal.unwrap();
    let terminal = TerminalId::parse(&terminal).unwrap();
    store.set_terminal_status(contract, terminal, TerminalStatus::Blocked, server.act()).await.unwrap();
    assert_eq!(refused(ENROLLMENT_KEY, 2).await, (Some(6), Some("terminal_blocked".to_owned())));
    // Somebody who only claims its key hears nothing of it.
    let claim: EnrollmentRequest = pc.enrollment(ENROLLMENT_KEY).peek().unwrap();
    let stolen =
        server.enroll(&seal(Context::EnrollmentRequest, &claim, &SecretKey::from_seed(&[66; 32]))).await;
    assert_eq!((stolen.res, stolen.reason), (Some(6), None));
    // Whether a contract is unknown or suspended is not said.
    let elsewhere = EnrollmentRequest { contract: "nowhere".into(), ..claim };
    let answer = server.enroll(&seal(Context::EnrollmentRequest, &elsewhere, &*pc.key)).await;
    assert_eq!((answer.res, answer.reason), (Some(5), None));
}

#[tokio::test]
async fn who_does_not_hold_the_key_cannot_have_it_pinned() {
    let server = Server::start().await;
    let request: EnrollmentRequest = Pc::new(1).enrollment(ENROLLMENT_KEY).peek().unwrap();
    let thief = SecretKey::from_seed(&[66; 32]);
    let stolen = seal(Context::EnrollmentRequest, &request, &thief);
    assert_eq!(server.enroll(&stolen).await.res, Some(6));
    assert_eq!(server.app.store.active_terminals().await.unwrap(), 0);
}

#[tokio::test]
async fn a_terminal_with_a_p256_key_enrols_and_delivers_like_any_other() {
    let server = Server::start().await;
    let mut pc = Pc { key: Box::new(P256Key::new()), ..Pc::new(1) };
    let first = server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await;
    pc.terminal = first.terminal.clone().unwrap();
    assert_eq!(server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await.terminal, first.terminal);
    let logon = pc.logon("hanako");
    let batch = pc.batch(std::slice::from_ref(&logon));
    assert!(all_stored(&server.deliver(&batch).await));
    // Another signature over the same event is no second punch.
    let again = pc.batch(&[logon]);
    assert_ne!(again.signature, batch.signature);
    assert!(all_stored(&server.deliver(&again).await));
    assert_eq!(server.punches().await.len(), 1);
}

#[tokio::test]
async fn neither_another_p256_key_nor_a_key_file_may_speak_for_a_terminal() {
    let server = Server::start().await;
    let owner = Pc { key: Box::new(P256Key::new()), ..Pc::new(1) };
    let terminal = server.enroll(&owner.enrollment(ENROLLMENT_KEY)).await.terminal.unwrap();
    let keys: [Box<dyn Signer + Send>; 2] =
        [Box::new(P256Key::new()), Box::new(SecretKey::from_seed(&[9; 32]))];
    for key in keys {
        let mut thief = Pc { key, terminal: terminal.clone(), ..Pc::new(2) };
        let logon = thief.logon("hanako");
        assert_eq!(server.deliver(&thief.batch(&[logon])).await.refused, Some(6));
        let claim = EnrollmentRequest {
            public_key: owner.key.public().to_string(),
            ..thief.enrollment(ENROLLMENT_KEY).peek().unwrap()
        };
        let stolen = seal(Context::EnrollmentRequest, &claim, &*thief.key);
        assert_eq!(server.enroll(&stolen).await.res, Some(6));
    }
    assert!(server.punches().await.is_empty());
}

#[tokio::test]
async fn what_is_no_enrolment_is_a_problem() {
    let server = Server::start().await;
    let pc = Pc::new(1);
    let request: EnrollmentRequest = pc.enrollment(ENROLLMENT_KEY).peek().unwrap();
    let sealed =
        |request: EnrollmentRequest| seal(Context::EnrollmentRequest, &request, &*pc.key).to_json().unwrap();
    let weak = data_encoding::BASE64.encode(&[0; 32]);
    for (body, error) in [
        ("{}".to_owned(), "malformed_body"),
        (sealed(EnrollmentRequest { v: 2, ..request.clone() }), "unknown_version"),
        (sealed(EnrollmentRequest { public_key: weak, ..request.clone() }), "malformed_key"),
        (sealed(EnrollmentRequest { host_name: "a\nb".into(), ..request.clone() }), "malformed_body"),
        (sealed(EnrollmentRequest { os: "x".repeat(257), ..request }), "malformed_body"),
    ] {
        let answer = server.post("/api/v1/terminals", body).await;
        assert_eq!((answer.status, answer.problem().error.as_str()), (StatusCode::BAD_REQUEST, error));
    }
}

#[tokio::test]
async fn a_guesser_is_slowed_down_by_its_address() {
    let server = Server::start().await;
    let body = Pc::new(1).enrollment("guess").to_json().unwrap();
    let knock = async |address: &str| {
        let peer = ConnectInfo(address.parse::<std::net::SocketAddr>().unwrap());
        let request = Request::post("/api/v1/terminals").extension(peer).header("content-type", "text/plain");
        server.send(request.body(Body::from(body.clone())).unwrap()).await
    };
    let mut answer = knock("192.0.2.1:1000").await;
    for port in 1001..1600 {
        answer = knock(&format!("192.0.2.1:{port}")).await;
    }
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers["retry-after"], "60");
    assert_eq!(knock("192.0.2.2:1000").await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "others pass");
}

#[tokio::test]
async fn the_crowd_decides_how_far_logons_are_spread() {
    let server = Server::start().await;
    for seed in 0..100 {
        Pc::enrolled(&server, seed).await;
    }
    assert_eq!(server.app.spread_seconds(), 2);
}
