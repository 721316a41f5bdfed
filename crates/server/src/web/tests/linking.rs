//! 「選択したWindowsユーザー名をマスタ登録する」, and undoing it.

use axum::http::{StatusCode, header};
use jiff::civil::date;
use mngntime_store::{AccountFilter, Act, LinkEnd, NewEmployee, Role};

use super::{NOW, Site, first_account, times};

const MARU: &str = "<a class=\"maru\"";

async fn site_with_punches() -> (Site, String, String) {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=4).await;
    let page = site.get(&cookie, "/punches?errors=1").await.text;
    assert_eq!(times(&page, MARU), 4);
    let account = first_account(&page);
    (site, cookie, account)
}

fn fields<'a>(account: &'a str, code: &'a str, step: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("account", account),
        ("mode-0", "new"),
        ("code-0", code),
        ("name-0", "小川 拓海"),
        ("from-0", "2026-06-01"),
        ("to-0", ""),
        ("step", step),
    ]
}

#[tokio::test]
async fn linking_takes_the_errors_away() {
    let (site, cookie, account) = site_with_punches().await;
    let form = site.get(&cookie, &format!("/accounts/link?account={account}")).await.text;
    assert!(form.contains("name=\"from-0\" value=\"2026-06-17\""), "begins with the first punch that waits");

    let confirm = site.post(&cookie, "/accounts/link", &fields(&account, "E0341", "preview")).await;
    assert_eq!(confirm.status, StatusCode::OK);
    assert!(confirm.text.contains("<b>4</b>件の打刻を再判定します。") && confirm.text.contains("小川 拓海"));
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, MARU), 4, "nothing has changed yet");

    let edit = site.post(&cookie, "/accounts/link", &fields(&account, "E0341", "edit")).await;
    assert!(edit.text.contains("value=\"E0341\""), "what was typed is still there");

    let save = site.post(&cookie, "/accounts/link", &fields(&account, "E0341", "save")).await;
    assert_eq!((save.status, save.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/punches"));
    let done = site.get(&cookie, "/punches").await.text;
    assert_eq!(times(&done, MARU), 0);
    assert!(done.contains("1ユーザーを登録し、4件の打刻を再判定しました。") && done.contains("E0341"));
    assert!(!site.get(&cookie, "/punches").await.text.contains("再判定しました"), "said once");

    let again = site.post(&cookie, "/accounts/link", &fields(&account, "E0341", "save")).await;
    assert_eq!((again.status, again.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/punches"));
    assert!(site.get(&cookie, "/punches").await.text.contains("この登録は、すでに保存されています。"));
    let other = site.post(&cookie, "/accounts/link", &fields(&account, "E0342", "save")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "somebody else's is no repetition");
}

#[tokio::test]
async fn the_numbers_of_the_confirmation_add_up_and_are_what_comes() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let (u, v) = (("D", "u"), ("D", "v"));
    // 2026-06-17 is the last of the days, and has most.
    for (day, user, numbers) in
        [(-3, u, 1..=2), (-2, u, 3..=5), (-1, u, 6..=6), (0, u, 7..=10), (0, v, 11..=15)]
    {
        site.punches_on(terminal, user, numbers, day).await;
    }
    let employee = [("code", "E1"), ("name", "小川"), ("from", "2026-06-15"), ("to", "2026-06-16")];
    site.post(&cookie, "/employees", &employee).await;
    let accounts = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    let [of_u, of_v] = [&accounts[0], &accounts[1]].map(|account| account.id.to_string());
    let fields = |step: &'static str| {
        vec![
            ("account", of_u.as_str()),
            ("account", of_v.as_str()),
            ("mode-0", "old"),
            ("employee-0", "E1"),
            ("from-0", "２０２６／０６／１５"),
            ("to-0", "2026-06-17"),
            ("mode-1", "old"),
            ("skip-1", "1"),
            ("step", step),
        ]
    };
    let form = site.post(&cookie, "/accounts/link", &fields("edit")).await.text;
    assert!(form.contains("待機中の打刻は<b>15</b>件です。"), "{form}");
    let confirm = site.post(&cookie, "/accounts/link", &fields("preview")).await.text;
    // 2 before the link, 3 and 1 within, 4 after the employment; the other account's 5.
    assert!(confirm.contains("<b>4</b>件の打刻を再判定します。残りの11件はエラーのままです。"), "{confirm}");
    assert!(confirm.contains("2026-06-15〜2026-06-17") && confirm.contains("2026-06-15〜2026-06-16（2日）"));
    for tag in ["在籍外 4件", "期間外 2件", "待機中 5件"] {
        assert!(confirm.contains(tag), "{tag}: {confirm}");
    }
    site.post(&cookie, "/accounts/link", &fields("save")).await;
    let done = site.get(&cookie, "/punches").await.text;
    assert!(done.contains("1ユーザーを登録し、4件の打刻を再判定しました。"), "{done}");
    assert_eq!(times(&done, MARU), 11);
}

/// The value of the first hidden field `link` of a page.
fn first_link(page: &str) -> String {
    page.split("name=\"link\" value=\"").nth(1).expect("a link").split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn unlinking_says_first_what_comes_back_and_undoing_is_a_new_link() {
    let (site, cookie, account) = site_with_punches().await;
    site.post(&cookie, "/accounts/link", &fields(&account, "E0341", "save")).await;
    let address = format!("/accounts/{account}");
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("小川 拓海") && page.contains("2026-06-01〜"), "{page}");
    let (link, change) = (first_link(&page), format!("{address}/change"));
    let end = |to: &'static str, step: &'static str| {
        vec![("what", "end"), ("link", link.as_str()), ("to", to), ("step", step)]
    };
    let early = site.post(&cookie, &change, &end("2026-05-01", "")).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.text.contains("最終日が、結び付けの開始日より前です。"));
    let preview = site.post(&cookie, &change, &end("2026-06-16", "")).await.text;
    assert!(preview.contains("この変更で4件がエラーに戻ります。"), "{preview}");
    assert!(preview.contains("2026-06-17") && preview.contains("小川 拓海"));
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, MARU), 0, "only looked at");
    let ended = site.post(&cookie, &change, &end("2026-06-16", "save")).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, MARU), 4);

    site.post(&cookie, "/employees", &[("code", "E2"), ("name", "佐藤 美咲")]).await;
    let hand_over = |step: &'static str| {
        let dates = [("from", "2026-06-17"), ("to", "")];
        [&[("what", "assign"), ("employee", "Ｅ２"), ("step", step)][..], &dates].concat()
    };
    let preview = site.post(&cookie, &change, &hand_over("")).await.text;
    assert!(preview.contains("4件のエラーが解消します。") && preview.contains("佐藤 美咲"), "{preview}");
    site.post(&cookie, &change, &hand_over("save")).await;
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, MARU), 0);
    let history = site.get(&cookie, &address).await.text;
    assert!(history.contains("2026-06-01〜2026-06-16") && history.contains("2026-06-17〜"), "{history}");
}

