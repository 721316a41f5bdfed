//! Sending: what the server, the network and a missing enrolment do to a punch.

use super::*;

#[test]
fn a_failed_punch_is_told_once_for_each_reason_and_its_success_says_resent() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    for _ in 0..4 {
        world.fail(network_down());
        let sent = world.sent.len();
        while world.sent.len() == sent {
            let next = (world.now.wall.0 - START) / 1000 + 1;
            world.wait_until(next);
        }
    }
    assert_eq!(world.notices_with("打刻失敗").len(), 1);
    assert!(!world.notices_with("打刻失敗")[0].contains("res="));
    assert!(world.sent.last().unwrap().iter().all(|(_, resent)| *resent));
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!(world.notices_with("打刻完了").len(), 1);
    assert!(world.notices_with("打刻完了")[0].contains("再送"));
    assert_eq!(world.agent.waiting(), 0);
}

#[test]
fn what_the_disk_does_not_give_now_holds_up_nothing_else_and_is_tried_again_later() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let first = world.sent.last().unwrap()[0].0;
    let wanted: Vec<u64> = world.sent.last().unwrap().iter().map(|(sequence, _)| *sequence).collect();
    assert!(wanted.len() > 1);
    let not_read = || Input::NotReadNow { sequence: first, detail: "Input/output error".into() };
    world.give(not_read());
    world.give(not_read());
    assert_eq!(world.notices_with("Input/output error").len(), 1, "told once");
    let accepted =
        |sequence: &u64| AnswerItem { sequence: *sequence, stored: true, result: Ok(PunchResult::Accepted) };
    let items = wanted[1..].iter().map(accepted).collect();
    world.give(Input::Sent(SendOutcome::Answered(Answer { items, ..answer(wanted.len() as u64, &[]) })));
    assert_eq!(world.agent.waiting(), 1, "the others have their receipts");
    // What was put off is tried when others have gone through, as what was refused is; then once in a while.
    let batches = |world: &World| -> Vec<Vec<u64>> {
        world.sent.iter().map(|batch| batch.iter().map(|(sequence, _)| *sequence).collect()).collect()
    };
    assert_eq!(batches(&world).last(), Some(&vec![first]));
    world.give(not_read());
    world.give(Input::Sent(SendOutcome::Answered(answer(wanted.len() as u64, &[]))));
    let sent = world.sent.len();
    world.wait_until(14 * 60);
    assert_eq!(batches(&world)[sent..].iter().filter(|batch| !batch.is_empty()).count(), 0, "no storm");
    world.wait_until(40 * 60);
    world.answer(Ok(PunchResult::Accepted));
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!((batches(&world).last(), world.agent.waiting()), (Some(&vec![first]), 0));
}

#[test]
fn res_7_leaves_the_spool_and_res_5_stays_in_it() {
    for (result, waiting) in [
        (Ok(PunchResult::UserUnusable), 0),
        (Ok(PunchResult::ContractUnusable), 1),
        (Ok(PunchResult::TerminalUnusable), 1),
        (Ok(PunchResult::ReenrollmentRequired), 1),
        (Ok(PunchResult::ServerFailed), 1),
        (Err(77), 1),
    ] {
        let mut world = World::start(vec![session("2", "hanako", -10)]);
        world.wait_until(1);
        world.answer(result);
        assert_eq!(world.agent.waiting(), waiting, "{result:?}");
        assert_eq!(world.notices_with("打刻失敗").len(), 1, "{result:?}");
        assert!(world.notices_with("打刻失敗")[0].contains("[res="), "{result:?}");
    }
}

#[test]
fn other_bytes_under_our_number_are_never_acknowledged() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let batch = world.sent.last().unwrap().clone();
    let items = batch
        .iter()
        .map(|(sequence, _)| AnswerItem {
            sequence: *sequence,
            stored: false,
            result: Ok(PunchResult::Accepted),
        })
        .collect();
    world.give(Input::Sent(SendOutcome::Answered(Answer { items, ..answer(0, &[]) })));
    assert!(world.acknowledged.is_empty());
    assert_eq!(
        world.agent.waiting(),
        batch.len() as u64 + 1,
        "each under a new number, and a gap that says why"
    );
}

