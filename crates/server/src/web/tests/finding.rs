//! Finding people: by the beginning of a name, a reading or a code, and choosing where several are meant; and who may be
//! behind accounts that wait.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use mngntime_store::{AccountFilter, Role};

use super::{NOW, Site, first_account, times};
use crate::web::router;

/// People of the same name, of the same family name, and one more.
async fn people(site: &Site, cookie: &str) {
    let all = [
        ("E1", "佐藤 花子", "サトウ ハナコ"),
        ("E2", "佐藤 花子", "サトウ ハナコ"),
        ("E3", "佐藤 太郎", "サトウ タロウ"),
        ("F1", "山田 花子", "ヤマダ ハナコ"),
    ];
    for (code, name, kana) in all {
        let added = site.post(cookie, "/employees", &[("code", code), ("name", name), ("kana", kana)]).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{code}");
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn whoever_begins_so_is_found_and_of_several_one_is_chosen() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=1).await;
    people(&site, &admin).await;
    for (typed, number) in
        [("佐藤", 3), ("サトウ", 3), ("さとう", 3), ("佐藤花", 2), ("佐藤 花子", 2), ("Ｅ", 3), ("e", 3)]
    {
        let page = site.get(&admin, &format!("/punches?errors=1&employee={}", encoded(typed))).await.text;
        let said = format!("「{typed}」に当てはまる社員は{number}名います。");
        assert!(page.contains(&said), "{said}: {page}");
        assert_eq!(times(&page, "href=\"/punches?errors=1&#38;employee=E"), number, "{typed}");
    }
    let one = site.get(&admin, &format!("/punches?employee={}", encoded("やま"))).await.text;
    assert!(one.contains("value=\"F1 山田 花子\"") && !one.contains("role=\"alert\""), "{one}");
    let none = site.get(&admin, &format!("/punches?employee={}", encoded("鈴木"))).await.text;
    assert!(none.contains("「鈴木」に当てはまる社員はいません。"), "{none}");
    for typed in ["佐藤花子", "佐藤　花子", "さとうはなこ"] {
        let list = site.get(&admin, &format!("/employees?q={}", encoded(typed))).await.text;
        assert!(list.contains(">E1<") && list.contains(">E2<") && !list.contains(">E3<"), "{typed}: {list}");
    }
}

