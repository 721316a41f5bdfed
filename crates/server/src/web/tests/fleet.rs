//! The board, the list, one terminal, and what people do with them.

use axum::http::{StatusCode, header};
use mngntime_store::{EnrollmentOutcome, Enrolment, IncomingBatch, KeyHash, Role, TerminalStatus};

use super::{NOW, Site, contract, times};

const ROW: &str = "<!-- partial: terminal row -->";

/// The number of the board's cell that leads to `href`.
fn count(page: &str, href: &str) -> u64 {
    let board = page.split("<!-- partial: fleet board -->").nth(1).unwrap();
    let cell = board.split(&format!("href=\"{href}\"")).nth(1).unwrap_or_else(|| panic!("{href} in {page}"));
    cell.split("<b>").nth(1).unwrap().split('<').next().unwrap().parse().unwrap()
}

fn next(page: &str) -> Option<String> {
    let link = page.split("rel=\"next\" href=\"").nth(1)?;
    Some(link.split('"').next()?.replace("&#38;", "&"))
}

impl Site {
    async fn heard(&self, terminal: mngntime_model::TerminalId, change: impl FnOnce(&mut IncomingBatch)) {
        let mut batch = self.batch(self.contract, terminal, vec![]);
        batch.clock_offset_ms = 0;
        change(&mut batch);
        self.store.receive(batch).await.unwrap();
    }
}

#[tokio::test]
async fn the_boards_counts_are_the_filters_of_the_list() {
    let site = Site::new().await;
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    for (n, change) in [
        (1, (|_| ()) as fn(&mut IncomingBatch)),
        (2, |batch| batch.received_at = NOW.plus(-3_600_000)),
        (3, |batch| batch.received_at = NOW.plus(-8 * 86_400_000)),
        (4, |batch| batch.clock_offset_ms = 94_600),
        (5, |batch| batch.agent_version = "0.0.1".into()),
        (6, |batch| batch.makeup = "other".into()),
        (7, |batch| batch.waiting = 500),
        (8, |_| ()),
        (9, |_| ()),
    ] {
        let terminal = site.terminal("A-1", &format!("PC-{n}"), n).await;
        site.heard(terminal, change).await;
        let status = [(8, TerminalStatus::Blocked), (9, TerminalStatus::Retired)];
        if let Some((_, status)) = status.into_iter().find(|(which, _)| *which == n) {
            let act = mngntime_store::Act::server(NOW);
            site.store.set_terminal_status(site.contract, terminal, status, act).await.unwrap();
        }
    }
    let holed = site.terminal("A-1", "PC-10", 10).await;
    site.punches(site.contract, holed, ("D", "u"), 3..=4).await;
    let page = site.get(&it, "/terminals").await.text;
    let expected = [
        ("", 9),
        ("ok", 6),
        ("late", 1),
        ("silent", 1),
        ("silent-7", 1),
        ("silent-30", 0),
        ("blocked", 1),
        ("duplicate", 0),
        ("missing", 1),
        ("old", 1),
        ("clock", 2),
        ("spool", 1),
        ("makeup", 1),
        ("retired", 1),
    ];
    for (show, number) in expected {
        let href = if show.is_empty() { "/terminals".to_owned() } else { format!("/terminals?show={show}") };
        assert_eq!(count(&page, &href), number, "{show}");
        let list = site.get(&it, &href).await.text;
        assert_eq!(times(&list, ROW) as u64, number, "{show}");
        assert!(times(&list, "aria-current=\"true\"") >= 1, "{show}");
    }
    let order: Vec<_> = page.split(ROW).skip(1).map(|row| row.split("PC-").nth(1).unwrap()).collect();
    let order: Vec<_> =
        order.iter().map(|row| row.split(' ').next().unwrap().trim_end_matches('"')).collect();
    assert!(
        order[0].starts_with('6') && order[1].starts_with("10") && order[2].starts_with('7'),
        "{order:?}"
    );
    assert!(site.get(&it, "/terminals?q=ＰＣ－１０").await.text.contains("1 / 1台"), "full-width letters");
    assert!(site.get(&it, "/terminals?q=zzz").await.text.contains("該当する端末はありません"));
    assert_eq!(count(&site.get(&it, "/terminals?q=PC-1").await.text, "/terminals?show=silent&#38;q=PC-1"), 1);
}

