//! Hostile requests and hostile data.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::routing::get;
use axum::{Router, middleware};
use mngntime_store::StoreError;
use tower::ServiceExt as _;
use tower_sessions::Session;
use tower_sessions::session::{Id, Record};

use super::super::errors::{self, WebError};
use super::{Site, times};

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = Request::post("/employees")
            .header(header::COOKIE, &cookie)
            .header(header::HOST, "time.example")
            .header(name, value)
            .body(Body::from("code=E1&name=x"));
        let answer = site.send(request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        assert!(answer.text.contains("ほかのサイト"), "{name} gets the page");
    }
    assert!(site.store.list_employees(site.contract.into(), None, 10).await.unwrap().is_empty());
    let request = Request::post("/employees")
        .header(header::COOKIE, &cookie)
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, "http://127.0.0.1:8080");
    let own = site.send(request.body(Body::from("code=E1&name=x")).unwrap()).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER, "plain http on this machine works");
}

#[tokio::test]
async fn names_from_pcs_are_never_markup() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "<b>PC</b>", 1).await;
    site.punches(site.contract, terminal, ("\"><img src=x>", "<script>alert(1)</script>"), 1..=2).await;
    let page = site.get(&cookie, "/punches").await.text;
    let account = super::first_account(&page);
    let detail = format!("/punches/{terminal}/1");
    let link = format!("/accounts/link?account={account}");
    let addresses = [
        "/punches",
        "/accounts",
        "/terminals",
        "/employees",
        &detail,
        &link,
        "/punches?employee=%22%3E%3Cimg%20src=x%3E",
    ];
    for address in addresses {
        let text = site.get(&cookie, address).await.text;
        assert!(
            !text.contains("<script>a") && !text.contains("<img") && !text.contains("<b>PC"),
            "{address}"
        );
    }
    assert_eq!(times(&page, "<script"), 1, "only ours");
}

#[tokio::test]
async fn a_spreadsheet_runs_nothing_from_the_file() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "@PC", 1).await;
    site.punches(site.contract, terminal, ("+D", "=HYPERLINK(\"x\")"), 1..=1).await;
    let answer = site.get(&cookie, "/punches.csv").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/csv; charset=utf-8");
    assert!(answer.text.starts_with('\u{feff}'));
    for cell in ["\"'+D\"", "\"'=HYPERLINK(\"\"x\"\")\"", "\"'@PC\""] {
        assert!(answer.text.contains(cell), "{cell} in {}", answer.text);
    }
}