#[tokio::test]
async fn the_form_of_a_link_offers_whom_a_text_may_mean_and_takes_the_chosen_one() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=1).await;
    people(&site, &admin).await;
    let account = first_account(&site.get(&admin, "/punches").await.text);
    let fields = |employee: &'static str, choose: &'static str| {
        [
            ("account", account.as_str()),
            ("mode-0", "old"),
            ("employee-0", employee),
            ("choose-0", choose),
            ("from-0", "2026-06-01"),
            ("step", "preview"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    };
    let send = async |fields: [(&str, String); 6]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        site.post(&admin, "/accounts/link", &fields).await
    };
    let several = send(fields("佐藤 花子", "")).await;
    assert_eq!(several.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        several.text.contains("は2名います。") && several.text.contains("<option value=\"E2 佐藤 花子\">")
    );
    // A code that is nobody's is no one else's either: whom it begins is only offered.
    let begins = send(fields("F", "")).await;
    assert_eq!(begins.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(begins.text.contains("<option value=\"F1 山田 花子\">"), "{}", begins.text);
    let chosen = send(fields("佐藤 花子", "E2 佐藤 花子")).await;
    assert!(chosen.status == StatusCode::OK && chosen.text.contains("E2"), "{}", chosen.text);
    let change = format!("/accounts/{account}/change");
    let assign = [("what", "assign"), ("employee", "佐藤"), ("from", "2026-06-17")];
    let offered = site.post(&admin, &change, &assign).await;
    assert_eq!(offered.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(offered.text.contains("<select name=\"choose\""), "{}", offered.text);
    let assign = [assign.as_slice(), &[("choose", "E3 佐藤 太郎")]].concat();
    assert!(site.post(&admin, &change, &assign).await.text.contains("佐藤 太郎"));
}

#[tokio::test]
async fn whoever_is_chosen_is_linked_whatever_stands_in_the_field() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=1).await;
    site.punches(site.contract, terminal, ("D", "v"), 2..=2).await;
    // More of one name than the store gives where somebody is to be found by it.
    for code in ["E1", "E2", "E3"] {
        site.post(&admin, "/employees", &[("code", code), ("name", "林 明里")]).await;
    }
    site.post(&admin, "/employees", &[("code", "E4"), ("name", "林 悠斗")]).await;
    let accounts = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    let [u, v] = [&accounts[0], &accounts[1]].map(|account| account.id.to_string());
    let from = ("from-0", "2026-06-01");
    for typed in ["林", "林 明里", "", "誰か"] {
        let fields = [("account", u.as_str()), ("mode-0", "old"), ("employee-0", typed), from];
        let asked = site.post(&admin, "/accounts/link", &fields).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        for chosen in ["E1 林 明里", "E3 林 明里", "E4 林 悠斗"] {
            let fields = [fields.as_slice(), &[("choose-0", chosen), ("step", "preview")]].concat();
            let answer = site.post(&admin, "/accounts/link", &fields).await;
            let (code, name) = chosen.split_once(' ').unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{typed} {chosen}: {}", answer.text);
            assert!(answer.text.contains(&format!("<span class=\"code\">{code}</span>{name}")), "{chosen}");
        }
    }
    // Who is chosen for one account does not decide whom the name of several means for another.
    let both = [("account", u.as_str()), ("mode-0", "old"), ("choose-0", "E3 林 明里"), from];
    let other =
        [("account", v.as_str()), ("mode-1", "old"), ("employee-1", "林 明里"), ("from-1", "2026-06-01")];
    let several = site.post(&admin, "/accounts/link", &[both, other].concat()).await;
    assert_eq!(several.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(several.text.contains("は3名います。") && several.text.contains("name=\"choose-1\""));
    let save = [both.as_slice(), &[("step", "save")]].concat();
    assert_eq!(site.post(&admin, "/accounts/link", &save).await.status, StatusCode::SEE_OTHER);
    let linked = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    assert_eq!(linked[0].links[0].employee_code, "E3");
}

#[tokio::test]
async fn one_of_several_suggestions_is_chosen_on_the_form_itself() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "sato.hanako"), 1..=1).await;
    people(&site, &admin).await;
    let account = first_account(&site.get(&admin, "/accounts").await.text);
    let form = site.get(&admin, &format!("/accounts/link?account={account}")).await.text;
    assert!(form.contains("name=\"choose-0\"") && form.contains("<option value=\"E2 佐藤 花子\">"), "{form}");
    let fields = [
        ("account", account.as_str()),
        ("mode-0", "old"),
        ("employee-0", ""),
        ("choose-0", "E2 佐藤 花子"),
        ("from-0", "2026-06-17"),
        ("step", "preview"),
    ];
    let confirm = site.post(&admin, "/accounts/link", &fields).await;
    assert_eq!(confirm.status, StatusCode::OK, "{}", confirm.text);
    assert!(confirm.text.contains("<span class=\"code\">E2</span>佐藤 花子"), "{}", confirm.text);
}

#[tokio::test]
async fn the_inbox_gathers_those_with_somebody_behind_them_from_all_pages() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    for number in 1..=55 {
        site.punches(site.contract, terminal, ("D", &format!("a{number:02}")), number..=number).await;
    }
    site.punches(site.contract, terminal, ("D", "yamada.hanako"), 56..=56).await;
    site.punches(site.contract, terminal, ("D", "sato.hanako"), 57..=57).await;
    site.punches(site.contract, terminal, ("PC-2", "a01"), 58..=58).await;
    people(&site, &admin).await;
    let first = site.get(&admin, "/accounts").await.text;
    assert!(first.contains("候補あり</a>") && !first.contains("フリガナと一致"), "on the second page");
    assert_eq!(times(&first, "同名 ほかに1"), 1, "the same name on another PC");
    let page = site.get(&admin, "/accounts?show=suggested").await.text;
    assert!(page.contains("候補あり <b>2</b>") && page.contains("「フリガナと一致」の候補を確認"), "{page}");
    assert!(page.contains("F1</span>山田 花子") && page.contains("候補 2名から選ぶ"), "{page}");
    let way = page.split("href=\"").find(|part| part.contains("employee-0=E2")).expect("a way to E2");
    let form = site.get(&admin, &way.split('"').next().unwrap().replace("&#38;", "&")).await.text;
    assert!(form.contains("value=\"E2 佐藤 花子\""), "{form}");
    let searched = site.get(&admin, "/accounts?show=suggested&q=yamada").await.text;
    assert!(searched.contains("候補あり <b>1</b>"), "{searched}");
    // Two of one name: the form names neither, and offers both.
    let account =
        first_account(page.split("<tr role=\"row\"").find(|row| row.contains("sato.hanako")).unwrap());
    let form = site.get(&admin, &format!("/accounts/link?account={account}")).await.text;
    assert!(
        form.contains("<option value=\"E1 佐藤 花子\">") && form.contains("name=\"employee-0\""),
        "{form}"
    );
    assert!(!form.contains("name=\"employee-0\" list=\"employees\" data-offers=\"/employees/offered\" autocomplete=\"off\" placeholder=\"社員コードまたは氏名\" value=\"E"));
}

