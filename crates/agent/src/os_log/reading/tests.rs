//! What is declared missing, and where the next reading begins.

use super::*;

fn position(record_id: u64, at: i64) -> LogPosition {
    LogPosition { channel: LogChannel::LocalSessionManager, record_id, written_at: UtcMillis(at) }
}

fn read(oldest: (u64, i64), newest: (u64, i64)) -> ChannelRead {
    ChannelRead {
        channel: LogChannel::LocalSessionManager,
        oldest: Some(position(oldest.0, oldest.1)),
        newest: Some(position(newest.0, newest.1)),
        records: vec![],
        end: ReadEnd::Whole,
    }
}

fn wanted(positions: Vec<LogPosition>) -> LogWanted {
    LogWanted { positions, since: UtcMillis(5_000) }
}

fn assembled(wanted: &LogWanted, channels: &[ChannelRead]) -> LogReading {
    let accounts = Accounts { names_of_sid: &|_| None, sid_of_names: &|_, _| None, in_time: &|| true };
    assemble(wanted, channels, &accounts).unwrap()
}

#[test]
fn a_log_that_still_has_the_next_record_misses_nothing() {
    let reading = assembled(&wanted(vec![position(10, 1_000)]), &[read((11, 2_000), (20, 9_000))]);
    assert_eq!(reading.gaps, []);
    assert_eq!(reading.positions, [position(20, 9_000)]);
}

#[test]
fn a_log_that_was_overwritten_past_the_bookmark_is_a_gap() {
    let reading = assembled(&wanted(vec![position(10, 1_000)]), &[read((12, 7_000), (20, 9_000))]);
    let gap = LogGap {
        channel: LogChannel::LocalSessionManager,
        from: UtcMillis(1_000),
        to: UtcMillis(7_000),
        why: LogGapReason::Wrapped,
    };
    assert_eq!(reading.gaps, [gap]);
    // Without a bookmark the time must tell.
    assert_eq!(assembled(&wanted(vec![]), &[read((12, 7_000), (20, 9_000))]).gaps.len(), 1);
    assert_eq!(assembled(&wanted(vec![]), &[read((12, 4_000), (20, 9_000))]).gaps, []);
    assert_eq!(assembled(&wanted(vec![]), &[read((1, 7_000), (20, 9_000))]).gaps, [], "a new log");
}

#[test]
fn numbers_that_begin_again_mean_a_cleared_log() {
    let reading = assembled(&wanted(vec![position(1_000, 1_000)]), &[read((1, 7_000), (3, 9_000))]);
    assert_eq!(reading.gaps[0].why, LogGapReason::Cleared);
}

#[test]
fn the_record_of_a_clearing_says_when_and_counts_once() {
    let record = LogRecord::parse(include_str!("../fixtures/eventlog-104-server-2016.xml")).unwrap();
    let cleared_at = record.written_at;
    let system = LogPosition { channel: LogChannel::System, ..position(6_000, cleared_at.0 + 5) };
    let channels = [
        read((12, cleared_at.0 + 1), (20, cleared_at.0 + 9)),
        ChannelRead {
            channel: LogChannel::System,
            oldest: Some(LogPosition { record_id: 1, written_at: UtcMillis(0), ..system }),
            newest: Some(system),
            records: vec![record],
            end: ReadEnd::Whole,
        },
    ];
    let reading = assembled(&wanted(vec![position(10, 1_000)]), &channels);
    let [gap] = &reading.gaps[..] else { panic!("{:?}", reading.gaps) };
    assert_eq!((gap.channel, gap.why), (LogChannel::LocalSessionManager, LogGapReason::Cleared));
    assert_eq!((gap.from, gap.to), (UtcMillis(1_000), cleared_at));
}

#[test]
fn a_channel_that_never_could_be_read_is_no_gap_and_one_that_could_is() {
    let unreadable = || ChannelRead::unreadable(LogChannel::System);
    let sessions = || read((1, 0), (2, 9_000));
    assert_eq!(assembled(&wanted(vec![]), &[sessions(), unreadable()]).gaps, []);
    let before = LogPosition { channel: LogChannel::System, ..position(7, 4_000) };
    let reading = assembled(&wanted(vec![before]), &[sessions(), unreadable()]);
    assert_eq!(reading.gaps[0].why, LogGapReason::Unreadable);
    assert!(reading.positions.contains(&before), "it goes on from there when it can be read again");
}

#[test]
fn a_busy_security_log_matters_only_when_it_is_the_only_one() {
    let security = || ChannelRead {
        channel: LogChannel::Security,
        oldest: Some(LogPosition { channel: LogChannel::Security, ..position(900, 8_000) }),
        newest: Some(LogPosition { channel: LogChannel::Security, ..position(999, 9_000) }),
        records: vec![],
        end: ReadEnd::Whole,
    };
    assert_eq!(assembled(&wanted(vec![]), &[read((1, 0), (2, 9_000)), security()]).gaps, []);
    assert_eq!(assembled(&wanted(vec![]), &[security()]).gaps.len(), 1);
}

#[test]
fn no_readable_channel_is_no_reading() {
    let accounts = Accounts { names_of_sid: &|_| None, sid_of_names: &|_, _| None, in_time: &|| true };
    let channels = LogChannel::ALL.map(ChannelRead::unreadable);
    assert_eq!(assemble(&wanted(vec![]), &channels, &accounts), None);
}

#[test]
fn more_records_than_one_reading_takes_are_declared() {
    let from = |end: ReadEnd| {
        let limited = ChannelRead { end, ..read((1, 0), (20_000, 9_000)) };
        let gaps = assembled(&wanted(vec![position(1, 1_000)]), &[limited]).gaps;
        assert_eq!(gaps[0].why, LogGapReason::Limit);
        gaps[0].from
    };
    let cut = |at| ReadEnd::Whole.cut_short(Some(UtcMillis(at)));
    assert_eq!(from(cut(6_000)), UtcMillis(6_000));
    assert_eq!(
        from(cut(8_000).cut_short(Some(UtcMillis(6_000)))),
        UtcMillis(6_000),
        "the worst question counts"
    );
    assert_eq!(from(cut(6_000).cut_short(Some(UtcMillis(8_000)))), UtcMillis(6_000));
    assert_eq!(from(cut(6_000).cut_short(None)), UtcMillis(1_000), "one got no answer at all");
}

#[test]
fn a_clearing_of_which_the_agent_knows_hides_no_new_gap() {
    let record = LogRecord::parse(include_str!("../fixtures/eventlog-104-server-2016.xml")).unwrap();
    let since = record.written_at.plus(1_000);
    let channels = [
        ChannelRead { end: ReadEnd::Unreadable, ..read((1, 0), (20, 9_000)) },
        ChannelRead { channel: LogChannel::System, records: vec![record], ..read((1, 0), (20, 9_000)) },
    ];
    let wanted = LogWanted { positions: vec![position(10, 1_000)], since };
    let whys: Vec<_> = assembled(&wanted, &channels).gaps.iter().map(|gap| gap.why).collect();
    assert_eq!(whys, [LogGapReason::Unreadable]);
}
