//! Evidence packs of a small office: what they prove, and that nothing that was changed goes unseen.

use std::io::{Cursor, Read as _};

use crate::support::{DAY_MS, NOW, Pc, Server};
use mngntime_evidence::format::{End, Line, RECORD_FILE};
use mngntime_evidence::verify::{Emptiness, FaultKind, NotedKind};
use mngntime_evidence::{Report, Verifier};
use mngntime_model::{EventKind, UtcMillis};
use mngntime_server::evidence::lettering::FontFile;
use mngntime_server::evidence::pack::{self, PackError};
use mngntime_server::evidence::record::{Request, Writer, Written};
use mngntime_store::{
    AccountFilter, EmployeeChoice, LinkEnd, LinkRequest, LogFault, NewEmployee, NewRemark, TerminalStatus,
};

const HOUR_MS: i64 = 3_600_000;

impl Server {
    pub(crate) async fn link(&self, account: &str, code: &str) {
        let accounts =
            self.app.store.list_accounts(self.contract.into(), AccountFilter::All, 100).await.unwrap();
        let account = accounts.iter().find(|found| found.name == account).unwrap().id;
        let employee = NewEmployee::named(code, format!("社員 {code}"));
        let from = jiff::civil::date(2026, 1, 1);
        let request = LinkRequest { account, employee: EmployeeChoice::New(employee), from, to: None };
        self.app.store.link_accounts(self.contract, vec![request], self.act()).await.unwrap();
    }

    pub(crate) async fn sign(&self) {
        self.app.log_heads.sign_all(&*self.app.store, &self.app.key, || self.app.now()).await.unwrap();
    }

    pub(crate) async fn request(&self, employee: Option<&str>) -> Request {
        Request {
            contract: self.app.store.contract("demo").await.unwrap().unwrap(),
            employee: employee.map(str::to_owned),
            dates: employee.map(|_| (jiff::civil::date(2026, 11, 23), jiff::civil::date(2026, 12, 2))),
            server_key: self.app.key.public().to_string(),
            made_at: self.app.now(),
            day_boundary_minutes: 300,
        }
    }

    /// The lines of a record.
    pub(crate) async fn record(&self, employee: Option<&str>) -> Vec<String> {
        let request = self.request(employee).await;
        self.record_of(request).await
    }