#[test]
fn what_was_refused_goes_at_once_when_something_is_accepted_again() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.answer(Ok(PunchResult::TerminalUnusable));
    let sent = world.sent.len();
    world.wait_until(100);
    assert_eq!(world.sent.len(), sent, "the slow lane waits");
    world.list = vec![];
    world.notice("2", SessionChange::Ended, None);
    world.answer(Ok(PunchResult::Accepted));
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!(world.agent.waiting(), 0);
}

#[test]
fn a_server_that_does_not_know_the_terminal_is_asked_to_enrol_it() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let refused = Answer { refused: Some(6), ..answer(0, &[]) };
    world.give(Input::Sent(SendOutcome::Answered(refused)));
    assert_eq!(world.notices_with("[res=6]").len(), 1);
    assert!(!world.other.contains(&Command::Enroll), "not before the slow lane's turn");
    world.wait_until(910);
    assert!(world.other.contains(&Command::Enroll));
    world.give(Input::Enrolled(EnrollOutcome::Done { display_name: "MINAGINE".into() }));
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!(world.agent.waiting(), 0);
}

#[test]
fn retry_after_is_obeyed() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let sent = world.sent.len();
    let cause = FailureCause::ServerInternal { http_status: 503 };
    world.give(Input::Sent(SendOutcome::Failed { cause, retry_after_seconds: Some(120) }));
    world.wait_until(119);
    assert_eq!(world.sent.len(), sent);
    world.wait_until(130);
    assert_eq!(world.sent.len(), sent + 1);
}

#[test]
fn an_empty_batch_is_a_sign_of_life() {
    let mut world = World::start(vec![]);
    world.wait_until(1);
    world.answer(Ok(PunchResult::Accepted));
    let sent = world.sent.len();
    world.wait_until(901);
    assert_eq!(world.sent.len(), sent + 1);
    assert!(world.sent.last().unwrap().is_empty());
    world.fail(network_down());
    assert!(world.notices_with("打刻失敗").is_empty());
}

#[test]
fn a_refused_enrolment_is_told_again_only_when_its_reason_changes() {
    let mut world = World::start_with(Recovered::default(), "b1", vec![]);
    world.wait_until(1);
    let mut refuse = |reason| {
        let cause = FailureCause::Result(PunchResult::TerminalUnusable);
        world.give(Input::Enrolled(EnrollOutcome::Failed { cause, reason, retry_after_seconds: None }));
        world.notices_with("端末を登録できません。[res=6]").len()
    };
    assert_eq!(refuse(Some(EnrollmentRefusal::KeyExpired)), 1);
    assert_eq!(refuse(Some(EnrollmentRefusal::KeyExpired)), 1);
    assert_eq!(refuse(Some(EnrollmentRefusal::KeyRevoked)), 2);
    assert_eq!(refuse(None), 3, "a server that does not say why");
}

