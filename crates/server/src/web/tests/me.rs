//! Self-service: one's own record, remarks, downloads, and where others see the remarks.

use axum::http::{StatusCode, header};
use jiff::civil::date;
use mngntime_store::{
    AccountFilter, Act, EmployeeChoice, EmployeeId, LinkRequest, NewAdministrator, NewEmployee, Role,
};

use super::{NOW, Site, times};

/// 花子 and 太郎, each with two punches of their own; returns 花子's employee, cookie, and the PC's id.
async fn office(site: &Site) -> (EmployeeId, String, String) {
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "hanako"), 1..=2).await;
    site.punches(site.contract, terminal, ("D", "taro"), 3..=4).await;
    for (name, code) in [("hanako", "E-1"), ("taro", "E-2")] {
        let accounts = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
        let account = accounts.iter().find(|account| account.name == name).unwrap().id;
        let new = NewEmployee::named(code, format!("氏名 {name}"));
        let employee = EmployeeChoice::New(new);
        let request = LinkRequest { account, employee, from: date(2026, 6, 1), to: None };
        site.store.link_accounts(site.contract, vec![request], Act::server(NOW)).await.unwrap();
    }
    let all = site.store.list_employees(site.contract.into(), None, 9).await.unwrap();
    let id = all.iter().find(|found| found.data.code == "E-1").unwrap().id;
    let new = NewAdministrator {
        employee: Some(id),
        ..NewAdministrator::new("hanako", Role::Employee, Some(site.contract))
    };
    (id, site.somebody(new).await, terminal.to_string())
}

const REMARK: [(&str, &str); 4] =
    [("date", "2026-06-17"), ("from", "９：００"), ("to", "9:24"), ("text", "停電<b>でした")];

