//! How each value is read; an error says what it must be.

use std::net::SocketAddr;
use std::path::PathBuf;

use mngntime_store::{DAY_BOUNDARY_MAX_MINUTES, IDLE_MINUTES_MAX};
use mngntime_wire::limits;

use crate::source_address::Network;

pub(super) fn not_empty(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() { Err("it must not be empty".into()) } else { Ok(text) }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it must be an address with a port, such as 127.0.0.1:8320 or [::]:8320".into())
}

/// Scheme and authority, and nothing else.
pub(super) fn public_url(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let plain = text.trim_end_matches('/');
    let parsed = plain.parse::<axum::http::Uri>().ok();
    let fits = parsed.is_some_and(|uri| {
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let bare = uri.path() == "/" && uri.query().is_none();
        scheme && bare && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    });
    let rule = "it must be http:// or https:// and a host name, with a port where needed and no path";
    if fits { Ok(Some(plain.to_owned())) } else { Err(rule.into()) }
}

pub(super) fn display_name(text: &str) -> Result<String, String> {
    let fits = text.chars().count() <= 64 && !text.chars().any(char::is_control);
    if fits {
        Ok(not_empty(text)?.to_owned())
    } else {
        Err("it must have at most 64 printable characters".into())
    }
}

pub(super) fn contact_seconds(text: &str) -> Result<u32, String> {
    let rule = || format!("it must be a number of seconds from 10 to {}", limits::CONTACT_SECONDS_MAX);
    text.parse().ok().filter(|seconds| (10..=limits::CONTACT_SECONDS_MAX).contains(seconds)).ok_or_else(rule)
}

/// Until when a night belongs to the day before, in minutes after midnight: from midnight, which knows no night, to noon.
pub(crate) fn day_boundary(text: &str) -> Result<u32, String> {
    let minutes = |text: &str| {
        let plain = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        let (hours, minutes) = text.split_once(':').filter(|_| plain)?;
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        Some(hours * 60 + minutes).filter(|sum| minutes < 60 && *sum <= DAY_BOUNDARY_MAX_MINUTES)
    };
    minutes(text).ok_or_else(|| "it must be a time from 00:00 to 12:00, such as 05:00".into())
}

pub(super) fn idle_minutes(text: &str) -> Result<Option<u16>, String> {
    let rule = || format!("it must be a number of minutes from 5 to {IDLE_MINUTES_MAX}, or 0 for never");
    let fits = |minutes: &u16| *minutes == 0 || (5..=IDLE_MINUTES_MAX).contains(minutes);
    let minutes = text.parse().ok().filter(fits).ok_or_else(rule)?;
    Ok(Some(minutes).filter(|minutes| *minutes != 0))
}

pub(super) fn connections_max(text: &str) -> Result<usize, String> {
    let rule = || "it must be a number from 10 to 1000000".to_owned();
    text.parse().ok().filter(|count| (10..=1_000_000).contains(count)).ok_or_else(rule)
}

pub(super) fn failures_per_address(text: &str) -> Result<u32, String> {
    let rule = || "it must be a number from 10 to 10000".to_owned();
    text.parse().ok().filter(|count| (10..=10_000).contains(count)).ok_or_else(rule)
}

/// A relative path would mean another place for every way to start the server.
pub(super) fn absolute_path(text: &str) -> Result<Option<PathBuf>, String> {
    let path = PathBuf::from(text.trim());
    match (path.as_os_str().is_empty(), path.is_absolute()) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(path)),
        (false, false) => Err("it must be an absolute path, such as /srv/mngntime/packages".into()),
    }
}

pub(super) fn web_address(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    let fits = text.starts_with("https://") || text.starts_with("http://");
    match (text.is_empty(), fits && !text.contains(char::is_whitespace)) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(text.to_owned())),
        (false, false) => Err("it must be an address that begins with https:// or http://".into()),
    }
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "it must be true or false".into())
}

pub(super) fn networks(text: &str) -> Result<Vec<Network>, String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Network::read).collect()
}
