//! Nights: each minute on one day, the last one of somebody who leaves, and what a month comes to.

use super::*;
use mngntime_store::{LinkRequest, TerminalStatus};

/// A site whose one person was there at these times; their account is theirs since May.
async fn nights(times: &[(UtcMillis, UtcMillis)]) -> (Site, String, TerminalId) {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    site.record(terminal, stays(times)).await;
    let account = site.store.list_accounts(site.contract.into(), AccountFilter::All, 2).await.unwrap()[0].id;
    let employee = EmployeeChoice::New(NewEmployee::named("E-1", "佐藤 花子"));
    let link = LinkRequest { account, employee, from: "2026-05-01".parse().unwrap(), to: None };
    site.store.link_accounts(site.contract, vec![link], Act::server(NOW)).await.unwrap();
    (site, cookie, terminal)
}

/// Hours after the midnight at which June begins.
fn june(hour: i64, minute: i64) -> UtcMillis {
    at(hour - 15 * 24, minute)
}

/// The row of a date in a month.
fn row(page: &str, date: &str) -> String {
    let row = page.split(&format!("{date}\"><span class=\"sr\">")).nth(1).unwrap();
    row.split("</tr>").next().unwrap().to_owned()
}

/// How long somebody was logged on by the row of a date, and in all.
fn logged_on(page: &str, date: Option<&str>) -> String {
    let row = date.map_or_else(|| page.split("<tfoot").nth(1).unwrap().to_owned(), |date| row(page, date));
    let cell = row.split("m-sum time\" data-l=\"ログオン中\">").nth(1).unwrap();
    cell.split('<').next().unwrap().to_owned()
}

async fn month(site: &Site, cookie: &str, month: &str) -> String {
    site.get(cookie, &format!("/days?employee=E-1&month={month}")).await.text
}

#[tokio::test]
async fn a_night_over_the_end_of_a_month_is_counted_in_one_of_them() {
    let (site, cookie, _) = nights(&[(june(-2, 0), june(2, 30)), (june(22, 0), june(26, 30))]).await;
    let (may, june) = (month(&site, &cookie, "2026-05").await, month(&site, &cookie, "2026-06").await);
    assert_eq!(times_of(&may, "/2026-05-31\"><span"), ["22:00", "26:30"]);
    assert_eq!((logged_on(&may, Some("2026-05-31")), logged_on(&may, None)), ("4:30".into(), "4:30".into()));
    assert_eq!(times_of(&june, "/2026-06-01\"><span"), ["22:00", "26:30"]);
    assert_eq!(
        (logged_on(&june, Some("2026-06-01")), logged_on(&june, None)),
        ("4:30".into(), "4:30".into())
    );
    assert!(row(&june, "2026-06-02").contains("前日の夜の続きのみ（前日に含む）"), "{june}");
    let day = site.get(&cookie, "/days/E-1/2026-06-02").await.text;
    assert!(day.contains("前日に数えています") && !day.contains("big time\">0:00"), "{day}");
}

#[tokio::test]
async fn a_restart_after_the_midnight_of_a_month_goes_on_with_its_night() {
    let (site, cookie, _) = nights(&[(june(-2, 0), june(-1, 50)), (june(0, 10), june(2, 0))]).await;
    let (may, june) = (month(&site, &cookie, "2026-05").await, month(&site, &cookie, "2026-06").await);
    assert_eq!(times_of(&may, "/2026-05-31\"><span"), ["22:00", "26:00"]);
    assert_eq!(logged_on(&may, None), "3:40");
    assert_eq!((times_of(&june, "/2026-06-01\"><span").len(), logged_on(&june, None)), (0, "0:00".into()));
}