#[tokio::test]
async fn the_list_is_paged_by_its_own_keys() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for n in 1..=120 {
        site.terminal("A-1", &format!("PC-{n:03}"), n).await;
    }
    let (mut address, mut names) = (Some("/terminals?sort=name".to_owned()), Vec::new());
    while let Some(here) = address {
        let page = site.get(&cookie, &here).await.text;
        names.extend(page.split(ROW).skip(1).map(|row| row.split("PC-").nth(1).unwrap()[..3].to_owned()));
        address = next(&page);
        assert!(address.as_deref().is_none_or(|next| next.contains("sort=name")), "the order goes along");
    }
    let expected: Vec<_> = (1..=120).map(|n| format!("{n:03}")).collect();
    assert_eq!(names, expected);
    for wrong in ["show=x", "sort=x", "after=x", "after=1.x"] {
        let answer = site.get(&cookie, &format!("/terminals?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text.contains("role=\"alert\"") && times(&answer.text, ROW) == 50, "{wrong}");
    }
}

#[tokio::test]
async fn the_file_holds_the_filtered_or_the_chosen_rows_and_is_noted() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let one = site.terminal("A-1", "=cmd", 1).await;
    for n in 2..=4 {
        site.terminal("A-1", &format!("PC-{n}"), n).await;
    }
    let file = site.get(&cookie, "/terminals.csv").await;
    assert_eq!(file.header(header::CONTENT_TYPE), "text/csv; charset=utf-8");
    assert_eq!(file.text.lines().count(), 5, "{}", file.text);
    assert!(file.text.starts_with('\u{feff}') && file.text.contains("\"'=cmd\""));
    assert_eq!(site.get(&cookie, "/terminals.csv?q=pc-").await.text.lines().count(), 4);
    let chosen = site.get(&cookie, &format!("/terminals.csv?terminal={one}")).await.text;
    assert!(chosen.lines().count() == 2 && chosen.contains("cmd"));
    let wrong = site.get(&cookie, "/terminals.csv?show=x").await;
    assert_eq!(wrong.header(header::LOCATION), "/terminals?show=x");
    let log = site.store.audit_log(Some(site.contract), None, 10).await.unwrap();
    assert_eq!(times(&format!("{log:?}"), "export_terminals"), 3);
}

#[tokio::test]
async fn a_terminal_is_blocked_and_unblocked() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    let question = site.get(&cookie, &format!("{address}/block")).await.text;
    assert!(question.contains("PC-1 の使用を停止しますか") && question.contains("method=\"post\""));
    let done = site.post(&cookie, &format!("{address}/block"), &[]).await;
    assert_eq!(done.header(header::LOCATION), address);
    site.punches(site.contract, terminal, ("D", "u"), 1..=2).await;
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("PC-1 の使用を停止しました。") && page.contains("使用を再開する"), "{page}");
    assert!(page.contains("使用停止中です。打刻は保存されています。"));
    assert!(site.get(&cookie, "/punches").await.text.contains("この端末は使えません。"));
    site.post(&cookie, &format!("{address}/unblock"), &[]).await;
    assert!(site.get(&cookie, &address).await.text.contains("2件の打刻を再判定しました。"));
    for method in ["get", "post"] {
        let wrong = format!("{address}/explode");
        let answer = if method == "get" {
            site.get(&cookie, &wrong).await
        } else {
            site.post(&cookie, &wrong, &[]).await
        };
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_retired_terminal_leaves_the_list_and_comes_back() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    site.post(&cookie, &format!("{address}/retire"), &[]).await;
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("PC-1 を引退させました。") && page.contains("使用に戻す"));
    let list = site.get(&cookie, "/terminals").await.text;
    assert!(times(&list, ROW) == 0 && count(&list, "/terminals?show=retired") == 1);
    site.post(&cookie, &format!("{address}/unretire"), &[]).await;
    assert_eq!(times(&site.get(&cookie, "/terminals").await.text, ROW), 1);
}

