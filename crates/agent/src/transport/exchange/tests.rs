//! Replies of our server, of somebody else, and of somebody who pretends.

use super::*;
use mngntime_model::UtcMillis;
use mngntime_wire::SecretKey;

fn device() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn server() -> SecretKey {
    SecretKey::from_seed(&[2; 32])
}

fn enrollment() -> Enrollment {
    Enrollment {
        contract: "demo".into(),
        server_url: "https://example.co.jp".into(),
        terminal: "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b".into(),
        server_key: server().public().to_string(),
        display_name: "MINAGINE".into(),
        public_key: None,
    }
}

fn prepared() -> Prepared {
    let now = Moment { wall: UtcMillis(1), offset_seconds: 0, biased_ms: 1, unbiased_ms: 1 };
    let parts = BatchParts {
        enrollment: &enrollment(),
        contract: "demo",
        now,
        boot: "b1",
        makeup: "m",
        waiting: 2,
        events: vec![(1, "{\"seq\":1}".into(), false), (2, "{\"seq\":2}".into(), true)],
    };
    prepare_batch(parts, &device()).unwrap()
}

fn good_receipt(prepared: &Prepared) -> Receipt {
    let item = |(seq, hash): &(u64, String)| ReceiptItem {
        seq: *seq,
        hash: hash.clone(),
        stored: true,
        res: None,
        log: None,
    };
    Receipt {
        v: 1,
        request: prepared.expected.request.clone(),
        terminal: enrollment().terminal,
        received_at: 2,
        refused: None,
        items: prepared.expected.events.iter().map(item).collect(),
        head: 2,
        missing: vec![],
        spread_seconds: 7,
        contact_seconds: 900,
        display_name: "MINAGINE".into(),
        log: None,
        contract: None,
    }
}

fn reply(receipt: &Receipt, key: &SecretKey) -> Reply {
    let body = Signed::seal(Context::Receipt, receipt, key).unwrap().to_json().unwrap();
    Reply {
        status: 200,
        from_our_server: true,
        retry_after_seconds: None,
        content_type: "application/json".into(),
        location: String::new(),
        body: body.into_bytes(),
    }
}

fn judged(reply: Reply, prepared: &Prepared) -> SendOutcome {
    judge_receipt(Ok(reply), &prepared.expected, Language::Japanese).0
}

fn failure(outcome: SendOutcome) -> String {
    match outcome {
        SendOutcome::Failed { cause, .. } => format!("{cause:?}"),
        SendOutcome::Answered(answer) => panic!("must not count: {answer:?}"),
    }
}

#[test]
fn a_receipt_for_this_batch_counts_and_is_kept_as_received() {
    let prepared = prepared();
    let reply = reply(&good_receipt(&prepared), &server());
    let body = String::from_utf8(reply.body.clone()).unwrap();
    let (outcome, kept) = judge_receipt(Ok(reply), &prepared.expected, Language::Japanese);
    let SendOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.items.len(), 2);
    assert_eq!(answer.wishes.spread_seconds, 7);
    assert_eq!(kept, Some(body));
}

#[test]
fn somebody_elses_signature_does_not_count() {
    let prepared = prepared();
    let forged = reply(&good_receipt(&prepared), &SecretKey::from_seed(&[3; 32]));
    assert!(failure(judged(forged, &prepared)).contains("signature"));
}

#[test]
fn an_old_receipt_played_back_does_not_count() {
    let prepared = prepared();
    let old = Receipt { request: Digest::of(b"another batch").to_string(), ..good_receipt(&prepared) };
    assert!(failure(judged(reply(&old, &server()), &prepared)).contains("another request"));
}

#[test]
fn a_receipt_that_leaves_events_out_or_names_other_bytes_does_not_count() {
    let prepared = prepared();
    let mut short = good_receipt(&prepared);
    short.items.pop();
    assert!(failure(judged(reply(&short, &server()), &prepared)).contains("does not cover"));
    let mut other = good_receipt(&prepared);
    other.items[0].hash = Digest::of(b"x").to_string();
    assert!(failure(judged(reply(&other, &server()), &prepared)).contains("does not cover"));
}

