//! `summary.pdf` as a reader sees it: its text is read back by another program (poppler).

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use crate::support::{DAY_MS, ENROLLMENT_KEY, NOW, Pc, Server};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_evidence::{Verifier, words};
use mngntime_ledger::Digest;
use mngntime_model::{BootId, Bounds, Event, EventKind, Evidence, Language, SessionIdentity, UtcMillis};
use mngntime_server::evidence::lettering::FontFile;
use mngntime_server::evidence::pack;
use mngntime_server::evidence::record::Request;
use mngntime_store::{AccountFilter, EmployeeChoice, LinkRequest, NewEmployee, NewRemark};
use mngntime_wire::{Context, EncodedEvent, EnrollmentRequest};

const MINUTE_MS: i64 = 60_000;

const HOUR_MS: i64 = 60 * MINUTE_MS;
const MONDAY: Date = jiff::civil::date(2026, 11, 23);

impl Server {
    /// Links an account to an employee, who is made.
    async fn link_named(&self, account: &str, (code, name): (&str, &str), from: Date, to: Option<Date>) {
        let accounts =
            self.app.store.list_accounts(self.contract.into(), AccountFilter::All, 100).await.unwrap();
        let account = accounts.iter().find(|found| found.name == account).unwrap().id;
        let employee = EmployeeChoice::New(employee(code, name));
        let request = LinkRequest { account, employee, from, to };
        self.app.store.link_accounts(self.contract, vec![request], self.act()).await.unwrap();
    }

    async fn link_hanako(&self, from: Date) {
        self.link_named("hanako", ("E1", "佐藤 花子"), from, None).await;
    }

    /// The summary's text, and that without any space: where a cell goes on in the next line, poppler has a line's end.
    async fn summary(&self, employee: Option<&str>) -> (String, String) {
        let pdf = self.pdf(employee, (MONDAY, MONDAY), &FontFile::read(None).unwrap()).await;
        let text = read(&pdf, "one-day").concat();
        let dense = dense(&text);
        (text, dense)
    }

    /// The pages of a summary; the file is kept to be looked at under `name`.
    async fn pages(&self, employee: Option<&str>, dates: (Date, Date), name: &str) -> Vec<String> {
        read(&self.pdf(employee, dates, &FontFile::read(None).unwrap()).await, name)
    }

    /// The same of E1 without any space, where nights end at another time.
    async fn nights_until(&self, chosen: Option<u16>, dates: (Date, Date), name: &str) -> String {
        let mut request = self.summary_request(Some("E1"), dates).await;
        request.contract.settings.day_begins_minutes = chosen;
        dense(&read(&self.pdf_of(&request, &FontFile::read(None).unwrap()).await, name).concat())
    }

    async fn pdf(&self, employee: Option<&str>, dates: (Date, Date), font: &FontFile) -> Vec<u8> {
        self.pdf_of(&self.summary_request(employee, dates).await, font).await
    }

    async fn summary_request(&self, employee: Option<&str>, dates: (Date, Date)) -> Request {
        self.app.log_heads.sign_all(&*self.app.store, &self.app.key, || self.app.now()).await.unwrap();
        Request {
            contract: self.app.store.contract("demo").await.unwrap().unwrap(),
            employee: employee.map(str::to_owned),
            dates: employee.map(|_| dates),
            server_key: self.app.key.public().to_string(),
            made_at: self.app.now(),
            day_boundary_minutes: 300,
        }
    }

    async fn pdf_of(&self, request: &Request, font: &FontFile) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pack.zip");
        let finished = pack::make(&*self.app.store, request, &self.app.key, font, &path).await.unwrap();
        finished.publish().unwrap();
        let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        let mut bytes = Vec::new();
        archive.by_name("summary.pdf").unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// What `verify --print` says of the punches of a pack.
    async fn printed(&self, request: &Request, language: Language) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pack.zip");
        let font = FontFile::read(None).unwrap();
        pack::make(&*self.app.store, request, &self.app.key, &font, &path).await.unwrap().publish().unwrap();
        let (bytes, key) = (std::fs::read(&path).unwrap(), self.app.key.public());
        let (_, report) = pack::check_with(&bytes, &key, Verifier::new(key).keeping_punches()).unwrap();
        assert!(report.is_authentic(), "{:?}", report.faults);
        report.punches.iter().map(|punch| words::punch(&report, punch, language)).collect()
    }
}

fn employee(code: &str, name: &str) -> NewEmployee {
    NewEmployee::named(code, name)
}

/// The text of each page. The file is left in `target/tmp/summaries`, for people who want to see it.
fn read(pdf: &[u8], name: &str) -> Vec<String> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("summaries");
    std::fs::create_dir_all(&kept).unwrap();
    // Tests run at the same time: each writes a file of its own.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("summary.pdf");
    std::fs::write(&path, pdf).unwrap();
    std::fs::write(kept.join(format!("{name}.pdf")), pdf).unwrap();
    let read = Command::new("pdftotext").args(["-raw", "-enc", "UTF-8"]).arg(&path).arg("-").output();
    let read = read.expect("pdftotext (Debian: apt install poppler-utils)");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    // Each page ends with a form feed.
    String::from_utf8(read.stdout).unwrap().split_terminator('\u{c}').map(str::to_owned).collect()
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A PC with an OS run that has a beginning, and stays that have numbers.
struct Desk {
    pc: Pc,
    events: Vec<String>,
    boot: String,
    began: UtcMillis,
    stay: u32,
}