#[tokio::test]
async fn a_hand_over_says_how_many_punches_move_and_the_punch_tells_it() {
    let (site, cookie, account) = site_with_punches().await;
    site.post(&cookie, "/accounts/link", &fields(&account, "E0341", "save")).await;
    site.post(&cookie, "/employees", &[("code", "E2"), ("name", "佐藤 美咲")]).await;
    let hr = site.person("jinji", Role::HumanResources, Some(site.contract)).await;
    let change = format!("/accounts/{account}/change");
    let hand_over = |step: &'static str| {
        [("what", "assign"), ("employee", "E2"), ("from", "2026-06-17"), ("to", ""), ("step", step)]
    };
    let preview = site.post(&hr, &change, &hand_over("")).await.text;
    assert!(preview.contains("4件の打刻が移ります。") && !preview.contains("再判定"), "{preview}");
    site.post(&hr, &change, &hand_over("save")).await;
    let done = site.get(&hr, &format!("/accounts/{account}")).await.text;
    assert!(done.contains("4件の打刻が移りました。") && !done.contains("0件"), "{done}");
    let again = site.post(&hr, &change, &hand_over("")).await.text;
    assert!(again.contains("結果の変わる打刻はありません。"), "{again}");

    let list = site.get(&hr, "/punches").await.text;
    let address = list.split("open=").nth(1).unwrap().split(['"', '#']).next().unwrap().replace('.', "/");
    let page = site.get(&hr, &format!("/punches/{address}")).await.text;
    let history = page.split("id=\"d-hist\"").nth(1).unwrap().split("</section>").next().unwrap();
    let rows: Vec<_> = history.split("<tr role=\"row\">").skip(2).collect();
    assert_eq!(rows.len(), 3, "{history}");
    for (row, words) in [
        (rows[0], ["結び付けの変更（結果は同じ）", "E0341 小川 拓海 → E2 佐藤 美咲", "jinji"]),
        (rows[1], ["再判定（マスタ登録）", "社員なし → E0341 小川 拓海", "admin"]),
        (rows[2], ["受信", "<span class=\"res\">7</span>", "サーバー"]),
    ] {
        assert!(words.iter().all(|word| row.contains(word)), "{words:?}: {row}");
    }
}

