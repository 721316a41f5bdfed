//! Error rows of people who have left and of links of other dates: what the row says, and where it leads. Dates of
//! employment that change results. Remarks that nobody has read. Forms that come twice.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use jiff::civil::date;
use mngntime_store::{
    AccountFilter, AccountId, Act, EmployeeChoice, EmployeeId, LinkEnd, LinkRequest, NewAdministrator,
    NewDepartment, NewEmployee, NewPasskey, NewRemark, Role,
};

use super::{NOW, Site, first_account, times};

fn employee(code: &str, name: &str) -> NewEmployee {
    NewEmployee::named(code, name)
}

/// Four punches of 2026-06-17 of one account, linked to 小川 since 2026-06-01.
async fn office() -> (Site, String, AccountId, EmployeeId, String) {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=4).await;
    let accounts = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    let account = accounts[0].id;
    let employee = EmployeeChoice::New(employee("E1", "小川 拓海"));
    let request = LinkRequest { account, employee, from: date(2026, 6, 1), to: None };
    site.store.link_accounts(site.contract, vec![request], Act::server(NOW)).await.unwrap();
    let employee = site.store.list_employees(site.contract.into(), None, 9).await.unwrap()[0].id;
    (site, cookie, account, employee, format!("/punches/{terminal}/1"))
}

const LEFT: [(&str, &str); 3] = [("code", "E1"), ("name", "小川 拓海"), ("to", "2026-06-10")];

/// The address of the way out whose words are `text`, as a browser follows it.
fn way(page: &str, text: &str) -> String {
    let before = page.split(&format!("{text}</a>")).next().unwrap();
    let tag = before.rsplit("<a ").next().unwrap();
    let link = tag.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    link.replace("&#38;", "&").split('#').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_row_of_who_has_left_names_person_and_date_and_leads_to_the_hand_over() {
    let (site, cookie, account, id, punch) = office().await;
    site.post(&cookie, &format!("/employees/{id}"), &[&LEFT[..], &[("step", "save")]].concat()).await;
    let list = site.get(&cookie, "/punches?errors=1").await.text;
    assert_eq!(times(&list, "2026-06-10 退職"), 4, "the row says why");
    let page = site.get(&cookie, &punch).await.text;
    for part in
        ["D\\u は 2026-06-01〜 の間", "E1 小川 拓海 は 2026-06-10 付けで退職しています（打刻は 2026-06-17）"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains(&format!("href=\"/employees/{id}#a-to\"")), "the last day may be wrong");
    let hand_over = way(&page, "別の社員へ引き継ぐ");
    assert_eq!(hand_over, format!("/accounts/{account}?from=2026-06-11"));
    let form = site.get(&cookie, &hand_over).await.text;
    assert!(form.contains("name=\"from\" value=\"2026-06-11\""), "{form}");
    site.post(&cookie, "/employees", &[("code", "E2"), ("name", "佐藤 美咲")]).await;
    let fields = [("what", "assign"), ("employee", "E2"), ("from", "2026-06-11"), ("step", "save")];
    let saved = site.post(&cookie, &format!("/accounts/{account}/change"), &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, "<a class=\"maru\""), 0);

    let it = site.person("auditor", Role::Auditor, Some(site.contract)).await;
    assert!(!site.get(&it, &punch).await.text.contains("#assign"), "who may not change is offered nothing");
}

