//! What closing a month asks of the pages: who had joined and left, where to look, and a file of what they say.

use super::*;
use mngntime_store::{Employee, NewRemark};

/// The one employee, with the dates of employment.
async fn employed(site: &Site, from: Option<&str>, to: Option<&str>) -> Employee {
    let one = site.store.list_employees(site.contract.into(), None, 9).await.unwrap().remove(0);
    let [active_from, active_to] = [from, to].map(|date| date.map(|date| date.parse().unwrap()));
    let data = NewEmployee { active_from, active_to, ..one.data.clone() };
    site.store.change_employee(site.contract, one.id, data, Act::server(NOW)).await.unwrap();
    one
}

/// The row of a date in a month.
fn row(page: &str, date: &str) -> String {
    let row = page.split(&format!("{date}\"><span class=\"sr\">")).nth(1).unwrap();
    row.split("</tr>").next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_recorded_after_somebody_has_left_is_no_day_of_theirs() {
    let (site, cookie, _) = office().await;
    employed(&site, Some("2026-06-05"), Some("2026-06-15")).await;
    let account = site.store.list_accounts(site.contract.into(), AccountFilter::All, 2).await.unwrap()[0].id;
    let month = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-06").await.text;
    let punches = format!("/punches?account={account}&#38;from=2026-06-16&#38;to=2026-06-17");
    let evening = row(&month, "2026-06-16");
    assert!(
        evening.contains("status--outside") && evening.contains("</svg>退職後の記録</span>"),
        "{evening}"
    );
    assert!(evening.contains(&format!("href=\"{punches}\">打刻は res=7</a>")), "{evening}");
    assert!(evening.contains("data-l=\"ログオン中\"></td>"), "nobody's hours are in no sum: {evening}");
    let day = site.get(&cookie, DAY).await.text;
    assert!(day.contains("退職後の記録") && day.contains(&punches), "{day}");
    let list = site.get(&cookie, &punches.replace("&#38;", "&")).await.text;
    assert_eq!(times(&list, "<b>hanako</b>").max(times(&list, "hanako</td>")), 2, "both punches: {list}");
    // The end of that night is told of on its evening, once, by the pages, the file and the list.
    let after = row(&month, "2026-06-17");
    assert!(after.contains("前日の夜の続きのみ") && after.contains("</svg>退職後</span>"), "{after}");
    let day = site.get(&cookie, "/days/E%201%2F7/2026-06-17").await.text;
    assert!(
        !after.contains("res=7") && !day.contains("res=7") && !day.contains("退職後の記録"),
        "{after} {day}"
    );
    let file = site.get(&cookie, "/days.csv?employee=E+1%2F7&month=2026-06").await.text;
    let errors = |date: &str| {
        let line = file.lines().find(|line| line.contains(date)).unwrap();
        line.split("\",\"").nth(13).unwrap().to_owned()
    };
    assert_eq!((errors("2026-06-16"), errors("2026-06-17")), ("7".to_owned(), String::new()), "{file}");
    let people = site.get(&cookie, "/days?month=2026-06").await.text;
    assert!(people.contains("在籍期間外に1日"), "{people}");
    assert!(!month.contains("status--ok") && month.contains("ログオンしていた日 0日"), "{month}");
    let state = |date: &str| row(&month, date).split("status--").nth(1).unwrap().to_owned();
    assert!(state("2026-06-04").starts_with("joining") && state("2026-06-04").contains("入社前"));
    assert!(state("2026-06-05").starts_with("before"), "employed and linked, and the PC was not there yet");
    assert!(state("2026-06-18").starts_with("left"), "a day to come, on which they are not here any more");
    // Who sees their own people only has no way to punches of nobody; the person neither.
    let approver = approver(&site).await;
    let own = hanako_herself(&site).await;
    for (who, address) in
        [(&approver, "/days?employee=E+1%2F7&month=2026-06"), (&own, "/me/days?month=2026-06")]
    {
        let page = site.get(who, address).await.text;
        assert!(
            page.contains("<span class=\"tag\">打刻は res=7</span>") && !page.contains("/punches?"),
            "{page}"
        );
    }
    assert!(!site.get(&own, "/me?month=2026-06").await.text.contains("datetime=\"2026-06-16\""));
}

#[tokio::test]
async fn what_is_recorded_before_somebody_has_joined_is_no_day_of_theirs() {
    let (site, cookie, _) = office().await;
    employed(&site, Some("2026-06-17"), None).await;
    let month = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-06").await.text;
    let before = row(&month, "2026-06-16");
    assert!(before.contains("</svg>入社前の記録</span>") && before.contains("打刻は res=7"), "{before}");
    let first = row(&month, "2026-06-17");
    assert!(
        !first.contains("入社前") && first.contains("前日の夜の続きのみ"),
        "the end of that night: {first}"
    );
    let file = site.get(&cookie, "/days.csv?employee=E+1%2F7&month=2026-06").await.text;
    let untimed = &format!("\"2026-06-16\",{}\"7\",\"入社前の記録\"", "\"\",".repeat(9));
    assert!(file.contains(untimed), "nobody is to add up what is not theirs: {file}");
    let list = site.get(&cookie, "/days?month=2026-06").await.text;
    assert!(line(&list, "E 1/7").contains("在籍期間外に1日"), "{list}");
    let day = site.get(&cookie, "/days/E%201%2F7/2026-06-10").await.text;
    assert!(day.contains("入社日より前です。") && day.contains("status--joining"), "{day}");
}

/// Somebody else of the one department, or of none.
async fn another(site: &Site, code: &str, department: Option<&str>, from: Option<&str>) {
    let new = NewEmployee {
        department: department.map(str::to_owned),
        active_from: from.map(|date| date.parse().unwrap()),
        ..NewEmployee::named(code, format!("社員 {code}"))
    };
    site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
}

/// The row of somebody in the list.
fn line(page: &str, code: &str) -> String {
    let row = page.split(&format!("<td role=\"cell\" class=\"mono at-end\">{code}</td>")).nth(1);
    row.unwrap_or_else(|| panic!("{code}: {page}")).split("</tr>").next().unwrap().to_owned()
}

#[tokio::test]
async fn the_list_is_of_the_month_asked_for_and_leads_on_with_it() {
    let (site, cookie, terminal) = office().await;
    employed(&site, None, Some("2026-06-16")).await;
    assert!(!line(&site.get(&cookie, "/days").await.text, "E 1/7").contains("在籍期間外"), "the last night");
    let mut today = event(8, EventKind::Logon, at(32, 0), "hanako").event;
    today.session.as_mut().unwrap().logon_identity = "luid:8".into();
    site.record(terminal, vec![encoded(today)]).await;
    let now = site.get(&cookie, "/days").await.text;
    let left = line(&now, "E 1/7");
    assert!(left.contains(">1日 <a"), "left yesterday, and still of this month: {now}");
    assert!(left.contains("在籍期間外に1日"), "and what came today is not overlooked: {left}");
    assert!(now.contains("href=\"/days?month=2026-05\"") && now.contains("今日の最初のログオン"), "{now}");
    let later = site.get(&cookie, "/days?month=2026-07").await.text;
    assert!(!later.contains("class=\"mono at-end\">E 1/7"), "left before it began: {later}");
    assert!(later.contains("2026年7月") && !later.contains("今日の最初のログオン"));
    let gone = site.get(&cookie, "/days?show=gone&month=2026-07&q=%E8%8A%B1").await.text;
    let href = "/days?employee=E+1%2F7&#38;month=2026-07&#38;show=gone&#38;q=%E8%8A%B1";
    assert!(line(&gone, "E 1/7").contains(&format!("href=\"{href}\"")), "{gone}");
    assert!(gone.contains("name=\"month\" value=\"2026-07\""), "a search stays in the month: {gone}");
    assert!(gone.contains("href=\"/days?show=gone&#38;q=%E8%8A%B1&#38;month=2026-06\">今月"), "{gone}");
    let month = site.get(&cookie, &href.replace("&#38;", "&")).await.text;
    assert!(month.contains("href=\"/days?show=gone&#38;q=%E8%8A%B1&#38;month=2026-07\""), "back: {month}");
    let before = site.get(&cookie, "/days?month=2026-05").await.text;
    assert!(line(&before, "E 1/7").contains(">0日</td>"), "{before}");
    for address in ["/days?month=zzz", "/days?month=2026-13&q=x", "/days?show=zzz", "/days?encoding=zzz"] {
        let page = site.get(&cookie, address).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        assert!(page.text.contains("role=\"alert\""), "{address}: {}", page.text);
    }
    assert!(site.get(&cookie, "/days?month=zzz").await.text.contains("「zzz」という月はありません。"));
}

#[tokio::test]
async fn who_can_have_no_punch_in_a_month_is_told_so_with_the_way_out() {
    let (site, cookie, _) = office().await;
    another(&site, "E2", Some("開発部"), None).await;
    another(&site, "E3", Some("開発部"), Some("2026-07-01")).await;
    let page = site.get(&cookie, "/days").await.text;
    let way = "<a href=\"/accounts?show=waiting\">未登録</a>";
    assert!(line(&page, "E2").contains(way), "{page}");
    assert!(
        line(&page, "E3").contains(">入社前</td>") && line(&page, "E 1/7").contains(">1日</td>"),
        "{page}"
    );
    let page = site.get(&approver(&site).await, "/days").await.text;
    assert!(line(&page, "E2").contains(">未登録</td>") && !page.contains("href=\"/accounts"), "{page}");
}

#[tokio::test]
async fn the_list_says_where_estimates_and_errors_are_and_leads_to_them() {
    let (site, cookie, terminal) = office().await;
    let mut on = event(8, EventKind::Logon, at(32, 0), "hanako").event;
    let mut off = event(9, EventKind::Logoff, at(32, 4), "hanako").event;
    for event in [&mut on, &mut off] {
        event.session.as_mut().unwrap().logon_identity = "luid:2".into();
    }
    (off.bounds, off.evidence) =
        (Some(Bounds { not_before: at(32, 4), not_after: at(33, 6) }), Evidence::Inferred);
    site.record(terminal, vec![encoded(on), encoded(off)]).await;
    let blocked = mngntime_store::TerminalStatus::Blocked;
    site.store.set_terminal_status(site.contract, terminal, blocked, Act::server(NOW)).await.unwrap();
    let mut late = event(10, EventKind::Logon, at(33, 10), "hanako").event;
    late.session.as_mut().unwrap().logon_identity = "luid:3".into();
    site.record(terminal, vec![encoded(late)]).await;
    let page = site.get(&cookie, "/days").await.text;
    let period = "employee=E+1%2F7&#38;from=2026-06-01&#38;to=2026-06-30";
    let (estimates, errors) =
        (format!("/punches?{period}&#38;how=inferred"), format!("/punches?{period}&#38;errors=1"));
    let row = line(&page, "E 1/7");
    assert!(
        row.contains(&format!("<a href=\"{estimates}\"><span class=\"sr\">推定 </span>1件</a>")),
        "{row}"
    );
    assert!(
        row.contains(&format!("<a href=\"{errors}\"><span class=\"sr\">エラーのある日 </span>1日</a>")),
        "{row}"
    );
    for (address, sequence) in [(estimates, 9), (errors, 10)] {
        let list = site.get(&cookie, &address.replace("&#38;", "&")).await.text;
        assert_eq!(times(&list, "<tr role=\"row\" data-href"), 1, "{address}: {list}");
        assert!(
            list.contains(&format!("/{sequence}\"")) || list.contains(&format!(".{sequence}\"")),
            "{list}"
        );
    }
    let list = site.get(&cookie, "/punches?how=inferred").await.text;
    assert!(list.contains("value=\"inferred\" checked") && list.contains("推定のみ"), "{list}");
    let none = site.get(&cookie, "/punches?how=inferred&to=2000-01-01").await.text;
    assert!(none.contains("href=\"/punches?to=2000-01-01\">推定でない打刻も表示する"), "{none}");
    let wrong = site.get(&cookie, "/punches?how=seen").await.text;
    assert!(wrong.contains("role=\"alert\"") && wrong.contains("howに「seen」は使えません。"), "{wrong}");
    let before = line(&site.get(&cookie, "/days?month=2026-05").await.text, "E 1/7");
    assert!(!before.contains("/punches?"), "nothing to look at: {before}");
}

#[tokio::test]
async fn the_way_from_person_to_person_is_the_one_of_the_list() {
    let (site, cookie, _) = office().await;
    for (code, department) in [("E2", None), ("E3", Some("開発部")), ("E4", Some("開発部"))] {
        another(&site, code, department, None).await;
    }
    let dev = "%E9%96%8B%E7%99%BA";
    let list = site.get(&cookie, &format!("/days?q={dev}&month=2026-05")).await.text;
    let of = |code: &str| format!("/days?employee={code}&#38;month=2026-05&#38;q={dev}");
    assert!(line(&list, "E3").contains(&format!("href=\"{}\"", of("E3"))), "{list}");
    let page = site.get(&cookie, &of("E3").replace("&#38;", "&")).await.text;
    for (code, words) in [("E+1%2F7", "前の社員"), ("E4", "次の社員")] {
        assert!(page.contains(&format!("href=\"{}\">{words}", of(code))), "{words}: {page}");
    }
    assert!(page.contains("<input type=\"hidden\" name=\"q\" value=\"開発\">"), "{page}");
    let day = format!("/days/E3/2026-05-01?q={dev}");
    assert!(page.contains(&format!("href=\"{day}\"")), "{page}");
    let day = site.get(&cookie, &day).await.text;
    assert!(day.contains(&format!("href=\"{}\"", of("E3"))), "the way back goes on in the list: {day}");
    let plain = site.get(&cookie, "/days?employee=E3&month=2026-05").await.text;
    assert!(plain.contains("前の社員 <span class=\"muted\">社員 E2"), "{plain}");
}

#[tokio::test]
async fn a_file_of_days_has_times_or_nothing_under_times_and_the_words_in_the_notes() {
    let (site, cookie, terminal) = office().await;
    let cells = async || {
        let file = site.get(&cookie, "/days.csv?employee=E+1%2F7&month=2026-06").await.text;
        let line = file.lines().last().unwrap().trim_matches('"').to_owned();
        line.split("\",\"").map(str::to_owned).collect::<Vec<String>>()
    };
    let session = |mut event: Event, name: &str| {
        event.session.as_mut().unwrap().logon_identity = name.to_owned();
        event
    };
    let on = session(event(8, EventKind::Logon, at(32, 0), "hanako").event, "luid:2");
    let mut off = session(event(9, EventKind::Logoff, at(32, 4), "hanako").event, "luid:2");
    (off.bounds, off.evidence) =
        (Some(Bounds { not_before: at(32, 4), not_after: at(33, 6) }), Evidence::Inferred);
    site.record(terminal, vec![encoded(on), encoded(off)]).await;
    let known = cells().await;
    assert_eq!(known[3..7], ["2026-06-17", "08:00", "", ""], "{known:?}");
    assert_eq!(known[8..12], ["", "08:04", "09:06", "推定"], "a range is no time to add up: {known:?}");
    let blocked = mngntime_store::TerminalStatus::Blocked;
    site.store.set_terminal_status(site.contract, terminal, blocked, Act::server(NOW)).await.unwrap();
    let late = session(event(10, EventKind::Logon, at(33, 10), "hanako").event, "luid:3");
    site.record(terminal, vec![encoded(late)]).await;
    let employee = site.store.list_employees(site.contract.into(), None, 9).await.unwrap()[0].id;
    let (date, text) = ("2026-06-17".parse().unwrap(), "停電の\r\nため".to_owned());
    let remark = NewRemark { employee, date, from_minutes: 540, to_minutes: 1_530, text };
    let remark = site.store.add_remark(site.contract, None, remark, Act::server(NOW)).await.unwrap();
    let open = cells().await;
    assert_eq!(open[8..12], ["", "", "", ""], "{open:?}");
    assert!(open[12].contains(':') && open[13] == "6", "{open:?}");
    assert!(open[15].contains("最後のログオフ: ログオン中"), "{open:?}");
    assert!(
        open[16].starts_with("09:00〜25:30 停電の ため [") && open[16].ends_with("; 未確認]"),
        "{open:?}"
    );
    let answer = Some("直しました".to_owned());
    site.store.read_remark(site.contract.into(), remark, None, answer, Act::server(NOW)).await.unwrap();
    let read = cells().await;
    assert!(read[16].contains("が確認; 返事: 直しました]"), "{read:?}");
}

#[tokio::test]
async fn a_month_can_be_taken_along_as_a_file_of_one_and_of_a_list() {
    let (site, cookie, _) = office().await;
    another(&site, "E2", Some("開発部"), Some("2026-06-17")).await;
    another(&site, "E3", None, None).await;
    let address = "/days.csv?employee=E+1%2F7&month=2026-06";
    let month = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-06").await.text;
    assert!(month.contains(&format!("href=\"{}\"", address.replace('&', "&#38;"))), "{month}");
    let file = site.get(&cookie, address).await;
    assert_eq!(file.status, StatusCode::OK);
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(lines.len(), 1 + 17, "the head, and every day up to today: {}", file.text);
    assert!(
        lines[0].contains("\"社員コード\"") && lines[0].contains("\"最初のログオンの確かさ\""),
        "{}",
        lines[0]
    );
    let night = "\"E 1/7\",\"佐藤 花子\",\"開発部\",\"2026-06-16\",\"09:02\",\"\",\"\",\"正確\",\"25:30\",\"\",\"\",\"正確\",";
    assert!(lines[16].starts_with(night) && lines[16].contains(",\"\",\"記録あり\","), "{}", lines[16]);
    let nothing =
        format!("\"2026-06-01\",{}\"記録開始前\",\"PCの記録が始まる前です。\",\"\"", "\"\",".repeat(10));
    assert!(lines[1].contains(&nothing), "{}", lines[1]);
    let name = file.header(axum::http::header::CONTENT_DISPOSITION);
    assert_eq!(
        name,
        "attachment; filename=\"days-E_1_7-2026-06.csv\"; filename*=UTF-8''days-E%201%5F7-2026-06.csv"
    );
    let list = site.get(&cookie, "/days.csv?month=2026-06").await;
    let name = list.header(axum::http::header::CONTENT_DISPOSITION);
    assert_eq!(name, "attachment; filename=\"days-2026-06.csv\"");
    let found = site.get(&cookie, "/days.csv?month=2026-06&q=%E9%96%8B%E7%99%BA").await.text;
    assert_eq!(times(&found, "\"E 1/7\"") + times(&found, "\"E2\""), 34, "{found}");
    assert!(!found.contains("\"E3\"") && times(&found, "\"入社前\"") == 16, "{found}");
    let all = site.get(&cookie, "/days.csv?month=2026-06&encoding=shift_jis").await;
    assert!(all.header(axum::http::header::CONTENT_TYPE).contains("Shift_JIS"));
    assert_eq!(site.get(&cookie, "/days.csv?month=2026-07").await.text.lines().count(), 1, "days to come");
    let log = site.store.audit_log(Some(site.contract), None, 9).await.unwrap();
    let taken: Vec<_> = log.iter().filter(|entry| entry.action == "export_days").collect();
    let told = |index: usize| (taken[index].object.as_str(), taken[index].detail.as_str());
    assert_eq!(told(4), ("employee E 1/7", r#"{"conditions":"month=2026-06","form":"csv"}"#));
    assert_eq!(told(1), ("days", r#"{"conditions":"month=2026-06","form":"csv, Shift_JIS"}"#));
    assert!(told(2).1.contains("month=2026-06&q="), "{log:?}");
    for wrong in ["?month=zzz", "?encoding=zzz", "?show=zzz"] {
        let answer = site.get(&cookie, &format!("/days.csv{wrong}")).await;
        assert_eq!(answer.header(axum::http::header::LOCATION), format!("/days{wrong}"));
    }
    assert_eq!(site.get(&cookie, "/days.csv?employee=E9").await.status, StatusCode::NOT_FOUND);
    for number in 0..120 {
        another(&site, &format!("M{number:03}"), Some("開発部"), None).await;
    }
    let everybody = site.get(&cookie, "/days.csv?month=2026-06").await.text;
    assert_eq!(everybody.lines().count(), 1 + 123 * 17, "more than are read at a time");
    let theirs = site.get(&approver(&site).await, "/days.csv?month=2026-06").await.text;
    assert!(theirs.contains("\"E2\"") && !theirs.contains("\"E3\""), "their own people: {theirs}");
    let own = hanako_herself(&site).await;
    assert_eq!(site.get(&own, "/days.csv").await.status, StatusCode::FORBIDDEN);
    assert!(!site.get(&own, "/me/days").await.text.contains("days.csv"));
}
