//! What Windows' event logs say about the time in which the agent did not run.
//!
//! Each channel is read forward from its bookmark, with some overlap, through expressions that leave out what
//! is of no interest. The agent waits for it once, at its start, so the whole reading has a time and every
//! channel a number of records; what is beyond is declared and not silently left out.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use mngntime_agent_core::input::PowerOn;
use mngntime_agent_core::log::{LogChannel, LogPosition, LogReading, LogWanted};
use mngntime_model::UtcMillis;

use super::ffi::accounts;
use super::ffi::wevtapi::{Direction, EventLogs};
use crate::os_log::{
    Accounts, ChannelRead, LogRecord, ReadEnd, assemble, expressions, power_on, windows_name,
};

/// The whole reading takes no longer. While it lasts, notices wait in their queue.
const TIME_MAX: Duration = Duration::from_secs(5);
/// The records take no longer. What is left of [`TIME_MAX`] is for the account database, which may have to ask
/// a domain controller; a look-up that is under way when it ends cannot be called off.
const RECORDS_TIME: Duration = Duration::from_secs(4);
/// Records taken from one channel: years of an ordinary PC.
const RECORDS_MAX: usize = 10_000;
/// Records that say how the PC was switched on.
const POWER_ONS: &str = "*[System[Provider[@Name='Microsoft-Windows-Kernel-Boot'] and EventID=27]]";
/// Every record, whatever it says.
const EVERYTHING: &str = "*";

/// What the logs say since the wanted positions.
///
/// # Errors
/// When not one of the logs can be read.
pub fn read_log(wanted: &LogWanted) -> anyhow::Result<LogReading> {
    let begun = Instant::now();
    #[cfg(feature = "simulated-sessions")]
    if let Some(events) = super::simulated::log()? {
        return finish(wanted, &simulated::channels(wanted, &events), None, begun + TIME_MAX);
    }
    let logs = EventLogs::load().context("this Windows has no functions to read event logs")?;
    let mut first_error = None;
    let channels = LogChannel::ALL.map(|channel| {
        read_channel(logs, channel, wanted, begun + RECORDS_TIME).unwrap_or_else(|error| {
            first_error.get_or_insert(error);
            ChannelRead::unreadable(channel)
        })
    });
    finish(wanted, &channels, first_error, begun + TIME_MAX)
}

/// How Windows says the PC was last switched on; `None` where its log cannot be asked or does not say.
pub(super) fn last_power_on() -> Option<(PowerOn, UtcMillis)> {
    let logs = EventLogs::load()?;
    let mut found = logs.query(windows_name(LogChannel::System), POWER_ONS, Direction::Reverse).ok()?;
    power_on(&found.next_xml().ok()??)
}

/// The newest record of each log; as given where a log cannot be asked.
#[must_use]
pub fn log_positions(known: &[LogPosition]) -> Vec<LogPosition> {
    let newest = |channel: LogChannel| {
        #[cfg(feature = "simulated-sessions")]
        if let Ok(Some(events)) = super::simulated::log() {
            return simulated::newest(channel, &events);
        }
        edge(EventLogs::load()?, channel, Direction::Reverse).ok()?
    };
    let before = |channel| known.iter().find(|position| position.channel == channel).copied();
    LogChannel::ALL.into_iter().filter_map(|channel| newest(channel).or_else(|| before(channel))).collect()
}

fn finish(
    wanted: &LogWanted,
    channels: &[ChannelRead],
    error: Option<anyhow::Error>,
    deadline: Instant,
) -> anyhow::Result<LogReading> {
    let accounts = Accounts {
        names_of_sid: &|sid| accounts::names_of_sid(sid).ok(),
        sid_of_names: &|domain, name| accounts::sid_of_name(domain, name).ok(),
        in_time: &|| Instant::now() < deadline,
    };
    assemble(wanted, channels, &accounts)
        .ok_or_else(|| error.unwrap_or_else(|| anyhow!("Windows has none of the event logs")))
}