impl Desk {
    async fn enrolled(server: &Server, seed: u8, host_name: &str) -> Self {
        let mut pc = Pc::new(seed);
        let request = EnrollmentRequest {
            host_name: host_name.into(),
            ..pc.enrollment(ENROLLMENT_KEY).peek::<EnrollmentRequest>().unwrap()
        };
        let request = crate::support::seal(Context::EnrollmentRequest, &request, &*pc.key);
        pc.terminal = server.enroll(&request).await.terminal.expect("enrolled");
        Self { pc, events: Vec::new(), boot: String::new(), began: NOW, stay: 0 }
    }

    /// The OS begins to run, and the agent with it.
    fn boot(&mut self, at: UtcMillis) {
        self.boot = format!("boot-of-{}", at.0);
        self.began = at;
        self.add(EventKind::ServiceStart, None, at, |_| {});
    }

    fn logon(&mut self, account: &str, at: UtcMillis) {
        self.stay += 1;
        self.add(EventKind::Logon, Some(account), at, |_| {});
    }

    fn logoff(&mut self, account: &str, at: UtcMillis) {
        self.add(EventKind::Logoff, Some(account), at, |_| {});
    }

    fn shut_down(&mut self, at: UtcMillis) {
        self.add(EventKind::Shutdown, None, at, |_| {});
        self.add(EventKind::ServiceStop, None, at, |_| {});
    }

    fn add(
        &mut self,
        kind: EventKind,
        account: Option<&str>,
        at: UtcMillis,
        change: impl FnOnce(&mut Event),
    ) {
        self.pc.wall = at;
        self.pc.biased_ms = u64::try_from(at.0 - self.began.0).unwrap() + 1_000;
        self.pc.boot.clone_from(&self.boot);
        let mut encoded = EncodedEvent::decode(&self.pc.event(kind, account, at)).unwrap();
        let boot = BootId::new(&self.boot).unwrap();
        encoded.event.boot = boot.clone();
        encoded.event.session = account.map(|_| SessionIdentity {
            boot,
            session_id: "2".into(),
            logon_identity: format!("0x{:x}", self.stay),
        });
        change(&mut encoded.event);
        let encoded = EncodedEvent::encode(encoded.event, encoded.previous).unwrap();
        self.pc.previous = encoded.digest;
        self.events.push(encoded.json);
    }

    /// Sends what is there at `at`, by both clocks.
    async fn send(&mut self, server: &Server, at: UtcMillis, resent: bool) {
        server.pass(at.0 - server.app.now().0);
        self.pc.wall = at;
        let events = std::mem::take(&mut self.events);
        server.deliver(&self.pc.batch_with(&events, resent)).await;
    }
}

/// `minutes` after midnight of the day `day` days after the 23rd.
fn at(day: i64, minutes: i64) -> UtcMillis {
    NOW.plus(day * DAY_MS - 9 * HOUR_MS + minutes * MINUTE_MS)
}

fn day(after: i64) -> Date {
    MONDAY.saturating_add(after.days())
}

/// The agent says, when it is back, that it was away.
fn absent(pc: &mut Pc, from: UtcMillis, to: UtcMillis) -> String {
    pc.wall = to;
    let mut gap = EncodedEvent::decode(&pc.event(EventKind::Gap, None, to)).unwrap();
    (gap.event.bounds, gap.event.session) = (Some(Bounds::between(from, to)), None);
    gap.event.cause = Some("agent_absent".to_owned());
    let encoded = EncodedEvent::encode(gap.event, gap.previous).unwrap();
    pc.previous = encoded.digest;
    encoded.json
}

/// 花子 and Taro share a PC whose agent was away `absences` times, three minutes in every ten.
async fn office(absences: i64) -> Server {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let mut events = vec![pc.event(EventKind::ServiceStart, None, NOW), pc.logon("hanako"), pc.logon("taro")];
    for absence in 0..absences {
        let from = NOW.plus((10 * absence + 5) * MINUTE_MS);
        events.push(absent(&mut pc, from, from.plus(3 * MINUTE_MS)));
    }
    server.pass(10 * 60 * MINUTE_MS);
    pc.wall = server.app.now();
    events.push(pc.event(EventKind::Logoff, Some("hanako"), pc.wall));
    for events in events.chunks(50) {
        server.deliver(&pc.batch(events)).await;
    }
    server.link_hanako(jiff::civil::date(2026, 1, 1)).await;
    server
}

#[tokio::test]
async fn the_summary_says_in_japanese_whom_it_is_about_and_how_many_events_are_hidden() {
    let server = office(0).await;
    let (text, dense) = server.summary(Some("E1")).await;
    for word in [
        "打刻記録証拠要約",
        "社員E1佐藤花子",
        "期間2026-11-23(月)〜2026-11-23(月)",
        "アカウントの関連付け（履歴）",
    ] {
        assert!(dense.contains(word), "{word}: {text}");
    }
    assert!(dense.contains("内容を示さないイベント:1件"), "Taro's logon: {text}");
    let row = text.lines().find(|line| line.starts_with("PC-0231 ")).expect("the terminal's row");
    assert!(row.starts_with("PC-0231 3 1 0 "), "shown, hidden, missing: {row}");
    assert!(dense.contains(&server.app.key.public().to_string()), "{text}");
    let (text, dense) = server.summary(None).await;
    assert!(dense.contains("対象契約主の全端末・全社員") && !dense.contains("内容を示さない"), "{text}");
}

