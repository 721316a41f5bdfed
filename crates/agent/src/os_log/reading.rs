//! What was read of each channel becomes one reading: facts, what is missing, where the next one begins.

use mngntime_agent_core::log::{LogChannel, LogGap, LogGapReason, LogPosition, LogReading, LogWanted};
use mngntime_model::UtcMillis;

use super::merge::{Accounts, merge};
use super::record::{LogRecord, RecordedFact};

/// Later than every record; the core cuts it to the time that concerns it.
const OPEN_END: UtcMillis = UtcMillis(i64::MAX);

/// What was read of one channel.
#[derive(Debug)]
pub struct ChannelRead {
    /// Which.
    pub channel: LogChannel,
    /// Its oldest record, whatever it says.
    pub oldest: Option<LogPosition>,
    /// Its newest record, whatever it says.
    pub newest: Option<LogPosition>,
    /// The records of interest after the wanted position.
    pub records: Vec<LogRecord>,
    /// How the reading ended.
    pub end: ReadEnd,
}

/// How the reading of a channel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEnd {
    /// Everything was read.
    Whole,
    /// There was more than one reading takes.
    Limit {
        /// Up to this record every question asked of the channel was answered; `None`: not even a first one.
        read_up_to: Option<UtcMillis>,
    },
    /// The channel is switched off, absent, or we have no right to it.
    Unreadable,
}

impl ReadEnd {
    /// One of the questions asked of the channel was not answered beyond this record. The worst one counts: the
    /// others' later records say nothing about its.
    #[must_use]
    pub fn cut_short(self, read_up_to: Option<UtcMillis>) -> Self {
        let known = match self {
            Self::Limit { read_up_to: earlier } => earlier.min(read_up_to),
            Self::Whole | Self::Unreadable => read_up_to,
        };
        Self::Limit { read_up_to: known }
    }
}

impl ChannelRead {
    /// A channel that cannot be read.
    #[must_use]
    pub fn unreadable(channel: LogChannel) -> Self {
        Self { channel, oldest: None, newest: None, records: Vec::new(), end: ReadEnd::Unreadable }
    }
}

/// Puts the channels together; `None` when not one could be read.
#[must_use]
pub fn assemble(wanted: &LogWanted, channels: &[ChannelRead], accounts: &Accounts<'_>) -> Option<LogReading> {
    let is_read = |channel: LogChannel| {
        channels.iter().any(|read| read.channel == channel && read.end != ReadEnd::Unreadable)
    };
    if !LogChannel::ALL.into_iter().any(is_read) {
        return None;
    }
    let sessions_read = is_read(LogChannel::LocalSessionManager);
    let records: Vec<LogRecord> = channels.iter().flat_map(|read| read.records.iter().cloned()).collect();
    let mut gaps = cleared(wanted, &records);
    for read in channels {
        // The Security log is full of other things and turns over within hours on some PCs. While
        // LocalSessionManager tells of every session, nothing of ours is lost with it.
        let matters = read.channel != LogChannel::Security || !sessions_read;
        let told = gaps.iter().any(|gap| gap.channel == read.channel);
        gaps.extend(missing(wanted, read).filter(|_| matters && !told));
    }
    let positions = channels.iter().filter_map(|read| read.newest.or_else(|| before(wanted, read.channel)));
    Some(LogReading { facts: merge(&records, sessions_read, accounts), gaps, positions: positions.collect() })
}

fn before(wanted: &LogWanted, channel: LogChannel) -> Option<LogPosition> {
    wanted.positions.iter().find(|position| position.channel == channel).copied()
}

/// From when on the channel's records are missed if they are gone.
fn from(wanted: &LogWanted, channel: LogChannel) -> UtcMillis {
    before(wanted, channel).map_or(wanted.since, |position| position.written_at)
}

/// Logs that somebody cleared since the agent last watched. The record of it is the first of the Security log, or
/// stands in System. An older one, read again for the overlap, hides nothing and must hide no gap.
fn cleared(wanted: &LogWanted, records: &[LogRecord]) -> Vec<LogGap> {
    let mut gaps: Vec<LogGap> = Vec::new();
    for record in records {
        let Some(RecordedFact::Cleared(channel)) =
            record.fact.clone().filter(|_| record.written_at > wanted.since)
        else {
            continue;
        };
        gaps.retain(|gap| gap.channel != channel);
        let from = from(wanted, channel);
        gaps.push(LogGap { channel, from, to: record.written_at, why: LogGapReason::Cleared });
    }
    gaps
}

fn missing(wanted: &LogWanted, read: &ChannelRead) -> Option<LogGap> {
    let before = before(wanted, read.channel);
    let from = from(wanted, read.channel);
    let gap = |from, to, why| Some(LogGap { channel: read.channel, from, to, why });
    match read.end {
        ReadEnd::Unreadable => before.and_then(|_| gap(from, OPEN_END, LogGapReason::Unreadable)),
        ReadEnd::Limit { read_up_to } => gap(read_up_to.unwrap_or(from), OPEN_END, LogGapReason::Limit),
        ReadEnd::Whole => {
            let oldest = read.oldest?;
            let restarted =
                before.zip(read.newest).is_some_and(|(before, newest)| newest.record_id < before.record_id);
            let overwritten = match before {
                Some(before) => oldest.record_id > before.record_id.saturating_add(1),
                None => oldest.record_id > 1 && oldest.written_at > wanted.since,
            };
            if restarted {
                gap(from, oldest.written_at, LogGapReason::Cleared)
            } else {
                overwritten.then(|| gap(from, oldest.written_at, LogGapReason::Wrapped))?
            }
        }
    }
}

#[cfg(test)]
mod tests;
