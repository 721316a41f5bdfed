//! All terminals at once, what is kept of each over days, and what people decide about them.

use mngntime_ledger::Digest;
use mngntime_model::UtcMillis;
use mngntime_store::{
    CONTACT_DAYS_KEPT, EnrollmentOutcome, Enrolment, FleetFilter, FleetOrder, FleetShow, HISTORY_KEPT,
    IncomingBatch, KeyEnd, KeyHash, Measures, NewEnrollmentKey, REASON_MAX, Refusal, Store, StoreError,
    Terminal, TerminalChange, TerminalStatus, WAITING_MANY, attention,
};

use super::fixture::{
    DAY_MS, KEY, NOW, Office, act, contract, day, enrolment, logon, office, terminal, walked,
};

fn measures() -> Measures {
    Measures { now: NOW, contact_seconds: 900, old_versions: vec!["0.0.9".to_owned()] }
}

/// A contact at `minutes` before [`NOW`].
fn contact(office: &Office, minutes: i64) -> IncomingBatch {
    IncomingBatch { received_at: NOW.plus(-minutes * 60_000), ..office.batch(vec![]) }
}

/// An office in which every mark and state stands at one terminal at least, and some at two together.
async fn fleet(store: &dyn Store) -> Office {
    let first = office(store).await;
    let office = |terminal| Office { contract: first.contract, terminal };
    let at = async |name: &str, change: &dyn Fn(&mut IncomingBatch)| {
        let office = office(terminal(store, "demo", name).await);
        let mut batch = contact(&office, 1);
        change(&mut batch);
        store.receive(batch).await.unwrap();
        office.terminal
    };
    at("healthy", &|_| ()).await;
    at("late", &|batch| batch.received_at = NOW.plus(-30 * 60_000)).await;
    at("almost-late", &|batch| batch.received_at = NOW.plus(-30 * 60_000 + 1)).await;
    at("silent", &|batch| batch.received_at = NOW.plus(-96 * 900_000)).await;
    at("almost-silent", &|batch| batch.received_at = NOW.plus(-96 * 900_000 + 1)).await;
    at("from-the-future", &|batch| batch.received_at = NOW.plus(900_000)).await;
    at("old", &|batch| batch.agent_version = "0.0.9".to_owned()).await;
    at("clock-ahead", &|batch| batch.clock_offset_ms = -60_001).await;
    at("clock-good", &|batch| batch.clock_offset_ms = 60_000).await;
    at("clock-absurd", &|batch| batch.clock_offset_ms = i64::MIN).await;
    at("silent-clock", &|batch| {
        batch.clock_offset_ms = 90_000;
        batch.received_at = NOW.plus(-97 * 900_000);
    })
    .await;
    at("week", &|batch| batch.received_at = NOW.plus(-7 * DAY_MS)).await;
    at("almost-week", &|batch| batch.received_at = NOW.plus(-7 * DAY_MS + 1)).await;
    at("month", &|batch| batch.received_at = NOW.plus(-30 * DAY_MS)).await;
    at("almost-month", &|batch| batch.received_at = NOW.plus(-30 * DAY_MS + 1)).await;
    // Enrolled and not heard of since.
    for (name, ago) in
        [("never", 96 * 900_000), ("never-almost", 96 * 900_000 - 1), ("never-late", 30 * 60_000)]
    {
        let enrolled = Enrolment { at: NOW.plus(-ago), ..enrolment("demo", name) };
        assert!(matches!(store.enroll(enrolled).await.unwrap(), EnrollmentOutcome::Enrolled(_)));
    }
    at("full", &|batch| batch.waiting = WAITING_MANY).await;
    at("almost-full", &|batch| batch.waiting = WAITING_MANY - 1).await;
    at("makeup", &|batch| batch.makeup = "other".to_owned()).await;
    let holed = office(terminal(store, "demo", "holed").await);
    store.receive(holed.batch(vec![logon(3, "hanako", NOW)])).await.unwrap();
    let conflict = office(terminal(store, "demo", "conflict").await);
    store.receive(conflict.batch(vec![logon(1, "hanako", NOW)])).await.unwrap();
    store.receive(conflict.batch(vec![logon(1, "taro", NOW)])).await.unwrap();
    let blocked = at("blocked", &|batch| batch.agent_version = "0.0.9".to_owned()).await;
    store.set_terminal_status(first.contract, blocked, TerminalStatus::Blocked, act()).await.unwrap();
    let retired = at("retired", &|batch| batch.makeup = "other".to_owned()).await;
    store.set_terminal_status(first.contract, retired, TerminalStatus::Retired, act()).await.unwrap();
    // Somebody else's, of whom nothing may be counted.
    contract(store, "other").await;
    terminal(store, "other", "theirs").await;
    first
}