#[tokio::test]
async fn a_day_without_a_link_is_no_day_without_work_and_what_waited_is_called_that() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = vec![pc.event(EventKind::ServiceStart, None, NOW), pc.logon("hanako")];
    server.deliver(&pc.batch_with(&events, true)).await;
    server.link_hanako(MONDAY).await;
    let (text, dense) = server.summary(Some("E1")).await;
    // The words are explained at the end, whether they occur or not.
    let (record, _) = dense.split_once("ことばの説明").unwrap();
    assert!(record.contains("再送09:00:00") && !record.contains("即時"), "{text}");
    assert!(record.contains("対象外の日0日") && !record.contains("この日にはアカウント"), "{text}");
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon("hanako")];
    server.deliver(&pc.batch(&events)).await;
    server.link_hanako(jiff::civil::date(2026, 11, 24)).await;
    let (text, dense) = server.summary(Some("E1")).await;
    assert!(dense.contains("PC-0231――対象外この日にはアカウントの関連付けがなく"), "{text}");
    // Linked later: neither the days nor the punches are called empty, but not shown.
    for words in [
        "サーバーの申告によれば、この期間にこの社員に関連付けられたアカウント",
        "関連付けの履歴は後に示します",
        "この期間について届いた記録は、関連付けがなくても保存されています",
        "この期間について、この社員に関連付けられたアカウントの打刻は示されていません",
    ] {
        assert!(dense.contains(words), "{words}: {text}");
    }
    assert!(!dense.contains("打刻はありません"), "{text}");
}

#[tokio::test]
async fn of_a_period_over_six_years_the_older_days_are_called_left_out_and_not_without_a_record() {
    let server = office(0).await;
    let pages = server.pages(Some("E1"), (jiff::civil::date(2020, 1, 1), MONDAY), "six-years").await;
    let dense = dense(&pages.concat());
    assert!(dense.contains("2020-01-01(水)から2020-11-18(水)までは、ここには示しません"), "{dense}");
    assert!(dense.contains("期間2196日"), "{dense}");
    assert!(!dense.contains("2020-11-18(水)〜") && dense.contains("2020-11-19(木)〜"), "{dense}");
    let (_, short) = server.summary(Some("E1")).await;
    assert!(!short.contains("ここには示しません"), "{short}");
}

#[tokio::test]
async fn every_reason_of_a_bad_day_is_shown_whole() {
    let (text, dense) = office(8).await.summary(Some("E1")).await;
    for absence in 0..8_i64 {
        let minute = 10 * absence + 5;
        let (hour, begins, ends) = (9 + minute / 60, minute % 60, minute % 60 + 3);
        let part = format!("{hour:02}:{begins:02}〜{hour:02}:{ends:02}エージェント停止");
        assert!(dense.contains(&part), "{part}: {text}");
    }
    assert!(!text.contains('…'), "nothing is cut off: {text}");
}

#[tokio::test]
async fn of_too_many_reasons_the_summary_says_how_many_more_there_are() {
    let (text, dense) = office(50).await.summary(Some("E1")).await;
    // Before the first start nobody watched: that is the first of 51, of which 40 are named; after the last contact
    // the day ends.
    assert!(dense.contains("ほか11件はrecord.jsonlにあります"), "{text}");
}

#[tokio::test]
async fn what_the_employee_said_stands_in_the_summary_with_what_became_of_it() {
    let server = office(0).await;
    let (_, silent) = server.summary(Some("E1")).await;
    assert!(silent.contains("本人の申告は記録にありません"), "{silent}");
    let store = &server.app.store;
    let employee = store.employee_by_code(server.contract.into(), "E1".into()).await.unwrap().unwrap().id;
    let say = async |date, text: &str| {
        let new = NewRemark { employee, date, from_minutes: 1_080, to_minutes: 1_530, text: text.to_owned() };
        store.add_remark(server.contract, None, new, server.act()).await.unwrap()
    };
    let read = say(MONDAY, "PCを使わずに\n残業しました").await;
    let withdrawn = say(MONDAY, "まちがい").await;
    say(day(1), "翌日の申告").await;
    server.pass(60 * MINUTE_MS);
    let answer = Some("確認しました".to_owned());
    store.read_remark(server.contract.into(), read, None, answer, server.act()).await.unwrap();
    store.withdraw_remark(server.contract, employee, withdrawn, server.act()).await.unwrap();
    let (text, dense) = server.summary(Some("E1")).await;
    for words in [
        "2026-11-23(月)18:00〜25:30PCを使わずに残業しました返事:確認しました",
        "確認:2026-11-23(月)",
        "まちがい",
        "取り下げ:2026-11-23(月)",
    ] {
        assert!(dense.contains(words), "{words}: {text}");
    }
    assert!(!dense.contains("翌日の申告"), "{text}");
}

/// A month of 花子: the twenty-third is a Monday.
async fn month(server: &Server) {
    let mut desk = Desk::enrolled(server, 1, "PC-0231").await;
    let morning = 8 * 60 + 52;
    for weekday in [0, 1, 2, 7, 8, 9, 10] {
        desk.boot(at(weekday, morning));
        desk.logon("hanako", at(weekday, morning + 4));
        desk.logoff("hanako", at(weekday, 18 * 60 + 7));
        desk.shut_down(at(weekday, 18 * 60 + 8));
        // On Tuesday the network was away until the evening.
        desk.send(server, at(weekday, 20 * 60), weekday == 1).await;
    }
    // Friday the 4th: into the night.
    desk.boot(at(11, morning));
    desk.logon("hanako", at(11, 13 * 60));
    desk.logoff("hanako", at(12, 2 * 60 + 10));
    desk.shut_down(at(12, 2 * 60 + 11));
    desk.send(server, at(12, 3 * 60), false).await;
    // Monday the 7th: the power goes in the afternoon, which is told on Tuesday.
    desk.boot(at(14, morning));
    desk.logon("hanako", at(14, morning + 3));
    let lost = desk.stay;
    desk.send(server, at(14, 12 * 60), false).await;
    desk.boot(at(15, morning));
    let (from, to) = (at(14, 16 * 60), at(14, 16 * 60 + 31));
    let lost_run = format!("boot-of-{}", at(14, morning).0);
    desk.add(EventKind::Logoff, Some("hanako"), at(15, morning), |event| {
        event.occurred_at = from;
        event.evidence = Evidence::Inferred;
        event.bounds = Some(Bounds::between(from, to));
        event.cause = Some("power_loss".to_owned());
        event.session = Some(SessionIdentity {
            boot: BootId::new(&lost_run).unwrap(),
            session_id: "2".into(),
            logon_identity: format!("0x{lost:x}"),
        });
    });
    desk.logon("hanako", at(15, morning + 2));
    desk.logoff("hanako", at(15, 17 * 60));
    desk.shut_down(at(15, 17 * 60 + 1));
    desk.send(server, at(15, 18 * 60), false).await;
    server.pass(7 * DAY_MS);
}

