//! One event as its bytes.

use mngntime_ledger::{Digest, InvalidDigest};
use mngntime_model::{
    AccountIdentity, BootId, Bounds, Event, EventKind, Evidence, InvalidId, SessionIdentity, UtcMillis,
};
use serde::{Deserialize, Serialize};

use crate::object::{self, Object};
use crate::{MomentV1, limits};

/// Why bytes are no event of this contract.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvent {
    /// More than [`limits::EVENT_BYTES_MAX`] bytes.
    #[error("the event has {found} bytes, more than the {} allowed", limits::EVENT_BYTES_MAX)]
    TooLong {
        /// Its length in bytes.
        found: usize,
    },
    /// Not the JSON of an event.
    #[error("the event is not the JSON of this contract")]
    Malformed(#[source] serde_json::Error),
    /// A version this program does not read.
    #[error("the event has version {0}, only 1 is known")]
    UnknownVersion(u32),
    /// A field holds a value outside its range.
    #[error("the event's field {field} holds a value that is not allowed")]
    Field {
        /// Name of the field.
        field: &'static str,
    },
    /// A badly formed digest in `prev`.
    #[error("the event's field prev is not a digest")]
    Previous(#[source] InvalidDigest),
    /// A badly formed boot id.
    #[error("the event's field boot is not a boot id")]
    Boot(#[source] InvalidId),
}

/// The JSON of an event, version 1. Field order is the order written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventV1 {
    /// Always 1.
    v: u32,
    /// Number within the terminal, from 1.
    seq: u64,
    /// Digest of the event before this one; 64 zeros for the first.
    prev: String,
    /// The OS run.
    boot: String,
    /// What happened: `logon`, `logoff`, `lock` …
    kind: String,
    /// How the agent knows: `notice`, `reconciled`, `found_at_start`, `back_filled`, `inferred`, `script`.
    evidence: String,
    /// When, UTC milliseconds.
    occurred_at: i64,
    /// `[not before, not after]` in UTC milliseconds, when the time is known as an interval only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bounds: Option<[i64; 2]>,
    /// All clocks when the agent recorded the event.
    #[serde(deserialize_with = "object::one")]
    recorded_at: MomentV1,
    /// The stay it belongs to.
    #[serde(default, deserialize_with = "object::maybe", skip_serializing_if = "Option::is_none")]
    session: Option<SessionV1>,
    /// Whose it is.
    #[serde(default, deserialize_with = "object::maybe", skip_serializing_if = "Option::is_none")]
    account: Option<AccountV1>,
    /// Whether the session is a remote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote: Option<bool>,
    /// Remote side's name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    /// Why, in one of the agent's fixed words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// The number under which the same fact was recorded first, when the server holds other bytes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    supersedes: Option<u64>,
}

/// A stay, on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionV1 {
    /// The OS run the stay lives in.
    boot: String,
    /// The OS's session id.
    id: String,
    /// What the OS gives to a logon once in a boot.
    logon: String,
}

/// An account, on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountV1 {
    /// SID, or `uid:<uid>@<machine id>`.
    key: String,
    /// Windows domain, or name of the PC.
    domain: String,
    /// Short user name.
    name: String,
    /// User principal name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upn: Option<String>,
}

/// An event together with the bytes that are the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedEvent {
    /// The JSON text: what is stored, hashed, sent and kept.
    pub json: String,
    /// SHA-256 of `json`.
    pub digest: Digest,
    /// The digest of the event before it, as `json` says.
    pub previous: Digest,
    /// What `json` means.
    pub event: Event,
}

impl EncodedEvent {
    /// Makes the bytes of `event` as the successor of the event with digest `previous`.
    ///
    /// # Errors
    /// [`InvalidEvent`] when the event breaks a limit; the agent then has a bug or a hostile OS name.
    pub fn encode(event: Event, previous: Digest) -> Result<Self, InvalidEvent> {
        check(&event)?;
        let json = serde_json::to_string(&to_wire(&event, previous)).map_err(InvalidEvent::Malformed)?;
        if json.len() > limits::EVENT_BYTES_MAX {
            return Err(InvalidEvent::TooLong { found: json.len() });
        }
        Ok(Self { digest: Digest::of(json.as_bytes()), json, previous, event })
    }

