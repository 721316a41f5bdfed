//! Enrolment keys and the roll-out page.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mngntime_model::TerminalId;
use mngntime_store::{EnrollmentOutcome, Enrolment, KeyEnd, KeyHash, Role};
use tower::ServiceExt as _;

use super::{NOW, Site, contract};
use crate::packages::Packages;
use crate::web::{FootLinks, WebState, router};

/// The key that a page shows.
fn secret(page: &str) -> String {
    let after = page.split("cmd secret\" tabindex=\"0\"><code>").nth(1).unwrap_or_else(|| panic!("{page}"));
    after.split('<').next().unwrap().to_owned()
}

async fn enroll(site: &Site, key: &str, n: u8) -> EnrollmentOutcome {
    let enrolment = Enrolment {
        contract: "A-1".into(),
        key: KeyHash::of(key),
        public_key: format!("public {n}"),
        host_name: format!("PC-{n}"),
        os: "Windows 11".into(),
        makeup: "m".into(),
        key_class: "tpm".into(),
        agent_version: "0.1.0".into(),
        proposed: TerminalId::from_random([n; 16]),
        at: NOW,
    };
    site.store.enroll(enrolment).await.unwrap()
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_revoked() {
    let site = Site::new().await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    let fields = [("label", "本社 第1回"), ("expires", "２０２６－０７－３１"), ("uses", "１")];
    let posted = site.post(&it, "/terminals/keys", &fields).await;
    assert_eq!((posted.status, posted.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/terminals/keys"));
    let made = site.get(&it, "/terminals/keys").await;
    assert_eq!((made.status, made.header(header::CACHE_CONTROL)), (StatusCode::OK, "no-store"));
    let key = secret(&made.text);
    assert_eq!(key.len(), 32);
    assert!(made.text.contains(&format!("ENROLLMENT_KEY=<span class=\"var\">{key}</span>")), "{}", made.text);
    assert!(made.text.contains("https://time.example") && made.text.contains("A-1"));

    let list = site.get(&it, "/terminals/keys").await.text;
    assert!(!list.contains(&key), "once");
    assert!(
        list.contains("本社 第1回") && list.contains("0 / 1") && list.contains("2026-07-31 24:00"),
        "{list}"
    );
    assert!(matches!(enroll(&site, &key, 1).await, EnrollmentOutcome::Enrolled(_)));
    assert_eq!(enroll(&site, &key, 2).await, EnrollmentOutcome::KeyEnded(KeyEnd::UsedUp));
    let list = site.get(&it, "/terminals/keys").await.text;
    assert!(list.contains("台数に到達") && list.contains("1 / 1"), "{list}");

    assert!(site.get(&it, "/terminals/keys/1/revoke").await.text.contains("登録キー #1 を失効させますか"));
    site.post(&it, "/terminals/keys/1/revoke", &[]).await;
    assert!(site.get(&it, "/terminals/keys").await.text.contains("登録キー #1 を失効させました。"));
    assert_eq!(enroll(&site, "A-1", 3).await, EnrollmentOutcome::KeyEnded(KeyEnd::Revoked));
    for address in ["/terminals/keys/1/revoke", "/terminals/keys/9/rotate", "/terminals/keys/x/revoke"] {
        assert_eq!(site.get(&it, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    let log = format!("{:?}", site.store.audit_log(Some(site.contract), None, 50).await.unwrap());
    assert!(
        log.contains("add_enrollment_key") && log.contains("revoke_enrollment_key") && !log.contains(&key)
    );
}

#[tokio::test]
async fn a_replaced_key_holds_for_the_chosen_time() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let form = site.get(&cookie, "/terminals/keys/1/rotate").await.text;
    assert!(form.contains("登録キー #1 を交換する") && form.contains("value=\"7\" selected"), "{form}");
    let fields = [("label", "次"), ("expires", ""), ("uses", ""), ("overlap", "7")];
    assert_eq!(site.post(&cookie, "/terminals/keys/1/rotate", &fields).await.status, StatusCode::SEE_OTHER);
    let made = site.get(&cookie, "/terminals/keys").await.text;
    assert!(made.contains("前のキーは 2026-06-24 09:24 まで使えます。"), "{made}");
    let key = secret(&made);
    assert!(matches!(enroll(&site, "A-1", 1).await, EnrollmentOutcome::Enrolled(_)), "both hold");
    assert!(matches!(enroll(&site, &key, 2).await, EnrollmentOutcome::Enrolled(_)));
    let wrong = [("overlap", "1000000"), ("label", "")];
    let answer = site.post(&cookie, "/terminals/keys/1/rotate", &wrong).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_told_beside_its_field() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let long = "あ".repeat(65);
    let wrong = [
        ([("label", long.as_str()), ("expires", ""), ("uses", "")], "64文字まで"),
        ([("label", "<b>x"), ("expires", "2026-06-16"), ("uses", "")], "今日より前の日です。"),
        ([("label", ""), ("expires", "2026-13-01"), ("uses", "")], "「2026-13-01」という日付はありません。"),
        ([("label", ""), ("expires", ""), ("uses", "0")], "1から1000000までの数"),
        ([("label", ""), ("expires", ""), ("uses", "many")], "1から1000000までの数"),
    ];
    for (fields, message) in wrong {
        let page = site.post(&cookie, "/terminals/keys", &fields).await.text;
        assert!(page.contains(message) && page.contains("aria-invalid=\"true\""), "{message} {page}");
        assert!(page.contains("role=\"alert\"") && !page.contains("cmd secret") && !page.contains("<b>x"));
    }
    assert_eq!(site.store.list_enrollment_keys(site.contract).await.unwrap().len(), 1, "none was made");
}

#[tokio::test]
async fn another_contracts_keys_are_not_there() {
    let site = Site::new().await;
    let other = contract(&site.store, "B-2").await;
    let new = mngntime_store::NewEnrollmentKey {
        hash: KeyHash::of("theirs"),
        label: "their label".into(),
        expires_at: None,
        uses_max: None,
    };
    site.store.make_enrollment_key(other, new, mngntime_store::Act::server(NOW)).await.unwrap();
    let ours = site.administrator().await;
    assert!(!site.get(&ours, "/terminals/keys").await.text.contains("their label"));
    let answer = site.post(&ours, "/terminals/keys/2/revoke", &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(site.store.list_enrollment_keys(other).await.unwrap()[0].revoked_at, None);
}

async fn page(state: WebState, cookie: &str, address: &str) -> (StatusCode, header::HeaderMap, Vec<u8>) {
    let request = Request::get(address).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    let (parts, body) = router(state).oneshot(request).await.unwrap().into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn packages_are_listed_with_their_digests_and_served_whole() {
    let site = Site::new().await;
    let cookie = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    let directory = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    std::fs::write(directory.path().join("MngnTime-0.1.0-x64-ja-JP.msi"), &content).unwrap();
    std::fs::write(directory.path().join("server.toml"), "secret").unwrap();
    let packages = Arc::new(Packages::new(Some(directory.path().to_owned())));
    let state = || WebState { packages: packages.clone(), ..site.state.clone() };
    let (_, _, html) = page(state(), &cookie, "/terminals/enroll").await;
    let html = String::from_utf8(html).unwrap();
    assert!(
        html.contains("/terminals/packages/MngnTime-0.1.0-x64-ja-JP.msi") && html.contains("200.0 kB"),
        "{html}"
    );
    assert!(
        html.contains("msiexec /i &#34;MngnTime-0.1.0-x64-ja-JP.msi&#34;")
            || html.contains("msiexec /i \"MngnTime-0.1.0-x64-ja-JP.msi\""),
        "{html}"
    );
    assert!(!html.contains("server.toml"));
    let (status, headers, body) =
        page(state(), &cookie, "/terminals/packages/MngnTime-0.1.0-x64-ja-JP.msi").await;
    assert_eq!((status, body == content), (StatusCode::OK, true));
    assert_eq!(headers[header::CONTENT_LENGTH], "200000");
    assert!(headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    for wrong in ["server.toml", "..%2Fserver.toml", "%2Fetc%2Fpasswd", "%2e%2e", "x.msi", "x.msi%00"] {
        let (status, ..) = page(state(), &cookie, &format!("/terminals/packages/{wrong}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{wrong}");
    }
    let (status, ..) = page(state(), "", "/terminals/packages/MngnTime-0.1.0-x64-ja-JP.msi").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "signing in comes first");
}

#[tokio::test]
async fn the_policy_templates_are_offered_beside_the_values_of_the_policy() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str| std::fs::write(directory.path().join(name), name).unwrap();
    let packages = Arc::new(Packages::new(Some(directory.path().to_owned())));
    let state = || WebState { packages: packages.clone(), ..site.state.clone() };
    put("MngnTime-0.1.0-x64-ja-JP.msi");
    let link =
        "<a class=\"break\" href=\"/terminals/packages/MngnTime-0.2.0-PolicyDefinitions.zip\" download>";
    let offered = async |address: &str| {
        String::from_utf8(page(state(), &cookie, address).await.2).unwrap().contains(link)
    };
    assert!(!offered("/terminals/enroll").await);
    put("MngnTime-0.1.0-PolicyDefinitions.zip");
    put("MngnTime-0.2.0-PolicyDefinitions.zip");
    assert!(offered("/terminals/enroll").await);
    site.post(&cookie, "/terminals/keys", &[("label", "x"), ("expires", ""), ("uses", "")]).await;
    assert!(offered("/terminals/keys").await, "where the new key is shown");
    assert!(!offered("/terminals/keys").await, "shown once");
}

#[tokio::test]
async fn without_packages_the_page_says_where_they_are_or_whom_to_ask() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let html = async |state: WebState| {
        let (status, _, html) = page(state, &cookie, "/terminals/enroll").await;
        assert_eq!(status, StatusCode::OK);
        String::from_utf8(html).unwrap()
    };
    let build = html(site.state.clone()).await;
    assert!(
        build.contains("まだパッケージが置かれていません")
            && build.contains("packages_dir")
            && !build.contains("xtask"),
        "who builds them is no business of the reader"
    );
    assert!(build.contains("server_url = \"<span class=\"var\">https://time.example</span>\""), "{build}");
    assert!(build.contains("HKLM\\SOFTWARE\\Policies\\MngnTime"));
    let downloads = Some("https://files.example/mngntime".to_owned());
    let elsewhere = WebState { foot: FootLinks { downloads, ..FootLinks::default() }, ..site.state.clone() };
    let elsewhere = html(elsewhere).await;
    assert!(
        elsewhere.contains("https://files.example/mngntime")
            && !elsewhere.contains("まだパッケージが置かれていません")
    );
    let gone = Arc::new(Packages::new(Some("/nowhere/at/all".into())));
    let gone = html(WebState { packages: gone, ..site.state.clone() }).await;
    assert!(gone.contains("パッケージのフォルダーを読めません。"), "the rest of the page is of use");
}