#[tokio::test]
async fn an_empty_list_says_why_it_is_and_a_search_counts_what_it_has_found() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let first = "ユーザーは、最初の打刻が届くとここに並びます。";
    for address in ["/accounts", "/accounts?show=waiting", "/accounts?q=x"] {
        assert!(site.get(&admin, address).await.text.contains(first), "{address}");
    }
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    for number in 1..=3 {
        site.punches(site.contract, terminal, ("D", &format!("a{number}")), number..=number).await;
    }
    people(&site, &admin).await;
    for (address, text, ways) in [
        ("?q=nobody", "「nobody」に当てはまるWindowsユーザーはありません。", &["/accounts"][..]),
        (
            "?show=waiting&q=nobody",
            "「nobody」に当てはまるWindowsユーザーはありません。",
            &["/accounts?show=waiting", "/accounts?q=nobody"],
        ),
        ("?show=limited", "結び付けに終了日のあるユーザーはありません。", &["/accounts"]),
        ("?show=ended", "結び付けがすべて終わったユーザーはありません。", &["/accounts"]),
        ("?show=suggested", "社員の候補があるユーザーはありません。", &["/accounts"]),
    ] {
        let page = site.get(&admin, &format!("/accounts{address}")).await.text;
        assert!(page.contains(text) && !page.contains(first), "{address}: {page}");
        let blank = page.split("blank__acts").nth(1).unwrap().split("</div>").next().unwrap();
        assert_eq!(times(blank, "<a "), ways.len(), "{blank}");
        assert!(ways.iter().all(|way| blank.contains(&format!("href=\"{way}\""))), "{blank}");
    }
    let all = site.get(&admin, "/accounts").await.text;
    assert!(all.contains("すべて <b>3</b>") && all.contains("待機中 <b>3</b>"), "{all}");
    let one = site.get(&admin, "/accounts?q=a2").await.text;
    assert!(one.contains("すべて <b>1</b>") && one.contains("待機中</a>"), "{one}");

    // Several are meant by the filter: nothing has been looked for yet, so nothing is missing.
    let several = site.get(&admin, &format!("/punches?employee={}", encoded("佐藤"))).await.text;
    assert!(several.contains("まだ検索していません") && !several.contains("条件に合う打刻はありません"));
    assert!(several.contains("<p data-live-count></p>"), "no count of what was not looked for: {several}");
    let none = site.get(&admin, "/punches?employee=F1").await.text;
    assert!(none.contains("条件に合う打刻はありません"), "{none}");
}