#[test]
fn without_enrolment_nothing_is_sent_and_each_punch_hears_why() {
    let recovered = Recovered::default();
    let mut world = World::start_with(recovered, "b1", vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    assert_eq!(world.other, [Command::Heartbeat, Command::Enroll]);
    let cause = FailureCause::Result(PunchResult::ContractUnusable);
    world.give(Input::Enrolled(EnrollOutcome::Failed { cause, reason: None, retry_after_seconds: None }));
    assert!(world.notices_with("LOGON[EXAMPLE\\hanako]:打刻失敗 [res=5]").len() == 1);
    world.wait_until(30);
    let attempts = world.other.iter().filter(|command| **command == Command::Enroll).count();
    assert_eq!(attempts, 1, "a refusal is not repeated every few seconds");
    assert!(world.sent.is_empty());
    world.give(Input::ConfigurationChanged { enrolled: false });
    assert_eq!(world.other.last(), Some(&Command::Enroll), "a new configuration is tried at once");
    world.give(Input::Enrolled(EnrollOutcome::Done { display_name: "MINAGINE".into() }));
    assert_eq!(world.sent.len(), 1);
    assert!(world.sent[0].iter().any(|(_, resent)| *resent));
}

#[test]
fn while_the_disk_takes_nothing_punches_are_kept_and_the_rest_is_counted_beyond_a_limit() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.answer(Ok(PunchResult::Accepted));
    let delivered = world.agent.waiting();
    world.disk_fails = true;
    for _ in 0..UNSTORED_MAX / 2 {
        world.notice("2", SessionChange::Locked, None);
        world.notice("2", SessionChange::Unlocked, None);
    }
    assert_eq!(world.agent.unstored(), UNSTORED_MAX as u64);
    for _ in 0..3 {
        world.notice("2", SessionChange::Locked, None);
    }
    assert_eq!(world.agent.unstored(), UNSTORED_MAX as u64, "only so much fits into memory");
    world.list.clear();
    world.notice("2", SessionChange::Ended, None);
    assert_eq!(world.agent.unstored(), UNSTORED_MAX as u64 + 1, "but a logoff always does");
    assert_eq!(world.agent.waiting(), delivered + world.agent.unstored());
    world.disk_fails = false;
    world.wait_until(70);
    assert_eq!(world.punches().last().map(|(kind, ..)| *kind), Some(EventKind::Logoff));
    assert_eq!(world.stored.last().unwrap().cause.as_deref(), Some("could_not_store:3"));
    assert_eq!(world.agent.unstored(), 0);
    assert_eq!(world.notices_with("保存できるように").len(), 1);
}

#[test]
fn with_a_crowd_a_logon_goes_within_the_spread_that_the_server_wishes() {
    let mut world = World::start(vec![]);
    world.wait_until(1);
    let taken = |(sequence, _): &(u64, bool)| AnswerItem {
        sequence: *sequence,
        stored: true,
        result: Ok(PunchResult::Accepted),
    };
    let items = world.sent.last().unwrap().iter().map(taken).collect();
    let wishes = ServerWishes { spread_seconds: 60, ..wishes() };
    let answer = Answer { items, wishes, ..answer(world.head(), &[]) };
    world.give(Input::Sent(SendOutcome::Answered(answer)));
    let sent = world.sent.len();
    world.list = vec![session("2", "hanako", 1)];
    world.notice("2", SessionChange::Began, Some(session("2", "hanako", 1)));
    assert_eq!(world.sent.len(), sent, "not at the second at which everybody logs on");
    world.wait_until(61);
    assert_eq!(world.sent.len(), sent + 1);
}