    pub(crate) async fn record_of(&self, request: Request) -> Vec<String> {
        self.sign().await;
        let mut out = Vec::new();
        Writer::new(&*self.app.store, &request, &mut out).await.unwrap().write().await.unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    pub(crate) fn verify(&self, lines: &[String]) -> Report {
        let mut verifier = Verifier::new(self.app.key.public());
        lines.iter().for_each(|line| verifier.read(line));
        verifier.finish()
    }
}

/// Hanako and Taro share a PC; Jiro has his own, whose fourth event never arrived. The last days are in December.
pub(crate) async fn office() -> Server {
    let server = Server::start().await;
    let (mut shared, mut own) = (Pc::enrolled(&server, 1).await, Pc::enrolled(&server, 2).await);
    for day in 0..2 {
        for pc in [&mut shared, &mut own] {
            pc.wall = server.app.now();
        }
        let start = shared.event(EventKind::ServiceStart, None, shared.wall);
        let people = ["hanako", "taro"].map(|name| shared.logon(name));
        server.deliver(&shared.batch(&[start])).await;
        server.deliver(&shared.batch(&people[..1])).await;
        server.sign().await;
        server.deliver(&shared.batch(&people[1..])).await;
        server.pass(9 * HOUR_MS);
        shared.wall = server.app.now();
        let ends = [
            shared.event(EventKind::Logoff, Some("hanako"), shared.wall),
            shared.event(EventKind::Logoff, Some("taro"), shared.wall),
            shared.event(EventKind::Shutdown, None, shared.wall),
            shared.event(EventKind::ServiceStop, None, shared.wall),
        ];
        server.deliver(&shared.batch(&ends)).await;
        let events = [
            own.event(EventKind::ServiceStart, None, own.wall),
            own.logon("jiro"),
            own.event(EventKind::Lock, Some("jiro"), own.wall),
        ];
        server.deliver(&own.batch(&events)).await;
        if day == 0 {
            let _never_sent = own.event(EventKind::Unlock, Some("jiro"), own.wall);
        }
        server.pass(8 * DAY_MS - 9 * HOUR_MS);
    }
    for (account, code) in [("hanako", "E1"), ("taro", "E2"), ("jiro", "E3")] {
        server.link(account, code).await;
    }
    server
}

/// The record with `change` made to it, its end counting what is there: as somebody does who has the server's key.
pub(crate) fn forged(lines: &[String], change: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
    let mut lines = lines.to_vec();
    change(&mut lines);
    let count = lines.iter().position(|line| line.starts_with("{\"type\":\"end\"")).unwrap_or(lines.len());
    if let Some(end) = lines.get_mut(count) {
        *end = Line::End(End { lines: count as u64 }).to_text().unwrap();
    }
    lines
}

pub(crate) fn kind(line: &str) -> &str {
    line.split('"').nth(3).unwrap()
}

#[tokio::test]
async fn a_record_of_everybody_is_proven_whole() {
    let server = office().await;
    let report = server.verify(&server.record(None).await);
    assert_eq!(report.faults, []);
    assert_eq!((report.terminals, report.events, report.hidden), (2, 20, 0));
    assert_eq!((report.signed, report.receipted), (20, 20), "every event has both signatures");
    assert_eq!(
        report.trees.iter().map(|tree| tree.month.as_str()).collect::<Vec<_>>(),
        ["2026-11", "2026-12"]
    );
    assert!(report.earlier_trees >= 2, "{report:?}");
    assert_eq!((report.links, report.breaks.len()), (19, 0), "one link leads to the event that never came");
    let missing: Vec<_> = report.missing.iter().map(|(_, first, last)| (*first, *last)).collect();
    assert_eq!(missing, [(4, 4)]);
}

#[tokio::test]
async fn a_record_of_one_employee_shows_nobody_else_and_leaves_nothing_out() {
    let server = office().await;
    let lines = server.record(Some("E1")).await;
    let text = lines.concat();
    assert!(text.contains("hanako") && text.contains("E1"));
    for other in ["21-taro", "taro@", "21-jiro", "\"E2\"", "社員 E2", "\"E3\""] {
        assert!(!text.contains(other), "{other} is nobody's business");
    }
    let report = server.verify(&lines);
    assert_eq!(report.faults, []);
    assert_eq!((report.terminals, report.events, report.hidden), (1, 10, 4));
    // The batch with both people's logoffs cannot be shown, so neither can its signature.
    assert_eq!((report.signed, report.withheld, report.receipted), (4, 6, 10));
    assert_eq!(report.unsigned, [], "its receipts say why");
    assert_eq!(report.days.iter().sum::<u64>(), 10);
    let days: Vec<_> = lines.iter().filter(|line| kind(line) == "day").collect();
    assert!(days[0].contains("\"2026-11-23\"") && days[0].contains("\"watched\""), "{}", days[0]);
    assert!(days[3].contains("\"observed\"") && days[3].contains("\"shut_down\""), "{}", days[3]);
}

#[tokio::test]
async fn no_line_can_be_left_out_doubled_or_moved() {
    let server = office().await;
    for employee in [None, Some("E1")] {
        let lines = server.record(employee).await;
        for index in 0..lines.len() {
            let mut without = lines.clone();
            without.remove(index);
            assert!(!server.verify(&without).is_authentic(), "without line {}", index + 1);
            // Who can sign can count: but what the log, the numbers and the order hold cannot be left out.
            // In a pack about one employee a link or a key is not backed then, which is said.
            let provable = ["pack", "head", "event", "hidden", "missing", "end"]
                .contains(&kind(&lines[index]))
                || (kind(&lines[index]) == "audit" && employee.is_none());
            let without = forged(&lines, |lines| drop(lines.remove(index)));
            assert!(!provable || !server.verify(&without).is_authentic(), "forged without {}", lines[index]);
            let doubled = forged(&lines, |lines| lines.insert(index, lines[index].clone()));
            assert!(!server.verify(&doubled).is_authentic(), "doubled {}", lines[index]);
            if index + 1 < lines.len()
                && (kind(&lines[index]) != kind(&lines[index + 1]) || kind(&lines[index]) == "event")
            {
                let swapped = forged(&lines, |lines| lines.swap(index, index + 1));
                assert!(!server.verify(&swapped).is_authentic(), "swapped {}", lines[index]);
            }
        }
    }
}

#[tokio::test]
async fn no_figure_can_be_changed_while_the_log_stays_as_it_was_signed() {
    let server = office().await;
    let lines = server.record(Some("E1")).await;
    let (mut changes, mut digits, mut seen) = (0, 0, std::collections::BTreeSet::new());
    for (index, line) in lines.iter().enumerate() {
        let shown =
            ["audit", "event", "hidden", "head", "earlier", "batch", "receipt", "day", "missing", "link"];
        if !shown.contains(&kind(line)) {
            continue;
        }
        // Many of one line of each kind, and some of all the others.
        let all = seen.insert(kind(line).to_owned());
        for (at, digit) in line.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
            digits += 1;
            if digits % if all { 3 } else { 211 } != 0 {
                continue;
            }
            let other = if digit == b'7' { '3' } else { '7' };
            let changed = forged(&lines, |lines| lines[index].replace_range(at..=at, &other.to_string()));
            let report = server.verify(&changed);
            assert!(!report.is_authentic(), "line {} at {at}: {}", index + 1, changed[index]);
            changes += 1;
        }
    }
    assert!(changes > 300, "{changes}");
}

#[tokio::test]
async fn an_event_that_the_server_changed_or_removed_contradicts_the_log() {
    let server = office().await;
    server.sign().await;
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    let change = "DROP TRIGGER events_are_not_changed;
                  UPDATE events SET json = replace(json, 'hanako', 'hanaka') WHERE seq = 2";
    database.execute_batch(change).unwrap();
    let report = server.verify(&server.record(None).await);
    assert!(report.fault_count > 0, "the changed event is not in the log");
    assert!(report.faults.iter().any(|fault| { matches!(fault.kind, FaultKind::NotInLog { sequence: 2 }) }));
}

async fn write(server: &Server, request: &Request, path: &std::path::Path) -> Result<Written, PackError> {
    let font = FontFile::read(None).unwrap();
    pack::make(&*server.app.store, request, &server.app.key, &font, path).await?.publish()
}

async fn sealed(server: &Server, directory: &std::path::Path, employee: Option<&str>) -> Vec<u8> {
    server.sign().await;
    let path = directory.join("pack.zip");
    let request = server.request(employee).await;
    write(server, &request, &path).await.unwrap();
    let names: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["pack.zip"], "nothing else is left");
    std::fs::read(&path).unwrap()
}