#[tokio::test]
async fn the_days_of_a_month_stand_with_weekdays_nights_and_estimates() {
    let server = Server::start().await;
    month(&server).await;
    server.link_hanako(day(1)).await;
    let text = server.pages(Some("E1"), (day(-10), day(25)), "month").await.concat();
    let dense = dense(&text);
    for row in [
        // Before the link the record says nothing of her, and before the PC came nothing of anybody.
        "2026-11-13(金)〜2026-11-22(日)―――対象外この日には",
        "2026-11-23(月)PC-0231――対象外この日には",
        "2026-11-24(火)PC-023108:5618:07記録あり",
        "2026-11-28(土)PC-0231――記録あり",
        "2026-12-04(金)PC-023113:00翌日02:10記録あり",
        "2026-12-05(土)PC-0231――記録あり02:10まで前日の夜の続き（前日の記録）",
        "2026-12-07(月)PC-023108:55推定16:00〜16:31不明あり",
        "2026-12-08(火)PC-023108:5417:00記録あり",
        "2026-11-24(火)08:56:00ログオンPC-0231EXAMPLE\\hanako打刻完了再送20:00:00",
        "2026-12-07(月)16:00:00ログオフPC-0231EXAMPLE\\hanako打刻完了推定12-0818:00:0016:00〜16:31",
        // Ten days without anything, the one before the link, and those that nobody has heard of the PC.
        "対象外の日11日",
        "ログオン9件ログオフ9件（うち推定1件、再送2件、エラー（res）0件）",
        // The night of Friday is one day.
        "うちログオンしていた日9日",
        "2026-12-05(土)02:10:00ログオフPC-0231EXAMPLE\\hanako打刻完了遅延03:00:0012-04(金)の夜",
    ] {
        assert!(dense.contains(row), "{row}: {text}");
    }
    // The days to come have no rows, and are not counted.
    assert!(!dense.contains("2026-12-16(水)PC") && dense.contains("期間33日（作成日まで）"), "{text}");
}

#[tokio::test]
async fn a_stay_that_a_links_end_cuts_is_told_as_cut_there_and_not_as_logged_off() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 9 * 60));
    desk.logon("hanako", at(0, 9 * 60 + 1));
    desk.logoff("hanako", at(0, 12 * 60));
    desk.logon("hanako", at(0, 13 * 60));
    // Beyond the day boundary: no night of hers ends with it.
    desk.logoff("hanako", at(1, 7 * 60 + 34));
    desk.logon("hanako", at(1, 9 * 60 + 5));
    desk.logoff("hanako", at(1, 10 * 60 + 43));
    desk.send(&server, at(1, 12 * 60), false).await;
    server.link_named("hanako", ("E1", "佐藤 花子"), day(-30), Some(day(0))).await;
    server.link_named("hanako", ("E2", "鈴木 一郎"), day(1), None).await;
    let dates = (day(0), day(1));
    let text = server.pages(Some("E1"), dates, "cut-end").await.concat();
    let of_her = dense(&text);
    for words in [
        "2026-11-23(月)PC-023109:01関連付けの終了で区切り不明あり4件",
        "アカウントの関連付けは11-23(月)まで。ログオフではありません",
        "2026-11-24(火)00:00:00区切りPC-0231EXAMPLE\\hanako―――アカウントの関連付けの終了。ログオフではありません",
        "2026-11-24(火)PC-0231――対象外",
        "関連付けの終了で区切ったもの1件",
    ] {
        assert!(of_her.contains(words), "{words}: {text}");
    }
    let (record, _) = of_her.split_once("ことばの説明").unwrap();
    assert!(
        !record.contains("07:34") && !record.contains("翌日"),
        "what came afterwards is not hers: {text}"
    );
    let text = server.pages(Some("E2"), dates, "cut-begin").await.concat();
    let of_him = dense(&text);
    for words in [
        "2026-11-24(火)00:00:00区切りPC-0231EXAMPLE\\hanako―――アカウントの関連付けの開始。ログオンではありません",
        "2026-11-24(火)07:34:00ログオフ",
        "2026-11-24(火)PC-0231関連付けの開始で区切り10:43記録あり",
    ] {
        assert!(of_him.contains(words), "{words}: {text}");
    }
    assert!(!of_him.contains("13:00") && !of_him.contains("09:01"), "what came before is not his: {text}");
}

