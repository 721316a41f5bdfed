//! What the server remembers of a terminal's numbers and OS runs.

use mngntime_model::{Declared, EventKind, UtcMillis};
use mngntime_store::{
    IncomingBatch, IncomingEvent, MissingNumbers, Standing, Store, Terminal, TerminalStatus,
};

use super::fixture::{NOW, Office, act, event, logon, office, terminal};

fn gap(sequence: u64, declared: Declared) -> IncomingEvent {
    let mut gap = event(sequence, EventKind::Gap, None, NOW);
    gap.event.cause = Some(declared.to_string());
    gap
}

async fn receive(store: &dyn Store, office: &Office, events: Vec<IncomingEvent>) -> Vec<(u64, u64)> {
    store.receive(office.batch(events)).await.unwrap().missing
}

async fn numbers(store: &dyn Store, office: &Office, numbers: &[u64]) -> Vec<(u64, u64)> {
    receive(store, office, numbers.iter().map(|n| logon(*n, "hanako", NOW)).collect()).await
}

async fn seen(store: &dyn Store, office: &Office) -> Terminal {
    store.terminal(office.contract, office.terminal).await.unwrap().unwrap()
}

pub async fn holes_are_named_until_they_are_filled_or_declared(store: &dyn Store) {
    let office = office(store).await;
    assert_eq!(numbers(store, &office, &[1, 2]).await, []);
    assert_eq!(seen(store, &office).await.standing(), Standing::Complete);
    assert_eq!(numbers(store, &office, &[9]).await, [(3, 8)]);
    assert_eq!(numbers(store, &office, &[5, 12]).await, [(3, 4), (6, 8), (10, 11)], "one in the middle");
    assert_eq!(numbers(store, &office, &[3, 8]).await, [(4, 4), (6, 7), (10, 11)], "one at each end");
    assert_eq!(numbers(store, &office, &[5, 3, 12]).await, [(4, 4), (6, 7), (10, 11)], "known ones");
    let missing = MissingNumbers { count: 5, undeclared: 5, first: 4, last: 11, settled: 0 };
    let terminal = seen(store, &office).await;
    assert_eq!((terminal.missing, terminal.standing()), (missing, Standing::Missing));

    let declared = gap(13, Declared::NotHeld { first: 7, last: 10 });
    assert_eq!(receive(store, &office, vec![declared.clone()]).await, [(4, 4), (6, 6), (11, 11)]);
    assert_eq!(receive(store, &office, vec![declared]).await, [(4, 4), (6, 6), (11, 11)], "the same again");
    let missing = MissingNumbers { count: 5, undeclared: 3, first: 4, last: 11, settled: 0 };
    assert_eq!(seen(store, &office).await.missing, missing, "declared is missing all the same");

    assert_eq!(numbers(store, &office, &[10, 4, 6, 11]).await, [], "what was given up may come after all");
    let missing = MissingNumbers { count: 1, undeclared: 0, first: 7, last: 7, settled: 0 };
    assert_eq!(seen(store, &office).await.missing, missing);
    assert_eq!(numbers(store, &office, &[7]).await, []);
    assert_eq!(seen(store, &office).await.standing(), Standing::Complete);
}

pub async fn a_declaration_reaches_across_holes_and_no_further(store: &dyn Store) {
    let office = office(store).await;
    numbers(store, &office, &[4, 6, 20]).await;
    let wide = gap(21, Declared::Unreadable { first: 2, last: 9 });
    assert_eq!(receive(store, &office, vec![wide]).await, [(1, 1), (10, 19)]);
    let beyond = gap(22, Declared::NotHeld { first: 1, last: u64::from(u32::MAX) });
    assert_eq!(receive(store, &office, vec![beyond]).await, []);
    let missing = MissingNumbers { count: 17, undeclared: 0, first: 1, last: 19, settled: 0 };
    assert_eq!(seen(store, &office).await.missing, missing);
    let words = event(25, EventKind::Lock, None, NOW);
    let mut no_gap = words.clone();
    no_gap.event.cause = Some("not_held:23-24".to_owned());
    assert_eq!(receive(store, &office, vec![no_gap]).await, [(23, 24)], "only a gap declares");
}

pub async fn numbers_of_an_earlier_enrolment_are_no_loss(store: &dyn Store) {
    let office = office(store).await;
    assert_eq!(numbers(store, &office, &[57]).await, [(1, 56)]);
    let earlier = gap(58, Declared::EarlierEnrollment { first: 1, last: 56 });
    assert_eq!(receive(store, &office, vec![earlier]).await, []);
    assert_eq!(seen(store, &office).await.standing(), Standing::Complete);
}

