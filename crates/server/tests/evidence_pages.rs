//! Evidence packs that people take from the pages: what they take holds, and is gone when its time is over.

use std::process::Command;

use crate::support::{PASSWORD, Pc, Server, public};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use mngntime_model::EventKind;
use mngntime_model::TerminalId;
use mngntime_server::evidence::on_request::KEPT_MS;
use mngntime_server::evidence::pack;
use mngntime_server::passwords::hash_new;
use mngntime_store::{
    AccountFilter, EmployeeChoice, EmployeeId, LinkRequest, NewAdministrator, NewEmployee, Role,
};
use mngntime_wire::{Context, Receipt, SecretKey, Signed};
use rusqlite::Connection;
use tower::ServiceExt as _;

/// Hanako's day with somebody else's beside it, both linked.
async fn office() -> (Server, EmployeeId) {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.event(EventKind::ServiceStart, None, pc.wall), pc.logon("hanako"), pc.logon("taro")];
    server.deliver(&pc.batch(&events)).await;
    let store = &server.app.store;
    for name in ["hanako", "taro"] {
        let all = store.list_accounts(server.contract.into(), AccountFilter::All, 100).await.unwrap();
        let account = all.iter().find(|found| found.name == name).unwrap().id;
        let new = NewEmployee::named(format!("E-{name}"), name);
        let from = jiff::civil::date(2026, 1, 1);
        let request = LinkRequest { account, employee: EmployeeChoice::New(new), from, to: None };
        store.link_accounts(server.contract, vec![request], server.act()).await.unwrap();
    }
    let found = store.find_employees(server.contract.into(), "E-hanako".into()).await.unwrap();
    let employee = found[0].id;
    let own = NewAdministrator {
        password_hash: Some(hash_new(PASSWORD).unwrap()),
        employee: Some(employee),
        ..NewAdministrator::new("hanako", Role::Employee, Some(server.contract))
    };
    store.create_administrator(own, server.act()).await.unwrap();
    server.make_administrator("officer", Role::HumanResources, Some(server.contract)).await;
    (server, employee)
}

fn form(path: &str, cookie: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

async fn sign_in(server: &Server, login: &str) -> String {
    let body = format!("user={login}&password={}", PASSWORD.replace(' ', "+"));
    let answer = server.send(form("/login", "", &body)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn get(server: &Server, cookie: &str, path: &str) -> (StatusCode, axum::http::HeaderMap, Vec<u8>) {
    let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, axum::body::to_bytes(response.into_body(), 50_000_000).await.unwrap().to_vec())
}

fn told(headers: &axum::http::HeaderMap, name: header::HeaderName) -> &str {
    headers[name].to_str().unwrap()
}

/// Asks for a pack and looks at the page until it says what became of it.
async fn make(server: &Server, cookie: &str, base: &str) -> String {
    let asked = server.send(form(base, cookie, "from=2026-11-23&to=2026-11-24")).await;
    assert_eq!((asked.status, told(&asked.headers, header::LOCATION)), (StatusCode::SEE_OTHER, base));
    loop {
        let page = String::from_utf8(get(server, cookie, base).await.2).unwrap();
        if !page.contains("証拠ファイルを作成しています") {
            return page;
        }
    }
}

#[tokio::test]
async fn somebody_takes_the_sealed_record_of_themselves_and_the_verifier_takes_it() {
    let (server, _) = office().await;
    let cookie = sign_in(&server, "hanako").await;
    let page = make(&server, &cookie, "/me/evidence").await;
    assert!(page.contains("2026-11-23〜2026-11-24 の証拠ファイルができました"), "{page}");
    let (status, headers, file) = get(&server, &cookie, "/me/evidence/pack").await;
    assert_eq!((status, told(&headers, header::CONTENT_TYPE)), (StatusCode::OK, "application/zip"));
    let name = headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(name.contains("\"evidence-Ehanako-20261123-20261124.zip\""), "{name}");
    assert_eq!(headers[header::CONTENT_LENGTH].to_str().unwrap(), file.len().to_string());
    assert_eq!(get(&server, &cookie, "/me/evidence/pack").await.2, file, "it can be taken again");

    let key = get(&server, &cookie, "/evidence-key").await.2;
    let (seal, report) = pack::check(&file, &public(std::str::from_utf8(&key).unwrap().trim())).unwrap();
    assert!(report.is_authentic() && seal.contract == "demo", "{:?}", report.faults);
    let out = tempfile::tempdir().unwrap();
    let (at, key_at) = (out.path().join("pack.zip"), out.path().join("key"));
    std::fs::write(&at, &file).unwrap();
    std::fs::write(&key_at, &key).unwrap();
    let mut verify = Command::new(env!("CARGO_BIN_EXE_mngntime"));
    let verified =
        verify.arg("verify").arg(&at).arg("--key").arg(&key_at).args(["--language", "ja"]).output().unwrap();
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(verified.status.success() && said.starts_with("真正"), "{said}");

    let log = server.app.store.audit_log(Some(server.contract), None, 50).await.unwrap();
    let noted: Vec<_> = log.iter().filter(|entry| entry.action == "export_evidence").collect();
    assert_eq!(noted.len(), 1, "made once, taken twice");
    assert_eq!(
        (noted[0].by.as_str(), noted[0].object.as_str()),
        ("administrator:hanako", "employee E-hanako")
    );
    assert_eq!(noted[0].detail, r#"{"from":"2026-11-23","to":"2026-11-24"}"#);
    let left: Vec<_> =
        std::fs::read_dir(server.directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("unfinished")), "{left:?}");
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".zip")), "it has no name: {left:?}");

    server.pass(KEPT_MS);
    let (status, headers, _) = get(&server, &cookie, "/me/evidence/pack").await;
    assert_eq!((status, told(&headers, header::LOCATION)), (StatusCode::SEE_OTHER, "/me/evidence"));
    let page = String::from_utf8(get(&server, &cookie, "/me/evidence").await.2).unwrap();
    assert!(page.contains("証拠ファイルはもうありません") && !page.contains("/me/evidence/pack"), "{page}");
}