#[test]
fn a_hotel_that_answers_200_with_a_page_is_named_with_the_pages_beginning() {
    let page = Reply {
        status: 200,
        from_our_server: false,
        retry_after_seconds: None,
        content_type: "text/html".into(),
        location: String::new(),
        body: b"<html><title>Welcome to the hotel</title>".to_vec(),
    };
    let text = failure(judged(page, &prepared()));
    for word in ["200", "予期しない応答", "text/html", "SHA-256 ", "Welcome to the hotel"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_redirect_is_named_by_its_host_only() {
    let redirect = Reply {
        status: 302,
        from_our_server: false,
        retry_after_seconds: None,
        content_type: "text/html".into(),
        location: "https://login.example/guest?session=geheim".into(),
        body: vec![],
    };
    let text = failure(judged(redirect, &prepared()));
    assert!(text.contains("302") && text.contains("login.example") && !text.contains("geheim"), "{text}");
}

#[test]
fn a_page_with_line_breaks_stays_one_line() {
    let page = Reply {
        status: 403,
        from_our_server: false,
        retry_after_seconds: None,
        content_type: "text/html".into(),
        location: String::new(),
        body: "<html>\r\n\t社内規定により遮断しました".as_bytes().to_vec(),
    };
    let SendOutcome::Failed { cause: FailureCause::Network { detail, .. }, .. } = judged(page, &prepared())
    else {
        panic!()
    };
    assert!(
        !detail.contains(['\r', '\n', '\t']) && detail.contains("社内規定により遮断しました"),
        "{detail}"
    );
}

#[test]
fn an_http_error_is_ours_only_with_our_marker() {
    let error = |from_our_server| Reply {
        status: 503,
        from_our_server,
        retry_after_seconds: Some(30),
        content_type: "text/html".into(),
        location: String::new(),
        body: vec![],
    };
    let ours = judged(error(true), &prepared());
    assert_eq!(
        ours,
        SendOutcome::Failed {
            cause: FailureCause::ServerInternal { http_status: 503 },
            retry_after_seconds: Some(30)
        }
    );
    assert!(failure(judged(error(false), &prepared())).contains("Network"));
}

#[test]
fn a_result_that_this_version_does_not_know_is_kept_as_its_number() {
    let prepared = prepared();
    let mut receipt = good_receipt(&prepared);
    receipt.items[0].res = Some(77);
    let SendOutcome::Answered(answer) = judged(reply(&receipt, &server()), &prepared) else { panic!() };
    assert_eq!(answer.items[0].result, Err(77));
}

#[test]
fn a_server_cannot_ask_for_more_than_the_contract_allows() {
    let prepared = prepared();
    let greedy = Receipt { spread_seconds: u32::MAX, contact_seconds: 0, ..good_receipt(&prepared) };
    let SendOutcome::Answered(answer) = judged(reply(&greedy, &server()), &prepared) else { panic!() };
    assert_eq!((answer.wishes.spread_seconds, answer.wishes.contact_seconds), (SPREAD_SECONDS_MAX, 10));
}

#[test]
fn an_enrolment_pins_the_key_that_signed_it_and_no_other_than_the_configured_one() {
    let request = EnrollmentRequest {
        v: 1,
        contract: "demo".into(),
        enrollment_key: "k".into(),
        public_key: device().public().to_string(),
        host_name: "PC".into(),
        os: "Debian".into(),
        makeup: "m".into(),
        key_class: "file".into(),
        agent: "0".into(),
    };
    let judge = |configured: Option<PublicKey>, signer: &SecretKey| {
        let prepared = prepare_enrollment(&request, "https://a", configured, &device()).unwrap();
        let answer = EnrollmentAnswer {
            v: 1,
            request: prepared.expected.request.clone(),
            res: None,
            reason: None,
            terminal: Some(enrollment().terminal),
            server_key: server().public().to_string(),
            display_name: "MINAGINE".into(),
        };
        let body = Signed::seal(Context::EnrollmentAnswer, &answer, signer).unwrap().to_json().unwrap();
        let reply = Reply {
            status: 200,
            from_our_server: true,
            retry_after_seconds: None,
            content_type: "application/json".into(),
            location: String::new(),
            body: body.into_bytes(),
        };
        judge_enrollment(Ok(reply), &prepared.expected, Language::Japanese).1
    };
    let kept = judge(None, &server()).unwrap();
    assert_eq!(kept.server_key, server().public().to_string());
    assert_eq!(kept.public_key, Some(device().public().to_string()), "whose enrolment it is");
    assert!(judge(Some(server().public()), &server()).is_some());
    assert!(judge(Some(device().public()), &server()).is_none(), "another key was configured");
    assert!(judge(None, &device()).is_none(), "not signed by the key it names");
}

/// With the word of a server of today, of one of before there were words, and of one of after today.
#[test]
fn a_refused_enrolment_carries_the_reason_that_this_program_knows() {
    let outcome = |res: u8, reason: &str| {
        let prepared = prepared();
        let answer = format!(
            r#"{{"v":1,"request":"{}","res":{res},{reason}"server_key":"{}","display_name":"d"}}"#,
            prepared.expected.request,
            server().public()
        );
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let body = Signed::seal(Context::EnrollmentAnswer, &answer, &server()).unwrap().to_json().unwrap();
        let reply = Reply { body: body.into_bytes(), ..reply(&good_receipt(&prepared), &server()) };
        match judge_enrollment(Ok(reply), &prepared.expected, Language::Japanese).0 {
            EnrollOutcome::Failed { cause, reason, .. } => (cause.res(), reason),
            EnrollOutcome::Done { .. } => panic!("that is no enrolment"),
        }
    };
    let expired = r#""reason":"key_expired","#;
    assert_eq!(outcome(5, expired), (Some(5), None), "beside another result it means nothing");
    assert_eq!(outcome(6, expired), (Some(6), Some(EnrollmentRefusal::KeyExpired)));
    assert_eq!(outcome(6, ""), (Some(6), None));
    assert_eq!(outcome(6, r#""reason":"key_eaten","more":[],"#), (Some(6), None));
}

#[test]
fn missing_numbers_are_taken_over_within_the_contracts_bounds() {
    let prepared = prepared();
    let with = |missing: Vec<[u64; 2]>| {
        let receipt = Receipt { head: 90, missing, ..good_receipt(&prepared) };
        match judged(reply(&receipt, &server()), &prepared) {
            SendOutcome::Answered(answer) => (answer.head, answer.missing),
            SendOutcome::Failed { cause, .. } => panic!("{cause:?}"),
        }
    };
    assert_eq!(with(vec![[3, 4], [7, 7]]), (90, vec![(3, 4), (7, 7)]));
    assert_eq!(with(vec![[0, 4], [5, 4], [80, 91], [9, 9]]).1, [(9, 9)], "what makes no sense is nothing");
    assert_eq!(with((1..=40).map(|n| [n, n]).collect()).1.len(), MISSING_RANGES_MAX);
}

/// A server of a version that does not look for holes.
#[test]
fn a_receipt_without_missing_numbers_is_read() {
    let json = serde_json::to_string(&good_receipt(&prepared())).unwrap();
    assert!(!json.contains("missing"), "{json}");
    assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap().missing, Vec::<[u64; 2]>::new());
}