#[tokio::test]
async fn the_last_night_before_an_account_is_handed_over_is_shown_to_its_end_and_to_nobody_else() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 9 * 60));
    desk.logon("hanako", at(0, 13 * 60));
    desk.logoff("hanako", at(1, 2 * 60 + 34));
    desk.logon("hanako", at(1, 9 * 60 + 5));
    desk.logoff("hanako", at(1, 10 * 60 + 43));
    desk.send(&server, at(1, 12 * 60), false).await;
    server.link_named("hanako", ("E1", "佐藤 花子"), day(-30), Some(day(0))).await;
    server.link_named("hanako", ("E2", "鈴木 一郎"), day(1), None).await;
    for dates in [(day(0), day(0)), (day(0), day(1))] {
        let text = server.pages(Some("E1"), dates, "last-night").await.concat();
        let of_her = dense(&text);
        for words in [
            "2026-11-23(月)PC-023113:00翌日02:34",
            "2026-11-24(火)02:34:00ログオフPC-0231EXAMPLE\\hanako打刻完了",
        ] {
            assert!(of_her.contains(words), "{words}: {text}");
        }
        let (record, _) = of_her.split_once("ことばの説明").unwrap();
        assert!(!record.contains("区切り") && !record.contains("09:05"), "{text}");
    }
    let text = server.pages(Some("E2"), (day(0), day(1)), "after-a-last-night").await.concat();
    let of_him = dense(&text);
    assert!(of_him.contains("2026-11-24(火)PC-023109:0510:43"), "{text}");
    assert!(!of_him.contains("02:34") && !of_him.contains("13:00"), "what came before is not his: {text}");
}

#[tokio::test]
async fn a_stay_whose_logoff_never_came_ends_with_the_run_of_the_pc_and_never_with_a_logoff() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 9 * 60));
    desk.logon("hanako", at(0, 9 * 60 + 1));
    desk.shut_down(at(0, 17 * 60));
    desk.boot(at(2, 9 * 60));
    desk.logon("hanako", at(2, 9 * 60 + 2));
    desk.send(&server, at(2, 12 * 60), false).await;
    server.link_named("hanako", ("E1", "佐藤 花子"), day(-30), Some(day(10))).await;
    let text = server.pages(Some("E1"), (day(0), day(2)), "open").await.concat();
    let dense = dense(&text);
    for words in [
        "2026-11-23(月)PC-023109:01ログオフの記録なし不明あり4件",
        "2026-11-24(火)PC-0231――記録あり",
        "2026-11-25(水)PC-023109:02ログオフの記録なし",
        "ログオフの記録がないログオン2件アカウントの関連付けの終了で区切ったもの0件",
    ] {
        assert!(dense.contains(words), "{words}: {text}");
    }
    assert!(!dense.contains("の終了で区切り"), "the link goes on: {text}");
}

/// From ten in the evening to six, on two nights.
async fn nights() -> Server {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    for evening in [0, 1] {
        desk.boot(at(evening, 21 * 60 + 50));
        desk.logon("hanako", at(evening, 22 * 60));
        desk.logoff("hanako", at(evening + 1, 6 * 60));
        desk.shut_down(at(evening + 1, 6 * 60 + 5));
        desk.send(&server, at(evening + 1, 7 * 60), false).await;
    }
    server.pass(DAY_MS);
    server.link_hanako(day(-30)).await;
    server
}