#[tokio::test]
async fn the_inbox_suggests_with_a_reason_and_takes_all_of_one_after_a_look() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-7", 1).await;
    site.punches(site.contract, terminal, ("D", "e0341"), 1..=2).await;
    site.punches(site.contract, terminal, ("D", "yamada.hanako"), 3..=4).await;
    site.punches(site.contract, terminal, ("D", "nobody"), 5..=5).await;
    for (code, name, kana) in [("E0341", "小川 拓海", "オガワ タクミ"), ("E2", "山田 花子", "ヤマダ ハナコ")]
    {
        site.post(&cookie, "/employees", &[("code", code), ("name", name), ("kana", kana)]).await;
    }
    let page = site.get(&cookie, "/accounts").await.text;
    assert!(page.contains("3ユーザーの打刻 5件") && page.contains("PC-7"), "{page}");
    for reason in ["社員コードと一致</span>", "フリガナと一致</span>"] {
        assert_eq!(times(&page, reason), 1, "{reason}");
    }
    let confirm = site.get(&cookie, "/accounts/suggested?reason=code").await.text;
    assert!(confirm.contains("小川 拓海") && !confirm.contains("山田 花子"), "{confirm}");
    assert!(confirm.contains("<b>2</b>件の打刻を再判定します。") && confirm.contains("2026-06-17（1日）"));
    let form =
        site.get(&cookie, &format!("/accounts/link?account={}", first_pick(&page, "yamada"))).await.text;
    assert!(form.contains("value=\"E2 山田 花子\"") && form.contains("候補（フリガナと一致）"), "{form}");
    let none = site.get(&cookie, "/accounts/suggested?reason=earlier").await;
    assert_eq!(none.header(header::LOCATION), "/accounts");
    assert_eq!(site.get(&cookie, "/accounts/suggested?reason=x").await.status, StatusCode::NOT_FOUND);
    let search = async |q: &str| site.get(&cookie, &format!("/accounts?q={q}")).await.text;
    assert!(search("%EF%BC%A5%EF%BC%90%EF%BC%93").await.contains("D\\e0341"), "Ｅ０３");
    assert!(!search("%25").await.contains("D\\e0341"), "a sign of the pattern is a letter like any other");
}

#[tokio::test]
async fn more_suggestions_than_one_look_takes_are_said_beforehand_and_the_rest_is_one_link_away() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-7", 1).await;
    let most = crate::web::link::SUGGESTED_AT_ONCE_MAX;
    let codes: Vec<String> = (0..most + 2).map(|n| format!("E{n:04}")).collect();
    let accounts: Vec<_> = codes.iter().map(|code| (code.as_str(), code.as_str(), None)).collect();
    site.logons(terminal, &accounts).await;
    for code in &codes {
        let new = NewEmployee::named(code, "氏名".to_owned());
        site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
    }
    let list = site.get(&cookie, "/accounts").await.text;
    assert!(list.contains("一度に200ユーザーまで"), "{list}");
    let address = "/accounts/suggested?reason=code&back=%2Faccounts%3Fshow%3Dwaiting";
    let first = site.get(&cookie, address).await.text;
    assert!(first.contains("候補のうち、最初の200ユーザーです。"), "{first}");
    let hidden = first.split("<input type=\"hidden\" name=\"").skip(1).map(|part| {
        let (name, rest) = part.split_once("\" value=\"").unwrap();
        (name.to_owned(), rest.split('"').next().unwrap().to_owned())
    });
    let fields: Vec<_> = hidden.chain([("step".to_owned(), "save".to_owned())]).collect();
    assert_eq!(fields.iter().filter(|(name, _)| name == "account").count(), most);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let saved = site.post(&cookie, "/accounts/link", &fields).await;
    assert_eq!(saved.header(header::LOCATION), "/accounts?show=waiting");
    let back = site.get(&cookie, "/accounts?show=waiting").await.text;
    let link = back.split("<p class=\"banner__act\"><a href=\"").nth(1).unwrap();
    let (link, words) = link.split_once("\">").unwrap();
    assert!(words.starts_with("続きの候補を確認"), "{words}");
    let rest = site.get(&cookie, &link.replace("&#38;", "&")).await.text;
    assert_eq!(times(&rest, "name=\"account\""), 2, "{rest}");
    assert!(!rest.contains("最初の200"), "these are all");
}