#[tokio::test]
async fn wrong_values_get_a_message_and_never_a_failure() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=2).await;
    let wrong = [
        ("from=2026-13-45", "2026-13-45"),
        ("from=2026-02-02&to=2026-02-01", "終了日が開始日より前"),
        ("terminal=PC-9999", "PC-9999"),
        ("employee=E9", "E9"),
        ("account=X%5Cy", "X\\y"),
        ("kind=lock", "lock"),
        ("after=zzz", "ページの指定"),
        ("from=%00%ff", "という日付はありません"),
    ];
    for (query, message) in wrong {
        let answer = site.get(&cookie, &format!("/punches?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert!(answer.text.contains("role=\"alert\"") && answer.text.contains(message), "{query}");
        assert_eq!(times(&answer.text, "<!-- partial: punch row -->"), 0, "{query}");
    }
    for query in ["open=x", "open=x.y", "from=0001-01-01", "errors=yes", "unknown=1"] {
        assert_eq!(site.get(&cookie, &format!("/punches?{query}")).await.status, StatusCode::OK, "{query}");
    }
    for address in ["/punches/x/1", "/punches/x/y", "/nothing", "/assets/x/../secret", "/assets/x/passwd"] {
        assert_eq!(site.get(&cookie, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
}

#[tokio::test]
async fn too_much_is_refused_with_a_page() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let many: String = (0..501).map(|n| format!("account=00000000-0000-0000-0000-{n:012}&")).collect();
    let answer = site.get(&cookie, &format!("/accounts/link?{many}")).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("500"));
    let long = "x".repeat(600 * 1024);
    let answer = site.post(&cookie, "/employees", &[("name", &long)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let site = Site::new().await;
    for address in ["/login", "/punches", "/nothing"] {
        let answer = site.get("", address).await;
        assert!(
            answer.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"),
            "{address}"
        );
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(answer.header(header::REFERRER_POLICY), "same-origin");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    }
    let style = site.get("", &super::super::assets::address("app.css")).await;
    assert!(style.status == StatusCode::OK && style.header(header::CACHE_CONTROL).contains("immutable"));
}

#[tokio::test]
async fn a_failing_store_gives_a_page_with_a_reference_and_no_detail() {
    let site = Site::new().await;
    let failed = || StoreError::Failed { operation: "list punches", source: "disk full".into() };
    let away = || StoreError::Away { operation: "list punches", source: "disk full".into() };
    // A session that a store without its database was asked for.
    let lost = move || tower_sessions::session::Error::Store(crate::sessions::backend(away()));
    let app = Router::new()
        .route("/failed", get(async move || Err::<(), WebError>(failed().into())))
        .route("/busy", get(async || Err::<(), WebError>(StoreError::Overloaded.into())))
        .route("/away", get(async move || Err::<(), WebError>(away().into())))
        .route("/session", get(async move || Err::<(), WebError>(lost().into())))
        .layer(middleware::from_fn_with_state(site.state.clone(), errors::pages));
    for (address, status, title) in [
        ("/failed", 500, "サーバーエラーです"),
        ("/busy", 503, "サーバーが混み合っています"),
        ("/away", 503, "データベースに接続できません"),
        ("/session", 503, "データベースに接続できません"),
    ] {
        let request = Request::get(address).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers().contains_key(header::RETRY_AFTER), status == 503, "{address}");
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains(title) && text.contains("問い合わせ番号"), "{address}");
        assert!(!text.contains("disk full") && !text.contains("list punches"), "{address}");
    }
}

/// Sessions in a database that cannot be reached any more when they are to be written.
#[derive(Debug, Clone)]
struct Unwritable;

#[async_trait::async_trait]
impl tower_sessions::SessionStore for Unwritable {
    async fn save(&self, _: &Record) -> Result<(), tower_sessions::session_store::Error> {
        let operation = "save a session";
        Err(crate::sessions::backend(StoreError::Away { operation, source: "disk full".into() }))
    }

    async fn create(&self, record: &mut Record) -> Result<(), tower_sessions::session_store::Error> {
        self.save(record).await
    }

    async fn load(&self, _: &Id) -> Result<Option<Record>, tower_sessions::session_store::Error> {
        Ok(None)
    }

    async fn delete(&self, _: &Id) -> Result<(), tower_sessions::session_store::Error> {
        Ok(())
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_written_is_answered_in_words() {
    let site = Site::new().await;
    let writes = async |session: Session| {
        session.insert("banner", 1).await.unwrap();
        "answered"
    };
    let routes = Router::new().route("/writes", get(writes)).route("/reads", get(async || "read"));
    let app = super::super::layered(routes, Unwritable, site.state.clone());
    let ask = async |address: &str, language: &str| {
        let request = Request::get(address).header(header::ACCEPT_LANGUAGE, language);
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.unwrap();
        (head, String::from_utf8(body.to_vec()).unwrap())
    };
    for (language, title) in
        [("ja", "データベースに接続できません"), ("en", "The database cannot be reached")]
    {
        let (head, text) = ask("/writes", language).await;
        assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
        assert!(text.contains(title) && !text.contains("disk full") && !text.contains("answered"), "{text}");
        assert_eq!(head.headers[header::RETRY_AFTER], "10");
        let policy = head.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!head.headers.contains_key(header::SET_COOKIE), "no session that is nowhere");
    }
    let (head, text) = ask("/reads", "ja").await;
    assert_eq!((head.status, text.as_str()), (StatusCode::OK, "read"), "nothing is to be written");
}
