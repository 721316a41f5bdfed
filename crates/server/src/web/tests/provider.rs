//! Another provider that does not answer holds up nobody.

use std::net::TcpListener;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::Site;
use crate::provider::{ASKING_MAX, Provider};
use crate::settings::ProviderSettings;
use crate::web::router;

const BUSY: &str = "外部のサインインが混み合っているか、応答していません";

/// A site with a provider at this address.
async fn site(listener: &TcpListener) -> Site {
    let mut site = Site::new().await;
    let settings = ProviderSettings {
        issuer: format!("http://{}", listener.local_addr().unwrap()),
        name: "ID".into(),
        client_id: "mngntime".into(),
        client_secret_file: None,
        scopes: Vec::new(),
        login_claim: None,
        contract: "A-1".into(),
        second_factor: Vec::new(),
    };
    site.state.provider = Some(Arc::new(Provider::new(settings, "https://time.example")));
    site.app = router(site.state.clone());
    site
}

async fn away(app: axum::Router) -> (StatusCode, String) {
    let request = Request::get("/login/provider").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// The runtime has fewer threads that may wait than people ask, as a real one has with more of both.
#[test]
fn a_provider_that_never_answers_holds_up_neither_pages_nor_who_comes_beyond_the_bound() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(40)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // Connections are accepted by the system, and nobody ever reads from them.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = site(&listener).await;
        let mut asked = JoinSet::new();
        (0..100).for_each(|_| {
            asked.spawn(away(site.app.clone()));
        });
        for _ in ASKING_MAX..100 {
            let (status, text) = asked.join_next().await.unwrap().unwrap();
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(text.contains(BUSY), "{text}");
        }
        assert_eq!(site.store.active_terminals().await.unwrap(), 0, "the store is read");
        assert_eq!(site.get("", "/login").await.status, StatusCode::OK);
        assert_eq!(asked.len(), ASKING_MAX, "the others still wait for the provider");
        drop(listener);
        while let Some(answer) = asked.join_next().await {
            assert!(answer.unwrap().1.contains("サインインできませんでした"));
        }
        assert!(
            away(site.app.clone()).await.1.contains(BUSY),
            "a failure is remembered, and not tried again"
        );
    });
}

#[tokio::test]
async fn beginnings_are_counted_by_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut site = site(&listener).await;
    // Refuses connections: each beginning ends at once.
    drop(listener);
    let address = "192.0.2.7".parse().unwrap();
    site.state.client = Arc::new(move |_, _| Some(address));
    site.app = router(site.state.clone());
    let provider = site.state.provider.clone().unwrap();
    let begin = || provider.begun.failed(Some(address), crate::limiter::Login::Known, super::NOW);
    (1..crate::provider::BEGUN_PER_ADDRESS).for_each(|_| drop(begin()));
    let is_closed = || provider.begun.closed_until(Some(address), super::NOW).is_some();
    assert!(!is_closed());
    away(site.app.clone()).await;
    assert!(is_closed(), "this one counted");
    let (status, text) = away(site.app.clone()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains(BUSY), "{text}");
    let there = site.state.limiter.closed_until(Some(address), super::NOW);
    assert_eq!(there, None, "passwords are not held up by it");
}

#[tokio::test]
async fn whoever_stops_at_the_provider_is_told_so_and_keeps_where_they_wanted_to_go() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = site(&listener).await;
    let back = site.get("", "/login/provider/back?error=access_denied&state=x").await;
    assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(back.text.contains("サインインを取りやめました") && !back.text.contains(BUSY), "{}", back.text);
    let failed = site.get("", "/login/provider/back?error=server_error&state=x").await;
    assert!(failed.text.contains("使える返事がありませんでした"), "{}", failed.text);
}
