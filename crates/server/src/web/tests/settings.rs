//! Settings of a contract and what follows from them; 和暦; the page of health.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use jiff::civil::date;
use mngntime_model::TerminalId;
use mngntime_store::{Act, AuditFilter, Role};

use super::{NOW, Site, condition, times};
use crate::condition::{Certificate, Condition, Disk};
use crate::web::router;

const FIELDS: [(&str, &str); 6] = [
    ("name", "新しい名前"),
    ("day", "0430"),
    ("years", "1"),
    ("retention", "3"),
    ("language", "en"),
    ("idle", "15"),
];

#[tokio::test]
async fn settings_are_kept_and_noted_and_wrong_ones_say_why() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let page = site.get(&admin, "/settings").await.text;
    assert!(page.contains("value=\"05:00\"") && page.contains("value=\"契約 A-1\""));
    let idle: Vec<_> = page
        .split("name=\"idle\"")
        .nth(1)
        .unwrap()
        .split("</select>")
        .next()
        .unwrap()
        .split("<option ")
        .collect();
    assert_eq!(
        idle[1..],
        [
            "value=\"0\">しない</option>",
            "value=\"15\">15分</option>",
            "value=\"30\">30分</option>",
            "value=\"60\" selected>60分</option>",
            "value=\"120\">120分</option>",
            "value=\"240\">240分</option>",
        ]
    );
    let wrong = [
        ("day", "13:00"),
        ("day", "25"),
        ("name", ""),
        ("retention", "4"),
        ("language", "fr"),
        ("idle", ""),
        ("idle", "14"),
        ("idle", "-15"),
        ("idle", "070"),
        ("idle", "65551"),
    ];
    for (name, value) in wrong {
        let fields: Vec<_> =
            FIELDS.iter().map(|(key, old)| (*key, if *key == name { value } else { old })).collect();
        let answer = site.post(&admin, "/settings", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert!(answer.text.contains("class=\"err\""), "{name}={value}");
    }
    let filter = AuditFilter { actions: vec!["change_settings".into()], ..AuditFilter::default() };
    let noted = async || {
        let page = site.store.search_audit(Some(site.contract), filter.clone(), None, 9).await.unwrap();
        page.rows.len()
    };
    assert_eq!(noted().await, 0, "refused changes leave no trace");
    assert_eq!(site.post(&admin, "/settings", &FIELDS).await.status, StatusCode::SEE_OTHER);
    assert_eq!(noted().await, 1);
    let page = site.get(&admin, "/settings").await.text;
    assert!(page.contains("value=\"04:30\"") && page.contains("value=\"新しい名前\""));
    assert!(page.contains("value=\"15\" selected>15 minutes<"), "{page}");
    assert!(page.contains("<html lang=\"en\">"), "the contract's language, as nobody has chosen one");
    let chosen = site.get(&format!("{admin}; mngntime_language=ja"), "/settings").await.text;
    assert!(chosen.contains("<html lang=\"ja\">"), "the person's choice wins");
}