#[tokio::test]
async fn several_terminals_are_changed_after_a_question_that_names_them() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let (one, two) = (site.terminal("A-1", "PC-1", 1).await, site.terminal("A-1", "PC-2", 2).await);
    let query = format!("do=block&terminal={one}&terminal={two}&back=%2Fterminals%3Fshow%3Dsilent");
    let question = site.get(&cookie, &format!("/terminals/bulk?{query}")).await.text;
    assert!(question.contains("2台の使用を停止しますか") && question.contains("<li>PC-2</li>"), "{question}");
    let (one, two) = (one.to_string(), two.to_string());
    let fields =
        [("do", "block"), ("terminal", &one), ("terminal", &two), ("back", "/terminals?show=silent")];
    let done = site.post(&cookie, "/terminals/bulk", &fields).await;
    assert_eq!(done.header(header::LOCATION), "/terminals?show=silent");
    let page = site.get(&cookie, "/terminals").await.text;
    assert!(page.contains("2台の使用を停止しました。") && count(&page, "/terminals?show=blocked") == 2);
    let away = [("do", "activate"), ("terminal", one.as_str()), ("back", "//evil.example")];
    assert_eq!(site.post(&cookie, "/terminals/bulk", &away).await.header(header::LOCATION), "/terminals");
    let nothing = site.get(&cookie, "/terminals/bulk?do=retire").await;
    assert_eq!(nothing.header(header::LOCATION), "/terminals");
    assert!(site.get(&cookie, "/terminals").await.text.contains("端末が選択されていません。"));
    for wrong in ["do=explode", "", "do=block&terminal=x"] {
        let answer = site.get(&cookie, &format!("/terminals/bulk?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn a_note_is_kept_with_its_author_and_never_markup() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    let note = format!("{address}/note");
    site.post(&cookie, &note, &[("note", "<script>x</script> 受付\r\nの予備機")]).await;
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("メモを保存しました。") && page.contains("admin 2026-06-17 09:24"), "{page}");
    assert!(page.contains("&#60;script&#62;x") && !page.contains("<script>x"));
    let refused = site.post(&cookie, &note, &[("note", &"あ".repeat(501))]).await.text;
    assert!(refused.contains("メモを保存していません。") && refused.contains(&"あ".repeat(501)));
    assert!(site.get(&cookie, &address).await.text.contains("の予備機"), "as it was");
    let asked = site.get(&cookie, &note).await;
    assert_eq!(asked.header(header::LOCATION), address, "its form stands on the page");
}

#[tokio::test]
async fn a_person_may_let_a_terminal_enrol_again() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    site.heard(terminal, |batch| batch.makeup = "other".into()).await;
    assert!(site.get(&cookie, &address).await.text.contains("MngnTimeCliSvc.exe enroll を実行して"));
    site.post(&cookie, &format!("{address}/reenroll"), &[]).await;
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("2026-06-24 09:24 まで、1回"), "{page}");
    let again = Enrolment {
        contract: "A-1".into(),
        key: KeyHash::of("ended long ago"),
        public_key: "key A-1 1".into(),
        host_name: "PC-1".into(),
        os: "Windows 11".into(),
        makeup: "other".into(),
        key_class: "software".into(),
        agent_version: "0.1.0".into(),
        proposed: terminal,
        at: NOW,
    };
    assert_eq!(site.store.enroll(again).await.unwrap(), EnrollmentOutcome::EnrolledAgain(terminal));
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("再登録</td>") && !page.contains("まで、1回"), "{page}");
    site.post(&cookie, &format!("{address}/block"), &[]).await;
    site.post(&cookie, &format!("{address}/reenroll"), &[]).await;
    assert!(site.get(&cookie, &address).await.text.contains("許可していません。"));
}