#[tokio::test]
async fn no_flipped_bit_of_the_file_goes_unseen() {
    let server = office().await;
    let directory = tempfile::tempdir().unwrap();
    let mut file = sealed(&server, directory.path(), Some("E1")).await;
    let key = server.app.key.public();
    assert!(pack::check(&file, &key).unwrap().1.is_authentic());
    // Every bit of the end, where the seal is; elsewhere one bit of every byte, which the same hash covers.
    let end = file.len() - 700;
    for index in 0..file.len() {
        let bits = if index < end { index % 8..index % 8 + 1 } else { 0..8 };
        for bit in bits {
            file[index] ^= 1 << bit;
            assert!(pack::check(&file, &key).is_err(), "bit {bit} of byte {index}");
            file[index] ^= 1 << bit;
        }
    }
}

#[tokio::test]
async fn a_pack_holds_the_record_a_pdf_and_an_explanation_in_this_order() {
    let server = office().await;
    let directory = tempfile::tempdir().unwrap();
    let file = sealed(&server, directory.path(), Some("E1")).await;
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, [RECORD_FILE, "summary.pdf", "README.txt"]);
    let mut pdf = Vec::new();
    archive.by_name("summary.pdf").unwrap().read_to_end(&mut pdf).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
}

#[tokio::test]
async fn another_file_is_not_written_over_and_a_failed_pack_leaves_nothing() {
    let server = office().await;
    server.sign().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pack.zip");
    std::fs::write(&path, "something else").unwrap();
    let request = server.request(None).await;
    assert!(write(&server, &request, &path).await.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else");
    let unknown = Request { employee: Some("E9".into()), ..request };
    let other = directory.path().join("other.zip");
    assert!(write(&server, &unknown, &other).await.is_err());
    let names: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["pack.zip"]);
}

#[tokio::test]
async fn what_arrives_after_the_heads_were_signed_is_left_to_the_next_pack() {
    let server = office().await;
    server.sign().await;
    let mut late = Pc::enrolled(&server, 3).await;
    late.wall = UtcMillis(NOW.0 + 16 * DAY_MS);
    let event = late.logon("saburo");
    server.deliver(&late.batch(&[event])).await;
    let request = server.request(None).await;
    let mut out = Vec::new();
    Writer::new(&*server.app.store, &request, &mut out).await.unwrap().write().await.unwrap();
    let lines: Vec<_> = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    let report = server.verify(&lines);
    assert_eq!((report.faults, report.terminals), (vec![], 2));
}

#[tokio::test]
async fn an_event_that_the_server_added_lacks_its_terminals_signature() {
    let server = office().await;
    // As somebody does who has the server: an event of Jiro's PC that the PC never sent, in the store and in the log.
    let mut pc = Pc::enrolled(&server, 2).await;
    (pc.sequence, pc.wall) = (50, server.app.now());
    let json = pc.event(EventKind::Logoff, Some("jiro"), pc.wall);
    let event = mngntime_wire::EncodedEvent::decode(&json).unwrap();
    let digest = event.digest;
    let batch = mngntime_store::IncomingBatch {
        contract: server.contract,
        terminal: mngntime_model::TerminalId::parse(&pc.terminal).unwrap(),
        received_at: server.app.now(),
        clock_offset_ms: 0,
        waiting: 0,
        makeup: pc.makeup.clone(),
        agent_version: "0.1.0".into(),
        boot: "boot-1".into(),
        boot_counter_ms: 1,
        day_begins_minutes: 300,
        signed: mngntime_store::SignedBatch { digest, signature: "AAAA".into(), payload: json.clone() },
        events: vec![mngntime_store::IncomingEvent {
            resent: false,
            digest,
            json,
            event: event.event,
            stamped_at: None,
        }],
    };
    server.app.store.receive(batch).await.unwrap();
    let lines = server.record(None).await;
    let report = server.verify(&lines);
    assert!(report.faults.iter().any(|fault| fault.kind == FaultKind::WrongBatch), "{:?}", report.faults);
    // Without the signature that does not hold, it is shown as unsigned.
    let without = forged(&lines, |lines| lines.retain(|line| !line.contains("\"signature\":\"AAAA\"")));
    let report = server.verify(&without);
    assert_eq!((report.faults, report.events, report.signed), (vec![], 21, 20));
}

#[tokio::test]
async fn a_history_that_was_written_anew_contradicts_the_receipts_that_were_given() {
    let server = office().await;
    server.sign().await;
    // The whole log anew, with the same key, after one event was changed with everything that hangs on it.
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    let (json, changed) = ("hanako", "hanaka");
    let json: String = database
        .query_row("SELECT json FROM events WHERE seq = 2 AND json LIKE ?1", [format!("%{json}%")], |row| {
            row.get(0)
        })
        .map(|text: String| text.replace(json, changed))
        .unwrap();
    let digest = mngntime_ledger::Digest::of(json.as_bytes());
    database
        .execute_batch(
            "DROP TRIGGER events_are_not_changed; DROP TRIGGER log_hashes_are_not_deleted;
             DROP TRIGGER log_heads_are_not_deleted; DELETE FROM log_hashes; DELETE FROM log_heads;",
        )
        .unwrap();
    let rows = database
        .execute(
            "UPDATE events SET json = ?1, hash = ?2 WHERE seq = 2 AND json LIKE '%hanako%'",
            rusqlite::params![json, digest.as_bytes()],
        )
        .unwrap();
    assert_eq!(rows, 1);
    let lines = server.record(None).await;
    let report = server.verify(&lines);
    for kind in [FaultKind::NotAppendOnly, FaultKind::WrongReceipt, FaultKind::WrongBatch] {
        assert!(report.faults.iter().any(|fault| fault.kind == kind), "{kind:?}: {:?}", report.faults);
    }
}

