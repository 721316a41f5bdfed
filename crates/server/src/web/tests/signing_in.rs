//! Who gets in, and what they may see.

use axum::http::{StatusCode, header};
use mngntime_store::{Act, NewAdministrator, Role};

use super::{NOW, Site, contract, times};
use crate::passwords::hash_new;

#[tokio::test]
async fn somebody_anonymous_is_sent_to_sign_in() {
    let site = Site::new().await;
    for address in
        ["/", "/punches?errors=1", "/punches.csv", "/employees", "/accounts", "/accounts/link", "/terminals"]
    {
        let answer = site.get("", address).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{address}");
        assert!(answer.header(header::LOCATION).starts_with("/login?next=%2F"), "{address}");
    }
    assert_eq!(site.post("", "/accounts/link", &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_right_password_gets_in_with_a_new_session_and_wrong_ones_do_not() {
    let site = Site::new().await;
    let new = NewAdministrator {
        password_hash: Some(hash_new("correct horse").unwrap()),
        ..NewAdministrator::new("hanako", Role::HumanResources, Some(site.contract))
    };
    site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    let wrong = site.post("", "/login", &[("user", "hanako"), ("password", "wrong horse")]).await;
    let unknown = site.post("", "/login", &[("user", "nobody"), ("password", "wrong horse")]).await;
    assert_eq!(
        (wrong.status, unknown.status),
        (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY)
    );
    assert_eq!(wrong.text.replace("hanako", "nobody"), unknown.text, "the answers tell nothing apart");
    assert!(wrong.headers.get(header::SET_COOKIE).is_none());

    let planted = "mngntime_session=AAAAAAAAAAAAAAAAAAAAAA";
    let fields = [("user", "hanako"), ("password", "correct horse"), ("next", "//evil.example")];
    let right = site.post(planted, "/login", &fields).await;
    assert_eq!((right.status, right.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/"));
    let cookie = right.header(header::SET_COOKIE).to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"));
    let session = cookie.split(';').next().unwrap();
    assert_ne!(session, planted);
    let entries = site.store.evidence_entries(site.contract, 0, 100).await.unwrap();
    let noted = entries.iter().filter(|entry| entry.record.action == "sign_in");
    let noted: Vec<_> = noted.map(|entry| entry.record.by.as_str()).collect();
    assert_eq!(noted, ["administrator:hanako"], "in the contract's log, and the failures are not");
    assert_eq!(site.get(session, "/punches").await.status, StatusCode::OK);

    let out = site.post(session, "/logout", &[]).await;
    assert_eq!(out.header(header::LOCATION), "/login");
    assert_eq!(site.get(session, "/punches").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_password_counts_with_the_spaces_at_its_ends_wherever_it_is_chosen_and_typed() {
    let site = Site::new().await;
    let sign_in = async |login: &str, password: &str| {
        site.post("", "/login", &[("user", login), ("password", password)]).await.status
    };
    let outside = " correct horse ";
    // As `admin create --password-stdin` stores it.
    let new = NewAdministrator {
        password_hash: Some(hash_new(outside).unwrap()),
        ..NewAdministrator::new("hanako", Role::HumanResources, Some(site.contract))
    };
    let hanako = site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    // As the page behind a set-up link stores it.
    let made = crate::invitation::invite(site.store.as_ref(), Some(site.contract), hanako, Act::server(NOW));
    let (typed, setup) = ("\u{3000}battery staple ", made.await.unwrap().path());
    assert_eq!(sign_in("hanako", outside).await, StatusCode::SEE_OTHER);
    assert_eq!(sign_in("hanako", outside.trim()).await, StatusCode::UNPROCESSABLE_ENTITY);
    let other = site.post("", &setup, &[("password", typed), ("again", typed.trim())]).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "typed twice alike");
    assert_eq!(site.post("", &setup, &[("password", typed), ("again", typed)]).await.status, StatusCode::OK);
    assert_eq!(sign_in("hanako", typed).await, StatusCode::SEE_OTHER);
    assert_eq!(sign_in("hanako", typed.trim()).await, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn every_role_sees_only_its_pages() {
    let site = Site::new().await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    for address in ["/punches", "/punches.csv", "/employees", "/accounts", "/accounts/link?account=x"] {
        let answer = site.get(&it, address).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{address}");
        assert!(answer.text.contains("労務担当"), "{address} says what to do");
    }
    assert_eq!(site.get(&it, "/terminals").await.status, StatusCode::OK);
    assert_eq!(site.get(&it, "/").await.header(header::LOCATION), "/terminals");

    let auditor = site.person("auditor", Role::Auditor, Some(site.contract)).await;
    assert_eq!(site.get(&auditor, "/punches").await.status, StatusCode::OK);
    assert_eq!(
        site.post(&auditor, "/employees", &[("code", "1"), ("name", "x")]).await.status,
        StatusCode::FORBIDDEN
    );
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let block = format!("/terminals/{terminal}/block");
    assert_eq!(site.post(&auditor, &block, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.post(&it, &block, &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_operator_is_told_where_the_work_is() {
    let site = Site::new().await;
    let operator = site.person("ops", Role::Operator, None).await;
    assert_eq!(site.get(&operator, "/").await.header(header::LOCATION), "/contracts");
    let start = site.get(&operator, "/contracts").await.text;
    let invite = format!("/contracts/{}/administrator", site.contract.0);
    assert!(start.contains(&invite) && start.contains("最初の管理者を招待します。"), "{start}");
    assert_eq!(site.get(&operator, "/punches").await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.get(&operator, "/terminals").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_contracts_rows_cannot_be_seen_or_changed() {
    let site = Site::new().await;
    let other = contract(&site.store, "B-2").await;
    let terminal = site.terminal("B-2", "PC-OTHER", 2).await;
    site.punches(other, terminal, ("OTHER", "secret"), 1..=3).await;
    let theirs = site.person("them", Role::Administrator, Some(other)).await;
    let page = site.get(&theirs, "/punches").await;
    assert_eq!(times(&page.text, "<!-- partial: punch row -->"), 3);
    let account = super::first_account(&page.text);

    let ours = site.administrator().await;
    for address in ["/punches", "/punches?terminal=PC-OTHER", "/accounts", "/terminals", "/punches.csv"] {
        let text = site.get(&ours, address).await.text;
        assert!(!text.contains("secret") && !text.contains(">PC-OTHER<"), "{address}");
    }
    for address in [format!("/punches/{terminal}/1"), format!("/accounts/link?account={account}")] {
        assert_eq!(site.get(&ours, &address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    assert_eq!(
        site.post(&ours, &format!("/terminals/{terminal}/block"), &[]).await.status,
        StatusCode::NOT_FOUND
    );
    let save = [
        ("account", account.as_str()),
        ("mode-0", "new"),
        ("code-0", "E1"),
        ("name-0", "n"),
        ("from-0", "2026-01-01"),
        ("step", "save"),
    ];
    assert_eq!(site.post(&ours, "/accounts/link", &save).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_session_that_is_over_is_said_to_be_and_leads_back_to_the_page_of_the_form() {
    let site = Site::new().await;
    site.administrator().await;
    let dead = "mngntime_session=AAAAAAAAAAAAAAAAAAAAAA";
    let looked = site.get(dead, "/punches?errors=1").await;
    assert_eq!(looked.header(header::LOCATION), "/login?next=%2Fpunches%3Ferrors%3D1&over=session");
    let page = site.get(dead, "/login?next=%2Fpunches&over=session").await.text;
    assert!(page.contains("サインインの有効期限が切れています") && !page.contains("保存されていません"));
    let send = async |referer: &str| {
        let request = axum::http::Request::post("/accounts/link")
            .header(header::COOKIE, dead)
            .header(header::HOST, "time.example")
            .header(header::REFERER, referer)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let answer = site.send(request.body(axum::body::Body::from("account=x")).unwrap()).await;
        answer.header(header::LOCATION).to_owned()
    };
    let back = "/login?next=%2Faccounts%2Flink%3Faccount%3D7&over=form";
    assert_eq!(send("https://time.example/accounts/link?account=7").await, back);
    for strange in ["https://evil.example/accounts", "nonsense", "https://time.example.evil/x"] {
        assert_eq!(send(strange).await, "/login?next=%2F&over=form", "{strange}");
    }
    let page = site.get(dead, "/login?next=%2F&over=form").await.text;
    assert!(page.contains("送信した内容は保存されていません"), "{page}");
    for plain in ["/login", "/login?over=%3Cb%3E"] {
        assert!(!site.get("", plain).await.text.contains("有効期限"), "{plain}");
    }
    assert_eq!(site.get("", "/punches").await.header(header::LOCATION), "/login?next=%2Fpunches");
}

#[tokio::test]
async fn a_server_without_anybody_says_at_the_door_where_the_link_is() {
    let site = Site::new().await;
    assert!(site.get("", "/login").await.text.contains("setup-link="));
    let operator = NewAdministrator::new("operator", Role::Operator, None);
    site.store.create_administrator(operator, Act::server(NOW)).await.unwrap();
    assert!(site.get("", "/login").await.text.contains("setup-link="), "invited is not in");
    site.administrator().await;
    assert!(!site.get("", "/login").await.text.contains("setup-link="));
}