#[tokio::test]
async fn a_night_before_the_boundary_is_of_its_evening_on_the_paper_as_on_the_pages() {
    let server = nights().await;
    let text = server.nights_until(Some(7 * 60), (day(0), day(2)), "nights").await;
    for words in [
        "2026-11-23(月)PC-023122:00翌日06:00",
        "2026-11-24(火)PC-023122:00翌日06:00記録あり2件06:00まで前日の夜の続き（前日の記録）",
        "2026-11-25(水)PC-0231――",
        "07:00より前に終われば前日の記録",
        "うちログオンしていた日2日",
        "ログオン2件ログオフ2件",
        "2026-11-24(火)06:00:00ログオフPC-0231EXAMPLE\\hanako打刻完了遅延07:00:0011-23(月)の夜",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (rows, _) = text.split_once("ことばの説明").unwrap();
    assert!(!rows.contains("前日から") && !rows.contains("翌日へ継続") && !rows.contains("期間外"), "{text}");
    // Six o'clock lies beyond five, which holds where the contract has chosen nothing: the stay goes on.
    let text = server.nights_until(None, (day(0), day(2)), "long-nights").await;
    for words in [
        "2026-11-23(月)PC-023122:00翌日へ継続",
        "2026-11-24(火)PC-023122:00翌日へ継続翌日06:00まで",
        "2026-11-25(水)PC-0231前日から06:00",
        "05:00より前に終われば前日の記録",
        "うちログオンしていた日3日",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn the_night_before_the_period_is_shown_as_such_and_counted_nowhere() {
    let server = nights().await;
    let text = server.nights_until(Some(7 * 60), (day(1), day(1)), "second-night").await;
    for words in [
        "ログオン1件ログオフ1件（うち推定0件、再送0件、エラー（res）0件）",
        "うちログオンしていた日1日",
        "2026-11-23(月)22:00:00ログオンPC-0231EXAMPLE\\hanako打刻完了遅延11-2407:00:00期間外11-23(月)",
        "2026-11-24(火)06:00:00ログオフPC-0231EXAMPLE\\hanako打刻完了遅延07:00:00期間外11-23(月)の夜",
        "2026-11-25(水)06:00:00ログオフPC-0231EXAMPLE\\hanako打刻完了遅延07:00:0011-24(火)の夜",
        "期間外の日の打刻2件を",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn a_print_of_the_punches_knows_the_night_that_goes_beyond_the_dates() {
    let server = nights().await;
    let mut request = server.summary_request(Some("E1"), (day(0), day(0))).await;
    for (chosen, is_of_the_evening) in [(Some(7 * 60), true), (None, false)] {
        request.contract.settings.day_begins_minutes = chosen;
        let japanese = server.printed(&request, Language::Japanese).await;
        let english = server.printed(&request, Language::English).await;
        let found = |lines: &[String], told: [&str; 2]| {
            let line = lines.iter().find(|line| line.contains("2026-11-24 06:00:00")).unwrap().clone();
            told.map(|told| line.contains(told))
        };
        let of_the_evening = [is_of_the_evening, !is_of_the_evening];
        assert_eq!(
            found(&japanese, ["（2026-11-23の夜） ログオフ", "指定期間外"]),
            of_the_evening,
            "{japanese:?}"
        );
        assert_eq!(
            found(&english, [" (night of 2026-11-23) logoff", "outside of the dates"]),
            of_the_evening,
            "{english:?}"
        );
    }
}

#[tokio::test]
async fn a_stay_over_three_days_has_its_logoff_on_the_day_of_its_end_alone() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 8 * 60 + 50));
    desk.logon("hanako", at(0, 9 * 60));
    desk.logoff("hanako", at(2, 18 * 60));
    desk.shut_down(at(2, 18 * 60 + 5));
    desk.send(&server, at(2, 19 * 60), false).await;
    server.link_hanako(day(-30)).await;
    let text = server.nights_until(None, (day(0), day(2)), "three-days").await;
    for words in [
        "2026-11-23(月)PC-023109:00翌日へ継続",
        "2026-11-24(火)PC-0231前日から翌日へ継続",
        "2026-11-25(水)PC-023111-23(月)から18:00",
        "うちログオンしていた日3日",
        "ログオン1件ログオフ1件",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Of a period that ends in between it goes on as well.
    let text = server.nights_until(None, (day(0), day(1)), "two-of-three-days").await;
    assert!(text.contains("2026-11-24(火)PC-0231前日から翌日へ継続"), "{text}");
}

#[tokio::test]
async fn a_logon_an_hour_after_midnight_goes_on_with_its_night() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 21 * 60 + 50));
    desk.logon("hanako", at(0, 22 * 60));
    desk.logoff("hanako", at(1, 30));
    desk.logon("hanako", at(1, 60));
    desk.logoff("hanako", at(1, 3 * 60));
    desk.send(&server, at(1, 4 * 60), false).await;
    server.link_hanako(day(-30)).await;
    let text = server.nights_until(None, (day(0), day(0)), "restart").await;
    for words in [
        "2026-11-23(月)PC-023122:00翌日03:00",
        "ログオン2件ログオフ2件",
        "2026-11-24(火)01:00:00ログオンPC-0231EXAMPLE\\hanako打刻完了遅延04:00:0011-23(月)の夜",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = server.nights_until(None, (day(1), day(1)), "after-restart").await;
    assert!(text.contains("2026-11-24(火)PC-0231――") && text.contains("ログオン0件ログオフ0件"), "{text}");
}

/// Windows signs the last user on by itself after an update.
#[tokio::test]
async fn a_logon_that_nobody_made_begins_no_day() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 3 * 60));
    desk.stay += 1;
    desk.add(EventKind::Logon, Some("hanako"), at(0, 3 * 60 + 1), |event| {
        event.cause = Some(mngntime_model::event::cause::UNATTENDED.to_owned());
    });
    desk.add(EventKind::Unlock, Some("hanako"), at(0, 8 * 60 + 55), |_| {});
    desk.logoff("hanako", at(0, 18 * 60));
    desk.send(&server, at(0, 19 * 60), false).await;
    server.link_hanako(day(-30)).await;
    let text = server.nights_until(None, (day(0), day(0)), "unattended").await;
    for words in [
        "2026-11-23(月)PC-023108:5518:00",
        "最初の時刻は、無人のログオンの後の最初の操作です",
        "2026-11-23(月)03:01:00ログオン",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// 花子 leaves on Monday, at two in the night; somebody signs in with her account on Tuesday.
#[tokio::test]
async fn what_comes_after_somebody_has_left_is_shown_as_nobodys() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 8 * 60 + 50));
    desk.logon("hanako", at(0, 9 * 60));
    desk.logoff("hanako", at(1, 2 * 60));
    desk.logon("hanako", at(1, 9 * 60));
    desk.logoff("hanako", at(1, 18 * 60));
    desk.send(&server, at(1, 19 * 60), false).await;
    server.pass(2 * DAY_MS);
    let accounts =
        server.app.store.list_accounts(server.contract.into(), AccountFilter::All, 100).await.unwrap();
    let left = NewEmployee { active_to: Some(day(0)), ..employee("E1", "佐藤 花子") };
    let request = LinkRequest {
        account: accounts[0].id,
        employee: EmployeeChoice::New(left),
        from: day(-30),
        to: None,
    };
    server.app.store.link_accounts(server.contract, vec![request], server.act()).await.unwrap();
    let text = server.nights_until(None, (day(0), day(3)), "left").await;
    for words in [
        "2026-11-23(月)PC-023109:00翌日02:00不明あり",
        "2026-11-24(火)PC-023109:0018:00退職後の記録",
        "在籍期間の外なので、この日の打刻は社員のものになっていません",
        "2026-11-25(水)〜2026-11-26(木)PC-0231――退職後退職日より後です。この社員のログオンは示されていません",
        "入社前・退職後の日3日うち記録のある日1日",
        "うちログオンしていた日1日",
        "エラー（res）2件",
        "2026-11-24(火)02:00:00ログオフPC-0231EXAMPLE\\hanako打刻完了",
        "2026-11-24(火)09:00:00ログオンPC-0231EXAMPLE\\hanakores=7このユーザーは使えません",
        "2026-11-24(火)18:00:00ログオフPC-0231EXAMPLE\\hanakores=7このユーザーは使えません",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn an_employee_without_an_account_has_sentences_and_no_empty_tables() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 9 * 60));
    desk.logon("hanako", at(0, 9 * 60 + 1));
    desk.send(&server, at(0, 12 * 60), false).await;
    let new = employee("E7", "髙橋 三郎");
    server.app.store.add_employee(server.contract, new, server.act()).await.unwrap();
    let dates = (MONDAY, day(30));
    let text = server.pages(Some("E7"), dates, "no-account").await.concat();
    let without = dense(&text);
    for words in [
        "サーバーの申告によれば、この社員に関連付けられたアカウント（Windowsユーザー）はありません",
        "勤務がなかったことを意味しません",
        "この理由により、日別の記録も打刻も示していません",
        "この期間について届いた記録は、関連付けがなくても保存されています",
        "関連付けは、登録されたことがありません。",
    ] {
        assert!(without.contains(words), "{words}: {text}");
    }
    assert!(!without.contains("最初のログオン") && !without.contains("取得方法"), "{text}");
    assert!(!without.contains("削除") && !without.contains("次に必要"), "{text}");
    // Linked, but not in these days.
    server.link_named("hanako", ("E8", "髙橋 四郎"), day(-60), Some(day(-30))).await;
    let text = server.pages(Some("E8"), dates, "no-account-then").await.concat();
    assert!(dense(&text).contains("この期間にこの社員に関連付けられたアカウント"), "{text}");
    assert!(dense(&text).contains("関連付けの履歴は後に示します"), "{text}");
    // Days to come.
    let text = server.pages(Some("E8"), (day(400), day(430)), "days-to-come").await.concat();
    let to_come = dense(&text);
    let said = to_come.matches("この期間は、このファイルの作成時にまだ始まっていません").count();
    assert!(said == 2 && !to_come.contains("保存されています"), "{text}");
}