async fn all(store: &dyn Store, office: &Office) -> Vec<Terminal> {
    store.list_terminals(office.contract, None, 1000).await.unwrap()
}

async fn names(store: &dyn Store, office: &Office, filter: FleetFilter) -> Vec<String> {
    let page = store.fleet_page(office.contract, measures(), filter, None, 1000).await.unwrap();
    assert_eq!(page.next, None);
    page.rows.into_iter().map(|found| found.host_name).collect()
}

pub async fn the_board_counts_what_the_rules_say(store: &dyn Store) {
    let office = fleet(store).await;
    let counts = store.fleet_counts(office.contract, measures()).await.unwrap();
    let all = all(store, &office).await;
    for show in FleetShow::ALL.into_iter().filter(|show| *show != FleetShow::SameName) {
        let mut expected: Vec<_> = all.iter().filter(|one| show.takes(one, &measures())).collect();
        expected.sort_by_key(|one| (attention(one, &measures()), one.host_name.clone()));
        let expected: Vec<_> = expected.into_iter().map(|one| one.host_name.clone()).collect();
        assert!(!expected.is_empty(), "{show:?} has an example");
        assert!(expected.len() < all.len(), "{show:?} has a counter-example");
        let filter = FleetFilter { show, ..FleetFilter::default() };
        assert_eq!(counts.of(show), expected.len() as u64, "{show:?}");
        assert_eq!(
            store.fleet_matches(office.contract, measures(), filter.clone()).await.unwrap(),
            counts.of(show)
        );
        assert_eq!(names(store, &office, filter).await, expected, "{show:?}");
    }
    let find = |show| names(store, &office, FleetFilter { show, ..FleetFilter::default() });
    assert_eq!(find(FleetShow::ClockOff).await, ["PC-clock-absurd", "PC-clock-ahead"]);
    let late = ["PC-almost-silent", "PC-late", "PC-never-almost", "PC-never-late"];
    assert_eq!(
        find(FleetShow::Late).await,
        late,
        "of one never heard of, the time since its enrolment counts"
    );
    assert!(find(FleetShow::Healthy).await.contains(&"PC-1".to_owned()), "enrolled just now");
    let silent = ["almost-month", "almost-week", "month", "never", "silent", "silent-clock", "week"];
    assert_eq!(find(FleetShow::Silent).await, silent.map(|name| format!("PC-{name}")));
    let border = measures().heard_after();
    let strip = store.summary(office.contract.into(), NOW, NOW, border).await.unwrap();
    assert_eq!(strip.silent_terminals, silent.len() as u64, "the strip of the punches says the same");
    assert_eq!(
        store.silent_and_waiting(border).await.unwrap().0,
        silent.len() as u64,
        "and so do the figures"
    );
    let week = ["PC-almost-month", "PC-month", "PC-week"];
    assert_eq!(find(FleetShow::SilentWeek).await, week, "a PC enrolled today has time");
    assert_eq!(find(FleetShow::SilentMonth).await, ["PC-month"]);
    assert_eq!(find(FleetShow::OldVersion).await, ["PC-old", "PC-blocked"]);
    assert_eq!(find(FleetShow::Duplicate).await, ["PC-conflict"]);
    let mut versions = store.fleet_versions(office.contract).await.unwrap();
    versions.sort();
    assert_eq!(versions, ["0.0.9", "0.1.0"]);
}

