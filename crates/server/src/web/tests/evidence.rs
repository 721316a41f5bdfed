//! The pages of evidence packs: who may, what is wrong, what is said. What is in the file: `tests/evidence_pages.rs`.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use mngntime_store::{EmployeeId, NewAdministrator, Role};
use mngntime_wire::SecretKey;

use super::{NOW, Site, times};
use crate::evidence::on_request::Packs;
use crate::web::router;

const JUNE: [(&str, &str); 2] = [("from", "２０２６-06-01"), ("to", "2026-06-17")];

/// A site with a linked employee with punches, and that employee signed in.
struct Office {
    site: Site,
    employee: EmployeeId,
    own: String,
}

impl Office {
    async fn new() -> Self {
        let site = Site::new().await;
        let admin = site.administrator().await;
        let terminal = site.terminal("A-1", "PC-1", 1).await;
        site.punches(site.contract, terminal, ("D", "hanako"), 1..=4).await;
        let page = site.get(&admin, "/punches?errors=1").await.text;
        let account = super::first_account(&page);
        let fields = [
            ("account", account.as_str()),
            ("mode-0", "new"),
            ("code-0", "E-1"),
            ("name-0", "花子"),
            ("from-0", "2026-06-01"),
            ("step", "save"),
        ];
        site.post(&admin, "/accounts/link", &fields).await;
        let employee = site.store.find_employees(site.contract.into(), "E-1".into()).await.unwrap()[0].id;
        let new = NewAdministrator {
            employee: Some(employee),
            ..NewAdministrator::new("hanako", Role::Employee, Some(site.contract))
        };
        let own = site.somebody(new).await;
        Self { site, employee, own }
    }

    async fn noted(&self) -> Vec<String> {
        let log = self.site.store.audit_log(Some(self.site.contract), None, 50).await.unwrap();
        let ours = log.into_iter().filter(|entry| entry.action == "export_evidence");
        ours.map(|entry| entry.object).collect()
    }
}

#[tokio::test]
async fn hr_and_auditors_may_ask_for_anybody_and_others_for_nobody_else() {
    let office = Office::new().await;
    let site = &office.site;
    let base = format!("/employees/{}/evidence", office.employee);
    let person = format!("/employees/{}", office.employee);
    for role in [Role::HumanResources, Role::Auditor] {
        let cookie = site.person(role.name(), role, Some(site.contract)).await;
        assert!(site.get(&cookie, &person).await.text.contains(&format!("href=\"{base}\"")));
        assert_eq!(site.get(&cookie, &base).await.status, StatusCode::OK);
        super::pages::check(site, &[(cookie, base.clone())]).await;
    }
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    for cookie in [&office.own, &it] {
        assert_eq!(site.post(cookie, &base, &JUNE).await.status, StatusCode::FORBIDDEN);
        for address in [&base, &format!("{base}/pack")] {
            assert_eq!(site.get(cookie, address).await.status, StatusCode::FORBIDDEN, "{address}");
        }
    }
    let me = site.get(&office.own, "/me").await.text;
    assert!(me.contains("href=\"/me/evidence\""));
    let none = site.get(&office.own, "/me/evidence/pack").await;
    assert_eq!(none.header(header::LOCATION), "/me/evidence", "there is none yet");
    let key = site.get(&office.own, "/evidence-key").await.text;
    assert_eq!(key, format!("{}\n", SecretKey::from_seed(&[42; 32]).public()));
}

#[tokio::test]
async fn the_period_is_bounded_and_wrong_dates_are_said() {
    let office = Office::new().await;
    for (from, to, message) in [
        ("", "2026-06-17", "開始日と終了日を入力してください"),
        ("2026-13-01", "2026-06-17", "「2026-13-01」という日付はありません"),
        ("2026-06-17", "2026-06-16", "終了日が開始日より前です"),
        ("2025-06-16", "2026-06-17", "期間は366日以内にしてください"),
    ] {
        let answer = office.site.post(&office.own, "/me/evidence", &[("from", from), ("to", to)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{from} {to}");
        assert!(
            answer.text.contains(message) && times(&answer.text, "aria-invalid=\"true\"") == 2,
            "{from} {to}"
        );
    }
    assert!(office.noted().await.is_empty());
    let longest = [("from", "2025-06-17"), ("to", "2026-06-17")];
    assert_eq!(office.site.post(&office.own, "/me/evidence", &longest).await.status, StatusCode::SEE_OTHER);
}

/// The events of these tests are made up, so that no pack can be made of them: what is told then.
#[tokio::test]
async fn while_one_is_made_the_page_says_so_and_a_failure_is_told_and_not_noted_as_an_export() {
    let mut office = Office::new().await;
    office.site.state.packs = Arc::new(Packs::new(
        office.site.store.clone(),
        Arc::default(),
        SecretKey::from_seed(&[42; 32]),
        Arc::new(|| NOW),
        office.site.directory.path().to_owned(),
        Duration::ZERO,
        300,
    ));
    office.site.app = router(office.site.state.clone());
    let (site, own) = (&office.site, &office.own);
    let turns = site.state.packs.hold().await;
    assert_eq!(site.post(own, "/me/evidence", &JUNE).await.status, StatusCode::SEE_OTHER);
    let waiting = site.get(own, "/me/evidence").await.text;
    assert!(waiting.contains("2026-06-01〜2026-06-17 の証拠ファイルを作成しています"), "{waiting}");
    assert!(waiting.contains("role=\"status\""));
    assert_eq!(site.get(own, "/me/evidence/pack").await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.post(own, "/me/evidence", &JUNE).await.header(header::LOCATION), "/me/evidence");
    assert!(site.get(own, "/me/evidence").await.text.contains("別の証拠ファイルを作成中です"));
    super::pages::check(site, &[(own.clone(), "/me/evidence".to_owned())]).await;
    drop(turns);
    drop(site.state.packs.hold().await);
    let failed = site.get(own, "/me/evidence").await.text;
    assert!(
        failed.contains("証拠ファイルを作成できませんでした") && failed.contains("role=\"alert\""),
        "{failed}"
    );
    assert!(office.noted().await.is_empty());
    let left = std::fs::read_dir(site.directory.path()).unwrap();
    let left: Vec<_> = left.map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("unfinished")), "{left:?}");
    assert_eq!(site.post(own, "/me/evidence", &JUNE).await.status, StatusCode::SEE_OTHER, "and again");
}