#[tokio::test]
async fn a_batch_with_other_bytes_under_a_taken_number_spoils_no_pack() {
    let server = office().await;
    let mut pc = Pc::enrolled(&server, 4).await;
    let first = pc.logon("shiro");
    server.deliver(&pc.batch(&[first])).await;
    pc.forget_last();
    pc.previous = mngntime_ledger::Digest::GENESIS;
    let events = [pc.logon("goro"), pc.logon("rokuro")];
    let receipt = server.deliver(&pc.batch(&events)).await;
    assert_eq!(receipt.items.iter().map(|item| item.stored).collect::<Vec<_>>(), [false, true]);
    let report = server.verify(&server.record(None).await);
    assert_eq!((report.faults, report.events, report.signed), (vec![], 22, 22));
    server.link("shiro", "E4").await;
    let lines = server.record(Some("E4")).await.concat();
    assert!(lines.contains("shiro@") && !lines.contains("goro@") && !lines.contains("rokuro@"));
}

#[tokio::test]
async fn what_was_refused_is_shown_to_nobody_else_however_its_batch_is_written() {
    for spaced in [false, true] {
        let server = office().await;
        let mut pc = Pc::enrolled(&server, 4).await;
        let first = pc.logon("shiro");
        server.deliver(&pc.batch(&[first])).await;
        pc.forget_last();
        pc.previous = mngntime_ledger::Digest::GENESIS;
        let events = [pc.logon("goro"), pc.logon("rokuro")];
        let batch = serde_json::to_string(&pc.unsigned(&events, false)).unwrap();
        let batch = if spaced { batch.replace("\"event\":{", "\"event\" : {") } else { batch };
        let batch = serde_json::value::RawValue::from_string(batch).unwrap();
        let batch = crate::support::seal(mngntime_wire::Context::Batch, &batch, &*pc.key);
        let receipt = server.deliver(&batch).await;
        assert_eq!(receipt.items.iter().map(|item| item.stored).collect::<Vec<_>>(), [false, true]);
        server.link("rokuro", "E5").await;
        let lines = server.record(Some("E5")).await;
        let text = lines.concat();
        assert!(text.contains("rokuro@") && !text.contains("goro@"), "{spaced}");
        let report = server.verify(&lines);
        assert_eq!((report.faults, report.events, report.signed, report.withheld), (vec![], 1, 0, 1));
        // A pack about everybody shows it, as it was sent.
        let everything = server.verify(&server.record(None).await);
        assert_eq!((everything.faults, everything.events - everything.signed), (vec![], 0));
    }
}

/// Ten days at a PC whose events come in one batch.
async fn offline(server: &Server, seed: u8, people: &[&str]) {
    let mut pc = Pc::enrolled(server, seed).await;
    let mut events = Vec::new();
    for day in 0..10 {
        pc.wall = NOW.plus(day * DAY_MS);
        events.push(pc.event(EventKind::ServiceStart, None, pc.wall));
        events.extend(people.iter().map(|who| pc.logon(who)).collect::<Vec<_>>());
        pc.wall = pc.wall.plus(9 * HOUR_MS);
        events.push(pc.event(EventKind::Shutdown, None, pc.wall));
        events.push(pc.event(EventKind::ServiceStop, None, pc.wall));
    }
    pc.wall = server.app.now();
    assert!(crate::support::all_stored(&server.deliver(&pc.batch_with(&events, true)).await));
}

#[tokio::test]
async fn a_pack_by_dates_shows_whole_what_came_in_one_batch_or_says_that_it_cannot() {
    let server = Server::start().await;
    server.pass(10 * DAY_MS);
    offline(&server, 1, &["jiro"]).await;
    offline(&server, 2, &["hanako", "taro"]).await;
    server.link("jiro", "E3").await;
    server.link("hanako", "E1").await;
    let record = async |code: Option<&str>| {
        let dates = Some((jiff::civil::date(2026, 11, 25), jiff::civil::date(2026, 11, 26)));
        let request = server.request(code).await;
        server.record_of(Request { dates, ..request }).await
    };
    let own = server.verify(&record(Some("E3")).await);
    assert_eq!((own.faults, own.events, own.hidden), (vec![], 40, 0), "the whole batch");
    assert_eq!((own.signed, own.withheld, own.unsigned), (40, 0, vec![]));
    assert_eq!(own.days.iter().sum::<u64>(), 2, "but no other days");
    let everybody = server.verify(&record(None).await);
    assert_eq!((everybody.faults, everybody.signed), (vec![], everybody.events));
    // What came together with somebody else's has a signature that cannot be shown: the numbers stay those of the dates.
    let lines = record(Some("E1")).await;
    let shared = server.verify(&lines);
    assert_eq!((shared.faults, shared.signed, shared.withheld), (vec![], 0, shared.events));
    assert!(shared.hidden > 0 && shared.events + shared.hidden < 20 && shared.unsigned.is_empty());
    let said = mngntime_evidence::words::verdict(&server.verify(&lines), mngntime_model::Language::English);
    assert!(
        said.contains("sent together with what is not shown") && !said.contains("without their"),
        "{said}"
    );
    // One whose receipt says no such thing is told from these.
    let without = forged(&lines, |lines| {
        lines.retain(|line| !["receipt", "earlier"].contains(&kind(line)));
    });
    let unsigned = server.verify(&without);
    assert_eq!((unsigned.faults, unsigned.withheld), (vec![], 0));
    assert_eq!(unsigned.unsigned.len() as u64, unsigned.events);
}