pub async fn one_of_two_lives_does_not_answer_for_the_other(store: &dyn Store) {
    let office = office(store).await;
    assert_eq!(numbers(store, &office, &[3]).await, [(1, 2)]);
    let not_held = gap(4, Declared::NotHeld { first: 1, last: 2 });
    assert_eq!(receive(store, &office, vec![not_held]).await, [], "there is nobody else to ask");
    let rolled_back = gap(9, Declared::RolledBack { first: 5, last: 8, after: 4 });
    assert_eq!(receive(store, &office, vec![rolled_back]).await, [(1, 2), (5, 8)]);
    assert_eq!(numbers(store, &office, &[1, 5, 6, 7, 8]).await, [(2, 2)], "the other life had it");
    assert_eq!(numbers(store, &office, &[2]).await, []);
    let unreadable = gap(11, Declared::Unreadable { first: 10, last: 10 });
    assert_eq!(receive(store, &office, vec![unreadable]).await, [(10, 10)], "on one of two disks");
}

pub async fn a_receipt_names_a_bounded_number_of_ranges_the_oldest_first(store: &dyn Store) {
    let office = office(store).await;
    let odd: Vec<u64> = (1..=50).map(|n| n * 2).collect();
    let missing = numbers(store, &office, &odd).await;
    assert_eq!(missing, (0..16).map(|n| (n * 2 + 1, n * 2 + 1)).collect::<Vec<_>>());
    assert_eq!(numbers(store, &office, &[1]).await[0], (3, 3));
}

/// More than a receipt has room for: what neither life has must not hide what one of them has.
pub async fn of_what_one_life_gave_up_every_range_has_its_turn(store: &dyn Store) {
    let office = office(store).await;
    let even: Vec<u64> = (1..=50).map(|n| n * 2).collect();
    numbers(store, &office, &even).await;
    receive(store, &office, vec![gap(101, Declared::NotHeld { first: 1, last: 99 })]).await;
    receive(store, &office, vec![gap(103, Declared::RolledBack { first: 102, last: 102, after: 101 })]).await;
    let mut named = std::collections::BTreeSet::new();
    for request in 0..200_u64 {
        let mut batch = office.batch(vec![]);
        batch.signed.digest = mngntime_ledger::Digest::of(&request.to_be_bytes());
        let missing = store.receive(batch).await.unwrap().missing;
        assert_eq!(missing.len(), 16);
        assert!(missing.windows(2).all(|pair| pair[0] < pair[1]), "ascending, none twice: {missing:?}");
        assert!(missing.contains(&(102, 102)), "what nobody has answered for always comes first");
        named.extend(missing);
    }
    let all = (1..=50).map(|n| (n * 2 - 1, n * 2 - 1)).chain([(102, 102)]);
    assert_eq!(named, all.collect());
    // Which turn it is say the first eight bytes of the request's digest: of 50 ranges 15 at a time there are 36 turns.
    for (turn, first) in [(0, 1), (35, 71), (36, 1), (256, 9), (1_u64 << 32, 1 + 2 * ((1_u64 << 32) % 36))] {
        let mut batch = office.batch(vec![]);
        batch.signed.digest = mngntime_ledger::Digest::parse(&format!("{turn:016x}{:048}", 0)).unwrap();
        assert_eq!(store.receive(batch).await.unwrap().missing[0], (first, first), "turn {turn}");
    }
}

pub async fn a_roll_back_is_counted_and_stands_until_it_is_looked_into(store: &dyn Store) {
    let office = office(store).await;
    numbers(store, &office, &[1, 2, 3]).await;
    let first = gap(4, Declared::RolledBack { first: 3, last: 3, after: 2 });
    receive(store, &office, vec![first.clone()]).await;
    receive(store, &office, vec![first]).await;
    let mut copy = gap(6, Declared::RolledBack { first: 3, last: 3, after: 2 });
    copy.event.supersedes = Some(4);
    receive(store, &office, vec![logon(5, "hanako", NOW), copy]).await;
    let found = seen(store, &office).await;
    assert_eq!((found.standing(), found.rollbacks), (Standing::RolledBack, 1), "told once, counted once");
    assert_eq!(found.rolled_back_at, Some(NOW));
    receive(store, &office, vec![gap(7, Declared::RolledBack { first: 6, last: 6, after: 5 })]).await;
    assert_eq!(seen(store, &office).await.rollbacks, 2);
    numbers(store, &office, &[9]).await;
    store.clear_conflict(office.contract, office.terminal, act()).await.unwrap();
    let found = seen(store, &office).await;
    assert_eq!((found.standing(), found.rollbacks, found.rolled_back_at), (Standing::Complete, 0, None));
    assert_eq!(
        numbers(store, &office, &[]).await,
        [(8, 8)],
        "looked into is not found: it is asked for still"
    );
    assert_eq!(numbers(store, &office, &[11]).await, [(8, 8), (10, 10)]);
    assert_eq!(
        seen(store, &office).await.missing,
        MissingNumbers { count: 1, undeclared: 1, first: 10, last: 10, settled: 1 }
    );
}

