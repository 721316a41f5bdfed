//! Evidence packs from the pages: the person's own, and somebody's for who may.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::http::{StatusCode, header};
use mngntime_model::UtcMillis;
use mngntime_store::{EmployeeId, NewAdministrator, Role};
use mngntime_wire::{PublicKey, SecretKey};

use super::{NOW, Site, times};
use crate::evidence::on_request::{KEPT_MS, Packs, State};
use crate::evidence::pack;
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

    async fn noted(&self) -> Vec<(String, String, String)> {
        let log = self.site.store.audit_log(Some(self.site.contract), None, 50).await.unwrap();
        let ours = log.into_iter().filter(|entry| entry.action == "export_evidence");
        ours.map(|entry| (entry.by, entry.object, entry.detail)).collect()
    }
}

#[tokio::test]
async fn somebody_takes_the_sealed_record_of_themselves_and_it_holds() {
    let office = Office::new().await;
    let site = &office.site;
    let me = site.get(&office.own, "/me").await.text;
    assert!(me.contains("href=\"/me/evidence\""));
    let none = site.get(&office.own, "/me/evidence/pack").await;
    assert_eq!(none.header(header::LOCATION), "/me/evidence", "there is none yet");
    let made = site.post(&office.own, "/me/evidence", &JUNE).await;
    assert_eq!((made.status, made.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/me/evidence"));
    let page = site.get(&office.own, "/me/evidence").await.text;
    assert!(page.contains("2026-06-01〜2026-06-17 の証拠ファイルができました"), "{page}");
    let file = site.get(&office.own, "/me/evidence/pack").await;
    assert_eq!(file.header(header::CONTENT_TYPE), "application/zip");
    assert!(file.header(header::CONTENT_DISPOSITION).contains("evidence-E1-20260601-20260617.zip"));
    assert_eq!(file.header(header::CONTENT_LENGTH), file.bytes.len().to_string());
    let key = site.get(&office.own, "/evidence-key").await.text;
    let key = PublicKey::parse(key.trim()).unwrap();
    let (seal, report) = pack::check(&file.bytes, &key).unwrap();
    assert!(report.is_authentic() && seal.contract == "A-1", "{:?}", report.faults);
    let other = SecretKey::from_seed(&[1; 32]).public();
    assert!(pack::check(&file.bytes, &other).is_err(), "another server's key proves nothing");
    assert_eq!(site.get(&office.own, "/me/evidence/pack").await.bytes, file.bytes, "it can be taken again");
    let left: Vec<_> =
        std::fs::read_dir(site.directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("unfinished")), "{left:?}");
    let noted = office.noted().await;
    assert_eq!(noted.len(), 1, "made once, taken twice");
    assert_eq!((noted[0].0.as_str(), noted[0].1.as_str()), ("administrator:hanako", "employee E-1"));
    assert!(noted[0].2.contains("2026-06-01") && noted[0].2.contains("2026-06-17"), "{}", noted[0].2);
    super::pages::check(site, &[(office.own.clone(), "/me/evidence".to_owned())]).await;
}

#[tokio::test]
async fn hr_and_auditors_take_somebody_s_and_others_do_not() {
    let office = Office::new().await;
    let site = &office.site;
    let base = format!("/employees/{}/evidence", office.employee);
    for role in [Role::HumanResources, Role::Auditor] {
        let cookie = site.person(role.name(), role, Some(site.contract)).await;
        let person = site.get(&cookie, &format!("/employees/{}", office.employee)).await.text;
        assert!(person.contains(&format!("href=\"{base}\"")));
        assert_eq!(site.post(&cookie, &base, &JUNE).await.header(header::LOCATION), base);
        let file = site.get(&cookie, &format!("{base}/pack")).await;
        assert!(
            pack::check(&file.bytes, &SecretKey::from_seed(&[42; 32]).public()).unwrap().1.is_authentic()
        );
    }
    assert_eq!(office.noted().await.len(), 2);
    // Whose it is stays whose it is: another person asks for their own, and gets nothing of the officer's.
    assert_eq!(site.get(&office.own, "/me/evidence/pack").await.status, StatusCode::SEE_OTHER);
    for cookie in
        [office.own.clone(), site.person("it", Role::InformationTechnology, Some(site.contract)).await]
    {
        assert_eq!(site.post(&cookie, &base, &JUNE).await.status, StatusCode::FORBIDDEN);
        assert_eq!(site.get(&cookie, &format!("{base}/pack")).await.status, StatusCode::FORBIDDEN);
    }
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

#[tokio::test]
async fn while_one_is_made_the_page_says_so_and_there_is_no_second() {
    let mut office = Office::new().await;
    let clock = Arc::new(AtomicI64::new(NOW.0));
    let read = clock.clone();
    office.site.state.packs = Arc::new(Packs::new(
        office.site.store.clone(),
        SecretKey::from_seed(&[42; 32]),
        Arc::new(move || UtcMillis(read.load(Ordering::SeqCst))),
        office.site.directory.path().to_owned(),
        Duration::ZERO,
    ));
    office.site.app = router(office.site.state.clone());
    let (site, own) = (&office.site, &office.own);
    let turns = site.state.packs.hold().await;
    assert_eq!(site.post(own, "/me/evidence", &JUNE).await.status, StatusCode::SEE_OTHER);
    let waiting = site.get(own, "/me/evidence").await.text;
    assert!(waiting.contains("証拠ファイルを作成しています") && waiting.contains("role=\"status\""));
    assert_eq!(site.get(own, "/me/evidence/pack").await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.post(own, "/me/evidence", &JUNE).await.header(header::LOCATION), "/me/evidence");
    assert!(site.get(own, "/me/evidence").await.text.contains("別の証拠ファイルを作成中です"));
    super::pages::check(site, &[(own.clone(), "/me/evidence".to_owned())]).await;
    drop(turns);
    drop(site.state.packs.hold().await);
    let person = site.store.administrator("hanako").await.unwrap().unwrap().id;
    let job = site.state.packs.job(person).unwrap();
    let State::Ready(ready) = job.state else { panic!("{job:?}") };
    assert_eq!(ready.until, NOW.plus(KEPT_MS));
    assert_eq!(site.get(own, "/me/evidence/pack").await.bytes.len() as u64, ready.bytes);
    clock.fetch_add(KEPT_MS, Ordering::SeqCst);
    assert!(site.state.packs.job(person).is_none(), "its time is over");
    let gone = site.get(own, "/me/evidence/pack").await;
    assert_eq!(gone.header(header::LOCATION), "/me/evidence");
    assert!(site.get(own, "/me/evidence").await.text.contains("証拠ファイルはもうありません"));
}