#[tokio::test]
async fn an_employee_sees_their_own_record_and_nothing_else() {
    let site = Site::new().await;
    let (_, cookie, terminal) = office(&site).await;
    assert_eq!(site.get(&cookie, "/").await.header(header::LOCATION), "/me");
    let page = site.get(&cookie, "/me").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("氏名 hanako") && !page.text.contains("taro"));
    assert_eq!(times(&page.text, "href=\"/me/punches/"), 2);
    assert!(site.get(&cookie, "/me?month=2026-05").await.text.contains("この月の記録はありません"));
    for bad in ["x", "2026-13", "9999-12"] {
        let page = site.get(&cookie, &format!("/me?month={bad}")).await;
        assert!(page.status == StatusCode::OK && page.text.contains("banner--error"), "{bad}");
        assert!(
            page.text.contains(&format!("「{bad}」")) && page.text.contains("value=\"2026-06\""),
            "this month"
        );
    }
    assert!(
        page.text.contains("href=\"#r-head\"") && !page.text.contains("banner--error"),
        "a way to the form"
    );
    let status =
        async |number: u8| site.get(&cookie, &format!("/me/punches/{terminal}/{number}")).await.status;
    assert_eq!((status(1).await, status(3).await), (StatusCode::OK, StatusCode::NOT_FOUND));
    for page in ["/punches", "/employees", "/audit", "/settings", "/health", "/contracts", "/days"] {
        assert_eq!(site.get(&cookie, page).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    let admin = site.administrator().await;
    assert_eq!(site.get(&admin, "/me").await.status, StatusCode::FORBIDDEN, "no employee, no record");
}

#[tokio::test]
async fn an_employee_sees_who_looked_at_their_record_and_took_it_along() {
    let site = Site::new().await;
    let (id, cookie, _) = office(&site).await;
    let none = site.get(&cookie, "/me/looks").await.text;
    assert!(none.contains("まだだれも見ていません"), "{none}");
    let hr = site.person("jinji", Role::HumanResources, Some(site.contract)).await;
    let auditor = site.person("kansa", Role::Auditor, Some(site.contract)).await;
    site.get(&hr, "/days?employee=E-1&month=2026-06").await;
    site.get(&auditor, &format!("/employees/{id}")).await;
    site.get(&auditor, "/days?employee=E-2&month=2026-06").await;
    assert_eq!(site.get(&hr, "/days.csv?employee=E-1&month=2026-06").await.status, StatusCode::OK);
    assert_eq!(site.get(&hr, "/days.csv?month=2026-06").await.status, StatusCode::OK);
    assert_eq!(site.get(&cookie, "/me.csv").await.status, StatusCode::OK);
    let hold = serde_json::json!({ "note": "訴訟" });
    let object = "employee E-1".to_owned();
    site.store.note_with(Some(site.contract), "set_hold", object, hold, Act::server(NOW)).await.unwrap();
    for (language, words) in [
        ("ja", ["社員の記録を閲覧", "日別記録を書き出し", "本人", "監査ログにはあります"]),
        (
            "en",
            ["Looked at an employee&#39;s record", "Downloaded days", "You</span>", "It is in the audit log"],
        ),
    ] {
        let looks = site.get(&format!("{cookie}; mngntime_language={language}"), "/me/looks").await.text;
        for part in words {
            assert!(looks.contains(part), "{part}: {looks}");
        }
        assert_eq!(times(&looks, "<th role=\"rowheader\" scope=\"row\" class=\"at-start"), 4, "{looks}");
        assert_eq!(
            (times(&looks, ">jinji<"), times(&looks, ">kansa<")),
            (2, 1),
            "not what was done to others"
        );
        assert!(!looks.contains("訴訟"), "a hold is the contract's matter");
    }
    let own = site.get(&cookie, "/me").await.text;
    assert_eq!((times(&own, "<b>jinji</b>"), times(&own, "href=\"/me/looks\"")), (2, 1), "{own}");
    for role in [&hr, &auditor] {
        assert_eq!(site.get(role, "/me/looks").await.status, StatusCode::FORBIDDEN, "no employee, no record");
    }
    let lost = site.get(&cookie, "/me/looks?after=x").await.text;
    assert!(lost.contains("banner--error") && lost.contains("jinji"), "{lost}");
}

#[tokio::test]
async fn what_is_recorded_and_what_never_is_stands_in_both_languages() {
    let site = Site::new().await;
    let (_, cookie, _) = office(&site).await;
    let everything = ["/me", "/me?month=2026-05", "/me/recorded", "/me/looks"]
        .map(|page| (cookie.clone(), page.to_owned()));
    super::pages::check(&site, &everything).await;
    let page = site.get(&cookie, "/me/recorded").await.text;
    for text in ["ログオン", "スリープ", "推定", "押したキー", "画面の内容", "5年", "status --schema"]
    {
        assert!(page.contains(text), "{text}");
    }
    for text in
        ["このサーバーの画面で記録されるもの", "アドレス、ブラウザーの名前", "あなたの記録を見た人", "本文"]
    {
        assert!(page.contains(text), "{text}");
    }
    let page = site.get(&format!("{cookie}; mngntime_language=en"), "/me/recorded").await.text;
    assert!(
        page.contains("Keys pressed") && page.contains("SID") && page.contains("What these pages record")
    );
}

#[tokio::test]
async fn a_remark_is_shown_where_the_record_is_and_changes_nothing_of_it() {
    let site = Site::new().await;
    let (_, cookie, terminal) = office(&site).await;
    let hr = site.person("hr", Role::HumanResources, Some(site.contract)).await;
    assert!(!site.get(&hr, "/punches").await.text.contains("本人の申告"));
    let added = site.post(&cookie, "/me/remarks", &REMARK).await;
    assert_eq!(added.header(header::LOCATION), "/me?month=2026-06");
    let page = site.get(&cookie, "/me").await.text;
    assert!(
        page.contains("09:00〜09:24") && page.contains("停電&#60;b&#62;でした") && !page.contains("停電<b>")
    );
    let list = site.get(&hr, "/punches").await.text;
    assert_eq!(times(&list, ">本人の申告</span>"), 2, "花子's two punches of the day");
    for place in [
        format!("/punches/{terminal}/1"),
        format!("/punches?open={terminal}.1"),
        "/days/E-1/2026-06-17".to_owned(),
    ] {
        let page = site.get(&hr, &place).await.text;
        assert!(page.contains("停電&#60;b&#62;でした"), "{place}");
        assert!(!page.contains("/withdraw"), "{place}: nobody withdraws for others");
    }
    assert!(!site.get(&hr, &format!("/punches/{terminal}/3")).await.text.contains("停電"), "太郎's punch");
    let withdraw = page.split("action=\"/me/remarks/").nth(1).unwrap().split('"').next().unwrap();
    let withdraw = format!("/me/remarks/{withdraw}");
    assert_eq!(site.post(&hr, &withdraw, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.post(&cookie, &withdraw, &[]).await.status, StatusCode::SEE_OTHER);
    let page = site.get(&cookie, "/me").await.text;
    assert!(page.contains("に取り下げ") && page.contains("停電") && !page.contains("/withdraw"), "kept");
    assert!(!site.get(&hr, "/punches").await.text.contains("本人の申告"), "it holds no more");
    let log = site.store.audit_log(Some(site.contract), None, 100).await.unwrap();
    let told: Vec<_> = log.iter().filter(|entry| entry.action.ends_with("_remark")).collect();
    assert_eq!(
        told.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(),
        ["withdraw_remark", "add_remark"]
    );
    assert!(told.iter().all(|entry| entry.by == "administrator:hanako" && entry.object == "employee E-1"));
}

#[tokio::test]
async fn a_remark_that_cannot_be_kept_says_why_and_keeps_what_was_typed() {
    let site = Site::new().await;
    let (employee, cookie, _) = office(&site).await;
    let long = "あ".repeat(501);
    let wrong = [
        ("date", "2026-06-31"),
        ("date", ""),
        ("date", "2026-06-18"),
        ("date", "2021-06-16"),
        ("from", "9時"),
        ("from", "26:00"),
        ("to", "48:30"),
        ("to", "9:26"),
        ("to", "25:30"),
        ("text", ""),
        ("text", long.as_str()),
    ];
    for (name, value) in wrong {
        let fields: Vec<_> =
            REMARK.iter().map(|(key, old)| (*key, if *key == name { value } else { old })).collect();
        let answer = site.post(&cookie, "/me/remarks", &fields).await;
        assert!(answer.text.contains("申告を保存していません。1か所を直してください。"), "{}", answer.text);
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert!(
            answer.text.contains("class=\"err\"") && answer.text.contains("aria-invalid"),
            "{name}={value}"
        );
    }
    let fields: Vec<_> =
        REMARK.iter().map(|(key, old)| (*key, if *key == "to" { "36:01" } else { old })).collect();
    let answer = site.post(&cookie, "/me/remarks", &fields).await;
    assert!(answer.text.contains("翌日の正午（36:00）まで"), "the limit is told: {}", answer.text);
    let day = date(2026, 6, 17);
    let kept = site.store.list_remarks(site.contract.into(), employee, day, day).await.unwrap();
    assert!(kept.is_empty());
    for bad in ["/me/remarks/x/withdraw", "/me/remarks/00000000-0000-7000-8000-000000000001/withdraw"] {
        assert_eq!(site.post(&cookie, bad, &[]).await.status, StatusCode::NOT_FOUND, "{bad}");
    }
}

#[tokio::test]
async fn a_remark_leads_back_to_its_month_however_its_day_is_written() {
    let site = Site::new().await;
    let (_, cookie, _) = office(&site).await;
    for written in ["R8.5.20", "令和8年5月21日", "2026/5/2", "２０２６−０５−０３"] {
        let fields: Vec<_> =
            REMARK.iter().map(|(key, old)| (*key, if *key == "date" { written } else { old })).collect();
        let added = site.post(&cookie, "/me/remarks", &fields).await;
        assert_eq!(added.header(header::LOCATION), "/me?month=2026-05", "{written}");
        let page = site.get(&cookie, added.header(header::LOCATION)).await.text;
        assert!(page.contains("申告を追加しました。") && !page.contains("role=\"alert\""), "{page}");
        let withdraw = page.split("action=\"/me/remarks/").nth(1).unwrap().split('"').next().unwrap();
        let gone = site.post(&cookie, &format!("/me/remarks/{withdraw}"), &[]).await;
        assert_eq!(gone.header(header::LOCATION), "/me?month=2026-05");
        let wrong: Vec<_> =
            fields.iter().map(|(key, old)| (*key, if *key == "text" { "" } else { old })).collect();
        let wrong = site.post(&cookie, "/me/remarks", &wrong).await.text;
        assert!(wrong.contains("2026年5月") && !wrong.contains("という月はありません"), "{wrong}");
    }
}

#[tokio::test]
async fn the_own_record_can_be_taken_away_and_that_is_noted() {
    let site = Site::new().await;
    let (_, cookie, terminal) = office(&site).await;
    site.post(&cookie, "/me/remarks", &REMARK).await;
    let csv = site.get(&cookie, "/me.csv").await;
    assert_eq!(csv.status, StatusCode::OK);
    assert_eq!((csv.text.lines().count(), csv.text.contains("taro")), (3, false));
    let json = site.get(&cookie, "/me.json").await;
    assert!(json.header(header::CONTENT_DISPOSITION).contains("record-20260617.json"));
    let record: serde_json::Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!((&record["employee"], &record["contract"]), (&"E-1".into(), &"A-1".into()));
    let punches = record["punches"].as_array().unwrap();
    assert_eq!((punches.len(), punches[0]["terminal"].as_str()), (2, Some(terminal.as_str())));
    assert_eq!(record["remarks"][0]["text"], "停電<b>でした");
    assert_eq!(record["remarks"][0]["to"], "09:24");
    let log = site.store.audit_log(Some(site.contract), None, 2).await.unwrap();
    assert!(log.iter().all(|entry| entry.action == "export_own_record" && entry.object == "employee E-1"));
    assert_eq!(log.len(), 2);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_remark() {
    let site = Site::new().await;
    let (employee, cookie, _) = office(&site).await;
    let page = site.get(&cookie, "/me").await.text;
    let once = page.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut fields = REMARK.to_vec();
    fields.push(("once", &once));
    let day = date(2026, 6, 17);
    let kept =
        async || site.store.list_remarks(site.contract.into(), employee, day, day).await.unwrap().len();
    for _ in 0..2 {
        let answer = site.post(&cookie, "/me/remarks", &fields).await;
        assert_eq!(answer.header(header::LOCATION), "/me?month=2026-06");
    }
    assert_eq!(kept().await, 1);
    // What was sent with a fault is sent again with the same secret, and what is said anew makes a new one.
    let wrong: Vec<_> = fields.iter().map(|(k, v)| (*k, if *k == "to" { "x" } else { *v })).collect();
    let answer = site.post(&cookie, "/me/remarks", &wrong).await;
    assert!(answer.text.contains(&format!("name=\"once\" value=\"{once}\"")));
    let fresh = site.get(&cookie, "/me").await.text;
    assert!(!fresh.contains(&once));
    site.post(&cookie, "/me/remarks", &REMARK).await;
    assert_eq!(kept().await, 2);
}

#[tokio::test]
async fn unread_remarks_are_counted_where_those_look_who_read_them() {
    let site = Site::new().await;
    let (_, cookie, _) = office(&site).await;
    let hr = site.person("hr", Role::HumanResources, Some(site.contract)).await;
    let auditor = site.person("auditor", Role::Auditor, Some(site.contract)).await;
    let number = "href=\"/days/remarks\">未確認の申告 <b class=\"count\">1</b>";
    let line = "未確認の申告が1件あります";
    assert!(!site.get(&hr, "/punches").await.text.contains("/days/remarks"), "no line for nothing");
    site.post(&cookie, "/me/remarks", &REMARK).await;
    assert!(site.get(&hr, "/days").await.text.contains(number));
    assert!(site.get(&hr, "/punches").await.text.contains(line));
    assert!(site.get(&auditor, "/days").await.text.contains(number), "an auditor reads along");
    assert!(!site.get(&auditor, "/punches").await.text.contains(line), "and has nothing to do about it");
    let list = site.get(&hr, "/days/remarks").await.text;
    let read = list.split("action=\"/days/remarks/").nth(1).unwrap().split('"').next().unwrap();
    site.post(&hr, &format!("/days/remarks/{read}"), &[]).await;
    assert!(!site.get(&hr, "/punches").await.text.contains(line));
    assert!(!site.get(&hr, "/days").await.text.contains("class=\"count\""));
}