#[tokio::test]
async fn dates_are_written_in_the_years_of_the_contract_or_the_person() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=1).await;
    let shown = async |cookie: &str, text: &str| site.get(cookie, "/punches").await.text.contains(text);
    let (common, japanese) = ("2026年6月17日（水）", "令和8年6月17日（水）");
    assert!(shown(&admin, common).await);
    let own = format!("{admin}; mngntime_years=japanese");
    assert!(shown(&own, japanese).await && !shown(&own, common).await, "the person's own choice");
    let mut fields =
        FIELDS.map(|(name, value)| if name == "language" { (name, "") } else { (name, value) }).to_vec();
    fields.push(("agreed", "04:30"));
    site.post(&admin, "/settings", &fields).await;
    assert!(shown(&admin, japanese).await);
    assert!(shown(&format!("{admin}; mngntime_years=common"), common).await);
    let answer = site.get(&admin, "/language?years=japanese&back=/me").await;
    assert_eq!(answer.header(header::LOCATION), "/me");
    assert!(answer.header(header::SET_COOKIE).starts_with("mngntime_years=japanese; "));
    assert_eq!(site.get(&admin, "/language?years=x").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_boundary_of_days_is_asked_about_first_with_what_it_changes() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches_on(terminal, ("D", "u"), 1..=2, -40).await;
    // About 9:24 of two days within the last month; those of forty days ago are beyond it.
    site.punches_on(terminal, ("D", "u"), 3..=4, -30).await;
    site.punches_on(terminal, ("D", "u"), 5..=6, 0).await;
    let post = async |day: &str, agreed: &str| {
        let fields = [
            ("name", "n"),
            ("day", day),
            ("retention", "5"),
            ("language", ""),
            ("idle", "60"),
            ("agreed", agreed),
        ];
        site.post(&admin, "/settings", &fields).await
    };
    assert_eq!(post("05:00", "").await.status, StatusCode::SEE_OTHER, "nothing changes, nothing is asked");
    for agreed in ["", "09:00"] {
        let asked = post("10:00", agreed).await;
        assert_eq!(asked.status, StatusCode::OK);
        for text in [
            "05:00から10:00に変えますか",
            "2026年5月からの2か月分",
            "特定の日から後だけを変えることはできません",
            "直近31日では、この時刻の間のログオフは2件です",
            "name=\"agreed\" value=\"10:00\"",
        ] {
            assert!(asked.text.contains(text), "{text}");
        }
        assert!(site.get(&admin, "/settings").await.text.contains("value=\"05:00\""), "not changed yet");
    }
    assert_eq!(post("10:00", "10:00").await.status, StatusCode::SEE_OTHER);
    assert!(site.get(&admin, "/settings").await.text.contains("value=\"10:00\""));
}

#[tokio::test]
async fn an_auditor_reads_the_settings_and_hr_does_not() {
    let site = Site::new().await;
    let auditor = site.person("auditor", Role::Auditor, Some(site.contract)).await;
    let page = site.get(&auditor, "/settings").await;
    assert_eq!(page.status, StatusCode::OK);
    let (content, _) = page.text.split_once("</main>").unwrap();
    assert!(content.contains("readonly") && !content.contains("btn btn--primary"));
    assert_eq!(site.post(&auditor, "/settings", &FIELDS).await.status, StatusCode::FORBIDDEN);
    let hr = site.person("hr", Role::HumanResources, Some(site.contract)).await;
    assert_eq!(site.get(&hr, "/settings").await.status, StatusCode::FORBIDDEN);
}

/// The page of health of a server in this condition, for an operator and for IT.
async fn health(found: Condition, backup: bool) -> (String, String) {
    let mut site = Site::new().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=2).await;
    site.state.condition = Arc::new(move || found.clone());
    site.app = router(site.state.clone());
    if backup {
        let detail = serde_json::json!({ "place": "/backups/x", "events": 2 });
        let act = Act::command_line(NOW.plus(-3_600_000));
        site.store.note_with(None, "make_backup", "server".into(), detail, act).await.unwrap();
    }
    let operator = site.person("root", Role::Operator, None).await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    (site.get(&operator, "/health").await.text, site.get(&it, "/health").await.text)
}

#[tokio::test]
async fn a_server_that_is_well_says_so_to_its_operator() {
    let (operator, it) = health(condition(), true).await;
    assert!(operator.contains("1時間 40件") && operator.contains("90分前の起動から"), "{operator}");
    assert!(operator.contains("/backups/x") && [" KB", " MB"].iter().any(|unit| operator.contains(unit)));
    // No head has been signed yet, in the moment after the contract was made.
    assert_eq!(times(&operator, "status--silent"), 0);
    assert!(it.contains("res=7: 2 / 2 (100 %)"), "the contract's own errors: {it}");
    assert!(!it.contains("/backups/x") && !it.contains("1時間 40件"), "nothing of others");
    assert!(!operator.contains("res=7: 2"), "nothing of a contract's attendance");
}

