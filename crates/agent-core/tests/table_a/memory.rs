//! The server and the PC forget different things: backups, images, copies.

use std::collections::BTreeMap;

use mngntime_model::{Event, EventKind};

use crate::world::{Image, Pc, Server};

/// What the server holds of one account: the kinds of its punches, each number that stands for a fact once.
fn held_punches(pc: &Pc, name: &str) -> Vec<EventKind> {
    let of = |event: &&Event| event.account.as_ref().is_some_and(|account| account.name == name);
    pc.held.values().filter(|event| event.kind.is_punch()).filter(of).map(|event| event.kind).collect()
}

/// Every fact that the PC's memory holds is on the server, once, and no number of the PC's has two contents.
fn every_fact_is_held_once(pc: &Pc) {
    let journal = pc.records();
    let superseded: Vec<u64> = journal.iter().filter_map(|event| event.supersedes).collect();
    let mut facts: BTreeMap<String, usize> = BTreeMap::new();
    for event in journal.iter().filter(|event| !superseded.contains(&event.sequence)) {
        assert_eq!(pc.held.get(&event.sequence), Some(event), "{event:?}");
        let fact = Event { sequence: 0, supersedes: None, ..event.clone() };
        *facts.entry(format!("{fact:?}")).or_default() += 1;
    }
    assert!(facts.values().all(|times| *times == 1), "{facts:?}");
    for number in superseded {
        let old = journal.iter().find(|event| event.sequence == number).expect("kept as evidence");
        assert_ne!(pc.held.get(&number), Some(old), "a refused one was never the server's");
    }
    assert_eq!(pc.waiting(), 0);
}

/// Day 1 is backed up at noon. 花子 goes home and comes back on day 2; then the disk is that of the backup.
fn rolled_back() -> (Pc, Image) {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00");
    let image = pc.image();
    pc.locks("hanako").at(1, "18:00").unlocks("hanako").logs_off("hanako").at(1, "18:01").shuts_down();
    pc.boot(2, "08:50").logs_on("hanako").at(2, "09:10");
    (pc, image)
}

#[test]
fn row_61_spool_is_rolled_back_from_a_backup() {
    let (mut pc, image) = rolled_back();
    let before = pc.held.clone();
    pc.is_rolled_back_to(&image).boot(2, "10:00").logs_on("hanako").at(2, "10:30");
    assert!(before.iter().all(|(number, event)| pc.held[number] == *event), "what the server has stays");
    every_fact_is_held_once(&pc);
    assert!(pc.records().iter().any(|event| event.supersedes.is_some()), "numbers were used twice");
    let head = before.keys().max().unwrap();
    let lines = pc.held_lines();
    let gap = lines.iter().find(|line| line.contains("rolled_back:")).unwrap();
    let own = image.last_number();
    assert!(gap.contains(&format!("rolled_back:{}-{head};after=", own + 1)), "{gap}");
    assert!(gap.starts_with("[1 "), "from the last record before, to now: {gap}");
    assert_eq!(pc.notices_with("過去の状態に戻されています"), 1);
    pc.logs_off("hanako").at(2, "10:31");
    every_fact_is_held_once(&pc);
}

/// The power goes after each single step of the healing.
#[test]
fn row_61_the_power_goes_at_any_step_of_the_healing() {
    let mut whole = 0;
    for budget in 0.. {
        let (mut pc, image) = rolled_back();
        pc.is_rolled_back_to(&image);
        pc.server = Server::Unreachable;
        pc.boot(2, "10:00").logs_on("hanako").at(2, "10:05");
        pc.server = Server::Well;
        pc.budget = Some(budget);
        pc.at(2, "10:30");
        let survived = pc.runs();
        pc.power_cut().boot(2, "11:00").logs_on("taro").at(2, "11:30");
        every_fact_is_held_once(&pc);
        let logons = held_punches(&pc, "taro");
        assert_eq!(logons, [EventKind::Logon], "budget {budget}");
        whole += usize::from(survived);
        if whole == 2 {
            assert!(budget > 10, "the healing has more steps than {budget}");
            return;
        }
    }
}

#[test]
fn row_61_rolled_back_again_and_again_to_the_same_image() {
    let (mut pc, image) = rolled_back();
    for day in 3..8 {
        pc.is_rolled_back_to(&image).boot(day, "08:50").logs_on("hanako").at(day, "09:30");
        every_fact_is_held_once(&pc);
        pc.logs_off("hanako").at(day, "18:00").shuts_down();
    }
    assert_eq!(pc.missing(), []);
}

/// Offline since the roll-back for so long that our numbers have overtaken the server's.
#[test]
fn row_61_found_out_only_after_the_numbers_have_overtaken() {
    let (mut pc, image) = rolled_back();
    pc.is_rolled_back_to(&image);
    pc.server = Server::Unreachable;
    pc.boot(3, "08:50").logs_on("hanako").at(3, "09:00");
    for minute in 10..40 {
        pc.at(3, &format!("09:{minute}")).locks("hanako").at(3, &format!("09:{minute}:30")).unlocks("hanako");
    }
    pc.server = Server::Well;
    pc.at(3, "12:00");
    every_fact_is_held_once(&pc);
    assert_eq!(pc.held_lines().iter().filter(|line| line.contains("rolled_back:")).count(), 1);
}