#[test]
fn an_ending_agent_that_is_not_enrolled_ends_at_once() {
    let mut world = World::start_with(Recovered::default(), "b1", vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let cause = network_down();
    world.give(Input::Enrolled(EnrollOutcome::Failed { cause, reason: None, retry_after_seconds: None }));
    world.other.clear();
    world.give(Input::Stop { system_is_going_down: true });
    assert_eq!(world.other, [Command::Finished], "a service that ends has no time to enrol");
}

/// A logon script on a PC that is not enrolled: what it still does once the record is stored.
#[test]
fn an_ending_script_enrols_once_and_sends() {
    let hanako = session("2", "hanako", 0);
    let after_enrolment = |outcome: EnrollOutcome| {
        let recovered = Recovered::default();
        let mut agent = Agent::start(Mode::Script, settings(), recovered, boot("b1"), moment(0));
        agent.handle(Input::Script { kind: EventKind::Logon, session: hanako.clone() }, moment(0));
        agent.handle(Input::Stop { system_is_going_down: false }, moment(0));
        assert!(matches!(agent.next_command(), Some(Command::Append(_))));
        agent.handle(Input::Stored { sequence: 1 }, moment(0));
        assert_eq!(agent.next_command(), Some(Command::Enroll));
        agent.handle(Input::Enrolled(outcome), moment(0));
        std::iter::from_fn(|| agent.next_command())
            .filter(|command| !matches!(command, Command::Notice(_)))
            .collect::<Vec<_>>()
    };
    let done = after_enrolment(EnrollOutcome::Done { display_name: "MINAGINE".into() });
    assert_eq!(done, [Command::Send { events: vec![(1, false)], waiting: 1 }]);
    let (cause, reason, retry_after_seconds) = (network_down(), None, None);
    let failed = after_enrolment(EnrollOutcome::Failed { cause, reason, retry_after_seconds });
    assert_eq!(failed, [Command::Finished]);
}

/// Seconds since the start.
fn second(world: &World) -> i64 {
    (world.now.wall.0 - START) / 1000
}

#[test]
fn when_the_network_comes_back_the_long_wait_is_over_but_not_for_all_pcs_at_once() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let cause = FailureCause::ServerInternal { http_status: 503 };
    world.give(Input::Sent(SendOutcome::Failed { cause, retry_after_seconds: Some(600) }));
    let sent = world.sent.len();
    world.wait_until(30);
    world.give(Input::NetworkChanged);
    assert_eq!(world.sent.len(), sent, "a floor of PCs does not come in the same moment");
    world.wait_until(33);
    assert_eq!(world.sent.len(), sent + 1);
}

#[test]
fn what_the_server_could_not_process_is_sent_again_after_a_pause() {
    let mut world = World::start(vec![session("2", "hanako", -10), session("3", "taro", -10)]);
    world.wait_until(1);
    let sent = world.sent.len();
    let item = |(sequence, _): &(u64, bool)| {
        let event = world.stored.iter().find(|event| event.sequence == *sequence).unwrap();
        let result = match event.account.as_ref().map(|account| account.name.as_str()) {
            Some("hanako") => PunchResult::ServerFailed,
            Some(_) => PunchResult::ContractUnusable,
            None => PunchResult::Accepted,
        };
        AnswerItem { sequence: *sequence, stored: true, result: Ok(result) }
    };
    let items = world.sent.last().unwrap().iter().map(item).collect();
    world.give(Input::Sent(SendOutcome::Answered(Answer { items, ..answer(world.head(), &[]) })));
    assert_eq!(world.agent.waiting(), 2);
    assert_eq!(world.sent.len(), sent, "a server in trouble is not asked again in the same moment");
    let until = second(&world) + 3;
    world.wait_until(until);
    assert_eq!(
        world.sent[sent..].iter().map(Vec::len).collect::<Vec<_>>(),
        [1],
        "only what may go through now"
    );
}

#[test]
fn what_an_answer_does_not_speak_of_is_sent_again_and_says_so() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let first = world.sent.last().unwrap().clone();
    let (logon, others) = first.split_last().unwrap();
    assert!(!logon.1);
    let accepted = |(sequence, _): &(u64, bool)| AnswerItem {
        sequence: *sequence,
        stored: true,
        result: Ok(PunchResult::Accepted),
    };
    let items = others.iter().map(accepted).collect();
    world.give(Input::Sent(SendOutcome::Answered(Answer { items, ..answer(world.head(), &[]) })));
    assert_eq!(world.sent.last().unwrap(), &[(logon.0, true)]);
    world.answer(Ok(PunchResult::Accepted));
    assert!(world.notices_with("打刻完了")[0].contains("再送"));
}

#[test]
fn an_ending_agent_whose_terminal_has_just_become_unknown_does_not_enrol_it() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.give(Input::Sent(SendOutcome::Answered(Answer { refused: Some(6), ..answer(0, &[]) })));
    world.give(Input::Stop { system_is_going_down: false });
    assert!(!world.other.contains(&Command::Enroll), "a service that ends has no time to enrol");
    assert_eq!(world.other.last(), Some(&Command::Finished));
}