pub async fn terminals_of_one_name_are_counted_and_listed_while_both_are_in_use(store: &dyn Store) {
    let office = fleet(store).await;
    let same = || FleetFilter { show: FleetShow::SameName, ..FleetFilter::default() };
    let count =
        async || store.fleet_counts(office.contract, measures()).await.unwrap().of(FleetShow::SameName);
    let matches = async || store.fleet_matches(office.contract, measures(), same()).await.unwrap();
    assert_eq!((count().await, matches().await), (0, 0));
    let again = terminal(store, "demo", "LATE").await;
    assert_eq!((count().await, matches().await), (2, 2));
    let mut found = names(store, &office, same()).await;
    found.sort();
    assert_eq!(found, ["PC-LATE", "PC-late"]);
    let narrowed = FleetFilter { text: "late".into(), ..same() };
    assert_eq!(names(store, &office, narrowed).await.len(), 2);
    store.set_terminal_status(office.contract, again, TerminalStatus::Blocked, act()).await.unwrap();
    assert_eq!(count().await, 2, "a blocked one is in use");
    store.set_terminal_status(office.contract, again, TerminalStatus::Retired, act()).await.unwrap();
    assert_eq!((count().await, names(store, &office, same()).await.len()), (0, 0));
    terminal(store, "other", "late").await;
    assert_eq!(count().await, 0, "another contract's bears whatever name");
}

pub async fn the_list_is_walked_without_gap_or_repeat_in_every_order(store: &dyn Store) {
    let office = fleet(store).await;
    for order in [FleetOrder::Attention, FleetOrder::Name, FleetOrder::Contact, FleetOrder::Waiting] {
        let filter = FleetFilter { order, ..FleetFilter::default() };
        let page =
            async |at| store.fleet_page(office.contract, measures(), filter.clone(), at, 4).await.unwrap();
        let walked: Vec<_> = walked(page).await.into_iter().map(|found| found.host_name).collect();
        assert_eq!(walked, names(store, &office, filter).await, "{order:?}");
        assert_eq!(walked.len() as u64, 25, "all but the retired one");
    }
    let by = |order| names(store, &office, FleetFilter { order, ..FleetFilter::default() });
    assert_eq!(by(FleetOrder::Contact).await[..2], ["PC-1", "PC-never"]);
    assert_eq!(by(FleetOrder::Waiting).await[..2], ["PC-full", "PC-almost-full"]);
    assert_eq!(by(FleetOrder::Attention).await[..3], ["PC-conflict", "PC-makeup", "PC-holed"]);
}

pub async fn the_text_finds_name_os_version_and_id_and_nothing_of_others(store: &dyn Store) {
    let office = fleet(store).await;
    let find = async |text: &str| {
        names(store, &office, FleetFilter { text: text.to_owned(), ..FleetFilter::default() }).await
    };
    let almost =
        ["PC-almost-month", "PC-almost-week", "PC-almost-silent", "PC-almost-full", "PC-almost-late"];
    assert_eq!(find("pc-almost").await, almost);
    assert_eq!(find("0.0.9").await, ["PC-old", "PC-blocked"]);
    assert_eq!(find("windows").await.len(), 25);
    assert_eq!(find(&office.terminal.to_string()[9..]).await, ["PC-1"]);
    assert!(
        find("theirs").await.is_empty() && find("%").await.is_empty() && find("' OR 1 --").await.is_empty()
    );
    let only = FleetFilter { only: Some(vec![office.terminal]), ..FleetFilter::default() };
    assert_eq!(names(store, &office, only).await, ["PC-1"]);
    let none = FleetFilter { only: Some(vec![]), ..FleetFilter::default() };
    assert!(names(store, &office, none).await.is_empty());
}