#[test]
fn row_61_two_pcs_with_one_identity_lose_nothing_and_write_nothing_while_idle() {
    let mut one = Pc::with_hanako();
    let mut other = one.copy();
    let turn = |from: &mut Pc, to: &mut Pc| to.held = std::mem::take(&mut from.held);
    for day in 2..5 {
        one.boot(day, "08:50").logs_on("hanako").at(day, "12:00");
        turn(&mut one, &mut other);
        other.boot(day, "08:55").logs_on("taro").at(day, "12:30");
        turn(&mut other, &mut one);
        one.at(day, "13:00").logs_off("hanako").at(day, "13:30").shuts_down();
        turn(&mut one, &mut other);
        other.at(day, "14:00").logs_off("taro").at(day, "14:30").shuts_down();
        turn(&mut other, &mut one);
    }
    let both = |name: &str, logons: usize| {
        let kinds = held_punches(&one, name);
        assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Logon).count(), logons, "{name}");
    };
    both("hanako", 4);
    both("taro", 3);
    // Nobody there: contacts every quarter of an hour, and no records of each other's records.
    one.boot(6, "08:00").at(6, "08:30");
    turn(&mut one, &mut other);
    other.boot(6, "08:40").at(6, "09:00");
    let settled = other.held.len();
    for hour in 9..18 {
        turn(&mut other, &mut one);
        one.at(6, &format!("{hour}:20"));
        turn(&mut one, &mut other);
        other.at(6, &format!("{hour}:50"));
    }
    assert!(other.held.len() <= settled + 4, "{} records while nothing happened", other.held.len() - settled);
}

#[test]
fn row_64_server_is_restored_from_a_backup_of_the_day_before() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00");
    let backup = pc.held.clone();
    pc.locks("hanako").at(1, "12:40").unlocks("hanako").at(1, "18:00").logs_off("hanako");
    pc.at(1, "18:01").shuts_down();
    pc.boot(2, "08:50").logs_on("hanako").at(2, "11:00");
    let (whole, told) = (pc.held.clone(), pc.notices.len());
    pc.held = backup;
    pc.at(2, "12:00");
    assert_eq!(pc.held, whole, "by the next sign of life all is there again, byte for byte");
    assert_eq!(pc.notices[told..].len(), 1, "{:?}", &pc.notices[told..]);
    assert_eq!(pc.missing(), []);
    let batches = pc.batches.len();
    pc.at(2, "13:00");
    assert!(pc.batches[batches..].iter().all(Vec::is_empty), "and is not sent once more");
}

#[test]
fn row_64_a_new_event_came_before_the_loss_was_seen() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00");
    let backup = pc.held.clone();
    pc.locks("hanako").at(1, "12:40").unlocks("hanako").at(1, "13:00");
    pc.held = backup;
    pc.logs_off("hanako").at(1, "13:30");
    every_fact_is_held_once(&pc);
    assert_eq!((pc.missing(), pc.count(EventKind::Gap)), (vec![], 0));
}

/// A receipt names at most sixteen ranges: what is beyond them is named when they are healed.
#[test]
fn row_64_more_holes_than_one_receipt_names_are_healed_in_several_exchanges() {
    let mut pc = Pc::with_hanako();
    for minute in 0..60 {
        pc.at(1, &format!("10:{minute:02}"))
            .locks("hanako")
            .at(1, &format!("10:{minute:02}:30"))
            .unlocks("hanako");
    }
    pc.at(1, "12:00");
    let whole = pc.held.clone();
    // Every second number is gone, and of the first twenty of these the PC has let go too.
    let lost: Vec<u64> = whole.keys().copied().filter(|number| number % 2 == 1).collect();
    assert!(lost.len() > 3 * 16, "{}", lost.len());
    pc.held.retain(|number, _| number % 2 == 0);
    let let_go = lost[19];
    pc.journal_begins_after(let_go);
    let exchanges = pc.batches.len();
    pc.at(1, "18:00");
    assert_eq!(pc.missing(), []);
    let healed = lost.iter().filter(|number| pc.held.get(number) == whole.get(number)).count();
    assert_eq!(healed, lost.len() - 20, "byte for byte, but for what nobody has");
    let lines = pc.held_lines();
    let declared = |number: &u64| {
        lines.iter().filter(|line| line.contains(&format!("not_held:{number}-{number}"))).count()
    };
    assert!(lost[..20].iter().all(|number| declared(number) == 1), "{lines:?}");
    let again = pc.batches[exchanges..].iter().flatten().filter(|number| lost.contains(number)).count();
    assert_eq!(again, lost.len() - 20, "each once");
    let settled = pc.held_lines();
    pc.at(1, "20:00");
    assert_eq!(pc.held_lines(), settled);
}

#[test]
fn row_64_and_what_the_pc_has_let_go_of_is_declared_once() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").locks("hanako").at(1, "12:40").unlocks("hanako").at(1, "13:00");
    pc.journal_begins_after(2);
    pc.held.clear();
    pc.at(1, "15:00");
    assert_eq!(pc.missing(), []);
    let lines = pc.held_lines();
    let gaps: Vec<_> = lines.iter().filter(|line| line.contains("not_held:")).collect();
    assert_eq!(gaps.len(), 2, "numbers 1 and 2: {lines:?}");
    pc.at(1, "18:00");
    assert_eq!(pc.held_lines(), lines);
}
