//! What holds for every answer, whoever asks and however it ends: headers, cookies, nothing inline, nothing foreign.

use std::io::Read as _;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderName, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mngntime_store::Role;
use tower::ServiceExt as _;

use super::super::{assets, router};
use super::{Answer, Site, first_account, times};

/// A name that is markup, ends attributes, and turns round what follows.
const NAME: &str = "\u{202e}\"'><script>alert(1)</script><img src=x onerror=alert(2)>👩‍💻";

/// Header and what its value must hold.
const HEADERS: [(&str, &[&str]); 6] = [
    (
        "content-security-policy",
        &[
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ],
    ),
    ("x-content-type-options", &["nosniff"]),
    ("referrer-policy", &["same-origin"]),
    ("cross-origin-opener-policy", &["same-origin"]),
    ("cross-origin-resource-policy", &["same-origin"]),
    ("permissions-policy", &["camera=()", "microphone=()", "geolocation=()"]),
];

fn check_headers(answer: &Answer, what: &str) {
    for (name, parts) in HEADERS {
        let value = answer.header(HeaderName::from_static(name));
        for part in parts {
            assert!(value.contains(part), "{what}: {name} is {value:?}");
        }
        for bad in ["-inline", "-eval", "data:", "*", "http:"] {
            assert!(!value.contains(bad), "{what}: {name} allows {bad}");
        }
    }
}

/// A contract in which everything that somebody else names is [`NAME`]; its administrator's cookie, and the address
/// of every page.
async fn hostile(site: &Site) -> (String, Vec<String>) {
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", NAME, 1).await;
    site.punches(site.contract, terminal, (NAME, NAME), 1..=3).await;
    let department = [("code", "D1"), ("name", NAME)];
    assert_eq!(site.post(&cookie, "/departments", &department).await.status, StatusCode::SEE_OTHER);
    let employee = [("code", "E1"), ("name", NAME), ("department", NAME), ("kana", NAME)];
    assert_eq!(site.post(&cookie, "/employees", &employee).await.status, StatusCode::SEE_OTHER);
    let account = first_account(&site.get(&cookie, "/punches").await.text);
    let terminal_page = format!("/punches/{terminal}/1");
    let drawer = site.get(&cookie, "/punches").await.text;
    let drawer =
        drawer.split("data-row href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let pages = [
        "/login?next=%22%3E%3Cscript%3E",
        "/punches",
        &drawer,
        "/punches?employee=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&terminal=%E2%80%AEx&account=%3Cimg%20src=x%3E",
        &terminal_page,
        "/employees",
        "/employees?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/accounts",
        "/accounts?q=%27%3E%3Cscript%3Ealert(1)%3C/script%3E",
        &format!("/accounts/link?account={account}"),
        "/days",
        "/departments",
        "/administrators",
        "/terminals",
        "/terminals?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/terminals/enroll",
        &format!("/terminals/{terminal}/days"),
    ];
    (cookie, pages.map(str::to_owned).to_vec())
}

/// What stands between `<` and `>`: a value cannot hold either, because both are escaped.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).map(|part| part.split('>').next().unwrap())
}

