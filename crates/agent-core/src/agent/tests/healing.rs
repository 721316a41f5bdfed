//! The server's memory and the PC's, where they differ.

use super::*;
use crate::settings::{BATCH_EVENTS_MAX, NUMBERS_PASSED_MAX, SEND_AGAIN_AFTER_MS};
use mngntime_model::Declared;

/// A run that is enrolled, with receipts for everything: numbers 1 (boot), 2 (start) and 3 (花子's logon).
fn delivered() -> World {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!((world.acknowledged.as_slice(), world.agent.waiting()), (&[1, 2, 3][..], 0));
    world
}

/// A sign of life is sent and answered like this.
fn hears(world: &mut World, answer: Answer) {
    let sent = world.sent.len();
    let contact = (world.now.wall.0 - START) / 1000 + 901;
    while world.sent.len() == sent {
        assert!(world.now.wall < moment(contact).wall, "no contact");
        let next = (world.now.wall.0 - START) / 1000 + 1;
        world.wait_until(next);
    }
    world.give(Input::Sent(SendOutcome::Answered(answer)));
}

/// The answer to the last batch: the server holds other bytes under all of `taken`.
fn refuses(world: &mut World, taken: &[u64], head: u64) {
    let batch = world.sent.last().unwrap().clone();
    let items = batch.iter().map(|(sequence, _)| {
        let stored = !taken.contains(sequence);
        let result = if stored { PunchResult::Accepted } else { PunchResult::TerminalUnusable };
        AnswerItem { sequence: *sequence, stored, result: Ok(result) }
    });
    let answer = Answer { items: items.collect(), ..answer(head, &[]) };
    world.give(Input::Sent(SendOutcome::Answered(answer)));
}

fn numbers(batch: &[(u64, bool)]) -> Vec<u64> {
    batch.iter().map(|(sequence, _)| *sequence).collect()
}

fn causes(world: &World) -> Vec<(u64, &str)> {
    let gaps = world.stored.iter().filter(|event| event.kind == EventKind::Gap);
    gaps.map(|event| (event.sequence, event.cause.as_deref().unwrap())).collect()
}

#[test]
fn a_head_below_a_receipt_brings_back_everything_above_it() {
    let mut world = delivered();
    hears(&mut world, answer(1, &[]));
    assert_eq!(world.sent.last().unwrap(), &[(2, true), (3, true)], "as sent again");
    assert_eq!(world.notices_with("再送します").len(), 1);
    let told = world.notices_with("打刻完了").len();
    world.answer(Ok(PunchResult::Accepted));
    let sent = world.sent.len();
    world.wait_until(900);
    assert_eq!(world.sent.len(), sent, "once");
    assert_eq!(world.notices_with("打刻完了").len(), told, "nobody punched again");
    assert!(causes(&world).is_empty());
}

#[test]
fn a_head_equal_to_the_last_receipt_is_whole() {
    let mut world = delivered();
    hears(&mut world, answer(3, &[]));
    let sent = world.sent.len();
    world.wait_until(900);
    assert_eq!((world.sent.len(), world.stored.len()), (sent, 3));
}

#[test]
fn a_hole_below_the_head_is_filled_and_one_that_nobody_can_fill_is_declared_once() {
    let mut world = delivered();
    world.agent.handle(Input::Pruned { last: 1 }, world.now);
    hears(&mut world, answer(3, &[(1, 2)]));
    assert_eq!(causes(&world), [(4, "not_held:1-1")]);
    assert_eq!(numbers(world.sent.last().unwrap()), [2, 4], "in one batch with what is new");
    for _ in 0..3 {
        let batch = world.sent.last().unwrap().clone();
        let items = batch.iter().map(|(sequence, _)| AnswerItem {
            sequence: *sequence,
            stored: true,
            result: Ok(PunchResult::Accepted),
        });
        let answer = Answer { items: items.collect(), ..answer(4, &[(1, 2)]) };
        world.give(Input::Sent(SendOutcome::Answered(answer.clone())));
        hears(&mut world, answer);
    }
    assert_eq!(causes(&world), [(4, "not_held:1-1")], "a server that keeps asking hears nothing new");
}

#[test]
fn a_server_that_is_never_content_gets_the_same_event_once_an_hour() {
    let mut world = delivered();
    let hours = 5;
    let until = hours * i64::try_from(SEND_AGAIN_AFTER_MS / 1000).unwrap();
    while world.now.wall < moment(until).wall {
        let sent = world.sent.len();
        let next = (world.now.wall.0 - START) / 1000 + 60;
        world.wait_until(next);
        if world.sent.len() > sent {
            let items = world.sent.last().unwrap().iter().map(|(sequence, _)| AnswerItem {
                sequence: *sequence,
                stored: true,
                result: Ok(PunchResult::Accepted),
            });
            let answer = Answer { items: items.collect(), ..answer(3, &[(2, 2)]) };
            world.give(Input::Sent(SendOutcome::Answered(answer)));
        }
    }
    let times = world.sent.iter().flatten().filter(|(sequence, _)| *sequence == 2).count();
    assert!((2..=6).contains(&times), "{times} times in {hours} hours");
}