/// The page of health as an administrator and as IT see it, `minutes` after two of these PCs' punches came.
async fn health_after(pcs: u8, minutes: i64) -> [String; 2] {
    let mut site = Site::new().await;
    for n in 1..=pcs {
        site.terminal("A-1", &format!("PC-{n}"), n).await;
    }
    let terminal = TerminalId::from_random([1; 16]);
    site.punches(site.contract, terminal, ("D", "u"), 1..=2).await;
    site.state.clock = Arc::new(move || NOW.plus(minutes * 60_000));
    site.app = router(site.state.clone());
    let admin = site.administrator().await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    [site.get(&admin, "/health").await.text, site.get(&it, "/health").await.text]
}

#[tokio::test]
async fn a_contract_sees_within_the_hour_that_nothing_arrives() {
    const QUIET: &str = "45分以上、どのPCからも連絡がありません";
    const REMEDY: &str = "ファイアウォール";
    for (pcs, minutes, quiet) in [(5, 45, false), (5, 46, true), (4, 600, false)] {
        let [admin, _] = health_after(pcs, minutes).await;
        assert_eq!((admin.contains(QUIET), admin.contains(REMEDY)), (quiet, quiet), "{pcs} {minutes}");
        assert!(admin.contains("最後の連絡 2026-06-17 09:24:31"), "{admin}");
    }
}

#[tokio::test]
async fn the_figures_of_a_contract_have_their_whole_and_lead_to_what_they_count() {
    let [admin, it] = health_after(2, 1).await;
    for link in [
        "<a href=\"/punches?errors=1&#38;from=2026-06-16&#38;to=2026-06-17\">res=7: 2 / 2 (100 %)</a>",
        "<a href=\"/punches?period=today\">今日の打刻 2件</a>",
        "<a href=\"/punches?period=yesterday\">昨日の打刻 0件</a>",
        "<a href=\"/terminals\">使用中 2台</a>",
        "<a href=\"/terminals?show=clock\">時計のずれ 1台</a>",
        "<a href=\"/terminals?sort=waiting\">送信待ち 0件</a>",
    ] {
        assert!(admin.contains(link), "{link}: {admin}");
    }
    assert!(admin.contains("08:00からの打刻 2件") && admin.contains("エラー（今日と昨日の打刻）"));
    assert!(!it.contains("/punches?") && it.contains("res=7: 2 / 2"), "IT sees no punches");
    assert!(it.contains("<a href=\"/terminals?show=clock\">"));
    let open = "打刻ログを「エラーデータのみ」で開き";
    assert!(admin.contains(open) && !it.contains(open), "{it}");
    assert!(
        it.contains("労務担当にお知らせください"),
        "IT is not sent to a page that is closed to them: {it}"
    );
    let [next_day, _] = health_after(2, 16 * 60).await;
    assert!(next_day.contains("今日の打刻 0件") && next_day.contains("昨日の打刻 2件"), "{next_day}");
    assert!(next_day.contains("res=7: 2 / 2"), "errors of yesterday are told today");
    let [day_after, _] = health_after(2, 40 * 60).await;
    assert!(day_after.contains("res=7: 0"), "{day_after}");
}

#[tokio::test]
async fn of_a_database_elsewhere_nothing_is_claimed_that_is_not_seen() {
    let elsewhere = Condition { database_elsewhere: true, ..condition() };
    let (operator, it) = health(elsewhere.clone(), false).await;
    for page in [&operator, &it] {
        assert!(!page.contains("mngntime backup") && !page.contains("まだありません"), "{page}");
        assert!(page.contains("確認対象外</span>") && page.contains("pg_basebackup"), "{page}");
        assert_eq!(times(page, "異常</span>"), 0, "{page}");
        assert!(
            page.contains("このノードのデータフォルダー") && !page.contains("日後に分かります"),
            "{page}"
        );
    }
    let full = Condition { disk: Some(Disk { free: 1, total: 100 }), ..elsewhere };
    let (operator, _) = health(full, false).await;
    assert!(operator.contains("このノードのディスクを増やす"), "{operator}");
}