#[tokio::test]
async fn the_list_and_the_month_count_the_same_dates() {
    let stays = [
        (june(-2, 0), june(2, 30)),
        (june(33, 0), june(42, 0)),
        (june(70, 0), june(75, 0)),
        // Beyond the boundary: the next date goes on with it.
        (june(118, 0), june(125, 30)),
    ];
    let (site, cookie, _) = nights(&stays).await;
    let own = hanako_herself(&site).await;
    for (name, dates) in [("2026-05", 1), ("2026-06", 4)] {
        let list = site.get(&cookie, &format!("/days?month={name}")).await.text;
        assert!(list.contains(&format!("data-l=\"打刻のある日\">{dates}日")), "{name}: {list}");
        let page = month(&site, &cookie, name).await;
        assert!(page.contains(&format!("ログオンしていた日 {dates}日")), "{name}: {page}");
        let mine = site.get(&own, &format!("/me?month={name}")).await.text;
        for page in [page, mine] {
            let foot = page.split("<tfoot").nth(1).unwrap();
            assert!(foot.contains("合計") && foot.contains(&format!("{dates}日")), "{foot}");
            assert!(foot.contains("労働時間ではありません"), "{foot}");
        }
    }
}

#[tokio::test]
async fn the_last_night_of_who_leaves_is_theirs_on_every_page() {
    let (site, cookie, terminal) = nights(&[(at(20, 0), at(25, 30))]).await;
    let one = site.store.list_employees(site.contract.into(), None, 9).await.unwrap().remove(0);
    let left = NewEmployee { active_to: Some("2026-06-16".parse().unwrap()), ..one.data.clone() };
    site.store.change_employee(site.contract, one.id, left, Act::server(NOW)).await.unwrap();
    let page = month(&site, &cookie, "2026-06").await;
    assert_eq!(times_of(&page, "/2026-06-16\"><span"), ["20:00", "25:30"]);
    let (evening, after) = (row(&page, "2026-06-16"), row(&page, "2026-06-17"));
    assert!(evening.contains("status--ok") && !evening.contains("res=7"), "{evening}");
    assert!(after.contains("</svg>退職後</span>") && !after.contains("res=7"), "{after}");
    let list = site.get(&cookie, "/days?month=2026-06").await.text;
    assert!(list.contains(">1日") && !list.contains("在籍期間外"), "{list}");
    let log = site.get(&cookie, "/punches?from=2026-06-17&to=2026-06-17").await.text;
    assert!(log.contains("佐藤 花子") && !log.contains("class=\"res\""), "{log}");
    let own = hanako_herself(&site).await;
    let mine = site.get(&own, "/me?month=2026-06").await.text;
    assert!(mine.contains(&format!("/me/punches/{terminal}/3")) && mine.contains("25:30:00"), "{mine}");
}

#[tokio::test]
async fn a_restart_in_the_last_night_is_an_error_of_its_own_date_on_page_file_and_list() {
    let (site, cookie, _) = nights(&[(at(20, 0), at(24, 10)), (at(24, 15), at(26, 0))]).await;
    let one = site.store.list_employees(site.contract.into(), None, 9).await.unwrap().remove(0);
    let left = NewEmployee { active_to: Some("2026-06-16".parse().unwrap()), ..one.data.clone() };
    site.store.change_employee(site.contract, one.id, left, Act::server(NOW)).await.unwrap();
    let page = month(&site, &cookie, "2026-06").await;
    assert_eq!(times_of(&page, "/2026-06-16\"><span"), ["20:00", "24:10"], "what is hers");
    let (evening, after) = (row(&page, "2026-06-16"), row(&page, "2026-06-17"));
    assert!(evening.contains("status--ok") && !evening.contains("res=7"), "{evening}");
    assert!(after.contains("退職後の記録") && after.contains("打刻は res=7"), "{after}");
    let file = site.get(&cookie, "/days.csv?employee=E-1&month=2026-06").await.text;
    let errors = ["2026-06-16", "2026-06-17"].map(|date| {
        let line = file.lines().find(|line| line.contains(date)).unwrap();
        line.split("\",\"").nth(13).unwrap()
    });
    assert_eq!(errors, ["", "7"], "{file}");
    let list = site.get(&cookie, "/days?month=2026-06").await.text;
    assert!(list.contains("在籍期間外に1日"), "{list}");
}

