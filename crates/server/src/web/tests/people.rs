//! People who sign in, their set-up links, and departments.

use axum::http::{StatusCode, header};
use jiff::civil::date;
use mngntime_store::{Act, NewAdministrator, Role};

use super::{NOW, Site, contract, times};

/// The set-up link that a page shows, without the server's address.
fn link(page: &str) -> String {
    let after = page.split("https://time.example/setup/").nth(1).expect("a link");
    format!("/setup/{}", after.split('<').next().unwrap())
}

const NEW: [(&str, &str); 3] = [("login", "hanako"), ("name", "花子"), ("role", "hr")];

#[tokio::test]
async fn somebody_new_gets_in_with_a_link_that_works_once() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let made = site.post(&admin, "/administrators", &NEW).await;
    assert_eq!(made.status, StatusCode::OK);
    let link = link(&made.text);
    let list = site.get(&admin, "/administrators").await.text;
    assert!(list.contains("hanako") && list.contains("設定待ち") && !list.contains("/setup/"), "shown once");
    let before = site.post("", "/login", &[("user", "hanako"), ("password", "")]).await;
    assert_eq!(before.status, StatusCode::UNPROCESSABLE_ENTITY, "no password, no way in");

    let form = site.get("", &link).await;
    assert!(form.status == StatusCode::OK && form.text.contains("value=\"hanako\""));
    for (password, again) in [("correct horse", "correct hoose"), ("short", "short")] {
        let answer = site.post("", &link, &[("password", password), ("again", again)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{password}");
        assert!(answer.text.contains("aria-invalid=\"true\""));
    }
    let fields = [("password", "correct horse"), ("again", "correct horse")];
    let chosen = site.post("", &link, &fields).await;
    assert!(chosen.status == StatusCode::OK && chosen.text.contains("パスワードを決めました"));
    assert_eq!(site.get("", &link).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.post("", &link, &fields).await.status, StatusCode::NOT_FOUND);
    let signed_in = site.post("", "/login", &[("user", "hanako"), ("password", "correct horse")]).await;
    assert_eq!(signed_in.header(header::LOCATION), "/");
    assert!(site.get(&admin, "/administrators").await.text.contains("status--ok"));
}

#[tokio::test]
async fn wrong_input_is_shown_where_it_is_and_makes_nobody() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let wrong: [(&[(&str, &str)], &str); 7] = [
        (&[("login", "a b")], "空白と「:」は使えません"),
        (&[("login", "admin")], "すでに使われています"),
        (&[("role", "operator")], "権限を選んでください"),
        (&[("role", "approver")], "担当部署を入力してください"),
        (&[("role", "approver"), ("department", "DX")], "「DX」という部署はありません"),
        (&[("role", "employee")], "社員を入力してください"),
        (&[("from", "2026-06-02"), ("until", "2026-06-01")], "終了日が開始日より前です"),
    ];
    for (changes, message) in wrong {
        let mut fields = NEW.to_vec();
        fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        fields.extend(changes);
        let answer = site.post(&admin, "/administrators", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{changes:?}");
        assert!(answer.text.contains(message) && !answer.text.contains("/setup/"), "{changes:?}");
    }
    assert_eq!(site.store.administrator_count(Some(site.contract)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_login_that_reads_as_anothers_or_as_nothing_is_refused_and_one_is_typed_in_any_width() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let add = async |login: &str| {
        let fields = [("login", login), ("name", "n"), ("role", "hr")];
        site.post(&admin, "/administrators", &fields).await
    };
    let made = add("ｂｅｔａadmin").await;
    assert!(made.status == StatusCode::OK && made.text.contains("betaadmin"), "narrow: {}", made.text);
    let setup = link(&made.text);
    for (login, message) in [
        ("betaadmin\u{200b}", "U+200B"),
        ("\u{202e}admin", "U+202E"),
        ("\u{3164}", "U+3164"),
        ("\u{430}dmin", "キリル文字"),
        ("Betaadmin", "すでに使われています"),
        ("ＡＤＭＩＮ", "すでに使われています"),
        (".", "文字か数字が必要です"),
        ("/", "文字か数字が必要です"),
        ("=cmd|x", "文字か数字が必要です"),
        ("サーバー", "監査ログでサーバー自身を表す"),
        ("Server", "監査ログでサーバー自身を表す"),
    ] {
        let answer = add(login).await;
        let told = answer.text.contains(message) && !answer.text.contains("/setup/");
        assert!(answer.status == StatusCode::UNPROCESSABLE_ENTITY && told, "{login:?} {}", answer.text);
    }
    assert_eq!(site.store.administrator_count(Some(site.contract)).await.unwrap(), 2);
    let password = "correct horse";
    site.post("", &setup, &[("password", password), ("again", password)]).await;
    let sign_in =
        async |login: &str| site.post("", "/login", &[("user", login), ("password", password)]).await;
    assert_eq!(sign_in("ｂｅｔａａｄｍｉｎ").await.header(header::LOCATION), "/");
    assert_eq!(sign_in("Betaadmin").await.status, StatusCode::UNPROCESSABLE_ENTITY, "as it was made");
    // One that was made before goes on as it is typed, and another width of it is not another try.
    let old = NewAdministrator {
        password_hash: Some(crate::passwords::hash_new(password).unwrap()),
        ..NewAdministrator::new("Ｏｌｄ\u{200b}", Role::HumanResources, Some(site.contract))
    };
    site.store.create_administrator(old, Act::server(NOW)).await.unwrap();
    assert_eq!(sign_in("Ｏｌｄ\u{200b}").await.header(header::LOCATION), "/");
    for at in 0..11 {
        let login = ["ｂetaadmin", "bｅtaadmin", "beｔaadmin"][at % 3];
        site.post("", "/login", &[("user", login), ("password", "wrong horse")]).await;
    }
    let waits = sign_in("betaadmin").await;
    assert!(
        waits.status == StatusCode::UNPROCESSABLE_ENTITY && !waits.text.contains("正しくありません"),
        "{}",
        waits.text
    );
}

#[tokio::test]
async fn what_a_directory_says_is_checked_where_it_is_typed() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let post = async |address: &str, code: &str, upn: &str, sid: &str| {
        site.post(&admin, address, &[("code", code), ("name", "x"), ("upn", upn), ("sid", sid)]).await
    };
    let added = post("/employees", "E1", " Ｈａｎａｋｏ@Example.co.jp", "s-1-5-21-9-1").await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.text);
    let id = site.store.list_employees(site.contract.into(), None, 9).await.unwrap()[0].id;
    let own = format!("/employees/{id}");
    let form = site.get(&admin, &own).await.text;
    assert!(
        form.contains("value=\"hanako@example.co.jp\"") && form.contains("value=\"S-1-5-21-9-1\""),
        "{form}"
    );
    for (upn, sid, field, message) in [
        ("hanako", "", "a-upn-e", "「名前@ドメイン」の形"),
        ("", "S-1-5-x", "a-sid-e", "「S-1-」に続けて"),
        ("HANAKO@example.co.jp", "", "a-upn-e", "このUPNは社員 E1 に登録されています"),
        ("", "S-1-5-21-9-1", "a-sid-e", "このSIDは社員 E1 に登録されています"),
    ] {
        let answer = post("/employees", "E2", upn, sid).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{upn} {sid}");
        assert!(
            answer.text.contains(&format!("id=\"{field}\"")) && answer.text.contains(message),
            "{}",
            answer.text
        );
        let typed = if sid.is_empty() { upn } else { sid };
        assert!(answer.text.contains(&format!("value=\"{typed}\"")), "what was typed stays: {}", answer.text);
    }
    assert_eq!(post("/employees", "E2", "taro@example.co.jp", "").await.status, StatusCode::SEE_OTHER);
    let taken = post(&own, "E1", "taro@example.co.jp", "").await;
    assert!(taken.text.contains("このUPNは社員 E2 に登録されています"), "{}", taken.text);
    assert_eq!(post(&own, "E1", "", "").await.status, StatusCode::SEE_OTHER);
    let form = site.get(&admin, &own).await.text;
    assert!(!form.contains("value=\"hanako@") && !form.contains("value=\"S-1-5"), "both are gone: {form}");
    super::pages::check(&site, &[(admin.clone(), "/employees".to_owned()), (admin, own)]).await;
}

#[tokio::test]
async fn the_employee_is_found_by_what_is_typed_and_never_offered_from_among_everybody() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let people = [("E-1", "山田 花子"), ("E-2", "山田 花子"), ("E-3", "佐藤<b> 次郎"), ("E-4", "ﾀﾅｶ ｼﾞﾛｳ")];
    for (code, name) in people {
        site.post(&admin, "/employees", &[("code", code), ("name", name)]).await;
    }
    site.get(&admin, "/employees").await;
    let page = site.get(&admin, "/administrators").await.text;
    assert!(!page.contains("E-3") && page.contains("data-offers=\"/employees/offered\""));
    let add = async |login: &str, employee: &str| {
        let fields = [("login", login), ("name", "x"), ("role", "employee"), ("employee", employee)];
        site.post(&admin, "/administrators", &fields).await
    };
    for (typed, message) in [("E-9", "「E-9」"), ("山田花子", "「山田花子」")] {
        let answer = add("x", typed).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(answer.text.contains("p-emp-e") && answer.text.contains(message), "{typed}");
    }
    for (login, typed) in
        [("a", "Ｅ－３"), ("b", "E-2 山田 花子"), ("c", "佐藤<b>次郎"), ("d", "タナカ　ジロウ")]
    {
        assert_eq!(add(login, typed).await.status, StatusCode::OK, "{typed}");
    }
    let page = site.get(&admin, "/administrators").await.text;
    assert!(page.contains("E-3 佐藤&#60;b&#62; 次郎") && page.contains("E-2 山田 花子"), "rows name them");
    let id = site.store.administrator("b").await.unwrap().unwrap().id;
    let form = site.get(&admin, &format!("/administrators/{id}")).await.text;
    assert!(form.contains("value=\"E-2 山田 花子\"") && !form.contains("E-3"));

    let offered = async |cookie: &str, q: &str| {
        let answer = site.get(cookie, &format!("/employees/offered?q={q}")).await;
        assert!(answer.header(header::CONTENT_TYPE).starts_with("text/plain"), "{}", answer.status);
        answer.text
    };
    assert_eq!(offered(&admin, "%EF%BC%A5%EF%BC%8D%EF%BC%92").await, "E-2 山田 花子\n", "full width");
    assert_eq!(offered(&admin, "%E4%BD%90%E8%97%A4").await, "E-3 佐藤<b> 次郎\n");
    assert_eq!(offered(&admin, "").await, "");
    for n in 10..40 {
        site.post(&admin, "/employees", &[("code", &format!("F-{n}")), ("name", "多い")]).await;
    }
    assert_eq!(times(&offered(&admin, "F-").await, "\n"), 10, "a few, whatever is typed");
}

