//! What operators do with contracts.

use axum::http::{StatusCode, header};
use mngntime_store::{ContractStatus, KeyHash, QuarantineReason, Quarantined, Role};

use super::{NOW, Site, times};

#[tokio::test]
async fn a_contract_is_made_with_a_key_that_is_shown_once_and_works() {
    let site = Site::new().await;
    let operator = site.person("root", Role::Operator, None).await;
    assert_eq!(site.get(&operator, "/").await.header(header::LOCATION), "/contracts");
    let made = site.post(&operator, "/contracts", &[("code", "Ｃ－３"), ("name", "株式会社<b>")]).await;
    assert_eq!(made.status, StatusCode::OK);
    let key = made.text.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(key.len(), 32);
    let list = site.get(&operator, "/contracts").await.text;
    assert!(!list.contains(&key) && list.contains("株式会社&#60;b&#62;") && !list.contains("<b>"));
    assert_eq!(times(&list, "scope=\"row\""), 2);
    let enrolment = mngntime_store::Enrolment {
        contract: "C-3".into(),
        key: KeyHash::of(&key),
        public_key: "k".into(),
        host_name: "PC".into(),
        os: "Windows 11".into(),
        makeup: "m".into(),
        key_class: "software".into(),
        agent_version: "0.1.0".into(),
        proposed: mngntime_model::TerminalId::from_random([9; 16]),
        at: NOW,
    };
    let outcome = site.store.enroll(enrolment).await.unwrap();
    assert!(matches!(outcome, mngntime_store::EnrollmentOutcome::Enrolled(_)), "{outcome:?}");
    for (code, name) in [("C-3", "n"), ("", "n"), ("D-4", ""), ("a b", "n")] {
        let answer = site.post(&operator, "/contracts", &[("code", code), ("name", name)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{code} {name}");
        assert!(answer.text.contains("aria-invalid=\"true\""), "{code} {name}");
    }
}

#[tokio::test]
async fn a_contract_gets_its_first_administrator_by_a_link_and_nobody_else_from_outside() {
    let site = Site::new().await;
    let operator = site.person("root", Role::Operator, None).await;
    let address = format!("/contracts/{}/administrator", site.contract.0);
    let list = site.get(&operator, "/contracts").await.text;
    assert!(list.contains(&format!("href=\"{address}\"")), "{list}");
    assert!(site.get(&operator, &address).await.text.contains("サインインできる管理者がまだいません。"));
    for (login, name, wrong) in
        [("a b", "木村", "f-login-e"), ("kimura", "", "f-name-e"), ("root", "x", "f-login-e")]
    {
        let answer = site.post(&operator, &address, &[("login", login), ("name", name)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{login}");
        let typed = format!("value=\"{login}\"");
        assert!(answer.text.contains(wrong) && answer.text.contains(&typed), "{}", answer.text);
    }
    let made = site.post(&operator, &address, &[("login", "kimura"), ("name", "木村 <b>")]).await;
    assert_eq!(made.status, StatusCode::OK);
    let link = made.text.split("<code>").nth(1).unwrap().split('<').next().unwrap();
    let setup = link.strip_prefix("https://time.example").expect(link).to_owned();
    assert!(!site.get(&operator, &address).await.text.contains(&setup), "shown once");
    let secret = "correct horse battery staple";
    let chosen = site.post("", &setup, &[("password", secret), ("again", secret)]).await;
    assert!(chosen.text.contains("パスワードを決めました。"), "{}", chosen.text);
    let person = site.store.administrator("kimura").await.unwrap().unwrap();
    assert_eq!((person.data.role, person.data.contract), (Role::Administrator, Some(site.contract)));
    assert_eq!(person.data.display_name, "木村 <b>");
    // From now on the contract's own people say who signs in.
    for answer in [
        site.get(&operator, &address).await,
        site.post(&operator, &address, &[("login", "second"), ("name", "n")]).await,
    ] {
        assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/contracts"));
    }
    let list = site.get(&operator, "/contracts").await.text;
    assert!(list.contains("すでに管理者がいます。") && !list.contains(&address), "{list}");
    assert!(site.store.administrator("second").await.unwrap().is_none());
    let log = site.store.audit_log(Some(site.contract), None, 10).await.unwrap();
    let by_operator = log.iter().filter(|entry| entry.by == "administrator:root");
    let actions: Vec<_> = by_operator.map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["make_setup_link", "create_administrator"]);
    let own = site.session(person.id).await;
    assert_eq!(site.get(&own, &address).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.get(&operator, "/contracts/99/administrator").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn contracts_are_listed_page_by_page_and_found_by_code_and_name() {
    let site = Site::new().await;
    let operator = site.person("root", Role::Operator, None).await;
    for n in 0..55 {
        super::contract(&site.store, &format!("Z-{n:02}")).await;
    }
    let first = site.get(&operator, "/contracts").await.text;
    assert_eq!(times(&first, "scope=\"row\""), 50);
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = site.get(&operator, next).await.text;
    assert!(times(&second, "scope=\"row\"") == 6 && second.contains("Z-54") && !second.contains("Z-47"));
    let found = site.get(&operator, "/contracts?q=%EF%BD%9A%EF%BC%8D%EF%BC%95").await.text;
    assert_eq!(times(&found, "scope=\"row\""), 5, "full width, any case");
}

#[tokio::test]
async fn suspending_and_the_option_judge_stored_punches_again() {
    let site = Site::new().await;
    let operator = site.person("root", Role::Operator, None).await;
    let address = format!("/contracts/{}", site.contract.0);
    let status = async || site.store.contract("A-1").await.unwrap().unwrap();
    let post = async |what: &str, fields: &[(&str, &str)]| {
        let answer = site.post(&operator, &format!("{address}{what}"), fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{what}");
    };
    post("/suspend", &[]).await;
    assert_eq!(status().await.status, ContractStatus::Suspended);
    let page = site.get(&operator, "/contracts").await.text;
    assert!(page.contains("停止中") && page.contains(&format!("{address}/resume")));
    post("/resume", &[]).await;
    assert_eq!(status().await.status, ContractStatus::Active);
    post("", &[("name", "別の名前")]).await;
    let changed = status().await;
    assert!(changed.name == "別の名前" && !changed.logon_punch_option);
    let log = site.store.audit_log(Some(site.contract), None, 10).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions[..4], ["change_contract", "rename_contract", "change_contract", "change_contract"]);
    assert!(log[..4].iter().all(|entry| entry.by == "administrator:root"));
    for wrong in ["/contracts/99", "/contracts/x"] {
        let answer = site.post(&operator, wrong, &[("name", "n")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn the_quarantine_shows_what_was_claimed_and_nothing_of_the_message() {
    let site = Site::new().await;
    let operator = site.person("root", Role::Operator, None).await;
    assert!(site.get(&operator, "/contracts/quarantine").await.text.contains("隔離された受信はありません"));
    for number in 0..60 {
        let entry = Quarantined {
            received_at: NOW.plus(number),
            reason: QuarantineReason::UnknownContract,
            contract: format!("<i>{number}"),
            terminal: "t".into(),
            body: b"SECRET".to_vec(),
        };
        site.store.quarantine(entry).await.unwrap();
    }
    let page = site.get(&operator, "/contracts/quarantine").await.text;
    assert_eq!(times(&page, "契約が不明</td>"), 50);
    assert!(page.contains("&#60;i&#62;59") && !page.contains("SECRET") && page.contains("60件を保管"));
    let next = page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(times(&site.get(&operator, &next).await.text, "契約が不明</td>"), 10);
    let pages = ["/contracts", "/contracts?q=zzz", "/contracts/quarantine", "/health", "/audit"];
    super::pages::check(&site, &pages.map(|page| (operator.clone(), page.to_owned()))).await;
    let admin = site.administrator().await;
    for page in ["/contracts", "/contracts/quarantine"] {
        assert_eq!(site.get(&admin, page).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    let health = site.get(&operator, "/health").await.text;
    assert!(health.contains("保管 60件（容量の1%） · 件数のみ 0件"), "{health}");
}

#[tokio::test]
async fn what_was_looked_at_in_quarantine_is_deleted_and_what_came_since_stays() {
    let site = Site::new().await;
    let operator = site.person("root", Role::Operator, None).await;
    let held = async |terminal: &str, at| {
        let (reason, contract) = (QuarantineReason::UnknownContract, "dmeo".into());
        let (terminal, body, received_at) = (terminal.into(), vec![1], NOW.plus(at));
        let entry = Quarantined { received_at, reason, contract, terminal, body };
        site.store.quarantine(entry).await.unwrap();
    };
    held("first", 1).await;
    held("second", 2).await;
    let page = site.get(&operator, "/contracts/quarantine").await.text;
    let last = page.split("name=\"last\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    held("since", 3).await;
    let post = async |who: &str, last: &str| site.post(who, "/contracts/quarantine", &[("last", last)]).await;
    assert_eq!(post(&site.administrator().await, &last).await.status, StatusCode::FORBIDDEN);
    assert_eq!(post(&operator, "x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&operator, &last).await.header(header::LOCATION), "/contracts/quarantine");
    let page = site.get(&operator, "/contracts/quarantine").await.text;
    assert!(page.contains("隔離された受信を2件、削除しました") && page.contains("since"), "{page}");
    assert!(!page.contains("second"));
    let log = site.store.audit_log(None, None, 1).await.unwrap();
    assert_eq!((log[0].by.as_str(), log[0].action.as_str()), ("administrator:root", "empty_quarantine"));
    let page = site.get(&operator, "/audit?action=empty_quarantine").await.text;
    assert!(page.contains("隔離された受信を削除"), "{page}");
}