    /// Reads bytes that somebody else made.
    ///
    /// # Errors
    /// [`InvalidEvent`] naming what is wrong.
    pub fn decode(json: &str) -> Result<Self, InvalidEvent> {
        if json.len() > limits::EVENT_BYTES_MAX {
            return Err(InvalidEvent::TooLong { found: json.len() });
        }
        let Object(wire): Object<EventV1> = serde_json::from_str(json).map_err(InvalidEvent::Malformed)?;
        let previous = Digest::parse(&wire.prev).map_err(InvalidEvent::Previous)?;
        let event = from_wire(wire)?;
        check(&event)?;
        Ok(Self { digest: Digest::of(json.as_bytes()), json: json.to_owned(), previous, event })
    }
}

fn to_wire(event: &Event, previous: Digest) -> EventV1 {
    EventV1 {
        v: 1,
        seq: event.sequence,
        prev: previous.to_string(),
        boot: event.boot.as_str().to_owned(),
        kind: event.kind.name().to_owned(),
        evidence: event.evidence.name().to_owned(),
        occurred_at: event.occurred_at.0,
        bounds: event.bounds.map(|bounds| [bounds.not_before.0, bounds.not_after.0]),
        recorded_at: event.recorded_at.into(),
        session: event.session.as_ref().map(|session| SessionV1 {
            boot: session.boot.as_str().to_owned(),
            id: session.session_id.clone(),
            logon: session.logon_identity.clone(),
        }),
        account: event.account.as_ref().map(|account| AccountV1 {
            key: account.key.clone(),
            domain: account.domain.clone(),
            name: account.name.clone(),
            upn: account.upn.clone(),
        }),
        remote: event.remote,
        client: event.client.clone(),
        cause: event.cause.clone(),
        supersedes: event.supersedes,
    }
}

fn from_wire(wire: EventV1) -> Result<Event, InvalidEvent> {
    if wire.v != 1 {
        return Err(InvalidEvent::UnknownVersion(wire.v));
    }
    let field = |field| InvalidEvent::Field { field };
    Ok(Event {
        sequence: wire.seq,
        boot: BootId::new(&wire.boot).map_err(InvalidEvent::Boot)?,
        kind: EventKind::from_name(&wire.kind).ok_or(field("kind"))?,
        evidence: Evidence::from_name(&wire.evidence).ok_or(field("evidence"))?,
        occurred_at: UtcMillis(wire.occurred_at),
        bounds: wire.bounds.map(|[not_before, not_after]| Bounds {
            not_before: UtcMillis(not_before),
            not_after: UtcMillis(not_after),
        }),
        recorded_at: wire.recorded_at.into(),
        session: wire.session.map(session_from_wire).transpose()?,
        account: wire.account.map(|account| AccountIdentity {
            key: account.key,
            domain: account.domain,
            name: account.name,
            upn: account.upn,
        }),
        remote: wire.remote,
        client: wire.client,
        cause: wire.cause,
        supersedes: wire.supersedes,
    })
}

fn session_from_wire(session: SessionV1) -> Result<SessionIdentity, InvalidEvent> {
    Ok(SessionIdentity {
        boot: BootId::new(&session.boot).map_err(InvalidEvent::Boot)?,
        session_id: session.id,
        logon_identity: session.logon,
    })
}