/// A sign of life from OS run `boot`, `minute` minutes after it began to be heard, with its counter at
/// `counter_minute`.
async fn sign_of_life(store: &dyn Store, office: &Office, boot: &str, minute: i64, counter_minute: u64) {
    let batch = IncomingBatch {
        boot: boot.to_owned(),
        boot_counter_ms: counter_minute * 60_000,
        received_at: UtcMillis(NOW.0 + minute * 60_000),
        ..office.batch(vec![])
    };
    store.receive(batch).await.unwrap();
}

pub async fn two_runs_heard_in_turns_are_two_pcs(store: &dyn Store) {
    let office = office(store).await;
    sign_of_life(store, &office, "a", 0, 100).await;
    sign_of_life(store, &office, "b", 5, 3).await;
    assert_eq!(seen(store, &office).await.cloned_at, None, "a restart looks like this");
    sign_of_life(store, &office, "a", 15, 115).await;
    let found = seen(store, &office).await;
    assert_eq!((found.standing(), found.cloned_at), (Standing::Cloned, Some(UtcMillis(NOW.0 + 15 * 60_000))));
    store.clear_conflict(office.contract, office.terminal, act()).await.unwrap();
    assert_eq!(seen(store, &office).await.standing(), Standing::Complete);
    sign_of_life(store, &office, "b", 20, 18).await;
    assert_eq!(seen(store, &office).await.standing(), Standing::Cloned, "they are at it again");
}

pub async fn restarts_are_no_copies(store: &dyn Store) {
    let office = office(store).await;
    for day in 0..40 {
        sign_of_life(store, &office, &format!("boot-{day}"), day * 1440, 10).await;
        sign_of_life(store, &office, &format!("boot-{day}"), day * 1440 + 15, 25).await;
    }
    assert_eq!(seen(store, &office).await.standing(), Standing::Complete);
}

pub async fn a_restored_snapshot_of_a_running_system_is_a_roll_back(store: &dyn Store) {
    let office = office(store).await;
    sign_of_life(store, &office, "a", 0, 100).await;
    sign_of_life(store, &office, "b", 600, 3).await;
    // Saved two minutes after its last word, restored half a day later.
    sign_of_life(store, &office, "a", 720, 103).await;
    let found = seen(store, &office).await;
    assert_eq!((found.standing(), found.rollbacks, found.cloned_at), (Standing::RolledBack, 0, None));
}

pub async fn an_old_message_that_comes_late_proves_nothing(store: &dyn Store) {
    let office = office(store).await;
    sign_of_life(store, &office, "a", 0, 100).await;
    sign_of_life(store, &office, "b", 5, 3).await;
    sign_of_life(store, &office, "a", 6, 100).await;
    sign_of_life(store, &office, "b", 20, 18).await;
    sign_of_life(store, &office, "b", 21, 10).await;
    sign_of_life(store, &office, "c", 40, 1).await;
    sign_of_life(store, &office, "b", 41, 18).await;
    sign_of_life(store, &office, "c", 50, 11).await;
    assert_eq!(seen(store, &office).await.standing(), Standing::Complete);
}

pub async fn terminals_are_counted_by_standing(store: &dyn Store) {
    let office = office(store).await;
    let counted = async || -> Vec<(&'static str, u64)> {
        let all = store.count_standings().await.unwrap();
        all.into_iter().map(|(standing, count)| (standing.name(), count)).collect()
    };
    let only = |name: &'static str, missing: u64| {
        move |(standing, count): &(&str, u64)| *count == if *standing == name { missing } else { 0 }
    };
    assert!(counted().await.iter().all(only("complete", 1)));
    numbers(store, &office, &[3]).await;
    assert!(counted().await.iter().all(only("missing", 1)));
    receive(store, &office, vec![logon(3, "taro", NOW)]).await;
    assert!(counted().await.iter().all(only("conflict", 1)), "the gravest counts");
    let other = Office { terminal: terminal(store, "demo", "2").await, ..office };
    numbers(store, &other, &[1]).await;
    let both = counted().await;
    assert_eq!(both, [("cloned", 0), ("rolled_back", 0), ("conflict", 1), ("missing", 0), ("complete", 1)]);
    store.set_terminal_status(other.contract, other.terminal, TerminalStatus::Retired, act()).await.unwrap();
    assert!(counted().await.iter().all(only("conflict", 1)), "of those in use");
}