#[tokio::test]
async fn a_pack_of_days_to_come_says_so() {
    let server = office().await;
    let dates = Some((jiff::civil::date(2027, 3, 1), jiff::civil::date(2027, 3, 31)));
    let request = server.request(Some("E1")).await;
    let report = server.verify(&server.record_of(Request { dates, ..request }).await);
    assert_eq!((report.faults.as_slice(), report.emptiness), (&[][..], Some(Emptiness::Future)));
    let said = mngntime_evidence::words::verdict(&report, mngntime_model::Language::Japanese);
    assert!(said.starts_with("真正（ただし、作成時に始まっていない期間です"), "{said}");
}

#[tokio::test]
async fn a_pack_about_everything_leaves_nothing_out() {
    let server = office().await;
    let lines = server.record(None).await;
    let second = lines.iter().rposition(|line| kind(line) == "terminal").unwrap();
    let last_month = lines.iter().rposition(|line| kind(line) == "head").unwrap();
    let without_terminal = forged(&lines, |lines| drop(lines.drain(second..lines.len() - 1)));
    let without_month = forged(&lines, |lines| drop(lines.remove(last_month)));
    let empty = forged(&lines, |lines| drop(lines.drain(1..lines.len() - 1)));
    let twice = forged(&lines, |lines| {
        let block = lines[second..lines.len() - 1].to_vec();
        let end = lines.len() - 1;
        lines.splice(end..end, block);
    });
    for (what, forged) in
        [("terminal", without_terminal), ("month", without_month), ("twice", twice), ("empty", empty)]
    {
        assert!(!server.verify(&forged).is_authentic(), "{what}");
    }
}

#[tokio::test]
async fn what_has_a_receipt_cannot_be_called_missing_and_no_day_can_be_left_out_or_cut() {
    let server = office().await;
    let lines = server.record(None).await;
    let missing = lines.iter().position(|line| kind(line) == "missing").unwrap();
    // Jiro's last event: called missing, with everything of it that the server could leave out.
    let event = lines.iter().rposition(|line| kind(line) == "event").unwrap();
    let called_missing = forged(&lines, |lines| {
        lines.remove(event);
        let numbers = mngntime_evidence::format::Numbers { first: 7, last: 7 };
        lines.insert(missing + 1, Line::Missing(numbers).to_text().unwrap());
        lines.retain(|line| !["batch", "judgement", "day"].contains(&kind(line)));
    });
    let faults = server.verify(&called_missing).faults;
    assert!(faults.iter().any(|fault| fault.kind == FaultKind::WrongReceipt), "{faults:?}");
    for index in (0..lines.len()).filter(|index| kind(&lines[*index]) == "day") {
        let without = forged(&lines, |lines| drop(lines.remove(index)));
        assert!(!server.verify(&without).is_authentic(), "without {}", lines[index]);
    }
}

#[tokio::test]
async fn somebody_elses_event_is_not_shown_in_an_employees_pack() {
    let server = office().await;
    let lines = server.record(Some("E1")).await;
    let unlinked = forged(&lines, |lines| lines.retain(|line| kind(line) != "link"));
    let faults = server.verify(&unlinked).faults;
    assert!(faults.iter().any(|fault| matches!(fault.kind, FaultKind::SomebodyElse { .. })), "{faults:?}");
}

pub(crate) fn database(server: &Server) -> rusqlite::Connection {
    rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap()
}

fn contradicts(report: &Report, what: NotedKind) -> bool {
    let is_it = |kind: &FaultKind| matches!(kind, FaultKind::NotAsNoted { kind, .. } if *kind == what);
    report.faults.iter().any(|fault| is_it(&fault.kind))
}

#[tokio::test]
async fn a_pack_about_everything_shows_every_entry_and_one_about_somebody_only_what_backs_it() {
    let server = office().await;
    let store = &server.app.store;
    let detail = serde_json::json!({ "how": "password", "address": "192.0.2.7", "agent": "Edge · Windows" });
    let object = "administrator kimura".to_owned();
    store.note_with(Some(server.contract), "sign_in", object, detail, server.act()).await.unwrap();
    let entries = |lines: &[String]| {
        let audit = lines.iter().filter(|line| kind(line) == "audit");
        audit
            .map(|line| {
                line.split("\\\"action\\\":\\\"").nth(1).unwrap().split('\\').next().unwrap().to_owned()
            })
            .collect::<Vec<_>>()
    };
    let all = server.record(None).await;
    let links = ["add_employee", "link_account"].repeat(3);
    let expected = [
        &["create_contract", "create_administrator", "enroll_terminal", "enroll_terminal"],
        &links[..],
        &["sign_in"],
    ]
    .concat();
    assert_eq!(entries(&all), expected);
    assert!(all.concat().contains("192.0.2.7"));
    let report = server.verify(&all);
    assert_eq!((report.entries, report.account_links), (11, 3));
    assert_eq!((report.unbacked_keys, report.unbacked_links, report.faults), (0, 0, vec![]));

    // Renamed and ended: the link is still the one that was noted.
    let hanako = store.list_accounts(server.contract.into(), AccountFilter::All, 9).await.unwrap();
    let link = hanako.into_iter().find(|account| account.name == "hanako").unwrap().links[0].clone();
    let data = store.list_employees(server.contract.into(), None, 9).await.unwrap()[0].data.clone();
    let renamed = NewEmployee { code: "E0".into(), ..data };
    store.change_employee(server.contract, link.employee, renamed, server.act()).await.unwrap();
    let last = LinkEnd::After(jiff::civil::date(2026, 12, 31));
    store.end_link(server.contract, link.id, last, server.act()).await.unwrap();
    for terminal in store.list_terminals(server.contract, None, 9).await.unwrap() {
        let (contract, blocked) = (server.contract, TerminalStatus::Blocked);
        store.set_terminal_status(contract, terminal.id, blocked, server.act()).await.unwrap();
    }
    let one = server.record(Some("E0")).await;
    let expected = ["enroll_terminal", "link_account", "change_employee", "unlink_account", "block_terminal"];
    assert_eq!(entries(&one), expected);
    assert!(!one.concat().contains("192.0.2.7"), "where anybody signed in from is nobody else's business");
    let report = server.verify(&one);
    assert_eq!((report.unbacked_keys, report.unbacked_links, report.faults), (0, 0, vec![]));
    assert_eq!(server.verify(&server.record(None).await).faults, []);
}