#[tokio::test]
async fn a_month_says_which_day_has_an_error_and_leads_to_it() {
    let (site, cookie, terminal) = nights(&[(at(9, 0), at(10, 0))]).await;
    block(&site, terminal).await;
    let mut on = event(4, EventKind::Logon, at(20, 0), "hanako").event;
    let mut off = event(5, EventKind::Logoff, at(25, 0), "hanako").event;
    for event in [&mut on, &mut off] {
        event.session.as_mut().unwrap().logon_identity = "luid:2".into();
    }
    site.record(terminal, vec![encoded(on), encoded(off)]).await;
    let page = month(&site, &cookie, "2026-06").await;
    let error = "href=\"/punches?employee=E-1&#38;from=2026-06-16&#38;to=2026-06-17&#38;errors=1\"";
    assert!(
        row(&page, "2026-06-16").contains(error) && row(&page, "2026-06-16").contains("○ res=6"),
        "{page}"
    );
    assert!(!row(&page, "2026-06-17").contains("res=6"), "of the night, as the day is: {page}");
    let log = site.get(&cookie, "/punches?employee=E-1&from=2026-06-16&to=2026-06-17&errors=1").await.text;
    assert_eq!(times(&log, &format!("href=\"/punches/{terminal}/")), 2, "{log}");
    let own = hanako_herself(&site).await;
    let mine = site.get(&own, "/me/days?month=2026-06").await.text;
    assert!(mine.contains("<span class=\"tag tag--error\">○ res=6</span>"), "{mine}");
}

/// Blocks the PC, so that what comes from it has an error.
async fn block(site: &Site, terminal: TerminalId) {
    let (terminals, act) = (vec![terminal], Act::server(NOW));
    site.store.set_terminal_statuses(site.contract, terminals, TerminalStatus::Blocked, act).await.unwrap();
}

#[tokio::test]
async fn an_error_after_the_last_midnight_of_a_month_stands_on_its_last_evening() {
    let (site, cookie, terminal) = nights(&[(june(-40, 0), june(-39, 0))]).await;
    let of_the_night = |number, kind, time| {
        let mut told = event(number, kind, time, "hanako").event;
        told.session.as_mut().unwrap().logon_identity = "luid:2".into();
        encoded(told)
    };
    site.record(terminal, vec![of_the_night(4, EventKind::Logon, june(-2, 0))]).await;
    block(&site, terminal).await;
    site.record(terminal, vec![of_the_night(5, EventKind::Logoff, june(1, 0))]).await;
    let (may, june) = (month(&site, &cookie, "2026-05").await, month(&site, &cookie, "2026-06").await);
    assert!(row(&may, "2026-05-31").contains("○ res=6"), "{may}");
    assert!(!may.contains("2026-06-01\"><span class=\"sr\">"), "the morning itself is no day of May: {may}");
    assert!(!row(&june, "2026-06-01").contains("res=6"), "{june}");
}

#[tokio::test]
async fn a_stay_of_no_length_is_a_day_of_the_month_and_no_time() {
    let (site, cookie, _) = nights(&[(at(9, 0), at(9, 0))]).await;
    let page = month(&site, &cookie, "2026-06").await;
    assert_eq!(times_of(&page, "/2026-06-16\"><span"), ["09:00", "09:00"]);
    assert!(page.contains("ログオンしていた日 1日"), "{page}");
    assert_eq!(logged_on(&page, None), "0:00");
    let day = site.get(&cookie, "/days/E-1/2026-06-16").await.text;
    assert!(!day.contains("前日に数えています"), "{day}");
    let list = site.get(&cookie, "/days?month=2026-06").await.text;
    assert!(list.contains("data-l=\"打刻のある日\">1日"), "{list}");
}

#[tokio::test]
async fn days_to_come_are_in_no_total() {
    // The clock of the PC was ahead: this morning it has told of a logoff of tomorrow.
    let (site, cookie, _) = nights(&[(at(32, 0), at(58, 0))]).await;
    let page = month(&site, &cookie, "2026-06").await;
    assert!(page.contains("ログオンしていた日 1日"), "{page}");
}

/// From 22:00 to 6:00 and some seconds, from the evening of this date of June on.
fn from_ten_to_six(first: i64, nights: i64) -> Vec<(UtcMillis, UtcMillis)> {
    let night = |day: i64| (june(24 * day + 22, 0).plus(40_000), june(24 * day + 30, 0).plus(10_000));
    (first - 1..first - 1 + nights).map(night).collect()
}