pub async fn waiting_that_rises_three_contacts_in_a_row_is_growing(store: &dyn Store) {
    let office = office(store).await;
    let rises = async |waiting: u64| {
        store.receive(IncomingBatch { waiting, ..office.batch(vec![]) }).await.unwrap();
        store.terminal(office.contract, office.terminal).await.unwrap().unwrap().waiting_rises
    };
    let mut seen = Vec::new();
    for waiting in [2, 2, 3, 4, 3, 4, 0, 1] {
        seen.push(rises(waiting).await);
    }
    assert_eq!(seen, [1, 1, 2, 3, 0, 1, 0, 1]);
}

pub async fn contacts_are_kept_by_day_for_a_quarter(store: &dyn Store) {
    let office = office(store).await;
    let at = async |days: i64, hours: i64, offset: i64, waiting: u64| {
        let received_at = NOW.plus(days * DAY_MS + hours * 3_600_000);
        let plain = office.batch(vec![]);
        let batch = IncomingBatch { received_at, clock_offset_ms: offset, waiting, ..plain };
        store.receive(batch).await.unwrap();
    };
    // NOW is nine in the morning in Tokyo.
    at(0, 0, 5, 3).await;
    at(0, 14, -7, 1).await;
    at(0, 15, 4, 2).await;
    let days = store.contact_days(office.contract, office.terminal, day(0)).await.unwrap();
    assert_eq!(days.iter().map(|one| one.day).collect::<Vec<_>>(), [day(0), day(1)], "midnight is Tokyo's");
    assert_eq!((days[0].contacts, days[0].waiting_max), (2, 3));
    assert_eq!((days[0].offset_min_ms, days[0].offset_max_ms), (-7, 5));
    assert_eq!((days[0].first_at, days[0].last_at), (NOW, NOW.plus(14 * 3_600_000)));
    assert_eq!(days[1].contacts, 1);
    at(CONTACT_DAYS_KEPT, 0, 0, 0).await;
    let days = store.contact_days(office.contract, office.terminal, day(-9)).await.unwrap();
    assert_eq!(days.iter().map(|one| one.day).collect::<Vec<_>>(), [day(1), day(CONTACT_DAYS_KEPT)]);
    let other = contract(store, "other").await;
    assert!(store.contact_days(other, office.terminal, day(-9)).await.unwrap().is_empty());
}

pub async fn versions_and_enrolments_make_a_history(store: &dyn Store) {
    let office = office(store).await;
    let brings = async |version: &str, events| {
        let batch = IncomingBatch { agent_version: version.to_owned(), ..office.batch(events) };
        store.receive(batch).await.unwrap();
    };
    let version = async |version: &str| brings(version, vec![]).await;
    version("0.1.0").await;
    version("0.2.0").await;
    version("0.2.0").await;
    // Behind a hole, which is looked into by itself.
    brings("0.2.1", vec![logon(7, "hanako", NOW)]).await;
    let again = Enrolment { agent_version: "0.2.0".into(), ..enrolment("demo", "1") };
    store.enroll(again).await.unwrap();
    let history = async || store.terminal_history(office.contract, office.terminal, 1000).await.unwrap();
    let told: Vec<_> = history().await.iter().map(|one| (one.what, one.agent_version.clone())).collect();
    let of = |what, version: &str| (what, version.to_owned());
    let expected = [
        of(TerminalChange::EnrolledAgain, "0.2.0"),
        of(TerminalChange::Version, "0.2.1"),
        of(TerminalChange::Version, "0.2.0"),
        of(TerminalChange::Enrolled, "0.1.0"),
    ];
    assert_eq!(told, expected);
    // A copy with another version changes it with every contact.
    for n in 0..HISTORY_KEPT {
        version(if n % 2 == 0 { "0.3.0" } else { "0.2.0" }).await;
    }
    assert_eq!(history().await.len() as u64, HISTORY_KEPT);
}