#[tokio::test]
async fn a_pack_about_somebody_shows_what_they_said_about_its_dates_and_what_became_of_it() {
    let server = office().await;
    let store = &server.app.store;
    let people = store.list_employees(server.contract.into(), None, 9).await.unwrap();
    let of = |code: &str| people.iter().find(|found| found.data.code == code).unwrap().clone();
    let (hanako, other) = (of("E1"), of("E2"));
    let say = async |employee, date: &str, text: &str| {
        let date = date.parse().unwrap();
        let new = NewRemark { employee, date, from_minutes: 1_080, to_minutes: 1_200, text: text.to_owned() };
        store.add_remark(server.contract, None, new, server.act()).await.unwrap()
    };
    let kept = say(hanako.id, "2026-11-23", "PCを使わずに残業").await;
    let withdrawn = say(hanako.id, "2026-12-02", "まちがい").await;
    say(hanako.id, "2026-11-22", "前の日").await;
    say(other.id, "2026-11-23", "ほかの人").await;
    let answer = Some("確認しました".to_owned());
    store.read_remark(server.contract.into(), kept, None, answer, server.act()).await.unwrap();
    store.withdraw_remark(server.contract, hanako.id, withdrawn, server.act()).await.unwrap();
    // Under the code of then: who was called E1 is meant, and nobody who is called so now.
    let renamed = NewEmployee { code: "E0".into(), ..hanako.data };
    store.change_employee(server.contract, hanako.id, renamed, server.act()).await.unwrap();
    let said = |lines: &[String]| {
        let remark = |line: &&String| kind(line) == "audit" && line.contains("_remark\\\"");
        lines.iter().filter(remark).cloned().collect::<Vec<String>>()
    };
    let lines = server.record(Some("E0")).await;
    let all = said(&lines).concat();
    assert_eq!(said(&lines).len(), 4, "{all}");
    for text in ["PCを使わずに残業", "確認しました", "まちがい", "withdraw_remark", "read_remark"]
    {
        assert!(all.contains(text), "{text}: {all}");
    }
    assert!(!all.contains("前の日") && !all.contains("ほかの人"), "{all}");
    assert_eq!(server.verify(&lines).faults, []);
    assert!(said(&server.record(Some("E3")).await).is_empty());
    assert_eq!(said(&server.record(None).await).len(), 6);
    let dates = Request { employee: None, ..server.request(Some("E0")).await };
    assert_eq!(said(&server.record_of(dates).await).len(), 5, "everybody, on these dates");
}