#[tokio::test]
async fn a_terminal_shows_what_its_numbers_tell_and_what_to_do() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let english = format!("{cookie}; mngntime_language=en");
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    let page = async |cookie: &str| site.get(cookie, &address).await.text;
    assert!(page(&cookie).await.contains(">まだなし<"));
    site.punches(site.contract, terminal, ("D", "u"), 1..=2).await;
    let whole = page(&cookie).await;
    assert!(whole.contains(">1～2 すべてあり<") && !whole.contains("サーバーにない記録番号"), "{whole}");

    site.punches(site.contract, terminal, ("D", "u"), 5..=6).await;
    let holed = page(&cookie).await;
    assert!(holed.contains(">1～6 欠落2<") && holed.contains(">番号の欠落<"), "{holed}");
    assert!(holed.contains(">3–4<") && holed.contains("端末に再送を求めています"));
    assert!(holed.contains("PC-1: 番号3～4の間の2件がサーバーにありません。"));
    assert!(holed.contains("うち2件は、端末に再送を求めています。"));

    site.gap(terminal, 7, "not_held:3-4").await;
    let declared = page(&english).await;
    assert!(declared.contains("PC-1: 2 numbers between 3 and 4 are not on the server."), "{declared}");
    assert!(declared.contains("The PC says that it does not have them either"));

    site.gap(terminal, 8, "rolled_back:7-7;after=6").await;
    let rolled_back = page(&cookie).await;
    assert!(rolled_back.contains(">記録の巻き戻り<") && rolled_back.contains("、1回）"), "{rolled_back}");

    for (boot, minutes) in [("b-1", 5), ("b-2", 10), ("b-1", 15)] {
        site.contact(terminal, boot, minutes).await;
    }
    let cloned = page(&cookie).await;
    assert!(cloned.contains(">2台のPCが使用中<"), "{cloned}");
    assert!(cloned.contains("device.key を削除し、管理者として MngnTimeCliSvc.exe enroll を実行"));
    assert!(cloned.contains("2台のPCが交互に送信（最後は 2026-06-17 09:39）"));
    assert!(site.get(&cookie, "/terminals?show=duplicate").await.text.contains(">2台のPCが使用中<"));

    site.post(&cookie, &format!("{address}/clear-conflict"), &[]).await;
    let cleared = page(&cookie).await;
    assert!(cleared.contains("PC-1 の印を外しました。") && !cleared.contains("記録の巻き戻り"), "{cleared}");
    assert!(cleared.contains(">1～8 欠落2（確認済み）<"), "looked into is not there");
    assert!(!cleared.contains("banner--warn"), "{cleared}");
}

#[tokio::test]
async fn a_terminal_that_was_never_heard_of_says_so_and_shows_no_clock() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let english = format!("{cookie}; mngntime_language=en");
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    // Two of one name: a mark made of the state 連絡は正常.
    site.terminal("A-1", "PC-1", 2).await;
    let (list, file) = ("/terminals", "/terminals.csv");
    let page = site.get(&cookie, list).await.text;
    let row = page.split(ROW).nth(1).unwrap();
    assert!(row.contains("登録済み（連絡待ち）") && row.contains("status--joining"), "{row}");
    assert!(!row.contains("正常") && !row.contains("0.0"), "{row}");
    assert!(site.get(&english, list).await.text.contains("Enrolled, not heard yet"));
    let line = site.get(&cookie, file).await.text.lines().nth(1).unwrap().to_owned();
    assert!(
        line.contains("\"登録済み（連絡待ち）\",\"同名（ほかに1台）\",\"\",\"0\",\"\",\"0.1.0\""),
        "{line}"
    );
    let page = site.get(&cookie, &format!("/terminals/{terminal}")).await.text;
    assert!(page.contains("登録済み（連絡待ち）") && page.contains("まだ一度も連絡がありません"), "{page}");
    assert!(!page.contains("0.0秒") && !page.contains("0.0 秒"), "{page}");
    site.heard(terminal, |_| ()).await;
    let page = site.get(&cookie, &format!("/terminals/{terminal}")).await.text;
    assert!(page.contains("連絡は正常") && page.contains("0.0"), "heard of: {page}");
}

