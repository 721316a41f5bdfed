//! What an event's bytes say, read by this program and not by the databases' own functions.
//!
//! In fields without a form a terminal may send any JSON, for example nested more deeply than SQLite's functions read, or
//! with characters that PostgreSQL's refuse. Such an event is taken in like any other, and must not keep anybody from
//! finding it, or those beside it. So SQL looks for a text at most, and what was found is read here.

use mngntime_model::ClockSetting;
use serde::Deserialize;

/// The part of an event by which it is looked for. Every event that was taken in says number, time and kind.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Told {
    seq: Option<u64>,
    occurred_at: Option<i64>,
    kind: Option<String>,
    cause: Option<String>,
    bounds: Option<(i64, i64)>,
    account: Option<Account>,
}

#[derive(Debug, Deserialize)]
struct Account {
    key: String,
}

impl Told {
    pub(super) fn of(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// Whether the columns beside the bytes say nothing else. Events are looked for by these columns, and neither a digest
    /// nor a leaf tells of them: they must be compared.
    pub(super) fn fits(&self, sequence: u64, occurred_at: i64) -> bool {
        self.seq.is_none_or(|told| told == sequence)
            && self.occurred_at.is_none_or(|told| told == occurred_at)
    }

    pub(super) fn is_start(&self) -> bool {
        self.kind.as_deref() == Some("service_start")
    }

    /// The latest time at which it may have happened, where that is known as an interval.
    pub(super) fn not_after(&self) -> Option<i64> {
        self.bounds.map(|(_, not_after)| not_after)
    }

    /// A setting of the PC's clock; one of an account is none.
    pub(super) fn clock_setting(&self) -> Option<ClockSetting> {
        let is_setting = self.kind.as_deref() == Some("time_change") && self.account.is_none();
        self.cause.as_deref().filter(|_| is_setting).and_then(ClockSetting::parse)
    }

    /// The key of the account whose event it is.
    pub(super) fn account_key(self) -> Option<String> {
        self.account.map(|account| account.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_whatever_stands_in_fields_without_a_form() {
        for odd in ["[".repeat(3000) + &"]".repeat(3000), r#""\ud800\u0000""#.into(), "1e999".into()] {
            let json = format!(
                r#"{{"d":{odd},"d":1,"seq":3,"occurred_at":5,"kind":"service_start","account":{{"d":{odd},"key":"s"}}}}"#
            );
            let told = Told::of(&json);
            assert!(told.is_start() && told.fits(3, 5) && !told.fits(4, 5) && !told.fits(3, 6), "{json}");
            assert_eq!(told.account_key().as_deref(), Some("s"), "{json}");
        }
        assert!(Told::of("what was never an event").fits(1, 1));
    }
}
