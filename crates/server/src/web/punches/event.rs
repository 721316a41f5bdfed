//! One event that is no punch: what a lock, a sleep or a start of the agent says, with its bytes.

use mngntime_attendance::arrival::{Arrival, delay_ms, is_ahead};
use mngntime_model::{Event, Evidence};
use mngntime_store::EventDetail;
use mngntime_wire::EncodedEvent;

use super::super::chrome::Chrome;
use super::super::days::words::event_key;
use super::super::times;
use super::detail::{offset, pretty};
use super::row::arrival_key;
use crate::access::Action;

/// An event, ready to be written.
#[derive(Debug, Clone)]
pub struct EventView {
    /// What happened; in the agent's own word where this program does not know it.
    pub kind: String,
    /// When, for the heading.
    pub full: String,
    /// When, for machines.
    pub machine: String,
    /// Time of day.
    pub clock: String,
    /// Date in words.
    pub date: String,
    /// Earliest and latest time, where only these are known.
    pub range: Option<String>,
    /// PC name.
    pub host: String,
    /// Address of the terminal in the list of terminals, for those who may see that.
    pub terminal: Option<String>,
    /// `DOMAIN\name`, empty for an event of the PC.
    pub account: String,
    /// SID or Linux key, empty for an event of the PC.
    pub account_key: String,
    /// 取得方法.
    pub how: String,
    /// Whether it is a guess and wears a badge.
    pub guess: bool,
    /// Whether its time had not come when it was received, or is by the server's clock, and wears a badge.
    pub look: bool,
    /// What the PC's clock showed, where that was years off.
    pub stamped: Option<String>,
    /// Its cause in words.
    pub cause: Option<String>,
    /// The same in the agent's word, empty for none.
    pub cause_word: String,
    /// When it was received.
    pub received: String,
    /// How far the terminal's clock was off, with its unit.
    pub offset: String,
    /// Ahead, behind, or neither.
    pub offset_note: String,
    /// Number within the terminal.
    pub sequence: String,
    /// Digest of the event's bytes.
    pub digest: String,
    /// The event's text, laid out.
    pub raw: String,
}

impl EventView {
    /// `found` in the words of `c`.
    #[must_use]
    pub fn of(found: &EventDetail, c: &Chrome) -> Self {
        let event = EncodedEvent::decode(&found.json).ok().map(|encoded| encoded.event);
        let account = event.as_ref().and_then(|event| event.account.as_ref());
        // An interval is by the PC's clock, as the bytes say it: nothing where that was years off.
        let bounds = event.as_ref().and_then(|event| event.bounds).filter(|_| found.stamped_at.is_none());
        let (offset, offset_note) = offset(found.clock_offset_ms, c);
        let at = found.occurred_at;
        Self {
            kind: event.as_ref().map_or_else(|| c.t("event-unreadable"), |event| c.t(event_key(event.kind))),
            full: times::full(at),
            machine: times::machine(at),
            clock: times::clock(at),
            date: c.long_date(times::tokyo(at).date()),
            range: bounds.map(|bounds| times::range(bounds.not_before, bounds.not_after)),
            host: found.terminal.host_name.clone(),
            terminal: c.may(Action::TerminalsRead).then(|| format!("/terminals?q={}", found.terminal.id)),
            account: account.map(ToString::to_string).unwrap_or_default(),
            account_key: account.map(|account| account.key.clone()).unwrap_or_default(),
            how: event.as_ref().map(|event| c.t(arrival_key(arrival(found, event)))).unwrap_or_default(),
            guess: event.as_ref().is_some_and(|event| {
                event.bounds.is_some() && found.stamped_at.is_none() || event.evidence == Evidence::Inferred
            }),
            look: event.as_ref().is_some_and(|event| arrival(found, event).is_of_a_wrong_clock()),
            stamped: found.stamped_at.map(|at| c.v("how-stamped", "time", times::full(at))),
            cause: event.as_ref().and_then(|event| event.cause.as_deref()).map(|cause| cause_text(cause, c)),
            cause_word: event.as_ref().and_then(|event| event.cause.clone()).unwrap_or_default(),
            received: times::exact(found.received_at),
            offset,
            offset_note,
            sequence: found.sequence.to_string(),
            digest: found.digest.to_string(),
            raw: pretty(&found.json),
        }
    }
}

/// The agent's words for causes with the key of ours.
const CAUSES: [(&str, &str); 26] = [
    ("first_start", "because-first-start"),
    ("in_order", "because-in-order"),
    ("after_power_loss", "because-after-power-loss"),
    ("after_crash", "because-after-crash"),
    ("shutdown", "because-shutdown"),
    ("power_loss", "because-power-loss"),
    ("bugcheck", "because-bugcheck"),
    ("unknown", "because-unknown"),
    ("while_agent_was_away", "because-away"),
    ("user_present", "because-user-present"),
    ("sleep", "because-sleep"),
    ("presumed_fast_startup", "because-presumed-fast-startup"),
    ("fast_startup", "because-fast-startup"),
    ("hibernation", "because-hibernation"),
    ("display_off", "because-display-off"),
    ("clock_unreliable", "because-clock-unreliable"),
    ("agent_absent", "because-agent-absent"),
    ("log_limit", "because-log-limit"),
    ("unattended", "because-unattended"),
    ("unattended_logon", "because-unattended-logon"),
    ("presence_begins", "because-presence-begins"),
    ("unreadable", "because-unreadable"),
    ("not_held", "because-not-held"),
    ("earlier_enrollment", "because-earlier"),
    ("rolled_back", "because-rolled-back"),
    ("could_not_store", "because-not-stored"),
];

/// A cause for reading: the agent's word in ours, and what it says behind a colon as it is. A word of a newer agent
/// stays as it came.
#[must_use]
pub fn cause_text(cause: &str, c: &Chrome) -> String {
    let (word, rest) = cause.split_once(':').unwrap_or((cause, ""));
    match CAUSES.iter().find(|(known, _)| *known == word) {
        Some((_, key)) => format!("{} {rest}", c.t(key)).trim_end().to_owned(),
        None => cause.to_owned(),
    }
}

fn arrival(found: &EventDetail, event: &Event) -> Arrival {
    let offset_ms = if found.stamped_at.is_some() { 0 } else { found.clock_offset_ms };
    let delay_ms = delay_ms(found.occurred_at, offset_ms, found.received_at);
    let ahead = is_ahead(found.occurred_at, found.received_at);
    let by_the_servers_clock = found.stamped_at.is_some();
    Arrival { evidence: event.evidence, resent: found.resent, delay_ms, ahead, by_the_servers_clock }
}

#[cfg(test)]
mod tests {
    use mngntime_model::Language;

    use super::*;

    #[test]
    fn causes_are_told_in_words_and_unknown_ones_as_they_came() {
        let told = |cause| cause_text(cause, &Chrome::bare(Language::English));
        assert_eq!(told("in_order"), "The run before ended in order");
        assert_eq!(told("unreadable:3-4"), "Numbers that cannot be read any more 3-4");
        assert_eq!(told("of_a_newer_agent:1"), "of_a_newer_agent:1");
        for language in [Language::Japanese, Language::English] {
            let c = Chrome::bare(language);
            for (word, key) in CAUSES {
                assert_ne!(cause_text(word, &c), key, "{key} has no text");
            }
        }
    }
}