#[tokio::test]
async fn what_is_not_well_is_said_with_what_to_do() {
    let bad = Condition {
        log_is_whole: false,
        months_ahead: vec!["2027-01".into()],
        disk: Some(Disk { free: 1, total: 100 }),
        certificate: Certificate::Until(NOW.plus(86_400_000)),
        ..condition()
    };
    let (operator, it) = health(bad, false).await;
    for page in [operator, it] {
        assert_eq!(times(&page, "異常</span>"), 4, "log, disk, backup, certificate: {page}");
        for remedy in
            ["バックアップと比べて", "ディスクを増やす", "mngntime backup", "tls_certificate", "2027-01"]
        {
            assert!(page.contains(remedy), "{remedy}");
        }
    }
}

#[tokio::test]
async fn deletion_is_off_until_somebody_says_that_it_is_meant() {
    let site = Site::new().await;
    let (contract, admin) = (site.contract, site.administrator().await);
    const PAGE: &str = "/settings/retention";
    let retires = async || site.store.contract_by_id(contract).await.unwrap().unwrap().settings.retires;
    let page = site.get(&admin, PAGE).await;
    assert!(page.text.contains("オフ（何も削除されません）") && !retires().await);
    let unsure = site.post(&admin, PAGE, &[("retires", "1")]).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unsure.text.contains("確認のチェックを入れてください。") && !retires().await);
    let sure = site.post(&admin, PAGE, &[("retires", "1"), ("sure", "1")]).await;
    assert_eq!(sure.status, StatusCode::SEE_OTHER);
    assert!(retires().await);
    let settings = |years: &'static str| {
        [("name", "A-1"), ("day", "05:00"), ("retention", years), ("language", ""), ("idle", "60")]
    };
    site.post(&admin, "/settings", &settings("5")).await;
    assert!(retires().await, "other settings leave it as it is");
    site.post(&admin, "/settings", &settings("3")).await;
    assert!(!retires().await, "a shorter period must be said to be meant");
    site.post(&admin, PAGE, &[("retires", "1"), ("sure", "1")]).await;
    site.post(&admin, PAGE, &[("retires", "0")]).await;
    assert!(!retires().await);
    let log = site.store.audit_log(Some(contract), None, 99).await.unwrap();
    let noted = log.iter().filter(|entry| entry.action == "change_settings").count();
    assert_eq!(noted, 5);
}

#[tokio::test]
async fn holds_are_set_and_released_and_wrong_ones_say_why() {
    let site = Site::new().await;
    let (contract, admin) = (site.contract, site.administrator().await);
    const HOLDS: &str = "/settings/retention/holds";
    for (form, words) in [
        (vec![("reason", "")], "理由を入力してください。"),
        (vec![("reason", "r"), ("employee", "nobody")], "社員コード「nobody」の社員がいません。"),
        (vec![("reason", "r"), ("from", "2026-13-01")], "2026-13-01"),
        (vec![("reason", "r"), ("from", "2026-06-02"), ("to", "2026-06-01")], "aria-invalid"),
    ] {
        let refused = site.post(&admin, HOLDS, &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(refused.text.contains(words), "{words}: {}", refused.text);
    }
    assert!(site.store.list_holds(contract).await.unwrap().is_empty());
    let form = [("reason", "訴訟 <script>"), ("from", "２０２６-06-01"), ("to", "")];
    assert_eq!(site.post(&admin, HOLDS, &form).await.status, StatusCode::SEE_OTHER);
    let page = site.get(&admin, "/settings/retention").await.text;
    assert!(page.contains("訴訟 &#60;script&#62;") || page.contains("訴訟 &lt;script&gt;"), "{page}");
    let hold = site.store.list_holds(contract).await.unwrap().remove(0);
    assert_eq!(hold.data.from, Some(date(2026, 6, 1)));
    let release = format!("{HOLDS}/{}/release", hold.id);
    assert_eq!(site.post(&admin, &release, &[]).await.status, StatusCode::SEE_OTHER);
    assert!(site.get(&admin, "/settings/retention").await.text.contains("が解除"));
    let nowhere = site.post(&admin, &format!("{HOLDS}/x/release"), &[]).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}