/// What a retired month held nobody can show: that nothing is lost is said only of other months.
#[tokio::test]
async fn of_a_retired_month_the_summary_says_that_its_records_were_deleted() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "PC-0231").await;
    desk.boot(at(0, 9 * 60));
    desk.logon("taro", at(0, 9 * 60 + 1));
    desk.send(&server, at(0, 12 * 60), false).await;
    server.link_named("taro", ("E9", "田中 太郎"), day(-300), None).await;
    // What is noted in December closes November.
    server.go_to(jiff::civil::date(2026, 12, 10));
    server.retires(true).await;
    server.go_to(jiff::civil::date(2030, 2, 1));
    server.live(9).await;
    server.app.store.add_employee(server.contract, employee("E7", "髙橋 三郎"), server.act()).await.unwrap();
    let deleted = "2026-11に届いた記録は、保存期間の満了により削除されました";
    let kept = "この期間について届いた記録は、関連付けがなくても保存されています";
    for (from, to, name, is_deleted) in [
        (day(-23), day(-1), "retired-before", true),
        (day(7), day(30), "retired-first-day", true),
        (day(8), day(30), "kept", false),
    ] {
        let text = server.pages(Some("E7"), (from, to), name).await.concat();
        let dense = dense(&text);
        assert_eq!(
            (dense.contains(deleted), dense.contains(kept)),
            (is_deleted, !is_deleted),
            "{name}: {text}"
        );
    }
    // Linked, and nothing is left that names a PC.
    let text = server.pages(Some("E9"), (day(-1), day(1)), "retired-linked").await.concat();
    let dense = dense(&text);
    let none = "サーバーの申告によれば、この社員のアカウントのイベントがある端末はありません";
    assert!(dense.contains(none) && dense.contains(deleted) && !dense.contains(kept), "{text}");
}

#[tokio::test]
async fn no_logon_in_the_record_is_no_statement_about_the_pc() {
    let server = Server::start().await;
    month(&server).await;
    server.link_hanako(day(-30)).await;
    // A Saturday on which the PC was off.
    let text = server.pages(Some("E1"), (day(5), day(5)), "no-punch").await.concat();
    let dense = dense(&text);
    let words = "「記録あり」の日も、その端末で、関連付けられたアカウントのログオンは示されていません";
    assert!(dense.contains(words) && !dense.contains("ログオンはありませんでした"), "{text}");
}

#[tokio::test]
async fn of_everybody_the_summary_says_what_it_does_not_have_and_how_to_get_it() {
    let server = Server::start().await;
    month(&server).await;
    server.link_hanako(day(1)).await;
    let new = employee("E7", "髙橋 三郎");
    server.app.store.add_employee(server.contract, new, server.act()).await.unwrap();
    let text = server.pages(None, (MONDAY, MONDAY), "all").await.concat();
    let dense = dense(&text);
    for words in [
        "日別の記録と打刻は含みません",
        "mngntimeexportevidence--dataデータフォルダー--employee社員コード",
        "E1佐藤花子期間の登録なしEXAMPLE\\hanako",
        "E7髙橋三郎期間の登録なしなし",
    ] {
        assert!(dense.contains(words), "{words}: {text}");
    }
    assert!(!dense.contains("最初のログオン") && !dense.contains("取得方法"), "{text}");
}