/// A tag without the values of its attributes.
fn without_values(tag: &str) -> String {
    tag.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

#[tokio::test]
async fn every_answer_carries_every_header_however_it_ends() {
    let site = Site::new().await;
    let (cookie, pages) = hostile(&site).await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    for page in &pages {
        let answer = site.get(&cookie, page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        check_headers(&answer, page);
    }
    let long = "x".repeat(600 * 1024);
    let cross = Request::post("/employees")
        .header(header::HOST, "time.example")
        .header("sec-fetch-site", "cross-site");
    let ends = [
        ("file", site.get(&cookie, "/punches.csv").await, 200),
        ("asset", site.get("", &assets::address("app.css")).await, 200),
        ("signed out", site.get("", "/punches").await, 303),
        ("language", site.get("", "/language?to=en").await, 303),
        ("role", site.get(&it, "/punches").await, 403),
        ("other site", site.send(cross.body(Body::empty()).unwrap()).await, 403),
        ("nothing there", site.get("", "/nothing").await, 404),
        ("wrong method", site.post(&cookie, "/punches", &[]).await, 405),
        ("too large", site.post(&cookie, "/employees", &[("name", &long)]).await, 413),
        ("wrong form", site.post(&cookie, "/employees", &[("name", "")]).await, 422),
        ("wrong password", site.post("", "/login", &[("user", "x"), ("password", "y")]).await, 422),
    ];
    for (what, answer, status) in &ends {
        assert_eq!(answer.status.as_u16(), *status, "{what}");
        check_headers(answer, what);
    }
}

#[tokio::test]
async fn names_from_outside_are_text_on_every_page() {
    let site = Site::new().await;
    let (cookie, pages) = hostile(&site).await;
    for page in &pages {
        let text = site.get(&cookie, page).await.text;
        assert!(text.contains("&#60;script&#62;") || !text.contains("alert("), "{page} shows the name");
        assert!(!text.contains('\u{202e}'), "{page} can be turned round");
        assert_eq!(times(&text, "<script"), 1, "{page}: only ours");
        for tag in tags(&text).map(without_values) {
            let names: Vec<&str> = tag.split([' ', '\n', '=']).collect();
            let bad = |name: &&str| {
                name.starts_with("on") || ["style", "srcdoc", "iframe", "img", "object"].contains(name)
            };
            assert!(!names.iter().any(bad), "{page}: <{tag}>");
        }
        assert!(!tags(&text).any(|tag| tag.contains("\"javascript:") || tag.contains("\"data:")), "{page}");
    }
    let list = site.get(&cookie, "/punches").await.text;
    assert!(list.contains("⟨U+202E⟩&#34;&#39;&#62;&#60;script"), "and it is shown as it is");
    assert!(list.contains("👩‍💻"), "with its emoji");
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_other_sites_and_plain_connections() {
    let site = Site::new().await;
    let mut state = site.state.clone();
    state.secure = true;
    let tls = Site { app: router(state), ..site };
    let new = mngntime_store::NewAdministrator {
        password_hash: Some(crate::passwords::hash_new("correct horse").unwrap()),
        ..mngntime_store::NewAdministrator::new("hanako", Role::HumanResources, Some(tls.contract))
    };
    tls.store.create_administrator(new, mngntime_store::Act::server(super::NOW)).await.unwrap();
    let signed_in = tls.post("", "/login", &[("user", "hanako"), ("password", "correct horse")]).await;
    let language = tls.get("", "/language?to=en").await;
    for answer in [&signed_in, &language] {
        let cookie = answer.header(header::SET_COOKIE);
        for flag in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(flag), "{flag} in {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test]
async fn pages_travel_compressed_to_those_who_ask_and_plain_to_others() {
    let site = Site::new().await;
    let (cookie, _) = hostile(&site).await;
    for address in ["/punches", "/punches.csv", &assets::address("app.css"), "/nothing"] {
        let plain = site.get(&cookie, address).await;
        assert_eq!(plain.header(header::CONTENT_ENCODING), "", "{address}");
        let request =
            Request::get(address).header(header::COOKIE, &cookie).header(header::ACCEPT_ENCODING, "br, gzip");
        let answer = site.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip", "{address}");
        assert_eq!(answer.headers()[header::VARY], "accept-encoding", "{address}");
        let packed = answer.into_body().collect().await.unwrap().to_bytes();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert!(packed.len() < plain.text.len(), "{address}: {} of {}", packed.len(), plain.text.len());
        // An error page has a number of its own.
        assert!(address == "/nothing" || text == plain.text, "{address}");
    }
}

#[test]
fn assets_load_nothing_from_elsewhere_and_nothing_that_the_policy_blocks() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for bad in ["url(\"data:", "url(data:", "url(http", "url(\"http", "@import", "eval(", "innerHTML"] {
            assert!(!text.contains(bad), "{}: {bad}", path.display());
        }
    }
}

#[tokio::test]
async fn cookies_are_for_tls_only_where_the_server_is_said_to_be_reached_over_it() {
    use crate::app::{self, App};
    use crate::settings::Settings;
    let site = Site::new().await;
    for (public_url, proxies, secure) in [
        (Some("https://time.example"), &[][..], true),
        (Some("http://time.example"), &[], false),
        (None, &[], false),
        // What the server says of itself counts more than that there is a proxy.
        (Some("http://time.example"), &["127.0.0.1"], false),
        (None, &["127.0.0.1"], true),
    ] {
        let settings = Settings::for_directory(site.directory.path()).unwrap();
        let trusted_proxies =
            proxies.iter().map(|proxy| crate::source_address::Network::read(proxy).unwrap()).collect();
        let settings = Settings { public_url: public_url.map(str::to_owned), trusted_proxies, ..settings };
        let key = mngntime_wire::SecretKey::from_seed(&[42; 32]);
        let clock = std::sync::Arc::new(|| super::NOW);
        let app = App::new(site.store.clone(), key, settings, super::passwords(), clock);
        let site = Site { app: app::router(app), ..Site::new().await };
        let cookie = site.get("", "/language?to=en").await.header(header::SET_COOKIE).to_owned();
        assert_eq!(cookie.contains("; Secure"), secure, "{public_url:?} {cookie}");
    }
}
