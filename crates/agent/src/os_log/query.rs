//! Which records are asked for: XPath expressions for `EvtQuery`.
//!
//! Windows reads every record of the channel and gives out those that match; the expression keeps what
//! crosses the process border small. It takes only some twenty comparisons in one expression, so System is
//! asked once for each group of providers.

use jiff::Timestamp;
use mngntime_agent_core::log::{LogChannel, LogPosition, LogWanted};

/// Records before the bookmark that are read again: what was written while it was being noted.
const OVERLAP_RECORDS: u64 = 64;
/// The same where only a time is known, in milliseconds.
const OVERLAP_MS: i64 = 300_000;

/// The expressions that together give everything of interest in the channel, whose newest record is `newest`.
#[must_use]
pub fn expressions(channel: LogChannel, wanted: &LogWanted, newest: Option<LogPosition>) -> Vec<String> {
    let after = after(channel, wanted, newest);
    let system = |provider: &str, ids: &str| {
        format!("*[System[Provider[@Name='{provider}'] and ({}) and {after}]]", any_of(ids))
    };
    match channel {
        LogChannel::LocalSessionManager => {
            vec![format!("*[System[({}) and {after}]]", any_of("21 23 24 25 40"))]
        }
        LogChannel::System => vec![
            system("Microsoft-Windows-Winlogon", "7001 7002"),
            system("Microsoft-Windows-Kernel-General", "1 12 13"),
            system("Microsoft-Windows-Kernel-Power", "41 42 107 109 506 507"),
            system("Microsoft-Windows-Kernel-Boot", "27"),
            system("Microsoft-Windows-Eventlog", "104"),
            system("EventLog", "6006 6008"),
            system("User32", "1074"),
            system("Microsoft-Windows-WER-SystemErrorReporting", "1001"),
        ],
        LogChannel::Security => vec![
            format!(
                "*[System[({}) and {after}] and EventData[{}]]",
                any_of("4624 4634"),
                ["2", "10", "11"].map(|kind| format!("Data[@Name='LogonType']='{kind}'")).join(" or ")
            ),
            format!("*[System[({}) and {after}]]", any_of("4647 4778 4779 4800 4801 1102")),
        ],
    }
}

fn any_of(ids: &str) -> String {
    let terms: Vec<String> = ids.split(' ').map(|id| format!("EventID={id}")).collect();
    terms.join(" or ")
}

fn after(channel: LogChannel, wanted: &LogWanted, newest: Option<LogPosition>) -> String {
    // Of a log whose numbers have begun again the bookmark says nothing.
    let counts_on =
        |position: &&LogPosition| newest.is_none_or(|newest| newest.record_id >= position.record_id);
    let position = wanted.positions.iter().find(|position| position.channel == channel).filter(counts_on);
    match position {
        Some(LogPosition { record_id, .. }) => {
            format!("EventRecordID>{}", record_id.saturating_sub(OVERLAP_RECORDS))
        }
        None => {
            let since = Timestamp::from_millisecond(wanted.since.plus(-OVERLAP_MS).0).unwrap_or_default();
            format!("TimeCreated[@SystemTime>='{since:.3}']")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::UtcMillis;

    fn wanted(positions: Vec<LogPosition>) -> LogWanted {
        LogWanted { positions, since: UtcMillis(1_764_000_000_000) }
    }

    #[test]
    fn a_bookmark_is_read_with_overlap_and_otherwise_the_time_counts() {
        let channel = LogChannel::LocalSessionManager;
        let bookmark = LogPosition { channel, record_id: 1000, written_at: UtcMillis(0) };
        let ids = "(EventID=21 or EventID=23 or EventID=24 or EventID=25 or EventID=40)";
        assert_eq!(
            expressions(channel, &wanted(vec![bookmark]), None),
            [format!("*[System[{ids} and EventRecordID>936]]")]
        );
        assert_eq!(
            expressions(channel, &wanted(vec![]), None),
            [format!("*[System[{ids} and TimeCreated[@SystemTime>='2025-11-24T15:55:00.000Z']]]")]
        );
        let renumbered = LogPosition { record_id: 3, ..bookmark };
        let by_time = &expressions(channel, &wanted(vec![bookmark]), Some(renumbered))[0];
        assert!(by_time.contains("TimeCreated"), "all of a log that was made anew: {by_time}");
        let early = LogPosition { record_id: 3, ..bookmark };
        assert!(expressions(channel, &wanted(vec![early]), None)[0].contains("EventRecordID>0"));
    }

    #[test]
    fn no_expression_has_more_comparisons_than_windows_takes() {
        for channel in LogChannel::ALL {
            for expression in expressions(channel, &wanted(vec![]), None) {
                assert!(expression.matches('=').count() <= 20, "{expression}");
                assert_eq!(expression.matches('[').count(), expression.matches(']').count(), "{expression}");
            }
        }
    }

    #[test]
    fn services_batches_and_networks_are_not_even_fetched() {
        let security = expressions(LogChannel::Security, &wanted(vec![]), None);
        assert!(security[0].ends_with(
            "EventData[Data[@Name='LogonType']='2' or Data[@Name='LogonType']='10' or Data[@Name='LogonType']='11']]"
        ));
    }
}