/// A year, in which everybody's PC is on each weekday.
#[tokio::test]
async fn every_page_says_whose_it_is_of_when_and_what_its_columns_are() {
    let server = Server::start().await;
    let mut desk = Desk::enrolled(&server, 1, "KEIRI-SOUMU-DESKTOP-0231-EAST").await;
    for day in (0..365).filter(|day| day % 7 < 5) {
        desk.boot(at(day, 8 * 60 + 50));
        for (from, to) in [(9 * 60, 12 * 60), (13 * 60, 18 * 60 + day % 50)] {
            desk.stay += 1;
            for (kind, time) in [(EventKind::Logon, from), (EventKind::Logoff, to)] {
                desk.add(kind, Some("hanako"), at(day, time), |event| {
                    let account = event.account.as_mut().unwrap();
                    account.domain = "EXAMPLE-TRADING".into();
                    account.name = "watanabe-kosuke.accounting@PC-0231".into();
                });
            }
        }
        desk.shut_down(at(day, 19 * 60));
        desk.send(&server, at(day, 20 * 60), false).await;
    }
    let name = "渡邉\u{e000} 髙﨑之介ウィリアム・アレクサンダー 𠮷次郎";
    server.link_named("watanabe-kosuke.accounting@PC-0231", ("KEIRI-000123", name), day(-60), None).await;
    let pages = server.pages(Some("KEIRI-000123"), (day(0), day(364)), "year").await;
    assert!(pages.len() > 20, "{}", pages.len());
    let key = Digest::of(format!("{}\n", server.app.key.public()).as_bytes()).to_string();
    let mut tables = [0, 0];
    for (number, page) in (1..).zip(&pages) {
        let dense = dense(page);
        for words in [
            "社員KEIRI-000123渡邉〓髙﨑之介ウィリアム・アレクサンダー𠮷次郎",
            "期間2026-11-23(月)〜2027-11-22(月)",
            &format!("サーバーの鍵の指紋{}", &key[..16]),
            &format!("{number}/{}ページ", pages.len()),
        ] {
            assert!(dense.contains(words), "{words} on page {number}: {page}");
        }
        let lines: Vec<&str> = page.lines().collect();
        let is_day = |line: &str| line.starts_with("20") && line.contains(") KEIRI-");
        let is_punch = |line: &str| line.starts_with("20") && line.contains(":00 ログオ");
        for (table, titles, first) in [
            (
                0,
                "日付 端末 最初のログオン 最後のログオフ 状況 遅着 内訳",
                lines.iter().position(|line| is_day(line)),
            ),
            (
                1,
                "日時 種別 端末 アカウント 結果 取得方法 受信 範囲・注記",
                lines.iter().position(|line| is_punch(line)),
            ),
        ] {
            let titles = lines.iter().position(|line| *line == titles);
            tables[table] += usize::from(first.is_some());
            assert!(
                first.is_none() || titles.is_some_and(|titles| Some(titles) < first),
                "{titles:?} {first:?} on page {number}: {page}"
            );
        }
    }
    assert!(tables[0] > 4 && tables[1] > 10, "{tables:?}");
    let text = pages.concat();
    assert!(dense(&text).contains("〓このPDFの書体にない文字"), "{text}");
    for line in text.lines().filter(|line| line.contains("watanabe")) {
        assert!(
            !line.contains("watanabe-kosuke.acc") || line.contains("accounting"),
            "no word is torn: {line}"
        );
    }
}

/// What is signed is made once; but whoever makes it again from the same record must get the same paper.
#[tokio::test]
async fn the_same_record_gives_the_same_file_for_an_archive() {
    let server = office(3).await;
    let font = FontFile::read(None).unwrap();
    let pdf = server.pdf(Some("E1"), (MONDAY, MONDAY), &font).await;
    assert_eq!(pdf, server.pdf(Some("E1"), (MONDAY, MONDAY), &font).await);
    let text = String::from_utf8_lossy(&pdf);
    assert!(text.contains("<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>"));
    let told = Command::new("pdfinfo").arg("-isodates").arg(kept(&pdf)).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    for line in ["打刻記録 証拠要約 社員 E1 佐藤 花子", "2026-11-23T19:00:00+09", "A4"] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

fn kept(pdf: &[u8]) -> std::path::PathBuf {
    let _pages = read(pdf, "archive");
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("summaries/archive.pdf")
}

/// The bytes of a font whose licence lets nobody embed it: the one of this host, with its flag set.
fn restricted_font() -> Vec<u8> {
    let known = ["/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"];
    let path = known.iter().find(|path| Path::new(path).is_file());
    let mut bytes = std::fs::read(path.expect("Debian: apt install fonts-noto-cjk")).unwrap();
    let number = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    // The first font of the collection; its table of tables, of 16 bytes each; fsType is 8 bytes into OS/2.
    let font = number(&bytes, 12);
    let tables = usize::from(u16::from_be_bytes(bytes[font + 4..font + 6].try_into().unwrap()));
    let mut entries = (0..tables).map(|index| font + 12 + 16 * index);
    let entry = entries.find(|at| &bytes[*at..at + 4] == b"OS/2").unwrap();
    let table = number(&bytes, entry + 8);
    bytes[table + 8..table + 10].copy_from_slice(&2_u16.to_be_bytes());
    bytes
}

#[tokio::test]
async fn a_font_that_no_archive_may_have_gives_a_summary_that_does_not_claim_to_be_for_one() {
    let server = office(0).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restricted.ttc");
    std::fs::write(&path, restricted_font()).unwrap();
    let font = FontFile::read(Some(&path)).unwrap();
    let pdf = server.pdf(Some("E1"), (MONDAY, MONDAY), &font).await;
    assert!(!String::from_utf8_lossy(&pdf).contains("pdfaid"));
    assert!(dense(&read(&pdf, "restricted").concat()).contains("社員E1佐藤花子"));
}