#[tokio::test]
async fn links_that_have_ended_or_begin_later_lead_to_the_same_person_or_another() {
    let (site, cookie, account, _, punch) = office().await;
    let link = site.store.account(site.contract, account).await.unwrap().unwrap().links.remove(0).id;
    let end = LinkEnd::After(date(2026, 6, 15));
    site.store.end_link(site.contract, link, end, Act::server(NOW)).await.unwrap();
    let page = site.get(&cookie, &punch).await.text;
    assert!(page.contains("D\\u と E1 小川 拓海 の結び付けは 2026-06-15 までです"), "{page}");
    let same = way(&page, "同じ社員に結び付ける");
    assert_eq!(
        same,
        format!("/accounts/{account}?employee=E1+%E5%B0%8F%E5%B7%9D+%E6%8B%93%E6%B5%B7&from=2026-06-16")
    );
    let form = site.get(&cookie, &same).await.text;
    assert!(form.contains("value=\"E1 小川 拓海\"") && form.contains("name=\"from\" value=\"2026-06-16\""));
    // The form that links begins after the last link, and says whose the account is when the dates touch it.
    let form = site.get(&cookie, &format!("/accounts/link?account={account}")).await.text;
    assert!(form.contains("name=\"from-0\" value=\"2026-06-16\""), "{form}");
    let account = account.to_string();
    let fields = [
        ("account", account.as_str()),
        ("mode-0", "old"),
        ("employee-0", "E1"),
        ("from-0", "2026-06-10"),
        ("step", "preview"),
    ];
    let refused = site.post(&cookie, "/accounts/link", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("この期間の一部は E1 小川 拓海 に結び付いています（2026-06-01〜2026-06-15）")
    );
    assert!(way(&refused.text, "引き継ぎとして登録する").contains("employee=E1&from=2026-06-10"));
}

#[tokio::test]
async fn error_rows_are_told_by_their_cause() {
    let (site, cookie, _, id, _) = office().await;
    let terminal = site.terminal("A-1", "PC-2", 2).await;
    site.punches(site.contract, terminal, ("D", "new"), 1..=2).await;
    site.post(&cookie, &format!("/employees/{id}"), &[&LEFT[..], &[("step", "save")]].concat()).await;
    let rows = async |query: &str| {
        times(&site.get(&cookie, &format!("/punches?{query}")).await.text, "<!-- partial: punch row -->")
    };
    assert_eq!(
        (rows("errors=1").await, rows("cause=outside").await, rows("cause=unlinked").await),
        (6, 4, 2)
    );
    assert_eq!((rows("cause=terminal").await, rows("cause=outside&from=2026-06-18").await), (0, 0));
    let page = site.get(&cookie, "/punches?cause=outside").await.text;
    assert!(page.contains("<option value=\"outside\" selected>期間外"), "{page}");
    let file = site.get(&cookie, "/punches.csv?cause=unlinked").await.text;
    assert_eq!(file.lines().count(), 3, "the file is what is shown");
    assert!(
        site.get(&cookie, "/punches?cause=%3Cb%3E").await.text.contains("原因「&#60;b&#62;」はありません")
    );
}

#[tokio::test]
async fn a_last_day_that_makes_errors_is_asked_about_first() {
    let (site, cookie, _, id, _) = office().await;
    let address = format!("/employees/{id}");
    let asked = site.post(&cookie, &address, &LEFT).await;
    assert_eq!(asked.status, StatusCode::OK);
    for part in [
        "4件の打刻を再判定します",
        "この変更で4件がエラーに戻ります",
        "在籍期間 期限なし → 〜2026-06-10",
        "2026-06-17",
    ] {
        assert!(asked.text.contains(part), "{part}: {}", asked.text);
    }
    assert!(
        asked.text.contains("name=\"to\" value=\"2026-06-10\"")
            && asked.text.contains(&format!("action=\"{address}\""))
    );
    let known = async || site.store.employee(site.contract.into(), id).await.unwrap().unwrap().data;
    assert_eq!(known().await.active_to, None, "nothing is saved yet");
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("href=\"/days?employee=E1&#38;month=2026-06\""), "the way to the month: {page}");
    let saved = site.post(&cookie, &address, &[&LEFT[..], &[("step", "save")]].concat()).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    assert_eq!(known().await.active_to, Some(date(2026, 6, 10)));
    let harmless = [("code", "E1"), ("name", "小川 拓海"), ("to", "2026-06-09")];
    assert_eq!(site.post(&cookie, &address, &harmless).await.status, StatusCode::SEE_OTHER, "nothing to ask");
    let renamed = [("code", "E1"), ("name", "改名"), ("to", "2026-06-09")];
    assert_eq!(site.post(&cookie, &address, &renamed).await.status, StatusCode::SEE_OTHER);
}

