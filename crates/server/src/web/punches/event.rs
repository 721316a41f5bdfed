//! One event that is no punch: what a lock, a sleep or a start of the agent says, with its bytes.

use mngntime_attendance::arrival::{Arrival, delay_ms};
use mngntime_model::Event;
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
    /// Its cause in the agent's words, empty for none.
    pub cause: String,
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
        let bounds = event.as_ref().and_then(|event| event.bounds);
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
            guess: bounds.is_some(),
            cause: event.as_ref().and_then(|event| event.cause.clone()).unwrap_or_default(),
            received: times::exact(found.received_at),
            offset,
            offset_note,
            sequence: found.sequence.to_string(),
            digest: found.digest.to_string(),
            raw: pretty(&found.json),
        }
    }
}

fn arrival(found: &EventDetail, event: &Event) -> Arrival {
    let delay_ms = delay_ms(found.occurred_at, found.clock_offset_ms, found.received_at);
    Arrival { evidence: event.evidence, resent: found.resent, delay_ms }
}
