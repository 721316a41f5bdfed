//! Saying beforehand that a session will be over, and going on with it by a press of a key (WCAG 2.2, 2.2.1).
//!
//! # Before the end
//! Every page knows how long its session would go on were nothing done any more ([`Staying`]). Some minutes before that
//! ([`warned_ms`]) its script asks again, since the person may have used another tab, and then shows a question:
//! 続ける is a use ([`stay`]), as often as one likes. What was typed stays where it is. The twelve hours of
//! [`super::session::HOURS`] cannot be prolonged by a press, only by showing again who one is: the page says so as long
//! before, and leads there in a tab of its own. When the session is over all the same, the page keeps what was typed, holds
//! back forms that would be lost, and goes on after a sign-in in another tab.
//!
//! # What is no use
//! Asking how long it is ([`left`]): pages do that in front of an empty chair. All tabs of a browser have one session, so
//! what the server says is what they agree on; that one of them has gone on they tell each other, to ask again at once.
//!
//! # Without script
//! The foot of the page says after how long one is signed out, and the sign-in leads back to the page.

use axum::Json;
use axum::extract::State;
use mngntime_model::UtcMillis;
use serde::Serialize;
use serde_json::{Value, json};

use super::WebState;
use super::errors::WebError;
use super::session::Visit;
use crate::access::Action;

/// The question comes at most this long before the end: whoever types looks up in that time.
const WARNED_MOST_MS: i64 = 5 * 60_000;

/// It comes at least this long before; WCAG wants twenty seconds for the answer.
const WARNED_LEAST_MS: i64 = 30_000;

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Nothing is done in it.
    Idle,
    /// It has been long since the person showed who they are.
    Day,
}

/// How long a session goes on when nothing more is done in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staying {
    /// Milliseconds from now.
    pub left_ms: i64,
    /// So long before the end it is said.
    pub warned_ms: i64,
    /// What ends it.
    pub why: Why,
    /// Minutes for which it may idle; absent for any.
    pub minutes: Option<u16>,
}

/// How long before the end a session is asked about that may idle so long: a fifth, within bounds.
fn warned_ms(minutes: u16) -> i64 {
    (i64::from(minutes) * 60_000 / 5).clamp(WARNED_LEAST_MS, WARNED_MOST_MS)
}

impl Staying {
    /// Of a session that was last used at `used`, may idle for `minutes` and is over at `ends` whatever is done;
    /// absent when it has no end that is known.
    #[must_use]
    pub fn of(
        minutes: Option<u16>,
        used: Option<UtcMillis>,
        ends: Option<UtcMillis>,
        now: UtcMillis,
    ) -> Option<Self> {
        let left = |end: UtcMillis| end.0.saturating_sub(now.0).max(0);
        let idle = used.zip(minutes).map(|(used, minutes)| Self {
            left_ms: left(used.plus(i64::from(minutes) * 60_000)),
            warned_ms: warned_ms(minutes),
            why: Why::Idle,
            minutes: Some(minutes),
        });
        let day =
            ends.map(|end| Self { left_ms: left(end), warned_ms: WARNED_MOST_MS, why: Why::Day, minutes });
        // Where both end together, a press of a key would change nothing.
        day.into_iter().chain(idle).min_by_key(|staying| staying.left_ms)
    }

    /// Whole seconds until the end; the page comes a moment later than this was counted.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.left_ms / 1000
    }

    /// Seconds before the end when it is said.
    #[must_use]
    pub fn warned(&self) -> i64 {
        self.warned_ms / 1000
    }
}

/// `GET /session`: how long the session goes on. This is no use of it.
///
/// # Errors
/// [`WebError`] when nobody is signed in any more.
pub async fn left(visit: Visit) -> Result<Json<Value>, WebError> {
    visit.permit(Action::OwnSession)?;
    Ok(told(&visit))
}

/// `POST /session`: the person goes on. This is a use, noted to the moment.
///
/// # Errors
/// [`WebError`] when nobody is signed in any more or the store fails.
pub async fn stay(State(state): State<WebState>, mut visit: Visit) -> Result<Json<Value>, WebError> {
    visit.permit(Action::OwnSession)?;
    visit.go_on(&state).await?;
    Ok(told(&visit))
}

/// What the page's script is told; `who` so that it does not send what one person has typed in the name of another who has
/// signed in since.
fn told(visit: &Visit) -> Json<Value> {
    let who = &visit.person().data.login;
    Json(match visit.staying() {
        Some(staying) => json!({
            "left": staying.left(), "warned": staying.warned(), "why": staying.why, "who": who,
        }),
        None => json!({ "left": null, "who": who }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMillis = UtcMillis(1_000_000_000);

    fn of(minutes: Option<u16>, used: i64, ends: Option<i64>) -> Option<(i64, i64, Why)> {
        let staying = Staying::of(minutes, Some(NOW.plus(used)), ends.map(|at| NOW.plus(at)), NOW);
        staying.map(|staying| (staying.left(), staying.warned(), staying.why))
    }

    #[test]
    fn whatever_ends_first_is_said_as_long_before_as_there_is_time() {
        assert_eq!(of(Some(15), 0, Some(3_600_000)), Some((900, 180, Why::Idle)));
        assert_eq!(of(Some(15), -60_000, Some(3_600_000)), Some((840, 180, Why::Idle)));
        assert_eq!(of(Some(60), 0, Some(3_600_000)), Some((3600, 300, Why::Day)), "the longer of the two");
        assert_eq!(of(None, 0, Some(3_600_000)), Some((3600, 300, Why::Day)));
        assert_eq!(of(Some(240), 0, None), Some((14_400, 300, Why::Idle)));
        assert_eq!(of(None, 0, None), None);
        assert_eq!(Staying::of(Some(15), None, None, NOW), None);
        assert_eq!(of(Some(15), -900_001, None).map(|told| told.0), Some(0), "over is over");
    }

    #[test]
    fn nobody_has_less_than_twenty_seconds_to_answer() {
        for minutes in [1, 5, 15, 30, 60, 120, 240, 720] {
            let warned = warned_ms(minutes);
            assert!((20_000..=i64::from(minutes) * 60_000 / 2).contains(&warned), "{minutes}: {warned}");
        }
    }
}