#[tokio::test]
async fn what_means_nothing_in_the_address_of_a_list_of_people_is_told() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    people(&site, &admin).await;
    site.terminal("A-1", "PC-1", 1).await;
    for address in [
        "/accounts?show=xyz",
        "/accounts?after=x",
        "/employees?show=xyz",
        "/employees?after=zzz",
        "/employees?after=E1&before=E3",
        "/punches?encoding=zz",
        "/audit?encoding=zz",
        "/terminals?encoding=zz",
        "/accounts/import?encoding=zz",
        "/days?show=xyz",
        "/days?show=gone&after=zzz",
    ] {
        let page = site.get(&admin, address).await;
        assert!(page.status == StatusCode::OK && page.text.contains("role=\"alert\""), "{address}");
    }
    // Beyond the end, before the beginning, and in a list of nobody: no list leads there, forward or back.
    let operator = site.person("root", Role::Operator, None).await;
    for (who, list) in [
        (&admin, "/employees"),
        (&admin, "/employees?q=E"),
        (&admin, "/days"),
        (&admin, "/administrators"),
        (&admin, "/administrators?q=nobody"),
        (&operator, "/contracts"),
        (&operator, "/contracts/quarantine"),
    ] {
        for place in ["after=zz", "before=zz", "before=!", "after=zz&before=zz"] {
            let address = format!("{list}{}{place}", if list.contains('?') { '&' } else { '?' });
            let page = site.get(who, &address).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            assert!(page.text.contains("ページの指定が正しくありません。"), "{address}");
        }
    }
    for (file, list) in [
        ("/punches.csv", "/punches"),
        ("/terminals.csv", "/terminals"),
        ("/employees/import.csv", "/employees/import"),
    ] {
        let answer = site.get(&admin, &format!("{file}?encoding=zz")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{file}: to the page that says so");
        assert_eq!(answer.header(header::LOCATION), format!("{list}?encoding=zz"));
    }
    // The list that is shown instead is marked as the one that is shown, and the wrong word is not carried on.
    let people = site.get(&admin, "/days?show=xyz").await.text;
    assert!(people.contains("表示の指定に「xyz」は使えません。") && !people.contains("value=\"xyz\""));
    assert!(people.contains("<a href=\"/days?month=2026-06\" aria-current=\"true\">"), "{people}");
    let terminals = site.get(&admin, "/terminals?encoding=zz").await.text;
    assert!(terminals.contains("文字コードに「zz」は使えません。"), "{terminals}");
    assert_eq!(site.get(&admin, "/punches.csv?encoding=SHIFT_JIS").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_that_is_a_way_up_and_a_name_that_nobody_sees_are_refused() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    for (code, name) in
        [(".", "山田"), ("..", "山田"), ("．．", "山田"), ("E1", "\u{200b}\u{3164}"), ("\u{200d}", "山田")]
    {
        let answer = site.post(&admin, "/employees", &[("code", code), ("name", name)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{code:?} {name:?}");
        assert!(answer.text.contains("aria-invalid"), "{code:?} {name:?}");
    }
    assert!(site.store.list_employees(site.contract.into(), None, 9).await.unwrap().is_empty());
    let joined = site.post(&admin, "/employees", &[("code", "E.1"), ("name", "👩‍💻")]).await;
    assert_eq!(joined.status, StatusCode::SEE_OTHER, "signs with a shape stay");
}

#[tokio::test]
async fn a_period_by_its_name_moves_with_the_day_and_is_noted_with_its_dates() {
    let mut site = Site::new().await;
    site.idle_after(site.contract, None).await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=3).await;
    let month = "/punches?errors=1&period=month";
    let page = site.get(&cookie, month).await.text;
    assert!(page.contains("今月（6月1日〜6月30日）"), "{page}");
    assert!(page.contains("<input type=\"hidden\" name=\"period\" value=\"month\">"), "kept by the form");
    assert!(page.contains("name=\"from\" value=\"\""), "a form sends one period only");
    assert!(
        page.contains("<a href=\"/punches?errors=1\" aria-current=\"true\">今月"),
        "and it can be dropped"
    );
    assert!(page.contains("<a href=\"/punches?errors=1&#38;period=last-month\">先月</a>"), "{page}");
    let dated = site.get(&cookie, "/punches?from=2026-06-02&kind=logon").await.text;
    assert!(dated.contains("<a href=\"/punches?kind=logon&#38;period=today\">今日</a>"), "{dated}");
    assert!(dated.contains("name=\"from\" value=\"2026-06-02\"") && !dated.contains("name=\"period\""));
    // Saved as such: next month it finds others.
    let fields = [("name", "今月のエラー"), ("query", "errors=1&period=month")];
    site.post(&cookie, "/punches/searches", &fields).await;
    site.state.clock = Arc::new(|| NOW.plus(14 * 86_400_000));
    site.app = router(site.state.clone());
    let later = site.get(&cookie, month).await.text;
    assert!(
        later.contains("今月（7月1日〜7月31日）") && later.contains("aria-current=\"true\">今月のエラー")
    );
    for form in ["/punches.csv?", "/punches.xlsx?", "/punches?print=1&"] {
        assert_eq!(site.get(&cookie, &format!("{form}period=last-month")).await.status, StatusCode::OK);
    }
    let noted = site.store.audit_log(Some(site.contract), None, 99).await.unwrap();
    let noted: Vec<_> = noted.iter().filter(|entry| entry.action == "export_punches").collect();
    assert_eq!(noted.len(), 3);
    for entry in noted {
        let detail = entry.detail.to_string();
        assert!(detail.contains("from=2026-06-01&to=2026-06-30") && !detail.contains("period"), "{detail}");
    }
    let log = site.get(&cookie, "/audit").await.text;
    assert!(log.contains("エラーのみ、今月") && !log.contains("period="), "{log}");
}

#[tokio::test]
async fn a_period_that_means_nothing_is_a_message() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let page = site.get(&cookie, "/punches?period=year").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("「year」という期間はありません。"), "{}", page.text);
    let both = site.get(&cookie, "/punches?period=year&from=2026-06-01").await.text;
    assert!(both.contains("「year」という期間はありません。"), "{both}");
}