#[tokio::test]
async fn a_link_or_a_key_that_was_changed_in_the_database_contradicts_the_log() {
    for (what, change) in [
        (NotedKind::Link, "UPDATE account_links SET from_date = '2025-01-01'"),
        (NotedKind::Link, "UPDATE account_links SET to_date = '2026-11-30'"),
        (NotedKind::Link, "UPDATE account_links SET created_by = 'nobody'"),
        (NotedKind::Link, "DELETE FROM account_links WHERE employee_id = (SELECT id FROM employees WHERE code = 'E1')"),
        (
            NotedKind::Link,
            "UPDATE account_links SET employee_id = (SELECT id FROM employees WHERE code = 'E3')
             WHERE employee_id = (SELECT id FROM employees WHERE code = 'E1')",
        ),
        (NotedKind::Terminal, "UPDATE terminals SET host_name = 'PC-9999'"),
        (NotedKind::Terminal, "UPDATE terminals SET key_class = 'tpm'"),
        (
            NotedKind::Terminal,
            "UPDATE terminals SET public_key = 'GX9rI+FshTLGq8g4+s1ep4m+DHaykgM0A5v6iz02jWE='
             WHERE id = (SELECT p.terminal_id FROM punches p JOIN accounts a ON a.id = p.account_id WHERE a.name = 'hanako')",
        ),
    ] {
        let server = office().await;
        server.sign().await;
        let request = server.request(Some("E1")).await;
        assert!(database(&server).execute(change, []).unwrap() > 0, "{change}");
        let report = server.verify(&server.record(None).await);
        assert!(contradicts(&report, what), "{change}: {:?}", report.faults);
        // Each of these changes concerns Hanako, too.
        let report = server.verify(&server.record(Some("E1")).await);
        assert!(contradicts(&report, what), "{change}, of E1: {:?}", report.faults);
        let directory = tempfile::tempdir().unwrap();
        let refused = write(&server, &request, &directory.path().join("pack.zip")).await.unwrap_err();
        // Nobody is changing anything at the moment: trying again is no advice.
        assert!(matches!(refused, PackError::Contradicts { changed_meanwhile: false, .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_link_that_was_removed_or_given_to_somebody_else_is_missed_in_both_packs() {
    for (change, others) in [
        ("DELETE FROM account_links WHERE employee_id = (SELECT id FROM employees WHERE code = 'E1')", None),
        ("DELETE FROM account_links", Some("E2")),
        (
            "UPDATE account_links SET employee_id = (SELECT id FROM employees WHERE code = 'E3')
             WHERE employee_id = (SELECT id FROM employees WHERE code = 'E1')",
            Some("E3"),
        ),
    ] {
        let server = office().await;
        server.sign().await;
        assert_eq!(server.verify(&server.record(Some("E1")).await).faults, []);
        database(&server).execute(change, []).unwrap();
        for code in std::iter::once("E1").chain(others) {
            let report = server.verify(&server.record(Some(code)).await);
            assert!(contradicts(&report, NotedKind::Link), "{change}, of {code}: {:?}", report.faults);
        }
    }
    // Somebody who got another code since is still found by the entries with the old one.
    let server = office().await;
    let store = &server.app.store;
    let found = store.list_employees(server.contract.into(), None, 9).await.unwrap().swap_remove(0);
    let renamed = NewEmployee { code: "E0".into(), ..found.data };
    let employee = store.list_accounts(server.contract.into(), AccountFilter::All, 9).await.unwrap();
    let hanako = employee.iter().find(|account| account.name == "hanako").unwrap().links[0].employee;
    store.change_employee(server.contract, hanako, renamed, server.act()).await.unwrap();
    database(&server).execute("DELETE FROM account_links", []).unwrap();
    let report = server.verify(&server.record(Some("E0")).await);
    assert!(contradicts(&report, NotedKind::Link), "{:?}", report.faults);
}

#[tokio::test]
async fn a_terminal_stays_in_an_employees_pack_when_its_punches_are_taken_out_of_the_list() {
    let server = office().await;
    let before = server.verify(&server.record(Some("E1")).await);
    assert!(database(&server).execute("DELETE FROM punches", []).unwrap() > 0);
    let after = server.verify(&server.record(Some("E1")).await);
    assert_eq!((after.terminals, after.events, &after.faults), (before.terminals, before.events, &vec![]));
    assert!(after.events > 0);
}

#[tokio::test]
async fn events_whose_column_was_moved_out_of_the_asked_days_are_not_left_out_in_silence() {
    for employee in [None, Some("E1")] {
        let server = office().await;
        server.sign().await;
        let request = server.request(employee).await;
        let change = "DROP TRIGGER events_are_not_changed; UPDATE events SET occurred_at = 1590000000000";
        database(&server).execute_batch(change).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let refused = write(&server, &request, &directory.path().join("pack.zip")).await.unwrap_err();
        assert!(matches!(refused, PackError::Gap(LogFault::ChangedEvent { .. })), "{refused}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

/// Takes November's last events out of the log as somebody does who knows how it is built: heads and hashes are gone,
/// the leaves of the events as well, and the other leaves stand without a hole.
const CUT_THE_LOG: &str = "
    DROP TRIGGER log_leaves_are_not_changed; DROP TRIGGER log_leaves_are_not_deleted;
    DROP TRIGGER log_heads_are_not_deleted; DROP TRIGGER log_hashes_are_not_deleted;
    DELETE FROM log_heads WHERE month = '2026-12'; DELETE FROM log_hashes WHERE month = '2026-12';
    CREATE TEMP TABLE entries AS SELECT contract_id, row_number() OVER (ORDER BY leaf) - 1 AS leaf, audit_id
    FROM log_leaves WHERE month = '2026-12' AND audit_id IS NOT NULL;
    DELETE FROM log_leaves WHERE month = '2026-12';
    INSERT INTO log_leaves SELECT contract_id, '2026-12', leaf, NULL, NULL, audit_id FROM entries;";

#[tokio::test]
async fn events_whose_leaves_were_removed_are_not_left_out_in_silence() {
    for employee in [None, Some("E1")] {
        let server = office().await;
        server.sign().await;
        let request = server.request(employee).await;
        database(&server).execute_batch(CUT_THE_LOG).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let refused = write(&server, &request, &directory.path().join("pack.zip")).await.unwrap_err();
        assert!(matches!(refused, PackError::Gap(LogFault::UnplacedEvent { .. })), "{refused}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        // Nor is a head signed that would tell of what is left.
        let heads = &server.app.log_heads;
        let refused = heads.sign_all(&*server.app.store, &server.app.key, || server.app.now()).await;
        let fault = refused.as_ref().err().and_then(|error| error.fault());
        assert!(matches!(fault, Some(LogFault::UnplacedEvent { .. })), "{refused:?}");
        mngntime_server::jobs::round(&server.app).await;
        assert!(server.app.metrics.page().unwrap().contains("mngntime_broken_log 1"));
        assert!(server.get("/healthz").await.body.contains("log_broken"));
    }
}

#[tokio::test]
async fn a_receipt_of_an_event_that_is_gone_altogether_is_not_left_out_in_silence() {
    for employee in [None, Some("E1")] {
        let server = office().await;
        server.sign().await;
        let request = server.request(employee).await;
        let change = format!(
            "{CUT_THE_LOG} DROP TRIGGER events_are_not_deleted; PRAGMA foreign_keys = OFF;
             DELETE FROM events WHERE NOT EXISTS (SELECT 1 FROM log_leaves l
                 WHERE l.terminal_id = events.terminal_id AND l.seq = events.seq)"
        );
        database(&server).execute_batch(&change).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let refused = write(&server, &request, &directory.path().join("pack.zip")).await.unwrap_err();
        assert!(matches!(refused, PackError::Gap(LogFault::LostEvent { .. })), "{refused}");
    }
}

#[tokio::test]
async fn a_link_that_the_server_added_in_the_database_is_only_its_word() {
    let server = office().await;
    let add = "INSERT INTO account_links (contract_id, id, account_id, employee_id, from_date, created_at, created_by)
               SELECT contract_id, zeroblob(16), account_id, employee_id, '2020-01-01', 5, 'kimura'
               FROM account_links LIMIT 1";
    database(&server).execute(add, []).unwrap();
    let report = server.verify(&server.record(None).await);
    assert_eq!((report.account_links, report.unbacked_links, report.faults), (4, 1, vec![]));
}

#[tokio::test]
async fn an_entry_changed_after_its_head_was_signed_is_found_by_whoever_makes_or_reads_a_pack() {
    let server = office().await;
    server.sign().await;
    database(&server)
        .execute_batch(
            "DROP TRIGGER audit_is_not_changed;
             UPDATE audit SET by_whom = 'nobody' WHERE action = 'enroll_terminal'",
        )
        .unwrap();
    let report = server.verify(&server.record(None).await);
    assert!(report.faults.iter().any(|f| matches!(f.kind, FaultKind::EntryNotInLog { number: 3 })));
}

#[tokio::test]
async fn what_was_noted_before_there_were_leaves_is_only_the_servers_word() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    // As a database is that was brought up from before.
    database(&server)
        .execute_batch(
            "DROP TRIGGER audit_is_not_changed; DROP TRIGGER log_leaves_are_not_deleted;
             DELETE FROM log_leaves; UPDATE audit SET hash = NULL, detail = 'a text'",
        )
        .unwrap();
    let event = pc.logon("hanako");
    server.deliver(&pc.batch(&[event])).await;
    server.link("hanako", "E1").await;
    let report = server.verify(&server.record(None).await);
    assert_eq!((report.unbacked_keys, report.unbacked_links, report.faults), (1, 0, vec![]));
    // An enrolment that comes later does not speak for what came before it.
    Pc::enrolled(&server, 1).await;
    let report = server.verify(&server.record(None).await);
    assert_eq!((report.unbacked_keys, report.faults), (1, vec![]));
}

#[tokio::test]
async fn how_an_event_came_is_what_the_terminals_signed_batch_says() {
    for change in ["resent = 1", "clock_offset_ms = clock_offset_ms + 60000"] {
        let server = Server::start().await;
        let mut pc = Pc::enrolled(&server, 1).await;
        let events = [pc.logon("hanako"), pc.logon("taro")];
        server.deliver(&pc.batch(&events)).await;
        // Before anything was signed: the log itself says it then.
        let sql = format!("DROP TRIGGER events_are_not_changed; UPDATE events SET {change} WHERE seq = 2");
        database(&server).execute_batch(&sql).unwrap();
        let report = server.verify(&server.record(None).await);
        let kinds: Vec<_> = report.faults.into_iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds, [FaultKind::NotAsSent { sequence: 2 }], "{change}");
    }
}

#[tokio::test]
async fn an_event_that_came_with_another_clock_than_any_batch_says_is_named_when_its_receipts_are_left_out() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon("hanako"), pc.logon("taro")];
    server.deliver(&pc.batch(&events)).await;
    // Before anything was signed, and with the server's copy of the receipt.
    let sql = "DROP TRIGGER events_are_not_changed; DELETE FROM receipts;
               UPDATE events SET clock_offset_ms = clock_offset_ms + 60000 WHERE seq = 2";
    database(&server).execute_batch(sql).unwrap();
    let report = server.verify(&server.record(None).await);
    let named: Vec<u64> = report.sent_otherwise.iter().map(|event| event.sequence).collect();
    assert_eq!((&report.faults, report.sent_otherwise_count, named), (&vec![], 1, vec![2]));
    let said = mngntime_evidence::words::verdict(&report, mngntime_model::Language::English);
    assert!(said.contains("1 event(s) that came otherwise than any signed batch says"), "{said}");
}

/// The first answer was lost, and the event came again with what the heads do not tell of yet.
#[tokio::test]
async fn an_event_that_was_sent_again_with_newer_ones_is_signed_and_no_receipt_withholds_it() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let first = pc.logon("hanako");
    server.deliver(&pc.batch(std::slice::from_ref(&first))).await;
    server.sign().await;
    let both = [first, pc.logon("taro")];
    server.deliver(&pc.batch_with(&both, true)).await;
    let request = server.request(None).await;
    let mut out = Vec::new();
    Writer::new(&*server.app.store, &request, &mut out).await.unwrap().write().await.unwrap();
    let lines: Vec<_> = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    let report = server.verify(&lines);
    assert_eq!((&report.faults, report.events, report.signed, report.withheld), (&vec![], 1, 1, 0));
    assert_eq!(
        (report.receipts, report.sent_otherwise_count),
        (2, 0),
        "the later one arrived at the same moment"
    );
}

#[tokio::test]
async fn a_batch_that_arrived_twice_is_shown_once_with_both_receipts() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let event = pc.logon("hanako");
    let batch = pc.batch(&[event]);
    server.deliver(&batch).await;
    server.pass(HOUR_MS);
    server.deliver(&batch).await;
    server.pass(HOUR_MS);
    let later = pc.logon("taro");
    server.deliver(&pc.batch(&[later])).await;
    let lines = server.record(None).await;
    let count = |what: &str| lines.iter().filter(|line| kind(line) == what).count();
    assert_eq!((count("batch"), count("receipt")), (2, 3));
    let report = server.verify(&lines);
    assert_eq!((report.signed, report.receipts, report.faults), (2, 3, vec![]));
}

#[tokio::test]
async fn an_event_that_was_sent_twice_came_as_it_was_sent_first() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let first = pc.logon("hanako");
    server.deliver(&pc.batch(std::slice::from_ref(&first))).await;
    server.pass(HOUR_MS);
    let both = [first, pc.logon("taro")];
    server.deliver(&pc.batch_with(&both, true)).await;
    let report = server.verify(&server.record(None).await);
    assert_eq!((report.events, report.signed, report.faults), (2, 2, vec![]));
}