/// The rules that hold for every event, checked by whoever writes one and again by whoever reads one.
fn check(event: &Event) -> Result<(), InvalidEvent> {
    let require = |holds: bool, field| {
        if holds { Ok(()) } else { Err(InvalidEvent::Field { field }) }
    };
    let short =
        |text: &str| text.chars().count() <= limits::TEXT_CHARS_MAX && !text.chars().any(char::is_control);
    require((1..=limits::SEQUENCE_MAX).contains(&event.sequence), "seq")?;
    require(event.account.as_ref().is_none_or(AccountIdentity::is_well_formed), "account")?;
    require(!event.kind.is_punch() || event.account.is_some(), "account")?;
    require(event.bounds.is_none_or(|bounds| bounds.not_before <= bounds.not_after), "bounds")?;
    require(
        event.session.as_ref().is_none_or(|s| short(&s.session_id) && short(&s.logon_identity)),
        "session",
    )?;
    require(event.client.as_deref().is_none_or(short), "client")?;
    require(event.cause.as_deref().is_none_or(short), "cause")?;
    require(event.supersedes.is_none_or(|first| first > 0 && first < event.sequence), "supersedes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::Moment;

    fn logon() -> Event {
        Event {
            sequence: 7,
            boot: BootId::new("b-1").unwrap(),
            kind: EventKind::Logon,
            evidence: Evidence::Notice,
            occurred_at: UtcMillis(1_764_000_000_000),
            bounds: None,
            recorded_at: Moment {
                wall: UtcMillis(1_764_000_000_123),
                offset_seconds: 32_400,
                biased_ms: 60_000,
                unbiased_ms: 60_000,
            },
            session: Some(SessionIdentity {
                boot: BootId::new("b-1").unwrap(),
                session_id: "2".into(),
                logon_identity: "0x3e7".into(),
            }),
            account: Some(AccountIdentity {
                key: "S-1-5-21-1-2-3-1001".into(),
                domain: "EXAMPLE".into(),
                name: "花子".into(),
                upn: None,
            }),
            remote: Some(false),
            client: None,
            cause: None,
            supersedes: None,
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let encoded = EncodedEvent::encode(logon(), Digest::GENESIS).unwrap();
        assert_eq!(EncodedEvent::decode(&encoded.json).unwrap(), encoded);
        assert_eq!(encoded.digest, Digest::of(encoded.json.as_bytes()));
    }

    #[test]
    fn an_event_recorded_again_names_a_number_before_its_own() {
        let again = |first| Event { supersedes: Some(first), ..logon() };
        let encoded = EncodedEvent::encode(again(6), Digest::GENESIS).unwrap();
        assert_eq!(EncodedEvent::decode(&encoded.json).unwrap().event.supersedes, Some(6));
        for wrong in [0, 7, 8] {
            assert!(EncodedEvent::encode(again(wrong), Digest::GENESIS).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_punch_without_an_account_is_no_event() {
        let nameless = Event { account: None, ..logon() };
        assert!(matches!(
            EncodedEvent::encode(nameless, Digest::GENESIS),
            Err(InvalidEvent::Field { field: "account" })
        ));
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let json = EncodedEvent::encode(logon(), Digest::GENESIS).unwrap().json;
        let field_of = |json: String| match EncodedEvent::decode(&json) {
            Err(InvalidEvent::Field { field }) => field,
            other => panic!("{other:?}"),
        };
        for wrong in [0, limits::SEQUENCE_MAX + 1, u64::MAX] {
            assert_eq!(field_of(json.replace("\"seq\":7", &format!("\"seq\":{wrong}"))), "seq");
        }
        assert_eq!(field_of(json.replace("\"logon\",\"evi", "\"login\",\"evi")), "kind");
        assert_eq!(field_of(json.replace("notice", "hearsay")), "evidence");
        assert!(matches!(
            EncodedEvent::decode(&json.replace("\"v\":1", "\"v\":2")),
            Err(InvalidEvent::UnknownVersion(2))
        ));
        assert!(matches!(
            EncodedEvent::decode(&" ".repeat(limits::EVENT_BYTES_MAX + 1)),
            Err(InvalidEvent::TooLong { .. })
        ));
    }

    #[test]
    fn an_event_of_the_greatest_length_is_still_one() {
        let json = EncodedEvent::encode(logon(), Digest::GENESIS).unwrap().json;
        let padded = |bytes: usize| format!("{json}{}", " ".repeat(bytes - json.len()));
        assert!(EncodedEvent::decode(&padded(limits::EVENT_BYTES_MAX)).is_ok());
        assert!(matches!(
            EncodedEvent::decode(&padded(limits::EVENT_BYTES_MAX + 1)),
            Err(InvalidEvent::TooLong { found }) if found == limits::EVENT_BYTES_MAX + 1
        ));
    }

    /// So whatever the agent may record can be sent: the length is a bound on what others make.
    #[test]
    fn the_fullest_event_is_shorter_than_the_greatest_length() {
        // Four bytes in UTF-8, and no character takes more in JSON: control characters are no text.
        let full = |characters: usize| "\u{20bb7}".repeat(characters);
        let text = || full(limits::TEXT_CHARS_MAX);
        let identity = || full(AccountIdentity::TEXT_MAX);
        let boot = || BootId::new(&"\"".repeat(64)).unwrap();
        let moment = Moment {
            wall: UtcMillis(i64::MIN),
            offset_seconds: i32::MIN,
            biased_ms: u64::MAX,
            unbiased_ms: u64::MAX,
        };
        let fullest = Event {
            sequence: limits::SEQUENCE_MAX,
            boot: boot(),
            occurred_at: UtcMillis(i64::MIN),
            bounds: Some(Bounds { not_before: UtcMillis(i64::MIN), not_after: UtcMillis(i64::MIN) }),
            recorded_at: moment,
            session: Some(SessionIdentity { boot: boot(), session_id: text(), logon_identity: text() }),
            account: Some(AccountIdentity {
                key: identity(),
                domain: identity(),
                name: identity(),
                upn: Some(identity()),
            }),
            client: Some(text()),
            cause: Some(text()),
            supersedes: Some(limits::SEQUENCE_MAX - 1),
            ..logon()
        };
        let encoded = EncodedEvent::encode(fullest, Digest::GENESIS).unwrap();
        assert!(encoded.json.len() < limits::EVENT_BYTES_MAX, "{}", encoded.json.len());
    }

    #[test]
    fn bounds_may_be_one_moment_and_are_never_the_wrong_way_round() {
        let within = |not_before, not_after| Event {
            bounds: Some(Bounds { not_before: UtcMillis(not_before), not_after: UtcMillis(not_after) }),
            ..logon()
        };
        for (event, sound) in [(within(4, 5), true), (within(5, 5), true), (within(6, 5), false)] {
            assert_eq!(EncodedEvent::encode(event, Digest::GENESIS).is_ok(), sound);
        }
    }

    #[test]
    fn a_text_is_neither_long_nor_holds_what_is_no_text() {
        let session = |session_id: &str, logon_identity: &str| Event {
            session: Some(SessionIdentity {
                boot: BootId::new("b-1").unwrap(),
                session_id: session_id.into(),
                logon_identity: logon_identity.into(),
            }),
            ..logon()
        };
        let longest = "花".repeat(limits::TEXT_CHARS_MAX);
        assert!(EncodedEvent::encode(session(&longest, &longest), Digest::GENESIS).is_ok());
        for wrong in [format!("{longest}子"), "2\n".to_owned()] {
            for event in [session(&wrong, "1"), session("1", &wrong)] {
                assert!(matches!(
                    EncodedEvent::encode(event, Digest::GENESIS),
                    Err(InvalidEvent::Field { field: "session" })
                ));
            }
        }
    }

    #[test]
    fn fields_of_a_newer_agent_are_passed_over() {
        let json = EncodedEvent::encode(logon(), Digest::GENESIS).unwrap().json;
        let newer = json.replace("\"remote\":false", "\"remote\":false,\"future\":{\"x\":1}");
        assert_eq!(EncodedEvent::decode(&newer).unwrap().event, logon());
    }
}