#[test]
fn what_the_server_lost_goes_in_batches_behind_what_is_new() {
    let many = BATCH_EVENTS_MAX as u64 * 2 + 50;
    let recovered = Recovered {
        last_sequence: many,
        kept: (1..=many).collect(),
        enrolled: true,
        last_seen: Some(LastSeen { boot: boot("b1"), moment: moment(-5) }),
        ..Recovered::default()
    };
    let mut world = World::start_with(recovered, "b1", vec![]);
    world.wait_until(1);
    assert_eq!(numbers(&world.sent[0]), [many + 1], "the start itself");
    let head = many + 1;
    world.give(Input::Sent(SendOutcome::Answered(Answer {
        items: vec![AnswerItem { sequence: head, stored: true, result: Ok(PunchResult::Accepted) }],
        ..answer(head, &[(1, many)])
    })));
    for _ in 0..3 {
        world.answer(Ok(PunchResult::Accepted));
    }
    let again: Vec<usize> = world.sent[1..].iter().map(Vec::len).collect();
    assert_eq!(again, [BATCH_EVENTS_MAX, BATCH_EVENTS_MAX, 50]);
    assert_eq!(numbers(&world.sent[1..].concat()), (1..=many).collect::<Vec<_>>(), "oldest first");
    let (mut world, start) = (world, world_with_news());
    world.wait_until(5);
    assert_eq!(numbers(start.sent.last().unwrap())[..1], [3], "with the oldest first in a mixed batch");
}

/// One that has something new and something lost at the same time.
fn world_with_news() -> World {
    let mut world = delivered();
    hears(&mut world, answer(2, &[]));
    world
}

#[test]
fn with_a_crowd_the_lost_are_spread_and_a_failure_puts_them_off() {
    let mut world = delivered();
    let crowd = ServerWishes { spread_seconds: 300, ..wishes() };
    hears(&mut world, Answer { wishes: crowd, ..answer(0, &[]) });
    world.wait_until((world.now.wall.0 - START) / 1000 + 1);
    assert!(world.sent.last().unwrap().is_empty(), "not all terminals in the same second");
    world.wait_until((world.now.wall.0 - START) / 1000 + 300);
    assert_eq!(numbers(world.sent.last().unwrap()), [1, 2, 3]);
    let cause = FailureCause::ServerInternal { http_status: 503 };
    world.give(Input::Sent(SendOutcome::Failed { cause, retry_after_seconds: Some(120) }));
    let sent = world.sent.len();
    world.wait_until((world.now.wall.0 - START) / 1000 + 119);
    assert_eq!(world.sent.len(), sent);
    world.wait_until((world.now.wall.0 - START) / 1000 + 10);
    assert_eq!(numbers(world.sent.last().unwrap()), [1, 2, 3], "and is tried again after it");
}

#[test]
fn a_refused_batch_says_nothing_of_what_the_server_holds() {
    let mut world = delivered();
    hears(&mut world, Answer { refused: Some(5), ..answer(0, &[(1, 9)]) });
    world.wait_until((world.now.wall.0 - START) / 1000 + 800);
    assert!(causes(&world).is_empty() && world.sent.last().unwrap().is_empty());
}

#[test]
fn a_head_above_every_number_of_ours_moves_the_numbers_on() {
    let mut world = delivered();
    hears(&mut world, answer(9, &[]));
    assert_eq!(causes(&world), [(10, "rolled_back:4-9;after=3")]);
    assert_eq!(world.notices_with("過去の状態に戻されています").len(), 1);
    let bounds = world.stored.last().unwrap().bounds.unwrap();
    assert_eq!((bounds.not_before, bounds.not_after), (moment(0).wall, world.now.wall));
    world.answer(Ok(PunchResult::Accepted));
    world.list.clear();
    world.notice("2", SessionChange::Ended, None);
    assert_eq!(world.stored.last().unwrap().sequence, 11);
}

#[test]
fn a_claim_beyond_all_reason_takes_no_numbers_away() {
    let mut world = delivered();
    hears(&mut world, answer(3 + NUMBERS_PASSED_MAX + 1, &[]));
    assert!(causes(&world).is_empty());
    hears(&mut world, answer(3 + NUMBERS_PASSED_MAX, &[]));
    assert_eq!(causes(&world).len(), 1);
}