#[tokio::test]
async fn the_list_of_people_goes_on_page_by_page() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    for n in 0..60 {
        site.person(&format!("person-{n:02}"), Role::Auditor, Some(site.contract)).await;
    }
    let first = site.get(&admin, "/administrators").await.text;
    assert!(times(&first, "scope=\"row\"") == 50 && first.contains("61名"));
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = site.get(&admin, next).await.text;
    assert_eq!(times(&second, "scope=\"row\""), 11);
    assert!(second.contains("person-59") && !second.contains("person-00"));
    let found = site.get(&admin, "/administrators?q=-4").await.text;
    assert!(times(&found, "scope=\"row\"") == 10 && !found.contains("rel=\"next\""));
    let none = site.get(&admin, "/administrators?q=%3Cb%3E").await.text;
    assert!(none.contains("該当する利用者はいません") && !none.contains("<b>"));
    super::pages::check(
        &site,
        &[(admin.clone(), "/administrators?q=-4".to_owned()), (admin, "/administrators?q=x".to_owned())],
    )
    .await;
}

#[tokio::test]
async fn disabling_counts_at_once_and_nobody_disables_themselves() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let officer = site.person("officer", Role::HumanResources, Some(site.contract)).await;
    let address = async |login: &str| {
        format!("/administrators/{}", site.store.administrator(login).await.unwrap().unwrap().id)
    };
    let (officers, own) = (address("officer").await, address("admin").await);
    assert_eq!(site.get(&officer, "/punches").await.status, StatusCode::OK);
    let disabled = site.post(&admin, &format!("{officers}/disable"), &[]).await;
    assert_eq!(disabled.status, StatusCode::SEE_OTHER);
    let after = site.get(&officer, "/punches").await;
    assert!(after.header(header::LOCATION).starts_with("/login?"), "the open page has ended");
    assert_eq!(site.post(&admin, &format!("{officers}/setup-link"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.post(&admin, &format!("{officers}/enable"), &[]).await.status, StatusCode::SEE_OTHER);
    let again = site.get(&officer, "/punches").await;
    assert!(again.header(header::LOCATION).starts_with("/login?"), "the old session stays dead");

    let own_page = site.get(&admin, &own).await.text;
    assert!(!own_page.contains("/disable\""), "the button is not there");
    assert_eq!(site.post(&admin, &format!("{own}/disable"), &[]).await.status, StatusCode::BAD_REQUEST);
    for (name, value) in [("role", "hr"), ("until", "2026-06-01")] {
        let mut fields = vec![("name", "x"), ("role", "administrator")];
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
        let answer = site.post(&admin, &own, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(answer.text.contains("ほかの管理者に依頼してください"));
    }
    let renamed = site.post(&admin, &own, &[("name", "新しい名"), ("role", "administrator")]).await;
    assert_eq!(renamed.status, StatusCode::SEE_OTHER);
    assert!(site.get(&admin, "/administrators").await.text.contains("新しい名"));
}

#[tokio::test]
async fn the_last_administrator_who_can_sign_in_is_not_taken_away() {
    let site = Site::new().await;
    // Whoever asks has no password of their own, as after its reset: the other one is the last who can sign in.
    let admin = site.administrator().await;
    let hash = crate::passwords::hash_new("correct horse").unwrap();
    let other = NewAdministrator {
        password_hash: Some(hash),
        ..NewAdministrator::new("other", Role::Administrator, Some(site.contract))
    };
    let other =
        site.store.create_administrator(other, mngntime_store::Act::server(super::NOW)).await.unwrap();
    let address = format!("/administrators/{other}");
    let disabled = site.post(&admin, &format!("{address}/disable"), &[]).await;
    assert_eq!(disabled.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(disabled.text.contains("先に別の人を管理者にしてください"), "{}", disabled.text);
    for changes in [("role", "hr"), ("until", "2026-06-30")] {
        let mut fields = vec![("name", "x"), ("role", "administrator")];
        fields.retain(|(name, _)| *name != changes.0);
        fields.push(changes);
        let changed = site.post(&admin, &address, &fields).await;
        assert_eq!(changed.status, StatusCode::UNPROCESSABLE_ENTITY, "{changes:?}");
        assert!(
            changed.text.contains("p-role-e") && changed.text.contains("先に別の人を管理者にしてください")
        );
    }
    let found = site.store.administrator_by_id(other).await.unwrap().unwrap();
    assert!(found.disabled_at.is_none() && found.data.role == Role::Administrator);
}

#[tokio::test]
async fn a_changed_role_counts_from_the_next_request() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let officer = site.person("officer", Role::HumanResources, Some(site.contract)).await;
    let id = site.store.administrator("officer").await.unwrap().unwrap().id;
    let address = format!("/administrators/{id}");
    site.post(&admin, "/departments", &[("code", "S"), ("name", "総務部")]).await;
    let fields = [("name", "x"), ("role", "approver"), ("department", "S 総務部"), ("until", "2026-06-17")];
    assert_eq!(site.post(&admin, &address, &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.get(&officer, "/punches").await.status, StatusCode::OK);
    assert_eq!(site.get(&officer, "/accounts").await.status, StatusCode::FORBIDDEN);
    let form = site.get(&admin, &address).await.text;
    assert!(form.contains("value=\"S 総務部\"") && form.contains("value=\"approver\" selected"));
    let link = link(&site.post(&admin, &format!("{address}/setup-link"), &[]).await.text);
    let fields = [("password", "correct horse"), ("again", "correct horse")];
    assert_eq!(site.post("", &link, &fields).await.status, StatusCode::OK);
    let after = site.get(&officer, "/punches").await;
    assert!(after.header(header::LOCATION).starts_with("/login?"), "a new password ends old sessions");
}

#[tokio::test]
async fn the_time_box_holds_at_sign_in_too() {
    let site = Site::new().await;
    for (login, until, expected) in [
        ("over", date(2026, 6, 16), StatusCode::UNPROCESSABLE_ENTITY),
        ("last-day", date(2026, 6, 17), StatusCode::SEE_OTHER),
    ] {
        let new = NewAdministrator {
            password_hash: Some(crate::passwords::hash_new("correct horse").unwrap()),
            valid_until: Some(until),
            ..NewAdministrator::new(login, Role::Auditor, Some(site.contract))
        };
        let cookie = site.somebody(new).await;
        let answer = site.post("", "/login", &[("user", login), ("password", "correct horse")]).await;
        assert_eq!(answer.status, expected, "{login}");
        let page = site.get(&cookie, "/punches").await.status;
        assert_eq!(page == StatusCode::OK, expected == StatusCode::SEE_OTHER, "{login}");
    }
}

#[tokio::test]
async fn departments_are_added_renamed_and_moved_but_never_below_themselves() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let add = async |code: &str, name: &str, parent: &str| {
        let fields = [("code", code), ("name", name), ("parent", parent)];
        site.post(&admin, "/departments", &fields).await.status
    };
    assert_eq!(add("A", "営業本部", "").await, StatusCode::SEE_OTHER);
    assert_eq!(add("B", "営業一課", "A 営業本部").await, StatusCode::SEE_OTHER);
    assert_eq!(add("B", "営業二課", "").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(add("C", "営業二課", "Z").await, StatusCode::UNPROCESSABLE_ENTITY);
    let all = site.store.list_departments(site.contract).await.unwrap();
    let at = |n: usize, what: &str| format!("/departments/{}/{what}", all[n].id);
    let ring = site.post(&admin, &at(0, "move"), &[("parent", "B")]).await;
    assert!(
        ring.status == StatusCode::UNPROCESSABLE_ENTITY && ring.text.contains("下に置くことはできません")
    );
    let taken = site.post(&admin, &at(1, "rename"), &[("code", "A"), ("name", "x")]).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    let renamed = site.post(&admin, &at(1, "rename"), &[("code", "B1"), ("name", "第一営業課")]).await;
    assert_eq!(renamed.status, StatusCode::SEE_OTHER);
    let page = site.get(&admin, "/departments").await.text;
    assert!(page.contains("<span class=\"tree tree--1\">第一営業課</span>"));
    assert_eq!(site.post(&admin, &at(1, "move"), &[("parent", "")]).await.status, StatusCode::SEE_OTHER);
    let page = site.get(&admin, "/departments").await.text;
    assert_eq!(times(&page, "tree--0"), 2);
    let auditor = site.person("auditor", Role::Auditor, Some(site.contract)).await;
    let page = site.get(&auditor, "/departments").await.text;
    assert!(page.contains("第一営業課") && !page.contains("method=\"post\" action=\"/departments"));
}

#[tokio::test]
async fn the_menu_shows_only_what_may_be_opened() {
    let site = Site::new().await;
    let entries = ["/punches", "/employees", "/accounts", "/terminals", "/departments", "/administrators"];
    for (role, shown) in [
        (Role::Administrator, &[0, 1, 2, 3, 4, 5][..]),
        (Role::HumanResources, &[0, 1, 2, 3, 4]),
        (Role::InformationTechnology, &[3]),
        (Role::Auditor, &[0, 1, 2, 3, 4, 5]),
        (Role::Operator, &[5]),
    ] {
        let contract = (role != Role::Operator).then_some(site.contract);
        let cookie = site.person(role.name(), role, contract).await;
        let start = site.get(&cookie, "/").await;
        let place = start.header(header::LOCATION);
        let page = if place.is_empty() { start.text } else { site.get(&cookie, place).await.text };
        for (number, entry) in entries.iter().enumerate() {
            let there = page.contains(&format!("<li><a href=\"{entry}\""));
            assert_eq!(there, shown.contains(&number), "{role:?} {entry}");
        }
    }
}

#[tokio::test]
async fn a_role_is_refused_before_anything_of_the_request_is_read() {
    let site = Site::new().await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    let long = "x".repeat(600 * 1024);
    let answer = site.post(&it, "/employees", &[("name", &long)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let anonymous = site.post("", "/employees", &[("name", &long)]).await;
    assert_eq!(anonymous.status, StatusCode::SEE_OTHER);
}

/// Lines of the file of set-up links: code, login, link, outcome.
fn links(file: &str) -> Vec<[String; 4]> {
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('"').split("\",\"").map(str::to_owned).collect() };
    let lines = file.lines().skip(1).map(cells);
    lines.map(|cells| [&cells[0], &cells[2], &cells[3], &cells[5]].map(Clone::clone)).collect()
}

#[tokio::test]
async fn employees_are_let_see_their_own_records_many_at_once_and_the_links_are_given_once() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    for (code, name) in [("E1", "佐藤 花子"), ("E2", "鈴木 一郎"), ("E3", "田中 次郎"), ("E 4", "山田 四郎")]
    {
        site.post(&admin, "/employees", &[("code", code), ("name", name)]).await;
    }
    let gone = [("code", "E5"), ("name", "山本 五郎"), ("to", "2026-06-16")];
    site.post(&admin, "/employees", &gone).await;
    let other = contract(&site.store, "B-2").await;
    site.person("E2", Role::HumanResources, Some(other)).await;
    let list = site.get(&admin, "/employees").await.text;
    assert!(list.contains("選択した社員が自分の記録を見られるようにする"), "{list}");
    let id = |code: &str| {
        let row = list.split("<tr role=\"row\"").find(|row| row.contains(&format!(">{code}</td>"))).unwrap();
        row.split("name=\"employee\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let (one, two) = (id("E1"), id("E2"));
    const PATH: &str = "/employees/self-service";
    let asked = site.get(&admin, &format!("{PATH}?employee={one}&employee={two}&do=picked")).await.text;
    assert!(
        asked.contains("次の2名を") && asked.contains("E2 鈴木 一郎") && !asked.contains("田中"),
        "{asked}"
    );
    assert!(asked.contains("72時間有効です"), "{asked}");
    let nobody = site.get(&admin, &format!("{PATH}?do=picked")).await;
    assert_eq!(nobody.header(header::LOCATION), "/employees");
    let picked = [("employee", one.as_str()), ("employee", two.as_str()), ("do", "picked")];
    let file = site.post(&admin, PATH, &picked).await;
    assert_eq!(file.header(header::CACHE_CONTROL), "no-store");
    assert!(file.header(header::CONTENT_DISPOSITION).starts_with("attachment; filename=\"set-up-links-"));
    let made = links(&file.text);
    let logins: Vec<_> = made.iter().map(|line| (line[0].as_str(), line[1].as_str())).collect();
    assert_eq!(logins, [("E1", "E1"), ("E2", "E2@A-1")], "a login is one person's of the whole server");
    let link = made[0][2].strip_prefix("https://time.example").expect(&made[0][2]).to_owned();
    let page = site.get("", &link).await;
    assert!(page.status == StatusCode::OK && page.text.contains("佐藤 花子"), "{}", page.text);
    // Once more: nobody new, and no link again.
    let again = site.post(&admin, PATH, &picked).await;
    assert_eq!(again.header(header::LOCATION), "/employees");
    assert!(site.get(&admin, "/employees").await.text.contains("新しく利用者になった社員はいません。"));
    // Everybody of the list: who is there stays, a code with a space is no login, who has left is left out.
    let all = links(&site.post(&admin, PATH, &[("do", "all")]).await.text);
    let outcomes: Vec<_> = all.iter().map(|line| (line[0].as_str(), line[3].as_str())).collect();
    let there = "すでに利用者です（変更なし）";
    assert_eq!(outcomes[1..3], [("E1", there), ("E2", there)]);
    assert_eq!(outcomes[3], ("E3", "リンクを渡してください"));
    assert!(outcomes.len() == 4 && outcomes[0].1.contains("追加してください"), "{outcomes:?}");
    assert_eq!(site.get("", &link).await.status, StatusCode::OK, "their links are as they were");
    // A new link is given only when it is asked for, and takes the place of the one before.
    let renewed = site.post(&admin, PATH, &[("employee", one.as_str()), ("again", "1")]).await;
    let renewed = links(&renewed.text).remove(0)[2].strip_prefix("https://time.example").unwrap().to_owned();
    assert_eq!(site.get("", &link).await.status, StatusCode::NOT_FOUND);
    let password = [("password", "correct horse"), ("again", "correct horse")];
    assert_eq!(site.post("", &renewed, &password).await.status, StatusCode::OK);
    let person = site.store.administrator("E1").await.unwrap().unwrap();
    assert_eq!((person.data.role, person.data.contract), (Role::Employee, Some(site.contract)));
    let cookie = site.session(person.id).await;
    assert_eq!(site.get(&cookie, "/me").await.status, StatusCode::OK);
    assert_eq!(site.get(&cookie, "/punches").await.status, StatusCode::FORBIDDEN);
    let done = site.post(&admin, PATH, &[("employee", one.as_str()), ("again", "1")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "who has a password gets no link");
    let log = site.store.audit_log(Some(site.contract), None, 99).await.unwrap();
    let count = |action: &str| log.iter().filter(|entry| entry.action == action).count();
    assert_eq!((count("create_administrator"), count("make_setup_link")), (4, 4), "{log:?}");
    let hr = site.person("hr", Role::HumanResources, Some(site.contract)).await;
    let list = site.get(&hr, "/employees").await.text;
    assert!(!list.contains("自分の記録を見られるようにする") && !list.contains("c-pick"), "{list}");
    assert_eq!(site.post(&hr, PATH, &picked).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_login_works_as_it_stands_in_the_file_and_the_next_page_says_what_was_made() {
    const PATH: &str = "/employees/self-service";
    let site = Site::new().await;
    let admin = site.administrator().await;
    for (code, name) in [("-E1", "佐藤 花子"), ("@E2", "鈴木 一郎"), ("E3", "田中 次郎"), ("E4", "山田 四郎")]
    {
        site.post(&admin, "/employees", &[("code", code), ("name", name)]).await;
    }
    // Somebody who was added by hand, with a login that has an apostrophe in a file.
    let all = site.store.list_employees(site.contract.into(), None, 9).await.unwrap();
    let suzuki = all.iter().find(|one| one.data.code == "@E2").unwrap().id;
    let new = NewAdministrator {
        employee: Some(suzuki),
        ..NewAdministrator::new("@suzuki", Role::Employee, Some(site.contract))
    };
    site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    let asked = site.get(&admin, &format!("{PATH}?do=all")).await.text;
    let told = asked.split("このうち2名は、社員コードをユーザー名にできません").nth(1).expect(&asked);
    assert!(
        told.contains("-E1 佐藤 花子") && told.contains("@E2 鈴木 一郎") && !told.contains("E3 田中"),
        "{asked}"
    );
    assert!(asked.contains("この画面は変わりません"), "{asked}");
    let file = site.post(&admin, PATH, &[("do", "all")]).await.text;
    let made = links(&file);
    for [_, login, link, outcome] in &made {
        assert_eq!(outcome == "リンクを渡してください", !link.is_empty(), "{file}");
        if !link.is_empty() {
            assert!(site.store.administrator(login).await.unwrap().is_some(), "{login}: {file}");
        }
    }
    let of = |code: &str| made.iter().find(|line| line[0].ends_with(code)).unwrap();
    assert!(of("E1")[1].is_empty() && of("E1")[3].contains("「利用者と権限」で追加してください"), "{file}");
    assert!(of("E2")[1] == "'@suzuki" && of("E2")[3].contains("サインインのときは入力しません"), "{file}");
    // The browser has a file and no page: the next one tells.
    let next = site.get(&admin, "/employees").await.text;
    assert!(next.contains("09:24に、設定リンクを2件作成し"), "{next}");
    assert!(next.contains("リンクは2026-06-20 09:24まで有効です"), "{next}");
    let log = next.split("banner__act\"><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(times(&site.get(&admin, log).await.text, "パスワード設定リンクを作成</th>"), 2);
    assert!(!site.get(&admin, "/employees").await.text.contains("設定リンクを2件作成し"), "once");
}

#[tokio::test]
async fn a_set_up_link_leads_where_the_server_says_it_is_and_never_where_a_request_says() {
    use axum::body::Body;
    use axum::http::Request;
    let mut site = Site::new().await;
    let admin = site.administrator().await;
    let ask = async |site: &Site, login: &str| {
        let request = Request::post("/administrators")
            .header(header::COOKIE, &admin)
            .header(header::HOST, "evil.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let body = format!("login={login}&name=n&role=hr");
        site.send(request.body(Body::from(body)).unwrap()).await.text
    };
    let page = ask(&site, "one").await;
    assert!(page.contains("https://time.example/setup/") && !page.contains("evil.example"), "{page}");
    site.state.chosen_url = None;
    site.app = crate::web::router(site.state.clone());
    assert!(ask(&site, "two").await.contains("http://evil.example/setup/"), "nobody has said where it is");
}

#[tokio::test]
async fn operators_look_after_operators_and_the_last_one_stays() {
    let site = Site::new().await;
    let password_hash = Some(crate::passwords::hash_new("correct horse").unwrap());
    let new = NewAdministrator { password_hash, ..NewAdministrator::new("root1", Role::Operator, None) };
    let root = site.somebody(new).await;
    assert_eq!(site.get(&root, "/").await.header(header::LOCATION), "/contracts", "contracts come first");
    let theirs = site.administrator().await;
    let id = async |login: &str| site.store.administrator(login).await.unwrap().unwrap().id;
    let made = site.post(&root, "/administrators", &[("login", "root2"), ("name", "二人目")]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let second = site.store.administrator("root2").await.unwrap().unwrap();
    assert_eq!((second.data.role, second.data.contract), (Role::Operator, None));
    let list = site.get(&root, "/administrators").await.text;
    assert!(list.contains("root1") && list.contains("root2") && !list.contains(">admin<"), "{list}");
    assert!(!list.contains("/administrators/second-factor"), "the server is set so, not here");
    assert!(!site.get(&theirs, "/administrators").await.text.contains("root1"));
    let foreign = format!("/administrators/{}", id("admin").await);
    assert_eq!(site.get(&root, &foreign).await.status, StatusCode::NOT_FOUND);
    // Nobody but root1 can sign in yet.
    let (first, second) = (id("root1").await, id("root2").await);
    let other = site.session(second).await;
    let refused = site.post(&other, &format!("/administrators/{first}/disable"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("最後の運用者なので"), "{}", refused.text);
    let setup = link(&made.text);
    site.post("", &setup, &[("password", "correct horse"), ("again", "correct horse")]).await;
    let done = site.post(&root, &format!("/administrators/{second}/disable"), &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let refused = site.post("", "/login", &[("user", "root2"), ("password", "correct horse")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "disabled");
    let log = site.store.audit_log(None, None, 1).await.unwrap().remove(0);
    assert_eq!((log.action.as_str(), log.object.as_str()), ("disable_administrator", "administrator root2"));
}