#[tokio::test]
async fn who_works_until_after_the_boundary_has_days_that_go_on_and_no_second_pc() {
    let (site, cookie, _) = nights(&from_ten_to_six(1, 4)).await;
    let page = month(&site, &cookie, "2026-06").await;
    assert_eq!(times_of(&page, "/2026-06-01\"><span"), ["22:00"]);
    for date in ["2026-06-02", "2026-06-03", "2026-06-04"] {
        let row = row(&page, date);
        assert_eq!(times_of(&page, &format!("/{date}\"><span")), ["22:00"], "no logoff before it: {row}");
        assert!(row.contains("翌日へ継続") && row.contains("30:00まで") && !row.contains("PCは"), "{row}");
    }
    let last = row(&page, "2026-06-05");
    assert!(last.contains("前日から継続") && last.contains("06:00") && !last.contains("res"), "{last}");
    let day = site.get(&cookie, "/days/E-1/2026-06-02").await.text;
    assert!(day.contains("翌日へ継続") && day.contains("06-03 06:00 のログオフまで"), "{day}");
    let file = site.get(&cookie, "/days.csv?employee=E-1&month=2026-06").await.text;
    let line = file.lines().find(|line| line.contains("2026-06-02")).unwrap();
    assert!(line.contains("\"22:00\",\"\",\"\",\"正確\",\"\",\"\",\"\",\"\","), "{line}");
    assert!(line.contains("最後のログオフ: 翌日へ継続 06-03 06:00 のログオフまで"), "{line}");
}

#[tokio::test]
async fn a_logoff_after_the_link_has_ended_is_not_told_of_a_day_that_goes_on() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    site.record(terminal, stays(&from_ten_to_six(1, 2))).await;
    let account = site.store.list_accounts(site.contract.into(), AccountFilter::All, 2).await.unwrap()[0].id;
    let employee = EmployeeChoice::New(NewEmployee::named("E-1", "佐藤 花子"));
    let (from, to) = ("2026-05-01".parse().unwrap(), Some("2026-06-02".parse().unwrap()));
    let link = LinkRequest { account, employee, from, to };
    site.store.link_accounts(site.contract, vec![link], Act::server(NOW)).await.unwrap();
    let page = month(&site, &cookie, "2026-06").await;
    assert!(row(&page, "2026-06-01").contains("30:00まで"), "{page}");
    let last = row(&page, "2026-06-02");
    assert!(last.contains("翌日へ継続") && !last.contains("まで"), "{last}");
}

#[tokio::test]
async fn what_a_month_counts_it_says_and_a_day_without_a_logon_is_told_apart() {
    let (site, cookie, _) = nights(&from_ten_to_six(1, 4)).await;
    let page = month(&site, &cookie, "2026-06").await;
    assert!(page.contains("ログオンしていた日 5日 （うち前日から続いただけの日 1日）"), "{page}");
    let foot = page.split("<tfoot").nth(1).unwrap();
    assert!(foot.contains("ログオンしていた日 5日 · 前日から続いただけの日 1日"), "{foot}");
    let list = site.get(&cookie, "/days?month=2026-06").await.text;
    assert!(list.contains("data-l=\"打刻のある日\">5日"), "{list}");
    let own = hanako_herself(&site).await;
    let mine = site.get(&own, "/me?month=2026-06").await.text;
    assert!(mine.contains("ログオンしていた日 5日 · 前日から続いただけの日 1日"), "{mine}");
}