pub async fn several_terminals_are_changed_together_or_not_at_all(store: &dyn Store) {
    let office = office(store).await;
    let second = terminal(store, "demo", "2").await;
    contract(store, "other").await;
    let theirs = terminal(store, "other", "3").await;
    let set = |ids, status| store.set_terminal_statuses(office.contract, ids, status, act());
    let refused = set(vec![second, theirs], TerminalStatus::Blocked).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(Refusal::Missing { .. })), "{refused}");
    let found = store.terminal(office.contract, second).await.unwrap().unwrap();
    assert_eq!(found.status, TerminalStatus::Active, "nothing was changed");
    let done = set(vec![office.terminal, second], TerminalStatus::Blocked).await.unwrap();
    assert_eq!((done.terminals, done.punches), (2, 0));
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    assert_eq!(office.punches(store).await, [(1, Some(6))]);
    let done = set(vec![office.terminal, second], TerminalStatus::Active).await.unwrap();
    assert_eq!((done.terminals, done.punches), (2, 1));
    assert_eq!(set(vec![second], TerminalStatus::Active).await.unwrap().terminals, 0, "it is already");
    set(vec![second], TerminalStatus::Retired).await.unwrap();
    assert_eq!(set(vec![second], TerminalStatus::Blocked).await.unwrap().terminals, 0, "it is out of use");
    let one = |status| store.set_terminal_status(office.contract, second, status, act());
    let refused = one(TerminalStatus::Blocked).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(Refusal::State { state: "retired", .. })), "{refused}");
    one(TerminalStatus::Active).await.unwrap();
    one(TerminalStatus::Active).await.unwrap();
    let log = store.audit_log(Some(office.contract), None, 2).await.unwrap();
    assert_eq!([log[0].action.as_str(), log[1].action.as_str()], ["unretire_terminal", "retire_terminal"]);
}