#[test]
fn refused_events_are_recorded_again_as_they_were_and_then_let_go() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    refuses(&mut world, &[2, 3], 7);
    assert_eq!(causes(&world), [(8, "rolled_back:2-7;after=3")]);
    let again: Vec<_> = world.stored.iter().filter(|event| event.supersedes.is_some()).collect();
    let old = |event: &Event| {
        let first = event.supersedes.unwrap();
        let old = world.stored.iter().find(|old| old.sequence == first).unwrap().clone();
        Event { sequence: event.sequence, supersedes: event.supersedes, ..old }
    };
    assert_eq!(
        again.iter().map(|event| (event.sequence, event.supersedes)).collect::<Vec<_>>(),
        [(9, Some(2)), (10, Some(3))]
    );
    assert!(again.iter().all(|event| **event == old(event)), "nothing but the number is new");
    assert_eq!(numbers(world.sent.last().unwrap()), [8, 9, 10]);
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!((world.agent.waiting(), world.acknowledged.as_slice()), (0, &[1, 8, 9, 10][..]));
    assert_eq!(world.notices_with("打刻完了").len(), 1);
    assert!(world.notices_with("打刻完了")[0].contains("再送"));
    assert!(world.notices_with("打刻失敗").is_empty(), "it is no fault of who punched");
    assert_eq!(world.agent.stays().iter().count(), 1);
}

#[test]
fn a_refusal_while_the_disk_is_full_is_recorded_once_when_it_is_not() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.disk_fails = true;
    refuses(&mut world, &[3], 3);
    world.wait_until(1000);
    let resent = world.sent.iter().flatten().filter(|(sequence, _)| *sequence == 3).count();
    assert!(resent >= 1, "{resent}");
    if world.sent.last().is_some_and(|batch| batch.iter().any(|(sequence, _)| *sequence == 3)) {
        refuses(&mut world, &[3], 3);
    }
    world.disk_fails = false;
    world.wait_until(1100);
    let again = world.stored.iter().filter(|event| event.supersedes == Some(3)).count();
    assert_eq!((again, causes(&world).len()), (1, 1));
}

#[test]
fn only_the_first_news_of_higher_numbers_is_recorded_at_once() {
    let mut world = delivered();
    hears(&mut world, answer(5, &[]));
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!(causes(&world).len(), 1);
    // A second PC with our identity answers with a gap of its own, and so on for ever.
    for head in [8, 9, 12] {
        hears(&mut world, answer(head, &[]));
    }
    assert_eq!(causes(&world).len(), 1, "an idle pair writes nothing");
    world.list.clear();
    world.notice("2", SessionChange::Ended, None);
    assert_eq!(causes(&world)[1], (13, "rolled_back:7-12;after=6"));
    assert_eq!(world.stored.last().unwrap().sequence, 14);
}

#[test]
fn after_a_crash_between_gap_and_copy_only_the_copy_is_still_to_be_made() {
    let mut before = World::start(vec![session("2", "hanako", -10)]);
    before.wait_until(1);
    refuses(&mut before, &[3], 3);
    assert_eq!(causes(&before), [(4, "rolled_back:3-3;after=3")]);
    // The copy, number 5, never reached the disk.
    before.stored.retain(|event| event.sequence < 5);
    let declared = vec![Declared::RolledBack { first: 3, last: 3, after: 3 }];
    let recovered = Recovered { declared, ..journal_of(&before, false) };
    let mut world = World::start_with(recovered, "b1", vec![session("2", "hanako", -10)]);
    world.stored.splice(0..0, before.stored);
    world.wait_until(1);
    refuses(&mut world, &[3], 5);
    let copies: Vec<_> = world.stored.iter().filter(|event| event.supersedes == Some(3)).collect();
    assert_eq!((copies.len(), causes(&world).len()), (1, 1));
}

#[test]
fn what_was_sent_again_and_met_other_bytes_is_recorded_again() {
    let mut world = delivered();
    hears(&mut world, answer(1, &[]));
    assert_eq!(numbers(world.sent.last().unwrap()), [2, 3]);
    refuses(&mut world, &[3], 3);
    assert_eq!(causes(&world), [(4, "rolled_back:3-3;after=3")]);
    assert_eq!(world.stored.last().unwrap().supersedes, Some(3));
}