#[tokio::test]
async fn an_officer_s_pack_of_somebody_is_the_officer_s_alone() {
    let (server, employee) = office().await;
    let (officer, own) = (sign_in(&server, "officer").await, sign_in(&server, "hanako").await);
    let base = format!("/employees/{employee}/evidence");
    let page = make(&server, &officer, &base).await;
    assert!(
        page.contains("証拠ファイルができました") && page.contains(&format!("href=\"{base}/pack\"")),
        "{page}"
    );
    let file = get(&server, &officer, &format!("{base}/pack")).await.2;
    assert!(pack::check(&file, &server.app.key.public()).unwrap().1.is_authentic());
    // The employee has asked for nothing: theirs is another page, and the officer's is closed to them.
    assert_eq!(get(&server, &own, "/me/evidence/pack").await.0, StatusCode::SEE_OTHER);
    assert_eq!(get(&server, &own, &format!("{base}/pack")).await.0, StatusCode::FORBIDDEN);
}

/// The page of hanako's logon, for the officer, for her and beside the list.
async fn pages_of_a_punch(server: &Server, terminal: TerminalId) -> Vec<String> {
    let (officer, own) = (sign_in(server, "officer").await, sign_in(server, "hanako").await);
    let mut pages = Vec::new();
    for (cookie, path) in [
        (&officer, format!("/punches/{terminal}/2")),
        (&officer, format!("/punches?open={terminal}.2")),
        (&own, format!("/me/punches/{terminal}/2")),
    ] {
        let (status, _, page) = get(server, cookie, &path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        pages.push(String::from_utf8(page).unwrap());
    }
    pages
}

/// The kept receipt with another word in it, signed by `key`.
fn receipt_with(kept: &str, key: &SecretKey, change: impl FnOnce(&mut Receipt)) -> String {
    let mut receipt: Receipt = Signed::parse(kept.as_bytes()).unwrap().peek().unwrap();
    change(&mut receipt);
    crate::support::seal(Context::Receipt, &receipt, key).to_json().unwrap()
}

#[tokio::test]
async fn a_receipt_is_called_verified_only_where_it_is() {
    let (server, _) = office().await;
    let terminal = server.punches().await[0].terminal;
    let database = Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    let kept: String = database.query_row("SELECT envelope FROM receipts", [], |row| row.get(0)).unwrap();
    let key = SecretKey::from_seed(&[42; 32]);
    let shown = async |word: &str| {
        for page in pages_of_a_punch(&server, terminal).await {
            for other in ["署名を確認済み", "受領証が見つかりません", "受領証が合いません"]
            {
                assert_eq!(page.contains(other), other == word, "{word}: {page}");
            }
            assert_eq!(page.contains("PCにも受領証の控えがあります"), word != "署名を確認済み");
        }
    };
    let put = |envelope: &str| database.execute("UPDATE receipts SET envelope = ?1", [envelope]).unwrap();
    shown("署名を確認済み").await;
    let other_key = receipt_with(&kept, &SecretKey::from_seed(&[43; 32]), |_| ());
    let other_hash = receipt_with(&kept, &key, |receipt| receipt.items[1].hash = "0".repeat(64));
    let other_place = receipt_with(&kept, &key, |receipt| receipt.items[1].log.as_mut().unwrap().leaf += 1);
    let other_terminal = receipt_with(&kept, &key, |receipt| receipt.terminal = "x".to_owned());
    let other_contract = receipt_with(&kept, &key, |receipt| receipt.contract = Some("x".to_owned()));
    let garbage = "garbage".to_owned();
    for wrong in [garbage, other_key, other_hash, other_place, other_terminal, other_contract] {
        put(&wrong);
        shown("受領証が合いません").await;
    }
    put(&receipt_with(&kept, &key, |receipt| receipt.items[1].stored = false));
    shown("受領証が見つかりません").await;
    put(&kept);
    shown("署名を確認済み").await;
    database.execute("DELETE FROM receipts", []).unwrap();
    shown("受領証が見つかりません").await;
}

#[tokio::test]
async fn a_receipt_of_other_bytes_than_the_page_shows_is_not_called_verified() {
    let (server, _) = office().await;
    let terminal = server.punches().await[0].terminal;
    let database = Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    database.execute_batch("DROP TRIGGER events_are_not_changed").unwrap();
    database.execute("UPDATE events SET json = json || ' ' WHERE seq = 2", []).unwrap();
    for page in pages_of_a_punch(&server, terminal).await {
        assert!(page.contains("受領証が合いません") && !page.contains("署名を確認済み"), "{page}");
    }
}