#[tokio::test]
async fn the_days_of_a_month_add_up_to_its_total_on_every_page_and_in_the_file() {
    // Twelve days of 8:00:40, 8:00:20 and so on: cut each, or together, they would come to other sums.
    let work = |day: i64| (june(24 * day + 9, 0), june(24 * day + 17, 0).plus(20_000 * (1 + day % 2)));
    let (site, cookie, _) = nights(&(0..12).map(work).collect::<Vec<_>>()).await;
    let own = hanako_herself(&site).await;
    let minutes = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap()
    };
    let page = month(&site, &cookie, "2026-06").await;
    let shown: Vec<String> =
        (1..=12).map(|day| logged_on(&page, Some(&format!("2026-06-{day:02}")))).collect();
    assert_eq!((shown[0].as_str(), shown[1].as_str()), ("8:00", "8:01"), "to the nearest minute");
    let sum: i64 = shown.iter().map(|text| minutes(text)).sum();
    assert_eq!((sum, minutes(&logged_on(&page, None))), (12 * 480 + 6, sum));
    let mine = site.get(&own, "/me?month=2026-06").await.text;
    assert!(mine.contains("<span class=\"time\">96:06</span>"), "{mine}");
    let mine = site.get(&own, "/me/days?month=2026-06").await.text;
    assert_eq!(logged_on(&mine, None), "96:06");
    let file = site.get(&cookie, "/days.csv?employee=E-1&month=2026-06").await.text;
    let cells = file.lines().skip(1).map(|line| line.split("\",\"").nth(12).unwrap().to_owned());
    let in_file: i64 = cells.filter(|cell| !cell.is_empty()).map(|cell| minutes(&cell)).sum();
    assert_eq!(in_file, sum, "{file}");
    let day = site.get(&cookie, "/days/E-1/2026-06-02").await.text;
    assert!(day.contains("<span class=\"big time\">8:01</span>"), "{day}");
}

#[tokio::test]
async fn that_the_boundary_cuts_the_nights_of_a_month_is_said_to_those_who_read_it_for_others() {
    let text =
        "3回の夜が、日付の区切り（05:00）を越えて続いたため、2日に分かれています。区切りを07:00にすると";
    let (site, cookie, _) = nights(&from_ten_to_six(1, 3)).await;
    let page = month(&site, &cookie, "2026-06").await;
    assert!(page.contains(text) && page.contains("<a href=\"/settings#s-day\">"), "{page}");
    let auditor = site.person("kansa", Role::Auditor, Some(site.contract)).await;
    let theirs = site.get(&auditor, "/days?employee=E-1&month=2026-06").await.text;
    assert!(theirs.contains(text) && !theirs.contains("/settings#s-day"), "{theirs}");
    let own = hanako_herself(&site).await;
    assert!(!site.get(&own, "/me/days?month=2026-06").await.text.contains("日付の区切り"));
    let may = month(&site, &cookie, "2026-05").await;
    assert!(!may.contains("日付の区切り"), "{may}");
}

#[tokio::test]
async fn two_nights_or_some_that_no_boundary_keeps_are_told_to_nobody() {
    let noon = |day: i64| (june(24 * day + 20, 0), june(24 * day + 36, 0));
    for times in [from_ten_to_six(1, 2), (0..4).map(noon).collect()] {
        let (site, cookie, _) = nights(&times).await;
        let page = month(&site, &cookie, "2026-06").await;
        assert!(page.contains("翌日へ継続") && !page.contains("日付の区切り"), "{page}");
    }
}

#[tokio::test]
async fn today_begins_with_a_logon_of_today_in_both_lists() {
    let first = async |times: &[(UtcMillis, UtcMillis)]| {
        let (site, cookie, _) = nights(times).await;
        let days = site.get(&cookie, "/days").await.text;
        let cell = days.split("<td role=\"cell\" class=\"time\"").nth(1).unwrap();
        let cell = cell.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
        let people = site.get(&cookie, "/employees").await.text;
        let other = people.split("data-l=\"今日の最初のログオン\">").nth(1).unwrap();
        (cell, other.split('<').next().unwrap().to_owned())
    };
    let told = |text: &str| (text.to_owned(), text.to_owned());
    let nobody = || (String::new(), "–".to_owned());
    assert_eq!(first(&[(at(20, 0), at(25, 30))]).await, nobody(), "the logoff of the night is yesterday's");
    assert_eq!(first(&[(at(20, 0), at(31, 0))]).await, nobody(), "and one behind the boundary is no logon");
    assert_eq!(
        first(&[(at(20, 0), at(24, 10)), (at(24, 20), at(26, 0))]).await,
        nobody(),
        "a restart at night"
    );
    assert_eq!(first(&[(at(20, 0), at(25, 30)), (at(33, 0), at(33, 5))]).await, told("09:00"));
    assert_eq!(
        first(&[(at(28, 0), at(33, 0))]).await,
        told("04:00"),
        "a day begins before the boundary, too"
    );
}