pub async fn a_note_stands_with_its_author_until_it_is_taken_away(store: &dyn Store) {
    let office = office(store).await;
    let seen = async || store.terminal(office.contract, office.terminal).await.unwrap().unwrap().note;
    let set = |text: String| store.set_terminal_note(office.contract, office.terminal, text, act());
    set("受付の予備機".to_owned()).await.unwrap();
    let note = seen().await.unwrap();
    assert_eq!(
        (note.text.as_str(), note.by.as_str(), note.at),
        ("受付の予備機", "administrator:kimura", NOW)
    );
    let refused = set("あ".repeat(501)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(Refusal::TooMany { limit: 500, .. })));
    assert_eq!(seen().await.unwrap(), note);
    set(String::new()).await.unwrap();
    assert_eq!(seen().await, None);
    let log = store.audit_log(Some(office.contract), None, 1).await.unwrap();
    assert_eq!(log[0].action, "note_terminal");
    assert!(same(&log[0].detail, &format!(r#"{{"terminal":"{}","note":""}}"#, office.terminal)));
}

/// Whether two texts are the same JSON value.
fn same(one: &str, other: &str) -> bool {
    let read = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
    read(one) == read(other)
}

fn key(label: &str, expires_at: Option<UtcMillis>, uses_max: Option<u64>) -> NewEnrollmentKey {
    NewEnrollmentKey { hash: KeyHash::of(label), label: label.to_owned(), expires_at, uses_max }
}

async fn enroll(store: &dyn Store, key: &str, name: &str, at: UtcMillis) -> EnrollmentOutcome {
    let wanted = Enrolment { key: KeyHash::of(key), at, ..enrolment("demo", name) };
    store.enroll(wanted).await.unwrap()
}

pub async fn a_key_opens_until_its_time_and_for_as_many_pcs_as_it_says(store: &dyn Store) {
    let contract = contract(store, "demo").await;
    let ends = NOW.plus(DAY_MS);
    assert_eq!(store.make_enrollment_key(contract, key("two", None, Some(2)), act()).await.unwrap(), 2);
    assert_eq!(store.make_enrollment_key(contract, key("day", Some(ends), None), act()).await.unwrap(), 3);
    let is_new = |outcome| matches!(outcome, EnrollmentOutcome::Enrolled(_));
    assert!(is_new(enroll(store, "two", "1", NOW).await));
    assert!(is_new(enroll(store, "two", "2", NOW).await));
    assert_eq!(enroll(store, "two", "3", NOW).await, EnrollmentOutcome::KeyEnded(KeyEnd::UsedUp));
    let again = enroll(store, "two", "2", NOW.plus(5)).await;
    assert!(matches!(again, EnrollmentOutcome::EnrolledAgain(_)), "the limit is one of PCs");
    assert!(is_new(enroll(store, "day", "4", NOW.plus(DAY_MS - 1)).await));
    assert_eq!(enroll(store, "day", "5", ends).await, EnrollmentOutcome::KeyEnded(KeyEnd::Expired));
    assert_eq!(enroll(store, "day", "4", ends).await, EnrollmentOutcome::KeyEnded(KeyEnd::Expired));
    assert_eq!(enroll(store, "no such", "5", NOW).await, EnrollmentOutcome::WrongKey);

    let keys = store.list_enrollment_keys(contract).await.unwrap();
    let told: Vec<_> = keys.iter().map(|one| (one.number, one.label.as_str(), one.uses)).collect();
    assert_eq!(told, [(3, "day", 1), (2, "two", 2), (1, "", 0)]);
    assert_eq!((keys[1].last_used_at, keys[1].made_by.as_str()), (Some(NOW.plus(5)), "administrator:kimura"));
    let log = store.audit_log(Some(contract), None, 100).await.unwrap();
    assert!(
        log.iter()
            .any(|one| one.action == "enroll_terminal" && one.detail.ends_with(r#","enrollment_key":3}"#))
    );
    let made = format!(r#"{{"number":3,"label":"day","expires_at":{},"uses_max":null}}"#, ends.0);
    assert!(log.iter().any(|one| one.action == "add_enrollment_key" && same(&one.detail, &made)), "{log:?}");
}

pub async fn a_rotated_key_overlaps_with_the_new_one(store: &dyn Store) {
    let contract = contract(store, "demo").await;
    let ends = NOW.plus(7 * DAY_MS);
    let number = store.rotate_enrollment_key(contract, 1, key("new", None, None), ends, act()).await.unwrap();
    assert_eq!(number, 2);
    for _ in 0..2 {
        let again =
            store.rotate_enrollment_key(contract, 1, key("new", None, None), NOW, act()).await.unwrap();
        let made = store.make_enrollment_key(contract, key("new", None, None), act()).await.unwrap();
        assert_eq!((again, made), (2, 2), "the same form once more makes no other key");
    }
    assert_eq!(store.list_enrollment_keys(contract).await.unwrap().len(), 2);
    let is_new = |outcome| matches!(outcome, EnrollmentOutcome::Enrolled(_));
    assert!(
        is_new(enroll(store, KEY, "1", ends.plus(-1)).await) && is_new(enroll(store, "new", "2", NOW).await)
    );
    assert_eq!(enroll(store, KEY, "3", ends).await, EnrollmentOutcome::KeyEnded(KeyEnd::Expired));
    let later = ends.plus(DAY_MS);
    store.rotate_enrollment_key(contract, 1, key("third", None, None), later, act()).await.unwrap();
    let first = store.list_enrollment_keys(contract).await.unwrap().pop().unwrap();
    assert_eq!(first.expires_at, Some(ends), "rotating never prolongs");
    store.revoke_enrollment_key(contract, 2, act()).await.unwrap();
    assert_eq!(enroll(store, "new", "4", NOW).await, EnrollmentOutcome::KeyEnded(KeyEnd::Revoked));
    let other = super::fixture::contract(store, "other").await;
    let theirs = store.revoke_enrollment_key(other, 3, act()).await.unwrap_err();
    assert!(matches!(theirs, StoreError::Refused(Refusal::Missing { .. })));
    let gone = store.rotate_enrollment_key(contract, 2, key("x", None, None), ends, act()).await.unwrap_err();
    assert!(matches!(gone, StoreError::Refused(Refusal::Missing { .. })), "a revoked key has no successor");
}

pub async fn a_person_may_let_a_terminal_enrol_again_without_a_key_once(store: &dyn Store) {
    let office = office(store).await;
    let other = terminal(store, "demo", "2").await;
    store.revoke_enrollment_keys(office.contract, act()).await.unwrap();
    let revoked = EnrollmentOutcome::KeyEnded(KeyEnd::Revoked);
    assert_eq!(enroll(store, KEY, "1", NOW).await, revoked);
    let until = NOW.plus(DAY_MS);
    store.allow_reenrollment(office.contract, office.terminal, until, act()).await.unwrap();
    assert_eq!(enroll(store, KEY, "1", until).await, revoked, "until then and no longer");
    assert_eq!(enroll(store, KEY, "2", NOW).await, revoked, "another terminal has no part in it");
    assert_eq!(enroll(store, KEY, "3", NOW).await, revoked, "nor has a new PC");
    let again = EnrollmentOutcome::EnrolledAgain(office.terminal);
    assert_eq!(enroll(store, "whatever", "1", NOW).await, again);
    assert_eq!(enroll(store, "whatever", "1", NOW).await, EnrollmentOutcome::WrongKey, "once");
    store.allow_reenrollment(office.contract, office.terminal, until, act()).await.unwrap();
    assert_eq!(enroll(store, KEY, "1", NOW).await, again, "an ended key is no hindrance then");
    let log = store.audit_log(Some(office.contract), None, 100).await.unwrap();
    let opened = log.iter().filter(|one| one.action == "enroll_terminal_again");
    assert_eq!(
        opened.filter(|one| !one.detail.contains("enrollment_key")).count(),
        2,
        "by a person: {log:?}"
    );
    let allowed = format!(r#"{{"terminal":"{}","until":{}}}"#, office.terminal, until.0);
    assert!(log.iter().any(|one| one.action == "allow_reenrollment" && same(&one.detail, &allowed)));
    store.set_terminal_status(office.contract, other, TerminalStatus::Blocked, act()).await.unwrap();
    let refused = store.allow_reenrollment(office.contract, other, until, act()).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Refused(Refusal::Missing { .. })),
        "a blocked one is unblocked first"
    );
}

/// A digest, as real PCs send for their make-up.
fn makeup(of: &str) -> String {
    Digest::of(of.as_bytes()).to_string()
}

pub async fn a_pc_like_a_blocked_one_is_enrolled_as_blocked(store: &dyn Store) {
    let contract = contract(store, "demo").await;
    contract_of_others(store).await;
    let pc = |key: &str, host: &str, of: &str| Enrolment {
        host_name: host.to_owned(),
        makeup: makeup(of),
        ..enrolment("demo", key)
    };
    let enroll = async |enrolment| store.enroll(enrolment).await.unwrap();
    let EnrollmentOutcome::Enrolled(first) = enroll(pc("1", "PC-1", "board 1")).await else { panic!() };
    let EnrollmentOutcome::Enrolled(bare) = enroll(pc("2", "PC-2", "")).await else { panic!() };
    for id in [first, bare] {
        store.set_terminal_status(contract, id, TerminalStatus::Blocked, act()).await.unwrap();
    }
    for (key, host, of, like) in
        [("3", "pc-1", "board 3", first), ("4", "NEW-NAME", "board 1", first), ("5", "PC-2", "board 5", bare)]
    {
        let outcome = enroll(pc(key, host, of)).await;
        let EnrollmentOutcome::EnrolledBlocked(id) = outcome else { panic!("{key}: {outcome:?}") };
        let found = store.terminal(contract, id).await.unwrap().unwrap();
        assert_eq!(found.status, TerminalStatus::Blocked);
        let changes = store.status_changes(contract, id, 9).await.unwrap();
        let change = (changes[0].by.as_str(), changes[0].action.as_str(), changes[0].like);
        assert_eq!((changes.len(), change), (1, ("server", "block_terminal", Some(like))));
        assert_eq!(enroll(pc(key, host, of)).await, EnrollmentOutcome::TerminalUnusable, "no second try");
    }
    assert_eq!(store.active_terminals().await.unwrap(), 0);
    // What has no machine identity is like no other, and another contract's terminals are no concern of this one.
    for (key, host, of) in [("6", "PC-6", ""), ("7", "PC-OF-OTHERS", "board 7")] {
        assert!(matches!(enroll(pc(key, host, of)).await, EnrollmentOutcome::Enrolled(_)), "{key}");
    }
    let blocked = store.find_terminals(contract.into(), "PC-1".into()).await.unwrap();
    for found in blocked {
        store.set_terminal_status(contract, found.id, TerminalStatus::Retired, act()).await.unwrap();
    }
    assert!(matches!(enroll(pc("8", "PC-1", "board 8")).await, EnrollmentOutcome::Enrolled(_)), "retired");
}

async fn contract_of_others(store: &dyn Store) {
    let others = contract(store, "others").await;
    let theirs = Enrolment { host_name: "PC-OF-OTHERS".into(), ..enrolment("others", "9") };
    let EnrollmentOutcome::Enrolled(theirs) = store.enroll(theirs).await.unwrap() else { panic!() };
    store.set_terminal_status(others, theirs, TerminalStatus::Blocked, act()).await.unwrap();
}

pub async fn who_blocked_a_terminal_and_why_is_kept_and_a_retirement_takes_no_block_away(store: &dyn Store) {
    let office = office(store).await;
    let (contract, id) = (office.contract, office.terminal);
    let block = |ids, reason: &str| store.block_terminals(contract, ids, reason.to_owned(), act());
    let set = |status| store.set_terminal_statuses(contract, vec![id], status, act());
    let status = async || store.terminal(contract, id).await.unwrap().unwrap().status;
    let too_long = block(vec![id], &"あ".repeat(REASON_MAX + 1)).await.unwrap_err();
    assert!(
        matches!(too_long, StoreError::Refused(Refusal::TooMany { limit: REASON_MAX, .. })),
        "{too_long}"
    );
    assert_eq!(status().await, TerminalStatus::Active);
    assert_eq!(block(vec![id], " 盗難 ").await.unwrap().terminals, 1);
    assert_eq!(set(TerminalStatus::Retired).await.unwrap().terminals, 1);
    let again = set(TerminalStatus::Active).await.unwrap();
    assert_eq!((again.terminals, again.blocked, status().await), (1, 1, TerminalStatus::Blocked));
    // Unblocked for good it comes back as it was then.
    assert_eq!(set(TerminalStatus::Active).await.unwrap().blocked, 0);
    set(TerminalStatus::Retired).await.unwrap();
    assert_eq!(
        (set(TerminalStatus::Active).await.unwrap().blocked, status().await),
        (0, TerminalStatus::Active)
    );
    let changes = store.status_changes(contract, id, 9).await.unwrap();
    let told: Vec<_> =
        changes.iter().rev().map(|change| (change.action.as_str(), change.status.name())).collect();
    assert_eq!(
        told,
        [
            ("block_terminal", "blocked"),
            ("retire_terminal", "retired"),
            ("unretire_terminal", "blocked"),
            ("unblock_terminal", "active"),
            ("retire_terminal", "retired"),
            ("unretire_terminal", "active"),
        ]
    );
    assert_eq!(changes[5].by, "administrator:kimura");
    assert_eq!(changes[5].reason.as_deref(), Some("盗難"));
    assert!(changes[..5].iter().all(|change| change.reason.is_none()));
    let second = terminal(store, "demo", "2").await;
    let third = terminal(store, "demo", "3").await;
    store.set_terminal_status(contract, second, TerminalStatus::Retired, act()).await.unwrap();
    block(vec![third], "").await.unwrap();
    let set = block(vec![id, second, third], "").await.unwrap();
    assert_eq!((set.terminals, set.retired, set.already), (1, 1, 1));
}