fn read_channel(
    logs: EventLogs,
    channel: LogChannel,
    wanted: &LogWanted,
    deadline: Instant,
) -> anyhow::Result<ChannelRead> {
    let oldest = edge(logs, channel, Direction::Forward)?;
    let newest = edge(logs, channel, Direction::Reverse)?;
    let mut read = ChannelRead { channel, oldest, newest, records: Vec::new(), end: ReadEnd::Whole };
    for expression in expressions(channel, wanted, newest) {
        let already = read.records.len();
        // A channel that could be opened and then fails or keeps us waiting is not unreadable: what it still
        // holds is declared as beyond this reading.
        if read_matching(logs, &mut read, &expression, deadline).is_err() {
            let read_up_to = read.records[already..].last().map(|record| record.written_at);
            read.end = read.end.cut_short(read_up_to);
        }
    }
    Ok(read)
}

fn read_matching(
    logs: EventLogs,
    read: &mut ChannelRead,
    expression: &str,
    deadline: Instant,
) -> anyhow::Result<()> {
    let mut found = logs.query(windows_name(read.channel), expression, Direction::Forward)?;
    while let Some(xml) = found.next_xml()? {
        if read.records.len() >= RECORDS_MAX || Instant::now() >= deadline {
            bail!("more records than one reading takes");
        }
        read.records.extend(LogRecord::parse(&xml));
    }
    Ok(())
}

/// The first record from that end; `None` when the log is empty.
fn edge(logs: EventLogs, channel: LogChannel, from: Direction) -> anyhow::Result<Option<LogPosition>> {
    let mut found = logs.query(windows_name(channel), EVERYTHING, from)?;
    let record = found.next_xml()?.as_deref().and_then(LogRecord::parse);
    Ok(record.map(|record| record.position()))
}

/// The logs of the side file: whole, and every channel is there.
#[cfg(feature = "simulated-sessions")]
mod simulated {
    use super::{ChannelRead, LogChannel, LogPosition, LogRecord, LogWanted, ReadEnd};

    pub(super) fn channels(wanted: &LogWanted, events: &[String]) -> Vec<ChannelRead> {
        let channel = |channel: LogChannel| {
            let all = records(channel, events);
            let before = wanted.positions.iter().find(|position| position.channel == channel);
            ChannelRead {
                channel,
                oldest: all.first().map(LogRecord::position),
                newest: all.last().map(LogRecord::position),
                records: all
                    .into_iter()
                    .filter(|record| before.is_none_or(|before| record.record_id > before.record_id))
                    .collect(),
                end: ReadEnd::Whole,
            }
        };
        LogChannel::ALL.into_iter().map(channel).collect()
    }

    pub(super) fn newest(channel: LogChannel, events: &[String]) -> Option<LogPosition> {
        records(channel, events).last().map(LogRecord::position)
    }

    fn records(channel: LogChannel, events: &[String]) -> Vec<LogRecord> {
        let parsed = events.iter().filter_map(|xml| LogRecord::parse(xml));
        let mut records: Vec<LogRecord> = parsed.filter(|record| record.channel == channel).collect();
        records.sort_by_key(|record| record.record_id);
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::UtcMillis;

    /// Wine's event logs cannot be queried; a real Windows reads at least System.
    #[test]
    fn without_readable_logs_the_error_names_one() {
        let wanted = LogWanted { positions: vec![], since: UtcMillis(i64::MAX / 2) };
        match read_log(&wanted) {
            Ok(reading) => assert!(!reading.positions.is_empty()),
            Err(error) => assert!(error.to_string().contains("cannot read the event log"), "{error:#}"),
        }
    }

    #[test]
    fn what_cannot_be_asked_keeps_its_position() {
        let known = LogPosition { channel: LogChannel::Security, record_id: 7, written_at: UtcMillis(1) };
        let positions = log_positions(&[known]);
        let kept = positions.iter().find(|position| position.channel == LogChannel::Security).unwrap();
        assert!(kept.record_id >= 7);
    }

    #[test]
    fn a_sid_that_every_pc_knows_has_a_name() {
        let (_, name) = accounts::names_of_sid("S-1-5-18").unwrap();
        assert!(!name.is_empty());
        assert!(accounts::names_of_sid("S-1-x").is_err());
    }
}