#[test]
fn another_terminal_owes_nothing_to_the_server_of_the_first() {
    let mut world = delivered();
    world.give(Input::NewTerminal);
    world.give(Input::Enrolled(EnrollOutcome::Done { display_name: "MINAGINE".into() }));
    world.list.clear();
    world.notice("2", SessionChange::Ended, None);
    let mut answered = answer(4, &[(1, 3)]);
    answered.items = vec![AnswerItem { sequence: 4, stored: true, result: Ok(PunchResult::Accepted) }];
    world.wait_until((world.now.wall.0 - START) / 1000 + 2);
    while numbers(world.sent.last().unwrap()) != [4] {
        hears(&mut world, answer(0, &[]));
    }
    world.give(Input::Sent(SendOutcome::Answered(answered)));
    assert_eq!(causes(&world), [(5, "earlier_enrollment:1-3")]);
    let again = world.sent.iter().flatten().filter(|(sequence, _)| *sequence < 4).count();
    assert_eq!(again, 3, "only their first sending");
}

#[test]
fn a_hole_across_the_border_of_two_enrolments_is_declared_in_two_parts() {
    let recovered = Recovered {
        last_sequence: 8,
        enrolled_after: 5,
        enrolled: true,
        last_seen: Some(LastSeen { boot: boot("b1"), moment: moment(-5) }),
        ..Recovered::default()
    };
    let mut world = World::start_with(recovered, "b1", vec![]);
    world.wait_until(1);
    assert_eq!(numbers(world.sent.last().unwrap()), [9]);
    world.give(Input::Sent(SendOutcome::Answered(answer(9, &[(3, 8)]))));
    assert_eq!(causes(&world), [(10, "earlier_enrollment:3-5"), (11, "not_held:6-8")]);
}

#[test]
fn a_record_to_be_sent_again_that_cannot_be_read_is_declared() {
    let mut world = delivered();
    hears(&mut world, answer(3, &[(2, 2)]));
    world.give(Input::Unreadable { sequence: 2 });
    world.give(Input::Unreadable { sequence: 2 });
    assert_eq!(causes(&world), [(4, "not_held:2-2")]);
    assert_eq!(world.notices_with("この端末にも残っていません").len(), 1);
}

#[test]
fn an_ending_agent_sends_once_more_what_got_new_numbers() {
    let mut world = delivered();
    world.give(Input::Stop { system_is_going_down: true });
    assert_eq!(numbers(world.sent.last().unwrap()), [4, 5], "a logoff and the end");
    refuses(&mut world, &[4, 5], 6);
    assert_eq!(numbers(world.sent.last().unwrap()), [7, 8, 9]);
    assert!(!world.other.contains(&Command::Finished));
    world.answer(Ok(PunchResult::Accepted));
    assert!(world.other.contains(&Command::Finished));
    assert_eq!(world.agent.waiting(), 0);
}

#[test]
fn a_server_that_refuses_every_number_does_not_fill_the_disk() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let (mut answered, mut rounds) = (0, 0);
    while rounds < 500 && world.sent.len() > answered {
        answered = world.sent.len();
        let taken = numbers(world.sent.last().unwrap());
        refuses(&mut world, &taken, *taken.last().unwrap());
        rounds += 1;
    }
    let most = crate::settings::RENUMBERINGS_PER_HOUR_MAX as usize;
    assert!((most..=most + 2).contains(&rounds), "{rounds} rounds in one second");
    let stored = world.stored.len();
    world.wait_until(800);
    assert_eq!(world.stored.len(), stored, "then it waits for the slow lane");
    assert!(world.agent.waiting() > 0, "and nothing is let go of");
}

#[test]
fn what_the_server_refused_and_now_misses_is_on_its_way_and_not_declared() {
    let mut world = delivered();
    world.list.push(session("3", "taro", 1));
    world.notice("3", SessionChange::Began, Some(session("3", "taro", 1)));
    world.answer(Ok(PunchResult::ContractUnusable));
    world.notice("2", SessionChange::Locked, None);
    assert_eq!(numbers(world.sent.last().unwrap()), [5]);
    let item = AnswerItem { sequence: 5, stored: true, result: Ok(PunchResult::Accepted) };
    let answer = Answer { items: vec![item], ..answer(5, &[(4, 4)]) };
    world.give(Input::Sent(SendOutcome::Answered(answer)));
    assert!(causes(&world).is_empty());
    assert!(numbers(world.sent.last().unwrap()).contains(&4));
}

#[test]
fn what_else_waits_for_the_disk_does_not_keep_refused_events_from_new_numbers() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.disk_fails = true;
    world.notice("2", SessionChange::Locked, None);
    refuses(&mut world, &[1, 2, 3], 3);
    world.disk_fails = false;
    world.wait_until(70);
    let again: Vec<_> = world.stored.iter().filter_map(|event| event.supersedes).collect();
    assert_eq!(again, [1, 2, 3]);
}