#[tokio::test]
async fn dates_that_are_typed_while_a_period_is_in_force_win() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=3).await;
    // As the form of 今月 sends it when a first day is typed into it.
    let typed = "from=2026-06-15&to=&period=month&employee=&account=&terminal=&kind=&cause=&errors=1";
    let page = site.get(&cookie, &format!("/punches?{typed}")).await.text;
    assert!(!page.contains("role=\"alert\"") && page.contains(">6月15日〜"), "{page}");
    assert!(page.contains("name=\"from\" value=\"2026-06-15\"") && !page.contains("name=\"period\""));
    assert!(page.contains("<a href=\"/punches?errors=1&#38;period=month\">今月</a>"), "{page}");
    let file = page.split("href=\"/punches.csv?").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(file, "from=2026-06-15&#38;errors=1", "what leads on has one period");
    assert_eq!(site.get(&cookie, &format!("/punches.csv?{typed}")).await.status, StatusCode::OK);
    let wrong = site.get(&cookie, "/punches?period=month&to=2026-06-31").await.text;
    assert!(wrong.contains("「2026-06-31」という日付はありません。"), "{wrong}");
    // Without dates the form keeps the period.
    let kept = site.get(&cookie, "/punches?from=&to=&period=month&errors=1").await.text;
    assert!(kept.contains("今月（6月1日〜6月30日）"), "{kept}");
}

#[tokio::test]
async fn a_search_counts_whom_it_finds_and_leads_to_those_who_have_left() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    people(&site, &cookie).await;
    let gone = [("code", "E0006"), ("name", "去 人"), ("to", "2026-05-10")];
    site.post(&cookie, "/employees", &gone).await;
    let get = async |address: &str| site.get(&cookie, address).await.text;
    for (address, tab) in [("/employees?q=E1", "在籍"), ("/days?q=E1", "この月の社員")] {
        let page = get(address).await;
        assert!(page.contains(&format!("{tab} <b>1</b>")), "{address}: {page}");
    }
    assert!(get("/employees").await.contains("在籍 <b>4</b>"));
    let searched = get("/employees?q=E1").await;
    assert!(searched.contains("<p class=\"pagehead__sub\">在籍 4名</p>"), "of the company: {searched}");
    let nobody = get("/employees?q=E0006").await;
    let way = "<a href=\"/employees?show=gone&#38;q=E0006\">「退職」に1名</a>";
    assert!(nobody.contains(way), "{nobody}");
    assert!(!nobody.contains("マスタ登録でも追加できます"), "nobody is to be added twice");
    let nobody = get("/days?q=E0006").await;
    assert!(nobody.contains(">「この月より前に退職」に1名</a>"), "{nobody}");
    assert!(get("/days?q=E0006&month=2026-05").await.contains("この月の社員 <b>1</b>"));
    let nowhere = get("/employees?q=zzz").await;
    assert!(nowhere.contains("マスタ登録でも追加できます") && !nowhere.contains("に0名"), "{nowhere}");
}

#[tokio::test]
async fn a_code_that_nobody_has_is_searched_for() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    site.post(&cookie, "/employees", &[("code", "E0004"), ("name", "林 明里")]).await;
    let slip = site.get(&cookie, "/days?employee=e0004&month=2026-05").await;
    assert_eq!(slip.status, StatusCode::NOT_FOUND);
    assert!(slip.text.contains("社員コード「e0004」の社員は見つかりません。"), "{}", slip.text);
    assert!(slip.text.contains("/days?employee=E0004&#38;month=2026-05"), "{}", slip.text);
    let nobody = site.get(&cookie, "/days?employee=XXXX").await.text;
    assert!(nobody.contains("「XXXX」") && nobody.contains("name=\"q\""), "{nobody}");
}

#[tokio::test]
async fn an_employment_without_dates_has_no_end() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    site.post(&cookie, "/employees", &[("code", "E1"), ("name", "林 明里")]).await;
    let id = site.store.list_employees(site.contract.into(), None, 9).await.unwrap()[0].id;
    let page = site.get(&cookie, &format!("/employees/{id}")).await.text;
    assert!(page.contains("<dd class=\"time\">期限なし</dd>"), "{page}");
}