#[tokio::test]
async fn a_terminals_days_are_a_picture_and_the_same_as_a_table() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    let empty = site.get(&cookie, &address).await.text;
    assert!(
        empty.contains("登録からの1日のうち0日に連絡がありました。") && times(&empty, "class=\"bar") == 0
    );
    assert!(empty.contains("登録の後、まだ一度も連絡がありません。"));
    site.heard(terminal, |batch| batch.received_at = NOW.plus(-86_400_000)).await;
    site.heard(terminal, |batch| {
        batch.clock_offset_ms = 94_600;
        batch.agent_version = "0.2.0".into();
    })
    .await;
    let page = site.get(&cookie, &address).await.text;
    assert!(page.contains("登録からの2日のうち2日に連絡がありました。"), "{page}");
    assert!(page.contains("60秒を超えた日は1日（▲）") && times(&page, "class=\"flag\"") == 1);
    assert_eq!(times(&page, "class=\"bar bar--off\""), 1);
    assert!(page.contains(">−94.6</b>") && page.contains("2026年6月16日（火）"), "the table says the same");
    assert_eq!(times(&page, "連絡なし</td>"), 0, "days before it was enrolled are no days without contact");
    assert!(page.contains("版の変更</td>") && page.contains("0.2.0"));
    assert!(page.contains("PCの時刻合わせを直します"));
}

#[tokio::test]
async fn a_terminal_shows_how_its_key_is_kept() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminals = [
        ("p256:", "tpm", ">TPM<"),
        ("p256:", "software", ">ソフトウェア（取り出し不可）<"),
        ("base64", "file", ">ファイル<"),
        // An agent that knew no other word.
        ("base64", "software", ">ファイル<"),
        ("p256:", "enclave", ">enclave<"),
    ];
    for (n, (key, class, text)) in (1..).zip(terminals) {
        let terminal = site.terminal_with("A-1", &format!("PC-{n}"), n, key, class).await;
        let page = site.get(&cookie, &format!("/terminals/{terminal}")).await.text;
        assert!(page.contains(text), "{class} {page}");
        let others = [">TPM<", ">ソフトウェア（取り出し不可）<", ">ファイル<"];
        assert!(others.iter().all(|other| *other == text || !page.contains(other)), "{class}");
    }
}

#[tokio::test]
async fn hr_reads_and_changes_nothing_and_it_sees_no_attendance() {
    let site = Site::new().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    let hr = site.person("hr", Role::HumanResources, Some(site.contract)).await;
    let page = site.get(&hr, &address).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("<textarea") && !page.text.contains("/block\""), "{}", page.text);
    assert!(page.text.contains(&format!("/punches?terminal={terminal}")));
    assert_eq!(site.get(&hr, "/terminals/keys").await.status, StatusCode::FORBIDDEN);
    let list = site.get(&hr, "/terminals").await.text;
    assert!(!list.contains("value=\"block\"") && list.contains("formaction=\"/terminals.csv\""));
    for page in [list, site.get(&hr, "/terminals/enroll").await.text] {
        assert!(!page.contains("/terminals/keys"), "a key is not offered: {page}");
    }
    for change in ["block", "unblock", "retire", "unretire", "clear-conflict", "reenroll", "note"] {
        let change = format!("{address}/{change}");
        assert_eq!(site.post(&hr, &change, &[]).await.status, StatusCode::FORBIDDEN, "{change}");
        // A note has no question of its own.
        let asked = if change.ends_with("/note") { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
        assert_eq!(site.get(&hr, &change).await.status, asked, "{change}");
    }
    for address in
        ["/terminals/keys", "/terminals/keys/1/rotate", "/terminals/keys/1/revoke", "/terminals/bulk"]
    {
        assert_eq!(
            site.post(&hr, address, &[("do", "block")]).await.status,
            StatusCode::FORBIDDEN,
            "{address}"
        );
    }
    let it = site.person("it", Role::InformationTechnology, Some(site.contract)).await;
    let page = site.get(&it, &address).await.text;
    assert!(page.contains("<textarea") && !page.contains("/punches"), "{page}");
    let operator = site.person("ops", Role::Operator, None).await;
    for address in ["/terminals", "/terminals.csv", "/terminals/keys", "/terminals/enroll", &address] {
        assert_eq!(site.get(&operator, address).await.status, StatusCode::FORBIDDEN, "{address}");
    }
}

