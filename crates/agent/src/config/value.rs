//! The value of one key: what its source holds, and what it must be.

use std::path::PathBuf;

use ureq::http::Uri;

/// A value as its source holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// A text (TOML string, `REG_SZ`).
    Text(String),
    /// A number (TOML integer, `REG_DWORD`).
    Number(i64),
    /// Yes or no (TOML boolean, `REG_DWORD` 0 or 1 of a key that is one).
    Boolean(bool),
    /// Something that no key takes, in words.
    Other(String),
}

impl Raw {
    /// What TOML holds.
    pub(super) fn from_toml(value: &toml::Value) -> Self {
        if let Some(text) = value.as_str() {
            Self::Text(text.to_owned())
        } else if let Some(number) = value.as_integer() {
            Self::Number(number)
        } else if let Some(yes) = value.as_bool() {
            Self::Boolean(yes)
        } else {
            Self::Other(value.to_string())
        }
    }

    /// The value for people, texts in quotes.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Number(number) => number.to_string(),
            Self::Boolean(yes) => yes.to_string(),
            Self::Other(words) => words.clone(),
        }
    }

    /// The text, or what it should have been.
    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Number(_) | Self::Boolean(_) | Self::Other(_) => {
                Err("it must be a text, in quotes (in the registry REG_SZ)".to_owned())
            }
        }
    }

    /// Yes or no, or what it should have been.
    pub(super) fn boolean(&self) -> Result<bool, String> {
        match self {
            Self::Boolean(yes) => Ok(*yes),
            Self::Text(_) | Self::Number(_) | Self::Other(_) => {
                Err("it must be true or false, without quotes (in the registry REG_DWORD 1 or 0)".to_owned())
            }
        }
    }

    /// Seconds, or what they should have been.
    pub(super) fn seconds(&self) -> Result<u32, String> {
        let number = if let Self::Number(number) = self { u32::try_from(*number).ok() } else { None };
        number.filter(|seconds| (1..=3600).contains(seconds)).ok_or_else(|| {
            "it must be a number of seconds from 1 to 3600, without quotes (in the registry REG_DWORD)"
                .to_owned()
        })
    }
}

pub(super) fn non_empty(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() { Err("it must not be empty".to_owned()) } else { Ok(text) }
}

pub(super) fn absolute(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(non_empty(path)?);
    if path.is_absolute() { Ok(path) } else { Err("it must be an absolute path".to_owned()) }
}

pub(super) fn readable(path: &str) -> Result<PathBuf, String> {
    let path = absolute(path)?;
    std::fs::File::open(&path).map_err(|error| format!("the file cannot be read: {error}"))?;
    Ok(path)
}

pub(super) fn server_url(text: &str, allow_plain_http: bool) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let uri: Uri =
        text.parse().map_err(|_| "it must be an address such as https://mngntime.example.co.jp")?;
    let host = uri.host().ok_or("the name of the server is missing")?;
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(host) || allow_plain_http => {}
        Some("http") => {
            return Err("plain http is only allowed to this PC itself; use https, or set allow_plain_http = true to send in the clear".to_owned());
        }
        _ => return Err("it must begin with https://".to_owned()),
    }
    if uri.query().is_some() {
        return Err("it must not hold a question mark".to_owned());
    }
    Ok(text.to_owned())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
