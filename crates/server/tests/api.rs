//! The API for programs, and what a signed-in person may do.

use crate::support::{Answer, NOW, PASSWORD, Pc, Server};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use data_encoding::BASE64;
use mngntime_server::app::{App, router};
use mngntime_server::limiter::{PER_ADDRESS, UNKNOWN_COSTS};
use mngntime_server::metrics_token::MetricsToken;
use mngntime_server::passwords::{Passwords, hash_new};
use mngntime_server::punch_line::PunchLine;
use mngntime_server::settings::Settings;
use mngntime_store::{
    Act, AuditFilter, EmployeeChoice, LinkRequest, NewAdministrator, NewDepartment, NewEmployee, Role,
    local_date,
};
use mngntime_wire::SecretKey;
use tower::ServiceExt as _;

async fn list(server: &Server, query: &str, login: &str, password: &str) -> Answer {
    let credentials = BASE64.encode(format!("{login}:{password}").as_bytes());
    let request = Request::get(format!("/api/v1/punches{query}"))
        .header("authorization", format!("Basic {credentials}"))
        .body(Body::empty())
        .unwrap();
    server.send(request).await
}

fn lines(answer: &Answer) -> Vec<PunchLine> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/jsonl");
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn with_punches(count: usize) -> Server {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events: Vec<_> = (0..count).map(|_| pc.logon("hanako")).collect();
    server.deliver(&pc.batch(&events)).await;
    server
}

fn link_everything(account: mngntime_store::AccountId) -> Vec<LinkRequest> {
    let employee = NewEmployee::named("100", "山田 花子");
    vec![LinkRequest { account, employee: EmployeeChoice::New(employee), from: local_date(NOW), to: None }]
}

