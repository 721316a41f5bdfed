//! Signing out whoever does nothing: a screen that was left open in an office is not open all day.
//!
//! # How long
//! A contract says so under 設定, for all of its people: whoever sees nobody's record but their own is as likely to do
//! that on a PC that others use, too. Operators belong to no contract; for them the server's setting
//! `operators_idle_minutes` holds. A contract that has chosen nothing has [`mngntime_store::IDLE_MINUTES_DEFAULT`], an
//! hour: the most that NIST SP 800-63B-4 recommends at AAL2, and long enough not to take a half-filled form from somebody
//! who is on the phone. Its revision 3 and OWASP ASVS 4.0.3 (3.3.2, level 2) say 30 minutes, level 3 says 15: both are
//! there to choose. Contracts of before this was there keep "never" until their administrator says otherwise: their
//! people have not asked for the update. An operator has, and gets the hour.
//!
//! # What is a use
//! A person's request. What a page asks for by itself ([`is_use`]) goes on in front of an empty chair. When a session was
//! last used is noted at most once a minute ([`NOTED_MS`]): it is never open longer than was set, and ends up to that much
//! earlier.
//!
//! # The end
//! It is said some minutes before, with a way to go on (`staying`).
//! The first request that comes too late takes the person out of the session and leaves a mark instead, so that whoever
//! comes next, be it hours later or behind a request of the page itself, is told why ([`has_ended`]). That is final: no
//! longer setting brings the person back, nor one into a session that ended and that nobody has asked for since (the store
//! sees to that when the setting changes). As with a session whose twelve hours are over, nobody has done anything, so
//! nothing is noted in the audit log. Tokens of the API and passwords sent with a request are no sessions.

use axum::http::request::Parts;
use mngntime_model::UtcMillis;
use tower_sessions::Session;

use super::errors::WebError;

/// Minutes that a contract can choose; "never" is one more.
pub const CHOICES: [u16; 5] = [15, 30, 60, 120, 240];

/// The use of a session is noted this often, in milliseconds: a page is not a write.
pub const NOTED_MS: i64 = 60_000;

/// What pages ask for by themselves. A browser says so only over TLS (`sec-fetch-dest`).
/// That somebody goes on with a session is asked for by a script, too: the handler notes it (`staying`).
const BY_ITSELF: [&str; 3] = ["/punches/newer", "/employees/offered", "/session"];

/// Key of the mark that a session is left with.
const IDLED: &str = "idled";

/// Whether somebody has asked for this: no script has, and no browser that fetches what may be wanted later.
#[must_use]
pub fn is_use(parts: &Parts) -> bool {
    let by_script = parts.headers.get("sec-fetch-dest").is_some_and(|purpose| purpose == "empty");
    let ahead = parts.headers.contains_key("sec-purpose");
    !by_script && !ahead && !BY_ITSELF.contains(&parts.uri.path())
}

/// Whether a session that was last used then is over at `now`, `minutes` being how long it may idle. It is not when
/// neither use nor sign-in is known.
#[must_use]
pub fn is_over(minutes: Option<u16>, used: Option<UtcMillis>, now: UtcMillis) -> bool {
    let end = used.zip(minutes).map(|(used, minutes)| used.plus(i64::from(minutes) * 60_000));
    end.is_some_and(|end| end <= now)
}

/// Takes everything out of a session, and marks it.
///
/// # Errors
/// When the session cannot be written.
pub async fn end(session: &Session) -> Result<(), WebError> {
    session.clear().await;
    Ok(session.insert(IDLED, true).await?)
}

/// Whether a session has ended in that way.
///
/// # Errors
/// When the session cannot be read.
pub async fn has_ended(session: &Session) -> Result<bool, WebError> {
    Ok(session.get::<bool>(IDLED).await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_to_the_millisecond() {
        let end = UtcMillis(15 * 60_000);
        assert!(!is_over(Some(15), Some(UtcMillis(0)), end.plus(-1)));
        assert!(is_over(Some(15), Some(UtcMillis(0)), end));
        assert!(!is_over(None, Some(UtcMillis(0)), UtcMillis(i64::MAX)));
        assert!(!is_over(Some(15), None, end));
        assert!(!is_over(Some(15), Some(end.plus(1)), end), "noted by a node whose clock is ahead");
    }

    #[test]
    fn only_what_somebody_asks_for_is_a_use() {
        let asked = |address: &str, header: &'static str, value: &'static str| {
            let request = axum::http::Request::get(address).header(header, value).body(()).unwrap();
            is_use(&request.into_parts().0)
        };
        assert!(asked("/punches", "sec-fetch-dest", "document"));
        assert!(asked("/punches", "accept", "text/html"), "a browser without these headers");
        assert!(!asked("/punches", "sec-fetch-dest", "empty"));
        assert!(!asked("/punches", "sec-purpose", "prefetch;prerender"));
        for address in BY_ITSELF {
            assert!(!asked(&format!("{address}?q=1"), "accept", "text/html"), "{address} without TLS");
        }
    }
}