/// A remark of somebody.
fn remark(employee: EmployeeId, text: &str) -> NewRemark {
    NewRemark { employee, date: date(2026, 6, 17), from_minutes: 540, to_minutes: 1_530, text: text.into() }
}

#[tokio::test]
async fn unread_remarks_are_listed_by_reach_marked_in_month_and_list_and_read_once() {
    let (site, admin, _, id, _) = office().await;
    let act = || Act::server(NOW);
    let new = NewDepartment { code: "D1".into(), name: "営業部".into(), parent: None };
    let near = site.store.add_department(site.contract, new, act()).await.unwrap();
    site.store.set_employee_department(site.contract, id, Some(near), act()).await.unwrap();
    let other = site.store.add_employee(site.contract, employee("E2", "佐藤 美咲"), act()).await.unwrap();
    site.store.add_remark(site.contract, None, remark(id, "停電<b>でした"), act()).await.unwrap();
    site.store.add_remark(site.contract, None, remark(other, "会議"), act()).await.unwrap();
    let approver = NewAdministrator {
        department: Some(near),
        employee: Some(other),
        ..NewAdministrator::new("near", Role::Approver, Some(site.contract))
    };
    let near = site.somebody(approver).await;
    let all = site.get(&admin, "/days/remarks").await.text;
    assert!(
        all.contains("停電&#60;b&#62;でした") && all.contains("09:00〜25:30") && all.contains("会議"),
        "{all}"
    );
    let seen = site.get(&near, "/days/remarks").await.text;
    assert!(seen.contains("停電") && !seen.contains("会議"), "no further than the department");
    let people = site.get(&admin, "/days?show=remarks").await.text;
    assert!(
        people.contains("申告あり <b>2</b>") && times(&people, "申告 1件、うち未確認 1件</span>") == 2,
        "{people}"
    );
    let month = site.get(&near, "/days?employee=E1&month=2026-06").await.text;
    assert!(month.contains("#d-said\" title=\"この日に本人の申告があります\">申告 1件</a>"), "{month}");

    let read = all.split("action=\"/days/remarks/").skip(1).map(|part| part.split('/').next().unwrap());
    let addresses: Vec<_> = read.map(|id| format!("/days/remarks/{id}/read")).collect();
    let statuses = [
        site.post(&near, &addresses[0], &[]).await.status,
        site.post(&near, &addresses[1], &[]).await.status,
    ];
    let mut sorted = statuses;
    sorted.sort_unstable();
    assert_eq!(sorted, [StatusCode::SEE_OTHER, StatusCode::NOT_FOUND], "one is out of reach");
    let left = site.get(&admin, "/days/remarks").await.text;
    assert!(!left.contains("停電") && left.contains("会議"));
    // What was read is found again, with who read it; nothing more is to be done about it.
    let all = site.get(&admin, "/days/remarks?show=all").await.text;
    assert!(all.contains("停電") && all.contains("near が確認") && all.contains("会議"), "{all}");
    assert!(all.contains("aria-current=\"true\">確認済みを含むすべて"), "{all}");
    assert_eq!(times(&all, "action=\"/days/remarks/"), 1, "{all}");
    let people = site.get(&admin, "/days?show=remarks&month=2026-06").await.text;
    assert!(
        people.contains("申告 1件</span>") && people.contains("申告 1件、うち未確認 1件</span>"),
        "{people}"
    );
    let day = site.get(&admin, "/days/E1/2026-06-17").await.text;
    assert!(day.contains("near が確認") && !day.contains("/days/remarks/"), "{day}");
    let day = site.get(&admin, "/days/E2/2026-06-17").await.text;
    let address = day.split("action=\"").find(|part| part.starts_with("/days/remarks/")).unwrap();
    let address = address.split('"').next().unwrap();
    let done = site.post(&admin, address, &[("from", "day")]).await;
    assert_eq!(done.header(header::LOCATION), "/days/E2/2026-06-17", "back to where it was read");
    assert!(site.get(&admin, "/days/remarks").await.text.contains("未確認の申告はありません"));
    assert!(site.get(&admin, "/days/remarks?after=x").await.text.contains("role=\"alert\""));
    let auditor = site.person("auditor", Role::Auditor, Some(site.contract)).await;
    assert_eq!(site.get(&auditor, "/days/remarks").await.status, StatusCode::OK);
    assert_eq!(site.post(&auditor, address, &[]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_list_of_a_month_counts_its_own_remarks_and_tells_of_unread_ones_elsewhere() {
    let (site, admin, _, id, _) = office().await;
    for (day, text) in [(date(2026, 6, 17), "六月"), (date(2026, 5, 1), "五月")] {
        let new = NewRemark { date: day, ..remark(id, text) };
        site.store.add_remark(site.contract, None, new, Act::server(NOW)).await.unwrap();
    }
    for (month, people) in [("2026-06", 1), ("2026-05", 1), ("2026-04", 0)] {
        let page = site.get(&admin, &format!("/days?show=remarks&month={month}")).await.text;
        assert!(page.contains(&format!("申告あり <b>{people}</b>")), "{page}");
        assert_eq!(times(&page, "申告 1件、うち未確認 1件</span>"), people, "{month}: {page}");
        let elsewhere = format!("ほかの月の日付について、未確認の申告が{}件あります", 2 - people);
        assert!(page.contains(&elsewhere), "{month}: {page}");
    }
}

#[tokio::test]
async fn whoever_reads_a_remark_may_answer_and_the_employee_sees_it() {
    let (site, admin, _, id, _) = office().await;
    let own = NewAdministrator {
        employee: Some(id),
        ..NewAdministrator::new("own", Role::Employee, Some(site.contract))
    };
    let own = site.somebody(own).await;
    let made = site.store.add_remark(site.contract, None, remark(id, "停電でした"), Act::server(NOW)).await;
    let address = format!("/days/remarks/{}/read", made.unwrap());
    let long = "あ".repeat(501);
    let refused = site.post(&admin, &address, &[("answer", &long)]).await;
    assert_eq!(refused.header(header::LOCATION), "/days/remarks");
    let list = site.get(&admin, "/days/remarks").await.text;
    assert!(list.contains("確認済みにしていません。") && list.contains("停電でした"), "{list}");
    let form = [("show", "all"), ("answer", "記録を<b>確かめました")];
    let done = site.post(&admin, &address, &form).await;
    assert_eq!(done.header(header::LOCATION), "/days/remarks?show=all");
    for (who, page) in
        [(&own, "/me?month=2026-06"), (&admin, "/days/remarks?show=all"), (&admin, "/days/E1/2026-06-17")]
    {
        let page = site.get(who, page).await.text;
        assert!(page.contains("<b>返事</b> 記録を&#60;b&#62;確かめました"), "{page}");
    }
    let record: serde_json::Value = serde_json::from_str(&site.get(&own, "/me.json").await.text).unwrap();
    assert_eq!(record["remarks"][0]["answer"], "記録を<b>確かめました");
    assert_eq!(record["remarks"][0]["read_by"], "administrator:admin");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_told_to_be_lost() {
    let (site, admin, _, id, _) = office().await;
    let made = async |text: &str| {
        let made = site.store.add_remark(site.contract, None, remark(id, text), Act::server(NOW));
        made.await.unwrap()
    };
    let (lost, done) = ("回答は保存していません。", "申告を確認済みにしました。");
    let told = async |remark, answer: &str| {
        let address = format!("/days/remarks/{remark}/read");
        site.post(&admin, &address, &[("answer", answer)]).await;
        let page = site.get(&admin, "/days/remarks?show=all").await.text;
        (page.contains(lost), page.contains(done))
    };
    let (read, other) = (made("停電でした").await, Act::administrator("kimura", NOW));
    let first = Some("先の返事".to_owned());
    site.store.read_remark(site.contract.into(), read, None, first, other).await.unwrap();
    assert_eq!(told(read, "後の返事").await, (true, false));
    assert_eq!(told(read, "先の返事").await, (true, false), "the same words of somebody else");
    assert_eq!(told(read, "").await, (false, true), "without an answer nothing is lost");
    let page = site.get(&admin, "/days/remarks?show=all").await.text;
    assert!(page.contains("先の返事") && !page.contains("後の返事"), "{page}");
    let gone = made("会議でした").await;
    site.store.withdraw_remark(site.contract, id, gone, Act::server(NOW)).await.unwrap();
    assert_eq!(told(gone, "返事").await, (true, false), "withdrawn before");
    let own = made("外出でした").await;
    assert_eq!(told(own, "返事").await, (false, true));
    assert_eq!(told(own, "返事").await, (false, true), "the same form sent twice");
    assert_eq!(told(own, "別の返事").await, (true, false), "the first answer stays");
}

/// The address that a page has under `rel`.
fn turn(page: &str, rel: &str) -> Option<String> {
    let link = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
    Some(link.split('"').next().unwrap().replace("&#38;", "&"))
}

#[tokio::test]
async fn unread_remarks_are_turned_over_in_both_directions_and_read_where_they_stand() {
    let (site, admin, _, id, _) = office().await;
    for number in 0..51_u8 {
        let day = date(2026, 6, 1 + i8::try_from(number / 20).unwrap());
        let new = NewRemark { date: day, ..remark(id, &format!("その{number}。")) };
        let act = Act::server(NOW.plus(number.into()));
        site.store.add_remark(site.contract, None, new, act).await.unwrap();
    }
    let first = site.get(&admin, "/days/remarks").await.text;
    assert!(first.contains("その50。") && !first.contains("その0。"), "the newest first");
    assert_eq!((turn(&first, "first"), turn(&first, "prev")), (None, None));
    let next = turn(&first, "next").expect("a second page");
    let second = site.get(&admin, &next).await.text;
    assert!(second.contains("その0。") && !second.contains("その1。") && turn(&second, "next").is_none());
    let back = turn(&second, "prev").expect("a way back");
    // Fifty rows before the last one are the first page, which has the plain address.
    assert_eq!(site.get(&admin, &back).await.header(header::LOCATION), "/days/remarks");
    site.store
        .add_remark(site.contract, None, remark(id, "その後。"), Act::server(NOW.plus(99)))
        .await
        .unwrap();
    let before = site.get(&admin, &back).await.text;
    assert!(
        before.contains("その50。") && !before.contains("その後。"),
        "what came in lies on a page before"
    );
    // Whoever reads one on the second page stays there, until nothing is left of it.
    let form = second.split("action=\"/days/remarks/").nth(1).unwrap().split("</form>").next().unwrap();
    let place = form.split("name=\"after\" value=\"").nth(1).expect("the page").split('"').next().unwrap();
    let address = format!("/days/remarks/{}", form.split('"').next().unwrap());
    let done = site.post(&admin, &address, &[("after", place)]).await;
    assert_eq!(done.header(header::LOCATION), next);
    assert_eq!(site.get(&admin, &next).await.header(header::LOCATION), "/days/remarks");
}

/// The value of the hidden field that makes a form one.
fn once(page: &str) -> String {
    page.split("name=\"once\" value=\"").nth(1).expect("a form").split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_form_that_comes_twice_makes_one_key_and_shows_it_again() {
    let site = Site::new().await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    let token = once(&site.get(&it, "/terminals/keys").await.text);
    let fields = [("label", "roll-out"), ("expires", "2026-12-31"), ("uses", ""), ("once", token.as_str())];
    let keys = async || site.store.list_enrollment_keys(site.contract).await.unwrap().len();
    let before = keys().await;
    let mut shown = Vec::new();
    for _ in 0..2 {
        assert_eq!(site.post(&it, "/terminals/keys", &fields).await.status, StatusCode::SEE_OTHER);
        // What nobody sees does not use the one time up.
        for (method, name, value) in [
            ("HEAD", "accept", "*/*"),
            ("GET", "sec-fetch-dest", "empty"),
            ("GET", "sec-purpose", "prefetch"),
        ] {
            let request = Request::builder().method(method).uri("/terminals/keys");
            let request = request.header(header::COOKIE, &it).header(name, value).body(Body::empty());
            assert!(!site.send(request.unwrap()).await.text.contains("cmd secret"), "{method} {value}");
        }
        let page = site.get(&it, "/terminals/keys").await.text;
        let key = page.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        assert!(!token.contains(&key), "the form does not show it");
        shown.push(key);
    }
    assert_eq!((keys().await, &shown[0]), (before + 1, &shown[1]), "one key, the same both times");
    assert!(!site.get(&it, "/terminals/keys").await.text.contains(&shown[0]), "and not again by itself");
    // What another person brings opens nothing: a key of their own is made.
    let other = site.person("other", Role::InformationTechnology, Some(site.contract)).await;
    site.post(&other, "/terminals/keys", &fields).await;
    assert_eq!(keys().await, before + 2);

    let operator = site.person("root", Role::Operator, None).await;
    let token = once(&site.get(&operator, "/contracts").await.text);
    let fields = [("code", "C-3"), ("name", "n"), ("once", token.as_str())];
    let first = site.post(&operator, "/contracts", &fields).await;
    let again = site.post(&operator, "/contracts", &fields).await;
    let key = |text: &str| text.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!((first.status, again.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(key(&first.text), key(&again.text), "a reload shows the key again and makes none");
    let contract = site.store.contract("C-3").await.unwrap().unwrap().id;
    assert_eq!(site.store.list_enrollment_keys(contract).await.unwrap().len(), 1);
    let taken = site.post(&operator, "/contracts", &fields[..2]).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY, "another form is another contract");
}

#[tokio::test]
async fn the_last_way_in_of_the_last_administrator_is_not_taken_away() {
    let site = Site::new().await;
    let new = NewAdministrator::new("only", Role::Administrator, Some(site.contract));
    let only = site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    let passkey = NewPasskey { credential_id: b"k".to_vec(), name: "k".into(), credential: "{}".into() };
    site.store.add_passkey(only, passkey, None, Act::server(NOW)).await.unwrap();
    // Somebody who has been invited and cannot sign in yet takes nobody's place.
    let invited = site.administrator().await;
    let page = format!("/administrators/{only}");
    let refused = site.post(&invited, &format!("{page}/reset-means"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    assert!(refused.text.contains("この人はパスワードを持たず"), "{}", refused.text);
    assert_eq!(site.store.means(only).await.unwrap().passkeys.len(), 1);
}

#[tokio::test]
async fn selecting_the_row_still_leads_to_the_form_that_links() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=1).await;
    let account = first_account(&site.get(&cookie, "/punches").await.text);
    let page = site.get(&cookie, &format!("/punches/{terminal}/1")).await.text;
    assert_eq!(
        way(&page, "このWindowsユーザー名をマスタ登録する"),
        format!("/accounts/link?account={account}&back=%2Fpunches%2F{terminal}%2F1"),
        "{page}"
    );
}