/// One common password for every employee's code: no login fails often.
#[tokio::test]
async fn an_address_that_guesses_at_many_logins_has_to_wait_and_is_told_to_the_operators() {
    let server = Server::start().await;
    let ask = async |address: &str, login: &str, password: &str| {
        let peer = ConnectInfo(address.parse::<std::net::SocketAddr>().unwrap());
        let credentials = BASE64.encode(format!("{login}:{password}").as_bytes());
        let request = Request::get("/api/v1/punches").extension(peer);
        let request = request.header("authorization", format!("Basic {credentials}"));
        server.send(request.body(Body::empty()).unwrap()).await
    };
    for number in 0..PER_ADDRESS.div_ceil(UNKNOWN_COSTS) {
        let answer = ask("192.0.2.1:1000", &format!("E{number}"), "Password1").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let closed = ask("192.0.2.1:1001", "admin", PASSWORD).await;
    assert_eq!(closed.status, StatusCode::TOO_MANY_REQUESTS, "whatever it knows");
    assert!(closed.headers.contains_key("retry-after"));
    assert_eq!(ask("192.0.2.2:1000", "admin", PASSWORD).await.status, StatusCode::OK, "others pass");
    let log = server.app.store.audit_log(None, None, 100).await.unwrap();
    let told = log.iter().find(|entry| entry.action == "refuse_address").unwrap();
    assert_eq!((told.object.as_str(), told.by.as_str()), ("address 192.0.2.1", "server"));
}

#[tokio::test]
async fn punches_come_as_lines_in_pages() {
    let server = with_punches(25).await;
    let (mut all, mut query) = (Vec::new(), "?limit=10".to_owned());
    loop {
        let page = list(&server, &query, "admin", PASSWORD).await;
        all.extend(lines(&page));
        match page.headers.get("mngntime-next") {
            Some(next) => query = format!("?limit=10&after={}", next.to_str().unwrap()),
            None => break,
        }
    }
    let numbers: Vec<u64> = all.iter().map(|line| line.seq).collect();
    assert_eq!(numbers, (1..=25).rev().collect::<Vec<_>>());
    assert_eq!(all[0].account, "EXAMPLE\\hanako");
    assert_eq!(
        (all[0].res, all[0].error.as_deref(), all[0].how.as_str()),
        (Some(7), Some("user_unusable"), "immediate")
    );
    assert_eq!(all[0].occurred_at, "2026-11-23T00:00:00.000Z");
}

#[tokio::test]
async fn who_reads_the_list_by_program_is_in_the_audit_log() {
    let server = with_punches(3).await;
    for query in ["", "?limit=1", "?errors_only=true"] {
        assert_eq!(list(&server, query, "admin", PASSWORD).await.status, StatusCode::OK);
    }
    let filter = AuditFilter { actions: vec!["read_punches".into()], ..AuditFilter::default() };
    let page = server.app.store.search_audit(Some(server.contract), filter, None, 10).await.unwrap();
    let noted: Vec<_> =
        page.rows.iter().map(|row| (row.entry.by.as_str(), row.entry.object.as_str())).collect();
    assert_eq!(noted, [("administrator:admin", "/api/v1/punches")]);
}

#[tokio::test]
async fn only_who_may_read_attendance_gets_the_list() {
    let server = with_punches(1).await;
    server.make_administrator("operator", Role::Operator, None).await;
    server.make_administrator("it", Role::InformationTechnology, Some(server.contract)).await;
    server.make_administrator("auditor", Role::Auditor, Some(server.contract)).await;
    let anonymous = server.get("/api/v1/punches").await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    assert!(anonymous.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    for (login, password, status) in [
        ("admin", "a wrong password", StatusCode::UNAUTHORIZED),
        ("nobody", PASSWORD, StatusCode::UNAUTHORIZED),
        ("operator", PASSWORD, StatusCode::FORBIDDEN),
        ("it", PASSWORD, StatusCode::FORBIDDEN),
        ("auditor", PASSWORD, StatusCode::OK),
    ] {
        assert_eq!(list(&server, "", login, password).await.status, status, "{login}");
    }
}

#[tokio::test]
async fn the_list_reaches_as_far_as_the_person_and_on_their_days_only() {
    let server = with_punches(2).await;
    let account = server.punches().await.remove(0).account;
    let linked = server
        .app
        .store
        .link_accounts(server.contract, link_everything(account), Act::administrator("admin", NOW))
        .await
        .unwrap();
    assert_eq!(linked.rejudged, 2);
    let department = |code: &str| NewDepartment { code: code.into(), name: code.into(), parent: None };
    let store = &server.app.store;
    let mine = store.add_department(server.contract, department("M"), server.act()).await.unwrap();
    let other = store.add_department(server.contract, department("O"), server.act()).await.unwrap();
    let employee = store.list_employees(server.contract.into(), None, 1).await.unwrap()[0].id;
    store.set_employee_department(server.contract, employee, Some(mine), server.act()).await.unwrap();
    let hash = hash_new(PASSWORD).unwrap();
    let person = |login, role| NewAdministrator {
        password_hash: Some(hash.clone()),
        ..NewAdministrator::new(login, role, Some(server.contract))
    };
    let today = mngntime_store::local_date(server.app.now());
    let people = [
        NewAdministrator { department: Some(mine), ..person("mine", Role::Approver) },
        NewAdministrator { department: Some(other), ..person("other", Role::Approver) },
        NewAdministrator { employee: Some(employee), ..person("employee", Role::Employee) },
        NewAdministrator { valid_until: today.yesterday().ok(), ..person("over", Role::Auditor) },
        NewAdministrator { password_hash: None, ..person("invited", Role::HumanResources) },
    ];
    for new in people {
        store.create_administrator(new, server.act()).await.unwrap();
    }
    for (login, status, count) in [
        ("mine", StatusCode::OK, 2),
        ("other", StatusCode::OK, 0),
        ("employee", StatusCode::FORBIDDEN, 0),
        ("over", StatusCode::UNAUTHORIZED, 0),
        ("invited", StatusCode::UNAUTHORIZED, 0),
    ] {
        let answer = list(&server, "", login, PASSWORD).await;
        assert_eq!(answer.status, status, "{login}");
        assert!(status != StatusCode::OK || lines(&answer).len() == count, "{login}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let server = with_punches(1).await;
    for query in ["?limit=0", "?limit=1001", "?limit=x", "?after=x", "?lmit=1", "?errors_only=maybe"] {
        let answer = list(&server, query, "admin", PASSWORD).await;
        assert_eq!(
            (answer.status, answer.problem().error.as_str()),
            (StatusCode::BAD_REQUEST, "bad_query"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn errors_only_leaves_out_what_has_become_good() {
    let server = with_punches(3).await;
    assert_eq!(lines(&list(&server, "?errors_only=true", "admin", PASSWORD).await).len(), 3);
    let account = server.punches().await.remove(0).account;
    let act = Act::administrator("admin", NOW);
    let linked =
        server.app.store.link_accounts(server.contract, link_everything(account), act).await.unwrap();
    assert_eq!(linked.rejudged, 3);
    assert!(lines(&list(&server, "?errors_only=true", "admin", PASSWORD).await).is_empty());
    let all = lines(&list(&server, "", "admin", PASSWORD).await);
    assert!(all.iter().all(|line| line.res.is_none() && line.employee.as_deref() == Some("100")));
}

#[tokio::test]
async fn health_metrics_and_description_are_there() {
    let server = with_punches(2).await;
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains("mngntime_events_total{outcome=\"res_7\"} 2"), "{metrics}");
    for personal in ["hanako", "PC-0231", "EXAMPLE", "demo"] {
        assert!(!metrics.contains(personal), "{personal} in {metrics}");
    }
    let description: serde_json::Value =
        serde_json::from_str(&server.get("/api/openapi.json").await.body).unwrap();
    for path in ["/api/v1/events", "/api/v1/terminals", "/api/v1/punches", "/healthz"] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test]
async fn what_has_to_alarm_is_read_with_each_round_and_answers_are_counted() {
    let server = with_punches(2).await;
    let entry = mngntime_store::Quarantined {
        received_at: NOW,
        reason: mngntime_store::QuarantineReason::UnknownContract,
        contract: "dmeo".into(),
        terminal: "t".into(),
        body: vec![1],
    };
    server.app.store.quarantine(entry).await.unwrap();
    server.pass(25 * 3_600_000);
    mngntime_server::jobs::round(&server.app).await;
    server.get("/api/v1/punches").await;
    let page = server.get("/metrics").await.body;
    for line in [
        "quarantine_entries 1",
        "silent_terminals 1",
        "waiting_events 0",
        "unsigned_leaves 0",
        "last_backup_timestamp_seconds 0",
        "certificate_end_timestamp_seconds 0",
        "answers_total{route=\"api\",status=\"4xx\"} 1",
    ] {
        assert!(page.contains(&format!("\nmngntime_{line}\n")), "{line}: {page}");
    }
    for some in ["disk_free_bytes", "disk_total_bytes", "writer_queue_room"] {
        assert!(!page.contains(&format!("\nmngntime_{some} 0\n")), "{some}: {page}");
    }
}

#[tokio::test]
async fn where_a_token_is_set_the_figures_are_for_whoever_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    let store = mngntime_store::sqlite::SqliteStore::open(directory.path()).unwrap();
    let settings = Settings {
        metrics_token_file: Some(file.clone()),
        ..Settings::for_directory(directory.path()).unwrap()
    };
    let (key, passwords) = (SecretKey::from_seed(&[42; 32]), Passwords::new().unwrap());
    let app = App::new(std::sync::Arc::new(store), key, settings, passwords, std::sync::Arc::new(|| NOW));
    let ask = async |token: &str| {
        let request = Request::get("/metrics").header("authorization", token).body(Body::empty()).unwrap();
        router(app.clone()).oneshot(request).await.unwrap().status()
    };
    let right = "Bearer 0123456789abcdef";
    assert_eq!(ask(right).await, StatusCode::UNAUTHORIZED, "the token was not read");
    app.note_metrics_token(MetricsToken::read(&file).unwrap());
    assert_eq!(ask(right).await, StatusCode::OK);
    for wrong in ["", "Bearer", "Bearer 0123456789abcdeg", "Basic 0123456789abcdef"] {
        assert_eq!(ask(wrong).await, StatusCode::UNAUTHORIZED, "{wrong}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_healthy() {
    let server = with_punches(1).await;
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = server.get("/healthz").await;
    assert_eq!(
        (answer.status, answer.problem().error.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable")
    );
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn answers_for_programs_are_nothing_but_text_in_a_browser() {
    let server = Server::start().await;
    for (address, status) in [
        ("/healthz", StatusCode::OK),
        ("/metrics", StatusCode::OK),
        ("/api/openapi.json", StatusCode::OK),
        ("/api/v1/punches", StatusCode::UNAUTHORIZED),
        ("/api/v1/events", StatusCode::METHOD_NOT_ALLOWED),
        ("/api/nothing", StatusCode::NOT_FOUND),
    ] {
        let answer = server.send(Request::get(address).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{address}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{address}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{address}"
        );
        assert_eq!(answer.headers.get_all("mngntime-server").iter().count(), 1, "{address}");
    }
}