#[tokio::test]
async fn a_directory_s_word_comes_first_and_all_of_it_is_confirmed_at_once() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-7", 1).await;
    let accounts = [
        ("S-1-5-21-9-1", "e0341", None),
        ("S-1-5-21-9-2", "hanako", Some("hanako@EXAMPLE.co.jp")),
        ("S-1-5-21-9-3", "jiro", Some("jiro@example.co.jp")),
    ];
    site.logons(terminal, &accounts).await;
    for (code, name, upn, sid) in [
        ("E1", "小川 拓海", "", "s-1-5-21-9-1"),
        ("E2", "山田 花子", "Hanako@example.co.jp", ""),
        ("E3", "佐藤 次郎", "jiro@example.co.jp", "S-1-5-21-9-33"),
        ("E0341", "別の人", "", ""),
    ] {
        let fields = [("code", code), ("name", name), ("upn", upn), ("sid", sid)];
        assert_eq!(site.post(&cookie, "/employees", &fields).await.status, StatusCode::SEE_OTHER, "{code}");
    }
    let page = site.get(&cookie, "/accounts").await.text;
    for reason in ["ディレクトリ一致（SID）</span>", "ディレクトリ一致（UPN）</span>"] {
        assert_eq!(times(&page, reason), 1, "{reason}: {page}");
    }
    assert!(page.contains("E3 佐藤 次郎 [ディレクトリ一致（UPN）・登録のSIDとは別]"), "{page}");
    assert!(page.contains("候補 1名を確かめる"), "{page}");
    assert!(
        page.contains("「ディレクトリ一致」の候補を確認") && !page.contains("社員コードと一致"),
        "{page}"
    );
    let confirm = site.get(&cookie, "/accounts/suggested?reason=directory").await.text;
    assert!(confirm.contains("小川 拓海") && confirm.contains("山田 花子"), "{confirm}");
    assert!(!confirm.contains("佐藤 次郎") && !confirm.contains("別の人"), "{confirm}");
    let code = site.get(&cookie, "/accounts/suggested?reason=code").await;
    assert_eq!(code.header(header::LOCATION), "/accounts", "E0341 is not who has the SID");
    let form = site.get(&cookie, &format!("/accounts/link?account={}", first_pick(&page, "jiro"))).await.text;
    assert!(form.contains("候補（ディレクトリ一致（UPN）・登録のSIDとは別）"), "{form}");
    assert!(form.contains("<option value=\"E3 佐藤 次郎\">"), "{form}");
    let file = site.get(&cookie, "/accounts/waiting.csv").await.text;
    assert!(file.contains("\"E1\",\"2026-06-17\",\"\",\"E1 小川 拓海 [ディレクトリ一致（SID）]\""), "{file}");
}

#[tokio::test]
async fn accounts_say_that_sids_link_by_themselves_or_how_to_turn_that_on() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let hr = site.person("hr", Role::HumanResources, Some(site.contract)).await;
    let terminal = site.terminal("A-1", "PC-7", 1).await;
    let (sid, short) = ("S-1-5-21-1004336348-1177238915-682003330-1101", "S-1-5-21-9-1");
    site.logons(terminal, &[(sid, "hanako", None), (short, "taro", None)]).await;
    let page = async |cookie: &str| site.get(cookie, "/accounts").await.text;
    let (off, on) = ("自動で結び付けることもできます", "1分ほどで自動で結び付きます");
    let add = async |code: &str, sid: &str| {
        let fields = [("code", code), ("name", "山田 花子"), ("upn", ""), ("sid", sid)];
        assert_eq!(site.post(&hr, "/employees", &fields).await.status, StatusCode::SEE_OTHER);
    };
    add("E2", short).await;
    let shown = page(&admin).await;
    assert!(shown.contains("ディレクトリ一致（SID）</span>") && !shown.contains(off), "no domain's: {shown}");
    add("E1", sid).await;
    let shown = page(&admin).await;
    assert!(shown.contains(off) && shown.contains("href=\"/settings#s-sid\""), "{shown}");
    assert!(!page(&hr).await.contains(off), "who cannot turn it on is not told to");

    let settings =
        [("name", "n"), ("day", "05:00"), ("retention", "5"), ("idle", "60"), ("links_by_sid", "1")];
    assert_eq!(site.post(&hr, "/settings", &settings).await.status, StatusCode::FORBIDDEN);
    assert!(!page(&hr).await.contains(on));
    assert_eq!(site.post(&admin, "/settings", &settings).await.status, StatusCode::SEE_OTHER);
    let form = site.get(&admin, "/settings").await.text;
    assert!(form.contains("name=\"links_by_sid\" value=\"1\" checked"), "{form}");
    for cookie in [&admin, &hr] {
        let shown = page(cookie).await;
        assert!(shown.contains(on) && !shown.contains(off) && !shown.contains("#s-sid"), "{shown}");
    }
    let found = site.store.accounts_to_link_by_sid(date(2026, 6, 17)).await.unwrap();
    let [(contract, accounts)] = found.as_slice() else { panic!("{found:?}") };
    site.store.link_by_sid(*contract, accounts.clone(), NOW).await.unwrap();
    let log = site.get(&admin, "/audit?action=link_account").await.text;
    for told in ["ディレクトリ一致（SID）", "自動での結び付けをオンにした人", "サーバー"]
    {
        assert!(log.contains(told), "{told}: {log}");
    }
    let changed = site.get(&admin, "/audit?action=change_settings").await.text;
    assert!(changed.contains("SIDが登録済みのユーザーを自動で結び付ける"), "{changed}");
    let shown = page(&admin).await;
    assert!(shown.contains("E1</span>山田 花子") && shown.contains(on), "taro waits still: {shown}");
    site.post(&admin, "/settings", &settings[..4]).await;
    assert!(!page(&admin).await.contains(on), "and off again");
    assert!(!site.get(&admin, "/settings").await.text.contains("value=\"1\" checked"));
}