#[tokio::test]
async fn another_contracts_terminals_are_not_there() {
    let site = Site::new().await;
    contract(&site.store, "B-2").await;
    let theirs = site.terminal("B-2", "PC-OTHER", 2).await;
    site.terminal("A-1", "PC-1", 1).await;
    let ours = site.administrator().await;
    let address = format!("/terminals/{theirs}");
    for part in ["", "/days", "/block", "/retire", "/reenroll", "/clear-conflict"] {
        let address = format!("{address}{part}");
        assert_eq!(site.get(&ours, &address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    for part in ["block", "unblock", "retire", "unretire", "clear-conflict", "reenroll", "note"] {
        let address = format!("{address}/{part}");
        assert_eq!(
            site.post(&ours, &address, &[("note", "x")]).await.status,
            StatusCode::NOT_FOUND,
            "{address}"
        );
    }
    let bulk = format!("/terminals/bulk?do=block&terminal={theirs}");
    assert_eq!(site.get(&ours, &bulk).await.status, StatusCode::NOT_FOUND);
    let id = theirs.to_string();
    let posted = site.post(&ours, "/terminals/bulk", &[("do", "block"), ("terminal", &id)]).await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
    let file = site.get(&ours, &format!("/terminals.csv?terminal={theirs}")).await.text;
    assert_eq!(file.lines().count(), 1, "only the head");
    let list = site.get(&ours, &format!("/terminals?after=0.{theirs}")).await;
    assert!(list.status == StatusCode::OK && !list.text.contains("PC-OTHER"));
}

#[tokio::test]
async fn everything_that_a_list_holds_is_changed_after_a_question_with_its_number() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    for number in 1..=120 {
        site.terminal("A-1", &format!("PC-{number:03}"), number).await;
    }
    site.terminal("A-1", "SERVER", 200).await;
    let page = site.get(&admin, "/terminals?q=PC").await.text;
    assert!(page.contains("条件に合う120台すべて") && page.contains("value=\"all-retire\""), "{page}");
    let ask = "/terminals/bulk?do=all-retire&back=%2Fterminals%3Fq%3DPC";
    let question = site.get(&admin, ask).await.text;
    assert!(question.contains("120台を引退させますか"), "{question}");
    assert!(
        question.contains("条件: すべて（引退を除く） · PC") && question.contains("ほかに100台"),
        "{question}"
    );
    assert_eq!(times(&question, "<li>PC-"), 20);
    let seen = |page: &str| {
        page.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let before = seen(&question);
    site.terminal("A-1", "PC-121", 121).await;
    let fields = [("do", "all-retire"), ("back", "/terminals?q=PC"), ("seen", &before)];
    let again = site.post(&admin, "/terminals/bulk", &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text.contains("確認したときは120台、今は121台です。"), "{}", again.text);
    assert_eq!(
        site.post(&admin, "/terminals/bulk", &fields[..2]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    // As many as before, but others.
    let other = site.store.find_terminals(site.contract.into(), "PC-121".into()).await.unwrap()[0].id;
    let act = mngntime_store::Act::server(NOW);
    let retire = site.store.set_terminal_status(site.contract, other, TerminalStatus::Retired, act);
    retire.await.unwrap();
    site.terminal("A-1", "PC-122", 122).await;
    let first = site.store.find_terminals(site.contract.into(), "PC-001".into()).await.unwrap()[0].id;
    let act = mngntime_store::Act::server(NOW);
    let retire = site.store.set_terminal_status(site.contract, first, TerminalStatus::Retired, act);
    retire.await.unwrap();
    let again = site.post(&admin, "/terminals/bulk", &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "120 others");
    let seen = seen(&again.text);
    let fields = [("do", "all-retire"), ("back", "/terminals?q=PC"), ("seen", &seen)];
    let done = site.post(&admin, "/terminals/bulk", &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let page = site.get(&admin, "/terminals").await.text;
    assert!(
        page.contains("120台を引退させました。") && page.contains("SERVER") && !page.contains("PC-001"),
        "{page}"
    );
    let log = site.store.audit_log(Some(site.contract), None, 500).await.unwrap();
    assert_eq!(log.iter().filter(|entry| entry.action == "retire_terminal").count(), 122, "each is noted");
    let nothing = site.post(&admin, "/terminals/bulk", &fields).await;
    assert_eq!(nothing.status, StatusCode::SEE_OTHER, "none are left");
    let fields = [("do", "all-retire"), ("back", "/terminals?show=nonsense")];
    assert_eq!(site.post(&admin, "/terminals/bulk", &fields).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn forms_about_terminals_that_are_wrong_come_back_as_refused_with_what_was_typed() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let note = "あ".repeat(mngntime_store::NOTE_MAX + 1);
    let answer = site.post(&admin, &format!("/terminals/{terminal}/note"), &[("note", &note)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains(&note) && answer.text.contains("role=\"alert\""));
    let form = site.get(&admin, "/terminals/keys").await.text;
    let once = form.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = [("label", "x"), ("uses", "many"), ("once", once)];
    let key = site.post(&admin, "/terminals/keys", &fields).await;
    assert_eq!(key.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(key.text.contains("value=\"many\""), "{}", key.text);
}

#[tokio::test]
async fn terminals_of_one_name_are_told_apart_wherever_it_stands() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let old = site.terminal("A-1", "PC-0030", 1).await;
    site.punches(site.contract, old, ("D", "u"), 1..=1).await;
    site.heard(old, |batch| batch.received_at = NOW.plus(-3 * 86_400_000)).await;
    let alone = site.get(&cookie, "/terminals").await.text;
    assert!(!alone.contains("同名（") && times(&alone, ROW) == 1, "{alone}");
    let enrolment = Enrolment {
        contract: "A-1".into(),
        key: KeyHash::of("A-1"),
        public_key: "another key".into(),
        host_name: "pc-0030".into(),
        os: "Windows 11".into(),
        makeup: "m".into(),
        key_class: "software".into(),
        agent_version: "0.1.0".into(),
        proposed: mngntime_model::TerminalId::from_random([2; 16]),
        at: NOW.plus(60_000),
    };
    let EnrollmentOutcome::Enrolled(new) = site.store.enroll(enrolment).await.unwrap() else { panic!() };
    let list = site.get(&cookie, "/terminals").await.text;
    assert_eq!(times(&list, "同名（ほかに1台）"), 2, "{list}");
    assert!(list.contains("<span class=\"board__label\">同名</span> <b>2</b>"), "{list}");
    site.terminal("A-1", "PC-0031", 3).await;
    let same = site.get(&cookie, "/terminals?show=same-name").await.text;
    assert_eq!((times(&same, ROW), times(&same, "href=\"/terminals?show=same-name\" aria-current")), (2, 1));
    assert!(!same.contains("PC-0031"), "{same}");
    assert_eq!(times(&site.get(&cookie, "/terminals.csv").await.text, "同名（ほかに1台）"), 2);
    // The list of punches offers both, and the field takes what it shows.
    let asked = site.get(&cookie, "/punches?errors=1&terminal=PC-0030").await.text;
    assert!(asked.contains("複数あります。どの端末かを選んでください。"), "{asked}");
    assert!(
        asked.contains("まだ検索していません") && !asked.contains("条件に合う打刻はありません"),
        "{asked}"
    );
    for id in [old, new] {
        assert_eq!(times(&asked, &format!("href=\"/punches?errors=1&#38;terminal={id}\"")), 1, "{asked}");
    }
    let chosen = site.get(&cookie, &format!("/punches?terminal={old}")).await.text;
    let shown = format!("value=\"PC-0030 {old}\"");
    assert!(chosen.contains(&shown) && times(&chosen, "<!-- partial: punch row -->") == 1, "{chosen}");
    let again = site.get(&cookie, &format!("/punches?terminal=PC-0030+{old}")).await.text;
    assert!(again.contains(&shown) && !again.contains("role=\"alert\""), "{again}");
    // The one that says nothing since is the old one of the two.
    site.heard(old, |batch| batch.received_at = NOW.plus(-3 * 86_400_000)).await;
    let detail = site.get(&cookie, &format!("/terminals/{old}")).await.text;
    assert!(detail.contains("2026-06-17 09:25に別の端末として登録し直されています。"), "{detail}");
    assert!(detail.contains(&format!("href=\"/terminals/{new}\"")), "{detail}");
    let detail = site.get(&cookie, &format!("/terminals/{new}")).await.text;
    assert!(
        !detail.contains("登録し直されています") && detail.contains(&format!("href=\"/terminals/{old}\""))
    );
    let act = mngntime_store::Act::server(NOW);
    site.store.set_terminal_status(site.contract, old, TerminalStatus::Retired, act).await.unwrap();
    let list = site.get(&cookie, "/terminals").await.text;
    assert!(!list.contains("同名（"), "{list}");
    assert!(list.contains("<span class=\"board__label\">同名</span> <b>0</b>"), "{list}");
}

#[tokio::test]
async fn the_page_of_a_terminal_names_the_other_of_its_name_whatever_its_state() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let (old, new) = (site.terminal("A-1", "PC-0030", 1).await, site.terminal("A-1", "pc-0030", 2).await);
    let page = async |id| site.get(&cookie, &format!("/terminals/{id}")).await.text;
    let named = |host: &str, id: mngntime_model::TerminalId| {
        format!("同じ名前の端末 {host} {}", &id.to_string()[..8])
    };
    // Never heard of, and in good health: there is always the other one to look at.
    for _ in 0..2 {
        let (older, newer) = (page(old).await, page(new).await);
        assert!(newer.contains(&named("PC-0030", old)), "{newer}");
        assert!(newer.contains("先に登録されたその端末を引退させます"), "{newer}");
        assert!(older.contains(&named("pc-0030", new)), "{older}");
        assert!(older.contains("先に登録されたこの端末を引退させます"), "{older}");
        assert!(!older.contains("何もする必要はありません") && !newer.contains("何もする必要はありません"));
        for id in [old, new] {
            site.heard(id, |batch| batch.received_at = NOW).await;
        }
    }
    let act = mngntime_store::Act::server(NOW);
    site.store.set_terminal_status(site.contract, old, TerminalStatus::Retired, act).await.unwrap();
    for (id, shown) in [(old, "引退しています"), (new, "何もする必要はありません")] {
        let page = page(id).await;
        assert!(page.contains(shown) && !page.contains("同じ名前の端末 "), "{page}");
    }
}

#[tokio::test]
async fn what_an_old_page_sends_to_a_terminal_of_another_state_does_nothing_and_says_so() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    let send = async |change: &str| {
        let answer = site.post(&admin, &format!("{address}/{change}"), &[]).await;
        assert_eq!(answer.header(header::LOCATION), address, "{change}");
        site.get(&admin, &address).await.text
    };
    let overtaken = "PC-1の状態がすでに変わっていたため、何も変更していません。";
    for (change, done) in [
        ("unblock", false),
        ("retire", true),
        ("block", false),
        ("unblock", false),
        ("unretire", true),
        ("unretire", false),
        ("block", true),
        ("block", false),
        ("unblock", true),
    ] {
        assert_eq!(!send(change).await.contains(overtaken), done, "{change}");
    }
    let log = site.store.audit_log(Some(site.contract), None, 20).await.unwrap();
    let noted = log
        .iter()
        .rev()
        .map(|entry| entry.action.as_str())
        .filter(|word| word.ends_with("e_terminal") || word.ends_with("k_terminal"));
    assert_eq!(
        noted.collect::<Vec<_>>(),
        ["retire_terminal", "unretire_terminal", "block_terminal", "unblock_terminal"]
    );
}