/// The account whose row has `name` in it.
fn first_pick(page: &str, name: &str) -> String {
    let row = page.split("<tr role=\"row\"").find(|row| row.contains(name)).expect("a row");
    super::first_account(row)
}

#[tokio::test]
async fn wrong_input_changes_nothing_and_says_where() {
    let (site, cookie, account) = site_with_punches().await;
    let wrong: [(&str, &str); 5] =
        [("code-0", ""), ("name-0", ""), ("from-0", "2026-13-45"), ("from-0", ""), ("to-0", "2026-05-01")];
    for (name, value) in wrong {
        let mut fields = fields(&account, "E1", "save");
        fields.iter_mut().filter(|field| field.0 == name).for_each(|field| field.1 = value);
        let answer = site.post(&cookie, "/accounts/link", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert!(
            answer.text.contains("aria-invalid=\"true\"") && answer.text.contains("1か所"),
            "{name}={value}"
        );
    }
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, MARU), 4);
    assert!(site.store.list_employees(site.contract.into(), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_taken_code_and_a_second_link_are_refused_on_the_form() {
    let (site, cookie, account) = site_with_punches().await;
    site.post(&cookie, "/employees", &[("code", "E1"), ("name", "佐藤 美咲")]).await;
    let again = site.post(&cookie, "/employees", &[("code", "E1"), ("name", "別人")]).await;
    assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY && again.text.contains("すでに使われています"));
    let taken = site.post(&cookie, "/accounts/link", &fields(&account, "E1", "preview")).await;
    assert!(taken.text.contains("E1 は佐藤 美咲さんが使っています"));
    site.post(&cookie, "/accounts/link", &fields(&account, "E2", "save")).await;
    let overlap = site.post(&cookie, "/accounts/link", &fields(&account, "E3", "save")).await;
    assert_eq!(overlap.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(overlap.text.contains("すでに社員に結び付いています"));
}

#[tokio::test]
async fn no_selection_leads_back_with_a_message() {
    let (site, cookie, _) = site_with_punches().await;
    let answer = site.get(&cookie, "/accounts/link").await;
    assert_eq!(answer.header(header::LOCATION), "/punches");
    assert!(site.get(&cookie, "/punches").await.text.contains("行が選択されていません"));
}

#[tokio::test]
async fn the_form_leads_back_to_where_it_was_opened() {
    let (site, cookie, account) = site_with_punches().await;
    let opened = async |place: &str| {
        let page = site.get(&cookie, place).await.text;
        let shown = page.split("name=\"back\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        shown.replace("&#38;", "&")
    };
    for (place, name) in
        [("/punches?errors=1&from=2026-06-01", "打刻ログ"), ("/accounts?show=waiting&q=u", "Windowsユーザー")]
    {
        assert_eq!(opened(place).await, place);
        let back: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
        let form = site.get(&cookie, &format!("/accounts/link?account={account}&back={back}")).await.text;
        let shown = place.replace('&', "&#38;");
        assert!(form.contains(&format!("<a href=\"{shown}\">{name}</a>")), "the crumb: {form}");
        assert!(form.contains(&format!("<a class=\"btn\" href=\"{shown}\">やめる</a>")), "{form}");
        let nothing = site.get(&cookie, &format!("/accounts/link?back={back}")).await;
        assert_eq!(nothing.header(header::LOCATION), place);
    }
    // Through every step, and a second time.
    let mut all = fields(&account, "E0341", "preview");
    all.push(("back", "/accounts?show=waiting"));
    let confirm = site.post(&cookie, "/accounts/link", &all).await.text;
    assert!(confirm.contains("name=\"back\" value=\"/accounts?show=waiting\""), "{confirm}");
    for (name, value) in [("to-0", "2026-05-01"), ("step", "edit")] {
        let mut wrong = all.clone();
        wrong.iter_mut().filter(|field| field.0 == name).for_each(|field| field.1 = value);
        let form = site.post(&cookie, "/accounts/link", &wrong).await.text;
        assert!(form.contains("href=\"/accounts?show=waiting\">やめる</a>"), "{name}: {form}");
    }
    all.iter_mut().filter(|field| field.0 == "step").for_each(|field| field.1 = "save");
    for _ in 0..2 {
        let saved = site.post(&cookie, "/accounts/link", &all).await;
        assert_eq!(saved.header(header::LOCATION), "/accounts?show=waiting");
    }
    let elsewhere = site.get(&cookie, "/accounts/link?back=https%3A%2F%2Fevil.example%2Fpunches").await;
    assert_eq!(elsewhere.header(header::LOCATION), "/punches");
}

#[tokio::test]
async fn switching_the_language_keeps_what_was_typed() {
    let (site, cookie, account) = site_with_punches().await;
    let confirm = site.post(&cookie, "/accounts/link", &fields(&account, "E0341", "preview")).await.text;
    let switch = confirm.split("href=\"/language").nth(1).unwrap().split('"').next().unwrap();
    let address = format!("/language{}", switch.replace("&#38;", "&"));
    let back = site.get(&cookie, &address).await.header(header::LOCATION).to_owned();
    assert!(site.get(&cookie, &back).await.text.contains("value=\"E0341\""));
}

#[tokio::test]
async fn two_new_people_never_become_one_because_of_their_code() {
    let (site, cookie, first) = site_with_punches().await;
    let terminal = site.terminal("A-1", "PC-2", 2).await;
    site.punches(site.contract, terminal, ("D", "other"), 1..=2).await;
    let page = site.get(&cookie, "/punches?errors=1").await.text;
    let second = page
        .split("name=\"account\" value=\"")
        .skip(1)
        .map(|part| part.split('"').next().unwrap())
        .find(|id| *id != first)
        .unwrap()
        .to_owned();
    let fields = |name: &'static str, step: &'static str| {
        let mut all = vec![("account", first.as_str()), ("account", second.as_str()), ("step", step)];
        all.extend([("mode-0", "new"), ("code-0", "E90"), ("name-0", "新"), ("from-0", "2026-06-01")]);
        all.extend([("mode-1", "new"), ("code-1", "Ｅ９０"), ("name-1", name), ("from-1", "2026-06-01")]);
        all
    };
    for step in ["preview", "save"] {
        let answer = site.post(&cookie, "/accounts/link", &fields("別", step)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{step}");
        assert!(answer.text.contains("id=\"y-1\"") && !answer.text.contains("id=\"y-0\""), "the second row");
        assert!(answer.text.contains("E90 は、上の行で新さんのコード"));
    }
    assert!(site.store.list_employees(site.contract.into(), None, 9).await.unwrap().is_empty());
    let same = site.post(&cookie, "/accounts/link", &fields("新", "preview")).await;
    assert!(same.status == StatusCode::OK && times(&same.text, "上の行と同じ新しい社員") == 1);
    site.post(&cookie, "/accounts/link", &fields("新", "save")).await;
    assert_eq!(site.store.list_employees(site.contract.into(), None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_link_that_cannot_be_made_is_not_called_an_unlinking() {
    let (site, cookie, account) = site_with_punches().await;
    let fields = [("what", "assign"), ("employee", "E9"), ("from", "2026-06-01")];
    let answer = site.post(&cookie, &format!("/accounts/{account}/change"), &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("結び付けていません。") && !answer.text.contains("解除していません"));
}

#[tokio::test]
async fn accounts_of_leavers_are_chosen_and_handed_over_by_the_form() {
    let (site, cookie, account) = site_with_punches().await;
    let gone = [("code", "E6"), ("name", "去 人"), ("to", "2026-06-10")];
    site.post(&cookie, "/employees", &gone).await;
    site.post(&cookie, "/employees", &[("code", "E7"), ("name", "後 任")]).await;
    let old = |step| {
        let fields = [("mode-0", "old"), ("employee-0", "E6"), ("from-0", "2026-04-01"), ("step", step)];
        [&[("account", account.as_str())][..], &fields].concat()
    };
    assert_eq!(site.post(&cookie, "/accounts/link", &old("save")).await.status, StatusCode::SEE_OTHER);
    let list = site.get(&cookie, "/accounts?show=waiting").await.text;
    assert!(list.contains(&format!("name=\"account\" value=\"{account}\"")), "it can be chosen: {list}");
    let form = site.get(&cookie, &format!("/accounts/link?account={account}")).await.text;
    assert!(form.contains("name=\"from-0\" value=\"2026-06-11\""), "{form}");
    let told = "この期間に在籍していない E6 去 人 の結び付きは 2026-06-10 で終わります。";
    assert!(form.contains(told) && !form.contains("引き継ぎとして登録する"), "{form}");
    let next = |who: &'static str, from: &'static str, step: &'static str| {
        let fields = [("mode-0", "old"), ("employee-0", who), ("from-0", from), ("step", step)];
        [&[("account", account.as_str())][..], &fields].concat()
    };
    for (who, from) in [("E7", "2026-06-10"), ("E6", "2026-06-11")] {
        let refused = site.post(&cookie, "/accounts/link", &next(who, from, "preview")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{who} {from}");
    }
    let look = site.post(&cookie, "/accounts/link", &next("E7", "2026-06-11", "preview")).await;
    assert!(look.text.contains(told), "{}", look.text);
    let saved = site.post(&cookie, "/accounts/link", &next("E7", "2026-06-11", "save")).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, MARU), 0);
    let id = mngntime_store::AccountId::parse(&account).unwrap();
    let links = site.store.account(site.contract, id).await.unwrap().unwrap().links;
    let links: Vec<_> = links.iter().map(|link| (link.employee_code.as_str(), link.from, link.to)).collect();
    assert_eq!(links, [("E6", date(2026, 4, 1), Some(date(2026, 6, 10))), ("E7", date(2026, 6, 11), None)]);
    let list = site.get(&cookie, "/accounts").await.text;
    assert!(!list.contains(&format!("value=\"{account}\"")), "whoever is here is taken nothing from");
}

/// The row of the list of accounts that has `name` in it.
fn row_of(page: &str, name: &str) -> String {
    page.split("<tr role=\"row\"").find(|row| row.contains(name)).expect(name).to_owned()
}

#[tokio::test]
async fn an_account_that_is_linked_says_why_its_punches_wait_and_is_offered_to_nobody_who_is_refused() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches_on(terminal, ("D", "e0341"), 1..=2, -3).await;
    site.punches_on(terminal, ("D", "e0500"), 3..=4, -3).await;
    for (code, from) in [("E0341", "2026-06-16"), ("E0500", "2026-04-01")] {
        site.post(&cookie, "/employees", &[("code", code), ("name", "小川"), ("from", from)]).await;
    }
    let links = "user,社員コード,from\ne0341,E0341,2026-06-01\ne0500,E0500,2026-06-16\n";
    let sent = site.upload(&cookie, "/accounts/import", links.as_bytes()).await;
    site.post(&cookie, sent.header(header::LOCATION), &[("take", "all")]).await;

    let list = site.get(&cookie, "/accounts?show=waiting").await.text;
    assert!(list.contains("待機中 <b>2</b>") && !list.contains("未登録"), "both are linked: {list}");
    let row = row_of(&list, "D\\e0341");
    let people = site.store.list_employees(site.contract.into(), None, 9).await.unwrap();
    let dates = format!("<a href=\"/employees/{}#a-from\">入社日を直す</a>", people[0].id);
    assert!(row.contains("2026-06-16 の入社より前の打刻です。") && row.contains(&dates), "{row}");
    assert!(!row.contains("候補"), "what would be refused: {row}");
    assert!(row.contains("class=\"pick\""), "somebody else may be linked before they come: {row}");
    let row = row_of(&list, "D\\e0500");
    assert!(row.contains("2026-06-16 に始まる結び付けより前の打刻です。"), "{row}");
    assert!(row.contains("社員コードと一致") && row.contains("同じ社員に結び付ける"), "{row}");
    let page = site.get(&cookie, &format!("/accounts/{}", id_of(&site, "e0341").await)).await.text;
    assert!(page.contains("入社日は 2026-06-16 です") && page.contains(&dates), "{page}");

    // All that is offered is taken.
    let confirm = site.get(&cookie, "/accounts/suggested?reason=code").await;
    assert_eq!(confirm.status, StatusCode::OK, "{}", confirm.text);
    assert!(
        confirm.text.contains("2026-06-14〜2026-06-15") && !confirm.text.contains("e0341"),
        "{}",
        confirm.text
    );
    let file = site.get(&cookie, "/accounts/waiting.csv").await.text;
    let of_one = "\"\",\"2026-06-01\",\"2026-06-15\",\"2026-06-16 の入社より前の打刻です。\"";
    assert!(file.contains(of_one), "{file}");
    let of_other = "\"E0500\",\"2026-06-14\",\"2026-06-15\",\"E0500 小川 [社員コードと一致] / 2026-06-16 に始まる結び付けより前の打刻です。\"";
    assert!(file.contains(of_other), "{file}");
    let sent = site.upload(&cookie, "/accounts/import", file.as_bytes()).await;
    let report = site.get(&cookie, &format!("{}?show=all", sent.header(header::LOCATION))).await.text;
    assert!(report.contains("追加1、変更0、変更なし0、誤り1"), "only what is not filled in: {report}");

    // Put right where it says, nothing waits any more.
    let fields = [("code", "E0341"), ("name", "小川"), ("from", "2026-06-01"), ("step", "save")];
    site.post(&cookie, &format!("/employees/{}", people[0].id), &fields).await;
    let list = site.get(&cookie, "/accounts?show=waiting").await.text;
    assert!(list.contains("待機中 <b>1</b>") && !list.contains("D\\e0341"), "{list}");
}

async fn id_of(site: &Site, name: &str) -> String {
    let all = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    all.iter().find(|account| account.name == name).unwrap().id.to_string()
}

#[tokio::test]
async fn a_pair_that_was_taken_back_as_wrong_is_not_filled_in_anywhere() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-7", 1).await;
    site.logons(terminal, &[("S-1-5-21-9-1", "taro", None)]).await;
    let fields = [("code", "E1"), ("name", "小川 拓海"), ("upn", ""), ("sid", "S-1-5-21-9-1")];
    assert_eq!(site.post(&cookie, "/employees", &fields).await.status, StatusCode::SEE_OTHER);
    let id = id_of(&site, "taro").await;
    let fields = [("account", id.as_str()), ("employee-0", "E1"), ("from-0", "2026-06-01"), ("step", "save")];
    assert_eq!(site.post(&cookie, "/accounts/link", &fields).await.status, StatusCode::SEE_OTHER);
    let all = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    let link = all[0].links[0].id;
    site.store.end_link(site.contract, link, LinkEnd::Void, Act::server(NOW)).await.unwrap();
    let mark = "ディレクトリ一致（SID）・前に「最初から誤り」として取り消された結び付け";
    let list = site.get(&cookie, "/accounts?show=waiting").await.text;
    assert!(list.contains(mark) && !list.contains("の候補を確認"), "{list}");
    let at_once = site.get(&cookie, "/accounts/suggested?reason=directory").await;
    assert_eq!(at_once.status, StatusCode::SEE_OTHER, "nobody is left: {}", at_once.text);
    let form = site.get(&cookie, &format!("/accounts/link?account={id}")).await.text;
    assert!(form.contains(mark) && !form.contains("value=\"E1 小川 拓海\" "), "{form}");
    let file = site.get(&cookie, "/accounts/waiting.csv").await.text;
    let line = file.lines().find(|line| line.contains("taro")).unwrap();
    assert!(line.contains("\"S-1-5-21-9-1\",\"\",\"\",\"2026-06-17\"") && line.contains(mark), "{line}");
}

#[tokio::test]
async fn a_link_that_the_server_made_says_that_it_was_for_the_sid() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-7", 1).await;
    let sid = "S-1-5-21-1004336348-1177238915-682003330-1101";
    site.logons(terminal, &[(sid, "hanako", None)]).await;
    let settings = mngntime_store::ContractSettings { links_by_sid: true, ..Default::default() };
    site.store
        .change_settings(site.contract, "x".into(), settings, Act::administrator("admin", NOW))
        .await
        .unwrap();
    let fields = [("code", "E1"), ("name", "山田 花子"), ("upn", ""), ("sid", sid)];
    site.post(&cookie, "/employees", &fields).await;
    for (contract, accounts) in site.store.accounts_to_link_by_sid(date(2026, 6, 17)).await.unwrap() {
        site.store.link_by_sid(contract, accounts, NOW).await.unwrap();
    }
    let page = site.get(&cookie, &format!("/accounts/{}", id_of(&site, "hanako").await)).await.text;
    assert!(page.contains("サーバー（社員に登録されたSIDと一致したため）"), "{page}");
}
